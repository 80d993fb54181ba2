"""The wall inside a store: what a consent reaches and who is commissioned, written so that no SQL can step over it.

A disclosure can be stored only if the consent's newest version names the agency, the purpose and the member, is in
force now and covers tax where it is tax (juso: C1-C3, S9, S18), or if the person is commissioned (shien: S6-S8).
contracts/policy.py decides the same; the store holds when a handler forgets to ask. Both engines, same refusals.

Coordination and meetings each carry these tables: whoever shows or invites keeps the register of what it shared.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.types import TypeEngine

from contracts.consent import OPEN_STATES, ConsentState
from contracts.permit import LIFE_SECONDS
from contracts.policy import Category
from contracts.policy_rows import ROWS
from contracts.policy_terms import Act
from services.extent import extent
from services.guards import Change, append_only, refuse
from services.store import Instant

FENCE_SECONDS = 60
"""A replica that could not compare itself with the ledger for so long shares nothing (consent.md 8.10)."""
SHARES = (Act.SHOW, Act.HEAR, Act.INVITE, Act.NOTIFY, Act.EXPORT)
AT_A_SITTING = (Act.HEAR, Act.INVITE, Act.NOTIFY)

IN_JUSO, IN_SHIEN, AT_ONE = "new.compartment = 'juso'", "new.compartment = 'shien'", "new.sitting is not null"

CONSENT_NOT_IN_FORCE = "CONSENT_NOT_IN_FORCE"
REPLICA_IS_STALE = "REPLICA_IS_STALE"
NOT_COMMISSIONED = "NOT_COMMISSIONED"
NOT_ON_THE_AGENDA = "NOT_ON_THE_AGENDA"
NOT_NOW = "NOT_NOW"
PERMIT_IS_OVER = "PERMIT_IS_OVER"
NO_SUCH_PERMIT = "NO_SUCH_PERMIT"
SEAT_IS_CANCELLED = "SEAT_IS_CANCELLED"
SCOPE_IS_CLOSED = "SCOPE_IS_CLOSED"
NOT_THE_NEXT_VERSION = "NOT_THE_NEXT_VERSION"
BACK_DATED = "BACK_DATED"
TAX_NOT_COVERED = "TAX_NOT_COVERED"
SEAT_IS_KEPT = "SEAT_IS_KEPT"
SITTING_IS_KEPT = "SITTING_IS_KEPT"
ITEM_IS_KEPT = "ITEM_IS_KEPT"


def among(values: Iterable[object]) -> str:
    """``'a', 'b'`` for an SQL list of fixed words."""
    return ", ".join(f"'{one}'" for one in sorted(map(str, values)))


@dataclass(frozen=True)
class Consents:
    """The replica of the ledger: references and codes, no names. Written by ``sharing.learn`` only."""

    version: Table
    agency: Table
    purpose: Table
    member: Table
    replica: Table
    extent: Table
    acknowledgement: Table
    """Versions learnt, of which the ledger is still to be told that this store has stopped what they took away."""


def consents(metadata: MetaData) -> Consents:
    """The tables of the replica. A version's scope is stored before the version; afterwards it is closed for ever."""
    version = Table(
        "consent_version",
        metadata,
        Column("consent", Uuid, primary_key=True),
        Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
        Column("compartment", String(5), CheckConstraint("compartment = 'juso'"), nullable=False),
        Column("case", Uuid, nullable=False, index=True),
        Column("state", String(16), CheckConstraint(f"state in ({among(ConsentState)})"), nullable=False),
        Column("starts", Instant),
        Column("ends", Instant),
        Column("covers_tax", Boolean, nullable=False),
        Column("recorded_at", Instant, nullable=False),
        UniqueConstraint("consent", "version", "case", "covers_tax"),
        CheckConstraint(f"(state in ({among(OPEN_STATES)})) = (starts is not null and ends is not null)"),
        CheckConstraint("starts is null or starts < ends"),
    )
    later = "exists (select 1 from consent_version v where v.consent = new.consent and v.version >= new.version)"
    moved = """exists (select 1 from consent_version v where v.consent = new.consent and v."case" <> new."case")"""
    lock = _lock("new.consent", shared=False)
    refuse(version, "insert", f"{later} or {moved}", NOT_THE_NEXT_VERSION, lock)
    kinds: dict[str, TypeEngine[Any]] = {"agency": String(40), "purpose": String(20), "member": Uuid()}
    parts = {
        name: Table(
            f"consent_{name}",
            metadata,
            Column("consent", Uuid, primary_key=True),
            Column("version", Integer, primary_key=True),
            Column(name, kind, primary_key=True),
            ForeignKeyConstraint(
                ["consent", "version"],
                ["consent_version.consent", "consent_version.version"],
                deferrable=True,
                initially="DEFERRED",
            ),
        )
        for name, kind in kinds.items()
    }
    known = """exists (select 1 from consent_version v where v.consent = new.consent and v.version = new.version)"""
    for part in parts.values():
        refuse(part, "insert", known, SCOPE_IS_CLOSED)
    append_only(version, *parts.values())
    replica = Table(
        "replica",
        metadata,
        Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        Column("fresh_at", Instant, nullable=False),
    )
    acknowledgement = Table(
        "acknowledgement",
        metadata,
        Column("consent", Uuid, primary_key=True),
        Column("version", Integer, primary_key=True),
    )
    of_version = parts["agency"], parts["purpose"], parts["member"]
    return Consents(version, *of_version, replica, extent(metadata), acknowledgement)


