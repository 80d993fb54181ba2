"""What the gate shows of both compartments' counts: frozen in both, small numbers hidden, the same every time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.counts import (
    Counted,
    Dimension,
    FactKind,
    Group,
    Item,
    Method,
    Period,
    Publication,
    Published,
    Shown,
    Snapshot,
)
from services.gate.publishing import CORRECTED, ONCE, publication

LEFT = Item.model_validate(
    {
        "id": "left",
        "title": "終結など",
        "words": "終わった件数",
        "source": "種000",
        "fact": FactKind.CASE_LEFT,
        "by": ({"dim": "way", "title": "理由"},),
    }
)
TOTAL = {"closed": 0, "died": 0}


def frozen(text: str, item: Item = LEFT, threshold: int = 5, **ways: int) -> Snapshot:
    """A snapshot with one item, grouped."""
    groups = tuple(Group(by=Dimension.WAY, code=way, count=number) for way, number in ways.items() if number)
    counted = Counted(item=item, count=sum(ways.values()), groups=groups if item.by else ())
    at = datetime(2027, 4, 2, tzinfo=UTC) + timedelta(days=len(text))
    facts = {"frozen_at": at, "frozen_by": UUID(int=1), "definitions": "1", "threshold": threshold}
    return Snapshot(period=text, counted=(counted,), **facts)


def shown(text: str, juso: list[Snapshot], shien: list[Snapshot]) -> Publication:
    return publication(Period.read(text), juso, shien)


def only(found: Publication) -> Published:
    (one,) = found.items
    return one


def row(found: Publication, code: str = "") -> Shown:
    return next(one for one in only(found).rows if one.code == code)


def test_nothing_is_shown_of_a_period_that_only_one_compartment_has_frozen() -> None:
    for juso, shien in (([frozen("2026", closed=9)], []), ([], [frozen("2026", closed=9)]), ([], [])):
        found = shown("2026", juso, shien)
        assert not found.items
        assert "--freeze" in found.message
        assert "--compartment" in found.message


def test_large_numbers_are_shown_and_small_ones_are_not() -> None:
    found = shown("2026", [frozen("2026", closed=20, died=6)], [frozen("2026", closed=12, died=7)])
    assert (row(found).juso, row(found).shien, row(found).sum) == (26, 19, 45)
    assert row(found, "died").sum == 13
    found = shown("2026", [frozen("2026", closed=20, died=2)], [frozen("2026", closed=12)])
    assert row(found).sum == 34
    assert row(found, "died") == row(found, "died").model_copy(update={"juso": None, "shien": None, "sum": None})
    assert row(found, "closed").sum is None, "34 less 32 would give it"


def test_what_a_month_hid_its_year_does_not_give() -> None:
    month = ([frozen("2026-04", closed=2)], [frozen("2026-04", closed=6)])
    alone = shown("2026", [frozen("2026", closed=30)], [frozen("2026", closed=40)])
    assert (row(alone).juso, row(alone).shien) == (30, 40)
    found = shown("2026", [*month[0], frozen("2026", closed=30)], [*month[1], frozen("2026", closed=40)])
    assert (row(found).juso, row(found).shien, row(found).sum) == (None, None, 70)


def test_a_quarter_passes_on_what_its_months_hid() -> None:
    def town(closed: int, quarter: int, year: int) -> list[Snapshot]:
        return [frozen("2026-04", closed=closed), frozen("2026-Q1", closed=quarter), frozen("2026", closed=year)]

    found = shown("2026", town(2, 20, 50), town(9, 30, 60))
    assert (row(found).juso, row(found).sum) == (None, 110)


def test_what_was_frozen_later_changes_nothing_of_what_was_shown() -> None:
    first = shown("2026-04", [frozen("2026-04", closed=9)], [frozen("2026-04", closed=3)])
    later = shown(
        "2026-04",
        [frozen("2026-04", closed=9), frozen("2026-05", closed=1), frozen("2026", closed=90)],
        [frozen("2026-04", closed=3), frozen("2026-05", closed=1), frozen("2026", closed=90)],
    )
    assert first == later


def test_an_item_that_was_corrected_downwards_is_left_out_with_the_reason() -> None:
    juso = [frozen("2026-04", closed=20), frozen("2026", closed=19)]
    shien = [frozen("2026-04", closed=20), frozen("2026", closed=60)]
    assert only(shown("2026", juso, shien)).why == CORRECTED


def test_people_are_counted_once_and_so_shown_for_one_length_of_period_only() -> None:
    people = LEFT.model_copy(update={"method": Method.THINGS, "fact": FactKind.SERVICE_IN_FORCE, "by": ()})
    both = [frozen("2026-04", people, closed=20), frozen("2026", people, closed=30)]
    assert only(shown("2026", both, both)).why == ONCE
    assert row(shown("2026-04", both, both)).sum == 40


def test_a_mean_and_what_is_not_recorded_are_named_without_a_number() -> None:
    mean = LEFT.model_copy(update={"method": Method.MEAN, "by": ()})
    unknown = LEFT.model_copy(update={"fact": None, "not_recorded": "記録がありません。", "by": ()})
    for item in (mean, unknown):
        found = only(shown("2026", [frozen("2026", item, closed=9)], [frozen("2026", item, closed=9)]))
        assert not found.rows
        assert found.why


def test_the_stricter_threshold_holds() -> None:
    found = shown("2026", [frozen("2026", closed=8)], [frozen("2026", threshold=10, closed=20)])
    assert (row(found).juso, row(found).sum, found.threshold) == (None, 28, 10)


numbers = st.integers(0, 9)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=2, max_size=3))
def test_no_number_that_is_shown_or_left_by_subtracting_is_small(months: list[tuple[int, ...]]) -> None:
    """Of any periods that are shown, each number and each difference of the same row is 0 or not small."""
    texts = ["2026-04", "2026-05", "2026-Q1"]
    town: tuple[list[Snapshot], list[Snapshot]] = ([], [])
    for text, (closed, died, other, gone) in zip(texts, months, strict=False):
        town[0].append(frozen(text, closed=closed, died=died))
        town[1].append(frozen(text, closed=other, died=gone))
    total = [sum(column) for column in zip(*months, strict=True)]
    town[0].append(frozen("2026", closed=total[0] + 5, died=total[1]))
    town[1].append(frozen("2026", closed=total[2], died=total[3] + 5))
    year = table(shown("2026", *town))
    for text in texts[: len(months)]:
        if text == "2026-Q1":  # here it lies beside the months, not above them
            continue
        part = table(shown(text, *town))
        for key, number in year.items():
            if number is not None and key in part:
                assert part[key] is not None, "shown for the year, hidden in a month"
            for one in (number, part.get(key), None if number is None else number - (part.get(key) or 0)):
                assert one is None or one == 0 or one >= 5 or one < 0, (text, key, one)


def table(found: Publication) -> dict[tuple[Any, str, str], int | None]:
    return {
        (one.by, one.code, column): getattr(one, column)
        for one in only(found).rows
        for column in ("juso", "shien", "sum")
    }
