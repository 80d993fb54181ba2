"""Forms as schema files: what a schema may say, which version holds on a day, what a municipality may add."""

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.filling import validate
from contracts.form_editions import Additions, NoSuchForm, edition, editions, in_force, merged
from contracts.forms import OWN, FieldType, Form, FormField, FormKind
from contracts.intake import PROBLEM_TEXT
from tests.contracts.form_samples import ALL, KOBAYASHI, SHIPPED, TOBA, WITH, WITHOUT, form

CHOICE = {"type": "code", "codes": {"yes": "ある", "no": "ない"}}


def every_field(one: Form) -> list[FormField]:
    return [part for field in one.fields for part in (field, *field.columns)]


# -- the forms that come with kasane -----------------------------------------------------------------------------------


def test_the_forms_that_come_with_kasane_are_these() -> None:
    assert {one.id for one in SHIPPED} == {
        "assessment",
        "early_signal",
        "evaluation",
        "plan",
        "plan_outreach",
        "plan_participation",
        "reception_with_consent",
        "reception_without_consent",
        "tsunagu_okayama",
    }
    assert {one.kind for one in TOBA} == set(FormKind)


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_a_forms_ids_labels_and_codes_each_stand_once(one: Form) -> None:
    for names in ([field.id for field in one.fields], [field.label for field in one.fields]):
        assert len(names) == len(set(names))
    for field in every_field(one):
        codes, labels = [choice.code for choice in field.codes], [choice.label for choice in field.codes]
        assert len(codes) == len(set(codes))
        assert len(labels) == len(set(labels))


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_nothing_is_marked_as_reported_to_the_state_while_the_official_list_is_unread(one: Form) -> None:
    assert [field.id for field in every_field(one) if field.reported_to_state] == []
    assert "国への報告事項" in one.note


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_what_is_not_verified_says_what_it_rests_on(one: Form) -> None:
    for section in one.sections:
        for field in (one for one in section.fields if not one.id.startswith(OWN)):
            rests_on = field.source or section.source or one.source
            assert one.is_verified(section, field) or "推定" in rests_on or "様式(案)" in rests_on


def test_a_plan_holds_what_the_guideline_asks_at_the_making_of_a_plan_t2() -> None:
    plan = edition(SHIPPED, "plan", "1")
    asked = {field.label for field in plan.fields if field.required and "T2" in field.rules}
    assert asked == {
        "本人の目標",
        "支援の目標・方向性",
        "支援方針",
        "プラン内容",
        "支援関係機関の役割分担",
        "モニタリングの時期",
    }


def test_ending_a_case_needs_a_lead_agency_and_a_follow_up_d7() -> None:
    sheet = edition(SHIPPED, "evaluation", "1")
    said = {"evaluated_on": "2026-3-31", "evaluated_by": "𠮷田", "achievement": "あり", "supporters": "三機関"}
    said |= {"course": "安定", "outcome": "close"}
    assert [(fault.field, fault.rule) for fault in validate(sheet, said).faults] == [
        ("lead_agency", "D7"),
        ("follow_up_needed", "D7"),
        ("follow_up", "D7"),
    ]
    assert validate(sheet, said | {"outcome": "continue"}).faults == ()


def test_breaking_off_needs_the_attempts_to_reach_the_person_t3() -> None:
    sheet = edition(SHIPPED, "evaluation", "1")
    said = {"evaluated_on": "2026-3-31", "evaluated_by": "𠮷田", "achievement": "なし", "supporters": "二機関"}
    said |= {"course": "不在が続く", "outcome": "suspend"}
    assert [fault.rule for fault in validate(sheet, said).faults] == ["T3"]


def test_the_tsunagu_sheet_asks_for_problems_by_the_codes_that_intake_reads() -> None:
    fields = {field.id: field for field in edition(SHIPPED, "tsunagu_okayama", "1").fields}
    codes = {choice.code: choice.label for choice in fields["problems"].codes}
    assert codes == {problem.value: text for problem, text in PROBLEM_TEXT.items()}


@pytest.mark.rule("C6")
def test_the_newer_tsunagu_sheet_asks_who_explained_it_and_when_and_nobody_waits_for_the_answer() -> None:
    older, newer = (edition(SHIPPED, "tsunagu_okayama", name) for name in ("1", "2"))
    asked = {field.id: field for field in newer.fields if "C6" in field.rules}
    assert [one.label for one in asked.values()] == ["説明者", "説明日", "説明への本人の反応"]
    assert not any(one.required for one in asked.values())
    assert [one for one in newer.fields if one.id not in asked] == list(older.fields), "what was asked before stays"
    assert in_force(SHIPPED, "tsunagu_okayama", date(2026, 3, 31)) == older
    assert in_force(SHIPPED, "tsunagu_okayama", date(2026, 4, 1)) == newer


