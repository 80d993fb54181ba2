"""The audit log of one store: every decision, allowed or refused, as codes, references and instants. Append-only.

Rows are the leaves of a Merkle tree, and a checkpoint signs its root, so that whoever keeps a checkpoint elsewhere can
show that nothing before it was changed, taken out or put in (consent.md 5). The triggers stop mistakes; a thief with
the file or the owner's login drops them, and is found by ``examine``. What he rewrites behind the last checkpoint, or
together with all checkpoints and the key that signs them, is seen only by comparing with one kept elsewhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from services import merkle
from services.guards import append_only

tables = MetaData()
_PLACE = BigInteger().with_variant(Integer, "sqlite")
_REF = String(36)
"""References are kept as the text that is hashed: an engine's own form of them would hide a changed letter."""

audit = Table(
    "audit",
    tables,
    Column("position", _PLACE, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),  # UTC, fixed width, as hashed
    Column("actor", String(40), nullable=False),
    Column("act", String(40), nullable=False),
    Column("outcome", String(6), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("case", _REF),
    Column("item", _REF),
    Column("person", _REF),
    Column("basis", String(40), nullable=False),
    Column("consent", _REF),
    Column("consent_version", Integer),
    Column("commission", _REF),
    Column("permit", _REF),
    Column("policy", String(40), nullable=False),
    Column("detail", String(40), nullable=False),
    Column("leaf", String(64), nullable=False),
    CheckConstraint("outcome in ('allow', 'refuse')", name="audit_outcome"),
)
checkpoint = Table(
    "checkpoint",
    tables,
    Column("size", _PLACE, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("at", String(27), nullable=False),
    Column("frontier", Text, nullable=False),  # what the tree is carried on from; it hashes to the root
    Column("signature", String(128), nullable=False),
)


append_only(audit, checkpoint)

_CODE = re.compile(r"[a-z0-9@_-]{0,40}")
_RULE = re.compile(r"[A-Za-z0-9@,._-]{0,40}")
_PATTERNS = {"actor": _CODE, "act": _CODE, "detail": _CODE, "rule": _RULE, "basis": _RULE, "policy": _RULE}
_REFS = ("case", "item", "person", "consent", "commission", "permit")
_LOCK = 0x6B6173616E65
"""PostgreSQL's advisory lock: who appends holds it until the commit, so that positions have no gaps."""


class LogBroken(Exception):
    """The log does not continue its last checkpoint, so nothing more is signed. ``kasane audit verify`` says where."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One decision. Raises ValueError, which never repeats the value, for anything but codes and references."""

    act: str
    outcome: str
    rule: str
    actor: str = ""
    case: UUID | None = None
    item: UUID | None = None
    person: UUID | None = None
    basis: str = ""
    consent: UUID | None = None
    consent_version: int | None = None
    commission: UUID | None = None
    permit: UUID | None = None
    policy: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        for name, pattern in _PATTERNS.items():
            value: object = getattr(self, name)
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise ValueError(f"{name} must be a code")
        for name in _REFS:
            if not isinstance(getattr(self, name), UUID | None):
                raise ValueError(f"{name} must be a reference")
        if type(self.consent_version) not in (int, type(None)):
            raise ValueError("consent_version must be a number")
        if self.outcome not in ("allow", "refuse") or not self.act:
            raise ValueError("an entry needs an act and an outcome: allow or refuse")


def record(connection: Connection, at: datetime, entries: Sequence[Entry]) -> None:
    """Append in the caller's transaction. Last thing in it: others wait for the lock until it ends."""
    if not entries:
        return
    _hold(connection)
    position = connection.scalar(select(func.max(audit.c.position))) or 0
    rows = []
    for place, entry in enumerate(entries, position + 1):
        values = {field.name: getattr(entry, field.name) for field in fields(entry)}
        row = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
        row |= {"position": place, "at": _text(at)}
        rows.append(row | {"leaf": _leaf(row).hex()})
    connection.execute(insert(audit), rows)


def sign_checkpoint(connection: Connection, origin: str, at: datetime, key: Ed25519PrivateKey) -> int:
    """Sign all that was recorded since the last checkpoint, reading only that. Returns how many rows that were.

    ``origin`` says whose log it is: MUNICIPALITY/PROCESS. Raises LogBroken.
    """
    _hold(connection)
    last = connection.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).first()
    size, frontier = (last.size, [_unhex(one) for one in last.frontier.split(",")]) if last else (0, [])
    if last and _fault(last, frontier, origin, key.public_key()):
        raise LogBroken
    if (connection.scalar(select(func.max(audit.c.position))) or 0) < size:
        raise LogBroken
    newer = select(audit.c.position, audit.c.leaf).where(audit.c.position > size).order_by(audit.c.position)
    for row in connection.execute(newer.execution_options(yield_per=1000)):
        if row.position != size + 1:
            raise LogBroken
        merkle.grow(frontier, size, _unhex(row.leaf))
        size += 1
    if new := size - (last.size if last else 0):
        root, when = merkle.root_of(frontier).hex(), _text(at)
        signature = key.sign(_statement(origin, size, root, when)).hex()
        new_row = {"size": size, "root": root, "at": when, "frontier": _pack(frontier), "signature": signature}
        connection.execute(insert(checkpoint).values(new_row))
    return new


class Fault(Enum):
    """What does not fit."""

    CHANGED = "a row is not what was recorded"
    MISSING = "a row is not there, though later ones are"
    REWRITTEN = "rows fit their own hashes, but not the checkpoint over them"
    FORGED = "a checkpoint is not what this process signed"
    CUT_OFF = "a checkpoint speaks of rows that are no longer there"


@dataclass(frozen=True)
class Point:
    """A checkpoint to keep elsewhere: so many rows had this root, at this instant (UTC) if it was written down."""

    size: int
    root: str
    at: str = ""


@dataclass(frozen=True)
class Finding:
    """What ``examine`` found. One of the positions ``first`` to ``last`` is the first that does not fit."""

    rows: int
    good: Point | None
    """The last checkpoint up to which everything fits."""
    fault: Fault | None = None
    first: int = 0
    last: int = 0


def examine(connection: Connection, origin: str, key: Ed25519PublicKey, kept: Point | None = None) -> Finding:
    """Recompute every leaf and every signed root, in one pass, and stop at the first misfit.

    ``kept`` is a checkpoint that lay elsewhere: nothing else shows a log rewritten together with its checkpoints.
    """
    total = connection.scalar(select(func.count()).select_from(audit)) or 0
    points = {row.size: row for row in connection.execute(select(checkpoint))}
    good: Point | None = None
    frontier: list[bytes] = []
    size = 0
    for row in connection.execute(select(audit).order_by(audit.c.position).execution_options(yield_per=1000)):
        place = size + 1
        if row.position != place:
            return Finding(total, good, Fault.MISSING, place, place)
        leaf = _leaf({name: value for name, value in row._mapping.items() if name != "leaf"})
        if row.leaf != leaf.hex():
            return Finding(total, good, Fault.CHANGED, place, place)
        merkle.grow(frontier, size, leaf)
        size = place
        if point := points.pop(size, None):
            if fault := _fault(point, frontier, origin, key):
                first = size if fault is Fault.FORGED else (good.size if good else 0) + 1
                return Finding(total, good, fault, first, size)
            good = Point(point.size, point.root, point.at)
        if kept and kept.size == size and kept.root != merkle.root_of(frontier).hex():
            return Finding(total, None, Fault.REWRITTEN, 1, size)
    if kept and kept.size > size:
        return Finding(total, good, Fault.CUT_OFF, size + 1, kept.size)
    if points:
        fault = Fault.CUT_OFF if min(points) > size else Fault.FORGED
        return Finding(total, good, fault, *((size + 1, max(points)) if min(points) > size else (min(points),) * 2))
    return Finding(total, good)


def _fault(point: Any, frontier: list[bytes], origin: str, key: Ed25519PublicKey) -> Fault | None:
    """What is wrong with a checkpoint, given the tree it should speak of."""
    try:
        signature = bytes.fromhex(point.signature)
        key.verify(signature, _statement(origin, point.size, point.root, point.at))
    except (InvalidSignature, ValueError, TypeError):
        return Fault.FORGED
    if point.root != merkle.root_of(frontier).hex():
        return Fault.REWRITTEN
    return None if (point.frontier, point.signature) == (_pack(frontier), signature.hex()) else Fault.FORGED


def _statement(origin: str, size: int, root: str, at: str) -> bytes:
    """What is signed. The first line keeps the signature from passing for one of something else."""
    return f"kasane audit checkpoint v1\n{origin}\n{size}\n{root}\n{at}\n".encode("utf-8", "surrogateescape")


def _leaf(row: Mapping[str, Any]) -> bytes:
    """Canonical JSON (RFC 8785 for what a row can hold). NULL is left out, so that a later column changes no leaf."""
    kept = {name: value for name, value in row.items() if value is not None}
    return merkle.leaf_hash(json.dumps(kept, sort_keys=True, separators=(",", ":"), default=repr).encode())


def _hold(connection: Connection) -> None:
    """SQLite needs none: its transactions begin by taking the only pen there is."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _text(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _pack(frontier: Sequence[bytes]) -> str:
    return ",".join(subtree.hex() for subtree in frontier)


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except (ValueError, TypeError):
        raise LogBroken from None
