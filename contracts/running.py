"""Running a sitting: what its chair does from 開会 to the approval of the minutes, and what coordination is told of it.

What was said (会議録) travels in answers to questions only; the events hold codes and references.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.blocks import Admitted, ChangeView
from contracts.holding import Mode, ModeChange
from contracts.life import Day, Outcome, Role, Words
from contracts.message import Code, Event, Message, Question
from contracts.purpose import Purpose


class Proceeding(StrEnum):
    """What somebody does in a sitting."""

    TURN = "turn"
    OPEN = "open"
    EXPLAIN = "explain"
    ADMIT = "admit"
    ENTER = "enter"
    LEAVE = "leave"
    JUDGE = "judge"
    GIVE_UP = "give_up"
    CALL = "call"
    RECORD = "record"
    CLOSE = "close"
    CORRECT = "correct"
    APPROVE = "approve"


PROCEEDING_TEXT = {
    Proceeding.TURN: "前の区切りを閉じて、この区切りを開き直す",
    Proceeding.OPEN: "開会する",
    Proceeding.EXPLAIN: "守秘義務と罰則を説明し、全員が確認した",
    Proceeding.ADMIT: "臨時構成員として記録する",
    Proceeding.ENTER: "入室を記録する",
    Proceeding.LEAVE: "退室を記録する",
    Proceeding.JUDGE: "成立を判定する",
    Proceeding.GIVE_UP: "ケース会議として記録する",
    Proceeding.CALL: "この議題に入る",
    Proceeding.RECORD: "議題の結果を記録する",
    Proceeding.CLOSE: "閉会する",
    Proceeding.CORRECT: "会議録を直す",
    Proceeding.APPROVE: "会議録を承認する",
}


class ProxyGround(StrEnum):
    """代理の根拠: why somebody may sit in for the holder of a seat (S12)."""

    RULE = "rule"
    LETTER = "letter"
    CHAIR = "chair"


PROXY_TEXT = {
    ProxyGround.RULE: "要綱・規程の定め",
    ProxyGround.LETTER: "委任状",
    ProxyGround.CHAIR: "会長の承認",
}


class Result(Message):
    """What a sitting found of one item (T2): the outcome, who does what until when, and what was said."""

    outcome: Outcome
    roles: Annotated[tuple[Role, ...], Field(max_length=40)] = ()
    next_on: Day | None = None
    """The next time the case is looked at."""
    local_issue: bool = False
    """It points to something that the area lacks (地域課題, D10)."""
    words: Words = ""
    """会議録: reasons, findings, opinions. Kept sealed."""


class Move(Message):
    """One act in a sitting. Which of the fields it needs follows from ``what``."""

    what: Proceeding
    person: UUID | None = None
    """Who enters or leaves, by the directory's reference."""
    post: Code | None = None
    """The post a substitute holds."""
    ground: ProxyGround | None = None
    """Of a substitute, who has no seat of his or her own and sits in for the agency (S12); and of a 臨時構成員 (M6)."""
    at: AwareDatetime | None = None
    """When somebody entered or left, or the block before was closed, if not now."""
    item: UUID | None = None
    result: Result | None = None


Verdict = Literal["held", "case_conference"]
"""成立判定: ``case_conference`` is a ケース会議. It decides nothing and is not counted (P1, T4)."""


class AttendanceView(Message):
    """One stay of one person in the room. ``ground``: a substitute. ``left_at``: None while he or she is there."""

    person: UUID
    agency: Code
    post: Code | None = None
    ground: ProxyGround | None = None
    entered_at: AwareDatetime
    left_at: AwareDatetime | None = None


class MinutesVersion(Message):
    """A version of what the minutes say of an item; the last one holds. Versions are only ever added."""

    number: int
    at: AwareDatetime
    by: UUID
    agency: Code
    result: Result


