"""A world for tests of delivery: a real nats-server, provisioned as in production, and processes inside this loop."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import nats
from nats.aio.client import Client

from contracts.profile import Profile
from contracts.pulse import Pulse
from services.bus import Bus
from services.launcher import PORTS, free_ports, nats_server, open_vault
from services.provision import make_streams, read_key, write_server_config
from services.service import Process
from services.settings import Settings
from services.store import Store

PATIENCE = 20.0
"""Seconds a test waits for an answer of the bus. nats-py's own half second is over when a machine is busy."""


class NatsServer:
    """One server in a folder. Can be killed and started again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self.settings.home / "nats.log", "ab") as log:
            self._process = subprocess.Popen(
                [nats_server(), "-c", str(self.settings.home / "nats.conf")], stdout=log, stderr=log
            )

    def kill(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class World:
    """Start processes, look at their stores, wait until all are calm."""

    def __init__(self, folder: Path, profile: Profile, store_url: str = "") -> None:
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        settings = Settings(var=folder, municipality=profile.municipality, store_url=store_url, **ports)
        self.settings = settings.model_copy(update={"nats_url": f"nats://127.0.0.1:{settings.nats_port}"})
        self.profile = profile
        self.server = NatsServer(self.settings)
        self.buses: dict[str, Bus] = {}
        self._stack = AsyncExitStack()

    async def provision(self, processes: Sequence[Process]) -> None:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        write_server_config(self.settings, processes)
        self.server.start()
        await self.until(self._reachable)
        await make_streams(self.settings, processes, self.settings.nats_url)

    async def _reachable(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.settings.nats_port)
            writer.close()
        except OSError:
            return False
        return True

    async def start(self, process: Process) -> Bus:
        vault = open_vault(process, self.settings) if process.service.seals else None
        address = self.settings.store_address(process.name)
        store = Store(address, process.service, self.profile, process.compartment, vault=vault)
        self.buses[process.name] = bus = Bus(process, self.settings, self.profile, store)
        await bus.__aenter__()
        return bus

    async def stop(self, name: str) -> None:
        bus = self.buses.pop(name)
        await bus.__aexit__(None, None, None)
        bus.store.close()
        if bus.store.vault:
            bus.store.vault.close()

    async def connect(self, user: str) -> Client:
        """A bare connection with one user's rights."""
        key = read_key(self.settings, user)

        async def silent(_: Exception) -> None: ...

        client = await nats.connect(
            self.settings.nats_url, user=key.user, password=key.password, inbox_prefix=key.inbox, error_cb=silent
        )
        self._stack.push_async_callback(client.close)
        return client

    async def calm(self, seconds: float = 20) -> None:
        quiet, pulses = 0, list[Pulse]()

        async def all_calm() -> bool:
            nonlocal quiet
            nonlocal pulses
            pulses = [await bus._pulse(b"") for bus in self.buses.values()]
            quiet = quiet + 1 if all(pulse.calm for pulse in pulses) else 0
            return quiet >= 2

        try:
            await self.until(all_calm, seconds)
        except AssertionError:
            raise AssertionError(f"not calm: {pulses}") from None

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
        """Wait for a condition, with a deadline; never for a time."""
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, "the world did not come to it in time"
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        for name in list(self.buses):
            await self.stop(name)
        await self._stack.aclose()
        if self.server._process:
            self.server.kill()


os.environ.pop("NATS_URL", None)
