"""How cases' lives stand, read from their acts: for the rules, and for the page of one case."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, or_, select

from contracts.life import Act, Heard, LifeView, State, Step, Taken, Way
from contracts.message import Compartment
from contracts.policy import Category, Decision
from contracts.profile import Deadlines
from contracts.purpose import Purpose
from services import sharing
from services.coordination import charge, domain, life, powers
from services.coordination.answers import answers_of, shown, with_answers
from services.coordination.deadlines import due
from services.coordination.end_needs import WITHOUT_CONSENT
from services.coordination.gone import named_in, no_more, tables_of
from services.coordination.hearing import Matter, decisions, is_stopped
from services.coordination.life_terms import OVER, Life, Refusal
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import act, case, consents, erased, hearing, item, paper
from services.coordination.unasked import unasked_of, with_unasked
from services.service import Shut, Tx
from services.sharing import Head

SEALED_IN = "act.words"
SEALED_WORDS = ("words", "minutes", "evidence", "no_paper")
"""The free text of an act, besides that of its plan."""
STAYS_LISTED = timedelta(days=30)
"""How long lists still show a case that is over, after its last act."""
BRINGS = (Step.BRING, Step.BRING_CLOSING, Step.BRING_SUSPENSION)
PUTS = (*BRINGS, Step.RECORD_RESULT, Step.HAND_OVER)
"""What can put an item to a meeting: also a result that raises it (M10), and a hand-over, which calls others."""


def acts_of(about: UUID, tx: Tx) -> Sequence[Row[Any]]:
    """The rows of a case's acts, in order."""
    return tx.execute(select(act).where(act.c.case == about).order_by(act.c.number)).all()


def life_of(about: UUID, rows: Sequence[Row[Any]], tx: Tx) -> Life:
    """Where the case stands; the rules read codes only, so that nothing sealed is opened."""
    now = folded(rows, tx)
    known = tx.execute(select(case.c.received_on, case.c.referrer).where(case.c.id == about)).one()
    brought = brought_by(rows, tx)
    begun = brought is not None and brought.starts is not None and brought.starts <= tx.now
    over = brought is not None and brought.ends is not None and brought.ends <= tx.now
    heard = hearing_of(brought.id, tx) if brought is not None else None
    over = over or (heard is not None and heard.outcome is not None)  # closed before its time was up
    first = unrecorded([about], tx).get(about)
    now = replace(now, received_on=known.received_on, referrer=known.referrer)
    now = with_answers(now, rows, answers_of([about], tx).get(about, ()), tx)
    now = with_unasked(now, unasked_of([about], tx).get(about))
    return replace(
        now,
        begun=begun,
        sitting_on=domain.today(brought.starts) if brought is not None and over else None,
        heard_by=(brought.body or "") if brought is not None else "",
        first_on=domain.today(first.starts) if first else None,
        anxious_since=anxious([about], tx).get(about),
        meets_on=day_of(coming([about], tx).get(about)),
        outside=_outside(about, now, tx),
        gone=no_more(tx.profile, named_in(now, tables_of([about], tx).get(about, ())), domain.today(tx.now)),
        stopped=tx.here is Compartment.JUSO and is_stopped(head_of(about, tx), tx.now),
    )


def _outside(about: UUID, now: Life, tx: Tx) -> dict[str, Refusal]:
    """The agencies that may not hear the case for what it is about to be, or is, before a meeting for (C3, S6)."""
    purpose = now.purpose or life.purpose_of(now, Step.BRING)
    known = [one.code for one in tx.profile.agencies]
    found = decisions(matter_of(about, purpose, tx), head_of(about, tx), known, tx)
    return {agency: refusal_of(one) for agency, one in found.items() if not one.allowed}


def folded(rows: Sequence[Row[Any]], tx: Tx) -> Life:
    """Where a case stands by its acts alone: without what else is looked up for its rules."""
    return life.fold(tx.here, (_unsealed(row) for row in rows))


def brought_by(rows: Sequence[Row[Any]], tx: Tx) -> Row[Any] | None:
    """The item that was put to a meeting last."""
    last = next((row.item for row in reversed(rows) if row.item and row.step in PUTS), None)
    return tx.execute(select(item).where(item.c.id == last)).first() if last else None


