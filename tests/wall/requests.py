"""Random stores and random shares that collide: few agencies, purposes, members and periods, many lies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import select

from contracts.consent import OPEN_STATES, ConsentState
from contracts.message import Compartment
from contracts.policy import NEVER, Category, Decision, Period
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import sharing
from services.service import Tx
from services.store import Store
from services.wall import SHARES
from tests.wall.battery import ACCEPTED
from tests.wall.ground import (
    JUSO,
    agenda,
    case,
    commission,
    fresh,
    item,
    ref,
    row,
    seat,
    shared,
    sitting,
    version,
    when,
)
from tests.wall.rings import Ring

AGENCIES, PURPOSES, MEMBERS = ("houkatsu", "kikan", "hoken"), ("plan", "replan", "sharing"), ("taka", "yoshi", "jo")
CASES, PERSONS, SITTINGS = tuple("ABCDEFGH"), ("hanako", "jiro", "saburo", "sayo"), ("one", "two")
DAY = 86400


def some(random: Random, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in values if random.random() < 0.7)


def fill(ring: Ring, service: str, here: Compartment, random: Random, clock: Callable[[float], None]) -> None:
    """Rows of all kinds; what the store refuses is left out. Two days ago things were in force that no longer are."""
    for back in (2 * DAY, 0):
        clock(back)
        for statements in rows(service, here, random, back / DAY):
            if ring.run(statements) == ACCEPTED:
                ring.write(statements)


def rows(service: str, here: Compartment, random: Random, days: float) -> list[list[str]]:
    """Statements of one day, those that belong together in one list."""
    made: list[list[str]] = []
    starts = lambda: when(random.choice((-2.5, -1.5, -days - 0.01, 1)))  # noqa: E731
    if days and here is JUSO:
        made += [statements for name in CASES for statements in consents(random, name)]
        made += [[row("replica", id=1, fresh_at=when())]]
    for number in range(10 if here is not JUSO else 0):
        who, agency = random.choice((*PERSONS, None)), random.choice(AGENCIES)
        name, ends = f"{number} of {days}", when(random.choice((-1, 1, 9)))
        person = ref(f"person {who}") if who else None
        made += [
            [
                commission(
                    service,
                    name,
                    id=ref(f"commission {name}"),
                    person=person,
                    agency=agency,
                    starts=starts(),
                    ends=ends,
                )
            ]
        ]
        if random.random() < 0.3 and not days:
            made += [[row("commission_end", commission=ref(f"commission {number} of 2.0"), at=when())]]
    if days:
        made += [[case(name, here)] for name in CASES if service == "coordination"]
        made += [[an_item(service, here, random, number)] for number in range(40)]
        made += [
            [sitting(name, here, at)] for name, at in zip(SITTINGS, (-1.2, 0.5), strict=True) if service == "meetings"
        ]
    if service == "meetings":
        made += [[a_seat(here, random)] for _ in range(60)]
        made += [[agenda(f"{number}", random.choice(SITTINGS), here, number + 1)] for number in range(40)]
        if not days:
            made += [[f"update seat set cancelled_at = '{when()}' where person = '{ref('person sayo')}'"]]
    return made


def consents(random: Random, name: str) -> list[list[str]]:
    """Up to three versions of one case's consent."""
    made = []
    for number in range(1, random.choice((1, 1, 2, 3)) + 1):
        state = random.choice((*OPEN_STATES, *OPEN_STATES, *OPEN_STATES, *ConsentState))
        facts: dict[str, Any] = {"state": state.value, "covers_tax": random.random() < 0.5}
        if state in OPEN_STATES:
            facts |= {"starts": when(random.choice((-9, -9, -2, 1))), "ends": when(random.choice((-1, 2, 9, 9)) + 0.1)}
        else:
            facts |= {"starts": None, "ends": None}
        scope = some(random, AGENCIES), some(random, PURPOSES), some(random, MEMBERS)
        made.append(version(name, number, name, *scope, **facts))
    return made


