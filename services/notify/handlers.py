"""How notify sends an invitation: once per notice, in order per person, and never begun after ``send_before``."""

import asyncio
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

from sqlalchemy import func, insert, select, update

from contracts.directory import Mailbox, MailboxOf
from contracts.notify import SendInvitation, Sent
from services.notify.domain import Invitation, Office, answer_without_mailing, can_be_mailed, one_line
from services.notify.ics import invite
from services.notify.mail import COMMAND_SECONDS, Mailer, compose
from services.notify.tables import delivery, tables
from services.service import Service, Tx, Work

BUSY = Sent(outcome="not_sent", why="mail_server_down")

service = Service("notify", tables, asks=frozenset({MailboxOf}))

_turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
"""One lock per person being written to. It lasts as long as somebody holds or awaits it, so their number is bounded."""
_under_way: set[UUID] = set()
"""The notices being worked on. A mail server may think for minutes, and their asker asks again meanwhile."""
_mailers: WeakKeyDictionary[asyncio.AbstractEventLoop, Mailer] = WeakKeyDictionary()
"""A process has one event loop and one mail server."""


@service.performs(SendInvitation)
async def send_invitation(asked: SendInvitation, work: Work) -> Sent:
    """Mail it, or say why not. Asked twice, also at the same time, it is mailed once.

    A notice under way is answered ``mail_server_down`` at once: nobody knows better yet, and the asker asks again.
    What is about to be mailed is committed before, what the server took after. A crash between the server's 250 and
    that second commit can only repeat the mail when it is asked for again, with the same Message-ID, UID and SEQUENCE:
    mailboxes and calendars take it for the same one. One process per municipality sends: the turns are its own.
    Raises AskFailed when the directory does not answer; then nothing is stored.
    """
    if asked.notice in _under_way:
        return BUSY
    _under_way.add(asked.notice)
    try:
        return await _in_turn(asked, work)
    finally:
        _under_way.remove(asked.notice)


async def _in_turn(asked: SendInvitation, work: Work) -> Sent:
    """After what is being mailed to the same person; but whoever waits long for that is told to come again."""
    turn = _turns.setdefault(asked.person, asyncio.Lock())
    try:
        async with asyncio.timeout(_left(asked, work)):
            await turn.acquire()
    except TimeoutError:
        return BUSY
    try:
        mailbox = await work.ask(MailboxOf(person=asked.person))
        answer = await work.run(lambda tx: _begin(asked, can_be_mailed(mailbox.address), tx))
        if answer is not None:
            return answer
        why = await _mail(_invitation(asked, mailbox, work), asked, work)
        if why:
            return Sent(outcome="not_sent", why=why)
        await work.run(lambda tx: _took(asked.notice, tx))
        return Sent(outcome="sent")
    finally:
        turn.release()


def _left(asked: SendInvitation, work: Work) -> float:
    """Seconds this may wait before it is begun: until ``send_before``, and no longer than its asker listens."""
    return min(COMMAND_SECONDS, (asked.send_before - work.now()).total_seconds())


def _begin(asked: SendInvitation, reachable: bool, tx: Tx) -> Sent | None:
    """Note that this notice is about to be mailed; or the answer, when it must not or need not be."""
    known = tx.execute(select(delivery.c.sent_at).where(delivery.c.notice == asked.notice)).first()
    answer = answer_without_mailing(
        already_sent=known is not None and known.sent_at is not None,
        too_late=tx.now > asked.send_before,
        newest=tx.execute(select(func.max(delivery.c.sequence)).where(delivery.c.uid == asked.uid)).scalar(),
        sequence=asked.sequence,
        reachable=reachable,
    )
    if answer is None and known is None:
        row = {"notice": asked.notice, "person": asked.person, "uid": asked.uid, "sequence": asked.sequence}
        tx.execute(insert(delivery).values(**row, begun_at=tx.now))
    return answer


def _took(notice: UUID, tx: Tx) -> None:
    tx.execute(update(delivery).where(delivery.c.notice == notice).values(sent_at=tx.now))


def _invitation(asked: SendInvitation, mailbox: Mailbox, work: Work) -> Invitation:
    profile = work.profile
    return Invitation(
        notice=asked.notice,
        uid=asked.uid,
        sequence=asked.sequence,
        starts=asked.starts,
        ends=asked.ends,
        answer_by=asked.answer_by,
        made_at=work.now(),
        place=one_line({place.code: place.name for place in profile.places}[asked.place]),
        link=f"{work.settings.window_url}/a/{asked.link}",
        address=mailbox.address,
        name=one_line(mailbox.name),
        office=Office(one_line(profile.office), profile.office_mail, one_line(profile.office_phone)),
    )


async def _mail(told: Invitation, asked: SendInvitation, work: Work) -> str:
    mail = compose(told, invite(told))
    return await _mailer(work, told.office).send(told.office.mail, told.address, mail, _left(asked, work))


def _mailer(work: Work, office: Office) -> Mailer:
    loop = asyncio.get_running_loop()
    if loop not in _mailers:
        _mailers[loop] = Mailer(work.settings.smtp_host, work.settings.smtp_port, office.domain)
    return _mailers[loop]


def _tally(tx: Tx) -> dict[str, int]:
    counted = select(func.count().label("sent"), func.count(delivery.c.person.distinct()).label("recipients"))
    return dict(tx.execute(counted.where(delivery.c.sent_at.is_not(None))).mappings().one())


service.tally = _tally
