"""「委嘱」: who is or was a member of the 支援会議, bound to secrecy; making and ending commissions (S4, S6, S7)."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from contracts.commission import Commission, Commissioned, Commissions, CommissionView, EndCommission
from contracts.directory import StaffView
from services.desk import words
from services.desk.asking import Asking
from services.desk.html import door_is_closed, notice, page
from services.desk.sessions import Session
from services.service import Work

Line = Annotated[str, Form(min_length=1, max_length=40)]
Day = Annotated[date, Form()]


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page and its two forms, for staff of the 市町村, which holds the 支援会議 (S1)."""

    @inside.get("/commissions", response_model=None)
    async def commissions(request: Request, agency: Annotated[str, Query(max_length=40)] = "") -> Response:
        return refusal(work, request) or await _list(work, request.state.session, agency)

    @forms.post("/commissions", response_model=None)
    async def commission(
        request: Request, who: Line, starts: Day, last: Day, explained_on: Day, document: Line
    ) -> Response:
        """``last`` is the last day, in Japan; a commission begins and ends at midnight there."""
        if stopped := refusal(work, request):
            return stopped
        session = request.state.session
        person, agency = _who(who, await Asking(work, session).staff() or {}, work)
        try:
            asked = Commission(
                person=person,
                agency=agency,
                starts=words.midnight(starts),
                ends=words.midnight(last + timedelta(days=1)),
                explained_on=explained_on,
                document=document,
            )
        except (ValidationError, OverflowError):
            raise HTTPException(400) from None
        return _done(work, session, await work.ask(asked))

    @forms.post("/commissions/{commission}/end", response_model=None)
    async def end(request: Request, commission: UUID) -> Response:
        asked = EndCommission(commission=commission)
        return refusal(work, request) or _done(work, request.state.session, await work.ask(asked))


async def _list(work: Work, session: Session, chosen: str) -> HTMLResponse:
    found, staff = await asyncio.gather(work.ask(Commissions()), Asking(work, session).staff())
    agencies = {one.code: one.name for one in work.profile.agencies}
    return page(
        work,
        "commissions.html",
        session=session,
        lines=[_line(one, staff or {}, agencies, work) for one in found.commissions],
        choices=[(code, f"{name}(団体として)", code == chosen) for code, name in agencies.items()]
        + [
            (one.person.hex, f"{agencies.get(one.agency, one.agency)} {one.name}", False)
            for one in (staff or {}).values()
        ],
        today=words.day_in_japan(work.now()).isoformat(),
        missing=[] if staff is not None else ["職員の氏名"],
    )


def _line(
    one: CommissionView, staff: Mapping[UUID, StaffView], agencies: Mapping[str, str], work: Work
) -> dict[str, object]:
    """A line of the list; those that are over stay on it, for the duty of secrecy stays (S4)."""
    now = work.now()
    over = one.ended_at or (one.ends if one.ends <= now else None)
    state = "終了" if over else "これから" if now < one.starts else "有効"
    known = staff.get(one.person) if one.person else None
    return {
        "commission": one.commission,
        "agency": agencies.get(one.agency, one.agency),
        "name": (known.name if known else "氏名を確認できません") if one.person else "団体として",
        "period": f"{words.full_day(words.day_in_japan(one.starts))}から"
        f"{words.full_day(words.day_in_japan(one.ends - timedelta(seconds=1)))}まで",
        "document": one.document,
        "explained": words.era_date(one.explained_on),
        "state": state,
        "over": words.moment(over) if over else "",
    }


def _who(chosen: str, staff: Mapping[UUID, StaffView], work: Work) -> tuple[UUID | None, str]:
    """Person and agency, or the agency alone, that the form's list names. Raises HTTPException 400."""
    if any(one.code == chosen for one in work.profile.agencies):
        return None, chosen
    try:
        found = staff[UUID(chosen)]
    except (ValueError, KeyError):
        raise HTTPException(400) from None
    return found.person, found.agency


def refusal(work: Work, request: Request) -> HTMLResponse | None:
    """Only the 市町村 commissions: it holds the 支援会議."""
    session = request.state.session
    if any(one.code == session.code and one.kind == "municipality" for one in work.profile.agencies):
        return None
    reason, step = "委嘱できるのは、支援会議を開く市町村の担当者だけです。", "市町村の担当者に頼んでください。"
    return door_is_closed(work, reason, step, session)


def _done(work: Work, session: Session, answer: Commissioned) -> Response:
    if answer.done:
        return RedirectResponse("/commissions", 303)
    text = f"{answer.message}({answer.rule})" if answer.rule else answer.message
    return notice(work, 409, "記録できませんでした", text, session)
