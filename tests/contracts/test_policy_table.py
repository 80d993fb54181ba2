"""The whole table over every request there is: against the law written a second time, and sentence by sentence.

A sentence cites the rules it comes from (domain.md; I…: consent.md 1). The last part spoils the table in every small
way and expects this file to notice each.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from contracts.consent import ConsentState
from contracts.legal_basis import CATALOGUE, CITED
from contracts.message import Compartment
from contracts.policy import (
    ALWAYS,
    NEVER,
    POLICY_VERSION,
    READ,
    Category,
    Decision,
    Emergency,
    Period,
    Policy,
    Request,
    applies,
    decide,
    unmet,
    version_of,
)
from contracts.policy_rows import ROWS
from contracts.policy_terms import DOMAIN, Act, Condition, Fact, Row, Standing
from tests.contracts.request_space import (
    HOUR,
    LAW_BEGINS,
    NOW,
    OPEN,
    RECORDS,
    SHARES,
    SHUT,
    TICK,
    arguments,
    every_part,
    every_request,
    looked_at,
)
from tests.contracts.the_law import law, opens

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
FORBIDS = [row for row in ROWS if row.id.startswith("F")]
CONSENTED = (ConsentState.GIVEN, ConsentState.NARROWED)


@cache
def decided() -> list[tuple[Request, Decision]]:
    return [(request, decide(request)) for request in every_request()]


def made(act: Act, where: Compartment | None, **said: Any) -> Request:
    """A request for which everything speaks, except what is said."""
    basis = {JUSO: "swa-106-4-2-5", SHIEN: "swa-106-6", None: ""}[where]
    return Request(**(arguments({"act": act, "compartment": where, "basis": basis}, OPEN) | said))


# -- against the law written a second time -----------------------------------------------------------------------------


def test_the_table_decides_every_request_as_the_law_does() -> None:
    wrong = [(request, one.row) for request, one in decided() if (one.row, one.compartment) != expected(request)]
    assert wrong[:3] == []
    assert all(one.allowed == (one.compartment is not None) for _, one in decided())


def expected(request: Request) -> tuple[str, Compartment | None]:
    return law(request), opens(request)


def test_every_request_there_is_was_tried() -> None:
    assert len(decided()) == 2 * 79_758


class Watched(Request):
    """A request that remembers which of its fields were looked at."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            READ_FIELDS.add(name)
        return super().__getattribute__(name)


READ_FIELDS: set[str] = set()


def test_a_decision_looks_at_nothing_else() -> None:
    """So the fields a part leaves out cannot matter, and the product of the others is every request there is."""
    always = {"act", "compartment"}
    for part in every_part():
        request = Watched(**arguments(part, SHUT))
        READ_FIELDS.clear()
        decide(request)
        assert looked_at(part["act"], part["compartment"]) | always | {"moment"} >= READ_FIELDS, part


def test_every_row_decides_something() -> None:
    assert {one.row for _, one in decided()} == {row.id for row in ROWS}


# -- sentence by sentence ----------------------------------------------------------------------------------------------

Sentence = Callable[[Request, Decision], bool]


def tax_never_leaves_without_a_consent_that_covers_it(request: Request, one: Decision) -> bool:
    """S9, I7, 地方税法22条."""
    tax = request.category is Category.TAX and request.act is not Act.DERIVE
    return not (tax and one.allowed) or request.covers_tax


def a_shien_holds_no_tax_at_all(request: Request, one: Decision) -> bool:
    """S9; a carry-over is the one act that ends outside, in the juso."""
    inside = request.compartment is SHIEN and request.act not in (Act.CARRY, Act.DERIVE)
    return not (inside and one.allowed) or request.category is Category.ORDINARY


def what_was_said_in_a_shien_is_heard_only_on_106_6(request: Request, one: Decision) -> bool:
    """I5, M13, 106条の6第5項."""
    return not (request.compartment is SHIEN and request.act in SHARES and one.allowed) or request.basis == "swa-106-6"


def a_juso_hears_only_on_106_4(request: Request, one: Decision) -> bool:
    """M13."""
    here = request.compartment is JUSO and request.act in SHARES
    return not (here and one.allowed) or request.basis == "swa-106-4-2-5"


def nothing_is_shared_in_a_juso_without_a_consent_in_force_and_in_scope(request: Request, one: Decision) -> bool:
    """C1, C2, C3, S18, I1, I2."""
    if request.compartment is not JUSO or request.act not in SHARES or not one.allowed:
        return True
    scope = request.agency_inside and request.purpose_inside and request.member_inside
    return request.consent in CONSENTED and request.consent_period.contains(request.moment) and scope


