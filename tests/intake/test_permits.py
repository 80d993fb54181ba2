"""Permits on both engines: what is granted, what is refused and by which row, and none after a withdrawal."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData, Table, column, delete, func, insert, select, table, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from contracts.consent import ConsentState, Obtained
from contracts.intake import (
    AcknowledgeConsents,
    ConsentChanged,
    ConsentHeads,
    KnownVersion,
    LookAtStop,
    TakeInSheets,
    WithdrawConsent,
)
from contracts.message import Account, Compartment, Event
from contracts.permit import Redeem, ReportSpent, Use, Verdict, is_ours
from contracts.policy import Category
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import intake, sharing
from services.intake import stops
from services.intake.ledger import withdraw_consent
from services.intake.ledger_tables import agency, member, permit, purpose, version
from services.intake.permits import redeem_all
from services.intake.tables import household_member, juso_case, referral
from services.service import AskFailed, Process, Service, Tx
from services.store import Store
from tests.intake.agreeing import KEY, TODAY, Agreed, agree, redeem, scope_of
from tests.intake.paper import TOWN, sheet
from tests.stage import SOME_DAY, Stage, vault_of
from tests.world import World


@pytest.fixture
def desk(stage: Callable[..., Stage]) -> Stage:
    """Intake of a small town."""
    return stage(intake.service, profile=TOWN)


def rows(desk: Stage) -> list[Any]:
    return desk.do(lambda tx: list(tx.execute(select(permit)).all()))


def test_a_permit_is_ours_and_lives_three_seconds(desk: Stage) -> None:
    one = agree(desk)
    use = one.use()
    (verdict,) = one.redeem(use)
    assert verdict.permit
    assert (verdict.use, verdict.row) == (use.use, "")
    assert verdict.permit.use == use
    assert verdict.permit.until == SOME_DAY + timedelta(seconds=3)
    assert is_ours(KEY, verdict.permit)
    assert not is_ours(b"q" * 32, verdict.permit)
    (row,) = rows(desk)
    assert (row.use, row.granted_at, row.spent_at) == (use.use, SOME_DAY, None)


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "an agency outside": ({"agency": "kodomo"}, "N5"),
    "a purpose outside": ({"purpose": Purpose.EMERGENCY}, "N6"),
    "a member who did not agree": ({"member": uuid4()}, "N7"),
    "tax that is not covered": ({"category": Category.TAX}, "F2"),
    "no consent at all": ({"consent": uuid4()}, "N4"),
    "a version that is not there yet": ({"version": 2}, "VERSION"),
}


@pytest.mark.rule("C1", "C8")
@pytest.mark.parametrize("act", [Act.SHOW, Act.HEAR, Act.INVITE, Act.NOTIFY, Act.EXPORT])
@pytest.mark.parametrize("what", REFUSALS)
def test_what_lies_outside_is_refused_by_its_row_with_the_next_step(desk: Stage, what: str, act: Act) -> None:
    one = agree(desk)
    changes, row = REFUSALS[what]
    good, bad = one.redeem(one.use(act=act), one.use(act=act, **changes))
    assert good.permit, "one refusal holds up no other"
    assert (bad.permit, bad.row) == (None, row)
    assert bad.reason
    assert "ください" in bad.next_step
    assert len(rows(desk)) == 1


@pytest.mark.parametrize(
    ("state", "row"),
    [(ConsentState.WITHDRAWN, "N1"), (ConsentState.EXPIRED, "N2"), (ConsentState.REFUSED, "N4")],
)
def test_after_a_lost_consent_there_is_no_permit_of_any_version(desk: Stage, state: ConsentState, row: str) -> None:
    one = agree(desk)
    one.record(state=state)
    assert [one.redeem_one(version=number).row for number in (1, 2)] == [row, row]
    assert rows(desk) == []


def test_the_period_is_looked_at_by_the_ledgers_clock(desk: Stage) -> None:
    one = agree(desk)
    soon = SOME_DAY + timedelta(hours=1)
    one.narrow(starts=soon, ends=soon + timedelta(hours=1))
    assert one.redeem_one(version=2).row == "N3"
    desk.pass_time(hours=1)
    assert one.redeem_one(version=2).permit
    desk.pass_time(hours=1)
    assert one.redeem_one(version=2).row == "N2", "expired, though nobody has recorded it yet"


def test_tax_is_covered_where_the_consent_says_so(desk: Stage) -> None:
    one = agree(desk)
    covering = one.scope.model_copy(update={"covers_tax": True})
    one.record(state=ConsentState.GIVEN, scope=covering, evidence="福祉-118")
    assert one.redeem_one(version=2, category=Category.TAX).permit


def test_a_permit_rests_on_the_newest_version_only(desk: Stage) -> None:
    one = agree(desk)
    one.narrow(agencies=("houkatsu", "jiritsu"))
    old, new = one.redeem(one.use(version=1), one.use(version=2))
    assert (old.permit, old.row) == (None, "VERSION")
    assert "新しい版" in old.next_step
    assert new.permit


def test_the_same_use_gets_the_same_permit_while_it_lives_and_never_another(desk: Stage) -> None:
    one = agree(desk)
    use = one.use()
    first, again = one.redeem(use, use)
    assert first.permit
    assert again == first
    desk.pass_time(seconds=2.9)
    assert one.redeem(use) == (first,)
    assert one.redeem_one(use=use.use, agency="houkatsu").row == "USED", "the same use for something else"
    desk.pass_time(seconds=0.1)
    assert one.redeem(use)[0].row == "USED"
    assert len(rows(desk)) == 1


def test_a_spent_permit_is_not_given_again_and_is_spent_once(desk: Stage) -> None:
    one = agree(desk)
    use = one.use()
    (verdict,) = one.redeem(use)
    assert verdict.permit
    desk.ask(ReportSpent(permits=(verdict.permit.permit, uuid4())))
    assert one.redeem(use)[0].row == "USED"
    desk.pass_time(seconds=1)
    desk.ask(ReportSpent(permits=(verdict.permit.permit,)))
    (row,) = rows(desk)
    assert row.spent_at == SOME_DAY


def test_a_use_asked_again_after_the_withdrawal_gets_nothing_though_its_permit_lives(desk: Stage) -> None:
    one = agree(desk)
    use = one.use()
    assert one.redeem(use)[0].permit
    one.withdraw()
    assert one.redeem(use)[0].row == "N1"


def test_a_reported_permit_need_not_be_waited_for(desk: Stage) -> None:
    one = agree(desk)
    verdict = one.redeem_one()
    assert verdict.permit
    one.withdraw()
    assert desk.do(stops.confirm) == 1
    desk.ask(ReportSpent(permits=(verdict.permit.permit,)))
    assert desk.do(stops.confirm) == 0


def test_while_the_clock_runs_behind_nothing_is_permitted(desk: Stage) -> None:
    one = agree(desk)
    desk.pass_time(minutes=10)
    assert one.redeem_one().permit
    desk.pass_time(seconds=-60)
    assert one.redeem_one().permit, "a minute is forgiven"
    desk.pass_time(seconds=-1)
    refused = one.redeem_one()
    assert (refused.permit, refused.row) == (None, "CLOCK")
    assert "時計を正しく合わせて" in refused.next_step
    desk.pass_time(seconds=1)
    assert one.redeem_one().permit


# -- what the store refuses by itself ----------------------------------------------------------------------------------


def raw_permit(one: Agreed, **changes: Any) -> None:
    now = one.desk.time
    row = one.use().model_dump() | {"permit": uuid4(), "granted_at": now, "until": now + timedelta(seconds=3)} | changes
    one.desk.do(lambda tx: tx.execute(insert(permit).values(row)).rowcount)


@pytest.mark.parametrize(
    "changes",
    [
        {"agency": "kodomo"},
        {"purpose": "emergency"},
        {"member": UUID(int=0xE1)},
        {"consent": UUID(int=0xE2)},
        {"version": 2},
        {"category": "tax"},
        {"category": "other"},
        {"act": "carry"},
        {"until": SOME_DAY},
        {"until": SOME_DAY + timedelta(minutes=5)},
        {"granted_at": SOME_DAY - timedelta(minutes=2)},
        {"granted_at": SOME_DAY + timedelta(minutes=2), "until": SOME_DAY + timedelta(minutes=2, seconds=3)},
        {"spent_at": SOME_DAY},
    ],
    ids=str,
)
def test_no_sql_writes_a_permit_outside_the_consent(desk: Stage, changes: dict[str, Any]) -> None:
    one = agree(desk)
    with pytest.raises(IntegrityError):
        raw_permit(one, **changes)
    raw_permit(one)


def test_no_sql_writes_a_permit_after_the_withdrawal(desk: Stage) -> None:
    one = agree(desk)
    one.withdraw()
    with pytest.raises(IntegrityError, match="CONSENT_NOT_IN_FORCE"):
        raw_permit(one)


def test_a_permit_is_kept_as_it_was_granted(desk: Stage) -> None:
    one = agree(desk)
    raw_permit(one)
    later = SOME_DAY + timedelta(seconds=9)
    for change in (
        update(permit).values(until=later),
        update(permit).values(agency="houkatsu", spent_at=later),
        update(permit).values(use=uuid4(), spent_at=later),
        delete(permit),
    ):
        with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"):
            desk.do(lambda tx, change=change: tx.execute(change).rowcount)  # type: ignore[misc]
    desk.do(lambda tx: tx.execute(update(permit).values(spent_at=later)).rowcount)
    with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"):
        desk.do(lambda tx: tx.execute(update(permit).values(spent_at=None)).rowcount)


# -- racing a withdrawal -----------------------------------------------------------------------------------------------

RACES, GROUP, PART = int(os.environ.get("KASANE_RACES", "2000")), 100, 20
"""2,000 races with ``make proof``."""
"""Withdrawals; how many consents both threads set out for together; how many one transaction takes."""


@pytest.fixture
def two_stores(store_address: str) -> Iterator[tuple[Store, Store]]:
    """Two processes' stores on one database, by the machine's own clock."""
    with ExitStack() as stack:
        stores = []
        for _ in range(2):
            vault = stack.enter_context(closing(vault_of(intake.service, store_address, TOWN)))
            stores.append(stack.enter_context(closing(Store(store_address, intake.service, TOWN, vault=vault))))
        yield stores[0], stores[1]


def test_no_permit_is_granted_once_a_withdrawal_is_committed(two_stores: tuple[Store, Store]) -> None:
    """One thread redeems, one withdraws. What permits there are when the withdrawal has committed is all there ever is.

    The confirmation counts on exactly this. They take the consents of a group from both ends, and meet in it.
    """
    redeeming, withdrawing = two_stores
    agreed = many_agreed(withdrawing, RACES)
    cases = sorted(agreed, key=lambda case: str(agreed[case].consent))
    groups = [[cases[n : n + PART] for n in range(first, first + GROUP, PART)] for first in range(0, RACES, GROUP)]
    start, verdicts, seen = threading.Barrier(2), list[Verdict](), dict[UUID, int]()

    def redeem_each() -> None:
        for group in groups:
            start.wait(120)
            for part in group:
                uses = [agreed[case] for case in part]
                verdicts.extend(redeeming.write(lambda tx, uses=uses: (redeem_all(uses, KEY, tx), ())).verdicts)  # type: ignore[misc]

    def withdraw_each() -> None:
        for group in groups:
            start.wait(120)
            for part in reversed(group):
                withdrawing.write(lambda tx, part=part: withdraw_all(part, tx))  # type: ignore[misc]
                consents = [agreed[case].consent for case in part]
                seen.update(withdrawing.read(lambda tx, consents=consents: permits_of(consents, tx)))  # type: ignore[misc]

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(redeem_each), threads.submit(withdraw_each)]:
            done.result(300)
    last = withdrawing.read(lambda tx: permits_of([use.consent for use in agreed.values()], tx))
    assert last == seen
    granted = sum(verdict.permit is not None for verdict in verdicts)
    assert sum(last.values()) == granted
    assert {verdict.row for verdict in verdicts if verdict.permit is None} == {"N1"}
    assert 0 < granted < RACES, "they never met, so nothing is proved"


def test_a_withdrawal_waits_for_permits_being_granted_and_then_sees_them(two_stores: tuple[Store, Store]) -> None:
    """The one order of steps that the race needs luck to hit: looked, not yet granted, and meanwhile withdrawn.

    SQLite lets no second writer begin; PostgreSQL needs the lock, and shows that somebody waits for it.
    """
    redeeming, withdrawing = two_stores
    ((case, use),) = many_agreed(withdrawing, 1).items()
    if redeeming.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    waiting = select(func.count()).select_from(table("pg_locks", column("granted"))).where(column("granted").is_(False))
    with ThreadPoolExecutor(1) as thread, redeeming.engine.begin() as connection:
        (verdict,) = redeem_all([use], KEY, redeeming._tx(connection)).verdicts
        assert verdict.permit
        withdrawn = thread.submit(lambda: withdrawing.write(lambda tx: withdraw_all([case], tx)))
        deadline = time.monotonic() + 30
        while not connection.scalar(waiting):
            assert not withdrawn.done(), "it did not wait"
            assert time.monotonic() < deadline
        connection.commit()
        withdrawn.result(30)
    assert withdrawing.read(lambda tx: permits_of([use.consent], tx)) == {use.consent: 1}
    (late,) = redeeming.write(lambda tx: (redeem_all([use], KEY, tx), ())).verdicts
    assert late.row == "N1"


def withdraw_all(cases: list[UUID], tx: Tx) -> tuple[None, list[Event]]:
    told: list[Event] = []
    for case in cases:
        done, events = withdraw_consent(withdrawal(case), tx)
        assert done.done
        told += events
    return None, told


def permits_of(consents: list[UUID], tx: Tx) -> dict[UUID, int]:
    """How many permits there are of each."""
    counted = select(permit.c.consent, func.count()).where(permit.c.consent.in_(consents)).group_by(permit.c.consent)
    return dict.fromkeys(consents, 0) | {row[0]: row[1] for row in tx.execute(counted)}


def withdrawal(case: UUID) -> WithdrawConsent:
    return WithdrawConsent(case=case, obtained=Obtained.PHONE, obtained_by="日髙 奈緒", obtained_on=TODAY)


def many_agreed(store: Store, count: int) -> dict[UUID, Use]:
    """Something allowed by each of so many consents, by case. Written in bulk: the sheets are not tried here."""
    now, keys = store.clock(), [{"referral": uuid4(), "member": uuid4(), "case": uuid4()} for _ in range(count)]
    paper: dict[str, Any] = {"state": "with_consent", "received_on": TODAY, "urgent": False, "household_size": 1}
    paper |= {"problems": [], "agencies": ["houkatsu"]}
    agreed = {"version": 1, "state": "given", "covers_tax": False, "starts": now - timedelta(days=1)}
    agreed |= {"ends": now + timedelta(days=1), "text_version": "", "obtained": "signed"}
    agreed |= {"obtained_on": TODAY, "signer": "person", "evidence_digest": "", "evidence": "", "recorded_at": now}
    uses: dict[UUID, Use] = {}
    for key in keys:
        values = {"act": "invite", "purpose": "plan", "category": "ordinary", "agency": "jiritsu", "version": 1}
        uses[key["case"]] = Use.model_validate(values | {"use": uuid4(), "consent": uuid4(), "member": key["member"]})

    def fill(tx: Tx) -> None:  # of one part
        same: list[tuple[Table, Callable[[int, dict[str, UUID]], dict[str, Any]]]] = [
            (
                referral,
                lambda n, key: (
                    paper | {"id": key["referral"], "referrer": "houkatsu", "number": str(n), "recorded_at": now}
                ),
            ),
            (household_member, lambda n, key: {"member": key["member"], "referral": key["referral"], "place": 0}),
            (juso_case, lambda n, key: {"case_ref": key["case"], "referral": key["referral"]}),
            (agency, lambda n, key: {"consent": uses[key["case"]].consent, "version": 1, "agency": "jiritsu"}),
            (purpose, lambda n, key: {"consent": uses[key["case"]].consent, "version": 1, "purpose": "plan"}),
            (
                member,
                lambda n, key: {
                    "consent": uses[key["case"]].consent,
                    "version": 1,
                    "member": key["member"],
                    "referral": key["referral"],
                },
            ),
            (
                version,
                lambda n, key: (
                    agreed | {"consent": uses[key["case"]].consent, "referral": key["referral"], "case": key["case"]}
                ),
            ),
        ]
        for one, row in same:
            tx.execute(insert(one), [row(n, key) for n, key in enumerate(keys)][part])

    for first in range(0, count, 250):
        part = slice(first, first + 250)
        store.write(lambda tx: (fill(tx), ()))
        if store.engine.dialect.name == "postgresql":  # else it plans the guards for empty tables, and reads them whole
            store.write(lambda tx: (tx.connection.exec_driver_sql("analyze"), ()))
    return uses


# -- on the bus --------------------------------------------------------------------------------------------------------

PAPER = sheet(referrer="jiritsu", agencies=("kodomo",))
asker = Service("coordination", MetaData(), compartments=True, asks=sharing.ASKS | {WithdrawConsent, LookAtStop})


async def test_over_the_bus_a_withdrawal_is_confirmed_within_five_seconds_however_busy_the_askers_are(
    world: World,
) -> None:
    """A stand-in for coordination@juso asks as the real one does; intake is the real one."""
    there = Process(intake.service), Process(asker, Compartment.JUSO)
    await world.provision(there)
    bus, juso = [await world.start(one) for one in there]
    told: list[ConsentChanged] = []

    def take(tx: Any) -> Any:
        _, events = intake.service.answers_to[TakeInSheets].act(TakeInSheets(sheets=(PAPER,)), tx)
        told.extend(one for one in events if isinstance(one, ConsentChanged))
        return events

    await bus.tell(take)
    (changed,) = told
    assert changed.scope
    heads = await juso.ask(ConsentHeads(), to=Account.INTAKE)
    assert (heads.consents, heads.versions) == (1, 1)
    values = {"act": "invite", "purpose": "plan", "category": "ordinary", "agency": "jiritsu", "version": 1}
    use = Use.model_validate(values | {"use": uuid4(), "consent": changed.about, "member": changed.scope.members[0]})
    (verdict,) = (await juso.ask(Redeem(uses=(use,)), to=Account.INTAKE)).verdicts
    assert verdict.permit
    assert is_ours(world.settings.permit_key, verdict.permit)
    done = await juso.ask(withdrawal(changed.case), to=Account.INTAKE)
    assert (done.done, done.version) == (True, 2)
    (after,) = (await juso.ask(Redeem(uses=(use.model_copy(update={"use": uuid4()}),)), to=Account.INTAKE)).verdicts
    assert after.row == "N1"

    async def confirmed() -> bool:
        return (await juso.ask(LookAtStop(case=changed.case), to=Account.INTAKE)).confirmed_at is not None

    assert not await confirmed()
    await world.until(confirmed, seconds=10)
    stop = await juso.ask(LookAtStop(case=changed.case), to=Account.INTAKE)
    assert stop.recorded_at
    assert stop.confirmed_at
    assert verdict.permit.until <= stop.confirmed_at <= stop.recorded_at + timedelta(seconds=5)
    await juso.ask(
        AcknowledgeConsents(known=(KnownVersion(consent=changed.about, version=2),), process="coordination@juso"),
        to=Account.INTAKE,
    )
    stop = await juso.ask(LookAtStop(case=changed.case), to=Account.INTAKE)
    assert [one.process for one in stop.acknowledged] == ["coordination@juso"]


async def test_over_the_bus_a_clock_that_runs_behind_silences_the_heartbeat(world: World) -> None:
    there = Process(intake.service), Process(asker, Compartment.JUSO)
    await world.provision(there)
    bus, juso = [await world.start(one) for one in there]
    take = intake.service.answers_to[TakeInSheets].act
    await bus.tell(lambda tx: take(TakeInSheets(sheets=(PAPER,)), tx)[1])
    ahead = bus.store.clock
    bus.store.clock = lambda: ahead() - timedelta(minutes=2)
    with pytest.raises(AskFailed, match="ClockIsBehind"):
        await juso.ask(ConsentHeads(), to=Account.INTAKE)


def test_a_batch_is_answered_in_its_order(desk: Stage) -> None:
    one, other = agree(desk), agree(desk, number="2")
    uses = [one.use(), other.use(agency="kodomo"), other.use(), one.use(agency="kenko")]
    verdicts = redeem(desk, *uses)
    assert [verdict.use for verdict in verdicts] == [use.use for use in uses]
    assert [bool(verdict.permit) for verdict in verdicts] == [True, False, True, True]
    assert desk.do(lambda tx: tx.execute(select(func.count()).select_from(version)).scalar_one()) == 2
    assert scope_of(one.client).members == (one.client,)
