"""Counts (実績): what is counted of the recorded facts, for which period, and what becomes of a count once submitted.

The official report form was not read; the working set of domain.md 6 stands as definitions in ``counts/*.toml``, so
that the form, when it is known, changes data and not code. An item that no recorded fact can give is listed as such.
"""

import re
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from contracts.coordinating import Data
from contracts.message import Account, Code, Compartment, Message, Question

PeriodText = Annotated[str, StringConstraints(pattern=r"^(20[0-9]{2}|20[0-9]{2}-(Q[1-4]|0[1-9]|1[0-2]))$")]
"""``2026-04`` a month, ``2026-Q2`` the second quarter and ``2026`` the whole of 令和8年度, which begins in April."""

_PERIOD = re.compile(r"(20[0-9]{2})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?")


class WrongPeriod(Exception):
    """Not a period; the text says in Japanese how one is written."""


class Period(Message):
    """Days in Japan from ``begins`` until the day before ``ends``: a month, a quarter or a year of 年度."""

    text: PeriodText
    begins: date
    ends: date
    fiscal_year: int

    @classmethod
    def read(cls, text: str) -> "Period":
        """Raises WrongPeriod."""
        found = _PERIOD.fullmatch(text)
        if not found:
            raise WrongPeriod("期間は、月は 2026-04、四半期(年度)は 2026-Q2、年度は 2026 の形で指定してください。")
        year, quarter, month = (int(part) if part else 0 for part in found.groups())
        if month:
            begins, months = date(year, month, 1), 1
        elif quarter:
            begins, months = _months_after(date(year, 4, 1), 3 * (quarter - 1)), 3
        else:
            begins, months = date(year, 4, 1), 12
        fiscal_year = begins.year if begins.month >= 4 else begins.year - 1
        return cls(text=text, begins=begins, ends=_months_after(begins, months), fiscal_year=fiscal_year)

    @property
    def last(self) -> date:
        """The last day."""
        return self.ends - timedelta(days=1)

    def contains(self, other: "Period") -> bool:
        """Whether the other lies inside this one and is shorter."""
        return self.text != other.text and self.begins <= other.begins and other.ends <= self.ends

    def title(self) -> str:
        """For people: the kind of period and its days."""
        kind = "年度" if len(self.text) == 4 else "四半期" if "Q" in self.text else "月"
        return f"{self.text}({kind}、{self.begins} から {self.last} まで)"


