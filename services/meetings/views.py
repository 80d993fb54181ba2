"""What the desk of the compartment may see: sittings with agenda and seats, and items that wait or were stopped."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, or_, select

from contracts.meetings import (
    ItemSittings,
    ItemView,
    SeatView,
    SittingList,
    Sittings,
    SittingView,
    WaitingView,
)
from contracts.message import Compartment
from contracts.running import Proceeding
from services import sharing
from services.meetings import grounds
from services.meetings.handlers import HOLDING, service
from services.meetings.having_part import for_all
from services.meetings.mailed import waiting_replies
from services.meetings.regular_rules import not_met_on
from services.meetings.replanning_rules import Held, broken
from services.meetings.running_tables import proceeding
from services.meetings.scheduling import TOKYO
from services.meetings.tables import agenda, consents, item, notice, seat, sitting
from services.service import Tx

BY_HAND: Mapping[str, Literal["phone", "letter"]] = {"by_phone": "phone", "by_letter": "letter"}
"""What notify says of whom no machine tells."""
WAITING = ("waiting", "reserving", "stopped")
"""Named, not what they are not: what was placed and heard in all these years is not looked through."""


@service.answers(Sittings)
def sittings_between(asked: Sittings, tx: Tx) -> SittingList:
    """The fixed sittings that start in the time asked for, and every item that waits or was stopped."""
    within = (sitting.c.starts >= asked.starts) & (sitting.c.starts < asked.ends)
    return SittingList(sittings=_sittings(within, tx), waiting=_waiting(item.c.state.in_(WAITING), tx))


@service.answers(ItemSittings)
def sittings_of_case(asked: ItemSittings, tx: Tx) -> SittingList:
    """The fixed sittings with an item of this case or cancelled with it, and its items that wait or were stopped."""
    mine = item.c.case == asked.case
    on_agenda = select(agenda.c.sitting).join(item, item.c.id == agenda.c.item).where(mine)
    own = select(sitting.c.id).join(item, item.c.id == sitting.c.own_item).where(mine)
    waiting = _waiting((item.c.case == asked.case) & item.c.state.in_(WAITING), tx)
    return SittingList(sittings=_sittings(sitting.c.id.in_(on_agenda.union(own)), tx), waiting=waiting)


def _sittings(which: ColumnElement[bool], tx: Tx) -> tuple[SittingView, ...]:
    told_off = select(notice.c.id).where(notice.c.sitting == sitting.c.id, notice.c.kind == "cancellation").exists()
    shown = which & sitting.c.fixed & (sitting.c.cancelled_at.is_(None) | told_off)
    rows = tx.execute(select(sitting).where(shown).order_by(sitting.c.starts, sitting.c.id)).all()
    found = [row.id for row in rows]
    seats = _seats(found, tx) if found else {}
    items = _items(found, seats, tx) if found else {}
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
            room=row.room,
            mode=row.mode,
            mode_reason=row.mode_reason,
            broken=_broken(row, seats[row.id], tx),
        )
        for row in rows
    )


def _broken(row: Row[Any], seats: Iterable[SeatView], tx: Tx) -> tuple[str, ...]:
    """What a coming regular sitting no longer keeps, but for required seats, which the desk tells by themselves."""
    body = tx.profile.body(row.body) if row.regular_on is not None and row.starts > tx.now else None
    if body is None or row.cancelled_at is not None:
        return ()
    live = [one for one in seats if not one.cancelled]
    kinds = {one.code: one.kind for one in tx.profile.agencies}
    held = [Held(one.agency, one.agency, "optional", one.answer == "absent") for one in live]
    closed = not_met_on(tx.profile, body, row.starts.astimezone(TOKYO).date())
    said: tuple[str, ...] = (f"開催日が会議を開かない日になりました({closed})",) if closed else ()
    return said + (broken(held, body.quorum, kinds) if any(one.absent for one in held) else ())


def _items(sittings: Sequence[UUID], seats: Mapping[UUID, list[SeatView]], tx: Tx) -> dict[UUID, list[ItemView]]:
    """The agendas in order. An item still being placed is not on one yet."""
    rows = tx.execute(
        select(agenda.c.sitting, agenda.c.position, sitting.c.starts, sitting.c.ends, item)
        .join(item, item.c.id == agenda.c.item)
        .join(sitting, sitting.c.id == agenda.c.sitting)
        .where(agenda.c.sitting.in_(sittings))
        .order_by(agenda.c.position)
    ).all()
    rows = [row for row in rows if row.state == "placed"]  # asked for, SQLite would begin with all ever placed
    coming = {row.case for row in rows if row.ends > tx.now} if tx.here is Compartment.JUSO else set()
    heads = sharing.heads(consents, tx, coming) if coming else {}
    partly = {found: dict.fromkeys(one.agency for one in of if one.partly) for found, of in seats.items()}
    items: dict[UUID, list[ItemView]] = defaultdict(list)
    for row in rows:
        live = (one for one in seats[row.sitting] if not one.cancelled)
        # Whoever comes for another item alone leaves without having been there: it is not listed with this one (P5).
        here = dict.fromkeys(one.agency for one in live if not one.partly or one.agency in row.agencies)
        view = ItemView(
            item=row.id,
            case=row.case,
            purpose=row.purpose,
            urgent=row.urgent,
            order=row.position,
            calls=tuple(code for code in partly.get(row.sitting, ()) if code in row.agencies),
            without=_leaving(row, heads.get(row.case), here, tx) if row.case in coming else (),
        )
        items[row.sitting].append(view)
    return items


def _leaving(one: Row[Any], head: sharing.Head | None, agencies: Iterable[str], tx: Tx) -> tuple[str, ...]:
    """Who sits there and leaves the room for this item (M6)."""
    decisions = grounds.open_to(one, head, agencies, (tx.now, max(tx.now, one.starts)))
    return tuple(agency for agency, decision in decisions.items() if not decision.allowed)


def _seats(sittings: Sequence[UUID], tx: Tx) -> dict[UUID, list[SeatView]]:
    """Required seats first. Of those without a ground only the ones that somebody was invited to."""
    later = notice.alias()
    last = (
        ~select(later.c.id)
        .where(
            later.c.sitting == notice.c.sitting,
            later.c.person == notice.c.person,
            later.c.sequence > notice.c.sequence,
        )
        .exists()
    )
    told_off = (notice.c.kind == "cancellation") & (notice.c.why != "never_invited")
    rows = tx.execute(
        select(seat, notice.c.state.label("notice"), notice.c.tries, notice.c.why, notice.c.delivery)
        .join(notice, (notice.c.sitting == seat.c.sitting) & (notice.c.person == seat.c.person))
        .where(seat.c.sitting.in_(sittings), last, or_(seat.c.cancelled_at.is_(None), told_off))
        .order_by(case({"required": 0, "expected": 1}, value=seat.c.need, else_=2), seat.c.agency, seat.c.person)
    )
    held = {one.id: one for one in tx.execute(select(sitting).where(sitting.c.id.in_(sittings)))}
    always = {found: for_all(tx, one) for found, one in held.items()}
    acts = select(proceeding).where(proceeding.c.sitting.in_(sittings), proceeding.c.what == Proceeding.ADMIT)
    let_in = {(row.sitting, row.codes["move"].get("person")) for row in tx.execute(acts)}
    seats: dict[UUID, list[SeatView]] = defaultdict(list)
    replies = waiting_replies(sittings, tx)
    for row in rows:
        view = SeatView(
            person=row.person,
            agency=row.agency,
            need=row.need,
            answer=row.answer,
            answered_at=row.answered_at,
            notice="waiting" if row.notice == "wanted" else row.notice,
            **_mailed(row, replies.get((row.sitting, row.person))),
            cancelled=row.cancelled_at is not None,
            by_hand=BY_HAND.get(row.why, ""),
            partly=_is_partly(row, always[row.sitting]) and (row.sitting, str(row.person)) not in let_in,
        )
        seats[row.sitting].append(view)
    return seats


def _is_partly(row: Row[Any], always: frozenset[str] | None) -> bool:
    return always is not None and row.agency not in always


def _mailed(row: Row[Any], reply: Row[Any] | None) -> dict[str, Any]:
    """How far the seat's newest notice got, and what came back that is no answer. No address stands in either."""
    if row.answer != "none" and row.cancelled_at is None:
        delivery = "answered"
    elif row.notice == "wanted":
        delivery = "retrying" if row.tries else "waiting"
    else:
        delivery = row.delivery or ("accepted" if row.notice == "sent" else "not_sent")
    found: dict[str, Any] = {"delivery": delivery, "why": "" if row.notice == "sent" else row.why}
    if reply is None or (row.answered_at is not None and row.answered_at >= reply.came_at):
        return found
    return found | {"mail": reply.said, "wish_starts": reply.wish_starts, "wish_ends": reply.wish_ends}


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
