"""Ten years on a case costs what it cost in the first: a city is lived for a while, made old, and lived on.

The costs are counted in steps of SQLite's machine and read off query plans; nothing here measures time.
"""

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from services.processes import PROCESSES
from tests.history import Volume, scans, years_in
from tests.older_city import make_older

LIVED, MEASURED = 12, 4
"""Weeks: long enough for cases to be heard, closed and re-opened; and for one to be heard on top of that."""
YEARS = 40
"""A small city's decades make the history of a large one's years."""
MOST = 1.2
"""How much more than in its first year a case may cost (issue 4)."""

ALWAYS_SMALL = frozenset(
    {"person", "replica", "extent", "release", "reseat", "commission", "acknowledgement", "unconfirmed"}
    | {"daily", "reminder", "reminder_ground"}  # a week of them
    | {"wish"}  # one of each person
)
"""Tables that hold what is under way or what a municipality has, not what it once did."""


KEEPS_CONSENTS = ("intake", "coordination@juso", "meetings@juso")


@dataclass(frozen=True)
class Lived:
    """The same weeks lived after one year and after many: the steps, by store and by statement, and what was found."""

    young: Counter[tuple[str, str]]
    old: Counter[tuple[str, str]]
    rows: dict[str, int]
    scanned: frozenset[tuple[str, str, str]]
    broken: tuple[object, ...]
    accepted: int
    extents: dict[str, tuple[tuple[int, int], tuple[int, int]]]
    """How far the consents of a store reach: as it is kept, and as it is counted anew."""


async def _live(folder: Path, now: datetime) -> tuple[Counter[tuple[str, str]], set[tuple[str, str, str]], int]:
    async with years_in(folder, Volume(104, 52), now) as years:
        await years.live(MEASURED)
        found = {
            (name, table, statement)
            for name, statements in years.meter.seen.items()
            for table, statement in scans(years.city.stores[name], statements)
        }
        return years.meter.by_statement, found, years.accepted


def _extent(path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    newest = 'select max(version) as version from consent_version where "case" is not null group by consent'
    with closing(sqlite3.connect(path)) as store:
        kept = store.execute("select consents, versions from extent").fetchone()
        counted = store.execute(f"select count(*), sum(version) from ({newest})").fetchone()  # noqa: S608 - our own
    return kept, counted


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A city that was lived, and the same one grown old."""

    async def live() -> Lived:
        folder = tmp_path_factory.mktemp("history")
        async with years_in(folder / "young", Volume(52, 26)) as years:
            await years.live(LIVED)
            await years.rest()
            now = years.city.now
        shutil.copytree(folder / "young", folder / "old")
        home = folder / "old" / "var" / "331007"
        rows, broken = make_older(home, PROCESSES, YEARS), []
        for name in rows:
            with closing(sqlite3.connect(home / "stores" / f"{name}.db")) as store:
                broken += store.execute("pragma foreign_key_check").fetchall()
        extents = {name: _extent(home / "stores" / f"{name}.db") for name in KEEPS_CONSENTS}
        young, _, _ = await _live(folder / "young", now)
        old, scanned, accepted = await _live(folder / "old", now)
        return Lived(young, old, rows, frozenset(scanned), tuple(broken), accepted, extents)

    return asyncio.run(live())


def _by_store(steps: Counter[tuple[str, str]]) -> Counter[str]:
    found = Counter[str]()
    for (name, _), count in steps.items():
        found[name] += count
    return found


def test_what_a_case_costs_does_not_grow_with_what_the_city_has_behind_it(lived: Lived) -> None:
    """Issue 4: ratio year 10 / year 1 at most 1.2, for every store of its own."""
    young, old = _by_store(lived.young), _by_store(lived.old)
    worst = (lived.old - lived.young).most_common(5)
    for name in young:
        assert old[name] <= MOST * young[name], (name, young[name], old[name], worst)


def test_no_statement_of_the_weeks_reads_a_table_that_history_fills_from_end_to_end(lived: Lived) -> None:
    found = {one for one in lived.scanned if one[1] not in ALWAYS_SMALL}
    assert not found


@pytest.mark.parametrize("name", KEEPS_CONSENTS)
def test_how_far_the_consents_reach_is_what_counting_them_says(lived: Lived, name: str) -> None:
    """consent.md 8.10: after consents were given, refused and ran out, in the ledger and in both replicas."""
    kept, counted = lived.extents[name]
    assert kept == counted
    assert kept[1] > kept[0], "some have run out: a second version"


def test_a_city_grown_old_holds_together_and_is_much_larger(lived: Lived) -> None:
    """Else the two tests above would measure nothing."""
    assert not lived.broken
    assert lived.accepted >= 3
    assert lived.rows["coordination@juso"] > 10_000
    assert lived.rows["meetings@shien"] > 1000
