"""What the desk of juso asks the office of intake, in the name of whoever signed in there (受付).

Each is the question of the command line under a subject of its own, with a right of its own. It carries a
``DeskOfficer``, to whom intake answers of referrals that lie in juso now, and of nothing else: the desk of one kind of
meeting is no door to the other, not even for an officer who keeps both receptions (consent.md 8.1). shien asks nothing.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.household import (
    ChangeHousehold,
    LookAtHousehold,
    LookAtShown,
    NoteDetail,
    RecordMemberConsent,
    SetSecrecy,
)
from contracts.message import Account, Code, Compartment, Message, Question
from contracts.office import DeskOfficer, Done
from contracts.same_person import DecideSame, LookAtDuplicates
from contracts.signals import DropSignal, LookAtSignals, ReportSignal
from contracts.triage import DecideTriage, LookAtTriage, LookAtTriageList


class DeskTriageList(
    LookAtTriageList, subject="ask.intake.desk_triage_list.v1", asked_from=(Account.JUSO,), inside=False
):
    """Which referrals wait for a triage decision?"""

    by: DeskOfficer


class DeskTriage(LookAtTriage, subject="ask.intake.desk_triage.v1", asked_from=(Account.JUSO,), inside=False):
    """Which criteria apply to a referral, and what was decided?"""

    by: DeskOfficer


class DeskDecideTriage(
    DecideTriage, subject="ask.intake.desk_decide_triage.v1", asked_from=(Account.JUSO,), inside=False
):
    """Record where a referral goes, and why (D8, T9)."""

    by: DeskOfficer


class DeskDuplicates(
    LookAtDuplicates, subject="ask.intake.desk_duplicates.v1", asked_from=(Account.JUSO,), inside=False
):
    """Which referrals of juso are, or may be, about one person?"""

    by: DeskOfficer
    compartment: Literal[Compartment.JUSO] = Compartment.JUSO


class DeskDecideSame(DecideSame, subject="ask.intake.desk_decide_same.v1", asked_from=(Account.JUSO,), inside=False):
    """Confirm or deny that two referrals are about one person."""

    by: DeskOfficer


class DeskHousehold(LookAtHousehold, subject="ask.intake.desk_household.v1", asked_from=(Account.JUSO,), inside=False):
    """The household of a referral's client, or of one member."""

    by: DeskOfficer


class DeskChangeHousehold(
    ChangeHousehold, subject="ask.intake.desk_change_household.v1", asked_from=(Account.JUSO,), inside=False
):
    """Somebody joins, leaves or splits off; or two households become one."""

    by: DeskOfficer


class DeskMemberConsent(
    RecordMemberConsent, subject="ask.intake.desk_member_consent.v1", asked_from=(Account.JUSO,), inside=False
):
    """What a 世帯員 says for himself or herself (S18)."""

    by: DeskOfficer


class DeskDetail(NoteDetail, subject="ask.intake.desk_detail.v1", asked_from=(Account.JUSO,), inside=False):
    """Where a 世帯員 lives, learns, can be reached."""

    by: DeskOfficer


class DeskSecrecy(SetSecrecy, subject="ask.intake.desk_secrecy.v1", asked_from=(Account.JUSO,), inside=False):
    """Set or lift 秘匿 of a 世帯員 (S18)."""

    by: DeskOfficer


class DeskShown(LookAtShown, subject="ask.intake.desk_shown.v1", asked_from=(Account.JUSO,), inside=False):
    """To whom was a referral shown at intake?"""

    by: DeskOfficer


class DeskReportSignal(
    ReportSignal, subject="ask.intake.desk_report_signal.v1", asked_from=(Account.JUSO,), inside=False
):
    """Keep an anonymous note."""

    by: DeskOfficer


class DeskSignals(LookAtSignals, subject="ask.intake.desk_signals.v1", asked_from=(Account.JUSO,), inside=False):
    """Which notes wait? The settled ones stay at the command line: that one was referred tells of a referral."""

    by: DeskOfficer
    settled: Literal[False] = False


class DeskDropSignal(DropSignal, subject="ask.intake.desk_drop_signal.v1", asked_from=(Account.JUSO,), inside=False):
    """Nothing is to be done about a note."""

    by: DeskOfficer


class OtherReferral(Message):
    """Another referral of the same person: its number, and whose it is."""

    referral: UUID
    referrer: Code
    number: str


class OtherReferrals(Done):
    """The earliest first; empty where there is none, or none that the officer may see."""

    others: tuple[OtherReferral, ...] = ()


class DeskOthers(
    Question[OtherReferrals], subject="ask.intake.desk_others.v1", asked_from=(Account.JUSO,), inside=False
):
    """Which other referrals of juso are certainly, or confirmed to be, about the person of this case (C11)?

    Asked after a withdrawal too: the consents of the others stand as they stood, and somebody has to ask. Registered.
    """

    by: DeskOfficer
    case: UUID


class CaseReferral(Done):
    """Which referral a juso case came from, and its 受付番号; None for who may not see it."""

    referral: UUID | None = None
    referrer: Annotated[str, Field(max_length=40)] = ""
    number: str = ""
    unasked: int = 0
    """How many who live with the client have not been asked for their own consent (S18). A number, for nobody named."""


class DeskReferralOf(
    Question[CaseReferral], subject="ask.intake.desk_referral_of.v1", asked_from=(Account.JUSO,), inside=False
):
    """From a case to the pages of its referral."""

    by: DeskOfficer
    case: UUID
