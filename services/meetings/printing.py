"""Printing is sharing: who is given a copy of which item is decided, permitted and registered, and only then printed.

What a copy says is what its reader may have: for an item that an agency leaves the room for, it is in no copy of that
agency (M6). Whoever prints is shown no more than on the screen.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, select

from contracts.message import Account, Compartment
from contracts.permit import ReportSpent
from contracts.policy_terms import Act
from contracts.printing import PrintedCopy, PrintSitting, SittingPaper, SittingPrint
from contracts.running import LookAtRoom, RoomView
from services import sharing
from services.meetings import grounds, minutes
from services.meetings.grounds import Recipient
from services.meetings.handlers import service
from services.meetings.having_part import beside, has_part
from services.meetings.room import look_at_room
from services.meetings.running import Room, fold
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO
from services.meetings.tables import agenda, consents, disclosure, item, seat, sitting
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Shared, Verdicts

NOT_ALL = Refusal(
    "S11", "全員分を印刷できるのは、会議を進める機関の担当者だけです。", "自分の分だけを印刷してください。"
)
NO_MINUTES = Refusal("T2", "会議録は、まだありません。", "議題の結果を記録してから印刷してください。")
NOTHING = Refusal("C3", "印刷できる議題がありません。", "会議の画面で、議題と、同意か委嘱を確かめてください。")


@service.performs(PrintSitting)
async def print_sitting(asked: PrintSitting, work: Work) -> SittingPrint:
    """The paper of a sitting that somebody may see, one copy for each reader who may have it. Raises AskFailed."""
    look = LookAtRoom(sitting=asked.sitting, viewer=asked.viewer, viewer_agency=asked.viewer_agency)
    room = await look_at_room(look, work)
    if not room.found:
        return SittingPrint(found=False)
    if room.papers_shut:
        return SittingPrint(found=True, rule="S11", reason=room.papers_shut)
    if asked.everyone and not room.may_run:
        return _refused(NOT_ALL)
    if asked.paper is SittingPaper.MINUTES and not room.minutes_version:
        return _refused(NO_MINUTES)
    act = _Act(asked, room, _key(asked, room, work.now()))
    verdicts = await _permitted(act, work)
    answer = await work.run(partial(_register, act, verdicts))
    if permits := tuple(one.permit.permit for one in verdicts.allowed if one.permit):
        with suppress(AskFailed):  # they run out by themselves
            await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)
    return answer


@dataclass(frozen=True)
class _Act:
    """One printing. ``key``: what the ids of its rows are made of, so that the same again writes none twice."""

    asked: PrintSitting
    room: RoomView
    key: UUID


def _key(asked: PrintSitting, room: RoomView, now: datetime) -> UUID:
    """Another one once the sitting has gone on, and on another day: then it is another paper."""
    day = now.astimezone(TOKYO).date()
    return uuid5(asked.request, f"{asked.sitting} {asked.paper} {asked.viewer} {room.acts} {day}")


async def _permitted(act: _Act, work: Work) -> Verdicts:
    """What of the copies may be given out and has no row yet."""

    def fresh(tx: Tx) -> list[Share]:
        shares = _shares(act, tx)
        before = _written(shares, tx)
        return [one for one in shares if one.id not in before]

    return await sharing.permitted(work, await work.run(fresh), hosted_by_municipality=True)


def _refused(refusal: Refusal) -> SittingPrint:
    return SittingPrint(found=True, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


# -- who is given what -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reader:
    """Who is given a copy. ``seat``: None in juso for an agency inside the consent that has none (C3)."""

    number: int
    person: UUID
    agency: str
    seat: Row[Any] | None


def _readers(asked: PrintSitting, tx: Tx) -> tuple[list[_Reader], int]:
    """Those who are given a copy, and how many seats are open. Numbers stay with the seats."""
    here = seat.c.sitting == asked.sitting, seat.c.cancelled_at.is_(None)
    seats = tx.execute(select(seat).where(*here).order_by(seat.c.agency, seat.c.person)).all()
    numbered = [_Reader(number, one.person, one.agency, one) for number, one in enumerate(seats, 1)]
    if asked.everyone or asked.viewer is None or asked.viewer_agency is None:
        return (numbered if asked.everyone else []), len(seats)
    own = [one for one in numbered if (one.person, one.agency) == (asked.viewer, asked.viewer_agency)]
    return own or [_Reader(len(seats) + 1, asked.viewer, asked.viewer_agency, None)], len(seats)


@dataclass(frozen=True)
class _At:
    """The sitting as it stands: its items are those that whoever prints sees now, in their order."""

    where: Row[Any]
    room: Room
    items: Sequence[Row[Any]]


def _at(act: _Act, tx: Tx) -> _At:
    where = tx.execute(select(sitting).where(sitting.c.id == act.asked.sitting)).one()
    here = fold(minutes.done_of(row) for row in minutes.acts_of(where.id, tx))
    seen = [one.item for one in act.room.items if one.state in ("waiting", "open", "heard")]
    on_it = select(item).join(agenda, agenda.c.item == item.c.id).where(agenda.c.sitting == where.id)
    rows = tx.execute(on_it.where(item.c.id.in_(seen)).order_by(agenda.c.position)).all() if seen else []
    return _At(where, here, rows)


def _shares(act: _Act, tx: Tx) -> list[Share]:
    """Each item that whoever prints sees now, for each reader."""
    asked = act.asked
    if tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return []
    at = _at(act, tx)
    rows = at.items
    juso = tx.here is Compartment.JUSO
    heads = sharing.heads(consents, tx, {row.case for row in rows}) if juso and rows else {}
    bonds = () if juso else grounds.bonds(tx)
    shares = []
    for reader in _readers(asked, tx)[0]:
        comes = [row for row in rows if reader.seat is None or has_part(tx, at.where, reader.agency, row, at.room)]
        bond = next((one for one in bonds if reader.seat and one.commission == reader.seat.commission), None)
        for row in comes:
            to = Recipient(
                share=uuid5(act.key, f"{reader.person} {row.id}"),
                agency=reader.agency,
                person=reader.person,
                sitting=asked.sitting if reader.seat else None,
                bond=bond,
            )
            share = grounds.share_of(row, to, heads.get(row.case))
            shares.append(replace(share, act=Act.EXPORT, seat=reader.seat is not None))
    return shares


def _written(shares: Sequence[Share], tx: Tx) -> set[UUID]:
    """Those for which this very request wrote a row before."""
    wanted = select(disclosure.c.id).where(disclosure.c.id.in_([one.id for one in shares]))
    return set(tx.execute(wanted).scalars()) if shares else set()


# -- the register ------------------------------------------------------------------------------------------------------


def _register(act: _Act, verdicts: Verdicts, tx: Tx) -> SittingPrint:
    """Write the rows of what is still allowed, and tell what is printed: news may have come meanwhile."""
    decided_by = f"meetings@{tx.here}"
    for one in verdicts.refused:
        sharing.note(one, decided_by, tx)
    now = {one.id: one for one in _shares(act, tx) if _allowed(one, tx)}
    before = _written(tuple(now.values()), tx)
    new = [one for one in verdicts.allowed if _same(one.share, now.get(one.share.id))]
    sharing.record(disclosure, new, decided_by, tx)
    given = [one for one in now.values() if one.id in before] + [one.share for one in new]
    if not given:
        return _why_nothing(verdicts)
    readers, seats = _readers(act.asked, tx)
    at = _at(act, tx)
    copies = tuple(copy for reader in readers if (copy := _copy(reader, given, at, tx)).items)
    kept = {one.item for one in given}
    shown = act.room.model_copy(update={"items": tuple(one for one in act.room.items if one.item in kept)})
    return SittingPrint(found=True, room=shown, copies=copies, seats=seats)


def _allowed(share: Share, tx: Tx) -> bool:
    return sharing.judge(share, tx.here, tx.now, hosted_by_municipality=True).allowed


def _same(then: Share, now: Share | None) -> bool:
    """Whether it rests on the same ground still."""
    return now is not None and (then.head, then.commission, then.sitting) == (now.head, now.commission, now.sitting)


def _copy(reader: _Reader, given: Sequence[Share], at: _At, tx: Tx) -> PrintedCopy:
    items = tuple(one.item for one in given if (one.person, one.agency) == (reader.person, reader.agency))
    mine = [row for row in at.items if row.id in items]
    known = beside(tx, at.where, at.room, reader.agency, mine) if reader.seat else None
    among = None if known is None else tuple(sorted(known))
    return PrintedCopy(number=reader.number, person=reader.person, agency=reader.agency, items=items, beside=among)


def _why_nothing(verdicts: Verdicts) -> SittingPrint:
    refused: Shared | None = next(iter(verdicts.refused), None)
    if refused is None:
        return _refused(NOTHING)
    decision = refused.decision
    rule = decision.rules[0] if decision.rules else decision.rule
    return _refused(Refusal(rule, decision.reason, decision.next_step or NOTHING.next_step))
