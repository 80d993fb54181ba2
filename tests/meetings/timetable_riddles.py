"""Small timetabling problems for hypothesis, and the slow way to solve them: try everything, ask the checker."""

from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

from hypothesis import strategies as st

from services.meetings.timetable.check import Checker
from services.meetings.timetable.plan import Placed, Plan, Score, Seated, Unplaced
from services.meetings.timetable.problem import TOKYO, Meeting, Problem, faults

DAY = date(2026, 12, 1)
OPENS = time(9)
NOWHERE = Score(unplaced=0, cost=0)


def at(quarter: int, day: date = DAY) -> datetime:
    """So many quarters of an hour after nine."""
    return datetime.combine(day, OPENS, TOKYO) + quarter * timedelta(minutes=15)


@st.composite
def riddles(draw: st.DrawFn, *, meetings: int = 2, quarters: int = 4, days: int = 1) -> Problem:
    """Few people, rooms and slots; all that a problem can say."""
    last = DAY + timedelta(days=days - 1)

    def spans() -> st.SearchStrategy[dict[str, Any]]:
        begins = st.tuples(st.integers(0, days - 1), st.integers(-2, quarters * 15), st.integers(1, 40))
        return begins.map(
            lambda one: {
                "starts": at(0, DAY + timedelta(days=one[0])) + timedelta(minutes=one[1]),
                "ends": at(0, DAY + timedelta(days=one[0])) + timedelta(minutes=one[1] + one[2]),
            }
        )

    place = st.sampled_from(("l0", "l1"))
    busy = st.lists(spans(), max_size=2)
    somewhere = st.tuples(spans(), st.none() | place).map(lambda one: {**one[0], "place": one[1]})
    hours = [{"opens": time(9), "closes": time(9, 45)}]
    persons = [
        {
            "id": f"p{n}",
            "name": f"人{n}",
            "agency": f"a{n % 2}",
            "busy": draw(st.lists(somewhere, max_size=2)),
            "hours": draw(st.sampled_from(([], [], hours))),
        }
        for n in range(4)
    ]
    rooms = [
        {"id": f"r{n}", "name": f"室{n}", "place": f"l{n}", "capacity": 2 + 8 * n, "busy": draw(busy)}
        for n in range(draw(st.integers(1, 2)))
    ]
    pair = st.lists(st.sampled_from(("p0", "p1", "p2", "p3")), min_size=2, max_size=2, unique=True)
    problem = Problem.model_validate(
        {
            "format": "kasane-timetable/1",
            "first": DAY,
            "last": last,
            "opens": OPENS,
            "closes": at(quarters).time(),
            "places": [{"id": "l0", "name": "本庁"}, {"id": "l1", "name": "支所"}],
            "travel": [{"between": ["l0", "l1"], "minutes": draw(st.sampled_from((0, 10, 20)))}],
            "agencies": [
                {"id": f"a{n}", "name": f"機関{n}", "per_day": draw(st.none() | st.just(1)), "missed": n}
                for n in range(2)
            ],
            "persons": persons,
            "rooms": rooms,
            "apart": [{"persons": one} for one in draw(st.lists(pair, max_size=2))],
            "meetings": [draw(_meetings(n, spans())) for n in range(draw(st.integers(1, meetings)))],
        }
    )
    assert list(faults(problem)) == []
    return problem


@st.composite
def _meetings(draw: st.DrawFn, number: int, spans: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    needs = st.sampled_from(("required", "expected", "expected", "optional"))
    who = st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True)
    seats = [
        {"name": f"席{n}", "need": draw(needs), "persons": [f"p{one}" for one in draw(who)]}
        for n in range(draw(st.integers(1, 3)))
    ]
    people = sorted({one for seat in seats for one in seat["persons"]})
    answers = [
        {**draw(spans), "person": one, "answer": draw(st.sampled_from(("yes", "avoid", "no")))}
        for one in draw(st.lists(st.sampled_from(people), max_size=2, unique=True))
    ]
    counted = st.lists(st.sampled_from([seat["name"] for seat in seats]), min_size=1, unique=True)
    quorum = [{"name": "成立", "at_least": 1, "seats": draw(counted)}] if draw(st.booleans()) else []
    return {
        "id": f"m{number}",
        "name": f"会議{number}",
        "minutes": draw(st.sampled_from((15, 20, 30))),
        "seats": seats,
        "quorum": quorum,
        "answers": answers,
        "online": draw(st.sampled_from((False, False, True))),
        "urgency": draw(st.integers(0, 1)),
        "deadline": draw(st.sampled_from((None, None, at(3)))),
    }


def options(problem: Problem, meeting: Meeting, checker: Checker) -> list[Placed]:
    """Every lawful way to hold one meeting by itself."""
    found = []
    rooms: list[str | None] = [None] if meeting.online else [room.id for room in problem.rooms]
    choices = [(*seat.persons, None) for seat in meeting.seats]
    for n in range((problem.last - problem.first).days + 1):
        for quarter, room in product(range(8), rooms):
            starts = at(quarter, DAY + timedelta(days=n))
            ends = starts + timedelta(minutes=15 * meeting.slots)
            for who in product(*choices):
                seats = tuple(Seated(seat=s.name, person=one) for s, one in zip(meeting.seats, who, strict=True))
                one = Placed(meeting=meeting.id, starts=starts, ends=ends, room=room, seats=seats)
                others = tuple(Unplaced(meeting=m.id) for m in problem.meetings if m is not meeting)
                if not checker.broken(Plan(placed=(one,), unplaced=others, score=NOWHERE)):
                    found.append(one)
    return found


def brute_force(problem: Problem, announced: Plan | None = None) -> tuple[int, int, int]:
    """The lowest score of all lawful plans."""
    checker = Checker(problem)
    ways: list[list[Placed | None]] = [[None, *options(problem, one, checker)] for one in problem.meetings]
    best: tuple[int, int, int] | None = None
    for some in product(*ways):
        placed = tuple(one for one in some if one)
        lost = tuple(Unplaced(meeting=m.id) for m, one in zip(problem.meetings, some, strict=True) if one is None)
        plan = Plan(placed=placed, unplaced=lost, score=NOWHERE)
        if len(placed) > 1 and checker.broken(plan):
            continue
        key = checker.score(plan, announced).key
        best = key if best is None or key < best else best
    assert best is not None
    return best
