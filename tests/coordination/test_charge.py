"""Steps of a case in cities that are not like 小林市: several coordinators, a body above, one stop, reserved powers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.life import Act, LegalService, Outcome, State, Step
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.coordination import charge
from services.coordination.life import after, judge, ways
from services.coordination.life_terms import Life, Refusal
from services.coordination.tables import item
from services.settings import read_profile
from tests.coordination.stand_in import OFFICER, Hands, consented, with_another_coordinator
from tests.coordination.test_life import CITY, COORDINATOR, DAY, PLAN, act, sat
from tests.coordination.test_living import case_in, hold, look, take, walk

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
EXAMPLES = Path(__file__).parents[2] / "examples"
NABARI = read_profile(EXAMPLES / "nabari")
Ready = Callable[[Compartment], Hands]


def elsewhere(step: Step, **said: Any) -> Act:
    """A step as in any city, naming none of 小林市's agencies unless said."""
    return act(step, **{"lead": None, "counterpart": None} | said)


def rule_of(life: Life, one: Act, profile: Profile, actor: str = CITY) -> str:
    """By which rule a step is refused; empty if it is lawful."""
    refusal = judge(life, one, actor, DAY, profile)
    assert refusal is None or (refusal.reason.endswith("。") and refusal.next_step.endswith("。"))
    return refusal.rule if refusal else ""


# -- whose case it is --------------------------------------------------------------------------------------------------


def test_in_a_city_with_one_coordinator_nothing_is_handed_over(kobayashi: Profile) -> None:
    assert charge.in_charge(kobayashi, "kikan", None) is None
    assert rule_of(Life(JUSO), act(Step.HAND_OVER, counterpart="shakyo"), kobayashi) == "P1"
    assert Step.HAND_OVER not in {way.step for way in ways(Life(JUSO), CITY, kobayashi)}
    assert Step.HAND_OVER in {way.step for way in ways(Life(JUSO), CITY, NABARI)}


@pytest.mark.rule("P1")
def test_a_case_stays_handed_over_after_it_was_opened_again() -> None:
    life = after(Life(JUSO, referrer="machi-1"), act(Step.HAND_OVER, counterpart="dir-jido"))
    again = after(replace(life, state=State.CLOSED), act(Step.REOPEN))
    assert charge.in_charge(NABARI, "machi-1", again.handed_to) == "dir-jido"


def test_a_director_who_is_no_more_has_no_case() -> None:
    assert charge.in_charge(NABARI, "jiritsu", "dir-gone") == "dir-konkyu"


@pytest.mark.parametrize(
    ("agency", "own", "kind"),
    [
        ("dir-jido", "dir-jido", "coordinator"),
        ("dir-korei", "dir-jido", charge.OTHER_COORDINATOR),
        ("somu", "dir-jido", "municipality"),
        ("nobody", "dir-jido", ""),
    ],
)
def test_what_an_agency_is_to_a_case(agency: str, own: str, kind: str) -> None:
    assert charge.acts_as(NABARI, agency, own) == kind


@pytest.mark.rule("P1")
def test_another_director_takes_no_step_and_is_told_whom_to_ask() -> None:
    life = Life(JUSO, referrer="jiritsu")
    refusals = {way.step: way for way in ways(life, charge.OTHER_COORDINATOR, NABARI)}
    assert not any(way.allowed for way in refusals.values())
    assert "エリアディレクター(困窮)" in refusals[Step.ASSESS].reason
    assert refusals[Step.ASSESS].rule == "P1"


@pytest.mark.rule("C3", "S6")
@pytest.mark.parametrize(("kind", "rule"), [(JUSO, "C3"), (SHIEN, "S6")])
def test_a_case_is_not_handed_to_a_director_who_may_not_hear_it(kind: Compartment, rule: str) -> None:
    life = Life(
        kind,
        referrer="jiritsu",
        outside={"dir-kyoiku": Refusal(rule, "この機関には話せません。", "範囲を確かめてください。")},
    )
    assert rule_of(life, elsewhere(Step.HAND_OVER, counterpart="dir-kyoiku"), NABARI) == rule
    assert rule_of(life, elsewhere(Step.HAND_OVER, counterpart="dir-jido"), NABARI) == ""
    assert rule_of(life, elsewhere(Step.HAND_OVER, counterpart="dir-konkyu"), NABARI) == "P1", "it has the case already"
    assert rule_of(life, elsewhere(Step.HAND_OVER, counterpart="dir-jido", words=" "), NABARI) == "P1", "no reason"


