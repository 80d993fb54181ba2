"""What notify remembers: which notice or poll went out when, who was reminded on which day. No address, link, place."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, MetaData, String, Table, Uuid

from services.store import Instant

tables = MetaData()

delivery = Table(
    "delivery",
    tables,
    Column("notice", Uuid, primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("uid", Uuid, nullable=False),
    Column("method", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("handed", Boolean, nullable=False),
    Column("sent_at", Instant),
    CheckConstraint("method IN ('REQUEST', 'CANCEL')"),
    CheckConstraint("sequence >= 0"),
    CheckConstraint("handed OR sent_at IS NULL"),
    Index("delivery_by_uid", "uid", "sequence"),
)
"""``sent_at`` empty: not known to have been taken. ``handed``: its text may have reached the mail server, so that the
person may have it; false only if every try is known to have failed. A cancellation stands here from when it is asked
for, mailed or not: no invitation may follow it."""

reminder = Table(
    "reminder",
    tables,
    Column("person", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("begun_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("token", String(39), nullable=False, unique=True),
    Column("bounced", String(11), nullable=False, default=""),
)
"""A row stands from before its mail is handed over; it goes again only when the mail is known not to have been taken.
Who asked for it is not kept: that would say of which kind of meeting somebody has something to do. ``token``: where
reports of this mail come back to, random, notify's own: a compartment's would tell who asked. ``bounced``: the code
with which it came back (RFC 3463)."""

wish = Table(
    "wish",
    tables,
    Column("person", Uuid, primary_key=True),
    Column("link", String(32), nullable=False, unique=True),
    Column("stopped_at", Instant),
)
"""Who wants no reminders, since when; the link by which that is said stands in each of them. Nobody's before
the first."""

poll_mail = Table(
    "poll_mail",
    tables,
    Column("notice", Uuid, primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("answer_by", Instant, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("sent_at", Instant),
)
"""Which poll went to whom, until its deadline has passed. ``sent_at`` empty: not known to have been taken."""
