"""Whatever a store accepts, the policy allows; and what the policy allows and is truly said, the store accepts."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from random import Random
from typing import Any

import pytest

from contracts.message import Compartment
from contracts.profile import Profile
from services.store import Store
from tests.wall.battery import ACCEPTED
from tests.wall.ground import JUSO, SHIEN, TABLES, compared
from tests.wall.requests import ask, decide, fill, is_true, know, statement
from tests.wall.rings import Ring, postgres_clock
from tests.wall.spoiled import Part, parts

REQUESTS = 2500
"""Of each store; there are four on each engine."""
STORES = [(service, compartment) for service in TABLES for compartment in (JUSO, SHIEN)]


@pytest.fixture
def filled(store_address: str, kobayashi: Profile) -> Iterator[Callable[..., tuple[Store, Ring]]]:
    """filled(service, compartment, random): a store full of random rows, and a way into it."""
    stores = []

    def build(service: str, compartment: Compartment, random: Random) -> tuple[Store, Ring]:
        back = [0.0]
        clock = lambda: datetime.now(UTC) - timedelta(seconds=back[0])  # noqa: E731
        declared = import_module(f"services.{service}").service
        stores.append(Store(store_address, declared, kobayashi, compartment, clock=clock))
        connection: Any = stores[-1].engine.raw_connection().driver_connection
        ring = Ring(connection)
        if ring.postgres:
            connection.autocommit = True
        turn = partial(postgres_clock, connection) if ring.postgres else lambda shift: back.__setitem__(0, shift)
        fill(ring, service, compartment, random, turn)
        return stores[-1], ring

    yield build
    for one in stores:
        one.close()


def compare(store: Store, ring: Ring, here: Compartment, random: Random) -> tuple[Counter[str], list[Any]]:
    """How often both, one and neither said yes, and the rows that only the store accepted."""
    known = know(store, import_module(f"services.{store.service.name}.tables"))
    counted: Counter[str] = Counter()
    stepped_over = []
    for number in range(REQUESTS):
        if number % 200 == 0:
            ring.write([compared()])
        values = ask(known, here, random)
        decision, outcome = (
            decide(values, known, here),
            ring.run([statement(values, here, "%s" if ring.postgres else "?")]),
        )
        counted[f"{decision.allowed} {outcome == ACCEPTED}"] += 1
        if outcome == ACCEPTED and not decision.allowed:
            stepped_over.append((decision.row, values))
        if decision.allowed and outcome != ACCEPTED and is_true(values, known, here):
            counted[f"refused for nothing: {outcome}"] += 1
    return counted, stepped_over


@pytest.mark.parametrize(("service", "compartment"), STORES)
def test_what_the_store_accepts_the_policy_allows(
    filled: Callable[..., tuple[Store, Ring]], service: str, compartment: Compartment
) -> None:
    random = Random(f"{service} {compartment}")
    counted, stepped_over = compare(*filled(service, compartment, random), compartment, random)
    print(service, compartment, dict(counted))
    assert stepped_over == []
    assert counted["True True"] >= 100
    assert counted["False False"] >= 100
    assert [one for one in counted if one.startswith("refused for nothing")] == []


BREACHES = [
    ("meetings", JUSO, "disclosure: insert CONSENT_NOT_IN_FORCE"),
    ("meetings", JUSO, "disclosure: (consent, consent_version, agency) REFERENCES consent_agency"),
    ("meetings", JUSO, "disclosure: (sitting, person, agency) REFERENCES seat"),
    ("meetings", SHIEN, "disclosure: insert NOT_COMMISSIONED"),
    ("meetings", SHIEN, "disclosure: insert SEAT_IS_CANCELLED"),
    ("coordination", SHIEN, "disclosure: CHECK act <> 'export' or compartment = 'juso' or sitting is not null"),
]


@pytest.mark.parametrize("store_address", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("service", "compartment", "text"), BREACHES, ids=[one[2] for one in BREACHES])
def test_a_breach_in_the_wall_is_noticed(
    filled: Callable[..., tuple[Store, Ring]], service: str, compartment: Compartment, text: str
) -> None:
    random = Random(f"{service} {compartment}")
    with part_of(service, text).missing():
        store, ring = filled(service, compartment, random)
    _, stepped_over = compare(store, ring, compartment, random)
    assert stepped_over


def part_of(service: str, text: str) -> Part:
    (part,) = (one for one in parts(TABLES[service]) if one.text == text)
    return part
