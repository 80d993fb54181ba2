"""Sending: once per notice, in order per person, never too late, and always an honest answer."""

import asyncio
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from icalendar import Calendar
from sqlalchemy import select

from contracts.directory import Mailbox
from contracts.notify import SendInvitation
from services.notify.tables import delivery
from services.service import AskFailed
from tests.notify.outside import (
    NOBODY,
    SILVA,
    TAKAHASHI,
    YOSHIDA,
    Died,
    Process,
    Server,
    Slow,
    mail_server,
    postbox,
    request,
)

SENT = ("sent", "")
LATER = ("not_sent", "mail_server_down")


def mails(folder: Path) -> list[Message]:
    return [message_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]


async def test_an_invitation_goes_out_and_lands_in_the_mailbox_of_the_person(process: Process, folder: Path):
    async with postbox(folder, process.settings.smtp_port):
        assert await process.send(request()) == SENT
    [mail] = mails(folder)
    assert mail["To"].endswith("<takahashi@houkatsu.example>")
    assert mail.get_content_type() == "multipart/mixed"
    assert len(list(mail.walk())) == 6
    assert process.tally() == {"sent": 1, "cancelled": 0, "recipients": 1, "reminded": 0}
    assert process.stage.store.counts()[2] == 0


async def test_the_same_notice_asked_again_is_answered_but_not_mailed_again(process: Process):
    server, asked = Server(), request()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        assert await process.send(asked) == SENT
    assert len(server.taken) == 1


async def test_the_same_notice_asked_twice_at_the_same_time_is_mailed_once(process: Process):
    server, asked = Server(), request()
    async with mail_server(server, process.settings.smtp_port):
        assert await asyncio.gather(*(process.send(asked) for _ in range(3))) == [SENT, LATER, LATER]
        assert await process.send(asked) == SENT
    assert len(server.taken) == 1


async def test_what_went_out_is_said_to_have_gone_out_also_when_it_is_asked_late(process: Process):
    asked = request()
    async with mail_server(Server(), process.settings.smtp_port):
        assert await process.send(asked) == SENT
        process.stage.pass_time(days=1)
        assert await process.send(asked) == SENT


async def test_nothing_goes_out_after_the_instant_it_had_to_be_sent_before(process: Process):
    server = Server()
    process.stage.pass_time(seconds=31)
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(request()) == ("not_sent", "too_late")
    assert not server.taken


