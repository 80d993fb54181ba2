"""Many sittings: a first plan, then a heat bath (calendar.md 5.5). Anytime: whenever it is stopped, it has a plan.

One step takes a sitting out and weighs **all** its starts at once, with whoever is free then, who could be freed at
which cost, and which rooms are; it draws the new start from the Boltzmann distribution over those costs. The levels of
the planes are walked from the lowest cost up, so a step costs as many integer operations as there are costs worth
drawing, and none per slot. When nothing is possible, the sittings in the way are taken out, and weigh more each time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import exp
from random import Random

from services.meetings.timetable.board import Announced, Board, Spot
from services.meetings.timetable.grid import Chair, Grid, Sitting, Take, Variant, quorate, seat_cost, takes
from services.meetings.timetable.one import best
from services.meetings.timetable.slots import Planes, add, first_bit, levels, nth_bit

HOTTEST, COLDEST = 40.0, 0.8
"""Temperatures, in units of cost: at first a 原則 seat is often given up, in the end a day's wait is not."""
ODDLY = 0.1
"""How often, while it is warm, somebody else than the cheapest takes a seat."""
REACH = 9.0
"""Costs so many temperatures above the lowest are not drawn: together they would be one draw in hundreds."""
SHORTEST_EXCHANGE = 200
"""Steps that looking for exchanges may take after the shortest search."""
IN_THE_WAY = 1 << 14
"""What taking another sitting out costs in a step, times its weight: more than all soft costs of one sitting."""

Clock = Callable[[], float]
Progress = Callable[[float, int, tuple[int, int, int]], None]
"""Called with (share of the time that is over, steps, key of the best board) as time goes by."""


@dataclass(frozen=True)
class Found:
    """The best board of a search."""

    board: Board
    steps: int


@dataclass(frozen=True)
class _Way:
    """One variant, weighed for a step."""

    variant: Variant
    possible: int
    planes: Planes
    seats: list[list[Take]]
    rooms: Mapping[int, int]


class Search:
    """One search on one board. Seeded: the same seed and number of steps give the same plan."""

    def __init__(self, grid: Grid, seed: int, announced: Mapping[int, Announced] | None = None) -> None:
        self.grid = grid
        self.random = Random(seed)  # noqa: S311 - a search, no secret
        self.board = Board(grid, announced)
        self.people = [tuple(dict.fromkeys(p for c in one.chairs for p in c.persons)) for one in grid.sittings]
        self.hopeless = {n for n in range(len(grid.sittings)) if best(grid, n) is None}
        self.stubborn = [one.weight for one in grid.sittings]
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
        self.reseat()

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

    def reseat(self) -> None:
        """Seats are filled one after another, each avoiding an agency that has enough that day; when it comes for one
        seat anyway, or for three substitutes' worth of seats, its own people may sit on all of theirs."""
        board = self.board
        for number in range(len(self.grid.sittings)):
            if board.spot[number] is None:
                continue
            for agency in sorted({self.grid.agency_of[person] for person in self.people[number]}):
                before, who = board.cost, tuple(board.who[number])
                for n in range(len(who)):
                    self._prefer(number, n, agency)
                if board.cost >= before:
                    for n, one in enumerate(who):
                        if board.who[number][n] != one:
                            board.seat(number, n, one)
            self._excuse(number)
        self.keep()

    def _excuse(self, number: int) -> None:
        """Whom a quorum could have needed, and has without her, stays away where her coming costs more."""
        board = self.board
        for n, chair in enumerate(self.grid.sittings[number].chairs):
            before, person = board.cost, board.who[number][n]
            if person is not None and chair.absent is not None and not board.vital(number, person):
                board.seat(number, n, None)
                if board.cost >= before:
                    board.seat(number, n, person)

    def _prefer(self, number: int, n: int, agency: int) -> None:
        """Give the seat to the first of this agency's people who comes before whoever sits there and can."""
        board, now = self.board, self.board.who[number][n]
        stays = board.who[number].count(now) > 1  # on another seat of the same sitting
        for person in self.grid.sittings[number].chairs[n].persons:
            if person == now:
                return
            if stays and now in self.grid.foes.get(person, ()):
                continue
            if self.grid.agency_of[person] == agency and board.may_sit(number, person, instead=now):
                board.seat(number, n, person)
                return

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
        return any(self._weigh(number, sitting, one, out=False).possible for one in sitting.variants)

    # -- one step ------------------------------------------------------------------------------------------------------

    def step(self, number: int, heat: float, *, ejecting: bool = True) -> None:
        """Take one sitting out, and draw its place anew."""
        self.steps += 1
        board, sitting = self.board, self.grid.sittings[number]
        if board.key < self._best_key:
            self._best, self._best_key = board.snapshot(), board.key
        was = board.lift(number) if board.spot[number] is not None else None
        ways = [self._weigh(number, sitting, variant, out=False) for variant in sitting.variants]
        drawn = self._draw(ways, heat)
        if drawn is None and was is None and ejecting:
            ways = [self._weigh(number, sitting, variant, out=True) for variant in sitting.variants]
            drawn = self._draw(ways, heat)
            if drawn is None:
                return
            if drawn[0] >= IN_THE_WAY * self.stubborn[number] * 2:
                self.stubborn[number] += sitting.weight
                return
        if drawn is None:
            if was is not None:
                board.put(number, *was)
            return
        self._settle_in(number, sitting, drawn[1], drawn[2], heat)
        if was is not None:
            self._fill_gaps(person for person in was[3] if person is not None)

    def _draw(self, ways: list[_Way], heat: float) -> tuple[int, _Way, int] | None:
        """(cost, way, start), from the Boltzmann distribution; at no heat one of the cheapest."""
        found: list[tuple[int, int, _Way]] = []
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

    def _settle_in(self, number: int, sitting: Sitting, way: _Way, slot: int, heat: float) -> None:
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
        self.stubborn[other] += self.grid.sittings[other].weight
        return [person for person in self.board.lift(other)[3] if person is not None]

    def _room(self, number: int, way: _Way, slot: int) -> int | None:
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

    # -- weighing ------------------------------------------------------------------------------------------------------

    def _weigh(self, number: int, sitting: Sitting, variant: Variant, *, out: bool) -> _Way:
        """All starts of one variant as things stand; with ``out`` also those where others would have to go."""
        board, place = self.board, variant.place
        in_way: dict[int, int] = {}
        rooms, possible = self._rooms(sitting, variant, in_way if out else None)
        nothing = _Way(variant, 0, [], [], rooms)
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
        return _Way(variant, possible, planes, seats, rooms)

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
