"""Erasing who a referral or a case is about: its key is destroyed, so that old backups no longer open it either."""

from enum import StrEnum

from contracts.message import Message


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
