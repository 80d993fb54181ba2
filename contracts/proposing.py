"""日時の案と承認: the coordinator sees the ranked dates, proposes roster and date, and whoever holds the power approves
(S12, S13). Only then do invitations go out. References and codes only; explanations name agencies, never a person.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.holding import HeldHow, ModeReason
from contracts.message import Code, Message, Question
from contracts.office import Done
from contracts.polls import Choice, PollLine

Need = Literal["required", "expected", "optional"]


class ReturnReason(StrEnum):
    """Why a proposal is given back."""

    DATE = "date"
    ROSTER = "roster"
    PLACE = "place"
    NOT_NOW = "not_now"


RETURN_TEXT: dict[ReturnReason, str] = {
    ReturnReason.DATE: "日時を選び直す",
    ReturnReason.ROSTER: "出席者を選び直す",
    ReturnReason.PLACE: "場所を選び直す",
    ReturnReason.NOT_NOW: "いまは招集しない",
}


class SteadReason(StrEnum):
    """Why a deputy decided and not the 会長 (S12)."""

    AWAY = "away"
    VACANT = "vacant"
    OWN = "own"


STEAD_TEXT: dict[SteadReason, str] = {
    SteadReason.AWAY: "不在のため代理で決定",
    SteadReason.VACANT: "会長が欠けているため代理で決定",
    SteadReason.OWN: "本人が提案したため代理で決定",
}


class SeatOffer(Message):
    """A seat at a date: who would sit there. ``person`` None: it stays empty."""

    agency: Code
    need: Need
    person: UUID | None = None


class DateOption(Message):
    """A lawful date: who would sit there, what it costs, and the reason in Japanese (no personal data)."""

    starts: AwareDatetime
    ends: AwareDatetime
    room: Code | None = None
    cost: int
    why: str
    seats: tuple[SeatOffer, ...]


class Said(Message):
    """An answer to one line of a poll, as it was given. ``typed_by``: who noted it from the telephone."""

    person: UUID
    position: int
    choice: Choice
    at: AwareDatetime
    typed_by: UUID | None = None


class AskedView(Message):
    """Somebody who is asked, and whether the mail went out."""

    person: UUID
    agency: Code
    need: Need
    mail: Literal["waiting", "sent", "not_sent"]
    why: str = ""
    """Of a mail that was not sent, why, as notify says it; ``bounced``: it came back."""
    answered_at: AwareDatetime | None = None
    typed: bool = False
    contradicts: bool = False
    """The last answer says another thing of some line than an earlier one: worth a telephone call."""


PollStanding = Literal["open", "complete", "nobody", "partial", "closed"]
"""Answers awaited; everybody has answered; the deadline passed with no answer at all, or with some; closed by hand."""


class PollView(Message):
    """A poll of an item with all its answers, oldest first."""

    poll: UUID
    standing: PollStanding
    opened_at: AwareDatetime
    closes_at: AwareDatetime
    lines: tuple[PollLine, ...]
    asked: tuple[AskedView, ...]
    said: tuple[Said, ...]


ProposalState = Literal["proposed", "approved", "done", "returned", "void"]


class ProposalView(HeldHow):
    """A date with roster, as it was proposed. ``why``: why this date; ``void``: why it could not be carried out."""

    proposal: UUID
    state: ProposalState
    starts: AwareDatetime
    ends: AwareDatetime
    place: Code
    room: Code | None
    mode_reason: ModeReason | None = None
    seats: tuple[SeatOffer, ...]
    why: str
    proposed_by: UUID
    proposed_at: AwareDatetime
    decided_by: UUID | None = None
    decided_at: AwareDatetime | None = None
    returned: ReturnReason | None = None
    stead: SteadReason | None = None
    stead_of: UUID | None = None
    """Of a deputy's decision, why, and for whom it was taken; None: by the holder, or nobody holds the post (S12)."""
    void: str = ""
    instead_of: UUID | None = None
    """The announced sitting that this date takes the place of."""


class RegularOffer(Message):
    """The next regular sitting that may hear an item for which no 随時 date brings enough agencies together (M2)."""

    body: Code
    starts: AwareDatetime
    ends: AwareDatetime
    why: str
    """Who cannot come to any, or the best, 随時 date, and who belongs to the regular one; names agencies only."""


