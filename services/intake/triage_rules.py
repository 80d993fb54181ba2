"""The rules of triage: which of the city's criteria apply to a referral and why, and what a decision needs. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.explained import EXPLAINED_BY, EXPLAINED_ON
from contracts.intake import PROBLEM_TEXT, Problem
from contracts.text import Refused, check_text
from contracts.triage import Criteria, Criterion, DecideTriage, Match, Unmet, Way
from services.intake.domain import Flaw, explanation_flaws
from services.intake.signal_rules import reason_flaws

LONGEST_REASON = 10_000
TRIAGE_LABELS = {
    "after": "前の判断",
    "edition": "基準の版",
    "declared": "当てはまる基準",
    "way": "判断",
    "reason": "理由",
    "talked_on": "協議日",
    "counterpart": "協議の相手",
    "explained_by": EXPLAINED_BY,
    "explained_on": EXPLAINED_ON,
}
ASK_AGAIN = "変化があれば、いつでもまた依頼してください。"
"""What the 紹介元 is told with a return (種003 (3)3(1))."""
URGENT_GOES_ON = "緊急のつなぎです。判断を待たずに、会議の調整へ進んでいます。"
SAID = "紹介元か担当者が、当てはまるとした"


@dataclass(frozen=True)
class Facts:
    """What of a referral the criteria look at. ``agencies``: how many, the 紹介元 included."""

    problems: Sequence[Problem]
    agencies: int
    household: int


def sort_out(
    criteria: Criteria, facts: Facts, declared: Collection[str]
) -> tuple[tuple[Match, ...], tuple[Unmet, ...]]:
    """The criteria that apply, with why, and the others, in the order of the city's file."""
    matched: list[Match] = []
    unmet: list[Unmet] = []
    for one in criteria.criteria:
        why = SAID if one.asked and one.id in declared else "" if one.asked else _why(one, facts)
        if why:
            matched.append(Match(criterion=one.id, text=one.text, leads_to=one.leads_to, why=why))
        else:
            unmet.append(Unmet(criterion=one.id, text=one.text, leads_to=one.leads_to, asked=one.asked))
    return tuple(matched), tuple(unmet)


def advice(matched: Sequence[Match]) -> Way | None:
    """What all that apply agree on. Where they differ, or none applies, the file has no advice: a person weighs it."""
    ways = {one.leads_to for one in matched}
    return ways.pop() if len(ways) == 1 else None


def _why(one: Criterion, facts: Facts) -> str:
    """Why it applies, in words; empty where one of its thresholds is not met."""
    fields = len(set(facts.problems))
    named = [PROBLEM_TEXT[problem] for problem in dict.fromkeys(facts.problems)]
    of_interest = [PROBLEM_TEXT[problem] for problem in one.any_problem if problem in facts.problems]
    checks = (
        (one.problems_at_least, fields >= (one.problems_at_least or 0), f"お困りごと{fields}分野({'、'.join(named)})"),
        (one.problems_at_most, fields <= (one.problems_at_most or 0), f"お困りごと{fields}分野({'、'.join(named)})"),
        (one.any_problem or None, bool(of_interest), f"「{'」「'.join(of_interest)}」がある"),
        (one.agencies_at_least, facts.agencies >= (one.agencies_at_least or 0), f"関わる機関{facts.agencies}か所"),
        (one.agencies_at_most, facts.agencies <= (one.agencies_at_most or 0), f"関わる機関{facts.agencies}か所"),
        (one.household_at_least, facts.household >= (one.household_at_least or 0), f"世帯{facts.household}人"),
    )
    wanted = [(met, text) for threshold, met, text in checks if threshold is not None]
    return "、".join(dict.fromkeys(text for _, text in wanted)) if all(met for met, _ in wanted) else ""


def decision_flaws(
    asked: DecideTriage, criteria: Criteria, agencies: Collection[str], urgent: bool, received_on: date, today: date
) -> Iterator[Flaw]:
    """Why a decision cannot be recorded, the first reason first."""
    if asked.edition != criteria.edition:
        yield Flaw("edition", "triage-edition", "基準が新しい版になりました。もう一度見てから判断してください。")
    if not set(asked.declared) <= {one.id for one in criteria.criteria if one.asked}:
        yield Flaw(
            "declared", "triage-criterion", "人が答える基準にない番号です。kasane triage criteria で確かめてください。"
        )
    if asked.way is Way.RETURN and urgent:
        message = (
            "緊急のつなぎは、受付では戻せません。もう会議の調整へ進んでいます。"
            "落ち着いてから、事案の画面の「紹介元へ戻す」で協議の結果を記録してください。"
        )
        yield Flaw("way", "M1", message)
    yield from reason_flaws(asked.reason, LONGEST_REASON)
    if asked.way is Way.RETURN and (asked.talked_on is None or asked.counterpart is None):
        field = "talked_on" if asked.talked_on is None else "counterpart"
        yield Flaw(field, "D8", "戻す前に紹介元と協議し、協議した日と相手の機関を書いてください。")
    if asked.counterpart is not None and asked.counterpart not in agencies:
        yield Flaw("counterpart", "agency-unknown", "この市町村の機関一覧にない機関です。機関を確かめてください。")
    if asked.talked_on is not None and not received_on <= asked.talked_on <= today:
        yield Flaw("talked_on", "date-range", "協議日は、受付日から今日までの日にしてください。")
    yield from explanation_flaws(asked.explained_on, today)
    try:
        check_text(asked.explained_by, lines=False)
    except Refused as fault:
        yield Flaw("explained_by", fault.rule, fault.message)
