"""「会議に上げるもの」: what has been overdue too long, and the button that puts the case to the next meeting (M1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from contracts.escalation import Escalate
from contracts.life import STATE_TEXT, DueList
from services.desk import pages, words
from services.desk.html import case_not_found, notice
from services.desk.step_forms import uuid_of
from services.service import Work

MOST = 20
"""Cases that the week lists; those overdue the longest come first."""


@dataclass(frozen=True)
class OverdueLine:
    """A case to be put to a meeting. ``request``: pressing the button twice is once."""

    line: pages.CaseLine
    state: str
    what: str
    since: str
    after: int
    open: bool
    request: str


def overdue_lines(found: DueList, known: pages.Known) -> list[OverdueLine]:
    """The cases to be put to a meeting, as the week shows them."""
    return [
        OverdueLine(
            pages.case_line(known.cases[one.case], known),
            STATE_TEXT[one.state],
            f"{one.due.text}({one.due.rule})",
            f"{words.full_day(one.due.on)}から" + ("(目安)" if one.due.guessed else ""),
            one.after,
            one.open,
            str(uuid4()),
        )
        for one in found.overdue[:MOST]
        if one.case in known.cases
    ]


def named_in(found: DueList) -> Iterable[UUID]:
    """The cases whose names the week needs for it."""
    return (one.case for one in found.overdue[:MOST])


def add_routes(forms: APIRouter, work: Work) -> None:
    """The button. Who may not see the case finds nothing here."""

    @forms.post("/cases/{ref}/escalate", response_model=None)
    async def escalate(
        request: Request,
        ref: str,
        asked: Annotated[UUID, Form(alias="request")],
        after: Annotated[int, Form(ge=0, le=1000)],
    ) -> Response:
        session = request.state.session
        if (case := uuid_of(ref)) is None:
            return case_not_found(work, session)
        viewer = {"viewer": session.person, "viewer_agency": session.code or None}
        done = await work.ask(Escalate(case=case, request=asked, after=after, **viewer))
        if done.done:
            return RedirectResponse("/week", 303)
        text = f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")
        return notice(work, 409, "付議できませんでした", text, session)
