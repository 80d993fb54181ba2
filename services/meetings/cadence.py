"""Which days a body meets on: the nth weekday of some months, moved off holidays and closed days (M9). Pure."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from itertools import pairwise

from contracts.profile import Cadence
from services.office_days import is_closed

DAYS_MOVED = 31
"""A regular sitting that finds no open day within this many days is dropped."""


def regular_dates(cadence: Cadence, first: date, last: date, closed_days: Collection[str]) -> dict[date, date]:
    """The dates from ``first`` to ``last`` on which a body meets, each with the date its cadence names (M9)."""
    step = timedelta(days=-1 if cadence.moved == "earlier" else 1)
    dates: dict[date, date] = {}
    for named in _named_dates(cadence, first - timedelta(days=DAYS_MOVED), last + timedelta(days=DAYS_MOVED)):
        moved = (named + step * n for n in range(DAYS_MOVED))
        day = next((day for day in moved if not is_closed(day, closed_days)), None)
        if day is not None and first <= day <= last:
            dates.setdefault(day, named)
    return dict(sorted(dates.items()))


def _named_dates(cadence: Cadence, first: date, last: date) -> Iterable[date]:
    month = first.replace(day=1)
    while month <= last:
        if month.month in cadence.months:
            to_first = (cadence.weekday - month.weekday()) % 7
            for nth in cadence.nth:
                named = month + timedelta(days=to_first + 7 * (nth - 1))
                if named.month == month.month:  # not every month has a fifth one
                    yield named
        month = (month + timedelta(days=31)).replace(day=1)


def cadence_text(cadence: Cadence) -> str:
    """For example 隔月第3木曜, 毎月第1・第3火曜, 2・7月第2火曜."""
    months = sorted(set(cadence.months))
    gaps = {later - earlier for earlier, later in pairwise(months)}
    every = {12: "毎月"}.get(len(months), "隔月" if len(months) == 6 and gaps == {2} else "")
    nth = "・".join(f"第{n}" for n in sorted(set(cadence.nth)))
    return f"{every or '・'.join(map(str, months)) + '月'}{nth}{'月火水木金'[cadence.weekday]}曜"
