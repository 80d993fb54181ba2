"""What stays overdue comes to the next regular meeting: proposed, confirmed once, or by itself, always lawfully."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from contracts.consent import ConsentState
from contracts.coordinating import Power
from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.erasure import EraseCase, EraseReason
from contracts.escalation import Escalate, Escalated
from contracts.life import Due, DueList, LookAtDue, Overdue, State, Step
from contracts.message import Compartment
from contracts.profile import Deadlines
from contracts.purpose import Purpose
from services.audit import audit
from services.coordination import escalating
from services.coordination.escalation_rules import Before, worst
from services.coordination.life_terms import Life
from services.coordination.tables import escalation, item
from tests.coordination.stand_in import COORDINATOR, COUNSELLOR, OFFICER, VIEWERS, Hands, consented
from tests.coordination.test_life import DAY, act
from tests.coordination.test_living import ALL, EVERYBODY, case_in, hold, look, take, walk

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
LATE = datetime(2027, 1, 12, 1, 0, tzinfo=UTC)
"""Tuesday, 10:00 in Japan: what was to be answered by 8 December and assessed by the 24th is long overdue (T9, T1)."""


async def heard_once(hands: Hands) -> UUID:
    """A case whose first sitting is over, so that no meeting waits for it."""
    case = await case_in(hands)
    first = hands.stage.do(lambda tx: tx.execute(select(item.c.id).where(item.c.case == case)).scalar_one())
    hold(hands, case, first, timedelta(hours=3))
    hands.stage.told()
    return case


async def later(hands: Hands, moment: datetime = LATE) -> None:
    hands.stage.time = moment
    await hands.errands()


async def proposed(hands: Hands, viewer: UUID = OFFICER) -> tuple[Overdue, ...]:
    found = await hands.perform(LookAtDue(viewer=viewer, viewer_agency=VIEWERS[viewer]))
    assert isinstance(found, DueList)
    return found.overdue


async def confirm(hands: Hands, case: UUID, after: int = 0, viewer: UUID = OFFICER, **more: Any) -> Escalated:
    asked = {"case": case, "request": uuid4(), "after": after, "viewer": viewer, "viewer_agency": VIEWERS[viewer]}
    answer = await hands.perform(Escalate.model_validate(asked | more))
    assert isinstance(answer, Escalated)
    return answer


def put(hands: Hands) -> list[ItemPutForward]:
    return [one for one in hands.stage.told() if isinstance(one, ItemPutForward)]


# -- the rule ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M1")
@pytest.mark.parametrize(
    ("state", "late", "before", "proposed"),
    [
        (State.OPENED, 14, Before(), True),
        (State.OPENED, 13, Before(), False),
        (State.UNDERWAY, 14, Before(coming=True), False),
        (State.UNDERWAY, 40, Before(times=1, last_on=date(2026, 11, 11)), False),
        (State.UNDERWAY, 40, Before(times=1, last_on=date(2026, 11, 10)), True),
        (State.AT_MEETING, 40, Before(), False),
        (State.CLOSED, 40, Before(), False),
    ],
)
def test_what_is_overdue_so_long_is_proposed_once_and_again_after_as_many_days(
    state: State, late: int, before: Before, proposed: bool
) -> None:
    today = date(2026, 11, 24)
    due = Due(rule="T4", text="モニタリングをする", on=today - timedelta(days=late), late=True)
    assert worst(Life(JUSO, state=state), [due], before, today, 14) == (due if proposed else None)


# -- proposed ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M1", "D6")
@pytest.mark.parametrize("where", [JUSO, SHIEN])
async def test_it_is_proposed_and_one_click_puts_it_to_the_next_regular_meeting(hands: Ready, where: Any) -> None:
    one = hands(where)
    case = await heard_once(one)
    assert await proposed(one) == ()
    await later(one)
    [found] = await proposed(one)
    assert (found.case, found.after, found.open) == (case, 0, True)
    assert (await confirm(one, case)).done
    [told] = put(one)
    assert (told.case, told.urgent, told.body) == (case, False, None)
    assert told.purpose is (Purpose.PLAN if where is JUSO else Purpose.WATCH)
    assert await proposed(one) == (), "a meeting is to hear it"


async def test_the_same_request_is_one_item_and_of_two_people_the_second_is_told(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    request = uuid4()
    for _ in range(2):
        assert (await confirm(juso, case, request=request)).done
    assert len(put(juso)) == 1
    refused = await confirm(juso, case, viewer=COORDINATOR)
    assert (refused.done, refused.rule) == (False, "M1")
    assert refused.next_step
    assert put(juso) == []


async def test_who_decided_at_once_in_another_process_finds_the_number_taken_and_no_item_is_left(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    [found] = await proposed(juso)
    assert (await confirm(juso, case)).done
    put(juso)
    items = juso.stage.do(lambda tx: len(tx.execute(select(item.c.id)).all()))
    refusal = juso.stage.do(lambda tx: escalating._put(found, uuid4(), None, [], tx))
    assert refusal is escalating.MEANWHILE
    assert juso.stage.do(lambda tx: len(tx.execute(select(item.c.id)).all())) == items


async def test_after_that_meeting_it_is_proposed_again_only_when_as_much_time_went_by(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    await confirm(juso, case)
    [told] = put(juso)
    hold(juso, case, told.about, -timedelta(days=2))
    await later(juso, LATE + timedelta(days=3))
    assert await proposed(juso) == ()
    await later(juso, LATE + timedelta(days=17))
    assert [one.after for one in await proposed(juso)] == [1]
    assert (await confirm(juso, case, after=0)).rule == "M1"
    assert (await confirm(juso, case, after=1)).done


@pytest.mark.rule("T1")
async def test_whoever_brings_the_plan_later_finds_the_item_waiting(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    await confirm(juso, case)
    [told] = put(juso)
    for number, step in enumerate((Step.RECORD_FIRST, Step.ASSESS, Step.DRAFT, Step.BRING)):
        on = {"on": date(2026, 11, 24)} if step is Step.RECORD_FIRST else {}
        assert (await take(juso, case, act(step, **on), number)).done
    assert put(juso) == []
    assert not [one for one in juso.stage.told() if isinstance(one, ItemWithdrawn)]
    kept = juso.stage.do(lambda tx: tx.execute(select(item.c.withdrawn_at).where(item.c.id == told.about)).scalar_one())
    assert kept is None


async def test_a_monitoring_that_nobody_did_is_proposed_too(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await walk(juso, case, Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT)
    put(juso)
    until = (await look(juso, case)).plan
    assert until
    assert until.monitor_on
    await later(juso, datetime(until.monitor_on.year, until.monitor_on.month, until.monitor_on.day, 1, tzinfo=UTC))
    await later(juso, juso.now() + timedelta(days=14))
    [found] = await proposed(juso)
    assert (found.due.rule, found.state) == ("T4", State.UNDERWAY)
    assert (await confirm(juso, case)).done
    assert [one.purpose for one in put(juso)] == [Purpose.REPLAN]


# -- not by everybody, not for everything ------------------------------------------------------------------------------


@pytest.mark.rule("T1")
async def test_who_only_reads_the_case_does_not_put_it_there(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    assert [one.open for one in await proposed(juso, COUNSELLOR)] == [False]
    refused = await confirm(juso, case, viewer=COUNSELLOR)
    assert (refused.done, refused.rule) == (False, "T1")
    assert put(juso) == []


@pytest.mark.rule("C1")
async def test_who_may_not_see_the_case_is_not_told_that_there_is_one(hands: Ready) -> None:
    shien = hands(SHIEN)
    case = await heard_once(shien)
    await later(shien)
    assert await proposed(shien, COUNSELLOR) == ()
    hidden, none = await confirm(shien, case, viewer=COUNSELLOR), await confirm(shien, uuid4(), viewer=COUNSELLOR)
    assert hidden == none
    assert not hidden.done


@pytest.mark.rule("C11")
async def test_nothing_is_put_to_a_meeting_without_a_consent_in_force(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(received_on=DAY), *EVERYBODY, purposes=ALL)
    first = juso.stage.do(lambda tx: tx.execute(select(item.c.id)).scalar_one())
    hold(juso, referral.about, first, timedelta(hours=3))
    await later(juso)
    juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
    juso.stage.told()
    refused = await confirm(juso, referral.about)
    assert (refused.done, refused.rule) == (False, "C11")
    assert put(juso) == []


@pytest.mark.rule("S11")
async def test_an_erased_case_is_not_proposed_any_more(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    assert juso.stage.ask(EraseCase(case=case, reason=EraseReason.REQUEST)).done
    juso.stage.told()
    assert await proposed(juso) == ()
    assert not (await confirm(juso, case)).done
    assert put(juso) == []


@pytest.mark.rule("S13")
async def test_where_only_one_post_may_call_a_meeting_nobody_else_confirms_and_nothing_goes_by_itself(
    hands: Ready,
) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    power = Power(action="call", agency="fukushi", post="representative", title="福祉課長")
    automatic = Deadlines(escalation="automatic")
    profile = juso.profile.model_copy(update={"powers": (power,), "deadlines": automatic})
    juso.profile = juso.stage.store.profile = profile
    await later(juso)
    assert put(juso) == []
    assert (await confirm(juso, case)).rule == "S13"


# -- by itself ---------------------------------------------------------------------------------------------------------


def automatic(hands: Hands) -> None:
    profile = hands.profile.model_copy(update={"deadlines": Deadlines(escalation="automatic")})
    hands.profile = hands.stage.store.profile = profile


@pytest.mark.rule("M1")
async def test_where_the_profile_says_so_it_goes_by_itself_once_in_office_hours(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    automatic(juso)
    await later(juso, LATE + timedelta(hours=8))
    assert put(juso) == [], "the office is closed"
    await later(juso, LATE + timedelta(days=1))
    assert [one.case for one in put(juso)] == [case]
    await later(juso, LATE + timedelta(days=1, hours=1))
    assert put(juso) == []
    [row] = juso.stage.do(lambda tx: tx.execute(select(escalation)).all())
    assert (row.case, row.number, row.by, row.rule) == (case, 1, None, "T9")


async def test_by_default_nothing_goes_by_itself(hands: Ready) -> None:
    juso = hands(JUSO)
    await heard_once(juso)
    await later(juso)
    assert put(juso) == []


@pytest.mark.rule("C11")
async def test_by_itself_too_nothing_goes_without_a_consent_in_force(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(received_on=DAY), *EVERYBODY, purposes=ALL)
    first = juso.stage.do(lambda tx: tx.execute(select(item.c.id)).scalar_one())
    hold(juso, referral.about, first, timedelta(hours=3))
    juso.stage.give(juso.ledger.record(referral, ConsentState.WITHDRAWN, None))
    automatic(juso)
    juso.stage.told()
    await later(juso)
    assert put(juso) == []


# -- what is kept ------------------------------------------------------------------------------------------------------


async def test_who_put_it_there_is_kept_for_ever_and_stands_in_the_audit_log(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await heard_once(juso)
    await later(juso)
    await confirm(juso, case)
    await confirm(juso, case, viewer=COUNSELLOR)
    rows = juso.stage.do(lambda tx: tx.execute(select(audit).where(audit.c.act == "escalate")).all())
    assert [(row.outcome, row.actor) for row in rows] == [("allow", str(OFFICER)), ("refuse", str(COUNSELLOR))]
    with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"):
        juso.stage.do(lambda tx: tx.execute(delete(escalation)))
