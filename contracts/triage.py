"""Triage: which referrals come to 多機関協働 and which go back, by the city's own criteria. A person decides (D8).

The criteria are a file of the municipality beside its profile (``triage.toml``). Those with a threshold are read off
the referral; those marked ``asked`` only a person can tell, and somebody has to say that they apply.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.intake import Problem
from contracts.message import Account, Code, Event, Message, Question
from contracts.office import Done, Officer, Words


class Way(StrEnum):
    """Where a referral goes: to 多機関協働, or back to the 紹介元."""

    COORDINATE = "coordinate"
    RETURN = "return"


WAY_TEXT = {Way.COORDINATE: "多機関協働で受ける", Way.RETURN: "紹介元へ戻す"}
Count = Annotated[int, Field(ge=1, le=99)]


class Criterion(BaseModel):
    """One sentence of the city's, and when it applies: all of the thresholds it names, or ``asked`` of a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Code
    text: Annotated[str, StringConstraints(min_length=5, max_length=200)]
    leads_to: Way
    asked: bool = False
    problems_at_least: Count | None = None
    problems_at_most: Count | None = None
    any_problem: tuple[Problem, ...] = ()
    agencies_at_least: Count | None = None
    """機関, the 紹介元 included."""
    agencies_at_most: Count | None = None
    household_at_least: Count | None = None

    @model_validator(mode="after")
    def _applies_to_something(self) -> Self:
        if self.asked == bool(self.thresholds):
            raise ValueError(f"criterion {self.id}: either asked, or at least one threshold")
        return self

    @property
    def thresholds(self) -> dict[str, object]:
        """What it is read off by; empty for one that is asked."""
        given = self.model_dump(exclude_defaults=True, exclude={"id", "text", "leads_to", "asked"})
        return dict(given)


class Criteria(BaseModel):
    """The city's criteria in one edition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edition: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.-]{1,20}$")] = "0"
    source: Annotated[str, StringConstraints(max_length=200)] = ""
    criteria: Annotated[tuple[Criterion, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        ids = [one.id for one in self.criteria]
        if len(set(ids)) < len(ids):
            raise ValueError("two criteria have the same id")
        return self


class Match(Message):
    """A criterion that applies, and why."""

    criterion: Code
    text: str
    leads_to: Way
    why: str


class Unmet(Message):
    """A criterion that does not apply, or of which nobody has said so (``asked``)."""

    criterion: Code
    text: str
    leads_to: Way
    asked: bool


class TriageDecision(Message):
    """What a person decided, on which criteria in which edition, and why. ``number`` counts from 1."""

    number: int
    way: Way
    criteria: tuple[Code, ...]
    edition: str
    reason: Words
    talked_on: date | None
    counterpart: Code | None
    by: UUID
    agency: Code
    at: AwareDatetime


class TriageView(Done):
    """What the criteria say of one referral. ``done`` is False, and nothing else is told, to who may not see it.

    ``advice`` is what the criteria that apply agree on; None where they say nothing, or not the same.
    """

    referral: UUID | None = None
    number: str = ""
    received_on: date | None = None
    urgent: bool = False
    edition: str = ""
    matched: tuple[Match, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    advice: Way | None = None
    decisions: tuple[TriageDecision, ...] = ()
    note: str = ""
    explained_by: str = ""
    explained_on: date | None = None
    explanation_due: str = ""
    """What is still to be asked about the explanation, in one sentence (C6); empty where it is known."""


class LookAtTriage(Question[TriageView], subject="ask.intake.look_at_triage.v1"):
    """Which criteria apply to a referral: for its 紹介元, the coordinator and the 市町村. Looking is registered.

    Found by reference, or by the referrer's 受付番号. ``declared``: the asked criteria that somebody says apply.
    """

    by: Officer
    referral: UUID | None = None
    referrer: Code | None = None
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")] | None = None
    declared: Annotated[tuple[Code, ...], Field(max_length=50)] = ()


class DecideTriage(Question[Done], subject="ask.intake.decide_triage.v1"):
    """Record where a referral goes, and why. Decisions are only added; ``after`` is the number of the last one seen.

    ``edition``: of the criteria that were seen. A return was talked over (``talked_on``, with ``counterpart``: D8). An
    urgent referral is not sent back: it has gone on already, without waiting for anybody.
    """

    request: UUID
    by: Officer
    referral: UUID
    after: Annotated[int, Field(ge=0)]
    edition: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.-]{1,20}$")]
    way: Way
    declared: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    reason: Words
    talked_on: date | None = None
    counterpart: Code | None = None
    explained_by: Annotated[str, StringConstraints(max_length=200)] = ""
    explained_on: date | None = None
    """Who of the 紹介元 explained the つなぎ to the client, and when, where the sheet did not say so (C6)."""


class ReferralAnswered(Event, subject="kasane.intake.referral_answered.v1", to=(Account.JUSO,)):
    """The 紹介元 has its answer about the referral of a juso case, ``about`` (T9). Codes only: no reason.

    ``number``: of the decision; the highest holds. It may be told again when a consent opens the case anew.
    """

    number: Annotated[int, Field(ge=1)]
    way: Way
    answered_on: date
    """The day in Japan on which it was recorded."""
    by: UUID
    agency: Code


class WaitingForTriage(Message):
    """A referral nobody has decided on yet."""

    referral: UUID
    referrer: Code
    number: str
    received_on: date
    urgent: bool
    advice: Way | None
    matched: tuple[Code, ...]
    unexplained: bool = False
    """Who explained it to the client, or when, is not known yet (C6)."""


class TriageList(Done):
    """The urgent ones first, then the oldest."""

    waiting: tuple[WaitingForTriage, ...] = ()


class LookAtTriageList(Question[TriageList], subject="ask.intake.look_at_triage_list.v1"):
    """Which referrals wait for a triage decision, of those this officer may see."""

    by: Officer
