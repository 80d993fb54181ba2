"""Rooms of online meetings: one call opens a room that may exist already and says where one person enters (M3).

A room is called by a derived reference and nothing else: providers show names in their pages and logs. It is opened
late, by whoever comes first, and its links end with the sitting.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Protocol
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx

from contracts.profile import Online

AFTER = timedelta(minutes=30)
"""How long a sitting may run over before its links end."""
CALL_SECONDS = 5.0
TITLE = "会議"
"""The same for all: which kind of meeting it is, the provider does not learn (S17)."""


class RoomUnavailable(Exception):
    """The provider did not open the room. Says which provider, nothing of its answer."""


@dataclass(frozen=True)
class Visit:
    """One person's entry into one room. ``name`` is what they call themselves there."""

    room: UUID
    guest: UUID
    name: str
    starts: datetime
    ends: datetime


class Provider(Protocol):
    """What every kind of room can do."""

    async def enter(self, visit: Visit, now: datetime) -> str:
        """The address at which this person enters. Asked twice, it is the same room. Raises RoomUnavailable."""


@dataclass(frozen=True)
class Link:
    """One fixed address that the city has from elsewhere: nobody is told apart, nothing ends by itself."""

    url: str

    async def enter(self, visit: Visit, now: datetime) -> str:
        """As it is."""
        return self.url


@dataclass(frozen=True)
class Jitsi:
    """A Jitsi server of the city's own that wants a token per person (JWT, HS256); rooms need not be made.

    The server's app_id is ``kasane``; its app_secret is the key. Nobody enters without a token (ENABLE_GUESTS=0).
    """

    url: str
    secret: str

    async def enter(self, visit: Visit, now: datetime) -> str:
        """The token is for this room and person, and over soon after the sitting."""
        claims: dict[str, object] = {
            "aud": "jitsi",
            "iss": "kasane",
            "sub": urlsplit(self.url).hostname,
            "room": visit.room.hex,
            "nbf": int(now.timestamp()) - 10,
            "exp": int((visit.ends + AFTER).timestamp()),
            "context": {"user": {"id": visit.guest.hex, "name": visit.name, "moderator": False}},
        }
        return f"{self.url.rstrip('/')}/{visit.room.hex}?jwt={_jwt(claims, self.secret)}"


@dataclass(frozen=True)
class BigBlueButton:
    """A BigBlueButton server: calls are signed with its shared secret (SHA-256 of call, query and secret)."""

    url: str
    secret: str

    async def enter(self, visit: Visit, now: datetime) -> str:
        """Make the room, which a second call finds made, and sign this person's entry. Nothing is recorded."""
        minutes = max(1, int((visit.ends + AFTER - now).total_seconds() // 60))
        made = {"meetingID": visit.room.hex, "name": TITLE, "record": "false", "duration": str(minutes)}
        made |= {"allowStartStopRecording": "false", "autoStartRecording": "false"}
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=CALL_SECONDS) as http:
                answer = await http.get(self._call("create", made))
        except (httpx.HTTPError, httpx.InvalidURL):
            raise RoomUnavailable("BigBlueButton") from None
        if not answer.is_success or b"<returncode>SUCCESS</returncode>" not in answer.content:
            raise RoomUnavailable("BigBlueButton")
        entry = {"meetingID": visit.room.hex, "fullName": visit.name, "userID": visit.guest.hex}
        return self._call("join", entry | {"role": "VIEWER", "redirect": "true"})

    def _call(self, name: str, parameters: dict[str, str]) -> str:
        query = urlencode(parameters)
        checksum = sha256(f"{name}{query}{self.secret}".encode()).hexdigest()
        return f"{self.url.rstrip('/')}/api/{name}?{query}&checksum={checksum}"


def provider(online: Online, secret: str) -> Provider:
    """The kind of room that the profile names."""
    if online.kind == "link":
        return Link(online.url)
    return Jitsi(online.url, secret) if online.kind == "jitsi" else BigBlueButton(online.url, secret)


def _jwt(claims: Mapping[str, object], secret: str) -> str:
    """RFC 7519, signed as RFC 7515 has it with HS256."""
    head = {"alg": "HS256", "typ": "JWT"}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (head, claims)]
    signed = ".".join(map(_base64, parts))
    return f"{signed}.{_base64(digest(secret.encode(), signed.encode(), 'sha256'))}"


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
