"""A slow or silent mail server: its verdict is waited for, nothing is mailed again meanwhile, nobody piles up."""

import asyncio
from datetime import timedelta
from email import policy
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notify.mail import CONNECTIONS, Mailer
from tests.notify.outside import TAKAHASHI, YOSHIDA, Process, Server, Slow, free_port, mail_server, request

SENT = ("sent", "")
LATER = ("not_sent", "mail_server_down")
MAIL = b"From: a@kobayashi.example\r\n\r\n.\r\n..x\r\n"


async def test_a_slow_verdict_is_waited_for_and_recorded_and_meanwhile_nothing_is_mailed_again(process: Process):
    server, asked = Slow(), request()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        first = asyncio.create_task(process.send(asked))
        await server.reached.wait()
        for _ in range(100):
            process.stage.pass_time(seconds=5)
            again = asked.model_copy(update={"send_before": process.now() + timedelta(seconds=30)})
            assert await process.send(again) == LATER, "at once, so that askers do not pile up"
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
        sending = asyncio.create_task(mailer.send("a@kobayashi.example", "takahashi@houkatsu.example", MAIL, 1))
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
        assert await mailer.send("a@kobayashi.example", "takahashi@houkatsu.example", MAIL, 1) == "mail_server_down"
        assert await mailer.send("a@kobayashi.example", "yoshida@shakyo.example", MAIL, 1) == ""
        mailer.close()
    assert len(server.taken) == 1


async def test_while_one_mail_to_a_person_is_held_up_the_next_to_them_is_asked_to_come_again(process: Process):
    server = Slow()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        first = asyncio.create_task(process.send(request()))
        await server.reached.wait()
        assert await process.send(request(send_before=process.now() + timedelta(seconds=0.2))) == LATER
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
        assert await process.send(late) == LATER
        server.go_on.set()
        assert await asyncio.gather(*held) == [SENT] * CONNECTIONS
        assert await process.send(late) == SENT


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
        assert await mailer.send("a@kobayashi.example", "yoshida@shakyo.example", MAIL, 1) == ""
        mailer.close()
    assert server.taken[0].as_bytes(policy=policy.SMTP) == MAIL


async def test_a_mail_server_that_says_nothing_is_not_waited_for_for_long():
    heard, port = asyncio.Event(), free_port()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", port)
    mailer = Mailer("127.0.0.1", port, "kobayashi.example", command_seconds=0.2)
    async with server, asyncio.timeout(5):
        assert await mailer.send("a@kobayashi.example", "b@shakyo.example", MAIL, 1) == "mail_server_down"
    assert heard.is_set()
