"""Makes a city old: every row that a lived year left is stored again, years earlier, under references of its own.

Living ten years of a large city takes hours. What counts for the cost of the eleventh is how many rows there are and
how they hang together, so the rows of one year that was lived by the real services, to the end of its last case and
consent, are copied. Who sits where, what is commissioned and the municipality's people stay the same. Sealed texts are
copied as they are: nobody opens a case that closed years ago here. The audit log is left out: it is only added to.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Date, Integer, Table, Uuid

from services.service import Process
from services.store import Instant, inbox, seen, sqlite_instant

STAYS = frozenset({"extent", "replica", "commission", "commission_end", "person", "parked", "wish"})
"""Tables of what a municipality has once, however old it is."""
THE_SAME = frozenset({"person", "by", "written_by", "commission", "decided_by"})
"""Columns that name people and commissions, who serve for years."""
SPAN = timedelta(weeks=110)
"""From the first referral of a lived year to the end of its last consent."""


def make_older(home: Path, processes: Sequence[Process], years: int) -> dict[str, int]:
    """Store the lived year of the closed city in ``home`` so many times again; how many rows each store has then."""
    return {one.name: _copy(home / "stores" / f"{one.name}.db", _tables(one), years) for one in processes}


def _tables(process: Process) -> list[Table]:
    own = [one for one in process.service.tables.sorted_tables if one.name not in STAYS]
    return [*own, inbox, seen]


def _copy(path: Path, tables: Iterable[Table], years: int) -> int:
    """The guards refuse rows of the past: they are taken down meanwhile, as only the file's owner can."""
    rows = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        guards = store.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
        store.execute("begin immediate")
        for name, _ in guards:
            store.execute(f'drop trigger "{name}"')
        for table in tables:
            rows += _copy_table(store, table, years)
        if store.execute("select 1 from sqlite_master where name = 'extent'").fetchone():
            store.execute("update extent set consents = consents * ?1, versions = versions * ?1", [years + 1])
        for _, sql in guards:
            store.execute(sql)
        store.execute("commit")
        store.execute("pragma wal_checkpoint(truncate)")
    return rows


def _copy_table(store: sqlite3.Connection, table: Table, years: int) -> int:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    lived = store.execute(f'select {names} from "{table.name}"').fetchall()  # noqa: S608 - names of our own tables
    places = ", ".join("?" * len(table.c))
    for year in range(1, years + 1):
        changes = [_change(table, column, year) for column in table.c]
        moved = ([change(value) for change, value in zip(changes, row, strict=True)] for row in lived)
        store.executemany(f'insert into "{table.name}" ({names}) values ({places})', moved)  # noqa: S608 - as above
    return len(lived) * (years + 1)


def _change(table: Table, column: Column[Any], year: int) -> Callable[[Any], Any]:
    """What a value of this column is in the copy of a year."""
    if isinstance(column.type, Uuid):
        if column.name in THE_SAME:
            return _kept
        mask = year << 64
        return lambda value: None if value is None else UUID(int=UUID(value).int ^ mask).hex
    if isinstance(column.type, Instant):
        return lambda value: value and sqlite_instant(datetime.fromisoformat(value) - year * SPAN)
    if isinstance(column.type, Date):
        return lambda value: value and (date.fromisoformat(value) - year * SPAN).isoformat()
    if (table.name, column.name) == ("referral", "number"):
        return lambda value: f"{year}-{value}"
    if (table.name, column.name) in {("link", "digest"), ("reminder", "token")}:
        return lambda value: f"y{year:03}{value[4:]}"
    if isinstance(column.type, Integer) and column.primary_key and len(table.primary_key) == 1:
        return lambda value: None  # SQLite numbers it
    return _kept


def _kept(value: Any) -> Any:
    return value
