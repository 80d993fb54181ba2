"""「進み具合」: where a case stands, what the law wants next, and the forms of the steps that are open (T1-D11)."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.coordination import CaseView
from contracts.directory import StaffView
from contracts.intake import LookAtStop
from contracts.life import (
    CONTACT_TEXT,
    OUTCOME_TEXT,
    SERVICE_TEXT,
    STATE_TEXT,
    STEP_TEXT,
    Act,
    Answered,
    Due,
    DueList,
    LifeView,
    LookAtLife,
    Outcome,
    Plan,
    Step,
    Taken,
    TakeStep,
    Way,
)
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import OF_THE_LAW, PURPOSE_TEXT
from contracts.review_months import REVIEW_MONTHS
from contracts.triage import WAY_TEXT
from contracts.triage import Way as TriageWay
from services.desk import grounds, pages, words
from services.desk.asking import Asking
from services.desk.flaws import flaw_text
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.plan_differences import differences
from services.desk.sessions import Session
from services.desk.step_forms import LABELS, Typed, act_of, text_of, uuid_of
from services.service import Work

ROLES = 8
"""Lines for roles in the form of a new plan; a longer plan has some more than it needs."""
FOLLOW_UP_TEXT = {"none": "なし", "phone": "電話", "visit": "訪問", "meeting": "会議"}
NO_PURPOSE = "会議の目的が選ばれていません。気になる事案の情報共有などから選んでください(S10)。"
ENDED_TEXT = {"died": "死亡", "moved": "転出"}
FIELDS: dict[Step, tuple[str, ...]] = {
    Step.ASSESS: ("words", "no_paper"),
    Step.START_EARLY: ("services", "words"),
    Step.RECORD_FIRST: ("not_heard", "present", "minutes", "words"),
    Step.DRAFT: ("plan", "words"),
    Step.AMEND: ("plan",),
    Step.BRING: ("purpose", "urgent"),
    Step.EVALUATE: ("words", "no_paper"),
    Step.BRING_CLOSING: ("urgent",),
    Step.BRING_SUSPENSION: ("urgent",),
    Step.RECORD_RESULT: ("outcome", "present", "minutes", "words", "advise_on"),
    Step.DECIDE: ("decider", "drafted_on", "decided", "notified_on", "words"),
    Step.REPORT: ("reported_to", "words"),
    Step.NOTIFY: (),
    Step.MONITOR: ("words", "review_on"),
    Step.CONTACT: ("contact", "reached", "words"),
    Step.TALK: ("words",),
    Step.CLOSE: ("lead", "follow_up", "next_on", "words"),
    Step.SUSPEND: ("next_on", "words"),
    Step.FOLLOW_UP: ("words", "next_if_any"),
    Step.GIVE_BACK: ("counterpart", "words"),
    Step.HAND_OVER: ("counterpart", "words"),
    Step.END: ("ended", "words"),
    Step.STOP: (),
    Step.MOVE_ON: ("consent_on", "evidence", "words"),
    Step.RECEIVE: (),
}
"""What a step's form asks besides its day; reasons only where a step is not listed."""
BARE_FIELDS: dict[Step, tuple[str, ...]] = {Step.END: ("ended",)}
"""What such a form asks of a case that nobody may see: codes and days only (C11)."""
DAY_TEXT = {
    Step.RECORD_FIRST: "会議の日",
    Step.RECORD_RESULT: "会議の日",
    Step.DECIDE: "決裁日",
    Step.REPORT: "報告した日",
    Step.TALK: "面談・同行の日",
    Step.NOTIFY: "通知した日",
    Step.END: "死亡・転出の日",
    Step.RECEIVE: "つなぎを受け付けた日",
}
"""What the day of a step is called where 「行った日」 would not say it."""


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
    day: str


