"""What a mail means: whatever it is written in, whoever's program wrote it, and whatever else stands in it."""

import json
from datetime import datetime
from typing import Any

import pytest

from contracts.mail_answers import Said, TakeDelivery, TakeReply
from services.mailin.answers import question_of
from services.mailin.reading import read_mail
from tests.mailin.mails import (
    DOMAIN,
    SENDER,
    STAMP,
    STARTS,
    TO_ANSWER,
    TO_BOUNCE,
    UID,
    WORDS,
    calendar,
    event,
    later,
    mail,
    parts,
    report,
    winmail,
)


def meant(raw: bytes) -> TakeReply | None:
    found = question_of(read_mail(raw), TO_ANSWER)
    assert found is None or isinstance(found, TakeReply)
    return found


def said(raw: bytes) -> Said:
    found = meant(raw)
    assert found is not None
    return found.answer.said


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partstat", ["ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"])
def test_a_reply_says_who_answers_what_to_which_copy_and_date(partstat: str) -> None:
    found = meant(mail(calendar(event(partstat))))
    assert found is not None
    assert found.sender == SENDER
    answer = found.answer
    assert (answer.said, answer.sequence, answer.stamp, answer.about) == (partstat.lower(), 1, STAMP, STARTS)


def test_not_a_word_of_the_mail_leaves_with_the_answer() -> None:
    found = meant(mail(calendar()))
    assert found is not None
    for word in ("髙橋", "了解", "080-0000-1234", "Hanako", "Accepted:"):
        assert word not in json.dumps(found.model_dump(mode="json"), ensure_ascii=False)
        assert word in WORDS + "Hanako Accepted: 髙橋"


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "us-ascii"),
        ("iso2022_jp_ext", "utf-8"),
        ("iso2022_jp_ext", "iso-2022-jp"),
        ("cp932", "utf-8"),
        ("cp932", "iso-2022-jp"),
        ("cp932", "no-such-charset"),
        ("euc_jp", "euc-jp"),
        ("euc_jp", "utf-8"),
        ("utf-16", "utf-8"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "us-ascii"),
    ],
)
def test_japanese_in_every_encoding_and_under_every_wrong_name_is_read(written: str, called: str) -> None:
    ics = calendar(event("DECLINED")).decode().replace("髙", "高")  # 髙 is in no old character set
    found = meant(mail(ics.encode(written), charset=called))
    assert found is not None
    assert (found.answer.said, found.answer.about) == (Said.DECLINED, STARTS)


@pytest.mark.parametrize("kind", ["text/calendar", "application/ics", "text/x-vcalendar"])
def test_gateways_that_turn_the_calendar_part_into_a_file_take_nothing_from_it(kind: str) -> None:
    assert said(mail(calendar(), kind=kind)) is Said.ACCEPTED


def test_the_same_object_twice_in_a_mail_is_one_answer() -> None:
    once, again = mail(calendar()), mail(calendar(), kind="application/ics")
    both = mail(None) + once.partition(b"\r\n\r\n")[2] + again
    assert said(both) is Said.UNREADABLE, "parts that are glued together are no mail"
    assert said(parts(calendar(), calendar())) is Said.ACCEPTED


def test_two_answers_that_differ_are_none() -> None:
    assert said(parts(calendar(event("ACCEPTED")), calendar(event("DECLINED")))) is Said.UNREADABLE
    assert said(mail(calendar(event("ACCEPTED"), event("DECLINED")))) is Said.UNREADABLE


def test_of_all_the_attendees_a_client_sends_only_the_senders_own_line_counts() -> None:
    found = event("ACCEPTED")
    for other in ("yoshida@shakyo.example", "silva@hello-work.example"):
        found.add("ATTENDEE", f"mailto:{other}", parameters={"PARTSTAT": "DECLINED"})
    assert said(mail(calendar(found))) is Said.ACCEPTED
    assert said(mail(calendar(event("ACCEPTED", attendee="yoshida@shakyo.example")))) is Said.UNREADABLE


def test_a_reply_to_somebody_elses_meeting_answers_nothing_here() -> None:
    assert said(mail(calendar(event(UID=f"27ce9f04-a6b1-4d58-8f3d-c05b1e7a94d2@{DOMAIN}")))) is Said.UNREADABLE
    assert said(mail(calendar(event(UID="1")))) is Said.UNREADABLE


def test_a_clients_answer_with_exceptions_of_a_series_is_that_of_the_whole() -> None:
    other = event("NEEDS-ACTION", RECURRENCE_ID=later(days=7))
    found = meant(mail(calendar(event("ACCEPTED"), other)))
    assert found is not None
    assert (found.answer.said, found.answer.instance) == (Said.ACCEPTED, None)


