"""What a store promises, on both engines: nothing old replaces the new, nothing foreign is opened, nothing is lost."""

import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, func, insert, select, update

from contracts.coordination import ItemPutForward
from contracts.intake import ReferralWithConsent
from contracts.meetings import ItemPlaced
from contracts.message import Account, Compartment, Event
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.service import Service, Tx
from services.store import MAX_TRIES, SCHEMA_VERSION, Incoming, Outcome, Store, StoreRefused, label
from tests.stage import SOME_DAY, Stage


def put_forward(about: UUID | None = None, version: int = 1) -> ItemPutForward:
    return ItemPutForward(
        about=about or uuid4(),
        version=version,
        case=uuid4(),
        purpose=Purpose.PLAN,
        urgent=False,
        received_on=SOME_DAY.date(),
        agencies=("kikan",),
    )


class Listener:
    """A service that writes down what it hears, tells it on, and fails over one item."""

    def __init__(self) -> None:
        self.bad: UUID | None = None
        tables = MetaData()
        self.heard = Table(
            "heard",
            tables,
            Column("place", Integer, primary_key=True),
            Column("item", Uuid, nullable=False),
            Column("version", Integer, nullable=False),
        )
        self.service = Service(
            "meetings", tables, compartments=True, publishes=frozenset({ItemPutForward}), reactions={}
        )
        self.service.on(ItemPutForward)(self.hear)

    def hear(self, put: ItemPutForward, tx: Tx) -> Iterable[Event]:
        tx.execute(insert(self.heard).values(item=put.about, version=put.version))
        if put.about == self.bad:
            raise ZeroDivisionError
        return [put]

    def versions(self, stage: Stage) -> list[int]:
        return stage.do(lambda tx: list(tx.connection.scalars(select(self.heard.c.version).order_by("place"))))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def desk(listener: Listener, stage: Callable[..., Stage]) -> Stage:
    return stage(listener.service, Compartment.JUSO)


# -- events in ---------------------------------------------------------------------------------------------------------


def test_an_older_version_of_a_fact_that_comes_late_is_dropped(stage: Callable[..., Stage]) -> None:
    heard: list[tuple[UUID, int]] = []
    service = Service("coordination", MetaData(), compartments=True)

    @service.on(ItemPlaced)
    def hear(placed: ItemPlaced, tx: Tx) -> Iterable[Event]:
        heard.append((placed.about, placed.version))
        return ()

    case = stage(service, Compartment.JUSO)
    item, other = uuid4(), uuid4()
    for about, version in ((item, 2), (item, 1), (other, 1), (item, 3), (item, 2), (item, 3)):
        assert case.give(ItemPlaced.model_construct(about=about, version=version)) is Outcome.DONE
    assert heard == [(item, 2), (other, 1), (item, 3)]


def test_the_same_event_twice_in_one_batch_or_two_is_handled_once(listener: Listener, desk: Stage) -> None:
    one = Incoming(uuid4(), put_forward())
    assert desk.store.react([one, one]) == desk.store.react([one]) * 2
    assert listener.versions(desk) == [1]
    assert len(desk.told()) == 1


def test_an_event_that_fails_undoes_itself_and_no_other_of_its_batch(listener: Listener, desk: Stage) -> None:
    good, bad, late = put_forward(), put_forward(), put_forward()
    listener.bad = bad.about
    batch = [Incoming(uuid4(), one) for one in (good, bad, late)]
    assert desk.store.react(batch) == [Outcome.DONE, Outcome.LATER, Outcome.DONE]
    assert desk.told() == [good, late]
    assert len(listener.versions(desk)) == 2
    listener.bad = None
    assert desk.store.react(batch) == [Outcome.DONE] * 3
    assert desk.told() == [bad]


def test_an_event_that_fails_for_good_is_parked_once_by_its_class_only(listener: Listener, desk: Stage) -> None:
    bad = put_forward()
    listener.bad = bad.about
    event = uuid4()
    for tries in (MAX_TRIES - 1, MAX_TRIES, MAX_TRIES + 1):
        desk.give(bad, event, tries)
    desk.store.park(event, "another", "KeyError", 99)
    (one,) = desk.store.list_parked()
    assert (one.event, one.subject, one.error, one.tries) == (event, bad.subject, "ZeroDivisionError", MAX_TRIES)
    assert one.parked_at == SOME_DAY
    assert listener.versions(desk) == []


