"""A story of each of the eight cities, from referral to 終結: who sat, which body heard it, who decided.

Sources: 種002 is 小林市's plan; 種003 the training papers of 令和2年度 with 整備パターン①–⑤ and the cities' examples.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.consent import ConsentState
from contracts.filling import validate
from contracts.form_editions import in_force
from contracts.legal_basis import JUSO_BASIS, SHIEN_BASIS
from contracts.life import LegalService, Outcome, State, Step
from tests.cities.story import Story, called, required, told_in
from tests.contracts.form_samples import TOBA

Tell = Callable[[str], AbstractAsyncContextManager[Story]]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """tell("iga"): a story of 伊賀市."""

    @asynccontextmanager
    async def tell(name: str) -> AsyncIterator[Story]:
        async with told_in(name, tmp_path, monkeypatch) as story:
            yield story

    return tell


# -- 小林市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D6")
async def test_kobayashi_talks_a_case_over_in_the_kobetsu_and_finds_its_plan_fit_in_the_teirei(tell: Tell) -> None:
    """種002 4: 個別会議 shares and examines, 定例会議 judges 「プランの適切さ、支援の終結」; the city decides (D2)."""
    async with tell("kobayashi") as story:
        await story.refer("houkatsu-kobayashi", "kikan", "jiritsu", urgent=True)
        plan = story.plan("shakyo", "kikan", services=[LegalService.PARTICIPATION])
        await story.does("橋口", Step.ASSESS, story.act(Step.DRAFT, plan=plan), Step.BRING)
        kobetsu = await story.hold()
        assert (kobetsu.body, kobetsu.regular) == ("kobetsu", False)
        assert {"fukushi", "shakyo", "houkatsu-kobayashi", "kikan", "jiritsu"} <= set(called(kobetsu)), "P10"

        refused = await story.take("橋口", Step.RECORD_RESULT)
        assert (refused.done, refused.rule) == (False, "D6")
        assert "定例会議" in refused.reason
        assert (
            await story.does("橋口", story.act(Step.RECORD_RESULT, outcome=Outcome.RAISE))
        ).state is State.AT_MEETING
        early = await story.take("橋口", Step.RECORD_RESULT)
        assert early.rule == "T1", "the 定例会議 has not been held yet"

        teirei = await story.hold()
        assert (teirei.body, teirei.regular) == ("teirei", True)
        assert required(teirei) == {"fukushi", "shakyo"}, "P1, P2"
        await story.does("橋口", Step.RECORD_RESULT)
        decision = story.act(Step.DECIDE, services=plan.services)
        assert (await story.take("橋口", decision)).rule == "D2"
        assert (await story.does("髙橋", decision)).state is State.UNDERWAY
        ended = await story.close("橋口", lead="houkatsu-kobayashi")
        assert ended.state is State.CLOSED
        assert [one.body for one in story.heard] == ["kobetsu", "teirei", "teirei"]


# -- 岡山市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M10")
async def test_okayama_raises_what_the_kentokai_cannot_settle_to_the_advisers(tell: Tell) -> None:
    """種003 例①: 「検討会で対応が困難な場合は…アドバイザー会議において方針を決定」; here without consent."""
    async with tell("okayama") as story:
        await story.refer("hoken-center", "houkatsu", "kikan", consent=ConsentState.REFUSED)
        await story.does("三宅", Step.ASSESS, story.act(Step.DRAFT, plan=story.plan("houkatsu", "kikan")), Step.BRING)
        kentokai = await story.hold()
        assert (kentokai.body, kentokai.basis, kentokai.regular) == ("kentokai", SHIEN_BASIS.code, True)
        assert "suishin" in called(kentokai), "相談支援包括化推進員 (種003 参加者)"

        silent = await story.take("三宅", Step.RECORD_RESULT, outcome=Outcome.RAISE, words="")
        assert silent.rule == "T2", "the reason why nothing could be decided is part of it"
        await story.does("三宅", story.act(Step.RECORD_RESULT, outcome=Outcome.RAISE, words="支援方針が定まらない。"))
        adviser = await story.hold()
        assert (adviser.body, adviser.basis) == ("adviser", SHIEN_BASIS.code)
        heads = {"hokenjo", "iryo", "houkatsu", "kyogikai", "shogai", "hoken-seisaku", "kokoro", "kodomo-sogo"}
        assert heads | {"kodomo-fukushi", "hattatsu", "yorisoi"} <= set(called(adviser)), "the heads of 種003"
        standing = [seat for seat in adviser.seats if not seat.partly]
        assert len([seat for seat in standing if seat.need == "expected"]) == 12, "twelve advisers"
        assert {seat.agency for seat in adviser.seats if seat.partly} == {"hoken-center", "kikan"}, "of the case (P4)"

        again = await story.take("三宅", Step.RECORD_RESULT, outcome=Outcome.RAISE)
        assert again.rule == "M10", "nothing is above the advisers"
        await story.does("三宅", Step.RECORD_RESULT, Step.CONFIRM)
        assert (await story.close("三宅", lead="houkatsu")).state is State.CLOSED
        assert [one.body for one in story.heard] == ["kentokai", "adviser", "kentokai"]


@pytest.mark.rule("M10")
async def test_nothing_comes_to_okayama_s_advisers_that_was_not_raised_to_them(tell: Tell) -> None:
    """Their meeting is the next one of all, on the third Tuesday; the case waits for the 検討会 all the same."""
    async with tell("okayama") as story:
        await story.refer("houkatsu", "kikan")
        (sitting,) = await story.sittings()
        assert (sitting.body, sitting.basis) == ("kentokai", JUSO_BASIS.code)


# -- 名張市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("P1")
async def test_nabari_s_case_has_one_director_who_hands_it_over_to_another_field(tell: Tell) -> None:
    """種003 例②: each field has an エリアディレクター (連携担当職員); まちの保健室's cases come to the 高齢 one."""
    async with tell("nabari") as story:
        await story.refer("machi-1", "kikan", "jiritsu")
        (before,) = await story.sittings()
        assert required(before) == {"somu", "dir-korei"}
        assert "dir-shogai" not in called(before), "another field's director has no part in it yet"

        other = await story.take("中子", Step.ASSESS)
        assert other.rule == "P1"
        assert "エリアディレクター(高齢)" in other.reason
        await story.does("杉本", Step.ASSESS)
        nobody = await story.take("杉本", Step.HAND_OVER, counterpart="kikan")
        assert nobody.rule == "P1", "the 基幹 is no director"
        await story.does(
            "杉本", story.act(Step.HAND_OVER, counterpart="dir-shogai", words="長男の障害が中心になった。")
        )
        assert (await story.take("杉本", Step.DRAFT)).rule == "P1", "it is no longer theirs"

        now = (await story.sittings())[-1]
        assert required(now) == {"somu", "dir-shogai"}
        assert "dir-korei" not in called(now)
        await story.does("中子", story.act(Step.DRAFT, plan=story.plan("kikan", "jiritsu")), Step.BRING)
        await story.hold()
        absent = await story.take("中子", Step.RECORD_RESULT, present=("somu", "dir-korei", "kikan"))
        assert absent.rule == "P1"
        assert "エリアディレクター(障害)" in absent.reason
        await story.does("中子", Step.RECORD_RESULT, Step.REPORT)
        assert (await story.close("中子", lead="kikan")).state is State.CLOSED
        history = (await story.look("稲森")).history
        assert [one.agency for one in history if one.act.step is Step.HAND_OVER] == ["dir-korei"]