def test_the_answer_for_one_instance_says_which() -> None:
    found = meant(mail(calendar(event("ACCEPTED", RECURRENCE_ID=later(days=7)))))
    assert found is not None
    assert found.answer.instance == later(days=7)
    broken = calendar(event("ACCEPTED", RECURRENCE_ID=STARTS)).replace(
        b"RECURRENCE-ID:20261217", b"RECURRENCE-ID:20269999"
    )
    assert said(mail(broken)) is Said.UNREADABLE


def test_another_time_is_a_wish_and_the_words_with_it_are_left_behind() -> None:
    wish = event("TENTATIVE", DTSTART=later(days=1), DTEND=later(days=1, hours=1))
    found = meant(mail(calendar(wish, method="COUNTER")))
    assert found is not None
    answer = found.answer
    assert (answer.said, answer.wish_starts, answer.wish_ends) == (Said.COUNTER, later(days=1), later(days=1, hours=1))
    assert answer.about is None


def test_a_calendar_that_has_lost_the_entry_asks_for_it_again() -> None:
    assert said(mail(calendar(event("NEEDS-ACTION"), method="REFRESH"))) is Said.REFRESH


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "PUBLISH", "ADD", "DECLINECOUNTER", "X"])
def test_our_own_invitation_that_comes_back_quoted_is_no_answer(method: str) -> None:
    assert said(mail(calendar(event("ACCEPTED"), method=method))) is Said.UNREADABLE


@pytest.mark.parametrize(
    ("message_class", "answer"),
    [
        (b"IPM.Schedule.Meeting.Resp.Pos", Said.ACCEPTED),
        (b"IPM.Schedule.Meeting.Resp.Neg", Said.DECLINED),
        (b"IPM.Microsoft Schedule.MtgRespA", Said.TENTATIVE),
        (b"IPM.Note", Said.UNREADABLE),
        (b"", Said.UNREADABLE),
    ],
)
def test_outlooks_winmail_dat_is_read_as_far_as_its_class(message_class: bytes, answer: Said) -> None:
    assert said(mail(winmail(message_class), kind="application/ms-tnef")) is answer


def test_a_mail_without_an_answer_says_that_somebody_has_to_telephone() -> None:
    found = meant(mail(None, text="了解です。参加します。"))
    assert found is not None
    assert found.answer.said is Said.UNREADABLE


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
    ],
)
def test_out_of_office_says_nothing_but_a_calendars_own_reply_counts(headers: dict[str, str]) -> None:
    assert meant(mail(None, text="休暇中です", **headers)) is None
    assert meant(mail(calendar(event("ACCEPTED"), method="REQUEST"), **headers)) is None
    assert said(mail(calendar(), **headers)) is Said.ACCEPTED


def test_the_same_mail_comes_under_the_same_request_and_another_under_another() -> None:
    one = mail(calendar(), Message_ID="<1@houkatsu.example>")
    same = mail(calendar(), Message_ID="<1@houkatsu.example>", Subject="Fwd")
    requests = [found.answer.request for raw in (one, one, same, mail(calendar())) if (found := meant(raw))]
    assert len(requests) == 4
    assert requests[0] == requests[1] == requests[2] != requests[3]
    bare = one.replace(b"Message-ID", b"X-Nothing")
    assert meant(bare) == meant(bare)


@pytest.mark.parametrize("sender", ["", "a@b.example, c@d.example", "undisclosed-recipients:;"])
def test_a_mail_of_nobody_or_of_two_says_nothing(sender: str) -> None:
    raw = mail(calendar()).replace(mail_from(mail(calendar())), f"From: {sender}".encode())
    assert meant(raw) is None


def mail_from(raw: bytes) -> bytes:
    return next(line for line in raw.split(b"\r\n") if line.startswith(b"From:"))


# -- times -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("DTSTART:20261217T050000Z", STARTS),
        ("DTSTART;TZID=Asia/Tokyo:20261217T140000", STARTS),
        ("DTSTART;TZID=/mozilla.org/20050126_1/Asia/Tokyo:20261217T140000", STARTS),
        ('DTSTART;TZID="Tokyo Standard Time":20261217T140000', STARTS),
        ("DTSTART;TZID=Europe/Berlin:20261217T060000", STARTS),
        ("DTSTART:20261217T140000", STARTS),
        ("DTSTART;TZID=Customized Time Zone:20261217T140000", None),
        ("DTSTART;TZID=../../etc/passwd:20261217T140000", None),
        ("DTSTART;VALUE=DATE:20261217", None),
        ("DTSTART:99991231T235959Z", None),
        ("DTSTART:00010101T000000", None),
        ("DTSTART:20261345T994060Z", None),
        ("DTSTART:いつでも", None),
    ],
)
def test_a_time_is_read_by_the_zones_name_or_not_at_all(line: str, about: datetime | None) -> None:
    ics = calendar().replace(b"DTSTART:20261217T050000Z", line.encode())
    found = meant(mail(ics))
    assert found is not None
    assert (found.answer.said, found.answer.about) == (Said.ACCEPTED, about)


