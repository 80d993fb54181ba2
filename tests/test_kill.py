"""Kill any process at any moment: nothing is lost, nothing is done twice."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.chaos import Aftermath, survive

SEEDS = range(10)


@pytest.fixture(scope="module")
def storms() -> Iterator[dict[int, "Future[Aftermath]"]]:
    """All runs, three at a time: each is a whole kasane of its own and mostly waits for what it has killed."""
    with ThreadPoolExecutor(3) as pool:
        yield {seed: pool.submit(survive, seed) for seed in SEEDS}


@pytest.mark.kill
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_dies_every_referral_leads_to_one_case_one_item_and_one_invitation_per_seat(
    storms: dict[int, "Future[Aftermath]"], seed: int
) -> None:
    aftermath = storms[seed].result(timeout=600)
    assert aftermath.kills >= 10
    assert aftermath.mails > 0
    assert aftermath.faults == ()
