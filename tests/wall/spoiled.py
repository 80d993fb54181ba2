"""Stores that lack one constraint or one guard: what the battery must notice."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Constraint, ForeignKeyConstraint, MetaData, Table, UniqueConstraint

from contracts.message import Compartment
from services.guards import Guard, guards_of, statements
from tests.wall.battery import CHECK, FOREIGN_KEY, KEPT, UNIQUE, Try, tries
from tests.wall.ground import JUSO, SHIEN, TABLES
from tests.wall.rings import Ring, memory, usual_ddl

WALL = (
    *("consent_version", "consent_agency", "consent_purpose", "consent_member", "replica", "commission"),
    *("commission_end", "disclosure", "item", "sitting", "seat", "agenda", "cooperation", "case_"),
)
"""The tables whose every constraint has to be needed."""


@dataclass(frozen=True)
class Part:
    """One thing that refuses. ``text`` says which, in the same words for every service."""

    table: Table
    refuses: Constraint | Guard

    @property
    def text(self) -> str:
        one = self.refuses
        if isinstance(one, Guard):
            return f"{self.table.name}: {one.on} {one.word}"
        if isinstance(one, CheckConstraint):
            return f"{self.table.name}: CHECK {' '.join(str(one.sqltext).split())}"[:100]
        columns = ", ".join(column.name for column in one.columns)  # type: ignore[attr-defined]
        if isinstance(one, ForeignKeyConstraint):
            return f"{self.table.name}: ({columns}) REFERENCES {one.referred_table.name}"
        return f"{self.table.name}: UNIQUE ({columns})"

    @property
    def kind(self) -> str:
        """The refusal it is there for."""
        one = self.refuses
        if isinstance(one, Guard):
            return one.word
        return {CheckConstraint: CHECK, ForeignKeyConstraint: FOREIGN_KEY}.get(type(one), UNIQUE)

    @contextmanager
    def missing(self) -> Iterator[None]:
        """The tables without it."""
        one = self.refuses
        if isinstance(one, Guard):
            guards = guards_of(self.table)
            place = guards.index(one)
            guards.remove(one)
            try:
                yield
            finally:
                guards.insert(place, one)
            return
        holders = [self.table.constraints, *(column.constraints for column in self.table.columns)]
        (holder,) = (held for held in holders if one in held)
        holder.remove(one)
        try:
            yield
        finally:
            holder.add(one)


def parts(metadata: MetaData) -> list[Part]:
    """Every CHECK, FOREIGN KEY, UNIQUE and guard of the wall's tables; a primary key is no part of the wall."""
    found: list[Part] = []
    for table in metadata.sorted_tables:
        if table.name not in WALL:
            continue
        own = [*table.constraints, *(one for column in table.columns for one in column.constraints)]
        kinds = (CheckConstraint, ForeignKeyConstraint, UniqueConstraint)
        found += [Part(table, one) for one in own if isinstance(one, kinds)]
        found += [Part(table, one) for one in guards_of(table)]
    return sorted(found, key=lambda part: part.text)


@contextmanager
def named(metadata: MetaData) -> Iterator[dict[str, Part]]:
    """Each constraint under a name of its own, by which PostgreSQL can drop it."""
    known = {f"part_{number}": part for number, part in enumerate(parts(metadata))}
    plain = {name: part for name, part in known.items() if isinstance(part.refuses, Constraint)}
    before = {name: part.refuses.name for name, part in plain.items() if isinstance(part.refuses, Constraint)}
    for name, part in plain.items():
        part.refuses.name = name  # type: ignore[union-attr,misc]
    try:
        yield known
    finally:
        for name, part in plain.items():
            part.refuses.name = before[name]  # type: ignore[union-attr,misc]


def dropped(name: str, part: Part, compartment: Compartment) -> str:
    """The statement that takes a named part out of a PostgreSQL store of that compartment."""
    table, one = part.table.name, part.refuses
    if not isinstance(one, Guard):
        return f'alter table "{table}" drop constraint {name} cascade'
    trigger = f'"{table}_{one.on}_guard"'
    with part.missing():
        made = statements(part.table, "postgresql", compartment)
        left = [one for one in made if f"function {trigger}() returns" in one]
    return left[0] if left else f'drop trigger {trigger} on "{table}"'


def noticed(ring: Ring, service: str, compartment: Compartment, part: Part) -> str:
    """The name of the first attempt that meets something else than it should; empty if none does."""
    attempts = [*tries(service, compartment), *emptied(part)] if ring.postgres else tries(service, compartment)
    for one in sorted(attempts, key=lambda one: one.refusal != part.kind):  # what it refuses comes first
        if ring.outcome(one) != one.refusal:
            return one.name
    return ""


def emptied(part: Part) -> list[Try]:
    """TRUNCATE, which a service has no right to, of a table that is kept."""
    if not part.table.info.get("append_only"):
        return []
    return [Try(f"{part.table.name} emptied", lambda: f'truncate "{part.table.name}" cascade', KEPT)]


def kinds_of(part: Part) -> list[Compartment]:
    """The compartment first in whose stores the part is likely to be needed."""
    return [SHIEN, JUSO] if part.table.name in ("commission", "commission_end", "cooperation") else [JUSO, SHIEN]


def noticed_in_memory(service: str, part: Part) -> str:
    """The same for a SQLite store made without the part, of either kind."""
    for compartment in Compartment:
        usual_ddl(TABLES[service], compartment)  # all of them as they should be, before one is not
    with part.missing():
        for compartment in kinds_of(part):
            try:
                with memory(service, compartment, part.table) as ring:
                    found = noticed(ring, service, compartment, part)
            except sqlite3.OperationalError:
                found = "nothing can be written"  # for the lack of a key to refer to
            if found:
                return found
    return ""
