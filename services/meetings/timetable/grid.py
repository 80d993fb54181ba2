"""A problem as integers: who can, from which slot on, at which place; what each seat costs; which rooms fit.

Everything that does not depend on other sittings is worked out here once. A *variant* of a sitting is a place with its
rooms, and who is left out so that no two who must not meet sit together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.meetings.timetable.problem import QUARTER, Meeting, Problem, Room
from services.meetings.timetable.slots import Axis, Planes, add, at_least, axis, first_bit, runs, stretched
from services.office_days import national_holidays

ONLINE = -1
"""The place of a sitting without a room: one gets there from anywhere in no time."""


@dataclass(frozen=True)
class Chair:
    """A seat: its persons in order, what it costs when it stays empty (None: it may not), and whose miss that is."""

    need: str
    persons: tuple[int, ...]
    absent: int | None
    agency: int


@dataclass(frozen=True)
class Variant:
    """One way to hold a sitting: at ``place``, in one of ``rooms`` (smallest first; none: online), without ``out``."""

    place: int
    rooms: tuple[int, ...]
    out: frozenset[int]


@dataclass(frozen=True)
class Sitting:
    """A meeting as integers. All bits are starts: bit s says that it may begin at s."""

    meeting: Meeting
    length: int
    inside: int
    """Open, within its hours, its earliest day and its deadline."""
    chairs: tuple[Chair, ...]
    quorum: tuple[tuple[int, tuple[int, ...]], ...]
    variants: tuple[Variant, ...]
    can: Mapping[tuple[int, int], int]
    """(person, place): her calendar, working hours and answers allow it, and it lies ``inside``."""
    can_ever: Mapping[tuple[int, int], int]
    """The same, wherever it lies: what a longer deadline would open."""
    avoid: Mapping[int, int]
    room_can: Mapping[int, int]
    room_ever: Mapping[int, int]
    wait: tuple[int, ...]
    """What waiting costs, as planes."""
    order: tuple[int, ...]
    """Seats in the order in which they are filled: required ones first, of those the ones that leave no choice (whose
    agency comes anyway is known then)."""
    never: frozenset[int]
    """Who must not meet somebody that comes for an item, and so sits here at no time."""
    counted: frozenset[int]
    """Seats that some quorum counts."""
    weight: int
    """What it costs that it has no date, in units that no soft wish reaches: 1 + urgency."""


@dataclass(frozen=True)
class Take:
    """At ``slots`` this person fills the seat, at this cost; ``sour``: at times she would rather avoid."""

    slots: int
    person: int
    cost: int
    sour: bool = False


@dataclass(frozen=True)
class Grid:
    """A whole problem as integers. Persons, agencies, places, rooms and sittings are numbers in the problem's order."""

    problem: Problem
    axis: Axis
    travel: tuple[tuple[int, ...], ...]
    """Slots between two places."""
    agency_of: tuple[int, ...]
    room_place: tuple[int, ...]
    foes: Mapping[int, tuple[int, ...]]
    sittings: tuple[Sitting, ...]

    def between(self, one: int, other: int) -> int:
        """Slots it takes from one place to the other."""
        return 0 if ONLINE in (one, other) else self.travel[one][other]


