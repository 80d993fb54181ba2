"""On which ground a case is shared, as its page tells it."""

from collections.abc import Callable

import pytest

from contracts.commission import Cooperations
from contracts.coordination import ExplainItem
from contracts.disclosure import DisclosuresAtMeetings
from contracts.intake import LookAtStop
from contracts.message import Compartment
from tests.desk.standin import CASE, JUSO, SHIEN, StandIn, browser, sign_in

Desk = Callable[[Compartment | None], StandIn]
BOTH = pytest.mark.parametrize("compartment", [JUSO, SHIEN])


async def page(work: StandIn) -> str:
    """The case's page."""
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.get(f"/cases/{CASE}")
    assert reply.status_code == 200
    return reply.text


async def test_the_consent_is_told_with_its_scope_and_of_the_household_only_how_many(stand_in: Desk) -> None:
    text = await page(stand_in(JUSO))
    told = [
        "同意あり(第2版)",
        "令和8年11月12日(木) 0:00から令和9年11月13日(土) 0:00の前まで",
        "福祉課、小林市地域包括支援センター",
        "プラン策定、再プラン",
        "本人のほか2人",
        "含まない",
        "令和8年11月12日(木) 10時00分03秒に停止を確認しました。",
    ]
    assert [one for one in told if one not in text] == []


async def test_a_consent_that_was_never_changed_has_stopped_nothing(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.stop = work.stop.model_copy(update={"version": 1})
    text = await page(work)
    assert "停止を確認しました" not in text
    assert "同意の撤回を記録する" in text


async def test_a_shien_page_has_no_consent_and_a_juso_page_no_cooperation(stand_in: Desk) -> None:
    juso, shien = await page(stand_in(JUSO)), await page(stand_in(SHIEN))
    assert ("同意の撤回を記録する" in juso, "協力を依頼する" in juso) == (True, False)
    assert ("同意の撤回を記録する" in shien, "協力を依頼する" in shien) == (False, True)


@BOTH
async def test_the_page_says_who_may_hear_by_which_row_and_what_it_would_take_otherwise(
    stand_in: Desk, compartment: Compartment
) -> None:
    text = await page(stand_in(compartment))
    row, other, door = {
        JUSO: ("P1(C1・C2)", "N5(C3・C1)", "この機関を含む同意を得てください。"),
        SHIEN: ("P2(C4・S8)", "N8(S6・S7)", "その人か所属する団体を委嘱してください。"),
    }[compartment]
    assert text.index(row) < text.index(other) < text.index(door), "who may hear comes first"
    assert "小林市立病院 地域連携室" in text


@BOTH
async def test_the_register_names_who_when_and_by_which_ground_from_both_registers(
    stand_in: Desk, compartment: Compartment
) -> None:
    text = await page(stand_in(compartment))
    register = text[text.index("共有の記録") :]
    ground = "同意 第2版(P1、C1・C2)" if compartment is JUSO else "委嘱(P2、C4・S8)"
    assert register.index("岩﨑 悠") < register.index("髙橋 美穂"), "oldest first"
    assert register.count(ground) == 2
    assert "案内を受けた" in register
    assert "令和8年11月24日(火) 5時00分00秒" in register


@pytest.mark.parametrize(
    ("compartment", "question", "heading"),
    [
        (JUSO, ExplainItem, "聞ける機関"),
        (JUSO, DisclosuresAtMeetings, "共有の記録"),
        (SHIEN, Cooperations, "協力依頼"),
        (JUSO, LookAtStop, "最後の変更の確認"),
    ],
)
async def test_a_part_that_nobody_can_tell_is_missing_and_the_rest_is_shown(
    stand_in: Desk, compartment: Compartment, question: type, heading: str
) -> None:
    work = stand_in(compartment)
    work.silence(question)
    text = await page(work)
    part = text[text.index(f"{heading}</h") :]
    assert "ただいま確認できません" in part[:300]
    assert "齋藤 久美子" in text
