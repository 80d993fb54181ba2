"""What the gate does: look at both sides, decide by the policy, have both record it.

It keeps nothing that was said; its audit log names the shien entry and who decided, never the juso case.
"""

from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import MetaData

from contracts.counts import FrozenCounts
from contracts.gate import (
    Candidates,
    Carried,
    CarryOver,
    ConsentForGate,
    Entries,
    EntriesForGate,
    Entry,
    LookAtGate,
    RecordCarryIn,
    RecordCarryOut,
)
from contracts.intake import ClientForGate
from contracts.policy import Decision
from contracts.policy_terms import Act
from services.gate import domain
from services.gate.domain import Other
from services.service import Service, Tx, Work

service = Service(
    "gate",
    MetaData(),
    asks=frozenset({EntriesForGate, ConsentForGate, ClientForGate, RecordCarryOut, RecordCarryIn, FrozenCounts}),
)

JAPAN = ZoneInfo("Asia/Tokyo")
NOT_THERE = "支援会議の事案か、重層的支援会議の事案が見つかりません。二つの画面で事案の番号を確かめてください。"
NO_ENTRY = "この項目はありません。kasane gate show で項目の番号を確かめてください。"
NOT_RECORDED = "同意か記録の状態が変わったため、引き継ぎませんでした。もう一度、同意を確かめてください。"
OTHERWISE = "この項目は、別の内容か別の事案への引継としてすでに記録されています。一つの項目を引き継ぐのは一度だけです。"
NOT_YET_AGREED = "了解した日が今日より後です。情報を出した機関が了解してから、その日付で引き継いでください。"


@service.performs(LookAtGate)
async def look(asked: LookAtGate, work: Work) -> Candidates:
    """Every entry with what the policy says. Nothing crosses by looking."""
    wanted = EntriesForGate(case=asked.shien_case, viewer=asked.viewer, viewer_agency=asked.viewer_agency)
    entries = await work.ask(wanted)
    if entries.reason:
        return Candidates(message=f"{entries.reason}{entries.next_step}")
    other = await _other(asked, entries, work)
    if not entries.found or not other.consent.found:
        return Candidates(message=NOT_THERE)
    now = work.now()
    return Candidates(candidates=tuple(domain.candidate(one, other, asked.purpose, now) for one in entries.entries))


@service.performs(CarryOver)
async def carry_over(asked: CarryOver, work: Work) -> Carried:
    """Carry one entry over: first shien records the decision, then juso takes the text. Asked again it is one."""
    wanted = EntriesForGate(case=asked.shien_case, viewer=asked.decided_by, viewer_agency=asked.decided_for)
    found = await work.ask(wanted)
    if found.reason:
        return Carried(done=False, row=found.row, reason=found.reason, next_step=found.next_step)
    entry = next((one for one in found.entries if one.entry == asked.entry), None)
    other = await _other(asked, found, work)
    if entry is None or not other.consent.found:
        return Carried(done=False, reason=NO_ENTRY if entry is None else NOT_THERE)
    agreed = asked.agreed_by == entry.provider and asked.agreed_on is not None
    decision = domain.judge(entry, other, asked.purpose, work.now(), decided=True, agreed=agreed)
    answer = _flaw(asked, entry, work) if decision.allowed else _refused(decision, other)
    answer = answer or await _record(asked, entry, other, decision, work)
    await work.run(partial(_note, asked, decision, answer))
    return answer


async def _other(asked: LookAtGate | CarryOver, entries: Entries, work: Work) -> Other:
    consent = await work.ask(ConsentForGate(case=asked.juso_case))
    client = await work.ask(ClientForGate(case=asked.juso_case))
    return Other(consent, domain.is_same_person(entries.client, client))


def _flaw(asked: CarryOver, entry: Entry, work: Work) -> Carried | None:
    """What is wrong with a carry-over that the policy allows: a date to come, or a text that nobody wrote anew."""
    if asked.agreed_on is not None and asked.agreed_on > work.now().astimezone(JAPAN).date():
        return Carried(done=False, rule="C10", reason=NOT_YET_AGREED)
    if domain.is_copied(entry, asked.text):
        reason, next_step = domain.COPIED
        return Carried(done=False, rule="C10", reason=reason, next_step=next_step)
    return None


def _note(asked: CarryOver, decision: Decision, answer: Carried, tx: Tx) -> None:
    outcome = "allow" if answer.done else "refuse"
    tx.audit(act=Act.CARRY, outcome=outcome, rule=decision.row, actor="gate", item=asked.entry, person=asked.decided_by)


async def _record(asked: CarryOver, entry: Entry, other: Other, decision: Decision, work: Work) -> Carried:
    if asked.agreed_by is None or asked.agreed_on is None or other.consent.member is None:
        raise TypeError("the policy allowed what was not agreed")
    decided = {"decided_by": asked.decided_by, "row": decision.row, "policy": decision.version}
    out = await work.ask(
        RecordCarryOut(
            case=asked.shien_case, entry=entry.entry, agreed_by=asked.agreed_by, agreed_on=asked.agreed_on, **decided
        )
    )
    if out.record is None:
        return Carried(done=False, reason=OTHERWISE if out.other else NOT_RECORDED)
    into = await work.ask(
        RecordCarryIn(
            record=domain.record_in_juso(work.settings.gate_key, out.record),
            case=asked.juso_case,
            member=other.consent.member,
            category=entry.category,
            purpose=asked.purpose,
            provider=entry.provider,
            text=asked.text,
            **decided,
        )
    )
    if into.record is None:
        return Carried(done=False, row=decision.row, reason=OTHERWISE if into.other else NOT_RECORDED)
    return Carried(done=True, row=decision.row, rule=decision.rule, reason=decision.reason)


def _refused(decision: Decision, other: Other) -> Carried:
    reason, next_step = domain.why(decision, other)
    return Carried(done=False, row=decision.row, rule=decision.rule, reason=reason, next_step=next_step)
