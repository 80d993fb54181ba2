"""Erasing a case: its key is destroyed, so that no backup opens it; what is left of it is removed at leisure."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from contracts.coordination import ItemWithdrawn
from contracts.erasure import EraseCase, Erased
from contracts.message import Event
from services.coordination.handlers import service
from services.coordination.tables import case, client, entry, erased, item, reminder_ground
from services.service import Tx, Work

NO_CASE = "その事案はありません。事案の番号と会議の種類を確かめてください。"


@service.does(EraseCase)
def erase_case(asked: EraseCase, tx: Tx) -> tuple[Erased, Iterable[Event]]:
    """Destroy the case's key, delete who it is about and what was said of it, and note that. Twice is as once.

    Its items leave the sittings that are still to come: nobody meets about what nobody can read.
    """
    if tx.execute(select(case.c.id).where(case.c.id == asked.case)).first() is None:
        return Erased(done=False, message=NO_CASE), ()
    tx.audit(act="erase", outcome="allow", rule="", case=asked.case, detail=asked.reason)
    tx.destroy_key(asked.case)  # first: should the transaction fail, nothing opens all the same
    tx.execute(delete(client).where(client.c.case == asked.case))
    tx.execute(update(entry).where(entry.c.case == asked.case).values(text=None))
    tx.execute(delete(reminder_ground).where(reminder_ground.c.about == asked.case))
    if tx.execute(select(erased.c.subject).where(erased.c.subject == asked.case)).first() is not None:
        return Erased(done=True), ()
    tx.execute(insert(erased).values(subject=asked.case, at=tx.now, reason=asked.reason.value))
    mine = item.c.case == asked.case, item.c.withdrawn_at.is_(None)
    items = tx.execute(select(item.c.id).where(*mine)).scalars().all()
    tx.execute(update(item).where(*mine).values(withdrawn_at=tx.now))
    return Erased(done=True), [ItemWithdrawn(about=one, case=asked.case) for one in items]


@service.errand(every=3600)
async def clear_away(work: Work) -> None:
    """Take erased rows out of the store's files. Their key is gone already; this is the second lock."""
    if subjects := await work.run(_uncleared):
        await work.compact()
        await work.run(partial(_cleared, subjects))


def _uncleared(tx: Tx) -> list[UUID]:
    return list(tx.execute(select(erased.c.subject).where(erased.c.cleared_at.is_(None))).scalars())


def _cleared(subjects: list[UUID], tx: Tx) -> None:
    tx.execute(update(erased).where(erased.c.subject.in_(subjects)).values(cleared_at=tx.now))