class HearingView(Message):
    """An item of a sitting, with whoever heard it and what came of it.

    ``refusal`` and ``next_step``: why it may not be heard now (C11), or was not, and the lawful way on.
    """

    item: UUID
    case: UUID
    purpose: Purpose
    order: int
    state: Literal["waiting", "open", "heard", "carried", "off"]
    box_starts: AwareDatetime | None = None
    box_ends: AwareDatetime | None = None
    """The time box it has on the agenda, while it is on it."""
    comes: tuple[Code, ...] = ()
    """Agencies that come for a part only, and have a part in this item."""
    called_at: AwareDatetime | None = None
    done_at: AwareDatetime | None = None
    heard_by: tuple[Code, ...] = ()
    leaving: tuple[Code, ...] = ()
    """In the room, but outside the consent: they leave for this item (M6)."""
    refusal: str = ""
    next_step: str = ""
    versions: tuple[MinutesVersion, ...] = ()


class ApprovalView(Message):
    """Who approved which state of the minutes: ``version`` counts what was recorded and corrected in the sitting."""

    person: UUID
    agency: Code
    at: AwareDatetime
    version: int


class RoomSeat(Message):
    """A seat that is open, for the list of who is expected."""

    person: UUID
    agency: Code
    need: Literal["required", "expected", "optional"]


class RoomView(Message):
    """A sitting as it is run, for one viewer; not ``found`` for who may not see it.

    ``acts`` counts what was done: whoever does something says how many acts he or she has seen.
    """

    found: bool
    acts: int = 0
    body: str = ""
    basis: str = ""
    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    place: str = ""
    room: Code | None = None
    mode: Mode = "in_person"
    mode_changes: tuple[ModeChange, ...] = ()
    """How its mode was changed, oldest first; none: it is held as its body is (M3)."""
    papers_shut: str = ""
    """To a seat, before and after the window of the block's papers: why no item is shown, and what to do (S11)."""
    pledge: bool = False
    """Whether the body asks for a 誓約書 before an item is called (S16)."""
    pledged: tuple[UUID, ...] = ()
    """Who has handed one in."""
    may_run: bool = False
    change_in: ChangeView | None = None
    """How people change from the block before to this one; None: nothing of this body is held before."""
    change_out: ChangeView | None = None
    turned_at: AwareDatetime | None = None
    """When the block before was closed, as somebody in the room confirmed."""
    admitted: tuple[Admitted, ...] = ()
    opened_at: AwareDatetime | None = None
    explained_at: AwareDatetime | None = None
    verdict: Verdict | None = None
    lacking: tuple[str, ...] = ()
    """What is missing for it to be the meeting it was called as, in words (P1, P2, S1)."""
    closed_at: AwareDatetime | None = None
    seats: tuple[RoomSeat, ...] = ()
    attendance: tuple[AttendanceView, ...] = ()
    items: tuple[HearingView, ...] = ()
    minutes_version: int = 0
    approvals: tuple[ApprovalView, ...] = ()
    wanted_approvals: tuple[str, ...] = ()
    """Who is still to approve, in words."""
    approved_at: AwareDatetime | None = None
    ways: tuple[Proceeding, ...] = ()
    """What can be done next, so far as it depends on the sitting alone."""


class LookAtRoom(Question[RoomView], subject="ask.meetings.look_at_room.v1"):
    """How does this sitting stand? Items are shown as the policy allows, each showing in the register."""

    sitting: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Conducted(Message):
    """Whether it was done; if not, by which rule, why, and the lawful next step."""

    done: bool
    acts: int = 0
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class Conduct(Question[Conducted], subject="ask.meetings.conduct.v1"):
    """Do something in a sitting. ``request``: the same one twice is one. ``after``: how many acts one has seen."""

    sitting: UUID
    request: UUID
    after: Annotated[int, Field(ge=0)]
    move: Move
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class HearingOpened(Event, subject="kasane.meetings.hearing_opened.v1", supersedes=True):
    """A sitting was found to be the meeting it was called as, with the item ``about`` on its agenda (P1).

    Until ItemHeard or ItemUnplaced nobody records a result. ``version`` counts on from that of ItemPlaced.
    """

    case: UUID
    sitting: UUID


class ItemHeard(Event, subject="kasane.meetings.item_heard.v1", supersedes=True):
    """A sitting was closed that heard the item ``about``; told again, with a higher version, when the minutes change.

    ``sitting`` is also the reference of the minutes; what they say is asked for (LookAtRoom), never told.
    """

    case: UUID
    sitting: UUID
    outcome: Outcome
    present: tuple[Code, ...]
    """The agencies that heard it, for the register of meetings says so."""
    heard_on: Day
    approved: bool = False
