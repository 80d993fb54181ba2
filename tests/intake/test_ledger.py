"""The ledger of consents on both engines: versions, transitions, refusals, stops."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from contracts.consent import OPEN_STATES, ConsentState, Scope, Signer
from contracts.intake import (
    AcknowledgeConsents,
    ClientOf,
    ConsentChanged,
    ConsentHeads,
    ConsentHistory,
    Held,
    KnownVersion,
    LookAtConsent,
    LookAtStop,
    OpenWithoutConsent,
    Particulars,
    ReferralWithConsent,
    ReferralWithoutConsent,
    ShowConsent,
    TakeInSheets,
)
from contracts.profile import Body, Place
from contracts.purpose import Purpose
from services import intake
from services.intake import stops
from services.intake.ledger import ClockIsBehind, expire_consents
from services.intake.ledger_tables import acknowledged, agency, confirmation, member, purpose, unconfirmed, version
from services.intake.tables import juso_case, referral
from services.service import Work
from tests.intake.agreeing import DIGEST, TODAY, Agreed, agree, record, scope_of, take, withdraw
from tests.intake.officers import CITY
from tests.intake.paper import TOWN, sheet, without_consent
from tests.stage import SOME_DAY, Stage

JAPAN = ZoneInfo("Asia/Tokyo")
GIVEN, NARROWED, REFUSED = ConsentState.GIVEN, ConsentState.NARROWED, ConsentState.REFUSED
WITHDRAWN, EXPIRED, NOT_ASKED = ConsentState.WITHDRAWN, ConsentState.EXPIRED, ConsentState.NOT_ASKED
CLOSED = [state for state in ConsentState if state not in OPEN_STATES]


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town."""
    return stage(intake.service, profile=TOWN)


def states(desk: Stage, key: UUID) -> list[ConsentState]:
    return [one.state for one in desk.ask(LookAtConsent(referral=key)).versions]


def place_of(desk: Stage, key: UUID) -> str:
    state: str = desk.do(lambda tx: tx.execute(select(referral.c.state).where(referral.c.id == key)).scalar_one())
    return state


# -- version 1 ---------------------------------------------------------------------------------------------------------


def test_a_full_consent_reaches_the_standing_members_one_by_one_and_a_narrowed_one_only_those_it_names(
    stage: Callable[..., Stage],
) -> None:
    body = {"code": "juso", "name": "重層的支援会議", "host": "kodomo", "place": "hall"}
    block = {"basis": "swa-106-4-2-5", "starts": "10:00", "minutes": 60}
    town = TOWN.model_copy(
        update={
            "places": (Place(code="hall", name="市役所"),),
            "bodies": (Body.model_validate(body | {"blocks": [block]}),),
        }
    )
    desk = stage(intake.service, profile=town)
    full = agree(desk, agencies=("jiritsu",))
    assert set(full.scope.agencies) == {"houkatsu", "jiritsu", "kodomo", "kenko"}, "the host and the city's own, too"
    narrow = agree(desk, agencies=("jiritsu",), consent=NARROWED, number="2")
    assert set(narrow.scope.agencies) == {"houkatsu", "jiritsu"}


def test_a_consent_is_the_clients_alone_and_lasts_as_long_as_the_profile_says(stage: Callable[..., Stage]) -> None:
    desk = stage(intake.service, profile=TOWN.model_copy(update={"consent_years": 1, "consent_text": "第7号"}))
    one = agree(desk)
    (client, other) = desk.ask(ShowConsent(referral=one.referral, by=CITY)).members
    assert (client[1], other[1]) == ("髙橋 キヨ子", "髙橋 和彦")
    assert one.history().members == ((client[0], ""), (other[0], "")), "names only to somebody who is written down"
    assert one.scope.members == (client[0],)
    assert one.scope.ends == datetime(2027, 11, 2, tzinfo=JAPAN)
    assert one.history().versions[0].text_version == "第7号"


