"""The plan with the fewest changes to what was announced (issue: a decline, a room lost). Values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.meetings.ranking import Date
from services.meetings.scheduling import Wanted


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
