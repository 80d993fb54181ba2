"""What a timetabling problem says (docs/timetable.md), and what is wrong with one: field and rule, in Japanese.

Times without an offset are Japanese wall clock. Nothing here is about clients: meetings carry numbers, not contents.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from contracts.coordinating import Data

T = TypeVar("T", bound=Hashable)
TOKYO = ZoneInfo("Asia/Tokyo")
QUARTER = timedelta(minutes=15)
LARGEST = 50_000_000
"""Bytes of a problem file: 5,000 people with two hundred busy blocks each."""
LONGEST_DAYS = 400
"""Days of a horizon: a year of sittings, with the months before the next budget year."""
FAULTS_SHOWN = 20

Need = Literal["required", "expected", "optional"]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Weight = Annotated[int, Field(ge=0, le=10_000)]


def _in_japan(when: datetime) -> datetime:
    try:
        return when.replace(tzinfo=TOKYO) if when.tzinfo is None else when.astimezone(TOKYO)
    except OverflowError:
        raise ValueError("この日時は扱えません") from None


def _on_quarter(clock: time) -> time:
    if clock.tzinfo or clock.minute % 15 or clock.second or clock.microsecond:
        raise ValueError("15分単位の時刻にしてください(例 09:15)")
    return clock


When = Annotated[datetime, AfterValidator(_in_japan)]
Clock = Annotated[time, AfterValidator(_on_quarter)]


class Span(Data):
    """[starts, ends)."""

    starts: When
    ends: When

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if not self.starts < self.ends:
            raise ValueError("終わり(ends)は始まり(starts)より後にしてください")
        return self


class Busy(Span):
    """予定: when somebody cannot, and where she is then, if that is known; of its content nothing is known."""

    place: Id | None = None


class Hours(Data):
    """勤務時間: on these weekdays (0 is Monday) from ``opens`` to ``closes``."""

    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)
    opens: Clock
    closes: Clock

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if not self.opens < self.closes:
            raise ValueError("終わり(closes)は始まり(opens)より後にしてください")
        return self


class Place(Data):
    """場所: where rooms lie."""

    id: Id
    name: Text


class Travel(Data):
    """移動: minutes between two places, either way."""

    between: tuple[Id, Id]
    minutes: Annotated[int, Field(ge=0, le=480)]


class Agency(Data):
    """機関. ``per_day``: from how many sittings a day on more would be a burden; ``missed``: seats it could not fill
    in the months before, which weigh on what it misses now (fairness over time)."""

    id: Id
    name: Text
    per_day: Annotated[int, Field(ge=1, le=50)] | None = None
    missed: Annotated[int, Field(ge=0, le=100)] = 0


class Person(Data):
    """出席する人. Without ``hours`` the horizon's own count."""

    id: Id
    name: Text
    agency: Id
    hours: tuple[Hours, ...] = Field(default=(), max_length=20)
    busy: tuple[Busy, ...] = Field(default=(), max_length=10_000)


class Room(Data):
    """部屋: how many it seats, and what is in it."""

    id: Id
    name: Text
    place: Id
    capacity: Annotated[int, Field(ge=1, le=10_000)]
    equipment: tuple[Id, ...] = ()
    busy: tuple[Busy, ...] = Field(default=(), max_length=10_000)


class Seat(Data):
    """席: 必須, 原則 or 任意; filled by one of ``persons``, the earlier the better (P1-P5; substitutes S12)."""

    name: Text
    need: Need = "expected"
    persons: tuple[Id, ...] = Field(min_length=1, max_length=20)


class Quorum(Data):
    """成立の要件: at least so many of these seats are filled (包括3者のうち1 …)."""

    name: Text
    at_least: Annotated[int, Field(ge=1, le=200)]
    seats: tuple[Text, ...] = Field(min_length=1, max_length=200)


class Answer(Span):
    """日程調整の回答: 参加可 yes, できれば避けたい avoid, 不可 no. It adds to the calendar, never opens it."""

    person: Id
    answer: Literal["yes", "avoid", "no"]


class Item(Data):
    """議題: minutes, and who is there only for it (others with a seat stay throughout)."""

    id: Id
    minutes: Annotated[int, Field(ge=5, le=480, multiple_of=5)]
    persons: tuple[Id, ...] = Field(default=(), max_length=200)
    first: bool = False
    """Comes before all that are not ``first``."""


class Fixed(Data):
    """決定済み: when, and in which room (None: online)."""

    starts: When
    room: Id | None = None


