"""When a block's papers are open to its seats: from their release to its close, by the body's setting (M5, S11). Pure.

Whoever holds the meeting prepares and closes the papers, and sees them before and after.
"""

from datetime import datetime, timedelta

from contracts.body_secrecy import PaperWindow
from services.meetings.running import Room
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO


def why_shut(window: PaperWindow, starts: datetime, ends: datetime, room: Room, now: datetime) -> Refusal | None:
    """Why a seat may not see the papers now, and what to do; None while their window is open.

    A block that runs late stays open until somebody closes it; one that nobody opened, until its time is over.
    """
    opens = starts - timedelta(hours=window.opens_hours_before)
    if now < opens:
        day = opens.astimezone(TOKYO)
        reason = f"この区切りの資料は、{day.month}月{day.day}日{day:%H:%M}から見られます。"
        return Refusal("S11", reason, "それまでに要るときは、開催する機関の担当者に電話で尋ねてください。")
    running = room.opened is not None and room.closed is None
    over = (room.closed or ends) + timedelta(minutes=window.closes_minutes_after)
    if not running and now >= over:
        reason = "この区切りは終わったので、資料は閉じています。"
        return Refusal(
            "S11", reason, "内容を確かめたいときは、開催する機関の担当者に、その場で見せてもらってください。"
        )
    return None
