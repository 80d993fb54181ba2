"""Sheets in, cases out: on both engines."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState, Obtained
from contracts.coordination import TakeInClient
from contracts.intake import (
    ClientOf,
    ConsentChanged,
    Held,
    OpenWithoutConsent,
    Particulars,
    ReferralWithConsent,
    ReferralWithoutConsent,
    Sheet,
    SheetResult,
    TakeInSheets,
)
from contracts.message import Account, Compartment, Event, Question
from contracts.policy import derive_kind
from contracts.profile import Profile
from services import coordination, intake
from services.intake.ledger_tables import version
from services.intake.tables import client, handover, member, opening, referral
from services.intake.versions import versions_where
from services.service import AskFailed, Tx, Work
from services.settings import Settings
from services.store import Store
from services.vault import open_row
from tests.intake.paper import TOWN, sheet, without_consent
from tests.stage import SOME_DAY, Stage, vault_of

T = TypeVar("T")
LOST = (ConsentState.WITHDRAWN, ConsentState.EXPIRED)


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town."""
    return stage(intake.service, profile=TOWN)


def take_in(desk: Stage, *sheets: Sheet, dry_run: bool = False) -> tuple[SheetResult, ...]:
    results: tuple[SheetResult, ...] = desk.ask(TakeInSheets(sheets=sheets, dry_run=dry_run)).results
    assert [one.index for one in results] == list(range(len(sheets)))
    return results


def outcomes(desk: Stage, *sheets: Sheet, dry_run: bool = False) -> list[str]:
    return [one.outcome for one in take_in(desk, *sheets, dry_run=dry_run)]


def stored(desk: Stage) -> list[Any]:
    def everything(tx: Tx) -> list[Any]:
        return [row for table in intake.service.tables.sorted_tables for row in tx.execute(select(table)).all()]

    return desk.do(everything)


def refs_of(desk: Stage) -> list[UUID]:
    return desk.do(lambda tx: list(tx.execute(select(referral.c.id)).scalars()))


# -- where a case is told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ConsentState.GIVEN, ConsentState.NARROWED])
def test_a_consented_referral_is_told_in_juso_with_the_agencies_the_consent_names(
    desk: Stage, state: ConsentState
) -> None:
    assert outcomes(desk, sheet(consent=state, agencies=("kenko", "houkatsu", "kodomo"))) == ["accepted"]
    changed, told = desk.told()
    assert isinstance(changed, ConsentChanged)
    assert isinstance(told, ReferralWithConsent)
    assert (changed.about, changed.version, changed.case, changed.state) == (told.consent, 1, told.about, state)
    assert changed.scope
    assert changed.scope.members == (told.client,)
    assert told.agencies == ("houkatsu", "kenko", "kodomo")
    assert (told.referrer, told.urgent, told.household_size, told.consent_version) == ("houkatsu", False, 2, 1)
    assert told.received_on == date(2026, 11, 2)
    assert desk.store.counts()[2] == 0, "nothing to hand over"


@pytest.mark.parametrize("state", [ConsentState.REFUSED, ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK])
def test_a_referral_without_consent_is_told_in_shien_with_its_ground(desk: Stage, state: ConsentState) -> None:
    assert outcomes(desk, without_consent(state)) == ["accepted"]
    (told,) = desk.told()
    assert isinstance(told, ReferralWithoutConsent)
    assert (told.ground, told.agencies) == (state, ("houkatsu", "jiritsu", "kenko"))
    assert desk.store.counts()[2] == 1, "its particulars are to be handed over"


@pytest.mark.parametrize("state", LOST)
def test_a_withdrawn_or_expired_consent_waits_for_a_decision_and_names_the_next_step(
    desk: Stage, state: ConsentState
) -> None:
    (result,) = take_in(desk, without_consent(state))
    assert (result.outcome, result.rule, result.field) == ("held", "C11", "同意区分")
    assert derive_kind(state).next_step in result.message
    assert desk.told() == []
    (held,) = desk.ask(Held()).held
    assert (held.number, held.state, held.rule) == ("0000123", state, "C11")
    assert held.next_step == derive_kind(state).next_step


@pytest.mark.rule("C4")
@pytest.mark.parametrize("state", list(ConsentState))
def test_every_state_of_consent_goes_where_the_policy_says_and_nowhere_else(desk: Stage, state: ConsentState) -> None:
    day = date(2026, 11, 2) if state in (ConsentState.GIVEN, ConsentState.NARROWED) else None
    take_in(desk, without_consent(state, consented_on=day))
    kinds = {
        Compartment.JUSO: [ConsentChanged, ReferralWithConsent],
        Compartment.SHIEN: [ReferralWithoutConsent],
        None: [],
    }
    assert [type(one) for one in desk.told()] == kinds[derive_kind(state).compartment]


