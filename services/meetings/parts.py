"""The errand that puts an agenda in order once it is closed, and tells who comes for a part only when that is.

Until then everybody is invited for the whole block: a part that moved with each new item would be told anew each time.
What is told are times, nothing else. A seat whose time changed gets the same entry once more with a higher SEQUENCE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, insert, select, update

from contracts.directory import Staff, StaffView
from contracts.links import new_link
from contracts.message import Compartment
from services import sharing
from services.meetings import domain, grounds
from services.meetings.called import seat_called
from services.meetings.handlers import service
from services.meetings.ordering import Box, Heard, Part, block_on, boxes, in_order, part_of, standing
from services.meetings.running_tables import proceeding
from services.meetings.seats import cancel_seats, want_invitations
from services.meetings.tables import agenda, consents, item, link, notice, seat, sitting
from services.service import Tx, Work

AT_LEAST_BEFORE = timedelta(days=1)
"""Where the agenda stays open until the sitting starts, parts are told this long before."""


@service.errand(every=60.0)
async def tell_parts(work: Work) -> None:
    """Order the agenda of each sitting whose agenda is closed, and want an update for each seat whose time changed.

    A roster accepted since (P5) is followed, too: whom it adds gets a seat, whom it strikes loses it. Raises AskFailed.
    """
    key, closed = work.settings.link_key, await work.run(_closed)
    staff = (await work.ask(Staff())).staff if closed else ()
    for one in closed:
        await work.run(lambda tx: arrange(tx, one, staff, key))  # noqa: B023 - run before the next turn


def _closed(tx: Tx) -> list[UUID]:
    """The coming regular sittings whose agenda takes no more items and that nobody has opened yet."""
    begun = exists().where(proceeding.c.sitting == sitting.c.id)
    coming = sitting.c.regular_on.is_not(None), sitting.c.fixed, sitting.c.cancelled_at.is_(None)
    rows = tx.execute(select(sitting).where(*coming, sitting.c.starts > tx.now, ~begun)).all()
    return [row.id for row in rows if _closes(row, tx) <= tx.now]


def _closes(row: Row[Any], tx: Tx) -> datetime:
    body = tx.profile.body(row.body)
    starts: datetime = row.starts
    closes = starts if body is None else domain.agenda_closes(body, row.regular_on, starts)
    return min(closes, starts - AT_LEAST_BEFORE)


@dataclass(frozen=True)
class Timetable:
    """A sitting's agenda as it stands: items in order, their boxes, and who always sits there."""

    items: tuple[Heard, ...]
    boxes: tuple[Box, ...]
    always: frozenset[str]

    def part(self, agency: str) -> Part | None:
        """When this agency is needed."""
        return part_of(agency, self.items, self.boxes, self.always)


