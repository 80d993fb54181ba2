"""Permits: the consent's owner says, for one use and a few seconds, that sharing is lawful now (consent.md 8.10).

Whoever shares redeems a permit first, so that nothing new is shared once a withdrawal is recorded, however late
the news arrives. A permit is signed, so that a forged one is told from ours without asking.
"""

import hmac
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.message import Account, Code, Message, Question
from contracts.policy import Category
from contracts.policy_terms import Act
from contracts.purpose import Purpose

LIFE_SECONDS = 3.0
"""How long a permit may be used. A withdrawal is confirmed when the last one is spent or over: within 5 s."""


class Use(Message):
    """One thing somebody wants to share with one agency. ``use``: the register's row it is for."""

    use: UUID
    act: Literal[Act.SHOW, Act.HEAR, Act.INVITE, Act.NOTIFY, Act.EXPORT]
    consent: UUID
    version: Annotated[int, Field(ge=1)]
    agency: Code
    purpose: Purpose
    member: UUID
    category: Category


class Permit(Message):
    """Good for exactly ``use``, once, until just before ``until``."""

    permit: UUID
    use: Use
    until: AwareDatetime
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Verdict(Message):
    """The permit, or the row of the policy that refuses, with its reason and the lawful next step."""

    use: UUID
    permit: Permit | None = None
    row: str = ""
    reason: str = ""
    next_step: str = ""


class Verdicts(Message):
    """One verdict per use, in order."""

    verdicts: tuple[Verdict, ...]


class Redeem(Question[Verdicts], subject="ask.intake.redeem.v1", asked_from=(Account.JUSO,)):
    """May these be shared now? Decided on the ledger itself. The same ``use`` asked twice gets the same permit."""

    uses: Annotated[tuple[Use, ...], Field(max_length=500)]


class Noted(Message):
    """It is noted."""


class ReportSpent(Question[Noted], subject="ask.intake.report_spent.v1", asked_from=(Account.JUSO,)):
    """These permits were used, or will not be: a withdrawal need not wait for them."""

    permits: Annotated[tuple[UUID, ...], Field(max_length=500)]


def sign(key: bytes, permit: UUID, use: Use, until: datetime) -> str:
    """The signature of a permit that is good until an aware instant."""
    said = "|".join((permit.hex, use.model_dump_json(), until.astimezone(UTC).isoformat()))
    return hmac.new(key, said.encode(), "sha256").hexdigest()


def is_ours(key: bytes, permit: Permit) -> bool:
    """Whether the consent's owner made this permit for this use and this long."""
    expected = sign(key, permit.permit, permit.use, permit.until)
    return hmac.compare_digest(expected, permit.signature)
