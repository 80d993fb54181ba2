"""Changes an announced sitting with as little as possible: a seat, its room, or a whole day that goes online.

Where the time stays, so does the sitting: only whoever is new, gone, or told of another place gets a mail. Another time
is another sitting (proposing_store.carried_out).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.directory import Reserve
from contracts.holding import Mode, ModeReason
from contracts.links import new_link
from contracts.proposing import DayMoved, MoveDay
from services.meetings import domain
from services.meetings.arranging import actor_of, note_act, without_hold
from services.meetings.conducting import may_run
from services.meetings.domain import Gathering
from services.meetings.gathering import room_ref
from services.meetings.grounds import Bond
from services.meetings.handlers import service
from services.meetings.holding_rules import NO_REASON
from services.meetings.holding_tables import Deciding, change_mode
from services.meetings.placing import look_around_for
from services.meetings.polls_tables import day_move, proposal
from services.meetings.proposing_carrying import carry_out, chosen_of
from services.meetings.proposing_store import TAKEN_SINCE
from services.meetings.running_rules import Refusal
from services.meetings.running_tables import proceeding
from services.meetings.scheduling import TOKYO, NoSlot
from services.meetings.seats import cancel_seats, fill_seats, want_invitations
from services.meetings.tables import link, notice, seat, sitting
from services.service import Tx, Work

NOBODY = Refusal("S1", "だれが行うかが分かりません。", "サインインし直してください。")
REPEATED = Refusal("M12", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、選び直してください。")
OVER = Refusal("M12", "過ぎた日は切り替えられません。", "これからの日を選んでください。")


@service.errand(every=1.0)
async def carry_changes(work: Work) -> None:
    """Carry out each approved change that keeps its sitting's time. Cut off anywhere, it asks for the same hold again.

    Raises AskFailed when the directory does not answer: everything stays as it is and is tried again.
    """
    for row in await work.run(_approved):
        await _carry(work, row)


def _approved(tx: Tx) -> list[Row[Any]]:
    same = sitting.c.starts == proposal.c.starts, sitting.c.cancelled_at.is_(None), sitting.c.fixed
    wanted = select(proposal).join(sitting, sitting.c.id == proposal.c.instead_of)
    return list(tx.execute(wanted.where(proposal.c.state == "approved", *same).order_by(proposal.c.decided_at)))


async def _carry(work: Work, row: Row[Any]) -> None:
    found = await look_around_for(work, row.item)
    if found is None or work.compartment is None:
        return
    one, diary = found
    held = await work.run(partial(_held, row.instead_of))
    diary = replace(diary, busy=without_hold(diary.busy, held, (row.starts, row.ends)))
    adhoc = diary.way(one).adhoc
    gathered = (
        carry_out(work.profile, work.compartment, one, adhoc, diary, chosen_of(row), work.now())
        if adhoc
        else NoSlot((), TAKEN_SINCE)
    )
    if isinstance(gathered, NoSlot):
        why = gathered.why
        await work.run(lambda tx: _void(tx, row.id, why))
        return
    rooms = (room_ref(work.profile, gathered.room),) if gathered.room else ()
    persons = (*sorted(gathered.seats, key=str), *rooms)
    hold = Reserve(hold=row.instead_of, persons=persons, starts=row.starts, ends=row.ends, firm=False)
    if (await work.ask(hold)).clashes:
        await work.run(lambda tx: _void(tx, row.id, TAKEN_SINCE))
        return
    await work.run(partial(change_in_place, row, gathered, diary.bonds, work.settings.link_key))


def _held(sitting_id: UUID, tx: Tx) -> list[UUID]:
    where = tx.execute(select(sitting).where(sitting.c.id == sitting_id)).one()
    seated = select(seat.c.person).where(seat.c.sitting == sitting_id, seat.c.cancelled_at.is_(None))
    rooms = [room_ref(tx.profile, where.room)] if where.room else []
    return [*tx.execute(seated).scalars(), *rooms]


def _void(tx: Tx, change: UUID, why: str) -> None:
    """The change cannot be made: what was announced stands as it is, and the desk is told."""
    mine = proposal.c.id == change, proposal.c.state == "approved"
    tx.execute(update(proposal).where(*mine).values(state="void", void=why))


def change_in_place(row: Row[Any], gathered: Gathering, bonds: Sequence[Bond], link_key: bytes, tx: Tx) -> None:
    """Who is new gets a seat and an invitation, who is gone a cancellation; of another place everybody is told."""
    mine = proposal.c.id == row.id, proposal.c.state == "approved"
    if not tx.execute(update(proposal).where(*mine).values(state="done")).rowcount:
        return
    where = tx.execute(select(sitting).where(sitting.c.id == row.instead_of)).one()
    live = select(seat.c.person).where(seat.c.sitting == where.id, seat.c.cancelled_at.is_(None))
    before = set(tx.execute(live).scalars())
    if gone := sorted(before - gathered.seats.keys(), key=str):
        cancel_seats(tx, where.id, gone)
    again = seat.c.sitting == where.id, seat.c.person.in_(gathered.seats), seat.c.cancelled_at.is_not(None)
    tx.execute(update(seat).where(*again).values(cancelled_at=None, answer="none", answered_at=None, answered_by=None))
    fill_seats(tx, where.id, gathered, bonds)
    mode = gathered.mode or gathered.body.mode
    tx.execute(update(sitting).where(sitting.c.id == where.id).values(room=gathered.room, why=gathered.why))
    if where.mode != mode:
        decided = Deciding(row.decision, row.decided_by, row.decided_for)
        change_mode(tx, where, mode, gathered.mode_reason or ModeReason.OVER, decided)
    if (where.room, where.mode) != (gathered.room, mode):
        announce_anew(tx, where.id, link_key)
    want_invitations(tx, where.id, link_key)


def announce_anew(tx: Tx, sitting_id: UUID, link_key: bytes) -> None:
    """Tell everybody invited of the sitting as it is now: the same UID, a higher SEQUENCE, the answer kept.

    An invitation that is still to be mailed says the new place anyway. The links there are keep their use.
    """
    newest: dict[UUID, Row[Any]] = {}
    rows = select(notice).join(seat, (seat.c.sitting == notice.c.sitting) & (seat.c.person == notice.c.person))
    mine = notice.c.sitting == sitting_id, seat.c.cancelled_at.is_(None)
    for row in tx.execute(rows.where(*mine).order_by(notice.c.sequence)):
        newest[row.person] = row
    for person, row in newest.items():
        if row.kind == "invitation" and row.state != "wanted":
            token = new_link(link_key, tx.here, tx.ref().bytes)
            tx.execute(insert(link).values(digest=domain.link_digest(token), sitting=sitting_id, person=person))
            new = {"id": tx.ref(), "sitting": sitting_id, "person": person, "sequence": row.sequence + 1}
            new |= {"kind": "invitation", "state": "wanted", "due": tx.now, "link": token}
            tx.execute(insert(notice).values(new))


# -- a whole day -------------------------------------------------------------------------------------------------------


@service.performs(MoveDay)
async def move_day(asked: MoveDay, work: Work) -> DayMoved:
    """Switch every sitting of the day that has not begun, of this compartment: regular ones, too (M12)."""
    return await work.run(partial(_move_day, asked, work.settings.link_key))


def _move_day(asked: MoveDay, link_key: bytes, tx: Tx) -> DayMoved:
    actor = actor_of(asked.viewer, asked.viewer_agency)
    refusal = NOBODY if actor is None else may_run(actor.person, actor.agency, None, tx)
    if actor is None or refusal:
        note_act(tx, "move-day", actor, None, refusal)
        return _refused(refusal or NOBODY)
    before = tx.execute(select(day_move).where(day_move.c.request == asked.request)).first()
    if before is not None:
        same = (before.day, before.online, before.reason) == (asked.day, asked.online, asked.reason)
        return DayMoved(done=True, sittings=before.sittings) if same else _refused(REPEATED)
    if asked.reason is None:
        note_act(tx, "move-day", actor, None, NO_REASON)
        return _refused(NO_REASON)
    if asked.day < tx.now.astimezone(TOKYO).date():
        note_act(tx, "move-day", actor, None, OVER)
        return _refused(OVER)
    decided = Deciding(asked.request, actor.person, actor.agency)
    rows = [(row, to) for row in _of_day(asked.day, tx) if (to := _wanted(row, asked.online, tx)) != row.mode]
    for row, to in rows:
        change_mode(tx, row, to, asked.reason, decided)
        announce_anew(tx, row.id, link_key)
    new = {"request": asked.request, "compartment": tx.here, "day": asked.day, "online": asked.online, "at": tx.now}
    new |= {"reason": asked.reason.value}
    new |= {"sittings": len(rows), "moved_by": actor.person, "moved_for": actor.agency}
    tx.execute(insert(day_move).values(new))
    note_act(tx, "move-day", actor, None, None)
    return DayMoved(done=True, sittings=len(rows))


def _refused(refusal: Refusal) -> DayMoved:
    return DayMoved(done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


def _wanted(row: Row[Any], online: bool, tx: Tx) -> Mode:
    """How a sitting is held by the switch: online, or again as its body is."""
    body = tx.profile.body(row.body)
    return "online" if online else body.mode if body else "in_person"


def _of_day(day: date, tx: Tx) -> Sequence[Row[Any]]:
    """The sittings of a day that are still to begin."""
    begins = datetime.combine(day, time(), TOKYO)
    that_day = sitting.c.starts >= max(begins, tx.now), sitting.c.starts < begins + timedelta(days=1)
    begun = select(proceeding.c.sitting).where(proceeding.c.sitting == sitting.c.id).exists()
    live = sitting.c.fixed, sitting.c.cancelled_at.is_(None), ~begun
    return tx.execute(select(sitting).where(*that_day, *live).order_by(sitting.c.starts, sitting.c.id)).all()
