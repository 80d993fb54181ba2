"""What coordination stores, in one compartment: cases, items, steps; in shien also who a case is about."""

from sqlalchemy import (
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

case = Table(
    "case_",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment in ('juso', 'shien')"), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("referrer", String(40), nullable=False),
    Column("household_size", Integer, nullable=False),
    Column("ground", String(20), nullable=False),
    Column("consent", Uuid),
    Column("consent_version", Integer),
    # A juso case rests on a consent (C1), a shien case never does (C4).
    CheckConstraint("(compartment = 'juso') = (consent is not null and consent_version is not null)"),
    CheckConstraint("(compartment = 'juso') = (ground in ('given', 'narrowed'))"),
)
case_agency = Table(
    "case_agency",
    tables,
    Column("case", Uuid, ForeignKey("case_.id"), primary_key=True),
    Column("agency", String(40), primary_key=True),
    Column("place", Integer, nullable=False),
)
case_problem = Table(
    "case_problem",
    tables,
    Column("case", Uuid, ForeignKey("case_.id"), primary_key=True),
    Column("problem", String(20), primary_key=True),
)
item = Table(
    "item",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("case", Uuid, ForeignKey("case_.id"), nullable=False, index=True),
    Column("purpose", String(20), nullable=False),
    Column("sitting", Uuid),
    Column("starts", Instant),
)
step = Table(
    "step",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("what", String(20), nullable=False),
    UniqueConstraint("case", "number"),
)
client = Table(
    "client",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'shien'"), nullable=False),
    Column("name", Sealed, nullable=False),
    Column("kana", Sealed, nullable=False),
    Column("born_on", Sealed),
    Column("number", Sealed, nullable=False),
    Column("referrer_staff", Sealed, nullable=False),
    Column("reason", Sealed, nullable=False),
    Column("wishes", Sealed, nullable=False),
)
"""In juso intake keeps who a case is about; this table stays empty there, and its CHECK sees to it. All that names
anybody is sealed under the case's reference."""
erased = Table(
    "erased",
    tables,
    Column("subject", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("cleared_at", Instant),
)
"""Cases whose key was destroyed, when and why, by code. ``cleared_at``: since when the files hold no deleted row."""
