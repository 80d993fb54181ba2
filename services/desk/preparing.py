"""「会議の準備」: the roster of a case, questions to agencies and their answers, and the 準備シート to print."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.coordination import CaseView
from contracts.intake import PROBLEM_TEXT
from contracts.message import Compartment
from contracts.preparing import (
    ATTENDANCE_TEXT,
    DATE_TEXT,
    REASON_TEXT,
    SUBJECT_TEXT,
    Accepted,
    AcceptRoster,
    AnswerInquiry,
    AskAgency,
    Choice,
    InquiryView,
    LookAtInquiries,
    LookAtRoster,
    LookAtSheet,
    OpenPoint,
    Prepared,
    Proposal,
    SheetView,
    Subject,
    Why,
)
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.sessions import Session
from services.desk.steps import Typed
from services.service import Work

NEED_TEXT = {"required": "必須", "expected": "原則", "optional": "任意"}
STRIKE = "strike"
"""What a line of the roster's form says instead of a need when the agency is not asked to the table."""
MORE_LINES = 4
"""Lines for agencies that nothing proposes; whoever needs more decides twice."""
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
class SeatLine:
    """A line of the roster's form: an agency, why it is proposed, and what was typed or decided before."""

    code: str
    name: str
    why: str
    need: str
    words: str


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, and why."""

    said: FormData
    text: str


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The pages and forms of preparing a meeting. Who may not see the case finds nothing here."""

    @inside.get("/cases/{ref}/roster", response_model=None)
    async def show_roster(request: Request, ref: str) -> Response:
        return await _roster_page(work, request.state.session, ref)

    @forms.post("/cases/{ref}/roster", response_model=None)
    async def accept(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := _uuid(ref)) is None:
            return case_not_found(work, session)
        try:
            asked = AcceptRoster(choice=choice_of(said), **_common(case, said, session), after=_text(said, "after"))
        except ValidationError as error:
            return await _roster_page(work, session, ref, 400, Refused(said, flaw_text(error)))
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{case}/roster", 303)
        return await _roster_page(work, session, ref, 409, Refused(said, refusal_text(done)))

    @inside.get("/cases/{ref}/sheet", response_model=None)
    async def show_sheet(request: Request, ref: str) -> Response:
        return await _sheet_page(work, request.state.session, ref)

    @forms.post("/cases/{ref}/inquiries", response_model=None)
    async def ask(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := _uuid(ref)) is None:
            return case_not_found(work, session)
        try:
            asked = AskAgency.model_validate(asked_of(said) | _common(case, said, session))
        except ValidationError as error:
            return await _sheet_page(work, session, ref, 400, Refused(said, flaw_text(error)))
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
        if (case := _uuid(ref)) is None:
            return case_not_found(work, session)
        try:
            given = answered_of(said) | _common(case, said, session) | {"inquiry": inquiry}
            done = await work.ask(AnswerInquiry.model_validate(given))
        except ValidationError as error:
            return await _sheet_page(work, session, ref, 400, Refused(said, flaw_text(error)), inquiry)
        if done.done:
            return RedirectResponse(f"/cases/{case}/sheet", 303)
        return await _sheet_page(work, session, ref, 409, Refused(said, refusal_text(done)), inquiry)

    @inside.get("/inquiries", response_model=None)
    async def show_open(request: Request) -> Response:
        return await _open_page(work, request.state.session)


# -- what a form says --------------------------------------------------------------------------------------------------


def choice_of(said: FormData) -> Choice:
    """The decision that the roster's form says. Raises ValidationError."""
    lines = [
        (name.removeprefix("need_"), _text(said, name), _text(said, "why_" + name.removeprefix("need_")))
        for name in said
        if name.startswith("need_")
    ]
    lines += [
        (code, _text(said, f"more_need_{n}"), _text(said, f"more_why_{n}"))
        for n in range(MORE_LINES)
        if (code := _text(said, f"more_{n}"))
    ]
    return Choice.model_validate(
        {
            "seats": [{"agency": a, "need": need, "words": why} for a, need, why in lines if need != STRIKE],
            "struck": [{"agency": a, "words": why} for a, need, why in lines if need == STRIKE],
            "attendance": _text(said, "attendance"),
            "attendance_words": _text(said, "attendance_words"),
            "size_words": _text(said, "size_words"),
        }
    )


def asked_of(said: FormData) -> dict[str, Any]:
    """The questions that a form says: every subject with a text is asked about."""
    asks = [{"subject": one, "text": text} for one in Subject if (text := _text(said, f"ask_{one}"))]
    return {"agency": _text(said, "agency"), "asks": asks, "due_on": _text(said, "due_on")}


def answered_of(said: FormData) -> dict[str, Any]:
    """The answers that a form says, one per subject that it shows."""
    answers = [
        {
            "subject": one,
            "text": _text(said, f"text_{one}"),
            "date_of": _text(said, f"date_of_{one}") or None,
            "on": _text(said, f"on_{one}") or None,
        }
        for one in Subject
        if any(_text(said, f"{part}_{one}") for part in ("text", "date_of", "on"))
    ]
    facts = {name: _text(said, name) for name in ("said_by", "said_on", "after")}
    return {"answers": answers, **facts}


