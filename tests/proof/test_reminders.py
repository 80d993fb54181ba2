"""Reminders tell nobody of the other kind of meeting: one mail a day, the same to the letter whoever asked (S17).

A whole town, with and without its 支援会議: what arrives at anybody who has something to do for a 重層的支援会議 is the
same. Whoever has something to do for a 支援会議 only gets a mail of the same words.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from contracts.consent import ConsentState
from contracts.intake import TakeInSheets
from contracts.message import Account, Compartment
from services.coordination import escalation_rules
from services.notify.reminding import Begun
from services.processes import PROCESSES
from services.service import Process
from services.settings import read_profile
from tests.proof.city import City, Mail, as_worded
from tests.proof.test_noninterference import TOWN, Step, quick_sign_in, sheet

__all__ = ["quick_sign_in"]
DAYS = 21
OPEN = Step("refer", number=1, state=ConsentState.GIVEN)
SECRET = Step("refer", True, number=2, name=1, state=ConsentState.REFUSED)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., City]]:
    """town(processes): a town of its own."""
    made: list[City] = []

    def build(processes: Sequence[Process] = PROCESSES) -> City:
        made.append(City(tmp_path / str(len(made)), read_profile(TOWN), processes, TOWN))
        made[-1].catch_mail(monkeypatch)
        return made[-1]

    yield build
    for one in made:
        one.close()


async def live(city: City, *steps: Step) -> list[Mail]:
    """Take in these referrals, let three weeks go by and nobody do anything; the reminders, in order."""
    await city.settle()
    for place, step in enumerate(steps):
        city.begin_step(str(place))
        answer = await city.answer(Account.INTAKE, TakeInSheets(sheets=(sheet(step, city.profile),)))
        assert answer.results[0].outcome == "accepted"
        await city.settle()
    for day in range(DAYS):
        city.pass_time(days=1)
        city.begin_step(f"day {day}")
        await city.settle()
    return [one for one in city.mails if b"text/calendar" not in one.body]


def told(mails: Sequence[Mail]) -> Counter[tuple[str, bytes]]:
    """By recipient and words; not the signature, whose key is each town's own and which signs nothing but these."""
    return Counter((one.recipient, as_worded(one.body)) for one in mails)


def days(mails: Sequence[Mail]) -> Counter[tuple[str, str]]:
    """How many each got on which day."""
    return Counter((one.recipient, str(message_from_bytes(one.body)["Date"])[:16]) for one in mails)


@pytest.mark.rule("S17", "S3")
async def test_who_has_something_to_do_in_juso_gets_the_same_mails_with_and_without_shien(
    town: Callable[..., City],
) -> None:
    whole, purged = await live(town(), OPEN, SECRET), await live(town(), OPEN)
    assert purged
    in_juso = {one.recipient for one in purged}
    assert told([one for one in whole if one.recipient in in_juso]) == told(purged)


@pytest.mark.rule("S17")
async def test_it_makes_no_difference_which_kind_asks_first(
    town: Callable[..., City], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_are_the_office(monkeypatch)
    first = await live(town(), OPEN, SECRET)
    second = await live(town(tuple(reversed(PROCESSES))), OPEN, SECRET)
    alone = await live(town(), OPEN)
    assert {one.asker for one in first} == {Compartment.JUSO}
    assert {one.asker for one in second} == {Compartment.SHIEN}, "else this shows nothing"
    assert told(first) == told(second) == told(alone)
    assert set(days(first).values()) == {1}, "two kinds of meeting are one mail a day"


@pytest.mark.rule("S17")
async def test_a_mail_that_shien_alone_caused_has_the_words_of_any_other(
    town: Callable[..., City], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_are_the_office(monkeypatch)
    open_alone, secret_alone = await live(town(), OPEN), await live(town(), SECRET)
    assert {one.asker for one in secret_alone} == {Compartment.SHIEN}
    assert told(open_alone) == told(secret_alone)


async def test_a_mail_per_kind_is_noticed(town: Callable[..., City], monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests would find if notify did not know the day of the other kind's mail."""
    both_are_the_office(monkeypatch)
    monkeypatch.setattr("services.notify.reminding._begin", lambda asked, otherwise, tx: Begun("a" * 39, "b" * 32))
    mails = await live(town(), OPEN, SECRET)
    assert set(days(mails).values()) == {2}


def both_are_the_office(monkeypatch: pytest.MonkeyPatch) -> None:
    """One person, of the office, is responsible in both kinds: as if the town had nobody in the other agencies."""
    stands_in = escalation_rules.stands_in

    def office(agency: str, *rest: Any) -> Any:
        return stands_in("fukushi", *rest)

    monkeypatch.setattr(escalation_rules, "stands_in", office)
