"""What a filled form must hold. A fault names field, label and rule, and never what somebody wrote."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.filling import Fault, validate
from contracts.forms import Form
from tests.contracts.form_samples import ALL, WITH, filled, form

MY_NUMBER = "1234 5678 9018"
"""The example that is printed on sample cards."""
BASE = {"received_on": "2026-11-24", "name": "髙橋 𠮷乃"}
YES_NO = {"yes": "ある", "no": "ない", "other": "その他"}
TROUBLES = {"id": "troubles", "label": "お困りごと", "type": "codes", "primary": True, "codes": YES_NO}
PEOPLE = {
    "id": "people",
    "label": "世帯員",
    "type": "table",
    "max_rows": 3,
    "columns": [
        {"id": "name", "label": "名", "type": "text", "required": True},
        {"id": "age", "label": "年齢", "type": "number", "most": 130},
    ],
}


def check(field: dict[str, Any], value: object, **more: object) -> tuple[object, tuple[Fault, ...]]:
    """The clean value of one further field, and the faults."""
    field = {"id": "extra", "label": "そのほか"} | field
    found = validate(form(field), BASE | more | {field["id"]: value}, agencies=("shakyo", "houkatsu"))
    return found.values.get(field["id"]), found.faults


def refused(field: dict[str, Any], value: object, **more: object) -> list[str]:
    """The rules by which the field's value is refused."""
    clean, faults = check(field, value, **more)
    assert clean is None, "where there is a fault there are no values"
    assert all(fault.label and fault.message.endswith(("。", ")")) for fault in faults)
    return [fault.rule for fault in faults]


# -- whole forms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_a_form_filled_in_completely_is_kept_as_it_is(one: Form) -> None:
    values = filled(one)
    found = validate(one, values, agencies=("shakyo",))
    assert found.faults == ()
    assert found.values == values
    assert json.loads(json.dumps(found.values)) == values


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_an_empty_form_lacks_exactly_what_is_required(one: Form) -> None:
    found = validate(one, {})
    assert [fault.field for fault in found.faults] == [field.id for field in one.fields if field.required]
    assert found.values == {}


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_each_required_field_is_missed(one: Form) -> None:
    for field in (field for field in one.fields if field.required):
        for empty in (None, "", " \u3000", [], {}):
            faults = validate(one, filled(one) | {field.id: empty}).faults
            assert (field.id, field.label) in [(fault.field, fault.label) for fault in faults], (field.id, empty)


def test_faults_come_in_the_order_of_the_form_and_all_at_once() -> None:
    said = {"name": "\x00", "received_on": "令和99年13月1日", "nobody": 1}
    assert [(fault.field, fault.label) for fault in validate(form(), said).faults] == [
        ("", "申込票"),
        ("received_on", "受付日"),
        ("name", "氏名"),
    ]


@pytest.mark.parametrize("values", [None, [], "髙橋", 7, [("name", "髙橋")]])
def test_what_is_no_form_at_all_is_one_fault(values: object) -> None:
    assert [fault.rule for fault in validate(form(), values).faults] == ["form-shape"]


def test_a_field_that_the_form_does_not_have_is_refused_and_not_named() -> None:
    found = validate(form(), BASE | {"髙橋 キヨ子": "x", 7: "y"})
    assert [(fault.rule, fault.field) for fault in found.faults] == [("field-unknown", "")]
    assert "2つ" in found.faults[0].message
    assert "髙橋" not in str(found.faults[0])
    assert found.values == {}


def test_what_is_left_empty_is_left_out() -> None:
    assert check({"type": "text"}, "  ") == (None, ())
    assert check(PEOPLE, [{"name": "", "age": None}]) == (None, ())


# -- texts -------------------------------------------------------------------------------------------------------------


def test_ten_thousand_characters_are_kept_and_one_more_is_refused() -> None:
    long = {"type": "long_text"}
    for sign in ("あ", "𠮷", "\n a"):
        note = (sign * 10_000)[:9_999] + "。"
        assert check(long, note) == (note.strip(), ())
    assert refused(long, "𠮷" * 10_001) == ["length"]
    assert check(long, "一行目\r\n二行目\r三行目") == ("一行目\n二行目\n三行目", ())


