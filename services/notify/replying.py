"""Whose reply it is: a reply counts only from the address that the invitation went to.

The token says which seat; it stands in calendars that are shared, so the sender has to be right as well. notify knows
who was invited under a calendar's UID and asks the directory where that person's mail goes. It keeps nothing of it.
"""

from uuid import UUID

from sqlalchemy import select

from contracts.directory import MailboxOf
from contracts.mail_addresses import ref_of_mail
from contracts.mail_answers import PassReply, ReplyTaken, Said, TakeReply
from services.notify.handlers import service
from services.notify.tables import delivery
from services.service import Tx, Work


@service.performs(TakeReply)
async def take_reply(asked: TakeReply, work: Work) -> ReplyTaken:
    """Pass it on; from a wrong address only that there was one. Raises AskFailed when somebody does not answer."""
    try:
        uid = ref_of_mail(asked.answer.token)
    except ValueError:
        return ReplyTaken(outcome="unknown")
    person = await work.run(lambda tx: _invited(uid, tx))
    if person is None:
        return ReplyTaken(outcome="unknown")
    mailbox = await work.ask(MailboxOf(person=person))
    answer = asked.answer
    if not mailbox.address or asked.sender.casefold() != mailbox.address.casefold():
        answer = answer.model_copy(update={"said": Said.OTHER_SENDER, "wish_starts": None, "wish_ends": None})
    return await work.ask(PassReply(answer=answer))


def _invited(uid: UUID, tx: Tx) -> UUID | None:
    return tx.execute(select(delivery.c.person).where(delivery.c.uid == uid).limit(1)).scalar()
