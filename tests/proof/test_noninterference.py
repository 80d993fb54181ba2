"""Outsiders cannot tell whether a 支援会議 happened (I5): with all shien steps taken away, nothing they see differs.

The purge form of noninterference (consent.md 7.1). A history is a few steps that collide on purpose: few people, rooms,
days and numbers. It runs once as it is and once without its shien steps; every page, event, mail, answer and count that
anybody outside shien can get must be the same, to the letter. One thing is declared to be visible: that a person is
busy. So the second run is told the shien's reservations as opaque busy times, and nothing else.

Numbers of つなぐシート collide between referrers, not within one: the referrer knows its own numbers.
"""

import gc
import hashlib
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.consent import ConsentState
from contracts.directory import Release, Reserve, StaffView
from contracts.intake import Problem, Sheet, TakeInSheets
from contracts.message import Account, Compartment
from contracts.office import Officer
from contracts.profile import Profile
from contracts.triage import LookAtTriageList
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City, Mail, as_worded
from tests.proof.deeds import DEEDS, Hands, staff_of
from tests.proof.leaks import KINDS, LEAKS, SEEN

HISTORIES = int(os.environ.get("KASANE_HISTORIES", "300"))
"""3,000 with ``make proof``."""
PARTS = 15
"""So that every core has some of them to do."""
REFERRERS = ("houkatsu", "kikan")
NAMES = ("髙橋 キヨ子", "𠮷田 進", "グエン ティ ホア")
WITHOUT = (ConsentState.REFUSED, ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK)


@dataclass(frozen=True)
class Step:
    """One thing that happens. ``shien``: it is part of a 支援会議, and is taken away in the second run."""

    kind: str
    shien: bool = False
    referrer: int = 0
    number: int = 0
    name: int = 0
    urgent: bool = False
    state: ConsentState = ConsentState.GIVEN
    hours: int = 0
    pick: int = 0
    """Which of the cases, or referrals, there are."""


TOWN = Path(__file__).parent / "town"
PASSWORDS = {"takahashi": "hiiragi-2026", "uchimura": "tsubaki-2026", "hidaka": "sazanka-2026"}
RANDOM_IN_PAGES = re.compile(r'name="(?:form_token|request)" value="[0-9a-f-]+"')
LISTS = {
    "takahashi": ("/week", "/cases", "/due", "/counts", "/challenges", "/reception", "/reception/same"),
    "uchimura": ("/week", "/cases", "/inquiries", "/counts", "/resources"),
    "hidaka": ("/week", "/cases", "/due", "/inquiries"),
}
BELOW_A_CASE = ("/life", "/papers", "/roster", "/sheet", "/papers/new?form=assessment")
"""Of each case everybody opens one of these besides its own page."""


def sheet(step: Step, profile: Profile) -> Sheet:
    consented = step.state in (ConsentState.GIVEN, ConsentState.NARROWED)
    side = step.shien != bool(step.referrer)  # so that the two sides' numbers collide between the referrers
    return Sheet(
        municipality=profile.municipality,
        number=f"{'A' if side else 'B'}{step.number}",
        resident_number=None,
        received_on=date(2026, 11, 20),
        referrer=REFERRERS[step.referrer],
        referrer_staff="日髙 奈緒",
        name=NAMES[step.name],
        kana="",
        sex="unknown",
        born_on=None,
        address="",
        phone="",
        problems=(Problem.DEBT,),
        wishes="",
        members=(),
        household_size=2,
        agencies=("kikan", "fukushi", "shakyo"),
        reason="家計と介護をいっしょに相談したい。",
        urgent=step.urgent,
        consent=step.state,
        consented_on=date(2026, 11, 20) if consented else None,
    )


@dataclass
class Run:
    """One run of a history: what outsiders saw; what the shien side asked of the directory at each step, and when."""

    seen: list[Any] = field(default_factory=list)
    busy: list[list[Reserve | Release]] = field(default_factory=list)
    clock: list[datetime] = field(default_factory=list)

    def copy(self) -> "Run":
        return Run(list(self.seen), list(self.busy), list(self.clock))


