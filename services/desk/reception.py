"""「受付」 of a desk: which referrals wait, what the city's criteria say of one, and the decision (D8, T9).

Each desk has the referrals of its own kind of meeting: intake answers each of what lies there, and of nothing else.
Only the desk of juso gets here from a case; shien must not say of whom it has one (consent.md 8.1).
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from contracts.explained import EXPLAINED_BY, EXPLAINED_ON
from contracts.message import Compartment
from contracts.reception import DeskReferralOf
from contracts.triage import WAY_TEXT, Way
from services.desk import reception_household, reception_new, reception_same, reception_signals, words
from services.desk.asking import Asking
from services.desk.html import case_not_found, notice, page
from services.desk.pages import Known
from services.desk.reception_asking import Refused, closed, fresh, names_of, officer, officer_of, say, typed
from services.desk.reception_offices import office_of
from services.desk.sessions import Session
from services.desk.step_forms import text_of, uuid_of
from services.service import Work

SAID = ("after", "edition", "way", "reason", "talked_on", "counterpart", "explained_by", "explained_on")
LABELS = {
    "way": "判断",
    "reason": "理由",
    "talked_on": "協議した日",
    "counterpart": "協議の相手",
    "declared": "当てはまる基準",
    "after": "前の判断",
    "edition": "基準の版",
    "explained_by": EXPLAINED_BY,
    "explained_on": EXPLAINED_ON,
}


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """All pages of 「受付」, and at juso the way from a case to them."""
    office = office_of(work.compartment)

    @inside.get("/reception", response_model=None)
    async def waiting(request: Request) -> Response:
        return await _list_page(work, request.state.session)

    @inside.get("/reception/referrals/{ref}", response_model=None)
    async def one(request: Request, ref: str) -> Response:
        return await _triage_page(work, request.state.session, ref)

    @forms.post("/reception/referrals/{ref}", response_model=None)
    async def decide(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        values: dict[str, Any] = {name: text_of(said, name) for name in SAID}
        declared = [one for one in said.getlist("declared") if isinstance(one, str)]
        values |= {"referral": ref, "declared": declared}
        done = await say(work, session, said, office.decide_triage, values, LABELS)
        if isinstance(done, Refused):
            return await _triage_page(work, session, ref, tuple(declared), done)
        return RedirectResponse(f"/reception/referrals/{ref}", 303)

    reception_new.add_routes(inside, forms, work)
    reception_same.add_routes(inside, forms, work)
    reception_household.add_routes(inside, forms, work)
    reception_signals.add_routes(inside, forms, work)
    if work.compartment is Compartment.JUSO:
        _add_way_from_a_case(inside, work)


def _add_way_from_a_case(inside: APIRouter, work: Work) -> None:
    @inside.get("/cases/{ref}/household", response_model=None)
    async def household_of(request: Request, ref: str) -> Response:
        session = request.state.session
        if (case := uuid_of(ref)) is None:
            return case_not_found(work, session)
        found = await work.ask(DeskReferralOf(by=officer(session), case=case))
        if not found.done:
            return closed(work, session, found)
        return RedirectResponse(f"/reception/referrals/{found.referral}/household", 303)


async def _list_page(work: Work, session: Session) -> HTMLResponse:
    found = await work.ask(office_of(work.compartment).triage_list(by=officer_of(work, session)))
    if not found.done:
        return closed(work, session, found)
    here = Known(work.profile, work.compartment, {}, {}, {})  # type: ignore[arg-type]
    lines = [
        (one, here.agency(one.referrer), words.full_day(one.received_on), WAY_TEXT[one.advice] if one.advice else "")
        for one in found.waiting
    ]
    return page(work, "reception.html", session=session, lines=lines)


async def _triage_page(
    work: Work, session: Session, ref: str, declared: tuple[str, ...] = (), refusal: Refused | None = None
) -> HTMLResponse:
    if (key := uuid_of(ref)) is None:
        return notice(work, 404, "該当するつなぎはありません", "「受付」の一覧から選び直してください。", session)
    asking = Asking(work, session)
    look = office_of(work.compartment).triage(by=officer_of(work, session), referral=key, declared=declared)
    found, staff = await asyncio.gather(work.ask(look), asking.staff())
    if not found.done:
        return closed(work, session, found)
    here = Known(work.profile, work.compartment, staff, {}, {})  # type: ignore[arg-type]
    decided = [
        (
            f"{words.full_day(words.day_in_japan(one.at))} {WAY_TEXT[one.way]}",
            f"{here.agency(one.agency)} {names_of(staff, one.by)}",
            one.reason,
            f"{words.full_day(one.talked_on)} {here.agency(one.counterpart or '')}" if one.talked_on else "",
        )
        for one in found.decisions
    ]
    return page(
        work,
        "reception_triage.html",
        refusal.status if refusal else 200,
        session=session,
        found=found,
        received=words.full_day(found.received_on) if found.received_on else "",
        ways=WAY_TEXT,
        back=Way.RETURN,
        declared=declared,
        decided=decided,
        refusal=refusal.text if refusal else "",
        typed=typed(refusal),
        fresh=fresh,
        today=words.day_in_japan(work.now()).isoformat(),
    )
