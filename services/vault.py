"""The keys of what is kept sealed: one per case (or referral) and process, in a key store apart from the store.

Identity and free text lie in the store as AES-256-GCM ciphertexts. The key of each subject lies here, wrapped with the
process's key-encryption key; once it is destroyed, no backup of the store opens what was sealed under it. So this store
wants a backup cycle of its own, of days: a backup of it brings destroyed keys back for as long as it is kept.

A ciphertext is bound to municipality, process (and with it the compartment), subject, table, column and format: moved
anywhere else it does not open. Its length, its subject and which columns are filled stay visible.

SQLite is the default for this store whatever the other one is: there, a destroyed key is overwritten. PostgreSQL keeps
the wrapped key in its write-ahead log until that is recycled; it is for processes that run more than once.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Dialect,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.dialects.sqlite import insert as insert_or_sqlite
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

from services.service import Foreign, Shut, Tx

FORMAT = 1
"""First byte of every ciphertext, and part of what binds it. Then 12 bytes of nonce, the text, 16 bytes of tag."""
_NONCE = 12

tables = MetaData()
data_key = Table(
    "data_key",
    tables,
    Column("subject", Uuid, primary_key=True),
    Column("wrapped", LargeBinary),
    Column("made_at", String(27), nullable=False),
    Column("destroyed_at", String(27)),
)
"""``wrapped`` is NULL once destroyed. The row stays, so that no second key is made for what was erased."""
_WRAPPED = select(data_key.c.subject, data_key.c.wrapped).where(
    data_key.c.subject.in_(bindparam("subjects", expanding=True))
)
vault_label = Table(
    "vault_label", tables, Column("key", String(20), primary_key=True), Column("value", LargeBinary, nullable=False)
)


class Sealed(TypeDecorator[bytes]):
    """A column that only ``Tx.open`` reads. It takes ciphertexts and refuses text with TypeError."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """The last chance to notice that somebody forgot to seal."""
        if value is not None and not (isinstance(value, bytes) and value[:1] == bytes([FORMAT])):
            raise TypeError("a sealed column takes what Tx.seal returns")
        return value


class VaultRefused(Exception):
    """The key store cannot be used. The text says what was found and what to do, in Japanese."""


class StillOnDisk(Exception):
    """A destroyed key could not be wiped from the disk because somebody was reading; destroy it again."""


class Vault:
    """One process's keys. Not for several threads at once, like the Store that it is given to."""

    def __init__(
        self,
        address: str,
        kek: bytes,
        owner: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``kek``: 32 bytes. ``owner``: municipality/process. Raises VaultRefused."""
        self.owner, self.clock = owner, clock
        self._kek = AESGCM(kek)
        self._keys: dict[UUID, AESGCM | None] = {}
        self._fresh: dict[UUID, bytes] = {}
        self._absent: set[UUID] = set()
        """Looked for in this transaction and not there: not looked for again."""
        self.engine = _engine(address)
        self._insert_or = insert_or_sqlite if self.engine.dialect.name == "sqlite" else insert_or
        self.id = self._open(make_url(address).render_as_string(hide_password=True))
        """Which key store this is. The store remembers it: with an empty one in its place everything would be lost."""

    def close(self) -> None:
        """Give back the connection."""
        self.forget()
        self.engine.dispose()

    def seal(self, subject: UUID, where: str, text: str) -> bytes:
        """The text, to be opened under this subject at this place only. Makes the key if there is none. Raises Shut."""
        nonce = os.urandom(_NONCE)
        key = self._key(subject, make=True)
        sealed = key.encrypt(nonce, text.encode("utf-8", "surrogatepass"), self._bound(subject, where))
        return bytes([FORMAT]) + nonce + sealed

    def open(self, subject: UUID, where: str, sealed: bytes) -> str:
        """The text. Raises Shut (the key was destroyed) or Foreign (sealed elsewhere, or tampered with)."""
        key = self._key(subject)
        if sealed[:1] != bytes([FORMAT]):
            raise Foreign
        try:
            text = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], self._bound(subject, where))
        except (InvalidTag, ValueError):
            raise Foreign from None
        return text.decode("utf-8", "surrogatepass")

    def fetch(self, subjects: Iterable[UUID]) -> None:
        """Unwrap the keys of many subjects with one query: what a list needs. Raises Foreign."""
        wanted = [subject for subject in subjects if subject not in self._keys and subject not in self._absent]
        with self.engine.connect() as connection:
            rows = connection.execute(_WRAPPED, {"subjects": wanted}).all() if wanted else ()
        for subject, wrapped in rows:
            self._keys[subject] = self._unwrap(subject, wrapped) if wrapped is not None else None
        self._absent.update(subject for subject in wanted if subject not in self._keys)

    def keep(self) -> None:
        """Write the new keys down. The Store calls it before it commits: a key without texts is harmless, a text
        without its key would be lost. Of two that made a key for one subject, the second fails and tries again."""
        if not self._fresh:
            return
        rows = [{"subject": one, "wrapped": key, "made_at": self._now()} for one, key in self._fresh.items()]
        with self._writing() as connection:
            connection.execute(insert(data_key), rows)
        self._fresh.clear()

    def forget(self) -> None:
        """Drop the unwrapped keys. The Store does so at each transaction: what is destroyed elsewhere is shut."""
        self._keys.clear()
        self._fresh.clear()
        self._absent.clear()

    def destroy(self, subject: UUID) -> None:
        """Overwrite a subject's key, at once and for good; twice changes nothing. Raises StillOnDisk."""
        self._keys.pop(subject, None)
        self._fresh.pop(subject, None)
        gone = self._insert_or(data_key).values(subject=subject, made_at=self._now(), destroyed_at=self._now())
        once = func.coalesce(data_key.c.destroyed_at, gone.excluded.destroyed_at)
        gone = gone.on_conflict_do_update(index_elements=["subject"], set_={"wrapped": None, "destroyed_at": once})
        with self._writing() as connection:
            connection.execute(gone)
        self._scrub()

    # -- how -----------------------------------------------------------------------------------------------------

    def _key(self, subject: UUID, make: bool = False) -> AESGCM:
        if subject not in self._keys:
            self.fetch([subject])
        if subject not in self._keys:
            if not make:
                raise Foreign
            return self._make_key(subject)
        key = self._keys[subject]
        if key is None:
            raise Shut
        return key

    def _make_key(self, subject: UUID) -> AESGCM:
        raw = AESGCM.generate_key(256)
        self._fresh[subject] = self._wrap(raw, self._bound(subject, "data_key"))
        self._keys[subject] = key = AESGCM(raw)
        return key

    def _unwrap(self, subject: UUID, wrapped: bytes) -> AESGCM:
        try:
            return AESGCM(self._kek.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], self._bound(subject, "data_key")))
        except InvalidTag:
            raise Foreign from None

    def _wrap(self, raw: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._kek.encrypt(nonce, raw, bound)

    def _bound(self, subject: UUID, where: str) -> bytes:
        """The associated data. No part but the last can hold the separator, so no two places read the same."""
        return f"{FORMAT}|{self.owner}|{subject}|{where}".encode()

    def _now(self) -> str:
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def _scrub(self) -> None:
        """Take the overwritten key out of the files: SQLite's log is emptied, PostgreSQL's table written anew."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                if connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
                    raise StillOnDisk
        else:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (FULL) data_key")

    def _open(self, where: str) -> UUID:
        fresh = uuid4()
        mine = {
            "id": fresh.bytes,
            "owner": self.owner.encode(),
            "check": self._wrap(fresh.bytes, self._bound(fresh, "")),
        }
        with self._writing() as connection:
            tables.create_all(connection)
            if connection.execute(select(vault_label.c.key)).first() is None:
                rows = [{"key": key, "value": value} for key, value in mine.items()]
                connection.execute(self._insert_or(vault_label).values(rows).on_conflict_do_nothing())
            found = {row.key: row.value for row in connection.execute(select(vault_label))}
        if found["owner"] != mine["owner"]:
            raise VaultRefused(
                f"鍵庫 {where} は別のもの({found['owner'].decode()})です。{self.owner} では使えません。"
                "KASANE_VAULT_URL と KASANE_VAR を確かめてください。"
            )
        name = UUID(bytes=found["id"])
        try:
            self._kek.decrypt(found["check"][:_NONCE], found["check"][_NONCE:], self._bound(name, ""))
        except InvalidTag:
            raise VaultRefused(
                f"鍵庫 {where} は、いまの鍵(keys/kek@{self.owner.rpartition('/')[2]})では開きません。"
                "この鍵庫を作ったときの鍵のファイルを、控えから戻してください。"
            ) from None
        return name


def seal_row(tx: Tx, subject: UUID, table: Table, values: Mapping[str, Any], part: str = "") -> dict[str, Any]:
    """The values with those of sealed columns sealed; None stays None. ``part`` tells rows of one subject apart."""
    return {
        name: tx.seal(subject, _where(table.c[name], part), str(value))
        if value is not None and isinstance(table.c[name].type, Sealed)
        else value
        for name, value in values.items()
    }


def open_row(
    tx: Tx, subject: UUID, columns: Iterable[Column[Any]], row: Mapping[Any, Any], part: str = ""
) -> dict[str, Any]:
    """What the row holds in these columns, opened; a date as ISO text. Raises Shut and Foreign."""
    return {
        column.name: tx.open(subject, _where(column, part), row[column.name])
        if row[column.name] is not None and isinstance(column.type, Sealed)
        else row[column.name]
        for column in columns
    }


def _where(column: Column[Any], part: str) -> str:
    return f"{column.table.name}.{column.name}" + (f".{part}" if part else "")


def _engine(address: str) -> Engine:
    if not address.startswith("sqlite"):
        return create_engine(
            address,
            hide_parameters=True,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5},
        )
    path = Path(make_url(address).database or "")
    engine = create_engine(
        address, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _configure_sqlite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with engine.connect():
            pass
    except (OSError, DBAPIError):
        raise VaultRefused(f"鍵庫 {path} に書き込めません。フォルダーの権限と空き容量を確かめてください。") from None
    return engine


def _configure_sqlite(connection: Any, record: Any) -> None:
    """As the store's: a key must be on the disk before its texts are, and a destroyed one must not stay there."""
    connection.isolation_level = None
    for pragma in ("busy_timeout=5000", "journal_mode=wal", "synchronous=2", "secure_delete=1"):
        connection.execute(f"PRAGMA {pragma}").fetchone()
    if connection.execute("PRAGMA secure_delete").fetchone()[0] != 1:
        raise VaultRefused("SQLite は secure_delete=1 を受け付けません。")
