"""「つなぐシートを書き入れる」 on both desks, with the real office of intake behind them."""

from collections.abc import Callable
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.intake import ReferralWithConsent, ReferralWithoutConsent
from contracts.message import Compartment
from contracts.office import DeskOfficer, ShienOfficer
from contracts.policy import derive_kind
from contracts.reception import DeskTriageList
from contracts.reception_shien import ShienTriageList
from contracts.referring import ConsentedText, UnconsentedText
from services import intake
from services.desk.handlers import service as desk_service
from services.intake import sealed
from services.intake.tables import client, referral
from tests.desk.standin import JUSO, PEOPLE, SHIEN, StandIn, browser, post, sign_in
from tests.stage import Stage

Desk = Callable[[Compartment | None], StandIn]
TYPED = {
    "referrer": "houkatsu-kobayashi",
    "referrer_staff": "日髙 奈緒",
    "received_on": "2026-11-02",
    "name": "髙橋 キヨ子",
    "kana": "たかはし きよこ",
    "sex": "female",
    "born_on": "1943-06-09",
    "address": "小林市細野9901番地",
    "problems": ["elder_care", "income_work"],
    "reason": "母の年金で二人で暮らしている。",
    "member_1": "髙橋 和彦",
    "age_1": "54",
    "relation_1": "長男",
    "agencies": ["jiritsu", "shakyo"],
}
CONSENTED = TYPED | {"consent": "given", "consented_on": "2026-11-02"}
REFUSED = TYPED | {"consent": "refused"}
FIRST = DeskOfficer(person=PEOPLE[0], agency="fukushi")
FIRST_OF_SHIEN = ShienOfficer(person=PEOPLE[0], agency="fukushi")


@pytest.fixture
def office(stage: Callable[..., Stage], stand_in: Desk) -> Callable[[Compartment], tuple[StandIn, Stage]]:
    """A desk before the real intake."""

    def make(where: Compartment) -> tuple[StandIn, Stage]:
        work = stand_in(where)
        behind = stage(intake.service, profile=work.profile)
        asked = [one for one in desk_service.asks if one.subject.startswith("ask.intake.")]
        work.answers |= dict.fromkeys(asked, behind.ask)
        return work, behind

    return make


async def typed_in(client: httpx.AsyncClient, said: dict[str, Any], request: UUID | None = None) -> httpx.Response:
    return await post(client, "/reception/new", **said | {"request": str(request or uuid4())})


def kept(behind: Stage) -> list[Any]:
    return list(behind.do(lambda tx: tx.execute(select(referral)).mappings().all()))


