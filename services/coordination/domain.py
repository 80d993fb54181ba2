"""Rules of coordination: what a case is put to a meeting for, who is asked to the table, who may look when."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from contracts.consent import OPEN_STATES, ConsentState, Scope
from contracts.legal_basis import BASIS_OF
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.purpose import Purpose

JAPAN = ZoneInfo("Asia/Tokyo")

Stop = Literal["", "withdrawn", "expired", "not_begun", "no_consent"]
"""Why a juso case may not be shown to anybody now; empty while its consent is in force."""


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


def with_coordinator(agencies: Iterable[str], own: str | None) -> tuple[str, ...]:
    """The agencies to be called with the 多機関協働事業者 whose case it is, where the city has several."""
    return tuple(dict.fromkeys([*agencies, *([own] if own is not None else [])]))


def is_office(profile: Profile, agency: str) -> bool:
    """Whether this agency is the 市町村 itself, which calls the 支援会議 and sees a case before it sits (S1, F13)."""
    return _kind(profile, agency) == "municipality"


def follows_up(profile: Profile, agency: str) -> bool:
    """Whether this agency has to act when a consent ends: the 市町村 and the 多機関協働事業者 (C11)."""
    return _kind(profile, agency) in ("municipality", "coordinator")


def hosted_by_municipality(profile: Profile) -> bool:
    """Whether the 市町村 holds the 支援会議 of this profile (S1)."""
    basis = BASIS_OF[Compartment.SHIEN].code
    return any(
        is_office(profile, body.host) for body in profile.bodies if any(block.basis == basis for block in body.blocks)
    )


def could_be_seated(profile: Profile, compartment: Compartment) -> tuple[str, ...]:
    """The agencies that always have a seat where a case of this compartment can be heard, each once."""
    basis = BASIS_OF[compartment].code
    bodies = (body for body in profile.bodies if any(block.basis == basis for block in body.blocks))
    return tuple(dict.fromkeys(seat.agency for body in bodies for seat in body.roster))


def stop_reason(state: ConsentState, scope: Scope | None, moment: datetime) -> Stop:
    """Why nothing rests on a consent at an aware moment (C1, C11)."""
    if state is ConsentState.WITHDRAWN:
        return "withdrawn"
    if state is ConsentState.EXPIRED:
        return "expired"
    if state not in OPEN_STATES or scope is None:
        return "no_consent"
    if moment < scope.starts:
        return "not_begun"
    return "" if moment < scope.ends else "expired"


def today(moment: datetime) -> date:
    """The day in Japan at an aware moment."""
    return moment.astimezone(JAPAN).date()


def day_begins(moment: datetime) -> datetime:
    """The instant, UTC, at which the day of an aware moment began in Japan."""
    return datetime.combine(moment.astimezone(JAPAN).date(), time(0), JAPAN).astimezone(UTC)


def _kind(profile: Profile, agency: str) -> str:
    return next((one.kind for one in profile.agencies if one.code == agency), "")
