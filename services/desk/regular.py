"""「定例の会議を組み直す」: dates, rooms and substitutes a regular sitting could have instead; proposal, approval."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.holding import MODE_REASON_TEXT
from contracts.message import Compartment, Question
from contracts.office import Done
from contracts.proposing import RETURN_TEXT, SeatOffer
from contracts.regular import (
    REGULAR_REASON_TEXT,
    ChangeRegular,
    DecideRegular,
    LookAtRegular,
    RegularChange,
    RegularDates,
)
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.dates import STATE_TEXT, in_stead, option_line
from services.desk.html import notice, page
from services.desk.sessions import Session
from services.desk.step_forms import text_of, uuid_of
from services.service import Work

DONE = "承認が要るときは承認の後に、ほかではまもなく、変更を出席者に知らせます。今週の会議で確かめてください。"
UNREAD = "日時・出席者・理由を、画面の候補から選んでください。"


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of one regular sitting and its forms. Who does not hold the meeting finds nothing."""

    @inside.get("/sittings/{ref}/move", response_model=None)
    async def show(request: Request, ref: str) -> Response:
        lost_room = request.query_params.get("room") == "lost"
        return await _page(work, request.state.session, ref, lost_room=lost_room)

    @forms.post("/sittings/{ref}/move", response_model=None)
    async def act(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        lost_room = bool(text_of(said, "lost_room"))
        try:
            asked = question_of(said, ref, session)
        except ValidationError:
            return await _page(work, session, ref, 400, UNREAD, lost_room=lost_room)
        done = await work.ask(asked)
        if done.done:
            return notice(work, 200, "記録しました", DONE, session)
        return await _page(work, session, ref, 409, done.sentence(""), lost_room=lost_room)


def question_of(said: FormData, ref: str, session: Session) -> Question[Done]:
    """What a form asks for. Raises ValidationError, which repeats nothing of it."""
    who: dict[str, Any] = {"viewer": session.person, "viewer_agency": session.code or None}
    who["request"] = text_of(said, "request")
    if text_of(said, "do") == "decide":
        returned = text_of(said, "returned") or None
        return DecideRegular.model_validate(who | {"change": text_of(said, "change"), "returned": returned})
    who |= {"sitting": ref, "starts": text_of(said, "start"), "persons": said.getlist("person")}
    who |= {"online": bool(text_of(said, "online")), "mode_reason": text_of(said, "mode_reason") or None}
    who |= {"reason": text_of(said, "reason"), "lost_room": bool(text_of(said, "lost_room"))}
    return ChangeRegular.model_validate(who)


async def _page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: str = "", *, lost_room: bool = False
) -> HTMLResponse:
    sitting = uuid_of(ref)
    found = RegularDates(found=False)
    if sitting is not None:
        who: dict[str, Any] = {"viewer": session.person, "viewer_agency": session.code or None}
        found = await work.ask(LookAtRegular(sitting=sitting, lost_room=lost_room, **who))
    if not found.found or found.starts is None or found.ends is None:
        text = "始まったか、変更されたか、取り消されています。今週の会議から開き直してください。"
        return notice(work, 404, "組み直せる定例の会議はありません", text, session)
    staff = await Asking(work, session).staff()
    known = pages.Known(work.profile, work.compartment or Compartment.JUSO, staff, {}, {})
    return page(
        work,
        "regular.html",
        status,
        session=session,
        refusal=refusal,
        sitting=sitting,
        found=found,
        lost_room=lost_room,
        ref=lambda: str(uuid4()),
        body=known.body(found.body),
        when=words.span(found.starts, found.ends),
        place=known.place(found.place, found.room, found.mode),
        options=[option_line(one, None, known) for one in found.options],
        changes=[_change(one, known) for one in found.changes],
        free=not any(one.state in ("proposed", "approved") for one in found.changes),
        reasons=REGULAR_REASON_TEXT,
        returns=RETURN_TEXT,
        mode_reasons=MODE_REASON_TEXT,
    )


def _change(one: RegularChange, known: pages.Known) -> dict[str, Any]:
    decided = f"{words.moment(one.decided_at)} {_name(one.decided_by, known)}" if one.decided_at else ""
    decided += in_stead(one, known)
    return {
        "change": one.change,
        "state": STATE_TEXT[one.state],
        "waits": one.state == "proposed",
        "when": words.span(one.starts, one.ends),
        "where": known.place(one.place, one.room, one.mode),
        "reason": REGULAR_REASON_TEXT[one.reason],
        "why": one.why,
        "seats": [_seated(each, known) for each in one.seats if each.person],
        "proposed": f"{words.moment(one.proposed_at)} {_name(one.proposed_by, known)}",
        "decided": decided,
        "note": one.void or (RETURN_TEXT[one.returned] if one.returned else ""),
    }


def _seated(each: SeatOffer, known: pages.Known) -> str:
    return f"{known.agency(each.agency)} {_name(each.person, known)}"


def _name(person: UUID | None, known: pages.Known) -> str:
    found = (known.staff or {}).get(person) if person else None
    return found.name if found else "氏名を確認できません"
