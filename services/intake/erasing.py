"""Erasing a referral: its consent is closed, its key destroyed, and what is left of it removed at leisure."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from sqlalchemy import select, update

from contracts.consent import ConsentState
from contracts.erasure import Erased, EraseReason, EraseReferral
from contracts.message import Event
from services.intake import deeds, members, sealed, signals, triage
from services.intake.handlers import service
from services.intake.ledger import close
from services.intake.tables import erased
from services.service import Tx, Work

NO_REFERRAL = "そのつなぎはありません。受付番号と紹介元機関を確かめてください。"


@service.does(EraseReferral)
def erase_referral(question: EraseReferral, tx: Tx) -> tuple[Erased, Iterable[Event]]:
    """Close its consent, destroy its key, delete who it is about and its words, and note that. Twice is as once.

    Without the first step the sittings would go on, and nobody could take back what nobody can read any more (C11).
    """
    found = sealed.find(question, tx)
    if found is None:
        return Erased(done=False, message=NO_REFERRAL), ()
    tx.audit(act="erase", outcome="allow", rule="", detail=question.reason)
    asked_for = question.reason is EraseReason.REQUEST
    events = close(found, ConsentState.WITHDRAWN if asked_for else ConsentState.EXPIRED, tx)
    sealed.erase(found, question.reason, tx)
    deeds.forget(found, tx)
    triage.forget(found, tx)
    members.forget(found, tx)
    signals.erase_of_referral(found, question.reason, tx)
    return Erased(done=True), events


@service.errand(every=3600)
async def clear_away(work: Work) -> None:
    """Take erased rows out of the store's files. Their key is gone already; this is the second lock."""
    subjects, notes = await work.run(_uncleared), await work.run(signals.uncleared)
    if subjects or notes:
        await work.compact()
        await work.run(partial(_cleared, subjects))
        await work.run(partial(signals.cleared, notes))


def _uncleared(tx: Tx) -> list[UUID]:
    return list(tx.execute(select(erased.c.subject).where(erased.c.cleared_at.is_(None))).scalars())


def _cleared(subjects: list[UUID], tx: Tx) -> None:
    tx.execute(update(erased).where(erased.c.subject.in_(subjects)).values(cleared_at=tx.now))
