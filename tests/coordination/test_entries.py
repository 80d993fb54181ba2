"""Entries and both ends of the gate, on both engines: what each store takes, and what no gate could make it take."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from contracts.consent import ConsentState, Scope
from contracts.gate import (
    ConsentForGate,
    Entry,
    EntryWritten,
    RecordCarryIn,
    RecordCarryOut,
    WriteEntry,
)
from contracts.intake import ConsentChanged, ReferralWithConsent, ReferralWithoutConsent
from contracts.message import Compartment
from contracts.policy import POLICY_VERSION, Category
from contracts.purpose import Purpose
from services import coordination, sharing
from services.coordination.entries import entries_of
from services.coordination.tables import carry_in, carry_out, consents, entry
from services.service import NotYet, Tx
from tests.stage import Stage

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
OFFICER = uuid4()
SAID = "家賃の滞納があると、大家の﨑山さんから聞いた。"


@pytest.fixture
def shien(stage: Callable[..., Stage]) -> Stage:
    return stage(coordination.service, SHIEN)


@pytest.fixture
def juso(stage: Callable[..., Stage]) -> Stage:
    return stage(coordination.service, JUSO)


def case_without_consent(stage: Stage) -> UUID:
    case = uuid4()
    stage.give(
        ReferralWithoutConsent(
            about=case,
            received_on=date(2026, 11, 20),
            urgent=False,
            referrer="kikan",
            agencies=("kikan",),
            problems=(),
            household_size=1,
            ground=ConsentState.REFUSED,
        )
    )
    return case


def scope(stage: Stage, member: UUID, **changed: object) -> Scope:
    said = {
        "agencies": ("kikan", "fukushi", "shakyo"),
        "purposes": (Purpose.PLAN,),
        "members": (member,),
        "starts": stage.time - timedelta(days=1),
        "ends": stage.time + timedelta(days=365),
    }
    return Scope.model_validate(said | changed)


def case_with_consent(stage: Stage, **changed: object) -> tuple[UUID, UUID, UUID]:
    """A juso case, its client's reference and its consent; the replica has just been compared."""
    case, member, consent = uuid4(), uuid4(), uuid4()
    state = ConsentState.GIVEN
    told = {"about": consent, "case": case, "recorded_at": stage.time}
    stage.give(ConsentChanged(**told, version=1, state=state, scope=scope(stage, member, **changed)))
    stage.give(
        ReferralWithConsent(
            about=case,
            received_on=date(2026, 11, 20),
            urgent=False,
            referrer="kikan",
            agencies=("kikan",),
            problems=(),
            household_size=1,
            consent=consent,
            consent_version=1,
            client=member,
        )
    )
    fresh(stage)
    return case, member, consent


def fresh(stage: Stage) -> None:
    def freshen(tx: Tx) -> None:
        if not tx.execute(update(consents.replica).values(fresh_at=tx.now)).rowcount:
            tx.execute(consents.replica.insert().values(id=1, fresh_at=tx.now))

    stage.do(freshen)


def write(stage: Stage, case: UUID, category: Category = Category.ORDINARY) -> EntryWritten:
    asked = WriteEntry(case=case, provider="kikan", category=category, text=SAID, written_by=OFFICER)
    answer: EntryWritten = stage.ask(asked)
    return answer


def read_out(stage: Stage, case: UUID) -> list[Entry]:
    return stage.do(lambda tx: list(entries_of(case, tx)))


def out_of(case: UUID, one: UUID, agreed_by: str = "kikan") -> RecordCarryOut:
    agreed_on = date(2026, 11, 20)
    said = {"decided_by": OFFICER, "row": "P4", "policy": POLICY_VERSION}
    return RecordCarryOut.model_validate(
        {"case": case, "entry": one, "agreed_by": agreed_by, "agreed_on": agreed_on, **said}
    )


def into(case: UUID, member: UUID, /, **changed: object) -> RecordCarryIn:
    said = {
        "record": uuid4(),
        "case": case,
        "member": member,
        "category": Category.ORDINARY,
        "purpose": Purpose.PLAN,
        "provider": "kikan",
        "decided_by": OFFICER,
        "row": "P4",
        "policy": POLICY_VERSION,
        "text": "家賃の支払いが遅れている。",
    }
    return RecordCarryIn.model_validate(said | changed)


