"""Every constraint and every guard of the wall is needed: without it, the battery fails. What is not is listed here."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from services.guards import Guard
from services.store import plumbing
from tests.wall.ground import JUSO, SHIEN, TABLES, compared
from tests.wall.rings import Ring, ddl, fill, label
from tests.wall.spoiled import Part, dropped, kinds_of, named, noticed, noticed_in_memory, parts

HELD_TWICE = {
    "disclosure: (commission) REFERENCES commission": "NOT_COMMISSIONED wants a live one, and none is ever removed",
    "seat: (commission) REFERENCES commission": "NOT_COMMISSIONED wants a live one, and none is ever removed",
    "item: CHECK compartment in ('juso', 'shien')": "WRONG_COMPARTMENT lets rows of one compartment in",
    "case_: CHECK compartment in ('juso', 'shien')": "WRONG_COMPARTMENT lets rows of one compartment in",
}
"""What another one refuses, too, and why it stays: it says to whoever reads the schema what the row is."""
EMPTIED = {
    f"{table}: truncate RECORD_IS_KEPT"
    for table in ("consent_version", "consent_agency", "consent_purpose", "consent_member", "commission")
}
"""PostgreSQL empties no table that another refers to without emptying that, too: the register refuses for them."""


def redundant(service: str) -> set[str]:
    names = {part.text for part in parts(TABLES[service])}
    return {text for text in HELD_TWICE if text in names}


@pytest.mark.parametrize("service", TABLES)
def test_the_battery_notices_whatever_sqlite_lacks(service: str) -> None:
    unnoticed = set()
    for part in parts(TABLES[service]):
        if isinstance(part.refuses, Guard) and part.refuses.on == "truncate":
            continue  # SQLite cannot
        if not noticed_in_memory(service, part):
            unnoticed.add(part.text)
    assert unnoticed == redundant(service)


@pytest.fixture
def servers(store_address: str) -> Iterator[Any]:
    """servers(compartment): a store of the server's, of each kind in turn, empty."""
    url = make_url(store_address).set(drivername="postgresql")
    opened = []

    def build() -> Any:
        opened.append(psycopg.connect(url.render_as_string(False), autocommit=True))
        return opened[-1]

    yield build
    for one in opened:
        one.close()


@pytest.mark.parametrize("store_address", ["postgres"], indirect=True)
@pytest.mark.parametrize("service", TABLES)
def test_the_battery_notices_whatever_postgresql_lacks(service: str, servers: Any) -> None:
    rings, metadata = {}, TABLES[service]
    with named(metadata) as known:
        for compartment in (JUSO, SHIEN):
            connection = servers()
            connection.execute(f"create schema {compartment}")
            connection.execute(f"set search_path = {compartment}")
            made = [one for of in (plumbing, metadata) for one in ddl("postgresql", of, compartment)]
            for statement in made:
                connection.execute(statement.replace("public.", f"{compartment}."))
            ring = Ring(connection)
            ring.write(label(service, compartment))
            fill(ring, service, compartment)
            rings[compartment] = Ring(connection, nested=True)
    unnoticed = set()
    for name, part in known.items():
        if not any(noticed_without(name, part, rings[one], service, one) for one in kinds_of(part)):
            unnoticed.add(part.text)
    assert not any(noticed_without("", part, rings[one], service, one) for part in [known["part_0"]] for one in rings)
    assert unnoticed == redundant(service) | EMPTIED


def noticed_without(name: str, part: Part, ring: Ring, service: str, compartment: Any) -> str:
    """Whether the battery fails in a transaction that drops the part first, if it has a name, and is undone."""
    ring.connection.execute("begin")
    try:
        ring.connection.execute(compared())
        if name:
            drop(name, part, ring, compartment)
        return noticed(ring, service, compartment, part)
    finally:
        ring.connection.execute("rollback")


def drop(name: str, part: Part, ring: Ring, compartment: Any) -> None:
    statement = dropped(name, part, compartment)
    ring.connection.execute(statement.replace("public.", f"{compartment}."))
