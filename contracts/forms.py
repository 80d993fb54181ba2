"""Forms as versioned schema files: what a form asks, in which version, from which day, by which source.

The official 帳票 were not read when this was written (domain.md 2.0): a file marks what is unverified, and a corrected
version is a new file beside the old one. A filled form keeps the edition it was filled with, which stays readable for
ever. Versions and what a municipality adds stand in form_editions.py; what a filled form must hold in filling.py.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt, model_validator

from contracts.coordinating import Data
from contracts.message import MunicipalityCode
from contracts.municipality import is_municipality_code

LONGEST = 10_000
"""Characters (code points) that any field holds at most; more belongs in an attachment."""
OWN = "x_"
"""How the ids of what a municipality adds begin. Official ids never do, so that no later version can clash."""
CONSENT_WORDS = ("署名", "同意文", "同意日", "同意の範囲", "利用申込")
"""What no label of a form for a case without consent may say (C12)."""

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Label = Annotated[str, Field(pattern=r"^[^\s<>&\x00-\x1f](?:[^<>&\x00-\x1f]{0,58}[^\s<>&\x00-\x1f])?$")]
RuleId = Annotated[str, Field(pattern=r"^[CSPTDM][0-9]{1,2}$")]
"""A rule of domain.md 1."""


def checked_municipality(code: str) -> str:
    """The code, if its check digit is right. Raises ValueError."""
    if not is_municipality_code(code):
        raise ValueError("not a 全国地方公共団体コード: check digit is wrong")
    return code


class FieldType(StrEnum):
    """What a field's value is, as JSON. Dates are calendar days, written as in Japan or as 2026-11-02."""

    TEXT = "text"
    """One line."""
    LONG_TEXT = "long_text"
    DATE = "date"
    ERA_DATE = "era_date"
    """A date that the paper form asks for with its 元号."""
    NUMBER = "number"
    """A whole number."""
    CODE = "code"
    """One of the codes."""
    CODES = "codes"
    """Any of the codes; with ``primary`` as ``{"codes": […], "primary": …}``, where one is marked ◎."""
    FLAG = "flag"
    """Yes or no; a required flag wants an answer, not a yes."""
    STAFF = "staff"
    """A member of staff, by reference or as written: one line."""
    AGENCY = "agency"
    """The code of an agency in the municipality's profile."""
    TABLE = "table"
    """Rows of columns."""


DATES = frozenset({FieldType.DATE, FieldType.ERA_DATE})
TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.STAFF})
CHOICES = frozenset({FieldType.CODE, FieldType.CODES})


class FormKind(StrEnum):
    """What a form is for; several forms of one kind are variants of one another (C12)."""

    RECEPTION = "reception"
    ASSESSMENT = "assessment"
    PLAN = "plan"
    EVALUATION = "evaluation"
    REFERRAL = "referral"
    MEETING_REQUEST = "meeting_request"
    EARLY_SIGNAL = "early_signal"


KIND_TEXT = {
    FormKind.RECEPTION: "相談受付・申込票",
    FormKind.ASSESSMENT: "アセスメント",
    FormKind.PLAN: "プラン",
    FormKind.EVALUATION: "評価",
    FormKind.REFERRAL: "つなぎ",
    FormKind.MEETING_REQUEST: "会議の受付",
    FormKind.EARLY_SIGNAL: "気づき",
}


class Choice(Data):
    """One code of a code list and what people read."""

    code: Id
    label: Label


class When(Data):
    """A field is required once ``field`` is filled (a flag: with yes), or holds one of the codes in ``among``."""

    field: Id
    among: tuple[Id, ...] = ()


class FormField(Data):
    """項目: one thing a form asks. ``primary``: one of the codes is marked ◎ (お困りごと)."""

    id: Id
    label: Label
    type: FieldType
    codes: Annotated[tuple[Choice, ...], BeforeValidator(lambda codes: _listed(codes))] = ()
    """In a file: ``codes = { male = "男性", … }``, in the form's order."""
    columns: tuple["FormField", ...] = ()
    max_rows: Annotated[int, Field(ge=1, le=100)] = 30
    required: bool = False
    required_when: When | None = None
    reported_to_state: bool = False
    """国への報告事項. Only where the field's own source says so."""
    primary: bool = False
    max_length: Annotated[int, Field(ge=1, le=LONGEST)] | None = None
    """Characters; without it 200 for a line and 10,000 for a long text."""
    least: int = 0
    most: Annotated[int, Field(le=999_999_999)] = 999_999_999
    """The bounds of a number. Nine digits: a 個人番号 has twelve."""
    not_before: Id | None = None
    not_after: Id | None = None
    """The date field of the same form that this date must not precede, or follow."""
    consent_part: bool = False
    """Part of the 申込・同意欄 or a signature: never on a form without consent (C12)."""
    concealed: bool = False
    """Tells where somebody is: masked for most viewers where the case is under 秘匿 (DV等支援措置, S18)."""
    tax: bool = False
    """Information of the tax office: whatever is written here needs a consent that covers it (S9, 地方税法22条)."""
    note: str = ""
    rules: tuple[RuleId, ...] = ()
    source: str = ""
    """Empty: the section's, or the form's."""
    verified: bool | None = None
    """Whether a source that was read says so. None: as the section."""

    @property
    def longest(self) -> int:
        """How many characters a text holds."""
        return self.max_length or (LONGEST if self.type is FieldType.LONG_TEXT else 200)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        faults = {
            "codes belong to code and codes, and only there": bool(self.codes) is not (self.type in CHOICES),
            "columns belong to a table, and only there": bool(self.columns) is not (self.type is FieldType.TABLE),
            "only codes have a primary one": self.primary and self.type is not FieldType.CODES,
            "only texts have a length": self.max_length is not None and self.type not in TEXTS,
            "only dates are compared with dates": bool(self.not_before or self.not_after) and self.type not in DATES,
            "required or required_when, not both": self.required and self.required_when is not None,
            "what is reported to the state names its own source": self.reported_to_state and not self.source,
            "least is more than most": self.least > self.most,
            "a concealed field is not required: who may not see it could never fill in the form": self.concealed
            and (self.required or self.required_when is not None),
            "a whole table is concealed or of the tax office, not a column": any(
                one.concealed or one.tax for one in self.columns
            ),
            "a column holds no table and depends on no other field": any(
                one.columns or one.required_when or one.not_before or one.not_after for one in self.columns
            ),
        }
        for text in (text for text, wrong in faults.items() if wrong):
            raise ValueError(text)
        _unique([one.code for one in self.codes], "code")
        _unique([one.label for one in self.codes], "label of a code")
        _unique([one.id for one in self.columns], "column")
        _unique([one.label for one in self.columns], "label of a column")
        return self


