"""Templates into answers. Everything a template shows is escaped; a missing value is an error, not an empty place."""

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.legal_basis import penalty_text
from contracts.message import Compartment
from services.desk import words
from services.service import Work

_HERE = Path(__file__).parent
STYLE = (_HERE / "static" / "kasane.css").read_text("utf-8")
_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address of an answer page is its key
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}


def page(work: Work, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """One page. ``session`` is the signed-in user, where there is one."""
    shown.setdefault("session", None)
    today = words.day_in_japan(work.now())
    text = _templates.get_template(template).render(
        profile=work.profile,
        compartment=work.compartment,
        kind=words.KIND_TEXT[work.compartment] if work.compartment else "",
        kind_hint=words.KIND_HINT[work.compartment] if work.compartment else "",
        example="examples" in work.settings.profile.parts,
        penalty=penalty_text(today) if work.compartment is Compartment.SHIEN else "",  # S3, S14: on every page
        words=words,
        **shown,
    )
    return HTMLResponse(text, status)


def notice(work: Work, status: int, title: str, text: str, session: Any = None) -> HTMLResponse:
    """A page that only says something, with the office's telephone as the way out."""
    return page(work, "notice.html", status, title=title, text=text, session=session)


def case_not_found(work: Work, session: Any) -> HTMLResponse:
    """The one page for a case that is unknown, malformed, or of the other compartment: nobody can tell which."""
    return notice(work, 404, "該当する事案はありません", "事案一覧から選び直してください。", session)


def fenced(work: Work, session: Any) -> HTMLResponse:
    """Coordination could not compare itself with the ledger of consents for a minute: it shows nothing (8.10)."""
    text = "同意の状態を確かめられないため、表示を止めています。少し待って読み直してください。"
    return notice(work, 503, "ただいま表示できません", text, session)


def door_is_closed(work: Work, reason: str, next_step: str, session: Any) -> HTMLResponse:
    """This person may see nothing here, and is told the lawful way in."""
    return notice(work, 403, "この画面は見られません", f"{reason}{next_step}", session)


def ask_again(work: Work, session: Any = None, *, ledger: bool = False) -> HTMLResponse:
    """A service did not answer; ``ledger``: it answered that it could not ask the ledger of consents."""
    text = "同意の台帳に確かめられないため、表示を止めています。" if ledger else ""
    return notice(work, 503, "ただいま確認できません", f"{text}少し待って読み直してください。", session)
