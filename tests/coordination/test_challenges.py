"""地域課題: written down of no case, read by a second person, handed on, answered; from shien only what may leave."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.challenges import (
    ChallengeList,
    Challenges,
    Done,
    HandleChallenge,
    Lack,
    NoteChallenge,
    points_at_somebody,
)
from contracts.coordination import TakeInClient
from contracts.erasure import EraseCase, EraseReason
from contracts.intake import Particulars, Problem
from contracts.message import Compartment
from services.coordination import challenges, service
from services.coordination.tables import challenge, challenge_forward, challenge_found
from tests.coordination.stand_in import COORDINATOR, COUNSELLOR, NURSE, OFFICER, VIEWERS, Hands
from tests.coordination.test_living import case_in

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
COLLEAGUE = UUID(int=0xCC)
"""松元 of 福祉課, who reads what 髙橋 wrote."""
SENTENCE = "保証人なしで借りられる住まいがない"


async def note(hands: Hands, case: UUID, viewer: UUID = OFFICER, **changes: Any) -> Done:
    said = {"request": uuid4(), "case": case, "field": Problem.HOUSING, "lack": Lack.HOUSING, "area": "野尻地区"}
    said |= {"sentence": SENTENCE, "viewer": viewer, "viewer_agency": VIEWERS[viewer]}
    done = await hands.perform(NoteChallenge.model_validate(said | changes))
    assert isinstance(done, Done)
    return done


async def handle(hands: Hands, ref: UUID | None, act: str, viewer: UUID = OFFICER, **changes: Any) -> Done:
    agency = VIEWERS.get(viewer, "fukushi")
    said = {"request": uuid4(), "challenge": ref, "act": act, "viewer": viewer, "viewer_agency": agency}
    done = await hands.perform(HandleChallenge.model_validate(said | changes))
    assert isinstance(done, Done)
    return done


async def listed(hands: Hands, viewer: UUID = OFFICER) -> ChallengeList:
    found = await hands.perform(Challenges(viewer=viewer, viewer_agency=VIEWERS[viewer]))
    assert isinstance(found, ChallengeList)
    return found


@pytest.mark.rule("D10")
async def test_a_lack_found_in_a_case_is_read_handed_to_the_body_and_answered(hands: Ready) -> None:
    juso = hands(JUSO)
    ref = (await note(juso, await case_in(juso))).ref
    assert (await handle(juso, ref, "names_nobody", COORDINATOR)).done
    given = await handle(juso, ref, "forward", body="daihyosha")
    assert given.done
    said = {"forwarding": given.ref, "answer": "居住支援協議会と協議する", "on": date(2026, 11, 24)}
    assert (await handle(juso, ref, "answer", **said)).done
    (one,) = (await listed(juso)).challenges
    assert (one.sentence, one.area, one.field, one.found) == (SENTENCE, "野尻地区", Problem.HOUSING, 1)
    (forwarded,) = one.forwarded
    assert (forwarded.body, forwarded.answer) == ("daihyosha", "居住支援協議会と協議する")
    assert (await handle(juso, ref, "answer", **said)).done, "told again it is the same"
    assert not (await handle(juso, ref, "answer", **said | {"answer": "協議しない"})).done


@pytest.mark.rule("D10")
async def test_nothing_that_is_kept_leads_back_to_the_case(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await note(juso, case)
    for table in (challenge, challenge_found, challenge_forward):
        assert "case" not in table.c
        rows = juso.stage.do(lambda tx, table=table: [tuple(row) for row in tx.execute(select(table))])
        assert str(case) not in str(rows)
    (month,) = juso.stage.do(lambda tx: list(tx.execute(select(challenge_found.c.month)).scalars()))
    assert month == date(2026, 11, 1), "a day would tell which case was worked on"
    (entry,) = (await listed(juso, COORDINATOR)).challenges
    assert str(case) not in entry.model_dump_json()


async def test_whoever_wrote_it_is_forgotten_once_another_person_has_read_it(hands: Ready) -> None:
    juso = hands(JUSO)
    ref = (await note(juso, await case_in(juso))).ref
    assert not (await listed(juso)).challenges[0].checkable
    refused = await handle(juso, ref, "names_nobody")
    assert (refused.done, refused.rule, "別の人" in refused.reason) == (False, "D10", True)
    assert (await listed(juso, COORDINATOR)).challenges[0].checkable
    assert (await handle(juso, ref, "names_nobody", COORDINATOR)).done
    assert juso.stage.do(lambda tx: tx.execute(select(challenge.c.noted_by)).scalar_one()) is None


async def test_the_same_request_twice_is_one_and_a_further_case_counts_one_more(hands: Ready) -> None:
    juso = hands(JUSO)
    case, request = await case_in(juso), uuid4()
    first, second = [await note(juso, case, request=request) for _ in range(2)]
    assert first == second
    for _ in range(2):
        await note(juso, await case_in(juso), again=first.ref)
    assert [one.found for one in (await listed(juso)).challenges] == [3]


async def test_an_entry_that_was_not_read_by_another_person_goes_nowhere(hands: Ready) -> None:
    juso = hands(JUSO)
    ref = (await note(juso, await case_in(juso))).ref
    refused = await handle(juso, ref, "forward", body="daihyosha")
    assert (refused.done, refused.rule, bool(refused.next_step)) == (False, "D10", True)


@pytest.mark.parametrize("body", ["teirei", "nowhere", None])
async def test_it_is_handed_only_to_a_body_that_hears_no_case(hands: Ready, body: str | None) -> None:
    juso = hands(JUSO)
    ref = (await note(juso, await case_in(juso))).ref
    await handle(juso, ref, "names_nobody", COORDINATOR)
    refused = await handle(juso, ref, "forward", body=body)
    assert (refused.done, bool(refused.next_step)) == (False, True)
    offered = (await listed(juso)).bodies
    assert ("daihyosha" in offered, body in offered) == (True, False)


# -- what may leave shien ----------------------------------------------------------------------------------------------


@pytest.mark.rule("S11")
async def test_from_shien_only_what_several_cases_lacked_leaves_and_the_city_decides(hands: Ready) -> None:
    shien = hands(SHIEN)
    ref = (await note(shien, await case_in(shien))).ref
    assert (await handle(shien, ref, "names_nobody", COLLEAGUE)).done
    refused = await handle(shien, ref, "forward", body="daihyosha")
    assert (refused.done, refused.rule) == (False, "S11")
    for _ in range(challenges.FOUND_IN_SHIEN - 1):
        assert not (await listed(shien)).challenges[0].forwardable
        await note(shien, await case_in(shien), again=ref)
    assert not (await handle(shien, ref, "forward", COORDINATOR, body="daihyosha")).done
    assert (await handle(shien, ref, "forward", body="daihyosha")).done


@pytest.mark.rule("S11")
def test_no_question_about_challenges_is_answered_to_another_compartment() -> None:
    for question in (Challenges, NoteChallenge, HandleChallenge):
        assert question in service.answers_to
        assert not question.asked_from


async def test_the_name_of_whom_the_case_is_about_is_refused_in_shien(hands: Ready) -> None:
    shien = hands(SHIEN)
    case = await case_in(shien)
    who = Particulars(
        found=True, name="髙橋 𠮷子", kana="タカハシ ヨシコ", number="0000123", referrer_staff="", reason=""
    )
    shien.stage.ask(TakeInClient(case=case, particulars=who))
    for sentence in ("髙橋さんの家の近くに店がない", "𠮷子の通う場所がない", "タカハシヨシコに合う仕事がない"):
        refused = await note(shien, case, sentence=sentence)
        assert (refused.done, refused.rule) == (False, "S17")
        assert "髙橋" not in refused.reason + refused.next_step
    assert (await listed(shien)).challenges == ()


# -- hostile and wrong input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        "山田さんの移動手段がない",
        "87歳が通える場所がない",
        "堤1丁目に店がない",
        "電話0984-00-1100に頼れない",
        "佐藤様を受け入れる所がない",
    ],
)
def test_what_could_lead_to_a_person_is_noticed(sentence: str) -> None:
    assert points_at_somebody(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        SENTENCE,
        "障害のある人が日中に通える居場所が野尻地区にない",
        "様々な事情の人が使える短期の住まい",
        "氏名を書かずに相談できる場",
    ],
)
def test_an_ordinary_sentence_passes(sentence: str) -> None:
    assert points_at_somebody(sentence) == ""


async def test_a_sentence_without_words_is_refused_and_nothing_is_kept(hands: Ready) -> None:
    juso = hands(JUSO)
    refused = await note(juso, await case_in(juso), sentence=" \u3000\n   ")
    assert (refused.done, refused.rule, bool(refused.next_step)) == (False, "D10", True)
    assert juso.stage.do(lambda tx: tx.execute(select(challenge_found)).all()) == []


async def test_who_may_not_see_the_case_notes_nothing_from_it(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    assert (await note(juso, case, NURSE)).rule == "C1"
    assert (await note(juso, uuid4())) == (await note(juso, case, NURSE)), "nobody can tell which"


async def test_the_register_is_the_offices(hands: Ready) -> None:
    juso = hands(JUSO)
    ref = (await note(juso, await case_in(juso))).ref
    assert (await listed(juso, COUNSELLOR)).reason
    assert not (await handle(juso, ref, "strike", COUNSELLOR)).done
    assert (await listed(juso)).challenges


async def test_what_was_struck_is_gone_for_good_and_a_new_one_can_be_written(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await note(juso, case)).ref
    await handle(juso, ref, "names_nobody", COORDINATOR)
    given = await handle(juso, ref, "forward", body="daihyosha")
    await handle(juso, ref, "answer", forwarding=given.ref, answer="協議する")
    assert (await handle(juso, ref, "strike")).done
    assert (await handle(juso, ref, "strike")).done
    assert (await listed(juso)).challenges == ()
    assert not (await note(juso, case, again=ref)).done
    for column in (challenge.c.words, challenge_forward.c.answer):
        assert juso.stage.do(lambda tx, column=column: list(tx.execute(select(column)).scalars())) == [None]


async def test_erasing_the_case_leaves_the_entry_which_is_of_no_case(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await note(juso, case)
    juso.stage.ask(EraseCase(case=case, reason=EraseReason.RETENTION))
    assert len((await listed(juso)).challenges) == 1
    assert (await note(juso, case)).done is False
