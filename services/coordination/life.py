"""The rules of a case's life: is one more act lawful, and where does it lead?

Everything here is plain values: a ``Life`` is folded from the acts in order, ``judge`` says whether one more is lawful.
Which step leads where, and what it needs, stands in ``life_table.py``.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import partial

from contracts.life import STATE_TEXT, Act, Outcome, State, Step, Way
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import OF_THE_LAW, Purpose
from services.coordination import charge, end_needs, leading
from services.coordination.life_needs import agencies_exist, inside
from services.coordination.life_table import TABLE, row
from services.coordination.life_terms import CITY, SHIEN, Life, Refusal, Turn

NO_DAY = date.max
"""The day of a blank act: what is asked before anybody says anything."""


def judge(life: Life, act: Act, kind: str, today: date, profile: Profile) -> Refusal | None:
    """None if the act is lawful now. ``kind`` is what the acting agency is (profile), ``today`` the day in Japan."""
    turn = row(act.step)
    if refusal := possible(life, act.step, kind, profile):
        return refusal
    if max(act.on, act.notified_on or act.on) > today:
        return Refusal("T1", "日付が今日より後です。", "実際に行った日を入れてください。")
    earliest = max((day for day in (life.since, life.received_on) if day), default=None)
    if earliest is not None and act.on < earliest:
        return Refusal("T1", "日付が、受付か前の記録の日より前です。", "実際に行った日を確かめてください。")
    for check in (end_needs.bare, agencies_exist, inside, *turn.needs):
        if refusal := check(life, act, profile):
            return refusal
    return None


def possible(life: Life, step: Step, kind: str, profile: Profile) -> Refusal | None:
    """Whether the step leads on from where the case stands, and whether this actor may take it, whatever it says.

    Who may not take a step is told who may, wherever the case stands: that is then the way on.
    """
    turn, here = row(step), partial(possible, life, kind=kind, profile=profile)
    if life.compartment not in turn.where:
        own = "支援会議" if life.compartment is SHIEN else "重層的支援会議"
        return Refusal(turn.rules[0], f"{own}の事案では行いません。", leading.ways_on(life, profile, here))
    if refusal := _not_theirs(life, turn, kind, profile):
        return refusal
    if refusal := end_needs.stopped(life, step):
        return refusal
    blank = Act(step=step, on=NO_DAY)
    if life.state not in turn.source:
        lasting = (check for check in turn.given if check in end_needs.LASTING)
        refusal = next((refusal for check in lasting if (refusal := check(life, blank, profile))), None)
        return refusal or _out_of_turn(life, turn, profile, here)
    return next((refusal for check in turn.given if (refusal := check(life, blank, profile))), None)


def _not_theirs(life: Life, turn: Turn, kind: str, profile: Profile) -> Refusal | None:
    if kind == charge.OTHER_COORDINATOR and "coordinator" in turn.by:
        return leading.another_s(life, profile)
    if kind in turn.by:
        return None
    if turn.by == CITY:
        reason = "これは市町村だけが行えます。委託先や他の機関には任せられません。"
        return Refusal("D2", reason, "市町村の担当課に依頼してください。")
    return Refusal("T1", "これは市町村か多機関協働事業者が行います。", "担当課か推進員に伝えてください。")


def _out_of_turn(life: Life, turn: Turn, profile: Profile, here: leading.Possible) -> Refusal:
    """The step belongs to other states; the next step is what leads there."""
    names = "、".join(f"「{STATE_TEXT[state]}」" for state in turn.source)
    reason = f"いまは「{STATE_TEXT[life.state]}」です。これは{names}のときに行います。"
    rule = "T1" if "T1" in turn.rules else turn.rules[0]
    return Refusal(rule, reason, leading.first(life, turn, profile, here))


def fold(compartment: Compartment, acts: Iterable[Act]) -> Life:
    """Where a case stands after these acts, in order."""
    life = Life(compartment)
    for act in acts:
        life = after(life, act)
    return life


def after(life: Life, act: Act) -> Life:
    """The life with one lawful act more."""
    moved = replace(life, state=row(act.step).to or life.state, since=act.on, acts=life.acts + 1)
    match act.step:
        case Step.DRAFT | Step.AMEND | Step.DROP_REPLAN | Step.DECLINE | Step.TAKE_BACK:
            return _planning(moved, act)
        case Step.BRING | Step.BRING_CLOSING | Step.BRING_SUSPENSION:
            return replace(moved, purpose=purpose_of(life, act.step, act.purpose), brought_from=life.state, begun=False)
        case Step.RECORD_RESULT:
            return _heard(moved, act)
        case Step.DECIDE | Step.REPORT | Step.CONFIRM:
            return _fixed(moved, act)
        case Step.CLOSE | Step.SUSPEND | Step.GIVE_BACK | Step.END | Step.STOP | Step.MOVE_ON | Step.FOLLOW_UP:
            return _ending(replace(moved, before_end=life) if act.step is Step.END else moved, act)
        case Step.CORRECT:
            return _corrected(moved)
        case Step.REOPEN:
            again = Life(life.compartment, plan=life.fixed_plan or life.plan, since=act.on, acts=moved.acts)
            return replace(again, handed_to=life.handed_to, talked_on=life.talked_on, answered=life.answered)
        case _:
            return _on_the_way(moved, act)


def _planning(life: Life, act: Act) -> Life:
    match act.step:
        case Step.DRAFT:
            return replace(life, plan=act.plan, purpose=None)
        case Step.AMEND:
            return replace(life, plan=act.plan, to_amend=False)
        case Step.DROP_REPLAN:
            return replace(life, plan=life.fixed_plan)
        case _:
            return _back(life)


def _on_the_way(life: Life, act: Act) -> Life:
    """What leaves the case where it stands."""
    match act.step:
        case Step.MONITOR:
            return replace(life, monitor_on=act.next_on, contacts=())
        case Step.EVALUATE:
            return replace(life, evaluated_on=act.on)
        case Step.START_EARLY:
            return replace(life, early=dict(life.early) | dict.fromkeys(act.services, act.on))
        case Step.NOTIFY:
            return replace(life, decided_on=None)
        case Step.CONTACT:
            tried = () if act.reached or act.contact is None else (*life.contacts, act.contact)
            reached = act.on if act.reached and life.state is State.SUSPENDED else life.back_in_touch
            return replace(life, contacts=tried, back_in_touch=reached)
        case Step.TALK:
            return replace(life, talked_on=act.on)
        case Step.RECORD_FIRST:
            return replace(life, first_on=None)
        case Step.HAND_OVER:
            return replace(life, handed_to=act.counterpart)
        case Step.RECEIVE:
            return replace(life, moved_on=None)
        case Step.ANSWER:
            return replace(life, answered=True)
        case _:
            return life


def _fixed(life: Life, act: Act) -> Life:
    """The plan is in force: what was evaluated or tried before it counts no more (T2 C, T3)."""
    to_tell = act.on if act.step is Step.DECIDE and act.notified_on is None else None
    fixed = replace(life, fixed_before=True, fixed_plan=life.plan, early={}, purpose=None, decided_on=to_tell)
    return replace(
        fixed, monitor_on=life.plan.monitor_on if life.plan else None, evaluated_on=None, contacts=(), heard_on=None
    )


def _ending(life: Life, act: Act) -> Life:
    if act.step is Step.FOLLOW_UP:  # the end was told, or the call made; a person reached may still have to come back
        return replace(life, follow_up_on=act.next_on, tell_end=None)
    over = replace(life, early={}, purpose=None, to_amend=False, follow_up_on=act.next_on, heard_on=None)
    if act.step is Step.END:
        over = replace(over, ended=act.ended or "", decided_on=None, tell_end=act.on, follow_up_on=None)
        return replace(over, moved_on=None)
    over = replace(over, moved_on=act.on if act.step is Step.MOVE_ON else None)
    over = replace(over, answered=life.answered or act.step is Step.GIVE_BACK)
    return replace(over, follow_up_on=act.next_on if act.step in (Step.CLOSE, Step.SUSPEND) else None)


def _corrected(life: Life) -> Life:
    """How it stood before the end that was none. What was withdrawn from a meeting then is put forward again (T7)."""
    if life.before_end is None:
        return life
    back = replace(life.before_end, since=life.since, acts=life.acts, talked_on=life.talked_on)
    return _back(back) if back.state is State.AT_MEETING else back


def purpose_of(life: Life, step: Step, chosen: Purpose | None = None) -> Purpose:
    """What a step puts the case to a meeting for (T1 A-D); in shien what a person chose, else to watch (S10)."""
    if step in (Step.BRING_CLOSING, Step.BRING_SUSPENSION):
        return Purpose.CLOSING if step is Step.BRING_CLOSING else Purpose.SUSPENSION
    if life.compartment is SHIEN:
        return chosen if chosen in OF_THE_LAW else Purpose.WATCH
    return Purpose.REPLAN if life.fixed_before else Purpose.PLAN


def _heard(life: Life, act: Act) -> Life:
    if act.outcome in (Outcome.FIT, Outcome.FIT_AMENDED):
        plan_only = life.purpose not in (Purpose.CLOSING, Purpose.SUSPENSION)
        amend = plan_only and act.outcome is Outcome.FIT_AMENDED
        return replace(life, state=State.AGREED, to_amend=amend, heard_on=act.on)
    if act.outcome is Outcome.REFERRER_LEADS:
        left = replace(life, state=State.WITH_REFERRER, purpose=None, early={}, answered=True, follow_up_on=act.next_on)
        return replace(left, evaluated_on=None, contacts=())
    return replace(life, begun=False) if act.outcome is Outcome.RAISE else _back(life)


def _back(life: Life) -> Life:
    """To where it was brought from."""
    return replace(life, state=life.brought_from, purpose=None, to_amend=False, heard_on=None)


def ways(life: Life, kind: str, profile: Profile) -> list[Way]:
    """Every step of the compartment for this actor: the open ones first, the others with the reason."""
    found = []
    for turn in TABLE:
        if life.compartment not in turn.where or leading.is_idle(turn, profile):
            continue
        refusal = possible(life, turn.step, kind, profile)
        rule = refusal.rule if refusal else "・".join(turn.rules)
        found.append(
            Way(
                step=turn.step,
                allowed=refusal is None,
                rule=rule,
                reason=refusal.reason if refusal else "",
                next_step=refusal.next_step if refusal else turn.follows,
            )
        )
    return sorted(found, key=lambda way: not way.allowed)
