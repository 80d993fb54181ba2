"""Many sittings: a first plan, then a heat bath (calendar.md 5.5). Anytime: whenever it is stopped, it has a plan.

One step takes a sitting out and weighs **all** its starts at once, with whoever is free then, who could be freed at
which cost, and which rooms are; it draws the new start from the Boltzmann distribution over those costs. The levels of
the planes are walked from the lowest cost up, so a step costs as many integer operations as there are costs worth
drawing, and none per slot. When nothing is possible, the sittings in the way are taken out, and weigh more each time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import exp
from random import Random

from services.meetings.timetable.board import Announced, Board, Spot
from services.meetings.timetable.grid import Grid, Sitting, Variant
from services.meetings.timetable.one import best
from services.meetings.timetable.reseating import reseat
from services.meetings.timetable.slots import first_bit, levels, nth_bit
from services.meetings.timetable.weighing import IN_THE_WAY, Scales, Way

HOTTEST, COLDEST = 40.0, 0.8
"""Temperatures, in units of cost: at first a 原則 seat is often given up, in the end a day's wait is not."""
ODDLY = 0.1
"""How often, while it is warm, somebody else than the cheapest takes a seat."""
REACH = 9.0
"""Costs so many temperatures above the lowest are not drawn: together they would be one draw in hundreds."""
SHORTEST_EXCHANGE = 200
"""Steps that looking for exchanges may take after the shortest search."""

Clock = Callable[[], float]
Progress = Callable[[float, int, tuple[int, int, int]], None]
"""Called with (share of the time that is over, steps, key of the best board) as time goes by."""


@dataclass(frozen=True)
class Found:
    """The best board of a search."""

    board: Board
    steps: int


