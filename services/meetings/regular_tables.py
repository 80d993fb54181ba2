"""What meetings keeps of a regular sitting that is planned anew: what was proposed, by whom, and who decided (S12)."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, String, Table, Uuid

from contracts.regular import RegularReason
from services.meetings.proposal_columns import one_under_way, proposed_columns
from services.meetings.tables import tables
from services.wall import among

regular_change = Table(
    "regular_change",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("sitting", Uuid, nullable=False, index=True),
    Column("becomes", Uuid, nullable=False, unique=True),
    Column("reason", String(10), CheckConstraint(f"reason in ({among(RegularReason)})"), nullable=False),
    *proposed_columns(),
    ForeignKeyConstraint(["sitting", "compartment"], ["sitting.id", "sitting.compartment"]),
)
one_under_way(regular_change, "sitting")
"""``becomes``: what the sitting that takes its place is called, where the time changes."""
