"""The rules of planning a regular sitting anew: when it may lie, what stays, what is broken. Values in, values out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.profile import Body, Profile, Quorum
from services.meetings.cadence import body_dates
from services.meetings.ranking import Date, counted
from services.meetings.scheduling import TOKYO, Interval, Wanted, Window, office_hours
from services.office_days import is_closed, why_closed

EARLIER = timedelta(days=14)
LATER = timedelta(days=28)
"""How far a regular sitting is moved: never past the next one of its body."""
NOBODY_MOVES = "日時も場所も変えず、出られない人の席だけを代理にします"


def not_met_on(profile: Profile, body: Body, day: date) -> str:
    """Why a body does not meet on that day as the profile now stands; empty: it does (M9)."""
    off = next((one.name for one in profile.breaks if one.covers(day, body.code)), "")
    return why_closed(day, profile.closed_days) or off


def window_of(profile: Profile, body: Body, announced: datetime, now: datetime) -> Window:
    """When the sitting may lie instead: office hours from tomorrow on, near its day, before the body's next date."""
    held_on, today = announced.astimezone(TOKYO).date(), now.astimezone(TOKYO).date()
    first = max(today + timedelta(days=1), held_on - EARLIER)
    following = body_dates(profile, body, held_on + timedelta(days=1), held_on + LATER)
    before = [day for day in body_dates(profile, body, first, held_on - timedelta(days=1)) if day < held_on]
    first = max([first, *(day + timedelta(days=1) for day in before)])
    last = min([held_on + LATER, *(day - timedelta(days=1) for day in following)])

    def closed(day: date) -> bool:
        return is_closed(day, profile.closed_days) or bool(not_met_on(profile, body, day))

    return office_hours(first, max(first, last), profile.office_opens, profile.office_closes, closed)


def same_time(
    seats: Sequence[Wanted],
    busy: Mapping[UUID, Sequence[Interval]],
    away: Iterable[UUID],
    quorum: Iterable[Quorum],
    kinds: Mapping[str, str],
    announced: tuple[datetime, datetime, str | None],
) -> Date | None:
    """The announced time with substitutes for whoever cannot come; None if a seat or a quorum stays empty (P1, P3).

    It need not lie on the engine's grid: a block may begin at 14:40.
    """
    starts, ends, room = announced
    gone, taken = set(away), set[UUID]()
    chosen: list[tuple[Wanted, UUID | None]] = []
    for seat in seats:
        free = (
            one
            for one in seat.persons
            if one not in gone and one not in taken and not any(a < ends and starts < b for a, b in busy.get(one, ()))
        )
        who = next(free, None)
        if who is None and seat.need == "required":
            return None
        taken |= {who} if who else set()
        chosen.append((seat, who))
    filled = [seat for seat, who in chosen if who is not None]
    if any(len(counted(one, filled, kinds)) < one.at_least for one in quorum):
        return None
    return Date(starts, ends, room, tuple(chosen), 0, NOBODY_MOVES)
