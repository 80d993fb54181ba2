"""What a filled form must hold to be kept: checked against the edition of the form it was filled with. Pure, no clock.

A fault names field, label and rule and says what to do; it never repeats a value, for that may name a person. Rules
without an id in domain.md have a name of their own: ``required``, ``choice``, ``length`` … Where there is a fault there
are no values: nothing can be stored by half.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from contracts.era import read_date
from contracts.forms import FieldType, Form, FormField
from contracts.text import Refused, check_text

FIRST_DAY, LAST_DAY = date(1873, 1, 1), date(2199, 12, 31)
"""Dates on a form lie between the Gregorian calendar's first day in Japan and what is certainly a slip of the pen."""
_DIGITS = re.compile("[0-9０-９]{1,9}")
_ANSWERS = {"はい": True, "いいえ": False, "有": True, "無": False}


class Fault(NamedTuple):
    """What is wrong with a filled form. ``field`` is empty for the form as a whole; rows of a table count from 1."""

    field: str
    label: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.label}: {self.message}[{self.rule}]"


class Validated(NamedTuple):
    """Clean values as JSON, dates as 2026-11-02 and empty fields left out; or faults, and then no values."""

    values: dict[str, object]
    faults: tuple[Fault, ...]


def validate(form: Form, values: object, agencies: Collection[str] | None = None) -> Validated:
    """Check what somebody filled in. ``agencies``: the codes an agency may have, None where nobody knows them.

    Never raises, whatever ``values`` holds. Clean values are valid again, and stay as they are.
    """
    if not isinstance(values, Mapping):
        return Validated({}, (Fault("", form.title, "form-shape", "項目と値の組で書いてください。"),))
    clean: dict[str, object] = {}
    faults: list[Fault] = []
    known = {field.id: field for field in form.fields}
    if strangers := sum(1 for name in values if name not in known):
        # Not named: who mistakes the columns writes a name where a field's id should be.
        message = f"この版にない項目が{strangers}つあります。版と項目の番号を確かめてください。"
        faults.append(Fault("", form.title, "field-unknown", message))
    for field in known.values():
        if field.type is FieldType.TABLE:
            rows = _rows(field, values.get(field.id), agencies, faults)
            _keep(clean, field, rows)
        else:
            try:
                _keep(clean, field, _value(field, values.get(field.id), agencies))
            except Refused as refused:
                faults.append(Fault(field.id, field.label, refused.rule, refused.message))
    faulty = {fault.field.partition(".")[0] for fault in faults}
    for field in known.values():
        if field.id not in faulty:
            faults += _missing(field, known, clean, faulty)
            faults += _out_of_order(field, known, clean)
    places = {name: place for place, name in enumerate(known)}
    faults.sort(key=lambda fault: places.get(fault.field.partition(".")[0], -1))
    return Validated({} if faults else clean, tuple(faults))


def _keep(clean: dict[str, object], field: FormField, value: object) -> None:
    if value is not None:
        clean[field.id] = value


def _missing(
    field: FormField, known: dict[str, FormField], clean: dict[str, object], faulty: Collection[str]
) -> list[Fault]:
    if field.id in clean:
        return []
    needed = field.required
    if (when := field.required_when) and when.field not in faulty:
        needed = _holds(clean.get(when.field), when.among)
    if not needed:
        return []
    why = f"「{known[when.field].label}」に書いたときは、必要な項目です。" if when else "必ず要る項目です。"
    act = "選んでください。" if field.codes or field.type is FieldType.FLAG else "書いてください。"
    return [Fault(field.id, field.label, field.rules[0] if field.rules else "required", why + act)]


def _holds(value: object, among: Sequence[str]) -> bool:
    """Whether a clean value is there, a flag with yes; with ``among``: whether it is or contains one of these."""
    if not among:
        return value is not None and value is not False
    chosen = value["codes"] if isinstance(value, dict) else value
    return any(code in among for code in (chosen if isinstance(chosen, list) else [chosen]))


def _out_of_order(field: FormField, known: dict[str, FormField], clean: dict[str, object]) -> list[Fault]:
    """ISO dates of four-digit years compare as text."""
    faults = []
    own, before, after = clean.get(field.id), field.not_before or "", field.not_after or ""
    if own is not None and before in clean and str(own) < str(clean[before]):
        message = f"「{known[before].label}」より前の日付です。年月日を確かめてください。"
        faults.append(Fault(field.id, field.label, "date-order", message))
    if own is not None and after in clean and str(own) > str(clean[after]):
        message = f"「{known[after].label}」より後の日付です。年月日を確かめてください。"
        faults.append(Fault(field.id, field.label, "date-order", message))
    return faults


# -- one value ---------------------------------------------------------------------------------------------------------


def _value(field: FormField, value: object, agencies: Collection[str] | None) -> object:
    """The clean value, None when empty. Raises Refused."""
    if value is None or (isinstance(value, str | list | tuple | dict) and not value):
        return None
    if isinstance(value, str) and not value.strip():
        return None
    if field.type is FieldType.AGENCY:
        return _agency(value, agencies)
    return _READERS[field.type](field, value)


