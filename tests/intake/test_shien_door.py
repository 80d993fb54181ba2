"""The door of the desk of shien to intake, tried by somebody who wants to know more than lies behind it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from contracts.consent import ConsentState
from contracts.erasure import EraseReason, EraseReferral
from contracts.household import ChangeHousehold, LookAtHousehold
from contracts.intake import OpenWithoutConsent, ReferralWithConsent
from contracts.message import Question
from contracts.office import DeskOfficer, Done, Officer, ShienOfficer
from contracts.reception import DeskDecideTriage
from contracts.reception_shien import (
    ShienChangeHousehold,
    ShienDecideSame,
    ShienDecideTriage,
    ShienDetail,
    ShienDuplicates,
    ShienHousehold,
    ShienMemberConsent,
    ShienReportSignal,
    ShienSecrecy,
    ShienShown,
    ShienSignals,
    ShienTriage,
    ShienTriageList,
)
from services import intake
from services.intake.reception_tables import (
    deed,
    household_end,
    household_stay,
    member_consent,
    member_detail,
    same_person,
    secrecy,
    showing,
    triage_decision,
)
from services.intake.tables import referral
from tests.intake.agreeing import take, withdraw
from tests.intake.officers import CITY, COLLEAGUE, OUTSIDE, REFERRER, TOWN_WITH_COORDINATOR
from tests.intake.paper import sheet, without_consent
from tests.intake.test_triage import CRITERIA, REASON
from tests.stage import Stage

TOWN = TOWN_WITH_COORDINATOR.model_copy(update={"triage": CRITERIA})
NEIGHBOUR = TOWN.model_copy(update={"municipality": "452084", "name": "西都市"})
HERE = ShienOfficer(person=CITY.person, agency=CITY.agency)
NOWHERE = UUID("0b6f9c1e-7c53-4d6e-9a41-1f6f0a6f9c01")
"""A reference under which there never was anything."""
WRITTEN = (triage_decision, same_person, household_stay, household_end, member_consent, member_detail, secrecy, deed)


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town with 小林市's criteria."""
    return stage(intake.service, profile=TOWN)


def of_shien(desk: Stage, **changes: Any) -> UUID:
    return take(desk, without_consent(ConsentState.REFUSED, **changes))


def member_of(desk: Stage, key: UUID) -> UUID:
    """The second one of a referral's household, as the command line of the 市町村 sees it."""
    member: UUID = desk.ask(LookAtHousehold(by=CITY, referral=key)).members[1].member
    return member


def questions(key: UUID, member: UUID, other: UUID, by: Officer = HERE) -> list[Question[Any]]:
    """Everything that can be asked at this door of one referral, one of its 世帯員, and another referral beside it."""
    asked = {"by": by, "referral": key}
    acts = asked | {"request": uuid4()}
    told = {"state": "given", "obtained": "oral", "obtained_by": "髙橋 美穂", "obtained_on": "2026-11-24"}
    hidden = {"secret": True, "ground": "stalking", "viewers": (by.person,)}
    merge = acts | {"after": 2, "change": "merge", "on": "2026-11-20"}
    decided = {"edition": "1", "way": "coordinate", "reason": REASON}
    said: list[tuple[type[Question[Any]], dict[str, Any]]] = [
        (ShienTriage, asked),
        (ShienHousehold, asked),
        (ShienHousehold, {"by": by, "referral": other, "member": member}),
        (ShienShown, asked),
        (ShienDuplicates, {"by": by, "referral": key}),
        (ShienDecideTriage, acts | decided | {"after": 0}),
        (ShienChangeHousehold, acts | {"after": 2, "change": "leave", "on": "2026-11-20", "members": (member,)}),
        (ShienChangeHousehold, merge | {"other": other}),
        (ShienChangeHousehold, merge | {"referral": other, "other": key}),
        (ShienMemberConsent, acts | told | {"member": member, "after": 0}),
        (ShienMemberConsent, acts | told | {"referral": other, "member": member, "after": 0}),
        (ShienDetail, acts | {"member": member, "detail": "school", "text": "細野小学校"}),
        (ShienDetail, acts | {"referral": other, "member": member, "detail": "school", "text": "細野小学校"}),
        (ShienSecrecy, acts | hidden | {"member": member, "after": 0}),
        (ShienSecrecy, acts | hidden | {"referral": other, "member": member, "after": 0}),
        (ShienDecideSame, {"by": by, "one": key, "other": other, "after": 0, "same": True, "checked": "papers"}),
        (ShienDecideSame, {"by": by, "one": other, "other": key, "after": 0, "same": True, "checked": "papers"}),
    ]
    return [kind.model_validate(values | _request(kind)) for kind, values in said]


