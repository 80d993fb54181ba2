"""A reminder's whole way: real bus with provisioned rights, real SMTP, processes that are really killed meanwhile."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from contracts.consent import ConsentState
from contracts.directory import Mailbox, MailboxOf, Staff, StaffList
from contracts.message import Compartment
from services import coordination, notify
from services.service import Process, Service
from tests.coordination.stand_in import COORDINATOR, Ledger, consented, scope_of
from tests.coordination.test_living import ALL, EVERYBODY
from tests.coordination.test_on_the_bus import intake_with
from tests.coordination.test_reminding import person
from tests.notify.outside import Slow, mail_server
from tests.world import World

ROOT = Path(__file__).parent.parent.parent
OPENED = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
LATER = OPENED + timedelta(days=14)
"""A Tuesday, 10:00 in Japan: the referral is to be answered by today (T9)."""
COORDINATION = "coordination@juso"


def directory() -> Service:
    """A directory that knows one person."""
    service = Service("directory", MetaData())
    known = StaffList(staff=(person(COORDINATOR, "shakyo", "officer"),))
    mailbox = Mailbox(address="takahashi@houkatsu.example", name="髙橋 美穂", agency="shakyo")
    service.answers(Staff)(lambda asked, tx: known)
    service.answers(MailboxOf)(lambda asked, tx: mailbox)
    return service


class Victims:
    """Processes of the operating system, each with a clock that is ahead."""

    def __init__(self, world: World) -> None:
        self.world, self.running = world, dict[str, "subprocess.Popen[bytes]"]()

    def start(self, name: str, moment: datetime) -> None:
        settings = self.world.settings
        names = ("var", "municipality", "smtp_port")
        said = {f"KASANE_{one.upper()}": str(getattr(settings, one)) for one in names}
        said |= {"NATS_URL": settings.nats_url, "KASANE_PROFILE": str(ROOT / "examples" / "kobayashi")}
        command = [sys.executable, "-m", "tests.moved_process", name, moment.isoformat()]
        self.running[name] = subprocess.Popen(command, cwd=ROOT, env={"PATH": os.defpath} | said)

    def kill(self, *names: str) -> None:
        for name in names:
            self.running[name].kill()
            self.running.pop(name).wait()

    def column(self, process: str, query: str) -> list[object]:
        path = self.world.settings.home / "stores" / f"{process}.db"
        try:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        except sqlite3.OperationalError:
            return []
        try:
            return [row[0] for row in connection.execute(query)]
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()


@pytest.fixture
def victims(world: World) -> Iterator[Victims]:
    one = Victims(world)
    yield one
    one.kill(*list(one.running))


async def test_killed_while_the_mail_server_thinks_nobody_gets_a_second_mail_that_day(
    world: World, victims: Victims
) -> None:
    now: Callable[[], datetime] = clock_from(OPENED)
    ledger = Ledger(now=lambda: now())
    beside = [Process(intake_with(ledger)), Process(directory())]
    real = [Process(coordination.service, Compartment.JUSO), Process(notify.service)]
    (world.settings.home / "stores").mkdir(parents=True)
    (world.settings.home / "vaults").mkdir(parents=True)
    await world.provision([*beside, *real])
    ledger.key = world.settings.permit_key
    for process in beside:
        (await world.start(process)).store.clock = lambda: now()

    victims.start(COORDINATION, OPENED)
    referral = consented(received_on=OPENED.date())
    facts = (ledger.record(referral, ConsentState.GIVEN, scope_of(referral, *EVERYBODY, purposes=ALL)), referral)
    await world.buses["intake"].tell(lambda tx: facts)

    async def opened() -> bool:
        return len(victims.column(COORDINATION, "select id from case_")) == 1

    await world.until(opened, 60)
    victims.kill(COORDINATION)

    now, slow = clock_from(LATER), Slow()
    async with mail_server(slow, world.settings.smtp_port):
        for name in ("notify", COORDINATION):
            victims.start(name, LATER)

        async def thinking() -> bool:
            return slow.reached.is_set()

        await world.until(thinking, 60)
        victims.kill("notify", COORDINATION)
        slow.go_on.set()
        now = clock_from(LATER)
        for name in ("notify", COORDINATION):
            victims.start(name, LATER)

        async def settled() -> bool:
            return victims.column(COORDINATION, "select state from reminder") == ["sent"]

        await world.until(settled, 60)
        assert len(slow.taken) == 1
    assert victims.column("notify", "select day from reminder") == ["2026-12-08"]


def clock_from(moment: datetime) -> Callable[[], datetime]:
    """A clock that is at ``moment`` now, and goes on."""
    ahead = moment - datetime.now(UTC)
    return lambda: datetime.now(UTC) + ahead