@dataclass(frozen=True)
class Commissions:
    """委嘱, and those that ended before their time."""

    commission: Table
    ended: Table


def commissions(metadata: MetaData, *, owned: bool) -> Commissions:
    """The tables of commissions. ``owned``: this store records them; elsewhere they are known by event."""
    commission = Table(
        "commission",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("compartment", String(5), CheckConstraint("compartment = 'shien'"), nullable=False),
        Column("person", Uuid),
        Column("agency", String(40), nullable=False),
        Column("starts", Instant, nullable=False),
        Column("ends", Instant, nullable=False),
        *([Column("explained_on", Date, nullable=False)] if owned else []),
        *([Column("document", String(40), CheckConstraint("document <> ''"), nullable=False)] if owned else []),
        Column("recorded_at", Instant, nullable=False),
        CheckConstraint("starts < ends"),
        Index("commission_agency", "agency"),
        Index("commission_ends", "ends"),
    )
    ended = Table(
        "commission_end",
        metadata,
        Column("commission", Uuid, ForeignKey("commission.id"), primary_key=True),
        Column("at", Instant, nullable=False),
    )
    if owned:  # from midnight of the same day at the earliest: who was not a member then heard nothing lawfully
        refuse(commission, "insert", "new.starts < kasane_now(-86400)", BACK_DATED)
        refuse(commission, "insert", "new.recorded_at < kasane_now(-300)", NOT_NOW)
    refuse(ended, "insert", "new.at > kasane_now(60)", NOT_NOW, _lock("new.commission", shared=False))
    append_only(commission, ended)
    return Commissions(commission, ended)


