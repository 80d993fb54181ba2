"""Reading files of つなぐシート, good and bad."""

import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.consent import ConsentState
from contracts.intake import Member, Problem, SheetResult
from contracts.profile import Profile
from services.intake.csv_import import ImportReading, read_sheets, rejected_csv
from tests.intake.paper import ROW, TOWN, file, row, sheet, text

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "kobayashi"


def read(*rows: dict[str, str], encoding: str = "utf-8-sig") -> ImportReading:
    return read_sheets(file(*rows, encoding=encoding), TOWN)


def faults(reading: ImportReading) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.rule) for fault in reading.faults]


def rejected(reading: ImportReading) -> str:
    return rejected_csv(reading).decode("utf-8-sig" if reading.encoding == "utf-8" else "cp932")


# -- what is taken in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_good_row_becomes_a_sheet_in_every_encoding_that_is_in_use(encoding: str) -> None:
    reading = read(ROW, encoding=encoding)
    assert reading.sheets == ((2, sheet()),)
    assert (reading.faults, reading.warnings) == ((), ())


def test_columns_may_stand_in_any_order() -> None:
    assert read_sheets(text(ROW, header=list(reversed(ROW))).encode(), TOWN).sheets == ((2, sheet()),)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_lines_may_end_as_on_any_system_and_the_last_one_need_not(line_end: str) -> None:
    lines = text(ROW).split("\r\n")
    assert read_sheets(line_end.join(lines[:2]).encode(), TOWN).sheets == ((2, sheet()),)


def test_a_cell_may_have_quotes_commas_and_line_breaks_and_lines_are_counted_as_a_spreadsheet_does() -> None:
    reason = '本人の言葉:\r\n"娘、が" 心配,\n夜も眠れない。'
    reading = read(row(紹介理由=reason), row(受付番号="2", 宛名番号="2"))
    assert [line for line, _ in reading.sheets] == [2, 3]
    assert reading.sheets[0][1].reason == reason.replace("\r\n", "\n")


def test_second_bytes_of_cp932_never_look_like_csv_but_may_look_like_a_backslash_or_bar() -> None:
    leads = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
    pairs = [bytes([lead, trail]) for lead in leads for trail in range(256)]
    trails = {pair[1] for pair in pairs if _one_sign(pair)}
    assert trails.isdisjoint(b'",\r\n')
    assert trails >= set(b"\\|@")
    name = "能登 ソ―予申"
    assert read(row(氏名=name), encoding="cp932").sheets[0][1].name == name


def _one_sign(pair: bytes) -> bool:
    try:
        return len(pair.decode("cp932")) == 1
    except UnicodeDecodeError:
        return False


def test_names_keep_their_own_characters() -> None:
    for name in ("𠮷田 さくら", "德永 祐", "SANTOS MARIA CLARA", "Nguyễn Thị Hoa", "ｶﾞﾙｼｱ"):
        assert read(row(氏名=name)).sheets[0][1].name == name


def test_numbers_keep_their_zeros() -> None:
    (_, found), *_ = read(row(受付番号="0000009", 宛名番号="000000000000009")).sheets
    assert (found.number, found.resident_number) == ("0000009", "000000000000009")


def test_agencies_are_found_by_name_and_alias_in_any_width() -> None:
    (_, found), *_ = read(
        row(紹介元機関="こども家庭センター", 関係機関="小林 包括；こども家庭ｾﾝﾀｰ、健康推進課;健康推進課")
    ).sheets
    assert (found.referrer, found.agencies) == ("kodomo", ("houkatsu", "kodomo", "kenko"))


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"性別": ""}, "sex", "unknown"),
        ({"性別": "その他"}, "sex", "other"),
        ({"生年月日": ""}, "born_on", None),
        ({"宛名番号": ""}, "resident_number", None),
        ({"団体コード": "45205"}, "municipality", "452050"),
        ({"受付日": "2026-11-02"}, "received_on", date(2026, 11, 2)),
        ({"お困りごと": "こころの問題;支出･滞納･借金"}, "problems", (Problem.MENTAL_HEALTH, Problem.DEBT)),
        ({"世帯人数": "３人"}, "household_size", 3),
        ({"世帯員": ""}, "members", ()),
        ({"世帯員": "阿部 蒼／４歳／子"}, "members", (Member(name="阿部 蒼", age=4, relation="子"),)),
        ({"世帯員": "グエン ティ ホア//妻； "}, "members", (Member(name="グエン ティ ホア", relation="妻"),)),
        ({"緊急度": "緊急"}, "urgent", True),
        ({"同意区分": "一部"}, "consent", ConsentState.NARROWED),
        ({"同意区分": "拒否", "同意日": ""}, "consent", ConsentState.REFUSED),
        ({"同意区分": "未確認", "同意日": ""}, "consent", ConsentState.NOT_ASKED),
        ({"同意区分": "確認できない", "同意日": ""}, "consent", ConsentState.COULD_NOT_ASK),
        ({"同意区分": "撤回"}, "consent", ConsentState.WITHDRAWN),
        ({"同意区分": "期限切れ", "同意日": ""}, "consent", ConsentState.EXPIRED),
        ({"電話番号": "+81-90-0000-1201"}, "phone", "+81-90-0000-1201"),
        ({"電話番号": "'+81 90 0000 1201"}, "phone", "+81 90 0000 1201"),
        ({"電話番号": "－"}, "phone", ""),
    ],
)
def test_a_value_is_read_as_it_is_meant(changes: dict[str, str], field: str, value: object) -> None:
    reading = read(row(**changes))
    assert reading.faults == ()
    assert getattr(reading.sheets[0][1], field) == value


