"""How notify reminds: one mail per person and working day, whichever kind of meeting asks, and rather none than two.

Both kinds of meeting may have something for the same person. Two mails would tell that there are two kinds, and so
would two answers: whoever asks second is told what the first was told, and the mail's bytes do not depend on who asked.
"""

import asyncio
from base64 import b32encode
from datetime import date, timedelta
from secrets import token_bytes
from typing import NamedTuple
from uuid import UUID, uuid5
from weakref import WeakValueDictionary

from sqlalchemy import delete, insert, select, update

from contracts.directory import Mailbox, MailboxOf
from contracts.mail_answers import DeliveryTaken, PassDelivery, TakeDelivery
from contracts.notify import SendReminder, Sent
from services.notify import noting
from services.notify.domain import Office, Reminder, one_line
from services.notify.handlers import BUSY, TOO_LATE, service
from services.notify.mail import COMMAND_SECONDS, Deadline
from services.notify.tables import reminder
from services.notify.wishing import wish_of
from services.service import Tx, Work

KEPT = timedelta(days=7)
"""How long it is remembered that somebody was reminded: nobody asks for an earlier day any more."""
SENT = Sent(outcome="sent")
BOUNCED = Sent(outcome="not_sent", why="bounced")
DECLINED = Sent(outcome="not_sent", why="declined")


class Begun(NamedTuple):
    """A reminder that may go out now."""

    token: str
    """Where reports of it come back to."""
    link: str
    """By which its reader stops the next ones."""


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
    begun = await work.run(lambda tx: _begin(asked, noting.not_by_machine(mailbox), tx))
    if isinstance(begun, Sent):
        return begun
    outcome = await noting.hand_over(_letter(asked, begun, mailbox, work), mailbox, deadline, work)
    if outcome and outcome != "no_verdict":
        await work.run(lambda tx: _not_taken(asked, tx))
        return Sent(outcome="not_sent", why=outcome)
    await work.run(lambda tx: _taken(asked, tx))
    return SENT


def _begin(asked: SendReminder, otherwise: Sent | None, tx: Tx) -> Sent | Begun:
    """Note that it is about to be mailed; or the answer, when it must not or need not be."""
    mine = reminder.c.person == asked.person, reminder.c.day == asked.day
    known = tx.execute(select(reminder.c.bounced).where(*mine)).first()
    if known is not None:
        return BOUNCED if known.bounced else SENT
    if tx.now >= asked.send_before:
        return TOO_LATE
    link, stopped = wish_of(asked.person, tx)
    if stopped is not None:
        return DECLINED
    if otherwise is not None:
        return otherwise
    token = b32encode(token_bytes(24)).decode().rstrip("=").lower()
    tx.execute(delete(reminder).where(reminder.c.day < asked.day - KEPT))
    tx.execute(insert(reminder).values(person=asked.person, day=asked.day, begun_at=tx.now, token=token))
    return Begun(token, link)


def _taken(asked: SendReminder, tx: Tx) -> None:
    mine = reminder.c.person == asked.person, reminder.c.day == asked.day
    tx.execute(update(reminder).where(*mine).values(sent_at=tx.now))


def _not_taken(asked: SendReminder, tx: Tx) -> None:
    tx.execute(delete(reminder).where(reminder.c.person == asked.person, reminder.c.day == asked.day))


def _letter(asked: SendReminder, begun: Begun, mailbox: Mailbox, work: Work) -> Reminder:
    profile = work.profile
    office = Office(one_line(profile.office), profile.office_mail, one_line(profile.office_phone))
    return Reminder(
        notice=uuid5(asked.person, f"reminder {asked.day}"),
        made_at=work.now(),
        address=mailbox.address,
        name=one_line(mailbox.name),
        office=office,
        link=f"{work.settings.window_url}/desk",
        stop=f"{work.settings.window_url}/reminders/{begun.link}",
        returns=noting.reports_to(begun.token, office, work),
    )


@service.performs(TakeDelivery)
async def take_delivery(asked: TakeDelivery, work: Work) -> DeliveryTaken:
    """Keep what bounced of a reminder; of any other mail have the window tell whose it is.

    Raises AskFailed when nobody answers: the report is left with whoever brings it.
    """
    if await work.run(lambda tx: _came_back(asked, tx)):
        return DeliveryTaken(known=True)
    return await work.ask(PassDelivery.model_validate(asked.model_dump()))


def _came_back(asked: TakeDelivery, tx: Tx) -> bool:
    """Whether it is about a reminder. What bounced does not come back to life; delays end by themselves."""
    mine = reminder.c.token == asked.token
    if tx.execute(select(reminder.c.day).where(mine)).first() is None:
        return False
    if asked.state == "bounced":
        tx.execute(update(reminder).where(mine).values(bounced=asked.code))
    return True
