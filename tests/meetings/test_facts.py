"""What of sittings is counted: those that took place, once each, with their items and seats."""

from collections.abc import Callable
from datetime import date

import pytest

from contracts.coordination import ItemWithdrawn
from contracts.counts import Dimension, Fact, FactKind, MeetingFacts
from contracts.message import Compartment
from tests.meetings.stand_in import Hands, put_forward
from tests.meetings.test_meetings import at, placed

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
DECEMBER = MeetingFacts(begins=date(2026, 12, 1), ends=date(2027, 1, 1))


def facts(hands: Hands, kind: FactKind, asked: MeetingFacts = DECEMBER) -> list[Fact]:
    return [one for one in hands.stage.ask(asked).facts if one.kind is kind]


@pytest.mark.rule("T4")
async def test_a_sitting_that_heard_five_cases_is_one_sitting_and_five_cases(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, *(put_forward() for _ in range(5)))
    assert facts(juso, FactKind.SITTING_HELD) == [], "it is still to come"
    juso.stage.time = at(2026, 12, 17, "15:30")
    (held,) = facts(juso, FactKind.SITTING_HELD)
    assert (held.on, held.dims[Dimension.BODY]) == (date(2026, 12, 17), ("teirei",))
    assert len(facts(juso, FactKind.ITEM_HEARD)) == 5
    assert {one.dims[Dimension.ANSWER] for one in facts(juso, FactKind.SEAT_INVITED)} == {("none",)}
    assert len(facts(juso, FactKind.SEAT_INVITED)) == 10


async def test_a_sitting_counts_in_the_month_of_its_day_in_japan(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward())
    juso.stage.time = at(2027, 1, 4, "10:00")
    assert len(facts(juso, FactKind.SITTING_HELD)) == 1
    until = MeetingFacts(begins=date(2026, 12, 1), ends=date(2026, 12, 17))
    assert facts(juso, FactKind.SITTING_HELD, until) == []
    since = MeetingFacts(begins=date(2026, 12, 17), ends=date(2026, 12, 18))
    assert len(facts(juso, FactKind.SITTING_HELD, since)) == 1


async def test_a_sitting_with_nothing_left_to_hear_did_not_take_place(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    await placed(juso, event)
    juso.stage.give(ItemWithdrawn(about=event.about, case=event.case))
    await juso.work()
    juso.stage.time = at(2027, 1, 4, "10:00")
    assert juso.stage.ask(DECEMBER).facts == ()


async def test_facts_of_sittings_name_no_case(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    await placed(juso, event)
    juso.stage.time = at(2027, 1, 4, "10:00")
    assert str(event.case) not in juso.stage.ask(DECEMBER).model_dump_json()
