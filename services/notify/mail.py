"""The mail that carries a letter, and its way to the mail server. The only file that knows SMTP.

The mail is put together from bytes: everything but a handful of lines is the same in each, and the standard
library's builder costs 3.3 ms a mail (calendar.md 2). Its strict parser is the judge in the tests.
"""

import asyncio
import ipaddress
from base64 import encodebytes
from collections.abc import Callable
from email.header import Header
from email.utils import format_datetime
from typing import Literal
from uuid import UUID

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
)

from services.notify.domain import TOKYO, Letter, Reminder, html_text, plain_text, reminder_text

CONNECTIONS = 4
"""Kept to the server at most: enough for a distant one, polite to a small one."""
IDLE_SECONDS = 5.0
"""After which unused connections are closed: invitations come in bursts."""
COMMAND_SECONDS = 10.0
"""How long to connect may take, and the reply to each command up to DATA: until then nothing is handed over.

Both end sooner when the mail's Deadline does."""
VERDICT_SECONDS = 600.0
"""How long the server may think about a whole mail (RFC 5321 4.5.3.2.6). Whoever leaves sooner mails it twice."""
_CLOSING = 421
"""What a server says that ends a connection, also because it carried enough mails."""
_SIGN_IN = range(530, 540)
"""A server that wants to know who sends (RFC 4954 6): nothing the recipient could have to do with."""


def compose(letter: Letter, calendar: bytes) -> bytes:
    """One mail to one person, ASCII and CR LF throughout, so that no relay has a reason to re-encode it.

    Message-ID and boundary follow from the notice: whoever gets a repeat can tell, and a cancellation or a newer
    invitation stands below the invitation that it takes back or replaces. No Reply-To: people answer the office that
    is in From, calendars the same office as ORGANIZER.
    """
    told, mixed, either = letter, f"=_kasane_m_{letter.notice.hex}", f"=_kasane_a_{letter.notice.hex}"
    below = _message_id(told.follows, told) if told.follows else ""
    headers = (
        *_envelope(told),
        *((f"In-Reply-To: {below}", f"References: {below}") if below else ()),
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        f'Content-Type: multipart/mixed;\r\n boundary="{mixed}"',
    )
    ics = _base64(calendar)
    parts = (
        f'--{mixed}\r\nContent-Type: multipart/alternative;\r\n boundary="{either}"\r\n\r\n',
        _part(either, 'text/plain; charset="utf-8"', _base64(plain_text(told).encode())),
        _part(either, 'text/html; charset="utf-8"', _base64(html_text(told).encode())),
        _part(either, 'text/calendar; charset="UTF-8"; method=' + told.method, ics),
        f"--{either}--\r\n",
        _part(
            mixed, 'application/ics; name="invite.ics"\r\nContent-Disposition: attachment; filename="invite.ics"', ics
        ),
        f"--{mixed}--\r\n",
    )
    return ("\r\n".join(headers) + "\r\n\r\n" + "".join(parts)).encode("ascii")


def compose_reminder(told: Reminder) -> bytes:
    """One plain mail to one person, ASCII and CR LF throughout. No calendar entry: there is no meeting to enter."""
    headers = (
        *_envelope(told),
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        *_unsubscribing(told),
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: base64",
    )
    return ("\r\n".join(headers) + "\r\n\r\n" + _base64(reminder_text(told).encode())).encode("ascii")


def _unsubscribing(told: Reminder) -> tuple[str, ...]:
    """RFC 2369, and RFC 8058 for mail programs that stop it with one click, which is a POST."""
    if not told.stop:
        return ()
    return f"List-Unsubscribe: <{told.stop}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def _envelope(told: Letter | Reminder) -> tuple[str, ...]:
    """From whom to whom, about what, when, and under which id.

    The list (RFC 2919, 2369) is one for all that notify sends: people sort it away from other mail, machines on leave
    do not answer it. List-Unsubscribe stands in reminders only: being asked to a sitting is not subscribed to.
    """
    return (
        f"From: {_mailbox('From', told.office.name, told.office.mail)}",
        f"To: {_mailbox('To', told.name, told.address)}",
        f"Subject: {_encoded('Subject', told.subject)}",
        f"Date: {format_datetime(told.made_at.astimezone(TOKYO))}",
        f"Message-ID: {_message_id(told.notice, told)}",
        f"List-Id: <kaigi.{told.office.domain}>",
        f"List-Help: <mailto:{told.office.mail}>",
    )


def _message_id(notice: UUID, told: Letter | Reminder) -> str:
    return f"<{notice}@{told.office.domain}>"


def _part(boundary: str, content_type: str, body: str) -> str:
    return f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}"


def _base64(content: bytes) -> str:
    return encodebytes(content).decode().replace("\n", "\r\n")


def _encoded(field: str, text: str) -> str:
    """RFC 2047, also where ASCII would do: within encoded words no sign of a name means anything to a parser."""
    return Header(text, "utf-8", header_name=field).encode(linesep="\r\n")


def _mailbox(field: str, name: str, address: str) -> str:
    return f"{_encoded(field, name)}\r\n <{address}>" if name else f"<{address}>"


Outcome = Literal["", "mail_server_down", "mail_refused", "too_late", "no_verdict"]


