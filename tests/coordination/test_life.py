"""A case's life: no sequence of allowed steps reaches an unlawful state, and no refusal is without a way on."""

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.life import STATE_TEXT, STEP_TEXT, Act, Contact, LegalService, Outcome, Plan, Role, State, Step
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import Purpose
from services import life_words
from services.coordination import life as rules
from services.coordination.life import OVER, TABLE, Life, after, due, fold, judge, possible, ways

ROOT = Path(__file__).parent.parent.parent
JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
DAY = date(2026, 11, 24)
CITY = "municipality"
COORDINATOR = "coordinator"
AGENCY = "consultation"
PLAN = Plan(
    goals="家計を立て直し、長男が週に一度外に出る。",
    policy="社協が家計、基幹が長男の相談を受け持つ。",
    roles=(Role(agency="shakyo", until=date(2027, 2, 28), does="家計の相談"),),
    monitor_on=DAY + timedelta(days=90),
)
LEGAL = PLAN.model_copy(update={"services": (LegalService.PARTICIPATION,)})
BOTH = ("fukushi", "shakyo")


def act(step: Step, **said: Any) -> Act:
    """A step with all that any step needs; what is said instead replaces it."""
    full: dict[str, Any] = {
        "step": step,
        "on": DAY,
        "words": "世帯の状況を確かめた。",
        "plan": PLAN if step in (Step.DRAFT, Step.AMEND) else None,
        "outcome": Outcome.FIT if step is Step.RECORD_RESULT else None,
        "present": BOTH if step is Step.RECORD_RESULT else (),
        "contact": Contact.VISIT if step is Step.CONTACT else None,
        "lead": "shakyo",
        "follow_up": "phone",
        "next_on": DAY + timedelta(days=90),
        "ended": "moved" if step is Step.END else None,
        "counterpart": "houkatsu-kobayashi",
    }
    return Act.model_validate(full | said)


def life_of(*steps: Step | Act, compartment: Compartment = JUSO) -> Life:
    acts = [one if isinstance(one, Act) else act(one) for one in steps]
    return sat(fold(compartment, acts))


def sat(life: Life) -> Life:
    """Its sitting was today."""
    return Life(**{**vars(life), "sitting_on": DAY})


TO_PLAN = (Step.ASSESS, Step.DRAFT)
TO_AGREED = (*TO_PLAN, Step.BRING, Step.RECORD_RESULT)
UNDERWAY = (*TO_AGREED, Step.REPORT)
TO_CLOSE = (*UNDERWAY, Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT)


def refused(life: Life, one: Act, profile: Profile, actor: str = CITY) -> str:
    refusal = judge(life, one, actor, DAY, profile)
    assert refusal is not None
    assert refusal.reason.endswith("。")
    assert refusal.next_step
    return refusal.rule


# -- the way of most cases ---------------------------------------------------------------------------------------------


def test_a_case_goes_from_reception_to_its_end_and_back_with_every_step_lawful(kobayashi: Profile) -> None:
    way = (*TO_CLOSE, Step.CLOSE, Step.REOPEN, *TO_PLAN)
    life = Life(JUSO)
    for step in way:
        assert judge(sat(life), act(step), CITY, DAY, kobayashi) is None, step
        life = after(life, act(step))
    assert life.state is State.PLANNED


@pytest.mark.rule("C9")
def test_a_shien_case_is_watched_over_without_a_decision_on_services(kobayashi: Profile) -> None:
    life = life_of(*TO_AGREED, compartment=SHIEN)
    assert life.purpose is Purpose.WATCH
    assert judge(life, act(Step.CONFIRM), CITY, DAY, kobayashi) is None
    assert refused(life, act(Step.DECIDE), kobayashi) == "D1"


# -- T1: the four mandatory timings ------------------------------------------------------------------------------------


@pytest.mark.rule("T1")
@pytest.mark.parametrize(
    ("steps", "purpose"),
    [
        ((*TO_PLAN, Step.BRING), Purpose.PLAN),
        ((*UNDERWAY, Step.DRAFT, Step.BRING), Purpose.REPLAN),
        ((*UNDERWAY, Step.EVALUATE, Step.BRING_CLOSING), Purpose.CLOSING),
        ((*UNDERWAY, Step.CONTACT, Step.BRING_SUSPENSION), Purpose.SUSPENSION),
    ],
    ids=["plan", "replan", "closing", "suspension"],
)
def test_each_of_the_four_timings_goes_to_a_meeting_under_its_own_purpose(
    steps: tuple[Step, ...], purpose: Purpose
) -> None:
    assert life_of(*steps).purpose is purpose