def _request(kind: type[Question[Any]]) -> dict[str, Any]:
    return {"request": uuid4()} if "request" in kind.model_fields else {}


def kept(desk: Stage) -> list[int]:
    """How much of everything that this door can write there is, and how much was shown."""
    counts = [select(func.count()).select_from(table) for table in (*WRITTEN, showing)]
    return [desk.do(lambda tx, one=one: tx.connection.scalar(one)) or 0 for one in counts]


def consented(desk: Stage) -> UUID:
    return take(desk, sheet())


def held(desk: Stage) -> UUID:
    """Withdrawn, and no longer in juso: a person has to decide before it lies in shien (C6)."""
    key = take(desk, sheet())
    (case,) = [one.about for one in desk.told() if isinstance(one, ReferralWithConsent)]
    assert withdraw(desk, case).done
    return key


def erased(desk: Stage) -> UUID:
    key = of_shien(desk)
    assert desk.ask(EraseReferral(referrer="houkatsu", number="0000123", reason=EraseReason.REQUEST)).done
    return key


HIDDEN = {"with consent": consented, "withdrawn and waiting": held, "erased": erased}


@pytest.mark.rule("C4")
@pytest.mark.parametrize("what", HIDDEN)
def test_what_lies_elsewhere_is_answered_to_the_letter_like_what_never_was(desk: Stage, what: str) -> None:
    """Also beside a referral that does lie in shien: no pair, no household, no member leads across."""
    mine = of_shien(desk, number="9", resident_number=None, name="𠮷田 進", kana="ヨシダ ススム", born_on=None)
    key = HIDDEN[what](desk)
    seen = select(referral.c.state).where(referral.c.id == key)
    assert desk.do(lambda tx: tx.connection.scalar(seen)), "it is there"
    member = NOWHERE if what == "erased" else member_of(desk, key)
    before = kept(desk)
    for about, nothing in zip(questions(key, member, mine), questions(NOWHERE, NOWHERE, mine), strict=True):
        if isinstance(about, ShienDuplicates):
            assert desk.ask(about) == desk.ask(nothing)
            continue
        answer = desk.ask(about)
        assert not answer.done, type(about).__name__
        assert answer == desk.ask(nothing), type(about).__name__
    assert desk.ask(ShienTriage(by=HERE, referrer="houkatsu", number="0000123")) == desk.ask(
        ShienTriage(by=HERE, referrer="houkatsu", number="0000999")
    ), "nor by the number it would have"
    listed = desk.ask(ShienTriageList(by=HERE)).waiting
    assert [one.referral for one in listed] == [mine]
    assert kept(desk) == before, "and nothing was written, nothing shown"


@pytest.mark.rule("C4", "S18")
def test_of_a_household_that_the_wall_runs_through_each_door_shows_its_own_side(desk: Stage) -> None:
    """Two clients who agreed lived together on record; one withdrew, and is heard in shien by a person's decision."""
    stays, leaves = take(desk, sheet()), take(desk, sheet(number="124", resident_number=None, name="髙橋 和彦"))
    case = next(one.about for one in reversed(desk.told()) if isinstance(one, ReferralWithConsent))
    moved = {"request": uuid4(), "by": CITY, "referral": stays, "other": leaves, "after": 2, "change": "merge"}
    assert desk.ask(ChangeHousehold.model_validate(moved | {"on": "2026-11-20"})).done
    both = desk.ask(LookAtHousehold(by=CITY, referral=stays)).members
    assert len(both) == 4
    assert withdraw(desk, case).done
    assert desk.ask(OpenWithoutConsent(referral=leaves, reason="安否が確かめられないため")).done
    seen = desk.ask(ShienHousehold(by=HERE, referral=leaves))
    shown = {one.member for one in seen.members} | {one.member for one in seen.history}
    behind = {one.member for one in desk.ask(LookAtHousehold(by=CITY, referral=stays)).members}
    assert (len(shown), len(behind), shown & behind) == (2, 2, set())
    nothing = desk.ask(ShienHousehold(by=HERE, referral=leaves, member=NOWHERE))
    for member in behind:
        assert desk.ask(ShienHousehold(by=HERE, referral=leaves, member=member)) == nothing
        for key in (leaves, stays):
            note = {"request": uuid4(), "by": HERE, "referral": key, "detail": "school", "text": "細野小学校"}
            asked = ShienDetail.model_validate(note | {"member": member})
            assert desk.ask(asked) == desk.ask(ShienDetail.model_validate(note | {"member": NOWHERE}))


