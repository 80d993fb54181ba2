"""Reminders of one compartment on both engines: whom, when, why not, and never twice for a day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.directory import StaffView
from contracts.erasure import EraseCase, EraseReason
from contracts.life import Step
from contracts.message import Compartment
from contracts.notify import SendReminder, Sent
from contracts.permit import Redeem, ReportSpent
from contracts.preparing import AnswerInquiry, AskAgency, Subject
from contracts.profile import Deadlines
from services.audit import audit
from services.coordination import reminding
from services.coordination.tables import disclosure, reminder, reminder_ground
from services.service import AskFailed
from tests.coordination.stand_in import (
    CHIEF,
    COORDINATOR,
    COUNSELLOR,
    OFFICER,
    Hands,
    commissioned,
    consented,
    without_consent,
)
from tests.coordination.test_answering import answer_the_referrer
from tests.coordination.test_life import DAY, act
from tests.coordination.test_living import ALL, EVERYBODY, case_in, hold, take

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
SUCCESSOR = UUID(int=0xD1)
MONDAY = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)
"""09:00 in Japan, the day before a referral of 24 November is to be answered (T9), which is reminded of by then."""


def person(ref: UUID, agency: str, *posts: str, **more: Any) -> StaffView:
    values = {"person": ref, "name": "髙橋 美穂", "agency": agency, "posts": posts, "network": "lgwan"}
    return StaffView.model_validate(values | more)


def in_office(hands: Hands, *more: StaffView) -> None:
    hands.staff = [
        person(CHIEF, "fukushi", "representative"),
        person(OFFICER, "fukushi", "officer"),
        person(COORDINATOR, "shakyo", "officer"),
        *more,
    ]


async def at(hands: Hands, moment: datetime) -> list[UUID]:
    """What the errands have mailed at a moment, all that is told by then known."""
    hands.stage.time = moment
    before = len(hands.reminded)
    await hands.errands()
    return [one.person for one in hands.reminded[before:]]


def states(hands: Hands) -> dict[UUID, str]:
    rows = hands.stage.do(lambda tx: tx.execute(select(reminder.c.person, reminder.c.state)).all())
    return {row.person: row.state for row in rows}


def grounds(hands: Hands) -> list[UUID]:
    return list(hands.stage.do(lambda tx: tx.execute(select(reminder_ground.c.about)).scalars()))


@pytest.fixture(params=[JUSO, SHIEN])
async def ready(hands: Ready, request: pytest.FixtureRequest) -> tuple[Hands, UUID]:
    """A case of either compartment, opened on 24 November, and an office with people in it."""
    one = hands(request.param)
    in_office(one)
    return one, await case_in(one)


def told(hands: Hands) -> UUID:
    """Who is responsible: the 多機関協働事業者; in shien the office, for which alone the desk is open (F13)."""
    return COORDINATOR if hands.compartment is JUSO else OFFICER


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("T9", "S17")
async def test_who_carries_the_case_is_told_once_a_working_day_in_office_hours_only(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    assert await at(hands, MONDAY - timedelta(minutes=1)) == []
    assert await at(hands, MONDAY) == [told(hands)]
    assert await at(hands, MONDAY + timedelta(hours=4)) == []
    assert await at(hands, MONDAY + timedelta(hours=8)) == []
    assert await at(hands, MONDAY + timedelta(days=1)) == [told(hands)]
    assert [one.day for one in hands.reminded] == [date(2026, 12, 7), date(2026, 12, 8)]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 12, 12, 1, tzinfo=UTC),
        datetime(2026, 12, 30, 1, tzinfo=UTC),
        datetime(2027, 1, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 7, 8, tzinfo=UTC),
    ],
    ids=["Saturday", "closed by the city", "成人の日", "at closing time"],
)
async def test_nobody_is_told_while_the_office_is_closed(ready: tuple[Hands, UUID], moment: datetime) -> None:
    hands, _ = ready
    assert await at(hands, moment) == []
    assert states(hands) == {}


async def test_what_is_due_later_than_the_days_before_is_not_told_yet(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    assert await at(hands, MONDAY - timedelta(days=3)) == []
    assert states(hands) == {}


async def test_a_city_can_do_without(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    hands.profile = hands.profile.model_copy(update={"deadlines": Deadlines(remind=False)})
    assert await at(hands, MONDAY) == []


async def test_many_cases_of_one_person_are_one_mail(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    for _ in range(3):
        await case_in(juso)
    assert await at(juso, MONDAY) == [COORDINATOR]


# -- who ---------------------------------------------------------------------------------------------------------------


async def test_whoever_acted_last_is_told_while_still_there_else_who_stands_in(ready: tuple[Hands, UUID]) -> None:
    hands, case = ready
    await take(hands, case, act(Step.ASSESS), 0, OFFICER)
    late = datetime(2027, 1, 5, 1, tzinfo=UTC)
    assert await at(hands, late) == [OFFICER]
    hands.staff = [one for one in hands.staff if one.person != OFFICER]
    in_turn = [COORDINATOR] if hands.compartment is JUSO else []
    assert await at(hands, late + timedelta(days=1)) == in_turn
    hands.staff.append(person(SUCCESSOR, "fukushi", "officer"))
    assert await at(hands, late + timedelta(days=2)) == (in_turn or [SUCCESSOR])


async def test_whose_post_is_over_is_not_told(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    hands.staff = [person(COORDINATOR, "shakyo", "officer", until="2026-12-06"), person(OFFICER, "fukushi", "officer")]
    assert await at(hands, MONDAY) == [OFFICER]


@pytest.mark.rule("C3")
async def test_whoever_may_not_see_the_case_is_not_told_but_who_may(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    await juso.take_in(consented(received_on=DAY), "fukushi", "kikan", purposes=ALL)
    assert await at(juso, MONDAY) == [OFFICER]


@pytest.mark.rule("S6")
async def test_in_shien_the_office_is_told_and_only_while_it_is_commissioned(hands: Ready) -> None:
    shien = hands(SHIEN)
    in_office(shien)
    shien.stage.give(without_consent())
    assert await at(shien, MONDAY) == []
    shien.stage.give(commissioned(starts=MONDAY))
    assert await at(shien, MONDAY + timedelta(days=1)) == [OFFICER]


@pytest.mark.rule("D2")
async def test_what_only_the_city_can_do_is_told_the_city(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    case = await case_in(juso)
    await answer_the_referrer(juso, case)
    assert (await take(juso, case, act(Step.ASSESS), 0, COORDINATOR)).done
    await to_a_result(juso, case)
    assert await at(juso, MONDAY) == [OFFICER]


async def to_a_result(hands: Hands, case: UUID) -> None:
    """To a meeting's result, recorded by the coordinator."""
    for number, step in enumerate((Step.DRAFT, Step.BRING), 1):
        assert (await take(hands, case, act(step), number, COORDINATOR)).done
    hold(hands, case)
    assert (await take(hands, case, act(Step.RECORD_RESULT), 3, COORDINATOR)).done