class Meeting(Data):
    """開催回: what is to be placed. ``deadline``: it has ended by then (law, or what was promised)."""

    id: Id
    name: Text
    minutes: Annotated[int, Field(ge=15, le=720)]
    seats: tuple[Seat, ...] = Field(min_length=1, max_length=200)
    quorum: tuple[Quorum, ...] = Field(default=(), max_length=20)
    online: bool = False
    heads: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """How many people the room has to seat; None: one for each seat."""
    equipment: tuple[Id, ...] = ()
    rooms: tuple[Id, ...] = ()
    """Only these rooms; empty: any."""
    earliest: When | None = None
    deadline: When | None = None
    between: tuple[Clock, Clock] | None = None
    """Only within these hours of the day."""
    urgency: Annotated[int, Field(ge=0, le=3)] = 0
    answers: tuple[Answer, ...] = Field(default=(), max_length=2_000)
    fixed: Fixed | None = None
    items: tuple[Item, ...] = Field(default=(), max_length=40)

    @property
    def slots(self) -> int:
        """Length in quarters of an hour, rounded up."""
        return -(-self.minutes // 15)

    @property
    def people(self) -> tuple[str, ...]:
        """Whoever may take a seat, each once."""
        return tuple(dict.fromkeys(person for seat in self.seats for person in seat.persons))

    @property
    def seated(self) -> int:
        """How many the room has to seat."""
        return self.heads or len(self.seats)


class Apart(Data):
    """会わせてはいけない二人: never in one sitting, and never at one place at overlapping times."""

    persons: tuple[Id, Id]


class Weights(Data):
    """What each soft wish is worth; a sitting without a date outweighs all of them."""

    expected: Weight = 60
    """A 原則 seat that stays empty."""
    optional: Weight = 4
    """A 任意 seat that stays empty."""
    avoid: Weight = 10
    """Somebody sits there at a time she would rather avoid."""
    substitute: Weight = 6
    """Per rank: the first substitute 1, the second 2."""
    wait: Weight = 2
    """Per open day after the first possible one, times 1 + urgency."""
    overload: Weight = 15
    """Each sitting of an agency above its ``per_day``, per day."""
    fairness: Weight = 5
    """Each further 原則 seat that one agency leaves empty, times how many it has left empty already."""
    moved: Weight = 200
    """Planning anew: an announced sitting gets another time."""
    rehoused: Weight = 50
    """Planning anew: it keeps its time and gets another room."""
    changed: Weight = 20
    """Planning anew: another person on an announced seat that was filled, or nobody."""


class Problem(Data):
    """A timetabling problem: a horizon of days, people, rooms and the meetings to be placed."""

    format: Literal["kasane-timetable/1"]
    first: date
    last: date
    opens: Clock = time(8, 30)
    closes: Clock = time(17, 15)
    breaks: tuple[tuple[Clock, Clock], ...] = ((time(12), time(13)),)
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)
    closed: tuple[date, ...] = ()
    """Closed days beside national holidays (年末年始, assembly weeks)."""
    holidays_open: bool = False
    places: tuple[Place, ...] = Field(default=(), max_length=100)
    travel: tuple[Travel, ...] = Field(default=(), max_length=5_000)
    agencies: tuple[Agency, ...] = Field(default=(), max_length=2_000)
    persons: tuple[Person, ...] = Field(min_length=1, max_length=5_000)
    rooms: tuple[Room, ...] = Field(default=(), max_length=200)
    meetings: tuple[Meeting, ...] = Field(min_length=1, max_length=2_000)
    apart: tuple[Apart, ...] = Field(default=(), max_length=200)
    weights: Weights = Weights()


class ProblemInvalid(Exception):
    """The problem cannot be worked on. The text names field and rule, in Japanese, and repeats no name of a person."""


def read_problem(data: bytes) -> Problem:
    """A problem from the bytes of a JSON file. Raises ProblemInvalid; then nothing of it is used."""
    if len(data) > LARGEST:
        raise ProblemInvalid(f"ファイルが大きすぎます({LARGEST // 1_000_000}MBまで)。期間を分けてください。")
    try:
        problem = Problem.model_validate_json(json.dumps(_once(data)))
    except ValidationError as error:
        raise ProblemInvalid(as_text(error)) from None
    except (ValueError, RecursionError):
        raise ProblemInvalid(
            "UTF-8 の JSON ではないか、同じ項目が2度あります。ファイルの書式を確かめてください。"
        ) from None
    found = list(_first_of(faults(problem)))
    if found:
        raise ProblemInvalid("\n".join(found))
    return problem


