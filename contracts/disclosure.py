"""The register of sharing (情報共有の記録): who was shown or sent what, when, on which ground. No row, no share."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.message import Code, Compartment, Message, Question
from contracts.policy_terms import Act
from contracts.purpose import Purpose


class Disclosure(Message):
    """One row. ``person`` received it, for ``agency``. Either a consent's version or a commission carries it."""

    disclosure: UUID
    compartment: Compartment
    at: AwareDatetime
    act: Act
    item: UUID
    case: UUID
    member: UUID | None
    category: str
    purpose: Purpose
    agency: Code
    person: UUID
    sitting: UUID | None
    row: str
    rules: str
    basis: str
    reason: str
    consent: UUID | None
    consent_version: int | None
    commission: UUID | None
    policy: str
    decided_by: str


class DisclosureList(Message):
    """Rows, oldest first. ``more``: there are further ones.

    ``unknown``: cases asked for that do not exist here, which is not "nothing was shared"; coordination says so.
    """

    rows: tuple[Disclosure, ...]
    more: bool = False
    unknown: tuple[UUID, ...] = ()


class DisclosuresAtMeetings(Question[DisclosureList], subject="ask.meetings.disclosures.v1"):
    """What did meetings share about these cases, or with this person? Asked by the officer who assembles a 開示."""

    cases: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    person: UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class DisclosuresAtCoordination(Question[DisclosureList], subject="ask.coordination.disclosures.v1"):
    """What did coordination show of these cases, or to this person?"""

    cases: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    person: UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
