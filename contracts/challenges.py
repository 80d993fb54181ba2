"""地域課題: what is missing, found in a case and written down of no case (D10), and what a body answered to it.

An entry has no link to the case: only its field, the kind of the lack, an area and a sentence that a second person has
found to name nobody. Each compartment keeps its own; from shien one may be handed on only once it was found several
times, as a single case could be recognised in it (S11).
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.intake import Problem
from contracts.message import Code, Message, Question

Area = Annotated[str, StringConstraints(max_length=20)]
Sentence = Annotated[str, StringConstraints(min_length=5, max_length=200)]


class Lack(StrEnum):
    """What is missing."""

    PLACE_TO_BE = "place_to_be"
    WORK = "work"
    HOUSING = "housing"
    TRANSPORT = "transport"
    DAILY_HELP = "daily_help"
    EXPERTISE = "expertise"
    BETWEEN_SYSTEMS = "between_systems"
    OTHER = "other"


LACK_TEXT: dict[str, str] = {
    Lack.PLACE_TO_BE: "居場所・通いの場",
    Lack.WORK: "就労・活動の場",
    Lack.HOUSING: "住まい",
    Lack.TRANSPORT: "移動の手段",
    Lack.DAILY_HELP: "日常の手伝い・見守り",
    Lack.EXPERTISE: "専門の相談・医療",
    Lack.BETWEEN_SYSTEMS: "制度のはざま",
    Lack.OTHER: "その他",
}


class PlaceKind(StrEnum):
    """What a 受入先 of 参加支援 offers."""

    WORK_EXPERIENCE = "work_experience"
    VOLUNTEERING = "volunteering"
    PLACE_TO_BE = "place_to_be"
    LEARNING = "learning"
    HOUSING = "housing"
    OTHER = "other"


KIND_TEXT: dict[str, str] = {
    PlaceKind.WORK_EXPERIENCE: "就労体験・仕事",
    PlaceKind.VOLUNTEERING: "ボランティア・役割",
    PlaceKind.PLACE_TO_BE: "居場所・通いの場",
    PlaceKind.LEARNING: "学び",
    PlaceKind.HOUSING: "住まい",
    PlaceKind.OTHER: "その他",
}

_POINTS_AT_SOMEBODY = (
    (re.compile(r"[0-9０-９〇一二三四五六七八九十百]{1,4}(?:歳|才|丁目|番地|号室|人暮らし|年生)"), "年齢か番地など"),
    (re.compile(r"[0-9０-９][0-9０-９\-ー－]{3,}"), "番号(電話、生年月日など)"),
    (
        re.compile(r"(?:さん|様|氏|君|ちゃん)(?![々ぁ-んァ-ヶー一-龠])|(?:さん|様|氏)(?=[のはがをにと、。])"),
        "人の呼び方",
    ),
)


def points_at_somebody(text: str, names: tuple[str, ...] = ()) -> str:
    """What in a sentence could lead to a person, in Japanese; empty if nothing was noticed.

    A net with holes: that a sentence names nobody, a second person decides.
    """
    bare = "".join(text.split())
    parts = {part for name in names for part in (*name.split(), "".join(name.split())) if len(part) > 1}
    if any(part in bare for part in parts):
        return "本人の氏名"
    return next((what for pattern, what in _POINTS_AT_SOMEBODY if pattern.search(text)), "")


class Forwarding(Message):
    """An agenda item without a case: handed to a body, and its answer."""

    forwarding: UUID
    body: Code
    on: date
    answered_on: date | None = None
    answer: str = ""


class Challenge(Message):
    """An entry. ``checkable``: this viewer may be the second person who reads it. ``found`` counts how often."""

    challenge: UUID
    field: Problem
    lack: Lack
    area: str
    sentence: str
    found: Annotated[int, Field(ge=1)]
    last_found: date
    checked: bool
    checkable: bool
    forwardable: bool
    forwarded: tuple[Forwarding, ...] = ()


class ChallengeList(Message):
    """``reason`` and ``next_step``: why this viewer sees none. ``bodies``: to which one may be handed."""

    challenges: tuple[Challenge, ...] = ()
    bodies: tuple[Code, ...] = ()
    reason: str = ""
    next_step: str = ""


class Challenges(Question[ChallengeList], subject="ask.coordination.challenges.v1"):
    """The 地域課題 of this compartment, for the 市町村 and the 多機関協働事業者."""

    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Done(Message):
    """Whether it was recorded; if not, by which rule, why, and the lawful next step."""

    done: bool
    ref: UUID | None = None
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class NoteChallenge(Question[Done], subject="ask.coordination.note_challenge.v1"):
    """Write down what was missing in a case the viewer may see. The case itself is not kept.

    ``again``: an entry there is, found once more; then field, lack and words are its own.
    """

    request: UUID
    case: UUID
    again: UUID | None = None
    field: Problem = Problem.OTHER
    lack: Lack = Lack.OTHER
    area: Area = ""
    sentence: Annotated[str, StringConstraints(max_length=200)] = ""
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class HandleChallenge(Question[Done], subject="ask.coordination.handle_challenge.v1"):
    """Check an entry, strike it, hand it to a body, or record what the body answered. The same request twice is one."""

    request: UUID
    challenge: UUID
    act: Literal["names_nobody", "strike", "forward", "answer"]
    body: Code | None = None
    forwarding: UUID | None = None
    on: date | None = None
    answer: Annotated[str, StringConstraints(max_length=2000)] = ""
    viewer: UUID | None = None
    viewer_agency: Code | None = None
