"""The 準備シート: answers merged by subject, and what stays open, from plain values."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.preparing import (
    ONE_FOR_ALL,
    Accepted,
    Answer,
    AnswerView,
    Asked,
    Attendance,
    Choice,
    DateOf,
    InquiryView,
    RosterSeat,
    Subject,
)
from services.coordination.preparing import points, sections

AT = datetime(2026, 11, 24, 1, tzinfo=UTC)
WHO = UUID(int=7)
ROSTER = Accepted(
    number=1,
    choice=Choice(
        seats=tuple(RosterSeat(agency=one, need="expected") for one in ("fukushi", "jiritsu", "byouin")),
        attendance=Attendance.OPEN,
    ),
    by=WHO,
    agency="fukushi",
    at=AT,
)


def answered(*answers: Answer, number: int = 1, on: date = date(2026, 11, 20)) -> AnswerView:
    return AnswerView(
        number=number, answers=answers, said_by="看護師 𠮷田", said_on=on, by=WHO, by_agency="fukushi", at=AT
    )


def asked(
    agency: str, *answers: AnswerView, subjects: tuple[Subject, ...] = (Subject.HEALTH,), **how: Any
) -> InquiryView:
    values: dict[str, Any] = {
        "inquiry": UUID(int=hash(agency) % 1000),
        "agency": agency,
        "asks": tuple(Asked(subject=one, text="教えてください。") for one in subjects),
        "asked_at": AT,
        "asked_by": WHO,
        "asked_for": "fukushi",
        "due_on": date(2026, 11, 30),
        "late": False,
        "may_answer": False,
        "answers": answers,
    }
    return InquiryView(**values | how)


def says(subject: Subject, text: str = "", date_of: DateOf | None = None, on: date | None = None) -> Answer:
    return Answer(subject=subject, text=text, date_of=date_of, on=on)


def test_answers_of_all_agencies_stand_together_by_subject_with_who_said_it_and_when() -> None:
    found = sections(
        [
            asked("jiritsu", answered(says(Subject.HEALTH, "通院が途切れた。"), says(Subject.HOUSING, "家賃の滞納。"))),
            asked("byouin", answered(says(Subject.HEALTH, "11月に入院。"), on=date(2026, 11, 18))),
        ]
    )
    assert [(one.subject, [said.agency for said in one.said]) for one in found] == [
        (Subject.HEALTH, ["byouin", "jiritsu"]),
        (Subject.HOUSING, ["jiritsu"]),
    ]
    first = found[0].said[0]
    assert (first.text, first.said_by, first.said_on) == ("11月に入院。", "看護師 𠮷田", date(2026, 11, 18))


def test_of_two_answers_of_one_agency_the_newer_stands_on_the_sheet() -> None:
    (section,) = sections(
        [
            asked(
                "byouin",
                answered(says(Subject.HEALTH, "退院は未定。")),
                answered(says(Subject.HEALTH, "12月に退院。"), number=2),
            )
        ]
    )
    assert [one.text for one in section.said] == ["12月に退院。"]


@pytest.mark.rule("C8")
@pytest.mark.parametrize("late", [False, True])
def test_what_nobody_answered_is_open_until_when_and_whether_it_is_late(late: bool) -> None:
    (point,) = points([asked("byouin", late=late)], ROSTER, ("fukushi", "jiritsu", "byouin"))
    assert (point.kind, point.agencies, point.due_on, point.late) == (
        "unanswered",
        ("byouin",),
        date(2026, 11, 30),
        late,
    )


def test_a_subject_that_an_answer_leaves_out_is_open() -> None:
    half = asked("byouin", answered(says(Subject.HEALTH, "入院中。")), subjects=(Subject.HEALTH, Subject.WISHES))
    (point,) = points([half], ROSTER, ("fukushi", "jiritsu", "byouin"))
    assert (point.kind, point.agencies, point.subject) == ("not_said", ("byouin",), Subject.WISHES)


@pytest.mark.rule("T2")
@pytest.mark.parametrize("date_of", sorted(ONE_FOR_ALL))
def test_days_that_cannot_both_be_right_are_shown_with_who_said_which(date_of: DateOf) -> None:
    table = [
        asked("byouin", answered(says(Subject.HEALTH, "", date_of, date(2026, 12, 10)))),
        asked("jiritsu", answered(says(Subject.HEALTH, "", date_of, date(2026, 12, 1)))),
    ]
    (point,) = points(table, ROSTER, ("fukushi", "jiritsu", "byouin"))
    assert (point.kind, point.date_of) == ("dates", date_of)
    assert dict(zip(point.agencies, point.days, strict=True)) == {
        "jiritsu": date(2026, 12, 1),
        "byouin": date(2026, 12, 10),
    }


def test_days_that_agree_differ_in_kind_or_were_corrected_contradict_nothing() -> None:
    first, second = date(2026, 12, 1), date(2026, 12, 10)
    everybody = ("fukushi", "jiritsu", "byouin")
    said = says(Subject.HEALTH, "", DateOf.DISCHARGE, second)
    corrected = answered(said), answered(says(Subject.HEALTH, "", DateOf.DISCHARGE, first), number=2)
    other = asked("jiritsu", answered(says(Subject.HEALTH, "", DateOf.DISCHARGE, first)))
    assert points([asked("byouin", *corrected), other], ROSTER, everybody) == ()
    hearing = asked("fukushi", answered(says(Subject.HEALTH, "", DateOf.HEARING, second)))
    assert points([other, hearing], ROSTER, everybody) == ()
    seen = [
        asked(one, answered(says(Subject.HEALTH, "", DateOf.LAST_SEEN, on)))
        for one, on in (("byouin", first), ("jiritsu", second))
    ]
    assert points(seen, ROSTER, everybody) == (), "every agency has met the person last on a day of its own"


@pytest.mark.rule("T2", "D7")
def test_who_is_at_the_table_without_a_role_is_named_until_the_plan_or_the_agency_says_one() -> None:
    (point,) = points([], ROSTER, ())
    assert (point.kind, point.agencies) == ("no_role", ("fukushi", "jiritsu", "byouin"))
    offers = asked("byouin", answered(says(Subject.ROLE, "退院の調整。")), subjects=(Subject.ROLE,))
    (point,) = points([offers], ROSTER, ("fukushi",))
    assert point.agencies == ("jiritsu",)


@pytest.mark.rule("P5")
def test_that_nobody_decided_who_comes_is_open() -> None:
    assert [one.kind for one in points([], None, ())] == ["no_roster"]
