"""「地域課題」: the register, reading what somebody else wrote, handing on, answers; noting one from a case's page."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from contracts.challenges import LACK_TEXT, Challenges, Done, HandleChallenge, NoteChallenge
from contracts.intake import PROBLEM_TEXT
from services.desk import words
from services.desk.html import door_is_closed, notice, page
from services.desk.sessions import Session
from services.service import Work

WRONG = "入力の形式が正しくありません。前のページに戻って、選び直してください。"


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The register and its forms. ``case`` in the address: the case in which something is missing; it is not kept."""

    @inside.get("/challenges", response_model=None)
    async def register(request: Request, case: Annotated[UUID | None, Query()] = None) -> Response:
        return await _page(work, request.state.session, case)

    @forms.post("/challenges", response_model=None)
    async def note(request: Request) -> Response:
        return await _say(work, request, NoteChallenge)

    @forms.post("/challenges/{challenge}", response_model=None)
    async def handle(request: Request, challenge: UUID, act: Annotated[str, Form(max_length=20)]) -> Response:
        return await _say(work, request, HandleChallenge, challenge=challenge, act=act)


async def _say(
    work: Work, request: Request, question: type[NoteChallenge] | type[HandleChallenge], **known: object
) -> Response:
    session = request.state.session
    said = {name: value for name, value in (await request.form()).items() if value and name in question.model_fields}
    who = {"viewer": session.person, "viewer_agency": session.code or None}
    try:
        asked = question.model_validate({**said, **known, **who})
    except ValidationError:
        return notice(work, 400, "記録できませんでした", WRONG, session)
    done: Done = await work.ask(asked)
    if done.done:
        return RedirectResponse("/challenges", 303)
    return notice(work, 409, "記録できませんでした", f"{done.reason}{done.next_step}({done.rule})", session)


async def _page(work: Work, session: Session, case: UUID | None) -> HTMLResponse:
    found = await work.ask(Challenges(viewer=session.person, viewer_agency=session.code or None))
    if found.reason:
        return door_is_closed(work, found.reason, found.next_step, session)
    names = {body.code: body.name for body in work.profile.bodies}
    return page(
        work,
        "challenges.html",
        session=session,
        lines=found.challenges,
        bodies=[(code, names[code]) for code in found.bodies],
        names=names,
        problems=PROBLEM_TEXT,
        lacks=LACK_TEXT,
        case=case,
        fresh=lambda: str(uuid4()),
        today=words.day_in_japan(work.now()).isoformat(),
    )
