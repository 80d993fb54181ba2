"""Showing on a real bus, with real clocks and provisioned rights: permits are asked for across the account's border."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData

from contracts.consent import ConsentState
from contracts.coordination import Cases
from contracts.intake import AcknowledgeConsents, ConsentChanged, ConsentHeads, ReferralWithConsent
from contracts.message import Compartment, Event
from contracts.permit import Redeem, ReportSpent
from services import coordination
from services.bus import ask
from services.service import AskFailed, Process, Service
from tests.coordination.stand_in import OFFICER, Ledger, consented, scope_of
from tests.world import World

JUSO = Compartment.JUSO


def intake_with(ledger: Ledger) -> Service:
    """An intake that answers from the ledger of the tests."""
    service = Service("intake", MetaData(), publishes=frozenset({ConsentChanged, ReferralWithConsent}))
    for question in (Redeem, ReportSpent, ConsentHeads, AcknowledgeConsents):
        service.answers(question)(lambda asked, tx: ledger.answer(asked))
    return service


async def test_a_case_is_shown_until_its_consent_is_withdrawn_and_not_while_intake_is_away(world: World) -> None:
    ledger = Ledger(now=lambda: datetime.now(UTC))
    processes = [Process(intake_with(ledger)), Process(coordination.service, JUSO)]
    await world.provision(processes)
    ledger.key = world.settings.permit_key
    for process in processes:
        await world.start(process)
    desk = await world.connect("admin@juso")
    referral, year = consented(), timedelta(days=365)

    async def shown() -> list[UUID]:
        answer: Any = await ask(desk, Cases.subject, Cases(viewer=OFFICER, viewer_agency="fukushi"))
        return [one.case for one in answer.cases if not one.stopped and not answer.fenced]

    async def is_shown() -> bool:
        return await shown() == [referral.about]

    async def is_gone() -> bool:
        return await shown() == []

    async def tell(*facts: Event) -> None:
        def act(_: object) -> Iterable[Event]:
            return facts

        await world.buses["intake"].tell(act)

    scope = scope_of(referral, starts=datetime.now(UTC) - timedelta(minutes=1), ends=datetime.now(UTC) + year)
    await tell(ledger.record(referral, ConsentState.GIVEN, scope), referral)
    await world.until(is_shown)
    await tell(ledger.record(referral, ConsentState.WITHDRAWN, None))
    await world.until(is_gone)
    assert ledger.times_asked(Redeem) == ledger.times_asked(ReportSpent) == 1

    await tell(ledger.record(referral, ConsentState.GIVEN, scope))
    ledger.silent = True

    async def is_refused() -> bool:
        try:
            await shown()
        except AskFailed as failure:
            return str(failure) == "AskFailed"
        return False

    await world.until(is_refused)
    ledger.silent = False
    await world.until(is_shown)
