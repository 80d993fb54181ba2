"""「予定表につなぐ」: one's own sittings in one's own calendar programme, as times without words (S17).

Made and ended on the desk, read at the answer window. The directory alone holds the times, so that the feed is the same
whichever kind of meeting they are of.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from icalendar import Calendar, Event
from pydantic import TypeAdapter, ValidationError

from contracts.feeds import EndFeed, FeedToken, FeedView, LookAtFeed, MakeFeed, Sat
from services.desk.html import notice, page
from services.service import Work

TITLE = "会議"
_TOKEN = TypeAdapter[str](FeedToken)


def add_routes(inside: APIRouter, forms: APIRouter, work: Work) -> None:
    """The page of the desk, for whoever is signed in: their own feed and nobody else's."""

    @inside.get("/feed", response_model=None)
    async def show(request: Request) -> HTMLResponse:
        return page(work, "feed.html", session=request.state.session, address="", ended=False)

    @forms.post("/feed", response_model=None)
    async def change(request: Request, act: Annotated[Literal["make", "end"], Form()]) -> HTMLResponse:
        session = request.state.session
        if act == "end":
            await work.ask(EndFeed(person=session.person))
            return page(work, "feed.html", session=session, address="", ended=True)
        made = await work.ask(MakeFeed(person=session.person))
        address = f"{work.settings.window_url}/feeds/{made.token}.ics"
        return page(work, "feed.html", session=session, address=address, ended=False)


def add_window_routes(router: APIRouter, work: Work) -> None:
    """What a calendar programme fetches, every few hours."""

    @router.api_route("/feeds/{token}.ics", methods=["GET", "HEAD"], response_model=None)
    async def read(token: str) -> Response:
        try:
            found = await work.ask(LookAtFeed(token=_TOKEN.validate_python(token)))
        except ValidationError:
            found = FeedView(found=False)
        if not found.found:
            return notice(work, 404, "この予定表は使えません", "アドレスが変わったか、つなぐのをやめた予定表です。")
        return Response(calendar(token, found.times, work.now()), media_type="text/calendar; charset=utf-8")


def calendar(token: str, times: tuple[Sat, ...], now: datetime) -> bytes:
    """The times as entries that say 「会議」 and block the hour. Their UIDs stay, and lead to no token back."""
    made = Calendar()
    made.add("PRODID", "-//kasane//feed//JA")
    made.add("VERSION", "2.0")
    made.add("REFRESH-INTERVAL", timedelta(hours=4), parameters={"VALUE": "DURATION"})
    for one in times:
        event = Event()
        event.add("UID", sha256(f"{token} {one.starts.timestamp()} {one.ends.timestamp()}".encode()).hexdigest()[:32])
        event.add("DTSTAMP", now.astimezone(UTC))
        event.add("DTSTART", one.starts.astimezone(UTC))
        event.add("DTEND", one.ends.astimezone(UTC))
        event.add("SUMMARY", TITLE)
        event.add("CLASS", "PRIVATE")
        event.add("TRANSP", "OPAQUE")
        made.add_component(event)
    content: bytes = made.to_ical()
    return content
