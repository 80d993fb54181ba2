"""Two people, one plan: what the other recorded first, beside what was typed and not taken (T2)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts.life import SERVICE_TEXT, Plan, Role, Taken
from services.desk import words
from services.desk.pages import Known

NOTHING = "(なし)"


@dataclass(frozen=True)
class Difference:
    """A part of the plan in which the two are not the same."""

    part: str
    theirs: str
    mine: str


def differences(since: Sequence[Taken], mine: Plan | None, known: Known) -> list[Difference]:
    """Of what others recorded meanwhile the newest plan against this one, part by part; nothing where there is none."""
    theirs = next((one.act.plan for one in reversed(since) if one.act.plan), None)
    if theirs is None or mine is None:
        return []
    pairs = (*_texts(theirs, mine), *_roles(theirs, mine, known))
    return [Difference(part, one or NOTHING, other or NOTHING) for part, one, other in pairs if one != other]


def _texts(theirs: Plan, mine: Plan) -> Iterator[tuple[str, str, str]]:
    yield "目標", theirs.goals, mine.goals
    yield "支援方針・内容", theirs.policy, mine.policy
    yield "法に基づく事業", _services(theirs), _services(mine)
    yield "ほかの支援", "あり" if theirs.other_support else "", "あり" if mine.other_support else ""
    yield "モニタリングの予定日", _day(theirs), _day(mine)


def _roles(theirs: Plan, mine: Plan, known: Known) -> Iterator[tuple[str, str, str]]:
    for agency in dict.fromkeys(one.agency for one in (*theirs.roles, *mine.roles)):
        yield f"役割: {known.agency(agency)}", _of(theirs.roles, agency), _of(mine.roles, agency)


def _of(roles: Iterable[Role], agency: str) -> str:
    return " / ".join(f"{words.full_day(one.until)}まで {one.does}" for one in roles if one.agency == agency)


def _services(plan: Plan) -> str:
    return "、".join(text for code, text in SERVICE_TEXT.items() if code in plan.services)


def _day(plan: Plan) -> str:
    return words.full_day(plan.monitor_on) if plan.monitor_on else ""
