"""Planning anew: a decline, a lost room, a typhoon; with the fewest changes to what was announced, told as updates."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.holding import ModeReason
from contracts.meetings import AnswerByLink, ItemPlaced, ItemUnplaced, LookAtLink
from contracts.message import Compartment
from contracts.profile import Profile, Quorum, Room
from contracts.proposing import DatesInHand, DayMoved, MoveDay
from services.meetings.replanning_rules import Held, broken
from services.meetings.tables import seat, sitting
from tests.meetings.arranging_hands import Desk, at
from tests.meetings.sitting_hands import perform
from tests.meetings.stand_in import Cut, Hands, person, put_forward, withdrawn

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
FUKUSHI, SHAKYO, KODOMO = (person(one) for one in ("fukushi", "shakyo", "kodomo"))
ROOMS = (
    Room(code="small", name="第2相談室", place="shiyakusho", capacity=8),
    Room(code="large", name="大会議室", place="shiyakusho", capacity=40),
)


@pytest.fixture(scope="session")
def roomy(kobayashi: Profile) -> Profile:
    """小林市, with two rooms."""
    return kobayashi.model_copy(update={"rooms": ROOMS})


def rows(hands: Hands, table: Any) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(table))))


async def announced(hands: Hands) -> Desk:
    """An urgent item whose sitting stands, and everybody invited."""
    one = Desk(hands, put_forward(urgent=True))
    hands.give(one.event)
    await hands.work()
    assert hands.town.mails
    hands.stage.told()
    return one


def mail_to(hands: Hands, who: UUID) -> Any:
    return [mail for mail in hands.town.mails.values() if mail.person == who][-1]


def declines(hands: Hands, who: UUID) -> None:
    assert hands.stage.ask(AnswerByLink(link=mail_to(hands, who).link, answer="absent")).answer == "absent"


# -- a decline ---------------------------------------------------------------------------------------------------------


async def test_a_decline_that_breaks_the_meeting_is_told_to_the_desk_with_what_is_broken(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    in_hand = DatesInHand.model_validate(one.who())
    declines(town, KODOMO)  # 原則: the meeting stands without
    assert town.stage.ask(in_hand).cases == ()
    declines(town, SHAKYO)
    (told,) = town.stage.ask(in_hand).cases
    assert (told.case, told.what) == (one.event.case, "broken")
    assert (await one.item()).broken == ("必須の席「小林市社会福祉協議会」",)


async def test_a_substitute_for_the_same_time_disturbs_nobody_else(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    before = dict(town.town.mails)
    (old,) = rows(town, sitting)
    declines(town, SHAKYO)
    best = (await one.options())[0]
    assert best.starts == old.starts
    assert (await one.propose(best, instead_of=old.id)).done
    await town.work()
    (now,) = rows(town, sitting)
    assert (now.id, now.starts, now.cancelled_at) == (old.id, old.starts, None)
    new = [mail for notice, mail in town.town.mails.items() if notice not in before]
    assert [mail.person for mail in new] == [person("shakyo", 1)]
    assert [mail.person for mail in town.town.cancelled.values()] == [SHAKYO]
    assert not [told for told in town.stage.told() if isinstance(told, ItemPlaced | ItemUnplaced)]
    (hold,) = town.town.holds.values()
    assert person("shakyo", 1) in hold[0]
    assert SHAKYO not in hold[0]
    assert (await one.item()).broken == ()
    assert (await one.newest()).state == "done"


async def test_somebody_replaced_and_called_back_sits_on_the_old_seat_with_a_higher_sequence(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    (old,) = rows(town, sitting)
    option = next(each for each in await one.options() if each.starts == old.starts)
    people = [each.person for each in option.seats if each.person]
    without = [who for who in people if who != KODOMO]
    for persons in (without, people):
        assert (await one.propose(option, persons=persons, instead_of=old.id)).done
        await town.work()
    sent = [(mail.uid, mail.sequence) for mail in town.town.mails.values() if mail.person == KODOMO]
    assert len({uid for uid, _ in sent}) == 1
    assert [sequence for _, sequence in sent] == [0, 2]  # 1 was the cancellation


async def test_if_the_substitute_is_gone_meanwhile_what_was_announced_stands_and_the_desk_is_told(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    (old,) = rows(town, sitting)
    declines(town, SHAKYO)
    assert (await one.propose((await one.options())[0], instead_of=old.id)).done
    for n in range(3):
        town.town.is_away(person("shakyo", n), at(25, "00:00"), 24 * 9)
    await town.work()
    (now,) = rows(town, sitting)
    assert now.cancelled_at is None
    assert town.town.cancelled == {}
    assert (await one.newest()).state == "void"
    assert {told.what for told in town.stage.ask(DatesInHand.model_validate(one.who())).cases} == {"broken"}


def test_a_quorum_is_broken_when_fewer_agencies_come_than_it_wants() -> None:
    counted = Quorum(name="包括2者のうち1", at_least=1, agencies=("a", "b"))
    seats = [Held("a", "あ", "expected", True), Held("b", "い", "expected", False)]
    assert broken(seats, [counted], {}) == ()
    seats[1] = Held("b", "い", "expected", True)
    assert broken(seats, [counted], {}) == ("成立の要件「包括2者のうち1」",)


def test_a_required_agency_is_there_while_one_of_its_people_comes() -> None:
    seats = [Held("a", "あ", "required", True), Held("a", "あ", "required", False)]
    assert broken(seats, [], {}) == ()


# -- a room lost -------------------------------------------------------------------------------------------------------


async def test_a_lost_room_is_replaced_by_another_at_the_same_time_and_everybody_is_told_the_new_place(
    hands: Building, roomy: Profile
) -> None:
    town = hands(JUSO, roomy)
    one = await announced(town)
    (old,) = rows(town, sitting)
    assert old.room == "small"
    assert {mail.room for mail in town.town.mails.values()} == {"small"}
    answered = mail_to(town, KODOMO).link
    town.stage.ask(AnswerByLink(link=answered, answer="attend"))
    (item,) = (await one.dates(lost_room=True)).items
    best = item.options[0]
    assert (best.starts, best.room) == (old.starts, "large")
    assert (await one.propose(best, instead_of=old.id, lost_room=True)).done
    await town.work()
    (now,) = rows(town, sitting)
    assert (now.id, now.room) == (old.id, "large")
    by_person: dict[UUID, list[Any]] = {}
    for mail in town.town.mails.values():
        by_person.setdefault(mail.person, []).append(mail)
    for first, second in by_person.values():
        assert (second.uid, second.sequence, second.room) == (first.uid, 1, "large")
        assert second.starts == first.starts
    assert town.town.cancelled == {}
    kept = town.stage.ask(LookAtLink(link=answered))  # who said 出席 has said so
    assert (kept.answer, kept.room) == ("attend", "large")


async def test_without_another_room_the_time_moves_or_it_goes_online(hands: Building, roomy: Profile) -> None:
    town = hands(JUSO, roomy.model_copy(update={"rooms": ROOMS[:1]}))
    one = await announced(town)
    (old,) = rows(town, sitting)
    (item,) = (await one.dates(lost_room=True)).items
    assert item.options  # at other times the room is there
    assert old.starts not in {each.starts for each in item.options}
    option = next(each for each in await one.options() if each.starts == old.starts)
    assert (await one.propose(option, instead_of=old.id, online=True, mode_reason=ModeReason.ROOM, lost_room=True)).done
    await town.work()
    (now,) = rows(town, sitting)
    assert (now.id, now.mode, now.mode_reason, now.room) == (old.id, "online", "room", None)
    assert all(mail_to(town, who).online for who in (FUKUSHI, KODOMO))


# -- a typhoon ---------------------------------------------------------------------------------------------------------


async def move(one: Desk, day: date, **how: Any) -> DayMoved:
    asked = {"day": day, "request": uuid4(), "reason": ModeReason.WEATHER} | one.who() | how
    moved = await perform(one.hands, MoveDay.model_validate(asked))
    assert isinstance(moved, DayMoved)
    return moved


def day_of(starts: datetime) -> date:
    return starts.astimezone(at(24, "00:00").tzinfo).date()


@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_a_typhoon_moves_everything_of_the_day_online_and_nothing_else_changes(
    hands: Building, roomy: Profile, here: Compartment
) -> None:
    town = hands(here, roomy)
    one = await announced(town)
    others = [put_forward(urgent=True), put_forward()]  # another of its own, and one for a regular meeting
    town.give(*others)
    await town.work()
    before, seats = rows(town, sitting), rows(town, seat)
    day = day_of(min(row.starts for row in before))
    that_day = {row.id for row in before if day_of(row.starts) == day}
    assert that_day
    first = dict(town.town.mails)
    moved = await move(one, day)
    assert (moved.done, moved.sittings) == (True, len(that_day))
    await town.work()
    after = {row.id: row for row in rows(town, sitting)}
    assert {row.id for row in after.values() if row.mode == "online"} == that_day
    assert [(row.id, row.starts, row.ends, row.room) for row in before] == [
        (row.id, row.starts, row.ends, after[row.id].room) for row in before
    ]
    assert [(row.person, row.uid, row.answer) for row in seats] == [
        (row.person, row.uid, row.answer) for row in rows(town, seat)
    ]
    new = [mail for notice, mail in town.town.mails.items() if notice not in first]
    old = {mail.uid: mail for mail in first.values()}
    invited_that_day = [row.uid for row in seats if row.sitting in that_day]
    assert sorted(mail.uid for mail in new) == sorted(invited_that_day)
    assert all(mail.online and mail.sequence == old[mail.uid].sequence + 1 for mail in new)
    assert town.town.cancelled == {}


async def test_a_day_is_switched_once_per_request_and_back_again_by_another(hands: Building, roomy: Profile) -> None:
    town = hands(JUSO, roomy)
    one = await announced(town)
    day, request = day_of(rows(town, sitting)[0].starts), uuid4()
    assert (await move(one, day, request=request)).sittings == 1
    assert (await move(one, day, request=request)).sittings == 1
    assert (await move(one, day)).sittings == 0
    assert not (await move(one, day, request=request, online=False)).done
    await town.work()
    assert (await move(one, day, online=False)).sittings == 1
    await town.work()
    last = mail_to(town, FUKUSHI)
    assert (last.sequence, last.online, last.room) == (2, False, "small")


async def test_an_invitation_not_yet_mailed_says_the_new_place_and_is_not_sent_twice(
    hands: Building, roomy: Profile
) -> None:
    town = hands(JUSO, roomy)
    town.town.refusals[KODOMO] = "silent"
    one = await announced(town)
    assert (await move(one, day_of(rows(town, sitting)[0].starts))).done
    del town.town.refusals[KODOMO]
    town.stage.pass_time(minutes=1)
    await town.work()
    (mail,) = [mail for mail in town.town.mails.values() if mail.person == KODOMO]
    assert (mail.sequence, mail.online) == (0, True)


@pytest.mark.rule("S1", "S6")
async def test_only_whoever_holds_the_meetings_moves_a_day_and_only_one_to_come(
    hands: Building, roomy: Profile
) -> None:
    town = hands(SHIEN, roomy)
    one = await announced(town)
    day = day_of(rows(town, sitting)[0].starts)
    stranger = await move(one, day, viewer=person("jiritsu"), viewer_agency="jiritsu")
    nobody = await move(one, day, viewer=None, viewer_agency=None)
    late = await move(one, datetime(2026, 11, 20, tzinfo=UTC).date())
    for refusal in (stranger, nobody, late):
        assert not refusal.done
        assert refusal.rule
        assert refusal.reason
        assert refusal.next_step
    assert not any(row.mode == "online" for row in rows(town, sitting))


# -- what ends while a date is on its way ------------------------------------------------------------------------------


@pytest.mark.rule("C11")
async def test_a_withdrawal_while_a_date_is_being_moved_reaches_whoever_had_the_old_one(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    (old,) = rows(town, sitting)
    later = next(each for each in await one.options() if each.starts != old.starts)
    assert (await one.propose(later, instead_of=old.id)).done
    town.hear(withdrawn(one.event))
    await town.work()
    had = {mail.person for mail in town.town.mails.values()}
    assert {mail.person for mail in town.town.cancelled.values()} == had
    assert town.town.holds == {}


@pytest.mark.rule("C11")
async def test_a_withdrawal_after_the_move_takes_the_updated_entry_back(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    (old,) = rows(town, sitting)
    later = next(each for each in await one.options() if each.starts != old.starts)
    assert (await one.propose(later, instead_of=old.id)).done
    await town.work()
    town.hear(withdrawn(one.event))
    await town.work()
    newest = {mail.uid: mail.sequence for mail in town.town.mails.values()}
    assert {(mail.uid, mail.sequence) for mail in town.town.cancelled.values()} == {
        (uid, sequence + 1) for uid, sequence in newest.items()
    }


# -- killed anywhere, it goes on where it was ------------------------------------------------------------------------


async def until_cut(hands: Hands, calls: int) -> None:
    """Work until so many calls have gone through, and the process is killed."""
    with suppress(Cut):
        await Hands(hands.stage, hands.town, hands.settings, left=calls).work()


@pytest.mark.parametrize("calls", range(0, 24, 3))
async def test_a_poll_killed_while_it_is_mailed_reaches_everybody_once(
    hands: Building, kobayashi: Profile, calls: int
) -> None:
    town = hands(JUSO, kobayashi.model_copy(update={"approval": True}))
    one = Desk(town, put_forward(urgent=True))
    town.give(one.event)
    await town.work()
    assert (await one.poll(at(26, "10:00"), until=at(24, "17:00"))).done
    await until_cut(town, calls)
    town.stage.pass_time(minutes=1)
    await town.work()
    asked = [mail.person for mail in town.town.polls.values()]
    assert sorted(asked) == sorted({seated.person for seated in (await one.standing()).asked})


@pytest.mark.parametrize("calls", range(0, 21, 2))
@pytest.mark.parametrize("same_time", [True, False])
async def test_a_change_killed_anywhere_is_made_once_and_told_once(
    hands: Building, kobayashi: Profile, calls: int, same_time: bool
) -> None:
    town = hands(JUSO, kobayashi)
    one = await announced(town)
    (old,) = rows(town, sitting)
    declines(town, SHAKYO)
    option = next(each for each in await one.options() if (each.starts == old.starts) is same_time)
    assert (await one.propose(option, instead_of=old.id)).done
    await until_cut(town, calls)
    await town.work()
    (held,) = [row for row in rows(town, sitting) if row.cancelled_at is None]
    assert held.starts == option.starts
    assert (await one.newest()).state == "done"
    newest: dict[UUID, Any] = {}
    for mail in town.town.mails.values():
        newest[mail.person] = mail
    for seated in option.seats:
        if seated.person:
            assert newest[seated.person].starts == option.starts
    assert len({(mail.uid, mail.sequence) for mail in town.town.mails.values()}) == len(town.town.mails)
    assert len(town.town.holds) == 1


# -- the story of a 支援会議 within 48 hours ---------------------------------------------------------------------------


@pytest.mark.rule("S12", "M1")
async def test_a_shien_kaigi_is_called_within_48_hours_by_poll(hands: Building, kobayashi: Profile) -> None:
    """Tuesday 10:00 somebody has to act. By Tuesday evening five have answered, two by telephone; the head approves."""
    town = hands(SHIEN, kobayashi.model_copy(update={"approval": True}))
    one = Desk(town, put_forward("jiritsu", "kodomo", "minsei", urgent=True))
    town.give(one.event)
    await town.work()
    began = town.now()
    starts = at(25, "10:00"), at(25, "15:00"), at(26, "09:00")
    await one.polled(*starts, until=at(24, "16:00"))
    asked = {mail.person for mail in town.town.polls.values()}
    poll = (await one.standing()).poll
    answers: dict[str, tuple[Any, ...]] = {
        "fukushi": ("avoid", "yes", "yes"),
        "jiritsu": ("yes", "yes", "no"),
        "kodomo": ("no", "yes", "yes"),
    }
    for agency, said in answers.items():
        one.answers(person(agency), *said)
    for who in asked - {person(agency) for agency in answers}:
        assert one.note(poll, who, ["no", "avoid", "yes"]).done
    (told,) = town.stage.ask(DatesInHand.model_validate(one.who())).cases
    assert told.what == "poll_complete"
    best = (await one.options())[0]
    assert best.starts == at(25, "15:00")  # where everybody can
    assert "避けたい" in best.why
    assert (await one.propose(best)).done
    assert (await one.decide((await one.newest()).proposal, **one.who(viewer=person("fukushi", 1)))).done
    await town.work()
    (held,) = rows(town, sitting)
    assert (held.starts, held.fixed) == (at(25, "15:00"), True)
    assert (held.starts - began).total_seconds() < 48 * 3600
    assert {mail.person for mail in town.town.mails.values()} == asked
    assert not one.sees(person("jiritsu")).found  # the poll is over
