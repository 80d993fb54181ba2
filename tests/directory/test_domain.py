"""The rules of staff.csv, busy.csv, of clashing times and of passwords."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.profile import Profile
from services.directory.domain import (
    BUSY_COLUMNS,
    STAFF_COLUMNS,
    Line,
    hash_password,
    login_name,
    merged,
    overlap,
    password_fits,
    read_busy,
    read_staff,
)

GOOD = dict(
    zip(
        STAFF_COLUMNS,
        (
            "0007",
            "𠮷田 はな",
            "ヨシダ ハナ",
            "kikan",
            "officer;representative",
            "h@kikan.example",
            "internet",
            "",
            "",
            "",
        ),
        strict=True,
    )
)
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)


def lines(*changes: dict[str, str]) -> list[Line]:
    return [Line(place, GOOD | {"職員番号": f"000{place}"} | change) for place, change in enumerate(changes, start=2)]


def test_a_line_becomes_a_person_with_posts_in_order(kobayashi: Profile) -> None:
    people, faults = read_staff(lines({"職員番号": "0007"}), kobayashi)
    assert faults == []
    assert (people[0].number, people[0].posts, people[0].login) == ("0007", ("officer", "representative"), None)


@pytest.mark.parametrize(
    ("said", "where", "channel"),
    [
        ("", "", "mail"),
        ("メール", "", "mail"),
        ("Webhook", "https://chat.example/hooks/1", "webhook"),
        ("CalDAV", "https://cal.example/hana/kaigi/", "caldav"),
        ("郵送", "", "letter"),
        ("電話", "0984-00-2201", "phone"),
    ],
)
def test_a_line_may_say_how_somebody_is_told(kobayashi: Profile, said: str, where: str, channel: str) -> None:
    people, faults = read_staff(lines({"連絡方法": said, "連絡先": where}), kobayashi)
    assert faults == []
    assert (people[0].channel, people[0].endpoint) == (channel, where)


@pytest.mark.parametrize(
    ("said", "where", "column"),
    [
        ("ファクス", "", "連絡方法"),
        ("Webhook", "", "連絡先"),
        ("Webhook", "http://chat.example/hooks/1", "連絡先"),
        ("Webhook", "http://127.0.0.1.evil.example/", "連絡先"),
        ("CalDAV", "ftp://cal.example/", "連絡先"),
        ("電話", "ないしょ", "連絡先"),
        ("メール", "h@kikan.example", "連絡先"),
        ("郵送", "小林市細野", "連絡先"),
    ],
)
def test_a_channel_without_what_it_needs_is_a_fault_of_its_column(
    kobayashi: Profile, said: str, where: str, column: str
) -> None:
    _, faults = read_staff(lines({"連絡方法": said, "連絡先": where}), kobayashi)
    assert [(fault.place, fault.column) for fault in faults] == [(2, column)]
    assert not where or where not in faults[0].text


def test_a_calendar_alone_has_no_link_to_answer_so_it_wants_an_address_as_well(kobayashi: Profile) -> None:
    calendar = {"連絡方法": "CalDAV", "連絡先": "https://cal.example/hana/", "メール": ""}
    _, faults = read_staff(lines(calendar), kobayashi)
    assert [fault.column for fault in faults] == ["メール"]


def test_a_line_may_say_from_when_until_when_its_posts_are_held(kobayashi: Profile) -> None:
    people, faults = read_staff(lines({"就任日": "2026-04-01", "退任日": ""}, {"退任日": "2026-11-23"}), kobayashi)
    assert faults == []
    assert [(one.since, one.until) for one in people] == [(date(2026, 4, 1), None), (None, date(2026, 11, 23))]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("職員番号", ""),
        ("職員番号", "７"),
        ("氏名", ""),
        ("氏名", "髙橋\n美穂"),
        ("フリガナ", "タ" * 101),
        ("機関", "shiyakusho"),
        ("役職", ""),
        ("役職", "officer;"),
        ("役職", "課長"),
        ("メール", "takahashi"),
        ("メール", "a@b.example,c@d.example"),
        ("メール", "a@b.example\r\nBcc: x@y.example"),
        ("通信環境", "LGWAN"),
        ("ログイン", "髙橋"),
        ("窓口", "juso"),
        ("窓口", "taminkan"),
        ("初期パスワード", "hiiragi-2026"),
        ("就任日", "令和8年4月1日"),
        ("退任日", "2026-02-30"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_named_by_line_and_column_but_not_repeated(
    kobayashi: Profile, column: str, cell: str
) -> None:
    _, faults = read_staff(lines({}, {column: cell}), kobayashi)
    assert {(fault.place, fault.column) for fault in faults} >= {(3, column)}
    assert not any(cell in fault.text for fault in faults if len(cell) > 8)


def test_an_entrusted_agency_cannot_open_the_desk_of_the_shien(kobayashi: Profile) -> None:
    """I13, S1: 社協 hosts the 重層的支援会議 as a contractor; the 支援会議 is the city's own."""
    login = {"ログイン": "hidaka", "初期パスワード": "tsubaki-2026"}
    _, faults = read_staff(lines({"機関": "shakyo", "窓口": "juso;shien"} | login), kobayashi)
    assert [(fault.place, fault.column) for fault in faults] == [(2, "窓口")]
    assert read_staff(lines({"機関": "shakyo", "窓口": "juso"} | login), kobayashi)[1] == []
    assert read_staff(lines({"機関": "fukushi", "窓口": "juso;shien"} | login), kobayashi)[1] == []


