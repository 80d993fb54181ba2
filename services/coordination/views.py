"""What a viewer reads of the cases shown to him or her: lists, one case's way, names; stubs of stopped ones."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select

from contracts.coordination import (
    WITHHELD,
    CaseList,
    CaseView,
    Clients,
    ConsentInForce,
    Said,
    Step,
    TrailSteps,
)
from contracts.intake import Particulars
from contracts.policy import Category
from services.coordination.domain import JAPAN
from services.coordination.dues import standings
from services.coordination.portions import portions as portions
from services.coordination.showing import Sight
from services.coordination.tables import case, case_agency, case_problem, client, entry, erased, item, step
from services.coordination.taking_over import SEALED_IN
from services.service import Shut, Tx
from services.sharing import Head
from services.vault import open_row

NOBODY = Particulars(found=False)
ERASED = Particulars(found=False, erased=True)


def case_list(sight: Sight, tx: Tx) -> CaseList:
    """The cases in sight, the longest waiting first."""
    door = sight.door
    return CaseList(
        cases=case_views(sight, tx),
        fenced=sight.fenced,
        reason=door.reason if door else "",
        next_step=door.next_step if door else "",
    )


def trail(about: UUID, sight: Sight, tx: Tx) -> TrailSteps:
    """One case in sight with its steps; of a stopped one the stub only."""
    found = case_views(sight, tx)
    if not found:
        return TrailSteps(case=None, fenced=sight.fenced)
    (view,) = found
    consent = _consent(sight.heads[about], in_force=not view.stopped) if about in sight.heads else None
    if view.stopped:
        return TrailSteps(case=view, consent=consent)
    rows = tx.execute(select(step).where(step.c.case == about).order_by(step.c.number)).all()
    arrived = datetime.combine(view.received_on, time(0), JAPAN).astimezone(UTC)
    steps = [Step(at=arrived, what="received"), *(_step(row) for row in rows)]
    return TrailSteps(
        case=view, steps=tuple(steps), client=client_of(about, tx), consent=consent, said=tuple(_said(about, tx))
    )


def _step(row: Any) -> Step:
    return Step(at=row.at, what=row.what, purpose=row.purpose, sitting=row.sitting, starts=row.starts)


def _said(about: UUID, tx: Tx) -> Iterable[Said]:
    """What was written down of a case, oldest first; what its つなぐシート says stands with the client."""
    wanted = select(entry).where(entry.c.case == about, entry.c.written_by.is_not(None), entry.c.text.is_not(None))
    rows = tx.execute(wanted.where(entry.c.category == Category.ORDINARY).order_by(entry.c.written_at, entry.c.id))
    for row in rows.all():
        with suppress(Shut):
            yield Said(provider=row.provider, at=row.written_at, text=tx.open(about, SEALED_IN, row.text))


def client_of(about: UUID, tx: Tx) -> Particulars:
    """Who a shien case is about; nobody where it was erased."""
    return _clients(tx, [about]).get(about, NOBODY)


def names(sight: Sight, tx: Tx) -> Clients:
    """Who the cases in sight are about, for lists: without the texts."""
    known = _clients(tx, sorted(sight.shown))
    return Clients(clients={one: who.model_copy(update={"reason": "", "wishes": ""}) for one, who in known.items()})


def case_views(sight: Sight, tx: Tx) -> tuple[CaseView, ...]:
    """Every case in sight as a list shows it."""
    # An item of the tax office carries showings only, and never went to a meeting.
    wanted = select(case, item.c.id.label("item"), item.c.sitting, item.c.starts, item.c.withdrawn_at).join(
        item, (item.c.case == case.c.id) & (item.c.category == Category.ORDINARY)
    )
    newest = {
        row.id: row
        for some in portions({*sight.shown, *sight.stopped})
        for row in tx.execute(wanted.where(case.c.id.in_(some)).order_by(item.c.put_at))
    }
    rows = list(newest.values())
    stands = standings(sight.shown, tx)
    agencies, problems = _codes(case_agency, "agency", sight, tx), _codes(case_problem, "problem", sight, tx)
    return tuple(
        _stub(row, sight)
        if row.id in sight.stopped
        else CaseView(
            case=row.id,
            opened_at=row.opened_at,
            received_on=row.received_on,
            urgent=row.urgent,
            state="waiting" if row.withdrawn_at else "placed" if row.sitting else "put_forward",
            referrer=row.referrer,
            agencies=tuple(code for _, code in sorted(agencies.get(row.id, ()))),
            problems=tuple(sorted(code for _, code in problems.get(row.id, ()))),
            household_size=row.household_size,
            ground=sight.heads[row.id].state if row.id in sight.heads else row.ground,
            item=row.item,
            sitting=None if row.withdrawn_at else row.sitting,
            sitting_starts=None if row.withdrawn_at else row.starts,
            stands=stands[row.id].life.state if row.id in stands else None,
            due=next(iter(stands[row.id].due), None) if row.id in stands else None,
        )
        for row in sorted(rows, key=lambda row: (row.received_on, row.opened_at, row.id))
    )


def _stub(row: Any, sight: Sight) -> CaseView:
    """What is left of a case whose consent is not in force: for those who ask again or decide (C11)."""
    return CaseView(
        case=row.id,
        opened_at=row.opened_at,
        received_on=row.received_on,
        urgent=False,
        state="waiting",
        referrer=WITHHELD,
        agencies=(),
        problems=(),
        household_size=1,
        ground=sight.heads[row.id].state,
        item=row.item,
        stopped=True,
        stop_reason=sight.stopped[row.id],
    )


def _consent(head: Head, *, in_force: bool) -> ConsentInForce:
    scope = head.scope if in_force else None
    if scope is None:
        return ConsentInForce(version=head.version, state=head.state)
    return ConsentInForce(
        version=head.version,
        state=head.state,
        starts=scope.starts,
        ends=scope.ends,
        agencies=scope.agencies,
        purposes=scope.purposes,
        members=len(scope.members),
        covers_tax=scope.covers_tax,
    )


def _codes(part: Any, column: str, sight: Sight, tx: Tx) -> dict[UUID, list[tuple[int, str]]]:
    """Codes of the cases that are shown whole, with their place where they have one."""
    found: dict[UUID, list[tuple[int, str]]] = {}
    for some in portions(sight.shown):
        for row in tx.execute(select(part).where(part.c.case.in_(some))).mappings():
            found.setdefault(row["case"], []).append((row.get("place", 0), row[column]))
    return found


def _clients(tx: Tx, cases: Sequence[UUID]) -> dict[UUID, Particulars]:
    rows = [
        row for some in portions(cases) for row in tx.execute(select(client).where(client.c.case.in_(some))).mappings()
    ]
    tx.fetch_keys([row["case"] for row in rows])
    gone = [
        case
        for some in portions(cases)
        for case in tx.execute(select(erased.c.subject).where(erased.c.subject.in_(some))).scalars()
    ]
    return {row["case"]: _opened(row, tx) for row in rows} | dict.fromkeys(gone, ERASED)


def _opened(row: Mapping[Any, Any], tx: Tx) -> Particulars:
    shown = [column for column in client.c if column.name not in ("case", "compartment")]
    try:
        return Particulars(found=True, **open_row(tx, row["case"], shown, row))
    except Shut:
        return ERASED
