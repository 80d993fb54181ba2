"""Carries an approved date out: who sits there is judged anew, for consent, commissions and staff may have changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.holding import ModeReason
from contracts.message import Compartment
from contracts.profile import Block, Body, Profile
from services.meetings import seating
from services.meetings.domain import Gathering
from services.meetings.gathering import Diary, table_of
from services.meetings.polls_tables import proposal
from services.meetings.proposing_rules import Chosen, carried
from services.meetings.scheduling import NoSlot
from services.service import Tx


def approved_of(tx: Tx, about: UUID) -> Chosen | None:
    """What was approved for an item and is not carried out yet."""
    row = tx.execute(select(proposal).where(proposal.c.item == about, proposal.c.state == "approved")).first()
    return chosen_of(row) if row else None


def chosen_of(row: Row[Any]) -> Chosen:
    """A proposal as plain values."""
    seats = tuple((agency, UUID(person)) for agency, _, person in row.seats)
    reason = ModeReason(row.mode_reason) if row.mode_reason else None
    return Chosen(row.starts, row.ends, row.room, row.mode, reason, seats, row.why)


def carry_out(
    profile: Profile,
    here: Compartment,
    one: Row[Any],
    adhoc: tuple[Body, Block],
    diary: Diary,
    chosen: Chosen,
    now: datetime,
) -> Gathering | NoSlot:
    """The approved date as a sitting to be, or why it cannot be held any more and what to do."""
    table = table_of(profile, here, one, adhoc, diary, now)
    if isinstance(table, NoSlot):
        return table
    staff = diary.staff if here is Compartment.JUSO else diary.bound(chosen.starts)
    kinds = {agency.code: agency.kind for agency in profile.agencies}
    found = carried(adhoc, table, chosen, staff, kinds, diary.apart.get(one.id, ()))
    if isinstance(found, NoSlot) or not table.left_out:
        return found
    return Gathering(**{**vars(found), "why": seating.say_left_out(found.why, here, table.left_out)})
