"""How notify reminds: one mail per person and working day, whichever kind of meeting asks, and rather none than two.

Both kinds of meeting may have something for the same person. Two mails would tell that there are two kinds, and so
would two answers: whoever asks second is told what the first was told, and the mail's bytes do not depend on who asked.
"""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid5
from weakref import WeakValueDictionary

from sqlalchemy import delete, insert, select, update

from contracts.directory import Mailbox, MailboxOf
from contracts.notify import SendReminder, Sent
from services.notify import handlers
from services.notify.domain import Office, Reminder, can_be_mailed, one_line
from services.notify.handlers import BUSY, TOO_LATE, service
from services.notify.mail import COMMAND_SECONDS, Deadline, compose_reminder
from services.notify.tables import reminder
from services.service import Tx, Work

KEPT = timedelta(days=7)
"""How long it is remembered that somebody was reminded: nobody asks for an earlier day any more."""
SENT = Sent(outcome="sent")

_turns: WeakValueDictionary[tuple[UUID, date], asyncio.Lock] = WeakValueDictionary()
"""One lock per mail: the second asker waits for what becomes of the first one's."""


@service.performs(SendReminder)
async def send_reminder(asked: SendReminder, work: Work) -> Sent:
    """Mail it, unless it went out today already.

    That it is about to be mailed is committed before. After a crash behind that commit nobody knows whether the mail
    was taken, and it is not mailed again. Raises AskFailed when the directory does not answer; then nothing is stored.
    """
    deadline = Deadline(lambda: (asked.send_before - work.now()).total_seconds())
    turn = _turns.setdefault((asked.person, asked.day), asyncio.Lock())
    try:
        async with asyncio.timeout_at(min(deadline.at, deadline.within(COMMAND_SECONDS))):
            await turn.acquire()
    except TimeoutError:
        return TOO_LATE if deadline.over() else BUSY
    try:
        return await _send(asked, deadline, work)
    finally:
        turn.release()


async def _send(asked: SendReminder, deadline: Deadline, work: Work) -> Sent:
    mailbox = await work.ask(MailboxOf(person=asked.person))
    answer = await work.run(lambda tx: _begin(asked, can_be_mailed(mailbox.address), tx))
    if answer is not None:
        return answer
    told = _letter(asked, mailbox, work)
    mail = handlers.signed(compose_reminder(told), told.office, work)
    outcome = await handlers.mailer(work, told.office).send(told.office.mail, told.address, mail, deadline)
    if outcome and outcome != "no_verdict":
        await work.run(lambda tx: _not_taken(asked, tx))
        return Sent(outcome="not_sent", why=outcome)
    await work.run(lambda tx: _taken(asked, tx))
    return SENT


def _begin(asked: SendReminder, reachable: bool, tx: Tx) -> Sent | None:
    """Note that it is about to be mailed; or the answer, when it must not or need not be."""
    mine = reminder.c.person == asked.person, reminder.c.day == asked.day
    if tx.execute(select(reminder.c.day).where(*mine)).first() is not None:
        return SENT
    if tx.now >= asked.send_before:
        return TOO_LATE
    if not reachable:
        return Sent(outcome="not_sent", why="no_address")
    tx.execute(delete(reminder).where(reminder.c.day < asked.day - KEPT))
    tx.execute(insert(reminder).values(person=asked.person, day=asked.day, begun_at=tx.now))
    return None


def _taken(asked: SendReminder, tx: Tx) -> None:
    mine = reminder.c.person == asked.person, reminder.c.day == asked.day
    tx.execute(update(reminder).where(*mine).values(sent_at=tx.now))


def _not_taken(asked: SendReminder, tx: Tx) -> None:
    tx.execute(delete(reminder).where(reminder.c.person == asked.person, reminder.c.day == asked.day))


def _letter(asked: SendReminder, mailbox: Mailbox, work: Work) -> Reminder:
    profile = work.profile
    return Reminder(
        notice=uuid5(asked.person, f"reminder {asked.day}"),
        made_at=work.now(),
        address=mailbox.address,
        name=one_line(mailbox.name),
        office=Office(one_line(profile.office), profile.office_mail, one_line(profile.office_phone)),
        link=f"{work.settings.window_url}/desk",
    )
