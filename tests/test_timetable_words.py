"""``kasane timetable``: a problem file in, a plan out; and what it says to a file that cannot be worked on."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from services.__main__ import main
from services.meetings.timetable.check import Checker
from services.meetings.timetable.plan import read_plan
from services.meetings.timetable.problem import FAULTS_SHOWN, LARGEST, ProblemInvalid, read_problem

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "timetable" / "problem.json"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["timetable", *arguments, "--seconds", "0.3", "--quiet"])
    return int(end.value.code or 0)


def example() -> dict[str, Any]:
    return json.loads(EXAMPLE.read_text("utf-8"))  # type: ignore[no-any-return]


def test_the_example_is_planned_and_the_plan_is_lawful(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(EXAMPLE), "--out", str(tmp_path / "plan.json")) == 1, "one meeting of the example has no date"
    said = capsys.readouterr().out
    plan = read_plan((tmp_path / "plan.json").read_bytes())
    checker = Checker(read_problem(EXAMPLE.read_bytes()))
    assert checker.broken(plan) == []
    assert checker.score(plan) == plan.score
    assert "日時なし  支援会議(急)" in said
    assert "できること: " in said
    assert f"費用 {plan.score.cost:,}" in said


def test_a_decline_is_planned_anew_and_nothing_else_moves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(str(EXAMPLE), "--out", str(tmp_path / "plan.json"))
    plan = read_plan((tmp_path / "plan.json").read_bytes())
    hit = next(one for one in plan.placed if one.meeting == "juso-12")
    problem = example()
    meeting = next(one for one in problem["meetings"] if one["id"] == "juso-12")
    span = {"starts": hit.starts.isoformat(), "ends": hit.ends.isoformat(), "answer": "no"}
    people = {person for seat in meeting["seats"] if seat["need"] == "required" for person in seat["persons"]}
    meeting["answers"] = [{**span, "person": person} for person in sorted(people)]
    (tmp_path / "changed.json").write_text(json.dumps(problem), "utf-8")
    capsys.readouterr()
    run(str(tmp_path / "changed.json"), "--replan", str(tmp_path / "plan.json"), "--out", str(tmp_path / "new.json"))
    new = read_plan((tmp_path / "new.json").read_bytes())
    assert [one.meeting for one in new.changes if one.what == "moved"] == ["juso-12"]
    assert "変更  重層的支援会議" in capsys.readouterr().out


def test_a_plan_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "plan.json"
    there.write_text("大切", "utf-8")
    assert run(str(EXAMPLE), "--out", str(there)) == 1
    assert "上書きはしません" in capsys.readouterr().out
    assert there.read_text("utf-8") == "大切"


Spoil = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Spoil, str]] = {
    "a misspelt key": (lambda p: p["meetings"][0].update(minuets=60), "meetings[0].minuets: この項目はありません"),
    "no minutes": (lambda p: p["meetings"][0].pop("minutes"), "meetings[0].minutes: 必ず書いてください"),
    "an unknown need": (
        lambda p: p["meetings"][0]["seats"][0].update(need="must"),
        "meetings[0].seats[0].need: 決まった値",
    ),
    "a person nobody knows": (
        lambda p: p["meetings"][0]["seats"][0].update(persons=["誰か"]),
        "meetings[0].seats[0].persons: 「誰か」は persons にありません",
    ),
    "a number twice": (lambda p: p["persons"].append(p["persons"][0]), "が2度あります"),
    "days that run backwards": (lambda p: p.update(last="2026-01-01"), "last: first と同じ日か後で"),
    "ten years of days": (lambda p: p.update(last="2036-01-01"), "400日以内"),
    "a clock off the quarter": (lambda p: p.update(opens="09:10"), "opens: 15分単位"),
    "a date that does not exist": (lambda p: p.update(first="2026-02-30"), "first: 日付にしてください"),
    "a busy block without length": (
        lambda p: p["persons"][0].update(busy=[{"starts": "2026-12-01T09:00", "ends": "2026-12-01T09:00"}]),
        "persons[0].busy[0]: 終わり(ends)は始まり(starts)より後",
    ),
    "two answers to one question": (
        lambda p: p["meetings"][0].update(
            answers=[
                {"person": "tk", "starts": "2026-12-01T09:00", "ends": "2026-12-01T12:00", "answer": "yes"},
                {"person": "tk", "starts": "2026-12-01T11:00", "ends": "2026-12-01T13:00", "answer": "no"},
            ]
        ),
        "meetings[0].answers[1]: answers[0] と同じ人・重なる時間で、答えが違います",
    ),
    "an answer of somebody without a seat": (
        lambda p: p["meetings"][0].update(
            answers=[{"person": "nobody", "starts": "2026-12-01T09:00", "ends": "2026-12-01T12:00", "answer": "yes"}]
        ),
        "meetings[0].answers: 「nobody」は この会議の席の人 にありません",
    ),
    "a quorum of more than there are": (
        lambda p: p["meetings"][0].update(quorum=[{"name": "包括", "at_least": 9, "seats": ["市町村"]}]),
        "meetings[0].quorum[0].at_least: 席の数(1)まで",
    ),
    "a deadline before it could end": (
        lambda p: p["meetings"][0].update(earliest="2026-12-02T09:00", deadline="2026-12-02T09:30"),
        "meetings[0].deadline: earliest から会議の長さ",
    ),
    "a weight below nothing": (lambda p: p["weights"].update(expected=-1), "weights.expected: 0以上"),
    "a place with itself": (lambda p: p["travel"].append({"between": ["l0", "l0"], "minutes": 5}), "別の二つの場所"),
    "a line break in a name": (lambda p: p["persons"][0].update(name="髙橋\n"), "persons[0].name: 改行などの制御文字"),
    "a room for an online meeting": (lambda p: p["meetings"][0].update(online=True, rooms=["r0"]), "online: "),
    "items longer than the meeting": (
        lambda p: p["meetings"][0].update(items=[{"id": "1", "minutes": 480}]),
        "meetings[0].items: 時間の合計",
    ),
    "a year that Python cannot count": (
        lambda p: p["meetings"][0].update(deadline="9999-12-31T23:59:59-12:00"),
        "meetings[0].deadline: ",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_told_by_field_and_rule(what: str) -> None:
    spoil, text = WRONG[what]
    problem = deepcopy(example())
    spoil(problem)
    with pytest.raises(ProblemInvalid) as refused:
        read_problem(json.dumps(problem).encode())
    assert text in str(refused.value)
    assert "髙橋" not in str(refused.value)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"format": 1, "format": 2}', b'{"first": NaN}', b"null"]
)
def test_what_is_no_problem_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ProblemInvalid) as refused:
        read_problem(data)
    assert "。" in str(refused.value) or ": " in str(refused.value)


def test_a_file_of_fifty_megabytes_is_not_even_parsed() -> None:
    with pytest.raises(ProblemInvalid, match="50MBまで"):
        read_problem(b" " * (LARGEST + 1))


def test_a_thousand_faults_are_not_all_listed() -> None:
    problem = example()
    problem["persons"] = [{"id": f"x{n}"} for n in range(1000)]
    with pytest.raises(ProblemInvalid) as refused:
        read_problem(json.dumps(problem).encode())
    assert len(str(refused.value).splitlines()) == FAULTS_SHOWN + 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "none.json")) == 1
    assert "ファイルを読めません" in capsys.readouterr().out


def test_an_old_plan_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old.json").write_text("{}", "utf-8")
    assert run(str(EXAMPLE), "--replan", str(tmp_path / "old.json")) == 1
    assert "前の計画が読めません" in capsys.readouterr().out
