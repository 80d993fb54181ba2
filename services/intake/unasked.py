"""Juso is told how many of a case's household nobody has asked for an own consent, so that somebody does (S18).

A number only: which 世帯員 it is stands on the pages of 「受付」. Shien is not told: no consent is waited for there,
and intake has forgotten by which reference it knows a case (consent.md 8.1).
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, insert, select

from contracts.consent import ConsentState
from contracts.intake import MembersUnasked
from contracts.message import Compartment, Event
from services.intake import members, sight
from services.intake.consenting import Version
from services.intake.deeds import today
from services.intake.handlers import STATES
from services.intake.ledger_tables import version
from services.intake.members import Spell
from services.intake.reception_tables import household_stay
from services.intake.tables import household_member, juso_case, referral, unasked_told
from services.intake.versions import is_newest, lock, versions_where
from services.service import Tx


def consent_now(one: Spell, own: tuple[ConsentState, int] | None, newest: Version | None) -> ConsentState:
    """How it stands with the consent of one who lives in a household: the client's by the ledger, else the own word."""
    of_client = newest.state if newest else ConsentState.NOT_ASKED
    if one.place == 0:
        return of_client
    scope = newest.scope.members if newest and newest.scope else ()
    return members.consent_of(one.member, own[0] if own else None, scope, of_client)


def unasked(key: UUID, tx: Tx) -> int:
    """How many who live with a referral's client today, and lie in the same kind of meeting, nobody has asked (S18)."""
    day, whose, side = today(tx), sight.client_of(key, tx), sight.side_of(key, tx)
    homes = [one.household for one in members.spells(tx, member=whose) if one.covers(day)]
    living = [
        one for home in homes for one in members.spells(tx, household=home) if one.covers(day) and one.side == side
    ]
    own = members.own_consents([one.member for one in living], tx)
    keys = {one.referral for one in living}
    newest = {one.referral: one for one in versions_where(tx, version.c.referral.in_(keys), is_newest())}
    said = [consent_now(one, own.get(one.member), newest.get(one.referral)) for one in living if one.place]
    return said.count(ConsentState.NOT_ASKED)


def at_opening(key: UUID, tx: Tx) -> int:
    """The number as a case of this referral is opened in juso, where it is told with the referral itself."""
    number = unasked(key, tx)
    tx.execute(insert(unasked_told).values(referral=key, version=1, number=number, at=tx.now))
    return number


def tell_unasked(keys: Iterable[UUID], tx: Tx) -> list[Event]:
    """What has changed for the juso cases of these referrals, and of those with whom they share, or shared, a home."""
    near = sorted({one for key in keys for one in _neighbours(key, tx)})
    open_there = juso_case.c.referral.in_(near), referral.c.state == STATES[Compartment.JUSO]
    wanted = select(juso_case.c.referral, juso_case.c.case_ref).join(referral, referral.c.id == juso_case.c.referral)
    cases = {row.referral: row.case_ref for row in tx.execute(wanted.where(*open_there))}
    lock(sorted(cases), tx, shared=False)
    found = (_changed(key, cases[key], tx) for key in sorted(cases))
    return [one for one in found if one is not None]


def _changed(key: UUID, case: UUID, tx: Tx) -> MembersUnasked | None:
    number = unasked(key, tx)
    told = select(unasked_told.c.version, unasked_told.c.number).where(unasked_told.c.referral == key)
    last = tx.execute(told.order_by(unasked_told.c.version.desc()).limit(1)).first()
    number_of, before = (last.version, last.number) if last else (1, _on_the_sheet(key, tx))
    if number == before:
        return None
    tx.execute(insert(unasked_told).values(referral=key, version=number_of + 1, number=number, at=tx.now))
    return MembersUnasked(about=case, version=number_of + 1, number=number, on=today(tx))


def _on_the_sheet(key: UUID, tx: Tx) -> int:
    """How many the sheet named besides the client; whoever joined later came at a later instant."""
    stays = select(func.count()).select_from(household_member)
    stays = stays.join(household_stay, household_stay.c.member == household_member.c.member)
    stays = stays.join(referral, referral.c.id == household_member.c.referral)
    with_it = household_member.c.place > 0, household_stay.c.at == referral.c.recorded_at
    return tx.connection.scalar(stays.where(household_member.c.referral == key, *with_it)) or 0


def _neighbours(key: UUID, tx: Tx) -> set[UUID]:
    """This referral, and all whose 世帯員 ever stood in one household with one of its own."""
    mine = select(household_member.c.member).where(household_member.c.referral == key)
    homes = select(household_stay.c.household).where(household_stay.c.member.in_(mine))
    there = select(household_stay.c.member).where(household_stay.c.household.in_(homes))
    wanted = select(household_member.c.referral).where(household_member.c.member.in_(there)).distinct()
    return {key, *tx.execute(wanted).scalars()}
