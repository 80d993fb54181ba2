"""Whether two referrals are about one person: certain by 宛名番号, otherwise for a person to confirm or deny.

Asked for one kind of meeting at a time. A referral without consent never shows as the same as one with consent, and
nothing says that there is one (consent.md 8.1); over that border only the gate compares, two cases named by an officer.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.message import Code, Compartment, Message, Question
from contracts.office import Done, Officer


class Likeness(StrEnum):
    """By what two referrals look like one person's."""

    NUMBER = "number"
    KANA = "kana"
    NAME = "name"


LIKENESS_TEXT = {
    Likeness.NUMBER: "団体コードと宛名番号が同じ",
    Likeness.KANA: "フリガナと生年月日が同じ",
    Likeness.NAME: "氏名と生年月日が同じ(フリガナなし)",
}


class Checked(StrEnum):
    """How somebody made sure. A code, for a text would be about two people at once."""

    RESIDENT_RECORD = "resident_record"
    ASKED_PERSON = "asked_person"
    ASKED_AGENCIES = "asked_agencies"
    PAPERS = "papers"


CHECKED_TEXT = {
    Checked.RESIDENT_RECORD: "住民の記録で確かめた",
    Checked.ASKED_PERSON: "本人に確かめた",
    Checked.ASKED_AGENCIES: "紹介元どうしに確かめた",
    Checked.PAPERS: "書類で確かめた",
}


class OneOfTwo(Message):
    """One side of a pair, as the officer compares them."""

    referral: UUID
    referrer: Code
    number: str
    received_on: date
    name: str
    kana: str
    born_on: date | None
    sex: str


class Pair(Message):
    """Two referrals, the earlier first. ``decided``: what a person found last; None while nobody has.

    ``numbers_differ``: both have a 宛名番号, and not the same. ``version`` counts what was found of this pair.
    """

    one: OneOfTwo
    other: OneOfTwo
    likeness: Likeness
    numbers_differ: bool = False
    decided: Literal["same", "different"] | None = None
    checked: Checked | None = None
    at: AwareDatetime | None = None
    version: int = 0


class Pairs(Done):
    """``same``: certain or confirmed. ``candidates``: to be confirmed or denied. ``different``: denied, on request."""

    same: tuple[Pair, ...] = ()
    candidates: tuple[Pair, ...] = ()
    different: tuple[Pair, ...] = ()


class LookAtDuplicates(Question[Pairs], subject="ask.intake.look_at_duplicates.v1"):
    """Which referrals of one kind are, or may be, about one person. Looking is registered.

    ``referral``: only pairs with this one. ``compartment``: juso for those with consent, shien for those without.
    """

    by: Officer
    compartment: Compartment
    referral: UUID | None = None
    denied: bool = False


class DecideSame(Question[Done], subject="ask.intake.decide_same.v1"):
    """A person confirms or denies that two referrals are about one person. It is not asked again.

    ``after``: the version of the pair that was seen. A later finding stands beside the earlier one.
    """

    request: UUID
    by: Officer
    one: UUID
    other: UUID
    after: Annotated[int, Field(ge=0)]
    same: bool
    checked: Checked


class SheetKey(Message):
    """By what a つなぐシート is known: its 紹介元 and the 受付番号 there."""

    referrer: Code
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]


class KnownSheet(SheetKey):
    """A sheet whose client has an earlier referral. ``earlier``: its 受付番号 of the same 紹介元, else empty."""

    earlier: str


class KnownSheets(Message):
    """Those of the sheets asked about."""

    known: tuple[KnownSheet, ...] = ()


class KnownBefore(Question[KnownSheets], subject="ask.intake.known_before.v1"):
    """Which of these sheets are certainly (団体コード and 宛名番号) about somebody whom their kind of meeting knows?"""

    sheets: Annotated[tuple[SheetKey, ...], Field(max_length=2000)]
