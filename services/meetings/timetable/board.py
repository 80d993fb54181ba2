"""The board: which sitting lies where, who sits in it, and what all that costs, kept exact at every change.

Every change goes through ``put``, ``lift`` and ``seat``, so the sum of costs never has to be counted anew. A board
holds no two sittings that need the same room or person at once: what would clash is never put.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.meetings.timetable.grid import Grid, Sitting, seat_cost


class Use(NamedTuple):
    """A person's or a room's time in a sitting: slots [starts, ends) at a place."""

    starts: int
    ends: int
    place: int


@dataclass(frozen=True)
class Announced:
    """Where an announced sitting lay, in which room, and who was to sit where."""

    slot: int
    room: int | None
    who: tuple[int | None, ...]


Spot = tuple[int, int, int | None, tuple[int | None, ...]]
"""Start, place, room and who sits where: what is needed to put a sitting back."""


class Board:
    """Placements and their exact cost. Sittings, persons, rooms and agencies are numbers of the grid."""

    def __init__(self, grid: Grid, announced: Mapping[int, Announced] | None = None) -> None:
        self.grid = grid
        self.announced = dict(announced or {})
        count = len(grid.sittings)
        self.spot: list[Spot | None] = [None] * count
        self.who: list[list[int | None]] = [[None] * len(one.chairs) for one in grid.sittings]
        self.uses: list[dict[int, Use]] = [{} for _ in grid.problem.persons]
        self.room_uses: list[dict[int, Use]] = [{} for _ in grid.problem.rooms]
        self.load = Counter[tuple[int, int]]()
        self.missed = [agency.missed for agency in grid.problem.agencies]
        self.limits = [agency.per_day for agency in grid.problem.agencies]
        self.full = [0] * len(self.limits)
        """By agency: the slots of the days on which another sitting would be one too many."""
        self.cost = 0
        self.moved = 0
        """How many announced sittings lie elsewhere now."""
        self.unplaced = sum(one.weight for one in grid.sittings)
        self._here: list[Counter[int]] = [Counter() for _ in grid.sittings]
        self._vital: list[set[int | None] | None] = [None] * count
        self._agencies: list[Counter[int]] = [Counter() for _ in grid.sittings]
        self.seats_of: list[list[tuple[int, int]]] = [[] for _ in grid.problem.persons]
        for number, sitting in enumerate(grid.sittings):
            for n, chair in enumerate(sitting.chairs):
                for person in chair.persons if chair.absent else ():
                    self.seats_of[person].append((number, n))

    @property
    def key(self) -> tuple[int, int, int]:
        """What boards are compared by: fewer without a date first, then fewer moved, then the cost."""
        return self.unplaced, self.moved, self.cost

    # -- changes -------------------------------------------------------------------------------------------------------

    def put(self, number: int, slot: int, place: int, room: int | None, who: Sequence[int | None]) -> None:
        """Place a sitting that has no place. The caller knows that nothing clashes."""
        sitting = self.grid.sittings[number]
        self.spot[number] = (slot, place, room, ())
        if room is not None:
            self.room_uses[room][number] = Use(slot, slot + sitting.length, place)
        self.unplaced -= sitting.weight
        self.moved += self.has_moved(number)
        self.cost += self._place_cost(number, slot, room)
        for n, person in enumerate(who):
            self._sit(number, n, person)

    def lift(self, number: int) -> Spot:
        """Take a sitting out; what is returned puts it back."""
        was = self.spot[number]
        assert was is not None  # noqa: S101 - the callers look first
        slot, place, room, _ = was
        who = tuple(self.who[number])
        for n in range(len(who)):
            self._rise(number, n)
        if room is not None:
            del self.room_uses[room][number]
        self.cost -= self._place_cost(number, slot, room)
        self.moved -= self.has_moved(number)
        self.unplaced += self.grid.sittings[number].weight
        self.spot[number] = None
        return slot, place, room, who

    def seat(self, number: int, n: int, person: int | None) -> None:
        """Another person, or nobody, on a seat of a sitting that has its place."""
        self._rise(number, n)
        self._sit(number, n, person)

    def offer(self, number: int, n: int, person: int) -> None:
        """A free person takes an empty seat, unless her agency has enough that day and it costs more."""
        before = self.cost
        self.seat(number, n, person)
        if self.cost > before:
            self.seat(number, n, None)

    def _place_cost(self, number: int, slot: int, room: int | None) -> int:
        sitting = self.grid.sittings[number]
        cost = sum((plane >> slot & 1) << n for n, plane in enumerate(sitting.wait))
        if was := self.announced.get(number):
            weights = self.grid.problem.weights
            cost += weights.moved if was.slot != slot else weights.rehoused if was.room != room else 0
        return cost

    def _seat_cost(self, number: int, n: int, person: int | None, slot: int) -> int:
        """Without fairness and load, which depend on others."""
        sitting, weights = self.grid.sittings[number], self.grid.problem.weights
        chair = sitting.chairs[n]
        if person is None:
            cost = chair.absent or 0
        else:
            unwilling = bool(sitting.avoid.get(person, 0) >> slot & 1)
            cost = seat_cost(self.grid.problem, chair, chair.persons.index(person), unwilling=unwilling)
        was = self.announced.get(number)
        if was and was.slot == slot and was.who[n] is not None and was.who[n] != person:
            cost += weights.changed
        return cost

    def _sit(self, number: int, n: int, person: int | None) -> None:
        sitting, spot = self.grid.sittings[number], self.spot[number]
        assert spot is not None  # noqa: S101 - put gives the place first
        slot, place = spot[0], spot[1]
        self.who[number][n] = person
        self._vital[number] = None
        self.cost += self._seat_cost(number, n, person, slot)
        if person is None:
            if sitting.chairs[n].need == "expected":
                agency = sitting.chairs[n].agency
                self.cost += self.grid.problem.weights.fairness * self.missed[agency]
                self.missed[agency] += 1
            return
        here = self._here[number]
        here[person] += 1
        if here[person] == 1:
            self.uses[person][number] = Use(slot, slot + sitting.length, place)
            agency = self.grid.agency_of[person]
            self._agencies[number][agency] += 1
            if self._agencies[number][agency] == 1:
                day = self.grid.axis.day_of(slot)
                self.load[agency, day] += 1
                if limit := self.limits[agency]:
                    if self.load[agency, day] > limit:
                        self.cost += self.grid.problem.weights.overload
                    elif self.load[agency, day] == limit:
                        self.full[agency] |= self.grid.axis.day_bits(day)

    def _rise(self, number: int, n: int) -> None:
        sitting, spot = self.grid.sittings[number], self.spot[number]
        assert spot is not None  # noqa: S101 - lift takes the place last
        slot, person = spot[0], self.who[number][n]
        self.who[number][n] = None
        self._vital[number] = None
        self.cost -= self._seat_cost(number, n, person, slot)
        if person is None:
            if sitting.chairs[n].need == "expected":
                agency = sitting.chairs[n].agency
                self.missed[agency] -= 1
                self.cost -= self.grid.problem.weights.fairness * self.missed[agency]
            return
        here = self._here[number]
        here[person] -= 1
        if not here[person]:
            del self.uses[person][number]
            agency = self.grid.agency_of[person]
            self._agencies[number][agency] -= 1
            if not self._agencies[number][agency]:
                day = self.grid.axis.day_of(slot)
                if limit := self.limits[agency]:
                    if self.load[agency, day] > limit:
                        self.cost -= self.grid.problem.weights.overload
                    elif self.load[agency, day] == limit:
                        self.full[agency] &= ~self.grid.axis.day_bits(day)
                self.load[agency, day] -= 1

    # -- questions -----------------------------------------------------------------------------------------------------

    def has_moved(self, number: int) -> bool:
        """Whether a sitting that has a place was announced for another time or room."""
        was, spot = self.announced.get(number), self.spot[number]
        return was is not None and spot is not None and (was.slot, was.room) != (spot[0], spot[2])

    def vital(self, number: int, person: int) -> bool:
        """Whether the sitting would fall with this person's seats empty: one is required, or a quorum just reached."""
        known = self._vital[number]
        if known is None:
            known = self._vital[number] = self._who_is_vital(number)
        return person in known

    def _who_is_vital(self, number: int) -> set[int | None]:
        sitting, who = self.grid.sittings[number], self.who[number]
        vital = {one for one, chair in zip(who, sitting.chairs, strict=True) if chair.absent is None}
        for wanted, chairs in sitting.quorum:
            here = [who[n] for n in chairs if who[n] is not None]
            vital.update(one for one in here if len(here) - here.count(one) < wanted)
        return vital

    def release(self, number: int, person: int) -> int | None:
        """What it costs that this person leaves the sitting, substitutes counted; None: it would fall without her."""
        sitting, who, spot = self.grid.sittings[number], self.who[number], self.spot[number]
        cost, slot, alone = 0, spot[0] if spot else 0, False
        for n, one in enumerate(who):
            if one == person:
                chair = sitting.chairs[n]
                other = self.stand_in(number, n, person) if len(chair.persons) > 1 else None
                if other is None:
                    if chair.absent is None:
                        return None
                    alone = True
                    if chair.need == "expected":
                        cost += self.grid.problem.weights.fairness * self.missed[chair.agency]
                cost += self._seat_cost(number, n, other, slot) - self._seat_cost(number, n, person, slot)
        return None if alone and self.vital(number, person) else max(0, cost)

    def stand_in(self, number: int, n: int, person: int, busy: Container[int | None] = ()) -> int | None:
        """Who could take this seat instead of its person; nobody of ``busy``."""
        for other in self.grid.sittings[number].chairs[n].persons:
            if other != person and other not in busy and self.may_sit(number, other, instead=person):
                return other
        return None

    def clashes(self, person: int, sitting: Sitting, place: int) -> Iterator[tuple[int, int]]:
        """(other sitting, starts of this one that it forbids to the person, its travel included)."""
        length, between = sitting.length, self.grid.between
        for other, use in self.uses[person].items():
            way = between(place, use.place) if use.place != place else 0
            low = use.starts - length - way + 1
            if low < 0:
                low = 0
            yield other, ((1 << (use.ends + way - low)) - 1) << low
        for foe in self.grid.foes.get(person, ()):
            for other, use in self.uses[foe].items():
                if use.place == place and place >= 0:
                    low = max(0, use.starts - length + 1)
                    yield other, ((1 << (use.ends - low)) - 1) << low

    def room_clashes(self, room: int, length: int) -> Iterator[tuple[int, int]]:
        """(other sitting, starts at which it holds the room)."""
        for other, use in self.room_uses[room].items():
            low = max(0, use.starts - length + 1)
            yield other, ((1 << (use.ends - low)) - 1) << low

    def may_sit(self, number: int, person: int, instead: int | None = None) -> bool:
        """Whether the person could join this sitting where it lies now, once ``instead`` has left."""
        sitting, spot = self.grid.sittings[number], self.spot[number]
        if spot is None or person in sitting.never or not sitting.can.get((person, spot[1]), 0) >> spot[0] & 1:
            return False
        if any(foe != instead and self._here[number][foe] for foe in self.grid.foes.get(person, ())):
            return False
        return not any(bits >> spot[0] & 1 for other, bits in self.clashes(person, sitting, spot[1]) if other != number)

    # -- keeping -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> list[Spot | None]:
        """All placements, to be put back by ``restore``."""
        return [
            (spot[0], spot[1], spot[2], tuple(who)) if spot else None
            for spot, who in zip(self.spot, self.who, strict=True)
        ]

    def restore(self, kept: Sequence[Spot | None]) -> None:
        """Back to a snapshot."""
        for number in range(len(kept)):
            if self.spot[number] is not None:
                self.lift(number)
        for number, spot in enumerate(kept):
            if spot is not None:
                self.put(number, *spot)
