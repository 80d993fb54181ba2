"""定例の会議を組み直す: a regular sitting whose quorum died, whose room is lost or whose day became a closed one gets
another date, room or substitute, with the fewest changes to what was announced (M1, M9, S12). Codes and references.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.holding import HeldHow, ModeReason
from contracts.message import Code, Question
from contracts.office import Done
from contracts.proposing import DateOption, ProposalState, ReturnReason, SeatOffer, SteadReason


class RegularReason(StrEnum):
    """Why a regular sitting is planned anew."""

    DECLINED = "declined"
    ROOM = "room"
    CLOSED_DAY = "closed_day"
    OFFICE = "office"


REGULAR_REASON_TEXT: dict[RegularReason, str] = {
    RegularReason.DECLINED: "欠席の回答で、必須の席か成立の要件が欠けた",
    RegularReason.ROOM: "会場が使えなくなった",
    RegularReason.CLOSED_DAY: "開催日が閉庁日か、会議を開かない期間になった",
    RegularReason.OFFICE: "主催する機関の都合",
}


class RegularChange(HeldHow):
    """A change of a regular sitting, as it was proposed, and what became of it (S12)."""

    change: UUID
    state: ProposalState
    reason: RegularReason
    starts: AwareDatetime
    ends: AwareDatetime
    place: Code
    room: Code | None
    seats: tuple[SeatOffer, ...]
    why: str
    proposed_by: UUID
    proposed_at: AwareDatetime
    decided_by: UUID | None = None
    decided_at: AwareDatetime | None = None
    returned: ReturnReason | None = None
    stead: SteadReason | None = None
    stead_of: UUID | None = None
    """Of a deputy's decision, why, and for whom it was taken (S12)."""
    void: str = ""


class RegularDates(HeldHow):
    """How a regular sitting stands, and the dates it could have instead, the one with the fewest changes first."""

    found: bool
    body: str = ""
    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    place: str = ""
    room: Code | None = None
    broken: tuple[str, ...] = ()
    """What it no longer keeps: seats, quorums, its day; in words."""
    options: tuple[DateOption, ...] = ()
    lawful: int = 0
    none_because: str = ""
    relax: tuple[str, ...] = ()
    changes: tuple[RegularChange, ...] = ()
    needs_approval: bool = False
    decides: str = ""
    may_decide: bool = False


class LookAtRegular(Question[RegularDates], subject="ask.meetings.look_at_regular.v1"):
    """Which dates could this coming regular sitting have instead? For whoever holds the meeting."""

    sitting: UUID
    lost_room: bool = False
    """Its room, or its place, cannot be had at its time."""
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class ChangeRegular(Question[Done], subject="ask.meetings.change_regular.v1"):
    """Propose another date, room or people for a regular sitting. The same request proposes once.

    Without approval in the city's profile it is carried out at once. Its items come along; whoever is in both gets an
    update (RFC 5546: the same UID, a higher SEQUENCE), whoever is not a cancellation.
    """

    sitting: UUID
    request: UUID
    reason: RegularReason
    starts: AwareDatetime
    persons: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]
    online: bool = False
    mode_reason: ModeReason | None = None
    lost_room: bool = False
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class DecideRegular(Question[Done], subject="ask.meetings.decide_regular.v1"):
    """Whoever holds the power to call the meeting approves the change, or gives it back (S12, S13)."""

    change: UUID
    request: UUID
    returned: ReturnReason | None = None
    """None: approved."""
    viewer: UUID | None = None
    viewer_agency: Code | None = None
