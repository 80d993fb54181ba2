"""The words in which the decision table is written: acts, facts, conditions and rows."""

from dataclasses import dataclass
from enum import StrEnum

from contracts.message import Compartment


class Act(StrEnum):
    """What somebody wants to do with an item."""

    SHOW = "show"
    """Show it on the desk to somebody who signed in there."""
    HEAR = "hear"
    INVITE = "invite"
    NOTIFY = "notify"
    EXPORT = "export"
    ASK = "ask"
    """協力依頼: ask a body outside for papers, information or its view (S5)."""
    CARRY = "carry"
    """引継: enter one item of a 支援会議 anew where the client has now consented (C10)."""
    EMERGENCY = "emergency"
    """緊急提供: give named items to a named recipient, once, because life or body is in danger."""
    DERIVE = "derive"
    """Which kind of meeting may hear the case (C1, C4)?"""


class Fit(StrEnum):
    """How the legal basis of the block fits the compartment the item lies in."""

    FITS = "fits"
    OTHER = "other"
    NOT_IN_FORCE = "not_in_force"


class Standing(StrEnum):
    """What the consent is worth at the moment of the act: its state, seen together with its period."""

    GIVEN = "given"
    NARROWED = "narrowed"
    REFUSED = "refused"
    NOT_ASKED = "not_asked"
    COULD_NOT_ASK = "could_not_ask"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    NOT_BEGUN = "not_begun"


class Fact(StrEnum):
    """What a condition can look at; policy.py reads each from a request."""

    TAX = "tax"
    TAX_COVERED = "tax_covered"
    BASIS = "basis"
    HOST = "host"
    SEAT = "seat"
    OFFICE = "office"
    STANDING = "standing"
    AGENCY = "agency"
    PURPOSE = "purpose"
    MEMBER = "member"
    COMMISSION = "commission"
    TWO_WAY = "two_way"
    CONTENT = "content"
    DECIDED = "decided"
    PROVIDER = "provider"
    NECESSITY = "necessity"
    RECORD = "record"
    LIMIT = "limit"
    REVIEWED = "reviewed"


DOMAIN: dict[Fact, tuple[object, ...]] = dict.fromkeys(Fact, (True, False)) | {
    Fact.BASIS: tuple(Fit),
    Fact.STANDING: tuple(Standing),
}
"""The values a fact can have."""


@dataclass(frozen=True)
class Condition:
    """Holds when the fact has one of these values."""

    fact: Fact
    among: tuple[object, ...]


@dataclass(frozen=True)
class Row:
    """One line of the table. Without ``compartment`` it speaks of both; without ``basis`` of any block.

    All ``conditions`` must hold. ``basis`` is the code the block rests on, ``article`` the 根拠条文 that is cited.
    A row on Act.DERIVE does not look at the item's compartment: ``compartment`` is what it results in.
    """

    id: str
    acts: tuple[Act, ...]
    compartment: Compartment | None
    basis: str | None
    conditions: tuple[Condition, ...]
    allowed: bool
    rules: tuple[str, ...]
    article: str
    reason: str
    next_step: str = ""
