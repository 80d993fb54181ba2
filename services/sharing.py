"""How a compartment shares: learn what the ledger says, decide by the policy, redeem a permit, write the register.

The order is the wall's (consent.md 8.10): decide, redeem, write the row, share. A row whose sharing then fails says
more than happened, never less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, and_, bindparam, delete, func, insert, or_, select, tuple_, update

from contracts.consent import ConsentState, Scope
from contracts.disclosure import Disclosure, DisclosureList
from contracts.intake import AcknowledgeConsents, ConsentChanged, ConsentHeads, Heads, KnownVersion
from contracts.legal_basis import BASIS_OF
from contracts.message import Account, Compartment, Question
from contracts.permit import Permit, Redeem, ReportSpent, Use, is_ours
from contracts.policy import NEVER, Category, Decision, Period, Request, decide
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services.extent import further, how_far, reach
from services.service import Service, Tx, Work
from services.wall import FENCE_SECONDS, Commissions, Consents

HEARTBEAT_SECONDS = 5.0
"""How often a replica compares itself with the ledger; a dozen misses and it shares nothing."""
USES_AT_ONCE = 500
ACKNOWLEDGED_AT_ONCE = 200
ROWS_AT_ONCE = 1000
ASKS: frozenset[type[Question[Any]]] = frozenset({Redeem, ReportSpent, AcknowledgeConsents, ConsentHeads})
"""What a service that shares has to declare; only its juso process gets the rights."""


@dataclass(frozen=True)
class Head:
    """The newest version of a consent that this store knows. ``scope``: None while it opens nothing."""

    consent: UUID
    version: int
    case: UUID
    state: ConsentState
    scope: Scope | None


@dataclass(frozen=True, kw_only=True)
class Share:
    """One thing about to be shared with one person. ``id``: the register's row. ``commission``: shien's ground."""

    id: UUID
    act: Act
    item: UUID
    case: UUID
    member: UUID | None
    category: Category
    purpose: Purpose
    agency: str
    person: UUID
    sitting: UUID | None = None
    head: Head | None = None
    commission: UUID | None = None
    commission_period: Period = NEVER
    seat: bool = False
    office: bool = False


@dataclass(frozen=True)
class Shared:
    """What the policy allowed, with the permit that juso needs."""

    share: Share
    decision: Decision
    permit: Permit | None = None


@dataclass(frozen=True)
class Verdicts:
    """What may be shared, and what may not, each with its decision."""

    allowed: tuple[Shared, ...]
    refused: tuple[Shared, ...]


# -- what the ledger says ----------------------------------------------------------------------------------------------


def learn(tables: Consents, told: ConsentChanged, tx: Tx) -> bool:
    """Store a version told by the ledger, and that it is to be acknowledged. False when it is no news."""
    before = tx.connection.scalar(_known(tables.version), {"about": told.about}) or 0
    if before >= told.version:
        return False
    key = {"consent": told.about, "version": told.version}
    scope = told.scope
    if scope is not None:
        for part, values in ((tables.agency, scope.agencies), (tables.purpose, scope.purposes)):
            if values:
                tx.execute(insert(part), [key | {part.name.removeprefix("consent_"): str(one)} for one in values])
        if scope.members:
            tx.execute(insert(tables.member), [key | {"member": one} for one in scope.members])
    row = key | {"compartment": tx.here, "case": told.case, "state": told.state, "recorded_at": told.recorded_at}
    row |= {"starts": scope.starts if scope else None, "ends": scope.ends if scope else None}
    tx.execute(insert(tables.version), row | {"covers_tax": bool(scope and scope.covers_tax)})
    reach(tables.extent, *further(before, told.version), tx)
    tx.execute(insert(tables.acknowledgement), key)
    return True


@cache
def _known(version: Table) -> Select[Any]:
    """The newest version known of a consent ``about``. Written once, as ``_newest`` below."""
    return select(func.max(version.c.version)).where(version.c.consent == bindparam("about"))


def heads(tables: Consents, tx: Tx, cases: Iterable[UUID] | None = None) -> dict[UUID, Head]:
    """The newest version of each case's consent, by case; of all cases without ``cases``."""
    wanted = _newest(tables.version) if cases is None else _newest_of_cases(tables.version)
    rows = tx.execute(wanted, *([] if cases is None else [{"cases": list(cases)}])).all()
    keys = [(row.consent, row.version) for row in rows if row.starts is not None]
    parts = {part.name: _parts(part, keys, tx) for part in (tables.agency, tables.purpose, tables.member)}
    return {row.case: _head(row, parts) for row in rows}


