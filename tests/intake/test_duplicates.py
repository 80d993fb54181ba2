"""Duplicates: certain by 宛名番号, else asked of a person once; and never across the two kinds of meeting."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.erasure import EraseReason, EraseReferral
from contracts.intake import Held, OpenWithoutConsent, TakeInSheets
from contracts.message import Compartment
from contracts.office import Done
from contracts.same_person import Checked, DecideSame, Likeness, LookAtDuplicates, Pairs
from services import intake
from services.intake.reception_tables import same_person, showing
from tests.intake.agreeing import record, take
from tests.intake.officers import CITY, COLLEAGUE, OUTSIDE, STRANGER, TOWN_WITH_COORDINATOR
from tests.intake.paper import sheet, without_consent
from tests.stage import Stage

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
REFUSED = ConsentState.REFUSED
NO_NUMBER = {"resident_number": None}
AGAIN = {"referrer": "jiritsu", "name": "高橋 きよ子", "kana": "ﾀｶﾊｼ ｷﾖｺ"}
"""The same person as another agency wrote her down."""


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town with a 多機関協働事業者 outside."""
    return stage(intake.service, profile=TOWN_WITH_COORDINATOR)


def look(desk: Stage, compartment: Compartment = JUSO, **how: Any) -> Pairs:
    answer: Pairs = desk.ask(LookAtDuplicates.model_validate({"by": CITY, "compartment": compartment} | how))
    return answer


def decide(desk: Stage, one: UUID, other: UUID, same: bool = True, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "one": one, "other": other, "after": 0, "same": same}
    answer: Done = desk.ask(DecideSame.model_validate(asked | {"checked": Checked.ASKED_PERSON} | changes))
    return answer


def two(desk: Stage, **changes: Any) -> tuple[UUID, UUID]:
    later = {"received_on": date(2026, 11, 3), "number": "2"}
    return take(desk, sheet(**NO_NUMBER)), take(desk, sheet(**later, **NO_NUMBER, **AGAIN, **changes))


def refs(pairs: Any) -> list[set[UUID]]:
    return [{one.one.referral, one.other.referral} for one in pairs]


def test_the_same_number_is_the_same_person_and_nobody_is_asked(desk: Stage) -> None:
    one = take(desk, sheet())
    other = take(desk, sheet(number="2", referrer="jiritsu", name="旧姓 キヨ子", kana="", born_on=None))
    found = look(desk)
    assert refs(found.same) == [{one, other}]
    assert (found.same[0].likeness, found.same[0].decided) == (Likeness.NUMBER, None)
    assert found.candidates == ()


def test_a_candidate_is_asked_until_a_person_says_and_not_again(desk: Stage) -> None:
    one, other = two(desk)
    (pair,) = look(desk).candidates
    assert (pair.one.referral, pair.other.referral, pair.likeness) == (one, other, Likeness.KANA)
    assert (pair.other.name, pair.other.referrer, pair.version) == ("高橋 きよ子", "jiritsu", 0)
    assert decide(desk, other, one).done, "in either order"
    found = look(desk)
    assert (refs(found.same), found.candidates) == ([{one, other}], ())
    assert (found.same[0].decided, found.same[0].checked, found.same[0].version) == ("same", Checked.ASKED_PERSON, 1)


def test_what_was_denied_is_not_asked_again_and_can_be_looked_up(desk: Stage) -> None:
    one, other = two(desk)
    assert decide(desk, one, other, same=False).done
    found = look(desk)
    assert (found.same, found.candidates, found.different) == ((), (), ())
    assert refs(look(desk, denied=True).different) == [{one, other}]
    third = take(desk, sheet(number="3", referrer="kodomo", **NO_NUMBER))
    assert sorted(map(sorted, refs(look(desk).candidates))) == sorted(map(sorted, ({one, third}, {other, third})))
    assert refs(look(desk, referral=one).candidates) == [{one, third}]


def test_a_mistyped_number_can_be_denied(desk: Stage) -> None:
    one = take(desk, sheet())
    other = take(desk, sheet(number="2", name="𠮷田 学", kana="ヨシダ マナブ", born_on=date(1970, 2, 1), sex="male"))
    assert refs(look(desk).same) == [{one, other}]
    assert decide(desk, one, other, same=False, checked=Checked.RESIDENT_RECORD).done
    assert look(desk).same == ()


def test_a_later_finding_stands_beside_the_earlier_and_the_second_of_two_reads_first(desk: Stage) -> None:
    one, other = two(desk)
    decide(desk, one, other)
    late = decide(desk, one, other, same=False, by=COLLEAGUE)
    assert (late.done, late.rule) == (False, "decided-meanwhile")
    assert decide(desk, one, other, same=False, after=1, by=COLLEAGUE).done
    assert refs(look(desk, denied=True).different) == [{one, other}]
    assert len(desk.do(lambda tx: tx.execute(select(same_person)).all())) == 2


def test_the_same_request_twice_is_one_finding(desk: Stage) -> None:
    one, other = two(desk)
    request = uuid4()
    for _ in range(2):
        assert decide(desk, one, other, request=request).done
    assert decide(desk, one, other, same=False, request=request).rule == "request-taken"
    assert look(desk).same[0].version == 1


def test_a_pair_with_different_numbers_says_so(desk: Stage) -> None:
    take(desk, sheet())
    take(desk, sheet(number="2", **AGAIN, resident_number="0009"))
    (pair,) = look(desk).candidates
    assert pair.numbers_differ


