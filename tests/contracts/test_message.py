"""What holds for every message: its subject, what it can carry, and what its errors keep to themselves."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from contracts.consent import ConsentState
from contracts.message import EVENTS, HOME, QUESTIONS, Code, Event, Message, Question

EXAMPLES = Path(__file__).parent / "examples"
SERVICES = "|".join(HOME)
CANARY = "髙橋美津子"
PLANTED = "kasane.intake.planted.v1"

FORMATS = {"uuid", "date", "date-time"}
PLAIN_PATTERN = re.compile(r"\^(\[[A-Za-z0-9_-]+\](\{[0-9]+(,[0-9]+)?\}|\+)?)+\$")
"""A pattern made of nothing but classes of ASCII letters, digits, - and _: no blank and no Japanese gets through."""


@pytest.fixture
def planted() -> Iterator[None]:
    """Whatever a test registers under PLANTED is unregistered again."""
    yield
    EVENTS.pop(PLANTED, None)


# -- subjects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", sorted(EVENTS))
def test_an_event_is_named_by_publisher_fact_and_version(subject: str) -> None:
    assert re.fullmatch(rf"kasane\.({SERVICES})\.[a-z_]+\.v[0-9]+", subject)


@pytest.mark.parametrize("subject", sorted(QUESTIONS))
def test_a_question_is_named_by_who_answers_and_its_version(subject: str) -> None:
    assert re.fullmatch(rf"ask\.({SERVICES})\.[a-z_]+\.v[0-9]+", subject)


TOPICS = {
    "contracts.life": {"coordination"},
    "contracts.preparing": {"coordination"},
    "contracts.papers": {"coordination"},
    "contracts.printing": {"coordination", "meetings"},
    "contracts.escalation": {"coordination"},
    "contracts.body_secrecy": {"meetings"},
    "contracts.challenges": {"coordination"},
    "contracts.resources": {"coordination"},
    "contracts.counts": {"coordination", "meetings", "gate"},
    "contracts.signals": {"intake"},
    "contracts.triage": {"intake"},
    "contracts.same_person": {"intake"},
    "contracts.reception": {"intake"},
    "contracts.reception_shien": {"intake"},
    "contracts.referring": {"intake"},
    "contracts.household": {"intake"},
    "contracts.holding": {"meetings"},
    "contracts.polls": {"meetings"},
    "contracts.proposing": {"meetings"},
    "contracts.mail_answers": {"desk", "meetings", "notify"},
    "contracts.regular": {"meetings"},
    "contracts.running": {"meetings"},
    "contracts.permit": {"intake"},
    "contracts.commission": {"meetings"},
    "contracts.erasure": {"intake", "coordination", "meetings"},
    "contracts.feeds": {"directory"},
    "contracts.gate": {"gate", "coordination"},
    "contracts.disclosure": {"meetings", "coordination"},
}
"""Files named after what they are about, with the services whose subjects stand there."""


@pytest.mark.parametrize("subject", sorted(EVENTS | QUESTIONS))
def test_a_message_stands_in_the_file_of_its_service_or_of_its_topic(subject: str) -> None:
    message, service = (EVENTS | QUESTIONS)[subject], subject.split(".")[1]
    assert message.subject == subject
    assert message.__module__ == f"contracts.{service}" or service in TOPICS[message.__module__]


@pytest.mark.parametrize("taken", ["kasane.intake.referral_with_consent.v1", "kasane.meetings.item_placed.v1"])
def test_two_messages_cannot_claim_one_subject(taken: str) -> None:
    owner = EVENTS[taken]
    with pytest.raises(TypeError, match=re.escape(taken)):

        class Usurper(Event, subject=taken):
            """Claims what is taken."""

    assert EVENTS[taken] is owner


def test_two_questions_cannot_claim_one_subject() -> None:
    with pytest.raises(TypeError, match="two messages"):

        class Usurper(Question[Message], subject="ask.directory.staff.v1"):
            """Claims what is taken."""


def test_a_question_cannot_take_a_subject_that_a_stream_would_keep() -> None:
    with pytest.raises(TypeError, match="kept by a stream"):

        class Kept(Question[Message], subject=PLANTED):
            """Its body may name a person, and the stream would store it."""

    assert PLANTED not in QUESTIONS


def test_an_event_cannot_take_a_subject_that_no_stream_keeps() -> None:
    with pytest.raises(TypeError, match="no stream"):

        class Unkept(Event, subject="ask.intake.planted.v1"):
            """It would be told and lost."""


# -- events carry references, never content (consent.md 4.2) -----------------------------------------------------------


@pytest.mark.parametrize("subject", sorted(EVENTS))
def test_an_event_can_hold_no_free_text(subject: str) -> None:
    assert free_text(EVENTS[subject]) == []


class Nested(Message):
    """Free text, one level down."""

    remark: str


@pytest.mark.parametrize(
    "planted_type",
    [
        str,
        str | None,
        tuple[str, ...],
        dict[str, int],
        dict[UUID, str],
        Nested,
        tuple[Nested, ...],
        Any,
        bytes,
        float,
        int,
        Annotated[str, StringConstraints(max_length=200)],
        Annotated[str, Field(pattern=r"^.{1,40}$")],
        Annotated[str, Field(pattern=r"^[a-z ]+$")],
        Annotated[str, Field(pattern=r"^\S+$")],
        Annotated[str, Field(pattern=r"[a-z]+")],
        Code | Annotated[str, StringConstraints(max_length=200)],
    ],
    ids=str,
)
@pytest.mark.usefixtures("planted")
def test_an_event_with_room_for_free_text_is_noticed(planted_type: Any) -> None:
    class Planted(Event, subject=PLANTED):
        """A control."""

        harmless: UUID
        planted: planted_type

    assert EVENTS[PLANTED] is Planted
    assert any(fault.split("/")[1] == "planted" for fault in free_text(Planted))


@pytest.mark.usefixtures("planted")
def test_what_an_event_may_hold_is_let_through() -> None:
    class Planted(Event, subject=PLANTED):
        """A control of the control: references, codes, numbers within bounds, words of a fixed list."""

        codes: dict[Code, tuple[UUID, ...]]
        count: Annotated[int, Field(ge=0, le=9)] | None
        kind: Literal["a", "b"] | ConsentState
        known: bool

    assert free_text(Planted) == []


def free_text(event: type[Event]) -> list[str]:
    """Paths of the fields of an event that could carry a sentence or a name, as it is read and as it is written."""
    faults: set[str] = set()
    for mode in ("validation", "serialization"):
        schema = event.model_json_schema(mode=mode)  # type: ignore[arg-type]  # the two modes there are
        faults |= set(_holes(schema, schema.get("$defs", {}), ""))
    return sorted(faults)


def _holes(schema: dict[str, Any], named: dict[str, Any], path: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _holes(named[schema["$ref"].rpartition("/")[2]], named, path)
    elif "anyOf" in schema:
        for choice in schema["anyOf"]:
            yield from _holes(choice, named, path)
    elif not _is_closed(schema):
        match schema.get("type"):
            case "array" if "items" in schema:
                yield from _holes(schema["items"], named, f"{path}/*")
            case "object" if schema.get("additionalProperties", False) is False:
                for name, field in schema.get("properties", {}).items():
                    yield from _holes(field, named, f"{path}/{name}")
            case "object" if "propertyNames" in schema and isinstance(schema["additionalProperties"], dict):
                yield from _holes({"type": "string"} | schema["propertyNames"], named, f"{path}/key")
                yield from _holes(schema["additionalProperties"], named, f"{path}/*")
            case "object" if "patternProperties" in schema:
                for pattern, values in schema["patternProperties"].items():
                    yield from _holes({"type": "string", "pattern": pattern}, named, f"{path}/key")
                    yield from _holes(values, named, f"{path}/*")
            case _:
                yield path


def _is_closed(schema: dict[str, Any]) -> bool:
    """Whether a value of this schema has no room for words of one's own."""
    if "enum" in schema or "const" in schema or schema.get("type") in {"boolean", "null"}:
        return True
    if schema.get("type") == "integer":
        return bool(schema.keys() & {"minimum", "exclusiveMinimum"})
    pattern = schema.get("pattern", "")
    return schema.get("type") == "string" and (
        schema.get("format") in FORMATS or bool(PLAIN_PATTERN.fullmatch(pattern))
    )


