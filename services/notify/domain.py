"""What an invitation says and when it may go out: the same words for both kinds of meeting (S17, consent.md 8.12)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from html import escape
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.notify import Sent

TOKYO = ZoneInfo("Asia/Tokyo")
SUBJECT = "会議のご案内"
"""Subject, title and heading of every invitation. Anything more would tell one kind of meeting from the other."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LINE_BREAKERS = {"Cc", "Cs", "Zl", "Zp"}


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


@dataclass(frozen=True)
class Invitation:
    """All that one person is told. Nothing in it knows what the meeting is about, or of which kind it is."""

    notice: UUID
    uid: UUID
    sequence: int
    starts: datetime
    ends: datetime
    answer_by: datetime
    made_at: datetime
    place: str
    link: str
    address: str
    name: str
    """The recipient's, staff of an agency; may be empty."""
    office: Office


def answer_without_mailing(
    *, already_sent: bool, too_late: bool, newest: int | None, sequence: int, reachable: bool
) -> Sent | None:
    """What is answered if no mail may go out now; None: mail it.

    What did go out is said to have gone out, whatever the hour. ``newest`` is the highest sequence begun for the
    same UID: an older one behind it would put a withdrawn date back into a calendar.
    """
    if already_sent:
        return Sent(outcome="sent")
    if too_late:
        return Sent(outcome="not_sent", why="too_late")
    if newest is not None and sequence < newest:
        return Sent(outcome="not_sent", why="stale")
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


_AFTER_THE_LINK = (
    "予定表の「承諾」ではなく、上のリンクからお答えください。リンクはあなた専用です。転送しないでください。",
    "同じ会議のご案内が続けて届いたときは、新しいほうをご覧ください。",
    "お電話でもお答えいただけます。ご不明な点もお電話ください。",
)
"""The same in every mail, also in one that moves a date: a word only some of them have would tell them apart."""


def plain_text(invitation: Invitation) -> str:
    """The body as plain text. It carries everything: LGWAN's gateways drop HTML and attachments (calendar.md 6)."""
    told = invitation
    lines = [
        *([f"{told.name} 様", ""] if told.name else []),
        "次の会議にご出席をお願いします。",
        "",
        f"日時: {span(told.starts, told.ends)}",
        f"場所: {told.place}",
        f"回答期限: {day_and_time(told.answer_by)}",
        "",
        "回答はこちら:",
        told.link,
        "",
        *_AFTER_THE_LINK,
        "",
        told.office.name,
        f"電話 {told.office.phone}",
    ]
    return "\r\n".join(lines) + "\r\n"


def html_text(invitation: Invitation) -> str:
    """The body as HTML: the same words, nothing fetched from elsewhere, so that opening it tells nobody."""
    told = invitation
    salutation = f"<p>{escape(told.name)} 様</p>\r\n" if told.name else ""
    return (
        f'<!DOCTYPE html>\r\n<html lang="ja"><head><meta charset="utf-8"><title>{SUBJECT}</title></head><body>\r\n'
        f"{salutation}<p>次の会議にご出席をお願いします。</p>\r\n"
        f"<p>日時: {span(told.starts, told.ends)}<br>\r\n場所: {escape(told.place)}<br>\r\n"
        f"回答期限: {day_and_time(told.answer_by)}</p>\r\n"
        f'<p>回答はこちら:<br>\r\n<a href="{escape(told.link)}">{escape(told.link)}</a></p>\r\n'
        f"<p>{'<br>'.join(_AFTER_THE_LINK)}</p>\r\n"
        f"<p>{escape(told.office.name)}<br>\r\n電話 {escape(told.office.phone)}</p>\r\n</body></html>\r\n"
    )
