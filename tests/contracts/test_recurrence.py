"""RRULE in and out: what a body meets by means the same to any calendar, and the rest is refused by name."""

from datetime import date, datetime, time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.recurrence import rrule_of
from contracts.series import Cadence
from services.meetings.cadence import cadence_text, named_dates, regular_dates

FIRST, LAST = date(2026, 4, 1), date(2029, 3, 31)
SOME = st.sets(st.integers(1, 12), min_size=1).map(lambda found: tuple(sorted(found)))


def by_dateutil(rule: str, since: date = FIRST) -> list[date]:
    """What another library makes of a rule, in the same three years."""
    begins = datetime.combine(since, time(12))
    found = rrulestr(rule, dtstart=begins).between(
        datetime.combine(FIRST, time()), datetime.combine(LAST, time(23)), inc=True
    )
    return [one.date() for one in found]


def ours(cadence: Cadence) -> list[date]:
    return list(named_dates(cadence, FIRST, LAST))


@st.composite
def cadences(draw: st.DrawFn) -> Cadence:
    way = draw(st.sampled_from(["weekday", "day", "weeks"]))
    if way == "weekday":
        nth = draw(st.sets(st.sampled_from([1, 2, 3, 4, 5, -1]), min_size=1))
        return Cadence(months=draw(SOME), nth=tuple(nth), weekday=draw(st.integers(0, 4)))
    if way == "day":
        days = draw(st.sets(st.sampled_from([*range(1, 32), -1]), min_size=1))
        return Cadence(months=draw(SOME), monthdays=tuple(days))
    since = draw(st.dates(date(2024, 1, 1), date(2027, 1, 1)).filter(lambda day: day.weekday() < 5))
    return Cadence(every_weeks=draw(st.integers(1, 30)), since=since)


@pytest.mark.rule("M9")
@given(cadences())
def test_every_cadence_goes_out_as_a_rule_of_the_same_days_and_comes_back_as_itself(cadence: Cadence) -> None:
    rule = rrule_of(cadence)
    assert by_dateutil(rule, cadence.since or FIRST) == ours(cadence)
    said = {"rrule": rule} | ({"since": cadence.since} if cadence.since else {})
    assert ours(Cadence.model_validate(said)) == ours(cadence)


@pytest.mark.parametrize(
    ("rule", "since", "text"),
    [
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=3TH", date(2026, 4, 16), "隔月第3木曜"),
        ("RRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1,3", date(2026, 4, 7), "毎月第1・第3火曜"),
        ("FREQ=MONTHLY;BYDAY=WE", date(2026, 4, 1), "毎月第1・第2・第3・第4・第5水曜"),
        ("FREQ=YEARLY;BYMONTH=7,2;BYDAY=2TU", None, "2・7月第2火曜"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,-1", None, "毎月末日・15日"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;WKST=MO", date(2026, 4, 3), "隔週金曜"),
        ("freq=monthly;byday=-1fr", None, "毎月最終金曜"),
    ],
)
def test_rules_as_calendars_write_them_are_read(rule: str, since: date | None, text: str) -> None:
    cadence = Cadence.model_validate({"rrule": rule, "since": since} if since else {"rrule": rule})
    assert cadence_text(cadence) == text
    whole = rule.upper().removeprefix("RRULE:")
    if since:
        assert by_dateutil(whole, since) == ours(cadence)


def test_a_rule_ends_with_its_last_day_in_japan_or_after_so_many_times() -> None:
    until = Cadence.model_validate({"rrule": "FREQ=MONTHLY;BYDAY=3TH;UNTIL=20260930T145959Z"})
    assert ours(until)[-1] == date(2026, 9, 17)
    assert rrule_of(until) == "FREQ=MONTHLY;BYDAY=3TH;UNTIL=20260930T145959Z"
    counted = {"rrule": "FREQ=MONTHLY;BYDAY=3TH;COUNT=3", "since": date(2026, 2, 1)}
    assert ours(Cadence.model_validate(counted)) == [date(2026, 4, 16)], "February and March were the first two"


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=DAILY;INTERVAL=1", "FREQ"),
        ("FREQ=MONTHLY;BYDAY=3TH;BYHOUR=10", "BYHOUR"),
        ("FREQ=MONTHLY;BYDAY=3TH;COUNT=10000", "COUNT"),
        ("FREQ=MONTHLY;BYDAY=3TH,2FR", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=6TH", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=3SU", "BYDAY"),
        ("FREQ=MONTHLY;INTERVAL=5;BYDAY=3TH", "INTERVAL"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTH=13;BYDAY=1MO", "BYMONTH"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=3TH;UNTIL=someday", "UNTIL"),
        ("FREQ=MONTHLY;FREQ=WEEKLY", "FREQ"),
        ("=", "形"),
        ("", "FREQ"),
        ("FREQ=MONTHLY;BYDAY=" + "3TH," * 100, "300字"),
    ],
)
def test_a_rule_that_no_body_meets_by_is_refused_by_its_part_and_not_repeated(rule: str, named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Cadence.model_validate({"rrule": rule, "since": date(2026, 4, 2)})
    said = refused.value.errors(include_input=False)[0]["msg"]
    assert named in said
    assert said.endswith("。")


def test_a_series_without_end_costs_nothing_to_look_into() -> None:
    weekly = Cadence.model_validate({"rrule": "FREQ=WEEKLY;BYDAY=MO", "since": date(1, 1, 1)})
    assert list(named_dates(weekly, date(2026, 4, 1), date(2026, 4, 14))) == [date(2026, 4, 6), date(2026, 4, 13)]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"nth": (1,)},
        {"nth": (1,), "weekday": 1, "monthdays": (3,)},
        {"nth": (0,), "weekday": 1},
        {"every_weeks": 2},
        {"every_weeks": 2, "since": date(2026, 4, 4)},
        {"months": (), "monthdays": (1,)},
        {"monthdays": (1,), "since": date(2026, 4, 1), "until": date(2026, 3, 31)},
        {"monthdays": (1,), "times": 3},
        {"rrule": "FREQ=MONTHLY;BYDAY=3TH", "nth": (1,)},
        {"rrule": 3},
    ],
)
def test_a_cadence_that_says_nothing_or_two_things_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cadence.model_validate(said)


def test_a_moved_date_may_keep_its_weekday_or_be_dropped() -> None:
    monday = {"months": (11,), "nth": (4,), "weekday": 0}  # 2026-11-23 is 勤労感謝の日
    kept = Cadence.model_validate(monday | {"keep_weekday": True})
    year = date(2026, 11, 1), date(2026, 12, 31)
    assert list(regular_dates(kept, *year, ())) == [date(2026, 11, 30)]
    earlier = Cadence.model_validate(monday | {"keep_weekday": True, "moved": "earlier"})
    assert list(regular_dates(earlier, *year, ())) == [date(2026, 11, 16)]
    assert list(regular_dates(Cadence.model_validate(monday | {"moved": "dropped"}), *year, ())) == []
