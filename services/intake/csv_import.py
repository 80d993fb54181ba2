"""Reads つなぐシート as other systems export them: CSV in CP932 or UTF-8, one sheet a line (domain.md 2.6 and 3).

Nothing is guessed and nothing is lost: what cannot be taken in is told with line, column, rule and what to do, and can
be written back as a file to be corrected and read again. Lines are counted as a spreadsheet does: the header is line 1,
a cell with line breaks is still one line. Messages never repeat a value: it may name a person.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from contracts.explained import explanation_due
from contracts.intake import Sheet, SheetResult
from contracts.profile import Profile
from contracts.text import Refused, squeeze, without_my_number
from services.intake.cells import MARK, Cells, is_formula
from services.intake.csv_bytes import decode, encode, read_bytes, record_at, split_encoding
from services.intake.domain import (
    CONSENT_BEFORE,
    LABELS,
    MAY_LACK,
    flaws,
    has_replaced_signs,
)

ERROR_COLUMNS = ("エラー行", "エラー")
"""Added to rejected rows, passed over when they are read again."""


@dataclass(frozen=True)
class Fault:
    """What is wrong, where, by which rule, and what to do. Line 0 is the file as a whole."""

    line: int
    column: str
    rule: str
    message: str

    def __str__(self) -> str:
        place = f"{self.line}行目" if self.line else "ファイル全体"
        return f"{place} {self.column + ': ' if self.column else ''}{self.message} [{self.rule}]"


@dataclass(frozen=True)
class ImportReading:
    """What a file says: sheets with their lines, faults, warnings, and every row as text for the way back."""

    sheets: tuple[tuple[int, Sheet], ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    header: tuple[str, ...] = ()
    rows: dict[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    encoding: str = "utf-8"

    @property
    def rejected_rows(self) -> dict[int, tuple[str, ...]]:
        """The rows that have a fault, by line."""
        lines = {fault.line for fault in self.faults}
        return {line: cells for line, cells in self.rows.items() if line in lines}

    def refused(self, results: Iterable[SheetResult]) -> "ImportReading":
        """This reading with what intake refused afterwards; ``index`` counts in ``sheets``."""
        more = [Fault(self.sheets[one.index][0], one.field, one.rule, one.message) for one in results]
        return replace(self, faults=tuple(sorted((*self.faults, *more), key=lambda fault: fault.line)))

    def report(self) -> Iterator[str]:
        """Faults and warnings as lines for a person."""
        yield from map(str, self.faults)
        yield from (f"注意: {warning}" for warning in self.warnings)


def read_sheets(source: Path | str | bytes, profile: Profile) -> ImportReading:
    """Read a file, or bytes. Never raises for what the file holds or lacks: the reading has faults instead."""
    try:
        encoding, data = split_encoding(read_bytes(source))
        first, end, intact = record_at(data, 0, 0)
        header = _header(first if intact else [], encoding)
    except Refused as refused:
        return ImportReading(faults=(Fault(0, "", refused.rule, refused.message),))
    reader = _Reader(encoding, header, profile)
    line = 1
    while end < len(data):
        cells, end, intact = record_at(data, end, len(header))
        line += 1
        if any(cells):
            reader.read_row(line, cells, intact)
    if not reader.rows:
        reader.tell(0, "", "no-rows", "見出しだけで、つなぐシートが1件もありません。出力の条件を確かめてください。")
    return reader.reading()


def rejected_csv(reading: ImportReading) -> bytes:
    """The rejected rows with their faults in two more columns, in the encoding of the file they came from.

    A cell that a spreadsheet would take for a formula gets ``'`` in front. Cells beyond the header stay behind the
    two columns, missing ones are marked: such a row is refused again until somebody has corrected it.
    """
    told: dict[int, list[str]] = {}
    for fault in reading.faults:
        told.setdefault(fault.line, []).append(f"{fault.column}: {fault.message}" if fault.column else fault.message)
    width = len(reading.header)
    kept = [place for place, name in enumerate(reading.header) if name not in ERROR_COLUMNS]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_harmless([*(reading.header[place] for place in kept), *ERROR_COLUMNS]))
    for line, cells in reading.rejected_rows.items():
        filled = [*cells, *[f"{MARK}この列がありません"] * (width - len(cells))]
        row = [*(filled[place] for place in kept), str(line), " / ".join(told[line]), *filled[width:]]
        writer.writerow(_harmless(row))
    return encode(text.getvalue(), reading.encoding)


def _harmless(cells: Sequence[str]) -> list[str]:
    return [f"'{cell}" if is_formula(cell) else cell for cell in cells]


def _header(cells: list[bytes], encoding: str) -> tuple[str, ...]:
    """The column names. Raises Refused, without repeating them: without a header they are a person's data."""
    names = tuple(cell.decode(encoding, "replace").strip() for cell in cells)
    if any(word in squeeze(name) for name in names for word in ("個人番号", "マイナンバー")):
        message = "個人番号の列があるため、ファイルを読み込みませんでした。その列を外して出力し直してください。"
        raise Refused("my-number", message)
    wanted = [label for name, label in LABELS.items() if name not in MAY_LACK]
    missing = [label for label in wanted if label not in names]
    if len(missing) == len(wanted):
        message = (
            "1行目に見出しがありません。見出しのあるコンマ区切りの CSV を、UTF-8 か Shift_JIS で出力してください。"
        )
        raise Refused("header", message)
    if missing:
        raise Refused("header", f"見出しに列がありません: {'、'.join(missing)}。列を加えて出力し直してください。")
    if double := [label for label in LABELS.values() if names.count(label) > 1]:
        raise Refused("header", f"見出しに同じ列が2つあります: {'、'.join(double)}。1つにして出力し直してください。")
    return names


