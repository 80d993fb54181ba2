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
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Uuid,
)

from services.guards import RECORD_IS_KEPT, append_only, refuse
from services.intake.tables import tables
from services.store import Instant
from services.vault import Sealed

LIVES_ELSEWHERE = "LIVES_ELSEWHERE"
ENDS_BEFORE_IT_BEGINS = "ENDS_BEFORE_IT_BEGINS"

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
"""Intake's register of sharing: who was shown what of a referral, note or 世帯員, by which row of the policy or rule;
one row a day. ``member`` is the subject itself where no single 世帯員 is meant. ``masked``: 秘匿 was left out."""

signal = Table(
    "signal",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("urgent", Boolean, nullable=False),
    Column("side", String(5), CheckConstraint("side in ('juso', 'shien')")),
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
    Column("cleared_at", Instant, index=True),
    CheckConstraint("(state = 'open') = (settled_at is null)"),
    CheckConstraint("(state = 'referred') = (referral is not null)"),
    Index("signal_state", "state", "recorded_at"),
)
"""気づきメモ, sealed under its own id. ``side``: at which desk it was typed in; none where 地域づくり brought it.
``referral``: what it became, told to nobody, so that erasing that takes the note along."""

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
"""What a person found of two referrals while both lay in one kind of meeting; the newest version holds, there only.
The lesser reference comes first, so that a pair is one pair. No free text: it would be about two people, and outlive
the erasure of one."""

household_stay = Table(
    "household_stay",
    tables,
    Column("stay", Uuid, primary_key=True),
    Column("household", Uuid, nullable=False, index=True),
    Column("member", Uuid, ForeignKey("household_member.member"), nullable=False, index=True),
    Column("since", Date, nullable=False),
    Column("by", Uuid),
    Column("at", Instant, nullable=False),
)
"""A 世帯員 lives in a household since a day. ``by`` None: as the sheet said."""

household_end = Table(
    "household_end",
    tables,
    Column("stay", Uuid, ForeignKey("household_stay.stay"), primary_key=True),
    Column("until", Date, nullable=False),
    Column("change", String(8), CheckConstraint("change in ('leave', 'split', 'merge')"), nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)
"""The first day on which the member lives there no longer, and what happened."""

member_consent = Table(
    "member_consent",
    tables,
    Column("member", Uuid, ForeignKey("household_member.member"), primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column(
        "state",
        String(16),
        CheckConstraint("state in ('given', 'refused', 'could_not_ask', 'withdrawn')"),
        nullable=False,
    ),
    Column("obtained", String(8), nullable=False),
    Column("obtained_by", Sealed),
    Column("obtained_on", Date, nullable=False),
    Column("note", Sealed),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)
"""What a 世帯員 other than the client said of sharing; the newest holds (S18)."""

member_detail = Table(
    "member_detail",
    tables,
    Column("member", Uuid, ForeignKey("household_member.member"), primary_key=True),
    Column("detail", String(12), primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("text", Sealed),
    Column("by", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
)
"""Address, telephone, school, whereabouts of a 世帯員; the newest holds. What was known before stays, sealed."""

secrecy = Table(
    "secrecy",
    tables,
    Column("member", Uuid, ForeignKey("household_member.member"), primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("secret", Boolean, nullable=False),
    Column("ground", String(20)),
    Column("review_on", Date),
    Column("note", Sealed),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("not secret or ground is not null"),
)
"""秘匿 of a 世帯員, set or lifted; the newest holds, past ``review_on``, too, until a person lifts it."""

secrecy_viewer = Table(
    "secrecy_viewer",
    tables,
    Column("member", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", Uuid, primary_key=True),
    ForeignKeyConstraint(["member", "number"], ["secrecy.member", "secrecy.number"]),
)
"""From whom it is not hidden, person by person."""

OF_MEMBERS = (member_consent, member_detail, secrecy)
"""The tables that hold words about a 世帯員, sealed under his or her referral."""


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


append_only(showing, same_person, household_stay, household_end, secrecy_viewer)
keep_all_but_words(triage_decision, *OF_MEMBERS)
_elsewhere = """exists (select 1 from household_stay s where s.member = new.member
    and not exists (select 1 from household_end e where e.stay = s.stay))"""
refuse(household_stay, "insert", _elsewhere, LIVES_ELSEWHERE)
_too_soon = "exists (select 1 from household_stay s where s.stay = new.stay and new.until <= s.since)"
refuse(household_end, "insert", _too_soon, ENDS_BEFORE_IT_BEGINS)
refuse(deed, "delete", "true", RECORD_IS_KEPT)
# A note that was decided on stays so: of two people who decide at once, the second is told.
refuse(signal, "update", "old.state <> 'open' and (new.state <> old.state)", RECORD_IS_KEPT)
refuse(signal, "delete", "true", RECORD_IS_KEPT)
