"""What agencies said of a case, and both ends of the gate: entries are sealed, and cross only as the gate decides."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.gate import (
    ConsentForGate,
    ConsentOfCase,
    Entries,
    EntriesForGate,
    Entry,
    EntryWritten,
    RecordCarryIn,
    RecordCarryOut,
    Recorded,
    WriteEntry,
)
from contracts.legal_basis import TAX_SECRECY
from contracts.message import Compartment, Event
from contracts.policy import Category
from services import sharing
from services.coordination import showing
from services.coordination.handlers import service
from services.coordination.showing import Sight
from services.coordination.tables import carry_in, carry_out, case, consents, entry
from services.coordination.taking_over import SEALED_IN
from services.coordination.views import client_of
from services.service import NotYet, Shut, Tx, Work

NO_CASE = "事案がありません。"
NO_AGENCY = "この符号の機関はプロファイルにありません。profile.toml の agencies にある code で指定してください。"
TAX_IN_SHIEN = (
    f"税の情報は、支援会議には置けません({TAX_SECRECY})。税の情報を除くか、税の情報を含む同意を本人から得てください。"
)
TAX_UNCOVERED = f"本人の同意が税の情報に及んでいません({TAX_SECRECY})。税の情報を含む同意を得てください。"


@service.does(WriteEntry)
def write_entry(asked: WriteEntry, tx: Tx) -> tuple[EntryWritten, Iterable[Event]]:
    """Note what was said. The store refuses tax data where it has no place; the sentence says what to do (S9)."""
    found = tx.execute(select(case.c.member).where(case.c.id == asked.case)).first()
    if found is None:
        return EntryWritten(message=NO_CASE), ()
    if asked.provider not in {agency.code for agency in tx.profile.agencies}:
        return EntryWritten(message=NO_AGENCY), ()
    if asked.category is Category.TAX and tx.here is Compartment.SHIEN:
        return EntryWritten(rule="S9", message=TAX_IN_SHIEN), ()
    ref = _stored(tx, entry, _entry_row(tx.ref(), asked, found.member, tx))
    return (EntryWritten(entry=ref) if ref else EntryWritten(rule="S9", message=TAX_UNCOVERED)), ()


@service.performs(EntriesForGate)
async def entries_for_gate(asked: EntriesForGate, work: Work) -> Entries:
    """All entries of a shien case that were not erased, for somebody who may see the case; registered as shown (S8)."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, [asked.case], partial(_entries, asked.case))


def _entries(about: UUID, sight: Sight, tx: Tx) -> Entries:
    refused = sight.door or next((one.decision for one in sight.refused), None)
    if refused:
        return Entries(found=False, row=refused.row, reason=refused.reason, next_step=refused.next_step)
    if about not in sight.shown:
        return Entries(found=False)
    return Entries(found=True, entries=tuple(entries_of(about, tx)), client=client_of(about, tx))


def entries_of(about: UUID, tx: Tx) -> Iterable[Entry]:
    """What was said of a case and not erased, oldest first, opened: for eyes that may see it."""
    carried = select(carry_out.c.entry).where(carry_out.c.entry == entry.c.id).exists().label("carried")
    rows = tx.execute(select(entry, carried).where(entry.c.case == about).order_by(entry.c.written_at, entry.c.id))
    for row in rows.all():
        with suppress(Shut):  # a store restored from before its case was erased
            if row.text is not None:
                yield _shown(row, tx)


@service.answers(ConsentForGate)
def consent_for_gate(asked: ConsentForGate, tx: Tx) -> ConsentOfCase:
    """How far the consent reaches; raises NotYet while this replica may be behind the ledger."""
    if not sharing.is_fresh(consents, tx):
        raise NotYet
    head = sharing.heads(consents, tx, [asked.case]).get(asked.case)
    member = tx.connection.scalar(select(case.c.member).where(case.c.id == asked.case))
    if head is None:
        return ConsentOfCase(found=False)
    return ConsentOfCase(found=True, state=ConsentState(head.state), scope=head.scope, member=member)


