"""Nobody who has all that was published can compute a small cell: tried with every table that agrees with it.

The attacker here is written apart from ``contracts.suppression``: it knows what was shown, that counts are not
negative, how rows add up, and which periods lie in which; and it enumerates.
"""

from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts import suppression
from contracts.suppression import TOTAL, Key, Level, Levels, Pair, Released, Table, levels_of

Cells = tuple[int, int]
ONCE, TWICE = "reason", "problem"
"""A grouping that adds up, and one that may count a thing in several rows."""


# -- the attacker ------------------------------------------------------------------------------------------------------


def agrees(cells: Cells, truth: Pair, level: Level) -> bool:
    """Whether a row could be this, as far as it was shown."""
    if level is Level.ALL:
        return cells == (truth.juso, truth.shien)
    return level is Level.NOTHING or sum(cells) == truth.sum


def pairs(most: int) -> list[Cells]:
    return [(one, other) for one in range(most + 1) for other in range(most + 1 - one)]


def added(*many: tuple[Cells, ...]) -> tuple[Cells, ...]:
    return tuple((sum(one[0] for one in at), sum(one[1] for one in at)) for at in zip(*many, strict=True))


class Attacker:
    """Sees some tables, of which the last contains all the others and more besides."""

    def __init__(self, tables: list[Table], levels: list[Levels], threshold: int) -> None:
        self.tables, self.levels = tables, levels
        self.parts = [*tables[:-1], tables[-1].without(tables[:-1])]
        self.most = [
            part.row(TOTAL).sum + (0 if level[TOTAL] else threshold)  # where it is hidden, large enough to be large
            for part, level in zip(self.parts, levels, strict=True)
        ]

    def ways(self, key: Key) -> Iterator[tuple[Cells, ...]]:
        """What a row could be in each part, so that it agrees in every part that was shown, and in the whole."""
        shown = zip(self.parts[:-1], self.levels[:-1], self.most[:-1], strict=True)
        each = [
            [one for one in pairs(most) if agrees(one, part.row(key), level.get(key, Level.ALL))]
            for part, level, most in shown
        ]
        for some in product(*each, pairs(self.most[-1])):
            whole = (sum(one[0] for one in some), sum(one[1] for one in some))
            if agrees(whole, self.tables[-1].row(key), self.levels[-1].get(key, Level.ALL)):
                yield some

    def could_be_large(self, key: Key, column: int, part: int, threshold: int) -> bool:
        """Whether some tables that agree with all that was shown have this cell at the threshold or above."""

        def chosen(one: Key) -> set[tuple[Cells, ...]]:
            def large(way: tuple[Cells, ...]) -> bool:
                return (sum(way[part]) if column == 2 else way[part][column]) >= threshold

            return {way for way in self.ways(one) if one != key or large(way)}

        totals, tops = chosen(TOTAL), self.most
        keys = {one for part in self.parts for one in part.rows} - {TOTAL}
        for by in self.tables[-1].exact:
            rows = [chosen(one) for one in keys if one[0] == by]
            if rows:
                sums = rows[0]
                for row in rows[1:]:
                    both = (added(one, other) for one in sums for other in row)
                    sums = {one for one in both if all(sum(at) <= top for at, top in zip(one, tops, strict=True))}
                totals &= sums
        return any(
            all(any(within(way, total) for way in chosen(one)) for one in keys if one[0] not in self.tables[-1].exact)
            for total in totals
        )


def within(way: tuple[Cells, ...], total: tuple[Cells, ...]) -> bool:
    return all(one[0] <= all_[0] and one[1] <= all_[1] for one, all_ in zip(way, total, strict=True))


class KnowsOneIsEmpty(Attacker):
    """For an item that is counted in juso only."""

    def ways(self, key: Key) -> Iterator[tuple[Cells, ...]]:
        return (way for way in super().ways(key) if not any(one[1] for one in way))


def given_away(tables: list[Table], levels: list[Levels], threshold: int, kind: type[Attacker] = Attacker) -> list[str]:
    """Every small cell that the attacker knows to be small, or just what it is."""
    attacker, found = kind(tables, levels, threshold), []
    for part, table in enumerate(attacker.parts):
        for key, pair in table.rows.items():
            for column, count in enumerate((pair.juso, pair.shien, pair.sum)):
                if suppression.is_small(count, threshold) and not attacker.could_be_large(key, column, part, threshold):
                    found.append(f"part {part} row {key} column {column} is {count}")
    return found


# -- what is published -------------------------------------------------------------------------------------------------


def published(tables: list[Table], threshold: int) -> list[Levels] | None:
    """All but the last are released first, and lie inside the last."""
    before = [levels_of(table, (), threshold) for table in tables[:-1]]
    inside = [Released(table, levels) for table, levels in zip(tables[:-1], before, strict=True) if levels is not None]
    last = levels_of(tables[-1], inside, threshold)
    return None if last is None else [*(one for one in before if one is not None), last]