def test_a_refusal_is_recorded_as_a_refusal(desk: Stage) -> None:
    take_in(desk, without_consent(ConsentState.REFUSED))
    (one,) = desk.do(versions_where)
    assert (one.state, one.version, one.scope, one.obtained, one.obtained_on) == (
        ConsentState.REFUSED,
        1,
        None,
        None,
        None,
    )
    assert one.case is None


@pytest.mark.rule("C2")
def test_a_consent_keeps_whom_and_what_it_was_given_for_and_when(desk: Stage) -> None:
    take_in(desk, sheet())
    (one,) = desk.do(versions_where)
    assert one.scope
    assert (one.scope.agencies, one.obtained_on) == (("houkatsu", "jiritsu", "kenko"), date(2026, 11, 2))
    assert set(one.scope.purposes) == {"plan", "replan", "closing", "suspension"}
    assert (one.text_version, one.obtained, one.obtained_by) == ("第1号", Obtained.SIGNED, "日髙 奈緒")
    japan = ZoneInfo("Asia/Tokyo")
    assert one.scope.starts == datetime(2026, 11, 2, tzinfo=japan)
    assert one.scope.ends == datetime(2029, 11, 2, tzinfo=japan)
    assert (one.scope.covers_tax, len(one.scope.members)) == (False, 1)


def test_an_event_says_nothing_personal_and_not_the_referrals_own_reference(desk: Stage) -> None:
    take_in(desk, sheet(), without_consent(ConsentState.REFUSED, number="2"))
    bodies = [told.model_dump_json() for told in desk.told()]
    assert len(bodies) == 3
    words = ("髙橋", "タカハシ", "0000123", "0001000318", "細野", "母の年金", "日髙", "1943", *map(str, refs_of(desk)))
    assert not [word for word in words for body in bodies if word in body]


# -- once --------------------------------------------------------------------------------------------------------------


def test_the_same_sheet_twice_changes_nothing(desk: Stage) -> None:
    assert outcomes(desk, sheet(), sheet()) == ["accepted", "unchanged"]
    before, _ = stored(desk), desk.told()
    assert outcomes(desk, sheet()) == ["unchanged"]
    assert (stored(desk), desk.told()) == (before, [])


def test_other_content_under_the_same_number_is_refused_with_what_to_do(desk: Stage) -> None:
    take_in(desk, sheet())
    desk.told()
    (result,) = take_in(desk, sheet(urgent=True))
    assert (result.outcome, result.field, result.rule) == ("refused", "受付番号", "number-taken")
    assert "新しい受付番号" in result.message
    assert desk.told() == []
    assert outcomes(desk, sheet(urgent=True, number="0000124")) == ["accepted"]
    assert outcomes(desk, sheet(referrer="kodomo")) == ["accepted"], "another referrer has numbers of its own"


def test_a_withdrawal_that_comes_as_a_changed_sheet_says_that_somebody_must_be_told_at_once(desk: Stage) -> None:
    take_in(desk, sheet())
    (result,) = take_in(desk, sheet(consent=ConsentState.WITHDRAWN))
    assert (result.outcome, result.field, result.rule) == ("refused", "同意区分", "C11")
    assert "すぐに" in result.message


def test_a_dry_run_answers_the_same_and_leaves_nothing(desk: Stage) -> None:
    sheets = (
        sheet(),
        sheet(),
        sheet(urgent=True),
        without_consent(ConsentState.REFUSED, number="2"),
        without_consent(ConsentState.WITHDRAWN, number="3"),
        sheet(number="4", consented_on=None),
    )
    trial = take_in(desk, *sheets, dry_run=True)
    assert [one.outcome for one in trial] == ["accepted", "unchanged", "refused", "accepted", "held", "refused"]
    assert (stored(desk), desk.told()) == ([], [])
    assert take_in(desk, *sheets) == trial


