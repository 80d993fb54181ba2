"""The forms that come with kasane, small ones of our own, and how a filled one looks that has no fault."""

from datetime import date
from pathlib import Path
from typing import Any

from contracts.form_editions import edition
from contracts.forms import FieldType, Form, FormField
from services.forms import read_forms
from services.settings import SHIPPED_FORMS

EXAMPLES = Path(__file__).parents[2] / "examples"
SHIPPED = read_forms(SHIPPED_FORMS)
KOBAYASHI = read_forms(SHIPPED_FORMS, EXAMPLES / "kobayashi" / "forms", "452050")
TOBA = read_forms(SHIPPED_FORMS, EXAMPLES / "toba" / "forms", "242110")
ALL = {f"{one.id} {one.edition}": one for one in (*SHIPPED, *KOBAYASHI, *TOBA)}
WITH, WITHOUT = edition(SHIPPED, "reception_with_consent", "1"), edition(SHIPPED, "reception_without_consent", "1")

HEAD = {"id": "head", "title": "受付"}
FIELDS = (
    {"id": "received_on", "label": "受付日", "type": "date", "required": True},
    {"id": "name", "label": "氏名", "type": "text", "required": True},
)


def form(*fields: dict[str, Any], base: bool = True, **changes: Any) -> Form:
    """A form 申込票 with 受付日, 氏名 and these fields."""
    content: dict[str, Any] = {
        "id": "sample",
        "version": 1,
        "title": "申込票",
        "kind": "reception",
        "consent": "either",
        "effective_from": date(2021, 4, 1),
        "source": "試験のため",
        "sections": [HEAD | {"fields": [*(FIELDS if base else ()), *fields]}],
    }
    return Form.model_validate(content | changes)


def filled(whole: Form) -> dict[str, object]:
    """What somebody wrote who filled in every field of a form, also those that need not be."""
    return {field.id: value_for(field) for field in whole.fields}


def value_for(field: FormField) -> object:
    """A sound clean value."""
    if field.type is FieldType.TABLE:
        return [{column.id: value_for(column) for column in field.columns}]
    if field.type is FieldType.CODES:
        codes = [choice.code for choice in field.codes]
        return {"codes": codes, "primary": codes[-1]} if field.primary else codes
    values = {
        FieldType.TEXT: "髙橋 𠮷乃",
        FieldType.LONG_TEXT: "山﨑さんから電話。\n様子を見に行く。",
        FieldType.STAFF: "福祉課 𠮷田",
        FieldType.DATE: "2024-02-29",
        FieldType.ERA_DATE: "2024-02-29",
        FieldType.NUMBER: field.least + 1,
        FieldType.FLAG: True,
        FieldType.AGENCY: "shakyo",
    }
    text = field.codes[0].code if field.codes else values[field.type]
    return text[: field.longest] if isinstance(text, str) and field.type is FieldType.TEXT else text
