"""Who is signed in, and who has tried too often. Kept in a signed cookie and in this process's memory only."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes, token_urlsafe
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from contracts.message import Compartment

IDLE = {Compartment.JUSO: timedelta(minutes=60), Compartment.SHIEN: timedelta(minutes=15)}
"""How long nothing may happen (consent.md 6)."""
LONGEST = timedelta(hours=12)
"""A stolen cookie cannot be kept alive for longer."""


@dataclass(frozen=True)
class Session:
    """A signed-in user. ``seen`` is when the last page was asked for, UTC."""

    id: str
    name: str
    agency: str
    began: datetime
    seen: datetime
    form_token: str
    """What every form of this session carries, so that no other site can post in the user's name."""


class Sessions:
    """The sessions of one desk. The key is made at each start, so a restart signs everybody out."""

    def __init__(self, compartment: Compartment) -> None:
        self.cookie = f"kasane_{compartment}"
        self.idle = IDLE[compartment]
        self._key = token_bytes(32)
        self._signed = URLSafeSerializer(self._key, salt=self.cookie)
        self._ended: dict[str, datetime] = {}

    def begin(self, name: str, agency: str, now: datetime) -> Session:
        """A new session for somebody whose password was right."""
        return self._session(token_urlsafe(16), name, agency, now, now)

    def write(self, session: Session, now: datetime) -> str:
        """The cookie's value, as of now."""
        began, seen = int(session.began.timestamp()), int(now.timestamp())
        value = self._signed.dumps([session.id, session.name, session.agency, began, seen])
        return value if isinstance(value, str) else value.decode()

    def read(self, cookie: str | None, now: datetime) -> Session | None:
        """The session a cookie stands for; None when it is forged, ended or has been idle for too long."""
        try:
            id_, name, agency, began, seen = self._signed.loads(cookie or "")
        except BadSignature:
            return None
        session = self._session(
            id_, name, agency, datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(seen, UTC)
        )
        if id_ in self._ended or now - session.seen > self.idle or now - session.began > LONGEST:
            return None
        return session

    def end(self, session: Session, now: datetime) -> None:
        """Sign out: a copy of the cookie no longer helps."""
        self._ended = {id_: at for id_, at in self._ended.items() if now - at <= LONGEST}
        self._ended[session.id] = now

    def _session(self, id_: str, name: str, agency: str, began: datetime, seen: datetime) -> Session:
        form_token = hmac.new(self._key, b"form " + id_.encode(), hashlib.sha256).hexdigest()
        return Session(id_, name, agency, began, seen, form_token)


@dataclass
class SignInLimit:
    """Slows down guessing: after ``tries`` failures for one login from one address, ``wait`` must pass."""

    tries: int = 5
    wait: timedelta = timedelta(minutes=5)
    longest: int = 10_000

    def __post_init__(self) -> None:
        self._failed: dict[tuple[str, str], tuple[int, datetime]] = {}

    def may_try(self, address: str, login: str, now: datetime) -> bool:
        """Count one try. It counts as failed until ``forget`` says otherwise, so that tries at once do not slip by."""
        key = (address, login.strip().casefold())
        failed, last = self._failed.pop(key, (0, now))
        if now - last >= self.wait:
            failed = 0
        if failed >= self.tries:
            self._failed[key] = (failed, last)
            return False
        self._failed[key] = (failed + 1, now)
        if len(self._failed) > self.longest:
            self._failed.pop(next(iter(self._failed)))
        return True

    def forget(self, address: str, login: str) -> None:
        """The password was right, or nobody could say."""
        self._failed.pop((address, login.strip().casefold()), None)


def cookie_of(sessions: Sessions, session: Session, now: datetime, https: bool) -> dict[str, Any]:
    """How the cookie is sent. ``Secure`` only where the page itself came by https: an office may have none inside."""
    return {
        "key": sessions.cookie,
        "value": sessions.write(session, now),
        "httponly": True,
        "samesite": "strict",
        "secure": https,
        "path": "/",
    }
