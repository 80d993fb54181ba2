"""The errand that has invitations and cancellations mailed. Before each invitation it is decided anew, the ledger's
permit is redeemed and the register written (sentences 1 and 3 of the design); no row, no invitation.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from contracts.mail_addresses import mail_token
from contracts.message import Account, Compartment
from contracts.notify import SendCancellation, SendInvitation
from contracts.permit import LIFE_SECONDS, ReportSpent
from contracts.policy_terms import Act
from services import sharing
from services.meetings import domain, grounds
from services.meetings.grounds import Bond, Recipient
from services.meetings.handlers import service
from services.meetings.having_part import has_part
from services.meetings.mailed import want_again
from services.meetings.seats import cancel_seats
from services.meetings.tables import agenda, consents, disclosure, item, notice, seat, sitting
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Shared, Verdicts

AT_ONCE = 8
"""Mails asked for at the same time."""
CANCEL_WITHIN = timedelta(seconds=30)
"""A cancellation shares nothing and needs no permit; later it is asked for again."""


@dataclass(frozen=True)
class Tried:
    """What became of one try."""

    notice: UUID
    tries: int
    outcome: str
    why: str


@dataclass(frozen=True)
class Batch:
    """The next few notices that may go out, and for each invitation what would be shared by it."""

    notices: tuple[Row[Any], ...]
    shares: Mapping[UUID, tuple[Share, ...]]
    """By notice."""


@service.errand(every=1.0)
async def send_notices(work: Work) -> None:
    """Have every notice that is due now sent. The ones to be tried again come due later, so this ends.

    Cancellations first: they share nothing, and go out also while the ledger cannot be asked. Raises AskFailed then.
    """
    began = work.now()
    await _send_all(work, partial(next_batch, due=began, kind="cancellation"))
    await _send_all(work, partial(next_invitations, due=began, link_key=work.settings.link_key))


async def _send_all(work: Work, fetch: Callable[[Tx], "Batch | None"]) -> None:
    while batch := await work.run(fetch):
        verdicts = await sharing.permitted(
            work, [share for shares in batch.shares.values() for share in shares], hosted_by_municipality=True
        )
        permits = tuple(one.permit.permit for one in verdicts.allowed if one.permit)
        try:
            going, tried = await work.run(partial(write_register, batch=batch, verdicts=verdicts))
            tried += await asyncio.gather(*(_send(work, one, until) for one, until in going))
            await work.run(partial(note_tries, tried=tried))
        finally:
            if permits:
                with suppress(AskFailed):  # they run out by themselves; only a withdrawal waits for that
                    await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)


# -- before sending ----------------------------------------------------------------------------------------------------


def next_invitations(tx: Tx, due: datetime, link_key: bytes) -> Batch | None:
    """The next few, and besides note which are to be sent again: they come due now."""
    want_again(tx, link_key)
    return next_batch(tx, due, "invitation")


def next_batch(tx: Tx, due: datetime, kind: str) -> Batch | None:
    """The next few notices that may go out now. Those that may not any more are closed on the way.

    While the replica is not known to be whole no invitation goes out.
    """
    if kind == "invitation" and tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return None
    while rows := _due_notices(tx, due, kind):
        reasons = {row.id: _why_not(row, tx) for row in rows}
        for notice_id, why in reasons.items():
            if why:
                tx.execute(update(notice).where(notice.c.id == notice_id).values(state="not_sent", why=why, link=None))
        if may := tuple(row for row in rows if not reasons[row.id]):
            return Batch(may, _shares(tx, may) if kind == "invitation" else {})
    return None


def _why_not(row: Row[Any], tx: Tx) -> str:
    if row.kind == "cancellation":
        return "too_late" if row.starts <= tx.now else ""
    if not domain.is_hosted(tx.profile, row.body, tx.here):
        return "no_ground"
    return domain.why_not_invite(row.basis, tx.here, row.has_items, row.starts, tx.now)


def _due_notices(tx: Tx, due: datetime, kind: str) -> list[Row[Any]]:
    placed = (
        select(agenda.c.item)
        .join(item, item.c.id == agenda.c.item)
        .where(agenda.c.sitting == sitting.c.id, item.c.state == "placed")
    )
    wanted = (
        select(*(one for one in notice.c if one.name not in ("starts", "ends")))
        .add_columns(notice.c.starts.label("part_starts"), notice.c.ends.label("part_ends"))
        .add_columns(seat.c.uid, seat.c.agency, seat.c.commission, sitting.c.regular_on)
        .add_columns(
            sitting.c.starts,
            sitting.c.ends,
            sitting.c.place,
            sitting.c.basis,
            sitting.c.body,
            sitting.c.mode,
            sitting.c.room,
        )
        .add_columns(placed.exists().label("has_items"))
        .join(seat, (seat.c.sitting == notice.c.sitting) & (seat.c.person == notice.c.person))
        .join(sitting, sitting.c.id == notice.c.sitting)
        .where(notice.c.state == "wanted", notice.c.kind == kind, notice.c.due <= due)
        .order_by(notice.c.due, notice.c.id)
        .limit(AT_ONCE)
    )
    return list(tx.execute(wanted))


def _shares(tx: Tx, invitations: Sequence[Row[Any]]) -> dict[UUID, tuple[Share, ...]]:
    """Each seat's invitation is shared once per item placed on the agenda."""
    sittings = {row.sitting for row in invitations}
    on_agenda = select(agenda.c.sitting, item).join(item, item.c.id == agenda.c.item)
    wanted = on_agenda.where(agenda.c.sitting.in_(sittings)).order_by(agenda.c.position)
    # Only what is placed; asked for, SQLite would begin with all that ever was.
    items = [row for row in tx.execute(wanted) if row.state == "placed"] if sittings else []
    juso = tx.here is Compartment.JUSO
    heads = sharing.heads(consents, tx, {one.case for one in items}) if juso and items else {}
    bonds = {bond.commission: bond for bond in grounds.bonds(tx)} if not juso and items else {}

    def to(row: Row[Any]) -> Recipient:
        bond: Bond | None = bonds.get(row.commission)
        return Recipient(share=tx.ref(), agency=row.agency, person=row.person, sitting=row.sitting, bond=bond)

    return {
        row.id: tuple(
            grounds.share_of(one, to(row), heads.get(one.case))
            for one in items
            if one.sitting == row.sitting and has_part(tx, row, row.agency, one)
        )
        for row in invitations
    }


