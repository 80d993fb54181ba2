"""Puts a case to the next regular meeting because something has been overdue too long: one click, or by itself (M1).

The item is what the case would be brought for anyway, so that whoever brings it later finds it waiting. Nothing moves
in the case's life: what was overdue stays due until somebody does it.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from contracts.escalation import Escalate, Escalated
from contracts.life import Overdue, Step
from contracts.message import Compartment, Event
from services import sharing
from services.coordination import charge, domain, life, powers, showing
from services.coordination.due_lists import overdue
from services.coordination.dues import dues
from services.coordination.handlers import service
from services.coordination.hearing import is_stopped
from services.coordination.life_terms import OFFICE, Life, Refusal
from services.coordination.life_views import acts_of, head_of, is_erased, kind_of, life_of
from services.coordination.living import GONE, NOT_SEEN, STOPPED, put_forward, unseen, why_unheard
from services.coordination.portions import portions
from services.coordination.showing import Viewer
from services.coordination.tables import consents, daily, escalation
from services.office_days import in_office_hours
from services.service import Tx, Work

WHAT = "escalations"
MEANWHILE = Refusal(
    "M1", "ほかの人が先に付議したか、期限の過ぎたものがなくなりました。", "「今週の会議」を読み直してください。"
)
NOT_OFFICE = Refusal("T1", "これは市町村か多機関協働事業者が行います。", "担当課か推進員に伝えてください。")


@service.performs(Escalate)
async def escalate(asked: Escalate, work: Work) -> Escalated:
    """Put it to the meeting, for somebody who may see the case and may carry it. The same request again is one."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    refusal = await showing.show(work, viewer, [asked.case], partial(unseen, asked.case))
    if viewer is None:
        return _refused(NOT_SEEN)
    reserved = powers.reserved(Step.BRING, viewer, await powers.posts_of(viewer, work), work.profile)
    answers: list[Escalated] = []
    await work.tell(partial(_escalate, asked, viewer, refusal or reserved, answers))
    return answers[-1]


def _escalate(
    asked: Escalate, viewer: Viewer, refusal: Refusal | None, answers: list[Escalated], tx: Tx
) -> Iterable[Event]:
    known = tx.execute(select(escalation.c.case).where(escalation.c.request == asked.request)).scalar()
    if known is not None and refusal is None:
        answers.append(Escalated(done=True) if known == asked.case else _refused(MEANWHILE))
        return ()
    refusal = refusal or _not_theirs(asked.case, viewer, tx)
    found = [] if refusal else overdue(dues([asked.case], tx), viewer, tx)
    events: list[Event] = []
    if refusal is None and found and found[0].after == asked.after:
        refusal = _put(found[0], asked.request, viewer, events, tx)
    elif refusal is None:
        refusal = MEANWHILE
    if refusal is not None:
        _audit(asked.case, str(viewer.person), refusal.rule, "refuse", tx)
    answers.append(_refused(refusal) if refusal else Escalated(done=True))
    return events


def _not_theirs(about: UUID, viewer: Viewer, tx: Tx) -> Refusal | None:
    now = life_of(about, acts_of(about, tx), tx)
    return None if kind_of(viewer, now, tx) in OFFICE else NOT_OFFICE


def _put(one: Overdue, request: UUID, by: Viewer | None, events: list[Event], tx: Tx) -> Refusal | None:
    """The item and the row that says why, both or neither; None when it was done."""
    now = life_of(one.case, acts_of(one.case, tx), tx)
    if refusal := _closed(one.case, now, tx):
        return refusal
    new = {"case": one.case, "number": one.after + 1, "compartment": tx.here, "request": request, "at": tx.now}
    new |= {"rule": one.due.rule, "overdue_since": one.due.on}
    new |= {"by": by.person, "agency": by.agency} if by else {}
    try:
        with tx.connection.begin_nested():
            put = put_forward(one.case, now, life.purpose_of(now, Step.BRING), False, None, tx)
            tx.execute(insert(escalation).values(new | {"item": put.about}))
    except IntegrityError:
        return MEANWHILE
    events.append(put)
    _audit(one.case, str(by.person) if by else f"{service.name}@{tx.here}", "M1", "allow", tx)
    return None


def _closed(about: UUID, now: Life, tx: Tx) -> Refusal | None:
    """Nothing is put to a meeting of an erased case, beyond a consent, or where the city may not hear it (C3, C11)."""
    if is_erased(about, tx):
        return GONE
    if tx.here is Compartment.JUSO and is_stopped(head_of(about, tx), tx.now):
        return STOPPED
    return why_unheard(about, life.purpose_of(now, Step.BRING), tx)


def _audit(about: UUID, actor: str, rule: str, outcome: str, tx: Tx) -> None:
    tx.audit(act="escalate", outcome=outcome, rule=rule, actor=actor, case=about)


def _refused(refusal: Refusal) -> Escalated:
    return Escalated(done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


# -- by itself ---------------------------------------------------------------------------------------------------------


@service.errand(every=60.0, woken=False)
async def escalate_by_itself(work: Work) -> None:
    """Once a working day, in office hours, where the profile says that nobody has to confirm it.

    Not where calling a meeting is a power that nobody may exercise for its holder (S13). Cut off anywhere it goes on
    the next minute: a case that was put to a meeting waits for one, and is none of those any more.
    """
    deadlines, power = work.profile.deadlines, charge.power_for(work.profile, Step.BRING)
    if deadlines.escalation != "automatic" or power is not None or not in_office_hours(work.profile, work.now()):
        return
    for part in await work.run(_to_look_through):
        await work.tell(partial(_put_all, part))
    await work.run(_looked_through)


def _to_look_through(tx: Tx) -> Sequence[list[UUID]]:
    """The cases that are not long over, some at a time; none if that was done today or the replica is not whole."""
    done = select(daily).where(daily.c.what == WHAT, daily.c.day == domain.today(tx.now))
    if tx.execute(done).first() or (tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx)):
        return []
    return list(portions(showing.listed(tx)))


def _put_all(cases: Sequence[UUID], tx: Tx) -> Iterable[Event]:
    events: list[Event] = []
    for one in overdue(dues(cases, tx), None, tx):
        if (refusal := _put(one, tx.ref(), None, events, tx)) is not None:
            _audit(one.case, f"{service.name}@{tx.here}", refusal.rule, "refuse", tx)
    return events


def _looked_through(tx: Tx) -> None:
    """Note that today's work is done, unless it could not be begun."""
    if tx.here is Compartment.JUSO and not sharing.is_fresh(consents, tx):
        return
    today = domain.today(tx.now)
    if not tx.execute(select(daily).where(daily.c.what == WHAT, daily.c.day == today)).first():
        tx.execute(insert(daily).values(what=WHAT, day=today, at=tx.now))
