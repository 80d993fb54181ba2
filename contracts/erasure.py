"""Erasing who a referral or a case is about: its key is destroyed, so that old backups no longer open it either."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints, model_validator

from contracts.message import Code, Message, Question


class EraseReason(StrEnum):
    """Why a person decided to erase. A code, because the reason outlives what was erased."""

    RETENTION = "retention"
    REQUEST = "request"
    MISTAKE = "mistake"


ERASE_REASON_TEXT = {
    EraseReason.RETENTION: "保存期間が過ぎた",
    EraseReason.REQUEST: "本人から消去を求められた",
    EraseReason.MISTAKE: "誤って受け付けた",
}


class Erased(Message):
    """Whether it is erased now; asked again, it still is. If not, why."""

    done: bool
    message: str = ""


class EraseReferral(Question[Erased], subject="ask.intake.erase.v1", inside=False):
    """Erase who a referral is about and all its free text. Exactly one of the three ways to name it; operators only."""

    referral: UUID | None = None
    referrer: Code | None = None
    """With ``number``, as the sheet and the desk name it."""
    number: Annotated[str, StringConstraints(max_length=20)] = ""
    juso_case: UUID | None = None
    """The juso case it became. For a shien case intake does not know the referral (consent.md 8.1)."""
    reason: EraseReason

    @model_validator(mode="after")
    def _named_once(self) -> "EraseReferral":
        named: tuple[Any, ...] = (self.referral, self.juso_case, self.referrer)
        if sum(one is not None for one in named) != 1 or (self.referrer is None) != (not self.number):
            raise ValueError("name the referral in exactly one way")
        return self


class EraseCase(Question[Erased], subject="ask.coordination.erase.v1", inside=False):
    """Erase what this compartment keeps sealed under a case. Operators only."""

    case: UUID
    reason: EraseReason


class EraseAnswers(Question[Erased], subject="ask.meetings.erase.v1", inside=False):
    """Erase what the meetings of a compartment keep sealed about a case: minutes, and in shien what bodies outside
    answered (受領資料). Operators only."""

    case: UUID
