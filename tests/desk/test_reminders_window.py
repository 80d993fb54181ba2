"""Stopping reminders behind the link in each: GET shows, POST does, one click does, and it can be taken back."""

from collections.abc import Callable

import pytest

from contracts.message import Compartment
from contracts.notify import LookAtReminders, RemindersWanted, WantReminders
from tests.desk.standin import StandIn, browser

Desk = Callable[[Compartment | None], StandIn]
LINK = "q3Vt8XyLwZ0aBn5-RkE_7uJcD2hGmS9f"
WHERE = f"/reminders/{LINK}"


@pytest.fixture
def window(stand_in: Desk) -> StandIn:
    """A window behind which notify keeps one wish."""
    work = stand_in(None)
    wanted = [True]

    def say(asked: WantReminders) -> RemindersWanted:
        wanted[0] = asked.wanted
        return RemindersWanted(found=True, wanted=asked.wanted)

    work.answers[LookAtReminders] = lambda _: RemindersWanted(found=True, wanted=wanted[0])
    work.answers[WantReminders] = say
    return work


async def test_looking_stops_nothing_however_often_scanners_do_it(window: StandIn) -> None:
    async with browser(window) as client:
        for method in ("GET", "HEAD", "GET"):
            assert (await client.request(method, f"{WHERE}?wanted=no&List-Unsubscribe=One-Click")).status_code == 200
    assert {type(one) for one, _ in window.asked} == {LookAtReminders}


async def test_somebody_stops_them_and_has_them_again_and_is_told_what_does_not_stop(window: StandIn) -> None:
    async with browser(window) as client:
        first = await client.get(WHERE)
        stopped = await client.post(WHERE, data={"wanted": "no"})
        again = await client.post(WHERE, data={"wanted": "yes"})
    assert "会議のご案内、変更、取消し、日程のうかがいは、止まりません。" in first.text
    assert "お知らせを止めました" in stopped.text
    assert "お知らせをまた受け取る" in stopped.text
    assert "お知らせをまたお送りします" in again.text
    assert [one.wanted for one, _ in window.asked if isinstance(one, WantReminders)] == [False, True]


async def test_one_click_of_a_mail_program_stops_them_from_anywhere_and_never_starts_them(window: StandIn) -> None:
    """RFC 8058 3.1: no cookie, no page before, the body as the header has it; 3.2: also as multipart."""
    async with browser(window) as client:
        plain = await client.post(WHERE, data={"List-Unsubscribe": "One-Click", "wanted": "yes"})
        whole = await client.post(WHERE, files={"List-Unsubscribe": (None, "One-Click")})
    assert (plain.status_code, whole.status_code) == (200, 200)
    assert [one.wanted for one, _ in window.asked if isinstance(one, WantReminders)] == [False, False]


async def test_a_torn_link_and_a_forged_one_are_one_page(window: StandIn) -> None:
    window.answers[LookAtReminders] = lambda _: RemindersWanted(found=False)
    async with browser(window) as client:
        pages = [await client.get(f"/reminders/{link}") for link in (LINK, LINK[:-1], "%00")]
    assert {one.status_code for one in pages} == {404}
    assert len({one.text for one in pages}) == 1