def test_a_case_is_not_handed_over_between_a_sitting_and_its_result() -> None:
    life = Life(JUSO, referrer="jiritsu", state=State.AT_MEETING, purpose=Purpose.PLAN)
    assert rule_of(life, elsewhere(Step.HAND_OVER, counterpart="dir-jido"), NABARI) == ""
    assert rule_of(sat(life), elsewhere(Step.HAND_OVER, counterpart="dir-jido"), NABARI) == "D5"


# -- which programmes there are (D3, P3) -------------------------------------------------------------------------------


@pytest.mark.rule("D3")
def test_a_plan_uses_no_programme_that_nobody_in_the_city_carries(kobayashi: Profile) -> None:
    assert kobayashi.programmes
    without = kobayashi.programmes.model_copy(update={"participation": ()})
    without_it = kobayashi.model_copy(update={"programmes": without})
    legal = act(Step.DRAFT, plan=PLAN.model_copy(update={"services": (LegalService.PARTICIPATION,)}))
    assessed = Life(JUSO, state=State.ASSESSED)
    assert rule_of(assessed, legal, kobayashi) == ""
    assert rule_of(assessed, legal, without_it) == "D3"
    assert rule_of(assessed, act(Step.DRAFT), without_it) == ""
    silent = kobayashi.model_copy(update={"programmes": None})
    assert rule_of(assessed, legal, silent) == "", "a profile that names no programmes forbids none"


@pytest.mark.rule("P3")
def test_whoever_carries_a_programme_of_the_plan_is_at_the_table() -> None:
    both = tuple(LegalService)
    assert charge.carriers(NABARI, both) == ("jiritsu", "machi-1", "machi-2")
    assert charge.carriers(NABARI, [LegalService.PARTICIPATION]) == ("jiritsu",)
    assert charge.carriers(NABARI, []) == ()


# -- the body above (M10, D6) ------------------------------------------------------------------------------------------


@pytest.mark.rule("M10", "D6")
@pytest.mark.parametrize(
    ("body", "outcome", "rule"),
    [
        ("kobetsu", Outcome.FIT, "D6"),
        ("kobetsu", Outcome.FIT_AMENDED, "D6"),
        ("kobetsu", Outcome.AGAIN, ""),
        ("kobetsu", Outcome.RAISE, ""),
        ("teirei", Outcome.FIT, ""),
        ("teirei", Outcome.RAISE, "M10"),
        ("gone", Outcome.RAISE, "M10"),
        ("gone", Outcome.FIT, ""),
    ],
)
def test_what_a_body_can_find_of_a_case(kobayashi: Profile, body: str, outcome: Outcome, rule: str) -> None:
    at_meeting = Life(JUSO, state=State.AT_MEETING, purpose=Purpose.PLAN, plan=PLAN, heard_by=body)
    assert rule_of(sat(at_meeting), act(Step.RECORD_RESULT, outcome=outcome), kobayashi, COORDINATOR) == rule


@pytest.mark.rule("M10")
async def test_what_is_raised_waits_for_the_body_above_and_only_for_it(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    done = await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING)
    heard_in(juso, "kobetsu")
    juso.stage.told()
    raised = act(Step.RECORD_RESULT, outcome=Outcome.RAISE, words="方針が決まらない。")
    done = await take(juso, case, raised, done.number)
    assert (done.done, done.state) == (True, State.AT_MEETING)
    (put,) = juso.stage.told()
    assert isinstance(put, ItemPutForward)
    assert (put.body, put.purpose, put.case) == ("teirei", Purpose.PLAN, case)
    early = await take(juso, case, Step.RECORD_RESULT, done.number)
    assert (early.done, early.rule) == (False, "T1"), "the body above has not met yet"
    assert (await take(juso, case, Step.TAKE_BACK, done.number)).state is State.PLANNED
    assert juso.stage.told() == [ItemWithdrawn(about=put.about, case=case)]


def heard_in(hands: Hands, body: str) -> None:
    """What was heard was heard by this body."""
    hands.stage.do(lambda tx: tx.execute(item.update().values(body=body)))


@pytest.mark.rule("M10")
async def test_nothing_is_raised_from_a_body_with_none_above(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    done = await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING)
    juso.stage.told()
    refused = await take(juso, case, act(Step.RECORD_RESULT, outcome=Outcome.RAISE), done.number)
    assert (refused.done, refused.rule) == (False, "M10")
    assert juso.stage.told() == []
    assert len((await look(juso, case)).history) == done.number


# -- one stop (D8, D9) -------------------------------------------------------------------------------------------------


