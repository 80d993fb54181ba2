"""Counts of a compartment on both engines: of recorded facts, for the office only, frozen as they were submitted."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from contracts.counts import (
    Counted,
    CountPeriod,
    CountsOfPeriod,
    Dimension,
    Fact,
    FactKind,
    FreezeCounts,
    Frozen,
    FrozenCounts,
)
from contracts.erasure import EraseCase, EraseReason
from contracts.life import Outcome, Step
from contracts.message import Compartment
from services.coordination.tables import snapshot
from tests.coordination.stand_in import COORDINATOR, COUNSELLOR, OFFICER, VIEWERS, Hands, without_consent
from tests.coordination.test_life import LEGAL, act
from tests.coordination.test_living import case_in, walk

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
MONTH = "2026-11"
FIXED = (Step.ASSESS, act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT, Step.DECIDE)
CLOSED = (*FIXED, Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT, Step.CLOSE)


async def counts(hands: Hands, period: str = MONTH, **who: Any) -> CountsOfPeriod:
    found = await hands.perform(CountPeriod(period=period, **who))
    assert isinstance(found, CountsOfPeriod)
    return found


def of(found: CountsOfPeriod, name: str) -> Counted:
    return next(one for one in found.counted if one.item.id == name)


def groups(one: Counted, by: Dimension) -> dict[str, int]:
    return {group.code: group.count for group in one.groups if group.by is by}


async def freeze(hands: Hands, period: str = MONTH, agency: str = "fukushi") -> Frozen:
    found = await hands.perform(FreezeCounts(period=period, by=OFFICER, agency=agency))
    assert isinstance(found, Frozen)
    return found


async def test_a_case_is_counted_from_its_opening_to_its_end(hands: Ready) -> None:
    juso = hands(JUSO)
    await walk(juso, await case_in(juso), *CLOSED)
    await walk(juso, await case_in(juso), *FIXED)
    found = await counts(juso)
    assert of(found, "new-cases").count == 2
    assert groups(of(found, "new-cases"), Dimension.REFERRER) == {"consultation": 2}
    assert groups(of(found, "new-cases"), Dimension.PROBLEM) == {"elder_care": 2, "income_work": 2}
    assert of(found, "plans").count == 2
    assert groups(of(found, "plans"), Dimension.PATH) == {"decision": 2}
    assert groups(of(found, "plans"), Dimension.ROUND) == {"first": 2}
    assert groups(of(found, "left"), Dimension.WAY) == {"closed": 1}
    assert groups(of(found, "open-at-end"), Dimension.STATE) == {"underway": 1}
    assert of(found, "participation-people").count == 2, "both used it on some day of the month"
    assert (of(found, "days-to-meeting").of, of(found, "agencies-per-item").of) == (2, 3)


async def test_another_month_counts_nothing_and_the_year_what_its_months_do(hands: Ready) -> None:
    juso = hands(JUSO)
    await walk(juso, await case_in(juso), *CLOSED)
    assert of(await counts(juso, "2026-10"), "left").count == 0
    for period in ("2026-Q3", "2026"):
        assert of(await counts(juso, period), "left").count == 1


async def test_a_replan_and_a_case_opened_again_are_told_from_the_first(hands: Ready) -> None:
    juso = hands(JUSO)
    again = (act(Step.DRAFT, plan=LEGAL), Step.BRING, Step.RECORD_RESULT, Step.DECIDE)
    case = await case_in(juso)
    await walk(
        juso, case, *FIXED, *again, Step.EVALUATE, Step.BRING_CLOSING, Step.RECORD_RESULT, Step.CLOSE, Step.REOPEN
    )
    found = await counts(juso)
    assert groups(of(found, "plans"), Dimension.ROUND) == {"first": 1, "again": 1}
    assert of(found, "reopened").count == 1
    assert groups(of(found, "open-at-end"), Dimension.STATE) == {"opened": 1}


@pytest.mark.rule("D8", "D9", "C7")
async def test_what_was_given_back_or_is_led_by_the_referrer_is_told_from_what_closed(hands: Ready) -> None:
    juso = hands(JUSO)
    await walk(juso, await case_in(juso), Step.TALK, Step.GIVE_BACK)
    led = act(Step.RECORD_RESULT, outcome=Outcome.REFERRER_LEADS, next_on=date(2026, 12, 10))
    await walk(juso, await case_in(juso), Step.ASSESS, Step.DRAFT, Step.BRING, led, Step.FOLLOW_UP, Step.FOLLOW_UP)
    await walk(juso, await case_in(juso), *CLOSED, Step.FOLLOW_UP)
    found = await counts(juso)
    assert groups(of(found, "left"), Dimension.WAY) == {"closed": 1, "returned": 1, "with_referrer": 1}
    assert groups(of(found, "follow-ups"), Dimension.STATE) == {"closed": 1, "with_referrer": 2}
    assert of(found, "talks").count == 1


async def test_an_erased_case_counts_as_before(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    await walk(juso, case, *CLOSED)
    before = (await counts(juso)).counted
    juso.stage.ask(EraseCase(case=case, reason=EraseReason.RETENTION))
    assert (await counts(juso)).counted == before


async def test_sittings_are_counted_as_the_meetings_tell(hands: Ready) -> None:
    juso = hands(JUSO)
    dims = {Dimension.BODY: ("teirei",), Dimension.REGULAR: ("regular",)}
    juso.met = (Fact(kind=FactKind.SITTING_HELD, on=date(2026, 11, 19), about=uuid4(), dims=dims),)
    found = await counts(juso)
    assert of(found, "juso-sittings").count == 1
    assert "shien-sittings" not in {one.item.id for one in found.counted}


async def test_what_is_not_recorded_is_listed_and_is_no_zero(hands: Ready) -> None:
    found = of(await counts(hands(SHIEN)), "outreach-visits")
    assert found.count is None
    assert found.why


# -- who may see -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_only_who_carries_all_cases_sees_the_counts(hands: Ready, kind: Compartment) -> None:
    here = hands(kind)
    await case_in(here)
    seen = await counts(here, viewer=OFFICER, viewer_agency="fukushi")
    assert of(seen, "new-cases").count == 1
    for person in (COUNSELLOR, None):
        refused = await counts(here, viewer=person, viewer_agency="houkatsu-kobayashi")
        assert refused.reason
        assert refused.next_step
        assert not refused.counted


async def test_in_shien_nobody_without_a_commission_sees_that_there_is_anything(hands: Ready) -> None:
    shien = hands(SHIEN)
    shien.stage.give(without_consent())
    refused = await counts(shien, viewer=COORDINATOR, viewer_agency=VIEWERS[COORDINATOR])
    assert refused.reason
    assert not refused.counted
    nameless = await counts(shien, viewer_agency="fukushi")
    assert nameless.reason, "an agency alone is nobody"


# -- freezing ----------------------------------------------------------------------------------------------------------


async def test_a_correction_after_the_submission_shows_as_a_difference(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    done = await walk(juso, case, *FIXED)
    juso.stage.time = datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert (await freeze(juso)).done
    late = act(Step.CONTACT, on=date(2026, 11, 24), contact="visit")
    juso.stage.give(juso.ledger.newest[next(iter(juso.ledger.newest))])
    await juso.errands()
    from tests.coordination.test_living import take

    assert (await take(juso, case, late, done.number)).done
    found = await counts(juso)
    assert found.frozen is not None
    before = next(one for one in found.frozen.counted if one.item.id == "contacts")
    assert (before.count, of(found, "contacts").count) == (0, 1)
    again = await freeze(juso)
    assert (again.done, again.again) == (True, True)
    assert (await counts(juso)).frozen == found.frozen, "what was submitted stays"


async def test_a_period_is_frozen_when_it_is_over_by_the_city_and_short_ones_first(hands: Ready) -> None:
    juso = hands(JUSO)
    early = await freeze(juso)
    assert (early.done, "終わって" in early.reason) == (False, True)
    juso.stage.time = datetime(2026, 11, 30, 14, 59, tzinfo=UTC)
    assert not (await freeze(juso)).done, "it is still the 30th in Japan"
    juso.stage.time = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert not (await freeze(juso, agency="shakyo")).done
    assert (await freeze(juso)).done
    juso.stage.time = datetime(2027, 4, 2, tzinfo=UTC)
    assert (await freeze(juso, "2026")).done
    refused = await freeze(juso, "2026-Q2")
    assert (refused.done, "引き算" in refused.reason, bool(refused.next_step)) == (False, True, True)
    kept = juso.stage.ask(FrozenCounts(fiscal_year=2026)).snapshots
    assert [one.period for one in kept] == [MONTH, "2026"]
    assert juso.stage.ask(FrozenCounts(fiscal_year=2025)).snapshots == ()


@pytest.mark.parametrize("change", [update(snapshot).values(threshold=1), delete(snapshot)])
async def test_no_sql_changes_what_was_submitted(hands: Ready, change: Any) -> None:
    juso = hands(JUSO)
    juso.stage.time = datetime(2026, 12, 1, 1, tzinfo=UTC)
    await freeze(juso)
    with pytest.raises(IntegrityError, match="RECORD_IS_KEPT"):
        juso.stage.do(lambda tx: tx.execute(change))
