"""Showing is sharing: who sees which case, what the register says of it, and what stops it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.commission import CommissionEnded
from contracts.consent import ConsentState
from contracts.coordination import (
    WITHHELD,
    CaseList,
    Cases,
    Clients,
    ClientsOfCases,
    ExplainItem,
    ItemExplanation,
    TakeInClient,
    Trail,
    TrailSteps,
)
from contracts.disclosure import DisclosuresAtCoordination
from contracts.intake import ConsentHeads, Particulars, ReferralWithConsent
from contracts.message import Compartment
from contracts.permit import Redeem, ReportSpent
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services.audit import audit
from services.service import AskFailed
from tests.coordination.stand_in import (
    COORDINATOR,
    COUNSELLOR,
    NURSE,
    OFFICER,
    VIEWERS,
    Hands,
    commissioned,
    consented,
    scope_of,
    without_consent,
)
from tests.stage import SOME_DAY

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Ready = Callable[[Compartment], Hands]
WHO = Particulars(found=True, name="上野 重信", number="0000124", reason="訪問しても会えない。")


async def listed(hands: Hands, viewer: UUID | None = OFFICER) -> CaseList:
    """What this person's list of cases says."""
    agency = VIEWERS[viewer] if viewer else None
    return await hands.perform(Cases(viewer=viewer, viewer_agency=agency))  # type: ignore[no-any-return]


async def page(hands: Hands, case: UUID, viewer: UUID = OFFICER) -> TrailSteps:
    """What this person's page of a case says."""
    asked = Trail(case=case, viewer=viewer, viewer_agency=VIEWERS[viewer])
    return await hands.perform(asked)  # type: ignore[no-any-return]


async def names(hands: Hands, *cases: UUID, viewer: UUID = OFFICER) -> Clients:
    """Who this person is told the cases are about."""
    asked = ClientsOfCases(cases=cases, viewer=viewer, viewer_agency=VIEWERS[viewer])
    return await hands.perform(asked)  # type: ignore[no-any-return]


async def explained(hands: Hands, case: UUID) -> dict[str, Any]:
    """The decision per agency."""
    (item,) = {one.item for one in hands.register() if one.case == case}
    answer: ItemExplanation = hands.stage.ask(ExplainItem(item=item))
    return {one.agency: one for one in answer.decisions}


def withdraw(hands: Hands, referral: ReferralWithConsent) -> None:
    """The client withdraws, and coordination has heard of it."""
    hands.stage.give(hands.ledger.record(referral, ConsentState.WITHDRAWN, None))


# -- juso --------------------------------------------------------------------------------------------------------------


