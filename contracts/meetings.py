"""What meetings tells and answers: sittings, agenda, seats and answers of one compartment."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.holding import HeldHow, ModeReason
from contracts.message import Account, Code, Event, Message, Question
from contracts.purpose import Purpose

Answer = Literal["attend", "absent"]
LinkToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32}$")]
"""24 bytes, base64url: 16 random and 8 that sign them together with the compartment (contracts/links.py)."""


class ItemPlaced(Event, subject="kasane.meetings.item_placed.v1", supersedes=True):
    """An item has a place on an agenda; ``about`` is the item. Told again, with a higher version, when it moves."""

    case: UUID
    sitting: UUID
    body: Code
    basis: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    starts: AwareDatetime
    ends: AwareDatetime


class ItemUnplaced(Event, subject="kasane.meetings.item_unplaced.v1", supersedes=True):
    """A sitting has let the item ``about`` go, before it was over: its date is void, no meeting has heard it (T1, D5).

    ``version`` counts on from that of the ItemPlaced it takes back. ``again``: another date is looked for; otherwise
    the item is stopped until a new version of its consent opens it (C11). Told of no item that coordination withdrew.
    """

    case: UUID
    sitting: UUID
    again: bool


class ItemView(Message):
    """An agenda item as this compartment may show it."""

    item: UUID
    case: UUID
    purpose: Purpose
    urgent: bool
    order: int
    without: tuple[Code, ...] = ()
    """Agencies with a seat here that leave the room for this item: its consent does not name them (M6)."""
    calls: tuple[Code, ...] = ()
    """Agencies that sit there for a part only, and have a part in this item (P5)."""


Delivery = Literal["waiting", "retrying", "accepted", "delivered", "deferred", "bounced", "answered", "not_sent"]
"""How far a notice got: not yet tried; tried and to be tried again; taken by the mail server; what that reported later
(RFC 3464); answered, so that it surely arrived; not sent, and not tried again."""


class SeatView(Message):
    """A seat and what its holder answered. ``notice``: whether the invitation went out; of a seat that is
    ``cancelled``, whether its cancellation did.
    """

    person: UUID
    agency: Code
    need: Literal["required", "expected", "optional"]
    answer: Literal["attend", "absent", "none"]
    answered_at: AwareDatetime | None
    notice: Literal["waiting", "sent", "not_sent"]
    delivery: Delivery = "waiting"
    why: str = ""
    """Of a notice that was not sent, or is tried again, why."""
    mail: Literal["", "tentative", "delegated", "counter", "unreadable", "other_sender"] = ""
    """What came by mail that somebody has to decide or telephone about; an answer that follows ends it."""
    wish_starts: AwareDatetime | None = None
    """With ``counter``: the time that was wished for, if it could be read. A wish moves nothing."""
    wish_ends: AwareDatetime | None = None
    cancelled: bool = False
    """Its ground is gone: a consent that no longer names the agency, or a commission that ended (C11, S6)."""
    partly: bool = False
    """It is there for the items that call its agency, and not for the whole sitting: it is listed with those (P5)."""
    by_hand: Literal["", "phone", "letter"] = ""
    """How its holder is to be told by a person, where no machine tells them: the directory says so of them."""


class SittingView(HeldHow):
    """A sitting's block of this compartment."""

    sitting: UUID
    body: Code
    basis: str
    starts: AwareDatetime
    ends: AwareDatetime
    place: Code
    regular: bool
    why: str
    """Why this date, in Japanese; no personal data."""
    items: tuple[ItemView, ...]
    seats: tuple[SeatView, ...]
    room: Code | None = None
    mode_reason: ModeReason | None = None
    """Why it is not held as its body is; None where it is."""
    broken: tuple[str, ...] = ()
    """Of a regular one that is to come: its day that became a closed one, a quorum that is missed; in words (M9)."""


class WaitingView(Message):
    """An item that has no sitting yet, and why."""

    item: UUID
    case: UUID
    urgent: bool
    since: AwareDatetime
    why: str


class SittingList(Message):
    """Sittings by start, and items without one."""

    sittings: tuple[SittingView, ...]
    waiting: tuple[WaitingView, ...]


class Sittings(Question[SittingList], subject="ask.meetings.sittings.v1"):
    """Which sittings start in [starts, ends)? Times are aware; the desk asks for weeks of Asia/Tokyo."""

    starts: AwareDatetime
    ends: AwareDatetime


class ItemSittings(Question[SittingList], subject="ask.meetings.item_sittings.v1"):
    """The sittings, past and coming, that have this case on their agenda."""

    case: UUID


class LinkState(HeldHow):
    """What an answer link shows: times and the answer so far, nothing of what the meeting is about (S17)."""

    found: bool
    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    place: Code | None = None
    room: Code | None = None
    answer: Literal["attend", "absent", "none"] = "none"
    meeting: UUID | None = None
    """What everybody's room of this sitting is called, where it meets online: derived, leads back to nothing."""
    guest: UUID | None = None
    """What the holder of the link is called there."""


class LookAtLink(
    Question[LinkState], subject="ask.meetings.look_at_link.v1", asked_from=(Account.NOTIFY,), inside=False
):
    """What does this link show? Changes nothing, so mail scanners may follow it."""

    link: LinkToken


class AnswerByLink(
    Question[LinkState], subject="ask.meetings.answer_by_link.v1", asked_from=(Account.NOTIFY,), inside=False
):
    """The holder of the link answers. May be changed until the sitting starts."""

    link: LinkToken
    answer: Answer
