"""Counts of one compartment: for those who carry all its cases, exact; frozen when they are submitted.

A count is no showing of a case: it is of codes, and stays in the compartment. What both compartments count leaves only
through the gate, with small numbers hidden (services/gate/publishing.py).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from contracts.counts import (
    Counted,
    CountPeriod,
    CountsOfPeriod,
    Fact,
    FreezeCounts,
    Frozen,
    FrozenCounts,
    MeetingFacts,
    Period,
    Snapshot,
    Snapshots,
    count,
)
from services.coordination import domain, showing
from services.coordination.facts import own_facts
from services.coordination.handlers import service
from services.coordination.showing import Sight
from services.coordination.tables import snapshot
from services.count_definitions import definitions
from services.service import Tx, Work

NOT_OFFICE = "集計は、この会議の事案のすべてを受け持つ市町村と多機関協働事業者だけが見られます。"
ASK_OFFICE = "必要な数は、市町村の担当課に求めてください。"
NOT_CITY = "集計を確定するのは市町村だけです(D2)。"
NOT_OVER = "この期間はまだ終わっていません。"
WAIT = "期間の最後の日が過ぎてから確定してください。"
OVERLAPS = (
    "この期間を含む、より長い期間がすでに確定しています。後から短い期間を確定すると、引き算で小さい数が分かります。"
)
SHORT_FIRST = "月や四半期は、年度より先に確定してください。確定後の数は、確定済みの期間の差として見られます。"


@service.performs(CountPeriod)
async def count_period(asked: CountPeriod, work: Work) -> CountsOfPeriod:
    """The counts as they are now, and as they were submitted. ``viewer`` is left out by operators only."""
    if asked.viewer is not None or asked.viewer_agency is not None:
        viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
        if viewer is None:
            return CountsOfPeriod(reason=NOT_OFFICE, next_step=ASK_OFFICE)
        if refusal := await showing.show(work, viewer, (), partial(_refusal, viewer.agency)):
            return refusal
    period = Period.read(asked.period)
    counted = await _counted(period, work)
    frozen = await work.run(lambda tx: next((one for one in _kept(tx) if one.period == period.text), None))
    return CountsOfPeriod(counted=counted, definitions=definitions().version, frozen=frozen)


@service.performs(FreezeCounts)
async def freeze_counts(asked: FreezeCounts, work: Work) -> Frozen:
    """Keep the counts of a period that is over. A period stays as it was first frozen."""
    period = Period.read(asked.period)
    kind = next((one.kind for one in work.profile.agencies if one.code == asked.agency), "")
    if kind != "municipality":
        return Frozen(done=False, reason=NOT_CITY, next_step=ASK_OFFICE)
    if domain.today(work.now()) <= period.last:
        return Frozen(done=False, reason=NOT_OVER, next_step=WAIT)
    counted = await _counted(period, work)
    return await work.run(partial(_freeze, period, counted, asked.by))


@service.answers(FrozenCounts)
def frozen_counts(asked: FrozenCounts, tx: Tx) -> Snapshots:
    """All that was submitted of a fiscal year."""
    mine = snapshot.c.fiscal_year == asked.fiscal_year
    return Snapshots(snapshots=tuple(_snapshot(row) for row in tx.execute(_in_order().where(mine))))


async def _counted(period: Period, work: Work) -> tuple[Counted, ...]:
    """Raises AskFailed when the meetings do not answer: half a report is none."""
    met = await work.ask(MeetingFacts(begins=period.begins, ends=period.ends))
    return await work.run(partial(_count, period, met.facts))


def _count(period: Period, met: Sequence[Fact], tx: Tx) -> tuple[Counted, ...]:
    facts = (*own_facts(tx), *met)
    return tuple(count(item, facts, period) for item in definitions().items if tx.here in item.compartments)


def _refusal(agency: str, sight: Sight, tx: Tx) -> CountsOfPeriod | None:
    if sight.door:
        return CountsOfPeriod(reason=sight.door.reason, next_step=sight.door.next_step)
    if not domain.follows_up(tx.profile, agency):
        return CountsOfPeriod(reason=NOT_OFFICE, next_step=ASK_OFFICE)
    return None


def _freeze(period: Period, counted: Sequence[Counted], by: UUID, tx: Tx) -> Frozen:
    kept = _kept(tx)
    if known := next((one for one in kept if one.period == period.text), None):
        return Frozen(done=True, again=True, frozen_at=known.frozen_at)
    if any(Period.read(one.period).contains(period) for one in kept):
        return Frozen(done=False, reason=OVERLAPS, next_step=SHORT_FIRST)
    row = {
        "period": period.text,
        "compartment": tx.here,
        "fiscal_year": period.fiscal_year,
        "begins": period.begins,
        "ends": period.ends,
        "frozen_at": tx.now,
        "frozen_by": by,
        "definitions": definitions().version,
        "threshold": definitions().threshold,
        "counted": [one.model_dump(mode="json") for one in counted],
    }
    tx.execute(insert(snapshot).values(row))
    tx.audit(act="freeze", outcome="allow", rule="D2", actor=str(by), detail=period.text)
    return Frozen(done=True, frozen_at=tx.now)


def _in_order() -> Any:
    return select(snapshot).order_by(snapshot.c.frozen_at, snapshot.c.ends, snapshot.c.period)


def _kept(tx: Tx) -> list[Snapshot]:
    return [_snapshot(row) for row in tx.execute(_in_order())]


def _snapshot(row: Row[Any]) -> Snapshot:
    facts = ("period", "frozen_at", "frozen_by", "definitions", "threshold", "counted")
    return Snapshot.model_validate({name: getattr(row, name) for name in facts})
