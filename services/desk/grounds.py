"""On which ground a case is shared, as its page tells it: the consent, who may hear it, what was shared so far."""

from dataclasses import dataclass
from uuid import UUID

from contracts.commission import TEMPLATE_TEXT, CooperationList
from contracts.consent import CONSENT_TEXT
from contracts.coordination import ConsentInForce, ItemExplanation
from contracts.disclosure import Disclosure
from contracts.intake import ConsentStop
from contracts.purpose import PURPOSE_TEXT
from services.desk import words
from services.desk.pages import Known

PROCESS_TEXT = {"coordination@juso": "事案の管理", "meetings@juso": "会議の調整"}
"""What the processes that acknowledge a version do, in words of the field."""


@dataclass(frozen=True)
class StopLine:
    """How far a change of the consent has come. ``confirmed`` is empty while it is being checked."""

    recorded: str
    confirmed: str
    acknowledged: tuple[str, ...]
    changed: bool = True
    """Whether there was anything before that it changed: a first version stops nothing."""


@dataclass(frozen=True)
class HearerLine:
    """Whether one agency may hear the case now, by which row of the table, and what to do if not."""

    agency: str
    allowed: bool
    row: str
    reason: str
    next_step: str


@dataclass(frozen=True)
class RegisterLine:
    """One row of the register: who received it, when, by which act and on which ground."""

    when: str
    act: str
    agency: str
    name: str
    ground: str


@dataclass(frozen=True)
class CooperationLine:
    """One 協力依頼. ``asks_back``: the body wants to talk and has to be commissioned first (S6)."""

    request: UUID
    agency: str
    code: str
    text: str
    asked: str
    due: str
    answered: str
    answer: str
    asks_back: str


def consent(found: ConsentInForce, known: Known) -> list[tuple[str, str]]:
    """State, version, period and scope: agencies one by one, of the household only how many (C3, S18)."""
    facts = [("状態", f"{CONSENT_TEXT[found.state]}(第{found.version}版)")]
    if found.starts and found.ends:
        facts.append(("期間", f"{words.moment(found.starts)}から{words.moment(found.ends)}の前まで"))
    others = max(0, found.members - 1)
    return [
        *facts,
        ("機関", "、".join(known.agency(code) for code in found.agencies) or "なし"),
        ("目的", "、".join(PURPOSE_TEXT[one] for one in found.purposes) or "なし"),
        ("世帯員", f"本人のほか{others}人" if others else "本人だけ"),
        ("税の情報", "含む" if found.covers_tax else "含まない"),
    ]


def stop(found: ConsentStop) -> StopLine | None:
    """How far the newest version has come; None where the ledger knows no consent."""
    if not found.found or found.recorded_at is None:
        return None
    return StopLine(
        words.to_the_second(found.recorded_at),
        words.to_the_second(found.confirmed_at) if found.confirmed_at else "",
        tuple(
            f"{PROCESS_TEXT.get(one.process, one.process)}({words.to_the_second(one.at)})" for one in found.acknowledged
        ),
        found.version > 1,
    )


def hearers(found: ItemExplanation, known: Known) -> list[HearerLine]:
    """Who may hear the case now, the allowed first."""
    lines = (
        HearerLine(known.agency(one.agency), one.allowed, f"{one.row}({one.rules})", one.reason, one.next_step)
        for one in found.decisions
    )
    return sorted(lines, key=lambda one: not one.allowed)


def register_line(row: Disclosure, known: Known) -> RegisterLine:
    """One row as the case page lists it."""
    person = (known.staff or {}).get(row.person)
    ground = f"同意 第{row.consent_version}版" if row.consent else "委嘱"
    return RegisterLine(
        words.to_the_second(row.at),
        words.ACT_TEXT[row.act],
        known.agency(row.agency),
        person.name if person else "氏名を確認できません",
        f"{ground}({row.row}、{row.rules})",
    )


def cooperation(found: CooperationList, known: Known) -> list[CooperationLine]:
    """Who was asked to help, and what came back."""
    return [
        CooperationLine(
            one.request,
            known.agency(one.agency),
            one.agency,
            TEMPLATE_TEXT[one.template],
            words.moment(one.asked_at),
            words.full_day(one.due_on),
            words.moment(one.answered_at) if one.answered_at else "",
            one.answer,
            words.moment(one.asked_back_at) if one.asked_back_at else "",
        )
        for one in found.requests
    ]