async def live(place: int, step: Step, city: City, done: Run, staff: dict[str, StaffView]) -> None:
    """Do one step of a history as it is."""
    city.begin_step(str(place))
    asked = len(city.asked)
    hands = Hands(city, Compartment.SHIEN if step.shien else Compartment.JUSO, step.pick, place, staff)
    city.now = when(step, hands)
    done.clock.append(city.now)
    await take(step, hands, done)
    said = [one.question for one in city.asked[asked:] if one.by == "meetings@shien"]
    done.busy.append([one for one in said if isinstance(one, Reserve | Release)])
    if not step.shien:
        done.seen.append(overheard(city))


async def live_without(place: int, step: Step, whole: Run, city: City, done: Run, staff: dict[str, StaffView]) -> None:
    """Do one step of a history without its shien steps, whose reservations, and the time they took, are told."""
    city.begin_step(str(place))
    city.now = whole.clock[place]
    if step.shien:
        if step.kind == "sit":
            await city.settle()
        await city.settle()
    else:
        await take(step, Hands(city, Compartment.JUSO, step.pick, place, staff), done)
    for question in whole.busy[place]:
        await city.answer(Account.DIRECTORY, question)
    if not step.shien:
        done.seen.append(overheard(city))


def when(step: Step, hands: Hands) -> datetime:
    """When a step is taken: a minute after the last, or when the sitting has begun that it holds."""
    if step.kind == "wait":
        return hands.city.now + timedelta(hours=step.hours)
    coming = hands.coming() if step.kind == "sit" else None
    return coming[1] + timedelta(minutes=1) if coming else hands.city.now + timedelta(minutes=1)


async def take(step: Step, hands: Hands, done: Run) -> None:
    """Act, for a sitting once the town has noticed how late it is. What one outside shien is answered, is seen."""
    if step.kind == "sit":
        await hands.city.settle()
    if step.kind == "refer":
        await hands.ask(TakeInSheets(sheets=(sheet(step, hands.city.profile),)), Account.INTAKE)
    elif step.kind in DEEDS:
        await DEEDS[step.kind](hands)
    if not step.shien:
        done.seen += hands.said
    await hands.city.settle()


def overheard(city: City) -> dict[str, Any]:
    """Everything that was told, mailed and counted outside shien until this moment."""
    return {
        "events": {account: list(city.stored[account]) for account in Account if account is not Account.SHIEN},
        "mails": [outside(mail) for mail in city.mails if mail.asker is not Compartment.SHIEN],
        "counts": {name: store.counts() for name, store in city.stores.items() if name.endswith("@juso")},
    }


def outside(mail: Mail) -> tuple[str, bytes]:
    return mail.recipient, as_worded(mail.body)


async def pages(city: City) -> list[str]:
    """All lists of the juso desk and every case and sitting in them, as each person there sees them."""
    transport, texts = httpx.ASGITransport(city.app("desk@juso")), list[str]()
    for who, (login, password) in enumerate(PASSWORDS.items()):
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            await client.post("/sign-in", data={"login": login, "password": password})
            lists = [await page(client, path) for path in LISTS[login]]
            links = list(dict.fromkeys(re.findall(r'href="(/(?:cases|sittings)/[0-9a-f-]{36})', "".join(lists))))
            for number, path in enumerate(links):
                below = BELOW_A_CASE[(who + number) % len(BELOW_A_CASE)] if path.startswith("/cases") else ""
                lists += [await page(client, one) for one in dict.fromkeys((path, path + below))]
            texts += lists
    return texts


async def page(client: httpx.AsyncClient, path: str) -> str:
    """What a page says. One that breaks says the same whatever happened, and would show nothing; one that is closed
    (503: a replica is not known to be whole) is something that an outsider sees."""
    answer = await client.get(path)
    assert answer.status_code != 500, path
    return RANDOM_IN_PAGES.sub("", answer.text)


async def waiting(city: City, staff: dict[str, StaffView]) -> str:
    """The referrals that wait for a decision, as the 多機関協働事業者 sees them: those with consent."""
    by = Officer(person=staff["0002"].person, agency=staff["0002"].agency)
    return (await city.answer(Account.INTAKE, LookAtTriageList(by=by))).model_dump_json()


# -- the worlds --------------------------------------------------------------------------------------------------------


def quick(password: str, salt: bytes) -> bytes:
    """What guessing a password costs is not the subject here."""
    return hashlib.sha256(salt + password.encode()).digest()


@pytest.fixture(scope="module", autouse=True)
def quick_sign_in() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.directory.domain._scrypt", quick)
        yield


