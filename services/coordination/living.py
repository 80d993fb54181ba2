"""Takes the steps of a case's life, and tells how it stands: to whom the case may be shown, and to nobody else."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.life import (
    Act,
    CaseDue,
    DueList,
    LifeView,
    LookAtDue,
    LookAtLife,
    State,
    Step,
    StepTaken,
    Taken,
    TakeStep,
)
from contracts.message import Compartment, Event
from contracts.policy import Category
from services import sharing
from services.coordination import domain, life, showing
from services.coordination.handlers import record_steps, service
from services.coordination.life import Life, Refusal
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import act, case, case_agency, commissions, consents, erased, item
from services.coordination.views import portions
from services.service import Shut, Tx, Work

SEALED_IN = "act.words"
NOT_SEEN = Refusal("C1", "この事案は見られません。", "事案の番号と、同意か委嘱を確かめてください。")
STOPPED = Refusal(
    "C11", "有効な同意がないので、進められません。", "改めて同意を得るか、支援会議で扱う必要性を判断してください。"
)
OUTSIDE = Refusal(
    "C3", "この目的は、本人の同意の範囲に入っていません。", "この目的を含む同意を得てから付議してください。"
)
GONE = Refusal("S11", "この事案は消去されました。", "改めて支援するときは、新しいつなぎとして受け付けてください。")
OTHERS = Refusal("T1", "ほかの人が先に記録しました。", "何が変わったかを読んで、もう一度選んでください。")
ANOTHER = Refusal("T1", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、記録し直してください。")
BRINGS = (Step.BRING, Step.BRING_CLOSING, Step.BRING_SUSPENSION)


@service.performs(LookAtLife)
async def look_at_life(asked: LookAtLife, work: Work) -> LifeView:
    """How the case stands, for somebody who may see it."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, [asked.case], partial(_view, asked.case, viewer))


@service.performs(LookAtDue)
async def look_at_due(asked: LookAtDue, work: Work) -> DueList:
    """What is due of every case this person may see, the most pressing first."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, None, _due)


@service.performs(TakeStep)
async def take_step(asked: TakeStep, work: Work) -> StepTaken:
    """Take a step that is lawful now. The same request again is the same step."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return _refused(NOT_SEEN)
    answers: list[StepTaken] = []
    await work.tell(partial(_take, asked, viewer, answers))
    return answers[-1]


def _take(asked: TakeStep, viewer: Viewer, answers: list[StepTaken], tx: Tx) -> Iterable[Event]:
    rows = _rows(asked.case, tx)
    for row in rows:
        if row.request == asked.request:
            same = _whole(row, tx) == asked.act
            answers.append(
                StepTaken(done=True, number=row.number, state=State(row.state)) if same else _refused(ANOTHER)
            )
            return ()
    if len(rows) != asked.after:
        answers.append(_refused(OTHERS, _history(rows[asked.after :], tx)))
        return ()
    now = _life(asked.case, rows, tx)
    today, kind = domain.today(tx.now), _kind(viewer, tx)
    refusal = _closed(asked, now, tx) or life.judge(now, asked.act, kind, today, tx.profile)
    if refusal:
        _audit(asked, viewer, refusal.rule, "refuse", tx)
        answers.append(_refused(refusal))
        return ()
    return _record(asked, viewer, rows, now, answers, tx)


def _record(
    asked: TakeStep, viewer: Viewer, rows: Sequence[Row[Any]], now: Life, answers: list[StepTaken], tx: Tx
) -> Iterable[Event]:
    """Write the act and what it does to the case's items, both or neither.

    Of two people who did so at once the second is told what the first did.
    """
    state = life.after(now, asked.act).state
    codes, words = _split(asked.act)
    row = {
        "case": asked.case,
        "number": len(rows) + 1,
        "compartment": tx.here,
        "request": asked.request,
        "at": tx.now,
        "step": asked.act.step.value,
        "state": state.value,
        "by": viewer.person,
        "agency": viewer.agency,
        "codes": codes,
        "words": tx.seal(asked.case, SEALED_IN, json.dumps(words, ensure_ascii=False)),
    }
    try:
        with tx.connection.begin_nested():
            put, events = _items(asked, now, tx)
            tx.execute(insert(act).values(row | {"item": put}))
    except IntegrityError:
        answers.append(_refused(OTHERS, _history(_rows(asked.case, tx)[asked.after :], tx)))
        return ()
    _audit(asked, viewer, life.row(asked.act.step).rules[0], "allow", tx)
    answers.append(StepTaken(done=True, number=len(rows) + 1, state=state))
    return events


