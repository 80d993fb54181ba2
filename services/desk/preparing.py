"""「準備シート」: questions to agencies, their answers, and the sheet to print for the meeting."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.coordination import CaseView
from contracts.message import Compartment
from contracts.preparing import (
    ATTENDANCE_TEXT,
    DATE_TEXT,
    NEED_TEXT,
    SUBJECT_TEXT,
    AnswerInquiry,
    AskAgency,
    InquiryView,
    LookAtInquiries,
    LookAtSheet,
    OpenPoint,
    Prepared,
    SheetView,
    Subject,
)
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.flaws import flaw_text
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.sessions import Session
from services.desk.step_forms import Typed
from services.service import Work

SIGNS_IN_A_FORM = 12_000
"""What the largest form bears (app.LARGEST_FORM), shared by the fields of an answer."""
POINT_TEXT = {
    "no_roster": "出席する機関がまだ決まっていません。",
    "unanswered": "回答がありません。",
    "not_said": "回答にありません。",
    "dates": "日付が食い違っています。",
    "no_role": "役割が決まっていない機関があります。",
}


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, and why."""

    said: FormData
    text: str


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The sheet of a case and the forms of its inquiries. Who may not see the case finds nothing here."""

    @inside.get("/cases/{ref}/sheet", response_model=None)
    async def show_sheet(request: Request, ref: str) -> Response:
        return await _sheet_page(work, request.state.session, ref)

    @forms.post("/cases/{ref}/inquiries", response_model=None)
    async def ask(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := uuid_of(ref)) is None:
            return case_not_found(work, session)
        try:
            asked = AskAgency.model_validate(asked_of(said) | common(case, said, session))
        except ValidationError as error:
            return await _sheet_page(work, session, ref, 400, Refused(said, flaw_text(error, LABELS)))
        done = await work.ask(asked)
        if not done.done:
            return await _sheet_page(work, session, ref, 409, Refused(said, refusal_text(done)))
        if done.letter:
            name = next((one.name for one in work.profile.agencies if one.code == asked.agency), asked.agency)
            return page(work, "letter.html", session=session, case=case, agency=name, letter=done.letter)
        return RedirectResponse(f"/cases/{case}/sheet", 303)

    @forms.post("/cases/{ref}/inquiries/{inquiry}", response_model=None)
    async def answer(request: Request, ref: str, inquiry: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := uuid_of(ref)) is None:
            return case_not_found(work, session)
        try:
            given = answered_of(said) | common(case, said, session) | {"inquiry": inquiry}
            done = await work.ask(AnswerInquiry.model_validate(given))
        except ValidationError as error:
            return await _sheet_page(work, session, ref, 400, Refused(said, flaw_text(error, LABELS)), inquiry)
        if done.done:
            return RedirectResponse(f"/cases/{case}/sheet", 303)
        return await _sheet_page(work, session, ref, 409, Refused(said, refusal_text(done)), inquiry)

    @inside.get("/inquiries", response_model=None)
    async def show_open(request: Request) -> Response:
        return await _open_page(work, request.state.session)


# -- what a form says --------------------------------------------------------------------------------------------------


def asked_of(said: FormData) -> dict[str, Any]:
    """The questions that a form says: every subject with a text is asked about."""
    asks = [{"subject": one, "text": text} for one in Subject if (text := text_of(said, f"ask_{one}"))]
    return {"agency": text_of(said, "agency"), "asks": asks, "due_on": text_of(said, "due_on")}


def answered_of(said: FormData) -> dict[str, Any]:
    """The answers that a form says, one per subject that it shows."""
    answers = [
        {
            "subject": one,
            "text": text_of(said, f"text_{one}"),
            "date_of": text_of(said, f"date_of_{one}") or None,
            "on": text_of(said, f"on_{one}") or None,
        }
        for one in Subject
        if any(text_of(said, f"{part}_{one}") for part in ("text", "date_of", "on"))
    ]
    facts = {name: text_of(said, name) for name in ("said_by", "said_on", "after")}
    return {"answers": answers, **facts}


def common(case: UUID, said: FormData, session: Session) -> dict[str, Any]:
    """What every form of a case says: which case, the form's own number, and who sends it."""
    who = {"viewer": session.person, "viewer_agency": session.code or None}
    return {"case": case, "request": text_of(said, "request"), **who}


LABELS = {
    "seats": "出席する機関",
    "struck": "外す機関",
    "attendance": "本人参加",
    "attendance_words": "本人参加の理由",
    "size_words": "人数の理由",
    "agency": "機関",
    "asks": "照会の内容",
    "due_on": "回答の期限",
    "text": "内容",
    "date_of": "何の日か",
    "on": "日付",
    "said_by": "答えた人",
    "said_on": "回答した日",
}


