"""The answer window behind the links of 「日程のうかがい」: the same page whatever is planned (S17)."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from contracts.links import compartment_of
from contracts.message import Account
from contracts.polls import CHOICE_TEXT, MOST_SLOTS, AnswerPoll, LookAtPoll, PollState
from services.desk import words
from services.desk.html import notice, page
from services.desk.step_forms import text_of
from services.service import Work

ALL = "すべての候補に、参加可・できれば避けたい・不可のどれかを選んでください。"


def add_routes(router: APIRouter, work: Work) -> None:
    """GET shows, POST answers; nobody signs in, the link is the key."""

    @router.api_route("/p/{token}", methods=["GET", "HEAD"])
    async def look(token: str) -> HTMLResponse:
        """Changes nothing: mail scanners follow links."""
        return _show(work, await _look(work, token))

    @router.post("/p/{token}")
    async def answer(token: str, request: Request) -> HTMLResponse:
        said = await request.form()
        given = [(n, text_of(said, f"line_{n}")) for n in range(1, MOST_SLOTS + 1)]
        lines = [{"position": n, "choice": choice} for n, choice in given if choice]
        if (account := _account(work, token)) is None:
            return _show(work, None)
        state = await _look(work, token)
        if state is None or not state.found:
            return _show(work, state)
        try:
            asked = AnswerPoll.model_validate({"link": token, "answers": lines})
        except ValidationError:
            return _show(work, state, 400, ALL)
        if {one.position for one in asked.answers} != {one.position for one in state.lines}:
            return _show(work, state, 400, ALL)
        return _show(work, await work.ask(asked, to=account))


def _account(work: Work, token: str) -> Account | None:
    """Who keeps this link; None for a forged one, which therefore nobody is asked about."""
    found = compartment_of(work.settings.link_key, token)
    return Account(found) if found else None


async def _look(work: Work, token: str) -> PollState | None:
    account = _account(work, token)
    return await work.ask(LookAtPoll(link=token), to=account) if account else None


def _show(work: Work, state: PollState | None, status: int = 200, refusal: str = "") -> HTMLResponse:
    """The times with the answers so far, or the one page for all links that do not help any more."""
    if state is None or not state.found or state.closes_at is None:
        text = "このうかがいには、もう回答できません。期限が過ぎたか、日程が決まったか、アドレスが途中で切れています。"
        return notice(work, 404, "このうかがいは使えません", text)
    return page(
        work,
        "poll.html",
        status,
        lines=[(one.position, words.span(one.starts, one.ends), one.choice or "") for one in state.lines],
        until=words.moment(state.closes_at),
        choices=CHOICE_TEXT,
        recorded=state.recorded,
        refusal=refusal,
    )
