"""引継: what may cross from a 支援会議 to a 重層的支援会議 once the client has consented, entry by entry (C10, I10).

The gate is a process with two connections and nothing at rest. Shien never asks outside itself, so a person who may see
both desks names both cases; neither compartment learns the other's references.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.consent import ConsentState, Scope
from contracts.intake import Particulars, Text
from contracts.message import Account, Code, Message, Question
from contracts.policy import Category
from contracts.purpose import Purpose

Written = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class Entry(Message):
    """One thing that was said of a case, and by which agency. ``carried``: it crossed already."""

    entry: UUID
    provider: Code
    category: Category
    written_at: AwareDatetime
    text: Text
    carried: bool = False


class Entries(Message):
    """The entries of one case, oldest first, and whom it is about.

    ``row``, ``reason`` and ``next_step``: why this viewer may see none of it, and the lawful way in.
    """

    found: bool
    entries: tuple[Entry, ...] = ()
    client: Particulars = Particulars(found=False)
    row: str = ""
    reason: str = ""
    next_step: str = ""


class Candidate(Message):
    """An entry, and whether it may cross as things stand. Default is that it does not: somebody decides each (I10)."""

    entry: Entry
    allowed: bool
    row: str
    reason: str
    next_step: str


class Candidates(Message):
    """What could cross. ``message``: why nothing can, in Japanese. Looking is sharing: it is decided and registered."""

    candidates: tuple[Candidate, ...] = ()
    message: str = ""


class LookAtGate(Question[Candidates], subject="ask.gate.look.v1"):
    """Which entries of this shien case could cross into this juso case, if their agencies agreed?

    ``viewer`` is who looks, ``viewer_agency`` for whom. Without both nothing is shown.
    """

    shien_case: UUID
    juso_case: UUID
    purpose: Purpose = Purpose.PLAN
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Carried(Message):
    """Whether it crossed; if not, by which row, why, and what to do instead."""

    done: bool
    row: str = ""
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class CarryOver(Question[Carried], subject="ask.gate.carry_over.v1"):
    """Enter one entry anew in juso. ``text`` is written by the person who decides: nothing is copied.

    ``agreed_by`` is the agency that gave it; without its agreement nothing crosses. ``decided_by``: a person who may
    see the shien case, for the agency ``decided_for``.
    """

    shien_case: UUID
    juso_case: UUID
    entry: UUID
    purpose: Purpose = Purpose.PLAN
    agreed_by: Code | None = None
    agreed_on: date | None = None
    decided_by: UUID
    decided_for: Code | None = None
    text: Written


# -- what the gate asks of the two sides, and nobody else may ----------------------------------------------------------


class EntriesForGate(
    Question[Entries],
    subject="ask.coordination.entries_for_gate.v1",
    asked_from=(Account.GATE,),
    answered_in=(Account.SHIEN,),
    inside=False,
):
    """What was said of this shien case? Answered to the gate alone, and shown to the viewer: registered first."""

    case: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class ConsentOfCase(Message):
    """What the consent of a juso case reaches; the client's reference among its members."""

    found: bool
    state: ConsentState = ConsentState.NOT_ASKED
    scope: Scope | None = None
    member: UUID | None = None


class ConsentForGate(
    Question[ConsentOfCase],
    subject="ask.coordination.consent_for_gate.v1",
    asked_from=(Account.GATE,),
    answered_in=(Account.JUSO,),
    inside=False,
):
    """How far does the new consent reach? No answer while the replica is not fresh."""

    case: UUID


class Recorded(Message):
    """``record``: the side's own reference of the carry-over, nothing to the other side. None: refused by the store.

    ``other``: refused because the same entry was carried over before, otherwise than is asked now.
    """

    record: UUID | None = None
    other: bool = False


class RecordCarryOut(
    Question[Recorded],
    subject="ask.coordination.carry_out.v1",
    asked_from=(Account.GATE,),
    answered_in=(Account.SHIEN,),
    inside=False,
):
    """Shien's side of the decision. The same decision again is the same record."""

    case: UUID
    entry: UUID
    agreed_by: Code
    agreed_on: date
    decided_by: UUID
    row: Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}$")]
    policy: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class RecordCarryIn(
    Question[Recorded],
    subject="ask.coordination.carry_in.v1",
    asked_from=(Account.GATE,),
    answered_in=(Account.JUSO,),
    inside=False,
):
    """Juso's side: the entry as written anew. ``record`` comes from the gate, so that asking again changes nothing."""

    record: UUID
    case: UUID
    member: UUID
    category: Category
    purpose: Purpose
    provider: Code
    decided_by: UUID
    row: Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}$")]
    policy: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    text: Written


# -- writing entries, inside a compartment -----------------------------------------------------------------------------


class EntryWritten(Message):
    """The entry, or why it is refused: rule and what to do instead."""

    entry: UUID | None = None
    rule: str = ""
    message: str = ""


class WriteEntry(Question[EntryWritten], subject="ask.coordination.write_entry.v1"):
    """Note what an agency said of a case. Tax data has no place in shien, in juso only under a consent covering it."""

    case: UUID
    provider: Code
    category: Category
    text: Written
    written_by: UUID
