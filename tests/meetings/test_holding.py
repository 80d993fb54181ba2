"""How a sitting is held is said once: by its mode, which a person changes for this once, with a reason (M3)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.holding import HoldOtherwise
from contracts.meetings import LookAtLink
from contracts.message import Compartment
from contracts.office import Done
from contracts.profile import Profile, Room
from contracts.running import LookAtRoom, RoomView
from services.meetings.holding_tables import mode_change
from services.meetings.tables import sitting
from tests.meetings.arranging_hands import Desk, held_as
from tests.meetings.sitting_hands import perform
from tests.meetings.stand_in import Hands, person, put_forward

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
ROOM = Room(code="small", name="第2相談室", place="shiyakusho", capacity=20)


async def announced(hands: Hands) -> Desk:
    one = Desk(hands, put_forward(urgent=True))
    hands.give(one.event)
    await hands.work()
    return one


def row_of(hands: Hands) -> Any:
    (row,) = hands.stage.do(lambda tx: list(tx.execute(select(sitting))))
    return row


def changes(hands: Hands) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(mode_change).order_by(mode_change.c.number))))


async def hold(one: Desk, mode: str, **how: Any) -> Done:
    row = row_of(one.hands)
    asked = {"sitting": row.id, "request": uuid4(), "before": row.mode, "mode": mode, "reason": "weather"}
    done = await perform(one.hands, HoldOtherwise.model_validate(asked | one.who() | how))
    assert isinstance(done, Done)
    await one.hands.work()
    return done


async def look(one: Desk) -> RoomView:
    asked = LookAtRoom.model_validate({"sitting": row_of(one.hands).id} | one.who())
    view = await perform(one.hands, asked)
    assert isinstance(view, RoomView)
    return view


@pytest.mark.rule("M3")
@pytest.mark.parametrize("mode", ["in_person", "both", "online"])
async def test_a_sitting_is_held_as_its_body_is_and_an_online_one_needs_no_room(
    hands: Building, kobayashi: Profile, mode: str
) -> None:
    town = hands(JUSO, held_as(kobayashi, mode, rooms=(ROOM,)))
    one = await announced(town)
    row = row_of(town)
    assert (row.mode, row.mode_reason, row.room) == (mode, None, None if mode == "online" else "small")
    assert {mail.mode for mail in town.town.mails.values()} == {mode}
    doors = [town.stage.ask(LookAtLink(link=mail.link)) for mail in town.town.mails.values()]
    assert {state.mode for state in doors} == {mode}
    assert all((state.meeting is not None) == (mode != "in_person") for state in doors)
    room = await look(one)
    assert (room.mode, room.mode_changes) == (mode, ())


@pytest.mark.rule("M3")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_one_sitting_is_held_otherwise_for_this_once_with_a_reason_and_its_people_are_told(
    hands: Building, kobayashi: Profile, here: Compartment
) -> None:
    town = hands(here, kobayashi)
    one = await announced(town)
    before = row_of(town)
    first = dict(town.town.mails)
    assert (await hold(one, "online")).done
    row = row_of(town)
    assert (row.mode, row.mode_reason, row.starts) == ("online", "weather", before.starts)
    new = [mail for notice, mail in town.town.mails.items() if notice not in first]
    assert sorted(mail.person for mail in new) == sorted(mail.person for mail in first.values())
    assert {(mail.mode, mail.sequence) for mail in new} == {("online", 1)}
    (kept,) = (await look(one)).mode_changes
    assert (kept.mode, kept.reason, kept.by, kept.agency) == ("online", "weather", person("fukushi"), "fukushi")
    assert (await hold(one, "in_person", reason="over")).done
    row = row_of(town)
    assert (row.mode, row.mode_reason) == ("in_person", None), "it is held as its body again"
    assert [(each.number, each.mode, each.reason) for each in changes(town)] == [
        (1, "online", "weather"),
        (2, "in_person", "over"),
    ]


@pytest.mark.rule("M3")
async def test_the_same_request_changes_once_and_another_content_under_it_is_refused(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    request = uuid4()
    assert (await hold(one, "online", request=request)).done
    assert (await hold(one, "online", request=request)).done
    assert len(changes(town)) == 1
    other = await hold(one, "both", request=request)
    assert (other.done, other.rule) == (False, "M12")


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"before": "both"}, "ほかの人が先に"),
        ({"mode": "in_person"}, "いまと同じ"),
        ({"sitting": UUID(int=9)}, "見つかりません"),
    ],
)
async def test_a_change_that_is_nonsense_is_refused_and_nothing_is_kept(
    hands: Building, kobayashi: Profile, how: dict[str, Any], said: str
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    refused = await hold(one, **({"mode": "online"} | how))
    assert not refused.done
    assert said in refused.reason
    assert refused.rule
    assert refused.next_step
    assert (row_of(town).mode, changes(town)) == ("in_person", [])


@pytest.mark.rule("M3")
async def test_without_a_server_or_link_and_after_the_start_nothing_changes(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"online": None}))
    one = await announced(town)
    assert "仕組み" in (await hold(one, "online")).reason
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    town.stage.time = row_of(town).starts
    assert "始まったか終わった" in (await hold(one, "online")).reason
    assert changes(town) == []


@pytest.mark.rule("M3")
async def test_an_online_sitting_without_a_room_goes_to_no_place_that_has_rooms(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, held_as(kobayashi, "online", rooms=(ROOM,)))
    one = await announced(town)
    refused = await hold(one, "in_person", reason="network")
    assert (refused.done, refused.rule) == (False, "M3")
    assert "部屋" in refused.reason


@pytest.mark.rule("S1", "M3")
async def test_only_whoever_holds_the_meeting_changes_how_it_is_held(hands: Building, kobayashi: Profile) -> None:
    town = hands(SHIEN, kobayashi)
    one = await announced(town)
    stranger = await hold(one, "online", viewer=person("jiritsu"), viewer_agency="jiritsu")
    nobody = await hold(one, "online", viewer=None, viewer_agency=None)
    assert (stranger.done, nobody.done, changes(town)) == (False, False, [])
