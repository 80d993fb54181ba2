"""Questions in, events out: a sheet is stored once, and its consent decides where the case is told (C1, C4, C11)."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from contracts.consent import ConsentState, Obtained
from contracts.coordination import TakeInClient
from contracts.explained import explanation_due
from contracts.intake import (
    ClientForGate,
    ClientOf,
    ConsentChanged,
    Held,
    HeldReferral,
    HeldReferrals,
    MembersUnasked,
    Opened,
    OpenWithoutConsent,
    Particulars,
    ReferralWithConsent,
    ReferralWithoutConsent,
    SecrecyChanged,
    Sheet,
    SheetResult,
    SheetResults,
    TakeInSheets,
)
from contracts.message import Account, Compartment, Event
from contracts.policy import derive_kind
from contracts.profile import Profile
from contracts.triage import ReferralAnswered
from services.intake import consenting, domain, sealed, stops
from services.intake.consenting import JAPAN, Version
from services.intake.ledger_tables import agency, version
from services.intake.members import begin_household
from services.intake.pile import Pile, store_referral
from services.intake.reception_tables import household_stay
from services.intake.tables import handover, household_member, juso_case, opening, referral, tables
from services.intake.versions import changed, is_in_force, is_newest, store_version
from services.service import Service, Tx, Work
from services.vault import seal_row

STATES = {Compartment.JUSO: "with_consent", Compartment.SHIEN: "without_consent", None: "held"}

service = Service(
    "intake",
    tables,
    publishes=frozenset(
        {
            *(ConsentChanged, MembersUnasked, ReferralAnswered, ReferralWithConsent, ReferralWithoutConsent),
            SecrecyChanged,
        }
    ),
    asks=frozenset({TakeInClient}),
    seals=True,
    tally=lambda tx: _tally(tx),
    undone=lambda tx: _undone(tx),
)


@service.does(TakeInSheets)
def take_in_sheets(question: TakeInSheets, tx: Tx) -> tuple[SheetResults, Iterable[Event]]:
    """Store sheets that are new and tell their cases. A dry run answers the same and leaves nothing."""
    results: list[SheetResult] = []
    events: list[Event] = []
    pile, keys = Pile(), [tx.ref() for _ in question.sheets]
    tx.fetch_keys(keys)  # there are none: one look into the vault instead of one for each
    with tx.connection.begin_nested() as trial:
        for index, (sheet, key) in enumerate(zip(question.sheets, keys, strict=True)):
            result, told = _take_in(sheet, key, pile, tx)
            results.append(result.model_copy(update={"index": index}))
            events += told
        pile.write(tx)
        if question.dry_run:
            trial.rollback()
    return SheetResults(results=tuple(results)), () if question.dry_run else events


@service.answers(ClientOf)
def client_of(question: ClientOf, tx: Tx) -> Particulars:
    """Who a juso case is about, while its consent is in force and names the asking agency (C1, C3, C11)."""
    found = sealed.rows().join(version, version.c.referral == referral.c.id)
    found = found.where(version.c.case == question.case, is_in_force(tx.now))
    if question.agency is not None:
        named = agency.c.consent == version.c.consent, agency.c.version == version.c.version
        found = found.where(select(agency).where(*named, agency.c.agency == question.agency).exists())
    row = tx.execute(found).mappings().first()
    return (
        sealed.particulars(row, tx)
        if row
        else Particulars(found=False, erased=sealed.is_case_erased(question.case, tx))
    )


@service.answers(ClientForGate)
def client_for_gate(question: ClientForGate, tx: Tx) -> Particulars:
    """The same to the gate, which compares: names and numbers, without what they came for (C10)."""
    who = client_of(ClientOf(case=question.case), tx)
    return who.model_copy(
        update={"reason": "", "wishes": "", "referrer_staff": "", "explained_by": "", "explained_on": None}
    )


@service.answers(Held)
def held(question: Held, tx: Tx) -> HeldReferrals:
    """What waits for a person's decision, the oldest first, with the lawful next step."""
    rows = select(referral.c.id, referral.c.number, referral.c.received_on, version.c.state).join_from(
        referral, version
    )
    rows = rows.where(referral.c.state == STATES[None], is_newest(), sealed.not_erased())
    return HeldReferrals(held=tuple(map(_held, tx.execute(rows.order_by(referral.c.received_on, referral.c.id)))))


