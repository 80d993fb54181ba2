"""Filled forms of a case (書類): their versions, who may read what of them, and what an older edition carries over.

A version keeps for ever the edition of the form it was filled in with (種000 別添5 1(3): アセスメント、プラン、評価);
another version is a row beside it. Content is free text about people: it travels in questions only, never in events.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, Field, PositiveInt, StringConstraints

from contracts.filling import validate
from contracts.forms import Form, FormField, FormKind, Id
from contracts.life import Step
from contracts.message import Code, Compartment, Message, Question
from contracts.policy import Category

Edition = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}(\+[1-9][0-9]{0,5})?$")]
"""Which edition of its form a version was filled in with: ``1``, or ``1+2`` with a municipality's additions."""

OF_A_CASE = frozenset(
    {FormKind.RECEPTION, FormKind.ASSESSMENT, FormKind.PLAN, FormKind.EVALUATION, FormKind.MEETING_REQUEST}
)
"""Kinds that are filled in for a case. A つなぐシート and an early signal come before there is one."""
RESTS_ON = {Step.ASSESS: FormKind.ASSESSMENT, Step.DRAFT: FormKind.PLAN, Step.EVALUATE: FormKind.EVALUATION}
"""The steps of a life that may rest on a paper, and on which kind of form."""
OF_OTHERS = frozenset({"plan_participation"})
"""Plans that are not the case's own plan: the 参加支援プラン follows the decision on that plan (D3)."""


def fits(form: Form, where: Compartment) -> bool:
    """Whether a case of this compartment fills in this form: what asks for consent only where there is one (C12)."""
    own = {Compartment.JUSO: "with", Compartment.SHIEN: "without"}[where]
    return form.kind in OF_A_CASE and form.consent in (own, "either")


def carries(step: Step, kind: FormKind, form: str) -> bool:
    """Whether this step of a case may rest on this form."""
    return RESTS_ON.get(step) is kind and form not in OF_OTHERS


# -- from one edition to the next --------------------------------------------------------------------------------------


class Carried(NamedTuple):
    """What an older edition's answers are in a newer one: kept as they are, left out, or asked for the first time."""

    values: dict[str, object]
    left: tuple[FormField, ...]
    """Fields of the old edition whose answer has no place in the new one."""
    fresh: tuple[FormField, ...]
    """Fields that the old edition did not ask."""


def carried(old: Form, new: Form, values: Mapping[str, object]) -> Carried:
    """The answers that stand under the same id in both editions and are still sound there; nothing is guessed."""
    asked, known = {field.id for field in new.fields}, {field.id for field in old.fields}
    kept = {name: value for name, value in values.items() if name in asked and _is_sound(new, name, value)}
    left = tuple(field for field in old.fields if field.id in values and field.id not in kept)
    return Carried(kept, left, tuple(field for field in new.fields if field.id not in known))


def _is_sound(form: Form, name: str, value: object) -> bool:
    faults = validate(form, {name: value}).faults
    return not any(fault.field.partition(".")[0] == name for fault in faults)


# -- concealing --------------------------------------------------------------------------------------------------------


def concealed_fields(forms: Iterable[Form], form_id: str) -> frozenset[str]:
    """The fields of a form that tell where somebody is, by any of its editions: an older one may lack the mark (S18).

    Additions of a municipality may be marked, too.
    """
    return frozenset(field.id for form in forms if form.id == form_id for field in form.fields if field.concealed)


def without(values: Mapping[str, object], hidden: Collection[str]) -> dict[str, object]:
    """The answers but for these fields."""
    return {name: value for name, value in values.items() if name not in hidden}


def holds_tax(form: Form, values: Mapping[str, object]) -> bool:
    """Whether something of the tax office is written in a field that asks for it (S9)."""
    return any(field.tax and field.id in values for field in form.fields)


# -- messages ----------------------------------------------------------------------------------------------------------


class PaperHead(Message):
    """One version of a paper without its content: which form and edition, by whom and when."""

    paper: UUID
    version: PositiveInt
    form: Id
    kind: FormKind
    edition: Edition
    category: Category
    by: UUID
    agency: Code
    at: AwareDatetime


class Concealment(Message):
    """Whether what tells where somebody is, is masked in this case's papers, and for whom it is not (S18).

    ``open_to_viewer``: whether the viewer's agency is among them; only such an agency may change it. ``at_intake``: a
    世帯員 is 秘匿 at intake; then the viewer has to be a person named there, too: the narrower of both holds.
    """

    concealed: bool = False
    agencies: tuple[Code, ...] = ()
    open_to_viewer: bool = True
    at_intake: bool = False


class PaperList(Message):
    """The newest version of each paper of a case, the newest paper first; not ``found`` for who may not see it."""

    found: bool
    papers: tuple[PaperHead, ...] = ()
    concealment: Concealment = Concealment()
    erased: bool = False


class LookAtPapers(Question[PaperList], subject="ask.coordination.look_at_papers.v1"):
    """Which forms were filled in for a case? Shown as ``Cases`` are."""

    case: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class PaperView(Message):
    """One version of a paper as one viewer may read it.

    ``values`` are clean answers by field, those in ``masked`` left out. ``withheld``: the version is there, and by
    which rule, why and what to do instead; then there are no values.
    """

    found: bool
    head: PaperHead | None = None
    versions: tuple[PaperHead, ...] = ()
    values: dict[str, Any] = Field(default_factory=dict)
    masked: tuple[Id, ...] = ()
    concealment: Concealment = Concealment()
    erased: bool = False
    withheld: bool = False
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class ReadPaper(Question[PaperView], subject="ask.coordination.read_paper.v1"):
    """One version of a paper, the newest without ``version``. Shown as ``Cases`` are; tax data needs cover (S9)."""

    case: UUID
    paper: UUID
    version: PositiveInt | None = None
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class PaperFault(Message):
    """What is wrong with one answer (contracts/filling.py); never with the answer itself."""

    field: str
    label: str
    rule: str
    message: str


class PaperSaved(Message):
    """Whether a version was saved; if not, the faults, or by which rule, why, and the lawful next step.

    ``newer``: somebody else saved that version meanwhile. ``edition``: the one to fill in, where another was named.
    """

    done: bool
    paper: UUID | None = None
    version: int = 0
    faults: tuple[PaperFault, ...] = ()
    newer: int = 0
    edition: str = ""
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class SavePaper(Question[PaperSaved], subject="ask.coordination.save_paper.v1"):
    """Save a filled form of a case as a new paper, or as the next version of one.

    ``request``: the same one twice is one. ``after``: the version that was read, 0 for a new paper. ``edition``: the
    one in force today. ``tax``: it holds information of the tax office, whether or not a field of the form says so.
    Fields that are masked for the viewer keep what they hold, whatever ``values`` says.
    """

    case: UUID
    request: UUID
    form: Id
    edition: Edition
    paper: UUID | None = None
    after: Annotated[int, Field(ge=0)] = 0
    values: dict[str, Any]
    tax: bool = False
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class ConcealmentSet(Message):
    """Whether it was done; if not, by which rule, why, and what to do."""

    done: bool
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class SetConcealment(Question[ConcealmentSet], subject="ask.coordination.set_concealment.v1"):
    """Put a case under 秘匿 (DV等支援措置), change for which agencies nothing is masked, or end it (S18).

    The viewer's own agency is always among them, so that nobody locks out himself. The same ``request`` twice is one.
    """

    case: UUID
    request: UUID
    concealed: bool
    agencies: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    viewer: UUID | None = None
    viewer_agency: Code | None = None
