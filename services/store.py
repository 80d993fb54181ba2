"""A service's own store: transaction, inbox, outbox, parking. The only file that opens a database."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.dialects.sqlite import insert as insert_or_sqlite
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool, StaticPool
from sqlalchemy.types import TypeDecorator, TypeEngine

from contracts.message import Account, Compartment, Event
from contracts.profile import Profile
from contracts.pulse import ParkedEvent
from services import audit
from services.guards import CLOCK, RECORD_IS_KEPT, refuse
from services.service import NotYet, Process, Service, Tx
from services.vault import StillOnDisk, Vault

T = TypeVar("T")

SCHEMA_VERSION = 9
"""Raised with every change of a table. A store with a higher number was written by a newer kasane."""

CACHE_KB = 16 * 1024
"""SQLite's own 2 MB are too few for random keys: a batch would read and write the same pages several times."""

MAX_TRIES = 6
"""Deliveries after which a failing event is parked."""
MAX_WAITS = 60
"""Deliveries after which an event whose predecessor never came is parked, too."""


def sqlite_instant(at: datetime) -> str:
    """Fixed-width ISO text, which sorts by time. ``strftime`` would take five times as long, in every guard."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class Instant(TypeDecorator[datetime]):
    """An instant: aware in, UTC out. SQLite keeps fixed-width ISO text, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text in SQLite, timestamptz elsewhere."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuses naive times: nobody could say which instant they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return sqlite_instant(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


