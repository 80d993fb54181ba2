"""What becomes of a file of つなぐシート at the command line: no line is lost, no file is overwritten."""

import asyncio
import csv
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import MetaData

from contracts.intake import MAX_MEMBERS, Member, SheetResult, SheetResults, TakeInSheets
from contracts.message import Event
from contracts.profile import Profile
from services import intake
from services.importer import Imported, import_file
from services.intake.csv_import import read_sheets
from services.operator import BYTES_PER_QUESTION, SHEETS_PER_QUESTION, portions
from services.processes import PROCESSES
from services.provision import MAX_PAYLOAD
from services.service import Process, Service, Tx
from services.settings import Settings
from tests.intake.paper import TOWN, file, row, sheet
from tests.world import World

LONG = "母の年金で暮らしている。" * 330
"""Nearly as long as 紹介理由 may be: 12 kB."""


def lines(count: int, **changes: str) -> list[dict[str, str]]:
    """Good rows of as many people."""
    return [
        row(受付番号=f"{number:07}", 宛名番号=f"{number:010}", 関係機関="小林包括", **changes)
        for number in range(1, count + 1)
    ]


def put(folder: Path, *rows: dict[str, str]) -> Path:
    """A file with these rows in a folder of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "つなぐ.csv").write_bytes(file(*rows))
    return folder / "つなぐ.csv"


async def running(world: World, service: Service = intake.service) -> Settings:
    """Everything provisioned, and only an intake at work."""
    await world.provision(PROCESSES)
    await world.start(Process(service))
    return world.settings


def an_intake_that_chokes_on(number: str) -> Service:
    """An intake that fails whenever this 受付番号 is in a question, and accepts all other sheets."""
    service = Service("intake", MetaData())

    @service.does(TakeInSheets)
    def take_in(asked: TakeInSheets, tx: Tx) -> tuple[SheetResults, Iterable[Event]]:
        if number in {one.number for one in asked.sheets}:
            raise ZeroDivisionError
        results = [SheetResult(index=place, outcome="accepted") for place in range(len(asked.sheets))]
        return SheetResults(results=tuple(results)), ()

    return service


def written(path: Path) -> list[str]:
    """The 受付番号 in a rejected file."""
    with path.open(encoding="utf-8-sig", newline="") as rows:
        return [one["受付番号"] for one in csv.DictReader(rows)]


# -- how much one question carries -------------------------------------------------------------------------------------


def test_more_members_than_a_sheet_has_room_for_are_a_fault_of_their_line_alone() -> None:
    people = ";".join(f"髙橋 {place}/7/子" for place in range(MAX_MEMBERS + 1))
    reading = read_sheets(file(row(世帯員=people), row(受付番号="2", 宛名番号="2")), TOWN)
    assert [(fault.line, fault.column, fault.rule) for fault in reading.faults] == [(2, "世帯員", "members")]
    assert f"{MAX_MEMBERS}人まで" in reading.faults[0].message
    assert [line for line, _ in reading.sheets] == [3]


def test_as_many_members_as_there_is_room_for_are_taken_in() -> None:
    people = ";".join(f"髙橋 {place}/7/子" for place in range(MAX_MEMBERS))
    ((_, found),) = read_sheets(file(row(世帯員=people)), TOWN).sheets
    assert len(found.members) == MAX_MEMBERS


def test_no_question_is_larger_than_the_bus_carries_and_no_sheet_is_left_out() -> None:
    rare = "𠮷"  # four bytes
    fattest = sheet(
        **dict.fromkeys(("referrer_staff", "name", "kana", "address", "phone"), rare * 200),
        wishes=rare * 4000,
        reason=rare * 4000,
        members=[Member(name=rare * 200, age=100, relation=rare * 200)] * MAX_MEMBERS,
    )
    sheets = [sheet(), *[fattest] * 30, *[sheet()] * 60]
    parts = list(portions(sheets))
    sizes = [len(TakeInSheets(sheets=part, dry_run=False).model_dump_json().encode()) for _, part in parts]
    assert max(sizes) <= BYTES_PER_QUESTION < MAX_PAYLOAD
    assert [one for _, part in parts for one in part] == sheets
    assert all(sheets[first] is part[0] for first, part in parts)
    assert list(portions([])) == []


async def test_a_file_of_fat_lines_is_taken_in_whole(world: World, tmp_path: Path) -> None:
    settings = await running(world)
    people = ";".join([f"髙橋 {'和' * 150}/54/{'遠縁' * 75}"] * MAX_MEMBERS)
    path = put(tmp_path / "in", *lines(40, 紹介理由=LONG, 相談されたいこと=LONG, 世帯員=people, 世帯人数="31"))
    assert path.stat().st_size / 40 > BYTES_PER_QUESTION / SHEETS_PER_QUESTION
    assert await import_file(path, settings, print) == Imported(40, 0, 0, 0)
    assert await import_file(path, settings, print) == Imported(0, 40, 0, 0)


# -- when nobody answers -----------------------------------------------------------------------------------------------


async def test_lines_without_an_answer_are_told_and_written_back_and_hold_up_no_others(
    world: World, tmp_path: Path
) -> None:
    settings = await running(world, an_intake_that_chokes_on("0000030"))
    path = put(tmp_path / "in", *lines(60))
    said: list[str] = []
    done = await import_file(path, settings, said.append)
    assert done == Imported(accepted=35, unchanged=0, held=0, refused=25)
    assert [line for line in said if line.startswith("31行目") and "もう一度取り込んでください" in line]
    assert written(path.with_name("つなぐ-rejected.csv")) == [f"{number:07}" for number in range(26, 51)]
    assert not any("髙橋" in line for line in said)


async def test_what_was_written_back_for_want_of_an_answer_can_be_taken_in_as_it_is(
    world: World, tmp_path: Path
) -> None:
    await world.provision(PROCESSES)
    path = put(tmp_path / "in", *lines(30))
    assert await import_file(path, world.settings, print) == Imported(0, 0, 0, 30)
    await world.start(Process(intake.service))
    assert await import_file(path.with_name("つなぐ-rejected.csv"), world.settings, print) == Imported(30, 0, 0, 0)
    assert await import_file(path, world.settings, print) == Imported(0, 30, 0, 0)


# -- the rejected file -------------------------------------------------------------------------------------------------


async def test_the_rejected_file_is_for_its_owner_only_and_takes_no_others_place(
    world: World, tmp_path: Path, kobayashi: Profile
) -> None:
    settings = await running(world)
    path = put(tmp_path / "in", *lines(1), row(受付番号="9", 宛名番号="9", 性別="F"))
    (path.parent / "つなぐ-rejected.csv").write_text("直しかけ")
    (path.parent / "つなぐ-rejected-2.csv").symlink_to(path.parent / "nowhere.csv")
    said: list[str] = []
    old = os.umask(0)
    try:
        assert (await import_file(path, settings, said.append)).refused == 1
    finally:
        os.umask(old)
    third = path.parent / "つなぐ-rejected-3.csv"
    assert written(third) == ["9"]
    assert stat.S_IMODE(third.stat().st_mode) == 0o600
    assert str(third) in said[-1]
    assert (path.parent / "つなぐ-rejected.csv").read_text() == "直しかけ"
    assert not (path.parent / "nowhere.csv").exists()
    assert "性別" in read_sheets(third, kobayashi).faults[0].column


async def test_a_trial_writes_a_file_only_where_it_was_told_to(world: World, tmp_path: Path) -> None:
    settings = await running(world)
    path = put(tmp_path / "in", *lines(2), row(受付番号="9", 宛名番号="9", 性別="F"))
    said: list[str] = []
    assert await import_file(path, settings, said.append, dry_run=True) == Imported(2, 0, 0, 1)
    assert list(path.parent.iterdir()) == [path]
    assert "書き出していません" in said[-1]
    wanted = tmp_path / "戻り.csv"
    await import_file(path, settings, said.append, dry_run=True, rejected=wanted)
    assert written(wanted) == ["9"]
    assert await import_file(path, settings, said.append) == Imported(2, 0, 0, 1)


async def test_an_existing_file_given_for_the_rejected_rows_is_refused_before_anything_is_taken_in(
    world: World, tmp_path: Path
) -> None:
    settings = await running(world)
    path = put(tmp_path / "in", *lines(2))
    wanted = tmp_path / "大事.csv"
    wanted.write_text("大事")
    said: list[str] = []
    done = await import_file(path, settings, said.append, rejected=wanted)
    assert done.refused == 2
    assert "既にあります" in said[0]
    assert wanted.read_text() == "大事"
    assert await import_file(path, settings, print) == Imported(2, 0, 0, 0)


@pytest.mark.parametrize("given", [False, True])
async def test_a_folder_that_cannot_be_written_is_told_in_words(world: World, tmp_path: Path, given: bool) -> None:
    settings = await running(world)
    path = put(tmp_path / "in", *lines(1), row(受付番号="9", 宛名番号="9", 性別="F"))
    wanted = tmp_path / uuid4().hex / "戻り.csv" if given else None
    if not given:  # a name as long as names can be leaves no room for "-rejected", whoever runs the test
        path = path.rename(path.with_name("a" * 251 + ".csv"))
    said: list[str] = []
    assert await import_file(path, settings, said.append, rejected=wanted) == Imported(1, 0, 0, 1)
    assert "書けません" in said[-1]


async def test_the_command_ends_with_1_and_without_a_traceback(world: World, tmp_path: Path) -> None:
    settings = await running(world)
    path = put(tmp_path / "in", *lines(1), row(受付番号="9", 宛名番号="9", 性別="F"))
    names = {"KASANE_VAR": str(settings.var), "KASANE_NATS_PORT": str(settings.nats_port), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "services", "import", str(path), "--rejected", str(tmp_path / "no" / "x.csv")]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, env=names, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 1
    assert "書けません" in out.decode()
    assert "Traceback" not in (out + err).decode()
