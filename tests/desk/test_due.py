"""The week's list of duties hides nothing: what presses is always there, the rest is counted and one click away."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest

from contracts.consent import ConsentState
from contracts.life import CaseDue, Due, State
from contracts.message import Compartment
from tests.desk.standin import JUSO, TUESDAY, StandIn, browser, case_view, sign_in

Desk = Callable[[Compartment | None], StandIn]
LATE = date(2026, 11, 20)
ANSWER = Due(rule="T9", text="紹介元に、受けるか戻すかを答える", on=date(2026, 11, 1), late=True, guessed=True)
ASSESS = Due(rule="T1", text="アセスメントとプラン案を作る", on=LATE, late=True, guessed=True)
PLAN = Due(rule="T1", text="プラン案を作る", on=LATE, late=True, guessed=True)
RESULT = Due(rule="T1", text="会議で協議して結果を記録する", on=date(2027, 1, 20), late=False, guessed=True)
NOTICE = Due(rule="D11", text="支援決定を本人と事業者に通知する", on=date(2026, 12, 20), late=False, guessed=True)
REPORT = Due(rule="T6", text="死亡・転出による終了を、次の会議で報告する", on=date(2027, 1, 10), late=False)
BRING = Due(rule="T1", text="プランを会議に付議する", on=date(2027, 1, 24), late=False, guessed=True)


def crowded(work: StandIn) -> dict[str, UUID]:
    """A city with more open duties than the week has rows: forty untouched cases, thirty late plans, and four more."""
    ref = (UUID(int=number) for number in range(0xF000, 0xFFFF))
    due, cases = [], []

    def one(state: State, *wanted: Due, urgent: bool = False, sat: bool = False) -> UUID:
        case = next(ref)
        starts = TUESDAY - timedelta(days=1) if sat else None
        cases.append(case_view(case, ConsentState.GIVEN, "placed", urgent=urgent, sitting_starts=starts))
        due.append(CaseDue(case=case, state=state, due=wanted))
        return case

    for _ in range(40):
        one(State.OPENED, ANSWER, ASSESS)
    for _ in range(30):
        one(State.ASSESSED, PLAN)
    known = {
        "result": one(State.AT_MEETING, RESULT, sat=True),
        "notice": one(State.UNDERWAY, NOTICE),
        "report": one(State.CLOSED, REPORT),
        "urgent": one(State.PLANNED, BRING, urgent=True),
    }
    work.cases, work.due = tuple(cases), due
    return known


@pytest.mark.rule("T6", "D11", "T1", "M1")
async def test_a_result_a_notice_a_report_and_an_urgent_plan_stand_on_the_week_however_many_wait(
    stand_in: Desk,
) -> None:
    work = stand_in(JUSO)
    known = crowded(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    rows = {name: f'/cases/{case}/life">' in text for name, case in known.items()}
    assert rows == dict.fromkeys(known, True)
    assert "終わった会議の結果を記録する(T1)" in text
    first = text.index(f'/cases/{known["urgent"]}/life">')
    assert first == min(text.index(f'/cases/{case}/life">') for case in known.values()), "urgent cases first"


@pytest.mark.rule("T9")
async def test_many_untouched_cases_are_one_row_with_their_number_and_a_link(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    crowded(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
        new = (await client.get("/due?new=true")).text
    assert text.count("紹介元に、受けるか戻すかを答える(T9)") == 1
    assert '<a href="/due?new=true">まだ手を付けていない事案 40件</a>' in text
    assert "40件が過ぎています" in text
    assert "プラン案を作る(T1)" not in new.replace("アセスメントとプラン案を作る(T1)", "")
    assert "1/2ページ" in new


async def test_what_the_week_does_not_show_is_counted_and_all_of_it_is_listed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    crowded(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
        everything = "".join([(await client.get(f"/due?page={number}")).text for number in (1, 2, 3)])
    shown = text.count("プラン案を作る(T1)")
    assert f"ほか{30 - shown}件。" in text
    assert '<a href="/due">すべてを見る(114件)</a>' in text
    assert {str(one.case) for one in work.due if f'/cases/{one.case}/life">' not in everything} == set()
    assert everything.count("まで(目安)") + everything.count("10日(日)まで") == 114


async def test_one_untouched_case_is_a_row_of_its_own(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    case = work.cases[0].case
    work.due = [CaseDue(case=case, state=State.OPENED, due=(ANSWER, ASSESS))]
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    assert f'/cases/{case}/life">紹介元に、受けるか戻すかを答える(T9)' in text
    assert "まだ手を付けていない事案" not in text


async def test_nothing_of_a_case_that_this_person_may_not_see_is_listed_or_counted(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.due = [CaseDue(case=UUID(int=0xFF), state=State.PLANNED, due=(BRING,))]
    async with browser(work) as client:
        await sign_in(client)
        week, everything = (await client.get("/week")).text, (await client.get("/due")).text
    for text in (week, everything):
        assert str(UUID(int=0xFF)) not in text
    assert "すべてを見る" not in week
    assert '<span class="range">0件</span>' in everything
