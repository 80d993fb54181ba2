"""What may be shown of both compartments' counts: only what both have frozen, and only so that no small cell is told.

The gate alone sees both at once, and keeps nothing: as snapshots never change, it comes to the same answer every time.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from contracts.counts import (
    Counted,
    Dimension,
    FrozenCounts,
    Item,
    Method,
    Period,
    Publication,
    PublishCounts,
    Published,
    Shown,
    Snapshot,
)
from contracts.message import Account, Compartment
from contracts.suppression import TOTAL, Key, Level, Pair, Released, Table, levels_of
from services.gate.handlers import service
from services.service import Work

NOT_FROZEN = (
    "この期間は、まだ両方の会議で確定していません。会議をまたぐ表は、確定した数だけで作ります。"
    "kasane counts --period 期間 --freeze --by 職員番号 で確定してください。"
    "確定前の数は --compartment juso か shien で、会議ごとに見られます。"
)
NO_MEAN = "平均は、会議ごとの画面だけで見られます。"
ONCE = "実数は、期間が重なると引き算で小さい数が分かるため、先に公表した短い期間だけに出します。"
CORRECTED = "先に確定した期間より数が減っています(訂正)。差から小さい数が分かるため、出しません。"


@service.performs(PublishCounts)
async def publish(asked: PublishCounts, work: Work) -> Publication:
    """The table of a period, small numbers hidden."""
    period = Period.read(asked.period)
    question = FrozenCounts(fiscal_year=period.fiscal_year)
    juso, shien = await asyncio.gather(work.ask(question, to=Account.JUSO), work.ask(question, to=Account.SHIEN))
    return publication(period, juso.snapshots, shien.snapshots)


def publication(period: Period, juso: Sequence[Snapshot], shien: Sequence[Snapshot]) -> Publication:
    """What may be shown of a period, given everything that was frozen of its year."""
    of_juso, of_shien = ({one.period: one for one in found} for found in (juso, shien))
    if period.text not in of_juso or period.text not in of_shien:
        return Publication(message=NOT_FROZEN)
    threshold = max(one.threshold for one in (*juso, *shien))
    both = {text: (of_juso[text], of_shien[text]) for text in of_juso.keys() & of_shien.keys()}
    mine, inside = both[period.text], shorter_first(period, both)
    items = {one.item.id: one.item for snapshot in mine for one in snapshot.counted}
    return Publication(
        items=tuple(_published(item, period.text, inside, both, threshold) for item in items.values()),
        threshold=threshold,
        definitions=mine[0].definitions,
        frozen_at=max(one.frozen_at for one in mine),
    )


def shorter_first(period: Period, texts: Iterable[str]) -> list[Period]:
    """The frozen periods that lie inside this one, each after those that lie inside it."""
    inside = [one for one in map(Period.read, texts) if period.contains(one)]
    return sorted(inside, key=lambda one: ((one.ends - one.begins).days, one.begins))


Both = Mapping[str, tuple[Snapshot, Snapshot]]


def _published(item: Item, text: str, inside: Sequence[Period], both: Both, threshold: int) -> Published:
    if item.not_recorded or item.method is Method.MEAN:
        return Published(item=item, why=item.not_recorded or NO_MEAN)
    if item.method is Method.THINGS and inside:
        return Published(item=item, why=ONCE)
    levels = levels_within(item, Period.read(text), both, threshold)
    if levels is None:
        return Published(item=item, why=CORRECTED)
    table = _table(item, both[text])
    order = [TOTAL, *sorted(key for key in table.rows if key != TOTAL)]
    return Published(item=item, rows=tuple(_shown(key, table.row(key), levels[key], item) for key in order))


def levels_within(item: Item, period: Period, both: Both, threshold: int) -> dict[Key, Level] | None:
    """How much of each row may be shown, with what was shown of shorter periods in mind.

    Of a shorter period that itself contains others (a quarter of a year) those are taken into account there. Each day
    is subtracted once: by the longest of the periods inside; the others hide what they hid.
    """
    table = _table(item, both[period.text])
    if item.method is Method.STANDING:  # of one day: nothing of another period adds up to it
        return levels_of(table, (), threshold)
    inside = shorter_first(period, both)
    largest = [one for one in inside if not any(other.contains(one) for other in inside)]
    released = []
    for one in largest:
        levels = levels_within(item, one, both, threshold)
        if levels is None:  # the quarter was corrected below its months: the year would not hide what they hid
            return None
        released.append(Released(_table(item, both[one.text]), levels))
    return levels_of(table, released, threshold)


def _table(item: Item, snapshots: tuple[Snapshot, Snapshot]) -> Table:
    """Both compartments' rows of an item; one in which it is not counted gives zeros."""
    rows: dict[Key, Pair] = {TOTAL: Pair()}
    for column, snapshot in enumerate(snapshots):
        counted = next((one for one in snapshot.counted if one.item.id == item.id), None)
        for key, number in _rows(counted) if counted else ():
            old = rows.get(key, Pair())
            rows[key] = Pair(number, old.shien) if column == 0 else Pair(old.juso, number)
    return Table(rows, item.exact())


def _rows(counted: Counted) -> Iterable[tuple[Key, int]]:
    yield TOTAL, counted.count or 0
    for group in counted.groups:
        yield (group.by.value, group.code), group.count


def _shown(key: Key, pair: Pair, level: Level, item: Item) -> Shown:
    whole = level is Level.ALL
    return Shown(
        by=Dimension(key[0]) if key[0] else None,
        code=key[1],
        juso=pair.juso if whole and Compartment.JUSO in item.compartments else None,
        shien=pair.shien if whole and Compartment.SHIEN in item.compartments else None,
        sum=pair.sum if level >= Level.SUM else None,
    )
