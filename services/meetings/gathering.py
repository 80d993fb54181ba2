"""Gathers a sitting for one item from those to whom its ground opens it: only they are looked for in the diary."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import Row

from contracts.directory import StaffView
from contracts.holding import Mode
from contracts.message import Compartment
from contracts.profile import Block, Body, Profile, Room
from services.meetings import domain, grounds, seating, tenure
from services.meetings.domain import Claim, Gathering, Occasion, Route
from services.meetings.grounds import Bond
from services.meetings.ranking import Date, Search, rank
from services.meetings.scheduling import TOKYO, Interval, NoSlot, Wanted, Window
from services.meetings.seating import one_seat_each
from services.office_days import is_closed
from services.sharing import Head


@dataclass(frozen=True)
class Diary:
    """What one run knows: who there is, when they cannot come, and on what each item and person rests."""

    staff: tuple[StaffView, ...]
    busy: dict[UUID, list[Interval]]
    link_key: bytes
    route: Callable[[bool, Claim], Route]
    """How an item comes to its sitting, by whether it is urgent and which bodies it belongs to."""
    heads: Mapping[UUID, Head]
    """In juso: the newest consent by case."""
    bonds: tuple[Bond, ...]
    """In shien: the commissions that run."""
    apart: Mapping[UUID, tuple[tuple[UUID, UUID], ...]] = field(default_factory=dict)
    """By item, who must not meet at its sitting."""

    def way(self, one: Row[Any]) -> Route:
        """How this item comes to a sitting. What only some may hear never goes to one with a standing roster (C3)."""
        return self.route(one.urgent or one.only_agencies, Claim(one.area, one.coordinator, one.body))

    def block(self, persons: Iterable[UUID], starts: datetime, ends: datetime) -> None:
        """They cannot come then either."""
        for person in persons:
            self.busy.setdefault(person, []).append((starts, ends))

    def bound(self, moment: datetime) -> tuple[StaffView, ...]:
        """The staff who are commissioned now and at ``moment``."""
        return tuple(one for one in self.staff if grounds.bond_of(self.bonds, one.person, one.agency, moment))

    def busy_or_unbound(self, moment: datetime, last: datetime) -> dict[UUID, list[Interval]]:
        """When those bound at ``moment`` cannot come before ``last``: also from the end of their commission on."""
        busy = dict(self.busy)
        for one in self.staff:
            bond = grounds.bond_of(self.bonds, one.person, one.agency, moment)
            if bond and bond.period.ends < last:
                busy[one.person] = [*busy.get(one.person, ()), (bond.period.ends, last)]
        return busy


@dataclass(frozen=True)
class Table:
    """Whom a sitting of an item's own may seat, when it may lie, and when each of them cannot come."""

    seats: tuple[Wanted, ...]
    left_out: tuple[str, ...]
    window: Window
    busy: Mapping[UUID, list[Interval]]


def table_of(
    profile: Profile, here: Compartment, one: Row[Any], adhoc: tuple[Body, Block], diary: Diary, now: datetime
) -> Table | NoSlot:
    """The table for an item's own sitting, of those to whom its ground opens it; NoSlot if one that must be is not."""
    window, last = domain.search_window(profile, one.urgent, now), now
    first, last = max(now, window.start_of(0)), window.start_of(window.open.bit_length())
    called = profile, adhoc[0], here, seating.called_for(one.agencies, one.required, one.optional)
    everybody = seating.adhoc_seats(*called, diary.staff, one.coordinator)
    if here is Compartment.JUSO:
        head = diary.heads.get(one.case)
        agencies = [seat.agency for seat in everybody]
        grounded = seating.within_consent(everybody, grounds.open_to(one, head, agencies, (now, first)))
        window, busy = _within(window, head), diary.busy
    else:
        bound = seating.adhoc_seats(*called, diary.bound(first), one.coordinator)
        grounded = seating.bound_by_secrecy(everybody, bound)
        busy = diary.busy_or_unbound(first, last)
    return grounded if isinstance(grounded, NoSlot) else Table(grounded.seats, grounded.left_out, window, busy)


def gather_own(
    profile: Profile, here: Compartment, one: Row[Any], adhoc: tuple[Body, Block], diary: Diary, now: datetime
) -> Gathering | NoSlot:
    """A sitting of the item's own among those it is open to, or NoSlot with the reason and what can be done.

    What a city's quorum or rooms ask for besides is weighed by the timetable's engine.
    """
    table = table_of(profile, here, one, adhoc, diary, now)
    if isinstance(table, NoSlot):
        return table
    if adhoc[0].quorum or rooms_of(profile, adhoc[0]) or diary.apart.get(one.id):
        found = gather_ranked(profile, adhoc, table, diary, one)
    else:
        found = domain.gather_adhoc(adhoc, table.seats, table.busy, table.window)
    return found if isinstance(found, NoSlot) else _without(found, here, table.left_out)


