"""Who may hear an item now and by what, and why others may not: a decision per agency, from what this store knows."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from contracts.coordination import AgencyDecision, ItemExplanation
from contracts.message import Compartment
from contracts.policy import NEVER, POLICY_VERSION, Category, Period
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import sharing
from services.coordination import domain
from services.coordination.tables import case_agency, commissions, consents, item
from services.service import Tx
from services.sharing import Head, Share


def explanation(about: UUID, tx: Tx) -> ItemExplanation:
    """One decision for each agency of the case, of its consent and of the bodies that could hear it (C1, C3, S8).

    HEAR with a seat: who has none is given one, if the agency may hear at all.
    """
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
    return ItemExplanation(
        found=True,
        case=row.case,
        purpose=row.purpose,
        consent_version=head.version if head else None,
        policy=POLICY_VERSION,
        decided_at=tx.now,
        decisions=tuple(_decision(row, head, agency, tx) for agency in dict.fromkeys(agencies)),
    )


def _decision(row: Any, head: Head | None, agency: str, tx: Tx) -> AgencyDecision:
    share = Share(
        id=row.id,
        act=Act.HEAR,
        item=row.id,
        case=row.case,
        member=row.member,
        category=Category(row.category),
        purpose=Purpose(row.purpose),
        agency=agency,
        person=_ANYBODY,
        head=head,
        commission_period=_commissioned(agency, tx) if tx.here is Compartment.SHIEN else NEVER,
        seat=True,
    )
    hosted = domain.hosted_by_municipality(tx.profile)
    found = sharing.judge(share, tx.here, tx.now, hosted_by_municipality=hosted)
    return AgencyDecision(
        agency=agency,
        allowed=found.allowed,
        row=found.row,
        rules="・".join(found.rules),
        basis=found.basis,
        reason=found.reason,
        next_step=found.next_step,
    )


_ANYBODY = UUID(int=0)


def _commissioned(agency: str, tx: Tx) -> Period:
    """Until when this agency, or anybody of it, is commissioned; NEVER when nobody is now (S6, S7)."""
    one = commissions.commission.c
    live = one.agency == agency, one.starts <= tx.now, tx.now < one.ends
    ended = select(commissions.ended).where(commissions.ended.c.commission == one.id).exists()
    ends: datetime | None = tx.connection.scalar(select(func.max(one.ends)).where(*live, ~ended))
    return Period(datetime.min.replace(tzinfo=UTC), ends) if ends else NEVER
