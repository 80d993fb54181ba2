"""Whom may a case be told to now? The policy is asked, agency by agency, and nobody else decides (C1, C3, S6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select

from contracts.message import Compartment
from contracts.policy import NEVER, Category, Decision, Period
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import sharing
from services.coordination import domain
from services.coordination.tables import commissions
from services.service import Tx
from services.sharing import Head, Share

_ANYBODY = UUID(int=0)


def is_stopped(head: Head | None, now: datetime) -> bool:
    """Whether nothing may be done with a juso case any more: no consent in force (C11)."""
    return head is None or head.scope is None or bool(domain.stop_reason(head.state, head.scope, now))


@dataclass(frozen=True)
class Matter:
    """What would be heard: an item, or what one is about to be put forward for."""

    item: UUID
    case: UUID
    member: UUID | None
    category: Category
    purpose: Purpose


def decisions(matter: Matter, head: Head | None, agencies: Iterable[str], tx: Tx) -> dict[str, Decision]:
    """The policy's word for each agency.

    HEAR with a seat: who has none is given one, if the agency may hear at all. ``head`` is the case's consent in juso.
    """
    hosted = domain.hosted_by_municipality(tx.profile)
    bound = _commissioned(tx) if tx.here is Compartment.SHIEN else {}
    return {
        agency: sharing.judge(
            _share(matter, head, agency, bound.get(agency, NEVER)), tx.here, tx.now, hosted_by_municipality=hosted
        )
        for agency in dict.fromkeys(agencies)
    }


def _share(matter: Matter, head: Head | None, agency: str, commission: Period) -> Share:
    return Share(
        id=matter.item,
        act=Act.HEAR,
        item=matter.item,
        case=matter.case,
        member=matter.member,
        category=matter.category,
        purpose=matter.purpose,
        agency=agency,
        person=_ANYBODY,
        head=head,
        commission_period=commission,
        seat=True,
    )


def _commissioned(tx: Tx) -> Mapping[str, Period]:
    """Until when each agency, or anybody of it, is commissioned (S6, S7)."""
    one = commissions.commission.c
    live = one.starts <= tx.now, tx.now < one.ends
    ended = select(commissions.ended).where(commissions.ended.c.commission == one.id).exists()
    wanted = select(one.agency, func.max(one.ends).label("ends")).where(*live, ~ended).group_by(one.agency)
    begins = datetime.min.replace(tzinfo=UTC)
    return {row.agency: Period(begins, row.ends) for row in tx.execute(wanted)}
