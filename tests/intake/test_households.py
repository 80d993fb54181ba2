"""世帯: who lives where since when, each 世帯員's own consent, and 秘匿 against everybody not named (S18)."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState, Obtained
from contracts.coordination import TakeInClient
from contracts.erasure import EraseReason, EraseReferral
from contracts.household import (
    Change,
    ChangeHousehold,
    Detail,
    Ground,
    HouseholdView,
    LookAtHousehold,
    LookAtShown,
    MemberView,
    Newcomer,
    NoteDetail,
    RecordMemberConsent,
    SetSecrecy,
)
from contracts.intake import ClientOf, ConsentChanged, Member, MembersUnasked, SecrecyChanged, ShowConsent
from contracts.masking import MASK, mask
from contracts.office import Done, Officer
from services import intake
from services.intake import handlers
from services.intake.reception_tables import (
    household_end,
    household_stay,
    member_consent,
    member_detail,
    secrecy_viewer,
    showing,
)
from services.intake.tables import household_member
from tests.intake.agreeing import Agreed, agree, record, scope_of, take
from tests.intake.officers import CITY, COLLEAGUE, OUTSIDE, REFERRER, STRANGER, TOWN_WITH_COORDINATOR
from tests.intake.paper import sheet, without_consent
from tests.intake.test_duplicates import decide
from tests.stage import Stage

GIVEN, REFUSED, WITHDRAWN = ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN
NOT_ASKED, COULD_NOT_ASK = ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK
CHILD = Member(name="髙橋 結衣", age=9, relation="孫")
SON = Member(name="髙橋 和彦", age=54, relation="長男")
SECRET_PLACE = "小林市堤0001番地 みどり荘203"
DAY = date(2026, 11, 20)


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town with a 多機関協働事業者 outside."""
    return stage(intake.service, profile=TOWN_WITH_COORDINATOR)


@pytest.fixture
def three(desk: Stage) -> Agreed:
    """キヨ子, her son and her grandchild; キヨ子 alone consented."""
    return agree(desk, members=(SON, CHILD), household_size=3)


def look(desk: Stage, key: UUID, **how: Any) -> HouseholdView:
    answer: HouseholdView = desk.ask(LookAtHousehold.model_validate({"by": CITY, "referral": key} | how))
    return answer


def called(found: HouseholdView, name: str) -> MemberView:
    return next(one for one in found.members if one.name == name)


def names(found: HouseholdView) -> list[str]:
    return [one.name for one in found.members]


def ref(desk: Stage, key: UUID, place: int) -> UUID:
    mine = household_member.c.referral == key, household_member.c.place == place
    who: UUID = desk.do(lambda tx: tx.execute(select(household_member.c.member).where(*mine)).scalar_one())
    return who


def change(desk: Stage, key: UUID, what: Change, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "referral": key, "change": what, "on": DAY}
    asked["after"] = look(desk, key).version
    answer: Done = desk.ask(ChangeHousehold.model_validate(asked | changes))
    return answer


def says(desk: Stage, key: UUID, member: UUID, state: ConsentState, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "referral": key, "member": member, "after": 0, "state": state}
    asked |= {"obtained": Obtained.ORAL, "obtained_by": "日髙 奈緒", "obtained_on": DAY}
    answer: Done = desk.ask(RecordMemberConsent.model_validate(asked | changes))
    return answer


def write(desk: Stage, key: UUID, member: UUID, detail: Detail, text: str, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "referral": key, "member": member, "detail": detail, "text": text}
    answer: Done = desk.ask(NoteDetail.model_validate(asked | changes))
    return answer


def hide(desk: Stage, key: UUID, member: UUID, **changes: Any) -> Done:
    asked = {"request": uuid4(), "by": CITY, "referral": key, "member": member, "after": 0, "secret": True}
    asked |= {"ground": Ground.PARTNER_VIOLENCE, "viewers": (COLLEAGUE.person,), "review_on": date(2027, 11, 20)}
    answer: Done = desk.ask(SetSecrecy.model_validate(asked | changes))
    return answer


# -- who lives together ------------------------------------------------------------------------------------------------


