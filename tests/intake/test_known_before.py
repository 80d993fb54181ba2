"""After an import: a certain duplicate is told, by number to its own 紹介元, and never over the border of the wall."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.consent import ConsentState
from contracts.same_person import Checked, DecideSame, KnownBefore, SheetKey
from services import intake
from services.importer import import_file
from tests.intake.agreeing import take
from tests.intake.officers import CITY, TOWN_WITH_COORDINATOR
from tests.intake.paper import row, sheet, without_consent
from tests.stage import Stage
from tests.test_importer import put, running
from tests.world import World


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    return stage(intake.service, profile=TOWN_WITH_COORDINATOR)


def known(desk: Stage, number: str, referrer: str = "houkatsu") -> list[str]:
    asked = KnownBefore(sheets=(SheetKey(referrer=referrer, number=number),))
    return [one.earlier for one in desk.ask(asked).known]


@pytest.mark.rule("C11")
def test_the_earlier_number_is_told_of_the_same_referrer_and_of_another_only_that_there_is_one(desk: Stage) -> None:
    take(desk, sheet())
    take(desk, sheet(number="124", resident_number="1000318"))
    take(desk, sheet(number="9", referrer="jiritsu"))
    take(desk, sheet(number="125", resident_number="4"))
    assert known(desk, "0000123") == [], "the first is no duplicate of what came later"
    assert known(desk, "124") == ["0000123"]
    assert known(desk, "9", "jiritsu") == [""]
    assert known(desk, "125") == []


@pytest.mark.rule("C4")
def test_nothing_tells_that_the_other_kind_of_meeting_knows_somebody(desk: Stage) -> None:
    take(desk, without_consent(ConsentState.REFUSED, number="7"))
    take(desk, sheet())
    assert known(desk, "0000123") == []
    take(desk, without_consent(ConsentState.NOT_ASKED, number="8"))
    assert known(desk, "8") == ["7"], "within its own kind"


def test_what_a_person_denied_is_not_told_again(desk: Stage) -> None:
    one, other = take(desk, sheet()), take(desk, sheet(number="124"))
    asked = {"request": CITY.person, "by": CITY, "one": one, "other": other, "after": 0, "same": False}
    assert desk.ask(DecideSame(**asked, checked=Checked.PAPERS)).done
    assert known(desk, "124") == []


async def test_the_report_of_an_import_says_so(world: World, tmp_path: Path) -> None:
    settings = await running(world)
    said: list[str] = []
    first, second = row(関係機関="小林包括"), row(関係機関="小林包括", 受付番号="0000124")
    await import_file(put(tmp_path / "first", first), settings, said.append)
    await import_file(put(tmp_path / "second", second), settings, said.append, dry_run=True)
    assert not any("同じ人" in line for line in said), said
    await import_file(put(tmp_path / "second", second), settings, said.append)
    assert "受付番号 0000124: 同じ人のつなぎがあります(受付番号 0000123)。" in said
