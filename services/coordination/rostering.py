"""Who sits at a case's table: what is proposed now, what was decided, and what the meetings are told of it."""

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select
from sqlalchemy.exc import IntegrityError

from contracts.intake import Problem
from contracts.life import Act
from contracts.message import Compartment, Event
from contracts.preparing import (
    Accepted,
    AcceptRoster,
    Choice,
    LookAtRoster,
    Prepared,
    RosterAccepted,
    RosterSeat,
    RosterView,
)
from services import sharing
from services.coordination import charge, domain, roster, showing
from services.coordination.gone import still_there
from services.coordination.handlers import service
from services.coordination.hearing import is_stopped
from services.coordination.life_views import acts_of, life_of
from services.coordination.roster import Fault, Round
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import act, case_agency, case_problem, commissions, consents, erased, item
from services.coordination.tables import roster as rosters
from services.service import Shut, Tx, Work

SEALED_IN = "roster.words"
NOT_SEEN = Fault("C1", "この事案は見られません。", "事案の番号と、同意か委嘱を確かめてください。")
GONE = Fault("S11", "この事案は消去されました。", "改めて支援するときは、新しいつなぎとして受け付けてください。")
STOPPED = Fault(
    "C11", "有効な同意がないので、進められません。", "改めて同意を得るか、支援会議で扱う必要性を判断してください。"
)
NOT_OFFICE = {
    Compartment.JUSO: Fault(
        "P9", "会議の準備は、市町村か多機関協働事業者が行います。", "市町村か多機関協働事業者に伝えてください。"
    ),
    Compartment.SHIEN: Fault("S1", "支援会議の準備は、市町村が行います。", "市町村に伝えてください。"),
}
OTHERS = Fault("P5", "ほかの人が先に名簿を決めました。", "決まった名簿を読んで、もう一度選んでください。")
ANOTHER = Fault("P5", "この画面からは、すでに別の名簿を決めました。", "画面を読み直して、決め直してください。")


@service.performs(LookAtRoster)
async def look_at_roster(asked: LookAtRoster, work: Work) -> RosterView:
    """The proposal and what was decided, for somebody who may see the case."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, [asked.case], partial(_view, asked.case, viewer))


@service.performs(AcceptRoster)
async def accept_roster(asked: AcceptRoster, work: Work) -> Prepared:
    """Decide on the roster by the rules. The same request again is the same decision."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return refused(NOT_SEEN)
    answers: list[Prepared] = []
    await work.tell(partial(_accept, asked, viewer, answers))
    return answers[-1]


def _accept(asked: AcceptRoster, viewer: Viewer, answers: list[Prepared], tx: Tx) -> Iterable[Event]:
    rows = _rows(asked.case, tx)
    for row in rows:
        if row.request == asked.request:
            same = _whole(row, tx).choice == asked.choice
            answers.append(Prepared(done=True, number=row.number) if same else refused(ANOTHER))
            return ()
    fault = closed(asked.case, viewer, tx) or (OTHERS if len(rows) != asked.after else None)
    fault = fault or roster.judge(asked.choice, round_of(asked.case, tx), still_there(tx.profile, domain.today(tx.now)))
    if fault is None:
        try:
            with tx.connection.begin_nested():
                tx.execute(insert(rosters).values(_row(asked, viewer, tx)))
        except IntegrityError:  # of two people who decided at once the second is told so
            fault = OTHERS
    note(tx, "roster", asked.case, viewer, fault, "P5")
    answers.append(refused(fault) if fault else Prepared(done=True, number=asked.after + 1))
    return () if fault else _told(asked, tx)


def _told(asked: AcceptRoster, tx: Tx) -> list[Event]:
    """The meetings learn who is called for each item that is still to be heard."""
    coming = or_(item.c.starts.is_(None), item.c.starts > tx.now)
    mine = item.c.case == asked.case, item.c.withdrawn_at.is_(None), coming
    seats = asked.choice.seats
    return [
        RosterAccepted(
            about=about,
            version=asked.after + 1,
            case=asked.case,
            agencies=tuple(one.agency for one in seats),
            required=tuple(one.agency for one in seats if one.need == "required"),
            optional=tuple(one.agency for one in seats if one.need == "optional"),
        )
        for about in tx.execute(select(item.c.id).where(*mine).order_by(item.c.put_at)).scalars()
    ]


# -- what this store knows ---------------------------------------------------------------------------------------------


def round_of(about: UUID, tx: Tx) -> Round:
    """What the rules of the roster look at: codes only, nothing sealed is opened."""
    named = select(case_agency.c.agency).where(case_agency.c.case == about).order_by(case_agency.c.place)
    problems = select(case_problem.c.problem).where(case_problem.c.case == about).order_by(case_problem.c.problem)
    now = life_of(about, acts_of(about, tx), tx)
    return Round(
        compartment=tx.here,
        referrer=now.referrer,
        coordinator=charge.in_charge(tx.profile, now.referrer, now.handed_to),
        may_hear=may_hear(about, tx),
        named=tuple(tx.execute(named).scalars()),
        problems=tuple(map(Problem, tx.execute(problems).scalars())),
        roles=roles_of(about, tx),
    )


