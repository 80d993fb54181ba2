"""What a service is: a name, its tables, what it reacts to, what it answers, what it does on its own."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection, Executable, MetaData
from sqlalchemy.engine import CursorResult

from contracts.message import HOME, Account, Compartment, Event, Question
from contracts.profile import Profile
from services.audit import Entry
from services.settings import Settings

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")


class NotYet(Exception):
    """What this depends on has not arrived. The message comes again later, after a growing delay; it is no error."""


class Shut(Exception):
    """The key of what should be opened was destroyed: it is erased, and people read 「消去済み」."""


class Foreign(Exception):
    """What should be opened was sealed by another municipality, compartment or process, for another case or column,
    or tampered with."""


class Sealing(Protocol):
    """What seals and opens texts at rest, one key per subject (services.vault)."""

    def seal(self, subject: UUID, where: str, text: str) -> bytes:
        """Raises Shut."""

    def open(self, subject: UUID, where: str, sealed: bytes) -> str:
        """Raises Shut and Foreign."""

    def fetch(self, subjects: Iterable[UUID]) -> None:
        """Get the keys of many subjects ready at once."""

    def destroy(self, subject: UUID) -> None:
        """At once, whatever becomes of the transaction."""


@dataclass(frozen=True)
class Tx:
    """One open transaction and what a handler may know. It cannot commit, publish, or read a clock of its own."""

    connection: Connection
    now: datetime
    """UTC. The same for the whole handler, however often it is tried."""
    profile: Profile
    compartment: Compartment | None
    ref: Callable[[], UUID]
    """A fresh random reference."""
    vault: Sealing | None = None
    """For seal, open and destroy_key; None for a service that does not declare that it seals."""
    entries: list[Entry] = field(default_factory=list)
    """What was decided here so far; the store appends it to the audit log just before it commits."""

    @property
    def here(self) -> Compartment:
        """The compartment of a service that always runs in one. Raises TypeError in any other."""
        if self.compartment is None:
            raise TypeError("this service runs in no compartment")
        return self.compartment

    def execute(self, statement: Executable, *rows: Any) -> CursorResult[Any]:
        """Run one Core statement; with a list of rows, many at once."""
        return self.connection.execute(statement, *rows)

    def seal(self, subject: UUID, where: str, text: str) -> bytes:
        """Seal a text under a subject's key for one place. Raises Shut once that key was destroyed."""
        return self._sealing.seal(subject, where, text)

    def open(self, subject: UUID, where: str, sealed: bytes) -> str:
        """Open what was sealed for this subject and place. Raises Shut (erased) and Foreign (not from here)."""
        return self._sealing.open(subject, where, sealed)

    def fetch_keys(self, subjects: Iterable[UUID]) -> None:
        """Before opening a list: one look into the vault instead of one per subject."""
        self._sealing.fetch(subjects)

    def destroy_key(self, subject: UUID) -> None:
        """Erase all that is sealed under a subject, in every backup, too. It holds even if the transaction fails."""
        self._sealing.destroy(subject)

    @property
    def _sealing(self) -> Sealing:
        if self.vault is None:
            raise TypeError("this service does not declare that it seals")
        return self.vault

    def audit(
        self,
        *,
        act: str,
        outcome: str,
        rule: str,
        actor: str = "",
        case: UUID | None = None,
        item: UUID | None = None,
        person: UUID | None = None,
        basis: str = "",
        consent: UUID | None = None,
        consent_version: int | None = None,
        commission: UUID | None = None,
        permit: UUID | None = None,
        policy: str = "",
        detail: str = "",
    ) -> None:
        """Record a decision, ``allow`` or ``refuse``, together with what the handler does: both last, or neither.

        Codes and references only: ``actor`` is a person's reference or a process, never a name. Raises ValueError,
        without the value, for anything else. A question whose answer is recorded is declared with ``does``.
        """
        self.entries.append(
            Entry(
                act=act,
                outcome=outcome,
                rule=rule,
                actor=actor,
                case=case,
                item=item,
                person=person,
                basis=basis,
                consent=consent,
                consent_version=consent_version,
                commission=commission,
                permit=permit,
                policy=policy,
                detail=detail,
            )
        )


class Work(Protocol):
    """What an errand works with: it may ask other services and write in short transactions of its own."""

    settings: Settings
    profile: Profile
    compartment: Compartment | None

    def now(self) -> datetime:
        """The present instant, UTC."""

    async def run(self, act: Callable[[Tx], T]) -> T:
        """Run ``act`` in one write transaction and return what it returns."""

    async def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        """Run ``act`` in one write transaction; the events it returns are told when it has committed."""

    async def compact(self) -> None:
        """Take what was deleted out of the store's files, outside any transaction. May fail while others read."""

    async def ask(self, question: Question[R], to: Account | None = None) -> R:
        """The answer, or AskFailed. ``to`` is needed only where a service answers in several accounts."""