def _listed(codes: object) -> object:
    """A table of codes and labels as the list that Choice wants."""
    return [{"code": code, "label": label} for code, label in codes.items()] if isinstance(codes, dict) else codes


class Section(Data):
    """区分: fields under one heading."""

    id: Id
    title: Label
    fields: tuple[FormField, ...] = ()
    note: str = ""
    """What the paper says under the heading."""
    source: str = ""
    verified: bool = False


class Form(Data):
    """様式: one version of one form. ``addition``: which version of the city's additions it contains, 0 for none."""

    id: Id
    version: PositiveInt
    title: Label
    kind: FormKind
    consent: Literal["with", "without", "either"]
    """Whether it is for cases whose client consented. The two 申込票 are variants of one kind (C12)."""
    effective_from: date
    source: str = Field(min_length=1)
    note: str = ""
    municipality: Annotated[MunicipalityCode, AfterValidator(checked_municipality)] | None = None
    """Whose own form it is; None: for every municipality."""
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    addition: Annotated[int, Field(ge=0)] = 0

    @property
    def edition(self) -> str:
        """How a filled form names it: ``1``, with additions ``1+2``."""
        return f"{self.version}+{self.addition}" if self.addition else str(self.version)

    @property
    def fields(self) -> tuple[FormField, ...]:
        """All fields in the form's order."""
        return tuple(field for section in self.sections for field in section.fields)

    def is_verified(self, section: Section, field: FormField) -> bool:
        """Whether a source that was read says that the form asks this."""
        return section.verified if field.verified is None else field.verified

    def _ids(self) -> list[str]:
        return [section.id for section in self.sections] + [field.id for field in self.fields]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        _unique([section.id for section in self.sections], "section")
        _unique([section.title for section in self.sections], "section's title")
        _unique([field.id for field in self.fields], "field")
        _unique([field.label for field in self.fields], "label")
        if self.id.startswith(OWN) is not (self.municipality is not None):
            raise ValueError(f"a municipality's own form, and no other, has an id that begins with {OWN}")
        if not self.addition and any(name.startswith(OWN) for name in self._ids()):
            raise ValueError(f"ids that begin with {OWN} are for additions")
        known = {field.id: field for field in self.fields}
        for field in self.fields:
            _refers(field, known)
        if self.consent == "without":
            _nothing_to_sign(self)
            _no_tax(self)
        return self


def _refers(field: FormField, known: dict[str, FormField]) -> None:
    """Refuse a field that depends on one that does not exist or cannot be compared. Raises ValueError."""
    if when := field.required_when:
        if when.field not in known or when.field == field.id:
            raise ValueError(f"{field.id}: required_when names no other field")
        if not set(when.among) <= {choice.code for choice in known[when.field].codes}:
            raise ValueError(f"{field.id}: required_when names unknown codes")
    for other in (one for one in (field.not_before, field.not_after) if one):
        if other not in known or other == field.id or known[other].type not in DATES:
            raise ValueError(f"{field.id}: not_before and not_after name another date")


def _nothing_to_sign(form: Form) -> None:
    """Refuse whatever asks for consent, an application or a signature (C12). Raises ValueError."""
    for field in (one for whole in form.fields for one in (whole, *whole.columns)):
        if field.consent_part or any(word in field.label for word in CONSENT_WORDS):
            raise ValueError(f"{field.id}: a form without consent has no consent part and no signature (C12)")
    if any(word in section.title for section in form.sections for word in CONSENT_WORDS):
        raise ValueError("a form without consent has no consent part (C12)")


def _no_tax(form: Form) -> None:
    """Refuse a field of the tax office where no consent can cover it (S9). Raises ValueError."""
    if asked := [field.id for field in form.fields if field.tax]:
        raise ValueError(f"{', '.join(asked)}: a form without consent asks for nothing of the tax office (S9)")


def _unique(names: Sequence[str], what: str) -> None:
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} twice: {', '.join(double)}")