@cache
def _newest(version: Table) -> Select[Any]:
    """Written once: putting it together takes longer than running it."""
    newer = version.alias()
    later = select(newer).where(newer.c.consent == version.c.consent, newer.c.version > version.c.version)
    return select(version).where(~later.exists())


@cache
def _newest_of_cases(version: Table) -> Select[Any]:
    return _newest(version).where(version.c.case.in_(bindparam("cases", expanding=True)))


def _parts(part: Table, keys: Sequence[tuple[UUID, int]], tx: Tx) -> dict[tuple[UUID, int], list[Any]]:
    found: dict[tuple[UUID, int], list[Any]] = {}
    consents = [consent for consent, _ in keys]
    rows: Sequence[Any] = tx.execute(_of_consents(part), {"consents": consents}).all() if keys else ()
    for row in rows:
        found.setdefault((row[0], row[1]), []).append(row[2])
    return found


@cache
def _of_consents(part: Table) -> Select[Any]:
    return select(part).where(part.c.consent.in_(bindparam("consents", expanding=True)))


def _head(row: Any, parts: dict[str, dict[tuple[UUID, int], list[Any]]]) -> Head:
    key, scope = (row.consent, row.version), None
    if row.starts is not None:
        scope = Scope(
            agencies=tuple(sorted(parts["consent_agency"].get(key, ()))),
            purposes=tuple(sorted(map(Purpose, parts["consent_purpose"].get(key, ())))),
            members=tuple(sorted(parts["consent_member"].get(key, ()))),
            covers_tax=row.covers_tax,
            starts=row.starts,
            ends=row.ends,
        )
    return Head(row.consent, row.version, row.case, ConsentState(row.state), scope)


def is_fresh(tables: Consents, tx: Tx) -> bool:
    """Whether the replica compared itself with the ledger within the last minute. Else nothing is shown or sent."""
    at: datetime | None = tx.connection.scalar(select(tables.replica.c.fresh_at))
    return at is not None and abs(tx.now - at) <= timedelta(seconds=FENCE_SECONDS)


def freshen(tables: Consents, ledger: Heads, tx: Tx) -> bool:
    """Note that the replica lacks nothing, if that is so and both clocks agree; False otherwise."""
    apart = abs((tx.now - ledger.as_of).total_seconds())
    if how_far(tables.extent, tx) != (ledger.consents, ledger.versions) or apart > FENCE_SECONDS / 2:
        return False
    if not tx.execute(update(tables.replica).values(fresh_at=tx.now)).rowcount:
        tx.execute(insert(tables.replica).values(id=1, fresh_at=tx.now))
    return True


def watch_ledger(service: Service, tables: Consents) -> None:
    """Give a service the errands that keep its juso replica compared with the ledger and acknowledge what it learnt."""

    @service.errand(every=HEARTBEAT_SECONDS, woken=False)
    async def compare_with_ledger(work: Work) -> None:
        if work.compartment is Compartment.JUSO:
            ledger = await work.ask(ConsentHeads(), to=Account.INTAKE)
            await work.run(lambda tx: freshen(tables, ledger, tx))

    @service.errand(every=30.0)
    async def acknowledge_consents(work: Work) -> None:
        if work.compartment is not Compartment.JUSO:
            return
        while known := await work.run(lambda tx: _unacknowledged(tables, tx)):
            asked = AcknowledgeConsents(known=known, process=f"{service.name}@juso")
            await work.ask(asked, to=Account.INTAKE)
            await work.run(partial(_forget, tables, known))


