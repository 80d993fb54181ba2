"""Reminding: one mail per person and working day, in words that tell nothing, and rather none than two."""

import asyncio
from datetime import date, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from contracts.notify import SendReminder
from services.notify.tables import reminder
from services.service import AskFailed
from tests.notify.outside import NOBODY, TAKAHASHI, YOSHIDA, Died, Process, Server, Slow, mail_server, postbox
from tests.stage import SOME_DAY

TODAY = date(2026, 11, 24)
SENT = ("sent", "")


def wanted(**changes: Any) -> SendReminder:
    fields = {"person": TAKAHASHI, "day": TODAY, "send_before": SOME_DAY + timedelta(seconds=3)}
    return SendReminder.model_validate(fields | changes)


def later(process: Process, **how_long: float) -> dict[str, Any]:
    process.stage.pass_time(**how_long)
    return {"send_before": process.now() + timedelta(seconds=3)}


def text_of(mail: Message) -> str:
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def mails(folder: Path) -> list[Message]:
    return [message_from_bytes(path.read_bytes()) for path in folder.glob("*.eml")]


def kept(process: Process) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in process.stage.do(lambda tx: tx.execute(select(reminder)).all())]


@pytest.mark.rule("S17", "S3")
async def test_a_reminder_says_only_that_something_is_due_and_leads_to_the_page_of_both_desks(
    process: Process, folder: Path
) -> None:
    async with postbox(folder, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
    [mail] = mails(folder)
    assert mail.get_content_type() == "text/plain"
    text = text_of(mail)
    assert f"{process.settings.window_url}/desk\r\n" in text
    for telling in ("支援会議", "重層", "事案", "juso", "shien", "8081", "8082", "モニタリング", "委嘱", "件"):
        assert telling not in text + str(mail["Subject"]), telling
    assert mail["To"].endswith("<takahashi@houkatsu.example>")
    assert process.tally()["reminded"] == 1


@pytest.mark.rule("S17")
async def test_two_kinds_of_meeting_asking_on_one_day_are_one_mail_and_hear_the_same(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        assert await process.send(wanted(**later(process, hours=2))) == SENT
    assert len(server.taken) == 1
    assert process.tally()["reminded"] == 1


async def test_two_asking_at_the_same_moment_are_one_mail(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await asyncio.gather(*(process.send(wanted()) for _ in range(3))) == [SENT] * 3
    assert len(server.taken) == 1


async def test_another_person_and_another_day_are_other_mails(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        assert await process.send(wanted(person=YOSHIDA)) == SENT
        more = later(process, days=1)
        assert await process.send(wanted(day=TODAY + timedelta(days=1), **more)) == SENT
    assert len({mail["Message-ID"] for mail in server.taken}) == 3


async def test_the_mail_is_the_same_to_the_letter_whoever_asks(process: Process) -> None:
    """Bytes that differed by the asker would tell the kinds apart."""
    bodies = []
    for _ in range(2):
        server = Keeper()
        async with mail_server(server, process.settings.smtp_port):
            assert await process.send(wanted()) == SENT
        bodies.append(server.bodies)
        process.stage.do(lambda tx: tx.execute(reminder.delete()))
    assert len(bodies[0]) == 1
    assert bodies[0] == bodies[1]


class Keeper:
    """Keeps mails as the bytes they came as."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.bodies.append(bytes(envelope.original_content or b""))
        return "250 OK"


async def test_while_the_mail_server_is_down_it_is_said_and_goes_out_later_once(process: Process) -> None:
    assert await process.send(wanted()) == ("not_sent", "mail_server_down")
    assert kept(process) == []
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        assert await process.send(wanted()) == SENT
    assert len(server.taken) == 1


async def test_after_a_crash_behind_the_first_commit_it_is_not_mailed_a_second_time(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        process.commits_left = 1
        with pytest.raises(Died):
            await process.send(wanted())
        process.commits_left = None
        assert len(server.taken) == 1
        assert await process.send(wanted()) == SENT
    assert len(server.taken) == 1


async def test_nothing_goes_out_after_the_instant_it_had_to_be_sent_before(process: Process) -> None:
    server = Server()
    process.stage.pass_time(seconds=3)
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == ("not_sent", "too_late")
    assert not server.taken
    assert kept(process) == []


async def test_whoever_waits_behind_a_slow_mail_to_the_same_person_is_told_to_come_again(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.reminding.COMMAND_SECONDS", 0.05)
    slow = Slow()
    async with mail_server(slow, process.settings.smtp_port):
        first = asyncio.create_task(process.send(wanted()))
        await slow.reached.wait()
        assert await process.send(wanted()) == ("not_sent", "mail_server_down")
        slow.go_on.set()
        assert await first == SENT
        assert await process.send(wanted()) == SENT
    assert len(slow.taken) == 1


async def test_a_person_without_a_mailbox_is_said_to_have_none(process: Process) -> None:
    assert await process.send(wanted(person=NOBODY)) == ("not_sent", "no_address")
    assert kept(process) == []


async def test_without_the_directory_nothing_is_stored(process: Process) -> None:
    process.directory_answers = False
    with pytest.raises(AskFailed):
        await process.send(wanted())
    assert kept(process) == []


async def test_that_somebody_was_reminded_is_forgotten_after_a_week(process: Process) -> None:
    async with mail_server(Server(), process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        for days in (7, 8):
            more = later(process, days=days - (process.now() - SOME_DAY).days)
            assert await process.send(wanted(day=TODAY + timedelta(days=days), **more)) == SENT
            assert (TAKAHASHI, TODAY) in [row[:2] for row in kept(process)] or days == 8
    assert [row[1].day for row in kept(process)] == [1, 2]