# -- attacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "planted",
    [
        b"RRULE:FREQ=SECONDLY\r\n",
        b"RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z\r\n",
        b"RDATE:" + b",".join([b"20261217T050000Z"] * 10_000) + b"\r\n",
        b"BEGIN:VALARM\r\nREPEAT:999999999\r\nDURATION:PT0S\r\nATTENDEE;PARTSTAT=DECLINED:mailto:takahashi@houkatsu.example\r\n"
        b"END:VALARM\r\n",
        b"X-A:" + b"\r\n ".join([b"a"] * 20_000) + b"\r\n",
        b"SUMMARY" + b";A=B" * 10_000 + b":x\r\n",
    ],
)
def test_a_rule_without_end_and_ten_thousand_dates_are_passed_over(planted: bytes) -> None:
    ics = calendar().replace(b"END:VEVENT", planted + b"END:VEVENT")
    assert said(mail(ics)) is Said.ACCEPTED


def test_ten_thousand_instances_and_fifty_megabytes_are_no_answer() -> None:
    instances = [event("ACCEPTED", RECURRENCE_ID=later(hours=number)) for number in range(51)]
    assert said(mail(calendar(*instances))) is Said.UNREADABLE
    assert said(parts(calendar())) is Said.ACCEPTED
    large = calendar().replace(b"END:VEVENT", b"X-A:" + b"a" * 50_000_000 + b"\r\nEND:VEVENT")
    assert meant(parts(large)) is None, "a mail server refuses it, a mailbox's is passed over"
    assert said(parts(large.replace(b"a" * 49_000_000, b""))) is Said.UNREADABLE


@pytest.mark.parametrize("depth", [20, 200, 3000])
def test_parts_within_parts_without_end_are_no_answer(depth: int) -> None:
    raw = f"From: {SENDER}\r\n".encode()
    for level in range(depth):
        raw += f'Content-Type: multipart/mixed; boundary="{level}"\r\n\r\n--{level}\r\n'.encode()
    assert meant(raw + b"\r\n" + calendar()) is None or said(raw + calendar()) is Said.UNREADABLE
    nested = f"From: {SENDER}\r\n".encode() + b"Content-Type: message/rfc822\r\n\r\n" * depth
    assert meant(nested) is None or said(nested) is Said.UNREADABLE


def test_a_zone_of_the_mails_own_making_moves_no_date() -> None:
    zone = (
        b"BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=SECONDLY\r\n"
        b"TZOFFSETFROM:+0000\r\nTZOFFSETTO:-2359\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    )
    ics = calendar().replace(b"DTSTART:20261217T050000Z", b"DTSTART;TZID=Asia/Tokyo:20261217T140000")
    found = meant(mail(ics.replace(b"BEGIN:VEVENT", zone)))
    assert found is not None
    assert found.answer.about == STARTS


# -- reports of delivery -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "status", "state", "code"),
    [
        ("failed", "5.1.1", "bounced", "5.1.1"),
        ("Failed", "5.2.2 (mailbox full)", "bounced", "5.2.2"),
        ("failed", "髙橋", "bounced", "5.0.0"),
        ("delayed", "4.4.1", "deferred", "4.4.1"),
        ("delivered", "2.0.0", "delivered", "2.0.0"),
    ],
)
def test_a_report_says_what_became_of_the_notice(action: str, status: str, state: str, code: str) -> None:
    found = question_of(read_mail(report(action, status)), TO_BOUNCE)
    assert found == TakeDelivery.model_validate({"token": TO_BOUNCE.token, "state": state, "code": code})


def test_exims_own_way_of_saying_it_is_understood() -> None:
    raw = mail(None, X_Failed_Recipients=SENDER)
    assert question_of(read_mail(raw), TO_BOUNCE) == TakeDelivery(token=TO_BOUNCE.token, state="bounced", code="5.0.0")


@pytest.mark.parametrize("raw", [report("relayed"), report("expanded"), mail(None), mail(calendar()), b"", report("")])
def test_what_is_no_report_says_nothing_of_a_notice(raw: bytes) -> None:
    assert question_of(read_mail(raw), TO_BOUNCE) is None


def test_a_report_to_an_address_for_answers_is_nobodys_answer() -> None:
    assert question_of(read_mail(report()), TO_ANSWER) is None


def test_a_token_that_is_none_is_asked_about_nowhere() -> None:
    wrong: Any = TO_ANSWER._replace(token="7" * 39)
    assert question_of(read_mail(mail(calendar())), wrong) is None
    assert str(UID)
