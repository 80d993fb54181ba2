"""「日程」: the page on which the coordinator asks for times, proposes a date, and the power approves it (S12, S13)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from contracts.coordination import CaseView
from contracts.holding import MODE_REASON_TEXT
from contracts.message import Compartment, Question
from contracts.office import Done
from contracts.polls import CHOICE_TEXT, ClosePoll, NotePollAnswer, OpenPoll
from contracts.proposing import (
    IN_HAND_TEXT,
    RETURN_TEXT,
    STEAD_TEXT,
    DateOption,
    DatesView,
    DecideProposal,
    InHandList,
    ItemDates,
    KeepApart,
    LookAtDates,
    MoveDay,
    PollView,
    ProposalView,
    ProposeDate,
    SeatOffer,
    TakeRegular,
)
from contracts.regular import RegularChange
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.deliveries import poll_text
from services.desk.html import case_not_found, fenced, notice, page
from services.desk.sessions import Session
from services.desk.step_forms import text_of
from services.service import Work

STANDING_TEXT = {
    "open": "回答を待っています",
    "complete": "全員が答えました",
    "partial": "期限が過ぎました(答えていない人がいます)",
    "nobody": "期限が過ぎました(だれも答えていません)",
    "closed": "締め切りました",
}
STATE_TEXT = {
    "proposed": "承認待ち",
    "approved": "承認済み(日時を確保しています)",
    "done": "決まりました",
    "returned": "差し戻し",
    "void": "開けなくなりました",
}
MALFORMED = "入力の形が正しくありません。日時・期限・出席者を確かめて、もう一度選んでください。"


@dataclass(frozen=True)
class OptionLine:
    """A date to choose from, as people read it."""

    when: str
    code: str
    room: str
    why: str
    seats: tuple[tuple[str, str, str], ...]
    """(person, agency and name, need)."""
    empty: tuple[str, ...]
    answers: str
    """What the poll says of this line."""


@dataclass(frozen=True)
class AskedLine:
    """Somebody who is asked, with the answer that counts for each line."""

    person: UUID
    name: str
    mail: str
    choices: tuple[str, ...]
    typed: bool
    contradicts: bool
    history: tuple[str, ...]


@dataclass(frozen=True)
class PollCard:
    """A poll with its table of answers."""

    poll: UUID
    standing: str
    live: bool
    until: str
    lines: tuple[str, ...]
    asked: tuple[AskedLine, ...]


@dataclass(frozen=True)
class ProposalCard:
    """A proposed date and what became of it."""

    proposal: UUID
    state: str
    waits: bool
    when: str
    where: str
    seats: tuple[str, ...]
    why: str
    proposed: str
    decided: str
    note: str


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of a case's dates and its forms. Who may not arrange them finds nothing."""

    @inside.get("/cases/{ref}/dates", response_model=None)
    async def show(request: Request, ref: str) -> Response:
        return await _page(work, request.state.session, ref, lost_room=request.query_params.get("room") == "lost")

    @inside.get("/days", response_model=None)
    async def days(request: Request) -> Response:
        reasons = MODE_REASON_TEXT
        return page(work, "days.html", session=request.state.session, request_id=str(uuid4()), mode_reasons=reasons)

    @forms.post("/days", response_model=None)
    async def move(request: Request) -> Response:
        return await _move_day(work, request.state.session, await request.form())

    @forms.post("/cases/{ref}/dates", response_model=None)
    async def act(request: Request, ref: str) -> Response:
        session, said = request.state.session, await request.form()
        try:
            asked = question_of(said, session)
        except (ValidationError, ValueError):
            return await _page(work, session, ref, 400, MALFORMED)
        done = await work.ask(asked)
        if done.done:
            return RedirectResponse(f"/cases/{ref}/dates", 303)
        return await _page(work, session, ref, 409, done.sentence(""))


