"""The terms in which the table of a case's life is written: what is known of a case, a refusal, a row of the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from contracts.life import Act, Contact, LegalService, Plan, State, Step
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import Purpose

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
OVER = (State.CLOSED, State.SUSPENDED, State.RETURNED, State.WITH_REFERRER, State.TO_JUSO)
ACTIVE = tuple(one for one in State if one not in OVER)
BEFORE = (State.OPENED, State.ASSESSED, State.PLANNED)
FREE = (*BEFORE, State.UNDERWAY)
"""Where nothing of the case is before a meeting, or found by one and not yet carried out."""

OFFICE = ("municipality", "coordinator")
"""市町村 and 多機関協働事業者 carry a case; other agencies read it and have roles in it."""
CITY = ("municipality",)


@dataclass(frozen=True)
class Refusal:
    """By which rule a step is not lawful, why, and what is."""

    rule: str
    reason: str
    next_step: str


@dataclass(frozen=True)
class Decider:
    """One of the 市町村 who holds ``posts``, from and to these days; None: from ever, for ever (D2)."""

    posts: frozenset[str]
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Life:
    """What the rules ask of a case. Folded from its acts; nothing else is kept of where it stands."""

    compartment: Compartment
    state: State = State.OPENED
    plan: Plan | None = None
    purpose: Purpose | None = None
    """What it is before a meeting for, or was found fit for."""
    brought_from: State = State.PLANNED
    fixed_before: bool = False
    """A plan was fixed since it was opened or opened again: the next one is a 再プラン (T1 B)."""
    fixed_plan: Plan | None = None
    """The plan in force, while another is being made."""
    to_amend: bool = False
    """A meeting found the plan fit once it is amended, and it is not yet (D5)."""
    early: Mapping[LegalService, date] = field(default_factory=dict)
    """What was begun before a meeting looked at it, and when (T5)."""
    heard_on: date | None = None
    """The day a meeting found what is now to be fixed."""
    decided_on: date | None = None
    """The day of a decision that nobody was told of yet (D11)."""
    ended: str = ""
    before_end: "Life | None" = None
    """How it stood before a 死亡・転出 was recorded: that comes back if it was a mistake (T7)."""
    moved_on: date | None = None
    """The day on which it moved on by consent, until the referral that has to follow is known to be there (C10)."""
    evaluated_on: date | None = None
    monitor_on: date | None = None
    follow_up_on: date | None = None
    tell_end: date | None = None
    """The day of a 死亡・転出 that no meeting was told of yet (T6)."""
    contacts: tuple[Contact, ...] = ()
    back_in_touch: date | None = None
    """The day on which somebody who had been given up was reached (T7)."""
    talked_on: date | None = None
    """The day of the last 面談 or 同行支援 with the person (C7)."""
    answered: bool = False
    """The 紹介元 was answered whether its referral is taken on or given back (T9). Stays so when it is opened again."""
    handed_to: str | None = None
    """The 多機関協働事業者 that took the case over last."""
    acts: int = 0
    since: date | None = None
    """The day of its last act."""

    # What the acts do not say, and coordination looks up.
    stopped: bool = False
    """In juso: no consent is in force (C11)."""
    begun: bool = False
    """The sitting of what was brought has begun."""
    sitting_on: date | None = None
    """The day in Japan of that sitting, once it is over."""
    meets_on: date | None = None
    """The day in Japan of the sitting still to come that is to hear it."""
    heard_by: str = ""
    """The body of that sitting."""
    first_on: date | None = None
    """The day of a sitting that has heard an item nobody brought: intake put it, and its result is not recorded."""
    anxious_since: date | None = None
    """The day on which a form of the case said last that the person is anxious (C7)."""
    unasked: int = 0
    """How many who live with the person nobody has asked for their own consent (S18)."""
    unasked_since: date | None = None
    received_on: date | None = None
    referrer: str = ""
    gone: Mapping[str, str] = field(default_factory=dict)
    """The agencies that its plan, roster or waiting item names and that are no more, each with name and last day."""
    told_back: date | None = None
    """The day on which 受付 answered that the case goes back, if that is its last word and was not followed (D8)."""
    outside: Mapping[str, Refusal] = field(default_factory=dict)
    """The agencies that may not hear the case now, each with what the policy says (C3, S6)."""
    deciders: Mapping[UUID, Decider] | None = None
    """Who may decide for the 市町村; None where the directory was not asked."""

    @property
    def early_since(self) -> date | None:
        """Since when something goes on that no meeting has looked at."""
        return min(self.early.values(), default=None)


Check = Callable[[Life, Act, Profile], Refusal | None]


@dataclass(frozen=True)
class Turn:
    """A row. ``to`` is None where the case stays where it is, or the meeting's outcome decides."""

    step: Step
    source: tuple[State, ...]
    to: State | None
    by: tuple[str, ...]
    rules: tuple[str, ...]
    needs: tuple[Check, ...] = ()
    """What the act itself has to say."""
    given: tuple[Check, ...] = ()
    """What has to be there before, whatever the act says: the page tells it before anybody fills in a form."""
    where: tuple[Compartment, ...] = (JUSO, SHIEN)
    follows: str = ""
