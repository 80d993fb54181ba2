"""What a page shows is what its viewer may see: nothing of other cases in lists, counts, dates or numbers."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.coordination import CaseList, Cases, ClientsOfCases, Trail, TrailSteps
from contracts.intake import ClientOf
from contracts.meetings import Sittings
from contracts.message import Compartment
from services.desk import pages
from services.service import AskFailed
from tests.desk.standin import CASE, JUSO, OTHER, PEOPLE, SHIEN, TUESDAY, StandIn, browser, post, sign_in, sitting, stub

Desk = Callable[[Compartment | None], StandIn]
BOTH = pytest.mark.parametrize("compartment", [JUSO, SHIEN])


@BOTH
async def test_every_question_about_a_case_says_who_looks_and_for_which_agency(
    stand_in: Desk, compartment: Compartment
) -> None:
    work = stand_in(compartment)
    async with browser(work) as client:
        await sign_in(client)
        for path in ("/week", "/cases", f"/cases/{CASE}"):
            assert (await client.get(path)).status_code == 200
    asked = [one for one, _ in work.asked]
    looks = [(one.viewer, one.viewer_agency) for one in asked if isinstance(one, Cases | Trail | ClientsOfCases)]
    assert len(looks) >= 3
    assert set(looks) == {(PEOPLE[0], "fukushi")}
    assert {one.agency for one in asked if isinstance(one, ClientOf)} == ({"fukushi"} if compartment is JUSO else set())


async def test_a_case_that_may_not_be_seen_leaves_nothing_on_list_week_or_page(stand_in: Desk) -> None:
    """Once there is no such case; once it waits for a date, and has a 随時 sitting where the viewer has no seat."""
    without, with_it = stand_in(JUSO), stand_in(JUSO)
    adhoc = sitting(JUSO, uuid4(), OTHER, TUESDAY + timedelta(days=1)).model_copy(update={"regular": False})
    without.waiting, with_it.sittings = (), (*with_it.sittings, adhoc)
    told = []
    for work in (without, with_it):
        work.person = uuid4()
        work.cases = tuple(one for one in work.cases if one.case != OTHER)
        async with browser(work) as client:
            await sign_in(client)
            replies = [await client.get(path) for path in ("/week", "/cases", f"/cases/{OTHER}", f"/cases/{CASE}")]
        told.append([re.sub(r'value="[0-9a-f]{64}"', "", reply.text) for reply in replies])
    assert told[0] == told[1]
    assert '<h1>事案一覧 <span class="range">2件</span></h1>' in told[1][1]


async def test_who_sits_in_a_sitting_of_unseen_cases_sees_the_date_but_no_case(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    adhoc = sitting(JUSO, uuid4(), OTHER, work.sittings[0].starts).model_copy(update={"regular": False})
    found = await work.ask(Sittings(starts=adhoc.starts, ends=adhoc.ends))
    found = found.model_copy(update={"sittings": (adhoc,)})
    cases = [one for one in work.cases if one.case != OTHER]
    (mine,) = pages.only_seen(found, cases, PEOPLE[2]).sittings
    assert mine.items == ()
    assert pages.only_seen(found, cases, uuid4()).sittings == ()
    assert pages.only_seen(found, work.cases, uuid4()).sittings == (adhoc,)


async def test_a_stopped_case_is_listed_without_its_content_and_nobody_asks_for_its_name(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.cases = tuple(stub(one.case) for one in work.cases)
    async with browser(work) as client:
        await sign_in(client)
        week, listed, one = [(await client.get(path)).text for path in ("/week", "/cases", f"/cases/{CASE}")]
    assert work.times_asked(ClientOf) == 0
    for text in (week, listed, one):
        assert "齋藤" not in text
        assert "介護" not in text.replace("長寿介護課", "")
        assert "改めて同意を得るか、支援会議で扱う必要性を判断して記録してください(C11)。" in text
    assert "同意が撤回されたため止めています" in listed
    assert "同意が撤回されたため止めています" in one
    assert "withheld" not in listed
    assert "ここに示せる議題はありません" in week


@pytest.mark.parametrize("path", ["/week", "/cases", f"/cases/{CASE}", f"/cases/{CASE}/withdraw"])
async def test_while_the_consents_cannot_be_compared_every_page_says_that_nothing_is_shown(
    stand_in: Desk, path: str
) -> None:
    work = stand_in(JUSO)
    work.answers[Trail] = lambda _: TrailSteps(case=None, fenced=True)
    async with browser(work) as client:
        await sign_in(client)
        if path.endswith("withdraw"):
            reply = await post(client, path, obtained="phone", obtained_by="髙橋", obtained_on="2026-11-24")
        else:
            work.answers[Cases] = lambda _: CaseList(cases=(), fenced=True)
            reply = await client.get(path)
    assert reply.status_code == 503
    assert "同意の状態を確かめられないため、表示を止めています。" in reply.text


@pytest.mark.parametrize(("question", "path"), [(Cases, "/week"), (Cases, "/cases"), (Trail, f"/cases/{CASE}")])
async def test_when_the_ledger_does_not_answer_coordination_the_page_says_so(
    stand_in: Desk, question: type, path: str
) -> None:
    work = stand_in(JUSO)

    def fail(_: object) -> None:
        raise AskFailed("AskFailed")  # what the bus tells of an answering service that asked in vain

    async with browser(work) as client:
        await sign_in(client)
        work.answers[question] = fail
        reply = await client.get(path)
    assert reply.status_code == 503
    assert "同意の台帳に確かめられないため、表示を止めています。" in reply.text
    assert "齋藤" not in reply.text


@pytest.mark.parametrize("path", ["/week", "/cases"])
async def test_who_has_no_commission_sees_nothing_and_is_told_the_door(stand_in: Desk, path: str) -> None:
    work = stand_in(SHIEN)
    reason, door = "その時に有効な委嘱がありません。", "その人か所属する団体を委嘱してください。"
    work.answers[Cases] = lambda _: CaseList(cases=(), reason=reason, next_step=door)
    async with browser(work) as client:
        await sign_in(client)
        reply = await client.get(path)
    assert reply.status_code == 403
    assert reason in reply.text
    assert door in reply.text
    assert work.times_asked(Sittings) == 0
    assert "1年以下の拘禁刑" in reply.text
