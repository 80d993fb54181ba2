"""Many cases at once, some per statement: a store's statements bear only so many parameters."""

from collections.abc import Iterable
from uuid import UUID

AT_ONCE = 500
"""Cases per statement."""


def portions(cases: Iterable[UUID]) -> Iterable[list[UUID]]:
    """The cases in order, so many at a time."""
    listed = sorted(cases)
    return (listed[first : first + AT_ONCE] for first in range(0, len(listed), AT_ONCE))
