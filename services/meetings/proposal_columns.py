"""The columns and conditions of a date that somebody proposes and somebody decides (S12, S13)."""

from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, String, Table, Text, Uuid

from contracts.proposing import ReturnReason, SteadReason
from services.store import Instant
from services.wall import among


def proposed_columns() -> tuple[Any, ...]:
    """``seats``: [agency, need, person] each; ``why`` names no person. ``decision``: the request that decided it; where
    a city wants no approval, whoever proposes decides. ``stead``: why a deputy decided, ``stead_of`` for whom (S12)."""
    return (
        Column("request", Uuid, nullable=False, unique=True),
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
        Column("returned", String(8)),
        Column("stead", String(6)),
        Column("stead_of", Uuid),
        Column("void", Text, nullable=False, default=""),
        CheckConstraint("state in ('proposed', 'approved', 'done', 'returned', 'void')"),
        CheckConstraint("starts < ends"),
        CheckConstraint(f"returned in ({among(ReturnReason)})"),
        CheckConstraint("(state = 'returned') = (returned is not null)"),
        CheckConstraint("(decided_by is null) = (decision is null)"),
        CheckConstraint(f"stead in ({among(SteadReason)})"),
        CheckConstraint("stead is null or decided_by is not null"),
        CheckConstraint("stead_of is null or stead is not null"),
        CheckConstraint("state not in ('approved', 'done', 'returned') or decided_by is not null"),  # S12: somebody did
    )


def one_under_way(table: Table, of: str) -> None:
    """One proposal at a time for each ``of``; and those in a state are found without reading the others."""
    going_on = table.c.state.in_(("proposed", "approved"))
    Index(f"{table.name}_state", table.c.state)
    Index(f"{table.name}_under_way", table.c[of], unique=True, sqlite_where=going_on, postgresql_where=going_on)