@pytest.mark.rule("T1")
@pytest.mark.parametrize("step", [Step.DECIDE, Step.REPORT, Step.CLOSE, Step.SUSPEND])
@pytest.mark.parametrize("before", [TO_PLAN, (*TO_PLAN, Step.BRING), UNDERWAY])
def test_nothing_is_fixed_ended_or_suspended_without_the_result_of_a_meeting(
    kobayashi: Profile, step: Step, before: tuple[Step, ...]
) -> None:
    assert refused(life_of(*before), act(step), kobayashi) == "T1"


@pytest.mark.parametrize("step", [Step.CLOSE, Step.SUSPEND])
def test_a_meeting_about_the_plan_ends_nothing(kobayashi: Profile, step: Step) -> None:
    assert refused(life_of(*TO_AGREED), act(step), kobayashi) == "T1"


def test_a_result_is_recorded_on_the_day_of_the_sitting_at_the_earliest(kobayashi: Profile) -> None:
    before = fold(JUSO, [act(one) for one in (*TO_PLAN, Step.BRING)])
    assert refused(before, act(Step.RECORD_RESULT), kobayashi) == "T1"
    assert judge(sat(before), act(Step.RECORD_RESULT), CITY, DAY, kobayashi) is None


def test_after_a_plan_was_fixed_giving_back_is_a_closing(kobayashi: Profile) -> None:
    assert judge(life_of(*TO_PLAN), act(Step.GIVE_BACK), CITY, DAY, kobayashi) is None
    assert refused(life_of(*UNDERWAY, Step.DRAFT), act(Step.GIVE_BACK), kobayashi) == "T1"
    again = life_of(*UNDERWAY, Step.DRAFT, Step.BRING)
    assert refused(again, act(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS), kobayashi) == "T1"


def test_a_replan_can_be_dropped_and_the_plan_in_force_goes_on(kobayashi: Profile) -> None:
    replanned = life_of(*UNDERWAY, act(Step.DRAFT, plan=LEGAL))
    assert [one.rule for one in due(replanned, DAY, DAY)] == ["T1", "T4"], "monitoring goes on"
    assert judge(replanned, act(Step.MONITOR), CITY, DAY, kobayashi) is None
    dropped = after(replanned, act(Step.DROP_REPLAN))
    assert (dropped.state, dropped.plan) == (State.UNDERWAY, PLAN)
    assert refused(life_of(*TO_PLAN), act(Step.DROP_REPLAN), kobayashi) == "T4"


def test_what_the_meeting_amended_is_written_into_the_plan_before_it_is_fixed(kobayashi: Profile) -> None:
    amended = act(Step.RECORD_RESULT, outcome=Outcome.FIT_AMENDED)
    life = life_of(*TO_PLAN, Step.BRING, amended)
    assert refused(life, act(Step.REPORT), kobayashi) == "D5"
    with_service = after(life, act(Step.AMEND, plan=LEGAL))
    assert refused(with_service, act(Step.REPORT), kobayashi) == "D1"
    assert judge(with_service, act(Step.DECIDE), CITY, DAY, kobayashi) is None


@pytest.mark.parametrize("steps", [TO_AGREED, TO_CLOSE], ids=["fit as it was", "a closing"])
def test_after_the_meeting_no_other_plan_takes_the_place_of_what_it_found_fit(
    kobayashi: Profile, steps: tuple[Step, ...]
) -> None:
    assert refused(life_of(*steps), act(Step.AMEND, plan=LEGAL), kobayashi) == "D5"


@pytest.mark.parametrize(
    ("steps", "back"),
    [
        (TO_AGREED, State.PLANNED),
        (TO_CLOSE, State.UNDERWAY),
        ((*UNDERWAY, Step.CONTACT, Step.BRING_SUSPENSION, Step.RECORD_RESULT), State.UNDERWAY),
    ],
)
def test_the_city_may_decline_to_fix_what_a_meeting_found_fit(
    kobayashi: Profile, steps: tuple[Step, ...], back: State
) -> None:
    assert refused(life_of(*steps), act(Step.DECLINE), kobayashi, COORDINATOR) == "D2"
    assert after(life_of(*steps), act(Step.DECLINE)).state is back