@pytest.mark.parametrize("state", CLOSED)
def test_what_is_no_consent_is_a_version_without_a_scope_and_juso_is_not_told(desk: Stage, state: ConsentState) -> None:
    key = take(desk, without_consent(state))
    history = desk.ask(LookAtConsent(referral=key))
    assert [(one.version, one.state, one.scope) for one in history.versions] == [(1, state, None)]
    assert history.case is None
    assert not [one for one in desk.told() if isinstance(one, ConsentChanged)]
    assert desk.ask(ConsentHeads()).consents == 0


# -- the next version --------------------------------------------------------------------------------------------------


def test_a_narrower_version_needs_no_new_evidence_and_juso_is_told_its_scope(desk: Stage) -> None:
    one = agree(desk)
    done = one.narrow()
    assert (done.done, done.consent, done.version) == (True, one.consent, 2)
    (told,) = desk.told()
    assert isinstance(told, ConsentChanged)
    assert (told.about, told.version, told.case, told.state) == (one.consent, 2, one.case, NARROWED)
    assert told.scope
    assert told.scope.agencies == ("houkatsu",)
    assert place_of(desk, one.referral) == "with_consent"


@pytest.mark.parametrize("state", [WITHDRAWN, REFUSED, EXPIRED])
def test_a_lost_consent_stops_juso_and_waits_for_a_person(desk: Stage, state: ConsentState) -> None:
    one = agree(desk)
    assert one.record(state=state).done
    (told,) = desk.told()
    assert isinstance(told, ConsentChanged)
    assert (told.version, told.state, told.scope) == (2, state, None)
    (held,) = desk.ask(Held()).held
    assert (held.referral, held.state, held.rule) == (one.referral, state, "C11")
    assert held.next_step


def test_a_lost_consent_becomes_a_shien_case_only_by_a_recorded_decision_and_may_be_given_again(desk: Stage) -> None:
    one = agree(desk)
    one.withdraw()
    desk.told()
    decision = OpenWithoutConsent(referral=one.referral, reason="生命の危険があるため")
    assert desk.ask(decision).done
    (told,) = desk.told()
    assert isinstance(told, ReferralWithoutConsent)
    assert (told.ground, place_of(desk, one.referral)) == (WITHDRAWN, "without_consent")
    assert one.record(2, state=GIVEN, scope=scope_of(one.client), evidence="福祉-118").done
    (again,) = desk.told()
    assert isinstance(again, ConsentChanged), "juso knows the case already"
    assert (again.case, again.version, place_of(desk, one.referral)) == (one.case, 3, "with_consent")
    one.withdraw()
    desk.told()
    opened = desk.ask(decision)
    assert (opened.done, desk.told()) == (True, []), "its shien case is there still"
    assert "前からの事案" in opened.message


@pytest.mark.rule("C9", "C10")
@pytest.mark.parametrize("before", CLOSED)
def test_a_consent_given_later_opens_a_juso_case_and_leaves_the_shien_case_where_it_is(
    desk: Stage, before: ConsentState
) -> None:
    key = take(desk, without_consent(before))
    shien = desk.told()
    members = desk.ask(LookAtConsent(referral=key)).members
    scope = scope_of(members[0][0], agencies=("houkatsu", "kenko", "kodomo"))
    assert record(desk, key, 1, state=GIVEN, scope=scope, evidence_digest=DIGEST).done
    changed, told = desk.told()
    assert isinstance(changed, ConsentChanged)
    assert isinstance(told, ReferralWithConsent)
    assert (changed.version, changed.case) == (2, told.about)
    assert (told.consent, told.consent_version, told.client) == (changed.about, 2, members[0][0])
    assert told.agencies == ("houkatsu", "kenko", "kodomo"), "what the sheet named and the scope dropped is gone"
    assert told.about not in {one.about for one in shien}
    assert place_of(desk, key) == "with_consent"
    heads = desk.ask(ConsentHeads())
    assert (heads.consents, heads.versions) == (1, 2)