class _Reader:
    """Reads the rows of one file and collects what it finds."""

    def __init__(self, encoding: str, header: tuple[str, ...], profile: Profile) -> None:
        self.encoding, self.header, self.municipality = encoding, header, profile.municipality
        self.codes = [agency.code for agency in profile.agencies]
        self.cells = Cells(profile)
        self.rows: dict[int, tuple[str, ...]] = {}
        self.sheets: list[tuple[int, Sheet]] = []
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.seen: dict[tuple[object, ...], int] = {}
        for place, name in enumerate(header, start=1):
            if name not in LABELS.values() and name not in ERROR_COLUMNS:
                message = f"{place}列目は知らない見出しなので、使いません。"
                self.warnings.append(Fault(1, "", "column-unknown", message))
        absent = [LABELS[name] for name in sorted(MAY_LACK) if LABELS[name] not in header]
        self.asks_explained = not absent
        if absent:  # once for the file: a line each would hide what else there is to say
            message = (
                f"{'・'.join(absent)}の列がありません。取り込みますが、"
                "説明したかを紹介元に確かめて「受付」で記録するまで、未記入として出ます。"
            )
            self.warnings.append(Fault(1, "", "C6", message))

    def reading(self) -> ImportReading:
        """All that was found."""
        found = tuple(self.sheets), tuple(self.faults), tuple(self.warnings)
        return ImportReading(*found, self.header, self.rows, self.encoding)

    def tell(self, line: int, column: str, rule: str, message: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(line, column, rule, message))

    def read_row(self, line: int, cells: list[bytes], intact: bool) -> None:
        """Take a row in as a sheet, or note all that is wrong with it."""
        before = len(self.faults)
        texts = [self._text(line, place, cell) for place, cell in enumerate(cells)]
        if not intact:
            texts = [MARK + text if '"' in text else text for text in texts]
            self.tell(line, "", "quotes", '引用符(")が正しく閉じていません。引用符を直してください。')
        elif len(texts) != len(self.header):
            counts = f"見出し {len(self.header)}、この行 {len(texts)}"
            self.tell(line, "", "cells", f"列の数が違います({counts})。コンマを確かめてください。")
        self.rows[line] = tuple(texts)
        if len(self.faults) == before:
            self._read_values(line, dict(zip(self.header, texts, strict=True)))

    def _text(self, line: int, place: int, cell: bytes) -> str:
        """A cell's text, marked where it had to be changed; a 個人番号 is not even kept for the way back."""
        column = self.header[place] if place < len(self.header) else ""
        text, wrong = decode(cell, self.encoding)
        if column in ERROR_COLUMNS:
            return text
        if wrong:
            self.tell(line, column, "encoding", wrong)
        if (cleaned := without_my_number(text)) is not None:
            message = "個人番号と思われる12桁の数字があったので消しました。個人番号は扱いません。"
            self.tell(line, column, "my-number", message)
            return MARK + cleaned
        return text

    def _read_values(self, line: int, row: dict[str, str]) -> None:
        before = len(self.faults)
        values: dict[str, object] = {}
        for name, label in LABELS.items():
            if name in MAY_LACK and label not in row:
                continue
            try:
                values[name] = self.cells.read(name, row[label])
            except Refused as refused:
                self.tell(line, label, refused.rule, refused.message)
        self._refuse_doubles(line, values)
        sheet = self._sheet(line, values) if len(self.faults) == before else None
        if sheet is None:
            return
        for flaw in flaws(sheet, self.municipality, self.codes):
            self.tell(line, LABELS[flaw.field], flaw.rule, flaw.message)
        if len(self.faults) == before:
            self.sheets.append((line, sheet))
            self.warnings += _doubts(line, sheet)
            due = explanation_due(sheet.explained_by, sheet.explained_on) if self.asks_explained else ""
            if due:
                self.warnings.append(Fault(line, "", "C6", due))

    def _sheet(self, line: int, values: dict[str, object]) -> Sheet | None:
        try:
            return Sheet.model_validate(values)
        except ValidationError as error:
            for one in error.errors(include_input=False, include_url=False):
                name = str(one["loc"][0])
                self.tell(line, LABELS[name], "length", _too_long(one.get("ctx", {}).get("max_length"), values[name]))
        return None

    def _refuse_doubles(self, line: int, values: dict[str, object]) -> None:
        """A number's first line counts, faulty or not; a second one is refused, also when it comes back alone."""
        keys = {
            "number": (values.get("referrer"), values.get("number")),
            "resident_number": (values.get("resident_number"),),
        }
        for name, key in keys.items():
            if None not in key and (first := self.seen.setdefault((name, *key), line)) != line:
                message = f"{first}行目と同じ番号です。番号を直すか、同じ人なら1行にしてください。"
                self.tell(line, LABELS[name], "double", message)
                row, place = list(self.rows[line]), self.header.index(LABELS[name])
                row[place] = MARK + row[place]
                self.rows[line] = tuple(row)


