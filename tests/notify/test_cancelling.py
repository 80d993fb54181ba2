"""Taking invitations back: behind every invitation, before none, to whoever may have one, in words that say nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from contracts.directory import Mailbox
from services.notify.handlers import Asked
from services.notify.tables import delivery
from services.service import AskFailed
from tests.notify.outside import (
    STARTS,
    TAKAHASHI,
    YOSHIDA,
    Process,
    Server,
    Slow,
    dawdling_server,
    mail_server,
    request,
    taking_back,
)

SENT = ("sent", "")
STALE = ("not_sent", "stale")
NEVER_INVITED = ("not_sent", "never_invited")
LATER = ("not_sent", "mail_server_down")


class Unwilling(Server):
    """Says the next of its replies to a mail's text, and takes it when there are none left."""

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self.replies = list(replies)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not self.replies:
            return await super().handle_DATA(server, session, envelope)
        reply = self.replies.pop(0)
        if reply == "gone":
            server.transport.abort()  # type: ignore[union-attr]
        return reply


async def test_a_cancellation_goes_to_the_person_invited_and_stands_below_the_invitation(process: Process):
    server, asked = Server(), request()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        taken_back = taking_back(asked)
        assert await process.send(taken_back) == SENT
        assert await process.send(taken_back) == SENT, "asked again"
    invited, cancelled = server.taken
    assert cancelled["To"] == invited["To"]
    assert cancelled["In-Reply-To"] == cancelled["References"] == invited["Message-ID"]
    (_, first), (method, last) = server.calendars()
    assert (method, last["STATUS"], last["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)
    assert (last["UID"], last.start, last.end) == (first["UID"], first.start, first.end)
    assert process.tally() == {"sent": 1, "cancelled": 1, "recipients": 1, "reminded": 0}


async def test_it_stands_below_the_newest_invitation(process: Process):
    server, asked = Server(), request()
    moved = asked.model_copy(update={"notice": uuid4(), "sequence": 1})
    async with mail_server(server, process.settings.smtp_port):
        for one in (asked, moved, taking_back(moved)):
            assert await process.send(one) == SENT
    assert server.taken[-1]["In-Reply-To"] == server.taken[1]["Message-ID"]


async def test_whoever_was_never_invited_gets_no_mail_and_no_invitation_after_it(process: Process):
    server, asked = Server(), request(sequence=1)
    async with mail_server(server, process.settings.smtp_port):
        taken_back = taking_back(asked)
        assert await process.send(taken_back) == NEVER_INVITED
        assert await process.send(asked) == STALE
        assert await process.send(taken_back) == NEVER_INVITED
        invited = request(uid=uuid4())
        assert await process.send(invited) == SENT
        assert await process.send(taking_back(invited, person=YOSHIDA)) == NEVER_INVITED
    assert len(server.taken) == 1
    assert process.tally()["cancelled"] == 0


@pytest.mark.parametrize(
    ("replies", "perhaps_invited"),
    [
        (["550 5.1.1 no such person"], False),
        (["450 4.2.1 try later", "554 5.6.0 refused"], False),
        (["gone"], True),
        (["gone", "554 5.6.0 refused"], True),
    ],
)
async def test_only_whoever_may_have_an_invitation_gets_its_cancellation(
    process: Process, replies: list[str], perhaps_invited: bool
):
    server, asked = Unwilling(*replies), request()
    async with mail_server(server, process.settings.smtp_port):
        for _ in replies:
            assert (await process.send(asked))[0] == "not_sent"
        assert await process.send(taking_back(asked)) == (SENT if perhaps_invited else NEVER_INVITED)
    assert len(server.taken) == perhaps_invited


async def test_an_invitation_that_never_got_to_its_text_needs_no_cancellation(process: Process):
    asked = request()
    assert await process.send(asked) == LATER, "nobody listens"

    async def pass_time() -> None:
        process.stage.pass_time(minutes=1)

    async with dawdling_server(process.settings.smtp_port, pass_time), asyncio.timeout(10):
        assert await process.send(asked) == ("not_sent", "too_late")
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(taking_back(asked, send_before=STARTS)) == NEVER_INVITED
    assert not server.taken


async def test_a_cancellation_that_could_not_be_mailed_holds_back_invitations_and_is_mailed_when_asked_again(
    process: Process,
):
    asked = request()
    server = Unwilling()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        late = taking_back(asked, send_before=process.now())
        assert await process.send(late) == ("not_sent", "too_late")
        again = asked.model_copy(update={"notice": uuid4(), "sequence": 1})
        assert await process.send(again) == STALE
        process.mailboxes[TAKAHASHI] = Mailbox()
        assert await process.send(taking_back(asked)) == ("not_sent", "no_address")
        process.mailboxes[TAKAHASHI] = process.mailboxes[YOSHIDA]
        in_time = late.model_copy(update={"send_before": STARTS})
        server.replies.append("450 4.2.1 try later")
        assert await process.send(in_time) == LATER
        assert await process.send(in_time) == SENT
        assert await process.send(again.model_copy(update={"sequence": 2})) == SENT, "a new invitation, above it"
    assert [method for method, _ in server.calendars()] == ["REQUEST", "CANCEL", "REQUEST"]


async def test_a_cancellation_waits_for_the_invitation_that_is_being_mailed(process: Process):
    server, asked = Slow(), request()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(10):
        inviting = asyncio.create_task(process.send(asked))
        await server.reached.wait()
        taking = asyncio.create_task(process.send(taking_back(asked)))
        moving = asyncio.create_task(process.send(asked.model_copy(update={"notice": uuid4(), "sequence": 1})))
        assert await process.send(request(person=YOSHIDA)) == SENT
        assert not taking.done()
        server.go_on.set()
        assert await asyncio.gather(inviting, taking, moving) == [SENT, SENT, STALE]
    assert [method for method, _ in server.calendars()] == ["REQUEST", "REQUEST", "CANCEL"]


async def test_while_the_directory_does_not_answer_nothing_is_stored_of_a_cancellation(process: Process):
    process.directory_answers = False
    with pytest.raises(AskFailed):
        await process.send(taking_back(request()))
    assert process.stage.do(lambda tx: tx.execute(select(delivery)).all()) == []


async def test_a_notice_of_an_invitation_is_no_notice_of_a_cancellation(process: Process):
    server, asked = Server(), request()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        with pytest.raises(IntegrityError):
            await process.send(taking_back(asked, notice=asked.notice))
    assert len(server.taken) == 1


def orders(counted: Counter[str]) -> Iterator[list[str]]:
    """Every order of a multiset, once."""
    if not counted.total():
        yield []
    for one in sorted(+counted):
        for rest in orders(counted - Counter([one])):
            yield [one, *rest]


async def test_in_every_order_with_repeats_the_last_mail_is_the_cancellation_and_none_undoes_a_newer(process: Process):
    """The calendar of a program that looks at no SEQUENCE and takes whatever came last."""
    server, outcomes = Server(), set()
    async with mail_server(server, process.settings.smtp_port), asyncio.timeout(300):
        for order in orders(Counter({"first": 2, "moved": 2, "cancel": 2})):
            server.taken.clear()
            first = request()
            moved = first.model_copy(update={"notice": uuid4(), "sequence": 1})
            steps: dict[str, Asked] = {"first": first, "moved": moved, "cancel": taking_back(moved)}
            answers = [await process.send(steps[one]) for one in order]
            mailed = server.calendars()
            sequences = [int(event["SEQUENCE"]) for _, event in mailed]
            assert sequences == sorted(set(sequences)), order
            assert not mailed or mailed[-1][0] == "CANCEL", order
            assert len(mailed) == len({one for one, answer in zip(order, answers, strict=True) if answer == SENT}), (
                order
            )
            assert (answers[order.index("cancel")] == NEVER_INVITED) == (not mailed), order
            outcomes.add(tuple(sequences))
    assert outcomes == {(), (0, 2), (1, 2), (0, 1, 2)}


async def mail_of(process: Process, place: str, **own: Any) -> bytes:
    """What lands in the mailbox, as bytes: asked for by one compartment or the other, notify cannot tell."""
    server, asked = Server(), request(place=place, **own)
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(asked) == SENT
        assert await process.send(taking_back(asked, notice=UUID(int=asked.notice.int + 1))) == SENT
    [_, cancelled] = server.taken
    return cancelled.as_bytes()


async def test_two_cancellations_to_one_person_are_byte_for_byte_the_same_but_for_notice_and_uid(process: Process):
    """Whichever compartment asked, for whatever reason: the question has no field that could say it."""
    place = process.profile.places[0].code
    juso = {"notice": UUID(int=1 << 100), "uid": UUID(int=7 << 120)}
    shien = {"notice": UUID(int=3 << 100), "uid": UUID(int=5 << 120)}
    process.stage.pass_time(seconds=1)
    one, other = await mail_of(process, place, **juso), await mail_of(process, place, **shien)
    assert one != other
    assert reduced(one, juso) == reduced(other, shien)


def reduced(mail: bytes, own: dict[str, UUID]) -> list[bytes]:
    """Headers and decoded parts, without the references that every mail has to itself and the hashes over them."""
    message = message_from_bytes(mail)
    signed, _, _ = message["DKIM-Signature"].partition("bh=")
    message.replace_header("DKIM-Signature", signed)
    texts = [str(message.items()).encode()]
    texts += [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    notice = own["notice"]
    for reference in (own["uid"], notice, UUID(int=notice.int + 1)):
        texts = [text.replace(str(reference).encode(), b"-").replace(reference.hex.encode(), b"-") for text in texts]
    return texts
