"""Counts as lines of a table, as CSV and as Excel: of one compartment exact, of both with small numbers hidden."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path

import xlsxwriter

from contracts.challenges import KIND_TEXT, LACK_TEXT
from contracts.counts import UNKNOWN, Counted, CountsOfPeriod, Dimension, FactKind, Method, Period, Publication
from contracts.intake import PROBLEM_TEXT
from contracts.life import CONTACT_TEXT, OUTCOME_TEXT, SERVICE_TEXT, STATE_TEXT
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT

HIDDEN, NOT_HERE, NOT_RECORDED = "×", "-", "記録なし"
_TEXT: dict[Dimension, dict[str, str]] = {
    Dimension.REFERRER: {
        "municipality": "市町村",
        "coordinator": "多機関協働事業者",
        "consultation": "包括的相談支援",
        "outreach": "アウトリーチ等",
        "participation": "参加支援",
        "community": "地域",
        "medical": "医療",
        "school": "学校・教育",
        "other": "その他",
    },
    Dimension.PROBLEM: {str(code): text for code, text in PROBLEM_TEXT.items()},
    Dimension.FIELD: {str(code): text for code, text in PROBLEM_TEXT.items()},
    Dimension.URGENT: {"urgent": "緊急", "ordinary": "緊急でない"},
    Dimension.PATH: {"decision": "支援決定", "report": "了承と報告", "confirmed": "支援方針の確認"},
    Dimension.ROUND: {"first": "初回", "again": "再プラン"},
    Dimension.SERVICE: {str(code): text for code, text in SERVICE_TEXT.items()} | {"none": "法に基づく事業なし"},
    Dimension.WAY: {
        "closed": "終結",
        "suspended": "中断",
        "returned": "紹介元へ戻し",
        "with_referrer": "紹介元が主担当",
        "to_juso": "同意を得て重層的支援会議へ",
        "no_consent": "同意がなく終了",
        "died": "死亡",
        "moved": "転出",
        "settled": "定着",
        "moved_on": "別の場へ移った",
        "stopped": "取りやめ",
    },
    Dimension.CONTACT: {str(code): text for code, text in CONTACT_TEXT.items()},
    Dimension.REACHED: {"reached": "取れた", "not_reached": "取れなかった"},
    Dimension.STATE: {str(code): text for code, text in STATE_TEXT.items()},
    Dimension.OUTCOME: {str(code): text for code, text in OUTCOME_TEXT.items()},
    Dimension.REGULAR: {"regular": "定例", "ad_hoc": "随時"},
    Dimension.PURPOSE: {str(code): text for code, text in PURPOSE_TEXT.items()},
    Dimension.ANSWER: {"attend": "出席", "absent": "欠席", "none": "回答なし"},
}


@dataclass(frozen=True)
class Sheet:
    """A table with a heading; numbers as numbers. ``notes`` say what a reader must know."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str | int | float, ...]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def label(by: Dimension, code: str, fact: FactKind | None, profile: Profile) -> str:
    """A group's name."""
    if code == UNKNOWN:
        return "不明"
    if by is Dimension.BODY:
        return next((body.name for body in profile.bodies if body.code == code), code)
    if by is Dimension.KIND:
        return (LACK_TEXT if fact is FactKind.CHALLENGE_FOUND else KIND_TEXT).get(code, code)
    return _TEXT.get(by, {}).get(code, code)


def own_sheet(found: CountsOfPeriod, period: Period, kind: Compartment, profile: Profile) -> Sheet:
    """One compartment's exact counts; with what was submitted and the difference, where it was."""
    name = "重層的支援会議" if kind is Compartment.JUSO else "支援会議"
    columns: tuple[str, ...] = ("項目", "区分", "内訳", "数", "単位")
    before = {one.item.id: one for one in found.frozen.counted} if found.frozen else {}
    notes = [
        f"定義 第{found.definitions}版。取扱注意: {name}の中だけで使う数です。公表には会議をまたぐ表を使ってください。"
    ]
    if found.frozen:
        columns = ("項目", "区分", "内訳", "いまの数", "単位", "確定した数", "差")
        notes.append(f"{found.frozen.frozen_at:%Y-%m-%d} に確定(定義 第{found.frozen.definitions}版)。")
    now = {one.item.id: one for one in found.counted}
    rows: list[tuple[str | int | float, ...]] = []
    for one in (*now.values(), *(old for old in before.values() if old.item.id not in now)):
        rows += _own_rows(now.get(one.item.id), before.get(one.item.id), bool(found.frozen), profile)
    notes += [f"{one.item.title}: {one.why}" for one in found.counted if one.count is None]
    return Sheet(f"{profile.name} {name}の実績 {period.title()}", columns, rows, tuple(notes))


