"""What of a mail is looked at: sender, Message-ID, calendar objects, reports of delivery. Not one word more.

Everything here reads what anybody may have sent: broken encodings, bombs, forgeries. It never raises, and what it
returns has no text of the mail in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses
from hashlib import sha256
from typing import Any, Literal

from contracts.mail_answers import Said
from services.mailin.itip import ReplyCalendar, read_calendar
from services.mailin.tnef import response_of

MOST_OCTETS = 10 * 1_048_576
"""Of a mail: an answer has a few thousand, a signature's pictures some more."""
MOST_PARTS = 100
"""The library's parser looks at each line once per part that is open."""
MOST_OCTETS_OF_A_CALENDAR = 524_288
_PART_MARKS = re.compile(rb"boundary|message/|^begin ", re.IGNORECASE | re.MULTILINE)
_CALENDARS = ("text/calendar", "application/ics", "text/x-vcalendar")
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_BY_A_MACHINE = ("bulk", "junk", "auto_reply", "list")
_SHIFTED = re.compile(rb"\x1b[$(]")
_NAMES_OF_A_CHARSET = {"utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "euc-jp": "euc_jp"}
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_REPORTED: dict[str, tuple[Literal["bounced", "deferred", "delivered"], str]] = {
    "failed": ("bounced", "5.0.0"),
    "delayed": ("deferred", "4.0.0"),
    "delivered": ("delivered", "2.0.0"),
}
_REPORTS = ("message/delivery-status", "message/global-delivery-status")


@dataclass(frozen=True)
class Report:
    """What a mail server says became of a mail (RFC 3464)."""

    state: Literal["bounced", "deferred", "delivered"]
    code: str


@dataclass
class Came:
    """One mail, as far as it is read."""

    digest: str
    """Its Message-ID, or where it has none its bytes; hashed."""
    sender: str = ""
    """Empty: none, or more than one."""
    by_a_machine: bool = False
    """Out of office and the like (RFC 3834): nobody has said anything by it."""
    calendars: list[ReplyCalendar] = field(default_factory=list)
    outlook: list[Said] = field(default_factory=list)
    """Answers in a winmail.dat, which has no calendar object."""
    reports: list[Report] = field(default_factory=list)
    addressed: list[str] = field(default_factory=list)
    """The addresses in its headers, for a mailbox that has lost the envelope."""


def read_mail(raw: bytes) -> Came:
    """Read one mail. Never raises."""
    came = Came(sha256(raw).hexdigest())
    if len(raw) > MOST_OCTETS or len(_PART_MARKS.findall(raw)) > MOST_PARTS:
        return came
    try:
        mail = message_from_bytes(raw, policy=compat32)
        _read_headers(mail, came)
        for part in mail.walk():
            _read_part(part, came)
    except Exception:
        # The library raises what it likes on headers and parts nobody foresaw; what was read so far may be half.
        return Came(came.digest)
    return came


def text_of(data: bytes, charset: str) -> str:
    """The text of a calendar object in whatever it is really in: what it says of itself is wrong as often as not."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    if _SHIFTED.search(data):
        return data.decode("iso2022_jp_ext", "replace")
    for codec in ("utf-8-sig", _NAMES_OF_A_CHARSET.get(charset.lower(), "cp932"), "cp932", "euc_jp"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _read_headers(mail: Message, came: Came) -> None:
    if named := str(mail.get("Message-ID", "")).strip():
        came.digest = sha256(named.encode("utf-8", "surrogateescape")).hexdigest()
    senders = _addresses(mail, "From")
    came.sender = senders[0] if len(senders) == 1 and len(senders[0]) <= 254 else ""
    submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    marked = any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Failed-Recipients"))
    came.by_a_machine = submitted != "no" or precedence in _BY_A_MACHINE or marked
    came.addressed = [one for name in _ADDRESSED for one in _addresses(mail, name)]
    if "X-Failed-Recipients" in mail and mail.get_content_type() != "multipart/report":
        came.reports.append(Report("bounced", "5.0.0"))  # Exim's own way, from before RFC 3464


def _addresses(mail: Message, name: str) -> list[str]:
    found = getaddresses([str(value) for value in mail.get_all(name, [])])
    return [address.encode("ascii", "replace").decode() for _, address in found if address]


def _read_part(part: Message, came: Came) -> None:
    kind = part.get_content_type()
    if kind in _REPORTS:
        came.reports += _reports(part)
    if part.is_multipart():
        return
    name = str(part.get_filename() or "").lower()
    if kind in _CALENDARS or name.endswith(".ics"):
        data = _payload(part)
        charset = str(part.get_content_charset() or "")
        found = read_calendar(text_of(data, charset)) if len(data) <= MOST_OCTETS_OF_A_CALENDAR else None
        if found is not None:
            found.method = found.method or str(part.get_param("method") or "").upper()
            came.calendars.append(found)
    elif kind == "application/ms-tnef" or name == "winmail.dat":
        said = response_of(_payload(part))
        came.outlook += [said] if said else []


def _payload(part: Message) -> bytes:
    data: Any = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _reports(part: Message) -> Iterator[Report]:
    """One per recipient that it speaks of; our mails have one."""
    for block in _blocks(part):
        action = block.get("action", "").lower()
        if action in _REPORTED:
            state, code = _REPORTED[action]
            status = block.get("status", "").partition(" ")[0]
            yield Report(state, status if _STATUS.fullmatch(status) else code)


def _blocks(part: Message) -> Iterator[dict[str, str]]:
    inner: Any = part.get_payload()
    for one in inner if isinstance(inner, list) else []:
        yield {name.lower(): str(value).strip() for name, value in one.items()}
        rest: Any = one.get_payload()
        for text in re.split(r"\r?\n\r?\n", rest[:65_536]) if isinstance(rest, str) else []:
            fields = (line.partition(":") for line in text.splitlines())
            yield {name.strip().lower(): value.strip() for name, colon, value in fields if colon}
