"""Ranks the lawful dates of one 随時 sitting and says why, with the timetable's engine (S12, P1-P4; calendar.md 5.1).

Plain values in and out. Persons are references: what is said for people to read names agencies only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from contracts.profile import Quorum, Room
from services.meetings.scheduling import Interval, Wanted
from services.meetings.timetable import problem as terms
from services.meetings.timetable.explain import clash, explained
from services.meetings.timetable.grid import grid
from services.meetings.timetable.one import Option, ranked
from services.meetings.timetable.problem import TOKYO, Problem

SUBSTITUTES = 20
"""Persons tried for one seat: the engine's limit, and more than any agency names."""
NO_HOLDER = "必須の出席者が職員の名簿にいません: {names}。"
REGISTER = "名簿に担当者を登録する"


@dataclass(frozen=True)
class Reply:
    """What a person says of a time: ``yes``, ``avoid`` or ``no``."""

    person: UUID
    starts: datetime
    ends: datetime
    choice: str


@dataclass(frozen=True, kw_only=True)
class Search:
    """The question: whom, how long, when at all, and what has to hold."""

    seats: tuple[Wanted, ...]
    minutes: int
    first: date
    last: date
    opens: time
    closes: time
    closed: tuple[date, ...]
    """Closed days beside weekends and national holidays."""
    busy: Mapping[UUID, Sequence[Interval]]
    kinds: Mapping[str, str]
    """Agency to kind, for what a quorum counts."""
    quorum: tuple[Quorum, ...] = ()
    rooms: tuple[Room, ...] = ()
    room_busy: Mapping[str, Sequence[Interval]] = field(default_factory=dict)
    equipment: tuple[str, ...] = ()
    replies: tuple[Reply, ...] = ()
    apart: tuple[tuple[UUID, UUID], ...] = ()
    deadline: datetime | None = None
    urgent: bool = False


@dataclass(frozen=True)
class Date:
    """A lawful date: who sits on which seat (None: it stays empty), where, its cost and why, in Japanese."""

    starts: datetime
    ends: datetime
    room: str | None
    chosen: tuple[tuple[Wanted, UUID | None], ...]
    cost: int
    why: str


@dataclass(frozen=True)
class Ranking:
    """Every lawful date, the cheapest first; or why there is none, what clashes and what could be relaxed."""

    dates: tuple[Date, ...] = ()
    none_because: str = ""
    clashing: tuple[str, ...] = ()
    relax: tuple[str, ...] = ()


def rank(asked: Search) -> Ranking:
    """All dates at once. Nobody is guessed: a required seat without a holder, or a quorum without seats, has none."""
    empty = [seat for seat in asked.seats if not seat.persons]
    if missing := [seat.name for seat in empty if seat.need == "required"]:
        said = "、".join(dict.fromkeys(missing))
        return Ranking((), NO_HOLDER.format(names=said), tuple(dict.fromkeys(missing)), (REGISTER,))
    held = tuple(seat for seat in asked.seats if seat.persons)
    names = seat_names(held)
    unseated = [one for one in asked.quorum if len(counted(one, held, asked.kinds)) < one.at_least]
    if unseated:
        whole = tuple(f"成立の要件「{one.name}」({one.at_least}以上)" for one in unseated)
        return Ranking((), f"{'、'.join(whole)}を満たす席がありません。", whole, ("名簿に機関を加える",))
    laid_out = grid(problem_of(replace(asked, seats=held), names))
    options = explained(ranked(laid_out, 0))
    if not options:
        found = clash(laid_out, 0)
        if found is None:
            raise ValueError("no slot although no duties clash")
        return Ranking((), found.why, found.clashing, found.relax)
    persons = [UUID(one.id) for one in laid_out.problem.persons]
    return Ranking(tuple(_date(option, why, asked, held, persons) for option, why in options))


def spread(dates: Sequence[Date], count: int, per_day: int = 3) -> tuple[Date, ...]:
    """The first dates of an order that differ: none overlaps another, few lie on one day. People choose from these.

    Where there are not enough days, more of a day are taken.
    """
    chosen: list[Date] = []
    for most in (per_day, len(dates)):
        for one in dates:
            if len(chosen) >= count:
                break
            apart = all(one.ends <= other.starts or other.ends <= one.starts for other in chosen)
            same_day = sum(other.starts.date() == one.starts.date() for other in chosen)
            if apart and same_day < most:
                chosen.append(one)
    rank_of = {one.starts: number for number, one in enumerate(dates)}
    return tuple(sorted(chosen, key=lambda one: rank_of[one.starts]))