@pytest.mark.rule("C4")
def test_a_referral_of_the_neighbouring_city_is_nothing_here_and_its_people_nobody(
    desk: Stage, stage: Callable[..., Stage]
) -> None:
    there = stage(intake.service, profile=NEIGHBOUR)
    key = take(there, without_consent(ConsentState.REFUSED, municipality="452084"))
    member, mine = member_of(there, key), of_shien(desk, number="9", resident_number=None)
    assert there.ask(ShienTriage(by=HERE, referral=key)).done
    pairs = zip(questions(key, member, mine), questions(NOWHERE, NOWHERE, mine), strict=True)
    assert [type(one).__name__ for one, other in pairs if desk.ask(one) != desk.ask(other)] == []
    foreigner = ShienOfficer(person=CITY.person, agency="fukushi-saito")
    own = questions(mine, member_of(desk, mine), key, foreigner)
    assert [type(one).__name__ for one in own if desk.ask(one).done] == []
    assert not desk.ask(ShienTriageList(by=foreigner)).done
    assert not desk.ask(ShienSignals(by=foreigner)).done


@pytest.mark.rule("S1")
def test_of_those_outside_the_city_only_the_referrer_sees_the_criteria_of_what_it_referred(desk: Stage) -> None:
    mine, agreed = of_shien(desk), take(desk, sheet(number="124", resident_number=None))
    for by in (REFERRER, OUTSIDE):
        there = ShienOfficer(person=by.person, agency=by.agency)
        allowed = {type(one) for one in questions(mine, member_of(desk, mine), mine, there) if desk.ask(one).done}
        assert allowed == ({ShienTriage} if by is REFERRER else set())
        assert not desk.ask(ShienTriage(by=there, referral=agreed)).done, "what it agreed to is at the other door"


def test_each_showing_leaves_a_row_of_who_saw_whom_by_what(desk: Stage) -> None:
    one, other = of_shien(desk), of_shien(desk, number="124", resident_number=None)
    noted = {"noticed_on": "2026-11-20", "place": "salon", "signs": ("absent",), "urgent": False}
    noted |= {"description": "いつも来る人が二週間来ていない。"}
    note = desk.ask(ShienReportSignal.model_validate({"request": uuid4(), "by": HERE, "note": noted})).signal
    assert note
    client, member = (who.member for who in desk.ask(LookAtHousehold(by=COLLEAGUE, referral=one)).members)
    last = desk.do(lambda tx: tx.connection.scalar(select(func.count()).select_from(showing))) or 0
    for asked in (
        ShienTriage(by=HERE, referral=one),
        ShienHousehold(by=HERE, referral=one),
        ShienDuplicates(by=HERE),
        ShienSignals(by=HERE),
    ):
        assert desk.ask(asked).done
    columns = (showing.c.what, showing.c.subject, showing.c.member, showing.c.rule, showing.c.person, showing.c.agency)
    rows = [tuple(row) for row in desk.do(lambda tx: tx.execute(select(*columns)).all())]
    assert len(rows) == last + 6
    who = (HERE.person, HERE.agency)
    shown = {("triage", one, one, "reception", *who), ("signal", note, note, "signal-office", *who)}
    shown |= {("household", one, each, "reception", *who) for each in (client, member)}
    shown |= {("same", each, each, "reception", *who) for each in (one, other)}
    assert shown <= set(rows)


def test_what_was_done_at_one_desk_is_not_answered_again_at_the_other(desk: Stage) -> None:
    """The number of a request is remembered for both: it must not tell that there is a referral behind the wall."""
    agreed, refused = take(desk, sheet()), of_shien(desk, number="124", resident_number=None)
    doors = (DeskOfficer(person=CITY.person, agency=CITY.agency), DeskDecideTriage), (HERE, ShienDecideTriage)
    said = {"after": 0, "edition": "1", "way": "coordinate", "reason": REASON}
    for key, (mine, theirs) in ((agreed, doors), (refused, doors[::-1])):
        asked = said | {"request": uuid4(), "referral": key}
        (by, kind), (other_by, other_kind) = mine, theirs
        first: Done = desk.ask(kind.model_validate(asked | {"by": by}))
        assert first.done
        assert desk.ask(kind.model_validate(asked | {"by": by})) == first, "a second click is the first"
        again = desk.ask(other_kind.model_validate(asked | {"by": other_by}))
        never = desk.ask(other_kind.model_validate(asked | {"by": other_by, "referral": NOWHERE}))
        assert not again.done
        assert again == never
