"""Where the battery is run: both engines, the store's own connection and a second one beside it."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import psycopg
from sqlalchemy import MetaData, Table, create_mock_engine

from contracts.message import Compartment
from services.guards import CLOCK
from services.store import plumbing, sqlite_instant
from tests.wall.battery import ACCEPTED, Try
from tests.wall.ground import TABLES, row, rows

KINDS = {"23514": "CHECK", "23503": "FOREIGN KEY", "23505": "UNIQUE", "23502": "NOT NULL", "42501": "DENIED"}
GUARD = re.compile(r"^[A-Z_]+$")


class Ring:
    """One connection to attack through: a sqlite3 or psycopg connection that begins and ends its transactions itself.

    ``nested``: inside a transaction that somebody else rolls back (PostgreSQL).
    """

    def __init__(self, connection: Any, nested: bool = False) -> None:
        self.connection = connection
        self.postgres = isinstance(connection, psycopg.Connection)
        self.nested = nested

    def outcome(self, attempt: Try) -> str:
        """What becomes of it. The store is as before, unless a commit was to be tried and was accepted in SQLite."""
        return self.run(attempt.statements(), attempt.at_commit)

    def run(self, statements: Iterable[str | tuple[str, list[Any]]], at_commit: bool = False) -> str:
        """The same for statements, each by itself or with its parameters."""
        do = self.connection.execute
        do("savepoint attempt" if self.nested else "begin")
        try:
            for statement in statements:
                do(*statement) if isinstance(statement, tuple) else do(statement)
            if self.postgres:
                do("set constraints all immediate")
            elif at_commit:
                do("commit")
        except (sqlite3.Error, psycopg.Error) as error:
            return refusal(error)
        else:
            return ACCEPTED
        finally:
            if self.nested:
                do("rollback to savepoint attempt")
            elif self.postgres or self.connection.in_transaction:
                do("rollback")

    def write(self, statements: Iterable[str]) -> None:
        """Write and keep."""
        self.connection.execute("begin")
        for statement in statements:
            self.connection.execute(statement)
        self.connection.execute("commit")


def refusal(error: sqlite3.Error | psycopg.Error) -> str:
    """The guard's word, or the kind of constraint, or DENIED for what the connection may not do at all."""
    if isinstance(error, psycopg.Error):
        text, kind = error.diag.message_primary or "", KINDS.get(error.sqlstate or "", error.sqlstate or "")
    else:
        text = str(error)
        kind = next((one for one in KINDS.values() if text.startswith(f"{one} constraint")), text)
        kind = "DENIED" if text in ("not authorized", "authorization denied") else kind
    return text if GUARD.match(text) else kind


# -- schemas made for the battery --------------------------------------------------------------------------------------


def ddl(dialect: str, metadata: MetaData, compartment: Compartment) -> list[str]:
    """What creates these tables with all that guards them."""
    return [one for table in metadata.sorted_tables for one in _ddl(dialect, table, compartment)]


@cache
def _usual(table: Table, compartment: Compartment) -> list[str]:
    return _ddl("sqlite", table, compartment)


def usual_ddl(metadata: MetaData, compartment: Compartment, changed: Table | None = None) -> list[str]:
    """SQLite's: all but ``changed`` as they were compiled the first time."""
    tables = metadata.sorted_tables
    made = [_ddl("sqlite", one, compartment) if one is changed else _usual(one, compartment) for one in tables]
    return [statement for several in made for statement in several]


def _ddl(dialect: str, table: Table, compartment: Compartment) -> list[str]:
    made: list[str] = []
    address = "sqlite://" if dialect == "sqlite" else "postgresql+psycopg://"
    engine = create_mock_engine(address, lambda what, *a, **k: made.append(str(what.compile(dialect=engine.dialect))))
    vars(engine)["get_execution_options"] = lambda: {"compartment": compartment}
    table.create(engine, checkfirst=False)
    return made


def label(service: str, compartment: Compartment) -> list[str]:
    """A store's label."""
    words = {"municipality": "452050", "service": service, "compartment": compartment.value, "schema": "1"}
    return [row("label", key=key, value=value) for key, value in words.items()]


def sqlite_clock(connection: sqlite3.Connection, back: float = 0) -> None:
    """``kasane_now``, so many seconds back."""

    def kasane_now(seconds: float) -> str:
        return sqlite_instant(datetime.now(UTC) + timedelta(seconds=seconds - back))

    connection.create_function("kasane_now", 1, kasane_now)


def postgres_clock(connection: psycopg.Connection[Any], back: float = 0) -> None:
    """The same; takes the owner."""
    made = str(CLOCK.statement)
    connection.execute(made.replace("secs => seconds", f"secs => seconds - {back}").encode())


@contextmanager
def memory(service: str, compartment: Compartment, changed: Table | None = None) -> Iterator[Ring]:
    """A store in memory, made from the tables as they are now; all but ``changed`` are as they always are."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("pragma foreign_keys = 1")
    connection.execute("pragma recursive_triggers = 1")
    ring = Ring(connection)
    sqlite_clock(connection)
    try:
        made = [*usual_ddl(plumbing, compartment), *usual_ddl(TABLES[service], compartment, changed)]
        ring.write([*made, *label(service, compartment)])
        fill(ring, service, compartment)
        yield ring
    finally:
        connection.close()


def fill(ring: Ring, service: str, compartment: Compartment, clock: Callable[[float], None] | None = None) -> None:
    """Write the ground in one transaction, the rows of earlier days under an earlier clock."""
    own = postgres_clock if ring.postgres else sqlite_clock
    turn = clock or partial(own, ring.connection)
    turn(0)
    back = 0.0
    ring.connection.execute("begin")
    for shift, statement in rows(service, compartment):
        if shift != back:
            turn(shift)
            back = shift
        ring.connection.execute(statement)
    ring.connection.execute("commit")
    turn(0)
