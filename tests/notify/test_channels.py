"""Channels: whoever has no mail, or wants their calendar or another system told, gets the same and no more."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from contracts.directory import Mailbox
from services.__main__ import main
from services.notify.channels import CALL_SECONDS, caldav_login, thin_payload, webhook_key, webhook_secret
from services.notify.tables import delivery
from services.settings import ProfileInvalid, Settings
from tests.notify.caldav_server import LOGIN, PASSWORD, CalDav, caldav_server
from tests.notify.judges import Entry, judge_calendar
from tests.notify.outside import (
    LINK,
    STARTS,
    TAKAHASHI,
    YOSHIDA,
    Process,
    Server,
    free_port,
    invitation,
    mail_server,
    request,
    taking_back,
)

SENT = ("sent", "")
LATER = ("not_sent", "mail_server_down")


@dataclass
class Hook:
    """Another office's HTTP server: keeps what is posted, and answers what it is told to."""

    port: int
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    silent: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/kaigi"

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.taken.append((headers, body))
        self.arrived.set()
        if self.silent:
            await reader.read()
        else:
            status = self.answers.pop(0) if self.answers else 204
            writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n".encode())
        writer.close()


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    one = Hook(free_port())
    server = await asyncio.start_server(one.serve_one, "127.0.0.1", one.port)
    try:
        yield one
    finally:
        server.close()


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDav]:
    with caldav_server(tmp_path_factory.mktemp("radicale")) as one:
        yield one


def by(process: Process, channel: str, endpoint: str = "", address: str = "takahashi@houkatsu.example") -> Process:
    process.mailboxes[TAKAHASHI] = Mailbox.model_validate(
        {"address": address, "name": "髙橋 花子", "channel": channel, "endpoint": endpoint}
    )
    return process


# -- webhook -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S17")
async def test_a_webhook_gets_a_link_and_a_time_and_nothing_else(process: Process) -> None:
    async with hook() as other:
        by(process, "webhook", other.address, address="")
        assert await process.send(request()) == SENT
    [(_, body)] = other.taken
    told = json.loads(body)
    assert set(told) == {"type", "timestamp", "data"}
    assert told["type"] == "kaigi.invited"
    assert told["data"] == {"link": f"{process.settings.window_url}/a/{LINK}", "starts": "2026-12-17T05:00:00Z"}