def write_register(tx: Tx, batch: Batch, verdicts: Verdicts) -> tuple[list[tuple[Row[Any], datetime]], list[Tried]]:
    """Write what is about to be shared. Returns the notices that go out, each with the instant until which it may,
    and those that do not: nothing on the agenda is open to that seat, or the ledger refuses what we think is open.
    """
    allowed, wanted = _allowed(tx, batch, verdicts), _still_wanted(tx, batch)
    rows, going, tried = list[Shared](), list[tuple[Row[Any], datetime]](), list[Tried]()
    for one in (row for row in batch.notices if row.id in wanted):
        if one.kind == "cancellation":
            going.append((one, tx.now + CANCEL_WITHIN))
        elif mine := allowed.get(one.id):
            rows += mine
            ours = tx.now + timedelta(seconds=LIFE_SECONDS)
            going.append((one, min((shared.permit.until for shared in mine if shared.permit), default=ours)))
        else:
            why = "not_yet" if any(_open(share, tx) for share in batch.shares[one.id]) else "no_ground"
            tried.append(Tried(one.id, one.tries + 1, "not_sent", why))
    decided_by = f"{service.name}@{tx.here}"
    sharing.record(disclosure, _new_rows(tx, rows), decided_by, tx)
    for refused in verdicts.refused:
        sharing.note(refused, decided_by, tx)
    return going, tried


def _open(share: Share, tx: Tx) -> bool:
    """Whether it is open by what we know. If the ledger refuses it all the same, its news is on the way to us."""
    return sharing.judge(share, tx.here, tx.now, hosted_by_municipality=True).allowed


