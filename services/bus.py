"""One process on the bus: events in, questions answered and asked, errands run, the outbox relayed.

The store is the truth, the bus only carries. An event is acknowledged after the transaction that handled it has
committed; what that transaction tells lies in its outbox until the stream has it. All work on the store is done by
one thread, batch by batch, because the commit is what costs (bus.md).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import nats.errors
from faststream.nats import NatsBroker
from faststream.security import SASLPlaintext
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from contracts.message import EVENTS, Account, Event, Question
from contracts.profile import Profile
from contracts.pulse import Parked, Pulse
from services.provision import STREAM, Key, accounts_of, read_audit_key, read_key, subjects_of
from services.pull import Untouched, pull
from services.relay import Relay
from services.service import Answerer, AskFailed, Errand, Process, Tx, Work
from services.settings import Settings
from services.store import Incoming, Outcome, Store

log = logging.getLogger("kasane")
T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)

ASK_SECONDS = 10.0
CHECKPOINT_EVERY, CHECKPOINT_AGAIN = timedelta(hours=1), timedelta(minutes=5)
CHECKPOINT_LOOK_SECONDS = 60.0
"""How often a process without commits looks whether its log is to be signed."""
STOP_SECONDS = 10.0
"""How long a stop waits for answers under way; a mail server may take minutes, and a mail cut off is sent again."""


class BusBroken(Exception):
    """What this process reads from is gone. It ends, so that its supervisor notices; the text says what to do."""


class Bus:
    """Runs one process: ``async with Bus(...)`` until it is left. Nothing of it knows what a message means."""

    def __init__(self, process: Process, settings: Settings, profile: Profile, store: Store) -> None:
        self.process, self.settings, self.profile, self.store = process, settings, profile, store
        self.compartment = process.compartment
        self._key: Key = read_key(settings, process.name)
        self._audit_key = read_audit_key(settings, process.name)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._wakers: list[asyncio.Event] = []
        self._relays: list[asyncio.Event] = []
        self._busy = 0
        self._answering = asyncio.Semaphore(64)
        self._answers: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(2)
        self._handling: set[asyncio.Task[None]] = set()
        self._broken = asyncio.Event()

    async def __aenter__(self) -> "Bus":
        self._stack = await AsyncExitStack().__aenter__()
        loop = asyncio.get_running_loop()
        self.store.told = lambda sent: _soon(loop, partial(self._wake, sent=sent))
        self._broker = self._make_broker()
        self._pulling = None
        if subjects_of(self.process):
            durable = self.process.service.name  # renaming a service would replay the log to it
            self._pulling = pull(self._broker, STREAM, durable, self._key.inbox, self._take, self._broken.set)
        await self._broker.start()
        self._stack.push_async_callback(self._close)
        self._client: Client = self._broker.connection
        await self._answer_questions()
        source = f"/{self.settings.municipality}/{self.process.service.name}"
        self._tasks = []
        for account in accounts_of(self.process):
            relay = Relay(self.process, account, self.store, self._client, self._in_store, source)
            self._tasks.append(asyncio.create_task(relay.run(self._waker(self._relays)), name=f"relay to {account}"))
        self._tasks.append(asyncio.create_task(self._until_broken(), name="broken"))
        self._tasks.append(asyncio.create_task(self._sign_audit_log(self._waker()), name="checkpoint"))
        for errand in self.process.service.errands:
            self._tasks.append(asyncio.create_task(self._run_errand(errand, self._waker()), name=errand.name))
        if self.process.service.serve:
            self._tasks.append(asyncio.create_task(_serve(self.process.service.serve, self), name="serve"))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def failed(self) -> None:
        """Returns, or raises what happened, as soon as a part that should run for ever has ended."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if self._broken.is_set():
            raise BusBroken("ストリームかその読み手がありません。kasane provision --streams で作り直してください。")

    async def _until_broken(self) -> None:
        await self._broken.wait()

    # -- what errands may do (services.service.Work) -------------------------------------------------------------

    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.store.clock()

    async def run(self, act: Callable[[Tx], T]) -> T:
        """One write transaction."""
        return await self._in_store(self.store.write, lambda tx: (act(tx), ()))

    async def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        """One write transaction, and the events it returns."""
        await self._in_store(self.store.write, lambda tx: (None, act(tx)))

    async def compact(self) -> None:
        """Take what was deleted out of the store's files."""
        await self._in_store(self.store.compact)

    async def ask(self, question: Question[R], to: Account | None = None) -> R:
        """Ask and wait for the answer. Raises AskFailed with a class name, never with content."""
        addresses = self.process.addresses(type(question))
        if to is None and len(addresses) == 1:
            (to,) = addresses
        if to not in addresses:
            raise AskFailed("NotAllowed")
        return await ask(self._client, addresses[to], question)

    # -- events in -----------------------------------------------------------------------------------------------

    def _make_broker(self) -> NatsBroker:
        return NatsBroker(
            self.settings.nats_url,
            security=SASLPlaintext(self._key.user, self._key.password),
            name=self.process.name,
            inbox_prefix=self._key.inbox,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=5,
            error_cb=_log_class,
            codec=Untouched(),
            graceful_timeout=15,
            logger=None,  # its records carry message bodies
        )

    async def _take(self, batch: Sequence[Msg]) -> None:
        """Hand a batch to the store and let the next one be fetched meanwhile; at most two are under way."""
        await self._room.acquire()
        self._busy += 1
        task = asyncio.create_task(self._handle(batch))
        self._handling.add(task)
        task.add_done_callback(self._handled)

    def _handled(self, task: "asyncio.Task[None]") -> None:
        self._handling.discard(task)
        self._busy -= 1
        self._room.release()
        if not task.cancelled() and (error := task.exception()):
            log.warning("a batch was not handled and comes again: %s", type(error).__name__)

    async def _handle(self, batch: Sequence[Msg]) -> None:
        read = [(one, incoming) for one in batch if (incoming := await self._read(one)) is not None]
        if not read:
            return
        outcomes = await self._in_store(self.store.react, [incoming for _, incoming in read])
        for (one, incoming), outcome in zip(read, outcomes, strict=True):
            if outcome is Outcome.DONE:
                await one.ack()
            else:
                await one.nak(delay=_delay(incoming.tries))

    async def _read(self, one: Msg) -> Incoming | None:
        """The event, or None when nobody could ever read it: then it is parked here and now."""
        headers, tries = one.headers or {}, one.metadata.num_delivered
        try:
            event_id = UUID(headers.get("ce-id", ""))
        except ValueError:
            event_id = uuid5(NAMESPACE_URL, f"{self.process.name}/{one.metadata.sequence.stream}")
        try:
            event = EVENTS[one.subject].model_validate_json(one.data)
            self.process.service.reactions[type(event)]
        except (ValidationError, KeyError) as error:
            await self._in_store(self.store.park, event_id, one.subject, type(error).__name__, tries)
            await one.ack()
            return None
        return Incoming(event_id, event, tries)

    # -- questions -----------------------------------------------------------------------------------------------

    async def _answer_questions(self) -> None:
        for question, answerer in self.process.service.answers_to.items():
            if self.process.account in question.answered_in:
                await self._subscribe(question.subject, _answering(self, question, answerer))
        await self._subscribe(f"ask.pulse.{self.process.name}", self._pulse)
        await self._subscribe(f"ask.parked.{self.process.name}", self._parked)

    async def _subscribe(self, subject: str, answer: Callable[[bytes], Awaitable[BaseModel]]) -> None:
        async def take(message: Msg) -> None:
            task = asyncio.create_task(self._respond(message, answer))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

        await self._client.subscribe(subject, queue=self.process.service.name, cb=take)

    async def _respond(self, message: Msg, answer: Callable[[bytes], Awaitable[BaseModel]]) -> None:
        if not message.reply.startswith(("_INBOX_", "_R_.")):
            return  # an answer sent wherever the asker likes would lend him our rights
        async with self._answering:
            try:
                body, headers = (await answer(message.data)).model_dump_json().encode(), None
            except Exception as error:  # whatever it was, the asker is told its class, and nobody its content
                log.warning("question %s failed: %s", message.subject, type(error).__name__)
                body, headers = b"", {"Kasane-Error": type(error).__name__}
        if len(body) > self._client.max_payload:
            log.warning("the answer to %s is too large", message.subject)
            body, headers = b"", {"Kasane-Error": "TooLarge"}
        with suppress(nats.errors.Error):
            await self._client.publish(message.reply, body, headers=headers)

    async def _pulse(self, _: bytes) -> Pulse:
        outbox, parked, undone, tally = await self._in_store(self.store.counts)
        unread = 0
        if subjects_of(self.process):
            info = await self._client.jetstream().consumer_info(STREAM, self.process.service.name)
            unread = (info.num_pending or 0) + (info.num_ack_pending or 0)
        calm = not (outbox or undone or unread or self._busy)
        return Pulse(
            process=self.process.name,
            unread=unread,
            outbox=outbox,
            parked=parked,
            undone=undone,
            calm=calm,
            tally=tally,
        )

    async def _parked(self, _: bytes) -> Parked:
        return Parked(process=self.process.name, events=tuple(await self._in_store(self.store.list_parked)))

    # -- errands, and the thread of the store --------------------------------------------------------------------

    async def _run_errand(self, errand: Errand, woken: asyncio.Event) -> None:
        """Run an errand after each commit and every so often. A failure is tried again; it never ends the process."""
        failures = 0
        while True:
            woken.clear()
            self._busy += 1
            try:
                await errand.act(self)
                failures = 0
            except AskFailed:
                failures += 1
            except Exception as error:
                failures += 1
                log.warning("errand %s failed: %s", errand.name, type(error).__name__)
            finally:
                self._busy -= 1
            if failures:
                await asyncio.sleep(_delay(failures))
            else:
                await _wait(woken if errand.woken else asyncio.Event(), errand.every)

    async def _sign_audit_log(self, woken: asyncio.Event) -> None:
        """A checkpoint at the start, for what a crash left unsigned, then hourly while something is recorded."""
        due = self.store.clock()
        while True:
            woken.clear()
            if self.store.clock() >= due:
                signed = await self._checkpoint()
                due = self.store.clock() + (CHECKPOINT_EVERY if signed else CHECKPOINT_AGAIN)
            await _wait(woken, CHECKPOINT_LOOK_SECONDS)

    async def _checkpoint(self) -> bool:
        try:
            await self._in_store(self.store.checkpoint, self._audit_key)
        except Exception as error:  # a log that does not fit or a store that is away ends nobody's work
            log.error("the audit log was not signed: %s", type(error).__name__)
            return False
        return True

    async def _in_store(self, act: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, *values)

    def _waker(self, among: list[asyncio.Event] | None = None) -> asyncio.Event:
        wakers = self._wakers if among is None else among
        wakers.append(asyncio.Event())
        return wakers[-1]

    def _wake(self, *, sent: bool) -> None:
        """After a commit: who looks for work of his own, and the relays if there is something for them."""
        for waker in (*self._wakers, *(self._relays if sent else ())):
            waker.set()

    async def _close(self) -> None:
        """Stop taking, finish what is being handled, then leave. What is cut off comes again."""
        await end(self._tasks)
        if self._pulling:
            await self._pulling.stop()
        if under_way := {*self._answers, *self._handling}:
            _, slow = await asyncio.wait(under_way, timeout=STOP_SECONDS)
            await end(slow)
        with suppress(nats.errors.Error, TimeoutError):
            await asyncio.wait_for(self._broker.stop(), 15)
        await self._checkpoint()
        self.store.told = lambda sent: None
        self._thread.shutdown()


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: until Python 3.12 a wait_for whose future is ready at the same moment swallows the cancellation,
    and its task goes on for ever. A commit while a process stops wakes many.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=0.5)
        for task in done:
            if not task.cancelled():
                task.exception()  # looked at, so that nobody is warned of it