def test_empty_lines_and_lines_of_commas_are_passed_over_but_counted() -> None:
    data = text(ROW).replace("\r\n", "\r\n\r\n" + "," * 20 + "\r\n", 1)
    assert [line for line, _ in read_sheets(data.encode(), TOWN).sheets] == [4]


# -- warnings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "column", "rule"),
    [
        ({"氏名": "〓田 進"}, "氏名", "replaced-sign"),
        ({"世帯員": "U+20BB7田 恵美/52/妻"}, "世帯員", "replaced-sign"),
        ({"紹介元担当者": "?口"}, "紹介元担当者", "replaced-sign"),
        ({"同意日": "R7.10.31"}, "同意日", "C2"),
        ({"世帯人数": "1", "世帯員": "阿部/4/子;阿部/2/子"}, "世帯員", "household"),
        ({"お困りごと": ""}, "お困りごと", "problems"),
    ],
)
def test_what_is_doubtful_is_taken_in_with_a_warning(changes: dict[str, str], column: str, rule: str) -> None:
    reading = read(row(**changes))
    assert [(one.line, one.column, one.rule) for one in reading.warnings] == [(2, column, rule)]
    assert (len(reading.sheets), reading.faults) == (1, ())


def test_an_unknown_column_is_passed_over_and_told_without_its_name() -> None:
    reading = read_sheets(text(ROW | {"髙橋 メモ": "内緒"}, header=[*ROW, "髙橋 メモ"]).encode(), TOWN)
    assert reading.sheets == ((2, sheet()),)
    assert [str(one) for one in reading.warnings] == [
        "1行目 24列目は知らない見出しなので、使いません。 [column-unknown]"
    ]


@pytest.mark.rule("C6")
def test_a_file_that_does_not_say_who_explained_is_taken_in_and_the_lack_is_told_once() -> None:
    older = [label for label in ROW if label not in ("説明者", "説明日")]
    rows = [{label: one[label] for label in older} for one in (ROW, row(受付番号="2", 宛名番号="2"))]
    reading = read_sheets(text(*rows, header=older).encode(), TOWN)
    assert [one.explained_on for _, one in reading.sheets] == [None, None]
    assert reading.faults == ()
    assert [(one.line, one.rule) for one in reading.warnings] == [(1, "C6")]
    assert "説明者・説明日の列がありません" in reading.warnings[0].message


@pytest.mark.rule("C6")
@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"説明者": "", "説明日": ""}, "説明者・説明日がありません"),
        ({"説明者": "\u3000"}, "説明者がありません"),
        ({"説明日": ""}, "説明日がありません"),
    ],
)
def test_a_line_without_the_explanation_is_taken_in_and_told(changes: dict[str, str], lacking: str) -> None:
    reading = read(row(**changes))
    assert (len(reading.sheets), reading.faults) == (1, ())
    (due,) = reading.warnings
    assert (due.line, due.rule) == (2, "C6")
    assert due.message.startswith(lacking)
    assert "(C6)" in due.message


@pytest.mark.rule("C6")
def test_a_day_of_the_explanation_that_nobody_can_read_is_refused_by_its_name() -> None:
    assert [(line, column) for line, column, _ in faults(read(row(説明日="先週")))] == [(2, "説明日")]
    assert faults(read(row(説明者="日髙\n奈緒"))) == [(2, "説明者", "line-break")]


