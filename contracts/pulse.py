"""How every process says that it is well: numbers only, never content."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.message import Message


class Pulse(Message):
    """``calm`` means: nothing to read, to send or to do at this moment. ``tally`` counts what the service holds."""

    process: str
    unread: int
    outbox: int
    parked: int
    undone: int
    calm: bool
    tally: dict[str, int]


class ParkedEvent(Message):
    """An event that could not be handled: id, type and error class only (consent.md 4.2)."""

    event: UUID
    subject: str
    error: str
    tries: int
    parked_at: AwareDatetime


class Parked(Message):
    """The parked events of one process, oldest first."""

    process: str
    events: Annotated[tuple[ParkedEvent, ...], Field(max_length=1000)]
