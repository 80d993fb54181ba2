"""Seats in a regular sitting for the agencies that one of its items calls (P5, P10), where its body takes them in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.directory import StaffView
from contracts.message import Compartment
from contracts.profile import Body
from contracts.running import Proceeding
from services import sharing
from services.meetings import grounds, seating, tenure
from services.meetings.grounds import Bond
from services.meetings.ordering import standing
from services.meetings.running_tables import proceeding
from services.meetings.seats import cancel_seats
from services.meetings.tables import agenda, consents, item, reseat, seat
from services.service import Tx


def seat_called(
    tx: Tx,
    one: Row[Any],
    sitting_id: UUID,
    body: Body,
    starts: datetime,
    staff: Sequence[StaffView],
    bonds: Sequence[Bond],
) -> None:
    """Give a seat to each agency that the item calls besides the standing ones, to which it is open.

    In juso the consent has to name the agency (C3), in shien the person has to be bound (S6, S8). Whoever has a seat
    keeps it. Called agencies come for their part only (ordering.py).
    """
    if not body.takes_in:
        return
    staff = tenure.seatable(tx.profile, staff, starts)
    called = seating.called_for(one.agencies, one.required, one.optional)
    juso = tx.here is Compartment.JUSO
    if not juso:
        staff = [each for each in staff if grounds.bond_of(bonds, each.person, each.agency, starts)]
    everybody = seating.adhoc_seats(tx.profile, body, tx.here, called, staff, one.coordinator)
    always = {each.agency for each in seating.standing_seats(tx.profile, body, tx.here, staff)}
    wanted = [each for each in everybody if each.agency not in always and each.persons]
    if juso:
        head = sharing.heads(consents, tx, [one.case]).get(one.case)
        decisions = grounds.open_to(one, head, (each.agency for each in wanted), (tx.now, starts))
        wanted = [each for each in wanted if decisions[each.agency].allowed]
    rows = tx.execute(select(seat).where(seat.c.sitting == sitting_id)).all()
    seated = {row.person: row for row in rows}
    there = {row.agency for row in rows if row.cancelled_at is None}
    for each in wanted:
        person = each.persons[0]
        if person in seated:
            if seated[person].cancelled_at is not None and each.agency not in there:
                _reopen(tx, sitting_id, person)
            continue
        bond = None if juso else grounds.bond_of(bonds, person, each.agency, starts)
        row = {"sitting": sitting_id, "person": person, "agency": each.agency, "need": each.need}
        row |= {"commission": bond.commission if bond else None, "uid": tx.ref(), "compartment": tx.here}
        tx.execute(insert(seat).values(row))
        seated[person] = tx.execute(select(seat).where(seat.c.sitting == sitting_id, seat.c.person == person)).one()


def _reopen(tx: Tx, sitting_id: UUID, person: UUID) -> None:
    """A seat that was closed is called again: what was answered before was about another part."""
    mine = seat.c.sitting == sitting_id, seat.c.person == person
    tx.execute(update(seat).where(*mine).values(cancelled_at=None, answer="none", answered_at=None, answered_by=None))


def called_on(tx: Tx, sitting_id: UUID) -> frozenset[str]:
    """The agencies that some item on the agenda calls."""
    on_it = select(item.c.agencies).join(agenda, agenda.c.item == item.c.id).where(agenda.c.sitting == sitting_id)
    return frozenset(code for codes in tx.execute(on_it).scalars() for code in codes)


def uncalled(tx: Tx, where: Row[Any]) -> list[Row[Any]]:
    """The live seats of a regular sitting that are there for an item which has left, or no longer calls them (P5)."""
    body = tx.profile.body(where.body)
    if body is None or not body.takes_in or where.regular_on is None:
        return []
    keep = standing(tx.profile, body, where.basis, tx.here) | called_on(tx, where.id)
    acts = proceeding.c.sitting == where.id, proceeding.c.what == Proceeding.ADMIT
    # A 臨時構成員 was admitted to the whole block, on a ground that stands in the acts (M6).
    admitted = {codes["move"].get("person") for codes in tx.execute(select(proceeding.c.codes).where(*acts)).scalars()}
    live = seat.c.sitting == where.id, seat.c.cancelled_at.is_(None)
    rows = tx.execute(select(seat).where(*live)).all()
    return [row for row in rows if row.agency not in keep and str(row.person) not in admitted]


def close_uncalled(tx: Tx, where: Row[Any]) -> None:
    """Take away the seats of those who come for no item any more, and tell whoever was invited."""
    if gone := [row.person for row in uncalled(tx, where)]:
        cancel_seats(tx, where.id, gone)


def seat_again(tx: Tx, sitting_id: UUID) -> None:
    """Have the directory asked once more whom the items of this sitting call (``reseating.py``)."""
    if tx.execute(select(reseat.c.sitting).where(reseat.c.sitting == sitting_id)).first() is None:
        tx.execute(insert(reseat).values(sitting=sitting_id))
