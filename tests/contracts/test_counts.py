"""Periods of the Japanese fiscal year, definitions as data, and how facts become numbers."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts.counts import Dimension, Fact, FactKind, Item, Method, Period, WrongPeriod, count

CASES = [UUID(int=number) for number in range(1, 9)]


def period(text: str) -> Period:
    return Period.read(text)


@pytest.mark.parametrize(
    ("text", "begins", "last", "year"),
    [
        ("2026-04", date(2026, 4, 1), date(2026, 4, 30), 2026),
        ("2027-03", date(2027, 3, 1), date(2027, 3, 31), 2026),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), 2027),
        ("2026-Q1", date(2026, 4, 1), date(2026, 6, 30), 2026),
        ("2026-Q4", date(2027, 1, 1), date(2027, 3, 31), 2026),
        ("2026", date(2026, 4, 1), date(2027, 3, 31), 2026),
    ],
)
def test_a_fiscal_year_begins_in_april(text: str, begins: date, last: date, year: int) -> None:
    found = period(text)
    assert (found.begins, found.last, found.fiscal_year) == (begins, last, year)


@pytest.mark.parametrize(
    "text", ["", "2026-Q5", "2026-13", "2026-00", "令和8年", "2026-4", "26-04", "2026-04-01", "２０２６"]
)
def test_a_period_that_is_none_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(WrongPeriod, match="2026-Q2"):
        period(text)


def test_a_year_contains_its_quarters_and_months_and_not_itself() -> None:
    year = period("2026")
    assert all(year.contains(period(text)) for text in ("2026-Q1", "2026-Q4", "2027-03"))
    assert not any(year.contains(period(text)) for text in ("2026", "2026-03", "2027-Q1", "2027"))


def item(**changes: Any) -> Item:
    values = {"id": "it", "title": "件数", "words": "数", "source": "種001", "fact": FactKind.CASE_LEFT}
    return Item.model_validate(values | changes)


def left(on: date, way: str, case: int = 0) -> Fact:
    return Fact(kind=FactKind.CASE_LEFT, on=on, about=CASES[case], dims={Dimension.WAY: (way,)})


def in_state(begins: date, until: date | None, state: str, case: int = 0) -> Fact:
    dims = {Dimension.STATE: (state,)}
    return Fact(kind=FactKind.IN_STATE, on=begins, until=until, about=CASES[case], dims=dims)


def test_what_happened_on_the_last_day_counts_and_on_the_next_it_does_not() -> None:
    facts = tuple(left(date(2026, *day), "closed") for day in ((3, 31), (4, 1), (6, 30), (7, 1)))
    assert count(item(), facts, period("2026-Q1")).count == 2


def test_nothing_found_is_zero_and_what_is_not_recorded_is_not() -> None:
    assert count(item(), (), period("2026-04")).count == 0
    unknown = count(item(fact=None, not_recorded="記録がありません。"), (), period("2026-04"))
    assert (unknown.count, unknown.why) == (None, "記録がありません。")


def test_groups_add_up_even_where_a_fact_says_nothing_of_its_group() -> None:
    facts = (left(date(2026, 4, 2), "closed"), left(date(2026, 4, 3), "closed"))
    blank = Fact(kind=FactKind.CASE_LEFT, on=date(2026, 4, 4), about=CASES[0])
    found = count(item(by=({"dim": "way", "title": "理由"},)), (*facts, blank), period("2026-04"))
    assert {group.code: group.count for group in found.groups} == {"closed": 2, "-": 1}
    assert found.count == 3


def test_the_end_of_a_period_counts_what_stands_on_its_last_day() -> None:
    standing = item(fact=FactKind.IN_STATE, method=Method.STANDING)
    facts = (
        in_state(date(2026, 3, 1), date(2026, 6, 30), "opened"),
        in_state(date(2026, 3, 1), date(2026, 7, 1), "opened", 1),
        in_state(date(2026, 6, 30), None, "opened", 2),
        in_state(date(2026, 7, 1), None, "opened", 3),
    )
    assert count(standing, facts, period("2026-Q1")).count == 2


def test_a_person_who_used_a_service_twice_is_one_person() -> None:
    people = item(fact=FactKind.SERVICE_IN_FORCE, method=Method.THINGS, where={"service": ("outreach",)})

    def used(begins: date, until: date | None, service: str, case: int) -> Fact:
        dims = {Dimension.SERVICE: (service,)}
        return Fact(kind=FactKind.SERVICE_IN_FORCE, on=begins, until=until, about=CASES[case], dims=dims)

    facts = (
        used(date(2026, 1, 1), date(2026, 4, 2), "outreach", 0),
        used(date(2026, 5, 1), None, "outreach", 0),
        used(date(2026, 1, 1), date(2026, 4, 1), "outreach", 1),
        used(date(2026, 5, 1), None, "participation", 2),
    )
    assert count(people, facts, period("2026-Q1")).count == 1


def test_a_mean_says_of_how_many_it_is_one() -> None:
    mean = item(fact=FactKind.FIRST_HEARD, method=Method.MEAN)
    facts = tuple(Fact(kind=FactKind.FIRST_HEARD, on=date(2026, 4, 9), about=CASES[n], amount=n * 10) for n in (1, 2))
    found = count(mean, facts, period("2026-04"))
    assert (found.count, found.of) == (30, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fact": None},
        {"not_recorded": "記録がない"},
        {"by": ({"dim": "body", "title": "会議体"},)},
        {"where": {"purpose": ("plan",)}},
        {"fact": FactKind.CASE_LEFT, "method": "mean", "by": ({"dim": "way", "title": "理由"},)},
        {"compartments": ()},
        {"surprise": 1},
    ],
)
def test_a_definition_that_cannot_be_counted_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        item(**wrong)


def test_only_groupings_in_which_each_fact_stands_once_are_taken_to_add_up() -> None:
    by = ({"dim": "urgent", "title": "緊急"}, {"dim": "problem", "title": "課題"})
    assert item(fact=FactKind.CASE_OPENED, by=by).exact() == {"urgent"}
    assert item(fact=FactKind.CASE_OPENED, by=by, method=Method.THINGS).exact() == frozenset()
