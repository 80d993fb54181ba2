"""The errand that has polls mailed. Before each it is decided anew by the policy, and in juso the ledger permits it.

A poll's mail shares nothing of a case, so it is no row of the register; each decision stands in the audit log, and
whoever has no ground any more is not asked (C11, S6, S17).
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from contracts.mail_addresses import mail_token
from contracts.message import Account, Compartment
from contracts.notify import SendPoll
from contracts.permit import LIFE_SECONDS, ReportSpent
from services import sharing
from services.meetings import domain, grounds
from services.meetings.grounds import Recipient
from services.meetings.handlers import service
from services.meetings.inviting import AT_ONCE, Tried
from services.meetings.polls_tables import poll, poll_seat
from services.meetings.proposing_store import NO_GROUND, try_now
from services.meetings.tables import consents, item
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Verdicts


@dataclass(frozen=True)
class Batch:
    """The next few mails that may go out, and what each would rest on."""

    mails: tuple[Row[Any], ...]
    shares: Mapping[UUID, Share]
    """By notice."""


@service.errand(every=1.0)
async def send_polls(work: Work) -> None:
    """Have every poll that is due now mailed. Those to be tried again come due later, so this ends."""
    began = work.now()
    while batch := await work.run(partial(_next, began)):
        verdicts = await sharing.permitted(work, list(batch.shares.values()), hosted_by_municipality=True)
        permits = tuple(one.permit.permit for one in verdicts.allowed if one.permit)
        try:
            going, tried = await work.run(partial(_decided, batch, verdicts))
            tried += await asyncio.gather(*(_send(work, row, until) for row, until in going))
            await work.run(partial(_note, tried))
        finally:
            if permits:
                with suppress(AskFailed):  # they run out by themselves
                    await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)


def _next(due: datetime, tx: Tx) -> Batch | None:
    """The next few. While the replica is not known to be whole nobody is asked anything."""
    if tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return None
    wanted = (
        select(poll_seat, poll.c.closes_at, poll.c.item)
        .join(poll, poll.c.id == poll_seat.c.poll)
        .where(poll_seat.c.state == "wanted", poll_seat.c.due <= due)
        .order_by(poll_seat.c.due, poll_seat.c.notice)
        .limit(AT_ONCE)
    )
    while rows := tx.execute(wanted).all():
        late = [row.notice for row in rows if row.closes_at <= tx.now]
        if late:
            _close(late, "too_late", tx)
        if may := tuple(row for row in rows if row.notice not in late):
            return Batch(may, {row.notice: _share(row, tx) for row in may})
    return None


def _share(row: Row[Any], tx: Tx) -> Share:
    one = tx.execute(select(item).where(item.c.id == row.item)).one()
    juso = tx.here is Compartment.JUSO
    head = sharing.heads(consents, tx, {one.case}).get(one.case) if juso else None
    bond = None if juso else grounds.bond_of(grounds.bonds(tx), row.person, row.agency, tx.now)
    return grounds.share_of(one, Recipient(share=tx.ref(), agency=row.agency, person=row.person, bond=bond), head)


def _decided(batch: Batch, verdicts: Verdicts, tx: Tx) -> tuple[list[tuple[Row[Any], datetime]], list[Tried]]:
    """Which may go out, each until when; whoever is refused is asked no more, and the log says why."""
    decided_by = f"{service.name}@{tx.here}"
    for one in (*verdicts.allowed, *verdicts.refused):
        sharing.note(one, decided_by, tx)
    allowed = {one.share.id: one for one in verdicts.allowed}
    refused = {one.share.id: one for one in verdicts.refused}
    still = set(tx.execute(select(poll_seat.c.notice).where(poll_seat.c.state == "wanted")).scalars())
    going, tried = list[tuple[Row[Any], datetime]](), list[Tried]()
    for row in batch.mails:
        share = batch.shares[row.notice]
        if row.notice not in still:
            continue
        if share.id in allowed:
            ours = tx.now + timedelta(seconds=LIFE_SECONDS)
            permit = allowed[share.id].permit
            going.append((row, min(ours, permit.until) if permit else ours))
        else:
            # What the policy here allows and the ledger refuses is news on its way to us: decided once more, later.
            open_here = (
                share.id in refused and sharing.judge(share, tx.here, tx.now, hosted_by_municipality=True).allowed
            )
            tried.append(Tried(row.notice, row.tries + 1, "not_sent", "not_yet" if open_here else NO_GROUND))
    return going, tried


async def _send(work: Work, row: Row[Any], until: datetime) -> Tried:
    if work.compartment is None:
        raise TypeError("meetings runs in a compartment")
    asked = SendPoll(
        notice=row.notice,
        person=row.person,
        link=row.link,
        answer_by=row.closes_at,
        send_before=until,
        bounce_token=mail_token(work.settings.link_key, "bounce", work.compartment, row.notice),
    )
    try:
        sent = await work.ask(asked)
    except AskFailed:  # perhaps it was sent all the same: notify knows the notice when it is asked again
        return Tried(row.notice, row.tries + 1, "not_sent", "unanswered")
    return Tried(row.notice, row.tries + 1, sent.outcome, sent.why)


def _note(tried: Sequence[Tried], tx: Tx) -> None:
    for one in tried:
        state = domain.notice_after(one.outcome, one.why)
        values: dict[str, Any] = {"state": state, "why": one.why, "tries": one.tries}
        values |= {"due": tx.now + domain.retry_delay(one.tries)} if state == "wanted" else {"link": None}
        mine = poll_seat.c.notice == one.notice, poll_seat.c.state == "wanted"
        tx.execute(update(poll_seat).where(*mine).values(values))
        if one.why == NO_GROUND:  # without this one the poll may be complete
            about = select(poll.c.item).join(poll_seat, poll_seat.c.poll == poll.c.id)
            try_now(tx, tx.execute(about.where(poll_seat.c.notice == one.notice)).scalar_one())


def _close(notices: Sequence[UUID], why: str, tx: Tx) -> None:
    mine = poll_seat.c.notice.in_(notices), poll_seat.c.state == "wanted"
    tx.execute(update(poll_seat).where(*mine).values(state="not_sent", why=why, link=None))
