"""What delivery promises, on a real server: once, in time, whatever dies."""

import asyncio
from collections.abc import Iterable
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, func, insert, select

from contracts.consent import ConsentState
from contracts.coordination import Cases, ItemPutForward
from contracts.intake import Problem, ReferralWithConsent, ReferralWithoutConsent
from contracts.message import Compartment, Event
from contracts.purpose import Purpose
from services import coordination, pull
from services.bus import BusBroken, ask
from services.provision import make_streams, write_server_config
from services.service import AskFailed, NotYet, Process, Service, Tx
from services.store import MAX_TRIES
from tests.world import PATIENCE, World

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN


def a_referral(about: UUID | None = None) -> ReferralWithConsent:
    return ReferralWithConsent(
        about=about or uuid4(),
        received_on=date(2026, 11, 2),
        urgent=False,
        referrer="houkatsu-kobayashi",
        agencies=("houkatsu-kobayashi", "kikan"),
        problems=(Problem.DEBT,),
        household_size=2,
        consent=uuid4(),
        consent_version=1,
    )


def a_listener(behave: "dict[str, object]") -> Service:
    """A service that counts the items it hears of and fails as told."""
    tables = MetaData()
    heard = Table("heard", tables, Column("item", Uuid, primary_key=True), Column("times", Integer, nullable=False))
    service = Service("meetings", tables, compartments=True)

    @service.on(ItemPutForward)
    def hear(put: ItemPutForward, tx: Tx) -> Iterable[Event]:
        if put.about == behave.get("poison"):
            raise ZeroDivisionError
        if put.about == behave.get("early"):
            raise NotYet
        tx.execute(insert(heard).values(item=put.about, times=1))
        return ()

    service.tally = lambda tx: {"heard": tx.connection.scalar(select(func.count()).select_from(heard)) or 0}
    return service


def an_intake() -> Service:
    return Service("intake", MetaData(), publishes=frozenset({ReferralWithConsent}))


async def the_three(world: World, behave: "dict[str, object] | None" = None) -> None:
    processes = [
        Process(an_intake()),
        Process(coordination.service, JUSO),
        Process(coordination.service, SHIEN),
        Process(a_listener(behave if behave is not None else {}), JUSO),
    ]
    await world.provision(processes)
    for process in processes:
        await world.start(process)


async def heard(world: World) -> int:
    return (await world.buses["meetings@juso"]._pulse(b"")).tally["heard"]


async def test_an_event_crosses_into_the_account_it_is_for_and_no_other(world: World) -> None:
    await the_three(world)
    await world.buses["intake"].tell(lambda tx: [a_referral() for _ in range(250)])
    await world.calm()
    assert await heard(world) == 250
    assert (await world.buses["coordination@juso"]._pulse(b"")).tally["cases"] == 250
    assert (await world.buses["coordination@shien"]._pulse(b"")).tally["cases"] == 0


async def test_an_event_published_twice_is_handled_once(world: World) -> None:
    await the_three(world)
    intake = world.buses["intake"]
    await intake.tell(lambda tx: [a_referral()])
    await world.calm()
    admin = await world.connect("admin@juso")
    stored = await admin.jetstream().get_msg("EVENTS", 1)
    again = {"ce-id": stored.headers["ce-id"], "Nats-Msg-Id": "another"} if stored.headers else {}
    await admin.request(stored.subject or "", stored.data or b"", PATIENCE, headers=again)
    await world.calm()
    assert await heard(world) == 1


async def test_a_poison_event_is_parked_by_itself_and_holds_up_nobody(world: World) -> None:
    behave: dict[str, object] = {}
    await the_three(world, behave)
    await world.buses["intake"].tell(lambda tx: [a_referral() for _ in range(5)])
    await world.calm()
    behave["poison"] = poison = uuid4()
    put = ItemPutForward(
        about=poison,
        case=uuid4(),
        purpose=Purpose.PLAN,
        urgent=False,
        received_on=date(2026, 11, 2),
        agencies=("kikan",),
    )
    others = [put.model_copy(update={"about": uuid4()}) for _ in range(20)]
    await world.buses["coordination@juso"].tell(lambda tx: [put, *others])

    async def parked() -> bool:
        return bool((await world.buses["meetings@juso"]._parked(b"")).events)

    await world.until(parked, 30)
    (one,) = (await world.buses["meetings@juso"]._parked(b"")).events
    assert (one.subject, one.error, one.tries) == (ItemPutForward.subject, "ZeroDivisionError", MAX_TRIES)
    await world.calm()
    assert await heard(world) == 25


async def test_what_nobody_can_read_is_parked_at_once_without_its_content(world: World) -> None:
    await the_three(world)
    admin = await world.connect("admin@juso")
    await admin.request(ItemPutForward.subject, '{"about": "髙橋花子"}'.encode(), PATIENCE)
    await world.calm()
    (one,) = (await world.buses["meetings@juso"]._parked(b"")).events
    assert one.error == "ValidationError"
    assert "髙橋" not in one.model_dump_json()


