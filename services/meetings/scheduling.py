"""Finding a date: bit s of an integer is the s-th quarter of an hour (calendar.md 5.1). Plain values in and out.

The sums over slots are the timetable's (``timetable/slots.py``); what the service asks is its simplest case.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import and_, or_
from typing import Literal
from uuid import UUID

from services.meetings.timetable.problem import QUARTER
from services.meetings.timetable.problem import TOKYO as TOKYO  # the service's modules have it from here
from services.meetings.timetable.slots import Planes, add, first_bit, levels, ones, runs

LUNCH = (time(12), time(13))

Need = Literal["required", "expected", "optional"]
Interval = tuple[datetime, datetime]
"""[starts, ends), aware."""


@dataclass(frozen=True)
class Wanted:
    """A seat to be filled by the first of ``persons`` who can come. ``name`` is the agency's, for people to read."""

    agency: str
    name: str
    need: Need
    persons: tuple[UUID, ...]


@dataclass(frozen=True)
class Window:
    """When a sitting may lie: bit s of ``open`` stands for the quarter that begins s quarters after ``origin``."""

    origin: datetime
    open: int

    def start_of(self, slot: int) -> datetime:
        """The instant at which a slot begins, UTC."""
        return (self.origin + slot * QUARTER).astimezone(UTC)

    def covered(self, times: Iterable[Interval]) -> int:
        """Every slot that one of ``times`` touches, were it for a minute."""
        bits = 0
        for starts, ends in times:
            first = max(0, (starts - self.origin) // QUARTER)
            last = min(self.open.bit_length(), -((self.origin - ends) // QUARTER))
            if starts < ends and first < last:
                bits |= ones(last - first) << first
        return bits


@dataclass(frozen=True)
class Proposal:
    """The date that was found, who sits where, which seats stay empty, and why it is this date (Japanese)."""

    starts: datetime
    ends: datetime
    chosen: tuple[tuple[Wanted, UUID], ...]
    missing: tuple[Wanted, ...]
    why: str


@dataclass(frozen=True)
class NoSlot:
    """No date. ``blocking`` names the duty holders (agencies) it fails for; ``why`` says so, and what to do."""

    blocking: tuple[str, ...]
    why: str


def office_hours(first: date, last: date, opens: time, closes: time, closed: Callable[[date], bool]) -> Window:
    """Office hours of the days from ``first`` to ``last``, without lunch and closed days. Wall clock in Japan."""
    origin = datetime.combine(first, time(0), TOKYO)
    whole = Window(origin, ones(max(0, (last - first).days + 1) * (timedelta(days=1) // QUARTER)))
    bits = 0
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if not closed(day):
            at = [datetime.combine(day, clock, TOKYO) for clock in (opens, LUNCH[0], LUNCH[1], closes)]
            shut = whole.covered(
                [(at[0] - timedelta(days=1), at[0]), (at[1], at[2]), (at[3], at[3] + timedelta(days=1))]
            )
            bits |= whole.covered([(at[0], at[3])]) & ~shut
    return Window(origin, bits)


def find_date(
    seats: Sequence[Wanted], busy: Mapping[UUID, Sequence[Interval]], window: Window, minutes: int
) -> Proposal | NoSlot:
    """The date on which every required seat is filled, most expected ones are, and of those dates the earliest (P1-P4).

    A required seat may be filled by any of its persons, one and the same for the whole sitting. Optional seats are
    filled if they can be and decide nothing.
    """
    length = -(-minutes // 15)
    persons = {person for seat in seats for person in seat.persons}
    can_start = {person: runs(window.open & ~window.covered(busy.get(person, ())), length) for person in persons}
    filled = [reduce(or_, (can_start[person] for person in seat.persons), 0) for seat in seats]
    required = [(seat, bits) for seat, bits in zip(seats, filled, strict=True) if seat.need == "required"]
    expected = [bits for seat, bits in zip(seats, filled, strict=True) if seat.need == "expected"]
    anywhere = runs(window.open, length)
    possible = reduce(and_, (bits for _, bits in required), anywhere)
    if not possible:
        return _no_slot(required, anywhere, minutes)
    best = first_bit(_most(possible, expected))
    starts = window.start_of(best)
    chosen = tuple(
        (seat, next(one for one in seat.persons if can_start[one] >> best & 1))
        for seat, bits in zip(seats, filled, strict=True)
        if bits >> best & 1
    )
    here = {seat for seat, _ in chosen}
    missing = tuple(seat for seat in seats if seat not in here and seat.need == "expected")
    why = _why(seats, missing, earliest=best == first_bit(possible))
    return Proposal(starts, starts + timedelta(minutes=minutes), chosen, missing, why)


def _most(possible: int, wishes: Iterable[int]) -> int:
    """Those of the ``possible`` slots at which most wishes hold: an unfilled one costs 1, and the lowest sum wins."""
    planes: Planes = []
    for wish in wishes:
        add(planes, possible & ~wish, 1)
    return next(levels(planes, possible))[1]


def _agencies(seats: Iterable[Wanted]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(seat.name for seat in seats))


def _why(seats: Sequence[Wanted], missing: Sequence[Wanted], *, earliest: bool) -> str:
    """Counts agencies, not seats: that is what an organiser counts (M2)."""
    required = _agencies(seat for seat in seats if seat.need == "required")
    expected = _agencies(seat for seat in seats if seat.need == "expected")
    absent = _agencies(missing)
    best = "最も早い日時です" if earliest else "、原則参加の機関が最も多く出られる日時です"
    text = f"必須{len(required)}機関がそろ{'う' if earliest else 'い'}{best}"
    if expected:
        text += f"(原則{len(expected)}機関中{len(expected) - len(absent)}機関が出席可)"
    return f"{text}。出られない機関: {'、'.join(absent)}" if absent else text


def _no_slot(required: Sequence[tuple[Wanted, int]], anywhere: int, minutes: int) -> NoSlot:
    """Names who blocks: whoever has no date even alone; else whose leaving would open most dates (calendar.md 5.1)."""
    unstaffed = _agencies(seat for seat, _ in required if not seat.persons)
    if unstaffed:
        return NoSlot(
            unstaffed, f"必須の出席者が職員の名簿にいません: {'、'.join(unstaffed)}。名簿に担当者を登録してください。"
        )
    if not anywhere:
        return NoSlot((), f"期間内に、会議の長さ({minutes}分)がとれる開庁時間がありません。")
    alone = _agencies(seat for seat, bits in required if not bits)
    if alone:
        text = (
            f"必須の機関に、期間内の空きがありません: {'、'.join(alone)}。代理を立てるか、予定の調整を頼んでください。"
        )
        return NoSlot(alone, text)
    without = {
        name: reduce(and_, (bits for seat, bits in required if seat.name != name), anywhere).bit_count()
        for name in _agencies(seat for seat, _ in required)
    }
    most = max(without.values())
    if not most:
        names = tuple(without)
        return NoSlot(names, f"必須の機関のそろう日時がありません: {'、'.join(names)}。どこかに代理を立ててください。")
    name = next(name for name, count in without.items() if count == most)
    text = f"必須の機関のそろう日時がありません。{name}のほかはそろいます。"
    return NoSlot((name,), text + f"{name}に、代理か予定の調整を頼んでください。")
