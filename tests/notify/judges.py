"""Other people's readers judge every mail that leaves: Python's strict parser, `ical` and `vobject`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import vobject
from ical.calendar_stream import IcsCalendarStream

OURS = b"\r\nlist-id: <kaigi."


@dataclass(frozen=True)
class Entry:
    """What a calendar takes from a mail."""

    method: str
    uid: str
    sequence: int
    stamp: datetime
    starts: datetime
    ends: datetime
    place: str
    attendee: str


class Unfit(AssertionError):
    """A judge does not take this mail."""


def is_ours(mail: bytes) -> bool:
    """Whether notify wrote it, and no test."""
    return OURS in mail[:4000].replace(b"\n", b"\r\n").replace(b"\r\r", b"\r").lower()


def judge(mail: bytes) -> Entry | None:
    """What the mail's calendar object says, alike to both readers; None for a mail without one. Raises Unfit."""
    message = message_from_bytes(mail, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        if part.defects or [value for value in part.values() if value.defects]:
            raise Unfit("the parser of mails sees a defect")
    if len(message["To"].addresses) != 1 or message["Cc"] or message["Bcc"]:
        raise Unfit("not one recipient")
    calendars = [part for part in message.walk() if part.get_content_type() in ("text/calendar", "application/ics")]
    if not calendars:
        return None
    [shown, attached] = calendars
    if shown.get_payload(decode=True) != attached.get_payload(decode=True):
        raise Unfit("the attachment is another one")
    entry = judge_calendar(shown.get_payload(decode=True))
    if shown["Content-Type"].params.get("method") != entry.method:
        raise Unfit("the mail's method is not the object's")  # Exchange refuses that
    if entry.attendee != f"mailto:{message['To'].addresses[0].addr_spec}":
        raise Unfit("somebody else is invited")
    return entry


def judge_calendar(made: bytes) -> Entry:
    """What both readers of calendars take from it. Raises Unfit where one does not, or they differ."""
    text = made.decode()
    try:
        one, other = _by_ical(text), _by_vobject(text)
    except Unfit:
        raise
    except Exception as error:
        raise Unfit(f"a reader refuses it: {type(error).__name__}") from error
    if one != other:
        raise Unfit("the readers differ")
    return one


def _by_ical(text: str) -> Entry:
    calendar = IcsCalendarStream.calendar_from_ics(text)
    [event] = calendar.events
    [attendee] = event.attendees
    if event.rrule or event.rdate or event.recurrence_id:
        raise Unfit("it recurs")
    return Entry(
        method=str(calendar.method),
        uid=event.uid,
        sequence=event.sequence if event.sequence is not None else -1,
        stamp=event.dtstamp.astimezone(UTC),
        starts=event.dtstart.astimezone(UTC),
        ends=event.dtend.astimezone(UTC),
        place=str(event.location),
        attendee=str(attendee.uri),
    )


def _by_vobject(text: str) -> Entry:
    calendar = vobject.readOne(text, validate=True)
    [event] = calendar.vevent_list
    [attendee], [zone] = event.attendee_list, calendar.vtimezone_list
    for name, found in event.contents.items():
        if len(found) != 1:
            raise Unfit(f"{name} stands there twice")
    used = {one.params["X-VOBJ-ORIGINAL-TZID"][0] for one in (event.dtstart, event.dtend)}
    if used != {str(zone.tzid.value)} or used != {"Asia/Tokyo"}:
        raise Unfit("a zone that is not defined")
    return Entry(
        method=calendar.method.value,
        uid=event.uid.value,
        sequence=int(event.sequence.value),
        stamp=event.dtstamp.value.astimezone(UTC),
        starts=event.dtstart.value.astimezone(UTC),
        ends=event.dtend.value.astimezone(UTC),
        place=event.location.value,
        attendee=attendee.value,
    )