def test_the_early_signal_has_no_place_for_who_it_is_about() -> None:
    memo = edition(SHIPPED, "early_signal", "1")
    words = ("氏名", "名前", "住所", "電話", "生年月日", "ふりがな", "番号")
    assert [field.label for field in memo.fields if any(word in field.label for word in words)] == []
    assert "書かないで" in memo.sections[0].note


# -- with and without consent (C12) ------------------------------------------------------------------------------------


@pytest.mark.rule("C12")
def test_the_two_reception_forms_are_variants_of_one_kind_c12() -> None:
    assert (WITH.kind, WITHOUT.kind) == (FormKind.RECEPTION, FormKind.RECEPTION)
    assert (WITH.consent, WITHOUT.consent) == ("with", "without")
    signing = [field.label for field in WITH.fields if field.consent_part]
    assert "本人署名" in signing
    assert "同意日" in signing


def test_the_form_without_consent_has_no_signature_and_no_consent_part_c12() -> None:
    assert [field.id for field in every_field(WITHOUT) if field.consent_part] == []
    text = " ".join([section.title + section.note for section in WITHOUT.sections] + [f.label for f in WITHOUT.fields])
    assert not any(word in text for word in ("署名", "申込欄", "利用申込", "同意日", "同意し、"))


@pytest.mark.rule("C12")
@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "signature", "label": "本人署名", "type": "text"},
        {"id": "agreed", "label": "関係機関との共有", "type": "flag", "consent_part": True},
        {"id": "agreed_on", "label": "同意日", "type": "date"},
        {
            "id": "people",
            "label": "世帯員",
            "type": "table",
            "columns": [{"id": "sign", "label": "署名", "type": "text"}],
        },
    ],
    ids=lambda wrong: wrong["id"],
)
def test_a_form_without_consent_cannot_be_given_a_signature_c12(wrong: dict[str, Any]) -> None:
    assert form(wrong, consent="either")
    with pytest.raises(ValidationError, match="C12"):
        form(wrong, consent="without")


def test_a_city_cannot_add_a_signature_to_the_form_without_consent_either_c12() -> None:
    added = {"id": "x_sign", "label": "本人の署名欄", "type": "text", "section": "client"}
    with pytest.raises(ValidationError, match="C12"):
        merged(WITHOUT, additions(added, form="reception_without_consent"))
    assert merged(WITH, additions(added, form="reception_with_consent"))


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("no_consent_reason", "C5"),
        ("information_source", "C12"),
        ("shien_purpose", "S10"),
        ("shien_necessity", "S10"),
        ("kept_from_client", "C12"),
    ],
)
def test_without_consent_the_reasons_for_a_shien_meeting_must_be_written_s10(field: str, rule: str) -> None:
    said = {
        "received_on": "令和8年2月3日",
        "received_by": "髙橋",
        "name": "不詳",
        "problems": {"codes": ["withdrawal"], "primary": "withdrawal"},
        "referrer": "shakyo",
        "referral_reason": "訪問しても会えない",
        "urgency": "ordinary",
        "consent_state": "could_not_ask",
        "no_consent_reason": "会えていない",
        "information_source": "民生委員",
        "shien_purpose": "share_concern",
        "shien_necessity": "見守りの方針を決めるため",
        "kept_from_client": "なし",
    }
    assert validate(WITHOUT, said).faults == ()
    found = validate(WITHOUT, said | {field: "  "})
    assert [(fault.field, fault.rule) for fault in found.faults] == [(field, rule)]
    assert found.values == {}


