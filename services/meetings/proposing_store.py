"""What polls and proposals mean for an item that waits: hold it back, carry the approved date out, or void it.

Called within the transactions of placing and stopping; each changes a proposal only from the state it expects.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from contracts.policy_terms import Act
from services.meetings.polls_rules import Given, standing
from services.meetings.polls_tables import apart, poll, poll_answer, poll_seat, proposal
from services.meetings.seats import cancel_seats
from services.meetings.tables import disclosure, item, link, notice, seat, sitting
from services.service import Tx

ASKING = "日程のうかがいの回答を待っています。"
ANSWERED = "日程のうかがいが終わりました。日時を選んでください。"
CHOOSE = "日時の案を選んで、承認を受けてください。"
TO_APPROVE = "日時の案の承認を待っています。"
TAKEN_SINCE = "承認された日時が、ほかの予定で埋まりました。日時を選び直してください。"
WAITS_FOR_PEOPLE = (ASKING, ANSWERED, CHOOSE, TO_APPROVE)
"""Why an item waits that only a person can help on."""
NO_GROUND = "no_ground"


def under_way(tx: Tx, about: UUID) -> Row[Any] | None:
    """The proposal of an item that is to be decided or carried out."""
    mine = proposal.c.item == about, proposal.c.state.in_(("proposed", "approved"))
    return tx.execute(select(proposal).where(*mine)).first()


def open_poll_of(tx: Tx, about: UUID) -> Row[Any] | None:
    """The item's poll that nobody closed."""
    return tx.execute(select(poll).where(poll.c.item == about, poll.c.closed_at.is_(None))).first()


def waits_for(tx: Tx, about: UUID) -> str:
    """Why an item is not given a date by itself: a poll, a proposal, or the city's own rule (S12); empty: it is."""
    found = under_way(tx, about)
    if found is not None:
        return TO_APPROVE if found.state == "proposed" else ""
    asked = open_poll_of(tx, about)
    if asked is not None:
        return ASKING if how(tx, asked) == "open" else ANSWERED
    last = select(proposal.c.state).where(proposal.c.item == about).order_by(proposal.c.proposed_at.desc()).limit(1)
    if tx.profile.approval or tx.connection.scalar(last) in ("returned", "void"):
        return CHOOSE
    used = poll.c.item == about, ~poll.c.used
    return ANSWERED if tx.execute(select(poll.c.id).where(*used).limit(1)).first() else ""


def how(tx: Tx, asked: Row[Any]) -> str:
    """How a poll stands now."""
    rows = tx.execute(select(poll_seat).where(poll_seat.c.poll == asked.id)).all()
    waited_for = [row.person for row in rows if row.why != NO_GROUND]
    said = tx.execute(select(poll_answer.c.person).where(poll_answer.c.poll == asked.id)).scalars().all()
    return standing(asked.closed_at is not None, asked.closes_at, waited_for, said, tx.now)


def given_in(tx: Tx, polls: Iterable[UUID]) -> dict[UUID, list[Given]]:
    """Every answer, by poll, oldest first."""
    found: dict[UUID, list[Given]] = {}
    mine = select(poll_answer).where(poll_answer.c.poll.in_(list(polls)))
    for row in tx.execute(mine.order_by(poll_answer.c.at, poll_answer.c.number, poll_answer.c.position)):
        one = Given(row.person, row.position, row.number, row.choice, row.at, row.typed_by)
        found.setdefault(row.poll, []).append(one)
    return found


def kept_apart(tx: Tx, items: Sequence[UUID]) -> dict[UUID, tuple[tuple[UUID, UUID], ...]]:
    """Who must not meet, by item."""
    found: dict[UUID, tuple[tuple[UUID, UUID], ...]] = {}
    rows = (
        tx.execute(select(apart).where(apart.c.item.in_(items)).order_by(apart.c.one, apart.c.other)) if items else ()
    )
    for row in rows:
        found[row.item] = (*found.get(row.item, ()), (row.one, row.other))
    return found


# -- ends --------------------------------------------------------------------------------------------------------------


