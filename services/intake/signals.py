"""Early signals from 地域づくり: kept sealed, read by the office, dropped with a reason or turned into a つなぎ.

A note typed in at a desk stays behind that desk. Once settled, it leaves the list of everybody but the 市町村, whatever
became of it: what an outside 多機関協働事業者 sees must not tell whether there is a referral that it does not know of.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, or_, select, update

from contracts.erasure import Erased, EraseReason
from contracts.message import Compartment, Event
from contracts.office import Done, Officer
from contracts.signals import (
    DropSignal,
    EraseSignal,
    LookAtSignals,
    Note,
    ReferSignal,
    ReportSignal,
    Signal,
    SignalNoted,
    Signals,
    SignalState,
)
from services.intake import domain
from services.intake.deeds import (
    NOT_OFFICE,
    Outcome,
    acts_for_office,
    flawed,
    forget,
    is_municipality,
    once,
    refused,
    register,
    today,
)
from services.intake.handlers import service, take_in
from services.intake.reception_tables import signal
from services.intake.signal_rules import NOTE_LABELS, URGENT_STEP, asking_flaws, note_flaws, reason_flaws
from services.intake.tables import referral
from services.service import Shut, Tx
from services.vault import open_row, seal_row

SHOWN_AT_ONCE = 500
UNKNOWN = ("signal-unknown", "そのメモはありません。", "kasane signal list で参照を確かめてください。")
SETTLED = (
    "signal-settled",
    "このメモは、ほかの人が先に決めました。",
    "kasane signal list --settled で結果を見てください。",
)
ONLY_MUNICIPALITY = ("S1", "決めた後のメモを見られるのは市町村の人だけです。", "市町村の受付担当に尋ねてください。")
NO_SIGNAL = "そのメモはありません。参照を確かめてください。"


@service.does(ReportSignal)
def report_signal(asked: ReportSignal, tx: Tx) -> tuple[SignalNoted, Iterable[Event]]:
    """Keep a note. Whoever brings it may be of any agency; nobody has to be named in it."""

    def act() -> Outcome[SignalNoted]:
        agencies = {one.code for one in tx.profile.agencies}
        if asked.by.agency not in agencies:
            return refused(SignalNoted, *NOT_OFFICE), asked.request, ()
        for flaw in note_flaws(asked.note, agencies, today(tx)):
            return flawed(SignalNoted, flaw, NOTE_LABELS[flaw.field]), asked.request, ()
        key = tx.ref()
        row = {"id": key, "urgent": asked.note.urgent, "state": SignalState.OPEN.value, "note": _written(asked.note)}
        row |= {"recorded_at": tx.now, "recorded_by": asked.by.person}
        row |= {"side": asked.by.desk_of.value if asked.by.desk_of else None}
        tx.execute(insert(signal).values(seal_row(tx, key, signal, row)))
        step = URGENT_STEP if asked.note.urgent else ""
        return SignalNoted(done=True, signal=key, next_step=step), key, ()

    return once(asked, SignalNoted, tx, act)


@service.does(LookAtSignals)
def look_at_signals(asked: LookAtSignals, tx: Tx) -> tuple[Signals, Iterable[Event]]:
    """The notes that wait, the urgent ones first; to the office only, and each showing is registered."""
    if not acts_for_office(asked.by, tx.profile):
        return refused(Signals, *NOT_OFFICE), ()
    if asked.settled and not is_municipality(asked.by.agency, tx.profile):
        return refused(Signals, *ONLY_MUNICIPALITY), ()
    wanted = select(signal).where(signal.c.erased_at.is_(None), *_behind_the_door(asked.by, tx))
    if not asked.settled:
        wanted = wanted.where(signal.c.state == SignalState.OPEN.value)
    wanted = wanted.order_by(signal.c.urgent.desc(), signal.c.recorded_at, signal.c.id).limit(SHOWN_AT_ONCE)
    rows = tx.execute(wanted).mappings().all()
    tx.fetch_keys([row["id"] for row in rows])
    found = tuple(one for row in rows if (one := _signal(row, tx)))
    register(tx, asked.by, "signal", ((one.signal, one.signal) for one in found), "signal-office")
    return Signals(done=True, signals=found), ()


@service.does(DropSignal)
def drop_signal(asked: DropSignal, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Nothing follows, and the reason is kept."""

    def act() -> Outcome[Done]:
        if (refusal := _not_open(asked, tx)) is not None:
            return refusal, asked.signal, ()
        for flaw in reason_flaws(asked.reason):
            return flawed(Done, flaw, NOTE_LABELS["reason"]), asked.signal, ()
        _settle(asked, SignalState.DROPPED, {"reason": asked.reason.strip()}, tx)
        return Done(done=True), asked.signal, ()

    return once(asked, Done, tx, act)