@service.does(OpenWithoutConsent)
def open_without_consent(question: OpenWithoutConsent, tx: Tx) -> tuple[Opened, Iterable[Event]]:
    """A recorded decision puts a referral on hold to a 支援会議, once (C11)."""
    if len(question.reason.strip()) < 5:
        return Opened(done=False, message="理由は空白を除いて5文字以上で書いてください。"), ()
    key = (referral.c.id == question.referral, referral.c.state == STATES[None], sealed.not_erased())
    change = update(referral).where(*key).values(state=STATES[Compartment.SHIEN])
    row = tx.execute(change.returning(*referral.c)).mappings().first()
    if row is None:
        return Opened(
            done=False, message="保留中のつなぎではありません。すでに判断が記録されたか、番号が違います。"
        ), ()
    newest = select(version.c.version, version.c.state).where(version.c.referral == question.referral, is_newest())
    lost = tx.execute(newest).one()
    decided = {"version": lost.version, "reason": question.reason.strip(), "decided_at": tx.now}
    decided = seal_row(tx, question.referral, opening, decided, str(lost.version))
    tx.execute(insert(opening).values(referral=question.referral, **decided))
    tx.audit(act="open_shien", outcome="allow", rule="K6", actor="intake")
    if tx.execute(select(handover).where(handover.c.referral == question.referral)).first():
        return Opened(done=True, message="判断を記録しました。支援会議には前からの事案があり、そこで扱えます。"), ()
    return Opened(done=True), [_to_shien(row, ConsentState(lost.state), tx)]


@service.errand(every=30)
async def hand_over(work: Work) -> None:
    """Write up into shien who its cases are about. AskFailed ends the run; what is left comes with the next one."""
    for case, particulars in await work.run(_waiting):
        await work.ask(TakeInClient(case=case, particulars=particulars), to=Account.SHIEN)
        await work.run(partial(_forget, case))


def take_in(sheet: Sheet, tx: Tx) -> tuple[SheetResult, list[Event]]:
    """What becomes of one sheet, and what is told of it; a refusal names field and rule and leaves nothing."""
    pile = Pile()
    found = _take_in(sheet, tx.ref(), pile, tx)
    pile.write(tx)
    return found


def _take_in(sheet: Sheet, key: UUID, pile: Pile, tx: Tx) -> tuple[SheetResult, list[Event]]:
    today = tx.now.astimezone(JAPAN).date()
    agencies = [agency.code for agency in tx.profile.agencies]
    for flaw in domain.flaws(sheet, tx.profile.municipality, agencies, today):
        return _refused(domain.LABELS[flaw.field], flaw.rule, flaw.message), []
    decision = derive_kind(sheet.consent)
    row = store_referral(sheet, key, STATES[decision.compartment], tx)
    if row is None:
        pile.write(tx)  # perhaps it was a moment ago
        return _taken_in_before(sheet, tx), []
    sealed.keep(sheet, key, pile, tx)
    first, who = _store_consent(sheet, key, decision.compartment, pile, tx)
    due = explanation_due(sheet.explained_by, sheet.explained_on)
    if first.case is not None:
        told = to_juso(row, first, who, tx.profile, len(sheet.members))
        return SheetResult(index=0, outcome="accepted", rule=decision.rule, message=due), told
    if decision.compartment is Compartment.SHIEN:
        told = [_to_shien(row, sheet.consent, tx)]
        return SheetResult(index=0, outcome="accepted", rule=decision.rule, message=due), told
    message = f"{decision.reason}{decision.next_step}{due}"
    return SheetResult(index=0, outcome="held", field=domain.LABELS["consent"], rule=decision.rule, message=message), []


def _refused(field: str, rule: str, message: str) -> SheetResult:
    return SheetResult(index=0, outcome="refused", field=field, rule=rule, message=message)


def _store_consent(sheet: Sheet, key: UUID, where: Compartment | None, pile: Pile, tx: Tx) -> tuple[Version, UUID]:
    """The consent's first version, and the client. A refusal is recorded as such, not as a missing consent (C12)."""
    household = [tx.ref() for _ in range(len(sheet.members) + 1)]
    pile.add(
        household_member,
        *({"member": one, "referral": key, "place": place} for place, one in enumerate(household)),
    )
    pile.add(household_stay, *begin_household(household, sheet.received_on, tx))
    first = Version(
        consent=tx.ref(),
        version=1,
        referral=key,
        case=open_juso_case(key, pile, tx) if where is Compartment.JUSO else None,
        state=sheet.consent,
        scope=consenting.sheet_scope(sheet, household[0], tx.profile),
        text_version=tx.profile.consent_text,
        obtained=Obtained.SIGNED if sheet.consent in domain.IN_FORCE else None,
        obtained_by=sheet.referrer_staff,
        obtained_on=sheet.consented_on,
        evidence=sheet.number,
        recorded_at=tx.now,
    )
    store_version(first, pile, tx)
    return first, household[0]


def open_juso_case(key: UUID, pile: Pile, tx: Tx) -> UUID:
    """A fresh reference by which juso will know the case of a referral."""
    case = tx.ref()
    pile.add(juso_case, {"case_ref": case, "referral": key})
    return case


