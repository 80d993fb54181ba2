"""The page of a sitting: what its chair sees and does, from 開会 to the approved minutes."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.blocks import ChangeView, Staying
from contracts.body_secrecy import NotePledges
from contracts.life import Heard, Outcome, Role, Step
from contracts.message import Compartment
from contracts.office import Done
from contracts.purpose import Purpose
from contracts.running import (
    AttendanceView,
    Conduct,
    Conducted,
    HearingView,
    MinutesVersion,
    Proceeding,
    ProxyGround,
    Result,
    RoomSeat,
    RoomView,
)
from tests.coordination.test_life import act
from tests.desk.standin import CASE, JUSO, OTHER, PEOPLE, SHIEN, SITTING, TUESDAY, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
PATH = f"/sittings/{SITTING}"
ITEM = UUID(int=CASE.int + 0x1000)
REQUEST = "5a1e0c3e-7b2f-4c1d-9e8a-000000000051"


def room(work: StandIn, *ways: Proceeding, **facts: Any) -> None:
    """The sitting as meetings tells it."""
    juso = work.compartment is JUSO
    values: dict[str, Any] = {
        "found": True,
        "acts": 4,
        "body": "teirei" if juso else "shienkaigi",
        "basis": "swa-106-4-2-5" if juso else "swa-106-6",
        "starts": TUESDAY,
        "ends": TUESDAY + timedelta(hours=1),
        "place": "shiyakusho",
        "may_run": True,
        "opened_at": TUESDAY,
        "seats": tuple(
            RoomSeat(person=PEOPLE[n], agency=a, need="required") for n, a in ((0, "fukushi"), (4, "jiritsu"))
        ),
        "items": (hearing(),),
        "ways": ways,
    }
    work.room = RoomView(**values | facts)


def hearing(**facts: Any) -> HearingView:
    values: dict[str, Any] = {"item": ITEM, "case": CASE, "purpose": Purpose.PLAN, "order": 1, "state": "waiting"}
    return HearingView(**values | facts)


async def read(work: StandIn) -> str:
    async with browser(work) as client:
        await sign_in(client)
        return html.unescape((await client.get(PATH)).text)


async def send(work: StandIn, **fields: Any) -> tuple[int, str, Conduct | None]:
    async with browser(work) as client:
        await sign_in(client)
        answer = await post(client, PATH, request=REQUEST, after="4", **fields)
    asked = [one for one, _ in work.asked if isinstance(one, Conduct)]
    return answer.status_code, html.unescape(answer.text), asked[-1] if asked else None


@pytest.mark.rule("S14", "S3", "S4")
@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2025, 5, 31, 14, 59, tzinfo=UTC), "1年以下の懲役又は100万円以下の罰金"),
        (datetime(2025, 5, 31, 15, 0, tzinfo=UTC), "1年以下の拘禁刑又は100万円以下の罰金"),
    ],
)
async def test_secrecy_and_the_penalty_of_that_day_are_read_out_before_the_agenda(
    stand_in: Desk, now: datetime, words: str
) -> None:
    work = stand_in(SHIEN)
    work.time = now
    room(work, Proceeding.EXPLAIN)
    main = (await read(work)).split("<main", 1)[1]
    assert f"漏らした場合は、{words}に処されます" in main
    assert "議題には入れません(S3、S4、S14)" in main
    assert 'value="explain"' in main
    assert 'value="call"' not in main
    room(work, Proceeding.JUDGE, explained_at=TUESDAY)
    assert "読み上げる文" not in await read(work)


async def test_a_consented_sitting_has_no_secrecy_of_the_shien_kind(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.JUDGE)
    assert "読み上げる文" not in await read(work)


async def test_only_what_can_be_done_now_is_offered(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.ENTER, Proceeding.LEAVE, Proceeding.JUDGE, lacking=("多機関協働事業者",))
    text = await read(work)
    assert set(re.findall(r'name="what" value="(\w+)"', text)) == {"enter", "judge"}
    assert "いない機関: 多機関協働事業者" in text


async def test_who_does_not_run_it_is_offered_nothing(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.JUDGE, may_run=False)
    text = await read(work)
    assert 'name="what"' not in text
    assert "会議を進めるのは、開催する機関の担当者です" in text


@pytest.mark.rule("C11")
async def test_what_was_taken_off_is_there_with_its_reason_and_without_its_name(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    off = hearing(
        item=UUID(int=7), case=UUID(int=8), state="off", refusal="同意が撤回されました。改めて同意を得てください。"
    )
    room(work, Proceeding.CALL, items=(off, hearing(order=2)))
    text = await read(work)
    assert "議題から下ろしました" in text
    assert "同意が撤回されました。改めて同意を得てください。" in text
    assert "齋藤 久美子" in text
    assert text.count('value="call"') == 1


@pytest.mark.rule("M6")
async def test_who_leaves_for_an_item_is_called_out(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.RECORD, items=(hearing(state="open", called_at=TUESDAY, leaving=("jiritsu",)),))
    text = await read(work)
    assert "この議題の間は退室: " in text
    assert 'value="record"' in text


async def test_who_came_as_substitute_is_shown_with_post_and_ground(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    stay = AttendanceView(
        person=PEOPLE[4], agency="jiritsu", post="officer", ground=ProxyGround.LETTER, entered_at=TUESDAY
    )
    room(work, Proceeding.LEAVE, attendance=(stay,))
    text = await read(work)
    assert "代理(officer、委任状)" in text
    assert "10:00" in text


async def test_an_act_carries_who_what_and_how_much_was_seen(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.ENTER)
    status, _, asked = await send(work, what="enter", person=str(PEOPLE[4]), at="09:50")
    assert status == 303
    assert asked is not None
    assert (asked.sitting, asked.request, asked.after) == (SITTING, UUID(REQUEST), 4)
    assert (asked.viewer, asked.viewer_agency) == (PEOPLE[0], "fukushi")
    assert (asked.move.person, asked.move.at) == (PEOPLE[4], datetime(2026, 11, 24, 0, 50, tzinfo=UTC))


@pytest.mark.rule("T2", "D10")
async def test_a_result_is_read_whole(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.RECORD)
    fields = {"role_0": "jiritsu", "until_0": "2027-01-31", "does_0": "家計の相談", "next_on": "2027-02-18"}
    _, _, asked = await send(
        work, what="record", item=str(ITEM), outcome="fit_amended", words="午後に訪問", local_issue="1", **fields
    )
    assert asked is not None
    assert asked.move.result == Result(
        outcome=Outcome.FIT_AMENDED,
        roles=(Role(agency="jiritsu", until=date(2027, 1, 31), does="家計の相談"),),
        next_on=date(2027, 2, 18),
        local_issue=True,
        words="午後に訪問",
    )


async def test_what_was_refused_is_not_lost(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.RECORD, items=(hearing(state="open", called_at=TUESDAY),))
    work.not_conducted = Conducted(
        done=False, rule="C3", reason="この機関には伝えられません。", next_step="同意を得てください。"
    )
    status, text, _ = await send(work, what="record", item=str(ITEM), outcome="again", words="長い話し合い")
    assert status == 409
    assert "この機関には伝えられません。同意を得てください。(C3)" in text
    assert "長い話し合い</textarea>" in text


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"what": "enter", "person": "だれか"}, "人"),
        ({"what": "enter", "person": str(PEOPLE[4]), "at": "25:99"}, "時刻"),
        ({"what": "record", "item": str(ITEM), "outcome": "よい"}, "結果"),
    ],
)
async def test_a_malformed_form_names_the_field_and_not_the_value(
    stand_in: Desk, fields: dict[str, str], label: str
) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.ENTER)
    status, text, asked = await send(work, **fields)
    assert (status, asked) == (400, None)
    assert f"{label}の形が正しくありません" in text


@pytest.mark.rule("S13")
async def test_every_version_of_the_minutes_stays_readable(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    versions = tuple(
        MinutesVersion(
            number=n, at=TUESDAY, by=PEOPLE[0], agency="fukushi", result=Result(outcome=Outcome.FIT, words=w)
        )
        for n, w in ((1, "初めの文"), (2, "直した文"))
    )
    room(work, Proceeding.CORRECT, items=(hearing(state="heard", versions=versions),), wanted_approvals=("福祉課",))
    text = await read(work)
    assert text.index("会議録 第2版") < text.index("会議録 第1版")
    assert "初めの文" in text
    assert "待っています: 福祉課" in text


@pytest.mark.parametrize("ref", [str(SITTING), "x"])
async def test_a_sitting_that_is_not_ones_own_reads_as_one_that_is_not(stand_in: Desk, ref: str) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        answer = await client.get(f"/sittings/{ref}")
    assert (answer.status_code, "該当する会議はありません" in answer.text) == (404, True)


async def test_a_case_that_one_may_not_see_is_not_named(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.cases = tuple(one for one in work.cases if one.case != OTHER)
    room(work, items=(hearing(case=OTHER),))
    assert "マリア・サントス" not in await read(work)


@pytest.mark.rule("D5")
async def test_the_result_is_prefilled_with_what_the_sitting_found(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS), act(Step.DRAFT), act(Step.BRING)]
    work.heard = Heard(
        outcome=Outcome.AGAIN, present=("fukushi",), heard_on=date(2026, 11, 20), minutes=SITTING, approved=False
    )
    async with browser(work) as client:
        await sign_in(client)
        text = html.unescape((await client.get(f"/cases/{CASE}/life")).text)
    form = text.split('name="step" value="record_result"')[1].split("</form>")[0]
    assert '<option value="again" selected>' in form
    assert 'value="fukushi" checked' in form
    assert form.count(" checked") == 1
    assert 'name="on" required value="2026-11-20"' in form
    assert f'value="{SITTING}"' in form


# -- blocks ------------------------------------------------------------------------------------------------------------

CHANGE = ChangeView(
    before="ltcia-115-48",
    after="swa-106-4-2-5",
    leave=("byouin",),
    stay=(Staying(agency="fukushi", ground="member"), Staying(agency="hokenjo", ground="temporary")),
    come=("jiritsu",),
)


@pytest.mark.rule("M5", "M6")
async def test_the_change_of_blocks_says_who_leaves_and_who_stays_on_which_ground(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.TURN, Proceeding.ADMIT, change_in=CHANGE, opened_at=None)
    text = await read(work)
    assert "地域ケア会議(介護保険法第115条の48) → 重層的支援会議(社会福祉法第106条の4第2項第5号)、一部重複型" in text
    assert '<strong class="call">小林市立病院 地域連携室</strong>(次の区切りの構成員でない、M6)' in text
    assert "福祉課(構成員)、小林保健所(臨時構成員)" in text
    assert set(re.findall(r'name="what" value="(\w+)"', text)) == {"turn", "admit"}


async def test_what_comes_after_this_block_is_announced(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, change_out=CHANGE.model_copy(update={"same": True, "leave": ()}))
    text = await read(work)
    assert "この区切りの次" in text
    assert "同一構成員型(だれも退室しません)" in text


@pytest.mark.rule("M6")
async def test_the_close_of_the_block_before_is_sent_with_its_time(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, Proceeding.TURN, change_in=CHANGE, opened_at=None)
    _, _, asked = await send(work, what="turn", at="09:50")
    assert asked is not None
    assert asked.move.at == datetime(2026, 11, 24, 0, 50, tzinfo=UTC)
    room(work, Proceeding.ADMIT, change_in=CHANGE, opened_at=None)
    _, _, asked = await send(work, what="admit", person=str(PEOPLE[4]), ground="chair")
    assert asked is not None
    assert (asked.move.person, asked.move.ground) == (PEOPLE[4], ProxyGround.CHAIR)


@pytest.mark.rule("M3", "M4")
async def test_a_meeting_online_warns_of_those_whose_terminals_cannot_enter_it(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work)
    assert "LGWAN" not in await read(work)
    room(work, mode="both")
    online = [
        one.model_copy(update={"mode": "both", "mode_reason": "大雪のため"}) if one.code == "teirei" else one
        for one in work.profile.bodies
    ]
    work.profile = work.profile.model_copy(update={"bodies": tuple(online)})
    text = await read(work)
    assert "対面とオンラインの併用(大雪のため)" in text
    assert "LGWANの端末では、ふつうのウェブ会議に入れません: 福祉課 " in text


@pytest.mark.rule("S11")
async def test_outside_the_papers_window_the_page_says_why_and_what_to_do(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    room(
        work,
        may_run=False,
        items=(),
        papers_shut="この区切りは終わったので、資料は閉じています。電話で尋ねてください。",
    )
    assert "資料は閉じています。電話で尋ねてください。" in await read(work)


@pytest.mark.rule("S16")
async def test_pledges_are_taken_down_on_the_page_for_whoever_has_none_yet(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    room(work, pledge=True, pledged=(PEOPLE[0],))
    work.answers[NotePledges] = lambda _: Done(done=True)
    main = await read(work)
    assert 'action="/sittings/' in main
    assert f'name="person" value="{PEOPLE[4]}"' in main.split("<h2>誓約書</h2>")[1].split("</form>")[0]
    assert str(PEOPLE[0]) not in main.split("<h2>誓約書</h2>")[1].split("</form>")[0]
    async with browser(work) as client:
        await sign_in(client)
        said = {"request": REQUEST, "person": str(PEOPLE[4]), "signed_on": "2026-11-20"}
        assert (await post(client, f"{PATH}/pledges", **said)).status_code == 303
        assert (await post(client, f"{PATH}/pledges", **(said | {"signed_on": ""}))).status_code == 400
    (asked,) = [one for one, _ in work.asked if isinstance(one, NotePledges)]
    assert asked.persons == (PEOPLE[4],)


async def test_the_box_of_an_item_and_who_comes_for_it_are_shown(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    boxed = {"box_starts": TUESDAY, "box_ends": TUESDAY + timedelta(minutes=11)}
    room(work, items=(hearing(**boxed, comes=("jiritsu",)),))
    text = await read(work)
    assert "時間割: 10:00〜10:11。この議題に来る機関: 小林市生活自立相談支援センター" in text
