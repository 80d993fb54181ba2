"""The pages of one compartment, as a browser meets them."""

import re
from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from contracts.coordination import Cases, ClientsOfCases, Trail
from contracts.directory import Staff
from contracts.intake import ClientOf, Particulars
from contracts.meetings import Sittings
from contracts.message import Compartment
from tests.desk.standin import CASE, CLIENTS, JUSO, SHIEN, StandIn, browser, sign_in

Desk = Callable[[Compartment | None], StandIn]
BOTH = pytest.mark.parametrize("compartment", [JUSO, SHIEN])


@BOTH
async def test_unknown_malformed_and_foreign_cases_look_the_same_to_the_byte(
    stand_in: Desk, compartment: Compartment
) -> None:
    async with browser(stand_in(compartment)) as client:
        await sign_in(client)
        replies = [await client.get(f"/cases/{ref}") for ref in (uuid4(), uuid4(), "x", f"{CASE}0")]
    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.content for reply in replies}) == 1
    assert "該当する事案はありません" in replies[0].text


@BOTH
async def test_the_week_names_the_kind_its_article_and_who_the_cases_are_about(
    stand_in: Desk, compartment: Compartment
) -> None:
    async with browser(stand_in(compartment)) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    juso = compartment is JUSO
    assert ("社会福祉法第106条の4第2項第5号" if juso else "社会福祉法第106条の6") in text
    assert "齋藤 久美子" in text
    assert "令和8年11月26日(木) 14:00〜15:00" in text
    assert "回答 3/6" in text
    assert "電話で連絡してください" in text
    assert text.index("今週</h2>") < text.index("このあと") < text.index("日程を探している事案")


@pytest.mark.rule("S3", "S14")
async def test_every_shien_page_reminds_of_secrecy_in_the_words_of_today_and_no_juso_page_does(stand_in: Desk) -> None:
    for compartment in (JUSO, SHIEN):
        async with browser(stand_in(compartment)) as client:
            pages = [await client.get("/sign-in"), await sign_in(client, password="wrong")]
            await sign_in(client)
            paths = ("/week", "/cases", f"/cases/{CASE}", "/cases/x", "/nowhere", "/commissions", "/stops/x")
            pages += [await client.get(path) for path in paths]
        said = ["1年以下の拘禁刑又は100万円以下の罰金" in reply.text for reply in pages]
        assert said == [compartment is SHIEN] * len(pages)


async def test_from_a_case_shien_never_asks_intake_and_juso_never_asks_for_names_in_shien(stand_in: Desk) -> None:
    for compartment, never in ((JUSO, ClientsOfCases), (SHIEN, ClientOf)):
        work = stand_in(compartment)
        async with browser(work) as client:
            await sign_in(client)
            for path in ("/week", "/cases", f"/cases/{CASE}"):
                assert (await client.get(path)).status_code == 200
        assert work.times_asked(never) == 0
        to_intake = {type(one).subject for one, _ in work.asked if type(one).subject.startswith("ask.intake.")}
        assert compartment is JUSO or to_intake == set(), "its own 受付 is another page"
        assert {to for _, to in work.asked} == {None}, "a desk asks in its own account only"


@BOTH
async def test_a_trail_tells_the_way_and_the_reason_for_each_step(stand_in: Desk, compartment: Compartment) -> None:
    async with browser(stand_in(compartment)) as client:
        await sign_in(client)
        text = (await client.get(f"/cases/{CASE}")).text
    reason = {
        JUSO: "同意あり → 重層的支援会議で扱います。根拠: 社会福祉法第106条の4第2項第5号(C1)",
        SHIEN: "同意なし(未確認) → 支援会議で扱います。根拠: 社会福祉法第106条の6(C5)",
    }[compartment]
    told = ["つなぐシートを受け付けました", reason, "会議の日程を決めました", "案内を送りました(4/6人)"]
    assert [one for one in told if one not in text] == []
    assert "昭和33年3月9日(68歳)" in text
    assert "令和8年11月12日(木)" in text


