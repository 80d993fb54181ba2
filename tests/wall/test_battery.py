"""No SQL steps over the wall: the battery, on both engines, through the store's own connection and a second one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from contracts.message import Compartment
from contracts.profile import Profile
from services import meetings
from services.store import Store, StoreRefused, plumbing
from tests.wall.battery import ACCEPTED, KEPT, Try, tries
from tests.wall.ground import JUSO, SHIEN, TABLES, compared, share
from tests.wall.rings import Ring, fill, sqlite_clock
from tests.wall.tricks import DENIED, owner_tricks, postgres_tricks, sqlite_tricks

STORES = [(service, compartment) for service in TABLES for compartment in (JUSO, SHIEN)]


@dataclass
class Walled:
    """A real store with the ground in it, and the ways to attack it."""

    address: str
    store: Store
    compartment: Compartment
    opened: list[Any] = field(default_factory=list)

    @property
    def postgres(self) -> bool:
        return self.address.startswith("postgresql")

    def own(self) -> Ring:
        """Through the store's own connection."""
        connection = self.store.engine.raw_connection().driver_connection
        if self.postgres:
            assert connection is not None
            connection.autocommit = True
        return Ring(connection)

    def second(self) -> Ring:
        """Through another connection: SQLite's with what a store gives it, PostgreSQL's with a service's rights."""
        if self.postgres:
            return Ring(self._keep(psycopg.connect(self._as(self._login()), autocommit=True)))
        connection = self.stranger()
        connection.execute("pragma foreign_keys = 1")
        connection.execute("pragma recursive_triggers = 1")
        sqlite_clock(connection)
        return Ring(connection)

    def stranger(self) -> sqlite3.Connection:
        """Another program that opens the file."""
        path = make_url(self.address).database or ""
        return self._keep(sqlite3.connect(path, isolation_level=None))  # type: ignore[no-any-return]

    def _keep(self, connection: Any) -> Any:
        self.opened.append(connection)
        return connection

    def _as(self, login: str) -> str:
        return make_url(self.address).set(drivername="postgresql", username=login).render_as_string(False)

    def _login(self) -> str:
        """A login that may do to each table what a service does: rows that are kept are read and added only."""
        name = f"svc_{uuid4().hex}"
        owner, database = self.own().connection, make_url(self.address).database
        owner.execute(f"create role {name} login nosuperuser nobypassrls noinherit")
        owner.execute(f"revoke all on database {database} from public")
        owner.execute("revoke create on schema public from public")
        owner.execute(f"grant connect on database {database} to {name}")
        owner.execute(f"grant usage on all sequences in schema public to {name}")
        for table in (*plumbing.sorted_tables, *self.store.service.tables.sorted_tables):
            rights = "select, insert" if table.info.get("append_only") else "select, insert, update, delete"
            owner.execute(f'grant {rights} on "{table.name}" to {name}')
        return name

    def close(self) -> None:
        for one in self.opened:
            one.close()
        self.store.close()


@pytest.fixture(params=STORES, ids=lambda one: f"{one[0]}-{one[1]}")
def walled(request: pytest.FixtureRequest, store_address: str, kobayashi: Profile) -> Iterator[Walled]:
    service, compartment = request.param
    declared = import_module(f"services.{service}").service
    back = [0.0]
    clock = lambda: datetime.now(UTC) - timedelta(seconds=back[0])  # noqa: E731
    one = Walled(store_address, Store(store_address, declared, kobayashi, compartment, clock=clock), compartment)
    fill(one.own(), service, compartment, None if one.postgres else lambda shift: back.__setitem__(0, shift))
    yield one
    one.close()


def wrong(ring: Ring, attempts: list[Try]) -> list[tuple[str, str, str]]:
    """The attempts that met something else than they should have."""
    ring.write([compared()])
    met = ((one, ring.outcome(one)) for one in attempts)
    return [(one.name, one.refusal, outcome) for one, outcome in met if outcome != one.refusal]


def battery(walled: Walled) -> list[Try]:
    return tries(walled.store.service.name, walled.compartment)


def test_the_stores_own_connection_refuses_every_attempt_and_lets_the_right_ones_through(walled: Walled) -> None:
    assert wrong(walled.own(), battery(walled)) == []


