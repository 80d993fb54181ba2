"""What a つなぐシート says becomes the first entries of a shien case, given by the agency that referred it."""

from uuid import UUID

from sqlalchemy import insert, select

from contracts.message import Compartment
from contracts.policy import Category
from services.coordination.tables import case, client, entry
from services.service import Shut, Tx
from services.vault import open_row

SEALED_IN = "entry.text"
_SAID = (client.c.reason, client.c.wishes)


def first_entries(about: UUID, tx: Tx) -> None:
    """Write them once both are there: the case, which an event opens, and whom it is about, which intake writes.

    They are what somebody may later decide to carry over, each by itself (C10); in juso there is nothing to carry.
    """
    if tx.here is not Compartment.SHIEN:
        return
    wanted = select(case.c.referrer, client).join(client, client.c.case == case.c.id).where(case.c.id == about)
    row = tx.execute(wanted).mappings().first()
    if row is None or tx.execute(select(entry.c.id).where(entry.c.case == about)).first():
        return
    try:
        texts = open_row(tx, about, _SAID, row).values()
    except Shut:
        return
    said = {"compartment": tx.here, "case": about, "category": Category.ORDINARY, "provider": row["referrer"]}
    for text in filter(None, texts):
        sealed = tx.seal(about, SEALED_IN, text)
        tx.execute(insert(entry).values(id=tx.ref(), **said, written_at=tx.now, text=sealed))
