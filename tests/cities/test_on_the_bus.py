"""A reserved power on a real bus, with provisioned rights: coordination may ask who holds the post (S13)."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts.consent import ConsentState
from contracts.directory import Staff, StaffView
from contracts.life import Step, StepTaken, TakeStep
from contracts.message import Compartment, Event
from contracts.purpose import Purpose
from services import coordination, directory
from services.bus import ask
from services.service import Process
from services.settings import read_profile
from tests.cities.story import EXAMPLES
from tests.coordination.stand_in import Ledger, consented, scope_of
from tests.coordination.test_life import PLAN, act
from tests.coordination.test_on_the_bus import intake_with
from tests.world import World

YASU = EXAMPLES / "yasu"
TABLE = ("shimin", "takikan", "houkatsu", "shakyo")


@pytest.fixture
async def yasu(tmp_path: Path) -> AsyncIterator[World]:
    """野洲市 on a real nats-server."""
    one = World(tmp_path, read_profile(YASU))
    one.settings = one.settings.model_copy(update={"profile": YASU})
    yield one
    await one.close()


@pytest.mark.rule("S13")
async def test_the_head_calls_the_meeting_and_the_officer_is_told_to_ask_the_head(yasu: World) -> None:
    ledger = Ledger(now=lambda: datetime.now(UTC))
    processes = [
        Process(directory.service),
        Process(intake_with(ledger)),
        Process(coordination.service, Compartment.JUSO),
    ]
    await yasu.provision(processes)
    ledger.key = yasu.settings.permit_key
    for process in processes:
        await yasu.start(process)
    begin = directory.service.start
    assert begin
    await yasu.buses["directory"].tell(lambda tx: begin(tx, yasu.settings) or ())
    desk = await yasu.connect("admin@juso")
    staff: Any = await ask(await yasu.connect("operator@directory"), Staff.subject, Staff())
    head, officer = staff.staff[0], staff.staff[1]
    assert (head.posts, officer.posts) == (("representative",), ("officer",))
    referral = consented(referrer="houkatsu", agencies=("shakyo",))
    now = datetime.now(UTC)
    days = {"starts": now - timedelta(minutes=1), "ends": now + timedelta(days=365)}
    scope = scope_of(referral, *TABLE, purposes=tuple(Purpose), **days)

    async def tell(*facts: Event) -> None:
        def told(_: object) -> Iterable[Event]:
            return facts

        await yasu.buses["intake"].tell(told)

    async def take(who: StaffView, step: Step, after: int) -> StepTaken:
        today = (datetime.now(UTC) + timedelta(hours=9)).date()
        roles = tuple(one.model_copy(update={"until": today + timedelta(days=60)}) for one in PLAN.roles)
        plan = PLAN.model_copy(update={"roles": roles, "monitor_on": today + timedelta(days=60)})
        one = act(step, on=today, lead=None, counterpart=None, plan=plan if step is Step.DRAFT else None)
        asked = {"case": referral.about, "request": uuid4(), "after": after, "act": one}
        found: Any = await ask(desk, TakeStep.subject, TakeStep(**asked, viewer=who.person, viewer_agency=who.agency))
        assert isinstance(found, StepTaken)
        return found

    await tell(ledger.record(referral, ConsentState.GIVEN, scope), referral)

    async def assessed() -> bool:
        return (await take(officer, Step.ASSESS, 0)).done

    await yasu.until(assessed)
    assert (await take(officer, Step.DRAFT, 1)).done
    refused = await take(officer, Step.BRING, 2)
    assert (refused.done, refused.rule) == (False, "S13")
    assert (await take(head, Step.BRING, 2)).done
