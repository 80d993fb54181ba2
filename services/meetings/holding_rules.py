"""The rules of changing how one sitting is held (M3). Plain values in, plain values out."""

from contracts.holding import Mode
from services.meetings.running_rules import Refusal

NO_REASON = Refusal("M3", "開き方を変える理由が選ばれていません。", "理由を一覧から選んでください。")
SAME = Refusal("M3", "いまと同じ開き方が選ばれています。", "別の開き方を選んでください。")
CHANGED_SINCE = Refusal("M3", "ほかの人が先に開き方を変えました。", "画面を読み直して、もう一度選んでください。")
BEGUN = Refusal("M3", "始まったか終わった会議の開き方は変えられません。", "次の開催から変えてください。")
NOTHING_TO_MEET_WITH = Refusal(
    "M3",
    "オンライン会議の仕組みが、市町村の設定にありません。",
    "設定の [online] に会議サーバーかリンクを書いてから、変えてください。",
)
NO_ROOM = Refusal(
    "M3",
    "この会議には部屋が決まっていないので、会場では開けません。",
    "日程の画面で、部屋のある日時に変更してください。",
)


def why_not_hold(now: Mode, seen: Mode, to: Mode, *, begun: bool, able: bool, lacks_room: bool) -> Refusal | None:
    """Why a sitting cannot be held in this mode. ``seen``: what the person saw; ``able``: a server or link is set."""
    if begun:
        return BEGUN
    if now != seen:
        return CHANGED_SINCE
    if now == to:
        return SAME
    if to != "in_person" and not able:
        return NOTHING_TO_MEET_WITH
    return NO_ROOM if to != "online" and lacks_room else None
