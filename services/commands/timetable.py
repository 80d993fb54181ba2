"""``kasane timetable``: solve a problem file, or plan it anew with the fewest changes, and write the plan."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from services.commands import Adder
from services.meetings.timetable.check import Checker
from services.meetings.timetable.explain import day_text
from services.meetings.timetable.grid import grid
from services.meetings.timetable.many import Found, solve
from services.meetings.timetable.outcome import announced_in, told
from services.meetings.timetable.plan import Plan, read_plan
from services.meetings.timetable.problem import LARGEST, Problem, ProblemInvalid, read_problem
from services.meetings.timetable.replan import replan
from services.settings import Settings

LONGEST_SECONDS = 3600
Say = Callable[[str], None]
PARTS = {
    "expected": "原則の空席",
    "optional": "任意の空席",
    "avoid": "避けたい時間",
    "substitute": "代理",
    "wait": "待つ日数",
    "overload": "機関の負担",
    "fairness": "欠席の偏り",
    "moved": "日時の変更",
    "rehoused": "部屋の変更",
    "changed": "出席者の変更",
}


def run(options: argparse.Namespace, say: Say, clock: Callable[[], float] = time.monotonic) -> int:
    """Do what was asked. Exit status: 0 all have a date, 1 some have none or the file cannot be worked on."""
    try:
        problem = read_problem(_bytes(options.problem))
        announced = read_plan(_bytes(options.replan)) if options.replan else None
        plan = solved(problem, announced, options.seconds, options.seed, clock, _progress(options, clock))
        if options.out:
            _write(options.out, plan)
    except ProblemInvalid as refusal:
        say(str(refusal))
        return 1
    for line in lines(problem, plan):
        say(line)
    if options.out:
        say(f"計画を書きました: {options.out}")
    return 1 if plan.unplaced else 0


def solved(
    problem: Problem,
    announced: Plan | None,
    seconds: float,
    seed: int,
    clock: Callable[[], float],
    tell: Callable[[float, int, tuple[int, int, int]], None] | None = None,
) -> Plan:
    """The plan with reasons. Raises AssertionError if the independent checker finds a hard rule broken: then none."""
    whole = grid(problem)
    if announced:
        lay = announced_in(whole, announced)
        found: Found = replan(whole, lay, seconds=seconds, seed=seed, clock=clock, tell=tell)
    else:
        found = solve(whole, seconds=seconds, seed=seed, clock=clock, tell=tell)
    plan = told(found.board, seed=seed, steps=found.steps, announced=announced)
    if broken := Checker(problem).broken(plan):
        raise AssertionError(f"{len(broken)} hard rules broken")  # a fault of ours: no plan is better than a wrong one
    return plan


def lines(problem: Problem, plan: Plan) -> list[str]:
    """The plan for people: who has a date, who has none and why, what changed, and the score."""
    names = {meeting.id: meeting.name for meeting in problem.meetings}
    rooms = {room.id: room.name for room in problem.rooms}
    said = []
    for one in plan.placed:
        room = rooms[one.room] if one.room else "オンライン"
        said.append(f"{day_text(one.starts)}-{one.ends:%H:%M}  {names[one.meeting]}  {room}")
        said.append(f"    {one.why}")
        said += [f"    {part.starts:%H:%M}-{part.ends:%H:%M} 議題 {part.item}" for part in one.agenda]
    for lost in plan.unplaced:
        said.append(f"日時なし  {names[lost.meeting]}")
        said.append(f"    {lost.why}")
        said += [f"    できること: {text}" for text in lost.relax]
    kinds = {"moved": "変更", "seats": "出席者の変更", "lost": "日時がなくなった"}
    said += [f"{kinds[one.what]}  {names[one.meeting]}  {one.why}" for one in plan.changes]
    said += [f"注意: {note}" for note in plan.notes]
    parts = "、".join(f"{PARTS[name]} {cost}" for name, cost in plan.score.parts.items())
    of = f"({parts})" if parts else ""
    said.append(f"日時あり {len(plan.placed)}件、なし {len(plan.unplaced)}件。費用 {plan.score.cost:,}{of}")
    return said


def _progress(
    options: argparse.Namespace, clock: Callable[[], float]
) -> Callable[[float, int, tuple[int, int, int]], None] | None:
    """Once a second on the error stream, so that the plan can be piped on."""
    last = [clock()]

    def tell(share: float, steps: int, key: tuple[int, int, int]) -> None:
        if clock() - last[0] >= 1:
            last[0] = clock()
            moved = f"、変更 {key[1]}件" if options.replan else ""
            sys.stderr.write(f"{share:4.0%}  {steps:,}手  日時なし {key[0]}{moved}  費用 {key[2]:,}\n")
            sys.stderr.flush()

    return None if options.quiet else tell


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise ProblemInvalid(f"ファイルを読めません: {error.strerror}") from None


def _write(path: Path, plan: Plan) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(plan.model_dump_json(indent=1) + "\n")
    except FileExistsError:
        raise ProblemInvalid("同じ名前のファイルがあります。上書きはしません。別の名前にしてください。") from None
    except OSError as error:
        raise ProblemInvalid(f"ファイルを書けません: {error.strerror}") from None


def _seconds(text: str) -> float:
    if not 0.1 <= (seconds := float(text)) <= LONGEST_SECONDS:
        raise ValueError("out of range")
    return seconds


def _seed(text: str) -> int:
    if (seed := int(text)) < 0:
        raise ValueError("out of range")
    return seed


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of ``kasane timetable``."""
    parser.add_argument("problem", type=Path, help="問題のファイル(docs/timetable.md)")
    parser.add_argument("--out", type=Path, metavar="PLAN.json", help="計画を書く新しいファイル")
    parser.add_argument("--seconds", type=_seconds, default=10.0, help="計算の時間(0.1から3600秒、既定 10)")
    parser.add_argument("--seed", type=_seed, default=0, help="乱数の種(既定 0)")
    parser.add_argument("--replan", type=Path, metavar="OLD.json", help="知らせた計画から、変更を最も少なく組み直す")
    parser.add_argument("--quiet", action="store_true", help="途中の経過を表示しない")


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("timetable", _act, "会議の日程を組む、組み直す", alone=True))


def _act(options: argparse.Namespace, settings: Settings) -> int:
    return run(options, print)
