"""Each of the eight cities can be started: its rights, stores, staff and commissions; every setting has its source."""

import json
from pathlib import Path

import pytest

from contracts.commission import Commissions
from contracts.coordinating import PATTERN_TEXT
from contracts.message import Account
from services.processes import PROCESSES
from services.provision import write_server_config
from services.settings import Settings, read_profile
from tests.cities.story import EXAMPLES, told_in

CITIES = sorted(path.parent.name for path in EXAMPLES.glob("*/profile.toml"))


def test_there_are_the_eight_cities_of_the_sources() -> None:
    assert CITIES == ["himi", "iga", "kobayashi", "nabari", "okayama", "toba", "toyota", "yasu"]


@pytest.mark.parametrize("city", CITIES)
async def test_a_city_starts_with_its_people_and_its_commissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, city: str
) -> None:
    async with told_in(city, tmp_path, monkeypatch) as story:
        agencies = {agency.code for agency in story.city.profile.agencies}
        assert {one.agency for one in story.staff} == agencies
        found = (await story.city.answer(Account.SHIEN, Commissions())).commissions
        outside = {"hellowork"} if city == "kobayashi" else set()  # somebody who can be asked (S5)
        assert {one.agency for one in found} == agencies - outside


@pytest.mark.parametrize("city", CITIES)
def test_a_city_is_provisioned_for_itself(tmp_path: Path, city: str) -> None:
    profile = read_profile(EXAMPLES / city)
    settings = Settings(var=tmp_path, profile=EXAMPLES / city, municipality=profile.municipality)
    settings.home.mkdir(parents=True)
    write_server_config(settings, PROCESSES)
    written = json.loads((settings.home / "nats.conf").read_text("utf-8"))
    users = {user["user"] for account in written["accounts"].values() for user in account.get("users", ())}
    assert users >= {process.name for process in PROCESSES}
    assert written["server_name"] == f"kasane-{profile.municipality}"


@pytest.mark.parametrize("city", CITIES)
def test_every_setting_of_a_city_is_sourced_or_said_to_be_assumed(city: str) -> None:
    text = (EXAMPLES / city / "profile.toml").read_text("utf-8")
    assert "種00" in text
    assert "ssumed" in text


def test_the_readme_names_each_city_its_code_and_a_login_that_works() -> None:
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in readme.splitlines() if line.startswith("| ")][2:]
    found = {row[0].removeprefix("[").split("]")[0]: row for row in rows}
    assert sorted(found) == CITIES
    for city, row in found.items():
        profile = read_profile(EXAMPLES / city)
        assert (row[1], row[4]) == (profile.name, profile.municipality)
        assert profile.coordinating
        assert PATTERN_TEXT[profile.coordinating.pattern][0] == row[2][0]
        if city != "kobayashi":
            login, password = row[5].replace("`", "").split(" / ")
            assert f",{login},{password},juso;shien" in (EXAMPLES / city / "staff.csv").read_text("utf-8")
