"""Items come in, answers come in, the desk looks: what meetings does within one transaction."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid5

from sqlalchemy import Row, bindparam, func, insert, or_, select, update

from contracts.commission import CommissionEnded, CommissionMade
from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.directory import Busy, Release, Reserve, Staff
from contracts.disclosure import DisclosureList, DisclosuresAtMeetings
from contracts.intake import ConsentChanged
from contracts.meetings import AnswerByLink, ItemPlaced, ItemUnplaced, LinkState, LookAtLink
from contracts.message import Compartment, Event
from contracts.notify import SendCancellation, SendInvitation, SendPoll
from contracts.preparing import RosterAccepted
from contracts.running import HearingOpened, ItemHeard
from services import sharing
from services.meetings.domain import link_digest
from services.meetings.polls_tables import poll_seat
from services.meetings.stopping import follow_consent, follow_roster, take_back
from services.meetings.tables import consents, disclosure, item, link, notice, release, reseat, seat, sitting, tables
from services.service import NotYet, Service, Tx

service = Service(
    "meetings",
    tables,
    compartments=True,
    seals=True,
    publishes=frozenset({ItemPlaced, ItemUnplaced, HearingOpened, ItemHeard, CommissionMade, CommissionEnded}),
    asks=frozenset({Staff, Busy, Reserve, Release, SendInvitation, SendCancellation, SendPoll, *sharing.ASKS}),
)
sharing.watch_ledger(service, consents)

SEARCHING = "日時を探しています。"
HOLDING = "日時を確保しています。"
TAKEN = "候補の日時が次々に埋まりました。まもなく探し直します。"
"""Why an item waits whose date is found, but not yet held by the directory."""


@service.on(ItemPutForward)
def take_up_item(told: ItemPutForward, tx: Tx) -> Iterable[Event]:
    """An item waits for its sitting from now on. Told twice, it waits once.

    In juso what it rests on was told before it, on the same stream; until that is there, it is not taken up (C1).
    """
    ground = {"case": told.case, "consent": told.consent}
    if tx.here is Compartment.JUSO and tx.execute(_GROUND, ground).first() is None:
        raise NotYet
    if tx.execute(_ITEM, {"about": told.about}).first() is None:
        new = {"id": told.about, "compartment": tx.here, "since": tx.now, "next_try": tx.now}
        facts = told.model_dump(exclude={"about", "version"})
        tx.execute(insert(item), facts | new | {"state": "waiting", "why": SEARCHING})
    return ()


_ITEM = select(item.c.id).where(item.c.id == bindparam("about"))
_GROUND = select(consents.version.c.version).where(
    consents.version.c.case == bindparam("case"), consents.version.c.consent == bindparam("consent")
)
_GROUND = _GROUND.limit(1)


@service.on(ItemWithdrawn)
def take_back_item(told: ItemWithdrawn, tx: Tx) -> Iterable[Event]:
    """An item is not heard any more: it leaves its coming sitting, and whoever was called for it alone is told so."""
    if tx.execute(select(item.c.id).where(item.c.id == told.about)).first() is None:
        raise NotYet
    return take_back(tx, told.about)


@service.on(RosterAccepted)
def learn_roster(told: RosterAccepted, tx: Tx) -> Iterable[Event]:
    """Somebody decided who is called for an item: codes only, and every seat is judged by the wall as before."""
    if tx.execute(select(item.c.id).where(item.c.id == told.about)).first() is None:
        raise NotYet
    return follow_roster(tx, told)


@service.on(ConsentChanged)
def learn_consent(told: ConsentChanged, tx: Tx) -> Iterable[Event]:
    """A consent has a new version: what it takes away is stopped in this very transaction (C11)."""
    return follow_consent(tx, told.case, SEARCHING) if sharing.learn(consents, told, tx) else ()


@service.answers(LookAtLink)
def look_at_link(asked: LookAtLink, tx: Tx) -> LinkState:
    """What the link shows."""
    return _link_state(_seat_of(asked.link, tx), tx)


@service.does(AnswerByLink)
def answer_by_link(asked: AnswerByLink, tx: Tx) -> tuple[LinkState, Iterable[Event]]:
    """Keep the answer. Once the sitting has started it stays what it was."""
    found = _seat_of(asked.link, tx)
    if found is not None and found.answer != asked.answer and tx.now < found.starts:
        own = (seat.c.sitting == found.sitting, seat.c.person == found.person)
        tx.execute(update(seat).where(*own).values(answer=asked.answer, answered_at=tx.now, answered_by=None))
        found = _seat_of(asked.link, tx)
    return _link_state(found, tx), ()


def _seat_of(token: str, tx: Tx) -> Row[Any] | None:
    wanted = (
        select(seat, sitting.c.starts, sitting.c.ends, sitting.c.place, sitting.c.room, sitting.c.mode)
        .join(link, (link.c.sitting == seat.c.sitting) & (link.c.person == seat.c.person))
        .join(sitting, sitting.c.id == seat.c.sitting)
        .where(link.c.digest == link_digest(token), seat.c.cancelled_at.is_(None))
    )
    return tx.execute(wanted).first()


def _link_state(found: Row[Any] | None, tx: Tx) -> LinkState:
    """Whoever comes for a part only sees the time of that part, as in the newest invitation."""
    if found is None:
        return LinkState(found=False)
    mine = notice.c.sitting == found.sitting, notice.c.person == found.person, notice.c.kind == "invitation"
    part = tx.execute(
        select(notice.c.starts, notice.c.ends).where(*mine).order_by(notice.c.sequence.desc()).limit(1)
    ).first()
    starts, ends = (part.starts, part.ends) if part and part.starts else (found.starts, found.ends)
    where = {"place": found.place, "room": found.room, "mode": found.mode}
    state = LinkState.model_validate({"found": True, "starts": starts, "ends": ends, "answer": found.answer, **where})
    if not tx.profile.meets_online(found.mode):
        return state
    return state.model_copy(update={"meeting": uuid5(found.sitting, "room"), "guest": uuid5(found.uid, "guest")})


@service.does(DisclosuresAtMeetings)
def disclosures(asked: DisclosuresAtMeetings, tx: Tx) -> tuple[DisclosureList, Iterable[Event]]:
    """What the register says."""
    return sharing.listed(disclosure, asked.cases, asked.person, asked.since, asked.until, tx), ()


def tally(tx: Tx) -> dict[str, int]:
    """What there is, for the pulse."""
    regular, answered = sitting.c.regular_on.is_not(None), seat.c.answer != "none"
    count = func.count
    of_sittings = select(
        count().filter(regular).label("sittings_regular"),
        count().filter(~regular).label("sittings_adhoc"),
        count().label("sittings"),
    ).where(sitting.c.fixed, sitting.c.cancelled_at.is_(None))
    of_seats = (
        select(
            count().label("seats"),
            count().filter(answered).label("answers"),
            count().filter(seat.c.answer == "attend").label("attend"),
            count().filter(seat.c.answer == "absent").label("absent"),
        )
        .join(sitting, sitting.c.id == seat.c.sitting)
        .where(sitting.c.fixed, seat.c.cancelled_at.is_(None))
    )
    of_items = select(count(item.c.id).label("items"))
    of_notices = select(count(notice.c.id).label("invitations")).where(
        notice.c.state == "sent", notice.c.kind == "invitation"
    )
    counted = [tx.execute(one).mappings().one() for one in (of_items, of_sittings, of_notices, of_seats)]
    return {name: number for one in counted for name, number in one.items()}


def undone(tx: Tx) -> int:
    """What is still to be done: notices not yet sent, items not yet placed, holds not yet given back.

    An item for which there is no date, and which says why, waits for time and not for us until it is looked at again.
    """
    told_why = item.c.why.not_in(("", SEARCHING, HOLDING, TAKEN)) & (item.c.next_try > tx.now)
    to_place = or_(item.c.state == "reserving", (item.c.state == "waiting") & ~told_why)
    items = tx.connection.scalar(select(func.count(item.c.id)).where(to_place)) or 0
    notices = tx.connection.scalar(select(func.count(notice.c.id)).where(notice.c.state == "wanted")) or 0
    notices += tx.connection.scalar(select(func.count(poll_seat.c.notice)).where(poll_seat.c.state == "wanted")) or 0
    notices += tx.connection.scalar(select(func.count(reseat.c.sitting))) or 0
    return items + notices + (tx.connection.scalar(select(func.count(release.c.hold))) or 0)


service.tally, service.undone = tally, undone
