"""A client who agreed, and what becomes of the consent: the words in which the ledger's tests are written."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from contracts.consent import ConsentState, Obtained, Scope
from contracts.intake import (
    ConsentChanged,
    ConsentHistory,
    ConsentRecorded,
    LookAtConsent,
    RecordConsent,
    ReferralWithConsent,
    Sheet,
    TakeInSheets,
    WithdrawConsent,
)
from contracts.permit import Use, Verdict
from contracts.policy import Category
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services.intake.permits import redeem_all
from services.intake.tables import referral
from tests.intake.paper import sheet
from tests.stage import SOME_DAY, Stage

KEY = b"p" * 32
DIGEST = "ab" * 32
TODAY = date(2026, 11, 24)


@dataclass
class Agreed:
    """One client's consent, as juso was told of it."""

    desk: Stage
    referral: UUID
    consent: UUID
    case: UUID
    client: UUID
    scope: Scope

    def record(self, after: int = 1, **changes: Any) -> ConsentRecorded:
        return record(self.desk, self.referral, after, **changes)

    def narrow(self, after: int = 1, **less: Any) -> ConsentRecorded:
        """A version that reaches less far."""
        scope = self.scope.model_copy(update=less or {"agencies": ("houkatsu",)})
        return self.record(after, state=ConsentState.NARROWED, scope=scope)

    def withdraw(self, **changes: Any) -> ConsentRecorded:
        return withdraw(self.desk, self.case, **changes)

    def history(self) -> ConsentHistory:
        found: ConsentHistory = self.desk.ask(LookAtConsent(referral=self.referral))
        return found

    def use(self, **changes: Any) -> Use:
        """Something the consent allows, changed."""
        values = {
            "use": uuid4(),
            "act": Act.INVITE,
            "consent": self.consent,
            "version": 1,
            "agency": "jiritsu",
            "purpose": Purpose.PLAN,
            "member": self.client,
            "category": Category.ORDINARY,
        }
        return Use.model_validate(values | changes)

    def redeem(self, *uses: Use) -> tuple[Verdict, ...]:
        return redeem(self.desk, *uses)

    def redeem_one(self, **changes: Any) -> Verdict:
        return self.redeem(self.use(**changes))[0]


def agree(desk: Stage, **changes: Any) -> Agreed:
    """A consented sheet, taken in, and told."""
    paper = sheet(**changes)
    key = take(desk, paper)
    changed, told = desk.told()
    assert isinstance(changed, ConsentChanged)
    assert isinstance(told, ReferralWithConsent)
    assert told.client
    assert changed.scope
    return Agreed(desk, key, changed.about, told.about, told.client, changed.scope)


def take(desk: Stage, paper: Sheet) -> UUID:
    """The referral's reference."""
    (result,) = desk.ask(TakeInSheets(sheets=(paper,))).results
    assert result.outcome in ("accepted", "held")
    mine = referral.c.number == paper.number, referral.c.referrer == paper.referrer
    key: UUID = desk.do(lambda tx: tx.execute(select(referral.c.id).where(*mine)).scalar_one())
    return key


def record(desk: Stage, key: UUID, after: int, **changes: Any) -> ConsentRecorded:
    values: dict[str, Any] = {
        "state": ConsentState.REFUSED,
        "scope": None,
        "text_version": "第3号",
        "obtained": Obtained.SIGNED,
        "obtained_by": "日髙 奈緒",
        "obtained_on": TODAY,
    }
    done: ConsentRecorded = desk.ask(RecordConsent.model_validate(values | {"referral": key, "after": after} | changes))
    return done


def withdraw(desk: Stage, case: UUID, **changes: Any) -> ConsentRecorded:
    values: dict[str, Any] = {"obtained": Obtained.PHONE, "obtained_by": "日髙 奈緒", "obtained_on": TODAY}
    done: ConsentRecorded = desk.ask(WithdrawConsent.model_validate(values | {"case": case} | changes))
    return done


def redeem(desk: Stage, *uses: Use) -> tuple[Verdict, ...]:
    return desk.do(lambda tx: redeem_all(uses, KEY, tx)).verdicts


def scope_of(*members: UUID, agencies: tuple[str, ...] = ("houkatsu", "jiritsu"), **changes: Any) -> Scope:
    """A scope from today on for a year."""
    starts = SOME_DAY
    values: dict[str, Any] = {
        "agencies": agencies,
        "purposes": (Purpose.PLAN,),
        "members": members,
        "starts": starts,
        "ends": starts + timedelta(days=365),
    }
    return Scope.model_validate(values | changes)
