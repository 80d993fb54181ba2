"""Carries an approved change of a regular sitting out: at its time in place, at another as a sitting that takes over.

Who sits there is judged anew. A new time is held before the old is let go, or, where they overlap, in its stead; cut
off anywhere, the same is asked for again. Items come along: their guard in the store measures them by the new start.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.directory import Release, Reserve
from contracts.holding import ModeReason
from contracts.meetings import ItemPlaced
from contracts.message import Compartment, Event
from services.meetings import seating
from services.meetings.called import seat_again
from services.meetings.domain import Gathering
from services.meetings.gathering import room_ref
from services.meetings.handlers import service
from services.meetings.holding_tables import Deciding, change_mode
from services.meetings.proposing_rules import Chosen, seated
from services.meetings.proposing_store import TAKEN_SINCE, carry_entries
from services.meetings.regular_standing import Announced, Standing, announced_of, standing_of
from services.meetings.regular_tables import regular_change
from services.meetings.replanning import announce_anew
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import NoSlot
from services.meetings.seats import cancel_seats, fill_seats, forget_hold, want_invitations
from services.meetings.tables import agenda, item, seat, sitting
from services.service import Tx, Work

MOVED = "日時を変更しました"
GONE = "必須の席に座れる人がいなくなりました: {names}。日時を選び直してください。"


@service.errand(every=1.0)
async def carry_regular(work: Work) -> None:
    """Carry out each approved change of a regular sitting. Raises AskFailed when the directory does not answer."""
    for row in await work.run(_approved):
        await _carry(work, row)


def _approved(tx: Tx) -> list[Row[Any]]:
    wanted = select(regular_change).where(regular_change.c.state == "approved")
    return list(tx.execute(wanted.order_by(regular_change.c.decided_at)))


async def _carry(work: Work, row: Row[Any]) -> None:
    found = await work.run(partial(announced_of, of=row.sitting))
    if isinstance(found, Refusal):
        if found.rule != "C11":  # else the ledger could not be compared: it is tried again
            await work.run(partial(_void, row.id, found.reason + found.next_step))
        return
    standing = await standing_of(work, found)
    gathered = _gathered(row, standing, work)
    if isinstance(gathered, NoSlot):
        await work.run(partial(_void, row.id, gathered.why))
        return
    if not await _held(work, row, found, gathered):
        await work.run(partial(_void, row.id, TAKEN_SINCE))
        return
    key = work.settings.link_key
    if row.starts == found.where.starts:
        await work.run(partial(_in_place, row, gathered, standing, key))
    else:
        await work.tell(partial(_move, row, gathered, standing, key))


def _void(change: UUID, why: str, tx: Tx) -> None:
    mine = regular_change.c.id == change, regular_change.c.state == "approved"
    tx.execute(update(regular_change).where(*mine).values(state="void", void=why))


def _gathered(row: Row[Any], standing: Standing, work: Work) -> Gathering | NoSlot:
    """Who sits there now: each as chosen while he or she may, else a substitute (P1, C3, S6)."""
    table = standing.table
    if isinstance(table, NoSlot):
        return table
    reason = ModeReason(row.mode_reason) if row.mode_reason else None
    persons = tuple((agency, UUID(person)) for agency, _, person in row.seats)
    chosen = Chosen(row.starts, row.ends, row.room, row.mode, reason, persons, row.why)
    staff = standing.diary.staff if work.compartment is Compartment.JUSO else standing.diary.bound(row.starts)
    rows = seated(table, chosen, staff)
    if missing := [each.name for each, _, now in rows if each.need == "required" and now is None]:
        return NoSlot(tuple(missing), GONE.format(names="、".join(dict.fromkeys(missing))))
    seats = seating.one_seat_each((each, now) for each, _, now in rows if now is not None)
    outside = {each.persons[0]: each for each in standing.outside if each.persons and each.persons[0] not in seats}
    where = standing.announced.where
    how: dict[str, Any] = {"room": row.room, "mode": row.mode, "mode_reason": reason}
    body, basis = standing.announced.body, where.basis
    closed = frozenset(each.agency for each in outside.values())
    return Gathering(
        body, basis, row.starts, row.ends, where.regular_on, {**seats, **outside}, row.why, outside=closed, **how
    )


async def _held(work: Work, row: Row[Any], found: Announced, gathered: Gathering) -> bool:
    """Whether everybody's time is held. What was announced keeps its own if the new one cannot be had."""
    where = found.where
    persons = [one for one, each in gathered.seats.items() if each.agency not in gathered.outside]
    rooms = [room_ref(work.profile, gathered.room)] if gathered.room else []
    same = row.starts == where.starts
    hold = Reserve(
        hold=where.id if same else row.becomes, persons=(*persons, *rooms), starts=row.starts, ends=row.ends, firm=False
    )
    overlaps = not same and row.starts < where.ends and where.starts < row.ends
    if overlaps:
        await work.ask(Release(hold=where.id))
    if not (await work.ask(hold)).clashes:
        return True
    if overlaps:
        before = (one.person for one in found.seats)
        old = [room_ref(work.profile, where.room)] if where.room else []
        again = Reserve(hold=where.id, persons=(*before, *old), starts=where.starts, ends=where.ends, firm=True)
        await work.ask(again)
    return False