def test_two_people_cannot_have_one_number_or_one_login(kobayashi: Profile) -> None:
    same = {"職員番号": "0001", "ログイン": "abe", "窓口": "juso"}
    _, faults = read_staff(lines(same, same), kobayashi)
    assert [(fault.place, fault.column) for fault in faults] == [(3, "職員番号"), (3, "ログイン")]


def test_a_file_without_staff_is_more_likely_cut_off_than_true(kobayashi: Profile) -> None:
    assert read_staff([], kobayashi)[1] != []


def absence(*cells: str) -> list[Line]:
    return [Line(2, dict(zip(BUSY_COLUMNS, cells, strict=True)))]


def test_a_busy_block_is_wall_clock_in_japan() -> None:
    for written in ("2026-11-24 12:00", "2026/11/24 12:00"):
        found, faults = read_busy(absence("0101", written, "2026-11-24 13:30"), {"0101"})
        assert (faults, found[0].starts, found[0].ends) == ([], NOON, NOON + timedelta(minutes=90))


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (("0102", "2026-11-24 09:00", "2026-11-24 10:00"), "職員番号"),
        (("0101", "2026-11-31 09:00", "2026-12-01 10:00"), "開始"),
        (("0101", "2026-11-24 09:00", "24日 10時"), "終了"),
        (("0101", "0001-01-01 00:00", "2026-11-24 10:00"), "開始"),
        (("0101", "2026-11-24 10:00", "2026-11-24 10:00"), "終了"),
    ],
)
def test_a_busy_block_that_cannot_be_is_told(cells: tuple[str, ...], column: str) -> None:
    assert [(fault.place, fault.column) for fault in read_busy(absence(*cells), {"0101"})[1]] == [(2, column)]


hours = st.integers(0, 12)


@given(hours, hours, hours, hours)
def test_two_times_clash_exactly_when_they_share_an_hour(a: int, b: int, c: int, d: int) -> None:
    starts, ends, other_starts, other_ends = (NOON + timedelta(hours=h) for h in (a, a + 1 + b, c, c + 1 + d))
    shared = set(range(a, a + 1 + b)) & set(range(c, c + 1 + d))
    assert overlap(starts, ends, other_starts, other_ends) == bool(shared)


blocks = st.lists(st.tuples(st.integers(0, 2), hours, st.integers(1, 5)), max_size=12)


@given(blocks, hours, hours)
def test_merged_blocks_cover_the_same_hours_of_the_time_asked_for_and_never_touch(
    some: list[tuple[int, int, int]], first: int, length: int
) -> None:
    def at(hour: int) -> datetime:
        return NOON + timedelta(hours=hour)

    found = merged([(UUID(int=who), at(a), at(a + b)) for who, a, b in some], at(first), at(first + length))
    covered = {(UUID(int=who), at(h)) for who, a, b in some for h in range(a, a + b) if first <= h < first + length}
    assert {(who, at(h)) for who, a, b in found for h in range(20) if a <= at(h) < b} == covered
    assert all(at(first) <= a < b <= at(first + length) for _, a, b in found)
    assert all(b < c or who != other for who, _, b in found for other, c, d in found if d > b)
    assert found == sorted(found, key=lambda block: (block[1], block[0]))


def test_a_password_fits_only_its_own_hash_and_equal_passwords_look_different() -> None:
    one, other = hash_password("hiiragi-2026", b"1" * 16), hash_password("hiiragi-2026", b"2" * 16)
    assert one != other
    assert "hiiragi" not in one
    assert password_fits("hiiragi-2026", one)
    assert not password_fits("hiiragi-2027", one)
    assert not password_fits("", None)


def test_a_login_is_taken_without_the_spaces_around_it_and_never_with_control_signs() -> None:
    assert login_name(" takahashi ") == "takahashi"
    assert login_name("taka\0hashi") == ""
