"""Filled forms of a case: kept sealed, version by version, and read only by whom the case may be shown to.

A paper that holds information of the tax office is shown under an item of its own, of the category tax: decided,
permitted and registered by itself (S9). What tells where somebody is, is masked while the case is under 秘匿 (S18).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from contracts.filling import validate
from contracts.form_editions import NoSuchForm, edition, in_force
from contracts.forms import FieldType, Form, FormField
from contracts.intake import SecrecyChanged
from contracts.masking import MASK, clues, mask
from contracts.message import Compartment, Event
from contracts.papers import (
    Concealment,
    ConcealmentSet,
    LookAtPapers,
    PaperFault,
    PaperHead,
    PaperList,
    PaperSaved,
    PaperView,
    ReadPaper,
    SavePaper,
    SetConcealment,
    carried,
    concealed_fields,
    fits,
    holds_tax,
    without,
)
from contracts.policy import Category
from services import sharing
from services.coordination import domain, showing
from services.coordination.entries import TAX_IN_SHIEN, TAX_UNCOVERED
from services.coordination.handlers import service
from services.coordination.hearing import is_stopped
from services.coordination.life_terms import Refusal
from services.coordination.living import ANOTHER, GONE, NOT_SEEN, STOPPED
from services.coordination.resting import NO_PAPER
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import case, concealment, consents, erased, item, paper, secrecy_told
from services.forms import known_forms
from services.service import Shut, Tx, Work

SEALED_IN = "paper.content"
Forms = tuple[Form, ...]
OTHERS = Refusal("T2", "ほかの人が先に新しい版を保存しました。", "何が変わったかを読んで、もう一度保存してください。")
NEW_EDITION = Refusal(
    "C12", "この様式の、いまの版ではありません。", "いまの版に移した内容を確かめて、もう一度保存してください。"
)
NO_FORM = Refusal(
    "C12", "この会議の事案では、この様式に記入できません。", "事案の書類の画面で、使える様式から選んでください。"
)
NO_AGENCY = Refusal("S18", "プロファイルにない機関があります。", "機関の一覧から選び直してください。")
NOT_YOURS = Refusal(
    "S18", "秘匿の対象を変えられるのは、居所を見られる機関だけです。", "秘匿を決めた機関に連絡してください。"
)
MASKED_TEXT = (
    "〔秘匿〕のある文は、そのままでは保存できません。秘匿を見られる人に頼むか、〔秘匿〕のない文に書き直してください。"
)
TEXTS = (FieldType.TEXT, FieldType.LONG_TEXT)


@service.on(SecrecyChanged)
def learn_secrecy(told: SecrecyChanged, tx: Tx) -> Iterable[Event]:
    """A 世帯員 is 秘匿 at intake, or no longer: from this commit on the case's papers follow (S18)."""
    row = {"case": told.about, "version": told.version, "compartment": tx.here, "at": tx.now}
    row |= {"secret": bool(told.members), "viewers": [str(one) for one in told.viewers]}
    tx.execute(insert(secrecy_told).values(row))
    return ()


@service.performs(LookAtPapers)
async def look_at_papers(asked: LookAtPapers, work: Work) -> PaperList:
    """Which papers a case has, for somebody who may see the case; without their content."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, [asked.case], partial(_list, asked.case, viewer))


@service.performs(ReadPaper)
async def read_paper(asked: ReadPaper, work: Work) -> PaperView:
    """One version. Of a paper with tax data the case's own showing tells no answer: it needs one of its own (S9)."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    read = partial(_read, asked, viewer, known_forms(work.settings))
    view = await showing.show(work, viewer, [asked.case], partial(read, Category.ORDINARY))
    if not view.found or view.head is None or view.head.category is Category.ORDINARY:
        return view
    return await showing.show(work, viewer, [asked.case], partial(read, Category.TAX), Category.TAX)


