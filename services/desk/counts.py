"""「実績」: the exact counts of this compartment, for those who carry all its cases; what was submitted and differs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from contracts.counts import CountPeriod, Period, WrongPeriod
from contracts.message import Compartment
from services.counts_sheet import as_csv, as_xlsx, own_sheet
from services.desk import words
from services.desk.html import door_is_closed, notice, page
from services.service import Work

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add_routes(inside: APIRouter, work: Work, compartment: Compartment) -> None:
    """The page, and the same table as a file (``as`` is csv or xlsx)."""

    @inside.get("/counts", response_model=None)
    async def counts(
        request: Request,
        period: Annotated[str, Query(max_length=7)] = "",
        form: Annotated[str, Query(alias="as", pattern="^(csv|xlsx)?$")] = "",
    ) -> Response:
        session, today = request.state.session, words.day_in_japan(work.now())
        try:
            wanted = Period.read(period or f"{today:%Y-%m}")
        except WrongPeriod as wrong:
            return notice(work, 400, "期間を読み取れません", str(wrong), session)
        asked = CountPeriod(period=wanted.text, viewer=session.person, viewer_agency=session.code or None)
        found = await work.ask(asked)
        if found.reason:
            return door_is_closed(work, found.reason, found.next_step, session)
        sheet = own_sheet(found, wanted, compartment, work.profile)
        if form:
            content, kind = (as_csv(sheet), "text/csv") if form == "csv" else (as_xlsx(sheet), XLSX)
            name = f'attachment; filename="counts-{wanted.text}.{form}"'  # neutral: not of which kind of meeting (S17)
            return Response(content, media_type=kind, headers={"Content-Disposition": name})
        year = today.year if today.month >= 4 else today.year - 1
        choices = [f"{today:%Y-%m}", *(f"{year}-Q{quarter}" for quarter in (1, 2, 3, 4)), str(year), str(year - 1)]
        return page(work, "counts.html", session=session, sheet=sheet, period=wanted.text, choices=choices)
