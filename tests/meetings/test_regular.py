"""定例の会議を組み直す: quorum, room or day lost, with the fewest changes to what was announced (M1, M9, S12)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.coordination import ItemPutForward
from contracts.meetings import AnswerByLink, ItemPlaced, ItemUnplaced
from contracts.message import Compartment
from contracts.office import Done
from contracts.profile import Profile, Room
from contracts.regular import ChangeRegular, DecideRegular, LookAtRegular, RegularDates
from services.meetings.tables import agenda, seat, sitting
from tests.meetings.arranging_hands import at
from tests.meetings.sitting_hands import perform
from tests.meetings.stand_in import Cut, Hands, consented, person, put_forward

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
FUKUSHI, SHAKYO = person("fukushi"), person("shakyo")
ROOMS = (
    Room(code="small", name="第2相談室", place="shiyakusho", capacity=20),
    Room(code="large", name="大会議室", place="shiyakusho", capacity=40),
)


@dataclass
class Regular:
    """𠮷田 of the municipality, with a regular sitting that two cases are on."""

    hands: Hands
    items: list[ItemPutForward]

    def who(self, **other: Any) -> dict[str, Any]:
        return {"viewer": FUKUSHI, "viewer_agency": "fukushi"} | other

    def live(self) -> Any:
        (row,) = [one for one in self.rows(sitting) if one.cancelled_at is None]
        return row

    def rows(self, table: Any) -> list[Any]:
        return self.hands.stage.do(lambda tx: list(tx.execute(select(table))))

    async def look(self, **how: Any) -> RegularDates:
        await self.hands.run_errand("compare_with_ledger")
        asked = LookAtRegular.model_validate({"sitting": self.live().id} | self.who() | how)
        found = await perform(self.hands, asked)
        assert isinstance(found, RegularDates)
        return found

    async def change(self, option: Any, **how: Any) -> Done:
        await self.hands.run_errand("compare_with_ledger")
        persons = [one.person for one in option.seats if one.person]
        asked = {"sitting": self.live().id, "request": uuid4(), "reason": "declined", "starts": option.starts}
        done = await perform(self.hands, ChangeRegular.model_validate(asked | {"persons": persons} | self.who() | how))
        assert isinstance(done, Done)
        return done

    def declines(self, who: UUID) -> None:
        mail = [one for one in self.hands.town.mails.values() if one.person == who][-1]
        assert self.hands.stage.ask(AnswerByLink(link=mail.link, answer="absent")).answer == "absent"

    def seated(self, of: UUID) -> dict[UUID, Any]:
        return {one.person: one for one in self.rows(seat) if one.sitting == of and one.cancelled_at is None}


async def announced(hands: Hands) -> Regular:
    one = Regular(hands, [put_forward(), put_forward()])
    hands.give(*one.items)
    await hands.work()
    hands.stage.told()
    assert one.live().regular_on is not None
    return one


@pytest.mark.rule("M1", "P1")
async def test_a_decline_that_breaks_a_regular_meeting_is_mended_by_a_substitute_and_nobody_else_is_told(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    assert (await one.look()).broken == ()
    before, old = dict(town.town.mails), one.live()
    one.declines(SHAKYO)
    found = await one.look()
    assert found.broken == ("必須の席「小林市社会福祉協議会」",)
    best = found.options[0]
    assert best.starts == old.starts
    assert (await one.change(best)).done
    await town.work()
    assert one.live().id == old.id
    new = [mail for notice, mail in town.town.mails.items() if notice not in before]
    assert [mail.person for mail in new] == [person("shakyo", 1)]
    assert [mail.person for mail in town.town.cancelled.values()] == [SHAKYO]
    assert not [told for told in town.stage.told() if isinstance(told, ItemPlaced | ItemUnplaced)]
    assert (await one.look()).broken == ()


@pytest.mark.rule("M9")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_a_day_that_became_a_closed_one_is_left_and_items_and_calendar_entries_come_along(
    hands: Building, yasu: Profile, here: Compartment
) -> None:
    town = hands(here, yasu)
    one = await announced_in(town, yasu)
    old, seats = one.live(), one.seated(one.live().id)
    day = old.starts.astimezone().date()
    closed = yasu.model_copy(update={"closed_days": (*yasu.closed_days, day.isoformat())})
    town.stage.store.profile = town.profile = closed
    found = await one.look(**who_of(yasu))
    assert "会議を開かない日: 市町村の閉庁日" in found.broken[0]
    assert all(each.starts.date() != old.starts.date() for each in found.options)
    best = found.options[0]
    assert (await one.change(best, reason="closed_day", **who_of(yasu))).done
    await town.work()
    now = one.live()
    assert (now.starts, now.regular_on, now.fixed) == (best.starts, old.regular_on, True)
    (gone,) = [each for each in one.rows(sitting) if each.id == old.id]
    assert (gone.regular_on, gone.moved_to) == (None, now.id)
    assert {row.sitting for row in one.rows(agenda)} == {now.id}
    placed = [told for told in town.stage.told() if isinstance(told, ItemPlaced)]
    assert {(told.about, told.sitting, told.starts) for told in placed} == {
        (each.about, now.id, best.starts) for each in one.items
    }
    kept = one.seated(now.id)
    assert {who: row.uid for who, row in kept.items()} == {who: seats[who].uid for who in kept}
    newest = {mail.person: mail for mail in town.town.mails.values()}
    assert {mail.starts for mail in newest.values() if mail.person in kept} == {best.starts}
    assert all(newest[who].sequence == 1 for who in kept)
    await town.work()  # the old time is given back in the next turn
    assert {hold[1:] for hold in town.town.holds.values()} == {(best.starts, best.ends)}


async def test_what_comes_later_joins_the_moved_sitting_and_none_that_is_over(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    old = one.live()
    option = next(each for each in (await one.look()).options if each.starts < old.starts)
    assert (await one.change(option, reason="office")).done
    await town.work()
    moved, late = one.live(), put_forward()
    town.give(late)
    await town.work()
    assert {row.item for row in one.rows(agenda) if row.sitting == moved.id} >= {late.about}
    town.stage.time = moved.ends + timedelta(minutes=1)
    later = put_forward()
    town.give(later)
    await town.work()
    (row,) = [row for row in one.rows(agenda) if row.item == later.about]
    assert row.sitting not in (moved.id, old.id)


async def test_a_lost_room_is_another_at_the_same_time_and_a_lost_place_another_time_or_online(
    hands: Building, kobayashi: Profile
) -> None:
    roomy = kobayashi.model_copy(update={"rooms": ROOMS})
    town = hands(JUSO, roomy)
    one = await announced(town)
    old = one.live()
    found = await one.look(lost_room=True)
    assert (found.options[0].starts, found.options[0].room) == (old.starts, "small")
    assert (await one.change(found.options[0], reason="room", lost_room=True)).done
    await town.work()
    assert (one.live().id, one.live().room) == (old.id, "small")
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    old = one.live()
    found = await one.look(lost_room=True)
    assert found.options
    assert old.starts not in {each.starts for each in found.options}
    same = next(each for each in (await one.look()).options if each.starts == old.starts)
    refused = await one.change(same, reason="room", lost_room=True, online=True)
    assert (refused.done, refused.rule) == (False, "M3"), "online for this once wants its reason"
    assert (await one.change(same, reason="room", lost_room=True, online=True, mode_reason="room")).done
    await town.work()
    assert (one.live().id, one.live().mode, one.live().mode_reason) == (old.id, "online", "room")


@pytest.mark.rule("S12")
async def test_where_the_city_approves_nobody_is_told_before_another_person_has(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"approval": True}))
    one = await announced(town)
    before = len(town.town.mails)
    option = next(each for each in (await one.look()).options if each.starts != one.live().starts)
    assert (await one.change(option, reason="office")).done
    await town.work()
    assert len(town.town.mails) == before
    (proposed,) = (await one.look()).changes
    assert proposed.state == "proposed"
    decide = {"change": proposed.change, "request": uuid4()}
    own = await perform(town, DecideRegular.model_validate(decide | one.who()))
    assert (own.done, own.rule) == (False, "S12")
    other = {"viewer": person("fukushi", 1), "viewer_agency": "fukushi"}
    assert (await perform(town, DecideRegular.model_validate(decide | other))).done
    assert (await perform(town, DecideRegular.model_validate(decide | other))).done, "the same request decides once"
    await town.work()
    assert one.live().starts == option.starts


@pytest.mark.rule("C11")
async def test_a_sitting_is_not_moved_past_the_consent_of_a_case_on_its_agenda(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    short = put_forward()
    one = Regular(town, [short])
    everybody = tuple(agency.code for agency in kobayashi.agencies)
    town.hear(consented(short, *everybody, now=town.now(), ends=town.now() + timedelta(days=24)))
    town.give(short)
    await town.work()
    ends = town.now() + timedelta(days=24)
    assert one.live().starts < ends
    found = await one.look()
    assert found.options
    assert all(each.ends <= ends for each in found.options)
    beyond = found.options[0].model_copy(update={"starts": at(21, "10:00", month=12)})
    refused = await one.change(beyond, reason="office")
    assert (refused.done, refused.rule) == (False, "P1")
    within = found.options[0].model_copy(update={"starts": at(17, "10:00", month=12)})
    assert (await one.change(within, reason="office")).done, "the day itself is no obstacle"


@pytest.mark.rule("S1", "S6")
async def test_only_whoever_holds_the_meeting_looks_or_changes(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    option = (await one.look()).options[0]
    stranger = {"viewer": person("jiritsu"), "viewer_agency": "jiritsu"}
    assert not (await one.look(**stranger)).found
    refused = await one.change(option, **stranger)
    assert (refused.done, bool(refused.reason), bool(refused.next_step)) == (False, True, True)


async def test_two_proposals_at_once_are_one_and_the_same_request_is_one(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"approval": True}))
    one = await announced(town)
    first, second = (await one.look()).options[:2]
    request = uuid4()
    assert (await one.change(first, request=request)).done
    assert (await one.change(first, request=request)).done
    assert (await one.change(second, request=request)).reason.startswith("この画面からは")
    assert (await one.change(second)).reason.startswith("この会議では、ほかの変更の案")


@pytest.mark.parametrize("calls", range(0, 22, 2))
@pytest.mark.parametrize("same_time", [True, False])
async def test_a_change_killed_anywhere_is_made_once_and_told_once(
    hands: Building, kobayashi: Profile, calls: int, same_time: bool
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    old = one.live()
    if same_time:
        one.declines(SHAKYO)
    option = next(each for each in (await one.look()).options if (each.starts == old.starts) is same_time)
    assert (await one.change(option)).done
    with suppress(Cut):
        await Hands(town.stage, town.town, town.settings, left=calls).work()
    town.stage.pass_time(minutes=1)
    await town.work()
    now = one.live()
    assert (now.starts, (await one.look()).changes[0].state) == (option.starts, "done")
    assert {row.sitting for row in one.rows(agenda)} == {now.id}
    assert len({(mail.uid, mail.sequence) for mail in town.town.mails.values()}) == len(town.town.mails)
    await town.work()  # the old time is given back in the next turn
    assert set(town.town.holds) == {now.id}


# -- 野洲市, whose body has a block of either kind ---------------------------------------------------------------------


def who_of(profile: Profile) -> dict[str, Any]:
    """Somebody of the municipality there; the head, who may call a meeting without another's leave (S13)."""
    power = profile.powers[0]
    return {"viewer": person(power.agency, 2), "viewer_agency": power.agency}


async def announced_in(hands: Hands, profile: Profile) -> Regular:
    one = Regular(hands, [put_forward("houkatsu"), put_forward("shakyo")])
    hands.give(*one.items)
    await hands.work()
    hands.stage.told()
    return one