def test_an_answer_that_juso_never_heard_of_is_not_told_to_it(desk: Stage) -> None:
    key = take(desk, without_consent(NOT_ASKED))
    desk.told()
    assert record(desk, key, 1, state=REFUSED).done
    assert (desk.told(), place_of(desk, key)) == ([], "without_consent")
    assert states(desk, key) == [NOT_ASKED, REFUSED]


@pytest.mark.rule("C3")
def test_a_consent_may_reach_further_only_with_evidence_of_its_own(desk: Stage) -> None:
    one = agree(desk)
    wide = one.scope.model_copy(update={"agencies": (*one.scope.agencies, "kodomo")})
    for old in ({}, {"evidence": "0000123"}):
        refused = one.record(state=GIVEN, scope=wide, **old)
        assert (refused.done, refused.rule) == (False, "C3")
        assert "文書番号を付けてください" in refused.message
    assert desk.told() == []
    assert one.record(state=GIVEN, scope=wide, evidence_digest=DIGEST).done
    assert one.record(2, state=GIVEN, scope=one.scope).done, "back to less"
    again = one.record(3, state=GIVEN, scope=wide, evidence_digest=DIGEST)
    assert (again.done, again.rule) == (False, "C3"), "the same paper does not count twice"


@pytest.mark.parametrize(
    "wider",
    [
        {"purposes": tuple(Purpose)},
        {"covers_tax": True},
        {"ends": datetime(2030, 11, 2, tzinfo=JAPAN)},
        {"starts": datetime(2026, 11, 1, tzinfo=JAPAN)},
        {"agencies": ("kodomo",)},
    ],
    ids=lambda wider: next(iter(wider)),
)
def test_every_way_of_reaching_further_is_one(desk: Stage, wider: dict[str, Any]) -> None:
    one = agree(desk)
    scope = one.scope.model_copy(update=wider)
    on = date(2026, 11, 1) if "starts" in wider else TODAY
    refused = one.record(state=GIVEN, scope=scope, obtained_on=on)
    assert (refused.done, refused.rule) == (False, "C3")
    with pytest.raises(IntegrityError, match="WIDENED_WITHOUT_EVIDENCE"):
        raw_version(one, 2, scope)
    assert one.record(state=GIVEN, scope=scope, obtained_on=on, evidence="福祉-118").done


def test_after_a_withdrawal_any_consent_is_a_wider_one(desk: Stage) -> None:
    one = agree(desk)
    one.withdraw()
    scope = scope_of(one.client, agencies=("houkatsu",))
    refused = one.record(2, state=GIVEN, scope=scope)
    assert (refused.done, refused.rule) == (False, "C3")
    back_dated = one.record(2, state=GIVEN, scope=one.scope, evidence="福祉-119")
    assert (back_dated.done, back_dated.rule) == (False, "C1"), "the time in between was without consent"
    assert one.record(2, state=GIVEN, scope=scope, evidence="福祉-119").done


@pytest.mark.rule("S18")
def test_another_member_of_the_household_agrees_for_himself(desk: Stage) -> None:
    one = agree(desk)
    (_, (son, _)) = one.history().members
    both = one.scope.model_copy(update={"members": (one.client, son)})
    assert one.record(state=GIVEN, scope=both, evidence="福祉-118").done


REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another version came meanwhile": ({"after": 3}, "version-taken", "いまの版は第1版"),
    "an open state without a scope": ({"state": GIVEN}, "C3", "範囲"),
    "a lost state with a scope": ({"state": WITHDRAWN, "scope": {}}, "C3", "消すか"),
    "nobody agreed to anything": ({"state": GIVEN, "scope": {"purposes": ()}}, "C3", "一つ以上"),
    "another municipality's agency": ({"state": GIVEN, "scope": {"agencies": ("nagoya",)}}, "C3", "機関一覧にない"),
    "somebody of another household": ({"state": GIVEN, "scope": {"members": (uuid4(),)}}, "S18", "世帯"),
    "back-dated": (
        {"state": GIVEN, "scope": {"starts": datetime(2026, 10, 1, tzinfo=JAPAN)}, "evidence": "福祉-1"},
        "C1",
        "さかのぼれません",
    ),
    "over already": (
        {"state": GIVEN, "scope": {"ends": SOME_DAY}},
        "C1",
        "もう終わっています",
    ),
    "for six years": (
        {"state": GIVEN, "scope": {"ends": datetime(2031, 11, 3, tzinfo=JAPAN)}, "evidence": "福祉-1"},
        "C2",
        "5年を超えます",
    ),
    "asked tomorrow": ({"obtained_on": date(2026, 11, 25)}, "C1", "今日より後"),
    "nobody asked": ({"obtained_by": " "}, "C2", "確かめた人"),
    "without the text that was shown": ({"state": GIVEN, "scope": {}, "text_version": ""}, "C2", "規程の版"),
    "a guardian without a name": ({"signer": Signer.GUARDIAN}, "C2", "氏名"),
    "not asked after having agreed": ({"state": NOT_ASKED}, "C12", "記録済み"),
    "could not ask after having agreed": ({"state": ConsentState.COULD_NOT_ASK}, "C12", "記録済み"),
    "a 個人番号 in the note": ({"note": "番号は 123456789018 です"}, "my-number", "個人番号"),
    "a control sign in a name": ({"obtained_by": "日髙\x00"}, "control-sign", "制御文字"),
}


@pytest.mark.rule("C2")
@pytest.mark.parametrize("what", REFUSALS)
def test_a_version_is_refused_with_rule_and_next_step_and_nothing_is_stored(desk: Stage, what: str) -> None:
    one = agree(desk)
    changes, rule, words = REFUSALS[what]
    changes = dict(changes)
    if changes.get("scope") is not None:
        changes["scope"] = one.scope.model_copy(update=changes["scope"])
    refused = one.record(changes.pop("after", 1), **changes)
    assert (refused.done, refused.rule) == (False, rule)
    assert words in refused.message
    assert "ください" in refused.message or "できません" in refused.message
    assert (desk.told(), states(desk, one.referral)) == ([], [GIVEN])


@pytest.mark.parametrize("before", [state for state in CLOSED if state is not WITHDRAWN])
@pytest.mark.parametrize("lost", [WITHDRAWN, EXPIRED])
def test_what_was_never_given_cannot_be_lost(desk: Stage, before: ConsentState, lost: ConsentState) -> None:
    key = take(desk, without_consent(before))
    refused = record(desk, key, 1, state=lost)
    assert (refused.done, refused.rule) == (False, "C11")
    assert "確かめてください" in refused.message


def test_an_unknown_referral_has_no_consent(desk: Stage) -> None:
    refused = record(desk, uuid4(), 0)
    assert (refused.done, refused.rule) == (False, "referral-unknown")


# -- withdrawing -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("C11")
def test_a_withdrawal_is_recorded_told_and_asked_again_changes_nothing(desk: Stage) -> None:
    one = agree(desk)
    done = one.withdraw()
    assert (done.done, done.consent, done.version) == (True, one.consent, 2)
    (told,) = desk.told()
    assert isinstance(told, ConsentChanged)
    assert (told.state, told.scope, told.case) == (WITHDRAWN, None, one.case)
    assert one.withdraw() == done
    assert (desk.told(), states(desk, one.referral)) == ([], [GIVEN, WITHDRAWN])


def test_a_withdrawal_of_nothing_is_refused(desk: Stage) -> None:
    one = agree(desk)
    assert withdraw(desk, uuid4()).rule == "case-unknown"
    assert one.withdraw(obtained_on=date(2026, 11, 25)).rule == "C1"
    assert one.withdraw(obtained_by="").rule == "C2"
    one.record(state=REFUSED)
    refused = one.withdraw()
    assert (refused.done, refused.rule) == (False, "C11")


def test_a_withdrawal_is_taken_even_while_the_clock_is_wrong(desk: Stage) -> None:
    one = agree(desk)
    desk.pass_time(hours=-5)
    assert one.withdraw().done