def test_a_household_begins_as_its_sheet_lists_it(desk: Stage, three: Agreed) -> None:
    found = look(desk, three.referral)
    assert [(one.name, one.relation, one.age, one.client) for one in found.members] == [
        ("髙橋 キヨ子", "本人", None, True),
        ("髙橋 和彦", "長男", 54, False),
        ("髙橋 結衣", "孫", 9, False),
    ]
    assert {one.since for one in found.members} == {date(2026, 11, 2)}
    assert [one.consent for one in found.members] == [GIVEN, NOT_ASKED, NOT_ASKED], "each his or her own"
    assert found.members[0].details[Detail.ADDRESS] == "小林市細野9901番地"


def test_somebody_joins_leaves_and_splits_off_and_every_day_keeps_its_household(desk: Stage, three: Agreed) -> None:
    key = three.referral
    newcomer = Newcomer(name="Nguyễn Văn An", age=21, relation="同居人")
    assert change(desk, key, Change.JOIN, newcomer=newcomer, on=date(2026, 11, 5)).done
    assert change(desk, key, Change.LEAVE, members=(ref(desk, key, 1),), on=date(2026, 11, 10)).done
    assert change(desk, key, Change.SPLIT, members=(ref(desk, key, 2), ref(desk, key, 3)), on=DAY).done
    days = {
        date(2026, 11, 2): ["髙橋 キヨ子", "髙橋 和彦", "髙橋 結衣"],
        date(2026, 11, 9): ["髙橋 キヨ子", "髙橋 和彦", "髙橋 結衣", "Nguyễn Văn An"],
        date(2026, 11, 10): ["髙橋 キヨ子", "髙橋 結衣", "Nguyễn Văn An"],
        DAY: ["髙橋 キヨ子"],
    }
    assert {day: names(look(desk, key, on=day)) for day in days} == days
    apart = look(desk, key, member=ref(desk, key, 2))
    assert names(apart) == ["髙橋 結衣", "Nguyễn Văn An"]
    assert {one.since for one in apart.members} == {DAY}
    ended = {(one.until, one.ended_by) for one in look(desk, key).history if one.until}
    assert ended == {(date(2026, 11, 10), Change.LEAVE), (DAY, Change.SPLIT)}
    assert not look(desk, key, on=date(2026, 11, 1)).done, "before it was known"


def test_two_households_of_one_kind_become_one_and_both_histories_stay(desk: Stage, three: Agreed) -> None:
    other = take(desk, sheet(number="2", name="𠮷田 学", members=(), household_size=1))
    assert change(desk, three.referral, Change.MERGE, other=other).done
    together = ["髙橋 キヨ子", "𠮷田 学", "髙橋 和彦", "髙橋 結衣"]
    assert sorted(names(look(desk, three.referral))) == sorted(names(look(desk, other))) == sorted(together)
    assert names(look(desk, other, on=date(2026, 11, 19))) == ["𠮷田 学"]
    assert change(desk, other, Change.MERGE, other=three.referral).rule == "household-unknown", "it is one already"


def test_one_person_of_two_referrals_is_told_as_one_once_that_is_settled(desk: Stage, three: Agreed) -> None:
    certain = take(desk, sheet(number="2", name="旧姓 キヨ子", members=()))
    asked = take(desk, sheet(number="3", resident_number=None, members=()))
    for one in (certain, asked):
        assert change(desk, three.referral, Change.MERGE, other=one).done
    mother, first, second = (ref(desk, key, 0) for key in (three.referral, certain, asked))

    def told() -> dict[UUID, UUID | None]:
        seen = look(desk, three.referral).members
        return {one.member: one.same_as for one in seen if one.client}

    assert told() == {mother: None, first: mother, second: None}, "the same 宛名番号; the other is a guess"
    decide(desk, three.referral, asked)
    assert told() == {mother: None, first: mother, second: mother}
    decide(desk, three.referral, certain, same=False)
    assert told() == {mother: None, first: None, second: mother}, "a number can be mistyped"


