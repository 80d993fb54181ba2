"""The example municipalities: valid, true to their sources, and complete enough that a meeting can be called."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from contracts.directory import Busy, Staff
from contracts.intake import PROBLEM_TEXT
from contracts.legal_basis import CATALOGUE, JUSO_BASIS, SHIEN_BASIS
from contracts.profile import Body, Profile
from services.directory import service
from services.directory.csv_import import read_lines
from services.directory.domain import BUSY_COLUMNS, JAPAN, STAFF_COLUMNS, Person, password_fits, read_busy, read_staff
from services.directory.tables import person
from services.settings import Settings, read_profile
from tests.stage import Stage

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
CITIES = ("himi", "iga", "kobayashi", "nabari", "okayama", "toba", "toyota", "yasu")
REFERRAL_COLUMNS = (
    "団体コード,受付番号,宛名番号,受付日,紹介元機関,紹介元担当者,氏名,フリガナ,性別,生年月日,住所,電話番号,お困りごと,相談されたいこと,"
    "世帯人数,世帯員,関係機関,紹介理由,緊急度,同意区分,同意日"
)
EXPLAINED = ["説明者", "説明日"]
"""Newer columns: a file of an older system is without them and is taken in all the same (C6)."""


@pytest.fixture(params=CITIES)
def folder(request: pytest.FixtureRequest) -> Path:
    return EXAMPLES / request.param


@pytest.fixture
def profile(folder: Path) -> Profile:
    return read_profile(folder)


def people_of(folder: Path) -> list[Person]:
    lines, malformed = read_lines(folder / "staff.csv", STAFF_COLUMNS)
    people, faults = read_staff(lines, read_profile(folder))
    assert [*malformed, *faults] == []
    return people


def bases(body: Body) -> list[str]:
    return [block.basis for block in body.blocks]


# -- profiles ----------------------------------------------------------------------------------------------------------


def test_every_folder_of_examples_is_tested_here() -> None:
    assert sorted(path.parent.name for path in EXAMPLES.glob("*/profile.toml")) == list(CITIES)


def test_every_block_of_every_body_rests_on_a_basis_of_the_catalogue(profile: Profile) -> None:
    assert {basis for body in profile.bodies for basis in bases(body)} <= set(CATALOGUE)


@pytest.mark.rule("M11")
def test_every_city_can_hear_both_kinds_of_case_at_short_notice(profile: Profile) -> None:
    """M1: urgent cases need a 随時 body, for those who consented and for those who did not."""
    adhoc = {basis for body in profile.bodies if body.cadence is None and body.by_case for basis in bases(body)}
    assert adhoc >= {JUSO_BASIS.code, SHIEN_BASIS.code}


def test_no_two_agencies_answer_to_the_same_name_however_wide_it_is_written(profile: Profile) -> None:
    names = Counter(
        name
        for agency in profile.agencies
        for name in {"".join(unicodedata.normalize("NFKC", one).split()) for one in (agency.name, *agency.aliases)}
    )
    assert [name for name, count in names.items() if count > 1] == []
    assert len({agency.code for agency in profile.agencies}) == len(profile.agencies)


def test_a_shien_is_hosted_by_the_municipality_and_a_juso_by_the_coordinator(profile: Profile) -> None:
    """S1. A body that rests on both bases is the municipality's."""
    for body in profile.bodies:
        kind = profile.agency(body.host).kind
        if SHIEN_BASIS.code in bases(body):
            assert kind == "municipality", body.code
        elif JUSO_BASIS.code in bases(body):
            assert kind == "coordinator", body.code


def test_municipality_and_coordinator_must_come_to_every_juso(profile: Profile) -> None:
    """P1, P2."""
    for body in profile.bodies:
        if JUSO_BASIS.code in bases(body):
            required = {profile.agency(seat.agency).kind for seat in body.roster if seat.need == "required"}
            comes_with_its_case = body.by_case and len(profile.coordinators) > 1
            assert required >= {"municipality"} | (set() if comes_with_its_case else {"coordinator"}), body.code


