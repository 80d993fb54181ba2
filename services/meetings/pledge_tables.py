"""誓約書: who has handed one in for which body, and what waits until they have (S16)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, Date, String, Table, Uuid, select

from services.guards import append_only
from services.meetings.running import Room
from services.meetings.running_rules import Refusal
from services.meetings.seating import agency_name
from services.meetings.tables import tables
from services.service import Tx
from services.store import Instant

pledge = Table(
    "pledge",
    tables,
    Column("body", String(40), primary_key=True),
    Column("person", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("agency", String(40), nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("request", Uuid, nullable=False, index=True),
    Column("noted_by", Uuid, nullable=False),
    Column("noted_for", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Who handed one in for which body: references and days, no word of it."""
append_only(pledge)

LACKING = "誓約書を受け取っていない人がいます: {names}。"
HAND_IN = "誓約書を受け取って記録するか、その人に退室してもらってください。"


def wanted(tx: Tx, body: str) -> bool:
    """Whether this body asks for one."""
    found = tx.profile.body(body)
    return found is not None and found.pledge


def pledged(tx: Tx, body: str) -> frozenset[UUID]:
    """Who has handed one in for this body."""
    return frozenset(tx.execute(select(pledge.c.person).where(pledge.c.body == body)).scalars())


def why_not_hear(tx: Tx, body: str, room: Room, coming: Iterable[tuple[UUID, str]] = ()) -> Refusal | None:
    """Why nothing may be heard with these people: the agencies of whoever has not handed one in, and how many (S16).

    ``coming``: who is about to enter while an item is heard, with the agency.
    """
    if not wanted(tx, body):
        return None
    have = pledged(tx, body)
    there = [(one.person, one.agency) for one in room.there]
    without = [agency for person, agency in {*there, *coming} if person not in have]
    if not without:
        return None
    names = "、".join(f"{agency_name(tx.profile, code)} {without.count(code)}人" for code in sorted(set(without)))
    return Refusal("S16", LACKING.format(names=names), HAND_IN)