class TooLate(Exception):
    """The server is ready for the text, but its time is over."""


class NoVerdict(Exception):
    """The text is handed over, and nobody knows what became of it."""


class Deadline:
    """Until when the text of a mail may be handed over.

    Two clocks, for each is wrong at times: the machine's own, which nobody sets but which stands still while the
    machine sleeps, and that of whoever set the deadline (``left``: the seconds left by it).
    """

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        self.at = self.within(left())

    def within(self, seconds: float) -> float:
        """The end of so many seconds from now on the event loop's clock."""
        return asyncio.get_running_loop().time() + seconds

    def over(self) -> bool:
        """Whether nothing may be handed over any more."""
        return self._left() <= 0 or self.within(0) >= self.at


class Mailer:
    """One mail server, over a few connections that are kept while mails follow one another."""

    def __init__(
        self,
        host: str,
        port: int,
        own_name: str,
        *,
        command_seconds: float = COMMAND_SECONDS,
        verdict_seconds: float = VERDICT_SECONDS,
    ) -> None:
        self._host, self._port, self._own_name = host, port, own_name
        self._command_seconds, self._verdict_seconds = command_seconds, verdict_seconds
        self._free: list[SMTP] = []
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._idle: asyncio.TimerHandle | None = None

    async def send(self, sender: str, recipient: str, mail: bytes, deadline: Deadline) -> Outcome:
        """Hand over one mail. Empty: the server took it.

        Its text is handed over before the deadline or not at all (``too_late``); then the server's verdict is waited
        for. ``mail_server_down`` is worth asking again: nobody there or free, too slow, a passing trouble (4xx), or a
        server that does not want us. ``mail_refused``: it does not want this recipient or this mail (5xx).
        ``no_verdict``: the server has the text, and may have taken it. With all others it has not.
        """
        try:
            async with asyncio.timeout_at(min(deadline.at, deadline.within(COMMAND_SECONDS))):
                await self._room.acquire()
        except TimeoutError:
            return "too_late" if deadline.over() else "mail_server_down"
        try:
            await self._hand_over(sender, recipient, mail, deadline)
        except NoVerdict:
            return "no_verdict"
        except (SMTPRecipientRefused, SMTPDataError) as refusal:
            return _why(refusal.code)
        except (OSError, SMTPException, TooLate):  # timeouts and refused connections are OSErrors
            return "too_late" if deadline.over() else "mail_server_down"
        finally:
            self._room.release()
        return ""

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._free:
            self._free.pop().close()
        if self._idle:
            self._idle.cancel()

    async def _hand_over(self, sender: str, recipient: str, mail: bytes, deadline: Deadline) -> None:
        async with asyncio.timeout_at(deadline.at):
            connection = await self._announced(sender, recipient)
        try:
            if deadline.over():  # asyncio.wait_for drops a cancellation that comes together with the server's 354
                raise TooLate
            await self._deliver(connection, mail)
        except BaseException:
            connection.close()
            raise
        self._keep(connection)

    async def _announced(self, sender: str, recipient: str) -> SMTP:
        """A connection whose server now waits for the mail's text."""
        while True:
            connection, kept = await self._connection()
            try:
                await connection.mail(sender)
                await connection.rcpt(recipient)
                reply = await connection.execute_command(b"DATA")
                if reply.code != SMTPStatus.start_input:
                    raise SMTPDataError(reply.code, reply.message)
            except (SMTPServerDisconnected, SMTPResponseException) as trouble:
                connection.close()
                if kept and (isinstance(trouble, SMTPServerDisconnected) or trouble.code == _CLOSING):
                    continue  # the server had enough of this connection, not of this mail
                raise
            except BaseException:
                connection.close()
                raise
            return connection

    async def _deliver(self, connection: SMTP, mail: bytes) -> None:
        """The text, and the verdict on it. Not by ``SMTP.data``: that waits as long for 354 as for the verdict.

        Nothing may be awaited before the text is written: its time could be over meanwhile.
        """
        if connection.protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        connection.protocol.write(_dots_doubled(mail) + b".\r\n")
        try:
            verdict = await connection.protocol.read_response(timeout=self._verdict_seconds)
        except (OSError, SMTPException):
            raise NoVerdict from None
        if verdict.code != SMTPStatus.completed:
            raise SMTPDataError(verdict.code, verdict.message)

    async def _connection(self) -> tuple[SMTP, bool]:
        while self._free:
            connection = self._free.pop()
            if connection.is_connected:
                return connection, True
            connection.close()
        fresh = SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._own_name,  # the machine's own name is nobody's business and may need a slow look-up
            timeout=self._command_seconds,
            start_tls=False if _is_this_machine(self._host) else None,
        )
        await fresh.connect()
        return fresh, False

    def _keep(self, connection: SMTP) -> None:
        self._free.append(connection)
        if self._idle:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.close)


def _why(code: int) -> Literal["mail_server_down", "mail_refused"]:
    return "mail_refused" if 500 <= code < 600 and code not in _SIGN_IN else "mail_server_down"


def _dots_doubled(mail: bytes) -> bytes:
    """RFC 5321 4.5.2: a line that is one dot would end the mail."""
    return mail.replace(b"\r\n.", b"\r\n..")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
