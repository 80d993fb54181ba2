"""Editions of a form: its versions by date, and each with what a municipality adds. Pure, no clock.

A municipality adds fields and sections under ids that begin with ``x_``, and forms of its own; it
changes nothing official.
"""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from contracts.coordinating import Data
from contracts.forms import OWN, Form, FormField, Id, Section, checked_municipality
from contracts.message import MunicipalityCode

# -- what a municipality adds ------------------------------------------------------------------------------------------


class AddedField(FormField):
    """A field that is added at the end of an official section."""

    section: Id


class Additions(Data):
    """独自項目: one version of what a municipality adds to one form. It cannot remove, retype or rename anything."""

    form: Id
    version: PositiveInt
    to_versions: tuple[PositiveInt, ...] = ()
    """Which official versions it is added to. Empty: every one, also those to come."""
    effective_from: date
    municipality: Annotated[MunicipalityCode, AfterValidator(checked_municipality)]
    source: str = Field(min_length=1)
    note: str = ""
    fields: tuple[AddedField, ...] = ()
    sections: tuple[Section, ...] = ()

    @model_validator(mode="after")
    def _stays_in_its_own_names(self) -> Self:
        added = (*self.fields, *(field for section in self.sections for field in section.fields))
        ids = [field.id for field in added] + [section.id for section in self.sections]
        if strangers := [name for name in ids if not name.startswith(OWN)]:
            raise ValueError(f"ids of additions begin with {OWN}: {', '.join(strangers)}")
        if any(one.reported_to_state for field in added for one in (field, *field.columns)):
            raise ValueError("what a municipality adds is not reported to the state")
        return self


def merged(form: Form, additions: Additions) -> Form:
    """The form with a municipality's additions. Raises ValueError where they do not fit, e.g. shadow a label."""
    if additions.form != form.id or form.addition or form.municipality:
        raise ValueError(f"additions to {additions.form} do not fit {form.id} {form.edition}")
    known = {section.id for section in form.sections}
    if lost := sorted({field.section for field in additions.fields} - known):
        raise ValueError(f"{form.id} {form.edition} has no section {', '.join(lost)}")
    return Form.model_validate(
        {
            **dict(form),
            "sections": (*(_grown(section, additions) for section in form.sections), *additions.sections),
            "addition": additions.version,
            "effective_from": max(form.effective_from, additions.effective_from),
        }
    )


def _grown(section: Section, additions: Additions) -> Section:
    more = [
        FormField.model_validate(field.model_dump(exclude={"section"}) | {"source": field.source or additions.source})
        for field in additions.fields
        if field.section == section.id
    ]
    return section.model_copy(update={"fields": (*section.fields, *more)})


# -- versions ----------------------------------------------------------------------------------------------------------


class NoSuchForm(LookupError):
    """There is no form of this id, no such edition, or none in force that day; the text says which, in Japanese."""


def editions(forms: Iterable[Form], additions: Iterable[Additions]) -> tuple[Form, ...]:
    """Every form, with and without each version of the additions to it, ordered. Raises ValueError where they clash."""
    found, added = list(forms), list(additions)
    _in_order([(one.id, one.version, one.effective_from) for one in found])
    _in_order([(one.form, one.version, one.effective_from) for one in added])
    if lost := sorted({one.form for one in added} - {form.id for form in found}):
        raise ValueError(f"additions to unknown forms: {', '.join(lost)}")
    whole = [
        merged(form, one)
        for form in found
        for one in added
        if one.form == form.id and (not one.to_versions or form.version in one.to_versions)
    ]
    return tuple(sorted((*found, *whole), key=lambda form: (form.id, form.version, form.addition)))


def _in_order(versions: list[tuple[str, int, date]]) -> None:
    """Refuse a version that stands twice, or begins no later than the one before it. Raises ValueError."""
    for (name, version, since), (other, later, begins) in pairwise(sorted(versions)):
        if name == other and version == later:
            raise ValueError(f"{name} {version} stands twice")
        if name == other and begins <= since:
            raise ValueError(f"{name} {later} does not begin after {name} {version}")


def in_force(forms: Iterable[Form], form_id: str, day: date) -> Form:
    """The edition to fill in on a calendar day in Japan, its first day included. Raises NoSuchForm."""
    known = _named(forms, form_id)
    begun = [form for form in known if form.effective_from <= day]
    if not begun:
        first = min(form.effective_from for form in known)
        raise NoSuchForm(f"様式 {form_id} は {first} からです。その日より前に使える版はありません。")
    return max(begun, key=lambda form: (form.version, form.addition))


def edition(forms: Iterable[Form], form_id: str, name: str) -> Form:
    """The edition that a filled form names, in force or not. Raises NoSuchForm."""
    known = {form.edition: form for form in _named(forms, form_id)}
    if name not in known:
        raise NoSuchForm(f"様式 {form_id} にその版はありません。ある版: {'、'.join(known)}")
    return known[name]


def _named(forms: Iterable[Form], form_id: str) -> list[Form]:
    found = [form for form in forms if form.id == form_id]
    if not found:
        raise NoSuchForm("その番号の様式はありません。kasane forms list で確かめてください。")
    return found
