"""Takes away what has lost its ground: items off agendas, seats, sittings. Nothing moves to shien by itself (C11)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from contracts.meetings import ItemUnplaced
from contracts.message import Compartment, Event
from contracts.preparing import RosterAccepted
from contracts.running import Proceeding
from services import sharing
from services.meetings import grounds, minutes, seating
from services.meetings.called import close_uncalled, seat_again
from services.meetings.having_part import has_part
from services.meetings.proposing_store import forget_dates
from services.meetings.running import fold
from services.meetings.running_tables import proceeding
from services.meetings.scheduling import Need
from services.meetings.seats import cancel_seats, cancel_sitting, forget_hold
from services.meetings.tables import agenda, consents, item, notice, seat, sitting
from services.service import Tx
from services.sharing import Head

EMPTY = "議題がなくなったため、取り消しました"
NOT_COVERED = "同意の範囲から外れたため取り消した機関"
NOT_BOUND = "委嘱がなくなったため取り消した機関"
TAKEN_BACK = "付議が取り下げられました。"
STRUCK = "名簿から外した機関"
NEW_ROSTER = "出席する機関が変わったため、日程を組み直します。"
CALL_ANEW = "必須の機関の委嘱がなくなったため、日程を組み直します。"


def follow_consent(tx: Tx, case: UUID, searching: str) -> list[Event]:
    """Bring the case's items into line with the newest version: stopped, or waiting again with ``searching`` (C11).

    What a sitting that is over has heard stays on record. Returns what coordination is to be told.
    """
    rows = tx.execute(
        select(item, sitting.c.id.label("sitting"), sitting.c.starts, sitting.c.ends)
        .outerjoin(agenda, agenda.c.item == item.c.id)
        .outerjoin(sitting, sitting.c.id == agenda.c.sitting)
        .where(item.c.case == case)
    ).all()
    done = _recorded(tx, [one.id for one in rows])
    coming = [one for one in rows if one.sitting is None or (one.ends > tx.now and (one.id, one.sitting) not in done)]
    head = sharing.heads(consents, tx, [case]).get(case) if coming else None
    events: list[Event] = []
    for one in coming:
        if one.state == "withdrawn":
            continue
        if refusal := _refusal(tx, one, head):
            events += _stop(tx, one.id, refusal)
        elif one.state in ("stopped", "waiting"):
            again = {"state": "waiting", "next_try": tx.now, "why": searching}
            tx.execute(update(item).where(item.c.id == one.id).values(again))
    for sitting_id in {one.sitting for one in coming if one.sitting}:
        events += settle(tx, sitting_id)
    return events


def _refusal(tx: Tx, one: Row[Any], head: Head | None) -> str:
    """Why the item may not stay where it is: closed to everybody, or to an agency that has to be there (C3, P1)."""
    moments = (tx.now, max(tx.now, one.starts)) if one.sitting else (tx.now,)
    decision = grounds.opened_to_any(one, head, moments)
    if not decision.allowed:
        return decision.reason + decision.next_step
    required = seat.c.sitting == one.sitting, seat.c.need == "required"
    agencies = tx.execute(select(seat.c.agency).where(*required)).scalars().all() if one.sitting else ()
    refused = [code for code, found in grounds.open_to(one, head, agencies, moments).items() if not found.allowed]
    names = [seating.agency_name(tx.profile, code) for code in refused]
    return seating.without_required(names) if names else ""


def _stop(tx: Tx, item_id: UUID, why: str, state: str = "stopped") -> list[Event]:
    told = _let_go(tx, [item_id], again=False) if state == "stopped" else []  # coordination withdrew it: it knows
    tx.execute(delete(agenda).where(agenda.c.item == item_id))
    tx.execute(update(item).where(item.c.id == item_id).values(state=state, why=why))
    forget_dates(tx, item_id, why)
    return told


def _let_go(tx: Tx, items: Sequence[UUID], *, again: bool) -> list[Event]:
    """What tells coordination that these have lost the date it was told of; one still being placed has none."""
    rows = tx.execute(
        select(item.c.id, item.c.case, agenda.c.sitting)
        .join(agenda, agenda.c.item == item.c.id)
        .where(item.c.id.in_(items), item.c.state == "placed")
        .order_by(agenda.c.sitting, agenda.c.position)
    ).all()
    counted = update(item).values(version=item.c.version + 1).returning(item.c.version)
    return [
        ItemUnplaced(
            about=one.id,
            version=tx.execute(counted.where(item.c.id == one.id)).scalar_one(),
            case=one.case,
            sitting=one.sitting,
            again=again,
        )
        for one in rows
    ]


def take_back(tx: Tx, item_id: UUID) -> list[Event]:
    """Take an item off for good, but for a sitting that is over: that it was heard there stays on record."""
    on_it = select(sitting.c.id, sitting.c.ends).join(agenda, agenda.c.sitting == sitting.c.id)
    found = tx.execute(on_it.where(agenda.c.item == item_id)).first()
    over = found is not None and (found.ends <= tx.now or (item_id, found.id) in _recorded(tx, [item_id]))
    if not over:
        _stop(tx, item_id, TAKEN_BACK, "withdrawn")
    return settle(tx, found.id) if found is not None and not over else []


def _recorded(tx: Tx, items: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """(item, sitting) of which a result is in the minutes already, though the sitting may still go on."""
    done = proceeding.c.item.in_(items), proceeding.c.what == Proceeding.RECORD
    return {tuple(row) for row in tx.execute(select(proceeding.c.item, proceeding.c.sitting).where(*done))}


def take_off_closed(tx: Tx, sitting_id: UUID) -> list[Event]:
    """At 開会: derive anew who may hear what. An item that nothing opens any more is off, a seat without ground closed.

    What was told of a withdrawal has done so already; a consent that ran out, or a commission, tells nobody (C11, S6).
    """
    events: list[Event] = []
    on_it = select(item, sitting.c.id.label("sitting"), sitting.c.starts).join(agenda, agenda.c.item == item.c.id)
    rows = tx.execute(on_it.join(sitting, sitting.c.id == agenda.c.sitting).where(sitting.c.id == sitting_id)).all()
    if tx.here is Compartment.JUSO:
        heads = sharing.heads(consents, tx, {one.case for one in rows})
        for one in rows:
            if refusal := _refusal(tx, one, heads.get(one.case)):
                events += _stop(tx, one.id, refusal)
    return [*events, *settle(tx, sitting_id)]


def carry_over(tx: Tx, where: Row[Any], items: Sequence[UUID], why: str) -> list[Event]:
    """Send what was not heard on to the next sitting that may hear it (P1). The sitting itself stays on record.

    One that was called for an item of its own is over with it: the item gets another.
    """
    told = _let_go(tx, items, again=True)
    tx.execute(delete(agenda).where(agenda.c.item.in_(items), agenda.c.sitting == where.id))
    tx.execute(update(item).where(item.c.id.in_(items)).values(state="waiting", next_try=tx.now, why=why))
    if where.own_item in items:
        over = {"cancelled_at": tx.now, "why": f"{where.why}。{why}"}
        tx.execute(update(sitting).where(sitting.c.id == where.id).values(over))
    return told


def settle(tx: Tx, sitting_id: UUID) -> list[Event]:
    """Cancel each seat of a coming sitting to which no item on its agenda is open, and the sitting if none is left.

    Returns what coordination is to be told of items that look for another date.
    """
    events: list[Event] = []
    where = tx.execute(select(sitting).where(sitting.c.id == sitting_id)).one()
    on_it = select(item).join(agenda, agenda.c.item == item.c.id).where(agenda.c.sitting == sitting_id)
    items = tx.execute(on_it).all()
    if not items:
        cancel_sitting(tx, where, EMPTY)
        return events
    live = seat.c.sitting == sitting_id, seat.c.cancelled_at.is_(None)
    seats = tx.execute(select(seat).where(*live).order_by(seat.c.agency, seat.c.person)).all()
    closed = _closed(tx, where, items, seats)
    if tx.here is Compartment.SHIEN and any(one.need == "required" for one in closed):
        events += call_anew(tx, where, items)
    elif closed:
        cancel_seats(tx, sitting_id, [one.person for one in closed])
        names = dict.fromkeys(seating.agency_name(tx.profile, one.agency) for one in closed)
        reason = NOT_COVERED if tx.here is Compartment.JUSO else NOT_BOUND
        why = f"{where.why}。{reason}: {'、'.join(names)}"
        tx.execute(update(sitting).where(sitting.c.id == sitting_id).values(why=why))
    close_uncalled(tx, where)
    if where.regular_on is not None:
        seat_again(tx, sitting_id)
    still = notice.c.sitting == sitting_id, notice.c.state == "wanted", notice.c.due > tx.now
    tx.execute(update(notice).where(*still).values(due=tx.now))
    return events


def _closed(tx: Tx, where: Row[Any], items: Sequence[Row[Any]], seats: Sequence[Row[Any]]) -> list[Row[Any]]:
    moments = tx.now, max(tx.now, where.starts)
    if tx.here is Compartment.SHIEN:
        running = {bond.commission for bond in grounds.bonds(tx) if bond.period.contains(moments[1])}
        return [one for one in seats if one.commission not in running]
    heads = sharing.heads(consents, tx, {one.case for one in items})
    agencies = {one.agency for one in seats}
    room = fold(minutes.done_of(row) for row in minutes.acts_of(where.id, tx))  # a 臨時構成員 may be admitted already
    opened = {
        code
        for one in items
        for code, found in grounds.open_to(one, heads.get(one.case), agencies, moments).items()
        if found.allowed and has_part(tx, where, code, one, room)
    }
    return [one for one in seats if one.agency not in opened]


def follow_roster(tx: Tx, told: RosterAccepted) -> list[Event]:
    """Call whom the accepted roster names (P5): whoever it strikes loses the seat, for new ones a date is looked for.

    A regular sitting keeps its date and standing members. What a sitting that is over has heard stays on record.
    """
    one = tx.execute(
        select(item, sitting.c.id.label("sitting"), sitting.c.regular_on, sitting.c.ends)
        .outerjoin(agenda, agenda.c.item == item.c.id)
        .outerjoin(sitting, sitting.c.id == agenda.c.sitting)
        .where(item.c.id == told.about)
    ).one()
    if one.state == "withdrawn" or (one.sitting and one.ends <= tx.now):
        return []
    before = seating.called_for(one.agencies, one.required, one.optional)
    parts = ("agencies", "required", "optional")
    values: dict[str, Any] = {part: list(getattr(told, part)) for part in parts}
    tx.execute(update(item).where(item.c.id == one.id).values(values))
    if one.sitting is None:
        mine = item.c.id == one.id, item.c.state == "waiting"
        tx.execute(update(item).where(*mine).values(next_try=tx.now))
    elif one.regular_on is None:
        return _seat_anew(tx, one, before, seating.called_for(told.agencies, told.required, told.optional))
    else:
        close_uncalled(tx, tx.execute(select(sitting).where(sitting.c.id == one.sitting)).one())
        seat_again(tx, one.sitting)
    return []


def _seat_anew(tx: Tx, one: Row[Any], before: Mapping[str, Need], after: Mapping[str, Need]) -> list[Event]:
    where = tx.execute(select(sitting).where(sitting.c.id == one.sitting)).one()
    body = next((body for body in tx.profile.bodies if body.code == where.body), None)
    standing = {seat.agency for seat in seating.standing_seats(tx.profile, body, tx.here, ())} if body else set()
    wanted = {code: need for code, need in after.items() if code not in standing}
    if one.state != "placed" or any(before.get(code) != need for code, need in wanted.items()):
        return call_anew(tx, where, [one], NEW_ROSTER)
    gone = sorted(set(before) - set(after) - standing)
    live = seat.c.sitting == where.id, seat.c.cancelled_at.is_(None), seat.c.agency.in_(gone)
    if persons := tx.execute(select(seat.c.person).where(*live)).scalars().all():
        cancel_seats(tx, where.id, persons)
        names = "、".join(seating.agency_name(tx.profile, code) for code in gone)
        tx.execute(update(sitting).where(sitting.c.id == where.id).values(why=f"{where.why}。{STRUCK}: {names}"))
    return []


def call_anew(tx: Tx, where: Row[Any], items: Sequence[Row[Any]], why: str = CALL_ANEW) -> list[Event]:
    """Without whoever has to be there it is no 支援会議 (S1): its items look for another date."""
    mine = item.c.id.in_([one.id for one in items])
    told = _let_go(tx, [one.id for one in items], again=True)
    tx.execute(delete(agenda).where(agenda.c.sitting == where.id))
    tx.execute(update(item).where(mine).values(state="waiting", next_try=tx.now, why=why))
    cancel_sitting(tx, where, why.rstrip("。"))
    return told


def make_way(tx: Tx, where: Row[Any], about: UUID, why: str) -> list[Event]:
    """Another date takes the place of an announced 随時 sitting: the item looks for it, the hold goes back.

    Nobody is told yet: whoever sits in both gets an update, the others a cancellation, when the new date stands
    (proposing_store.carried_out) or cannot stand (void).
    """
    told = _let_go(tx, [about], again=True)
    tx.execute(delete(agenda).where(agenda.c.sitting == where.id))
    tx.execute(update(item).where(item.c.id == about).values(state="waiting", next_try=tx.now, why=why))
    forget_hold(tx, where.id)
    tx.execute(update(sitting).where(sitting.c.id == where.id).values(cancelled_at=tx.now, why=f"{where.why}。{why}"))
    return told


def without_commission(tx: Tx) -> list[UUID]:
    """The coming sittings with a seat whose commission has ended, or will have when the sitting starts (S6)."""
    ends = {bond.commission: bond.period.ends for bond in grounds.bonds(tx)}
    coming = (
        select(seat.c.sitting, seat.c.commission, sitting.c.starts)
        .join(sitting, sitting.c.id == seat.c.sitting)
        .where(seat.c.cancelled_at.is_(None), sitting.c.ends > tx.now, seat.c.commission.is_not(None))
    )
    rows = tx.execute(coming).all()
    return sorted({row.sitting for row in rows if row.commission not in ends or ends[row.commission] <= row.starts})
