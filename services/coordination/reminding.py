"""Tells whoever is responsible that something is due: one mail a working day, which says nothing else (S3, S17).

Once a day it is looked through who has something due. Right before each mail it is decided again from the reasons kept
with it: what was done, withdrawn, erased or handed on meanwhile is none any more. In juso the ledger's permit is
redeemed for a case that the person may see, so that no mail follows a withdrawal that was confirmed (C11). The register
of sharing gets no row: nothing of any case is told, not even that there is one.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, tuple_, update

from contracts.directory import Staff, StaffView
from contracts.message import Account, Compartment
from contracts.notify import SendReminder
from contracts.permit import LIFE_SECONDS, ReportSpent
from services import sharing
from services.coordination import charge, domain, showing
from services.coordination.dues import dues, lapsing, unanswered
from services.coordination.escalation_rules import asked, in_post, responsible, soon, stands_in
from services.coordination.handlers import service
from services.coordination.life_terms import CITY
from services.coordination.portions import portions
from services.coordination.showing import Viewer
from services.coordination.tables import consents, daily, reminder, reminder_ground
from services.office_days import in_office_hours
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Shared, Verdicts

WHAT = "reminders"
AT_ONCE = 8
"""Mails asked for at the same time."""
PERMITS_EACH = 5
"""Reasons of one mail for which the ledger is asked; one that it permits is enough."""
KEPT = timedelta(days=7)
"""How long it is kept who was reminded when, for whoever looks into a complaint."""
FINAL = frozenset({"no_address", "mail_refused"})
"""Why asking again on the same day would not help."""


@dataclass
class Reasons:
    """Why one person is to be reminded: cases, each as it would be shown to him or her, and 委嘱."""

    cases: dict[UUID, Share] = field(default_factory=dict)
    commissions: set[UUID] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.cases or self.commissions)


@dataclass(frozen=True)
class Batch:
    """The next few reminders that may go out, each with what is still a reason for it."""

    rows: tuple[Row[Any], ...]
    reasons: Mapping[UUID, Reasons]
    """By person."""


@dataclass(frozen=True)
class Tried:
    """What became of one try."""

    person: UUID
    tries: int
    outcome: str
    why: str = ""


@service.errand(every=10.0, woken=False)
async def remind(work: Work) -> None:
    """Look through what is due once a working day, then have mailed what waits. Never outside office hours.

    Raises AskFailed when somebody does not answer; the rows that wait are taken up again.
    """
    began = work.now()
    if not work.profile.deadlines.remind or not in_office_hours(work.profile, began):
        return
    today = domain.today(began)
    if not await work.run(_may_begin):
        return
    staff = (await work.ask(Staff())).staff
    if not await work.run(partial(_is_planned, today)):
        for part in await work.run(_all_cases):
            await work.run(partial(plan, part, staff))
        await work.run(partial(_note_planned, today))
    while batch := await work.run(partial(next_batch, began, staff)):
        await _send_batch(work, batch, staff)


def _may_begin(tx: Tx) -> bool:
    """Whether there is anything to do, and in juso the replica of the consents is whole."""
    if tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return False
    today = domain.today(tx.now)
    waiting = select(reminder.c.person).where(reminder.c.day == today, reminder.c.state == "wanted")
    return not _is_planned(today, tx) or tx.execute(waiting.where(reminder.c.due <= tx.now)).first() is not None


# -- once a day --------------------------------------------------------------------------------------------------------


def _is_planned(today: date, tx: Tx) -> bool:
    return tx.execute(select(daily).where(daily.c.what == WHAT, daily.c.day == today)).first() is not None


def _all_cases(tx: Tx) -> Sequence[list[UUID]]:
    """Some at a time, and none once more for the 委嘱, so that no transaction takes long. Of what is long over nothing
    is due."""
    return [*portions(showing.listed(tx)), []]


def plan(cases: Sequence[UUID], staff: Sequence[StaffView], tx: Tx) -> None:
    """Note who is to be reminded today because of these cases. What is noted already stays as it is."""
    today, found = domain.today(tx.now), reasons(cases, staff, tx)
    known = set(tx.execute(select(reminder.c.person).where(reminder.c.day == today)).scalars())
    mine = select(reminder_ground.c.person, reminder_ground.c.about).where(reminder_ground.c.day == today)
    grounds = {tuple(row) for row in tx.execute(mine)}
    for viewer, why in found.items():
        key = {"person": viewer.person, "day": today}
        if viewer.person not in known:
            tx.execute(insert(reminder).values(**key, agency=viewer.agency, state="wanted", due=tx.now))
            known.add(viewer.person)
        kinds = {**dict.fromkeys(why.cases, "case"), **dict.fromkeys(why.commissions, "commission")}
        new = [key | {"about": ref, "kind": kind} for ref, kind in kinds.items() if (viewer.person, ref) not in grounds]
        if new:
            tx.execute(insert(reminder_ground), new)


def _note_planned(today: date, tx: Tx) -> None:
    """Today is looked through. What was not sent on an earlier day is not sent any more: today has its own."""
    old = reminder.c.day < today, reminder.c.state == "wanted"
    tx.execute(update(reminder).where(*old).values(state="not_sent", why="too_late"))
    tx.execute(delete(reminder_ground).where(reminder_ground.c.day < today))
    tx.execute(delete(reminder).where(reminder.c.day < today - KEPT))
    tx.execute(delete(daily).where(daily.c.day < today - KEPT))
    tx.execute(insert(daily).values(what=WHAT, day=today, at=tx.now))


# -- who, and why ------------------------------------------------------------------------------------------------------


def reasons(cases: Sequence[UUID], staff: Sequence[StaffView], tx: Tx) -> dict[Viewer, Reasons]:
    """Who is to be reminded because of these cases, and, without any, because of a 委嘱 that lapses (S6).

    Of those responsible it is the first who may see the case now; the policy decides that, and nobody else.
    """
    found: dict[Viewer, Reasons] = {}
    if not cases:
        for viewer in _office(staff, tx) if tx.here is Compartment.SHIEN else ():
            found[viewer] = Reasons(commissions={row.id for row in lapsing(tx)})
        return {viewer: why for viewer, why in found.items() if why}
    known: dict[Viewer, dict[UUID, Share]] = {}
    for about, viewers in _told(cases, staff, tx):
        for viewer in viewers:
            if viewer not in known:
                known[viewer] = showing.openings(viewer, cases, tx)
            if about in known[viewer]:
                found.setdefault(viewer, Reasons()).cases[about] = known[viewer][about]
                break
    return found


def _office(staff: Sequence[StaffView], tx: Tx) -> list[Viewer]:
    """Who stands in for the 市町村, which commissions."""
    here = [one for one in staff if in_post(one, domain.today(tx.now))]
    found = (
        viewer for one in tx.profile.agencies if one.kind in CITY for viewer in stands_in(one.code, here, tx.profile)
    )
    return list(found)[:1]


def _told(cases: Sequence[UUID], staff: Sequence[StaffView], tx: Tx) -> Iterable[tuple[UUID, list[Viewer]]]:
    """For each thing due soon of a case who is to be told of it, in order."""
    today, before = domain.today(tx.now), tx.profile.deadlines.remind_before_days
    for one in dues(cases, tx):
        own = charge.in_charge(tx.profile, one.life.referrer, one.life.handed_to)
        for due in soon(one.due, today, before):
            yield one.case, responsible(due, own, one.last, staff, tx.profile, today)
    for row in unanswered(cases, today + timedelta(days=before), tx):
        by = Viewer(row.asked_by, row.asked_for)
        yield row.case, asked(row.agency, by, staff, tx.profile, today)


# -- right before each mail --------------------------------------------------------------------------------------------


def next_batch(began: datetime, staff: Sequence[StaffView], tx: Tx) -> Batch | None:
    """The next few that may go out now. Those for which no reason is left are dropped on the way."""
    today = domain.today(began)
    mine = reminder.c.day == today, reminder.c.state == "wanted", reminder.c.due <= began
    while rows := tx.execute(
        select(reminder).where(*mine).order_by(reminder.c.due, reminder.c.person).limit(AT_ONCE)
    ).all():
        if tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
            return None
        left = still(rows, staff, tx)
        _settle([row.person for row in rows if not left[row.person]], today, {"state": "dropped"}, tx)
        if may := tuple(row for row in rows if left[row.person]):
            return Batch(may, left)
    return None


def still(rows: Sequence[Row[Any]], staff: Sequence[StaffView], tx: Tx) -> dict[UUID, Reasons]:
    """By person, which of the reasons kept with these reminders are reasons now."""
    people = [(row.person, row.day) for row in rows]
    kept = tx.execute(
        select(reminder_ground).where(tuple_(reminder_ground.c.person, reminder_ground.c.day).in_(people))
    ).all()
    cases = sorted({one.about for one in kept if one.kind == "case"})
    found = reasons(cases, staff, tx) if cases else {}
    of_office = reasons([], staff, tx) if any(one.kind == "commission" for one in kept) else {}
    left: dict[UUID, Reasons] = {}
    for row in rows:
        viewer, mine = Viewer(row.person, row.agency), {one.about for one in kept if one.person == row.person}
        now, office = found.get(viewer, Reasons()), of_office.get(viewer, Reasons())
        shares = {about: share for about, share in now.cases.items() if about in mine}
        left[row.person] = Reasons(shares, office.commissions & mine)
    return left


async def _send_batch(work: Work, batch: Batch, staff: Sequence[StaffView]) -> None:
    shares = [one for row in batch.rows for one in list(batch.reasons[row.person].cases.values())[:PERMITS_EACH]]
    hosted = domain.hosted_by_municipality(work.profile)
    verdicts = await sharing.permitted(work, shares, hosted_by_municipality=hosted)
    permits = tuple(one.permit.permit for one in verdicts.allowed if one.permit)
    try:
        going, tried = await work.run(partial(decide_again, batch, verdicts, staff))
        tried += await asyncio.gather(*(_send(work, row, until) for row, until in going))
        await work.run(partial(note_tries, tried))
    finally:
        if permits:
            with suppress(AskFailed):  # they run out by themselves; only a withdrawal waits for that
                await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)


def decide_again(
    batch: Batch, verdicts: Verdicts, staff: Sequence[StaffView], tx: Tx
) -> tuple[list[tuple[Row[Any], datetime]], list[Tried]]:
    """After the ledger was asked: what goes out, each with the instant until which it may, and what does not.

    News may have come meanwhile, so the reasons are looked at once more; what goes out stands in the audit log.
    """
    left, going, tried = still(batch.rows, staff, tx), list[tuple[Row[Any], datetime]](), list[Tried]()
    for row in batch.rows:
        mine = [one for one in verdicts.allowed if one.share.person == row.person and _holds(one, left[row.person])]
        ours = tx.now + timedelta(seconds=LIFE_SECONDS)
        if mine:
            going.append((row, min(ours, mine[0].permit.until) if mine[0].permit else ours))
            _audit(mine[0], tx)
        elif left[row.person].commissions:
            going.append((row, ours))
            tx.audit(act="remind", outcome="allow", rule="S6", actor=f"{service.name}@{tx.here}", person=row.person)
        else:  # the ledger refused what this store thinks is open: its news is on the way to us
            tried.append(Tried(row.person, row.tries + 1, "not_sent", "not_yet"))
    return going, tried


def _holds(one: Shared, left: Reasons) -> bool:
    """Whether what the ledger permitted is still a reason, under the same version of the consent."""
    now = left.cases.get(one.share.case)
    return now is not None and now.head == one.share.head


def _audit(one: Shared, tx: Tx) -> None:
    tx.audit(
        act="remind",
        outcome="allow",
        rule=one.decision.row,
        actor=f"{service.name}@{tx.here}",
        case=one.share.case,
        person=one.share.person,
        permit=one.permit.permit if one.permit else None,
        policy=one.decision.version,
    )


async def _send(work: Work, row: Row[Any], until: datetime) -> Tried:
    try:
        sent = await work.ask(SendReminder(person=row.person, day=row.day, send_before=until))
    except AskFailed:  # perhaps it was sent all the same: notify knows the day when it is asked again
        return Tried(row.person, row.tries + 1, "not_sent", "unanswered")
    return Tried(row.person, row.tries + 1, sent.outcome, sent.why)


def note_tries(tried: Sequence[Tried], tx: Tx) -> None:
    """Keep what became of them. Why somebody was reminded is forgotten once that cannot be asked again."""
    today = domain.today(tx.now)
    for one in tried:
        values: dict[str, Any] = {"why": one.why, "tries": one.tries}
        if one.outcome == "sent" or one.why in FINAL:
            _settle([one.person], today, values | {"state": one.outcome}, tx)
        else:
            mine = reminder.c.person == one.person, reminder.c.day == today, reminder.c.state == "wanted"
            tx.execute(update(reminder).where(*mine).values(values | {"due": tx.now + retry_delay(one.tries)}))


def _settle(people: Sequence[UUID], day: date, values: Mapping[str, Any], tx: Tx) -> None:
    if not people:
        return
    ground, mine = reminder_ground.c, (reminder.c.person.in_(people), reminder.c.day == day)
    tx.execute(delete(reminder_ground).where(ground.person.in_(people), ground.day == day))
    tx.execute(update(reminder).where(*mine, reminder.c.state == "wanted").values(values))


def retry_delay(tries: int) -> timedelta:
    """One minute, two, four … at most an hour."""
    return timedelta(minutes=min(60, 2 ** min(tries - 1, 10)))