def _known(found: Announced) -> tuple[Any, ...]:
    """What a change rests on: items with their consents, commissions, and who sits there."""
    return (
        [one.id for one in found.items],
        found.known.heads,
        found.known.bonds,
        [(one.person, one.answer) for one in found.seats],
    )


def _done(change: UUID, tx: Tx) -> bool:
    mine = regular_change.c.id == change, regular_change.c.state == "approved"
    return bool(tx.execute(update(regular_change).where(*mine).values(state="done")).rowcount)


def _in_place(row: Row[Any], gathered: Gathering, standing: Standing, link_key: bytes, tx: Tx) -> None:
    """The time stays: who is new gets a seat, who is gone a cancellation; of another place everybody is told."""
    now = announced_of(tx, row.sitting)
    if isinstance(now, Refusal) or _known(now) != _known(standing.announced) or not _done(row.id, tx):
        return
    where = tx.execute(select(sitting).where(sitting.c.id == row.sitting)).one()
    live = select(seat.c.person).where(seat.c.sitting == where.id, seat.c.cancelled_at.is_(None))
    before = set(tx.execute(live).scalars())
    coming = [one for one, each in gathered.seats.items() if each.agency not in gathered.outside]
    if gone := sorted(before - set(coming), key=str):
        cancel_seats(tx, where.id, gone)
    again = seat.c.sitting == where.id, seat.c.person.in_(coming), seat.c.cancelled_at.is_not(None)
    tx.execute(update(seat).where(*again).values(cancelled_at=None, answer="none", answered_at=None, answered_by=None))
    fill_seats(tx, where.id, gathered, standing.diary.bonds)
    tx.execute(update(sitting).where(sitting.c.id == where.id).values(room=gathered.room))
    if where.mode != row.mode:
        decided = Deciding(row.decision, row.decided_by, row.decided_for)
        change_mode(tx, where, row.mode, gathered.mode_reason or ModeReason.OVER, decided)
    if (where.room, where.mode) != (gathered.room, row.mode):
        announce_anew(tx, where.id, link_key)
    seat_again(tx, where.id)
    want_invitations(tx, where.id, link_key)


def _move(row: Row[Any], gathered: Gathering, standing: Standing, link_key: bytes, tx: Tx) -> Iterable[Event]:
    """Another sitting takes over the named date, the items and the entries in calendars; the old one is let go."""
    now = announced_of(tx, row.sitting)
    if isinstance(now, Refusal) or _known(now) != _known(standing.announced) or not _done(row.id, tx):
        return ()  # what it rests on has changed since it was looked up: the errand looks again
    old = tx.execute(select(sitting).where(sitting.c.id == row.sitting)).one()
    over = {"cancelled_at": tx.now, "regular_on": None, "moved_to": row.becomes, "why": f"{old.why}。{MOVED}"}
    tx.execute(update(sitting).where(sitting.c.id == old.id).values(over))
    values = {name: getattr(old, name) for name in ("compartment", "body", "basis", "regular_on", "own_item")}
    values |= {"id": row.becomes, "starts": row.starts, "ends": row.ends, "place": row.place, "room": row.room}
    values |= {"mode": old.mode, "mode_reason": old.mode_reason, "fixed": True, "why": f"{old.why}。{MOVED}。{row.why}"}
    tx.execute(insert(sitting).values(values))
    fill_seats(tx, row.becomes, gathered, standing.diary.bonds)
    new = tx.execute(select(sitting).where(sitting.c.id == row.becomes)).one()
    if new.mode != row.mode:
        decided = Deciding(row.decision, row.decided_by, row.decided_for)
        change_mode(tx, new, row.mode, gathered.mode_reason or ModeReason.OVER, decided)
    tx.execute(update(agenda).where(agenda.c.sitting == old.id).values(sitting=row.becomes))
    carry_entries(tx, old.id, row.becomes)
    forget_hold(tx, old.id)
    seat_again(tx, row.becomes)  # who is called now, not when the change was proposed
    want_invitations(tx, row.becomes, link_key)
    return [_placed(tx, one, new) for one in standing.announced.items]


def _placed(tx: Tx, one: Row[Any], where: Row[Any]) -> ItemPlaced:
    counted = update(item).where(item.c.id == one.id).values(version=item.c.version + 1)
    version = tx.execute(counted.returning(item.c.version)).scalar_one()
    facts: Mapping[str, Any] = {name: getattr(where, name) for name in ("body", "basis", "starts", "ends")}
    return ItemPlaced(about=one.id, version=version, case=one.case, sitting=where.id, **facts)