@pytest.mark.parametrize("state", [REFUSED, WITHDRAWN])
def test_households_of_two_kinds_never_become_one_and_that_is_told_as_if_there_were_none(
    desk: Stage, three: Agreed, state: ConsentState
) -> None:
    other = take(desk, without_consent(state, number="2"))
    refusal = change(desk, three.referral, Change.MERGE, other=other)
    assert refusal == change(desk, three.referral, Change.MERGE, other=uuid4())
    assert not refusal.done


def test_who_leaves_for_the_other_kind_of_meeting_is_seen_from_neither(desk: Stage, three: Agreed) -> None:
    other = take(desk, sheet(number="2", name="𠮷田 学", members=(), household_size=1))
    before = look(desk, three.referral)
    change(desk, three.referral, Change.MERGE, other=other)
    assert record(desk, other, 1, state=WITHDRAWN).done
    found = look(desk, three.referral)
    assert (found.members, found.version, found.history) == (before.members, before.version, before.history)
    assert names(look(desk, other)) == ["𠮷田 学"]


def test_a_member_lives_in_one_household_at_a_time_in_any_sql(desk: Stage, three: Agreed) -> None:
    row = {"stay": uuid4(), "household": uuid4(), "member": ref(desk, three.referral, 1), "since": DAY, "at": desk.time}
    with pytest.raises(IntegrityError, match="LIVES_ELSEWHERE"):
        desk.do(lambda tx: tx.execute(insert(household_stay).values(row)).rowcount)
    first = select(household_stay.c.stay).limit(1)
    end = {"until": date(2026, 11, 2), "change": "leave", "by": uuid4(), "agency": "kenko", "at": desk.time}
    with pytest.raises(IntegrityError, match="ENDS_BEFORE_IT_BEGINS"):
        desk.do(lambda tx: tx.execute(insert(household_end).values(stay=tx.execute(first).scalar(), **end)).rowcount)
    change(desk, three.referral, Change.LEAVE, members=(ref(desk, three.referral, 1),))
    for table in (household_stay, household_end):
        with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
            desk.do(lambda tx, table=table: tx.execute(delete(table)).rowcount)


@pytest.mark.parametrize(
    ("what", "changes", "label", "rule"),
    [
        (Change.JOIN, {}, "加わる人", "required"),
        (Change.JOIN, {"newcomer": Newcomer(name="\u3000")}, "加わる人", "required"),
        (Change.JOIN, {"newcomer": Newcomer(name="不詳"), "on": date(2026, 11, 25)}, "変わった日", "date-future"),
        (Change.JOIN, {"newcomer": Newcomer(name="結衣\n母")}, "加わる人", "line-break"),
        (Change.LEAVE, {}, "世帯員", "required"),
        (Change.LEAVE, {"members": (uuid4(),)}, "世帯員", "S18"),
        (Change.MERGE, {}, "もう一つの世帯のつなぎ", "household-unknown"),
        (Change.LEAVE, {"after": 9}, "前の記録", "decided-meanwhile"),
    ],
)
def test_a_change_that_makes_no_sense_names_field_and_rule_and_changes_nothing(
    desk: Stage, three: Agreed, what: Change, changes: dict[str, Any], label: str, rule: str
) -> None:
    before = look(desk, three.referral)
    answer = change(desk, three.referral, what, **changes)
    assert (answer.done, answer.rule, answer.reason.startswith(f"{label}: ")) == (False, rule, True)
    assert look(desk, three.referral) == before


def test_a_split_leaves_somebody_behind_and_comes_after_the_first_day(desk: Stage, three: Agreed) -> None:
    everybody = tuple(ref(desk, three.referral, place) for place in range(3))
    assert change(desk, three.referral, Change.SPLIT, members=everybody).rule == "split-all"
    early = change(desk, three.referral, Change.SPLIT, members=everybody[1:], on=date(2024, 2, 29))
    assert (early.done, early.rule) == (False, "date-order")


def test_the_same_change_twice_is_one_and_the_second_of_two_people_reads_first(desk: Stage, three: Agreed) -> None:
    who, request = (ref(desk, three.referral, 1),), uuid4()
    version = look(desk, three.referral).version
    for _ in range(2):
        assert change(desk, three.referral, Change.LEAVE, members=who, request=request, after=version).done
    late = change(desk, three.referral, Change.LEAVE, members=(ref(desk, three.referral, 2),), after=version)
    assert late.rule == "decided-meanwhile"