def nobody_hears_in_a_shien_without_a_commission_in_force(request: Request, one: Decision) -> bool:
    """S6, S8, I4."""
    here = request.compartment is SHIEN and request.act in (*SHARES, Act.SHOW)
    return not (here and one.allowed) or request.commission.starts <= request.moment < request.commission.ends


def nobody_hears_a_block_without_a_seat_in_it(request: Request, one: Decision) -> bool:
    """M6, I8. Papers of a juso may go to an agency within the consent that does not sit there (C3)."""
    papers = request.act is Act.EXPORT and request.compartment is JUSO
    return not (request.act in SHARES and one.allowed) or request.seat or papers


def only_a_municipality_holds_a_shien(request: Request, one: Decision) -> bool:
    """S1, I13."""
    here = request.compartment is SHIEN and request.act in (*SHARES, Act.SHOW, Act.ASK)
    return not (here and one.allowed) or request.hosted_by_municipality


def a_cooperation_request_goes_one_way_and_tells_nothing(request: Request, one: Decision) -> bool:
    """S5, S6, I6."""
    return not (request.act is Act.ASK and one.allowed) or not (request.two_way or request.carries_content)


def nothing_is_carried_over_by_itself(request: Request, one: Decision) -> bool:
    """C10, I10: consent, scope, a decision per item, and the agency that gave it."""
    if request.act is not Act.CARRY or not one.allowed:
        return True
    agreed = request.carry_decided and request.provider_agreed and request.purpose_inside and request.member_inside
    in_force = request.consent in CONSENTED and request.consent_period.contains(request.moment)
    return request.compartment is SHIEN and in_force and agreed


def an_emergency_is_recorded_short_and_reviewed(request: Request, one: Decision) -> bool:
    """I12, 法69条2項4号."""
    if request.act is not Act.EMERGENCY or not one.allowed:
        return True
    record = request.emergency
    return (
        record is not None
        and all((record.recipient_named, record.items_named, record.reason_written, record.review_planned))
        and record.earlier_reviewed
        and timedelta() < record.ends - request.moment <= HOUR
    )


def a_withdrawn_case_becomes_a_shien_case_only_by_a_decision(request: Request, one: Decision) -> bool:
    """C11, I11."""
    gone = request.act is Act.DERIVE and request.consent in (ConsentState.WITHDRAWN, ConsentState.EXPIRED)
    return not (gone and one.allowed) or (one.compartment is SHIEN and request.necessity_recorded)


def a_case_without_consent_never_becomes_a_juso_case(request: Request, one: Decision) -> bool:
    """C4, I3."""
    return not (request.act is Act.DERIVE and one.compartment is JUSO) or request.consent in CONSENTED


def a_case_with_a_consent_in_force_never_becomes_a_shien_case(request: Request, one: Decision) -> bool:
    """C1, I9."""
    in_force = request.consent in CONSENTED and request.consent_period.contains(request.moment)
    return not (request.act is Act.DERIVE and one.compartment is SHIEN) or not in_force


def what_lies_nowhere_goes_nowhere(request: Request, one: Decision) -> bool:
    """kasane has two compartments (M13, M14)."""
    return request.compartment is not None or request.act is Act.DERIVE or not one.allowed


def an_act_stays_in_its_compartment(request: Request, one: Decision) -> bool:
    """I5."""
    if not one.allowed:
        return one.compartment is None
    return request.act is Act.DERIVE or one.compartment is request.compartment


SENTENCES: tuple[Sentence, ...] = (
    tax_never_leaves_without_a_consent_that_covers_it,
    a_shien_holds_no_tax_at_all,
    what_was_said_in_a_shien_is_heard_only_on_106_6,
    a_juso_hears_only_on_106_4,
    nothing_is_shared_in_a_juso_without_a_consent_in_force_and_in_scope,
    nobody_hears_in_a_shien_without_a_commission_in_force,
    nobody_hears_a_block_without_a_seat_in_it,
    only_a_municipality_holds_a_shien,
    a_cooperation_request_goes_one_way_and_tells_nothing,
    nothing_is_carried_over_by_itself,
    an_emergency_is_recorded_short_and_reviewed,
    a_withdrawn_case_becomes_a_shien_case_only_by_a_decision,
    a_case_without_consent_never_becomes_a_juso_case,
    a_case_with_a_consent_in_force_never_becomes_a_shien_case,
    what_lies_nowhere_goes_nowhere,
    an_act_stays_in_its_compartment,
)


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.__name__)
def test_it_holds_for_every_request_that(sentence: Sentence) -> None:
    assert [request for request, one in decided() if not sentence(request, one)][:1] == []


