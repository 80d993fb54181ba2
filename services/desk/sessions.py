"""Who is signed in, and who has tried too often. Kept in a signed cookie and in this process's memory only."""

import hashlib
import hmac
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes, token_urlsafe
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, HTTPException, Request
from itsdangerous import BadSignature, URLSafeSerializer

from contracts.directory import SignedIn
from contracts.message import Compartment

IDLE = {Compartment.JUSO: timedelta(minutes=60), Compartment.SHIEN: timedelta(minutes=15)}
"""How long nothing may happen (consent.md 6)."""
LONGEST = timedelta(hours=12)
"""A stolen cookie cannot be kept alive for longer."""


@dataclass(frozen=True)
class Session:
    """A signed-in user. ``code`` is the agency's; ``seen`` is when the last page was asked for, UTC."""

    id: str
    person: UUID
    name: str
    code: str
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

    def begin(self, who: SignedIn, agency: str, now: datetime) -> Session:
        """A new session for somebody whose password was right. Raises ValueError for nobody."""
        if who.person is None:
            raise ValueError("nobody signed in")
        return self._session(token_urlsafe(16), who.person, who.name, who.agency, agency, now, now)

    def write(self, session: Session, now: datetime) -> str:
        """The cookie's value, as of now."""
        who = [session.person.hex, session.name, session.code, session.agency]
        return _text(self._signed.dumps([session.id, *who, int(session.began.timestamp()), int(now.timestamp())]))

    def read(self, cookie: str | None, now: datetime) -> Session | None:
        """The session a cookie stands for; None when it is forged, ended or has been idle for too long."""
        try:
            id_, person, name, code, agency, began, seen = self._signed.loads(cookie or "")
        except BadSignature:
            return None
        times = datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(seen, UTC)
        session = self._session(id_, UUID(person), name, code, agency, *times)
        if id_ in self._ended or now - session.seen > self.idle or now - session.began > LONGEST:
            return None
        return session

    def seal(self, session: Session, case: UUID) -> str:
        """An address that only this session can use: whoever recorded a withdrawal may watch it, and nobody else."""
        return _text(self._watching(session).dumps(case.hex))

    def unseal(self, session: Session, sealed: str) -> UUID | None:
        """The case of an address made by ``seal`` for this session; None for any other."""
        try:
            return UUID(self._watching(session).loads(sealed))
        except BadSignature:
            return None

    def end(self, session: Session, now: datetime) -> None:
        """Sign out: a copy of the cookie no longer helps."""
        self._ended = {id_: at for id_, at in self._ended.items() if now - at <= LONGEST}
        self._ended[session.id] = now

    def _watching(self, session: Session) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"stop {session.id}")

    def _session(
        self, id_: str, person: UUID, name: str, code: str, agency: str, began: datetime, seen: datetime
    ) -> Session:
        form_token = hmac.new(self._key, b"form " + id_.encode(), hashlib.sha256).hexdigest()
        return Session(id_, person, name, code, agency, began, seen, form_token)


def _text(signed: str | bytes) -> str:
    return signed if isinstance(signed, str) else signed.decode()


async def want_own_form(request: Request, form_token: Annotated[str, Form(max_length=64)] = "") -> None:
    """Let through only what a form of this very session posts. Raises HTTPException 403."""
    session: Session = request.state.session
    if not hmac.compare_digest(session.form_token.encode(), form_token.encode()):
        raise HTTPException(403)


class SignInLimit:
    """Slows down guessing: so many failures within ``wait``, then it must pass.

    Counted for one login from one address, and for one address over all logins: a few common passwords tried on
    everybody fail only once for each login.
    """

    def __init__(
        self,
        for_login: int = 5,
        for_address: int = 30,
        wait: timedelta = timedelta(minutes=5),
        longest: int = 10_000,
    ) -> None:
        self._logins = _Failures(for_login, wait, longest)
        self._addresses = _Failures(for_address, wait, longest)

    def may_try(self, address: str, login: str, now: datetime) -> bool:
        """Count one try. It counts as failed until it is taken back, so that tries at once do not slip by."""
        key = _login_key(address, login)
        if not (self._logins.bears_one_more(key, now) and self._addresses.bears_one_more(address, now)):
            return False
        self._logins.add(key, now)
        self._addresses.add(address, now)
        return True

    def take_back(self, address: str, login: str) -> None:
        """Nobody could say whether this try was right. Earlier ones stay: it must not help to overload the check."""
        self._logins.drop_last(_login_key(address, login))
        self._addresses.drop_last(address)

    def forget(self, address: str, login: str) -> None:
        """The password was right. Other logins' failures stay: an account of one's own must not clear them."""
        self._logins.drop(_login_key(address, login))
        self._addresses.drop_last(address)


class _Failures:
    """When something failed lately, by whatever key it is counted for. The oldest keys go when there are too many."""

    def __init__(self, tries: int, wait: timedelta, longest: int) -> None:
        self._tries, self._wait, self._longest = tries, wait, longest
        self._at: dict[Hashable, list[datetime]] = {}

    def bears_one_more(self, key: Hashable, now: datetime) -> bool:
        return sum(now - at < self._wait for at in self._at.get(key, ())) < self._tries

    def add(self, key: Hashable, now: datetime) -> None:
        lately = [at for at in self._at.pop(key, ()) if now - at < self._wait]
        self._at[key] = [*lately, now]
        if len(self._at) > self._longest:
            self._at.pop(next(iter(self._at)))

    def drop_last(self, key: Hashable) -> None:
        if at := self._at.get(key):
            at.pop()
        if not self._at.get(key):
            self.drop(key)

    def drop(self, key: Hashable) -> None:
        self._at.pop(key, None)


def _login_key(address: str, login: str) -> tuple[str, str]:
    return address, login.strip().casefold()


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