def close_polls(tx: Tx, about: UUID, *, used: bool = False) -> None:
    """No more answers are waited for: links die, what was still to be mailed is not."""
    mine = poll.c.item == about, poll.c.closed_at.is_(None)
    closed = update(poll).where(*mine).values(closed_at=tx.now).returning(poll.c.id)
    for one in tx.execute(closed).scalars().all():
        waiting = poll_seat.c.poll == one, poll_seat.c.state == "wanted"
        tx.execute(update(poll_seat).where(*waiting).values(state="not_sent", why="cancelled", link=None))
    if used:
        tx.execute(update(poll).where(poll.c.item == about).values(used=True))


def void(tx: Tx, about: UUID, why: str) -> None:
    """What was proposed or approved for an item cannot be carried out; whoever had been told of a date is told so."""
    mine = proposal.c.item == about, proposal.c.state.in_(("proposed", "approved"))
    gone = update(proposal).where(*mine).values(state="void", void=why).returning(proposal.c.instead_of)
    for old in tx.execute(gone).scalars().all():
        if old is not None:
            _let_go_of(tx, old)


def forget_dates(tx: Tx, about: UUID, why: str) -> None:
    """The item lost its ground, or its people changed: polls and proposals of it are over."""
    close_polls(tx, about, used=True)
    void(tx, about, why)


def _let_go_of(tx: Tx, old: UUID) -> None:
    """The announced sitting whose place nothing takes: its people are told."""
    still = tx.execute(select(sitting.c.id).where(sitting.c.id == old, sitting.c.cancelled_at.is_not(None))).first()
    live = select(seat.c.person).where(seat.c.sitting == old, seat.c.cancelled_at.is_(None))
    if still and (persons := tx.execute(live).scalars().all()):
        cancel_seats(tx, old, persons)


# -- carried out -------------------------------------------------------------------------------------------------------


def carried_out(tx: Tx, about: UUID, new: UUID) -> None:
    """The item's date stands. Whoever sits in both the old and the new sitting keeps the entry in the calendar."""
    close_polls(tx, about, used=True)
    mine = proposal.c.item == about, proposal.c.state == "approved"
    done = update(proposal).where(*mine).values(state="done").returning(proposal.c.instead_of)
    old = tx.execute(done).scalars().first()
    if old is not None:
        carry_entries(tx, old, new)


def carry_entries(tx: Tx, old: UUID, new: UUID) -> None:
    """Whoever was invited to the old sitting and sits in the new one keeps the entry; the others are told it is off."""
    live = select(seat).where(seat.c.sitting == old, seat.c.cancelled_at.is_(None))
    before = {row.person: row for row in tx.execute(live)}
    coming = set(
        tx.execute(select(seat.c.person).where(seat.c.sitting == new, seat.c.cancelled_at.is_(None))).scalars()
    )
    asked = disclosure.c.sitting == old, disclosure.c.act == Act.INVITE
    invited = set(tx.execute(select(disclosure.c.person).where(*asked)).scalars())
    invited |= {person for person, row in before.items() if row.first_sequence}
    for person, row in before.items():
        if person in coming and person in invited:
            _carry_entry(tx, row, new)
    staying = coming & invited & before.keys()
    if gone := [person for person in before if person not in staying]:
        cancel_seats(tx, old, gone)


def _carry_entry(tx: Tx, row: Row[Any], new: UUID) -> None:
    """The same UID with a higher SEQUENCE is an update (RFC 5546 2.1.4); the old seat gets another one."""
    here = notice.c.sitting == row.sitting, notice.c.person == row.person
    last = tx.execute(select(notice).where(*here).order_by(notice.c.sequence.desc()).limit(1)).first()
    old, now = (
        (seat.c.sitting == row.sitting, seat.c.person == row.person),
        (seat.c.sitting == new, seat.c.person == row.person),
    )
    tx.execute(update(seat).where(*old).values(uid=tx.ref(), cancelled_at=tx.now))
    tx.execute(delete(link).where(link.c.sitting == row.sitting, link.c.person == row.person))
    waiting = (*here, notice.c.state == "wanted")
    tx.execute(update(notice).where(*waiting).values(state="not_sent", why="cancelled", link=None))
    after = last.sequence + 1 if last else row.first_sequence + 1
    tx.execute(update(seat).where(*now).values(uid=row.uid, first_sequence=after))


def try_now(tx: Tx, about: UUID) -> None:
    """The item is looked at at once."""
    mine = item.c.id == about, item.c.state == "waiting"
    tx.execute(update(item).where(*mine).values(next_try=tx.now))