def test_an_evaluation_or_an_attempt_of_before_the_plan_counts_no_more(kobayashi: Profile) -> None:
    life = life_of(*UNDERWAY, Step.EVALUATE, Step.CONTACT, *(Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT))
    assert refused(life, act(Step.BRING_CLOSING), kobayashi) == "T2"
    assert refused(life, act(Step.BRING_SUSPENSION), kobayashi) == "T3"


def test_once_the_person_was_reached_there_is_no_ground_for_a_suspension(kobayashi: Profile) -> None:
    life = life_of(*UNDERWAY, Step.CONTACT, act(Step.CONTACT, contact=Contact.CALL, reached=True))
    assert refused(life, act(Step.BRING_SUSPENSION), kobayashi) == "T3"


@pytest.mark.parametrize(("compartment", "rule"), [(JUSO, "C3"), (SHIEN, "S6")])
def test_who_is_outside_was_not_there_and_has_no_role(kobayashi: Profile, compartment: Compartment, rule: str) -> None:
    inside = frozenset(BOTH)
    heard = replace(life_of(*TO_PLAN, Step.BRING, compartment=compartment), may_hear=inside)
    assert refused(heard, act(Step.RECORD_RESULT, present=(*BOTH, "hellowork")), kobayashi) == rule
    begun = replace(life_of(Step.ASSESS, compartment=compartment), may_hear=inside)
    outside = PLAN.model_copy(update={"roles": (Role(agency="hellowork", until=DAY),)})
    assert refused(begun, act(Step.DRAFT, plan=outside), kobayashi) == rule


@pytest.mark.rule("D4")
def test_participation_needs_a_meeting_of_those_who_consented(kobayashi: Profile) -> None:
    shien = life_of(Step.ASSESS, compartment=SHIEN)
    assert refused(shien, act(Step.DRAFT, plan=LEGAL), kobayashi) == "D4"
    outreach = PLAN.model_copy(update={"services": (LegalService.OUTREACH,)})
    assert judge(shien, act(Step.DRAFT, plan=outreach), CITY, DAY, kobayashi) is None
    assert judge(shien, act(Step.START_EARLY), CITY, DAY, kobayashi) is None


def test_a_case_that_ended_by_death_is_not_reopened(kobayashi: Profile) -> None:
    assert refused(life_of(act(Step.END, ended="died")), act(Step.REOPEN), kobayashi) == "T7"
    assert judge(life_of(act(Step.END, ended="moved")), act(Step.REOPEN), CITY, DAY, kobayashi) is None


# -- T2, T3, D7, D8: what each timing has to contain -------------------------------------------------------------------


@pytest.mark.rule("T2")
@pytest.mark.parametrize(
    "lacking",
    [
        *({"goals": " "}, {"policy": ""}, {"roles": ()}),
        {"roles": (Role(agency="shakyo", until=DAY - timedelta(days=1)),)},
        {"roles": (Role(agency="shakyo", until=date(9999, 12, 31)),)},
        *({"monitor_on": None}, {"monitor_on": DAY}, {"monitor_on": date(9999, 12, 31)}),
    ],
    ids=["goals", "policy", "roles", "past", "far", "monitoring", "monitoring on the day itself", "far monitoring"],
)
def test_a_plan_without_one_of_its_parts_is_no_plan(kobayashi: Profile, lacking: dict[str, Any]) -> None:
    plan = PLAN.model_copy(update=lacking)
    rule = "T8" if "monitor_on" in lacking else "T2"
    assert refused(life_of(Step.ASSESS), act(Step.DRAFT, plan=plan), kobayashi) == rule


def test_a_plan_names_agencies_that_exist(kobayashi: Profile) -> None:
    gone = PLAN.model_copy(update={"roles": (Role(agency="kaisan", until=DAY),)})
    assert refused(life_of(Step.ASSESS), act(Step.DRAFT, plan=gone), kobayashi) == "T2"


@pytest.mark.rule("T2")
def test_the_end_is_put_to_a_meeting_with_its_evaluation(kobayashi: Profile) -> None:
    assert refused(life_of(*UNDERWAY), act(Step.BRING_CLOSING), kobayashi) == "T2"