def _common(case: UUID, said: FormData, session: Session) -> dict[str, Any]:
    who = {"viewer": session.person, "viewer_agency": session.code or None}
    return {"case": case, "request": _text(said, "request"), **who}


_LABELS = {
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


def flaw_text(error: ValidationError) -> str:
    """Which fields are wrong, by label; never what was typed in."""
    found = {str(one) for fault in error.errors(include_input=False) for one in fault["loc"]}
    labels = [label for name, label in _LABELS.items() if name in found]
    return f"{'、'.join(labels) or '入力'}の形が正しくありません。確かめて、もう一度入れてください。"


def refusal_text(done: Prepared) -> str:
    """Reason, next step and rule."""
    return f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")


def _text(said: FormData, name: str) -> str:
    value = said.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# -- the pages ---------------------------------------------------------------------------------------------------------


async def _case(work: Work, asking: Asking, ref: str) -> tuple[CaseView, pages.Known] | HTMLResponse:
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


async def _roster_page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: Refused | None = None
) -> HTMLResponse:
    found = await _case(work, Asking(work, session), ref)
    if isinstance(found, HTMLResponse):
        return found
    case, known = found
    view = await work.ask(LookAtRoster(case=case.case, viewer=session.person, viewer_agency=session.code or None))
    if not view.found:
        return notice(work, 503, "ただいま確認できません", "少し待って読み直してください。", session)
    typed = Typed(refusal.said) if refusal else None
    last = view.accepted[0] if view.accepted else None
    proposed = {one.agency for one in view.proposal.seats}
    return page(
        work,
        "roster.html",
        status,
        session=session,
        line=pages.case_line(case, known),
        refusal=refusal.text if refusal else "",
        typed=typed,
        lines=seat_lines(view.proposal, last, known, typed),
        more=more_lines(proposed, last, typed),
        others=[one for one in work.profile.agencies if one.code not in proposed],
        outside=[(known.agency(one.agency), why_text(one.why), one) for one in view.proposal.outside],
        hints=view.proposal.hints,
        last=last,
        accepted=[accepted_lines(one, known) for one in view.accepted],
        may_decide=view.may_decide,
        after=len(view.accepted),
        request=str(uuid4()),
        choices={"need": NEED_TEXT, "attendance": ATTENDANCE_TEXT},
        strike=STRIKE,
    )


async def _sheet_page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: Refused | None = None, about: str = ""
) -> HTMLResponse:
    found = await _case(work, Asking(work, session), ref)
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


def why_text(why: Iterable[Why]) -> str:
    """All reasons with their rules."""
    texts = (
        (f"{PROBLEM_TEXT[one.problem]}の分野を担う" if one.problem else REASON_TEXT[one.reason], one.rule)
        for one in why
    )
    return "、".join(f"{text}({rule})" for text, rule in texts)


def seat_lines(proposal: Proposal, last: Accepted | None, known: pages.Known, typed: Typed | None) -> list[SeatLine]:
    """The proposed agencies, each with what was typed in, else decided last, else proposed."""
    seated = {one.agency: (one.need, one.words) for one in last.choice.seats} if last else {}
    struck = {one.agency: (STRIKE, one.words) for one in last.choice.struck} if last else {}
    lines = []
    for one in proposal.seats:
        need, said = {**struck, **seated}.get(one.agency, (one.need, ""))
        if typed:
            need, said = typed.text(f"need_{one.agency}"), typed.text(f"why_{one.agency}")
        lines.append(SeatLine(one.agency, known.agency(one.agency), why_text(one.why), need, said))
    return lines


def more_lines(proposed: set[str], last: Accepted | None, typed: Typed | None) -> list[tuple[str, str, str]]:
    """What was added: code, need and reason, with empty lines to fill in."""
    if typed:
        return [
            (typed.text(f"more_{n}"), typed.text(f"more_need_{n}"), typed.text(f"more_why_{n}"))
            for n in range(MORE_LINES)
        ]
    added = [(one.agency, str(one.need), one.words) for one in last.choice.seats] if last else []
    lines = [one for one in added if one[0] not in proposed]
    return (lines + [("", "optional", "")] * MORE_LINES)[:MORE_LINES]


def accepted_lines(one: Accepted, known: pages.Known) -> dict[str, Any]:
    """A decided roster as people read it."""
    person, choice = (known.staff or {}).get(one.by), one.choice
    return {
        "number": one.number,
        "when": words.moment(one.at),
        "who": f"{known.agency(one.agency)} {person.name if person else '氏名を確認できません'}",
        "seats": [(known.agency(seat.agency), NEED_TEXT[seat.need], seat.words) for seat in choice.seats],
        "struck": [(known.agency(gone.agency), gone.words) for gone in choice.struck],
        "attendance": ATTENDANCE_TEXT[choice.attendance],
        "attendance_words": choice.attendance_words,
        "size_words": choice.size_words,
    }


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
