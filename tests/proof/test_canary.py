"""No byte outside shien holds what was said there: tokens in every field, hunted through all a town wrote (7.3)."""

import logging
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from contracts.commission import AskCooperation, NoteCooperation, QuestionTemplate
from contracts.consent import ConsentState
from contracts.counts import FreezeCounts, PublishCounts
from contracts.gate import WriteEntry
from contracts.intake import Member, TakeInSheets
from contracts.message import Account, Compartment
from contracts.policy import Category
from services.coordination.tables import case
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City
from tests.proof.deeds import DEEDS, Hands, staff_of
from tests.proof.hunter import Hunter, tokens
from tests.proof.test_noninterference import (
    PASSWORDS,
    TOWN,
    Step,
    overheard,
    pages,
    quick_sign_in,
    sheet,
    waiting,
)

__all__ = ["quick_sign_in"]
FIELDS = ("name", "staff", "address", "phone", "wishes", "reason", "member", "relation", "entry", "answer")
DONE = (
    "go on",
    "go on",
    "go on",
    "fill in",
    "invite",
    "inquire",
    "inquire",
    "note lack",
    "triage",
    "join",
    "count",
    "write note",
)
WRITTEN = (
    *("step", "role", "goals", "policy", "paper name", "paper address", "complaint", "direction", "attendance"),
    *("inquiry", "inquiry answer", "said by", "lack", "minutes", "triage", "newcomer", "note"),
)
"""The fields that the deeds of a town write (tests/proof/deeds.py)."""
FILES = ("/counts?as=csv", "/counts?as=xlsx")
DAYS = 21


async def live(city: City, said: dict[str, str]) -> None:
    """A juso case and a shien case whose every free field holds a token; an entry, a 協力依頼 and its answer."""
    texts = {"referrer_staff": said["staff"], "name": said["name"], "address": said["address"], "phone": said["phone"]}
    texts |= {"wishes": said["wishes"], "reason": said["reason"]}
    secret = sheet(Step("refer", True, urgent=True, state=ConsentState.REFUSED), city.profile)
    secret = secret.model_copy(update=texts | {"members": (Member(name=said["member"], relation=said["relation"]),)})
    open_one = sheet(Step("refer", number=1, urgent=True), city.profile)
    await city.answer(Account.INTAKE, TakeInSheets(sheets=(secret, open_one)))
    await city.settle()
    (row,) = city.stores["coordination@shien"].read(lambda tx: list(tx.execute(select(case.c.id))))
    entry = {"provider": "kikan", "category": Category.ORDINARY, "text": said["entry"], "written_by": row.id}
    await city.answer(Account.SHIEN, WriteEntry.model_validate({"case": row.id, **entry}))
    asked = AskCooperation(case=row.id, agency="shakyo", template=QuestionTemplate.OPINION, due_on=date(2026, 12, 4))
    request = (await city.answer(Account.SHIEN, asked)).request
    assert request
    await city.answer(Account.SHIEN, NoteCooperation(request=request, answer=said["answer"]))
    await city.settle()


async def work(city: City, where: Compartment, words: Callable[[str, str], str]) -> Hands:
    """Everything that is done with a case before its sitting; ``words``: what is written in a field."""
    hands = Hands(city, where, 0, len(city.mails), await staff_of(city), words=words)
    for name in DONE:
        city.pass_time(minutes=1)
        await DEEDS[name](hands)
        await city.settle()
    return hands


async def hold(hands: Hands) -> None:
    """The case's sitting, when its time has come."""
    if coming := hands.coming():
        hands.city.now = coming[1] + timedelta(minutes=1)
        await hands.city.settle()
    await DEEDS["sit"](hands)
    await hands.city.settle()


def when_due(hands: Hands) -> datetime:
    coming = hands.coming()
    return coming[1] if coming else hands.city.now


async def files(city: City) -> list[bytes]:
    """What somebody of the juso desk saves from it."""
    transport = httpx.ASGITransport(city.app("desk@juso"))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        await client.post("/sign-in", data={"login": "takahashi", "password": PASSWORDS["takahashi"]})
        found = [await client.get(path) for path in FILES]
    assert all(one.status_code == 200 and one.content for one in found)
    return [one.content for one in found]


async def published(city: City) -> str:
    """The counts of both kinds as they leave the town: frozen by each, put together by the gate."""
    month = f"{city.now - timedelta(days=DAYS + 10):%Y-%m}"
    for account in (Account.JUSO, Account.SHIEN):
        done = await city.answer(account, FreezeCounts(period=month, by=UUID(int=1), agency="fukushi"))
        assert done.done, done.reason
    return (await city.answer(Account.GATE, PublishCounts(period=month))).model_dump_json()


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    one = City(tmp_path / "town", read_profile(TOWN), PROCESSES, TOWN)
    one.catch_mail(monkeypatch)
    return one


async def test_nothing_a_town_writes_holds_a_word_said_in_shien(city: City, caplog: pytest.LogCaptureFixture) -> None:
    said = tokens(FIELDS, random.Random(1106))
    caplog.set_level(logging.DEBUG)
    await live(city, said)
    hunter = Hunter(said.values())
    told = [
        str(overheard(city)),
        *await pages(city),
        caplog.text,
        *(body for all_ in city.stored.values() for body in all_),
    ]
    assert not any(hunter.found(text.encode()) for text in told)
    assert [hunter.found(mail.body) for mail in city.mails] == [set()] * len(city.mails)
    assert len(city.mails) > 4
    city.close()
    assert hunter.in_files(city.folder) == {}, "at rest everything is sealed, in shien's own store, too"


async def test_nothing_leaves_shien_by_papers_sittings_inquiries_counts_reminders_or_triage(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    said = tokens((*FIELDS, *WRITTEN), random.Random(1107))
    caplog.set_level(logging.DEBUG)
    await live(city, said)
    secret = await work(city, Compartment.SHIEN, lambda name, _: said[name])
    usual = await work(city, Compartment.JUSO, lambda _, text: text)
    for hands in sorted((secret, usual), key=when_due):
        await hold(hands)
    done = {one: str(hands.said).count("'done': True") for one, hands in (("shien", secret), ("juso", usual))}
    assert min(done.values()) > 15, done
    hunter = Hunter(said.values())
    for name in ("go on", "invite", "sit"):  # looks first at what is there
        await DEEDS[name](secret)
    written = {name for name in WRITTEN if said[name] in hunter.found(str(secret.said).encode())}
    assert written >= {"step", "goals", "minutes", "attendance", "lack"}, "who may see it does, so it was written"
    before = len(city.mails)
    for _ in range(DAYS):
        city.pass_time(days=1)
        await city.settle()
    assert len(city.mails) > before, "nobody was reminded"
    told = [str(overheard(city)), *await pages(city), await waiting(city, await staff_of(city)), await published(city)]
    told += [caplog.text, str(usual.said), *(body for all_ in city.stored.values() for body in all_)]
    seen = [text.encode() for text in told] + [mail.body for mail in city.mails] + await files(city)
    assert [hunter.found(one) for one in seen] == [set()] * len(seen)
    city.close()
    assert hunter.in_files(city.folder) == {}


async def test_the_hunt_finds_a_word_that_was_let_out(city: City) -> None:
    said = tokens(FIELDS, random.Random(1106))
    await live(city, said)
    (city.folder / "leak.log").write_text(f"refused: {said['answer']}")
    city.close()
    assert Hunter(said.values()).in_files(city.folder) == {"leak.log": {said["answer"]}}
