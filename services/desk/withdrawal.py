"""「同意の撤回を記録する」: two steps, and then the stop is watched until it is confirmed (C11, consent.md 8.10)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from contracts.consent import OBTAINED_TEXT, Obtained
from contracts.intake import LookAtStop, WithdrawConsent
from contracts.reception import DeskOthers
from services.desk import grounds, words
from services.desk.asking import Asking
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.reception_asking import officer
from services.desk.sessions import Sessions
from services.service import Work

Taker = Annotated[str, Form(min_length=1, max_length=200)]


def add_routes(inside: APIRouter, forms: APIRouter, work: Work, sessions: Sessions) -> None:
    """Recording a withdrawal, and watching it. Who may see the case may take it: the client tells whom he likes."""

    @forms.post("/cases/{ref}/withdraw", response_model=None)
    async def withdraw(
        request: Request,
        ref: str,
        obtained: Annotated[Obtained, Form()],
        obtained_by: Taker,
        obtained_on: Annotated[date, Form()],
        confirmed: Annotated[bool, Form()] = False,
    ) -> Response:
        session = request.state.session
        found = await Asking(work, session).trail(ref)
        if found.fenced:
            return fenced(work, session)
        if found.case is None:
            return case_not_found(work, session)
        case = found.case.case
        asked = WithdrawConsent(case=case, obtained=obtained, obtained_by=obtained_by, obtained_on=obtained_on)
        if not confirmed:
            return _confirm(work, session, asked)
        recorded = await work.ask(asked)
        if not recorded.done:
            return notice(work, 409, "撤回を記録できませんでした", f"{recorded.message}({recorded.rule})", session)
        return RedirectResponse(f"/stops/{sessions.seal(session, case)}", 303)

    @inside.get("/stops/{sealed}", response_model=None)
    async def watch(request: Request, sealed: str) -> Response:
        """Only for the session that recorded it: others may no longer know that there was a case."""
        session = request.state.session
        case = sessions.unseal(session, sealed)
        if case is None:
            return case_not_found(work, session)
        stop = grounds.stop(await work.ask(LookAtStop(case=case)))
        found = None  # each look is a row of the register: none while the page reloads itself
        if session.code and stop is not None and stop.confirmed:
            found = await Asking(work, session).or_none(DeskOthers(by=officer(session), case=case))
        agencies = {one.code: one.name for one in work.profile.agencies}
        others = [(one, agencies.get(one.referrer, one.referrer)) for one in found.others] if found else []
        return page(work, "withdrawn.html", session=session, stop=stop, others=others)


def _confirm(work: Work, session: object, asked: WithdrawConsent) -> HTMLResponse:
    return page(
        work,
        "withdraw.html",
        session=session,
        case=asked.case,
        obtained=(asked.obtained.value, OBTAINED_TEXT[asked.obtained]),
        obtained_by=asked.obtained_by,
        obtained_on=(asked.obtained_on.isoformat(), words.full_day(asked.obtained_on)),
    )
