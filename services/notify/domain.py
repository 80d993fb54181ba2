"""What a letter says and when it may go out: the same words for both kinds of meeting (S17, consent.md 8.12)."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import ClassVar, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.notify import Sent
from services.notify.addresses import NOWHERE, Returns

TOKYO = ZoneInfo("Asia/Tokyo")
DOOR = "オンラインで参加(あなた専用、会議の時間に開きます)"
Method = Literal["REQUEST", "CANCEL"]

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LINE_BREAKERS = {"Cc", "Cs", "Zl", "Zp"}


BY_LINK_ONLY = "予定表の「承諾」ではなく、上のリンクからお答えください。リンクはあなた専用です。転送しないでください。"
BY_CALENDAR_TOO = (
    "上のリンクか、予定表の「承諾」「辞退」でお答えください。書き添えた文は届きません。"
    "リンクはあなた専用です。転送しないでください。"
)
"""Where a calendar's reply is read by a machine."""


@dataclass(frozen=True)
class Office:
    """Who invites: the municipality's own office, also where an outsourced 多機関協働事業者 organises (P9)."""

    name: str
    mail: str
    phone: str

    @property
    def domain(self) -> str:
        """The mail domain: part of every UID and Message-ID, so that nobody else makes the same ones."""
        return self.mail.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True)
class Letter:
    """All that one person is told. Nothing in it knows what the meeting is about, or of which kind it is.

    Its words are the class's own, the same in every mail of a kind: a word only some of them had would tell them apart.
    """

    method: ClassVar[Method]
    status: ClassVar[str]
    subject: ClassVar[str]
    """Subject, title and heading. Anything more would tell one kind of meeting, or one reason, from the other."""
    opening: ClassVar[str]
    closing: ClassVar[tuple[str, ...]]

    notice: UUID
    uid: UUID
    sequence: int
    starts: datetime
    ends: datetime
    made_at: datetime
    place: str
    address: str
    name: str
    """The recipient's, staff of an agency; may be empty."""
    office: Office
    link: str = ""
    """Where to answer, the recipient's own; empty: there is nothing to answer."""
    door: str = ""
    """Where to enter online, the recipient's own; empty: one comes in person."""
    follows: UUID | None = None
    """The notice of the invitation that this person has: taken back by a cancellation, replaced by a newer one."""
    returns: Returns = NOWHERE
    """Where replies and reports of delivery go."""

    @property
    def facts(self) -> tuple[str, ...]:
        """When and where."""
        return f"日時: {span(self.starts, self.ends)}", f"場所: {self.place}"

    @property
    def advice(self) -> tuple[str, ...]:
        """The closing words, by where replies go: the same for all of a city's mails."""
        read = self.returns.answers not in ("", self.office.mail)
        return tuple(BY_CALENDAR_TOO if one == BY_LINK_ONLY and read else one for one in self.closing)


@dataclass(frozen=True, kw_only=True)
class Invitation(Letter):
    """Asks one person to come."""

    method = "REQUEST"
    status = "CONFIRMED"
    subject = "会議のご案内"
    opening = "次の会議にご出席をお願いします。"
    closing = (
        BY_LINK_ONLY,
        "同じ会議のご案内が続けて届いたときは、新しいほうをご覧ください。",
        "お電話でもお答えいただけます。ご不明な点もお電話ください。",
    )

    answer_by: datetime

    @property
    def facts(self) -> tuple[str, ...]:
        """When, where and until when to answer."""
        return *super().facts, f"回答期限: {day_and_time(self.answer_by)}"


