"""What the desk of shien asks the office of intake, in the name of whoever signed in there (受付 without consent).

Intake keeps what it took in for both kinds of meeting, so its own office may be asked of its own referrals (個人情報
の保護に関する法律 61条). Nothing of shien goes along: no case, no person, only referrals and 世帯員 that intake itself
listed before. So no look-up tells whom shien knows (consent.md 8.1), and from a case of shien no way leads here: intake
has forgotten its reference. Each question has a subject of its own, which juso can neither ask nor overhear. A
``ShienOfficer`` is told of referrals that lie in shien now and of nothing else, as one of the 市町村, which calls the
meeting (S1), or of the 紹介元, of what it referred itself.
"""

from typing import Literal

from contracts.household import (
    ChangeHousehold,
    LookAtHousehold,
    LookAtShown,
    NoteDetail,
    RecordMemberConsent,
    SetSecrecy,
)
from contracts.message import Account, Compartment
from contracts.office import ShienOfficer
from contracts.same_person import DecideSame, LookAtDuplicates
from contracts.signals import DropSignal, LookAtSignals, ReportSignal
from contracts.triage import DecideTriage, LookAtTriage, LookAtTriageList


class ShienTriageList(
    LookAtTriageList, subject="ask.intake.shien_triage_list.v1", asked_from=(Account.SHIEN,), inside=False
):
    """Which referrals wait for a triage decision?"""

    by: ShienOfficer


class ShienTriage(LookAtTriage, subject="ask.intake.shien_triage.v1", asked_from=(Account.SHIEN,), inside=False):
    """Which criteria apply to a referral, and what was decided?"""

    by: ShienOfficer


class ShienDecideTriage(
    DecideTriage, subject="ask.intake.shien_decide_triage.v1", asked_from=(Account.SHIEN,), inside=False
):
    """Record where a referral goes, and why (D8, T9)."""

    by: ShienOfficer


class ShienDuplicates(
    LookAtDuplicates, subject="ask.intake.shien_duplicates.v1", asked_from=(Account.SHIEN,), inside=False
):
    """Which referrals of shien are, or may be, about one person?"""

    by: ShienOfficer
    compartment: Literal[Compartment.SHIEN] = Compartment.SHIEN


class ShienDecideSame(DecideSame, subject="ask.intake.shien_decide_same.v1", asked_from=(Account.SHIEN,), inside=False):
    """Confirm or deny that two referrals are about one person."""

    by: ShienOfficer


class ShienHousehold(
    LookAtHousehold, subject="ask.intake.shien_household.v1", asked_from=(Account.SHIEN,), inside=False
):
    """The household of a referral's client, or of one member."""

    by: ShienOfficer


class ShienChangeHousehold(
    ChangeHousehold, subject="ask.intake.shien_change_household.v1", asked_from=(Account.SHIEN,), inside=False
):
    """Somebody joins, leaves or splits off; or two households become one."""

    by: ShienOfficer


class ShienMemberConsent(
    RecordMemberConsent, subject="ask.intake.shien_member_consent.v1", asked_from=(Account.SHIEN,), inside=False
):
    """What a 世帯員 says for himself or herself (S18)."""

    by: ShienOfficer


class ShienDetail(NoteDetail, subject="ask.intake.shien_detail.v1", asked_from=(Account.SHIEN,), inside=False):
    """Where a 世帯員 lives, learns, can be reached."""

    by: ShienOfficer


class ShienSecrecy(SetSecrecy, subject="ask.intake.shien_secrecy.v1", asked_from=(Account.SHIEN,), inside=False):
    """Set or lift 秘匿 of a 世帯員 (S18)."""

    by: ShienOfficer


class ShienShown(LookAtShown, subject="ask.intake.shien_shown.v1", asked_from=(Account.SHIEN,), inside=False):
    """To whom was a referral shown at intake?"""

    by: ShienOfficer


class ShienReportSignal(
    ReportSignal, subject="ask.intake.shien_report_signal.v1", asked_from=(Account.SHIEN,), inside=False
):
    """Keep an anonymous note."""

    by: ShienOfficer


class ShienSignals(LookAtSignals, subject="ask.intake.shien_signals.v1", asked_from=(Account.SHIEN,), inside=False):
    """Which notes wait? The settled ones stay at the command line: that one was referred tells of a referral."""

    by: ShienOfficer
    settled: Literal[False] = False


class ShienDropSignal(DropSignal, subject="ask.intake.shien_drop_signal.v1", asked_from=(Account.SHIEN,), inside=False):
    """Nothing is to be done about a note."""

    by: ShienOfficer
