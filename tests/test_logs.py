"""Logs say where a library spoke, never what it said."""

import io
import logging
from collections.abc import Iterator

import pytest

from services import logs

TYPED = "髙橋 キヨ子"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to standard error; the handlers of pytest are put back afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    root.handlers = []
    logs.set_up()
    yield stream
    root.handlers, root.level = before


def test_what_somebody_typed_in_is_not_repeated_by_a_library(written: io.StringIO) -> None:
    stranger = logging.getLogger("python_multipart.multipart")
    stranger.warning("Expected boundary, got %s", TYPED)
    try:
        raise ValueError(TYPED)
    except ValueError:
        stranger.exception("failed: %s", TYPED)
    assert TYPED not in written.getvalue()
    assert "python_multipart.multipart test_what_somebody_typed_in" in written.getvalue()
    assert "ValueError" in written.getvalue()


def test_our_own_sentences_are_whole(written: io.StringIO) -> None:
    logging.getLogger("kasane.desk").warning("a question of %s failed", "intake")
    assert "WARNING a question of intake failed" in written.getvalue()
