"""「同じ人かもしれないつなぎ」: two referrals side by side, for a person to confirm or deny. Of one kind only."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from contracts.same_person import CHECKED_TEXT, LIKENESS_TEXT
from services.desk.html import page
from services.desk.reception_asking import Refused, closed, fresh, officer_of, say, typed
from services.desk.reception_offices import office_of
from services.desk.sessions import Session
from services.desk.step_forms import text_of
from services.service import Work

LABELS = {"same": "同じ人か", "checked": "確かめ方", "after": "前の記録"}
SEX_TEXT = {"male": "男", "female": "女", "other": "その他", "unknown": "不明"}


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The pairs, and the form of each."""

    @inside.get("/reception/same", response_model=None)
    async def pairs(request: Request, denied: Annotated[bool, Query(alias="all")] = False) -> Response:
        return await _page(work, request.state.session, denied)

    @forms.post("/reception/same", response_model=None)
    async def decide(request: Request) -> Response:
        session, said = request.state.session, await request.form()
        values = {name: text_of(said, name) for name in ("one", "other", "after", "same", "checked")}
        done = await say(work, session, said, office_of(work.compartment).decide_same, values, LABELS)
        if isinstance(done, Refused):
            return await _page(work, session, False, done)
        return RedirectResponse("/reception/same", 303)


async def _page(work: Work, session: Session, denied: bool, refusal: Refused | None = None) -> HTMLResponse:
    office = office_of(work.compartment)
    look = office.duplicates(by=officer_of(work, session), compartment=work.compartment, denied=denied)
    found = await work.ask(look)
    if not found.done:
        return closed(work, session, found)
    agencies = {one.code: one.name for one in work.profile.agencies}
    parts = [
        ("確かめてください", found.candidates),
        ("同じ人です", found.same),
        ("別の人と記録したもの", found.different),
    ]
    return page(
        work,
        "reception_same.html",
        refusal.status if refusal else 200,
        session=session,
        parts_of=[(title, pairs) for number, (title, pairs) in enumerate(parts) if pairs or not number],
        denied=denied,
        agencies=agencies,
        likeness=LIKENESS_TEXT,
        checked=CHECKED_TEXT,
        sexes=SEX_TEXT,
        refusal=refusal.text if refusal else "",
        typed=typed(refusal),
        fresh=fresh,
    )