def _too_long(limit: int | None, value: object) -> str:
    """What to do about a value that does not fit. How long it is may be said; what it is may not."""
    if limit is None or not isinstance(value, str):
        return "書き方が違います。書き直してください。"
    return f"長すぎます({limit:,}字まで、いま {len(value):,}字)。短くし、残りは別の紙で添えてください。"


def _doubts(line: int, sheet: Sheet) -> Iterator[Fault]:
    names = {"referrer_staff": sheet.referrer_staff, "name": sheet.name, "address": sheet.address}
    names["members"] = "".join(member.name for member in sheet.members)
    for name, text in names.items():
        if has_replaced_signs(text):
            message = "元のシステムで失われた字か外字(?、〓、U+… など)があります。後で正しい字に直してください。"
            yield Fault(line, LABELS[name], "replaced-sign", message)
    if sheet.consented_on and sheet.consented_on < sheet.received_on - CONSENT_BEFORE:
        message = "同意日が受付日より1年以上前です。今回の利用への同意か確かめてください。"
        yield Fault(line, LABELS["consented_on"], "C2", message)
    if len(sheet.members) > sheet.household_size:
        message = "世帯員が世帯人数より多くなっています。人数を確かめてください。"
        yield Fault(line, LABELS["members"], "household", message)
    if not sheet.problems:
        yield Fault(line, LABELS["problems"], "problems", "お困りごとがありません。分かれば書いてください。")