def may_hear(about: UUID, tx: Tx) -> frozenset[str]:
    """The agencies that the consent in force names, or those with a commission that runs (C3, S6)."""
    if tx.here is Compartment.JUSO:
        head = sharing.heads(consents, tx, [about]).get(about)
        return frozenset(head.scope.agencies) if head and head.scope and not is_stopped(head, tx.now) else frozenset()
    one, ended = commissions.commission.c, select(commissions.ended.c.commission)
    running = one.starts <= tx.now, tx.now < one.ends, one.id.not_in(ended)
    return frozenset(tx.execute(select(one.agency).where(*running)).scalars())


def roles_of(about: UUID, tx: Tx) -> tuple[str, ...]:
    """The agencies with a role in the newest plan, each once; none before there is a plan."""
    rows = tx.execute(select(act.c.codes).where(act.c.case == about).order_by(act.c.number.desc())).scalars()
    plan = next((one.plan for one in map(Act.model_validate, rows) if one.plan), None)
    return tuple(dict.fromkeys(role.agency for role in plan.roles)) if plan else ()


def newest(about: UUID, tx: Tx) -> Accepted | None:
    """The roster that was accepted last, without the reasons: codes only."""
    rows = _rows(about, tx)
    return _accepted(rows[-1], _bare(rows[-1])) if rows else None


def accepted_seats(about: UUID, tx: Tx) -> tuple[RosterSeat, ...]:
    """Whom the accepted roster calls; nobody before there is one."""
    found = newest(about, tx)
    return found.choice.seats if found else ()


def closed(about: UUID, viewer: Viewer, tx: Tx) -> Fault | None:
    """Nothing is prepared by others than the office (P9, S1), of an erased case, or while no consent opens it (C11)."""
    if not roster.may_decide(viewer.agency, tx.here, tx.profile):
        return NOT_OFFICE[tx.here]
    return shut(about, tx)


def shut(about: UUID, tx: Tx) -> Fault | None:
    """Nothing more is written of an erased case, nor in juso while no consent opens it (C11)."""
    if is_erased(about, tx):
        return GONE
    if tx.here is not Compartment.JUSO:
        return None
    head = sharing.heads(consents, tx, [about]).get(about)
    stopped = is_stopped(head, tx.now)
    return STOPPED if stopped else None


def is_erased(about: UUID, tx: Tx) -> bool:
    """Whether the case's key was destroyed."""
    return tx.execute(select(erased.c.subject).where(erased.c.subject == about)).first() is not None


def refused(fault: Fault) -> Prepared:
    """The answer that says why not."""
    return Prepared(done=False, rule=fault.rule, reason=fault.reason, next_step=fault.next_step)


def note(tx: Tx, what: str, about: UUID, viewer: Viewer, fault: Fault | None, rule: str) -> None:
    """Write into the audit log what was decided: codes and references, never content."""
    outcome, cited = ("refuse", fault.rule) if fault else ("allow", rule)
    tx.audit(act=what, outcome=outcome, rule=cited, actor=str(viewer.person), case=about, detail=viewer.agency)


# -- reading and writing rows ------------------------------------------------------------------------------------------


def _view(about: UUID, viewer: Viewer | None, sight: Sight, tx: Tx) -> RosterView:
    if about not in sight.shown or viewer is None:
        return RosterView(found=False)
    decides = roster.may_decide(viewer.agency, tx.here, tx.profile)
    return RosterView(
        found=True,
        may_decide=decides and not is_erased(about, tx),
        proposal=roster.proposal(round_of(about, tx), still_there(tx.profile, domain.today(tx.now))),
        accepted=tuple(
            _whole(row, tx) if decides else _accepted(row, _bare(row)) for row in reversed(_rows(about, tx))
        ),
    )


def _rows(about: UUID, tx: Tx) -> Sequence[Row[Any]]:
    return tx.execute(select(rosters).where(rosters.c.case == about).order_by(rosters.c.number)).all()


def _row(asked: AcceptRoster, viewer: Viewer, tx: Tx) -> dict[str, Any]:
    choice = asked.choice
    words = {
        "seats": [one.words for one in choice.seats],
        "struck": [one.words for one in choice.struck],
        "attendance": choice.attendance_words,
        "size": choice.size_words,
    }
    return {
        "case": asked.case,
        "number": asked.after + 1,
        "compartment": tx.here,
        "request": asked.request,
        "at": tx.now,
        "by": viewer.person,
        "agency": viewer.agency,
        "attendance": choice.attendance.value,
        "codes": {
            "seats": [{"agency": one.agency, "need": one.need} for one in choice.seats],
            "struck": [{"agency": one.agency} for one in choice.struck],
        },
        "words": tx.seal(asked.case, SEALED_IN, json.dumps(words, ensure_ascii=False)),
    }


def _bare(row: Row[Any]) -> Choice:
    return Choice.model_validate({**row.codes, "attendance": row.attendance})


def _whole(row: Row[Any], tx: Tx) -> Accepted:
    """The roster with its reasons; without them once its case is erased."""
    try:
        words = json.loads(tx.open(row.case, SEALED_IN, row.words))
    except Shut:
        return _accepted(row, _bare(row))
    parts = {
        part: [one | {"words": text} for one, text in zip(row.codes[part], words[part], strict=True)]
        for part in ("seats", "struck")
    }
    said = {"attendance": row.attendance, "attendance_words": words["attendance"], "size_words": words["size"]}
    return _accepted(row, Choice.model_validate(parts | said))


def _accepted(row: Row[Any], choice: Choice) -> Accepted:
    return Accepted(number=row.number, choice=choice, by=row.by, agency=row.agency, at=row.at)
