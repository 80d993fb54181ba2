"""The judges of every mail: they let pass what notify writes, and refuse each fault that somebody plants."""

from base64 import b64decode, encodebytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import Letter, one_line
from services.notify.ics import calendar_object
from services.notify.mail import compose
from tests.notify.judges import Unfit, is_ours, judge, judge_calendar
from tests.notify.outside import STARTS, cancellation, invitation

ENDS = b"END:VEVENT\r\n"
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="^\\\"'"), min_size=1)


@pytest.mark.parametrize(
    ("told", "method"), [(invitation(sequence=3), "REQUEST"), (cancellation(sequence=4), "CANCEL")]
)
def test_both_readers_take_from_a_mail_what_was_meant(told: Letter, method: str) -> None:
    mail = compose(told, calendar_object(told))
    assert is_ours(mail)
    entry = judge(mail)
    assert entry is not None
    assert (entry.method, entry.sequence, entry.place) == (method, told.sequence, told.place)
    assert (entry.uid, entry.starts, entry.ends) == (f"{told.uid}@fukushi.kobayashi.example", STARTS, told.ends)
    assert entry.stamp == told.made_at
    assert entry.attendee == "mailto:takahashi@houkatsu.example"


@given(name=PLAIN.map(one_line), place=PLAIN.map(one_line))
def test_any_japanese_name_and_place_reads_alike(name: str, place: str) -> None:
    told = invitation(name=f"髙橋{name}", place=f"𠮷野{place}")
    entry = judge(compose(told, calendar_object(told)))
    assert entry is not None
    assert entry.place == told.place


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"UID:", b"X-UID:"),
        (b"DTSTAMP:", b"X-DTSTAMP:"),
        (b"DTSTAMP:20", b"DTSTAMP:x20"),
        (b"DTSTART;TZID=Asia/Tokyo:2026", b"DTSTART;TZID=Asia/Tokyo:x026"),
        (b"DTSTART;TZID=Asia/Tokyo", b"DTSTART;TZID=Asia/Seoul"),
        (b"SEQUENCE:0", b"SEQUENCE:zero"),
        (b"SUMMARY:", b"SUMMARY:x\r\nSUMMARY:"),
        (b"TZID:Asia/Tokyo", b"TZID:Japan"),
        (ENDS, b"DURATION:PT1H\r\n" + ENDS),
        (ENDS, b"RRULE:FREQ=MONTHLY\r\n" + ENDS),
        (ENDS, b"ATTENDEE:mailto:b@x.example\r\n" + ENDS),
        (ENDS, b""),
    ],
)
def test_a_planted_fault_in_the_object_is_found(found: bytes, instead: bytes) -> None:
    made = calendar_object(invitation())
    judge_calendar(made)
    assert found in made
    with pytest.raises(Unfit):
        judge_calendar(made.replace(found, instead, 1))


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"method=REQUEST", b"method=PUBLISH"),
        (b"<takahashi@houkatsu.example>", b"<yoshida@shakyo.example>"),
        (b"<takahashi@houkatsu.example>", b"<takahashi@houkatsu.example>, <yoshida@shakyo.example>"),
        (b"MIME-Version:", b"Cc: <yoshida@shakyo.example>\r\nMIME-Version:"),
        (b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: base-64"),
    ],
)
def test_a_planted_fault_in_the_mail_is_found(found: bytes, instead: bytes) -> None:
    told = invitation()
    mail = compose(told, calendar_object(told))
    assert found in mail
    with pytest.raises((Unfit, UnicodeDecodeError)):
        judge(mail.replace(found, instead) if b"Transfer" in found else mail.replace(found, instead, 1))


def test_an_attachment_that_is_not_the_object_shown_is_found() -> None:
    told = invitation()
    mail = compose(told, calendar_object(told))
    last = mail.rpartition(b"\r\n\r\n")[2].partition(b"--")[0]
    other = encodebytes(b64decode(last).replace(b"SEQUENCE:0", b"SEQUENCE:9")).replace(b"\n", b"\r\n")
    with pytest.raises(Unfit):
        judge(other.join(mail.rsplit(last, 1)))
