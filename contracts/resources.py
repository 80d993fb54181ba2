"""受入先 of 参加支援, who takes part where, and when somebody looks after it (フォローアップ). In juso only.

参加支援 is for people for whom a 重層的支援会議 found it needed (D4): 支援会議 matches nobody.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.challenges import Done, PlaceKind
from contracts.message import Account, Code, Message, Question

Line = Annotated[str, StringConstraints(max_length=60)]
Words = Annotated[str, StringConstraints(max_length=2000)]


class MatchEnd(StrEnum):
    """How taking part ended."""

    SETTLED = "settled"
    """定着: it goes on without support."""
    MOVED_ON = "moved_on"
    STOPPED = "stopped"


END_TEXT = {
    MatchEnd.SETTLED: "定着(支えなしに続いている)",
    MatchEnd.MOVED_ON: "別の場へ移った",
    MatchEnd.STOPPED: "取りやめた",
}


class Place(Message):
    """A 受入先: what, where, for how many at a time, and how many places are free now."""

    place: UUID
    kind: PlaceKind
    name: str
    where: str
    conditions: str
    capacity: Annotated[int, Field(ge=1, le=999)]
    free: Annotated[int, Field(ge=0)]
    opened_on: date
    closed_on: date | None = None


class FollowedUp(Message):
    """What somebody found."""

    on: date
    words: str


class Match(Message):
    """A person of a case the viewer may see takes part somewhere; ``late``: its フォローアップ is overdue."""

    match: UUID
    case: UUID
    place: UUID
    began_on: date
    follow_up_on: date | None = None
    late: bool = False
    ended_on: date | None = None
    way: MatchEnd | None = None
    history: tuple[FollowedUp, ...] = ()


class ResourceList(Message):
    """All 受入先, and the matches of the cases this viewer may see, the next to be looked after first."""

    places: tuple[Place, ...] = ()
    matches: tuple[Match, ...] = ()
    fenced: bool = False
    reason: str = ""
    next_step: str = ""


class Resources(Question[ResourceList], subject="ask.coordination.resources.v1", answered_in=(Account.JUSO,)):
    """Where could somebody take part, and who does? ``case``: the matches of that one only. Shown as ``Cases`` are."""

    case: UUID | None = None
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class NotePlace(Question[Done], subject="ask.coordination.note_place.v1", answered_in=(Account.JUSO,)):
    """Enter a 受入先, or close one (``place``): nobody begins there any more. The same request twice is one."""

    request: UUID
    place: UUID | None = None
    kind: PlaceKind = PlaceKind.OTHER
    name: Line = ""
    where: Line = ""
    conditions: Words = ""
    capacity: Annotated[int, Field(ge=1, le=999)] = 1
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class NoteMatch(Question[Done], subject="ask.coordination.note_match.v1", answered_in=(Account.JUSO,)):
    """Begin at a 受入先, look after it, or end it. ``next_on``: when somebody looks after it next."""

    request: UUID
    act: Literal["begin", "follow_up", "end"]
    case: UUID
    place: UUID | None = None
    match: UUID | None = None
    on: date
    next_on: date | None = None
    way: MatchEnd | None = None
    words: Words = ""
    viewer: UUID | None = None
    viewer_agency: Code | None = None
