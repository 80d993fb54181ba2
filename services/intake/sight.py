"""Which referrals an officer may see at intake, and by what: the 市町村 takes them in; consent names others in juso.

What somebody may not see is answered as if it were not there, so that no answer tells of a referral in the other kind
of meeting (consent.md 8.1).
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, select

from contracts.message import Compartment
from contracts.office import Officer
from contracts.permit import Use
from contracts.policy import Category
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services.intake import permits, sealed
from services.intake.consenting import Version
from services.intake.deeds import acts_for_office, is_municipality
from services.intake.handlers import STATES
from services.intake.ledger_tables import version
from services.intake.tables import household_member, referral
from services.intake.versions import is_newest, versions_where
from services.service import Tx

RECEPTION = "reception"
"""The ground of the 市町村's own officers: they keep what it took in (個人情報の保護に関する法律 61条)."""


def side_of(key: UUID, tx: Tx) -> str | None:
    """Where a referral lies: the state of its row; None for one that is not there or erased."""
    wanted = select(referral.c.state).where(referral.c.id == key, sealed.not_erased())
    found: str | None = tx.execute(wanted).scalar()
    return found


def grounds(keys: Iterable[UUID], by: Officer, tx: Tx) -> dict[UUID, str]:
    """By what an officer may see each of these referrals; those he or she may not see are left out."""
    wanted = set(keys)
    if is_municipality(by.agency, tx.profile):
        here = select(referral.c.id).where(referral.c.id.in_(wanted), sealed.not_erased(), *_of_the_desk(by))
        return dict.fromkeys(tx.execute(here).scalars(), RECEPTION)
    if not acts_for_office(by, tx.profile):
        return {}
    mine = select(referral.c.id).where(
        referral.c.id.in_(wanted), referral.c.state == STATES[Compartment.JUSO], sealed.not_erased()
    )
    found = {}
    for one in versions_where(tx, version.c.referral.in_(mine), is_newest()):
        if (row := consented(one, by.agency, client_of(one.referral, tx), tx)) is not None:
            found[one.referral] = row
    return found


def _of_the_desk(by: Officer) -> Iterable[ColumnElement[bool]]:
    """A desk is the door of its own kind of meeting only (consent.md 8.1)."""
    return (referral.c.state == STATES[by.desk_of],) if by.desk_of else ()


def is_elsewhere(state: str, by: Officer) -> bool:
    """Whether a referral in this state is behind another door than the one this officer came in by."""
    return by.desk_of is not None and state != STATES[by.desk_of]


def may_act(key: UUID, by: Officer, tx: Tx) -> bool:
    """Whether an officer of the 市町村 may change what is kept of a referral, from where he or she acts."""
    return is_municipality(by.agency, tx.profile) and key in grounds([key], by, tx)


def consented(newest: Version, agency: str, member: UUID, tx: Tx) -> str | None:
    """The row of the policy that lets an agency see one 世帯員 under the newest version of a consent; None: refused.

    The ledger itself decides, in the transaction that shows: nothing can be withdrawn in between, so no permit is due.
    """
    use = Use(
        use=tx.ref(),
        act=Act.SHOW,
        consent=newest.consent,
        version=newest.version,
        agency=agency,
        purpose=Purpose.PLAN,
        member=member,
        category=Category.ORDINARY,
    )
    decision = permits.judge(use, newest, tx)
    return decision.row if decision.allowed else None


def client_of(key: UUID, tx: Tx) -> UUID:
    """The 世帯員 a referral is about."""
    mine = household_member.c.referral == key, household_member.c.place == 0
    found: UUID = tx.execute(select(household_member.c.member).where(*mine)).scalar_one()
    return found