@service.does(ReferSignal)
def refer_signal(asked: ReferSignal, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """The note becomes a つなぎ like any other: its consent decides where it is heard."""

    def act() -> Outcome[Done]:
        if (refusal := _not_open(asked, tx)) is not None:
            return refusal, asked.signal, ()
        for flaw in asking_flaws(asked.sheet):
            return flawed(Done, flaw, domain.LABELS[flaw.field]), asked.signal, ()
        result, events = take_in(asked.sheet, tx)
        if result.outcome == "refused":
            return Done(done=False, rule=result.rule, reason=f"{result.field}: {result.message}"), asked.signal, ()
        mine = referral.c.referrer == asked.sheet.referrer, referral.c.number == asked.sheet.number
        key = tx.execute(select(referral.c.id).where(*mine)).scalar_one()
        _settle(asked, SignalState.REFERRED, {"referral": key}, tx)
        return Done(done=True, rule=result.rule), asked.signal, events

    return once(asked, Done, tx, act)


@service.does(EraseSignal)
def erase_signal(asked: EraseSignal, tx: Tx) -> tuple[Erased, Iterable[Event]]:
    """Destroy a note's key and its words; that there was one stays."""
    if tx.execute(select(signal.c.id).where(signal.c.id == asked.signal)).first() is None:
        return Erased(done=False, message=NO_SIGNAL), ()
    tx.audit(act="erase", outcome="allow", rule="", detail=asked.reason)
    erase(asked.signal, asked.reason, tx)
    return Erased(done=True), ()


def erase(key: UUID, reason: EraseReason, tx: Tx) -> None:
    """First the key, then the words. Twice is as once."""
    tx.destroy_key(key)
    gone = {"note": None, "reason": None, "erased_at": tx.now, "erased_for": reason.value}
    tx.execute(update(signal).where(signal.c.id == key, signal.c.erased_at.is_(None)).values(gone))
    forget(key, tx)


def erase_of_referral(key: UUID, reason: EraseReason, tx: Tx) -> None:
    """The notes that became this referral go with it: they are about the same person."""
    for one in tx.execute(select(signal.c.id).where(signal.c.referral == key)).scalars().all():
        erase(one, reason, tx)


def uncleared(tx: Tx) -> list[UUID]:
    """Erased notes whose deleted words may still lie in the store's files."""
    wanted = select(signal.c.id).where(signal.c.erased_at.is_not(None), signal.c.cleared_at.is_(None))
    return list(tx.execute(wanted).scalars())


def cleared(keys: list[UUID], tx: Tx) -> None:
    """The files hold no deleted word of these any more."""
    tx.execute(update(signal).where(signal.c.id.in_(keys)).values(cleared_at=tx.now))


def _behind_the_door(by: Officer, tx: Tx) -> Iterable[ColumnElement[bool]]:
    """What was typed in at a desk is read at that desk: whoever types at the desk of shien may write what was said in a
    支援会議 (S1). At the command line the 市町村 reads all, an outside 多機関協働事業者 nothing of shien."""
    if by.desk_of is None and is_municipality(by.agency, tx.profile):
        return ()
    side = (by.desk_of or Compartment.JUSO).value
    return (or_(signal.c.side.is_(None), signal.c.side == side),)


def _not_open(asked: DropSignal | ReferSignal, tx: Tx) -> Done | None:
    if not acts_for_office(asked.by, tx.profile):
        return refused(Done, *NOT_OFFICE)
    mine = signal.c.id == asked.signal, signal.c.erased_at.is_(None), *_behind_the_door(asked.by, tx)
    wanted = select(signal.c.state).where(*mine)
    state = tx.execute(wanted.with_for_update()).scalar()
    if state == SignalState.OPEN.value:
        return None
    known = state is not None and is_municipality(asked.by.agency, tx.profile)
    return refused(Done, *(SETTLED if known else UNKNOWN))


def _settle(asked: DropSignal | ReferSignal, state: SignalState, more: Mapping[str, Any], tx: Tx) -> None:
    row = {"state": state.value, "settled_at": tx.now, "settled_by": asked.by.person, **more}
    tx.execute(update(signal).where(signal.c.id == asked.signal).values(seal_row(tx, asked.signal, signal, row)))


def _written(note: Note) -> str:
    return note.model_dump_json(exclude_defaults=True)


def _signal(row: Mapping[Any, Any], tx: Tx) -> Signal | None:
    try:
        words = open_row(tx, row["id"], (signal.c.note, signal.c.reason), row)
    except Shut:
        return None
    return Signal(
        signal=row["id"],
        recorded_at=row["recorded_at"],
        state=SignalState(row["state"]),
        note=Note.model_validate_json(words["note"]),
        reason=words["reason"] or "",
    )
