"""Takes the steps of a case's life, and tells how it stands: to whom the case may be shown, and to nobody else."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from contracts.consent import ConsentState
from contracts.coordination import ItemPutForward, ItemWithdrawn
from contracts.directory import Staff
from contracts.life import DueList, LifeView, LookAtDue, LookAtLife, Outcome, State, Step, StepTaken, Taken, TakeStep
from contracts.message import Compartment, Event
from contracts.policy import Category
from contracts.purpose import Purpose
from services.coordination import charge, domain, life, powers, showing
from services.coordination.due_lists import due_list
from services.coordination.end_needs import STOPPED as STOPPED
from services.coordination.end_needs import WITHOUT_CONSENT
from services.coordination.gone import no_more
from services.coordination.handlers import record_steps, service
from services.coordination.heard import otherwise_heard
from services.coordination.hearing import decisions, is_stopped
from services.coordination.life_table import row as row_of
from services.coordination.life_terms import CITY, OVER, Decider, Life, Refusal
from services.coordination.life_views import (
    BRINGS,
    SEALED_IN,
    acts_of,
    head_of,
    history,
    is_erased,
    kind_of,
    life_of,
    matter_of,
    refusal_of,
    rests_on,
    split,
    unrecorded,
    view,
    whole,
)
from services.coordination.resting import unsupported
from services.coordination.rostering import accepted_seats
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import act, case, case_agency, item
from services.service import Tx, Work

NOT_SEEN = Refusal("C1", "この事案は見られません。", "事案の番号と、同意か委嘱を確かめてください。")
GONE = Refusal("S11", "この事案は消去されました。", "改めて支援するときは、新しいつなぎとして受け付けてください。")
OTHERS = Refusal("T1", "ほかの人が先に記録しました。", "何が変わったかを読んで、もう一度選んでください。")
ANOTHER = Refusal("T1", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、記録し直してください。")


@service.performs(LookAtLife)
async def look_at_life(asked: LookAtLife, work: Work) -> LifeView:
    """How the case stands, for somebody who may see it."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    posts = await powers.posts_of(viewer, work)
    return await showing.show(work, viewer, [asked.case], partial(view, asked.case, viewer, posts))


@service.performs(LookAtDue)
async def look_at_due(asked: LookAtDue, work: Work) -> DueList:
    """What is due of every case this person may see, the most pressing first."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, None, partial(due_list, viewer))


@service.performs(TakeStep)
async def take_step(asked: TakeStep, work: Work) -> StepTaken:
    """Take a step that is lawful now. The same request again is the same step."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    refusal = await showing.show(work, viewer, [asked.case], partial(_untakeable, asked))
    if viewer is None:
        return _refused(NOT_SEEN)
    if refusal:
        await work.run(partial(_audit, asked, viewer, refusal.rule, "refuse"))
        return _refused(refusal)
    deciders = await _deciders(work) if asked.act.step is Step.DECIDE else None
    reserved = powers.reserved(asked.act.step, viewer, await powers.posts_of(viewer, work), work.profile)
    answers: list[StepTaken] = []
    await work.tell(partial(_take, asked, viewer, Known(deciders, reserved), answers))
    return answers[-1]


def unseen(about: UUID, sight: Sight, tx: Tx) -> Refusal | None:
    """Why this viewer may not see the case: whoever has to follow up a consent that ended is told so (C11)."""
    if about in sight.shown:
        return None
    return STOPPED if about in sight.stopped else NOT_SEEN


def _untakeable(asked: TakeStep, sight: Sight, tx: Tx) -> Refusal | None:
    """As ``unseen``; what has to end of a case whose consent is not in force is recorded all the same (C11)."""
    refusal = unseen(asked.case, sight, tx)
    return None if refusal is STOPPED and asked.act.step in WITHOUT_CONSENT else refusal


