"""S18 in coordination: whom nobody of a household asked is due of the case before its meeting, until all were asked."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest

from contracts.intake import MembersUnasked
from contracts.life import LifeView
from contracts.message import Compartment
from contracts.profile import Deadlines
from services.coordination.deadlines import due
from services.coordination.escalation_rules import CITYS, NOT_BY_A_MEETING
from services.coordination.life_terms import Life
from tests.coordination.stand_in import Hands
from tests.coordination.test_living import case_in, look

JUSO = Compartment.JUSO
DAY = date(2026, 11, 24)


def asking(view: LifeView) -> list[str]:
    return [one.text for one in view.due if one.rule == "S18"]


@pytest.mark.rule("S18")
async def test_what_intake_tells_is_due_until_everybody_was_asked(hands: Callable[[Compartment], Hands]) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    assert asking(await look(juso, case)) == []
    juso.stage.give(MembersUnasked(about=case, version=2, number=2, on=DAY))
    juso.stage.give(MembersUnasked(about=uuid4(), version=1, number=1, on=DAY))
    assert asking(await look(juso, case)) == ["世帯員2人に、自分の情報を共有してよいかを尋ねる"]
    juso.stage.give(MembersUnasked(about=case, version=3, number=0, on=DAY))
    assert asking(await look(juso, case)) == []


@pytest.mark.rule("S18")
def test_members_are_asked_before_the_meeting_at_the_latest() -> None:
    days = Deadlines()
    now = Life(JUSO, unasked=1, unasked_since=DAY, answered=True)
    (one,) = [each for each in due(now, DAY, DAY, days) if each.rule == "S18"]
    assert (one.on, one.guessed) == (DAY + timedelta(days=days.ask_members_days), True)
    soon = Life(JUSO, unasked=1, unasked_since=DAY, answered=True, meets_on=DAY + timedelta(days=3))
    (one,) = [each for each in due(soon, DAY, DAY, days) if each.rule == "S18"]
    assert (one.on, one.guessed) == (DAY + timedelta(days=3), False)
    stopped = Life(JUSO, unasked=1, unasked_since=DAY, stopped=True)
    assert not [each for each in due(stopped, DAY, DAY, days) if each.rule == "S18"]


@pytest.mark.rule("S18")
def test_the_municipality_is_reminded_of_it_and_no_meeting_is_called_for_it() -> None:
    assert "S18" in CITYS
    assert "S18" in NOT_BY_A_MEETING
