"""What intake stores: referrals, who they are about, the ledger of consents, and what is to be handed to shien.

The ledger's rules stand in ledger_tables.py, beside these: both describe the one store.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from services.store import Instant

tables = MetaData()

referral = Table(
    "referral",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("referrer", String(40), nullable=False),
    Column("number", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column(
        "state", String(16), CheckConstraint("state in ('with_consent', 'without_consent', 'held')"), nullable=False
    ),
    Column("received_on", Date, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("household_size", Integer, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("agencies", JSON, nullable=False),
    Column("referrer_staff", String(200), nullable=False),
    Column("wishes", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("referrer", "number"),
)
"""The same sheet twice changes nothing, also when two imports race: (referrer, number) decides."""

client = Table(
    "client",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("resident_number", String(15), index=True),
    Column("name", String(200), nullable=False),
    Column("kana", String(200), nullable=False),
    Column("sex", String(8), nullable=False),
    Column("born_on", Date),
    Column("address", String(200), nullable=False),
    Column("phone", String(200), nullable=False),
)
member = Table(
    "member",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("age", Integer),
    Column("relation", String(200), nullable=False),
)
household_member = Table(
    "household_member",
    tables,
    Column("member", Uuid, primary_key=True),
    Column("referral", Uuid, ForeignKey("referral.id"), nullable=False),
    Column("place", Integer, CheckConstraint("place >= 0"), nullable=False),
    UniqueConstraint("referral", "place"),
    UniqueConstraint("member", "referral"),
)
"""By what reference consents and juso know each 世帯員: the client at place 0, then ``member`` in order (S18)."""

juso_case = Table(
    "juso_case",
    tables,
    Column("case_ref", Uuid, primary_key=True),
    Column("referral", Uuid, ForeignKey("referral.id"), nullable=False, unique=True),
    UniqueConstraint("case_ref", "referral"),
)
"""Which juso case a referral became, so that juso may ask whom it is about."""

handover = Table(
    "handover",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("case_ref", Uuid, unique=True),
    Column("state", String(8), CheckConstraint("state in ('pending', 'handed')"), nullable=False),
    CheckConstraint("(state = 'pending') = (case_ref is not null)"),
)
"""Particulars for shien. Once handed, the reference is forgotten: only shien knows whom its case is about (8.1)."""

opening = Table(
    "opening",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
)
"""A person's decision that 法106条の6 applies to a referral on hold, with the reason: once per consent lost (C11)."""
