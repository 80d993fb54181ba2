"""Mails as they come back: built by the standard library and icalendar, by people's programs or by nobody's."""

import struct
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID, uuid4

from icalendar import Calendar, Event, vCalAddress

from contracts.mail_addresses import MailAddress, mail_token
from contracts.message import Compartment

KEY = bytes(range(32))
UID = UUID("b95a3e6d-10f8-4c72-9ed4-7a26c8f0d15b")
NOTICE = UUID("27ce9f04-a6b1-4d58-8f3d-c05b1e7a94d2")
TO_ANSWER = MailAddress("answer", mail_token(KEY, "answer", Compartment.JUSO, UID))
TO_BOUNCE = MailAddress("bounce", mail_token(KEY, "bounce", Compartment.JUSO, NOTICE))
STARTS = datetime(2026, 12, 17, 5, 0, tzinfo=UTC)
STAMP = datetime(2026, 11, 25, 2, 8, 31, tzinfo=UTC)
SENDER = "takahashi@houkatsu.example"
DOMAIN = "fukushi.kobayashi.example"
WORDS = "髙橋美津子様の件、了解しました。080-0000-1234"
"""What people write into a reply, and what nobody here may keep."""


def event(partstat: str = "ACCEPTED", attendee: str = SENDER, **changes: Any) -> Event:
    """The VEVENT of a reply, with what clients send along."""
    made = Event()
    facts = {"UID": f"{UID}@{DOMAIN}", "DTSTAMP": STAMP, "SEQUENCE": 1, "DTSTART": STARTS} | changes
    for name, value in facts.items():
        if value is not None:
            made.add(name.replace("_", "-"), value)
    made.add("COMMENT", WORDS)
    who = vCalAddress(f"mailto:{attendee}")
    who.params.update({"CN": "左近花子", "PARTSTAT": partstat})
    made.add("ATTENDEE", who, encode=False)
    return made


def calendar(*events: Event, method: str = "REPLY") -> bytes:
    made = Calendar()
    made.add("PRODID", "-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN")
    made.add("VERSION", "2.0")
    made.add("METHOD", method)
    for one in events or (event(),):
        made.add_component(one)
    return bytes(made.to_ical())


def mail(
    ics: bytes | None = None, *, charset: str = "utf-8", kind: str = "text/calendar", text: str = WORDS, **headers: str
) -> bytes:
    """A mail with a text and one calendar part."""
    made = EmailMessage(policy=SMTP)
    facts = {"From": f"=?utf-8?q?Hanako?= <{SENDER}>", "To": f"answer+{TO_ANSWER.token}@{DOMAIN}"}
    facts |= {"Subject": "Accepted: 会議のご案内", "Message-ID": f"<{uuid4()}@houkatsu.example>"} | headers
    for name, value in ({name.replace("_", "-"): value for name, value in facts.items()}).items():
        made[name] = value
    made.set_content(text)
    if ics is not None:
        main, _, sub = kind.partition("/")
        made.add_attachment(ics, main, sub, filename=None, disposition="inline")
        part = list(made.walk())[-1]
        part.replace_header("Content-Type", f'{kind}; charset="{charset}"; method=REPLY')
    return made.as_bytes()


def report(action: str = "failed", status: str = "5.1.1", **headers: str) -> bytes:
    """A report as Postfix writes it (RFC 3464)."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(
        [
            "From: MAILER-DAEMON@relay.example (Mail Delivery System)",
            f"To: bounce+{TO_BOUNCE.token}@{DOMAIN}",
            "Subject: Undelivered Mail Returned to Sender",
            "Auto-Submitted: auto-replied",
            *lines,
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="B"',
            "",
            "--B",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "<takahashi@houkatsu.example>: host mx said: 550 5.1.1 User unknown",
            "",
            "--B",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; relay.example",
            "",
            "Final-Recipient: rfc822; takahashi@houkatsu.example",
            f"Action: {action}",
            f"Status: {status}",
            "",
            "--B--",
            "",
        ]
    ).encode()


def parts(*calendars: bytes) -> bytes:
    """A mail of calendar parts, unencoded."""
    marks = [b"Content-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n" + one for one in calendars]
    head = f'From: {SENDER}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="B"\r\n\r\n'.encode()
    return head + b"".join(b"--B\r\n" + one + b"\r\n" for one in marks) + b"--B--\r\n"


def winmail(message_class: bytes) -> bytes:
    """A TNEF stream with an attribute before the message's class."""

    def attribute(number: int, data: bytes) -> bytes:
        return struct.pack("<BII", 1, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    start = struct.pack("<IH", 0x223E9F78, 1)
    return start + attribute(0x00089006, b"\0\0\1\0") + attribute(0x00078008, message_class + b"\0")


def later(**how_long: float) -> datetime:
    return STARTS + timedelta(**how_long)
