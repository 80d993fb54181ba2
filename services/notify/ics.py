"""The calendar object of a letter: iTIP REQUEST or CANCEL for one person. The only file that knows icalendar."""

import re
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vCalAddress, vUri

from services.notify.domain import TOKYO, Cancellation, Invitation, Letter, Method

_NAME = r'CN=(?:"[^"]*"|[^";:,]*)'
_ATTENDANCE: dict[Method, dict[str, str]] = {"REQUEST": {"PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"}, "CANCEL": {}}
"""What is wanted of the attendee: of whoever need not come, not even a reply."""


def _shapes(kind: type[Letter]) -> dict[tuple[str, str], re.Pattern[str]]:
    """What a calendar object is made of: each of these once and like this, and nothing besides.

    No RDATE (calendar.md 1.3), no DESCRIPTION, no URL: whatever else stood there would tell something.
    """
    wanted = "".join(f";{name}={value}" for name, value in _ATTENDANCE[kind.method].items())
    lines = {
        "VCALENDAR": {
            "PRODID": r":[!-~]+",
            "VERSION": r":2\.0",
            "CALSCALE": ":GREGORIAN",
            "METHOD": f":{kind.method}",
        },
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
            "SUMMARY": f":{kind.subject}",
            "LOCATION": ":.*",
            "CLASS": ":CONFIDENTIAL",
            "STATUS": f":{kind.status}",
            "ORGANIZER": f";{_NAME}:mailto:[!-~]+",
            "ATTENDEE": f"(?:;{_NAME})?{wanted}:mailto:[!-~]+",
            "X-MICROSOFT-DISALLOW-COUNTER": ":TRUE",
            "CONFERENCE": r";FEATURE=VIDEO;LABEL=オンライン参加;VALUE=URI:https?://[A-Za-z0-9.:/-]+/online",
        },
    }
    return {(part, name): re.compile(shape) for part, names in lines.items() for name, shape in names.items()}


_AT_TIMES = ("VEVENT", "CONFERENCE")
"""The one line that not every object has (RFC 7986 5.11)."""
_KINDS: tuple[type[Letter], ...] = (Invitation, Cancellation)
_SHAPES = {kind: _shapes(kind) for kind in _KINDS}
_METHOD = re.compile(rb"(?<=\n)METHOD:[A-Z]+\r\n")
_START_OF_LINE = re.compile(r"[A-Z-]+")


class CalendarUnfit(Exception):
    """The calendar object is not what every one of its kind must be. Says the rule only: the rest may be personal."""


def calendar_object(letter: Letter) -> bytes:
    """The calendar object as it is mailed, checked. Raises CalendarUnfit.

    The personal links are not in it: calendars are shared, and a DESCRIPTION comes back in every REPLY (calendar.md
    1.5). CONFERENCE, where one may come online, leads to a page that says where one's own link is. A seat has a UID
    of its own, so its cancellation is the whole event's: STATUS says so.
    """
    told = letter
    event = Event()
    event.add("UID", f"{told.uid}@{told.office.domain}")
    event.add("DTSTAMP", told.made_at.astimezone(UTC))
    event.add("SEQUENCE", told.sequence)
    event.add("DTSTART", told.starts.astimezone(TOKYO))
    event.add("DTEND", told.ends.astimezone(TOKYO))
    event.add("SUMMARY", told.subject)
    event.add("LOCATION", told.place)
    event.add("CLASS", "CONFIDENTIAL")
    event.add("STATUS", told.status)
    event.add("ORGANIZER", _who(told.returns.answers or told.office.mail, told.office.name), encode=False)
    event.add("ATTENDEE", _who(told.address, told.name, **_ATTENDANCE[told.method]), encode=False)
    event.add("X-MICROSOFT-DISALLOW-COUNTER", "TRUE")
    if told.door:
        address = f"{told.door.partition('/a/')[0]}/online"
        event.add("CONFERENCE", vUri(address, params={"VALUE": "URI", "FEATURE": "VIDEO", "LABEL": "オンライン参加"}))
    before, after = _FRAMES[told.method]
    made: bytes = before + event.to_ical() + after
    check_calendar_object(made, type(told))
    return made


def check_calendar_object(made: bytes, kind: type[Letter]) -> None:
    """Refuse whatever could give something away or be read differently by another calendar. Raises CalendarUnfit."""
    shapes = _SHAPES[kind]
    if (
        not made.endswith(b"\r\n")
        or made.count(b"\r\n") != made.count(b"\n")
        or made.count(b"\r\n") != made.count(b"\r")
    ):
        raise CalendarUnfit("a line does not end in CR LF")
    if any(len(line) > 75 for line in made.split(b"\r\n")):
        raise CalendarUnfit("a line is longer than 75 octets")
    try:
        lines = made.decode().replace("\r\n ", "").split("\r\n")[:-1]
    except UnicodeDecodeError:
        raise CalendarUnfit("not UTF-8") from None
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
            shape = shapes.get(found[-1])
            if name is None or shape is None or not shape.fullmatch(line, name.end()):
                raise CalendarUnfit("a line is not like that of every other")
    wanted = [one for one in shapes if one != _AT_TIMES or one in found]
    if inside != [""] or lines[0] != "BEGIN:VCALENDAR" or sorted(found) != sorted(wanted):
        raise CalendarUnfit("a property is missing or doubled")


def stored_object(made: bytes) -> bytes:
    """The same without METHOD: what lies on a CalDAV server is no message (RFC 4791 4.1)."""
    return _METHOD.sub(b"", made, count=1)


def _who(address: str, name: str, **parameters: str) -> vCalAddress:
    who = vCalAddress(f"mailto:{address}")
    who.params.update({"CN": name, **parameters} if name else parameters)
    return who


def _frame(method: Method) -> tuple[bytes, bytes]:
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
    calendar.add("METHOD", method)
    calendar.add_component(zone)
    before, end, after = calendar.to_ical().rpartition(b"END:VCALENDAR")
    return before, end + after


_FRAMES = {kind.method: _frame(kind.method) for kind in _KINDS}
