"""The gate in a whole town: nothing crosses by itself, one entry at a time may, under names that tell nothing."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState, Obtained, Scope
from contracts.gate import Candidate, CarryOver, LookAtGate
from contracts.intake import LookAtConsent, RecordConsent, TakeInSheets, WithdrawConsent
from contracts.message import Account
from contracts.purpose import Purpose
from services.audit import audit
from services.coordination.tables import carry_in, carry_out, case, disclosure, entry
from services.directory.tables import person
from services.processes import PROCESSES
from services.settings import read_profile
from tests.proof.city import City
from tests.proof.test_noninterference import TOWN, Step, sheet

OFFICER = "0001"
"""The 職員番号 of somebody of the 市町村, which is commissioned."""
WRITTEN_ANEW = "家計の相談を始めたいとのこと。"


class Story:
    """A referral without consent, heard in shien, whose client later consented: both cases are there."""

    def __init__(self, city: City) -> None:
        self.city = city

    async def begin(self, **reach: Any) -> None:
        city = self.city
        refused = Step("refer", True, state=ConsentState.REFUSED)
        await city.answer(Account.INTAKE, TakeInSheets(sheets=(sheet(refused, city.profile),)))
        await city.settle()
        found = await city.answer(Account.INTAKE, LookAtConsent(referrer="houkatsu", number="A0"))
        assert found.referral
        self.referral, self.member = found.referral, found.members[0][0]
        scope = {
            "agencies": ("houkatsu", "fukushi", "shakyo"),
            "purposes": (Purpose.PLAN,),
            "members": (self.member,),
            "starts": city.now - timedelta(hours=1),
            "ends": city.now + timedelta(days=365),
        }
        await self.record(1, ConsentState.GIVEN, Scope.model_validate(scope | reach))
        self.own_case = self.case_in("coordination@juso")

    async def another_client(self) -> None:
        """A stranger who consented: one more juso case."""
        stranger = sheet(Step("refer", False, name=1), self.city.profile)
        await self.city.answer(Account.INTAKE, TakeInSheets(sheets=(stranger,)))
        await self.city.settle()

    async def record(self, after: int, state: ConsentState, scope: Scope | None) -> None:
        said = RecordConsent(
            referral=self.referral,
            after=after,
            state=state,
            scope=scope,
            text_version="第1号",
            obtained=Obtained.SIGNED,
            obtained_by="日髙 奈緒",
            obtained_on=date(2026, 11, 24),
            evidence=f"福第{after}号",
        )
        answer = await self.city.answer(Account.INTAKE, said)
        assert answer.done, answer.message
        await self.city.settle()

    def case_in(self, name: str) -> UUID:
        row, *_ = self.rows(name, select(case.c.id).order_by(case.c.opened_at))
        one: UUID = row.id
        return one

    def rows(self, name: str, wanted: Any) -> list[Any]:
        return self.city.stores[name].read(lambda tx: list(tx.execute(wanted)))

    def person(self, number: str) -> UUID:
        (row,) = self.rows("directory", select(person.c.id).where(person.c.number == number))
        one: UUID = row.id
        return one

    def audited(self, name: str) -> list[tuple[str, str]]:
        return [tuple(row) for row in self.rows(name, select(audit.c.act, audit.c.outcome))]

    async def look(self, who: str = OFFICER, agency: str = "fukushi", **changed: Any) -> Any:
        said = {
            "shien_case": self.case_in("coordination@shien"),
            "juso_case": self.case_in("coordination@juso"),
            "viewer": self.person(who),
            "viewer_agency": agency,
        }
        return await self.city.answer(Account.GATE, LookAtGate.model_validate(said | changed))

    async def candidates(self) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = (await self.look()).candidates
        return found

    async def carry(self, one: Candidate, **changed: Any) -> Any:
        said = {
            "shien_case": self.case_in("coordination@shien"),
            "juso_case": self.case_in("coordination@juso"),
            "entry": one.entry.entry,
            "agreed_by": one.entry.provider,
            "agreed_on": date(2026, 11, 24),
            "decided_by": self.person(OFFICER),
            "decided_for": "fukushi",
            "text": WRITTEN_ANEW,
        }
        return await self.city.answer(Account.GATE, CarryOver.model_validate(said | changed))


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    city = City(tmp_path / "town", read_profile(TOWN), PROCESSES, TOWN)
    city.catch_mail(monkeypatch)
    yield Story(city)
    city.close()


@pytest.mark.rule("C10")
async def test_a_later_consent_opens_a_juso_case_and_carries_nothing_over_by_itself(story: Story) -> None:
    await story.begin()
    assert story.rows("coordination@juso", select(entry)) == []
    assert [one.allowed for one in await story.candidates()] == [True]
    assert story.case_in("coordination@juso") != story.case_in("coordination@shien")


async def test_one_entry_crosses_as_written_anew_and_is_recorded_on_both_sides(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    assert (await story.carry(one)).done
    (out,), (into,) = (
        story.rows("coordination@shien", select(carry_out)),
        story.rows("coordination@juso", select(carry_in)),
    )
    (written,) = story.rows("coordination@juso", select(entry))
    opened = story.city.stores["coordination@juso"].read(lambda tx: tx.open(written.case, "entry.text", written.text))
    assert opened == WRITTEN_ANEW != one.entry.text
    assert {out.id, out.entry}.isdisjoint({into.id, into.entry})


async def test_carrying_the_same_entry_again_changes_nothing(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    assert (await story.carry(one)).done
    assert (await story.carry(one)).done
    assert len(story.rows("coordination@juso", select(entry))) == 1
    assert [candidate.allowed for candidate in await story.candidates()] == [False]


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"agreed_by": None, "agreed_on": None}, "N15"),
        ({"agreed_by": "fukushi"}, "N15"),
        ({"purpose": Purpose.WATCH}, "N12"),
    ],
    ids=["nobody agreed", "another agency agreed", "another purpose"],
)
async def test_what_the_policy_refuses_crosses_nowhere(story: Story, changed: dict[str, Any], row: str) -> None:
    await story.begin()
    (one,) = await story.candidates()
    refused = await story.carry(one, **changed)
    assert (refused.done, refused.row) == (False, row)
    assert refused.next_step
    assert story.rows("coordination@juso", select(entry)) == story.rows("coordination@shien", select(carry_out)) == []


@pytest.mark.rule("S18")
async def test_what_was_said_of_one_person_never_becomes_another_persons(story: Story) -> None:
    await story.begin()
    await story.another_client()
    juso_cases = {row.id for row in story.rows("coordination@juso", select(case.c.id))}
    (other,) = juso_cases - {story.own_case}
    (mixed_up,) = (await story.look(juso_case=other)).candidates
    assert not mixed_up.allowed
    assert "同じ人" in mixed_up.reason
    refused = await story.carry(mixed_up, juso_case=other)
    assert (refused.done, refused.row) == (False, "N13")
    assert "生年月日" in refused.next_step
    assert story.rows("coordination@juso", select(entry)) == story.rows("coordination@shien", select(carry_out)) == []


async def test_looking_at_the_gate_is_showing_and_stands_in_the_register(story: Story) -> None:
    await story.begin()
    assert story.rows("coordination@shien", select(disclosure)) == []
    await story.look()
    (row,) = story.rows("coordination@shien", select(disclosure))
    assert (row.act, row.person) == ("show", story.person(OFFICER))


@pytest.mark.parametrize(
    ("who", "agency"), [("0002", "shakyo"), ("0003", "houkatsu")], ids=["uncommissioned", "no seat"]
)
async def test_whoever_may_not_see_the_case_sees_nothing_at_the_gate_and_carries_nothing(
    story: Story, who: str, agency: str
) -> None:
    await story.begin()
    (one,) = await story.candidates()
    found = await story.look(who, agency)
    assert found.candidates == ()
    assert found.message
    refused = await story.carry(one, decided_by=story.person(who), decided_for=agency)
    assert not refused.done
    assert refused.next_step
    assert story.rows("coordination@juso", select(entry)) == []


async def test_a_copy_of_the_entry_is_not_written_anew(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    copied = await story.carry(one, text=f"記録: {one.entry.text.replace('。', ' ')}")
    assert not copied.done
    assert "改めて" in copied.next_step


async def test_an_agreement_of_tomorrow_is_none(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    assert not (await story.carry(one, agreed_on=date(2026, 11, 25))).done
    assert (await story.carry(one, agreed_on=date(2026, 11, 24))).done


async def test_what_the_gate_refuses_and_allows_stands_in_its_audit_log(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    await story.carry(one, agreed_by=None)
    await story.carry(one)
    assert story.audited("gate") == [("carry", "refuse"), ("carry", "allow")]


async def test_a_second_carry_over_of_an_entry_otherwise_is_told_so(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    assert (await story.carry(one)).done
    again = await story.carry(one, text="ほかの文にした。")
    assert not again.done
    assert "すでに" in again.reason
    assert len(story.rows("coordination@juso", select(entry))) == 1


async def test_nothing_crosses_after_a_withdrawal(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    gone = WithdrawConsent(
        case=story.case_in("coordination@juso"),
        obtained=Obtained.PHONE,
        obtained_by="日髙 奈緒",
        obtained_on=date(2026, 11, 24),
    )
    assert (await story.city.answer(Account.INTAKE, gone)).done
    await story.city.settle()
    assert not (await story.carry(one)).done
    assert story.rows("coordination@juso", select(entry)) == []


async def test_the_gate_keeps_nothing_that_was_said_and_nothing_of_the_juso_case(story: Story) -> None:
    await story.begin()
    (one,) = await story.candidates()
    assert (await story.carry(one)).done
    kept = [path for path in story.city.folder.rglob("gate*") if path.is_file() and path.suffix in (".db", ".db-wal")]
    (into,) = story.rows("coordination@juso", select(carry_in))
    links = [str(ref) for ref in (into.id, into.entry, into.case, into.member)]
    words = (one.entry.text, WRITTEN_ANEW, *links, *(link.replace("-", "") for link in links))
    assert kept
    assert not any(word.encode() in path.read_bytes() for path in kept for word in words)