def _still_wanted(tx: Tx, batch: Batch) -> set[UUID]:
    """What is still to be sent after the ledger was asked: a seat may have been cancelled meanwhile."""
    mine = notice.c.id.in_([row.id for row in batch.notices]), notice.c.state == "wanted"
    return set(tx.execute(select(notice.c.id).where(*mine)).scalars())


def _allowed(tx: Tx, batch: Batch, verdicts: Verdicts) -> dict[UUID, list[Shared]]:
    """What may be shared, by notice; without what rests on a version that is no longer the newest we know."""
    notice_of = {share.id: notice_id for notice_id, shares in batch.shares.items() for share in shares}
    cases = {one.share.case for one in verdicts.allowed if one.share.head}
    versions = {case: head.version for case, head in sharing.heads(consents, tx, cases).items()} if cases else {}
    found: dict[UUID, list[Shared]] = {}
    for one in verdicts.allowed:
        if one.share.head is None or versions.get(one.share.case) == one.share.head.version:
            found.setdefault(notice_of[one.share.id], []).append(one)
    return found


def _new_rows(tx: Tx, allowed: Sequence[Shared]) -> list[Shared]:
    """Those that the register does not have from an earlier try for the same seat."""
    sittings = {one.share.sitting for one in allowed}
    columns = disclosure.c.sitting, disclosure.c.person, disclosure.c.item, disclosure.c.consent_version
    mine = disclosure.c.act == Act.INVITE, disclosure.c.sitting.in_(sittings)
    known = {tuple(row) for row in tx.execute(select(*columns).where(*mine))} if sittings else set()
    return [one for one in allowed if _key(one.share) not in known]


def _key(share: Share) -> tuple[UUID | None, UUID, UUID, int | None]:
    return share.sitting, share.person, share.item, share.head.version if share.head else None


# -- sending -----------------------------------------------------------------------------------------------------------


async def _send(work: Work, one: Row[Any], until: datetime) -> Tried:
    facts = {"notice": one.id, "person": one.person, "uid": one.uid, "sequence": one.sequence, "place": one.place}
    facts |= {"starts": one.part_starts or one.starts, "ends": one.part_ends or one.ends, "send_before": until}
    asked: SendInvitation | SendCancellation
    if one.kind == "cancellation":
        asked = SendCancellation.model_validate(facts)
    else:
        answer_by = domain.answer_by(work.profile, one.starts, work.now())
        facts |= {"link": one.link, "answer_by": answer_by, "mode": one.mode, "room": one.room}
        asked = SendInvitation.model_validate(facts)
    try:
        sent = await work.ask(asked.model_copy(update=_tokens(work, one)))
    except AskFailed:  # perhaps it was sent all the same: notify knows the notice when it is asked again
        return Tried(one.id, one.tries + 1, "not_sent", "unanswered")
    return Tried(one.id, one.tries + 1, sent.outcome, sent.why)


def _tokens(work: Work, one: Row[Any]) -> dict[str, str]:
    """Where replies to the seat and reports on the notice are to come back to."""
    if work.compartment is None:
        raise TypeError("meetings runs in a compartment")
    key, here = work.settings.link_key, work.compartment
    return {
        "answer_token": mail_token(key, "answer", here, one.uid),
        "bounce_token": mail_token(key, "bounce", here, one.id),
    }


def note_tries(tx: Tx, tried: Iterable[Tried]) -> None:
    """Keep what became of them. A link is forgotten with the last try; a seat without a ground is closed."""
    for one in tried:
        state = domain.notice_after(one.outcome, one.why)
        values: dict[str, Any] = {"state": state, "why": one.why, "tries": one.tries}
        values |= {"due": tx.now + domain.retry_delay(one.tries)} if state == "wanted" else {"link": None}
        mine = update(notice).where(notice.c.id == one.notice, notice.c.state == "wanted").values(values)
        noted = tx.execute(mine.returning(notice.c.sitting, notice.c.person)).first()
        if noted and one.why == "no_ground":
            cancel_seats(tx, noted.sitting, [noted.person])
