"""受入先 and matches on both engines: only for whom the meeting found it needed, no more than fit, looked after."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.challenges import Done, PlaceKind
from contracts.erasure import EraseCase, EraseReason
from contracts.life import LegalService, Step
from contracts.message import QUESTIONS, Account, Compartment
from contracts.resources import MatchEnd, NoteMatch, NotePlace, ResourceList, Resources
from services.coordination.tables import follow_up, matching
from services.coordination.tables import place as places
from tests.coordination.stand_in import COUNSELLOR, NURSE, OFFICER, VIEWERS, Hands
from tests.coordination.test_life import LEGAL, act
from tests.coordination.test_living import case_in, walk

JUSO = Compartment.JUSO
Ready = Callable[[Compartment], Hands]
TODAY = date(2026, 11, 24)
FIXED = (Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT, Step.DECIDE)


async def farm(hands: Hands, viewer: UUID = OFFICER, **changes: Any) -> Done:
    said = {
        "request": uuid4(),
        "kind": PlaceKind.WORK_EXPERIENCE,
        "name": "霧島農園",
        "where": "小林市堤",
        "capacity": 1,
    }
    said |= {"conditions": "週2日まで", "viewer": viewer, "viewer_agency": VIEWERS[viewer]}
    done = await hands.perform(NotePlace.model_validate(said | changes))
    assert isinstance(done, Done)
    return done


async def match(hands: Hands, case: UUID, step: str, viewer: UUID = OFFICER, **changes: Any) -> Done:
    said = {"request": uuid4(), "act": step, "case": case, "on": TODAY, "next_on": TODAY + timedelta(days=30)}
    said |= {"viewer": viewer, "viewer_agency": VIEWERS[viewer]}
    done = await hands.perform(NoteMatch.model_validate(said | changes))
    assert isinstance(done, Done)
    return done


async def listed(hands: Hands, viewer: UUID = OFFICER, **how: Any) -> ResourceList:
    found = await hands.perform(Resources(viewer=viewer, viewer_agency=VIEWERS[viewer], **how))
    assert isinstance(found, ResourceList)
    return found


async def decided(hands: Hands) -> UUID:
    """A case whose plan with 参加支援 was decided."""
    case = await case_in(hands)
    await walk(hands, case, *FIXED)
    return case


async def test_a_person_takes_part_is_looked_after_and_settles(hands: Ready) -> None:
    juso = hands(JUSO)
    case, place = await decided(juso), (await farm(juso)).ref
    begun = await match(juso, case, "begin", place=place)
    assert begun.done
    (where,) = (await listed(juso)).places
    assert (where.name, where.capacity, where.free) == ("霧島農園", 1, 0)
    assert (await match(juso, case, "follow_up", match=begun.ref, words="休まず通っている")).done
    (one,) = (await listed(juso, case=case)).matches
    assert (one.follow_up_on, [said.words for said in one.history]) == (
        TODAY + timedelta(days=30),
        ["休まず通っている"],
    )
    assert (await match(juso, case, "end", match=begun.ref, way=MatchEnd.SETTLED)).done
    (ended,) = (await listed(juso)).matches
    assert (ended.way, ended.follow_up_on) == (MatchEnd.SETTLED, None)
    assert (await listed(juso)).places[0].free == 1


@pytest.mark.rule("D4")
async def test_nobody_takes_part_for_whom_the_meeting_has_not_found_it_needed(hands: Ready) -> None:
    juso = hands(JUSO)
    place, case = (await farm(juso)).ref, await case_in(juso)
    refused = await match(juso, case, "begin", place=place)
    assert (refused.done, refused.rule, bool(refused.next_step)) == (False, "D4", True)
    await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT)
    assert (await match(juso, case, "begin", place=place)).rule == "D4", "its plan has no 参加支援"


@pytest.mark.rule("T5")
async def test_early_support_may_begin_before_the_decision(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk(juso, case, Step.ASSESS, act(Step.START_EARLY, services=(LegalService.PARTICIPATION,)))
    assert (await match(juso, case, "begin", place=(await farm(juso)).ref)).done


@pytest.mark.rule("D4")
def test_no_place_is_matched_in_a_shien() -> None:
    for name in ("resources", "note_place", "note_match"):
        assert QUESTIONS[f"ask.coordination.{name}.v1"].answered_in == {Account.JUSO}


async def test_a_place_takes_no_more_than_it_has_room_for(hands: Ready) -> None:
    juso = hands(JUSO)
    place = (await farm(juso)).ref
    first, second = await decided(juso), await decided(juso)
    begun = await match(juso, first, "begin", place=place)
    refused = await match(juso, second, "begin", place=place)
    assert (refused.done, "空き" in refused.reason) == (False, True)
    await match(juso, first, "end", match=begun.ref, way=MatchEnd.MOVED_ON)
    assert (await match(juso, second, "begin", place=place)).done


async def test_the_same_request_twice_is_one(hands: Ready) -> None:
    juso = hands(JUSO)
    case, request, other = await decided(juso), uuid4(), uuid4()
    place = [(await farm(juso, request=request)).ref for _ in range(2)]
    assert place[0] == place[1]
    assert not (await farm(juso, request=request, name="別の農園")).done
    begun = [await match(juso, case, "begin", place=place[0], request=other) for _ in range(2)]
    assert begun[0] == begun[1]
    again = uuid4()
    for _ in range(2):
        assert (await match(juso, case, "follow_up", match=begun[0].ref, words="元気", request=again)).done
    assert len(juso.stage.do(lambda tx: tx.execute(select(follow_up)).all())) == 1


async def test_a_match_is_seen_only_with_its_case(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await decided(juso)
    await match(juso, case, "begin", place=(await farm(juso)).ref)
    assert (await match(juso, case, "begin", NURSE, place=uuid4())).rule == "C1"
    assert (await listed(juso, NURSE)).reason
    assert (await match(juso, case, "end", COUNSELLOR, match=uuid4(), way=MatchEnd.STOPPED)).rule == "D4"
    assert not (await farm(juso, COUNSELLOR)).done


async def test_an_overdue_look_is_marked_late(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await decided(juso)
    await match(juso, case, "begin", place=(await farm(juso)).ref, next_on=TODAY + timedelta(days=1))
    assert not (await listed(juso)).matches[0].late
    juso.stage.pass_time(days=2)
    await juso.errands()
    assert (await listed(juso)).matches[0].late


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": TODAY + timedelta(days=1)},
        {"on": TODAY - timedelta(days=1)},
        {"next_on": None},
        {"next_on": TODAY},
        {"next_on": TODAY + timedelta(days=400)},
        {"place": None},
        {"place": UUID(int=1)},
    ],
)
async def test_a_beginning_that_cannot_be_is_refused_with_what_to_do(hands: Ready, wrong: dict[str, Any]) -> None:
    juso = hands(JUSO)
    case = await decided(juso)
    refused = await match(juso, case, "begin", **{"place": (await farm(juso)).ref} | wrong)
    assert (refused.done, bool(refused.reason and refused.next_step)) == (False, True)
    assert juso.stage.do(lambda tx: tx.execute(select(matching)).all()) == []


async def test_nobody_begins_at_a_place_that_is_closed_and_who_is_there_stays(hands: Ready) -> None:
    juso = hands(JUSO)
    place, case = (await farm(juso, capacity=2)).ref, await decided(juso)
    await match(juso, case, "begin", place=place)
    assert (await farm(juso, place=place)).done
    assert not (await match(juso, await decided(juso), "begin", place=place)).done
    assert len((await listed(juso)).matches) == 1
    assert (await listed(juso)).places[0].free == 0


async def test_what_was_found_is_erased_with_the_case(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await decided(juso)
    begun = await match(juso, case, "begin", place=(await farm(juso)).ref)
    await match(juso, case, "follow_up", match=begun.ref, words="母と暮らしている")
    juso.stage.ask(EraseCase(case=case, reason=EraseReason.REQUEST))
    (one,) = (await listed(juso)).matches
    assert [said.words for said in one.history] == [""]
    assert (await match(juso, case, "follow_up", match=begun.ref, words="元気")).rule == "S11"


async def test_what_is_written_of_places_and_people_lies_sealed_in_the_store(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await decided(juso)
    begun = await match(juso, case, "begin", place=(await farm(juso)).ref)
    await match(juso, case, "follow_up", match=begun.ref, words="母と暮らしている")
    for table, mark in ((places, "霧島農園"), (follow_up, "母と暮らしている")):
        (kept,) = juso.stage.do(lambda tx, table=table: list(tx.execute(select(table.c.words)).scalars()))
        assert mark.encode() not in kept
