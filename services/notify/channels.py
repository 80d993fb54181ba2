"""How a letter reaches one person: by mail, as an entry in their calendar, as a thin webhook; or by somebody's hand.

A channel is one call: hand this over before the deadline, and say what became of it as a mail server's answer is said.
The text that goes out is the same whatever the channel; a webhook gets less: a link and a time.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import digest
from typing import Any, Literal, Protocol

import httpx

from contracts.directory import Channel, Mailbox
from services.notify.domain import Letter, Reminder, can_be_mailed
from services.notify.ics import calendar_object, stored_object
from services.notify.mail import Deadline, Mailer, Outcome, compose

BY_HAND: Mapping[Channel, Literal["by_phone", "by_letter"]] = {"phone": "by_phone", "letter": "by_letter"}
"""Told by a person. notify keeps that they are to be told, so that they are told, too, when it is taken back."""
CALL_SECONDS = 2.0
"""How long another office's server may take: whoever is written to at the same time waits for it."""
_AGAIN = frozenset({408, 425, 429})
"""Refusals that pass."""


class Carrier(Protocol):
    """Hands one letter over. Nobody but the deadline decides how long it tries; it may be asked twice."""

    async def __call__(self, told: Letter, deadline: Deadline) -> Outcome:
        """Empty: it was taken. The rest as Mailer.send says it."""


def is_reachable(mailbox: Mailbox) -> bool:
    """Whether the channel has what it needs."""
    if mailbox.channel in BY_HAND:
        return True
    return bool(mailbox.endpoint) if mailbox.channel == "webhook" else can_be_mailed(mailbox.address)


@dataclass(frozen=True)
class Mail:
    """A mail with a calendar entry, to the city's mail server."""

    mailer: Mailer
    sign: Callable[[bytes], bytes]

    async def __call__(self, told: Letter, deadline: Deadline) -> Outcome:
        """Raises CalendarUnfit for an entry that is not like every other."""
        mail = self.sign(compose(told, calendar_object(told)))
        return await self.mailer.send(told.returns.reports or told.office.mail, told.address, mail, deadline)


@dataclass(frozen=True)
class Webhook:
    """Standard Webhooks: an id, a time and a signature in the headers, and next to nothing in the body.

    Where it leads may be a chat or another office's system: it gets the link and the start, no place, name or words.
    """

    endpoint: str
    key: bytes

    async def __call__(self, told: Letter, deadline: Deadline) -> Outcome:
        """A repeat has the same id: receivers drop it."""
        return await self._post(told, thin_payload(told), deadline)

    async def note(self, told: Reminder, deadline: Deadline) -> Outcome:
        """Likewise a reminder or a poll, which have a link and no start."""
        return await self._post(told, thin_note(told), deadline)

    async def _post(self, told: Letter | Reminder, body: bytes, deadline: Deadline) -> Outcome:
        at = int(told.made_at.timestamp())
        headers = {"Content-Type": "application/json", "webhook-id": f"msg_{told.notice.hex}"}
        headers |= {"webhook-timestamp": str(at), "webhook-signature": self._signature(headers["webhook-id"], at, body)}
        return await _within(deadline, lambda http: http.post(self.endpoint, content=body, headers=headers))

    def _signature(self, message: str, at: int, body: bytes) -> str:
        return "v1," + b64encode(digest(self.key, f"{message}.{at}.".encode() + body, "sha256")).decode()


def webhook_key(master: bytes, endpoint: str) -> bytes:
    """What signs for one endpoint, 24 bytes: each receiver can check its own webhooks only."""
    return digest(master, b"webhook " + endpoint.encode(), "sha256")[:24]


def webhook_secret(key: bytes) -> str:
    """The key as receivers' libraries want it."""
    return "whsec_" + b64encode(key).decode()


def thin_payload(told: Letter) -> bytes:
    """Type and time as the standard wants them, a link and a start; the link of a cancellation is empty."""
    kind = "kaigi.invited" if told.method == "REQUEST" else "kaigi.cancelled"
    payload = {
        "type": kind,
        "timestamp": _instant(told.made_at),
        "data": {"link": told.link, "starts": _instant(told.starts)},
    }
    return json.dumps(payload, separators=(",", ":")).encode()


def thin_note(told: Reminder) -> bytes:
    """The same of what has no start."""
    payload = {"type": told.kind, "timestamp": _instant(told.made_at), "data": {"link": told.link}}
    return json.dumps(payload, separators=(",", ":")).encode()


@dataclass(frozen=True)
class CalDav:
    """An entry in the calendar that the participant's own server keeps (RFC 4791). It holds no link to answer."""

    collection: str
    login: tuple[str, str] | None

    async def __call__(self, told: Letter, deadline: Deadline) -> Outcome:
        """Put it, or take it away. Order is ours: letters to one person come one after the other, stale ones never."""
        address = f"{self.collection.rstrip('/')}/{told.uid}.ics"
        auth = httpx.BasicAuth(*self.login) if self.login else None
        if told.method == "CANCEL":
            return await _within(deadline, lambda http: http.delete(address), auth=auth, gone_is_fine=True)
        entry, headers = stored_object(calendar_object(told)), {"Content-Type": "text/calendar; charset=utf-8"}
        return await _within(deadline, lambda http: http.put(address, content=entry, headers=headers), auth=auth)


@dataclass(frozen=True)
class Both:
    """An entry in the calendar, and the mail with the link. A calendar that is away holds no mail back."""

    calendar: Carrier
    mail: Carrier

    async def __call__(self, told: Letter, deadline: Deadline) -> Outcome:
        """What became of the mail: it is what says where to answer, and what is tried again."""
        _, outcome = await asyncio.gather(self.calendar(told, deadline), self.mail(told, deadline))
        return outcome


async def _within(
    deadline: Deadline,
    act: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
    *,
    auth: httpx.Auth | None = None,
    gone_is_fine: bool = False,
) -> Outcome:
    """One request before the deadline. It follows no redirect: where a letter goes is the directory's to say."""
    if deadline.over():
        return "too_late"
    try:
        async with asyncio.timeout_at(min(deadline.at, deadline.within(CALL_SECONDS))):
            async with httpx.AsyncClient(auth=auth, trust_env=False, timeout=CALL_SECONDS) as http:
                answer = await act(http)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL):
        return "too_late" if deadline.over() else "mail_server_down"
    except (httpx.HTTPError, TimeoutError):
        return "no_verdict"
    if answer.is_success or (gone_is_fine and answer.status_code in (404, 410)):
        return ""
    return "mail_refused" if answer.is_client_error and answer.status_code not in _AGAIN else "mail_server_down"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def caldav_login(logins: Mapping[str, Any], endpoint: str) -> tuple[str, str] | None:
    """Name and password for this calendar, by its longest address that the file of logins has; None: without any."""
    fits = [address for address in logins if endpoint.startswith(f"{address.rstrip('/')}/")]
    if not fits:
        return None
    found = logins[max(fits, key=len)]
    return str(found["user"]), str(found["password"])