@pytest.mark.rule("M7", "M11")
def test_yasu_has_one_body_with_two_bases_and_kobayashi_none() -> None:
    """M11, M13: patterns of municipalities differ in configuration, not in code."""
    both = {city: [b.name for b in read_profile(EXAMPLES / city).bodies if len(set(bases(b))) > 1] for city in CITIES}
    assert {city: names for city, names in both.items() if names} == {
        "yasu": ["支援調整会議"],
        "okayama": ["複合課題ケース検討会", "複合課題解決アドバイザー会議"],
        "iga": ["地域ケア会議"],
    }
    (joint,) = (b for b in read_profile(EXAMPLES / "yasu").bodies if len(b.blocks) > 1)
    assert bases(joint) == [SHIEN_BASIS.code, JUSO_BASIS.code]
    assert joint.cadence
    assert joint.cadence.months == tuple(range(1, 13))
    first, second = joint.blocks
    assert (
        first.starts.hour * 60 + first.starts.minute + first.minutes <= second.starts.hour * 60 + second.starts.minute
    )


@pytest.mark.rule("M12")
def test_toba_meets_only_when_there_is_a_case() -> None:
    """M12."""
    assert [body.cadence for body in read_profile(EXAMPLES / "toba").bodies] == [None, None]


@pytest.mark.rule("P10", "M9")
def test_kobayashi_s_bodies_are_those_of_its_plan(kobayashi: Profile) -> None:
    """種002 section 4, M9: names, bases, how often."""
    found = [(b.name, bases(b), len(b.cadence.months) if b.cadence else 0, b.hears_cases) for b in kobayashi.bodies]
    assert found == [
        ("重層的支援代表者会議", ["plan-only"], 2, False),
        ("重層的支援定例会議", ["swa-106-4-2-5"], 6, True),
        ("重層的支援個別会議", ["swa-106-4-2-5"], 0, True),
        ("支援会議", ["swa-106-6"], 0, True),
        ("多機関協働研修会議", ["plan-only"], 1, False),
        ("相談支援スキルアップ勉強会", ["plan-only"], 6, False),
        ("多分野協働地域づくり事業連携会議", ["plan-only"], 2, False),
        ("ひきこもり支援プラットフォーム会議", ["plan-only"], 2, False),
    ]


@pytest.mark.rule("P10")
def test_kobayashi_s_standing_members_are_those_of_its_plan(kobayashi: Profile) -> None:
    """P10: the same nine send their 代表者 to one body and their 担当者 to the other, where 社協 coordinates."""
    nine = {
        *("福祉課", "こども課", "長寿介護課", "健康推進課"),
        *("小林市地域包括支援センター", "小林市西部地域包括支援センター", "のじり地域包括支援センター"),
        *("にしもろ基幹相談支援センター", "小林市生活自立相談支援センター"),
    }
    leaders, regular, *_ = kobayashi.bodies
    assert {kobayashi.agency(seat.agency).name for seat in leaders.roster} == nine
    assert {kobayashi.agency(seat.agency).name for seat in regular.roster} == nine | {"小林市社会福祉協議会"}
    assert {seat.post for seat in leaders.roster} == {"representative"}
    assert {seat.post for seat in regular.roster} == {"officer"}


# -- staff -------------------------------------------------------------------------------------------------------------


def test_every_seat_of_every_roster_has_somebody_to_sit_on_it(folder: Path, profile: Profile) -> None:
    held = {(one.agency, post) for one in people_of(folder) for post in one.posts}
    assert {(seat.agency, seat.post) for body in profile.bodies for seat in body.everybody} <= held


def test_every_agency_has_somebody_who_stands_in_when_a_case_brings_it(folder: Path, profile: Profile) -> None:
    standing_in = {one.agency for one in people_of(folder) if profile.secretariat_post in one.posts}
    assert standing_in == {agency.code for agency in profile.agencies}


