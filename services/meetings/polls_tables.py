"""What meetings keeps of dates on their way: polls with every answer, proposals with who decided. No content of a case.

Staff are references, times are instants; there is no free text in any of it.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from services.guards import append_only
from services.meetings.proposal_columns import one_under_way, proposed_columns
from services.meetings.tables import tables
from services.store import Instant

poll = Table(
    "poll",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("item", Uuid, nullable=False, index=True),
    Column("request", Uuid, nullable=False, unique=True),
    Column("opened_by", Uuid, nullable=False),
    Column("opened_for", String(40), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("used", Boolean, nullable=False, default=False),
    CheckConstraint("opened_at < closes_at"),
    ForeignKeyConstraint(["item", "compartment"], ["item.id", "item.compartment"]),
)
Index(
    "poll_open",
    poll.c.item,
    unique=True,
    sqlite_where=poll.c.closed_at.is_(None),
    postgresql_where=poll.c.closed_at.is_(None),
)
"""``closed_at``: by hand, or because the item lost its ground or got its date; a deadline that passed closes nothing by
itself, answers by telephone still count. ``used``: a date was chosen since. One at a time per item.
"""

poll_line = Table(
    "poll_line",
    tables,
    Column("poll", Uuid, ForeignKey("poll.id"), primary_key=True),
    Column("position", Integer, CheckConstraint("position between 1 and 12"), primary_key=True),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    CheckConstraint("starts < ends"),
)
append_only(poll_line)

poll_seat = Table(
    "poll_seat",
    tables,
    Column("poll", Uuid, ForeignKey("poll.id"), primary_key=True),
    Column("person", Uuid, primary_key=True),
    Column("agency", String(40), nullable=False),
    Column("need", String(8), CheckConstraint("need in ('required', 'expected', 'optional')"), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("link", String(32)),
    Column("notice", Uuid, nullable=False, unique=True),
    Column("state", String(8), CheckConstraint("state in ('wanted', 'sent', 'not_sent')"), nullable=False),
    Column("why", String(20), nullable=False, default=""),
    Column("due", Instant, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    # As with invitations, the link is kept only while it may still have to be mailed.
    CheckConstraint("(state = 'wanted') = (link is not null)"),
    Index("poll_seat_due", "state", "due"),
)
"""Who is asked. The link opens the lines to whoever has it; it is found by its digest."""

poll_answer = Table(
    "poll_answer",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("poll", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("number", Integer, CheckConstraint("number > 0"), nullable=False),
    Column("choice", String(5), CheckConstraint("choice in ('yes', 'avoid', 'no')"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("typed_by", Uuid),
    Column("typed_for", String(40)),
    Column("request", Uuid),
    CheckConstraint("(typed_by is null) = (typed_for is null)"),
    CheckConstraint("(typed_by is null) = (request is null)"),
    UniqueConstraint("poll", "person", "number", "position"),
    UniqueConstraint("request", "position"),
    ForeignKeyConstraint(["poll", "person"], ["poll_seat.poll", "poll_seat.person"]),
    ForeignKeyConstraint(["poll", "position"], ["poll_line.poll", "poll_line.position"]),
)
"""Every answer, also those that a later one contradicts; ``number`` counts a person's answers, the highest counts.
``typed_by``: it came by telephone, and who typed it in.
"""
append_only(poll_answer)

apart = Table(
    "apart",
    tables,
    Column("item", Uuid, primary_key=True),
    Column("one", Uuid, primary_key=True),
    Column("other", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("said_by", Uuid, nullable=False),
    Column("said_at", Instant, nullable=False),
    CheckConstraint("one < other"),
    ForeignKeyConstraint(["item", "compartment"], ["item.id", "item.compartment"]),
)
"""Two members of staff who must not meet at an item's sitting. No reason is kept."""

day_move = Table(
    "day_move",
    tables,
    Column("request", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("day", Date, nullable=False),
    Column("online", Boolean, nullable=False),
    Column("reason", String(9), nullable=False),
    Column("sittings", Integer, CheckConstraint("sittings >= 0"), nullable=False),
    Column("moved_by", Uuid, nullable=False),
    Column("moved_for", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)
append_only(day_move)
"""Who held a whole day online, or again as its bodies are held, and why."""

proposal = Table(
    "proposal",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("item", Uuid, nullable=False, index=True),
    Column("instead_of", Uuid, ForeignKey("sitting.id")),
    *proposed_columns(),
    ForeignKeyConstraint(["item", "compartment"], ["item.id", "item.compartment"]),
)
one_under_way(proposal, "item")
"""日時の案. ``instead_of``: the announced sitting whose place it takes."""