def register(metadata: MetaData, *, seats: bool) -> Table:
    """The register of sharing, beside the tables ``item`` and, with ``seats``, ``seat`` and ``agenda`` of its store.

    ``item`` has unique (id, case, category, purpose) and (id, member), ``seat`` has unique (sitting, person, agency)
    and (sitting, person, commission). Without seats nothing is shared that takes one.
    """
    sitting = [
        ForeignKeyConstraint(["sitting", "person", "agency"], ["seat.sitting", "seat.person", "seat.agency"]),
        ForeignKeyConstraint(["sitting", "person", "commission"], ["seat.sitting", "seat.person", "seat.commission"]),
    ]
    disclosure = Table(
        "disclosure",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("compartment", String(5), nullable=False),
        Column("at", Instant, nullable=False),
        Column("act", String(10), CheckConstraint(f"act in ({among(SHARES)})"), nullable=False),
        Column("item", Uuid, nullable=False),
        Column("case", Uuid, nullable=False, index=True),
        Column("member", Uuid),
        Column("category", String(10), CheckConstraint(f"category in ({among(Category)})"), nullable=False),
        Column("purpose", String(20), nullable=False),
        Column("agency", String(40), CheckConstraint("agency <> ''"), nullable=False),
        Column("person", Uuid, nullable=False),
        Column("sitting", Uuid, index=seats),
        Column("consent", Uuid),
        Column("consent_version", Integer),
        Column("covers_tax", Boolean),
        Column("commission", Uuid, ForeignKey("commission.id")),
        Column("decided_row", String(10), nullable=False),
        Column("rules", String(80), CheckConstraint("rules <> ''"), nullable=False),
        Column("basis", String(40), nullable=False),
        Column("reason", String(400), CheckConstraint("reason <> ''"), nullable=False),
        Column("policy", String(12), CheckConstraint("length(policy) = 12"), nullable=False),
        Column("decided_by", String(40), CheckConstraint("decided_by <> ''"), nullable=False),
        Column("permit", Uuid, unique=True),
        Column("permit_until", Instant),
        ForeignKeyConstraint(
            ["item", "case", "category", "purpose"], ["item.id", "item.case", "item.category", "item.purpose"]
        ),
        ForeignKeyConstraint(["item", "member"], ["item.id", "item.member"]),
        *_within("agency", "purpose", "member"),
        # Either a consent's version with a permit carries it (C1), or a commission (S8); never both, never neither.
        CheckConstraint(
            "(compartment = 'juso') = (consent is not null and consent_version is not null and member is not null "
            "and covers_tax is not null and permit is not null and permit_until is not null)"
        ),
        CheckConstraint("(compartment = 'shien') = (commission is not null)"),
        CheckConstraint("compartment = 'juso' or (consent is null and consent_version is null and permit is null)"),
        CheckConstraint("category <> 'tax' or (compartment = 'juso' and covers_tax)"),  # S9, 地方税法22条
        CheckConstraint(_deciding_rows()),
        CheckConstraint(f"act not in ({among(AT_A_SITTING)}) or sitting is not null"),  # M6
        CheckConstraint("act <> 'export' or compartment = 'juso' or sitting is not null"),  # S8
        *(sitting if seats else [CheckConstraint("sitting is null")]),
        Index("disclosure_person", "person", "at"),  # what one was shown today, however much there is of other days
    )
    guard_ledger(disclosure, "consent", "commission")
    refuse(disclosure, "insert", "new.permit_until <= kasane_now(0)", PERMIT_IS_OVER)
    longest = LIFE_SECONDS + FENCE_SECONDS / 2  # the ledger's clock may be so much ahead (sharing.freshen)
    refuse(disclosure, "insert", f"new.permit_until > kasane_now({longest})", NO_SUCH_PERMIT)
    refuse(disclosure, "insert", "new.at < kasane_now(-300) or new.at > kasane_now(60)", NOT_NOW)
    refuse(disclosure, "insert", f"not {commissioned('kasane_now(0)')}", NOT_COMMISSIONED, only=IN_SHIEN)
    if seats:
        listed = "exists (select 1 from agenda a where a.item = new.item and a.sitting = new.sitting)"
        refuse(disclosure, "insert", f"not {listed}", NOT_ON_THE_AGENDA, only=AT_ONE)
        gone = """exists (select 1 from seat s where s.sitting = new.sitting and s.person = new.person
            and s.cancelled_at is not null)"""
        refuse(disclosure, "insert", gone, SEAT_IS_CANCELLED, only=AT_ONE)
    append_only(disclosure)
    _keep(metadata.tables["item"], ("case", "member", "category", "purpose"), ITEM_IS_KEPT)
    return disclosure