async def test_who_the_consent_names_sees_the_case_and_the_register_says_so(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    assert [one.case for one in (await listed(juso)).cases] == [referral.about]
    (row,) = juso.register()
    assert (row.act, row.case, row.person, row.agency) == (Act.SHOW, referral.about, OFFICER, "fukushi")
    assert (row.member, row.purpose, row.row, row.at) == (referral.client, Purpose.PLAN, "P1", SOME_DAY)
    assert (row.consent, row.consent_version, row.decided_by) == (referral.consent, 1, "coordination@juso")


async def test_who_is_outside_the_consent_finds_no_case_in_list_or_page_and_no_row_is_written(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    assert await listed(juso, NURSE) == CaseList(cases=())
    assert await page(juso, referral.about, NURSE) == await page(juso, uuid4(), NURSE) == TrailSteps(case=None)
    assert juso.register() == ()
    assert juso.ledger.times_asked(Redeem) == 0, "what the policy refuses here is not asked elsewhere"


async def test_what_an_outsider_is_told_does_not_depend_on_the_cases_there_are(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.errands()
    before = await listed(juso, NURSE)
    await juso.take_in(consented())
    assert await listed(juso, NURSE) == before


@pytest.mark.rule("C8", "S18")
async def test_another_purpose_or_another_member_of_the_household_is_not_seen(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented(), purposes=(Purpose.CLOSING,))
    await juso.take_in(consented(), members=(uuid4(),))
    assert (await listed(juso)).cases == ()


async def test_without_a_viewer_nothing_is_shown(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    assert (await listed(juso, None)).cases == ()
    assert (await juso.perform(Trail(case=referral.about))).case is None
    assert (await juso.perform(Trail(case=referral.about, viewer=OFFICER))).case is None
    assert juso.register() == ()


async def test_the_same_case_seen_twice_a_day_is_one_row_and_one_permit(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    for _ in range(2):
        await listed(juso)
        assert (await page(juso, referral.about)).case
    assert len(juso.register()) == juso.ledger.times_asked(Redeem) == juso.ledger.times_asked(ReportSpent) == 1


async def test_yesterdays_showing_is_a_new_row_today_and_today_begins_at_midnight_in_japan(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented())
    await listed(juso)
    for minutes, rows in ((13 * 60 + 59, 1), (1, 2)):  # 10:00 in Japan, 23:59, 0:00
        juso.stage.pass_time(minutes=minutes)
        await juso.errands()
        assert len((await listed(juso)).cases) == 1
        assert len(juso.register()) == rows


async def test_each_person_of_an_agency_has_a_row_of_their_own(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented())
    await listed(juso, OFFICER)
    await listed(juso, COUNSELLOR)
    assert {(one.person, one.agency) for one in juso.register()} == {
        (OFFICER, "fukushi"),
        (COUNSELLOR, "houkatsu-kobayashi"),
    }


async def test_a_new_version_of_the_consent_is_a_new_row(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    await listed(juso)
    juso.stage.give(juso.ledger.record(referral, ConsentState.NARROWED, scope_of(referral, "fukushi")))
    assert (await listed(juso)).cases[0].ground is ConsentState.NARROWED
    assert sorted(one.consent_version or 0 for one in juso.register()) == [1, 2]
    assert (await listed(juso, COUNSELLOR)).cases == (), "narrowed to the office"


async def test_more_cases_than_one_question_carries_are_all_shown(
    hands: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sharing.USES_AT_ONCE", 2)
    juso = hands(JUSO)
    for _ in range(5):
        await juso.take_in(consented())
    assert len((await listed(juso)).cases) == len(juso.register()) == 5
    assert juso.ledger.times_asked(Redeem) == 3


async def test_while_the_ledger_is_silent_nothing_new_is_shown(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    juso.ledger.silent = True
    for look in (listed(juso), page(juso, referral.about)):
        with pytest.raises(AskFailed):
            await look
    assert juso.register() == ()


async def test_what_the_ledger_does_not_permit_is_not_shown_even_if_the_news_has_not_come(hands: Ready) -> None:
    juso = hands(JUSO)
    referral, other = await juso.take_in(consented()), await juso.take_in(consented())
    juso.ledger.record(referral, ConsentState.WITHDRAWN, None)
    assert [one.case for one in (await listed(juso)).cases] == [other.about]
    assert [one.case for one in juso.register()] == [other.about]


async def test_a_withdrawal_that_comes_while_the_page_is_made_is_not_shown(hands: Ready) -> None:
    juso = hands(JUSO)
    referral, other = await juso.take_in(consented()), await juso.take_in(consented())
    told = juso.ledger.record(referral, ConsentState.WITHDRAWN, None)
    juso.ledger.newest[referral.consent] = told.model_copy(
        update={"version": 1, "state": ConsentState.GIVEN, "scope": scope_of(referral)}
    )  # the permit was given just before
    juso.ledger.before_answering = lambda: juso.stage.give(told) and None
    assert [one.case for one in (await listed(juso, COUNSELLOR)).cases] == [other.about]
    assert [one.case for one in juso.register()] == [other.about]


async def test_a_permit_that_is_not_the_ledgers_shows_nothing(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented())
    (juso.settings.home / "keys" / "permit").write_bytes(b"x" * 32)
    assert (await listed(juso)).cases == ()
    assert juso.register() == ()


async def test_a_withdrawal_hides_the_case_at_once_and_leaves_a_stub_to_who_has_to_act(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented(), "fukushi", "shakyo", "houkatsu-kobayashi")
    for viewer in (OFFICER, COORDINATOR, COUNSELLOR):
        assert len((await listed(juso, viewer)).cases) == 1
    withdraw(juso, referral)
    assert (await listed(juso, COUNSELLOR)).cases == ()
    assert (await page(juso, referral.about, COUNSELLOR)).case is None
    for viewer in (OFFICER, COORDINATOR):
        (stub,) = (await listed(juso, viewer)).cases
        assert (stub.stopped, stub.stop_reason, stub.ground) == (True, "withdrawn", ConsentState.WITHDRAWN)
        assert (stub.referrer, stub.agencies, stub.problems, stub.household_size) == (WITHHELD, (), (), 1)
        trail = await page(juso, referral.about, viewer)
        assert (trail.case, trail.steps) == (stub, ())
        assert trail.consent
        assert (trail.consent.version, trail.consent.agencies, trail.consent.members) == (2, (), 0)
    assert len(juso.register()) == 3, "a stub shows nothing of the case"


async def test_a_consent_that_runs_out_stops_its_case_though_nothing_is_told(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = consented()
    await juso.take_in(referral, ends=SOME_DAY + timedelta(hours=1))
    assert not (await listed(juso)).cases[0].stopped
    juso.stage.pass_time(hours=1)
    await juso.errands()
    (stub,) = (await listed(juso)).cases
    assert (stub.stopped, stub.stop_reason) == (True, "expired")
    assert (await listed(juso, COUNSELLOR)).cases == ()


async def test_a_consent_given_anew_shows_the_case_again(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    withdraw(juso, referral)
    juso.stage.give(juso.ledger.record(referral, ConsentState.GIVEN, scope_of(referral)))
    assert not (await listed(juso)).cases[0].stopped
    assert len((await listed(juso, COUNSELLOR)).cases) == 1


async def test_a_replica_that_was_not_compared_for_a_minute_shows_nothing_and_says_so(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    assert len((await listed(juso)).cases) == 1
    juso.ledger.silent = True
    juso.stage.pass_time(seconds=61)
    assert await listed(juso) == CaseList(cases=(), fenced=True)
    assert await page(juso, referral.about) == TrailSteps(case=None, fenced=True)
    juso.ledger.silent = False
    await juso.errands()
    assert len((await listed(juso)).cases) == 1


async def test_a_replica_that_lacks_a_version_is_not_fresh(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    juso.ledger.record(referral, ConsentState.WITHDRAWN, None)
    juso.stage.pass_time(seconds=61)
    await juso.errands()
    assert juso.ledger.times_asked(ConsentHeads) == 2
    assert (await listed(juso)).fenced


async def test_every_version_learnt_is_acknowledged_once(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    withdraw(juso, referral)
    assert juso.stage.store.counts()[2] == 1, "the process is not calm before the ledger knows"
    for _ in range(2):
        await juso.errands()
    said = [(one.consent, one.version, told.process) for told in juso.ledger.acknowledged for one in told.known]
    assert sorted(said, key=lambda one: one[1]) == [
        (referral.consent, number, "coordination@juso") for number in (1, 2)
    ]
    assert juso.stage.store.counts()[2] == 0


async def test_the_page_says_how_far_the_consent_reaches(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = consented()
    await juso.take_in(referral, members=(referral.client, uuid4()))
    consent = (await page(juso, referral.about)).consent
    assert consent
    assert (consent.version, consent.agencies, consent.purposes) == (
        1,
        ("fukushi", "houkatsu-kobayashi", "kikan"),
        ("plan",),
    )
    assert (consent.members, consent.covers_tax, consent.state) == (2, False, ConsentState.GIVEN)


async def test_the_explanation_names_the_row_and_the_next_step_for_every_agency(hands: Ready) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    await listed(juso)
    found = await explained(juso, referral.about)
    assert (found["kikan"].allowed, found["kikan"].row, found["kikan"].rules) == (True, "P1", "C1・C2")
    assert (found["choju"].allowed, found["choju"].row) == (False, "N5"), "on the roster, not in the consent"
    assert "この機関を含む同意を得る" in found["choju"].next_step
    withdraw(juso, referral)
    stopped = await explained(juso, referral.about)
    assert {one.row for one in stopped.values()} == {"N1"}
    assert "houkatsu-kobayashi" in stopped
    assert not juso.stage.ask(ExplainItem(item=uuid4())).found


async def test_a_fenced_replica_explains_nothing(hands: Ready) -> None:
    juso = hands(JUSO)
    await juso.take_in(consented())
    await listed(juso)
    juso.stage.pass_time(seconds=61)
    answer = juso.stage.ask(ExplainItem(item=juso.register()[0].item))
    assert (answer.fenced, answer.decisions) == (True, ())


async def test_the_register_is_found_by_case_by_person_and_by_time(hands: Ready) -> None:
    juso = hands(JUSO)
    one, other = await juso.take_in(consented()), await juso.take_in(consented())
    await page(juso, one.about, OFFICER)
    juso.stage.pass_time(seconds=30)
    await page(juso, other.about, COUNSELLOR)

    def found(**asked: Any) -> list[UUID]:
        return [row.case for row in juso.stage.ask(DisclosuresAtCoordination(**asked)).rows]

    assert found(cases=(one.about,)) == found(person=OFFICER) == [one.about]
    assert found(since=SOME_DAY + timedelta(seconds=1)) == [other.about]
    assert found(cases=(one.about, other.about), until=SOME_DAY + timedelta(seconds=1)) == [one.about]
    assert found() == []
    looks = select(audit.c.case, audit.c.person).where(audit.c.act == "look-at-register")
    asked = [(str(one.about), None), (None, str(OFFICER)), (None, None), (None, None), (None, None)]
    assert juso.stage.do(lambda tx: [tuple(row) for row in tx.execute(looks)]) == asked, "looking leaves a row, too"


# -- shien -------------------------------------------------------------------------------------------------------------


async def test_the_commissioned_office_sees_the_case_and_whom_it_is_about(hands: Ready) -> None:
    shien, referral, made = hands(SHIEN), without_consent(), commissioned()
    shien.stage.ask(TakeInClient(case=referral.about, particulars=WHO))
    for told in (made, referral):
        shien.stage.give(told)
    assert [one.case for one in (await listed(shien)).cases] == [referral.about]
    assert (await page(shien, referral.about)).client == WHO
    assert (await names(shien, referral.about)).clients[referral.about].name == WHO.name
    (row,) = shien.register()
    assert (row.row, row.commission, row.consent, row.person) == ("P2", made.about, None, OFFICER)
    assert shien.ledger.asked == [], "shien asks nobody"


@pytest.mark.rule("S8")
@pytest.mark.parametrize("there", [True, False])
async def test_without_a_commission_nothing_is_seen_and_the_door_is_named(hands: Ready, there: bool) -> None:
    shien, referral = hands(SHIEN), without_consent()
    if there:
        shien.stage.ask(TakeInClient(case=referral.about, particulars=WHO))
        shien.stage.give(referral)
    answer = await listed(shien)
    assert answer.cases == ()
    assert answer.reason == "その時に有効な委嘱がありません。"
    assert "委嘱してください" in answer.next_step
    assert (await page(shien, referral.about)).case is None
    assert (await names(shien, referral.about)).clients == {}
    assert shien.register() == ()


@pytest.mark.rule("S11")
async def test_who_is_not_of_the_office_sees_no_case_outside_a_sitting_even_commissioned(hands: Ready) -> None:
    shien = hands(SHIEN)
    shien.stage.give(without_consent())
    shien.stage.give(commissioned(agency="byouin"))
    answer = await listed(shien, NURSE)
    assert answer.cases == ()
    assert "この事案の支援会議の出席者でも" in answer.reason
    assert "出席者に加えてください" in answer.next_step


async def test_an_ended_a_coming_and_anothers_commission_open_nothing(hands: Ready) -> None:
    shien, made = hands(SHIEN), commissioned()
    for told in (
        without_consent(received_on=date(2026, 11, 20)),
        made,
        CommissionEnded(about=made.about, version=2, ended_at=SOME_DAY),
        commissioned(starts=SOME_DAY + timedelta(days=1)),
        commissioned(person=NURSE),
        commissioned(agency="choju"),
    ):
        shien.stage.give(told)
    assert (await listed(shien)).cases == ()
    shien.stage.give(commissioned(person=OFFICER))
    assert len((await listed(shien)).cases) == 1


async def test_in_shien_the_explanation_asks_for_a_commission(hands: Ready) -> None:
    shien, referral = hands(SHIEN), without_consent()
    shien.stage.give(referral)
    shien.stage.give(commissioned())
    shien.stage.give(commissioned(agency="kikan", person=NURSE))
    await listed(shien)
    found = await explained(shien, referral.about)
    assert (found["fukushi"].row, found["kikan"].row) == ("P2", "P2")
    assert (found["houkatsu-kobayashi"].allowed, found["houkatsu-kobayashi"].row) == (False, "N8")
    assert "委嘱してください" in found["houkatsu-kobayashi"].next_step


@pytest.mark.parametrize("why", ["a forged permit", "the ledger refuses"])
async def test_what_the_ledger_does_not_permit_is_not_shown_and_stands_in_the_audit_log(hands: Ready, why: str) -> None:
    juso = hands(JUSO)
    referral = await juso.take_in(consented())
    if why == "a forged permit":
        juso.ledger.key = b"x" * 32
    else:
        juso.ledger.record(referral, ConsentState.WITHDRAWN, None)
    assert (await listed(juso)).cases == ()
    assert juso.register() == ()
    noted = juso.stage.do(lambda tx: [tuple(row) for row in tx.execute(select(audit.c.act, audit.c.outcome))])
    assert [one for one in noted if one[0] == "show"] == [("show", "refuse")]


async def test_a_case_that_does_not_exist_is_no_case_of_which_nothing_was_shared(hands: Ready) -> None:
    juso, stranger = hands(JUSO), uuid4()
    referral = await juso.take_in(consented())
    far = datetime.max.replace(tzinfo=UTC)
    found = juso.stage.ask(DisclosuresAtCoordination(cases=(referral.about, stranger), since=far))
    assert (found.rows, found.unknown) == ((), (stranger,))