# -- events out --------------------------------------------------------------------------------------------------------


def test_the_outbox_keeps_the_order_and_survives_the_end_of_the_process(
    listener: Listener, store_address: str, kobayashi: Profile
) -> None:
    events = [put_forward() for _ in range(30)]
    first = Stage(listener.service, store_address, kobayashi, Compartment.JUSO)
    first.tell(lambda tx: events[:20])
    first.tell(lambda tx: events[20:])
    taken = first.store.unsent(10)
    first.store.unsent(0, sent=[row.position for row in taken[5:]])
    first.close()
    second = Stage(listener.service, store_address, kobayashi, Compartment.JUSO)
    rows = second.store.unsent(100)
    assert [row.about for row in rows] == [one.about for one in [*events[:5], *events[10:]]]
    assert {row.account for row in rows} == {Account.JUSO}
    assert [row.position for row in rows] == sorted(row.position for row in rows)
    second.tell(lambda tx: [put_forward()])
    assert max(row.position for row in second.store.unsent(100)) > rows[-1].position
    second.close()


@pytest.mark.parametrize("undeclared", [ItemPlaced, ReferralWithConsent])
def test_an_event_that_is_not_declared_cannot_be_told_and_undoes_its_transaction(
    listener: Listener, desk: Stage, undeclared: type[Event]
) -> None:
    def write_and_tell(tx: Tx) -> Iterable[Event]:
        tx.execute(insert(listener.heard).values(item=uuid4(), version=1))
        return [put_forward(), undeclared.model_construct(about=uuid4())]

    with pytest.raises(TypeError, match="does not declare"):
        desk.tell(write_and_tell)
    assert desk.told() == []
    assert listener.versions(desk) == []


def test_reading_changes_nothing(listener: Listener, desk: Stage) -> None:
    def write(tx: Tx) -> int:
        tx.execute(insert(listener.heard).values(item=uuid4(), version=7))
        return tx.connection.scalar(select(func.count()).select_from(listener.heard)) or 0

    assert desk.store.read(write) == 1
    assert listener.versions(desk) == []


# -- whose store it is -------------------------------------------------------------------------------------------------


def other_service() -> Service:
    return Service("coordination", MetaData(), compartments=True)


@pytest.mark.parametrize("what", ["municipality", "service", "compartment"])
def test_nobody_opens_the_store_of_another(
    listener: Listener, store_address: str, kobayashi: Profile, what: str
) -> None:
    Stage(listener.service, store_address, kobayashi, Compartment.JUSO).close()
    profile = kobayashi.model_copy(update={"municipality": "252107"}) if what == "municipality" else kobayashi
    service = other_service() if what == "service" else listener.service
    compartment = Compartment.SHIEN if what == "compartment" else Compartment.JUSO
    with pytest.raises(StoreRefused, match=what):
        Stage(service, store_address, profile, compartment)
    Stage(listener.service, store_address, kobayashi, Compartment.JUSO).close()


def test_a_store_of_a_newer_kasane_is_not_touched(listener: Listener, store_address: str, kobayashi: Profile) -> None:
    stage = Stage(listener.service, store_address, kobayashi, Compartment.JUSO)
    newer = update(label).where(label.c.key == "schema").values(value=str(SCHEMA_VERSION + 1))
    stage.do(lambda tx: tx.execute(newer).rowcount)
    stage.close()
    with pytest.raises(StoreRefused, match="新しい版"):
        Stage(listener.service, store_address, kobayashi, Compartment.JUSO)


# -- SQLite ------------------------------------------------------------------------------------------------------------


def test_sqlite_keeps_what_it_committed_checks_references_and_leaves_nothing_behind(
    listener: Listener, tmp_path: Path, kobayashi: Profile
) -> None:
    store = Store(f"sqlite:///{tmp_path}/stores/a.db", listener.service, kobayashi, Compartment.JUSO)
    with store.engine.connect() as connection:
        found = {
            pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    files = list((tmp_path / "stores").iterdir())
    assert {one.name for one in files} >= {"a.db", "a.db-wal"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "stores").stat().st_mode) == 0o700
    store.close()
