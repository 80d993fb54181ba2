"""What the sittings of this compartment give to be counted: a sitting counts once, whatever it heard (domain.md 6)."""

from datetime import timedelta

from sqlalchemy import ColumnElement, select

from contracts.counts import Dimension, Fact, FactKind, FactList, MeetingFacts
from services.meetings.handlers import service
from services.meetings.secrecy import midnight, today
from services.meetings.tables import agenda, item, seat, sitting
from services.service import Tx

LONGEST = timedelta(days=370)


@service.answers(MeetingFacts)
def facts_of_sittings(asked: MeetingFacts, tx: Tx) -> FactList:
    """Of sittings that are over, were not called off and had something on the agenda. At most a year at once."""
    last = min(asked.ends, asked.begins + LONGEST)
    held = (
        sitting.c.fixed
        & sitting.c.cancelled_at.is_(None)
        & (sitting.c.starts >= midnight(asked.begins))
        & (sitting.c.starts < midnight(last))
        & (sitting.c.ends <= tx.now)
        & sitting.c.id.in_(select(agenda.c.sitting).join(item, item.c.id == agenda.c.item).where(_heard()))
    )
    return FactList(facts=(*_sittings(held, tx), *_items(held, tx), *_seats(held, tx)))


def _heard() -> ColumnElement[bool]:
    return item.c.state == "placed"


def _sittings(held: ColumnElement[bool], tx: Tx) -> list[Fact]:
    return [
        Fact(
            kind=FactKind.SITTING_HELD,
            on=today(row.starts),
            about=row.id,
            dims={Dimension.BODY: (row.body,), Dimension.REGULAR: ("regular" if row.regular_on else "ad_hoc",)},
        )
        for row in tx.execute(select(sitting).where(held))
    ]


def _items(held: ColumnElement[bool], tx: Tx) -> list[Fact]:
    joined = select(item.c.id, item.c.purpose, sitting.c.starts).join(agenda, agenda.c.item == item.c.id)
    return [
        Fact(
            kind=FactKind.ITEM_HEARD, on=today(row.starts), about=row.id, dims={Dimension.PURPOSE: (str(row.purpose),)}
        )
        for row in tx.execute(joined.join(sitting, sitting.c.id == agenda.c.sitting).where(held, _heard()))
    ]


def _seats(held: ColumnElement[bool], tx: Tx) -> list[Fact]:
    joined = select(seat.c.uid, seat.c.answer, sitting.c.starts).join(sitting, sitting.c.id == seat.c.sitting)
    return [
        Fact(kind=FactKind.SEAT_INVITED, on=today(row.starts), about=row.uid, dims={Dimension.ANSWER: (row.answer,)})
        for row in tx.execute(joined.where(held, seat.c.cancelled_at.is_(None)))
    ]