@pytest.mark.rule("C1", "C6")
async def test_what_a_person_types_in_with_consent_is_a_referral_to_be_decided_and_opens_its_case(office: Any) -> None:
    work, behind = office(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        assert "同意を得てから" in (await client.get("/reception/new")).text
        reply = await typed_in(client, CONSENTED)
    (row,) = kept(behind)
    assert (row["state"], row["household_size"], row["referrer"]) == ("with_consent", 2, "houkatsu-kobayashi")
    assert f"受付番号は {row['number']} です" in reply.text
    assert f"/reception/referrals/{row['id']}" in reply.text
    assert [one.referral for one in behind.ask(DeskTriageList(by=FIRST)).waiting] == [row["id"]]
    (told,) = [one for one in behind.told() if isinstance(one, ReferralWithConsent)]
    assert set(told.agencies) == {"houkatsu-kobayashi", "jiritsu", "shakyo"}


@pytest.mark.rule("C6")
async def test_who_explained_it_is_typed_in_or_stays_to_be_asked(office: Any) -> None:
    work, behind = office(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        lacking = await typed_in(client, CONSENTED)
        known = await typed_in(client, CONSENTED | {"explained_by": "日髙 奈緒", "explained_on": "2026-11-01"})
    assert "説明者・説明日がありません" in lacking.text
    assert "がありません" not in known.text
    assert sorted(one.unexplained for one in behind.ask(DeskTriageList(by=FIRST)).waiting) == [False, True]


@pytest.mark.rule("C4", "C12")
async def test_without_consent_it_is_typed_in_at_the_desk_of_shien_and_juso_hears_nothing(office: Any) -> None:
    work, behind = office(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        assert (await typed_in(client, REFUSED)).status_code == 200
    assert [type(one) for one in behind.told()] == [ReferralWithoutConsent]
    assert len(behind.ask(ShienTriageList(by=FIRST_OF_SHIEN)).waiting) == 1
    assert behind.ask(DeskTriageList(by=FIRST)).waiting == ()


@pytest.mark.rule("C1", "C4")
@pytest.mark.parametrize(("where", "said"), [(JUSO, REFUSED), (SHIEN, CONSENTED)])
async def test_what_the_other_kind_of_meeting_hears_is_not_typed_in_here(office: Any, where: Any, said: Any) -> None:
    work, behind = office(where)
    async with browser(work) as client:
        await sign_in(client)
        reply = await typed_in(client, said)
    assert (reply.status_code, "同意区分" in reply.text) == (400, True)
    assert "髙橋 キヨ子" in reply.text, "what was typed is not lost"
    assert kept(behind) == []


@pytest.mark.rule("C1", "C4")
@pytest.mark.parametrize(("where", "text"), [(JUSO, ConsentedText), (SHIEN, UnconsentedText)])
def test_a_desk_takes_in_exactly_what_the_policy_sends_to_its_kind_of_meeting(where: Any, text: Any) -> None:
    allowed = set(get_args(text.model_fields["consent"].annotation))
    assert allowed == {state for state in ConsentState if derive_kind(state).compartment is where}


async def test_pressing_twice_is_one_referral_with_one_number(office: Any) -> None:
    work, behind = office(JUSO)
    request = uuid4()
    async with browser(work) as client:
        await sign_in(client)
        replies = [(await typed_in(client, CONSENTED, request)).text for _ in range(2)]
        other = await typed_in(client, CONSENTED | {"name": "髙橋 きよ子"}, request)
    (row,) = kept(behind)
    assert all(row["number"] in text for text in replies)
    assert (other.status_code, "別の内容" in other.text) == (409, True)


async def test_an_agency_refers_in_its_own_name_only(office: Any) -> None:
    work, behind = office(JUSO)
    work.person, work.agency = PEOPLE[2], "houkatsu-kobayashi"
    async with browser(work) as client:
        await sign_in(client)
        offered = (await client.get("/reception/new")).text
        assert "答えは、市町村または多機関協働の受付から" in (await typed_in(client, CONSENTED)).text
        reply = await typed_in(client, CONSENTED | {"referrer": "jiritsu"})
    assert '<option value="jiritsu"' not in offered
    assert (reply.status_code, "自分の機関を選ぶ" in reply.text) == (409, True)
    assert [row["referrer"] for row in kept(behind)] == ["houkatsu-kobayashi"]


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"kana": "髙橋"}, 409, "フリガナ"),
        ({"reason": "番号は123456789018です"}, 409, "紹介理由"),
        ({"received_on": "2999-01-01"}, 409, "受付日"),
        ({"consent": "narrowed", "agencies": []}, 409, "関係機関"),
        ({"age_1": "千歳"}, 400, "年齢"),
        ({"consented_on": ""}, 400, "同意日"),
        ({"name": "　"}, 409, "氏名"),
        ({"agencies": ["nowhere"]}, 409, "関係機関"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_kept(office: Any, wrong: Any, status: int, field: str) -> None:
    work, behind = office(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        reply = await typed_in(client, CONSENTED | wrong)
    assert reply.status_code == status
    alert = reply.text.split('role="alert">')[1].split("</p>")[0]
    assert field in alert
    assert "髙橋 和彦" not in alert
    assert kept(behind) == []


async def test_names_and_words_are_sealed_and_the_reading_is_kept_as_an_import_keeps_it(office: Any) -> None:
    work, behind = office(JUSO)
    async with browser(work) as browsing:
        await sign_in(browsing)
        await typed_in(browsing, CONSENTED)
    (row,) = behind.do(lambda tx: tx.execute(select(client)).mappings().all())
    kept_bytes = [value for value in row.values() if isinstance(value, bytes)]
    assert kept_bytes
    assert not any("髙橋".encode() in value for value in kept_bytes)
    who = behind.do(lambda tx: sealed.particulars(tx.execute(sealed.rows()).mappings().one(), tx))
    assert (who.name, who.kana) == ("髙橋 キヨ子", "タカハシ　キヨコ")
