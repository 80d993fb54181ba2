"""The list of whom to telephone: everybody whom no machine tells, what to say, and nothing of what it is about."""

import csv
from collections.abc import Callable
from io import StringIO

import pytest

from contracts.directory import Staff, StaffList, StaffView
from contracts.message import Compartment
from services.desk.calls import COLUMNS, as_csv
from tests.desk.standin import JUSO, PEOPLE, SHIEN, StandIn, browser, seat, sign_in

Desk = Callable[[Compartment | None], StandIn]


def with_calls(work: StandIn) -> StandIn:
    """The first sitting seats one who is told by telephone, one by letter, and one whose mail failed."""
    seats = (
        seat(0, "required", "attend"),
        seat(1, "required", notice="not_sent").model_copy(update={"by_hand": "phone"}),
        seat(2, "expected", notice="not_sent").model_copy(update={"by_hand": "letter", "cancelled": True}),
        seat(3, "optional", notice="not_sent"),
    )
    work.sittings = (work.sittings[0].model_copy(update={"seats": seats}), *work.sittings[1:])
    known = work.answers[Staff](Staff()).staff
    told: tuple[StaffView, ...] = tuple(
        one.model_copy(update={"phone": "0984-00-2201"}) if one.person == PEOPLE[1] else one for one in known
    )
    work.answers[Staff] = lambda _: StaffList(staff=told)
    return work


@pytest.mark.rule("S17")
@pytest.mark.parametrize("compartment", [JUSO, SHIEN])
async def test_the_list_names_whom_to_tell_what_and_how_and_not_what_the_meeting_is(
    stand_in: Desk, compartment: Compartment
) -> None:
    work = with_calls(stand_in(compartment))
    async with browser(work) as client:
        await sign_in(client)
        page = await client.get("/week")
        assert "電話でお知らせする人です。電話 0984-00-2201" in page.text
        assert "郵送でお知らせする人です。" in page.text
        assert "/week/calls.csv?start=" in page.text
        answer = await client.get("/week/calls.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    text = answer.content.decode("utf-8-sig")
    for telling in ("支援会議", "重層", "事案", "定例", "juso", "shien"):
        assert telling not in text + answer.headers["content-disposition"], telling
    heading, *rows = csv.reader(StringIO(text))
    assert heading == list(COLUMNS)
    by_name = {row[3]: row for row in rows}
    assert by_name["𠮷田 さくら"][4:7] == ["0984-00-2201", "ご出席のお願い", "電話"]
    assert by_name["グエン・ティ・ラン"][5:7] == ["ご出席のお願いの取消し", "郵送"]
    assert by_name["濵田 政志"][6] == "電話(メールを届けられませんでした)"
    assert "髙橋 美穂" not in by_name, "she was told by mail"


async def test_whoever_is_not_signed_in_gets_no_list(stand_in: Desk) -> None:
    async with browser(with_calls(stand_in(JUSO))) as client:
        answer = await client.get("/week/calls.csv")
    assert answer.status_code in (303, 401)
    assert "0984" not in answer.text


async def test_a_day_that_is_none_is_refused(stand_in: Desk) -> None:
    async with browser(with_calls(stand_in(JUSO))) as client:
        await sign_in(client)
        assert (await client.get("/week/calls.csv", params={"start": "2026-13-40"})).status_code in (400, 422)


def test_no_cell_is_a_formula() -> None:
    text = as_csv([("=1+1", "+81", "-", "@a", "髙橋", "", "", "")]).decode("utf-8-sig")
    assert list(csv.reader(StringIO(text)))[1][:5] == ["'=1+1", "'+81", "'-", "'@a", "髙橋"]
