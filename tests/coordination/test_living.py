"""Steps of a case on both engines: recorded once, in order, sealed, told to the meetings, and only to who may see."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.erasure import EraseCase, EraseReason
from contracts.life import Act, LifeView, LookAtDue, LookAtLife, Outcome, Role, State, Step, StepTaken, TakeStep
from contracts.meetings import ItemPlaced, ItemUnplaced
from contracts.message import Compartment
from contracts.purpose import Purpose
from services.audit import audit
from services.coordination import living
from services.coordination.life_terms import Life
from services.coordination.showing import Viewer
from services.coordination.tables import act as acts
from services.coordination.tables import item
from tests.coordination.stand_in import (
    COORDINATOR,
    COUNSELLOR,
    NURSE,
    OFFICER,
    VIEWERS,
    Hands,
    chief,
    commissioned,
    consented,
    without_consent,
)
from tests.coordination.test_life import DAY, LEGAL, PLAN, act

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
EVERYBODY = ("fukushi", "shakyo", "houkatsu-kobayashi", "kikan", "hokenjo")
ALL = tuple(Purpose)


async def case_in(hands: Hands) -> UUID:
    """A case in this compartment that the office may see, referred on the day it opens."""
    if hands.compartment is JUSO:
        return (await hands.take_in(consented(received_on=DAY), *EVERYBODY, purposes=ALL)).about
    for agency in ("fukushi", "shakyo"):
        hands.stage.give(commissioned(agency=agency))
    referral = without_consent(received_on=DAY)
    hands.stage.give(referral)
    return referral.about


async def take(hands: Hands, case: UUID, one: Act | Step, after: int, viewer: UUID = OFFICER, **how: Any) -> StepTaken:
    said = one if isinstance(one, Act) else act(one)
    asked = {"case": case, "request": uuid4(), "after": after, "act": said, "viewer": viewer}
    answer = await hands.perform(TakeStep(**asked | {"viewer_agency": VIEWERS[viewer]} | how))
    assert isinstance(answer, StepTaken)
    return answer


async def look(hands: Hands, case: UUID, viewer: UUID = OFFICER) -> LifeView:
    found = await hands.perform(LookAtLife(case=case, viewer=viewer, viewer_agency=VIEWERS[viewer]))
    assert isinstance(found, LifeView)
    return found


async def walk(hands: Hands, case: UUID, *steps: Act | Step) -> StepTaken:
    """Take all these, each lawful; the sitting of whatever is brought is held at once."""
    done = StepTaken(done=True)
    for one in steps:
        done = await take(hands, case, one, done.number)
        assert done.done, done
        if done.state is State.AT_MEETING:
            hold(hands, case)
    return done


def hold(hands: Hands, case: UUID, about: UUID | None = None, ago: timedelta = timedelta(hours=1)) -> ItemPlaced:
    """The sitting of an item, or of what was brought last, began so long ago; each lasts an hour."""
    wanted = select(acts.c.item).where(acts.c.case == case, acts.c.item.is_not(None)).order_by(acts.c.number.desc())
    brought = about or hands.stage.do(lambda tx: tx.execute(wanted).scalars().first())
    starts = hands.now() - ago
    told = ItemPlaced.model_validate(
        {"about": brought, "case": case, "sitting": uuid4(), "body": "teirei", "basis": "swa-106-4-2-5"}
        | {"starts": starts, "ends": starts + timedelta(hours=1), "version": hands.stage.time.microsecond + 2}
    )
    hands.stage.give(told)
    return told


# -- the whole way -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("T7")
async def test_a_case_is_carried_to_its_end_and_its_history_is_kept(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    way = (
        *(Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT),
        *(Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT, Step.CLOSE),
    )
    assert (await walk(juso, case, *way)).state is State.CLOSED
    found = await look(juso, case)
    assert [one.act.step for one in found.history] == list(way)
    assert {(one.by, one.agency) for one in found.history} == {(OFFICER, "fukushi")}
    assert found.plan == PLAN
    assert found.history[0].act.words == act(Step.ASSESS).words
    reopened = await take(juso, case, Step.REOPEN, len(way))
    assert (reopened.done, reopened.state, reopened.number) == (True, State.OPENED, len(way) + 1)


@pytest.mark.rule("D2")
async def test_the_decision_on_legal_services_is_the_citys(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    done = await walk(juso, case, Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT)
    refused = await take(juso, case, Step.DECIDE, done.number, COORDINATOR)
    assert (refused.done, refused.rule) == (False, "D2")
    assert (await take(juso, case, Step.DECIDE, done.number)).state is State.UNDERWAY


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("how", "done"),
    [
        ({}, True),
        ({"until": date(2026, 11, 24)}, True),
        ({"until": date(2026, 11, 23)}, False),
        ({"since": date(2026, 11, 25)}, False),
        ({"posts": ("officer",)}, False),
        ({"agency": "shakyo"}, False),
        ({"person": uuid4()}, False),
    ],
    ids=["in post", "last day", "until yesterday", "from tomorrow", "another post", "another agency", "unknown"],
)
async def test_who_decides_is_one_of_the_city_and_in_post_by_the_directory(
    hands: Ready, how: dict[str, Any], done: bool
) -> None:
    juso = hands(JUSO)
    juso.staff = [chief(**how)]
    case = await case_in(juso)
    last = await walk(juso, case, Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT)
    answer = await take(juso, case, Step.DECIDE, last.number)
    assert (answer.done, answer.rule) == (done, "" if done else "D2")


@pytest.mark.rule("S6")
async def test_a_commission_about_to_lapse_is_shown_to_the_city_that_can_renew_it(hands: Ready) -> None:
    shien = hands(SHIEN)
    await case_in(shien)
    soon = shien.now() + timedelta(days=20)
    short = commissioned(agency="kikan", ends=soon)
    shien.stage.give(short)
    seen = await shien.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))
    assert [(one.agency, one.ends_on) for one in seen.commissions] == [("kikan", date(2026, 12, 14))]
    assert (await shien.perform(LookAtDue(viewer=COORDINATOR, viewer_agency="shakyo"))).commissions == ()
    shien.stage.give(commissioned(agency="kikan", starts=shien.now(), ends=soon + timedelta(days=365)))
    assert (await shien.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))).commissions == (), "renewed"


# -- what the meetings are told ----------------------------------------------------------------------------------------


async def test_a_plan_that_names_others_calls_them_to_another_sitting(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    (first,) = [one for one in juso.stage.told() if isinstance(one, ItemPutForward)]
    health = PLAN.model_copy(update={"roles": (Role(agency="hokenjo", until=date(2027, 2, 28), does="家計の相談"),)})
    await walk(juso, case, Step.ASSESS, act(Step.DRAFT, plan=health))
    assert (await take(juso, case, Step.BRING, 2)).done
    told = juso.stage.told()
    assert told[:1] == [ItemWithdrawn(about=first.about, case=case)], "it did not call 保健所, which has a role"
    (put,) = told[1:]
    assert isinstance(put, ItemPutForward)
    assert "hokenjo" in put.agencies
    assert (await take(juso, case, Step.TAKE_BACK, 3)).done
    own = PLAN.model_copy(update={"roles": (Role(agency="kikan", until=date(2027, 2, 28), does="家計の相談"),)})
    assert (await take(juso, case, act(Step.DRAFT, plan=own), 4)).done
    juso.stage.told()
    assert (await take(juso, case, Step.BRING, 5)).done
    (again,) = juso.stage.told()
    assert isinstance(again, ItemPutForward)
    assert (await take(juso, case, Step.TAKE_BACK, 6)).done
    assert juso.stage.told() == [ItemWithdrawn(about=again.about, case=case)]


async def test_a_plan_goes_to_the_sitting_that_waits_if_all_with_a_role_are_called_there(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    own = PLAN.model_copy(update={"roles": (Role(agency="kikan", until=date(2027, 2, 28), does="家計の相談"),)})
    await walk(juso, case, Step.ASSESS, act(Step.DRAFT, plan=own))
    juso.stage.told()
    assert (await take(juso, case, Step.BRING, 2)).done
    assert juso.stage.told() == []
    assert (await take(juso, case, Step.TAKE_BACK, 3)).done
    (gone,) = juso.stage.told()
    assert (await take(juso, case, act(Step.BRING, urgent=True), 4)).done
    (put,) = juso.stage.told()
    assert isinstance(put, ItemPutForward)
    assert (put.urgent, put.about == gone.about) == (True, False)


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_a_closing_is_put_forward_under_its_own_purpose(hands: Ready, kind: Compartment) -> None:
    town = hands(kind)
    case = await case_in(town)
    fix = Step.REPORT if kind is JUSO else Step.CONFIRM
    await walk(town, case, Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, fix, Step.EVALUATE)
    town.stage.told()
    assert (await take(town, case, act(Step.BRING_CLOSING, urgent=True), 6)).done
    (put,) = town.stage.told()
    assert isinstance(put, ItemPutForward)
    assert (put.purpose, put.case, put.urgent) == (Purpose.CLOSING, case, True)
    assert "shakyo" in put.agencies, "it has a role in the plan"


@pytest.mark.parametrize("step", [Step.GIVE_BACK, Step.END])
async def test_a_case_that_leaves_is_taken_off_the_meeting_it_waits_for(hands: Ready, step: Step) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    (put,) = [one for one in juso.stage.told() if isinstance(one, ItemPutForward)]
    assert (await take(juso, case, step, 0)).done
    assert juso.stage.told() == [ItemWithdrawn(about=put.about, case=case)]
    if step is Step.GIVE_BACK:
        own = PLAN.model_copy(update={"roles": (Role(agency="kikan", until=date(2027, 2, 28), does="家計の相談"),)})
        assert (await walk_on(juso, case, 1, Step.REOPEN, Step.ASSESS, act(Step.DRAFT, plan=own), Step.BRING)).done
        (again,) = juso.stage.told()
        assert isinstance(again, ItemPutForward)
        assert again.about != put.about


async def walk_on(hands: Hands, case: UUID, after: int, *steps: Act | Step) -> StepTaken:
    done = StepTaken(done=False, number=after)
    for one in steps:
        done = await take(hands, case, one, done.number)
        assert done.done, done
    return done


async def test_no_result_is_recorded_before_the_sitting(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk_on(juso, case, 0, Step.ASSESS, Step.DRAFT, Step.BRING)
    refused = await take(juso, case, Step.RECORD_RESULT, 3)
    assert (refused.done, refused.rule) == (False, "T1")
    hold(juso, case)
    assert (await take(juso, case, Step.RECORD_RESULT, 3)).done


@pytest.mark.rule("T1", "D5")
async def test_no_result_is_recorded_of_a_sitting_that_let_the_item_go(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk_on(juso, case, 0, Step.ASSESS, Step.DRAFT, Step.BRING)
    told = hold(juso, case)
    gone = {"about": told.about, "version": told.version + 1, "case": case, "sitting": told.sitting}
    juso.stage.give(ItemUnplaced(**gone, again=False))
    refused = await take(juso, case, Step.RECORD_RESULT, 3)
    assert (refused.done, refused.rule) == (False, "T1")
    assert (await look(juso, case)).sitting is None
    assert (await take(juso, case, Step.TAKE_BACK, 3)).done


@pytest.mark.rule("D5")
async def test_while_the_sitting_lasts_nothing_is_recorded_and_nothing_taken_back(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk_on(juso, case, 0, Step.ASSESS, Step.DRAFT, Step.BRING)
    hold(juso, case, ago=timedelta(minutes=59))
    assert (await take(juso, case, Step.RECORD_RESULT, 3)).rule == "T1"
    assert (await take(juso, case, Step.TAKE_BACK, 3)).rule == "D5"
    juso.stage.pass_time(minutes=1)
    assert (await take(juso, case, Step.RECORD_RESULT, 3)).done


@pytest.mark.rule("S2")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_the_sitting_that_intake_called_for_has_one_result_of_its_own(hands: Ready, kind: Compartment) -> None:
    town = hands(kind)
    case = await case_in(town)
    (put,) = [one for one in town.stage.told() if isinstance(one, ItemPutForward)]
    assert (await take(town, case, Step.RECORD_FIRST, 0)).rule == "T1"
    hold(town, case, put.about)
    assert "S2" in {one.rule for one in (await look(town, case)).due}
    seen = await town.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))
    assert "S2" in {one.rule for one in seen.cases[0].due}
    assert (await take(town, case, Step.RECORD_FIRST, 0)).done
    assert (await take(town, case, Step.RECORD_FIRST, 1)).rule == "T1", "once"
    await walk_on(town, case, 1, Step.ASSESS, Step.DRAFT, Step.BRING)
    (again,) = [one for one in town.stage.told() if isinstance(one, ItemPutForward)]
    assert again.about != put.about


async def test_a_shien_plan_is_heard_where_the_case_already_waits(hands: Ready) -> None:
    shien = hands(SHIEN)
    case = await case_in(shien)
    own = PLAN.model_copy(update={"roles": (Role(agency="fukushi", until=date(2027, 2, 28), does="家計の相談"),)})
    await walk(shien, case, Step.ASSESS, act(Step.DRAFT, plan=own), Step.BRING)
    put = [one for one in shien.stage.told() if isinstance(one, ItemPutForward)]
    assert len(put) == 1, "the meeting that already waits hears the plan, too (M15)"


async def test_a_closed_case_leaves_what_it_still_waits_for(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    closing = (Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT, Step.CLOSE)
    done = await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT, *closing)
    told = juso.stage.told()
    put = {one.about for one in told if isinstance(one, ItemPutForward)}
    withdrawn = {one.about for one in told if isinstance(one, ItemWithdrawn)}
    assert done.state is State.CLOSED
    assert len(put) == 2
    assert withdrawn == set(), "both were heard"
    again = await take(juso, case, Step.REOPEN, done.number)
    await walk_on(juso, case, again.number, Step.ASSESS, Step.DRAFT, Step.BRING)
    (fresh,) = juso.stage.told()
    assert (await take(juso, case, Step.END, again.number + 3)).done
    assert juso.stage.told() == [ItemWithdrawn(about=fresh.about, case=case)]


async def test_who_was_not_in_the_consent_was_not_present(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING)
    present = act(Step.RECORD_RESULT, present=("fukushi", "shakyo", "hellowork"))
    assert (await take(juso, case, present, 3)).rule == "C3"


async def test_a_purpose_outside_the_consent_is_put_to_no_meeting(hands: Ready) -> None:
    juso = hands(JUSO)
    case = (await juso.take_in(consented(), *EVERYBODY, purposes=(Purpose.PLAN,))).about
    done = await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT, Step.EVALUATE)
    refused = await take(juso, case, Step.BRING_CLOSING, done.number)
    assert (refused.rule, "この目的を含む同意" in refused.next_step) == ("C3", True)


# -- two people, repeated requests -------------------------------------------------------------------------------------


def audited(hands: Hands) -> list[tuple[str, str, str, str]]:
    rows = hands.stage.do(lambda tx: tx.execute(select(audit)).all())
    return [(row.act, row.outcome, row.rule, row.detail) for row in rows]


async def test_of_two_people_at_once_the_second_sees_what_the_first_did(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    assert (await take(juso, case, Step.ASSESS, 0, COORDINATOR)).done
    late = await take(juso, case, Step.GIVE_BACK, 0)
    assert not late.done
    assert ("step", "refuse", "T1", "give_back") in audited(juso), "the loser of a race leaves a row"
    assert [(one.act.step, one.by) for one in late.since] == [(Step.ASSESS, COORDINATOR)]
    assert "ほかの人" in late.reason
    assert (await look(juso, case)).state is State.ASSESSED


async def test_who_loses_a_race_changes_nothing_of_the_items_either(hands: Ready) -> None:
    """The other's act was committed after this one had read the history: PostgreSQL lets two get that far."""
    juso = hands(JUSO)
    case = await case_in(juso)
    assert (await take(juso, case, Step.ASSESS, 0, COORDINATOR)).done
    juso.stage.told()
    asked = TakeStep(case=case, request=uuid4(), after=0, act=act(Step.GIVE_BACK))
    answers: list[StepTaken] = []
    late = partial(living._record, asked, Viewer(OFFICER, "fukushi"), [], Life(JUSO), answers)
    juso.stage.tell(late)
    assert [one.act.step for one in answers[0].since] == [Step.ASSESS]
    assert juso.stage.told() == []
    assert juso.stage.do(lambda tx: tx.execute(select(item.c.withdrawn_at)).scalars().all()) == [None]