# -- rows that are refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("団体コード", "", "municipality-form"),
        ("団体コード", "4520", "municipality-form"),
        ("団体コード", "452051", "municipality-check"),
        ("団体コード", "011002", "municipality-other"),
        ("受付番号", "", "number"),
        ("受付番号", "第3号", "number"),
        ("受付番号", "0" * 21, "number"),
        ("宛名番号", "1.00032E+11", "number"),
        ("宛名番号", "A12", "number"),
        ("宛名番号", "123456789018", "my-number"),
        ("受付番号", "1234-5678-9018", "my-number"),
        ("相談されたいこと", "番号は 123456789018", "my-number"),
        ("受付日", "", "date-form"),
        ("受付日", "昭和65年1月1日", "date-era"),
        ("受付日", "平成31年5月1日", "date-era"),
        ("生年月日", "昭和30年2月30日", "date-calendar"),
        ("生年月日", "R8.11.3", "date-range"),
        ("紹介元機関", "", "required"),
        ("紹介元機関", "小林包括;生活自立", "required"),
        ("紹介元機関", "まちかど相談所", "agency-unknown"),
        ("紹介元機関", "支所窓口", "agency-unclear"),
        ("関係機関", "健康推進課;ほけん課", "agency-unknown"),
        ("氏名", "", "required"),
        ("氏名", "髙橋\tキヨ子", "line-break"),
        ("氏名", "髙橋\x00キヨ子", "control-sign"),
        ("氏名", "あ" * 201, "length"),
        ("フリガナ", "髙橋", "kana"),
        ("性別", "F", "choice"),
        ("お困りごと", "介護、お金", "problems"),
        ("世帯人数", "0", "number"),
        ("世帯人数", "100", "number"),
        ("世帯人数", "", "number"),
        ("世帯員", "髙橋 和彦", "members"),
        ("世帯員", "髙橋 和彦/131/長男", "members"),
        ("世帯員", "/3/長男", "members"),
        ("世帯員", "阿部/4/子;=cmd/2/子", "formula"),
        ("世帯員", f"{'あ' * 201}/3/子", "length"),
        ("相談されたいこと", "あ" * 4001, "length"),
        ("緊急度", "", "choice"),
        ("緊急度", "急", "choice"),
        ("同意区分", "", "choice"),
        ("同意区分", "同意", "choice"),
        ("同意区分", "拒否", "C12"),
        ("同意日", "", "C1"),
        ("同意日", "R8.12.4", "C1"),
    ],
)
def test_a_row_is_refused_by_column_and_rule_without_repeating_its_value(column: str, value: str, rule: str) -> None:
    reading = read(row(**{column: value}), row(受付番号="77", 宛名番号="77"))
    found = {fault.rule: fault for fault in reading.faults if fault.line == 2}
    assert rule in found
    assert found[rule].column in (column, "同意日")
    assert len(value) < 5 or value not in str(found[rule])
    assert [line for line, _ in reading.sheets] == [3], "the other row is taken in"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("相談されたいこと", "あ" * 10_000, "4,000字まで、いま 10,000字"),
        ("氏名", "髙" * 201, "200字まで、いま 201字"),
    ],
)
def test_what_is_too_long_is_told_how_long_it_may_be(column: str, value: str, said: str) -> None:
    (fault,) = [one for one in read(row(**{column: value})).faults if one.rule == "length"]
    assert (fault.column, said in fault.message) == (column, True), fault.message


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝", "＠", " =", "\u3000+", "\n=", "'="])
def test_a_cell_that_a_spreadsheet_would_run_is_refused(sign: str) -> None:
    assert (2, "紹介理由", "formula") in faults(read(row(紹介理由=f"{sign}cmd|' /C calc'!A0")))


@pytest.mark.parametrize("phone", ["-123", "+cmd", "=1+1", "'090-0000-1201"])
def test_a_telephone_number_that_is_none_is_refused(phone: str) -> None:
    assert faults(read(row(電話番号=phone))) == [(2, "電話番号", "formula")]


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    reading = read(row(性別="F", 緊急度="急", 受付日="昨日"))
    assert faults(reading) == [(2, "受付日", "date-form"), (2, "性別", "choice"), (2, "緊急度", "choice")]


def test_the_second_row_with_a_resident_number_is_refused() -> None:
    assert faults(read(ROW, row(受付番号="0000124"))) == [(3, "宛名番号", "double")]


