"""The calendar object of an invitation: iTIP REQUEST for one person. The only file that knows icalendar."""

import re
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vCalAddress

from services.notify.domain import SUBJECT, TOKYO, Invitation

_NAME = r'CN=(?:"[^"]*"|[^";:,]*)'
_LINES = {
    "VCALENDAR": {"PRODID": r":[!-~]+", "VERSION": r":2\.0", "CALSCALE": ":GREGORIAN", "METHOD": ":REQUEST"},
    "VTIMEZONE": {"TZID": ":Asia/Tokyo"},
    "STANDARD": {
        "DTSTART": ":19700101T000000",
        "TZNAME": ":JST",
        "TZOFFSETFROM": r":\+0900",
        "TZOFFSETTO": r":\+0900",
    },
    "VEVENT": {
        "UID": r":[0-9a-f-]{36}@[!-~]+",
        "DTSTAMP": r":\d{8}T\d{6}Z",
        "SEQUENCE": r":\d+",
        "DTSTART": r";TZID=Asia/Tokyo:\d{8}T\d{6}",
        "DTEND": r";TZID=Asia/Tokyo:\d{8}T\d{6}",
        "SUMMARY": ":" + SUBJECT,
        "LOCATION": ":.*",
        "CLASS": ":CONFIDENTIAL",
        "STATUS": ":CONFIRMED",
        "ORGANIZER": f";{_NAME}:mailto:[!-~]+",
        "ATTENDEE": f"(?:;{_NAME})?;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:[!-~]+",
        "X-MICROSOFT-DISALLOW-COUNTER": ":TRUE",
    },
}
"""What an invitation is made of: each of these exactly once and like this, and nothing besides.

No RDATE (calendar.md 1.3), no DESCRIPTION, no URL: whatever else stood there would tell something.
"""
_SHAPES = {(part, name): re.compile(shape) for part, names in _LINES.items() for name, shape in names.items()}
_START_OF_LINE = re.compile(r"[A-Z-]+")


class InvitationUnfit(Exception):
    """The calendar object is not what every invitation must be. Says the rule only: the rest may be personal."""


def invite(invitation: Invitation) -> bytes:
    """The calendar object as it is mailed, checked. Raises InvitationUnfit.

    The personal answer link is not in it: calendars are shared, and a DESCRIPTION comes back in every REPLY
    (calendar.md 1.5).
    """
    told = invitation
    event = Event()
    event.add("UID", f"{told.uid}@{told.office.domain}")
    event.add("DTSTAMP", told.made_at.astimezone(UTC))
    event.add("SEQUENCE", told.sequence)
    event.add("DTSTART", told.starts.astimezone(TOKYO))
    event.add("DTEND", told.ends.astimezone(TOKYO))
    event.add("SUMMARY", SUBJECT)
    event.add("LOCATION", told.place)
    event.add("CLASS", "CONFIDENTIAL")
    event.add("STATUS", "CONFIRMED")
    event.add("ORGANIZER", _who(told.office.mail, told.office.name), encode=False)
    event.add("ATTENDEE", _who(told.address, told.name, PARTSTAT="NEEDS-ACTION", RSVP="TRUE"), encode=False)
    event.add("X-MICROSOFT-DISALLOW-COUNTER", "TRUE")
    made: bytes = _BEFORE + event.to_ical() + _AFTER
    check_invitation(made)
    return made


def check_invitation(made: bytes) -> None:
    """Refuse whatever could give something away or be read differently by another calendar. Raises InvitationUnfit."""
    if (
        not made.endswith(b"\r\n")
        or made.count(b"\r\n") != made.count(b"\n")
        or made.count(b"\r\n") != made.count(b"\r")
    ):
        raise InvitationUnfit("a line does not end in CR LF")
    if any(len(line) > 75 for line in made.split(b"\r\n")):
        raise InvitationUnfit("a line is longer than 75 octets")
    try:
        lines = made.decode().replace("\r\n ", "").split("\r\n")[:-1]
    except UnicodeDecodeError:
        raise InvitationUnfit("not UTF-8") from None
    found: list[tuple[str, str]] = []
    inside = [""]
    for line in lines:
        name = _START_OF_LINE.match(line)
        if line.startswith("BEGIN:"):
            inside.append(line[6:])
        elif line == f"END:{inside[-1]}":
            inside.pop()
        else:
            found.append((inside[-1], name[0] if name else ""))
            shape = _SHAPES.get(found[-1])
            if name is None or shape is None or not shape.fullmatch(line, name.end()):
                raise InvitationUnfit("a line is not like that of every invitation")
    if inside != [""] or lines[0] != "BEGIN:VCALENDAR" or sorted(found) != sorted(_SHAPES):
        raise InvitationUnfit("a property is missing or doubled")


def _who(address: str, name: str, **parameters: str) -> vCalAddress:
    who = vCalAddress(f"mailto:{address}")
    who.params.update({"CN": name, **parameters} if name else parameters)
    return who


def _frame() -> tuple[bytes, bytes]:
    """Everything around the event, made once: icalendar's search for zones costs 16 ms a mail (calendar.md 2)."""
    standard = TimezoneStandard()
    standard.add("DTSTART", datetime(1970, 1, 1))  # noqa: DTZ001  # local time of the zone that it defines
    standard.add("TZNAME", "JST")
    standard.add("TZOFFSETFROM", timedelta(hours=9))
    standard.add("TZOFFSETTO", timedelta(hours=9))
    zone = Timezone()
    zone.add("TZID", "Asia/Tokyo")
    zone.add_component(standard)
    calendar = Calendar()
    calendar.add("PRODID", "-//kasane//notify//JA")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "REQUEST")
    calendar.add_component(zone)
    before, end, after = calendar.to_ical().rpartition(b"END:VCALENDAR")
    return before, end + after


_BEFORE, _AFTER = _frame()
