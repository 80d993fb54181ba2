"""What to do first when a step is not open yet: only what this actor can do now, and what leads towards the step.

Closing, suspending and ending are ways to themselves alone: nobody is told to end a case so as to monitor it (T1).
"""

from collections import deque
from collections.abc import Callable, Iterable

from contracts.life import STEP_TEXT, State, Step
from contracts.profile import Profile
from services.coordination import charge
from services.coordination.life_table import TABLE, row
from services.coordination.life_terms import OVER, Life, Refusal, Turn

Possible = Callable[[Step], Refusal | None]
"""Whether the actor may take this step now; asked only of steps that belong to where the case stands."""

TOWARDS = {Step.CLOSE: Step.BRING_CLOSING, Step.SUSPEND: Step.BRING_SUSPENSION}
"""What leads to a meeting about the end, for who wants that; for nobody else."""
_BRINGS = (Step.BRING, *TOWARDS.values())
_UNDOES = (Step.TAKE_BACK, Step.DECLINE, Step.DROP_REPLAN)
"""They take something back: where there is nothing, nobody is led to make it first."""


def first(life: Life, wanted: Turn, profile: Profile, possible: Possible) -> str:
    """The sentence that says what to do before ``wanted``; ``wanted`` does not belong to where the case stands."""
    leads = [] if wanted.step in _UNDOES or set(wanted.source) <= set(OVER) else _first_steps(life, wanted)
    refused = {step: possible(step) for step in leads}
    if can := [step for step, refusal in refused.items() if refusal is None]:
        return f"先に{'か、'.join(f'「{STEP_TEXT[step]}」' for step in can)}を行ってください。"
    told = dict.fromkeys(refusal.next_step for refusal in refused.values() if refusal)
    return next(iter(told), "") or ways_on(life, profile, possible)


def ways_on(life: Life, profile: Profile, possible: Possible) -> str:
    """What the actor can do now, by name."""
    here = [turn.step for turn in TABLE if life.compartment in turn.where and life.state in turn.source]
    can = [step for step in here if not is_idle(row(step), profile) and possible(step) is None]
    if not can:
        return "市町村の担当課か多機関協働事業者が進めます。担当に伝えてください。"
    return f"いまできることは、{'、'.join(f'「{STEP_TEXT[step]}」' for step in can)}です。"


def is_idle(turn: Turn, profile: Profile) -> bool:
    """Whether a step has no meaning in this city: nobody is told of a hand-over where there is one coordinator."""
    return turn.step is Step.HAND_OVER and len(profile.coordinators) < 2


def _first_steps(life: Life, wanted: Turn) -> list[Step]:
    """The first steps of the shortest ways to where ``wanted`` belongs; none where no way leads there."""
    reached: dict[State, set[Step]] = {life.state: set()}
    waiting = deque([life.state])
    distance = {life.state: 0}
    while waiting:
        state = waiting.popleft()
        if state in wanted.source and state is not life.state:
            return [turn.step for turn in TABLE if turn.step in _all_first(reached, distance, wanted, distance[state])]
        for step, to in _edges(life, state, wanted.step):
            starts = reached[state] or {step}
            if to not in distance:
                distance[to] = distance[state] + 1
                reached[to] = set(starts)
                waiting.append(to)
            elif distance[to] == distance[state] + 1:
                reached[to] |= starts
    return []


def _all_first(reached: dict[State, set[Step]], distance: dict[State, int], wanted: Turn, near: int) -> set[Step]:
    return {step for state in wanted.source if distance.get(state) == near for step in reached[state]}


def _edges(life: Life, state: State, wanted: Step) -> Iterable[tuple[Step, State]]:
    """The steps from a state that move a case on, and where to; only those that a person wanting ``wanted`` takes."""
    for turn in TABLE:
        if life.compartment not in turn.where or state not in turn.source or turn.step is wanted:
            continue
        to = turn.to
        if turn.step is Step.RECORD_RESULT:
            to = State.AGREED
        elif turn.step in (Step.TAKE_BACK, Step.DECLINE):
            to = life.brought_from
        if to is None or to is state or to in OVER:
            continue
        if turn.step in _BRINGS and turn.step is not TOWARDS.get(wanted, Step.BRING):
            continue
        yield turn.step, to


def another_s(life: Life, profile: Profile) -> Refusal:
    """Of several 多機関協働事業者 only the one in charge carries the case (P1)."""
    own = charge.in_charge(profile, life.referrer, life.handed_to)
    name = next((agency.name for agency in profile.agencies if agency.code == own), "")
    next_step = f"担当に依頼してください。替わるときは、担当か市町村が「{STEP_TEXT[Step.HAND_OVER]}」を行います。"
    return Refusal("P1", f"この事案の多機関協働の担当は、{name}です。", next_step)
