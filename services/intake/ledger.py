"""The ledger of consents: record, withdraw, expire, look, and tell juso of each version (C1-C3, C10, C11)."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from contracts.consent import OPEN_STATES, ConsentState, Signer
from contracts.intake import (
    AcknowledgeConsents,
    Acknowledged,
    ConsentHeads,
    ConsentHistory,
    ConsentRecorded,
    ConsentStop,
    ConsentVersion,
    Heads,
    LookAtConsent,
    LookAtStop,
    RecordConsent,
    ShowConsent,
    WithdrawConsent,
)
from contracts.message import Compartment, Event
from services.extent import how_far
from services.intake import consenting, members, sealed, stops
from services.intake.answering import newest_answer
from services.intake.concealing import tell_juso
from services.intake.consenting import Version
from services.intake.deeds import is_municipality, register
from services.intake.domain import Flaw
from services.intake.handlers import STATES, open_juso_case, service, to_juso, who_is_meant
from services.intake.ledger_tables import extent, running, version
from services.intake.pile import Pile
from services.intake.sight import RECEPTION
from services.intake.tables import referral
from services.intake.unasked import at_opening, tell_unasked
from services.intake.versions import changed, highest_instant, is_newest, lock, store_version, versions_where
from services.service import Tx, Work

EXPIRED_AT_ONCE = 200
ERASED = "このつなぎは消去されました。改めて受け付けるときは、新しいつなぎとして取り込んでください。"


class ClockIsBehind(Exception):
    """The ledger's clock ran back: it answers no heartbeat, so that the replicas fence themselves (8.10)."""


@service.does(RecordConsent)
def record_consent(question: RecordConsent, tx: Tx) -> tuple[ConsentRecorded, Iterable[Event]]:
    """Add the next version, or say by which rule not and what to do."""
    if sealed.is_erased(question.referral, tx):
        return _refused(Flaw("referral", "erased", ERASED), tx), ()
    past = _past(version.c.referral == question.referral, tx, to_add=True)
    household = [who for who, _ in sealed.household(question.referral, tx)]
    declined = members.declined(household, tx)
    for flaw in consenting.next_flaws(question, past, household, tx.profile, tx.now, declined):
        return _refused(flaw, tx), ()
    newest = past[-1]
    case = newest.case
    if case is None and question.state in OPEN_STATES:
        pile = Pile()
        case = open_juso_case(question.referral, pile, tx)
        pile.write(tx)
    told = question.model_dump(exclude={"after", "referral", "scope"})
    one = Version(
        consent=newest.consent,
        version=newest.version + 1,
        referral=question.referral,
        case=case,
        scope=question.scope,
        recorded_at=tx.now,
        **told,
    )
    return ConsentRecorded(done=True, consent=one.consent, version=one.version), add(one, newest, tx)


@service.does(WithdrawConsent)
def withdraw_consent(question: WithdrawConsent, tx: Tx) -> tuple[ConsentRecorded, Iterable[Event]]:
    """Close the consent of a juso case. No clock and no missing paper holds this up; asked again it changes nothing."""
    past = _past(version.c.case == question.case, tx, to_add=True)
    if not past:
        return _refused(Flaw("case", "case-unknown", "その事案はありません。事案の参照を確かめてください。"), tx), ()
    newest = past[-1]
    if newest.state is ConsentState.WITHDRAWN:
        return ConsentRecorded(done=True, consent=newest.consent, version=newest.version), ()
    if not newest.is_open:
        message = "有効な同意がないので、撤回するものがありません。いまも何も共有されません。"
        return _refused(Flaw("state", "C11", message), tx), ()
    taken = consenting.taking_flaws(question.obtained_by, question.obtained_on, tx.now, newest.obtained_on)
    for flaw in taken:
        return _refused(flaw, tx), ()
    how = {name: getattr(question, name) for name in ("obtained", "obtained_by", "obtained_on")}
    one = _closing(newest, ConsentState.WITHDRAWN, tx, **how)
    return ConsentRecorded(done=True, consent=one.consent, version=one.version), add(one, newest, tx)


