"""「進み具合」 on the desk: what is open has a form, what is not says why, and what is typed in is one act."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from contracts.life import CaseDue, Contact, Due, Outcome, State, Step, StepTaken, Taken, TakeStep
from contracts.message import Compartment
from tests.coordination.test_life import PLAN, act
from tests.desk.standin import CASE, JUSO, OTHER, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
PATH = f"/cases/{CASE}/life"
PLAN_FORM = {
    "goals": "家計を立て直す。",
    "policy": "社協が家計の相談をする。",
    "role_0": "shakyo",
    "until_0": "2027-02-28",
    "does_0": "家計の相談",
    "services": "participation",
    "monitor_on": "2027-02-20",
}


def taken(work: StandIn) -> list[TakeStep]:
    return [one for one, _ in work.asked if isinstance(one, TakeStep)]


async def take(client: Any, by: Step, **said: Any) -> Any:
    common: dict[str, Any] = {"step": by.value, "after": "0", "request": str(uuid4()), "on": "2026-11-24"}
    return await post(client, PATH, **(common | said))


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_the_page_offers_what_is_open_and_says_why_the_rest_is_not(stand_in: Desk, kind: Compartment) -> None:
    work = stand_in(kind)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
    assert 'name="step" value="assess"' in text
    assert 'name="step" value="close"' not in text
    assert "これは「プラン案」のときに行います。" in text
    assert ("アセスメントとプラン案を作る(T1)" if kind is JUSO else "見守りと支援の方針を考える(S10)") in text
    assert ("支援決定を記録する" in text) == (kind is JUSO)


async def test_a_plan_is_taken_with_its_roles_and_services(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS)]
    async with browser(work) as client:
        await sign_in(client)
        assert (await take(client, Step.DRAFT, **PLAN_FORM)).headers["location"] == PATH
        text = (await client.get(PATH)).text
    (asked,) = taken(work)
    assert asked.act.plan
    assert asked.act.plan.roles[0].model_dump(mode="json") == {
        "agency": "shakyo",
        "until": "2027-02-28",
        "does": "家計の相談",
    }
    assert (asked.act.plan.services, asked.act.plan.monitor_on) == (("participation",), date(2027, 2, 20))
    assert (asked.viewer, asked.viewer_agency) == (work.person, "fukushi")
    assert "家計を立て直す。" in text
    assert "参加支援事業" in text


async def test_a_result_names_who_was_present(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN), act(Step.BRING)]
    async with browser(work) as client:
        await sign_in(client)
        await take(client, Step.RECORD_RESULT, outcome="fit_amended", present=["fukushi", "shakyo"])
    (asked,) = taken(work)
    assert (asked.act.outcome, asked.act.present) == (Outcome.FIT_AMENDED, ("fukushi", "shakyo"))


async def test_a_refused_form_comes_back_with_what_was_typed_and_what_others_did(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS)]
    other = Taken(number=1, act=act(Step.ASSESS), state=State.ASSESSED, by=PEOPLE[0], agency="fukushi", at=work.time)
    work.refusal = StepTaken(done=False, rule="T1", reason="ほかの人が先に記録しました。", since=(other,))
    async with browser(work) as client:
        await sign_in(client)
        reply = await take(client, Step.DRAFT, **PLAN_FORM)
    for typed in (PLAN_FORM["goals"], PLAN_FORM["policy"], PLAN_FORM["does_0"], PLAN_FORM["until_0"]):
        assert typed in reply.text
    assert '<option value="shakyo" selected>' in reply.text
    assert "アセスメントを記録する → アセスメント済み(福祉課 髙橋 美穂)" in reply.text


async def test_what_is_refused_says_the_rule_and_what_to_do(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.refusal = StepTaken(done=False, rule="T3", reason="訪問の記録がありません。", next_step="訪問してください。")
    async with browser(work) as client:
        await sign_in(client)
        reply = await take(client, Step.CONTACT, contact=Contact.CALL.value)
    assert reply.status_code == 409
    assert "訪問の記録がありません。訪問してください。(T3)" in reply.text


@pytest.mark.parametrize(
    ("wrong", "label"),
    [
        ({"on": "明日"}, "日付"),
        ({"contact": "smoke"}, "連絡の方法"),
        ({"step": "fly"}, "手順"),
        ({"request": "x"}, "入力"),
        ({"words": "あ" * 10_001}, "内容・理由"),
    ],
)
async def test_what_cannot_be_read_is_named_by_its_label_and_not_repeated(
    stand_in: Desk, wrong: dict[str, str], label: str
) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        reply = await take(client, Step.CONTACT, **({"contact": "call"} | wrong))
    assert reply.status_code == 400
    assert f"{label}の形が正しくありません。" in reply.text
    assert taken(work) == []


async def test_who_may_not_see_the_case_finds_no_page_of_its_life(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        for ref in (uuid4(), "x"):
            assert (await client.get(f"/cases/{ref}/life")).status_code == 404


async def test_an_agency_without_the_office_reads_and_has_no_form(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.agency = "kikan"
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
    assert 'name="step"' not in text
    assert "市町村か多機関協働事業者が行います。" in text


async def test_the_week_says_what_the_law_wants_next(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    wanted = Due(rule="T4", text="モニタリングをする", on=date(2026, 11, 20), late=True)
    work.due = [CaseDue(case=OTHER, state=State.UNDERWAY, due=(wanted,))]
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    assert "モニタリングをする(T4)" in text
    assert "過ぎています" in text
    assert f"/cases/{OTHER}/life" in text