def _date(option: Option, why: str, asked: Search, held: Sequence[Wanted], persons: Sequence[UUID]) -> Date:
    chosen = [(seat, None if n is None else persons[n]) for seat, n in zip(held, option.chosen, strict=True)]
    unheld = [seat for seat in asked.seats if not seat.persons]
    text = why + (f"。名簿に担当者がいない機関: {'、'.join(dict.fromkeys(s.name for s in unheld))}" if unheld else "")
    room = asked.rooms[option.room].code if option.room is not None else None
    ends = option.starts + timedelta(minutes=asked.minutes)
    return Date(option.starts, ends, room, (*chosen, *((seat, None) for seat in unheld)), option.cost, text)


def seat_names(seats: Sequence[Wanted]) -> list[str]:
    """The agency's name for each seat; a second seat of one agency is numbered."""
    names: list[str] = []
    for seat in seats:
        before = sum(name == seat.name or name.startswith(f"{seat.name}(") for name in names)
        names.append(f"{seat.name}({before + 1})" if before else seat.name)
    return names


def counted(quorum: Quorum, seats: Sequence[Wanted], kinds: Mapping[str, str]) -> list[int]:
    """Which seats a quorum counts, by number: one per agency, for an agency is there or not."""
    first: dict[str, int] = {}
    for number, seat in enumerate(seats):
        if seat.agency in quorum.agencies or kinds.get(seat.agency) in quorum.kinds:
            first.setdefault(seat.agency, number)
    return list(first.values())


def counts(quorum: Sequence[Quorum], agency: str, kind: str | None) -> bool:
    """Whether some quorum counts this agency: then its seat has substitutes."""
    return any(agency in one.agencies or kind in one.kinds for one in quorum)


def problem_of(asked: Search, names: Sequence[str]) -> Problem:
    """The question in the engine's terms. Every seat has a person."""
    horizon = [datetime.combine(day, time(), TOKYO) for day in (asked.first, asked.last + timedelta(days=1))]
    agency_of = {person: seat.agency for seat in asked.seats for person in seat.persons[:SUBSTITUTES]}
    persons = tuple(
        terms.Person(id=str(one), name=code, agency=code, busy=_clipped(asked.busy.get(one, ()), horizon))
        for one, code in agency_of.items()
    )
    rooms = tuple(
        terms.Room(
            id=one.code,
            name=one.name,
            place=one.place,
            capacity=one.capacity,
            equipment=one.equipment,
            busy=_clipped(asked.room_busy.get(one.code, ()), horizon),
        )
        for one in asked.rooms
    )
    return Problem(
        format="kasane-timetable/1",
        first=asked.first,
        last=asked.last,
        opens=_on_quarter(asked.opens, up=True),
        closes=_on_quarter(asked.closes, up=False),
        closed=asked.closed,
        places=tuple(terms.Place(id=code, name=code) for code in dict.fromkeys(one.place for one in asked.rooms)),
        agencies=tuple(terms.Agency(id=code, name=code) for code in dict.fromkeys(agency_of.values())),
        persons=persons,
        rooms=rooms,
        meetings=(_meeting(asked, names),),
        apart=tuple(terms.Apart(persons=(str(a), str(b))) for a, b in asked.apart if {a, b} <= agency_of.keys()),
    )


def _meeting(asked: Search, names: Sequence[str]) -> terms.Meeting:
    seats = tuple(
        terms.Seat(name=name, need=seat.need, persons=tuple(map(str, seat.persons[:SUBSTITUTES])))
        for seat, name in zip(asked.seats, names, strict=True)
    )
    quorum = tuple(
        terms.Quorum(
            name=one.name,
            at_least=one.at_least,
            seats=tuple(names[n] for n in counted(one, asked.seats, asked.kinds)),
        )
        for one in asked.quorum
    )
    here = {person for seat in asked.seats for person in seat.persons}
    answers = tuple(
        terms.Answer.model_validate(
            {"person": str(one.person), "starts": one.starts, "ends": one.ends, "answer": one.choice}
        )
        for one in asked.replies
        if one.person in here
    )
    return terms.Meeting(
        id="sitting",
        name="会議",
        minutes=max(15, asked.minutes),
        seats=seats,
        quorum=quorum,
        online=not asked.rooms,
        equipment=asked.equipment if asked.rooms else (),
        deadline=asked.deadline,
        urgency=2 if asked.urgent else 0,
        answers=answers,
    )


def _on_quarter(clock: time, *, up: bool) -> time:
    """Office hours that the engine's quarters lie within."""
    minutes = clock.hour * 60 + clock.minute
    rounded = -(-minutes // 15) * 15 if up else minutes // 15 * 15
    return time(rounded // 60, rounded % 60)


def _clipped(times: Sequence[Interval], horizon: Sequence[datetime]) -> tuple[terms.Busy, ...]:
    """What of busy times lies within the horizon: a calendar may reach years beyond it."""
    starts, ends = horizon
    inside = [(max(one[0], starts), min(one[1], ends)) for one in times if one[0] < ends and starts < one[1]]
    return tuple(terms.Busy(starts=one, ends=other) for one, other in inside if one < other)
