"""What notify meets outside itself in these tests: its process, the directory's answers, mail servers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session
from icalendar import Calendar, Event

from contracts.directory import Mailbox, MailboxOf
from contracts.message import Account, Question
from contracts.message import Event as Fact
from contracts.notify import SendCancellation, SendInvitation, SendPoll, SendReminder
from contracts.profile import Profile
from services.notify.domain import Cancellation, Invitation, Office
from services.notify.handlers import Asked, _mailers
from services.notify.mail import Deadline
from services.postbox import serve
from services.service import AskFailed, Tx
from services.settings import Settings
from tests.notify.judges import is_ours, judge
from tests.stage import SOME_DAY, Stage

TAKAHASHI, YOSHIDA, SILVA, NOBODY = (uuid4() for _ in range(4))
MAILBOXES = {
    TAKAHASHI: Mailbox(address="takahashi@houkatsu.example", name="髙橋 花子", agency="houkatsu-seibu"),
    YOSHIDA: Mailbox(address="yoshida@shakyo.example", name="𠮷田 﨑子", agency="shakyo"),
    SILVA: Mailbox(address="silva@hello-work.example", name='Maria "Mia" da Silva, PhD', agency="hellowork"),
    NOBODY: Mailbox(),
}
LINK = "AbCdEfGhIjKlMnOpQrStUvWxYz012345"
STARTS = datetime(2026, 12, 17, 5, 0, tzinfo=UTC)


def request(**changes: Any) -> SendInvitation:
    """An invitation asked for on SOME_DAY."""
    fields: dict[str, Any] = {
        "notice": uuid4(),
        "person": TAKAHASHI,
        "uid": uuid4(),
        "sequence": 0,
        "starts": STARTS,
        "ends": STARTS + timedelta(minutes=90),
        "place": "shiyakusho",
        "link": LINK,
        "answer_by": STARTS - timedelta(days=7),
        "send_before": SOME_DAY + timedelta(seconds=30),
    }
    return SendInvitation(**fields | changes)


def taking_back(asked: SendInvitation, **changes: Any) -> SendCancellation:
    """The cancellation of an invitation."""
    fields = asked.model_dump(exclude={"link", "answer_by"})
    return SendCancellation(**fields | {"notice": uuid4(), "sequence": asked.sequence + 1} | changes)


def letter_fields() -> dict[str, Any]:
    """What an invitation and a cancellation have in common."""
    return {
        "notice": uuid4(),
        "uid": uuid4(),
        "sequence": 0,
        "starts": STARTS,
        "ends": STARTS + timedelta(minutes=90),
        "made_at": SOME_DAY,
        "place": "小林市役所 第2会議室",
        "address": "takahashi@houkatsu.example",
        "name": "髙橋 花子",
        "office": Office("小林市 福祉課", "kaigi@fukushi.kobayashi.example", "0984-00-1100"),
    }


def invitation(**changes: Any) -> Invitation:
    """An invitation ready to be written."""
    own = {"answer_by": STARTS - timedelta(days=7), "link": f"http://127.0.0.1:8080/a/{LINK}"}
    return Invitation(**letter_fields() | own | changes)


def cancellation(**changes: Any) -> Cancellation:
    """A cancellation ready to be written."""
    return Cancellation(**letter_fields() | {"sequence": 1, "follows": uuid4()} | changes)


def seconds(left: float) -> Deadline:
    """A deadline so many seconds from now."""
    ends = asyncio.get_running_loop().time() + left
    return Deadline(lambda: ends - asyncio.get_running_loop().time())


@dataclass
class Process:
    """notify's process: its real store, the directory's answers, and nothing else. ``compartment`` is None for all."""

    stage: Stage
    settings: Settings
    mailboxes: dict[UUID, Mailbox] = field(default_factory=lambda: dict(MAILBOXES))
    directory_answers: bool = True
    commits_left: int | None = None
    """After so many commits the process dies."""
    compartment: None = None

    @property
    def profile(self) -> Profile:
        return self.stage.store.profile

    def now(self) -> datetime:
        return self.stage.time

    async def run(self, act: Callable[[Tx], Any]) -> Any:
        if self.commits_left is not None:
            if self.commits_left == 0:
                raise Died
            self.commits_left -= 1
        return self.stage.do(act)

    async def tell(self, act: Callable[[Tx], Iterable[Fact]]) -> None:
        self.stage.tell(act)

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        assert isinstance(question, MailboxOf)
        await asyncio.sleep(0)
        if not self.directory_answers:
            raise AskFailed("TimeoutError")
        return self.mailboxes[question.person]

    async def send(self, asked: Asked | SendReminder | SendPoll) -> tuple[str, str]:
        """What notify answers."""
        answer = await self.stage.store.service.answers_to[type(asked)].act(asked, self)
        return answer.outcome, answer.why

    def tally(self) -> dict[str, int]:
        return self.stage.store.counts()[3]


class Died(Exception):
    """The process is gone."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def postbox(folder: Path, port: int) -> AsyncIterator[None]:
    """The local mailbox, listening."""
    listening = asyncio.Event()
    running = asyncio.create_task(serve(folder, "127.0.0.1", port, listening.set))
    try:
        async with asyncio.timeout(5):
            await listening.wait()
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        close_kept_connections()