def test_two_imports_that_race_store_each_sheet_once(desk: Stage, store_address: str) -> None:
    sheets = tuple(sheet(number=str(number)) for number in range(20))
    vault = vault_of(intake.service, store_address, TOWN)
    other = Store(store_address, intake.service, TOWN, clock=lambda: SOME_DAY, vault=vault)
    start, answers = threading.Barrier(2), dict[int, list[str]]()
    act = intake.service.answers_to[TakeInSheets].act

    def take_in_one(store: Store, one: Sheet) -> str:
        outcome: str = store.write(lambda tx: act(TakeInSheets(sheets=(one,)), tx)).results[0].outcome
        return outcome

    def run(place: int, store: Store) -> None:
        start.wait(10)
        answers[place] = [take_in_one(store, one) for one in (sheets if place else reversed(sheets))]

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate((desk.store, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    other.close()
    assert sorted(answers[0] + answers[1]) == ["accepted"] * 20 + ["unchanged"] * 20
    assert len(desk.told()) == 2 * len(refs_of(desk)) == 40


# -- what the contract cannot say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"municipality": "011002"}, "団体コード", "municipality-other"),
        ({"referrer": "elsewhere"}, "紹介元機関", "agency-unknown"),
        ({"agencies": ("elsewhere",)}, "関係機関", "agency-unknown"),
        ({"name": "髙橋\x00"}, "氏名", "control-sign"),
        ({"received_on": date(2026, 11, 25)}, "受付日", "date-future"),
        ({"consented_on": date(2026, 11, 25)}, "同意日", "C1"),
        ({"consented_on": None}, "同意日", "C1"),
        ({"consent": ConsentState.REFUSED}, "同意日", "C12"),
    ],
)
def test_a_sheet_is_checked_again_however_it_came(desk: Stage, changes: dict[str, Any], field: str, rule: str) -> None:
    bad, good = take_in(desk, sheet(**changes), sheet(number="2"))
    assert (bad.outcome, bad.field, bad.rule) == ("refused", field, rule)
    assert "髙橋" not in bad.message
    assert good.outcome == "accepted", "one bad sheet holds up no other"
    assert len(refs_of(desk)) == 1


def test_today_is_the_day_in_japan(desk: Stage) -> None:
    tomorrow = sheet(received_on=date(2026, 11, 25), consented_on=date(2026, 11, 25))
    desk.pass_time(hours=13, minutes=59)
    assert outcomes(desk, tomorrow) == ["refused"]
    desk.pass_time(minutes=1)
    assert outcomes(desk, tomorrow) == ["accepted"]


# -- who a case is about -----------------------------------------------------------------------------------------------


def test_juso_learns_whom_its_case_is_about(desk: Stage) -> None:
    take_in(desk, sheet())
    _, told = desk.told()
    who = desk.ask(ClientOf(case=told.about))
    assert (who.found, who.name, who.kana, who.born_on) == (
        True,
        "髙橋 キヨ子",
        "タカハシ\u3000キヨコ",
        date(1943, 6, 9),
    )
    assert (who.number, who.referrer_staff) == ("0000123", "日髙 奈緒")
    assert (who.wishes, who.reason) == (sheet().wishes, sheet().reason)


@pytest.mark.parametrize("state", [*LOST, ConsentState.REFUSED])
def test_when_consent_is_no_longer_in_force_nobody_learns_whom_the_case_is_about(
    desk: Stage, state: ConsentState
) -> None:
    take_in(desk, sheet())
    _, told = desk.told()
    (row,) = desk.do(lambda tx: tx.execute(select(version)).mappings().all())
    later = dict(row) | {"version": 2, "state": state.value, "starts": None, "ends": None}
    desk.do(lambda tx: tx.execute(version.insert().values(later)).rowcount)
    assert desk.ask(ClientOf(case=told.about)) == Particulars(found=False)


def test_of_a_shien_case_an_unknown_case_and_a_referral_intake_says_nothing(desk: Stage) -> None:
    take_in(desk, without_consent(ConsentState.REFUSED))
    (told,) = desk.told()
    for case in (told.about, uuid4(), *refs_of(desk)):
        assert desk.ask(ClientOf(case=case)) == Particulars(found=False)


def test_the_client_the_household_and_the_numbers_are_kept_as_they_were_written(desk: Stage) -> None:
    take_in(desk, sheet(name="𠮷田 進", resident_number="0001001502"))
    (key,) = refs_of(desk)
    who = desk.do(lambda tx: open_row(tx, key, client.c, tx.execute(select(client)).mappings().one()))
    other = desk.do(lambda tx: open_row(tx, key, member.c, tx.execute(select(member)).mappings().one(), "0"))
    assert who == {
        "referral": key,
        **sheet(name="𠮷田 進", resident_number="0001001502").model_dump(include=set(who), mode="json"),
    }
    assert (other["name"], other["age"], other["relation"]) == ("髙橋 和彦", 54, "長男")


# -- a decision on what is held ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", LOST)
def test_a_recorded_decision_puts_a_held_referral_to_a_shien_meeting_once(desk: Stage, state: ConsentState) -> None:
    take_in(desk, without_consent(state))
    (held,) = desk.ask(Held()).held
    decision = OpenWithoutConsent(referral=held.referral, reason="生命の危険があるため")
    assert desk.ask(decision).done
    (told,) = desk.told()
    assert isinstance(told, ReferralWithoutConsent)
    assert (told.ground, told.agencies) == (state, ("houkatsu", "jiritsu", "kenko"))
    assert told.about != held.referral
    assert desk.ask(Held()).held == ()
    again = desk.ask(decision)
    assert (again.done, desk.told()) == (False, [])
    assert "保留中" in again.message
    (row,) = desk.do(lambda tx: tx.execute(select(opening)).all())
    reason = desk.do(lambda tx: tx.open(held.referral, f"opening.reason.{row.version}", row.reason))
    assert (reason, row.decided_at) == ("生命の危険があるため", SOME_DAY)


