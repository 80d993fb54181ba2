"""Rosters and inquiries on both engines: decided once, sealed, told by codes, and only by and to who may."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward
from contracts.erasure import EraseCase, EraseReason
from contracts.life import Step
from contracts.message import Compartment
from contracts.preparing import (
    AcceptRoster,
    Answer,
    AnswerInquiry,
    AskAgency,
    Asked,
    Attendance,
    Choice,
    DateOf,
    LookAtInquiries,
    LookAtRoster,
    LookAtSheet,
    OpenInquiries,
    Prepared,
    RosterAccepted,
    RosterSeat,
    RosterView,
    SheetView,
    Struck,
    Subject,
)
from services.coordination import rostering
from services.coordination.inquiries import letter
from services.coordination.tables import inquiry, inquiry_answer, item
from services.coordination.tables import roster as rosters
from tests.coordination.stand_in import COORDINATOR, COUNSELLOR, NURSE, OFFICER, VIEWERS, Hands, commissioned
from tests.coordination.test_life import PLAN, act
from tests.coordination.test_living import case_in, walk

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
DUE = date(2026, 12, 1)
QUESTION = "通院と服薬の様子を教えてください。"
ANSWER = "週に一度、弟の付き添いで通っている。"


def by(viewer: UUID) -> dict[str, Any]:
    return {"viewer": viewer, "viewer_agency": VIEWERS[viewer]}


async def look(hands: Hands, case: UUID, viewer: UUID = OFFICER) -> RosterView:
    found = await hands.perform(LookAtRoster(case=case, **by(viewer)))
    assert isinstance(found, RosterView)
    return found


async def as_proposed(hands: Hands, case: UUID, **changes: Any) -> Choice:
    found = (await look(hands, case)).proposal
    seats = tuple(RosterSeat(agency=one.agency, need=one.need) for one in found.seats)
    return Choice(**{"seats": seats, "attendance": Attendance.NO, "attendance_words": "体調が優れない。"} | changes)


async def accept(
    hands: Hands, case: UUID, choice: Choice, after: int = 0, viewer: UUID = OFFICER, **how: Any
) -> Prepared:
    asked = {"case": case, "request": uuid4(), "after": after, "choice": choice} | by(viewer) | how
    answer = await hands.perform(AcceptRoster(**asked))
    assert isinstance(answer, Prepared)
    return answer


async def ask(
    hands: Hands, case: UUID, agency: str = "houkatsu-kobayashi", viewer: UUID = OFFICER, **how: Any
) -> Prepared:
    asks = (Asked(subject=Subject.HEALTH, text=QUESTION),)
    said = {"case": case, "request": uuid4(), "agency": agency, "asks": asks, "due_on": DUE} | by(viewer) | how
    answer = await hands.perform(AskAgency(**said))
    assert isinstance(answer, Prepared)
    return answer


async def reply(hands: Hands, case: UUID, ref: UUID | None, viewer: UUID = COUNSELLOR, **how: Any) -> Prepared:
    said: dict[str, Any] = {"case": case, "inquiry": ref, "request": uuid4(), "after": 0, "said_on": date(2026, 11, 24)}
    said |= {"answers": (Answer(subject=Subject.HEALTH, text=ANSWER),)} | by(viewer) | how
    answer = await hands.perform(AnswerInquiry(**said))
    assert isinstance(answer, Prepared)
    return answer


async def sheet(hands: Hands, case: UUID, viewer: UUID = OFFICER) -> SheetView:
    found = await hands.perform(LookAtSheet(case=case, **by(viewer)))
    assert isinstance(found, SheetView)
    return found


def told(hands: Hands) -> list[RosterAccepted]:
    return [one for one in hands.stage.told() if isinstance(one, RosterAccepted)]


# -- the roster --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("P1", "P2", "P5")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_an_accepted_roster_is_told_to_the_meetings_by_codes_alone(hands: Ready, kind: Compartment) -> None:
    work = hands(kind)
    case = await case_in(work)
    put = next(one for one in work.stage.told() if isinstance(one, ItemPutForward))
    done = await accept(work, case, await as_proposed(work, case))
    assert (done.done, done.number) == (True, 1)
    (event,) = told(work)
    assert (event.about, event.case, event.version) == (put.about, case, 1)
    assert {"fukushi", "shakyo"} <= set(event.agencies)
    assert set(event.required) == ({"fukushi", "shakyo"} if kind is JUSO else {"fukushi"})
    assert "体調" not in event.model_dump_json()


async def test_the_same_request_is_one_decision_and_with_another_choice_it_is_refused(hands: Ready) -> None:
    work = hands(JUSO)
    case, request = await case_in(work), uuid4()
    choice = await as_proposed(work, case)
    for _ in range(2):
        assert (await accept(work, case, choice, request=request)).number == 1
    other = choice.model_copy(update={"attendance": Attendance.YES})
    assert not (await accept(work, case, other, request=request)).done
    assert len((await look(work, case)).accepted) == 1
    assert len(told(work)) == 1


async def test_of_two_who_decide_at_once_the_second_is_told_and_nothing_is_overwritten(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    choice = await as_proposed(work, case)
    assert (await accept(work, case, choice)).done
    second = await accept(work, case, choice, viewer=COORDINATOR)
    assert (second.done, "先に" in second.reason) == (False, True)
    assert (await accept(work, case, choice, after=1, viewer=COORDINATOR)).number == 2
    assert [(one.number, one.agency) for one in (await look(work, case)).accepted] == [(2, "shakyo"), (1, "fukushi")]


@pytest.mark.rule("P4", "P7")
async def test_the_reasons_are_kept_with_the_roster_and_sealed(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    choice = await as_proposed(work, case)
    gone = choice.model_copy(
        update={
            "seats": tuple(one for one in choice.seats if one.agency != "houkatsu-kobayashi"),
            "struck": (Struck(agency="houkatsu-kobayashi", words="担当が休んでいる。"),),
        }
    )
    assert (await accept(work, case, gone)).done
    (kept,) = (await look(work, case)).accepted
    assert kept.choice == gone
    row = work.stage.do(lambda tx: tx.execute(select(rosters)).one())
    assert "休んで" not in repr(row)
    assert "体調" not in repr(row)


async def test_the_reasons_are_for_those_who_decide_and_the_roster_for_everybody_inside(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    choice = await as_proposed(work, case)
    assert (await accept(work, case, choice)).done
    (seen,) = (await look(work, case, COUNSELLOR)).accepted
    assert [one.agency for one in seen.choice.seats] == [one.agency for one in choice.seats]
    assert seen.choice.attendance_words == ""
    assert (await look(work, case, COORDINATOR)).accepted[0].choice == choice


@pytest.mark.rule("C3", "S6", "P1")
@pytest.mark.parametrize(("kind", "rule"), [(JUSO, "C3"), (SHIEN, "S6")])
async def test_a_refused_choice_stores_nothing_and_tells_nobody(hands: Ready, kind: Compartment, rule: str) -> None:
    work = hands(kind)
    case = await case_in(work)
    choice = await as_proposed(work, case)
    outside = RosterSeat(agency="saposute", need="optional", words="就労に詳しい。")
    refused = await accept(work, case, choice.model_copy(update={"seats": (*choice.seats, outside)}))
    assert (refused.done, refused.rule) == (False, rule)
    assert refused.next_step
    assert (await look(work, case)).accepted == ()
    assert told(work) == []


@pytest.mark.rule("P9", "S1", "S8")
async def test_only_the_office_decides_and_who_may_not_see_the_case_learns_nothing(hands: Ready) -> None:
    juso, case = hands(JUSO), None
    case = await case_in(juso)
    choice = await as_proposed(juso, case)
    assert (await accept(juso, case, choice, viewer=COUNSELLOR)).rule == "P9"
    assert not (await look(juso, case, COUNSELLOR)).may_decide
    assert (await look(juso, case, NURSE)) == (await look(juso, uuid4(), NURSE)) == RosterView(found=False)
    assert (await accept(juso, case, choice, viewer=NURSE)).rule == "C1"
    assert (await sheet(juso, case, NURSE)) == SheetView(found=False)
    assert not (await ask(juso, case, viewer=NURSE)).done


@pytest.mark.rule("S8")
async def test_in_a_meeting_without_consent_a_commissioned_agency_sees_no_roster_and_no_sheet(hands: Ready) -> None:
    work = hands(SHIEN)
    case = await case_in(work)
    work.stage.give(commissioned(agency="houkatsu-kobayashi"))
    assert not (await look(work, case, COUNSELLOR)).found
    assert not (await sheet(work, case, COUNSELLOR)).found


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_every_look_at_roster_and_sheet_stands_in_the_register(hands: Ready, kind: Compartment) -> None:
    work = hands(kind)
    case = await case_in(work)
    assert (await look(work, case)).found
    assert [(one.person, one.case) for one in work.register()] == [(OFFICER, case)]
    if kind is JUSO:
        assert (await sheet(work, case, COUNSELLOR)).found
        assert {one.person for one in work.register()} == {OFFICER, COUNSELLOR}


@pytest.mark.rule("P5")
async def test_what_is_put_to_a_meeting_later_calls_the_accepted_roster(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    choice = await as_proposed(work, case)
    gone = tuple(one for one in choice.seats if one.agency != "kikan")
    struck = tuple(Struck(agency="kikan", words="関わりがない。") for one in choice.seats if one.agency == "kikan")
    hokenjo = RosterSeat(agency="hokenjo", need="required", words="こころの不調がある。")
    assert (await accept(work, case, choice.model_copy(update={"seats": (*gone, hokenjo), "struck": struck}))).done
    work.stage.told()
    await walk(work, case, act(Step.ASSESS), act(Step.DRAFT, plan=PLAN), act(Step.BRING, urgent=True))
    put = next(one for one in work.stage.told() if isinstance(one, ItemPutForward))
    assert "kikan" not in put.agencies
    assert "hokenjo" in put.agencies
    assert "hokenjo" in put.required


@pytest.mark.rule("C11")
async def test_after_a_withdrawal_nothing_is_prepared_any_more(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    choice, asked = await as_proposed(work, case), await ask(work, case)
    consent = next(one for one in work.ledger.newest.values() if one.case == case)
    withdrawn = consent.model_copy(update={"version": 2, "state": ConsentState.WITHDRAWN, "scope": None})
    work.ledger.newest[consent.about] = withdrawn
    work.stage.give(withdrawn)
    await work.errands()
    assert not (await accept(work, case, choice)).done
    assert not (await ask(work, case)).done
    assert not (await reply(work, case, asked.inquiry)).done
    assert not (await sheet(work, case)).found
    assert told(work) == []


# -- asking agencies ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("C8")
async def test_an_agency_inside_the_consent_is_asked_answers_and_stands_on_the_sheet(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    asked = await ask(work, case)
    assert (asked.done, asked.letter) == (True, "")
    (waiting,) = (await inquiries_of(work, COUNSELLOR)).inquiries
    assert (waiting.inquiry, waiting.mine, waiting.late, waiting.due_on) == (asked.inquiry, True, False, DUE)
    said = Answer(subject=Subject.HEALTH, text=ANSWER, date_of=DateOf.DISCHARGE, on=date(2026, 12, 10))
    assert (await reply(work, case, asked.inquiry, answers=(said,))).number == 1
    found = await sheet(work, case)
    (one,) = found.sections[0].said
    assert (one.agency, one.text, one.on, one.by) == ("houkatsu-kobayashi", ANSWER, date(2026, 12, 10), COUNSELLOR)
    assert found.inquiries[0].asks[0].text == QUESTION
    assert (await inquiries_of(work, COUNSELLOR)).inquiries == ()


async def inquiries_of(hands: Hands, viewer: UUID) -> OpenInquiries:
    found = await hands.perform(LookAtInquiries(**by(viewer)))
    assert isinstance(found, OpenInquiries)
    return found


@pytest.mark.rule("C8", "S5", "S6")
@pytest.mark.parametrize(("kind", "rule", "door"), [(JUSO, "C8", "同意"), (SHIEN, "S6", "協力依頼")])
async def test_nobody_outside_consent_or_commission_is_asked_and_the_door_is_named(
    hands: Ready, kind: Compartment, rule: str, door: str
) -> None:
    work = hands(kind)
    refused = await ask(work, await case_in(work), agency="saposute")
    assert (refused.done, refused.rule, door in refused.next_step) == (False, rule, True)
    assert work.stage.do(lambda tx: tx.execute(select(inquiry)).all()) == []


@pytest.mark.rule("S5", "S17")
async def test_in_a_meeting_without_consent_the_letter_says_nothing_of_the_case(hands: Ready) -> None:
    work = hands(SHIEN)
    work.stage.give(commissioned(agency="byouin"))
    case = await case_in(work)
    asked = await ask(work, case, agency="byouin")
    assert asked.letter == letter("byouin", [Subject.HEALTH], DUE, work.profile)
    assert "令和8年12月1日" in asked.letter
    assert "病気・障害・医療" in asked.letter
    for text in (QUESTION, str(case), str(asked.inquiry)):
        assert text not in asked.letter
    assert not (await reply(work, case, asked.inquiry, viewer=NURSE)).done, "it does not see the desk"
    noted = await reply(work, case, asked.inquiry, viewer=OFFICER, said_by="看護師 𠮷田 進")
    assert noted.done
    (one,) = (await sheet(work, case)).sections[0].said
    assert (one.agency, one.said_by, one.by) == ("byouin", "看護師 𠮷田 進", OFFICER)


@pytest.mark.rule("C8")
async def test_late_ones_are_shown_from_the_day_after_the_deadline_on(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    await ask(work, case, due_on=date(2026, 11, 25))
    for days, late in ((1, False), (1, True)):
        work.stage.pass_time(days=days)
        await work.errands()
        (one,) = (await inquiries_of(work, OFFICER)).inquiries
        (point,) = [one for one in (await sheet(work, case)).points if one.kind == "unanswered"]
        assert (one.late, one.mine, point.late) == (late, False, late)


async def test_asking_and_answering_twice_is_once_and_two_answers_at_once_lose_nothing(hands: Ready) -> None:
    work = hands(JUSO)
    case, request, second = await case_in(work), uuid4(), uuid4()
    first = await ask(work, case, request=request)
    assert (await ask(work, case, request=request)).inquiry == first.inquiry
    assert not (await ask(work, case, request=request, due_on=DUE + timedelta(days=1))).done
    for _ in range(2):
        assert (await reply(work, case, first.inquiry, request=second)).number == 1
    assert not (await reply(work, case, first.inquiry, request=second, said_by="橋口")).done
    late = await reply(work, case, first.inquiry, viewer=OFFICER)
    assert "先に回答しました" in late.reason
    more = (Answer(subject=Subject.HEALTH, text="先週から入院した。"),)
    assert (await reply(work, case, first.inquiry, viewer=OFFICER, after=1, answers=more)).number == 2
    (kept,) = (await sheet(work, case)).inquiries
    assert [one.answers[0].text for one in kept.answers] == [ANSWER, "先週から入院した。"]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"agency": "naimono"}, "設定にありません"),
        ({"asks": ()}, "空です"),
        ({"asks": (Asked(subject=Subject.CARE, text="  "),)}, "空です"),
        ({"asks": (Asked(subject=Subject.CARE, text="何か。"),) * 2}, "二度"),
        ({"due_on": date(2026, 11, 23)}, "1年以内"),
        ({"due_on": date(2028, 2, 29)}, "1年以内"),
    ],
)
async def test_a_question_that_cannot_be_put_says_which_part_is_wrong(
    hands: Ready, wrong: dict[str, Any], word: str
) -> None:
    work = hands(JUSO)
    refused = await ask(work, await case_in(work), **wrong)
    assert (refused.done, word in refused.reason) == (False, True)
    assert refused.rule
    assert refused.next_step


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"answers": ()}, "空です"),
        ({"answers": (Answer(subject=Subject.HEALTH, text=" "),)}, "空です"),
        ({"answers": (Answer(subject=Subject.WISHES, text="家にいたい。"),)}, "照会していない"),
        ({"answers": (Answer(subject=Subject.HEALTH, text="ある。"),) * 2}, "二度"),
        ({"answers": (Answer(subject=Subject.HEALTH, text="ある。", on=DUE),)}, "片方"),
        ({"answers": (Answer(subject=Subject.HEALTH, text="ある。", date_of=DateOf.HEARING),)}, "片方"),
        ({"said_on": date(2026, 11, 25)}, "今日より後"),
        ({"ref": uuid4()}, "見つかりません"),
        ({"viewer": COORDINATOR, "viewer_agency": "kikan"}, "照会を受けた機関"),
    ],
)
async def test_an_answer_that_cannot_be_kept_says_which_part_is_wrong(
    hands: Ready, wrong: dict[str, Any], word: str
) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    asked = await ask(work, case)
    refused = await reply(work, case, **({"ref": asked.inquiry} | wrong))
    assert (refused.done, word in refused.reason) == (False, True)
    assert refused.next_step
    assert work.stage.do(lambda tx: tx.execute(select(inquiry_answer)).all()) == []


async def test_ten_thousand_characters_come_back_whole_and_one_more_is_refused(hands: Ready) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    asked = await ask(work, case)
    long = "髙橋さんの話。" * 1428 + "終わり。"
    assert len(long) == 10_000
    assert (await reply(work, case, asked.inquiry, answers=(Answer(subject=Subject.HEALTH, text=long),))).done
    assert (await sheet(work, case)).sections[0].said[0].text == long
    with pytest.raises(ValueError, match="10000") as refused:
        Answer(subject=Subject.HEALTH, text=long + "あ")
    assert "髙橋" not in str(refused.value)


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_an_erased_case_leaves_codes_and_days_and_no_word_that_was_asked_said_or_reasoned(
    hands: Ready, kind: Compartment
) -> None:
    work = hands(kind)
    case = await case_in(work)
    asked = await ask(work, case, agency="shakyo")
    assert (await reply(work, case, asked.inquiry, viewer=OFFICER)).done
    choice = await as_proposed(work, case)
    assert (await accept(work, case, choice)).done
    assert work.stage.ask(EraseCase(case=case, reason=EraseReason.REQUEST)).done
    found = await sheet(work, case)
    assert (found.inquiries, found.sections, found.may_ask) == ((), (), False)
    (kept,) = (await look(work, case)).accepted
    assert kept.choice.attendance_words == ""
    assert [one.agency for one in kept.choice.seats] == [one.agency for one in choice.seats]
    for refused in (await accept(work, case, choice, after=1), await ask(work, case, agency="shakyo")):
        assert (refused.done, refused.rule) == (False, "S11")
    assert (await reply(work, case, asked.inquiry, viewer=OFFICER, after=1)).rule == "S11"
    assert (await inquiries_of(work, OFFICER)).inquiries == ()


async def test_of_two_processes_that_decide_at_once_the_second_changes_nothing(
    hands: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = hands(JUSO)
    case = await case_in(work)
    choice = await as_proposed(work, case)
    assert (await accept(work, case, choice)).done
    told(work)
    monkeypatch.setattr(rostering, "_rows", lambda about, tx: [])  # it looked before the first had written
    late = await accept(work, case, choice, viewer=COORDINATOR)
    assert (late.done, "先に" in late.reason) == (False, True)
    assert told(work) == []
    assert work.stage.do(lambda tx: len(tx.execute(select(item)).all())) == 1
