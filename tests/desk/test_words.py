"""What codes and instants are called."""

from datetime import UTC, date, datetime

import pytest

from contracts.consent import ConsentState
from contracts.life import Due, State
from contracts.purpose import Purpose
from services.desk import words
from tests.desk.standin import CASE, JUSO, SHIEN, case_view


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 11, 24), "令和8年11月24日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1926, 12, 24), "大正15年12月24日"),
        (date(1912, 7, 29), "明治45年7月29日"),
    ],
)
def test_a_date_is_told_in_the_era_it_falls_in(day: date, text: str) -> None:
    assert words.era_date(day) == text


def test_times_are_those_of_japan() -> None:
    starts, ends = datetime(2026, 11, 23, 15, 0, tzinfo=UTC), datetime(2026, 11, 23, 16, 5, tzinfo=UTC)
    assert words.span(starts, ends) == "令和8年11月24日(火) 0:00〜1:05"


def test_age_counts_completed_years() -> None:
    assert words.age_on(date(1958, 11, 25), date(2026, 11, 24)) == 67
    assert words.age_on(date(1958, 11, 24), date(2026, 11, 24)) == 68


def test_a_refusal_leads_to_the_meeting_bound_to_secrecy_by_its_article() -> None:
    assert words.why_this_kind(ConsentState.REFUSED, SHIEN) == (
        "同意なし(拒否) → 支援会議で扱います。根拠: 社会福祉法第106条の6(C4)"
    )


@pytest.mark.parametrize(
    ("ground", "compartment", "purpose", "text"),
    [
        (ConsentState.NOT_ASKED, SHIEN, Purpose.WATCH, "申込みの説明をして、同意の意思を確かめてください(C5)。"),
        (ConsentState.GIVEN, JUSO, Purpose.PLAN, "プラン策定は重層的支援会議で協議します(T1)。"),
        (ConsentState.GIVEN, JUSO, Purpose.CLOSING, "支援の終結は重層的支援会議で判断します(T1)。"),
        (
            ConsentState.REFUSED,
            SHIEN,
            Purpose.WATCH,
            "支援会議で情報を持ち寄り、見守りと支援の方針を話し合います(C4、S10)。",
        ),
        (
            ConsentState.WITHDRAWN,
            JUSO,
            Purpose.PLAN,
            "改めて同意を得るか、支援会議で扱う必要性を判断して記録してください(C11)。",
        ),
        (
            ConsentState.GIVEN,
            SHIEN,
            Purpose.WATCH,
            "同意の状態が変わりました。扱う会議を確かめてください(C10、C11)。",
        ),
    ],
)
def test_every_case_says_in_one_sentence_what_comes_next(
    ground: ConsentState, compartment: words.Compartment, purpose: Purpose, text: str
) -> None:
    assert words.next_step(case_view(CASE, ground), compartment, purpose) == text


@pytest.mark.parametrize("compartment", [JUSO, SHIEN])
@pytest.mark.parametrize("ground", list(ConsentState))
def test_no_state_of_consent_is_without_words(ground: ConsentState, compartment: words.Compartment) -> None:
    assert words.next_step(case_view(CASE, ground), compartment).endswith("。")
    assert "→" in words.why_this_kind(ground, compartment)


def test_a_withdrawn_case_in_shien_was_put_there_by_a_decision() -> None:
    assert "判断して記録" in words.why_this_kind(ConsentState.WITHDRAWN, SHIEN)
    assert "支援会議で情報を" in words.next_step(case_view(CASE, ConsentState.WITHDRAWN), SHIEN)


DUE = Due(rule="T4", text="モニタリングをする", on=date(2026, 12, 1), late=False)


@pytest.mark.parametrize(
    ("stands", "due", "text"),
    [
        (State.UNDERWAY, DUE, "モニタリングをする(T4)。令和8年12月1日(火)まで。"),
        (State.CLOSED, None, "支援は終わっています。"),
        (State.TO_JUSO, DUE, "重層的支援会議へ移りました。モニタリングをする(T4)。令和8年12月1日(火)まで。"),
        (State.AGREED, DUE.model_copy(update={"late": True, "guessed": True}), "まで(目安)。期限を過ぎています。"),
    ],
)
def test_what_comes_next_follows_from_where_the_life_of_the_case_stands(
    stands: State, due: Due | None, text: str
) -> None:
    told = words.next_step(case_view(CASE, ConsentState.GIVEN, stands=stands, due=due), JUSO)
    assert told.endswith(text)
    assert "プラン策定" not in told


def test_a_case_that_is_over_says_nothing_of_the_meeting_it_waited_for() -> None:
    placed = case_view(CASE, ConsentState.GIVEN, state="placed", stands=State.CLOSED)
    assert words.stands(placed) == "終結"
    assert (
        words.stands(placed.model_copy(update={"stands": State.UNDERWAY})) == "実施・モニタリング(日程が決まりました)"
    )
