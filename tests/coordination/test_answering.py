"""T9 in coordination: what intake answered the 紹介元 is kept and shown; a case that goes back is not heard."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from contracts.coordination import ItemWithdrawn
from contracts.life import LifeView, State, Step
from contracts.message import Compartment
from contracts.triage import ReferralAnswered, Way
from services.coordination.tables import answer, item
from services.store import Outcome
from tests.coordination.stand_in import OFFICER, Hands
from tests.coordination.test_life import DAY, act
from tests.coordination.test_living import case_in, look, take, walk

Ready = Callable[[Compartment], Hands]
JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN


def answered(case: UUID, way: Way = Way.COORDINATE, number: int = 1) -> ReferralAnswered:
    return ReferralAnswered(about=case, number=number, way=way, answered_on=DAY, by=OFFICER, agency="fukushi")


async def answer_the_referrer(hands: Hands, case: UUID) -> None:
    """By reception in juso, by a step of the case in shien."""
    if hands.compartment is JUSO:
        hands.stage.give(answered(case))
    else:
        assert (await take(hands, case, Step.ANSWER, 0)).done


def rules(view: LifeView) -> list[str]:
    return [one.rule for one in view.due]


@pytest.mark.rule("T9")
async def test_an_answer_of_reception_is_shown_with_the_case_and_ends_the_wait(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    assert (await take(juso, case, Step.CONTACT, 0)).done
    assert "T9" in rules(await look(juso, case)), "a contact attempt answers nobody"
    juso.stage.give(answered(case))
    found = await look(juso, case)
    assert "T9" not in rules(found)
    (told,) = found.answers
    assert (told.way, told.answered_on, told.by, told.agency) == ("coordinate", DAY, OFFICER, "fukushi")
    await walk_back(juso, case, 1)
    assert "T9" not in rules(await look(juso, case)), "answered once is answered, also when it is opened again"


async def walk_back(town: Hands, case: UUID, after: int) -> None:
    for number, one in enumerate((act(Step.END), act(Step.REOPEN)), after):
        assert (await take(town, case, one, number)).done


@pytest.mark.rule("T9", "D8")
async def test_a_case_that_goes_back_leaves_the_meeting_it_was_referred_to(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    (first,) = juso.stage.do(lambda tx: tx.execute(select(item.c.id).where(item.c.case == case)).scalars().all())
    juso.stage.told()
    juso.stage.give(answered(case, Way.RETURN))
    assert juso.stage.told() == [ItemWithdrawn(about=first, case=case)]
    assert rules(await look(juso, case)) == ["D8"]
    assert (await take(juso, case, act(Step.GIVE_BACK), 0)).state is State.RETURNED
    assert rules(await look(juso, case)) == []
    assert (await take(juso, case, Step.REOPEN, 1)).done
    assert "D8" not in rules(await look(juso, case)), "that it went back is over"


@pytest.mark.rule("T9", "D8")
async def test_what_somebody_brought_to_a_meeting_is_that_persons_to_take_back(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING)
    juso.stage.told()
    juso.stage.give(answered(case, Way.RETURN))
    brought = juso.stage.do(lambda tx: tx.execute(select(item).where(item.c.case == case)).all())
    assert [one.withdrawn_at for one in brought if one.withdrawn_at] == [], "it waits for the meeting still"
    (wanted,) = [one for one in (await look(juso, case)).due if one.rule == "D8"]
    assert "付議を取り下げ" in wanted.text


@pytest.mark.rule("T9", "D5")
async def test_a_case_that_was_heard_does_not_go_back_and_the_page_says_what_is_lawful(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    way = (Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT)
    await walk(juso, case, *way)
    juso.stage.told()
    juso.stage.give(answered(case, Way.RETURN))
    assert juso.stage.told() == []
    found = await look(juso, case)
    (wanted,) = [one for one in found.due if one.rule == "D8"]
    assert "戻せない" in wanted.text
    assert not any(one.allowed for one in found.ways if one.step is Step.GIVE_BACK)
    juso.stage.give(answered(case, Way.COORDINATE, 2))
    assert "D8" not in rules(await look(juso, case)), "reception took its word back"


async def test_an_answer_waits_for_its_case_and_told_again_it_is_one(hands: Ready) -> None:
    juso = hands(JUSO)
    assert juso.stage.give(answered(UUID(int=7))) is Outcome.LATER
    case = await case_in(juso)
    for _ in range(2):
        juso.stage.give(answered(case))
    assert len((await look(juso, case)).answers) == 1


@pytest.mark.parametrize("change", [delete(answer), update(answer).values(way="return")], ids=["delete", "update"])
async def test_an_answer_is_never_rewritten(hands: Ready, change: Any) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    juso.stage.give(answered(case))
    with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
        juso.stage.do(lambda tx: tx.execute(change))


@pytest.mark.rule("T9", "C4")
async def test_in_shien_the_answer_is_a_step_of_the_case(hands: Ready) -> None:
    shien = hands(SHIEN)
    case = await case_in(shien)
    assert "T9" in rules(await look(shien, case))
    assert (await take(shien, case, Step.ANSWER, 0)).done
    found = await look(shien, case)
    assert "T9" not in rules(found)
    assert [one.act.step for one in found.history] == [Step.ANSWER]
    again = await take(shien, case, Step.ANSWER, 1)
    assert (again.done, again.rule) == (False, "T9")
