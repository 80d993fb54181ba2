"""What meetings keeps of sittings as they are run: act by act, nothing of it ever rewritten."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, String, Table, Uuid

from contracts.running import Proceeding
from services.guards import append_only
from services.meetings.tables import tables
from services.store import Instant
from services.vault import Sealed
from services.wall import among

proceeding = Table(
    "proceeding",
    tables,
    Column("sitting", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("what", String(10), CheckConstraint(f"what in ({among(Proceeding)})"), nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("item", Uuid),
    Column("case", Uuid),
    Column("codes", JSON, nullable=False),
    Column("words", Sealed),
    CheckConstraint('(item is null) = ("case" is null)'),
    CheckConstraint("words is null or item is not null"),
    CheckConstraint("what in ('call', 'record', 'correct') or item is null"),
    ForeignKeyConstraint(["sitting", "compartment"], ["sitting.id", "sitting.compartment"]),
    ForeignKeyConstraint(["item", "compartment"], ["item.id", "item.compartment"]),
    Index("proceeding_item", "item"),
)
"""How a sitting stands is folded from its acts (running.fold). ``codes`` holds no free text; ``words``, sealed with the
key of the case, is what the minutes say of the item. Who heard what stands in the register; here is who was there.
"""
append_only(proceeding)
