"""The mail server for what comes back, as a city's own mail server meets it: real connections on this machine."""

import asyncio
import logging
import smtplib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiosmtplib
import pytest

from contracts.mail_addresses import MailAddress
from services.mailin.listening import MOST_CONNECTIONS, CannotListen, listen
from services.settings import Settings
from tests.mailin.mails import DOMAIN, SENDER, TO_ANSWER, TO_BOUNCE, calendar, mail, parts
from tests.notify.outside import free_port

ANSWER = f"answer+{TO_ANSWER.token}@{DOMAIN}"
BOUNCE = f"bounce+{TO_BOUNCE.token}@{DOMAIN}"


class Taker:
    """Whatever is behind the mail server."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, MailAddress]] = []
        self.answers: Callable[[], bool] = lambda: True

    async def take(self, raw: bytes, to: MailAddress) -> bool:
        if self.answers():
            self.taken.append((raw, to))
            return True
        return False


@asynccontextmanager
async def listening(taker: Taker, protocol: str = "smtp") -> AsyncIterator[int]:
    settings = Settings.model_validate({"mail_in_port": free_port(), "mail_in_protocol": protocol})
    running = asyncio.create_task(listen(settings, DOMAIN, taker.take))
    try:
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(reachable, settings.mail_in_port):  # noqa: ASYNC110 - another's port
                await asyncio.sleep(0.01)
        yield settings.mail_in_port
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


async def hand_in(port: int, raw: bytes, to: str = ANSWER, sender: str = SENDER) -> int:
    """What the server says in the end."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="mx.example") as client:
        try:
            await client.sendmail(sender, [to], raw)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[0].code
        except aiosmtplib.SMTPResponseException as refused:
            return refused.code
    return 250


async def test_a_mail_to_an_address_of_ours_is_taken_with_what_the_address_says() -> None:
    taker, raw = Taker(), mail(calendar())
    async with listening(taker) as port:
        assert await hand_in(port, raw) == 250
        assert await hand_in(port, raw, BOUNCE, sender="") == 250
        assert await hand_in(port, raw, ANSWER.upper()) == 250
    assert [to for _, to in taker.taken] == [TO_ANSWER, TO_BOUNCE, TO_ANSWER]
    assert taker.taken[0][0].strip() == raw.strip()


async def test_a_mail_to_anybody_else_is_refused_before_its_text() -> None:
    taker = Taker()
    async with listening(taker) as port:
        for to in (f"kaigi@{DOMAIN}", f"answer+{TO_ANSWER.token}@elsewhere.example", f"answer@{DOMAIN}"):
            assert await hand_in(port, mail(calendar()), to) == 550
    assert taker.taken == []


async def test_a_mail_that_cannot_be_passed_on_is_left_with_whoever_has_it() -> None:
    taker = Taker()
    taker.answers = lambda: False
    async with listening(taker) as port:
        assert await hand_in(port, mail(calendar())) == 451
        taker.answers = lambda: True
        assert await hand_in(port, mail(calendar())) == 250


async def test_what_goes_wrong_inside_is_told_nobody_outside(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker()

    def broken() -> bool:
        raise RuntimeError(f"{SENDER} 髙橋")

    taker.answers = broken
    with caplog.at_level(logging.DEBUG):
        async with listening(taker) as port:
            assert await hand_in(port, mail(calendar())) == 451
    assert SENDER not in caplog.text
    assert "髙橋" not in caplog.text


async def test_thirty_megabytes_are_refused_before_they_are_sent() -> None:
    taker = Taker()
    async with listening(taker) as port:
        said = await asyncio.to_thread(announce, port, 30_000_000)
        assert said == 552
        large = parts(calendar().replace(b"END:VEVENT", b"X-A:" + b"a\r\n " * 3_000_000 + b"\r\nEND:VEVENT"))
        assert await hand_in(port, large) == 552, "and one that does not say so, while it is sent"
        assert await hand_in(port, mail(calendar())) == 250
    assert len(taker.taken) == 1


def announce(port: int, size: int) -> int:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo("mx.example")
        return client.docmd("MAIL", f"FROM:<{SENDER}> SIZE={size}")[0]


async def test_a_program_that_writes_a_whole_text_in_one_line_is_heard() -> None:
    taker = Taker()
    async with listening(taker) as port:
        assert (
            await hand_in(port, parts(calendar().replace(b"END:VEVENT", b"X-A:" + b"a" * 5_000 + b"\r\nEND:VEVENT")))
            == 250
        )


async def test_one_recipient_a_mail_so_that_each_has_a_verdict_of_its_own() -> None:
    taker = Taker()
    async with listening(taker) as port:
        refused = await asyncio.to_thread(to_two, port)
    assert refused == {BOUNCE: 452}
    assert [to for _, to in taker.taken] == [TO_ANSWER]


def to_two(port: int) -> dict[str, int]:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        return {to: code for to, (code, _) in client.sendmail(SENDER, [ANSWER, BOUNCE], mail(calendar())).items()}


async def test_a_mail_server_that_delivers_by_lmtp_is_served_as_well() -> None:
    taker = Taker()
    async with listening(taker, "lmtp") as port:
        assert await asyncio.to_thread(by_lmtp, port) == {}
    assert [to for _, to in taker.taken] == [TO_ANSWER]


def by_lmtp(port: int) -> dict[str, Any]:
    with smtplib.LMTP("127.0.0.1", port, timeout=10) as client:
        return client.sendmail(SENDER, [ANSWER], mail(calendar()))


async def test_whoever_keeps_connections_open_for_their_own_sake_shuts_nobody_out() -> None:
    taker = Taker()
    async with listening(taker) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS + 10)]
        assert await hand_in(port, mail(calendar())) == 250
        async with asyncio.timeout(10):
            while await idle[0][0].readline():
                pass
        for _, writer in idle:
            writer.close()


async def test_a_port_that_is_taken_is_named_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListen, match=f"ポート {port}.*KASANE_MAIL_IN_PORT"):
            await listen(Settings(mail_in_port=port), DOMAIN, Taker().take)
