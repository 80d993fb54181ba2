"""The rule of the gate: what the policy says of one entry, with its agency's agreement or without (C10, I10)."""

import hmac
from datetime import datetime
from uuid import UUID

from contracts.gate import Candidate, ConsentOfCase, Entry
from contracts.message import Compartment
from contracts.policy import NEVER, Decision, Period, Request, decide
from contracts.policy_terms import Act
from contracts.purpose import Purpose


def judge(
    entry: Entry, consent: ConsentOfCase, purpose: Purpose, moment: datetime, *, decided: bool, agreed: bool
) -> Decision:
    """May this entry cross now? ``decided``: somebody decided so; ``agreed``: the agency that gave it did."""
    scope = consent.scope
    return decide(
        Request(
            act=Act.CARRY,
            moment=moment,
            category=entry.category,
            compartment=Compartment.SHIEN,
            consent=consent.state,
            consent_period=Period(scope.starts, scope.ends) if scope else NEVER,
            covers_tax=bool(scope and scope.covers_tax),
            purpose_inside=bool(scope and purpose in scope.purposes),
            member_inside=bool(scope and consent.member in scope.members),
            carry_decided=decided,
            provider_agreed=agreed,
        )
    )


def candidate(entry: Entry, consent: ConsentOfCase, purpose: Purpose, moment: datetime) -> Candidate:
    """An entry as the officer sees it: whether it could cross if it were decided and its agency agreed."""
    open_to = judge(entry, consent, purpose, moment, decided=True, agreed=True)
    return Candidate(
        entry=entry,
        allowed=open_to.allowed and not entry.carried,
        row=open_to.row,
        reason="すでに引き継ぎました。" if entry.carried else open_to.reason,
        next_step="" if entry.carried else open_to.next_step,
    )


def record_in_juso(key: bytes, record_in_shien: UUID) -> UUID:
    """Juso's reference of a carry-over: the same for the same one, and unlinkable to shien's without the gate's key."""
    return UUID(bytes=hmac.digest(key, record_in_shien.bytes, "sha256")[:16], version=4)