def _once(data: bytes) -> object:
    """Parsed, with a key that stands twice refused: one of the two would be lost."""

    def each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands twice")
        return found

    def no_constant(_: str) -> object:
        raise ValueError("not a number of JSON")

    return json.loads(data.decode("utf-8-sig"), object_pairs_hook=each_once, parse_constant=no_constant)


_RULES = {
    "missing": "必ず書いてください",
    "extra_forbidden": "この項目はありません。綴りを確かめてください",
    "literal_error": "決まった値({expected})から選んでください",
    "string_too_short": "1字以上にしてください",
    "string_too_long": "{max_length}字までにしてください",
    "string_pattern_mismatch": "改行などの制御文字は使えません",
    "too_short": "{min_length}個以上にしてください",
    "too_long": "{max_length}個までにしてください",
    "greater_than_equal": "{ge}以上にしてください",
    "less_than_equal": "{le}以下にしてください",
    "multiple_of": "{multiple_of}の倍数にしてください",
    "bool_parsing": "true か false にしてください",
    "bool_type": "true か false にしてください",
    "tuple_type": "[ ] で囲んだ並びにしてください",
    "string_type": "文字列にしてください",
    "model_type": "{{ }} で囲んだ形にしてください",
}
_KINDS = {
    "int": "整数にしてください",
    "date": "日付にしてください(例 2026-12-01)",
    "datetime": "日時にしてください(例 2026-12-01T09:00)",
    "time": "時刻にしてください(例 09:15)",
}


def as_text(error: ValidationError) -> str:
    """Pydantic's findings in Japanese, a line each: the field, and the rule it breaks; no value is repeated."""
    lines = (f"{_path(fault['loc'])}: {_rule(fault)}" for fault in error.errors(include_input=False, include_url=False))
    return "\n".join(_first_of(lines))


def _rule(fault: object) -> str:
    kind, context = fault["type"], fault.get("ctx", {})  # type: ignore[index, attr-defined]
    if kind == "value_error":
        return str(context["error"])
    text = _RULES.get(kind) or next((text for name, text in _KINDS.items() if kind.startswith(name + "_")), None)
    return text.format_map(context) if text else "値の形が正しくありません"


