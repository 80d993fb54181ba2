"""Reads staff.csv and busy.csv as an office's spreadsheet saves them: UTF-8, with or without a byte order mark."""

import csv
from io import StringIO
from pathlib import Path

from services.directory.domain import Fault, Line


def read_lines(path: Path, columns: tuple[str, ...], *more: tuple[str, ...]) -> tuple[list[Line], list[Fault]]:
    """The lines of the file, cells stripped of spaces, and what is wrong with its form. Empty lines are skipped.

    ``more``: groups of columns that the file may have besides, in this order, of each group all or none. Raises
    FileNotFoundError.

    Line numbers are those of an editor, from 1, also where a cell goes over several lines.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = error.object.count(b"\n", 0, error.start) + 1
        return [], [Fault(place, "全体", "UTF-8 ではありません。「CSV UTF-8」の形式で保存し直してください。")]
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    faults: list[Fault] = []
    place = 1
    try:
        heading = tuple(map(str.strip, next(reader, [])))
        if heading not in _headings(columns, more):
            besides = f"(後に {' と '.join(map(','.join, more))} を足せます)" if more else ""
            return [], [Fault(1, "見出し", f"{','.join(columns)} にしてください{besides}。")]
        columns = heading
        place = reader.line_num + 1
        for cells in reader:
            if len(cells) not in (0, len(columns)):
                faults.append(Fault(place, "全体", f"列が{len(cells)}あります。{len(columns)}にしてください。"))
            elif any(cells):
                lines.append(Line(place, dict(zip(columns, map(str.strip, cells), strict=True))))
            place = reader.line_num + 1
    except csv.Error:
        faults.append(Fault(place, "全体", '引用符 " の対応が正しくありません。'))
    return lines, faults


def _headings(columns: tuple[str, ...], more: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    found = [columns]
    for group in more:
        found += [heading + group for heading in found]
    return found
