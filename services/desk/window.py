"""The answer window behind the links in invitations: the same page whatever the meeting is (S17, consent.md 6)."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from contracts.links import compartment_of
from contracts.meetings import Answer, AnswerByLink, LinkState, LookAtLink
from contracts.message import Account, Compartment, Question
from services.desk import feed, joining, polls_window, reminders_window, words
from services.desk.html import notice, page
from services.service import Work


def routes(work: Work) -> APIRouter:
    """The window's pages. Nobody signs in: the link is the key, and shows nothing but when, where and the answer."""
    router, key = APIRouter(), work.settings.link_key

    @router.api_route("/a/{token}", methods=["GET", "HEAD"])
    async def look(token: str) -> HTMLResponse:
        """Changes nothing: mail scanners follow links."""
        account = _account(key, token)
        return _show(work, await _ask(work, account, LookAtLink(link=token)) if account else None)

    @router.post("/a/{token}")
    async def answer(token: str, answer: Annotated[Answer, Form()]) -> HTMLResponse:
        account = _account(key, token)
        state = await _ask(work, account, AnswerByLink(link=token, answer=answer)) if account else None
        return _show(work, state, recorded=state is not None and state.answer == answer)

    polls_window.add_routes(router, work)

    async def look_up(token: str) -> LinkState | None:
        account = _account(key, token)
        return await _ask(work, account, LookAtLink(link=token)) if account else None

    joining.add_routes(router, work, look_up)
    feed.add_window_routes(router, work)
    reminders_window.add_routes(router, work)

    @router.api_route("/desk", methods=["GET", "HEAD"])
    async def desks() -> HTMLResponse:
        """Where a reminder leads: both desks, to everybody, so that no mail has to say which kind it means (S17)."""
        listed = [(words.KIND_TEXT[one], work.settings.desk_url(one)) for one in Compartment]
        return page(work, "desks.html", desks=listed)

    return router


def _account(key: bytes, token: str) -> Account | None:
    """Who keeps this link; None for a forged one, which therefore nobody is asked about."""
    compartment = compartment_of(key, token)
    return Account(compartment) if compartment else None


async def _ask(work: Work, account: Account, question: Question[LinkState]) -> LinkState:
    return await work.ask(question, to=account)


def _show(work: Work, state: LinkState | None, recorded: bool = False) -> HTMLResponse:
    """The invitation and its answer, or the one page for all links that do not help any more."""
    if state is None or not state.found or state.starts is None or state.ends is None or state.starts <= work.now():
        text = "この案内では、もう回答できません。期限が過ぎたか、予定が変わったか、アドレスが途中で切れています。"
        return notice(work, 404, "この案内は使えません", text)
    place = words.place_name(work.profile, state.place, state.room, state.mode)
    when = words.span(state.starts, state.ends)
    return page(work, "answer.html", when=when, place=place, answer=state.answer, recorded=recorded)
