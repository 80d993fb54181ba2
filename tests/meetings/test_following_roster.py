"""An accepted roster at the meetings: who is struck loses the seat, who is called gets one, and the wall decides."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from contracts.coordination import ItemPutForward
from contracts.message import Compartment
from contracts.preparing import RosterAccepted
from services.meetings.tables import item
from services.store import Outcome
from tests.meetings.stand_in import Cut, Hands, person, put_forward
from tests.meetings.test_grounds import narrowed
from tests.meetings.test_meetings import everything, only_sitting, placed, rows

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]


def accepted(put: ItemPutForward, *agencies: str, version: int = 1, **needs: Any) -> RosterAccepted:
    """What coordination tells of the item's roster."""
    return RosterAccepted(about=put.about, case=put.case, agencies=agencies, version=version, **needs)


def live(found: Any) -> dict[str, str]:
    return {one.agency: one.need for one in found.seats if not one.cancelled}


def coming(hands: Hands) -> Any:
    """The one sitting that is still to be held."""
    (found,) = [one for one in everything(hands).sittings if one.items]
    return found


@pytest.mark.rule("P5")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_before_a_date_is_found_the_roster_says_who_is_called(hands: Building, kind: Compartment) -> None:
    work, event = hands(kind), put_forward("jiritsu", "kodomo", urgent=True)
    work.give(event)
    work.stage.give(accepted(event, "fukushi", "shakyo", "kikan", "minsei", optional=("minsei",)))
    await work.work()
    found = live(only_sitting(work))
    assert {"kikan": "expected", "minsei": "optional"}.items() <= found.items()
    assert not {"jiritsu", "kodomo"} & set(found)


@pytest.mark.rule("P5")
async def test_whoever_is_struck_loses_the_seat_and_is_told_while_the_date_stands(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", "kodomo", urgent=True)
    await placed(juso, event)
    before = only_sitting(juso)
    juso.stage.give(accepted(event, "fukushi", "shakyo", "jiritsu", required=("fukushi", "shakyo")))
    await juso.work()
    after = only_sitting(juso)
    assert (after.sitting, after.starts) == (before.sitting, before.starts)
    assert {one.agency for one in after.seats if one.cancelled} == {"kodomo"}
    assert {one.person for one in juso.town.cancelled.values()} == {person("kodomo")}
    assert after.why.endswith("名簿から外した機関: こども課")


@pytest.mark.rule("P5", "M1")
async def test_for_whoever_is_added_a_date_is_looked_for_on_which_he_can_come(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    await placed(juso, event)
    before = only_sitting(juso)
    for number in range(3):
        juso.town.is_away(person("kikan", number), before.starts, 4)
    juso.stage.give(accepted(event, "jiritsu", "kikan", required=("kikan",)))
    await juso.work()
    after = coming(juso)
    assert after.starts >= before.starts + timedelta(hours=4)
    assert live(after)["kikan"] == "required"
    assert {one.person for one in juso.town.cancelled.values()} == {one.person for one in before.seats}
    assert list(juso.town.holds) == [after.sitting], "the old time is given back"


@pytest.mark.rule("C3", "S6")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_a_roster_opens_nothing_that_consent_or_commission_does_not(hands: Building, kind: Compartment) -> None:
    """Should coordination ever name an agency that may not hear the case, it gets no seat."""
    if kind is JUSO:
        work, event = hands(JUSO), put_forward("jiritsu", urgent=True)
        work.give(event)
        work.hear(narrowed(event, "fukushi", "shakyo", "jiritsu"))
    else:
        work, event = hands(SHIEN, commissioned=False), put_forward("jiritsu", urgent=True)
        work.commission("fukushi", "jiritsu")
        work.give(event)
    work.stage.give(accepted(event, "jiritsu", "kodomo"))
    await work.work()
    found = only_sitting(work)
    assert "kodomo" not in {one.agency for one in found.seats}
    assert "jiritsu" in live(found)
    assert "こども課" in found.why


@pytest.mark.rule("C3", "P1")
async def test_one_that_the_roster_requires_and_the_consent_leaves_out_stops_the_search_with_the_reason(
    hands: Building,
) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    juso.give(event)
    juso.hear(narrowed(event, "fukushi", "shakyo", "jiritsu"))
    juso.stage.give(accepted(event, "jiritsu", "byouin", required=("byouin",)))
    await juso.work()
    (waiting,) = everything(juso).waiting
    assert waiting.why.startswith("同意が小林市立病院 地域連携室に及んでいません。")


@pytest.mark.rule("P1", "P2")
async def test_no_roster_takes_the_seat_of_who_must_be_there(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    await placed(juso, event)
    juso.stage.give(accepted(event))
    await juso.work()
    assert live(only_sitting(juso)) == {"fukushi": "required", "shakyo": "required"}


async def test_a_regular_sitting_keeps_its_date_and_its_standing_members(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu")
    await placed(juso, event)
    before = only_sitting(juso)
    juso.stage.give(accepted(event, "saposute"))
    await juso.work()
    after = only_sitting(juso)
    assert (after.sitting, live(after)) == (before.sitting, live(before) | {"saposute": "expected"})
    assert juso.town.cancelled == {}


async def test_an_older_roster_that_comes_late_changes_nothing_and_the_same_one_twice_is_once(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    await placed(juso, event)
    newer, older = accepted(event, "jiritsu", version=3), accepted(event, "kodomo", version=2)
    for one in (newer, older, newer):
        juso.stage.give(one)
    await juso.work()
    assert rows(juso, item)[0].agencies == ["jiritsu"]
    assert set(live(only_sitting(juso))) == {"fukushi", "shakyo", "jiritsu"}


async def test_a_roster_that_comes_before_its_item_waits_for_it(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    assert juso.stage.give(accepted(event, "kikan")) is Outcome.LATER
    juso.give(event)
    juso.stage.give(accepted(event, "kikan"))
    await juso.work()
    assert "kikan" in live(only_sitting(juso))


async def test_what_a_sitting_that_is_over_has_heard_stays_on_record(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    await placed(juso, event)
    juso.stage.pass_time(days=30)
    juso.stage.give(accepted(event, "kikan"))
    assert rows(juso, item)[0].agencies == ["jiritsu"]
    assert set(live(only_sitting(juso))) == {"fukushi", "shakyo", "jiritsu"}


@pytest.mark.parametrize("calls", range(10))
async def test_wherever_placing_was_cut_off_a_new_roster_leaves_one_sitting_and_one_hold(
    hands: Building, calls: int
) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", urgent=True)
    juso.give(event)
    juso.left = calls
    with suppress(Cut):
        await juso.work()
    juso.left = None
    juso.stage.give(accepted(event, "kodomo"))
    await juso.work()
    found = coming(juso)
    assert set(live(found)) == {"fukushi", "shakyo", "kodomo"}
    assert list(juso.town.holds) == [found.sitting]
