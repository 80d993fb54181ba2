"""Events in, events out: a referral opens a case, the case is put to a meeting, the meeting's date comes back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select, update

from contracts.consent import ConsentState
from contracts.coordination import (
    CaseList,
    Cases,
    CaseView,
    Clients,
    ClientsOfCases,
    EraseCase,
    ItemPutForward,
    Step,
    TakeInClient,
    TakenIn,
    Trail,
    TrailSteps,
)
from contracts.erasure import Erased
from contracts.intake import Particulars, ReferralWithConsent, ReferralWithoutConsent
from contracts.meetings import ItemPlaced
from contracts.message import Event
from services.coordination import domain
from services.coordination.tables import case, case_agency, case_problem, client, erased, item, step, tables
from services.service import NotYet, Service, Shut, Tx, Work
from services.vault import open_row, seal_row

JAPAN = ZoneInfo("Asia/Tokyo")

service = Service("coordination", tables, compartments=True, publishes=frozenset({ItemPutForward}), seals=True)


@service.on(ReferralWithConsent)
def open_case_with_consent(referral: ReferralWithConsent, tx: Tx) -> Iterable[Event]:
    """A consented referral becomes a juso case (C1)."""
    ground = ConsentState.NARROWED if referral.narrowed else ConsentState.GIVEN
    consent = {"consent": referral.consent, "consent_version": referral.consent_version}
    return _open_case(referral, ground, consent, tx)


@service.on(ReferralWithoutConsent)
def open_case_without_consent(referral: ReferralWithoutConsent, tx: Tx) -> Iterable[Event]:
    """A referral without consent becomes a shien case (C4)."""
    return _open_case(referral, referral.ground, {}, tx)


@service.on(ItemPlaced)
def note_sitting(placed: ItemPlaced, tx: Tx) -> Iterable[Event]:
    """The item has a date: the case waits for its sitting."""
    changed = tx.execute(
        update(item).where(item.c.id == placed.about).values(sitting=placed.sitting, starts=placed.starts)
    )
    if not changed.rowcount:
        raise NotYet
    _record(tx, placed.case, "item_placed")
    return ()


@service.does(TakeInClient)
def take_in_client(asked: TakeInClient, tx: Tx) -> tuple[TakenIn, Iterable[Event]]:
    """Intake writes who a shien case is about. Asked again, or when either side erased it, it changes nothing."""
    if asked.particulars.erased or tx.execute(select(client.c.case).where(client.c.case == asked.case)).first():
        return TakenIn(), ()
    try:
        who = seal_row(tx, asked.case, client, asked.particulars.model_dump(exclude={"found", "erased"}))
    except Shut:
        return TakenIn(), ()
    tx.execute(insert(client).values(case=asked.case, compartment=tx.here, **who))
    _record(tx, asked.case, "client_taken_in")
    return TakenIn(), ()


@service.does(EraseCase)
def erase_case(asked: EraseCase, tx: Tx) -> tuple[Erased, Iterable[Event]]:
    """Destroy the case's key, delete who it is about, and note that. Again, it changes nothing."""
    if tx.execute(select(case.c.id).where(case.c.id == asked.case)).first() is None:
        return Erased(done=False, message="その事案はありません。事案の番号と会議の種類を確かめてください。"), ()
    tx.destroy_key(asked.case)  # first: should the transaction fail, nothing opens all the same
    tx.execute(delete(client).where(client.c.case == asked.case))
    if asked.case not in _erased(tx, [asked.case]):
        tx.execute(insert(erased).values(subject=asked.case, at=tx.now, reason=asked.reason.value))
    return Erased(done=True), ()


@service.errand(every=3600)
async def clear_away(work: Work) -> None:
    """Take erased rows out of the store's files. Their key is gone already; this is the second lock."""
    if subjects := await work.run(_uncleared):
        await work.compact()
        await work.run(partial(_cleared, subjects))


@service.answers(Cases)
def list_cases(_: Cases, tx: Tx) -> CaseList:
    """All cases, the longest waiting first."""
    return CaseList(cases=_views(tx))


@service.answers(Trail)
def trail(asked: Trail, tx: Tx) -> TrailSteps:
    """One case with its steps."""
    found = _views(tx, asked.case)
    if not found:
        return TrailSteps(case=None)
    rows = tx.execute(select(step).where(step.c.case == asked.case).order_by(step.c.number)).all()
    arrived = datetime.combine(found[0].received_on, time(0), JAPAN).astimezone(UTC)
    steps = [Step(at=arrived, what="received"), *(Step(at=row.at, what=row.what) for row in rows)]
    return TrailSteps(case=found[0], steps=tuple(steps), client=_clients(tx, [asked.case]).get(asked.case, NOBODY))


@service.answers(ClientsOfCases)
def clients_of_cases(asked: ClientsOfCases, tx: Tx) -> Clients:
    """Who these shien cases are about, for lists: names, not the texts, which a case's own page shows."""
    known = _clients(tx, asked.cases)
    return Clients(clients={one: who.model_copy(update={"reason": "", "wishes": ""}) for one, who in known.items()})