def grid(problem: Problem) -> Grid:
    """Work out everything that does not depend on other sittings."""
    place_no = {place.id: n for n, place in enumerate(problem.places)}
    minutes = [[0] * len(place_no) for _ in place_no]
    for way in problem.travel:
        one, other = (place_no[id] for id in way.between)
        minutes[one][other] = minutes[other][one] = way.minutes
    travel = tuple(tuple(-(-time // 15) for time in row) for row in minutes)
    pad = max((time for row in travel for time in row), default=0)
    line = axis(problem.first, problem.last, problem.opens, problem.closes, lambda day: _is_open(problem, day), pad=pad)
    person_no = {person.id: n for n, person in enumerate(problem.persons)}
    agency_no = {agency.id: n for n, agency in enumerate(problem.agencies)}
    foes: dict[int, tuple[int, ...]] = {}
    for pair in problem.apart:
        one, other = (person_no[id] for id in pair.persons)
        foes[one], foes[other] = (*foes.get(one, ()), other), (*foes.get(other, ()), one)
    agency_of = tuple(agency_no[person.agency] for person in problem.persons)
    room_place = tuple(place_no[room.place] for room in problem.rooms)
    maker = _Maker(problem, line, place_no, person_no, minutes, agency_of, room_place, foes)
    return Grid(
        problem, line, travel, agency_of, room_place, foes, tuple(maker.sitting(one) for one in problem.meetings)
    )


def seat_cost(problem: Problem, chair: Chair, rank: int, *, unwilling: bool) -> int:
    """What it costs that this one sits there; a substitute or somebody unwilling is never worse than an empty seat."""
    weights = problem.weights
    cost = rank * weights.substitute + (weights.avoid if unwilling else 0)
    return cost if chair.absent is None else min(cost, chair.absent)


def takes(
    sitting: Sitting,
    chair: Chair,
    can: Mapping[int, int],
    problem: Problem,
    dear: Mapping[int, int] | None = None,
    empty: int | None = None,
) -> list[Take]:
    """Who fills a seat at which starts: at each the cheapest of those who can (calendar.md 5.1).

    ``dear``: starts at which somebody would be one too many for her agency; she is asked last, and not at all where an
    ``empty`` seat costs less. That cost is not part of a Take's.
    """
    wanted, overload = [], problem.weights.overload
    for rank, person in enumerate(chair.persons):
        if bits := can.get(person, 0):
            unwilling = sitting.avoid.get(person, 0) & bits
            much = dear.get(person, 0) & bits if dear else 0
            for some, sour in ((bits & ~unwilling, False), (unwilling, True)):
                cost = seat_cost(problem, chair, rank, unwilling=sour)
                if some & ~much:
                    wanted.append((cost, cost, person, some & ~much, sour))
                if some & much and (empty is None or cost + overload <= empty):
                    wanted.append((cost + overload, cost, person, some & much, sour))
    if len(wanted) > 1:
        wanted.sort(key=lambda one: one[0])
    filled, found = 0, []
    for _, cost, person, bits, sour in wanted:
        if bits := bits & ~filled:
            found.append(Take(bits, person, cost, sour))
            filled |= bits
    return found


def quorate(sitting: Sitting, filled: Sequence[int], possible: int) -> int:
    """Those of ``possible`` at which every quorum is reached; ``filled``: by seat."""
    for wanted, chairs in sitting.quorum:
        possible = at_least((filled[n] for n in chairs), wanted)(possible)
    return possible


def office(problem: Problem, line: Axis) -> int:
    """The slots within office hours, without breaks."""
    bits = line.daily(range(7), problem.opens, problem.closes)
    for starts, ends in problem.breaks:
        bits &= ~line.daily(range(7), starts, ends)
    return bits


def _is_open(problem: Problem, day: date) -> bool:
    return (
        day.weekday() in problem.weekdays
        and day not in problem.closed
        and (problem.holidays_open or day not in national_holidays(day.year))
    )


class _Maker:
    """Keeps what several sittings share: each person's free time is worked out once per place."""

    def __init__(
        self,
        problem: Problem,
        line: Axis,
        place_no: Mapping[str, int],
        person_no: Mapping[str, int],
        minutes: Sequence[Sequence[int]],
        agency_of: Sequence[int],
        room_place: Sequence[int],
        foes: Mapping[int, tuple[int, ...]],
    ) -> None:
        self.problem, self.line, self.place_no, self.person_no = problem, line, place_no, person_no
        self.minutes, self.agency_of, self.room_place, self.foes = minutes, agency_of, room_place, foes
        self.open = office(problem, line)
        self.free: dict[tuple[int, int], int] = {}
        self.room_free = [self.open & ~line.touched((one.starts, one.ends) for one in r.busy) for r in problem.rooms]

    def sitting(self, meeting: Meeting) -> Sitting:
        """One meeting as integers."""
        line, length = self.line, meeting.slots
        inside = runs(self._inside(meeting), length)
        rooms = [n for n, room in enumerate(self.problem.rooms) if fits(room, meeting)]
        if meeting.fixed:
            at = line.slot_at(meeting.fixed.starts)
            inside = 0 if at is None else inside & (1 << at)
            rooms = [n for n in rooms if self.problem.rooms[n].id == meeting.fixed.room]
        room_ever = {n: runs(self.room_free[n], length) for n in rooms}
        room_can = {n: bits & inside for n, bits in room_ever.items()}
        people = [self.person_no[id] for id in meeting.people]
        variants = tuple(self._variants(meeting, rooms, people))
        can_ever, avoid = {}, {}
        for number, id in zip(people, meeting.people, strict=True):
            answers = [one for one in meeting.answers if one.person == id]
            no = line.touched((one.starts, one.ends) for one in answers if one.answer == "no")
            rather_not = line.touched((one.starts, one.ends) for one in answers if one.answer == "avoid")
            if rather_not:
                avoid[number] = stretched(rather_not, length - 1, 0)
            for place in {variant.place for variant in variants} or {ONLINE}:
                can_ever[number, place] = runs(self._free(number, place) & ~no, length)
        can = {which: bits & inside for which, bits in can_ever.items()}
        names = {seat.name: n for n, seat in enumerate(meeting.seats)}
        quorum = tuple((one.at_least, tuple(names[name] for name in set(one.seats))) for one in meeting.quorum)
        wait = tuple(self._wait(meeting, inside))
        chairs = tuple(self._chairs(meeting))
        return Sitting(
            meeting=meeting,
            length=length,
            inside=inside,
            chairs=chairs,
            quorum=quorum,
            variants=variants,
            can=can,
            can_ever=can_ever,
            avoid=avoid,
            room_can=room_can,
            room_ever=room_ever,
            wait=wait,
            order=tuple(
                sorted(range(len(chairs)), key=lambda n: (chairs[n].absent is not None, len(chairs[n].persons) > 1))
            ),
            never=self._never(meeting),
            counted=frozenset(n for _, seats in quorum for n in seats),
            weight=1 + meeting.urgency,
        )

    def _inside(self, meeting: Meeting) -> int:
        bits, line = self.open, self.line
        if meeting.between:
            bits &= line.daily(range(7), *meeting.between)
        if line.days and (meeting.earliest or meeting.deadline):
            far = timedelta(days=1)
            starts = meeting.earliest or min(line.start_of(0), meeting.deadline or line.start_of(0)) - far
            ends = meeting.deadline or max(line.start_of(line.size - 1), starts) + far
            bits &= line.within([(starts, ends)])
        return bits

    def _never(self, meeting: Meeting) -> frozenset[int]:
        guests = {self.person_no[person] for item in meeting.items for person in item.persons}
        return frozenset(foe for guest in guests for foe in self.foes.get(guest, ()))

    def _variants(self, meeting: Meeting, rooms: Sequence[int], people: Sequence[int]) -> Iterator[Variant]:
        never = self._never(meeting)
        here = set(people) - never
        pairs = [(one, other) for one in here for other in self.foes.get(one, ()) if one < other and other in here]
        ways = [(ONLINE, ())] if meeting.online else self._by_place(rooms)
        for out in _left_out(pairs):
            yield from (Variant(place, fitting, out | never & set(people)) for place, fitting in ways)

    def _by_place(self, rooms: Sequence[int]) -> list[tuple[int, tuple[int, ...]]]:
        order = sorted(rooms, key=lambda n: (self.problem.rooms[n].capacity, n))
        places = dict.fromkeys(self.room_place[n] for n in order)
        if places and not self.foes and not any(map(any, self.minutes)):  # then all places are one
            return [(self.room_place[order[0]], tuple(order))]
        return [(place, tuple(n for n in order if self.room_place[n] == place)) for place in places]

    def _free(self, number: int, place: int) -> int:
        if (number, place) not in self.free:
            self.free[number, place] = self._worked_out(number, place)
        return self.free[number, place]

    def _worked_out(self, number: int, place: int) -> int:
        person, line, bits = self.problem.persons[number], self.line, self.open
        if person.hours:
            working = 0
            for hours in person.hours:
                working |= line.daily(hours.weekdays, hours.opens, hours.closes)
            bits &= working
        blocked: list[tuple[datetime, datetime]] = []
        for busy in person.busy:
            way = timedelta(0)
            if place != ONLINE and busy.place is not None:
                way = timedelta(minutes=self.minutes[place][self.place_no[busy.place]])
            blocked.append((busy.starts - way, busy.ends + way))
        return bits & ~line.touched(blocked)

    def _chairs(self, meeting: Meeting) -> Iterator[Chair]:
        weights = self.problem.weights
        absent = {"required": None, "expected": weights.expected, "optional": weights.optional}
        for seat in meeting.seats:
            persons = tuple(self.person_no[id] for id in seat.persons)
            yield Chair(seat.need, persons, absent[seat.need], self.agency_of[persons[0]])

    def _wait(self, meeting: Meeting, inside: int) -> Planes:
        planes: Planes = []
        each = self.problem.weights.wait * (1 + meeting.urgency)
        if not inside or not each:
            return planes
        first = self.line.day_of(first_bit(inside))
        for day in range(first + 1, len(self.line.days)):
            add(planes, self.line.day_bits(day), each * (day - first))
        return planes


def fits(room: Room, meeting: Meeting) -> bool:
    """Whether a room is large enough, equipped, and one of those that were named."""
    return (
        room.capacity >= meeting.seated
        and set(meeting.equipment) <= set(room.equipment)
        and (not meeting.rooms or room.id in meeting.rooms)
        and not meeting.online
    )


def _left_out(pairs: Sequence[tuple[int, int]]) -> list[frozenset[int]]:
    """The smallest ways to leave somebody out of every pair that must not meet; none is part of another."""
    ways = {frozenset[int]()}
    for one, other in pairs:
        ways = {way if {one, other} & way else way | {who} for way in ways for who in (one, other)}
    return sorted((way for way in ways if not any(less < way for less in ways)), key=sorted)


def length_of(minutes: int) -> timedelta:
    """How long a sitting holds people and room: whole quarters."""
    return -(-minutes // 15) * QUARTER
