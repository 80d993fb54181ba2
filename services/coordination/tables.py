"""What coordination stores, in one compartment: cases, items, steps; in shien also who a case is about."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from services import wall
from services.guards import own_compartment
from services.store import Instant

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
    Column("member", Uuid),
    # A juso case rests on a consent (C1), a shien case never does (C4).
    CheckConstraint("(compartment = 'juso') = (consent is not null and consent_version is not null)"),
    CheckConstraint("(compartment = 'juso') = (ground in ('given', 'narrowed'))"),
    CheckConstraint("compartment = 'shien' or member is not null"),  # S18
    UniqueConstraint("id", "compartment"),
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
    Column("compartment", String(5), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("purpose", String(20), nullable=False),
    Column("member", Uuid),
    Column("category", String(10), nullable=False, default="ordinary"),
    Column("sitting", Uuid),
    Column("starts", Instant),
    CheckConstraint("category in ('ordinary', 'tax')"),
    CheckConstraint("category = 'ordinary' or compartment = 'juso'"),  # S9
    UniqueConstraint("id", "case", "category", "purpose"),
    UniqueConstraint("id", "member"),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
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
    Column("name", String(200), nullable=False),
    Column("kana", String(200), nullable=False),
    Column("born_on", Date),
    Column("number", String(20), nullable=False),
    Column("referrer_staff", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("wishes", Text, nullable=False),
)
"""In juso intake keeps who a case is about; this table stays empty there, and its CHECK sees to it."""

consents = wall.consents(tables)
commissions = wall.commissions(tables, owned=False)
disclosure = wall.register(tables, seats=False)

own_compartment(tables)
