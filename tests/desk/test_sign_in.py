"""Coming in, staying and leaving."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.directory import SignIn, SignInJuso, SignInShien
from contracts.message import Compartment
from services.desk.sessions import SignInLimit
from tests.desk.standin import CASE, JUSO, SHIEN, TUESDAY, StandIn, browser, sign_in

Desk = Callable[[Compartment | None], StandIn]
BOTH = pytest.mark.parametrize("compartment", [JUSO, SHIEN])


@BOTH
async def test_nothing_is_shown_or_asked_before_signing_in(stand_in: Desk, compartment: Compartment) -> None:
    work = stand_in(compartment)
    async with browser(work) as client:
        for path in ("/", "/week", "/cases", f"/cases/{CASE}"):
            reply = await client.get(path)
            assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")
    assert not work.asked


async def test_a_wrong_name_a_wrong_password_and_a_foreign_user_read_the_same(stand_in: Desk) -> None:
    async with browser(stand_in(SHIEN)) as client:
        replies = [
            await sign_in(client, "takahashi", "wrong"),
            await sign_in(client, "nobody", "hiiragi-2026"),
            await sign_in(client, "", ""),
        ]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.content for reply in replies}) == 1


async def test_after_five_failures_even_the_right_password_has_to_wait(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        for _ in range(5):
            assert (await sign_in(client, password="wrong")).status_code == 401
        reply = await sign_in(client, " Takahashi")
        assert reply.status_code == 429
        assert "待ってから" in reply.text
        assert work.times_asked(SignIn) == 5
        assert (await sign_in(client, "yoshida", "wrong")).status_code == 401, "others are not held up"
        work.time += timedelta(minutes=5)
        assert (await sign_in(client)).status_code == 303


async def test_failures_are_forgotten_after_signing_in_and_when_nobody_could_check(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    check = work.answers[SignInJuso]
    async with browser(work) as client:
        work.silence(SignInJuso)
        for _ in range(6):
            assert (await sign_in(client)).status_code == 503
        work.answers[SignInJuso] = check
        for _ in range(3):
            await sign_in(client, password="wrong")
            assert (await sign_in(client)).status_code == 303


async def test_one_address_fails_at_most_thirty_times_in_five_minutes_over_all_logins(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        for number in range(30):
            assert (await sign_in(client, f"shokuin{number}", "wrong")).status_code == 401
        refused = await sign_in(client)
        assert (refused.status_code, "待ってから" in refused.text) == (429, True)
        assert work.times_asked(SignIn) == 30
        work.time += timedelta(minutes=5)
        assert (await sign_in(client)).status_code == 303


def test_another_address_is_not_held_up() -> None:
    limit = SignInLimit(for_address=2)
    assert [limit.may_try("192.0.2.1", login, TUESDAY) for login in "abc"] == [True, True, False]
    assert limit.may_try("192.0.2.2", "c", TUESDAY)


def test_failures_of_an_address_lapse_one_by_one_so_that_a_busy_office_is_not_shut_out() -> None:
    limit = SignInLimit()
    assert all(limit.may_try("192.0.2.1", f"shokuin{n}", TUESDAY + timedelta(seconds=15 * n)) for n in range(200))


async def test_an_account_of_one_s_own_does_not_clear_what_failed_for_others(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        for number in range(30):
            await sign_in(client, f"shokuin{number}", "wrong")
            assert (await sign_in(client)).status_code == (303 if number < 29 else 429)
        assert (await sign_in(client, "yoshida", "wrong")).status_code == 429


async def test_overloading_the_check_clears_no_failures(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    check = work.answers[SignInJuso]
    async with browser(work) as client:
        for _ in range(4):
            await sign_in(client, password="wrong")
        work.silence(SignInJuso)
        assert (await sign_in(client)).status_code == 503
        work.answers[SignInJuso] = check
        assert [(await sign_in(client, password="wrong")).status_code for _ in range(2)] == [401, 429]


@BOTH
async def test_a_desk_asks_about_sign_ins_of_its_own_compartment_only(stand_in: Desk, compartment: Compartment) -> None:
    work = stand_in(compartment)
    async with browser(work) as client:
        await sign_in(client)
    assert {type(one) for one, _ in work.asked} == {SignInJuso if compartment is JUSO else SignInShien}


async def test_the_cookie_of_one_compartment_does_not_open_the_other(stand_in: Desk) -> None:
    juso, shien = stand_in(JUSO), stand_in(SHIEN)
    async with browser(juso) as client:
        await sign_in(client)
        cookie = client.cookies["kasane_juso"]
        assert (await client.get("/week")).status_code == 200
    for name in ("kasane_juso", "kasane_shien"):
        async with browser(shien, cookie=f"{name}={cookie}") as client:
            assert (await client.get("/week")).headers["location"] == "/sign-in"
    assert not shien.asked


async def test_a_restart_signs_everybody_out(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        cookie = client.cookies["kasane_juso"]
    async with browser(work, cookie=f"kasane_juso={cookie}") as after:
        assert (await after.get("/week")).headers["location"] == "/sign-in"


async def test_the_cookie_is_for_this_site_and_no_script(stand_in: Desk) -> None:
    async with browser(stand_in(JUSO)) as client:
        plain = (await sign_in(client)).headers["set-cookie"]
        client.headers["x-forwarded-proto"] = "https"
        behind_tls = (await sign_in(client)).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=strict" in plain
    assert "Secure" not in plain
    assert "Secure" in behind_tls


@pytest.mark.parametrize(("compartment", "minutes"), [(JUSO, 60), (SHIEN, 15)])
async def test_who_does_nothing_for_a_while_is_signed_out(
    stand_in: Desk, compartment: Compartment, minutes: int
) -> None:
    work = stand_in(compartment)
    async with browser(work) as client:
        await sign_in(client)
        for _ in range(2):
            work.time += timedelta(minutes=minutes)
            assert (await client.get("/cases")).status_code == 200
        work.time += timedelta(minutes=minutes, seconds=1)
        assert (await client.get("/cases")).status_code == 303


async def test_no_session_outlives_a_day_however_busy(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        for _ in range(12):
            work.time += timedelta(hours=1)
            assert (await client.get("/cases")).status_code == 200
        work.time += timedelta(hours=1)
        assert (await client.get("/cases")).status_code == 303


async def test_signing_out_needs_the_form_of_this_session_and_ends_copies_too(stand_in: Desk) -> None:
    async with browser(stand_in(JUSO)) as client:
        await sign_in(client)
        copy = client.cookies["kasane_juso"]
        assert (await client.post("/sign-out")).status_code == 403
        assert (await client.post("/sign-out", data={"form_token": "ü" * 64})).status_code == 403
        week = await client.get("/week")
        token = re.search(r'name="form_token" value="([0-9a-f]{64})"', week.text)
        assert token
        assert (await client.post("/sign-out", data={"form_token": token[1]})).status_code == 303
        assert (await client.get("/week")).status_code == 303
        client.cookies.set("kasane_juso", copy)
        assert (await client.get("/week")).status_code == 303


async def test_a_form_posted_from_another_site_is_refused(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    for site in ("cross-site", "same-site"):
        async with browser(work, **{"sec-fetch-site": site}) as client:
            assert (await sign_in(client)).status_code == 403
    assert not work.asked
