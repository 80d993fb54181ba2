"""Many sheets handed over together are kept as they are one by one."""

from collections.abc import Callable

import pytest
from sqlalchemy import Column, MetaData, String, Table

from contracts.intake import TakeInSheets
from contracts.profile import Profile
from services import intake
from services.intake.pile import Pile
from tests.chaos import sheets
from tests.stage import Stage


@pytest.fixture
def desk(stage: Callable[..., Stage], kobayashi: Profile) -> Stage:
    """Intake of 小林市."""
    return stage(intake.service, profile=kobayashi)


def test_a_sheet_that_comes_twice_in_one_handing_over_is_taken_in_once(desk: Stage) -> None:
    one, other = sheets(1, 2)
    done = desk.ask(TakeInSheets(sheets=(one, other, one)))
    assert [result.outcome for result in done.results] == ["accepted", "accepted", "unchanged"]


def test_other_content_under_a_number_of_the_same_handing_over_is_refused(desk: Stage) -> None:
    (one,) = sheets(1, 1)
    changed = one.model_copy(update={"reason": "家計の相談に変わった。"})
    done = desk.ask(TakeInSheets(sheets=(one, changed)))
    assert [(result.outcome, result.rule) for result in done.results][1] == ("refused", "number-taken")


def test_a_table_without_a_place_in_the_order_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        Pile().add(Table("elsewhere", MetaData(), Column("key", String, primary_key=True)), {"key": "x"})
