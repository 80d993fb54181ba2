"""The page on which somebody stops reminders, or has them again: behind the link that stands in each of them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError

from contracts.meetings import LinkToken
from contracts.notify import LookAtReminders, RemindersWanted, WantReminders
from services.desk.html import notice, page
from services.service import Work

_LINK = TypeAdapter[str](LinkToken)
ONE_CLICK = "One-Click"
"""What a mail program posts as ``List-Unsubscribe`` (RFC 8058 3.1)."""


def add_routes(router: APIRouter, work: Work) -> None:
    """Nobody signs in: the link is the key to this one wish. GET shows, POST does."""

    @router.api_route("/reminders/{link}", methods=["GET", "HEAD"], response_model=None)
    async def look(link: str) -> HTMLResponse:
        """Changes nothing: mail scanners follow links."""
        try:
            found = await work.ask(LookAtReminders(link=_LINK.validate_python(link)))
        except ValidationError:
            found = RemindersWanted(found=False)
        return _show(work, found)

    @router.post("/reminders/{link}", response_model=None)
    async def say(
        link: str,
        wanted: Annotated[Literal["yes", "no"], Form()] = "no",
        one_click: Annotated[str, Form(alias="List-Unsubscribe")] = "",
    ) -> HTMLResponse:
        """A mail program's one click stops them, whatever else it sends; without either nothing was said: they stop."""
        again = wanted == "yes" and one_click != ONE_CLICK
        try:
            found = await work.ask(WantReminders(link=_LINK.validate_python(link), wanted=again))
        except ValidationError:
            found = RemindersWanted(found=False)
        return _show(work, found, said=True)


def _show(work: Work, found: RemindersWanted, said: bool = False) -> HTMLResponse:
    if not found.found:
        return notice(work, 404, "このページは使えません", "アドレスが途中で切れているか、変わっています。")
    return page(work, "reminders.html", wanted=found.wanted, said=said)
