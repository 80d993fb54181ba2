"""The ledger of consents, written so that no SQL can step over it: versions, scopes, permits, confirmations.

Versions are only added, each the next of its consent; its scope is stored before it and closed for ever after. What
reaches further than the version before needs evidence of its own (C3), and a permit exists only for what the newest
version opens at that moment (C1, C11). domain.py and contracts/policy.py decide the same and say why.
"""

from typing import Any

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
from sqlalchemy.types import TypeEngine

from contracts.consent import OPEN_STATES, ConsentState, Obtained, Signer
from contracts.policy import Category
from services.extent import extent as make_extent
from services.guards import RECORD_IS_KEPT, append_only, refuse
from services.intake.tables import tables
from services.store import Instant
from services.vault import Sealed
from services.wall import CONSENT_NOT_IN_FORCE, NOT_NOW, NOT_THE_NEXT_VERSION, SCOPE_IS_CLOSED, SHARES, among

CONSENT_IS_OF_ANOTHER = "CONSENT_IS_OF_ANOTHER"
SCOPE_IS_AMISS = "SCOPE_IS_AMISS"
WIDENED_WITHOUT_EVIDENCE = "WIDENED_WITHOUT_EVIDENCE"
PERMITS_ARE_OUT = "PERMITS_ARE_OUT"

_OPEN = among(OPEN_STATES)

version = Table(
    "consent_version",
    tables,
    Column("consent", Uuid, primary_key=True),
    Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
    Column("referral", Uuid, ForeignKey("referral.id"), nullable=False),
    Column("case", Uuid, index=True),
    Column("state", String(16), CheckConstraint(f"state in ({among(ConsentState)})"), nullable=False),
    Column("covers_tax", Boolean, nullable=False),
    Column("starts", Instant),
    Column("ends", Instant),
    Column("text_version", String(40), nullable=False),
    Column("obtained", String(8), CheckConstraint(f"obtained in ({among(Obtained)})")),
    Column("obtained_by", Sealed),
    Column("obtained_on", Date),
    Column("signer", String(8), CheckConstraint(f"signer in ({among(Signer)})"), nullable=False),
    Column("signer_name", Sealed),
    Column("evidence_digest", String(64), CheckConstraint("length(evidence_digest) in (0, 64)"), nullable=False),
    Column("evidence", String(40), nullable=False),
    Column("note", Sealed),
    Column("recorded_at", Instant, nullable=False, index=True),
    UniqueConstraint("referral", "version"),
    UniqueConstraint("consent", "version", "referral"),
    ForeignKeyConstraint(["case", "referral"], ["juso_case.case_ref", "juso_case.referral"]),
    CheckConstraint(f"(state in ({_OPEN})) = (starts is not null and ends is not null)"),
    CheckConstraint("starts is null or starts < ends"),
    CheckConstraint(f"state in ({_OPEN}) or not covers_tax"),
    CheckConstraint(f"state not in ({_OPEN}) or (obtained is not null and obtained_on is not null)"),
    CheckConstraint("signer = 'person' or signer_name is not null"),
)
"""One row per version. ``case`` is None until juso has one; ``obtained`` where nobody can say how. Names and notes are
sealed under the referral; an empty one is None."""

_kinds: dict[str, TypeEngine[Any]] = {"agency": String(40), "purpose": String(20), "member": Uuid()}


