"""Shows a sitting as it is run: who is there, what is heard, what the minutes say. Each showing is in the register."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from contracts.life import Outcome
from contracts.message import Account, Compartment
from contracts.permit import ReportSpent
from contracts.policy_terms import Act
from contracts.running import (
    ApprovalView,
    AttendanceView,
    HearingView,
    LookAtRoom,
    Proceeding,
    RoomSeat,
    RoomView,
)
from services import sharing
from services.meetings import domain, grounds, minutes, pledge_tables, turning
from services.meetings.conducting import may_run
from services.meetings.grounds import Recipient
from services.meetings.handlers import service
from services.meetings.having_part import beside, has_part
from services.meetings.holding_tables import mode_changes
from services.meetings.ordering import attends
from services.meetings.paper_window import why_shut
from services.meetings.parts import timetable_of
from services.meetings.running import Room, fold
from services.meetings.running_rules import Refusal, lacking, possible
from services.meetings.scheduling import TOKYO
from services.meetings.tables import agenda, consents, disclosure, item, seat, sitting
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Verdicts

OFF = ("stopped", "withdrawn")


@service.performs(LookAtRoom)
async def look_at_room(asked: LookAtRoom, work: Work) -> RoomView:
    """The sitting for whoever runs it or has a seat there; a first look of the day at an item asks for a permit."""
    unshared = await work.run(partial(_unshared, asked))
    if unshared:
        verdicts = await sharing.permitted(work, unshared, hosted_by_municipality=True)
        await work.run(partial(_register, asked, verdicts))
        if permits := tuple(one.permit.permit for one in verdicts.allowed if one.permit):
            with suppress(AskFailed):  # they run out by themselves
                await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)
    return await work.run(partial(_view, asked))


@dataclass(frozen=True)
class _Look:
    """What one viewer may see of a sitting now: items with a row of today, and those that lack one."""

    where: Row[Any]
    runs: bool
    shown: frozenset[UUID]
    unshared: tuple[Share, ...]
    shut: Refusal | None = None
    """Why the block's papers are not open to a seat now (S11)."""


def _look(asked: LookAtRoom, tx: Tx) -> _Look | None:
    where = tx.execute(select(sitting).where(sitting.c.id == asked.sitting, sitting.c.fixed)).first()
    if where is None or asked.viewer is None or asked.viewer_agency is None:
        return None
    if not domain.is_hosted(tx.profile, where.body, tx.here):
        return None
    mine = seat.c.sitting == where.id, seat.c.person == asked.viewer, seat.c.cancelled_at.is_(None)
    seated = tx.execute(select(seat.c.person).where(*mine)).first() is not None
    runs = may_run(asked.viewer, asked.viewer_agency, None, tx) is None
    if not seated and not runs:
        return None
    if not runs and (shut := _shut(where, tx)):
        return _Look(where, runs, frozenset(), (), shut)
    shares = tuple(_shares(asked, where, seated, runs, tx))
    before = sharing.shared_before(disclosure, asked.viewer, Act.SHOW, _day_begins(tx.now), tx)
    known = {one.item for one in shares if (one.item, one.head.version if one.head else None) in before}
    return _Look(where, runs, frozenset(known), tuple(one for one in shares if one.item not in known))


def _shut(where: Row[Any], tx: Tx) -> Refusal | None:
    body = tx.profile.body(where.body)
    return why_shut(body.papers, where.starts, where.ends, _room(where, tx), tx.now) if body else None


def _day_begins(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(TOKYO).date(), time(), TOKYO)


def _shares(asked: LookAtRoom, where: Row[Any], seated: bool, runs: bool, tx: Tx) -> list[Share]:
    """The items of the sitting that the policy lets this viewer see now."""
    if asked.viewer is None or asked.viewer_agency is None:
        return []
    rows = _items(where, tx)
    juso = tx.here is Compartment.JUSO
    if juso and not sharing.is_fresh(consents, tx):
        return []
    heads = sharing.heads(consents, tx, {row.case for row in rows}) if juso and rows else {}
    bond = None if juso else grounds.bond_of(grounds.bonds(tx), asked.viewer, asked.viewer_agency, tx.now)
    found = []
    room = _room(where, tx)
    for row in rows:
        if not runs and not has_part(tx, where, asked.viewer_agency, row, room):
            continue
        to = Recipient(share=tx.ref(), agency=asked.viewer_agency, person=asked.viewer, bond=bond)
        share = grounds.share_of(row, to, heads.get(row.case))
        share = replace(share, act=Act.SHOW, seat=seated, office=runs)
        if sharing.judge(share, tx.here, tx.now, hosted_by_municipality=True).allowed:
            found.append(share)
    return found


