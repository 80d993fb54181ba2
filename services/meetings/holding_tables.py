"""What meetings keeps of how a sitting is held: each change for this once, by whom and why (M3)."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    Row,
    String,
    Table,
    Uuid,
    func,
    select,
    update,
)
from sqlalchemy import insert as insert_into

from contracts.holding import Mode, ModeChange, ModeReason
from services.guards import append_only
from services.meetings.tables import sitting, tables
from services.service import Tx
from services.store import Instant
from services.wall import among

mode_change = Table(
    "mode_change",
    tables,
    Column("sitting", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, index=True),
    Column("mode", String(9), CheckConstraint("mode in ('in_person', 'online', 'both')"), nullable=False),
    Column("reason", String(9), CheckConstraint(f"reason in ({among(ModeReason)})"), nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["sitting", "compartment"], ["sitting.id", "sitting.compartment"]),
)
"""Codes only. One ``request`` may change many sittings: those of a whole day (replanning.py)."""
append_only(mode_change)


class Deciding(NamedTuple):
    """By which request, by whom, and for which agency."""

    request: UUID
    person: UUID
    agency: str


def change_mode(tx: Tx, where: Row[Any], mode: Mode, reason: ModeReason, decided: Deciding) -> None:
    """Hold a sitting otherwise, and keep who said so. ``where`` is its row as it was judged."""
    body = tx.profile.body(where.body)
    own = body is not None and body.mode == mode
    values = {"mode": mode, "mode_reason": None if own else reason.value}
    tx.execute(update(sitting).where(sitting.c.id == where.id).values(values))
    last = select(func.coalesce(func.max(mode_change.c.number), 0)).where(mode_change.c.sitting == where.id)
    new = {"sitting": where.id, "number": int(tx.execute(last).scalar_one()) + 1, "compartment": tx.here}
    new |= {"request": decided.request, "mode": mode, "reason": reason.value, "at": tx.now}
    tx.execute(insert_into(mode_change).values(new | {"by": decided.person, "agency": decided.agency}))


def mode_changes(tx: Tx, of: UUID) -> tuple[ModeChange, ...]:
    """How a sitting's mode was changed, oldest first."""
    rows = tx.execute(select(mode_change).where(mode_change.c.sitting == of).order_by(mode_change.c.number))
    return tuple(ModeChange(mode=row.mode, reason=row.reason, by=row.by, agency=row.agency, at=row.at) for row in rows)
