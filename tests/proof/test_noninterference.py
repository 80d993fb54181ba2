"""Outsiders cannot tell whether a 支援会議 happened (I5): with all shien steps taken away, nothing they see differs.

The purge form of noninterference (consent.md 7.1). A history is a few steps that collide on purpose: few people, rooms,
days and numbers. It runs once as it is and once without its shien steps; every page, event, mail, answer and count that
anybody outside shien can get must be the same, to the letter. One thing is declared to be visible: that a person is
busy. So the second run is told the shien's reservations as opaque busy times, and nothing else.

Numbers of つなぐシート collide between referrers, not within one: the referrer knows its own numbers.
"""

import hashlib
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select

from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward
from contracts.directory import Release, Reserve
from contracts.intake import ConsentChanged, ConsentHeads, Problem, Sheet, TakeInSheets
from contracts.message import Account, Compartment
from contracts.profile import Profile
from services import intake, meetings
from services.desk import words as desk_words
from services.desk.app import build_app
from services.intake import domain as intake_domain
from services.intake import handlers as intake_handlers
from services.intake.ledger_tables import version as version_table
from services.meetings import domain as meetings_domain
from services.notify import handlers as notify_handlers
from services.processes import PROCESSES
from services.service import Tx
from services.settings import read_profile
from services.store import outbox
from tests.proof.city import City, Mail

HISTORIES = int(os.environ.get("KASANE_HISTORIES", "300"))
"""3,000 with ``make proof``. Each takes about two seconds: two whole towns."""
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


TOWN = Path(__file__).parent / "town"
PASSWORDS = {"takahashi": "hiiragi-2026", "uchimura": "tsubaki-2026", "hidaka": "sazanka-2026"}
RANDOM_IN_PAGES = re.compile(r'name="form_token" value="[0-9a-f]+"')


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
    """One run of a history: what outsiders saw, and what the shien side asked of the directory at each step."""

    city: City
    seen: list[Any]
    busy: list[list[Reserve | Release]]


async def run(history: list[Step], city: City, purge: bool, busy: list[list[Reserve | Release]]) -> Run:
    """Do the steps. ``purge``: without those of shien, whose reservations come from ``busy`` instead."""
    done = Run(city, [], [])
    await city.settle()
    for place, step in enumerate(history):
        city.pass_time(minutes=1)
        city.begin_step(str(place))
        asked = len(city.asked)
        if step.kind == "wait":
            city.pass_time(hours=step.hours)
        elif not (purge and step.shien):
            answer = await city.answer(Account.INTAKE, TakeInSheets(sheets=(sheet(step, city.profile),)))
            if not step.shien:
                done.seen.append(answer.model_dump(mode="json"))
        await city.settle()
        if purge:
            for question in busy[place]:
                await city.answer(Account.DIRECTORY, question)
        said = [one.question for one in city.asked[asked:] if one.by == "meetings@shien"]
        done.busy.append([one for one in said if isinstance(one, Reserve | Release)])
        if not step.shien:
            done.seen.append(overheard(city))
    done.seen += [overheard(city), await pages(city)]
    return done


def overheard(city: City) -> dict[str, Any]:
    """Everything that was told, mailed and counted outside shien until this moment."""
    return {
        "events": {account: list(city.stored[account]) for account in Account if account is not Account.SHIEN},
        "mails": [outside(mail) for mail in city.mails if mail.asker is not Compartment.SHIEN],
        "counts": {name: store.counts() for name, store in city.stores.items() if name.endswith("@juso")},
    }


def outside(mail: Mail) -> tuple[str, bytes]:
    return mail.recipient, mail.body


async def pages(city: City) -> list[str]:
    """The week, the list and every case page of the juso desk, as each person there sees them."""
    transport, texts = httpx.ASGITransport(build_app(city.work("desk@juso"))), list[str]()
    for login, password in PASSWORDS.items():
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            await client.post("/sign-in", data={"login": login, "password": password})
            lists = [(await client.get(path)).text for path in ("/week", "/cases")]
            links = dict.fromkeys(re.findall(r'href="(/cases/[0-9a-f-]{36})', "".join(lists)))
            texts += [*lists, *[(await client.get(path)).text for path in links]]
    return [RANDOM_IN_PAGES.sub("", text) for text in texts]


# -- the worlds --------------------------------------------------------------------------------------------------------


def quick(password: str, salt: bytes) -> bytes:
    """What guessing a password costs is not the subject here."""
    return hashlib.sha256(salt + password.encode()).digest()