@pytest.mark.rule("S10")
def test_a_decision_needs_a_reason_and_a_held_referral(desk: Stage) -> None:
    take_in(desk, without_consent(ConsentState.WITHDRAWN), sheet(number="2"))
    desk.told()
    (held,) = desk.ask(Held()).held
    (other,) = set(refs_of(desk)) - {held.referral}
    assert not desk.ask(OpenWithoutConsent(referral=held.referral, reason="  あ    ")).done
    for case in (other, uuid4()):
        assert not desk.ask(OpenWithoutConsent(referral=case, reason="生命の危険があるため")).done
    assert desk.told() == []
    assert len(desk.ask(Held()).held) == 1


def test_the_tally_counts_referrals_by_where_they_are(desk: Stage) -> None:
    assert desk.store.counts()[3] == {"referrals": 0, "held": 0, "with_consent": 0, "without_consent": 0, "late": 0}
    take_in(
        desk,
        sheet(),
        *(without_consent(state, number=state.value.replace("_", "-")) for state in (*LOST, ConsentState.REFUSED)),
    )
    counted = {"referrals": 4, "held": 2, "with_consent": 1, "without_consent": 1, "late": 0}
    assert desk.store.counts()[3] == counted


# -- handing over to shien ---------------------------------------------------------------------------------------------


class Wire:
    """Intake's errands with a line to the real coordination of shien, which can be down."""

    def __init__(self, desk: Stage, shien: Stage) -> None:
        self.desk, self.shien, self.down = desk, shien, False
        self.settings, self.profile = Settings(), TOWN
        self.compartment: Compartment | None = None
        self.handed: dict[UUID, Particulars] = {}
        """What shien has taken in, by case."""

    def now(self) -> datetime:
        return self.desk.time

    async def run(self, act: Callable[[Tx], T]) -> T:
        return self.desk.do(act)

    async def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        self.desk.tell(act)

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        assert to is Account.SHIEN
        assert type(question) in intake.service.asks
        if self.down:
            raise AskFailed("TimeoutError")
        assert isinstance(question, TakeInClient)
        answer = self.shien.ask(question)
        self.handed[question.case] = question.particulars
        return answer


@pytest.fixture
def wire(desk: Stage, tmp_path: Path, kobayashi: Profile) -> Iterable[Wire]:
    """A line between intake and shien."""
    shien = Stage(coordination.service, f"sqlite:///{tmp_path}/shien.db", kobayashi, Compartment.SHIEN)
    yield Wire(desk, shien)
    shien.close()


def hand_over(wire: Work) -> None:
    (errand,) = [one for one in intake.service.errands if one.name == "hand_over"]
    asyncio.run(errand.act(wire))  # type: ignore[arg-type]  # act is any awaitable


def test_shien_is_written_whom_its_case_is_about_and_intake_forgets_the_case(desk: Stage, wire: Wire) -> None:
    take_in(desk, without_consent(ConsentState.REFUSED))
    (told,) = desk.told()
    hand_over(wire)
    who = wire.handed[told.about]
    assert (who.found, who.name, who.reason) == (True, "髙橋 キヨ子", sheet().reason)
    assert desk.store.counts()[2] == 0
    (row,) = desk.do(lambda tx: tx.execute(select(handover)).all())
    assert (row.state, row.case_ref) == ("handed", None)
    assert str(told.about) not in repr(stored(desk))


def test_while_shien_is_down_the_handover_waits_for_the_next_run(desk: Stage, wire: Wire) -> None:
    take_in(desk, *(without_consent(ConsentState.NOT_ASKED, number=number) for number in "123"))
    cases = tuple(told.about for told in desk.told())
    wire.down = True
    with pytest.raises(AskFailed):
        hand_over(wire)
    assert desk.store.counts()[2] == 3
    wire.down = False
    hand_over(wire)
    assert desk.store.counts()[2] == 0
    assert sorted(wire.handed[case].number for case in cases) == ["1", "2", "3"]


def test_a_consented_client_is_never_written_to_shien(desk: Stage, wire: Wire) -> None:
    take_in(desk, sheet(), without_consent(ConsentState.WITHDRAWN, number="2"))
    wire.down = True
    hand_over(wire)
