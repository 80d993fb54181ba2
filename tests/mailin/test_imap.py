"""A mailbox that is looked through: what is passed on, what is marked, and that it stays as it is otherwise.

The mailbox's server is a few lines that speak IMAP4rev1 (RFC 9051) to the library's client: there is none to be had.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from imaplib import IMAP4

import pytest
from pydantic import SecretStr

from contracts.mail_addresses import MailAddress
from contracts.mail_answers import TakeReply
from services.mailin.answers import question_of
from services.mailin.imap import look
from services.mailin.reading import MOST_OCTETS, Came
from services.settings import Settings
from tests.mailin.mails import DOMAIN, TO_ANSWER, calendar, mail


class Mailbox:
    """What lies in a city's mailbox."""

    def __init__(self, *mails: bytes) -> None:
        self.mails, self.seen, self.fetched = list(mails), set[int](), list[int]()
        self.commands: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        async for line in reader:
            tag, _, command = line.decode().rstrip("\r\n").partition(" ")
            self.commands.append(command)
            answer, verdict = self.answer(command)
            writer.write(answer + f"{tag} {verdict} done\r\n".encode())
            await writer.drain()
        writer.close()

    def answer(self, command: str) -> tuple[bytes, str]:
        verb = command.upper()
        if verb.startswith("CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n", "OK"
        if verb.startswith("LOGIN") and '"hiiragi-2026"' not in command:
            return b"", "NO wrong"
        if verb.startswith("SELECT"):
            return f"* {len(self.mails)} EXISTS\r\n".encode(), "OK [READ-WRITE]"
        if verb.startswith("UID SEARCH"):
            unseen = [str(uid) for uid in range(1, len(self.mails) + 1) if uid not in self.seen]
            return f"* SEARCH {' '.join(unseen)}\r\n".encode(), "OK"
        if found := re.match(r"UID FETCH (\d+) \((.*)\)", command):
            return self.fetch(int(found[1]), found[2]), "OK"
        if found := re.match(r"UID STORE (\d+) \+FLAGS.SILENT \(\\Seen\)", command):
            self.seen.add(int(found[1]))
        return b"", "OK"

    def fetch(self, uid: int, what: str) -> bytes:
        raw = self.mails[uid - 1]
        if what == "RFC822.SIZE":
            return f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(raw)})\r\n".encode()
        assert what == "BODY.PEEK[]", "anything else would mark it as read"
        self.fetched.append(uid)
        return f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"


@asynccontextmanager
async def serving(box: Mailbox, login: str = "hiiragi-2026") -> AsyncIterator[Settings]:
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0, limit=MOST_OCTETS)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Settings(imap_host="127.0.0.1", imap_port=port, imap_user="kaigi", imap_password=SecretStr(login))
    finally:
        server.close()


class Passed:
    """Whatever is behind."""

    def __init__(self, *, answers: bool = True) -> None:
        self.asked: list[TakeReply] = []
        self.answers = answers

    async def __call__(self, came: Came, to: MailAddress) -> bool:
        found = question_of(came, to)
        if self.answers and isinstance(found, TakeReply):
            self.asked.append(found)
        return self.answers


async def test_what_is_new_is_passed_on_marked_as_read_and_left_where_it_is() -> None:
    box, passed = Mailbox(mail(calendar()), mail(calendar())), Passed()
    async with serving(box) as settings:
        assert await look(settings, DOMAIN, passed) == 2
        assert await look(settings, DOMAIN, passed) == 0
    assert [one.answer.token for one in passed.asked] == [TO_ANSWER.token] * 2
    assert box.seen == {1, 2}
    assert not any(word in command for command in box.commands for word in ("Deleted", "EXPUNGE", "MOVE"))


async def test_what_cannot_be_passed_on_is_new_the_next_time_too() -> None:
    box, passed = Mailbox(mail(calendar())), Passed(answers=False)
    async with serving(box) as settings:
        assert await look(settings, DOMAIN, passed) == 0
        assert box.seen == set()
        passed.answers = True
        assert await look(settings, DOMAIN, passed) == 1


async def test_mail_to_somebody_else_is_passed_over() -> None:
    other = mail(calendar()).replace(TO_ANSWER.token.encode(), b"x")
    box, passed = Mailbox(other), Passed()
    async with serving(box) as settings:
        assert await look(settings, DOMAIN, passed) == 1
    assert passed.asked == []


async def test_a_mail_that_is_too_large_is_not_fetched() -> None:
    box, passed = Mailbox(mail(calendar()) + b"a" * MOST_OCTETS, mail(calendar())), Passed()
    async with serving(box) as settings:
        assert await look(settings, DOMAIN, passed) == 2
    assert box.fetched == [2]
    assert len(passed.asked) == 1


async def test_a_wrong_password_is_an_error_that_does_not_repeat_it() -> None:
    async with serving(Mailbox(), "kusunoki-2026") as settings:
        with pytest.raises(IMAP4.error) as wrong:
            await look(settings, DOMAIN, Passed())
    assert "kusunoki" not in str(wrong.value)
    assert "kusunoki" not in repr(settings)
