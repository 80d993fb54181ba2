"""Too few agencies at any 随時 date: the next regular sitting is proposed, with reasons and one button (M2)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.coordination import ItemPutForward
from contracts.message import Compartment
from contracts.office import Done
from contracts.profile import Profile
from contracts.proposing import TakeRegular
from services.meetings.ranking import Date
from services.meetings.regular_instead import why_too_few
from services.meetings.scheduling import Wanted
from services.meetings.tables import item, sitting
from tests.meetings.arranging_hands import Desk, at
from tests.meetings.sitting_hands import perform
from tests.meetings.stand_in import Hands, consented, person, put_forward

JUSO = Compartment.JUSO
Building = Callable[..., Hands]
CALLED = ("jiritsu", "kodomo", "minsei")


def rows(hands: Hands, table: Any) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(table))))


async def arranged(hands: Hands, one: ItemPutForward, *, away: bool) -> Desk:
    """An urgent item of a city that approves dates; with ``away`` all whom it calls are away for weeks."""
    if away:
        for agency in CALLED:
            for n in range(3):
                hands.town.is_away(person(agency, n), at(24, "00:00"), 24 * 40)
    hands.give(one)
    await hands.work()
    return Desk(hands, one)


async def take(one: Desk, **how: Any) -> Done:
    asked = {"item": one.event.about, "request": uuid4()} | one.who() | how
    done = await perform(one.hands, TakeRegular.model_validate(asked))
    assert isinstance(done, Done)
    return done


@pytest.mark.rule("M2")
@pytest.mark.parametrize("approval", [True, False])
async def test_the_next_regular_sitting_is_proposed_and_one_button_puts_the_item_there(
    hands: Building, kobayashi: Profile, approval: bool
) -> None:
    """Also where a 随時 date was announced already: its people are told that it is off."""
    town = hands(JUSO, kobayashi.model_copy(update={"approval": approval, "adhoc_wants_percent": 80}))
    one = await arranged(town, put_forward(*CALLED, urgent=True), away=True)
    offer = (await one.item()).regular
    assert offer is not None
    assert "出られない機関: " in offer.why
    assert "小林市生活自立相談支援センター" in offer.why
    assert "定例の構成員: " in offer.why
    told = {mail.person for mail in town.town.mails.values()}
    assert bool(told) is not approval
    assert (await take(one)).done
    assert (await take(one)).done, "said twice it is said once"
    await town.work()
    (row,) = rows(town, item)
    assert (row.urgent, row.state) == (False, "placed")
    (held,) = [each for each in rows(town, sitting) if each.cancelled_at is None]
    assert (held.body, held.starts) == (offer.body, offer.starts)
    assert {mail.person for mail in town.town.cancelled.values()} == told


@pytest.mark.rule("M2")
async def test_while_enough_can_come_nothing_is_proposed(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"approval": True}))
    one = await arranged(town, put_forward(*CALLED, urgent=True), away=False)
    assert (await one.item()).regular is None


@pytest.mark.rule("M2", "C3")
async def test_what_only_some_may_hear_is_never_sent_to_a_standing_roster(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"approval": True, "adhoc_wants_percent": 100}))
    narrow = put_forward(*CALLED, urgent=True, only_agencies=True)
    town.hear(consented(narrow, *(agency.code for agency in kobayashi.agencies), now=town.now()))
    one = await arranged(town, narrow, away=True)
    assert (await one.item()).regular is None
    refused = await take(one)
    assert (refused.done, refused.rule) == (False, "M2")
    assert refused.next_step


@pytest.mark.rule("S1", "M2")
async def test_only_whoever_holds_the_meeting_sends_an_item_to_a_regular_one(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"approval": True}))
    one = await arranged(town, put_forward(*CALLED, urgent=True), away=True)
    assert not (await take(one, viewer=person("jiritsu"), viewer_agency="jiritsu")).done
    assert rows(town, item)[0].urgent


def test_the_best_date_counts_and_its_absent_agencies_are_named() -> None:
    seats = [
        Wanted(code, name, "expected", (UUID(int=n),)) for n, (code, name) in enumerate((("a", "あ"), ("b", "い")))
    ]
    starts, ends = at(25, "10:00"), at(25, "11:00")
    half = Date(starts, ends, None, ((seats[0], UUID(int=0)), (seats[1], None)), 0, "")
    none = Date(starts, ends, None, ((seats[0], None), (seats[1], None)), 0, "")
    assert why_too_few(seats, [none, half], 50) == ""
    assert "2機関のうち1機関です(出られない機関: い)" in why_too_few(seats, [none, half], 51)
    assert "日時がありません" in why_too_few(seats, [], 0)