@pytest.fixture(scope="module", autouse=True)
def quick_sign_in() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.directory.domain._scrypt", quick)
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a town that has just started, to be copied: starting takes a second, copying a few milliseconds."""
    folder = tmp_path_factory.mktemp("template") / "town"
    City(folder, read_profile(TOWN), PROCESSES, TOWN).close()
    return folder


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where thousands of stores are made and thrown away: in memory if the machine has such a place."""
    memory = Path("/dev/shm")
    folder = memory / f"kasane-{os.getpid()}" if memory.is_dir() else tmp_path_factory.mktemp("towns")
    folder.mkdir(exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Worlds:
    """Makes towns that begin alike, and throws them away."""

    def __init__(self, template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.template, self.folder, self.monkeypatch = template, folder, monkeypatch
        self.profile = read_profile(TOWN)
        self.made = 0
        self.forget: Callable[[], None] = lambda: None
        """Called between the two runs, for what a planted fault keeps outside the town."""

    @contextmanager
    def two(self) -> Iterator[tuple[City, City]]:
        cities = []
        for _ in range(2):
            self.made += 1
            folder = self.folder / str(self.made)
            shutil.copytree(self.template, folder)
            cities.append(City(folder, self.profile, PROCESSES, TOWN, seed="7"))
            cities[-1].catch_mail(self.monkeypatch)
        yield cities[0], cities[1]
        for city in cities:
            city.close()
            shutil.rmtree(city.folder)

    async def differ(self, history: list[Step]) -> bool:
        """Whether an outsider can tell the history from the one without its shien steps."""
        with self.two() as (whole, purged):
            with_shien = await run(history, whole, purge=False, busy=[])
            self.forget()
            without = await run(history, purged, purge=True, busy=with_shien.busy)
            return with_shien.seen != without.seen


@pytest.fixture
def worlds(template: Path, fast: Path, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    return Worlds(template, fast, monkeypatch)


def histories(count: int, start: int = 0) -> Iterator[list[Step]]:
    """So many histories, the same ones in every run."""
    for number in range(start, start + count):
        yield history_of(random.Random(number))


def history_of(chance: random.Random) -> list[Step]:
    """Two to eight steps, about half of them of shien."""
    steps = []
    for _ in range(chance.randint(2, 8)):
        kind = chance.random()
        if kind < 0.15:
            steps.append(Step("wait", hours=chance.choice([1, 20, 24 * 7])))
            continue
        shien = kind < 0.6
        states = WITHOUT if shien else (ConsentState.GIVEN, ConsentState.GIVEN, ConsentState.NARROWED)
        steps.append(
            Step(
                "refer",
                shien,
                chance.randrange(2),
                chance.randrange(4),
                chance.randrange(3),
                chance.random() < 0.6,
                chance.choice(states),
            )
        )
    return steps


@pytest.mark.parametrize("part", range(PARTS))
async def test_outsiders_cannot_tell_whether_a_shien_meeting_happened(worlds: Worlds, part: int) -> None:
    for number in range(part, HISTORIES, PARTS):
        assert not await worlds.differ(history_of(random.Random(number))), f"history {number}"


# -- planted leaks: each is noticed within a few histories -------------------------------------------------------------


def numbered_references(patch: pytest.MonkeyPatch) -> None:
    """References counted one by one, so that a gap tells of what was drawn between."""
    patch.setattr(City, "begin_step", lambda self, name: None)


def household_tells_how_many(patch: pytest.MonkeyPatch) -> None:
    """An event with content: how many referrals there are, of both kinds."""
    facts = intake_handlers._facts

    def leaky(row: Any) -> dict[str, Any]:
        SEEN.append("referral")
        return facts(row) | {"household_size": min(99, len(SEEN))}

    patch.setattr(intake_handlers, "_facts", leaky)


def number_taken_by_anybody(patch: pytest.MonkeyPatch) -> None:
    """«Already exists» about a number of the other kind (C4): the refusal tells that there is such a referral."""
    flaws = intake_domain.flaws

    def leaky(sheet: Sheet, *rest: Any) -> Iterator[Any]:
        yield from flaws(sheet, *rest)
        if any(sheet.number[1:] == number for number in SEEN):
            yield intake_domain.Flaw("number", "number-taken", "この受付番号は使われています。")
        SEEN.append(sheet.number[1:])

    patch.setattr(intake_handlers.domain, "flaws", leaky)


def mail_counts(patch: pytest.MonkeyPatch) -> None:
    """A running number in every mail."""
    compose = notify_handlers.compose

    def leaky(*told: Any) -> bytes:
        SEEN.append("mail")
        return b"X-Number: %d\r\n" % len(SEEN) + compose(*told)

    patch.setattr(notify_handlers, "compose", leaky)


def consent_told_of_everybody(patch: pytest.MonkeyPatch) -> None:
    """Juso is told of consents that were refused, too: that somebody was asked."""
    to_shien = intake_handlers._to_shien

    def leaky(row: Any, ground: ConsentState, tx: Tx) -> Any:
        case = tx.ref()
        told = ConsentChanged(about=tx.ref(), version=1, case=case, state=ground, scope=None, recorded_at=tx.now)
        outbox_of(tx, told)
        return to_shien(row, ground, tx)

    patch.setattr(intake_handlers, "_to_shien", leaky)


def heartbeat_counts_everybody(patch: pytest.MonkeyPatch) -> None:
    """The ledger's heads count what juso was never told: its replicas fence themselves while shien has cases."""
    answer = intake.service.answers_to[ConsentHeads]

    def leaky(question: Any, tx: Tx) -> Any:
        everybody = tx.connection.scalar(select(func.count()).select_from(version_table)) or 0
        return answer.act(question, tx).model_copy(update={"consents": everybody})

    patch.setitem(intake.service.answers_to, ConsentHeads, replace(answer, act=leaky))


def agenda_shared(patch: pytest.MonkeyPatch) -> None:
    """A full agenda because of the other kind's items: a cache that both compartments use."""
    take_up = meetings.service.reactions[ItemPutForward]

    def counting(told: Any, tx: Tx) -> Any:
        SEEN.append(tx.here)
        return take_up(told, tx)

    answer_by = meetings_domain.answer_by
    patch.setitem(meetings.service.reactions, ItemPutForward, counting)
    patch.setattr(
        meetings_domain, "answer_by", lambda *told: answer_by(*told) - timedelta(minutes=SEEN.count(Compartment.SHIEN))
    )


def names_in_the_outbox(patch: pytest.MonkeyPatch) -> None:
    """Whom a shien case is about, told to juso's stream by a forgotten copy."""
    collect = City._collect

    def leaky(self: City, names: set[str]) -> None:
        before = len(self.stored[Account.SHIEN])
        collect(self, names)
        self.stored[Account.JUSO] += self.stored[Account.SHIEN][before:]

    patch.setattr(City, "_collect", leaky)


def dashboard_counts_everybody(patch: pytest.MonkeyPatch) -> None:
    """A total on every juso page that counts shien's referrals."""
    word = desk_words.consent_text

    def leaky(state: ConsentState) -> str:
        return f"{word(state)} (全{len(SEEN)}件)"

    patch.setattr(desk_words, "consent_text", leaky)
    household_silent(patch)


def household_silent(patch: pytest.MonkeyPatch) -> None:
    """Counts referrals without telling the number in an event."""
    facts = intake_handlers._facts

    def counting(row: Any) -> dict[str, Any]:
        SEEN.append("referral")
        return facts(row)

    patch.setattr(intake_handlers, "_facts", counting)


def errors_that_count(patch: pytest.MonkeyPatch) -> None:
    """What an import answers says how many sheets there are by now."""
    take_in = intake_handlers._take_in

    def leaky(*sheet: Any) -> Any:
        SEEN.append("sheet")
        result, told = take_in(*sheet)
        return result.model_copy(update={"message": f"{result.message}{len(SEEN)}"}), told

    patch.setattr(intake_handlers, "_take_in", leaky)


SEEN: list[Any] = []
"""What the planted faults share between the compartments, as a careless cache would."""
LEAKS = (
    numbered_references,
    household_tells_how_many,
    number_taken_by_anybody,
    mail_counts,
    consent_told_of_everybody,
    heartbeat_counts_everybody,
    agenda_shared,
    names_in_the_outbox,
    dashboard_counts_everybody,
    errors_that_count,
)


def outbox_of(tx: Tx, told: ConsentChanged) -> None:
    """Tell an event past the handler."""
    row = {"event": tx.ref(), "account": "juso", "subject": told.subject, "about": told.about, "at": tx.now}
    tx.execute(insert(outbox).values(**row, body=told.model_dump_json()))


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
async def test_a_planted_leak_is_noticed(worlds: Worlds, leak: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        leak(patch)
        for history in histories(40, start=10_000):
            SEEN.clear()
            worlds.forget = SEEN.clear
            if await worlds.differ(history):
                return
    raise AssertionError("nobody noticed")