# -- what a schema may say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "code"},
        {"type": "text", "codes": {"yes": "ある"}},
        {"type": "table"},
        {"type": "text", "columns": [{"id": "one", "label": "一", "type": "text"}]},
        {"type": "table", "columns": [{"id": "one", "label": "一", "type": "text"}] * 2},
        {
            "type": "table",
            "columns": [
                {
                    "id": "deep",
                    "label": "深い表",
                    "type": "table",
                    "columns": [{"id": "one", "label": "一", "type": "text"}],
                }
            ],
        },
        CHOICE | {"primary": True},
        {"type": "date", "max_length": 10},
        {"type": "long_text", "max_length": 10_001},
        {"type": "number", "least": 3, "most": 2},
        {"type": "number", "most": 10**11},
        {"type": "text", "not_after": "received_on"},
        {"type": "date", "not_after": "name"},
        {"type": "date", "not_before": "nothing"},
        {"type": "text", "required": True, "required_when": {"field": "name"}},
        {"type": "text", "required_when": {"field": "nothing"}},
        {"type": "text", "required_when": {"field": "extra"}},
        {"type": "text", "required_when": {"field": "name", "among": ["yes"]}},
        {"type": "text", "reported_to_state": True},
        {"type": "text", "id": "name"},
        {"type": "text", "id": "Extra"},
        {"type": "text", "id": "x_extra"},
        {"type": "text", "label": "氏名"},
        {"type": "text", "label": " 余白"},
        {"type": "text", "label": "<b>太字</b>"},
        {"type": "text", "rules": ["Q1"]},
        {"type": "picture"},
        {"type": "text", "requird": True},
    ],
    ids=str,
)
def test_a_schema_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    assert form({"id": "extra", "label": "そのほか", "type": "text"})
    with pytest.raises(ValidationError):
        form({"id": "extra", "label": "そのほか"} | wrong)


def test_what_is_reported_to_the_state_is_marked_by_its_source() -> None:
    field = {"id": "extra", "label": "そのほか", "type": "text", "reported_to_state": True, "source": "帳票の太枠"}
    assert form(field).fields[-1].reported_to_state


# -- versions by date --------------------------------------------------------------------------------------------------


def versions(*days: date) -> tuple[Form, ...]:
    return editions([form(version=number, effective_from=day) for number, day in enumerate(days, 1)], [])


@pytest.mark.parametrize(
    "begins",
    [date(2026, 4, 1), date(2024, 2, 29), date(2025, 3, 1), date(2024, 3, 1), date(2019, 5, 1), date(2027, 1, 1)],
    ids=["年度の始め", "2月29日", "平年の3月1日", "閏年の3月1日", "令和元年5月1日", "元日"],
)
def test_a_version_holds_from_its_first_day_and_the_old_one_until_the_day_before(begins: date) -> None:
    forms = versions(date(2015, 4, 1), begins)
    assert in_force(forms, "sample", begins).version == 2
    assert in_force(forms, "sample", begins - timedelta(days=1)).version == 1
    assert in_force(forms, "sample", begins + timedelta(days=1)).version == 2
    assert in_force(forms, "sample", date(2015, 4, 1)).version == 1
    assert in_force(forms, "sample", date.max).version == 2


def test_the_days_around_a_change_are_those_of_the_calendar() -> None:
    forms = versions(date(2015, 4, 1), date(2019, 5, 1), date(2024, 2, 29), date(2026, 4, 1))
    days = {
        date(2019, 4, 30): 1,  # 平成31年4月30日
        date(2019, 5, 1): 2,  # 令和元年5月1日
        date(2024, 2, 28): 2,
        date(2024, 2, 29): 3,
        date(2026, 3, 31): 3,  # 年度末
        date(2026, 4, 1): 4,
    }
    assert {day: in_force(forms, "sample", day).version for day in days} == days


def test_before_the_first_version_there_is_no_form() -> None:
    with pytest.raises(NoSuchForm, match="2021-04-01 から"):
        in_force(versions(date(2021, 4, 1)), "sample", date(2021, 3, 31))
    with pytest.raises(NoSuchForm):
        in_force(versions(date(2021, 4, 1)), "other", date(2021, 4, 1))


def test_a_filled_form_is_read_by_the_version_it_was_filled_with_for_ever() -> None:
    old = form({"id": "pets", "label": "ペット", "type": "text", "required": True})
    new = form(
        {"id": "phone", "label": "電話", "type": "text", "required": True}, version=2, effective_from=date(2026, 4, 1)
    )
    forms = editions([new, old], [])
    kept = {"received_on": "2024-02-29", "name": "髙橋 𠮷乃", "pets": "犬"}
    assert validate(edition(forms, "sample", "1"), kept) == (kept, ())
    rules = {fault.rule for fault in validate(in_force(forms, "sample", date(2026, 4, 1)), kept).faults}
    assert rules == {"field-unknown", "required"}
    with pytest.raises(NoSuchForm, match="1、2"):
        edition(forms, "sample", "3")


def test_versions_that_clash_are_refused() -> None:
    with pytest.raises(ValueError, match="sample 1 stands twice"):
        editions([form(), form(effective_from=date(2022, 4, 1))], [])
    with pytest.raises(ValueError, match="sample 2 does not begin after"):
        editions([form(), form(version=2)], [])
    with pytest.raises(ValueError, match="sample 2 does not begin after"):
        editions([form(), form(version=2, effective_from=date(2021, 3, 31))], [])


# -- what a municipality adds ------------------------------------------------------------------------------------------


