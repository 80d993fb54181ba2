"""Reminders and polls by each person's own channel; stopping reminders; what a mail server reports of them."""

import json
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from contracts.directory import Mailbox
from contracts.mail_addresses import compartment_of_mail, mail_token, read_address
from contracts.mail_answers import DeliveryTaken, PassDelivery, TakeDelivery
from contracts.message import Compartment, Question
from contracts.notify import LookAtReminders, RemindersWanted, SendPoll, WantReminders
from services.notify.reminding import take_delivery
from services.notify.tables import reminder
from services.service import AskFailed
from tests.notify.outside import LINK, TAKAHASHI, YOSHIDA, Process, Server, free_port, mail_server, request
from tests.notify.test_channels import hook
from tests.notify.test_dkim import verifies
from tests.notify.test_reminding import SENT, TODAY, later, text_of, wanted
from tests.stage import SOME_DAY

DOMAIN = "fukushi.kobayashi.example"


class Envelopes(Server):
    """Also keeps from whom each mail came."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.senders.append(envelope.mail_from or "")
        return await super().handle_DATA(server, session, envelope)


def poll(process: Process, **changes: Any) -> SendPoll:
    fields = {"notice": uuid4(), "person": TAKAHASHI, "link": LINK, "answer_by": SOME_DAY + timedelta(days=5)}
    return SendPoll.model_validate(fields | {"send_before": process.now() + timedelta(seconds=3)} | changes)


def stop_link(mail: Message) -> str:
    return mail["List-Unsubscribe"].strip("<>").rpartition("/")[2]


def look(process: Process, link: str) -> RemindersWanted:
    found: RemindersWanted = process.stage.ask(LookAtReminders(link=link))
    return found


def want(process: Process, link: str, *, yes: bool) -> RemindersWanted:
    found: RemindersWanted = process.stage.ask(WantReminders(link=link, wanted=yes))
    return found


# -- channels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channel", "why"), [("phone", "by_phone"), ("letter", "by_letter")])
async def test_whoever_is_told_by_hand_gets_neither_reminder_nor_poll_by_mail(
    process: Process, channel: Any, why: str
) -> None:
    process.mailboxes[TAKAHASHI] = process.mailboxes[TAKAHASHI].model_copy(update={"channel": channel})
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == ("not_sent", why)
        assert await process.send(poll(process)) == ("not_sent", why)
    assert not server.taken


@pytest.mark.rule("S17")
async def test_a_webhook_gets_the_link_of_a_reminder_and_of_a_poll_and_no_word_or_time(process: Process) -> None:
    async with hook() as other:
        process.mailboxes[TAKAHASHI] = Mailbox(channel="webhook", endpoint=other.address, name="髙橋 花子")
        assert await process.send(wanted()) == SENT
        assert await process.send(wanted()) == SENT
        assert await process.send(poll(process)) == SENT
    due, asked = (json.loads(body) for _, body in other.taken)
    assert (due["type"], set(due["data"])) == ("kaigi.due", {"link"})
    assert due["data"]["link"] == f"{process.settings.window_url}/desk"
    assert (asked["type"], asked["data"]) == ("kaigi.poll", {"link": f"{process.settings.window_url}/p/{LINK}"})


async def test_a_reminder_to_whoever_has_a_calendar_is_a_mail_and_no_entry(process: Process) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/takahashi/"
    found = {"channel": "caldav", "endpoint": nowhere}
    process.mailboxes[TAKAHASHI] = process.mailboxes[TAKAHASHI].model_copy(update=found)
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
    assert [mail.get_content_type() for mail in server.taken] == ["text/plain"]


# -- stopping ----------------------------------------------------------------------------------------------------------


async def test_a_reminder_says_how_to_stop_it_by_one_click_and_in_words_and_signs_that(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
    mail, raw = server.taken[0], server.raw[0]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail["List-Unsubscribe"].strip("<>")
    assert address == f"{process.settings.window_url}/reminders/{stop_link(mail)}"
    assert f"また受け取る(会議のご案内と取消しは止まりません):\r\n{address}\r\n" in text_of(mail)
    assert verifies(raw, process.settings.var)
    signed = {name.strip().lower() for name in mail["DKIM-Signature"].partition("h=")[2].partition(";")[0].split(":")}
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= signed  # RFC 8058 4


async def test_whoever_stopped_them_gets_none_until_they_want_them_again(process: Process) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        link = stop_link(server.taken[0])
        assert look(process, link) == RemindersWanted(found=True, wanted=True)
        for _ in range(2):
            assert want(process, link, yes=False) == RemindersWanted(found=True, wanted=False)
        more = later(process, days=1)
        assert await process.send(wanted(day=TODAY + timedelta(days=1), **more)) == ("not_sent", "declined")
        assert await process.send(wanted(person=YOSHIDA, **more)) == SENT
        assert want(process, link, yes=True) == RemindersWanted(found=True, wanted=True)
        assert await process.send(wanted(day=TODAY + timedelta(days=1), **more)) == SENT
    assert stop_link(server.taken[2]) == link
    assert stop_link(server.taken[1]) != link


async def test_invitations_cancellations_and_polls_go_to_whoever_stopped_reminders_and_offer_no_stopping(
    process: Process,
) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
        want(process, stop_link(server.taken.pop()), yes=False)
        asked = request()
        assert await process.send(asked) == SENT
        assert await process.send(poll(process)) == SENT
    assert len(server.taken) == 2
    assert not [mail for mail in server.taken if mail["List-Unsubscribe"] or mail["List-Unsubscribe-Post"]]


async def test_a_forged_link_finds_nobody_and_stops_nothing(process: Process) -> None:
    async with mail_server(Server(), process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
    assert look(process, LINK) == RemindersWanted(found=False)
    assert want(process, LINK, yes=False) == RemindersWanted(found=False)


# -- what comes back ---------------------------------------------------------------------------------------------------


class Window:
    """The answer window, which knows the tokens of the meetings."""

    def __init__(self, process: Process) -> None:
        self.process, self.asked, self.answers = process, list[PassDelivery](), True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.process, name)

    async def ask(self, question: Question[Any], to: Any = None) -> Any:
        if not self.answers:
            raise AskFailed("TimeoutError")
        assert isinstance(question, PassDelivery)
        self.asked.append(question)
        return DeliveryTaken(known=True)


async def reminded(process: Process) -> str:
    """Where reports on a reminder go: its token."""
    server = Envelopes()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(wanted()) == SENT
    address = read_address(server.senders[0], DOMAIN)
    assert address is not None
    assert address.use == "bounce"
    return address.token


async def test_a_reminder_that_bounced_is_said_to_have_to_whoever_asks_again_later(process: Process) -> None:
    token, window = await reminded(process), Window(process)
    for state, code in (("deferred", "4.4.1"), ("bounced", "5.1.1"), ("delivered", "2.0.0"), ("bounced", "5.1.1")):
        report = TakeDelivery.model_validate({"token": token, "state": state, "code": code})
        assert (await take_delivery(report, window)).known  # type: ignore[arg-type]
    assert not window.asked
    over = {"send_before": process.now() - timedelta(seconds=1)}
    assert await process.send(wanted(**over)) == ("not_sent", "bounced")
    assert await process.send(wanted(person=YOSHIDA, **over)) == ("not_sent", "too_late")


async def test_a_delayed_reminder_is_still_on_its_way(process: Process) -> None:
    token, window = await reminded(process), Window(process)
    report = TakeDelivery.model_validate({"token": token, "state": "deferred", "code": "4.4.1"})
    await take_delivery(report, window)  # type: ignore[arg-type]
    assert await process.send(wanted()) == SENT


@pytest.mark.rule("S17")
async def test_the_token_of_a_reminder_is_of_neither_kind_of_meeting(process: Process) -> None:
    token = await reminded(process)
    for key in (process.settings.link_key, process.settings.webhook_key):
        assert compartment_of_mail(key, "bounce", token) is None


async def test_a_report_on_anything_else_is_passed_to_the_window_and_left_while_that_is_away(process: Process) -> None:
    window = Window(process)
    token = mail_token(process.settings.link_key, "bounce", Compartment.JUSO, uuid4())
    report = TakeDelivery.model_validate({"token": token, "state": "bounced", "code": "5.1.1"})
    assert (await take_delivery(report, window)).known  # type: ignore[arg-type]
    assert [one.token for one in window.asked] == [token]
    window.answers = False
    with pytest.raises(AskFailed):
        await take_delivery(report, window)  # type: ignore[arg-type]


async def test_a_poll_comes_from_the_address_that_the_meetings_made_and_is_signed(process: Process) -> None:
    token = mail_token(process.settings.link_key, "bounce", Compartment.SHIEN, uuid4())
    server = Envelopes()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(poll(process, bounce_token=token)) == SENT
    assert server.senders == [f"bounce+{token}@{DOMAIN}"]
    assert message_from_bytes(server.raw[0])["DKIM-Signature"]


async def test_what_is_kept_of_a_reminder_is_no_address_and_no_link_to_answer(process: Process) -> None:
    await reminded(process)
    rows = process.stage.do(lambda tx: tx.execute(select(reminder)).all())
    assert "houkatsu.example" not in repr(rows)
