"""Proposal and approval of a date (S12, S13): nobody is invited before whoever holds the power has approved.

A date is judged when it is proposed, and its seats once more when it is carried out: staff, consent and commissions may
have changed in between (proposing_carrying.py).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.directory import Staff, StaffView
from contracts.message import Compartment, Event
from contracts.office import Done
from contracts.proposing import DecideProposal, KeepApart, ProposeDate
from services.meetings import proposing_rules as rules
from services.meetings.arranging import (
    NOT_THERE,
    Actor,
    Stand,
    actor_of,
    announced_of,
    note_act,
    refused,
    stand_of,
    why_not_arrange,
)
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
)
from services.meetings.gathering import Table, search_of
from services.meetings.handlers import service
from services.meetings.polls_tables import apart, proposal
from services.meetings.proposing_store import try_now, under_way
from services.meetings.ranking import rank
from services.meetings.replanning_rules import room_lost
from services.meetings.replies import declined, replies_of
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO, NoSlot, Wanted
from services.meetings.standing_in import away_today
from services.meetings.stopping import make_way
from services.meetings.tables import item, sitting
from services.service import Tx, Work

UNDER_WAY = Refusal("S12", "この議題では、ほかの日時の案が進んでいます。", "承認か差戻しを待ってください。")
ALREADY_SET = Refusal("S12", "この議題には、すでに日時があります。", "画面を読み直して、変更として選んでください。")
SAME_PERSON = Refusal("P5", "同じ人が二度選ばれています。", "別の二人を選んでください。")
PAST = Refusal("S12", "この案の日時は、もう過ぎたか当日です。", "差し戻して、選び直してください。")
CHANGED = "日時を変更します"


@service.performs(ProposeDate)
async def propose_date(asked: ProposeDate, work: Work) -> Done:
    """Keep the proposal; where nobody has to approve, it is carried out. The same request proposes once.

    Raises AskFailed; then nothing is stored.
    """
    actor = actor_of(asked.viewer, asked.viewer_agency)
    if (before := await work.run(partial(_repeated, asked))) is not None:
        return before
    stand = await stand_of(work, asked.item, actor)
    judged: Judged | Refusal = stand if isinstance(stand, Refusal) else NOT_THERE
    if isinstance(stand, Stand) and work.compartment is not None:
        replies = await work.run(lambda tx: replies_of(tx, stand.one.id))
        judged = _judge(asked, stand, replies, work)
    staff = stand.diary.staff if isinstance(stand, Stand) else ()
    answers: list[Done] = []
    await work.tell(partial(_propose, asked, actor, judged, staff, answers))
    return answers[-1]


def _repeated(asked: ProposeDate, tx: Tx) -> Done | None:
    row = tx.execute(select(proposal).where(proposal.c.request == asked.request)).first()
    if row is None:
        return None
    same = (row.item, row.starts) == (asked.item, asked.starts)
    same = same and ((row.mode == "online") == asked.online or (row.mode_reason is None and not asked.online))
    return Done(done=True) if same and same_people(row, asked.persons) else refused(REPEATED)


def _judge(asked: ProposeDate, stand: Stand, replies: Sequence[Any], work: Work) -> Judged | Refusal:
    """Whether the date is lawful with these people: seats, calendars, answers, quorum and room (P1-P4, M1)."""
    if isinstance(stand.table, NoSlot):
        return Refusal("P1", stand.table.why, "")
    body = stand.adhoc[0]
    mode = mode_wanted(asked.online, body.mode, asked.mode_reason)
    if isinstance(mode, Refusal):
        return mode
    staff = stand.diary.staff if work.compartment is Compartment.JUSO else stand.diary.bound(asked.starts)
    rows = chosen_seats(stand.table, asked.persons, staff)
    if isinstance(rows, Refusal):
        return rows
    table = replace(stand.table, seats=rows)
    search = search_of(work.profile, stand.adhoc, table, stand.diary, stand.one, mode)
    search = replace(search, replies=(*replies, *declined(stand.seats, stand.announced)))
    if asked.lost_room:
        search = replace(search, room_busy=room_lost(search.room_busy, stand.announced))
    found = rank(search)
    date = date_at(asked.starts, found.dates, found.none_because)
    if isinstance(date, Refusal):
        return date
    uncalled = [seat.name for seat in stand.table.seats if seat.agency not in {one.agency for one in rows}]
    why = date.why + (f"。招かない席: {'、'.join(dict.fromkeys(uncalled))}" if uncalled else "")
    return Judged(replace(date, why=why), body.place, mode, asked.mode_reason if mode != body.mode else None)


def chosen_seats(table: Table, persons: Sequence[UUID], staff: Sequence[StaffView]) -> tuple[Wanted, ...] | Refusal:
    """The seats with exactly the people who were chosen for them; a seat for nobody else than its agency's staff."""
    agency_of = {one.person: one.agency for one in staff}
    left = list(dict.fromkeys(persons))
    rows: list[Wanted] = []
    for seat in table.seats:
        mine = [one for one in left if agency_of.get(one) == seat.agency]
        who = next((one for one in mine if one in seat.persons), next(iter(mine), None))
        if who is not None:
            left.remove(who)
            rows.append(replace(seat, persons=(who,)))
        elif seat.need == "required":
            reason = f"必須の{seat.name}から、出席者が選ばれていません。"
            return Refusal("P1", reason, f"{seat.name}の出席者を選んでください。")
    if left:
        reason = "この会議に席のない機関の人か、委嘱のない人、名簿にいない人が選ばれています。"
        return Refusal("P5", reason, "名簿(出席者)に機関を加えるか、同意か委嘱を確かめてください。")
    return tuple(rows)


