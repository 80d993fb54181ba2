"""The transactions of seats: filled, opened, invited, cancelled; and the holds that nobody needs any more."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from contracts.links import new_link
from contracts.message import Compartment
from contracts.policy_terms import Act
from services import sharing
from services.meetings import domain, grounds
from services.meetings.domain import Gathering
from services.meetings.grounds import Bond
from services.meetings.having_part import has_part
from services.meetings.tables import agenda, consents, disclosure, item, link, notice, release, seat, sitting
from services.service import Tx

INVITE_AGAIN = ("cancelled", "no_ground")
"""Why an invitation was not sent to a seat that had no ground then: with a new one it is wanted after all."""


def fill_seats(tx: Tx, sitting_id: UUID, found: Gathering, bonds: Sequence[Bond]) -> None:
    """Give everybody gathered a seat who has none; in shien each with the commission that carries it (S6, S8)."""
    seated = set(tx.execute(select(seat.c.person).where(seat.c.sitting == sitting_id)).scalars())
    rows: list[dict[str, Any]] = []
    for person, wanted in found.seats.items():
        bond = grounds.bond_of(bonds, person, wanted.agency, found.starts) if tx.here is Compartment.SHIEN else None
        row = {"person": person, "agency": wanted.agency, "need": wanted.need, "uid": tx.ref()}
        row |= {"commission": bond.commission if bond else None, "sitting": sitting_id, "compartment": tx.here}
        row |= {"cancelled_at": tx.now if wanted.agency in found.outside else None}
        rows += [row] if person not in seated else []
    if rows:
        tx.execute(insert(seat), rows)


def open_seats(tx: Tx, item_id: UUID, sitting_id: UUID) -> None:
    """Open the closed seats to which the item that has just come is open."""
    its = sitting.c.starts, sitting.c.body, sitting.c.basis, sitting.c.regular_on
    closed = select(seat, *its).join(sitting, sitting.c.id == seat.c.sitting)
    rows = tx.execute(closed.where(seat.c.sitting == sitting_id, seat.c.cancelled_at.is_not(None))).all()
    if not rows:
        return
    one = tx.execute(select(item).where(item.c.id == item_id)).one()
    # Whoever sat there for another item is not brought back by this one (P5).
    open_now = _open_to_item(tx, one, [row for row in rows if has_part(tx, row, row.agency, one)])
    mine = seat.c.sitting == sitting_id, seat.c.person.in_(open_now)
    tx.execute(update(seat).where(*mine).values(cancelled_at=None, answer="none", answered_at=None, answered_by=None))


def _open_to_item(tx: Tx, one: Row[Any], seats: Sequence[Row[Any]]) -> list[UUID]:
    if not seats:
        return []
    moments = tx.now, seats[0].starts
    if tx.here is Compartment.SHIEN:
        running = {bond.commission for bond in grounds.bonds(tx) if bond.period.contains(moments[1])}
        return [row.person for row in seats if row.commission in running]
    head = sharing.heads(consents, tx, [one.case]).get(one.case)
    decisions = grounds.open_to(one, head, (row.agency for row in seats), moments)
    return [row.person for row in seats if decisions[row.agency].allowed]


def want_invitations(tx: Tx, sitting_id: UUID, link_key: bytes) -> None:
    """One invitation per open seat that is not invited, each with a link of its own."""
    last = _last_notices(tx, sitting_id)
    columns = seat.c.person, seat.c.first_sequence
    open_now = select(*columns).where(seat.c.sitting == sitting_id, seat.c.cancelled_at.is_(None))
    first = {row.person: row.first_sequence for row in tx.execute(open_now)}
    persons = [one for one in first if _to_be_invited(last.get(one))]
    if not persons:
        return
    links, notices = [], []
    for one in persons:
        token = new_link(link_key, tx.here, tx.ref().bytes)
        sequence = last[one].sequence + 1 if one in last else first[one]
        links.append({"digest": domain.link_digest(token), "sitting": sitting_id, "person": one})
        row = {"id": tx.ref(), "sitting": sitting_id, "person": one, "sequence": sequence, "kind": "invitation"}
        notices.append(row | {"state": "wanted", "due": tx.now, "link": token})
    tx.execute(insert(link), links)
    tx.execute(insert(notice), notices)


def _to_be_invited(last: Row[Any] | None) -> bool:
    return last is None or last.kind == "cancellation" or (last.state == "not_sent" and last.why in INVITE_AGAIN)


def _last_notices(tx: Tx, sitting_id: UUID) -> dict[UUID, Row[Any]]:
    rows = tx.execute(select(notice).where(notice.c.sitting == sitting_id).order_by(notice.c.sequence))
    return {row.person: row for row in rows}


def cancel_seats(tx: Tx, sitting_id: UUID, persons: Sequence[UUID]) -> None:
    """Their ground is gone: links die, what was still to be mailed is not, and whoever was invited is told (C11, S6).

    Whoever stands in the register may have the mail, though nobody noted yet that it was sent.
    """
    mine = seat.c.sitting == sitting_id, seat.c.person.in_(persons)
    tx.execute(update(seat).where(*mine).values(cancelled_at=tx.now))
    tx.execute(delete(link).where(link.c.sitting == sitting_id, link.c.person.in_(persons)))
    last = _last_notices(tx, sitting_id)
    open_notices = notice.c.sitting == sitting_id, notice.c.person.in_(persons), notice.c.state == "wanted"
    tx.execute(update(notice).where(*open_notices).values(state="not_sent", why="cancelled", link=None))
    asked = disclosure.c.sitting == sitting_id, disclosure.c.act == Act.INVITE, disclosure.c.person.in_(persons)
    invited = set(tx.execute(select(disclosure.c.person).where(*asked)).scalars())
    brought = seat.c.sitting == sitting_id, seat.c.first_sequence > 0  # from the sitting whose place this one takes
    invited |= set(tx.execute(select(seat.c.person).where(*brought)).scalars())
    new = {"sitting": sitting_id, "kind": "cancellation", "state": "wanted", "due": tx.now}
    rows = [
        new | {"id": tx.ref(), "person": one, "sequence": last[one].sequence + 1}
        for one in persons
        if one in invited and one in last and last[one].kind == "invitation"
    ]
    if rows:
        tx.execute(insert(notice), rows)


def cancel_sitting(tx: Tx, where: Row[Any], why: str) -> None:
    """Nothing is left to be heard: everybody's seat is cancelled and the directory is to forget the hold."""
    live = select(seat.c.person).where(seat.c.sitting == where.id, seat.c.cancelled_at.is_(None))
    if persons := tx.execute(live).scalars().all():
        cancel_seats(tx, where.id, persons)
    forget_hold(tx, where.id)
    if where.fixed or where.regular_on is not None:
        values = {"cancelled_at": tx.now, "why": f"{where.why}。{why}"}
        tx.execute(update(sitting).where(sitting.c.id == where.id).values(values))
    else:  # nobody was ever told of it
        tx.execute(delete(seat).where(seat.c.sitting == where.id))
        tx.execute(delete(sitting).where(sitting.c.id == where.id))


def let_go_if_empty(tx: Tx, sitting_id: UUID) -> None:
    """A time that was held while its item was taken off is not needed."""
    if tx.execute(select(agenda.c.item).where(agenda.c.sitting == sitting_id)).first() is None:
        forget_hold(tx, sitting_id)


def forget_hold(tx: Tx, hold: UUID) -> None:
    """The directory is to be told that this time is free again."""
    if tx.execute(select(release).where(release.c.hold == hold)).first() is None:
        tx.execute(insert(release).values(hold=hold))


def held_for_nothing(tx: Tx) -> tuple[UUID, ...]:
    """Holds that the directory is still to be told to forget."""
    return tuple(tx.execute(select(release.c.hold)).scalars())


def let_go(tx: Tx, hold: UUID) -> None:
    """The directory has forgotten it."""
    tx.execute(delete(release).where(release.c.hold == hold))
