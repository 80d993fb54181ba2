"""What a sitting found is what is recorded of it; a meeting that never heard the case has no result."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.life import Outcome, State, Step
from contracts.meetings import ItemPlaced, ItemUnplaced
from contracts.message import Compartment
from contracts.running import HearingOpened, ItemHeard
from services.coordination.domain import today
from services.coordination.tables import hearing
from services.store import Outcome as Handled
from tests.coordination.stand_in import Hands
from tests.coordination.test_life import act
from tests.coordination.test_living import case_in, hold, look, take, walk

JUSO = Compartment.JUSO
Ready = Callable[[Compartment], Hands]
HERE = ("fukushi", "shakyo")


async def brought(hands: Hands) -> tuple[UUID, ItemPlaced]:
    """A case whose plan is before a sitting that has begun."""
    case = await case_in(hands)
    done = await walk(hands, case, Step.ASSESS, Step.DRAFT)
    assert (await take(hands, case, Step.BRING, done.number)).done
    return case, hold(hands, case, ago=timedelta(minutes=10))


def told(placed: ItemPlaced, more: int = 1, **facts: Any) -> ItemHeard:
    heard = {"about": placed.about, "case": placed.case, "sitting": placed.sitting, "version": placed.version + more}
    heard |= {"outcome": Outcome.FIT, "present": HERE, "heard_on": today(placed.starts)}
    return ItemHeard.model_validate(heard | facts)


def opened(placed: ItemPlaced, **facts: Any) -> HearingOpened:
    values = {"about": placed.about, "case": placed.case, "sitting": placed.sitting, "version": placed.version + 1}
    return HearingOpened.model_validate(values | facts)


@pytest.mark.rule("P1", "T1")
async def test_while_the_sitting_is_held_no_result_is_recorded(hands: Ready) -> None:
    juso = hands(JUSO)
    case, placed = await brought(juso)
    juso.stage.give(opened(placed))
    juso.stage.pass_time(hours=2)
    await juso.errands()
    refused = await take(juso, case, Step.RECORD_RESULT, 3)
    assert (refused.done, refused.rule, "閉会していません" in refused.reason) == (False, "P1", True)


@pytest.mark.rule("D5", "P1")
async def test_a_person_confirms_what_the_sitting_found(hands: Ready) -> None:
    juso = hands(JUSO)
    case, placed = await brought(juso)
    juso.stage.give(opened(placed))
    juso.stage.give(told(placed, 2))
    life = await look(juso, case)
    assert life.heard is not None
    assert (life.heard.outcome, life.heard.present, life.heard.minutes) == (Outcome.FIT, HERE, placed.sitting)
    done = await take(juso, case, act(Step.RECORD_RESULT, present=HERE), 3)
    assert (done.done, done.state) == (True, State.AGREED), "it was closed before its time was up"
    assert (await look(juso, case)).heard is None


@pytest.mark.rule("D5", "P1")
@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"outcome": Outcome.AGAIN, "words": "話し合い直す"}, "D5"),
        ({"present": (*HERE, "houkatsu-kobayashi")}, "P1"),
    ],
    ids=["another outcome", "somebody who did not hear it"],
)
async def test_what_the_sitting_did_not_find_is_not_its_result(
    hands: Ready, changed: dict[str, Any], rule: str
) -> None:
    juso = hands(JUSO)
    case, placed = await brought(juso)
    juso.stage.give(told(placed))
    refused = await take(juso, case, act(Step.RECORD_RESULT, **{"present": HERE} | changed), 3)
    assert (refused.done, refused.rule) == (False, rule)
    assert refused.next_step


@pytest.mark.rule("T1")
async def test_a_sitting_that_carried_the_case_on_has_no_result(hands: Ready) -> None:
    juso = hands(JUSO)
    case, placed = await brought(juso)
    juso.stage.give(opened(placed))
    gone = {"about": placed.about, "case": case, "sitting": placed.sitting, "again": True}
    juso.stage.give(ItemUnplaced.model_validate(gone | {"version": placed.version + 2}))
    juso.stage.pass_time(hours=2)
    await juso.errands()
    assert not (await take(juso, case, Step.RECORD_RESULT, 3)).done
    assert juso.stage.do(lambda tx: tx.execute(select(hearing)).all()) == []


@pytest.mark.rule("T1")
async def test_a_sitting_that_the_case_was_never_at_is_not_believed(hands: Ready) -> None:
    juso = hands(JUSO)
    case, placed = await brought(juso)
    strange = told(placed, sitting=uuid4())
    assert juso.stage.give(strange) is not Handled.DONE
    assert (await look(juso, case)).heard is None


async def test_news_that_comes_late_or_twice_changes_nothing(hands: Ready) -> None:
    juso = hands(JUSO)
    case, placed = await brought(juso)
    juso.stage.give(told(placed, 3, approved=True))
    juso.stage.give(told(placed, 2, outcome=Outcome.AGAIN))
    juso.stage.give(opened(placed))
    heard = (await look(juso, case)).heard
    assert heard is not None
    assert (heard.outcome, heard.approved) == (Outcome.FIT, True)