def test_a_second_connection_is_refused_the_same(walled: Walled) -> None:
    ring = walled.second()
    met = wrong(ring, battery(walled))
    if walled.postgres:  # for want of a right to change what is kept
        met = [one for one in met if one[1] == ACCEPTED or one[2] != DENIED]
    assert met == []


def test_no_engine_can_be_told_to_look_away(walled: Walled) -> None:
    if walled.postgres:
        assert wrong(walled.second(), postgres_tricks(walled.compartment)) == []
        assert wrong(walled.own(), owner_tricks(walled.compartment)) == []
    else:
        assert wrong(walled.own(), sqlite_tricks(walled.compartment)) == []


@pytest.mark.parametrize("store_address", ["sqlite"], indirect=True)
def test_a_store_in_a_file_is_not_copied_by_a_statement(walled: Walled) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="denied"):
        walled.own().connection.execute("vacuum into 'copy.db'")


def test_what_refuses_a_share_cannot_be_ignored(walled: Walled) -> None:
    """INSERT OR IGNORE says nothing where a CHECK refuses: then nothing may lie there, and all that did still does."""
    hows = ("insert",) if walled.postgres else ("insert or ignore", "insert or replace", "replace")
    end = " on conflict do nothing" if walled.postgres else ""
    ring, kept = walled.own(), "select id, permit, agency, person from disclosure order by id"
    before = ring.connection.execute(kept).fetchall()
    assert before
    for one in battery(walled):
        statements = one.statements()
        if one.refusal == ACCEPTED or len(statements) > 1 or not statements[0].startswith('insert into "disclosure"'):
            continue
        for how in hows:
            ring.connection.execute("begin")
            try:
                ring.connection.execute(statements[0].replace("insert", how, 1) + end)
            except (sqlite3.Error, psycopg.Error):
                pass
            else:
                assert ring.connection.execute(kept).fetchall() == before, (how, one.name)
            finally:
                ring.connection.execute("rollback")


@pytest.mark.parametrize("store_address", ["sqlite"], indirect=True)
def test_another_program_adds_nothing_to_the_register(walled: Walled) -> None:
    """It has not the store's clock; that it checks no references by default helps it nothing."""
    purpose = {} if walled.compartment is JUSO else {"purpose": "sharing"}
    connection = walled.stranger()
    for statement in (share(walled.compartment, **purpose), share(walled.compartment, agency="kikan")):
        with pytest.raises(sqlite3.OperationalError, match="kasane_now"):
            connection.execute(statement)
    with pytest.raises(sqlite3.IntegrityError, match=KEPT):
        connection.execute("delete from disclosure")


def test_the_battery_is_large_and_each_attempt_has_a_name_of_its_own() -> None:
    for service, compartment in STORES:
        attempts = tries(service, compartment)
        assert len({one.name for one in attempts}) == len(attempts) > 60
        assert sum(one.refusal == ACCEPTED for one in attempts) >= 5


@pytest.mark.parametrize("table", ["label", "disclosure", "consent_version", "audit"])
@pytest.mark.parametrize("change", ["replace", "insert or ignore"])
def test_another_program_puts_nothing_into_what_is_kept(
    tmp_path: Path, kobayashi: Profile, table: str, change: str
) -> None:
    """A person with the file and a database browser: no clock of the store, no recursive triggers."""
    store = Store(f"sqlite:///{tmp_path}/one.db", meetings.service, kobayashi, JUSO)
    store.close()
    with closing(sqlite3.connect(tmp_path / "one.db")) as browser:
        before = list(browser.execute(f"select * from {table}"))
        values = ", ".join("'x'" for _ in browser.execute(f"pragma table_info({table})"))
        with pytest.raises(sqlite3.DatabaseError, match="kasane_now"):
            browser.execute(f"{change} into {table} values ({values})")
        assert list(browser.execute(f"select * from {table}")) == before


def test_a_damaged_store_is_called_damaged(tmp_path: Path, kobayashi: Profile) -> None:
    (tmp_path / "one.db").write_bytes(b"SQLite format 3\0" + b"\x07" * 5000)
    with pytest.raises(StoreRefused, match="壊れています"):
        Store(f"sqlite:///{tmp_path}/one.db", meetings.service, kobayashi, JUSO)