# -- each member's own consent -----------------------------------------------------------------------------------------


@pytest.mark.rule("S18")
def test_a_members_yes_is_recorded_and_shares_nothing_by_itself(desk: Stage, three: Agreed) -> None:
    who = ref(desk, three.referral, 1)
    answer = says(desk, three.referral, who, GIVEN)
    assert (answer.done, answer.rule) == (True, "S18")
    assert "kasane consent record" in answer.next_step
    assert called(look(desk, three.referral), "髙橋 和彦").consent is GIVEN
    (told,) = desk.told()
    assert isinstance(told, MembersUnasked), "only that one fewer is to be asked"
    assert (told.about, told.version, told.number) == (three.case, 2, 1)
    assert three.history().versions[-1].version == 1


def widened(desk: Stage, one: Agreed, *members: UUID) -> Done:
    scope = scope_of(*members)
    answer: Done = record(desk, one.referral, 1, state=GIVEN, scope=scope, evidence="小福第118号")
    return answer


@pytest.mark.rule("S18")
@pytest.mark.parametrize("no", [REFUSED, WITHDRAWN])
def test_a_members_no_takes_him_out_of_the_consent_at_once_and_he_cannot_be_put_back(
    desk: Stage, three: Agreed, no: ConsentState
) -> None:
    client, son = ref(desk, three.referral, 0), ref(desk, three.referral, 1)
    assert widened(desk, three, client, son).done
    desk.told()
    answer = says(desk, three.referral, son, no)
    assert answer.done
    assert "外しました" in answer.next_step
    (told,) = desk.told()
    assert isinstance(told, ConsentChanged)
    assert told.scope
    assert (told.version, told.state, told.scope.members) == (3, GIVEN, (client,))
    assert called(look(desk, three.referral), "髙橋 和彦").consent is no
    again = record(desk, three.referral, 3, state=GIVEN, scope=scope_of(client, son), evidence="小福第119号")
    assert (again.done, again.rule) == (False, "S18")
    assert says(desk, three.referral, son, GIVEN, after=1).done
    assert record(desk, three.referral, 3, state=GIVEN, scope=scope_of(client, son), evidence="小福第119号").done


def test_a_no_that_leaves_nobody_in_the_consent_ends_it(desk: Stage, three: Agreed) -> None:
    son = ref(desk, three.referral, 1)
    assert widened(desk, three, son).done
    assert says(desk, three.referral, son, REFUSED).done
    assert desk.told()[-1].state is WITHDRAWN


def test_who_cannot_be_asked_changes_nothing_of_what_others_agreed_to(desk: Stage, three: Agreed) -> None:
    client, son = ref(desk, three.referral, 0), ref(desk, three.referral, 1)
    assert widened(desk, three, client, son).done
    desk.told()
    assert says(desk, three.referral, son, COULD_NOT_ASK).done
    assert desk.told() == []


@pytest.mark.parametrize(
    ("changes", "label", "rule"),
    [
        ({"state": ConsentState.EXPIRED}, "同意の状態", "S18"),
        ({"state": ConsentState.NARROWED}, "同意の状態", "S18"),
        ({"state": WITHDRAWN}, "同意の状態", "C11"),
        ({"obtained_by": " "}, "確かめた人", "C2"),
        ({"obtained_on": date(2026, 11, 25)}, "確かめた日", "C1"),
        ({"note": "1234 5678 9018"}, "覚え書き", "my-number"),
        ({"after": 3}, "前の記録", "decided-meanwhile"),
    ],
)
def test_what_a_member_cannot_have_said_is_refused_by_field_and_rule(
    desk: Stage, three: Agreed, changes: dict[str, Any], label: str, rule: str
) -> None:
    asked = {"state": REFUSED} | changes
    answer = says(desk, three.referral, ref(desk, three.referral, 1), **asked)
    assert (answer.done, answer.rule, answer.reason.startswith(f"{label}: ")) == (False, rule, True)
    assert desk.do(lambda tx: tx.execute(select(member_consent)).all()) == []


