"""Dates as offices write them."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.era import ERAS, read_date
from contracts.text import Refused


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026/11/2", date(2026, 11, 2)),
        ("2026-11-02", date(2026, 11, 2)),
        ("2026年11月2日", date(2026, 11, 2)),
        ("令和8年11月2日", date(2026, 11, 2)),
        ("R8.11.2", date(2026, 11, 2)),
        ("r08/11/02", date(2026, 11, 2)),
        ("令和 8年 11月 2日", date(2026, 11, 2)),
        ("Ｒ８．１１．２", date(2026, 11, 2)),
        ("㋿8年11月2日", date(2026, 11, 2)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("H31.4.30", date(2019, 4, 30)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("昭和元年12月25日", date(1926, 12, 25)),
        ("大正15年12月24日", date(1926, 12, 24)),
        ("M45.7.29", date(1912, 7, 29)),
        ("大正元年7月30日", date(1912, 7, 30)),
        ("明治6年1月1日", date(1873, 1, 1)),
        ("S31.2.29", date(1956, 2, 29)),
    ],
)
def test_a_date_is_read_in_either_reckoning(text: str, day: date) -> None:
    assert read_date(text) == day


@pytest.mark.parametrize(
    ("text", "rule", "named"),
    [
        ("昭和65年1月1日", "date-era", "1989年1月7日まで"),
        ("平成31年5月1日", "date-era", "2019年4月30日まで"),
        ("令和元年4月30日", "date-era", "2019年5月1日から"),
        ("S64.1.8", "date-era", "1989年1月7日まで"),
        ("大正15年12月25日", "date-era", "1926年12月24日まで"),
        ("R0.5.1", "date-era", "元年"),
        ("明治5年12月2日", "date-lunar", "西暦"),
        ("令和7年2月29日", "date-calendar", "カレンダー"),
        ("2026/2/30", "date-calendar", "カレンダー"),
        ("R8.13.1", "date-calendar", "カレンダー"),
        ("0000/1/1", "date-calendar", "カレンダー"),
        ("8.11.2", "date-form", "令和8年"),
        ("26/11/2", "date-form", "2026/11/2"),
        ("20261102", "date-form", "2026/11/2"),
        ("46328", "date-form", "2026/11/2"),
        ("慶応3年1月1日", "date-form", "2026/11/2"),
        ("２０２６年", "date-form", "2026/11/2"),
        ("", "date-form", "2026/11/2"),
    ],
)
def test_a_date_that_does_not_exist_or_is_unclear_is_refused_by_name(text: str, rule: str, named: str) -> None:
    with pytest.raises(Refused) as refused:
        read_date(text)
    assert refused.value.rule == rule
    assert named in refused.value.message


def test_the_eras_follow_each_other_without_a_gap() -> None:
    assert all(one.last + timedelta(days=1) == later.first for one, later in pairwise(ERAS))


@given(st.dates(date(1873, 1, 1), date(2099, 12, 31)))
def test_every_day_has_exactly_one_name_in_the_eras(day: date) -> None:
    found = []
    for era in ERAS:
        try:
            found.append(read_date(f"{era.name}{day.year - era.first.year + 1}年{day.month}月{day.day}日"))
        except Refused:
            continue
    assert found == [day]


@given(st.text())
def test_no_text_makes_reading_a_date_fail_otherwise(text: str) -> None:
    with suppress(Refused):
        assert isinstance(read_date(text), date)
