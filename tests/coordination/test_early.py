"""早期支援: what begins before the decision on services comes to the next meeting (T5)."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from contracts.coordination import ItemPutForward
from contracts.life import LegalService, Step
from contracts.message import Compartment
from contracts.purpose import Purpose
from services.coordination.tables import item
from tests.coordination.stand_in import Hands
from tests.coordination.test_life import act
from tests.coordination.test_living import case_in, hold, take

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]


def put(hands: Hands) -> list[ItemPutForward]:
    return [one for one in hands.stage.told() if isinstance(one, ItemPutForward)]


def first_item(hands: Hands, case: UUID) -> UUID:
    found: UUID = hands.stage.do(lambda tx: tx.execute(select(item.c.id).where(item.c.case == case)).scalar_one())
    return found


@pytest.mark.rule("T5")
@pytest.mark.parametrize(("here", "purpose"), [(JUSO, Purpose.PLAN), (SHIEN, Purpose.WATCH)])
async def test_early_support_is_put_to_a_meeting_where_nothing_of_the_case_waits_for_one(
    hands: Ready, here: Compartment, purpose: Purpose
) -> None:
    town = hands(here)
    case = await case_in(town)
    hold(town, case, first_item(town, case))
    town.stage.told()
    assert (await take(town, case, act(Step.START_EARLY, services=(LegalService.OUTREACH,)), 0)).done
    (new,) = put(town)
    assert (new.case, new.purpose) == (case, purpose)
    other = (LegalService.PARTICIPATION,)
    if here is JUSO:
        assert (await take(town, case, act(Step.START_EARLY, services=other), 1)).done
        assert put(town) == [], "it waits already"


@pytest.mark.rule("T5")
async def test_early_support_comes_to_the_meeting_that_waits_for_the_case_already(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    juso.stage.told()
    assert (await take(juso, case, Step.START_EARLY, 0)).done
    assert put(juso) == []
