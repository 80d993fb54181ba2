"""A slow or silent mail server: its verdict is waited for, nothing is mailed again meanwhile, nobody piles up."""

import asyncio
from datetime import timedelta
from email import policy
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.notify import SendInvitation
from services.notify.mail import CONNECTIONS, Mailer
from tests.notify.outside import (
    TAKAHASHI,
    YOSHIDA,
    Process,
    Server,
    Slow,
    dawdling_server,
    free_port,
    mail_server,
    request,
    seconds,
)

SENT = ("sent", "")
LATER = ("not_sent", "mail_server_down")
TOO_LATE = ("not_sent", "too_late")
MAIL = b"From: a@kobayashi.example\r\n\r\n.\r\n..x\r\n"


def again_in_time(asked: SendInvitation, process: Process) -> SendInvitation:
    """Decided anew, as its asker does."""
    return asked.model_copy(update={"send_before": process.now() + timedelta(seconds=30)})


async def test_a_slow_verdict_is_waited_for_and_recorded_and_meanwhile_nothing_is_mailed_again(process: Process):
    server, asked = Slow(), request()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        first = asyncio.create_task(process.send(asked))
        await server.reached.wait()
        for _ in range(100):
            process.stage.pass_time(seconds=5)
            assert await process.send(again_in_time(asked, process)) == LATER, "at once, so that askers do not pile up"
        assert process.tally()["sent"] == 0
        server.go_on.set()
        assert await first == SENT, "long after the instant it had to be begun before"
        assert await process.send(asked) == SENT
    assert len(server.taken) == 1
    assert process.tally()["sent"] == 1


async def test_the_verdict_has_longer_than_a_command():
    server, port = Slow(), free_port()
    mailer = Mailer("127.0.0.1", port, "kobayashi.example", command_seconds=0.2)
    async with mail_server(server, port), asyncio.timeout(10):
        sending = asyncio.create_task(
            mailer.send("a@kobayashi.example", "takahashi@houkatsu.example", MAIL, seconds(5))
        )
        await server.reached.wait()
        done, _ = await asyncio.wait({sending}, timeout=0.5)
        assert not done
        server.go_on.set()
        assert await sending == ""
        mailer.close()


async def test_a_verdict_that_never_comes_is_given_up_and_its_connection_not_used_again():
    server, port = Slow(), free_port()
    mailer = Mailer("127.0.0.1", port, "kobayashi.example", verdict_seconds=0.2)
    async with mail_server(server, port), asyncio.timeout(10):
        assert await mailer.send("a@kobayashi.example", "takahashi@houkatsu.example", MAIL, seconds(5)) == "no_verdict"
        assert await mailer.send("a@kobayashi.example", "yoshida@shakyo.example", MAIL, seconds(5)) == ""
        mailer.close()
    assert len(server.taken) == 1


async def test_while_one_mail_to_a_person_is_held_up_the_next_to_them_is_asked_to_come_again(process: Process):
    server = Slow()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        first = asyncio.create_task(process.send(request()))
        await server.reached.wait()
        assert await process.send(request(send_before=process.now() + timedelta(seconds=0.2))) == TOO_LATE
        server.go_on.set()
        assert await first == SENT
    assert len(server.taken) == 1


async def test_while_every_connection_is_held_up_further_mails_are_asked_to_come_again(process: Process):
    people = [uuid4() for _ in range(CONNECTIONS)]
    for person in people:
        process.mailboxes[person] = process.mailboxes[TAKAHASHI]
    server = Slow()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        held = [asyncio.create_task(process.send(request(person=person))) for person in people]
        for _ in people:
            await server.arrived.acquire()
        late = request(person=YOSHIDA, send_before=process.now() + timedelta(seconds=0.2))
        assert await process.send(late) == TOO_LATE
        server.go_on.set()
        assert await asyncio.gather(*held) == [SENT] * CONNECTIONS
        assert await process.send(again_in_time(late, process)) == SENT


async def test_a_connection_lost_while_the_verdict_is_awaited_is_no_reason_to_mail_again_at_once(process: Process):
    class Leaving(Server):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            said = await super().handle_DATA(server, session, envelope)
            if len(self.taken) == 2:
                server.transport.abort()  # type: ignore[union-attr]
            return said

    server = Leaving()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        assert await process.send(request()) == SENT
        assert await process.send(request()) == LATER, "also over a connection that was kept"
    assert len(server.taken) == 2


async def test_a_line_that_is_one_dot_does_not_end_the_mail():
    server, port = Server(), free_port()
    mailer = Mailer("127.0.0.1", port, "kobayashi.example")
    async with mail_server(server, port):
        assert await mailer.send("a@kobayashi.example", "yoshida@shakyo.example", MAIL, seconds(5)) == ""
        mailer.close()
    assert server.taken[0].as_bytes(policy=policy.SMTP) == MAIL


@pytest.mark.parametrize(("command", "left", "why"), [(0.2, 5, "mail_server_down"), (60, 0.2, "too_late")])
async def test_a_mail_server_that_says_nothing_is_not_waited_for_for_long(command: float, left: float, why: str):
    heard, port = asyncio.Event(), free_port()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", port)
    mailer = Mailer("127.0.0.1", port, "kobayashi.example", command_seconds=command)
    async with server, asyncio.timeout(5):
        assert await mailer.send("a@kobayashi.example", "b@shakyo.example", MAIL, seconds(left)) == why
    assert heard.is_set()


async def test_a_server_that_dawdles_before_the_text_gets_none_of_it_once_its_time_is_over(process: Process):
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def dawdle() -> None:
        reached.set()
        await go_on.wait()

    asked = request(send_before=process.now() + timedelta(seconds=0.5))
    async with dawdling_server(process.settings.smtp_port, dawdle) as wire, asyncio.timeout(10):
        sending = asyncio.create_task(process.send(asked))
        await reached.wait()
        assert await sending == TOO_LATE, "though a command may take ten seconds"
        go_on.set()
        await wire.closed.wait()
    assert wire.heard == b""
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(again_in_time(asked, process)) == SENT
    assert len(server.taken) == 1


async def test_the_clock_of_whoever_set_the_time_counts_also_when_the_machine_slept_through_it(process: Process):
    async def sleep() -> None:
        process.stage.pass_time(seconds=31)

    async with dawdling_server(process.settings.smtp_port, sleep) as wire, asyncio.timeout(10):
        assert await process.send(request()) == TOO_LATE
        await wire.closed.wait()
    assert wire.heard == b""


async def test_a_354_that_comes_together_with_the_end_of_the_time_is_too_late():
    """Both stand in one round of the event loop: asyncio.wait_for then hands on the answer and drops the timeout."""
    port, written = free_port(), asyncio.Event()

    async def hold_up_everything() -> None:
        written.set()

    mailer = Mailer("127.0.0.1", port, "kobayashi.example")
    async with dawdling_server(port, hold_up_everything) as wire, asyncio.timeout(10):
        deadline = seconds(0.3)
        sending = asyncio.create_task(mailer.send("a@kobayashi.example", "yoshida@shakyo.example", MAIL, deadline))
        await written.wait()
        while not deadline.over():  # the loop stands still meanwhile, with 354 on its way
            pass
        assert await sending == "too_late"
        await wire.closed.wait()
    assert wire.heard == b""