def test_the_clients_own_consent_is_not_a_members(desk: Stage, three: Agreed) -> None:
    answer = says(desk, three.referral, ref(desk, three.referral, 0), REFUSED)
    assert (answer.done, answer.rule) == (False, "C11")
    assert "kasane consent" in answer.reason
    assert says(desk, three.referral, uuid4(), REFUSED).rule == "household-unknown"


def test_a_note_of_ten_thousand_letters_is_kept(desk: Stage, three: Agreed) -> None:
    assert says(desk, three.referral, ref(desk, three.referral, 1), REFUSED, note="あ" * 10_000).done


# -- secrecy -----------------------------------------------------------------------------------------------------------


def hidden_child(desk: Stage, one: Agreed) -> UUID:
    """The grandchild lives with her grandmother; school and whereabouts are known and secret."""
    child = ref(desk, one.referral, 2)
    for detail, text in ((Detail.SCHOOL, "小林小学校"), (Detail.WHEREABOUTS, SECRET_PLACE)):
        assert write(desk, one.referral, child, detail, text).done
    assert hide(desk, one.referral, child).done
    return child


@pytest.mark.rule("S18")
def test_juso_is_told_by_reference_who_may_see_when_secrecy_is_set_and_lifted(desk: Stage, three: Agreed) -> None:
    desk.told()
    child = hidden_child(desk, three)
    (told,) = desk.told()
    assert isinstance(told, SecrecyChanged)
    assert (told.about, told.version, told.members, told.viewers) == (three.case, 1, (child,), (COLLEAGUE.person,))
    client = ref(desk, three.referral, 0)
    assert hide(desk, three.referral, client, viewers=(CITY.person,)).done
    (both,) = desk.told()
    assert (both.version, both.viewers) == (2, ()), "only who is named for both"
    lifted = {"after": 1, "secret": False, "ground": None, "viewers": (), "review_on": None, "note": "転居した。"}
    assert hide(desk, three.referral, client, **lifted).done
    (back,) = desk.told()
    assert (back.version, back.members, back.viewers) == (3, (child,), (COLLEAGUE.person,))


@pytest.mark.rule("S18")
def test_what_leads_to_a_secret_member_is_shown_to_those_named_and_to_nobody_else(desk: Stage, three: Agreed) -> None:
    hidden_child(desk, three)
    found = look(desk, three.referral)
    child = called(found, "髙橋 結衣")
    assert (child.details, child.secret, set(child.hidden)) == ({}, True, set(Detail))
    assert (child.secrecy, child.review_on) == (0, None)
    for word in ("小林小学校", SECRET_PLACE, "9901"):
        assert word not in found.model_dump_json()
    named = called(look(desk, three.referral, by=COLLEAGUE), "髙橋 結衣")
    assert named.details == {Detail.SCHOOL: "小林小学校", Detail.WHEREABOUTS: SECRET_PLACE}
    assert (named.hidden, named.secrecy, named.review_on) == ((), 1, date(2027, 11, 20))


@pytest.mark.rule("S18")
def test_the_door_of_whoever_lives_with_a_secret_member_is_hidden_too_until_she_lives_elsewhere(
    desk: Stage, three: Agreed
) -> None:
    child = hidden_child(desk, three)
    client = called(look(desk, three.referral), "髙橋 キヨ子")
    assert (client.details, client.secret) == ({}, False)
    assert set(client.hidden) == {Detail.ADDRESS, Detail.PHONE, Detail.WHEREABOUTS}
    assert change(desk, three.referral, Change.SPLIT, members=(child,)).done
    found = look(desk, three.referral)
    assert called(found, "髙橋 キヨ子").details[Detail.ADDRESS] == "小林市細野9901番地"
    assert names(found) == ["髙橋 キヨ子", "髙橋 和彦"]
    apart = look(desk, three.referral, member=child)
    assert (names(apart), apart.members[0].details) == (["髙橋 結衣"], {})


