"""「進み具合」: where a case stands, what the law wants next, and the forms of the steps that are open (T1-D11)."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.life import (
    CONTACT_TEXT,
    OUTCOME_TEXT,
    SERVICE_TEXT,
    STATE_TEXT,
    STEP_TEXT,
    Act,
    Due,
    DueList,
    LifeView,
    LookAtLife,
    Plan,
    Step,
    Taken,
    TakeStep,
    Way,
)
from contracts.message import Compartment
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.sessions import Session
from services.service import Work

ROLES = 8
"""Lines for roles in the form of a plan; agencies that need more write a second version."""
MOST_PRESSING = 10
FOLLOW_UP_TEXT = {"none": "なし", "phone": "電話", "visit": "訪問", "meeting": "会議"}
ENDED_TEXT = {"died": "死亡", "moved": "転出"}
FIELDS: dict[Step, tuple[str, ...]] = {
    Step.DRAFT: ("plan",),
    Step.AMEND: ("plan",),
    Step.BRING: ("urgent",),
    Step.BRING_CLOSING: ("urgent",),
    Step.BRING_SUSPENSION: ("urgent",),
    Step.RECORD_RESULT: ("outcome", "present", "words"),
    Step.MONITOR: ("words", "next_on"),
    Step.CONTACT: ("contact", "reached", "words"),
    Step.CLOSE: ("lead", "follow_up", "words"),
    Step.GIVE_BACK: ("counterpart", "words"),
    Step.END: ("ended", "words"),
}
"""What a step's form asks besides its day; reasons only where a step is not listed."""


@dataclass(frozen=True)
class WayLine:
    """A step with its form, or why it is not open."""

    step: str
    title: str
    allowed: bool
    rule: str
    reason: str
    next_step: str
    fields: tuple[str, ...]
    request: str


@dataclass(frozen=True)
class HistoryLine:
    """An act as people read it."""

    day: str
    title: str
    state: str
    who: str
    details: tuple[tuple[str, str], ...]
    words: str


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, why, and what others did meanwhile."""

    said: FormData
    text: str
    since: tuple[Taken, ...] = ()


class Typed:
    """What somebody typed into a form that was refused, so that it is not lost."""

    def __init__(self, said: FormData) -> None:
        self.step, self._said = _text(said, "step"), said

    def text(self, name: str) -> str:
        """One field."""
        return _text(self._said, name)

    def many(self, name: str) -> list[str]:
        """A field of several boxes."""
        return [one for one in self._said.getlist(name) if isinstance(one, str)]


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of a case's life, and the form of each step. Who may not see the case finds nothing here."""

    @inside.get("/cases/{ref}/life", response_model=None)
    async def show(request: Request, ref: str) -> Response:
        return await _page(work, request.state.session, ref)

    @forms.post("/cases/{ref}/life", response_model=None)
    async def take(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := _uuid(ref)) is None:
            return case_not_found(work, session)
        try:
            asked = TakeStep(
                case=case,
                request=_text(said, "request"),
                after=_text(said, "after"),
                act=act_of(said),
                viewer=session.person,
                viewer_agency=session.code or None,
            )
        except ValidationError as error:
            return await _page(work, session, ref, 400, Refused(said, flaw_text(error)))
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{case}/life", 303)
        text = f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")
        return await _page(work, session, ref, 409, Refused(said, text, done.since))


def act_of(said: FormData) -> Act:
    """The act that a form says. Raises ValidationError."""
    given: dict[str, Any] = {name: value for name in _PLAIN if (value := _text(said, name))}
    given |= {"present": said.getlist("present")}
    given |= {name: bool(_text(said, name)) for name in ("urgent", "reached")}
    if _text(said, "step") in (Step.DRAFT, Step.AMEND):
        given["plan"] = _plan(said)
    return Act.model_validate(given)


_PLAIN = ("step", "on", "words", "outcome", "contact", "lead", "follow_up", "next_on", "ended", "counterpart")
_LABELS = {
    "on": "日付",
    "words": "内容・理由",
    "outcome": "結果",
    "present": "出席した機関",
    "contact": "連絡の方法",
    "lead": "主担当機関",
    "follow_up": "フォローアップの方法",
    "next_on": "次の予定日",
    "ended": "死亡・転出の別",
    "counterpart": "協議した相手の機関",
    "until": "役割の期限",
    "monitor_on": "モニタリングの予定日",
    "services": "法に基づく事業",
    "goals": "目標",
    "policy": "支援方針・内容",
    "step": "手順",
}


def _plan(said: FormData) -> dict[str, Any]:
    roles = [
        {"agency": agency, "until": _text(said, f"until_{n}"), "does": _text(said, f"does_{n}")}
        for n in range(ROLES)
        if (agency := _text(said, f"role_{n}"))
    ]
    return {
        "goals": _text(said, "goals"),
        "policy": _text(said, "policy"),
        "roles": roles,
        "services": list(dict.fromkeys(said.getlist("services"))),
        "other_support": bool(_text(said, "other_support")),
        "monitor_on": _text(said, "monitor_on") or None,
    }