def _items(where: Row[Any], tx: Tx) -> Sequence[Row[Any]]:
    """Whatever is on the agenda, or was: called there, carried from there, or taken off after people were invited."""
    room = _room(where, tx)
    invited = select(disclosure.c.item).where(disclosure.c.sitting == where.id, disclosure.c.act == Act.INVITE)
    placed = select(agenda.c.item).where(agenda.c.sitting == where.id)
    acted = [*room.hearings, *room.carried]
    wanted = item.c.id.in_(placed) | item.c.id.in_(invited) | item.c.id.in_(acted)
    order = select(item, agenda.c.position, agenda.c.sitting.label("on")).outerjoin(agenda, agenda.c.item == item.c.id)
    rows = tx.execute(order.where(wanted).order_by(agenda.c.position, item.c.since, item.c.id)).all()
    return [row for row in rows if row.state != "reserving" or row.on != where.id]


def _room(where: Row[Any], tx: Tx) -> Room:
    return fold(minutes.done_of(row) for row in minutes.acts_of(where.id, tx))


def _unshared(asked: LookAtRoom, tx: Tx) -> tuple[Share, ...]:
    found = _look(asked, tx)
    return found.unshared if found else ()


def _register(asked: LookAtRoom, verdicts: Verdicts, tx: Tx) -> None:
    """The rows of what is still allowed and not yet written."""
    for one in verdicts.refused:
        sharing.note(one, f"meetings@{tx.here}", tx)
    found = _look(asked, tx)
    still = {(one.item, one.head, one.commission) for one in found.unshared} if found else set()
    rows = [one for one in verdicts.allowed if (one.share.item, one.share.head, one.share.commission) in still]
    sharing.record(disclosure, rows, f"meetings@{tx.here}", tx)


# -- the view ----------------------------------------------------------------------------------------------------------


def _view(asked: LookAtRoom, tx: Tx) -> RoomView:
    found = _look(asked, tx)
    if found is None:
        return RoomView(found=False)
    where, rows = found.where, minutes.acts_of(found.where.id, tx)
    room = fold(minutes.done_of(row) for row in rows)
    called = minutes.called_of(where, tx)
    open_seats = seat.c.sitting == where.id, seat.c.cancelled_at.is_(None)
    seats = tx.execute(select(seat).where(*open_seats).order_by(seat.c.agency, seat.c.person)).all()
    known = _known(asked, found, room, tx)
    seats = [one for one in seats if known is None or one.agency in known]
    ways = tuple(one for one in Proceeding if possible(room, one, called, tx.profile, tx.now) is None)
    change_in, change_out = turning.changes(where, room, tx)
    return RoomView(
        found=True,
        acts=room.acts,
        body=where.body,
        basis=where.basis,
        starts=where.starts,
        ends=where.ends,
        place=where.place,
        room=where.room,
        mode=where.mode,
        mode_changes=mode_changes(tx, where.id),
        papers_shut=f"{found.shut.reason}{found.shut.next_step}" if found.shut else "",
        pledge=pledge_tables.wanted(tx, where.body),
        pledged=tuple(sorted(pledge_tables.pledged(tx, where.body), key=str)) if found.runs else (),
        may_run=found.runs,
        change_in=change_in,
        change_out=change_out,
        turned_at=room.turned,
        admitted=room.admitted,
        opened_at=room.opened,
        explained_at=room.explained,
        verdict=room.verdict,
        lacking=lacking(room.there, tx.here, tx.profile) if room.verdict is None else (),
        closed_at=room.closed,
        seats=tuple(RoomSeat(person=one.person, agency=one.agency, need=one.need) for one in seats),
        attendance=_attendance(room, known),
        items=tuple(_hearings(found, room, rows, known, tx)),
        minutes_version=room.minutes,
        approvals=tuple(
            ApprovalView(person=one.by, agency=one.agency, at=one.at, version=one.codes["minutes"])
            for one in room.approvals
        ),
        wanted_approvals=minutes.wanted_in_words(room, tx.profile, tx.here) if room.closed and room.minutes else (),
        approved_at=room.approved,
        ways=ways if found.runs else (),
    )