plumbing = MetaData()
inbox = Table("inbox", plumbing, Column("event", Uuid, primary_key=True), Column("at", Instant, nullable=False))
outbox = Table(
    "outbox",
    plumbing,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event", Uuid, nullable=False),
    Column("account", String(16), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("about", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("event", "account"),
    sqlite_autoincrement=True,
)
seen = Table(
    "seen",
    plumbing,
    Column("about", Uuid, primary_key=True),
    Column("subject", String(120), primary_key=True),
    Column("version", Integer, nullable=False),
)
parked = Table(
    "parked",
    plumbing,
    Column("event", Uuid, primary_key=True),
    Column("subject", String(120), nullable=False),
    Column("error", String(120), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)
label = Table(
    "label", plumbing, Column("key", String(20), primary_key=True), Column("value", String(60), nullable=False)
)


event.listen(label, "after_create", CLOCK)
refuse(label, "update", "old.key in ('municipality', 'service', 'compartment')", RECORD_IS_KEPT)
refuse(label, "delete", "true", RECORD_IS_KEPT)
refuse(label, "insert", "kasane_now(0) is null", RECORD_IS_KEPT)  # by another program, REPLACE for one


class StoreRefused(Exception):
    """The store cannot be used. The text says what was found and what to do, in Japanese."""


@dataclass(frozen=True)
class Incoming:
    """An event as the bus delivered it. ``tries`` counts deliveries from 1."""

    id: UUID
    event: Event
    tries: int = 1


@dataclass(frozen=True)
class Outgoing:
    """An outbox row: what the relay publishes, and where."""

    position: int
    id: UUID
    account: Account
    subject: str
    about: UUID
    at: datetime
    body: str


class Outcome(Enum):
    """What the bus does with a delivery."""

    DONE = "acknowledge"
    LATER = "deliver again after a delay"


class Store:
    """One process's store. Not for several threads at once: the bus gives all its work to one."""

    def __init__(
        self,
        address: str,
        service: Service,
        profile: Profile,
        compartment: Compartment | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ref: Callable[[], UUID] = uuid4,
        vault: Vault | None = None,
    ) -> None:
        self.service, self.profile, self.compartment, self.clock, self.new_ref = (
            service,
            profile,
            compartment,
            clock,
            ref,
        )
        self.vault = vault
        self.home = Account(compartment) if compartment else None
        self.told: Callable[[bool], None] = lambda sent: None
        """Called after a commit that changed something, with whether something lies in the outbox since."""
        self.engine = _engine(address, lambda: self.clock())
        self._changed = self._sent = False
        event.listen(self.engine, "before_execute", self._note_change)
        if vault:
            event.listen(self.engine, "commit", lambda connection: vault.keep())
        self._insert_or = insert_or_sqlite if self.engine.dialect.name == "sqlite" else insert_or
        self._take_note, self._note_newest = _inbox_insert(self._insert_or), _newest_insert(self._insert_or)
        self._open(address)

    def close(self) -> None:
        """Give back the connection."""
        self.engine.dispose()

    # -- what the bus calls --------------------------------------------------------------------------------------

    def react(self, batch: Sequence[Incoming]) -> list[Outcome]:
        """Handle events, each exactly once: inbox, changes and outbox of all of them commit together or not at all.

        One transaction for the batch is what makes a durable commit affordable. When anything in it fails, all is
        rolled back and each event is tried in a transaction of its own, so that one bad event holds up nobody.
        """
        try:
            with self._begin() as connection:
                self._handle(connection, batch)
        except OperationalError:  # the store itself is away or full: no fault of an event, however long it lasts
            return [Outcome.LATER] * len(batch)
        except Exception:
            return [self._react_alone(one) for one in batch]
        self._announce()
        return [Outcome.DONE] * len(batch)

    def write(self, act: Callable[[Tx], tuple[T, Iterable[Event]]]) -> T:
        """Run ``act`` in one transaction with the events it returns."""
        with self._begin() as connection:
            tx = self._tx(connection)
            result, events = act(tx)
            self._send(tx, events)
        self._announce()
        return result

    def read(self, act: Callable[[Tx], T]) -> T:
        """Run ``act`` and change nothing: whatever it wrote is rolled back. Raises TypeError if that was a record."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            tx = self._tx(connection)
            result = act(tx)
            transaction.rollback()
        if tx.entries:
            raise TypeError("a decision made while reading would not be kept: declare the question with does")
        return result

    def unsent(self, limit: int, sent: Sequence[int] = (), account: Account | None = None) -> list[Outgoing]:
        """Forget the rows the bus has stored, and return the oldest of the others: one commit for both.

        By position, never "up to": positions are given at insert, not at commit, so a smaller one may appear later.
        """
        with self._begin() as connection:
            if sent:
                connection.execute(delete(outbox).where(outbox.c.position.in_(sent)))
            wanted = select(outbox).order_by(outbox.c.position).limit(limit)
            rows = connection.execute(wanted.where(outbox.c.account == account) if account else wanted).all()
        return [
            Outgoing(row.position, row.event, Account(row.account), row.subject, row.about, row.at, row.body)
            for row in rows
        ]

    def park(self, event_id: UUID, subject: str, error: str, tries: int) -> None:
        """Put an event aside for a person: id, type and error class only. The bus keeps the event itself."""
        row = {"event": event_id, "subject": subject[:120], "error": error[:120], "tries": tries, "at": self.clock()}
        with self._begin() as connection:
            connection.execute(self._insert_or(parked).values(row).on_conflict_do_nothing())

    def list_parked(self) -> list[ParkedEvent]:
        """What was put aside, oldest first."""
        with self._begin() as connection:
            rows = connection.execute(select(parked).order_by(parked.c.at).limit(1000)).all()
        return [
            ParkedEvent(event=row.event, subject=row.subject, error=row.error, tries=row.tries, parked_at=row.at)
            for row in rows
        ]

    def counts(self) -> tuple[int, int, int, dict[str, int]]:
        """Outbox, parked, undone, and the service's own tally."""
        with self._begin() as connection:
            tx = self._tx(connection)
            waiting = connection.scalar(select(func.count()).select_from(outbox)) or 0
            aside = connection.scalar(select(func.count()).select_from(parked)) or 0
            return waiting, aside, self.service.undone(tx), self.service.tally(tx)

    def compact(self) -> None:
        """Take what was deleted out of the files: SQLite's log is emptied, PostgreSQL's tables are written anew."""
        if self.engine.dialect.name == "sqlite":
            raw = self.engine.raw_connection()  # the engine's own would begin a transaction
            try:
                busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                raw.close()
            if busy:
                raise StillOnDisk
            return
        quote = self.engine.dialect.identifier_preparer.format_table
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in self.service.tables.sorted_tables:
                connection.exec_driver_sql(f"VACUUM (FULL) {quote(table)}")

    def checkpoint(self, key: Ed25519PrivateKey) -> int:
        """Sign what the audit log gained since its last checkpoint; how many rows that were. Raises LogBroken."""
        origin = f"{self.profile.municipality}/{Process(self.service, self.compartment).name}"
        with self._begin() as connection:
            return audit.sign_checkpoint(connection, origin, self.clock(), key)

    # -- how -----------------------------------------------------------------------------------------------------

    def _react_alone(self, one: Incoming) -> Outcome:
        try:
            with self._begin() as connection:
                self._handle(connection, [one])
        except OperationalError:
            return Outcome.LATER
        except Exception as error:
            if one.tries < (MAX_WAITS if isinstance(error, NotYet) else MAX_TRIES):
                return Outcome.LATER
            self.park(one.id, type(one.event).subject, type(error).__name__, one.tries)
        self._announce()
        return Outcome.DONE

    def _handle(self, connection: Connection, batch: Sequence[Incoming]) -> None:
        tx = self._tx(connection)
        rows = [{"event": one.id, "at": tx.now} for one in batch]
        fresh = set(connection.scalars(self._take_note, rows))
        events: list[Event] = []
        for one in batch:
            if one.id in fresh and self._newest(tx, one.event):
                fresh.discard(one.id)
                events += self.service.reactions[type(one.event)](one.event, tx)
        self._send(tx, events)

    def _newest(self, tx: Tx, fact: Event) -> bool:
        """Whether no later version of this fact was handled before: the bus may repeat and reorder."""
        if fact.version == 1 and not type(fact).supersedes:
            return True
        row = {"about": fact.about, "subject": type(fact).subject, "version": fact.version}
        return tx.connection.execute(self._note_newest, row).first() is not None

    def _send(self, tx: Tx, events: Iterable[Event]) -> None:
        rows = []
        for fact in events:
            if type(fact) not in self.service.publishes:
                raise TypeError(f"{self.service.name} does not declare that it publishes {type(fact).__name__}")
            event_id, body = tx.ref(), fact.model_dump_json()
            for account in sorted(type(fact).to) or [self._own_account()]:
                rows.append(
                    {
                        "event": event_id,
                        "account": account.value,
                        "subject": type(fact).subject,
                        "about": fact.about,
                        "at": tx.now,
                        "body": body,
                    }
                )
        if rows:
            self._sent = True
            tx.execute(insert(outbox), rows)
        audit.record(tx.connection, tx.now, tx.entries)

    def _own_account(self) -> Account:
        if self.home is None:
            raise TypeError(f"{self.service.name} belongs to no compartment: its events must name their accounts")
        return self.home

    def _tx(self, connection: Connection) -> Tx:
        if self.vault:
            self.vault.forget()
        return Tx(connection, self.clock(), self.profile, self.compartment, self.new_ref, self.vault)

    def _begin(self) -> AbstractContextManager[Connection]:
        self._changed = self._sent = False
        return self.engine.begin()

    def _note_change(self, connection: Connection, statement: Any, *rest: Any) -> None:
        self._changed = self._changed or bool(getattr(statement, "is_dml", False))

    def _announce(self) -> None:
        """Wake the relay and the errands, but not for a transaction that only read: errands would wake themselves."""
        if self._changed:
            self.told(self._sent)

    def _open(self, address: str) -> None:
        """Make the tables, or check that the store is this process's own and not of a newer kasane."""
        mine = {
            "municipality": self.profile.municipality,
            "service": self.service.name,
            "compartment": self.compartment.value if self.compartment else "-",
            "vault": str(self.vault.id) if self.vault else "-",
            "schema": str(SCHEMA_VERSION),
        }
        with self._begin() as connection:
            there = set(inspect(connection).get_table_names())
            if label.name in there:
                found = {row.key: row.value for row in connection.execute(select(label))}
                _check_label(found, mine, address)
            connection.execution_options(compartment=mine["compartment"])
            try:
                for tables in (plumbing, audit.tables, self.service.tables):
                    missing = [one for one in tables.sorted_tables if one.name not in there]
                    tables.create_all(connection, missing, checkfirst=False)
            except ProgrammingError:  # a login that may only use its tables, and one of them is missing
                where = make_url(address).render_as_string(hide_password=True)
                raise StoreRefused(
                    f"ストア {where} に表がありません。kasane provision --stores を実行してください。"
                ) from None
            rows = [{"key": key, "value": value} for key, value in mine.items()]
            connection.execute(self._insert_or(label).values(rows).on_conflict_do_nothing())
        if self.engine.dialect.name == "sqlite":
            _close_off(self.engine)


def _inbox_insert(insert_or: Any) -> Any:
    """Adds the events that are new and returns them. Written once, like the next: that takes longer than running it."""
    return insert_or(inbox).on_conflict_do_nothing().returning(inbox.c.event)


def _newest_insert(insert_or: Any) -> Any:
    """Raises a fact's version and returns it, or nothing where a later one was seen."""
    newer = insert_or(seen)
    version = newer.excluded.version
    newer = newer.on_conflict_do_update(
        index_elements=["about", "subject"], set_={"version": version}, where=seen.c.version < version
    )
    return newer.returning(seen.c.version)


def _check_label(found: dict[str, str], mine: dict[str, str], address: str) -> None:
    if not found:  # provisioned, and never opened by a process yet
        return
    where = make_url(address).render_as_string(hide_password=True)
    if int(found.get("schema", "0")) > SCHEMA_VERSION:
        raise StoreRefused(
            f"ストア {where} は新しい版の kasane のものです(版 {found['schema']}、この版は {SCHEMA_VERSION} まで)。"
            "kasane を新しい版に更新してください。"
        )
    if int(found.get("schema", "0")) < SCHEMA_VERSION:
        raise StoreRefused(
            f"ストア {where} は古い版の kasane のものです(版 {found.get('schema', '0')}、この版は {SCHEMA_VERSION})。"
            "引き継ぐ手順はまだありません。試用のストアなら、消すか別の KASANE_VAR を指定して、取り込み直してください。"
        )
    for key in ("municipality", "service", "compartment"):
        if found.get(key, mine[key]) != mine[key]:
            raise StoreRefused(
                f"ストア {where} は別のもの({key}={found[key]})です。{mine[key]} では使えません。"
                "KASANE_STORE_URL と KASANE_VAR を確かめてください。"
            )
    if found.get("vault", mine["vault"]) != mine["vault"]:
        raise StoreRefused(
            f"ストア {where} の鍵庫ではありません。このままでは何も開けません。"
            "KASANE_VAULT_URL と KASANE_VAR を確かめるか、鍵庫を控えから戻してください。"
        )


def _engine(address: str, clock: Callable[[], datetime]) -> Engine:
    if not address.startswith("sqlite"):
        connecting = {"connect_timeout": 5}  # psycopg waits two minutes by itself, and the thread with it
        return create_engine(
            address, hide_parameters=True, pool_size=1, max_overflow=1, pool_pre_ping=True, connect_args=connecting
        )
    path = Path(make_url(address).database or "")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        address, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "connect", partial(_give_clock, clock=clock))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with engine.connect():
            pass
    except (OSError, DBAPIError) as error:
        if isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
            raise StoreRefused(f"ストア {path} は壊れています。控えから戻してください。") from None
        raise StoreRefused(f"ストア {path} に書き込めません。フォルダーの権限と空き容量を確かめてください。") from None
    return engine


def _give_clock(connection: Any, record: Any, clock: Callable[[], datetime]) -> None:
    """``kasane_now`` of the guards. Another program, which lacks it, adds nothing to what is kept."""

    def kasane_now(seconds: float) -> str:
        return sqlite_instant(clock() + timedelta(seconds=seconds))

    connection.create_function("kasane_now", 1, kasane_now)


def open_to_read(address: str) -> Engine:
    """An engine that can change nothing and whose transactions see one state. Raises nothing before it connects."""
    if not address.startswith("sqlite"):
        connecting = {"connect_timeout": 5, "options": "-c default_transaction_read_only=on"}
        return create_engine(
            address,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            connect_args=connecting,
            poolclass=NullPool,
        )
    path = quote(str(Path(make_url(address).database or "").absolute()))
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", hide_parameters=True, poolclass=NullPool)

    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # to be told, not to fail at

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _configure_sqlite(connection: Any, record: Any) -> None:
    """Without these, commits are lost on power failure, references unchecked, deleted rows readable, kept rows gone."""
    connection.isolation_level = None  # SQLAlchemy's own BEGIN loses concurrent updates (bus-detail.md 4.3)
    wanted = {"busy_timeout": 5000, "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    wanted["recursive_triggers"] = 1  # else INSERT OR REPLACE removes a row and no delete trigger sees it
    wanted |= {"temp_store": 2, "cache_size": -CACHE_KB}  # what a savepoint puts aside: in memory, not in a file
    for pragma, value in wanted.items():
        found = (
            connection.execute(f"PRAGMA {pragma}={value}").fetchone()
            or connection.execute(f"PRAGMA {pragma}").fetchone()
        )
        if str(found[0]) != str(value):
            raise StoreRefused(f"SQLite は {pragma}={value} を受け付けません({found[0]})。")


_TABLES = {"sqlite_master", "sqlite_temp_master"}
_HARMLESS = {"wal_checkpoint", "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo"}
"""Pragmas whose argument changes nothing that the wall stands on."""
_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_NEVER = {
    value
    for name, value in vars(sqlite3).items()
    if name.startswith(("SQLITE_CREATE_", "SQLITE_DROP_", "SQLITE_ALTER_", "SQLITE_ATTACH", "SQLITE_DETACH"))
}


def _close_off(engine: Engine) -> None:
    """The tables stand: from here on no statement changes them, opens another file or loosens a pragma.

    Else one more statement would undo what guards a table: ``PRAGMA foreign_keys=off``, ``DROP TRIGGER``.
    """
    event.listen(engine, "connect", _forbid)
    with engine.connect() as connection:
        _forbid(connection.connection.dbapi_connection, None)


def _forbid(connection: Any, record: Any) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(_authorize)


def _authorize(action: int, what: str | None, value: str | None, database: str | None, trigger: str | None) -> int:
    loosens = action == sqlite3.SQLITE_PRAGMA and value is not None and what not in _HARMLESS
    rewrites = action in _WRITES and what in _TABLES
    return sqlite3.SQLITE_DENY if action in _NEVER or loosens or rewrites else sqlite3.SQLITE_OK
