"""The rules of a sitting's blocks: which comes before which, and who leaves and stays at the change (M5, M6). Pure.

A block of another law, or of the other compartment, is known by the profile only. Whether it is closed no process can
look up across the wall: a person in the room confirms it, and until then the next block does not open.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from contracts.blocks import ChangeView, Staying, Stays
from contracts.message import Compartment
from contracts.policy import may_hear
from contracts.profile import Block, Body


def block_of(body: Body, compartment: Compartment) -> Block | None:
    """The body's block that cases of this kind are heard in; the first that rests on a fitting basis."""
    return next((one for one in body.blocks if may_hear(one.basis, compartment).allowed), None)


def before(body: Body | None, basis: str) -> Block | None:
    """The block that is held before the one of this basis, if there is one."""
    number = _number(body, basis)
    return body.blocks[number - 1] if body is not None and number else None


def after(body: Body | None, basis: str) -> Block | None:
    """The block that is held after the one of this basis, if there is one."""
    number = _number(body, basis)
    if body is None or number is None or number + 1 == len(body.blocks):
        return None
    return body.blocks[number + 1]


def _number(body: Body | None, basis: str) -> int | None:
    return next((n for n, one in enumerate(body.blocks if body else ()) if one.basis == basis), None)


def change(
    body: Body, first: Block, second: Block, admitted: Iterable[str] = (), bound: Collection[str] | None = None
) -> ChangeView:
    """The order of the change between two blocks of a body.

    ``admitted``: agencies with a 臨時構成員 in the second. ``bound``: in a 支援会議, the agencies with a commission
    that runs; None where none is needed, or where nothing is known of it.
    """
    there, wanted = _agencies(body, first), _agencies(body, second)
    unbound = tuple(code for code in wanted if bound is not None and code not in bound)
    may_stay: dict[str, Stays] = dict.fromkeys(wanted, "member" if bound is None else "commission")
    may_stay = {code: ground for code, ground in may_stay.items() if code not in unbound}
    for code in admitted:
        may_stay.setdefault(code, "temporary")
    return ChangeView(
        before=first.basis,
        after=second.basis,
        leave=tuple(code for code in there if code not in may_stay),
        stay=tuple(Staying(agency=code, ground=may_stay[code]) for code in there if code in may_stay),
        come=tuple(code for code in may_stay if code not in there),
        unbound=unbound,
        same=set(there) == set(may_stay),
    )


def _agencies(body: Body, block: Block) -> tuple[str, ...]:
    return tuple(dict.fromkeys(seat.agency for seat in body.roster_of(block)))


def bound_agencies(bonds: Iterable[tuple[str, datetime]], moment: datetime) -> frozenset[str]:
    """The agencies of which somebody is commissioned beyond ``moment``; pairs of agency and end."""
    return frozenset(agency for agency, ends in bonds if ends > moment)
