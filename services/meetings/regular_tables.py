"""What meetings keeps of a regular sitting that is planned anew: what was proposed, by whom, and who decided (S12)."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKeyConstraint, Index, String, Table, Text, Uuid

from contracts.proposing import ReturnReason
from contracts.regular import RegularReason
from services.meetings.tables import tables
from services.store import Instant
from services.wall import among

regular_change = Table(
    "regular_change",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("sitting", Uuid, nullable=False, index=True),
    Column("becomes", Uuid, nullable=False, unique=True),
    Column("request", Uuid, nullable=False, unique=True),
    Column("reason", String(10), CheckConstraint(f"reason in ({among(RegularReason)})"), nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("place", String(40), nullable=False),
    Column("room", String(40)),
    Column("mode", String(9), CheckConstraint("mode in ('in_person', 'online', 'both')"), nullable=False),
    Column("mode_reason", String(9)),
    Column("seats", JSON, nullable=False),
    Column("why", Text, nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposed_for", String(40), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("state", String(8), nullable=False),
    Column("decided_by", Uuid),
    Column("decided_for", String(40)),
    Column("decided_at", Instant),
    Column("decision", Uuid, unique=True),
    Column("returned", String(8), CheckConstraint(f"returned in ({among(ReturnReason)})")),
    Column("void", Text, nullable=False, default=""),
    CheckConstraint("state in ('proposed', 'approved', 'done', 'returned', 'void')"),
    CheckConstraint("starts < ends"),
    CheckConstraint("(state = 'returned') = (returned is not null)"),
    CheckConstraint("(decided_by is null) = (decision is null)"),
    CheckConstraint("state not in ('approved', 'done', 'returned') or decided_by is not null"),  # S12: somebody did
    ForeignKeyConstraint(["sitting", "compartment"], ["sitting.id", "sitting.compartment"]),
)
Index("regular_change_state", regular_change.c.state)
Index(
    "regular_change_under_way",
    regular_change.c.sitting,
    unique=True,
    sqlite_where=regular_change.c.state.in_(("proposed", "approved")),
    postgresql_where=regular_change.c.state.in_(("proposed", "approved")),
)
"""``seats``: [agency, need, person] each. ``becomes``: what the sitting that takes its place is called, where the time
changes. Agencies and codes only; ``why`` names no person.
"""
