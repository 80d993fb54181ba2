"""「印刷」 on the desk: papers as a city writes them, read back from the PDF, and nothing for whom it is not for."""

import html
import io
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pypdf import PdfReader

from contracts.body_secrecy import Secrecy
from contracts.commission import CommissionView, CooperationView, QuestionTemplate
from contracts.directory import Staff
from contracts.life import Outcome, Role
from contracts.message import Compartment
from contracts.papers import PaperHead, PaperView
from contracts.printing import PrintedCopy, PrintPaper, PrintSitting, SittingPaper, SittingPrint
from contracts.profile import Profile
from contracts.running import (
    ApprovalView,
    AttendanceView,
    HearingView,
    MinutesVersion,
    ProxyGround,
    Result,
)
from services.desk.print_texts import Printing, sitting_papers
from services.letters import InvitationLetter, letters
from services.typeset import papers
from tests.desk.standin import CASE, JUSO, PEOPLE, SHIEN, SITTING, STAFF, TUESDAY, StandIn, browser, post, sign_in
from tests.desk.test_sitting import ITEM, hearing, room

Desk = Callable[[Compartment | None], StandIn]
PATH = f"/sittings/{SITTING}"
PAPER = UUID(int=0x9A)
REQUEST = "5a1e0c3e-7b2f-4c1d-9e8a-000000000077"
OVER_THE_LIMIT = "山田\U0001f600"


def text_of(file: bytes) -> str:
    """All pages, without line breaks."""
    return "".join(page.extract_text().replace("\n", "") for page in PdfReader(io.BytesIO(file)).pages)


def printable(work: StandIn, copies: tuple[PrintedCopy, ...] | None = None, **facts: Any) -> None:
    """Meetings gives out the sitting."""
    room(work, **facts)
    mine = tuple(one.item for one in work.room.items)
    own = (PrintedCopy(number=1, person=PEOPLE[0], agency="fukushi", items=mine),)
    work.answers[PrintSitting] = lambda _: SittingPrint(
        found=True, room=work.room, copies=own if copies is None else copies, seats=len(work.room.seats)
    )


async def press(work: StandIn, path: str, **fields: Any) -> httpx.Response:
    async with browser(work) as client:
        await sign_in(client)
        return await post(client, path, **{"request": REQUEST} | fields)


