"""Whose reply it is: only from the address the invitation went to, and whatever it is, notify keeps nothing of it."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.mail_addresses import mail_token
from contracts.mail_answers import MailAnswer, PassReply, ReplyTaken, Said, TakeReply
from contracts.message import Account, Compartment, Question
from services.notify.replying import take_reply
from services.service import AskFailed
from tests.notify.outside import NOBODY, SILVA, TAKAHASHI, Process, mail_server, request
from tests.notify.outside import Server as Mailbox

KEY = bytes(range(32))


class Window:
    """What the process asks, and what was passed on to the answer window."""

    def __init__(self, process: Process) -> None:
        self.passed: list[MailAnswer] = []
        self._ask, self.answers = process.ask, True
        process.ask = self.ask  # type: ignore[method-assign]

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        if not isinstance(question, PassReply):
            return await self._ask(question, to)
        if not self.answers:
            raise AskFailed("TimeoutError")
        self.passed.append(question.answer)
        return ReplyTaken(outcome="recorded")


def said(uid: UUID, sender: str, kind: Compartment = Compartment.JUSO) -> TakeReply:
    token = mail_token(KEY, "answer", kind, uid)
    return TakeReply(answer=MailAnswer(request=uuid4(), token=token, said=Said.ACCEPTED), sender=sender)


async def invited(process: Process, person: UUID = TAKAHASHI) -> UUID:
    asked = request(person=person)
    async with mail_server(Mailbox(), process.settings.smtp_port):
        await process.send(asked)
    return asked.uid


@pytest.mark.parametrize("kind", list(Compartment))
@pytest.mark.parametrize("sender", ["takahashi@houkatsu.example", "Takahashi@Houkatsu.EXAMPLE"])
async def test_a_reply_from_the_invited_address_is_passed_on_as_it_is(
    process: Process, kind: Compartment, sender: str
) -> None:
    window, uid = Window(process), await invited(process)
    asked = said(uid, sender, kind)
    assert (await take_reply(asked, process)).outcome == "recorded"
    assert window.passed == [asked.answer]


async def test_from_any_other_address_only_that_there_was_one_is_passed_on(process: Process) -> None:
    window, uid = Window(process), await invited(process)
    for sender in ("silva@hello-work.example", "", "takahashi@houkatsu.example.evil.example"):
        await take_reply(said(uid, sender), process)
    assert [one.said for one in window.passed] == [Said.OTHER_SENDER] * 3


async def test_a_reply_to_what_was_never_mailed_goes_nowhere(process: Process) -> None:
    window = Window(process)
    assert (await take_reply(said(uuid4(), "takahashi@houkatsu.example"), process)).outcome == "unknown"
    assert window.passed == []


async def test_whose_address_is_gone_from_the_directory_answers_nothing(process: Process) -> None:
    window, uid = Window(process), await invited(process, SILVA)
    process.mailboxes[SILVA] = process.mailboxes[NOBODY]
    await take_reply(said(uid, ""), process)
    assert [one.said for one in window.passed] == [Said.OTHER_SENDER]


async def test_while_window_or_directory_are_away_the_mail_is_left_with_whoever_has_it(process: Process) -> None:
    window, uid = Window(process), await invited(process)
    window.answers = False
    with pytest.raises(AskFailed):
        await take_reply(said(uid, "takahashi@houkatsu.example"), process)
    window.answers, process.directory_answers = True, False
    with pytest.raises(AskFailed):
        await take_reply(said(uid, "takahashi@houkatsu.example"), process)
    assert window.passed == []


async def test_replies_and_reports_come_back_to_addresses_of_their_own_and_people_still_write_to_the_office(
    process: Process,
) -> None:
    uid, notice = uuid4(), uuid4()
    tokens = [mail_token(KEY, "answer", Compartment.SHIEN, uid), mail_token(KEY, "bounce", Compartment.SHIEN, notice)]
    server = Envelopes()
    async with mail_server(server, process.settings.smtp_port):
        await process.send(request(uid=uid, notice=notice, answer_token=tokens[0], bounce_token=tokens[1]))
        await process.send(request())
    domain = process.profile.office_mail.rpartition("@")[2]
    organisers = [str(event["ORGANIZER"]) for _, event in server.calendars()]
    assert organisers == [f"mailto:answer+{tokens[0]}@{domain}", f"mailto:{process.profile.office_mail}"]
    assert server.senders == [f"bounce+{tokens[1]}@{domain}", process.profile.office_mail]
    assert all(process.profile.office_mail in str(mail["From"]) for mail in server.taken)
    assert all("Reply-To" not in mail for mail in server.taken)
    texts = [
        next(mail.walk()).get_payload()[0].get_payload()[0].get_payload(decode=True).decode() for mail in server.taken
    ]
    assert ["予定表の「承諾」「辞退」でお答えください。" in text for text in texts] == [True, False]


class Envelopes(Mailbox):
    """A mail server that also keeps who the envelopes say sends."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.senders.append(envelope.mail_from)
        return await super().handle_DATA(server, session, envelope)
