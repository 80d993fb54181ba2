"""Calendar feeds: the time that is held for one person, whichever kind of meeting holds it."""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select

from contracts.feeds import EndFeed, Feed, FeedEnded, FeedView, LookAtFeed, MakeFeed, Sat
from contracts.message import Event
from services.directory.handlers import service
from services.directory.tables import busy, feed, person
from services.service import Tx

BEHIND, AHEAD = timedelta(days=31), timedelta(days=366)


@service.does(MakeFeed)
def make_feed(question: MakeFeed, tx: Tx) -> tuple[Feed, Iterable[Event]]:
    """A new token, of which the digest is kept. Raises IntegrityError for a person who is not here."""
    token = tx.ref().hex
    tx.execute(delete(feed).where(feed.c.person == question.person))
    tx.execute(insert(feed).values(person=question.person, digest=_digest(token)))
    return Feed(token=token), ()


@service.does(EndFeed)
def end_feed(question: EndFeed, tx: Tx) -> tuple[FeedEnded, Iterable[Event]]:
    """Its address is dead from this commit on."""
    return FeedEnded(had=tx.execute(delete(feed).where(feed.c.person == question.person)).rowcount > 0), ()


@service.answers(LookAtFeed)
def look_at_feed(question: LookAtFeed, tx: Tx) -> FeedView:
    """Holds only: what the person's own calendar said (busy.csv) is there already."""
    mine = select(feed.c.person).join(person, person.c.id == feed.c.person)
    whose = tx.execute(mine.where(feed.c.digest == _digest(question.token), ~person.c.gone)).scalar()
    if whose is None:
        return FeedView(found=False)
    within = busy.c.ends > tx.now - BEHIND, busy.c.starts < tx.now + AHEAD
    held = select(busy.c.starts, busy.c.ends).where(busy.c.person == whose, busy.c.hold.is_not(None), *within)
    rows = tx.execute(held.distinct().order_by(busy.c.starts, busy.c.ends))
    return FeedView(found=True, times=tuple(Sat(starts=row.starts, ends=row.ends) for row in rows))


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
