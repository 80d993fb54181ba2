"""定例の会議を組み直す: shows the dates there are instead, takes a proposal and its approval (M1, M9, S12, S13).

The change is judged when it is proposed, and its people once more when it is carried out (regular_carrying.py).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.directory import Staff, StaffView
from contracts.message import Compartment, Event
from contracts.office import Done
from contracts.regular import ChangeRegular, DecideRegular, LookAtRegular, RegularChange, RegularDates
from services.meetings import proposing_rules as rules
from services.meetings.arranging import Actor, actor_of, note_act, refused
from services.meetings.conducting import may_run
from services.meetings.deciding import (
    OTHERS,
    REPEATED,
    Judged,
    date_at,
    decided,
    decided_before,
    mode_wanted,
    proposed,
    same_people,
    seats_of,
)
from services.meetings.handlers import service
from services.meetings.proposing import chosen_seats
from services.meetings.proposing_views import offered
from services.meetings.ranking import spread
from services.meetings.regular_standing import (
    NOT_THERE,
    Announced,
    Standing,
    broken_of,
    looked_up,
    ranked,
    standing_of,
)
from services.meetings.regular_tables import regular_change
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO, NoSlot
from services.meetings.standing_in import away_today
from services.service import Tx, Work

SHOWN = 12
UNDER_WAY = Refusal("S12", "この会議では、ほかの変更の案が進んでいます。", "承認か差戻しを待ってください。")


@service.performs(LookAtRegular)
async def look_at_regular(asked: LookAtRegular, work: Work) -> RegularDates:
    """The dates a regular sitting could have instead, for whoever holds the meeting. Raises AskFailed."""
    actor = actor_of(asked.viewer, asked.viewer_agency)
    found = await work.run(partial(looked_up, of=asked.sitting, actor=actor))
    if isinstance(found, Refusal) or actor is None:
        return RegularDates(found=False)
    standing = await standing_of(work, found)
    ranking = ranked(standing, work.profile, lost_room=asked.lost_room)
    rows = await work.run(partial(_changes, of=asked.sitting))
    staff, today = standing.diary.staff, work.now().astimezone(TOKYO).date()
    away = await away_today(work, staff)
    who = actor.person, actor.agency
    waiting = [row.proposed_by for row in rows if row.state == "proposed"]
    where = found.where
    return RegularDates(
        found=True,
        body=where.body,
        starts=where.starts,
        ends=where.ends,
        place=where.place,
        room=where.room,
        mode=where.mode,
        broken=broken_of(found, work.profile),
        options=tuple(offered(one) for one in spread(ranking.dates, SHOWN)),
        lawful=len(ranking.dates),
        none_because=ranking.none_because,
        relax=ranking.relax,
        changes=tuple(_change(row) for row in rows),
        needs_approval=rules.needs_approval(work.profile, *who, staff, today),
        decides=rules.decider_title(work.profile),
        may_decide=any(rules.why_not_decide(work.profile, *who, by, staff, today, away) is None for by in waiting),
    )


def _changes(tx: Tx, of: UUID) -> Sequence[Row[Any]]:
    mine = (regular_change.c.sitting == of) | (regular_change.c.becomes == of)
    return tx.execute(select(regular_change).where(mine).order_by(regular_change.c.proposed_at.desc())).all()


def _change(row: Row[Any]) -> RegularChange:
    facts = {name: getattr(row, name) for name in set(RegularChange.model_fields) - {"change", "seats", "online"}}
    return RegularChange.model_validate(facts | {"change": row.id, "seats": seats_of(row)})


# -- proposal ----------------------------------------------------------------------------------------------------------


@service.performs(ChangeRegular)
async def change_regular(asked: ChangeRegular, work: Work) -> Done:
    """Keep the proposal; where nobody has to approve, the errand carries it out. The same request proposes once.

    Raises AskFailed; then nothing is stored.
    """
    actor = actor_of(asked.viewer, asked.viewer_agency)
    if (before := await work.run(partial(_repeated, asked))) is not None:
        return before
    found = await work.run(partial(looked_up, of=asked.sitting, actor=actor))
    judged: Judged | Refusal = found if isinstance(found, Refusal) else NOT_THERE
    staff: Sequence[StaffView] = ()
    if isinstance(found, Announced):
        standing = await standing_of(work, found)
        staff, judged = standing.diary.staff, _judge(asked, standing, work)
    answers: list[Done] = []
    await work.run(partial(_propose, asked, actor, judged, staff, answers))
    return answers[-1]


def _repeated(asked: ChangeRegular, tx: Tx) -> Done | None:
    row = tx.execute(select(regular_change).where(regular_change.c.request == asked.request)).first()
    if row is None:
        return None
    same = (row.sitting, row.starts, row.reason) == (asked.sitting, asked.starts, asked.reason)
    same = same and (row.mode == "online" or not asked.online)
    return Done(done=True) if same and same_people(row, asked.persons) else refused(REPEATED)


def _judge(asked: ChangeRegular, standing: Standing, work: Work) -> Judged | Refusal:
    """Whether the date is lawful with exactly these people."""
    found, table = standing.announced, standing.table
    if isinstance(table, NoSlot):
        return Refusal("P1", table.why, "")
    mode = mode_wanted(asked.online, found.where.mode, asked.mode_reason)
    if isinstance(mode, Refusal):
        return mode
    staff = standing.diary.staff if work.compartment is Compartment.JUSO else standing.diary.bound(asked.starts)
    rows = chosen_seats(table, asked.persons, staff)
    if isinstance(rows, Refusal):
        return rows
    chosen = replace(standing, table=replace(table, seats=rows))
    ranking = ranked(chosen, work.profile, mode, lost_room=asked.lost_room)
    date = date_at(asked.starts, ranking.dates, ranking.none_because)
    if isinstance(date, Refusal):
        return date
    reason = asked.mode_reason if mode != found.where.mode else found.where.mode_reason
    return Judged(date, found.body.place, mode, reason)


def _propose(
    asked: ChangeRegular,
    actor: Actor | None,
    judged: Judged | Refusal,
    staff: Sequence[StaffView],
    answers: list[Done],
    tx: Tx,
) -> None:
    if (before := _repeated(asked, tx)) is not None:
        answers.append(before)
        return
    again = looked_up(tx, asked.sitting, actor)
    refusal = again if isinstance(again, Refusal) else judged if isinstance(judged, Refusal) else None
    if refusal is None and actor is not None and isinstance(judged, Judged):
        today = tx.now.astimezone(TOKYO).date()
        waits = rules.needs_approval(tx.profile, actor.person, actor.agency, staff, today)
        try:
            with tx.connection.begin_nested():
                _write(asked, actor, judged, waits, tx)
        except IntegrityError:  # somebody proposed at the same moment
            refusal = UNDER_WAY
    note_act(tx, "change-regular", actor, None, refusal)
    answers.append(refused(refusal) if refusal else Done(done=True))


def _write(asked: ChangeRegular, actor: Actor, judged: Judged, waits: bool, tx: Tx) -> None:
    mine: dict[str, Any] = {"id": tx.ref(), "compartment": tx.here, "sitting": asked.sitting, "becomes": tx.ref()}
    mine |= {"reason": asked.reason.value} | proposed(judged, actor, asked.request, tx.now, waits=waits)
    tx.execute(insert(regular_change).values(mine))


# -- approval ----------------------------------------------------------------------------------------------------------


@service.performs(DecideRegular)
async def decide_regular(asked: DecideRegular, work: Work) -> Done:
    """Approve, or give back. Approved, the errand carries the change out, and only then people are told."""
    staff = (await work.ask(Staff())).staff
    away = await away_today(work, staff)
    answers: list[Done] = []
    await work.tell(partial(_decide, asked, staff, away, answers))
    return answers[-1]


def _decide(
    asked: DecideRegular, staff: Sequence[StaffView], away: Collection[UUID], answers: list[Done], tx: Tx
) -> Iterable[Event]:
    actor = actor_of(asked.viewer, asked.viewer_agency)
    row = tx.execute(select(regular_change).where(regular_change.c.id == asked.change)).first()
    if before := decided_before(row, asked.request, asked.returned):
        answers.append(before)
        return ()
    refusal = _undecidable(actor, row, staff, away, tx)
    note_act(tx, "decide-regular", actor, None, refusal)
    if refusal or row is None or actor is None:
        answers.append(refused(refusal or NOT_THERE))
        return ()
    mine = regular_change.c.id == row.id, regular_change.c.state == "proposed"
    today = tx.now.astimezone(TOKYO).date()
    stead = rules.stands_in(tx.profile, actor.person, actor.agency, row.proposed_by, staff, today, away)
    tx.execute(update(regular_change).where(*mine).values(decided(asked.returned, actor, asked.request, tx.now, stead)))
    answers.append(Done(done=True))
    return ()


def _undecidable(
    actor: Actor | None, row: Row[Any] | None, staff: Sequence[StaffView], away: Collection[UUID], tx: Tx
) -> Refusal | None:
    if actor is None or row is None:
        return NOT_THERE
    if refusal := may_run(actor.person, actor.agency, None, tx):
        return refusal
    today = tx.now.astimezone(TOKYO).date()
    refusal = rules.why_not_decide(tx.profile, actor.person, actor.agency, row.proposed_by, staff, today, away)
    return refusal or (None if row.state == "proposed" else OTHERS)