# -- every message -----------------------------------------------------------------------------------------------------


def all_messages() -> list[Any]:
    """(model, its example as JSON text) of every event, question and reply."""
    pairs: dict[str, type[BaseModel]] = {**EVENTS, **QUESTIONS}
    pairs |= {f"{subject}.reply": question.reply_type() for subject, question in QUESTIONS.items()}
    return [pytest.param(model, EXAMPLES / f"{name}.json", id=name) for name, model in pairs.items()]


@pytest.mark.parametrize(("model", "example"), all_messages())
def test_a_message_cannot_be_changed(model: type[BaseModel], example: Path) -> None:
    message = model.model_validate_json(example.read_text("utf-8"))
    for name in model.model_fields:
        with pytest.raises(ValidationError):
            setattr(message, name, None)


@pytest.mark.parametrize(("model", "example"), all_messages())
def test_a_field_of_a_newer_sender_is_ignored(model: type[BaseModel], example: Path) -> None:
    sent = json.loads(example.read_text("utf-8"))
    newer = model.model_validate_json(json.dumps({**sent, "added_later": CANARY}))
    assert newer == model.model_validate_json(json.dumps(sent))
    assert CANARY not in newer.model_dump_json()


@pytest.mark.parametrize(("model", "example"), all_messages())
def test_an_error_never_repeats_what_was_sent(model: type[BaseModel], example: Path) -> None:
    """Field names and keys of a mapping are in the error's path; our mappings have references for keys."""
    sent = json.loads(example.read_text("utf-8"))
    complaints = [complaint(model, json.dumps(spoilt)) for spoilt in spoil(sent)]
    assert any(complaints)
    assert CANARY not in "".join(complaints)
    assert CANARY not in complaint(model, f'{{"about": "{CANARY}"')


def complaint(model: type[BaseModel], text: str) -> str:
    """All that is said about a message that cannot be read; empty when it can be."""
    try:
        model.model_validate_json(text)
    except ValidationError as error:
        return f"{error} {error!r} {error.errors(include_input=False)}"
    return ""


def spoil(sent: Any) -> Iterator[Any]:
    """Copies of a message, each with one value somewhere replaced by a name, alone, as a list and as an object."""
    yield from (CANARY, [CANARY], {"name": CANARY})
    if isinstance(sent, dict):
        for key, value in sent.items():
            yield from ({**sent, key: worse} for worse in spoil(value))
    elif isinstance(sent, list):
        for n, value in enumerate(sent):
            yield from ([*sent[:n], worse, *sent[n + 1 :]] for worse in spoil(value))


def test_a_question_knows_what_answers_it() -> None:
    for question in QUESTIONS.values():
        assert issubclass(question.reply_type(), Message)
        assert question.answered_in
