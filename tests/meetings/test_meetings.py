"""From an item put forward to a sitting, invitations and answers: real handlers and errands on a real store."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.directory import Reserve
from contracts.meetings import (
    AnswerByLink,
    ItemPlaced,
    ItemSittings,
    LinkState,
    LookAtLink,
    SittingList,
    Sittings,
    SittingView,
)
from contracts.message import Compartment
from contracts.profile import Profile
from services.meetings import service
from services.meetings.scheduling import TOKYO
from services.meetings.tables import agenda, item, link, notice, seat, sitting
from services.service import AskFailed
from tests.meetings.stand_in import Cut, Hands, consented, person, put_forward

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
CALLS = 42
"""The awaited calls that placing an urgent and two regular items and inviting to both sittings takes."""


def at(year: int, month: int, day: int, clock: str) -> datetime:
    return datetime.combine(date(year, month, day), time.fromisoformat(clock), TOKYO)


def everything(hands: Hands) -> SittingList:
    found = hands.stage.ask(Sittings(starts=datetime(2026, 1, 1, tzinfo=UTC), ends=datetime(2030, 1, 1, tzinfo=UTC)))
    assert isinstance(found, SittingList)
    return found


def only_sitting(hands: Hands) -> SittingView:
    (found,) = everything(hands).sittings
    return found


def rows(hands: Hands, table: Any) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(table))))


def execute(hands: Hands, statement: Executable) -> None:
    hands.stage.do(lambda tx: tx.execute(statement))


def undone(hands: Hands) -> int:
    return hands.stage.store.counts()[2]


def tally(hands: Hands) -> dict[str, int]:
    return hands.stage.store.counts()[3]


async def placed(hands: Hands, *items: Any) -> None:
    hands.give(*items)
    await hands.work()


# -- finding a sitting -------------------------------------------------------------------------------------------------


async def test_a_consented_case_is_heard_at_the_next_regular_meeting(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    await placed(juso, event)
    found = only_sitting(juso)
    assert (found.body, found.regular, found.starts) == ("teirei", True, at(2026, 12, 17, "14:00"))
    assert found.why == "定例の開催日です(隔月第3木曜)"
    assert [(one.item, one.order) for one in found.items] == [(event.about, 1)]
    assert len(found.seats) == 10
    assert [s.need for s in found.seats[:3]] == ["required", "required", "expected"]
    (told,) = juso.stage.told()
    assert isinstance(told, ItemPlaced)
    assert (told.about, told.case, told.sitting, told.version) == (event.about, event.case, found.sitting, 1)
    assert (told.body, told.basis, told.starts, told.ends) == (found.body, found.basis, found.starts, found.ends)
    assert juso.town.holds[found.sitting] == (frozenset(s.person for s in found.seats), found.starts, found.ends)


async def test_an_agenda_that_is_full_carries_over_to_the_next_meeting(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, *(put_forward() for _ in range(9)))
    first, second = everything(juso).sittings
    assert [one.order for one in first.items] == list(range(1, 9))
    assert (len(second.items), second.starts) == (1, at(2027, 2, 18, "14:00"))
    assert len(juso.town.mails) == 20, "one invitation per seat, however many items"


async def test_an_item_that_comes_later_joins_the_sitting_there_is(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward())
    juso.stage.pass_time(days=1)
    await placed(juso, put_forward())
    assert len(only_sitting(juso).items) == 2
    assert len(juso.town.mails) == len(only_sitting(juso).seats) == len(rows(juso, link)) == 10


@pytest.mark.rule("M1")
async def test_an_urgent_case_gets_a_sitting_of_its_own_within_days(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", "kodomo", urgent=True)
    await placed(juso, event)
    found = only_sitting(juso)
    assert (found.body, found.regular) == ("kobetsu", False)
    assert (found.starts, found.ends) == (at(2026, 11, 25, "09:00"), at(2026, 11, 25, "10:00"))
    assert found.why == "必須2機関がそろう最も早い日時です(原則2機関中2機関が出席可)"
    assert {(s.agency, s.need, s.person) for s in found.seats} == {
        ("fukushi", "required", person("fukushi")),
        ("shakyo", "required", person("shakyo")),
        ("jiritsu", "expected", person("jiritsu")),
        ("kodomo", "expected", person("kodomo")),
    }


@pytest.mark.rule("M12")
async def test_a_case_without_consent_is_heard_where_the_city_invites(hands: Building) -> None:
    shien = hands(SHIEN)
    await placed(shien, put_forward("houkatsu-nojiri"))
    found = only_sitting(shien)
    assert (found.body, found.basis) == ("shienkaigi", "swa-106-6")
    assert {s.agency for s in found.seats if s.need == "required"} == {"fukushi"}


@pytest.mark.rule("M5", "M7")
@pytest.mark.parametrize(("compartment", "starts"), [(SHIEN, "13:30"), (JUSO, "14:40")])
async def test_each_kind_takes_only_its_own_block_of_a_shared_meeting(
    hands: Building, yasu: Profile, compartment: Compartment, starts: str
) -> None:
    one = hands(compartment, yasu)
    await placed(one, put_forward("houkatsu"))
    assert only_sitting(one).starts == at(2026, 12, 23, starts)
    assert only_sitting(one).body == "chosei"


async def test_urgent_cases_choose_first_and_nobody_is_asked_to_two_rooms_at_once(hands: Building) -> None:
    juso = hands(JUSO)
    events = [put_forward(), put_forward(urgent=True), put_forward(urgent=True, received_on="2026-11-02")]
    for one in events:
        juso.give(one)
        juso.stage.pass_time(minutes=1)
    await juso.work()
    assert [one.about for one in juso.stage.told()] == [one.about for one in reversed(events)]
    first, second, _ = everything(juso).sittings
    assert first.items[0].item == events[2].about
    assert first.ends <= second.starts
    assert len([one for one in juso.town.asked if isinstance(one, Reserve)]) == 3, "no date is tried that we have taken"


async def test_a_regular_meeting_does_not_give_way_to_what_people_have_planned(hands: Building) -> None:
    juso = hands(JUSO)
    juso.town.is_away(person("fukushi"), at(2026, 12, 17, "00:00"), 24)
    await placed(juso, put_forward())
    found = only_sitting(juso)
    assert found.starts == at(2026, 12, 17, "14:00")
    assert person("fukushi") in juso.town.holds[found.sitting][0]


async def test_a_substitute_takes_the_required_seat_when_the_first_holder_is_away(hands: Building) -> None:
    juso = hands(JUSO)
    juso.town.is_away(person("fukushi", 0), at(2026, 11, 25, "00:00"), 24 * 10)
    await placed(juso, put_forward(urgent=True))
    assert {s.person for s in only_sitting(juso).seats if s.agency == "fukushi"} == {person("fukushi", 1)}


async def test_who_cannot_come_is_not_invited_to_a_second_room_but_named(hands: Building) -> None:
    juso = hands(JUSO)
    juso.town.is_away(person("kodomo"), at(2026, 11, 24, "00:00"), 24 * 20)
    await placed(juso, put_forward("jiritsu", "kodomo", urgent=True))
    found = only_sitting(juso)
    assert "kodomo" not in {s.agency for s in found.seats}
    assert found.why.endswith("(原則2機関中1機関が出席可)。出られない機関: こども課")


async def test_a_date_of_ones_own_keeps_clear_of_a_regular_meeting_to_come(hands: Building) -> None:
    juso = hands(JUSO)
    juso.stage.time = at(2026, 12, 16, "20:00")
    juso.town.staff = [one for one in juso.town.staff if one.person != person("fukushi", 1)]
    for clock, hours in (("09:00", 5.0), ("15:00", 100.0)):  # leaves 14:00 to 15:00, when the regular meeting is due
        juso.town.is_away(person("shakyo", 0), at(2026, 12, 17, clock), hours)
        juso.town.is_away(person("shakyo", 1), at(2026, 12, 17, clock), hours)
    await placed(juso, put_forward(urgent=True))
    assert only_sitting(juso).starts == at(2026, 12, 22, "09:00")


async def test_a_date_taken_meanwhile_is_given_up_for_the_next(hands: Building) -> None:
    juso = hands(JUSO)
    juso.town.is_away(person("kodomo"), at(2026, 11, 25, "09:00"), 1)
    juso.town.taken_behind_our_back, juso.town.busy = juso.town.busy, []
    await placed(juso, put_forward("jiritsu", "kodomo", urgent=True))
    assert only_sitting(juso).starts == at(2026, 11, 25, "10:00")
    assert list(juso.town.holds) == [only_sitting(juso).sitting]
    assert len(rows(juso, sitting)) == 1
    assert len(rows(juso, seat)) == len(rows(juso, notice)) == 4


async def test_without_a_date_the_item_waits_and_says_who_blocks(hands: Building) -> None:
    juso = hands(JUSO)
    for number in (0, 1):
        juso.town.is_away(person("shakyo", number), at(2026, 11, 24, "00:00"), 24 * 8)
    event = put_forward(urgent=True)
    await placed(juso, event)
    (waiting,) = everything(juso).waiting
    assert waiting.item == event.about
    assert waiting.why.startswith("必須の機関に、期間内の空きがありません: 小林市社会福祉協議会。")
    assert undone(juso) == 0, "it waits for time, not for us"
    asked = len(juso.town.asked)
    await juso.work()
    assert len(juso.town.asked) == asked
    juso.stage.pass_time(days=1)
    assert undone(juso) == 1
    await juso.work()
    assert only_sitting(juso).starts == at(2026, 12, 2, "09:00")
    assert everything(juso).waiting == ()


async def test_a_city_without_a_fitting_body_is_told_what_to_do(hands: Building, kobayashi: Profile) -> None:
    bodies = tuple(body for body in kobayashi.bodies if body.code != "shienkaigi")
    shien = hands(SHIEN, kobayashi.model_copy(update={"bodies": bodies}))
    await placed(shien, put_forward())
    assert "社会福祉法第106条の6(支援会議)に基づく区切りを設けてください。" in everything(shien).waiting[0].why


async def test_an_item_put_forward_twice_is_heard_once(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    await placed(juso, event, event)
    assert len(rows(juso, item)) == len(juso.stage.told()) == 1


async def test_with_nothing_to_do_nobody_is_asked(hands: Building) -> None:
    juso = hands(JUSO)
    await juso.work()
    assert juso.town.asked == []
    await placed(juso, put_forward())
    asked = len(juso.town.asked)
    await juso.work()
    assert len(juso.town.asked) == asked


async def test_while_the_directory_is_silent_nothing_is_lost(hands: Building, monkeypatch: Any) -> None:
    juso = hands(JUSO)
    with monkeypatch.context() as silent:
        silent.setattr(juso.town, "reserve", _fail("TimeoutError"))
        with pytest.raises(AskFailed):
            await placed(juso, put_forward(urgent=True))
    assert everything(juso).sittings == ()
    assert [one.why for one in everything(juso).waiting] == ["日時を確保しています。"]
    assert undone(juso) == 1
    juso.stage.pass_time(seconds=10)
    await juso.work()
    assert len(everything(juso).sittings) == len(juso.town.holds) == 1


async def test_while_nobody_answers_nothing_is_put_off(hands: Building, monkeypatch: Any) -> None:
    juso = hands(JUSO)
    with monkeypatch.context() as silent:
        silent.setattr(juso.town, "reserve", _fail("TimeoutError"))
        with pytest.raises(AskFailed):
            await placed(juso, put_forward(urgent=True))
    await placed(juso, put_forward(urgent=True))
    assert len(everything(juso).sittings) == 2


async def test_items_that_fail_let_the_others_pass_however_many_they_are(hands: Building, monkeypatch: Any) -> None:
    juso = hands(JUSO)
    with monkeypatch.context() as broken:
        broken.setattr(juso.town, "reserve", _fail("IntegrityError"))
        with pytest.raises(AskFailed):
            await placed(juso, *(put_forward(urgent=True) for _ in range(12)))
    await placed(juso, put_forward(urgent=True))
    assert len(everything(juso).sittings) == 1, "the twelve are tried again in ten seconds"
    juso.stage.pass_time(seconds=10)
    await juso.work()
    assert len(everything(juso).sittings) == 13


def _fail(what: str) -> Callable[[Reserve], None]:
    def reserve(asked: Reserve) -> None:
        raise AskFailed(what)

    return reserve


async def test_what_only_some_may_hear_is_never_put_on_an_agenda_with_a_standing_roster(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", "fukushi", "shakyo", only_agencies=True)
    juso.hear(consented(event, "jiritsu", "fukushi", "shakyo", state=ConsentState.NARROWED))
    await placed(juso, event)
    found = only_sitting(juso)
    assert not found.regular
    assert {one.agency for one in found.seats} == {"jiritsu", "fukushi", "shakyo"}


async def test_a_consent_that_leaves_out_who_must_be_there_says_whom_to_ask_the_client_about(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("jiritsu", "fukushi", only_agencies=True)
    juso.hear(consented(event, "jiritsu", "fukushi", state=ConsentState.NARROWED))
    await placed(juso, event)
    assert everything(juso).sittings == ()
    (waiting,) = everything(juso).waiting
    assert "同意が小林市社会福祉協議会に及んでいません" in waiting.why
    assert undone(juso) == 0


# -- cut off anywhere --------------------------------------------------------------------------------------------------


def _check_whole(hands: Hands, events: list[Any]) -> None:
    """Exactly one sitting per item or date, one seat per person, one notice and one mail per seat, one hold each."""
    found = everything(hands)
    assert found.waiting == ()
    assert sorted(one.item for s in found.sittings for one in s.items) == sorted(one.about for one in events)
    assert len(rows(hands, sitting)) == len(found.sittings) == 2
    assert [s.regular for s in found.sittings] == [False, True]
    assert sorted(one.about for one in hands.stage.told()) == sorted(one.about for one in events)
    seats = [(s.sitting, one.person) for s in found.sittings for one in s.seats]
    assert len(seats) == len(set(seats)) == len(rows(hands, notice)) == len(rows(hands, link)) == 14
    assert sorted(m.person for m in hands.town.mails.values()) == sorted(who for _, who in seats)
    assert {one.notice for s in found.sittings for one in s.seats} == {"sent"}
    assert hands.town.holds == {
        s.sitting: (frozenset(one.person for one in s.seats), s.starts, s.ends) for s in found.sittings
    }
    assert undone(hands) == 0


@pytest.mark.parametrize("calls", range(CALLS))
async def test_killed_after_any_call_it_goes_on_where_it_was(hands: Building, calls: int) -> None:
    juso = hands(JUSO)
    events = [put_forward(urgent=True), put_forward(), put_forward()]
    for one in events:
        juso.give(one)
    with pytest.raises(Cut):
        await Hands(juso.stage, juso.town, juso.settings, left=calls).work()
    await juso.work()
    _check_whole(juso, events)


async def test_the_deaths_above_leave_out_no_call(hands: Building) -> None:
    juso = hands(JUSO)
    juso.left = CALLS
    await placed(juso, put_forward(urgent=True), put_forward(), put_forward())
    assert juso.left == 0


@pytest.mark.parametrize("calls", [0, 5])
async def test_two_processes_at_once_make_one_sitting(hands: Building, calls: int) -> None:
    """From nothing, and from a plan that a killed process left behind."""
    juso = hands(JUSO)
    events = [put_forward(urgent=True), put_forward()]
    for one in events:
        juso.give(one)
    with pytest.raises(Cut):
        await Hands(juso.stage, juso.town, juso.settings, left=calls).work()
    other = Hands(juso.stage, juso.town, juso.settings)
    await asyncio.gather(juso.work(), other.work())
    await juso.work()
    _check_whole(juso, events)


async def test_a_plan_overtaken_by_time_is_made_anew_and_its_hold_given_back(hands: Building) -> None:
    juso = hands(JUSO)
    juso.give(put_forward(urgent=True))
    with pytest.raises(Cut):
        await Hands(juso.stage, juso.town, juso.settings, left=5).work()
    (old,) = juso.town.holds
    juso.stage.pass_time(days=30)
    await juso.work()
    found = only_sitting(juso)
    assert found.starts == at(2026, 12, 25, "09:00")
    assert list(juso.town.holds) == [found.sitting] != [old]
    assert len(rows(juso, sitting)) == 1


# -- invitations -------------------------------------------------------------------------------------------------------


async def test_an_invitation_says_when_and_where_and_carries_a_link_of_its_own(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward(urgent=True))
    found, mails = only_sitting(juso), juso.town.mails.values()
    assert {(m.starts, m.ends, m.place, m.sequence) for m in mails} == {(found.starts, found.ends, found.place, 0)}
    assert len({m.uid for m in mails}) == len({m.link for m in mails}) == len({m.person for m in mails}) == 4
    assert {m.send_before for m in mails} == {juso.stage.time + timedelta(seconds=3)}
    assert all(juso.stage.time < m.answer_by < m.starts for m in mails)
    assert found.sitting not in {m.uid for m in mails}, "two people's calendars do not tell that it is one sitting"
    assert [one.link for one in rows(juso, notice)] == [None] * 4, "the store forgets links once they are mailed"
    assert tally(juso)["invitations"] == 4


@pytest.mark.parametrize("why", ["mail_server_down", "too_late", "silent"])
async def test_what_could_not_be_sent_is_tried_again_ever_more_slowly(hands: Building, why: str) -> None:
    juso, who = hands(JUSO), person("kodomo")
    juso.town.refusals[who] = why
    await placed(juso, put_forward(urgent=True))
    for tries, seconds in enumerate((2, 4, 8), 1):
        await juso.work()
        assert max(one.tries for one in rows(juso, notice) if one.person == who) == tries, "not before its time"
        assert len(juso.town.mails) == 3
        assert undone(juso) == 1
        juso.stage.pass_time(seconds=seconds)
        await juso.work()
    (waiting,) = [one for one in only_sitting(juso).seats if one.notice == "waiting"]
    assert waiting.person == who
    juso.town.refusals.clear()
    juso.stage.pass_time(minutes=5)
    await juso.work()
    assert {one.notice for one in only_sitting(juso).seats} == {"sent"}


@pytest.mark.parametrize("why", ["no_address", "mail_refused"])
async def test_whoever_cannot_be_mailed_is_shown_to_be_telephoned(hands: Building, why: str) -> None:
    juso, who = hands(JUSO), person("kodomo")
    juso.town.refusals[who] = why
    await placed(juso, put_forward(urgent=True))
    juso.stage.pass_time(hours=1)
    assert undone(juso) == 0
    assert {one.person for one in only_sitting(juso).seats if one.notice == "not_sent"} == {who}
    assert {one.link for one in rows(juso, notice)} == {None}


@pytest.mark.parametrize(("why", "how"), [("by_phone", "phone"), ("by_letter", "letter")])
async def test_whoever_is_told_by_a_person_is_shown_so_and_not_asked_for_again(
    hands: Building, why: str, how: str
) -> None:
    juso, who = hands(JUSO), person("kodomo")
    juso.town.refusals[who] = why
    await placed(juso, put_forward(urgent=True))
    juso.stage.pass_time(hours=1)
    assert undone(juso) == 0
    assert {one.person: one.by_hand for one in only_sitting(juso).seats if one.by_hand} == {who: how}


async def test_nobody_is_invited_to_a_sitting_that_has_started(hands: Building) -> None:
    juso, who = hands(JUSO), person("kodomo")
    juso.town.refusals[who] = "mail_server_down"
    await placed(juso, put_forward(urgent=True))
    juso.stage.time = only_sitting(juso).starts
    asked = len(juso.town.asked)
    await juso.work()
    assert len(juso.town.asked) == asked
    assert {one.person for one in only_sitting(juso).seats if one.notice == "not_sent"} == {who}


async def test_nobody_is_invited_to_a_sitting_that_has_lost_its_item(hands: Building) -> None:
    juso, lost = hands(JUSO), put_forward(urgent=True)
    juso.town.refusals = {one.person: "mail_server_down" for one in juso.town.staff}
    await placed(juso, lost, put_forward())
    execute(juso, delete(agenda).where(agenda.c.item == lost.about))
    juso.town.refusals.clear()
    juso.stage.pass_time(minutes=5)
    await juso.work()
    own, regular = everything(juso).sittings
    assert {one.notice for one in own.seats} == {"not_sent"}
    assert {one.notice for one in regular.seats} == {"sent"}
    assert {one.starts for one in juso.town.mails.values()} == {regular.starts}


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3", "S17")
async def test_where_a_sitting_meets_online_all_links_lead_to_one_room_that_is_named_after_nothing(
    hands: Building, kobayashi: Profile
) -> None:
    online = tuple(one.model_copy(update={"mode": "online"}) for one in kobayashi.bodies)
    juso = hands(JUSO, kobayashi.model_copy(update={"bodies": online}))
    await placed(juso, put_forward(urgent=True))
    looked = [juso.stage.ask(LookAtLink(link=mail.link)) for mail in juso.town.mails.values()]
    assert len(looked) > 1
    assert len({one.meeting for one in looked}) == 1
    assert len({one.guest for one in looked}) == len(looked), "each is somebody else there"
    known = {only_sitting(juso).sitting, *(one.uid for one in rows(juso, seat)), *(one.id for one in rows(juso, item))}
    assert not known & {looked[0].meeting, *(one.guest for one in looked)}


async def test_an_answer_by_link_is_kept_and_may_be_changed_until_the_start(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward(urgent=True))
    found, mail = only_sitting(juso), next(iter(juso.town.mails.values()))
    looked = juso.stage.ask(LookAtLink(link=mail.link))
    assert looked == LinkState(found=True, starts=found.starts, ends=found.ends, place=found.place, answer="none")
    assert only_sitting(juso) == found, "looking changes nothing"
    assert juso.stage.ask(AnswerByLink(link=mail.link, answer="attend")).answer == "attend"
    first = _answer_of(juso, mail.person)
    juso.stage.pass_time(hours=1)
    juso.stage.ask(AnswerByLink(link=mail.link, answer="attend"))
    assert _answer_of(juso, mail.person) == first == ("attend", juso.stage.time - timedelta(hours=1))
    assert juso.stage.ask(AnswerByLink(link=mail.link, answer="absent")).answer == "absent"
    assert _answer_of(juso, mail.person) == ("absent", juso.stage.time)
    juso.stage.time = found.starts
    late = juso.stage.ask(AnswerByLink(link=mail.link, answer="attend"))
    assert (late.found, late.answer) == (True, "absent")


def _answer_of(hands: Hands, who: UUID) -> tuple[str, datetime | None]:
    (found,) = [one for one in only_sitting(hands).seats if one.person == who]
    return found.answer, found.answered_at


async def test_a_link_that_nobody_was_sent_shows_nothing(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward(urgent=True))
    for question in (LookAtLink(link="A" * 32), AnswerByLink(link="A" * 32, answer="attend")):
        assert juso.stage.ask(question) == LinkState(found=False)
    assert tally(juso)["answers"] == 0


async def test_the_pulse_counts_sittings_invitations_and_answers(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward(), put_forward(), put_forward(urgent=True))
    answers = ["attend", "attend", "absent"]
    for mail, answer in zip(juso.town.mails.values(), answers, strict=False):
        juso.stage.ask(AnswerByLink.model_validate({"link": mail.link, "answer": answer}))
    assert tally(juso) == {
        "items": 3,
        "sittings_regular": 1,
        "sittings_adhoc": 1,
        "sittings": 2,
        "invitations": 14,
        "seats": 14,
        "answers": 3,
        "attend": 2,
        "absent": 1,
    }


async def test_a_case_shows_its_own_sittings_and_a_week_shows_its_own(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event, put_forward())
    (found,) = juso.stage.ask(ItemSittings(case=event.case)).sittings
    assert [one.case for one in found.items] == [event.case]
    assert juso.stage.ask(ItemSittings(case=uuid4())) == SittingList(sittings=(), waiting=())
    assert juso.stage.ask(Sittings(starts=found.starts, ends=found.ends)).sittings == (found,)
    assert juso.stage.ask(Sittings(starts=found.ends, ends=found.ends)).sittings == ()


# -- what the store itself refuses -------------------------------------------------------------------------------------


async def test_the_store_refuses_a_sitting_whose_basis_may_not_hear_its_cases(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward())
    for wrong in ({"basis": "swa-106-6"}, {"basis": "plan-only"}, {"compartment": "shien"}):
        with pytest.raises(IntegrityError):
            execute(juso, update(sitting).values(**wrong))


async def test_the_store_refuses_a_second_place_sitting_or_seat(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward(), put_forward(urgent=True))
    for table, fresh in ((agenda, ("position",)), (sitting, ("id",)), (seat, ("uid",)), (notice, ("id",))):
        for row in rows(juso, table):
            copy = row._asdict() | {name: uuid4() if name != "position" else 99 for name in fresh}
            with pytest.raises(IntegrityError):
                execute(juso, insert(table).values(copy))


def test_meetings_declares_all_that_it_tells_and_asks() -> None:
    assert service.compartments
    assert {one.__name__ for one in service.asks} == {
        *("Staff", "Busy", "Reserve", "Release", "SendInvitation", "SendCancellation", "SendPoll"),
        *("Redeem", "ReportSpent", "AcknowledgeConsents", "ConsentHeads"),
    }
