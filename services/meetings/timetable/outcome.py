"""From a board to a plan that people can read, and back from an announced plan to where its sittings lie."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from services.meetings.timetable.agenda import TICK, Task, best_order
from services.meetings.timetable.board import Announced, Board
from services.meetings.timetable.check import Checker
from services.meetings.timetable.explain import clash, crowded, day_text, why_here
from services.meetings.timetable.grid import Grid, length_of
from services.meetings.timetable.many import Search
from services.meetings.timetable.plan import Change, Part, Placed, Plan, Score, Seated, Unplaced
from services.meetings.timetable.problem import Problem


def plan_of(board: Board, *, seed: int = 0, steps: int = 0) -> Plan:
    """The bare plan: placements and cost, without words."""
    problem, grid = board.grid.problem, board.grid
    placed, unplaced = [], []
    for number, (spot, sitting) in enumerate(zip(board.spot, grid.sittings, strict=True)):
        meeting = sitting.meeting
        if spot is None:
            unplaced.append(Unplaced(meeting=meeting.id))
            continue
        slot, _, room, _ = spot
        starts = grid.axis.start_of(slot)
        who = (problem.persons[one].id if one is not None else None for one in board.who[number])
        seats = tuple(Seated(seat=s.name, person=one) for s, one in zip(meeting.seats, who, strict=True))
        at = problem.rooms[room].id if room is not None else None
        ends = starts + length_of(meeting.minutes)
        placed.append(Placed(meeting=meeting.id, starts=starts, ends=ends, room=at, seats=seats))
    placed.sort(key=lambda one: (one.starts, one.meeting))
    score = Score(unplaced=board.unplaced, moved=board.moved, cost=board.cost)
    return Plan(placed=tuple(placed), unplaced=tuple(unplaced), score=score, seed=seed, steps=steps)


def announced_in(grid: Grid, plan: Plan) -> Mapping[int, Announced]:
    """Where the sittings of an announced plan lay; of what the problem no longer knows, nothing."""
    problem = grid.problem
    numbers = {meeting.id: n for n, meeting in enumerate(problem.meetings)}
    rooms = {room.id: n for n, room in enumerate(problem.rooms)}
    people = {person.id: n for n, person in enumerate(problem.persons)}
    found = {}
    for placed in plan.placed:
        number, slot = numbers.get(placed.meeting), grid.axis.slot_at(placed.starts)
        if number is not None:
            sat = {one.seat: one.person for one in placed.seats}
            ids = (sat.get(seat.name) for seat in problem.meetings[number].seats)
            who = tuple(people.get(one, GONE) if one is not None else None for one in ids)
            room = rooms.get(placed.room, GONE) if placed.room is not None else None
            found[number] = Announced(GONE if slot is None else slot, room, who)
    return found


GONE = -1
"""Somebody, a room or a time that was announced and is no longer in the problem: equal to nothing."""


def scored(plan: Plan, checker: Checker, announced: Plan | None = None) -> Plan:
    """The plan with its cost part by part, counted by the checker."""
    return plan.model_copy(update={"score": checker.score(plan, announced)})


# -- with words --------------------------------------------------------------------------------------------------------


def told(board: Board, *, seed: int, steps: int, announced: Plan | None = None) -> Plan:
    """The plan with its cost part by part, reasons, agendas, and for what has no date the duties that clash."""
    grid = board.grid
    bare = plan_of(board, seed=seed, steps=steps)
    numbers = {meeting.id: n for n, meeting in enumerate(grid.problem.meetings)}
    notes: list[str] = [*contradictions(grid.problem)]
    placed = []
    agendas = Agendas(grid.problem, bare)
    for one in bare.placed:
        agenda, note = agendas.of(one)
        notes += note
        placed.append(one.model_copy(update={"why": why_here(board, numbers[one.meeting]), "agenda": agenda}))
    search = Search(grid, seed, board.announced)
    search.board.restore(board.snapshot())
    unplaced = [_without(search, numbers[one.meeting], one) for one in bare.unplaced]
    plan = bare.model_copy(update={"placed": tuple(placed), "unplaced": tuple(unplaced), "notes": tuple(notes)})
    changes = tuple(_changed(plan, announced)) if announced else ()
    return scored(plan.model_copy(update={"changes": changes}), Checker(grid.problem), announced)


def _without(search: Search, number: int, one: Unplaced) -> Unplaced:
    found = clash(search.grid, number) or crowded(search, number)
    return one.model_copy(update={"why": found.why, "clashing": found.clashing, "relax": found.relax})


def _changed(plan: Plan, announced: Plan) -> Iterator[Change]:
    now = {one.meeting: one for one in plan.placed}
    lost = {one.meeting: one for one in plan.unplaced}
    for was in announced.placed:
        if was.meeting in lost:
            yield Change(meeting=was.meeting, what="lost", why=lost[was.meeting].why)
        elif (one := now.get(was.meeting)) is None:
            continue
        elif (one.starts, one.room) != (was.starts, was.room):
            when = f"{day_text(was.starts)}から{day_text(one.starts)}へ" if one.starts != was.starts else "部屋だけ"
            yield Change(meeting=was.meeting, what="moved", why=when)
        elif one.seats != was.seats:
            names = [seat.seat for seat, before in zip(one.seats, was.seats, strict=False) if seat != before]
            yield Change(meeting=was.meeting, what="seats", why=f"席: {'、'.join(names)}")


def contradictions(problem: Problem) -> Iterator[str]:
    """Answers that say 参加可 at a time that is taken: the calendar counts, and somebody should ask."""
    busy = {person.id: person.busy for person in problem.persons}
    for meeting in problem.meetings:
        count = len(
            {
                one.person
                for one in meeting.answers
                if one.answer == "yes" and any(b.starts < one.ends and one.starts < b.ends for b in busy[one.person])
            }
        )
        if count:
            yield f"{meeting.name}: 参加可と答えた時間に別の予定がある人が{count}人います。予定のほうで計画しました。"


class Agendas:
    """Orders the items of each sitting of a plan: outsiders come once, at a time at which they can."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.apart = [frozenset(pair.persons) for pair in problem.apart]
        self.meetings = {meeting.id: meeting for meeting in problem.meetings}
        self.taken: dict[str, list[tuple[datetime, datetime, str]]] = {
            person.id: [(busy.starts, busy.ends, "") for busy in person.busy] for person in problem.persons
        }
        for placed in plan.placed:
            for seated in placed.seats:
                if seated.person is not None:
                    self.taken[seated.person].append((placed.starts, placed.ends, placed.meeting))

    def of(self, placed: Placed) -> tuple[tuple[Part, ...], list[str]]:
        """(the items in order, what has to be said about it)."""
        meeting = self.meetings[placed.meeting]
        if not meeting.items:
            return (), []
        tasks = [Task(item.minutes // TICK, frozenset(item.persons), item.first) for item in meeting.items]
        staying = {seated.person for seated in placed.seats}
        guests = {person for task in tasks for person in task.persons} - staying
        free = {person: self._free(person, placed) for person in guests}
        apart = [pair for pair in self.apart if len(pair) == 2]
        notes = []
        if (order := best_order(tasks, free, apart)) is None:
            notes.append(
                f"{meeting.name}: 議題の人が来られる時間だけでは次第を組めません。予定の調整を頼んでください。"
            )
            order = best_order(tasks, None, apart)
        if order is None:
            return (), [f"{meeting.name}: 会わせてはいけない二人の議題を離せません。別の日に分けてください。"]
        parts, now = [], placed.starts
        for number in order.items:
            item = meeting.items[number]
            ends = now + timedelta(minutes=item.minutes)
            parts.append(Part(item=item.id, starts=now, ends=ends, persons=item.persons))
            now = ends
        return tuple(parts), notes

    def _free(self, person: str, placed: Placed) -> int:
        tick = timedelta(minutes=TICK)
        bits = (1 << -((placed.starts - placed.ends) // tick)) - 1
        for starts, ends, meeting in self.taken[person]:
            if meeting != placed.meeting and starts < placed.ends and placed.starts < ends:
                first = max(0, (starts - placed.starts) // tick)
                last = -((placed.starts - ends) // tick)
                bits &= ~(((1 << (last - first)) - 1) << first)
        return bits