@st.composite
def table(draw: st.DrawFn, largest: int, rows: int, once: int = 1) -> Table:
    count = st.integers(0, largest)
    found: dict[Key, Pair] = {}
    exact = [f"{ONCE}{n}" for n in range(once)]
    for n in range(rows):
        found[exact[0], str(n)] = Pair(draw(count), draw(count))
    total = Pair(sum(one.juso for one in found.values()), sum(one.shien for one in found.values()))
    for by in exact[1:]:  # the same things, grouped otherwise
        part = Pair(draw(st.integers(0, total.juso)), draw(st.integers(0, total.shien)))
        found |= {(by, "0"): part, (by, "1"): total - part}
    if draw(st.booleans()):
        found[TWICE, "0"] = Pair(draw(st.integers(0, total.juso)), draw(st.integers(0, total.shien)))
    return Table(found | {TOTAL: total}, frozenset(exact))


@settings(max_examples=400, deadline=None)
@given(table(largest=2, rows=3, once=2), st.sampled_from([2, 3]))
@example(Table({TOTAL: Pair(2, 10), (TWICE, "0"): Pair(0, 10)}), 3)
def test_what_is_published_of_a_period_lets_nobody_compute_a_small_cell(one: Table, threshold: int) -> None:
    levels = published([one], threshold)
    assert levels is not None
    assert given_away([one], levels, threshold) == []


@settings(max_examples=100, deadline=None)
@given(table(largest=1, rows=2), table(largest=1, rows=2))
def test_a_month_and_its_quarter_together_let_nobody_compute_a_small_cell(month: Table, rest: Table) -> None:
    quarter = Table({key: month.row(key) for key in {*month.rows, *rest.rows}}, month.exact).without(
        [Table({key: Pair() - pair for key, pair in rest.rows.items()})]
    )
    levels = published([month, quarter], threshold=2)
    assert levels is not None
    assert given_away([month, quarter], levels, threshold=2) == []


@settings(max_examples=200, deadline=None)
@given(table(largest=3, rows=3, once=2), st.sampled_from([2, 3]))
def test_nor_of_an_item_that_everybody_knows_only_one_compartment_has(one: Table, threshold: int) -> None:
    alone = Table({key: Pair(pair.juso, 0) for key, pair in one.rows.items()}, one.exact)
    levels = published([alone], threshold)
    assert levels is not None
    assert given_away([alone], levels, threshold, KnowsOneIsEmpty) == []


def test_a_total_does_not_reveal_the_one_row_that_is_hidden() -> None:
    one = table_of({"closed": Pair(9, 7), "died": Pair(2, 0), "moved": Pair(6, 5)})
    levels = levels_of(one, (), 5)
    assert levels is not None
    assert levels[ONCE, "died"] is Level.NOTHING
    assert levels[TOTAL] is Level.ALL
    assert levels[ONCE, "moved"] is Level.NOTHING, "18 of 29 would leave 2 + 0 for whoever subtracts"


def test_a_small_compartment_is_not_read_off_the_sum() -> None:
    levels = levels_of(Table({TOTAL: Pair(30, 2)}), (), 5)
    assert levels == {TOTAL: Level.SUM}


def test_zeros_and_large_numbers_are_shown_as_they_are() -> None:
    one = table_of({"closed": Pair(9, 7), "died": Pair(0, 0), "moved": Pair(6, 0)})
    levels = levels_of(one, (), 5)
    assert levels is not None
    assert set(levels.values()) == {Level.ALL}


def test_what_was_hidden_in_a_month_stays_hidden_in_its_year() -> None:
    month, year = Table({TOTAL: Pair(2, 8)}), Table({TOTAL: Pair(20, 30)})
    first = levels_of(month, (), 5)
    assert first == {TOTAL: Level.SUM}
    assert levels_of(year, [Released(month, first)], 5) == {TOTAL: Level.SUM}
    assert levels_of(year, (), 5) == {TOTAL: Level.ALL}, "alone it would be shown whole"


def test_a_year_is_not_shown_when_its_months_leave_a_small_rest() -> None:
    eleven_months, year = Table({TOTAL: Pair(20, 20)}), Table({TOTAL: Pair(21, 20)})
    first = levels_of(eleven_months, (), 5)
    assert first == {TOTAL: Level.ALL}
    assert levels_of(year, [Released(eleven_months, first)], 5) == {TOTAL: Level.NOTHING}


def test_a_correction_that_makes_the_rest_negative_hides_the_item() -> None:
    month, year = Table({TOTAL: Pair(20, 20)}), Table({TOTAL: Pair(19, 40)})
    assert levels_of(year, [Released(month, {TOTAL: Level.ALL})], 5) is None


def test_rows_that_do_not_add_up_are_refused_as_they_would_not_be_protected() -> None:
    with pytest.raises(ValueError, match="add up"):
        levels_of(Table({TOTAL: Pair(9, 9), (ONCE, "closed"): Pair(9, 8)}, frozenset({ONCE})), (), 5)


def test_the_attacker_finds_what_hiding_small_cells_alone_gives_away() -> None:
    one = table_of({"closed": Pair(9, 7), "died": Pair(2, 0), "moved": Pair(6, 5)})
    naive: Levels = dict.fromkeys(one.rows, Level.ALL) | {(ONCE, "died"): Level.NOTHING}
    assert given_away([one], [naive], 5)


def table_of(rows: Mapping[str, Pair]) -> Table:
    total = Pair(sum(one.juso for one in rows.values()), sum(one.shien for one in rows.values()))
    return Table({(ONCE, code): pair for code, pair in rows.items()} | {TOTAL: total}, frozenset({ONCE}))