@dataclass(frozen=True)
class HistoryLine:
    """An act as people read it."""

    day: str
    title: str
    state: str
    who: str
    details: tuple[tuple[str, str], ...]
    words: str
    paper: str = ""
    """Where the version of the paper stands that the step rests on, below the case's own pages."""


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, why, and what others did meanwhile."""

    said: FormData
    text: str
    since: tuple[Taken, ...] = ()
    act: Act | None = None
    """What the form said, where it could be read."""

    @property
    def on(self) -> date | None:
        """The day that it named."""
        return self.act.on if self.act else None


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of a case's life, and the form of each step. Who may not see the case finds nothing here."""

    @inside.get("/cases/{ref}/life", response_model=None)
    async def show(request: Request, ref: str) -> Response:
        return await _page(work, request.state.session, ref)

    @forms.post("/cases/{ref}/life", response_model=None)
    async def take(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        if (case := uuid_of(ref)) is None:
            return case_not_found(work, session)
        try:
            asked = TakeStep(
                case=case,
                request=text_of(said, "request"),
                after=text_of(said, "after"),
                act=act_of(said),
                viewer=session.person,
                viewer_agency=session.code or None,
            )
        except ValidationError as error:
            return await _page(work, session, ref, 400, Refused(said, flaw_text(error, LABELS)))
        if work.compartment is Compartment.SHIEN and asked.act.step is Step.BRING and asked.act.purpose is None:
            return await _page(work, session, ref, 400, Refused(said, NO_PURPOSE))
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{case}/life", 303)
        text = f"{done.reason}{done.next_step}" + (f"({done.rule})" if done.rule else "")
        return await _page(work, session, ref, 409, Refused(said, text, done.since, asked.act))


# -- the page ----------------------------------------------------------------------------------------------------------


async def _page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: "Refused | None" = None
) -> HTMLResponse:
    asking = Asking(work, session)
    found = await asking.trail(ref)
    if found.fenced:
        return fenced(work, session)
    if found.case is None:
        return case_not_found(work, session)
    if found.case.stopped:
        return await stopped(asking, found.case, refusal, status)
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
        differences=differences(refusal.since, refusal.act.plan, known) if refusal and refusal.act else [],
        typed=Typed(refusal.said) if refusal else Typed(FormData()),
        **shown(life, known, words.day_in_japan(work.now()), refusal.on if refusal else None),
    )


async def stopped(asking: Asking, case: CaseView, refusal: "Refused | None" = None, status: int = 200) -> HTMLResponse:
    """For whoever has to follow up a consent that ended: how far the stop has come, and what can still be ended (C11).

    Nothing of the case is shown but where it stands, in codes and days, and no form takes a text.
    """
    work, session = asking.work, asking.session
    look = LookAtLife(case=case.case, viewer=session.person, viewer_agency=session.code or None)
    stop, life = await asyncio.gather(asking.or_none(LookAtStop(case=case.case)), asking.or_none(look))
    known = pages.Known(work.profile, Compartment.JUSO, {}, {}, {})
    return page(
        work,
        "stopped.html",
        status,
        session=session,
        line=pages.case_line(case, known),
        stop=grounds.stop(stop) if stop else None,
        refusal=refusal.text if refusal else "",
        typed=Typed(refusal.said if refusal else FormData()),
        **bare(life, words.day_in_japan(work.now())),
    )


def bare(life: LifeView | None, today: date) -> dict[str, Any]:
    """What the page of a stopped case needs of its life; nothing of it where nobody could say, or may not."""
    if life is None or not life.stopped:
        return {"life": None}
    ways = [replace(way_line(way), fields=BARE_FIELDS.get(way.step, ())) for way in life.ways]
    return {
        "life": life,
        "state": STATE_TEXT[life.state],
        "since": words.full_day(life.since) if life.since else "",
        "due": due_lines(life.due),
        "ways": ways,
        "choices": {"ended": ENDED_TEXT},
        "today": today.isoformat(),
    }


def shown(life: LifeView, known: pages.Known, today: date, said_on: date | None = None) -> dict[str, Any]:
    """What the template needs of a life; ``said_on``: the day that a refused form named."""
    here = [one for one in known.profile.agencies if one.until is None or (said_on or today) <= one.until]
    return {
        "state": STATE_TEXT[life.state],
        "due": due_lines(life.due),
        "ways": [way_line(way) for way in life.ways],
        "history": [history_line(one, known) for one in reversed(life.history)],
        "after": life.acts,
        "plan": life.plan or Plan(),
        "sitting": words.moment(life.sitting) if life.sitting else "",
        "today": today.isoformat(),
        "lines": range(max(ROLES, len(life.plan.roles) + 3 if life.plan else 0)),
        "agencies": [one for one in here if one.code not in life.outside],
        "city": [one for one in here if one.kind == "municipality"],
        "here": here,
        "deciders": deciders(known, said_on or today),
        "foretold": foretold(life, known.profile),
        "decided": [(code.value, SERVICE_TEXT[code]) for code in life.decided_services],
        "choices": {
            "outcome": outcomes(known.profile),
            "contact": CONTACT_TEXT,
            "follow_up": {code: text for code, text in FOLLOW_UP_TEXT.items() if code != "none"},
            "purpose": {code.value: PURPOSE_TEXT[code] for code in OF_THE_LAW},
            "ended": ENDED_TEXT,
            "services": SERVICE_TEXT,
            "review": REVIEW_MONTHS,
        },
        "early_since": words.full_day(life.early_since) if life.early_since else "",
        "heard": life.heard,
        "answers": [answer_line(one, known) for one in life.answers],
    }


