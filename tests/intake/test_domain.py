"""What makes a つなぐシート acceptable."""

from datetime import date
from typing import Any

import pytest

from contracts.consent import ConsentState
from contracts.intake import Member
from contracts.text import Refused
from services.intake import domain
from tests.intake.paper import TOWN, sheet, without_consent

TODAY = date(2026, 11, 24)
AGENCIES = [agency.code for agency in TOWN.agencies]
MY_NUMBER = "123456789018"
"""The example that is printed on sample cards."""


def found(**changes: Any) -> list[tuple[str, str]]:
    return [(flaw.field, flaw.rule) for flaw in domain.flaws(sheet(**changes), "452050", AGENCIES, TODAY)]


def test_a_good_sheet_has_no_flaw() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"municipality": "011002"}, ("municipality", "municipality-other")),
        ({"referrer": "elsewhere"}, ("referrer", "agency-unknown")),
        ({"agencies": ("kenko", "elsewhere")}, ("agencies", "agency-unknown")),
        ({"name": " \u3000"}, ("name", "required")),
        ({"name": "髙橋\x00"}, ("name", "control-sign")),
        ({"name": "髙橋\nキヨ子"}, ("name", "line-break")),
        ({"wishes": "\u202e"}, ("wishes", "control-sign")),
        ({"members": (Member(name="和彦\x07"),)}, ("members", "control-sign")),
        ({"reason": f"個人番号は{MY_NUMBER}"}, ("reason", "my-number")),
        ({"received_on": date(2026, 11, 25)}, ("received_on", "date-future")),
        (
            {"received_on": date(1926, 11, 2), "born_on": None, "consented_on": date(1926, 11, 2)},
            ("received_on", "date-range"),
        ),
        ({"born_on": date(2026, 11, 3)}, ("born_on", "date-range")),
        ({"born_on": date(1890, 1, 1)}, ("born_on", "date-range")),
    ],
)
def test_a_flaw_is_named_by_field_and_rule(changes: dict[str, Any], flaw: tuple[str, str]) -> None:
    assert found(**changes) == [flaw]


@pytest.mark.rule("C12")
@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"consented_on": None}, ("consented_on", "C1")),
        ({"consent": ConsentState.NARROWED, "consented_on": None}, ("consented_on", "C1")),
        ({"consented_on": date(2026, 11, 25)}, ("consented_on", "C1")),
        ({"received_on": date(2026, 10, 1), "consented_on": date(2026, 11, 3)}, ("consented_on", "C1")),
        ({"consent": ConsentState.NARROWED, "agencies": ()}, ("agencies", "C3")),
        ({"consent": ConsentState.REFUSED}, ("consented_on", "C12")),
        ({"consent": ConsentState.NOT_ASKED}, ("consented_on", "C12")),
        ({"consent": ConsentState.COULD_NOT_ASK}, ("consented_on", "C12")),
    ],
)
def test_consent_and_its_date_must_agree(changes: dict[str, Any], flaw: tuple[str, str]) -> None:
    assert found(**changes) == [flaw]


@pytest.mark.parametrize("day", [date(2026, 10, 20), date(2026, 11, 24)])
def test_consent_may_be_older_than_the_referral_or_some_days_younger(day: date) -> None:
    assert found(consented_on=day) == []


@pytest.mark.parametrize("state", [ConsentState.WITHDRAWN, ConsentState.EXPIRED])
def test_a_consent_that_ended_may_say_when_it_was_given(state: ConsentState) -> None:
    assert found(consent=state) == []
    assert found(consent=state, consented_on=None) == []


def test_what_is_said_of_a_flaw_never_repeats_the_value() -> None:
    bad = sheet(name="髙橋\nキヨ子", reason=f"髙橋 {MY_NUMBER}", born_on=date(1890, 1, 1))
    told = " ".join(flaw.message for flaw in domain.flaws(bad, "452050", AGENCIES, TODAY))
    assert not any(word in told for word in ("髙橋", "キヨ子", MY_NUMBER, "1890"))


@pytest.mark.parametrize(
    ("text", "kana"),
    [
        ("ﾀｶﾊｼ ｷﾖｺ", "タカハシ\u3000キヨコ"),
        ("たかはし　きよこ", "タカハシ\u3000キヨコ"),
        ("ｶﾞﾙｼｱ・ﾎｾ", "ガルシア・ホセ"),
        ("グエン  ティ ホア", "グエン\u3000ティ\u3000ホア"),
        ("ゔぁん", "ヴァン"),
        ("", ""),
    ],
)
def test_kana_becomes_full_width_katakana(text: str, kana: str) -> None:
    assert domain.katakana(text) == kana


def test_kanji_in_the_kana_column_mean_shifted_columns_and_are_refused() -> None:
    with pytest.raises(Refused, match="列がずれて"):
        domain.katakana("髙橋 キヨ子")


@pytest.mark.parametrize("name", ["〓田 進", "?田 進", "U+20BB7田 進", "\ufffd田 進", "\ue000田 進"])
def test_a_name_that_lost_a_character_is_noticed(name: str) -> None:
    assert domain.has_replaced_signs(name)


@pytest.mark.parametrize("name", ["𠮷田 進", "髙橋 キヨ子", "SANTOS MARIA CLARA", "德永 祐"])
def test_a_name_with_rare_characters_is_whole(name: str) -> None:
    assert not domain.has_replaced_signs(name)


def test_the_consent_names_the_referrer_first_and_everybody_once() -> None:
    assert domain.consent_agencies(sheet(agencies=("kenko", "houkatsu", "kenko"))) == ("houkatsu", "kenko")


def test_the_digest_tells_sheets_apart_and_is_the_same_for_the_same() -> None:
    assert domain.digest(sheet()) == domain.digest(sheet())
    assert domain.digest(sheet()) != domain.digest(sheet(urgent=True))
    assert domain.digest(sheet()) != domain.digest(without_consent(ConsentState.REFUSED))