def _within(*parts: str) -> list[ForeignKeyConstraint]:
    """The row lies within the version of the consent that it names: each part of it is one of that version's."""
    key, of_version = ("consent", "version"), ("consent", "version", "case", "covers_tax")
    whole = ForeignKeyConstraint(
        ["consent", "consent_version", "case", "covers_tax"], [f"consent_version.{one}" for one in of_version]
    )
    return [
        whole,
        *(
            ForeignKeyConstraint(
                ["consent", "consent_version", part], [f"consent_{part}.{one}" for one in (*key, part)]
            )
            for part in parts
        ),
    ]


def guard_ledger(table: Table, *grounds: str) -> None:
    """In juso a row needs its consent's newest version, in force now, and a replica that is compared with the ledger.

    The ``grounds`` are locked first, so that a version recorded at the same moment is seen (consent.md 3.1).
    """
    lock = "".join(f"if new.{one} is not null then {_lock(f'new.{one}', shared=True)} end if;" for one in grounds)
    refuse(table, "insert", f"not {_in_force()}", CONSENT_NOT_IN_FORCE, lock, IN_JUSO)
    fresh = f"fresh_at >= kasane_now(-{FENCE_SECONDS}) and fresh_at <= kasane_now({FENCE_SECONDS})"
    refuse(table, "insert", f"not exists (select 1 from replica where {fresh})", REPLICA_IS_STALE, only=IN_JUSO)


def guard_seats(seat: Table) -> None:
    """Commissions before seats (S6, S8): a seat in a 支援会議 needs one that is live now and when the sitting starts.

    ``seat`` has compartment, sitting, person, agency, commission. Who sits where is never rewritten, another person
    is another seat; nor when a sitting is: its seats and agenda were measured by it.
    """
    start = "(select s.starts from sitting s where s.id = new.sitting)"
    live = f"{commissioned('kasane_now(0)')} and {commissioned(start)}"
    refuse(seat, "insert", f"not ({live})", NOT_COMMISSIONED, only=IN_SHIEN)
    _keep(seat, ("sitting", "person", "agency", "commission"), SEAT_IS_KEPT)
    _keep(seat.metadata.tables["sitting"], ("basis", "starts", "ends"), SITTING_IS_KEPT)


def guard_agenda(agenda: Table) -> None:
    """In juso an item comes onto an agenda only under a consent in force now and when the sitting starts (C1)."""
    start = "(select s.starts from sitting s where s.id = new.sitting)"
    covering = f"""exists (select 1 from item i join consent_version v on v.consent = i.consent
        where i.id = new.item and v."case" = i."case" and {_open("v", "kasane_now(0)")}
        and v.starts <= {start} and {start} < v.ends and (i.category <> 'tax' or v.covers_tax))"""
    changes: tuple[Change, ...] = ("insert", "update")
    for on in changes:
        refuse(agenda, on, f"not {covering}", CONSENT_NOT_IN_FORCE, only=IN_JUSO)


def _keep(table: Table, columns: Sequence[str], word: str) -> None:
    """What a row is about is never rewritten; for the rest of it the row may change."""
    moved = (
        f'new."{one}" <> old."{one}" or (new."{one}" is null) <> (old."{one}" is null)'
        if table.c[one].nullable
        else f'new."{one}" <> old."{one}"'
        for one in columns
    )
    refuse(table, "update", " or ".join(moved), word)


def commissioned(moment: str) -> str:
    """SQL: the row's commission is the person's, or the agency's that sends the person, and live at ``moment``."""
    return f"""exists (select 1 from commission c where c.id = new.commission
        and c.starts <= {moment} and {moment} < c.ends and c.agency = new.agency
        and (c.person is null or c.person = new.person)
        and not exists (select 1 from commission_end e where e.commission = c.id))"""


def _in_force() -> str:
    return f"""exists (select 1 from consent_version v where v.consent = new.consent
        and v.version = new.consent_version and {_open("v", "kasane_now(0)")}
        and (new.category <> 'tax' or v.covers_tax))"""