async def ask(client: Client, address: str, question: Question[R], seconds: float = ASK_SECONDS) -> R:
    """Ask on a connection. Raises AskFailed: NoRespondersError, TimeoutError, or the other side's error class."""
    try:
        answer = await client.request(address, question.model_dump_json().encode(), timeout=seconds)
    except (nats.errors.Error, TimeoutError) as error:
        raise AskFailed(type(error).__name__) from None
    if answer.headers and "Kasane-Error" in answer.headers:
        raise AskFailed(answer.headers["Kasane-Error"])
    reply: R = type(question).reply_type().model_validate_json(answer.data)  # type: ignore[assignment]
    return reply


def _answering(bus: Bus, question: type[Question[Any]], answerer: Answerer) -> Callable[[bytes], Awaitable[BaseModel]]:
    async def answer(body: bytes) -> BaseModel:
        asked = question.model_validate_json(body)
        if answerer.kind == "perform":
            performed: BaseModel = await answerer.act(asked, bus)
            return performed
        act = bus.store.write if answerer.kind == "write" else bus.store.read
        replied: BaseModel = await bus._in_store(act, lambda tx: answerer.act(asked, tx))
        return replied

    return answer


async def _serve(serve: Callable[[Work], Awaitable[None]], work: Work) -> None:
    await serve(work)


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for could swallow a cancellation, see end()
            await woken.wait()


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(act)


def _delay(tries: int) -> float:
    """Seconds until the next try: doubling from a quarter of a second to half a minute, with jitter.

    The delay is ours to give: a plain NAK comes back at once, and the consumer's own backoff does not cover it.
    """
    return min(30.0, 0.25 * 2.0 ** min(tries - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


async def _log_class(error: Exception) -> None:
    log.warning("bus: %s", type(error).__name__)
