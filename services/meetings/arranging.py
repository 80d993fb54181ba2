"""Who may arrange the date of an item, and what is known for it: seats, calendars, the announced sitting.

Whoever holds the meeting arranges it (S1, S12), and only of a case that the policy lets this person see now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.message import Compartment
from contracts.office import Done
from contracts.policy_terms import Act
from contracts.profile import Block, Body
from services import sharing
from services.meetings import grounds
from services.meetings.conducting import may_run
from services.meetings.gathering import Diary, Table, room_ref, table_of
from services.meetings.grounds import Recipient
from services.meetings.placing import look_around_for
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import Interval, NoSlot
from services.meetings.tables import agenda, consents, seat, sitting
from services.service import Tx, Work
from services.sharing import Share

NOT_THERE = Refusal("S12", "この議題は見つかりません。", "事案の画面から開き直してください。")
REGULAR = Refusal(
    "M1",
    "この議題は定例の会議で扱うため、日時を選びません。",
    "早く扱う必要があるときは、緊急として付議し直してください。",
)
UNCHECKED = Refusal("C11", "同意の状態を確かめられません。", "少し待って、もう一度行ってください。")
IN_HAND = ("waiting", "reserving", "placed")


@dataclass(frozen=True)
class Actor:
    """Who acts or looks, and for which agency."""

    person: UUID
    agency: str


def actor_of(person: UUID | None, agency: str | None) -> Actor | None:
    """The viewer a question names; None for one that names nobody."""
    return Actor(person, agency) if person is not None and agency is not None else None


def share_to(one: Row[Any], actor: Actor, tx: Tx) -> Share:
    """Showing this item to whoever runs its meeting. ``one`` has item's columns."""
    juso = tx.here is Compartment.JUSO
    head = sharing.heads(consents, tx, {one.case}).get(one.case) if juso else None
    bond = None if juso else grounds.bond_of(grounds.bonds(tx), actor.person, actor.agency, tx.now)
    to = Recipient(share=tx.ref(), agency=actor.agency, person=actor.person, bond=bond)
    return replace(grounds.share_of(one, to, head), act=Act.SHOW, seat=False, office=True)


def why_not_arrange(one: Row[Any] | None, actor: Actor | None, tx: Tx) -> Refusal | None:
    """Why this person may not arrange this item's date. A case that may not be seen looks like none at all."""
    if one is None or actor is None or one.state not in IN_HAND:
        return NOT_THERE
    if refusal := may_run(actor.person, actor.agency, None, tx):
        return refusal
    if tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return UNCHECKED
    decision = sharing.judge(share_to(one, actor, tx), tx.here, tx.now, hosted_by_municipality=True)
    return None if decision.allowed else NOT_THERE


def announced_of(tx: Tx, about: UUID) -> Row[Any] | None:
    """The coming 随時 sitting that was announced for this item alone."""
    on_it = select(sitting).join(agenda, agenda.c.sitting == sitting.c.id).where(agenda.c.item == about)
    mine = sitting.c.own_item == about, sitting.c.fixed, sitting.c.cancelled_at.is_(None), sitting.c.starts > tx.now
    return tx.execute(on_it.where(*mine)).first()


@dataclass(frozen=True)
class Stand:
    """All that is known for giving one item a date. ``announced`` with its live seats: what it has now."""

    one: Row[Any]
    adhoc: tuple[Body, Block]
    table: Table | NoSlot
    diary: Diary
    announced: Row[Any] | None
    seats: tuple[Row[Any], ...]


async def stand_of(work: Work, about: UUID, actor: Actor | None) -> Stand | Refusal:
    """What is known for an item that this person may arrange, or why not. Raises AskFailed."""
    found = await look_around_for(work, about)
    if found is None or work.compartment is None:
        return NOT_THERE
    one, diary = found
    refusal, announced, seats = await work.run(lambda tx: _looked_up(tx, one, actor))
    if refusal:
        return refusal
    adhoc = diary.way(one).adhoc
    if adhoc is None or (one.state == "placed" and announced is None):
        return REGULAR
    if announced is not None:  # its own hold is not in its way
        held = [row.person for row in seats]
        held += [room_ref(work.profile, announced.room)] if announced.room else []
        diary = replace(diary, busy=without_hold(diary.busy, held, (announced.starts, announced.ends)))
    table = table_of(work.profile, work.compartment, one, adhoc, diary, work.now())
    return Stand(one, adhoc, table, diary, announced, seats)


def _looked_up(
    tx: Tx, one: Row[Any], actor: Actor | None
) -> tuple[Refusal | None, Row[Any] | None, tuple[Row[Any], ...]]:
    if refusal := why_not_arrange(one, actor, tx):
        return refusal, None, ()
    announced = announced_of(tx, one.id)
    live = select(seat).where(seat.c.sitting == announced.id, seat.c.cancelled_at.is_(None)) if announced else None
    return None, announced, tuple(tx.execute(live).all()) if live is not None else ()


def without_hold(
    busy: Mapping[UUID, Sequence[Interval]], persons: Iterable[UUID], held: Interval
) -> dict[UUID, list[Interval]]:
    """The calendars without the time held for a sitting that is to move. What else lies there shows at reserving."""
    found = {person: list(times) for person, times in busy.items()}
    for person in persons:
        found[person] = [piece for one in found.get(person, ()) for piece in _cut(one, held)]
    return found


def _cut(one: Interval, hole: Interval) -> Iterable[Interval]:
    pieces = (one[0], min(one[1], hole[0])), (max(one[0], hole[1]), one[1])
    if one[1] <= hole[0] or hole[1] <= one[0]:
        return (one,)
    return tuple(piece for piece in pieces if piece[0] < piece[1])


def refused(refusal: Refusal) -> Done:
    """As the desk shows it."""
    return Done(done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


def note_act(tx: Tx, what: str, actor: Actor | None, one: Row[Any] | None, refusal: Refusal | None) -> None:
    """Who did what about a date stands in the audit log, taken or refused."""
    tx.audit(
        act=what,
        outcome="refuse" if refusal else "allow",
        rule=refusal.rule if refusal else "S12",
        actor=str(actor.person) if actor else "",
        case=one.case if one else None,
        item=one.id if one else None,
    )
