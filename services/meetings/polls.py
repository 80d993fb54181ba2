"""Polls: asking for times, answers by link and by telephone, changed until the deadline (M12, S12, S17).

Every answer is kept, the last one counts. A poll stands beside the calendars, it opens none (timetable/problem.py).
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.links import new_link
from contracts.message import Event
from contracts.office import Done
from contracts.polls import (
    AnswerPoll,
    Answers,
    ClosePoll,
    LookAtPoll,
    NotePollAnswer,
    OpenPoll,
    PollLine,
    PollState,
)
from services.meetings.arranging import Actor, Stand, actor_of, note_act, refused, stand_of, why_not_arrange
from services.meetings.domain import link_digest
from services.meetings.handlers import service
from services.meetings.polls_rules import counting, why_not_open
from services.meetings.polls_tables import poll, poll_answer, poll_line, poll_seat
from services.meetings.proposing_store import given_in, open_poll_of, try_now, under_way
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import NoSlot
from services.meetings.tables import item
from services.service import Tx, Work

NOT_THERE = Refusal("M12", "このうかがいは見つかりません。", "事案の画面から開き直してください。")
CLOSED = Refusal("M12", "このうかがいは締め切られています。", "必要なら、新しくうかがってください。")
NOT_ASKED = Refusal("M12", "この人には、うかがっていません。", "うかがった人から選んでください。")
NO_LINE = Refusal("M12", "うかがいにない候補への回答があります。", "画面を読み直して、入力し直してください。")
ANOTHER_OPEN = Refusal(
    "M12",
    "この議題では、ほかのうかがいか日時の案が進んでいます。",
    "それを締め切るか、承認か差戻しを待ってから、うかがってください。",
)
REPEATED = Refusal("M12", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、入力し直してください。")


@service.performs(OpenPoll)
async def open_poll(asked: OpenPoll, work: Work) -> Done:
    """Ask the first person of each seat. The same request asks once. Raises AskFailed; then nothing is stored."""
    actor = actor_of(asked.viewer, asked.viewer_agency)
    stand = await stand_of(work, asked.item, actor)
    if isinstance(stand, Refusal) or actor is None:
        return await work.run(partial(_refuse, "open-poll", actor, None, stand if isinstance(stand, Refusal) else None))
    if isinstance(stand.table, NoSlot):
        why = Refusal("P1", stand.table.why, "")
        return await work.run(partial(_refuse, "open-poll", actor, stand.one, why))
    minutes = stand.adhoc[1].minutes
    refusal = why_not_open(asked.starts, minutes, asked.closes_at, stand.table.window, work.now())
    return await work.run(partial(_open, asked, actor, stand, refusal, work.settings.link_key))


def _refuse(what: str, actor: Actor | None, one: Row[Any] | None, refusal: Refusal | None, tx: Tx) -> Done:
    refusal = refusal or NOT_THERE
    note_act(tx, what, actor, one, refusal)
    return refused(refusal)


def _open(asked: OpenPoll, actor: Actor, stand: Stand, refusal: Refusal | None, link_key: bytes, tx: Tx) -> Done:
    before = tx.execute(select(poll).where(poll.c.request == asked.request)).first()
    if before is not None:
        lines = tx.execute(select(poll_line.c.starts).where(poll_line.c.poll == before.id)).scalars()
        same = before.item == asked.item and set(lines) == set(asked.starts)
        return Done(done=True) if same else refused(REPEATED)
    one = tx.execute(select(item).where(item.c.id == asked.item)).first()
    refusal = why_not_arrange(one, actor, tx) or refusal
    if refusal is None and (open_poll_of(tx, asked.item) or under_way(tx, asked.item)):
        refusal = ANOTHER_OPEN
    if refusal:
        return _refuse("open-poll", actor, one, refusal, tx)
    try:
        with tx.connection.begin_nested():
            _write(asked, actor, stand, link_key, tx)
    except IntegrityError:  # somebody asked at the same moment
        return _refuse("open-poll", actor, one, ANOTHER_OPEN, tx)
    try_now(tx, asked.item)
    note_act(tx, "open-poll", actor, one, None)
    return Done(done=True)


def _write(asked: OpenPoll, actor: Actor, stand: Stand, link_key: bytes, tx: Tx) -> None:
    if isinstance(stand.table, NoSlot):
        raise TypeError("a poll needs a table")
    new, span = tx.ref(), timedelta(minutes=stand.adhoc[1].minutes)
    tx.execute(
        insert(poll).values(
            id=new,
            compartment=tx.here,
            item=asked.item,
            request=asked.request,
            opened_by=actor.person,
            opened_for=actor.agency,
            opened_at=tx.now,
            closes_at=asked.closes_at,
        )
    )
    ordered = enumerate(sorted(asked.starts), 1)
    tx.execute(insert(poll_line), [{"poll": new, "position": n, "starts": at, "ends": at + span} for n, at in ordered])
    rows: dict[UUID, dict[str, Any]] = {}
    for wanted in stand.table.seats:
        for person in wanted.persons[:1]:
            token = new_link(link_key, tx.here, tx.ref().bytes)
            row = {"poll": new, "person": person, "agency": wanted.agency, "need": wanted.need, "notice": tx.ref()}
            row |= {"digest": link_digest(token), "link": token, "state": "wanted", "due": tx.now}
            rows.setdefault(person, row)
    tx.execute(insert(poll_seat), list(rows.values()))


# -- by telephone, and the end -----------------------------------------------------------------------------------------


@service.does(NotePollAnswer)
def note_poll_answer(asked: NotePollAnswer, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Keep what somebody said on the telephone, with who typed it in: until the poll is closed, deadline or not."""
    actor, (asking, one) = actor_of(asked.viewer, asked.viewer_agency), _poll(asked.poll, tx)
    if actor is None or asking is None or (refusal := why_not_arrange(one, actor, tx)):
        return _refuse("note-poll-answer", actor, one, refusal if asking and actor else NOT_THERE, tx), ()
    mine = poll_answer.c.request == asked.request
    if before := tx.execute(select(poll_answer).where(mine).order_by(poll_answer.c.position)).all():
        said = {(row.person, row.position, row.choice) for row in before}
        same = said == {(asked.person, line.position, line.choice) for line in asked.answers}
        return (Done(done=True) if same else refused(REPEATED)), ()
    if refusal := CLOSED if asking.closed_at is not None else _unknown(asking.id, asked.person, asked, tx):
        return _refuse("note-poll-answer", actor, one, refusal, tx), ()
    typed = {"typed_by": actor.person, "typed_for": actor.agency, "request": asked.request}
    _keep(asking.id, asked.person, asked, typed, tx)
    try_now(tx, asking.item)
    note_act(tx, "note-poll-answer", actor, one, None)
    return Done(done=True), ()


