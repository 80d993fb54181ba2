"""What the week and a case's trail show, assembled from replies."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from contracts.directory import Staff
from contracts.intake import Particulars
from contracts.meetings import SittingList, SittingView
from contracts.message import Compartment
from contracts.profile import Profile
from services.desk import pages, words
from tests.desk.standin import CASE, CLIENTS, JUSO, LATE, OTHER, SITTING, StandIn, sitting

Desk = Callable[[Compartment | None], StandIn]
MONDAY = date(2026, 11, 23)


def known(work: StandIn, clients: dict[UUID, Particulars] | None = CLIENTS) -> pages.Known:
    assert work.compartment
    staff = {one.person: one for one in work.answers[Staff](Staff()).staff}
    return pages.Known(work.profile, work.compartment, staff, {one.case: one for one in work.cases}, clients)


def week_with(work: StandIn, *sittings: SittingView) -> pages.Week:
    return pages.week(MONDAY, MONDAY, SittingList(sittings=sittings, waiting=work.waiting), known(work))


def test_a_week_is_asked_from_sunday_15_00_utc_which_is_monday_in_japan() -> None:
    starts, ends = pages.week_bounds(MONDAY)
    assert starts == datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    assert ends - starts == timedelta(weeks=9)


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (datetime(2026, 11, 22, 14, 59, tzinfo=UTC), date(2026, 11, 16)),
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), date(2026, 11, 23)),
    ],
)
def test_the_week_changes_at_midnight_in_japan(now: datetime, monday: date) -> None:
    assert words.monday_of(words.day_in_japan(now)) == monday


def test_a_sitting_belongs_to_this_week_until_the_last_minute_of_sunday_in_japan(stand_in: Desk) -> None:
    next_monday = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
    last = sitting(JUSO, UUID(int=1), CASE, next_monday - timedelta(minutes=1))
    first = sitting(JUSO, UUID(int=2), CASE, next_monday)
    week = week_with(stand_in(JUSO), first, last)
    assert [card.sitting for card in week.sittings] == [last.sitting]
    assert [card.sitting for card in week.later] == [first.sitting]
    assert (week.previous, week.next, week.sunday) == ("2026-11-16", "2026-11-30", date(2026, 11, 29))


def test_a_sitting_counts_its_answers_and_says_whom_to_telephone(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    card = week_with(work, work.sittings[0]).sittings[0]
    assert (card.answered, len(card.seats)) == (3, 6)
    assert card.counts == (("出席", 2), ("欠席", 1), ("未回答", 3))
    assert {(seat.name, seat.call) for seat in card.seats if seat.call} == {
        ("濵田 政志", "メールを使えない職場です。"),
        ("黒木 大輔", "メールを届けられませんでした。"),
    }
    assert card.article == "社会福祉法第106条の4第2項第5号"


def test_a_cancelled_seat_is_shown_as_such_and_counts_for_nothing(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    whole = work.sittings[0]
    gone = tuple(seat.model_copy(update={"cancelled": place == 0}) for place, seat in enumerate(whole.seats))
    before, card = (week_with(work, one).sittings[0] for one in (whole, whole.model_copy(update={"seats": gone})))
    assert (card.invited, before.invited) == (before.invited - 1, len(whole.seats))
    assert [seat.notice for seat in card.seats if seat.cancelled] == ["取消しを送付済み"]
    assert sum(count for _, count in card.counts) == card.invited


@pytest.mark.rule("M6")
def test_the_agenda_says_who_leaves_the_room_for_an_item(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    whole = work.sittings[0]
    narrow = whole.items[0].model_copy(update={"without": ("choju", "kikan")})
    (line, *_) = week_with(work, whole.model_copy(update={"items": (narrow, *whole.items[1:])})).sittings[0].items
    assert line.leaving == ("長寿介護課", "にしもろ基幹相談支援センター")


def test_a_required_agency_that_cannot_come_is_pointed_out(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    (warning,) = week_with(work, work.sittings[0]).sittings[0].warnings
    assert "長寿介護課" in warning


def test_a_case_is_either_searched_a_date_for_or_waiting_never_both(stand_in: Desk) -> None:
    week = week_with(stand_in(JUSO))
    assert [line.case for line in week.searching] == [OTHER]
    assert [line.case for line in week.waiting] == [LATE]


def test_what_does_not_fit_on_the_week_is_counted(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    late = next(one for one in work.cases if one.case == LATE)
    work.cases = tuple(late.model_copy(update={"case": UUID(int=number)}) for number in range(60))
    week = week_with(work)
    assert (len(week.waiting), week.more) == (pages.SHOWN_ON_WEEK, 10)
    asked = pages.cases_of(SittingList(sittings=(), waiting=work.waiting), work.cases)
    assert len(asked) == pages.SHOWN_ON_WEEK + 1


def test_without_a_name_a_case_still_has_a_reference_and_the_reason(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    (case,) = [one for one in work.cases if one.case == LATE]
    unanswered = pages.case_line(case, known(work, None))
    erased = pages.case_line(case, known(work, {LATE: Particulars(found=False, erased=True)}))
    assert (erased.name, erased.named) == ("消去済み", False)
    withheld = pages.case_line(case, known(work, {LATE: Particulars(found=False)}))
    assert (unanswered.name, withheld.name) == ("氏名を確認できません", "氏名は表示できません")
    assert unanswered.number == withheld.number == "事案 00000000"


def test_codes_that_left_the_profile_are_shown_as_they_are(stand_in: Desk, kobayashi: Profile) -> None:
    work = stand_in(JUSO)
    gone = work.sittings[0].model_copy(update={"body": "mukashi", "place": "kyu-chosha", "sitting": SITTING})
    card = pages.sitting_card(gone, known(work))
    assert (card.body, card.place) == ("mukashi", "kyu-chosha")
