"""The transactions of placing: an item onto an agenda, a sitting into being, notices to be sent.

Each changes an item's state only from the state it expects, so that two processes may do it at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from contracts.meetings import ItemPlaced
from contracts.message import Compartment, Event
from services import sharing
from services.meetings import domain
from services.meetings.called import seat_called
from services.meetings.domain import Gathering, Occasion, Route
from services.meetings.gathering import Diary, gather_next, room_ref, why_not_hear
from services.meetings.ordering import block_on
from services.meetings.proposing_store import TAKEN_SINCE, carried_out, void
from services.meetings.regular_rules import EARLIER
from services.meetings.scheduling import NoSlot
from services.meetings.seats import fill_seats, let_go_if_empty, open_seats, want_invitations
from services.meetings.tables import agenda, consents, item, release, seat, sitting
from services.service import Tx
from services.sharing import Head

ALL_FULL = "定例の開催回に空きがありません。随時の会議体を設けるか、議題の上限を見直してください。"


@dataclass(frozen=True)
class Plan:
    """An item on the agenda of a sitting that is perhaps not yet held."""

    item: UUID
    sitting: UUID
    starts: datetime
    ends: datetime
    regular: bool
    fixed: bool
    persons: tuple[UUID, ...]
    """Whose time is to be held; that of the room is, too."""


def due_items(tx: Tx) -> list[Row[Any]]:
    """The items whose next try is now."""
    due = item.c.state.in_(("waiting", "reserving")), item.c.next_try <= tx.now
    order = item.c.urgent.desc(), item.c.received_on, item.c.since, item.c.id
    return list(tx.execute(select(item).where(*due).order_by(*order)))


def join_fixed(tx: Tx, due: Sequence[Row[Any]], diary: Diary, joined: set[UUID]) -> Iterable[Event]:
    """Put all items that go to a sitting that already stands on its agenda, in one transaction.

    Nobody's time is asked for: the directory holds it. ``joined`` is filled with the items dealt with: those placed,
    and those that no regular sitting may hear, which wait with the reason.
    """
    booked, standing = agendas(tx), dict[tuple[str, date, str], Row[Any] | None]()
    joining, refused = dict[tuple[str, date, str], list[UUID]](), dict[UUID, str]()
    for one, head in _with_heads(tx, [one for one in due if one.state == "waiting"]):
        way = diary.way(one)
        if way.adhoc is not None:
            continue
        occasion = choose(tx, one, way, head, booked)
        if isinstance(occasion, NoSlot):
            if not one.only_agencies:  # else it gets no sitting of its own, for another reason
                refused[one.id] = occasion.why
            continue
        key = occasion.key
        if key not in standing:
            standing[key] = _regular_sitting(tx, occasion)
        found = standing[key]
        if found is None or not found.fixed or found.cancelled_at:
            break
        seat_called(tx, one, found.id, occasion.body, occasion.starts, diary.staff, diary.bonds)
        joining.setdefault(key, []).append(one.id)
        booked.add(key, occasion.minutes_for(one.purpose))
    if refused:
        rows = [{"item": one, "why": why, "next_try": tx.now + domain.LOOK_AGAIN} for one, why in refused.items()]
        tx.execute(_POSTPONE, rows)
    joined.update(refused, *joining.values())
    return [event for key, items in joining.items() for event in _join(tx, items, standing[key], diary.link_key)]


_POSTPONE = update(item).where(item.c.id == bindparam("item"), item.c.state == "waiting")
HEADS_AT_ONCE = 100


def _with_heads(tx: Tx, due: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Head | None]]:
    """Each item with its consent's newest version, looked up for a few at a time: the first may be the last needed."""
    for first in range(0, len(due), HEADS_AT_ONCE):
        some = due[first : first + HEADS_AT_ONCE]
        heads = _heads(tx, [one.case for one in some])
        yield from ((one, heads.get(one.case)) for one in some)


def _join(tx: Tx, items: Sequence[UUID], there: Any, link_key: bytes) -> list[Event]:
    """What ``_put_on_agenda`` and ``fix`` do one by one, for items of one sitting that stands."""
    mine = item.c.id.in_(items), item.c.state == "waiting"
    placed = update(item).where(*mine).values(state="placed", why="", version=item.c.version + 1)
    rows = {one.id: one for one in tx.execute(placed.returning(item.c.id, item.c.case, item.c.version))}
    mine_now = [rows[one] for one in items if one in rows]
    if not mine_now:
        return []
    first = _next_position(tx, there.id)
    row = {"sitting": there.id, "compartment": tx.here}
    tx.execute(insert(agenda), [row | {"item": one.id, "position": n} for n, one in enumerate(mine_now, first)])
    tx.execute(delete(release).where(release.c.hold == there.id))
    closed = seat.c.sitting == there.id, seat.c.cancelled_at.is_not(None)
    if tx.execute(select(seat.c.person).where(*closed).limit(1)).first():
        for one in mine_now:
            open_seats(tx, one.id, there.id)
    want_invitations(tx, there.id, link_key)
    return [
        ItemPlaced(
            about=one.id,
            version=one.version,
            case=one.case,
            sitting=there.id,
            body=there.body,
            basis=there.basis,
            starts=there.starts,
            ends=there.ends,
        )
        for one in mine_now
    ]


