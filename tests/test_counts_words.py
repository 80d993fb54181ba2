"""``kasane counts`` in a whole town, and its files: numbers as numbers, text as text, nothing written over."""

import argparse
import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.counts import (
    Counted,
    CountsOfPeriod,
    Dimension,
    FactKind,
    Group,
    Item,
    Period,
    Publication,
    Published,
    Shown,
)
from contracts.counts import Snapshot as Frozen
from contracts.message import Compartment
from contracts.profile import Profile
from services.commands import counts as counts_command
from services.counts_sheet import HIDDEN, NOT_RECORDED, Sheet, as_csv, as_text, as_xlsx, own_sheet, shown_sheet, write
from services.settings import Settings

PERIOD = Period.read("2026-Q2")
LEFT = Item.model_validate(
    {
        "id": "left",
        "title": "終結など",
        "words": "終わった件数",
        "source": "種000",
        "fact": FactKind.CASE_LEFT,
        "by": ({"dim": "way", "title": "理由"},),
    }
)
ONLINE = LEFT.model_copy(
    update={"id": "online", "title": "オンライン率", "fact": None, "not_recorded": "ない。", "by": ()}
)


def counted(number: int) -> tuple[Counted, ...]:
    groups = (Group(by=Dimension.WAY, code="closed", count=number),)
    return Counted(item=LEFT, count=number, groups=groups), Counted(item=ONLINE, count=None, why="記録がありません。")


def frozen(number: int) -> Frozen:
    facts: dict[str, Any] = {"frozen_by": UUID(int=1), "definitions": "1", "threshold": 5}
    return Frozen(period="2026-Q2", frozen_at=datetime(2026, 10, 5, tzinfo=UTC), counted=counted(number), **facts)


def test_what_is_not_recorded_is_told_apart_from_zero(kobayashi: Profile) -> None:
    found = CountsOfPeriod(counted=counted(0), definitions="1")
    sheet = own_sheet(found, PERIOD, Compartment.SHIEN, kobayashi)
    assert ("終結など", "", "", 0, "件") in sheet.rows
    assert ("オンライン率", "", "", NOT_RECORDED, "件") in sheet.rows
    assert any("記録がありません" in note for note in sheet.notes)


def test_a_correction_is_shown_beside_what_was_submitted(kobayashi: Profile) -> None:
    found = CountsOfPeriod(counted=counted(9), definitions="1", frozen=frozen(7))
    sheet = own_sheet(found, PERIOD, Compartment.JUSO, kobayashi)
    assert ("終結など", "理由", "終結", 9, "件", 7, 2) in sheet.rows


def test_what_is_hidden_is_marked_and_explained(kobayashi: Profile) -> None:
    rows = (Shown(sum=12), Shown(by=Dimension.WAY, code="died"))
    found = Publication(
        items=(Published(item=LEFT, rows=rows), Published(item=ONLINE, why="記録がありません。")), threshold=5
    )
    sheet = shown_sheet(found, PERIOD, kobayashi)
    assert ("終結など", "", "", HIDDEN, HIDDEN, 12, "件") in sheet.rows
    assert ("終結など", "理由", "死亡", HIDDEN, HIDDEN, HIDDEN, "件") in sheet.rows
    assert any("5未満" in note for note in sheet.notes)
    assert "終結など  ×  ×  12  件" in as_text(sheet)


SHEET = Sheet("=1+1", ("項目", "数"), [('=HYPERLINK("http://x")', 7), ("髙橋🏠𠮷", 0)], ("http://x.example",))


def test_the_csv_can_be_read_by_what_the_offices_have() -> None:
    content = as_csv(SHEET)
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert read[2] == ["'" + '=HYPERLINK("http://x")', "7"], "no spreadsheet runs it"
    assert read[3] == ["髙橋🏠𠮷", "0"]


def test_the_workbook_holds_numbers_and_runs_nothing() -> None:
    with zipfile.ZipFile(io.BytesIO(as_xlsx(SHEET))) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
        words = book.read("xl/sharedStrings.xml").decode()
        assert not any("external" in name.lower() for name in book.namelist())
    assert "<f>" not in page
    assert "<v>7</v>" in page
    assert "hyperlink" not in page.lower()
    assert "髙橋🏠𠮷" in words


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    assert write(path, b"first") == ""
    assert "上書きはしません" in write(path, b"second")
    assert path.read_bytes() == b"first"
    assert "書けません" in write(tmp_path / "nowhere" / "counts.csv", b"x")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"period": "2026-Q9"}, "2026-Q2"),
        ({"freeze": True}, "--by"),
        ({"freeze": True, "by": "0001", "compartment": Compartment.JUSO}, "--compartment"),
    ],
)
async def test_wrong_use_is_told_before_anybody_is_asked(said: dict[str, Any], told: str) -> None:
    lines: list[str] = []
    options = {"period": "2026-Q2", "freeze": False, "by": None, "compartment": None, "csv": None, "xlsx": None} | said
    assert await counts_command.run(argparse.Namespace(**options), Settings(), lines.append) == 2
    assert told in lines[0]
