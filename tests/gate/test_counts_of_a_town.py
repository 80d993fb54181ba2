"""Counting a whole town, over the rights the provisioner grants: each compartment its own, the gate both, hidden."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from contracts.consent import ConsentState
from contracts.counts import CountPeriod, FreezeCounts, FrozenCounts, Publication, PublishCounts
from contracts.intake import TakeInSheets
from contracts.message import Account
from services.processes import PROCESSES
from services.service import Process
from services.settings import read_profile
from tests.proof.city import City
from tests.proof.test_noninterference import TOWN, Step, sheet

MONTH = "2026-11"


@pytest.fixture
async def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:  # type: ignore[misc]  # a generator
    one = City(tmp_path / "town", read_profile(TOWN), PROCESSES, TOWN)
    one.catch_mail(monkeypatch)
    yield one
    one.close()


async def refer(city: City, state: ConsentState, number: int) -> None:
    step = Step("refer", state is ConsentState.REFUSED, number=number, state=state)
    await city.answer(Account.INTAKE, TakeInSheets(sheets=(sheet(step, city.profile),)))
    await city.settle()


async def freeze(city: City, *accounts: Account) -> None:
    for account in accounts:
        asked = FreezeCounts(period=MONTH, by=UUID(int=1), agency="fukushi")
        assert (await city.answer(account, asked)).done


async def published(city: City) -> Publication:
    return await city.answer(Account.GATE, PublishCounts(period=MONTH))


async def test_both_compartments_are_counted_and_the_gate_hides_the_small_one(city: City) -> None:
    for number in range(6):
        await refer(city, ConsentState.GIVEN, number)
    await refer(city, ConsentState.REFUSED, 1)
    own = {}
    for account in (Account.JUSO, Account.SHIEN):
        found = await city.answer(account, CountPeriod(period=MONTH))
        own[account] = next(one.count for one in found.counted if one.item.id == "new-cases")
    assert own == {Account.JUSO: 6, Account.SHIEN: 1}
    city.pass_time(days=10)
    await freeze(city, Account.JUSO)
    assert (await published(city)).message, "one compartment alone is not shown"
    await freeze(city, Account.SHIEN)
    (total, *_) = next(one.rows for one in (await published(city)).items if one.item.id == "new-cases")
    assert (total.juso, total.shien, total.sum) == (None, None, 7)


@pytest.mark.rule("S11")
def test_nobody_but_the_gate_may_ask_a_compartment_for_what_it_froze() -> None:
    may = {one.name for one in PROCESSES if FrozenCounts in one.service.asks and one.addresses(FrozenCounts)}
    assert may == {"gate"}
    desks: list[Process] = [one for one in PROCESSES if one.service.name == "desk"]
    assert not any(PublishCounts in one.service.asks for one in desks)
