"""A whole municipality in one thread: the real services on real SQLite stores, events and questions handed on at once.

For proofs that need thousands of runs (consent.md 7.1). References come from a seed per process and time from a clock
that stands, so that two runs differ only in what is done. Only the bus and the mail server are left out: who may ask
whom is looked up as the provisioner grants it, messages are written and read as they travel, mails are kept as bytes.
"""

import random
import re
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import Engine

from contracts.message import EVENTS, Account, Compartment, Event, Question
from contracts.profile import Profile
from services.desk.app import build_app
from services.launcher import open_vault
from services.notify import handlers as notify_handlers
from services.provision import make_keys, subjects_of
from services.service import AskFailed, Errand, Process, Tx
from services.settings import Settings
from services.store import Incoming, Outcome, Store

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)
MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""Tuesday, 10:00 in Japan."""
ROUNDS = 60
IDLE = timedelta(minutes=10)
"""In a patient city, after how long an errand runs again that commits wake and none did. On the bus it is a second for
most, which is half of a long proof's work for nothing."""

RARE = timedelta(hours=1)
"""In a patient city, an errand of so rare a time is left to it: wiping files after each commit shows nobody a thing."""


_SIGNATURE = re.compile(rb"DKIM-Signature:.*?\r\n(?![ \t])", re.DOTALL)
_OWN_LINK = re.compile(rb"/reminders/[\w-]{32}")


def as_worded(mail: bytes) -> bytes:
    """A reminder without what is drawn by lot once per person, the link that stops it, and what signs that."""
    read = message_from_bytes(_SIGNATURE.sub(b"", mail))
    if "List-Unsubscribe" not in read:
        return mail
    head = b"\n".join(f"{name}: {said}".encode() for name, said in read.items())
    text = read.get_payload(decode=True)
    assert isinstance(text, bytes)
    return _OWN_LINK.sub(b"/reminders/OWN", head + b"\n\n" + text)


@dataclass(frozen=True)
class Mail:
    """What left the building. ``asker``: the compartment whose notice it was, known to the test alone."""

    recipient: str
    body: bytes
    asker: Compartment | None


@dataclass
class Asked:
    """A question that crossed from one process to another, as the noninterference test replays it."""

    by: str
    question: Question[Any]


class Desk:
    """What an errand, a page or an outside effect works with in this city (services.service.Work)."""

    def __init__(self, city: "City", process: Process) -> None:
        self.city, self.process = city, process
        self.settings, self.profile, self.compartment = city.settings, city.profile, process.compartment

    def now(self) -> datetime:
        return self.city.now

    async def run(self, act: Callable[[Tx], T]) -> T:
        return self.city.stores[self.process.name].write(lambda tx: (act(tx), ()))

    async def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        self.city.stores[self.process.name].write(lambda tx: (None, act(tx)))

    async def compact(self) -> None:
        self.city.stores[self.process.name].compact()

    async def ask(self, question: Question[R], to: Account | None = None) -> R:
        addresses = self.process.addresses(type(question))
        if to is None and len(addresses) == 1:
            (to,) = addresses
        if to not in addresses:
            raise AskFailed("NotAllowed")
        self.city.asked.append(Asked(self.process.name, question))
        return await self.city.answer(to, question)


@dataclass(frozen=True)
class Image:
    """A city at one moment: its stores and vaults in memory, its clock, what it had told, mailed and asked."""

    now: datetime
    databases: dict[str, sqlite3.Connection]
    chance: dict[str, Any]
    ran: dict[tuple[str, str], datetime]
    mails: list[Mail]
    asked: list[Asked]
    stored: dict[Account, list[str]]

    def close(self) -> None:
        """Give back the memory."""
        for one in self.databases.values():
            one.close()


