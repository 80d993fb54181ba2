"""Which days a body meets on: what its cadence names, moved off closed days and out of breaks (M9). Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, pairwise

from contracts.profile import Body, Cadence, Profile
from services.office_days import is_closed, why_closed

DAYS_MOVED = 31
"""A regular sitting that finds no day within so many days is dropped."""
Shut = Callable[[date], bool]


@dataclass(frozen=True)
class Held:
    """A date of a series: the day its cadence names, the day it is held on (None: 休会), and why not the same."""

    named: date
    day: date | None
    why: str = ""


def regular_dates(
    cadence: Cadence, first: date, last: date, closed_days: Collection[str], shut: Shut | None = None
) -> dict[date, date]:
    """The dates from ``first`` to ``last`` on which a body meets, each with the date its cadence names (M9).

    ``shut``: when it does not meet though the office is open. Two names moved onto one day are one sitting.
    """
    dates: dict[date, date] = {}
    for named, day in _moved(cadence, first, last, closed_days, shut):
        if day is not None and first <= day <= last:
            dates.setdefault(day, named)
    return dict(sorted(dates.items()))


def body_dates(profile: Profile, body: Body, first: date, last: date) -> dict[date, date]:
    """The dates of a body with the city's closed days and the breaks that hold for it; none if it meets 随時."""
    if body.cadence is None:
        return {}
    return regular_dates(body.cadence, first, last, profile.closed_days, _shut(profile, body))


def series(profile: Profile, body: Body, first: date, last: date) -> list[Held]:
    """Every date that a body's cadence names, or that is moved, into this time; the moved and dropped with why."""
    if body.cadence is None:
        return []
    found: dict[date, Held] = {}
    for named, day in _moved(body.cadence, first, last, profile.closed_days, _shut(profile, body)):
        if first <= (day or named) <= last:
            why = why_moved(profile, body, named, day) if day != named else ""
            found.setdefault(day or named, Held(named, day, why))
    return [found[on] for on in sorted(found)]


def why_moved(profile: Profile, body: Body, named: date, day: date | None) -> str:
    """Why a body does not meet on the day its cadence names, and where it went, for people to read."""
    off = next((one.name for one in profile.breaks if one.covers(named, body.code)), "")
    reason = why_closed(named, profile.closed_days) or off
    text = f"{named.month}月{named.day}日が{reason}のため、"
    return text + ("休会です" if day is None else f"{'前' if day < named else '後'}に移しました")


def _shut(profile: Profile, body: Body) -> Shut:
    return lambda day: any(one.covers(day, body.code) for one in profile.breaks)


def _moved(
    cadence: Cadence, first: date, last: date, closed_days: Collection[str], shut: Shut | None
) -> Iterator[tuple[date, date | None]]:
    """Each named day near this time with the day it is held on."""
    step = timedelta(days=(-1 if cadence.moved == "earlier" else 1) * (7 if cadence.keep_weekday else 1))
    tries = 1 if cadence.moved == "dropped" else DAYS_MOVED // abs(step.days)
    margin = timedelta(days=DAYS_MOVED)
    for named in named_dates(cadence, first - margin, last + margin):
        days = (named + step * n for n in range(tries))
        yield (
            named,
            next((day for day in days if not is_closed(day, closed_days) and not (shut and shut(day))), None),
        )


def named_dates(cadence: Cadence, first: date, last: date) -> Iterator[date]:
    """The days that a cadence names from ``first`` to ``last``, closed or not, in order."""
    begins = max(first, cadence.since or first)
    ends = min(last, cadence.until or last)
    if cadence.times is None or cadence.since is None:
        yield from (day for day in _every(cadence, begins, ends) if begins <= day <= ends)
        return
    counted = (day for day in _every(cadence, cadence.since, ends) if cadence.since <= day <= ends)
    yield from (day for day in islice(counted, cadence.times) if day >= begins)


def _every(cadence: Cadence, first: date, last: date) -> Iterable[date]:
    if cadence.every_weeks is not None and cadence.since is not None:
        weeks = timedelta(weeks=cadence.every_weeks)
        day = cadence.since + max(0, -(-(first - cadence.since) // weeks)) * weeks
        while day <= last:
            yield day
            day += weeks
        return
    month = first.replace(day=1)
    while month <= last:
        if month.month in cadence.months:
            yield from sorted(set(_in_month(cadence, month)))
        month = (month + timedelta(days=31)).replace(day=1)


def _in_month(cadence: Cadence, month: date) -> Iterator[date]:
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if cadence.weekday is None:
        for number in cadence.monthdays:
            if number <= last.day:  # not every month has a 31st
                yield last if number == -1 else month.replace(day=number)
        return
    to_first = (cadence.weekday - month.weekday()) % 7
    for nth in cadence.nth:
        back = timedelta(days=(last.weekday() - cadence.weekday) % 7)
        named = last - back if nth == -1 else month + timedelta(days=to_first + 7 * (nth - 1))
        if named.month == month.month:  # not every month has a fifth one
            yield named


def cadence_text(cadence: Cadence) -> str:
    """For example 隔月第3木曜, 毎月第1・第3火曜, 2・7月第2火曜, 毎月最終金曜, 毎月15日, 隔週木曜."""
    if cadence.every_weeks is not None and cadence.since is not None:
        weeks = {1: "毎週", 2: "隔週"}.get(cadence.every_weeks, f"{cadence.every_weeks}週ごとの")
        return f"{weeks}{'月火水木金'[cadence.since.weekday()]}曜"
    months = sorted(set(cadence.months))
    gaps = {later - earlier for earlier, later in pairwise(months)}
    every = {12: "毎月"}.get(len(months), "隔月" if len(months) == 6 and gaps == {2} else "")
    every = every or "・".join(map(str, months)) + "月"
    if cadence.weekday is None:
        return every + "・".join("末日" if one == -1 else f"{one}日" for one in sorted(set(cadence.monthdays)))
    nth = "・".join("最終" if n == -1 else f"第{n}" for n in sorted(set(cadence.nth), key=lambda n: n % 7))
    return f"{every}{nth}{'月火水木金'[cadence.weekday]}曜"


def times_text(body: Body) -> str:
    """How often a year: 随時, 年2回, 毎月 …; what the cadence names, so a moved date counts once (M9)."""
    if body.cadence is None:
        return "随時"
    named = len(list(named_dates(body.cadence, date(2026, 4, 1), date(2027, 3, 31))))
    return f"年{named}回" if body.cadence.every_weeks is None and named else "定例"