class Server:
    """A mail server that keeps what it takes, in order."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.raw: list[bytes] = []
        self.sessions: set[int] = set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.sessions.add(id(session))
        self.raw.append(envelope.original_content or b"")
        if is_ours(self.raw[-1]):
            judge(self.raw[-1])
        self.taken.append(message_from_bytes(envelope.original_content or b""))
        return "250 OK"

    def calendars(self) -> list[tuple[str, Event]]:
        """Method and event of each mail."""
        read = [Calendar.from_ical(list(mail.walk())[-1].get_payload(decode=True)) for mail in self.taken]
        return [(str(calendar.method), calendar.events[0]) for calendar in read]

    def sequences(self) -> list[tuple[str, int]]:
        return [
            (str(event["ATTENDEE"]).removeprefix("mailto:"), int(event["SEQUENCE"])) for _, event in self.calendars()
        ]


class Slow(Server):
    """Withholds its verdict on mails to 髙橋 until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.reached, self.arrived = asyncio.Event(), asyncio.Event(), asyncio.Semaphore(0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "takahashi@houkatsu.example" in envelope.rcpt_tos:
            self.reached.set()
            self.arrived.release()
            await self.go_on.wait()
        return await super().handle_DATA(server, session, envelope)


@dataclass
class Wire:
    """What a mail server hears that is asked to begin a mail's text."""

    heard: bytes = b""
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def dawdling_server(port: int, before_354: Callable[[], Awaitable[object]]) -> AsyncIterator[Wire]:
    """A mail server that does something else before it says 354. The wire has what came after DATA."""
    wire = Wire()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        async for line in reader:
            if line != b"DATA\r\n":
                writer.write(b"250 OK\r\n")
                continue
            await before_354()
            writer.write(b"354 go on\r\n")
            with suppress(ConnectionError):
                wire.heard += await reader.read()
            wire.closed.set()
        writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", port)
    try:
        yield wire
    finally:
        server.close()
        close_kept_connections()


@asynccontextmanager
async def mail_server(handler: object, port: int) -> AsyncIterator[None]:
    """Somebody else's mail server, answering as ``handler`` says."""
    connections: list[SMTP] = []

    def accept() -> SMTP:
        connections.append(SMTP(handler, hostname="mail.example"))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for connection in connections:
            if connection.transport is not None:
                connection.transport.close()
        close_kept_connections()


def close_kept_connections() -> None:
    mailer = _mailers.get(asyncio.get_running_loop())
    if mailer is not None:
        mailer.close()
