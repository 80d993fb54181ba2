"""The rules of meetings: on which days a body meets, what it may hear, who has a seat, when answers are due."""

from datetime import date, datetime, time, timedelta

import pytest

from contracts.message import Compartment
from contracts.profile import Body, Cadence, Profile
from services.meetings import domain, seating
from services.meetings.cadence import cadence_text, regular_dates
from services.meetings.scheduling import TOKYO, NoSlot
from services.office_days import is_closed
from tests.meetings.stand_in import person, staff_of
from tests.stage import SOME_DAY

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
NEW_YEAR = ("12-29", "12-30", "12-31", "01-01", "01-02", "01-03")
ALL_MONTHS = tuple(range(1, 13))


def at(year: int, month: int, day: int, clock: str = "00:00") -> datetime:
    return datetime.combine(date(year, month, day), time.fromisoformat(clock), TOKYO)


def body(profile: Profile, code: str) -> Body:
    return next(one for one in profile.bodies if one.code == code)


def with_body(profile: Profile, code: str, **changes: object) -> Profile:
    bodies = tuple(one.model_copy(update=changes) if one.code == code else one for one in profile.bodies)
    return profile.model_copy(update={"bodies": bodies})


# -- which days (M9) ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("M9")
def test_every_other_month_on_the_third_thursday(kobayashi: Profile) -> None:
    cadence = body(kobayashi, "teirei").cadence
    assert cadence is not None
    dates = regular_dates(cadence, date(2027, 1, 1), date(2027, 12, 31), NEW_YEAR)
    assert [f"{day:%m-%d}" for day in dates] == ["02-18", "04-15", "06-17", "08-19", "10-21", "12-16"]
    assert cadence_text(cadence) == "隔月第3木曜"


@pytest.mark.parametrize(("moved", "expected"), [("later", date(2026, 11, 24)), ("earlier", date(2026, 11, 20))])
def test_a_holiday_moves_a_sitting_to_the_next_open_day(moved: str, expected: date) -> None:
    cadence = Cadence.model_validate({"months": [11], "nth": [4], "weekday": 0, "moved": moved})
    dates = regular_dates(cadence, date(2026, 11, 1), date(2026, 11, 30), NEW_YEAR)
    assert dates == {expected: date(2026, 11, 23)}, "2026-11-23 is 勤労感謝の日, a Monday"


@pytest.mark.parametrize(("moved", "expected"), [("later", date(2027, 1, 4)), ("earlier", date(2026, 12, 28))])
def test_the_new_year_closure_moves_a_sitting_into_the_other_month(moved: str, expected: date) -> None:
    cadence = Cadence.model_validate({"months": [12], "nth": [5], "weekday": 3, "moved": moved})
    assert list(regular_dates(cadence, date(2026, 12, 1), date(2027, 1, 31), NEW_YEAR)) == [expected]


def test_a_month_without_a_fifth_thursday_has_no_sitting_then() -> None:
    cadence = Cadence(months=ALL_MONTHS, nth=(5,), weekday=3)
    assert list(regular_dates(cadence, date(2026, 1, 1), date(2026, 4, 30), ())) == [
        date(2026, 1, 29),
        date(2026, 4, 30),
    ]


def test_two_dates_moved_onto_one_day_are_one_sitting() -> None:
    closed = [f"06-{day:02}" for day in range(1, 15)]
    cadence = Cadence(months=(6,), nth=(1, 2), weekday=2)
    assert list(regular_dates(cadence, date(2026, 6, 1), date(2026, 6, 30), closed)) == [date(2026, 6, 15)]


