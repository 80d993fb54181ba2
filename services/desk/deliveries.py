"""How far an invitation got, and what came by mail that is no answer: for whoever organises, without an address."""

from contracts.meetings import SeatView
from contracts.message import Compartment
from contracts.proposing import AskedView
from services.desk import words

DELIVERY_TEXT = {
    "retrying": "送信を繰り返しています",
    "delivered": "届きました",
    "deferred": "届くのが遅れています",
    "bounced": "届かずに戻りました",
}
"""What ``words.NOTICE_TEXT`` does not say already."""
NOT_SENT_TEXT = {
    "no_address": "メールの宛先が登録されていません。",
    "mail_refused": "相手のメールサーバーが受け取りません。",
    "too_late": "送れる時間を過ぎました。",
}
NO_MAIL_TEXT = "メールを使えない職場です。"
NOT_DELIVERED_TEXT = "メールを届けられませんでした。"
BOUNCED_TEXT = "宛先を確かめ、電話で知らせてください。"
POLL_TEXT = {
    "waiting": "送信待ち",
    "sent": "送信済み",
    "not_sent": "届けられません。電話でうかがってください。",
    "by_phone": "電話でうかがってください。",
    "by_letter": "郵便の方です。電話でうかがってください。",
    "bounced": "メールが戻りました。電話でうかがってください。",
}
"""Of the mail that asks for times: how far it got or, where it is known, why it did not."""
MAIL_TEXT = {
    "tentative": "「仮の予定」という返事です。出欠を電話で確かめてください。",
    "delegated": "代わりの人の出席を希望しています。電話で決めてください。",
    "unreadable": "返信メールから出欠を読み取れませんでした。電話で確かめてください(文面は保存していません)。",
    "other_sender": "招待した宛先でないところから返事が届きました。電話で確かめてください。",
}
PERSONAL_TEXT = "委嘱された人のほかは出席できません(S6)。"


def delivery_text(seat: SeatView) -> str:
    """How far the newest notice got."""
    if seat.delivery in DELIVERY_TEXT and not seat.cancelled:
        return DELIVERY_TEXT[seat.delivery]
    return words.NOTICE_TEXT[seat.cancelled][seat.notice]


def poll_text(asked: AskedView) -> str:
    """How far the mail that asks for times got, and when somebody telephones instead."""
    return POLL_TEXT.get(asked.why) or POLL_TEXT[asked.mail]


def call_text(seat: SeatView, compartment: Compartment, *, has_mail: bool) -> str:
    """Why somebody is to telephone; empty when mail does it."""
    if seat.notice == "not_sent":
        return NOT_SENT_TEXT.get(seat.why, NOT_DELIVERED_TEXT) if has_mail else NO_MAIL_TEXT
    if seat.delivery == "bounced":
        return BOUNCED_TEXT
    if seat.cancelled or not seat.mail:
        return ""
    if seat.mail == "counter":
        return _wish_text(seat)
    personal = seat.mail == "delegated" and compartment is Compartment.SHIEN
    return MAIL_TEXT[seat.mail] + (PERSONAL_TEXT if personal else "")


def _wish_text(seat: SeatView) -> str:
    if seat.wish_starts is None:
        return "別の日時を希望しています。電話で確かめてください。"
    ends = seat.wish_ends
    wish = words.span(seat.wish_starts, ends) if ends else words.moment(seat.wish_starts)
    return f"別の日時({wish})を希望しています。日時は変わっていません。"
