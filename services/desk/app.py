"""The web application of one process: a desk of one compartment, or the answer window."""

import logging
import re
from collections.abc import Awaitable, Callable
from traceback import extract_tb

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.desk import compartment, window
from services.desk.html import SECURITY_HEADERS, STYLE, ask_again, notice
from services.service import AskFailed, Work

logger = logging.getLogger("kasane.desk")

LARGEST_FORM = 131_072
"""Bytes. The largest form but for papers is a plan: some 10,000 signs, of nine bytes each on their way."""

LARGEST_PAPER = 2_097_152
"""Bytes. A filled form holds some dozen texts of 10,000 signs and tables of a hundred rows."""
_PAPER = re.compile("/cases/[0-9a-f-]{1,36}/papers")

_Next = Callable[[Request], Awaitable[Response]]


def build_app(work: Work) -> FastAPI:
    """The pages for ``work.compartment``; None is the answer window."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/kasane.css")
    async def style() -> Response:
        return Response(STYLE, media_type="text/css")

    app.include_router(compartment.routes(work, work.compartment) if work.compartment else window.routes(work))
    _answer_errors(app, work)
    app.add_middleware(_Counted)
    app.middleware("http")(lambda request, call_next: _guard(work, request, call_next))
    return app


def _answer_errors(app: FastAPI, work: Work) -> None:
    """Own pages for every error: the ready-made ones repeat what was typed in (consent.md 4.3)."""

    @app.exception_handler(AskFailed)
    async def nobody_answered(request: Request, error: AskFailed) -> Response:
        return ask_again(work, _session(request), ledger=str(error) == AskFailed.__name__)

    @app.exception_handler(compartment.SignInFirst)
    async def sign_in_first(request: Request, error: compartment.SignInFirst) -> Response:
        return RedirectResponse("/sign-in", 303)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        text = "入力の形式が正しくありません。前のページに戻って、もう一度お試しください。"
        return notice(work, 400, "受け付けられませんでした", text, _session(request))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        title = "ページがありません" if error.status_code == 404 else "受け付けられませんでした"
        return notice(work, error.status_code, title, _what_to_do(error.status_code), _session(request))


async def _guard(work: Work, request: Request, call_next: _Next) -> Response:
    """Around everything: refuse what no page of ours sends, let no error out as it is, set the headers."""
    refusal = _refusal(request)
    if refusal:
        response: Response = notice(work, refusal, "受け付けられませんでした", _what_to_do(refusal))
    else:
        try:
            response = await call_next(request)
        except Exception as error:
            _log(error)
            response = notice(
                work, 500, "エラーが起きました", "続くときは、お電話でお知らせください。", _session(request)
            )
    if cookie := getattr(request.state, "cookie", None):
        response.set_cookie(**cookie)
    response.headers.update(SECURITY_HEADERS)
    return response


def _what_to_do(status: int) -> str:
    """The sentence for a request that was not taken. A form that is too long is still in the browser's last page."""
    if status == 404:
        return "アドレスを確かめてください。"
    if status == 413:
        return (
            "書かれた内容が長すぎるため、何も記録していません。前のページに戻ると、書いた内容が残っています。"
            "全体で1万字ほどになるように短くして、送り直してください。サインインはそのままです。"
        )
    return "前のページに戻って、もう一度お試しください。"


def _refusal(request: Request) -> int | None:
    """The status for a request that cannot come from one of our pages.

    ``Origin`` says "null" on our own forms, because of our Referrer-Policy; Sec-Fetch-Site does not, and old
    browsers without it are left to the form's token. Two desks on one host name are "same-site" to each other.
    """
    if "transfer-encoding" in request.headers:  # it overrides the length, and no browser sends a form with it
        return 411
    if request.method != "POST":
        return None
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return 411
    return 413 if int(length) > _largest(request.url.path) else None


def _largest(path: str) -> int:
    return LARGEST_PAPER if _PAPER.fullmatch(path) else LARGEST_FORM


class _Counted:
    """Counts what really arrives: what a request says of its own length need not be true."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the body until it is larger than any form; then reading it raises HTTPException 413."""
        read, largest = 0, _largest(scope.get("path", ""))

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > largest:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


def _session(request: Request) -> object:
    return getattr(request.state, "session", None)


def _log(error: Exception) -> None:
    """The kind of error and where it happened; its text may name a person."""
    frames = extract_tb(error.__traceback__)
    where = f"{frames[-1].name}:{frames[-1].lineno}" if frames else "?"
    logger.error("%s in %s", type(error).__name__, where)