def _unacknowledged(tables: Consents, tx: Tx) -> tuple[KnownVersion, ...]:
    rows = tx.execute(select(tables.acknowledgement).limit(ACKNOWLEDGED_AT_ONCE))
    return tuple(KnownVersion(consent=row.consent, version=row.version) for row in rows)


def _forget(tables: Consents, known: Sequence[KnownVersion], tx: Tx) -> None:
    mine = tables.acknowledgement
    told = tuple_(mine.c.consent, mine.c.version).in_([(one.consent, one.version) for one in known])
    tx.execute(delete(mine).where(told))


# -- deciding and redeeming --------------------------------------------------------------------------------------------


def judge(share: Share, compartment: Compartment, moment: datetime, *, hosted_by_municipality: bool) -> Decision:
    """What the policy says of one share at an aware moment, from what this store knows."""
    head = share.head
    scope = head.scope if head else None
    return decide(
        Request(
            act=share.act,
            moment=moment,
            category=share.category,
            compartment=compartment,
            basis=BASIS_OF[compartment].code,
            hosted_by_municipality=hosted_by_municipality,
            seat=share.seat,
            office=share.office,
            consent=head.state if head else ConsentState.NOT_ASKED,
            consent_period=Period(scope.starts, scope.ends) if scope else NEVER,
            covers_tax=bool(scope and scope.covers_tax),
            agency_inside=bool(scope and share.agency in scope.agencies),
            purpose_inside=bool(scope and share.purpose in scope.purposes),
            member_inside=bool(scope and share.member in scope.members),
            commission=share.commission_period,
        )
    )


async def permitted(work: Work, shares: Sequence[Share], *, hosted_by_municipality: bool) -> Verdicts:
    """What of this may be shared now: by the policy here, and in juso by the ledger's permit. Raises AskFailed."""
    where, now = work.compartment, work.now()
    if where is None:
        raise TypeError("only a compartment shares")
    judged = [Shared(one, judge(one, where, now, hosted_by_municipality=hosted_by_municipality)) for one in shares]
    refused = [one for one in judged if not one.decision.allowed]
    allowed = [one for one in judged if one.decision.allowed]
    if where is Compartment.JUSO:
        key, asked, allowed = work.settings.permit_key, allowed, []
        for first in range(0, len(asked), USES_AT_ONCE):
            part = asked[first : first + USES_AT_ONCE]
            answer = await work.ask(Redeem(uses=tuple(use_of(one.share) for one in part)), to=Account.INTAKE)
            for one, verdict in zip(part, answer.verdicts, strict=True):
                permit = verdict.permit
                if permit is not None and permit.use == use_of(one.share) and is_ours(key, permit):
                    allowed.append(Shared(one.share, one.decision, permit))
                else:
                    refused.append(Shared(one.share, _refusal(one.decision, verdict.row, verdict.reason)))
    return Verdicts(tuple(allowed), tuple(refused))


def _refusal(decision: Decision, row: str, reason: str) -> Decision:
    text = reason or "同意の台帳の許可を確かめられません。"
    return Decision(False, None, decision.rule, decision.basis, text, "", row, decision.rules, decision.version)


def use_of(share: Share) -> Use:
    """What a permit is asked for. Raises TypeError for what no consent carries."""
    if share.head is None or share.member is None:
        raise TypeError("allowed without a consent")
    return Use.model_validate(
        {
            "use": share.id,
            "act": share.act,
            "consent": share.head.consent,
            "version": share.head.version,
            "agency": share.agency,
            "purpose": share.purpose,
            "member": share.member,
            "category": share.category,
        }
    )


# -- the register ------------------------------------------------------------------------------------------------------


def record(disclosure: Table, allowed: Sequence[Shared], decided_by: str, tx: Tx) -> None:
    """Write the rows. The store refuses each that lies outside its consent or commission: then nothing is shared."""
    if allowed:
        tx.execute(insert(disclosure), [_row(one, decided_by, tx) for one in allowed])
    for one in allowed:
        note(one, decided_by, tx)


