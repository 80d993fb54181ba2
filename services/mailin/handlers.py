"""How mailin hears: its own small mail server, and a mailbox that is looked through where a city wants that."""

import asyncio
from typing import Any

from sqlalchemy import MetaData

from contracts.mail_addresses import MailAddress
from contracts.mail_answers import TakeDelivery, TakeReply
from contracts.message import Question
from services.mailin.answers import question_of
from services.mailin.imap import look_through
from services.mailin.listening import listen
from services.mailin.reading import Came, read_mail
from services.service import AskFailed, Service, Work

service = Service("mailin", tables=MetaData(), asks=frozenset({TakeReply, TakeDelivery}))


async def serve(work: Work) -> None:
    """Hear mail until cancelled. Raises CannotListen."""
    domain = work.profile.office_mail.rpartition("@")[2]
    domain = work.settings.reply_domain(domain) or domain

    async def take(raw: bytes, to: MailAddress) -> bool:
        return await pass_on(await asyncio.to_thread(read_mail, raw), to, work)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(work.settings, domain, take))
        if work.settings.imap_host:
            tasks.create_task(look_through(work.settings, domain, lambda came, to: pass_on(came, to, work)))


service.serve = serve


async def pass_on(came: Came, to: MailAddress, work: Work) -> bool:
    """Ask what is to be asked. False: somebody did not answer, and whoever has the mail is to bring it again.

    What became of it is told nobody outside: it would say whether a token is one of ours.
    """
    question: Question[Any] | None = question_of(came, to)
    try:
        if question is not None:
            await work.ask(question)
    except AskFailed:
        return False
    return True
