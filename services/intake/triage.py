"""Triage by the city's own criteria: shown with why they apply, decided by a person, never in the way of a referral.

A referral has gone to its kind of meeting when it was taken in, urgent or not. A return is recorded here with its
reason; the case itself goes back by the step of its life that the law names (D8), on the desk of its meeting. Juso is
told of each answer (T9); what was put to a meeting for the referral alone, and not heard, is then withdrawn there.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from contracts.explained import explanation_due
from contracts.intake import Problem
from contracts.message import Event
from contracts.office import Done, Officer
from contracts.triage import (
    DecideTriage,
    LookAtTriage,
    LookAtTriageList,
    TriageDecision,
    TriageList,
    TriageView,
    WaitingForTriage,
    Way,
)
from services.intake import sealed
from services.intake.answering import newest_answer
from services.intake.deeds import NOT_OFFICE, Outcome, acts_for_office, flawed, once, refused, register, today
from services.intake.domain import Flaw
from services.intake.handlers import service
from services.intake.reception_tables import triage_decision
from services.intake.sight import grounds, is_elsewhere
from services.intake.tables import referral
from services.intake.triage_rules import (
    ASK_AGAIN,
    TRIAGE_LABELS,
    URGENT_GOES_ON,
    Facts,
    advice,
    decision_flaws,
    sort_out,
)
from services.intake.versions import lock
from services.service import Shut, Tx
from services.vault import open_row, seal_row

SHOWN_AT_ONCE = 500
THE_REFERRER = "referrer"
"""The ground of the 紹介元: it sees the criteria, and what was decided, for what it referred itself."""
UNKNOWN = ("referral-unknown", "そのつなぎはありません。", "受付番号と紹介元機関を確かめてください。")
DECIDED = Flaw("after", "decided-meanwhile", "ほかの人が先に判断を記録しました。読んでから、もう一度判断してください。")
ON_THE_DESK = (
    "事案は、会議の画面の「紹介元へ戻す」で戻します(D8)。まだ協議していない議題は、会議の予定から外れます。"
    "紹介元には、戻す理由と「いつでもまた依頼してよい」ことを伝えてください。"
)


@service.does(LookAtTriage)
def look_at_triage(asked: LookAtTriage, tx: Tx) -> tuple[TriageView, Iterable[Event]]:
    """Which criteria apply to one referral and why, and what was decided."""
    row = _sought(asked, tx)
    ground = _ground(row, asked.by, tx)
    if row is None or ground is None:
        return refused(TriageView, *UNKNOWN), ()
    register(tx, asked.by, "triage", [(row["id"], row["id"])], ground)
    matched, unmet = sort_out(tx.profile.triage, _facts(row), asked.declared)
    decisions = _decisions(row["id"], tx)
    by, on = sealed.explanation(row, tx)
    returned = bool(decisions) and decisions[-1].way is Way.RETURN
    return TriageView(
        done=True,
        referral=row["id"],
        number=row["number"],
        received_on=row["received_on"],
        urgent=row["urgent"],
        edition=tx.profile.triage.edition,
        matched=matched,
        unmet=unmet,
        advice=advice(matched),
        decisions=decisions,
        note=URGENT_GOES_ON if row["urgent"] else ASK_AGAIN if returned else "",
        explained_by=by,
        explained_on=on,
        explanation_due=explanation_due(by, on),
    ), ()


@service.does(LookAtTriageList)
def look_at_triage_list(asked: LookAtTriageList, tx: Tx) -> tuple[TriageList, Iterable[Event]]:
    """What nobody has decided on yet, of what this officer may see. Numbers and codes, no names."""
    if not acts_for_office(asked.by, tx.profile):
        return refused(TriageList, *NOT_OFFICE), ()
    undecided = referral.c.id.not_in(select(triage_decision.c.referral))
    wanted = select(referral).where(undecided, sealed.not_erased())
    rows = tx.execute(wanted.order_by(referral.c.urgent.desc(), referral.c.received_on, referral.c.id)).mappings().all()
    seen = grounds([row["id"] for row in rows], asked.by, tx)
    waiting = [_waiting(row, tx) for row in rows if row["id"] in seen][:SHOWN_AT_ONCE]
    return TriageList(done=True, waiting=tuple(waiting)), ()


@service.does(DecideTriage)
def decide_triage(asked: DecideTriage, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Add a person's decision. The second of two who decide at once is told to read the first."""

    def act() -> Outcome[Done]:
        lock([asked.referral], tx, shared=False)
        wanted = select(referral).where(referral.c.id == asked.referral, sealed.not_erased()).with_for_update()
        row = tx.execute(wanted).mappings().first()
        if not acts_for_office(asked.by, tx.profile):
            return refused(Done, *NOT_OFFICE), asked.referral, ()
        if row is None or asked.referral not in grounds([asked.referral], asked.by, tx):
            return refused(Done, *UNKNOWN), asked.referral, ()
        known = len(_numbers(asked.referral, tx))
        for flaw in _flaws(asked, row, known, tx):
            return flawed(Done, flaw, TRIAGE_LABELS[flaw.field]), asked.referral, ()
        _store(asked, row, known + 1, tx)
        sealed.note_explanation(asked.referral, asked.explained_by.strip(), asked.explained_on, tx)
        step = f"{ON_THE_DESK}{ASK_AGAIN}" if asked.way is Way.RETURN else ""
        return (
            Done(done=True, rule="D8" if step else "", next_step=step),
            asked.referral,
            newest_answer(asked.referral, tx),
        )

    return once(asked, Done, tx, act)


