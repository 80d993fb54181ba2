"""A message once sent can always be read. The examples are never edited, only added to.

``SUBJECT.json`` is an event or a question, ``SUBJECT.reply.json`` an answer. When a contract grows, a further example
that uses the new field stands beside the old one: ``SUBJECT.2.json``. People and addresses in them are invented.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.message import EVENTS, QUESTIONS

EXAMPLES = sorted((Path(__file__).parent / "examples").iterdir())
NAME = re.compile(r"(?P<subject>.+\.v[0-9]+)(?P<reply>\.reply)?(\.[0-9]+)?\.json")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_message_once_sent_can_always_be_read(path: Path) -> None:
    assert lost(path.read_text("utf-8"), model_of(path)) == []


@pytest.mark.parametrize("subject", sorted(EVENTS | QUESTIONS))
def test_every_subject_has_an_example(subject: str) -> None:
    there = {path.name for path in EXAMPLES}
    assert f"{subject}.json" in there
    if subject in QUESTIONS:
        assert f"{subject}.reply.json" in there


def test_every_example_has_a_subject() -> None:
    assert [path.name for path in EXAMPLES if model_of(path) is None] == []


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        ("renamed", {"case": "0b1f6c1e-2a57-4d3b-9f2c-7c1a5f0e8d41", "sittings_of": "x"}),
        ("retyped", {"case": "0B1F6C1E-2A57-4D3B-9F2C-7C1A5F0E8D41"}),
    ],
)
def test_a_field_that_is_dropped_renamed_or_retyped_is_noticed(kept: str, sent: dict[str, str]) -> None:
    assert lost(json.dumps(sent), QUESTIONS["ask.meetings.item_sittings.v1"]) != [], kept


def lost(text: str, model: type[BaseModel] | None) -> list[str]:
    """What of a message its model no longer reads as it was sent, as paths. A field added since is no loss."""
    assert model is not None
    return missing(json.loads(text), json.loads(model.model_validate_json(text).model_dump_json()), "")


def missing(sent: Any, read: Any, path: str) -> list[str]:
    if isinstance(sent, dict) and isinstance(read, dict):
        return [fault for key in sent for fault in missing(sent[key], read.get(key, "nothing"), f"{path}/{key}")]
    if isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        return [fault for n, pair in enumerate(zip(sent, read, strict=True)) for fault in missing(*pair, f"{path}/{n}")]
    return [] if (sent, type(sent)) == (read, type(read)) else [path]


def model_of(path: Path) -> type[BaseModel] | None:
    """The model that reads an example, or None when nothing claims its name."""
    if not (name := NAME.fullmatch(path.name)):
        return None
    subject = name["subject"]
    if name["reply"]:
        return QUESTIONS[subject].reply_type() if subject in QUESTIONS else None
    return EVENTS.get(subject) or QUESTIONS.get(subject)
