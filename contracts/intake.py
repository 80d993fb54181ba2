"""What intake tells and answers: referrals (つなぎ), identity of clients, consents."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contracts.consent import ConsentState
from contracts.erasure import Erased, EraseReason
from contracts.message import Account, Code, Event, Message, MunicipalityCode, Question


class Problem(StrEnum):
    """お困りごとの内容 of the つなぐシート (domain.md 2.6)."""

    ILLNESS = "illness"
    MENTAL_HEALTH = "mental_health"
    ELDER_CARE = "elder_care"
    DISABILITY = "disability"
    CHILD = "child"
    INCOME_WORK = "income_work"
    DEBT = "debt"
    HOUSING = "housing"
    VIOLENCE = "violence"
    RIGHTS = "rights"
    HEALTH = "health"
    OTHER = "other"


PROBLEM_TEXT = {
    Problem.ILLNESS: "病気・医療",
    Problem.MENTAL_HEALTH: "こころの問題",
    Problem.ELDER_CARE: "介護",
    Problem.DISABILITY: "障害",
    Problem.CHILD: "子育て",
    Problem.INCOME_WORK: "収入・仕事",
    Problem.DEBT: "支出・滞納・借金",
    Problem.HOUSING: "住まい",
    Problem.VIOLENCE: "DV・虐待",
    Problem.RIGHTS: "権利擁護",
    Problem.HEALTH: "健康",
    Problem.OTHER: "その他",
}


class ReferralWithConsent(Event, subject="kasane.intake.referral_with_consent.v1", to=(Account.JUSO,)):
    """A client agreed that agencies share; ``about`` is the case's reference, known in juso and to its sender (C1)."""

    received_on: date
    urgent: bool
    referrer: Code
    agencies: tuple[Code, ...]
    """The agencies the consent names, the referrer included (C3)."""
    problems: tuple[Problem, ...]
    household_size: Annotated[int, Field(ge=1, le=99)]
    consent: UUID
    consent_version: Annotated[int, Field(ge=1)]
    narrowed: bool = False
    """The client agreed to the agencies named and to nobody else (一部同意): not even standing members may hear it."""


class ReferralWithoutConsent(Event, subject="kasane.intake.referral_without_consent.v1", to=(Account.SHIEN,)):
    """No consent, so only a 支援会議 may hear it; ``about`` is the case's reference, known in shien only (C4)."""

    received_on: date
    urgent: bool
    referrer: Code
    agencies: tuple[Code, ...]
    problems: tuple[Problem, ...]
    household_size: Annotated[int, Field(ge=1, le=99)]
    ground: Literal[
        ConsentState.REFUSED,
        ConsentState.NOT_ASKED,
        ConsentState.COULD_NOT_ASK,
        ConsentState.WITHDRAWN,
        ConsentState.EXPIRED,
    ]
    """WITHDRAWN and EXPIRED only after somebody decided and recorded that a 支援会議 is needed (C11)."""


Text = Annotated[str, StringConstraints(max_length=4000)]
Line = Annotated[str, StringConstraints(max_length=200)]


class Member(Message):
    """世帯員 as a つなぐシート lists them."""

    name: Line
    age: Annotated[int, Field(ge=0, le=130)] | None = None
    relation: Line = ""


MAX_MEMBERS = 30
"""世帯員 on one sheet: with the bounds of its other fields, a sheet has at most some 150 kB."""


class Sheet(Message):
    """One つなぐシート, parsed and checked. Personal data: travels only as a question's body, which nobody keeps."""

    municipality: MunicipalityCode
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
    """受付番号 at the referrer, leading zeros kept."""
    resident_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")] | None
    """宛名番号, leading zeros kept."""
    received_on: date
    referrer: Code
    referrer_staff: Line
    name: Line
    kana: Line
    sex: Literal["male", "female", "other", "unknown"]
    born_on: date | None
    address: Line
    phone: Line
    problems: tuple[Problem, ...]
    wishes: Text
    members: Annotated[tuple[Member, ...], Field(max_length=MAX_MEMBERS)]
    household_size: Annotated[int, Field(ge=1, le=99)]
    agencies: tuple[Code, ...]
    reason: Text
    urgent: bool
    consent: ConsentState
    consented_on: date | None


class SheetResult(Message):
    """What became of one sheet: its place in the question, and for a refusal the field, the rule and what to do."""

    index: Annotated[int, Field(ge=0)]
    outcome: Literal["accepted", "unchanged", "held", "refused"]
    field: str = ""
    rule: str = ""
    message: str = ""


class SheetResults(Message):
    """One result per sheet, in order."""

    results: tuple[SheetResult, ...]


class TakeInSheets(Question[SheetResults], subject="ask.intake.take_in_sheets.v1"):
    """Store these referrals. The same sheet twice changes nothing. ``dry_run`` only says what would happen."""

    sheets: Annotated[tuple[Sheet, ...], Field(max_length=100)]
    dry_run: bool = False


class Particulars(Message):
    """Who a case is about, for the eyes of people who may know it now."""

    found: bool
    erased: bool = False
    """Nobody can know it any more; then it is not found, either."""
    name: str = ""
    kana: str = ""
    born_on: date | None = None
    number: str = ""
    referrer_staff: str = ""
    reason: str = ""
    wishes: str = ""


class ClientOf(Question[Particulars], subject="ask.intake.client_of.v1", asked_from=(Account.JUSO,)):
    """Who is the juso case about? Answered only while the consent is in force (C1, C11); otherwise not found."""

    case: UUID


class HeldReferral(Message):
    """A referral that no meeting may hear yet, and what can lawfully be done (C11)."""

    referral: UUID
    number: str
    received_on: date
    state: ConsentState
    rule: str
    reason: str
    next_step: str


class HeldReferrals(Message):
    """All referrals on hold."""

    held: tuple[HeldReferral, ...]


class Held(Question[HeldReferrals], subject="ask.intake.held.v1"):
    """Which referrals wait for a person's decision?"""


class Opened(Message):
    """Whether the decision took effect; if not, why."""

    done: bool
    message: str = ""


class OpenWithoutConsent(Question[Opened], subject="ask.intake.open_without_consent.v1"):
    """A person decided that 法106条の6 applies to a referral on hold: put it to a 支援会議. The reason is recorded."""

    referral: UUID
    reason: Annotated[str, StringConstraints(min_length=5, max_length=1000)]


class EraseReferral(Question[Erased], subject="ask.intake.erase.v1", inside=False):
    """Erase who a referral is about and all its free text. Exactly one of the three ways to name it; operators only."""

    referral: UUID | None = None
    referrer: Code | None = None
    """With ``number``, as the sheet and the desk name it."""
    number: Annotated[str, StringConstraints(max_length=20)] = ""
    juso_case: UUID | None = None
    """The juso case it became. For a shien case intake does not know the referral (consent.md 8.1)."""
    reason: EraseReason

    @model_validator(mode="after")
    def _named_once(self) -> "EraseReferral":
        named: tuple[Any, ...] = (self.referral, self.juso_case, self.referrer)
        if sum(one is not None for one in named) != 1 or (self.referrer is None) != (not self.number):
            raise ValueError("name the referral in exactly one way")
        return self