@pytest.mark.rule("D8", "D9")
def test_only_a_one_stop_desk_that_took_a_case_in_itself_has_no_referrer() -> None:
    himi, iga = read_profile(EXAMPLES / "himi"), read_profile(EXAMPLES / "iga")
    assert charge.has_no_referral(himi, "sapo")
    assert not charge.has_no_referral(himi, "branch")
    assert not charge.has_no_referral(iga, "chosei")
    own = Life(JUSO, referrer="sapo")
    assert rule_of(own, elsewhere(Step.GIVE_BACK, counterpart="sapo"), himi) == "D8"
    assert rule_of(own, elsewhere(Step.GIVE_BACK, counterpart="kosodate", words=""), himi) == "D8"
    assert rule_of(own, elsewhere(Step.GIVE_BACK, counterpart="kosodate"), himi) == ""
    assert rule_of(Life(JUSO, referrer="branch"), elsewhere(Step.GIVE_BACK, counterpart="kosodate"), himi) == "D8"
    meeting = {"state": State.AT_MEETING, "purpose": Purpose.PLAN, "plan": PLAN}
    leads = elsewhere(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS, present=("fukushi", "sapo"))
    assert rule_of(sat(Life(JUSO, referrer="sapo", **meeting)), leads, himi) == "D9"
    assert rule_of(sat(Life(JUSO, referrer="branch", **meeting)), leads, himi) == ""


# -- reserved powers (S13) ---------------------------------------------------------------------------------------------


@pytest.mark.rule("S13")
def test_a_power_is_its_holder_s_alone_and_covers_calling_and_minutes_only() -> None:
    yasu = read_profile(EXAMPLES / "yasu")
    reserved = {step for step in Step if charge.power_for(yasu, step)}
    assert reserved == {Step.BRING, Step.BRING_CLOSING, Step.BRING_SUSPENSION, Step.RECORD_RESULT}
    power = charge.power_for(yasu, Step.BRING)
    assert power
    assert charge.holds(power, "shimin", {"representative"})
    assert not charge.holds(power, "shimin", {"officer"})
    assert not charge.holds(power, "takikan", {"representative"})


# -- several coordinators, in the store --------------------------------------------------------------------------------


@pytest.fixture
def two(hands: Ready) -> Ready:
    """Hands of a city with a second coordinator, csw."""

    def build(compartment: Compartment) -> Hands:
        one = hands(compartment)
        one.profile = one.stage.store.profile = with_another_coordinator(one.stage.store.profile)
        return one

    return build


@pytest.mark.rule("P1")
async def test_handing_over_calls_the_other_coordinator_to_what_waits(two: Ready) -> None:
    juso = two(JUSO)
    agencies = ("fukushi", "shakyo", "csw", "houkatsu-kobayashi", "kikan")
    case = (await juso.take_in(consented(), *agencies, purposes=tuple(Purpose))).about
    (first,) = [one for one in juso.stage.told() if isinstance(one, ItemPutForward)]
    assert first.coordinator == "shakyo"
    over = act(Step.HAND_OVER, counterpart="csw")
    assert (await take(juso, case, over, 0)).done
    gone, put = juso.stage.told()
    assert gone == ItemWithdrawn(about=first.about, case=case)
    assert isinstance(put, ItemPutForward)
    assert (put.coordinator, put.purpose, "csw" in put.agencies) == ("csw", Purpose.PLAN, True)
    waiting = juso.stage.do(
        lambda tx: tx.execute(select(item.c.id).where(item.c.withdrawn_at.is_(None))).scalars().all()
    )
    assert waiting == [put.about]


@pytest.mark.rule("P1")
async def test_without_the_case_s_own_coordinator_a_sitting_decides_nothing(two: Ready) -> None:
    juso = two(JUSO)
    case = await case_in(juso)
    done = await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING)
    hold(juso, case)
    absent = await take(juso, case, act(Step.RECORD_RESULT, present=("fukushi", "kikan")), done.number, OFFICER)
    assert (absent.done, absent.rule) == (False, "P1")
    assert "小林市社会福祉協議会" in absent.reason


@pytest.mark.rule("P3")
async def test_a_plan_calls_whoever_carries_a_programme_it_uses(hands: Ready) -> None:
    juso = hands(JUSO)
    profile = juso.stage.store.profile
    assert profile.programmes
    carried = profile.programmes.model_copy(update={"participation": ("hokenjo",)})
    juso.profile = juso.stage.store.profile = profile.model_copy(update={"programmes": carried})
    case = await case_in(juso)
    juso.stage.told()
    plan = PLAN.model_copy(update={"services": (LegalService.PARTICIPATION,)})
    await walk(juso, case, Step.ASSESS, act(Step.DRAFT, plan=plan))
    assert (await take(juso, case, Step.BRING, 2)).done
    _, put = juso.stage.told()
    assert isinstance(put, ItemPutForward)
    assert "hokenjo" in put.agencies, "it has no role of its own in the plan"
