"""The whole path: from the sheets handed to intake until every case sits on an agenda and every invitation is mailed.

Everything runs as `kasane up` runs it. The bare loop of bench/hop.py, measured in the same run, is the yardstick: a
referral makes three hops and a dozen commits, and what is left over goes to the search for dates and the mail.
"""

import tempfile
import time
from pathlib import Path

from bench import hop
from services.demo import Running, elsewhere
from services.operator import operator
from services.processes import PROCESSES
from services.settings import Settings
from tests.chaos import roomy_profile, sheets

RUNS = 5
"""Each of tests.chaos.REFERRALS referrals."""


async def main() -> None:
    """Referrals per second, and their ratio to the bare loop."""
    with tempfile.TemporaryDirectory() as folder:
        settings = elsewhere(Settings(profile=roomy_profile(Path(folder) / "profile")), Path(folder) / "var")
        with Running(settings):
            count, took = await _pour(settings)
        mails = len(list((settings.home / "mail").glob("*.eml")))
    bare = await hop.bare()
    speed = count / took
    print(f"path, {count} referrals, {mails} invitations: {speed:.0f} referrals/s, {speed / bare:.3f} of bare")


async def _pour(settings: Settings) -> tuple[int, float]:
    async with operator(settings) as asking:
        await asking.calm(PROCESSES, 60)
        poured = [sheet for run in range(RUNS) for sheet in sheets(run)]
        began = time.perf_counter()
        await asking.take_in(poured, dry_run=False)
        if not await asking.calm(PROCESSES, 300):
            raise SystemExit("not calm after five minutes")
        return len(poured), time.perf_counter() - began
