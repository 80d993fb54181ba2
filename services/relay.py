"""Carries a store's outbox to the stream of one account, in atomic batches, oldest first, for ever."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import Error as JetStreamError

from contracts.message import EVENTS, Account
from services.provision import event_addresses
from services.service import Process
from services.store import Outgoing, Store

log = logging.getLogger("kasane")
ROWS = 400
"""Rows per batch; JetStream takes up to 1,000 messages in one."""
IDLE_SECONDS = 5.0
"""How often the relay looks without having been woken, in case a wake-up was lost."""


class Relay:
    """One process's way into one account. What the stream has not acknowledged stays in the outbox."""

    def __init__(
        self,
        process: Process,
        account: Account,
        store: Store,
        client: Client,
        in_store: Callable[..., Awaitable[Any]],
        source: str,
    ) -> None:
        self.process, self.account, self.store = process, account, store
        self._client, self._in_store, self._source = client, in_store, source

    async def run(self, woken: asyncio.Event) -> None:
        """Carry what is for this account, oldest first. An account that is away holds up no other."""
        sent: list[int] = []
        failures = 0
        while True:
            woken.clear()
            rows = await self._in_store(self.store.unsent, ROWS, sent, self.account)
            sent = await self._publish(rows) if rows else []
            failures = failures + 1 if rows and not sent else 0
            if failures == 1:
                log.warning("events for %s cannot be published; they wait in the outbox", self.account)
            if failures:
                await asyncio.sleep(min(10.0, 0.25 * 2.0 ** min(failures, 6)))
            elif not rows:
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await woken.wait()

    async def _publish(self, rows: list[Outgoing]) -> list[int]:
        """Positions of the rows that the stream has. As one atomic batch; one by one when that is refused, as it is

        when a crash between acknowledgement and deletion makes a row come a second time (the id is known then)."""
        if len(rows) > 1:
            with suppress(nats.errors.Error, JetStreamError, OSError):
                await self._publish_batch(rows)
                return [row.position for row in rows]
        results = await asyncio.gather(*(self._publish_one(row) for row in rows))
        return [row.position for row, stored in zip(rows, results, strict=True) if stored]

    async def _publish_batch(self, rows: list[Outgoing]) -> None:
        batch = str(self.store.new_ref())
        for number, row in enumerate(rows, 1):
            headers = self._headers(row) | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number < len(rows):
                await self._client.publish(self._address(row), row.body.encode(), headers=headers)
            else:
                last = await self._client.request(
                    self._address(row), row.body.encode(), headers=headers | {"Nats-Batch-Commit": "1"}, timeout=5
                )
        _check_stored(last)

    async def _publish_one(self, row: Outgoing) -> bool:
        try:
            answer = await self._client.request(
                self._address(row), row.body.encode(), headers=self._headers(row), timeout=5
            )
            _check_stored(answer)
        except (nats.errors.Error, JetStreamError, OSError):
            return False
        return True

    def _address(self, row: Outgoing) -> str:
        return event_addresses(self.process, EVENTS[row.subject])[row.account]

    def _headers(self, row: Outgoing) -> dict[str, str]:
        """CloudEvents 1.0 attributes, binary mode. The id is the event's own, never the outbox position."""
        return {
            "Nats-Msg-Id": str(row.id),
            "ce-specversion": "1.0",
            "ce-id": str(row.id),
            "ce-source": self._source,
            "ce-type": row.subject,
            "ce-time": row.at.isoformat(),
            "ce-subject": str(row.about),
            "content-type": "application/json",
        }


def _check_stored(answer: Msg) -> None:
    stored = json.loads(answer.data)
    if "error" in stored or "seq" not in stored:
        raise JetStreamError(description="not stored")