@pytest.mark.rule("T3")
@pytest.mark.parametrize("contacts", [(), (Contact.CALL,), (Contact.CALL, Contact.LETTER)])
def test_a_suspension_needs_a_visit_or_an_inquiry(kobayashi: Profile, contacts: tuple[Contact, ...]) -> None:
    tried = life_of(*UNDERWAY, *(act(Step.CONTACT, contact=one) for one in contacts))
    assert refused(tried, act(Step.BRING_SUSPENSION), kobayashi) == "T3"
    looked = life_of(*UNDERWAY, act(Step.CONTACT, contact=Contact.INQUIRY))
    assert judge(looked, act(Step.BRING_SUSPENSION), CITY, DAY, kobayashi) is None


@pytest.mark.rule("D7")
@pytest.mark.parametrize("lacking", [{"lead": None}, {"follow_up": None}])
def test_an_end_names_who_leads_from_then_on_and_how_it_is_followed_up(
    kobayashi: Profile, lacking: dict[str, Any]
) -> None:
    assert refused(life_of(*TO_CLOSE), act(Step.CLOSE, **lacking), kobayashi) == "D7"


@pytest.mark.rule("D8", "T9")
@pytest.mark.parametrize("lacking", [{"counterpart": None}, {"words": ""}, {"counterpart": "hellowork"}])
def test_giving_back_is_talked_over_with_the_referrer(kobayashi: Profile, lacking: dict[str, Any]) -> None:
    life = replace(life_of(Step.ASSESS), referrer="houkatsu-kobayashi")
    assert judge(life, act(Step.GIVE_BACK), CITY, DAY, kobayashi) is None
    assert refused(life, act(Step.GIVE_BACK, **lacking), kobayashi) == "D8"


# -- D1, D2, P1: who fixes what ----------------------------------------------------------------------------------------


@pytest.mark.rule("D1", "D3", "D11")
def test_a_plan_with_legal_services_needs_the_decision_and_one_without_the_report(kobayashi: Profile) -> None:
    legal = life_of(Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT)
    plain = life_of(*TO_AGREED)
    assert refused(legal, act(Step.REPORT), kobayashi) == "D1"
    assert refused(plain, act(Step.DECIDE), kobayashi) == "D1"
    assert judge(legal, act(Step.DECIDE), CITY, DAY, kobayashi) is None
    assert judge(plain, act(Step.REPORT), COORDINATOR, DAY, kobayashi) is None


@pytest.mark.rule("D2")
def test_the_decision_cannot_be_outsourced(kobayashi: Profile) -> None:
    legal = life_of(Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT)
    assert refused(legal, act(Step.DECIDE), kobayashi, COORDINATOR) == "D2"


@pytest.mark.rule("P1", "P2", "T4", "D5")
@pytest.mark.parametrize("present", [(), ("fukushi",), ("shakyo",), ("kikan", "jiritsu")])
def test_without_the_city_and_the_coordinator_it_was_no_such_meeting(
    kobayashi: Profile, present: tuple[str, ...]
) -> None:
    life = life_of(*TO_PLAN, Step.BRING)
    assert refused(life, act(Step.RECORD_RESULT, present=present), kobayashi) == "P1"


@pytest.mark.rule("D5", "D9")
@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.FIT, State.AGREED),
        (Outcome.FIT_AMENDED, State.AGREED),
        (Outcome.AGAIN, State.PLANNED),
        (Outcome.REFERRER_LEADS, State.WITH_REFERRER),
    ],
)
def test_the_outcome_of_the_meeting_decides_where_the_case_goes(outcome: Outcome, state: State) -> None:
    assert life_of(*TO_PLAN, Step.BRING, act(Step.RECORD_RESULT, outcome=outcome)).state is state


@pytest.mark.parametrize("step", Step)
def test_other_agencies_read_the_case_and_take_no_step_of_it(kobayashi: Profile, step: Step) -> None:
    for state in rules.row(step).source:
        life = Life(rules.row(step).where[0], state=state)
        refusal = possible(life, step, AGENCY, kobayashi)
        assert refusal is not None
        assert refusal.next_step


# -- T5: early support -------------------------------------------------------------------------------------------------


