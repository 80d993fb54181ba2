"""One sitting: every lawful slot ranked, with what it costs whom (P1-P4; calendar.md 5.1). Exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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
    sour: tuple[bool, ...]
    """By seat, whether that is a time its person would rather avoid."""


@dataclass(frozen=True)
class Weighed:
    """One variant with all its starts: which are possible, the sums of what they cost, and who would sit where."""

    variant: Variant
    possible: int
    planes: Planes
    seats: tuple[tuple[Take, ...], ...]


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


def ranked(grid: Grid, number: int) -> list[Option]:
    """Every lawful start of a sitting alone, the cheapest first, of equal ones the earliest."""
    sitting = grid.sittings[number]
    found: list[tuple[int, int, int, _Group]] = []
    for n, variant in enumerate(sitting.variants):
        way = weighed(grid, sitting, variant, sitting.room_can)
        for group in _groups(way):
            for cost, bits in levels(way.planes, group.slots):
                found += [(cost, slot, n, group) for slot in each_bit(bits)]
    found.sort(key=lambda one: one[:3])
    seen, options = 0, []
    for cost, slot, n, group in found:
        if not seen >> slot & 1:
            seen |= 1 << slot
            options.append(_option(grid, sitting, cost, slot, sitting.variants[n], group))
    return options


def cost_at(grid: Grid, number: int, slot: int) -> int | None:
    """What a start would cost if this sitting were the only one; None: it would not be lawful."""
    sitting = grid.sittings[number]
    ways = (weighed(grid, sitting, variant, sitting.room_can) for variant in sitting.variants)
    costs = (levels(way.planes, way.possible & 1 << slot) for way in ways)
    return min((cost for found in costs for cost, _ in found), default=None)


@dataclass(frozen=True)
class _Group:
    """Starts at which the same people sit, as willingly."""

    slots: int
    chosen: tuple[int | None, ...] = ()
    sour: tuple[bool, ...] = ()


def _groups(way: Weighed) -> list[_Group]:
    groups = [_Group(way.possible)] if way.possible else []
    for seat in way.seats:
        finer: list[_Group] = []
        for group in groups:
            rest = group.slots
            for take in seat:
                if hit := rest & take.slots:
                    finer.append(_Group(hit, (*group.chosen, take.person), (*group.sour, take.sour)))
                    rest ^= hit
            if rest:
                finer.append(_Group(rest, (*group.chosen, None), (*group.sour, False)))
        groups = finer
    return groups


def best(grid: Grid, number: int) -> Option | None:
    """The first of ``ranked``, without the others; None if no slot is lawful."""
    sitting, lowest = grid.sittings[number], None
    for n, variant in enumerate(sitting.variants):
        way = weighed(grid, sitting, variant, sitting.room_can)
        if found := next(levels(way.planes, way.possible), None):
            key = (found[0], first_bit(found[1]), n)
            if lowest is None or key < lowest[0]:
                lowest = key, way
    if lowest is None:
        return None
    (cost, slot, n), way = lowest
    at = Weighed(way.variant, 1 << slot, way.planes, way.seats)
    return _option(grid, sitting, cost, slot, sitting.variants[n], _groups(at)[0])


def _option(grid: Grid, sitting: Sitting, cost: int, slot: int, variant: Variant, group: _Group) -> Option:
    room = next((n for n in variant.rooms if sitting.room_can[n] >> slot & 1), None)
    starts = grid.axis.start_of(slot)
    return Option(sitting, slot, starts, cost, variant.place, room, group.chosen, group.sour)
