"""What those who are asked say of times: the answers that count of an item's polls, and declined invitations."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from services.meetings.polls_rules import counting
from services.meetings.polls_tables import poll, poll_line
from services.meetings.proposing_store import given_in
from services.meetings.ranking import Reply
from services.service import Tx


def standing_poll(tx: Tx, about: UUID) -> Row[Any] | None:
    """The newest poll of an item from which no date was chosen yet, open or closed."""
    mine = select(poll).where(poll.c.item == about, ~poll.c.used)
    return tx.execute(mine.order_by(poll.c.opened_at.desc(), poll.c.id).limit(1)).first()


def replies_of(tx: Tx, about: UUID) -> tuple[Reply, ...]:
    """The answers that count, each with its time."""
    asked = standing_poll(tx, about)
    if asked is None:
        return ()
    lines = {row.position: row for row in lines_of(tx, asked.id)}
    counts = counting(given_in(tx, [asked.id]).get(asked.id, ()))
    return tuple(
        Reply(person, lines[position].starts, lines[position].ends, one.choice)
        for (person, position), one in counts.items()
    )


def lines_of(tx: Tx, asked: UUID) -> Sequence[Row[Any]]:
    """The lines of a poll, in order."""
    return tx.execute(select(poll_line).where(poll_line.c.poll == asked).order_by(poll_line.c.position)).all()


def declined(seats: Iterable[Row[Any]], announced: Row[Any] | None) -> tuple[Reply, ...]:
    """Who declined the announced sitting cannot come then."""
    if announced is None:
        return ()
    away = (one.person for one in seats if one.answer == "absent")
    return tuple(Reply(person, announced.starts, announced.ends, "no") for person in away)