def test_what_is_not_known_of_a_secret_member_looks_like_what_is(desk: Stage, three: Agreed) -> None:
    child = ref(desk, three.referral, 2)
    hide(desk, three.referral, child)
    bare = called(look(desk, three.referral), "髙橋 結衣")
    assert write(desk, three.referral, child, Detail.SCHOOL, "小林小学校").done
    assert called(look(desk, three.referral), "髙橋 結衣") == bare


@pytest.mark.rule("S18")
def test_only_one_who_sees_changes_or_lifts_secrecy_and_a_date_of_review_lifts_nothing(
    desk: Stage, three: Agreed
) -> None:
    child = hidden_child(desk, three)
    lift = {
        "secret": False,
        "ground": None,
        "viewers": (),
        "review_on": None,
        "note": "支援措置が終わり、本人も望んだ。",
    }
    by_outsider = hide(desk, three.referral, child, after=1, **lift)
    assert (by_outsider.done, by_outsider.rule) == (False, "S18")
    assert hide(desk, three.referral, child, after=1, viewers=(CITY.person,)).rule == "S18", "nor names himself"
    desk.pass_time(days=700)
    assert called(look(desk, three.referral), "髙橋 結衣").details == {}
    assert hide(desk, three.referral, child, after=1, by=COLLEAGUE, **(lift | {"note": " "})).rule == "required"
    assert hide(desk, three.referral, child, after=1, by=COLLEAGUE, **lift).done
    assert called(look(desk, three.referral), "髙橋 結衣").details[Detail.SCHOOL] == "小林小学校"
    assert hide(desk, three.referral, child, after=2, by=COLLEAGUE, **lift).rule == "S18", "there is none to lift"


@pytest.mark.parametrize(
    ("changes", "label", "rule"),
    [
        ({"ground": None}, "秘匿の事由", "required"),
        ({"viewers": ()}, "見てよい人", "required"),
        ({"review_on": date(2026, 11, 24)}, "見直しの日", "date-range"),
        ({"note": "1234 5678 9018"}, "覚え書き", "my-number"),
        ({"after": 1}, "前の記録", "decided-meanwhile"),
    ],
)
def test_secrecy_that_cannot_be_set_so_names_field_and_rule(
    desk: Stage, three: Agreed, changes: dict[str, Any], label: str, rule: str
) -> None:
    answer = hide(desk, three.referral, ref(desk, three.referral, 2), **changes)
    assert (answer.done, answer.rule, answer.reason.startswith(f"{label}: ")) == (False, rule, True)
    assert desk.do(lambda tx: tx.execute(select(secrecy_viewer)).all()) == []


@pytest.mark.rule("S18")
def test_free_text_shown_elsewhere_goes_without_a_secret_members_whereabouts(desk: Stage) -> None:
    story = "孫は 小林市 堤０００１番地の「みどり荘」２０３ に移った。電話は０９８４(00)1201。"
    one = agree(desk, members=(CHILD,), wishes=story, reason="母は細野9901番地に住む。")
    child = ref(desk, one.referral, 1)
    write(desk, one.referral, child, Detail.WHEREABOUTS, "小林市堤0001番地")
    assert desk.ask(ClientOf(case=one.case)).wishes == story
    hide(desk, one.referral, child)
    shown = desk.ask(ClientOf(case=one.case))
    assert "堤" not in shown.wishes
    assert "0001" not in shown.wishes
    assert "1201" not in shown.wishes, "the telephone of the home she lives in"
    assert shown.wishes.count(MASK) == 2
    assert "みどり荘" in shown.wishes, "what nobody wrote down as whereabouts cannot be found"
    assert shown.name == "髙橋 キヨ子"


def test_what_is_handed_to_shien_goes_without_it_too(desk: Stage) -> None:
    key = take(desk, without_consent(REFUSED, members=(CHILD,), wishes=f"孫は{SECRET_PLACE}にいる。"))
    child = ref(desk, key, 1)
    write(desk, key, child, Detail.WHEREABOUTS, SECRET_PLACE)
    hide(desk, key, child)
    ((case, who),) = desk.do(handlers._waiting)
    assert TakeInClient(case=case, particulars=who).particulars.wishes == f"孫は{MASK}にいる。"


