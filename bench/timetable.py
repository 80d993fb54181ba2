"""The timetable beside other solvers: one sitting, a month, planning anew, and growth. Same rules, same costs; every
plan is held against the independent checker, and CP-SAT's own sum against the checker's.
"""

import statistics
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from intervaltree import IntervalTree

from bench.timetable_cpsat import Model
from services.meetings.timetable.board import Board
from services.meetings.timetable.check import Checker
from services.meetings.timetable.explain import explained
from services.meetings.timetable.grid import grid
from services.meetings.timetable.many import Search, solve
from services.meetings.timetable.one import best, ranked
from services.meetings.timetable.outcome import announced_in, plan_of
from services.meetings.timetable.plan import Placed
from services.meetings.timetable.problem import Problem
from services.meetings.timetable.replan import replan
from tests.meetings.timetables import MONDAY, made, month

SECONDS = 30.0
"""The limit of each solver on the month."""
TIMES = 30


def one_sitting() -> Problem:
    """Twelve people, six weeks of quarters of an hour, busy blocks and answers, one sitting (a)."""
    base = month(7, sittings=1, people=12, rooms=2, weeks=6).model_dump()
    draw = Random(7)
    needs = ["required"] * 3 + ["expected"] * 7 + ["optional"] * 2
    seats = [{"name": f"席{n}", "need": need, "persons": [f"p{n}"]} for n, need in enumerate(needs)]
    answers = []
    for n in range(0, 12, 2):
        day = base["first"] + timedelta(days=7 * draw.randrange(6) + draw.randrange(5))
        at = {"starts": f"{day}T13:00", "ends": f"{day}T17:00"}
        answers.append({**at, "person": f"p{n}", "answer": draw.choice(("avoid", "no"))})
    meeting = {"id": "m", "name": "支援会議", "minutes": 60, "seats": seats, "answers": answers, "online": True}
    keys = ("agencies", "persons", "rooms", "places")
    return made(**{key: base[key] for key in keys}, meetings=[meeting], last=MONDAY + timedelta(days=39))


def by_interval_trees(problem: Problem) -> Callable[[], list[tuple[int, datetime]]]:
    """The same ranking: a tree of busy blocks per person, built beforehand, asked for each start and person."""
    meeting, weights, checker = problem.meetings[0], problem.weights, Checker(problem)
    missed = {one.id: one.missed for one in problem.agencies}
    agency_of = {one.id: one.agency for one in problem.persons}
    taken, sour = {}, {}
    for person in problem.persons:
        mine = [one for one in meeting.answers if one.person == person.id]
        blocks = [*person.busy, *(one for one in mine if one.answer == "no")]
        taken[person.id] = IntervalTree.from_tuples((b.starts.timestamp(), b.ends.timestamp()) for b in blocks)
        rather_not = [one for one in mine if one.answer == "avoid"]
        sour[person.id] = IntervalTree.from_tuples((b.starts.timestamp(), b.ends.timestamp()) for b in rather_not)
    starts = [when for when in _starts(problem) if checker.lies_open(meeting, when)]
    days = sorted({one.date() for one in starts})

    def rank() -> list[tuple[int, datetime]]:
        found = []
        for when in starts:
            begin, empty = when.timestamp(), Counter[str]()
            end = begin + 3600
            cost = bisect_left(days, when.date()) * weights.wait
            for seat in meeting.seats:
                person = seat.persons[0]
                most = {"required": None, "expected": weights.expected, "optional": weights.optional}[seat.need]
                if not taken[person].overlaps(begin, end):
                    unwilling = weights.avoid if sour[person].overlaps(begin, end) else 0
                    cost += unwilling if most is None else min(unwilling, most)
                elif most is None:
                    break
                else:
                    cost += most
                    if seat.need == "expected":
                        agency = agency_of[person]
                        cost += weights.fairness * (missed[agency] + empty[agency])
                        empty[agency] += 1
            else:
                found.append((cost, when))
        return sorted(found)

    return rank


def _starts(problem: Problem) -> list[datetime]:
    line = grid(problem).axis
    return [line.start_of(slot) for slot in range(line.size) if slot % line.width < line.per_day]


