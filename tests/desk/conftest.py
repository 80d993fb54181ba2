"""A desk of each compartment and the window, with nobody real behind them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.message import Compartment
from contracts.profile import Profile
from tests.desk.standin import StandIn


@pytest.fixture
def stand_in(kobayashi: Profile, tmp_path: Path) -> Callable[[Compartment | None], StandIn]:
    """stand_in(compartment): what answers a desk; None: what answers the window."""
    return lambda compartment: StandIn(kobayashi, tmp_path, compartment)
