"""The errands that keep the seats of coming sittings true: who is called now sits there, whose post is over does not.

An event cannot ask the directory; it notes the sitting (``called.seat_again``), and the next run asks for all of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, insert, select

from contracts.directory import Staff, StaffView
from contracts.message import Compartment, Event
from services.meetings import grounds, seating, tenure
from services.meetings.called import seat_again, seat_called
from services.meetings.handlers import service
from services.meetings.running_tables import proceeding
from services.meetings.seats import cancel_seats, want_invitations
from services.meetings.stopping import call_anew
from services.meetings.tables import agenda, item, reseat, seat, sitting
from services.service import Tx, Work

POST_OVER = "担当者の任期か機関の終わりにより、日程を組み直します。"


@service.errand(every=2.0)
async def seat_anew(work: Work) -> None:
    """Seat whoever the items of the sittings that were noted call now, and invite them. Raises AskFailed."""
    wanted = await work.run(lambda tx: tuple(tx.execute(select(reseat.c.sitting)).scalars()))
    if not wanted:
        return
    staff, key = (await work.ask(Staff())).staff, work.settings.link_key
    for one in wanted:
        await work.run(lambda tx: _seat_anew(tx, one, staff, key))  # noqa: B023 - run before the next turn


def _seat_anew(tx: Tx, sitting_id: UUID, staff: Sequence[StaffView], link_key: bytes) -> None:
    tx.execute(delete(reseat).where(reseat.c.sitting == sitting_id))
    where = tx.execute(_coming(tx).where(sitting.c.id == sitting_id)).first()
    if where is None:
        return
    fill_posts(tx, where, staff)
    body = tx.profile.body(where.body)
    if body is not None and where.regular_on is not None:
        bonds = grounds.bonds(tx) if tx.here is Compartment.SHIEN else ()
        on_it = select(item).join(agenda, agenda.c.item == item.c.id).order_by(agenda.c.position)
        for one in tx.execute(on_it.where(agenda.c.sitting == sitting_id, item.c.state == "placed")).all():
            seat_called(tx, one, sitting_id, body, where.starts, staff, bonds)
    want_invitations(tx, sitting_id, link_key)


def _coming(tx: Tx) -> Any:
    """The sittings that are to come and that nobody has opened yet."""
    begun = exists().where(proceeding.c.sitting == sitting.c.id)
    return select(sitting).where(sitting.c.fixed, sitting.c.cancelled_at.is_(None), sitting.c.starts > tx.now, ~begun)


@service.errand(every=600.0)
async def follow_posts(work: Work) -> None:
    """Take away the seats of those who are not in post, or whose agency is no more, on the day of a coming sitting.

    Whoever holds the post then is seated; a 随時 sitting that loses somebody required looks for another date, for
    without a substitute at the same time it would not be one (P1). Raises AskFailed.
    """
    if not await work.run(lambda tx: tx.execute(_coming(tx).limit(1)).first() is not None):
        return
    staff = (await work.ask(Staff())).staff
    if not staff:  # no list was read in yet, or it is being restored: nobody's post has ended by that
        return
    await work.tell(lambda tx: vacate(tx, staff))


def vacate(tx: Tx, staff: Sequence[StaffView]) -> Iterable[Event]:
    """Close every seat whose holder may not sit there on its day. Returns what coordination is to be told."""
    events = list[Event]()
    for where in tx.execute(_coming(tx)).all():
        live = seat.c.sitting == where.id, seat.c.cancelled_at.is_(None)
        seats = tx.execute(select(seat).where(*live).order_by(seat.c.agency, seat.c.person)).all()
        able = {(one.person, one.agency) for one in tenure.seatable(tx.profile, staff, where.starts)}
        gone = [one for one in seats if (one.person, one.agency) not in able]
        if not gone:
            continue
        if where.own_item is not None and any(one.need == "required" for one in gone):
            on_it = select(item).join(agenda, agenda.c.item == item.c.id).where(agenda.c.sitting == where.id)
            events += call_anew(tx, where, tx.execute(on_it).all(), POST_OVER)
            continue
        cancel_seats(tx, where.id, [one.person for one in gone])
        seat_again(tx, where.id)
    return events


def fill_posts(tx: Tx, where: Row[Any], staff: Sequence[StaffView]) -> None:
    """Give a standing seat of a regular sitting that has lost its holder to whoever holds the post on that day."""
    body = tx.profile.body(where.body)
    if body is None or where.regular_on is None:
        return
    rows = tx.execute(select(seat).where(seat.c.sitting == where.id)).all()
    held = {row.agency for row in rows if row.cancelled_at is None}
    known = {row.person for row in rows}
    able, bonds = tenure.seatable(tx.profile, staff, where.starts), _bonds(tx)
    if tx.here is Compartment.SHIEN:
        able = tuple(one for one in able if grounds.bond_of(bonds, one.person, one.agency, where.starts))
    there = {(one.person, one.agency) for one in able}
    lost = {row.agency for row in rows if row.cancelled_at is not None and (row.person, row.agency) not in there}
    for wanted in seating.standing_seats(tx.profile, body, tx.here, able):
        person = next((one for one in wanted.persons if one not in known), None)
        if person is None or wanted.agency in held or wanted.agency not in lost:
            continue
        tx.execute(insert(seat).values(_row(tx, where, person, wanted.agency, wanted.need, bonds)))
        held.add(wanted.agency)


def _bonds(tx: Tx) -> tuple[grounds.Bond, ...]:
    return grounds.bonds(tx) if tx.here is Compartment.SHIEN else ()


def _row(
    tx: Tx, where: Row[Any], person: UUID, agency: str, need: str, bonds: Sequence[grounds.Bond]
) -> dict[str, Any]:
    starts: datetime = where.starts
    bond = grounds.bond_of(bonds, person, agency, starts) if tx.here is Compartment.SHIEN else None
    return {
        "sitting": where.id,
        "person": person,
        "agency": agency,
        "need": need,
        "commission": bond.commission if bond else None,
        "uid": tx.ref(),
        "compartment": tx.here,
    }