def hearing_of(about: UUID, tx: Tx) -> Row[Any] | None:
    """What meetings told of the sitting of an item; None if nobody runs that here."""
    return tx.execute(select(hearing).where(hearing.c.item == about)).first()


def _heard(now: Life, brought: Row[Any] | None, first: Row[Any] | None, tx: Tx) -> Heard | None:
    """What is to be confirmed: of the item that is before a meeting, else of the one that the referral called for."""
    about = brought if now.state is State.AT_MEETING else first
    found = hearing_of(about.id, tx) if about is not None else None
    if found is None or found.outcome is None:
        return None
    return Heard(
        outcome=found.outcome,
        present=tuple(one for one in found.present if one not in now.outside),
        heard_on=found.heard_on,
        minutes=found.sitting,
        approved=found.approved,
    )


def rests_on(life: Life, opened_on: date, today: date, deadlines: Deadlines) -> date | None:
    """The day from which lists leave a case out; None while it goes on, or something is due of it (D7, T3, T6)."""
    if life.state not in OVER or due(life, opened_on, today, deadlines):
        return None
    return today + STAYS_LISTED


def view(about: UUID, viewer: Viewer | None, posts: frozenset[str], sight: Sight, tx: Tx) -> LifeView:
    """A case's life as one viewer may see it."""
    if viewer is not None and about in sight.stopped and not is_erased(about, tx):
        return _of_stopped(about, viewer, posts, tx)
    if about not in sight.shown or viewer is None:
        return LifeView(found=False)
    rows = acts_of(about, tx)
    now, told = life_of(about, rows, tx), tuple(history(rows, tx))
    known = tx.execute(select(case.c.opened_at, case.c.urgent).where(case.c.id == about)).one()
    opened, waiting = domain.today(known.opened_at), coming([about], tx).get(about)
    plans = [one.act.plan for one in told if one.act.plan]
    gone, brought = is_erased(about, tx), brought_by(rows, tx)
    return LifeView(
        found=True,
        state=now.state,
        acts=len(rows),
        history=told,
        ways=() if gone else tuple(_ways(now, viewer, posts, tx)),
        sitting=brought.starts if brought is not None else None,
        due=() if gone else tuple(due(now, opened, domain.today(tx.now), tx.profile.deadlines)),
        plan=plans[-1] if plans else None,
        early_since=now.early_since,
        heard=None if gone else _heard(now, brought, unrecorded([about], tx).get(about), tx),
        outside=tuple(sorted(now.outside)),
        urgent=known.urgent,
        waits_for=waiting.starts if waiting is not None else None,
        decided_services=now.plan.services if now.plan else (),
        answers=shown(answers_of([about], tx).get(about, ())),
    )


def _of_stopped(about: UUID, viewer: Viewer, posts: frozenset[str], tx: Tx) -> LifeView:
    """Where a case stands of which nobody may see anything, for whoever has to end what has to end: codes and days."""
    rows = acts_of(about, tx)
    now, opened = life_of(about, rows, tx), tx.execute(select(case.c.opened_at).where(case.c.id == about)).scalar_one()
    return LifeView(
        found=False,
        stopped=True,
        state=now.state,
        acts=len(rows),
        since=now.since,
        ways=tuple(one for one in _ways(now, viewer, posts, tx) if one.step in WITHOUT_CONSENT),
        due=tuple(due(now, domain.today(opened), domain.today(tx.now), tx.profile.deadlines)),
    )


def _ways(now: Life, viewer: Viewer, posts: frozenset[str], tx: Tx) -> Iterable[Way]:
    """The steps for this viewer; those that are another post's alone stand among what is not open (S13)."""
    told = []
    for way in life.ways(now, kind_of(viewer, now, tx), tx.profile):
        refusal = powers.reserved(way.step, viewer, posts, tx.profile) if way.allowed else None
        told.append(way.model_copy(update={"allowed": False, **vars(refusal)}) if refusal else way)
    return sorted(told, key=lambda way: not way.allowed)


def history(rows: Iterable[Row[Any]], tx: Tx) -> Iterable[Taken]:
    """The acts with their words."""
    for row in rows:
        yield Taken(
            number=row.number, act=whole(row, tx), state=State(row.state), by=row.by, agency=row.agency, at=row.at
        )


