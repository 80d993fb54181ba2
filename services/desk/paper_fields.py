"""A form's fields on a page: what was typed or kept, with its faults beside it; answers as text; who changed what.

What somebody typed has one shape, whether it comes from a posted page or from a saved version: texts, lists of codes,
rows of texts. Pure, no asking.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.datastructures import FormData

from contracts.forms import FieldType, Form, FormField
from contracts.papers import PaperFault
from services.desk import words

SPARE_ROWS = 2
MORE_ROWS = 5
Typed = dict[str, Any]


@dataclass(frozen=True)
class Box:
    """A field as the page shows it. ``value`` is in the shape of what is typed, ``rows`` those of a table."""

    field: FormField
    value: Any
    rows: tuple[Mapping[str, str], ...]
    options: Mapping[str, str]
    faults: tuple[str, ...]
    wrong: frozenset[str]
    """The fields, or cells as ``roles.1.agency``, that are faulty."""
    masked: bool
    fresh: bool
    when: str
    agencies: Mapping[str, str]

    def options_of(self, column: FormField) -> Mapping[str, str]:
        """What can be chosen in a cell of this column."""
        return _options(column, self.agencies)


@dataclass(frozen=True)
class SectionBox:
    """A section with its fields."""

    title: str
    note: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Change:
    """What another person changed while somebody was typing, side by side. ``both``: both changed it."""

    label: str
    before: str
    theirs: str
    mine: str
    both: bool


def typed(form: Form, said: FormData) -> Typed:
    """What somebody typed into the page of this form; rows keep their places, so that a fault finds its row."""
    found: Typed = {}
    for field in form.fields:
        name = f"f.{field.id}"
        if field.type is FieldType.TABLE:
            found[field.id] = _typed_rows(field, said)
        elif field.type is FieldType.CODES:
            chosen = [one for one in said.getlist(name) if isinstance(one, str)]
            found[field.id] = _codes(field, chosen, _text(said, f"p.{field.id}"))
        else:
            found[field.id] = _text(said, name)
    return found


def _typed_rows(field: FormField, said: FormData) -> list[dict[str, str]]:
    count = _text(said, f"n.{field.id}")
    places = range(min(int(count), field.max_rows) if count.isdecimal() and len(count) < 4 else 0)
    return [{one.id: _text(said, f"f.{field.id}.{place}.{one.id}") for one in field.columns} for place in places]


def _codes(field: FormField, chosen: Iterable[str], primary: str) -> Any:
    return {"codes": list(chosen), "primary": primary or None} if field.primary else list(chosen)


def _text(said: FormData, name: str) -> str:
    value = said.get(name, "")
    return value if isinstance(value, str) else ""


def as_typed(form: Form, values: Mapping[str, Any]) -> Typed:
    """Kept answers in the shape of what is typed."""
    return {field.id: _as_typed(field, values[field.id]) for field in form.fields if field.id in values}


def _as_typed(field: FormField, value: Any) -> Any:
    if field.type is FieldType.TABLE:
        return [{one.id: str(_as_typed(one, row.get(one.id, ""))) for one in field.columns} for row in value]
    if field.type is FieldType.CODES:
        return value
    if field.type is FieldType.FLAG and isinstance(value, bool):
        return "はい" if value else "いいえ"
    if field.type is FieldType.ERA_DATE and value:
        return words.era_date(date.fromisoformat(str(value)))
    return str(value)


# -- the page ----------------------------------------------------------------------------------------------------------


def sections(
    form: Form,
    values: Mapping[str, Any],
    agencies: Mapping[str, str],
    *,
    faults: Sequence[PaperFault] = (),
    masked: Iterable[str] = (),
    fresh: Iterable[str] = (),
    more: str = "",
) -> tuple[SectionBox, ...]:
    """All fields with what is typed in them. ``more``: the table to give more empty rows."""
    hidden, new, labels = frozenset(masked), frozenset(fresh), {field.id: field.label for field in form.fields}

    def box(field: FormField) -> Box:
        own = [fault for fault in faults if fault.field.partition(".")[0] == field.id]
        texts = tuple(
            (fault.message if fault.field == field.id else f"{fault.label}: {fault.message}") + f"[{fault.rule}]"
            for fault in own
        )
        when = f"「{labels[field.required_when.field]}」によって要ります" if field.required_when else ""
        return Box(
            field,
            values.get(field.id, [] if field.type in (FieldType.CODES, FieldType.TABLE) else ""),
            _rows(field, values.get(field.id) or [], field.id == more),
            _options(field, agencies),
            texts,
            frozenset(fault.field for fault in own),
            field.id in hidden,
            field.id in new,
            when,
            agencies,
        )

    return tuple(SectionBox(one.title, one.note, tuple(box(field) for field in one.fields)) for one in form.sections)


def _options(field: FormField, agencies: Mapping[str, str]) -> Mapping[str, str]:
    return agencies if field.type is FieldType.AGENCY else {one.code: one.label for one in field.codes}


def _rows(field: FormField, filled: Any, more: bool) -> tuple[Mapping[str, str], ...]:
    if field.type is not FieldType.TABLE:
        return ()
    rows = list(filled)
    used = max((place for place, row in enumerate(rows, 1) if any(row.values())), default=0)
    wanted = max(len(rows) + (MORE_ROWS if more else 0), used + SPARE_ROWS)
    empty = {one.id: "" for one in field.columns}
    return tuple([*rows, *([empty] * wanted)][: min(wanted, field.max_rows)])


def text_of(field: FormField, value: Any, agencies: Mapping[str, str]) -> str:
    """An answer, kept or typed, as people read it; lines of a table one below the other."""
    labels = {one.code: one.label for one in field.codes}
    if field.type is FieldType.TABLE:
        rows = (" / ".join(filter(None, (text_of(one, row.get(one.id), agencies) for one in field.columns)))
                for row in value or ())  # fmt: skip
        return "\n".join(filter(None, rows))
    if field.type is FieldType.CODES:
        chosen, primary = (value.get("codes"), value.get("primary")) if isinstance(value, dict) else (value, None)
        return "、".join(("◎" if one == primary else "") + labels.get(one, one) for one in chosen or ())
    if value in (None, ""):
        return ""
    if field.type is FieldType.CODE:
        return labels.get(value, str(value))
    if field.type is FieldType.AGENCY:
        return agencies.get(value, str(value))
    if field.type is FieldType.NUMBER and isinstance(value, int):
        return f"{value:,}"
    if field.type is FieldType.DATE and isinstance(value, str):
        return _day(value)
    return str(_as_typed(field, value)) if field.type is FieldType.FLAG else _era(field, str(value))


def _day(text: str) -> str:
    try:
        return words.era_date(date.fromisoformat(text))
    except ValueError:
        return text


def _era(field: FormField, text: str) -> str:
    return _day(text) if field.type is FieldType.ERA_DATE else text


# -- two who typed at once ---------------------------------------------------------------------------------------------


def three_ways(
    form: Form, before: Typed, theirs: Typed, mine: Typed, agencies: Mapping[str, str]
) -> tuple[Typed, tuple[Change, ...]]:
    """Mine, with theirs where only they changed something; and all that they changed, side by side.

    Where both changed a field mine stays, and the person decides.
    """
    merged, changes = dict(mine), []
    for field in form.fields:
        old, new, own = (one.get(field.id) for one in (before, theirs, mine))
        if _plain(new) == _plain(old):
            continue
        both = _plain(own) not in (_plain(old), _plain(new))
        if not both:
            merged[field.id] = new if new is not None else _empty(field)
        was, is_now, said = (text_of(field, one, agencies) for one in (old, new, own))
        changes.append(Change(field.label, was, is_now, said, both))
    return merged, tuple(changes)


def _empty(field: FormField) -> Any:
    return [] if field.type in (FieldType.TABLE, FieldType.CODES) else ""


def _plain(value: Any) -> Any:
    """What counts of something typed: no blanks around it, no empty rows, one kind of line break."""
    if isinstance(value, str):
        return value.strip().replace("\r\n", "\n") or None
    if isinstance(value, Mapping):
        return {name: one for name, part in value.items() if (one := _plain(part)) is not None} or None
    if isinstance(value, Sequence):
        return [one for part in value if (one := _plain(part)) is not None] or None
    return value
