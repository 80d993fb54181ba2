"""What the gate does: look at both sides, decide by the policy, have both record it. It keeps nothing."""

from sqlalchemy import MetaData

from contracts.gate import (
    Candidates,
    Carried,
    CarryOver,
    ConsentForGate,
    ConsentOfCase,
    EntriesForGate,
    Entry,
    LookAtGate,
    RecordCarryIn,
    RecordCarryOut,
)
from contracts.policy import Decision
from services.gate import domain
from services.service import Service, Work

service = Service("gate", MetaData(), asks=frozenset({EntriesForGate, ConsentForGate, RecordCarryOut, RecordCarryIn}))

NOT_THERE = "支援会議の事案か、重層的支援会議の事案が見つかりません。二つの画面で事案の番号を確かめてください。"
NO_ENTRY = "この項目はありません。kasane gate show で項目の番号を確かめてください。"
NOT_RECORDED = "同意か記録の状態が変わったため、引き継ぎませんでした。もう一度、同意を確かめてください。"


@service.performs(LookAtGate)
async def look(asked: LookAtGate, work: Work) -> Candidates:
    """Every entry with what the policy says. Nothing crosses by looking."""
    entries = await work.ask(EntriesForGate(case=asked.shien_case))
    consent = await work.ask(ConsentForGate(case=asked.juso_case))
    if not entries.found or not consent.found:
        return Candidates(message=NOT_THERE)
    now = work.now()
    return Candidates(candidates=tuple(domain.candidate(one, consent, asked.purpose, now) for one in entries.entries))


@service.performs(CarryOver)
async def carry_over(asked: CarryOver, work: Work) -> Carried:
    """Carry one entry over: first shien records the decision, then juso takes the text. Asked again it is one."""
    found = await work.ask(EntriesForGate(case=asked.shien_case))
    entry = next((one for one in found.entries if one.entry == asked.entry), None)
    consent = await work.ask(ConsentForGate(case=asked.juso_case))
    if entry is None or not consent.found:
        return Carried(done=False, reason=NO_ENTRY if entry is None else NOT_THERE)
    agreed = asked.agreed_by == entry.provider and asked.agreed_on is not None
    decision = domain.judge(entry, consent, asked.purpose, work.now(), decided=True, agreed=agreed)
    if not decision.allowed:
        return _refused(decision)
    return await _record(asked, entry, consent, decision, work)


async def _record(asked: CarryOver, entry: Entry, consent: ConsentOfCase, decision: Decision, work: Work) -> Carried:
    if asked.agreed_by is None or asked.agreed_on is None or consent.member is None:
        raise TypeError("the policy allowed what was not agreed")
    decided = {"decided_by": asked.decided_by, "row": decision.row, "policy": decision.version}
    out = RecordCarryOut(
        case=asked.shien_case, entry=entry.entry, agreed_by=asked.agreed_by, agreed_on=asked.agreed_on, **decided
    )
    record = (await work.ask(out)).record
    if record is None:
        return Carried(done=False, reason=NOT_RECORDED)
    into = RecordCarryIn(
        record=domain.record_in_juso(work.settings.gate_key, record),
        case=asked.juso_case,
        member=consent.member,
        category=entry.category,
        purpose=asked.purpose,
        provider=entry.provider,
        text=asked.text,
        **decided,
    )
    if (await work.ask(into)).record is None:
        return Carried(done=False, row=decision.row, reason=NOT_RECORDED)
    return Carried(done=True, row=decision.row, rule=decision.rule, reason=decision.reason)


def _refused(decision: Decision) -> Carried:
    return Carried(
        done=False, row=decision.row, rule=decision.rule, reason=decision.reason, next_step=decision.next_step
    )
