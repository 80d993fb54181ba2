"""What intake tells and answers: referrals (つなぎ), identity of clients, consents."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.consent import ConsentState, Obtained, Scope, Signer
from contracts.message import Account, Code, Event, Message, MunicipalityCode, Question
from contracts.office import Officer


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
    client: UUID | None = None
    """The member of the household the case is about, as the consent's scope names him or her."""
    unasked: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many who live with the client have not been asked for their own consent (S18): version 1 of that count."""


class MembersUnasked(Event, subject="kasane.intake.members_unasked.v1", to=(Account.JUSO,), supersedes=True):
    """How many who live with the client of a juso case (``about``) nobody has asked for their own consent now (S18).

    A number, of nobody named. Told whenever it changes: somebody answered, the household or the consent's scope did.
    """

    number: Annotated[int, Field(ge=0, le=1000)]
    on: date
    """The day in Japan on which it became so."""


class ConsentChanged(Event, subject="kasane.intake.consent_changed.v1", to=(Account.JUSO,), supersedes=True):
    """A consent has a new version; ``about`` is the consent. Told before the case that rests on it (C1, C11).

    ``scope`` is what holds from now on; None where nothing may be shared any more or yet.
    """

    case: UUID
    state: ConsentState
    scope: Scope | None
    recorded_at: AwareDatetime


class SecrecyChanged(Event, subject="kasane.intake.secrecy_changed.v1", to=(Account.JUSO,), supersedes=True):
    """From whom what leads to people of a juso case (``about``) is hidden now (秘匿, S18). References only, no reason.

    ``members``: who is 秘匿; nobody: it was lifted. ``viewers``: the persons named for all of them, from whom
    nothing is hidden. Told whenever it is set or lifted, and before a referral with it opens its case.
    """

    members: tuple[UUID, ...]
    viewers: tuple[UUID, ...]


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


class SheetText(Message):
    """What a つなぐシート says, whoever numbers it."""

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
    explained_by: Line = ""
    """説明者: who of the 紹介元 explained what the receiving agency does and what will be shared (C6)."""
    explained_on: date | None = None
    """説明日. Either may be lacking: the person does not wait for it, and it stays due."""


class Sheet(SheetText):
    """One つなぐシート, parsed and checked. Personal data: travels only as a question's body, which nobody keeps."""

    municipality: MunicipalityCode
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
    """受付番号 at the referrer, leading zeros kept."""


class SheetResult(Message):
    """What became of one sheet: its place in the question, and for a refusal the field, the rule and what to do.

    Of a sheet that was taken in the message says what is still to be asked: who explained it, and when (C6).
    """

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
    explained_by: str = ""
    explained_on: date | None = None
    """Who explained the referral to the client, and when, as far as it is known (C6)."""


class ClientOf(Question[Particulars], subject="ask.intake.client_of.v1", asked_from=(Account.JUSO,)):
    """Who is the juso case about? Answered only while the consent is in force (C1, C11); otherwise not found.

    With ``agency``, whose staff asks, only if the consent names it (C3).
    """

    case: UUID
    agency: Code | None = None


class ClientDetails(Message):
    """What the つなぐシート says of a client and a household; ``members`` are those whose consent lets the asker know.

    ``address`` and ``phone`` are empty where somebody of the household is 秘匿 and the asker is not named (S18).
    """

    found: bool
    sex: Literal["male", "female", "other", "unknown"] = "unknown"
    address: Line = ""
    phone: Line = ""
    members: Annotated[tuple[Member, ...], Field(max_length=100)] = ()


class DetailsOfClient(Question[ClientDetails], subject="ask.intake.details_of_client.v1", asked_from=(Account.JUSO,)):
    """What is known already for the papers of a juso case? Answered under the consent in force, and registered (C1)."""

    case: UUID
    by: Officer


class ClientForGate(
    Question[Particulars],
    subject="ask.intake.client_for_gate.v1",
    asked_from=(Account.GATE,),
    inside=False,
):
    """Whom is this juso case about? For the gate to compare: what was said of one person is not another's (C10)."""

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


# -- the ledger of consents --------------------------------------------------------------------------------------------

Reference = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f]{0,40}$")]
"""A document's own number in the city's filing (文書番号), e.g. 小福第118号: short, without a space. Not for events."""


class ConsentRecorded(Message):
    """The new version, or why it was not recorded: rule and what to do, in Japanese."""

    done: bool
    consent: UUID | None = None
    version: int = 0
    rule: str = ""
    message: str = ""


