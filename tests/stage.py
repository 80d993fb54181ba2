"""A stage for one service: its real handlers on a real store, without a bus. Time stands still unless moved."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from contracts.message import Compartment, Event, Question
from contracts.profile import Profile
from services.service import Process, Service, Tx
from services.store import Incoming, Outcome, Store
from services.vault import Vault

T = TypeVar("T")
SOME_DAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""Tuesday 2026-11-24, 10:00 in Japan."""
KEK = bytes(range(32))
"""The key of every stage: walls between stages must not rest on it."""


def vault_of(
    service: Service, address: str, profile: Profile, compartment: Compartment | None = None, kek: bytes = KEK
) -> Vault:
    """The key store beside a store: a file of its own, or tables of its own in the same database."""
    owner = f"{profile.municipality}/{Process(service, compartment).name}"
    return Vault(address.replace(".db", ".vault.db"), kek, owner)


class Stage:
    """Give events, ask questions, look at what is told."""

    def __init__(
        self,
        service: Service,
        address: str,
        profile: Profile,
        compartment: Compartment | None = None,
        vault_address: str = "",
    ) -> None:
        self._time = SOME_DAY
        self.vault = vault_of(service, vault_address or address, profile, compartment) if service.seals else None
        self.store = Store(address, service, profile, compartment, clock=lambda: self.time, vault=self.vault)
        self._set_store_clock()

    def close(self) -> None:
        self.store.close()
        if self.vault:
            self.vault.close()

    @property
    def time(self) -> datetime:
        return self._time

    @time.setter
    def time(self, now: datetime) -> None:
        self._time = now
        self._set_store_clock()

    def pass_time(self, **how_long: float) -> None:
        self.time += timedelta(**how_long)

    def _set_store_clock(self) -> None:
        """In PostgreSQL the guards' clock is the server's; on a stage it stands where the stage's does."""
        if self.store.engine.dialect.name == "postgresql":
            with self.store.engine.begin() as connection:
                connection.exec_driver_sql(
                    "create or replace function kasane_now(seconds double precision) returns timestamptz language sql "
                    f"volatile as $$ select '{self.time.isoformat()}'::timestamptz + make_interval(secs => seconds) $$"
                )

    def give(self, event: Event, event_id: UUID | None = None, tries: int = 1) -> Outcome:
        """Deliver an event as the bus would."""
        return self.store.react([Incoming(event_id or uuid4(), event, tries)])[0]

    def told(self) -> list[Event]:
        """The events told since the last look."""
        from contracts.message import EVENTS

        rows = self.store.unsent(1000)
        self.store.unsent(0, sent=[row.position for row in rows])
        return [EVENTS[row.subject].model_validate_json(row.body) for row in rows]

    def ask(self, question: Question[Any]) -> Any:
        """Ask a question that needs only the store."""
        answerer = self.store.service.answers_to[type(question)]
        if answerer.kind == "write":
            return self.store.write(lambda tx: answerer.act(question, tx))
        assert answerer.kind == "read"
        return self.store.read(lambda tx: answerer.act(question, tx))

    def do(self, act: Callable[[Tx], T]) -> T:
        """Run anything in one transaction."""
        return self.store.write(lambda tx: (act(tx), ()))

    def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        """Run what returns events."""
        self.store.write(lambda tx: (None, act(tx)))
