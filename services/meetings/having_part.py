"""Who has a part in which item: at a regular sitting whoever an item called comes for that item alone (P5, M6).

Consent and commission are judged elsewhere, and besides: to have a part opens nothing that they close.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from services.meetings.ordering import standing
from services.meetings.running import Room
from services.service import Tx


def for_all(tx: Tx, where: Row[Any]) -> frozenset[str] | None:
    """The agencies that come for whatever is on the agenda; None: everybody does (a 随時 sitting, a closed roster).

    ``where``: a row with the sitting's ``body``, ``basis`` and ``regular_on``.
    """
    body = tx.profile.body(where.body)
    if body is None or not body.takes_in or where.regular_on is None:
        return None
    return standing(tx.profile, body, where.basis, tx.here)


def has_part(tx: Tx, where: Row[Any], agency: str, one: Row[Any], room: Room | None = None) -> bool:
    """Whether an agency that sits there comes for this item; a 臨時構成員 was admitted to the whole block (M6)."""
    always = for_all(tx, where)
    return always is None or agency in always or agency in one.agencies or agency in admitted(room)


def admitted(room: Room | None) -> frozenset[str]:
    """The agencies of those who were admitted to the whole block, on a ground that stands in the acts."""
    return frozenset(one.agency for one in room.admitted) if room else frozenset()


def beside(tx: Tx, where: Row[Any], room: Room, agency: str, items: Iterable[Row[Any]]) -> frozenset[str] | None:
    """The agencies one that comes for a part may know of: those there for all, and those of its own items.

    None: it comes for everything itself.
    """
    always = for_all(tx, where)
    if always is None or agency in always or agency in admitted(room):
        return None
    mine = (one for one in items if agency in one.agencies)
    return always.union(admitted(room), [agency], *(one.agencies for one in mine))