@dataclass(frozen=True, kw_only=True)
class Cancellation(Letter):
    """Takes one person's invitation back, whether the meeting falls away or only this seat: it does not say which."""

    method = "CANCEL"
    status = "CANCELLED"
    subject = "会議の予定の取消し"
    opening = "次の会議へのご出席のお願いを取り消します。"
    closing = (
        "ご予定から外してください。予定表に残っているときは、お手数ですが削除してください。",
        "このお知らせへのお答えは要りません。",
        "ご不明な点はお電話ください。",
    )


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """Says that something on the desk is due, in the same words for everybody, every day and both kinds (S17, S3)."""

    subject: ClassVar[str] = "業務のお知らせ"
    opening: ClassVar[str] = "期限が近いか過ぎた業務、お答えを待っている案内、近い会議のいずれかがあります。"
    leads: ClassVar[str] = "確認はこちら:"
    closing: ClassVar[tuple[str, ...]] = (
        "内容はこのメールには書いていません。上のページからサインインして、「今週の会議」でご確認ください。",
        "サインインを使わない方は、「会議のご案内」「日程のうかがい」のメールをご確認ください。",
        "このお知らせは、開庁日に一日一回までお送りします。返信は要りません。",
        "ご不明な点はお電話ください。",
    )
    stops: ClassVar[str] = "このお知らせを止める・また受け取る(会議のご案内と取消しは止まりません):"
    kind: ClassVar[str] = "kaigi.due"
    """What a webhook calls it."""

    notice: UUID
    """Follows from recipient and day, so that the mail is the same whichever kind of meeting asked for it first."""
    made_at: datetime
    address: str
    name: str
    office: Office
    link: str
    """The page from which both desks are reached: a desk's own address would tell the kind."""
    stop: str = ""
    """Where the recipient says that he or she wants no more of these; empty: it is not theirs to stop."""
    returns: Returns = NOWHERE
    """Where reports of delivery go."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Nothing: what is due is on the desk only."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Inquiry(Reminder):
    """日程のうかがい: asks for times, in the same words for both kinds of meeting; the times stand behind the link."""

    subject: ClassVar[str] = "日程のうかがい"
    opening: ClassVar[str] = "会議の日程を決めるため、ご都合をうかがいます。"
    leads: ClassVar[str] = "候補の日時とご回答はこちら:"
    closing: ClassVar[tuple[str, ...]] = (
        "期限までは、同じリンクで何度でも変えられます。リンクはあなた専用です。転送しないでください。",
        "お電話でもお答えいただけます。ご不明な点もお電話ください。",
    )
    kind: ClassVar[str] = "kaigi.poll"

    answer_by: datetime

    @property
    def facts(self) -> tuple[str, ...]:
        """Until when to answer."""
        return (f"回答期限: {day_and_time(self.answer_by)}",)


@dataclass(frozen=True)
class Delivery:
    """One mail that was begun, or one cancellation that was asked for, with the same UID."""

    notice: UUID
    person: UUID
    method: Method
    sequence: int
    begun_at: datetime
    handed: bool
    sent: bool


def is_stale(method: Method, sequence: int, past: Iterable[Delivery]) -> bool:
    """Whether this mail would undo a newer one in a calendar.

    What is newest may be said again, to others or after a failure; to undo it takes a higher sequence (RFC 5546 2.1.4).
    """
    return any(one.sequence > sequence or (one.sequence == sequence and one.method != method) for one in past)


def last_invitation(person: UUID, past: Iterable[Delivery]) -> UUID | None:
    """The notice of the newest invitation that this person may have; None: they have none."""
    had = [one for one in past if one.person == person and one.method == "REQUEST" and one.handed]
    return max(had, key=lambda one: (one.sequence, one.begun_at)).notice if had else None


def answer_without_mailing(
    *, already_sent: bool, too_late: bool, stale: bool, nothing_to_take_back: bool, reachable: bool
) -> Sent | None:
    """What is answered if no mail may go out now; None: mail it.

    What did go out is said to have gone out, whatever the hour.
    """
    if already_sent:
        return Sent(outcome="sent")
    if too_late:
        return Sent(outcome="not_sent", why="too_late")
    if stale:
        return Sent(outcome="not_sent", why="stale")
    if nothing_to_take_back:
        return Sent(outcome="not_sent", why="never_invited")
    return None if reachable else Sent(outcome="not_sent", why="no_address")


def can_be_mailed(address: str) -> bool:
    """Whether this is one plain ASCII address: whatever could start a second header, line or recipient is not."""
    return len(address) <= 254 and _ADDRESS.fullmatch(address) is not None


def one_line(text: str) -> str:
    """``text`` without anything that ends a line. 異体字 selectors stay: they are part of a name."""
    return " ".join("".join(" " if unicodedata.category(sign) in _LINE_BREAKERS else sign for sign in text).split())


def day_and_time(instant: datetime) -> str:
    """令和8年12月17日(木) 14:00, in Japan."""
    there = instant.astimezone(TOKYO)
    year = there.year - 2018
    weekday = "月火水木金土日"[there.weekday()]
    return f"令和{'元' if year == 1 else year}年{there.month}月{there.day}日({weekday}) {there:%H:%M}"


def span(starts: datetime, ends: datetime) -> str:
    """令和8年12月17日(木) 14:00-15:30; the day is repeated only when it is another one."""
    same_day = starts.astimezone(TOKYO).date() == ends.astimezone(TOKYO).date()
    return (
        f"{day_and_time(starts)}-{ends.astimezone(TOKYO):%H:%M}"
        if same_day
        else f"{day_and_time(starts)} - {day_and_time(ends)}"
    )


def plain_text(letter: Letter) -> str:
    """The body as plain text. It carries everything: LGWAN's gateways drop HTML and attachments (calendar.md 6)."""
    told = letter
    lines = [
        *([f"{told.name} 様", ""] if told.name else []),
        told.opening,
        "",
        *told.facts,
        "",
        *(["回答はこちら:", told.link, ""] if told.link else []),
        *([f"{DOOR}:", told.door, ""] if told.door else []),
        *told.advice,
        "",
        told.office.name,
        f"電話 {told.office.phone}",
    ]
    return "\r\n".join(lines) + "\r\n"


def reminder_text(told: Reminder) -> str:
    """The body of a reminder; there is no other part, so that no gateway has anything to take away."""
    lines = [*([f"{told.name} 様", ""] if told.name else []), told.opening, "", *told.facts]
    lines += [
        *([""] if told.facts else []),
        told.leads,
        told.link,
        "",
        *told.closing,
        *(["", told.stops, told.stop] if told.stop else []),
        "",
        told.office.name,
        f"電話 {told.office.phone}",
    ]
    return "\r\n".join(lines) + "\r\n"


def html_text(letter: Letter) -> str:
    """The body as HTML: the same words, nothing fetched from elsewhere, so that opening it tells nobody."""
    told, link = letter, escape(letter.link)
    salutation = f"<p>{escape(told.name)} 様</p>\r\n" if told.name else ""
    facts = "<br>\r\n".join(map(escape, told.facts))
    answer = f'<p>回答はこちら:<br>\r\n<a href="{link}">{link}</a></p>\r\n' if link else ""
    if door := escape(told.door):
        answer += f'<p>{DOOR}:<br>\r\n<a href="{door}">{door}</a></p>\r\n'
    return (
        f'<!DOCTYPE html>\r\n<html lang="ja"><head><meta charset="utf-8"><title>{told.subject}</title></head><body>\r\n'
        f"{salutation}<p>{told.opening}</p>\r\n"
        f"<p>{facts}</p>\r\n{answer}"
        f"<p>{'<br>'.join(told.advice)}</p>\r\n"
        f"<p>{escape(told.office.name)}<br>\r\n電話 {escape(told.office.phone)}</p>\r\n</body></html>\r\n"
    )