class ItemDates(Message):
    """One item and how far it is on its way to a date."""

    item: UUID
    state: Literal["waiting", "reserving", "placed"]
    why: str
    minutes: int
    options: tuple[DateOption, ...]
    """The best lawful dates that do not overlap, few on one day; while a poll stands, its lines only."""
    lawful: int
    """How many lawful dates there are in all."""
    none_because: str
    clashing: tuple[str, ...]
    """The smallest set of duties that clash, where there is no date."""
    relax: tuple[str, ...]
    polls: tuple[PollView, ...]
    proposals: tuple[ProposalView, ...]
    sitting: UUID | None = None
    """The announced 随時 sitting, which another date would take the place of."""
    broken: tuple[str, ...] = ()
    """Which duties the announced sitting no longer keeps, with the answers there are: seats and quorums by name."""
    room: Code | None = None
    """The announced room, which can be lost."""
    apart: tuple[tuple[UUID, UUID], ...] = ()
    """Who must not meet at this item's sitting."""
    regular: RegularOffer | None = None
    """Where too few agencies can come to any 随時 date: the regular sitting to wait for instead (M2)."""


class DatesView(Message):
    """The items of a case that get a 随時 sitting. ``needs_approval``: a proposal waits for whoever ``decides``."""

    found: bool
    needs_approval: bool = False
    decides: str = ""
    may_decide: bool = False
    items: tuple[ItemDates, ...] = ()


class LookAtDates(Question[DatesView], subject="ask.meetings.look_at_dates.v1"):
    """Which dates are there for the items of this case, and what became of polls and proposals? For whoever runs it."""

    case: UUID
    lost_room: bool = False
    """The announced room cannot be had: which plan changes least?"""
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class ProposeDate(Question[Done], subject="ask.meetings.propose_date.v1"):
    """The coordinator proposes a date and who is invited, one person per seat. The same request proposes once.

    Without approval in the city's profile it is carried out at once. ``instead_of``: the announced sitting that it
    takes the place of; its people get an update (RFC 5546: the same UID, a higher SEQUENCE).
    """

    item: UUID
    request: UUID
    starts: AwareDatetime
    persons: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=60)]
    online: bool = False
    """Held online; false: as its body is held."""
    mode_reason: ModeReason | None = None
    """Why online, where its body is not (M3)."""
    lost_room: bool = False
    """The announced room cannot be had: another one, or none."""
    instead_of: UUID | None = None
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class KeepApart(Question[Done], subject="ask.meetings.keep_apart.v1"):
    """These two members of staff must not meet at this item's sitting (or, with ``apart`` false, may again).

    No date has both. Said twice, it is said once. Why they must not is nobody's to write down.
    """

    item: UUID
    persons: tuple[UUID, UUID]
    apart: bool = True
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class DecideProposal(Question[Done], subject="ask.meetings.decide_proposal.v1"):
    """Whoever holds the power to call the meeting approves, or gives it back with a reason (S12, S13)."""

    proposal: UUID
    request: UUID
    returned: ReturnReason | None = None
    """None: approved."""
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class TakeRegular(Question[Done], subject="ask.meetings.take_regular.v1"):
    """Let an item wait for the next regular sitting instead of a 随時 one (M2). Its polls and proposals are over.

    Said twice, it is said once. What is announced for it alone is cancelled.
    """

    item: UUID
    request: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


InHandWhat = Literal["poll_complete", "poll_partial", "poll_nobody", "to_approve", "returned", "void", "broken"]
IN_HAND_TEXT: dict[InHandWhat, str] = {
    "poll_complete": "日程のうかがいに、全員が答えました。日時を選んでください。",
    "poll_partial": "日程のうかがいの期限が過ぎました。答えていない人に電話で聞くか、日時を選んでください。",
    "poll_nobody": "日程のうかがいに、期限までにだれも答えませんでした。電話で聞くか、うかがい直してください。",
    "to_approve": "日時の案が承認を待っています。",
    "returned": "日時の案が差し戻されました。選び直してください。",
    "broken": "欠席の回答で、必須の席か成立の要件が欠けました。変更の案を選んでください。",
    "void": "承認された日時では開けなくなりました。選び直してください。",
}


class InHand(Message):
    """A case whose date somebody has to do something about."""

    case: UUID
    what: InHandWhat
    since: AwareDatetime


class InHandList(Message):
    """The oldest first."""

    cases: tuple[InHand, ...]


class DatesInHand(Question[InHandList], subject="ask.meetings.dates_in_hand.v1"):
    """Which dates wait for the desk? Only of cases that this viewer may see and arrange; nothing of them is told."""

    viewer: UUID | None = None
    viewer_agency: Code | None = None


# -- a whole day (a typhoon) -------------------------------------------------------------------------------------------


class DayMoved(Done):
    """``sittings``: how many of that day were switched, and are announced anew."""

    sittings: int = 0


class MoveDay(Question[DayMoved], subject="ask.meetings.move_day.v1"):
    """Hold every sitting of a day online, or again as its body is held (``online`` false): all, or none (M3).

    Times and people stay; whoever was invited gets an update. The same request switches once. Without a ``reason`` it
    is refused.
    """

    day: date
    online: bool = True
    reason: ModeReason | None = None
    request: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None