@pytest.mark.rule("S6")
async def test_a_lapsing_commission_is_told_the_office(hands: Ready) -> None:
    shien = hands(SHIEN)
    in_office(shien)
    shien.stage.give(commissioned(ends=MONDAY + timedelta(days=20)))
    assert await at(shien, MONDAY) == [OFFICER]
    shien.stage.give(commissioned(starts=MONDAY, ends=MONDAY + timedelta(days=400)))
    assert await at(shien, MONDAY + timedelta(days=1)) == []


@pytest.mark.rule("C8")
async def test_an_agency_that_owes_information_is_told_and_in_shien_whoever_asked(ready: tuple[Hands, UUID]) -> None:
    hands, case = ready
    hands.staff.append(person(COUNSELLOR, "houkatsu-kobayashi", "officer"))
    question = {"case": case, "request": uuid4(), "agency": "houkatsu-kobayashi", "due_on": date(2026, 11, 30)}
    question |= {"asks": ({"subject": Subject.LIVING, "text": "世帯の状況を教えてください。"},)}
    if hands.compartment is SHIEN:
        hands.stage.give(commissioned(agency="houkatsu-kobayashi"))
    viewer = {"viewer": OFFICER, "viewer_agency": "fukushi"}
    done = await hands.perform(AskAgency.model_validate(question | viewer))
    assert done.done, done
    owing = COUNSELLOR if hands.compartment is JUSO else OFFICER
    assert await at(hands, datetime(2026, 11, 26, 1, tzinfo=UTC)) == [], "more than three days before"
    assert await at(hands, datetime(2026, 11, 27, 1, tzinfo=UTC)) == [owing]
    said = {"inquiry": done.inquiry, "case": case, "request": uuid4(), "after": 0, "said_on": date(2026, 11, 27)}
    said |= {"said_by": "", "answers": ({"subject": Subject.LIVING, "text": "二人暮らしです。"},)}
    assert (await hands.perform(AnswerInquiry.model_validate(said | viewer))).done
    assert await at(hands, datetime(2026, 11, 30, 1, tzinfo=UTC)) == []


