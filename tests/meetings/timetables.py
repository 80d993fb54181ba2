"""Invented timetabling problems: a month of a large city."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from services.meetings.timetable.problem import Problem, faults

MONDAY = date(2026, 11, 30)
SURNAMES = ("髙橋", "𠮷田", "山﨑", "日髙", "河野", "黒木", "甲斐", "長友", "岩切", "児玉")
KINDS = (
    "地域包括支援センター",
    "社会福祉協議会",
    "障がい相談",
    "こども家庭課",
    "生活支援課",
    "病院",
    "学校",
    "民生委員",
)


def month(seed: int = 1, *, sittings: int = 60, people: int = 150, rooms: int = 8, weeks: int = 4) -> Problem:
    """People of many agencies, more than half of their time taken, and sittings of five to ten seats."""
    draw = Random(seed)
    agencies = [
        {"id": f"a{n}", "name": f"{KINDS[n % len(KINDS)]}{n // len(KINDS) + 1}", "per_day": 2, "missed": n % 3}
        for n in range(max(2, people // 5))
    ]
    persons = [
        {
            "id": f"p{n}",
            "name": f"{SURNAMES[n % len(SURNAMES)]}{n}",
            "agency": f"a{n % len(agencies)}",
            "busy": [*_half_days(draw, weeks), *(_busy(draw, weeks) for _ in range(draw.randint(4, 12)))],
        }
        for n in range(people)
    ]
    halls = [
        {
            "id": f"r{n}",
            "name": f"会議室{n + 1}",
            "place": f"l{n % 3}",
            "capacity": draw.choice((8, 10, 12, 20)),
            "equipment": ["screen"] if n % 2 else [],
            "busy": [_busy(draw, weeks) for _ in range(draw.randint(10, 25))],
        }
        for n in range(rooms)
    ]
    return made(
        agencies=agencies,
        persons=persons,
        rooms=halls,
        places=[{"id": f"l{n}", "name": f"庁舎{n + 1}"} for n in range(3)],
        travel=[{"between": ["l0", "l1"], "minutes": 20}, {"between": ["l1", "l2"], "minutes": 35}],
        meetings=[_meeting(draw, n, people, weeks) for n in range(sittings)],
        apart=[{"persons": [f"p{n}", f"p{n + 7}"]} for n in range(0, min(people - 8, 40), 13)],
        last=MONDAY + timedelta(days=7 * weeks - 3),
    )


def made(**given: Any) -> Problem:
    """A problem from plain values, checked."""
    problem = Problem.model_validate({"format": "kasane-timetable/1", "first": MONDAY, "last": MONDAY, **given})
    assert list(faults(problem)) == []
    return problem


def _half_days(draw: Random, weeks: int) -> list[dict[str, Any]]:
    """Somebody's own work: two of five mornings and afternoons."""
    return [
        {"starts": datetime.combine(day, time(opens)), "ends": datetime.combine(day, time(closes))}
        for n in range(7 * weeks)
        for opens, closes in ((8, 12), (13, 18))
        if draw.random() < 0.4 and (day := MONDAY + timedelta(days=n))
    ]


def _busy(draw: Random, weeks: int) -> dict[str, Any]:
    day = MONDAY + timedelta(days=draw.randrange(7 * weeks))
    starts = datetime.combine(day, time(draw.randint(8, 16), draw.choice((0, 15, 30, 45))))
    return {"starts": starts, "ends": starts + timedelta(minutes=draw.choice((30, 60, 90, 120, 180)))}


def _meeting(draw: Random, number: int, people: int, weeks: int) -> dict[str, Any]:
    count = draw.randint(5, 10)
    pool = draw.sample(range(people), count + 4)
    seats = []
    for n in range(count):
        who = [f"p{pool[n]}"]
        if n < 4:
            who.append(f"p{pool[count + n]}")
        need = "required" if n < 3 else "optional" if n == count - 1 else "expected"
        seats.append({"name": f"席{n + 1}", "need": need, "persons": who})
    urgency = draw.choice((0, 0, 0, 1, 2))
    online = draw.random() < 0.15
    return {
        "id": f"m{number}",
        "name": f"会議{number + 1}",
        "minutes": draw.choice((45, 60, 60, 90, 120)),
        "seats": seats,
        "quorum": [{"name": "関係機関", "at_least": 2, "seats": ["席4", "席5", "席3"]}],
        "online": online,
        "equipment": ["screen"] if not online and draw.random() < 0.3 else [],
        "heads": 8,
        "urgency": urgency,
        "deadline": datetime.combine(MONDAY + timedelta(days=7 * min(weeks, 2 if urgency else weeks) - 2), time(18)),
        "answers": [_answer(draw, seats, weeks) for _ in range(2)],
    }


def _answer(draw: Random, seats: list[dict[str, Any]], weeks: int) -> dict[str, Any]:
    one = _busy(draw, weeks)
    return {**one, "person": draw.choice(seats)["persons"][0], "answer": "avoid"}