def forget(key: UUID, tx: Tx) -> None:
    """The reasons of a referral's decisions are erased with it; ways, ids and dates stay."""
    tx.execute(update(triage_decision).where(triage_decision.c.referral == key).values(reason=None))


def _sought(asked: LookAtTriage, tx: Tx) -> Mapping[Any, Any] | None:
    wanted = select(referral).where(sealed.not_erased())
    if asked.referral is not None:
        wanted = wanted.where(referral.c.id == asked.referral)
    else:
        wanted = wanted.where(referral.c.referrer == asked.referrer, referral.c.number == asked.number)
    return tx.execute(wanted).mappings().first()


def _ground(row: Mapping[Any, Any] | None, by: Officer, tx: Tx) -> str | None:
    if row is None:
        return None
    if row["referrer"] == by.agency and not is_elsewhere(row["state"], by):
        return THE_REFERRER
    return grounds([row["id"]], by, tx).get(row["id"])


def _flaws(asked: DecideTriage, row: Mapping[Any, Any], known: int, tx: Tx) -> Iterable[Flaw]:
    if asked.after != known:
        yield DECIDED
    agencies = {one.code for one in tx.profile.agencies}
    yield from decision_flaws(asked, tx.profile.triage, agencies, row["urgent"], row["received_on"], today(tx))


def _store(asked: DecideTriage, row: Mapping[Any, Any], number: int, tx: Tx) -> None:
    matched, _ = sort_out(tx.profile.triage, _facts(row), asked.declared)
    facts = asked.model_dump(include={"referral", "edition", "talked_on", "counterpart"})
    facts |= {"number": number, "way": asked.way.value, "criteria": " ".join(one.criterion for one in matched)}
    facts |= {"reason": asked.reason.strip(), "by": asked.by.person, "agency": asked.by.agency, "at": tx.now}
    tx.execute(insert(triage_decision).values(seal_row(tx, asked.referral, triage_decision, facts, str(number))))


def _numbers(key: UUID, tx: Tx) -> list[int]:
    return list(tx.execute(select(triage_decision.c.number).where(triage_decision.c.referral == key)).scalars())


def _decisions(key: UUID, tx: Tx) -> tuple[TriageDecision, ...]:
    mine = select(triage_decision).where(triage_decision.c.referral == key).order_by(triage_decision.c.number)
    return tuple(_decision(row, tx) for row in tx.execute(mine).mappings().all())


def _decision(row: Mapping[Any, Any], tx: Tx) -> TriageDecision:
    try:
        reason = open_row(tx, row["referral"], (triage_decision.c.reason,), row, str(row["number"]))["reason"]
    except Shut:
        reason = None
    facts = {name: row[name] for name in ("number", "edition", "talked_on", "counterpart", "by", "agency", "at")}
    criteria = tuple(row["criteria"].split())
    return TriageDecision(way=Way(row["way"]), criteria=criteria, reason=reason or sealed.GONE, **facts)


def _facts(row: Mapping[Any, Any]) -> Facts:
    agencies = len({row["referrer"], *row["agencies"]})
    return Facts(tuple(map(Problem, row["problems"])), agencies, row["household_size"])


def _waiting(row: Mapping[Any, Any], tx: Tx) -> WaitingForTriage:
    matched, _ = sort_out(tx.profile.triage, _facts(row), ())
    facts = {name: row[name] for name in ("referrer", "number", "received_on", "urgent")}
    ids = tuple(one.criterion for one in matched)
    facts["unexplained"] = None in (row["explained_by"], row["explained_on"])
    return WaitingForTriage(referral=row["id"], advice=advice(matched), matched=ids, **facts)
