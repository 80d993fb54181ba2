"""A case of one city from its つなぐシート to 終結, through all of that city's real services in one thread.

The sittings are found by the services themselves; the story only lets the days pass until they are held. What a test
then asks is what the city's own plan says: who sat, which body heard it, who could decide, who handed it over.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.directory import Staff, StaffView
from contracts.intake import Problem, Sheet, TakeInSheets
from contracts.life import (
    Act,
    LegalService,
    LifeView,
    LookAtLife,
    Outcome,
    Plan,
    Role,
    Step,
    StepTaken,
    TakeStep,
)
from contracts.meetings import ItemSittings, SittingView
from contracts.message import Account, Compartment
from services.coordination.tables import case
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
OPEN = frozenset({ConsentState.GIVEN, ConsentState.NARROWED})


@dataclass
class Story:
    """One city and one case of it. ``number``: how many acts its life has so far."""

    city: City
    staff: Sequence[StaffView] = ()
    account: Account = Account.JUSO
    case: UUID | None = None
    number: int = 0
    heard: list[SittingView] = field(default_factory=list)
    """The sittings that were held, in order."""

    def who(self, name: str) -> StaffView:
        """The one person of the staff whose name begins so."""
        (found,) = [one for one in self.staff if one.name.startswith(name)]
        return found

    @property
    def today(self) -> date:
        return (self.city.now + timedelta(hours=9)).date()

    async def refer(self, referrer: str, *agencies: str, urgent: bool = False, **said: Any) -> UUID:
        """A つなぐシート comes in, or the city's own desk fills one in, and becomes a case."""
        consent = said.pop("consent", ConsentState.GIVEN)
        values: dict[str, Any] = {
            "municipality": self.city.profile.municipality,
            "number": "0000101",
            "resident_number": None,
            "received_on": date(2026, 11, 20),
            "referrer": referrer,
            "referrer_staff": "𠮷田 さくら",
            "name": "髙橋 キヨ子",
            "kana": "タカハシ キヨコ",
            "sex": "female",
            "born_on": date(1943, 6, 9),
            "address": "",
            "phone": "",
            "problems": (Problem.DEBT,),
            "wishes": "長男のこれからが心配だ。",
            "members": (),
            "household_size": 2,
            "agencies": agencies,
            "reason": "介護と家計とひきこもりが重なり、一つの機関では支えきれない。",
            "urgent": urgent,
            "consent": consent,
            "consented_on": date(2026, 11, 20) if consent in OPEN else None,
        }
        answer = await self.city.answer(Account.INTAKE, TakeInSheets(sheets=(Sheet(**values | said),)))
        assert [one.outcome for one in answer.results] == ["accepted"], answer
        await self.city.settle()
        where = JUSO if consent in OPEN else SHIEN
        self.account = Account.JUSO if where is JUSO else Account.SHIEN
        (row,) = self.city.stores[f"coordination@{where}"].read(lambda tx: list(tx.execute(select(case.c.id))))
        self.case, self.number = row.id, 0
        return row.id

    async def take(self, who: str, one: Step | Act, **said: Any) -> StepTaken:
        """Somebody takes a step; all it needs is filled in unless said otherwise."""
        assert self.case
        person = self.who(who)
        act = one if isinstance(one, Act) else self.act(one, **said)
        asked = {"case": self.case, "request": uuid4(), "after": self.number, "act": act}
        done = await self.city.answer(
            self.account, TakeStep(**asked, viewer=person.person, viewer_agency=person.agency)
        )
        if done.done:
            self.number = done.number
            await self.city.settle()
        else:
            assert done.reason.endswith("。"), done
            assert done.next_step, done
        return done

    async def does(self, who: str, *steps: Step | Act) -> StepTaken:
        """Somebody takes these steps, each of which has to be open."""
        done = StepTaken(done=False)
        for one in steps:
            done = await self.take(who, one)
            assert done.done, (one, done.rule, done.reason)
        return done

    def act(self, step: Step, **said: Any) -> Act:
        """A step with what it needs."""
        given: dict[str, Any] = {
            "step": step,
            "on": self.today,
            "words": "世帯の状況を確かめ、支える機関と話し合った。",
        }
        if step in (Step.DRAFT, Step.AMEND):
            given["plan"] = self.plan(self.city.profile.coordinators[0])
        if step in (Step.ASSESS, Step.EVALUATE):
            given["no_paper"] = "面談の場で書き取り、シートは後で書く。"
        if step is Step.RECORD_RESULT:
            given |= {"outcome": Outcome.FIT, "present": self.sat}
        if step is Step.CLOSE:
            given |= {"follow_up": "visit", "next_on": self.today + timedelta(days=90)}
        if step is Step.DECIDE:
            head = self.who("吉留")
            given |= {"decider": head.person, "decider_post": head.posts[0], "drafted_on": self.today}
        if step is Step.REPORT:
            given["counterpart"] = next(one.code for one in self.city.profile.agencies if one.kind == "municipality")
        return Act.model_validate(given | said)

    def plan(self, *agencies: str, services: Sequence[LegalService] = ()) -> Plan:
        """A plan in which these agencies have a role."""
        return Plan(
            goals="家計を立て直し、長男が週に一度外に出る。",
            policy="介護と家計と長男の相談を、機関で分けて受け持つ。",
            roles=tuple(Role(agency=one, until=self.today + timedelta(days=90), does="家計の相談") for one in agencies),
            services=tuple(services),
            monitor_on=self.today + timedelta(days=60),
        )

    async def look(self, who: str) -> LifeView:
        """How the case stands, for somebody."""
        assert self.case
        person = self.who(who)
        asked = LookAtLife(case=self.case, viewer=person.person, viewer_agency=person.agency)
        return await self.city.answer(self.account, asked)

    async def sittings(self) -> list[SittingView]:
        """The sittings that have, or had, an item of the case, as they were fixed."""
        assert self.case
        found = await self.city.answer(self.account, ItemSittings(case=self.case))
        assert not found.waiting, [one.why for one in found.waiting]
        return list(found.sittings)

    async def hold(self) -> SittingView:
        """Let the days pass until the case's last sitting was held; who was called comes."""
        coming = [one for one in await self.sittings() if one.starts > self.city.now]
        assert coming, "no sitting is coming"
        sitting = coming[-1]
        self.city.pass_time(seconds=(sitting.ends - self.city.now).total_seconds() + 60)
        await self.city.settle()
        self.heard.append(sitting)
        return sitting

    @property
    def sat(self) -> tuple[str, ...]:
        """The agencies that sat in the sitting that was held last."""
        return called(self.heard[-1])

    async def close(self, who: str, lead: str, decider: str = "") -> StepTaken:
        """From a plan underway to 終結: evaluated, put to a meeting, found fit, handed to the 主担当機関 (T1 C, D7)."""
        await self.does(who, Step.EVALUATE, Step.BRING_CLOSING)
        await self.hold()
        await self.does(decider or who, Step.RECORD_RESULT)
        return await self.does(who, self.act(Step.CLOSE, lead=lead))


def called(sitting: SittingView) -> tuple[str, ...]:
    """The agencies with a seat, each once, in the order of their need."""
    return tuple(dict.fromkeys(one.agency for one in sitting.seats if not one.cancelled))


def required(sitting: SittingView) -> set[str]:
    """Those without whom it would not have been held."""
    return {one.agency for one in sitting.seats if one.need == "required" and not one.cancelled}


def _quick(password: str, salt: bytes) -> bytes:
    """What guessing a password costs is not the subject here."""
    return hashlib.sha256(salt + password.encode()).digest()


@asynccontextmanager
async def told_in(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    """A story of the city of this example, from the morning of 2026-11-24 on."""
    monkeypatch.setattr("services.directory.domain._scrypt", _quick)
    example = EXAMPLES / name
    city = City(folder / name, read_profile(example), PROCESSES, example)
    city.catch_mail(monkeypatch)
    try:
        await city.settle()
        yield Story(city, (await city.answer(Account.DIRECTORY, Staff())).staff)
    finally:
        city.close()
