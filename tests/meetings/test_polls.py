"""日程のうかがい: who is asked, how they answer, what counts, and that none of it tells of a case (M12, S17)."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from contracts.mail_addresses import mail_token
from contracts.mail_answers import ReportDelivery
from contracts.message import Compartment
from contracts.polls import AnswerPoll, LookAtPoll, OpenPoll, PollState
from contracts.proposing import DatesInHand
from services.meetings.polls_tables import poll_answer, poll_line, poll_seat
from services.meetings.tables import sitting
from tests.meetings.arranging_hands import Desk, at
from tests.meetings.sitting_hands import perform
from tests.meetings.stand_in import Hands, person, put_forward, withdrawn

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
FUKUSHI, SHAKYO, JIRITSU, KODOMO = (person(one) for one in ("fukushi", "shakyo", "jiritsu", "kodomo"))
WEDNESDAY, THURSDAY = at(25, "10:00"), at(26, "14:00")
TONIGHT = at(24, "17:00")


async def desk(hands: Hands, *, town_is_busy: bool = True) -> Desk:
    """An urgent item for which the calendars have no date, so that somebody asks."""
    event = put_forward(urgent=True)
    if town_is_busy:
        for one in range(3):  # nobody of 福祉課 has time by the calendar
            hands.town.is_away(person("fukushi", one), at(25, "00:00"), 24 * 40)
    hands.give(event)
    await hands.work()
    return Desk(hands, event)


def rows(hands: Hands, table: object) -> list[object]:
    return hands.stage.do(lambda tx: list(tx.execute(select(table))))  # type: ignore[call-overload]


@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_everybody_who_would_be_invited_is_asked_once_each_by_a_link_of_its_own(
    hands: Building, here: Compartment
) -> None:
    town = hands(here)
    one = await desk(town)
    await one.polled(WEDNESDAY, THURSDAY, until=TONIGHT)
    await town.work()
    asked = [mail.person for mail in town.town.polls.values()]
    assert len(asked) == len(set(asked))
    assert {FUKUSHI, JIRITSU, KODOMO} <= set(asked)
    assert len({mail.link for mail in town.town.polls.values()}) == len(asked)
    seen = one.sees(FUKUSHI)
    assert [line.starts for line in seen.lines] == [WEDNESDAY, THURSDAY]
    assert all(line.choice is None for line in seen.lines)


async def test_what_a_link_shows_is_times_and_the_deadline_and_nothing_else(hands: Building) -> None:
    one = await desk(hands(SHIEN))
    await one.polled(WEDNESDAY, until=TONIGHT)
    shown = one.sees(FUKUSHI).model_dump()
    assert set(shown) == {"found", "lines", "closes_at", "recorded"}
    assert set(shown["lines"][0]) == {"position", "starts", "ends", "choice"}


async def test_looking_changes_nothing_and_an_answer_may_be_changed_until_the_deadline(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(WEDNESDAY, THURSDAY, until=TONIGHT)
    one.sees(JIRITSU)
    assert rows(town, poll_answer) == []
    assert one.answers(JIRITSU, "yes", "no").recorded
    again = one.answers(JIRITSU, "no", "avoid")
    assert [line.choice for line in again.lines] == ["no", "avoid"]
    town.stage.time = TONIGHT
    assert not one.sees(JIRITSU).found
    assert not one.answers(JIRITSU, "yes", "yes").found


async def test_of_contradicting_answers_the_last_counts_and_both_are_kept_and_the_desk_is_told(
    hands: Building,
) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(WEDNESDAY, THURSDAY, until=TONIGHT)
    one.answers(JIRITSU, "yes", "no")
    town.stage.pass_time(minutes=5)
    standing = await one.standing()
    assert one.note(standing.poll, JIRITSU, ["no"]).done
    standing = await one.standing()
    said = [(said.position, said.choice, said.typed_by) for said in standing.said if said.person == JIRITSU]
    assert said == [(1, "yes", None), (2, "no", None), (1, "no", one.viewer)]
    (asked,) = [who for who in standing.asked if who.person == JIRITSU]
    assert asked.contradicts
    assert [line.choice for line in one.sees(JIRITSU).lines] == ["no", "no"]


async def test_the_same_answer_sent_twice_is_kept_once(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(WEDNESDAY, until=TONIGHT)
    one.answers(JIRITSU, "yes")
    one.answers(JIRITSU, "yes")
    assert len(rows(town, poll_answer)) == 1


async def test_a_telephone_answer_says_who_typed_it_in_and_is_taken_once_per_request(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(WEDNESDAY, until=TONIGHT)
    poll, request = (await one.standing()).poll, uuid4()
    assert one.note(poll, KODOMO, ["avoid"], request=request).done
    assert one.note(poll, KODOMO, ["avoid"], request=request).done
    assert not one.note(poll, KODOMO, ["yes"], request=request).done
    ((kept),) = rows(town, poll_answer)
    assert (kept.typed_by, kept.typed_for, kept.choice) == (one.viewer, "fukushi", "avoid")  # type: ignore[attr-defined]


async def test_after_the_deadline_the_telephone_still_counts_but_not_after_the_poll_is_closed(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(THURSDAY, until=TONIGHT)
    poll = (await one.standing()).poll
    town.stage.time = at(24, "18:00")
    await town.run_errand("compare_with_ledger")
    assert one.note(poll, KODOMO, ["yes"]).done
    assert one.close(poll).done
    refusal = one.note(poll, JIRITSU, ["yes"])
    assert not refusal.done
    assert "締め切られて" in refusal.reason
    assert refusal.next_step


@pytest.mark.parametrize(
    ("answering", "later", "what"),
    [
        ("all", False, "poll_complete"),
        ("none", True, "poll_nobody"),
        ("some", True, "poll_partial"),
    ],
)
async def test_the_coordinator_is_told_when_all_have_answered_or_the_deadline_has_passed(
    hands: Building, answering: str, later: bool, what: str
) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(THURSDAY, until=TONIGHT)
    wanted = DatesInHand.model_validate(one.who())
    assert town.stage.ask(wanted).cases == ()
    asked = [mail.person for mail in town.town.polls.values()]
    for who in {"all": asked, "some": asked[:1], "none": []}[answering]:
        one.answers(who, "yes")
    if later:
        town.stage.time = TONIGHT
        await town.run_errand("compare_with_ledger")
    (told,) = town.stage.ask(wanted).cases
    assert (told.case, told.what) == (one.event.case, what)


async def test_nobody_else_is_told_that_something_waits(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(THURSDAY, until=TONIGHT)
    town.stage.time = TONIGHT
    await town.run_errand("compare_with_ledger")
    other = DatesInHand.model_validate(one.who(viewer=JIRITSU, viewer_agency="jiritsu"))
    assert town.stage.ask(other).cases == ()
    assert town.stage.ask(DatesInHand()).cases == ()


async def test_while_people_are_asked_no_date_is_set_over_their_heads(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(THURSDAY, until=TONIGHT)
    town.town.busy.clear()  # now the calendars would have a date
    town.stage.pass_time(minutes=30)
    await town.work()
    assert rows(town, sitting) == []
    assert "うかがい" in (await one.item()).why


async def test_asked_twice_for_the_same_request_there_is_one_poll(hands: Building) -> None:
    town = hands(JUSO)
    one, request = await desk(town), uuid4()
    assert (await one.poll(THURSDAY, until=TONIGHT, request=request)).done
    assert (await one.poll(THURSDAY, until=TONIGHT, request=request)).done
    assert not (await one.poll(WEDNESDAY, until=TONIGHT, request=request)).done
    assert not (await one.poll(WEDNESDAY, until=TONIGHT)).done  # nor a second beside it
    assert len(rows(town, poll_line)) == 1


@pytest.mark.parametrize(
    ("starts", "until", "says"),
    [
        ([at(28, "10:00")], TONIGHT, "開庁"),  # a Saturday
        ([at(25, "16:30")], TONIGHT, "開庁"),  # would end after hours
        ([at(24, "15:00")], at(24, "14:00"), "開庁"),  # today
        ([at(1, "10:00", month=3)], TONIGHT, "開庁"),  # long ago
        ([at(25, "10:07")], TONIGHT, "開庁"),
        ([WEDNESDAY, WEDNESDAY + timedelta(minutes=15)], TONIGHT, "重な"),
        ([WEDNESDAY], at(25, "10:00"), "期限"),
        ([WEDNESDAY], at(24, "09:00"), "期限"),
    ],
)
async def test_a_poll_that_nobody_could_use_is_refused_with_the_rule_and_nothing_is_kept(
    hands: Building, starts: list[object], until: object, says: str
) -> None:
    town = hands(JUSO)
    one = await desk(town)
    refusal = await one.poll(*starts, until=until)  # type: ignore[arg-type]
    assert not refusal.done
    assert says in refusal.reason
    assert refusal.rule
    assert refusal.next_step
    assert rows(town, poll_line) == []
    assert rows(town, poll_seat) == []


def test_a_poll_with_more_lines_than_anybody_answers_is_no_poll() -> None:
    with pytest.raises(ValidationError):
        OpenPoll(item=uuid4(), request=uuid4(), starts=(THURSDAY,) * 13, closes_at=TONIGHT)


def test_one_answer_cannot_say_two_things_of_one_line() -> None:
    twice = [{"position": 1, "choice": "yes"}, {"position": 1, "choice": "no"}]
    with pytest.raises(ValidationError):
        AnswerPoll.model_validate({"link": "q3Vt8XyLwZ0aBn5-RkE_7uJcD2hGmS9f", "answers": twice})


async def test_an_answer_to_a_line_that_there_is_not_changes_nothing(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    await one.polled(THURSDAY, until=TONIGHT)
    assert not one.answers(JIRITSU, "yes", "yes").found
    assert rows(town, poll_answer) == []


async def test_only_whoever_holds_the_meeting_asks_and_types_in(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    stranger = {"viewer": JIRITSU, "viewer_agency": "jiritsu"}
    refusal = await one.poll(THURSDAY, until=TONIGHT, **stranger)
    assert not refusal.done
    assert refusal.rule == "S1"
    assert refusal.next_step
    await one.polled(THURSDAY, until=TONIGHT)
    poll = (await one.standing()).poll
    assert not one.note(poll, KODOMO, ["yes"], **stranger).done
    assert not one.note(poll, person("byouin"), ["yes"]).done  # who was not asked
    assert rows(town, poll_answer) == []
    assert not (await one.dates(**stranger)).found


@pytest.mark.rule("C11")
async def test_a_withdrawn_consent_kills_the_links_and_nobody_is_asked_any_more(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    assert (await one.poll(THURSDAY, until=TONIGHT)).done
    town.town.refusals[KODOMO] = "silent"
    await town.work()
    town.hear(withdrawn(one.event))
    assert not one.sees(JIRITSU).found
    del town.town.refusals[KODOMO]
    town.stage.pass_time(minutes=1)
    await town.work()
    assert KODOMO not in [mail.person for mail in town.town.polls.values()]
    assert not (await one.dates()).found


@pytest.mark.rule("S6")
async def test_whoever_lost_the_commission_is_not_asked_and_the_poll_is_complete_without(hands: Building) -> None:
    from contracts.commission import EndCommission

    town = hands(SHIEN, commissioned=False)
    made = dict(zip(("fukushi", "jiritsu", "kodomo"), town.commission("fukushi", "jiritsu", "kodomo"), strict=True))
    one = await desk(town)
    assert (await one.poll(THURSDAY, until=TONIGHT)).done
    town.stage.ask(EndCommission(commission=made["kodomo"]))
    await town.work()
    asked = {mail.person for mail in town.town.polls.values()}
    assert FUKUSHI in asked
    assert KODOMO not in asked
    for who in asked:
        one.answers(who, "yes")
    assert (await one.standing()).standing == "complete"


async def test_a_mail_that_cannot_be_sent_is_tried_again_and_says_so_when_it_never_can(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    town.town.refusals |= {KODOMO: "silent", JIRITSU: "no_address"}
    await one.polled(THURSDAY, until=TONIGHT)
    mails = {asked.person: asked.mail for asked in (await one.standing()).asked}
    assert (mails[KODOMO], mails[JIRITSU], mails[FUKUSHI]) == ("waiting", "not_sent", "sent")
    del town.town.refusals[KODOMO]
    town.stage.pass_time(minutes=1)
    await town.work()
    assert {asked.person: asked.mail for asked in (await one.standing()).asked}[KODOMO] == "sent"


async def test_a_forged_link_shows_the_same_as_one_that_is_over(hands: Building) -> None:
    town = hands(JUSO)
    assert town.stage.ask(LookAtPoll(link="q3Vt8XyLwZ0aBn5-RkE_7uJcD2hGmS9f")) == PollState(found=False)


async def test_an_item_that_goes_to_a_regular_meeting_has_no_dates_to_ask_for(hands: Building) -> None:
    town, event = hands(JUSO), put_forward()
    town.give(event)
    await town.work()
    refusal = await Desk(town, event).poll(THURSDAY, until=TONIGHT)
    assert not refusal.done
    assert refusal.rule == "M1"
    assert "定例" in refusal.reason


async def test_a_question_without_a_viewer_is_answered_by_nothing(hands: Building) -> None:
    town = hands(JUSO)
    one = await desk(town)
    asked = OpenPoll(item=one.event.about, request=uuid4(), starts=(THURSDAY,), closes_at=TONIGHT)
    assert not (await perform(town, asked)).done


async def test_whom_a_poll_did_not_reach_is_seen_with_why(hands: Building) -> None:
    town = hands(SHIEN)
    town.town.refusals = {FUKUSHI: "by_phone"}
    one = await desk(town)
    await one.polled(THURSDAY, until=at(25, "17:00"))
    mail = next(iter(town.town.polls.values()))
    assert mail.bounce_token == mail_token(town.settings.link_key, "bounce", SHIEN, mail.notice)
    for state, code in (("deferred", "4.4.1"), ("bounced", "5.1.1")):
        report = ReportDelivery.model_validate({"token": mail.bounce_token, "state": state, "code": code})
        assert town.stage.ask(report).known
    why = {who.person: (who.mail, who.why) for who in (await one.standing()).asked}
    assert why[FUKUSHI] == ("not_sent", "by_phone")
    assert why[mail.person] == ("not_sent", "bounced")
