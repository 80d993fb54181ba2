"""What meetings stores, in one compartment: items, sittings, agendas, seats, links, notices. No content of a case."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from contracts.legal_basis import CATALOGUE
from services import wall
from services.guards import own_compartment
from services.store import Instant
from services.vault import Sealed

tables = MetaData()


_BASES = " or ".join(
    f"(compartment = '{basis.compartment}' and basis = '{code}')"
    for code, basis in CATALOGUE.items()
    if basis.compartment
)
"""What the policy allows (policy.may_hear), said once more in the store's own words."""


item = Table(
    "item",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("purpose", String(20), nullable=False),
    Column("member", Uuid),
    Column("category", String(10), nullable=False, default="ordinary"),
    Column("consent", Uuid),
    Column("urgent", Boolean, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("agencies", JSON, nullable=False),
    Column("only_agencies", Boolean, nullable=False, default=False),
    Column("coordinator", String(40)),
    Column("area", String(40)),
    Column("body", String(40)),
    Column("required", JSON, nullable=False, default=list),
    Column("optional", JSON, nullable=False, default=list),
    Column("since", Instant, nullable=False),
    Column("state", String(9), nullable=False),
    Column("next_try", Instant, nullable=False),
    Column("why", Text, nullable=False, default=""),
    Column("version", Integer, nullable=False, default=0),
    CheckConstraint("compartment in ('juso', 'shien')"),
    CheckConstraint("state in ('waiting', 'reserving', 'placed', 'stopped', 'withdrawn')"),
    CheckConstraint("(compartment = 'juso') = (consent is not null)"),  # C1, C4
    CheckConstraint("compartment = 'shien' or member is not null"),  # S18
    CheckConstraint("category in ('ordinary', 'tax')"),
    CheckConstraint("category = 'ordinary' or compartment = 'juso'"),  # S9: no tax data in a 支援会議
    UniqueConstraint("id", "compartment"),
    UniqueConstraint("id", "case", "category", "purpose"),
    UniqueConstraint("id", "member"),
    Index("item_due", "state", "next_try"),
)
"""``reserving``: it is on the agenda of a sitting whose time the directory was, or is about to be, asked to hold.
``stopped``: its consent no longer opens it; it is on no agenda until a new version does (C11). ``withdrawn``: for good.
"""

sitting = Table(
    "sitting",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("body", String(40), nullable=False),
    Column("basis", String(40), nullable=False),
    Column("starts", Instant, nullable=False, index=True),
    Column("ends", Instant, nullable=False, index=True),
    Column("place", String(40), nullable=False),
    Column("room", String(40)),
    Column("mode", String(9), nullable=False),
    Column("mode_reason", String(9)),
    Column("regular_on", Date),
    Column("own_item", Uuid, ForeignKey("item.id"), index=True),
    Column("moved_to", Uuid),
    Column("fixed", Boolean, nullable=False),
    Column("cancelled_at", Instant),
    Column("why", Text, nullable=False),
    # The kind of meeting is derived (C1, C4): the store refuses a sitting whose basis may not hear this compartment.
    CheckConstraint(_BASES),
    # Either a date of a regular body, of which there is one per basis, or a date of one item's own, or was the former.
    UniqueConstraint("body", "regular_on", "basis"),
    CheckConstraint(
        "case when regular_on is null then 0 else 1 end + case when own_item is null then 0 else 1 end"
        " + case when moved_to is null then 0 else 1 end = 1"
    ),
    CheckConstraint("moved_to is null or cancelled_at is not null"),
    CheckConstraint("starts < ends"),
    CheckConstraint("mode in ('in_person', 'online', 'both')"),
    UniqueConstraint("id", "compartment"),
)
Index(
    "sitting_own_item",
    sitting.c.own_item,
    unique=True,
    sqlite_where=sitting.c.cancelled_at.is_(None),
    postgresql_where=sitting.c.cancelled_at.is_(None),
)
"""``fixed``: the directory holds the time. Until then nobody is shown it or invited to it. ``cancelled_at``: nothing
is left to be heard; a regular one comes back with its next item, an item of its own gets another one. ``mode``: how it
is held (M3), from its body; ``mode_reason``: why a person changed it for this once, which holding_tables.py keeps.
``moved_to``: the sitting that took over the named date and the agenda of a regular one (regular_carrying.py).
"""

release = Table("release", tables, Column("hold", Uuid, primary_key=True))
"""Holds that the directory is still to be told to forget."""

reseat = Table("reseat", tables, Column("sitting", Uuid, ForeignKey("sitting.id"), primary_key=True))
"""Coming sittings of which the directory is still to be asked whom their items call now."""

agenda = Table(
    "agenda",
    tables,
    Column("item", Uuid, primary_key=True),
    Column("sitting", Uuid, nullable=False),
    Column("compartment", String(5), nullable=False),
    Column("position", Integer, CheckConstraint("position > 0"), nullable=False),
    UniqueConstraint("sitting", "position"),
    ForeignKeyConstraint(["item", "compartment"], ["item.id", "item.compartment"]),
    ForeignKeyConstraint(["sitting", "compartment"], ["sitting.id", "sitting.compartment"]),
)

seat = Table(
    "seat",
    tables,
    Column("sitting", Uuid, primary_key=True),
    Column("person", Uuid, primary_key=True),
    Column("agency", String(40), nullable=False),
    Column("need", String(8), nullable=False),
    Column("compartment", String(5), nullable=False),
    Column("commission", Uuid, ForeignKey("commission.id")),
    Column("uid", Uuid, nullable=False, unique=True),
    Column("first_sequence", Integer, CheckConstraint("first_sequence >= 0"), nullable=False, default=0),
    Column("cancelled_at", Instant),
    Column("answer", String(6), nullable=False, default="none"),
    Column("answered_at", Instant),
    Column("answered_by", Instant),
    CheckConstraint("need in ('required', 'expected', 'optional')"),
    CheckConstraint("answer in ('attend', 'absent', 'none')"),
    CheckConstraint("(answer = 'none') = (answered_at is null)"),
    CheckConstraint("(compartment = 'shien') = (commission is not null)"),  # S6, S8
    UniqueConstraint("sitting", "person", "agency"),
    UniqueConstraint("sitting", "person", "commission"),
    ForeignKeyConstraint(["sitting", "compartment"], ["sitting.id", "sitting.compartment"]),
)
"""``cancelled_at``: the ground of the seat is gone, its link is dead. ``uid``: what calendars know this seat by.
Random, so that two people's copies do not tell that it is one sitting. ``first_sequence``: above 0 the uid came with
its holder from an announced sitting whose place this one takes, and calendars have lower sequences already.
``answered_by``: when a reply by mail was given, by the clock of whoever gave it; mails overtake one another. Empty:
``answered_at`` says it.
"""

link = Table(
    "link",
    tables,
    Column("digest", String(64), primary_key=True),
    Column("sitting", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    ForeignKeyConstraint(["sitting", "person"], ["seat.sitting", "seat.person"]),
    Index("link_seat", "sitting", "person"),
)

notice = Table(
    "notice",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("sitting", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", String(12), nullable=False, default="invitation"),
    Column("state", String(8), nullable=False),
    Column("why", String(20), nullable=False, default=""),
    Column("due", Instant, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("link", String(32)),
    Column("delivery", String(9), nullable=False, default=""),
    Column("delivery_code", String(9), nullable=False, default=""),
    Column("starts", Instant),
    Column("ends", Instant),
    CheckConstraint("(starts is null) = (ends is null) and (starts is null or starts < ends)"),
    UniqueConstraint("sitting", "person", "sequence"),
    CheckConstraint("kind in ('invitation', 'cancellation')"),
    CheckConstraint("state in ('wanted', 'sent', 'not_sent')"),
    CheckConstraint("delivery in ('', 'delivered', 'deferred', 'bounced')"),
    # The link opens the seat to whoever has it: it is kept only while it may still have to be mailed.
    CheckConstraint("(state = 'wanted' and kind = 'invitation') = (link is not null)"),
    ForeignKeyConstraint(["sitting", "person"], ["seat.sitting", "seat.person"]),
    Index("notice_due", "state", "due"),
)
"""``starts`` and ``ends``: of whoever comes for a part only; without them the whole block (ordering.py)."""

mail_reply = Table(
    "mail_reply",
    tables,
    Column("request", Uuid, primary_key=True),
    Column("sitting", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("said", String(12), nullable=False),
    Column("outcome", String(13), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("stamp", Instant),
    Column("came_at", Instant, nullable=False),
    Column("wish_starts", Instant),
    Column("wish_ends", Instant),
    Column("again", Boolean, nullable=False, default=False),
    CheckConstraint("sequence >= 0"),
    CheckConstraint("(wish_starts is null) or (said = 'counter')"),
    ForeignKeyConstraint(["sitting", "person"], ["seat.sitting", "seat.person"]),
    Index("mail_reply_seat", "sitting", "person"),
    Index("mail_reply_again", "again"),
)
"""What came back by mail to a seat: codes and times, no word of it. ``again``: the invitation is still to be sent anew.
``notice.delivery`` beside it is what a mail server reported later of what it had taken (RFC 3464).
"""

consents = wall.consents(tables)
commissions = wall.commissions(tables, owned=True)
disclosure = wall.register(tables, seats=True)
wall.guard_seats(seat)
wall.guard_agenda(agenda)

cooperation = Table(
    "cooperation",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'shien'"), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("agency", String(40), nullable=False),
    Column("template", String(12), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("answered_at", Instant),
    Column("answer", Sealed),
    Column("asked_back_at", Instant),
    CheckConstraint("template in ('papers', 'information', 'opinion', 'cooperation')"),  # fixed questions only (S5)
    CheckConstraint("(answered_at is null) = (answer is null)"),
)
"""協力依頼: one way, no text of the case; what comes back is sealed (S5, S6)."""

own_compartment(tables)
