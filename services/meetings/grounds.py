"""What items and seats rest on now: a consent's newest version (juso), a commission (shien). The policy decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.message import Compartment
from contracts.policy import NEVER, Category, Decision, Period
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import sharing
from services.meetings.tables import commissions
from services.service import Tx
from services.sharing import Head, Share


@dataclass(frozen=True)
class Bond:
    """A commission that has not ended: what binds a person, or whomever the agency sends, to secrecy (S6, S7)."""

    commission: UUID
    person: UUID | None
    agency: str
    period: Period


def bonds(tx: Tx) -> tuple[Bond, ...]:
    """All commissions that run now and have not ended before their time."""
    one = commissions.commission.c
    ended = select(commissions.ended).where(commissions.ended.c.commission == one.id).exists()
    wanted = select(commissions.commission).where(one.starts <= tx.now, one.ends > tx.now, ~ended)
    return tuple(Bond(row.id, row.person, row.agency, Period(row.starts, row.ends)) for row in tx.execute(wanted))


def bond_of(all_bonds: Iterable[Bond], person: UUID, agency: str, moment: datetime) -> Bond | None:
    """What binds this person at ``moment``, too: the person's own commission before the agency's, the longest first."""
    fitting = [
        one
        for one in all_bonds
        if one.agency == agency and one.person in (None, person) and one.period.contains(moment)
    ]
    return min(fitting, key=lambda one: (one.person is None, -one.period.ends.timestamp()), default=None)


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who would be shared with: for ``agency``, in this seat. ``share`` is the row of the register it would get."""

    share: UUID
    agency: str
    person: UUID
    sitting: UUID | None = None
    bond: Bond | None = None


def share_of(one: Row[Any], to: Recipient, head: Head | None = None) -> Share:
    """One seat's invitation to one item, for policy, ledger and register. ``one`` has item's columns."""
    return Share(
        id=to.share,
        act=Act.INVITE,
        item=one.id,
        case=one.case,
        member=one.member,
        category=Category(one.category),
        purpose=Purpose(one.purpose),
        agency=to.agency,
        person=to.person,
        sitting=to.sitting,
        head=head,
        commission=to.bond.commission if to.bond else None,
        commission_period=to.bond.period if to.bond else NEVER,
        seat=True,
    )


def opened(one: Row[Any], head: Head | None, agency: str, moments: Sequence[datetime]) -> Decision:
    """Whether the consent opens a juso item to an agency at all of ``moments``: the first refusal, or the allowance."""
    share = share_of(one, Recipient(share=one.id, agency=agency, person=one.id), head)
    for moment in moments:
        decision = sharing.judge(share, Compartment.JUSO, moment, hosted_by_municipality=True)
        if not decision.allowed:
            break
    return decision


def opened_to_any(one: Row[Any], head: Head | None, moments: Sequence[datetime]) -> Decision:
    """Whether the consent opens a juso item to anybody: its state, period, purpose, member and category."""
    named = head.scope.agencies[:1] if head and head.scope else ()
    return opened(one, head, next(iter(named), ""), moments)


def open_to(
    one: Row[Any], head: Head | None, agencies: Iterable[str], moments: Sequence[datetime]
) -> Mapping[str, Decision]:
    """The decision for each agency."""
    return {agency: opened(one, head, agency, moments) for agency in dict.fromkeys(agencies)}
