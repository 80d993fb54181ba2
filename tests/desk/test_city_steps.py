"""「進み具合」 in cities that differ: the page speaks of a body above, or another coordinator, where there is one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.life import Outcome, Step
from contracts.message import Compartment
from services.desk import steps
from services.settings import read_profile
from tests.coordination.stand_in import with_another_coordinator
from tests.coordination.test_life import PLAN, act
from tests.desk.standin import JUSO, StandIn, browser, sign_in
from tests.desk.test_steps import PATH, take, taken

EXAMPLES = Path(__file__).parents[2] / "examples"
Desk = Callable[[Compartment | None], StandIn]


@pytest.mark.rule("M10")
@pytest.mark.parametrize(("city", "above"), [("kobayashi", True), ("okayama", True), ("himi", False), ("yasu", False)])
def test_a_result_can_be_raised_only_in_a_city_with_a_body_above(city: str, above: bool) -> None:
    found = steps.outcomes(read_profile(EXAMPLES / city))
    assert (Outcome.RAISE in found) == above
    assert set(found) >= set(Outcome) - {Outcome.RAISE}


async def test_what_a_meeting_could_not_decide_is_raised_from_the_page(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.acts = [act(Step.ASSESS), act(Step.DRAFT, plan=PLAN), act(Step.BRING)]
    async with browser(work) as client:
        await sign_in(client)
        assert "次の会議体へ上げる" in (await client.get(PATH)).text
        await take(
            client, Step.RECORD_RESULT, outcome="raise", present=["fukushi", "shakyo"], words="方針が決まらない。"
        )
        assert "次の会議体へ上げる" in (await client.get(PATH)).text, "the history says so"
    (asked,) = taken(work)
    assert (asked.act.outcome, asked.act.words) == (Outcome.RAISE, "方針が決まらない。")


@pytest.mark.rule("P1")
async def test_a_case_is_handed_over_from_the_page_where_there_is_somebody_to_hand_it_to(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        assert "多機関協働の担当を引き継ぐ" not in (await client.get(PATH)).text
        work.profile = with_another_coordinator(work.profile)
        assert 'name="step" value="hand_over"' in (await client.get(PATH)).text
        await take(client, Step.HAND_OVER, counterpart="csw", words="地区の支援が中心になった。")
        text = (await client.get(PATH)).text
    (asked,) = taken(work)
    assert (asked.act.step, asked.act.counterpart) == (Step.HAND_OVER, "csw")
    assert "地域福祉コーディネーター" in text