def _part(name: str, *more: Any) -> Table:
    of_version = ["consent", "version", *(column.name for column in more)]
    return Table(
        f"consent_{name}",
        tables,
        Column("consent", Uuid, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column(name, _kinds[name], primary_key=True),
        *more,
        ForeignKeyConstraint(
            of_version, [f"consent_version.{column}" for column in of_version], deferrable=True, initially="DEFERRED"
        ),
    )


agency, purpose, member = _part("agency"), _part("purpose"), _part("member", Column("referral", Uuid, nullable=False))
member.append_constraint(
    ForeignKeyConstraint(["member", "referral"], ["household_member.member", "household_member.referral"])
)
PARTS = (agency, purpose, member)

permit = Table(
    "permit",
    tables,
    Column("permit", Uuid, primary_key=True),
    Column("use", Uuid, nullable=False, unique=True),
    Column("consent", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("member", Uuid, nullable=False),
    Column("category", String(10), CheckConstraint(f"category in ({among(Category)})"), nullable=False),
    Column("act", String(10), CheckConstraint(f"act in ({among(SHARES)})"), nullable=False),
    Column("granted_at", Instant, nullable=False, index=True),
    Column("until", Instant, nullable=False),
    Column("spent_at", Instant),
    *(
        ForeignKeyConstraint(
            ["consent", "version", part], [f"consent_{part}.{column}" for column in ("consent", "version", part)]
        )
        for part in _kinds
    ),
    CheckConstraint("granted_at < until"),
    Index("permit_consent", "consent", "until"),
)
"""Every permit ever granted. Only that it was spent is added later, once."""

confirmation = Table(
    "confirmation",
    tables,
    Column("consent", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("confirmed_at", Instant, nullable=False),
    ForeignKeyConstraint(["consent", "version"], ["consent_version.consent", "consent_version.version"]),
)
"""From this instant no permit of an earlier version can be used any more (consent.md 8.10)."""

unconfirmed = Table(
    "unconfirmed",
    tables,
    Column("consent", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    ForeignKeyConstraint(["consent", "version"], ["consent_version.consent", "consent_version.version"]),
)
"""Versions still to be confirmed: few, so that looking for them costs nothing however long the ledger is."""

running = Table(
    "running",
    tables,
    Column("consent", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("ends", Instant, nullable=False, index=True),
    ForeignKeyConstraint(["consent", "version"], ["consent_version.consent", "consent_version.version"]),
)
"""Consents whose newest version opens something, and until when: whose period is over is looked for here, not among all
versions that ever ended. Nothing is decided by it."""

extent = make_extent(tables)
"""Of what juso was told: consents without a case there do not count."""

acknowledged = Table(
    "acknowledged",
    tables,
    Column("consent", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("process", String(40), primary_key=True),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["consent", "version"], ["consent_version.consent", "consent_version.version"]),
)

# -- what the store refuses by itself ----------------------------------------------------------------------------------


def _lock(*, shared: bool) -> str:
    """A version waits for permits being granted, and a permit for a version being recorded (PostgreSQL)."""
    kind = "_shared" if shared else ""
    return f"perform pg_advisory_xact_lock{kind}(hashtextextended(new.consent::text, 0));"


def _none(part: str) -> str:
    return f"not exists (select 1 from consent_{part} p where p.consent = new.consent and p.version = new.version)"


def _wider() -> str:
    """SQL: this version reaches where the one before did not; one that opened nothing reached nowhere."""
    before = f"""exists (select 1 from consent_version v where v.consent = new.consent
        and v.version = new.version - 1 and v.state in ({_OPEN}) and v.starts <= new.starts and new.ends <= v.ends
        and (v.covers_tax or not new.covers_tax))"""
    more = (
        f"""exists (select 1 from consent_{part} p where p.consent = new.consent and p.version = new.version
        and p.{part} not in (select q.{part} from consent_{part} q
            where q.consent = new.consent and q.version = new.version - 1))"""
        for part in _kinds
    )
    return f"(not {before} or {' or '.join(more)})"


def _no_new(column: str) -> str:
    return f"""(new.{column} = '' or exists (select 1 from consent_version v
        where v.consent = new.consent and v.{column} = new.{column}))"""


_next = "1 + (select count(*) from consent_version v where v.consent = new.consent)"
refuse(version, "insert", f"new.version <> {_next}", NOT_THE_NEXT_VERSION, _lock(shared=False))
_other = """v.referral <> new.referral or (v."case" is not null and (new."case" is null or new."case" <> v."case"))"""
_moved = f"exists (select 1 from consent_version v where v.consent = new.consent and ({_other}))"
refuse(version, "insert", _moved, CONSENT_IS_OF_ANOTHER)
_amiss = f"""(new.state in ({_OPEN}) and ({" or ".join(map(_none, _kinds))}))
    or (new.state not in ({_OPEN}) and not ({" and ".join(map(_none, _kinds))}))"""
refuse(version, "insert", _amiss, SCOPE_IS_AMISS)
_bare = f"{_no_new('evidence_digest')} and {_no_new('evidence')}"
_widened = f"new.version > 1 and new.state in ({_OPEN}) and {_bare} and {_wider()}"
refuse(version, "insert", _widened, WIDENED_WITHOUT_EVIDENCE)
for _one in PARTS:
    _known = "exists (select 1 from consent_version v where v.consent = new.consent and v.version = new.version)"
    refuse(_one, "insert", _known, SCOPE_IS_CLOSED)

_in_force = f"""exists (select 1 from consent_version v where v.consent = new.consent and v.version = new.version
    and v.state in ({_OPEN}) and v.starts <= new.granted_at and new.granted_at < v.ends
    and (new.category <> 'tax' or v.covers_tax)
    and not exists (select 1 from consent_version w where w.consent = v.consent and w.version > v.version))"""
refuse(permit, "insert", f"not {_in_force}", CONSENT_NOT_IN_FORCE, _lock(shared=True))
# One minute for clocks that differ; a permit that lived longer would hold up every confirmation.
_when = "new.granted_at < kasane_now(-60) or new.granted_at > kasane_now(60) or new.until > kasane_now(64)"
refuse(permit, "insert", f"new.spent_at is not null or {_when}", NOT_NOW)
_same = " or ".join(f'new."{one.name}" <> old."{one.name}"' for one in permit.c if one.name != "spent_at")
refuse(permit, "update", f"old.spent_at is not null or new.spent_at is null or {_same}", RECORD_IS_KEPT)
refuse(permit, "delete", "true", RECORD_IS_KEPT)
_out = """exists (select 1 from permit p where p.consent = new.consent and p.version < new.version
    and p.spent_at is null and p.until > new.confirmed_at)"""
refuse(confirmation, "insert", f"new.confirmed_at > kasane_now(60) or {_out}", PERMITS_ARE_OUT)
append_only(version, *PARTS, confirmation, acknowledged)
