"""What a store refuses by itself, said in the words of both engines: records that are kept, rows out of place.

A refusal is an integrity error whose text is the guard's own word (``CONSENT_NOT_IN_FORCE``), never the row: PostgreSQL
would print it. Conditions are plain SQL that both engines read, with ``new`` and ``old`` for the row, and
``kasane_now(seconds)`` for the store's clock, so many seconds on.
"""

import re
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
    and may not ask a table: PostgreSQL would start a query for it.
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


_HERE = "'kasane_here'"
"""Stands for the compartment of the store in which a guard is made."""


_FOREIGN = Guard("insert", "kasane_now(0) is null", RECORD_IS_KEPT)
"""In SQLite: a program that does not bring the store's clock adds nothing to what is kept, nor puts another row in the
place of one (REPLACE, whose deletions no trigger sees unless the connection asks for it)."""


def own_compartment(tables: MetaData) -> None:
    """A row that says of which compartment it is lies in a store of that compartment.

    The trigger itself says which, for looking it up in the label cost a tenth of a row's write. Tried before a
    table's other guards: what a row of the other kind would have to fulfil is not asked here.
    """
    changes: tuple[Change, ...] = ("insert", "update")
    for table in tables.tables.values():
        if "compartment" in table.c:
            for on in changes:
                refuse(table, on, "true", WRONG_COMPARTMENT, only=f"new.compartment <> {_HERE}")
                guards_of(table).insert(0, guards_of(table).pop())


def statements(table: Table, dialect: str, compartment: str) -> list[str]:
    """What makes a table's guards in a store of that compartment (``-``: of none).

    One trigger per kind of change, for each trigger costs a write its own call.
    """
    made: list[str] = []
    for on in ("insert", "update", "delete", "truncate"):
        guards = [one for one in guards_of(table) if one.on == on]
        if dialect == "sqlite" and on == "insert" and table.info.get("append_only"):
            guards.append(_FOREIGN)
        if guards and dialect == "postgresql":
            made += _postgres(table.name, on, guards)
        elif guards and on != "truncate":
            made.append(_sqlite(table.name, on, guards))
    return [one.replace(_HERE, f"'{compartment}'") for one in made]


def _sqlite(table: str, on: str, guards: Sequence[Guard]) -> str:
    body = " ".join(f"select raise(abort, '{one.word}') where {one.only} and ({one.when});" for one in guards)
    return f'create trigger "{table}_{on}_guard" before {on} on "{table}" begin {body} end'


def _postgres(table: str, on: str, guards: Sequence[Guard]) -> list[str]:
    """Tables are named with their schema: else a temporary one of the same name would be what a guard looks at.

    Pinning the function's ``search_path`` says the same and costs each row 15 us more.
    """
    body = " ".join(_step(several) for several in _together(guards))
    body = re.sub(r"\b(from|join) (?=\w)", r"\1 public.", body).replace("kasane_now(", "public.kasane_now(")
    name, row = f'"{table}_{on}_guard"', {"truncate": "null", "delete": "old"}.get(on, "new")
    each = "statement" if on == "truncate" else "row"
    return [
        f"create or replace function {name}() returns trigger language plpgsql "
        f"as $$ declare word text; begin {body} return {row}; end $$",
        f'create trigger {name} before {on} on "{table}" for each {each} execute function {name}()',
    ]


def _together(guards: Sequence[Guard]) -> list[list[Guard]]:
    """Neighbours that one query can look at: with the same ``only``, and no lock but the first one's."""
    found: list[list[Guard]] = []
    for one in guards:
        if found and found[-1][0].only == one.only and not one.lock:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _step(guards: Sequence[Guard]) -> str:
    """One query for several guards: each that a trigger starts costs a row 10 us."""
    cases = " ".join(f"when ({one.when}) then '{one.word}'" for one in guards)
    refused = "if word is not null then raise exception using message = word, errcode = 'check_violation'; end if;"
    return f"{guards[0].lock} if {guards[0].only} then word := case {cases} end; {refused} end if;"


def _make(table: Table, connection: Connection, **_: Any) -> None:
    """The connection's option ``compartment`` says of which one the store is."""
    compartment = connection.get_execution_options().get("compartment", "-")
    for statement in statements(table, connection.dialect.name, compartment):
        connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
