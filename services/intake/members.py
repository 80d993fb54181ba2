"""What intake knows of each 世帯員: where he or she lives since when, own consent, and erasing the words of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from contracts.consent import OPEN_STATES, ConsentState
from contracts.household import Change
from services.intake.reception_tables import (
    OF_MEMBERS,
    household_end,
    household_stay,
    member_consent,
)
from services.intake.tables import household_member, referral
from services.service import Tx
from services.vault import Sealed

SAID_NO = (ConsentState.REFUSED, ConsentState.WITHDRAWN)


@dataclass(frozen=True)
class Spell:
    """From when until when (the first day no longer) a member lives in a household; ``side``: the referral's state."""

    stay: UUID
    household: UUID
    member: UUID
    referral: UUID
    place: int
    side: str
    since: date
    until: date | None
    ended_by: Change | None

    def covers(self, day: date) -> bool:
        """Whether the member lives there on that day."""
        return self.since <= day and (self.until is None or day < self.until)


def begin_household(members: Sequence[UUID], since: date, tx: Tx) -> list[dict[str, Any]]:
    """The rows of ``household_stay`` by which a new referral's household begins, as its sheet lists it."""
    home = tx.ref()
    facts = {"household": home, "since": since, "at": tx.now}
    return [facts | {"stay": tx.ref(), "member": one} for one in members]


def spells(tx: Tx, *, member: UUID | None = None, household: UUID | None = None) -> list[Spell]:
    """All that is recorded of one member, or of one household, the earliest first."""
    wanted = (
        select(
            household_stay.c.stay,
            household_stay.c.household,
            household_stay.c.member,
            household_stay.c.since,
            household_member.c.referral,
            household_member.c.place,
            referral.c.state,
            household_end.c.until,
            household_end.c.change,
        )
        .join_from(household_stay, household_member, household_member.c.member == household_stay.c.member)
        .join(referral, referral.c.id == household_member.c.referral)
        .join(household_end, household_end.c.stay == household_stay.c.stay, isouter=True)
    )
    if member is not None:
        wanted = wanted.where(household_stay.c.member == member)
    if household is not None:
        wanted = wanted.where(household_stay.c.household == household)
    rows = tx.execute(wanted.order_by(household_stay.c.since, household_member.c.place, household_stay.c.stay))
    return [
        Spell(
            stay=row.stay,
            household=row.household,
            member=row.member,
            referral=row.referral,
            place=row.place,
            side=row.state,
            since=row.since,
            until=row.until,
            ended_by=Change(row.change) if row.change else None,
        )
        for row in rows
    ]


def own_consents(members: Collection[UUID], tx: Tx) -> dict[UUID, tuple[ConsentState, int]]:
    """What each of these said last for himself or herself, and how often; who said nothing is left out."""
    wanted = select(member_consent.c.member, member_consent.c.number, member_consent.c.state)
    rows = tx.execute(wanted.where(member_consent.c.member.in_(members)).order_by(member_consent.c.number))
    return {row.member: (ConsentState(row.state), row.number) for row in rows}


def declined(members: Collection[UUID], tx: Tx) -> set[UUID]:
    """Who of these said no, last: no consent of anybody else reaches them (S18)."""
    return {who for who, (state, _) in own_consents(members, tx).items() if state in SAID_NO}


def consent_of(
    member: UUID, own: ConsentState | None, scope: Collection[UUID], of_client: ConsentState
) -> ConsentState:
    """What a member's consent is: the client's by the ledger, another's own word, else what the consent names."""
    if own is not None:
        return own
    if member in scope and of_client in OPEN_STATES:
        return ConsentState.GIVEN
    return ConsentState.NOT_ASKED


def next_place(key: UUID, tx: Tx) -> int:
    """Where the next 世帯員 of a referral stands in its list."""
    highest = select(func.max(household_member.c.place)).where(household_member.c.referral == key)
    return int(tx.execute(highest).scalar_one()) + 1


def forget(key: UUID, tx: Tx) -> None:
    """Erase the words about every 世帯員 of a referral; dates, states and who decided stay."""
    mine = select(household_member.c.member).where(household_member.c.referral == key)
    for table in OF_MEMBERS:
        words = {column.name: None for column in table.c if isinstance(column.type, Sealed)}
        tx.execute(update(table).where(table.c.member.in_(mine)).values(words))
