"""A case's life: no sequence of allowed steps reaches an unlawful state, and no refusal is without a way on."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.life import (
    STATE_TEXT,
    STEP_TEXT,
    Act,
    Contact,
    Due,
    LegalService,
    Outcome,
    PaperRef,
    Plan,
    Role,
    State,
    Step,
)
from contracts.message import Compartment
from contracts.profile import Deadlines, Profile
from contracts.purpose import Purpose
from services.commands.life import table
from services.coordination import deadlines
from services.coordination.life import after, fold, judge, possible, ways
from services.coordination.life_table import TABLE, row
from services.coordination.life_terms import Decider, Life, Refusal

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
EARLY = (LegalService.OUTREACH,)
LEGAL = PLAN.model_copy(update={"services": (LegalService.PARTICIPATION,)})
BOTH = ("fukushi", "shakyo")
CHIEF = UUID(int=0xD0)
"""吉留, who decides for 福祉課 (representative)."""
DEADLINES = Deadlines()


def act(step: Step, **said: Any) -> Act:
    """A step with all that any step needs; what is said instead replaces it."""
    full: dict[str, Any] = {
        "step": step,
        "on": DAY,
        "words": "世帯の状況を確かめた。",
        "plan": PLAN if step in (Step.DRAFT, Step.AMEND) else None,
        "outcome": Outcome.FIT if step is Step.RECORD_RESULT else None,
        "present": BOTH if step in (Step.RECORD_RESULT, Step.RECORD_FIRST) else (),
        "contact": Contact.VISIT if step is Step.CONTACT else None,
        "lead": "shakyo",
        "follow_up": "phone",
        "next_on": DAY + timedelta(days=90),
        "ended": "moved" if step is Step.END else None,
        "counterpart": "fukushi" if step is Step.REPORT else "houkatsu-kobayashi",
        "services": EARLY if step is Step.START_EARLY else LEGAL.services if step is Step.DECIDE else (),
        "drafted_on": DAY if step is Step.DECIDE else None,
        "notified_on": DAY if step is Step.DECIDE else None,
        "decider": CHIEF if step is Step.DECIDE else None,
        "decider_post": "representative" if step is Step.DECIDE else None,
        "rest_confirmed": step is Step.DECIDE,
        "consent_on": DAY if step is Step.MOVE_ON else None,
        "evidence": "同意書(本人の署名)" if step is Step.MOVE_ON else "",
        "no_paper": "面談の場で書き取り、シートは後で書く。" if step in (Step.ASSESS, Step.EVALUATE) else "",
    }
    if step in (Step.RECEIVE, Step.STOP):
        return Act.model_validate({"step": step, "on": DAY} | said)
    return Act.model_validate(full | said)


def life_of(*steps: Step | Act, compartment: Compartment = JUSO) -> Life:
    """A case whose referrer was answered; its sitting was today."""
    acts = [one if isinstance(one, Act) else act(one) for one in steps]
    return sat(replace(fold(compartment, acts), answered=True))


def sat(life: Life) -> Life:
    """Its sitting was today, and is over."""
    return replace(life, sitting_on=DAY, begun=True)


def coming(life: Life) -> Life:
    """Its sitting is still to come."""
    return replace(life, sitting_on=None, begun=False)


def due(life: Life, opened_on: date, today: date) -> list[Due]:
    return deadlines.due(life, opened_on, today, DEADLINES)


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
    outside = {"hellowork": Refusal(rule, "範囲に入っていません。", "この機関を含む同意か委嘱を得てください。")}
    heard = replace(life_of(*TO_PLAN, Step.BRING, compartment=compartment), outside=outside)
    assert refused(heard, act(Step.RECORD_RESULT, present=(*BOTH, "hellowork")), kobayashi) == rule
    begun = replace(life_of(Step.ASSESS, compartment=compartment), outside=outside)
    with_it = PLAN.model_copy(update={"roles": (Role(agency="hellowork", until=DAY, does="家計の相談"),)})
    assert refused(begun, act(Step.DRAFT, plan=with_it), kobayashi) == rule
    closing = replace(life_of(*TO_CLOSE), outside=outside, compartment=compartment)
    assert refused(closing, act(Step.CLOSE, lead="hellowork"), kobayashi) == rule


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


@pytest.mark.rule("T2", "T8")
@pytest.mark.parametrize(
    "lacking",
    [
        *({"goals": " "}, {"policy": ""}, {"roles": ()}),
        {"roles": (*PLAN.roles, Role(agency="kikan", until=DAY, does="\u3000"))},
        {"roles": (Role(agency="shakyo", until=DAY - timedelta(days=1), does="家計の相談"),)},
        {"roles": (Role(agency="shakyo", until=date(9999, 12, 31), does="家計の相談"),)},
        *({"monitor_on": None}, {"monitor_on": DAY}, {"monitor_on": date(9999, 12, 31)}),
    ],
    ids=[
        "goals",
        "policy",
        "roles",
        "a role that says nothing",
        "past",
        "far",
        "monitoring",
        "monitoring on the day itself",
        "far monitoring",
    ],
)
def test_a_plan_without_one_of_its_parts_is_no_plan(kobayashi: Profile, lacking: dict[str, Any]) -> None:
    plan = PLAN.model_copy(update=lacking)
    rule = "T8" if "monitor_on" in lacking else "T2"
    assert refused(life_of(Step.ASSESS), act(Step.DRAFT, plan=plan), kobayashi) == rule


@pytest.mark.rule("C5", "T2")
@pytest.mark.parametrize(("step", "rule"), [(Step.ASSESS, "C5"), (Step.EVALUATE, "T2")])
def test_an_assessment_and_an_evaluation_rest_on_a_sheet_or_somebody_says_why_there_is_none(
    kobayashi: Profile, step: Step, rule: str
) -> None:
    for nothing in ("", "\u3000\u200b"):
        assert refused(Life(JUSO), act(step, no_paper=nothing), kobayashi) == rule
    assert judge(Life(JUSO), act(step), CITY, DAY, kobayashi) is None
    sheet = PaperRef(paper=CHIEF, version=1)
    assert judge(Life(JUSO), act(step, no_paper="", paper=sheet), CITY, DAY, kobayashi) is None


def test_a_plan_names_agencies_that_exist(kobayashi: Profile) -> None:
    gone = PLAN.model_copy(update={"roles": (Role(agency="kaisan", until=DAY, does="家計の相談"),)})
    assert refused(life_of(Step.ASSESS), act(Step.DRAFT, plan=gone), kobayashi) == "T2"


@pytest.mark.rule("T2")
def test_an_agency_has_a_role_and_a_place_in_the_room_until_its_last_day_and_none_after_it(kobayashi: Profile) -> None:
    ending = tuple(one.model_copy(update={"until": DAY} if one.code == "kikan" else {}) for one in kobayashi.agencies)
    profile, with_it = (
        kobayashi.model_copy(update={"agencies": ending}),
        (Role(agency="kikan", until=DAY, does="通院"),),
    )
    draft, begun = act(Step.DRAFT, plan=PLAN.model_copy(update={"roles": with_it})), life_of(Step.ASSESS)
    assert judge(begun, draft, CITY, DAY, profile) is None
    late = draft.model_copy(update={"on": DAY + timedelta(days=1)})
    refusal = judge(begun, late, CITY, late.on, profile)
    assert refusal is not None
    assert (refusal.rule, "(2026年11月24日まで)" in refusal.reason) == ("T2", True)
    heard = life_of(*TO_PLAN, Step.BRING)
    result = act(Step.RECORD_RESULT, present=(*BOTH, "kikan"), on=late.on)
    assert judge(heard, result, CITY, late.on, profile) is not None


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
@pytest.mark.parametrize(
    "lacking",
    [
        *({"lead": None}, {"follow_up": None}, {"follow_up": "none"}, {"next_on": None}, {"next_on": DAY}),
        {"lead": "shakyo", "words": ""},
    ],
)
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
        (Outcome.NOT_HEARD, State.PLANNED),
    ],
)
def test_the_outcome_of_the_meeting_decides_where_the_case_goes(outcome: Outcome, state: State) -> None:
    assert life_of(*TO_PLAN, Step.BRING, act(Step.RECORD_RESULT, outcome=outcome)).state is state


@pytest.mark.parametrize("step", Step)
def test_other_agencies_read_the_case_and_take_no_step_of_it(kobayashi: Profile, step: Step) -> None:
    for state in row(step).source:
        life = Life(row(step).where[0], state=state)
        refusal = possible(life, step, AGENCY, kobayashi)
        assert refusal is not None
        assert refusal.next_step


def agreed_on(plan: Plan) -> Life:
    return life_of(Step.ASSESS, act(Step.DRAFT, plan=plan), Step.BRING, Step.RECORD_RESULT)


@pytest.mark.rule("D1", "D2", "D3", "D11")
@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"decider": None}, "D2"),
        ({"decider_post": None}, "D2"),
        ({"services": ()}, "D3"),
        ({"services": (LegalService.PARTICIPATION, LegalService.OUTREACH)}, "D3"),
        ({"rest_confirmed": False}, "D1"),
        ({"drafted_on": None}, "D11"),
        ({"drafted_on": DAY - timedelta(days=1)}, "D11"),
        ({"notified_on": DAY - timedelta(days=1)}, "D11"),
        ({"notified_on": DAY + timedelta(days=1)}, "T1"),
        ({"words": "\u200b\u3164"}, "T2"),
    ],
)
def test_a_decision_says_who_decided_on_what_and_when(kobayashi: Profile, wrong: dict[str, Any], rule: str) -> None:
    mixed = agreed_on(LEGAL.model_copy(update={"other_support": True}))
    assert judge(mixed, act(Step.DECIDE), CITY, DAY, kobayashi) is None
    assert refused(mixed, act(Step.DECIDE, **wrong), kobayashi) == rule


YESTERDAY = DAY - timedelta(days=1)


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("known", "lawful"),
    [
        ({CHIEF: Decider(frozenset({"representative"}))}, True),
        ({CHIEF: Decider(frozenset({"representative"}), since=DAY, until=DAY)}, True),
        ({CHIEF: Decider(frozenset({"representative"}), until=YESTERDAY)}, False),
        ({CHIEF: Decider(frozenset({"representative"}), since=DAY + timedelta(days=1))}, False),
        ({CHIEF: Decider(frozenset({"officer"}))}, False),
        ({}, False),
    ],
    ids=["holds it", "this day only", "until yesterday", "from tomorrow", "another post", "not of the city"],
)
def test_who_decides_holds_the_post_on_that_day(kobayashi: Profile, known: dict[UUID, Decider], lawful: bool) -> None:
    life = replace(agreed_on(LEGAL), deciders=known)
    if lawful:
        assert judge(life, act(Step.DECIDE), CITY, DAY, kobayashi) is None
    else:
        assert refused(life, act(Step.DECIDE), kobayashi) == "D2"


@pytest.mark.rule("D11")
def test_a_decision_that_nobody_was_told_of_stays_due_until_it_is(kobayashi: Profile) -> None:
    life = after(agreed_on(LEGAL), act(Step.DECIDE, notified_on=None))
    assert [one.rule for one in due(life, DAY, DAY)] == ["D11", "T4"]
    assert refused(life, act(Step.NOTIFY), kobayashi, COORDINATOR) == "D2"
    assert [one.rule for one in due(after(life, act(Step.NOTIFY)), DAY, DAY)] == ["T4"]
    told = after(agreed_on(LEGAL), act(Step.DECIDE))
    assert refused(told, act(Step.NOTIFY), kobayashi) == "D11"


@pytest.mark.rule("D1")
@pytest.mark.parametrize("to", [None, "shakyo", "kikan"])
def test_a_plan_without_legal_services_is_reported_to_the_city_and_to_nobody_else(
    kobayashi: Profile, to: str | None
) -> None:
    assert refused(life_of(*TO_AGREED), act(Step.REPORT, counterpart=to), kobayashi, COORDINATOR) == "D1"


@pytest.mark.parametrize(("step", "before"), [(Step.BRING, TO_PLAN), (Step.REPORT, TO_AGREED)])
def test_a_plan_does_not_outlive_an_agency_with_a_role_in_it(
    kobayashi: Profile, step: Step, before: tuple[Step, ...]
) -> None:
    agencies = tuple(one for one in kobayashi.agencies if one.code != "kikan")
    without = kobayashi.model_copy(update={"agencies": agencies})
    (name,) = (one.name for one in kobayashi.agencies if one.code == "kikan")
    gone = PLAN.model_copy(update={"roles": (Role(agency="kikan", until=DAY, does="家計の相談"),)})
    life = life_of(*(act(one, plan=gone) if one is Step.DRAFT else one for one in before))
    assert judge(life, act(step), CITY, DAY, kobayashi) is None
    assert refused(life, act(step), without) == "T2"
    ended = replace(life, gone={"kikan": f"{name}(2026年11月23日まで)"})
    refusal = judge(ended, act(step), CITY, DAY, kobayashi)
    assert refusal is not None
    assert (refusal.rule, name in refusal.reason) == ("T2", True), "it is said which one"
    (first, *_) = due(ended, DAY, DAY)
    assert (first.rule, first.on, first.late, name in first.text) == ("T2", DAY, False, True), "at once"


@pytest.mark.parametrize(("step", "before"), [(Step.BRING, TO_PLAN), (Step.REPORT, TO_AGREED)])
def test_a_consent_that_shrank_since_stops_the_plan_that_goes_beyond_it(
    kobayashi: Profile, step: Step, before: tuple[Step, ...]
) -> None:
    no = Refusal("C3", "同意の範囲に入っていません。", "この機関を含む同意を得てください。")
    assert refused(replace(life_of(*before), outside={"shakyo": no}), act(step), kobayashi) == "C3"


# -- the meeting itself ------------------------------------------------------------------------------------------------


def test_once_a_sitting_has_begun_its_item_is_not_taken_back(kobayashi: Profile) -> None:
    brought = fold(JUSO, [act(one) for one in (*TO_PLAN, Step.BRING)])
    assert judge(brought, act(Step.TAKE_BACK), CITY, DAY, kobayashi) is None
    assert refused(replace(brought, begun=True), act(Step.TAKE_BACK), kobayashi) == "D5"


@pytest.mark.parametrize("steps", [(*TO_PLAN, Step.BRING), (*UNDERWAY, Step.EVALUATE, Step.BRING_CLOSING)])
def test_what_a_sitting_did_not_come_to_goes_back_and_is_brought_again(
    kobayashi: Profile, steps: tuple[Step, ...]
) -> None:
    life = life_of(*steps)
    missed = act(Step.RECORD_RESULT, outcome=Outcome.NOT_HEARD, present=())
    assert judge(life, missed, CITY, DAY, kobayashi) is None
    assert after(life, missed).state is (State.PLANNED if len(steps) == 3 else State.UNDERWAY)
    assert refused(life, missed.model_copy(update={"words": " "}), kobayashi) == "T2"


@pytest.mark.rule("S2")
@pytest.mark.parametrize("compartment", Compartment)
def test_the_meeting_that_intake_called_has_a_result_of_its_own(kobayashi: Profile, compartment: Compartment) -> None:
    life = Life(compartment, first_on=DAY)
    first = act(Step.RECORD_FIRST, present=BOTH)
    assert judge(life, first, CITY, DAY, kobayashi) is None
    assert after(life, first).state is State.OPENED
    assert refused(life, act(Step.RECORD_FIRST, present=("kikan",)), kobayashi) in ("P1", "S1")
    assert refused(Life(compartment), first, kobayashi) == "T1"
    assert "S2" in {one.rule for one in due(life, DAY, DAY)}


@pytest.mark.rule("D9")
def test_a_referrer_that_leads_gets_its_advice_on_a_day(kobayashi: Profile) -> None:
    life = life_of(*TO_PLAN, Step.BRING)
    leads = act(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS)
    assert [one.rule for one in due(after(life, leads), DAY, DAY)] == ["D9"]
    assert refused(life, leads.model_copy(update={"next_on": DAY}), kobayashi) == "D7"


# -- ending, and after the end -----------------------------------------------------------------------------------------


@pytest.mark.rule("T1", "T3")
@pytest.mark.parametrize("steps", [(), (Step.ASSESS,), TO_PLAN, UNDERWAY, (*UNDERWAY, Step.DRAFT)])
def test_who_disappears_or_needs_no_more_is_ended_by_a_meeting_from_wherever_the_case_stands(
    kobayashi: Profile, steps: tuple[Step, ...]
) -> None:
    lost = life_of(*steps, Step.CONTACT)
    assert judge(lost, act(Step.BRING_SUSPENSION), CITY, DAY, kobayashi) is None
    done = life_of(*steps, Step.EVALUATE)
    assert judge(done, act(Step.BRING_CLOSING), CITY, DAY, kobayashi) is None
    for one in (after(lost, act(Step.BRING_SUSPENSION)), after(done, act(Step.BRING_CLOSING))):
        assert after(sat(one), act(Step.RECORD_RESULT, outcome=Outcome.AGAIN)).state is life_of(*steps).state


@pytest.mark.rule("T3")
def test_who_turns_up_after_the_meeting_is_not_suspended(kobayashi: Profile) -> None:
    found = life_of(*UNDERWAY, Step.CONTACT, Step.BRING_SUSPENSION, Step.RECORD_RESULT)
    assert judge(found, act(Step.SUSPEND), CITY, DAY, kobayashi) is None
    back = after(found, act(Step.CONTACT, reached=True))
    assert refused(back, act(Step.SUSPEND), kobayashi) == "T3"
    assert after(back, act(Step.DECLINE)).state is State.UNDERWAY


@pytest.mark.rule("D7")
def test_the_coordinator_leads_on_only_with_a_role_of_its_own_and_a_reason(kobayashi: Profile) -> None:
    other = PLAN.model_copy(update={"roles": (Role(agency="kikan", until=DAY, does="家計の相談"),)})
    steps = [act(one, plan=other) if one is Step.DRAFT else one for one in TO_CLOSE]
    assert refused(life_of(*steps), act(Step.CLOSE, lead="shakyo"), kobayashi) == "D7"
    assert judge(life_of(*steps), act(Step.CLOSE, lead="kikan"), CITY, DAY, kobayashi) is None
    assert judge(life_of(*TO_CLOSE), act(Step.CLOSE, lead="shakyo"), CITY, DAY, kobayashi) is None


NEXT = DAY + timedelta(days=90)


@pytest.mark.rule("D7")
def test_the_follow_up_stays_due_after_the_end_until_nobody_sets_another(kobayashi: Profile) -> None:
    closed = life_of(*TO_CLOSE, Step.CLOSE)
    assert [(one.rule, one.on) for one in due(closed, DAY, DAY)] == [("D7", NEXT)]
    again = after(closed, act(Step.FOLLOW_UP, next_on=NEXT + timedelta(days=1)))
    assert [one.on for one in due(again, DAY, DAY)] == [NEXT + timedelta(days=1)]
    assert due(after(closed, act(Step.FOLLOW_UP, next_on=None)), DAY, DAY) == []
    assert refused(closed, act(Step.FOLLOW_UP, next_on=DAY), kobayashi) == "D7"


@pytest.mark.rule("T3", "T7")
def test_after_a_suspension_contact_is_tried_on_and_whoever_is_reached_comes_back(kobayashi: Profile) -> None:
    lost = life_of(*UNDERWAY, Step.CONTACT, Step.BRING_SUSPENSION, Step.RECORD_RESULT)
    assert refused(lost, act(Step.SUSPEND, next_on=None), kobayashi) == "T3"
    suspended = after(lost, act(Step.SUSPEND))
    assert [one.rule for one in due(suspended, DAY, DAY)] == ["T3"]
    reached = after(suspended, act(Step.CONTACT, reached=True))
    assert [one.rule for one in due(reached, DAY, DAY)] == ["T7", "T3"]
    assert judge(reached, act(Step.REOPEN), CITY, DAY, kobayashi) is None


@pytest.mark.rule("T6")
@pytest.mark.parametrize("steps", [(), UNDERWAY, (*TO_PLAN, Step.BRING), (*TO_CLOSE, Step.CLOSE)])
def test_who_dies_is_told_to_the_next_meeting_and_nothing_more_is_asked_of_the_case(
    kobayashi: Profile, steps: tuple[Step, ...]
) -> None:
    dead = after(life_of(*steps), act(Step.END, ended="died"))
    assert (dead.state, [one.rule for one in due(dead, DAY, DAY)]) == (State.CLOSED, ["T6"])
    assert refused(dead, act(Step.CONTACT), kobayashi) == "T7"
    assert refused(dead, act(Step.END), kobayashi) == "T7"
    assert due(after(dead, act(Step.FOLLOW_UP, next_on=None)), DAY, DAY) == []


@pytest.mark.rule("C9")
def test_a_shien_case_whose_client_consents_moves_on_and_says_by_which_way(kobayashi: Profile) -> None:
    for steps in ((), TO_PLAN, TO_AGREED):
        life = life_of(*steps, compartment=SHIEN)
        assert judge(life, act(Step.MOVE_ON), CITY, DAY, kobayashi) is None
        (told,) = [one for one in ways(life, CITY, kobayashi) if one.step is Step.MOVE_ON]
        assert "kasane gate" in told.next_step
        assert "記録は移らない" in told.next_step
    assert refused(life_of(*TO_PLAN), act(Step.MOVE_ON), kobayashi) == "C9"


@pytest.mark.rule("C9", "C10")
@pytest.mark.parametrize(
    ("lacking", "rule"),
    [
        ({"consent_on": None}, "C9"),
        ({"consent_on": DAY + timedelta(days=1)}, "C9"),
        ({"evidence": "\u3000"}, "C10"),
        ({"words": ""}, "T2"),
    ],
    ids=["no day", "a day to come", "nothing that shows it", "no reason"],
)
def test_a_case_moves_on_by_a_consent_with_its_day_and_what_shows_it(
    kobayashi: Profile, lacking: dict[str, Any], rule: str
) -> None:
    assert refused(life_of(Step.ASSESS, compartment=SHIEN), act(Step.MOVE_ON, **lacking), kobayashi) == rule


@pytest.mark.rule("C10")
def test_a_case_that_moved_on_stays_due_until_the_new_referral_is_there_or_it_is_opened_again(
    kobayashi: Profile,
) -> None:
    moved = life_of(Step.ASSESS, Step.MOVE_ON, compartment=SHIEN)
    (waits,) = due(moved, DAY, DAY + timedelta(days=15))
    assert (waits.rule, waits.on, waits.late) == ("C10", DAY + timedelta(days=14), True)
    assert "再開" in waits.next_step
    for crossing in ({"words": "新しい番号は 0000125"}, {"minutes": "0000125"}):
        assert refused(moved, act(Step.RECEIVE, **crossing), kobayashi) == "C10"
    received = after(moved, act(Step.RECEIVE))
    assert due(received, DAY, DAY) == []
    assert refused(received, act(Step.RECEIVE), kobayashi) == "C10"
    assert [one.rule for one in due(after(moved, act(Step.REOPEN)), DAY, DAY)] == ["S10"]


@pytest.mark.rule("T6", "T7")
@pytest.mark.parametrize("ended", ["died", "moved"])
@pytest.mark.parametrize("steps", [(), TO_PLAN, TO_AGREED, UNDERWAY, (*TO_CLOSE, Step.CLOSE)])
def test_a_death_or_a_move_recorded_by_mistake_is_taken_back_and_what_was_before_comes_back(
    kobayashi: Profile, ended: str, steps: tuple[Step, ...]
) -> None:
    before, wrong = life_of(*steps), act(Step.END, ended=ended)
    assert refused(after(before, wrong), act(Step.CORRECT), kobayashi, COORDINATOR) == "D2"
    assert refused(after(before, wrong), act(Step.CORRECT, words=" "), kobayashi) == "T2"
    assert judge(after(before, wrong), act(Step.CORRECT), CITY, DAY, kobayashi) is None
    again = after(after(before, wrong), act(Step.CORRECT))
    assert replace(again, acts=before.acts, since=before.since) == before
    assert again.acts == before.acts + 2, "nothing is struck out"
    assert refused(again, act(Step.CORRECT), kobayashi) == "T7"


@pytest.mark.rule("T7")
def test_what_was_taken_off_a_meeting_by_mistake_is_put_forward_again(kobayashi: Profile) -> None:
    back = life_of(*TO_PLAN, Step.BRING, Step.END, Step.CORRECT)
    assert back.state is State.PLANNED
    assert [one.text for one in due(back, DAY, DAY)] == ["プランを会議に付議する"]
    told = {one.step: one.next_step for one in ways(life_of(Step.END), CITY, kobayashi)}
    assert "改めて付議する" in told[Step.CORRECT]


def stopped(*steps: Step | Act) -> Life:
    """Its consent was withdrawn."""
    return replace(life_of(*steps), stopped=True)


BARE_END = Act(step=Step.END, on=DAY, ended="died")


@pytest.mark.rule("C11")
@pytest.mark.parametrize("steps", [(), TO_PLAN, (*TO_PLAN, Step.BRING), TO_AGREED, UNDERWAY])
def test_a_case_whose_consent_was_withdrawn_can_be_ended_in_codes_and_days_by_the_city(
    kobayashi: Profile, steps: tuple[Step, ...]
) -> None:
    life = stopped(*steps)
    assert {one.step for one in ways(life, CITY, kobayashi) if one.allowed} == {Step.STOP, Step.END}
    assert judge(life, act(Step.STOP), CITY, DAY, kobayashi) is None
    assert judge(life, BARE_END, CITY, DAY, kobayashi) is None
    assert refused(life, act(Step.STOP), kobayashi, COORDINATOR) == "D2"
    for step in (Step.ASSESS, Step.MONITOR, Step.CLOSE, Step.TALK, Step.REOPEN):
        assert refused(life, act(step), kobayashi) == "C11", step
    assert after(life, act(Step.STOP)).state is State.CLOSED


@pytest.mark.rule("C11")
@pytest.mark.parametrize(
    "said",
    [
        *({"words": "亡くなった。"}, {"evidence": "電話"}, {"minutes": "7"}, {"form": "evaluation@1"}),
        *({"counterpart": "shakyo"}, {"lead": "shakyo"}, {"present": BOTH}, {"plan": PLAN}, {"no_paper": "なし"}),
    ],
    ids=lambda said: next(iter(said)),
)
def test_of_a_withdrawn_case_no_text_and_no_name_is_kept(kobayashi: Profile, said: dict[str, Any]) -> None:
    for bare in (BARE_END, act(Step.STOP)):
        assert refused(stopped(*UNDERWAY), bare.model_copy(update=said), kobayashi) == "C11"


@pytest.mark.rule("C11", "D11")
def test_whoever_withdrew_is_told_of_the_decision_before_the_case_ends(kobayashi: Profile) -> None:
    decided = replace(after(agreed_on(LEGAL), act(Step.DECIDE, notified_on=None)), stopped=True)
    assert [one.rule for one in due(decided, DAY, DAY)] == ["D11"], "and nothing else goes on"
    assert refused(decided, act(Step.STOP), kobayashi) == "D11"
    notice = Act(step=Step.NOTIFY, on=DAY)
    assert judge(decided, notice, CITY, DAY, kobayashi) is None
    assert judge(after(decided, notice), act(Step.STOP), CITY, DAY, kobayashi) is None


@pytest.mark.rule("C11")
def test_a_case_with_its_consent_ends_by_a_meeting_and_not_for_want_of_one(kobayashi: Profile) -> None:
    for steps in ((), UNDERWAY, (*TO_CLOSE, Step.CLOSE)):
        assert refused(life_of(*steps), act(Step.STOP), kobayashi) == "C11"


# -- T5: early support -------------------------------------------------------------------------------------------------


@pytest.mark.rule("T5")
def test_early_support_begins_before_the_decision_and_waits_for_a_meeting_until_it_is_fixed() -> None:
    draft = act(Step.DRAFT, plan=PLAN.model_copy(update={"services": EARLY}))
    life = life_of(Step.ASSESS, Step.START_EARLY, draft)
    assert [one.rule for one in due(life, DAY, DAY)] == ["T1", "T5"]
    fixed = life_of(Step.ASSESS, Step.START_EARLY, draft, Step.BRING, Step.RECORD_RESULT, Step.DECIDE)
    assert [one.rule for one in due(fixed, DAY, DAY)] == ["T4"]


def test_what_was_begun_early_is_not_given_back_before_a_meeting_has_looked_at_it(kobayashi: Profile) -> None:
    life = life_of(Step.ASSESS, Step.START_EARLY)
    assert refused(life, act(Step.GIVE_BACK), kobayashi) == "T5"
    early = act(Step.DRAFT, plan=PLAN.model_copy(update={"services": EARLY}))
    heard = life_of(
        Step.START_EARLY, Step.ASSESS, early, Step.BRING, act(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS)
    )
    assert heard.early_since is None


@pytest.mark.rule("T5", "D4")
def test_early_support_names_its_service_and_without_consent_it_is_outreach_only(kobayashi: Profile) -> None:
    begun = life_of(Step.ASSESS)
    assert refused(begun, act(Step.START_EARLY, services=()), kobayashi) == "T5"
    outreach = after(begun, act(Step.START_EARLY))
    assert refused(outreach, act(Step.START_EARLY), kobayashi) == "T5"
    both = act(Step.START_EARLY, services=LEGAL.services)
    assert judge(outreach, both, CITY, DAY, kobayashi) is None
    assert refused(after(outreach, both), act(Step.START_EARLY), kobayashi) == "T5"
    assert refused(life_of(Step.ASSESS, compartment=SHIEN), both, kobayashi) == "D4"


@pytest.mark.rule("D3")
def test_what_was_begun_early_is_in_the_plan_or_somebody_says_why_not(kobayashi: Profile) -> None:
    life = life_of(Step.ASSESS, Step.START_EARLY)
    assert refused(life, act(Step.DRAFT, words=""), kobayashi) == "D3"
    assert judge(life, act(Step.DRAFT), CITY, DAY, kobayashi) is None
    with_it = act(Step.DRAFT, plan=PLAN.model_copy(update={"services": EARLY}), words="")
    assert judge(life, with_it, CITY, DAY, kobayashi) is None


# -- deadlines ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("T9")
def test_only_an_answer_ends_the_wait_of_the_referrer_counted_from_the_day_it_referred() -> None:
    assert [one.rule for one in due(Life(JUSO), DAY, DAY)] == ["T9", "T1"]
    (wait, *_) = due(Life(JUSO, received_on=DAY - timedelta(days=20)), DAY, DAY)
    assert (wait.rule, wait.late, wait.on) == ("T9", True, DAY - timedelta(days=6))
    assert "受付" in wait.next_step
    for way in ((Step.CONTACT,), (Step.ASSESS, Step.DRAFT), UNDERWAY):
        assert "T9" in [one.rule for one in due(fold(JUSO, map(act, way)), DAY, DAY)], "nobody answered by that"
    answered = fold(SHIEN, [act(Step.ANSWER), act(Step.CONTACT)])
    assert "T9" not in [one.rule for one in due(answered, DAY, DAY)]


@pytest.mark.rule("T9", "T7")
@pytest.mark.parametrize("told", [Step.ANSWER, Step.GIVE_BACK])
def test_an_answer_holds_when_the_case_is_opened_again_and_its_lack_does_too(told: Step) -> None:
    again = fold(SHIEN, [act(told), act(Step.END), act(Step.REOPEN)])
    assert "T9" not in [one.rule for one in due(again, DAY, DAY)]
    never = fold(SHIEN, [act(Step.END), act(Step.REOPEN)])
    assert "T9" in [one.rule for one in due(never, DAY, DAY)]


@pytest.mark.rule("T9", "D8")
def test_a_case_that_reception_sends_back_is_due_to_go_and_one_that_was_heard_is_told_what_is_lawful() -> None:
    back = replace(life_of(Step.ASSESS), answered=True, told_back=DAY)
    assert [one.rule for one in due(back, DAY, DAY)] == ["D8"], "nobody assesses what goes back"
    heard = replace(life_of(*UNDERWAY), answered=True, told_back=DAY)
    wanted = [one for one in due(heard, DAY, DAY) if one.rule == "D8"]
    assert "戻せない" in wanted[0].text
    assert "終結" in wanted[0].text
    assert "T4" in [one.rule for one in due(heard, DAY, DAY)], "its plan goes on"


@pytest.mark.rule("T9")
def test_the_referrer_is_answered_once_in_shien_and_through_reception_in_juso(kobayashi: Profile) -> None:
    assert judge(Life(SHIEN, referrer="houkatsu-kobayashi"), act(Step.ANSWER), CITY, DAY, kobayashi) is None
    assert refused(fold(SHIEN, [act(Step.ANSWER)]), act(Step.ANSWER), kobayashi) == "T9"
    assert refused(Life(JUSO), act(Step.ANSWER), kobayashi) == "T9"


def test_a_city_sets_its_own_days_and_the_page_can_tell_them_from_those_of_the_plan() -> None:
    soon = Deadlines(bring_days=3)
    (wanted,) = deadlines.due(life_of(*TO_PLAN), DAY, DAY, soon)
    assert (wanted.on, wanted.guessed) == (DAY + timedelta(days=3), True)
    (monitoring,) = due(life_of(*UNDERWAY), DAY, DAY)
    assert not monitoring.guessed


@pytest.mark.parametrize("wrong", [{"bring_days": 0}, {"bring_days": 367}, {"bring_day": 3}])
def test_a_deadline_that_is_none_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="bring_day"):
        Deadlines.model_validate(wrong)


@pytest.mark.rule("M1")
def test_what_waited_too_long_goes_to_the_next_regular_meeting() -> None:
    planned = life_of(*TO_PLAN)
    (on_time,) = due(planned, DAY, DAY + timedelta(days=30))
    assert (on_time.late, on_time.next_step) == (False, "")
    (late,) = due(planned, DAY, DAY + timedelta(days=31))
    assert late.late
    assert "次の定例会議に付議" in late.next_step


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


@pytest.mark.parametrize("wanted", [Step.MONITOR, Step.NOTIFY, Step.RECORD_RESULT, Step.AMEND, Step.DECIDE])
def test_nobody_is_told_to_put_the_end_to_a_meeting_on_the_way_to_something_else(
    kobayashi: Profile, wanted: Step
) -> None:
    refusal = possible(Life(JUSO), wanted, CITY, kobayashi)
    assert refusal is not None
    assert refusal.next_step == "先に「アセスメントを記録する」を行ってください。"


@pytest.mark.parametrize("wanted", [Step.CLOSE, Step.SUSPEND])
def test_who_wants_the_end_is_led_to_the_meeting_about_it_and_told_what_lacks_for_that(
    kobayashi: Profile, wanted: Step
) -> None:
    lacking = possible(life_of(*UNDERWAY), wanted, CITY, kobayashi)
    assert lacking is not None
    assert ("評価シート" if wanted is Step.CLOSE else "自宅訪問") in lacking.next_step
    ready = possible(life_of(*UNDERWAY, Step.EVALUATE, Step.CONTACT), wanted, CITY, kobayashi)
    assert ready is not None
    bring = Step.BRING_CLOSING if wanted is Step.CLOSE else Step.BRING_SUSPENSION
    assert ready.next_step == f"先に「{STEP_TEXT[bring]}」を行ってください。"


@pytest.mark.rule("T7")
def test_of_a_case_that_ended_by_death_nobody_is_told_to_open_it_again(kobayashi: Profile) -> None:
    dead = life_of(act(Step.END, ended="died"))
    told = {one.step: one.next_step for one in ways(dead, CITY, kobayashi) if not one.allowed}
    assert told[Step.ASSESS] == told[Step.REOPEN], "the household's cases are the way on"
    assert not any(STEP_TEXT[Step.REOPEN] in text for text in told.values())


def test_the_page_knows_before_anybody_fills_in_a_form_what_is_still_lacking(kobayashi: Profile) -> None:
    waiting = coming(fold(JUSO, [act(one) for one in (*TO_PLAN, Step.BRING)]))
    told = {one.step: one for one in ways(waiting, CITY, kobayashi)}
    assert not told[Step.RECORD_RESULT].allowed
    assert "まだ終わっていません" in told[Step.RECORD_RESULT].reason
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
    assert (ROOT / "docs" / "life.md").read_text("utf-8") == table()


@pytest.mark.parametrize("compartment", Compartment)
@pytest.mark.parametrize("state", State)
def test_every_state_has_a_lawful_way_on(kobayashi: Profile, state: State, compartment: Compartment) -> None:
    assert any(one.allowed for one in ways(Life(compartment, state=state), CITY, kobayashi))


def lawful_walk(profile: Profile, compartment: Compartment, *steps: Step | Act) -> list[Life]:
    """Every step judged where it is taken; each sitting is held as soon as it is called."""
    life, lives = replace(Life(compartment), first_on=DAY), []
    for step in steps:
        one = step if isinstance(step, Act) else act(step)
        before = replace(life, first_on=DAY) if one.step is Step.RECORD_FIRST else life
        before = coming(before) if one.step is Step.TAKE_BACK else sat(before)
        assert judge(before, one, CITY, DAY, profile) is None, one.step
        life = after(life, one)
        lives.append(life)
    return lives


AGAIN = act(Step.RECORD_RESULT, outcome=Outcome.AGAIN)
AMENDED = act(Step.RECORD_RESULT, outcome=Outcome.FIT_AMENDED)
TO_REFERRER = act(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS)
NOT_HEARD = act(Step.RECORD_RESULT, outcome=Outcome.NOT_HEARD, present=())
LEGAL_DRAFT = act(Step.DRAFT, plan=LEGAL)
WITHOUT_NOTICE = act(Step.DECIDE, notified_on=None)
BY_KIKAN = act(Step.CLOSE, lead="kikan")
LOST = (Step.CONTACT, Step.BRING_SUSPENSION, Step.RECORD_RESULT, Step.SUSPEND)
WALKS: tuple[tuple[Compartment, tuple[Step | Act, ...]], ...] = (
    (JUSO, (*TO_CLOSE, Step.CLOSE, Step.FOLLOW_UP, Step.REOPEN)),
    (JUSO, (Step.RECORD_FIRST, Step.ASSESS, LEGAL_DRAFT, Step.BRING, Step.RECORD_RESULT, WITHOUT_NOTICE, Step.NOTIFY)),
    (JUSO, (*TO_PLAN, Step.BRING, AMENDED, Step.AMEND, Step.REPORT, Step.DRAFT, Step.DROP_REPLAN, Step.MONITOR)),
    (JUSO, (*TO_PLAN, Step.BRING, AGAIN, Step.BRING, NOT_HEARD, Step.BRING, Step.TAKE_BACK, Step.BRING, TO_REFERRER)),
    (JUSO, (*TO_AGREED, Step.DECLINE, Step.TALK, Step.GIVE_BACK, Step.REOPEN, *LOST, Step.CONTACT, Step.REOPEN)),
    (JUSO, (Step.START_EARLY, Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT, BY_KIKAN, Step.END)),
    (
        SHIEN,
        (Step.ANSWER, Step.RECORD_FIRST, Step.START_EARLY, *TO_AGREED[:2], Step.MOVE_ON, Step.RECEIVE, Step.REOPEN),
    ),
    (JUSO, (*TO_PLAN, Step.BRING, Step.END, Step.CORRECT, Step.BRING)),
    (SHIEN, (*TO_AGREED, Step.CONFIRM, *LOST, Step.END)),
)


def test_the_walks_that_people_take_are_lawful_and_come_to_every_state_by_every_step(kobayashi: Profile) -> None:
    lives = [life for kind, steps in WALKS for life in lawful_walk(kobayashi, kind, *steps)]
    assert {life.state for life in lives} == set(State)
    taken = {step.step if isinstance(step, Act) else step for _, steps in WALKS for step in steps}
    others = {Step.HAND_OVER, Step.STOP}
    assert taken == set(Step) - others, "nobody to hand over to in 小林市: test_charge.py; no stop: below"


# -- what a 支援会議 is for --------------------------------------------------------------------------------------------


@pytest.mark.rule("S10")
@pytest.mark.parametrize("purpose", [Purpose.SHARING, Purpose.WATCH, Purpose.EMERGENCY])
def test_a_support_meeting_is_asked_for_what_a_person_chose(purpose: Purpose, kobayashi: Profile) -> None:
    before = fold(SHIEN, [act(one) for one in TO_PLAN])
    assert after(before, act(Step.BRING, purpose=purpose)).purpose is purpose
    assert judge(before, act(Step.BRING, purpose=purpose), CITY, DAY, kobayashi) is None


@pytest.mark.rule("S10")
@pytest.mark.parametrize(("here", "purpose"), [(SHIEN, Purpose.PLAN), (SHIEN, Purpose.CLOSING), (JUSO, Purpose.WATCH)])
def test_any_other_purpose_is_refused_with_the_lawful_ones(
    here: Compartment, purpose: Purpose, kobayashi: Profile
) -> None:
    before = fold(here, [act(one) for one in TO_PLAN])
    refused = judge(before, act(Step.BRING, purpose=purpose), CITY, DAY, kobayashi)
    assert refused is not None
    assert refused.rule == "S10"
    assert "気になる事案の情報共有" in refused.next_step