@pytest.mark.rule("T5")
def test_early_support_begins_before_the_decision_and_waits_for_a_meeting_until_it_is_fixed() -> None:
    life = life_of(Step.ASSESS, Step.START_EARLY, Step.DRAFT)
    assert [one.rule for one in due(life, DAY, DAY)] == ["T1", "T5"]
    fixed = life_of(Step.ASSESS, Step.START_EARLY, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT)
    assert [one.rule for one in due(fixed, DAY, DAY)] == ["T4"]


def test_what_was_begun_early_is_not_given_back_before_a_meeting_has_looked_at_it(kobayashi: Profile) -> None:
    life = life_of(Step.ASSESS, Step.START_EARLY)
    assert refused(life, act(Step.GIVE_BACK), kobayashi) == "T5"
    heard = life_of(Step.START_EARLY, *TO_PLAN, Step.BRING, act(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS))
    assert heard.early_since is None


# -- dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", [DAY + timedelta(days=1), DAY - timedelta(days=1)], ids=["to come", "before the last"])
def test_a_step_happened_not_before_the_last_one_and_not_after_today(kobayashi: Profile, on: date) -> None:
    assert refused(life_of(Step.ASSESS), act(Step.DRAFT, on=on), kobayashi) == "T1"


def test_no_step_happened_before_the_referral_was_received(kobayashi: Profile) -> None:
    life = replace(Life(JUSO), received_on=DAY)
    assert refused(life, act(Step.ASSESS, on=DAY - timedelta(days=1)), kobayashi) == "T1"
    assert judge(life, act(Step.ASSESS), CITY, DAY, kobayashi) is None


def test_what_is_not_open_says_which_step_leads_there(kobayashi: Profile) -> None:
    told = {one.step: one for one in ways(life_of(Step.ASSESS), CITY, kobayashi)}
    assert (told[Step.BRING].rule, "「プラン案を作る」" in told[Step.BRING].next_step) == ("T1", True)
    assert "「実施・モニタリング」" in told[Step.MONITOR].reason
    assert told[Step.MONITOR].rule == "T4"
    assert STEP_TEXT[Step.DRAFT] in told[Step.REOPEN].next_step, "nobody is told to end a case so as to reopen it"
    assert "先に" not in told[Step.REOPEN].next_step


def test_the_page_knows_before_anybody_fills_in_a_form_what_is_still_lacking(kobayashi: Profile) -> None:
    waiting = fold(JUSO, [act(one) for one in (*TO_PLAN, Step.BRING)])
    told = {one.step: one for one in ways(waiting, CITY, kobayashi)}
    assert not told[Step.RECORD_RESULT].allowed
    assert "まだ開かれていません" in told[Step.RECORD_RESULT].reason
    underway = {one.step: one for one in ways(life_of(*UNDERWAY), CITY, kobayashi)}
    assert not underway[Step.BRING_CLOSING].allowed
    assert not underway[Step.BRING_SUSPENSION].allowed


def test_what_is_due_is_late_from_the_day_after(kobayashi: Profile) -> None:
    life = life_of(*UNDERWAY)
    assert PLAN.monitor_on
    assert [one.late for one in due(life, DAY, PLAN.monitor_on)] == [False]
    assert [one.late for one in due(life, DAY, PLAN.monitor_on + timedelta(days=1))] == [True]


def test_29_february_is_a_day_like_another(kobayashi: Profile) -> None:
    plan = PLAN.model_copy(update={"monitor_on": date(2028, 2, 29)})
    life = life_of(Step.ASSESS, act(Step.DRAFT, plan=plan), Step.BRING, Step.RECORD_RESULT, Step.REPORT)
    (waiting,) = due(life, DAY, date(2028, 3, 1))
    assert (waiting.on, waiting.late) == (date(2028, 2, 29), True)


# -- the table itself --------------------------------------------------------------------------------------------------


def test_every_step_and_state_has_its_row_and_its_name() -> None:
    assert {turn.step for turn in TABLE} == set(Step) == set(STEP_TEXT)
    assert set(State) == set(STATE_TEXT)
    assert len(TABLE) == len(set(Step))


def test_the_page_of_the_table_is_printed_from_it() -> None:
    assert (ROOT / "docs" / "life.md").read_text("utf-8") == life_words.table()


@pytest.mark.parametrize("compartment", Compartment)
@pytest.mark.parametrize("state", State)
def test_every_state_has_a_lawful_way_on(kobayashi: Profile, state: State, compartment: Compartment) -> None:
    assert any(one.allowed for one in ways(Life(compartment, state=state), CITY, kobayashi))


