"""A year of a large city, and what the next weeks cost after one, three and ten of them.

The real services on real stores, with a clock that is moved week by week (tests/history.py); the bus, which does not
know how old a city is, is measured by bench/hop.py and bench/path.py. One year is lived, to the end of its last case;
the years before it are copies of it (tests/older_city.py).

``KASANE_BENCH_REFERRALS``: how many referrals a year brings; a third of them become cases. The whole large city of
domain.md section 7 has 1,200 and takes about an hour.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.processes import PROCESSES
from tests.history import Volume, Years, years_in
from tests.older_city import make_older

REFERRALS = int(os.environ.get("KASANE_BENCH_REFERRALS", "240"))
AGES = (1, 3, 10)
WEEKS = 8
"""Lived on top of each age."""


@dataclass(frozen=True)
class Cost:
    """Of the same weeks at one age: steps of SQLite's machine and seconds per referral, and the stores' bytes."""

    age: int
    steps: float
    seconds: float
    sizes: dict[str, int]


async def main() -> None:
    """Events per second, the size of each store, and how both grow."""
    volume = Volume(REFERRALS, REFERRALS // 3)
    with tempfile.TemporaryDirectory() as name:
        lived = Path(name) / "lived"
        async with years_in(lived, volume) as years:
            began = time.perf_counter()
            await years.live()
            _print_year(years, time.perf_counter() - began)
            await years.rest()
            now = years.city.now
        costs = [await _weeks_after(age, lived, volume, now) for age in AGES]
    _print_growth(costs)


async def _weeks_after(age: int, lived: Path, volume: Volume, now: datetime) -> Cost:
    folder = lived.parent / f"after-{age}"
    shutil.copytree(lived, folder)
    make_older(_home(folder), PROCESSES, age - 1)
    sizes = _sizes(folder)
    async with years_in(folder, volume, now) as years:
        began = time.perf_counter()
        with years.meter.counting() as steps:
            await years.live(WEEKS)
        took = time.perf_counter() - began
    shutil.rmtree(folder)
    return Cost(age, sum(steps.values()) / years.referrals, took / years.referrals, sizes)


def _home(folder: Path) -> Path:
    (home,) = (folder / "var").iterdir()
    return home


def _sizes(folder: Path) -> dict[str, int]:
    stores = sorted((_home(folder) / "stores").glob("*.db"))
    return {one.stem: sum(part.stat().st_size for part in one.parent.glob(f"{one.name}*")) for one in stores}


def _print_year(years: Years, took: float) -> None:
    said = (
        f"{years.referrals} referrals, {years.accepted} cases, {years.sittings()} sittings, {years.reopened} re-opened"
    )
    told = f"{years.events} events, {years.questions} questions, {years.mails} mails"
    print(f"year, {said}: {told} in {took:.0f} s; {years.events / took:.1f} events/s", flush=True)


def _print_growth(costs: Sequence[Cost]) -> None:
    first = costs[0]
    for one in costs:
        ratio = f"steps {one.steps / first.steps:.2f}, seconds {one.seconds / first.seconds:.2f} of year 1"
        print(f"year {one.age}: {one.steps:.0f} steps and {one.seconds * 1000:.0f} ms per referral ({ratio})")
        print(f"  {_megabytes(one.sizes)}")


def _megabytes(sizes: dict[str, int]) -> str:
    shown: Iterable[str] = (f"{name} {size / 1e6:.1f}" for name, size in sizes.items())
    return f"MB: {', '.join(shown)}; together {sum(sizes.values()) / 1e6:.1f}"
