"""Random lives against the laws, written here a second time: none of this looks at the table.

A machine tries steps of every kind, mostly well-formed, by people of every kind, while days pass and sittings are
held, moved or missed. What is taken must be lawful by ``Laws``; what is refused must name a next step.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.life import STEP_TEXT, Act, Contact, LegalService, Outcome, Plan, State, Step, Way
from contracts.message import Compartment
from contracts.profile import Profile
from services.coordination import deadlines
from services.coordination.life import after, fold, judge, possible, ways
from services.coordination.life_terms import Life, Refusal
from services.settings import read_profile
from tests.coordination.test_life import BOTH, DAY, LEGAL, PLAN, act
from tests.examples.test_examples import EXAMPLES

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
PROFILE: Profile = read_profile(EXAMPLES / "kobayashi")
REFERRER = "houkatsu-kobayashi"
OUTSIDER = "hellowork"
KINDS = {"municipality": "fukushi", "coordinator": "shakyo", "consultation": "kikan", "": "kaisan"}
MIXED = LEGAL.model_copy(update={"other_support": True, "services": tuple(LegalService)})
PLANS = (PLAN, LEGAL, MIXED, PLAN.model_copy(update={"services": (LegalService.OUTREACH,)}))

SILENT = PLAN.model_copy(update={"roles": (PLAN.roles[0].model_copy(update={"does": ""}),)})
"""Its role says an agency and a day, and not what it does."""
LACKING: tuple[tuple[Step, dict[str, Any]], ...] = (
    (Step.DRAFT, {"does": ""}),
    (Step.ASSESS, {"no_paper": ""}),
    (Step.EVALUATE, {"no_paper": "\u3000"}),
    (Step.MOVE_ON, {"evidence": "\u3000"}),
    (Step.MOVE_ON, {"consent_on": None}),
)
"""What somebody forgets most."""

BESIDE = (
    *(
        Step.CONTACT,
        Step.TALK,
        Step.EVALUATE,
        Step.MONITOR,
        Step.START_EARLY,
        Step.RECORD_FIRST,
        Step.NOTIFY,
        Step.FOLLOW_UP,
    ),
    *(Step.TAKE_BACK, Step.DECLINE, Step.DROP_REPLAN, Step.CORRECT, Step.RECEIVE),
)
ENDING = (Step.END, Step.MOVE_ON, Step.GIVE_BACK, Step.STOP)
LEADING = tuple(one for one in Step if one not in (*BESIDE, *ENDING))
STEP_OF = {text: step for step, text in STEP_TEXT.items()}
TOWARDS = {
    State.OPENED: {Step.ASSESS},
    State.ASSESSED: {Step.DRAFT},
    State.PLANNED: {Step.BRING, Step.DROP_REPLAN},
    State.AT_MEETING: {Step.RECORD_RESULT, Step.TAKE_BACK},
    State.AGREED: {Step.DECIDE, Step.REPORT, Step.CONFIRM, Step.DECLINE},
    State.UNDERWAY: {Step.DRAFT},
}
"""What leads on from a state for who wants neither an end nor a suspension; from what is over: to open it again."""


@dataclass
class Laws:
    """What really happened, for the laws: not how the code remembers it."""

    plan: Plan | None = None
    agreed: str = ""
    """For what the last meeting was in favour, if nothing was done about it yet: plan, closing, suspension."""
    amend: bool = False
    before: str = ""
    fixed: Plan | None = None
    evaluated: bool = False
    sought: bool = False
    early: set[LegalService] = field(default_factory=set)
    dead: bool = False
    untold: bool = False
    over: bool = False
    back_to: State = State.PLANNED
    moved: bool = False
    """It moved on by consent, and the referral that has to follow is not there yet."""
    stood: "tuple[Laws, State] | None" = None
    """What was true before a death or a move was recorded, and where the case stood."""


class Lives(RuleBasedStateMachine):
    """One case and its days."""

    def __init__(self) -> None:
        super().__init__()
        self.life, self.acts, self.laws = Life(JUSO), list[Act](), Laws()
        self.today, self.sat_on = DAY, None
        self.last = DAY

    @initialize(
        compartment=st.sampled_from(Compartment),
        first=st.booleans(),
        far=st.integers(0, 9),
        plan=st.sampled_from(PLANS),
        found=st.sampled_from([Outcome.FIT, Outcome.FIT, Outcome.FIT_AMENDED]),
        by=st.sampled_from(["municipality", "municipality", "coordinator"]),
    )
    def opened(self, compartment: Compartment, first: bool, far: int, plan: Plan, found: Outcome, by: str) -> None:
        """A case that has come some way already: as far as its plan in force, step by step like any other."""
        no = Refusal("C3" if compartment is JUSO else "S6", "範囲の外です。", "同意か委嘱を得てください。")
        self.life = replace(
            Life(compartment),
            received_on=DAY,
            referrer=REFERRER,
            outside={OUTSIDER: no},
            first_on=DAY if first else None,
        )

        if compartment is SHIEN:
            plan = PLAN
        fix = Step.CONFIRM if compartment is SHIEN else Step.DECIDE if plan.services else Step.REPORT
        decided = {"services": plan.services, "drafted_on": self.today, "notified_on": None}
        way = (
            act(Step.ASSESS),
            act(Step.EVALUATE),
            act(Step.DRAFT, plan=plan),
            act(Step.BRING),
            act(Step.RECORD_RESULT, outcome=found),
            act(fix, **(decided if fix is Step.DECIDE else {})),
            *(
                (act(Step.CONTACT), act(Step.BRING_SUSPENSION))
                if first
                else (act(Step.EVALUATE), act(Step.BRING_CLOSING))
            ),
            act(Step.RECORD_RESULT),
        )
        for one in way[:far]:
            self.the_sitting_is_held()
            self.attempt(one, by)

    # -- the world -----------------------------------------------------------------------------------------------

    @rule(days=st.integers(1, 40))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @precondition(lambda self: self.life.state is State.AT_MEETING)
    @rule()
    def the_sitting_is_held(self) -> None:
        if self.life.state is State.AT_MEETING:
            self.life, self.sat_on = replace(self.life, begun=True, sitting_on=self.today), self.today

    @precondition(lambda self: self.life.state is State.AT_MEETING)
    @rule()
    def the_sitting_has_begun(self) -> None:
        if self.life.state is State.AT_MEETING and self.sat_on is None:
            self.life = replace(self.life, begun=True)

    @precondition(lambda self: self.life.compartment is JUSO)
    @rule(often=st.integers(0, 2))
    def the_consent_is_withdrawn_or_given_again(self, often: int) -> None:
        self.life = replace(self.life, stopped=not self.life.stopped and often == 0)

    # -- people --------------------------------------------------------------------------------------------------

    @rule(data=st.data(), kind=st.sampled_from([*["municipality"] * 6, "coordinator", "consultation", ""]))
    def a_way_that_is_offered_is_taken(self, data: st.DataObject, kind: str) -> None:
        offered = [one.step for one in ways(self.life, kind, PROFILE) if one.allowed]
        if offered:
            leading = [one for one in offered if one in LEADING] or offered
            self.attempt(self.well_formed(data.draw(st.sampled_from(leading)), data), kind)

    @rule(data=st.data())
    def something_on_the_way_is_recorded(self, data: st.DataObject) -> None:
        offered = [one.step for one in ways(self.life, "municipality", PROFILE) if one.allowed and one.step in BESIDE]
        if offered:
            self.attempt(self.well_formed(data.draw(st.sampled_from(offered)), data), "municipality")

    @rule(data=st.data(), kind=st.sampled_from(sorted(KINDS)), step=st.sampled_from(Step))
    def anything_is_tried(self, data: st.DataObject, kind: str, step: Step) -> None:
        wrong: dict[str, Any] = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "on": st.sampled_from([self.today + timedelta(days=1), DAY - timedelta(days=1), self.today]),
                    "words": st.sampled_from(["", " ", "\u200b"]),
                    "plan": st.sampled_from([None, PLAN.model_copy(update={"roles": ()}), SILENT, *PLANS]),
                    "outcome": st.sampled_from([None, *Outcome]),
                    "present": st.sampled_from([(), ("fukushi",), BOTH, (*BOTH, OUTSIDER)]),
                    "contact": st.sampled_from([None, *Contact]),
                    "lead": st.sampled_from([None, "shakyo", "kikan", OUTSIDER, "kaisan"]),
                    "follow_up": st.sampled_from([None, "none", "phone"]),
                    "next_on": st.sampled_from([None, self.today, self.today + timedelta(days=900)]),
                    "ended": st.sampled_from([None, "died", "moved"]),
                    "counterpart": st.sampled_from([None, "fukushi", "hokenjo", REFERRER]),
                    "services": st.sampled_from([(), tuple(LegalService), LEGAL.services]),
                    "rest_confirmed": st.booleans(),
                    "consent_on": st.sampled_from([None, DAY, self.today, self.today + timedelta(days=1)]),
                    "no_paper": st.sampled_from(["", "\u3000"]),
                    "evidence": st.sampled_from(["", "\u3000", "電話で聞いた。"]),
                    "drafted_on": st.sampled_from([None, DAY - timedelta(days=3), self.today]),
                },
            )
        )
        self.attempt(self.well_formed(step, data).model_copy(update=wrong), kind)

    @rule(data=st.data(), lacks=st.sampled_from(LACKING))
    def a_step_that_lacks_one_part_is_tried(self, data: st.DataObject, lacks: tuple[Step, dict[str, Any]]) -> None:
        step, without = lacks
        one = self.well_formed(step, data)
        if one.plan and "does" in without:
            roles = tuple(role.model_copy(update=without) for role in one.plan.roles)
            self.attempt(one.model_copy(update={"plan": one.plan.model_copy(update={"roles": roles})}), "municipality")
        else:
            self.attempt(one.model_copy(update=without), "municipality")

    @precondition(lambda self: self.life.stopped)
    @rule(
        data=st.data(),
        step=st.sampled_from([Step.END, Step.STOP, Step.NOTIFY, Step.CORRECT]),
        said=st.sampled_from(
            [{"words": "亡くなった。"}, {"minutes": "7"}, {"evidence": "電話"}, {"lead": "kikan"}, {"present": BOTH}]
        ),
    )
    def somebody_tells_something_of_a_withdrawn_case(
        self, data: st.DataObject, step: Step, said: dict[str, Any]
    ) -> None:
        self.attempt(self.well_formed(step, data).model_copy(update=said), "municipality")

    def well_formed(self, step: Step, data: st.DataObject) -> Act:
        plan = data.draw(st.sampled_from(PLANS)) if step in (Step.DRAFT, Step.AMEND) else None
        soon = self.today + timedelta(days=60)
        fitting = plan and plan.model_copy(
            update={
                "monitor_on": soon,
                "roles": tuple(one.model_copy(update={"until": soon}) for one in plan.roles),
            }
        )
        said: dict[str, Any] = {"on": self.today, "plan": fitting, "next_on": soon}
        if step is Step.RECORD_RESULT:
            said["outcome"] = data.draw(st.sampled_from([*[Outcome.FIT] * 4, Outcome.FIT_AMENDED, *Outcome]))
        if step in (Step.RECORD_RESULT, Step.RECORD_FIRST):
            said["present"] = BOTH
        if step is Step.CONTACT:
            said["reached"] = data.draw(st.booleans())
        if step is Step.DECIDE:
            said |= {"services": self.laws.plan.services if self.laws.plan else (), "drafted_on": self.today}
            said["notified_on"] = data.draw(st.sampled_from([None, self.today]))
        if step is Step.START_EARLY:
            said["services"] = data.draw(st.sampled_from([(LegalService.OUTREACH,), LEGAL.services]))
        if self.life.stopped and step in (Step.END, Step.STOP, Step.NOTIFY, Step.CORRECT):
            said = {"on": self.today, "ended": "moved"} if step is Step.END else {"on": self.today}
            return Act.model_validate({"step": step} | said)
        if step in (Step.STOP, Step.RECEIVE):
            return Act(step=step, on=self.today)
        if step is Step.END:
            said["ended"] = data.draw(st.sampled_from(["died", "moved"]))
        return act(step, **said)

    def attempt(self, one: Act, kind: str) -> None:
        before, refusal = self.life, judge(self.life, one, kind, self.today, PROFILE)
        if refusal is not None:
            assert refusal.rule
            assert refusal.reason.endswith("。"), refusal
            assert refusal.next_step.endswith("。"), refusal
            return
        self.taken_lawfully(one, kind, before)
        self.acts.append(one)
        self.last = one.on
        self.life = replace(after(before, one), stopped=before.stopped)
        again = one.step is Step.RECORD_RESULT and one.outcome in (Outcome.AGAIN, Outcome.NOT_HEARD)
        if again or one.step in (Step.TAKE_BACK, Step.DECLINE):
            assert self.life.state is self.laws.back_to, "to where it was brought from"
        if one.step in (Step.BRING, Step.BRING_CLOSING, Step.BRING_SUSPENSION):
            self.sat_on, self.laws.back_to = None, before.state
            self.life = replace(self.life, begun=False, sitting_on=None)

    # -- the laws ------------------------------------------------------------------------------------------------

    def taken_lawfully(self, one: Act, kind: str, before: Life) -> None:
        assert kind in ("municipality", "coordinator"), "others read the case"
        assert self.last <= one.on <= self.today
        named = {*one.present, *(role.agency for role in (one.plan.roles if one.plan else ()))}
        named |= {one.lead} if one.step is Step.CLOSE and one.lead else set()
        assert OUTSIDER not in named, "C3, S6"
        if before.stopped:
            assert one.step in (Step.NOTIFY, Step.END, Step.STOP, Step.CORRECT), "C11: nothing goes on"
            assert f"{one.words}{one.minutes}{one.evidence}" == "", "C11: no text"
            assert {*named, one.counterpart, one.lead} == {None}, "C11: no name"
        getattr(self, f"_{one.step.value}", self._nothing)(one, kind, before)

    def _nothing(self, one: Act, kind: str, before: Life) -> None:
        """No law of ours asks more of this step than who, when and whom it names."""

    def _draft(self, one: Act, kind: str, before: Life) -> None:
        assert one.plan
        assert one.plan.roles, "T2"
        assert all(role.does for role in one.plan.roles), "T2: agency, role and deadline"
        if before.compartment is SHIEN:
            assert LegalService.PARTICIPATION not in one.plan.services, "D4"
        self.laws.plan = one.plan

    def _amend(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.amend, "D5: only what the meeting asked to amend"
        self._draft(one, kind, before)
        self.laws.amend = False

    def _drop_replan(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.fixed
        self.laws.plan = self.laws.fixed

    def _start_early(self, one: Act, kind: str, before: Life) -> None:
        assert one.services, "T5"
        if before.compartment is SHIEN:
            assert LegalService.PARTICIPATION not in one.services, "D4"
        self.laws.early |= set(one.services)

    def _bring(self, one: Act, kind: str, before: Life) -> None:
        self.laws.before = "plan"

    def _assess(self, one: Act, kind: str, before: Life) -> None:
        assert one.paper or one.no_paper.strip("\u3000"), "C5"

    def _evaluate(self, one: Act, kind: str, before: Life) -> None:
        assert one.paper or one.no_paper.strip("\u3000"), "T2: a sheet, or why there is none"
        self.laws.evaluated = True

    def _contact(self, one: Act, kind: str, before: Life) -> None:
        assert not self.laws.dead
        self.laws.sought = not one.reached and (self.laws.sought or one.contact in (Contact.VISIT, Contact.INQUIRY))

    def _monitor(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.fixed, "T4"
        self.laws.sought = False

    def _bring_closing(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.evaluated, "T2 C"
        self.laws.before = "closing"

    def _bring_suspension(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.sought, "T3"
        self.laws.before = "suspension"

    def _take_back(self, one: Act, kind: str, before: Life) -> None:
        assert not before.begun, "a result is not evaded"
        self.laws.before = ""

    def _record_result(self, one: Act, kind: str, before: Life) -> None:
        assert self.sat_on is not None, "T1: the sitting is over"
        assert self.sat_on <= one.on
        if one.outcome is Outcome.NOT_HEARD:
            self.laws.before = ""
            return
        assert "fukushi" in one.present, "P1, S1"
        assert "shakyo" in one.present or before.compartment is SHIEN, "P1"
        favour = one.outcome in (Outcome.FIT, Outcome.FIT_AMENDED)
        self.laws.agreed, self.laws.before = (self.laws.before if favour else ""), ""
        self.laws.amend = one.outcome is Outcome.FIT_AMENDED and self.laws.agreed == "plan"
        if one.outcome is Outcome.REFERRER_LEADS:
            assert not self.laws.fixed, "T1: that is a closing"
            self.laws.early, self.laws.over = set(), True

    def _decline(self, one: Act, kind: str, before: Life) -> None:
        assert kind == "municipality", "D2"
        self.laws.agreed, self.laws.amend = "", False

    def _fixed(self, one: Act) -> None:
        assert self.laws.agreed == "plan", "T1 A, B"
        assert not self.laws.amend, "D5"
        assert self.laws.plan
        self.laws.fixed, self.laws.agreed, self.laws.early = self.laws.plan, "", set()
        self.laws.evaluated = self.laws.sought = False

    def _decide(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.plan
        assert (kind, before.compartment) == ("municipality", JUSO), "D2"
        assert one.decider, "D2"
        assert self.laws.plan.services, "D1"
        assert set(one.services) == set(self.laws.plan.services), "D3"
        assert one.rest_confirmed or not self.laws.plan.other_support, "D1: the mixed pattern"
        assert one.drafted_on
        assert one.drafted_on <= one.on <= (one.notified_on or one.on), "D11"
        self.laws.untold = one.notified_on is None
        self._fixed(one)

    def _notify(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.untold
        self.laws.untold = False

    def _report(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.plan
        assert not self.laws.plan.services, "D1"
        assert one.counterpart == "fukushi", "D1: to the city"
        self._fixed(one)
        self.laws.untold = False

    def _confirm(self, one: Act, kind: str, before: Life) -> None:
        assert (kind, before.compartment) == ("municipality", SHIEN), "S1"
        self._fixed(one)

    def _close(self, one: Act, kind: str, before: Life) -> None:
        assert (self.laws.agreed, self.laws.evaluated) == ("closing", True), "T1 C, T2"
        plan = self.laws.fixed or self.laws.plan or Plan()
        roles = {role.agency for role in plan.roles}
        assert one.lead
        assert one.lead != "shakyo" or ("shakyo" in roles and one.words.strip("\u200b ")), "D7"
        assert one.follow_up in ("phone", "visit", "meeting"), "D7"
        assert one.next_on
        assert one.next_on > one.on, "D7"
        self.laws.early, self.laws.agreed, self.laws.over = set(), "", True

    def _suspend(self, one: Act, kind: str, before: Life) -> None:
        assert (self.laws.agreed, self.laws.sought) == ("suspension", True), "T1 D, T3"
        self.laws.agreed, self.laws.over = "", True

    def _give_back(self, one: Act, kind: str, before: Life) -> None:
        assert one.counterpart == REFERRER, "D8"
        assert not self.laws.fixed, "T1"
        assert not self.laws.early, "T5"
        self.laws.over = True

    def _end(self, one: Act, kind: str, before: Life) -> None:
        assert not self.laws.dead
        stood = (replace(self.laws), before.state)
        self.laws = replace(
            self.laws, dead=one.ended == "died", untold=False, over=True, moved=False, stood=stood, early=set()
        )

    def _correct(self, one: Act, kind: str, before: Life) -> None:
        assert kind == "municipality", "T7: by the office"
        assert self.laws.stood, "only what was recorded as an end by mistake"
        assert one.words.strip("\u200b ") or before.stopped, "T2: with its reason"
        self.laws, state = self.laws.stood
        back = self.laws.back_to if state is State.AT_MEETING else state
        self.laws = replace(self.laws, before="" if state is State.AT_MEETING else self.laws.before)
        assert after(before, one).state is back, "T7: the state before it comes back, off the meeting"

    def _stop(self, one: Act, kind: str, before: Life) -> None:
        assert kind == "municipality", "C11"
        assert before.stopped, "C11: who consents ends by a meeting"
        assert not self.laws.untold, "D11: the decision is told first"
        self.laws = replace(self.laws, early=set(), agreed="", over=True)

    def _move_on(self, one: Act, kind: str, before: Life) -> None:
        assert before.compartment is SHIEN, "C10"
        assert one.consent_on, "C9"
        assert one.consent_on <= one.on, "C9"
        assert one.evidence.strip("\u3000"), "C10"
        self.laws = replace(self.laws, over=True, moved=True)

    def _receive(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.moved, "C10: once"
        assert f"{one.words}{one.minutes}{one.evidence}" == "", "C10: only a day crosses"
        self.laws.moved = False

    def _follow_up(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.over, "D7"

    def _reopen(self, one: Act, kind: str, before: Life) -> None:
        assert self.laws.over
        assert not self.laws.dead, "T7"
        self.laws = Laws(plan=self.laws.fixed or self.laws.plan)

    # -- always --------------------------------------------------------------------------------------------------

    @invariant()
    def there_is_a_lawful_way_on(self) -> None:
        open_now = [one for one in ways(self.life, "municipality", PROFILE) if one.allowed]
        assert open_now
        assert all(one.next_step for one in ways(self.life, "municipality", PROFILE))
        if self.life.stopped:
            assert {one.step for one in open_now} <= {Step.NOTIFY, Step.END, Step.STOP, Step.CORRECT}, "C11"
            assert self.laws.over or self.laws.untold or Step.STOP in {one.step for one in open_now}, "it can be ended"
        elif self.laws.over and not self.laws.dead:
            assert Step.REOPEN in {one.step for one in open_now}, "T7"

    @invariant()
    def every_refusal_names_what_can_be_done_now_or_who_does_it(self) -> None:
        for kind in KINDS:
            for way in ways(self.life, kind, PROFILE):
                if not way.allowed:
                    self.leads_on(way, kind)

    def leads_on(self, way: Way, kind: str) -> None:
        named = [STEP_OF[text] for text in re.findall("「(.+?)」", way.next_step) if text in STEP_OF]
        who = "municipality" if way.next_step.startswith("市町村が") else kind
        for step in named:
            assert possible(self.life, step, who, PROFILE) is None, f"{way.step} by {kind}: {way.next_step}"
        if kind not in ("municipality", "coordinator"):
            assert not named
            assert "担当" in way.next_step, "who does it"
        if way.next_step.startswith("先に"):
            ends = {Step.CLOSE: Step.BRING_CLOSING, Step.SUSPEND: Step.BRING_SUSPENSION}.get(way.step)
            assert set(named) <= TOWARDS.get(self.life.state, {Step.REOPEN}) | {ends}, way
        if self.life.stopped or way.step in (Step.STOP, Step.NOTIFY):
            return
        if self.laws.dead:
            assert STEP_TEXT[Step.REOPEN] not in way.next_step, "T7: nobody is told to open it again"

    @invariant()
    def what_must_not_be_forgotten_is_due(self) -> None:
        rules = {one.rule for one in deadlines.due(self.life, DAY, self.today, PROFILE.deadlines)}
        if self.laws.untold and not self.laws.over:
            assert "D11" in rules, "also after a withdrawal"
        if self.life.stopped:
            assert rules <= {"D11"}, "C11: nothing else can be done"
            return
        if self.laws.moved:
            assert "C10" in rules
        if self.laws.dead and self.acts[-1].step is Step.END:
            assert "T6" in rules
        if self.laws.early and not self.laws.over:
            assert "T5" in rules
        if self.laws.untold and not self.laws.over:
            assert "D11" in rules
        if self.laws.fixed and not self.laws.over:
            assert "T4" in rules

    @invariant()
    def where_it_stands_follows_from_its_acts_alone(self) -> None:
        again = fold(self.life.compartment, self.acts)
        assert (again.state, again.plan, again.purpose) == (self.life.state, self.life.plan, self.life.purpose)


@pytest.mark.rule("T1", "T2", "T3", "T5", "D1", "D2", "D3", "D7", "D8", "P1")
def test_no_life_that_people_can_lead_breaks_a_law() -> None:
    run_state_machine_as_test(Lives, settings=settings(max_examples=80, stateful_step_count=30, deadline=None))  # type: ignore[no-untyped-call]