def test_the_second_row_with_a_number_of_the_same_referrer_is_refused_but_another_referrer_may_use_it() -> None:
    reading = read(ROW, row(宛名番号="2"), row(宛名番号="3", 紹介元機関="生活自立"))
    assert faults(reading) == [(3, "受付番号", "double")]
    assert [line for line, _ in reading.sheets] == [2, 4]


@pytest.mark.parametrize("cut", [lambda line: line.rsplit(",", 1)[0], lambda line: line + ",余分"])
def test_a_row_with_too_few_or_too_many_cells_is_refused(cut: Callable[[str], str]) -> None:
    header, line, _ = text(ROW).split("\r\n")
    good = text(row(受付番号="2", 宛名番号="2")).split("\r\n")[1]
    reading = read_sheets("\r\n".join([header, cut(line), good]).encode(), TOWN)
    assert faults(reading) == [(2, "", "cells")]
    assert [at for at, _ in reading.sheets] == [3]


@pytest.mark.parametrize("broken", ['"髙橋', '"髙橋"キヨ子', 'x,"'])
def test_a_quote_that_is_not_closed_costs_its_own_line_only(broken: str) -> None:
    header, line, _ = text(ROW).split("\r\n")
    others = [text(row(受付番号=n, 宛名番号=n)).split("\r\n")[1] for n in "23"]
    quoted = text(row(受付番号="4", 宛名番号="4", 紹介理由="一、\n二")).split("\r\n", 1)[1]
    data = "\r\n".join([header, line.replace("髙橋 キヨ子", broken), *others, quoted])
    reading = read_sheets(data.encode(), TOWN)
    assert faults(reading) == [(2, "", "quotes")]
    assert [at for at, _ in reading.sheets] == [3, 4, 5]


def test_a_quote_that_opens_in_one_row_and_closes_in_another_swallows_nothing() -> None:
    lines = text(*(row(受付番号=n, 宛名番号=n, 紹介理由=f"理由{n}") for n in "1234")).split("\r\n")
    lines[1] = lines[1].replace("理由1", '"理由1')
    lines[4] = lines[4].replace("理由4", '理由4"')
    reading = read_sheets("\r\n".join(lines).encode(), TOWN)
    assert faults(reading) == [(2, "", "quotes")]
    assert [sheet.number for _, sheet in reading.sheets] == ["2", "3", "4"]


# -- encodings ---------------------------------------------------------------------------------------------------------


def test_bytes_of_no_encoding_are_told_with_line_and_column_and_the_rest_is_read() -> None:
    good = row(受付番号="2", 宛名番号="2")
    data = file(row(住所="??"), good, encoding="cp932").replace(b"??", b"\x85\xff")
    reading = read_sheets(data, TOWN)
    assert faults(reading) == [(2, "住所", "encoding")]
    assert [line for line, _ in reading.sheets] == [3]


@pytest.mark.parametrize(("whole", "part"), [("cp932", "utf-8"), ("utf-8", "cp932"), ("utf-8-sig", "cp932")])
def test_a_cell_in_another_encoding_than_its_file_is_told_not_guessed(whole: str, part: str) -> None:
    data = file(row(氏名="NAME HERE"), encoding=whole).replace(b"NAME HERE", "山﨑 由紀子".encode(part))
    reading = read_sheets(data, TOWN)
    assert faults(reading) == [(2, "氏名", "encoding")]


@pytest.mark.parametrize("name", ["田中 実", "山田 太郎", "上野 重信", "川野 彩"])
def test_a_name_in_utf_8_that_cp932_reads_as_other_characters_is_told_not_stored(name: str) -> None:
    data = file(row(氏名="NAME HERE"), encoding="cp932").replace(b"NAME HERE", name.encode())
    assert faults(read_sheets(data, TOWN)) == [(2, "氏名", "encoding")]


def test_half_width_kana_in_cp932_are_not_mistaken_for_utf_8() -> None:
    assert read(row(フリガナ="ﾄｷ ﾂｱ"), encoding="cp932").sheets[0][1].kana == "トキ\u3000ツア"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_told(encoding: str) -> None:
    reading = read(ROW, encoding=encoding)
    assert faults(reading) == [(0, "", "encoding")]
    assert "UTF-16" in reading.faults[0].message


def test_a_workbook_is_told_from_a_csv() -> None:
    assert "Excel" in read_sheets(b"PK\x03\x04rest", TOWN).faults[0].message


