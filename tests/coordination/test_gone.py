"""An agency that is no more, on both engines: what names it is due at once, nobody calls it, and it keeps its name."""

from collections.abc import Callable
from datetime import date

import pytest

from contracts.coordination import ItemPutForward
from contracts.life import LookAtDue, Role, Step
from contracts.message import Compartment
from contracts.preparing import LookAtRoster
from tests.coordination.stand_in import OFFICER, Hands
from tests.coordination.test_life import PLAN, act
from tests.coordination.test_living import case_in, look, take, walk_on

JUSO = Compartment.JUSO
Ready = Callable[[Compartment], Hands]
WHO = {"viewer": OFFICER, "viewer_agency": "fukushi"}


def end(hands: Hands, agency: str, until: date) -> None:
    """The city says in its profile which day was the agency's last."""
    profile = hands.stage.store.profile
    ending = tuple(one.model_copy(update={"until": until} if one.code == agency else {}) for one in profile.agencies)
    hands.profile = hands.stage.store.profile = profile.model_copy(update={"agencies": ending})


@pytest.mark.rule("T2")
async def test_a_waiting_plan_of_an_agency_that_ended_is_due_at_once_until_it_is_given_to_another(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    roles = (Role(agency="hokenjo", until=date(2027, 2, 28), does="訪問"),)
    await walk_on(
        juso, case, 0, Step.ASSESS, act(Step.DRAFT, plan=PLAN.model_copy(update={"roles": roles})), Step.BRING
    )
    end(juso, "hokenjo", date(2026, 11, 23))
    (name,) = (one.name for one in juso.profile.agencies if one.code == "hokenjo")
    first = (await look(juso, case)).due[0]
    assert (first.rule, f"{name}(2026年11月23日まで)" in first.text) == ("T2", True)
    assert (await juso.perform(LookAtDue(**WHO))).cases[0].due[0] == first, "the week's list says so too"
    juso.stage.told()
    await walk_on(juso, case, 3, Step.TAKE_BACK, act(Step.DRAFT, plan=PLAN), act(Step.BRING, urgent=True))
    assert "T2" not in {one.rule for one in (await look(juso, case)).due}
    (put,) = [one for one in juso.stage.told() if isinstance(one, ItemPutForward)]
    assert "hokenjo" not in put.agencies


@pytest.mark.rule("P5", "T2")
async def test_an_agency_of_the_referral_that_ended_is_called_no_more_and_not_proposed(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk_on(juso, case, 0, Step.ASSESS, Step.DRAFT)
    assert "kikan" in {one.agency for one in (await juso.perform(LookAtRoster(case=case, **WHO))).proposal.seats}
    end(juso, "kikan", date(2026, 11, 23))
    proposal = (await juso.perform(LookAtRoster(case=case, **WHO))).proposal
    assert "kikan" not in {one.agency for one in (*proposal.seats, *proposal.outside)}
    assert (await look(juso, case)).due[0].rule == "T2"
    juso.stage.told()
    assert (await take(juso, case, act(Step.BRING, urgent=True), 2)).done
    (put,) = [one for one in juso.stage.told() if isinstance(one, ItemPutForward)]
    assert "kikan" not in put.agencies
