"""A filled form on paper: decided as an export, one row for each printing, and masked like the screen."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.consent import ConsentState
from contracts.disclosure import Disclosure
from contracts.message import Compartment
from contracts.papers import PaperView
from contracts.permit import Redeem
from contracts.policy_terms import Act
from contracts.printing import PrintPaper
from tests.coordination.stand_in import COORDINATOR, COUNSELLOR, NURSE, OFFICER, VIEWERS, Hands, consented
from tests.coordination.test_living import ALL, EVERYBODY, JUSO, SHIEN, Ready, case_in
from tests.coordination.test_papers import CLEAN, SHEET, conceal, save


async def prints(hands: Hands, case: UUID, ref: UUID | None, viewer: UUID = OFFICER, **how: Any) -> PaperView:
    asked = {"case": case, "paper": ref, "request": uuid4(), "viewer": viewer, "viewer_agency": VIEWERS[viewer]}
    answer = await hands.perform(PrintPaper.model_validate(asked | how))
    assert isinstance(answer, PaperView)
    return answer


def exported(hands: Hands) -> list[Disclosure]:
    return [one for one in hands.register() if one.act is Act.EXPORT]


async def test_a_printed_version_has_a_row_of_its_own_each_time(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    await save(juso, case, paper=ref, after=1, values=SHEET | {"complaint": "眠れるようになった。"})
    view = await prints(juso, case, ref, version=1)
    assert (view.values, view.withheld) == (CLEAN, False)
    (row,) = exported(juso)
    assert (row.case, row.person, row.agency, row.row) == (case, OFFICER, "fukushi", "P1")
    assert row.consent
    assert (await prints(juso, case, ref)).values["complaint"] == "眠れるようになった。"
    assert len(exported(juso)) == 2


async def test_the_same_request_twice_writes_one_row(hands: Ready) -> None:
    juso, request = hands(JUSO), uuid4()
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    first = await prints(juso, case, ref, request=request)
    redeemed = juso.ledger.times_asked(Redeem)
    assert await prints(juso, case, ref, request=request) == first
    assert len(exported(juso)) == 1
    assert juso.ledger.times_asked(Redeem) == redeemed
    await prints(juso, case, ref, COORDINATOR, request=request)
    assert len(exported(juso)) == 2


@pytest.mark.rule("C3")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_who_may_not_see_the_case_gets_nothing_and_leaves_no_row(hands: Ready, kind: Compartment) -> None:
    ours = hands(kind)
    case = await case_in(ours)
    ref = (await save(ours, case)).paper
    assert await prints(ours, case, ref, NURSE) == PaperView(found=False)
    assert await prints(ours, uuid4(), ref) == PaperView(found=False)
    assert await prints(ours, case, uuid4()) == PaperView(found=False)
    assert await prints(ours, case, ref, viewer_agency=None) == PaperView(found=False)
    assert exported(ours) == []


@pytest.mark.rule("S11", "S8")
async def test_in_a_support_meeting_papers_go_to_its_seats_only(hands: Ready) -> None:
    shien = hands(SHIEN)
    case = await case_in(shien)
    ref = (await save(shien, case)).paper
    view = await prints(shien, case, ref)
    assert (view.found, view.withheld, view.values, view.rule) == (True, True, {}, "M6")
    assert view.reason
    assert view.next_step
    assert exported(shien) == []


@pytest.mark.rule("C11")
async def test_a_withdrawal_that_only_the_ledger_knows_stops_the_printing(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL)
    ref = (await save(juso, referral.about)).paper
    told = juso.ledger.record(referral, ConsentState.WITHDRAWN, None)
    view = await prints(juso, referral.about, ref)
    assert (view.withheld, view.values) == (True, {})
    assert view.reason
    juso.stage.give(told)
    assert not (await prints(juso, referral.about, ref)).found
    assert exported(juso) == []


@pytest.mark.rule("S18")
async def test_what_is_masked_on_the_screen_is_masked_on_paper(hands: Ready) -> None:
    juso = hands(JUSO)
    case = await case_in(juso)
    ref = (await save(juso, case)).paper
    assert (await conceal(juso, case, COUNSELLOR, agencies=("fukushi",))).done
    for viewer, sees in ((OFFICER, True), (COORDINATOR, False)):
        view = await prints(juso, case, ref, viewer)
        assert ("address" in view.values) is sees
        assert ("address" in view.masked) is not sees


@pytest.mark.rule("S9")
async def test_tax_data_is_printed_under_a_row_of_its_own_category(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), *EVERYBODY, purposes=ALL, covers_tax=True)
    ref = (await save(juso, referral.about, tax=True)).paper
    assert (await prints(juso, referral.about, ref)).values == CLEAN
    assert [row.category for row in exported(juso)] == ["tax"]