async def test_an_event_that_comes_too_early_waits_for_what_it_depends_on(world: World) -> None:
    early = uuid4()
    behave: dict[str, object] = {"early": early}
    await the_three(world, behave)
    put = ItemPutForward(
        about=early,
        case=uuid4(),
        purpose=Purpose.PLAN,
        urgent=False,
        received_on=date(2026, 11, 2),
        agencies=("kikan",),
    )
    await world.buses["coordination@juso"].tell(lambda tx: [put])

    async def came() -> bool:
        return (await world.buses["meetings@juso"]._pulse(b"")).unread == 1

    await world.until(came)
    assert await heard(world) == 0
    del behave["early"]
    await world.calm()
    assert await heard(world) == 1


async def test_nothing_is_lost_while_the_server_is_away(world: World) -> None:
    await the_three(world)
    world.server.kill()
    await world.buses["intake"].tell(lambda tx: [a_referral() for _ in range(30)])
    world.server.start()
    await world.until(world._reachable)

    async def all_there() -> bool:
        return await heard(world) == 30

    await world.until(all_there, 40)


async def test_a_process_that_was_away_catches_up(world: World) -> None:
    await the_three(world)
    await world.stop("coordination@juso")
    await world.buses["intake"].tell(lambda tx: [a_referral() for _ in range(10)])
    await world.calm()
    assert await heard(world) == 0
    await world.start(Process(coordination.service, JUSO))
    await world.calm()
    assert await heard(world) == 10


async def test_a_question_that_fails_tells_the_class_of_the_error_and_nothing_else(world: World) -> None:
    await the_three(world)
    operator = await world.connect("admin@juso")
    assert (await ask(operator, Cases.subject, Cases())).cases == ()
    with pytest.raises(AskFailed, match="NoRespondersError"):
        await ask(operator, "ask.meetings.nobody.v1", Cases())
    broken = await operator.request(Cases.subject, '{"x": "髙橋"'.encode(), PATIENCE)
    assert broken.headers == {"Kasane-Error": "ValidationError"}
    assert broken.data == b""


async def test_provisioning_twice_changes_nothing(world: World) -> None:
    processes = [Process(an_intake()), Process(coordination.service, JUSO)]
    await world.provision(processes)
    before = (world.settings.home / "nats.conf").read_bytes()
    write_server_config(world.settings, processes)
    assert (world.settings.home / "nats.conf").read_bytes() == before
    assert await make_streams(world.settings, processes, world.settings.nats_url) == []


async def test_stopping_leaves_nothing_half_done(world: World) -> None:
    await the_three(world)
    await world.buses["intake"].tell(lambda tx: [a_referral() for _ in range(300)])
    await asyncio.gather(*(world.stop(name) for name in ("coordination@juso", "meetings@juso")))
    await world.start(Process(coordination.service, JUSO))
    await world.start(Process(a_listener({}), JUSO))
    await world.calm()
    assert await heard(world) == 300


async def test_an_answer_is_sent_to_the_asker_and_never_where_he_has_no_right_to_speak(world: World) -> None:
    await the_three(world)
    await world.buses["intake"].tell(lambda tx: [a_referral()])
    await world.calm()
    attacker = await world.connect("admin@juso")
    kept = (await attacker.jetstream().stream_info("EVENTS")).state.messages
    await attacker.publish(Cases.subject, b"not json", reply="$JS.API.STREAM.PURGE.EVENTS")
    assert (await ask(attacker, Cases.subject, Cases())).cases == (), "the question before this one has been handled"
    assert (await attacker.jetstream().stream_info("EVENTS")).state.messages == kept > 0


async def test_a_process_whose_consumer_is_gone_says_so_and_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "FETCH_FAILURES", 2)
    await the_three(world)
    admin = await world.connect("admin@juso")
    await admin.jetstream().delete_consumer("EVENTS", "coordination")
    with pytest.raises(BusBroken, match="provision"):
        await asyncio.wait_for(world.buses["coordination@juso"].failed(), 20)


async def test_a_stream_that_is_away_holds_up_no_other(world: World) -> None:
    intake = Service("intake", MetaData(), publishes=frozenset({ReferralWithConsent, ReferralWithoutConsent}))
    processes = [Process(intake), Process(coordination.service, JUSO), Process(coordination.service, SHIEN)]
    await world.provision(processes)
    for process in processes:
        await world.start(process)
    admin = await world.connect("admin@shien")
    await admin.jetstream().delete_stream("EVENTS")
    without = ReferralWithoutConsent(
        **a_referral().model_dump(exclude={"consent", "consent_version", "narrowed"}), ground=ConsentState.REFUSED
    )
    stuck = [without.model_copy(update={"about": uuid4()}) for _ in range(450)]
    await world.buses["intake"].tell(lambda tx: [*stuck, a_referral()])

    async def opened() -> bool:
        return (await world.buses["coordination@juso"]._pulse(b"")).tally["cases"] == 1

    await world.until(opened)
    assert (await world.buses["intake"]._pulse(b"")).outbox == 450
