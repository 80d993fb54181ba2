"""Whatever comes in by mail: reading it never fails, and never says an answer that nobody gave."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from contracts.mail_answers import TakeDelivery, TakeReply
from services.mailin.answers import question_of
from services.mailin.itip import read_calendar
from services.mailin.reading import read_mail, text_of
from services.mailin.tnef import response_of
from services.meetings.mail_rules import SETS
from tests.mailin.mails import SENDER, TO_ANSWER, TO_BOUNCE, UID, calendar, event, mail, parts, report, winmail

PARTSTATS = ["ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED", "NEEDS-ACTION", "X-YES", ""]
MAILS = [
    mail(calendar()),
    mail(None),
    report(),
    mail(winmail(b"IPM.Schedule.Meeting.Resp.Pos"), kind="application/ms-tnef"),
]
SPLICES = [
    b"\r\n", b"\n", b"\0", b":", b";", b'"', b"=", b"\x1b$B", b"\x1b(B", b"\xff\xfe", b"--B--", b"--B", b"=?utf-8?b?",
    b"BEGIN:VCALENDAR\r\n", b"END:VCALENDAR\r\n", b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"METHOD:REQUEST\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: x-uuencode\r\n",
    b"begin 666 winmail.dat\r\n",
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: message/delivery-status\r\n\r\n", b"From: <@>\r\n",
    b"SEQUENCE:99999999999999999999\r\n", b"ATTENDEE:mailto:\r\n", b"DTSTART:99999999T999999Z\r\n",
]  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A mail with pieces cut out, doubled and spliced in."""
    raw = draw(st.sampled_from(MAILS))
    for _ in range(draw(st.integers(0, 6))):
        at, until = sorted((draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))))
        piece = draw(st.sampled_from(SPLICES) | st.binary(max_size=20) | st.just(raw[at:until]))
        raw = raw[:at] + piece + raw[until if draw(st.booleans()) else at :]
    return raw


@given(st.binary(max_size=2000) | spoilt())
@settings(max_examples=400)
def test_any_bytes_are_read_without_failing_and_ask_only_what_is_ours_to_ask(raw: bytes) -> None:
    came = read_mail(raw)
    for to in (TO_ANSWER, TO_BOUNCE):
        found: Any = question_of(came, to)
        assert found is None or isinstance(found, {"answer": TakeReply, "bounce": TakeDelivery}[to.use])
        assert found is None or type(found).model_validate_json(found.model_dump_json()) == found


@given(st.text(max_size=2000))
def test_any_text_is_a_calendar_or_none(text: str) -> None:
    read_calendar(text)
    read_calendar(f"BEGIN:VCALENDAR\r\n{text}\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR")


@given(st.binary(max_size=500), st.sampled_from(["utf-8", "utf-16", "shift_jis", "zlib", "idna", "", "\0"]))
def test_any_bytes_have_a_text_under_any_name(data: bytes, charset: str) -> None:
    text_of(data, charset)
    response_of(data)
    response_of(winmail(data))
    response_of(winmail(b"IPM.Note")[: len(data)] + data)


@given(
    st.lists(st.tuples(st.sampled_from(PARTSTATS), st.sampled_from([SENDER, "yoshida@shakyo.example"])), max_size=4),
    st.sampled_from(["REPLY", "REQUEST", "COUNTER", "CANCEL", "X"]),
    st.sampled_from([str(UID), "27ce9f04-a6b1-4d58-8f3d-c05b1e7a94d2"]),
    st.booleans(),
)
def test_an_answer_is_said_only_if_the_senders_own_line_in_our_event_says_it_and_nothing_else(
    lines: list[tuple[str, str]], method: str, uid: str, one_event: bool
) -> None:
    events = [event(partstat, who, UID=f"{uid}@x.example") for partstat, who in lines]
    if one_event and events:
        for other in events[1:]:
            events[0].add("ATTENDEE", other["ATTENDEE"], encode=False)
        events = events[:1]
    found = question_of(read_mail(parts(calendar(*events, method=method))), TO_ANSWER)
    assert isinstance(found, TakeReply)
    if found.answer.said in SETS:
        mine = {partstat for partstat, who in lines if who == SENDER} if lines else {"ACCEPTED"}  # one of our own
        assert (method, uid if lines else str(UID)) == ("REPLY", str(UID))
        assert mine == {found.answer.said.upper()}


@given(st.sampled_from(PARTSTATS[:4]), st.integers(0, 2**31 - 1), st.integers(0, 59))
def test_what_icalendar_reads_in_a_reply_is_what_we_read(partstat: str, sequence: int, second: int) -> None:
    made = event(partstat, SEQUENCE=sequence)
    made["DTSTAMP"].dt = made["DTSTAMP"].dt.replace(second=second)
    theirs = Calendar.from_ical(calendar(made)).events[0]
    ours = read_calendar(calendar(made).decode())
    assert ours is not None
    (one,) = ours.events
    assert (one.uid, one.sequence, one.stamp) == (str(theirs["UID"]), int(theirs["SEQUENCE"]), theirs.DTSTAMP)
    assert (one.starts, one.attendees[0].partstat) == (theirs.start, theirs["ATTENDEE"].params["PARTSTAT"])


def test_the_parser_of_the_library_is_never_handed_what_would_keep_it_busy() -> None:
    """The bound that keeps parts within parts from costing lines times parts."""
    many = mail(None) + b"boundary=x\r\n" * 200
    assert read_mail(many).sender == ""
    assert read_mail(mail(None)).sender == SENDER