def timetable_of(tx: Tx, where: Row[Any]) -> Timetable:
    """The agenda with its time boxes, in the order in which it is kept."""
    body = tx.profile.body(where.body)
    block = block_on(body, where.basis) if body else None
    on_it = select(item).join(agenda, agenda.c.item == item.c.id).order_by(agenda.c.position)
    rows = tx.execute(on_it.where(agenda.c.sitting == where.id, item.c.state == "placed")).all()
    agencies = tuple(dict.fromkeys(tx.execute(select(seat.c.agency).where(seat.c.sitting == where.id)).scalars().all()))
    heads = sharing.heads(consents, tx, {row.case for row in rows}) if tx.here is Compartment.JUSO and rows else {}
    whole = int((where.ends - where.starts) / timedelta(minutes=1))
    items = tuple(
        Heard(
            row.id,
            block.minutes_for(row.purpose) if block and where.regular_on else max(1, whole // len(rows)),
            frozenset(row.agencies),
            _open_to(row, heads.get(row.case), agencies, where, tx),
        )
        for row in rows
    )
    always = frozenset(agencies)
    if body and body.takes_in and where.regular_on:
        always = standing(tx.profile, body, where.basis, tx.here)
    return Timetable(items, boxes(items, where.starts), always)


def _open_to(
    row: Row[Any], head: sharing.Head | None, agencies: Sequence[str], where: Row[Any], tx: Tx
) -> frozenset[str] | None:
    if tx.here is not Compartment.JUSO:
        return None
    decisions = grounds.open_to(row, head, agencies, (max(tx.now, where.starts),))
    return frozenset(code for code, decision in decisions.items() if decision.allowed)


def arrange(tx: Tx, sitting_id: UUID, staff: Sequence[StaffView], link_key: bytes) -> None:
    """Keep the best order and want an update for each seat whose part is another than the one it was told."""
    where = tx.execute(select(sitting).where(sitting.c.id == sitting_id)).one()
    if where.cancelled_at is not None:
        return
    _seat_called(tx, where, staff, link_key)
    seats = tx.execute(select(seat).where(seat.c.sitting == sitting_id, seat.c.cancelled_at.is_(None))).all()
    now = timetable_of(tx, where)
    if not now.items:
        return
    order = in_order(now.items, {row.person: row.agency for row in seats}, now.always)
    if order != tuple(one.item for one in now.items):
        _keep(tx, sitting_id, order)
        now = timetable_of(tx, where)
    parts = {row.person: now.part(row.agency) for row in seats}
    if gone := [person for person, part in parts.items() if part is None]:
        cancel_seats(tx, sitting_id, gone)
    for person, part in parts.items():
        if part is not None:
            _tell(tx, where, person, part, now, link_key)


def _seat_called(tx: Tx, where: Row[Any], staff: Sequence[StaffView], link_key: bytes) -> None:
    body = tx.profile.body(where.body)
    if body is None or not body.takes_in:
        return
    bonds = grounds.bonds(tx) if tx.here is not Compartment.JUSO else ()
    on_it = select(item).join(agenda, agenda.c.item == item.c.id)
    for row in tx.execute(on_it.where(agenda.c.sitting == where.id, item.c.state == "placed")).all():
        seat_called(tx, row, where.id, body, where.starts, staff, bonds)
    want_invitations(tx, where.id, link_key)


def _keep(tx: Tx, sitting_id: UUID, order: Sequence[UUID]) -> None:
    """New positions beyond those in use, for no two items may have the same, not even for a moment."""
    taken = tx.execute(select(agenda.c.position).where(agenda.c.sitting == sitting_id)).scalars()
    first = max(taken, default=0) + 1
    for position, about in enumerate(order, first):
        mine = agenda.c.sitting == sitting_id, agenda.c.item == about
        tx.execute(update(agenda).where(*mine).values(position=position))


def _tell(tx: Tx, where: Row[Any], person: UUID, part: Part, now: Timetable, link_key: bytes) -> None:
    mine = notice.c.sitting == where.id, notice.c.person == person
    last = tx.execute(select(notice).where(*mine).order_by(notice.c.sequence.desc()).limit(1)).first()
    if last is None or last.kind != "invitation":
        return
    whole = part.starts == now.boxes[0].starts and part.ends == now.boxes[-1].ends
    told = {"starts": None, "ends": None} if whole else {"starts": part.starts, "ends": part.ends}
    if (last.starts, last.ends) == (told["starts"], told["ends"]):
        return
    if last.state == "wanted":  # it has not gone out yet: it goes out with the right time
        tx.execute(update(notice).where(notice.c.id == last.id).values(told))
        return
    token = new_link(link_key, tx.here, tx.ref().bytes)
    tx.execute(insert(link).values(digest=domain.link_digest(token), sitting=where.id, person=person))
    new = {"id": tx.ref(), "sitting": where.id, "person": person, "sequence": last.sequence + 1, "link": token}
    tx.execute(insert(notice).values(new | told | {"kind": "invitation", "state": "wanted", "due": tx.now}))
