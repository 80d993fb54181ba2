"""A sitting as it is run: a ``Room`` is folded from its acts in order. Plain values; nothing sealed is opened.

Which act is lawful when stands in ``running_rules.py``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.blocks import Admitted
from contracts.life import Outcome
from contracts.running import Move, Proceeding, ProxyGround, Verdict


@dataclass(frozen=True)
class Done:
    """An act as it is kept, without its words. ``codes``: what was found out when it was done."""

    number: int
    at: datetime
    by: UUID
    agency: str
    move: Move
    codes: Mapping[str, Any]


@dataclass(frozen=True)
class Stay:
    """One stay of a person in the room. ``ground``: of a substitute."""

    person: UUID
    agency: str
    post: str | None
    ground: ProxyGround | None
    entered: datetime
    left: datetime | None = None


@dataclass(frozen=True)
class Hearing:
    """An item that was called: who heard it, who left for it, what came of it."""

    called: datetime
    heard: tuple[tuple[UUID, str], ...]
    leaving: tuple[str, ...]
    done: datetime | None = None
    outcome: Outcome | None = None

    @property
    def present(self) -> tuple[str, ...]:
        """The agencies that heard it, each once."""
        return tuple(dict.fromkeys(agency for _, agency in self.heard))


@dataclass(frozen=True)
class Room:
    """A sitting after its acts so far."""

    acts: int = 0
    turned: datetime | None = None
    """When the block before this one was closed."""
    admitted: tuple[Admitted, ...] = ()
    opened: datetime | None = None
    explained: datetime | None = None
    verdict: Verdict | None = None
    closed: datetime | None = None
    stays: tuple[Stay, ...] = ()
    hearings: Mapping[UUID, Hearing] = field(default_factory=dict)
    carried: frozenset[UUID] = frozenset()
    minutes: int = 0
    """Counts what was recorded and corrected: an approval is of one such state."""
    approvals: tuple[Done, ...] = ()
    approved: datetime | None = None

    @property
    def there(self) -> tuple[Stay, ...]:
        """Who is in the room now."""
        return tuple(one for one in self.stays if one.left is None)

    @property
    def current(self) -> UUID | None:
        """The item that is being heard."""
        return next((item for item, one in self.hearings.items() if one.done is None), None)

    @property
    def last_turn(self) -> datetime | None:
        """When an item was last called or done: nobody entered before that without having been noted."""
        turns = [turn for one in self.hearings.values() for turn in (one.called, one.done) if turn]
        return max(turns, default=None)


def fold(acts: Iterable[Done]) -> Room:
    """Where a sitting stands after these acts, in order."""
    room = Room()
    for act in acts:
        room = replace(_after(room, act), acts=act.number)
    return room


def _after(room: Room, act: Done) -> Room:
    match act.move.what:
        case Proceeding.TURN:
            return replace(room, turned=datetime.fromisoformat(act.codes["at"]))
        case Proceeding.ADMIT:
            return replace(room, admitted=(*room.admitted, _admitted(act)))
        case Proceeding.OPEN:
            return replace(room, opened=act.at)
        case Proceeding.EXPLAIN:
            return replace(room, explained=act.at)
        case Proceeding.JUDGE:
            return replace(room, verdict="held")
        case Proceeding.GIVE_UP:
            return replace(room, verdict="case_conference", closed=act.at, carried=_carried(act))
        case Proceeding.ENTER | Proceeding.LEAVE:
            return _moved(room, act)
        case Proceeding.CLOSE:
            return replace(room, closed=act.at, carried=_carried(act))
        case Proceeding.APPROVE:
            approved = act.at if act.codes.get("all") else None
            return replace(room, approvals=(*room.approvals, act), approved=approved)
        case _:
            return _heard(room, act)


def _admitted(act: Done) -> Admitted:
    ground = act.move.ground.value if act.move.ground else ""
    return Admitted.model_validate({"person": act.move.person, "agency": act.codes["agency"], "ground": ground})


def _carried(act: Done) -> frozenset[UUID]:
    return frozenset(map(UUID, act.codes.get("carried", ())))


def _moved(room: Room, act: Done) -> Room:
    person, at = act.move.person, datetime.fromisoformat(act.codes["at"])
    if person is None:
        raise TypeError("somebody moves")
    if act.move.what is Proceeding.LEAVE:
        gone = (replace(one, left=at) if one.person == person and one.left is None else one for one in room.stays)
        return replace(room, stays=tuple(gone))
    stay = Stay(person, act.codes["agency"], act.move.post, act.move.ground, at)
    hearings, item = dict(room.hearings), room.current
    if item is not None:
        one = hearings[item]
        joined = {"heard": (*one.heard, (person, stay.agency))}
        outside = {"leaving": tuple(dict.fromkeys((*one.leaving, stay.agency)))}
        hearings[item] = replace(one, **(joined if act.codes.get("hears") else outside))
    return replace(room, stays=(*room.stays, stay), hearings=hearings)


def _heard(room: Room, act: Done) -> Room:
    item, hearings = act.move.item, dict(room.hearings)
    if item is None:
        raise TypeError("an item is called and recorded")
    if act.move.what is Proceeding.CALL:
        heard = tuple((UUID(person), agency) for person, agency in act.codes["heard"])
        hearings[item] = Hearing(act.at, heard, tuple(act.codes["leaving"]))
        return replace(room, hearings=hearings)
    result = act.move.result
    if result is None:
        raise TypeError("a result is recorded")
    done = hearings[item].done or act.at
    hearings[item] = replace(hearings[item], done=done, outcome=result.outcome)
    return replace(room, hearings=hearings, minutes=room.minutes + 1, approvals=(), approved=None)