def _text(said: FormData, name: str) -> str:
    value = said.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def flaw_text(error: ValidationError) -> str:
    """Which fields are wrong, by label; never what was typed in."""
    found = {str(one) for fault in error.errors(include_input=False) for one in fault["loc"]}
    labels = [label for name, label in _LABELS.items() if name in found]
    return f"{'、'.join(labels) or '入力'}の形が正しくありません。確かめて、もう一度入れてください。"


# -- the page ----------------------------------------------------------------------------------------------------------


async def _page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: "Refused | None" = None
) -> HTMLResponse:
    asking = Asking(work, session)
    found = await asking.trail(ref)
    if found.fenced:
        return fenced(work, session)
    if found.case is None or found.case.stopped:
        return case_not_found(work, session)
    case = found.case.case
    look = LookAtLife(case=case, viewer=session.person, viewer_agency=session.code or None)
    life, staff, clients = await asyncio.gather(work.ask(look), asking.staff(), asking.clients([case], found.client))
    if not life.found:
        return notice(work, 503, "ただいま確認できません", "少し待って読み直してください。", session)
    where = work.compartment or Compartment.JUSO
    known = pages.Known(work.profile, where, staff, {case: found.case}, clients)
    return page(
        work,
        "life.html",
        status,
        session=session,
        line=pages.case_line(found.case, known),
        refusal=refusal.text if refusal else "",
        since=[history_line(one, known) for one in refusal.since] if refusal else [],
        typed=Typed(refusal.said) if refusal else Typed(FormData()),
        **shown(life, known, words.day_in_japan(work.now())),
    )


def shown(life: LifeView, known: pages.Known, today: date) -> dict[str, Any]:
    """What the template needs of a life."""
    return {
        "state": STATE_TEXT[life.state],
        "due": due_lines(life.due),
        "ways": [way_line(way) for way in life.ways],
        "history": [history_line(one, known) for one in reversed(life.history)],
        "after": len(life.history),
        "plan": life.plan or Plan(),
        "sitting": words.moment(life.sitting) if life.sitting else "",
        "today": today.isoformat(),
        "lines": range(ROLES),
        "choices": {
            "outcome": OUTCOME_TEXT,
            "contact": CONTACT_TEXT,
            "follow_up": FOLLOW_UP_TEXT,
            "ended": ENDED_TEXT,
            "services": SERVICE_TEXT,
        },
        "early_since": words.full_day(life.early_since) if life.early_since else "",
    }


def due_lines(due: Iterable[Due]) -> list[tuple[str, str, bool]]:
    """What is due, until when, and whether that day is over."""
    return [(f"{one.text}({one.rule})", f"{words.full_day(one.on)}まで", one.late) for one in due]


def way_line(way: Way) -> WayLine:
    """A step as the page offers it; its request's reference makes pressing the button twice one step."""
    return WayLine(
        way.step.value,
        STEP_TEXT[way.step],
        way.allowed,
        way.rule,
        way.reason,
        way.next_step,
        FIELDS.get(way.step, ("words",)),
        str(uuid4()),
    )


def history_line(one: Taken, known: pages.Known) -> HistoryLine:
    """An act with who did it, for which agency, on which form."""
    act, person = one.act, (known.staff or {}).get(one.by)
    name = person.name if person else "氏名を確認できません"
    details = [
        ("結果", OUTCOME_TEXT[act.outcome] if act.outcome else ""),
        ("出席", "、".join(known.agency(code) for code in act.present)),
        ("連絡", CONTACT_TEXT[act.contact] if act.contact else ""),
        ("つながったか", ("つながった" if act.reached else "つながらない") if act.contact else ""),
        ("主担当", known.agency(act.lead) if act.lead else ""),
        ("フォローアップ", FOLLOW_UP_TEXT[act.follow_up] if act.follow_up else ""),
        ("相手", known.agency(act.counterpart) if act.counterpart else ""),
        ("次の予定", words.full_day(act.next_on) if act.next_on else ""),
        ("事由", ENDED_TEXT[act.ended] if act.ended else ""),
        ("急ぎ", "随時の会議を求めた" if act.urgent else ""),
        ("様式", act.form),
    ]
    if act.plan:
        roles = (f"{known.agency(r.agency)} {words.full_day(r.until)}まで {r.does}" for r in act.plan.roles)
        details += [
            ("目標", act.plan.goals),
            ("支援方針", act.plan.policy),
            ("役割分担", " / ".join(roles)),
            ("法に基づく事業", "、".join(SERVICE_TEXT[code] for code in act.plan.services)),
            ("ほかの支援", "あり(同じ会議で確認)" if act.plan.other_support else ""),
            ("モニタリング", words.full_day(act.plan.monitor_on) if act.plan.monitor_on else ""),
        ]
    return HistoryLine(
        words.full_day(act.on),
        STEP_TEXT[act.step],
        STATE_TEXT[one.state],
        f"{known.agency(one.agency)} {name}",
        tuple(pair for pair in details if pair[1]),
        act.words,
    )


def pressing(found: DueList, known: pages.Known) -> list[tuple[pages.CaseLine, str, tuple[str, str, bool]]]:
    """The cases of which something is due soonest, with their state."""
    return [
        (pages.case_line(known.cases[one.case], known), STATE_TEXT[one.state], due_lines(one.due)[0])
        for one in found.cases
        if one.case in known.cases
    ][:MOST_PRESSING]
