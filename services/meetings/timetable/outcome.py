"""From a board to a plan that people can read, and back from an announced plan to where its sittings lie."""

from collections.abc import Mapping

from services.meetings.timetable.board import Announced, Board
from services.meetings.timetable.check import Checker
from services.meetings.timetable.grid import Grid, length_of
from services.meetings.timetable.plan import Placed, Plan, Score, Seated, Unplaced


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
    score = Score(unplaced=board.unplaced, cost=board.cost)
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