def question_of(said: FormData, session: Session) -> Question[Done]:
    """What a form of the page asks for. Raises ValidationError or ValueError, which repeat nothing of it."""
    who: dict[str, Any] = {"viewer": session.person, "viewer_agency": session.code or None}
    who["request"] = text_of(said, "request")
    match text_of(said, "do"):
        case "open_poll":
            starts = [datetime.fromisoformat(one) for one in said.getlist("start") if isinstance(one, str)]
            starts += [one for n in range(1, 4) if (one := _typed_time(said, f"more_{n}")) is not None]
            closes_at = _typed_time(said, "until")
            return OpenPoll.model_validate(
                who | {"item": text_of(said, "item"), "starts": list(dict.fromkeys(starts)), "closes_at": closes_at}
            )
        case "note":
            given = ((n, text_of(said, f"line_{n}")) for n in range(1, 13))
            answers = [{"position": n, "choice": choice} for n, choice in given if choice]
            facts = {"poll": text_of(said, "poll"), "person": text_of(said, "person"), "answers": answers}
            return NotePollAnswer.model_validate(who | facts)
        case "close_poll":
            return ClosePoll.model_validate(who | {"poll": text_of(said, "poll")})
        case "propose":
            who |= {"item": text_of(said, "item"), "starts": text_of(said, "start")}
            who |= {"persons": said.getlist("person"), "online": bool(text_of(said, "online"))}
            who["mode_reason"] = text_of(said, "mode_reason") or None
            who["lost_room"] = bool(text_of(said, "lost_room"))
            return ProposeDate.model_validate(who | {"instead_of": text_of(said, "instead_of") or None})
        case "regular":
            return TakeRegular.model_validate(who | {"item": text_of(said, "item")})
        case "apart" | "together" as way:
            who |= {"item": text_of(said, "item"), "persons": said.getlist("pair"), "apart": way == "apart"}
            return KeepApart.model_validate(who)
        case "approve" | "return" as way:
            returned = text_of(said, "reason") if way == "return" else None
            return DecideProposal.model_validate(who | {"proposal": text_of(said, "proposal"), "returned": returned})
    raise ValueError("no such form")


async def _move_day(work: Work, session: Session, said: FormData) -> Response:
    """A typhoon: every sitting of a day online, or in its room again."""
    try:
        asked = MoveDay.model_validate(
            {
                "day": text_of(said, "day"),
                "online": text_of(said, "online") != "0",
                "reason": text_of(said, "reason") or None,
                "request": text_of(said, "request"),
                "viewer": session.person,
                "viewer_agency": session.code or None,
            }
        )
    except ValidationError:
        return notice(
            work, 400, "切り替えられません", "日付は 2026-11-24 の形で、理由は一覧から選んでください。", session
        )
    done = await work.ask(asked)
    if not done.done:
        return notice(work, 409, "切り替えられません", done.sentence(""), session)
    if not done.sittings:
        return notice(
            work,
            200,
            "切り替える会議はありません",
            f"{words.full_day(asked.day)}に、まだ始まっていない会議はないか、すでに切り替わっています。",
            session,
        )
    return RedirectResponse(f"/week?start={asked.day.isoformat()}", 303)


def _typed_time(said: FormData, name: str) -> datetime | None:
    """A day and a time of day in Japan; None where nothing was typed in. Raises ValueError."""
    day, clock = text_of(said, f"{name}_day"), text_of(said, f"{name}_time")
    if not day and not clock:
        return None
    return datetime.combine(datetime.fromisoformat(day).date(), time.fromisoformat(clock), words.TOKYO)


# -- the page ----------------------------------------------------------------------------------------------------------


async def _page(
    work: Work, session: Session, ref: str, status: int = 200, refusal: str = "", *, lost_room: bool = False
) -> HTMLResponse:
    asking = Asking(work, session)
    trail = await asking.trail(ref)
    if trail.fenced:
        return fenced(work, session)
    if trail.case is None or trail.case.stopped:
        return case_not_found(work, session)
    case = trail.case
    who: dict[str, Any] = {"viewer": session.person, "viewer_agency": session.code or None}
    look = LookAtDates(case=case.case, lost_room=lost_room, **who)
    found, staff, clients = await asyncio.gather(
        work.ask(look), asking.staff(), asking.clients([case.case], trail.client)
    )
    where = work.compartment or Compartment.JUSO
    known = pages.Known(work.profile, where, staff, {case.case: case}, clients)
    today = words.day_in_japan(work.now())
    return page(
        work,
        "dates.html",
        status,
        session=session,
        refusal=refusal,
        line=pages.case_line(case, known),
        today=today.isoformat(),
        ref=lambda: str(uuid4()),
        choices=CHOICE_TEXT,
        reasons=RETURN_TEXT,
        mode_reasons=MODE_REASON_TEXT,
        found=found,
        lost_room=lost_room,
        **shown(found, known),
    )


def shown(found: DatesView, known: pages.Known) -> dict[str, Any]:
    """What the template needs of a case's dates."""
    return {"items": [_item(one, known) for one in found.items]}


def _item(one: ItemDates, known: pages.Known) -> dict[str, Any]:
    under_way = any(proposal.state in ("proposed", "approved") for proposal in one.proposals)
    asked = next((each for each in one.polls if each.standing != "closed"), None)
    return {
        "item": one.item,
        "why": one.why,
        "sitting": one.sitting,
        "broken": one.broken,
        "room": one.room,
        "apart": [(pair, " / ".join(_whose(person, known) for person in pair)) for pair in one.apart],
        "people": _people(one, known),
        "minutes": one.minutes,
        "lawful": one.lawful,
        "none_because": one.none_because,
        "relax": one.relax,
        "options": [option_line(option, asked, known) for option in one.options],
        "polls": [poll_card(each, known) for each in one.polls],
        "proposals": [proposal_card(each, known) for each in one.proposals],
        "regular": (known.body(one.regular.body), words.span(one.regular.starts, one.regular.ends), one.regular.why)
        if one.regular
        else None,
        "may_choose": not under_way,
        "may_ask": not under_way and asked is None,
    }


