"""What codes and instants are called in Japanese. Dates are days and hours of Asia/Tokyo, years of the era first."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.commission import TEMPLATE_TEXT as TEMPLATE_TEXT
from contracts.consent import CONSENT_TEXT, ConsentState
from contracts.consent import OBTAINED_TEXT as OBTAINED_TEXT
from contracts.coordination import CaseView
from contracts.holding import Mode
from contracts.life import STATE_TEXT as LIFE_STATES
from contracts.life import Due, State
from contracts.message import Compartment
from contracts.policy import derive_kind
from contracts.policy_rows import ROWS
from contracts.policy_terms import Act
from contracts.profile import Profile
from contracts.purpose import Purpose

TOKYO = ZoneInfo("Asia/Tokyo")

KIND_TEXT = {Compartment.JUSO: "重層的支援会議", Compartment.SHIEN: "支援会議"}
KIND_HINT = {
    Compartment.JUSO: "本人が情報共有に同意した事案だけを扱います。",
    Compartment.SHIEN: "本人の同意がない事案を扱います。構成員には守秘義務があります。",
}
NEED_TEXT = {"required": "必須", "expected": "原則", "optional": "任意"}
LIFE_TEXT = LIFE_STATES
"""Where a case stands, by the table of its life."""
NOTICE_TEXT = {
    False: {"waiting": "送付待ち", "sent": "送付済み", "not_sent": "電話で連絡してください"},
    True: {"waiting": "取消しの送付待ち", "sent": "取消しを送付済み", "not_sent": "取消しを電話で伝えてください"},
}
"""How the invitation of a seat fared, or, by True, its cancellation."""
BY_HAND_TEXT = {
    "phone": "電話でお知らせする人です。",
    "letter": "郵送でお知らせする人です。文書を送ってください。",
}
"""Why somebody is told by a person."""
ANSWER_TEXT = {"attend": "出席", "absent": "欠席", "none": "未回答"}
STATE_TEXT = {"waiting": "会議に出す前", "put_forward": "日程を探しています", "placed": "日程が決まりました"}
STEP_TEXT = {
    "item_withdrawn": "会議の議題から取り下げました",
    "received": "つなぐシートを受け付けました",
    "case_opened": "事案として登録し、扱う会議を決めました",
    "client_taken_in": "本人の情報を支援会議の区画に預かりました",
    "item_put_forward": "会議の議題に上げました",
    "item_placed": "会議の日程を決めました",
    "item_unplaced": "会議の日程がなくなりました",
}

STOP_TEXT = {
    "withdrawn": "同意が撤回されたため止めています",
    "expired": "同意の期限が切れたため止めています",
    "not_begun": "同意の期間がまだ始まっていないため止めています",
    "no_consent": "有効な同意がないため止めています",
}
_STOP_ROW = {"withdrawn": "N1", "expired": "N2", "not_begun": "N3", "no_consent": "N4"}
ACT_TEXT = {
    Act.SHOW: "画面で見た",
    Act.INVITE: "案内を受けた",
    Act.NOTIFY: "通知を受けた",
    Act.HEAR: "会議で聞いた",
    Act.EXPORT: "出力を受けた",
}
"""What whoever stands in the register did."""

POST_TEXT = {
    "officer": "担当者",
    "secretariat": "事務局",
    "representative": "代表者",
    "adviser": "助言者",
}
"""What the posts of the staff file are called; a city's own name for a post stands for itself."""

OVER_TEXT = {
    State.CLOSED: "支援は終わっています。",
    State.SUSPENDED: "支援は中断しています。",
    State.RETURNED: "紹介元へ戻しました。",
    State.WITH_REFERRER: "紹介元が主に担当しています。",
    State.TO_JUSO: "重層的支援会議へ移りました。",
}
"""What a case says for itself that is over; what is still due of it follows."""

_ERAS = (
    (date(2019, 5, 1), "令和"),
    (date(1989, 1, 8), "平成"),
    (date(1926, 12, 25), "昭和"),
    (date(1912, 7, 30), "大正"),
    (date(1868, 10, 23), "明治"),
)
_WEEKDAYS = "月火水木金土日"


def monday_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def midnight(day: date) -> datetime:
    """The instant at which the day begins in Japan."""
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO)


def day_in_japan(instant: datetime) -> date:
    """The day an instant falls on in Japan."""
    return instant.astimezone(TOKYO).date()


def era_date(day: date) -> str:
    """和暦, e.g. 令和8年11月24日. Before Meiji the year is given as it is."""
    for begins, era in _ERAS:
        if day >= begins:
            year = day.year - begins.year + 1
            return f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"


def weekday(day: date) -> str:
    """The weekday in brackets, e.g. (火)."""
    return f"({_WEEKDAYS[day.weekday()]})"


def short_day(day: date) -> str:
    """E.g. 11月24日(火)."""
    return f"{day.month}月{day.day}日{weekday(day)}"


def place_name(profile: Profile, code: str | None, room: str | None = None, mode: Mode = "in_person") -> str:
    """Where a sitting is held: online, or the place with its room, and whether one may come from elsewhere (M3)."""
    if mode == "online":
        return "オンライン"
    place = next((one.name for one in profile.places if one.code == code), code or "")
    where = f"{place} {next((one.name for one in profile.rooms if one.code == room), '')}".strip()
    return f"{where}(オンラインでも参加できます)" if mode == "both" else where


