"""The mail: right for every mail program, and the same for every meeting but for time, place, link and recipient."""

from datetime import timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import Letter, can_be_mailed, day_and_time, one_line, span
from services.notify.ics import calendar_object
from services.notify.mail import compose
from tests.notify.outside import STARTS, cancellation, invitation


def mail(told: Letter) -> bytes:
    return compose(told, calendar_object(told))


def read(made: bytes) -> EmailMessage:
    """By the standard library's strict parser, without a single defect."""
    message = message_from_bytes(made, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects
        assert not [header for header in part.values() if header.defects]
    return message


def display_name(made: bytes) -> str:
    """By the older parser: the strict one puts a space between two encoded words of a name, against RFC 2047 6.2."""
    raw = message_from_bytes(made)["To"]
    return str(make_header(decode_header(raw.rpartition("<")[0].strip())))


def leaves(made: bytes) -> list[EmailMessage]:
    return [part for part in read(made).walk() if not part.is_multipart()]


@pytest.mark.parametrize(("told", "method"), [(invitation(), "REQUEST"), (cancellation(), "CANCEL")])
def test_the_parts_are_those_that_every_mail_program_understands(told: Letter, method: str):
    message = read(mail(told))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    plain, html, calendar, attached = leaves(mail(told))
    assert {part["Content-Transfer-Encoding"] for part in (plain, html, calendar, attached)} == {"base64"}
    assert calendar["Content-Type"].params == {"charset": "UTF-8", "method": method}
    assert calendar["Content-Disposition"] is None
    assert attached.get_filename() == "invite.ics"
    assert calendar.get_payload(decode=True) == attached.get_payload(decode=True) == calendar_object(told)


@pytest.mark.rule("P9")
def test_the_headers_name_office_and_recipient_and_ask_machines_not_to_answer():
    told = invitation(name='Maria "Mia" da Silva, PhD', address="silva@hello-work.example")
    message = read(mail(told))
    assert message["Subject"] == "会議のご案内"
    assert [(one.display_name, one.addr_spec) for one in message["From"].addresses] == [
        ("小林市 福祉課", "kaigi@fukushi.kobayashi.example")
    ]
    assert [(one.display_name, one.addr_spec) for one in message["To"].addresses] == [
        ('Maria "Mia" da Silva, PhD', "silva@hello-work.example")
    ]
    assert message["Message-ID"] == f"<{told.notice}@fukushi.kobayashi.example>"
    assert message["Date"].datetime == told.made_at
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["Reply-To"] is None


def test_a_cancellation_stands_below_the_invitation_that_it_takes_back():
    told = cancellation()
    message = read(mail(told))
    assert message["Subject"] == "会議の予定の取消し"
    assert message["Message-ID"] == f"<{told.notice}@fukushi.kobayashi.example>"
    assert message["In-Reply-To"] == message["References"] == f"<{told.follows}@fukushi.kobayashi.example>"
    assert read(mail(invitation()))["In-Reply-To"] is read(mail(invitation()))["References"] is None


def test_a_cancellation_says_when_and_where_and_that_nothing_need_be_answered():
    plain, html, *_ = leaves(mail(cancellation()))
    for text in (plain.get_content(), html.get_content()):
        assert "ご出席のお願いを取り消します" in text
        assert "令和8年12月17日(木) 14:00-15:30" in text
        assert "小林市役所 第2会議室" in text
        assert "0984-00-1100" in text
        assert "髙橋 花子 様" in text
        assert "回答" not in text
        assert "http" not in text


def test_the_text_says_when_where_until_when_and_how_to_answer():
    plain, html, *_ = leaves(mail(invitation()))
    for text in (plain.get_content(), html.get_content()):
        assert "令和8年12月17日(木) 14:00-15:30" in text
        assert "小林市役所 第2会議室" in text
        assert "令和8年12月10日(木) 14:00" in text
        assert "http://127.0.0.1:8080/a/AbCdEfGhIjKlMnOpQrStUvWxYz012345" in text
        assert "0984-00-1100" in text
        assert "髙橋 花子 様" in text


@pytest.mark.rule("M3")
def test_where_one_may_come_online_text_and_html_have_the_persons_own_door():
    door = "http://127.0.0.1:8080/a/AbCdEfGhIjKlMnOpQrStUvWxYz012345/room"
    plain, html, *_ = leaves(mail(invitation(door=door)))
    for text in (plain.get_content(), html.get_content()):
        assert door in text
        assert "オンラインで参加" in text
    assert "オンライン" not in leaves(mail(invitation()))[0].get_content()


@pytest.mark.rule("S17")
@pytest.mark.parametrize(("told", "links"), [(invitation(), 3), (cancellation(), 0)])
def test_no_word_tells_the_kind_of_meeting_or_a_reason_and_nothing_is_fetched(told: Letter, links: int):
    text = "".join(part.get_payload(decode=True).decode() for part in leaves(mail(told)))
    for word in ("支援", "重層", "事案", "個別", "同意", "撤回", "守秘", "相談", "中止", "理由"):
        assert word not in text
    assert text.count("http") == links, "the link: once in the text, twice in the HTML"
    for tag in ("<img", "<link", "<script", "src=", "@import"):
        assert tag not in text


def test_two_invitations_differ_in_time_place_link_and_recipient_only():
    """Byte for byte, so that neither a mail nor a difference between two tells one kind of meeting from the other."""
    shared = {"notice": uuid4(), "uid": uuid4()}
    regular = invitation(**shared)
    other = invitation(
        **shared,
        starts=STARTS + timedelta(days=3),
        ends=STARTS + timedelta(days=3, hours=1),
        answer_by=STARTS,
        place="野尻庁舎",
        link="http://127.0.0.1:8080/a/" + "z" * 32,
        name="𠮷田",
        address="yoshida@shakyo.example",
    )
    assert mail(regular) == mail(invitation(**shared))

    def without_what_differs(told: Letter) -> list[str]:
        gone = (
            told.place,
            told.link,
            told.name,
            told.address,
            span(told.starts, told.ends),
            day_and_time(told.answer_by),
        )
        texts = []
        for part in leaves(mail(told)):
            text = part.get_payload(decode=True).decode()
            if "calendar" in part.get_content_type() or "ics" in part.get_content_type():
                text = "\n".join(line for line in text.replace("\r\n ", "").splitlines() if not line.startswith("DT"))
            for value in gone:
                text = text.replace(value, "…")
            texts.append(text.replace('CN="…"', "CN=…"))
        headers = [f"{key}: {value}" for key, value in read(mail(told)).items() if key != "To"]
        return [*texts, *headers]

    assert without_what_differs(regular) == without_what_differs(other)


def test_the_bytes_are_ascii_in_short_lines_so_that_no_relay_changes_them():
    for write in (invitation, cancellation):
        made = mail(write(name="長い名前の" * 20, place="とても長い場所の名前" * 20))
        assert made.isascii()
        assert made.count(b"\r\n") == made.count(b"\n") == made.count(b"\r")
        assert max(len(line) for line in made.split(b"\r\n")) <= 78
        assert not [line for line in made.partition(b"\r\n\r\n")[0].split(b"\r\n") if not line.strip()]


@given(name=st.text(max_size=80), place=st.text(max_size=80))
def test_no_name_or_place_can_add_a_header_a_recipient_or_a_tag(name: str, place: str):
    told = invitation(
        name=one_line(f"花子\r\nBcc: x@evil.example\r\n{name}"), place=one_line(f"<img src=x>\r\n\r\n--=_{place}")
    )
    message = read(mail(told))
    assert message["Bcc"] is None
    assert [one.addr_spec for one in message["To"].addresses] == ["takahashi@houkatsu.example"]
    assert display_name(mail(told)) == told.name
    assert len(list(message.walk())) == 6
    html = leaves(mail(told))[1].get_payload(decode=True).decode()
    assert "<img" not in html


def test_without_a_name_the_mail_goes_to_the_bare_address():
    message = read(mail(invitation(name="")))
    assert message["To"] == "takahashi@houkatsu.example"
    assert " 様" not in leaves(mail(invitation(name="")))[0].get_content()


@pytest.mark.parametrize("address", ["a@b.example", "a..b.@docomo.example", "o'neill+x@a-b.c.example"])
def test_addresses_in_use_can_be_mailed(address: str):
    assert can_be_mailed(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b",
        "a@b.example\r\nRCPT TO:<x@evil.example>",
        "a@b.example\n",
        "a@b.example,x@evil.example",
        "a b@b.example",
        "<a@b.example>",
        "髙橋@b.example",
        '"a b"@b.example',
        "a@b.example SIZE=1",
        f"{'a' * 64}@{'b.' * 100}example",
    ],
)
def test_whatever_is_not_one_plain_address_is_not_mailed(address: str):
    assert not can_be_mailed(address)


def test_days_are_told_in_the_japanese_era_and_hours_in_japan():
    assert day_and_time(STARTS) == "令和8年12月17日(木) 14:00"
    assert day_and_time(STARTS.replace(year=2019, month=5, day=31, hour=15, minute=5)) == "令和元年6月1日(土) 00:05"
    late = STARTS.replace(hour=14)
    assert span(late, late + timedelta(hours=2)) == "令和8年12月17日(木) 23:00 - 令和8年12月18日(金) 01:00"
