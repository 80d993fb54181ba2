"""「オンラインで参加する」: from the link in one's own invitation into the room, and from nowhere else (M3).

GET shows a button and changes nothing: mail scanners follow links. POST opens the room, from some minutes before the
sitting until it is over. Nothing of who entered is kept.
"""

import unicodedata
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from contracts.meetings import LinkState
from services.desk import words
from services.desk.html import notice, page
from services.desk.rooms import AFTER, RoomUnavailable, Visit, provider
from services.service import Work

Look = Callable[[str], Awaitable[LinkState | None]]


def add_routes(router: APIRouter, work: Work, look: Look) -> None:
    """The pages. ``look`` is what the answer window asks of a link."""

    @router.api_route("/online", methods=["GET", "HEAD"])
    async def online() -> HTMLResponse:
        """Where a calendar entry leads: it is shared with others, so the link of one's own is in the mail only."""
        text = "案内のメールにある、あなた専用の「オンラインで参加」のリンクからお入りください。"
        return notice(work, 200, "オンラインでの参加", text)

    @router.api_route("/a/{token}/room", methods=["GET", "HEAD"])
    async def door(token: str) -> HTMLResponse:
        state = await look(token)
        return _shut(work, state) or page(work, "room.html", when=_when(state))

    @router.post("/a/{token}/room")
    async def enter(token: str, name: Annotated[str, Form(max_length=60)] = "") -> HTMLResponse:
        state, settled = await look(token), work.profile.online
        if (shut := _shut(work, state)) is not None:
            return shut
        if state is None or settled is None or not (state.meeting and state.guest and state.starts and state.ends):
            return _no_room(work)
        visit = Visit(state.meeting, state.guest, _plain(name) or "参加者", state.starts, state.ends)
        try:
            where = await provider(settled, work.settings.online_secret).enter(visit, work.now())
        except RoomUnavailable:
            text = "部屋を開けませんでした。少し待ってもう一度お試しになるか、案内にある電話番号にご連絡ください。"
            return notice(work, 503, "ただいま入れません", text)
        return page(work, "room_open.html", where=where)  # no redirect: browsers let a form lead to us only (CSP)


def _shut(work: Work, state: LinkState | None) -> HTMLResponse | None:
    """The page for a door that does not open: no such link, not online, too early, over."""
    if state is None or not state.found or state.starts is None or state.ends is None:
        text = "アドレスが途中で切れているか、予定が変わりました。案内のメールを確かめてください。"
        return notice(work, 404, "この案内は使えません", text)
    if work.profile.online is None or not work.profile.meets_online(state.mode):
        return _no_room(work)
    before = work.profile.online.opens_minutes_before
    if work.now() < state.starts - timedelta(minutes=before):
        return notice(work, 200, "まだ入れません", f"{_when(state)} の会議です。{before}分前から入れます。")
    if work.now() > state.ends + AFTER:
        return notice(work, 410, "会議は終わりました", "ご不明な点は、案内にある電話番号にお尋ねください。")
    return None


def _no_room(work: Work) -> HTMLResponse:
    return notice(work, 404, "オンラインの会議ではありません", "場所は案内のメールを確かめてください。")


def _when(state: LinkState | None) -> str:
    return words.span(state.starts, state.ends) if state and state.starts and state.ends else ""


def _plain(name: str) -> str:
    """What somebody calls themselves, on one line and without signs that steer."""
    return " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in name).split())
