"""Rows of many referrals, gathered and then written table by table: a statement each costs more than what it writes."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from contracts.intake import Sheet
from services.extent import further, reach
from services.intake import domain
from services.intake.ledger_tables import agency, confirmation, extent, purpose, running, unconfirmed, version
from services.intake.ledger_tables import member as consent_member
from services.intake.reception_tables import household_stay
from services.intake.tables import client, household_member, juso_case, member, referral
from services.service import Tx

ORDER = (
    client,
    member,
    household_member,
    household_stay,
    juso_case,
    agency,
    purpose,
    consent_member,
    version,
    running,
    confirmation,
    unconfirmed,
)
"""A row comes after those it refers to, and a version after its scope."""
_WORDS = update(referral).where(referral.c.id == bindparam("key"))


class Pile:
    """Lasts for one transaction. What is not written when that ends was never there: see ``write``."""

    def __init__(self) -> None:
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._words: list[dict[str, Any]] = []
        self._consents = self._versions = 0

    def add(self, table: Table, *rows: dict[str, Any]) -> None:
        """Rows of a table of ORDER; those of one table have the same columns. Raises ValueError for another table."""
        if table not in ORDER:
            raise ValueError(f"{table.name} has no place in the order")
        self._rows.setdefault(table, []).extend(rows)

    def reword(self, key: UUID, words: dict[str, Any]) -> None:
        """Write into a referral that is stored already."""
        self._words.append({"key": key, **words})

    def reach(self, before: int, now: int) -> None:
        """The newest version of a consent that juso was told of was ``before`` and is ``now``."""
        consents, versions = further(before, now)
        self._consents, self._versions = self._consents + consents, self._versions + versions

    def write(self, tx: Tx) -> None:
        """Write it all, and start anew. Raises IntegrityError where the store refuses a row."""
        if self._words:
            tx.execute(_WORDS, self._words)
        for table in ORDER:
            if rows := self._rows.get(table):
                tx.execute(insert(table), rows)
        if self._versions:
            reach(extent, self._consents, self._versions, tx)
        self._rows, self._words, self._consents, self._versions = {}, [], 0, 0


def store_referral(sheet: Sheet, key: UUID, state: str, tx: Tx) -> dict[str, Any] | None:
    """The row, or None if there is one with its key. Of two imports that race, the store lets one win.

    Nothing is sealed before that is decided: a sheet taken in before would leave a key for nothing.
    """
    row = sheet.model_dump(
        mode="json",
        include={"referrer", "number", "urgent", "household_size", "problems"},
    )
    row |= {
        "id": key,
        "state": state,
        "received_on": sheet.received_on,
        "agencies": domain.consent_agencies(sheet),
        "recorded_at": tx.now,
    }
    return row if tx.execute(_STORE[tx.connection.dialect.name], row).first() else None


_STORE = {
    name: insert_or(referral).on_conflict_do_nothing(index_elements=["referrer", "number"]).returning(referral.c.id)
    for name, insert_or in (("postgresql", insert_postgresql), ("sqlite", insert_sqlite))
}
"""Written once, for that takes longer than running it."""
