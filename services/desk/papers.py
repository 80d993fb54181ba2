"""「書類」: the filled forms of a case, listed, filled in, read, printed; and the step that one makes (T2, C12)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.coordination import CaseView
from contracts.form_editions import NoSuchForm, edition, in_force
from contracts.forms import Form
from contracts.intake import Particulars
from contracts.life import STEP_TEXT, LookAtLife, TakeStep
from contracts.message import Compartment
from contracts.papers import (
    LookAtPapers,
    PaperFault,
    PaperHead,
    PaperSaved,
    PaperView,
    ReadPaper,
    SavePaper,
    SetConcealment,
    carried,
    concealed_fields,
    fits,
)
from contracts.policy import Category
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.paper_fields import Change, Typed, as_typed, sections, text_of, three_ways, typed
from services.desk.prefill import CannotRest, Sources, act_of, known_answers, step_of
from services.desk.sessions import Session
from services.forms import known_forms
from services.service import Work

NOTHING: Particulars = Particulars(found=False)
PATH = "/cases/{ref}/papers"


class Elsewhere(Exception):
    """The answer to this request is another page: the case is not to be seen, or the paper is not there."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True)
class Filling:
    """A form as somebody fills it in: a new paper, or the next version of one."""

    form: Form
    values: Typed
    paper: UUID | None = None
    after: int = 0
    tax: bool = False
    request: str = field(default_factory=lambda: str(uuid4()))
    masked: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    """Answers of an older edition that have no place in this one: label and text."""
    older: str = ""
    """The edition they come from."""
    faults: tuple[PaperFault, ...] = ()
    changes: tuple[Change, ...] = ()
    refusal: str = ""
    more: str = ""


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The pages of a case's papers. Who may not see the case finds nothing here."""
    room = _Room(work)
    reading: dict[str, Callable[..., Any]] = {
        PATH: room.index,
        f"{PATH}/new/{{form}}": room.new,
        f"{PATH}/{{paper}}": room.show,
    }
    reading |= {f"{PATH}/{{paper}}/edit": room.edit, f"{PATH}/{{paper}}/print": room.print}
    for path, act in reading.items():
        inside.add_api_route(path, act, methods=["GET"], response_model=None)
    forms.add_api_route(PATH, room.save, methods=["POST"], response_model=None)
    forms.add_api_route(f"{PATH}/conceal", room.conceal, methods=["POST"], response_model=None)
    forms.add_api_route(f"{PATH}/{{paper}}/step", room.step, methods=["POST"], response_model=None)