def refusal_text(done: Prepared) -> str:
    """Reason, next step and rule."""
    return f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")


def text_of(said: FormData, name: str) -> str:
    """One field of a form."""
    value = said.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def uuid_of(text: str) -> UUID | None:
    """The reference in an address; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


# -- the pages ---------------------------------------------------------------------------------------------------------


async def case_for(work: Work, asking: Asking, ref: str) -> tuple[CaseView, pages.Known] | HTMLResponse:
    """The case with what its page needs, or the page that stands in its place."""
    found = await asking.trail(ref)
    if found.fenced:
        return fenced(work, asking.session)
    if found.case is None or found.case.stopped:
        return case_not_found(work, asking.session)
    case = found.case.case
    staff, clients = await asyncio.gather(asking.staff(), asking.clients([case], found.client))
    where = work.compartment or Compartment.JUSO
    return found.case, pages.Known(work.profile, where, staff, {case: found.case}, clients)


async def _sheet_page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: Refused | None = None, about: str = ""
) -> HTMLResponse:
    found = await case_for(work, Asking(work, session), ref)
    if isinstance(found, HTMLResponse):
        return found
    case, known = found
    view = await work.ask(LookAtSheet(case=case.case, viewer=session.person, viewer_agency=session.code or None))
    if not view.found:
        return notice(work, 503, "ただいま確認できません", "少し待って読み直してください。", session)
    return page(
        work,
        "sheet.html",
        status,
        session=session,
        line=pages.case_line(case, known),
        refusal=refusal.text if refusal else "",
        typed=Typed(refusal.said if refusal else FormData()),
        about=about,
        known=known,
        today=words.day_in_japan(work.now()).isoformat(),
        printed=words.moment(work.now()),
        request=lambda: str(uuid4()),
        **sheet(view, known),
    )


async def _open_page(work: Work, session: Session) -> HTMLResponse:
    asking = Asking(work, session)
    listed = await asking.cases()
    if listed.fenced:
        return fenced(work, session)
    asked = LookAtInquiries(viewer=session.person, viewer_agency=session.code or None)
    found = (await work.ask(asked)).inquiries
    cases = {one.case: one for one in listed.cases if not one.stopped}
    clients = await asking.clients(dict.fromkeys(one.case for one in found))
    known = pages.Known(work.profile, work.compartment or Compartment.JUSO, {}, cases, clients)
    lines = [
        (pages.case_line(cases[one.case], known), known.agency(one.agency), words.full_day(one.due_on), one)
        for one in found
        if one.case in cases
    ]
    mine, others = [one for one in lines if one[3].mine], [one for one in lines if not one[3].mine]
    return page(work, "inquiries.html", session=session, mine=mine, others=others)


# -- lines -------------------------------------------------------------------------------------------------------------


def sheet(view: SheetView, known: pages.Known) -> dict[str, Any]:
    """What the template needs of a 準備シート."""
    seats = view.roster.choice.seats if view.roster else ()
    return {
        "sitting": words.moment(view.sitting) if view.sitting else "",
        "seats": [f"{known.agency(one.agency)}({NEED_TEXT[one.need]})" for one in seats],
        "attendance": ATTENDANCE_TEXT[view.roster.choice.attendance] if view.roster else "",
        "sections": view.sections,
        "points": [(point_text(one, known), one.late) for one in view.points],
        "inquiries": [(one, by_subject(one)) for one in view.inquiries],
        "may_ask": view.may_ask,
        "askable": [(code, known.agency(code)) for code in view.askable],
        "subjects": SUBJECT_TEXT,
        "dates": DATE_TEXT,
        "signs": {one.inquiry: min(4000, SIGNS_IN_A_FORM // max(1, len(one.asks))) for one in view.inquiries},
    }


def by_subject(one: InquiryView) -> dict[Subject, Any]:
    """The newest answer by subject, to be corrected in its form."""
    return {answer.subject: answer for answer in one.answers[-1].answers} if one.answers else {}


def point_text(point: OpenPoint, known: pages.Known) -> str:
    """An open point in one sentence, with its rule."""
    names = "、".join(known.agency(code) for code in point.agencies)
    about = f"{SUBJECT_TEXT[point.subject]}: " if point.subject else ""
    if point.kind == "dates" and point.date_of:
        pairs = zip(point.agencies, point.days, strict=True)
        names = "、".join(f"{known.agency(code)}は{words.full_day(day)}" for code, day in pairs)
        about = f"{DATE_TEXT[point.date_of]}: "
    until = f"期限は{words.full_day(point.due_on)}。" if point.due_on else ""
    return f"{about}{names + '。' if names else ''}{POINT_TEXT[point.kind]}{until}({point.rule})"