# -- files that are refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "rule", "named"),
    [
        (b"", "file-empty", "空"),
        (b"\xef\xbb\xbf", "header", "見出し"),
        (b"\r\n\r\n", "file-empty", "空"),
        (text().encode(), "no-rows", "1件もありません"),
        (text(ROW).split("\r\n", 1)[1].encode(), "header", "見出しがありません"),
        (text(ROW).replace("同意日", "同意した日").encode(), "header", "同意日"),
        (text(ROW).replace("氏名", "フリガナ", 1).encode(), "header", "氏名"),
        (text(ROW).replace("緊急度", '"緊急度').encode(), "header", "見出し"),
        (text(ROW, header=[*ROW, "氏名"]).encode(), "header", "2つ"),
        (text(ROW | {"個人番号": "1"}, header=[*ROW, "個人番号"]).encode("cp932"), "my-number", "個人番号"),
        (text(ROW | {"ﾏｲﾅﾝﾊﾞｰ": "1"}, header=[*ROW, "ﾏｲﾅﾝﾊﾞｰ"]).encode(), "my-number", "個人番号"),
        (text(ROW).replace(",", "\t").encode(), "header", "コンマ"),
        (b"a\n" * 50_001, "file-size", "行"),
    ],
)
def test_a_file_that_is_no_list_of_sheets_is_refused_whole(data: bytes, rule: str, named: str) -> None:
    reading = read_sheets(data, TOWN)
    assert faults(reading) == [(0, "", rule)]
    assert named in reading.faults[0].message
    assert (reading.sheets, reading.rejected_rows) == ((), {})
    assert "髙橋" not in str(reading.faults)


def test_a_huge_file_is_refused_by_its_size_and_costs_no_memory(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as out:
        out.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    try:
        reading = read_sheets(huge, TOWN)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert faults(reading) == [(0, "", "file-size")]
    assert "20 MB" in reading.faults[0].message
    assert peak < 1024 * 1024


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, "a\0b"):
        assert faults(read_sheets(path, TOWN)) == [(0, "", "file-unreadable")]


# -- the way back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig"])
def test_rejected_rows_come_back_with_their_faults_and_can_be_read_again_when_corrected(encoding: str) -> None:
    reason = '一、"母"\n二,父'
    reading = read(ROW, row(受付番号="2", 宛名番号="2", 性別="F", 紹介理由=reason), encoding=encoding)
    header, *_ = rejected(reading).split("\r\n")
    assert header == ",".join([*ROW, "エラー行", "エラー"])
    assert "3,性別: 次のどれかを書いてください" in rejected(reading)
    again = read_sheets(rejected_csv(reading), TOWN)
    assert faults(again) == [(2, "性別", "choice")]
    corrected = read_sheets(rejected_csv(reading).replace(b",F,", ",女,".encode(encoding.removesuffix("-sig"))), TOWN)
    assert corrected.sheets == ((2, sheet(number="2", resident_number="2", reason=reason)),)
    assert corrected.warnings == ()


def test_a_formula_is_disarmed_on_the_way_back_and_refused_until_it_is_corrected() -> None:
    reading = read(row(氏名="=cmd|' /C calc'!A0", 電話番号="+81-90-0000-1201"))
    assert ",'=cmd|" in rejected(reading)
    assert ",'+81-90-0000-1201," in rejected(reading)
    again = read_sheets(rejected_csv(reading), TOWN)
    assert faults(again) == [(2, "氏名", "formula")], "the telephone number is good either way"
    assert rejected(again).count("'=cmd") == 1


@pytest.mark.parametrize("tail", ["", ",余分,=1+1", ',"'])
def test_a_row_that_was_cut_wrongly_is_refused_again_as_it_comes_back(tail: str) -> None:
    header, line, _ = text(ROW).split("\r\n")
    line = line + tail if tail else line.rsplit(",", 1)[0]
    reading = read_sheets(f"{header}\r\n{line}".encode(), TOWN)
    again = read_sheets(rejected_csv(reading), TOWN)
    assert again.sheets == ()
    assert len(again.rejected_rows) == 1
    assert "髙橋 キヨ子" in rejected(again)
    assert "\n=1" not in rejected(again)


def test_a_doubled_row_is_refused_again_when_it_comes_back_alone() -> None:
    again = read_sheets(rejected_csv(read(ROW, row(受付番号="2"))), TOWN)
    assert faults(again) == [(2, "宛名番号", "marked")]


