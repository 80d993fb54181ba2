"""The pages of one compartment's desk, for people who signed in there."""

import asyncio
import hmac
from collections.abc import Iterable
from datetime import date
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel

from contracts.coordination import Cases, CaseView, ClientsOfCases, Trail, TrailSteps
from contracts.directory import SignInJuso, SignInShien, Staff, StaffView
from contracts.intake import ClientOf, Particulars
from contracts.meetings import ItemSittings, Sittings
from contracts.message import Compartment, Question
from services.desk import pages, words
from services.desk.html import case_not_found, notice, page
from services.desk.sessions import Session, Sessions, SignInLimit, cookie_of
from services.desk.trail import trail
from services.service import AskFailed, Work

R = TypeVar("R", bound=BaseModel)

CASES_ON_A_PAGE = 50
QUESTIONS_AT_ONCE = 20
SIGN_IN = {question.desk: question for question in (SignInJuso, SignInShien)}
WRONG = "ログイン名かパスワードが違います。"
WAIT = "続けて間違えたため、しばらくサインインできません。5分ほど待ってから、もう一度お試しください。"


class SignInFirst(Exception):
    """Nobody is signed in."""


def routes(work: Work, compartment: Compartment) -> APIRouter:
    """All pages of this compartment; every page but the sign-in wants a session."""
    desk = _Desk(work, compartment)
    entrance, inside = APIRouter(), APIRouter(dependencies=[Depends(desk.want_session)])
    entrance.add_api_route("/sign-in", desk.show_sign_in, methods=["GET"], response_model=None)
    entrance.add_api_route("/sign-in", desk.sign_in, methods=["POST"], response_model=None)
    inside.add_api_route("/sign-out", desk.sign_out, methods=["POST"], response_model=None)
    inside.add_api_route("/", desk.start, methods=["GET"], response_model=None)
    inside.add_api_route("/week", desk.week, methods=["GET"], response_model=None)
    inside.add_api_route("/cases", desk.cases, methods=["GET"], response_model=None)
    inside.add_api_route("/cases/{ref}", desk.case, methods=["GET"], response_model=None)
    entrance.include_router(inside)
    return entrance