@dataclass
class City:
    """All processes of one municipality. ``folder`` is its own; one that is there already is a city that goes on."""

    folder: Path
    profile: Profile
    processes: Sequence[Process]
    profile_folder: Path
    seed: str = "0"
    now: datetime = MORNING
    patient: bool = False
    """Whether errands run when they are woken or their time has come, as on the bus; else also whenever it settles."""
    mails: list[Mail] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    stored: dict[Account, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Every event body per account, in order: what its stream would hold."""

    def __post_init__(self) -> None:
        self.settings = Settings(var=self.folder, profile=self.profile_folder, municipality=self.profile.municipality)
        fresh = not self.settings.home.exists()
        if fresh:
            self.settings.home.mkdir(parents=True)
            make_keys(self.settings, self.processes)
        self.stores: dict[str, Store] = {}
        self._chance = {process.name: random.Random() for process in self.processes}
        self.begin_step("start")
        self._queues: dict[str, deque[Incoming]] = defaultdict(deque)
        self._changed: set[str] = set()
        self._telling: set[str] = set()
        self._ran: dict[tuple[str, str], datetime] = {}
        self._apps: dict[str, FastAPI] = {}
        self._asking: Compartment | None = None
        for process in self.processes:
            store = self._open(process)
            store.told = partial(self._wake, process.name)
            self.stores[process.name] = store
            if fresh and process.service.start:
                start = process.service.start
                store.write(lambda tx, start=start: (None, start(tx, self.settings) or ()))

    def _open(self, process: Process) -> Store:
        chance = self._chance[process.name]
        vault = open_vault(process, self.settings) if process.service.seals else None
        return Store(
            self.settings.store_address(process.name),
            process.service,
            self.profile,
            process.compartment,
            clock=lambda: self.now,
            ref=lambda: UUID(int=chance.getrandbits(128), version=4),
            vault=vault,
        )

    def begin_step(self, name: str) -> None:
        """Draw references anew for each step, so that what one step draws changes nothing of the next one's."""
        for process, chance in self._chance.items():
            chance.seed(f"{self.seed}/{process}/{name}")

    def _wake(self, name: str, sent: bool) -> None:
        self._changed.add(name)
        if sent:
            self._telling.add(name)

    def close(self) -> None:
        """Give back the files."""
        for store in self.stores.values():
            store.close()
            if store.vault:
                store.vault.close()

    # -- turning back --------------------------------------------------------------------------------------------

    def image(self) -> Image:
        """The city at rest, to be gone back to: a town is made once and lives through thousands of histories."""
        kept = {}
        for name, engine in self._engines():
            kept[name] = sqlite3.connect(":memory:")
            _raw(engine).backup(kept[name])
        chance = {name: one.getstate() for name, one in self._chance.items()}
        stored = {account: list(bodies) for account, bodies in self.stored.items()}
        return Image(self.now, kept, chance, dict(self._ran), list(self.mails), list(self.asked), stored)

    def turn_back(self, image: Image) -> None:
        """Be as the city was: every row, every key, every mail."""
        for name, engine in self._engines():
            image.databases[name].backup(_raw(engine))
        for name, state in image.chance.items():
            self._chance[name].setstate(state)
        self.now, self.mails, self.asked = image.now, list(image.mails), list(image.asked)
        self.stored = defaultdict(list, {account: list(bodies) for account, bodies in image.stored.items()})
        self._ran = dict(image.ran)
        self._queues.clear()
        self._changed.clear()
        self._telling.clear()
        for store in self.stores.values():
            if store.vault:
                store.vault.forget()

    def _engines(self) -> Iterable[tuple[str, Engine]]:
        for name, store in self.stores.items():
            yield name, store.engine
            if store.vault:
                yield f"{name} keys", store.vault.engine

    def work(self, name: str) -> Desk:
        """What the process of this name works with."""
        return Desk(self, next(one for one in self.processes if one.name == name))

    def app(self, name: str) -> FastAPI:
        """The pages of a desk, or the answer window: built once, which takes as long as a hundred pages."""
        if name not in self._apps:
            self._apps[name] = build_app(self.work(name))
        return self._apps[name]

    async def answer(self, account: Account, question: Question[R]) -> R:
        """Ask a service of an account, as the bus would. Raises AskFailed with a class name."""
        name = type(question).subject.split(".")[1]
        for process in self.processes:
            if process.service.name == name and process.account is account:
                break
        else:
            raise AskFailed("NoRespondersError")
        answerer = process.service.answers_to[type(question)]
        asked = type(question).model_validate_json(question.model_dump_json())
        before, self._asking = self._asking, process.compartment or self._asking
        try:
            if answerer.kind == "perform":
                reply = await answerer.act(asked, Desk(self, process))
            else:
                store = self.stores[process.name]
                act = store.write if answerer.kind == "write" else store.read
                reply = act(lambda tx: answerer.act(asked, tx))
        except AskFailed:
            raise
        except Exception as error:
            raise AskFailed(type(error).__name__) from error
        finally:
            self._asking = before
        read: R = type(question).reply_type().model_validate_json(reply.model_dump_json())  # type: ignore[assignment]
        return read

    async def settle(self) -> None:
        """Hand on events and run errands until nobody has anything to do.

        As on the bus, a commit wakes the errands of its process. Errands that keep their own time run between: after
        what has happened, and once more after what they did.
        """
        if not self.patient:
            self._changed.update(self.stores)
            self._ran.clear()
        for _ in range(2):
            await self._rest()
            for process in self.processes:
                await self._run_errands(process, woken=False)
        await self._rest()

    async def _rest(self) -> None:
        for _ in range(ROUNDS):
            if not self._changed and not any(self._queues.values()):
                return
            woken, telling, self._changed, self._telling = self._changed, self._telling, set(), set()
            self._collect(telling)
            self._deliver()
            for process in self.processes:
                if process.name in woken:
                    await self._run_errands(process, woken=True)
        raise AssertionError("the city does not come to rest")

    async def _run_errands(self, process: Process, *, woken: bool) -> None:
        for errand in (one for one in process.service.errands if self._is_due(process, one, woken)):
            self._ran[process.name, errand.name] = self.now
            before, self._asking = self._asking, process.compartment
            try:
                await errand.act(Desk(self, process))
            except AskFailed:
                pass
            finally:
                self._asking = before

    def _is_due(self, process: Process, errand: Errand, woken: bool) -> bool:
        if not self.patient:
            return errand.woken is woken
        if woken:
            return errand.woken and timedelta(seconds=errand.every) < RARE
        ran = self._ran.get((process.name, errand.name))
        every = max(timedelta(seconds=errand.every), IDLE if errand.woken else timedelta())
        return ran is None or self.now - ran >= every

    def _collect(self, names: set[str]) -> None:
        for process in (one for one in self.processes if one.name in names):
            store = self.stores[process.name]
            sent: list[int] = []
            while rows := store.unsent(500, sent):
                for row in rows:
                    self.stored[row.account].append(f"{row.subject} {row.body}")
                    for reader in self.processes:
                        if reader.account is row.account and row.subject in subjects_of(reader):
                            event = EVENTS[row.subject].model_validate_json(row.body)
                            self._queues[reader.name].append(Incoming(row.id, event))
                sent = [row.position for row in rows]

    def _deliver(self) -> None:
        for name, queue in self._queues.items():
            late: list[Incoming] = []
            while queue:
                one = queue.popleft()
                if self.stores[name].react([one])[0] is Outcome.LATER:
                    late.append(Incoming(one.id, one.event, one.tries + 1))
            queue.extend(late)

    def pass_time(self, **how_long: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(**how_long)

    # -- the mail server -----------------------------------------------------------------------------------------

    def catch_mail(self, monkeypatch: Any) -> None:
        """Let notify hand its mails to this city instead of a server."""
        monkeypatch.setattr(notify_handlers, "mailer", lambda work, office: _Catcher(work.city))


class _Catcher:
    """Takes every mail at once, as a quick server would."""

    def __init__(self, city: City) -> None:
        self.city = city

    async def send(self, sender: str, recipient: str, mail: bytes, *rest: Any, **more: Any) -> str:
        self.city.mails.append(Mail(recipient, mail, self.city._asking))
        return ""


def _raw(engine: Engine) -> sqlite3.Connection:
    """SQLite's own connection, of which a store has only one."""
    with engine.connect() as connection:
        found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found
