"""Who may hear an item now and by what, and why others may not: a decision per agency, from what this store knows."""

from uuid import UUID

from sqlalchemy import select

from contracts.coordination import AgencyDecision, ItemExplanation
from contracts.message import Compartment
from contracts.policy import POLICY_VERSION, Category, Decision
from contracts.purpose import Purpose
from services import sharing
from services.coordination import domain
from services.coordination.hearing import Matter, decisions
from services.coordination.tables import case_agency, consents, item
from services.service import Tx


def explanation(about: UUID, tx: Tx) -> ItemExplanation:
    """One decision for each agency of the case, of its consent and of the bodies that could hear it (C1, C3, S8)."""
    row = tx.execute(select(item).where(item.c.id == about)).first()
    if row is None:
        return ItemExplanation(found=False)
    juso = tx.here is Compartment.JUSO
    if juso and not sharing.is_fresh(consents, tx):
        return ItemExplanation(found=True, fenced=True, case=row.case, decided_at=tx.now)
    head = sharing.heads(consents, tx, [row.case]).get(row.case) if juso else None
    named = tx.execute(select(case_agency.c.agency).where(case_agency.c.case == row.case).order_by(case_agency.c.place))
    agencies = [one.agency for one in named]
    agencies += [*(head.scope.agencies if head and head.scope else ()), *domain.could_be_seated(tx.profile, tx.here)]
    matter = Matter(row.id, row.case, row.member, Category(row.category), Purpose(row.purpose))
    return ItemExplanation(
        found=True,
        case=row.case,
        purpose=row.purpose,
        consent_version=head.version if head else None,
        policy=POLICY_VERSION,
        decided_at=tx.now,
        decisions=tuple(_told(agency, found) for agency, found in decisions(matter, head, agencies, tx).items()),
    )


def _told(agency: str, found: Decision) -> AgencyDecision:
    return AgencyDecision(
        agency=agency,
        allowed=found.allowed,
        row=found.row,
        rules="・".join(found.rules),
        basis=found.basis,
        reason=found.reason,
        next_step=found.next_step,
    )
