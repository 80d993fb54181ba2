"""The transactions of placing: an item onto an agenda, a sitting into being, notices to be sent.

Each changes an item's state only from the state it expects, so that two processes may do it at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from contracts.directory import StaffView
from contracts.links import new_link
from contracts.meetings import ItemPlaced
from contracts.message import Event
from services.meetings import domain
from services.meetings.domain import Gathering, Occasion, Route
from services.meetings.scheduling import Interval, NoSlot
from services.meetings.tables import agenda, item, link, notice, seat, sitting
from services.service import Tx

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


@dataclass(frozen=True)
class Diary:
    """What one run knows: who there is and when they cannot come."""

    staff: tuple[StaffView, ...]
    busy: dict[UUID, list[Interval]]
    link_key: bytes
    ways: dict[bool, Route]
    """How an item comes to its sitting, by whether it is urgent."""

    def way(self, one: Row[Any]) -> Route:
        """How this item comes to a sitting. What only some may hear never goes to one with a standing roster (C3)."""
        return self.ways[one.urgent or one.only_agencies]

    def block(self, persons: Iterable[UUID], starts: datetime, ends: datetime) -> None:
        """They cannot come then either."""
        for person in persons:
            self.busy.setdefault(person, []).append((starts, ends))


def due_items(tx: Tx) -> list[Row[Any]]:
    """The items whose next try is now."""
    due = item.c.state.in_(("waiting", "reserving")), item.c.next_try <= tx.now
    order = item.c.urgent.desc(), item.c.received_on, item.c.since, item.c.id
    return list(tx.execute(select(item).where(*due).order_by(*order)))


def join_fixed(tx: Tx, due: Sequence[Row[Any]], diary: Diary, joined: set[UUID]) -> Iterable[Event]:
    """Put all items that go to a sitting that already stands on its agenda, in one transaction.

    Nobody's time is asked for: the directory holds it. ``joined`` is filled with the items placed.
    """
    agendas, events = _agendas(tx), list[Event]()
    for one in due:
        way = diary.way(one)
        if one.state != "waiting" or way.adhoc is not None:
            continue
        occasion = domain.next_with_room(way.occasions, agendas)
        if occasion is None or (standing := _regular_sitting(tx, occasion)) is None or not standing.fixed:
            break
        if plan := _put_on_agenda(tx, one.id, standing.id):
            events += fix(tx, plan, diary.link_key)
            agendas[occasion.key] = agendas.get(occasion.key, 0) + 1
        joined.add(one.id)
    return events


def plan_next(tx: Tx, item_id: UUID, way: Route, staff: tuple[StaffView, ...]) -> Plan | None:
    """Put the item on the next agenda with room. The first item on it brings the regular sitting into being."""
    occasion = domain.next_with_room(way.occasions, _agendas(tx))
    if occasion is None:
        postpone(tx, item_id, way.why or ALL_FULL)
        return None
    if standing := _regular_sitting(tx, occasion):
        return _put_on_agenda(tx, item_id, standing.id)
    found = domain.gather_regular(tx.profile, tx.here, occasion, staff)
    if isinstance(found, NoSlot):
        postpone(tx, item_id, found.why)
        return None
    return _put_on_agenda(tx, item_id, _open_sitting(tx, found, own_item=None))


def plan_own(tx: Tx, item_id: UUID, found: Gathering | NoSlot) -> Plan | None:
    """A sitting for this one item; the store lets it have only one. Without a date the item waits, with the reason."""
    if isinstance(found, NoSlot):
        postpone(tx, item_id, found.why)
        return None
    if tx.execute(select(item.c.id).where(item.c.id == item_id, item.c.state == "waiting")).first() is None:
        return None
    return _put_on_agenda(tx, item_id, _open_sitting(tx, found, own_item=item_id))


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
    return Plan(item_id, row.id, row.starts, row.ends, row.regular_on is not None, row.fixed, tuple(persons))


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
        tx.execute(delete(seat).where(seat.c.sitting == plan.sitting))
        tx.execute(delete(sitting).where(sitting.c.id == plan.sitting))


def fix(tx: Tx, plan: Plan, link_key: bytes) -> Iterable[Event]:
    """The sitting stands: the item has its place, everybody seated is to be invited, and coordination is told."""
    on_agenda = select(agenda.c.item).where(agenda.c.item == plan.item, agenda.c.sitting == plan.sitting).exists()
    mine = item.c.id == plan.item, item.c.state == "reserving", on_agenda
    placed = update(item).where(*mine).values(state="placed", why="", version=item.c.version + 1)
    one = tx.execute(placed.returning(item.c.case, item.c.version)).first()
    if one is None:
        return []
    there = update(sitting).where(sitting.c.id == plan.sitting).values(fixed=True)
    where = tx.execute(there.returning(sitting.c.body, sitting.c.basis)).one()
    _want_notices(tx, plan.sitting, link_key)
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
    return tx.execute(select(sitting.c.id, sitting.c.fixed).where(*same)).first()


def _agendas(tx: Tx) -> dict[tuple[str, date, str], int]:
    """How many items the coming regular sittings have, by domain.Occasion.key."""
    rows = tx.execute(
        select(sitting.c.body, sitting.c.regular_on, sitting.c.basis, func.count(agenda.c.item).label("items"))
        .join(agenda, agenda.c.sitting == sitting.c.id)
        .where(sitting.c.regular_on.is_not(None), sitting.c.starts > tx.now)
        .group_by(sitting.c.body, sitting.c.regular_on, sitting.c.basis)
    )
    return {(row.body, row.regular_on, row.basis): row.items for row in rows}


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
            regular_on=found.day,
            own_item=own_item,
            fixed=False,
            why=found.why,
        )
    )
    seats = [
        {"sitting": sitting_id, "person": person, "agency": wanted.agency, "need": wanted.need, "uid": tx.ref()}
        for person, wanted in found.seats.items()
    ]
    if seats:
        tx.execute(insert(seat), seats)
    return sitting_id


def _put_on_agenda(tx: Tx, item_id: UUID, sitting_id: UUID) -> Plan | None:
    """None if another process was faster."""
    mine = item.c.id == item_id, item.c.state == "waiting"
    if not tx.execute(update(item).where(*mine).values(state="reserving")).rowcount:
        return None
    last = select(func.coalesce(func.max(agenda.c.position), 0)).where(agenda.c.sitting == sitting_id)
    position = tx.execute(last).scalar_one() + 1
    row = {"item": item_id, "sitting": sitting_id, "compartment": tx.here, "position": position}
    tx.execute(insert(agenda).values(row))
    return plan_of(tx, item_id)


def _want_notices(tx: Tx, sitting_id: UUID, link_key: bytes) -> None:
    """One notice per seat that has none yet, each with a link of its own."""
    told = select(notice.c.person).where(notice.c.sitting == sitting_id)
    untold = select(seat.c.person).where(seat.c.sitting == sitting_id, seat.c.person.not_in(told))
    seats = [{"sitting": sitting_id, "person": person} for person in tx.execute(untold).scalars().all()]
    if not seats:
        return
    tokens = [new_link(link_key, tx.here, tx.ref().bytes) for _ in seats]
    tx.execute(insert(link), [{"digest": domain.link_digest(t), **s} for t, s in zip(tokens, seats, strict=True)])
    new = {"sequence": 0, "state": "wanted", "due": tx.now}
    notices = [{"id": tx.ref(), "link": t, **new, **s} for t, s in zip(tokens, seats, strict=True)]
    tx.execute(insert(notice), notices)
