"""Takes the acts of a sitting: 開会 to 閉会, and the approval of its minutes. Each decides anew who may hear what.

Hearing is sharing: before an item is called, or somebody comes in while it is heard, the policy decides for each person
in the room, in juso the ledger permits, and the register gets its rows in the transaction that takes the act. Cut off
anywhere, the act is either taken in full or not at all; the same request again is the same act.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from contracts.directory import Staff, StaffView
from contracts.message import Account, Compartment, Event
from contracts.permit import ReportSpent
from contracts.running import Conduct, Conducted, Proceeding
from services import sharing
from services.meetings import domain, grounds, minutes, pledge_tables, seating, turning
from services.meetings.effects import EFFECTS, Effect, nothing
from services.meetings.handlers import service
from services.meetings.hearers import Now, entrant, hearers, still, unheard
from services.meetings.minutes import acts_of, called_of
from services.meetings.running import fold
from services.meetings.running_rules import Refusal, judge
from services.meetings.running_tables import proceeding
from services.meetings.tables import consents, disclosure, item, sitting
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Verdicts

NOT_YOURS = Refusal(
    "S1", "会議を進められるのは、開催する機関の担当者だけです。", "市町村か多機関協働事業者の担当者に頼んでください。"
)
NOT_BOUND = Refusal(
    "S6",
    "いま有効な委嘱がないので、支援会議を進められません。",
    "市町村の担当者に、委嘱を記録するよう頼んでください。",
)
NO_SITTING = Refusal("M5", "この会議は見つかりません。", "会議の一覧から選び直してください。")
OTHERS = Refusal("M5", "ほかの人が先に記録しました。", "画面を読み直して、もう一度選んでください。")
ANOTHER = Refusal("M5", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、記録し直してください。")
STALE = Refusal("C11", "同意の状態を確かめられないため、議題に入れません。", "少し待って、もう一度行ってください。")
OF_AN_ITEM = (Proceeding.CALL, Proceeding.RECORD, Proceeding.CORRECT)
NEEDS_STAFF = (Proceeding.ADMIT, Proceeding.ENTER, Proceeding.APPROVE)


@service.performs(Conduct)
async def conduct(asked: Conduct, work: Work) -> Conducted:
    """Take an act that is lawful now. The same request again is the same act. Raises AskFailed."""
    staff = (await work.ask(Staff())).staff if asked.move.what in NEEDS_STAFF else ()
    planned = await work.run(partial(_plan, asked, staff))
    if isinstance(planned, Conducted):
        return planned
    hosted = work.profile.body(planned.body) is not None
    if work.compartment is Compartment.SHIEN:
        hosted = domain.is_hosted(work.profile, planned.body, work.compartment)
    verdicts = await sharing.permitted(work, planned.shares, hosted_by_municipality=hosted)
    answers: list[Conducted] = []
    try:
        await work.tell(partial(_take, asked, staff, verdicts, answers))
    finally:
        if permits := tuple(one.permit.permit for one in verdicts.allowed if one.permit):
            with suppress(AskFailed):  # they run out by themselves
                await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)
    return answers[-1]


@dataclass(frozen=True)
class Planned:
    """Who would hear which item by this act."""

    body: str
    shares: tuple[Share, ...]


def _plan(asked: Conduct, staff: Sequence[StaffView], tx: Tx) -> Conducted | Planned:
    found = _look(asked, staff, tx)
    if not isinstance(found, Now):
        return found
    return Planned(found.where.body, tuple(hearers(asked, found, tx)))


def _take(
    asked: Conduct, staff: Sequence[StaffView], verdicts: Verdicts, answers: list[Conducted], tx: Tx
) -> Iterable[Event]:
    """Judge once more, for others may have been quicker, and write act, register and effects, all or none."""
    found = _look(asked, staff, tx)
    if not isinstance(found, Now):
        answers.append(found)
        return ()
    allowed, refused = still(verdicts, hearers(asked, found, tx))
    if refusal := unheard(asked, found, allowed, refused, tx):
        for one in refused:
            sharing.note(one, f"meetings@{tx.here}", tx)
        answers.append(_refused(asked, refusal, tx))
        return ()
    try:
        with tx.connection.begin_nested():
            effect: Callable[..., Effect] = EFFECTS.get(asked.move.what, nothing)
            codes, events, done = effect(asked, found, allowed, refused, tx)
            if done:
                _write(asked, found, codes, tx)
            sharing.record(disclosure, allowed, f"meetings@{tx.here}", tx)
    except IntegrityError:
        answers.append(_refused(asked, OTHERS, tx))
        return ()
    for one in refused:
        sharing.note(one, f"meetings@{tx.here}", tx)
    if not done:
        answers.append(_refused(asked, Refusal("C11", codes["why"], "日程は改めて決まります。"), tx))
        return events
    _audit(asked, "allow", "", tx)
    answers.append(Conducted(done=True, acts=found.room.acts + 1))
    return events


def _look(asked: Conduct, staff: Sequence[StaffView], tx: Tx) -> Now | Conducted:
    """What an act is judged by, or the answer if it is not lawful, or taken already."""
    where = tx.execute(select(sitting).where(sitting.c.id == asked.sitting, sitting.c.fixed)).first()
    if where is None or asked.viewer is None or asked.viewer_agency is None:
        return _refused(asked, NO_SITTING, tx)
    if refusal := may_run(asked.viewer, asked.viewer_agency, asked.move.what, tx):
        return _refused(asked, refusal, tx)
    rows = acts_of(asked.sitting, tx)
    for row in rows:
        if row.request == asked.request:
            same = minutes.whole(row, tx) == asked.move
            return Conducted(done=True, acts=row.number) if same else _refused(asked, ANOTHER, tx)
    if len(rows) != asked.after:
        return _refused(asked, OTHERS, tx)
    if where.cancelled_at is not None and not rows:
        return _refused(asked, Refusal("M5", "この会議は取り消されています。", "一覧から選び直してください。"), tx)
    room = fold(minutes.done_of(row) for row in rows)
    now = Now(where, room, staff)
    refusal = judge(room, asked.move, called_of(where, tx), tx.profile, tx.now) or _barred(asked, now, tx)
    return _refused(asked, refusal, tx) if refusal else now


def may_run(person: UUID, agency: str, what: Proceeding | None, tx: Tx) -> Refusal | None:
    """Whoever holds the meeting runs it: in shien the 市町村, bound to secrecy itself (S1, S6)."""
    kind = next((one.kind for one in tx.profile.agencies if one.code == agency), None)
    if kind not in seating.MUST_ATTEND[tx.here]:
        return NOT_YOURS
    if tx.here is Compartment.SHIEN and grounds.bond_of(grounds.bonds(tx), person, agency, tx.now) is None:
        return NOT_BOUND
    return None


def _barred(asked: Conduct, now: Now, tx: Tx) -> Refusal | None:
    """What depends on who somebody is, by the directory and the seats (S12, S13), or on the replica (C11)."""
    what = asked.move.what
    hears = what is Proceeding.CALL or (what is Proceeding.ENTER and now.room.current is not None)
    if hears and tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return STALE
    if hears and (refusal := _unpledged(asked, now, tx)):
        return refusal
    if what is Proceeding.ADMIT:
        return turning.why_not_admit(asked, now, tx)
    if what is Proceeding.ENTER:
        found = entrant(asked, now, tx)
        return found if isinstance(found, Refusal) else None
    if what is Proceeding.APPROVE:
        return minutes.why_not_approve(asked, now.room, now.staff, tx)
    if what in (Proceeding.RECORD, Proceeding.CORRECT):
        return _outside(asked, tx)
    return None


def _unpledged(asked: Conduct, now: Now, tx: Tx) -> Refusal | None:
    """Whoever hears an item has handed in a 誓約書, where the body asks for one (S16)."""
    agency = next((one.agency for one in now.staff if one.person == asked.move.person), None)
    coming = [(asked.move.person, agency)] if asked.move.person and agency else []
    return pledge_tables.why_not_hear(tx, now.where.body, now.room, coming)


def _outside(asked: Conduct, tx: Tx) -> Refusal | None:
    """Nobody gets a role in a case who may not hear of it (C3, S6)."""
    roles = {role.agency for role in asked.move.result.roles} if asked.move.result else set()
    names = {one.code: one.name for one in tx.profile.agencies}
    if roles - names.keys():
        return Refusal("T2", "市町村の設定にない機関が、役割にあります。", "いまある機関を選び直してください。")
    one = tx.execute(select(item).where(item.c.id == asked.move.item)).one()
    if tx.here is Compartment.SHIEN:
        without = roles - {bond.agency for bond in grounds.bonds(tx)}
        rule, door = "S6", "先に委嘱するか、委嘱した機関の役割にしてください。"
    else:
        head = sharing.heads(consents, tx, [one.case]).get(one.case)
        decisions = grounds.open_to(one, head, roles, (tx.now,))
        without = {code for code, decision in decisions.items() if not decision.allowed}
        rule, door = "C3", "この機関を含む同意を得るか、同意の範囲の機関の役割にしてください。"
    if not without:
        return None
    return Refusal(rule, f"{'、'.join(names[one] for one in sorted(without))}には、この事案を伝えられません。", door)


def _write(asked: Conduct, now: Now, codes: dict[str, Any], tx: Tx) -> None:
    move = asked.move
    about = move.item if move.what in OF_AN_ITEM else None
    case = tx.connection.scalar(select(item.c.case).where(item.c.id == about)) if about else None
    kept, words = minutes.split(move)
    new = {
        "sitting": asked.sitting,
        "number": now.room.acts + 1,
        "compartment": tx.here,
        "request": asked.request,
        "at": tx.now,
        "what": move.what.value,
        "by": asked.viewer,
        "agency": asked.viewer_agency,
        "item": move.item if about else None,
        "case": case,
        "codes": {"move": kept, **codes},
        "words": tx.seal(case, minutes.SEALED_IN, words) if words and case else None,
    }
    tx.execute(insert(proceeding).values(new))


def _refused(asked: Conduct, refusal: Refusal, tx: Tx) -> Conducted:
    _audit(asked, "refuse", refusal.rule, tx)
    return Conducted(done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


def _audit(asked: Conduct, outcome: str, rule: str, tx: Tx) -> None:
    tx.audit(
        act="sitting",
        outcome=outcome,
        rule=rule or "M6",
        actor=str(asked.viewer or ""),
        item=asked.move.item,
        person=asked.move.person,
        detail=asked.move.what.value,
    )