async def test_nabari_s_referrals_go_to_the_director_of_the_referrer_s_field(tell: Tell) -> None:
    """種003 例②: each 包括的相談支援事業 has its own 連携担当."""
    async with tell("nabari") as story:
        await story.refer("gakko", "kodomo")
        (sitting,) = await story.sittings()
        assert required(sitting) == {"somu", "dir-kyoiku"}


# -- 氷見市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D8", "D9")
async def test_himi_s_desk_takes_a_consultation_in_as_a_case_without_any_referral(tell: Tell) -> None:
    """種003 例③: ふくし総合サポートセンター takes in and coordinates: it is its own 紹介元, and sits once."""
    async with tell("himi") as story:
        await story.refer("sapo", "kosodate", "branch")
        (sitting,) = await story.sittings()
        assert [seat.agency for seat in sitting.seats].count("sapo") == 1
        nowhere = await story.take("森杉", Step.GIVE_BACK, counterpart="sapo")
        assert nowhere.rule == "D8"
        assert "紹介元がありません" in nowhere.reason

        await story.does("森杉", Step.ASSESS, story.act(Step.DRAFT, plan=story.plan("sapo", "branch")), Step.BRING)
        juso = await story.hold()
        assert required(juso) == {"fukushi", "sapo"}, "市役所・社協の協働 (種003)"
        nobody = await story.take("森杉", Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS)
        assert nobody.rule == "D9"
        await story.does("森杉", Step.RECORD_RESULT, Step.REPORT)
        assert (await story.close("森杉", lead="branch")).state is State.CLOSED


