"""What filled forms of a case promise: which form a case fills in, and what an older edition carries over."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.form_editions import edition
from contracts.forms import Form
from contracts.life import Step
from contracts.message import Compartment
from contracts.papers import carried, carries, concealed_fields, fits, holds_tax, without
from tests.contracts.form_samples import ALL, KOBAYASHI, SHIPPED, TOBA, filled, form

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN


@pytest.mark.rule("C12")
def test_a_form_with_a_consent_part_is_for_cases_with_consent_and_the_other_one_for_those_without() -> None:
    for kind, own in ((JUSO, "reception_with_consent"), (SHIEN, "reception_without_consent")):
        receptions = {one.id for one in KOBAYASHI if one.kind == "reception" and fits(one, kind)}
        assert receptions == {own}
    assert not fits(edition(SHIPPED, "plan", "1"), SHIEN)
    assert all(
        fits(edition(SHIPPED, name, "1"), kind) for name in ("assessment", "evaluation") for kind in (JUSO, SHIEN)
    )


def test_what_comes_before_a_case_is_no_paper_of_it() -> None:
    known = {one.id for one in (*SHIPPED, *TOBA) if fits(one, JUSO)}
    assert known.isdisjoint({"early_signal", "tsunagu_okayama"})
    assert "x_case_meeting_request" in known


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (Step.ASSESS, {"assessment"}),
        (Step.DRAFT, {"plan", "plan_outreach"}),
        (Step.EVALUATE, {"evaluation"}),
        (Step.CLOSE, set()),
    ],
)
def test_a_step_rests_on_its_own_form_and_on_no_other(step: Step, wanted: set[str]) -> None:
    assert {one.id for one in SHIPPED if carries(step, one.kind, one.id)} == wanted


def newer(*fields: dict[str, object]) -> Form:
    return form(*fields, version=2, effective_from=date(2026, 4, 1))


HOME = {"id": "home", "label": "住居", "type": "code", "codes": {"owned": "持家", "rented": "借家"}}
PLACE = {"id": "place", "label": "場所", "type": "text"}


def test_answers_go_on_under_their_ids_and_what_has_no_place_is_named() -> None:
    old = form(HOME, PLACE, {"id": "age", "label": "年齢", "type": "number"})
    new = newer(
        {"id": "home", "label": "住まい", "type": "code", "codes": {"owned": "持家", "public": "公営住宅"}},
        {"id": "age", "label": "年齢(歳)", "type": "number"},
        {"id": "since", "label": "いつから", "type": "date"},
    )
    values = {"received_on": "2026-11-02", "name": "髙橋 𠮷乃", "home": "rented", "place": "細野", "age": 82}
    found = carried(old, new, values)
    assert found.values == {"received_on": "2026-11-02", "name": "髙橋 𠮷乃", "age": 82}
    assert [field.label for field in found.left] == ["住居", "場所"]
    assert [field.id for field in found.fresh] == ["since"]


def test_rows_of_a_table_go_on_only_if_the_new_table_takes_them() -> None:
    columns = [{"id": "who", "label": "だれが", "type": "text"}]
    table = {"id": "roles", "label": "役割", "type": "table", "columns": columns}
    more = table | {"columns": [*columns, {"id": "due", "label": "期限", "type": "date"}]}
    fewer = table | {"columns": [{"id": "due", "label": "期限", "type": "date"}]}
    values = {"roles": [{"who": "社協"}]}
    assert carried(form(table), newer(more), values).values == values
    assert [field.id for field in carried(form(table), newer(fewer), values).left] == ["roles"]


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_an_edition_carries_everything_over_into_itself(one: Form) -> None:
    values = filled(one)
    found = carried(one, one, values)
    assert (found.values, found.left, found.fresh) == (values, (), ())


# -- concealed, and of the tax office ----------------------------------------------------------------------------------


@pytest.mark.rule("S18")
def test_where_somebody_lives_works_and_is_treated_is_marked_as_concealed() -> None:
    assert concealed_fields(SHIPPED, "assessment") >= {"address", "phone", "home", "work", "medical", "education"}
    for name in ("reception_with_consent", "reception_without_consent"):
        assert concealed_fields(SHIPPED, name) == {"postcode", "address", "phone_home", "phone_mobile", "mail"}


@pytest.mark.rule("S18")
def test_a_mark_of_a_newer_edition_hides_the_answers_of_an_older_one() -> None:
    hidden = concealed_fields([form(PLACE), newer(PLACE | {"concealed": True})], "sample")
    assert without({"name": "髙橋", "place": "細野"}, hidden) == {"name": "髙橋"}


@pytest.mark.parametrize("must", [{"required": True}, {"required_when": {"field": "name"}}])
def test_nobody_has_to_fill_in_what_he_may_not_see(must: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="a concealed field is not required"):
        form(PLACE | {"concealed": True} | must)


def test_a_table_is_concealed_as_a_whole() -> None:
    with pytest.raises(ValidationError, match="not a column"):
        form({"id": "roles", "label": "役割", "type": "table", "columns": [PLACE | {"concealed": True}]})


@pytest.mark.rule("S9")
def test_a_field_of_the_tax_office_counts_once_it_is_filled_and_never_stands_on_a_form_without_consent() -> None:
    arrears = {"id": "arrears", "label": "市税の滞納", "type": "number", "tax": True}
    assert holds_tax(form(arrears), {"arrears": 0})
    assert not holds_tax(form(arrears), {"name": "髙橋"})
    with pytest.raises(ValidationError, match="tax office"):
        form(arrears, consent="without")
