"""Replies and reports of delivery, as meetings takes them: what they set, and all that must set nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from contracts.mail_addresses import mail_token
from contracts.mail_answers import AnswerByMail, MailAnswer, ReportDelivery, Said
from contracts.meetings import AnswerByLink, SeatView, Sittings, SittingView
from contracts.message import Compartment
from contracts.notify import SendInvitation
from services.meetings.mail_rules import MOST_MAILS, SETS, Seated, Told, outcome_of
from services.meetings.tables import disclosure, mail_reply, seat
from tests.meetings.stand_in import Hands, put_forward, withdrawn
from tests.stage import SOME_DAY

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
BOTH = pytest.mark.parametrize("kind", list(Compartment))
Building = Callable[..., Hands]


async def invited(hands: Hands) -> SendInvitation:
    """A sitting, and the first of its invitations."""
    hands.give(put_forward(urgent=True))
    await hands.work()
    return next(iter(hands.town.mails.values()))


def sitting_of(hands: Hands) -> SittingView:
    (found,) = hands.stage.ask(Sittings(starts=SOME_DAY, ends=SOME_DAY + timedelta(days=400))).sittings
    return found


def seat_of(hands: Hands, mail: SendInvitation) -> SeatView:
    return next(one for one in sitting_of(hands).seats if one.person == mail.person)


def reply(mail: SendInvitation, said: Said = Said.ACCEPTED, **changes: Any) -> MailAnswer:
    facts = {"request": uuid4(), "token": mail.answer_token, "said": said, "sequence": mail.sequence}
    return MailAnswer.model_validate(facts | {"about": mail.starts, "stamp": SOME_DAY} | changes)


def comes(hands: Hands, answer: MailAnswer) -> str:
    return hands.stage.ask(AnswerByMail(answer=answer)).outcome


# -- answers -----------------------------------------------------------------------------------------------------------


@BOTH
async def test_a_reply_by_mail_answers_the_seat_it_was_sent_to_and_no_other(hands: Building, kind: Compartment) -> None:
    meetings = hands(kind)
    mail = await invited(meetings)
    assert comes(meetings, reply(mail)) == "recorded"
    answers = {one.person: one.answer for one in sitting_of(meetings).seats}
    assert answers.pop(mail.person) == "attend"
    assert set(answers.values()) == {"none"}
    assert comes(meetings, reply(mail, Said.DECLINED)) == "recorded"
    assert seat_of(meetings, mail).answer == "absent"


async def test_the_token_names_seat_and_compartment_and_the_notice_has_one_of_its_own(
    hands: Building, settings: Any
) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    assert mail.answer_token == mail_token(settings.link_key, "answer", JUSO, mail.uid)
    assert mail.bounce_token == mail_token(settings.link_key, "bounce", JUSO, mail.notice)


async def test_the_same_mail_twice_is_one_answer_even_after_another(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    first = reply(mail, Said.ACCEPTED)
    assert comes(juso, first) == "recorded"
    assert comes(juso, reply(mail, Said.DECLINED)) == "recorded"
    assert comes(juso, first) == "recorded", "what became of it then"
    assert seat_of(juso, mail).answer == "absent"


async def test_of_two_devices_the_one_that_answered_later_counts_however_the_mails_arrive(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    juso.stage.pass_time(hours=1)
    later, sooner = SOME_DAY + timedelta(minutes=2), SOME_DAY + timedelta(minutes=1)
    assert comes(juso, reply(mail, Said.DECLINED, stamp=later)) == "recorded"
    assert comes(juso, reply(mail, Said.ACCEPTED, stamp=sooner)) == "stale"
    assert seat_of(juso, mail).answer == "absent"


async def test_accepted_and_declined_within_a_second_the_one_that_arrives_later_counts(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    for said in (Said.ACCEPTED, Said.DECLINED, Said.ACCEPTED, Said.DECLINED):
        assert comes(juso, reply(mail, said)) == "recorded"
    assert seat_of(juso, mail).answer == "absent"


async def test_a_clock_that_runs_ahead_does_not_lock_later_answers_out(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    assert comes(juso, reply(mail, Said.DECLINED, stamp=SOME_DAY + timedelta(days=3000))) == "recorded"
    juso.stage.pass_time(minutes=1)
    assert comes(juso, reply(mail, Said.ACCEPTED, stamp=juso.stage.time)) == "recorded"
    assert seat_of(juso, mail).answer == "attend"


async def test_a_mail_written_before_the_answer_by_link_does_not_undo_it(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    juso.stage.pass_time(hours=1)
    juso.stage.ask(AnswerByLink(link=mail.link, answer="absent"))
    assert comes(juso, reply(mail, Said.ACCEPTED, stamp=SOME_DAY)) == "stale"
    assert seat_of(juso, mail).answer == "absent"
    assert comes(juso, reply(mail, Said.ACCEPTED, stamp=juso.stage.time)) == "recorded"


@BOTH
@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        ("wrong_sitting", {"sequence": 7}),
        ("wrong_sitting", {"instance": SOME_DAY}),
        ("stale", {"about": SOME_DAY}),
    ],
)
async def test_a_reply_to_another_date_instance_or_copy_sets_nothing(
    hands: Building, kind: Compartment, outcome: str, changes: dict[str, Any]
) -> None:
    meetings = hands(kind)
    mail = await invited(meetings)
    assert comes(meetings, reply(mail, **changes)) == outcome
    assert seat_of(meetings, mail).answer == "none"


async def test_a_reply_after_the_start_changes_nothing_any_more(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    juso.stage.time = mail.starts
    assert comes(juso, reply(mail)) == "over"
    juso.stage.pass_time(days=300)
    assert comes(juso, reply(mail)) == "over"
    assert seat_of(juso, mail).answer == "none"


async def test_whose_seat_was_taken_back_cannot_answer_it_any_more(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward(urgent=True)
    juso.give(one)
    await juso.work()
    mail = next(iter(juso.town.mails.values()))
    juso.hear(withdrawn(one))
    await juso.work()
    assert comes(juso, reply(mail)) == "over"
    assert juso.stage.do(lambda tx: set(tx.execute(select(seat.c.answer)).scalars())) == {"none"}


async def test_a_token_of_nobodys_is_unknown_and_kept_nowhere(hands: Building, settings: Any) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    assert comes(juso, reply(mail, token=mail_token(settings.link_key, "answer", JUSO, uuid4()))) == "unknown"
    assert rows(juso) == 0


def rows(hands: Hands) -> int:
    return hands.stage.do(lambda tx: tx.execute(select(func.count(mail_reply.c.request))).scalar_one())


@BOTH
@pytest.mark.parametrize("said", [one for one in Said if one not in SETS])
async def test_what_is_no_answer_leaves_the_seat_as_it_is(hands: Building, kind: Compartment, said: Said) -> None:
    meetings = hands(kind)
    mail = await invited(meetings)
    assert comes(meetings, reply(mail, Said.ACCEPTED)) == "recorded"
    assert comes(meetings, reply(mail, said)) == "noted"
    assert seat_of(meetings, mail).answer == "attend"


async def test_the_coordinator_sees_a_wish_for_another_time_until_an_answer_follows(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    wish = mail.starts + timedelta(days=1)
    comes(juso, reply(mail, Said.COUNTER, about=None, wish_starts=wish, wish_ends=wish + timedelta(hours=1)))
    found = seat_of(juso, mail)
    assert (found.mail, found.wish_starts, found.answer) == ("counter", wish, "none")
    assert sitting_of(juso).starts == mail.starts, "a wish moves nothing"
    juso.stage.pass_time(minutes=1)
    comes(juso, reply(mail, Said.ACCEPTED, stamp=juso.stage.time))
    assert seat_of(juso, mail).mail == ""
    assert seat_of(juso, mail).wish_starts is None


async def test_a_machine_that_answers_itself_fills_no_store_and_locks_nobody_out(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    outcomes = [comes(juso, reply(mail, Said.UNREADABLE)) for _ in range(MOST_MAILS + 5)]
    assert outcomes[-5:] == ["full"] * 5
    assert rows(juso) == MOST_MAILS
    assert comes(juso, reply(mail)) == "recorded"


# -- sent again --------------------------------------------------------------------------------------------------------


async def test_whoever_asks_for_the_invitation_gets_it_again_as_a_newer_copy_decided_anew(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    before = len(juso.town.mails)
    juso.stage.pass_time(hours=2)
    assert comes(juso, reply(mail, Said.REFRESH)) == "noted"
    await juso.work()
    again = [one for one in juso.town.mails.values() if one.person == mail.person and one.notice != mail.notice]
    assert [(one.uid, one.sequence, one.answer_token) for one in again] == [(mail.uid, 1, mail.answer_token)]
    assert len(juso.town.mails) == before + 1
    registered = select(func.count(disclosure.c.person)).where(disclosure.c.person == mail.person)
    assert juso.stage.do(lambda tx: tx.execute(registered).scalar_one()) == 1, "the same sharing, one row"
    assert comes(juso, reply(mail, Said.REFRESH)) == "noted"
    await juso.work()
    assert len(juso.town.mails) == before + 1, "not again within the hour"
    assert comes(juso, reply(mail)) == "recorded", "the older copy is of the same date"
    assert juso.stage.ask(AnswerByLink(link=mail.link, answer="absent")).answer == "absent"


@BOTH
@pytest.mark.parametrize("said", [Said.COUNTER, Said.DELEGATED])
@pytest.mark.rule("S6")
async def test_a_wish_for_another_time_or_person_is_answered_by_the_invitation_as_it_stands(
    hands: Building, kind: Compartment, said: Said
) -> None:
    meetings = hands(kind)
    mail = await invited(meetings)
    meetings.stage.pass_time(hours=2)
    assert comes(meetings, reply(mail, said, about=None)) == "noted"
    await meetings.work()
    (again,) = [one for one in meetings.town.mails.values() if one.sequence == 1]
    assert (again.person, again.starts, again.uid) == (mail.person, mail.starts, mail.uid)
    assert seat_of(meetings, mail).mail == said, "the coordinator still has to decide"
    assert {one.person for one in sitting_of(meetings).seats} == {one.person for one in meetings.town.mails.values()}


async def test_an_old_copy_that_does_not_say_which_date_it_is_of_answers_nothing_once_there_is_a_newer(
    hands: Building,
) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    juso.stage.pass_time(hours=2)
    comes(juso, reply(mail, Said.REFRESH))
    await juso.work()
    assert comes(juso, reply(mail, about=None)) == "stale"
    assert comes(juso, reply(mail, about=None, sequence=1)) == "recorded"


async def test_whose_consent_is_withdrawn_meanwhile_gets_nothing_again(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward(urgent=True)
    juso.give(one)
    await juso.work()
    mail, before = next(iter(juso.town.mails.values())), len(juso.town.mails)
    juso.stage.pass_time(hours=2)
    comes(juso, reply(mail, Said.REFRESH))
    juso.hear(withdrawn(one))
    await juso.work()
    assert len(juso.town.mails) == before


# -- reports of delivery -----------------------------------------------------------------------------------------------


def reported(hands: Hands, mail: SendInvitation, state: str, code: str) -> bool:
    asked = {"token": mail.bounce_token, "state": state, "code": code}
    return bool(hands.stage.ask(ReportDelivery.model_validate(asked)).known)


@BOTH
async def test_the_coordinator_sees_how_far_each_invitation_got(hands: Building, kind: Compartment) -> None:
    meetings = hands(kind)
    mail = await invited(meetings)
    assert seat_of(meetings, mail).delivery == "accepted"
    for state, code in (("deferred", "4.4.1"), ("bounced", "5.1.1")):
        assert reported(meetings, mail, state, code)
        assert seat_of(meetings, mail).delivery == state
    others = {one.delivery for one in sitting_of(meetings).seats if one.person != mail.person}
    assert others == {"accepted"}
    assert comes(meetings, reply(mail)) == "recorded"
    assert seat_of(meetings, mail).delivery == "answered"


async def test_a_report_that_comes_late_does_not_undo_the_end(hands: Building) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    for state, code in (("bounced", "5.1.1"), ("deferred", "4.4.1"), ("delivered", "2.0.0")):
        assert reported(juso, mail, state, code)
        assert seat_of(juso, mail).delivery == "bounced"


async def test_a_report_of_no_notice_of_ours_is_kept_nowhere(hands: Building, settings: Any) -> None:
    juso = hands(JUSO)
    mail = await invited(juso)
    token = mail_token(settings.link_key, "bounce", JUSO, uuid4())
    assert not reported(juso, mail.model_copy(update={"bounce_token": token}), "bounced", "5.1.1")
    assert {one.delivery for one in sitting_of(juso).seats} == {"accepted"}


async def test_what_was_not_sent_says_why_and_what_is_tried_again_too(hands: Building) -> None:
    juso = hands(JUSO)
    juso.give(put_forward(urgent=True))
    refused: dict[UUID, str] = {one.person: "mail_server_down" for one in juso.town.staff}
    juso.town.refusals = refused
    await juso.work()
    assert {(one.delivery, one.why) for one in sitting_of(juso).seats} == {("retrying", "mail_server_down")}
    juso.town.refusals = dict.fromkeys(refused, "mail_refused")
    juso.stage.pass_time(minutes=10)
    await juso.work()
    assert {(one.delivery, one.why) for one in sitting_of(juso).seats} == {("not_sent", "mail_refused")}


# -- every order of events ---------------------------------------------------------------------------------------------

instants = st.integers(0, 60 * 24 * 30).map(lambda minutes: SOME_DAY + timedelta(minutes=minutes))


@given(
    st.sampled_from(list(Said)),
    st.integers(0, 3),
    st.none() | instants,
    st.none() | instants,
    st.none() | instants,
    st.lists(st.builds(Told, st.integers(0, 3), st.booleans()), max_size=4),
    st.booleans(),
    instants,
)
def test_a_seat_is_set_only_by_an_answer_to_the_date_it_stands_for_and_before_it_begins(
    said: Said,
    sequence: int,
    stamp: datetime | None,
    about: datetime | None,
    instance: datetime | None,
    told: list[Told],
    cancelled: bool,
    now: datetime,
) -> None:
    starts = SOME_DAY + timedelta(days=20)
    facts = {"request": uuid4(), "token": "a" * 39, "said": said, "sequence": sequence, "stamp": stamp}
    answer = MailAnswer.model_validate(facts | {"about": about, "instance": instance})
    if outcome_of(answer, Seated(starts, cancelled, None), told, now) == "recorded":
        assert said in SETS
        assert not cancelled
        assert now < starts
        assert about in (None, starts)
        assert instance in (None, starts)
        assert all(sequence > one.sequence for one in told if one.takes_back)
        assert about == starts or all(sequence >= one.sequence for one in told)