def test_the_stop_is_seen_from_the_case(desk: Stage) -> None:
    one = agree(desk)
    one.withdraw()
    stop = desk.ask(LookAtStop(case=one.case))
    assert (stop.found, stop.version, stop.state, stop.recorded_at) == (True, 2, WITHDRAWN, SOME_DAY)
    assert (stop.confirmed_at, stop.acknowledged) == (None, ())
    assert not desk.ask(LookAtStop(case=uuid4())).found
    assert not desk.ask(LookAtStop(case=one.referral)).found


# -- confirmed and acknowledged ----------------------------------------------------------------------------------------


def test_the_first_version_is_confirmed_at_once_and_a_later_one_by_the_errand(desk: Stage) -> None:
    one = agree(desk)
    assert (one.history().versions[0].confirmed_at, desk.store.counts()[2]) == (SOME_DAY, 0)
    one.withdraw()
    assert desk.store.counts()[2] == 1, "not confirmed yet"
    assert desk.do(stops.confirm) == 0
    assert one.history().versions[1].confirmed_at == SOME_DAY
    assert desk.store.counts()[2] == 0


def test_a_confirmation_waits_for_the_permits_that_are_out_and_not_longer(desk: Stage) -> None:
    one = agree(desk)
    other = agree(desk, number="2")
    assert one.redeem_one().permit
    desk.pass_time(seconds=1)
    one.withdraw()
    other.withdraw()
    assert desk.do(stops.confirm) == 1, "the other's is confirmed, for nothing of it is out"
    desk.pass_time(seconds=1.999)
    assert desk.do(stops.confirm) == 1
    row = {"consent": one.consent, "version": 2, "confirmed_at": desk.time}
    with pytest.raises(IntegrityError, match="PERMITS_ARE_OUT"):
        desk.do(lambda tx: tx.execute(insert(confirmation).values(row)).rowcount)
    desk.pass_time(seconds=0.001)
    assert desk.do(stops.confirm) == 0
    recorded, confirmed = one.history().versions[1].recorded_at, one.history().versions[1].confirmed_at
    assert confirmed
    assert confirmed - recorded == timedelta(seconds=2)


def test_who_acknowledges_a_version_has_stopped_the_earlier_ones_too(desk: Stage) -> None:
    one = agree(desk)
    one.narrow()
    one.withdraw()
    for process in ("coordination@juso", "coordination@juso"):
        desk.ask(AcknowledgeConsents(known=(KnownVersion(consent=one.consent, version=3),), process=process))
    versions = one.history().versions
    assert [[who.process for who in each.acknowledged] for each in versions] == [["coordination@juso"]] * 3
    assert desk.ask(LookAtStop(case=one.case)).acknowledged[0].at == SOME_DAY
    desk.ask(AcknowledgeConsents(known=(KnownVersion(consent=uuid4(), version=1),), process="coordination@juso"))


def test_who_has_not_acknowledged_after_a_minute_is_late(desk: Stage) -> None:
    def late() -> int:
        count: int = desk.store.counts()[3]["late"]
        return count

    one = agree(desk)
    desk.pass_time(seconds=59)
    assert late() == 0
    desk.pass_time(seconds=1)
    assert late() == 1
    desk.ask(AcknowledgeConsents(known=(KnownVersion(consent=one.consent, version=1),), process="coordination@juso"))
    assert late() == 1
    desk.ask(AcknowledgeConsents(known=(KnownVersion(consent=one.consent, version=1),), process="meetings@juso"))
    assert late() == 0
    one.withdraw()
    desk.pass_time(seconds=60)
    assert late() == 1, "the newest version counts"


def test_heads_count_what_a_replica_holds_and_stop_while_the_clock_runs_behind(desk: Stage) -> None:
    one, _ = agree(desk), agree(desk, number="2")
    take(desk, without_consent(REFUSED, number="3"))
    one.narrow()
    heads = desk.ask(ConsentHeads())
    assert (heads.consents, heads.versions, heads.as_of) == (2, 3, SOME_DAY)
    desk.pass_time(seconds=-60)
    assert desk.ask(ConsentHeads()).as_of == SOME_DAY - timedelta(seconds=60)
    desk.pass_time(seconds=-1)
    with pytest.raises(ClockIsBehind):
        desk.ask(ConsentHeads())