def _propose(
    asked: ProposeDate,
    actor: Actor | None,
    judged: Judged | Refusal,
    staff: Sequence[StaffView],
    answers: list[Done],
    tx: Tx,
) -> Iterable[Event]:
    if (before := _repeated(asked, tx)) is not None:
        answers.append(before)
        return ()
    one = tx.execute(select(item).where(item.c.id == asked.item)).first()
    refusal = why_not_arrange(one, actor, tx) or _overtaken(asked, tx)
    if refusal is None and isinstance(judged, Refusal):
        refusal = judged
    if refusal or actor is None or isinstance(judged, Refusal):
        answers.append(_refuse("propose-date", actor, one, refusal or NOT_THERE, tx))
        return ()
    today = tx.now.astimezone(TOKYO).date()
    waits = rules.needs_approval(tx.profile, actor.person, actor.agency, staff, today)
    try:
        with tx.connection.begin_nested():
            new = _write(asked, actor, judged, waits, tx)
    except IntegrityError:  # somebody proposed at the same moment
        answers.append(_refuse("propose-date", actor, one, UNDER_WAY, tx))
        return ()
    note_act(tx, "propose-date", actor, one, None)
    answers.append(Done(done=True))
    return () if waits else _carry(tx, tx.execute(select(proposal).where(proposal.c.id == new)).one())


def _overtaken(asked: ProposeDate, tx: Tx) -> Refusal | None:
    if under_way(tx, asked.item):
        return UNDER_WAY
    announced = announced_of(tx, asked.item)
    if (announced.id if announced else None) != asked.instead_of:
        return ALREADY_SET if announced else OTHERS
    return None


def _write(asked: ProposeDate, actor: Actor, judged: Judged, waits: bool, tx: Tx) -> UUID:
    new = tx.ref()
    mine = {"id": new, "compartment": tx.here, "item": asked.item, "instead_of": asked.instead_of}
    tx.execute(insert(proposal).values(mine | proposed(judged, actor, asked.request, tx.now, waits=waits)))
    return new