class Search:
    """One search on one board. Seeded: the same seed and number of steps give the same plan."""

    def __init__(self, grid: Grid, seed: int, announced: Mapping[int, Announced] | None = None) -> None:
        self.grid = grid
        self.random = Random(seed)  # noqa: S311 - a search, no secret
        self.board = Board(grid, announced)
        self.people = [tuple(dict.fromkeys(p for c in one.chairs for p in c.persons)) for one in grid.sittings]
        self.hopeless = {n for n in range(len(grid.sittings)) if best(grid, n) is None}
        self.scales = Scales(grid, self.board, self.people, self.random)
        self.steps = 0
        self._best: list[Spot | None] = self.board.snapshot()
        self._best_key = self.board.key

    # -- the search ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A first plan: the hardest to place first, each at its cheapest start."""
        room = [_starts(one) for one in self.grid.sittings]
        order = sorted(
            range(len(room)),
            key=lambda n: (self.grid.sittings[n].meeting.fixed is None, room[n] // self.grid.sittings[n].weight),
        )
        for number in order:
            if self.board.spot[number] is None and number not in self.hopeless:
                self.step(number, 0.0)

    def anneal(self, seconds: float, clock: Clock, *, steps: int | None = None, tell: Progress | None = None) -> None:
        """Cool down within ``seconds``, or ``steps``; the best board met is the one that is kept."""
        began, count, told = clock(), len(self.grid.sittings), -1.0
        order: list[int] = []
        first, share = self.steps, 0.0
        while share < 1:
            if not order:
                order = [n for n in range(count) if n not in self.hopeless]
                self.random.shuffle(order)
                order += [n for n in order if self.board.spot[n] is None]
                if not order:
                    break
            done = self.steps - first
            if done % 8 == 0 or steps is not None:
                share = done / steps if steps is not None else 0.0
                share = max(share, (clock() - began) / seconds) if seconds > 0 else share
                if tell and share - told >= 0.02:
                    tell(share, self.steps, self._best_key)
                    told = share
            self.step(order.pop(), HOTTEST * (COLDEST / HOTTEST) ** share)
        self.keep()

    def settle(self) -> None:
        """From the best board go downhill; what has no place is tried once more."""
        self.back()
        self.push(len(self.grid.sittings))
        self.keep()
        self.back()
        self.calm()
        self.exchange()
        reseat(self.board, self.grid)
        self.keep()

    def exchange(self) -> None:
        """Take out each sitting in turn, let those that share its people or rooms move, and find it another start: what
        no move of one sitting alone comes to. What is better is kept."""
        last = self.steps + max(SHORTEST_EXCHANGE, self.steps // 10)  # a tenth more: the time asked for is kept
        for number, sitting in enumerate(self.grid.sittings):
            self.back()
            if self.steps >= last:
                break
            if self.board.spot[number] is None or sitting.meeting.fixed:
                continue
            self.board.lift(number)
            beside = self._beside(number)
            for other in beside:
                self.step(other, 0.0, ejecting=False)
            self.push(3)
            self.keep()
            for other in beside:  # they chose their people without knowing that this one brings its agencies
                self.step(other, 0.0, ejecting=False)
            self.keep()
        self.back()

    def _beside(self, number: int) -> list[int]:
        """Who could use what this sitting leaves."""
        mine, rooms = set(self.people[number]), self._all_rooms(number)
        return [
            other
            for other in range(len(self.grid.sittings))
            if other != number
            and other not in self.hopeless
            and (not mine.isdisjoint(self.people[other]) or not rooms.isdisjoint(self._all_rooms(other)))
        ]

    def _all_rooms(self, number: int) -> set[int]:
        return {room for variant in self.grid.sittings[number].variants for room in variant.rooms}

    def keep(self) -> None:
        """Remember the board if it is the best so far."""
        if self.board.key < self._best_key:
            self._best, self._best_key = self.board.snapshot(), self.board.key

    def back(self) -> None:
        """Return to the best board so far."""
        if self.board.key != self._best_key:
            self.board.restore(self._best)

    def push(self, steps: int) -> bool:
        """Place what has no place, taking out what is in the way, until all have one or so many steps are over."""
        pushed = False
        for _ in range(steps):
            homeless = [n for n, spot in enumerate(self.board.spot) if spot is None and n not in self.hopeless]
            if not homeless:
                break
            pushed = True
            self.step(self.random.choice(homeless), 0.0)
        return pushed

    def calm(self) -> None:
        """Go downhill from here until no single sitting can be placed better."""
        while True:
            before = self.board.key
            for number in range(len(self.grid.sittings)):
                if number not in self.hopeless:
                    self.step(number, 0.0, ejecting=False)
            self.keep()
            if self.board.key >= before:
                return

    @property
    def best_key(self) -> tuple[int, int, int]:
        """The key of the best board so far."""
        return self._best_key

    def possible(self, number: int) -> bool:
        """Whether a sitting that has no place could have one beside the others as they lie."""
        sitting = self.grid.sittings[number]
        return any(self.scales.weigh(number, sitting, one, out=False).possible for one in sitting.variants)

    # -- one step ------------------------------------------------------------------------------------------------------

    def step(self, number: int, heat: float, *, ejecting: bool = True) -> None:
        """Take one sitting out, and draw its place anew."""
        self.steps += 1
        board, sitting = self.board, self.grid.sittings[number]
        if board.key < self._best_key:
            self._best, self._best_key = board.snapshot(), board.key
        was = board.lift(number) if board.spot[number] is not None else None
        ways = [self.scales.weigh(number, sitting, variant, out=False) for variant in sitting.variants]
        drawn = self._draw(ways, heat)
        if drawn is None and was is None and ejecting:
            ways = [self.scales.weigh(number, sitting, variant, out=True) for variant in sitting.variants]
            drawn = self._draw(ways, heat)
            if drawn is None:
                return
            if drawn[0] >= IN_THE_WAY * self.scales.stubborn[number] * 2:
                self.scales.stubborn[number] += sitting.weight
                return
        if drawn is None:
            if was is not None:
                board.put(number, *was)
            return
        self._settle_in(number, sitting, drawn[1], drawn[2], heat)
        if was is not None:
            self._fill_gaps(person for person in was[3] if person is not None)

    def _draw(self, ways: list[Way], heat: float) -> tuple[int, Way, int] | None:
        """(cost, way, start), from the Boltzmann distribution; at no heat one of the cheapest."""
        found: list[tuple[int, int, Way]] = []
        lowest: int | None = None
        for way in ways:
            for cost, bits in levels(way.planes, way.possible):
                if lowest is None or cost < lowest:
                    lowest = cost
                elif cost > lowest + REACH * heat:
                    break
                found.append((cost, bits, way))
        if lowest is None:
            return None
        if heat <= 0:
            cost, bits, way = self.random.choice([one for one in found if one[0] == lowest])
            return cost, way, first_bit(bits)
        chances = [bits.bit_count() * exp((lowest - cost) / heat) for cost, bits, _ in found]
        cost, bits, way = self.random.choices(found, chances)[0]
        return cost, way, nth_bit(bits, self.random.randrange(bits.bit_count()))

    def _settle_in(self, number: int, sitting: Sitting, way: Way, slot: int, heat: float) -> None:
        """Put the sitting there; whoever it needs leaves other sittings, and what is in the way is taken out."""
        board, place = self.board, way.variant.place
        room = self._room(number, way, slot)
        who = [next((take.person for take in seat if take.slots >> slot & 1), None) for seat in way.seats]
        if heat > 0 and who and self.random.random() < ODDLY:
            self._seat_oddly(sitting, way.variant, slot, who)
        freed: list[int] = []
        weakened: list[int] = []
        if room is not None:
            for other, bits in list(board.room_clashes(room, sitting.length)):
                if bits >> slot & 1:
                    freed += self._eject(other)
        for person in {one for one in who if one is not None}:
            for other, bits in list(board.clashes(person, sitting, place)):
                if bits >> slot & 1 and board.spot[other] is not None:
                    if person not in board.who[other] or not self._leaves(other, person, who):
                        freed += self._eject(other)
                    else:
                        weakened.append(other)
        board.put(number, slot, place, room, who)
        for other in weakened:
            if board.spot[other] is not None:
                self._fill(other)
        self._fill_gaps(freed)

    def _seat_oddly(self, sitting: Sitting, variant: Variant, slot: int, who: list[int | None]) -> None:
        """One person is done without, wherever others can take her seats: two sittings may both fit only if the first
        does without somebody it would rather have."""
        spared = self.random.choice(who)
        instead: dict[int, int] = {}
        for n, chair in enumerate(sitting.chairs):
            if spared is not None and who[n] == spared:
                others = [
                    one
                    for one in chair.persons
                    if one != spared
                    and one not in variant.out
                    and one not in self.grid.foes
                    and sitting.can.get((one, variant.place), 0) >> slot & 1
                ]
                if not others:
                    return
                instead[n] = self.random.choice(others)
        for n, one in instead.items():
            who[n] = one

    def _leaves(self, other: int, person: int, busy: list[int | None]) -> bool:
        """Her seats there go to substitutes, or stay empty; False, and nothing done: the sitting would fall."""
        board = self.board
        seats = [n for n, one in enumerate(board.who[other]) if one == person]
        instead: dict[int, int | None] = {}
        barred = set(busy)
        for n in seats:
            one = instead[n] = board.stand_in(other, n, person, barred)
            if one is not None:  # two stand-ins for her two seats may be a pair who must not meet
                barred.update(self.grid.foes.get(one, ()))
        if None in instead.values() and board.vital(other, person):
            chairs = self.grid.sittings[other].chairs
            empty = [n for n in seats if instead[n] is None]
            if any(chairs[n].absent is None for n in empty) or any(
                n in self.grid.sittings[other].counted for n in empty
            ):
                return False
        for n, one in instead.items():
            board.seat(other, n, one)
        return True

    def _eject(self, other: int) -> list[int]:
        self.scales.stubborn[other] += self.grid.sittings[other].weight
        return [person for person in self.board.lift(other)[3] if person is not None]

    def _room(self, number: int, way: Way, slot: int) -> int | None:
        if not way.variant.rooms:
            return None
        free = [room for room in way.variant.rooms if way.rooms[room] >> slot & 1]
        was = self.board.announced.get(number)
        return was.room if was and was.slot == slot and was.room in free else free[0]

    def _fill_gaps(self, persons: Iterator[int] | list[int]) -> None:
        """Who has become free sits down where she is missed."""
        board = self.board
        for person in persons:
            for other, n in board.seats_of[person]:
                if board.spot[other] is not None and board.who[other][n] is None and board.may_sit(other, person):
                    board.offer(other, n, person)

    def _fill(self, other: int) -> None:
        """Substitutes sit down on the empty seats of one sitting."""
        board = self.board
        for n, chair in enumerate(self.grid.sittings[other].chairs):
            if board.who[other][n] is None:
                person = next((one for one in chair.persons if board.may_sit(other, one)), None)
                if person is not None:
                    board.offer(other, n, person)


def _starts(sitting: Sitting) -> int:
    """At how many starts all required seats can be filled, if nothing else were placed."""
    most = 0
    for variant in sitting.variants:
        bits = sitting.inside
        for chair in sitting.chairs:
            if chair.absent is None:
                anyone = 0
                for person in chair.persons:
                    anyone |= sitting.can.get((person, variant.place), 0) if person not in variant.out else 0
                bits &= anyone
        most = max(most, bits.bit_count())
    return most


def solve(
    grid: Grid, *, seconds: float, seed: int, clock: Clock, steps: int | None = None, tell: Progress | None = None
) -> Found:
    """The best plan that can be found within ``seconds`` (0: no limit but ``steps``)."""
    search = Search(grid, seed)
    search.begin()
    search.keep()
    search.anneal(seconds, clock, steps=steps, tell=tell)
    search.settle()
    return Found(search.board, search.steps)
