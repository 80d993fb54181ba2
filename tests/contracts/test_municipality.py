"""全国地方公共団体コード: real codes are accepted, mistyped ones refused as far as the check digit can tell."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.municipality import check_digit, is_municipality_code

REAL = {
    "011002": "札幌市",
    "131016": "千代田区",
    "141003": "横浜市",
    "162051": "氷見市",
    "232114": "豊田市",
    "242080": "名張市",
    "242110": "鳥羽市",
    "242161": "伊賀市",
    "252107": "野洲市",
    "331007": "岡山市",
    "452050": "小林市",
}


@pytest.mark.parametrize("code", REAL)
def test_the_codes_of_real_municipalities_are_accepted(code: str) -> None:
    assert is_municipality_code(code)


@pytest.mark.parametrize("code", REAL)
def test_one_mistyped_digit_is_noticed_unless_the_check_digit_is_1(code: str) -> None:
    """Remainders 0 and 10 both give the check digit 1: the only mistake that the arithmetic lets through."""
    for mistyped in one_digit_changed(code):
        unnoticed = {remainder(code), remainder(mistyped)} == {0, 10} and code[5] == mistyped[5] == "1"
        assert is_municipality_code(mistyped) == unnoticed, mistyped


@given(st.from_regex(r"[0-9]{5}", fullmatch=True))
def test_one_mistyped_digit_is_always_noticed_when_the_check_digit_is_another(first_five: str) -> None:
    code = first_five + check_digit(first_five)
    assert is_municipality_code(code)
    if code[5] != "1":
        assert not any(is_municipality_code(mistyped) for mistyped in one_digit_changed(code))


def test_a_mistake_that_the_arithmetic_lets_through() -> None:
    assert is_municipality_code("242161")
    assert is_municipality_code("242101"), "伊賀市 with one digit wrong: only a list of municipalities could tell"


@pytest.mark.parametrize("number", ["11002", "0011002", "1100 2", " 11002"])
def test_a_zero_in_front_belongs_to_the_code(number: str) -> None:
    assert is_municipality_code("011002")
    assert not is_municipality_code(number)


@pytest.mark.parametrize(
    "text",
    ["", "45205", "4520500", "452051", "４５２０５０", "45205०", "45205²", "452050\n", "+45205", "小林市", "45-050"],
)
def test_what_is_not_six_ascii_digits_is_refused(text: str) -> None:
    assert not is_municipality_code(text)


def one_digit_changed(code: str) -> Iterator[str]:
    """Every code that differs from this one in exactly one digit."""
    for place in range(6):
        for digit in "0123456789":
            if digit != code[place]:
                yield code[:place] + digit + code[place + 1 :]


def remainder(code: str) -> int:
    """Of the weighted sum, modulo 11."""
    return sum(int(digit) * weight for digit, weight in zip(code[:5], (6, 5, 4, 3, 2), strict=True)) % 11
