"""秘匿 of a 世帯員 (DV等支援措置): from whom is hidden what leads to him or her, in fields and in free text (S18)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from contracts.household import Detail
from contracts.masking import mask
from services.intake.reception_tables import household_end, household_stay, member_detail, secrecy, secrecy_viewer
from services.intake.tables import client, household_member
from services.service import Shut, Tx
from services.vault import open_row

OF_THE_HOME = frozenset({Detail.ADDRESS, Detail.PHONE, Detail.WHEREABOUTS})
"""What one member's secrecy hides of those who live with him or her: it would lead to the same door."""


@dataclass(frozen=True)
class Secret:
    """How a member's secrecy stands. ``number`` counts from 0, before it was ever set."""

    number: int = 0
    secret: bool = False
    viewers: frozenset[UUID] = field(default_factory=frozenset)
    review_on: date | None = None

    def hides_from(self, person: UUID) -> bool:
        """Whether this person may not see the member's details. A date of review that passed lifts nothing."""
        return self.secret and person not in self.viewers


def secrets(members: Collection[UUID], tx: Tx) -> dict[UUID, Secret]:
    """How it stands with each of these of whom anything was ever set."""
    rows = tx.execute(select(secrecy).where(secrecy.c.member.in_(members)).order_by(secrecy.c.number)).all()
    named = tx.execute(select(secrecy_viewer).where(secrecy_viewer.c.member.in_(members))).all()
    found = {}
    for row in rows:
        viewers = frozenset(one.person for one in named if (one.member, one.number) == (row.member, row.number))
        found[row.member] = Secret(row.number, row.secret, viewers, row.review_on)
    return found


def details(key: UUID, members: Collection[UUID], tx: Tx) -> dict[UUID, dict[Detail, str]]:
    """What is known of the members of a referral: the newest of each kind; for the client, else what the sheet said.

    An erased one has none.
    """
    found: dict[UUID, dict[Detail, str]] = {}
    mine = household_member.c.referral == key, household_member.c.place == 0
    who = tx.execute(select(household_member.c.member).where(*mine)).scalar()
    row = tx.execute(select(client).where(client.c.referral == key)).mappings().first()
    if who in members and who is not None and row is not None:
        found[who] = _opened(key, row, tx)
    rows = tx.execute(select(member_detail).where(member_detail.c.member.in_(members)).order_by(member_detail.c.number))
    for one in rows.mappings().all():
        text = _text(key, one, tx)
        if text is not None:
            found.setdefault(one["member"], {})[Detail(one["detail"])] = text
    return {member: {kind: text for kind, text in known.items() if text} for member, known in found.items()}


def without_details(key: UUID, text: str, tx: Tx) -> str:
    """A free text of a referral with what is known of its 秘匿 members' whereabouts masked, however it is spaced.

    Only what is written down as address, telephone, school or whereabouts can be found; other hints stay.
    """
    if not text:
        return text
    here = select(household_member.c.member).where(household_member.c.referral == key)
    wanted = select(secrecy.c.member).where(secrecy.c.member.in_(here)).distinct()
    ever = list(tx.execute(wanted).scalars())
    hidden = [who for who, one in secrets(ever, tx).items() if one.secret] if ever else []
    if not hidden:
        return text
    known = details(key, {*hidden, *_living_with(hidden, tx)}, tx)
    values = [
        value for who, kinds in known.items() for kind, value in kinds.items() if who in hidden or kind in OF_THE_HOME
    ]
    return mask(text, values)


def _living_with(members: Collection[UUID], tx: Tx) -> list[UUID]:
    """Whose home is the home of one of these now."""
    ended = select(household_end.c.stay)
    homes = select(household_stay.c.household).where(
        household_stay.c.member.in_(members), household_stay.c.stay.not_in(ended)
    )
    wanted = select(household_stay.c.member).where(
        household_stay.c.household.in_(homes), household_stay.c.stay.not_in(ended)
    )
    return list(tx.execute(wanted).scalars())


def _opened(key: UUID, row: Any, tx: Tx) -> dict[Detail, str]:
    try:
        opened = open_row(tx, key, (client.c.address, client.c.phone), row)
    except Shut:
        return {}
    return {Detail.ADDRESS: opened["address"], Detail.PHONE: opened["phone"]}


def _text(key: UUID, row: Any, tx: Tx) -> str | None:
    try:
        opened = open_row(tx, key, (member_detail.c.text,), row, part_of(row["member"], row["detail"], row["number"]))
    except Shut:
        return None
    found: str | None = opened["text"]
    return found


def part_of(member: UUID, *rest: object) -> str:
    """What tells the rows about a referral's members apart when they are sealed."""
    return ".".join(map(str, (member, *rest)))
