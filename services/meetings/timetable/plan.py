"""What comes out: a plan (docs/timetable.md). It can be read back in to plan anew with the fewest changes."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from contracts.coordinating import Data
from services.meetings.timetable.problem import LARGEST, Id, ProblemInvalid, Text, When, as_text


class Seated(Data):
    """Who sits on a seat; None: it stays empty."""

    seat: Text
    person: Id | None


class Part(Data):
    """議題の時間: an item's time box, and who comes for it."""

    item: Id
    starts: When
    ends: When
    persons: tuple[Id, ...] = ()


class Placed(Data):
    """A meeting with its date. ``room`` None: online."""

    meeting: Id
    starts: When
    ends: When
    room: Id | None
    seats: tuple[Seated, ...]
    agenda: tuple[Part, ...] = ()
    why: str = ""


class Unplaced(Data):
    """A meeting without a date: why, which duties clash (the smallest set), and what could be relaxed."""

    meeting: Id
    why: str = ""
    clashing: tuple[str, ...] = ()
    relax: tuple[str, ...] = ()


class Score(Data):
    """Lower is better: first ``unplaced`` (1 + urgency for each), then how many announced sittings ``moved`` (time or
    room), then ``cost``, the sum of ``parts``."""

    unplaced: int
    moved: int = 0
    cost: int
    parts: Mapping[str, int] = Field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int, int]:
        """What plans are compared by."""
        return self.unplaced, self.moved, self.cost


class Change(Data):
    """What planning anew changed for a meeting that was announced."""

    meeting: Id
    what: Literal["moved", "seats", "lost"]
    why: str = ""


class Plan(Data):
    """A timetable with its score."""

    format: Literal["kasane-timetable-plan/1"] = "kasane-timetable-plan/1"
    placed: tuple[Placed, ...] = Field(default=(), max_length=2_000)
    unplaced: tuple[Unplaced, ...] = Field(default=(), max_length=2_000)
    score: Score
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    seed: Annotated[int, Field(ge=0)] = 0
    steps: Annotated[int, Field(ge=0)] = 0


def read_plan(data: bytes) -> Plan:
    """A plan from the bytes of a JSON file. Raises ProblemInvalid."""
    if len(data) > LARGEST:
        raise ProblemInvalid(f"前の計画のファイルが大きすぎます({LARGEST // 1_000_000}MBまで)。")
    try:
        return Plan.model_validate(json.loads(data.decode("utf-8-sig")))
    except ValidationError as error:
        raise ProblemInvalid(f"前の計画が読めません。\n{as_text(error)}") from None
    except (ValueError, RecursionError):
        raise ProblemInvalid("前の計画が UTF-8 の JSON ではありません。ファイルを確かめてください。") from None
