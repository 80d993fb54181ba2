"""Who wants no reminders. It is one wish per person, so that neither kind of meeting learns of the other by it (S17).

Invitations, cancellations and polls are no subscription: nothing here is looked at for them.
"""

from collections.abc import Iterable
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.message import Event
from contracts.notify import LookAtReminders, RemindersWanted, WantReminders
from services.notify.handlers import service
from services.notify.tables import wish
from services.service import Tx


def wish_of(person: UUID, tx: Tx) -> tuple[str, datetime | None]:
    """The person's link, made with the first reminder, and since when no reminders are wanted."""
    row = tx.execute(select(wish).where(wish.c.person == person)).first()
    if row is not None:
        return row.link, row.stopped_at
    link = token_urlsafe(24)
    tx.execute(insert(wish).values(person=person, link=link))
    return link, None


@service.answers(LookAtReminders)
def look_at_reminders(asked: LookAtReminders, tx: Tx) -> RemindersWanted:
    """Whether they are wanted; of a link that is not ours nothing."""
    return _said(_found(asked.link, tx))


@service.does(WantReminders)
def want_reminders(asked: WantReminders, tx: Tx) -> tuple[RemindersWanted, Iterable[Event]]:
    """Stop them, or have them again. Twice is once; the day on which they were first stopped stays."""
    found = _found(asked.link, tx)
    if found is None or (found.stopped_at is None) == asked.wanted:
        return _said(found), ()
    stopped_at = None if asked.wanted else tx.now
    tx.execute(update(wish).where(wish.c.person == found.person).values(stopped_at=stopped_at))
    return RemindersWanted(found=True, wanted=asked.wanted), ()


def _found(link: str, tx: Tx) -> Row[Any] | None:
    return tx.execute(select(wish).where(wish.c.link == link)).first()


def _said(found: Row[Any] | None) -> RemindersWanted:
    return RemindersWanted(found=found is not None, wanted=found is not None and found.stopped_at is None)
