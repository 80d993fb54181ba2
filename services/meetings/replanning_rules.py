"""The plan with the fewest changes to what was announced (issue: a decline, a room lost). Values in, values out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.profile import Quorum
from services.meetings.ranking import Date
from services.meetings.scheduling import Interval, Wanted


def sitting_first(seats: Sequence[Wanted], seated: Iterable[UUID]) -> tuple[Wanted, ...]:
    """The seats with whoever was announced on them first: the engine asks others only where she cannot come."""
    now = set(seated)
    return tuple(
        replace(seat, persons=tuple(sorted(seat.persons, key=lambda person: person not in now))) for seat in seats
    )


def fewest_changes(dates: Iterable[Date], announced: datetime, seated: Iterable[UUID]) -> tuple[Date, ...]:
    """The dates, the one that changes least first: the same time, then the fewest other people, then the cheapest."""
    before = set(seated)

    def changes(date: Date) -> tuple[bool, int, int, datetime]:
        now = {person for _, person in date.chosen if person is not None}
        return date.starts != announced, len(now ^ before), date.cost, date.starts

    return tuple(sorted(dates, key=changes))


def room_lost(busy: Mapping[str, Sequence[Interval]], announced: Any) -> dict[str, Sequence[Interval]]:
    """When rooms are taken, if the announced one cannot be had at the announced time."""
    if announced is None or announced.room is None:
        return dict(busy)
    lost = (announced.starts, announced.ends)
    return {**busy, announced.room: [*busy.get(announced.room, ()), lost]}


@dataclass(frozen=True)
class Held:
    """A live seat of an announced sitting, and whether its holder declined. ``name`` is the agency's."""

    agency: str
    name: str
    need: str
    absent: bool


def broken(seats: Sequence[Held], quorum: Iterable[Quorum], kinds: Mapping[str, str]) -> tuple[str, ...]:
    """What an announced sitting no longer keeps (P1-P4): required agencies that declined, quorums that are missed."""
    coming = {one.agency for one in seats if not one.absent}
    required = dict.fromkeys(one.name for one in seats if one.need == "required" and one.agency not in coming)
    missed = [
        one.name
        for one in quorum
        if sum(code in one.agencies or kinds.get(code) in one.kinds for code in coming) < one.at_least
    ]
    return (*(f"必須の席「{name}」" for name in required), *(f"成立の要件「{name}」" for name in missed))
