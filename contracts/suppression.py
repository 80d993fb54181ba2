"""What of counts may be shown outside the compartments, so that nobody can compute a small cell (consent.md 2).

A cell is small when it is not zero and below the threshold: it could lead to a person. Hiding the small ones is not
enough where totals are shown, so more is hidden until no table that agrees with everything shown is ruled out in which
the small cell is large. For each small cell such a table is at hand; ``mend`` says which. Zeros are shown.

A row has a cell per compartment and their sum, and is shown whole, as the sum only, or not at all. Rows of a grouping
that counts each thing once add up to the total; of one that counts some things in several rows, none exceeds it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How much of a row is shown."""

    NOTHING = 0
    SUM = 1
    ALL = 2


@dataclass(frozen=True)
class Pair:
    """One row: what each compartment counted."""

    juso: int = 0
    shien: int = 0

    @property
    def sum(self) -> int:
        """Of both."""
        return self.juso + self.shien

    def __sub__(self, other: "Pair") -> "Pair":
        return Pair(self.juso - other.juso, self.shien - other.shien)

    def turned(self) -> "Pair":
        """With the compartments changed over."""
        return Pair(self.shien, self.juso)


Key = tuple[str, str]
"""Grouping and code of a row."""
TOTAL: Key = ("", "")
Levels = dict[Key, Level]


@dataclass(frozen=True)
class Table:
    """One item of one period. ``exact``: the groupings whose rows add up to the total."""

    rows: Mapping[Key, Pair]
    exact: frozenset[str] = frozenset()

    def row(self, key: Key) -> Pair:
        """A row that is not there counts nothing."""
        return self.rows.get(key, Pair())

    def adds_up(self) -> bool:
        """Whether each exact grouping that has rows gives the total."""
        for by in {key[0] for key in self.rows} & self.exact:
            mine = [pair for key, pair in self.rows.items() if key[0] == by]
            if Pair(sum(one.juso for one in mine), sum(one.shien for one in mine)) != self.row(TOTAL):
                return False
        return True

    def without(self, others: Iterable["Table"]) -> "Table":
        """What is left when others, which lie inside it, are taken away."""
        rest = dict(self.rows)
        for other in others:
            for key, pair in other.rows.items():
                rest[key] = rest.get(key, Pair()) - pair
        return Table(rest, self.exact)


@dataclass(frozen=True)
class Released:
    """An item of a period that was released before: the table, and how much of it was shown."""

    table: Table
    levels: Mapping[Key, Level]


def levels_of(table: Table, inside: Sequence[Released], threshold: int) -> Levels | None:
    """How much of each row may be shown, given what was shown of periods that lie inside this one.

    Nothing is shown that was hidden in one of them, and what they leave over is protected as a table of its own: who
    subtracts them learns no small cell. None: nothing at all may be shown, as a correction made the rest negative.

    Raises ValueError for a table whose exact groupings do not add up: it would not be protected.
    """
    if not all(one.adds_up() for one in (table, *(one.table for one in inside))):
        raise ValueError("a grouping that should add up to the total does not")
    rest = table.without(one.table for one in inside)
    if any(min(pair.juso, pair.shien) < 0 for pair in rest.rows.values()):
        return None
    levels = {}
    for key in {TOTAL, *rest.rows}:
        before = (one.levels.get(key, Level.ALL) for one in inside)
        levels[key] = min([_alone(rest.row(key), threshold), *before])
    while mend(rest, levels, threshold):
        pass
    return levels


def is_small(count: int, threshold: int) -> bool:
    """Whether a count could lead to a person."""
    return 0 < count < threshold


def _alone(pair: Pair, threshold: int) -> Level:
    if is_small(pair.sum, threshold):
        return Level.NOTHING
    return Level.SUM if is_small(pair.juso, threshold) or is_small(pair.shien, threshold) else Level.ALL


def mend(table: Table, levels: Levels, threshold: int) -> bool:
    """Hide one thing more if some small cell is not protected yet; whether it did.

    While the sum of the whole is unknown, every small cell may be large, the whole growing with it. When it is known:
    what is hidden of a grouping has to leave room for any of its small rows, and the same in each compartment.
    """
    if not _total_is_known(table, levels):
        return False
    if any(_hide_sum(table, levels, by, threshold) for by in sorted(table.exact)):
        return True
    return any(_hide_side(table, levels, threshold, turned=turned) for turned in (False, True))


def _rows(table: Table, by: str, levels: Levels, *wanted: Level) -> list[Key]:
    return sorted(key for key in table.rows if key[0] == by and levels[key] in wanted)


def _total_is_known(table: Table, levels: Levels) -> bool:
    shown = levels[TOTAL] >= Level.SUM
    return shown or any(not _rows(table, by, levels, Level.NOTHING) for by in table.exact)


def _hide_sum(table: Table, levels: Levels, by: str, threshold: int) -> bool:
    """A small row of a grouping could be all that is hidden of it: two rows at least, and together not small."""
    hidden = _rows(table, by, levels, Level.NOTHING)
    room = sum(table.row(key).sum for key in hidden)
    if not any(is_small(table.row(key).sum, threshold) for key in hidden):
        return False
    if room >= threshold and len(hidden) > 1:
        return False
    shown = [key for key in _rows(table, by, levels, Level.SUM, Level.ALL) if table.row(key).sum]
    _lower(levels, min(shown, key=lambda key: (table.row(key).sum, key)) if shown else TOTAL, Level.NOTHING)
    return True


def _hide_side(table: Table, levels: Levels, threshold: int, *, turned: bool) -> bool:
    """A small cell of one compartment could be all that is hidden of it.

    Where that compartment's total is small itself, and hidden, it could be just the threshold, taken from the other's:
    unless a row that may count things twice shows that the other has more.
    """

    def pair(key: Key) -> Pair:
        return table.row(key).turned() if turned else table.row(key)

    known = levels[TOTAL] is Level.ALL or any(
        not _rows(table, by, levels, Level.NOTHING, Level.SUM) for by in table.exact
    )
    if not known and is_small(pair(TOTAL).juso, threshold):
        for key in sorted(table.rows):
            counts_twice = key[0] not in table.exact and key != TOTAL
            if counts_twice and levels[key] is Level.ALL and pair(TOTAL).sum - pair(key).shien < threshold:
                _lower(levels, key, Level.SUM)
                return True
        return False
    for by in sorted(table.exact):
        hidden = _rows(table, by, levels, Level.NOTHING, Level.SUM)
        room = sum(pair(key).juso for key in hidden)
        if room >= threshold or not any(is_small(pair(key).juso, threshold) for key in hidden):
            continue
        shown = [key for key in _rows(table, by, levels, Level.ALL) if pair(key).juso]
        _lower(levels, min(shown, key=lambda key: (pair(key).juso, key)) if shown else TOTAL, Level.SUM)
        return True
    return False


def _lower(levels: Levels, key: Key, level: Level) -> None:
    levels[key] = min(levels[key], level)
