"""What a text field may hold, wherever it comes from."""

import pytest

from contracts.text import Refused, check_text, is_my_number, is_written, without_my_number

MY_NUMBER = "123456789018"
"""The example that is printed on sample cards."""


@pytest.mark.parametrize("digits", [MY_NUMBER, "876543210987"[:11] + "2"])
def test_a_my_number_is_known_by_its_check_digit(digits: str) -> None:
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11
    right = 0 if rest <= 1 else 11 - rest
    assert [is_my_number(f"{digits[:11]}{last}") for last in range(10)] == [last == right for last in range(10)]


@pytest.mark.parametrize("text", [f"番号 {MY_NUMBER} です", "1234-5678-9018", "１２３４ ５６７８ ９０１８"])
def test_a_my_number_is_taken_out_however_it_is_written(text: str) -> None:
    cleaned = without_my_number(text)
    assert cleaned is not None
    assert "9018" not in cleaned
    assert "〓" in cleaned


@pytest.mark.parametrize(
    "text", ["123456789017", f"0{MY_NUMBER}", "+81-90-0000-1201", "+123456789018", "0001000318", ""]
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert without_my_number(text) is None


def test_a_padded_resident_number_is_not_taken_for_a_my_number() -> None:
    assert not any(is_my_number(f"000{number:09d}") for number in range(1000))


@pytest.mark.parametrize("text", ["髙橋\ud842", "\u202e子ヨキ", "\x00", "橋\x1b[2J"])
def test_what_no_sheet_can_be_printed_with_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        check_text(text, lines=True)
    assert refused.value.rule == "control-sign"
    assert text not in refused.value.message


def test_rare_characters_are_whole_text() -> None:
    check_text("髙橋 𠮷田 山﨑 葛󠄀城", lines=False)


def test_a_break_is_refused_where_one_line_is_wanted() -> None:
    check_text("一行目\n二行目", lines=True)
    with pytest.raises(Refused) as refused:
        check_text("一行目\n二行目", lines=False)
    assert refused.value.rule == "line-break"


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000", "\u200b", "\ufeff\u2060", "\u3164\u2800", "\u00ad", "\u0301"])
def test_what_cannot_be_seen_is_not_written(text: str) -> None:
    assert not is_written(text)


@pytest.mark.parametrize("text", ["訪", "𠮷", "1", "・", "\u200b済", "\ue000"])
def test_one_sign_that_can_be_seen_is_written(text: str) -> None:
    assert is_written(text), "a 外字 is a sign, too"