class World:
    """One town, brought back to its beginning for every history: starting another would take as long as ten steps."""

    def __init__(self, folder: Path) -> None:
        self.city = City(folder, read_profile(TOWN), PROCESSES, TOWN, seed="7", patient=True)
        self.beginning = self.city.image()
        self.forget: Callable[[], None] = lambda: None
        """Called between the two runs, for what a planted fault keeps outside the town."""

    async def differ(self, history: list[Step]) -> bool:
        """Whether an outsider can tell the history from the one without its shien steps.

        What comes before the first of these is lived through once.
        """
        city = self.city
        city.turn_back(self.beginning)
        first = next((place for place, step in enumerate(history) if step.shien), len(history))
        whole = Run()
        await city.settle()
        staff = await staff_of(city)
        for place, step in enumerate(history[:first]):
            await live(place, step, city, whole, staff)
        purged, parting = whole.copy(), city.image()
        for place, step in enumerate(history[first:], first):
            await live(place, step, city, whole, staff)
        whole.seen += [overheard(city), await waiting(city, staff), await pages(city)]
        self.forget()
        city.turn_back(parting)
        parting.close()
        for place, step in enumerate(history[first:], first):
            await live_without(place, step, whole, city, purged, staff)
        purged.seen += [overheard(city), await waiting(city, staff), await pages(city)]
        return whole.seen != purged.seen

    def close(self) -> None:
        """Give back the files."""
        self.beginning.close()
        self.city.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Where thousands of stores are written and thrown away: in memory if the machine has such a place."""
    memory = Path("/dev/shm")
    folder = memory / f"kasane-{os.getpid()}" if memory.is_dir() else tmp_path_factory.mktemp("towns")
    with pytest.MonkeyPatch.context() as patch:
        one = World(folder / "town")
        one.city.catch_mail(patch)
        gc.freeze()  # what is loaded by now stays: the collector need not walk through it for every history
        yield one
        gc.unfreeze()
        one.close()
    shutil.rmtree(folder, ignore_errors=True)


def histories(count: int, start: int = 0) -> Iterator[list[Step]]:
    """So many histories, the same ones in every run."""
    for number in range(start, start + count):
        yield history_of(random.Random(number))


def history_of(chance: random.Random) -> list[Step]:
    """A referral on either side, then one to four more steps, about half of them of shien."""
    steps = [_referral(chance, shien) for shien in chance.sample((True, False), 2)]
    for _ in range(chance.randint(1, 4)):
        kind, shien = chance.random(), chance.random() < 0.5
        if kind < 0.1:
            steps.append(Step("wait", hours=chance.choice([1, 20, 24 * 7])))
        elif kind < 0.35:
            steps.append(_referral(chance, shien))
        else:
            steps.append(Step(chance.choice(sorted(DEEDS)), shien, pick=chance.randrange(4)))
    return steps


def _referral(chance: random.Random, shien: bool) -> Step:
    states = WITHOUT if shien else (ConsentState.GIVEN, ConsentState.GIVEN, ConsentState.NARROWED)
    who = chance.randrange(2), chance.randrange(4), chance.randrange(3)
    return Step("refer", shien, *who, urgent=chance.random() < 0.6, state=chance.choice(states))


@pytest.mark.parametrize("part", range(PARTS))
async def test_outsiders_cannot_tell_whether_a_shien_meeting_happened(world: World, part: int) -> None:
    for number in range(part, HISTORIES, PARTS):
        assert not await world.differ(history_of(random.Random(number))), f"history {number}"


# -- planted leaks: each is noticed within a few histories -------------------------------------------------------------


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
async def test_a_planted_leak_is_noticed(world: World, leak: Callable[[pytest.MonkeyPatch], None]) -> None:
    wanted = KINDS.get(leak)
    tried = (one for one in histories(4000, start=10_000) if not wanted or of_both(one, wanted))
    with pytest.MonkeyPatch.context() as patch:
        leak(patch)
        for history in islice(tried, 40):
            SEEN.clear()
            world.forget = SEEN.clear
            if await world.differ(history):
                return
    raise AssertionError("nobody noticed")


def of_both(history: list[Step], kind: str) -> bool:
    """Whether a deed is done in shien, and later in juso."""
    sides = [step.shien for step in history if step.kind == kind]
    return True in sides and False in sides[sides.index(True) :]