def test_the_wall_has_doors() -> None:
    """Every act that can be lawful is allowed when everything speaks for it (C1, C4, S5, C10, I12)."""
    for act in SHARES:
        assert decide(made(act, JUSO)).row == "P1"
        assert decide(made(act, SHIEN)).row == "P2"
    assert decide(made(Act.ASK, SHIEN)).row == "P3"
    assert decide(made(Act.CARRY, SHIEN)).row == "P4"
    assert [decide(made(Act.EMERGENCY, where)).row for where in Compartment] == ["P5", "P5"]


def test_a_request_that_says_nothing_is_refused() -> None:
    for act in set(Act) - {Act.DERIVE}:
        for where in (*Compartment, None):
            for category in Category:
                assert not decide(Request(act=act, moment=NOW, category=category, compartment=where)).allowed


@pytest.mark.parametrize(
    ("act", "where", "left_out"),
    [
        *((Act.HEAR, JUSO, name) for name in ("basis", "seat", "consent", "consent_period")),
        *((Act.HEAR, JUSO, name) for name in ("agency_inside", "purpose_inside", "member_inside", "compartment")),
        *((Act.HEAR, SHIEN, name) for name in ("basis", "seat", "commission", "hosted_by_municipality")),
        *((Act.ASK, SHIEN, name) for name in ("two_way", "carries_content")),
        *((Act.CARRY, SHIEN, name) for name in ("carry_decided", "provider_agreed")),
        (Act.EMERGENCY, SHIEN, "emergency"),
    ],
)
def test_what_a_request_leaves_out_speaks_against_it(act: Act, where: Compartment, left_out: str) -> None:
    said = {name: value for name, value in vars(made(act, where)).items() if name != left_out}
    assert not decide(Request(**said)).allowed


def test_a_tax_item_needs_it_said_that_the_consent_covers_tax() -> None:
    said = vars(made(Act.HEAR, JUSO, category=Category.TAX))
    assert decide(Request(**said)).allowed
    assert not decide(Request(**{name: said[name] for name in said if name != "covers_tax"})).allowed


@pytest.mark.parametrize("left_out", RECORDS)
def test_what_an_emergency_leaves_out_speaks_against_it(left_out: str) -> None:
    said = {name: True for name in RECORDS if name != left_out}
    assert not decide(made(Act.EMERGENCY, SHIEN, emergency=Emergency(ends=NOW + HOUR, **said))).allowed


def test_a_row_that_names_a_basis_speaks_of_no_other() -> None:
    """The forbids before it say so, too; the row does not rely on them (M13)."""
    bare = Policy([next(row for row in ROWS if row.id == "P1"), ROWS[-1]])
    assert bare.decide(made(Act.HEAR, JUSO)).allowed
    assert not bare.decide(made(Act.HEAR, JUSO, basis="swa-106-6")).allowed


# -- boundaries --------------------------------------------------------------------------------------------------------

STARTS, ENDS = datetime(2026, 3, 31, 15, tzinfo=UTC), datetime(2027, 3, 31, 15, tzinfo=UTC)
MOMENTS = [(STARTS - TICK, False), (STARTS, True), (ENDS - TICK, True), (ENDS, False)]


@pytest.mark.parametrize(("moment", "inside"), MOMENTS)
def test_a_consent_holds_from_its_first_instant_until_just_before_its_end(moment: datetime, inside: bool) -> None:
    request = made(Act.HEAR, JUSO, moment=moment, consent_period=Period(STARTS, ENDS))
    assert decide(request).allowed == inside
    kind = replace(request, act=Act.DERIVE, necessity_recorded=False)
    assert decide(kind).compartment is (JUSO if inside else None)


@pytest.mark.parametrize(("moment", "inside"), MOMENTS)
def test_a_commission_holds_from_its_first_instant_until_just_before_its_end(moment: datetime, inside: bool) -> None:
    assert decide(made(Act.HEAR, SHIEN, moment=moment, commission=Period(STARTS, ENDS))).allowed == inside


@pytest.mark.rule("M14")
@pytest.mark.parametrize("where", Compartment)
def test_a_meeting_rests_on_its_article_from_midnight_in_japan(where: Compartment) -> None:
    before = made(Act.HEAR, where, moment=LAW_BEGINS - TICK, consent_period=ALWAYS, commission=ALWAYS)
    assert decide(before).rule == "M14"
    assert decide(replace(before, moment=LAW_BEGINS)).allowed


