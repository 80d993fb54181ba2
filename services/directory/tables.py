"""The directory's tables. Agencies are not here: they are in the municipality's profile."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from services.store import Instant

directory = MetaData()

person = Table(
    "person",
    directory,
    Column("id", Uuid, primary_key=True),
    Column("number", String(20), nullable=False, unique=True),  # 職員番号, leading zeros kept
    Column("name", String(100), nullable=False),
    Column("kana", String(100), nullable=False),
    Column("agency", String(40), nullable=False),
    Column("posts", JSON, nullable=False),
    Column("since", Date),
    Column("until", Date),
    Column("mail", String(400), nullable=False),
    Column("channel", String(8), nullable=False, default="mail"),
    Column("endpoint", String(400), nullable=False, default=""),
    Column("network", String(8), CheckConstraint("network IN ('lgwan', 'internet', 'none')"), nullable=False),
    Column("login", String(64), unique=True),
    Column("password_hash", String(200)),
    Column("desks", JSON, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("gone", Boolean, nullable=False),  # people leave, their row stays: old seats and answers name it (S4)
    CheckConstraint("NOT gone OR login IS NULL"),
    CheckConstraint("channel IN ('mail', 'webhook', 'caldav', 'letter', 'phone')"),
)

busy = Table(
    "busy",
    directory,
    Column("id", Integer, primary_key=True),
    Column("person", ForeignKey(person.c.id), nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("hold", Uuid),  # empty: a block of busy.csv
    UniqueConstraint("hold", "person"),
    CheckConstraint("starts < ends"),
    # By the end: of the past, which is kept, nothing is looked at.
    Index("busy_person", "person", "ends"),
    Index("busy_ends", "ends"),
)

feed = Table(
    "feed",
    directory,
    Column("person", ForeignKey(person.c.id), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
)
"""Who has a calendar feed, found by the digest of its token. One per person."""
