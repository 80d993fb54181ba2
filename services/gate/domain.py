"""The rule of the gate: what the policy says of one entry, with its agency's agreement or without (C10, I10)."""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.gate import Candidate, ConsentOfCase, Entry
from contracts.intake import Particulars
from contracts.message import Compartment
from contracts.policy import NEVER, Decision, Period, Request, decide
from contracts.policy_terms import Act
from contracts.purpose import Purpose

ALREADY = "すでに引き継ぎました。"
OTHER_PERSON = (
    "二つの事案が同じ人のものと確かめられません(氏名かフリガナと、生年月日か受付番号が一致しません)。",
    "二つの画面で事案の番号を確かめ、受付の氏名と生年月日をそろえてください。",
)
"""Why an entry is of nobody whom the consent covers, and what to do."""
COPIED = (
    "支援会議の記録がそのまま書き写されています。",
    "情報を出した機関と本人に確かめた範囲で、改めて書いてください(C10)。",
)


@dataclass(frozen=True)
class Other:
    """The juso side of the gate: how far the new consent reaches, and whether it is of the shien case's client."""

    consent: ConsentOfCase
    same_person: bool


def is_same_person(one: Particulars, other: Particulars) -> bool:
    """Whether two cases are certainly about one person; what is not known does not count as equal."""
    if not (one.found and other.found):
        return False
    pairs = ((one.name, other.name), (one.kana, other.kana))
    named = any(_plain(mine) and _plain(mine) == _plain(theirs) for mine, theirs in pairs)
    if one.born_on and other.born_on:
        return named and one.born_on == other.born_on
    return named and bool(one.number) and one.number == other.number


def is_copied(entry: Entry, text: str) -> bool:
    """Whether a text that should be written anew has the entry's own words in it, whole."""
    return _plain(entry.text) in _plain(text)


def _plain(text: str) -> str:
    """Without what a copy may differ in unseen: width of letters, blanks, punctuation, case."""
    letters = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] not in "ZPC")


def judge(entry: Entry, other: Other, purpose: Purpose, moment: datetime, *, decided: bool, agreed: bool) -> Decision:
    """May this entry cross now? ``decided``: somebody decided so; ``agreed``: the agency that gave it did."""
    consent, scope = other.consent, other.consent.scope
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
            member_inside=bool(scope and other.same_person and consent.member in scope.members),
            carry_decided=decided,
            provider_agreed=agreed,
        )
    )


def candidate(entry: Entry, other: Other, purpose: Purpose, moment: datetime) -> Candidate:
    """An entry as the officer sees it: whether it could cross if it were decided and its agency agreed."""
    open_to = judge(entry, other, purpose, moment, decided=True, agreed=True)
    reason, next_step = (ALREADY, "") if entry.carried else why(open_to, other)
    allowed = open_to.allowed and not entry.carried
    return Candidate(entry=entry, allowed=allowed, row=open_to.row, reason=reason, next_step=next_step)


def why(decision: Decision, other: Other) -> tuple[str, str]:
    """The reason and the next step of a decision; that two cases were mixed up, if nothing else of it is refused."""
    scope = other.consent.scope
    mixed_up = scope is not None and other.consent.member in scope.members and not other.same_person
    return OTHER_PERSON if mixed_up and not decision.allowed else (decision.reason, decision.next_step)


def record_in_juso(key: bytes, record_in_shien: UUID) -> UUID:
    """Juso's reference of a carry-over: the same for the same one, and unlinkable to shien's without the gate's key."""
    return UUID(bytes=hmac.digest(key, record_in_shien.bytes, "sha256")[:16], version=4)
