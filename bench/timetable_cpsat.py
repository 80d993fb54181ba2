"""The month as a CP-SAT model: the same rules and costs as the heat bath's, as a judge of its plans."""

from itertools import combinations

from ortools.sat.python import cp_model

from services.meetings.timetable.board import Board
from services.meetings.timetable.grid import Grid, seat_cost
from services.meetings.timetable.slots import each_bit

BIG = 100_000


class Model:
    """One grid as a model. Booleans: (sitting, place, start), (sitting, room), (sitting, seat, person)."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.weights = grid, grid.problem.weights
        self.model = model = cp_model.CpModel()
        self.cost: list = []
        count = len(grid.sittings)
        self.at: list[dict] = []
        self.room: list[dict] = [{} for _ in range(count)]
        self.seat: list[dict] = [{} for _ in range(count)]
        self.attends: list[dict] = [{} for _ in range(count)]
        self.start, self.present = [], []
        self.empty: dict[int, list] = {}
        for number in range(count):
            self._sitting(number)
        self._rooms()
        self._pairs()
        self._agencies()
        model.minimize(sum(self.cost))

    def _sitting(self, number: int) -> None:
        grid, model = self.grid, self.model
        sitting = grid.sittings[number]
        places = {variant.place: variant.rooms for variant in sitting.variants}
        at = {}
        for place, rooms in places.items():
            open_at = sitting.inside if not rooms else 0
            for room in rooms:
                open_at |= sitting.room_can[room]
            for slot in each_bit(open_at):
                at[place, slot] = model.new_bool_var("")
        present = model.new_bool_var("")
        model.add(sum(at.values()) == present)
        start = model.new_int_var(0, grid.axis.size, "")
        model.add(start == sum(slot * one for (_, slot), one in at.items()))
        self.at.append(at)
        self.start.append(start)
        self.present.append(present)
        self.cost.append(BIG * sitting.weight * (1 - present))
        for (_, slot), one in at.items():
            if cost := sum((plane >> slot & 1) << n for n, plane in enumerate(sitting.wait)):
                self.cost.append(cost * one)
        self._housed(number, places)
        self._seated(number)

    def _housed(self, number: int, places: dict) -> None:
        model, sitting, at = self.model, self.grid.sittings[number], self.at[number]
        for place, rooms in places.items():
            here = sum(one for (where, _), one in at.items() if where == place)
            for room in rooms:
                held = self.room[number][room] = model.new_bool_var("")
                allowed = sum(one for (w, s), one in at.items() if w == place and sitting.room_can[room] >> s & 1)
                model.add(held <= allowed)
            if rooms:
                model.add(sum(self.room[number][room] for room in rooms) == here)

    def _seated(self, number: int) -> None:
        model, sitting, at = self.model, self.grid.sittings[number], self.at[number]
        present, filled, by_person = self.present[number], [], {}
        for n, chair in enumerate(sitting.chairs):
            sits = {}
            for rank, person in enumerate(chair.persons):
                one = sits[person] = self.seat[number][n, person] = model.new_bool_var("")
                can = [v for (place, slot), v in at.items() if sitting.can.get((person, place), 0) >> slot & 1]
                model.add(one <= sum(can))
                cost = seat_cost(self.grid.problem, chair, rank, unwilling=False)
                self.cost.append(cost * one)
                if avoid := sitting.avoid.get(person):
                    sour = model.new_bool_var("")
                    model.add(sour >= one + sum(v for (_, s), v in at.items() if avoid >> s & 1) - 1)
                    self.cost.append((seat_cost(self.grid.problem, chair, rank, unwilling=True) - cost) * sour)
                by_person.setdefault(person, []).append(one)
            full = sum(sits.values())
            model.add(full <= present)
            filled.append(full)
            if chair.absent is None:
                model.add(full == present)
            else:
                self.cost.append(chair.absent * (present - full))
                if chair.need == "expected":
                    self.empty.setdefault(chair.agency, []).append(present - full)
        for wanted, chairs in sitting.quorum:
            model.add(sum(filled[n] for n in chairs) >= wanted * present)
        for person, sits in by_person.items():
            one = self.attends[number][person] = model.new_bool_var("")
            model.add_max_equality(one, sits)
        for person, one in self.attends[number].items():
            for foe in self.grid.foes.get(person, ()):
                if foe in self.attends[number]:
                    model.add(one + self.attends[number][foe] <= 1)

    def _rooms(self) -> None:
        for room in range(len(self.grid.problem.rooms)):
            held = []
            for number, sitting in enumerate(self.grid.sittings):
                if room in self.room[number]:
                    start, length = self.start[number], sitting.length
                    held.append(
                        self.model.new_optional_fixed_size_interval_var(start, length, self.room[number][room], "")
                    )
            self.model.add_no_overlap(held)

    def _pairs(self) -> None:
        model, grid = self.model, self.grid
        places = [{place for place, _ in at} for at in self.at]
        here = [
            {p: sum(one for (place, _), one in at.items() if place == p) for p in places[n]}
            for n, at in enumerate(self.at)
        ]
        for a, b in combinations(range(len(self.at)), 2):
            both = [
                (self.attends[a][person], self.attends[b][person])
                for person in self.attends[a]
                if person in self.attends[b]
            ]
            hostile = [
                (one, self.attends[b][foe])
                for person, one in self.attends[a].items()
                for foe in grid.foes.get(person, ())
                if foe in self.attends[b]
            ]
            if not both and not hostile:
                continue
            first, second = model.new_bool_var(""), model.new_bool_var("")
            for one, other in both:
                model.add_bool_or([one.negated(), other.negated(), first, second])
            model.add(self.start[b] >= self.start[a] + grid.sittings[a].length).only_enforce_if(first)
            model.add(self.start[a] >= self.start[b] + grid.sittings[b].length).only_enforce_if(second)
            for p in places[a]:
                for q in places[b]:
                    if way := grid.between(p, q) if both else 0:
                        at_p, at_q = self._is_at(here, a, p), self._is_at(here, b, q)
                        length = grid.sittings[a].length + way
                        model.add(self.start[b] >= self.start[a] + length).only_enforce_if([first, at_p, at_q])
                        length = grid.sittings[b].length + way
                        model.add(self.start[a] >= self.start[b] + length).only_enforce_if([second, at_p, at_q])
                    if p == q and p >= 0:
                        at_p, at_q = self._is_at(here, a, p), self._is_at(here, b, q)
                        for one, other in hostile:
                            no = [one.negated(), other.negated(), at_p.negated(), at_q.negated()]
                            model.add_bool_or([*no, first, second])

    def _is_at(self, here: list, number: int, place: int):
        known = self.__dict__.setdefault("_known", {})
        if (number, place) not in known:
            one = known[number, place] = self.model.new_bool_var("")
            self.model.add(one == here[number][place])
        return known[number, place]

    def _agencies(self) -> None:
        model, grid = self.model, self.grid
        for agency, limit in enumerate(one.per_day for one in grid.problem.agencies):
            by_day: dict[int, list] = {}
            for number, attends in enumerate(self.attends if limit else ()):
                mine = [one for person, one in attends.items() if grid.agency_of[person] == agency]
                if not mine:
                    continue
                there = model.new_bool_var("")
                model.add_max_equality(there, mine)
                days: dict[int, list] = {}
                for (_, slot), one in self.at[number].items():
                    days.setdefault(grid.axis.day_of(slot), []).append(one)
                for day, ones in days.items():
                    counts = model.new_bool_var("")
                    model.add(counts >= there + sum(ones) - 1)
                    by_day.setdefault(day, []).append(counts)
            for counts in by_day.values():
                if len(counts) > limit:
                    over = model.new_int_var(0, len(counts), "")
                    model.add(over >= sum(counts) - limit)
                    self.cost.append(self.weights.overload * over)
        for agency, empty in self.empty.items():
            before, total = grid.problem.agencies[agency].missed, model.new_int_var(0, 10_000, "")
            for k in range(len(empty) + 1):  # convex: above each of its tangents
                at_k = before * k + k * (k - 1) // 2
                model.add(total >= at_k + (before + k) * (sum(empty) - k))
            self.cost.append(self.weights.fairness * total)

    def hint(self, board: Board) -> None:
        """Start from this board; CP-SAT works the remaining variables out."""
        for number, spot in enumerate(board.spot):
            for (place, slot), one in self.at[number].items():
                self.model.add_hint(one, spot is not None and spot[:2] == (place, slot))
            for room, one in self.room[number].items():
                self.model.add_hint(one, spot is not None and spot[2] == room)
            for (n, person), one in self.seat[number].items():
                self.model.add_hint(one, board.who[number][n] == person)
            for person, one in self.attends[number].items():
                self.model.add_hint(one, person in board.who[number])
            self.model.add_hint(self.present[number], spot is not None)
            self.model.add_hint(self.start[number], spot[0] if spot else 0)

    def solve(self, seconds: float, workers: int = 1) -> tuple[Board | None, float]:
        """(the best board within so many seconds, the lower bound of the cost)."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = workers
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None, solver.best_objective_bound
        board = Board(self.grid)
        for number, at in enumerate(self.at):
            found = next(((place, slot) for (place, slot), one in at.items() if solver.value(one)), None)
            if found:
                place, slot = found
                room = next((room for room, one in self.room[number].items() if solver.value(one)), None)
                who: list[int | None] = [None] * len(self.grid.sittings[number].chairs)
                for (n, person), one in self.seat[number].items():
                    if solver.value(one):
                        who[n] = person
                board.put(number, slot, place, room, who)
        return board, solver.best_objective_bound
