"""The AsyncAPI 3.0 document of the bus, for people who connect to it and write no Python.

It is made from the contracts and from what the services declare. FastStream's own generator would describe nothing:
it reads typed subscribers, and ours takes raw batches, so that one unreadable event cannot reject its neighbours
(bus.md, trap 13). ``ask.pulse.PROCESS`` and ``ask.parked.PROCESS`` are missing on purpose: they are for operators.
"""

from collections.abc import Iterable
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.message import EVENTS, HOME, QUESTIONS, Account, Event, Question
from services.service import Service

_DESCRIPTION = """\
Events (`kasane.…`) are facts with references, told after they are committed, stored by the streams of the accounts
named in `x-kasane`, and delivered at least once: drop what has a `ce-id` seen before. Questions (`ask.…`) are NATS
requests that nothing stores. An account does not see the others' subjects; what may cross is published under
`to.ACCOUNT.SUBJECT`. Contracts only grow: a changed meaning is a new version of the subject beside the old one."""

_TEXT = {"type": "string"}
_CLOUD_EVENT = {
    "type": "object",
    "description": "CloudEvents 1.0, binary mode.",
    "properties": {
        "ce-specversion": {"const": "1.0"},
        "ce-id": {"type": "string", "format": "uuid", "description": "The event's own id, however often delivered."},
        "ce-source": _TEXT | {"description": "/MUNICIPALITY/SERVICE; it never tells the compartment."},
        "ce-type": _TEXT | {"description": "The subject, with its version."},
        "ce-time": {"type": "string", "format": "date-time", "description": "When it was committed, UTC."},
        "ce-subject": {"type": "string", "format": "uuid", "description": "The aggregate it is about."},
    },
    "required": ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-subject"],
}
_ERROR = {
    "type": "object",
    "properties": {
        "Kasane-Error": _TEXT | {"description": "The class of an error, never its text. The body is empty then."}
    },
}


def document(services: Iterable[Service]) -> dict[str, Any]:
    """The whole document, ready for ``json.dumps``. Messages nobody of ``services`` handles are in it all the same."""
    declared = sorted(services, key=lambda service: service.name)
    models: dict[str, type[BaseModel]] = {**EVENTS, **QUESTIONS}
    models |= {_reply(subject): question.reply_type() for subject, question in QUESTIONS.items()}
    payloads, schemas = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models.values())],
        ref_template="#/components/schemas/{model}",
    )
    messages = {name: _message(name, model, payloads[model, "validation"]) for name, model in models.items()}
    for name, message in messages.items():
        if name not in QUESTIONS:
            message["traits"] = [{"$ref": f"#/components/messageTraits/{'event' if name in EVENTS else 'reply'}"}]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kasane",
            "version": version("kasane"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(declared),
        "operations": _operations(declared),
        "components": {
            "schemas": schemas["$defs"],
            "messages": messages,
            "messageTraits": {"event": {"headers": _CLOUD_EVENT}, "reply": {"headers": _ERROR}},
        },
    }


def _message(name: str, model: type[BaseModel], payload: dict[str, Any]) -> dict[str, Any]:
    said = getdoc(model) or ""
    return {
        "name": name,
        "title": model.__name__,
        "summary": said.splitlines()[0],
        "description": said,
        "payload": payload,
    }


def _channels(services: list[Service]) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for subject, event in EVENTS.items():
        channels[subject] = _channel(subject, subject) | {
            "x-kasane": {
                "stored_in": sorted(event.to or _home(subject)),
                "published_by": [s.name for s in services if event in s.publishes],
                "reacted_to_by": [s.name for s in services if event in s.reactions],
            }
        }
    for subject, question in QUESTIONS.items():
        channels[subject] = _channel(subject, subject) | {
            "x-kasane": {
                "answered_in": sorted(question.answered_in),
                "asked_from": sorted(question.answered_in | question.asked_from),
                "answered_by": [s.name for s in services if question in s.answers_to],
                "asked_by": [s.name for s in services if question in s.asks],
            }
        }
        # NATS makes a reply address of its own for each request, so the channel has none.
        channels[_reply(subject)] = _channel(_reply(subject), None)
    return channels


def _channel(name: str, address: str | None) -> dict[str, Any]:
    return {"address": address, "messages": {name: {"$ref": f"#/components/messages/{name}"}}}


def _operations(services: list[Service]) -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for service in services:
        for event in _by_subject(service.publishes):
            operations[f"{service.name}.tells.{event.subject}"] = _operation(service, "send", event.subject)
        for event in _by_subject(service.reactions):
            operations[f"{service.name}.hears.{event.subject}"] = _operation(service, "receive", event.subject)
        for question in _by_subject(service.asks):
            operations[f"{service.name}.asks.{question.subject}"] = _request(service, "send", question.subject)
        for question in _by_subject(service.answers_to):
            operations[f"{service.name}.answers.{question.subject}"] = _request(service, "receive", question.subject)
    return operations


def _operation(service: Service, action: str, subject: str) -> dict[str, Any]:
    return {"action": action, **_on(subject), "x-kasane": {"service": service.name}}


def _request(service: Service, action: str, subject: str) -> dict[str, Any]:
    return _operation(service, action, subject) | {"reply": _on(_reply(subject))}


def _on(name: str) -> dict[str, Any]:
    channel = f"#/channels/{name}"
    return {"channel": {"$ref": channel}, "messages": [{"$ref": f"{channel}/messages/{name}"}]}


def _by_subject(messages: Iterable[type[Event]] | Iterable[type[Question[Any]]]) -> list[Any]:
    return sorted(messages, key=lambda message: message.subject)


def _reply(subject: str) -> str:
    return f"{subject}.reply"


def _home(subject: str) -> set[Account]:
    home = HOME[subject.split(".")[1]]
    return {home} if home else {Account.JUSO, Account.SHIEN}