@pytest.mark.parametrize(("left", "allowed"), [(timedelta(), False), (TICK, True), (HOUR, True), (HOUR + TICK, False)])
def test_an_emergency_is_over_within_the_hour(left: timedelta, allowed: bool) -> None:
    request = made(Act.EMERGENCY, SHIEN)
    assert request.emergency
    assert decide(replace(request, emergency=replace(request.emergency, ends=NOW + left))).allowed == allowed


def test_a_period_that_runs_backwards_never_holds() -> None:
    assert not any(Period(ENDS, STARTS).contains(one) for one, _ in MOMENTS)
    assert decide(made(Act.HEAR, JUSO, consent_period=Period(NOW, NOW))).row == "N2"
    assert not NEVER.contains(NOW)
    assert ALWAYS.contains(NOW)


def test_an_instant_without_a_zone_is_refused_before_it_is_compared() -> None:
    naive = datetime(2026, 11, 20, 10)  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        Request(act=Act.HEAR, moment=naive, category=Category.ORDINARY)
    with pytest.raises(ValueError, match="zone"):
        Period(naive, ENDS)
    with pytest.raises(ValueError, match="zone"):
        made(Act.EMERGENCY, SHIEN, emergency=replace(made(Act.EMERGENCY, SHIEN).emergency, ends=naive))


# -- what a row must have ----------------------------------------------------------------------------------------------


def faults_of(rows: Sequence[Row]) -> list[str]:
    """What is wrong with a table before it decides anything."""
    faults = []
    *others, last = rows
    if last.allowed or last.conditions or last.acts != tuple(Act) or last.compartment or last.basis:
        faults.append("the last row must refuse everything")
    permits = [row for row in others if row.allowed]
    for row in others:
        if row.allowed and row.acts != (Act.EMERGENCY,) and row.compartment is None:
            faults.append(f"{row.id} allows without naming a compartment")
        if row.allowed and {*SHARES, Act.ASK} & {*row.acts} and row.basis is None:
            faults.append(f"{row.id} allows without naming a legal basis")
        if not row.allowed and not row.conditions and any(row_overlaps(row, permit) for permit in permits):
            faults.append(f"{row.id} refuses what may be allowed and does not say what is missing")
        if Act.DERIVE in row.acts and row.acts != (Act.DERIVE,):
            faults.append(f"{row.id} derives a kind and does something else besides")
        if not row.allowed and row.basis is not None:
            faults.append(f"{row.id} refuses on one basis only")
    named = [one for row in permits if Act.DERIVE in row.acts for one in row.conditions if one.fact is Fact.STANDING]
    faults += [f"{state} leads to two kinds" for state in Standing if sum(state in one.among for one in named) > 1]
    faults += [f"{row.id} refuses without a lawful next step" for row in rows if not row.allowed and not row.next_step]
    return faults


def row_overlaps(one: Row, other: Row) -> bool:
    same = one.compartment is None or other.compartment is None or one.compartment is other.compartment
    return same and bool({*one.acts} & {*other.acts})


def test_the_table_has_no_fault() -> None:
    assert faults_of(ROWS) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_says_by_what_and_why(row: Row) -> None:
    assert all(re.fullmatch(r"[CSMI][0-9]+", rule) for rule in row.rules)
    assert row.rules
    assert row.article in {one.article for one in CATALOGUE.values()} | CITED
    assert re.search(r"[ぁ-ん].*。$", row.reason)
    assert not row.next_step or row.next_step.endswith("。")
    assert row.allowed or row.next_step.endswith(("ください。", "退室します。", "扱えます。"))
    assert row.basis is None or row.basis in CATALOGUE


def test_no_two_rows_have_the_same_number() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_a_refused_request_gets_its_next_step_rule_article_and_version() -> None:
    for _, one in decided():
        assert one.allowed or one.next_step
        assert one.rule == one.rules[0]
        assert one.basis
        assert one.version == POLICY_VERSION


def test_what_is_forbidden_stands_before_what_is_allowed() -> None:
    kinds = [row.id[0] for row in ROWS]
    assert kinds == sorted(kinds, key="FPKND".index)
    assert all(row.allowed == (row.id[0] in "PK") for row in ROWS)


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_has_only_the_values_conditions_can_name(fact: Fact) -> None:
    assert {READ[fact](request) for request in every_request()[::101]} <= set(DOMAIN[fact])
    assert all(set(c.among) < set(DOMAIN[fact]) for row in ROWS for c in row.conditions if c.fact is fact)