def count(stage: Stage, table: object) -> int:
    return stage.do(lambda tx: tx.connection.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


# -- writing ---------------------------------------------------------------------------------------------------------


def test_what_was_said_is_kept_sealed_and_read_by_the_gate(shien: Stage) -> None:
    case = case_without_consent(shien)
    written = write(shien, case)
    assert [(one.entry, one.provider, one.text, one.carried) for one in read_out(shien, case)] == [
        (written.entry, "kikan", SAID, False)
    ]
    stored = shien.do(lambda tx: tx.execute(select(entry.c.text)).scalar_one())
    assert SAID.encode() not in stored


@pytest.mark.rule("S9")
def test_tax_data_has_no_place_in_shien_and_the_refusal_says_what_to_do(shien: Stage) -> None:
    answer = write(shien, case_without_consent(shien), Category.TAX)
    assert answer.entry is None
    assert answer.rule == "S9"
    assert "同意" in answer.message
    assert count(shien, entry) == 0


@pytest.mark.rule("S9")
def test_tax_data_needs_a_consent_that_covers_it_in_juso(juso: Stage) -> None:
    case, *_ = case_with_consent(juso)
    assert write(juso, case, Category.TAX).entry is None
    covered, *_ = case_with_consent(juso, covers_tax=True)
    assert write(juso, covered, Category.TAX).entry is not None


def test_nobody_writes_about_a_case_that_is_not_there(shien: Stage) -> None:
    assert write(shien, uuid4()).message == "事案がありません。"


def test_nobody_writes_for_an_agency_that_the_municipality_does_not_know(shien: Stage) -> None:
    case = case_without_consent(shien)
    asked = WriteEntry(case=case, provider="nosuch", category=Category.ORDINARY, text=SAID, written_by=OFFICER)
    assert "プロファイルにありません" in shien.ask(asked).message
    assert count(shien, entry) == 0


# -- out of shien ------------------------------------------------------------------------------------------------------


def test_a_carry_over_needs_the_agency_that_gave_the_entry(shien: Stage) -> None:
    case = case_without_consent(shien)
    written = write(shien, case).entry
    assert written
    assert shien.ask(out_of(case, written, agreed_by="fukushi")).record is None
    assert count(shien, carry_out) == 0
    assert shien.ask(out_of(case, written)).record is not None


def test_the_same_entry_is_carried_out_once(shien: Stage) -> None:
    case = case_without_consent(shien)
    written = write(shien, case).entry
    assert written
    first, second = shien.ask(out_of(case, written)), shien.ask(out_of(case, written))
    assert first.record == second.record
    assert count(shien, carry_out) == 1
    assert read_out(shien, case)[0].carried


@pytest.mark.parametrize("changed", [{"agreed_on": date(2026, 11, 19)}, {"decided_by": uuid4()}], ids=["day", "person"])
def test_another_decision_about_an_entry_that_was_carried_out_is_told_so(
    shien: Stage, changed: dict[str, object]
) -> None:
    case = case_without_consent(shien)
    written = write(shien, case).entry
    assert written
    assert shien.ask(out_of(case, written)).record is not None
    again = shien.ask(out_of(case, written).model_copy(update=changed))
    assert (again.record, again.other) == (None, True)


def test_the_store_takes_no_agreement_of_a_day_to_come(shien: Stage) -> None:
    case = case_without_consent(shien)
    written = write(shien, case).entry
    assert written
    tomorrow = (shien.time + timedelta(days=1, hours=9)).date()
    assert shien.ask(out_of(case, written).model_copy(update={"agreed_on": tomorrow})).record is None
    today = (shien.time + timedelta(hours=9)).date()
    assert shien.ask(out_of(case, written).model_copy(update={"agreed_on": today})).record is not None


def test_an_entry_of_another_case_is_not_carried_out(shien: Stage) -> None:
    case, other = case_without_consent(shien), case_without_consent(shien)
    written = write(shien, case).entry
    assert written
    assert shien.ask(out_of(other, written)).record is None


# -- into juso ---------------------------------------------------------------------------------------------------------


def test_an_entry_comes_in_under_the_new_consent_with_a_reference_of_its_own(juso: Stage) -> None:
    case, member, consent = case_with_consent(juso)
    asked = into(case, member)
    assert juso.ask(asked).record == juso.ask(asked).record == asked.record
    row = juso.do(lambda tx: tx.execute(select(carry_in)).one())
    assert (row.consent, row.consent_version, row.case, row.member) == (consent, 1, case, member)
    assert count(juso, entry) == 1


@pytest.mark.parametrize("changed", [{"text": "ほかの文。"}, {"purpose": Purpose.SHARING}], ids=["text", "purpose"])
def test_the_same_record_with_another_content_is_told_so(juso: Stage, changed: dict[str, object]) -> None:
    case, member, _ = case_with_consent(juso)
    asked = into(case, member)
    assert juso.ask(asked).record
    again = juso.ask(asked.model_copy(update=changed))
    assert (again.record, again.other) == (None, True)
    elsewhere, whose, _ = case_with_consent(juso)
    again = juso.ask(asked.model_copy(update={"case": elsewhere, "member": whose}))
    assert (again.record, again.other) == (None, True)
    assert count(juso, entry) == 1


@pytest.mark.parametrize(
    "outside",
    [{"member": uuid4()}, {"purpose": Purpose.WATCH}, {"category": Category.TAX}],
    ids=["member", "purpose", "tax"],
)
def test_nothing_comes_in_outside_the_new_consent(juso: Stage, outside: dict[str, object]) -> None:
    case, member, _ = case_with_consent(juso)
    assert juso.ask(into(case, member, **outside)).record is None
    assert count(juso, carry_in) == count(juso, entry) == 0


def test_nothing_comes_in_after_a_withdrawal(juso: Stage) -> None:
    case, member, consent = case_with_consent(juso)
    told = {"about": consent, "case": case, "recorded_at": juso.time}
    juso.give(ConsentChanged(**told, version=2, state=ConsentState.WITHDRAWN, scope=None))
    assert juso.ask(into(case, member)).record is None
    assert count(juso, carry_in) == count(juso, entry) == 0


def test_nothing_comes_in_while_the_replica_may_be_behind(juso: Stage) -> None:
    case, member, _ = case_with_consent(juso)
    juso.pass_time(seconds=sharing.FENCE_SECONDS + 1)
    assert juso.ask(into(case, member)).record is None
    with pytest.raises(NotYet):
        juso.ask(ConsentForGate(case=case))


def test_the_gate_is_told_what_the_consent_reaches_and_who_the_client_is(juso: Stage) -> None:
    case, member, _ = case_with_consent(juso)
    found = juso.ask(ConsentForGate(case=case))
    assert (found.state, found.member, found.scope.purposes) == (ConsentState.GIVEN, member, (Purpose.PLAN,))
    assert not juso.ask(ConsentForGate(case=uuid4())).found
