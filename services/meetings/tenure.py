"""Who may be seated on a day: whose post runs, at an agency that is still there (S4, S12, T2). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from contracts.directory import StaffView
from contracts.profile import Profile
from services.meetings.scheduling import TOKYO, Interval

FAR = timedelta(days=3650)
"""Longer than anybody looks ahead for a date."""


def in_post(one: StaffView, day: date) -> bool:
    """Whether this person's posts have begun and not ended on that day."""
    return (one.since is None or one.since <= day) and (one.until is None or day <= one.until)


def agency_there(profile: Profile, code: str, day: date) -> bool:
    """Whether the agency has not had its last day before; one that the profile no longer names has."""
    return any(one.code == code and (one.until is None or day <= one.until) for one in profile.agencies)


def seatable(profile: Profile, staff: Iterable[StaffView], starts: datetime) -> tuple[StaffView, ...]:
    """Those who may sit at what is held at ``starts``: the day counts, as it is written in Japan."""
    day = starts.astimezone(TOKYO).date()
    there = {one.code for one in profile.agencies if one.until is None or day <= one.until}
    return tuple(one for one in staff if one.agency in there and in_post(one, day))


def not_over(profile: Profile, staff: Iterable[StaffView], today: date) -> tuple[StaffView, ...]:
    """Those whose post, and whose agency, is not over already: for a date that is still looked for."""
    there = {one.code for one in profile.agencies if one.until is None or today <= one.until}
    return tuple(one for one in staff if one.agency in there and (one.until is None or today <= one.until))


def with_tenure(
    profile: Profile, staff: Sequence[StaffView], busy: Mapping[UUID, Sequence[Interval]], now: datetime
) -> dict[UUID, list[Interval]]:
    """The calendars with the time before somebody's post begins, and after it or the agency ends, as not free."""
    found = {person: list(times) for person, times in busy.items()}
    ends = {one.code: one.until for one in profile.agencies}
    for one in staff:
        if one.since is not None and _midnight(one.since) > now:
            found.setdefault(one.person, []).append((now, _midnight(one.since)))
        last = min((day for day in (one.until, ends.get(one.agency)) if day is not None), default=None)
        if last is not None:
            over = max(now, _midnight(last + timedelta(days=1)))
            found.setdefault(one.person, []).append((over, over + FAR))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), TOKYO).astimezone(UTC)
