"""A stage for meetings with hands that work and the town around them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.message import Compartment
from contracts.profile import Profile
from services.meetings import service
from services.settings import Settings, read_profile
from tests.meetings.stand_in import Hands, Town, staff_of
from tests.stage import Stage

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture(scope="session")
def yasu() -> Profile:
    """One regular body with a block of each kind."""
    return read_profile(EXAMPLES / "yasu")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a key for links."""
    made = Settings(var=tmp_path / "var")
    (made.home / "keys").mkdir(parents=True)
    (made.home / "keys" / "link").write_bytes(b"k" * 32)
    (made.home / "keys" / "permit").write_bytes(b"p" * 32)
    return made


@pytest.fixture
def hands(stage: Callable[..., Stage], settings: Settings, kobayashi: Profile) -> Callable[..., Hands]:
    """hands(compartment, profile): meetings of one compartment, ready to work; in shien all are commissioned."""

    def build(compartment: Compartment, profile: Profile = kobayashi, commissioned: bool = True) -> Hands:
        made = Hands(stage(service, compartment, profile=profile), Town(staff_of(profile)), settings)
        if compartment is Compartment.SHIEN and commissioned:
            made.commission(*(agency.code for agency in profile.agencies))
            made.stage.told()
        return made

    return build