def _next_position(tx: Tx, sitting_id: UUID) -> int:
    last = select(func.coalesce(func.max(agenda.c.position), 0)).where(agenda.c.sitting == sitting_id)
    return int(tx.execute(last).scalar_one()) + 1


def choose(tx: Tx, one: Row[Any], way: Route, head: Head | None, booked: "Agendas") -> Occasion | NoSlot:
    """The next regular sitting with room that may hear this item, or why the next one with room may not."""
    refusals = []
    for occasion in domain.with_room(way.occasions, booked):
        if occasion.key in booked.over:
            continue
        if times := booked.times.get(occasion.key):
            occasion = replace(occasion, starts=times[0], ends=times[1])
        if booked.minutes.get(occasion.key, 0) + occasion.minutes_for(one.purpose) > occasion.length:
            continue
        refusal = why_not_hear(tx.profile, tx.here, one, occasion, head, tx.now)
        if refusal is None:
            return occasion
        refusals.append(refusal)
    return refusals[0] if refusals else NoSlot((), way.why or ALL_FULL)


def _heads(tx: Tx, cases: Sequence[UUID]) -> Mapping[UUID, Head]:
    return sharing.heads(consents, tx, cases) if tx.here is Compartment.JUSO else {}


def plan_next(tx: Tx, one: Row[Any], way: Route, diary: Diary) -> Plan | None:
    """Put the item on the next agenda with room. The first item on it brings the regular sitting into being."""
    head = _heads(tx, [one.case]).get(one.case)
    occasion = choose(tx, one, way, head, agendas(tx))
    if isinstance(occasion, NoSlot):
        postpone(tx, one.id, occasion.why)
        return None
    standing = _regular_sitting(tx, occasion)
    if standing and standing.cancelled_at is None:
        seat_called(tx, one, standing.id, occasion.body, occasion.starts, diary.staff, diary.bonds)
        return _put_on_agenda(tx, one.id, standing.id)
    found = gather_next(tx.profile, tx.here, one, occasion, diary, head)
    if isinstance(found, NoSlot):
        postpone(tx, one.id, found.why)
        return None
    sitting_id = standing.id if standing else _open_sitting(tx, found, own_item=None)
    fill_seats(tx, sitting_id, found, diary.bonds)
    seat_called(tx, one, sitting_id, occasion.body, occasion.starts, diary.staff, diary.bonds)
    return _put_on_agenda(tx, one.id, sitting_id)


def plan_own(tx: Tx, one: Row[Any], found: Gathering | NoSlot, diary: Diary) -> Plan | None:
    """A sitting for this one item; the store lets it have only one. Without a date the item waits, with the reason."""
    if isinstance(found, NoSlot):
        postpone(tx, one.id, found.why)
        return None
    if tx.execute(select(item.c.id).where(item.c.id == one.id, item.c.state == "waiting")).first() is None:
        return None
    if _heads(tx, [one.case]).get(one.case) != diary.heads.get(one.case):  # who may sit was judged by an old version
        postpone(tx, one.id, "", timedelta(0))
        return None
    sitting_id = _open_sitting(tx, found, own_item=one.id)
    fill_seats(tx, sitting_id, found, diary.bonds)
    return _put_on_agenda(tx, one.id, sitting_id)


def plan_of(tx: Tx, item_id: UUID) -> Plan | None:
    """The stored plan of an item, wherever it was cut off."""
    row = tx.execute(
        select(sitting)
        .join(agenda, agenda.c.sitting == sitting.c.id)
        .join(item, item.c.id == agenda.c.item)
        .where(item.c.id == item_id, item.c.state == "reserving")
    ).first()
    if row is None:
        return None
    persons = tx.execute(select(seat.c.person).where(seat.c.sitting == row.id).order_by(seat.c.person)).scalars()
    fixed = row.fixed and row.cancelled_at is None
    held = (*persons, room_ref(tx.profile, row.room)) if row.room else tuple(persons)
    return Plan(item_id, row.id, row.starts, row.ends, row.regular_on is not None, fixed, held)


def postpone(tx: Tx, item_id: UUID, why: str, delay: timedelta = domain.LOOK_AGAIN) -> None:
    """The item waits, with the reason, and is tried again when time has passed."""
    mine = item.c.id == item_id, item.c.state == "waiting"
    tx.execute(update(item).where(*mine).values(why=why, next_try=tx.now + delay))


def put_off(tx: Tx, item_id: UUID, delay: timedelta) -> None:
    """Whatever state the item is in, leave it alone for a while."""
    tx.execute(update(item).where(item.c.id == item_id).values(next_try=tx.now + delay))