def _open(name: str, moment: str) -> str:
    """SQL: this version is the newest of its consent, and open at ``moment``."""
    return f"""{name}.state in ({among(OPEN_STATES)}) and {name}.starts <= {moment} and {moment} < {name}.ends
        and not exists (select 1 from consent_version w where w.consent = {name}.consent
        and w.version > {name}.version)"""


def _lock(value: str, *, shared: bool) -> str:
    """A share waits for a version being recorded, and a version for shares under way: no row slips in between."""
    return f"perform pg_advisory_xact_lock{'_shared' if shared else ''}(hashtextextended({value}::text, 0));"


def _deciding_rows() -> str:
    """The rows of the policy that allow sharing, with the compartment and basis they speak of."""
    rows = {(row.compartment, row.id, row.basis) for row in ROWS if row.allowed and Act.SHOW in row.acts}
    said = (f"(compartment = '{where}' and decided_row = '{row}' and basis = '{basis}')" for where, row, basis in rows)
    return " or ".join(sorted(said))


def guard_tax(entry: Table) -> None:
    """In juso tax data is written down only under a consent in force that covers it (S9)."""
    covering = f"""exists (select 1 from consent_version v where v."case" = new."case" and v.covers_tax
        and {_open("v", "kasane_now(0)")})"""
    refuse(entry, "insert", f"new.category = 'tax' and not {covering}", TAX_NOT_COVERED)


def carry_over(metadata: MetaData) -> tuple[Table, Table]:
    """Both sides' records of what crossed, beside ``entry``: (out of shien, into juso). Neither names the other's.

    Out: only with the agreement of the agency that gave it. In: only inside the new consent, in force now (C10, I10).
    """
    decision: Callable[[], list[Column[Any]]] = lambda: [  # noqa: E731 - a column belongs to one table
        Column("decided_by", Uuid, nullable=False),
        Column("decided_row", String(10), CheckConstraint(f"decided_row in ({among(_carrying())})"), nullable=False),
        Column("policy", String(12), CheckConstraint("length(policy) = 12"), nullable=False),
        Column("at", Instant, nullable=False),
    ]
    out = Table(
        "carry_out",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("compartment", String(5), CheckConstraint("compartment = 'shien'"), nullable=False),
        Column("entry", Uuid, unique=True, nullable=False),
        Column("agreed_by", String(40), nullable=False),
        Column("agreed_on", Date, nullable=False),
        *decision(),
        ForeignKeyConstraint(["entry", "agreed_by"], ["entry.id", "entry.provider"]),
    )
    into = Table(
        "carry_in",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("compartment", String(5), CheckConstraint("compartment = 'juso'"), nullable=False),
        Column("entry", Uuid, unique=True, nullable=False),
        Column("case", Uuid, nullable=False),
        Column("member", Uuid, nullable=False),
        Column("category", String(10), nullable=False),
        Column("purpose", String(20), nullable=False),
        Column("consent", Uuid, nullable=False),
        Column("consent_version", Integer, nullable=False),
        Column("covers_tax", Boolean, nullable=False),
        *decision(),
        ForeignKeyConstraint(["entry", "case", "category"], ["entry.id", "entry.case", "entry.category"]),
        ForeignKeyConstraint(["entry", "member"], ["entry.id", "entry.member"]),
        *_within("purpose", "member"),
        CheckConstraint("category <> 'tax' or covers_tax"),
    )
    guard_ledger(into, "consent")
    refuse(out, "insert", "new.agreed_on > kasane_now(32400)", NOT_NOW)  # the day it is in Japan
    for table in (out, into):
        refuse(table, "insert", "new.at < kasane_now(-300) or new.at > kasane_now(60)", NOT_NOW)
        append_only(table)
    return out, into


def _carrying() -> list[str]:
    return [row.id for row in ROWS if row.allowed and Act.CARRY in row.acts]
