"""What a store refuses by itself, said in the words of both engines: records that are kept, rows out of place.

A refusal is an integrity error whose text is the guard's own word (``CONSENT_NOT_IN_FORCE``), never the row: PostgreSQL
would print it. Conditions are plain SQL that both engines read, with ``new`` and ``old`` for the row, and
``kasane_now(seconds)`` for the store's clock, so many seconds on.
"""

from typing import Literal

from sqlalchemy import DDL, MetaData, Table, event

Change = Literal["insert", "update", "delete"]

RECORD_IS_KEPT = "RECORD_IS_KEPT"
WRONG_COMPARTMENT = "WRONG_COMPARTMENT"

CLOCK = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy types it so
    """
create or replace function kasane_now(seconds double precision) returns timestamptz language sql volatile as
$$ select clock_timestamp() + make_interval(secs => seconds) $$
"""
).execute_if(dialect="postgresql")
"""PostgreSQL's; in SQLite the store gives each connection a function of this name. Replacing it takes its owner."""


def refuse(table: Table, on: Change, when: str, word: str, lock: str = "") -> None:
    """Refuse a row of ``table`` while ``when`` holds. ``lock``: PostgreSQL only, run before ``when`` is looked at.

    Each statement within a PostgreSQL trigger sees what was committed before that statement, so a lock taken first
    makes the condition see what a concurrent transaction did under the same lock.
    """
    name, changes = f"{table.name}_{on}_{word.lower()}", on.upper()
    sqlite = f"""create trigger "{name}" before {changes} on "{table.name}" when {when}
        begin select raise(abort, '{word}'); end"""
    function = f"""create or replace function "{name}"() returns trigger language plpgsql as $$ begin
        {lock} if {when} then raise exception '{word}' using errcode = 'check_violation'; end if;
        return coalesce(new, old); end $$"""
    trigger = f"""create trigger "{name}" before {changes} on "{table.name}"
        for each row execute function "{name}"()"""
    _after_create(table, sqlite, "sqlite")
    _after_create(table, function, "postgresql")
    _after_create(table, trigger, "postgresql")
    table.info.setdefault("guards", []).append(name)


def append_only(*tables: Table) -> None:
    """Rows are added, never changed or removed: what was shared, agreed or decided stays on record."""
    for table in tables:
        table.info["append_only"] = True
        for on in ("update", "delete"):
            refuse(table, on, "true", RECORD_IS_KEPT)
        name = f"{table.name}_truncate_{RECORD_IS_KEPT.lower()}"
        function = f"""create or replace function "{name}"() returns trigger language plpgsql as $$ begin
            raise exception '{RECORD_IS_KEPT}' using errcode = 'check_violation'; end $$"""
        trigger = f"""create trigger "{name}" before truncate on "{table.name}"
            for each statement execute function "{name}"()"""
        _after_create(table, function, "postgresql")
        _after_create(table, trigger, "postgresql")


def own_compartment(tables: MetaData) -> None:
    """A row that says of which compartment it is lies in a store of that compartment (the store's label says which)."""
    here = "(select value from label where key = 'compartment')"
    for table in tables.tables.values():
        if "compartment" in table.c:
            for on in ("insert", "update"):
                refuse(table, on, f"new.compartment <> {here}", WRONG_COMPARTMENT)


def _after_create(table: Table, statement: str, dialect: str) -> None:
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy types it so
    event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
