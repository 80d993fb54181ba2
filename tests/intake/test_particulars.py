"""What the papers of a juso case begin with: only under the consent as it is now, never where 秘匿 hides it (S18)."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from contracts.erasure import EraseReason, EraseReferral
from contracts.household import Ground, LookAtShown, SetSecrecy
from contracts.intake import ClientDetails, DetailsOfClient, Member
from contracts.office import Officer
from services import intake
from tests.intake.agreeing import DIGEST, Agreed, agree
from tests.intake.officers import CITY, COLLEAGUE, REFERRER, STRANGER, TOWN_WITH_COORDINATOR
from tests.stage import Stage

SON = Member(name="髙橋 和彦", age=54, relation="長男")
NOTHING = ClientDetails(found=False)
HOUKATSU = Officer(person=REFERRER.person, agency="houkatsu")


@pytest.fixture
def two(stage: Callable[..., Stage]) -> Agreed:
    """キヨ子, who agreed, and her son, whom nobody asked."""
    desk = stage(intake.service, profile=TOWN_WITH_COORDINATOR)
    return agree(desk, members=(SON,), household_size=2, address="小林市細野0300番地", phone="0984-23-0100")


def told(known: Agreed, by: Officer = HOUKATSU) -> ClientDetails:
    answer: ClientDetails = known.desk.ask(DetailsOfClient(case=known.case, by=by))
    return answer


@pytest.mark.rule("C1", "C3", "S18")
def test_whoever_the_consent_names_is_told_what_the_sheet_says_of_the_client_and_of_nobody_else(two: Agreed) -> None:
    seen = told(two)
    assert (seen.found, seen.address, seen.phone) == (True, "小林市細野0300番地", "0984-23-0100")
    assert seen.members == (), "her son did not agree to anything"
    assert told(two, STRANGER) == NOTHING
    assert told(two, HOUKATSU.model_copy(update={"agency": "nowhere"})) == NOTHING
    assert two.desk.ask(DetailsOfClient(case=uuid4(), by=HOUKATSU)) == NOTHING


@pytest.mark.rule("S18")
def test_a_member_whom_the_consent_covers_is_told_too(two: Agreed) -> None:
    ref = two.desk.do(lambda tx: intake.sealed.household(two.referral, tx))[1][0]
    scope = two.scope.model_copy(update={"members": (*two.scope.members, ref)})
    assert two.record(1, state="given", scope=scope, evidence_digest=DIGEST).done
    assert told(two).members == (SON,)


@pytest.mark.rule("C11")
def test_after_a_withdrawal_or_an_erasure_nothing_is_told(two: Agreed) -> None:
    assert two.withdraw().done
    assert told(two) == NOTHING


def test_of_an_erased_referral_nothing_is_told(two: Agreed) -> None:
    assert two.desk.ask(EraseReferral(referral=two.referral, reason=EraseReason.RETENTION)).done
    assert told(two) == NOTHING


@pytest.mark.rule("S18")
def test_where_somebody_is_hidden_nobody_but_the_named_learns_where_they_live(two: Agreed) -> None:
    hide = SetSecrecy(
        request=uuid4(),
        by=CITY,
        referral=two.referral,
        member=two.client,
        after=0,
        secret=True,
        ground=next(iter(Ground)),
        viewers=(CITY.person, COLLEAGUE.person),
        review_on=date(2027, 3, 31),
        note="支援措置の申出",
    )
    assert two.desk.ask(hide).done
    seen = told(two)
    assert (seen.found, seen.address, seen.phone) == (True, "", "")
    named = told(two, Officer(person=CITY.person, agency="houkatsu"))
    assert named.address == "小林市細野0300番地"
    rows = two.desk.ask(LookAtShown(by=CITY, referral=two.referral)).rows
    assert {(one.person, one.masked) for one in rows if one.what == "details"} == {
        (HOUKATSU.person, True),
        (CITY.person, False),
    }