def an_item(service: str, here: Compartment, random: Random, number: int) -> str:
    name = random.choice(CASES)
    facts: dict[str, Any] = {
        "category": "tax" if random.random() < 0.3 and here is JUSO else "ordinary",
        "purpose": random.choice(PURPOSES),
    }
    if here is JUSO:
        facts |= {"member": ref(f"member {random.choice(MEMBERS)}")}
        facts |= {"consent": ref(f"consent {name}")} if service == "meetings" else {}
    return item(service, f"{number}", here, name, **facts)


def a_seat(here: Compartment, random: Random) -> str:
    facts: dict[str, Any] = {"agency": random.choice(AGENCIES)}
    if here is not JUSO:
        facts["commission"] = ref(f"commission {random.randrange(10)} of {random.choice(('2.0', '0.0'))}")
    return seat(random.choice(SITTINGS), random.choice(PERSONS), here, **facts)


# -- what the store knows, and what it is asked ------------------------------------------------------------------------


@dataclass
class Known:
    """All that a decision may look at, read once."""

    items: dict[UUID, Any]
    heads: dict[UUID, sharing.Head]
    commissions: dict[UUID, Any]
    ended: set[UUID]
    seats: dict[tuple[UUID, UUID], Any] = field(default_factory=dict)
    agenda: set[tuple[UUID, UUID]] = field(default_factory=set)


def know(store: Store, module: Any) -> Known:
    """Read it, the consents as ``sharing`` reads them."""

    def act(tx: Tx) -> Known:
        every = lambda table: tx.execute(select(table)).all()  # noqa: E731
        known = Known(
            items={one.id: one for one in every(module.item)},
            heads=sharing.heads(module.consents, tx),
            commissions={one.id: one for one in every(module.commissions.commission)},
            ended={one.commission for one in every(module.commissions.ended)},
        )
        if store.service.name == "meetings":
            known.seats = {(one.sitting, one.person): one for one in every(module.seat)}
            known.agenda = {(one.item, one.sitting) for one in every(module.agenda)}
        return known

    return store.read(act)


def ask(known: Known, here: Compartment, random: Random) -> dict[str, Any]:
    """The values of a row: anything, or what is nearly allowed; in half of all rows there is a lie."""
    values = draw(known, here, random)
    if random.random() < 0.7:
        for _ in range(12):
            if decide(values, known, here).allowed:
                break
            values = draw(known, here, random)
    return values | (a_lie(here, random) if random.random() < 0.5 else {})


def draw(known: Known, here: Compartment, random: Random) -> dict[str, Any]:
    """The values of a row about an item as it is, to somebody."""
    one = known.items[random.choice(list(known.items))]
    head = known.heads.get(one.case)
    values: dict[str, Any] = {
        "act": random.choice(SHARES).value,
        "item": one.id.hex,
        "case": one.case.hex,
        "member": one.member.hex if one.member else None,
        "category": one.category,
        "purpose": one.purpose,
        "agency": random.choice(AGENCIES),
        "person": ref(f"person {random.choice(PERSONS)}"),
        "sitting": ref(f"sitting {random.choice(SITTINGS)}") if random.random() < 0.6 else None,
    }
    if known.seats and random.random() < 0.7:  # somebody who sits where it is heard, if it is
        there = [seat for seat in known.seats.values() if (one.id, seat.sitting) in known.agenda]
        if there:
            sits = random.choice(there)
            values |= {"sitting": sits.sitting.hex, "person": sits.person.hex, "agency": sits.agency}
            values |= {"commission": sits.commission.hex} if sits.commission else {}
    if here is JUSO:
        values |= {"consent": head.consent.hex if head else fresh(), "consent_version": head.version if head else 1}
        values |= {"covers_tax": bool(head and head.scope and head.scope.covers_tax)}
    elif "commission" not in values:
        held = known.commissions[random.choice(list(known.commissions))]
        values |= {"commission": held.id.hex}
        if random.random() < 0.7:
            values |= {"agency": held.agency} | ({"person": held.person.hex} if held.person else {})
    return values


