"""How notify mails 「日程のうかがい」: once per notice, in words that tell nothing; the times stand behind the link."""

from uuid import UUID

from sqlalchemy import delete, insert, select, update

from contracts.directory import Mailbox, MailboxOf
from contracts.notify import SendPoll, Sent
from services.notify import noting
from services.notify.domain import Inquiry, Office, one_line
from services.notify.handlers import BUSY, TOO_LATE, service
from services.notify.mail import Deadline
from services.notify.tables import poll_mail
from services.service import Tx, Work

SENT = Sent(outcome="sent")

_under_way: set[UUID] = set()
"""The notices being worked on: their asker asks again when the mail server takes long."""


@service.performs(SendPoll)
async def send_poll(asked: SendPoll, work: Work) -> Sent:
    """Mail it, or say why not. Asked twice, also at the same time, it is mailed once.

    That it is about to be mailed is committed before; a crash behind the server's 250 can only repeat the same mail,
    with the same Message-ID. Raises AskFailed when the directory does not answer; then nothing is stored.
    """
    if asked.notice in _under_way:
        return BUSY
    _under_way.add(asked.notice)
    try:
        return await _send(asked, work)
    finally:
        _under_way.remove(asked.notice)


async def _send(asked: SendPoll, work: Work) -> Sent:
    deadline = Deadline(lambda: (asked.send_before - work.now()).total_seconds())
    mailbox = await work.ask(MailboxOf(person=asked.person))
    answer = await work.run(lambda tx: _begin(asked, noting.not_by_machine(mailbox), tx))
    if answer is not None:
        return answer
    outcome = await noting.hand_over(_letter(asked, mailbox, work), mailbox, deadline, work)
    if outcome == "no_verdict":
        return BUSY
    if outcome:
        return Sent(outcome="not_sent", why=outcome)
    taken = update(poll_mail).where(poll_mail.c.notice == asked.notice)
    await work.run(lambda tx: tx.execute(taken.values(sent_at=tx.now)))
    return SENT


def _begin(asked: SendPoll, otherwise: Sent | None, tx: Tx) -> Sent | None:
    """Note that it is about to be mailed; or the answer, when it must not or need not be."""
    known = tx.execute(select(poll_mail).where(poll_mail.c.notice == asked.notice)).first()
    if known is not None and known.sent_at is not None:
        return SENT
    if tx.now >= min(asked.send_before, asked.answer_by):
        return TOO_LATE
    if otherwise is not None:
        return otherwise
    if known is None:
        tx.execute(delete(poll_mail).where(poll_mail.c.answer_by < tx.now))  # nobody asks for it any more
        row = {"notice": asked.notice, "person": asked.person, "answer_by": asked.answer_by, "begun_at": tx.now}
        tx.execute(insert(poll_mail).values(row))
    return None


def _letter(asked: SendPoll, mailbox: Mailbox, work: Work) -> Inquiry:
    profile = work.profile
    office = Office(one_line(profile.office), profile.office_mail, one_line(profile.office_phone))
    return Inquiry(
        notice=asked.notice,
        made_at=work.now(),
        address=mailbox.address,
        name=one_line(mailbox.name),
        office=office,
        link=f"{work.settings.window_url}/p/{asked.link}",
        answer_by=asked.answer_by,
        returns=noting.reports_to(asked.bounce_token, office, work),
    )