# -- expiry ------------------------------------------------------------------------------------------------------------


async def test_the_errand_records_that_a_period_is_over_once(desk: Stage) -> None:
    one, other = agree(desk), agree(desk, number="2")
    soon = SOME_DAY + timedelta(days=1)
    assert one.narrow(ends=soon).done
    desk.told()
    work: Work = DeskWork(desk)  # type: ignore[assignment]  # as much of Work as the errand needs
    await expire_consents(work)
    assert desk.told() == []
    desk.pass_time(days=1)
    await expire_consents(work)
    await expire_consents(work)
    (told,) = desk.told()
    assert isinstance(told, ConsentChanged)
    assert (told.about, told.version, told.state, told.scope) == (one.consent, 3, EXPIRED, None)
    assert place_of(desk, one.referral) == "held"
    assert states(desk, other.referral) == [GIVEN]


class DeskWork:
    """The part of services.service.Work that intake's own errands need."""

    def __init__(self, desk: Stage) -> None:
        self.desk = desk

    async def run(self, act: Callable[..., Any]) -> Any:
        return self.desk.do(act)

    async def tell(self, act: Callable[..., Any]) -> None:
        self.desk.tell(act)


# -- who may look ------------------------------------------------------------------------------------------------------


def test_a_history_is_found_by_referral_by_case_and_by_number(desk: Stage) -> None:
    one = agree(desk)
    agree(desk, number="2")
    by_referral = one.history()
    assert (by_referral.consent, by_referral.case, by_referral.referral) == (one.consent, one.case, one.referral)
    assert desk.ask(LookAtConsent(case=one.case)) == by_referral
    assert desk.ask(LookAtConsent(referrer="houkatsu", number="0000123")) == by_referral
    nothing = ConsentHistory()
    for question in (LookAtConsent(), LookAtConsent(case=uuid4()), LookAtConsent(referrer="kenko", number="0000123")):
        assert desk.ask(question) == nothing


def test_whom_a_case_is_about_is_told_to_an_agency_that_the_consent_names(desk: Stage) -> None:
    one = agree(desk)
    assert desk.ask(ClientOf(case=one.case, agency="jiritsu")).found
    assert desk.ask(ClientOf(case=one.case, agency="kodomo")) == Particulars(found=False)
    one.narrow()
    assert desk.ask(ClientOf(case=one.case, agency="jiritsu")) == Particulars(found=False)
    assert desk.ask(ClientOf(case=one.case, agency="houkatsu")).found
    desk.pass_time(days=4 * 366)
    assert desk.ask(ClientOf(case=one.case)) == Particulars(found=False), "the period is over"


# -- what the store refuses by itself ----------------------------------------------------------------------------------


def raw_version(one: Agreed, number: int, scope: Scope | None, parts: bool = True, **changes: Any) -> None:
    """Write a version past all rules."""
    desk = one.desk

    def act(tx: Any) -> None:
        key = {"consent": one.consent, "version": number}
        if scope and parts:
            tx.execute(insert(agency), [key | {"agency": code} for code in scope.agencies])
            tx.execute(insert(purpose), [key | {"purpose": what.value} for what in scope.purposes])
            tx.execute(insert(member), [key | {"member": who, "referral": one.referral} for who in scope.members])
        (last,) = tx.execute(select(version).where(version.c.consent == one.consent, version.c.version == 1)).mappings()
        row = dict(last) | key | {"state": "given" if scope else "withdrawn"}
        row |= {"starts": scope.starts if scope else None, "ends": scope.ends if scope else None}
        row |= {"covers_tax": bool(scope and scope.covers_tax)}
        tx.execute(insert(version).values(row | changes))

    desk.do(act)