@pytest.mark.parametrize(
    ("text", "hidden", "masked"),
    [
        ("堤1-2-3 に住む", ["堤１−２−３"], "〔秘匿〕 に住む"),
        ("電話は0984001201。", ["0984-00-1201"], "電話は〔秘匿〕。"),
        ("三番町", ["三番"], "三番町"),
        ("髙橋は町内に", ["町内"], "髙橋は町内に"),
        ("", ["小林市堤0001番地"], ""),
        ("ＡＢＣアパート", ["abcアパート"], "〔秘匿〕"),
        ("全角のまま１２３", ["小林市堤0001番地"], "全角のまま１２３"),
        ("(a+)+b (a+)+b", ["(a+)+b!*xyz"], "(a+)+b (a+)+b"),
    ],
)
def test_masking_finds_a_text_however_it_is_spaced_and_nothing_else(text: str, hidden: list[str], masked: str) -> None:
    assert mask(text, hidden) == masked


# -- who may see and who may not ---------------------------------------------------------------------------------------


def test_an_outside_coordinator_sees_only_members_whom_the_consent_names_and_nobody_without_one(
    desk: Stage, three: Agreed
) -> None:
    assert names(look(desk, three.referral, by=OUTSIDE)) == ["髙橋 キヨ子"]
    nothing = look(desk, uuid4(), by=OUTSIDE)
    assert look(desk, three.referral, by=OUTSIDE, member=ref(desk, three.referral, 1)) == nothing
    shien = take(desk, without_consent(REFUSED, number="2"))
    assert look(desk, shien, by=OUTSIDE) == nothing
    assert [look(desk, three.referral, by=by) for by in (REFERRER, STRANGER)] == [nothing] * 2
    assert three.record(state=WITHDRAWN).done
    assert look(desk, three.referral, by=OUTSIDE) == nothing
    assert len(look(desk, three.referral).members) == 3, "to the 市町村 that took it in"


@pytest.mark.parametrize("by", [OUTSIDE, REFERRER, STRANGER])
def test_only_the_municipality_writes(desk: Stage, three: Agreed, by: Officer) -> None:
    key, son = three.referral, ref(desk, three.referral, 1)
    answers = [
        change(desk, key, Change.LEAVE, members=(son,), by=by),
        says(desk, key, son, REFUSED, by=by),
        write(desk, key, son, Detail.SCHOOL, "小林高校", by=by),
        hide(desk, key, son, by=by),
        desk.ask(LookAtShown(by=by, referral=key)),
    ]
    assert [(one.done, one.rule) for one in answers] == [(False, "S1")] * 5
    assert all(one.next_step for one in answers)


def test_every_member_shown_stands_in_the_register_masked_or_not(desk: Stage, three: Agreed) -> None:
    hidden_child(desk, three)
    desk.do(lambda tx: tx.execute(select(showing)).all())
    look(desk, three.referral)
    look(desk, three.referral, by=COLLEAGUE)
    child = ref(desk, three.referral, 2)
    rows = desk.ask(LookAtShown(by=CITY, referral=three.referral)).rows
    assert {(row.person, row.masked) for row in rows if row.member == child} == {
        (CITY.person, True),
        (COLLEAGUE.person, False),
    }
    assert {(row.what, row.rule, row.agency) for row in rows} == {("household", "reception", "kenko")}


def test_an_erased_referral_has_no_household_and_its_words_are_gone_from_the_rows(desk: Stage, three: Agreed) -> None:
    child = hidden_child(desk, three)
    says(desk, three.referral, child, REFUSED, note="祖母が答えた。")
    assert desk.ask(EraseReferral(referral=three.referral, reason=EraseReason.REQUEST)).done
    assert not look(desk, three.referral, by=COLLEAGUE).done
    (said,) = desk.do(lambda tx: tx.execute(select(member_consent)).all())
    assert (said.state, said.note, said.obtained_by) == ("refused", None, None)
    assert {one.text for one in desk.do(lambda tx: tx.execute(select(member_detail)).all())} == {None}
    assert desk.ask(ShowConsent(referral=three.referral, by=CITY)).members[0][1] == "消去済み"
    with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
        desk.do(lambda tx: tx.execute(update(member_consent).values(state="given")).rowcount)
