"""A referral opens one case in its own compartment, is put to a meeting for what the law wants, and learns its date."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from contracts.commission import CommissionEnded
from contracts.consent import ConsentState
from contracts.coordination import Cases, ClientsOfCases, ItemPutForward, TakeInClient, Trail
from contracts.intake import Particulars
from contracts.meetings import ItemPlaced, ItemUnplaced
from contracts.message import Compartment
from contracts.policy import Category
from contracts.purpose import Purpose
from services import coordination
from services.coordination.tables import case, client, item
from services.store import Outcome
from services.vault import FORMAT
from tests.coordination.stand_in import OFFICER, Hands, commissioned, consented, without_consent
from tests.stage import SOME_DAY, Stage

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Staging = Callable[..., Stage]
Ready = Callable[[Compartment], Hands]
OFFICE = {"viewer": OFFICER, "viewer_agency": "fukushi"}
WHO = Particulars(found=True, name="上野 重信", kana="ウエノ シゲノブ", born_on=date(1948, 1, 15), number="0000124")


def placed(put: ItemPutForward, version: int = 1, starts: datetime = SOME_DAY) -> ItemPlaced:
    return ItemPlaced(
        about=put.about,
        version=version,
        case=put.case,
        sitting=uuid4(),
        body="teirei",
        basis="swa-106-4-2-5",
        starts=starts,
        ends=starts + timedelta(hours=1),
    )


def put_forward(stage: Stage) -> ItemPutForward:
    (told,) = stage.told()
    assert isinstance(told, ItemPutForward)
    return told


@pytest.mark.rule("T1")
def test_a_consented_referral_is_put_to_a_meeting_for_its_plan(stage: Staging) -> None:
    juso, referral = stage(coordination.service, JUSO), consented()
    juso.give(referral)
    put = put_forward(juso)
    assert (put.case, put.purpose, put.urgent) == (referral.about, Purpose.PLAN, False)
    assert put.agencies == ("houkatsu-kobayashi", "kikan"), "the referrer first (P4), everybody once"
    assert (put.member, put.category, put.consent) == (referral.client, Category.ORDINARY, referral.consent)


def test_a_referral_that_names_no_member_is_about_a_reference_no_consent_covers(stage: Staging) -> None:
    juso, referral = stage(coordination.service, JUSO), consented(client=None)
    juso.give(referral)
    assert put_forward(juso).member == referral.about


@pytest.mark.rule("S2", "S10")
@pytest.mark.parametrize(("urgent", "purpose"), [(True, Purpose.EMERGENCY), (False, Purpose.SHARING)])
def test_a_case_without_consent_is_heard_for_a_purpose_of_the_law(
    stage: Staging, urgent: bool, purpose: Purpose
) -> None:
    shien = stage(coordination.service, SHIEN)
    shien.give(without_consent(urgent=urgent))
    assert put_forward(shien).purpose is purpose


def test_the_same_referral_delivered_again_opens_no_second_case(stage: Staging) -> None:
    juso, referral, event_id = stage(coordination.service, JUSO), consented(), uuid4()
    assert juso.give(referral, event_id) is Outcome.DONE
    assert juso.give(referral, event_id, tries=2) is Outcome.DONE
    assert juso.store.counts()[3]["cases"] == len(juso.told()) == 1


async def test_the_case_learns_when_it_is_heard_and_a_later_date_wins_whatever_comes_first(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented())
    put = put_forward(juso.stage)
    moved = placed(put, version=2, starts=SOME_DAY + timedelta(days=7))
    juso.stage.give(moved)
    juso.stage.give(placed(put, version=1))
    (found,) = (await juso.perform(Cases(**OFFICE))).cases
    assert (found.state, found.sitting, found.sitting_starts) == ("placed", moved.sitting, moved.starts)


def test_a_date_that_comes_before_its_item_waits(stage: Staging) -> None:
    juso = stage(coordination.service, JUSO)
    early = placed(
        ItemPutForward(
            about=uuid4(),
            case=uuid4(),
            purpose=Purpose.PLAN,
            urgent=False,
            received_on=date(2026, 11, 2),
            agencies=("kikan",),
        )
    )
    assert juso.give(early) is Outcome.LATER


async def test_the_trail_tells_each_step_in_order(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    juso.stage.pass_time(minutes=1)
    await juso.errands()
    juso.stage.give(placed(put_forward(juso.stage)))
    trail = await juso.perform(Trail(case=referral.about, **OFFICE))
    assert [step.what for step in trail.steps] == ["received", "case_opened", "item_put_forward", "item_placed"]
    assert trail.steps[0].at == datetime(2026, 11, 1, 15, 0, tzinfo=UTC), "the day in Japan begins at 15:00 UTC"
    assert trail.steps[-1].at == SOME_DAY + timedelta(minutes=1)
    assert (await juso.perform(Trail(case=uuid4(), **OFFICE))).case is None


async def test_the_longest_waiting_case_is_listed_first(hands: Ready) -> None:
    juso = hands(JUSO)
    late = await juso.take_in(consented(received_on=date(2026, 11, 20)))
    early = await juso.take_in(consented(received_on=date(2026, 10, 1)))
    assert [one.case for one in (await juso.perform(Cases(**OFFICE))).cases] == [early.about, late.about]


async def test_intake_writes_who_a_shien_case_is_about_once_even_before_the_case_is_open(hands: Ready) -> None:
    shien, referral = hands(SHIEN), without_consent()
    for who in (WHO, WHO.model_copy(update={"name": "別の名前"})):
        shien.stage.ask(TakeInClient(case=referral.about, particulars=who))
    shien.stage.give(referral)
    shien.stage.give(commissioned())
    named = await shien.perform(ClientsOfCases(cases=(referral.about, uuid4()), **OFFICE))
    assert named.clients == {referral.about: WHO}
    trail = await shien.perform(Trail(case=referral.about, **OFFICE))
    assert trail.client == WHO
    assert [step.what for step in trail.steps] == ["received", "client_taken_in", "case_opened", "item_put_forward"]


def test_the_juso_store_takes_nobodys_name(stage: Staging) -> None:
    juso = stage(coordination.service, JUSO)
    with pytest.raises(IntegrityError):
        juso.ask(TakeInClient(case=uuid4(), particulars=WHO))
    with pytest.raises(IntegrityError):
        juso.do(lambda tx: tx.execute(insert(client).values(_row(uuid4(), compartment="juso"))))


@pytest.mark.rule("C4")
@pytest.mark.parametrize(
    "wrong",
    [
        {"compartment": "juso", "ground": "refused"},
        {"compartment": "juso", "ground": "given", "consent": None, "consent_version": None},
        {"compartment": "juso", "ground": "given", "member": None},
        {"compartment": "shien", "ground": "given"},
        {"compartment": "shien", "ground": "refused", "consent": UUID(int=1), "consent_version": 1},
        {"compartment": "open", "ground": "given"},
    ],
)
def test_the_store_refuses_a_case_whose_ground_does_not_fit_its_compartment(
    stage: Staging, wrong: dict[str, object]
) -> None:
    juso = stage(coordination.service, JUSO)
    right = {
        "id": uuid4(),
        "compartment": "juso",
        "opened_at": SOME_DAY,
        "received_on": date(2026, 11, 2),
        "urgent": False,
        "referrer": "kikan",
        "household_size": 1,
        "ground": "given",
        "consent": uuid4(),
        "consent_version": 1,
        "member": uuid4(),
    }
    juso.do(lambda tx: tx.execute(insert(case).values(right)))
    with pytest.raises(IntegrityError):
        juso.do(lambda tx: tx.execute(insert(case).values(right | {"id": uuid4()} | wrong)))


def _row(about: UUID, compartment: str) -> dict[str, object]:
    columns = WHO.model_dump(include=set(client.c.keys()))
    return {"case": about, "compartment": compartment, **dict.fromkeys(columns, bytes([FORMAT]))}


async def test_a_narrowed_consent_stays_narrowed_on_its_way_to_the_meeting(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented(narrowed=True))
    assert put_forward(juso.stage).only_agencies
    assert (await juso.perform(Cases(**OFFICE))).cases[0].ground is ConsentState.NARROWED


def test_an_end_that_comes_before_its_commission_waits(stage: Staging) -> None:
    shien, made = stage(coordination.service, SHIEN), commissioned()
    ended = CommissionEnded(about=made.about, version=2, ended_at=SOME_DAY)
    assert shien.give(ended) is Outcome.LATER
    shien.give(made)
    assert shien.give(ended, tries=2) is Outcome.DONE


def unplaced(told: ItemPlaced, version: int) -> ItemUnplaced:
    return ItemUnplaced(about=told.about, version=version, case=told.case, sitting=told.sitting, again=True)


def date_of(stage: Stage) -> list[datetime | None]:
    return list(stage.do(lambda tx: tx.execute(select(item.c.starts)).scalars().all()))


@pytest.mark.rule("T1")
def test_a_date_that_the_sitting_took_back_is_gone(stage: Staging) -> None:
    juso, referral = stage(coordination.service, JUSO), consented()
    juso.give(referral)
    first = placed(put_forward(juso))
    juso.give(first)
    assert date_of(juso) == [first.starts]
    juso.give(unplaced(first, 2))
    assert date_of(juso) == [None]
    moved = first.model_copy(update={"version": 3, "starts": SOME_DAY + timedelta(days=7)})
    juso.give(moved.model_copy(update={"ends": moved.starts + timedelta(hours=1)}))
    assert date_of(juso) == [moved.starts]


def test_what_is_told_late_of_a_date_changes_nothing(stage: Staging) -> None:
    juso, referral = stage(coordination.service, JUSO), consented()
    juso.give(referral)
    first = placed(put_forward(juso))
    juso.give(unplaced(first, 2))
    juso.give(first)
    assert date_of(juso) == [None], "the bus may reorder"


async def test_the_trail_keeps_every_date_as_it_was_told(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    put = put_forward(juso.stage)
    first, later = placed(put), placed(put, 3, SOME_DAY + timedelta(days=7))
    for told in (first, unplaced(first, 2), later):
        juso.stage.give(told)
    found = await juso.perform(Trail(case=referral.about, **OFFICE))
    kept = [(one.what, one.starts) for one in found.steps if one.what in ("item_placed", "item_unplaced")]
    assert kept == [("item_placed", first.starts), ("item_unplaced", None), ("item_placed", later.starts)]
    (put_step,) = [one for one in found.steps if one.what == "item_put_forward"]
    assert put_step.purpose is Purpose.PLAN
