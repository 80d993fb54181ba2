"""How far a store's consents reach, as one row kept in step: how many there are, and the sum of their newest versions.

The ledger and each replica compare these every few seconds (consent.md 8.10). Counting them anew each time would read
every consent there ever was; the row is written in the transaction that writes the version.
"""

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from services.service import Tx


def extent(metadata: MetaData) -> Table:
    """The table, of one row."""
    return Table(
        "extent",
        metadata,
        Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        Column("consents", Integer, nullable=False),
        Column("versions", Integer, nullable=False),
    )


def further(before: int, now: int) -> tuple[int, int]:
    """How many consents and versions more there are, when a consent's newest version was ``before`` and is ``now``.

    ``before``: 0 for a consent that did not count yet.
    """
    return (0 if before else 1, now - before)


def reach(table: Table, consents: int, versions: int, tx: Tx) -> None:
    """There are so many more."""
    insert_or = insert_postgresql if tx.connection.dialect.name == "postgresql" else insert_sqlite
    more = insert_or(table)
    added = {name: table.c[name] + more.excluded[name] for name in ("consents", "versions")}
    more = more.on_conflict_do_update(index_elements=["id"], set_=added)
    tx.execute(more, {"id": 1, "consents": consents, "versions": versions})


def how_far(table: Table, tx: Tx) -> tuple[int, int]:
    """How many consents, and the sum of their newest versions."""
    row = tx.execute(select(table.c.consents, table.c.versions)).first()
    return (row.consents, row.versions) if row else (0, 0)