@pytest.mark.rule("D8")
async def test_himi_s_desk_passes_on_what_needs_no_coordination(tell: Tell) -> None:
    """There is a door, though no referrer: whoever carries on is named."""
    async with tell("himi") as story:
        await story.refer("sapo", "kosodate")
        passed = await story.take("森杉", Step.GIVE_BACK, counterpart="kosodate")
        assert passed.state is State.RETURNED


# -- 豊田市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M10", "P1")
async def test_toyota_hears_a_case_in_its_area_and_raises_it_to_the_city_s_level(tell: Tell) -> None:
    """種003 例④: 2層 推進員 (社協 CSW) of the area, 1層 推進員 (直営) of the city; the one hands over to the other."""
    async with tell("toyota") as story:
        await story.refer("houkatsu-takahashi", "kikan")
        await story.does(
            "宇野", Step.ASSESS, story.act(Step.DRAFT, plan=story.plan("csw-takahashi", "kikan")), Step.BRING
        )
        area = await story.hold()
        assert (area.body, area.place) == ("juso-takahashi", "takahashi")
        assert required(area) == {"soudan", "csw-takahashi"}
        assert not {"isso", "niso-asuke", "houkatsu-asuke"} & set(called(area)), "the other area has no part in it"

        await story.does("宇野", story.act(Step.RECORD_RESULT, outcome=Outcome.RAISE))
        city = await story.hold()
        assert (city.body, city.place) == ("juso", "shiyakusho")
        assert required(city) == {"soudan", "isso", "csw-takahashi"}, "the area's coordinator comes with its case"
        await story.does("宇野", Step.RECORD_RESULT, Step.REPORT)

        await story.does("宇野", story.act(Step.HAND_OVER, counterpart="isso", words="高橋地区を越えて支える。"))
        assert (await story.take("宇野", Step.EVALUATE)).rule == "P1"
        assert (await story.close("杉浦", lead="kikan")).state is State.CLOSED
        assert [one.body for one in story.heard] == ["juso-takahashi", "juso", "juso"], (
            "a case of the 1層 is the city's"
        )


async def test_toyota_s_other_cases_come_to_the_city_s_level_at_once(tell: Tell) -> None:
    """種003 例④: 総合相談窓口 (福祉総合相談課) and whoever serves the whole city work with the 1層."""
    async with tell("toyota") as story:
        await story.refer("kurashi", "kikan")
        (sitting,) = await story.sittings()
        assert (sitting.body, required(sitting)) == ("juso", {"soudan", "isso"})


# -- 伊賀市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M5", "M7")
async def test_iga_hears_a_case_in_the_part_of_its_care_meeting_that_rests_on_the_right_law(tell: Tell) -> None:
    """種003 例⑤: 調整係が…会議(地域ケア会議)を開催し、アセスメント及び役割の整理を行う. 種000: time is cut apart."""
    async with tell("iga") as story:
        await story.refer("houkatsu", "jiritsu", "kikan")
        await story.does("坂本", Step.ASSESS, story.act(Step.DRAFT, plan=story.plan("houkatsu", "jiritsu")), Step.BRING)
        care = await story.hold()
        assert (care.body, care.basis, care.regular) == ("care", JUSO_BASIS.code, True)
        assert f"{care.starts:%H:%M}" == "05:30", "14:30 in Japan: after its own business under 介護保険法"
        assert required(care) == {"seisaku", "chosei"}
        await story.does("坂本", Step.RECORD_RESULT, Step.REPORT)
        assert (await story.close("坂本", lead="houkatsu")).state is State.CLOSED


