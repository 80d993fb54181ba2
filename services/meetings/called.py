"""Seats in a regular sitting for the agencies that one of its items calls (P5, P10), where its body takes them in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from contracts.directory import StaffView
from contracts.message import Compartment
from contracts.profile import Body
from services import sharing
from services.meetings import grounds, seating
from services.meetings.grounds import Bond
from services.meetings.tables import consents, seat
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
    called = seating.called_for(one.agencies, one.required, one.optional)
    juso = tx.here is Compartment.JUSO
    if not juso:
        staff = [each for each in staff if grounds.bond_of(bonds, each.person, each.agency, starts)]
    everybody = seating.adhoc_seats(tx.profile, body, tx.here, called, staff, one.coordinator)
    standing = {each.agency for each in seating.standing_seats(tx.profile, body, tx.here, staff)}
    wanted = [each for each in everybody if each.agency not in standing and each.persons]
    if juso:
        head = sharing.heads(consents, tx, [one.case]).get(one.case)
        decisions = grounds.open_to(one, head, (each.agency for each in wanted), (tx.now, starts))
        wanted = [each for each in wanted if decisions[each.agency].allowed]
    seated = set(tx.execute(select(seat.c.person).where(seat.c.sitting == sitting_id)).scalars())
    for each in wanted:
        person = each.persons[0]
        if person in seated:
            continue
        bond = None if juso else grounds.bond_of(bonds, person, each.agency, starts)
        row = {"sitting": sitting_id, "person": person, "agency": each.agency, "need": each.need}
        row |= {"commission": bond.commission if bond else None, "uid": tx.ref(), "compartment": tx.here}
        tx.execute(insert(seat).values(row))
        seated.add(person)
