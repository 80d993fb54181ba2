"""``kasane up``: the NATS server, the local mailbox and all processes of one municipality under one launcher.

One import, then a fork per process: memory and start-up are shared, rights are not. Each child reads only its own
key file and opens only its own store. This is one operating system user all the same; where the wall must hold
against a hostile process, run each in a container or under a user of its own (compose.yaml).
"""

import asyncio
import ctypes
import fcntl
import gc
import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from services import logs, postbox, refusals
from services.bus import Bus, end
from services.probes import Reaches, check
from services.provision import make_streams, write_server_config
from services.service import Process
from services.settings import LOOPBACK, Settings, read_profile
from services.store import Store, StoreRefused
from services.vault import Vault, VaultRefused

log = logging.getLogger("kasane")
PORTS = ("nats_port", "desk_juso_port", "desk_shien_port", "window_port", "smtp_port", "mail_in_port")
"""The settings that say where something listens."""
READY_SECONDS = 60
STOP_SECONDS = 20
PROBE_SECONDS = 3600.0
"""How often a running process tries again whether it reaches what it must not."""
STEADY_SECONDS = 30
"""A process that ran this long starts again without a delay."""


class CannotStart(Exception):
    """Why the product does not start and what to do, in Japanese."""


async def run_process(
    process: Process,
    settings: Settings,
    ready: Callable[[], None],
    signals: Sequence[signal.Signals] = (signal.SIGTERM,),
    probe_seconds: float = PROBE_SECONDS,
) -> None:
    """Run one process until one of ``signals``.

    Raises Reaches, what Store and Vault refuse, ProfileInvalid, FileNotFoundError (no key).
    """
    stopping = asyncio.Event()
    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    living = asyncio.create_task(_live(process, settings, ready, probe_seconds))
    ending = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((living, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        if not living.done():
            await end([living])
        with suppress(asyncio.CancelledError):
            try:
                await living
            except (Reaches, StoreRefused, VaultRefused) as refusal:
                with suppress(OSError):  # the refusal itself is what has to be heard
                    refusals.note(process, settings, refusal, datetime.now(UTC))
                raise


def open_vault(process: Process, settings: Settings) -> Vault:
    """The process's key store. Raises VaultRefused, and FileNotFoundError when nothing was provisioned."""
    kek = settings.kek_path(process.name).read_bytes()
    return Vault(settings.vault_address(process.name), kek, f"{settings.municipality}/{process.name}")


async def _live(process: Process, settings: Settings, ready: Callable[[], None], probe_seconds: float) -> None:
    """Until cancelled, also while the server does not answer yet, or until a part of it fails."""
    profile = read_profile(settings.profile)
    if found := await check(process, settings):
        raise Reaches(process, found)
    vault = open_vault(process, settings) if process.service.seals else None
    address = settings.store_address(process.name)
    store = Store(address, process.service, profile, process.compartment, vault=vault)
    try:
        refusals.enter(process, settings, store)
        if process.service.start:
            start = process.service.start
            store.write(lambda tx: (None, start(tx, settings) or ()))
        async with Bus(process, settings, profile, store) as bus:
            ready()
            parts = [asyncio.create_task(one) for one in (bus.failed(), _probe(process, settings, probe_seconds))]
            try:
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                for part in done:
                    part.result()
            finally:
                for part in parts:
                    part.cancel()
    finally:
        store.close()
        if vault:
            vault.close()


async def _probe(process: Process, settings: Settings, seconds: float) -> None:
    """Raises Reaches as soon as a right has appeared that must not be."""
    while True:
        await asyncio.sleep(seconds)
        try:
            found = await check(process, settings)
        except Exception as error:  # what could not be tried is no finding
            log.warning("probes failed: %s", type(error).__name__)
            continue
        if found:
            reaches = Reaches(process, found)
            log.error("reaches what it must not: %s", reaches.classes)
            raise reaches


@dataclass
class Child:
    """A process to keep alive. ``start`` returns a process id."""

    name: str
    start: Callable[[], int]
    pid: int = 0
    since: float = 0.0
    failures: int = 0
    due: float = 0.0
    ready: bool = False


@dataclass
class Launcher:
    """Starts everything, restarts what dies, stops it in order."""

    settings: Settings
    processes: Sequence[Process]
    say: Callable[[str], None] = print
    children: dict[str, Child] = field(default_factory=dict)
    stopping: bool = False
    started: bool = False

    def start(self) -> None:
        """Start all and wait until all are ready. Raises CannotStart."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "stopping", True))
        self._check_place()
        self._check_ports()
        self._fork_once("provision", lambda: self._provision_config())
        if not self.settings.nats_url:
            self._keep("nats-server", self._start_nats)
            self.settings = self.settings.model_copy(update={"nats_url": f"nats://127.0.0.1:{self.settings.nats_port}"})
        self._fork_once("streams", lambda: self._provision_streams())
        gc.freeze()  # the children share what is loaded now, and their collectors leave it alone
        if self.settings.smtp_host in LOOPBACK:
            self._keep("postbox", lambda: self._fork("postbox", self._run_postbox))
        for process in self.processes:
            self._keep(process.name, partial(self._fork, process.name, partial(self._run, process)))
        self._wait_until(lambda: all(child.ready for child in self.children.values()), READY_SECONDS)
        self.started = True

    def supervise(self) -> None:
        """Keep everything running until a signal asks to stop."""
        while not self.stopping:
            self._tend()
            time.sleep(0.1)

    def stop(self) -> None:
        """Processes first, the bus and the mailbox last, so that what is under way can be finished."""
        self.stopping = True
        last = [name for name in ("postbox", "nats-server") if name in self.children]
        self._end([name for name in self.children if name not in last])
        self._end(last)
        if self.children:  # else another launcher's file lies there
            (self.settings.home / "pids.json").unlink(missing_ok=True)

    # -- children ------------------------------------------------------------------------------------------------

    def _keep(self, name: str, start: Callable[[], int]) -> None:
        self.children[name] = child = Child(name, start)
        self._begin(child)

    def _begin(self, child: Child) -> None:
        child.pid, child.since, child.due = child.start(), time.monotonic(), 0.0
        pids = {name: one.pid for name, one in self.children.items() if one.pid}
        draft = self.settings.home / "pids.json.new"
        draft.write_text(json.dumps(pids))
        draft.replace(self.settings.home / "pids.json")

    def _tend(self) -> None:
        """Notice what died and start again what is due: at once after a steady run, later after a quick death."""
        now = time.monotonic()
        while (ended := _reap()) is not None:
            child = next((one for one in self.children.values() if one.pid == ended), None)
            if child is None:
                continue
            child.failures = 0 if now - child.since > STEADY_SECONDS else child.failures + 1
            child.pid, child.ready = 0, False
            child.due = now + (min(10.0, 0.1 * 2**child.failures) if child.failures else 0.0)
            self.say(f"{child.name} が終了しました。起動し直します。")
            if self.started and self._refusal(child.name).exists():
                self._refusal(child.name).unlink()
                self._mend_streams()
        for child in self.children.values():
            if not child.pid and child.due <= now and not self.stopping:
                self._begin(child)

    def _wait_until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and not self.stopping:
            self._tend()
            for name in self.children:
                if self._refusal(name).exists():
                    raise CannotStart(self._refusal(name).read_text("utf-8"))
            failing = [child.name for child in self.children.values() if child.failures > 3]
            if failing or time.monotonic() > deadline:
                waiting = failing or [child.name for child in self.children.values() if not child.ready]
                logs = self.settings.home / "log"
                raise CannotStart(f"{'、'.join(waiting)} が起動しません。{logs} の記録を確かめてください。")
            for child in self.children.values():
                child.ready = child.ready or (self.settings.home / "run" / f"{child.name}.{child.pid}").exists()
            time.sleep(0.02)

    def _end(self, names: Sequence[str]) -> None:
        waiting = {self.children[name].pid for name in names if self.children[name].pid}
        for pid in waiting:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while waiting and time.monotonic() < deadline:
            ended = _reap()
            waiting.discard(ended or 0)
            if ended is None:
                time.sleep(0.02)
        for pid in waiting:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # -- what a child does ---------------------------------------------------------------------------------------

    def _fork(self, name: str, act: Callable[[Callable[[], None]], None]) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            _die_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(
                signal.SIGINT, signal.SIG_IGN
            )  # Ctrl-C reaches the whole group; the launcher decides the order
            self._log_to(name)
            mark = self.settings.home / "run" / f"{name}.{os.getpid()}"
            act(mark.touch)
            code = 0
        except BaseException as error:
            # The text of our own refusals is written for people; of anything else only the class is kept.
            text = str(error) if type(error).__module__.startswith("services.") else ""
            logging.getLogger("kasane").error("%s ended: %s %s", name, type(error).__name__, text)
            if text:
                self._refusal(name).write_text(text, "utf-8")
        finally:
            os._exit(code)

    def beside(self, act: Callable[[], None]) -> None:
        """Do something in a child that speaks to the screen, and wait for it: the launcher itself stays without keys
        and threads, so that it can fork for as long as it lives."""
        pid = os.fork()
        if not pid:
            try:
                act()
            finally:
                sys.stdout.flush()
                os._exit(0)
        os.waitpid(pid, 0)

    def _fork_once(self, name: str, act: Callable[[], None]) -> None:
        """Do something in a child and wait for it, so that no secret it handles stays in the launcher's memory."""
        pid = self._fork(name, lambda ready: act())
        _, status = os.waitpid(pid, 0)
        if status:
            raise CannotStart(
                f"準備({name})に失敗しました。{self.settings.home / 'log' / name}.log を確かめてください。"
            )

    def _run(self, process: Process, ready: Callable[[], None]) -> None:
        asyncio.run(run_process(process, self.settings, ready))

    def _run_postbox(self, ready: Callable[[], None]) -> None:
        settings = self.settings
        asyncio.run(
            _until_terminated(postbox.serve(settings.home / "mail", settings.smtp_host, settings.smtp_port, ready))
        )

    def _provision_config(self) -> None:
        write_server_config(self.settings, self.processes)

    def _mend_streams(self) -> None:
        """Make again what a process missed on the bus; when that fails it dies and asks again."""
        with suppress(CannotStart):
            self._fork_once("streams", lambda: self._provision_streams(5))

    def _provision_streams(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                asyncio.run(make_streams(self.settings, self.processes, self.settings.nats_url))
                return
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _start_nats(self) -> int:
        binary, config = nats_server(), str(self.settings.home / "nats.conf")
        pid = os.fork()
        if not pid:
            try:
                _die_with_parent()
                os.setsid()  # Ctrl-C reaches the whole group; the server is to go last
                self._log_to("nats-server")
                os.execv(binary, [binary, "-c", config])  # noqa: S606 - our own binary
            finally:
                os._exit(1)
        (self.settings.home / "run" / f"nats-server.{pid}").touch()
        return pid

    # -- checks --------------------------------------------------------------------------------------------------

    def _check_place(self) -> None:
        os.umask(0o077)
        read_profile(self.settings.profile)
        home = self.settings.home
        try:
            for folder in ("log", "run", "mail", "stores", "vaults"):
                (home / folder).mkdir(parents=True, exist_ok=True)
            self._lock = open(home / "lock", "w")  # noqa: SIM115 - held as long as the launcher lives
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for mark in (home / "run").iterdir():
                mark.unlink()
        except BlockingIOError:
            raise CannotStart(f"{home} は動いている kasane が使っています。先に止めてください。") from None
        except OSError as error:
            raise CannotStart(
                f"{home} に書き込めません({error.strerror})。"
                "フォルダーの権限を確かめるか、--var で別の場所を指定してください。"
            ) from None

    def _check_ports(self) -> None:
        settings = self.settings
        ports = {
            "KASANE_WINDOW_PORT": settings.window_port,
            "KASANE_DESK_JUSO_PORT": settings.desk_juso_port,
            "KASANE_DESK_SHIEN_PORT": settings.desk_shien_port,
            "KASANE_MAIL_IN_PORT": settings.mail_in_port,
        }
        if settings.smtp_host in LOOPBACK:
            ports["KASANE_SMTP_PORT"] = settings.smtp_port
        if not settings.nats_url:
            ports["KASANE_NATS_PORT"] = settings.nats_port
        for variable, port in ports.items():
            if list(ports.values()).count(port) > 1:
                raise CannotStart(
                    f"ポート {port} を二つのものに割り当てています。{variable} を別の番号にしてください。"
                )
            with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((settings.host, port))
                except OSError:
                    raise CannotStart(
                        f"ポート {port} は使われています。"
                        f"使っているものを止めるか、{variable}=別の番号 を付けて起動してください。"
                    ) from None

    def _refusal(self, name: str) -> Path:
        """Where a child leaves the sentence that says why it does not start."""
        return self.settings.home / "run" / f"{name}.refusal"

    def _log_to(self, name: str) -> None:
        path = self.settings.home / "log" / f"{name}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        logs.set_up()


def nats_server() -> str:
    """The server binary: the one of the wheel in this environment, else one on the path. Raises CannotStart."""
    found = shutil.which("nats-server", path=f"{sysconfig.get_path('scripts')}:{Path(sys.executable).parent}")
    if not (found := found or shutil.which("nats-server")):
        raise CannotStart("nats-server が見つかりません。make up で入れ直すか、NATS_URL を指定してください。")
    return found


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that are free now. Held open together, so that no two are the same.

    Below those that systems lend to outgoing connections (32768 and up on Linux), which could take one before its
    server does; drawn by chance, so that two that look at once hardly choose the same.
    """
    chance, sockets = random.SystemRandom(), list[socket.socket]()
    try:
        while len(sockets) < count:
            one = socket.socket()
            try:
                one.bind(("127.0.0.1", chance.randrange(10_240, 32_768)))
            except OSError:
                one.close()
            else:
                sockets.append(one)
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


async def _until_terminated(serving: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(serving)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _reap() -> int | None:
    try:
        pid, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return pid or None


def _die_with_parent() -> None:
    """Ask Linux to end this process when the launcher ends, however that ends. Elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
