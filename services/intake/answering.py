"""Juso is told of the answer to the 紹介元, so that what is due of its case knows of it (T9).

Shien is not: intake has forgotten by which reference it knows a case (consent.md 8.1); its desk records the answer.
"""

from uuid import UUID

from sqlalchemy import select

from contracts.message import Compartment, Event
from contracts.triage import ReferralAnswered, Way
from services.intake.consenting import JAPAN
from services.intake.handlers import STATES
from services.intake.reception_tables import triage_decision
from services.intake.tables import juso_case, referral
from services.service import Tx


def newest_answer(key: UUID, tx: Tx) -> list[Event]:
    """The last answer about a referral; nothing where there is none, or where juso may not know of the referral now.

    A referral that once lay in juso may lie in shien since: what is decided of it there juso never hears.
    """
    open_there = referral.c.id == key, referral.c.state == STATES[Compartment.JUSO]
    wanted = select(juso_case.c.case_ref, triage_decision).join_from(juso_case, referral)
    wanted = wanted.join(triage_decision, triage_decision.c.referral == referral.c.id).where(*open_there)
    row = tx.execute(wanted.order_by(triage_decision.c.number.desc()).limit(1)).first()
    if row is None:
        return []
    told = ReferralAnswered(
        about=row.case_ref,
        number=row.number,
        way=Way(row.way),
        answered_on=row.at.astimezone(JAPAN).date(),
        by=row.by,
        agency=row.agency,
    )
    return [told]
