"""What does not fit together within one body of a profile: its blocks' times, chairs and mode (M3, M5)."""

from collections.abc import Iterator
from datetime import time
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.profile import Body


def body_faults(body: "Body") -> Iterator[str]:
    """Each fault as a sentence, for whoever writes the profile; none: the body stands."""
    blocks = sorted(body.blocks, key=lambda one: one.starts)
    if body.cadence is not None:
        if list(body.blocks) != blocks:
            yield f"body {body.code} lists its blocks out of their order in time (M5)"
        for one, following in pairwise(blocks):
            if _minute_of(one.starts) + one.minutes > _minute_of(following.starts):
                yield f"body {body.code}: block {following.basis} begins before {one.basis} ends (M5)"
    members = {(seat.agency, seat.post) for seat in body.everybody}
    for chair in body.chairs:
        if (chair.agency, chair.post) not in members:
            yield f"body {body.code}: its chair {chair.agency}/{chair.post} is not on its roster"
        if chair.first and chair.last and chair.last < chair.first:
            yield f"body {body.code}: the time of chair {chair.agency}/{chair.post} ends before it begins"
    for chair, other in combinations([chair for chair in body.chairs if not chair.deputy], 2):
        if chair.overlaps(other):
            yield f"body {body.code} has two chairs at once: {chair.agency}/{chair.post}, {other.agency}/{other.post}"
    for bound, again in combinations(body.secrecy, 2):
        if bound.overlaps(again):
            yield f"body {body.code}: secrecy by {bound.ground} and by {again.ground} hold on the same day (S15)"
    if (body.mode == "in_person") != (body.mode_reason is None):
        yield f"body {body.code}: mode_reason says why it meets online, and only then (M3)"


def _minute_of(clock: time) -> int:
    return clock.hour * 60 + clock.minute