def drop(tx: Tx, plan: Plan) -> None:
    """Forget a plan that cannot be carried out. A regular sitting stays: it is on that date anyway."""
    mine = item.c.id == plan.item, item.c.state == "reserving"
    if not tx.execute(update(item).where(*mine).values(state="waiting")).rowcount:
        return
    tx.execute(delete(agenda).where(agenda.c.item == plan.item))
    if not plan.regular:
        void(tx, plan.item, TAKEN_SINCE)
        tx.execute(delete(seat).where(seat.c.sitting == plan.sitting))
        tx.execute(delete(sitting).where(sitting.c.id == plan.sitting))


def fix(tx: Tx, plan: Plan, link_key: bytes) -> Iterable[Event]:
    """The sitting stands: the item has its place, everybody seated is to be invited, and coordination is told."""
    on_agenda = select(agenda.c.item).where(agenda.c.item == plan.item, agenda.c.sitting == plan.sitting).exists()
    mine = item.c.id == plan.item, item.c.state == "reserving", on_agenda
    placed = update(item).where(*mine).values(state="placed", why="", version=item.c.version + 1)
    one = tx.execute(placed.returning(item.c.case, item.c.version)).first()
    if one is None:
        let_go_if_empty(tx, plan.sitting)
        return []
    there = update(sitting).where(sitting.c.id == plan.sitting).values(fixed=True, cancelled_at=None)
    where = tx.execute(there.returning(sitting.c.body, sitting.c.basis)).one()
    if not plan.regular:
        carried_out(tx, plan.item, plan.sitting)
    open_seats(tx, plan.item, plan.sitting)
    want_invitations(tx, plan.sitting, link_key)
    return [
        ItemPlaced(
            about=plan.item,
            version=one.version,
            case=one.case,
            sitting=plan.sitting,
            body=where.body,
            basis=where.basis,
            starts=plan.starts,
            ends=plan.ends,
        )
    ]


def _regular_sitting(tx: Tx, on: Occasion) -> Row[Any] | None:
    same = sitting.c.body == on.body.code, sitting.c.regular_on == on.day, sitting.c.basis == on.basis
    return tx.execute(select(sitting).where(*same)).first()


class Agendas(dict[tuple[str, date, str], int]):
    """How many items the coming regular sittings have, by domain.Occasion.key; and how many minutes those take."""

    def __init__(self) -> None:
        super().__init__()
        self.minutes: dict[tuple[str, date, str], int] = {}
        self.times: dict[tuple[str, date, str], tuple[datetime, datetime]] = {}
        """When they are held: a person may have moved one off the date its cadence names."""
        self.over: set[tuple[str, date, str]] = set()
        """Those that were held before the date its cadence names, so that nothing can join them."""

    def add(self, key: tuple[str, date, str], minutes: int) -> None:
        """One item more."""
        self[key] = self.get(key, 0) + 1
        self.minutes[key] = self.minutes.get(key, 0) + minutes


def agendas(tx: Tx) -> Agendas:
    """What the coming regular sittings have on their agendas.

    Counted here, not by the store: to group them it would go through all sittings there ever were.
    """
    coming = select(
        *(sitting.c.id, sitting.c.body, sitting.c.regular_on, sitting.c.basis, sitting.c.starts, sitting.c.ends)
    )
    rows = tx.execute(coming.where(sitting.c.regular_on.is_not(None), sitting.c.starts > tx.now - EARLIER)).all()
    regular = {row.id: row for row in rows if row.starts > tx.now}
    listed = select(agenda.c.sitting, item.c.purpose).join(item, item.c.id == agenda.c.item)
    found = Agendas()
    found.times = {(row.body, row.regular_on, row.basis): (row.starts, row.ends) for row in regular.values()}
    found.over = {(row.body, row.regular_on, row.basis) for row in rows if row.id not in regular}
    for one in tx.execute(listed.where(agenda.c.sitting.in_(regular))):
        row = regular[one.sitting]
        body = tx.profile.body(row.body)
        block = block_on(body, row.basis) if body else None
        found.add((row.body, row.regular_on, row.basis), block.minutes_for(one.purpose) if block else 0)
    return found


def _open_sitting(tx: Tx, found: Gathering, own_item: UUID | None) -> UUID:
    sitting_id = tx.ref()
    tx.execute(
        insert(sitting).values(
            id=sitting_id,
            compartment=tx.here,
            body=found.body.code,
            basis=found.basis,
            starts=found.starts,
            ends=found.ends,
            place=found.body.place,
            room=found.room,
            mode=found.mode or found.body.mode,
            mode_reason=found.mode_reason,
            regular_on=found.day,
            own_item=own_item,
            fixed=False,
            why=found.why,
        )
    )
    return sitting_id


def _put_on_agenda(tx: Tx, item_id: UUID, sitting_id: UUID) -> Plan | None:
    """None if another process was faster."""
    mine = item.c.id == item_id, item.c.state == "waiting"
    if not tx.execute(update(item).where(*mine).values(state="reserving")).rowcount:
        return None
    position = _next_position(tx, sitting_id)
    row = {"item": item_id, "sitting": sitting_id, "compartment": tx.here, "position": position}
    tx.execute(insert(agenda).values(row))
    tx.execute(delete(release).where(release.c.hold == sitting_id))
    return plan_of(tx, item_id)
