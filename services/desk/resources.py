"""「受入先」: the register of places of 参加支援, who takes part where, and フォローアップ. On the juso desk only."""

import asyncio
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from contracts.challenges import KIND_TEXT, Done
from contracts.resources import END_TEXT, NoteMatch, NotePlace, Resources
from services.desk import words
from services.desk.asking import Asking
from services.desk.html import door_is_closed, fenced, notice, page
from services.desk.sessions import Session
from services.service import Work

WRONG = "入力の形式が正しくありません。日付と数を確かめて、前のページからもう一度記録してください。"


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The register and its forms. ``case`` in the address: for whom a place is looked for."""

    @inside.get("/resources", response_model=None)
    async def register(request: Request, case: Annotated[UUID | None, Query()] = None) -> Response:
        return await _page(work, request.state.session, case)

    @forms.post("/resources", response_model=None)
    async def note_place(request: Request) -> Response:
        return await _say(work, request, NotePlace)

    @forms.post("/resources/matches", response_model=None)
    async def note_match(request: Request) -> Response:
        return await _say(work, request, NoteMatch)


async def _say(work: Work, request: Request, question: type[NotePlace] | type[NoteMatch]) -> Response:
    session = request.state.session
    said = {name: value for name, value in (await request.form()).items() if value and name in question.model_fields}
    who = {"viewer": session.person, "viewer_agency": session.code or None}
    try:
        asked = question.model_validate(said | who)
    except ValidationError:
        return notice(work, 400, "記録できませんでした", WRONG, session)
    done: Done = await work.ask(asked)
    if done.done:
        back = f"/resources?case={asked.case}" if isinstance(asked, NoteMatch) else "/resources"
        return RedirectResponse(back, 303)
    return notice(work, 409, "記録できませんでした", f"{done.reason}{done.next_step}({done.rule})", session)


async def _page(work: Work, session: Session, case: UUID | None) -> HTMLResponse:
    found = await work.ask(Resources(case=case, viewer=session.person, viewer_agency=session.code or None))
    if found.fenced:
        return fenced(work, session)
    if found.reason:
        return door_is_closed(work, found.reason, found.next_step, session)
    asking = Asking(work, session)
    cases = dict.fromkeys(one.case for one in found.matches)
    (clients,) = await asyncio.gather(asking.clients(cases))
    return page(
        work,
        "resources.html",
        session=session,
        places=found.places,
        open_places=[one for one in found.places if one.free],
        matches=found.matches,
        where={one.place: one.name for one in found.places},
        names={ref: one.name for ref, one in (clients or {}).items()},
        missing=[] if clients is not None else ["本人の氏名"],
        kinds=KIND_TEXT,
        ends=END_TEXT,
        case=case,
        fresh=lambda: str(uuid4()),
        today=words.day_in_japan(work.now()).isoformat(),
    )
