"""A withdrawal is recorded in two steps; the page says when the stop was confirmed, and who has stopped."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from contracts.consent import Obtained
from contracts.coordination import Trail, TrailSteps
from contracts.intake import ConsentRecorded, WithdrawConsent
from contracts.life import Act, Step, TakeStep
from contracts.message import Compartment
from tests.desk.standin import CASE, JUSO, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
FORM = {"obtained": "phone", "obtained_by": "福祉課 髙橋 美穂", "obtained_on": "2026-11-24"}
PATH = f"/cases/{CASE}/withdraw"


async def test_the_first_step_only_asks_to_confirm(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, PATH, **FORM)
    assert reply.status_code == 200
    assert "電話" in reply.text
    assert "令和8年11月24日(火)" in reply.text
    assert work.times_asked(WithdrawConsent) == 0


async def test_what_is_confirmed_is_recorded_and_its_stop_watched_until_it_is_confirmed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, PATH, **FORM, confirmed="true")
        assert reply.status_code == 303
        before = (await client.get(reply.headers["location"])).text
        work.confirm_stop()
        after = (await client.get(reply.headers["location"])).text
        case = (await client.get(f"/cases/{CASE}")).text
    (asked,) = [one for one, _ in work.asked if isinstance(one, WithdrawConsent)]
    assert (asked.case, asked.obtained, asked.obtained_on) == (CASE, Obtained.PHONE, date(2026, 11, 24))
    assert "撤回を受け付けました。停止を確認中です。" in before
    assert 'http-equiv="refresh"' in before
    assert "令和8年11月24日(火) 10時00分03秒に停止を確認しました。" in after
    assert "事案の管理(令和8年11月24日(火) 10時00分03秒)" in after
    assert 'http-equiv="refresh"' not in after
    assert "10時00分03秒に停止を確認しました" in case
    assert "齋藤" not in before + after + case


async def test_whoever_recorded_it_may_watch_though_the_case_is_gone_for_them(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        where = (await post(client, PATH, **FORM, confirmed="true")).headers["location"]
        work.answers[Trail] = lambda _: TrailSteps(case=None)
        assert (await client.get(where)).status_code == 200
        assert (await client.get("/stops/forged")).status_code == 404
        await sign_in(client)  # another session
        assert (await client.get(where)).status_code == 404


async def test_a_refusal_of_the_ledger_is_told_with_its_rule(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.answers[WithdrawConsent] = lambda _: ConsentRecorded(
        done=False, rule="C11", message="撤回の日は今日までの日付にしてください。"
    )
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, PATH, **FORM, confirmed="true")
    assert reply.status_code == 409
    assert "撤回の日は今日までの日付にしてください。(C11)" in reply.text


@pytest.mark.parametrize(
    "wrong",
    [{"obtained": "guess"}, {"obtained_by": ""}, {"obtained_on": "きのう"}, {"obtained_by": "あ" * 201}],
)
async def test_a_form_that_no_page_of_ours_sends_records_nothing(stand_in: Desk, wrong: dict[str, str]) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, PATH, **(FORM | {"confirmed": "true"} | wrong))
    assert reply.status_code == 400
    assert work.times_asked(WithdrawConsent) == 0


async def test_without_this_sessions_token_nothing_is_recorded(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        for token in ({}, {"form_token": "0" * 64}):
            reply = await client.post(PATH, data=FORM | {"confirmed": "true"} | token)
            assert reply.status_code == 403
    assert work.times_asked(WithdrawConsent) == 0


async def test_a_case_that_may_not_be_seen_cannot_be_withdrawn(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        replies = [await post(client, f"/cases/{ref}/withdraw", **FORM, confirmed="true") for ref in (uuid4(), "x")]
    assert {reply.status_code for reply in replies} == {404}
    assert work.times_asked(WithdrawConsent) == 0


async def test_the_shien_desk_has_no_such_form(stand_in: Desk) -> None:
    async with browser(stand_in(SHIEN)) as client:
        await sign_in(client)
        assert (await post(client, PATH, **FORM)).status_code == 404


@pytest.mark.rule("C11")
async def test_what_has_to_end_of_a_withdrawn_case_is_recorded_on_its_page_in_codes_and_days(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        await post(client, PATH, **FORM, confirmed="true")
        page = (await client.get(f"/cases/{CASE}/life")).text
        sent = {"step": "end", "after": "0", "request": str(uuid4()), "on": "2026-11-24", "ended": "died"}
        reply = await post(client, f"/cases/{CASE}/life", **sent)
    assert "同意がないので支援を終える" in page
    assert "死亡・転出で終わる" in page
    assert "アセスメントを記録する" not in page
    assert "<textarea" not in page
    assert "齋藤" not in page
    assert reply.status_code == 303
    (asked,) = [one for one, _ in work.asked if isinstance(one, TakeStep)]
    assert asked.act == Act(step=Step.END, on=date(2026, 11, 24), ended="died")
