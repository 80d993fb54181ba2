"""Early signals from 地域づくり: an anonymous note of what somebody noticed, kept by intake until a person decides.

The fields are those of forms/early_signal.1.toml. Nothing asks for a name: a note is about nobody in particular.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.erasure import Erased, EraseReason
from contracts.intake import Sheet
from contracts.message import Code, Message, Question
from contracts.office import Done, Line, Officer, Words


class NoticedAt(StrEnum):
    """気づいた場."""

    SALON = "salon"
    CANTEEN = "canteen"
    VISIT = "visit"
    EVENT = "event"
    SHOP = "shop"
    OTHER = "other"


NOTICED_AT_TEXT = {
    NoticedAt.SALON: "サロン・居場所",
    NoticedAt.CANTEEN: "地域食堂・こども食堂",
    NoticedAt.VISIT: "見守り・訪問",
    NoticedAt.EVENT: "行事",
    NoticedAt.SHOP: "店・事業所",
    NoticedAt.OTHER: "その他",
}


class Sign(StrEnum):
    """気になる様子."""

    ABSENT = "absent"
    HEALTH = "health"
    MIND = "mind"
    MEALS = "meals"
    MONEY = "money"
    HOME = "home"
    FAMILY = "family"
    CHILD = "child"
    ISOLATION = "isolation"
    OTHER = "other"


SIGN_TEXT = {
    Sign.ABSENT: "姿を見なくなった",
    Sign.HEALTH: "体調・けが",
    Sign.MIND: "気持ちの落ち込み",
    Sign.MEALS: "食事・身なり",
    Sign.MONEY: "お金の心配",
    Sign.HOME: "家・ごみ",
    Sign.FAMILY: "家族関係",
    Sign.CHILD: "子どもの様子",
    Sign.ISOLATION: "孤立",
    Sign.OTHER: "その他",
}


class SenderRole(StrEnum):
    """書いた人の立場; never who it was."""

    COORDINATOR = "coordinator"
    WELFARE_COMMISSIONER = "welfare_commissioner"
    VOLUNTEER = "volunteer"
    RESIDENT = "resident"
    BUSINESS = "business"
    OTHER = "other"


SENDER_ROLE_TEXT = {
    SenderRole.COORDINATOR: "生活支援コーディネーター等",
    SenderRole.WELFARE_COMMISSIONER: "民生委員・児童委員",
    SenderRole.VOLUNTEER: "活動の担い手",
    SenderRole.RESIDENT: "住民",
    SenderRole.BUSINESS: "事業者",
    SenderRole.OTHER: "その他",
}


class Own(Message):
    """A municipality's own field of the form (``x_…``), as text."""

    field: Annotated[str, StringConstraints(pattern=r"^x_[a-z0-9_]{1,40}$")]
    value: Words


class Note(Message):
    """気づきメモ, filled in. Free text is bounded by the form, and told in its words (``length``)."""

    noticed_on: date
    place: NoticedAt
    area: Line = ""
    signs: Annotated[tuple[Sign, ...], Field(max_length=20)]
    description: Words
    urgent: bool
    role: SenderRole | None = None
    received_by: Code | None = None
    own: Annotated[tuple[Own, ...], Field(max_length=50)] = ()


class SignalNoted(Done):
    """The note's reference when it is kept."""

    signal: UUID | None = None


class ReportSignal(Question[SignalNoted], subject="ask.intake.report_signal.v1"):
    """Keep an anonymous note. ``by`` is who typed it in, not who noticed. ``request``: the same one twice is one."""

    request: UUID
    by: Officer
    note: Note


class SignalState(StrEnum):
    """What became of a note."""

    OPEN = "open"
    DROPPED = "dropped"
    REFERRED = "referred"


SIGNAL_STATE_TEXT = {SignalState.OPEN: "未対応", SignalState.DROPPED: "見送り", SignalState.REFERRED: "つないだ"}


class Signal(Message):
    """A note as the office reads it. ``reason``: why it was dropped. Never which referral it became."""

    signal: UUID
    recorded_at: AwareDatetime
    state: SignalState
    note: Note
    reason: Words = ""


class Signals(Done):
    """Urgent ones first, then the oldest. ``done`` is False for who may not read notes."""

    signals: tuple[Signal, ...] = ()


class LookAtSignals(Question[Signals], subject="ask.intake.look_at_signals.v1"):
    """Which notes wait; with ``settled``, also those already decided, for the 市町村 only. Looking is registered."""

    by: Officer
    settled: bool = False


class DropSignal(Question[Done], subject="ask.intake.drop_signal.v1"):
    """Nothing is to be done about a note, for a reason that is kept."""

    request: UUID
    by: Officer
    signal: UUID
    reason: Words


class ReferSignal(Question[Done], subject="ask.intake.refer_signal.v1"):
    """A note becomes a つなぎ, after the person was asked (C5, C6), or could not be (C4)."""

    request: UUID
    by: Officer
    signal: UUID
    sheet: Sheet


class EraseSignal(Question[Erased], subject="ask.intake.erase_signal.v1", inside=False):
    """Destroy the key of a note. Erasing the referral it became does so, too. Operators only."""

    signal: UUID
    reason: EraseReason