def _text(field: FormField, value: object) -> str:
    if not isinstance(value, str):
        raise Refused("text", "文字で書いてください。")
    text = value.strip().replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > field.longest:  # before anything that takes time in proportion
        raise Refused("length", f"{field.longest:,}字までで書いてください。残りは別紙にしてください。")
    check_text(text, lines=field.type is FieldType.LONG_TEXT)
    return text


def _date(field: FormField, value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        found = value
    elif isinstance(value, str) and len(value) <= 40:
        found = read_date(value)
    else:
        raise Refused("date-form", "日付は 2026/11/2、令和8年11月2日、R8.11.2 のように書いてください。")
    if not FIRST_DAY <= found <= LAST_DAY:
        raise Refused("date-range", "日付が古すぎるか、先すぎます。年を確かめてください。")
    return found.isoformat()


def _number(field: FormField, value: object) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not field.least <= value <= field.most:
        raise Refused("number", f"{field.least:,}から{field.most:,}までの整数で書いてください。")
    return value


def _code(field: FormField, value: object) -> str:
    for choice in field.codes:
        if isinstance(value, str) and value == choice.code:
            return choice.code
    raise Refused("choice", f"次の中から選んでください: {_choices(field)}")


def _choices(field: FormField) -> str:
    return "、".join(f"{choice.label}({choice.code})" for choice in field.codes)


def _codes(field: FormField, value: object) -> object:
    """A list in the form's order; for a field with ◎ a dict of the list and the code that is marked, if one is."""
    chosen, primary = value, None
    if field.primary and isinstance(value, Mapping):
        if not set(value) <= {"codes", "primary"}:
            raise Refused("choice", "選んだものと◎のものだけを書いてください(codes と primary)。")
        chosen, primary = value.get("codes") or [], value.get("primary")
    if not isinstance(chosen, list | tuple):
        raise Refused("choice", f"次の中から選び、一覧で書いてください: {_choices(field)}")
    found = {_code(field, one) for one in chosen}
    codes = [choice.code for choice in field.codes if choice.code in found]
    if not field.primary:
        return codes
    if primary is None:
        return {"codes": codes} if codes else None
    if not isinstance(primary, str) or primary not in found:
        raise Refused("primary", "◎(一番困っていること)は、選んだものの中から1つにしてください。")
    return {"codes": codes, "primary": primary}


def _flag(field: FormField, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _ANSWERS:
        return _ANSWERS[value]
    raise Refused("flag", "はい(true)か、いいえ(false)で答えてください。")


def _agency(value: object, agencies: Collection[str] | None) -> str:
    if not isinstance(value, str) or len(value) > 40 or (agencies is not None and value not in agencies):
        raise Refused("agency-unknown", "この市町村の機関一覧にない機関です。機関の符号を確かめてください。")
    check_text(value, lines=False)
    return value


_READERS: dict[FieldType, Callable[[FormField, object], object]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.STAFF: _text,
    FieldType.DATE: _date,
    FieldType.ERA_DATE: _date,
    FieldType.NUMBER: _number,
    FieldType.CODE: _code,
    FieldType.CODES: _codes,
    FieldType.FLAG: _flag,
}


def _rows(
    field: FormField, value: object, agencies: Collection[str] | None, faults: list[Fault]
) -> list[dict[str, object]] | None:
    """The rows that hold something; faults are added to ``faults`` by row and column."""
    if value is None or value == "":
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(row, Mapping) for row in value):
        faults.append(Fault(field.id, field.label, "table", "行の一覧で書いてください。"))
        return None
    if len(value) > field.max_rows:
        faults.append(Fault(field.id, field.label, "rows", f"{field.max_rows}行までです。残りは別紙にしてください。"))
        return None
    found = []
    for number, row in enumerate(value, 1):
        clean = _row(field, number, row, agencies, faults)
        if clean:
            found.append(clean)
    return found or None


def _row(
    field: FormField, number: int, row: Mapping[object, object], agencies: Collection[str] | None, faults: list[Fault]
) -> dict[str, object]:
    clean: dict[str, object] = {}
    place, label = f"{field.id}.{number}", f"{field.label} {number}行目"
    if not set(row) <= {column.id for column in field.columns}:
        faults.append(Fault(place, label, "field-unknown", "この表にない列があります。列の番号を確かめてください。"))
    before = len(faults)
    for column in field.columns:
        try:
            _keep(clean, column, _value(column, row.get(column.id), agencies))
        except Refused as refused:
            faults.append(Fault(f"{place}.{column.id}", f"{label} {column.label}", refused.rule, refused.message))
    if clean and len(faults) == before:
        for column in (one for one in field.columns if one.required and one.id not in clean):
            rule = column.rules[0] if column.rules else "required"
            message = "必ず要る項目です。書いてください。"
            faults.append(Fault(f"{place}.{column.id}", f"{label} {column.label}", rule, message))
    return clean
