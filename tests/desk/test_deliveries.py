"""What the organiser reads of an invitation's delivery and of mail that is no answer: no address, no word of a mail."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.meetings import SeatView
from contracts.message import Compartment
from contracts.proposing import AskedView
from services.desk.deliveries import call_text, delivery_text, poll_text

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN


def seat(**changes: Any) -> SeatView:
    facts = {"person": uuid4(), "agency": "jiritsu", "need": "required", "answer": "none", "answered_at": None}
    return SeatView.model_validate(facts | {"notice": "sent", "delivery": "accepted"} | changes)


@pytest.mark.parametrize(
    ("changes", "text", "call"),
    [
        ({}, "送付済み", ""),
        ({"notice": "waiting", "delivery": "waiting"}, "送付待ち", ""),
        ({"notice": "waiting", "delivery": "retrying"}, "送信を繰り返しています", ""),
        ({"delivery": "deferred"}, "届くのが遅れています", ""),
        ({"delivery": "delivered"}, "届きました", ""),
        ({"delivery": "bounced"}, "届かずに戻りました", "宛先を確かめ、電話で知らせてください。"),
        (
            {"delivery": "answered", "answer": "attend", "answered_at": datetime(2026, 11, 24, tzinfo=UTC)},
            "送付済み",
            "",
        ),
        (
            {"notice": "not_sent", "delivery": "not_sent", "why": "no_address"},
            "電話で連絡してください",
            "メールの宛先が登録されていません。",
        ),
        (
            {"notice": "not_sent", "delivery": "not_sent", "why": "no_ground"},
            "電話で連絡してください",
            "メールを届けられませんでした。",
        ),
    ],
)
def test_the_organiser_reads_how_far_an_invitation_got_and_when_to_telephone(
    changes: dict[str, Any], text: str, call: str
) -> None:
    found = seat(**changes)
    assert delivery_text(found) == text
    assert call_text(found, JUSO, has_mail=True) == call


@pytest.mark.parametrize("mail", ["tentative", "delegated", "unreadable", "other_sender", "counter"])
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
def test_what_came_by_mail_and_is_no_answer_wants_somebody_to_decide(mail: str, kind: Compartment) -> None:
    text = call_text(seat(mail=mail), kind, has_mail=True)
    assert text.endswith("。")
    assert "電話" in text
    assert call_text(seat(mail=mail, cancelled=True), kind, has_mail=True) == ""


@pytest.mark.rule("S6")
def test_somebody_else_in_a_commissioned_persons_place_is_told_to_be_refused() -> None:
    assert "S6" in call_text(seat(mail="delegated"), SHIEN, has_mail=True)
    assert "S6" not in call_text(seat(mail="delegated"), JUSO, has_mail=True)


def test_a_wish_for_another_time_is_shown_as_a_time_and_as_nothing_more() -> None:
    wish = {"wish_starts": datetime(2026, 12, 18, 5, tzinfo=UTC), "wish_ends": datetime(2026, 12, 18, 6, tzinfo=UTC)}
    text = call_text(seat(mail="counter", **wish), JUSO, has_mail=True)
    assert text == "別の日時(令和8年12月18日(金) 14:00〜15:00)を希望しています。日時は変わっていません。"


def test_somebody_without_mail_is_telephoned_and_not_called_a_failure() -> None:
    assert call_text(seat(notice="not_sent", why="no_address"), JUSO, has_mail=False) == "メールを使えない職場です。"


@pytest.mark.parametrize("why", ["by_phone", "by_letter", "bounced"])
def test_whom_a_poll_cannot_reach_by_mail_is_asked_on_the_telephone(why: str) -> None:
    facts = {"person": UUID(int=1), "agency": "fukushi", "need": "required", "mail": "not_sent", "why": why}
    asked = AskedView.model_validate(facts)
    assert poll_text(asked).endswith("電話でうかがってください。")
    assert poll_text(asked.model_copy(update={"mail": "sent", "why": ""})) == "送信済み"