def test_mail_goes_only_to_addresses_that_can_never_exist(folder: Path, profile: Profile) -> None:
    addresses = [one.mail for one in people_of(folder) if one.mail] + [profile.office_mail]
    assert all(address.endswith(".example") for address in addresses)


def test_kobayashi_has_people_whom_only_the_telephone_reaches_and_names_that_old_systems_break() -> None:
    people = people_of(EXAMPLES / "kobayashi")
    assert len(people) >= 40
    assert any(one.network == "none" and not one.mail for one in people)
    assert {"lgwan", "internet"} <= {one.network for one in people}
    assert all(sign in "".join(one.name for one in people) for sign in ("髙", "𠮷", "﨑", "グエン"))


def test_the_logins_in_the_readme_are_those_of_the_staff_file() -> None:
    readme = (EXAMPLES / "kobayashi" / "README.md").read_text("utf-8")
    people = {one.login: one for one in people_of(EXAMPLES / "kobayashi") if one.login}
    listed = re.findall(r"^\| `([a-z]+)` \| `([^`]+)` \|", readme, re.MULTILINE)
    assert {(login, one.password) for login, one in people.items()} == set(listed)
    assert set(people["takahashi"].desks) == {"juso", "shien"}
    assert {one.desks for one in people.values() if one.agency == "shakyo"} == {("juso",)}


@pytest.mark.parametrize("city", CITIES)
def test_a_directory_starts_from_the_example(stage: Callable[..., Stage], city: str) -> None:
    at = stage(service, profile=read_profile(EXAMPLES / city))
    assert service.start
    begin, settings = service.start, Settings(profile=EXAMPLES / city)
    at.do(lambda tx: begin(tx, settings))
    assert len(at.ask(Staff()).staff) == len(people_of(EXAMPLES / city))
    if city == "kobayashi":
        hashed = select(person.c.password_hash).where(person.c.login == "takahashi")
        assert password_fits("hiiragi-2026", at.do(lambda tx: tx.execute(hashed).scalar_one()))
        may = datetime(2026, 11, 24, tzinfo=JAPAN), datetime(2027, 2, 1, tzinfo=JAPAN)
        assert len(at.ask(Busy(starts=may[0], ends=may[1])).blocks) > 1000


def test_diaries_are_full_but_not_in_the_regular_sitting_and_not_outside_office_hours(kobayashi: Profile) -> None:
    """M1: a 定例会議 needs no search for a date, because everybody has kept it free."""
    numbers = [one.number for one in people_of(EXAMPLES / "kobayashi")]
    lines, malformed = read_lines(EXAMPLES / "kobayashi" / "busy.csv", BUSY_COLUMNS)
    blocks, faults = read_busy(lines, numbers)
    assert [*malformed, *faults] == []
    assert all(b.starts.date() == b.ends.date() and b.starts.weekday() < 5 for b in blocks)
    assert all(kobayashi.office_opens <= b.starts.time() and b.ends.time() <= kobayashi.office_closes for b in blocks)
    starts, ends = (datetime(2026, 12, 17, 14, tzinfo=JAPAN), datetime(2026, 12, 17, 15, 30, tzinfo=JAPAN))
    assert len({b.number for b in blocks if b.starts < ends and starts < b.ends}) < len(numbers) / 4


# -- referrals ---------------------------------------------------------------------------------------------------------


def rows_of(name: str) -> list[dict[str, str]]:
    raw = (EXAMPLES / "kobayashi" / name).read_bytes()
    assert b"\r\n" in raw
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    header, *rows = csv.reader(raw.decode("cp932").splitlines(keepends=True), strict=True)
    older = name == "referrals-with-faults.csv"
    assert header == REFERRAL_COLUMNS.split(",") + ([] if older else EXPLAINED)
    assert {len(row) for row in rows} == {21 if older else 23}
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def rows() -> list[dict[str, str]]:
    return rows_of("referrals.csv")