def quartile(act: Callable[[], object], times: int = TIMES) -> float:
    """The lower quartile of the seconds it takes, which a busy machine disturbs least."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return statistics.quantiles(took, n=4)[0]


def bench_one() -> None:
    """(a) Every lawful slot of one sitting, ranked and explained."""
    problem = one_sitting()
    whole, rank = grid(problem), by_interval_trees(problem)

    def ours() -> list[tuple[int, datetime, str]]:
        return [(one.cost, one.starts, text) for one, text in explained(ranked(whole, 0))]

    answer = ours()
    assert [one[:2] for one in answer] == rank()
    board, _ = Model(whole).solve(600)
    assert board is not None
    assert board.cost == answer[0][0]
    mine, trees = quartile(ours), quartile(rank)
    bare = quartile(lambda: best(whole, 0))
    model = Model(whole)
    sat = quartile(lambda: model.solve(600), 4)
    print(f"timetable, one sitting: {len(answer)} lawful slots of {whole.axis.size} ranked and explained,")
    print(
        f"  {mine * 1e3:.2f} ms (best alone {bare * 1e3:.2f} ms); interval trees, ranked only, {trees * 1e3:.1f} ms:",
        end=" ",
    )
    print(f"{trees / mine:.0f} times; CP-SAT, the best alone, {sat * 1e3:.0f} ms: {sat / mine:.0f} times")


def bench_week(seeds: int = 4) -> None:
    """A week of ten sittings, small enough for CP-SAT to prove its optimum: how near the heat bath comes."""
    problem = month(1, sittings=10, people=30, rooms=3, weeks=1)
    whole, checker = grid(problem), Checker(problem)
    began = time.process_time()
    board, bound = Model(whole).solve(300)
    proof = time.process_time() - began
    assert board is not None
    lawful(checker, board)
    began = time.process_time()
    found = [solve(whole, seconds=0, seed=n, clock=lambda: 0.0, steps=1500).board for n in range(seeds)]
    each = (time.process_time() - began) / seeds
    for one in found:
        lawful(checker, one)
        assert one.cost >= bound
    costs = sorted(one.cost for one in found)
    print(f"timetable, a week of 10 sittings: CP-SAT {board.cost}, bound {bound:.0f}, {proof:.0f} s;", end=" ")
    print(f"heat bath with {seeds} seeds {costs[0]} to {costs[-1]}, {each:.1f} s each")


def bench_month(seconds: float = SECONDS) -> None:
    """(b) A month beside CP-SAT with the same limit, and CP-SAT that starts from our plan."""
    problem = month(1)
    whole, checker = grid(problem), Checker(problem)
    began = time.process_time()
    found = solve(whole, seconds=seconds, seed=0, clock=time.perf_counter).board
    used = time.process_time() - began
    lawful(checker, found)
    first = Search(whole, 0)
    first.begin()
    print(f"timetable, a month: 60 sittings, 150 people, 8 rooms, {seconds:.0f} s each, (without a date, moved, cost):")
    print(f"  heat bath {found.key} with {used:.0f} s of processor; its first plan was {first.board.key}")
    for start in (None, first.board):
        began = time.process_time()
        model = Model(whole)
        if start:
            model.hint(start)
        board, bound = model.solve(seconds)
        other, how = time.process_time() - began, "from that first plan" if start else "by itself"
        if board:
            lawful(checker, board)
            assert found.key <= board.key
        key = board.key if board else "no plan"
        print(f"  CP-SAT {how}: {key} with {other:.0f} s of processor, lower bound {bound:.0f}")


def lawful(checker: Checker, board: Board) -> None:
    """Raises AssertionError if a hard rule is broken or the cost is not the checker's."""
    plan = plan_of(board)
    assert checker.broken(plan) == []
    assert checker.score(plan).key == board.key


def bench_replan() -> None:
    """(c) One decline that takes a sitting's date away: sittings moved, and time, beside solving anew."""
    problem = month(1)
    announced = plan_of(solve(grid(problem), seconds=5, seed=0, clock=time.perf_counter).board)
    moved, anew, took, whole_took = [], [], 0.0, 0.0
    for placed in announced.placed[:10]:
        changed = declined(problem, placed)
        whole, checker = grid(changed), Checker(changed)
        lay = announced_in(whole, announced)
        began = time.perf_counter()
        board = replan(whole, lay, seconds=5, seed=0, clock=time.perf_counter).board
        took += time.perf_counter() - began
        assert checker.broken(plan_of(board)) == []
        moved.append(board.moved)
        began = time.perf_counter()
        fresh = solve(whole, seconds=0, seed=1, clock=time.perf_counter, steps=300).board
        whole_took += time.perf_counter() - began
        anew.append(checker.score(plan_of(fresh), announced).moved)
    print(f"timetable, planning anew after one decline: {statistics.mean(moved):.1f} of 60 sittings move,", end=" ")
    print(f"solving anew moves {statistics.mean(anew):.1f}: {sum(anew) / max(1, sum(moved)):.0f} times;", end=" ")
    print(f"{took / 10:.2f} s beside {whole_took / 10:.2f} s")


def declined(problem: Problem, placed: Placed) -> Problem:
    """Everybody who could take the first required seat declines the announced time."""
    whole = problem.model_dump()
    one = next(m for m in whole["meetings"] if m["id"] == placed.meeting)
    persons = set(one["seats"][0]["persons"])
    kept = [answer for answer in one["answers"] if answer["person"] not in persons]
    span = {"starts": placed.starts, "ends": placed.ends}
    one["answers"] = [*kept, *({**span, "person": person, "answer": "no"} for person in persons)]
    return Problem.model_validate(whole)


def bench_growth() -> None:
    """(d) The month at 1, 2, 4 and 8 times the people, rooms and sittings, and as many steps per sitting."""
    first = 0.0
    for times in (1, 2, 4, 8):
        problem = month(1, sittings=60 * times, people=150 * times, rooms=8 * times)
        began = time.process_time()
        whole = grid(problem)
        laid = time.process_time() - began
        began = time.process_time()
        found = solve(whole, seconds=0, seed=0, clock=lambda: 0.0, steps=60 * times * 10).board
        took = time.process_time() - began
        lawful(Checker(problem), found)
        first = first or took
        print(
            f"timetable, {times} times the month: {found.key}, {took:.1f} s of processor, {took / first:.1f} times;",
            end=" ",
        )
        print(f"laying it out {laid:.2f} s")


async def main() -> None:
    """Times and their ratios."""
    bench_one()
    bench_week()
    bench_month()
    bench_replan()
    bench_growth()