class _Room:
    def __init__(self, work: Work) -> None:
        self.work, self.where = work, work.compartment or Compartment.JUSO

    # -- reading -------------------------------------------------------------------------------------------------

    async def index(self, request: Request, ref: str) -> Response:
        return await self._index(request, ref)

    async def show(self, request: Request, ref: str, paper: str, version: str = "") -> Response:
        return await self._read(request, ref, paper, version, "paper.html")

    async def print(self, request: Request, ref: str, paper: str, version: str = "") -> Response:
        return await self._read(request, ref, paper, version, "paper_print.html")

    async def _index(self, request: Request, ref: str, status: int = 200, refusal: str = "") -> Response:
        try:
            case, known = await self._case(request, ref)
        except Elsewhere as other:
            return other.answer
        session = request.state.session
        found = await self.work.ask(LookAtPapers(case=case.case, **_viewer(session)))
        if not found.found:
            return case_not_found(self.work, session)
        return page(
            self.work,
            "papers.html",
            status,
            session=session,
            line=pages.case_line(case, known),
            papers=[self._line(one, known) for one in found.papers],
            forms=[] if found.erased else self._fillable(),
            erased=found.erased,
            concealment=found.concealment,
            in_shien=self.where is Compartment.SHIEN,
            open_to=[known.agency(code) for code in found.concealment.agencies],
            request=str(uuid4()),
            refusal=refusal,
        )

    async def _read(self, request: Request, ref: str, paper: str, version: str, template: str) -> Response:
        try:
            case, known = await self._case(request, ref)
            view, head = await self._paper(request, case, paper, version)
        except Elsewhere as other:
            return other.answer
        form = self._edition(head)
        step = None if view.withheld or view.erased else step_of(head)
        return page(
            self.work,
            template,
            session=request.state.session,
            line=pages.case_line(case, known),
            head=self._line(head, known),
            form=form,
            newest=head.version == view.versions[-1].version,
            versions=[self._line(one, known) for one in reversed(view.versions)],
            view=view,
            reason=f"{view.reason}{view.next_step}",
            sections=sections(form, {}, self._agencies(), masked=view.masked) if form else (),
            raw=[] if form else sorted((name, str(value)) for name, value in view.values.items()),
            text=lambda box: text_of(box.field, view.values.get(box.field.id), self._agencies()),
            step=STEP_TEXT[step] if step else "",
            request=str(uuid4()),
            print_request=str(uuid4()),
            printed=words.moment(self.work.now()),
            refusal="",
        )

    # -- filling in ----------------------------------------------------------------------------------------------

    async def new(self, request: Request, ref: str, form: str) -> Response:
        try:
            case, known = await self._case(request, ref)
            asked = self._form_today(request, form)
        except Elsewhere as other:
            return other.answer
        session = request.state.session
        asking = Asking(self.work, session)
        look = LookAtLife(case=case.case, **_viewer(session))
        life, details = await asyncio.gather(asking.or_none(look), asking.details(case.case))
        client = (known.clients or {}).get(case.case, NOTHING)
        sources = Sources(self.work.profile, self.where, case, client, life, session, self._today(), details)
        hidden = await self._hidden(request, case, asked)
        known_already = {name: said for name, said in known_answers(asked, sources).items() if name not in hidden}
        filling = Filling(asked, as_typed(asked, known_already), masked=hidden)
        return self._form(request, case, known, filling)

    async def edit(self, request: Request, ref: str, paper: str) -> Response:
        try:
            case, known = await self._case(request, ref)
            view, head = await self._paper(request, case, paper, "")
            asked = self._form_today(request, head.form)
        except Elsewhere as other:
            return other.answer
        if view.withheld or view.erased:
            return RedirectResponse(f"/cases/{case.case}/papers/{head.paper}", 303)
        filling = replace(self._continued(asked, head, view), masked=await self._hidden(request, case, asked))
        return self._form(request, case, known, filling)

    async def save(self, request: Request, ref: str) -> Response:
        said = await request.form()
        try:
            case, known = await self._case(request, ref)
            form = self._form_said(request, said)
        except Elsewhere as other:
            return other.answer
        mine = typed(form, said)
        filling = Filling(
            form,
            mine,
            paper=_uuid(_text(said, "paper")),
            after=int(after) if (after := _text(said, "after")).isdecimal() and len(after) < 9 else 0,
            tax=bool(_text(said, "tax")),
            request=_text(said, "request"),
        )
        filling = replace(filling, masked=await self._hidden(request, case, form))
        if more := _text(said, "more"):
            return self._form(request, case, known, replace(filling, more=more))
        try:
            asked = SavePaper(
                case=case.case,
                request=filling.request,
                form=form.id,
                edition=form.edition,
                paper=filling.paper,
                after=filling.after,
                values=mine,
                tax=filling.tax,
                **_viewer(request.state.session),
            )
        except ValidationError:
            text = "画面の内容を読み取れません。書類の画面からやり直してください。"
            return self._form(request, case, known, replace(filling, refusal=text, request=str(uuid4())), 400)
        done = await self.work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{case.case}/papers/{done.paper}", 303)
        return await self._not_saved(request, case, known, filling, done)

    async def _not_saved(
        self, request: Request, case: CaseView, known: pages.Known, filling: Filling, done: PaperSaved
    ) -> Response:
        """The form again with all that was typed, and what is in the way: faults, a newer version, a newer edition."""
        again = replace(filling, request=str(uuid4()), faults=done.faults)
        if done.faults:
            text = f"{len(done.faults)}か所を直してください。まだ保存していません。"
            return self._form(request, case, known, replace(again, refusal=text), 400)
        text = f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")
        if done.edition:
            again = self._moved(again, done.edition)
        elif done.newer and filling.paper:
            again = await self._beside(request, case, again, done.newer)
        return self._form(request, case, known, replace(again, refusal=text), 409)

    def _moved(self, filling: Filling, name: str) -> Filling:
        """What was typed, in another edition of the form; what has no place there is shown beside it."""
        form = edition(self._forms(), filling.form.id, name)
        here, there = ({one.id: one for one in form.fields} for form in (filling.form, form))
        fits_there = {
            one
            for one in here
            if one in there and (here[one].type, here[one].codes) == (there[one].type, there[one].codes)
        }
        texts = ((here[one].label, text_of(here[one], filling.values.get(one), self._agencies())) for one in here)
        return replace(
            filling,
            form=form,
            values={name: value for name, value in filling.values.items() if name in fits_there},
            left=tuple(pair for one, pair in zip(here, texts, strict=True) if one not in fits_there and pair[1]),
            fresh=tuple(one for one in there if one not in here),
            older=filling.form.edition,
        )

    async def _beside(self, request: Request, case: CaseView, filling: Filling, newer: int) -> Filling:
        """What somebody else changed meanwhile, side by side; mine goes on from theirs."""
        if filling.paper is None:
            return filling
        base = await self._view(request, case, filling.paper, filling.after)
        latest = await self._view(request, case, filling.paper, newer)
        if base.head is None or latest.head is None or base.withheld or latest.withheld:
            return filling
        before, theirs = (self._continued(filling.form, one.head, one).values for one in (base, latest) if one.head)
        values, changes = three_ways(filling.form, before, theirs, filling.values, self._agencies())
        return replace(filling, values=values, changes=changes, after=newer)

    def _continued(self, asked: Form, head: PaperHead, view: PaperView) -> Filling:
        """The next version of a paper, with what an older edition carries over."""
        old, tax = self._edition(head), head.category is Category.TAX
        empty = Filling(asked, {}, head.paper, head.version, tax, older=head.edition)
        if old is None:
            return replace(empty, left=tuple((name, str(value)) for name, value in view.values.items()))
        found = carried(old, asked, view.values)
        return replace(
            empty,
            values=as_typed(asked, found.values),
            left=tuple((one.label, text_of(one, view.values[one.id], self._agencies())) for one in found.left),
            fresh=tuple(one.id for one in found.fresh),
            older="" if old is asked else head.edition,
        )

    def _form(
        self, request: Request, case: CaseView, known: pages.Known, filling: Filling, status: int = 200
    ) -> HTMLResponse:
        whole = [fault for fault in filling.faults if not fault.field]
        return page(
            self.work,
            "paper_form.html",
            status,
            session=request.state.session,
            line=pages.case_line(case, known),
            filling=filling,
            form=filling.form,
            whole=whole,
            sections=sections(
                filling.form,
                filling.values,
                self._agencies(),
                faults=filling.faults,
                masked=filling.masked,
                fresh=filling.fresh,
                more=filling.more,
            ),
        )

    # -- acts ----------------------------------------------------------------------------------------------------

    async def conceal(self, request: Request, ref: str) -> Response:
        said = await request.form()
        try:
            asked = SetConcealment(
                case=ref,
                request=_text(said, "request"),
                concealed=bool(_text(said, "concealed")),
                agencies=[one for one in said.getlist("agencies") if isinstance(one, str)],
                **_viewer(request.state.session),
            )
        except ValidationError:
            return case_not_found(self.work, request.state.session)
        done = await self.work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{asked.case}/papers", 303)
        return await self._index(request, ref, 409, f"{done.reason}{done.next_step}({done.rule})")

    async def step(self, request: Request, ref: str, paper: str) -> Response:
        """Take the step of the life that this very version makes."""
        said, session = await request.form(), request.state.session
        try:
            case, _ = await self._case(request, ref)
            view, head = await self._paper(request, case, paper, _text(said, "version"))
        except Elsewhere as other:
            return other.answer
        title = found.title if (found := self._edition(head)) else head.form
        life = await self.work.ask(LookAtLife(case=case.case, **_viewer(session)))
        try:
            asked = TakeStep(
                case=case.case,
                request=_text(said, "request"),
                after=len(life.history),
                act=act_of(view, title, self._today(), self.work.profile),
                **_viewer(session),
            )
        except CannotRest as missing:
            return notice(self.work, 409, "まだ記録できません", str(missing), session)
        except ValidationError:
            text = "書類の画面を読み直して、もう一度押してください。"
            return notice(self.work, 400, "受け付けられませんでした", text, session)
        done = await self.work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{case.case}/life", 303)
        text = f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")
        return notice(self.work, 409, "まだ記録できません", text, session)

    # -- what is asked -------------------------------------------------------------------------------------------

    async def _case(self, request: Request, ref: str) -> tuple[CaseView, pages.Known]:
        """The case and what is known of it. Raises Elsewhere for who may not see it."""
        session = request.state.session
        asking = Asking(self.work, session)
        found = await asking.trail(ref)
        if found.fenced:
            raise Elsewhere(fenced(self.work, session))
        if found.case is None or found.case.stopped:
            raise Elsewhere(case_not_found(self.work, session))
        staff, clients = await asking.staff(), await asking.clients([found.case.case], found.client)
        known = pages.Known(self.work.profile, self.where, staff, {found.case.case: found.case}, clients)
        return found.case, known

    async def _paper(self, request: Request, case: CaseView, ref: str, version: str) -> tuple[PaperView, PaperHead]:
        """A version of a paper of this case. Raises Elsewhere."""
        paper, number = _uuid(ref), int(version) if version.isdecimal() and 0 < len(version) < 9 else None
        view = await self._view(request, case, paper, number or None) if paper else PaperView(found=False)
        if view.head is None or (version and number is None):
            text = "書類の一覧から選び直してください。"
            raise Elsewhere(notice(self.work, 404, "その書類はありません", text, request.state.session))
        return view, view.head

    async def _view(self, request: Request, case: CaseView, paper: UUID, version: int | None) -> PaperView:
        asked = ReadPaper(case=case.case, paper=paper, version=version, **_viewer(request.state.session))
        return await self.work.ask(asked)

    async def _hidden(self, request: Request, case: CaseView, form: Form) -> tuple[str, ...]:
        """The fields that this viewer neither reads nor fills in, because they tell where somebody is (S18)."""
        found = await self.work.ask(LookAtPapers(case=case.case, **_viewer(request.state.session)))
        if found.concealment.open_to_viewer:
            return ()
        hidden = concealed_fields(self._forms(), form.id)
        return tuple(one.id for one in form.fields if one.id in hidden)

    # -- forms ---------------------------------------------------------------------------------------------------

    def _forms(self) -> tuple[Form, ...]:
        return known_forms(self.work.settings)

    def _today(self) -> date:
        return words.day_in_japan(self.work.now())

    def _fillable(self) -> list[Form]:
        """The forms that a case of this compartment fills in today."""
        found = []
        for name in dict.fromkeys(one.id for one in self._forms()):
            try:
                form = in_force(self._forms(), name, self._today())
            except NoSuchForm:
                continue
            found += [form] if fits(form, self.where) else []
        return found

    def _form_today(self, request: Request, name: str) -> Form:
        """Raises Elsewhere."""
        found = next((one for one in self._fillable() if one.id == name), None)
        if found is None:
            text = "この会議の事案では使えない様式です。書類の画面から選び直してください(C12)。"
            raise Elsewhere(notice(self.work, 404, "その様式はありません", text, request.state.session))
        return found

    def _form_said(self, request: Request, said: FormData) -> Form:
        """The edition that the posted page was made from. Raises Elsewhere."""
        try:
            return edition(self._forms(), _text(said, "form"), _text(said, "edition"))
        except NoSuchForm:
            return self._form_today(request, _text(said, "form"))

    def _edition(self, head: PaperHead) -> Form | None:
        try:
            return edition(self._forms(), head.form, head.edition)
        except NoSuchForm:
            return None

    def _agencies(self) -> Mapping[str, str]:
        return {one.code: one.name for one in self.work.profile.agencies}

    def _line(self, head: PaperHead, known: pages.Known) -> dict[str, Any]:
        """A version as lists name it."""
        form, person = self._edition(head), (known.staff or {}).get(head.by)
        return {
            "paper": head.paper,
            "version": head.version,
            "title": form.title if form else head.form,
            "edition": head.edition,
            "tax": head.category is Category.TAX,
            "who": f"{known.agency(head.agency)} {person.name if person else '氏名を確認できません'}",
            "when": words.moment(head.at),
        }


def _viewer(session: Session) -> dict[str, Any]:
    return {"viewer": session.person, "viewer_agency": session.code or None}


def _text(said: FormData, name: str) -> str:
    value = said.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
