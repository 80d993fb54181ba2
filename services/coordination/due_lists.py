"""What the week begins with: what is due of the cases in sight, what lapses, what has been overdue too long."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from contracts.life import CaseDue, CommissionDue, DueList, Overdue
from contracts.message import Compartment
from services.coordination import domain
from services.coordination.dues import Dues, dues, lapsing
from services.coordination.escalation_rules import Before, worst
from services.coordination.life_terms import OFFICE
from services.coordination.life_views import kind_of
from services.coordination.portions import portions
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import escalation, item
from services.service import Tx


def due_list(viewer: Viewer | None, sight: Sight, tx: Tx) -> DueList:
    """What is due of every case in sight, the most pressing first; to the 市町村 of shien also the lapsing 委嘱."""
    found = dues(sight.shown, tx)
    listed = [CaseDue(case=one.case, state=one.life.state, due=one.due, begun=one.life.acts > 0) for one in found]
    office = viewer is not None and sight.door is None and domain.is_office(tx.profile, viewer.agency)
    return DueList(
        cases=tuple(sorted(listed, key=lambda one: (one.due[0].on, one.case))),
        commissions=tuple(_lapsing(tx)) if office and tx.here is Compartment.SHIEN else (),
        overdue=tuple(overdue(found, viewer, tx)),
    )


def _lapsing(tx: Tx) -> Iterable[CommissionDue]:
    for row in lapsing(tx):
        yield CommissionDue(agency=row.agency, ends_on=domain.today(row.ends - timedelta(microseconds=1)))


def overdue(found: Sequence[Dues], viewer: Viewer | None, tx: Tx) -> list[Overdue]:
    """Those of the cases that are to be put to a meeting because something is overdue (M1), the longest first."""
    today, days = domain.today(tx.now), tx.profile.deadlines.escalate_days
    late = {one.case: one for one in found if worst(one.life, one.due, Before(), today, days)}
    known, listed = before(late, tx), []
    for about, one in late.items():
        if (due := worst(one.life, one.due, known[about], today, days)) is not None:
            may = viewer is not None and kind_of(viewer, one.life, tx) in OFFICE
            listed.append(Overdue(case=about, state=one.life.state, due=due, after=known[about].times, open=may))
    return sorted(listed, key=lambda one: (one.due.on, one.case))


def before(cases: Iterable[UUID], tx: Tx) -> dict[UUID, Before]:
    """By case, whether a meeting is to hear it, and how often and when one did because something was overdue."""
    found: dict[UUID, Before] = {}
    for part in portions(cases):
        coming = or_(item.c.starts.is_(None), item.c.starts > tx.now)
        waits = select(item.c.case).where(item.c.case.in_(part), item.c.withdrawn_at.is_(None), coming)
        waiting = set(tx.execute(waits).scalars())
        heard = (
            select(escalation.c.case, func.count().label("times"), func.max(item.c.ends).label("last"))
            .join(item, item.c.id == escalation.c.item)
            .where(escalation.c.case.in_(part))
            .group_by(escalation.c.case)
        )
        rows = {row.case: row for row in tx.execute(heard)}
        found |= {about: _before(about in waiting, rows.get(about)) for about in part}
    return found


def _before(coming: bool, row: object) -> Before:
    if row is None:
        return Before(coming)
    last: date | None = domain.today(row.last) if row.last else None  # type: ignore[attr-defined]
    return Before(coming, row.times, last)  # type: ignore[attr-defined]
