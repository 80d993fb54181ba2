"""The AsyncAPI document says what the contracts and the services say, and hangs together.

No package on the index ships the schema of AsyncAPI 3.0 for offline use, so its demands on what we use are written
out here: which keys an object may have, and that every reference leads somewhere.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import MetaData

from contracts.coordination import Cases, ItemPutForward
from contracts.directory import Staff
from contracts.intake import ReferralWithConsent, ReferralWithoutConsent
from contracts.meetings import ItemPlaced
from contracts.message import EVENTS, QUESTIONS
from contracts.notify import SendInvitation
from services.asyncapi import document
from services.service import Answerer, Service

MAY_HAVE = {
    "channel": {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"},
    "operation": {"action", "channel", "messages", "reply", "title", "summary", "description", "security", "tags"},
    "reply": {"address", "channel", "messages"},
    "message": {"name", "title", "summary", "description", "contentType", "headers", "payload", "traits", "examples"},
}
EVERYTHING = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The document of three services, through JSON as others read it."""
    intake = Service("intake", MetaData(), publishes=frozenset({ReferralWithConsent, ReferralWithoutConsent}))
    coordination = Service(
        "coordination", MetaData(), compartments=True, publishes=frozenset({ItemPutForward}), asks=frozenset({Staff})
    )
    coordination.on(ReferralWithConsent)(lambda event, tx: ())
    coordination.on(ItemPlaced)(lambda event, tx: ())
    coordination.answers_to[Cases] = Answerer("read", lambda question, tx: None)
    notify = Service(
        "notify", MetaData(), answers_to={SendInvitation: Answerer("perform", lambda question, work: None)}
    )
    return json.loads(json.dumps(document([notify, coordination, intake])))  # type: ignore[no-any-return]  # JSON


def test_it_is_an_asyncapi_3_document(described: dict[str, Any]) -> None:
    assert described["asyncapi"] == "3.0.0"
    assert described.keys() <= EVERYTHING
    assert {"title", "version"} <= described["info"].keys()
    for channel in described["channels"].values():
        assert own(channel) <= MAY_HAVE["channel"]
    for operation in described["operations"].values():
        assert own(operation) <= MAY_HAVE["operation"]
        assert operation["action"] in {"send", "receive"}
        assert own(operation.get("reply", {})) <= MAY_HAVE["reply"]
    for message in described["components"]["messages"].values():
        assert own(message) <= MAY_HAVE["message"]


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    references = list(found(described, "$ref"))
    assert references
    for reference in references:
        assert at(described, reference) is not None, reference


def test_a_reference_that_leads_nowhere_is_noticed(described: dict[str, Any]) -> None:
    assert at(described, "#/components/schemas/NoSuchModel") is None


def test_an_operation_names_messages_of_its_own_channel(described: dict[str, Any]) -> None:
    for operation in described["operations"].values():
        for part in filter(None, (operation, operation.get("reply"))):
            for message in part["messages"]:
                assert message["$ref"].startswith(f"{part['channel']['$ref']}/messages/")


def test_every_subject_is_a_channel_with_a_readable_schema(described: dict[str, Any]) -> None:
    for subject in [*EVENTS, *QUESTIONS]:
        channel = described["channels"][subject]
        assert channel["address"] == subject
        (message,) = channel["messages"].values()
        payload = at(described, at(described, message["$ref"])["payload"]["$ref"])
        assert payload["type"] == "object"
    for subject in QUESTIONS:
        assert described["channels"][f"{subject}.reply"]["address"] is None


def test_schemas_say_what_the_contract_demands(described: dict[str, Any]) -> None:
    schema = described["components"]["schemas"]["ReferralWithConsent"]
    assert {"about", "referrer", "consent"} <= set(schema["required"])
    assert "version" not in schema["required"], "it has a default, so older senders may leave it out"
    assert schema["properties"]["household_size"] == {
        "maximum": 99,
        "minimum": 1,
        "title": "Household Size",
        "type": "integer",
    }


def test_it_says_who_stores_tells_and_hears_an_event(described: dict[str, Any]) -> None:
    with_consent = described["channels"][ReferralWithConsent.subject]["x-kasane"]
    assert with_consent == {"stored_in": ["juso"], "published_by": ["intake"], "reacted_to_by": ["coordination"]}
    placed = described["channels"][ItemPlaced.subject]["x-kasane"]
    assert placed == {"stored_in": ["juso", "shien"], "published_by": [], "reacted_to_by": ["coordination"]}


def test_it_says_who_may_ask_and_who_answers(described: dict[str, Any]) -> None:
    invitation = described["channels"][SendInvitation.subject]["x-kasane"]
    assert invitation["asked_from"] == ["juso", "notify", "shien"]
    assert (invitation["answered_in"], invitation["answered_by"]) == (["notify"], ["notify"])
    assert described["channels"][Staff.subject]["x-kasane"]["asked_by"] == ["coordination"]


def test_operations_are_what_the_services_declare(described: dict[str, Any]) -> None:
    assert {name: operation["action"] for name, operation in described["operations"].items()} == {
        f"intake.tells.{ReferralWithConsent.subject}": "send",
        f"intake.tells.{ReferralWithoutConsent.subject}": "send",
        f"coordination.tells.{ItemPutForward.subject}": "send",
        f"coordination.hears.{ReferralWithConsent.subject}": "receive",
        f"coordination.hears.{ItemPlaced.subject}": "receive",
        f"coordination.asks.{Staff.subject}": "send",
        f"coordination.answers.{Cases.subject}": "receive",
        f"notify.answers.{SendInvitation.subject}": "receive",
    }
    asked = described["operations"][f"coordination.asks.{Staff.subject}"]
    assert asked["reply"]["channel"] == {"$ref": f"#/channels/{Staff.subject}.reply"}


def test_events_carry_cloudevents_headers_and_questions_do_not(described: dict[str, Any]) -> None:
    for subject in EVENTS:
        (trait,) = described["components"]["messages"][subject]["traits"]
        assert set(at(described, trait["$ref"])["headers"]["required"]) == {
            "ce-specversion",
            "ce-id",
            "ce-source",
            "ce-type",
            "ce-time",
            "ce-subject",
        }
    for subject in QUESTIONS:
        assert "traits" not in described["components"]["messages"][subject]


def own(thing: dict[str, Any]) -> set[str]:
    """The keys that are no extensions."""
    return {key for key in thing if not key.startswith("x-")}


def found(thing: Any, key: str) -> Iterator[str]:
    """Every value of ``key``, however deep."""
    for inner in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ():
        yield from found(inner, key)
    if isinstance(thing, dict) and isinstance(thing.get(key), str):
        yield thing[key]


def at(whole: dict[str, Any], reference: str) -> Any:
    """What a local JSON reference points at, or None."""
    thing: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        thing = thing.get(step) if isinstance(thing, dict) else None
    return thing
