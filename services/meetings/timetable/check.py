"""A second opinion on a plan: every hard rule and every cost anew, from the problem, with dates and loops.

It shares no code with the search: neither slots nor planes nor the grid. It is slow and plain on purpose.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from services.meetings.timetable.plan import Placed, Plan, Score
from services.meetings.timetable.problem import TOKYO, Meeting, Person, Problem
from services.office_days import national_holidays

STEP = timedelta(minutes=15)


class Checker:
    """One problem, against which plans are held."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.meetings = {one.id: one for one in problem.meetings}
        self.people = {one.id: one for one in problem.persons}
        self.rooms = {one.id: one for one in problem.rooms}
        self.agencies = {one.id: one for one in problem.agencies}
        self.travel = {frozenset(one.between): timedelta(minutes=one.minutes) for one in problem.travel}

    # -- hard rules ----------------------------------------------------------------------------------------------------

    def broken(self, plan: Plan) -> list[str]:
        """Every hard rule that the plan breaks, in Japanese; empty: it is lawful."""
        return [*self._complete(plan), *self._each(plan), *self._together(plan)]

    def _complete(self, plan: Plan) -> Iterator[str]:
        named = Counter([*(one.meeting for one in plan.placed), *(one.meeting for one in plan.unplaced)])
        for meeting in self.problem.meetings:
            if named.pop(meeting.id, 0) != 1:
                yield f"{meeting.name}: 計画に一度だけ出てこなければなりません"
        yield from (f"{other}: 問題にない会議です" for other in named)

    def _each(self, plan: Plan) -> Iterator[str]:
        for placed in plan.placed:
            if meeting := self.meetings.get(placed.meeting):
                yield from (f"{meeting.name}: {fault}" for fault in self._alone(meeting, placed))

    def _alone(self, meeting: Meeting, placed: Placed) -> Iterator[str]:
        yield from self._timed(meeting, placed)
        yield from self._housed(meeting, placed)
        yield from self._seated(meeting, placed)
        yield from self._agenda(meeting, placed)

    def _timed(self, meeting: Meeting, placed: Placed) -> Iterator[str]:
        if placed.ends - placed.starts != _held(meeting):
            yield "長さが違います"
        if not self.lies_open(meeting, placed.starts):
            yield "開いている時間、期限、時間帯の外です"
        if meeting.fixed and (placed.starts, placed.room) != (meeting.fixed.starts, meeting.fixed.room):
            yield "決定済みの日時か部屋と違います"

    def lies_open(self, meeting: Meeting, starts: datetime) -> bool:
        """Whether hours, days, breaks, earliest day, deadline and quarter of an hour allow this start."""
        problem, ends = self.problem, starts + _held(meeting)
        day = starts.astimezone(TOKYO).date()
        if not self._open_day(day) or ends.astimezone(TOKYO).date() != day:
            return False
        if (starts - _at(day, problem.opens)) % STEP:
            return False
        within = [(problem.opens, problem.closes), *([meeting.between] if meeting.between else [])]
        if any(starts < _at(day, opens) or ends > _at(day, closes) for opens, closes in within):
            return False
        if any(starts < _at(day, shut[1]) and ends > _at(day, shut[0]) for shut in problem.breaks):
            return False
        if meeting.earliest and starts < meeting.earliest:
            return False
        return not (meeting.deadline and ends > meeting.deadline)

    def _open_day(self, day: date) -> bool:
        problem = self.problem
        if not problem.first <= day <= problem.last or day.weekday() not in problem.weekdays or day in problem.closed:
            return False
        return problem.holidays_open or day not in national_holidays(day.year)

    def _housed(self, meeting: Meeting, placed: Placed) -> Iterator[str]:
        if placed.room is None or meeting.online:
            if (placed.room is None) != meeting.online:
                yield "部屋の有無が違います"
            return
        room = self.rooms.get(placed.room)
        if room is None:
            yield "ない部屋です"
            return
        if room.capacity < (meeting.heads or len(meeting.seats)):
            yield "部屋が小さすぎます"
        if not set(meeting.equipment) <= set(room.equipment):
            yield "部屋に設備がありません"
        if meeting.rooms and room.id not in meeting.rooms:
            yield "使えない部屋です"
        if any(busy.starts < placed.ends and placed.starts < busy.ends for busy in room.busy):
            yield "部屋に別の予定があります"

    def _seated(self, meeting: Meeting, placed: Placed) -> Iterator[str]:
        if [one.seat for one in placed.seats] != [seat.name for seat in meeting.seats]:
            yield "席が違います"
            return
        for seat, seated in zip(meeting.seats, placed.seats, strict=True):
            if seated.person is None:
                if seat.need == "required":
                    yield f"必須の席「{seat.name}」が空いています"
            elif seated.person not in seat.persons:
                yield f"席「{seat.name}」にその人は座れません"
            elif not self.can_come(self.people[seated.person], meeting, placed.starts, placed.room):
                yield f"席「{seat.name}」の人はその時間に出られません"
        filled = {one.seat for one in placed.seats if one.person is not None}
        for quorum in meeting.quorum:
            if len(filled & set(quorum.seats)) < quorum.at_least:
                yield f"成立の要件「{quorum.name}」を満たしません"
        here = {one.person for one in placed.seats}
        guests = {person for item in meeting.items for person in item.persons}
        hostile = [set(pair.persons) for pair in self.problem.apart]
        if any(pair <= here or (pair & here and pair & guests and pair <= here | guests) for pair in hostile):
            yield "会わせてはいけない二人が同じ会議にいます"

    def can_come(self, person: Person, meeting: Meeting, starts: datetime, room: str | None) -> bool:
        """Whether working hours, calendar, way and answers allow it."""
        ends = starts + _held(meeting)
        if not self._works(person, starts, ends):
            return False
        place = self.rooms[room].place if room else None
        for busy in person.busy:
            way = self._way(place, busy.place)
            if busy.starts - way < ends and starts < busy.ends + way:
                return False
        return not any(self._answered(meeting, person.id, "no", starts, ends))

    def _works(self, person: Person, starts: datetime, ends: datetime) -> bool:
        if not person.hours:
            return True
        now = starts
        while now < ends:
            local = now.astimezone(TOKYO)
            quarter = (
                _at(local.date(), self.problem.opens) + (now - _at(local.date(), self.problem.opens)) // STEP * STEP
            )
            if not any(
                local.weekday() in hours.weekdays
                and _at(local.date(), hours.opens) <= quarter
                and quarter + STEP <= _at(local.date(), hours.closes)
                for hours in person.hours
            ):
                return False
            now += STEP
        return True

    def _answered(self, meeting: Meeting, person: str, kind: str, starts: datetime, ends: datetime) -> Iterator[bool]:
        for one in meeting.answers:
            if one.person == person and one.answer == kind and one.starts < ends and starts < one.ends:
                yield True

    def _way(self, one: str | None, other: str | None) -> timedelta:
        if one is None or other is None or one == other:
            return timedelta(0)
        return self.travel.get(frozenset((one, other)), timedelta(0))

    def _agenda(self, meeting: Meeting, placed: Placed) -> Iterator[str]:
        if not placed.agenda:
            return
        if sorted(part.item for part in placed.agenda) != sorted(item.id for item in meeting.items):
            yield "議題が次第に一度ずつ出てきません"
            return
        items = {item.id: item for item in meeting.items}
        hostile = [set(pair.persons) for pair in self.problem.apart]
        for before, after in pairwise(placed.agenda):
            follow = {*before.persons, *after.persons}
            if any(pair <= follow and not pair <= set(before.persons) for pair in hostile):
                yield "会わせてはいけない二人の議題が続いています"
            if after.starts < before.ends:
                yield "議題の時間が重なっています"
            if items[after.item].first and not items[before.item].first:
                yield "先に扱う議題が後になっています"
        for part in placed.agenda:
            if part.ends - part.starts != timedelta(minutes=items[part.item].minutes):
                yield "議題の時間の長さが違います"
            if part.starts < placed.starts or part.ends > placed.ends:
                yield "議題が会議の時間の外です"

    def _together(self, plan: Plan) -> Iterator[str]:
        order = sorted(plan.placed, key=lambda one: one.starts)
        here = {one.meeting: {seat.person for seat in one.seats} - {None} for one in order}
        far = max([timedelta(0), *self.travel.values()])
        for number, one in enumerate(order):
            for other in order[number + 1 :]:
                if other.starts >= one.ends + far:
                    break
                yield from self._pair(one, other, here)

    def _pair(self, one: Placed, other: Placed, here: Mapping[str, set[str | None]]) -> Iterator[str]:
        names = "と".join(
            self.meetings[each.meeting].name if each.meeting in self.meetings else "?" for each in (one, other)
        )
        overlap = other.starts < one.ends
        if overlap and one.room is not None and one.room == other.room:
            yield f"{names}: 同じ部屋で重なっています"
        places = [self.rooms[each.room].place if each.room in self.rooms else None for each in (one, other)]
        if here[one.meeting] & here[other.meeting] and other.starts < one.ends + self._way(*places):
            yield f"{names}: 同じ人が両方に出ています(移動の時間を含む)"
        if overlap and places[0] is not None and places[0] == places[1]:
            for pair in self.problem.apart:
                for first, second in (pair.persons, pair.persons[::-1]):
                    if first in here[one.meeting] and second in here[other.meeting]:
                        yield f"{names}: 会わせてはいけない二人が同じ場所に来ます"

    # -- costs ---------------------------------------------------------------------------------------------------------

    def score(self, plan: Plan, announced: Plan | None = None) -> Score:
        """What the plan costs, part by part."""
        parts = Counter[str]()
        for placed in plan.placed:
            self._own(self.meetings[placed.meeting], placed, parts)
        self._agencies(plan, parts)
        if announced:
            self._changes(plan, announced, parts)
        unplaced = sum(1 + self.meetings[one.meeting].urgency for one in plan.unplaced)
        moved = sum(self._moved(plan, announced)) if announced else 0
        return Score(
            unplaced=unplaced, moved=moved, cost=sum(parts.values()), parts={k: v for k, v in parts.items() if v}
        )

    def _own(self, meeting: Meeting, placed: Placed, parts: Counter[str]) -> None:
        weights = self.problem.weights
        for seat, seated in zip(meeting.seats, placed.seats, strict=True):
            if seated.person is None:
                parts[seat.need] += {"expected": weights.expected, "optional": weights.optional}.get(seat.need, 0)
                continue
            most = {"expected": weights.expected, "optional": weights.optional}.get(seat.need)
            instead = seat.persons.index(seated.person) * weights.substitute
            sour = any(self._answered(meeting, seated.person, "avoid", placed.starts, placed.ends))
            cost = instead + (weights.avoid if sour else 0)
            cost = cost if most is None else min(cost, most)  # never worse than an empty seat
            parts["substitute"] += min(instead, cost)
            parts["avoid"] += cost - min(instead, cost)
        if not meeting.fixed:
            day, first = placed.starts.astimezone(TOKYO).date(), self._first_day(meeting)
            later = sum(self._open_day(first + timedelta(days=n)) for n in range(1, (day - first).days + 1))
            parts["wait"] += later * weights.wait * (1 + meeting.urgency)

    def _first_day(self, meeting: Meeting) -> date:
        day = self.problem.first
        while True:
            start = _at(day, self.problem.opens)
            if any(self.lies_open(meeting, start + n * STEP) for n in range(96)):
                return day
            day += timedelta(days=1)

    def _agencies(self, plan: Plan, parts: Counter[str]) -> None:
        weights, load, missed = self.problem.weights, Counter[tuple[str, date]](), Counter[str]()
        for placed in plan.placed:
            day = placed.starts.astimezone(TOKYO).date()
            for agency in {self.people[one.person].agency for one in placed.seats if one.person}:
                load[agency, day] += 1
            for seat, seated in zip(self.meetings[placed.meeting].seats, placed.seats, strict=True):
                if seat.need == "expected" and seated.person is None:
                    missed[self.people[seat.persons[0]].agency] += 1
        for (agency, _), count in load.items():
            if limit := self.agencies[agency].per_day:
                parts["overload"] += max(0, count - limit) * weights.overload
        for agency, count in missed.items():
            for number in range(count):
                parts["fairness"] += weights.fairness * (self.agencies[agency].missed + number)

    def _moved(self, plan: Plan, announced: Plan) -> Iterator[bool]:
        before = {one.meeting: (one.starts, one.room) for one in announced.placed}
        for placed in plan.placed:
            yield before.get(placed.meeting, (placed.starts, placed.room)) != (placed.starts, placed.room)

    def _changes(self, plan: Plan, announced: Plan, parts: Counter[str]) -> None:
        before, weights = {one.meeting: one for one in announced.placed}, self.problem.weights
        for placed in plan.placed:
            if not (was := before.get(placed.meeting)):
                continue
            if was.starts != placed.starts:
                parts["moved"] += weights.moved
                continue
            if was.room != placed.room:
                parts["rehoused"] += weights.rehoused
            if was.starts == placed.starts:
                sat = {one.seat: one.person for one in was.seats if one.person is not None}
                now = {one.seat: one.person for one in placed.seats}
                parts["changed"] += (
                    sum(now.get(seat, person) != person for seat, person in sat.items()) * weights.changed
                )


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, TOKYO)


def _held(meeting: Meeting) -> timedelta:
    """People and room are held for whole quarters."""
    return timedelta(minutes=(meeting.minutes + 14) // 15 * 15)