def rooms_of(profile: Profile, body: Body, mode: Mode | None = None) -> tuple[Room, ...]:
    """The rooms where a body meets in this mode (None: its own); empty: none is needed, by the place or the mode."""
    return () if (mode or body.mode) == "online" else tuple(one for one in profile.rooms if one.place == body.place)


def room_ref(profile: Profile, room: str) -> UUID:
    """What the directory knows a room by: it holds its time as a person's, and cannot tell for which meeting."""
    return uuid5(NAMESPACE_OID, f"{profile.municipality} room {room}")


def search_of(
    profile: Profile, adhoc: tuple[Body, Block], table: Table, diary: Diary, one: Row[Any], mode: Mode | None = None
) -> Search:
    """What the engine is asked for a sitting at this table. ``mode``: None is its body's; online it needs no room."""
    body, block = adhoc
    window = table.window
    first = window.start_of(0).astimezone(TOKYO).date()
    ends = window.start_of(window.open.bit_length()).astimezone(TOKYO)
    last = max(first, ends.date())
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    rooms = rooms_of(profile, body, mode)
    return Search(
        seats=table.seats,
        minutes=block.minutes,
        first=first,
        last=last,
        opens=profile.office_opens,
        closes=profile.office_closes,
        closed=tuple(day for day in days if is_closed(day, profile.closed_days)),
        busy=table.busy,
        kinds={one.code: one.kind for one in profile.agencies},
        quorum=body.quorum,
        rooms=rooms,
        room_busy={one.code: diary.busy.get(room_ref(profile, one.code), ()) for one in rooms},
        equipment=body.equipment,
        deadline=ends,
        apart=diary.apart.get(one.id, ()),
        urgent=one.urgent,
    )


def gather_ranked(
    profile: Profile, adhoc: tuple[Body, Block], table: Table, diary: Diary, one: Row[Any]
) -> Gathering | NoSlot:
    """The best date that the engine knows, or NoSlot with the duties that clash and what could be relaxed."""
    found = rank(search_of(profile, adhoc, table, diary, one))
    if not found.dates:
        ways = "、".join(found.relax)
        return NoSlot(found.clashing, f"{found.none_because}できること: {ways}。" if ways else found.none_because)
    return gathering_of(adhoc, found.dates[0])


def gathering_of(adhoc: tuple[Body, Block], date: Date) -> Gathering:
    """A date as a sitting to be."""
    seats = one_seat_each((seat, person) for seat, person in date.chosen if person is not None)
    return Gathering(adhoc[0], adhoc[1].basis, date.starts, date.ends, None, seats, date.why, room=date.room)


def _within(window: Window, head: Head | None) -> Window:
    return domain.until(window, head.scope.ends) if head and head.scope else window


def _without(found: Gathering, here: Compartment, names: tuple[str, ...]) -> Gathering:
    return replace(found, why=seating.say_left_out(found.why, here, names))


def gather_next(
    profile: Profile, here: Compartment, one: Row[Any], occasion: Occasion, diary: Diary, head: Head | None
) -> Gathering | NoSlot:
    """The regular sitting that the item brings into being. In juso the whole roster comes, for the items to come, but
    whoever this item is not open to gets a seat that stays closed. In shien only the commissioned have one (S8).
    """
    staff = tenure.seatable(profile, diary.staff, occasion.starts)
    everybody = seating.standing_seats(profile, occasion.body, here, staff)
    if here is Compartment.JUSO:
        found = domain.gather_regular(occasion, everybody)
        opened = grounds.open_to(one, head, (seat.agency for seat in everybody), (occasion.starts,))
        outside = frozenset(agency for agency, decision in opened.items() if not decision.allowed)
        return found if isinstance(found, NoSlot) else replace(found, outside=outside)
    able = tenure.seatable(profile, diary.bound(occasion.starts), occasion.starts)
    bound = seating.standing_seats(profile, occasion.body, here, able)
    grounded = seating.bound_by_secrecy(everybody, bound)
    if isinstance(grounded, NoSlot):
        return grounded
    found = domain.gather_regular(occasion, grounded.seats)
    return found if isinstance(found, NoSlot) else _without(found, here, grounded.left_out)


def why_not_hear(
    profile: Profile, here: Compartment, one: Row[Any], occasion: Occasion, head: Head | None, now: datetime
) -> NoSlot | None:
    """Why a regular sitting may not hear a juso item: its consent must reach whoever has to be there (C1, P1).

    Standing members outside it have no part in the item and leave the room for it (M6).
    """
    if here is not Compartment.JUSO:
        return None
    standing = seating.standing_seats(profile, occasion.body, here, ())
    required = [seat for seat in standing if seat.need == "required"]
    moments = now, occasion.starts
    grounded = seating.within_consent(required, grounds.open_to(one, head, (s.agency for s in required), moments))
    if isinstance(grounded, NoSlot):
        return grounded
    to_any = grounds.opened_to_any(one, head, moments)
    return None if to_any.allowed else NoSlot((), to_any.reason + to_any.next_step)
