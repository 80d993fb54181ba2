"""The errand that has invitations sent, and decides again before each (sentence 1 of the design)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from contracts.notify import SendInvitation
from services.meetings import domain
from services.meetings.handlers import service
from services.meetings.tables import agenda, item, notice, seat, sitting
from services.service import AskFailed, Tx, Work

AT_ONCE = 8
"""Invitations asked for at the same time."""
SEND_WITHIN = timedelta(seconds=30)
"""A decision to send is worth this long; later notify must not act on it."""


@dataclass(frozen=True)
class Tried:
    """What became of one try."""

    notice: UUID
    tries: int
    outcome: str
    why: str


@service.errand(every=1.0)
async def send_invitations(work: Work) -> None:
    """Have every notice that is due now sent. The ones to be tried again come due later, so this ends."""
    began = work.now()
    while notices := await work.run(lambda tx: next_notices(tx, began)):
        tried = await asyncio.gather(*(_send(work, one) for one in notices))
        await work.run(partial(note_tries, tried=tried))


def next_notices(tx: Tx, due: datetime) -> list[Row[Any]]:
    """The next few notices that may go out now. Those that may not any more are closed on the way."""
    while rows := _due_notices(tx, due):
        reasons = {row.id: domain.why_not_invite(row.basis, tx.here, row.has_items, row.starts, tx.now) for row in rows}
        for notice_id, why in reasons.items():
            if why:
                tx.execute(update(notice).where(notice.c.id == notice_id).values(state="not_sent", why=why, link=None))
        if may := [row for row in rows if not reasons[row.id]]:
            return may
    return []


def _due_notices(tx: Tx, due: datetime) -> list[Row[Any]]:
    placed = (
        select(agenda.c.item)
        .join(item, item.c.id == agenda.c.item)
        .where(agenda.c.sitting == sitting.c.id, item.c.state == "placed")
    )
    wanted = (
        select(notice, seat.c.uid, sitting.c.starts, sitting.c.ends, sitting.c.place, sitting.c.basis)
        .add_columns(placed.exists().label("has_items"))
        .join(seat, (seat.c.sitting == notice.c.sitting) & (seat.c.person == notice.c.person))
        .join(sitting, sitting.c.id == notice.c.sitting)
        .where(notice.c.state == "wanted", notice.c.due <= due)
        .order_by(notice.c.due, notice.c.id)
        .limit(AT_ONCE)
    )
    return list(tx.execute(wanted))


async def _send(work: Work, one: Row[Any]) -> Tried:
    now = work.now()
    invitation = SendInvitation(
        notice=one.id,
        person=one.person,
        uid=one.uid,
        sequence=one.sequence,
        starts=one.starts,
        ends=one.ends,
        place=one.place,
        link=one.link,
        answer_by=domain.answer_by(work.profile, one.starts, now),
        send_before=now + SEND_WITHIN,
    )
    try:
        sent = await work.ask(invitation)
    except AskFailed:  # perhaps it was sent all the same: notify knows the notice when it is asked again
        return Tried(one.id, one.tries + 1, "not_sent", "unanswered")
    return Tried(one.id, one.tries + 1, sent.outcome, sent.why)


def note_tries(tx: Tx, tried: list[Tried]) -> None:
    """Keep what became of them. A link is forgotten with the last try."""
    for one in tried:
        state = domain.notice_after(one.outcome, one.why)
        values: dict[str, Any] = {"state": state, "why": one.why, "tries": one.tries}
        values |= {"due": tx.now + domain.retry_delay(one.tries)} if state == "wanted" else {"link": None}
        tx.execute(update(notice).where(notice.c.id == one.notice, notice.c.state == "wanted").values(values))
