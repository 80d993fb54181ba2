"""「予定表につなぐ」: one's own feed, made where one is signed in, read where nobody is, without a word too many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import vobject
from ical.calendar_stream import IcsCalendarStream

from contracts.feeds import EndFeed, Feed, FeedEnded, FeedView, LookAtFeed, MakeFeed, Sat
from contracts.message import Compartment
from services.desk.feed import calendar
from tests.desk.standin import JUSO, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
TOKEN = "9f2c4e7a1b8d4f0c9a3e5d7b2c6f8e1a"
STARTS = datetime(2026, 12, 17, 5, tzinfo=UTC)
TIMES = tuple(Sat(starts=STARTS + timedelta(days=day), ends=STARTS + timedelta(days=day, hours=1)) for day in (0, 7))


@pytest.mark.rule("S17")
@pytest.mark.parametrize("compartment", [JUSO, SHIEN])
async def test_whoever_is_signed_in_makes_and_ends_their_own_feed_and_nobody_elses(
    stand_in: Desk, compartment: Compartment
) -> None:
    work = stand_in(compartment)
    work.answers[MakeFeed] = lambda _: Feed(token=TOKEN)
    work.answers[EndFeed] = lambda _: FeedEnded(had=True)
    async with browser(work) as client:
        await sign_in(client)
        assert "/feed" in (await client.get("/week")).text
        assert "/feeds/" not in (await client.get("/feed")).text
        made = await post(client, "/feed", act="make", person=str(PEOPLE[1]))
        ended = await post(client, "/feed", act="end")
    assert f"{work.settings.window_url}/feeds/{TOKEN}.ics" in made.text
    assert "つなぐのをやめました" in ended.text
    asked = [one for one, _ in work.asked if isinstance(one, (MakeFeed, EndFeed))]
    assert asked == [MakeFeed(person=PEOPLE[0]), EndFeed(person=PEOPLE[0])]


async def test_nobody_makes_one_without_signing_in(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await client.post("/feed", data={"act": "make"})
    assert not [one for one, _ in work.asked if isinstance(one, MakeFeed)]


@pytest.mark.rule("S17")
async def test_the_window_gives_times_that_two_other_readers_understand_and_no_word(stand_in: Desk) -> None:
    work = stand_in(None)
    work.answers[LookAtFeed] = lambda _: FeedView(found=True, times=TIMES)
    async with browser(work) as client:
        answer = await client.get(f"/feeds/{TOKEN}.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    read = IcsCalendarStream.calendar_from_ics(answer.text)
    assert [(one.dtstart, one.dtend) for one in read.events] == [(one.starts, one.ends) for one in TIMES]
    assert {one.summary for one in read.events} == {"会議"}
    other = vobject.readOne(answer.text, validate=True)
    assert [one.dtstart.value for one in other.vevent_list] == [one.starts for one in TIMES]
    names = {name for one in other.vevent_list for name in one.contents}
    assert names == {"uid", "dtstamp", "dtstart", "dtend", "summary", "class", "transp"}
    assert TOKEN not in answer.text


async def test_an_address_that_is_over_forged_or_torn_shows_the_same_page(stand_in: Desk) -> None:
    work = stand_in(None)
    work.answers[LookAtFeed] = lambda _: FeedView(found=False)
    async with browser(work) as client:
        pages = [await client.get(f"/feeds/{token}.ics") for token in (TOKEN, TOKEN[:-1], "%00", "..%2f")]
    assert {one.status_code for one in pages} == {404}
    assert pages[0].text == pages[1].text


def test_an_entry_keeps_its_uid_from_one_fetch_to_the_next() -> None:
    first, later = (calendar(TOKEN, TIMES, STARTS + timedelta(hours=hours)) for hours in (0, 4))
    uids = [[line for line in made.split(b"\r\n") if line.startswith(b"UID:")] for made in (first, later)]
    assert uids[0] == uids[1]
    assert len(set(uids[0])) == 2