def test_a_version_is_the_next_of_its_own_consent_or_none(desk: Stage) -> None:
    one, other = agree(desk), agree(desk, number="2")
    for number in (1, 3):
        with pytest.raises(IntegrityError):
            raw_version(one, number, None)
    with pytest.raises(IntegrityError, match="CONSENT_IS_OF_ANOTHER"):
        raw_version(one, 2, None, referral=other.referral, case=other.case)
    with pytest.raises(IntegrityError, match="CONSENT_IS_OF_ANOTHER"):
        raw_version(one, 2, None, case=None)
    with pytest.raises(IntegrityError):
        raw_version(one, 2, None, case=other.case)
    raw_version(one, 2, None)


def test_a_version_has_a_scope_exactly_if_it_opens_something(desk: Stage) -> None:
    one = agree(desk)
    with pytest.raises(IntegrityError, match="SCOPE_IS_AMISS"):
        raw_version(one, 2, one.scope, parts=False)
    with pytest.raises(IntegrityError, match="SCOPE_IS_AMISS"):
        raw_version(one, 2, one.scope, state="withdrawn", starts=None, ends=None)
    for changes in (
        {"state": "withdrawn"},
        {"starts": None},
        {"signer": "guardian"},
        {"obtained": None},
        {"state": "?"},
    ):
        with pytest.raises(IntegrityError):
            raw_version(one, 2, one.scope, **changes)
    raw_version(one, 2, one.scope)


def test_a_member_of_another_household_does_not_fit_into_a_scope(desk: Stage) -> None:
    one, other = agree(desk), agree(desk, number="2")
    with pytest.raises(IntegrityError):
        raw_version(one, 2, one.scope.model_copy(update={"members": (other.client,)}), evidence="福祉-1")


def test_a_scope_is_closed_once_its_version_is_there(desk: Stage) -> None:
    one = agree(desk)
    key = {"consent": one.consent, "version": 1}
    more: dict[Table, dict[str, Any]] = {
        agency: {"agency": "kodomo"},
        purpose: {"purpose": "emergency"},
        member: {"member": one.history().members[1][0], "referral": one.referral},
    }
    for table, row in more.items():
        with pytest.raises(IntegrityError, match="SCOPE_IS_CLOSED"):
            desk.do(lambda tx, table=table, row=row: tx.execute(insert(table).values(key | row)).rowcount)  # type: ignore[misc]
    with pytest.raises(IntegrityError):  # a scope whose version never comes
        desk.do(lambda tx: tx.execute(insert(agency).values(consent=one.consent, version=2, agency="kodomo")).rowcount)


@pytest.mark.parametrize(
    "table", [version, agency, purpose, member, confirmation, acknowledged], ids=lambda one: one.name
)
def test_the_ledger_is_never_rewritten(desk: Stage, table: Table) -> None:
    one = agree(desk)
    desk.ask(AcknowledgeConsents(known=(KnownVersion(consent=one.consent, version=1),), process="meetings@juso"))
    mine = table.c.consent == one.consent
    for change in (update(table).where(mine).values(version=1), delete(table).where(mine)):
        with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"):
            desk.do(lambda tx, change=change: tx.execute(change).rowcount)  # type: ignore[misc]
    if desk.store.engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"), desk.store.engine.begin() as connection:
            connection.exec_driver_sql(f'truncate "{table.name}" cascade')


def test_a_juso_case_belongs_to_one_referral(desk: Stage) -> None:
    one = agree(desk)
    with pytest.raises(IntegrityError):
        desk.do(lambda tx: tx.execute(insert(juso_case).values(case_ref=uuid4(), referral=one.referral)).rowcount)
    assert desk.do(lambda tx: tx.execute(select(unconfirmed)).all()) == []


def test_a_dry_run_leaves_no_version(desk: Stage) -> None:
    desk.ask(TakeInSheets(sheets=(sheet(),), dry_run=True))
    assert desk.do(lambda tx: tx.execute(select(version)).all()) == []
