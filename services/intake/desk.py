"""The office of intake as the desks reach it: the same acts, each for an officer of one desk, of what lies there only.

``sight.grounds`` decides what such an officer may see, so that each act here is the one of the command line. Only juso
asks from a case: intake has forgotten by which reference shien knows one (consent.md 8.1).
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from contracts.message import Event
from contracts.reception import (
    CaseReferral,
    DeskChangeHousehold,
    DeskDecideSame,
    DeskDecideTriage,
    DeskDetail,
    DeskDropSignal,
    DeskDuplicates,
    DeskHousehold,
    DeskMemberConsent,
    DeskOthers,
    DeskReferralOf,
    DeskReportSignal,
    DeskSecrecy,
    DeskShown,
    DeskSignals,
    DeskTriage,
    DeskTriageList,
    OtherReferral,
    OtherReferrals,
)
from contracts.reception_shien import (
    ShienChangeHousehold,
    ShienDecideSame,
    ShienDecideTriage,
    ShienDetail,
    ShienDropSignal,
    ShienDuplicates,
    ShienHousehold,
    ShienMemberConsent,
    ShienReportSignal,
    ShienSecrecy,
    ShienShown,
    ShienSignals,
    ShienTriage,
    ShienTriageList,
)
from services.intake import household_members, households, signals, triage, unasked
from services.intake.deeds import refused, register
from services.intake.duplicates import certainly_same, decide_same, look_at_duplicates
from services.intake.handlers import service
from services.intake.sight import grounds
from services.intake.tables import juso_case, referral
from services.service import Tx

UNKNOWN = ("case-unknown", "この事案の受付の記録は見られません。", "市町村の受付担当に尋ねてください。")

service.does(DeskTriageList)(triage.look_at_triage_list)
service.does(DeskTriage)(triage.look_at_triage)
service.does(DeskDecideTriage)(triage.decide_triage)
service.does(DeskDuplicates)(look_at_duplicates)
service.does(DeskDecideSame)(decide_same)
service.does(DeskHousehold)(households.look_at_household)
service.does(DeskChangeHousehold)(households.change_household)
service.does(DeskMemberConsent)(household_members.record_member_consent)
service.does(DeskDetail)(household_members.note_detail)
service.does(DeskSecrecy)(household_members.set_secrecy)
service.answers(DeskShown)(households.look_at_shown)
service.does(DeskReportSignal)(signals.report_signal)
service.does(DeskSignals)(signals.look_at_signals)
service.does(DeskDropSignal)(signals.drop_signal)

service.does(ShienTriageList)(triage.look_at_triage_list)
service.does(ShienTriage)(triage.look_at_triage)
service.does(ShienDecideTriage)(triage.decide_triage)
service.does(ShienDuplicates)(look_at_duplicates)
service.does(ShienDecideSame)(decide_same)
service.does(ShienHousehold)(households.look_at_household)
service.does(ShienChangeHousehold)(households.change_household)
service.does(ShienMemberConsent)(household_members.record_member_consent)
service.does(ShienDetail)(household_members.note_detail)
service.does(ShienSecrecy)(household_members.set_secrecy)
service.answers(ShienShown)(households.look_at_shown)
service.does(ShienReportSignal)(signals.report_signal)
service.does(ShienSignals)(signals.look_at_signals)
service.does(ShienDropSignal)(signals.drop_signal)


@service.does(DeskOthers)
def other_referrals(asked: DeskOthers, tx: Tx) -> tuple[OtherReferrals, Iterable[Event]]:
    """Their numbers, of those this officer may see; each is registered as shown."""
    key = _referral_of(asked.case, tx)
    others = certainly_same(key, tx) if key is not None else ()
    seen = grounds(others, asked.by, tx)
    for ground in set(seen.values()):
        register(tx, asked.by, "same", ((one, one) for one in sorted(seen) if seen[one] == ground), ground)
    facts = select(referral.c.id, referral.c.referrer, referral.c.number).where(referral.c.id.in_(seen))
    rows = tx.execute(facts.order_by(referral.c.received_on, referral.c.id)).all()
    found = tuple(OtherReferral(referral=row.id, referrer=row.referrer, number=row.number) for row in rows)
    return OtherReferrals(done=True, others=found), ()


@service.answers(DeskReferralOf)
def referral_of(asked: DeskReferralOf, tx: Tx) -> CaseReferral:
    """By which number intake keeps what a case came from."""
    key = _referral_of(asked.case, tx)
    if key is None or key not in grounds([key], asked.by, tx):
        return refused(CaseReferral, *UNKNOWN)
    row = tx.execute(select(referral.c.referrer, referral.c.number).where(referral.c.id == key)).one()
    number = unasked.unasked(key, tx)
    return CaseReferral(done=True, referral=key, referrer=row.referrer, number=row.number, unasked=number)


def _referral_of(case: UUID, tx: Tx) -> UUID | None:
    found: UUID | None = tx.execute(select(juso_case.c.referral).where(juso_case.c.case_ref == case)).scalar()
    return found