@service.does(RecordCarryOut)
def record_carry_out(asked: RecordCarryOut, tx: Tx) -> tuple[Recorded, Iterable[Event]]:
    """Shien's record. The store wants the agreement of the very agency that gave the entry."""
    said = asked.model_dump(include={"entry", "agreed_by", "agreed_on", "decided_by"})
    if tx.execute(select(entry.c.id).where(entry.c.id == asked.entry, entry.c.case == asked.case)).first() is None:
        return Recorded(), ()
    known = tx.execute(select(carry_out).where(carry_out.c.entry == asked.entry)).mappings().first()
    if known is not None:
        same = all(known[name] == value for name, value in said.items())
        return Recorded(record=known["id"] if same else None, other=not same), ()
    record = _stored(tx, carry_out, said | _decided(asked, tx) | {"id": tx.ref()})
    _note("carry_out", asked, record, tx)
    return Recorded(record=record), ()


@service.does(RecordCarryIn)
def record_carry_in(asked: RecordCarryIn, tx: Tx) -> tuple[Recorded, Iterable[Event]]:
    """Juso's record and the entry as written anew. The store wants the new consent in force to reach it."""
    if tx.execute(select(carry_in.c.id).where(carry_in.c.id == asked.record)).first() is not None:
        same = _is_the_same(asked, tx)
        return Recorded(record=asked.record if same else None, other=not same), ()
    head = sharing.heads(consents, tx, [asked.case]).get(asked.case)
    if head is None or head.scope is None:
        return Recorded(), ()
    with suppress(IntegrityError), tx.connection.begin_nested():
        ref = tx.ref()
        tx.execute(insert(entry).values(_entry_row(ref, asked, asked.member, tx)))
        within = {"consent": head.consent, "consent_version": head.version, "covers_tax": head.scope.covers_tax}
        said = asked.model_dump(include={"case", "member", "category", "purpose"})
        row = said | within | _decided(asked, tx) | {"id": asked.record, "entry": ref}
        tx.execute(insert(carry_in).values(row))
        _note("carry_in", asked, asked.record, tx)
        return Recorded(record=asked.record), ()
    _note("carry_in", asked, None, tx)
    return Recorded(), ()


def _is_the_same(asked: RecordCarryIn, tx: Tx) -> bool:
    """Whether a carry-over that was recorded before is the one that is asked for: same case, purpose and text."""
    wanted = select(entry, carry_in.c.purpose).join(carry_in, carry_in.c.entry == entry.c.id)
    row = tx.execute(wanted.where(carry_in.c.id == asked.record)).one()
    if (row.case, row.purpose) != (asked.case, asked.purpose) or row.text is None:
        return False
    return tx.open(row.case, SEALED_IN, row.text) == asked.text


def _entry_row(ref: UUID, asked: WriteEntry | RecordCarryIn, member: UUID | None, tx: Tx) -> dict[str, Any]:
    return {
        "id": ref,
        "compartment": tx.here,
        "case": asked.case,
        "member": member,
        "category": asked.category,
        "provider": asked.provider,
        "written_by": asked.written_by if isinstance(asked, WriteEntry) else asked.decided_by,
        "written_at": tx.now,
        "text": tx.seal(asked.case, SEALED_IN, asked.text),
    }


def _decided(asked: RecordCarryOut | RecordCarryIn, tx: Tx) -> dict[str, Any]:
    decided = {"decided_by": asked.decided_by, "decided_row": asked.row, "policy": asked.policy}
    return decided | {"compartment": tx.here, "at": tx.now}


def _note(act: str, asked: RecordCarryOut | RecordCarryIn, record: UUID | None, tx: Tx) -> None:
    outcome = "allow" if record else "refuse"
    tx.audit(act=act, outcome=outcome, rule=asked.row, actor="gate", case=asked.case, policy=asked.policy)


def _stored(tx: Tx, table: Table, row: dict[str, Any]) -> UUID | None:
    """The row's id, or None if the store refuses it."""
    try:
        with tx.connection.begin_nested():
            tx.execute(insert(table).values(row))
    except IntegrityError:
        return None
    ref: UUID = row["id"]
    return ref


def _shown(row: Any, tx: Tx) -> Entry:
    return Entry(
        entry=row.id,
        provider=row.provider,
        category=row.category,
        written_at=row.written_at,
        text=tx.open(row.case, SEALED_IN, row.text),
        carried=row.carried,
    )