@service.performs(SavePaper)
async def save_paper(asked: SavePaper, work: Work) -> PaperSaved:
    """Save a version that has no fault. The same request again is the same version."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return _refused(NOT_SEEN)
    return await work.run(partial(_save, asked, viewer, known_forms(work.settings)))


@service.performs(SetConcealment)
async def set_concealment(asked: SetConcealment, work: Work) -> ConcealmentSet:
    """Mask what tells where somebody is, for all agencies but those named, or end it (DV等支援措置)."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    refusal = NOT_SEEN if viewer is None or not seen else await work.run(partial(_set_concealment, asked, viewer))
    if refusal is None:
        return ConcealmentSet(done=True)
    return ConcealmentSet(done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


# -- reading -----------------------------------------------------------------------------------------------------------


def _list(about: UUID, viewer: Viewer | None, sight: Sight, tx: Tx) -> PaperList:
    if viewer is None or about not in sight.shown:
        return PaperList(found=False)
    newest: dict[UUID, PaperHead] = {}
    for row in tx.execute(select(paper).where(paper.c.case == about).order_by(paper.c.at, paper.c.version)):
        newest.pop(row.paper, None)
        newest[row.paper] = _head(row)
    papers = tuple(reversed(newest.values()))
    return PaperList(
        found=True, papers=papers, concealment=_concealment(about, viewer, tx), erased=_is_erased(about, tx)
    )


def _read(asked: ReadPaper, viewer: Viewer | None, forms: Forms, category: Category, sight: Sight, tx: Tx) -> PaperView:
    """The version, if this showing is of its category; else its head only."""
    rows = _versions(asked.paper, tx)
    row = next((one for one in reversed(rows) if asked.version in (None, one.version)), None)
    if viewer is None or row is None or row.case != asked.case:
        return PaperView(found=False)
    if asked.case not in sight.shown:
        known_refusal = category is Category.TAX and not sight.fenced
        return _withheld(row, rows, sight) if known_refusal else PaperView(found=False)
    known = PaperView(
        found=True,
        head=_head(row),
        versions=tuple(_head(one) for one in rows),
        concealment=_concealment(asked.case, viewer, tx),
    )
    if row.category != category:
        return known
    try:
        values = _answers(row, tx)
    except Shut:
        return known.model_copy(update={"erased": True})
    hidden: tuple[str, ...] = ()
    if not known.concealment.open_to_viewer:
        values, hidden = _masked(forms, row, values, _clues(asked.case, forms, tx))
    return known.model_copy(update={"values": values, "masked": hidden})


def _withheld(row: Row[Any], rows: Sequence[Row[Any]], sight: Sight) -> PaperView:
    """A paper with tax data that the consent does not cover for this viewer: the sentence of the policy, no answer."""
    decision = next((one.decision for one in sight.refused), None)
    return PaperView(
        found=True,
        head=_head(row),
        versions=tuple(_head(one) for one in rows),
        withheld=True,
        rule="S9",
        reason=decision.reason if decision else TAX_UNCOVERED,
        next_step=decision.next_step if decision else "",
    )


def _masked(
    forms: Forms, row: Row[Any], values: dict[str, object], found: frozenset[str]
) -> tuple[dict[str, object], tuple[str, ...]]:
    """Without the fields that tell where somebody is, nor their words in other texts (S18).

    Nothing at all where nobody knows any more which these are.
    """
    try:
        form = edition(forms, row.form, row.edition)
    except NoSuchForm:
        return {}, tuple(values)
    hidden = concealed_fields(forms, row.form)
    shown = _without_clues(form.fields, without(values, hidden), found)
    return shown, tuple(field.id for field in form.fields if field.id in hidden)


def _clues(about: UUID, forms: Forms, tx: Tx) -> frozenset[str]:
    """What concealed fields hold or ever held in all papers of the case: it is masked in other fields, too."""
    found: set[str] = set()
    for row in tx.execute(select(paper).where(paper.c.case == about)):
        hidden = concealed_fields(forms, row.form)
        try:
            answers = _answers(row, tx)
        except Shut:
            continue
        found.update(text for name in hidden & answers.keys() for text in clues(answers[name]))
    return frozenset(found)


def _without_clues(
    fields: Sequence[FormField], values: Mapping[str, object], found: frozenset[str]
) -> dict[str, object]:
    """Answers with these words masked in every text, also in the rows of a table; codes, dates and numbers stay."""
    kinds, shown = {field.id: field for field in fields}, dict(values)
    for name, value in values.items():
        field = kinds.get(name)
        if field is not None and field.type is FieldType.TABLE and isinstance(value, list):
            shown[name] = [_without_clues(field.columns, one, found) if isinstance(one, dict) else one for one in value]
        elif isinstance(value, str) and (field is None or field.type in TEXTS):
            shown[name] = mask(value, found)
    return shown


def _versions(about: UUID | None, tx: Tx) -> Sequence[Row[Any]]:
    if about is None:
        return ()
    return tx.execute(select(paper).where(paper.c.paper == about).order_by(paper.c.version)).all()


def _head(row: Row[Any]) -> PaperHead:
    names = ("paper", "version", "form", "kind", "edition", "category", "by", "agency", "at")
    return PaperHead.model_validate({name: getattr(row, name) for name in names})


def _answers(row: Row[Any], tx: Tx) -> dict[str, object]:
    """Raises Shut once the case is erased."""
    found: dict[str, object] = json.loads(tx.open(row.case, SEALED_IN, row.content))
    return found


def _concealment(about: UUID, viewer: Viewer, tx: Tx) -> Concealment:
    last = tx.execute(
        select(concealment).where(concealment.c.case == about).order_by(concealment.c.number.desc()).limit(1)
    ).first()
    told = tx.execute(
        select(secrecy_told).where(secrecy_told.c.case == about).order_by(secrecy_told.c.version.desc()).limit(1)
    ).first()
    agencies = tuple(last.agencies) if last is not None and last.concealed else None
    at_intake = told is not None and told.secret
    named = told is None or not at_intake or str(viewer.person) in told.viewers
    return Concealment(
        concealed=at_intake or agencies is not None,
        agencies=agencies or (),
        open_to_viewer=named and (agencies is None or viewer.agency in agencies),
        at_intake=at_intake,
    )


def _is_erased(about: UUID, tx: Tx) -> bool:
    return tx.execute(select(erased.c.subject).where(erased.c.subject == about)).first() is not None


# -- saving ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Draft:
    """What somebody wants to save, in the edition in force, with what the viewer could not see filled in."""

    form: Form
    values: Mapping[str, object]
    category: Category


def _save(asked: SavePaper, viewer: Viewer, forms: Forms, tx: Tx) -> PaperSaved:
    rows = _versions(asked.paper, tx)
    if refusal := _closed(asked.case, tx):
        return _refused(refusal)
    same = tx.execute(select(paper).where(paper.c.request == asked.request)).first()
    if same is None and ((asked.paper and not rows) or any(one.case != asked.case for one in rows)):
        return _refused(NO_PAPER)
    try:
        form = in_force(forms, rows[0].form if rows else asked.form, domain.today(tx.now))
    except NoSuchForm as error:
        return _refused(Refusal("C12", str(error), NO_FORM.next_step))
    if form.id != asked.form or not fits(form, tx.here):
        return _refused(NO_FORM)
    if same is None and asked.edition != form.edition:
        return _refused(NEW_EDITION).model_copy(update={"edition": form.edition})
    if same is None and len(rows) != asked.after:
        return _refused(OTHERS).model_copy(update={"newer": len(rows)})
    base = next((one for one in rows[: asked.after] if one.version == asked.after), None)
    said = _with_hidden(asked, viewer, form, base, forms, tx)
    blind = not _concealment(asked.case, viewer, tx).open_to_viewer
    if base is not None and blind and (faults := _masks_left(form, said, _answers(base, tx))):
        return PaperSaved(done=False, faults=faults)
    checked = validate(form, said, _agencies(tx))
    if checked.faults:
        return PaperSaved(done=False, faults=tuple(PaperFault(**fault._asdict()) for fault in checked.faults))
    category = Category.TAX if asked.tax or holds_tax(form, checked.values) else Category.ORDINARY
    draft = _Draft(form, checked.values, category)
    if same is not None:
        return _again(same, asked, draft, tx)
    if refusal := _untaxed(asked.case, category, tx):
        _audit(asked, viewer, draft, refusal.rule, "refuse", tx)
        return _refused(refusal)
    return _record(asked, viewer, draft, tx)


def _record(asked: SavePaper, viewer: Viewer, draft: _Draft, tx: Tx) -> PaperSaved:
    """Write the version, and for tax data the item it is shown under, both or neither.

    Of two people who did so at once the second is told that there is a newer version.
    """
    ref = asked.paper or tx.ref()
    row = {
        "paper": ref,
        "version": asked.after + 1,
        "case": asked.case,
        "compartment": tx.here,
        "request": asked.request,
        "at": tx.now,
        "form": draft.form.id,
        "kind": draft.form.kind.value,
        "edition": draft.form.edition,
        "category": draft.category.value,
        "anxious": any(draft.values.get(one.id) is True for one in draft.form.fields if "C7" in one.rules),
        "by": viewer.person,
        "agency": viewer.agency,
        "content": tx.seal(asked.case, SEALED_IN, json.dumps(draft.values, ensure_ascii=False)),
    }
    try:
        with tx.connection.begin_nested():
            tx.execute(insert(paper).values(row))
            if draft.category is Category.TAX:
                _make_tax_item(asked.case, tx)
    except IntegrityError:
        now = len(_versions(asked.paper, tx))
        if now != asked.after:
            return _refused(OTHERS).model_copy(update={"newer": now})
        return _refused(Refusal("S9", TAX_UNCOVERED, "")) if draft.category is Category.TAX else _refused(ANOTHER)
    _audit(asked, viewer, draft, "T2", "allow", tx)
    return PaperSaved(done=True, paper=ref, version=asked.after + 1)


def _again(same: Row[Any], asked: SavePaper, draft: _Draft, tx: Tx) -> PaperSaved:
    """A request that was carried out before is answered as then, if it asks for the same."""
    asks = (asked.case, asked.form, asked.edition, asked.after + 1, draft.category, asked.paper or same.paper)
    did = (same.case, same.form, same.edition, same.version, same.category, same.paper)
    if asks != did or dict(draft.values) != _answers(same, tx):
        return _refused(ANOTHER)
    return PaperSaved(done=True, paper=same.paper, version=same.version)


def _with_hidden(
    asked: SavePaper, viewer: Viewer, form: Form, base: Row[Any] | None, forms: Forms, tx: Tx
) -> dict[str, object]:
    """What was asked to save; fields that are masked for the viewer hold what the version before holds (S18)."""
    if _concealment(asked.case, viewer, tx).open_to_viewer:
        return asked.values
    hidden = concealed_fields(forms, form.id)
    said = without(asked.values, hidden)
    if base is None:
        return said
    try:
        before = carried(edition(forms, base.form, base.edition), form, _answers(base, tx)).values
    except (NoSuchForm, Shut):
        return said
    shown = _without_clues(form.fields, before, _clues(asked.case, forms, tx))
    untouched = {name for name, value in said.items() if name in shown and _same(value, shown[name])}
    return said | {name: before[name] for name in before if name in hidden or name in untouched}


def _same(said: object, shown: object) -> bool:
    """Whether somebody sent back what was shown: a browser sends line ends of its own."""
    if isinstance(said, str) and isinstance(shown, str):
        return said.replace("\r\n", "\n").strip() == shown.strip()
    return said == shown


def _masks_left(form: Form, values: Mapping[str, object], before: Mapping[str, object]) -> tuple[PaperFault, ...]:
    """A mask that would be kept in the place of what it hides: the words under it would be lost (S18).

    One that stood there ``before``, because what was known at first came masked from intake, hides nothing here.
    """
    return tuple(
        PaperFault(field=field.id, label=field.label, rule="S18", message=MASKED_TEXT)
        for field in form.fields
        if any(MASK in text for text in clues(values.get(field.id)))
        and not any(MASK in text for text in clues(before.get(field.id)))
    )


def _make_tax_item(about: UUID, tx: Tx) -> None:
    """What showings of tax data of a case are registered under: it is withdrawn at once and goes to no meeting.

    Its purpose is the one the case was put forward for last.
    """
    newest = tx.execute(
        select(item.c.purpose, item.c.member)
        .where(item.c.case == about, item.c.category == Category.ORDINARY)
        .order_by(item.c.put_at.desc())
        .limit(1)
    ).one()
    mine = item.c.case == about, item.c.category == Category.TAX, item.c.purpose == newest.purpose
    if tx.execute(select(item.c.id).where(*mine)).first() is None:
        new = {"id": tx.ref(), "compartment": tx.here, "case": about, "purpose": newest.purpose}
        new |= {"member": newest.member, "category": Category.TAX.value, "put_at": tx.now, "withdrawn_at": tx.now}
        tx.execute(insert(item).values(new))


def _untaxed(about: UUID, category: Category, tx: Tx) -> Refusal | None:
    """Tax data has no place in shien at all, and in juso one only under a consent that covers it (S9)."""
    if category is Category.ORDINARY:
        return None
    if tx.here is Compartment.SHIEN:
        return Refusal("S9", TAX_IN_SHIEN, "")
    head = sharing.heads(consents, tx, [about]).get(about)
    return None if head and head.scope and head.scope.covers_tax else Refusal("S9", TAX_UNCOVERED, "")


def _closed(about: UUID, tx: Tx) -> Refusal | None:
    """Nothing is written of an erased case, nor in juso while no consent opens it (C11, S11)."""
    if _is_erased(about, tx):
        return GONE
    if tx.here is not Compartment.JUSO:
        return None
    head = sharing.heads(consents, tx, [about]).get(about)
    shut = is_stopped(head, tx.now)
    return STOPPED if shut else None


def _agencies(tx: Tx) -> frozenset[str]:
    return frozenset(one.code for one in tx.profile.agencies)


def _refused(refusal: Refusal) -> PaperSaved:
    return PaperSaved(done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step)


def _audit(asked: SavePaper, viewer: Viewer, draft: _Draft, rule: str, outcome: str, tx: Tx) -> None:
    actor, form = str(viewer.person), draft.form.id[:40]  # as much as a detail of the audit log holds
    tx.audit(act="paper", outcome=outcome, rule=rule, actor=actor, case=asked.case, detail=form)


# -- concealing --------------------------------------------------------------------------------------------------------


def _set_concealment(asked: SetConcealment, viewer: Viewer, tx: Tx) -> Refusal | None:
    agencies = sorted({*asked.agencies, viewer.agency}) if asked.concealed else []
    done = tx.execute(select(concealment).where(concealment.c.request == asked.request)).first()
    if done is not None:
        same = (done.case, done.concealed, sorted(done.agencies)) == (asked.case, asked.concealed, agencies)
        return None if same else ANOTHER
    if refusal := _closed(asked.case, tx):
        return refusal
    if not set(agencies) <= _agencies(tx):
        return NO_AGENCY
    if not _concealment(asked.case, viewer, tx).open_to_viewer:
        tx.audit(act="conceal", outcome="refuse", rule="S18", actor=str(viewer.person), case=asked.case)
        return NOT_YOURS
    tx.execute(select(case.c.id).where(case.c.id == asked.case).with_for_update())  # one decision at a time
    last = tx.connection.scalar(select(func.max(concealment.c.number)).where(concealment.c.case == asked.case)) or 0
    row = {"case": asked.case, "number": last + 1, "compartment": tx.here, "request": asked.request, "at": tx.now}
    row |= {"by": viewer.person, "agency": viewer.agency, "concealed": asked.concealed, "agencies": agencies}
    tx.execute(insert(concealment).values(row))
    detail = "concealed" if asked.concealed else "open"
    tx.audit(act="conceal", outcome="allow", rule="S18", actor=str(viewer.person), case=asked.case, detail=detail)
    return None