class RecordConsent(Question[ConsentRecorded], subject="ask.intake.record_consent.v1"):
    """Record a new version of the consent about one client, with its evidence. Versions are only added (C1-C3, C11).

    ``after`` is the version the recorder has seen: if another came meanwhile, nothing is recorded. A wider scope needs
    evidence of its own. ``evidence_digest``: SHA-256 of the scan. ``text_version``: the 管理・取扱規程 that was shown.
    """

    referral: UUID
    after: Annotated[int, Field(ge=0)]
    state: ConsentState
    scope: Scope | None = None
    text_version: Reference
    obtained: Obtained
    obtained_by: Line
    obtained_on: date
    signer: Signer = Signer.PERSON
    signer_name: Line = ""
    evidence_digest: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    evidence: Reference = ""
    note: Text = ""


class WithdrawConsent(Question[ConsentRecorded], subject="ask.intake.withdraw_consent.v1", asked_from=(Account.JUSO,)):
    """The client withdraws. From its commit on nothing new is shared (C11). Asked again it changes nothing."""

    case: UUID
    obtained: Obtained
    obtained_by: Line
    obtained_on: date


class Acknowledgement(Message):
    """A process has stopped sharing what a version took away."""

    process: Annotated[str, StringConstraints(pattern=r"^[a-z]+@juso$")]
    at: AwareDatetime


class ConsentVersion(Message):
    """One version as the ledger keeps it. ``confirmed_at``: no permit of an earlier version can be used any more."""

    version: int
    state: ConsentState
    scope: Scope | None
    text_version: Reference
    obtained: Obtained | None
    """None where nobody knows: a sheet says that there is no consent, not how that was learnt."""
    obtained_on: date | None
    obtained_by: Line
    signer: Signer
    evidence: Reference
    evidence_digest: str
    recorded_at: AwareDatetime
    confirmed_at: AwareDatetime | None
    acknowledged: tuple[Acknowledgement, ...]


class ConsentHistory(Message):
    """All versions, oldest first, and whether every process has stopped in time."""

    consent: UUID | None = None
    referral: UUID | None = None
    case: UUID | None = None
    members: tuple[tuple[UUID, Line], ...] = ()
    """The household, the client first: reference, and name where it is shown to somebody (``ShowConsent``)."""
    versions: tuple[ConsentVersion, ...] = ()


class LookAtConsent(Question[ConsentHistory], subject="ask.intake.look_at_consent.v1", inside=True):
    """The consent about one client, found by referral, by juso case, or by the referrer's 受付番号; no names of it."""

    referral: UUID | None = None
    case: UUID | None = None
    referrer: Code | None = None
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")] | None = None


class ShowConsent(LookAtConsent, subject="ask.intake.show_consent.v1", inside=True):
    """The same with the names of the household, shown to an officer of the 市町村 and written down before (I6)."""

    by: Officer


class ConsentStop(Message):
    """How far a withdrawal has come, for the desk: times only."""

    found: bool
    version: int = 0
    state: ConsentState = ConsentState.NOT_ASKED
    recorded_at: AwareDatetime | None = None
    confirmed_at: AwareDatetime | None = None
    acknowledged: tuple[Acknowledgement, ...] = ()


class LookAtStop(Question[ConsentStop], subject="ask.intake.look_at_stop.v1", asked_from=(Account.JUSO,)):
    """Has the newest version of this juso case's consent reached everybody?"""

    case: UUID


class Acknowledged(Message):
    """It is noted."""


class KnownVersion(Message):
    """One version of a consent that a replica has learnt."""

    consent: UUID
    version: Annotated[int, Field(ge=1)]


class AcknowledgeConsents(
    Question[Acknowledged], subject="ask.intake.acknowledge_consents.v1", asked_from=(Account.JUSO,)
):
    """This process's store knows these versions: what they took away is no longer shown, sent or planned."""

    known: Annotated[tuple[KnownVersion, ...], Field(max_length=500)]
    process: Annotated[str, StringConstraints(pattern=r"^[a-z]+@juso$")]


class Heads(Message):
    """How many consents juso has been told of, and how many versions of them in all, at ``as_of`` (intake's clock).

    A replica with the same two numbers lacks nothing: versions are only added.
    """

    consents: int
    versions: int
    as_of: AwareDatetime


class ConsentHeads(Question[Heads], subject="ask.intake.consent_heads.v1", asked_from=(Account.JUSO,)):
    """How far is the ledger? Asked as a heartbeat: a replica that could not ask for 60 s shares nothing (8.10)."""
