"""Timetabling: one sitting, the agenda within it, a month of sittings, and planning anew after something fell out.

Pure: a problem in, a plan out; no store, no bus, no clock but the one a caller hands over. The service's own look for
a date (``scheduling.py``) and the command ``kasane timetable`` rest on it. Formulation: calendar.md section 5.
"""