async def test_while_the_mail_server_is_down_the_asker_is_told_and_later_it_is_sent_once(
    process: Process, folder: Path
):
    asked = request()
    assert await process.send(asked) == ("not_sent", "mail_server_down")
    assert await process.send(asked) == ("not_sent", "mail_server_down")
    assert process.tally() == {"sent": 0, "cancelled": 0, "recipients": 0, "reminded": 0}
    async with postbox(folder, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        assert await process.send(asked) == SENT
    assert len(mails(folder)) == 1


@pytest.mark.parametrize(
    ("step", "reply", "why"),
    [
        *((step, "550 5.1.1 no such person", "mail_refused") for step in ("RCPT", "DATA")),
        *((step, "450 4.2.1 try later", "mail_server_down") for step in ("MAIL", "RCPT", "DATA")),
        *((step, "421 4.3.2 closing", "mail_server_down") for step in ("MAIL", "RCPT", "DATA")),
        *((step, "530 5.7.0 authentication required", "mail_server_down") for step in ("MAIL", "RCPT", "DATA")),
        ("MAIL", "550 5.7.1 we do not know you", "mail_server_down"),
        ("EHLO", "550 5.7.1 we do not know you", "mail_server_down"),
    ],
)
async def test_a_refusal_of_the_recipient_and_a_server_that_will_not_work_for_us_are_told_apart(
    process: Process, step: str, reply: str, why: str
):
    class Refusing(Server):
        def __init__(self) -> None:
            super().__init__()
            setattr(self, f"handle_{step}", self._refuse)
            if step == "EHLO":
                self.handle_HELO = self._refuse

        async def _refuse(self, *told: object) -> object:
            return [reply] if step == "EHLO" and len(told) == 5 else reply

    async with mail_server(Refusing(), process.settings.smtp_port):
        assert await process.send(request()) == ("not_sent", why)
        assert await process.send(request(person=YOSHIDA)) == ("not_sent", why)
    assert process.tally()["sent"] == 0


async def test_a_server_that_greets_with_a_refusal_counts_as_down(process: Process):
    async def unwilling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 5.3.2 no service here\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(unwilling, "127.0.0.1", process.settings.smtp_port)
    async with server, asyncio.timeout(5):
        assert await process.send(request()) == LATER


async def test_one_refused_person_does_not_keep_the_next_from_being_invited(process: Process):
    class Choosy(Server):
        async def handle_RCPT(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            if address.startswith("yoshida"):
                return "550 5.1.1 no such person"
            envelope.rcpt_tos.append(address)
            return "250 OK"

    server = Choosy()
    async with mail_server(server, process.settings.smtp_port):
        answers = [await process.send(request(person=person)) for person in (TAKAHASHI, YOSHIDA, SILVA)]
    assert answers == [SENT, ("not_sent", "mail_refused"), SENT]
    assert len(server.taken) == 2


async def test_many_mails_share_one_connection_and_an_ended_one_is_replaced_without_a_loss(process: Process):
    class Tired(Server):
        async def handle_MAIL(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            if sum(one == id(session) for one in self.mails_of) == 3:
                asyncio.get_running_loop().call_soon(server.transport.close)  # type: ignore[union-attr]
                return "421 4.7.0 enough for one connection"
            self.mails_of.append(id(session))
            envelope.mail_from = address
            return "250 OK"

        def __init__(self) -> None:
            super().__init__()
            self.mails_of: list[int] = []

    server = Tired()
    async with mail_server(server, process.settings.smtp_port):
        assert [await process.send(request()) for _ in range(7)] == [SENT] * 7
    assert len(server.taken) == 7
    assert len(server.sessions) == 3


async def test_an_older_sequence_behind_a_newer_one_is_refused_as_stale(process: Process):
    server, uid = Server(), uuid4()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(request(uid=uid, sequence=1)) == SENT
        assert await process.send(request(uid=uid, sequence=0)) == ("not_sent", "stale")
        assert await process.send(request(uid=uid, sequence=1, person=YOSHIDA)) == SENT
        assert await process.send(request(uid=uid, sequence=2)) == SENT
        assert await process.send(request(sequence=0)) == SENT
    assert [sequence for _, sequence in server.sequences()] == [1, 1, 2, 0]


async def test_mails_to_one_person_keep_their_order_while_others_need_not_wait(process: Process):
    server, uid = Slow(), uuid4()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        waiting = [asyncio.create_task(process.send(request(uid=uid, sequence=one))) for one in range(3)]
        await server.reached.wait()
        assert await process.send(request(person=YOSHIDA)) == SENT
        server.go_on.set()
        assert await asyncio.gather(*waiting) == [SENT] * 3
    assert server.sequences() == [("yoshida@shakyo.example", 0)] + [
        ("takahashi@houkatsu.example", one) for one in range(3)
    ]


@pytest.mark.parametrize(
    "address", ["", "someone", "a@b.example\r\nRCPT TO:<x@evil.example>", "a@b.example, c@d.example"]
)
async def test_a_person_without_a_usable_address_is_not_mailed(process: Process, address: str):
    server = Server()
    process.mailboxes[NOBODY] = Mailbox(address=address, name="連絡先なし")
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(request(person=NOBODY)) == ("not_sent", "no_address")
        process.mailboxes[NOBODY] = Mailbox(address="new@shakyo.example")
        assert await process.send(request(person=NOBODY)) == SENT
    assert [mail["To"] for mail in server.taken] == ["<new@shakyo.example>"]


async def test_a_line_break_in_a_name_or_a_place_adds_nothing_to_the_mail(process: Process):
    evil = "花子\r\nBcc: x@evil.example\r\n\r\nATTENDEE:mailto:x@evil.example\u2028"
    process.mailboxes[TAKAHASHI] = Mailbox(address="takahashi@houkatsu.example", name=evil)
    profile = process.profile
    places = tuple(place.model_copy(update={"name": f"{place.name}{evil}"}) for place in profile.places)
    process.stage.store.profile = profile.model_copy(update={"places": places})
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(request(place=places[0].code)) == SENT
    [mail] = server.taken
    assert mail["Bcc"] is None
    text = list(mail.walk())[2].get_payload(decode=True).decode()
    assert text.splitlines()[0] == "花子 Bcc: x@evil.example ATTENDEE:mailto:x@evil.example 様"
    assert [line for line in text.splitlines() if "evil" in line and line.startswith("場所: ")]
    assert text.count("\r\n") == len(text.splitlines())
    assert server.sequences() == [("takahashi@houkatsu.example", 0)]


async def test_a_crash_after_the_server_took_it_can_only_repeat_the_same_mail(process: Process, folder: Path):
    asked = request(sequence=4)
    async with postbox(folder, process.settings.smtp_port):
        process.commits_left = 1
        with pytest.raises(Died):
            await process.send(asked)
        [first] = mails(folder)
        assert process.tally()["sent"] == 0
        process.commits_left = None
        process.stage.pass_time(seconds=5)
        assert await process.send(asked) == SENT
    [again] = mails(folder)
    assert again["Message-ID"] == first["Message-ID"]
    events = [Calendar.from_ical(list(mail.walk())[-1].get_payload(decode=True)).events[0] for mail in (first, again)]
    assert events[0]["UID"] == events[1]["UID"]
    assert events[0]["SEQUENCE"] == events[1]["SEQUENCE"] == 4


async def test_a_crash_before_the_server_took_it_loses_nothing(process: Process, folder: Path):
    asked = request()
    process.commits_left = 0
    async with postbox(folder, process.settings.smtp_port):
        with pytest.raises(Died):
            await process.send(asked)
        assert not mails(folder)
        process.commits_left = None
        assert await process.send(asked) == SENT
    assert len(mails(folder)) == 1


async def test_while_the_directory_does_not_answer_nothing_is_stored_and_the_asker_hears_it(process: Process):
    process.directory_answers = False
    with pytest.raises(AskFailed):
        await process.send(request())
    assert process.stage.do(lambda tx: tx.execute(select(delivery)).all()) == []


async def test_the_store_holds_no_address_link_name_time_or_place(process: Process, folder: Path):
    asked: SendInvitation = request()
    async with postbox(folder, process.settings.smtp_port):
        assert await process.send(asked) == SENT
    [row] = process.stage.do(lambda tx: tx.execute(select(delivery)).mappings().all())
    assert dict(row) == {
        "notice": asked.notice,
        "person": asked.person,
        "uid": asked.uid,
        "method": "REQUEST",
        "sequence": 0,
        "begun_at": process.now(),
        "handed": True,
        "sent_at": process.now(),
    }
