"""How far a version has come: permits run out and it is confirmed, juso's processes learn it and acknowledge (8.10)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from contracts.intake import AcknowledgeConsents, Acknowledgement
from services.intake.consenting import LISTENERS
from services.intake.ledger_tables import acknowledged, confirmation, permit, unconfirmed, version
from services.intake.versions import is_newest
from services.service import Tx

LATE = timedelta(seconds=60)
"""A process that has not acknowledged by then is late; its own fence stops it meanwhile (consent.md 8.10)."""
AT_ONCE = 500


def confirm(tx: Tx) -> int:
    """Confirm the versions before which no permit can be used any more; how many others still wait.

    A version waits in the store for permits being granted, so all there will ever be are seen here.
    """
    out = select(permit.c.permit).where(
        permit.c.consent == unconfirmed.c.consent,
        permit.c.version < unconfirmed.c.version,
        permit.c.spent_at.is_(None),
        permit.c.until > tx.now,
    )
    ready = tx.execute(select(unconfirmed).where(~out.exists()).limit(AT_ONCE)).all()
    if ready:
        rows = [{"consent": row.consent, "version": row.version, "confirmed_at": tx.now} for row in ready]
        tx.execute(insert(confirmation), rows)
        keys = [(row.consent, row.version) for row in ready]
        tx.execute(delete(unconfirmed).where(tuple_(unconfirmed.c.consent, unconfirmed.c.version).in_(keys)))
    return waiting(tx)


def waiting(tx: Tx) -> int:
    """How many versions are still to be confirmed."""
    return tx.connection.scalar(select(func.count()).select_from(unconfirmed)) or 0


def acknowledge(asked: AcknowledgeConsents, tx: Tx) -> None:
    """Note each once. A version that is not in the ledger is nobody's to acknowledge: it is ignored."""
    wanted = {(one.consent, one.version) for one in asked.known}
    known = select(version.c.consent, version.c.version)
    known = known.where(version.c.consent.in_({consent for consent, _ in wanted}))  # SQLite finds no pairs by an index
    said = {"process": asked.process, "at": tx.now}
    rows = [
        {"consent": row.consent, "version": row.version, **said} for row in tx.execute(known) if tuple(row) in wanted
    ]
    insert_or = insert_postgresql if tx.connection.dialect.name == "postgresql" else insert_sqlite
    if rows:
        tx.execute(insert_or(acknowledged).on_conflict_do_nothing(), rows)


def acknowledgements(consent: UUID, tx: Tx) -> dict[int, tuple[Acknowledgement, ...]]:
    """By version. Who acknowledged a later one has stopped what the earlier ones took away, too."""
    rows = tx.execute(select(acknowledged).where(acknowledged.c.consent == consent).order_by(acknowledged.c.at)).all()
    newest = max((row.version for row in rows), default=0)
    return {number: _first_of(number, rows) for number in range(1, newest + 1)}


def _first_of(number: int, rows: Sequence[Any]) -> tuple[Acknowledgement, ...]:
    first: dict[str, Acknowledgement] = {}
    for row in rows:
        if row.version >= number:
            first.setdefault(row.process, Acknowledgement(process=row.process, at=row.at))
    return tuple(first.values())


def confirmations(consent: UUID, tx: Tx) -> dict[int, datetime]:
    """When each version was confirmed."""
    rows = tx.execute(select(confirmation).where(confirmation.c.consent == consent))
    return {row.version: row.confirmed_at for row in rows}


def late(tx: Tx) -> int:
    """How many consents' newest versions some process of juso has not acknowledged for a minute."""
    silent = or_(*(~_has_acknowledged(process) for process in LISTENERS))
    told = and_(version.c.case.is_not(None), version.c.recorded_at <= tx.now - LATE)
    return tx.connection.scalar(select(func.count()).select_from(version).where(told, is_newest(), silent)) or 0


def _has_acknowledged(process: str) -> ColumnElement[bool]:
    mine = acknowledged.c.consent == version.c.consent, acknowledged.c.process == process
    return select(acknowledged.c.version).where(*mine, acknowledged.c.version >= version.c.version).exists()
