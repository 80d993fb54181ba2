"""Printing a sitting's papers: a row for each copy of each item, and no copy for whom the wall keeps out."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.commission import EndCommission
from contracts.disclosure import Disclosure, DisclosuresAtMeetings
from contracts.life import Outcome
from contracts.message import Compartment
from contracts.policy_terms import Act
from contracts.printing import PrintSitting, SittingPaper, SittingPrint
from contracts.running import Proceeding
from services.meetings.tables import seat
from tests.meetings.sitting_hands import Chair, perform
from tests.meetings.stand_in import Hands, consented, person, put_forward, withdrawn
from tests.meetings.test_meetings import rows
from tests.meetings.test_running import BOTH, begun

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
PAPER = SittingPaper.AGENDA


async def prints(chair: Chair, paper: SittingPaper = PAPER, **how: Any) -> SittingPrint:
    asked = {"sitting": chair.sitting, "paper": paper, "request": uuid4(), "viewer": chair.viewer}
    asked |= {"viewer_agency": chair.agency} | how
    found = await perform(chair.hands, PrintSitting.model_validate(asked))
    assert isinstance(found, SittingPrint)
    return found


def exported(hands: Hands, *cases: UUID) -> list[Disclosure]:
    found = hands.stage.ask(DisclosuresAtMeetings(cases=cases)).rows
    return [one for one in found if one.act is Act.EXPORT]


def seats_of(chair: Chair) -> list[tuple[UUID, str]]:
    found = [one for one in rows(chair.hands, seat) if one.sitting == chair.sitting and one.cancelled_at is None]
    return sorted(((one.person, one.agency) for one in found), key=lambda one: (one[1], one[0]))


@pytest.mark.rule("S11", "M6")
@pytest.mark.parametrize("where", [JUSO, SHIEN])
async def test_each_seat_gets_a_numbered_copy_and_each_item_of_it_a_row(hands: Building, where: Compartment) -> None:
    work, one = hands(where), put_forward()
    chair = await begun(work, one)
    found = await prints(chair, everyone=True)
    seats = seats_of(chair)
    assert [(copy.number, copy.person, copy.agency) for copy in found.copies] == [
        (number, *who) for number, who in enumerate(seats, 1)
    ]
    assert found.seats == len(seats)
    assert all(copy.items == (one.about,) for copy in found.copies)
    given = exported(work, one.case)
    assert {(row.person, row.agency) for row in given} == set(seats)
    assert len(given) == len(seats)
    assert {row.row for row in given} == {"P1" if where is JUSO else "P2"}
    assert all(row.sitting == chair.sitting for row in given)
    assert all((row.commission is not None) is (where is SHIEN) for row in given)


@pytest.mark.rule("M6")
async def test_who_leaves_the_room_for_an_item_does_not_find_it_in_the_own_copy(hands: Building) -> None:
    juso = hands(JUSO)
    one, two = put_forward(), put_forward()
    juso.hear(consented(two, *(code.code for code in juso.profile.agencies if code.code != "jiritsu")))
    chair = await begun(juso, one, two)
    found = await prints(chair, everyone=True)
    copies = {copy.agency: set(copy.items) for copy in found.copies}
    assert copies["jiritsu"] == {one.about}
    assert copies["fukushi"] == {one.about, two.about}
    assert "jiritsu" not in {row.agency for row in exported(juso, two.case)}


@pytest.mark.rule("C11")
async def test_after_a_withdrawal_nothing_is_printed_and_no_row_is_written(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    juso.town.ledger[one.consent] = withdrawn(one)  # the ledger knows, this store does not yet
    found = await prints(chair, everyone=True)
    assert (found.found, found.copies, found.room.items) == (True, (), ())
    assert found.reason
    juso.stage.give(withdrawn(one))
    assert not (await prints(chair, everyone=True)).copies
    assert exported(juso, one.case) == []


@pytest.mark.parametrize("where", [JUSO, SHIEN])
async def test_who_may_not_see_the_sitting_gets_nothing_and_leaves_no_row(hands: Building, where: Compartment) -> None:
    work, one = hands(where), put_forward("kodomo")
    chair = await begun(work, one)
    for viewer in (person("byouin"), uuid4(), None):
        assert await prints(chair, viewer=viewer, viewer_agency="byouin") == SittingPrint(found=False)
    assert exported(work, one.case) == []


@pytest.mark.rule("S11")
async def test_a_member_prints_the_own_copy_but_not_that_of_all(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    who, agency = next(pair for pair in seats_of(chair) if pair[1] == "jiritsu")
    refused = await prints(chair, viewer=who, viewer_agency=agency, everyone=True)
    assert (refused.copies, refused.rule) == ((), "S11")
    assert exported(juso, one.case) == []
    (copy,) = (await prints(chair, viewer=who, viewer_agency=agency)).copies
    assert (copy.person, copy.agency) == (who, agency)
    assert copy.number == [pair[0] for pair in seats_of(chair)].index(who) + 1
    assert [row.person for row in exported(juso, one.case)] == [who]


@pytest.mark.rule("S8")
async def test_in_a_support_meeting_the_office_without_a_seat_takes_no_copy_for_itself(hands: Building) -> None:
    shien, one = hands(SHIEN), put_forward()
    chair = await begun(shien, one)
    outside = next(person("fukushi", n) for n in range(3) if person("fukushi", n) not in dict(seats_of(chair)))
    found = await prints(chair, viewer=outside)
    assert (found.copies, found.rule) == ((), "M6")
    assert "出席者ではありません" in found.reason
    assert exported(shien, one.case) == []
    assert (await prints(chair, viewer=outside, everyone=True)).copies


@pytest.mark.rule("S6")
async def test_whose_commission_has_ended_gets_no_copy(hands: Building) -> None:
    shien, one = hands(SHIEN, commissioned=False), put_forward()
    commissions = dict(zip((a.code for a in shien.profile.agencies),
                           shien.commission(*(a.code for a in shien.profile.agencies)), strict=True))  # fmt: skip
    chair = await begun(shien, one)
    shien.stage.ask(EndCommission(commission=commissions["jiritsu"]))
    found = await prints(chair, everyone=True)
    assert found.copies
    assert "jiritsu" not in {copy.agency for copy in found.copies}
    assert "jiritsu" not in {row.agency for row in exported(shien, one.case)}


async def test_the_same_request_twice_is_one_printing_and_another_is_another(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair, request = await begun(juso, one), uuid4()
    first = await prints(chair, request=request, everyone=True)
    asked = len(juso.town.spent)
    assert await prints(chair, request=request, everyone=True) == first
    assert len(exported(juso, one.case)) == len(first.copies)
    assert len(juso.town.spent) == asked
    await prints(chair, everyone=True)
    assert len(exported(juso, one.case)) == 2 * len(first.copies)


async def test_the_same_request_after_the_minutes_changed_is_another_paper(hands: Building) -> None:
    juso, one, request = hands(JUSO), put_forward(), uuid4()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about, Outcome.FIT, "一回目")
    first = await prints(chair, SittingPaper.MINUTES, request=request, everyone=True)
    await chair.did(Proceeding.CLOSE)
    second = await prints(chair, SittingPaper.MINUTES, request=request, everyone=True)
    assert len(exported(juso, one.case)) == len(first.copies) + len(second.copies)


@pytest.mark.rule("T2")
async def test_minutes_are_printed_once_there_are_some(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    none = await prints(chair, SittingPaper.MINUTES, everyone=True)
    assert (none.copies, none.rule) == ((), "T2")
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about, Outcome.FIT, "訪問は午後にする。")
    (view,) = (await prints(chair, SittingPaper.MINUTES, everyone=True)).room.items
    assert view.versions[-1].result.words == "訪問は午後にする。"


async def test_a_stale_replica_prints_nothing(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    juso.stage.pass_time(minutes=5)
    assert not (await prints(chair, everyone=True)).copies
    assert exported(juso, one.case) == []


async def test_an_item_that_was_carried_on_is_in_no_copy(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about)
    await chair.did(Proceeding.CLOSE)
    found = await prints(chair, SittingPaper.MINUTES, everyone=True)
    assert {view.item for view in found.room.items} == {one.about}
    assert exported(juso, two.case) == []