@service.does(KeepApart)
def keep_apart(asked: KeepApart, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Note it, or take it back. A proposal under way is judged by it when it is carried out."""
    actor = actor_of(asked.viewer, asked.viewer_agency)
    row = tx.execute(select(item).where(item.c.id == asked.item)).first()
    one, other = sorted(asked.persons, key=lambda person: person.hex)
    refusal = why_not_arrange(row, actor, tx) or (SAME_PERSON if one == other else None)
    if refusal or actor is None:
        return _refuse("keep-apart", actor, row, refusal or NOT_THERE, tx), ()
    mine = apart.c.item == asked.item, apart.c.one == one, apart.c.other == other
    known = tx.execute(select(apart.c.item).where(*mine)).first() is not None
    if asked.apart and not known:
        said = {"compartment": tx.here, "said_by": actor.person, "said_at": tx.now}
        tx.execute(insert(apart).values(item=asked.item, one=one, other=other, **said))
    if not asked.apart:
        tx.execute(delete(apart).where(*mine))
    try_now(tx, asked.item)
    note_act(tx, "keep-apart", actor, row, None)
    return Done(done=True), ()


@service.performs(DecideProposal)
async def decide_proposal(asked: DecideProposal, work: Work) -> Done:
    """Approve, or give back. Approved, the item gets this date at once, and only then people are invited."""
    staff = (await work.ask(Staff())).staff
    away = await away_today(work, staff)
    answers: list[Done] = []
    await work.tell(partial(_decide, asked, staff, away, answers))
    return answers[-1]


def _decide(
    asked: DecideProposal, staff: Sequence[StaffView], away: Collection[UUID], answers: list[Done], tx: Tx
) -> Iterable[Event]:
    actor = actor_of(asked.viewer, asked.viewer_agency)
    row = tx.execute(select(proposal).where(proposal.c.id == asked.proposal)).first()
    one = tx.execute(select(item).where(item.c.id == row.item)).first() if row else None
    if before := decided_before(row, asked.request, asked.returned):
        answers.append(before)
        return ()
    refusal = NOT_THERE if row is None else why_not_arrange(one, actor, tx) or _undecidable(asked, row, staff, away, tx)
    if refusal or row is None or actor is None:
        answers.append(_refuse("decide-proposal", actor, one, refusal or NOT_THERE, tx))
        return ()
    mine = proposal.c.id == row.id, proposal.c.state == "proposed"
    today = tx.now.astimezone(TOKYO).date()
    stead = rules.stands_in(tx.profile, actor.person, actor.agency, row.proposed_by, staff, today, away)
    tx.execute(update(proposal).where(*mine).values(decided(asked.returned, actor, asked.request, tx.now, stead)))
    note_act(tx, "decide-proposal", actor, one, None)
    answers.append(Done(done=True))
    if asked.returned:
        tx.execute(update(item).where(item.c.id == row.item, item.c.state == "waiting").values(next_try=tx.now))
        return ()
    return _carry(tx, row)


def _undecidable(
    asked: DecideProposal, row: Row[Any], staff: Sequence[StaffView], away: Collection[UUID], tx: Tx
) -> Refusal | None:
    if asked.viewer is None or asked.viewer_agency is None:
        return NOT_THERE
    today = tx.now.astimezone(TOKYO).date()
    who = asked.viewer, asked.viewer_agency
    refusal = rules.why_not_decide(tx.profile, *who, row.proposed_by, staff, today, away)
    if refusal is None and row.state != "proposed":
        refusal = OTHERS
    if refusal is None and asked.returned is None and row.starts.astimezone(TOKYO).date() <= today:
        refusal = PAST
    return refusal


def _carry(tx: Tx, row: Row[Any]) -> Iterable[Event]:
    """Let the errand that gives dates take it up: the item waits for exactly this date now."""
    if row.instead_of is None:
        tx.execute(update(item).where(item.c.id == row.item, item.c.state == "waiting").values(next_try=tx.now))
        return ()
    where = tx.execute(select(sitting).where(sitting.c.id == row.instead_of)).one()
    if where.starts == row.starts:  # the sitting stays, with other people or in another place (replanning.py)
        return ()
    return make_way(tx, where, row.item, CHANGED) if where.cancelled_at is None else ()


def _refuse(what: str, actor: Actor | None, one: Row[Any] | None, refusal: Refusal, tx: Tx) -> Done:
    note_act(tx, what, actor, one, refusal)
    return refused(refusal)
