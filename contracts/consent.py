"""What a person agreed to, version by version. "Asked and refused" is not "not asked" (domain.md C1-C4, C11, C12)."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from contracts.message import Code, Message
from contracts.purpose import Purpose


class ConsentState(StrEnum):
    """What the record of 本人同意 says now. Only GIVEN and NARROWED let anything be shared, within their scope."""

    GIVEN = "given"
    NARROWED = "narrowed"
    REFUSED = "refused"
    NOT_ASKED = "not_asked"
    COULD_NOT_ASK = "could_not_ask"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


CONSENT_TEXT = {
    ConsentState.GIVEN: "同意あり",
    ConsentState.NARROWED: "一部同意",
    ConsentState.REFUSED: "同意しない",
    ConsentState.NOT_ASKED: "未確認",
    ConsentState.COULD_NOT_ASK: "確認できない",
    ConsentState.WITHDRAWN: "撤回",
    ConsentState.EXPIRED: "期限切れ",
}


OPEN_STATES = frozenset({ConsentState.GIVEN, ConsentState.NARROWED})
"""The states that let anything be shared at all."""


class Obtained(StrEnum):
    """How the person's will was made known."""

    SIGNED = "signed"
    ORAL = "oral"
    """Said in front of a witness, who is named in the evidence."""
    PHONE = "phone"
    LETTER = "letter"


OBTAINED_TEXT = {
    Obtained.SIGNED: "署名",
    Obtained.ORAL: "口頭(立会い)",
    Obtained.PHONE: "電話",
    Obtained.LETTER: "書面の郵送",
}


class Signer(StrEnum):
    """Who declared it: the person, or somebody with the power to."""

    PERSON = "person"
    GUARDIAN = "guardian"
    PARENT = "parent"
    PROXY = "proxy"


SIGNER_TEXT = {
    Signer.PERSON: "本人",
    Signer.GUARDIAN: "成年後見人等",
    Signer.PARENT: "親権者",
    Signer.PROXY: "任意代理人",
}


class Scope(Message):
    """How far one version of a consent reaches. References and codes only, so that an event may carry it.

    ``agencies``: one by one, no "and others" (C3). ``members``: the 世帯員 it is about; a member who did not agree is
    not in it (S18). In force from ``starts`` until just before ``ends``.
    """

    agencies: Annotated[tuple[Code, ...], Field(max_length=200)]
    purposes: tuple[Purpose, ...]
    members: Annotated[tuple[UUID, ...], Field(max_length=100)]
    covers_tax: bool = False
    starts: AwareDatetime
    ends: AwareDatetime

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.starts >= self.ends:
            raise ValueError("a consent ends after it starts")
        if len(set(self.agencies)) < len(self.agencies) or len(set(self.members)) < len(self.members):
            raise ValueError("named twice")
        return self

    def within(self, other: "Scope") -> bool:
        """Whether this reaches nowhere that ``other`` does not: then it is a narrowing, else it needs new evidence."""
        return (
            set(self.agencies) <= set(other.agencies)
            and set(self.purposes) <= set(other.purposes)
            and set(self.members) <= set(other.members)
            and self.covers_tax <= other.covers_tax
            and other.starts <= self.starts
            and self.ends <= other.ends
        )
