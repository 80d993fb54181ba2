"""A date that is proposed, and how it is decided, whichever kind of sitting it is for (S12, S13)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from contracts.holding import Mode, ModeReason
from contracts.office import Done
from contracts.proposing import ReturnReason, SeatOffer
from services.meetings.arranging import Actor, refused
from services.meetings.holding_rules import NO_REASON
from services.meetings.ranking import Date
from services.meetings.running_rules import Refusal
from services.meetings.standing_in import Stead

REPEATED = Refusal("S12", "この画面からは、すでに別の内容を記録しました。", "画面を読み直して、選び直してください。")
OTHERS = Refusal("S12", "ほかの人が先に記録しました。", "画面を読み直してください。")
PICK = "画面の候補から、日時と出席者を選び直してください。"


@dataclass(frozen=True)
class Judged:
    """A date that may be proposed: where, how, who, and why."""

    date: Date
    place: str
    mode: Mode
    mode_reason: ModeReason | None


def mode_wanted(online: bool, usual: Mode, reason: ModeReason | None) -> Mode | Refusal:
    """How it is to be held; another way than usual wants a reason (M3)."""
    wanted: Mode = "online" if online else usual
    return NO_REASON if wanted != usual and reason is None else wanted


def date_at(starts: datetime, dates: Iterable[Date], none_because: str) -> Date | Refusal:
    """The lawful date that begins then, if everybody who was chosen can come to it (P1, P4)."""
    date = next((one for one in dates if one.starts == starts), None)
    if date is None:
        return Refusal("P1", "この日時は、選んだ出席者では開けません。" + none_because, PICK)
    if away := [seat.name for seat, person in date.chosen if person is None]:
        names = "、".join(dict.fromkeys(away))
        return Refusal("P4", f"この日時に出られない人が選ばれています: {names}。", PICK)
    return date


def proposed(judged: Judged, actor: Actor, request: UUID, now: datetime, *, waits: bool) -> dict[str, Any]:
    """What a proposal's row keeps; without anybody to wait for it is decided by whoever proposes."""
    date = judged.date
    new = {"request": request, "starts": date.starts, "ends": date.ends, "why": date.why}
    new |= {"place": judged.place, "room": date.room, "mode": judged.mode, "mode_reason": judged.mode_reason}
    new |= {"seats": [[seat.agency, seat.need, str(person)] for seat, person in date.chosen]}
    new |= {"proposed_by": actor.person, "proposed_for": actor.agency, "proposed_at": now}
    return new | ({"state": "proposed"} if waits else decided(None, actor, request, now))


def decided(
    returned: ReturnReason | None, actor: Actor, decision: UUID, now: datetime, stead: Stead | None = None
) -> dict[str, Any]:
    """What the row of a proposal keeps of its decision."""
    who = {"decided_by": actor.person, "decided_for": actor.agency, "decided_at": now, "decision": decision}
    who |= stead.columns() if stead else {}
    return who | {"state": "returned" if returned else "approved", "returned": returned.value if returned else None}


def decided_before(row: Row[Any] | None, decision: UUID, returned: ReturnReason | None) -> Done | None:
    """The answer to a decision that was taken in already; None if it is a new one."""
    if row is None or row.decision != decision:
        return None
    return Done(done=True) if row.returned == (returned.value if returned else None) else refused(REPEATED)


def same_people(row: Row[Any], persons: Sequence[UUID]) -> bool:
    """Whether a proposal is for exactly these people."""
    return {UUID(person) for _, _, person in row.seats} == set(persons)


def seats_of(row: Row[Any]) -> tuple[SeatOffer, ...]:
    """The seats that a proposal's row keeps."""
    return tuple(SeatOffer(agency=agency, need=need, person=person) for agency, need, person in row.seats)
