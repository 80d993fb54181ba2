"""「出席する機関」: the roster that is proposed for a case, and the form in which somebody decides on it (P1-P7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.intake import PROBLEM_TEXT
from contracts.preparing import (
    ATTENDANCE_TEXT,
    MOST_SEATS,
    NEED_TEXT,
    REASON_TEXT,
    Accepted,
    AcceptRoster,
    Choice,
    LookAtRoster,
    Proposal,
    Why,
)
from contracts.profile import Agency
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.flaws import flaw_text
from services.desk.html import case_not_found, notice, page
from services.desk.preparing import LABELS, Refused, case_for, common, refusal_text, text_of, uuid_of
from services.desk.sessions import Session
from services.desk.step_forms import Typed
from services.service import Work

STRIKE = "strike"
"""What a line of the roster's form says instead of a need when the agency is not asked to the table."""
MORE_LINES = 4
"""Empty lines for agencies that nothing proposes, after those that were added before."""


@dataclass(frozen=True)
class SeatLine:
    """A line of the roster's form: an agency, why it is proposed, and what was typed or decided before."""

    code: str
    name: str
    why: str
    need: str
    words: str


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of a case's roster and its form. Who may not see the case finds nothing here."""

    @inside.get("/cases/{ref}/roster", response_model=None)
    async def show_roster(request: Request, ref: str) -> Response:
        return await _roster_page(work, request.state.session, ref)

    @forms.post("/cases/{ref}/roster", response_model=None)
    async def accept(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := uuid_of(ref)) is None:
            return case_not_found(work, session)
        try:
            asked = AcceptRoster(choice=choice_of(said), **common(case, said, session), after=text_of(said, "after"))
        except ValidationError as error:
            return await _roster_page(work, session, ref, 400, Refused(said, flaw_text(error, LABELS)))
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{case}/roster", 303)
        return await _roster_page(work, session, ref, 409, Refused(said, refusal_text(done)))


def choice_of(said: FormData) -> Choice:
    """The decision that the roster's form says. Raises ValidationError."""
    lines = [
        (name.removeprefix("need_"), text_of(said, name), text_of(said, "why_" + name.removeprefix("need_")))
        for name in said
        if name.startswith("need_")
    ]
    lines += [
        (code, text_of(said, f"more_need_{n}"), text_of(said, f"more_why_{n}"))
        for n in range(MOST_SEATS)
        if (code := text_of(said, f"more_{n}"))
    ]
    return Choice.model_validate(
        {
            "seats": [{"agency": a, "need": need, "words": why} for a, need, why in lines if need != STRIKE],
            "struck": [{"agency": a, "words": why} for a, need, why in lines if need == STRIKE],
            "attendance": text_of(said, "attendance"),
            "attendance_words": text_of(said, "attendance_words"),
            "size_words": text_of(said, "size_words"),
        }
    )


async def _roster_page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: Refused | None = None
) -> HTMLResponse:
    found = await case_for(work, Asking(work, session), ref)
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
        others=[one for one in still_there(work) if one.code not in proposed],
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


def why_text(why: Iterable[Why]) -> str:
    """All reasons with their rules."""
    texts = (
        (f"{PROBLEM_TEXT[one.problem]}の分野を担う" if one.problem else REASON_TEXT[one.reason], one.rule)
        for one in why
    )
    return "、".join(f"{text}({rule})" for text, rule in texts)


def still_there(work: Work) -> list[Agency]:
    """The agencies that have not ended: nobody else can be called."""
    today = words.day_in_japan(work.now())
    return [one for one in work.profile.agencies if one.until is None or today <= one.until]


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
    added = [(one.agency, str(one.need), one.words) for one in last.choice.seats] if last else []
    lines = [one for one in added if one[0] not in proposed]
    if typed:
        said = (tuple(typed.text(f"more_{part}{n}") for part in ("", "need_", "why_")) for n in range(MOST_SEATS))
        lines = [(code, need, why) for code, need, why in said if code or why]
    return lines + [("", "optional", "")] * MORE_LINES


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