def _taken_in_before(sheet: Sheet, tx: Tx) -> SheetResult:
    """The same sheet changes nothing; other content under its number is refused: nobody could say which holds."""
    key = (referral.c.referrer == sheet.referrer, referral.c.number == sheet.number)
    stored = tx.execute(select(referral.c.id, referral.c.digest, referral.c.state).where(*key)).mappings().one()
    digest = sealed.digest(stored, tx)
    if digest == domain.digest(sheet):
        return SheetResult(index=0, outcome="unchanged")
    if digest is None:
        message = "この受付番号のつなぐシートは消去済みです。改めて受け付けるときは新しい受付番号で出してください。"
        return _refused(domain.LABELS["number"], "erased", message)
    if stored["state"] != STATES[Compartment.JUSO] or sheet.consent in domain.IN_FORCE:
        message = (
            "同じ受付番号で、内容の違うつなぐシートを受け付けています。変えるときは新しい受付番号で出してください。"
        )
        return _refused(domain.LABELS["number"], "number-taken", message)
    message = (
        "同じ受付番号で、内容の違うつなぐシートを受け付けています。同意の撤回や変更は取り込みでは反映されません。"
        "すぐに多機関協働の担当者に知らせてください。"
    )
    return _refused(domain.LABELS["consent"], "C11", message)


def to_juso(row: Mapping[Any, Any], one: Version, who: UUID, profile: Profile, unasked: int) -> list[Event]:
    """What opens a case in juso, whose client is ``who``: its consent, then the referral that rests on it (C1).

    ``unasked``: how many who live with the client nobody has asked (S18).
    """
    if one.case is None or one.scope is None:
        raise TypeError("a juso case rests on an open consent")
    facts = _facts(row)
    facts["agencies"] = consenting.invited_agencies(facts["agencies"], one.scope, one.state, profile)
    told = ReferralWithConsent(
        about=one.case,
        **facts,
        consent=one.consent,
        consent_version=one.version,
        narrowed=one.state is ConsentState.NARROWED,
        client=who,
        unasked=unasked,
    )
    return [changed(one, one.case), told]


def who_is_meant(key: UUID, tx: Tx) -> UUID:
    """By what reference juso knows the client of a referral."""
    mine = household_member.c.referral == key, household_member.c.place == 0
    client_ref: UUID = tx.execute(select(household_member.c.member).where(*mine)).scalar_one()
    return client_ref


def _to_shien(row: Mapping[Any, Any], ground: ConsentState, tx: Tx) -> ReferralWithoutConsent:
    case = tx.ref()
    tx.execute(insert(handover).values(referral=row["id"], case_ref=case, state="pending"))
    return ReferralWithoutConsent.model_validate({"about": case, "ground": ground, **_facts(row)})


def _facts(row: Mapping[Any, Any]) -> dict[str, Any]:
    """What an event may say of a referral: no name, number or free text (consent.md 4.2)."""
    return {name: row[name] for name in ("received_on", "urgent", "referrer", "agencies", "problems", "household_size")}


def _held(row: Any) -> HeldReferral:
    decision = derive_kind(ConsentState(row.state))
    if decision.allowed:  # refused after it had been given: the juso case stops, and a person decides (C11)
        decision = derive_kind(ConsentState.WITHDRAWN)
    return HeldReferral(
        referral=row.id,
        number=row.number,
        received_on=row.received_on,
        state=ConsentState(row.state),
        rule=decision.rule,
        reason=decision.reason,
        next_step=decision.next_step,
    )


def _waiting(tx: Tx) -> list[tuple[UUID, Particulars]]:
    """What is to be handed over, in random order: one that shien cannot take must not block the others for ever."""
    rows = sealed.rows().add_columns(handover.c.case_ref).join(handover, handover.c.referral == referral.c.id)
    rows = rows.where(handover.c.state == "pending").order_by(func.random()).limit(200)
    found = tx.execute(rows).mappings().all()
    tx.fetch_keys([row["id"] for row in found])
    return [(row["case_ref"], sealed.particulars(row, tx)) for row in found]


def _forget(case: UUID, tx: Tx) -> None:
    tx.execute(update(handover).where(handover.c.case_ref == case).values(case_ref=None, state="handed"))


def _tally(tx: Tx) -> dict[str, int]:
    rows = tx.execute(select(referral.c.state, func.count()).group_by(referral.c.state)).all()
    counts: dict[str, int] = dict(map(tuple, rows))
    by_state = {state: counts.get(state, 0) for state in STATES.values()}
    return {"referrals": sum(counts.values()), **by_state, "late": stops.late(tx)}


def _undone(tx: Tx) -> int:
    pending = select(func.count()).select_from(handover).where(handover.c.state == "pending")
    return (tx.connection.scalar(pending) or 0) + stops.waiting(tx)
