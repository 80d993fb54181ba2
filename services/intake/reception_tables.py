"""What the office of intake keeps besides referrals: early signals, triage, who is the same person, households.

Records are added, never changed. Only their words go, when the key of the referral or note is destroyed: a record says
then that something was decided, when and by whom, and no longer what was written.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from services.guards import RECORD_IS_KEPT, append_only, refuse
from services.intake.tables import tables
from services.store import Instant
from services.vault import Sealed

deed = Table(
    "deed",
    tables,
    Column("request", Uuid, primary_key=True),
    Column("subject", Uuid, nullable=False, index=True),
    Column("digest", Sealed),
    Column("answer", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)
"""What was done on which request: asked again it is answered the same. ``digest`` of what was asked is sealed under
the subject, for in plain it would let words be tried; None once that is erased. ``answer`` holds no text."""

showing = Table(
    "showing",
    tables,
    Column("subject", Uuid, primary_key=True),
    Column("member", Uuid, primary_key=True),
    Column("what", String(16), primary_key=True),
    Column("person", Uuid, primary_key=True),
    Column("agency", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("masked", Boolean, primary_key=True),
    Column("rule", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Intake's register of sharing: who was shown what of a referral, note or 世帯員, by which row of the policy or rule; one
row a day. ``member`` is the subject itself where no single 世帯員 is meant. ``masked``: 秘匿 fields were left out."""

signal = Table(
    "signal",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("urgent", Boolean, nullable=False),
    Column("note", Sealed),
    Column("state", String(8), CheckConstraint("state in ('open', 'dropped', 'referred')"), nullable=False),
    Column("reason", Sealed),
    Column("referral", Uuid, ForeignKey("referral.id")),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", Uuid),
    Column("erased_at", Instant),
    Column("erased_for", String(16)),
    Column("cleared_at", Instant),
    CheckConstraint("(state = 'open') = (settled_at is null)"),
    CheckConstraint("(state = 'referred') = (referral is not null)"),
    Index("signal_state", "state", "recorded_at"),
)
"""気づきメモ, sealed under its own id. ``referral``: what it became, told to nobody, so that erasing that takes the note
along."""

triage_decision = Table(
    "triage_decision",
    tables,
    Column("referral", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("way", String(10), CheckConstraint("way in ('coordinate', 'return')"), nullable=False),
    Column("criteria", String(2100), nullable=False),
    Column("edition", String(20), nullable=False),
    Column("reason", Sealed),
    Column("talked_on", Date),
    Column("counterpart", String(40)),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("way = 'coordinate' or (talked_on is not null and counterpart is not null)"),
)
"""Where a person said that a referral goes, and the ids of the criteria that applied, with blanks between. The newest
holds; the ones before stay."""

same_person = Table(
    "same_person",
    tables,
    Column("one", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("other", Uuid, ForeignKey("referral.id"), primary_key=True, index=True),
    Column("kind", String(5), CheckConstraint("kind in ('juso', 'shien')"), primary_key=True),
    Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
    Column("same", Boolean, nullable=False),
    Column("checked", String(16), nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("one < other"),
)
"""What a person found of two referrals while both lay in one kind of meeting; the newest version holds, there only. The lesser reference comes first, so
that a pair is one pair. No free text: it would be about two people, and outlive the erasure of one."""


def _changed(column: str) -> str:
    """SQL for both engines: this column is no longer what it was, NULL or not."""
    return f'((new."{column}" is null) <> (old."{column}" is null) or new."{column}" <> old."{column}")'


def keep_all_but_words(*records: Table) -> None:
    """Rows are added, never removed or changed; sealed columns may be emptied, for good."""
    for table in records:
        sealed = [column.name for column in table.c if isinstance(column.type, Sealed)]
        plain = [column.name for column in table.c if not isinstance(column.type, Sealed)]
        words = [f'(new."{name}" is not null and {_changed(name)})' for name in sealed]
        refuse(table, "update", " or ".join([*words, *map(_changed, plain)]), RECORD_IS_KEPT)
        refuse(table, "delete", "true", RECORD_IS_KEPT)
        refuse(table, "truncate", "true", RECORD_IS_KEPT)


append_only(showing, same_person)
keep_all_but_words(triage_decision)
refuse(deed, "delete", "true", RECORD_IS_KEPT)
# A note that was decided on stays so: of two people who decide at once, the second is told.
refuse(signal, "update", "old.state <> 'open' and (new.state <> old.state)", RECORD_IS_KEPT)
refuse(signal, "delete", "true", RECORD_IS_KEPT)