@service.answers(LookAtConsent)
def look_at_consent(question: LookAtConsent, tx: Tx) -> ConsentHistory:
    """The whole history of one client's consent; nobody of the household is named."""
    return _history(question, tx)


@service.does(ShowConsent)
def show_consent(asked: ShowConsent, tx: Tx) -> tuple[ConsentHistory, Iterable[Event]]:
    """The same with names, for an officer of the 市町村; each showing is registered first.

    Anybody else is answered as of a number that there is none.
    """
    found = _history(asked, tx)
    if found.referral is None or not is_municipality(asked.by.agency, tx.profile):
        return ConsentHistory(), ()
    register(tx, asked.by, "consent", ((found.referral, who) for who, _ in found.members), RECEPTION)
    return found.model_copy(update={"members": tuple(sealed.household(found.referral, tx))}), ()


def _history(question: LookAtConsent, tx: Tx) -> ConsentHistory:
    past = _past(version.c.referral == _sought(question, tx), tx)
    if not past:
        return ConsentHistory()
    newest = past[-1]
    confirmed, known = stops.confirmations(newest.consent, tx), stops.acknowledgements(newest.consent, tx)
    return ConsentHistory(
        consent=newest.consent,
        referral=newest.referral,
        case=newest.case,
        members=tuple((one.member, "") for one in sealed.places(newest.referral, tx)),
        versions=tuple(_shown(one, confirmed.get(one.version), known.get(one.version, ())) for one in past),
    )


@service.answers(LookAtStop)
def look_at_stop(question: LookAtStop, tx: Tx) -> ConsentStop:
    """How far the newest version has come, times only."""
    past = _past(version.c.case == question.case, tx)
    if not past:
        return ConsentStop(found=False)
    one = past[-1]
    return ConsentStop(
        found=True,
        version=one.version,
        state=one.state,
        recorded_at=one.recorded_at,
        confirmed_at=stops.confirmations(one.consent, tx).get(one.version),
        acknowledged=stops.acknowledgements(one.consent, tx).get(one.version, ()),
    )


@service.does(AcknowledgeConsents)
def acknowledge_consents(question: AcknowledgeConsents, tx: Tx) -> tuple[Acknowledged, Iterable[Event]]:
    """A process of juso has stopped what these versions took away."""
    stops.acknowledge(question, tx)
    return Acknowledged(), ()


@service.answers(ConsentHeads)
def consent_heads(question: ConsentHeads, tx: Tx) -> Heads:
    """How far the ledger is. Versions recorded before juso had a case count: its newest is of their number."""
    if consenting.is_behind(tx.now, highest_instant(tx)):
        raise ClockIsBehind
    consents, versions = how_far(extent, tx)
    return Heads(consents=consents, versions=versions, as_of=tx.now)


@service.errand(every=0.5, woken=False)
async def confirm_versions(work: Work) -> None:
    """Confirm what nothing can undo any more: at the latest half a second after the last permit ran out."""
    await work.run(stops.confirm)


@service.errand(every=60.0, woken=False)
async def expire_consents(work: Work) -> None:
    """Record that a consent's period is over. Nothing was shared since: every decision looks at the period itself."""
    for consent in await work.run(_over):
        await work.tell(partial(_expire, consent))


def close(referral_id: UUID, state: ConsentState, tx: Tx) -> list[Event]:
    """End what the newest version of a referral's consent opens, if it opens anything, without anybody's words."""
    for newest in _past(version.c.referral == referral_id, tx, to_add=True)[-1:]:
        if newest.is_open:
            return add(_closing(newest, state, tx, obtained=None, obtained_on=None), newest, tx)
    return []


def _over(tx: Tx) -> list[UUID]:
    over = select(running.c.consent).where(running.c.ends <= tx.now)
    return list(tx.execute(over.limit(EXPIRED_AT_ONCE)).scalars())


