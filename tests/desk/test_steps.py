"""「進み具合」 on the desk: what is open has a form, what is not says why, and what is typed in is one act."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.directory import Staff, StaffList, StaffView
from contracts.life import (
    Answered,
    CaseDue,
    CommissionDue,
    Contact,
    Due,
    LegalService,
    LifeView,
    LookAtLife,
    Outcome,
    Role,
    State,
    Step,
    StepTaken,
    Taken,
    TakeStep,
)
from contracts.message import Compartment
from contracts.profile import Profile
from services.desk.steps import due_lines, foretold
from tests.coordination.test_life import LEGAL, PLAN, act
from tests.desk.standin import CASE, JUSO, OTHER, PEOPLE, SHIEN, StandIn, browser, post, sign_in, stub

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


@pytest.mark.rule("T9")
async def test_what_the_referrer_was_answered_stands_with_the_case(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    view = work.answers[LookAtLife](LookAtLife(case=CASE, viewer_agency="fukushi"))
    said = Answered(number=1, way="coordinate", answered_on=date(2026, 11, 20), by=PEOPLE[0], agency="fukushi")
    work.answers[LookAtLife] = lambda _: view.model_copy(update={"answers": (said,)})
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
    assert "<dt>紹介元への答え</dt><dd>令和8年11月20日(金) 多機関協働で受ける(福祉課 髙橋 美穂)</dd>" in text


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


@pytest.mark.rule("T2")
async def test_whoever_comes_second_sees_what_the_other_changed_in_the_plan_beside_his_own(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS)]
    hers = PLAN.model_copy(
        update={
            "goals": "通院を続ける。",
            "roles": (*PLAN.roles, Role(agency="kikan", until=date(2027, 1, 31), does="通院")),
        }
    )
    first = act(Step.DRAFT, plan=hers)
    other = Taken(number=2, act=first, state=State.PLANNED, by=PEOPLE[0], agency="fukushi", at=work.time)
    work.refusal = StepTaken(done=False, rule="T1", reason="ほかの人が先に記録しました。", since=(other,))
    async with browser(work) as client:
        await sign_in(client)
        text = (await take(client, Step.DRAFT, **PLAN_FORM)).text
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr><td class=.keep.>.*?</tr>", text)]
    (goals,) = [row for row in rows if "|目標|" in row]
    assert goals.index("通院を続ける。") < goals.index(PLAN_FORM["goals"])
    (role,) = [row for row in rows if "役割: " in row and "通院" in row]
    assert "(なし)" in role, "he has no such role"
    assert not [row for row in rows if "役割: 小林市社会福祉協議会" in row], "they agree on that one"


@pytest.mark.rule("D2")
async def test_only_who_is_in_post_on_the_day_can_be_chosen_to_decide_and_by_a_japanese_name(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    plan = PLAN.model_copy(update={"services": (LegalService.PARTICIPATION,)})
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=plan), act(Step.BRING), act(Step.RECORD_RESULT)]
    who = {"name": "吉留 健一郎", "agency": "fukushi", "network": "lgwan", "posts": ("representative", "officer")}
    gone, here = UUID(int=0xD8), UUID(int=0xD9)
    staff = (
        StaffView(person=gone, until=date(2026, 11, 23), **who),
        StaffView(person=here, since=date(2026, 11, 24), **who),
    )
    work.answers[Staff] = lambda _: StaffList(staff=staff)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
        work.refusal = StepTaken(done=False, rule="D2", reason="決裁者がありません。", next_step="選んでください。")
        late = (await take(client, Step.DECIDE, on="2026-11-23", decider=f"{gone}/officer")).text
    assert f"{here}/representative" in text
    assert "吉留 健一郎(代表者)" in text
    assert str(gone) not in text
    assert f"{gone}/officer" in late, "on that day it was he"
    assert not re.search(r"\((officer|representative|secretariat)\)", text)


@pytest.mark.rule("S10")
async def test_a_person_chooses_what_a_support_meeting_is_for_from_the_laws_purposes_only(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN)]
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
        select = re.findall(r'<select name="purpose" required>(.*?)</select>', text, re.DOTALL)[0]
        assert re.findall(r'value="(\w+)"', select) == ["sharing", "watch", "emergency"]
        unsaid = await take(client, Step.BRING)
        assert unsaid.status_code == 400
        assert "会議の目的が選ばれていません" in unsaid.text
        assert (await take(client, Step.BRING, purpose="emergency")).status_code == 303
    (asked,) = taken(work)
    assert asked.act.purpose == "emergency"
    juso = stand_in(JUSO)
    juso.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN)]
    async with browser(juso) as client:
        await sign_in(client)
        assert 'name="purpose"' not in (await client.get(PATH)).text


async def test_what_is_refused_says_the_rule_and_what_to_do(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.refusal = StepTaken(done=False, rule="T3", reason="訪問の記録がありません。", next_step="訪問してください。")
    async with browser(work) as client:
        await sign_in(client)
        reply = await take(client, Step.CONTACT, contact=Contact.CALL.value)
    assert reply.status_code == 409
    assert "訪問の記録がありません。訪問してください。(T3)" in reply.text


async def test_what_is_too_long_is_named_with_the_length_there_is_room_for(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        reply = await take(client, Step.CONTACT, contact="call", words="あ" * 10_001, minutes="第" * 41)
    assert reply.status_code == 400
    assert "会議録の番号(40字まで)、内容・理由(10,000字まで)が長すぎます。" in reply.text
    assert taken(work) == []


@pytest.mark.parametrize(
    ("wrong", "label"),
    [
        ({"on": "明日"}, "日付"),
        ({"contact": "smoke"}, "連絡の方法"),
        ({"step": "fly"}, "手順"),
        ({"request": "x"}, "入力"),
        ({"on": "1764028800"}, "日付"),
        ({"on": "2026-11-25T00:00:00"}, "日付"),
        ({"next_on": "20261125"}, "次の予定日"),
        ({"decider": "吉留/representative"}, "決裁者"),
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


async def test_a_decision_is_taken_with_who_decided_in_which_post_and_on_which_days(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    plan = LEGAL.model_copy(update={"other_support": True})
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=plan), act(Step.BRING), act(Step.RECORD_RESULT)]
    form = {"services": "participation", "rest_confirmed": "1", "drafted_on": "2026-11-24", "words": "決定した。"}
    async with browser(work) as client:
        await sign_in(client)
        page = (await client.get(PATH)).text
        decider = re.search(r'<option value="([0-9a-f-]{36}/[a-z]+)">髙橋 美穂', page)
        assert decider
        await take(client, Step.DECIDE, decider=decider[1], **form)
        told = (await client.get(PATH)).text
    (asked,) = taken(work)
    assert (str(asked.act.decider), asked.act.decider_post) == tuple(decider[1].split("/"))
    assert (asked.act.drafted_on, asked.act.notified_on) == (date(2026, 11, 24), None)
    assert (asked.act.services, asked.act.rest_confirmed) == (("participation",), True)
    assert "決裁日" in page
    assert "ほかの支援も、同じ会議で確認した" in page
    assert "髙橋 美穂(" in told


async def test_only_agencies_that_may_hear_the_case_are_offered(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts, work.outside = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN), act(Step.BRING)], ("hellowork",)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
    assert 'name="present" value="shakyo"' in text
    assert 'name="present" value="hellowork"' not in text


async def test_twelve_roles_are_twelve(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS)]
    rows = [("shakyo", f"2027-02-{n + 1:02}", "家計の相談") for n in range(12)]
    roles = {f"{name}_{n}": row[k] for n, row in enumerate(rows) for k, name in enumerate(("role", "until", "does"))}
    async with browser(work) as client:
        await sign_in(client)
        await take(client, Step.DRAFT, **(PLAN_FORM | roles))
        text = (await client.get(PATH)).text
    (asked,) = taken(work)
    assert asked.act.plan
    assert [one.until.day for one in asked.act.plan.roles] == list(range(1, 13))
    assert 'name="role_14"' in text, "the next version has room for more"


@pytest.mark.rule("C11")
async def test_when_the_consent_ends_while_somebody_types_the_page_says_so(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        work.refusal = StepTaken(done=False, rule="C11", reason="有効な同意がないので、進められません。")
        work.cases = tuple(stub(one.case) if one.case == CASE else one for one in work.cases)
        reply = await take(client, Step.CONTACT, contact="call", words="電話した。")
    assert reply.status_code == 409
    assert "記録しませんでした。有効な同意がないので、進められません。(C11)" in reply.text


async def test_the_length_that_is_kept_is_told_before_anybody_types(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(PATH)).text
        reply = await take(client, Step.CONTACT, contact="call", words="字" * 50_000)
    assert "内容・理由(10,000字まで)" in text
    assert 'maxlength="10000"' in text
    assert reply.status_code == 413
    assert "長すぎるため、何も記録していません" in reply.text


async def test_the_week_tells_a_day_of_the_city_from_one_of_the_plan_and_what_lapses(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    guess = Due(rule="T1", text="プラン案を作る", on=date(2026, 11, 20), late=True, next_step="急いで。", guessed=True)
    work.due = [CaseDue(case=OTHER, state=State.ASSESSED, due=(guess,))]
    work.lapsing = (CommissionDue(agency="kikan", ends_on=date(2026, 12, 14)),)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    assert "(目安)" in text
    assert "プラン案を作る(T1)。急いで。" in text
    assert "にしもろ基幹相談支援センター 令和8年12月14日(月)まで" in text


@pytest.mark.rule("M1")
def test_the_form_tells_beforehand_which_sitting_a_case_leaves_and_comes_to(kobayashi: Profile) -> None:
    when = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
    urgent = foretold(LifeView(found=True, urgent=True, waits_for=when), kobayashi)
    assert "12月3日" in urgent["take_back"]
    assert "会議から外れ" in urgent["take_back"]
    assert f"{kobayashi.urgent_within_days}日以内に随時の会議を探します" in urgent["take_back"]
    assert "いま入っている会議は" in urgent["bring"]
    plain = foretold(LifeView(found=True), kobayashi)
    assert "次の定例" in plain["take_back"]
    assert "待てないときは「急ぎ」" in plain["bring"]


@pytest.mark.rule("M1")
def test_a_sitting_after_the_deadline_is_said_where_the_deadline_is() -> None:
    far = Due(rule="T1", text="結果を記録する", on=date(2027, 1, 24), late=False, sitting=date(2027, 4, 15))
    ((text, _, late),) = due_lines([far])
    assert "会議は令和9年4月15日" in text
    assert "期限の後です" in text
    assert not late
