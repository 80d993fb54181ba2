"""Time as integers: bit s of a number is the s-th quarter of an hour (calendar.md 5.1), and sums kept bit by bit.

``Planes`` add weights for all slots at once: plane k holds bit k of each slot's sum. A slot's sum is never looked up on
its own; ``levels`` walks the sums from the lowest up and yields, with each, all slots that have it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.meetings.timetable.problem import QUARTER, TOKYO

Planes = list[int]


def ones(count: int) -> int:
    """``count`` low bits."""
    return (1 << count) - 1 if count > 0 else 0


def first_bit(bits: int) -> int:
    """The lowest slot of ``bits``, which is not empty."""
    return (bits & -bits).bit_length() - 1


def each_bit(bits: int) -> Iterator[int]:
    """The slots of ``bits``, ascending."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def nth_bit(bits: int, number: int) -> int:
    """The slot of ``bits`` that has ``number`` others below it; halves are counted, not bits walked."""
    at, width = 0, bits.bit_length()
    while width > 1:
        half = width >> 1
        low = bits & ((1 << half) - 1)
        below = low.bit_count()
        if number < below:
            bits, width = low, half
        else:
            number, bits, at, width = number - below, bits >> half, at + half, width - half
    return at


def runs(free: int, length: int) -> int:
    """The slots from which ``length`` slots in a row are free."""
    done = 1
    while done < length:
        step = min(done, length - done)
        free &= free >> step
        done += step
    return free


def stretched(bits: int, before: int, after: int) -> int:
    """Every slot of ``bits``, and so many before and after each."""
    for amount, left in ((before, False), (after, True)):
        done = 0
        while done < amount:
            step = min(done + 1, amount - done)
            bits |= bits << step if left else bits >> step
            done += step
    return bits


def add(planes: Planes, bits: int, weight: int) -> None:
    """Add ``weight``, which is not negative, to the sum of every slot in ``bits``."""
    plane = 0
    while weight > 0 and bits:
        if weight & 1:
            carry, n = bits, plane
            while carry:
                while n >= len(planes):
                    planes.append(0)
                planes[n], carry = planes[n] ^ carry, planes[n] & carry
                n += 1
        weight >>= 1
        plane += 1


def levels(planes: Planes, possible: int) -> Iterator[tuple[int, int]]:
    """(sum, slots of ``possible`` with that sum), from the lowest sum up."""
    waiting = [(len(planes), 0, possible)] if possible else []
    while waiting:
        depth, total, slots = waiting.pop()
        while depth:
            depth -= 1
            above = slots & planes[depth]
            if above == slots:
                total += 1 << depth
            elif above:
                waiting.append((depth, total + (1 << depth), above))
                slots ^= above
        yield total, slots


def at_least(counted: Iterable[int], wanted: int) -> Callable[[int], int]:
    """Of ``possible`` slots, those that ``wanted`` or more of ``counted`` have (quorum of k)."""
    if wanted == 1:
        any_of = 0
        for bits in counted:
            any_of |= bits
        return lambda possible: possible & any_of
    planes: Planes = []
    for bits in counted:
        add(planes, bits, 1)

    def those(possible: int) -> int:
        enough, equal = 0, possible
        for n in range(max(len(planes), wanted.bit_length()) - 1, -1, -1):
            plane = planes[n] if n < len(planes) else 0
            if wanted >> n & 1:
                equal &= plane
            else:
                enough |= equal & plane
                equal &= ~plane
        return enough | equal

    return those


# -- which quarter is which --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """Open days one after the other, ``width`` slots each, of which the last ``pad`` are never open.

    The pad keeps a stretch of travel, or a sitting, from reaching into the next day.
    """

    days: tuple[date, ...]
    opens: time
    per_day: int
    pad: int

    @property
    def width(self) -> int:
        """Slots per day, the pad included."""
        return self.per_day + self.pad

    @property
    def size(self) -> int:
        """Slots in all."""
        return len(self.days) * self.width

    def start_of(self, slot: int) -> datetime:
        """The instant, in Japan, at which a slot begins."""
        day, quarter = divmod(slot, self.width)
        return datetime.combine(self.days[day], self.opens, TOKYO) + quarter * QUARTER

    def slot_at(self, when: datetime) -> int | None:
        """The slot that begins at ``when``; None if none does."""
        when = when.astimezone(TOKYO)
        quarter, rest = divmod(when - datetime.combine(when.date(), self.opens, TOKYO), QUARTER)
        number = self._day(when.date())
        if rest or not 0 <= quarter < self.per_day or number >= len(self.days) or self.days[number] != when.date():
            return None
        return number * self.width + quarter

    def next_slot(self, when: datetime, *, after: bool = False) -> int:
        """The first slot that begins at ``when`` or later; with ``after``, later."""
        slot = self._ceiling(when)
        return slot + 1 if after and self.slot_at(when) == slot else slot

    def day_of(self, slot: int) -> int:
        """The number of the open day a slot lies in."""
        return slot // self.width

    def day_bits(self, day: int) -> int:
        """The slots of an open day, the pad included."""
        return ones(self.width) << day * self.width

    def touched(self, times: Iterable[tuple[datetime, datetime]]) -> int:
        """Every slot that one of ``times`` touches, were it for a minute; each ends after it starts."""
        bits = 0
        for starts, ends in times:
            begin, end = self._floor(starts), self._ceiling(ends)
            if begin < end:
                bits |= ones(end - begin) << begin
        return bits

    def within(self, times: Iterable[tuple[datetime, datetime]]) -> int:
        """Every slot that lies wholly in one of ``times``."""
        bits = 0
        for starts, ends in times:
            begin, end = self._ceiling(starts), self._floor(ends)
            if begin < end:
                bits |= ones(end - begin) << begin
        return bits

    def daily(self, weekdays: Iterable[int], opens: time, closes: time) -> int:
        """The slots of these weekdays within these hours."""
        begin, end = (max(0, min(self.per_day, self._quarters(clock))) for clock in (opens, closes))
        one, wanted, bits = ones(end - begin) << begin, set(weekdays), 0
        for number, day in enumerate(self.days):
            if day.weekday() in wanted:
                bits |= one << number * self.width
        return bits

    def _quarters(self, clock: time) -> int:
        return (clock.hour * 60 + clock.minute - self.opens.hour * 60 - self.opens.minute) // 15

    def _day(self, day: date) -> int:
        """The number of this day, or of the next open one."""
        return bisect_left(self.days, day)

    def _floor(self, when: datetime) -> int:
        return self._edge(when, up=False)

    def _ceiling(self, when: datetime) -> int:
        return self._edge(when, up=True)

    def _edge(self, when: datetime, *, up: bool) -> int:
        local = when if when.tzinfo is TOKYO else when.astimezone(TOKYO)
        number = self._day(local.date())
        if number >= len(self.days):
            return self.size
        if self.days[number] != local.date():
            return number * self.width
        minutes = (local.hour - self.opens.hour) * 60 + local.minute - self.opens.minute
        quarters, rest = divmod(minutes, 15)
        if up and (rest or local.second or local.microsecond):
            quarters += 1
        return number * self.width + max(0, min(self.per_day, quarters))


def axis(first: date, last: date, opens: time, closes: time, is_open: Callable[[date], bool], *, pad: int = 1) -> Axis:
    """The open days from ``first`` to ``last``, from ``opens`` to ``closes``."""
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    minutes = (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
    return Axis(tuple(day for day in every if is_open(day)), opens, minutes // 15, max(1, pad))
