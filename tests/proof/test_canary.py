"""No byte outside shien holds what was said there: tokens in every field, hunted through all a town wrote (7.3)."""

import logging
import random
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from contracts.commission import AskCooperation, NoteCooperation, QuestionTemplate
from contracts.consent import ConsentState
from contracts.gate import WriteEntry
from contracts.intake import Member, TakeInSheets
from contracts.message import Account
from contracts.policy import Category
from services.coordination.tables import case
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City
from tests.proof.hunter import Hunter, tokens
from tests.proof.test_noninterference import TOWN, Step, overheard, pages, quick_sign_in, sheet

__all__ = ["quick_sign_in"]
FIELDS = ("name", "staff", "address", "phone", "wishes", "reason", "member", "relation", "entry", "answer")


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


async def test_the_hunt_finds_a_word_that_was_let_out(city: City) -> None:
    said = tokens(FIELDS, random.Random(1106))
    await live(city, said)
    (city.folder / "leak.log").write_text(f"refused: {said['answer']}")
    city.close()
    assert Hunter(said.values()).in_files(city.folder) == {"leak.log": {said["answer"]}}
