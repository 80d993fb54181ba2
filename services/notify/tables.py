"""What notify remembers: which notice went out when. No address, no link, no time or place of a meeting."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, Uuid

from services.store import Instant

tables = MetaData()

delivery = Table(
    "delivery",
    tables,
    Column("notice", Uuid, primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("uid", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("sent_at", Instant),
    CheckConstraint("sequence >= 0"),
    Index("delivery_by_uid", "uid", "sequence"),
)
"""``sent_at`` empty: handed to the mail server at least once, and not known to have been taken."""