def test_the_same_referrers_corrected_sheet_is_refused_under_its_number_as_before(desk: Stage) -> None:
    take(desk, sheet())
    (result,) = desk.ask(TakeInSheets(sheets=(sheet(phone="0984-00-1299"),))).results
    assert (result.outcome, result.rule) == ("refused", "number-taken")
    assert look(desk).same == ()


@pytest.mark.parametrize("wrong", ["itself", "unknown"])
def test_a_pair_that_is_none_is_refused_with_what_to_do(desk: Stage, wrong: str) -> None:
    one = take(desk, sheet())
    answer = decide(desk, one, one if wrong == "itself" else uuid4())
    assert not answer.done
    assert answer.next_step
    assert desk.do(lambda tx: tx.execute(select(same_person)).all()) == []


# -- across the two kinds nothing shows --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [CITY, OUTSIDE])
def test_what_juso_is_told_is_the_same_with_and_without_the_same_persons_shien_referral(desk: Stage, by: Any) -> None:
    """Even of certain duplicates: same number, same everything."""
    one, other = two(desk)
    before = look(desk, by=by, denied=True)
    shien = take(desk, without_consent(REFUSED, number="9", **NO_NUMBER))
    numbered = take(desk, without_consent(REFUSED, number="10"))
    take(desk, sheet(number="11", referrer="kodomo", name="高橋 キヨ", kana="タカハシ キヨ"))
    assert look(desk, by=by, denied=True) == before
    unknown = decide(desk, one, uuid4(), by=by)
    assert decide(desk, one, shien, by=by) == decide(desk, one, numbered, by=by) == unknown
    assert decide(desk, shien, one, by=by) == unknown
    assert decide(desk, one, other, by=by).done


def test_what_shien_is_told_is_the_same_with_and_without_the_same_persons_juso_referral(desk: Stage) -> None:
    take(desk, without_consent(REFUSED, **NO_NUMBER))
    take(desk, without_consent(REFUSED, number="2", **NO_NUMBER, **AGAIN))
    before = look(desk, SHIEN)
    assert len(before.candidates) == 1
    take(desk, sheet(number="3", **NO_NUMBER))
    assert look(desk, SHIEN) == before


def test_only_the_municipality_compares_in_shien_and_nobody_else_in_juso_but_whom_consent_names(desk: Stage) -> None:
    take(desk, without_consent(REFUSED, **NO_NUMBER))
    take(desk, without_consent(REFUSED, number="2", **NO_NUMBER, **AGAIN))
    for by in (OUTSIDE, STRANGER):
        answer = look(desk, SHIEN, by=by)
        assert (answer.done, answer.candidates, answer.rule) == (False, (), "S1")
    assert not look(desk, by=STRANGER).done
    one = take(desk, sheet(number="3", **NO_NUMBER))
    take(desk, sheet(number="4", consent=ConsentState.NARROWED, **NO_NUMBER, **AGAIN))
    assert len(look(desk).candidates) == 1
    assert look(desk, by=OUTSIDE).candidates == (), "the narrowed consent names the coordinator nowhere"
    assert look(desk, referral=one).candidates


def test_a_withdrawal_takes_the_pair_away_and_a_finding_does_not_follow_into_the_other_kind(desk: Stage) -> None:
    one, other = two(desk)
    decide(desk, one, other)
    for key in (one, other):
        assert record(desk, key, 1, state=ConsentState.WITHDRAWN).done
    assert look(desk) == Pairs(done=True)
    assert look(desk, SHIEN) == Pairs(done=True)
    assert not decide(desk, one, other, after=1).done, "on hold it lies in neither"
    for one_held in desk.ask(Held()).held:
        assert desk.ask(OpenWithoutConsent(referral=one_held.referral, reason="安否が確かめられないため")).done
    found = look(desk, SHIEN)
    assert (refs(found.candidates), found.candidates[0].version) == ([{one, other}], 0)


def test_every_client_shown_is_registered_and_nobody_else(desk: Stage) -> None:
    one, other = two(desk)
    take(desk, sheet(number="3", referrer="kodomo", name="𠮷田 学", kana="ヨシダ マナブ", **NO_NUMBER))
    look(desk)
    look(desk)
    rows = desk.do(lambda tx: tx.execute(select(showing)).all())
    assert {(row.subject, row.what, row.person) for row in rows} == {(key, "same", CITY.person) for key in (one, other)}


def test_an_erased_referral_is_in_no_pair(desk: Stage) -> None:
    one, other = two(desk)
    decide(desk, one, other)
    assert desk.ask(EraseReferral(referral=other, reason=EraseReason.REQUEST)).done
    assert look(desk, denied=True) == Pairs(done=True)
    assert not decide(desk, one, other, after=1).done


def test_no_sql_changes_a_finding_or_keeps_a_pair_twice(desk: Stage) -> None:
    one, other = two(desk)
    decide(desk, one, other)
    for change in (update(same_person).values(same=False), delete(same_person)):
        with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
            desk.do(lambda tx, change=change: tx.execute(change).rowcount)
    greater, lesser = max(one, other), min(one, other)
    row = {"one": greater, "other": lesser, "kind": "juso", "version": 1, "same": True, "checked": "papers"}
    row |= {"by": uuid4(), "agency": "kenko", "at": desk.time}
    with pytest.raises(IntegrityError):
        desk.do(lambda tx: tx.execute(insert(same_person).values(row)).rowcount)