def a_lie(here: Compartment, random: Random) -> dict[str, Any]:
    lies: list[dict[str, Any]] = [
        {"item": ref(f"item {random.randrange(40)}")},
        {"case": ref(f"case {random.choice(CASES)}")},
        {"member": ref(f"member {random.choice(MEMBERS)}")},
        {"category": random.choice(("ordinary", "tax"))},
        {"purpose": random.choice(PURPOSES)},
        {"agency": random.choice(AGENCIES)},
        {"person": ref(f"person {random.choice(PERSONS)}")},
        {"sitting": random.choice((None, ref(f"sitting {random.choice(SITTINGS)}")))},
        {"covers_tax": random.random() < 0.5},
    ]
    if here is JUSO:
        lies += [{"consent_version": random.randrange(1, 4)}, {"consent": ref(f"consent {random.choice(CASES)}")}]
        lies += [{"category": "ordinary", "covers_tax": True}]
    else:
        lies += [{"commission": ref(f"commission {random.randrange(10)} of 2.0")}, {"category": "tax"}]
    return random.choice(lies)


def decide(values: dict[str, Any], known: Known, here: Compartment) -> Decision:
    """What the policy says of what would really be shared: the item as it lies there, to this person of this agency."""
    one = known.items[UUID(values["item"])]
    person, place = UUID(values["person"]), values["sitting"] and UUID(values["sitting"])
    held = known.commissions.get(UUID(values["commission"])) if values.get("commission") else None
    fits = held is not None and held.id not in known.ended and held.agency == values["agency"]
    fits = fits and held.person in (None, person)
    return sharing.judge(
        sharing.Share(
            id=UUID(fresh()),
            act=Act(values["act"]),
            item=one.id,
            case=one.case,
            member=one.member,
            category=Category(one.category),
            purpose=Purpose(one.purpose),
            agency=values["agency"],
            person=person,
            sitting=place,
            head=known.heads.get(one.case),
            commission=held.id if held else None,
            commission_period=Period(held.starts, held.ends) if fits else NEVER,
            seat=sits(values, known),
            office=place is None,  # who works in the office the directory knows: a store cannot
        ),
        here,
        datetime.now(UTC),
        hosted_by_municipality=True,
    )


def sits(values: dict[str, Any], known: Known) -> bool:
    """Whether this person, for this agency, has a seat that stands where this item is heard."""
    if values["sitting"] is None:
        return False
    place, commission_id = UUID(values["sitting"]), values.get("commission")
    mine = known.seats.get((place, UUID(values["person"])))
    return (
        mine is not None
        and mine.cancelled_at is None
        and mine.agency == values["agency"]
        and (mine.commission.hex if mine.commission else None) == commission_id
        and (UUID(values["item"]), place) in known.agenda
    )


def is_true(values: dict[str, Any], known: Known, here: Compartment) -> bool:
    """Whether the row says what is so: then the store has no reason but the policy's to refuse it."""
    one = known.items[UUID(values["item"])]
    head = known.heads.get(one.case)
    said = (values["case"], values["member"], values["category"], values["purpose"])
    so = said == (one.case.hex, one.member.hex if one.member else None, one.category, one.purpose)
    if here is JUSO:
        so = so and head is not None and values["consent"] == head.consent.hex
        so = so and head is not None and values["consent_version"] == head.version
        so = so and values["covers_tax"] == bool(head and head.scope and head.scope.covers_tax)
    return so and (values["sitting"] is None or sits(values, known))


def statement(values: dict[str, Any], here: Compartment, mark: str) -> tuple[str, list[Any]]:
    """The row, with permit and clock right, as a statement with parameters."""
    whole = shared(here, **values)
    names = ", ".join(f'"{name}"' for name in whole)
    return f"insert into disclosure ({names}) values ({', '.join(mark for _ in whole)})", list(whole.values())
