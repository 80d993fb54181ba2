"""What the acts of a sitting bring about besides being written down: seats, items carried on, what coordination learns.

Each effect gives the codes to keep with the act, the events, and whether the act takes place at all.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.life import Outcome
from contracts.message import Event
from contracts.running import Conduct, HearingOpened, ItemHeard, Proceeding
from services.meetings import hearers, minutes, stopping, turning
from services.meetings.hearers import Now, entrant
from services.meetings.running import Room
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO
from services.meetings.tables import agenda, item, seat, sitting
from services.service import Tx
from services.sharing import Shared

Effect = tuple[dict[str, Any], list[Event], bool]
"""Codes to keep with the act, events, and whether it took place."""
NOT_HEARD = "会議で扱わなかったため、次の会議に送ります。"
NOT_A_MEETING = "必須の機関がそろわず会議が成立しなかったため、次の会議に送ります。"


def _call(asked: Conduct, now: Now, allowed: Sequence[Shared], refused: Sequence[Shared], tx: Tx) -> Effect:
    heard = [[str(one.share.person), one.share.agency] for one in allowed]
    apart = hearers.apart(asked.move.item, now, tx) if asked.move.item else ()
    leaving = list(dict.fromkeys([*(one.share.agency for one in refused), *apart]))
    return {"heard": heard, "leaving": leaving}, [], True


def _enter(asked: Conduct, now: Now, allowed: Sequence[Shared], refused: Sequence[Shared], tx: Tx) -> Effect:
    found = entrant(asked, now, tx)
    if isinstance(found, Refusal):
        raise TypeError("judged before")
    stay = found.stay
    if found.need:
        row = {"sitting": now.where.id, "person": stay.person, "agency": stay.agency, "need": found.need}
        tx.execute(insert(seat).values(**row, uid=tx.ref(), compartment=tx.here, commission=found.commission))
    return {"agency": stay.agency, "at": stay.entered.isoformat(), "hears": bool(allowed)}, [], True


def nothing(*_: Any) -> Effect:
    return {}, [], True


def _leave(asked: Conduct, *rest: Any) -> Effect:
    tx: Tx = rest[-1]
    return {"at": (asked.move.at or tx.now).isoformat()}, [], True


def _open(asked: Conduct, now: Now, *rest: Any) -> Effect:
    """Derive anew what may be heard and who sits there. If nothing is left the sitting is cancelled, and not opened."""
    tx: Tx = rest[-1]
    events = stopping.take_off_closed(tx, now.where.id)
    left = tx.execute(select(sitting.c.cancelled_at, sitting.c.why).where(sitting.c.id == now.where.id)).one()
    return {"why": f"{left.why}。"}, events, left.cancelled_at is None


def _judge(asked: Conduct, now: Now, *rest: Any) -> Effect:
    tx: Tx = rest[-1]
    told = [
        HearingOpened(about=one.id, case=one.case, sitting=now.where.id, version=_counted(one.id, tx))
        for one in _on_agenda(now, tx)
    ]
    return {}, list(told), True


def _give_up(asked: Conduct, now: Now, *rest: Any) -> Effect:
    """It was a ケース会議: nothing is decided, all items go to the next sitting (P1, T4)."""
    tx: Tx = rest[-1]
    items = [one.id for one in _on_agenda(now, tx)]
    events = stopping.carry_over(tx, now.where, items, NOT_A_MEETING)
    return {"carried": [str(one) for one in items]}, events, True


def _close(asked: Conduct, now: Now, *rest: Any) -> Effect:
    """What was heard is told to coordination, what was not goes to the next sitting."""
    tx: Tx = rest[-1]
    on_it = [one.id for one in _on_agenda(now, tx)]
    heard = [one for one, hearing in now.room.hearings.items() if hearing.outcome is not Outcome.NOT_HEARD]
    carried = [one for one in on_it if one not in heard]
    events: list[Event] = list(heard_events(now.where, now.room, tx, approved=False))
    events += stopping.carry_over(tx, now.where, carried, NOT_HEARD)
    return {"carried": [str(one) for one in carried]}, events, True


def _correct(asked: Conduct, now: Now, *rest: Any) -> Effect:
    """Coordination learns that the minutes it knew to be approved are so no more."""
    tx: Tx = rest[-1]
    told = heard_events(now.where, now.room, tx, approved=False) if now.room.approved else ()
    return {}, list(told), True


def _approve(asked: Conduct, now: Now, *rest: Any) -> Effect:
    tx: Tx = rest[-1]
    left = set(minutes.wanted(now.room, tx.profile, tx.here)) - {asked.viewer_agency}
    told = () if left else heard_events(now.where, now.room, tx, approved=True)
    return {"all": not left, "minutes": now.room.minutes}, list(told), True


def heard_events(where: Row[Any], room: Room, tx: Tx, *, approved: bool) -> Iterable[Event]:
    """What coordination is told of each item that was heard: outcome and agencies, no word of what was said."""
    day = where.starts.astimezone(TOKYO).date()
    for about, hearing in room.hearings.items():
        if hearing.outcome in (None, Outcome.NOT_HEARD):
            continue
        case = tx.connection.scalar(select(item.c.case).where(item.c.id == about))
        yield ItemHeard.model_validate(
            {"about": about, "case": case, "sitting": where.id, "outcome": hearing.outcome, "heard_on": day}
            | {"present": hearing.present, "approved": approved, "version": _counted(about, tx)}
        )


def _on_agenda(now: Now, tx: Tx) -> Sequence[Row[Any]]:
    on_it = select(item).join(agenda, agenda.c.item == item.c.id).order_by(agenda.c.position)
    return tx.execute(on_it.where(agenda.c.sitting == now.where.id, item.c.state == "placed")).all()


def _counted(about: UUID, tx: Tx) -> int:
    """The next version of what is told of an item: one count for all facts about its date (ItemPlaced)."""
    counted = update(item).where(item.c.id == about).values(version=item.c.version + 1).returning(item.c.version)
    version: int = tx.execute(counted).scalar_one()
    return version


EFFECTS: dict[Proceeding, Callable[..., Effect]] = {
    Proceeding.TURN: turning.turn,
    Proceeding.OPEN: _open,
    Proceeding.ADMIT: turning.admit,
    Proceeding.ENTER: _enter,
    Proceeding.LEAVE: _leave,
    Proceeding.JUDGE: _judge,
    Proceeding.GIVE_UP: _give_up,
    Proceeding.CALL: _call,
    Proceeding.CLOSE: _close,
    Proceeding.CORRECT: _correct,
    Proceeding.APPROVE: _approve,
}
"""What an act brings about, besides being written down: codes to keep with it, events, and whether it took place."""
