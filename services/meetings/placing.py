"""The errand that gives waiting items their sitting: plan in one transaction, have the time held, fix in another.

Cut off anywhere it goes on where it was: a plan is stored before the directory is asked, with the sitting's reference
as the hold, so that a restart asks for the same hold again. Two processes may do it at once: each step changes an
item's state only from the state it expects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.directory import Busy, Release, Reserve, Staff
from contracts.message import Compartment
from services import sharing
from services.meetings import domain, grounds, tenure
from services.meetings.gathering import Diary, gather_own
from services.meetings.grounds import Bond
from services.meetings.handlers import TAKEN, service
from services.meetings.planning import (
    Plan,
    drop,
    due_items,
    fix,
    join_fixed,
    plan_next,
    plan_of,
    plan_own,
    postpone,
    put_off,
)
from services.meetings.proposing_carrying import approved_of, carry_out
from services.meetings.proposing_store import kept_apart, void, waits_for
from services.meetings.scheduling import TOKYO, NoSlot
from services.meetings.seats import held_for_nothing, let_go
from services.meetings.tables import consents, item
from services.service import AskFailed, Tx, Work
from services.sharing import Head

MAX_SEARCHES = 8
"""Dates tried for one item in one run; each was free when the directory was asked, and taken when it was to be held."""
SOON = timedelta(seconds=10)


@service.errand(every=1.0)
async def place_items(work: Work) -> None:
    """Give every item that is due its sitting, urgent ones first, then the longest waiting.

    Raises AskFailed when the directory does not answer: everything stays as it is and is tried again.
    """
    due, holds, known = await work.run(_due)
    for hold in holds:
        await work.ask(Release(hold=hold))
        await work.run(lambda tx: let_go(tx, hold))  # noqa: B023 - run before the next turn
    if not due:
        return
    diary = await look_around(work, known)
    failure: Exception | None = None
    may_join = True
    while due:
        joined: set[UUID] = set()
        if may_join and any(diary.way(one).adhoc is None for one in due):
            await work.tell(lambda tx: join_fixed(tx, due, diary, joined))  # noqa: B023 - run before the next turn
        due = [one for one in due if one.id not in joined]
        if due:
            one, *due = due
            may_join = diary.way(one).adhoc is None  # it may bring a regular sitting into being
            try:
                await _place(work, one, diary)
            except Exception as error:  # an item that fails each time must hold up only itself
                if isinstance(error, AskFailed) and error.unanswered:
                    raise
                await work.run(lambda tx: put_off(tx, item_id=one.id, delay=SOON))  # noqa: B023 - as above
                failure = error
    if failure:
        raise failure


@dataclass(frozen=True)
class Known:
    """What the store says that the items that are due rest on."""

    heads: Mapping[UUID, Head]
    bonds: tuple[Bond, ...]
    apart: Mapping[UUID, tuple[tuple[UUID, UUID], ...]]


def _due(tx: Tx) -> tuple[list[Row[Any]], tuple[UUID, ...], Known]:
    due = due_items(tx)
    juso = tx.here is Compartment.JUSO
    heads = sharing.heads(consents, tx, {one.case for one in due}) if due and juso else {}
    return (
        due,
        held_for_nothing(tx),
        Known(heads, () if juso or not due else grounds.bonds(tx), kept_apart(tx, [one.id for one in due])),
    )


async def look_around_for(work: Work, about: UUID) -> tuple[Row[Any], Diary] | None:
    """An item, and what is known for giving it a date; None for one that is not there. Raises AskFailed."""

    def known_of(tx: Tx) -> tuple[Row[Any], Known] | None:
        one = tx.execute(select(item).where(item.c.id == about)).first()
        if one is None:
            return None
        juso = tx.here is Compartment.JUSO
        heads = sharing.heads(consents, tx, {one.case}) if juso else {}
        return one, Known(heads, () if juso else grounds.bonds(tx), kept_apart(tx, [one.id]))

    found = await work.run(known_of)
    return (found[0], await look_around(work, found[1])) if found else None


async def look_around(work: Work, known: Known, ahead: timedelta | None = None) -> Diary:
    """Ask the directory who there is and when they cannot come, so far ahead. Raises AskFailed."""
    now = work.now()
    days = ahead or timedelta(days=max(work.profile.urgent_within_days, work.profile.adhoc_within_days) + 1)
    staff = (await work.ask(Staff())).staff
    blocks = (await work.ask(Busy(starts=now, ends=now + days))).blocks
    today: date = now.astimezone(TOKYO).date()
    if work.compartment is None:
        raise TypeError("meetings runs once per compartment")
    here = work.compartment
    route = cache(lambda urgent, claim: domain.route(work.profile, here, urgent, now, claim))
    staff = tenure.not_over(work.profile, staff, today)
    busy = domain.when_busy(work.profile, staff, blocks, today, today + days)
    busy = tenure.with_tenure(work.profile, staff, busy, now)
    return Diary(staff, busy, work.settings.link_key, route, known.heads, known.bonds, known.apart)


async def _place(work: Work, one: Row[Any], diary: Diary) -> None:
    plan = await work.run(lambda tx: plan_of(tx, one.id)) if one.state == "reserving" else None
    for _ in range(MAX_SEARCHES):
        plan = plan or await _plan(work, one, diary)
        if plan is None or await _settle(work, plan, diary):
            return
        plan = None
    await work.run(lambda tx: postpone(tx, one.id, TAKEN, SOON))


async def _plan(work: Work, one: Row[Any], diary: Diary) -> Plan | None:
    """Choose a sitting and store the choice; None if there is none, or if another process has the item."""
    if work.compartment is None:
        raise TypeError("meetings runs once per compartment")
    way = diary.way(one)
    if way.adhoc is None and one.only_agencies:
        return await work.run(lambda tx: plan_own(tx, one, domain.NO_SITTING_OF_ITS_OWN, diary))
    if way.adhoc is None:
        return await work.run(lambda tx: plan_next(tx, one, way, diary))
    held_back, chosen = await work.run(lambda tx: (waits_for(tx, one.id), approved_of(tx, one.id)))
    if held_back:
        await work.run(lambda tx: postpone(tx, one.id, held_back))
        return None
    here = work.compartment
    if chosen is None:
        found = gather_own(work.profile, here, one, way.adhoc, diary, work.now())
        return await work.run(lambda tx: plan_own(tx, one, found, diary))
    found = carry_out(work.profile, here, one, way.adhoc, diary, chosen, work.now())
    if isinstance(found, NoSlot):
        why = found.why
        await work.run(lambda tx: void(tx, one.id, why))
    return await work.run(lambda tx: plan_own(tx, one, found, diary))


async def _settle(work: Work, plan: Plan, diary: Diary) -> bool:
    """Have the time held and fix the sitting; False if another date must be found."""
    if domain.plan_expired(plan.starts, plan.regular, work.now()):
        if not plan.regular:
            await work.ask(Release(hold=plan.sitting))
        await work.run(lambda tx: drop(tx, plan))
        return False
    if not plan.fixed:
        hold = Reserve(hold=plan.sitting, persons=plan.persons, starts=plan.starts, ends=plan.ends, firm=plan.regular)
        clashes = (await work.ask(hold)).clashes
        if clashes and not plan.regular:
            diary.block(clashes, plan.starts, plan.ends)
            await work.run(lambda tx: drop(tx, plan))
            return False
    await work.tell(lambda tx: fix(tx, plan, diary.link_key))
    diary.block(plan.persons, plan.starts, plan.ends)
    return True
