"""Fixtures of notify: its process on each engine, and where its mail lands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.notify import service
from services.provision import make_keys
from services.settings import Settings
from tests.notify.outside import Process, free_port
from tests.stage import Stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the local mailbox keeps its mail."""
    return tmp_path / "mail"


@pytest.fixture(scope="session")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the keys are provisioned."""
    made = tmp_path_factory.mktemp("var")
    make_keys(Settings(var=made), [])
    return made


@pytest.fixture
def process(stage: Callable[..., Stage], var: Path) -> Process:
    """notify, set to a free port as its mail server's, where nobody listens yet."""
    return Process(stage(service), Settings(smtp_port=free_port(), var=var))
