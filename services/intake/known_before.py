"""After an import: whose sheets are certainly about somebody whom the same kind of meeting knows already (C11).

Within one kind of meeting only, as everywhere: that the other kind knows a 宛名番号 is told to nobody (consent.md 8.1).
"""

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select

from contracts.message import Compartment
from contracts.same_person import KnownBefore, KnownSheet, KnownSheets
from services.intake.duplicates import denied, people_of
from services.intake.handlers import service
from services.intake.likeness import number_of
from services.intake.tables import referral
from services.service import Tx

_EARLIER = referral.c.recorded_at, referral.c.received_on, referral.c.number, referral.c.id
"""One import takes many in at the same instant."""


@service.answers(KnownBefore)
def known_before(asked: KnownBefore, tx: Tx) -> KnownSheets:
    """One look through each kind of meeting, however many sheets: identity is sealed without an index."""
    wanted = {(one.referrer, one.number) for one in asked.sheets}
    return KnownSheets(known=tuple(one for kind in Compartment for one in _known(wanted, kind, tx)))


def _known(wanted: set[tuple[str, str]], kind: Compartment, tx: Tx) -> Iterator[KnownSheet]:
    people, rows = people_of(kind, tx)
    by_number: dict[str, list[UUID]] = defaultdict(list)
    for key, one in people.items():
        if number := number_of(one):
            by_number[number].append(key)
    for keys in by_number.values():
        if len(keys) < 2:
            continue
        taken_in = select(referral.c.id).where(referral.c.id.in_(keys)).order_by(*_EARLIER)
        first = tx.execute(taken_in.limit(1)).scalar_one()
        for key in keys:
            row = rows[key]
            if key == first or (row["referrer"], row["number"]) not in wanted or denied(first, key, kind, tx):
                continue
            own = rows[first]["referrer"] == row["referrer"]
            earlier = rows[first]["number"] if own else ""
            yield KnownSheet(referrer=row["referrer"], number=row["number"], earlier=earlier)
