"""A mail server for what comes back, by SMTP or LMTP (RFC 5321, 2033), for the city's own mail server only.

What it cannot hand on at once it does not take (451): the queue is the city's, and nothing lies here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.mail_addresses import MailAddress, read_address
from services.mailin.reading import MOST_OCTETS
from services.settings import Settings

MOST_CONNECTIONS = 50
IDLE_SECONDS = 60.0
AT_ONCE = 4
"""Mails read and passed on at the same time."""

Take = Callable[[bytes, MailAddress], Awaitable[bool]]


class CannotListen(Exception):
    """The port cannot be had. The text says which one and what to do, in Japanese."""


async def listen(settings: Settings, domain: str, take: Take) -> None:
    """Take mail until cancelled. Raises CannotListen."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # below that aiosmtpd writes addresses into the log
    hearer, connections = Hearer(domain, take), list[SMTP]()
    kind = _Lmtp if settings.mail_in_protocol == "lmtp" else _Smtp

    def accept() -> SMTP:
        made = kind(hearer, data_size_limit=MOST_OCTETS, hostname=domain, ident="mail", timeout=IDLE_SECONDS)
        connections[:] = [one for one in connections if one.transport is None or not one.transport.is_closing()]
        if len(connections) >= MOST_CONNECTIONS:  # the oldest is whoever keeps a connection for its own sake
            _end(connections.pop(0))
        connections.append(made)
        return made

    host, port = settings.host, settings.mail_in_port
    try:
        server = await asyncio.get_running_loop().create_server(accept, host, port)
    except OSError as error:
        raise CannotListen(
            f"{host} のポート {port} で返信メールを待ち受けできません({error.strerror})。"
            "使っているプログラムを止めるか、KASANE_MAIL_IN_PORT を変えてください。"
        ) from None
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for connection in connections:
            _end(connection)


def _end(connection: SMTP) -> None:
    if connection.transport is not None:
        connection.transport.close()


class _Smtp(SMTP):
    line_length_limit = 65_536
    """Programs that never heard of 998 octets (RFC 5322 2.1.1) answer, too."""


class _Lmtp(LMTP):
    line_length_limit = 65_536


class Hearer:
    """What aiosmtpd calls."""

    def __init__(self, domain: str, take: Take) -> None:
        self._domain, self._take = domain, take
        self._room = asyncio.Semaphore(AT_ONCE)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Only addresses that look like ours; one per mail, so that each has its own verdict."""
        if read_address(address, self._domain) is None:
            return "550 5.1.1 No such mailbox"
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """250 once it was passed on; whatever it was, no other verdict tells anything about it."""
        to = read_address(envelope.rcpt_tos[0], self._domain)
        raw = bytes(envelope.original_content or b"")
        async with self._room:
            done = to is None or await self._take(raw, to)
        return "250 OK" if done else "451 4.3.0 Try again later"

    async def handle_exception(self, error: Exception) -> str:
        """Else aiosmtpd would say its text to whoever is there."""
        logging.getLogger("kasane").warning("a mail was not taken: %s", type(error).__name__)
        return "451 4.3.0 Try again later"
