"""Years of a large city, week by week: referrals, cases, sittings, results, plans, monitoring, closing, re-opening.

The real services on real stores with a clock that is moved (tests/proof/city.py); what each statement costs is counted
in steps of SQLite's machine, which no other process on the computer can change. Used by tests/test_history.py with
small numbers and by bench/year.py with those of domain.md section 7.
"""

import hashlib
import json
import random
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select

from contracts.commission import Commission, Commissions
from contracts.consent import ConsentState
from contracts.coordination import Cases
from contracts.directory import Staff, StaffView
from contracts.intake import Problem, ReferralWithConsent, ReferralWithoutConsent, Sheet, TakeInSheets
from contracts.life import Act, LookAtDue, Step, TakeStep
from contracts.meetings import ItemSittings, Sittings
from contracts.message import Account
from services.coordination.tables import case
from services.meetings.tables import sitting
from services.processes import PROCESSES
from services.settings import read_profile
from services.store import Store
from tests.cities.story import EXAMPLES, Story
from tests.older_city import SPAN
from tests.proof.city import MORNING, City

CITY = "okayama"
OFFICER = "三宅"
WEEKS = 52
AGENCIES = ("houkatsu", "kikan", "yorisoi", "kodomo-sogo")
FAMILY = ("髙橋", "𠮷田", "﨑山", "妹尾", "難波", "藤原", "岡﨑", "守屋", "グエン", "德永")
FAMILY_KANA = (
    "タカハシ",
    "ヨシダ",
    "サキヤマ",
    "セノオ",
    "ナンバ",
    "フジワラ",
    "オカザキ",
    "モリヤ",
    "グエン",
    "トクナガ",
)
GIVEN = ("キヨ子", "進", "ホア", "ミツ", "健一", "典子", "学", "由紀", "博", "美咲")
GIVEN_KANA = ("キヨコ", "ススム", "ホア", "ミツ", "ケンイチ", "ノリコ", "マナブ", "ユキ", "ヒロシ", "ミサキ")
STEPS_AT_ONCE = 50
"""SQLite reports its work in portions of so many steps."""


