"""FastStream's pull subscriber as a service needs it: whole batches, untouched, at once, and never lost on the way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import nats.errors
from faststream import AckPolicy
from faststream._internal.parser import DefaultCodec
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.subscriber.usecases.stream_pull_subscriber import BatchPullStreamSubscriber
from faststream.types import DecodedMessage
from nats.aio.msg import Msg
from nats.js.errors import Error as JetStreamError

log = logging.getLogger("kasane")

BATCH = 200
"""Events per transaction at most. Larger ones gain little more and cost more to do again."""
FETCH_SECONDS = 2.0
"""How long an idle process lingers for an event before it asks the server again."""
FETCH_FAILURES = 10
"""Failures in a row, a second apart, after which the process gives up: a consumer that is gone does not come back."""
GATHER_SECONDS = 0.004
"""How long the first event of a batch waits for company."""


class Untouched(DefaultCodec):
    """Hands bodies on as they came: an event is read once, by its own model, and one bad body spoils no batch."""

    async def decode_batch(self, msg: StreamMessage[Sequence[Msg]]) -> list[DecodedMessage]:
        """The bytes of each message."""
        return [one.data for one in msg.raw_message]

    async def encode_batch(self, msgs: Sequence[Any], serializer: Any = None) -> list[tuple[bytes, str | None]]:
        """Never used: the relay publishes without FastStream."""
        return [await self.encode(one, serializer) for one in msgs]


class Prompt:
    """A pull subscription whose fetch returns as soon as there is something, and never lets go of what it has.

    nats-py's fetch(n) lingers until n messages came or the time is over: an event alone would wait a whole period on
    every hop. And it may raise the bare TimeoutError, which FastStream 0.7.8 does not expect: its task dies there with
    the messages it had gathered, and they come again only after the acknowledgement wait (30 s). Measured: one run in
    four of three events lost them so. To be removed when both are mended upstream.
    """

    def __init__(self, pulling: Any, broken: Callable[[], None]) -> None:
        self._pulling, self._broken = pulling, broken
        self._short = False
        self._failures = 0

    async def fetch(self, batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109 - as the wrapped one is called
        """One to ``batch`` messages. FastStream asks again for the rest; a short batch is then cut off at once."""
        if self._short:
            self._short = False
            raise nats.errors.TimeoutError
        try:
            messages: list[Msg] = await self._pulling.fetch(1, timeout)
            self._failures = 0
        except TimeoutError:
            raise nats.errors.TimeoutError from None
        except (nats.errors.Error, JetStreamError) as error:
            await self._bear(error)
            raise nats.errors.TimeoutError from None
        with suppress(TimeoutError, nats.errors.Error, JetStreamError):
            messages += await self._pulling.fetch(batch - 1, GATHER_SECONDS)
        self._short = len(messages) < batch
        return messages

    async def _bear(self, error: Exception) -> None:
        """Without this a missing consumer is asked for without a pause and without a word (bus-detail.md 2.3, 9)."""
        self._failures += 1
        log.warning("nothing can be fetched: %s", type(error).__name__)
        if self._failures >= FETCH_FAILURES:
            self._broken()
        await asyncio.sleep(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pulling, name)


class PromptSubscriber(BatchPullStreamSubscriber):
    """FastStream's batch subscriber on a Prompt subscription. ``broken`` is called when nothing can be pulled."""

    broken: Callable[[], None]

    async def _create_subscription(self) -> None:
        await super()._create_subscription()
        self.subscription = Prompt(self.subscription, self.broken)  # type: ignore[assignment]  # before its task first runs


def pull(
    broker: NatsBroker,
    stream: str,
    durable: str,
    inbox: str,
    take: Callable[[Sequence[Msg]], Awaitable[None]],
    broken: Callable[[], None],
) -> PromptSubscriber:
    """Have ``take`` given batch after batch of the consumer's events. It acknowledges each message itself."""

    async def on_batch(bodies: list[bytes], message: NatsMessage) -> None:
        await take(message.raw_message)  # type: ignore[arg-type]  # a list, in batch mode

    subscriber: Any = broker.subscriber(
        "kasane.>",
        stream=JStream(stream, declare=False),
        durable=durable,
        pull_sub=PullSub(BATCH, timeout=FETCH_SECONDS, batch=True),
        inbox_prefix=f"{inbox}.".encode(),
        ack_policy=AckPolicy.MANUAL,  # the default rejects on error: the event would be lost
        no_reply=True,
    )
    subscriber.__class__ = PromptSubscriber  # broker.subscriber() has no other way in
    subscriber.broken = broken
    subscriber(on_batch)
    mended: PromptSubscriber = subscriber
    return mended
