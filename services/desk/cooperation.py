"""「協力依頼」: ask a body outside by a fixed question, note its answer, or that it asks back (S5, S6)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from contracts.commission import AskCooperation, Cooperation, Cooperations, NoteCooperation, QuestionTemplate
from services.desk.asking import Asking
from services.desk.html import case_not_found, notice, page
from services.desk.sessions import Session
from services.service import Work

LONGEST_ANSWER = 1500
"""Characters: what fits into the largest form. A longer answer stays on paper, and its number is noted."""


def add_routes(forms: APIRouter, work: Work) -> None:
    """The forms of a case's page; who may not see the case finds nothing here either."""

    @forms.post("/cases/{ref}/cooperation", response_model=None)
    async def ask(
        request: Request,
        ref: str,
        agency: Annotated[str, Form(max_length=40)],
        template: Annotated[QuestionTemplate, Form()],
        due_on: Annotated[date, Form()],
    ) -> Response:
        session = request.state.session
        case = (await Asking(work, session).trail(ref)).case
        if case is None:
            return case_not_found(work, session)
        name = next((one.name for one in work.profile.agencies if one.code == agency), None)
        if name is None:
            raise HTTPException(400)
        done = await work.ask(AskCooperation(case=case.case, agency=agency, template=template, due_on=due_on))
        if not done.done:
            return _refused(work, session, done)
        return page(work, "letter.html", session=session, case=case.case, agency=name, letter=done.letter)

    @forms.post("/cases/{ref}/cooperation/{asked}", response_model=None)
    async def note(
        request: Request,
        ref: str,
        asked: UUID,
        answer: Annotated[str, Form(max_length=LONGEST_ANSWER)] = "",
        asks_back: Annotated[bool, Form()] = False,
    ) -> Response:
        session = request.state.session
        case = (await Asking(work, session).trail(ref)).case
        if case is None:
            return case_not_found(work, session)
        own = await work.ask(Cooperations(case=case.case))
        if asked not in {one.request for one in own.requests}:
            return case_not_found(work, session)
        if not asks_back and not answer.strip():
            raise HTTPException(400)
        said = NoteCooperation(request=asked, answer="" if asks_back else answer, asks_back=asks_back)
        done = await work.ask(said)
        return RedirectResponse(f"/cases/{case.case}", 303) if done.done else _refused(work, session, done)


def _refused(work: Work, session: Session, done: Cooperation) -> Response:
    text = f"{done.message}({done.rule})" if done.rule else done.message
    return notice(work, 409, "記録できませんでした", text, session)
