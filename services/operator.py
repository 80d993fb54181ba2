"""What a person at the command line may ask of the running processes, with the operator's own narrow rights."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import nats
from nats.aio.client import Client
from pydantic import BaseModel

from contracts.directory import Staff, StaffView
from contracts.intake import Sheet, SheetResult, TakeInSheets
from contracts.message import Account, Question
from contracts.office import Officer
from contracts.pulse import Parked, Pulse
from services.bus import ask
from services.provision import Key, read_key
from services.service import AskFailed, Process
from services.settings import Settings

R = TypeVar("R", bound=BaseModel)
CONNECT_SECONDS = 5.0
SHEETS_PER_QUESTION = 25
"""So that one question without an answer leaves few lines in doubt."""
BYTES_PER_QUESTION = 512 * 1024
"""Of JSON: well below the server's largest message. One sheet always fits (MAX_MEMBERS)."""


class NotRunning(Exception):
    """kasane does not run here, or another one does; what to do, in Japanese."""


class NoSuchPerson(Exception):
    """Nobody has this 職員番号; where to look, in Japanese."""


class Operator:
    """Asks in one account at a time."""

    def __init__(self, settings: Settings, clients: dict[Account, Client]) -> None:
        self._settings, self._clients = settings, clients

    async def ask(self, account: Account, question: Question[R], seconds: float = 10.0) -> R:
        """Ask a service of ``account``. Raises AskFailed."""
        return await ask(self._clients[account], question.subject, question, seconds)

    async def staff(self) -> tuple[StaffView, ...]:
        """Everybody who works with this municipality. Raises AskFailed."""
        return (await self.ask(Account.DIRECTORY, Staff())).staff

    async def person(self, text: str) -> StaffView:
        """Who has this 職員番号, or this reference. Raises NoSuchPerson, AskFailed."""
        found = next((one for one in await self.staff() if text in (one.number, str(one.person))), None)
        if found is None:
            raise NoSuchPerson(f"職員番号 {text[:20]} の人はいません。番号は kasane staff で見られます。")
        return found

    async def officer(self, text: str) -> Officer:
        """Who acts at the office of intake, by 職員番号 or reference. Raises NoSuchPerson, AskFailed."""
        who = await self.person(text)
        return Officer(person=who.person, agency=who.agency)

    async def pulses(self, processes: Iterable[Process]) -> list[Pulse | None]:
        """One pulse per process; None where nobody answered in time."""

        async def one(process: Process) -> Pulse | None:
            try:
                message = await self._clients[process.account].request(f"ask.pulse.{process.name}", b"", timeout=2)
                return Pulse.model_validate_json(message.data) if message.data else None
            except (nats.errors.Error, TimeoutError):
                return None

        return list(await asyncio.gather(*(one(process) for process in processes)))

    async def parked(self, processes: Iterable[Process]) -> list[Parked]:
        """What each process put aside. Raises AskFailed when one does not answer."""
        found = []
        for process in processes:
            try:
                message = await self._clients[process.account].request(f"ask.parked.{process.name}", b"", timeout=5)
            except (nats.errors.Error, TimeoutError) as error:
                raise AskFailed(type(error).__name__) from None
            found.append(Parked.model_validate_json(message.data))
        return found

    async def calm(self, processes: Sequence[Process], seconds: float) -> bool:
        """Wait until nobody has had anything to do twice in a row; False when that takes longer than ``seconds``.

        While somebody has, only he is asked: a question to everybody takes time from those who work.
        """
        loop, quiet, asked = asyncio.get_running_loop(), 0, list(processes)
        deadline = loop.time() + seconds
        while quiet < 2:
            if loop.time() > deadline:
                return False
            pulses = await self.pulses(asked)
            busy = [one for one, pulse in zip(asked, pulses, strict=True) if pulse is None or not pulse.calm]
            quiet = quiet + 1 if not busy and len(asked) == len(processes) else 0
            asked = busy[:1] or list(processes)
            await asyncio.sleep(0.1)
        return True

    async def take_in(self, sheets: Sequence[Sheet], dry_run: bool) -> list[SheetResult]:
        """Hand sheets to intake; results in the order of ``sheets``. Raises AskFailed."""
        results: list[SheetResult] = []
        for first, part in portions(sheets):
            answer = await self.ask(Account.INTAKE, TakeInSheets(sheets=part, dry_run=dry_run), seconds=30)
            results += [one.model_copy(update={"index": first + one.index}) for one in answer.results]
        return results


def portions(sheets: Sequence[Sheet]) -> Iterator[tuple[int, tuple[Sheet, ...]]]:
    """The sheets in parts that one question can carry, each with the place of its first."""
    first, size = 0, 0
    for place, sheet in enumerate(sheets):
        more = len(sheet.model_dump_json().encode()) + 1
        if place - first == SHEETS_PER_QUESTION or (place > first and size + more > BYTES_PER_QUESTION - _ENVELOPE):
            yield first, tuple(sheets[first:place])
            first, size = place, 0
        size += more
    if sheets:
        yield first, tuple(sheets[first:])


_ENVELOPE = 64  # bytes of a question without its sheets


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Operator]:
    """Connect to the running kasane of this municipality. Raises NotRunning."""
    url = settings.nats_url or f"nats://127.0.0.1:{settings.nats_port}"
    clients: dict[Account, Client] = {}
    try:
        async with asyncio.timeout(CONNECT_SECONDS):  # nats-py itself would try for ever
            for account in Account:
                clients[account] = await _connect(url, read_key(settings, f"operator@{account}"))
    except (OSError, TimeoutError, nats.errors.Error):
        for client in clients.values():
            await client.close()
        raise NotRunning(
            f"団体コード {settings.municipality} の kasane が動いていません。先に make up で起動してください。"
            "別のポートで動かしているときは、同じ KASANE_NATS_PORT を付けてください。"
        ) from None
    try:
        yield Operator(settings, clients)
    finally:
        for client in clients.values():
            await client.close()


async def _connect(url: str, key: Key) -> Client:
    async def silent(_: Exception) -> None:
        """What matters is raised by the call itself."""

    return await nats.connect(
        url,
        user=key.user,
        password=key.password,
        inbox_prefix=key.inbox,
        connect_timeout=2,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        allow_reconnect=True,
        error_cb=silent,
    )