class AskFailed(Exception):
    """Nobody answered in time, or the answering service failed. Carries the error's class name, never its text."""

    @property
    def unanswered(self) -> bool:
        """Whether nobody was there, so that another question would fare no better."""
        return str(self) in ("NoRespondersError", "TimeoutError", "ConnectionClosedError")


Handler = Callable[[Any, Tx], Iterable[Event]]


@dataclass(frozen=True)
class Answerer:
    """How a question is answered. ``kind``: read (no change), write (change and events), perform (outside effects)."""

    kind: str
    act: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Errand:
    """Work that needs the outside: runs after each commit of its process and at least ``every`` seconds."""

    name: str
    every: float
    act: Callable[[Work], Awaitable[None]]
    woken: bool = True
    """Whether commits of its process wake it; else it only keeps its own time."""


@dataclass
class Service:
    """One service. Everything it may do on the bus is declared here; the provisioner grants exactly that."""

    name: str
    tables: MetaData
    compartments: bool = False
    """Whether it runs once per compartment."""
    seals: bool = False
    """Whether it keeps sealed columns: then its processes get a vault and a key-encryption key."""
    publishes: frozenset[type[Event]] = frozenset()
    asks: frozenset[type[Question[Any]]] = frozenset()
    reactions: dict[type[Event], Handler] = field(default_factory=dict)
    answers_to: dict[type[Question[Any]], Answerer] = field(default_factory=dict)
    errands: list[Errand] = field(default_factory=list)
    start: Callable[[Tx, Settings], Iterable[Event] | None] | None = None
    """Runs once at each start, in a transaction, before anything is handled. What it returns is told."""
    serve: Callable[[Work], Awaitable[None]] | None = None
    """Runs as long as the process, for what listens by itself (HTTP)."""
    tally: Callable[[Tx], dict[str, int]] = lambda tx: {}
    """Counts shown by the pulse: numbers only."""
    undone: Callable[[Tx], int] = lambda tx: 0
    """How many things its errands still have to do; the process is calm at 0."""

    def on(self, event: type[E]) -> Callable[[Callable[[E, Tx], Iterable[Event]]], Callable[[E, Tx], Iterable[Event]]]:
        """React to an event: message in, messages out, all in one transaction, exactly once."""

        def register(handler: Callable[[E, Tx], Iterable[Event]]) -> Callable[[E, Tx], Iterable[Event]]:
            self.reactions[event] = handler
            return handler

        return register

    def answers(self, question: type[Question[R]]) -> Callable[[Callable[[Any, Tx], R]], Callable[[Any, Tx], R]]:
        """Answer a question without changing anything."""
        return self._answerer(question, "read")

    def does(
        self, question: type[Question[R]]
    ) -> Callable[[Callable[[Any, Tx], tuple[R, Iterable[Event]]]], Callable[[Any, Tx], tuple[R, Iterable[Event]]]]:
        """Carry out a command in one transaction: returns the reply and the events that follow."""
        return self._answerer(question, "write")

    def performs(
        self, question: type[Question[R]]
    ) -> Callable[[Callable[[Any, Work], Awaitable[R]]], Callable[[Any, Work], Awaitable[R]]]:
        """Carry out a command that reaches outside (mail). It must bear being asked twice."""
        return self._answerer(question, "perform")

    def errand(
        self, every: float, woken: bool = True
    ) -> Callable[[Callable[[Work], Awaitable[None]]], Callable[[Work], Awaitable[None]]]:
        """Do what a transaction cannot: ask others, wait for them, then write. Must bear being cut off anywhere."""

        def register(act: Callable[[Work], Awaitable[None]]) -> Callable[[Work], Awaitable[None]]:
            self.errands.append(Errand(act.__name__, every, act, woken))
            return act

        return register

    def _answerer(self, question: type[Question[Any]], kind: str) -> Callable[[Callable[[Any, Any], Any]], Any]:
        def register(act: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            self.answers_to[question] = Answerer(kind, act)
            return act

        return register


@dataclass(frozen=True)
class Process:
    """A service in one compartment (or in none), for its whole life."""

    service: Service
    compartment: Compartment | None = None

    @property
    def name(self) -> str:
        """For example ``meetings@juso`` or ``notify``."""
        return f"{self.service.name}@{self.compartment}" if self.compartment else self.service.name

    @property
    def account(self) -> Account:
        """The account it lives in. The answer window (a desk without compartment) sits with notify, facing outside."""
        if self.compartment:
            return Account(self.compartment)
        return HOME.get(self.service.name) or Account.NOTIFY

    def addresses(self, question: type[Question[Any]]) -> dict[Account, str]:
        """The subjects under which this process may ask a question, by the account that answers."""
        if self.account in question.answered_in:
            return {self.account: question.subject} if question.inside else {}
        if self.account not in question.asked_from:
            return {}
        return {account: f"to.{account}.{question.subject}" for account in sorted(question.answered_in)}
