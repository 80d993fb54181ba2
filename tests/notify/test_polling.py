"""日程のうかがい by mail: the same neutral words for both kinds of meeting, once per notice, and never too late."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from contracts.notify import SendPoll
from services.notify.tables import poll_mail
from services.service import AskFailed
from tests.notify.outside import NOBODY, TAKAHASHI, YOSHIDA, Process, Server, mail_server, postbox
from tests.notify.test_reminding import mails, text_of
from tests.stage import SOME_DAY

LINK = "q3Vt8XyLwZ0aBn5-RkE_7uJcD2hGmS9f"
SENT = ("sent", "")


def wanted(number: int = 1, **changes: Any) -> SendPoll:
    fields = {"notice": UUID(int=number), "person": TAKAHASHI, "link": LINK}
    fields |= {"answer_by": SOME_DAY + timedelta(hours=7), "send_before": SOME_DAY + timedelta(seconds=3)}
    return SendPoll.model_validate(fields | changes)


def kept(process: Process) -> list[Any]:
    return list(process.stage.do(lambda tx: tx.execute(select(poll_mail)).all()))


@pytest.mark.rule("S17")
async def test_a_poll_asks_for_times_and_says_nothing_else(process: Process, folder: Path) -> None:
    async with postbox(folder, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
    [mail] = mails(folder)
    assert mail.get_content_type() == "text/plain"
    text = text_of(mail)
    assert f"{process.settings.window_url}/p/{LINK}\r\n" in text
    assert "回答期限: 令和8年11月24日(火) 17:00" in text
    for telling in ("支援会議", "重層", "事案", "juso", "shien", "8081", "8082", "議題", "委嘱", "緊急"):
        assert telling not in text + str(mail["Subject"]), telling
    assert mail["To"].endswith("<takahashi@houkatsu.example>")


async def test_the_same_notice_is_one_mail_however_often_it_is_asked_for(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        answers = await asyncio.gather(*(process.send(wanted()) for _ in range(3)))
        assert SENT in answers
        assert await process.send(wanted()) == SENT
        assert await process.send(wanted(2, person=YOSHIDA)) == SENT
    assert len(server.taken) == 2


async def test_while_the_mail_server_is_down_it_is_said_and_goes_out_later_once(process: Process) -> None:
    assert await process.send(wanted()) == ("not_sent", "mail_server_down")
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        assert await process.send(wanted()) == SENT
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"send_before": SOME_DAY}, "too_late"),
        ({"answer_by": SOME_DAY}, "too_late"),
        ({"person": NOBODY}, "no_address"),
    ],
)
async def test_what_comes_too_late_or_reaches_nobody_is_not_mailed(
    process: Process, changes: dict[str, Any], why: str
) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted(**changes)) == ("not_sent", why)
    assert server.taken == []
    assert kept(process) == []


async def test_without_the_directory_nothing_is_stored_and_nothing_sent(process: Process) -> None:
    process.directory_answers = False
    with pytest.raises(AskFailed):
        await process.send(wanted())
    assert kept(process) == []


async def test_what_was_mailed_is_forgotten_after_its_deadline(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        process.stage.pass_time(days=1)
        now = process.now()
        later = {"answer_by": now + timedelta(days=1), "send_before": now + timedelta(seconds=3)}
        assert await process.send(wanted(2, **later)) == SENT
    assert [row.notice for row in kept(process)] == [UUID(int=2)]
