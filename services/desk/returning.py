"""What comes back by mail, put before the meetings it is about: the answer window alone can tell which (S17).

Whoever reads the mail has neither the key nor a way to meetings; the window reads no mail.
"""

from contracts.mail_addresses import Use, compartment_of_mail
from contracts.mail_answers import AnswerByMail, DeliveryTaken, PassDelivery, PassReply, ReplyTaken, ReportDelivery
from contracts.message import Account
from services.desk.handlers import service
from services.service import Work


@service.performs(PassReply)
async def pass_reply(asked: PassReply, work: Work) -> ReplyTaken:
    """Have meetings take it. A forged token is nobody's. Raises AskFailed when meetings does not answer."""
    account = _account(work, "answer", asked.answer.token)
    if account is None:
        return ReplyTaken(outcome="unknown")
    return await work.ask(AnswerByMail(answer=asked.answer), to=account)


@service.performs(PassDelivery)
async def pass_delivery(asked: PassDelivery, work: Work) -> DeliveryTaken:
    """Have meetings take it, likewise."""
    account = _account(work, "bounce", asked.token)
    if account is None:
        return DeliveryTaken(known=False)
    return await work.ask(ReportDelivery.model_validate(asked.model_dump()), to=account)


def _account(work: Work, use: Use, token: str) -> Account | None:
    compartment = compartment_of_mail(work.settings.link_key, use, token)
    return Account(compartment) if compartment else None
