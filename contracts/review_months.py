"""When a plan is looked at again: about every 3, 6 or 12 months after its day (T8, 種000 別記1の4 4(3)ウ)."""

from calendar import monthrange
from datetime import date

REVIEW_MONTHS = {"3": "3か月後", "6": "6か月後", "12": "12か月後"}
"""The usual choices, as a form sends them and as people read them; any other day is typed in instead."""


def months_after(day: date, months: int) -> date:
    """The same day of the month so many months later; the month's last day where it has none (2月29日, 31日)."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
