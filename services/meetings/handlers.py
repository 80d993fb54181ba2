"""Items come in, answers come in, the desk looks: what meetings does within one transaction."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, func, insert, or_, select, update

from contracts.coordination import ItemPutForward
from contracts.directory import Busy, Release, Reserve, Staff
from contracts.meetings import (
    AnswerByLink,
    ItemPlaced,
    ItemSittings,
    ItemView,
    LinkState,
    LookAtLink,
    SeatView,
    SittingList,
    Sittings,
    SittingView,
    WaitingView,
)
from contracts.message import Event
from contracts.notify import SendCancellation, SendInvitation
from services.meetings.domain import link_digest
from services.meetings.tables import agenda, item, link, notice, seat, sitting, tables
from services.service import Service, Tx

service = Service(
    "meetings",
    tables,
    compartments=True,
    publishes=frozenset({ItemPlaced}),
    asks=frozenset({Staff, Busy, Reserve, Release, SendInvitation, SendCancellation}),
)

SEARCHING = "日時を探しています。"
HOLDING = "日時を確保しています。"
"""Why an item waits whose date is found, but not yet held by the directory."""


@service.on(ItemPutForward)
def take_up_item(told: ItemPutForward, tx: Tx) -> Iterable[Event]:
    """An item waits for its sitting from now on. Told twice, it waits once."""
    if tx.execute(select(item.c.id).where(item.c.id == told.about)).first() is None:
        facts = told.model_dump(include={"case", "purpose", "urgent", "received_on", "agencies", "only_agencies"})
        tx.execute(
            insert(item).values(
                id=told.about,
                compartment=tx.here,
                since=tx.now,
                state="waiting",
                next_try=tx.now,
                why=SEARCHING,
                **facts,
            )
        )
    return ()


@service.answers(LookAtLink)
def look_at_link(asked: LookAtLink, tx: Tx) -> LinkState:
    """What the link shows."""
    return _link_state(_seat_of(asked.link, tx))


@service.does(AnswerByLink)
def answer_by_link(asked: AnswerByLink, tx: Tx) -> tuple[LinkState, Iterable[Event]]:
    """Keep the answer. Once the sitting has started it stays what it was."""
    found = _seat_of(asked.link, tx)
    if found is not None and found.answer != asked.answer and tx.now < found.starts:
        own = (seat.c.sitting == found.sitting, seat.c.person == found.person)
        tx.execute(update(seat).where(*own).values(answer=asked.answer, answered_at=tx.now))
        found = _seat_of(asked.link, tx)
    return _link_state(found), ()


def _seat_of(token: str, tx: Tx) -> Row[Any] | None:
    wanted = (
        select(seat, sitting.c.starts, sitting.c.ends, sitting.c.place)
        .join(link, (link.c.sitting == seat.c.sitting) & (link.c.person == seat.c.person))
        .join(sitting, sitting.c.id == seat.c.sitting)
        .where(link.c.digest == link_digest(token))
    )
    return tx.execute(wanted).first()


def _link_state(found: Row[Any] | None) -> LinkState:
    if found is None:
        return LinkState(found=False)
    return LinkState(found=True, starts=found.starts, ends=found.ends, place=found.place, answer=found.answer)


@service.answers(Sittings)
def sittings_between(asked: Sittings, tx: Tx) -> SittingList:
    """The fixed sittings that start in the time asked for, and every item that waits."""
    within = (sitting.c.starts >= asked.starts) & (sitting.c.starts < asked.ends)
    return SittingList(sittings=_sittings(within, tx), waiting=_waiting(item.c.state != "placed", tx))


@service.answers(ItemSittings)
def sittings_of_case(asked: ItemSittings, tx: Tx) -> SittingList:
    """The fixed sittings with an item of this case, and its items that wait."""
    of_case = select(agenda.c.sitting).join(item, item.c.id == agenda.c.item).where(item.c.case == asked.case)
    waiting = _waiting((item.c.case == asked.case) & (item.c.state != "placed"), tx)
    return SittingList(sittings=_sittings(sitting.c.id.in_(of_case), tx), waiting=waiting)


def _sittings(which: ColumnElement[bool], tx: Tx) -> tuple[SittingView, ...]:
    shown = which & sitting.c.fixed
    items, seats = _items(shown, tx), _seats(shown, tx)
    return tuple(
        SittingView(
            sitting=row.id,
            body=row.body,
            basis=row.basis,
            starts=row.starts,
            ends=row.ends,
            place=row.place,
            regular=row.regular_on is not None,
            why=row.why,
            items=tuple(items[row.id]),
            seats=tuple(seats[row.id]),
        )
        for row in tx.execute(select(sitting).where(shown).order_by(sitting.c.starts, sitting.c.id))
    )


def _items(shown: ColumnElement[bool], tx: Tx) -> dict[UUID, list[ItemView]]:
    """The agendas in order. An item still being placed is not on one yet."""
    rows = tx.execute(
        select(agenda.c.sitting, agenda.c.position, item)
        .join(item, item.c.id == agenda.c.item)
        .join(sitting, sitting.c.id == agenda.c.sitting)
        .where(shown, item.c.state == "placed")
        .order_by(agenda.c.position)
    )
    items: dict[UUID, list[ItemView]] = defaultdict(list)
    for row in rows:
        view = ItemView(item=row.id, case=row.case, purpose=row.purpose, urgent=row.urgent, order=row.position)
        items[row.sitting].append(view)
    return items


def _seats(shown: ColumnElement[bool], tx: Tx) -> dict[UUID, list[SeatView]]:
    """Required seats first. Every seat of a fixed sitting has its notice (placing.fix)."""
    rows = tx.execute(
        select(seat, notice.c.state.label("notice"))
        .join(notice, (notice.c.sitting == seat.c.sitting) & (notice.c.person == seat.c.person))
        .join(sitting, sitting.c.id == seat.c.sitting)
        .where(shown)
        .order_by(case({"required": 0, "expected": 1}, value=seat.c.need, else_=2), seat.c.agency, seat.c.person)
    )
    seats: dict[UUID, list[SeatView]] = defaultdict(list)
    for row in rows:
        view = SeatView(
            person=row.person,
            agency=row.agency,
            need=row.need,
            answer=row.answer,
            answered_at=row.answered_at,
            notice="waiting" if row.notice == "wanted" else row.notice,
        )
        seats[row.sitting].append(view)
    return seats


def _waiting(which: ColumnElement[bool], tx: Tx) -> tuple[WaitingView, ...]:
    rows = tx.execute(select(item).where(which).order_by(item.c.urgent.desc(), item.c.since, item.c.id))
    return tuple(
        WaitingView(
            item=row.id,
            case=row.case,
            urgent=row.urgent,
            since=row.since,
            why=HOLDING if row.state == "reserving" else row.why,
        )
        for row in rows
    )


def tally(tx: Tx) -> dict[str, int]:
    """What there is, for the pulse."""
    regular, answered = sitting.c.regular_on.is_not(None), seat.c.answer != "none"
    count = func.count
    of_sittings = select(
        count().filter(regular).label("sittings_regular"),
        count().filter(~regular).label("sittings_adhoc"),
        count().label("sittings"),
    ).where(sitting.c.fixed)
    of_seats = (
        select(
            count().label("seats"),
            count().filter(answered).label("answers"),
            count().filter(seat.c.answer == "attend").label("attend"),
            count().filter(seat.c.answer == "absent").label("absent"),
        )
        .join(sitting, sitting.c.id == seat.c.sitting)
        .where(sitting.c.fixed)
    )
    of_items = select(count(item.c.id).label("items"))
    of_notices = select(count(notice.c.id).label("invitations")).where(notice.c.state == "sent")
    counted = [tx.execute(one).mappings().one() for one in (of_items, of_sittings, of_notices, of_seats)]
    return {name: number for one in counted for name, number in one.items()}


def undone(tx: Tx) -> int:
    """What is still to be done: notices not yet sent, items not yet placed. An item for which there is no date,
    and which says why, waits for time and not for us until it is looked at again."""
    told_why = item.c.why.not_in(("", SEARCHING, HOLDING)) & (item.c.next_try > tx.now)
    to_place = or_(item.c.state == "reserving", (item.c.state == "waiting") & ~told_why)
    items = tx.connection.scalar(select(func.count(item.c.id)).where(to_place)) or 0
    return items + (tx.connection.scalar(select(func.count(notice.c.id)).where(notice.c.state == "wanted")) or 0)


service.tally, service.undone = tally, undone
