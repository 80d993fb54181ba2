"""A start that was refused is in the audit log as soon as there is one that can be written."""

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from services import refusals
from services.audit import audit
from services.launcher import run_process
from services.probes import Reaches
from services.processes import PROCESSES
from services.service import Process
from services.settings import Settings
from services.store import StoreRefused, open_to_read
from tests.test_probes import MEETINGS, NAMED, alone
from tests.world import World


async def start_and_stop(settings: Settings, process: Process = MEETINGS) -> None:
    ready = asyncio.Event()
    running = asyncio.create_task(run_process(process, settings, ready.set, ()))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((running, waiting), timeout=30, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def logged(settings: Settings) -> list[tuple[str, str, str]]:
    engine = open_to_read(settings.store_address(MEETINGS.name))
    with engine.connect() as connection:
        rows = connection.execute(select(audit).where(audit.c.act == "start")).all()
    engine.dispose()
    return [(row.outcome, row.rule, row.actor) for row in rows]


@pytest.fixture
async def own(world: World, tmp_path: Path) -> Settings:
    await world.provision(PROCESSES)
    settings = alone(world.settings, MEETINGS, tmp_path / "own")
    (settings.home / "stores").mkdir(mode=0o700)
    return settings


async def test_a_store_swapped_between_compartments_and_back_leaves_a_row_in_the_log(
    own: Settings, world: World, tmp_path: Path
) -> None:
    await start_and_stop(own)
    assert logged(own) == []
    path = own.home / "stores" / f"{MEETINGS.name}.db"
    mine = tmp_path / "mine.db"
    path.rename(mine)
    other = alone(world.settings, NAMED["meetings@juso"], tmp_path / "other")
    (other.home / "stores").mkdir(mode=0o700)
    await start_and_stop(other, NAMED["meetings@juso"])
    shutil.copy(other.home / "stores" / "meetings@juso.db", path)
    with pytest.raises(StoreRefused, match="別のもの"):
        await start_and_stop(own)
    path.unlink()
    mine.rename(path)
    await start_and_stop(own)
    assert logged(own) == [("refuse", "store", MEETINGS.name)]
    await start_and_stop(own)
    assert len(logged(own)) == 1, "what was entered is not entered again"


async def test_a_right_too_many_that_was_taken_away_again_leaves_a_row_in_the_log(own: Settings) -> None:
    key = own.home / "keys" / "meetings@juso.json"
    key.touch()
    for _ in range(2):
        with pytest.raises(Reaches):
            await start_and_stop(own)
    key.unlink()
    await start_and_stop(own)
    assert logged(own) == [("refuse", "reaches", MEETINGS.name)] * 2


async def test_a_note_that_somebody_wrote_over_holds_up_no_start_and_brings_nothing_into_the_log(own: Settings) -> None:
    (own.home / "refused").mkdir()
    note = own.home / "refused" / MEETINGS.name
    note.write_bytes("store 20261124t090000z\n髙橋 花子\nstore' or 1=1 20261124t090000z\n".encode())
    await start_and_stop(own)
    assert logged(own) == [("refuse", "store", MEETINGS.name)]
    assert not note.exists()
    assert refusals.REFUSED[StoreRefused] == "store"
