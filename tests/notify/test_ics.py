"""The calendar object: what every calendar reads alike, and nothing that tells what the meeting is about (S17)."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.domain import Cancellation, Invitation, Letter, one_line
from services.notify.ics import CalendarUnfit, calendar_object, check_calendar_object
from tests.notify.outside import cancellation, invitation

NAMES = st.text(min_size=1, max_size=60).map(one_line).filter(bool)


def read(made: bytes) -> list[tuple[str, str, dict[str, str], str]]:
    """A reader of our own, after RFC 5545 and 6868: (component, property, parameters, value) of each line."""
    assert made.endswith(b"\r\n")
    raw = made[:-2].split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line and len(line) <= 75 for line in raw)
    unfolded: list[bytes] = []
    for line in raw:
        line.decode()  # no sign is torn apart
        if line.startswith(b" "):
            unfolded[-1] += line[1:]
        else:
            unfolded.append(line)
    found, inside = [], []
    for line in unfolded:
        name, parameters, value = _split(line.decode())
        if name == "BEGIN":
            inside.append(value)
        elif name == "END":
            assert inside.pop() == value
        else:
            found.append((inside[-1], name, parameters, value))
    assert not inside
    return found


def _split(line: str) -> tuple[str, dict[str, str], str]:
    quoted, cuts = False, []
    for place, sign in enumerate(line):
        quoted ^= sign == '"'
        if not quoted and sign in ";:":
            cuts.append(place)
            if sign == ":":
                break
    read_out = {}
    for start, end in pairwise(cuts):
        key, _, value = line[start + 1 : end].partition("=")
        assert key not in read_out
        read_out[key] = re.sub(r"\^[n'^]", lambda found: {"^n": "\n", "^'": '"', "^^": "^"}[found[0]], value.strip('"'))
    return line[: cuts[0]], read_out, line[cuts[-1] + 1 :]


def text(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def one(made: bytes, name: str) -> tuple[dict[str, str], str]:
    """The only line of the event with this name."""
    [line] = [line for line in read(made) if line[0] == "VEVENT" and line[1] == name]
    return line[2], line[3]


def test_the_object_asks_one_person_to_one_meeting_in_japanese_time():
    uid = UUID("0195f7a2-0000-4000-8000-000000000001")
    made = calendar_object(invitation(uid=uid, sequence=3))
    assert one(made, "UID") == ({}, "0195f7a2-0000-4000-8000-000000000001@fukushi.kobayashi.example")
    assert one(made, "DTSTART") == ({"TZID": "Asia/Tokyo"}, "20261217T140000")
    assert one(made, "DTEND") == ({"TZID": "Asia/Tokyo"}, "20261217T153000")
    assert one(made, "DTSTAMP") == ({}, "20261124T010000Z")
    assert one(made, "SEQUENCE") == ({}, "3")
    assert one(made, "SUMMARY") == ({}, "会議のご案内")
    assert one(made, "CLASS") == ({}, "CONFIDENTIAL")
    assert one(made, "STATUS") == ({}, "CONFIRMED")
    assert one(made, "X-MICROSOFT-DISALLOW-COUNTER") == ({}, "TRUE")
    assert one(made, "ORGANIZER") == ({"CN": "小林市 福祉課"}, "mailto:kaigi@fukushi.kobayashi.example")
    assert one(made, "ATTENDEE") == (
        {"CN": "髙橋 花子", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"},
        "mailto:takahashi@houkatsu.example",
    )
    assert ("VCALENDAR", "METHOD", {}, "REQUEST") in read(made)
    assert ("VTIMEZONE", "TZID", {}, "Asia/Tokyo") in read(made)
    assert ("STANDARD", "TZOFFSETTO", {}, "+0900") in read(made)


def test_a_cancellation_takes_the_same_event_back_from_the_same_person():
    uid = UUID("0195f7a2-0000-4000-8000-000000000001")
    invited, made = calendar_object(invitation(uid=uid, sequence=3)), calendar_object(cancellation(uid=uid, sequence=4))
    for name in ("UID", "ORGANIZER", "DTSTART", "DTEND", "LOCATION", "CLASS"):
        assert one(made, name) == one(invited, name)
    assert ("VCALENDAR", "METHOD", {}, "CANCEL") in read(made)
    assert one(made, "STATUS") == ({}, "CANCELLED")
    assert one(made, "SEQUENCE") == ({}, "4")
    assert one(made, "DTSTAMP") == ({}, "20261124T010000Z")
    assert one(made, "SUMMARY") == ({}, "会議の予定の取消し")
    assert one(made, "ATTENDEE") == ({"CN": "髙橋 花子"}, "mailto:takahashi@houkatsu.example"), "nobody need answer it"
    assert ("VTIMEZONE", "TZID", {}, "Asia/Tokyo") in read(made)


@pytest.mark.parametrize(("letter", "method"), [(invitation(), "REQUEST"), (cancellation(), "CANCEL")])
def test_a_foreign_calendar_reads_the_same_instants_and_no_error(letter: Letter, method: str):
    calendar = Calendar.from_ical(calendar_object(letter))
    [event] = calendar.events
    assert not event.errors
    assert not calendar.errors
    assert calendar.method == method
    assert event.start.astimezone(UTC) == datetime(2026, 12, 17, 5, 0, tzinfo=UTC)
    assert event.end - event.start == timedelta(minutes=90)


@pytest.mark.parametrize("letter", [invitation(), cancellation()])
def test_the_object_holds_no_answer_link_and_no_word_about_the_meeting(letter: Letter):
    made = calendar_object(letter)
    assert b"http" not in made.replace(b"\r\n ", b"")
    assert {line[1] for line in read(made) if line[0] == "VEVENT"} == {
        *("UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "CLASS", "STATUS"),
        *("ORGANIZER", "ATTENDEE", "X-MICROSOFT-DISALLOW-COUNTER"),
    }


@pytest.mark.parametrize(
    "name", ["髙橋 﨑子", "𠮷田 剛", "辻󠄀 真一", 'Maria "Mia" da Silva, PhD', "O'Neill; Ann: ^n ^'", "%2C\\n"]
)
def test_a_name_comes_out_as_it_went_in(name: str):
    made = calendar_object(invitation(name=name))
    assert one(made, "ATTENDEE")[0]["CN"] == name
    assert Calendar.from_ical(made).events[0]["ATTENDEE"].params["CN"] == name


@given(name=NAMES, place=NAMES)
def test_any_name_and_any_place_come_out_as_they_went_in(name: str, place: str):
    made = calendar_object(invitation(name=name, place=place))
    assert one(made, "ATTENDEE")[0]["CN"] == name
    assert text(one(made, "LOCATION")[1]) == place
    assert str(Calendar.from_ical(made).events[0]["LOCATION"]) == place


@given(st.text())
def test_no_name_can_start_a_line_of_its_own(name: str):
    assert len(one_line(name).splitlines()) <= 1
    made = calendar_object(invitation(name=one_line(f"花子\r\nATTENDEE:mailto:x@y.example{name}")))
    assert len([line for line in read(made) if line[1] == "ATTENDEE"]) == 1


def test_without_a_name_there_is_only_the_address():
    assert one(calendar_object(invitation(name="")), "ATTENDEE")[0] == {"PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"}


@pytest.mark.rule("M3", "S17")
def test_where_one_may_come_online_the_entry_leads_to_a_page_that_has_no_token_of_anybody():
    made = calendar_object(invitation(door="https://kaigi.example/a/AbCdEfGhIjKlMnOpQrStUvWxYz012345/room"))
    assert one(made, "CONFERENCE") == (
        {"VALUE": "URI", "FEATURE": "VIDEO", "LABEL": "オンライン参加"},
        "https://kaigi.example/online",
    )
    assert b"AbCdEf" not in made.replace(b"\r\n ", b"")
    for instead in (b"/a/AbCd", b"/online?x=1"):
        with pytest.raises(CalendarUnfit):
            check_calendar_object(made.replace(b"/online", instead), Invitation)


EVENT_ENDS = b"END:VEVENT\r\n"


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (EVENT_ENDS, b"DESCRIPTION:x\r\n" + EVENT_ENDS),
        (EVENT_ENDS, b"RDATE:20261218T050000Z\r\n" + EVENT_ENDS),
        (EVENT_ENDS, b"URL:http://x.example\r\n" + EVENT_ENDS),
        (EVENT_ENDS, b"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:b@x.example\r\n" + EVENT_ENDS),
        (EVENT_ENDS, EVENT_ENDS + b"BEGIN:VEVENT\r\nUID:x\r\n" + EVENT_ENDS),
        (b"SUMMARY:", b"SUMMARY:x "),
        (b"METHOD:REQUEST", b"METHOD:PUBLISH"),
        (b"CLASS:CONFIDENTIAL", b"CLASS:PUBLIC"),
        (b"CLASS:CONFIDENTIAL\r\n", b""),
        (b"CLASS:CONFIDENTIAL\r\n", b"CLASS:CONFIDENTIAL\n"),
        (b"CLASS:CONFIDENTIAL\r\n", b"CLASS:CONFIDENTIAL\r\r\n"),
        (b"DTSTART;TZID=Asia/Tokyo:", b"DTSTART:"),
        (b"DTSTART;TZID=Asia/Tokyo:", b"DTSTART;TZID=Europe/Paris:"),
        (b"LOCATION:", b"LOCATION:" + b"x" * 75),
        (b"LOCATION:", b"LOCATION:\xff"),
        (b"LOCATION:", b"LOCATION;ALTREP=x:"),
        (b"RSVP=TRUE", b"RSVP=FALSE"),
        (EVENT_ENDS, b"X-NAME:x\r\n" + EVENT_ENDS),
        (EVENT_ENDS, b"\r\n" + EVENT_ENDS),
        (EVENT_ENDS, b""),
    ],
)
def test_the_gate_refuses_whatever_is_not_like_every_invitation(found: bytes, instead: bytes):
    made = calendar_object(invitation())
    assert found in made
    with pytest.raises(CalendarUnfit):
        check_calendar_object(made.replace(found, instead, 1), Invitation)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"METHOD:CANCEL", b"METHOD:REQUEST"),
        (b"STATUS:CANCELLED", b"STATUS:CONFIRMED"),
        (b"STATUS:CANCELLED\r\n", b""),
        (b"SUMMARY:", "SUMMARY:同意の撤回".encode()),
        (b"ATTENDEE;CN=", b"ATTENDEE;RSVP=TRUE;CN="),
        (EVENT_ENDS, "COMMENT:同意が撤回されたため\r\n".encode() + EVENT_ENDS),
        (EVENT_ENDS, b"REQUEST-STATUS:3.14\r\n" + EVENT_ENDS),
    ],
)
def test_the_gate_refuses_whatever_is_not_like_every_cancellation(found: bytes, instead: bytes):
    made = calendar_object(cancellation())
    assert found in made
    with pytest.raises(CalendarUnfit):
        check_calendar_object(made.replace(found, instead, 1), Cancellation)


def test_the_gate_takes_neither_kind_for_the_other():
    for letter, other in ((invitation(), Cancellation), (cancellation(), Invitation)):
        with pytest.raises(CalendarUnfit):
            check_calendar_object(calendar_object(letter), other)


@pytest.mark.parametrize("letter", [invitation(), cancellation()])
def test_the_gate_lets_through_what_notify_writes_and_does_not_repeat_what_it_refuses(letter: Letter):
    made = calendar_object(letter)
    check_calendar_object(made, type(letter))
    with pytest.raises(CalendarUnfit) as refused:
        check_calendar_object(made.replace(EVENT_ENDS, "COMMENT:髙橋\r\n".encode() + EVENT_ENDS), type(letter))
    assert "髙橋" not in str(refused.value)
    assert "COMMENT" not in str(refused.value)
