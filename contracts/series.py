"""When a body meets, when it does not, who presides, and how: what a profile says of a series of sittings (M8, M9).

A part of the profile (contracts/profile.py). The cadences of the seeds are 年2回, 隔月, 月2回程度, 毎月1回, 随時 and
2–3か月ごと (domain.md 4.2); which day of which week is each city's own.
"""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from contracts.coordinating import Data
from contracts.message import Code
from contracts.purpose import Purpose
from contracts.recurrence import read_rrule

ALL_MONTHS = tuple(range(1, 13))
Nth = Annotated[int, Field(ge=-1, le=5)]
MonthDay = Annotated[int, Field(ge=-1, le=31)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]
YearlyOrOnce = Annotated[str, Field(pattern=r"^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A day of every year (MM-DD), or of one (YYYY-MM-DD)."""


class Cadence(Data):
    """開催頻度 (M9, M11): the nth weekday of the listed months, a day of them, or every so many weeks.

    It may be written as an RRULE instead: ``{ rrule = "FREQ=MONTHLY;BYDAY=3TH" }``, with ``since`` as its DTSTART.
    """

    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ALL_MONTHS
    nth: tuple[Nth, ...] = ()
    """第1 to 第5; -1 is the last one."""
    weekday: Annotated[int, Field(ge=0, le=4)] | None = None
    """0 is Monday."""
    monthdays: tuple[MonthDay, ...] = ()
    """Instead of ``nth`` and ``weekday``: these days of the month; -1 is its last one."""
    every_weeks: Annotated[int, Field(ge=1, le=99)] | None = None
    """Instead of both: every so many weeks from ``since`` on."""
    since: date | None = None
    until: date | None = None
    """The first and the last day of the series, where it has one."""
    times: Annotated[int, Field(ge=1, le=1000)] | None = None
    """It ends after so many named dates, counted from ``since``."""
    moved: Literal["earlier", "later", "dropped"] = "later"
    """前倒し, 後ろ倒し, or 休会: what becomes of a date that lies on a closed day."""
    keep_weekday: bool = False
    """A moved date stays on its weekday: it goes by whole weeks."""

    @model_validator(mode="before")
    @classmethod
    def _from_rrule(cls, said: Any) -> Any:
        if not isinstance(said, dict) or "rrule" not in said:
            return said
        rule, since = said["rrule"], said.get("since")
        if not isinstance(rule, str) or not (since is None or isinstance(since, date)):
            raise ValueError("rrule は文字列、since は日付にしてください。")
        own = {name: value for name, value in said.items() if name != "rrule"}
        read = read_rrule(rule, since)
        if double := sorted((own.keys() & read.keys()) - {"since"}):
            raise ValueError(f"rrule と {'、'.join(double)} の両方は書けません。")
        return read | own

    @model_validator(mode="after")
    def _says_one_way(self) -> Self:
        by_weekday = bool(self.nth) and self.weekday is not None and 0 not in self.nth
        by_day = bool(self.monthdays) and 0 not in self.monthdays
        by_weeks = self.every_weeks is not None and self.since is not None and self.since.weekday() < 5
        if [by_weekday, by_day, by_weeks].count(True) != 1 or not self.months:
            raise ValueError("a cadence is nth and weekday, or monthdays, or every_weeks and since (Monday to Friday)")
        if self.since and self.until and self.until < self.since:
            raise ValueError("a cadence ends before it begins")
        if self.times is not None and self.since is None:
            raise ValueError("times are counted from since")
        return self


class Break(Data):
    """会議を開かない期間, such as the weeks of the city assembly: dates of these bodies that lie in it are moved (M9).

    ``first`` and ``last`` are both of every year or both of one. Without ``bodies`` it holds for all regular bodies.
    """

    name: Label
    first: YearlyOrOnce
    last: YearlyOrOnce
    bodies: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _runs_forwards(self) -> Self:
        if len(self.first) != len(self.last):
            raise ValueError(f"break {self.name}: first and last are both MM-DD or both YYYY-MM-DD")
        for text in (self.first, self.last):
            date.fromisoformat(text if len(text) == 10 else f"2024-{text}")  # a leap year
        if len(self.first) == 10 and self.last < self.first:
            raise ValueError(f"break {self.name} ends before it begins")
        return self

    def covers(self, day: date, body: str) -> bool:
        """Whether this body does not meet on that day; a yearly break may run over New Year."""
        if self.bodies and body not in self.bodies:
            return False
        on = day.isoformat()[-len(self.first) :]
        if self.first <= self.last:
            return self.first <= on <= self.last
        return on >= self.first or on <= self.last


class Chair(Data):
    """会長, or with ``deputy`` who stands in, as listed: the post that presides from ``first`` to ``last``."""

    agency: Code
    post: Code
    deputy: bool = False
    first: date | None = None
    last: date | None = None

    def presides(self, day: date) -> bool:
        """Whether the post is theirs on that day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def overlaps(self, other: "Chair") -> bool:
        """Whether both preside on some day."""
        return (self.first or date.min) <= (other.last or date.max) and (other.first or date.min) <= (
            self.last or date.max
        )


class Lengths(Data):
    """分/議題: how many minutes an item takes, by what it is for (T1). ``other``: whatever is not listed."""

    other: PositiveInt
    plan: PositiveInt | None = None
    replan: PositiveInt | None = None
    closing: PositiveInt | None = None
    suspension: PositiveInt | None = None
    sharing: PositiveInt | None = None
    watch: PositiveInt | None = None
    emergency: PositiveInt | None = None

    def of(self, purpose: Purpose | str) -> int:
        """Minutes of an item for this purpose."""
        minutes: int | None = getattr(self, Purpose(purpose).value)
        return minutes or self.other
