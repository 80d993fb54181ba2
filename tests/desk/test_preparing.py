"""「会議の準備」 on the desk: the roster's form, questions and answers, the sheet that is printed."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.coordination import CaseList, Cases
from contracts.intake import Problem
from contracts.message import Compartment
from contracts.preparing import (
    Accepted,
    AcceptRoster,
    Answer,
    AnswerInquiry,
    AnswerView,
    AskAgency,
    Asked,
    Attendance,
    Choice,
    DateOf,
    InquiryView,
    LookAtInquiries,
    LookAtRoster,
    LookAtSheet,
    OpenInquiries,
    OpenInquiry,
    Prepared,
    RosterSeat,
    RosterView,
    SheetView,
    Struck,
    Subject,
)
from services.coordination.preparing import points, sections
from services.coordination.roster import Round, proposal
from tests.desk.standin import CASE, JUSO, OTHER, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
ROSTER, SHEET = f"/cases/{CASE}/roster", f"/cases/{CASE}/sheet"
INQUIRY = UUID(int=0xAB)
DONE = Prepared(done=True, number=1)
NO = Prepared(done=False, rule="P1", reason="多機関協働事業者が必須の席にありません。", next_step="加えてください。")


class Room:
    """Coordination behind the desk: the real rules on one case, and what it was asked to do."""

    def __init__(self, work: StandIn) -> None:
        self.reply, self.accepted = DONE, list[Accepted]()
        self.inquiries: tuple[InquiryView, ...] = ()
        self.done: list[Any] = []
        self.may = True
        self.work = work
        work.answers |= {
            LookAtRoster: self._roster,
            LookAtSheet: self._sheet,
            LookAtInquiries: lambda _: OpenInquiries(
                inquiries=tuple(
                    OpenInquiry(
                        case=case, inquiry=INQUIRY, agency=agency, due_on=date(2026, 11, 20), late=True, mine=mine
                    )
                    for case, agency, mine in (
                        (CASE, "fukushi", True),
                        (OTHER, "byouin", False),
                        (uuid4(), "gakko", False),
                    )
                )
            ),
            AcceptRoster: self._do,
            AskAgency: self._do,
            AnswerInquiry: self._do,
        }

    def _do(self, question: Any) -> Prepared:
        self.done.append(question)
        return self.reply

    def _roster(self, question: LookAtRoster) -> RosterView:
        case = Round(
            compartment=self.work.compartment or JUSO,
            referrer="houkatsu-kobayashi",
            may_hear=frozenset({"fukushi", "shakyo", "houkatsu-kobayashi", "jiritsu"}),
            named=("choju", "jiritsu"),
            problems=(Problem.ELDER_CARE, Problem.DEBT),
        )
        found = proposal(case, self.work.profile)
        return RosterView(found=True, may_decide=self.may, proposal=found, accepted=tuple(self.accepted))

    def _sheet(self, question: LookAtSheet) -> SheetView:
        accepted = self.accepted[0] if self.accepted else None
        return SheetView(
            found=True,
            may_ask=self.may,
            askable=("fukushi", "jiritsu") if self.may else (),
            roster=accepted,
            sections=sections(self.inquiries),
            points=points(self.inquiries, accepted, ()),
            inquiries=self.inquiries,
        )


def inquiry(work: StandIn, *answers: Answer, **how: Any) -> InquiryView:
    view = AnswerView(
        number=1,
        answers=answers,
        said_by="看護師 𠮷田 進",
        said_on=date(2026, 11, 20),
        by=PEOPLE[0],
        by_agency="fukushi",
        at=work.time,
    )
    values: dict[str, Any] = {
        "inquiry": INQUIRY,
        "agency": "byouin",
        "asks": (
            Asked(subject=Subject.HEALTH, text="退院の見込みは。"),
            Asked(subject=Subject.WISHES, text="本人の希望は。"),
        ),
        "asked_at": work.time,
        "asked_by": PEOPLE[0],
        "asked_for": "fukushi",
        "due_on": date(2026, 11, 20),
        "late": not answers,
        "may_answer": True,
        "answers": (view,) if answers else (),
    }
    return InquiryView(**values | how)


ACCEPTED_FORM = {
    "after": "0",
    "need_fukushi": "required",
    "need_shakyo": "required",
    "need_houkatsu-kobayashi": "expected",
    "need_jiritsu": "strike",
    "why_jiritsu": "先に文書で確かめた。",
    "more_0": "kikan",
    "more_need_0": "optional",
    "more_why_0": "障害の相談に詳しい。",
    "attendance": "no",
    "attendance_words": "人前で話すと不安が強い。",
    "size_words": "",
}


@pytest.mark.rule("C3", "S6")
@pytest.mark.parametrize(
    ("kind", "door"), [(JUSO, "この機関を含む同意を本人から得ると"), (SHIEN, "守秘義務を説明して委嘱すると")]
)
async def test_the_page_gives_each_agency_its_reason_and_rule_and_who_is_outside_the_door(
    stand_in: Desk, kind: Compartment, door: str
) -> None:
    work = stand_in(kind)
    Room(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(ROSTER)).text
    assert "紹介元(P4)" in text
    assert ("市町村は必ず出席する(P2)" if kind is JUSO else "市町村は必ず出席する(S1)") in text
    assert 'name="need_choju"' not in text, "the consent or a commission does not let it in"
    assert "長寿介護課</td><td>つなぐシートの関係機関(P5)" in text
    assert door in text


@pytest.mark.rule("P7")
async def test_what_is_chosen_struck_and_added_is_one_decision_with_its_reasons(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, ROSTER, request=str(uuid4()), **ACCEPTED_FORM)
    assert (reply.status_code, reply.headers["location"]) == (303, ROSTER)
    (asked,) = room.done
    assert asked.choice == Choice(
        seats=(
            RosterSeat(agency="fukushi", need="required"),
            RosterSeat(agency="shakyo", need="required"),
            RosterSeat(agency="houkatsu-kobayashi", need="expected"),
            RosterSeat(agency="kikan", need="optional", words="障害の相談に詳しい。"),
        ),
        struck=(Struck(agency="jiritsu", words="先に文書で確かめた。"),),
        attendance=Attendance.NO,
        attendance_words="人前で話すと不安が強い。",
    )
    assert (asked.viewer, asked.viewer_agency, asked.after) == (work.person, "fukushi", 0)


async def test_a_refused_roster_comes_back_as_it_was_typed_with_rule_and_next_step(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Room(work).reply = NO
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, ROSTER, request=str(uuid4()), **ACCEPTED_FORM)
    assert reply.status_code == 409
    for text in (
        NO.reason + NO.next_step + "(P1)",
        "先に文書で確かめた。",
        "障害の相談に詳しい。",
        "人前で話すと不安が強い。",
    ):
        assert text in reply.text
    assert '<option value="strike" selected>' in reply.text
    assert '<option value="kikan" selected>' in reply.text


@pytest.mark.parametrize(
    ("wrong", "label"),
    [
        ({"attendance": "maybe"}, "本人参加"),
        ({"need_fukushi": "must"}, "出席する機関"),
        ({"attendance_words": "あ" * 10_001}, "本人参加の理由"),
        ({"request": "x"}, "入力"),
    ],
)
async def test_a_roster_that_cannot_be_read_names_the_field_and_repeats_nothing(
    stand_in: Desk, wrong: dict[str, str], label: str
) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, ROSTER, **({"request": str(uuid4())} | ACCEPTED_FORM | wrong))
    assert reply.status_code == 400
    assert f"{label}の形が正しくありません。" in reply.text or f"{label}(10,000字まで)が長すぎます。" in reply.text
    assert room.done == []


async def test_decided_rosters_are_shown_with_who_decided_and_fill_the_next_form(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    choice = Choice(
        seats=(RosterSeat(agency="kikan", need="optional", words="障害の相談に詳しい。"),),
        struck=(Struck(agency="jiritsu", words="先に文書で確かめた。"),),
        attendance=Attendance.YES,
        attendance_words="本人が話したいと言っている。",
    )
    room.accepted = [Accepted(number=1, choice=choice, by=PEOPLE[0], agency="fukushi", at=work.time)]
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(ROSTER)).text
    assert "第1版" in text
    assert "福祉課 髙橋 美穂" in text
    assert '<option value="kikan" selected>' in text
    assert '<option value="strike" selected>' in text
    assert "本人が話したいと言っている。" in text
    assert 'name="after" value="1"' in text


async def test_however_many_were_added_none_is_lost_with_the_next_decision(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    added = ("kikan", "gakko", "jutaku", "byouin", "minsei", "hokenjo")
    seats = tuple(RosterSeat(agency=one, need="optional", words="要る。") for one in added)
    choice = Choice(seats=seats, attendance=Attendance.NO, attendance_words="望まない。")
    room.accepted = [Accepted(number=1, choice=choice, by=PEOPLE[0], agency="fukushi", at=work.time)]
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(ROSTER)).text
        more = {f"more_{n}": one for n, one in enumerate(added)} | {f"more_need_{n}": "optional" for n in range(6)}
        form = {name: said for name, said in ACCEPTED_FORM.items() if not name.startswith("more")}
        await post(client, ROSTER, request=str(uuid4()), **(form | more))
    assert [f'<option value="{one}" selected>' in text for one in added] == [True] * 6
    assert {one.agency for one in room.done[0].choice.seats} >= set(added)


@pytest.mark.rule("P9", "S1")
@pytest.mark.parametrize(("kind", "who"), [(JUSO, "市町村か多機関協働事業者が決めます"), (SHIEN, "市町村が決めます")])
async def test_who_does_not_prepare_the_meeting_has_no_form(stand_in: Desk, kind: Compartment, who: str) -> None:
    work = stand_in(kind)
    Room(work).may = False
    async with browser(work) as client:
        await sign_in(client)
        roster, sheet = (await client.get(ROSTER)).text, (await client.get(SHEET)).text
    assert who in roster
    assert 'name="attendance"' not in roster
    assert f'action="/cases/{CASE}/inquiries"' not in sheet


async def test_who_may_not_see_the_case_finds_neither_roster_nor_sheet(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    async with browser(work) as client:
        await sign_in(client)
        for ref in (uuid4(), "x"):
            for page in ("roster", "sheet"):
                assert (await client.get(f"/cases/{ref}/{page}")).status_code == 404
        for path in ("roster", "inquiries", f"inquiries/{INQUIRY}"):
            assert (await post(client, f"/cases/x/{path}")).status_code == 404
    assert room.done == []


@pytest.mark.rule("C8")
async def test_an_agency_is_asked_what_was_written_and_nothing_else(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    async with browser(work) as client:
        await sign_in(client)
        said = {"agency": "jiritsu", "due_on": "2026-12-01", "ask_health": "通院の様子は。", "ask_care": "  "}
        reply = await post(client, f"/cases/{CASE}/inquiries", request=str(uuid4()), **said)
    assert reply.headers["location"] == SHEET
    (asked,) = room.done
    assert asked.asks == (Asked(subject=Subject.HEALTH, text="通院の様子は。"),)
    assert (asked.agency, asked.due_on, asked.case) == ("jiritsu", date(2026, 12, 1), CASE)


@pytest.mark.rule("S5")
async def test_in_a_meeting_without_consent_the_letter_is_shown_to_be_sent(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    Room(work).reply = Prepared(done=True, inquiry=INQUIRY, letter="小林市立病院 地域連携室 御中")
    async with browser(work) as client:
        await sign_in(client)
        said = {"agency": "byouin", "due_on": "2026-12-01", "ask_health": "退院の見込みは。"}
        reply = await post(client, f"/cases/{CASE}/inquiries", request=str(uuid4()), **said)
    assert '<p class="letter">小林市立病院 地域連携室 御中</p>' in reply.text
    assert "退院の見込みは。" not in reply.text


@pytest.mark.parametrize(
    ("wrong", "label"),
    [({"due_on": "あした"}, "回答の期限"), ({"agency": "病院"}, "機関"), ({"ask_health": "あ" * 1001}, "照会の内容")],
)
async def test_a_question_that_cannot_be_read_comes_back_as_it_was_typed(
    stand_in: Desk, wrong: dict[str, str], label: str
) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    said = {"agency": "jiritsu", "due_on": "2026-12-01", "ask_care": "サービスの利用は。"}
    async with browser(work) as client:
        await sign_in(client)
        reply = await post(client, f"/cases/{CASE}/inquiries", request=str(uuid4()), **(said | wrong))
    assert reply.status_code == 400
    assert label in reply.text
    assert "サービスの利用は。" in reply.text
    assert room.done == []


async def test_an_answer_is_given_by_subject_with_the_day_it_names(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    room.inquiries = (inquiry(work),)
    async with browser(work) as client:
        await sign_in(client)
        assert "退院の見込みは。" in (await client.get(SHEET)).text
        said = {
            "after": "0",
            "said_on": "2026-11-24",
            "said_by": "看護師 𠮷田 進",
            "text_health": "来月の予定。",
            "date_of_health": "discharge",
            "on_health": "2026-12-10",
            "text_wishes": "",
        }
        reply = await post(client, f"/cases/{CASE}/inquiries/{INQUIRY}", request=str(uuid4()), **said)
    assert reply.headers["location"] == SHEET
    (given,) = room.done
    assert given.answers == (
        Answer(subject=Subject.HEALTH, text="来月の予定。", date_of=DateOf.DISCHARGE, on=date(2026, 12, 10)),
    )
    assert (given.inquiry, given.said_by, given.said_on, given.after) == (
        INQUIRY,
        "看護師 𠮷田 進",
        date(2026, 11, 24),
        0,
    )


async def test_a_refused_answer_is_not_lost(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    room.inquiries, room.reply = (inquiry(work),), NO
    said = {"after": "0", "said_on": "2026-11-24", "text_wishes": "家に帰りたい。"}
    async with browser(work) as client:
        await sign_in(client)
        refused = await post(client, f"/cases/{CASE}/inquiries/{INQUIRY}", request=str(uuid4()), **said)
        unread = await post(
            client, f"/cases/{CASE}/inquiries/{INQUIRY}", **(said | {"request": str(uuid4()), "said_on": "きのう"})
        )
    assert (refused.status_code, unread.status_code) == (409, 400)
    for reply in (refused, unread):
        assert "家に帰りたい。" in reply.text
        assert "<details open>" in reply.text
    assert "回答した日の形が正しくありません。" in unread.text


@pytest.mark.rule("T2", "C8")
async def test_the_sheet_says_who_said_what_when_and_what_is_open(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    first = Answer(subject=Subject.HEALTH, text="来月の予定。", date_of=DateOf.DISCHARGE, on=date(2026, 12, 10))
    other = Answer(subject=Subject.HEALTH, text="本人は早いと言う。", date_of=DateOf.DISCHARGE, on=date(2026, 12, 1))
    room.inquiries = (
        inquiry(work, first),
        inquiry(work, other, inquiry=uuid4(), agency="jiritsu"),
        inquiry(work, inquiry=uuid4(), agency="gakko"),
    )
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(SHEET)).text
    assert "来月の予定。(退院・退所の日: 令和8年12月10日(木))" in text
    assert "看護師 𠮷田 進(記録: 髙橋 美穂)" in text
    assert "令和8年11月20日(金)" in text
    dates = "小林市生活自立相談支援センターは令和8年12月1日(火)、小林市立病院 地域連携室は令和8年12月10日(木)"
    assert f"退院・退所の日: {dates}。日付が食い違っています。(T2)" in text
    assert "学校教育課。回答がありません。期限は令和8年11月20日(金)。(C8)" in text
    assert "本人の思い・希望: 小林市立病院 地域連携室。回答にありません。(C8)" in text
    assert "出席する機関がまだ決まっていません。(P5)" in text
    assert "福祉課 髙橋 美穂が令和8年11月24日(火) 10:00に開いたものです。会議の後に回収してください。" in text


async def test_what_an_agency_wrote_is_text_and_never_markup(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room = Room(work)
    room.inquiries = (inquiry(work, Answer(subject=Subject.HEALTH, text="<script>alert(1)</script></textarea>")),)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get(SHEET)).text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


async def test_everybody_finds_what_to_answer_and_what_is_late_of_cases_he_or_she_may_see(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    Room(work)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/inquiries")).text
        work.answers[Cases] = lambda _: CaseList(cases=(), fenced=True)
        fenced = await client.get("/inquiries")
    mine, others = text.split("回答を待っているもの")
    assert f"/cases/{CASE}/sheet" in mine
    assert "齋藤 久美子" in mine
    assert "過ぎています" in mine
    assert f"/cases/{OTHER}/sheet" in others
    assert "学校教育課" not in text, "its case is not in sight"
    assert fenced.status_code == 503
