"""The first week of the example on whatever day it is started: sittings are found, papers are due, nothing is late."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from contracts.intake import TakeInSheets
from contracts.message import Account
from services.example_days import example_for
from services.intake.csv_import import read_sheets
from services.meetings.tables import sitting
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "kobayashi"
DAYS = [date(2027, 3, 31), date(2028, 2, 29)]
"""The last day of a 年度, with all of busy.csv behind it; a day that few years have."""


@pytest.fixture(params=DAYS, ids=str)
def city(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    """小林市 at 10:00 of that day."""
    begun = datetime.combine(request.param, datetime.min.time(), UTC) + timedelta(hours=1)
    one = City(tmp_path / "town", read_profile(EXAMPLE), PROCESSES, EXAMPLE, now=begun)
    one.catch_mail(monkeypatch)
    yield one
    one.close()


async def text_of(client: httpx.AsyncClient, path: str) -> str:
    reply = await client.get(path)
    assert reply.status_code == 200, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.text))


def days_of_sittings(city: City, side: str) -> list[date]:
    wanted = select(sitting.c.starts).where(sitting.c.fixed, sitting.c.cancelled_at.is_(None))
    found = city.stores[f"meetings@{side}"].read(lambda tx: tx.execute(wanted).scalars().all())
    return [one.date() for one in found]


async def test_a_first_week_is_believable_on_any_day(city: City, tmp_path: Path) -> None:
    await city.settle()
    today = city.now.date()
    sheets = [
        one
        for _, one in read_sheets(
            example_for(EXAMPLE / "referrals.csv", tmp_path / "r.csv", today), city.profile
        ).sheets
    ]
    results = (await city.answer(Account.INTAKE, TakeInSheets(sheets=tuple(sheets)))).results
    outcomes = [one.outcome for one in results]
    assert (outcomes.count("accepted"), outcomes.count("held"), len(outcomes)) == (26, 2, 28)
    await city.settle()
    for side, waiting in (("juso", 16), ("shien", 10)):
        starts = days_of_sittings(city, side)
        assert min(starts) > today, "nobody is invited to yesterday"
        assert min(starts) <= today + timedelta(days=7), "who is urgent is heard within the week (M1)"
        assert max(starts) <= today + timedelta(days=130), "and the others in one of the next two regular sittings"
        transport = httpx.ASGITransport(city.app(f"desk@{side}"))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            await client.post("/sign-in", data={"login": "takahashi", "password": "hiiragi-2026"})
            week, due = await text_of(client, "/week"), await text_of(client, "/due")
            assert "過ぎ" not in re.sub("期限を過ぎたもの", "", due)
            assert "を過ぎ" not in re.sub("期限を過ぎたもの", "", week)
            assert f"判断がまだのつなぎ {waiting}件" in await text_of(client, "/reception")
    assert len(city.mails) > 60
