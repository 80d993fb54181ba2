"""A block's papers are open to its seats from their release to its close, and to nobody after it (M5, S11)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.body_secrecy import PaperWindow
from contracts.life import Outcome
from contracts.message import Compartment
from contracts.printing import PrintSitting, SittingPaper, SittingPrint
from contracts.profile import Profile
from contracts.running import Proceeding, RoomView
from tests.meetings.sitting_hands import Chair, perform
from tests.meetings.stand_in import Hands, person, put_forward
from tests.meetings.test_running import begun

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
GUEST = {"viewer": person("jiritsu"), "viewer_agency": "jiritsu"}


def windowed(profile: Profile, hours: int, minutes: int) -> Profile:
    """The city, whose papers open so many hours before and close so many minutes after."""
    window = PaperWindow(opens_hours_before=hours, closes_minutes_after=minutes)
    bodies = tuple(one.model_copy(update={"papers": window}) for one in profile.bodies)
    return profile.model_copy(update={"bodies": bodies})


async def sees(chair: Chair, at: Any) -> RoomView:
    """What somebody with a seat, who does not hold the meeting, sees at some time."""
    chair.hands.stage.time = at
    await chair.hands.run_errand("compare_with_ledger") if chair.hands.compartment is JUSO else None
    return await chair.look(viewer=GUEST["viewer"], agency="jiritsu")


async def prints(chair: Chair) -> SittingPrint:
    asked = {"sitting": chair.sitting, "paper": SittingPaper.AGENDA, "request": uuid4()}
    found = await perform(chair.hands, PrintSitting.model_validate(asked | GUEST))
    assert isinstance(found, SittingPrint)
    return found


@pytest.mark.rule("M5", "S11")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_a_seat_sees_and_prints_the_blocks_papers_while_their_window_is_open_only(
    hands: Building, kobayashi: Profile, here: Compartment
) -> None:
    one = put_forward(urgent=True)
    chair = await begun(hands(here, windowed(kobayashi, hours=2, minutes=30)), one)
    starts = chair.hands.now() - timedelta(minutes=1)
    early = await sees(chair, starts - timedelta(hours=2, minutes=1))
    assert (early.found, early.items) == (True, ())
    assert "から見られます" in early.papers_shut
    refused = await prints(chair)
    assert (refused.copies, refused.rule) == ((), "S11")
    assert "担当者" in refused.reason, "the way on is said"
    for moment in (starts - timedelta(hours=2), starts, starts + timedelta(minutes=20)):
        view = await sees(chair, moment)
        assert ([each.item for each in view.items], view.papers_shut) == ([one.about], "")
    assert (await prints(chair)).copies
    late = await sees(chair, starts + timedelta(hours=5))
    assert late.items == ()
    assert "閉じています" in late.papers_shut
    assert (await prints(chair)).copies == ()
    mine = await chair.look()
    assert [each.item for each in mine.items] == [one.about], "who holds the meeting still has them"


@pytest.mark.rule("S11")
async def test_the_window_ends_with_the_blocks_close_and_waits_for_one_that_runs_late(
    hands: Building, kobayashi: Profile
) -> None:
    one = put_forward(urgent=True)
    chair = await begun(hands(JUSO, windowed(kobayashi, hours=2, minutes=0)), one)
    await chair.open_with("fukushi", "shakyo", "jiritsu")
    await chair.did(Proceeding.JUDGE)
    late = chair.hands.now() + timedelta(hours=3)
    assert (await sees(chair, late)).items
    await chair.hear(one.about, Outcome.AGAIN, "役割分担を詰めてから、もう一度話し合う。")
    await chair.did(Proceeding.CLOSE)
    assert (await sees(chair, late)).items == ()