async def test_the_same_request_with_another_content_is_told_so(hands: Ready) -> None:
    juso = hands(JUSO)
    case, request = await case_in(juso), uuid4()
    assert (await take(juso, case, Step.ASSESS, 0, request=request)).done
    other = await take(juso, case, act(Step.ASSESS, words="書き直した。"), 0, request=request)
    assert (other.done, "別の内容" in other.reason) == (False, True)
    assert len((await look(juso, case)).history) == 1


async def test_the_same_request_twice_is_one_step(hands: Ready) -> None:
    juso = hands(JUSO)
    case, request = await case_in(juso), uuid4()
    first = await take(juso, case, Step.ASSESS, 0, request=request)
    assert await take(juso, case, Step.ASSESS, 0, request=request) == first
    assert len((await look(juso, case)).history) == 1


# -- who, and under which ground ---------------------------------------------------------------------------------------


async def test_who_may_not_see_the_case_takes_no_step_and_learns_nothing(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    refused = await take(juso, case, Step.ASSESS, 0, NURSE)
    assert (refused.done, refused.rule) == (False, "C1")
    assert refused == await take(juso, uuid4(), Step.ASSESS, 0, NURSE)
    assert await look(juso, case, NURSE) == LifeView(found=False)


async def test_an_agency_that_sees_the_case_reads_it_and_carries_it_no_further(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    assert not (await take(juso, case, Step.ASSESS, 0, COUNSELLOR)).done
    found = await look(juso, case, COUNSELLOR)
    assert found.found
    assert not any(one.allowed for one in found.ways)


async def test_after_a_withdrawal_no_step_is_taken(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL)
    assert (await take(juso, referral.about, Step.ASSESS, 0)).done
    juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
    refused = await take(juso, referral.about, act(Step.DRAFT), 1)
    assert (refused.done, refused.rule, "有効な同意がない" in refused.reason) == (False, "C11", True)
    told = await look(juso, referral.about)
    assert (told.found, told.history, told.plan) == (False, (), None)
    assert (await take(juso, referral.about, act(Step.DRAFT), 1, NURSE)).rule == "C1", "others learn nothing"


async def test_what_is_due_is_listed_for_who_may_see_it(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    asked = LookAtDue(viewer=OFFICER, viewer_agency="fukushi")
    (first,) = (await juso.perform(asked)).cases
    assert (first.case, first.due[0].rule, first.due[0].late) == (case, "T9", False)
    juso.stage.pass_time(days=40)
    await juso.errands()
    (late,) = (await juso.perform(asked)).cases
    assert late.due[0].late
    assert (await juso.perform(LookAtDue(viewer=NURSE, viewer_agency="byouin"))).cases == ()


# -- at rest -----------------------------------------------------------------------------------------------------------


async def test_words_are_sealed_and_codes_hold_none_of_them(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING, act(Step.RECORD_RESULT, minutes="上野様の件"))
    assert (await look(juso, case)).history[-1].act.minutes == "上野様の件"
    rows = juso.stage.do(lambda tx: tx.execute(select(acts)).all())
    said = (PLAN.goals, PLAN.policy, PLAN.roles[0].does, act(Step.ASSESS).words, "上野様の件")
    assert not any(word in str(row.codes) or word.encode() in row.words for row in rows for word in said)


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_an_erased_case_keeps_its_steps_and_loses_its_words(hands: Ready, kind: Compartment) -> None:
    town = hands(kind)
    case = await case_in(town)
    await walk(town, case, Step.ASSESS, Step.DRAFT)
    assert town.stage.ask(EraseCase(case=case, reason=EraseReason.RETENTION)).done
    found = await look(town, case)
    assert [one.act.step for one in found.history] == [Step.ASSESS, Step.DRAFT]
    assert {one.act.words for one in found.history} == {""}
    assert found.plan
    assert (found.plan.goals, found.plan.monitor_on) == ("", PLAN.monitor_on)
    assert found.ways == found.due == ()
    refused = await take(town, case, Step.BRING, 2)
    assert (refused.done, "消去されました" in refused.reason) == (False, True)
    viewing = LookAtDue(viewer=OFFICER, viewer_agency="fukushi")
    assert (await town.perform(viewing)).cases == ()


@pytest.mark.parametrize("change", [delete(acts), update(acts).values(state="closed")], ids=["delete", "update"])
async def test_history_is_never_rewritten(hands: Ready, change: Any) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk(juso, case, Step.ASSESS)
    with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
        juso.stage.do(lambda tx: tx.execute(change))


async def test_ten_thousand_characters_are_kept_and_one_more_is_refused(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    long = "𠮷" * 10_000
    assert (await take(juso, case, act(Step.ASSESS, words=long), 0)).done
    assert (await look(juso, case)).history[0].act.words == long
    with pytest.raises(ValueError, match="10000"):
        act(Step.ASSESS, words=long + "𠮷")


async def test_a_result_with_another_outcome_leads_elsewhere(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    again = act(Step.RECORD_RESULT, outcome=Outcome.AGAIN)
    assert (await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING, again)).state is State.PLANNED


# -- what is urgent stays urgent ---------------------------------------------------------------------------------------


@pytest.mark.rule("M1")
async def test_the_plan_of_an_urgent_case_put_forward_again_is_urgent_still(hands: Ready) -> None:
    juso = hands(JUSO)
    case = (await juso.take_in(consented(urgent=True), *EVERYBODY, purposes=ALL)).about
    own = PLAN.model_copy(update={"roles": (Role(agency="kikan", until=date(2027, 2, 28), does="家計の相談"),)})
    await walk_on(juso, case, 0, Step.ASSESS, act(Step.DRAFT, plan=own), Step.BRING, Step.TAKE_BACK)
    juso.stage.told()
    await walk_on(juso, case, 4, act(Step.DRAFT, plan=own), Step.BRING)
    (put,) = juso.stage.told()
    assert isinstance(put, ItemPutForward)
    assert put.urgent, "nobody has to tick again what the referral said"
    assert (await look(juso, case)).urgent


@pytest.mark.rule("M1")
async def test_a_sitting_after_the_cases_own_deadline_is_told_with_the_lawful_way(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk_on(juso, case, 0, Step.ASSESS, Step.DRAFT, Step.BRING)
    hold(juso, case, ago=-timedelta(days=140))
    (seen,) = [one for one in (await look(juso, case)).due if one.rule == "T1"]
    assert seen.sitting is not None
    assert seen.sitting > seen.on
    assert not seen.late
    assert "随時の会議" in seen.next_step
    listed = await juso.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))
    assert seen in listed.cases[0].due, "the week's list says so too"
    assert (await take(juso, case, Step.TAKE_BACK, 3)).done
    assert not [one for one in (await look(juso, case)).due if one.sitting]


async def test_a_sitting_in_time_is_no_matter(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk_on(juso, case, 0, Step.ASSESS, Step.DRAFT, Step.BRING)
    hold(juso, case, ago=-timedelta(days=5))
    assert [one.sitting for one in (await look(juso, case)).due if one.rule == "T1"] == [None]
