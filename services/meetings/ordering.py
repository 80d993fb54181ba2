"""The agenda of one sitting as a timetable: in which order, from when to when, and who comes for which part.

Who is there for some items only comes once and waits least (``timetable/agenda.py``, exact up to fourteen items). Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.message import Compartment
from contracts.profile import Block, Body, Profile
from services.meetings.seating import MUST_ATTEND
from services.meetings.timetable.agenda import Task, best_order


@dataclass(frozen=True)
class Heard:
    """An item: its length, the agencies it calls, and those it is open to; ``open_to`` None: to all who sit there."""

    item: UUID
    minutes: int
    calls: frozenset[str]
    open_to: frozenset[str] | None = None


@dataclass(frozen=True)
class Box:
    """時間割: an item from when to when."""

    item: UUID
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Part:
    """From when to when a seat is needed. ``waits``: minutes in between in which it hears nothing."""

    starts: datetime
    ends: datetime
    waits: int = 0


def standing(profile: Profile, body: Body, basis: str, here: Compartment) -> frozenset[str]:
    """The agencies that sit in the block of this basis whatever is on the agenda: host, roster, and P1, P2 and S1."""
    block = block_on(body, basis)
    must = {agency.code for agency in profile.agencies if agency.kind in MUST_ATTEND[here]}
    roster = {seat.agency for seat in (body.roster_of(block) if block else body.roster)}
    return frozenset({body.host} | must | roster)


def block_on(body: Body, basis: str) -> Block | None:
    """The block of a body that rests on this basis."""
    return next((one for one in body.blocks if one.basis == basis), None)


def attends(agency: str, one: Heard, always: frozenset[str]) -> bool:
    """Whether an agency has a part in an item: a standing member wherever it is open, another where it is called."""
    return (agency in always or agency in one.calls) and (one.open_to is None or agency in one.open_to)


def in_order(items: Sequence[Heard], seats: Mapping[UUID, str], always: frozenset[str]) -> tuple[UUID, ...]:
    """The items in the order in which those who come for a part only come once and wait least; ties as written."""
    partly = {
        person: agency for person, agency in seats.items() if not all(attends(agency, one, always) for one in items)
    }
    tasks = [
        Task(one.minutes, frozenset(str(person) for person, agency in partly.items() if attends(agency, one, always)))
        for one in items
    ]
    order = best_order(tasks)
    return tuple(items[n].item for n in order.items) if order else tuple(one.item for one in items)


def boxes(items: Iterable[Heard], starts: datetime) -> tuple[Box, ...]:
    """The items one after another from the start of the block."""
    found, at = list[Box](), starts
    for one in items:
        ends = at + timedelta(minutes=one.minutes)
        found.append(Box(one.item, at, ends))
        at = ends
    return tuple(found)


def part_of(agency: str, items: Sequence[Heard], plan: Sequence[Box], always: frozenset[str]) -> Part | None:
    """The time for which an agency is called; None if it has no part in anything."""
    mine = [(one, box) for one, box in zip(items, plan, strict=True) if attends(agency, one, always)]
    if not mine:
        return None
    starts, ends = mine[0][1].starts, mine[-1][1].ends
    return Part(starts, ends, int((ends - starts) / timedelta(minutes=1)) - sum(one.minutes for one, _ in mine))
