"""How many of a case's household nobody has asked for an own consent, and since when (S18).

Numbers, of nobody named: intake tells them with the referral and whenever they change; who it is stands on the pages
of 「受付」. In juso alone: in shien no consent is waited for (C4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select

from services.coordination.life_terms import Life
from services.coordination.tables import unasked
from services.service import Tx


def keep(case: UUID, version: int, number: int, on: date, tx: Tx) -> None:
    """Write down what intake told. What was told before stays."""
    row = {"case": case, "version": version, "number": number, "on": on}
    tx.execute(insert(unasked).values(row | {"compartment": tx.here, "at": tx.now}))


def unasked_of(cases: Sequence[UUID], tx: Tx) -> Mapping[UUID, tuple[int, date]]:
    """By case with somebody unasked: how many there are now, and since when there has been anybody."""
    found: dict[UUID, tuple[int, date]] = {}
    wanted = select(unasked).where(unasked.c.case.in_(cases)).order_by(unasked.c.case, unasked.c.version)
    for row in tx.execute(wanted):
        since = found[row.case][1] if row.case in found else row.on
        found.pop(row.case, None)
        if row.number:
            found[row.case] = (row.number, since)
    return found


def with_unasked(now: Life, told: tuple[int, date] | None) -> Life:
    """The life with whom nobody has asked."""
    return replace(now, unasked=told[0], unasked_since=told[1]) if told else now
