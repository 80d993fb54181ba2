"""「電話で知らせる人」: who of a week's sittings is told by a person, as a list for whoever telephones (M4, S17)."""

import asyncio
import csv
from collections.abc import Iterable, Mapping
from datetime import date
from io import StringIO
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from contracts.directory import StaffView
from contracts.meetings import SeatView, SittingList, Sittings
from contracts.profile import Profile
from services.desk import pages, words
from services.desk.asking import Asking
from services.desk.html import door_is_closed, fenced
from services.service import Work

COLUMNS = ("日時", "場所", "機関", "氏名", "電話", "知らせること", "方法", "回答")
"""Not of which kind the meeting is, nor what about: the list lies beside a telephone (S17)."""
HOW_TEXT = {"phone": "電話", "letter": "郵送", "": "電話(メールを届けられませんでした)"}
RUNS = ("=", "+", "-", "@", "\t")
"""With one of these a spreadsheet takes a cell for a formula."""


def add_routes(inside: APIRouter, work: Work) -> None:
    """The list as CSV: of the week of ``start``, and of the weeks that its page shows."""

    @inside.get("/week/calls.csv", response_model=None)
    async def calls(request: Request, start: Annotated[date | None, Query()] = None) -> Response:
        session, asking = request.state.session, Asking(work, request.state.session)
        monday = words.monday_of(start or words.day_in_japan(work.now()))
        starts, ends = pages.week_bounds(monday)
        listed = await asking.cases(rested=ends < work.now())
        if listed.fenced:
            return fenced(work, session)
        if listed.reason:
            return door_is_closed(work, listed.reason, listed.next_step, session)
        found, staff = await asyncio.gather(work.ask(Sittings(starts=starts, ends=ends)), asking.staff())
        holds = pages.holds_meetings(work.profile, work.compartment, session.code)
        seen = pages.only_seen(found, listed.cases, session.person, holds=holds)
        name = f'attachment; filename="calls-{monday}.csv"'
        content = as_csv(lines(seen, staff or {}, work.profile))
        return Response(content, media_type="text/csv", headers={"Content-Disposition": name})


def lines(found: SittingList, staff: Mapping[UUID, StaffView], profile: Profile) -> Iterable[tuple[str, ...]]:
    """A line for each seat whose holder is still to be told by a person, by the start of the sitting."""
    places = {one.code: one.name for one in profile.places}
    agencies = {one.code: one.name for one in profile.agencies}
    for sitting in sorted(found.sittings, key=lambda one: one.starts):
        for seat in sitting.seats:
            if seat.notice == "not_sent":
                yield (
                    words.span(sitting.starts, sitting.ends),
                    places.get(sitting.place, ""),
                    agencies.get(seat.agency, seat.agency),
                    *_who(seat, staff.get(seat.person)),
                    "ご出席のお願いの取消し" if seat.cancelled else "ご出席のお願い",
                    HOW_TEXT[seat.by_hand],
                    words.ANSWER_TEXT[seat.answer],
                )


def _who(seat: SeatView, person: StaffView | None) -> tuple[str, str]:
    return (person.name, person.phone) if person else ("氏名を確認できません", "")


def as_csv(rows: Iterable[tuple[str, ...]]) -> bytes:
    """UTF-8 with a mark at the beginning, by which Excel knows it; no cell is a formula."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([[f"'{cell}" if cell.startswith(RUNS) else cell for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")
