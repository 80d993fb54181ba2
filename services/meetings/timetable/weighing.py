"""Weighing all starts of one sitting at once, as things stand on the board: what is possible, and what it costs.

Slots are bits of an integer, costs its planes (slots.py): each seat takes as many operations as people could sit on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from services.meetings.timetable.board import Announced, Board
from services.meetings.timetable.grid import Chair, Grid, Sitting, Take, Variant, quorate, seat_cost, takes
from services.meetings.timetable.slots import Planes, add

IN_THE_WAY = 1 << 14
"""What taking another sitting out costs in a step, times its weight: more than all soft costs of one sitting."""


@dataclass(frozen=True)
class Way:
    """One variant, weighed for a step."""

    variant: Variant
    possible: int
    planes: Planes
    seats: list[list[Take]]
    rooms: Mapping[int, int]


class Scales:
    """What a start costs on this board. ``stubborn``: how much each sitting weighs when it is in the way; it grows
    under the search."""

    def __init__(self, grid: Grid, board: Board, people: list[tuple[int, ...]], random: Random) -> None:
        self.grid, self.board, self.people, self.random = grid, board, people, random
        self.stubborn = [one.weight for one in grid.sittings]

    def weigh(self, number: int, sitting: Sitting, variant: Variant, *, out: bool) -> Way:
        """All starts of one variant as things stand; with ``out`` also those where others would have to go."""
        board, place = self.board, variant.place
        in_way: dict[int, int] = {}
        rooms, possible = self._rooms(sitting, variant, in_way if out else None)
        nothing = Way(variant, 0, [], [], rooms)
        if not possible:
            return nothing
        can: dict[int, int] = {}
        freeable: dict[int, list[tuple[int, int]]] = {}  # person: (what leaving costs, starts)
        held: dict[int, list[tuple[int, int]]] = {}
        for person in self.people[number]:
            base = sitting.can.get((person, place), 0)
            if not base or person in variant.out:
                continue
            free = base
            for other, bits in board.clashes(person, sitting, place):
                if bits & base:
                    free &= ~bits
                    cost = board.release(other, person) if person in board.who[other] else None
                    if cost is None:
                        held.setdefault(person, []).append((other, bits & base))
                    else:
                        freeable.setdefault(person, []).append((cost, bits & base))
            can[person] = free
        seats: list[list[Take]] = [[] for _ in sitting.chairs]
        filled = [0] * len(seats)
        present: dict[int, int] = {}
        for n in sitting.order:
            chair = sitting.chairs[n]
            found, bits = self._taken(sitting, n, can, present)
            if freeable:
                bits = self._freed(chair, freeable, held, found, bits)
            if chair.absent is None:
                if out:
                    bits = self._forced(sitting, variant, chair, held, found, bits, in_way)
                possible &= bits
                if not possible:
                    return nothing
            seats[n], filled[n] = found, bits
            for take in found:
                agency = self.grid.agency_of[take.person]
                if board.full[agency]:
                    present[agency] = present.get(agency, 0) | take.slots
        if sitting.quorum:
            if out and quorate(sitting, filled, possible) == 0:
                for n in {n for _, chairs in sitting.quorum for n in chairs}:
                    chair = sitting.chairs[n]
                    filled[n] = self._forced(sitting, variant, chair, held, seats[n], filled[n], in_way)
            possible = quorate(sitting, filled, possible)
            if not possible:
                return nothing
        planes = self._costs(sitting, possible, seats, filled)
        for agency, bits in present.items():
            add(planes, bits & possible & board.full[agency], self.grid.problem.weights.overload)
        if was := board.announced.get(number):
            self._as_announced(was, possible, seats, rooms, planes)
        for other, bits in in_way.items():
            if self.grid.sittings[other].meeting.fixed:
                possible &= ~bits
            else:
                add(planes, bits & possible, IN_THE_WAY * self.stubborn[other])
        return Way(variant, possible, planes, seats, rooms)

    def _rooms(self, sitting: Sitting, variant: Variant, in_way: dict[int, int] | None) -> tuple[dict[int, int], int]:
        if not variant.rooms:
            return {}, sitting.inside if sitting.meeting.online else 0
        rooms: dict[int, int] = {}
        possible = 0
        for room in variant.rooms:
            bits = sitting.room_can[room]
            for _, taken in self.board.room_clashes(room, sitting.length):
                bits &= ~taken
            rooms[room] = bits
            possible |= bits
        if in_way is not None:
            order = list(variant.rooms)
            self.random.shuffle(order)
            for room in order:
                wanted = sitting.room_can[room] & ~possible
                for other, taken in self.board.room_clashes(room, sitting.length):
                    if taken & wanted:
                        in_way[other] = in_way.get(other, 0) | taken & wanted
                rooms[room] |= wanted
                possible |= wanted
        return rooms, possible

    def _taken(
        self, sitting: Sitting, n: int, can: Mapping[int, int], present: Mapping[int, int]
    ) -> tuple[list[Take], int]:
        """Who of the free takes a seat, and when; agencies that have enough on a day are asked last."""
        chair, board = sitting.chairs[n], self.board
        dear = {
            person: full & ~present.get(agency, 0)
            for person in chair.persons
            if (full := board.full[agency := self.grid.agency_of[person]])
        }
        empty = None
        if dear and chair.absent is not None and n not in sitting.counted:
            empty = chair.absent
            if chair.need == "expected":
                empty += self.grid.problem.weights.fairness * board.missed[chair.agency]
        found = takes(sitting, chair, can, self.grid.problem, dear, empty)
        bits = 0
        for take in found:
            bits |= take.slots
        return found, bits

    def _freed(
        self,
        chair: Chair,
        freeable: Mapping[int, list[tuple[int, int]]],
        held: Mapping[int, list[tuple[int, int]]],
        found: list[Take],
        filled: int,
    ) -> int:
        """Adds who could leave a seat elsewhere that may stay empty, where that costs less than an empty seat here."""
        for rank, person in enumerate(chair.persons):
            others = freeable.get(person)
            if not others:
                continue
            stuck = 0
            for _, bits in held.get(person, ()):
                stuck |= bits
            for number, (leaving, bits) in enumerate(others):
                cost = leaving + seat_cost(self.grid.problem, chair, rank, unwilling=False)
                elsewhere = 0
                for n, (_, more) in enumerate(others):
                    elsewhere |= more if n != number else 0
                if chair.absent is not None and cost >= chair.absent:
                    continue
                slots = bits & ~(stuck | elsewhere)
                for n, take in enumerate(found):
                    if take.slots & slots:
                        if cost < take.cost:  # sparing her elsewhere is cheaper than this substitute
                            found[n] = replace(take, slots=take.slots & ~slots)
                        else:
                            slots &= ~take.slots
                if slots:
                    found.append(Take(slots, person, cost))
                    filled |= slots
        return filled

    def _forced(
        self,
        sitting: Sitting,
        variant: Variant,
        chair: Chair,
        held: Mapping[int, list[tuple[int, int]]],
        found: list[Take],
        filled: int,
        in_way: dict[int, int],
    ) -> int:
        """Adds who is needed elsewhere: those sittings would have to go."""
        for person in chair.persons:
            base = sitting.can.get((person, variant.place), 0) & ~filled
            if person in variant.out or not base:
                continue
            for other, bits in held.get(person, ()):
                if bits & base:
                    in_way[other] = in_way.get(other, 0) | bits & base
            found.append(Take(base, person, 0))
            filled |= base
        return filled

    def _costs(self, sitting: Sitting, possible: int, seats: list[list[Take]], filled: list[int]) -> Planes:
        """What each possible start costs: waiting, seats, fairness, load."""
        board, problem = self.board, self.grid.problem
        weights, planes = problem.weights, list(sitting.wait)
        missing: dict[int, list[int]] = {}
        for chair, found, bits in zip(sitting.chairs, seats, filled, strict=True):
            for take in found:
                if take.cost:
                    add(planes, take.slots & possible, take.cost)
            if chair.absent is not None and (empty := possible & ~bits):
                cost = chair.absent
                if chair.need == "expected" and weights.fairness:
                    cost += weights.fairness * board.missed[chair.agency]
                    before = missing.setdefault(chair.agency, [])
                    for other in before:
                        add(planes, empty & other, weights.fairness)
                    before.append(empty)
                add(planes, empty, cost)
        return planes

    def _as_announced(
        self, was: Announced, possible: int, seats: list[list[Take]], rooms: Mapping[int, int], planes: Planes
    ) -> None:
        """What differs from what was announced costs: another time, another room, other people."""
        weights, same = self.grid.problem.weights, possible & (1 << was.slot) if was.slot >= 0 else 0
        add(planes, possible & ~same, weights.moved)
        if same:
            if rooms and not rooms.get(was.room if was.room is not None else -1, 0) & same:
                add(planes, same, weights.rehoused)
            for n, found in enumerate(seats):
                now = next((take.person for take in found if take.slots & same), None)
                if was.who[n] is not None and now != was.who[n]:
                    add(planes, same, weights.changed)
