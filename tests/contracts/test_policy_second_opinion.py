"""Cedar decides every request there is a second time, from rules written by hand; the two must agree on each.

The schema goes into every call: without it a forbid that reads a missing attribute is skipped, and tax data comes out
allowed (consent.md 3.6). Whatever is not Allow is a refusal. Without cedarpy these tests fail;
they do not skip.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import cedarpy
import pytest

from contracts.message import Compartment
from contracts.policy import Category, Decision, Request, decide
from contracts.policy_rows import ROWS
from contracts.policy_terms import Act
from tests.contracts.request_space import LAW_BEGINS, OPEN, TICK, arguments, every_part, every_request, looked_at

HERE = Path(__file__).parent
TEXT = (HERE / "policy.cedar").read_text("utf-8")
SCHEMA_TEXT = (HERE / "policy.cedarschema").read_text("utf-8")
JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
RESOURCE = {JUSO: 'Juso::"item"', SHIEN: 'Shien::"item"', None: 'Elsewhere::"item"'}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def schema() -> Any:
    return cedarpy.Schema.from_str(SCHEMA_TEXT)


def ask(requests: list[dict[str, Any]], text: str = TEXT) -> list[Any]:
    # The entities get the schema, too: it holds which act is in which group, and no forbid on a group works without.
    entities = cedarpy.Entities.from_json_str("[]", schema())
    return cedarpy.is_authorized_batch(requests, cedarpy.PolicySet.from_str(text), entities, schema())


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // TICK


def context(request: Request) -> dict[str, Any]:
    """The request as Cedar reads it: the plain fields its act looks at, instants as numbers."""
    found: dict[str, Any] = {}
    for name in looked_at(request.act, request.compartment):
        value = getattr(request, name)
        if name == "category":
            found["tax"] = value is Category.TAX
        elif name in ("consent_period", "commission"):
            short = name.removesuffix("_period")
            found |= {f"{short}_starts": micros(value.starts), f"{short}_ends": micros(value.ends)}
        elif name == "emergency":
            if value is not None:
                found[name] = vars(value) | {"ends": micros(value.ends)}
        elif name != "moment":
            found[name] = value if isinstance(value, bool) else str(value)
    if looked_at(request.act, request.compartment):
        found["at"] = micros(request.moment)
    return found


def questions(request: Request) -> list[dict[str, Any]]:
    """What Cedar is asked: the act; for the kind of meeting, whether each compartment may take the case."""
    derive = request.act is Act.DERIVE
    where = request.compartment.value if request.compartment else "elsewhere"
    return [
        {
            "principal": 'Seat::"one"',
            "action": 'Action::"derive"' if derive else f'Action::"{request.act.value}-{where}"',
            "resource": RESOURCE[one],
            "context": context(request),
        }
        for one in (Compartment if derive else (request.compartment,))
    ]


def agrees(decision: Decision, request: Request, answers: list[Any]) -> bool:
    """Same verdict, and the row that decided is among those Cedar names; where nothing permits it names none."""
    assert all(not one.diagnostics.errors for one in answers), "an error would skip a forbid"
    named = {name for one in answers for name in one.diagnostics.id_annotations_by_reason.values()}
    if request.act is Act.DERIVE:
        open_to = {kind for kind, one in zip(Compartment, answers, strict=True) if one.allowed}
        return open_to == ({decision.compartment} - {None}) and named == ({decision.row} if decision.allowed else set())
    (answer,) = answers
    if decision.row.startswith("F"):
        return not answer.allowed and decision.row in named
    return answer.allowed == decision.allowed and named == ({decision.row} if decision.allowed else set())


def batches(size: int) -> Iterator[list[Request]]:
    requests = (Request(**arguments(part, OPEN)) for part in every_part())
    while batch := list(islice(requests, size)):
        yield batch


def test_cedar_agrees_on_every_request_there_is() -> None:
    seen = 0
    for batch in batches(4000):
        asked = [questions(request) for request in batch]
        answers = iter(ask([one for several in asked for one in several]))
        for request, several in zip(batch, asked, strict=True):
            assert agrees(decide(request), request, list(islice(answers, len(several)))), request
        seen += len(batch)
    assert seen == 79_758


def test_the_cedar_rules_are_valid_against_their_schema() -> None:
    result = cedarpy.validate_policies(TEXT, schema())
    assert result.validation_passed, [str(one) for one in result.errors]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("context.covers_tax", "context.cover_tax"),  # a word misspelt
        (
            "unless { context.seat };\n\n// The desk",
            "unless { context.two_way };\n\n// The desk",
        ),  # another act's field
        ("context.at < 1617202800000000", 'context.at < "2021-04-01"'),  # a wrong type
    ],
)
def test_validation_notices_a_rule_that_reads_what_is_not_there(right: str, wrong: str) -> None:
    assert right in TEXT
    assert not cedarpy.validate_policies(TEXT.replace(right, wrong), schema()).validation_passed


def test_a_request_that_leaves_something_out_is_refused() -> None:
    """Tax data with the consent's reach left out: the forbid alone would be skipped."""
    (question,) = questions(
        Request(**arguments({"act": Act.HEAR, "compartment": JUSO, "basis": "swa-106-4-2-5"}, OPEN))
    )
    assert ask([question])[0].allowed
    del question["context"]["covers_tax"]
    assert not ask([question])[0].allowed


def test_both_begin_on_the_same_day() -> None:
    assert micros(LAW_BEGINS) == 1617202800000000


def test_cedar_names_exactly_the_rows_that_allow_and_forbid() -> None:
    ids = {row.id for row in ROWS if row.allowed or row.id.startswith("F")}
    assert {line.split('"')[1] for line in TEXT.splitlines() if line.startswith("@id(")} == ids


@pytest.mark.parametrize("row", sorted(row.id for row in ROWS if row.allowed or row.id.startswith("F")))
def test_the_comparison_notices_when_cedar_lacks_a_rule(row: str) -> None:
    head, _, tail = TEXT.partition(f'@id("{row}")')
    poorer = head + tail.partition(";")[2]
    request = next(one for one in every_request() if decide(one).row == row)
    assert agrees(decide(request), request, ask(questions(request)))
    assert not agrees(decide(request), request, ask(questions(request), poorer))


def test_the_hour_of_an_emergency_is_the_same_hour() -> None:
    assert timedelta(hours=1) // TICK == 3_600_000_000
