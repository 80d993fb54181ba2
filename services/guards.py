"""What a store refuses by itself, said in the words of both engines: records that are kept, rows out of place.

A refusal is an integrity error whose text is the guard's own word (``CONSENT_NOT_IN_FORCE``), never the row: PostgreSQL
would print it. Conditions are plain SQL that both engines read, with ``new`` and ``old`` for the row, and
``kasane_now(seconds)`` for the store's clock, so many seconds on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import DDL, Connection, MetaData, Table, event

Change = Literal["insert", "update", "delete", "truncate"]

RECORD_IS_KEPT = "RECORD_IS_KEPT"
WRONG_COMPARTMENT = "WRONG_COMPARTMENT"

CLOCK = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy types it so
    """
create or replace function kasane_now(seconds double precision) returns timestamptz language sql volatile as
$$ select clock_timestamp() + make_interval(secs => seconds) $$
"""
).execute_if(dialect="postgresql")
"""PostgreSQL's; in SQLite the store gives each connection a function of this name. Replacing it takes its owner."""


@dataclass(frozen=True)
class Guard:
    """Refuse a change while ``when`` holds, with ``word``. ``lock`` is PostgreSQL's, run before ``when`` is looked at.

    Each statement within a PostgreSQL trigger sees what was committed before that statement, so a lock taken first
    makes the condition see what a concurrent transaction did under the same lock. ``only`` is looked at before ``when``
    and may not ask a table: PostgreSQL starts a query for each ``when`` that does, though ``and`` would not need it.
    """

    on: Change
    when: str
    word: str
    lock: str = ""
    only: str = "true"


def guards_of(table: Table) -> list[Guard]:
    """The guards of a table, in the order in which they are tried. Read when the table is made."""
    found: list[Guard] = table.info.setdefault("guards", [])
    return found


def refuse(table: Table, on: Change, when: str, word: str, lock: str = "", only: str = "true") -> None:
    """Give a table one more guard; ``Guard`` says what the arguments are."""
    if not guards_of(table):
        event.listen(table, "after_create", _make)
    guards_of(table).append(Guard(on, when, word, lock, only))


def append_only(*tables: Table) -> None:
    """Rows are added, never changed or removed: what was shared, agreed or decided stays on record."""
    changes: tuple[Change, ...] = ("update", "delete", "truncate")
    for table in tables:
        table.info["append_only"] = True
        for on in changes:
            refuse(table, on, "true", RECORD_IS_KEPT)


def own_compartment(tables: MetaData) -> None:
    """A row that says of which compartment it is lies in a store of that compartment (the store's label says which).

    Tried before a table's other guards: what a row of the other kind would have to fulfil is not asked here.
    """
    here = "(select value from label where key = 'compartment')"
    changes: tuple[Change, ...] = ("insert", "update")
    for table in tables.tables.values():
        if "compartment" in table.c:
            for on in changes:
                refuse(table, on, f"new.compartment <> {here}", WRONG_COMPARTMENT)
                guards_of(table).insert(0, guards_of(table).pop())


def statements(table: Table, dialect: str) -> list[str]:
    """What makes the guards of a table: one trigger per kind of change, for each trigger costs a write its own call."""
    made: list[str] = []
    for on in ("insert", "update", "delete", "truncate"):
        guards = [one for one in guards_of(table) if one.on == on]
        if guards and dialect == "postgresql":
            made += _postgres(table.name, on, guards)
        elif guards and on != "truncate":
            made.append(_sqlite(table.name, on, guards))
    return made


def _sqlite(table: str, on: str, guards: Sequence[Guard]) -> str:
    body = " ".join(f"select raise(abort, '{one.word}') where {one.only} and ({one.when});" for one in guards)
    return f'create trigger "{table}_{on}_guard" before {on} on "{table}" begin {body} end'


def _postgres(table: str, on: str, guards: Sequence[Guard]) -> list[str]:
    """The search path is pinned: else a temporary table of the same name would be what a guard looks at."""
    body = " ".join(
        f"{one.lock} if {one.only} then if {one.when} then "
        f"raise exception '{one.word}' using errcode = 'check_violation'; end if; end if;"
        for one in guards
    )
    name, row = f'"{table}_{on}_guard"', {"truncate": "null", "delete": "old"}.get(on, "new")
    each = "statement" if on == "truncate" else "row"
    return [
        f"create or replace function {name}() returns trigger language plpgsql set search_path = public, pg_temp "
        f"as $$ begin {body} return {row}; end $$",
        f'create trigger {name} before {on} on "{table}" for each {each} execute function {name}()',
    ]


def _make(table: Table, connection: Connection, **_: Any) -> None:
    for statement in statements(table, connection.dialect.name):
        connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
