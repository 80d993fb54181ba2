"""The calendar object of a reply (RFC 5546), read from hostile text: a few properties, everything else passed over.

Not by a calendar library: one that knows RRULE and VTIMEZONE can be made to work on them. Nothing here repeats, expands
or looks up what a mail says; reading is linear in a text whose size is bounded.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

TOKYO = ZoneInfo("Asia/Tokyo")
MOST_CHARACTERS = 262_144
MOST_EVENTS = 50
"""A client sends the series and its exceptions, and never so many."""
MOST_SEQUENCE = 2**31 - 1

_TOKYO_BY_OTHER_NAMES = ("tokyo standard time", "jst", "japan", "(utc+09:00) osaka, sapporo, tokyo", "")
_LINE_END = re.compile(r"\r\n|\n|\r")
_INSTANT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})(Z?)")
_DIGITS = re.compile(r"[0-9]{1,10}")
_ZONES = {name.lower(): name for name in available_timezones()}


@dataclass(frozen=True)
class Attendee:
    """One ATTENDEE: whose answer, and which."""

    address: str
    partstat: str


@dataclass
class ReplyEvent:
    """One VEVENT. Times that cannot be read are None."""

    uid: str = ""
    sequence: int = 0
    stamp: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    instance: datetime | None = None
    is_instance: bool = False
    """Whether it has a RECURRENCE-ID, readable or not."""
    attendees: list[Attendee] = field(default_factory=list)


@dataclass
class ReplyCalendar:
    """A calendar object."""

    method: str = ""
    events: list[ReplyEvent] = field(default_factory=list)


@dataclass(frozen=True)
class _Property:
    name: str
    parameters: dict[str, str]
    value: str


def read_calendar(text: str) -> ReplyCalendar | None:
    """What it says; None for what is no calendar object or too large for an answer."""
    if len(text) > MOST_CHARACTERS:
        return None
    found, inside, current = ReplyCalendar(), list[str](), None
    for one in _properties(text):
        if one.name == "BEGIN":
            inside.append(one.value.strip().upper())
            if inside == ["VCALENDAR", "VEVENT"]:
                current = ReplyEvent()
                found.events.append(current)
            if len(inside) > 10 or len(found.events) > MOST_EVENTS:
                return None
        elif one.name == "END":
            if not inside or inside.pop() != one.value.strip().upper():
                return None
        elif inside == ["VCALENDAR"] and one.name == "METHOD":
            found.method = one.value.strip().upper()
        elif inside == ["VCALENDAR", "VEVENT"] and current is not None:
            _take(one, current)
    return found if found.events and not inside else None


def _take(one: _Property, event: ReplyEvent) -> None:
    match one.name:
        case "UID":
            event.uid = one.value.strip()
        case "SEQUENCE":
            event.sequence = _number(one.value)
        case "DTSTAMP":
            event.stamp = _instant(one)
        case "DTSTART":
            event.starts = _instant(one)
        case "DTEND":
            event.ends = _instant(one)
        case "RECURRENCE-ID":
            event.instance, event.is_instance = _instant(one), True
        case "ATTENDEE":
            scheme, _, address = one.value.strip().partition(":")
            if scheme.lower() == "mailto":
                event.attendees.append(Attendee(address.casefold(), one.parameters.get("PARTSTAT", "").upper()))


def _number(value: str) -> int:
    """A SEQUENCE nobody ever sent is above all that were sent, so that it answers nothing."""
    return min(int(value), MOST_SEQUENCE) if _DIGITS.fullmatch(value.strip()) else MOST_SEQUENCE


def _properties(text: str) -> Iterator[_Property]:
    for line in _unfolded(_LINE_END.split(text.lstrip("\ufeff"))):
        if (found := _property(line)) is not None:
            yield found


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """RFC 5545 3.1. The parts of a line are put together once: a line may be folded ten thousand times."""
    parts: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            continue
        if parts:
            yield "".join(parts)
        parts = [line]
    yield "".join(parts)


def _property(line: str) -> _Property | None:
    pieces, start, quoted = list[str](), 0, False
    for place, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in ";:":
            pieces.append(line[start:place])
            start = place + 1
            if sign == ":":
                named = (piece.partition("=") for piece in pieces[1:])
                parameters = {name.strip().upper(): value.strip().strip('"') for name, _, value in named}
                return _Property(pieces[0].strip().upper(), parameters, line[start:])
    return None


def _instant(one: _Property) -> datetime | None:
    """UTC; None for a date, a zone that does not exist, or what is no time at all."""
    found = _INSTANT.fullmatch(one.value.strip())
    zone = UTC if found and found[7] else _zone(one.parameters.get("TZID", ""))
    if found is None or zone is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if 1970 <= at.year <= 2999 else None


def _zone(name: str) -> ZoneInfo | None:
    """By name only, whatever the mail's own VTIMEZONE says of it: ours were sent with Asia/Tokyo."""
    named = name.strip().lower()
    if named in _TOKYO_BY_OTHER_NAMES or named.endswith("asia/tokyo"):
        return TOKYO
    return ZoneInfo(_ZONES[named]) if named in _ZONES else None