LEAVING = (Step.END, Step.GIVE_BACK, Step.CONTACT, Step.START_EARLY, Step.DECLINE, Step.DROP_REPLAN)


def any_act(life: Life, chance: random.Random, profile: Profile) -> Act:
    """Mostly a step that is open and leads on, with what it needs; sometimes any step with any content."""
    forward = [one.step for one in ways(life, CITY, profile) if one.allowed and one.step not in LEAVING]
    step = chance.choice(forward if forward and chance.random() < 0.8 else list(Step))
    said: dict[str, Any] = {"plan": chance.choice([PLAN, LEGAL])}
    if step is Step.RECORD_RESULT:
        said["outcome"] = chance.choice([Outcome.FIT, Outcome.FIT, *Outcome])
    if chance.random() < 0.3:
        said |= {
            "plan": chance.choice([None, PLAN, LEGAL]),
            "outcome": chance.choice([None, *Outcome]),
            "present": chance.choice([(), BOTH, ("fukushi",)]),
            "contact": chance.choice([None, *Contact]),
            "lead": chance.choice([None, "shakyo"]),
            "ended": chance.choice([None, "died"]),
        }
    return act(step, **said)


def lawful_lives(compartment: Compartment, profile: Profile, seed: int) -> list[tuple[Act, Life]]:
    """A random life: at each point something is tried, and taken if it is allowed."""
    life, taken, chance = Life(compartment), list[tuple[Act, Life]](), random.Random(seed)
    for _ in range(60):
        tried = any_act(sat(life), chance, profile)
        actor = chance.choice([CITY, CITY, COORDINATOR, AGENCY])
        refusal = judge(sat(life), tried, actor, DAY, profile)
        if refusal is not None:
            assert refusal.rule
            assert refusal.reason
            assert refusal.next_step
            continue
        assert actor != AGENCY
        assert tried.step is not Step.DECIDE or actor == CITY
        life = after(life, tried)
        taken.append((tried, life))
    return taken


SEEDS = st.integers(0, 2**32)


@pytest.mark.rule("T1", "T3", "D7")
@given(seed=SEEDS, compartment=st.sampled_from(Compartment))
def test_no_sequence_of_allowed_steps_reaches_an_unlawful_state(
    kobayashi: Profile, seed: int, compartment: Compartment
) -> None:
    adopted: Purpose | None = None
    looked = evaluated = False
    for tried, life in lawful_lives(compartment, kobayashi, seed):
        if tried.step is Step.REOPEN:
            adopted, looked, evaluated = None, False, False
        if tried.step in (Step.DECIDE, Step.REPORT, Step.CONFIRM):
            looked = evaluated = False
        if tried.step is Step.CONTACT and tried.reached:
            looked = False
        looked |= tried.step is Step.CONTACT and tried.contact in (Contact.VISIT, Contact.INQUIRY)
        evaluated |= tried.step is Step.EVALUATE
        if tried.step is Step.RECORD_RESULT and tried.outcome in (Outcome.FIT, Outcome.FIT_AMENDED):
            adopted = life.purpose
        if life.state is State.UNDERWAY and compartment is JUSO:
            assert adopted is not None, "T1: a plan is fixed by a meeting"
        if life.state is State.SUSPENDED:
            assert (adopted, looked) == (Purpose.SUSPENSION, True), "T1, T3"
        if life.state is State.CLOSED and tried.step is Step.CLOSE:
            assert (adopted, evaluated) == (Purpose.CLOSING, True), "T1, T2"
            assert tried.lead, "D7"
        if life.state in OVER and not life.died:
            assert any(one.allowed and one.step is Step.REOPEN for one in ways(life, CITY, kobayashi)), "T7"


def test_random_lives_come_to_every_state_and_take_every_step(kobayashi: Profile) -> None:
    lives = [one for kind in Compartment for seed in range(200) for one in lawful_lives(kind, kobayashi, seed)]
    assert {life.state for _, life in lives} == set(State)
    assert {tried.step for tried, _ in lives} == set(Step)


@given(seed=SEEDS)
def test_the_same_acts_lead_to_the_same_place(kobayashi: Profile, seed: int) -> None:
    taken = lawful_lives(JUSO, kobayashi, seed)
    if taken:
        assert fold(JUSO, [one for one, _ in taken]) == taken[-1][1]