@dataclass(frozen=True)
class Volume:
    """What one year brings. The defaults are the planning figures of a large city (domain.md section 7)."""

    referrals: int = 1200
    cases: int = 400

    def of_week(self, week: int) -> tuple[int, int]:
        """Referrals and, among them, accepted cases of a week, counted from 0."""
        return tuple(n * (week + 1) // WEEKS - n * week // WEEKS for n in (self.referrals, self.cases))  # type: ignore[return-value]


@dataclass
class Meter:
    """What the stores did: steps of SQLite's machine and statements, by store; each statement once, as it was run."""

    steps: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_statement: Counter[tuple[str, str]] = field(default_factory=Counter)

    def watch(self, name: str, store: Store) -> None:
        """Count what this store does from now on."""
        running = ""

        def begin(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
            nonlocal running
            running = statement
            self.runs[name] += 1
            self.seen.setdefault(name, {}).setdefault(statement, parameters)

        def worked() -> int:
            self.steps[name] += STEPS_AT_ONCE
            self.by_statement[name, running] += STEPS_AT_ONCE
            return 0

        event.listen(store.engine, "before_cursor_execute", begin)
        with store.engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.set_progress_handler(worked, STEPS_AT_ONCE)

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """The steps of what happens meanwhile, by store."""
        before, found = Counter(self.steps), Counter[str]()
        yield found
        found.update(self.steps - before)


@dataclass
class Life(Story):
    """A case of many. ``wakes``: when it goes on. What follows a step is handed on once for all cases."""

    wakes: datetime = MORNING

    async def put(self, one: Step | Act) -> None:
        """Take a step that has to be open, and do not wait for what follows."""
        assert self.case
        person = self.who(OFFICER)
        act = one if isinstance(one, Act) else self.act(one)
        asked = TakeStep(
            case=self.case,
            request=uuid4(),
            after=self.number,
            act=act,
            viewer=person.person,
            viewer_agency=person.agency,
        )
        done = await self.city.answer(self.account, asked)
        assert done.done, (act.step, done.rule, done.reason)
        self.number = done.number


@dataclass
class Years:
    """A city and all the cases it is busy with."""

    city: City
    volume: Volume
    staff: Sequence[StaffView] = ()
    meter: Meter = field(default_factory=Meter)
    year: int = 0
    referrals: int = 0
    accepted: int = 0
    reopened: int = 0
    events: int = 0
    questions: int = 0
    """From one process to another."""
    mails: int = 0
    lives: list[tuple[Life, AsyncIterator[timedelta]]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    pages: list[Counter[str]] = field(default_factory=list)
    """What looking at the desk cost, week by week, by store."""

    async def live(self, weeks: int = WEEKS) -> None:
        """One more year, or the first weeks of it."""
        began = self.city.now
        await self._renew()
        for week in range(weeks):
            await self._week(week)
            self.city.now = began + timedelta(weeks=week + 1)
        self.year += 1

    def sittings(self) -> int:
        """How many there are, held or coming, without those that were cancelled."""
        counted = select(func.count()).select_from(sitting).where(sitting.c.fixed, sitting.c.cancelled_at.is_(None))
        stores = (self.city.stores[f"meetings@{where}"] for where in ("juso", "shien"))
        return sum(one.read(lambda tx: tx.execute(counted).scalar_one()) for one in stores)

    async def _renew(self) -> None:
        """The commissions that do not last through this year get a successor (S6)."""
        known = (await self.city.answer(Account.SHIEN, Commissions())).commissions
        last = {one.agency: max(it.ends for it in known if it.agency == one.agency) for one in known}
        for agency, ends in last.items():
            if ends < self.city.now + timedelta(weeks=WEEKS + 1):
                starts = max(ends, self.city.now)
                today = (self.city.now + timedelta(hours=9)).date()
                facts = {"agency": agency, "starts": starts, "ends": starts + timedelta(days=700)}
                asked = Commission(**facts, explained_on=today, document="更新第1号")
                done = await self.city.answer(Account.SHIEN, asked)
                assert done.done, done.message
        await self.city.settle()

    async def rest(self) -> None:
        """Let every case come to its end, and every consent: a month at a time, without anything new."""
        ends = self.city.now + SPAN - timedelta(weeks=WEEKS)
        while self.lives:
            await self._go_on()
            wakes = min((life.wakes for life, _ in self.lives), default=self.city.now)
            self.city.now = max(wakes, self.city.now + timedelta(days=1))
        while self.city.now < ends:
            self.city.pass_time(weeks=4)
            await self.city.settle()

    async def _week(self, week: int) -> None:
        await self._go_on()
        came, accepted = self.volume.of_week(week)
        await self._refer(came, accepted)
        with self.meter.counting() as cost:
            await self._look()
        self.pages.append(cost)

    async def _go_on(self) -> None:
        """What has to be done in every case that waited until today."""
        self.mails += len(self.city.mails)
        self.questions += len(self.city.asked)
        self.events += sum(map(len, self.city.stored.values()))
        self.city.mails.clear()
        self.city.asked.clear()
        self.city.stored.clear()
        await self.city.settle()
        still = []
        for life, steps in self.lives:
            if life.wakes <= self.city.now:
                wait = await anext(steps, None)
                if wait is None:
                    continue
                life.wakes = self.city.now + wait
            still.append((life, steps))
        self.lives = still
        await self.city.settle()

    async def _look(self) -> None:
        """What the officer of each desk opens on a Tuesday: the list of cases, what is due, this week's sittings."""
        who = next(one for one in self.staff if one.name.startswith(OFFICER))
        for account in (Account.JUSO, Account.SHIEN):
            await self.city.answer(account, Cases(viewer=who.person, viewer_agency=who.agency))
            await self.city.answer(account, LookAtDue(viewer=who.person, viewer_agency=who.agency))
            await self.city.answer(account, Sittings(starts=self.city.now, ends=self.city.now + timedelta(days=7)))

    async def _refer(self, count: int, accepted: int) -> None:
        """So many つなぐシート in one file. A quarter without consent; every third case cannot wait."""
        sheets = [self._sheet(self.referrals + n) for n in range(count)]
        self.referrals += count
        if sheets:
            answer = await self.city.answer(Account.INTAKE, TakeInSheets(sheets=tuple(sheets)))
            assert {one.outcome for one in answer.results} == {"accepted"}, answer
        await self.city.settle()
        new = [(account, one) for account in (Account.JUSO, Account.SHIEN) for one in self._opened(account)]
        new.sort(key=lambda one: one[1].hex)
        for n, (account, about) in enumerate(new):
            life = Life(self.city, self.staff, account, about)
            life.wakes = self.city.now
            steps = self._accepted(life) if n < accepted else self._given_back(life)
            self.lives.append((life, steps))

    def _opened(self, account: Account) -> Iterator[UUID]:
        """The cases that this week's referrals have become, from what the streams hold."""
        for told in self.city.stored[account]:
            subject, body = told.split(" ", 1)
            if subject in (ReferralWithConsent.subject, ReferralWithoutConsent.subject):
                yield UUID(json.loads(body)["about"])

    def _sheet(self, number: int) -> Sheet:
        chance, today = self.chance, (self.city.now + timedelta(hours=9)).date()
        family, given = chance.randrange(10), chance.randrange(10)
        consent = ConsentState.REFUSED if number % 4 == 3 else ConsentState.GIVEN
        others = chance.sample(AGENCIES, 2)
        return Sheet(
            municipality=self.city.profile.municipality,
            number=f"{today:%y%m}{number:07}",
            resident_number=f"{chance.randrange(10**10):010}",
            received_on=today,
            referrer=AGENCIES[number % 4],
            referrer_staff="難波 一郎",
            name=f"{FAMILY[family]} {GIVEN[given]}",
            kana=f"{FAMILY_KANA[family]} {GIVEN_KANA[given]}",
            sex=chance.choice(("female", "male")),
            born_on=date(1930, 1, 1) + timedelta(days=chance.randrange(30_000)),
            address="",
            phone="",
            problems=(Problem.DEBT, Problem.ELDER_CARE),
            wishes="これからのことが心配だ。",
            members=(),
            household_size=chance.randint(2, 5),
            agencies=tuple(others),
            reason="介護と家計とひきこもりが重なり、一つの機関では支えきれない。",
            urgent=number % 9 == 0,
            consent=consent,
            consented_on=None if consent is ConsentState.REFUSED else today,
        )

    # -- lives: each yields how long it waits ------------------------------------------------------------------------

    async def _given_back(self, life: Life) -> AsyncIterator[timedelta]:
        """Two referrals of three are answered within a week: the referrer goes on (D8)."""
        yield timedelta(days=7)
        view = await life.look(OFFICER)
        assert view.found
        referrer = self._referrer_of(life)
        await life.put(life.act(Step.GIVE_BACK, counterpart=referrer))

    async def _accepted(self, life: Life) -> AsyncIterator[timedelta]:
        """A plan within a fortnight, monitored twice, closed at a second meeting; one of eight comes back."""
        self.accepted += 1
        number = self.accepted
        await life.put(Step.ASSESS)
        yield timedelta(days=7)
        await life.put(life.act(Step.DRAFT, plan=life.plan("houkatsu", "kikan")))
        await life.put(life.act(Step.BRING, urgent=number % 3 == 0))
        async for wait in self._heard(life):
            yield wait
        await life.put(Step.REPORT if life.account is Account.JUSO else Step.CONFIRM)
        for _ in range(2):
            yield timedelta(days=28)
            await life.put(life.act(Step.MONITOR, next_on=life.today + timedelta(days=28)))
        async for wait in self._closed(life):
            yield wait
        if number % 8 == 0:
            yield timedelta(days=28)
            await life.put(Step.REOPEN)
            self.reopened += 1
            yield timedelta(days=28)
            async for wait in self._closed(life):
                yield wait
        yield timedelta(days=91)
        await life.put(Step.FOLLOW_UP)

    async def _closed(self, life: Life) -> AsyncIterator[timedelta]:
        await life.put(Step.EVALUATE)
        await life.put(Step.BRING_CLOSING)
        async for wait in self._heard(life):
            yield wait
        await life.put(life.act(Step.CLOSE, lead="houkatsu"))

    async def _heard(self, life: Life) -> AsyncIterator[timedelta]:
        """Wait for the sitting, and record that what was put to it is fit."""
        yield timedelta(days=7)
        while True:
            assert life.case
            asked = await self.city.answer(life.account, ItemSittings(case=life.case))
            coming = max(asked.sittings, key=lambda one: one.starts, default=None)
            view = await life.look(OFFICER)
            if coming and view.sitting == coming.starts and coming.ends <= self.city.now:
                break
            yield timedelta(days=7)
        life.heard.append(coming)
        await life.put(Step.RECORD_RESULT)

    def _referrer_of(self, life: Life) -> str:
        store = self.city.stores[f"coordination@{life.account}"]
        found = select(case.c.referrer).where(case.c.id == life.case)
        referrer: str = store.read(lambda tx: tx.execute(found).scalar_one())
        return referrer


def _quick(password: str, salt: bytes) -> bytes:
    """What guessing a password costs is not the subject here."""
    return hashlib.sha256(salt + password.encode()).digest()


def roomy_profile(folder: Path) -> Path:
    """岡山市 with room for every case of a large city in its meetings. Consents last a year."""
    source = EXAMPLES / CITY
    folder.mkdir(parents=True)
    text = (source / "profile.toml").read_text("utf-8")
    text = re.sub(r"capacity = \d+", "capacity = 200", text)
    (folder / "profile.toml").write_text(f"consent_years = 1\n{text}", "utf-8")
    for name in ("staff.csv", "commissions.csv"):
        (folder / name).write_bytes((source / name).read_bytes())
    return folder


@asynccontextmanager
async def years_in(folder: Path, volume: Volume, now: datetime = MORNING) -> AsyncIterator[Years]:
    """A large city from the morning of 2026-11-24 on, or one whose files are there already from ``now`` on."""
    profile = folder / "profile" if (folder / "profile").exists() else roomy_profile(folder / "profile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.directory.domain._scrypt", _quick)
        city = City(folder / "var", read_profile(profile), PROCESSES, profile, seed=now.isoformat(), now=now)
        city.catch_mail(patch)
        try:
            await city.settle()
            years = Years(city, volume, (await city.answer(Account.DIRECTORY, Staff())).staff)
            for name, store in city.stores.items():
                years.meter.watch(name, store)
            yield years
        finally:
            city.close()


def scans(store: Store, statements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The tables that one of these statements would read from end to end, each with the statement."""
    tables = {*store.service.tables.tables, "inbox", "seen"}
    with store.engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        for statement in statements:
            if statement.split()[0] not in ("SELECT", "UPDATE", "DELETE"):
                continue
            plan = raw.execute(f"explain query plan {statement}", [None] * statement.count("?"))
            for *_, step in plan.fetchall():
                if step.startswith("SCAN ") and step.split()[1] in tables:
                    yield step.split()[1], statement