def test_bytes_that_could_not_be_read_come_back_marked() -> None:
    data = file(row(氏名="NAME"), encoding="cp932").replace(b"NAME", b"\x85\xffA")
    again = read_sheets(rejected_csv(read_sheets(data, TOWN)), TOWN)
    assert faults(again) == [(2, "氏名", "marked")]


def test_a_my_number_does_not_come_back() -> None:
    reading = read(row(宛名番号="123456789018", 紹介理由="番号は1234-5678-9018です"))
    assert "9018" not in rejected(reading) + repr(reading) + str(reading.rows)
    assert faults(read_sheets(rejected_csv(reading), TOWN)) == [(2, "宛名番号", "marked"), (2, "紹介理由", "marked")]


def test_what_intake_refuses_later_comes_back_as_well() -> None:
    reading = read(ROW, row(受付番号="2", 宛名番号="2"))
    refused = SheetResult(
        index=1, outcome="refused", field="受付番号", rule="number-taken", message="出し直してください。"
    )
    later = reading.refused([refused])
    assert list(later.report()) == ["3行目 受付番号: 出し直してください。 [number-taken]"]
    assert list(later.rejected_rows) == [3]
    assert "受付番号: 出し直してください。" in rejected(later)


def test_what_cp932_does_not_have_becomes_a_geta() -> None:
    reading = read(ROW, encoding="cp932")
    refused = SheetResult(index=0, outcome="refused", field="氏名", rule="x", message="𠮷")
    assert "氏名: 〓" in rejected(reading.refused([refused]))


# -- anything at all ---------------------------------------------------------------------------------------------------

HEADER = text().encode()


def _sound(data: bytes) -> None:
    reading = read_sheets(data, TOWN)
    assert reading.sheets or reading.faults
    again = read_sheets(rejected_csv(reading), TOWN)
    if reading.rejected_rows:
        assert again.sheets == (), "nothing becomes good by itself"
        assert len(again.rejected_rows) >= len(reading.rejected_rows), "no row is lost"


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    _sound(data)


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "utf-8-sig", "cp932"]))
def test_no_bytes_below_a_good_header_make_reading_fail(data: bytes, encoding: str) -> None:
    _sound(text().encode(encoding) + data)


@given(
    st.lists(
        st.lists(st.text(alphabet="あ\"=,'\r\n\t1-/;年髙\x00+@ ", max_size=6), min_size=19, max_size=23), max_size=4
    )
)
def test_no_rows_make_reading_fail(rows: list[list[str]]) -> None:
    _sound(HEADER + "\r\n".join(",".join(cells) for cells in rows).encode())


@given(st.sampled_from(list(ROW)), st.text(max_size=30))
def test_no_value_makes_reading_fail_or_is_repeated(column: str, value: str) -> None:
    try:
        data = file(row(**{column: value}), encoding="utf-8")
    except UnicodeEncodeError:
        return
    _sound(data)


def seconds_for(rows: int) -> float:
    data = file(*(row(受付番号=str(n), 宛名番号=f"{n:010}") for n in range(rows)), encoding="cp932")
    started = time.process_time()
    assert len(read_sheets(data, TOWN).sheets) == rows
    return time.process_time() - started


def test_ten_times_the_rows_take_no_more_than_their_share_of_the_time() -> None:
    assert seconds_for(2000) < 20 * min(seconds_for(200) for _ in range(3))


# -- the example -------------------------------------------------------------------------------------------------------


def test_every_referral_of_the_example_is_accepted(kobayashi: Profile) -> None:
    reading = read_sheets(EXAMPLE / "referrals.csv", kobayashi)
    assert reading.faults == ()
    assert len(reading.sheets) == 28
    assert {(warning.rule, warning.line) for warning in reading.warnings} == {
        ("replaced-sign", 13),
        *(("C6", line) for line in (6, 11, 16, 21, 22, 28)),
    }


def test_the_example_with_faults_has_exactly_these(kobayashi: Profile) -> None:
    reading = read_sheets(EXAMPLE / "referrals-with-faults.csv", kobayashi)
    assert faults(reading) == [
        (3, "紹介元機関", "agency-unknown"),
        (4, "団体コード", "municipality-check"),
        (5, "生年月日", "date-calendar"),
        (7, "宛名番号", "double"),
        (8, "氏名", "formula"),
        (9, "同意日", "C1"),
        (11, "受付日", "date-calendar"),
    ]
    assert [found.number for _, found in reading.sheets] == ["0000201", "0000205", "0000209", "0000211"]
