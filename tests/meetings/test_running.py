"""Running a sitting: who may hear is derived anew at 開会 and at each item, and nothing counts that was no meeting."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from contracts.commission import Commissions, EndCommission
from contracts.consent import ConsentState
from contracts.counts import FactKind, MeetingFacts
from contracts.disclosure import DisclosuresAtMeetings
from contracts.erasure import EraseAnswers
from contracts.life import Outcome, Role
from contracts.meetings import ItemPlaced, ItemUnplaced
from contracts.message import Compartment
from contracts.policy_terms import Act
from contracts.profile import Agency, Profile
from contracts.running import HearingOpened, ItemHeard, Move, Proceeding, ProxyGround, Result
from services.meetings.running import Hearing, Room, Stay
from services.meetings.running_rules import Called, judge
from services.meetings.running_tables import proceeding
from tests.meetings.sitting_hands import Chair
from tests.meetings.stand_in import Cut, Hands, consented, person, put_forward, withdrawn
from tests.meetings.test_meetings import at, everything, execute, placed, rows

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
BOTH = ("fukushi", "shakyo")


async def begun(hands: Hands, *items: Any) -> Chair:
    """The hour of the first sitting that hears these has come."""
    await placed(hands, *items)
    first = everything(hands).sittings[0]
    hands.stage.time = first.starts + timedelta(minutes=1)
    await hands.run_errand("compare_with_ledger") if hands.compartment is JUSO else None
    hands.stage.told()
    return Chair(hands, first.sitting)


def heard(hands: Hands, case: Any) -> set[str]:
    found = hands.stage.ask(DisclosuresAtMeetings(cases=(case,))).rows
    return {one.agency for one in found if one.act is Act.HEAR}


# -- the whole way -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("P1", "P2", "M6", "T2")
async def test_a_sitting_is_run_from_opening_to_approved_minutes(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH, "jiritsu")
    await chair.did(Proceeding.JUDGE)
    opened = juso.stage.told()
    assert [type(told) for told in opened] == [HearingOpened, HearingOpened]
    await chair.hear(one.about)
    result = Result(outcome=Outcome.FIT_AMENDED, words="訪問は午後にする。", roles=(), local_issue=True)
    await chair.did(Proceeding.CALL, item=two.about)
    await chair.did(Proceeding.RECORD, item=two.about, result=result)
    await chair.did(Proceeding.CLOSE)
    told = juso.stage.told()
    assert [(t.about, t.outcome, t.approved) for t in told if isinstance(t, ItemHeard)] == [
        (one.about, Outcome.FIT, False),
        (two.about, Outcome.FIT_AMENDED, False),
    ]
    assert all(set(t.present) == {*BOTH, "jiritsu"} for t in told if isinstance(t, ItemHeard))
    assert heard(juso, one.case) == heard(juso, two.case) == {*BOTH, "jiritsu"}
    view = await chair.look()
    assert [item.state for item in view.items] == ["heard", "heard"]
    (second,) = [item for item in view.items if item.item == two.about]
    assert second.versions[0].result == result
    assert len(view.wanted_approvals) == 2
    await chair.did(Proceeding.APPROVE)
    assert juso.stage.told() == []
    chair.viewer, chair.agency = person("shakyo"), "shakyo"
    await chair.did(Proceeding.APPROVE)
    approved = [t for t in juso.stage.told() if isinstance(t, ItemHeard)]
    assert [(t.about, t.approved) for t in approved] == [(one.about, True), (two.about, True)]
    assert all(later.version > earlier.version for later, earlier in zip(approved, told, strict=True))


async def test_an_event_holds_no_word_of_what_was_said(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about, Outcome.AGAIN, "𠮷田さんの借金を整理する。")
    await chair.did(Proceeding.CLOSE)
    assert "𠮷田" not in str(juso.stage.told())
    (row,) = [row for row in rows(juso, proceeding) if row.what == "record"]
    assert "𠮷田" not in str(row.codes)
    assert "𠮷田".encode() not in row.words


# -- opening and quorum ------------------------------------------------------------------------------------------------


@pytest.mark.rule("P1", "P2", "T4")
async def test_without_those_who_must_be_there_it_is_a_case_conference_and_goes_to_the_next(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with("fukushi", "jiritsu")
    refused = await chair.does(Proceeding.JUDGE)
    assert (refused.done, refused.rule) == (False, "P1")
    assert "多機関協働事業者" in refused.reason
    assert refused.next_step
    assert not (await chair.does(Proceeding.CALL, item=one.about)).done
    await chair.did(Proceeding.GIVE_UP)
    (told,) = juso.stage.told()
    assert isinstance(told, ItemUnplaced)
    assert (told.about, told.again) == (one.about, True)
    view = await chair.look()
    assert (view.verdict, view.items[0].state) == ("case_conference", "carried")
    await juso.work()
    (again,) = [t for t in juso.stage.told() if isinstance(t, ItemPlaced)]
    assert again.about == one.about
    assert again.sitting != chair.sitting
    assert again.version > told.version


@pytest.mark.rule("P1")
async def test_a_sitting_of_ones_own_that_failed_gives_its_item_another(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward(urgent=True)
    chair = await begun(juso, one)
    await chair.open_with("shakyo")
    await chair.did(Proceeding.GIVE_UP)
    await juso.work()
    placed_again = [t for t in juso.stage.told() if isinstance(t, ItemPlaced)]
    assert [t.about for t in placed_again] == [one.about]
    assert placed_again[0].sitting != chair.sitting


@pytest.mark.rule("P1", "T4")
@pytest.mark.parametrize(("there", "held"), [(BOTH, 1), (BOTH[:1], 0)], ids=["held", "case conference"])
@pytest.mark.parametrize("urgent", [False, True], ids=["regular", "of its own"])
async def test_only_what_was_a_meeting_is_counted(
    hands: Building, there: tuple[str, ...], held: int, urgent: bool
) -> None:
    juso, one = hands(JUSO), put_forward(urgent=urgent)
    chair = await begun(juso, one)
    await chair.open_with(*there)
    if held:
        await chair.did(Proceeding.JUDGE)
        await chair.hear(one.about, Outcome.AGAIN, "家計の見通しを確かめる。")
        await chair.did(Proceeding.CLOSE)
    else:
        await chair.did(Proceeding.GIVE_UP)
    juso.stage.pass_time(days=1)
    found = juso.stage.ask(MeetingFacts(begins=date(2026, 11, 1), ends=date(2027, 1, 1))).facts
    assert [fact.kind for fact in found].count(FactKind.SITTING_HELD) == held


async def test_a_full_room_is_no_case_conference(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    assert not (await chair.does(Proceeding.GIVE_UP)).done


@pytest.mark.parametrize(("early", "done"), [(timedelta(minutes=31), False), (timedelta(minutes=30), True)])
async def test_it_opens_half_an_hour_before_and_not_sooner(hands: Building, early: timedelta, done: bool) -> None:
    juso = hands(JUSO)
    chair = await begun(juso, put_forward())
    juso.stage.time = everything(juso).sittings[0].starts - early
    assert (await chair.does(Proceeding.OPEN)).done is done


async def test_the_next_day_nobody_says_who_heard_it(hands: Building) -> None:
    juso = hands(JUSO)
    chair = await begun(juso, put_forward())
    juso.stage.pass_time(days=1)
    refused = await chair.does(Proceeding.OPEN)
    assert (refused.done, "会議の日が過ぎています" in refused.reason) == (False, True)


# -- consent, anew -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("C11", "M6")
async def test_what_was_withdrawn_an_hour_ago_is_off_with_the_sentence_and_the_way_on(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    chair = await begun(juso, one, two)
    juso.hear(withdrawn(one))
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    view = await chair.look()
    off = next(item for item in view.items if item.item == one.about)
    assert off.state == "off"
    assert "撤回" in off.refusal
    assert "改めて同意を得るか" in off.refusal
    refused = await chair.does(Proceeding.CALL, item=one.about)
    assert (refused.done, refused.rule) == (False, "C11")
    await chair.hear(two.about)
    assert heard(juso, one.case) == set()


@pytest.mark.rule("C11")
async def test_the_ledger_knows_of_a_withdrawal_before_we_do(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    juso.town.ledger[one.consent] = withdrawn(one)
    refused = await chair.does(Proceeding.CALL, item=one.about)
    assert (refused.done, "撤回" in refused.reason) == (False, True)
    assert refused.next_step
    assert heard(juso, one.case) == set()


@pytest.mark.rule("C11")
async def test_a_consent_that_ran_out_in_silence_is_noticed_at_the_opening(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    juso.hear(consented(one, *(a.code for a in juso.profile.agencies), ends=at(2026, 12, 17, "14:10")))
    chair = await begun(juso, one, two)
    juso.stage.pass_time(minutes=15)
    await juso.run_errand("compare_with_ledger")
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    off = next(item for item in (await chair.look()).items if item.item == one.about)
    assert (off.state, "期限" in off.refusal) == ("off", True)
    assert (await chair.does(Proceeding.CALL, item=one.about)).rule == "C11"
    assert (await chair.does(Proceeding.CALL, item=two.about)).done


@pytest.mark.rule("M6", "C3")
async def test_who_is_outside_the_consent_leaves_for_that_item_only(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    juso.hear(consented(one, *BOTH, state=ConsentState.NARROWED))
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH, "jiritsu")
    await chair.did(Proceeding.JUDGE)
    await chair.did(Proceeding.CALL, item=one.about)
    now = next(item for item in (await chair.look()).items if item.item == one.about)
    assert (set(now.heard_by), now.leaving) == (set(BOTH), ("jiritsu",))
    await chair.did(Proceeding.RECORD, item=one.about, result=Result(outcome=Outcome.FIT))
    await chair.hear(two.about)
    assert heard(juso, one.case) == set(BOTH)
    assert heard(juso, two.case) == {*BOTH, "jiritsu"}


@pytest.mark.rule("M6")
async def test_who_comes_late_hears_what_is_open_only_inside_the_consent(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    juso.hear(consented(one, *BOTH, "kodomo", state=ConsentState.NARROWED))
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.did(Proceeding.CALL, item=one.about)
    await chair.did(Proceeding.ENTER, person=person("kodomo"))
    await chair.did(Proceeding.ENTER, person=person("jiritsu"))
    assert heard(juso, one.case) == {*BOTH, "kodomo"}
    too_early = await chair.does(Proceeding.ENTER, person=person("choju"), at=juso.now() - timedelta(seconds=1))
    assert not too_early.done
    await chair.did(Proceeding.RECORD, item=one.about, result=Result(outcome=Outcome.FIT))
    await chair.did(Proceeding.LEAVE, person=person("kodomo"))
    await chair.hear(two.about)
    assert heard(juso, two.case) == {*BOTH, "jiritsu"}


@pytest.mark.rule("C3")
async def test_nobody_outside_the_consent_gets_a_role(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    juso.hear(consented(one, *BOTH, state=ConsentState.NARROWED))
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.did(Proceeding.CALL, item=one.about)
    role = Role(agency="jiritsu", until="2027-01-31", does="家計の相談")
    refused = await chair.does(Proceeding.RECORD, item=one.about, result=Result(outcome=Outcome.FIT, roles=(role,)))
    assert (refused.done, refused.rule) == (False, "C3")
    assert "家計" not in refused.reason


# -- shien -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S14", "S3")
async def test_secrecy_is_explained_before_the_agenda_of_a_shien_sitting_opens(hands: Building) -> None:
    shien, one = hands(SHIEN), put_forward()
    chair = await begun(shien, one)
    await chair.open_with("fukushi")
    refused = await chair.does(Proceeding.JUDGE)
    assert (refused.done, refused.rule) == (False, "S14")
    await chair.did(Proceeding.EXPLAIN)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about)
    assert heard(shien, one.case) == {"fukushi"}


@pytest.mark.rule("S1")
async def test_only_the_city_runs_a_shien_sitting(hands: Building) -> None:
    shien = hands(SHIEN)
    chair = await begun(shien, put_forward())
    chair.viewer, chair.agency = person("shakyo"), "shakyo"
    refused = await chair.does(Proceeding.OPEN)
    assert (refused.done, refused.rule) == (False, "S1")


# -- attendance --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S12")
async def test_a_substitute_is_noted_with_post_and_ground(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.did(Proceeding.OPEN)
    seated = {seat.person for seat in (await chair.look()).seats}
    other = next(p.person for p in juso.town.staff if p.agency == "shakyo" and p.person not in seated)
    post = next(p.posts[0] for p in juso.town.staff if p.person == other)
    refused = await chair.does(Proceeding.ENTER, person=other)
    assert (refused.done, refused.rule) == (False, "S12")
    await chair.did(Proceeding.ENTER, person=other, post=post, ground=ProxyGround.LETTER)
    await chair.did(Proceeding.ENTER, person=person("fukushi"))
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about)
    stay = (await chair.look()).attendance[0]
    assert (stay.person, stay.post, stay.ground) == (other, post, ProxyGround.LETTER)
    assert heard(juso, one.case) == set(BOTH)


async def test_nobody_comes_in_whose_agency_has_no_seat(hands: Building) -> None:
    juso = hands(JUSO)
    chair = await begun(juso, put_forward("jiritsu", urgent=True))
    await chair.did(Proceeding.OPEN)
    refused = await chair.does(
        Proceeding.ENTER, person=person("kodomo"), post=juso.profile.secretariat_post, ground=ProxyGround.RULE
    )
    assert (refused.done, refused.rule) == (False, "P5")


# -- nothing twice, nothing lost ---------------------------------------------------------------------------------------


async def test_the_same_request_is_one_act_and_another_content_is_refused(hands: Building) -> None:
    juso = hands(JUSO)
    chair = await begun(juso, put_forward())
    request = uuid4()
    first = await chair.ask(Move(what=Proceeding.OPEN), request=request)
    again = await chair.ask(Move(what=Proceeding.OPEN), request=request, after=0)
    assert (first.acts, again.done, again.acts) == (1, True, 1)
    other = await chair.ask(Move(what=Proceeding.JUDGE), request=request)
    assert not other.done
    assert len(rows(juso, proceeding)) == 1


async def test_of_two_who_act_at_once_the_second_is_told(hands: Building) -> None:
    juso = hands(JUSO)
    chair = await begun(juso, put_forward())
    await chair.did(Proceeding.OPEN)
    refused = await chair.ask(Move(what=Proceeding.ENTER, person=person("fukushi")), after=0)
    assert (refused.done, "ほかの人が先に" in refused.reason) == (False, True)


async def test_what_was_not_reached_goes_to_the_next_sitting(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    juso.stage.told()
    await chair.hear(one.about)
    await chair.did(Proceeding.CLOSE)
    assert [(type(t), t.about) for t in juso.stage.told()] == [(ItemHeard, one.about), (ItemUnplaced, two.about)]


async def test_a_withdrawal_after_the_result_leaves_it_on_record(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about)
    juso.stage.told()
    juso.hear(withdrawn(one))
    assert juso.stage.told() == []
    await chair.did(Proceeding.CLOSE)
    assert [type(t) for t in juso.stage.told()] == [ItemHeard]


@pytest.mark.rule("S13")
async def test_minutes_get_versions_and_a_correction_wants_approval_anew(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about)
    await chair.did(Proceeding.CLOSE)
    await chair.did(Proceeding.APPROVE)
    twice = await chair.does(Proceeding.APPROVE)
    assert (twice.done, twice.rule) == (False, "S13")
    fixed = Result(outcome=Outcome.FIT, words="言い直し")
    await chair.did(Proceeding.CORRECT, item=one.about, result=fixed)
    changed = await chair.does(Proceeding.CORRECT, item=one.about, result=Result(outcome=Outcome.AGAIN, words="違う"))
    assert (changed.done, changed.rule) == (False, "S13")
    view = await chair.look()
    assert [v.number for v in view.items[0].versions] == [1, 2]
    assert view.items[0].versions[1].result == fixed
    assert len(view.wanted_approvals) == 2


async def test_a_my_number_in_the_minutes_is_refused_without_repeating_it(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.did(Proceeding.CALL, item=one.about)
    result = Result(outcome=Outcome.AGAIN, words="番号は 123456789018 です")
    refused = await chair.does(Proceeding.RECORD, item=one.about, result=result)
    assert (refused.done, refused.rule) == (False, "T2")
    assert "123456789018" not in str(refused)


# -- cut off, and erased -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", range(4))
async def test_cut_off_anywhere_an_item_is_called_once_and_whoever_heard_it_is_registered_once(
    hands: Building, left: int
) -> None:
    juso, one = hands(JUSO), put_forward()
    chair = await begun(juso, one)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    request, before = uuid4(), chair.acts
    juso.left = left
    with pytest.raises(Cut):
        await chair.ask(Move(what=Proceeding.CALL, item=one.about), request=request)
    juso.left = None
    again = await chair.ask(Move(what=Proceeding.CALL, item=one.about), request=request, after=before)
    assert (again.done, again.acts) == (True, before + 1)
    found = juso.stage.ask(DisclosuresAtMeetings(cases=(one.case,))).rows
    assert sorted(row.agency for row in found if row.act is Act.HEAR) == sorted(BOTH)


async def test_cut_off_at_the_closing_nothing_is_told_twice(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    chair = await begun(juso, one, two)
    await chair.open_with(*BOTH)
    await chair.did(Proceeding.JUDGE)
    await chair.hear(one.about)
    juso.stage.told()
    request, before, told = uuid4(), chair.acts, list[Any]()
    for left in (0, 1):
        juso.left = left
        with pytest.raises(Cut):
            await chair.ask(Move(what=Proceeding.CLOSE), request=request, after=before)
        told += juso.stage.told()
    juso.left = None
    assert (await chair.ask(Move(what=Proceeding.CLOSE), request=request, after=before)).done
    told += juso.stage.told()
    assert sorted(type(one).__name__ for one in told) == ["ItemHeard", "ItemUnplaced"]


@pytest.mark.parametrize("compartment", [JUSO, SHIEN])
async def test_erasing_a_case_shuts_what_the_minutes_say_of_it(hands: Building, compartment: Compartment) -> None:
    here, one, two = hands(compartment), put_forward(), put_forward()
    chair = await begun(here, one)
    await chair.open_with(*(BOTH if compartment is JUSO else BOTH[:1]))
    if compartment is SHIEN:
        await chair.did(Proceeding.EXPLAIN)
    await chair.did(Proceeding.JUDGE)
    role = Role(agency="fukushi", until="2027-01-31", does="家計の相談")
    await chair.did(Proceeding.CALL, item=one.about)
    result = Result(outcome=Outcome.AGAIN, words="𠮷田さんの借金", roles=(role,))
    await chair.did(Proceeding.RECORD, item=one.about, result=result)
    assert here.stage.ask(EraseAnswers(case=two.case)).done
    assert (await chair.look()).items[0].versions[0].result == result
    assert here.stage.ask(EraseAnswers(case=one.case)).done
    assert here.stage.ask(EraseAnswers(case=one.case)).done
    (version,) = (await chair.look()).items[0].versions
    assert (version.result.words, version.result.roles[0].does) == ("", "")
    assert version.result.outcome is Outcome.AGAIN


async def test_what_was_done_in_a_sitting_is_never_rewritten(hands: Building) -> None:
    juso = hands(JUSO)
    chair = await begun(juso, put_forward())
    await chair.did(Proceeding.OPEN)
    for statement in (update(proceeding).values(agency="jiritsu"), delete(proceeding)):
        with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
            execute(juso, statement)


# -- the policy, for those who look ------------------------------------------------------------------------------------


@pytest.mark.rule("C3", "S11")
async def test_whoever_looks_sees_only_what_the_consent_opens_and_is_registered(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward(), put_forward()
    juso.hear(consented(one, *BOTH, state=ConsentState.NARROWED))
    chair = await begun(juso, one, two)
    await chair.did(Proceeding.OPEN)
    seen = await chair.look(person("jiritsu"), "jiritsu")
    assert [item.item for item in seen.items] == [two.about]
    assert (seen.may_run, seen.ways) == (False, ())
    shown = [
        row for row in juso.stage.ask(DisclosuresAtMeetings(cases=(one.case, two.case))).rows if row.act is Act.SHOW
    ]
    assert {(row.case, row.agency) for row in shown} == {(two.case, "jiritsu")}
    stranger = next(a.code for a in juso.profile.agencies if a.code not in {s.agency for s in seen.seats})
    assert not (await chair.look(uuid4(), stranger)).found


@pytest.mark.rule("S6")
async def test_whoever_runs_a_shien_sitting_is_bound_to_secrecy(hands: Building) -> None:
    shien = hands(SHIEN)
    chair = await begun(shien, put_forward())
    (bound, *_) = [one.commission for one in shien.stage.ask(Commissions()).commissions if one.agency == "fukushi"]
    shien.stage.ask(EndCommission(commission=bound))
    refused = await chair.does(Proceeding.OPEN)
    assert (refused.done, refused.rule) == (False, "S6")
    assert not (await chair.look()).found


# -- what a body may find ----------------------------------------------------------------------------------------------


@pytest.mark.rule("D6", "M10")
@pytest.mark.parametrize(
    ("decides", "above", "outcome", "rule"),
    [
        (False, "daihyosha", Outcome.FIT, "D6"),
        (False, "daihyosha", Outcome.RAISE, ""),
        (True, None, Outcome.RAISE, "M10"),
        (True, None, Outcome.FIT, ""),
    ],
)
def test_a_body_finds_only_what_it_may(
    kobayashi: Profile, decides: bool, above: str | None, outcome: Outcome, rule: str
) -> None:
    about, now = uuid4(), datetime(2026, 12, 17, 5, 10, tzinfo=UTC)
    body = kobayashi.bodies[0].model_copy(update={"decides": decides, "escalates_to": above})
    profile = kobayashi.model_copy(update={"bodies": (body,)})
    there = tuple(Stay(uuid4(), agency, None, None, now) for agency in BOTH)
    open_now = Hearing(now, tuple((stay.person, stay.agency) for stay in there), ())
    room = Room(acts=5, opened=now, verdict="held", stays=there, hearings={about: open_now})
    move = Move(what=Proceeding.RECORD, item=about, result=Result(outcome=outcome, words="理由"))
    refusal = judge(room, move, Called(now, JUSO, body.code, {about: "shakyo"}), profile, now)
    assert (refusal.rule if refusal else "") == rule


@pytest.mark.rule("P1")
def test_an_item_waits_for_the_coordinator_who_carries_it(kobayashi: Profile) -> None:
    another = Agency(code="csw", name="地域福祉コーディネーター", kind="coordinator")
    profile = kobayashi.model_copy(update={"agencies": (*kobayashi.agencies, another)})
    about, now = uuid4(), datetime(2026, 12, 17, 5, 10, tzinfo=UTC)
    there = tuple(Stay(uuid4(), agency, None, None, now) for agency in ("fukushi", "csw"))
    room = Room(acts=5, opened=now, verdict="held", stays=there)
    called = Called(now, JUSO, "teirei", {about: "shakyo"})
    refusal = judge(room, Move(what=Proceeding.CALL, item=about), called, profile, now)
    assert refusal is not None
    assert (refusal.rule, "多機関協働の担当" in refusal.reason) == ("P1", True)
