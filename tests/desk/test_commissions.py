"""委嘱 and 協力依頼 on the shien desk."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from contracts.commission import (
    AskCooperation,
    Commission,
    Commissioned,
    Cooperation,
    EndCommission,
    NoteCooperation,
    QuestionTemplate,
)
from contracts.coordination import Trail, TrailSteps
from contracts.message import Compartment
from tests.desk.standin import CASE, JUSO, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
FORM = {"starts": "2026-11-24", "last": "2027-03-31", "explained_on": "2026-11-24", "document": "小福第118号"}
HELP = {"agency": "byouin", "template": "papers", "due_on": "2026-12-08"}


def said(work: StandIn, question: type) -> list[object]:
    return [one for one, _ in work.asked if isinstance(one, question)]


@pytest.mark.rule("S7")
async def test_a_person_or_an_agency_is_commissioned_from_midnight_to_the_end_of_the_last_day(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        for who in (PEOPLE[5].hex, "gakko"):
            assert (await post(client, "/commissions", who=who, **FORM)).headers["location"] == "/commissions"
        text = (await client.get("/commissions")).text
    common = {
        "starts": datetime(2026, 11, 23, 15, tzinfo=UTC),
        "ends": datetime(2027, 3, 31, 15, tzinfo=UTC),
        "explained_on": date(2026, 11, 24),
        "document": "小福第118号",
    }
    assert said(work, Commission) == [
        Commission(person=PEOPLE[5], agency="byouin", **common),
        Commission(person=None, agency="gakko", **common),
    ]
    assert "黒木 大輔" in text
    assert "団体として" in text
    assert "令和8年11月24日(火)から令和9年3月31日(水)まで" in text
    assert "有効" in text


async def test_an_ended_commission_stays_on_the_list(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        await post(client, "/commissions", who="gakko", **FORM)
        assert (await post(client, f"/commissions/{UUID(int=0xF1)}/end")).status_code == 303
        text = (await client.get("/commissions")).text
    assert said(work, EndCommission) == [EndCommission(commission=UUID(int=0xF1))]
    assert "終了" in text
    assert "終わらせる" not in text


async def test_a_refusal_is_told_with_its_rule(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    work.answers[Commission] = lambda _: Commissioned(done=False, rule="S7", message="さかのぼる委嘱はできません。")
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, "/commissions", who="gakko", **FORM)
    assert reply.status_code == 409
    assert "さかのぼる委嘱はできません。(S7)" in reply.text


@pytest.mark.parametrize(
    "wrong", [{"who": "nobody"}, {"who": uuid4().hex}, {"starts": "x"}, {"document": ""}, {"document": "二 語"}]
)
async def test_a_form_that_no_page_of_ours_sends_commissions_nobody(stand_in: Desk, wrong: dict[str, str]) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, "/commissions", **({"who": "gakko"} | FORM | wrong))
    assert reply.status_code == 400
    assert said(work, Commission) == []


@pytest.mark.rule("S1")
async def test_only_the_municipality_commissions(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    work.agency = "byouin"
    async with browser(work) as client:
        await sign_in(client)
        replies = [
            await client.get("/commissions"),
            await post(client, "/commissions", who="byouin", **FORM),
            await post(client, f"/commissions/{uuid4()}/end"),
        ]
    assert {reply.status_code for reply in replies} == {403}
    assert all("市町村の担当者に頼んでください" in reply.text for reply in replies)
    assert said(work, Commission) + said(work, EndCommission) == []


async def test_the_juso_desk_knows_no_commissions(stand_in: Desk) -> None:
    async with browser(stand_in(JUSO)) as client:
        await sign_in(client)
        text = (await client.get("/cases")).text
        assert (await client.get("/commissions")).status_code == 404
        assert (await post(client, f"/cases/{CASE}/cooperation", **HELP)).status_code == 404
    assert "委嘱" not in text


async def test_a_body_is_asked_by_a_fixed_question_and_the_letter_is_shown(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, f"/cases/{CASE}/cooperation", **HELP)
        case = (await client.get(f"/cases/{CASE}")).text
    assert said(work, AskCooperation) == [
        AskCooperation(case=CASE, agency="byouin", template=QuestionTemplate.PAPERS, due_on=date(2026, 12, 8))
    ]
    assert "社会福祉法第106条の6に基づき、資料の提供をお願いします。" in reply.text
    assert "小林市立病院 地域連携室" in reply.text
    assert "令和8年12月8日(火)" in case


@pytest.mark.parametrize(
    ("note", "shown"),
    [({"answer": "通院歴の資料を受け取った。"}, "通院歴の資料を受け取った。"), ({"asks_back": "true"}, "委嘱する</a>")],
)
async def test_an_answer_is_noted_and_a_question_back_opens_the_way_to_a_commission(
    stand_in: Desk, note: dict[str, str], shown: str
) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        await post(client, f"/cases/{CASE}/cooperation", **HELP)
        reply = await post(client, f"/cases/{CASE}/cooperation/{UUID(int=0xF2)}", **note)
        assert reply.headers["location"] == f"/cases/{CASE}"
        text = (await client.get(f"/cases/{CASE}")).text
        chosen = (await client.get("/commissions?agency=byouin")).text
    assert shown in text
    assert "回答を記録する" not in text
    assert '<option value="byouin" selected>' in chosen


async def test_a_request_of_another_case_and_an_empty_answer_are_not_noted(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        await post(client, f"/cases/{CASE}/cooperation", **HELP)
        assert (await post(client, f"/cases/{CASE}/cooperation/{uuid4()}", answer="あ")).status_code == 404
        assert (await post(client, f"/cases/{CASE}/cooperation/{UUID(int=0xF2)}", answer=" ")).status_code == 400
        work.answers[Trail] = lambda _: TrailSteps(case=None)
        for path in (f"/cases/{CASE}/cooperation", f"/cases/{CASE}/cooperation/{UUID(int=0xF2)}"):
            assert (await post(client, path, **HELP, answer="あ")).status_code == 404
    assert said(work, NoteCooperation) == []
    assert len(said(work, AskCooperation)) == 1


async def test_a_refused_request_names_its_rule_and_the_longest_answer_fits(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        await post(client, f"/cases/{CASE}/cooperation", **HELP)
        path = f"/cases/{CASE}/cooperation/{UUID(int=0xF2)}"
        assert (await post(client, path, answer="髙" * 1500)).status_code == 303
        work.answers[AskCooperation] = lambda _: Cooperation(
            done=False, rule="S5", message="期限は明日以降にしてください。"
        )
        reply = await post(client, f"/cases/{CASE}/cooperation", **HELP)
    assert reply.status_code == 409
    assert "期限は明日以降にしてください。(S5)" in reply.text


@pytest.mark.parametrize("path", ["/commissions", f"/commissions/{UUID(int=0xC1)}/end", f"/cases/{CASE}/cooperation"])
async def test_without_this_sessions_token_nothing_is_recorded(stand_in: Desk, path: str) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.post(path, data={"who": "gakko"} | FORM | HELP)
    assert reply.status_code == 403
    assert "1年以下の拘禁刑" in reply.text
    assert said(work, Commission) + said(work, EndCommission) + said(work, AskCooperation) == []