def split(one: Act) -> tuple[dict[str, Any], dict[str, Any]]:
    """The codes of an act, and its words, which are kept sealed."""
    codes = one.model_dump(mode="json")
    words: dict[str, Any] = {name: codes.pop(name) for name in SEALED_WORDS}
    if plan := codes["plan"]:
        words |= {name: plan.pop(name) for name in ("goals", "policy")}
        words["does"] = [role.pop("does") for role in plan["roles"]]
    return codes, words


def _unsealed(row: Row[Any]) -> Act:
    return Act.model_validate(row.codes)


def whole(row: Row[Any], tx: Tx) -> Act:
    """The act with its words; without them once its case is erased."""
    try:
        words = json.loads(tx.open(row.case, SEALED_IN, row.words))
    except Shut:
        return _unsealed(row)
    codes = {**row.codes, **{name: words.get(name, "") for name in SEALED_WORDS}}
    if row.codes["plan"]:
        roles = [role | {"does": does} for role, does in zip(row.codes["plan"]["roles"], words["does"], strict=True)]
        codes["plan"] = {**row.codes["plan"], "goals": words["goals"], "policy": words["policy"], "roles": roles}
    return Act.model_validate(codes)


def coming(cases: Sequence[UUID], tx: Tx) -> dict[UUID, Row[Any]]:
    """By case, the item that was put forward last of those whose sitting is still to come."""
    mine = item.c.case.in_(cases), item.c.withdrawn_at.is_(None), item.c.starts > tx.now
    return {row.case: row for row in tx.execute(select(item).where(*mine).order_by(item.c.put_at))}


def day_of(one: Row[Any] | None) -> date | None:
    """The day in Japan of an item's sitting."""
    return domain.today(one.starts) if one is not None else None


def unrecorded(cases: Sequence[UUID], tx: Tx) -> dict[UUID, Row[Any]]:
    """By case, the last item that a sitting has heard though nobody brought it, and of which no result is kept."""
    acts = select(act.c.item).where(act.c.case == item.c.case, act.c.item == item.c.id)
    heard = select(hearing.c.item).where(hearing.c.item == item.c.id, hearing.c.outcome.is_not(None))
    ended = or_(item.c.ends <= tx.now, heard.exists())
    over = item.c.case.in_(cases), item.c.withdrawn_at.is_(None), ended, ~acts.exists()
    return {row.case: row for row in tx.execute(select(item).where(*over).order_by(item.c.ends))}


def anxious(cases: Sequence[UUID], tx: Tx) -> dict[UUID, date]:
    """By case, the day in Japan on which a form, in its newest version, last said that the person is anxious (C7)."""
    later = paper.alias()
    newer = exists().where(later.c.paper == paper.c.paper, later.c.version > paper.c.version)
    said = select(paper.c.case, func.max(paper.c.at).label("at")).where(paper.c.anxious, ~newer)
    return {
        row.case: domain.today(row.at) for row in tx.execute(said.where(paper.c.case.in_(cases)).group_by(paper.c.case))
    }


def matter_of(about: UUID, purpose: Purpose, tx: Tx) -> Matter:
    """The case, as if it were to be heard for a purpose."""
    member = tx.execute(select(case.c.member).where(case.c.id == about)).scalar_one()
    return Matter(about, about, member, Category.ORDINARY, purpose)


def head_of(about: UUID, tx: Tx) -> Head | None:
    """The newest version of its consent; None in shien."""
    return sharing.heads(consents, tx, [about]).get(about) if tx.here is Compartment.JUSO else None


def refusal_of(found: Decision) -> Refusal:
    """What the policy says, as a refusal of a step."""
    return Refusal(found.rules[0] if found.rules else found.rule, found.reason, found.next_step)


def is_erased(about: UUID, tx: Tx) -> bool:
    """Whether nobody can read it any more."""
    return tx.execute(select(erased.c.subject).where(erased.c.subject == about)).first() is not None


def kind_of(viewer: Viewer, now: Life, tx: Tx) -> str:
    """What the viewer's agency is to this case: of several coordinators one has it; empty for one that is gone (D2)."""
    return charge.acts_as(tx.profile, viewer.agency, charge.in_charge(tx.profile, now.referrer, now.handed_to))
