"""Events in, events out: a referral opens a case, the case is put to a meeting, the meeting's date comes back."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from contracts.commission import CommissionEnded, CommissionMade
from contracts.consent import ConsentState
from contracts.coordination import (
    CaseList,
    Cases,
    Clients,
    ClientsOfCases,
    ExplainItem,
    ItemExplanation,
    ItemPutForward,
    ItemWithdrawn,
    TakeInClient,
    TakenIn,
    Trail,
    TrailSteps,
)
from contracts.counts import MeetingFacts
from contracts.directory import Staff
from contracts.disclosure import DisclosureList, DisclosuresAtCoordination
from contracts.intake import ConsentChanged, ReferralWithConsent, ReferralWithoutConsent
from contracts.meetings import ItemPlaced, ItemUnplaced
from contracts.message import Event
from contracts.notify import SendReminder
from contracts.policy import Category
from contracts.preparing import RosterAccepted
from services import sharing
from services.coordination import charge, domain, showing, views
from services.coordination.explaining import explanation
from services.coordination.tables import (
    case,
    case_agency,
    case_problem,
    client,
    commissions,
    consents,
    disclosure,
    hearing,
    item,
    reminder,
    step,
    tables,
)
from services.coordination.taking_over import first_entries
from services.coordination.unasked import keep
from services.office_days import in_office_hours
from services.service import NotYet, Service, Shut, Tx, Work
from services.vault import seal_row

service = Service(
    "coordination",
    tables,
    compartments=True,
    publishes=frozenset({ItemPutForward, ItemWithdrawn, RosterAccepted}),
    asks=sharing.ASKS | {MeetingFacts, SendReminder, Staff},  # Staff: who decides (D2), has a power (S13), is told
    seals=True,
)
sharing.watch_ledger(service, consents)


# -- what others tell --------------------------------------------------------------------------------------------------


@service.on(ReferralWithConsent)
def open_case_with_consent(referral: ReferralWithConsent, tx: Tx) -> Iterable[Event]:
    """A consented referral becomes a juso case, about the client its consent names (C1, S18)."""
    ground = ConsentState.NARROWED if referral.narrowed else ConsentState.GIVEN
    consent = {"consent": referral.consent, "consent_version": referral.consent_version}
    member = (
        referral.client or referral.about
    )  # an older referral names no member, and no consent covers the case itself
    if referral.unasked:
        keep(referral.about, referral.version, referral.unasked, domain.today(tx.now), tx)
    return _open_case(referral, ground, consent | {"member": member}, tx)


@service.on(ReferralWithoutConsent)
def open_case_without_consent(referral: ReferralWithoutConsent, tx: Tx) -> Iterable[Event]:
    """A referral without consent becomes a shien case (C4)."""
    return _open_case(referral, referral.ground, {}, tx)


@service.on(ItemPlaced)
def note_sitting(placed: ItemPlaced, tx: Tx) -> Iterable[Event]:
    """The item has a date: the case waits for its sitting."""
    date_of_it = {"sitting": placed.sitting, "starts": placed.starts, "ends": placed.ends, "body": placed.body}
    if _is_news(placed, tx):
        row = date_of_it | {"about": placed.about, "placement": placed.version}
        tx.execute(update(item).where(item.c.id == bindparam("about")), row)
        record_steps(tx, placed.case, "item_placed", sitting=placed.sitting, starts=placed.starts)
    return ()


@service.on(ItemUnplaced)
def forget_sitting(told: ItemUnplaced, tx: Tx) -> Iterable[Event]:
    """The sitting let the item go: no result can be recorded of a meeting that does not hear it (T1, D5)."""
    if _is_news(told, tx):
        none = {"sitting": None, "starts": None, "ends": None, "body": None}
        tx.execute(update(item).where(item.c.id == told.about).values(placement=told.version, **none))
        tx.execute(delete(hearing).where(hearing.c.item == told.about, hearing.c.version < told.version))
        record_steps(tx, told.case, "item_unplaced")
    return ()


def _is_news(told: ItemPlaced | ItemUnplaced, tx: Tx) -> bool:
    """Whether nothing later was told of the item's date: the two facts share one count. Raises NotYet."""
    known = tx.execute(select(item.c.placement).where(item.c.id == told.about)).first()
    if known is None:
        raise NotYet
    return bool(known.placement < told.version)


@service.on(ConsentChanged)
def learn_consent(told: ConsentChanged, tx: Tx) -> Iterable[Event]:
    """The ledger has a new version: what it took away is not shown from this commit on (C11)."""
    sharing.learn(consents, told, tx)
    return ()


@service.on(CommissionMade)
def learn_commission(made: CommissionMade, tx: Tx) -> Iterable[Event]:
    """A person or an organisation is bound to the secrecy of the 支援会議 for a period (S6, S7)."""
    facts = made.model_dump(include={"person", "agency", "starts", "ends"})
    tx.execute(insert(commissions.commission).values(id=made.about, compartment=tx.here, recorded_at=tx.now, **facts))
    return ()


