"""When two clients look like one person: however their names and dates were written, and not when they do not."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from contracts.era import read_date
from contracts.same_person import Likeness
from services.intake.likeness import Known, fold_kana, fold_name, keys_of, likeness, number_of, numbers_differ


def known(**changes: Any) -> Known:
    values: dict[str, Any] = {
        "referral": uuid4(),
        "resident_number": None,
        "name": "髙橋 キヨ子",
        "kana": "タカハシ\u3000キヨコ",
        "born_on": date(1943, 6, 9),
        "sex": "female",
    }
    return Known(**(values | changes))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("タカハシ キヨコ", "ﾀｶﾊｼ ｷﾖｺ"),
        ("タカハシ\u3000キヨコ", "たかはしきよこ"),
        ("オオノ ユウコ", "オーノ ユーコ"),
        ("オウノ ユウコ", "ｵｵﾉ ﾕｳｺ"),
        ("コオリヤマ ショウイチ", "ｺｳﾘﾔﾏ ｼﾖｳｲﾁ"),
        ("ハットリ シュン", "ハツトリ シユン"),
        ("シミズ", "シミヅ"),
        ("ガンダ", "ｶﾞﾝﾀﾞ"),
        ("グエン・ヴァン・アン", "グエン バン アン"),
        ("NGUYEN VAN AN", "Van An Nguyen"),
        ("ＳＩＬＶＡ ＪＯＳＥ", "Silva José"),
        ("O'Brien Mary", "Mary O Brien"),
        ("ワタナベ ヱイ", "ワタナベ エイ"),
    ],
)
def test_one_kana_written_in_two_ways_is_one(one: str, other: str) -> None:
    assert fold_kana(one) == fold_kana(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("タカハシ キヨコ", "タカハシ キヨミ"),
        ("ハシモト", "バシモト"),
        ("オノ ケン", "オノ ケイ"),
        ("NGUYEN VAN AN", "NGUYEN VAN BINH"),
    ],
)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert fold_kana(one) != fold_kana(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋 キヨ子", "高橋キヨ子"),
        ("𠮷田 学", "吉田\u3000学"),
        ("山﨑 恵", "山崎 惠"),
        ("渡邉 葛\U000e0100", "渡辺葛"),
    ],
)
def test_old_and_new_forms_of_a_letter_are_one_name(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


def test_the_same_number_is_the_same_person_whatever_else_is_written() -> None:
    one = known(resident_number="0001000318")
    other = known(resident_number="1000318", name="別姓 キヨ子", kana="", born_on=None, sex="unknown")
    assert likeness(one, other) is Likeness.NUMBER
    assert not numbers_differ(one, other)


@pytest.mark.parametrize("nothing", [None, "", "0", "00000"])
def test_no_number_is_like_no_number(nothing: str | None) -> None:
    assert number_of(known(resident_number=nothing)) == ""
    one, other = known(resident_number=nothing), known(resident_number=nothing, born_on=date(1950, 1, 1))
    assert likeness(one, other) is None


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"name": "高橋 きよ子", "kana": "ﾀｶﾊｼ ｷﾖｺ"}, Likeness.KANA),
        ({"sex": "unknown"}, Likeness.KANA),
        ({"sex": "other"}, Likeness.KANA),
        ({"sex": "male"}, None),
        ({"born_on": date(1943, 6, 10)}, None),
        ({"born_on": None}, None),
        ({"kana": "タカハシ キヨミ"}, None),
        ({"kana": "", "name": "高橋キヨ子"}, Likeness.NAME),
        ({"kana": "", "name": "高橋 清子"}, None),
        ({"kana": "", "name": "不詳"}, None),
    ],
)
def test_kana_birth_and_sex_make_a_candidate_and_a_name_does_where_kana_is_missing(
    changes: dict[str, Any], found: Likeness | None
) -> None:
    one, other = known(), known(**changes)
    assert likeness(one, other) is likeness(other, one) is found
    assert bool(set(keys_of(one)) & set(keys_of(other))) or found is None, "a pair is compared at all"


def test_nobody_without_name_and_kana_is_like_anybody() -> None:
    assert likeness(known(name="不詳", kana=""), known(name="不詳", kana="")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("平成元年1月8日", "1989/1/8"),
        ("昭和64年1月7日", "S64.1.7"),
        ("令和元年5月1日", "R1.5.1"),
        ("平成31年4月30日", "2019-04-30"),
        ("昭和19年2月29日", "1944/2/29"),
        ("平成12年2月29日", "H12.2.29"),
    ],
)
def test_a_birthday_in_two_eras_notations_is_one_birthday(one: str, other: str) -> None:
    assert likeness(known(born_on=read_date(one)), known(born_on=read_date(other))) is Likeness.KANA


def test_different_numbers_are_told() -> None:
    one, other = known(resident_number="1"), known(resident_number="2")
    assert likeness(one, other) is Likeness.KANA
    assert numbers_differ(one, other)