@pytest.mark.rule("C6")
@BOTH
async def test_a_case_says_who_explained_its_referral_or_that_nobody_has_said(
    stand_in: Desk, compartment: Compartment, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = stand_in(compartment)
    told = Particulars(found=True, name="齋藤 久美子", explained_by="日髙 奈緒", explained_on=date(2026, 10, 30))
    by_whom = {"told": told, "untold": told.model_copy(update={"explained_by": "", "explained_on": None})}
    shown = {}
    async with browser(work) as client:
        await sign_in(client)
        for name, who in by_whom.items():
            monkeypatch.setitem(CLIENTS, CASE, who)
            shown[name] = (await client.get(f"/cases/{CASE}")).text
    assert "<dd>日髙 奈緒 令和8年10月30日(金)" in shown["told"]
    assert "(C6)" not in shown["told"]
    due = {JUSO: "「受付」の判断と一緒に記録してください(C6)", SHIEN: "後から分かったことは「受付」にあります(C6)"}
    assert due[compartment] in shown["untold"]


async def test_what_people_typed_is_text_never_markup(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    nasty = Particulars(found=True, name="<script>alert(1)</script>", number='"><b>', reason="<img src=x>")
    work.answers[ClientOf] = lambda _: nasty
    async with browser(work) as client:
        await sign_in(client)
        texts = [(await client.get(path)).text for path in ("/week", "/cases", f"/cases/{CASE}")]
    for text in texts:
        assert "&lt;script&gt;" in text
        assert not re.findall(r"<script|<img|<b>", text)


async def test_while_intake_is_silent_the_week_is_shown_without_names(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.silence(ClientOf, Staff)
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.get("/week")
    assert reply.status_code == 200
    assert "職員の氏名、本人の氏名をただいま確認できません" in reply.text
    assert "令和8年11月26日(木) 14:00〜15:00" in reply.text
    assert "齋藤" not in reply.text


@pytest.mark.parametrize(
    ("question", "path"), [(Sittings, "/week"), (Cases, "/week"), (Cases, "/cases"), (Trail, f"/cases/{CASE}")]
)
async def test_without_its_main_part_a_page_asks_for_patience(stand_in: Desk, question: type, path: str) -> None:
    work = stand_in(SHIEN)
    work.silence(question)
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.get(path)
    assert reply.status_code == 503
    assert "ただいま確認できません" in reply.text
    assert "少し待って読み直してください" in reply.text
    assert "サインアウト" in reply.text


async def test_a_silent_intake_is_not_asked_for_every_name(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.cases = tuple(work.cases[2].model_copy(update={"case": uuid4()}) for _ in range(120))
    work.silence(ClientOf)
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.get("/cases?page=2")
    assert "2/3ページ" in reply.text
    assert work.times_asked(ClientOf) == 20


@BOTH
async def test_a_week_is_chosen_by_any_of_its_days(stand_in: Desk, compartment: Compartment) -> None:
    async with browser(stand_in(compartment)) as client:
        await sign_in(client)
        reply = await client.get("/week?start=2026-12-13")
        assert "令和8年12月7日(月)〜12月13日(日)" in reply.text
        for nonsense in ("kinou", "2026-13-01", "9999-12-31", "0001-01-01"):
            refused = await client.get("/week", params={"start": nonsense})
            assert (refused.status_code, nonsense in refused.text) == (400, False)


@BOTH
async def test_no_error_repeats_what_was_sent(
    stand_in: Desk, compartment: Compartment, caplog: pytest.LogCaptureFixture
) -> None:
    work = stand_in(compartment)
    canary = "宇治原カナリア"

    def explode(_: object) -> None:
        raise RuntimeError(canary)

    async with browser(work) as client:
        await sign_in(client)
        work.answers[Cases] = explode
        replies = [
            await client.get(f"/{canary}"),
            await client.get("/cases", params={"page": canary}),
            await client.get("/cases"),
            await client.post("/sign-in", data={"login": canary * 20, "password": canary}),
            await client.post("/sign-in", content=canary.encode()),
            await client.post("/sign-in", data={"login": "x" * 140_000}),
            await client.request("DELETE", f"/cases/{canary}"),
        ]
    assert [reply.status_code for reply in replies] == [404, 400, 500, 400, 401, 413, 405]
    assert not [reply for reply in replies if canary in reply.text]
    assert canary not in caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.rule("S11")
@pytest.mark.parametrize("compartment", [JUSO, SHIEN, None])
async def test_every_answer_forbids_keeping_framing_indexing_and_telling_where_from(
    stand_in: Desk, compartment: Compartment | None
) -> None:
    work = stand_in(compartment)

    async with browser(work) as client:
        replies = [await client.get(path) for path in ("/health", "/kasane.css", "/week", "/sign-in", "/nowhere")]
        replies.append(await client.post("/sign-in"))
    for reply in replies:
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["x-robots-tag"].startswith("noindex")
        assert reply.headers["content-security-policy"].startswith("default-src 'self'")
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert replies[0].json() == {"status": "ok"}


def test_the_pages_need_nothing_from_elsewhere() -> None:
    from services.desk import html

    shipped = html.STYLE + "".join(path.read_text("utf-8") for path in (html._HERE / "templates").glob("*.html"))
    assert not re.findall(r"https?://|//[a-z]|@import|url\(|<script|style=", shipped)


async def test_names_are_asked_only_for_cases_that_are_shown(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    async with browser(work) as client:
        await sign_in(client)
        await client.get("/week?start=2027-06-01")
    (asked,) = [one for one, _ in work.asked if isinstance(one, ClientsOfCases)]
    assert set(asked.cases) == set(CLIENTS) - {CASE}
