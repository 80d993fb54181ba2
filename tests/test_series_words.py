"""``kasane series``: a year of each body, why a date was moved, and the same year for any calendar."""

from datetime import date, datetime
from pathlib import Path

import pytest
from dateutil.rrule import rrulestr

from contracts.profile import Profile
from services.__main__ import main
from services.commands.series import recurrence, year_of
from services.meetings.cadence import body_dates
from services.settings import read_profile

EXAMPLES = Path(__file__).parents[1] / "examples"
CITIES = sorted(path.parent.name for path in EXAMPLES.glob("*/profile.toml"))


def said(capsys: pytest.CaptureFixture[str], city: str | Path, *options: str, status: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        main(["series", "--profile", str(EXAMPLES / city), "--year", "2026", *options])
    assert end.value.code == status
    return capsys.readouterr().out


@pytest.mark.rule("M9", "M3")
def test_a_year_of_kobayashi_is_that_of_its_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """種002 3②(2), §4: 代表者会議 年2回, 定例会議 隔月, 個別会議 随時; 3②④: 研修 年1回, 勉強会 隔月, 連携会議 年2回."""
    text = said(capsys, "kobayashi")
    assert "重層的支援代表者会議(daihyosha): 年2回、2・7月第2火曜" in text
    assert "重層的支援定例会議(teirei): 年6回、隔月第3木曜" in text
    assert "重層的支援個別会議(kobetsu): 随時" in text
    assert "多機関協働研修会議(kenshu): 年1回" in text
    assert "相談支援スキルアップ勉強会(benkyokai): 年6回、隔月第2金曜" in text
    assert "2026-12-17(木) 14:00" in text
    assert "議題の締切: 開催日の7日前" in text
    assert "オンラインの併用(窓口を空けられない人も参加できるように)" in text
    assert "会長 福祉課 representative、職務代理 長寿介護課" in text


@pytest.mark.rule("M9")
def test_what_a_holiday_or_the_assembly_moves_is_said_with_its_reason(tmp_path: Path) -> None:
    profile = changed(tmp_path, "months = [2, 7], nth = [2], weekday = 1", "months = [9], nth = [4], weekday = 1")
    body = profile.body("daihyosha")
    assert body
    dates = body_dates(profile, body, date(2026, 9, 1), date(2026, 10, 31))
    assert dates == {date(2026, 9, 28): date(2026, 9, 22)}, "国民の休日 on the 22nd, 秋分の日, the assembly to the 25th"


def test_each_reason_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(tmp_path, "months = [2, 7], nth = [2], weekday = 1", "months = [5, 12], monthdays = [4, 30]")
    text = said(capsys, tmp_path, "--body", "daihyosha")
    assert "2026-05-07(木) 10:00  5月4日がみどりの日のため、後に移しました" in text
    assert "5月30日が土曜日のため、後に移しました" in text
    assert "12月4日が市議会 12月定例会のため、後に移しました" in text
    assert "2027-01-04(月) 10:00  12月30日が年末年始のため、後に移しました" in text
    assert "重層的支援定例会議" not in text


def test_a_city_s_own_closed_day_of_one_year_moves_that_year_only(tmp_path: Path) -> None:
    once = changed(tmp_path, "# closed_days: the default, 12-29 to 01-03", 'closed_days = ["2026-12-17"]')
    body = once.body("teirei")
    assert body
    assert list(body_dates(once, body, date(2026, 12, 1), date(2026, 12, 31))) == [date(2026, 12, 18)]
    assert date(2025, 12, 18) in body_dates(once, body, date(2025, 12, 1), date(2025, 12, 31))


def test_a_meeting_that_is_not_held_is_said_to_be_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(tmp_path, 'BYMONTH=1,3,5,7,9,11;BYDAY=2FR", moved = "dropped"', 'BYMONTHDAY=3", moved = "dropped"')
    assert "2026-11-03(火) 16:00  11月3日が文化の日のため、休会です" in said(capsys, tmp_path, "--body", "benkyokai")


@pytest.mark.rule("M9")
@pytest.mark.parametrize("city", CITIES)
def test_any_calendar_comes_to_the_dates_of_every_body_by_its_rule(city: str) -> None:
    profile = read_profile(EXAMPLES / city)
    for body in profile.bodies:
        same_dates(profile, body.code)


def test_moved_dates_are_the_same_for_any_calendar(tmp_path: Path) -> None:
    days = "months = [5, 12], monthdays = [4, 30]"
    profile = changed(tmp_path, "months = [2, 7], nth = [2], weekday = 1", days)
    assert any(line.startswith("EXDATE") for line in same_dates(profile, "daihyosha"))


def same_dates(profile: Profile, code: str) -> list[str]:
    body = profile.body(code)
    assert body
    text = recurrence(profile, body, 2026)
    wanted = list(body_dates(profile, body, *year_of(2026)))
    plain = [line.replace(";TZID=Asia/Tokyo", "").replace("T145959Z", "T235959") for line in text]
    found = rrulestr("\n".join(plain), forceset=True) if text else ()
    assert [one.date() for one in found] == wanted
    assert all(isinstance(one, datetime) and one.time() == body.blocks[0].starts for one in found)
    return text


def test_the_rule_of_a_body_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "kobayashi", "--rrule", "--body", "teirei")
    assert "DTSTART;TZID=Asia/Tokyo:20260416T140000" in text
    assert "RRULE:FREQ=MONTHLY;BYMONTH=2,4,6,8,10,12;BYDAY=3TH;UNTIL=" in text


def test_a_rule_from_elsewhere_is_read_and_said_as_the_profile_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "kobayashi", "--read", "FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU", "--since", "2026-04-14")
    assert text.splitlines()[0] == "隔月第2火曜"
    assert "cadence = { months = [2, 4, 6, 8, 10, 12], nth = [2], weekday = 1, since = 2026-04-14 }" in text
    assert "2026-04-14(火)" in text


def test_a_rule_no_body_can_meet_by_is_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "kobayashi", "--read", "FREQ=HOURLY", status=1)
    assert text == "RRULE の FREQ は WEEKLY、MONTHLY、YEARLY のどれかにしてください。\n"
    assert "設定にありません" in said(capsys, "kobayashi", "--body", "nobody", status=1)


@pytest.mark.rule("M8")
def test_a_joined_body_says_its_account_and_bylaw_block_by_block(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "iga", "--body", "care")
    assert "介護保険法第115条の48、費用 地域支援事業(包括的支援事業)、規定 設定にありません" in text
    assert "費用 重層的支援体制整備事業(多機関協働)" in text
    assert "規定 野洲市支援調整会議要綱" in said(capsys, "yasu")


@pytest.mark.rule("M11")
def test_yasu_may_meet_together_with_other_departments(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "yasu")
    assert "のケース会議と合わせて開けます(M11)" in text
    assert "守秘: 野洲市支援調整会議要綱により、すべての区切りの構成員" in text


def changed(folder: Path, before: str, after: str) -> Profile:
    text = (EXAMPLES / "kobayashi" / "profile.toml").read_text("utf-8")
    assert before in text
    (folder / "profile.toml").write_text(text.replace(before, after), "utf-8")
    return read_profile(folder)
