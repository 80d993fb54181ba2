"""The pages of one compartment's desk, for people who signed in there."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from contracts.commission import Cooperations
from contracts.coordination import CaseList, CaseView, ExplainItem, TrailSteps
from contracts.directory import SignInJuso, SignInShien, StaffView
from contracts.intake import LookAtStop, Particulars
from contracts.life import LookAtDue, LookAtLife
from contracts.meetings import ItemSittings, Sittings
from contracts.message import Compartment
from contracts.proposing import DatesInHand
from contracts.reception import DeskReferralOf
from services.desk import (
    calls,
    challenges,
    commissions,
    cooperation,
    counts,
    dates,
    due,
    feed,
    grounds,
    overdue,
    pages,
    papers,
    preparing,
    prints,
    reception,
    regular,
    resources,
    roster,
    sitting,
    steps,
    withdrawal,
    words,
)
from services.desk.asking import Asking
from services.desk.html import case_not_found, door_is_closed, fenced, notice, page
from services.desk.reception_asking import officer
from services.desk.sessions import Sessions, SignInLimit, cookie_of, want_own_form
from services.desk.trail import trail
from services.service import AskFailed, Work

CASES_ON_A_PAGE = 50
SIGN_IN = {question.desk: question for question in (SignInJuso, SignInShien)}
WRONG = "ログイン名かパスワードが違います。"
WAIT = "続けて間違えたため、しばらくサインインできません。5分ほど待ってから、もう一度お試しください。"


class SignInFirst(Exception):
    """Nobody is signed in."""


def routes(work: Work, compartment: Compartment) -> APIRouter:
    """All pages of this compartment; every page but the sign-in wants a session, every form its own token."""
    desk = _Desk(work, compartment)
    entrance, inside = APIRouter(), APIRouter(dependencies=[Depends(desk.want_session)])
    forms = APIRouter(dependencies=[Depends(want_own_form)])
    entrance.add_api_route("/sign-in", desk.show_sign_in, methods=["GET"], response_model=None)
    entrance.add_api_route("/sign-in", desk.sign_in, methods=["POST"], response_model=None)
    inside.add_api_route("/", desk.start, methods=["GET"], response_model=None)
    inside.add_api_route("/week", desk.week, methods=["GET"], response_model=None)
    inside.add_api_route("/cases", desk.cases, methods=["GET"], response_model=None)
    inside.add_api_route("/cases/{ref}", desk.case, methods=["GET"], response_model=None)
    forms.add_api_route("/sign-out", desk.sign_out, methods=["POST"], response_model=None)
    steps.add_routes(inside, forms, work)
    papers.add_routes(inside, forms, work)
    roster.add_routes(inside, forms, work)
    preparing.add_routes(inside, forms, work)
    calls.add_routes(inside, work)
    counts.add_routes(inside, work, compartment)
    challenges.add_routes(inside, forms, work)
    sitting.add_routes(inside, forms, work)
    prints.add_routes(forms, work)
    overdue.add_routes(forms, work)
    due.add_routes(inside, work)
    dates.add_routes(inside, forms, work)
    regular.add_routes(inside, forms, work)
    feed.add_routes(inside, forms, work)
    reception.add_routes(inside, forms, work)
    if compartment is Compartment.JUSO:
        withdrawal.add_routes(inside, forms, work, desk.sessions)
        resources.add_routes(inside, forms, work)
    else:
        commissions.add_routes(inside, forms, work)
        cooperation.add_routes(forms, work)
    inside.include_router(forms)
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
        session = self.sessions.begin(who, agency, now)
        request.state.cookie = cookie_of(self.sessions, session, now, _by_https(request))
        return RedirectResponse("/week", 303)

    async def sign_out(self, request: Request) -> Response:
        self.sessions.end(request.state.session, self.work.now())
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
        monday, asking = words.monday_of(day), Asking(self.work, session)
        starts, ends = pages.week_bounds(monday)
        listed = await asking.cases(rested=ends < self.work.now())  # what was heard then may be over by now
        if closed := self._closed(request, listed):
            return closed
        ask_due = LookAtDue(viewer=session.person, viewer_agency=session.code or None)
        ask_dates = DatesInHand(viewer=session.person, viewer_agency=session.code or None)
        answer, staff, wanted, in_hand = await asyncio.gather(
            self.work.ask(Sittings(starts=starts, ends=ends)),
            asking.staff(),
            asking.or_none(ask_due),
            asking.or_none(ask_dates),
        )
        holds = pages.holds_meetings(self.work.profile, self.compartment, session.code)
        found = pages.only_seen(answer, listed.cases, session.person, holds=holds)
        in_sight = self._known(staff, {one.case: one for one in listed.cases}, {})
        pressing = due.of_week(due.duties(wanted, in_sight, self.work.now())) if wanted else None
        due_soon = [one.case for one in pressing.shown] if pressing else []
        late = overdue.named_in(wanted) if wanted else []
        planned = [one.case for one in in_hand.cases if one.case in in_sight.cases] if in_hand else []
        shown = dict.fromkeys([*pages.cases_of(found, listed.cases), *due_soon, *late, *planned])
        named = await asking.clients(shown)
        known = self._known(staff, in_sight.cases, named)
        week = pages.week(monday, today, found, known)
        lapsing = steps.lapsing(wanted, known) if wanted else []
        return page(
            self.work,
            "week.html",
            session=session,
            week=week,
            due=pressing,
            due_lines=due.lines(pressing.shown, known) if pressing else [],
            lapsing=lapsing,
            overdue=overdue.overdue_lines(wanted, known) if wanted else [],
            dates_in_hand=dates.in_hand_lines(in_hand, in_sight.cases, known) if in_hand else [],
            missing=_missing(known),
        )

    async def cases(
        self,
        request: Request,
        number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
        rested: Annotated[bool, Query(alias="all")] = False,
    ) -> Response:
        asking = Asking(self.work, request.state.session)
        listed = await asking.cases(rested=rested)
        if closed := self._closed(request, listed):
            return closed
        shown = listed.cases[(number - 1) * CASES_ON_A_PAGE : number * CASES_ON_A_PAGE]
        known = self._known({}, {}, await asking.clients(one.case for one in shown if not one.stopped))
        return page(
            self.work,
            "cases.html",
            session=request.state.session,
            lines=[pages.case_line(case, known) for case in shown],
            total=len(listed.cases),
            number=number,
            rested=rested,
            last=max(1, -(-len(listed.cases) // CASES_ON_A_PAGE)),
            missing=_missing(known),
        )

    async def case(self, request: Request, ref: str) -> Response:
        session = request.state.session
        asking = Asking(self.work, session)
        found = await asking.trail(ref)
        if found.fenced:
            return fenced(self.work, session)
        if found.case is None:
            return case_not_found(self.work, session)
        if found.case.stopped:
            return await self._stopped_case(asking, found.case)
        return await self._whole_case(asking, found, found.case)

    async def _whole_case(self, asking: Asking, found: TrailSteps, case: CaseView) -> HTMLResponse:
        juso = self.compartment is Compartment.JUSO
        sittings, staff, clients, register, explained = await asyncio.gather(
            asking.or_none(ItemSittings(case=case.case)),
            asking.staff(),
            asking.clients([case.case], found.client),
            asking.register(case.case),
            asking.or_none(ExplainItem(item=case.item)),
        )
        looked = LookAtLife(case=case.case, viewer=asking.session.person, viewer_agency=asking.session.code or None)
        life = await asking.or_none(looked)
        stop = await asking.or_none(LookAtStop(case=case.case)) if juso else None
        asked = DeskReferralOf(by=officer(asking.session), case=case.case)
        origin = await asking.or_none(asked) if juso and asking.session.code else None
        helped = None if juso else await asking.or_none(Cooperations(case=case.case))
        known = self._known(staff, {case.case: case}, clients)
        today = words.day_in_japan(self.work.now())
        return page(
            self.work,
            "case.html",
            session=asking.session,
            trail=trail(found, case, sittings.sittings if sittings else None, today, known),
            consent=grounds.consent(found.consent, known) if found.consent else None,
            life=life if life and life.found else None,
            due=steps.due_lines(life.due) if life else [],
            stop=grounds.stop(stop) if stop else None,
            origin=origin if origin and origin.done else None,
            hearers=grounds.hearers(explained, known) if explained else None,
            register=None if register is None else [grounds.register_line(row, known) for row in register],
            cooperation=grounds.cooperation(helped, known) if helped else None,
            askable=[one for one in self.work.profile.agencies if helped and one.code in helped.askable],
            today=today.isoformat(),
            missing=_missing(known),
        )

    async def _stopped_case(self, asking: Asking, case: CaseView) -> HTMLResponse:
        """What is left for those who have to act: why, how far the stop has come, and the next step (C11)."""
        return await steps.stopped(asking, case)

    def _closed(self, request: Request, listed: CaseList) -> HTMLResponse | None:
        """The page that stands in the place of all cases, when this person may not see any for a reason of its own."""
        if listed.fenced:
            return fenced(self.work, request.state.session)
        if listed.reason:
            return door_is_closed(self.work, listed.reason, listed.next_step, request.state.session)
        return None

    def _known(
        self,
        staff: Mapping[UUID, StaffView] | None,
        cases: Mapping[UUID, CaseView],
        clients: Mapping[UUID, Particulars] | None,
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