def _unknown(asking: UUID, person: UUID, said: Answers, tx: Tx) -> Refusal | None:
    """Answers of somebody who is not asked, or to lines that there are not."""
    asked = poll_seat.c.poll == asking, poll_seat.c.person == person
    if tx.execute(select(poll_seat.c.person).where(*asked)).first() is None:
        return NOT_ASKED
    lines = set(tx.execute(select(poll_line.c.position).where(poll_line.c.poll == asking)).scalars())
    return None if {one.position for one in said.answers} <= lines else NO_LINE


def _keep(asking: UUID, person: UUID, said: Answers, typed: dict[str, Any], tx: Tx) -> None:
    mine = poll_answer.c.poll == asking, poll_answer.c.person == person
    last = tx.connection.scalar(select(func.max(poll_answer.c.number)).where(*mine)) or 0
    new = {"poll": asking, "person": person, "number": last + 1, "at": tx.now} | typed
    rows = [new | {"id": tx.ref(), "position": line.position, "choice": line.choice} for line in said.answers]
    tx.execute(insert(poll_answer), rows)


@service.does(ClosePoll)
def close_poll(asked: ClosePoll, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """No more answers. The item waits for somebody to choose a date, or to let it be found."""
    actor, (asking, one) = actor_of(asked.viewer, asked.viewer_agency), _poll(asked.poll, tx)
    refusal = NOT_THERE if asking is None else why_not_arrange(one, actor, tx)
    if asking is None or refusal:
        return _refuse("close-poll", actor, one, refusal, tx), ()
    tx.execute(update(poll).where(poll.c.id == asking.id, poll.c.closed_at.is_(None)).values(closed_at=tx.now))
    waiting = poll_seat.c.poll == asking.id, poll_seat.c.state == "wanted"
    tx.execute(update(poll_seat).where(*waiting).values(state="not_sent", why="cancelled", link=None))
    try_now(tx, asking.item)
    note_act(tx, "close-poll", actor, one, None)
    return Done(done=True), ()


def _poll(reference: UUID, tx: Tx) -> tuple[Row[Any] | None, Row[Any] | None]:
    found = tx.execute(select(poll).where(poll.c.id == reference)).first()
    return found, tx.execute(select(item).where(item.c.id == found.item)).first() if found else None


# -- by link -----------------------------------------------------------------------------------------------------------


@service.answers(LookAtPoll)
def look_at_poll(asked: LookAtPoll, tx: Tx) -> PollState:
    """What the link shows."""
    return _state(_asked_by(asked.link, tx), tx)


@service.does(AnswerPoll)
def answer_poll(asked: AnswerPoll, tx: Tx) -> tuple[PollState, Iterable[Event]]:
    """Keep the answer. What was said before stays on record; the same again is not kept twice."""
    found = _asked_by(asked.link, tx)
    if found is None or _unknown(found.poll, found.person, asked, tx):
        return _state(None, tx), ()
    said = {one.position: one.choice for one in asked.answers}
    if any(_choices(found, tx).get(position) != choice for position, choice in said.items()):
        _keep(found.poll, found.person, asked, {}, tx)
        try_now(tx, found.item)
    return _state(found, tx).model_copy(update={"recorded": True}), ()


def _asked_by(token: str, tx: Tx) -> Row[Any] | None:
    """Whose link this is, while it can be answered: the poll is open, and before its deadline."""
    wanted = (
        select(poll_seat.c.poll, poll_seat.c.person, poll.c.item, poll.c.closes_at)
        .join(poll, poll.c.id == poll_seat.c.poll)
        .where(poll_seat.c.digest == link_digest(token), poll_seat.c.why != "no_ground")
        .where(poll.c.closed_at.is_(None), poll.c.closes_at > tx.now)
    )
    return tx.execute(wanted).first()


def _choices(found: Row[Any], tx: Tx) -> dict[int, Any]:
    last = counting(given_in(tx, [found.poll]).get(found.poll, ()))
    return {position: one.choice for (person, position), one in last.items() if person == found.person}


def _state(found: Row[Any] | None, tx: Tx) -> PollState:
    if found is None:
        return PollState(found=False)
    mine = _choices(found, tx)
    rows = tx.execute(select(poll_line).where(poll_line.c.poll == found.poll).order_by(poll_line.c.position))
    lines = tuple(
        PollLine(position=row.position, starts=row.starts, ends=row.ends, choice=mine.get(row.position)) for row in rows
    )
    return PollState(found=True, lines=lines, closes_at=found.closes_at)
