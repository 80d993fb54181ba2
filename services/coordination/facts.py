"""What this compartment's records give to be counted: cases and their acts, matches, 地域課題. Codes and dates only.

Nothing sealed is opened, so that an erased case still counts, and a count does not change when one is erased.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.counts import Dimension, Fact, FactKind
from contracts.life import Act, Outcome, State, Step
from contracts.message import Compartment
from services.coordination import domain, life
from services.coordination.life_terms import ACTIVE, Life
from services.coordination.tables import act, case, case_problem, challenge, challenge_found, matching, place
from services.service import Tx

NO_SERVICE = "none"
_PATH = {Step.DECIDE: "decision", Step.REPORT: "report", Step.CONFIRM: "confirmed"}
_WAY = {Step.CLOSE: "closed", Step.SUSPEND: "suspended", Step.GIVE_BACK: "returned", Step.MOVE_ON: "to_juso"}


def own_facts(tx: Tx) -> tuple[Fact, ...]:
    """Everything, of whatever day: a span that touches a period may have begun years before."""
    acts = defaultdict(list)
    for row in tx.execute(select(act).order_by(act.c.case, act.c.number)):
        acts[row.case].append(row)
    found: list[Fact] = []
    for row in tx.execute(select(case)).all():
        found += _facts_of(row, acts[row.id], tx)
    return (*_openings(tx), *found, *_challenges(tx), *_matches(tx), *_places(tx))


def _openings(tx: Tx) -> Iterator[Fact]:
    problems = defaultdict(list)
    for row in tx.execute(select(case_problem)):
        problems[row.case].append(str(row.problem))
    kinds = {agency.code: agency.kind for agency in tx.profile.agencies}
    for row in tx.execute(select(case)):
        dims: dict[Dimension, tuple[str, ...]] = {
            Dimension.URGENT: ("urgent" if row.urgent else "ordinary",),
            Dimension.PROBLEM: tuple(sorted(problems[row.id])),
            Dimension.REFERRER: (kinds.get(row.referrer, "other"),),
        }
        yield Fact(kind=FactKind.CASE_OPENED, on=domain.today(row.opened_at), about=row.id, dims=dims)


def _facts_of(one: Row[Any], rows: Sequence[Row[Any]], tx: Tx) -> Iterator[Fact]:
    """A case's acts, told as facts."""
    acts = uncorrected([Act.model_validate(row.codes) for row in rows], tx.here)
    lives = [Life(tx.here)]
    for each in acts:
        lives.append(life.after(lives[-1], each))
    heard = False
    for before, each, now in zip(lives, acts, lives[1:], strict=False):
        yield from _events(one.id, before, each, now)
        if each.step in (Step.RECORD_RESULT, Step.RECORD_FIRST) and each.outcome is not Outcome.NOT_HEARD:
            yield Fact(
                kind=FactKind.RESULT_RECORDED,
                on=each.on,
                about=one.id,
                dims={Dimension.OUTCOME: (each.outcome or "-",)},
                amount=len(set(each.present)),
            )
            if not heard:
                days = max(0, (each.on - one.received_on).days)
                yield Fact(kind=FactKind.FIRST_HEARD, on=each.on, about=one.id, amount=days)
                heard = True
    days_of = [domain.today(one.opened_at), *(each.on for each in acts)]
    for begins, until, now in spans(days_of, lives, lambda now: (now.state,)):
        state = {Dimension.STATE: (now.state.value,)}
        yield Fact(kind=FactKind.IN_STATE, on=begins, until=until, about=one.id, dims=state)
    for begins, until, now in spans(days_of, lives, services_in_force):
        if services := services_in_force(now):
            served = {Dimension.SERVICE: services}
            yield Fact(kind=FactKind.SERVICE_IN_FORCE, on=begins, until=until, about=one.id, dims=served)


def uncorrected(acts: Sequence[Act], here: Compartment) -> list[Act]:
    """The acts without those 死亡・転出 that were taken back as a mistake: they were no end (T7)."""
    kept: list[Act] = []
    for each in acts:
        if each.step is not Step.CORRECT:
            kept.append(each)
            continue
        last = max(place for place, one in enumerate(kept) if one.step is Step.END)
        stood = life.fold(here, kept[:last]).state
        off = [kept[last].model_copy(update={"step": Step.TAKE_BACK})] if stood is State.AT_MEETING else []
        kept = [*kept[:last], *off, *kept[last + 1 :]]
    return kept