def _months_after(day: date, months: int) -> date:
    count = day.month - 1 + months
    return date(day.year + count // 12, count % 12 + 1, 1)


# -- what is counted ---------------------------------------------------------------------------------------------------


class FactKind(StrEnum):
    """What happened, as it stands recorded; the words say where."""

    CASE_OPENED = "case_opened"
    """coordination opened a case (受付決定)."""
    PLAN_FIXED = "plan_fixed"
    """An act 支援決定, 了承と報告, or 支援方針の確認 (D1)."""
    CASE_LEFT = "case_left"
    """終結, 中断, 紹介元へ戻し, 紹介元が主担当, 死亡・転出, from shien to juso with consent."""
    CASE_REOPENED = "case_reopened"
    CONTACT_TRIED = "contact_tried"
    """An act 連絡の試み (T3)."""
    TALKED = "talked"
    """An act 面談・同行支援 (C7)."""
    FOLLOWED_UP = "followed_up"
    """An act フォローアップ: after a case's end (D7), or as advice to the 紹介元 that leads it (D9)."""
    IN_STATE = "in_state"
    """A span: a case stood in a state."""
    SERVICE_IN_FORCE = "service_in_force"
    """A span: a fixed plan with a 法に基づく事業 was in force."""
    EARLY_SUPPORT = "early_support"
    """早期支援 began (T5)."""
    RESULT_RECORDED = "result_recorded"
    """The result of an item at a meeting was recorded; ``amount``: how many agencies took part."""
    FIRST_HEARD = "first_heard"
    """A case was heard for the first time; ``amount``: days since it was received."""
    SITTING_HELD = "sitting_held"
    """A sitting with an item on its agenda is over, and was not called off."""
    ITEM_HEARD = "item_heard"
    """An item on the agenda of such a sitting."""
    SEAT_INVITED = "seat_invited"
    """A seat of such a sitting, with the answer."""
    MATCHED = "matched"
    """参加支援: a person began at a 受入先."""
    MATCH_ENDED = "match_ended"
    PLACE_OPEN = "place_open"
    """A span: a 受入先 was in the register."""
    CHALLENGE_FOUND = "challenge_found"
    """A missing resource was noted (D10)."""


class Dimension(StrEnum):
    """By what facts can be grouped."""

    REFERRER = "referrer"
    PROBLEM = "problem"
    URGENT = "urgent"
    PATH = "path"
    ROUND = "round"
    SERVICE = "service"
    WAY = "way"
    CONTACT = "contact"
    REACHED = "reached"
    STATE = "state"
    OUTCOME = "outcome"
    BODY = "body"
    REGULAR = "regular"
    PURPOSE = "purpose"
    ANSWER = "answer"
    KIND = "kind"
    FIELD = "field"


MANY = frozenset({Dimension.PROBLEM, Dimension.SERVICE})
"""A fact may have several of these, so that the groups may come to more than the total."""
DIMENSIONS: dict[FactKind, frozenset[Dimension]] = {
    FactKind.CASE_OPENED: frozenset({Dimension.REFERRER, Dimension.PROBLEM, Dimension.URGENT}),
    FactKind.PLAN_FIXED: frozenset({Dimension.PATH, Dimension.ROUND, Dimension.SERVICE}),
    FactKind.CASE_LEFT: frozenset({Dimension.WAY}),
    FactKind.CASE_REOPENED: frozenset(),
    FactKind.CONTACT_TRIED: frozenset({Dimension.CONTACT, Dimension.REACHED}),
    FactKind.TALKED: frozenset(),
    FactKind.FOLLOWED_UP: frozenset({Dimension.STATE}),
    FactKind.IN_STATE: frozenset({Dimension.STATE}),
    FactKind.SERVICE_IN_FORCE: frozenset({Dimension.SERVICE}),
    FactKind.EARLY_SUPPORT: frozenset(),
    FactKind.RESULT_RECORDED: frozenset({Dimension.OUTCOME}),
    FactKind.FIRST_HEARD: frozenset(),
    FactKind.SITTING_HELD: frozenset({Dimension.BODY, Dimension.REGULAR}),
    FactKind.ITEM_HEARD: frozenset({Dimension.PURPOSE}),
    FactKind.SEAT_INVITED: frozenset({Dimension.ANSWER}),
    FactKind.MATCHED: frozenset({Dimension.KIND}),
    FactKind.MATCH_ENDED: frozenset({Dimension.WAY}),
    FactKind.PLACE_OPEN: frozenset({Dimension.KIND}),
    FactKind.CHALLENGE_FOUND: frozenset({Dimension.FIELD, Dimension.KIND}),
}


class Method(StrEnum):
    """How facts become a number."""

    EVENTS = "events"
    """件数: how many happened in the period."""
    THINGS = "things"
    """実数: how many different cases (or places) there are among them; a span counts where it touches the period."""
    STANDING = "standing"
    """期末: how many spans hold on the last day."""
    MEAN = "mean"
    """平均: the mean of their amounts."""


class Fact(Message):
    """A recorded fact in codes. ``about``: what is counted once as a thing. Never leaves its compartment.

    ``until``: the first day on which a span held no more; None: it still does, or it is no span.
    """

    kind: FactKind
    on: date
    until: date | None = None
    about: UUID
    dims: dict[Dimension, tuple[str, ...]] = Field(default_factory=dict)
    amount: int = 0


class Grouping(Data):
    """``title`` is for people."""

    dim: Dimension
    title: str


class Item(Data):
    """One item of the report. Either ``fact`` says of what it is counted, or ``not_recorded`` why it cannot be."""

    id: Code
    title: Annotated[str, Field(max_length=60)]
    words: str
    """The definition as people read it."""
    source: str
    unit: str = "件"
    fact: FactKind | None = None
    method: Method = Method.EVENTS
    where: dict[Dimension, tuple[str, ...]] = Field(default_factory=dict)
    """Only the facts with one of these codes."""
    by: tuple[Grouping, ...] = ()
    compartments: Annotated[tuple[Compartment, ...], Field(min_length=1)] = (Compartment.JUSO, Compartment.SHIEN)
    not_recorded: str = ""

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if (self.fact is None) != bool(self.not_recorded):
            raise ValueError("either fact or not_recorded")
        known = DIMENSIONS[self.fact] if self.fact else frozenset()
        if not {*self.where, *(one.dim for one in self.by)} <= known:
            raise ValueError("the fact does not have what it is to be grouped by")
        if self.method is Method.MEAN and self.by:
            raise ValueError("a mean is not grouped")
        return self

    def exact(self) -> frozenset[str]:
        """The groupings whose rows add up: each fact stands in just one (suppression)."""
        if self.method not in (Method.EVENTS, Method.STANDING):
            return frozenset()
        return frozenset(one.dim.value for one in self.by if one.dim not in MANY)


class Definitions(Data):
    """An edition of all items. ``threshold``: a count below it is small (contracts/suppression.py)."""

    version: Annotated[str, Field(pattern=r"^[0-9]+$")]
    source: str
    threshold: Annotated[int, Field(ge=3)]
    items: Annotated[tuple[Item, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.id for one in self.items}) != len(self.items):
            raise ValueError("two items have one id")
        return self


# -- counting ----------------------------------------------------------------------------------------------------------

UNKNOWN = "-"
"""The code of a group for facts that say nothing of it, so that groups add up to the total."""


class Group(Message):
    """A part of an item."""

    by: Dimension
    code: str
    count: Annotated[int, Field(ge=0)]


class Counted(Message):
    """An item as it was counted. ``count`` is None where no recorded fact gives it; then ``why`` says so.

    Of a mean, ``count`` is the sum and ``of`` how many it is the mean of.
    """

    item: Item
    count: Annotated[int, Field(ge=0)] | None
    of: Annotated[int, Field(ge=0)] | None = None
    groups: tuple[Group, ...] = ()
    why: str = ""


def count(item: Item, facts: tuple[Fact, ...], period: Period) -> Counted:
    """Count one item. Nothing found is zero; not recorded is not."""
    if item.fact is None:
        return Counted(item=item, count=None, why=item.not_recorded)
    mine = [one for one in facts if one.kind is item.fact and _counts(item, one, period)]
    if item.method is Method.MEAN:
        return Counted(item=item, count=sum(one.amount for one in mine), of=len(mine))
    groups = []
    for by in item.by:
        codes = sorted({code for one in mine for code in _codes(one, by.dim)})
        for code in codes:
            number = _number(item, [one for one in mine if code in _codes(one, by.dim)])
            groups.append(Group(by=by.dim, code=code, count=number))
    return Counted(item=item, count=_number(item, mine), groups=tuple(groups))


def _counts(item: Item, fact: Fact, period: Period) -> bool:
    if not all(set(codes) & set(_codes(fact, dim)) for dim, codes in item.where.items()):
        return False
    if item.method is Method.STANDING:
        return fact.on <= period.last and (fact.until is None or period.last < fact.until)
    if item.method is Method.THINGS and fact.kind in SPANS:
        over = None if fact.until is None else max(fact.until, fact.on + timedelta(days=1))  # its first day counts
        return fact.on <= period.last and (over is None or period.begins < over)
    return period.begins <= fact.on < period.ends


SPANS = frozenset({FactKind.IN_STATE, FactKind.SERVICE_IN_FORCE, FactKind.PLACE_OPEN})


def _codes(fact: Fact, dim: Dimension) -> tuple[str, ...]:
    return fact.dims.get(dim) or (UNKNOWN,)


def _number(item: Item, facts: list[Fact]) -> int:
    return len({one.about for one in facts}) if item.method is Method.THINGS else len(facts)


# -- messages ----------------------------------------------------------------------------------------------------------


class Snapshot(Message):
    """What was counted when a period was submitted. It is never changed: corrections show as differences."""

    period: PeriodText
    frozen_at: AwareDatetime
    frozen_by: UUID
    definitions: str
    threshold: int
    counted: tuple[Counted, ...]


class CountsOfPeriod(Message):
    """The exact counts of one compartment. ``reason`` and ``next_step``: why this viewer may not see them."""

    counted: tuple[Counted, ...] = ()
    definitions: str = ""
    frozen: Snapshot | None = None
    reason: str = ""
    next_step: str = ""


class CountPeriod(Question[CountsOfPeriod], subject="ask.coordination.count_period.v1"):
    """How many in this period? Exact, so for those who carry all cases of the compartment only, and inside it only."""

    period: PeriodText
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Frozen(Message):
    """Whether a period stands frozen now; if not, why and what to do. Freezing it again changes nothing."""

    done: bool
    again: bool = False
    frozen_at: AwareDatetime | None = None
    reason: str = ""
    next_step: str = ""


class FreezeCounts(Question[Frozen], subject="ask.coordination.freeze_counts.v1"):
    """Keep the counts of a period as they are submitted. The 市町村 does, when the period is over."""

    period: PeriodText
    by: UUID
    agency: Code


class Snapshots(Message):
    """Oldest first."""

    snapshots: tuple[Snapshot, ...] = ()


class FrozenCounts(
    Question[Snapshots], subject="ask.coordination.frozen_counts.v1", asked_from=(Account.GATE,), inside=False
):
    """All snapshots of a fiscal year, for the gate to make of both compartments what may be shown."""

    fiscal_year: int


class Shown(Message):
    """A row of what may be shown outside. None: hidden, as a small number could be computed otherwise.

    ``juso`` and ``shien`` are also None where the item is not counted there: see ``Item.compartments``.
    """

    by: Dimension | None = None
    code: str = ""
    juso: int | None = None
    shien: int | None = None
    sum: int | None = None


class Published(Message):
    """One item as it may be shown. ``why``: the reason for which there is no row."""

    item: Item
    rows: tuple[Shown, ...] = ()
    why: str = ""


class Publication(Message):
    """What may be shown of a period. ``message``: why it cannot be shown yet, and what to do."""

    items: tuple[Published, ...] = ()
    threshold: int = 0
    definitions: str = ""
    frozen_at: AwareDatetime | None = None
    message: str = ""


class PublishCounts(Question[Publication], subject="ask.gate.publish_counts.v1"):
    """What may be shown of a period that both compartments have frozen? The only place where both are seen at once."""

    period: PeriodText


class FactList(Message):
    """Facts of one compartment."""

    facts: tuple[Fact, ...] = ()


class MeetingFacts(Question[FactList], subject="ask.meetings.facts.v1"):
    """What happened at the sittings that began on these days in Japan, ``ends`` not among them? Codes, no case."""

    begins: date
    ends: date