def test_there_are_households_in_every_state_of_consent(rows: list[dict[str, str]]) -> None:
    states = Counter(row["同意区分"] for row in rows)
    assert states == {"あり": 16, "拒否": 4, "未確認": 4, "確認できない": 2, "撤回": 2}
    assert all((row["同意日"] != "") == (row["同意区分"] in ("あり", "撤回")) for row in rows)
    assert Counter(row["緊急度"] for row in rows) == {"通常": 23, "緊急": 5}


def test_the_first_case_is_consented_and_can_wait_the_second_is_neither(rows: list[dict[str, str]]) -> None:
    assert [(row["同意区分"], row["緊急度"]) for row in rows[:2]] == [("あり", "通常"), ("拒否", "緊急")]


def test_numbers_keep_their_leading_zeros_and_are_nobody_else_s(rows: list[dict[str, str]]) -> None:
    assert all(re.fullmatch(r"0000\d{3}", row["受付番号"]) for row in rows)
    residents = [row["宛名番号"] for row in rows if row["宛名番号"]]
    assert all(number.startswith("000") for number in residents)
    assert len(set(residents)) == len(residents) == len(rows) - 1
    assert {row["団体コード"] for row in rows} == {"452050"}


def test_every_agency_is_known_by_name_or_alias_and_several_come_to_each_case(
    rows: list[dict[str, str]], kobayashi: Profile
) -> None:
    known = {name: agency.code for agency in kobayashi.agencies for name in (agency.name, *agency.aliases)}
    for row in rows:
        agencies = {known[name] for name in (row["紹介元機関"], *row["関係機関"].split(";"))}
        assert len(agencies) >= 3, row["受付番号"]
    assert any(
        name not in {agency.name for agency in kobayashi.agencies} for row in rows for name in [row["紹介元機関"]]
    )


def test_problems_and_households_can_be_read(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert set(row["お困りごと"].split("、")) <= set(PROBLEM_TEXT.values())
        members = [member.split("/") for member in row["世帯員"].split(";") if member]
        assert all(len(member) == 3 and member[1].isdigit() for member in members)
        assert int(row["世帯人数"]) == len(members) + 1


def test_dates_come_in_every_spelling_that_offices_use(rows: list[dict[str, str]]) -> None:
    dates = " ".join(row[column] for row in rows for column in ("受付日", "生年月日", "同意日"))
    for spelling in (r"令和7年\d", r"R7\.\d", r"2025/\d", r"昭和\d", r"S\d", r"平成元年", r"H\d", r"大正15年"):
        assert re.search(spelling, dates), spelling


def test_names_carry_what_the_old_character_set_does_to_them(rows: list[dict[str, str]]) -> None:
    names = " ".join(row["氏名"] for row in rows)
    assert all(part in names for part in ("髙橋", "〓田", "グエン ティ ホア", "SANTOS MARIA CLARA"))
    assert any(not row["フリガナ"] for row in rows)
    assert any("\n" in row["紹介理由"] for row in rows)


def test_telephone_numbers_are_nobody_s(rows: list[dict[str, str]]) -> None:
    assert all(re.fullmatch(r"(0984-00|090-0000|080-0000)-\d{4}|", row["電話番号"]) for row in rows)


def test_the_file_with_faults_has_each_fault_the_readme_names() -> None:
    rows = {row["受付番号"]: row for row in rows_of("referrals-with-faults.csv")}
    assert rows["0000202"]["紹介元機関"] == "まちかど相談所"
    assert rows["0000203"]["団体コード"] == "452051"
    assert rows["0000204"]["生年月日"] == "昭和65年2月30日"
    assert rows["0000206"]["宛名番号"] == rows["0000205"]["宛名番号"]
    assert rows["0000207"]["氏名"].startswith("=cmd|")
    assert (rows["0000208"]["同意区分"], rows["0000208"]["同意日"]) == ("あり", "")
    assert rows["0000210"]["受付日"] == "R7.13.1"
    assert len(rows) == 11
