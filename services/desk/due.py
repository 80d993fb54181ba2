"""「法律と計画が次に求めること」: what presses on the week, and the page that lists all of it (T1-D11).

Nothing is left out without a word: what is not shown is counted, and the count leads to where it stands.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from contracts.life import STATE_TEXT, Due, DueList, LookAtDue, State
from contracts.message import Compartment
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.html import door_is_closed, fenced, page
from services.service import Work

MOST_PRESSING = 10
"""Rows of the week's list; what must not wait is shown beyond that."""
AT_MOST = 50
"""Rows of the week's list whatever presses, and rows of a page of all."""
MUST_SHOW = frozenset({"D11", "T6", "T5", "T7", "S2"})
"""通知・確定, 死亡・転出の報告, 早期支援の確認, 再開, 会議の結果: an act has set these going."""


@dataclass(frozen=True)
class Duty:
    """One thing due of one case. ``heard``: its sitting is over and the result is not recorded."""

    case: UUID
    state: State
    due: Due
    urgent: bool
    heard: bool
    untouched: bool
    """Nobody has taken a step of the case: all that is due is to look at it (T9)."""

    @property
    def must_show(self) -> bool:
        """Whether the week shows it, however many others there are: also a sitting that comes after the deadline."""
        too_late = self.due.sitting is not None
        return self.urgent or self.heard or too_late or self.due.rule in MUST_SHOW


@dataclass(frozen=True)
class DutyLine:
    """A row of the list."""

    line: pages.CaseLine
    state: str
    text: str
    until: str
    late: bool


@dataclass(frozen=True)
class WeekDuties:
    """What the week shows: rows, the untouched cases as a number, and how many are left for the page of all."""

    shown: tuple[Duty, ...]
    untouched: int
    untouched_late: int
    more: int
    total: int


def duties(found: DueList, known: pages.Known, now: datetime) -> list[Duty]:
    """All that is due of the cases in sight: urgent cases first, then what an act set going or is late, by its day."""
    listed = []
    for one in found.cases:
        if (case := known.cases.get(one.case)) is None:
            continue
        over = case.sitting_starts is not None and case.sitting_starts <= now
        untouched = not case.urgent and not one.begun and any(due.rule == "T9" for due in one.due)
        for due in one.due:
            heard = over and one.state is State.AT_MEETING and due.rule == "T1"
            listed.append(Duty(one.case, one.state, due, case.urgent, heard, untouched))
    return sorted(listed, key=_pressing)


def _pressing(one: Duty) -> tuple[object, ...]:
    set_going = one.must_show or one.due.late
    return (not one.urgent, one.untouched, not set_going, not one.due.late, one.due.on, one.due.rule, one.case)


def of_week(listed: Sequence[Duty]) -> WeekDuties:
    """What of it the week shows. One untouched case is a row like any other; of several only their number is told."""
    new = {one.case for one in listed if one.untouched and not one.must_show}
    folded = new if len(new) > 1 else set[UUID]()
    rest = [one for one in listed if one.case not in folded or one.must_show]
    must = [one for one in rest if one.must_show][:AT_MOST]
    room = max(0, MOST_PRESSING - len(must))
    chosen = {id(one) for one in [*must, *[one for one in rest if not one.must_show][:room]]}
    shown = tuple(one for one in rest if id(one) in chosen)
    late = {one.case for one in listed if one.case in folded and one.due.rule == "T9" and one.due.late}
    return WeekDuties(shown, len(folded), len(late), len(rest) - len(shown), len(listed))


def lines(listed: Iterable[Duty], known: pages.Known) -> list[DutyLine]:
    """The rows as people read them; a day that no law and no plan names is called 目安."""
    return [
        DutyLine(pages.case_line(known.cases[one.case], known), STATE_TEXT[one.state], *_told(one)) for one in listed
    ]


def _told(one: Duty) -> tuple[str, str, bool]:
    text = "終わった会議の結果を記録する" if one.heard else one.due.text
    text = f"{text}({one.due.rule})" + (f"。{one.due.next_step}" if one.due.next_step and not one.heard else "")
    return text, f"{words.full_day(one.due.on)}まで" + ("(目安)" if one.due.guessed else ""), one.due.late


def add_routes(inside: APIRouter, work: Work) -> None:
    """The page of all that is due, fifty at a time; ``new``: only of cases that nobody has looked at yet (T9)."""

    @inside.get("/due", response_model=None)
    async def all_due(
        request: Request,
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
        new: Annotated[bool, Query()] = False,
    ) -> Response:
        session, asking = request.state.session, Asking(work, request.state.session)
        ask = LookAtDue(viewer=session.person, viewer_agency=session.code or None)
        listed, wanted = await asyncio.gather(asking.cases(), work.ask(ask))
        if listed.fenced:
            return fenced(work, session)
        if listed.reason:
            return door_is_closed(work, listed.reason, listed.next_step, session)
        cases = {one.case: one for one in listed.cases}
        here = work.compartment or Compartment.JUSO
        everything = duties(wanted, pages.Known(work.profile, here, {}, cases, {}), work.now())
        chosen = [one for one in everything if one.untouched or not new]
        shown = chosen[(number - 1) * AT_MOST : number * AT_MOST]
        names = await asking.clients(dict.fromkeys(one.case for one in shown))
        known = pages.Known(work.profile, here, {}, cases, names)
        return page(
            work,
            "due.html",
            session=session,
            lines=lines(shown, known),
            total=len(chosen),
            number=number,
            new=new,
            last=max(1, -(-len(chosen) // AT_MOST)),
            missing=["本人の氏名"] if names is None else [],
        )