def foretold(life: LifeView, profile: Profile) -> dict[str, str]:
    """By step, what it does to the sittings, told before it is taken: which one it leaves, which it comes to (M1)."""
    when = words.moment(life.waits_for) if life.waits_for else ""
    own = f"急ぎの事案なので、{profile.urgent_within_days}日以内に随時の会議を探します。"
    regular = "次の定例の、空きのある開催回に入ります。待てないときは「急ぎ」を付けてください。"
    again = own if life.urgent else "改めて付議すると、次の定例の、空きのある開催回になります。"
    leaves = f"{when}の会議から外れ、その会議の案内が取り消されることがあります。" if when else ""
    joins = (
        f"いま入っている会議は{when}です。役割のある機関がそこに呼ばれていれば、そのまま協議します。" if when else ""
    )
    anew = f"「急ぎ」を付けるか、ほかの機関を呼ぶときは、{leaves}" if when else ""
    bring = f"{joins}{anew}{'' if when and not life.urgent else own if life.urgent else regular}"
    return {
        Step.TAKE_BACK.value: f"{leaves}{'改めて付議すると、' if life.urgent else ''}{again}",
        Step.BRING.value: bring,
        Step.BRING_SUSPENSION.value: own if life.urgent else regular,
        Step.BRING_CLOSING.value: regular,
    }


def outcomes(profile: Profile) -> dict[Outcome, str]:
    """The results a meeting of this city can have: only some have a body to raise a case to (M10)."""
    raises = any(body.escalates_to for body in profile.bodies)
    return {one: text for one, text in OUTCOME_TEXT.items() if raises or one is not Outcome.RAISE}


def deciders(known: pages.Known, day: date) -> list[tuple[str, str]]:
    """Who may decide for the 市町村 on a day, each post of each person: what the form sends, how it reads (D2)."""
    city = {one.code for one in known.profile.agencies if one.kind == "municipality"}
    people = [one for one in (known.staff or {}).values() if one.agency in city and _in_post(one, day)]
    return [(f"{one.person}/{post}", f"{one.name}({words.post(post)})") for one in people for post in one.posts]


def _in_post(one: StaffView, day: date) -> bool:
    return (one.since or date.min) <= day <= (one.until or date.max)


def due_lines(due: Iterable[Due]) -> list[tuple[str, str, bool]]:
    """What is due, until when, and whether that day is over; a day that no law and no plan names is called 目安."""
    return [
        (
            f"{one.text}({one.rule})"
            + (f"。会議は{words.full_day(one.sitting)}で、この期限の後です" if one.sitting else "")
            + (f"。{one.next_step}" if one.next_step else ""),
            f"{words.full_day(one.on)}まで" + ("(目安)" if one.guessed else ""),
            one.late,
        )
        for one in due
    ]


def answer_line(one: Answered, known: pages.Known) -> str:
    """What the 紹介元 was answered, when and by whom (T9)."""
    person = (known.staff or {}).get(one.by)
    who = person.name if person else "氏名を確認できません"
    return f"{words.full_day(one.answered_on)} {WAY_TEXT[TriageWay(one.way)]}({known.agency(one.agency)} {who})"


def lapsing(found: DueList, known: pages.Known) -> list[tuple[str, str]]:
    """The 委嘱 that lapse soon, each with its last day (S6)."""
    return [(known.agency(one.agency), words.full_day(one.ends_on)) for one in found.commissions]


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
        DAY_TEXT.get(way.step, "行った日"),
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
        ("会議録", act.minutes),
        ("本人が同意した日", words.full_day(act.consent_on) if act.consent_on else ""),
        ("同意の確かめ方", act.evidence),
        ("シートがない理由", act.no_paper),
        ("決裁者", _decider(act, known)),
        ("起案日", words.full_day(act.drafted_on) if act.drafted_on else ""),
        ("通知日", words.full_day(act.notified_on) if act.notified_on else ""),
        ("事業", "、".join(SERVICE_TEXT[code] for code in act.services)),
        ("ほかの支援の確認", "同じ会議で確認した" if act.rest_confirmed else ""),
        ("書類", f"第{act.paper.version}版" if act.paper else ""),
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
        f"papers/{act.paper.paper}?version={act.paper.version}" if act.paper else "",
    )


def _decider(act: Act, known: pages.Known) -> str:
    person = (known.staff or {}).get(act.decider) if act.decider else None
    return (
        f"{person.name if person else '氏名を確認できません'}({words.post(act.decider_post or '')})"
        if act.decider
        else ""
    )
