"""「つなぐシートを書き入れる」: one typed in at this desk, as its kind of meeting may hear it (C1, C4).

Who keeps the reception types for any 紹介元; whoever else signed in refers in the name of his or her own agency.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import FormData

from contracts.consent import CONSENT_TEXT, ConsentState
from contracts.intake import PROBLEM_TEXT
from contracts.message import Compartment
from contracts.policy import derive_kind
from contracts.referring import Referred
from contracts.sheet_labels import LABELS as SHEET_LABELS
from services.desk import words
from services.desk.html import page
from services.desk.pages import holds_meetings
from services.desk.reception_asking import Refused, fresh, say, typed
from services.desk.reception_offices import office_of
from services.desk.reception_same import SEX_TEXT
from services.desk.sessions import Session
from services.desk.step_forms import text_of
from services.service import Work

TEXTS = (
    "referrer",
    "referrer_staff",
    "received_on",
    "name",
    "kana",
    "sex",
    "address",
    "phone",
    "wishes",
    "reason",
    "explained_by",
)
NONE_IF_EMPTY = ("resident_number", "born_on", "consented_on", "explained_on")
LABELS = SHEET_LABELS | {"age": "年齢", "relation": "続柄"}
CONSENTS = {
    where: [state for state in ConsentState if derive_kind(state).compartment is where] for where in Compartment
}
LINES = range(1, 9)
"""Lines for 世帯員 on the form; a larger household is completed on its own page."""


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The empty form, and what is typed into it."""
    office = office_of(work.compartment)

    @inside.get("/reception/new", response_model=None)
    async def empty(request: Request) -> Response:
        return _page(work, request.state.session)

    @forms.post("/reception/new", response_model=None)
    async def take_in(request: Request) -> Response:
        session, said = request.state.session, await request.form()
        done = await say(work, session, said, office.refer, {"sheet": _sheet(said)}, LABELS)
        if isinstance(done, Refused):
            return _page(work, session, done)
        return _page(work, session, done=done)


def _sheet(said: FormData) -> dict[str, Any]:
    """What the form says, as a sheet; the contract says what is wrong with it."""
    members = [
        {"name": name, "age": text_of(said, f"age_{n}") or None, "relation": text_of(said, f"relation_{n}")}
        for n in LINES
        if (name := text_of(said, f"member_{n}"))
    ]
    sheet: dict[str, Any] = {name: text_of(said, name) for name in TEXTS}
    sheet |= {name: text_of(said, name) or None for name in NONE_IF_EMPTY}
    sheet |= {"problems": said.getlist("problems"), "agencies": said.getlist("agencies"), "members": members}
    sheet |= {"household_size": text_of(said, "household_size") or len(members) + 1}
    return sheet | {"urgent": bool(text_of(said, "urgent")), "consent": text_of(said, "consent")}


def _page(work: Work, session: Session, refusal: Refused | None = None, done: Referred | None = None) -> HTMLResponse:
    here = work.compartment
    keeps = holds_meetings(work.profile, here, session.code)
    return page(
        work,
        "reception_new.html",
        refusal.status if refusal else 200,
        session=session,
        done=done,
        keeps=keeps,
        referrers=[one for one in work.profile.agencies if keeps or one.code == session.code],
        problems=PROBLEM_TEXT,
        sexes=SEX_TEXT,
        consents={state: CONSENT_TEXT[state] for state in CONSENTS[here]} if here else {},
        lines=LINES,
        refusal=refusal.text if refusal else "",
        typed=typed(refusal),
        fresh=fresh,
        today=words.day_in_japan(work.now()).isoformat(),
    )
