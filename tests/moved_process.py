"""One real process with a clock that is ahead, for tests that kill it: python -m tests.moved_process NAME INSTANT."""

import asyncio
import sys
from datetime import UTC, datetime

from services.bus import Bus
from services.launcher import open_vault
from services.processes import PROCESSES
from services.settings import Settings, read_profile
from services.store import Store


async def live(name: str, moment: datetime) -> None:
    """Run the process of this name, whose clock starts at ``moment`` and goes on, until it is killed."""
    settings, process = Settings(), next(one for one in PROCESSES if one.name == name)
    ahead = moment - datetime.now(UTC)
    profile, address = read_profile(settings.profile), settings.store_address(name)
    vault = open_vault(process, settings) if process.service.seals else None
    service, where = process.service, process.compartment
    store = Store(address, service, profile, where, clock=lambda: datetime.now(UTC) + ahead, vault=vault)
    async with Bus(process, settings, profile, store) as bus:
        await bus.failed()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
