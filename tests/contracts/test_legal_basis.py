"""The catalogue of legal bases: its dates hold together, and its texts change on the day the law does (S1, S3, M14)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.legal_basis import (
    CATALOGUE,
    JUSO_BASIS,
    SHIEN_BASIS,
    Host,
    LegalBasis,
    Penalty,
    catalogue,
    penalty_text,
)

TICK = timedelta(microseconds=1)
WELFARE = CATALOGUE["lpa-27-3"]


@pytest.mark.rule("M14")
def test_a_law_begins_at_midnight_in_japan() -> None:
    midnight = datetime(2025, 3, 31, 15, tzinfo=UTC)
    assert (WELFARE.in_force(midnight - TICK), WELFARE.in_force(midnight)) == (False, True)
    assert WELFARE.begins == midnight


def test_a_repealed_law_ends_at_midnight_in_japan() -> None:
    repealed = replace(WELFARE, in_force_to=date(2030, 4, 1))
    midnight = datetime(2030, 3, 31, 15, tzinfo=UTC)
    assert (repealed.in_force(midnight - TICK), repealed.in_force(midnight)) == (True, False)


def test_the_other_bodies_are_known_and_hear_nothing_here() -> None:
    named = {"nlsa-9", "nlsa-coordination", "lpa-27-3", "ltcia-115-48", "cwa-25-2", "pda-89-3", "plan-only"}
    assert {code for code, basis in CATALOGUE.items() if basis.compartment is None} == named


def test_only_the_municipality_holds_a_shien_meeting() -> None:
    assert (SHIEN_BASIS.host, JUSO_BASIS.host) == (Host.MUNICIPALITY, Host.COORDINATOR)
    assert (SHIEN_BASIS.consent_needed, JUSO_BASIS.consent_needed) == (False, True)


@pytest.mark.parametrize(
    ("on", "word"),
    [
        (date(2020, 1, 1), "懲役"),
        (date(2021, 4, 1), "懲役"),
        (date(2025, 5, 31), "懲役"),
        (date(2025, 6, 1), "拘禁刑"),
        (date(2040, 1, 1), "拘禁刑"),
    ],
)
def test_the_penalty_is_worded_as_the_law_stood(on: date, word: str) -> None:
    assert penalty_text(on) == f"1年以下の{word}又は100万円以下の罰金"


def test_no_penalty_is_told_where_none_is_known() -> None:
    assert penalty_text(date(2026, 1, 1), WELFARE) == ""


def penalised(*penalties: Penalty) -> LegalBasis:
    return replace(SHIEN_BASIS, penalties=penalties)


OLD = Penalty("旧", date(2021, 4, 1), date(2025, 6, 1))


@pytest.mark.parametrize(
    ("bases", "fault"),
    [
        ((SHIEN_BASIS, SHIEN_BASIS), "two legal bases"),
        ((replace(SHIEN_BASIS, in_force_to=SHIEN_BASIS.in_force_from),), "before it begins"),
        ((penalised(OLD, Penalty("新", date(2025, 5, 31))),), "overlap"),
        ((penalised(OLD, Penalty("新", date(2025, 6, 2))),), "gap"),
        ((penalised(Penalty("旧", date(2021, 4, 1)), Penalty("新", date(2025, 6, 1))),), "overlap"),
        ((penalised(Penalty("逆", date(2021, 4, 1), date(2021, 4, 1))),), "before it begins"),
    ],
)
def test_a_catalogue_whose_dates_do_not_hold_together_is_refused(bases: tuple[LegalBasis, ...], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        catalogue(*bases)
