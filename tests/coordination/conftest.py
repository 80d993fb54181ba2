"""A stage for coordination with hands that work and a ledger beside them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.message import Compartment
from services.coordination import service
from services.settings import Settings
from tests.coordination.stand_in import KEY, Hands, Ledger
from tests.stage import Stage


@pytest.fixture
def hands(stage: Callable[..., Stage], tmp_path: Path) -> Callable[[Compartment], Hands]:
    """hands(compartment): coordination of one compartment, ready to work."""
    settings = Settings(var=tmp_path / "var")
    (settings.home / "keys").mkdir(parents=True)
    (settings.home / "keys" / "permit").write_bytes(KEY)
    return lambda compartment: Hands(stage(service, compartment), Ledger(), settings)