async def test_its_receiver_verifies_it_with_the_secret_that_the_command_prints(
    process: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    async with hook() as other:
        by(process, "webhook", other.address)
        process.stage.time = _now()
        assert await process.send(request(send_before=_now() + timedelta(seconds=30))) == SENT
    with pytest.raises(SystemExit):
        main(["mail", "webhook", other.address, "--var", str(process.settings.var)])
    secret = capsys.readouterr().out.strip()
    [(headers, body)] = other.taken
    assert Receiver(secret).verify(body.decode(), headers)["type"] == "kaigi.invited"
    with pytest.raises(WebhookVerificationError):
        Receiver(secret).verify(body.decode().replace("invited", "canceld"), headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(webhook_secret(webhook_key(b"k" * 32, other.address))).verify(body.decode(), headers)


async def test_a_repeat_has_the_same_id_and_a_cancellation_has_no_link(process: Process) -> None:
    async with hook() as other:
        by(process, "webhook", other.address)
        other.answers = [500]
        asked = request()
        assert await process.send(asked) == LATER
        assert await process.send(asked) == SENT
        assert await process.send(taking_back(asked)) == SENT
    ids = [headers["webhook-id"] for headers, _ in other.taken]
    assert ids[0] == ids[1] != ids[2]
    last = json.loads(other.taken[2][1])
    assert (last["type"], last["data"]["link"]) == ("kaigi.cancelled", "")


@pytest.mark.parametrize(
    ("status", "said"),
    [(410, "mail_refused"), (404, "mail_refused"), *((passing, "mail_server_down") for passing in (302, 429, 503))],
)
async def test_a_refusal_for_good_is_told_from_one_that_passes_and_no_redirect_is_followed(
    process: Process, status: int, said: str
) -> None:
    async with hook() as other:
        other.answers = [status]
        assert await by(process, "webhook", other.address).send(request()) == ("not_sent", said)
    assert len(other.taken) == 1


async def test_a_server_that_does_not_answer_is_left_soon_and_may_have_it(process: Process) -> None:
    async with hook() as other:
        other.silent = True
        by(process, "webhook", other.address)
        async with asyncio.timeout(CALL_SECONDS * 4):
            asked = request()
            assert await process.send(asked) == LATER
        other.silent = False
        assert await process.send(taking_back(asked)) == SENT, "perhaps it has it: it is taken back"


async def test_nobody_there_is_worth_another_try(process: Process) -> None:
    by(process, "webhook", f"http://127.0.0.1:{free_port()}/kaigi")
    asked = request()
    assert await process.send(asked) == LATER
    assert await process.send(taking_back(asked)) == ("not_sent", "never_invited")


def test_the_payload_names_neither_place_nor_person() -> None:
    told = invitation(name="髙橋 花子", place="小林市役所 第2会議室")
    assert thin_payload(told).isascii()
    assert b"houkatsu" not in thin_payload(told)


# -- CalDAV ------------------------------------------------------------------------------------------------------------


def with_login(process: Process, calendar: CalDav, tmp_path: Path) -> Process:
    keys = Settings(var=tmp_path).home / "keys"
    keys.mkdir(parents=True)
    server = calendar.calendar.split("/takahashi/")[0]
    (keys / "caldav.toml").write_text(f'["{server}"]\nuser = "{LOGIN}"\npassword = "{PASSWORD}"\n')
    process.settings = process.settings.model_copy(update={"var": tmp_path})
    return by(process, "caldav", calendar.calendar)


async def test_an_entry_comes_and_moves_and_goes_on_the_participants_server_beside_the_mail(
    process: Process, calendar: CalDav, tmp_path: Path
) -> None:
    with_login(process, calendar, tmp_path)
    server, asked = Server(), request()
    moved = request(
        uid=asked.uid, sequence=1, starts=STARTS + timedelta(days=7), ends=STARTS + timedelta(days=7, hours=1)
    )
    name = f"{asked.uid}.ics"
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        assert _entry(calendar, name).starts == STARTS
        assert await process.send(moved) == SENT
        assert _entry(calendar, name).starts == moved.starts
        assert await process.send(asked) == SENT, "it was sent, long ago"
        assert _entry(calendar, name).starts == moved.starts, "and is not put there again"
        assert await process.send(taking_back(moved)) == SENT
    assert calendar.get(name).status_code == 404
    assert name not in calendar.names()
    assert len(server.taken) == 3


async def test_the_entry_holds_no_link_to_answer(process: Process, calendar: CalDav, tmp_path: Path) -> None:
    with_login(process, calendar, tmp_path)
    asked = request()
    async with mail_server(Server(), process.settings.smtp_port):
        await process.send(asked)
    assert LINK not in calendar.get(f"{asked.uid}.ics").text.replace("\r\n ", "")


async def test_a_calendar_server_that_is_away_or_refuses_holds_no_mail_back(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port), hook() as other:
        other.answers = [403]
        for endpoint in (f"http://127.0.0.1:{free_port()}/kaigi/", other.address):
            assert await by(process, "caldav", endpoint).send(request()) == SENT
    assert len(server.taken) == 2


def test_a_login_is_for_its_own_server_only() -> None:
    logins = {
        "https://cal.example": {"user": "a", "password": "x"},
        "https://cal.example/b": {"user": "b", "password": "y"},
    }
    assert caldav_login(logins, "https://cal.example/c/") == ("a", "x")
    assert caldav_login(logins, "https://cal.example/b/c/") == ("b", "y")
    assert caldav_login(logins, "https://cal.example.evil.example/c/") is None


@pytest.mark.parametrize("text", ['["https://c.example"]\nuser = "a"\n', "password = [", 'x = "hemitsu"\n'])
def test_a_broken_file_of_logins_is_refused_without_what_it_holds(tmp_path: Path, text: str) -> None:
    keys = Settings(var=tmp_path).home / "keys"
    keys.mkdir(parents=True)
    (keys / "caldav.toml").write_text(text)
    with pytest.raises(ProfileInvalid) as refused:
        _ = Settings(var=tmp_path).caldav_logins
    assert "caldav.toml" in str(refused.value)
    assert "hemitsu" not in str(refused.value)


# -- by hand -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channel", "why"), [("phone", "by_phone"), ("letter", "by_letter")])
async def test_whoever_is_told_by_hand_gets_no_mail_and_is_also_told_of_the_cancellation_by_hand(
    process: Process, channel: str, why: str
) -> None:
    server, asked = Server(), request()
    async with mail_server(server, process.settings.smtp_port):
        by(process, channel, "0984-00-2201" if channel == "phone" else "")
        assert await process.send(asked) == ("not_sent", why)
        assert await process.send(asked) == ("not_sent", why)
        assert await process.send(taking_back(asked)) == ("not_sent", why)
        assert await process.send(request(uid=asked.uid)) == ("not_sent", "stale")
        assert await process.send(taking_back(request(person=YOSHIDA))) == ("not_sent", "never_invited")
    assert server.taken == []
    assert process.tally()["sent"] == 0
    rows = process.stage.do(lambda tx: tx.execute(select(delivery)).mappings().all())
    assert all("0984" not in str(dict(row)) for row in rows), "notify keeps no number"


async def test_who_then_wants_mail_gets_the_cancellation_by_mail(process: Process) -> None:
    server, asked = Server(), request()
    async with mail_server(server, process.settings.smtp_port):
        by(process, "phone", "0984-00-2201")
        await process.send(asked)
        by(process, "mail")
        assert await process.send(taking_back(asked)) == SENT
    assert len(server.taken) == 1


def _entry(calendar: CalDav, name: str) -> Entry:
    kept = calendar.get(name)
    assert kept.status_code == 200
    return judge_calendar(kept.content.replace(b"BEGIN:VCALENDAR\r\n", b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", 1))


def _now() -> datetime:
    return datetime.now(UTC)