class _Desk:
    def __init__(self, work: Work, compartment: Compartment) -> None:
        self.work, self.compartment = work, compartment
        self.sessions, self.limit = Sessions(compartment), SignInLimit()

    # -- coming and going ----------------------------------------------------------------------------------------

    async def want_session(self, request: Request) -> None:
        """Let in who is signed in here, and count the idle time anew."""
        now = self.work.now()
        session = self.sessions.read(request.cookies.get(self.sessions.cookie), now)
        if session is None:
            raise SignInFirst
        request.state.session = session
        request.state.cookie = cookie_of(self.sessions, session, now, _by_https(request))

    async def show_sign_in(self) -> HTMLResponse:
        return self._sign_in_page(200, "")

    async def sign_in(
        self,
        request: Request,
        login: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=256)] = "",
    ) -> Response:
        """A wrong name, a wrong password and the other compartment's user all read the same answer."""
        now, address = self.work.now(), request.client.host if request.client else ""
        if not self.limit.may_try(address, login, now):
            return self._sign_in_page(429, WAIT)
        try:
            who = await self.work.ask(SIGN_IN[self.compartment](login=login, password=password))
        except AskFailed:
            self.limit.take_back(address, login)
            raise
        if who.person is None:
            return self._sign_in_page(401, WRONG)
        self.limit.forget(address, login)
        agency = next((a.name for a in self.work.profile.agencies if a.code == who.agency), who.agency)
        session = self.sessions.begin(who.name, agency, now)
        request.state.cookie = cookie_of(self.sessions, session, now, _by_https(request))
        return RedirectResponse("/week", 303)

    async def sign_out(self, request: Request, form_token: Annotated[str, Form(max_length=64)] = "") -> Response:
        session: Session = request.state.session
        if not hmac.compare_digest(session.form_token.encode(), form_token.encode()):
            raise HTTPException(403)
        self.sessions.end(session, self.work.now())
        request.state.cookie |= {"value": "", "max_age": 0}
        return RedirectResponse("/sign-in", 303)

    def _sign_in_page(self, status: int, message: str) -> HTMLResponse:
        minutes = int(self.sessions.idle.total_seconds() // 60)
        return page(self.work, "sign_in.html", status, message=message, minutes=minutes)

    # -- the rooms -----------------------------------------------------------------------------------------------

    async def start(self) -> Response:
        return RedirectResponse("/week", 303)

    async def week(self, request: Request, start: str = "") -> Response:
        session, today = request.state.session, words.day_in_japan(self.work.now())
        day = _day(start) if start else today
        if day is None:
            text = "日付は 2026-11-24 の形で指定してください。"
            return notice(self.work, 400, "日付を読み取れません", text, session)
        monday = words.monday_of(day)
        starts, ends = pages.week_bounds(monday)
        found, staff, cases = await asyncio.gather(
            self.work.ask(Sittings(starts=starts, ends=ends)), self._staff(), self._cases()
        )
        wanted = pages.cases_of(found, (cases or {}).values())
        known = self._known(staff, cases, await self._clients(wanted))
        week = pages.week(monday, today, found, known)
        return page(self.work, "week.html", session=session, week=week, missing=_missing(known))

    async def cases(
        self, request: Request, number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1
    ) -> Response:
        listed = (await self.work.ask(Cases())).cases
        shown = listed[(number - 1) * CASES_ON_A_PAGE : number * CASES_ON_A_PAGE]
        known = self._known({}, None, await self._clients([case.case for case in shown]))
        return page(
            self.work,
            "cases.html",
            session=request.state.session,
            lines=[pages.case_line(case, known) for case in shown],
            total=len(listed),
            number=number,
            last=max(1, -(-len(listed) // CASES_ON_A_PAGE)),
            missing=_missing(known),
        )

    async def case(self, request: Request, ref: str) -> Response:
        session = request.state.session
        found = await self._trail(ref)
        if found is None or found.case is None:
            return case_not_found(self.work, session)
        case = found.case
        sittings, staff, clients = await asyncio.gather(
            self._or_none(ItemSittings(case=case.case)), self._staff(), self._clients([case.case], found.client)
        )
        known = self._known(staff, {case.case: case}, clients)
        today = words.day_in_japan(self.work.now())
        shown = trail(found, case, sittings.sittings if sittings else None, today, known)
        return page(self.work, "case.html", session=session, trail=shown, missing=_missing(known))

    # -- asking --------------------------------------------------------------------------------------------------

    async def _or_none(self, question: Question[R]) -> R | None:
        """The answer; None when nobody answered, so that the rest of the page can still be shown."""
        try:
            return await self.work.ask(question)
        except AskFailed:
            return None

    async def _trail(self, ref: str) -> TrailSteps | None:
        try:
            case = UUID(ref)
        except ValueError:
            return None
        return await self.work.ask(Trail(case=case))

    async def _staff(self) -> dict[UUID, StaffView] | None:
        found = await self._or_none(Staff())
        return {one.person: one for one in found.staff} if found else None

    async def _cases(self) -> dict[UUID, CaseView] | None:
        found = await self._or_none(Cases())
        return {one.case: one for one in found.cases} if found else None

    async def _clients(self, cases: Iterable[UUID], told: Particulars | None = None) -> dict[UUID, Particulars] | None:
        """Who the cases are about. Shien asks inside itself only: a look-up elsewhere would tell (consent.md 8.1)."""
        cases = tuple(cases)[:500]
        if self.compartment is Compartment.SHIEN:
            if told is not None:
                return dict.fromkeys(cases, told)
            found = await self._or_none(ClientsOfCases(cases=cases)) if cases else None
            return found.clients if found else None if cases else {}
        return await self._clients_from_intake(cases)

    async def _clients_from_intake(self, cases: tuple[UUID, ...]) -> dict[UUID, Particulars] | None:
        """A few questions at a time; after the first that fails no further one, so that the page does not hang."""
        known: dict[UUID, Particulars] = {}
        for begin in range(0, len(cases), QUESTIONS_AT_ONCE):
            some = cases[begin : begin + QUESTIONS_AT_ONCE]
            answers = await asyncio.gather(*(self._or_none(ClientOf(case=case)) for case in some))
            known |= {case: one for case, one in zip(some, answers, strict=True) if one is not None}
            if None in answers:
                break
        return known if known or not cases else None

    def _known(
        self,
        staff: dict[UUID, StaffView] | None,
        cases: dict[UUID, CaseView] | None,
        clients: dict[UUID, Particulars] | None,
    ) -> pages.Known:
        return pages.Known(self.work.profile, self.compartment, staff, cases, clients)


def _missing(known: pages.Known) -> list[str]:
    """What the page could not find out."""
    return [text for text, part in (("職員の氏名", known.staff), ("本人の氏名", known.clients)) if part is None]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def _by_https(request: Request) -> bool:
    """Whether the browser came by https, perhaps to a server in front of this one."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