def _events(about: UUID, before: Life, each: Act, now: Life) -> Iterator[Fact]:
    def fact(kind: FactKind, **dims: tuple[str, ...]) -> Fact:
        return Fact(kind=kind, on=each.on, about=about, dims={Dimension(name): codes for name, codes in dims.items()})

    if path := _PATH.get(each.step):
        services = tuple(one.value for one in before.plan.services) if before.plan else ()
        rounds = ("again" if before.fixed_before else "first",)
        yield fact(FactKind.PLAN_FIXED, path=(path,), round=rounds, service=services or (NO_SERVICE,))
    if way := _WAY.get(each.step):
        yield fact(FactKind.CASE_LEFT, way=(way,))
    if each.step is Step.STOP:
        yield fact(FactKind.CASE_LEFT, way=("no_consent",))
    if each.step is Step.END:
        yield fact(FactKind.CASE_LEFT, way=(each.ended or "-",))
    if each.outcome is Outcome.REFERRER_LEADS and now.state is State.WITH_REFERRER:
        yield fact(FactKind.CASE_LEFT, way=("with_referrer",))
    if each.step is Step.REOPEN:
        yield fact(FactKind.CASE_REOPENED)
    if each.step is Step.START_EARLY:
        yield fact(FactKind.EARLY_SUPPORT)
    if each.step is Step.CONTACT:
        reached = ("reached" if each.reached else "not_reached",)
        yield fact(FactKind.CONTACT_TRIED, contact=(each.contact or "-",), reached=reached)
    if each.step is Step.TALK:
        yield fact(FactKind.TALKED)
    if each.step is Step.FOLLOW_UP:
        yield fact(FactKind.FOLLOWED_UP, state=(before.state.value,))


def services_in_force(now: Life) -> tuple[str, ...]:
    """The 法に基づく事業 of the plan in force; none once the case is over or opened anew."""
    plan = now.fixed_plan if now.fixed_before and now.state in ACTIVE else None
    return tuple(one.value for one in plan.services) if plan else ()


def spans(days: Iterable[date], lives: Iterable[Life], told: Any) -> Iterator[tuple[date, date | None, Life]]:
    """From when until when ``told`` of a life stayed the same; until the same day when it changed again on it.

    A day that lies before the one it follows (typed in late) counts as that one.
    """
    begins, current = None, None
    for day, now in zip(days, lives, strict=False):
        if begins is None or current is None:
            begins, current = day, now
            continue
        day = max(day, begins)
        if told(now) != told(current):
            yield begins, day, current
            begins, current = day, now
    if begins is not None and current is not None:
        yield begins, None, current


def _challenges(tx: Tx) -> Iterator[Fact]:
    joined = select(challenge_found, challenge.c.field, challenge.c.kind, challenge.c.struck_on)
    for row in tx.execute(joined.join(challenge, challenge.c.id == challenge_found.c.challenge)):
        if row.struck_on is None:
            dims = {Dimension.FIELD: (row.field,), Dimension.KIND: (row.kind,)}
            yield Fact(kind=FactKind.CHALLENGE_FOUND, on=row.month, about=row.request, dims=dims)


def _matches(tx: Tx) -> Iterator[Fact]:
    joined = select(matching, place.c.kind).join(place, place.c.id == matching.c.place)
    for row in tx.execute(joined):
        dims = {Dimension.KIND: (row.kind,)}
        yield Fact(kind=FactKind.MATCHED, on=row.began_on, about=row.case, dims=dims)
        if row.ended_on is not None:
            dims = {Dimension.WAY: (row.way,)}
            yield Fact(kind=FactKind.MATCH_ENDED, on=row.ended_on, about=row.case, dims=dims)


def _places(tx: Tx) -> Iterator[Fact]:
    for row in tx.execute(select(place)):
        dims = {Dimension.KIND: (row.kind,)}
        yield Fact(kind=FactKind.PLACE_OPEN, on=row.opened_on, until=row.closed_on, about=row.id, dims=dims)
