"""Rules of coordination: what a case is put to a meeting for, and who is asked to the table."""

from collections.abc import Iterable

from contracts.message import Compartment
from contracts.purpose import Purpose


def first_purpose(compartment: Compartment, urgent: bool) -> Purpose:
    """Why a new case is put to its first meeting.

    A consented case goes to a 重層的支援会議 for its plan (T1 A). A 支援会議 must have one of the purposes of the
    law, which the office work of supporters is not (S10).
    """
    if compartment is Compartment.JUSO:
        return Purpose.PLAN
    return Purpose.EMERGENCY if urgent else Purpose.SHARING


def round_table(referrer: str, agencies: Iterable[str]) -> tuple[str, ...]:
    """The agencies of a case, each once, the referrer first: it takes part in principle (P4)."""
    return tuple(dict.fromkeys((referrer, *agencies)))
