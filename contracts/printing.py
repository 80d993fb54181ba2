"""Papers that leave the screen: who is given a printed copy of what. Each copy of an item is a row of the register.

開催通知, 次第 and 会議録 of a sitting, and the filled forms of a case (domain.md 2.7). What is printed is asked for
anew each time and kept nowhere.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import PositiveInt

from contracts.message import Code, Message, Question
from contracts.papers import PaperView
from contracts.running import RoomView


class SittingPaper(StrEnum):
    """Which paper of a sitting."""

    NOTICE = "notice"
    AGENDA = "agenda"
    MINUTES = "minutes"


SITTING_PAPER_TEXT = {
    SittingPaper.NOTICE: "開催通知",
    SittingPaper.AGENDA: "次第",
    SittingPaper.MINUTES: "会議録",
}


class PrintedCopy(Message):
    """One copy for one person, with the items that this person may have. ``number``: 控番号, by seats from 1."""

    number: PositiveInt
    person: UUID
    agency: Code
    items: tuple[UUID, ...]
    beside: tuple[Code, ...] | None = None
    """The agencies this person may know to be there, who comes for some items only (P5, M6); None: everybody."""


class SittingPrint(Message):
    """What goes onto paper: ``room`` holds the items of all copies. Without copies: by which rule, why, what to do."""

    found: bool
    room: RoomView = RoomView(found=False)
    copies: tuple[PrintedCopy, ...] = ()
    seats: int = 0
    """How many seats are open: what a copy's number is out of."""
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class PrintSitting(Question[SittingPrint], subject="ask.meetings.print_sitting.v1"):
    """A paper of a sitting, for oneself or a copy for each open seat (``everyone``: for whoever runs it).

    Decided for each reader and item as an export (C3, M6, S8), with a row for each in the register. The same
    ``request`` twice is one: the rows are not written again.
    """

    sitting: UUID
    paper: SittingPaper
    request: UUID
    everyone: bool = False
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class PrintPaper(Question[PaperView], subject="ask.coordination.print_paper.v1"):
    """One version of a filled form to be printed, the newest without ``version``; masked as on the screen (S18).

    Decided as an export, which a 支援会議 has for its seats only (S8, S11): then ``withheld`` says so. The same
    ``request`` twice is one.
    """

    case: UUID
    paper: UUID
    request: UUID
    version: PositiveInt | None = None
    viewer: UUID | None = None
    viewer_agency: Code | None = None