def additions(*fields: dict[str, Any], **changes: Any) -> Additions:
    content = {
        "form": "sample",
        "version": 1,
        "effective_from": date(2023, 4, 1),
        "municipality": "452050",
        "source": "市の決裁",
        "fields": fields,
    }
    return Additions.model_validate(content | changes)


DOG: dict[str, Any] = {"id": "x_dog", "label": "犬", "type": "flag", "section": "head"}


def test_added_fields_stand_after_the_official_ones_which_stay_as_they_are() -> None:
    whole = merged(form(), additions(DOG, sections=[{"id": "x_more", "title": "追加"}]))
    assert whole.fields[: len(form().fields)] == form().fields
    assert [field.id for field in whole.fields] == ["received_on", "name", "x_dog"]
    assert whole.fields[-1].source == "市の決裁"
    assert [section.id for section in whole.sections] == ["head", "x_more"]
    assert whole.edition == "1+1"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (DOG | {"id": "name"}, "begin with x_"),
        (DOG | {"id": "dog"}, "begin with x_"),
        (DOG | {"label": "氏名"}, "label twice"),
        (DOG | {"section": "nowhere"}, "no section nowhere"),
        (DOG | {"reported_to_state": True, "source": "市"}, "not reported to the state"),
    ],
    ids=["an official field", "no x_", "an official label", "an unknown section", "reported"],
)
def test_an_addition_cannot_shadow_anything_official(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        merged(form(), additions(wrong))


@pytest.mark.parametrize("sections", [[{"id": "head", "title": "差替え"}], [{"id": "x_head", "title": "受付"}]])
def test_an_added_section_cannot_replace_an_official_one(sections: list[dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"begin with x_|title twice"):
        merged(form(), additions(sections=sections))


@pytest.mark.parametrize("key", ["remove", "hide", "retype", "codes"])
def test_there_is_no_word_for_removing_or_retyping(key: str) -> None:
    with pytest.raises(ValidationError):
        additions(**{key: ["name"]})


def test_additions_fit_one_official_form_and_are_not_added_twice() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        merged(form(), additions(DOG, form="other"))
    with pytest.raises(ValueError, match="do not fit"):
        merged(merged(form(), additions(DOG)), additions(DOG, version=2))
    with pytest.raises(ValueError, match="unknown forms: other"):
        editions([form()], [additions(DOG, form="other")])


def test_each_day_has_the_newest_form_with_the_newest_additions() -> None:
    forms = [form(), form(version=2, effective_from=date(2025, 4, 1))]
    added = [additions(DOG), additions(version=2, effective_from=date(2026, 4, 1))]
    known = editions(forms, added)
    days = {
        date(2023, 3, 31): "1",
        date(2023, 4, 1): "1+1",
        date(2025, 3, 31): "1+1",
        date(2025, 4, 1): "2+1",
        date(2026, 3, 31): "2+1",
        date(2026, 4, 1): "2+2",
    }
    assert {day: in_force(known, "sample", day).edition for day in days} == days
    assert {one.edition for one in known} == {"1", "1+1", "1+2", "2", "2+1", "2+2"}


def test_additions_may_name_the_versions_they_are_for() -> None:
    forms = [form(), form(version=2, effective_from=date(2025, 4, 1))]
    known = editions(forms, [additions(DOG, to_versions=[1])])
    assert in_force(known, "sample", date(2025, 4, 1)).edition == "2"
    assert edition(known, "sample", "1+1").fields[-1].id == "x_dog"


def test_kobayashi_asks_for_the_district_and_toba_has_its_own_sheet() -> None:
    city = in_force(KOBAYASHI, "reception_with_consent", date(2026, 11, 24))
    assert city.edition == "1+1"
    assert set(WITH.fields) < set(city.fields)
    toba = in_force(TOBA, "x_case_meeting_request", date(2026, 11, 24))
    assert {"相談内容", "関係機関等", "今後関わりが必要となると思われる機関等"} <= {
        field.label for field in toba.fields
    }
    assert "x_case_meeting_request" not in {one.id for one in KOBAYASHI}


def test_a_citys_own_form_cannot_take_an_official_id() -> None:
    with pytest.raises(ValidationError, match="begins with x_"):
        form(municipality="452050")
    with pytest.raises(ValidationError, match="begins with x_"):
        form(id="x_sample")
    with pytest.raises(ValidationError, match="check digit"):
        form(id="x_sample", municipality="452051")


def test_every_type_of_field_is_used_by_some_form() -> None:
    assert {field.type for one in ALL.values() for field in every_field(one)} == set(FieldType)