@service.on(CommissionEnded)
def end_commission(ended: CommissionEnded, tx: Tx) -> Iterable[Event]:
    """A commission ends before its time: its holder sees nothing more; what was known stays secret (S4)."""
    made = commissions.commission
    if tx.execute(select(made.c.id).where(made.c.id == ended.about)).first() is None:
        raise NotYet
    tx.execute(insert(commissions.ended).values(commission=ended.about, at=ended.ended_at))
    return ()


# -- what others ask ---------------------------------------------------------------------------------------------------


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
    record_steps(tx, asked.case, "client_taken_in")
    first_entries(asked.case, tx)
    return TakenIn(), ()


@service.performs(Cases)
async def list_cases(asked: Cases, work: Work) -> CaseList:
    """The cases the viewer may see, each registered as shown; the longest waiting first (8.10, S8)."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, showing.EVERY if asked.rested else None, views.case_list)


@service.performs(Trail)
async def trail(asked: Trail, work: Work) -> TrailSteps:
    """One case with its steps; no case for who may not see it, as for one that does not exist."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, [asked.case], partial(views.trail, asked.case))


@service.performs(ClientsOfCases)
async def clients_of_cases(asked: ClientsOfCases, work: Work) -> Clients:
    """Who these shien cases are about, for lists: names, not the texts, which a case's own page shows."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, asked.cases, views.names)


@service.answers(ExplainItem)
def explain_item(asked: ExplainItem, tx: Tx) -> ItemExplanation:
    """Who may hear an item now and by what, and why others may not (8.7)."""
    return explanation(asked.item, tx)


@service.does(DisclosuresAtCoordination)
def list_disclosures(asked: DisclosuresAtCoordination, tx: Tx) -> tuple[DisclosureList, Iterable[Event]]:
    """What was shown on the desk, to whom and on which ground."""
    known = set(tx.execute(select(case.c.id).where(case.c.id.in_(asked.cases))).scalars())
    found = sharing.listed(disclosure, asked.cases, asked.person, asked.since, asked.until, tx)
    return found.model_copy(update={"unknown": tuple(one for one in asked.cases if one not in known)}), ()


def tally(tx: Tx) -> dict[str, int]:
    """Cases and items."""
    return {
        "cases": tx.connection.scalar(select(func.count()).select_from(case)) or 0,
        "items": tx.connection.scalar(select(func.count()).select_from(item)) or 0,
        "placed": tx.connection.scalar(select(func.count(item.c.sitting))) or 0,
    }


def undone(tx: Tx) -> int:
    """Versions of consents of which the ledger is still to hear that this store has learnt them; reminders that may
    go out now, which none may while the office is closed."""
    left = tx.connection.scalar(select(func.count()).select_from(consents.acknowledgement)) or 0
    if not in_office_hours(tx.profile, tx.now):
        return left
    mine = reminder.c.day == domain.today(tx.now), reminder.c.state == "wanted", reminder.c.due <= tx.now
    return left + (tx.connection.scalar(select(func.count()).select_from(reminder).where(*mine)) or 0)


service.tally = tally
service.undone = undone


def _open_case(
    referral: ReferralWithConsent | ReferralWithoutConsent, ground: ConsentState, consent: dict[str, Any], tx: Tx
) -> Iterable[Event]:
    agencies, member = domain.round_table(referral.referrer, referral.agencies), consent.get("member")
    own = charge.in_charge(tx.profile, referral.referrer, None)
    facts = referral.model_dump(include={"received_on", "urgent", "referrer", "household_size"})
    new = {"id": referral.about, "compartment": tx.here, "opened_at": tx.now, "ground": ground}
    tx.execute(insert(case), new | facts | consent)
    tx.execute(
        insert(case_agency), [{"case": referral.about, "agency": code, "place": n} for n, code in enumerate(agencies)]
    )
    if referral.problems:
        tx.execute(insert(case_problem), [{"case": referral.about, "problem": p} for p in set(referral.problems)])
    put = ItemPutForward(
        about=tx.ref(),
        case=referral.about,
        purpose=domain.first_purpose(tx.here, referral.urgent),
        urgent=referral.urgent,
        received_on=referral.received_on,
        agencies=domain.with_coordinator(agencies, own),
        only_agencies=ground is ConsentState.NARROWED,
        coordinator=own,
        area=charge.area_of(tx.profile, referral.referrer, own),
        member=member,
        category=Category.ORDINARY,
        consent=consent.get("consent"),
    )
    kept = put.model_dump(include={"case", "purpose", "member", "category"})
    tx.execute(insert(item), kept | {"id": put.about, "compartment": tx.here, "put_at": tx.now})
    record_steps(tx, referral.about, "case_opened")
    record_steps(tx, referral.about, "item_put_forward", purpose=put.purpose)
    first_entries(referral.about, tx)
    return [put]


_LAST_STEP = select(func.max(step.c.number)).where(step.c.case == bindparam("about"))


def record_steps(tx: Tx, case_id: UUID, *steps: str, **about: Any) -> None:
    """Add entries to a case's trail. ``about``: purpose, sitting and its start, where they are of one."""
    last = tx.connection.scalar(_LAST_STEP, {"about": case_id}) or 0
    new = {"case": case_id, "at": tx.now, **about}
    tx.execute(insert(step), [new | {"number": last + n, "what": what} for n, what in enumerate(steps, 1)])
