"""What intake stores: referrals, who they are about, the ledger of consents, and what is to be handed to shien.

The ledger's rules stand in ledger_tables.py, beside these: both describe the one store.
Free text and identity are sealed under the referral's id; what the import and the queries need is not.
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
    UniqueConstraint,
    Uuid,
)

from services.store import Instant
from services.vault import Sealed

tables = MetaData()

referral = Table(
    "referral",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("referrer", String(40), nullable=False),
    Column("number", String(20), nullable=False),
    Column("digest", Sealed),
    Column(
        "state",
        String(16),
        CheckConstraint("state in ('with_consent', 'without_consent', 'held')"),
        nullable=False,
        index=True,
    ),
    Column("received_on", Date, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("household_size", Integer, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("agencies", JSON, nullable=False),
    Column("referrer_staff", Sealed),
    Column("wishes", Sealed),
    Column("reason", Sealed),
    Column("explained_by", Sealed),
    Column("explained_on", Date),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("referrer", "number"),
)
"""The same sheet twice changes nothing, also when two imports race: (referrer, number) decides. The row outlives its
erasure, so that a file imported again does not bring the referral back; a digest in plain would let names be tried.
Who explained the つなぎ, and when, may be written down later (C6); None: nobody has said."""

client = Table(
    "client",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("resident_number", Sealed),
    Column("name", Sealed, nullable=False),
    Column("kana", Sealed, nullable=False),
    Column("sex", Sealed, nullable=False),
    Column("born_on", Sealed),
    Column("address", Sealed, nullable=False),
    Column("phone", Sealed, nullable=False),
)
"""No row for a referral that was erased."""

member = Table(
    "member",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("name", Sealed, nullable=False),
    Column("age", Integer),
    Column("relation", Sealed, nullable=False),
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

unasked_told = Table(
    "unasked_told",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 0"), nullable=False),
    Column("at", Instant, nullable=False),
)
"""How many of a household juso was told to be unasked (S18), so that it is told again only when that changes. None yet:
as many as the sheet named, which the referral itself told."""

handover = Table(
    "handover",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("case_ref", Uuid, unique=True),
    Column("state", String(8), CheckConstraint("state in ('pending', 'handed')"), nullable=False, index=True),
    CheckConstraint("(state = 'pending') = (case_ref is not null)"),
)
"""Particulars for shien. Once handed, the reference is forgotten: only shien knows whom its case is about (8.1)."""

opening = Table(
    "opening",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("reason", Sealed),
    Column("decided_at", Instant, nullable=False),
)
"""A person's decision that 法106条の6 applies to a referral on hold, with the reason: once per consent lost (C11)."""

erased = Table(
    "erased",
    tables,
    Column("subject", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("cleared_at", Instant, index=True),
)
"""Whose key was destroyed, when and why, by code. ``cleared_at``: since when the files hold no deleted row, either."""
