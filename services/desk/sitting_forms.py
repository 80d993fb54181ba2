"""What a form of a sitting says: read into an act of it."""

from datetime import datetime, time
from typing import Any

from starlette.datastructures import FormData

from contracts.running import Move, Proceeding
from services.desk import words
from services.desk.step_forms import text_of

LABELS = {
    "person": "人",
    "post": "職",
    "ground": "代理の根拠",
    "at": "時刻",
    "outcome": "結果",
    "roles": "役割分担",
    "next_on": "次に扱う日",
    "words": "会議録",
    "item": "議題",
}


def move_of(said: FormData, today: str) -> Move:
    """The act that a form says; a time of day is one of today. Raises ValidationError."""
    given: dict[str, Any] = {name: value for name in ("what", "person", "item") if (value := text_of(said, name))}
    if clock := text_of(said, "at"):
        try:
            at = datetime.combine(datetime.fromisoformat(today).date(), time.fromisoformat(clock), words.TOKYO)
            given["at"] = at
        except ValueError:
            given["at"] = clock  # the contract refuses it, and says which field
    if ground := text_of(said, "ground"):
        given |= {"ground": ground, "post": text_of(said, "post") or None}
    if given.get("what") in (Proceeding.RECORD, Proceeding.CORRECT):
        given["result"] = _result(said)
    return Move.model_validate(given)


def _result(said: FormData) -> dict[str, Any]:
    roles = [
        {"agency": agency, "until": text_of(said, f"until_{n}"), "does": text_of(said, f"does_{n}")}
        for n in range(40)
        if (agency := text_of(said, f"role_{n}"))
    ]
    return {
        "outcome": text_of(said, "outcome"),
        "roles": roles,
        "next_on": text_of(said, "next_on") or None,
        "local_issue": bool(text_of(said, "local_issue")),
        "words": text_of(said, "words"),
    }
