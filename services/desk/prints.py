"""「印刷」: papers as PDF, made when they are asked for and kept nowhere. Each copy of an item stands in the register.

A form and not a link: printing is an act. File names name no case and nobody.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from contracts.commission import Commissions, Cooperations
from contracts.directory import Staff, StaffView
from contracts.form_editions import NoSuchForm, edition
from contracts.masking import MASK
from contracts.meetings import Sittings, SittingView
from contracts.message import Compartment
from contracts.papers import PaperHead, PaperView
from contracts.printing import SITTING_PAPER_TEXT, PrintPaper, PrintSitting, SittingPaper
from contracts.running import LookAtRoom
from services.desk import commissions, pages, words
from services.desk.asking import Asking
from services.desk.html import case_not_found, fenced, notice
from services.desk.paper_fields import sections, text_of
from services.desk.print_texts import (
    FilledForm,
    Printing,
    commission_paper,
    cooperation_paper,
    form_paper,
    secrecy_text,
    sitting_papers,
)
from services.desk.sessions import Session
from services.desk.step_forms import uuid_of
from services.forms import known_forms
from services.letters import InvitationLetter, letters
from services.pdf import GlyphMissing
from services.service import Work
from services.typeset import Paper, papers

NO_GLYPH = "印刷の書体にない字があります({codes})。ほかの字に直すか、この書類は手で書いてください。"
Press = Annotated[UUID, Form(alias="request")]
"""Of one shown page: pressed twice it is one printing."""


def add_routes(forms: APIRouter, work: Work) -> None:
    """The buttons. Who may not see what is printed finds nothing here."""
    press = _Press(work)
    acts: dict[str, Callable[..., Any]] = {
        "/sittings/{ref}/print": press.sitting,
        "/sittings/{ref}/letters": press.letters,
        "/cases/{ref}/papers/{paper}/pdf": press.form,
    }
    if work.compartment is Compartment.SHIEN:
        acts |= {
            "/commissions/{ref}/print": press.commission,
            "/cases/{ref}/cooperation/{asked}/print": press.cooperation,
        }
    for path, act in acts.items():
        forms.add_api_route(path, act, methods=["POST"], response_model=None)


class _Press:
    def __init__(self, work: Work) -> None:
        self.work, self.where = work, work.compartment or Compartment.JUSO

    # -- a sitting -----------------------------------------------------------------------------------------------

    async def sitting(
        self,
        request: Request,
        ref: str,
        press: Press,
        paper: Annotated[SittingPaper, Form()],
        everyone: Annotated[bool, Form()] = False,
    ) -> Response:
        session = request.state.session
        if (sitting := uuid_of(ref)) is None:
            return self._no_sitting(session)
        asked = PrintSitting(sitting=sitting, paper=paper, request=press, everyone=everyone, **_viewer(session))
        staff = await self._staff()
        found = await self.work.ask(asked)
        if not found.found:
            return self._no_sitting(session)
        if not found.copies:
            return self._refused(session, found.reason, found.next_step, found.rule)
        printing = Printing(paper, press.hex[:8], self.work.profile, self.where, staff, self._today())
        name = f"{paper}-{sitting.hex[:8]}"
        return await self._file(session, sitting_papers(found, printing), SITTING_PAPER_TEXT[paper], name)

    async def letters(self, request: Request, ref: str) -> Response:
        """A neutral letter to each who could not be mailed: whoever runs the sitting puts them into envelopes."""
        session = request.state.session
        sitting = await self._run_by(session, ref)
        if sitting is None:
            return self._no_sitting(session)
        unsent = [one for one in sitting.seats if one.notice == "not_sent" and not one.cancelled]
        if not unsent:
            text = "案内は、全員にメールで送ったか、これから送ります。"
            return notice(self.work, 409, "郵送する案内はありません", text, session)
        staff = await self._staff()
        known = pages.Known(self.work.profile, self.where, staff, {}, {})
        when, place = words.span(sitting.starts, sitting.ends), known.place(sitting.place, sitting.room, sitting.mode)
        made = [InvitationLetter(known.agency(one.agency), _name(staff.get(one.person)), when, place) for one in unsent]
        office, phone = self.work.profile.office, self.work.profile.office_phone
        today = words.era_date(self._today())
        return await self._made(
            session, partial(letters, made, office, phone, today), f"annai-{sitting.sitting.hex[:8]}"
        )

    async def _run_by(self, session: Session, ref: str) -> SittingView | None:
        """The sitting with its seats, for who runs it."""
        if (sitting := uuid_of(ref)) is None:
            return None
        room = await self.work.ask(LookAtRoom(sitting=sitting, **_viewer(session)))
        if not room.found or not room.may_run or room.starts is None or room.ends is None:
            return None
        listed = await self.work.ask(Sittings(starts=room.starts, ends=room.ends))
        return next((one for one in listed.sittings if one.sitting == sitting), None)

    def _no_sitting(self, session: Session) -> Response:
        return notice(self.work, 404, "該当する会議はありません", "今週の会議から選び直してください。", session)

    # -- 委嘱状、協力依頼書 ----------------------------------------------------------------------------------------

    async def commission(self, request: Request, ref: str) -> Response:
        """For staff of the 市町村, as the page it is pressed on."""
        session = request.state.session
        if refusal := commissions.refusal(self.work, request):
            return refusal
        found, staff = await asyncio.gather(self.work.ask(Commissions()), self._staff())
        one = next((one for one in found.commissions if one.commission == uuid_of(ref)), None)
        if one is None:
            return notice(self.work, 404, "該当する委嘱はありません", "委嘱の一覧から選び直してください。", session)
        if one.ended_at is not None or one.ends <= self.work.now():
            return self._refused(session, "この委嘱は終わっています。", "続けるときは、改めて委嘱してください。", "S6")
        name = _name(staff.get(one.person)) if one.person else ""
        paper = commission_paper(one, name, self.work.profile)
        return await self._file(session, [paper], "委嘱状", f"ishoku-{one.commission.hex[:8]}")

    async def cooperation(self, request: Request, ref: str, asked: str) -> Response:
        session = request.state.session
        case = (await Asking(self.work, session).trail(ref)).case
        if case is None or case.stopped:
            return case_not_found(self.work, session)
        own = await self.work.ask(Cooperations(case=case.case))
        one = next((one for one in own.requests if one.request == uuid_of(asked)), None)
        if one is None:
            return case_not_found(self.work, session)
        paper = cooperation_paper(one, self.work.profile)
        return await self._file(session, [paper], "協力依頼書", f"irai-{one.request.hex[:8]}")

    # -- 書類 ----------------------------------------------------------------------------------------------------

    async def form(
        self, request: Request, ref: str, paper: str, press: Press, version: Annotated[int | None, Form(ge=1)] = None
    ) -> Response:
        session = request.state.session
        found = await Asking(self.work, session).trail(ref)
        if found.fenced:
            return fenced(self.work, session)
        about = uuid_of(paper)
        if found.case is None or found.case.stopped or about is None:
            return case_not_found(self.work, session)
        case = found.case.case
        asked = PrintPaper(case=case, paper=about, request=press, version=version, **_viewer(session))
        staff = await self._staff()
        view = await self.work.ask(asked)
        if not view.found or view.head is None:
            return notice(self.work, 404, "その書類はありません", "書類の一覧から選び直してください。", session)
        if view.withheld:
            return self._refused(session, view.reason, view.next_step, view.rule)
        if view.erased:
            return self._refused(session, "この書類は消去されました。", "印刷できる内容はありません。", "S11")
        made = self._filled(view, view.head, case, staff, session)
        return await self._file(session, [form_paper(made)], made.title, f"shorui-{about.hex[:8]}-{view.head.version}")

    def _filled(
        self, view: PaperView, head: PaperHead, case: UUID, staff: Mapping[UUID, StaffView], session: Session
    ) -> FilledForm:
        profile = self.work.profile
        agencies = {one.code: one.name for one in profile.agencies}
        try:
            form = edition(known_forms(self.work.settings), head.form, head.edition)
        except NoSuchForm:
            form = None
        parts: tuple[Any, ...] = (("内容", tuple(sorted((name, str(one)) for name, one in view.values.items()))),)
        if form is not None:
            parts = tuple(
                (
                    one.title,
                    tuple(
                        (
                            box.field.label,
                            MASK if box.masked else text_of(box.field, view.values.get(box.field.id), agencies),
                        )
                        for box in one.boxes
                    ),
                )
                for one in sections(form, {}, agencies, masked=view.masked)
            )
        who = f"{agencies.get(head.agency, head.agency)} {_name(staff.get(head.by))}"
        return FilledForm(
            form.title if form else head.form,
            f"事案 {case.hex[:8]}",
            f"第{head.version}版 {words.moment(head.at)} {who}",
            f"{profile.name} 第{head.edition}版",
            f"{words.era_date(self._today())}に {session.agency} {session.name} が印刷",
            secrecy_text(self._today()) if self.where is Compartment.SHIEN else "",
            parts,
        )

    # -- the file ------------------------------------------------------------------------------------------------

    async def _staff(self) -> dict[UUID, StaffView]:
        """Everybody. Raises AskFailed: a paper without names is not handed out."""
        return {one.person: one for one in (await self.work.ask(Staff())).staff}

    def _today(self) -> date:
        return words.day_in_japan(self.work.now())

    def _refused(self, session: Session, reason: str, next_step: str, rule: str) -> Response:
        text = f"{reason}{next_step}" + (f"({rule})" if rule else "")
        return notice(self.work, 409, "印刷できませんでした", text, session)

    async def _file(self, session: Session, copies: Sequence[Paper], title: str, name: str) -> Response:
        return await self._made(session, partial(papers, copies, title), name)

    async def _made(self, session: Session, make: Any, name: str) -> Response:
        """Set in a thread of its own: cutting a font takes half a second, in which others are to be answered."""
        try:
            file = await asyncio.to_thread(make)
        except GlyphMissing as missing:
            return notice(self.work, 409, "印刷できませんでした", NO_GLYPH.format(codes=missing), session)
        # Shown and not saved where the browser can: a file in a folder for downloads is a copy nobody counts (S11).
        return Response(
            file, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'}
        )


def _viewer(session: Session) -> dict[str, Any]:
    return {"viewer": session.person, "viewer_agency": session.code or None}


def _name(one: StaffView | None) -> str:
    return one.name if one else "(氏名を確認できません)"