def test_an_office_that_never_opens_holds_no_sitting() -> None:
    closed = [f"{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 32)]
    assert regular_dates(Cadence(months=(6,), nth=(1,), weekday=2), date(2026, 6, 1), date(2026, 6, 30), closed) == {}


def test_substitute_holidays_and_weekends_are_closed() -> None:
    assert is_closed(date(2027, 3, 22), ()), "振替休日: 2027-03-21 is a Sunday"
    assert is_closed(date(2026, 9, 22), ()), "国民の休日 between two holidays"
    assert is_closed(date(2026, 11, 28), ())
    assert not is_closed(date(2026, 12, 29), ())
    assert is_closed(date(2026, 12, 29), NEW_YEAR)


@pytest.mark.parametrize(
    ("months", "nth", "text"),
    [
        (ALL_MONTHS, (1, 3), "毎月第1・第3火曜"),
        ((2, 7), (2,), "2・7月第2火曜"),
        ((1, 2, 3, 4, 5, 6), (1,), "1・2・3・4・5・6月第1火曜"),
    ],
)
def test_a_cadence_is_said_as_an_office_says_it(months: tuple[int, ...], nth: tuple[int, ...], text: str) -> None:
    assert cadence_text(Cadence(months=months, nth=nth, weekday=1)) == text


# -- which sitting may hear an item ------------------------------------------------------------------------------------


@pytest.mark.rule("M1")
def test_a_consented_case_goes_to_the_regular_meeting_and_an_urgent_one_to_its_own(kobayashi: Profile) -> None:
    way = domain.route(kobayashi, JUSO, False, SOME_DAY)
    assert way.adhoc is None
    assert {one.body.code for one in way.occasions} == {"teirei"}
    assert way.occasions[0].starts == at(2026, 12, 17, "14:00")
    urgent = domain.route(kobayashi, JUSO, True, SOME_DAY)
    assert urgent.adhoc is not None
    assert urgent.adhoc[0].code == "kobetsu"


@pytest.mark.rule("C4")
def test_a_case_without_consent_never_reaches_a_body_for_consented_ones(kobayashi: Profile) -> None:
    for urgent in (False, True):
        way = domain.route(kobayashi, SHIEN, urgent, SOME_DAY)
        assert way.adhoc is not None
        assert way.adhoc[0].code == "shienkaigi"


@pytest.mark.rule("M5")
def test_one_body_with_two_blocks_gives_each_kind_its_own_hour(yasu: Profile) -> None:
    shien, juso = (domain.route(yasu, one, False, SOME_DAY).occasions[0] for one in (SHIEN, JUSO))
    assert (shien.body, shien.day) == (juso.body, juso.day)
    assert (shien.starts, juso.starts) == (at(2026, 12, 23, "13:30"), at(2026, 12, 23, "14:40"))


def test_the_agenda_closes_with_the_last_day_before_its_deadline(kobayashi: Profile) -> None:
    last_moment = at(2026, 12, 10, "23:59")
    assert domain.route(kobayashi, JUSO, False, last_moment).occasions[0].day == date(2026, 12, 17)
    too_late = last_moment + timedelta(minutes=1)
    assert domain.route(kobayashi, JUSO, False, too_late).occasions[0].day == date(2027, 2, 18)


def test_without_a_deadline_the_agenda_is_open_until_the_sitting_starts(kobayashi: Profile) -> None:
    open_late = with_body(kobayashi, "teirei", agenda_deadline_days=0)
    before = domain.route(open_late, JUSO, False, at(2026, 12, 17, "13:59"))
    assert before.occasions[0].day == date(2026, 12, 17)
    assert domain.route(open_late, JUSO, False, at(2026, 12, 17, "14:00")).occasions[0].day == date(2027, 2, 18)


def test_a_full_agenda_sends_the_item_to_the_next_sitting(kobayashi: Profile) -> None:
    first, second, *_ = occasions = domain.route(kobayashi, JUSO, False, SOME_DAY).occasions
    assert next(domain.with_room(occasions, {first.key: 7})) == first
    assert next(domain.with_room(occasions, {first.key: 8})) == second
    assert list(domain.with_room(occasions, {one.key: 8 for one in occasions})) == []


def test_a_moved_regular_date_says_why(kobayashi: Profile) -> None:
    monday = with_body(kobayashi, "teirei", cadence=Cadence(months=(11,), nth=(4,), weekday=0))
    way = domain.route(monday, JUSO, False, at(2026, 11, 2))
    assert way.occasions[0].why == "定例の開催日です(11月第4月曜)。11月23日が勤労感謝の日のため、後に移しました"


def test_an_urgent_case_takes_the_regular_meeting_where_there_is_no_other(kobayashi: Profile) -> None:
    regular_only = kobayashi.model_copy(update={"bodies": (body(kobayashi, "teirei"),)})
    assert domain.route(regular_only, JUSO, True, SOME_DAY).occasions


def test_a_city_without_a_fitting_body_is_told_the_lawful_way(kobayashi: Profile) -> None:
    juso_only = kobayashi.model_copy(update={"bodies": tuple(b for b in kobayashi.bodies if b.code != "shienkaigi")})
    way = domain.route(juso_only, SHIEN, True, SOME_DAY)
    assert way.why == "社会福祉法第106条の6(支援会議)に基づく区切りを設けてください。"
    assert not way.occasions
    assert way.adhoc is None


@pytest.mark.rule("S1")
def test_only_the_city_holds_a_meeting_of_cases_without_consent(kobayashi: Profile) -> None:
    entrusted = with_body(kobayashi, "shienkaigi", host="shakyo")
    way = domain.route(entrusted, SHIEN, False, SOME_DAY)
    assert way.adhoc is None
    assert "市町村が開きます" in way.why


def test_a_plan_made_in_time_stands_and_one_overtaken_by_its_day_does_not() -> None:
    starts = at(2026, 11, 25, "09:00")
    assert not domain.plan_expired(starts, False, at(2026, 11, 24, "23:59"))
    assert domain.plan_expired(starts, False, at(2026, 11, 25))
    assert not domain.plan_expired(starts, True, at(2026, 11, 25, "08:59"))
    assert domain.plan_expired(starts, True, starts)


# -- who has a seat ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("P4", "P5")
def test_referrer_and_the_agencies_concerned_join_the_standing_seats_once(kobayashi: Profile) -> None:
    concerned = ("jiritsu", "kodomo", "shakyo", "jiritsu")
    seats = seating.adhoc_seats(
        kobayashi, body(kobayashi, "kobetsu"), JUSO, dict.fromkeys(concerned, "expected"), staff_of(kobayashi)
    )
    assert [(seat.agency, seat.need) for seat in seats] == [
        ("fukushi", "required"),
        ("shakyo", "required"),
        ("jiritsu", "expected"),
        ("kodomo", "expected"),
    ]
    assert seats[0].persons == (person("fukushi", 0), person("fukushi", 1)), "substitutes for a required seat"
    assert seats[2].persons == (person("jiritsu", 0),)


@pytest.mark.rule("P1", "P2")
@pytest.mark.parametrize(("compartment", "needed"), [(JUSO, {"fukushi", "shakyo"}), (SHIEN, {"fukushi"})])
def test_no_roster_can_leave_out_who_must_attend(
    kobayashi: Profile, compartment: Compartment, needed: set[str]
) -> None:
    for roster in ((), tuple(s.model_copy(update={"need": "optional"}) for s in body(kobayashi, "kobetsu").roster)):
        forgetful = body(kobayashi, "kobetsu").model_copy(update={"roster": roster})
        seats = seating.standing_seats(kobayashi, forgetful, compartment, staff_of(kobayashi))
        assert {seat.agency for seat in seats if seat.need == "required"} == needed
        assert len(seats) == len({seat.agency for seat in seats})


def test_an_agency_without_an_officer_is_stood_for_by_the_first_of_its_staff(kobayashi: Profile) -> None:
    people = [one for one in staff_of(kobayashi) if one.person not in (person("minsei", 0), person("minsei", 1))]
    seats = seating.adhoc_seats(
        kobayashi, body(kobayashi, "shienkaigi"), SHIEN, dict.fromkeys(("minsei", "unknown"), "expected"), people
    )
    assert [seat.persons for seat in seats[1:]] == [(person("minsei", 2),), ()]


def test_a_regular_sitting_seats_the_first_holder_of_each_post(kobayashi: Profile) -> None:
    occasion = domain.route(kobayashi, JUSO, False, SOME_DAY).occasions[0]
    people = [one for one in staff_of(kobayashi) if one.agency != "kenko"]
    found = domain.gather_regular(occasion, seating.standing_seats(kobayashi, occasion.body, JUSO, people))
    assert isinstance(found, domain.Gathering)
    assert len(found.seats) == 9
    assert set(found.seats) <= {person(seat.agency, 0) for seat in occasion.body.roster}
    assert found.why == "定例の開催日です(隔月第3木曜)。名簿に担当者がいない機関: 健康推進課"


@pytest.mark.rule("P1")
def test_a_regular_sitting_waits_for_a_holder_of_each_required_post(kobayashi: Profile) -> None:
    occasion = domain.route(kobayashi, JUSO, False, SOME_DAY).occasions[0]
    found = domain.gather_regular(occasion, seating.standing_seats(kobayashi, occasion.body, JUSO, []))
    assert isinstance(found, NoSlot)
    assert found.blocking == ("福祉課", "小林市社会福祉協議会")


def test_whoever_fills_two_seats_sits_once_on_the_more_needed_one(kobayashi: Profile) -> None:
    required, expected = seating.standing_seats(kobayashi, body(kobayashi, "teirei"), JUSO, staff_of(kobayashi))[1:3]
    who = person("shakyo")
    assert seating.one_seat_each([(expected, who), (required, who)]) == {who: required}


def test_the_search_begins_on_the_next_working_day(kobayashi: Profile) -> None:
    friday_evening = at(2026, 11, 27, "18:00")
    window = domain.search_window(kobayashi, True, friday_evening)
    slots = [window.start_of(n) for n in range(window.open.bit_length()) if window.open >> n & 1]
    assert slots[0] == at(2026, 11, 30, "09:00")
    assert slots[-1] == at(2026, 12, 4, "16:45")


def test_nobody_is_free_while_a_regular_sitting_is_due_that_has_no_agenda_yet(kobayashi: Profile) -> None:
    busy = domain.when_busy(kobayashi, staff_of(kobayashi), (), date(2026, 12, 1), date(2026, 12, 31))
    assert busy[person("fukushi", 0)] == [(at(2026, 12, 17, "14:00"), at(2026, 12, 17, "15:30"))]
    assert person("fukushi", 1) not in busy


# -- invitations -------------------------------------------------------------------------------------------------------


def test_answers_are_due_at_the_close_of_an_office_day_three_days_before(kobayashi: Profile) -> None:
    now = at(2026, 11, 24, "10:23")
    assert domain.answer_by(kobayashi, at(2026, 12, 17, "14:00"), now) == at(2026, 12, 14, "17:00")
    monday = at(2026, 12, 7, "09:00")
    assert domain.answer_by(kobayashi, monday, now) == at(2026, 12, 4, "17:00"), "not on a Sunday"


def test_answers_to_a_sitting_called_at_short_notice_are_due_as_late_as_can_be(kobayashi: Profile) -> None:
    tuesday_after_a_holiday = at(2026, 11, 24, "13:00")
    friday, saturday = at(2026, 11, 20, "09:00"), at(2026, 11, 21, "21:27")
    assert domain.answer_by(kobayashi, tuesday_after_a_holiday, friday) == at(2026, 11, 20, "17:00")
    assert domain.answer_by(kobayashi, tuesday_after_a_holiday, saturday) == at(2026, 11, 24, "12:00")
    assert domain.answer_by(kobayashi, tuesday_after_a_holiday, at(2026, 11, 24, "12:30")) == at(2026, 11, 24, "12:30")


def test_tries_come_ever_more_slowly_but_never_stop() -> None:
    assert [domain.retry_delay(n).seconds for n in (1, 2, 3, 8, 9, 5000)] == [2, 4, 8, 256, 300, 300]


@pytest.mark.parametrize(
    ("basis", "has_items", "minutes", "why"),
    [
        ("swa-106-4-2-5", True, 1, ""),
        ("swa-106-4-2-5", True, 0, "too_late"),
        ("swa-106-4-2-5", False, 1, "stale"),
        ("swa-106-6", True, 1, "stale"),
    ],
)
def test_each_sending_is_decided_anew(basis: str, has_items: bool, minutes: int, why: str) -> None:
    assert domain.why_not_invite(basis, JUSO, has_items, SOME_DAY + timedelta(minutes=minutes), SOME_DAY) == why
