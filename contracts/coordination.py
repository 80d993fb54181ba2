"""What coordination tells and answers: cases of one compartment and their way to a meeting."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.consent import ConsentState
from contracts.intake import Particulars, Problem, Text
from contracts.life import Due, State
from contracts.message import Account, Code, Event, Message, Question
from contracts.policy import Category
from contracts.purpose import Purpose

WITHHELD = "withheld"
"""Stands in the place of an agency's code where a stopped case no longer says which."""


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
    member: UUID | None = None
    """The 世帯員 it is about: nobody else's consent opens it (S18)."""
    category: Category = Category.ORDINARY
    consent: UUID | None = None
    """What it rests on in juso; None in shien."""
    coordinator: Code | None = None
    """The 多機関協働事業者 whose case it is, where the city has several: it has to be there (P1)."""
    area: Code | None = None
    """The area (圏域) whose bodies hear it; None: those of the whole city."""
    body: Code | None = None
    """The only body that may hear it, because another one raised it there (M10, D6)."""
    required: tuple[Code, ...] = ()
    """Those of ``agencies`` without which a sitting of its own is not held: the accepted roster says so."""
    optional: tuple[Code, ...] = ()


class ItemWithdrawn(Event, subject="kasane.coordination.item_withdrawn.v1"):
    """The agenda item ``about`` is not to be heard any more: its case was erased. It leaves every coming sitting."""

    case: UUID


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
    """A case as its compartment's desk lists it.

    A ``stopped`` one is a stub for those who have to act: reference, dates and ``ground`` only (C11); its ``referrer``
    is WITHHELD, its ``household_size`` 1, whatever they were.
    """

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
    stands: State | None = None
    """Where its life stands; None where nothing says so: of a stopped or an erased case, or an older answer."""
    due: Due | None = None
    """What the law or the plan wants of it first."""
    stopped: bool = False
    stop_reason: Literal["", "withdrawn", "expired", "not_begun", "no_consent"] = ""


class CaseList(Message):
    """The cases the viewer may see now, the longest waiting first; nothing says how many others there are.

    ``fenced``: the replica of the consents was not compared with the ledger for too long, so that nothing is shown.
    ``reason`` and ``next_step``: why this viewer may see nothing at all here, and the lawful way in (F13, N8).
    """

    cases: tuple[CaseView, ...]
    fenced: bool = False
    reason: str = ""
    next_step: str = ""


class Cases(Question[CaseList], subject="ask.coordination.cases.v1"):
    """Which cases may this person see? Showing is sharing: each is decided, permitted and registered first.

    ``viewer`` is who signed in, ``viewer_agency`` for whom. Without both nothing is shown. ``rested``: also those that
    have been over for a month, with nothing due of them.
    """

    viewer: UUID | None = None
    viewer_agency: Code | None = None
    rested: bool = False


class Step(Message):
    """One entry of a case's trail. ``what`` is a code the desk has words for.

    ``purpose``, ``sitting`` and ``starts`` are those of then; None of entries written before they were kept.
    """

    at: AwareDatetime
    what: Literal[
        "received",
        "case_opened",
        "item_put_forward",
        "item_placed",
        "item_unplaced",
        "item_withdrawn",
        "client_taken_in",
    ]
    purpose: Purpose | None = None
    sitting: UUID | None = None
    starts: AwareDatetime | None = None


class ConsentInForce(Message):
    """What coordination knows of the consent a juso case rests on: codes, and how many of the household it covers."""

    version: Annotated[int, Field(ge=1)]
    state: ConsentState
    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    agencies: tuple[Code, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    members: Annotated[int, Field(ge=0)] = 0
    covers_tax: bool = False


class Said(Message):
    """Something an agency said of a case after it was referred, or that was carried over (C10)."""

    provider: Code
    at: AwareDatetime
    text: Text


class TrailSteps(Message):
    """A case with its steps, oldest first. ``client`` is filled in shien only, ``consent`` in juso only.

    ``said`` leaves out tax data: seeing the case is no ground for seeing that (S9).

    A case that may not be seen and one that does not exist read the same: ``case`` is None.
    """

    case: CaseView | None
    steps: tuple[Step, ...] = ()
    client: Particulars = Particulars(found=False)
    consent: ConsentInForce | None = None
    said: tuple[Said, ...] = ()
    fenced: bool = False


class Trail(Question[TrailSteps], subject="ask.coordination.trail.v1"):
    """What has happened to a case? Shown as ``Cases`` are."""

    case: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Clients(Message):
    """Who the asked cases are about, by case reference."""

    clients: dict[UUID, Particulars]


class ClientsOfCases(Question[Clients], subject="ask.coordination.clients_of_cases.v1", answered_in=(Account.SHIEN,)):
    """Who are these shien cases about? Asked and answered only inside shien; in juso intake knows.

    Shown as ``Cases`` are.
    """

    cases: Annotated[tuple[UUID, ...], Field(max_length=500)]
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class AgencyDecision(Message):
    """Whether one agency may hear an item now, given a seat; by which row, and if not, the lawful next step."""

    agency: Code
    allowed: bool
    row: str
    rules: str
    basis: str
    reason: str
    next_step: str


class ItemExplanation(Message):
    """One decision per agency of the case, of the consent and of the bodies that could hear the item.

    ``consent_version`` is the ground in juso. ``policy``: the table's version. Not ``found``: no such item here.
    """

    found: bool
    fenced: bool = False
    case: UUID | None = None
    purpose: Purpose | None = None
    consent_version: int | None = None
    policy: str = ""
    decided_at: AwareDatetime | None = None
    decisions: tuple[AgencyDecision, ...] = ()


class ExplainItem(Question[ItemExplanation], subject="ask.coordination.explain_item.v1"):
    """Who may hear this item now and by what, and why may others not? Codes only: asked by the officer and the desk."""

    item: UUID