def _whose(person: UUID, known: pages.Known) -> str:
    found = (known.staff or {}).get(person)
    return f"{known.agency(found.agency)} {found.name}" if found else "氏名を確認できません"


def _people(one: ItemDates, known: pages.Known) -> list[tuple[str, str]]:
    """Whoever might sit there: (reference, agency and name)."""
    seats = (seat.person for option in one.options for seat in option.seats if seat.person)
    asked = (each.person for poll in one.polls for each in poll.asked)
    return [(str(person), _whose(person, known)) for person in dict.fromkeys([*seats, *asked])]


def _name(person: UUID | None, known: pages.Known) -> str:
    found = (known.staff or {}).get(person) if person else None
    return found.name if found else "氏名を確認できません"


def _seated(seat: SeatOffer, known: pages.Known) -> str:
    return f"{known.agency(seat.agency)} {_name(seat.person, known)}"


def option_line(option: DateOption, asked: PollView | None, known: pages.Known) -> OptionLine:
    """A date with who would sit there; and how those who answered would like it."""
    rooms: Mapping[str, str] = {one.code: one.name for one in known.profile.rooms}
    line = next((one.position for one in asked.lines if one.starts == option.starts), None) if asked else None
    last = {(one.person, one.position): one.choice for one in asked.said} if asked else {}
    said = [choice for (_, position), choice in last.items() if position == line]
    counts = "、".join(f"{text}{said.count(code)}" for code, text in CHOICE_TEXT.items() if code in said)
    return OptionLine(
        words.span(option.starts, option.ends),
        option.starts.isoformat(),
        rooms.get(option.room or "", ""),
        option.why,
        tuple(
            (str(seat.person), _seated(seat, known), words.NEED_TEXT[seat.need]) for seat in option.seats if seat.person
        ),
        tuple(known.agency(seat.agency) for seat in option.seats if seat.person is None),
        counts,
    )


def poll_card(asked: PollView, known: pages.Known) -> PollCard:
    """A poll: who says what of which line. Earlier answers that a later one contradicts stay to be read."""
    last = {(one.person, one.position): one for one in asked.said}
    times = {one.position: words.span(one.starts, one.ends) for one in asked.lines}
    people = []
    for one in asked.asked:
        counted = [last.get((one.person, position)) for position in times]
        history = tuple(
            f"{words.moment(said.at)} {times[said.position]} {CHOICE_TEXT[said.choice]}"
            + (f"(電話、入力: {_name(said.typed_by, known)})" if said.typed_by else "")
            for said in asked.said
            if said.person == one.person
        )
        people.append(
            AskedLine(
                one.person,
                f"{known.agency(one.agency)} {_name(one.person, known)}",
                poll_text(one),
                tuple(CHOICE_TEXT[said.choice] if said else "—" for said in counted),
                one.typed,
                one.contradicts,
                history,
            )
        )
    return PollCard(
        asked.poll,
        STANDING_TEXT[asked.standing],
        asked.standing != "closed",
        words.moment(asked.closes_at),
        tuple(times.values()),
        tuple(people),
    )


def in_stead(one: ProposalView | RegularChange, known: pages.Known) -> str:
    """For whom a deputy decided, and why (S12); empty where the holder did."""
    if one.stead is None:
        return ""
    return f"({_name(one.stead_of, known) + 'の' if one.stead_of else ''}{STEAD_TEXT[one.stead]})"


def proposal_card(one: ProposalView, known: pages.Known) -> ProposalCard:
    """A proposal, and who decided what."""
    where = known.place(one.place, one.room, one.mode)
    decided = f"{words.moment(one.decided_at)} {_name(one.decided_by, known)}" if one.decided_at else ""
    decided += in_stead(one, known)
    return ProposalCard(
        one.proposal,
        STATE_TEXT[one.state],
        one.state == "proposed",
        words.span(one.starts, one.ends),
        where,
        tuple(_seated(seat, known) for seat in one.seats),
        one.why,
        f"{words.moment(one.proposed_at)} {_name(one.proposed_by, known)}",
        decided,
        one.void or (RETURN_TEXT[one.returned] if one.returned else ""),
    )


def in_hand_lines(found: InHandList, cases: Mapping[UUID, CaseView], known: pages.Known) -> list[tuple[Any, str, str]]:
    """What the week says of dates that wait for somebody: (case, what to do, since when)."""
    return [
        (pages.case_line(cases[one.case], known), IN_HAND_TEXT[one.what], words.moment(one.since))
        for one in found.cases
        if one.case in cases
    ]