def _path(location: Iterable[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "全体"


def _first_of(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == FAULTS_SHOWN:
            yield "(ほかにもあります)"
            return
        yield line


# -- what no single field can show -------------------------------------------------------------------------------------


def faults(problem: Problem) -> Iterator[str]:
    """What contradicts itself or points nowhere."""
    yield from _horizon(problem)
    for name in ("places", "agencies", "persons", "rooms", "meetings"):
        for twice in _twice(one.id for one in getattr(problem, name)):
            yield f"{name}: 番号「{twice}」が2度あります"
    yield from _pointing(problem)
    rooms = {room.id for room in problem.rooms}
    people = {person.id for person in problem.persons}
    for number, meeting in enumerate(problem.meetings):
        at = f"meetings[{number}]"
        yield from (f"{at}.{fault}" for fault in _meeting(meeting, rooms, people))


def _horizon(problem: Problem) -> Iterator[str]:
    if not 0 <= (problem.last - problem.first).days < LONGEST_DAYS:
        yield f"last: first と同じ日か後で、{LONGEST_DAYS}日以内にしてください"
    if not problem.opens < problem.closes:
        yield "closes: opens より後にしてください"
    for number, (starts, ends) in enumerate(problem.breaks):
        if not starts < ends:
            yield f"breaks[{number}]: 終わりは始まりより後にしてください"


def _pointing(problem: Problem) -> Iterator[str]:
    places = {place.id for place in problem.places}
    agencies = {agency.id for agency in problem.agencies}
    people = {person.id for person in problem.persons}
    for number, travel in enumerate(problem.travel):
        yield from _unknown(f"travel[{number}].between", travel.between, places, "places")
        if travel.between[0] == travel.between[1]:
            yield f"travel[{number}].between: 別の二つの場所にしてください"
    for twice in _twice(frozenset(travel.between) for travel in problem.travel):
        yield f"travel: 「{'・'.join(sorted(twice))}」の間の移動が2度あります"
    for number, person in enumerate(problem.persons):
        yield from _unknown(f"persons[{number}].agency", [person.agency], agencies, "agencies")
        given = [busy.place for busy in person.busy if busy.place]
        yield from _unknown(f"persons[{number}].busy", given, places, "places")
    for number, room in enumerate(problem.rooms):
        yield from _unknown(f"rooms[{number}].place", [room.place], places, "places")
    for number, pair in enumerate(problem.apart):
        yield from _unknown(f"apart[{number}].persons", pair.persons, people, "persons")
        if pair.persons[0] == pair.persons[1]:
            yield f"apart[{number}].persons: 別の二人にしてください"
    pairs = [set(pair.persons) for pair in problem.apart]
    for number, meeting in enumerate(problem.meetings):
        for n, item in enumerate(meeting.items):
            if any(pair <= set(item.persons) for pair in pairs):
                yield f"meetings[{number}].items[{n}].persons: 会わせてはいけない二人(apart)が同じ議題にいます"


def _meeting(meeting: Meeting, rooms: set[str], people: set[str]) -> Iterator[str]:
    names = {seat.name for seat in meeting.seats}
    for twice in _twice(seat.name for seat in meeting.seats):
        yield f"seats: 席の名前「{twice}」が2度あります"
    for number, seat in enumerate(meeting.seats):
        yield from _unknown(f"seats[{number}].persons", seat.persons, people, "persons")
        for twice in _twice(seat.persons):
            yield f"seats[{number}].persons: 「{twice}」が2度あります"
    for number, quorum in enumerate(meeting.quorum):
        yield from _unknown(f"quorum[{number}].seats", quorum.seats, names, "この会議の seats")
        if quorum.at_least > len(set(quorum.seats)):
            yield f"quorum[{number}].at_least: 席の数({len(set(quorum.seats))})までにしてください"
    yield from _unknown("rooms", meeting.rooms, rooms, "rooms")
    yield from _timing(meeting, rooms)
    yield from _answering(meeting)
    for twice in _twice(item.id for item in meeting.items):
        yield f"items: 番号「{twice}」が2度あります"
    for number, item in enumerate(meeting.items):
        yield from _unknown(f"items[{number}].persons", item.persons, people, "persons")
    if sum(item.minutes for item in meeting.items) > meeting.minutes:
        yield f"items: 時間の合計が会議の長さ({meeting.minutes}分)を超えています"


def _timing(meeting: Meeting, rooms: set[str]) -> Iterator[str]:
    if meeting.earliest and meeting.deadline and meeting.earliest + meeting.slots * QUARTER > meeting.deadline:
        yield f"deadline: earliest から会議の長さ({meeting.minutes}分)より後にしてください"
    if meeting.between and not meeting.between[0] < meeting.between[1]:
        yield "between: 終わりは始まりより後にしてください"
    if meeting.online and (meeting.rooms or meeting.equipment):
        yield "online: オンラインの会議に rooms と equipment は書けません"
    if not meeting.online and not rooms:
        yield "online: rooms が一つもないので、オンライン(true)にするか、部屋を書いてください"
    if fixed := meeting.fixed:
        if fixed.room is not None:
            yield from _unknown("fixed.room", [fixed.room], rooms, "rooms")
        if meeting.online != (fixed.room is None):
            yield "fixed.room: オンラインの会議では書かず、ほかの会議では書いてください"
        if fixed.starts.minute % 15 or fixed.starts.second or fixed.starts.microsecond:
            yield "fixed.starts: 15分単位にしてください"


def _answering(meeting: Meeting) -> Iterator[str]:
    """Answers of one person that overlap have to say the same: which of two is meant cannot be guessed."""
    yield from _unknown("answers", [one.person for one in meeting.answers], set(meeting.people), "この会議の席の人")
    order = sorted(enumerate(meeting.answers), key=lambda one: (one[1].person, one[1].starts))
    until: dict[tuple[str, str], tuple[datetime, int]] = {}
    for number, answer in order:
        for kind in {"yes", "avoid", "no"} - {answer.answer}:
            ends, other = until.get((answer.person, kind), (answer.starts, 0))
            if ends > answer.starts:
                yield f"answers[{number}]: answers[{other}] と同じ人・重なる時間で、答えが違います"
        mine = until.get((answer.person, answer.answer))
        if mine is None or mine[0] < answer.ends:
            until[answer.person, answer.answer] = (answer.ends, number)


def _unknown(field: str, given: Iterable[str], known: set[str], where: str) -> Iterator[str]:
    for one in dict.fromkeys(given):
        if one not in known:
            yield f"{field}: 「{one}」は {where} にありません"


def _twice(given: Iterable[T]) -> list[T]:
    return [one for one, times in Counter(given).items() if times > 1]
