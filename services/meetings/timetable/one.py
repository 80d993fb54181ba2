"""One sitting: every lawful slot ranked, with what it costs whom (P1-P4; calendar.md 5.1). Exact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from services.meetings.timetable.grid import Chair, Grid, Sitting, Take, Variant, quorate, takes
from services.meetings.timetable.slots import Planes, add, each_bit, first_bit, levels


@dataclass(frozen=True)
class Option:
    """A lawful slot: when, where, who sits on which seat (None: it stays empty), and its cost."""

    sitting: Sitting
    slot: int
    starts: datetime
    cost: int
    place: int
    room: int | None
    chosen: tuple[int | None, ...]


@dataclass(frozen=True)
class Weighed:
    """One variant with all its starts: which are possible, the sums of what they cost, and who would sit where."""

    variant: Variant
    possible: int
    planes: Planes
    seats: tuple[tuple[Take, ...], ...]

    def chosen(self, slot: int) -> tuple[int | None, ...]:
        """By seat, who sits there at this start."""
        return tuple(next((one.person for one in seat if one.slots >> slot & 1), None) for seat in self.seats)


def weighed(grid: Grid, sitting: Sitting, variant: Variant, room_can: Mapping[int, int]) -> Weighed:
    """All starts of one variant at once. ``room_can``: the starts each room allows."""
    possible = sitting.inside
    if variant.rooms:
        possible = 0
        for room in variant.rooms:
            possible |= room_can[room]
    can = {
        person: bits
        for (person, place), bits in sitting.can.items()
        if place == variant.place and person not in variant.out
    }
    seats, filled = [], []
    for chair in sitting.chairs:
        found = takes(sitting, chair, can, grid.problem)
        bits = 0
        for take in found:
            bits |= take.slots
        if chair.absent is None:
            possible &= bits
        seats.append(tuple(found))
        filled.append(bits)
    possible = quorate(sitting, filled, possible)
    planes = list(sitting.wait)
    for chair, taken, bits in zip(sitting.chairs, seats, filled, strict=True):
        for take in taken:
            add(planes, take.slots & possible, take.cost)
        if chair.absent:
            add(planes, possible & ~bits, chair.absent)
    _fairness(grid, sitting.chairs, possible, filled, planes)
    return Weighed(variant, possible, planes, tuple(seats))


def _fairness(grid: Grid, chairs: Sequence[Chair], possible: int, filled: Sequence[int], planes: Planes) -> None:
    """An agency's n-th miss costs n - 1 times the weight: once per miss it has already, once per pair here."""
    weight = grid.problem.weights.fairness
    missing: dict[int, list[int]] = {}
    if not weight:
        return
    for chair, bits in zip(chairs, filled, strict=True):
        if chair.need == "expected" and (empty := possible & ~bits):
            before = missing.setdefault(chair.agency, [])
            add(planes, empty, weight * grid.problem.agencies[chair.agency].missed)
            for other in before:
                add(planes, empty & other, weight)
            before.append(empty)


def ranked(grid: Grid, number: int) -> Iterator[Option]:
    """Every lawful start of a sitting alone, the cheapest first, of equal ones the earliest."""
    sitting = grid.sittings[number]
    ways = [weighed(grid, sitting, variant, sitting.room_can) for variant in sitting.variants]
    if len(ways) == 1:
        starts = (
            (cost, slot, ways[0]) for cost, bits in levels(ways[0].planes, ways[0].possible) for slot in each_bit(bits)
        )
        yield from (_option(grid, sitting, *one) for one in starts)
        return
    seen = 0
    for cost, slot, n in merge(*(_starts(way, n) for n, way in enumerate(ways))):
        if not seen >> slot & 1:
            seen |= 1 << slot
            yield _option(grid, sitting, cost, slot, ways[n])


def _starts(way: Weighed, number: int) -> Iterator[tuple[int, int, int]]:
    for cost, bits in levels(way.planes, way.possible):
        for slot in each_bit(bits):
            yield cost, slot, number


def best(grid: Grid, number: int) -> Option | None:
    """The first of ``ranked``; None if no slot is lawful."""
    return next(ranked(grid, number), None)


def _option(grid: Grid, sitting: Sitting, cost: int, slot: int, way: Weighed) -> Option:
    room = next((n for n in way.variant.rooms if sitting.room_can[n] >> slot & 1), None)
    return Option(sitting, slot, grid.axis.start_of(slot), cost, way.variant.place, room, way.chosen(slot))


def cheapest(way: Weighed) -> tuple[int, int] | None:
    """(cost, earliest start with it)."""
    found = next(levels(way.planes, way.possible), None)
    return (found[0], first_bit(found[1])) if found else None
