"""The days of an example's referrals, moved to the weeks before today, so that a first start shows a week under way.

The files keep the days they were written with: tests and imports of the files themselves rest on them. Everything
depends on the day that is handed in, and the file is made once: a number that came again with another day would be
refused, as it has to be.
"""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")
COLUMNS = ("受付日", "同意日", "説明日")
WITHIN = 13
"""Days before today in which all but the oldest came: a little less than the answer to the 紹介元 may take (T9)."""
OLDEST = 17
"""Days before today on which the oldest came: it alone waits too long."""
_WRITTEN = re.compile(
    r"(?P<era>令和|R|)(?P<year>\d{1,4})(?P<a>[年./])(?P<month>\d{1,2})(?P<b>[月./])(?P<day>\d{1,2})(?P<c>日?)"
)


def example_for(path: Path, into: Path, today: date) -> Path:
    """``path`` with its days moved, written to ``into`` unless that is there already. Returns what is to be imported.

    Raises OSError where it cannot be read or written.
    """
    if not into.exists():
        into.parent.mkdir(parents=True, exist_ok=True)
        made = into.with_suffix(".part")
        made.write_bytes(moved(path.read_bytes(), today))
        made.replace(into)
    return into


def moved(content: bytes, today: date) -> bytes:
    """The file with each day of ``COLUMNS`` moved; in the same order, in the form it was written in (CP932, CRLF)."""
    rows = list(csv.reader(io.StringIO(content.decode("cp932"), newline="")))
    places = [place for place, name in enumerate(rows[0]) if name in COLUMNS] if rows else []
    first = rows[0].index(COLUMNS[0]) if rows and COLUMNS[0] in rows[0] else None
    days = [day for row in rows[1:] if first is not None and first < len(row) and (day := _day(row[first]))]
    if not days:
        return content
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(rows[0])
    for row in rows[1:]:
        writer.writerow(_row(row, places, (min(days), max(days)), today))
    return out.getvalue().encode("cp932")


def moved_day(day: date, oldest: date, newest: date, today: date) -> date:
    """Where a day comes to lie: the newest yesterday, the oldest ``OLDEST`` days ago, the others between in order."""
    if day <= oldest:
        return today - timedelta(days=OLDEST) - (oldest - day)
    span = max(1, (newest - oldest).days - 1)
    return today - timedelta(days=1 + (newest - day).days * (WITHIN - 1) // span)


def _row(row: Sequence[str], places: Sequence[int], ends: tuple[date, date], today: date) -> list[str]:
    new = list(row)
    for place in places:
        if place < len(new) and (day := _day(new[place])):
            new[place] = _as_written(new[place], moved_day(day, *ends, today))
    return new


def _day(text: str) -> date | None:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    year = int(found["year"]) + (2018 if found["era"] else 0)
    try:
        return date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def _as_written(text: str, day: date) -> str:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("not a day")
    year = day.year - 2018 if found["era"] else day.year
    return f"{found['era']}{year}{found['a']}{day.month}{found['b']}{day.day}{found['c']}"
