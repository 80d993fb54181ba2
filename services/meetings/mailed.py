"""What comes back by mail: replies to a seat, reports of a notice's delivery. Codes and times, never a mail's words."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update

from contracts.links import new_link
from contracts.mail_addresses import ref_of_mail
from contracts.mail_answers import AnswerByMail, DeliveryTaken, MailAnswer, ReplyTaken, ReportDelivery, Said
from contracts.message import Event
from services.meetings import domain
from services.meetings.handlers import service
from services.meetings.mail_rules import (
    SENT_AGAIN,
    SENT_AGAIN_AFTER,
    SETS,
    WAITS_FOR,
    Seated,
    Told,
    answered_at,
    is_full,
    outcome_of,
)
from services.meetings.polls_tables import poll_seat
from services.meetings.tables import link, mail_reply, notice, seat, sitting
from services.service import Tx

_RANK = {"": 0, "deferred": 1, "delivered": 2, "bounced": 3}
"""Reports overtake one another: 「遅れています」 that comes after the end of it changes nothing."""


@service.does(AnswerByMail)
def answer_by_mail(asked: AnswerByMail, tx: Tx) -> tuple[ReplyTaken, Iterable[Event]]:
    """Keep what was said; the seat follows where the answer link might have done the same. The same mail once."""
    said = asked.answer
    before = tx.execute(select(mail_reply.c.outcome).where(mail_reply.c.request == said.request)).scalar()
    if before is not None:
        return ReplyTaken(outcome=before), ()
    found = _seat_of(said.token, tx)
    if found is None:
        return ReplyTaken(outcome="unknown"), ()
    mine = mail_reply.c.sitting == found.sitting, mail_reply.c.person == found.person
    if is_full(said.said, tx.connection.scalar(select(func.count(mail_reply.c.request)).where(*mine)) or 0):
        return ReplyTaken(outcome="full"), ()
    seated = Seated(found.starts, found.cancelled_at is not None, found.answered_by or found.answered_at)
    outcome = outcome_of(said, seated, _told(found, tx), tx.now)
    if outcome == "recorded":
        own = seat.c.sitting == found.sitting, seat.c.person == found.person
        values = {"answer": SETS[said.said], "answered_at": tx.now, "answered_by": answered_at(said, tx.now)}
        tx.execute(update(seat).where(*own).values(values))
    _keep(found, said, outcome, tx)
    return ReplyTaken(outcome=outcome), ()


@service.does(ReportDelivery)
def report_delivery(asked: ReportDelivery, tx: Tx) -> tuple[DeliveryTaken, Iterable[Event]]:
    """Keep what a mail server says became of a notice. Told twice, or late, it is kept once."""
    mine = notice.c.id == ref_of_mail(asked.token)
    found = tx.execute(select(notice.c.delivery).where(mine)).first()
    if found is not None and _RANK[asked.state] > _RANK[found.delivery]:
        tx.execute(update(notice).where(mine).values(delivery=asked.state, delivery_code=asked.code))
    if found is None:
        return DeliveryTaken(known=_poll_came_back(asked, tx)), ()
    return DeliveryTaken(known=True), ()


def _poll_came_back(asked: ReportDelivery, tx: Tx) -> bool:
    """Likewise of a 日程のうかがい: what bounced was not sent, and somebody is to telephone."""
    mine = poll_seat.c.notice == ref_of_mail(asked.token)
    if tx.execute(select(poll_seat.c.notice).where(mine)).first() is None:
        return False
    if asked.state == "bounced":
        sent = update(poll_seat).where(mine, poll_seat.c.state == "sent")
        tx.execute(sent.values(state="not_sent", why="bounced"))
    return True


def want_again(tx: Tx, link_key: bytes) -> None:
    """Have the invitation sent again where that is the answer: decided anew right before, as every sending is."""
    asked = select(mail_reply.c.request, mail_reply.c.sitting, mail_reply.c.person)
    for one in tx.execute(asked.where(mail_reply.c.again)).all():
        tx.execute(update(mail_reply).where(mail_reply.c.request == one.request).values(again=False))
        last = _last_notice(one.sitting, one.person, tx)
        if last is None or (last.kind, last.state) != ("invitation", "sent") or last.due > tx.now - SENT_AGAIN_AFTER:
            continue
        token, row = new_link(link_key, tx.here, tx.ref().bytes), {"sitting": one.sitting, "person": one.person}
        tx.execute(insert(link).values(row | {"digest": domain.link_digest(token)}))
        new = {"id": tx.ref(), "sequence": last.sequence + 1, "kind": "invitation", "state": "wanted"}
        tx.execute(insert(notice).values(row | new | {"due": tx.now, "link": token}))


def waiting_replies(sittings: Iterable[UUID], tx: Tx) -> dict[tuple[UUID, UUID], Row[Any]]:
    """By sitting and person: the newest mail after which somebody has to decide or telephone, if no answer followed."""
    rows = tx.execute(
        select(mail_reply)
        .where(mail_reply.c.sitting.in_(list(sittings)), mail_reply.c.outcome.in_(("noted", "recorded")))
        .order_by(mail_reply.c.came_at, mail_reply.c.request)
    )
    newest = {(row.sitting, row.person): row for row in rows if row.said != Said.REFRESH}
    return {key: row for key, row in newest.items() if Said(row.said) in WAITS_FOR}


def _keep(found: Row[Any], said: MailAnswer, outcome: str, tx: Tx) -> None:
    facts = said.model_dump(include={"request", "said", "sequence", "stamp", "wish_starts", "wish_ends"})
    own = {"sitting": found.sitting, "person": found.person, "outcome": outcome, "came_at": tx.now}
    again = outcome == "noted" and said.said in SENT_AGAIN
    tx.execute(insert(mail_reply).values(facts | own | {"again": again}))


def _seat_of(token: str, tx: Tx) -> Row[Any] | None:
    wanted = select(seat, sitting.c.starts).join(sitting, sitting.c.id == seat.c.sitting)
    return tx.execute(wanted.where(seat.c.uid == ref_of_mail(token))).first()


def _told(found: Row[Any], tx: Tx) -> list[Told]:
    rows = tx.execute(
        select(notice.c.sequence, notice.c.kind).where(
            notice.c.sitting == found.sitting, notice.c.person == found.person
        )
    )
    return [Told(row.sequence, row.kind == "cancellation") for row in rows]


def _last_notice(sitting_id: UUID, person: UUID, tx: Tx) -> Row[Any] | None:
    mine = notice.c.sitting == sitting_id, notice.c.person == person
    return tx.execute(select(notice).where(*mine).order_by(notice.c.sequence.desc()).limit(1)).first()