def said(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


def collecting(profile: Profile) -> Profile:
    bodies = tuple(one.model_copy(update={"collects_papers": True}) for one in profile.bodies)
    return profile.model_copy(update={"bodies": bodies})


MINUTES = {
    "minutes_version": 1,
    "verdict": "held",
    "closed_at": TUESDAY + timedelta(minutes=50),
    "attendance": (
        AttendanceView(person=PEOPLE[0], agency="fukushi", entered_at=TUESDAY),
        AttendanceView(
            person=PEOPLE[4],
            agency="jiritsu",
            post="officer",
            ground=ProxyGround.LETTER,
            entered_at=TUESDAY + timedelta(minutes=5),
            left_at=TUESDAY + timedelta(minutes=40),
        ),
    ),
    "items": (
        hearing(
            state="heard",
            called_at=TUESDAY + timedelta(minutes=10),
            done_at=TUESDAY + timedelta(minutes=30),
            heard_by=("fukushi", "jiritsu"),
            versions=(
                MinutesVersion(
                    number=1,
                    at=TUESDAY,
                    by=PEOPLE[0],
                    agency="fukushi",
                    result=Result(
                        outcome=Outcome.FIT_AMENDED,
                        roles=(Role(agency="jiritsu", until="2027-02-28", does="家計の相談を月2回行う。"),),
                        next_on="2027-02-18",
                        local_issue=True,
                        words="𠮷田さんは、訪問を午後にしてほしいと話した。",
                    ),
                ),
            ),
        ),
    ),
}


# -- a sitting ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S3", "S14")
@pytest.mark.parametrize("paper", ["notice", "agenda", "minutes"])
async def test_each_paper_of_a_support_meeting_bears_secrecy_and_the_penalty_of_its_day(
    stand_in: Desk, paper: str
) -> None:
    work = stand_in(SHIEN)
    printable(work, **MINUTES)
    answer = await press(work, f"{PATH}/print", paper=paper)
    assert answer.headers["content-type"] == "application/pdf"
    text = text_of(answer.content)
    assert "社会福祉法第106条の6の支援会議の構成員は、構成員でなくなった後も" in text
    assert "1年以下の拘禁刑又は100万円以下の罰金に処されます" in text
    assert "令和8年11月24日現在" in text
    work = stand_in(JUSO)
    printable(work, **MINUTES)
    assert "罰" not in text_of((await press(work, f"{PATH}/print", paper=paper)).content)


@pytest.mark.rule("S14")
@pytest.mark.parametrize("paper", ["notice", "agenda"])
async def test_notice_and_agenda_of_a_support_meeting_say_what_the_law_holds_it_for(stand_in: Desk, paper: str) -> None:
    work = stand_in(SHIEN)
    printable(work)
    text = text_of((await press(work, f"{PATH}/print", paper=paper)).content)
    assert "必要な情報の交換を行うとともに" in text
    assert "支援体制に関する検討を行うものです(社会福祉法第106条の6)。" in text
    juso = stand_in(JUSO)
    printable(juso)
    assert "会議の目的" not in text_of((await press(juso, f"{PATH}/print", paper=paper)).content)


@pytest.mark.rule("S15", "S16")
@pytest.mark.parametrize("paper", ["notice", "agenda", "minutes"])
async def test_a_bylaws_secrecy_and_how_long_papers_are_kept_stand_on_them(stand_in: Desk, paper: str) -> None:
    work = stand_in(JUSO)
    bound = Secrecy(ground="関川村の要綱第6条", text="知り得た秘密を漏らしてはならない。", first=date(2026, 4, 1))
    bodies = tuple(one.model_copy(update={"secrecy": (bound,), "keep_years": 5}) for one in work.profile.bodies)
    work.profile = work.profile.model_copy(update={"bodies": bodies})
    printable(work, **MINUTES)
    text = text_of((await press(work, f"{PATH}/print", paper=paper)).content)
    assert "守秘義務(関川村の要綱第6条)知り得た秘密を漏らしてはならない。" in text
    assert "保存年限" in text
    assert "5年" in text


@pytest.mark.rule("S3")
def test_the_penalty_is_worded_as_on_the_day_of_the_sitting(kobayashi: Profile, stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    for day, words in ((31, "懲役"), (32, "拘禁刑")):
        starts = datetime(2025, 5, 1, 5, tzinfo=UTC) + timedelta(days=day - 1)
        printable(work, starts=starts, ends=starts + timedelta(hours=1))
        found = work.answers[PrintSitting](None)
        printing = Printing(SittingPaper.AGENDA, "a1", kobayashi, SHIEN, {}, date(2025, 5, 1))
        text = text_of(papers(sitting_papers(found, printing), "次第"))
        assert f"1年以下の{words}又は" in text


async def test_the_notice_has_what_a_notice_needs_and_names_no_client(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    printable(work)
    text = text_of((await press(work, f"{PATH}/print", paper="notice")).content)
    for words in ("髙橋 美穂 様", "の開催について(通知)", "令和8年11月24日", "市役所", "出席の区分 必須",
                  f"事案 {CASE.hex[:8]}(プラン策定)", "社会福祉法第106条の4第2項第5号"):  # fmt: skip
        assert words in text, words
    for client in ("原田", "𠮷田", "小林市細野"):
        assert client not in text


async def test_minutes_say_who_came_what_was_found_and_who_does_what(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    printable(work, **MINUTES)
    text = text_of((await press(work, f"{PATH}/print", paper="minutes")).content)
    for words in ("会議録(案)", STAFF[4][0], "委任状", "𠮷田さんは、訪問を午後にしてほしいと話した。", "地域課題 あり",
                  "家計の相談を月2回行う。", "令和9年2月28日(日)", "令和9年2月18日(木)"):  # fmt: skip
        assert words in text, words
    approval = ApprovalView(person=PEOPLE[0], agency="fukushi", at=TUESDAY, version=1)
    printable(work, **MINUTES, approved_at=TUESDAY, approvals=(approval,))
    text = text_of((await press(work, f"{PATH}/print", paper="minutes")).content)
    assert "会議録(案)" not in text


@pytest.mark.rule("M6", "S11", "S16")
async def test_each_copy_holds_its_readers_items_only_and_is_numbered_where_it_is_collected(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.profile = collecting(work.profile)
    other = UUID(int=0x77AABBCC << 96)
    items = (hearing(), HearingView(item=uuid4(), case=other, purpose="plan", order=2, state="waiting"))
    copies = (
        PrintedCopy(number=1, person=PEOPLE[0], agency="fukushi", items=tuple(one.item for one in items)),
        PrintedCopy(number=2, person=PEOPLE[4], agency="jiritsu", items=(ITEM,)),
    )
    printable(work, copies, items=items)
    answer = await press(work, f"{PATH}/print", paper="agenda", everyone="true")
    first, second = (page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "回収 控番号 1 / 2" in first
    assert "回収 控番号 2 / 2" in second
    assert f"印刷番号 {REQUEST[:8]}-02" in second
    assert STAFF[4][0] in second
    assert "事案 77aabbcc" in first
    assert "77aabbcc" not in second
    assert "会議の資料は、会議の終わりに回収します" in first.replace("\n", "")


async def test_a_body_that_does_not_collect_numbers_nothing_in_a_consented_meeting(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    printable(work)
    text = text_of((await press(work, f"{PATH}/print", paper="agenda")).content)
    assert "回収" not in text
    assert "控番号" not in text


async def test_who_may_not_see_the_sitting_gets_no_paper(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.answers[PrintSitting] = lambda _: SittingPrint(found=False)
    for path in (f"{PATH}/print", "/sittings/x/print"):
        answer = await press(work, path, paper="agenda")
        assert (answer.status_code, b"%PDF" in answer.content) == (404, False)


async def test_a_refusal_says_the_reason_the_rule_and_the_way_on(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    work.answers[PrintSitting] = lambda _: SittingPrint(
        found=True,
        rule="M6",
        reason="この区切りの支援会議の出席者ではありません。",
        next_step="出席者に加えてください。",
    )
    answer = await press(work, f"{PATH}/print", paper="minutes")
    assert answer.status_code == 409
    assert "出席者ではありません。出席者に加えてください。(M6)" in said(answer)


async def test_a_sign_without_a_picture_is_told_by_its_code_and_nothing_is_printed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    items = MINUTES["items"]
    version = items[0].versions[0]
    result = version.result.model_copy(update={"words": OVER_THE_LIMIT})
    heard = items[0].model_copy(update={"versions": (version.model_copy(update={"result": result}),)})
    printable(work, **MINUTES | {"items": (heard,)})
    answer = await press(work, f"{PATH}/print", paper="minutes")
    assert answer.status_code == 409
    assert "印刷の書体にない字があります(U+1F600)" in said(answer)
    assert "山田" not in said(answer)


async def test_the_name_of_the_file_names_nobody_and_no_copy_is_kept_by_the_browser(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    printable(work)
    answer = await press(work, f"{PATH}/print", paper="notice")
    assert answer.headers["content-disposition"] == f'inline; filename="notice-{SITTING.hex[:8]}.pdf"'
    assert answer.headers["cache-control"] == "no-store"


async def test_the_same_paper_twice_is_the_same_bytes(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    printable(work, **MINUTES)
    first, second = [(await press(work, f"{PATH}/print", paper="minutes")).content for _ in range(2)]
    assert first == second


async def test_a_printing_needs_the_pages_own_form_and_asks_in_the_name_of_who_signed_in(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    printable(work)
    async with browser(work) as client:
        await sign_in(client)
        assert (await client.post(f"{PATH}/print", data={"paper": "notice", "request": REQUEST})).status_code != 200
        assert (await client.get(f"{PATH}/print")).status_code in (404, 405)
    assert work.times_asked(PrintSitting) == 0
    await press(work, f"{PATH}/print", paper="notice", everyone="true")
    (asked,) = [one for one, _ in work.asked if isinstance(one, PrintSitting)]
    assert (asked.viewer, asked.viewer_agency, asked.everyone) == (PEOPLE[0], "fukushi", True)
    assert asked.request == UUID(REQUEST)


async def test_without_the_directory_no_paper_goes_out_without_names(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    printable(work)
    work.silence(Staff)
    answer = await press(work, f"{PATH}/print", paper="notice")
    assert (answer.status_code, b"%PDF" in answer.content) == (503, False)
    assert work.times_asked(PrintSitting) == 0, "no row for what nobody gets"


async def test_the_page_offers_all_copies_to_who_runs_it_and_minutes_once_there_are_some(stand_in: Desk) -> None:
    async def read(work: StandIn) -> str:
        async with browser(work) as client:
            await sign_in(client)
            return html.unescape((await client.get(PATH)).text)

    work = stand_in(JUSO)
    room(work)
    page = await read(work)
    assert 'value="agenda"' in page
    assert 'value="minutes"' not in page
    assert "席のある全員の分を印刷" in page
    room(work, may_run=False, **MINUTES)
    page = await read(work)
    assert 'value="minutes"' in page
    assert "席のある全員の分を印刷" not in page
    assert "案内の手紙" not in page


# -- the letter --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S17")
async def test_a_letter_goes_to_each_who_could_not_be_mailed_and_is_the_same_for_both_kinds(stand_in: Desk) -> None:
    read: dict[Compartment, str] = {}
    for kind in (JUSO, SHIEN):
        work = stand_in(kind)
        starts = work.sittings[0].starts
        room(work, starts=starts, ends=starts + timedelta(hours=1))
        answer = await press(work, f"{PATH}/letters")
        assert answer.headers["content-disposition"] == f'inline; filename="annai-{SITTING.hex[:8]}.pdf"'
        assert len(PdfReader(io.BytesIO(answer.content)).pages) == 2
        read[kind] = text_of(answer.content)
        assert f"{STAFF[3][0]} 様" in read[kind]
        assert f"{STAFF[5][0]} 様" in read[kind]
        assert STAFF[0][0] not in read[kind]
        for word in ("支援", "重層", "同意", "事案", "議題", "委嘱", "守秘", "106"):
            assert word not in read[kind], word
    same = [read[kind].replace(place, "") for kind, place in ((JUSO, "市役所"), (SHIEN, "保健センター"))]
    assert same[0][:80] == same[1][:80]


async def test_only_who_runs_the_sitting_prints_letters_and_none_where_all_were_mailed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    room(work, may_run=False)
    assert (await press(work, f"{PATH}/letters")).status_code == 404
    one = work.sittings[0]
    room(work, starts=one.starts, ends=one.ends)
    seats = tuple(seat.model_copy(update={"notice": "sent"}) for seat in one.seats)
    work.sittings = (one.model_copy(update={"seats": seats}),)
    assert (await press(work, f"{PATH}/letters")).status_code == 409


def test_a_batch_of_letters_has_a_page_for_each() -> None:
    made = [
        InvitationLetter("小林市社会福祉協議会", f"𠮷田 {n}", "令和8年12月1日(火) 10:00〜11:00", "市役所")
        for n in range(40)
    ]
    file = letters(made, "小林市 福祉課", "0984-00-0000", "令和8年11月24日")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(file)).pages]
    assert len(pages) == 40
    assert all(f"𠮷田 {n} 様" in page and "0984-00-0000" in page for n, page in enumerate(pages))


# -- 委嘱状、協力依頼書 ------------------------------------------------------------------------------------------------


def commissioned(work: StandIn, person: UUID | None = PEOPLE[4], **facts: Any) -> CommissionView:
    values = {
        "commission": UUID(int=0xF1 << 96),
        "person": person,
        "agency": "jiritsu",
        "starts": datetime(2026, 10, 31, 15, tzinfo=UTC),
        "ends": datetime(2028, 3, 31, 15, tzinfo=UTC),
        "explained_on": date(2026, 10, 20),
        "document": "小福第12号",
        "ended_at": None,
    }
    one = CommissionView.model_validate(values | facts)
    work.commissions = [one]
    return one


@pytest.mark.rule("S3", "S4", "S7")
@pytest.mark.parametrize(("person", "to"), [(PEOPLE[4], f"{STAFF[4][0]} 様"), (None, "御中")])
async def test_a_commission_is_printed_with_period_ground_and_the_secrecy_that_stays(
    stand_in: Desk, person: UUID | None, to: str
) -> None:
    work = stand_in(SHIEN)
    one = commissioned(work, person)
    answer = await press(work, f"/commissions/{one.commission}/print")
    text = text_of(answer.content)
    for words in ("委嘱状", to, "小福第12号", "令和8年11月1日から令和10年3月31日まで", "令和8年10月20日に説明",
                  "構成員でなくなった後も", "拘禁刑", "社会福祉法第106条の6", "小林市長"):  # fmt: skip
        assert words in text, words
    assert answer.headers["content-disposition"] == f'inline; filename="ishoku-{one.commission.hex[:8]}.pdf"'


async def test_a_commission_that_is_over_or_unknown_or_not_yours_to_make_is_not_printed(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    one = commissioned(work, ended_at=TUESDAY)
    assert (await press(work, f"/commissions/{one.commission}/print")).status_code == 409
    assert (await press(work, f"/commissions/{uuid4()}/print")).status_code == 404
    assert (await press(work, "/commissions/x/print")).status_code == 404
    commissioned(work)
    work.person, work.agency = PEOPLE[4], "jiritsu"
    answer = await press(work, f"/commissions/{one.commission}/print")
    assert (answer.status_code, b"%PDF" in answer.content) == (403, False)


@pytest.mark.rule("S5")
async def test_a_request_for_help_says_what_is_asked_until_when_and_nothing_of_the_case(stand_in: Desk) -> None:
    work = stand_in(SHIEN)
    request = UUID(int=0xF2F2 << 112)
    work.requests = [
        CooperationView(
            request=request,
            case=CASE,
            agency="byouin",
            template=QuestionTemplate.OPINION,
            asked_at=TUESDAY,
            due_on=date(2026, 12, 8),
            answered_at=None,
            asked_back_at=None,
        )
    ]
    answer = await press(work, f"/cases/{CASE}/cooperation/{request}/print")
    text = text_of(answer.content)
    for words in (
        "協力依頼書",
        "御中",
        "意見の開陳をお願いします。",
        "令和8年12月8日(火)",
        "依頼番号 f2f20000",
        "協力の求め",
    ):
        assert words in text, words
    for secret in (CASE.hex[:8], "原田", "𠮷田", "事案"):
        assert secret not in text
    for path in (f"/cases/{CASE}/cooperation/{uuid4()}/print", f"/cases/{uuid4()}/cooperation/{request}/print"):
        assert (await press(work, path)).status_code == 404


async def test_the_consented_desk_knows_neither(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    for path in (f"/commissions/{uuid4()}/print", f"/cases/{CASE}/cooperation/{uuid4()}/print"):
        assert (await press(work, path)).status_code == 404


# -- 書類 --------------------------------------------------------------------------------------------------------------


def filled(**facts: Any) -> PaperView:
    head = PaperHead.model_validate(
        {"paper": PAPER, "version": 2, "form": "assessment", "kind": "assessment", "edition": "1",
         "category": "ordinary", "by": PEOPLE[0], "agency": "fukushi", "at": TUESDAY}
    )  # fmt: skip
    values = {"name": "齋藤 久美子", "complaint": "母の介護と家計のことで眠れない。\n弟は働いていない。"}
    return PaperView.model_validate({"found": True, "head": head, "versions": (head,), "values": values} | facts)


@pytest.mark.rule("S18")
async def test_a_filled_form_is_printed_with_its_answers_and_without_what_is_masked(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.answers[PrintPaper] = lambda _: filled(masked=("address",))
    answer = await press(work, f"/cases/{CASE}/papers/{PAPER}/pdf", version="2")
    text = text_of(answer.content)
    for words in ("アセスメントシート", "齋藤 久美子", "母の介護と家計のことで眠れない。弟は働いていない。", "〔秘匿〕",
                  "第2版", "髙橋 美穂 が印刷"):  # fmt: skip
        assert words in text, words
    assert answer.headers["content-disposition"] == f'inline; filename="shorui-{PAPER.hex[:8]}-2.pdf"'
    (asked,) = [one for one, _ in work.asked if isinstance(one, PrintPaper)]
    assert (asked.version, asked.request, asked.viewer) == (2, UUID(REQUEST), PEOPLE[0])


async def test_a_form_that_may_not_be_given_out_is_refused_with_its_reason(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    view = filled(
        values={}, withheld=True, rule="C11", reason="同意が撤回されました。", next_step="改めて同意を得てください。"
    )
    work.answers[PrintPaper] = lambda _: view
    answer = await press(work, f"/cases/{CASE}/papers/{PAPER}/pdf")
    assert answer.status_code == 409
    assert "同意が撤回されました。改めて同意を得てください。(C11)" in said(answer)
    work.answers[PrintPaper] = lambda _: filled(values={}, erased=True)
    assert (await press(work, f"/cases/{CASE}/papers/{PAPER}/pdf")).status_code == 409
    work.answers[PrintPaper] = lambda _: PaperView(found=False)
    for path in (
        f"/cases/{CASE}/papers/{PAPER}/pdf",
        f"/cases/{uuid4()}/papers/{PAPER}/pdf",
        f"/cases/{CASE}/papers/x/pdf",
    ):
        assert (await press(work, path)).status_code == 404


class _Writes:
    """Files that are opened to be written to while it is asked for. An audit hook cannot be taken off again."""

    def __init__(self) -> None:
        self.on, self.seen = False, list[str]()
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.seen.append(str(args[0]))


async def test_nothing_printed_is_written_to_any_file(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.answers[PrintPaper] = lambda _: filled()
    writes = _Writes()
    async with browser(work) as client:
        await sign_in(client)
        writes.on = True
        answer = await post(client, f"/cases/{CASE}/papers/{PAPER}/pdf", request=REQUEST)
        writes.on = False
    assert answer.content.startswith(b"%PDF")
    assert [path for path in writes.seen if not path.endswith(".pyc") and "__pycache__" not in path] == []