def _known(asked: LookAtRoom, found: _Look, room: Room, tx: Tx) -> frozenset[str] | None:
    """Who else is shown: to one who comes for a part, nobody of another case (P5, M6); None: everybody."""
    if found.runs or asked.viewer_agency is None:
        return None
    mine = [row for row in _items(found.where, tx) if row.id in found.shown]
    return beside(tx, found.where, room, asked.viewer_agency, mine)


def _attendance(room: Room, known: frozenset[str] | None) -> tuple[AttendanceView, ...]:
    return tuple(
        AttendanceView(
            person=one.person,
            agency=one.agency,
            post=one.post,
            ground=one.ground,
            entered_at=one.entered,
            left_at=one.left,
        )
        for one in room.stays
        if known is None or one.agency in known
    )


def _hearings(
    found: _Look, room: Room, rows: Sequence[Row[Any]], known: frozenset[str] | None, tx: Tx
) -> list[HearingView]:
    """In the order of the agenda. Of an item that is closed whoever runs the sitting learns why, and nothing else.

    ``known``: the agencies that whoever comes for a part may know of; such a one's items are counted by themselves.
    """
    listed = _items(found.where, tx)
    if known is not None:
        listed = [row for row in listed if row.id in found.shown]
    heads = sharing.heads(consents, tx, {row.case for row in listed}) if tx.here is Compartment.JUSO and listed else {}
    now = timetable_of(tx, found.where)
    boxed = {box.item: (one, box) for one, box in zip(now.items, now.boxes, strict=True)}
    seated = dict.fromkeys(tx.execute(_open_seats(found.where.id)).scalars())
    partly = [code for code in seated if not all(attends(code, one, now.always) for one in now.items)]
    views = []
    for order, row in enumerate(listed, 1):
        off = row.id not in room.hearings and row.id not in room.carried and row.on != found.where.id
        if row.id in found.shown or (off and found.runs and row.state in OFF):
            facts = {"item": row.id, "case": row.case, "purpose": row.purpose, "order": order}
            if row.id in boxed:
                one, box = boxed[row.id]
                come = tuple(code for code in partly if attends(code, one, now.always))
                facts |= {"box_starts": box.starts, "box_ends": box.ends, "comes": come}
            views.append(HearingView.model_validate(facts | _state(row, off, found, room, rows, heads, known, tx)))
    return views


def _open_seats(sitting_id: UUID) -> Select[tuple[str]]:
    mine = seat.c.sitting == sitting_id, seat.c.cancelled_at.is_(None)
    return select(seat.c.agency).where(*mine).order_by(seat.c.agency)


def _state(
    row: Row[Any],
    off: bool,
    found: _Look,
    room: Room,
    rows: Sequence[Row[Any]],
    heads: Mapping[UUID, sharing.Head],
    known: frozenset[str] | None,
    tx: Tx,
) -> dict[str, Any]:
    hearing = room.hearings.get(row.id)
    if off:
        return {"state": "off" if row.state in OFF else "carried", "refusal": row.why if row.state in OFF else ""}
    if hearing is None:
        carried = row.id in room.carried
        there = [one.agency for one in room.there if known is None or one.agency in known]
        leaving = () if carried else _leaving(row, heads.get(row.case), there, found.where, room, tx)
        return {"state": "carried" if carried else "waiting", "leaving": leaving}
    done = "carried" if hearing.outcome is Outcome.NOT_HEARD else "heard"
    return {
        "state": done if hearing.done else "open",
        "called_at": hearing.called,
        "done_at": hearing.done,
        "heard_by": hearing.present,
        "leaving": tuple(code for code in hearing.leaving if known is None or code in known),
        "versions": minutes.versions(rows, row.id, tx),
    }


def _leaving(
    row: Row[Any], head: sharing.Head | None, there: Sequence[str], where: Row[Any], room: Room, tx: Tx
) -> tuple[str, ...]:
    """Who is in the room and would leave for this item (M6): no part in it, or outside the consent.

    In shien everybody is bound, by the seat.
    """
    apart = {code for code in there if not has_part(tx, where, code, row, room)}
    if tx.here is Compartment.JUSO:
        decisions = grounds.open_to(row, head, there, (tx.now,))
        apart |= {code for code, decision in decisions.items() if not decision.allowed}
    return tuple(code for code in dict.fromkeys(there) if code in apart)