def _items(asked: TakeStep, now: Life, tx: Tx) -> tuple[UUID | None, list[Event]]:
    """The item a step brings to a meeting, new or one that still waits; or the items it takes back."""
    if asked.act.step is Step.TAKE_BACK or life.after(now, asked.act).state in life.OVER:
        return None, _take_back(_not_heard(asked.case, tx), tx)
    if asked.act.step not in BRINGS:
        return None, []
    purpose = life.purpose_of(now, asked.act.step)
    about = tx.execute(select(case).where(case.c.id == asked.case)).one()
    roles = [role.agency for role in now.plan.roles] if now.plan else []
    listed = select(case_agency.c.agency).where(case_agency.c.case == asked.case).order_by(case_agency.c.place)
    table = tuple(tx.execute(listed).scalars())
    waiting = [one for one in _not_heard(asked.case, tx) if one.purpose == purpose or tx.here is not Compartment.JUSO]
    called = {*table, *domain.could_be_seated(tx.profile, tx.here)}
    if waiting and set(roles) <= called and not asked.act.urgent:
        return waiting[-1].id, []
    events: list[Event] = list(_take_back(waiting, tx))  # it called others, or for another day (M1, P3)
    put = ItemPutForward(
        about=tx.ref(),
        case=asked.case,
        purpose=purpose,
        urgent=asked.act.urgent,
        received_on=about.received_on,
        agencies=tuple(dict.fromkeys([*table, *roles])),
        only_agencies=_is_narrowed(asked.case, tx),
        member=about.member,
        category=Category.ORDINARY,
        consent=about.consent,
    )
    kept = put.model_dump(include={"case", "purpose", "member", "category"})
    tx.execute(insert(item).values(id=put.about, compartment=tx.here, put_at=tx.now, **kept))
    record_steps(tx, asked.case, "item_put_forward")
    return put.about, [*events, put]


def _take_back(items: Sequence[Row[Any]], tx: Tx) -> list[Event]:
    for one in items:
        tx.execute(update(item).where(item.c.id == one.id).values(withdrawn_at=tx.now))
        record_steps(tx, one.case, "item_withdrawn")
    return [ItemWithdrawn(about=one.id, case=one.case) for one in items]


def _not_heard(about: UUID, tx: Tx) -> Sequence[Row[Any]]:
    """The items of a case that wait for a sitting, or whose sitting is still to come, and were not taken back."""
    coming = or_(item.c.starts.is_(None), item.c.starts > tx.now)
    mine = item.c.case == about, item.c.withdrawn_at.is_(None), coming
    return tx.execute(select(item).where(*mine).order_by(item.c.put_at)).all()


def _closed(asked: TakeStep, now: Life, tx: Tx) -> Refusal | None:
    """Nothing goes on once a case is erased, in juso while no consent opens it, to no meeting beyond it (C3, C11)."""
    if _is_erased(asked.case, tx):
        return GONE
    if tx.here is not Compartment.JUSO:
        return None
    head = sharing.heads(consents, tx, [asked.case]).get(asked.case)
    if head is None or head.scope is None or domain.stop_reason(head.state, head.scope, tx.now):
        return STOPPED
    brings = asked.act.step in BRINGS
    return OUTSIDE if brings and life.purpose_of(now, asked.act.step) not in head.scope.purposes else None


def _is_erased(about: UUID, tx: Tx) -> bool:
    return tx.execute(select(erased.c.subject).where(erased.c.subject == about)).first() is not None


def _is_narrowed(about: UUID, tx: Tx) -> bool:
    head = sharing.heads(consents, tx, [about]).get(about) if tx.here is Compartment.JUSO else None
    return head is not None and head.state is ConsentState.NARROWED


def _kind(viewer: Viewer, tx: Tx) -> str:
    return next((one.kind for one in tx.profile.agencies if one.code == viewer.agency), "")


def _audit(asked: TakeStep, viewer: Viewer, rule: str, outcome: str, tx: Tx) -> None:
    step = asked.act.step.value
    tx.audit(act="step", outcome=outcome, rule=rule, actor=str(viewer.person), case=asked.case, detail=step)


def _refused(refusal: Refusal, since: Iterable[Taken] = ()) -> StepTaken:
    return StepTaken(
        done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step, since=tuple(since)
    )


# -- reading -----------------------------------------------------------------------------------------------------------


def _rows(about: UUID, tx: Tx) -> Sequence[Row[Any]]:
    return tx.execute(select(act).where(act.c.case == about).order_by(act.c.number)).all()


