"""What a city's own 要綱 lays on a body beside the law: secrecy with its ground, 誓約書, 保存年限 (S15, S16).

The law binds the 支援会議 by itself (法106条の6). A 要綱 may bind a 重層的支援会議, too (公 P4: 関川村 6条).
Neither the pledge nor how long papers are kept is fixed nationally: there is no default but "not said".
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contracts.coordinating import Data
from contracts.life import Day
from contracts.message import Code, Message, Question
from contracts.office import Done

Article = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]
Wording = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
KeepYears = Annotated[int, Field(ge=1, le=100)]
"""保存年限, in years."""


class Secrecy(Data):
    """守秘義務 by a 要綱: its article, its words, and from when to when (both days included) it holds."""

    ground: Article
    text: Wording
    first: date
    last: date | None = None

    @model_validator(mode="after")
    def _runs_forwards(self) -> "Secrecy":
        if self.last is not None and self.last < self.first:
            raise ValueError(f"secrecy by {self.ground} ends before it begins (S15)")
        return self

    def in_force(self, day: date) -> bool:
        """Whether it holds on that day."""
        return self.first <= day and (self.last is None or day <= self.last)

    def overlaps(self, other: "Secrecy") -> bool:
        """Whether both hold on some day."""
        return self.first <= (other.last or date.max) and other.first <= (self.last or date.max)


class PaperWindow(Data):
    """When agenda and minutes of a block are open to its seats (M5, S11). No source says: guesses, for each city."""

    opens_hours_before: Annotated[int, Field(ge=0, le=2400)] = 336
    """公開: so many hours before the block begins."""
    closes_minutes_after: Annotated[int, Field(ge=0, le=10_080)] = 60
    """So many minutes after it was closed, or after its time where nobody opened it."""


class NotePledges(Question[Done], subject="ask.meetings.note_pledges.v1"):
    """誓約書 were taken in for this sitting's body: by whom, signed when. Once noted it holds for the body (S16)."""

    sitting: UUID
    request: UUID
    persons: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=60)]
    signed_on: Day
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Pledged(Message):
    """A 誓約書 that was taken in."""

    person: UUID
    agency: Code
    signed_on: Day