def note(one: Shared, decided_by: str, tx: Tx) -> None:
    """Write a decision into the audit log, allowed or refused: codes and references, never content (consent.md 5)."""
    share, decision = one.share, one.decision
    tx.audit(
        act=share.act,
        outcome="allow" if decision.allowed else "refuse",
        rule=decision.row,
        actor=decided_by,
        case=share.case,
        item=share.item,
        person=share.person,
        basis=BASIS_OF[tx.here].code,
        consent=share.head.consent if share.head else None,
        consent_version=share.head.version if share.head else None,
        commission=share.commission,
        permit=one.permit.permit if one.permit else None,
        policy=decision.version,
        detail=share.agency,
    )


def _row(one: Shared, decided_by: str, tx: Tx) -> dict[str, Any]:
    share, decision, permit = one.share, one.decision, one.permit
    scope = share.head.scope if share.head else None
    return {
        "id": share.id,
        "compartment": tx.here,
        "at": tx.now,
        "act": share.act,
        "item": share.item,
        "case": share.case,
        "member": share.member,
        "category": share.category,
        "purpose": share.purpose,
        "agency": share.agency,
        "person": share.person,
        "sitting": share.sitting,
        "consent": share.head.consent if share.head else None,
        "consent_version": share.head.version if share.head else None,
        "covers_tax": scope.covers_tax if scope else None,
        "commission": share.commission,
        "decided_row": decision.row,
        "rules": "・".join(decision.rules),
        "basis": BASIS_OF[tx.here].code,
        "reason": decision.reason,
        "policy": decision.version,
        "decided_by": decided_by,
        "permit": permit.permit if permit else None,
        "permit_until": permit.until if permit else None,
    }


def shared_before(disclosure: Table, person: UUID, act: Act, since: datetime, tx: Tx) -> set[tuple[UUID, int | None]]:
    """(item, consent version) of what this person was already shown by this act since then."""
    mine = disclosure.c.person == person, disclosure.c.act == act, disclosure.c.at >= since
    return {tuple(row) for row in tx.execute(select(disclosure.c.item, disclosure.c.consent_version).where(*mine))}


def commission_of(
    tables: Commissions, person: UUID, agency: str, moment: datetime, tx: Tx
) -> tuple[UUID, Period] | None:
    """The person's own commission, else that of the agency, live at ``moment`` (S6, S7)."""
    one = tables.commission.c
    unit = or_(one.person == person, one.person.is_(None))
    live = and_(one.agency == agency, one.starts <= moment, moment < one.ends, unit)
    ended = select(tables.ended).where(tables.ended.c.commission == one.id).exists()
    wanted = select(tables.commission).where(live, ~ended).order_by(one.person.is_(None), one.ends.desc())
    row = tx.execute(wanted.limit(1)).first()
    return (row.id, Period(row.starts, row.ends)) if row else None


def listed(
    disclosure: Table,
    cases: Sequence[UUID],
    person: UUID | None,
    since: datetime | None,
    until: datetime | None,
    tx: Tx,
) -> DisclosureList:
    """Rows of the register, oldest first: about these cases, or received by this person, in a time.

    Whoever looks is in the audit log: an exported register tells as much of a case as the register itself.
    """
    wanted = select(disclosure).order_by(disclosure.c.at, disclosure.c.id).limit(ROWS_AT_ONCE + 1)
    if cases:
        wanted = wanted.where(disclosure.c.case.in_(cases))
    if person is not None:
        wanted = wanted.where(disclosure.c.person == person)
    if since is not None:
        wanted = wanted.where(disclosure.c.at >= since)
    if until is not None:
        wanted = wanted.where(disclosure.c.at < until)
    rows = tx.execute(wanted).mappings().all() if cases or person is not None or since is not None else []
    found = [
        Disclosure(disclosure=row["id"], row=row["decided_row"], **{k: row[k] for k in row if k in _COLUMNS})
        for row in rows[:ROWS_AT_ONCE]
    ]
    one = cases[0] if len(cases) == 1 else None
    tx.audit(act="look-at-register", outcome="allow", rule="register", case=one, person=person)
    return DisclosureList(rows=tuple(found), more=len(rows) > ROWS_AT_ONCE)


_COLUMNS = frozenset(Disclosure.model_fields) - {"disclosure", "row"}