def test_a_line_has_no_breaks_and_two_hundred_characters() -> None:
    assert check({"type": "text"}, "あ" * 200) == ("あ" * 200, ())
    assert refused({"type": "text"}, "あ" * 201) == ["length"]
    assert refused({"type": "text", "max_length": 3}, "山﨑さん") == ["length"]
    assert refused({"type": "text"}, "髙橋\n𠮷乃") == ["line-break"]
    assert refused({"type": "staff"}, "福祉課\t𠮷田") == ["line-break"]


@pytest.mark.parametrize("kind", ["text", "long_text", "staff", "agency"])
@pytest.mark.parametrize("text", [f"番号 {MY_NUMBER}", "123456789018", "１２３４-５６７８-９０１８"])
def test_a_my_number_is_refused_wherever_it_is_written(kind: str, text: str) -> None:
    assert refused({"type": kind}, text) in (["my-number"], ["agency-unknown"])


def test_a_my_number_in_a_table_is_refused_by_row_and_column() -> None:
    _, faults = check(PEOPLE, [{"name": "髙橋"}, {"name": MY_NUMBER}])
    assert [(fault.field, fault.label, fault.rule) for fault in faults] == [
        ("people.2.name", "世帯員 2行目 名", "my-number")
    ]


@pytest.mark.parametrize("text", ["髙\x00橋", "\u202e橋髙", "\x1b[2J", "髙橋\ud842"])
def test_signs_that_nobody_sees_are_refused(text: str) -> None:
    assert refused({"type": "text"}, text) == ["control-sign"]
    assert refused({"type": "long_text"}, text) == ["control-sign"]