def _life(about: UUID, rows: Sequence[Row[Any]], tx: Tx) -> Life:
    """Where the case stands; the rules read codes only, so that nothing sealed is opened."""
    brought = next((row.item for row in reversed(rows) if row.item), None)
    starts = tx.connection.scalar(select(item.c.starts).where(item.c.id == brought)) if brought else None
    known = tx.execute(select(case.c.received_on, case.c.referrer).where(case.c.id == about)).one()
    facts = {"received_on": known.received_on, "referrer": known.referrer, "may_hear": _may_hear(about, tx)}
    return replace(_folded(rows, starts, tx), **facts)


def _may_hear(about: UUID, tx: Tx) -> frozenset[str]:
    """The agencies the consent names, or those with a commission that runs (C3, S6)."""
    if tx.here is Compartment.JUSO:
        head = sharing.heads(consents, tx, [about]).get(about)
        return frozenset(head.scope.agencies if head and head.scope else ())
    one, ended = commissions.commission.c, select(commissions.ended.c.commission)
    running = one.starts <= tx.now, tx.now < one.ends, one.id.not_in(ended)
    return frozenset(tx.execute(select(one.agency).where(*running)).scalars())


def _folded(rows: Sequence[Row[Any]], starts: datetime | None, tx: Tx) -> Life:
    held = starts is not None and starts <= tx.now
    now = life.fold(tx.here, (_unsealed(row) for row in rows))
    return replace(now, sitting_on=domain.today(starts) if held and starts else None)


def _view(about: UUID, viewer: Viewer | None, sight: Sight, tx: Tx) -> LifeView:
    if about not in sight.shown or viewer is None:
        return LifeView(found=False)
    rows = _rows(about, tx)
    now, history = _life(about, rows, tx), tuple(_history(rows, tx))
    opened = domain.today(tx.execute(select(case.c.opened_at).where(case.c.id == about)).scalar_one())
    plans = [one.act.plan for one in history if one.act.plan]
    return LifeView(
        found=True,
        state=now.state,
        history=history,
        ways=() if _is_erased(about, tx) else tuple(life.ways(now, _kind(viewer, tx), tx.profile)),
        sitting=_sitting(rows, tx),
        due=() if _is_erased(about, tx) else tuple(life.due(now, opened, domain.today(tx.now))),
        plan=plans[-1] if plans else None,
        early_since=now.early_since,
    )


def _sitting(rows: Sequence[Row[Any]], tx: Tx) -> datetime | None:
    """When the item that was brought last is or was heard, if a date was found."""
    brought = next((row.item for row in reversed(rows) if row.item), None)
    return tx.execute(select(item.c.starts).where(item.c.id == brought)).scalar() if brought else None


def _due(sight: Sight, tx: Tx) -> DueList:
    acts = defaultdict(list)
    for part in portions(sight.shown):
        for one in tx.execute(select(act).where(act.c.case.in_(part)).order_by(act.c.case, act.c.number)):
            acts[one.case].append(one)
    found = []
    cases = [row for part in portions(sight.shown) for row in tx.execute(select(case).where(case.c.id.in_(part)))]
    gone = set(tx.execute(select(erased.c.subject)).scalars())
    for row in (one for one in cases if one.id not in gone):
        now = _folded(acts[row.id], None, tx)  # when it is heard changes nothing of what is due
        if wanted := life.due(now, domain.today(row.opened_at), domain.today(tx.now)):
            found.append(CaseDue(case=row.id, state=now.state, due=tuple(wanted)))
    return DueList(cases=tuple(sorted(found, key=lambda one: (one.due[0].on, one.case))))


def _history(rows: Iterable[Row[Any]], tx: Tx) -> Iterable[Taken]:
    for row in rows:
        yield Taken(
            number=row.number, act=_whole(row, tx), state=State(row.state), by=row.by, agency=row.agency, at=row.at
        )


def _split(one: Act) -> tuple[dict[str, Any], dict[str, Any]]:
    """The codes of an act, and its words, which are kept sealed."""
    codes = one.model_dump(mode="json")
    words: dict[str, Any] = {"words": codes.pop("words")}
    if plan := codes["plan"]:
        words |= {name: plan.pop(name) for name in ("goals", "policy")}
        words["does"] = [role.pop("does") for role in plan["roles"]]
    return codes, words


def _unsealed(row: Row[Any]) -> Act:
    return Act.model_validate(row.codes)


def _whole(row: Row[Any], tx: Tx) -> Act:
    """The act with its words; without them once its case is erased."""
    try:
        words = json.loads(tx.open(row.case, SEALED_IN, row.words))
    except Shut:
        return _unsealed(row)
    codes = {**row.codes, "words": words["words"]}
    if row.codes["plan"]:
        roles = [role | {"does": does} for role, does in zip(row.codes["plan"]["roles"], words["does"], strict=True)]
        codes["plan"] = {**row.codes["plan"], "goals": words["goals"], "policy": words["policy"], "roles": roles}
    return Act.model_validate(codes)