def _expire(consent: UUID, tx: Tx) -> list[Event]:
    lock([consent], tx, shared=False)
    for newest in versions_where(tx, version.c.consent == consent, is_newest(), version.c.ends <= tx.now):
        return add(_closing(newest, ConsentState.EXPIRED, tx, obtained=None, obtained_on=None), newest, tx)
    return []


def _closing(newest: Version, state: ConsentState, tx: Tx, **how: Any) -> Version:
    """The version that ends what the newest opened. It needs no evidence: whoever doubts it asks the client again."""
    bare = {
        "scope": None,
        "signer": Signer.PERSON,
        "signer_name": "",
        "evidence": "",
        "evidence_digest": "",
        "note": "",
    }
    changes = {"version": newest.version + 1, "state": state, "recorded_at": tx.now, "obtained_by": "", **bare, **how}
    return replace(newest, **changes)


def add(one: Version, before: Version, tx: Tx) -> list[Event]:
    """Store a version and put its referral where it belongs now.

    An open one puts it into juso; the shien case it may have had stays where it is (C10). A lost one puts it on hold:
    it becomes no shien case unless a person decides so (C11). What juso never had, juso is not told of.
    """
    pile = Pile()
    store_version(one, pile, tx)
    pile.write(tx)
    tx.audit(
        act="consent",
        outcome="allow",
        rule="C1" if one.is_open else "C11",
        actor="intake",
        case=one.case,
        consent=one.consent,
        consent_version=one.version,
        detail=one.state.value,
    )
    mine = update(referral).where(referral.c.id == one.referral)
    if one.is_open:
        tx.execute(mine.values(state=STATES[Compartment.JUSO]))
    else:
        tx.execute(mine.where(referral.c.state == STATES[Compartment.JUSO]).values(state=STATES[None]))
    if one.case is None:
        return []
    if before.case is None:
        row = tx.execute(select(referral).where(referral.c.id == one.referral)).mappings().one()
        opens = tell_juso(one.referral, tx) + to_juso(
            row, one, who_is_meant(one.referral, tx), tx.profile, at_opening(one.referral, tx)
        )
        return [*opens, *newest_answer(one.referral, tx)]
    again = newest_answer(one.referral, tx) if one.is_open and not before.is_open else []  # answered meanwhile
    return [changed(one, one.case), *again, *tell_unasked([one.referral], tx)]


def _past(about: ColumnElement[bool], tx: Tx, *, to_add: bool = False) -> list[Version]:
    """All versions of one consent, oldest first. ``to_add``: and nobody else adds one meanwhile."""
    consent = tx.execute(select(version.c.consent).where(about).limit(1)).scalar()
    if consent is None:
        return []
    if to_add:
        lock([consent], tx, shared=False)
    return versions_where(tx, version.c.consent == consent)


def _sought(question: LookAtConsent, tx: Tx) -> UUID | None:
    if question.case is not None:
        found = select(version.c.referral).where(version.c.case == question.case)
    elif question.referral is not None:
        found = select(referral.c.id).where(referral.c.id == question.referral)
    else:
        key = referral.c.referrer == question.referrer, referral.c.number == question.number
        found = select(referral.c.id).where(*key)
    return tx.execute(found.limit(1)).scalar()


def _shown(one: Version, confirmed_at: Any, acknowledged: Any) -> ConsentVersion:
    plain = {name: getattr(one, name) for name in ConsentVersion.model_fields if hasattr(one, name)}
    return ConsentVersion(**plain, confirmed_at=confirmed_at, acknowledged=acknowledged)


def _refused(flaw: Flaw, tx: Tx) -> ConsentRecorded:
    tx.audit(act="consent", outcome="refuse", rule=flaw.rule, actor="intake", detail=flaw.field)
    return ConsentRecorded(done=False, rule=flaw.rule, message=flaw.message)