@pytest.mark.parametrize("value", [7, True, 1.5, ["髙橋"], {"name": "髙橋"}, b"x", datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_is_no_text_is_not_made_one(value: object) -> None:
    assert refused({"type": "text"}, value) == ["text"]


# -- dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", "2024-02-29"),
        ("令和6年2月29日", "2024-02-29"),
        ("R8.3.31", "2026-03-31"),
        ("令和8年4月1日", "2026-04-01"),
        ("平成31年4月30日", "2019-04-30"),
        ("令和元年5月1日", "2019-05-01"),
        (date(2026, 11, 24), "2026-11-24"),
    ],
)
@pytest.mark.parametrize("kind", ["date", "era_date"])
def test_dates_are_read_as_offices_write_them(kind: str, text: object, day: str) -> None:
    assert check({"type": kind}, text) == (day, ())
    assert check({"type": kind}, day) == (day, ())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("令和7年2月29日", "date-calendar"),
        ("2025-02-29", "date-calendar"),
        ("令和元年4月30日", "date-era"),
        ("平成31年5月1日", "date-era"),
        ("令和0年5月1日", "date-era"),
        ("4月1日", "date-form"),
        ("2" * 100_000, "date-form"),
        (20260401, "date-form"),
        (datetime(2026, 4, 1, tzinfo=UTC), "date-form"),
        ("0001-01-01", "date-range"),
        ("9999-12-31", "date-range"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_date_that_is_none_is_refused(text: object, rule: str) -> None:
    assert refused({"type": "date"}, text) == [rule]


def test_dates_are_compared_with_the_dates_they_depend_on() -> None:
    born = {"type": "era_date", "not_after": "received_on"}
    assert check(born, "2026-11-24") == ("2026-11-24", ())
    assert refused(born, "2026-11-25") == ["date-order"]
    due = {"type": "date", "not_before": "received_on"}
    assert check(due, "令和8年11月24日") == ("2026-11-24", ())
    assert refused(due, "令和8年11月23日") == ["date-order"]
    assert refused(due, "令和8年11月23日", received_on="") == ["required"]


# -- numbers, codes, flags, agencies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "clean"), [(0, 0), ("３", 3), ("007", 7), (130, 130)])
def test_numbers_are_whole_and_within_bounds(value: object, clean: int) -> None:
    assert check({"type": "number", "most": 130}, value) == (clean, ())


@pytest.mark.parametrize("value", [-1, 131, 1.0, True, "3.5", "三", "²", "9" * 5000, 10**4200, float("nan"), [3]])
def test_other_numbers_are_refused(value: object) -> None:
    assert refused({"type": "number", "most": 130}, value) == ["number"]


@pytest.mark.parametrize("value", ["maybe", "ある", 1, True, ["yes"], {"yes": 1}])
def test_a_code_is_one_of_the_list(value: object) -> None:
    assert check({"type": "code", "codes": YES_NO}, "no") == ("no", ())
    assert refused({"type": "code", "codes": YES_NO}, value) == ["choice"]


@pytest.mark.parametrize("value", ["yes", ["yes", "maybe"], [["yes"]], {"yes": True}, 3])
def test_codes_are_a_list_of_them(value: object) -> None:
    field = {"type": "codes", "codes": YES_NO}
    assert check(field, ["other", "yes", "yes"]) == (["yes", "other"], ())
    assert refused(field, value) == ["choice"]


def test_one_of_the_troubles_may_be_marked_as_the_worst() -> None:
    assert check(TROUBLES, ["yes"]) == ({"codes": ["yes"]}, ())
    marked = {"codes": ["yes", "other"], "primary": "other"}
    assert check(TROUBLES, marked) == (marked, ())
    for wrong in ("no", "maybe", ["yes"], 1, ""):
        assert refused(TROUBLES, {"codes": ["yes"], "primary": wrong}) == ["primary"]
    assert refused(TROUBLES, {"codes": ["yes"], "primary": "yes", "name": "髙橋"}) == ["choice"]
    assert refused(TROUBLES, {"primary": "yes"}) == ["primary"]


def test_a_question_is_answered_with_yes_or_no() -> None:
    assert check({"type": "flag", "required": True}, False) == (False, ())
    assert check({"type": "flag"}, "はい") == (True, ())
    for wrong in (1, "yes", "たぶん", [True]):
        assert refused({"type": "flag"}, wrong) == ["flag"]


def test_an_agency_is_one_of_the_profile() -> None:
    assert check({"type": "agency"}, "houkatsu") == ("houkatsu", ())
    for wrong in ("nowhere", "社協", 7, ["shakyo"]):
        assert refused({"type": "agency"}, wrong) == ["agency-unknown"]


# -- what depends on what ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "among", "value", "needed"),
    [
        (TROUBLES, ("other",), ["other"], True),
        (TROUBLES, ("other",), ["yes"], False),
        (TROUBLES, ("other",), None, False),
        (TROUBLES, (), ["yes"], True),
        ({"id": "troubles", "label": "困", "type": "codes", "codes": YES_NO}, ("no", "other"), ["yes", "no"], True),
        ({"id": "troubles", "label": "困", "type": "code", "codes": YES_NO}, ("no",), "no", True),
        ({"id": "troubles", "label": "困", "type": "code", "codes": YES_NO}, ("no",), "yes", False),
        ({"id": "troubles", "label": "困", "type": "flag"}, (), True, True),
        ({"id": "troubles", "label": "困", "type": "flag"}, (), False, False),
        ({"id": "troubles", "label": "困", "type": "text"}, (), "ある", True),
        ({"id": "troubles", "label": "困", "type": "text"}, (), "", False),
        ({"id": "troubles", "label": "困", "type": "number"}, (), 0, True),
    ],
)
def test_a_field_is_required_when_another_says_so(
    other: dict[str, Any], among: tuple[str, ...], value: object, needed: bool
) -> None:
    detail = {"id": "detail", "label": "内容", "type": "text", "required_when": {"field": "troubles", "among": among}}
    whole = form(other, detail)
    faults = validate(whole, BASE | {"troubles": value}).faults
    assert [fault.field for fault in faults] == (["detail"] if needed else [])
    assert validate(whole, BASE | {"troubles": value, "detail": "書いた"}).faults == ()