def test_what_a_row_still_wants_can_be_told() -> None:
    refused = made(Act.HEAR, JUSO, agency_inside=False)
    (row,) = (row for row in ROWS if row.id == "P1")
    assert [one.fact for one in unmet(row, refused)] == [Fact.AGENCY]
    assert applies(row, replace(refused, agency_inside=True))


def test_the_first_row_that_applies_is_the_one_that_decides() -> None:
    for request, one in decided()[::11]:
        if request.compartment is not None or request.act is Act.DERIVE:
            assert next(row.id for row in ROWS if applies(row, request)) == one.row


# -- the tests notice every change -------------------------------------------------------------------------------------


@cache
def law_by_act() -> dict[Act, list[tuple[Request, tuple[str, Compartment | None]]]]:
    """What the law says, in an order in which differences come up soon."""
    requests = list(every_request())
    random.Random(106).shuffle(requests)
    return {act: [(one, expected(one)) for one in requests if one.act is act] for act in Act}


def differs(rows: Sequence[Row], acts: Iterable[Act]) -> bool:
    """Whether a table decides some request of these acts unlike the law."""
    policy = Policy(rows)
    return any(
        (one := policy.decide(request)).allowed == (lawful[1] is None) or (one.row, one.compartment) != lawful
        for act in acts
        for request, lawful in law_by_act()[act]
    )


def spoilt(row: Row) -> Iterator[tuple[str, Row | None]]:
    """Every small way to spoil a row: to lose it, turn it, take something from it; to let a permit reach further.

    A refusal that reaches further is left out: it may say nothing new about what is refused before it.
    """
    yield "taken out", None
    yield "verdict turned", replace(row, allowed=not row.allowed)
    if not row.allowed:
        yield "without a next step", replace(row, next_step="")
    for act in row.acts:
        yield f"without {act}", replace(row, acts=tuple(one for one in row.acts if one is not act))
    for at, condition in enumerate(row.conditions):
        before, after = row.conditions[:at], row.conditions[at + 1 :]
        yield f"without {condition.fact}", replace(row, conditions=before + after)
        others = tuple(one for one in DOMAIN[condition.fact] if one not in condition.among)
        yield f"not {condition.fact}", replace(row, conditions=(*before, Condition(condition.fact, others), *after))
        for value in DOMAIN[condition.fact]:
            if value in condition.among or row.allowed:
                among = tuple(one for one in DOMAIN[condition.fact] if (one in condition.among) != (one == value))
                changed = replace(row, conditions=(*before, Condition(condition.fact, among), *after))
                yield f"{condition.fact} {value} turned", changed
    if row.compartment is not None:
        yield "in the other compartment", replace(row, compartment=JUSO if row.compartment is SHIEN else SHIEN)
    if row.allowed:
        for act in set(Act) - set(row.acts):
            yield f"also {act}", replace(row, acts=(*row.acts, act))
        for where in {*Compartment, None} - {row.compartment}:
            yield f"in {where}", replace(row, compartment=where)
        for basis in {None, "swa-106-6", "swa-106-4-2-5"} - {row.basis}:
            yield f"on {basis}", replace(row, basis=basis)


def mutants() -> Iterator[tuple[str, set[Act], tuple[Row, ...]]]:
    """Spoilt tables, each with the acts it may decide otherwise."""
    for at, row in enumerate(ROWS):
        for how, instead in spoilt(row):
            acts = {*row.acts, *(instead.acts if instead else ())}
            yield f"{row.id} {how}", acts, (*ROWS[:at], *((instead,) if instead else ()), *ROWS[at + 1 :])


def test_every_spoilt_table_is_noticed() -> None:
    survivors = [name for name, acts, rows in mutants() if not faults_of(rows) and not differs(rows, acts)]
    assert survivors == []


@pytest.mark.parametrize("row", FORBIDS, ids=lambda row: row.id)
def test_a_forbid_behind_the_permits_is_noticed(row: Row) -> None:
    """Order is part of the law: behind the permits this row would come too late, and something would be let out."""
    others = [one for one in ROWS if one is not row]
    late = Policy([*others[:-1], row, others[-1]])
    let_out = [request for request, one in decided() if not one.allowed and late.decide(request).allowed]
    if row.id in ("F4", "F5"):  # the permits name their basis as well; only the reason would be another
        assert differs([*others[:-1], row, others[-1]], row.acts)
    else:
        assert let_out


def test_every_spoilt_table_has_a_version_of_its_own() -> None:
    tables = {repr(rows): version_of(rows) for _, _, rows in mutants()}
    assert len(set(tables.values())) == len(tables)
    assert POLICY_VERSION not in tables.values()
    assert version_of(ROWS, list(CATALOGUE.values())[1:]) != POLICY_VERSION