def full_day(day: date) -> str:
    """E.g. 令和8年11月24日(火)."""
    return era_date(day) + weekday(day)


def clock(instant: datetime) -> str:
    """The time of day in Japan, e.g. 9:30."""
    local = instant.astimezone(TOKYO)
    return f"{local.hour}:{local.minute:02}"


def moment(instant: datetime) -> str:
    """Day and time in Japan, e.g. 令和8年11月24日(火) 9:30."""
    return f"{full_day(day_in_japan(instant))} {clock(instant)}"


def to_the_second(instant: datetime) -> str:
    """Day and time in Japan to the second, e.g. 令和8年11月24日(火) 9時30分05秒: what a stop is measured by."""
    local = instant.astimezone(TOKYO)
    return f"{full_day(local.date())} {local.hour}時{local.minute:02}分{local.second:02}秒"


def span(starts: datetime, ends: datetime) -> str:
    """From when to when, e.g. 令和8年11月24日(火) 10:00〜11:30."""
    until = clock(ends) if day_in_japan(starts) == day_in_japan(ends) else moment(ends)
    return f"{moment(starts)}〜{until}"


def age_on(born: date, today: date) -> int:
    """Completed years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def consent_text(state: ConsentState) -> str:
    """What the consent is, as the trail says it: 同意なし with its reason, or the state's own name."""
    if state in (ConsentState.REFUSED, ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK):
        return f"同意なし({'拒否' if state is ConsentState.REFUSED else CONSENT_TEXT[state]})"
    return CONSENT_TEXT[state]


def why_this_kind(state: ConsentState, compartment: Compartment) -> str:
    """Which kind of meeting follows from the consent, and by which article (C1, C4, C5, C9, C11)."""
    decision = derive_kind(state)
    source = f"根拠: {decision.basis}({decision.rule})"
    if _decided_after_withdrawal(state, compartment):
        return f"{consent_text(state)} → 必要性を判断して記録し、支援会議で扱います。{source}"
    if decision.compartment is None:
        return f"{consent_text(state)} → {decision.reason}({decision.rule})"
    return f"{consent_text(state)} → {KIND_TEXT[decision.compartment]}で扱います。{source}"


def next_step(case: CaseView, compartment: Compartment, purpose: Purpose = Purpose.PLAN) -> str:
    """What the rules want next for a case, in one sentence with the rule's id (C4, C5, C9, C11, S10, T1, T3).

    Of a case that goes on it is what is due of it first, by where its life stands; one that is over says so.
    """
    if case.stopped:
        row = next(row for row in ROWS if row.id == _STOP_ROW.get(case.stop_reason, "N4"))
        return f"{row.next_step.rstrip('。')}({row.rules[0]})。"
    if case.stands is not None and case.stands in OVER_TEXT:
        return _after_the_end(case, OVER_TEXT[case.stands])
    decision = derive_kind(case.ground)
    decided = _decided_after_withdrawal(case.ground, compartment)
    if decision.next_step and not decided:
        return f"{decision.next_step.rstrip('。')}({decision.rule})。"
    if decision.compartment is not compartment and not decided:
        return "同意の状態が変わりました。扱う会議を確かめてください(C10、C11)。"
    if case.due is not None:
        return due_text(case.due)
    if compartment is Compartment.SHIEN:
        return "支援会議で情報を持ち寄り、見守りと支援の方針を話し合います(C4、S10)。"
    return {
        Purpose.REPLAN: "再プランは重層的支援会議で協議します(T1)。",
        Purpose.CLOSING: "支援の終結は重層的支援会議で判断します(T1)。",
        Purpose.SUSPENSION: "支援の中断は重層的支援会議で決めます(T1、T3)。",
    }.get(purpose, "プラン策定は重層的支援会議で協議します(T1)。")


def post(code: str) -> str:
    """What a post is called: ``adviser-welfare`` is an adviser like another."""
    return POST_TEXT.get(code) or POST_TEXT.get(code.partition("-")[0], code)


def stands(case: CaseView) -> str:
    """Where a case stands, and how far its item has come while it goes on."""
    if case.stands is None:
        return STATE_TEXT[case.state]
    text = LIFE_STATES[case.stands]
    return text if case.stands in OVER_TEXT or case.state == "waiting" else f"{text}({STATE_TEXT[case.state]})"


def due_text(due: Due) -> str:
    """What is due, by when and by which rule, in one sentence."""
    late = "期限を過ぎています。" if due.late else ""
    return f"{due.text}({due.rule})。{full_day(due.on)}まで{'(目安)' if due.guessed else ''}。{late}"


def _after_the_end(case: CaseView, ended: str) -> str:
    return f"{ended}{due_text(case.due) if case.due else ''}"


def _decided_after_withdrawal(state: ConsentState, compartment: Compartment) -> bool:
    """Such a case is in shien only because somebody decided so and recorded why (C11)."""
    return state in (ConsentState.WITHDRAWN, ConsentState.EXPIRED) and compartment is Compartment.SHIEN
