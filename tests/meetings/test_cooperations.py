"""協力依頼: a fixed question to a body outside, one way (S5); whoever asks back has to be commissioned first (S6)."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from contracts.commission import AskCooperation, Cooperations, NoteCooperation, QuestionTemplate
from contracts.message import Compartment
from services.meetings import secrecy
from tests.meetings.stand_in import Hands, put_forward

SHIEN = Compartment.SHIEN
Building = Callable[..., Hands]


def ask(case: Any, agency: str = "hellowork", **changes: Any) -> AskCooperation:
    facts = {"template": QuestionTemplate.OPINION, "due_on": date(2026, 12, 7)} | changes
    return AskCooperation(case=case, agency=agency, **facts)


@pytest.fixture
def shien(hands: Building) -> Hands:
    one = hands(SHIEN, commissioned=False)
    one.commission("fukushi")
    return one


@pytest.mark.rule("S5")
def test_the_letter_is_made_of_fixed_words_only(shien: Hands) -> None:
    event = put_forward("jiritsu")
    shien.give(event)
    made = shien.stage.ask(ask(event.case))
    assert made.done
    assert made.letter == (
        "ハローワーク小林 御中\n\n"
        "社会福祉法第106条の6(協力の求め)に基づき、次のとおり協力を依頼します。\n\n"
        "意見の開陳をお願いします。\n"
        "回答の期限: 令和8年12月7日\n\n"
        "小林市 福祉課 電話 0984-00-1100\n"
    )


def test_a_request_has_no_field_for_text() -> None:
    assert set(AskCooperation.model_fields) == {"case", "agency", "template", "due_on"}
    with pytest.raises(ValidationError):
        ask(uuid4(), template="髙橋さんの借金について教えてください")
    assert "note" not in ask(uuid4(), note="髙橋さんの借金").model_dump()


@pytest.mark.parametrize(
    ("changes", "rule", "words"),
    [
        ({"agency": "fukushi"}, "S8", "支援会議に出席を頼んでください"),
        ({"agency": "unknown"}, "S5", "機関を登録してから"),
        ({"due_on": date(2026, 11, 23)}, "S5", "1年以内の日付に"),
        ({"due_on": date(9999, 12, 31)}, "S5", "1年以内の日付に"),
        ({"case": uuid4()}, "S5", "支援会議にありません"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_that_is_open(
    shien: Hands, changes: dict[str, Any], rule: str, words: str
) -> None:
    event = put_forward("jiritsu")
    shien.give(event)
    refused = shien.stage.ask(ask(**({"case": event.case} | changes)))
    assert (refused.done, refused.rule, refused.letter) == (False, rule, "")
    assert words in refused.message
    assert shien.stage.ask(Cooperations(case=event.case)).requests == ()


def test_only_bodies_that_are_not_commissioned_are_offered_to_be_asked(shien: Hands) -> None:
    event = put_forward("jiritsu")
    shien.give(event)
    offered = shien.stage.ask(Cooperations(case=event.case)).askable
    assert "hellowork" in offered
    assert "fukushi" not in offered


@pytest.mark.rule("S5")
def test_the_answer_is_kept_in_shien_once(shien: Hands) -> None:
    event = put_forward("jiritsu")
    shien.give(event)
    request = shien.stage.ask(ask(event.case)).request
    assert shien.stage.ask(NoteCooperation(request=request, answer="求職の登録は3月に終わっています。")).done
    (kept,) = shien.stage.ask(Cooperations(case=event.case)).requests
    assert (kept.answer, kept.answered_at, kept.template) == (
        "求職の登録は3月に終わっています。",
        shien.now(),
        QuestionTemplate.OPINION,
    )
    again = shien.stage.ask(NoteCooperation(request=request, answer="別の回答"))
    assert (again.done, again.message) == (False, "この協力依頼には、すでに回答が記録されています。")
    assert not shien.stage.ask(NoteCooperation(request=uuid4(), answer="だれの回答か")).done


@pytest.mark.rule("S6")
def test_whoever_asks_back_is_to_be_commissioned_first(shien: Hands) -> None:
    event = put_forward("jiritsu")
    shien.give(event)
    request = shien.stage.ask(ask(event.case)).request
    noted = shien.stage.ask(NoteCooperation(request=request, asks_back=True))
    assert (noted.done, noted.rule) == (True, "S6")
    assert "ハローワーク小林を委嘱しますか。" in noted.message
    (kept,) = shien.stage.ask(Cooperations(case=event.case)).requests
    assert (kept.asked_back_at, kept.answer) == (shien.now(), "")


def test_years_and_days_are_those_of_an_office() -> None:
    assert secrecy.in_era(date(2019, 5, 1)) == "令和元年5月1日"
    assert secrecy.years_later(date(2028, 2, 29), 2) == date(2030, 2, 28)
