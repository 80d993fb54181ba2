"""Ends that no meeting found: without a consent, by mistake, and by a consent that leads elsewhere, on both engines."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.erasure import EraseCase, EraseReason
from contracts.intake import ReferralWithConsent
from contracts.life import Act, LifeView, LookAtDue, State, Step
from contracts.message import Compartment
from services.coordination.facts import own_facts
from services.coordination.tables import act as acts
from tests.coordination.stand_in import COORDINATOR, COUNSELLOR, NURSE, OFFICER, Hands, consented, scope_of
from tests.coordination.test_life import DAY, LEGAL, act
from tests.coordination.test_living import ALL, EVERYBODY, case_in, look, take, walk, walk_on

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
TO_DECIDED = (Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT)


async def withdrawn(juso: Hands, *steps: Act | Step) -> tuple[UUID, ReferralWithConsent]:
    """A case that has come so far when its consent is withdrawn."""
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL)
    await walk(juso, referral.about, *steps)
    juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
    return referral.about, referral


@pytest.mark.rule("C11", "D11")
async def test_a_running_case_whose_consent_was_withdrawn_is_ended_with_its_notice_in_codes_and_days(
    hands: Ready,
) -> None:
    juso = hands(JUSO)
    case, _ = await withdrawn(juso, *TO_DECIDED, act(Step.DECIDE, notified_on=None))
    seen = await look(juso, case)
    assert (seen.found, seen.stopped, seen.state, seen.acts, seen.since) == (False, True, State.UNDERWAY, 5, DAY)
    assert (seen.history, seen.plan, seen.sitting, seen.heard, seen.outside) == ((), None, None, None, ())
    assert [one.rule for one in seen.due] == ["D11"]
    assert (await take(juso, case, Step.STOP, 5)).rule == "D11"
    assert (await take(juso, case, Act(step=Step.NOTIFY, on=DAY), 5)).done
    assert (await take(juso, case, Step.STOP, 6)).state is State.CLOSED
    rows = juso.stage.do(lambda tx: tx.execute(select(acts).where(acts.c.case == case, acts.c.number > 5)).all())
    for row in rows:
        assert {name for name, value in row.codes.items() if value} == {"step", "on"}
    ways = [fact.dims for fact in juso.stage.do(own_facts) if fact.kind == "case_left"]
    assert [list(one.values()) for one in ways] == [[("no_consent",)]]


@pytest.mark.rule("C11", "T6")
async def test_of_a_withdrawn_case_a_death_is_recorded_without_a_word_and_taken_back_without_one(hands: Ready) -> None:
    juso = hands(JUSO)
    case, referral = await withdrawn(juso, *TO_DECIDED)
    told = act(Step.END, ended="died")
    assert (await take(juso, case, told, 4)).rule == "C11", "a text, and names"
    assert (await take(juso, case, Act(step=Step.END, on=DAY, ended="died"), 4)).done
    assert (await take(juso, case, Act(step=Step.CORRECT, on=DAY), 5)).state is State.AGREED
    juso.stage.give(juso.ledger.record(referral, ConsentState.GIVEN, scope_of(referral, *EVERYBODY, purposes=ALL)))
    await juso.errands()
    assert (await take(juso, case, act(Step.DECIDE), 6)).done, "whoever consents again goes on from there"


@pytest.mark.rule("C11")
async def test_a_withdrawn_case_says_where_it_stands_to_those_who_end_it_and_to_nobody_else(hands: Ready) -> None:
    juso = hands(JUSO)
    case, _ = await withdrawn(juso, Step.ASSESS)
    for other in (NURSE, COUNSELLOR):
        assert await look(juso, case, other) == LifeView(found=False)
        assert (await take(juso, case, Act(step=Step.END, on=DAY, ended="died"), 1, other)).rule == "C1"
    assert (await look(juso, case, COORDINATOR)).stopped
    assert (await take(juso, case, Step.STOP, 1, COORDINATOR)).rule == "D2"
    assert juso.stage.ask(EraseCase(case=case, reason=EraseReason.RETENTION)).done
    assert not (await look(juso, case)).stopped, "of what was erased nothing is told"


@pytest.mark.rule("T6", "T7")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_a_death_of_the_wrong_case_is_taken_back_and_what_left_the_meeting_is_put_forward_again(
    hands: Ready, kind: Compartment
) -> None:
    town = hands(kind)
    case = await case_in(town)
    await walk_on(town, case, 0, Step.ASSESS, Step.DRAFT, Step.BRING)
    town.stage.told()
    assert (await take(town, case, act(Step.END, ended="died"), 3)).done
    assert [type(one) for one in town.stage.told()] == [ItemWithdrawn]
    assert (await take(town, case, Step.CORRECT, 4)).state is State.PLANNED
    assert town.stage.told() == [], "the item does not come back by itself"
    wanted = [one.text for one in (await look(town, case)).due if one.rule != "T9"]
    assert wanted == ["プランを会議に付議する"]
    assert (await take(town, case, Step.BRING, 5)).done
    assert [type(one) for one in town.stage.told()] == [ItemPutForward]
    assert [one.act.step for one in (await look(town, case)).history][-3:] == [Step.END, Step.CORRECT, Step.BRING]
    assert not [fact for fact in town.stage.do(own_facts) if fact.kind == "case_left"], "nobody died"


@pytest.mark.rule("C9", "C10")
async def test_what_shows_the_consent_is_sealed_and_the_new_referral_stays_due_until_its_day_is_known(
    hands: Ready,
) -> None:
    shien = hands(SHIEN)
    case = await case_in(shien)
    evidence = "本人の署名。髙橋が立ち会った。"
    done = await walk(shien, case, Step.ASSESS, act(Step.MOVE_ON, evidence=evidence))
    row = shien.stage.do(lambda tx: tx.execute(select(acts).where(acts.c.number == 2)).one())
    assert evidence not in str(row.codes)
    assert evidence.encode() not in row.words
    assert (await look(shien, case)).history[1].act.evidence == evidence
    shien.stage.pass_time(days=60)
    (waits,) = (await shien.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))).cases
    assert [(one.rule, one.late) for one in waits.due] == [("C10", True)], "still on the list after its month of rest"
    assert (await take(shien, case, act(Step.RECEIVE, minutes="0000200"), done.number)).rule == "C10"
    assert (await take(shien, case, Step.RECEIVE, done.number)).done
    assert (await shien.perform(LookAtDue(viewer=OFFICER, viewer_agency="fukushi"))).cases == ()
