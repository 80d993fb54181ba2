"""Versions of consents in and out of the ledger, and what juso is told of each."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Table, bindparam, column, delete, func, select, values

from contracts.consent import ConsentState, Obtained, Scope, Signer
from contracts.intake import ConsentChanged
from contracts.purpose import Purpose
from services.intake.consenting import Version
from services.intake.ledger_tables import (
    PARTS,
    agency,
    confirmation,
    member,
    permit,
    purpose,
    running,
    unconfirmed,
    version,
)
from services.intake.pile import Pile
from services.service import Shut, Tx
from services.vault import open_row, seal_row

GONE = "消去済み"
_WORDS = ("obtained_by", "signer_name", "note")
_PLAIN = tuple(one.name for one in fields(Version) if one.name in version.c)


def store_version(one: Version, pile: Pile, tx: Tx) -> None:
    """Pile a version up with its scope. The first is confirmed at once: no permit can be older."""
    key = {"consent": one.consent, "version": one.version}
    scope = one.scope
    if scope is not None:
        pile.add(agency, *(key | {"agency": code} for code in scope.agencies))
        pile.add(purpose, *(key | {"purpose": what.value} for what in scope.purposes))
        pile.add(member, *(key | {"member": who, "referral": one.referral} for who in scope.members))
    row = {name: getattr(one, name) for name in _PLAIN}
    row |= {name: row[name] or None for name in _WORDS}
    row |= {"covers_tax": bool(scope and scope.covers_tax)}
    row |= {"starts": scope.starts if scope else None, "ends": scope.ends if scope else None}
    pile.add(version, seal_row(tx, one.referral, version, row, str(one.version)))
    if one.case is not None:
        pile.reach(_told_before(one, tx), one.version)
    if one.version > 1:
        tx.execute(delete(running).where(running.c.consent == one.consent))
    if scope is not None:
        pile.add(running, key | {"ends": scope.ends})
    if one.version == 1:
        pile.add(confirmation, key | {"confirmed_at": one.recorded_at})
    else:
        pile.add(unconfirmed, key)


def _told_before(one: Version, tx: Tx) -> int:
    """The last version before this one that juso was told of, 0 for none."""
    before = version.c.consent == one.consent, version.c.version < one.version, version.c.case.is_not(None)
    return tx.connection.scalar(select(func.max(version.c.version)).where(*before)) or 0 if one.version > 1 else 0


def lock(consents: Iterable[UUID], tx: Tx, *, shared: bool) -> None:
    """Until this transaction ends a version and a permit of the same consent wait for one another.

    In PostgreSQL, by the same lock as the guards of ledger_tables.py; SQLite has one writer at a time anyway.
    """
    if tx.connection.dialect.name != "postgresql" or not (wanted := sorted({str(one) for one in consents})):
        return
    keys = values(column("consent", String), name="wanted").data([(one,) for one in wanted])
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    tx.execute(select(take(func.hashtextextended(keys.c.consent, 0))))


def versions_where(tx: Tx, *where: ColumnElement[bool]) -> list[Version]:
    """The versions for which all this holds, with their scopes, oldest first."""
    rows = tx.execute(select(version).where(*where).order_by(version.c.consent, version.c.version)).all()
    consents = {row.consent for row in rows if row.starts is not None}
    parts = {part.name: _parts(part, consents, tx) for part in PARTS}
    tx.fetch_keys({row.referral for row in rows})
    return [_version(row, parts, _words(row, tx)) for row in rows]


def newest_of(consents: Iterable[UUID], tx: Tx) -> dict[UUID, Version]:
    """The newest version of each of these consents that there is, to decide by: without its sealed words."""
    rows = tx.execute(_NEWEST_OF, {"consents": list(set(consents))}).all()
    parts = {part.name: _parts(part, {row.consent for row in rows if row.starts is not None}, tx) for part in PARTS}
    return {row.consent: _version(row, parts, dict.fromkeys(_WORDS, "")) for row in rows}


def is_newest() -> ColumnElement[bool]:
    """SQL: no later version of the same consent."""
    later = version.alias()
    return (
        ~select(later.c.version)
        .where(later.c.consent == version.c.consent, later.c.version > version.c.version)
        .exists()
    )


_NEWEST_OF = select(version).where(version.c.consent.in_(bindparam("consents", expanding=True)), is_newest())
"""Written once, like the next ones: putting them together takes longer than running them."""
_OF_CONSENTS = {
    part: select(part.c.consent, part.c.version, part.c[part.name.removeprefix("consent_")]).where(
        part.c.consent.in_(bindparam("consents", expanding=True))
    )
    for part in PARTS
}
_HIGHEST = select(*(select(func.max(one)).scalar_subquery() for one in (version.c.recorded_at, permit.c.granted_at)))


def is_in_force(moment: datetime) -> ColumnElement[bool]:
    """SQL: the newest, and within its period. Only versions in an open state have one."""
    return is_newest() & (version.c.starts <= moment) & (moment < version.c.ends)


def highest_instant(tx: Tx) -> datetime | None:
    """The latest instant the ledger has written: its clock may not fall behind it."""
    found = tx.execute(_HIGHEST).one()
    return max((one for one in found if one is not None), default=None)


def changed(one: Version, case: UUID) -> ConsentChanged:
    """What juso is told: references and codes."""
    return ConsentChanged(
        about=one.consent,
        version=one.version,
        case=case,
        state=one.state,
        scope=one.scope,
        recorded_at=one.recorded_at,
    )


def _parts(part: Table, consents: set[UUID], tx: Tx) -> dict[tuple[UUID, int], list[Any]]:
    found: dict[tuple[UUID, int], list[Any]] = {}
    rows: Sequence[Any] = tx.execute(_OF_CONSENTS[part], {"consents": list(consents)}).all() if consents else ()
    for row in rows:
        found.setdefault((row[0], row[1]), []).append(row[2])
    return found


def _version(row: Any, parts: dict[str, dict[tuple[UUID, int], list[Any]]], words: dict[str, str]) -> Version:
    plain = {name: getattr(row, name) for name in _PLAIN} | words
    plain |= {
        "state": ConsentState(row.state),
        "signer": Signer(row.signer),
        "obtained": Obtained(row.obtained) if row.obtained else None,
    }
    return Version(**plain, scope=_scope(row, parts))


def _words(row: Any, tx: Tx) -> dict[str, str]:
    columns = [version.c[name] for name in _WORDS]
    try:
        opened = open_row(tx, row.referral, columns, row._mapping, str(row.version))
    except Shut:
        return dict.fromkeys(_WORDS, GONE)
    return {name: text or "" for name, text in opened.items()}


def _scope(row: Any, parts: dict[str, dict[tuple[UUID, int], Sequence[Any]]] | Any) -> Scope | None:
    if row.starts is None:
        return None
    key = (row.consent, row.version)
    return Scope(
        agencies=tuple(sorted(parts["consent_agency"][key])),
        purposes=tuple(sorted(map(Purpose, parts["consent_purpose"][key]))),
        members=tuple(sorted(parts["consent_member"][key])),
        covers_tax=row.covers_tax,
        starts=row.starts,
        ends=row.ends,
    )