def test_a_row_of_a_table_is_whole_and_there_are_not_too_many() -> None:
    rows = [{"name": "髙橋", "age": 82}, {"name": "𠮷田"}]
    assert check(PEOPLE, rows) == (rows, ())
    assert refused(PEOPLE, [{"age": 82}]) == ["required"]
    assert refused(PEOPLE, [{"name": "髙橋", "age": 131}, {"name": "𠮷田", "住所": "x"}]) == ["number", "field-unknown"]
    assert refused(PEOPLE, rows * 2) == ["rows"]
    for wrong in ("髙橋", [["髙橋"]], {"name": "髙橋"}, 3):
        assert refused(PEOPLE, wrong) == ["table"]
    assert refused(PEOPLE | {"required": True}, [{"name": " "}]) == ["required"]


# -- whatever is thrown at it ------------------------------------------------------------------------------------------

NAMES = st.text(alphabet="鸞𠮷髙﨑齋閒驫ψЖ", min_size=1) | st.sampled_from(["鸞" * 201, "𠮷" * 10_001])
"""What a person might have written, in signs that no form and no message uses."""
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(),
    NAMES,
    st.sampled_from(["yes", "other", "female", "令和7年2月29日", MY_NUMBER, "あ" * 10_001]),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | NAMES, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def filled_somehow(draw: st.DrawFn, one: Form) -> dict[object, object]:
    """A form filled in soundly, with some of its fields overwritten by anything, some left out, and strangers."""
    values: dict[object, object] = {**filled(one)}
    for field in draw(st.lists(st.sampled_from(one.fields), max_size=8)):
        cells = st.dictionaries(st.sampled_from([column.id for column in field.columns] or ["codes"]), ANYTHING)
        values[field.id] = draw(ANYTHING | st.lists(cells, max_size=3) | cells)
    for name in draw(st.lists(st.sampled_from([field.id for field in one.fields]), max_size=8)):
        values.pop(name, None)
    return values | draw(st.dictionaries(ANYTHING.filter(lambda key: key.__hash__ is not None), ANYTHING, max_size=2))


@given(st.data())
def test_whatever_is_filled_in_there_are_clean_values_or_faults_and_never_an_error(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(list(ALL.values())))
    found = validate(one, data.draw(filled_somehow(one) | ANYTHING), agencies=("shakyo",))
    assert not (found.values and found.faults)
    if not found.faults:
        assert validate(one, found.values, agencies=("shakyo",)) == found
        assert json.loads(json.dumps(found.values)) == found.values
    known = {field.id for field in one.fields} | {""}
    for fault in found.faults:
        assert fault.field.partition(".")[0] in known
        assert fault.rule
        assert fault.message


def names_in(value: object) -> list[str]:
    """Every text in what was filled in."""
    if isinstance(value, dict):
        return [name for pair in value.items() for part in pair for name in names_in(part)]
    if isinstance(value, list | tuple):
        return [name for part in value for name in names_in(part)]
    return [value] if isinstance(value, str) else []


@given(st.data())
def test_no_fault_repeats_what_was_filled_in(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(list(ALL.values())))
    said = st.recursive(
        NAMES | NAMES.map(lambda text: text + MY_NUMBER) | NAMES.map(lambda text: text + "\x00") | st.integers(10**10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    )
    values: dict[str, object] = {field.id: data.draw(said) for field in one.fields}
    values |= data.draw(st.dictionaries(NAMES, said, max_size=2))
    strange = {name for name in names_in(list(values.items())) if name not in {field.id for field in one.fields}}
    numbers = {str(value) for value in values.values() if isinstance(value, int)}
    for fault in validate(one, values, agencies=("shakyo",)).faults:
        text = "".join(fault)
        assert not any(name in text for name in strange | numbers)
        assert not any(sign in text for sign in "鸞𠮷髙﨑齋閒驫ψЖ")
        assert MY_NUMBER not in text


def test_the_form_with_consent_asks_what_narrows_the_consent_c3() -> None:
    said = filled(WITH) | {"consent_state": "narrowed"}
    said.pop("excluded")
    assert [(fault.field, fault.rule) for fault in validate(WITH, said).faults] == [("excluded", "C3")]
    assert validate(WITH, said | {"consent_state": "given"}).faults == ()
