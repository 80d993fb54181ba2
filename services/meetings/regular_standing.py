"""What is known for planning a regular sitting anew: its seats, its items, and the dates that are lawful instead.

Whoever holds the meeting does it (S1, S12). Nothing of a case is looked at but which agencies and days it is open to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.holding import Mode
from contracts.message import Compartment
from contracts.profile import Block, Body, Profile
from services import sharing
from services.meetings import domain, grounds, seating
from services.meetings.arranging import Actor, without_hold
from services.meetings.conducting import may_run
from services.meetings.gathering import Diary, Table, room_ref, rooms_of, search_of
from services.meetings.ordering import block_on
from services.meetings.placing import Known, look_around
from services.meetings.proposing_store import kept_apart
from services.meetings.ranking import Date, Ranking, Search, rank
from services.meetings.regular_rules import not_met_on, same_time, window_of
from services.meetings.replanning_rules import Held, broken, fewest_changes, room_lost, sitting_first
from services.meetings.replies import declined
from services.meetings.running_rules import Refusal
from services.meetings.running_tables import proceeding
from services.meetings.scheduling import TOKYO, NoSlot, Wanted, Window
from services.meetings.tables import agenda, consents, item, seat, sitting
from services.service import Tx, Work

NOT_THERE = Refusal("M1", "この定例の会議は見つかりません。", "今週の会議から開き直してください。")
BEGUN = Refusal("M1", "始まったか終わった会議は、組み直せません。", "議題は、会議の画面で次の会議に送ってください。")
UNCHECKED = Refusal("C11", "同意の状態を確かめられません。", "少し待って、もう一度行ってください。")
PLACING = Refusal("M1", "議題を載せているところです。", "少し待って、もう一度行ってください。")


@dataclass(frozen=True)
class Announced:
    """A regular sitting as the store has it."""

    where: Row[Any]
    body: Body
    block: Block
    seats: tuple[Row[Any], ...]
    items: tuple[Row[Any], ...]
    known: Known


@dataclass(frozen=True)
class Standing:
    """All that is known for planning it anew. ``outside``: standing agencies to which none of its items is open."""

    announced: Announced
    table: Table | NoSlot
    outside: tuple[Wanted, ...]
    diary: Diary


def announced_of(tx: Tx, of: UUID) -> Announced | Refusal:
    """The coming regular sitting, or why it cannot be planned anew."""
    mine = sitting.c.id == of, sitting.c.fixed, sitting.c.cancelled_at.is_(None), sitting.c.regular_on.is_not(None)
    where = tx.execute(select(sitting).where(*mine)).first()
    body = tx.profile.body(where.body) if where else None
    block = block_on(body, where.basis) if where and body else None
    if where is None or body is None or block is None:
        return NOT_THERE
    acted = tx.execute(select(proceeding.c.number).where(proceeding.c.sitting == of).limit(1)).first()
    if acted is not None or where.starts <= tx.now:
        return BEGUN
    juso = tx.here is Compartment.JUSO
    if juso and not sharing.is_fresh(consents, tx):
        return UNCHECKED
    live = select(seat).where(seat.c.sitting == of, seat.c.cancelled_at.is_(None))
    on_it = select(item).join(agenda, agenda.c.item == item.c.id).where(agenda.c.sitting == of)
    items = tuple(tx.execute(on_it.order_by(agenda.c.position)))
    if any(one.state != "placed" for one in items):
        return PLACING
    heads = sharing.heads(consents, tx, {one.case for one in items}) if juso and items else {}
    bonds = () if juso else grounds.bonds(tx)
    known = Known(heads, bonds, kept_apart(tx, [one.id for one in items]))
    seats = tuple(tx.execute(live.order_by(seat.c.agency, seat.c.person)))
    return Announced(where, body, block, seats, items, known)


def looked_up(tx: Tx, of: UUID, actor: Actor | None) -> Announced | Refusal:
    """The same for one who asks: only whoever holds the meeting may (S1)."""
    refusal = NOT_THERE if actor is None else may_run(actor.person, actor.agency, None, tx)
    return refusal or announced_of(tx, of)


async def standing_of(work: Work, found: Announced) -> Standing:
    """Ask the directory, and lay the table anew: who may sit there, and when it may lie. Raises AskFailed."""
    where, last = found.where, found.where.starts + timedelta(days=30)
    diary = await look_around(work, found.known, max(timedelta(days=1), last - work.now()))
    held = [one.person for one in found.seats] + ([room_ref(work.profile, where.room)] if where.room else [])
    diary = replace(diary, busy=without_hold(diary.busy, held, (where.starts, where.ends)))
    here = work.compartment or Compartment.JUSO
    window = window_of(work.profile, found.body, where.starts, work.now())
    return _laid(work.profile, here, found, diary, window, work.now())


def _laid(
    profile: Profile, here: Compartment, found: Announced, diary: Diary, window: Window, now: datetime
) -> Standing:
    """In juso only agencies inside the consent of some item sit; required ones inside that of each (C3, P1)."""
    first = max(now, window.start_of(0))
    wanted = seating.standing_seats(profile, found.body, here, diary.staff if here is Compartment.JUSO else ())
    if here is Compartment.JUSO:
        for one in found.items:
            head = diary.heads.get(one.case)
            window = domain.until(window, head.scope.ends) if head and head.scope else window
            required = [each for each in wanted if each.need == "required"]
            opened = grounds.open_to(one, head, (each.agency for each in required), (now,))
            checked = seating.within_consent(required, opened)
            if isinstance(checked, NoSlot):
                return Standing(found, checked, (), diary)
        agencies = {each.agency for each in wanted}
        opened_to = {
            code
            for one in found.items
            for code, decision in grounds.open_to(one, diary.heads.get(one.case), agencies, (now,)).items()
            if decision.allowed
        }
        inside = tuple(each for each in wanted if each.agency in opened_to)
        outside = tuple(each for each in wanted if each.agency not in opened_to)
        grounded, busy = seating.Grounded(inside), diary.busy
    else:
        everybody = seating.standing_seats(profile, found.body, here, diary.staff)
        bound = seating.bound_by_secrecy(
            everybody, seating.standing_seats(profile, found.body, here, diary.bound(first))
        )
        if isinstance(bound, NoSlot):
            return Standing(found, bound, (), diary)
        grounded = bound
        last = window.start_of(window.open.bit_length())
        outside, busy = (), diary.busy_or_unbound(first, last)
    return Standing(
        found, Table(_with_called(profile, grounded.seats, found), grounded.left_out, window, busy), outside, diary
    )


def _with_called(profile: Profile, seats: Sequence[Wanted], found: Announced) -> tuple[Wanted, ...]:
    """The standing seats with whoever was announced on them first, and those whom an item called besides (P5)."""
    agencies = {each.agency for each in seats}
    called = tuple(
        Wanted(one.agency, seating.agency_name(profile, one.agency), one.need, (one.person,))
        for one in found.seats
        if one.agency not in agencies
    )
    return sitting_first((*seats, *called), [one.person for one in found.seats])


# -- the dates ---------------------------------------------------------------------------------------------------------


def search_for(standing: Standing, table: Table, profile: Profile, mode: Mode, *, lost_room: bool) -> Search:
    """What the engine is asked: everybody's calendars, the body's own breaks, and its place if that is lost."""
    found = standing.announced
    where = found.where
    one = found.items[0] if found.items else where
    search = search_of(profile, (found.body, found.block), table, standing.diary, one, mode)
    days = ((search.first + timedelta(days=n)) for n in range((search.last - search.first).days + 1))
    shut = tuple(day for day in days if not_met_on(profile, found.body, day))
    apart = tuple(pair for pairs in standing.diary.apart.values() for pair in pairs)
    if lost_room:
        search = replace(search, room_busy=room_lost(search.room_busy, where))
    return replace(search, closed=shut, apart=apart, urgent=False, replies=declined(found.seats, where))


def ranked(standing: Standing, profile: Profile, mode: Mode | None = None, *, lost_room: bool = False) -> Ranking:
    """Every lawful date of a regular sitting, the one that changes least first."""
    found, table = standing.announced, standing.table
    if isinstance(table, NoSlot):
        return Ranking((), table.why, table.blocking)
    where, how = found.where, mode or found.where.mode
    search = search_for(standing, table, profile, how, lost_room=lost_room)
    result = rank(search)
    dates = list(result.dates)
    stays = not lost_room or how == "online"
    if stays and not not_met_on(profile, found.body, where.starts.astimezone(TOKYO).date()):
        away = [one.person for one in found.seats if one.answer == "absent"]
        announced = where.starts, where.ends, None if how == "online" else where.room
        kept = same_time(table.seats, table.busy, away, found.body.quorum, search.kinds, announced)
        dates = [one for one in dates if kept is None or one.starts != kept.starts] + ([kept] if kept else [])
    if lost_room and how != "online" and not rooms_of(profile, found.body, how):
        dates = [one for one in dates if one.ends <= where.starts or where.ends <= one.starts]
    least = fewest_changes(dates, where.starts, [one.person for one in found.seats])
    return replace(result, dates=least, none_because="" if least else result.none_because)


def broken_of(found: Announced, profile: Profile) -> tuple[str, ...]:
    """What the sitting no longer keeps: its day, its seats and quorums with the answers there are (M9, P1-P4)."""
    day = found.where.starts.astimezone(TOKYO).date()
    closed = not_met_on(profile, found.body, day)
    held = [
        Held(one.agency, seating.agency_name(profile, one.agency), one.need, one.answer == "absent")
        for one in found.seats
    ]
    said: tuple[str, ...] = (f"開催日(会議を開かない日: {closed})",) if closed else ()
    if any(one.absent for one in held):
        said += broken(held, found.body.quorum, {one.code: one.kind for one in profile.agencies})
    return said


def seats_of(date: Date) -> Mapping[UUID, Wanted]:
    """Who sits at a date."""
    return seating.one_seat_each((each, person) for each, person in date.chosen if person is not None)
