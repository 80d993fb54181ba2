"""Dates as Japanese offices write them: 西暦 and 和暦 (domain.md 3). Calendar days, no time zone."""

import re
from datetime import date
from typing import NamedTuple

from contracts.text import Refused, squeeze


class Era(NamedTuple):
    """元号 with its first and last day. The day of a change belongs to the new era."""

    name: str
    letter: str
    first: date
    last: date


ERAS = (
    Era("明治", "M", date(1868, 1, 25), date(1912, 7, 29)),
    Era("大正", "T", date(1912, 7, 30), date(1926, 12, 24)),
    Era("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
    Era("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    Era("令和", "R", date(2019, 5, 1), date.max),
)
_BY_SIGN = {sign: era for era in ERAS for sign in (era.name, era.letter)}
_GREGORIAN = date(1873, 1, 1)
"""Until the end of 明治5年 the calendar was lunisolar: month and day cannot be taken over."""
_DATE = re.compile(r"([0-9]{4})|(明治|大正|昭和|平成|令和|[MTSHR])([0-9]{1,2}|元)")
_SEPARATED = re.compile(r"(.+?)[./年-]([0-9]{1,2})[./月-]([0-9]{1,2})日?")


def read_date(text: str) -> date:
    """``2026/11/2``, ``2026-11-02``, ``令和8年11月2日``, ``R8.11.2``. Raises Refused; nothing is guessed."""
    parts = _SEPARATED.fullmatch(squeeze(text).upper())
    year = parts and _DATE.fullmatch(parts[1])
    if not parts or not year:
        raise Refused("date-form", "日付は 2026/11/2、令和8年11月2日、R8.11.2 のように書いてください。")
    month, day = int(parts[2]), int(parts[3])
    if year[1]:
        return _day(int(year[1]), month, day)
    return _era_day(_BY_SIGN[year[2]], 1 if year[3] == "元" else int(year[3]), month, day)


def _era_day(era: Era, year: int, month: int, day: int) -> date:
    bounds = (
        f"{era.name}は{_text(era.first)}から" + ("" if era.last == date.max else f"{_text(era.last)}まで") + "です。"
    )
    if year == 0:
        raise Refused("date-era", f"{bounds}最初の年は元年(1年)です。")
    found = _day(era.first.year + year - 1, month, day)
    if not era.first <= found <= era.last:
        raise Refused("date-era", f"{bounds}元号と年を確かめてください。")
    if found < _GREGORIAN:
        raise Refused("date-lunar", "明治5年までの和暦は旧暦です。西暦で書いてください。")
    return found


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Refused("date-calendar", "カレンダーにない日付です。月と日を確かめてください。") from None


def _text(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