def _own_rows(
    now: Counted | None, before: Counted | None, frozen: bool, profile: Profile
) -> list[tuple[str | int | float, ...]]:
    one = now or before
    assert one is not None  # noqa: S101  # one of the two was found under this id
    numbers, old = _numbers(now), _numbers(before)
    titles = {by.dim: by.title for by in one.item.by}
    rows = []
    for key in dict.fromkeys([*numbers, *old]):
        by, code = key
        named = (titles.get(by, by.value), label(by, code, one.item.fact, profile)) if by else ("", "")
        here, there = numbers.get(key, 0 if now else NOT_RECORDED), old.get(key, 0 if before else NOT_RECORDED)
        row: tuple[str | int | float, ...] = (one.item.title, *named, here, one.item.unit)
        both = not isinstance(here, str) and not isinstance(there, str)
        rows.append((*row, there, round(here - there, 1) if both else NOT_HERE) if frozen else row)  # type: ignore[operator]
    return rows


def _numbers(one: Counted | None) -> dict[tuple[Dimension | None, str], str | int | float]:
    if one is None:
        return {}
    if one.count is None:
        return {(None, ""): NOT_RECORDED}
    if one.item.method is Method.MEAN:
        return {(None, ""): round(one.count / one.of, 1) if one.of else NOT_HERE}
    return {(None, ""): one.count, **{(group.by, group.code): group.count for group in one.groups}}


def shown_sheet(found: Publication, period: Period, profile: Profile) -> Sheet:
    """Both compartments, as it may be shown."""
    rows: list[tuple[str | int | float, ...]] = []
    notes = [
        f"定義 第{found.definitions}版。{found.frozen_at:%Y-%m-%d} に確定。" if found.frozen_at else "",
        f"{HIDDEN}: 1以上{found.threshold}未満の数と、それが引き算で分かってしまう数は出していません。",
        f"{NOT_HERE}: その会議では数えない項目です。",
    ]
    for one in found.items:
        titles = {by.dim: by.title for by in one.item.by}
        for row in one.rows:
            cells = [
                HIDDEN if number is None and kind in one.item.compartments else NOT_HERE if number is None else number
                for number, kind in ((row.juso, Compartment.JUSO), (row.shien, Compartment.SHIEN))
            ]
            named = (titles[row.by], label(row.by, row.code, one.item.fact, profile)) if row.by else ("", "")
            rows.append((one.item.title, *named, *cells, HIDDEN if row.sum is None else row.sum, one.item.unit))
        if not one.rows:
            rows.append((one.item.title, "", "", NOT_RECORDED if one.item.not_recorded else HIDDEN, "", "", ""))
            notes.append(f"{one.item.title}: {one.why}")
    columns = ("項目", "区分", "内訳", "重層的支援会議", "支援会議", "計", "単位")
    return Sheet(f"{profile.name} 実績 {period.title()}", columns, rows, tuple(note for note in notes if note))


# -- files -------------------------------------------------------------------------------------------------------------


def as_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a mark at the beginning, by which Excel knows it; notes below."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    lines = [[sheet.title], sheet.columns, *sheet.rows, *([note] for note in sheet.notes)]
    writer.writerows([[_harmless(cell) for cell in line] for line in lines])
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str | int | float) -> str | int | float:
    """A text that a spreadsheet would run as a formula begins with an apostrophe. The mark for "none" is no formula."""
    runs = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") and cell != NOT_HERE
    return f"'{cell}" if runs else cell


def as_xlsx(sheet: Sheet) -> bytes:
    """A workbook with one sheet. Text stays text: no cell is read as a formula or an address."""
    content = BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(content, plain) as book:
        bold, page = book.add_format({"bold": True}), book.add_worksheet("実績")
        page.write_string(0, 0, sheet.title, bold)
        for column, name in enumerate(sheet.columns):
            page.write_string(2, column, name, bold)
        for line, row in enumerate(sheet.rows, 3):
            for column, cell in enumerate(row):
                page.write(line, column, cell)
        for line, note in enumerate(sheet.notes, 4 + len(sheet.rows)):
            page.write_string(line, 0, note)
        page.freeze_panes(3, 0)
        page.set_column(0, 0, 42)
        page.set_column(1, 2, 22)
    return content.getvalue()


def write(path: Path, content: bytes) -> str:
    """Write a new file. An error in Japanese, or nothing; a file that is there already is not written over."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return f"{path} はもうあります。上書きはしません。別の名前にしてください。"
    except OSError as error:
        return f"{path} を書けません: {error.strerror}"
    return ""


def as_text(sheet: Sheet) -> Sequence[str]:
    """For a screen."""
    lines = [sheet.title, "  ".join(sheet.columns)]
    last = ""
    for item, by, code, *numbers in sheet.rows:
        if item != last:
            lines.append(f"{item}  {'  '.join(str(one) for one in numbers if one != '')}")
            last = str(item)
        else:
            lines.append(f"    {by} {code}  {'  '.join(str(one) for one in numbers if one != '')}")
    return [*lines, *sheet.notes]