async def test_nobody_is_told_of_the_other_kind_s_commissions(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    assert await at(juso, MONDAY) == []


# -- decided again right before ----------------------------------------------------------------------------------------


async def planned(hands: Hands) -> None:
    """Looked through, while notify is away."""
    hands.notify = away
    with pytest.raises(AskFailed):
        hands.notify(SendReminder(person=OFFICER, day=date(2026, 12, 7), send_before=MONDAY))
    assert await at(hands, MONDAY) == [told(hands)]
    assert states(hands) == {told(hands): "wanted"}
    hands.notify = lambda asked: Sent(outcome="sent")


def away(asked: SendReminder) -> Sent:
    raise AskFailed("TimeoutError")


async def test_while_notify_is_away_it_is_tried_again_and_sent_once(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    await planned(hands)
    assert hands.stage.store.counts()[2] == 0, "not before its time"
    assert await at(hands, MONDAY + timedelta(seconds=59)) == []
    assert await at(hands, MONDAY + timedelta(minutes=1)) == [told(hands)]
    assert await at(hands, MONDAY + timedelta(minutes=9)) == []
    assert states(hands) == {told(hands): "sent"}
    assert grounds(hands) == []


async def test_what_was_done_meanwhile_is_not_told(ready: tuple[Hands, UUID]) -> None:
    hands, case = ready
    await planned(hands)
    await answer_the_referrer(hands, case)
    assert await at(hands, MONDAY + timedelta(minutes=1)) == []
    assert states(hands) == {told(hands): "dropped"}
    assert grounds(hands) == []


@pytest.mark.rule("S11")
async def test_an_erased_case_is_not_told_and_leaves_no_reason(ready: tuple[Hands, UUID]) -> None:
    hands, case = ready
    await planned(hands)
    assert grounds(hands) == [case]
    assert hands.stage.ask(EraseCase(case=case, reason=EraseReason.REQUEST)).done
    assert grounds(hands) == []
    assert await at(hands, MONDAY + timedelta(minutes=1)) == []
    assert states(hands) == {told(hands): "dropped"}


@pytest.mark.rule("C11")
async def test_nothing_is_told_of_a_case_whose_consent_was_withdrawn(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    referral = await juso.take_in(consented(received_on=DAY), *EVERYBODY, purposes=ALL)
    await planned(juso)
    juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
    assert await at(juso, MONDAY + timedelta(minutes=1)) == []
    assert states(juso) == {COORDINATOR: "dropped"}


@pytest.mark.rule("C11")
async def test_a_withdrawal_this_store_has_not_heard_of_stops_the_mail_by_the_ledger(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    referral = await juso.take_in(consented(received_on=DAY), *EVERYBODY, purposes=ALL)
    juso.ledger.before_answering = lambda: juso.ledger.record(referral, ConsentState.WITHDRAWN, None) and None
    assert await at(juso, MONDAY) == []
    assert states(juso) == {COORDINATOR: "wanted"}


@pytest.mark.rule("C11")
async def test_a_withdrawal_between_the_permit_and_the_mail_stops_it(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    referral = await juso.take_in(consented(received_on=DAY), *EVERYBODY, purposes=ALL)
    given = juso.ledger.answer

    def then_withdrawn(question: Any) -> Any:
        answer = given(question)
        if isinstance(question, Redeem):
            juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
        return answer

    juso.ledger.answer = then_withdrawn  # type: ignore[method-assign]
    assert await at(juso, MONDAY) == []


@pytest.mark.rule("C11")
async def test_each_mail_redeems_a_permit_and_gives_it_back_and_is_over_when_it_is(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    await case_in(juso)
    juso.ledger.asked.clear()
    assert await at(juso, MONDAY) == [COORDINATOR]
    assert (juso.ledger.times_asked(Redeem), juso.ledger.times_asked(ReportSpent)) == (1, 1)
    assert juso.reminded[-1].send_before == MONDAY + timedelta(seconds=3)


async def test_with_a_replica_that_cannot_be_compared_nobody_is_told(hands: Ready) -> None:
    juso = hands(JUSO)
    in_office(juso)
    await case_in(juso)
    juso.stage.time = MONDAY
    await reminding.remind(juso)
    assert (juso.reminded, states(juso)) == ([], {})


async def test_the_mail_of_yesterday_is_not_sent_today(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    await planned(hands)
    assert await at(hands, MONDAY + timedelta(days=1)) == [told(hands)]
    rows = hands.stage.do(lambda tx: tx.execute(select(reminder).order_by(reminder.c.day)).all())
    assert [(row.state, row.why) for row in rows] == [("not_sent", "too_late"), ("sent", "")]


@pytest.mark.parametrize(
    ("why", "state"), [("no_address", "not_sent"), ("mail_refused", "not_sent"), ("mail_server_down", "wanted")]
)
async def test_who_cannot_be_reached_is_not_tried_again_that_day(
    ready: tuple[Hands, UUID], why: Any, state: str
) -> None:
    hands, _ = ready
    hands.notify = lambda asked: Sent(outcome="not_sent", why=why)
    assert await at(hands, MONDAY) == [told(hands)]
    assert states(hands) == {told(hands): state}
    assert len(await at(hands, MONDAY + timedelta(minutes=1))) == (state == "wanted")


# -- cut off anywhere --------------------------------------------------------------------------------------------------


class Died(BaseException):
    """The process is gone."""


async def test_cut_off_at_any_commit_everybody_is_told_that_day_and_notify_is_asked_for_that_day_only(
    hands: Ready,
) -> None:
    juso = hands(JUSO)
    in_office(juso)
    await case_in(juso)
    juso.stage.time = MONDAY
    for errand in juso.stage.store.service.errands:
        if errand.name in ("compare_with_ledger", "acknowledge_consents"):
            await errand.act(juso)
    run, cuts = juso.run, 0
    for commits in range(12):
        left = commits

        async def dying(act: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Died
            left -= 1
            return await run(act)

        juso.run = dying  # type: ignore[method-assign]
        try:
            await reminding.remind(juso)
        except Died:
            cuts += 1
    assert cuts > 4
    assert states(juso) == {COORDINATOR: "sent"}
    assert {(one.person, one.day) for one in juso.reminded} == {(COORDINATOR, date(2026, 12, 7))}


# -- what it leaves ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("S17")
async def test_notify_is_told_whom_and_which_day_and_nothing_else(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    await at(hands, MONDAY)
    assert set(hands.reminded[-1].model_dump()) == {"person", "day", "send_before"}


async def test_it_stands_in_the_audit_log_and_not_in_the_register_for_nothing_of_a_case_was_told(
    ready: tuple[Hands, UUID],
) -> None:
    hands, case = ready
    await at(hands, MONDAY)
    rows = hands.stage.do(lambda tx: tx.execute(select(audit).where(audit.c.act == "remind")).all())
    assert [(row.outcome, row.case, row.person) for row in rows] == [("allow", str(case), str(told(hands)))]
    shown = hands.stage.do(lambda tx: tx.execute(select(disclosure).where(disclosure.c.person == told(hands))).all())
    assert shown == []


async def test_who_was_reminded_is_forgotten_after_a_week(ready: tuple[Hands, UUID]) -> None:
    hands, _ = ready
    await at(hands, MONDAY)
    await at(hands, MONDAY + timedelta(days=9))
    days = hands.stage.do(lambda tx: tx.execute(select(reminder.c.day)).scalars().all())
    assert days == [date(2026, 12, 16)]
