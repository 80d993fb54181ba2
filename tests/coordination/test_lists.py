"""What lists leave out on both engines: cases that are over, with nothing due of them; all of them can be asked for."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from contracts.coordination import CaseList, Cases
from contracts.life import LookAtDue, LookAtLife, State, Step
from contracts.message import Compartment
from services.coordination.life_views import STAYS_LISTED
from services.coordination.tables import disclosure
from tests.coordination.stand_in import OFFICER, Hands
from tests.coordination.test_life import act
from tests.coordination.test_living import Ready, case_in, look, take, walk

UNDERWAY = (Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT)
CLOSING = (Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT)
WHO = {"viewer": OFFICER, "viewer_agency": "fukushi"}


async def listed(hands: Hands, *, rested: bool = False) -> list[UUID]:
    found = await hands.perform(Cases(**WHO, rested=rested))
    assert isinstance(found, CaseList)
    return [one.case for one in found.cases]


async def pass_days(hands: Hands, days: int) -> None:
    hands.stage.pass_time(days=days)
    await hands.errands()


@pytest.mark.parametrize("kind", Compartment)
async def test_what_was_given_back_leaves_the_lists_after_a_month_and_can_still_be_found(
    hands: Ready, kind: Compartment
) -> None:
    one = hands(kind)
    case = await case_in(one)
    assert (await take(one, case, Step.GIVE_BACK, 0)).done
    await pass_days(one, STAYS_LISTED.days - 1)
    assert await listed(one) == [case]
    await pass_days(one, 1)
    assert await listed(one) == []
    assert await listed(one, rested=True) == [case]
    assert (await look(one, case)).found


async def test_nobody_is_registered_as_shown_what_a_list_leaves_out(hands: Ready) -> None:
    """Else ten years of closed cases would be registered anew at each day's first look."""
    juso = hands(Compartment.JUSO)
    case = await case_in(juso)
    assert (await take(juso, case, Step.GIVE_BACK, 0)).done
    await pass_days(juso, STAYS_LISTED.days)
    rows = select(func.count()).select_from(disclosure)
    before = juso.stage.do(lambda tx: tx.execute(rows).scalar_one())
    await listed(juso)
    await juso.perform(LookAtDue(**WHO))
    assert juso.stage.do(lambda tx: tx.execute(rows).scalar_one()) == before


async def test_a_closed_case_stays_listed_while_its_follow_up_is_due(hands: Ready) -> None:
    """D7: the follow-up of a 終結 does not fall out of sight, however late it is."""
    juso = hands(Compartment.JUSO)
    case = await case_in(juso)
    done = await walk(juso, case, *UNDERWAY, *CLOSING, Step.CLOSE)
    await pass_days(juso, 150)
    assert await listed(juso) == [case]
    (late,) = (await juso.perform(LookAtDue(**WHO))).cases
    assert [one.rule for one in late.due] == ["D7"]
    followed = act(Step.FOLLOW_UP, next_on=None)
    assert (await take(juso, case, followed, done.number)).done
    await pass_days(juso, STAYS_LISTED.days)
    assert await listed(juso) == []


async def test_what_is_opened_again_is_listed_again(hands: Ready) -> None:
    juso = hands(Compartment.JUSO)
    case = await case_in(juso)
    assert (await take(juso, case, Step.GIVE_BACK, 0)).done
    await pass_days(juso, 90)
    assert await listed(juso) == []
    assert (await take(juso, case, Step.REOPEN, 1)).done
    assert await listed(juso) == [case]


@pytest.mark.parametrize("kind", Compartment)
async def test_the_list_says_of_each_case_where_it_stands_and_what_is_due_first(
    hands: Ready, kind: Compartment
) -> None:
    one = hands(kind)
    case = await case_in(one)
    for number, step in enumerate((Step.ASSESS, Step.DRAFT, act(Step.END, ended="died"))):
        assert (await take(one, case, step, number)).done
        (listed,) = (await one.perform(Cases(**WHO))).cases
        life = await one.perform(LookAtLife(case=case, **WHO))
        assert (listed.stands, listed.due) == (life.state, life.due[0])
    assert (listed.stands, listed.due.rule) == (State.CLOSED, "T6")