def tally(tx: Tx) -> dict[str, int]:
    """Cases and items."""
    return {
        "cases": tx.connection.scalar(select(func.count()).select_from(case)) or 0,
        "items": tx.connection.scalar(select(func.count()).select_from(item)) or 0,
        "placed": tx.connection.scalar(select(func.count(item.c.sitting))) or 0,
    }


service.tally = tally

NOBODY = Particulars(found=False)
ERASED = Particulars(found=False, erased=True)


def _open_case(
    referral: ReferralWithConsent | ReferralWithoutConsent, ground: ConsentState, consent: dict[str, Any], tx: Tx
) -> Iterable[Event]:
    agencies = domain.round_table(referral.referrer, referral.agencies)
    facts = referral.model_dump(include={"received_on", "urgent", "referrer", "household_size"})
    new = {"id": referral.about, "compartment": tx.here, "opened_at": tx.now, "ground": ground}
    tx.execute(insert(case).values(**new, **facts, **consent))
    tx.execute(
        insert(case_agency), [{"case": referral.about, "agency": code, "place": n} for n, code in enumerate(agencies)]
    )
    if referral.problems:
        tx.execute(insert(case_problem), [{"case": referral.about, "problem": p} for p in set(referral.problems)])
    purpose, item_id = domain.first_purpose(tx.here, referral.urgent), tx.ref()
    tx.execute(insert(item).values(id=item_id, case=referral.about, purpose=purpose))
    _record(tx, referral.about, "case_opened", "item_put_forward")
    return [
        ItemPutForward(
            about=item_id,
            case=referral.about,
            purpose=purpose,
            urgent=referral.urgent,
            received_on=referral.received_on,
            agencies=agencies,
            only_agencies=ground is ConsentState.NARROWED,
        )
    ]


def _record(tx: Tx, case_id: UUID, *steps: str) -> None:
    last = tx.connection.scalar(select(func.max(step.c.number)).where(step.c.case == case_id)) or 0
    rows = [{"case": case_id, "number": last + n, "at": tx.now, "what": what} for n, what in enumerate(steps, 1)]
    tx.execute(insert(step), rows)


def _clients(tx: Tx, cases: Sequence[UUID]) -> dict[UUID, Particulars]:
    rows = tx.execute(select(client).where(client.c.case.in_(cases))).mappings().all()
    tx.fetch_keys([row["case"] for row in rows])
    return {row["case"]: _open(row, tx) for row in rows} | dict.fromkeys(_erased(tx, cases), ERASED)


def _open(row: Mapping[Any, Any], tx: Tx) -> Particulars:
    shown = [column for column in client.c if column.name not in ("case", "compartment")]
    try:
        return Particulars(found=True, **open_row(tx, row["case"], shown, row))
    except Shut:
        return ERASED


def _erased(tx: Tx, cases: Sequence[UUID]) -> list[UUID]:
    return list(tx.execute(select(erased.c.subject).where(erased.c.subject.in_(cases))).scalars())


def _uncleared(tx: Tx) -> list[UUID]:
    return list(tx.execute(select(erased.c.subject).where(erased.c.cleared_at.is_(None))).scalars())


def _cleared(subjects: list[UUID], tx: Tx) -> None:
    tx.execute(update(erased).where(erased.c.subject.in_(subjects)).values(cleared_at=tx.now))


def _views(tx: Tx, only: UUID | None = None) -> tuple[CaseView, ...]:
    wanted = select(case, item.c.id.label("item"), item.c.sitting, item.c.starts).join(item, item.c.case == case.c.id)
    agencies, problems = select(case_agency).order_by(case_agency.c.place), select(case_problem)
    if only is not None:
        wanted = wanted.where(case.c.id == only)
        agencies, problems = agencies.where(case_agency.c.case == only), problems.where(case_problem.c.case == only)
    by_agency: dict[UUID, list[str]] = {}
    for row in tx.execute(agencies):
        by_agency.setdefault(row.case, []).append(row.agency)
    by_problem: dict[UUID, list[str]] = {}
    for row in tx.execute(problems):
        by_problem.setdefault(row.case, []).append(row.problem)
    return tuple(
        CaseView(
            case=row.id,
            opened_at=row.opened_at,
            received_on=row.received_on,
            urgent=row.urgent,
            state="placed" if row.sitting else "put_forward",
            referrer=row.referrer,
            agencies=tuple(by_agency.get(row.id, ())),
            problems=tuple(sorted(by_problem.get(row.id, ()))),
            household_size=row.household_size,
            ground=row.ground,
            item=row.item,
            sitting=row.sitting,
            sitting_starts=row.starts,
        )
        for row in tx.execute(wanted.order_by(case.c.received_on, case.c.opened_at, case.c.id))
    )
