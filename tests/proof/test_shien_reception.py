"""受付 on the desk of shien in a whole town: what it shows passes through, and no process of shien keeps any of it."""

import re
from pathlib import Path

import httpx
import pytest

from contracts.consent import ConsentState
from contracts.intake import TakeInSheets
from contracts.message import Account
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City
from tests.proof.test_noninterference import PASSWORDS, TOWN, Step, quick_sign_in, sheet

__all__ = ["quick_sign_in"]
BELOW = ("", "/household", "/shown")
NAMES = ("東條 武夫", "上野 重信", "𠮷野 巌")
"""Of the two in shien, and of the one in juso."""
SHIEN = tuple(process.name for process in PROCESSES if process.account is Account.SHIEN)


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    one = City(tmp_path / "town", read_profile(TOWN), PROCESSES, TOWN)
    one.catch_mail(monkeypatch)
    return one


def rows(city: City) -> dict[str, list[str]]:
    """Everything that the town's stores and keys hold, by store."""
    image = city.image()
    found = {name: [*database.iterdump()] for name, database in image.databases.items()}
    image.close()
    return found


def of_shien(kept: dict[str, list[str]]) -> dict[str, list[str]]:
    return {where: all_ for where, all_ in kept.items() if where.split()[0] in SHIEN}


def of_table(kept: list[str], table: str) -> list[str]:
    return [one for one in kept if one.startswith(f'INSERT INTO "{table}" ')]


async def test_what_the_reception_of_shien_shows_stays_at_intake(city: City) -> None:
    steps = Step("refer", True, state=ConsentState.REFUSED), Step("refer", True, number=1, state=ConsentState.REFUSED)
    sheets = [
        sheet(step, city.profile).model_copy(update={"name": name, "kana": "トウジョウ タケオ"})
        for step, name in zip((*steps, Step("refer", number=2)), NAMES, strict=True)
    ]
    await city.answer(Account.INTAKE, TakeInSheets(sheets=tuple(sheets)))
    await city.settle()
    transport = httpx.ASGITransport(city.app("desk@shien"))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        await client.post("/sign-in", data={"login": "takahashi", "password": PASSWORDS["takahashi"]})
        before = rows(city)
        listed = (await client.get("/reception")).text
        keys = dict.fromkeys(re.findall(r"/reception/referrals/([0-9a-f-]{36})", listed))
        paths = ["/reception/same", "/reception/signals"]
        paths += [f"/reception/referrals/{key}{below}" for key in keys for below in BELOW]
        replies = [await client.get(path) for path in paths]
    assert len(keys) == 2
    assert {one.status_code for one in replies} == {200}
    read = "".join(one.text for one in replies)
    assert [name for name in NAMES if name in read] == list(NAMES[:2]), "those of shien, and nobody of juso"
    assert all(one.headers["cache-control"] == "no-store" for one in replies)
    await city.settle()
    after = rows(city)
    assert len(of_table(before["coordination@shien"], "case_")) == 2
    assert of_shien(after) == of_shien(before)
    held = str(of_shien(after))
    assert not [key for key in keys if key in held or key.replace("-", "") in held], "no reference of intake either"
    assert of_table(before["intake"], "showing") == []
    looked = str(of_table(after["intake"], "showing"))
    assert all(key in looked or key.replace("-", "") in looked for key in keys), "intake keeps who looked"
    city.close()
