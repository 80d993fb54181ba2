"""What coordination tells and answers: cases of one compartment and their way to a meeting."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.consent import ConsentState
from contracts.erasure import Erased, EraseReason
from contracts.intake import Particulars, Problem
from contracts.message import Account, Code, Event, Message, Question


class Purpose(StrEnum):
    """Why an item is put to a meeting: the mandatory timings of T1, and what a 支援会議 is for (S10)."""

    PLAN = "plan"
    REPLAN = "replan"
    CLOSING = "closing"
    SUSPENSION = "suspension"
    SHARING = "sharing"
    WATCH = "watch"
    EMERGENCY = "emergency"


PURPOSE_TEXT = {
    Purpose.PLAN: "プラン策定",
    Purpose.REPLAN: "再プラン",
    Purpose.CLOSING: "支援終結の判断",
    Purpose.SUSPENSION: "支援中断の決定",
    Purpose.SHARING: "気になる事案の情報共有",
    Purpose.WATCH: "見守り・支援方針の理解",
    Purpose.EMERGENCY: "緊急対応",
}


class ItemPutForward(Event, subject="kasane.coordination.item_put_forward.v1"):
    """A case is to be heard; ``about`` is the agenda item. The compartment it is told in decides the meeting's kind."""

    case: UUID
    purpose: Purpose
    urgent: bool
    received_on: date
    agencies: tuple[Code, ...]
    """Agencies that a 随時 sitting invites besides those the body always has; the referrer first (P4, P5)."""
    only_agencies: bool = False
    """Nobody but ``agencies`` may hear it: the consent is narrowed to them (C1, C3)."""


class TakenIn(Message):
    """The particulars are stored."""


class TakeInClient(
    Question[TakenIn],
    subject="ask.coordination.take_in_client.v1",
    asked_from=(Account.INTAKE,),
    answered_in=(Account.SHIEN,),
):
    """Intake writes who a shien case is about into shien. Up only: shien never looks anybody up (consent.md 8.1)."""

    case: UUID
    particulars: Particulars


class CaseView(Message):
    """A case as its compartment's desk lists it."""

    case: UUID
    opened_at: AwareDatetime
    received_on: date
    urgent: bool
    state: Literal["waiting", "put_forward", "placed"]
    referrer: Code
    agencies: tuple[Code, ...]
    problems: tuple[Problem, ...]
    household_size: Annotated[int, Field(ge=1)]
    ground: ConsentState
    item: UUID
    sitting: UUID | None = None
    sitting_starts: AwareDatetime | None = None


class CaseList(Message):
    """Cases, the longest waiting first."""

    cases: tuple[CaseView, ...]


class Cases(Question[CaseList], subject="ask.coordination.cases.v1"):
    """Which cases does this compartment have?"""


class Step(Message):
    """One entry of a case's trail. ``what`` is a code the desk has words for."""

    at: AwareDatetime
    what: Literal["received", "case_opened", "item_put_forward", "item_placed", "client_taken_in"]


class TrailSteps(Message):
    """A case with its steps, oldest first. ``client`` is filled in shien only."""

    case: CaseView | None
    steps: tuple[Step, ...] = ()
    client: Particulars = Particulars(found=False)


class Trail(Question[TrailSteps], subject="ask.coordination.trail.v1"):
    """What has happened to a case?"""

    case: UUID


class Clients(Message):
    """Who the asked cases are about, by case reference."""

    clients: dict[UUID, Particulars]


class ClientsOfCases(Question[Clients], subject="ask.coordination.clients_of_cases.v1", answered_in=(Account.SHIEN,)):
    """Who are these shien cases about? Asked and answered only inside shien; in juso intake knows."""

    cases: Annotated[tuple[UUID, ...], Field(max_length=500)]


class EraseCase(Question[Erased], subject="ask.coordination.erase.v1", inside=False):
    """Erase what this compartment keeps sealed under a case. Operators only."""

    case: UUID
    reason: EraseReason
