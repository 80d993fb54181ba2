"""The rules of a poll: how it stands, which answer counts, which times may be asked for. Values in, values out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from contracts.polls import Choice
from contracts.proposing import PollStanding
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import Window
from services.meetings.timetable.problem import QUARTER
from services.meetings.timetable.slots import runs

NOT_OPEN = "開庁時間の外か、日程を決める期間の外の候補があります。"
OVERLAP = "候補の時間どうしが重なっています。"
TOO_LATE = "回答の期限は、いまより後、最初の候補より前にしてください。"


@dataclass(frozen=True)
class Given:
    """One answer to one line. ``number`` counts the person's answers; ``typed_by`` noted it from the telephone."""

    person: UUID
    position: int
    number: int
    choice: Choice
    at: datetime
    typed_by: UUID | None = None


def counting(given: Iterable[Given]) -> Mapping[tuple[UUID, int], Given]:
    """The answer that counts, by person and line: the last one. Those before are kept, not counted."""
    last: dict[tuple[UUID, int], Given] = {}
    for one in given:
        before = last.get((one.person, one.position))
        if before is None or before.number < one.number:
            last[one.person, one.position] = one
    return last


def contradicting(given: Sequence[Given]) -> frozenset[UUID]:
    """Who said another thing of a line before: the last counts, and somebody may want to ask."""
    last = counting(given)
    return frozenset(one.person for one in given if last[one.person, one.position].choice != one.choice)


def standing(
    closed: bool, closes_at: datetime, asked: Collection[UUID], answered: Collection[UUID], now: datetime
) -> PollStanding:
    """How a poll stands. Whoever said something of one line has answered."""
    if closed:
        return "closed"
    if asked and set(asked) <= set(answered):
        return "complete"
    if now < closes_at:
        return "open"
    return "partial" if set(asked) & set(answered) else "nobody"


def why_not_open(
    starts: Sequence[datetime], minutes: int, closes_at: datetime, window: Window, now: datetime
) -> Refusal | None:
    """Why these times may not be asked for: outside the days of the search, overlapping, or asked for too late (M1).

    Calendars do not count here: a poll is asked where they are not believed.
    """
    length = -(-minutes // 15)
    possible = runs(window.open, length)
    ordered = sorted(starts)
    if any(_slot(one, window) is None or not possible >> (_slot(one, window) or 0) & 1 for one in ordered):
        return Refusal("M1", NOT_OPEN, "開庁日の開庁時間に、会議の長さが収まる候補を選んでください。")
    if any(other - one < timedelta(minutes=minutes) for one, other in pairwise(ordered)):
        return Refusal("M12", OVERLAP, "どの候補への回答かが分かるように、重ならない候補を選んでください。")
    if not now < closes_at < ordered[0]:
        return Refusal("M12", TOO_LATE, "期限を入れ直してください。")
    return None


def _slot(start: datetime, window: Window) -> int | None:
    slot, rest = divmod(start - window.origin, QUARTER)
    return slot if not rest and slot >= 0 else None