async def _deciders(work: Work) -> dict[UUID, Decider]:
    """Who may decide for the 市町村, as the directory knows them now (D2)."""
    staff = (await work.ask(Staff())).staff
    city = {one.code for one in work.profile.agencies if one.kind in CITY}
    return {one.person: Decider(frozenset(one.posts), one.since, one.until) for one in staff if one.agency in city}


@dataclass(frozen=True)
class Known:
    """What the directory said before the transaction: who may decide (D2), and whether a power is another's (S13)."""

    deciders: Mapping[UUID, Decider] | None
    reserved: Refusal | None


def _take(asked: TakeStep, viewer: Viewer, known: Known, answers: list[StepTaken], tx: Tx) -> Iterable[Event]:
    rows = acts_of(asked.case, tx)
    for row in rows:
        if row.request == asked.request:
            same = whole(row, tx) == asked.act
            answers.append(
                StepTaken(done=True, number=row.number, state=State(row.state)) if same else _refused(ANOTHER)
            )
            return ()
    if len(rows) != asked.after:
        _audit(asked, viewer, OTHERS.rule, "refuse", tx)
        answers.append(_refused(OTHERS, history(rows[asked.after :], tx)))
        return ()
    now = replace(life_of(asked.case, rows, tx), deciders=known.deciders)
    today, kind = domain.today(tx.now), kind_of(viewer, now, tx)
    refusal = _closed(asked, now, tx) or unsupported(asked, tx) or life.judge(now, asked.act, kind, today, tx.profile)
    refusal = refusal or known.reserved or otherwise_heard(asked, rows, now, tx)
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
    then = life.after(now, asked.act)
    state = then.state
    codes, words = split(asked.act)
    new = {
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
            tx.execute(insert(act).values(new | {"item": put}))
            _let_rest(asked.case, then, tx)
    except IntegrityError:
        _audit(asked, viewer, OTHERS.rule, "refuse", tx)
        answers.append(_refused(OTHERS, history(acts_of(asked.case, tx)[asked.after :], tx)))
        return ()
    _audit(asked, viewer, row_of(asked.act.step).rules[0], "allow", tx)
    answers.append(StepTaken(done=True, number=len(rows) + 1, state=state))
    return events


def _let_rest(about: UUID, then: Life, tx: Tx) -> None:
    """Lists leave out what is over, or show it again."""
    mine = case.c.id == about
    opened_on = domain.today(tx.execute(select(case.c.opened_at).where(mine)).scalar_one())
    then = replace(then, stopped=False)  # a consent may come back, and what is due with it (C11)
    day = rests_on(then, opened_on, domain.today(tx.now), tx.profile.deadlines)
    tx.execute(update(case).where(mine).values(rests_on=day))


def _items(asked: TakeStep, now: Life, tx: Tx) -> tuple[UUID | None, list[Event]]:
    """The item a step brings to a meeting, new or one that still waits; or the items it takes back."""
    if asked.act.step is Step.TAKE_BACK or life.after(now, asked.act).state in OVER:
        return None, take_back_items(not_heard(asked.case, tx), tx)
    if asked.act.step is Step.HAND_OVER:
        return _call_the_other(asked, now, tx)
    if asked.act.outcome is Outcome.RAISE and now.purpose is not None:
        above = tx.profile.body(now.heard_by)
        urgent = asked.act.urgent or is_urgent(asked.case, tx)
        put = put_forward(asked.case, now, now.purpose, urgent, above.escalates_to if above else None, tx)
        return put.about, [put]
    if asked.act.step is Step.START_EARLY:
        return None, _confirm_early(asked.case, now, tx)
    if asked.act.step is Step.RECORD_FIRST:
        return next(iter(unrecorded([asked.case], tx).values())).id, []
    return _bring(asked, now, tx) if asked.act.step in BRINGS else (None, [])


def _confirm_early(about: UUID, now: Life, tx: Tx) -> list[Event]:
    """What began before the decision is put to a meeting, unless something of the case waits for one already (T5).

    Where no meeting may hear it nobody is kept from beginning: it stays due, with the lawful way.
    """
    purpose = life.purpose_of(now, Step.BRING)
    if not_heard(about, tx) or why_unheard(about, purpose, tx):
        return []
    return [put_forward(about, now, purpose, is_urgent(about, tx), None, tx)]


def _bring(asked: TakeStep, now: Life, tx: Tx) -> tuple[UUID, list[Event]]:
    """To the sitting that waits for the case, if all who have a role are called there; else to another."""
    purpose = life.purpose_of(now, asked.act.step, asked.act.purpose)
    waiting = [one for one in not_heard(asked.case, tx) if one.purpose == purpose or tx.here is not Compartment.JUSO]
    own = charge.in_charge(tx.profile, now.referrer, now.handed_to)
    called = {*domain.with_coordinator(_table(asked.case, tx), own), *domain.could_be_seated(tx.profile, tx.here)}
    if waiting and set(_with_a_role(now, tx)) <= called and not asked.act.urgent:
        return waiting[-1].id, []
    events: list[Event] = list(take_back_items(waiting, tx))  # it called others, or for another day (M1, P3)
    # A case that came as urgent stays so until it ends; that it ends well is in no hurry by itself (M1).
    urgent = asked.act.urgent or (purpose is not Purpose.CLOSING and is_urgent(asked.case, tx))
    put = put_forward(asked.case, now, purpose, urgent, None, tx)
    return put.about, [*events, put]


def is_urgent(about: UUID, tx: Tx) -> bool:
    """Whether the case came as urgent: what is put forward of it is looked a 随時 sitting for (M1)."""
    return bool(tx.connection.scalar(select(case.c.urgent).where(case.c.id == about)))


def _call_the_other(asked: TakeStep, now: Life, tx: Tx) -> tuple[UUID | None, list[Event]]:
    """What waits for a sitting waits anew, for one that the 多機関協働事業者 who takes over is called to (P1)."""
    waiting, events = not_heard(asked.case, tx), list[Event]()
    urgent, put = is_urgent(asked.case, tx), None
    for one in waiting:
        events += take_back_items([one], tx)
        put = put_forward(asked.case, life.after(now, asked.act), Purpose(one.purpose), urgent, one.raised_to, tx)
        events.append(put)
    return put.about if put and now.state is State.AT_MEETING else None, events


def put_forward(
    about: UUID, now: Life, purpose: Purpose, urgent: bool, raised_to: str | None, tx: Tx
) -> ItemPutForward:
    """A new item of the case, for the bodies of its area and coordinator, or the one it was raised to (M10)."""
    known = tx.execute(select(case).where(case.c.id == about)).one()
    own, chosen = charge.in_charge(tx.profile, now.referrer, now.handed_to), accepted_seats(about, tx)
    put = ItemPutForward(
        about=tx.ref(),
        case=about,
        purpose=purpose,
        urgent=urgent,
        received_on=known.received_on,
        agencies=domain.with_coordinator([*_table(about, tx), *_with_a_role(now, tx)], own),
        only_agencies=_is_narrowed(about, tx),
        member=known.member,
        category=Category.ORDINARY,
        consent=known.consent,
        coordinator=own,
        area=charge.area_of(tx.profile, now.referrer, own),
        body=raised_to,
        required=tuple(one.agency for one in chosen if one.need == "required"),
        optional=tuple(one.agency for one in chosen if one.need == "optional"),
    )
    kept = put.model_dump(include={"case", "purpose", "member", "category"})
    tx.execute(insert(item).values(id=put.about, compartment=tx.here, put_at=tx.now, raised_to=raised_to, **kept))
    record_steps(tx, about, "item_put_forward", purpose=purpose)
    return put


def _table(about: UUID, tx: Tx) -> tuple[str, ...]:
    """The agencies of the accepted roster; before there is one those of the case, the referrer first."""
    if chosen := accepted_seats(about, tx):
        return _still_there((one.agency for one in chosen), tx)
    listed = select(case_agency.c.agency).where(case_agency.c.case == about).order_by(case_agency.c.place)
    return _still_there(tx.execute(listed).scalars(), tx)


def _still_there(codes: Iterable[str], tx: Tx) -> tuple[str, ...]:
    """Nobody calls an agency that is no more."""
    listed = tuple(codes)
    past = no_more(tx.profile, listed, domain.today(tx.now))
    return tuple(code for code in listed if code not in past)


def _with_a_role(now: Life, tx: Tx) -> tuple[str, ...]:
    """Whoever has a role in the plan, or carries a programme it uses (P3)."""
    roles = [role.agency for role in now.plan.roles] if now.plan else []
    return (*roles, *charge.carriers(tx.profile, now.plan.services if now.plan else ()))


def take_back_items(items: Sequence[Row[Any]], tx: Tx) -> list[Event]:
    """Withdraw items that wait for a meeting; each is told, and stands in the case's trail."""
    for one in items:
        tx.execute(update(item).where(item.c.id == one.id).values(withdrawn_at=tx.now))
        record_steps(tx, one.case, "item_withdrawn", purpose=one.purpose)
    return [ItemWithdrawn(about=one.id, case=one.case) for one in items]


def not_heard(about: UUID, tx: Tx) -> Sequence[Row[Any]]:
    """The items of a case that wait for a sitting, or whose sitting is still to come, and were not taken back."""
    coming = or_(item.c.starts.is_(None), item.c.starts > tx.now)
    mine = item.c.case == about, item.c.withdrawn_at.is_(None), coming
    return tx.execute(select(item).where(*mine).order_by(item.c.put_at)).all()


def _closed(asked: TakeStep, now: Life, tx: Tx) -> Refusal | None:
    """Nothing goes on once a case is erased, in juso while no consent opens it, to no meeting beyond it (C3, C11)."""
    refusal = why_closed(asked.case, tx)
    if refusal and (refusal is not STOPPED or asked.act.step not in WITHOUT_CONSENT):
        return refusal
    raised = now.purpose if asked.act.outcome is Outcome.RAISE else None
    purpose = life.purpose_of(now, asked.act.step, asked.act.purpose) if asked.act.step in BRINGS else raised
    return None if purpose is None else why_unheard(asked.case, purpose, tx)


def why_unheard(about: UUID, purpose: Purpose, tx: Tx) -> Refusal | None:
    """Why no meeting here may hear the case for this, as the 市町村 would (C3, C8); None if one may."""
    city = [one.code for one in tx.profile.agencies if one.kind in CITY]
    found = decisions(matter_of(about, purpose, tx), head_of(about, tx), city, tx)
    if any(one.allowed for one in found.values()):
        return None
    return next((refusal_of(one) for one in found.values()), NOT_SEEN)


def why_closed(about: UUID, tx: Tx) -> Refusal | None:
    """Why nothing may be added to a case now, whatever it is: it is erased, or in juso no consent opens it (C11)."""
    if is_erased(about, tx):
        return GONE
    head = head_of(about, tx)
    stopped = is_stopped(head, tx.now)
    return STOPPED if tx.here is Compartment.JUSO and stopped else None


def _is_narrowed(about: UUID, tx: Tx) -> bool:
    head = head_of(about, tx)
    return head is not None and head.state is ConsentState.NARROWED


def _audit(asked: TakeStep, viewer: Viewer, rule: str, outcome: str, tx: Tx) -> None:
    step = asked.act.step.value
    tx.audit(act="step", outcome=outcome, rule=rule, actor=str(viewer.person), case=asked.case, detail=step)


def _refused(refusal: Refusal, since: Iterable[Taken] = ()) -> StepTaken:
    return StepTaken(
        done=False, rule=refusal.rule, reason=refusal.reason, next_step=refusal.next_step, since=tuple(since)
    )