@pytest.mark.rule("M7", "C4")
async def test_iga_s_care_meeting_hears_nobody_who_did_not_consent(tell: Tell) -> None:
    """No part of it rests on 106条の6, whatever its name: the case goes to a 支援会議 that the city holds (S1)."""
    async with tell("iga") as story:
        await story.refer("houkatsu", "jiritsu", consent=ConsentState.REFUSED)
        (sitting,) = await story.sittings()
        assert (sitting.body, sitting.basis, sitting.regular) == ("shien", SHIEN_BASIS.code, False)


# -- 野洲市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S13")
async def test_yasu_s_head_alone_calls_the_meeting_and_approves_its_minutes(tell: Tell) -> None:
    """野洲市支援調整会議要綱 3条3項 (公 P6): 会議の招集 and 会議録の承認 are the 総括者's; nobody stands in."""
    async with tell("yasu") as story:
        await story.refer("houkatsu", "shakyo", "kosodate")
        await story.does("中小路", Step.ASSESS, story.act(Step.DRAFT, plan=story.plan("houkatsu", "shakyo")))
        for who in ("中小路", "辻"):
            refused = await story.take(who, Step.BRING)
            assert refused.rule == "S13"
            assert "総括者(市民生活相談課長)" in refused.reason
        (way,) = [one for one in (await story.look("辻")).ways if one.step is Step.BRING]
        assert (way.allowed, way.rule) == (False, "S13"), "the page says so before anybody fills in the form"
        (way,) = [one for one in (await story.look("北川")).ways if one.step is Step.BRING]
        assert way.allowed

        await story.does("北川", Step.BRING)
        chosei = await story.hold()
        assert (chosei.body, chosei.basis, chosei.regular) == ("chosei", JUSO_BASIS.code, True), "毎月1回 (種003, M11)"
        assert {"shimin", "takikan"} <= required(chosei)
        assert (await story.take("中小路", Step.RECORD_RESULT)).rule == "S13"
        await story.does("北川", Step.RECORD_RESULT)
        await story.does("中小路", Step.REPORT, Step.EVALUATE)
        await story.does("北川", Step.BRING_CLOSING)
        await story.hold()
        await story.does("北川", Step.RECORD_RESULT)
        ended = await story.take("中小路", Step.CLOSE, lead="houkatsu")
        assert ended.state is State.CLOSED


# -- 鳥羽市 ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M12")
async def test_toba_s_reception_sheet_brings_a_case_to_a_meeting_of_its_own(tell: Tell) -> None:
    """種003 鳥羽市: 受付表に相談内容、関係機関等、今後関わりが必要な機関等; 包括化推進員が日程等を決める; 随時開催."""
    sheet: dict[str, Any] = {
        "requested_on": "2026-11-20",
        "requested_by": "﨑山 恵",
        "agency": "houkatsu",
        "consultation": "介護と家計とひきこもりが重なり、主担当が決まっていない。",
        "agencies": [{"agency": "鳥羽市地域包括支援センター"}, {"agency": "鳥羽市社会福祉協議会"}],
        "agencies_to_come": [{"agency": "鳥羽市民生委員児童委員協議会"}],
    }
    async with tell("toba") as story:
        codes = {agency.name: agency.code for agency in story.city.profile.agencies}
        read = validate(in_force(TOBA, "x_case_meeting_request", date(2026, 11, 20)), sheet, set(codes.values()))
        assert read.faults == ()
        named = [codes[line["agency"]] for column in ("agencies", "agencies_to_come") for line in read.values[column]]
        await story.refer("houkatsu", *named, consent=ConsentState.NOT_ASKED)
        plan = story.plan("houkatsu", "shakyo")
        assert not (await story.look("寺本")).found, "before it sits, only the city itself reads it (S1)"
        await story.does("中村", Step.ASSESS, story.act(Step.DRAFT, plan=plan), Step.BRING)
        met = await story.hold()
        assert (met.body, met.basis, met.regular) == ("chiikikyosei", SHIEN_BASIS.code, False)
        assert {"kenkofukushi", "houkatsu", "shakyo", "minsei"} <= set(called(met)), "民生委員 come, too (種003 参加者)"
        assert "kenkofukushi" in required(met)
        await story.does("中村", Step.RECORD_RESULT, Step.CONFIRM)
        assert (await story.close("中村", lead="houkatsu")).state is State.CLOSED
