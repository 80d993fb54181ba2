"""The kind of meeting is derived from consent; the whole table is written out here a second time (C1, C4, C11)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.consent import CONSENT_TEXT, ConsentState
from contracts.legal_basis import BASIS_OF, CATALOGUE, CITED, penalty_text
from contracts.message import Compartment
from contracts.policy import derive_kind, may_hear

KIND = {
    ConsentState.GIVEN: Compartment.JUSO,
    ConsentState.NARROWED: Compartment.JUSO,
    ConsentState.REFUSED: Compartment.SHIEN,
    ConsentState.NOT_ASKED: Compartment.SHIEN,
    ConsentState.COULD_NOT_ASK: Compartment.SHIEN,
    ConsentState.WITHDRAWN: None,
    ConsentState.EXPIRED: None,
}
RULES = {"C1", "C4", "C5", "C9", "C11", "M13"}
ARTICLES = {basis.article for basis in CATALOGUE.values()} | CITED
THE_DAY_IT_CHANGED = date(2025, 6, 1)


@pytest.mark.rule("C5", "C9")
@pytest.mark.parametrize("state", ConsentState)
def test_every_state_of_consent_has_a_decision(state: ConsentState) -> None:
    decision = derive_kind(state)
    assert decision.compartment is KIND[state]
    assert decision.allowed == (KIND[state] is not None)


@pytest.mark.parametrize("state", ConsentState)
def test_a_decision_says_rule_article_and_reason(state: ConsentState) -> None:
    decision = derive_kind(state)
    assert decision.rule in RULES
    assert decision.basis in ARTICLES
    assert decision.reason


@pytest.mark.parametrize("state", ConsentState)
def test_a_refusal_names_what_can_lawfully_be_done(state: ConsentState) -> None:
    decision = derive_kind(state)
    assert decision.allowed or decision.next_step


@pytest.mark.rule("C1")
def test_only_a_consent_in_force_opens_the_juso_meeting() -> None:
    opening = {state for state in ConsentState if derive_kind(state).compartment is Compartment.JUSO}
    assert opening == {ConsentState.GIVEN, ConsentState.NARROWED}


@pytest.mark.parametrize("state", [ConsentState.WITHDRAWN, ConsentState.EXPIRED])
def test_a_withdrawn_or_expired_consent_moves_nobody_to_a_shien_meeting(state: ConsentState) -> None:
    decision = derive_kind(state)
    assert decision.compartment is None
    assert decision.rule == "C11"


@pytest.mark.parametrize("state", ConsentState)
def test_an_allowed_case_rests_on_the_basis_of_its_own_kind(state: ConsentState) -> None:
    decision = derive_kind(state)
    if decision.compartment:
        assert decision.basis == BASIS_OF[decision.compartment].article


@pytest.mark.parametrize("state", ConsentState)
def test_every_state_has_words_for_people(state: ConsentState) -> None:
    assert CONSENT_TEXT[state]


@pytest.mark.rule("M13")
@pytest.mark.parametrize("compartment", Compartment)
@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_block_hears_only_cases_its_legal_basis_covers(code: str, compartment: Compartment) -> None:
    decision = may_hear(code, compartment)
    allowed = {("swa-106-4-2-5", Compartment.JUSO), ("swa-106-6", Compartment.SHIEN)}
    assert decision.allowed == ((code, compartment) in allowed)
    assert decision.basis in ARTICLES
    assert decision.rule in RULES
    if decision.allowed:
        assert (decision.compartment, decision.basis) == (compartment, CATALOGUE[code].article)
    else:
        assert decision.compartment is None
        assert BASIS_OF[compartment].article in decision.next_step


@given(st.text(), st.sampled_from(Compartment))
def test_a_basis_that_is_not_in_the_catalogue_hears_nothing(code: str, compartment: Compartment) -> None:
    if code not in CATALOGUE:
        assert not may_hear(code, compartment).allowed


def test_a_kind_of_meeting_has_exactly_one_basis() -> None:
    for compartment in Compartment:
        assert [b for b in CATALOGUE.values() if b.compartment is compartment] == [BASIS_OF[compartment]]
    assert all(code == basis.code for code, basis in CATALOGUE.items())


@pytest.mark.rule("S3")
def test_secrecy_binds_the_shien_meeting_and_not_the_juso_meeting() -> None:
    assert BASIS_OF[Compartment.SHIEN].secrecy
    assert not BASIS_OF[Compartment.JUSO].secrecy


@pytest.mark.rule("S3")
def test_the_penalty_is_worded_as_the_law_stood_that_day() -> None:
    before = penalty_text(THE_DAY_IT_CHANGED - timedelta(days=1))
    since = penalty_text(THE_DAY_IT_CHANGED)
    assert before == "1年以下の懲役又は100万円以下の罰金"
    assert since == "1年以下の拘禁刑又は100万円以下の罰金"
