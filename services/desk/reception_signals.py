"""「気づきメモ」: early signals from 地域づくり, about nobody in particular: read, typed in, dropped with a reason."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from contracts.signals import NOTICED_AT_TEXT, SENDER_ROLE_TEXT, SIGN_TEXT
from services.desk import words
from services.desk.html import page
from services.desk.reception_asking import Refused, closed, fresh, officer_of, say, typed
from services.desk.reception_offices import office_of
from services.desk.sessions import Session
from services.desk.step_forms import text_of
from services.service import Work

SAID = ("noticed_on", "place", "area", "description", "role")
LABELS = {
    "noticed_on": "気づいた日",
    "place": "気づいた場",
    "area": "地区",
    "signs": "気になる様子",
    "description": "様子",
    "role": "書いた人の立場",
    "reason": "見送る理由",
}


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """What waits, the form of a new note, and the form that drops one."""
    office = office_of(work.compartment)

    @inside.get("/reception/signals", response_model=None)
    async def notes(request: Request) -> Response:
        return await _page(work, request.state.session)

    @forms.post("/reception/signals", response_model=None)
    async def report(request: Request) -> Response:
        session, said = request.state.session, await request.form()
        note: dict[str, Any] = {name: text for name in SAID if (text := text_of(said, name))}
        note |= {"signs": said.getlist("signs"), "urgent": bool(text_of(said, "urgent"))}
        if session.code:
            note |= {"received_by": session.code}
        done = await say(work, session, said, office.report_signal, {"note": note}, LABELS)
        if isinstance(done, Refused):
            return await _page(work, session, done)
        return await _page(work, session, said=f"受け付けました。{done.next_step}")

    @forms.post("/reception/signals/{ref}", response_model=None)
    async def drop(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        values = {"signal": ref, "reason": text_of(said, "reason")}
        done = await say(work, session, said, office.drop_signal, values, LABELS)
        if isinstance(done, Refused):
            return await _page(work, session, done)
        return RedirectResponse("/reception/signals", 303)


async def _page(work: Work, session: Session, refusal: Refused | None = None, said: str = "") -> HTMLResponse:
    found = await work.ask(office_of(work.compartment).signals(by=officer_of(work, session)))
    if not found.done:
        return closed(work, session, found)
    return page(
        work,
        "reception_signals.html",
        refusal.status if refusal else 200,
        session=session,
        signals=found.signals,
        places=NOTICED_AT_TEXT,
        signs=SIGN_TEXT,
        roles=SENDER_ROLE_TEXT,
        refusal=refusal.text if refusal else "",
        said=said,
        typed=typed(refusal),
        fresh=fresh,
        today=words.day_in_japan(work.now()).isoformat(),
    )
