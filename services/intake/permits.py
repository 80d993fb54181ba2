"""Permits: for one use and three seconds, decided on the ledger itself (consent.md 8.10)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from contracts.consent import ConsentState
from contracts.legal_basis import BASIS_OF
from contracts.message import Compartment, Event
from contracts.permit import LIFE_SECONDS, Noted, Permit, Redeem, ReportSpent, Use, Verdict, Verdicts, sign
from contracts.policy import NEVER, POLICY_VERSION, Decision, Period, Request, decide
from services.intake import consenting
from services.intake.consenting import Version
from services.intake.handlers import service
from services.intake.ledger_tables import permit
from services.intake.versions import highest_instant, lock, newest_of
from services.service import Tx, Work

LIFE = timedelta(seconds=LIFE_SECONDS)
_COLUMNS = ("use", "consent", "version", "agency", "purpose", "member", "category", "act")


@service.performs(Redeem)
async def redeem(question: Redeem, work: Work) -> Verdicts:
    """Decide all uses in one transaction. Signing needs the key of this process, and so its settings."""
    key = work.settings.permit_key
    return await work.run(lambda tx: redeem_all(question.uses, key, tx))


@service.does(ReportSpent)
def report_spent(question: ReportSpent, tx: Tx) -> tuple[Noted, Iterable[Event]]:
    """A withdrawal need not wait for these any more."""
    mine = permit.c.permit.in_(question.permits), permit.c.spent_at.is_(None)
    tx.execute(update(permit).where(*mine).values(spent_at=tx.now))
    return Noted(), ()


def redeem_all(uses: Iterable[Use], key: bytes, tx: Tx) -> Verdicts:
    """One verdict per use, in order. The consents are locked first: no version slips in between look and grant."""
    uses = tuple(uses)
    if consenting.is_behind(tx.now, highest_instant(tx)):
        late = tuple(_refused(one, *_CLOCK) for one in uses)
        for one, use in zip(late, uses, strict=True):
            _note(one, use, tx)
        return Verdicts(verdicts=late)
    lock({one.consent for one in uses}, tx, shared=True)
    newest = newest_of({one.consent for one in uses}, tx)
    known = _known({one.use for one in uses}, tx)
    verdicts, rows = [], []
    for use in uses:
        verdict, row = _verdict(use, newest.get(use.consent), known.get(use.use), key, tx)
        verdicts.append(verdict)
        _note(verdict, use, tx)
        if row is not None:
            rows.append(row)
            known[use.use] = row
    if rows:
        tx.execute(insert(permit), rows)
    return Verdicts(verdicts=tuple(verdicts))


_CLOCK = (consenting.CLOCK_ROW, consenting.CLOCK_REASON, consenting.CLOCK_NEXT)
_OLD = ("VERSION", "同意に新しい版があります。", "新しい版が届いてから、もう一度判断してください。")
_USED = ("USED", "この許可は使い終えたか、時間が過ぎたか、別の用途のものです。", "もう一度、新しく判断してください。")


def _verdict(
    use: Use, newest: Version | None, row: dict[str, Any] | None, key: bytes, tx: Tx
) -> tuple[Verdict, dict[str, Any] | None]:
    """What is said, and the row to be stored when a permit is new."""
    decision = judge(use, newest, tx)
    if not decision.allowed or newest is None:
        return _refused(use, decision.row, decision.reason, decision.next_step), None
    if use.version != newest.version:
        return _refused(use, *_OLD), None
    if row is not None:
        alive = row["spent_at"] is None and tx.now < row["until"] and all(row[n] == getattr(use, n) for n in _COLUMNS)
        return (_granted(use, row, key) if alive else _refused(use, *_USED)), None
    row = {name: getattr(use, name) for name in _COLUMNS}
    row |= {"permit": tx.ref(), "granted_at": tx.now, "until": tx.now + LIFE, "spent_at": None}
    return _granted(use, row, key), row


def judge(use: Use, newest: Version | None, tx: Tx) -> Decision:
    """The policy on the ledger's newest version, at intake's clock. Seat and host are the asker's to know."""
    scope = newest.scope if newest else None
    return decide(
        Request(
            act=use.act,
            moment=tx.now,
            category=use.category,
            compartment=Compartment.JUSO,
            basis=BASIS_OF[Compartment.JUSO].code,
            hosted_by_municipality=True,
            seat=True,
            consent=newest.state if newest else ConsentState.NOT_ASKED,
            consent_period=Period(scope.starts, scope.ends) if scope else NEVER,
            covers_tax=bool(scope and scope.covers_tax),
            agency_inside=bool(scope and use.agency in scope.agencies),
            purpose_inside=bool(scope and use.purpose in scope.purposes),
            member_inside=bool(scope and use.member in scope.members),
        )
    )


def _note(verdict: Verdict, use: Use, tx: Tx) -> None:
    """Every permit granted or refused is in the audit log, whatever becomes of it."""
    tx.audit(
        act=use.act,
        outcome="allow" if verdict.permit else "refuse",
        rule=verdict.row,
        actor="intake",
        consent=use.consent,
        consent_version=use.version,
        permit=verdict.permit.permit if verdict.permit else None,
        policy=POLICY_VERSION,
        detail=use.agency,
    )


_OF_USES = select(permit).where(permit.c.use.in_(bindparam("uses", expanding=True)))


def _known(uses: set[UUID], tx: Tx) -> dict[UUID, dict[str, Any]]:
    rows = tx.execute(_OF_USES, {"uses": list(uses)}).mappings()
    return {row["use"]: dict(row) for row in rows}


def _granted(use: Use, row: dict[str, Any], key: bytes) -> Verdict:
    signature = sign(key, row["permit"], use, row["until"])
    granted = Permit(permit=row["permit"], use=use, until=row["until"], signature=signature)
    return Verdict(use=use.use, permit=granted)


def _refused(use: Use, row: str, reason: str, next_step: str) -> Verdict:
    return Verdict(use=use.use, row=row, reason=reason, next_step=next_step)
