"""What a case is put to a meeting for; a consent names the purposes it covers, one by one (C3, C8)."""

from enum import StrEnum


class Purpose(StrEnum):
    """Why an item is put to a meeting: the mandatory timings of T1, and what a 支援会議 is for (S10).

    None of the latter supposes a plan or a 支援決定 (S2).
    """

    PLAN = "plan"
    REPLAN = "replan"
    CLOSING = "closing"
    SUSPENSION = "suspension"
    SHARING = "sharing"
    WATCH = "watch"
    EMERGENCY = "emergency"


OF_THE_LAW = (Purpose.SHARING, Purpose.WATCH, Purpose.EMERGENCY)
"""What a 支援会議 is for, and nothing else: never the supporters' own office work (S10, 種003 §3)."""

PURPOSE_TEXT = {
    Purpose.PLAN: "プラン策定",
    Purpose.REPLAN: "再プラン",
    Purpose.CLOSING: "支援終結の判断",
    Purpose.SUSPENSION: "支援中断の決定",
    Purpose.SHARING: "気になる事案の情報共有",
    Purpose.WATCH: "見守り・支援方針の理解",
    Purpose.EMERGENCY: "緊急対応",
}
