"""「会議を進める」: the page of one sitting, from 開会 to the approved 会議録 (P1, M6, S13, S14)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.blocks import STAYS_TEXT, ChangeView
from contracts.body_secrecy import NotePledges
from contracts.directory import StaffView
from contracts.holding import MODE_TEXT
from contracts.legal_basis import CATALOGUE, SHIEN_BASIS, SHIEN_PURPOSE, SHIEN_SECRECY
from contracts.life import OUTCOME_TEXT
from contracts.message import Compartment
from contracts.printing import SITTING_PAPER_TEXT, SittingPaper
from contracts.purpose import PURPOSE_TEXT
from contracts.running import (
    PROCEEDING_TEXT,
    PROXY_TEXT,
    AttendanceView,
    Conduct,
    HearingView,
    LookAtRoom,
    Proceeding,
    ProxyGround,
    Result,
    RoomView,
)
from services.desk import holding, pages, words
from services.desk.asking import Asking
from services.desk.flaws import flaw_text
from services.desk.html import door_is_closed, fenced, notice, page
from services.desk.sessions import Session
from services.desk.sitting_forms import LABELS, move_of
from services.desk.step_forms import Typed, text_of, uuid_of
from services.desk.steps import outcomes
from services.service import Work

ROLES = 5
VERDICT_TEXT = {"held": "成立", "case_conference": "ケース会議(成立せず、件数に数えません)"}
STATE_TEXT = {
    "waiting": "これから",
    "open": "協議中",
    "heard": "終わり",
    "carried": "次の会議へ",
    "off": "議題から下ろしました",
}
WITHOUT_FIELDS = (
    *(Proceeding.OPEN, Proceeding.EXPLAIN, Proceeding.JUDGE, Proceeding.GIVE_UP),
    *(Proceeding.CLOSE, Proceeding.APPROVE),
)
"""Acts that are a button and nothing else."""


@dataclass(frozen=True)
class StayLine:
    """One stay in the room, as people read it."""

    person: UUID
    agency: str
    name: str
    substitute: str
    entered: str
    left: str


@dataclass(frozen=True)
class ItemLine:
    """An item with its times, who hears it or leaves for it, and what the minutes say in each version."""

    item: UUID
    case: pages.CaseLine | None
    reference: str
    purpose: str
    state: str
    code: str
    times: str
    box: str
    comes: tuple[str, ...]
    heard: tuple[str, ...]
    leaving: tuple[str, ...]
    refusal: str
    versions: tuple["VersionLine", ...]


@dataclass(frozen=True)
class VersionLine:
    """One version of the minutes of an item."""

    number: int
    when: str
    who: str
    outcome: str
    details: tuple[tuple[str, str], ...]
    result: Result


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of a sitting and the form of each act. Who has no seat there and does not run it finds nothing."""

    @inside.get("/sittings/{ref}", response_model=None)
    async def show(request: Request, ref: str) -> Response:
        return await _page(work, request.state.session, ref)

    @forms.post("/sittings/{ref}", response_model=None)
    async def act(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (sitting := uuid_of(ref)) is None:
            return _not_found(work, session)
        try:
            asked = Conduct(
                sitting=sitting,
                request=text_of(said, "request"),
                after=text_of(said, "after"),
                move=move_of(said, words.day_in_japan(work.now()).isoformat()),
                viewer=session.person,
                viewer_agency=session.code or None,
            )
        except ValidationError as error:
            return await _page(work, session, ref, 400, said, flaw_text(error, LABELS))
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/sittings/{sitting}", 303)
        text = f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")
        return await _page(work, session, ref, 409, said, text)

    @forms.post("/sittings/{ref}/pledges", response_model=None)
    async def pledges(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        given: dict[str, Any] = {name: text_of(said, name) for name in ("request", "signed_on")}
        given |= {"sitting": ref, "persons": said.getlist("person"), "viewer": session.person}
        try:
            asked = NotePledges.model_validate(given | {"viewer_agency": session.code or None})
        except ValidationError:
            return await _page(work, session, ref, 400, None, "誓約書を出した人と、署名した日を選んでください(S16)。")
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/sittings/{asked.sitting}", 303)
        return await _page(work, session, ref, 409, None, done.sentence(""))

    @forms.post("/sittings/{ref}/mode", response_model=None)
    async def change(request: Request, ref: str) -> Response:
        session = request.state.session
        asked = holding.question_of(await request.form(), ref, session)
        if asked is None:
            return await _page(work, session, ref, 400, None, holding.UNREAD)
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/sittings/{asked.sitting}", 303)
        return await _page(work, session, ref, 409, None, done.sentence(""))


def _not_found(work: Work, session: Session) -> HTMLResponse:
    return notice(work, 404, "該当する会議はありません", "今週の会議から選び直してください。", session)


# -- the page ----------------------------------------------------------------------------------------------------------


async def _page(
    work: Work, session: Session, ref: str, status: int = 200, said: FormData | None = None, refusal: str = ""
) -> HTMLResponse:
    if (sitting := uuid_of(ref)) is None:
        return _not_found(work, session)
    asking = Asking(work, session)
    listed = await asking.cases()
    if listed.fenced:
        return fenced(work, session)
    if listed.reason:
        return door_is_closed(work, listed.reason, listed.next_step, session)
    look = LookAtRoom(sitting=sitting, viewer=session.person, viewer_agency=session.code or None)
    room, staff = await asyncio.gather(work.ask(look), asking.staff())
    if not room.found:
        return _not_found(work, session)
    cases = {one.case: one for one in listed.cases if not one.stopped}
    clients = await asking.clients(one.case for one in room.items if one.case in cases)
    where = work.compartment or Compartment.JUSO
    known = pages.Known(work.profile, where, staff, cases, clients)
    return page(
        work,
        "sitting.html",
        status,
        session=session,
        refusal=refusal,
        typed=Typed(said or FormData()),
        said_what=text_of(said, "what") if said else "",
        said_item=text_of(said, "item") if said else "",
        **shown(room, sitting, known, staff or {}),
    )


def shown(room: RoomView, sitting: UUID, known: pages.Known, staff: Mapping[UUID, StaffView]) -> dict[str, Any]:
    """What the template needs of a sitting."""
    basis = CATALOGUE.get(room.basis)
    there = {one.person for one in room.attendance if one.left_at is None}
    seated = {one.person for one in room.seats}
    agencies = {one.agency for one in room.seats}
    ways = [one for one in WITHOUT_FIELDS if one in room.ways and room.may_run]
    may = {one.value for one in room.ways} if room.may_run else set()
    return {
        "sitting": sitting,
        "room": room,
        "article": basis.article if basis else room.basis,
        "secrecy": SHIEN_SECRECY if known.compartment is Compartment.SHIEN else "",
        "purpose": f"{SHIEN_PURPOSE}({SHIEN_BASIS.article})。" if known.compartment is Compartment.SHIEN else "",
        "body": known.body(room.body),
        "place": known.place(room.place, room.room, room.mode),
        "when": words.span(room.starts, room.ends) if room.starts and room.ends else "",
        "turned": words.moment(room.turned_at) if room.turned_at else "",
        "change_in": change_lines(room.change_in, known) if room.change_in else None,
        "change_out": change_lines(room.change_out, known) if room.change_out else None,
        "admitted": [
            (known.agency(one.agency), _name(one.person, known), PROXY_TEXT[ProxyGround(one.ground)])
            for one in room.admitted
        ],
        "outsiders": [
            _person(one.person, one.agency, known) for one in staff.values() if one.person not in seated | there
        ],
        "leave": {code.value: PROXY_TEXT[code] for code in (ProxyGround.CHAIR, ProxyGround.RULE)},
        **of_body(room, known, seated, staff),
        **holding.how_held(room, known, partial(_name, known=known)),
        "opened": words.moment(room.opened_at) if room.opened_at else "",
        "closed": words.moment(room.closed_at) if room.closed_at else "",
        "explained": words.moment(room.explained_at) if room.explained_at else "",
        "approved": words.moment(room.approved_at) if room.approved_at else "",
        "verdict": VERDICT_TEXT[room.verdict] if room.verdict else "",
        "ways": [(one.value, PROCEEDING_TEXT[one], str(uuid4())) for one in ways],
        "may": may,
        "ref": lambda: str(uuid4()),
        "stays": [stay_line(one, known) for one in room.attendance],
        "away": [_person(one.person, one.agency, known) for one in room.seats if one.person not in there],
        "others": [
            (*_person(one.person, one.agency, known), one.posts)
            for one in staff.values()
            if one.agency in agencies and one.person not in seated and one.person not in there
        ],
        "posts": sorted({post for one in staff.values() if one.agency in agencies for post in one.posts}),
        "grounds": PROXY_TEXT,
        "items": [item_line(one, known) for one in room.items],
        "approvals": [
            (known.agency(one.agency), _name(one.person, known), words.moment(one.at)) for one in room.approvals
        ],
        "outcomes": {code.value: text for code, text in outcomes(known.profile).items()},
        "agencies": known.profile.agencies,
        "lines": range(ROLES),
        "unpledged": [
            _person(person, agency, known)
            for person, agency in dict.fromkeys(
                [(one.person, one.agency) for one in room.seats] + [(one.person, one.agency) for one in room.attendance]
            )
            if room.pledge and person not in room.pledged
        ],
        "prints": [
            (code.value, text)
            for code, text in SITTING_PAPER_TEXT.items()
            if code is not SittingPaper.MINUTES or room.minutes_version
        ],
    }


def of_body(room: RoomView, known: pages.Known, seated: set[UUID], staff: Mapping[UUID, StaffView]) -> dict[str, Any]:
    """What the body's profile says of the day: who presides, secrecy by bylaw, how it meets, whom LGWAN shuts out."""
    body = known.profile.body(room.body)
    if body is None or room.starts is None:
        return {"chairs": [], "bylaw": None, "mode": "", "lgwan_only": [], "keep_years": None}
    day = words.day_in_japan(room.starts)
    chairs = [one for one in body.chairs if one.presides(day)]
    online = room.mode != "in_person"
    shut_out = [staff[one] for one in seated if one in staff and staff[one].network == "lgwan"] if online else []
    return {
        "chairs": [f"{'職務代理' if one.deputy else '会長'} {known.agency(one.agency)}({one.post})" for one in chairs],
        "bylaw": body.secrecy_on(day),
        "keep_years": body.keep_years,
        "mode": f"{MODE_TEXT[body.mode]}({body.mode_reason})" if online and not room.mode_changes else "",
        "lgwan_only": sorted(f"{known.agency(one.agency)} {one.name}" for one in shut_out),
    }


def change_lines(one: ChangeView, known: pages.Known) -> dict[str, Any]:
    """The order of a change between two blocks, for the chair to read out."""

    def named(code: str) -> str:
        return f"{CATALOGUE[code].name}({CATALOGUE[code].article})" if code in CATALOGUE else code

    return {
        "before": named(one.before),
        "after": named(one.after),
        "kind": "同一構成員型(だれも退室しません)" if one.same else "一部重複型",
        "leave": [known.agency(code) for code in one.leave],
        "stay": [f"{known.agency(each.agency)}({STAYS_TEXT[each.ground]})" for each in one.stay],
        "come": [known.agency(code) for code in one.come],
        "unbound": [known.agency(code) for code in one.unbound],
    }


def _name(person: UUID, known: pages.Known) -> str:
    found = (known.staff or {}).get(person)
    return found.name if found else "氏名を確認できません"


def _person(person: UUID, agency: str, known: pages.Known) -> tuple[str, str]:
    return str(person), f"{known.agency(agency)} {_name(person, known)}"


def stay_line(one: AttendanceView, known: pages.Known) -> StayLine:
    """A stay with times of day."""
    proxy = f"代理({one.post}、{PROXY_TEXT[one.ground]})" if one.ground else ""
    left = words.clock(one.left_at) if one.left_at else ""
    entered = words.clock(one.entered_at)
    return StayLine(one.person, known.agency(one.agency), _name(one.person, known), proxy, entered, left)


def item_line(one: HearingView, known: pages.Known) -> ItemLine:
    """An item; of a case that this person may not see only its reference, and why it is off."""
    case = known.cases.get(one.case)
    times = f"{words.clock(one.called_at)}〜{words.clock(one.done_at) if one.done_at else ''}" if one.called_at else ""
    versions = []
    for version in one.versions:
        result = version.result
        roles = (f"{known.agency(r.agency)} {words.full_day(r.until)}まで {r.does}" for r in result.roles)
        details = (
            ("役割分担", " / ".join(roles)),
            ("次に扱う日", words.full_day(result.next_on) if result.next_on else ""),
            ("地域課題", "あり" if result.local_issue else ""),
        )
        who = f"{known.agency(version.agency)} {_name(version.by, known)}"
        kept = tuple(pair for pair in details if pair[1])
        outcome = OUTCOME_TEXT[result.outcome]
        versions.append(VersionLine(version.number, words.moment(version.at), who, outcome, kept, result))
    return ItemLine(
        one.item,
        pages.case_line(case, known) if case else None,
        f"事案 {one.case.hex[:8]}",
        PURPOSE_TEXT[one.purpose],
        STATE_TEXT[one.state],
        one.state,
        times,
        f"{words.clock(one.box_starts)}〜{words.clock(one.box_ends)}" if one.box_starts and one.box_ends else "",
        tuple(known.agency(code) for code in one.comes),
        tuple(known.agency(code) for code in one.heard_by),
        tuple(known.agency(code) for code in one.leaving),
        f"{one.refusal}{one.next_step}",
        tuple(versions),
    )
