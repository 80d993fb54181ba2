"""開き方: how a sitting is held. One mode per sitting, taken from its body and changed for this once by a person (M3).

種000 別添5 1(3)キ(ウ): a meeting may use ICT where it is hard to gather (distance, infection) or to ease burdens.
"""

from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, model_validator

from contracts.message import Code, Message, Question
from contracts.office import Done

Mode = Literal["in_person", "online", "both"]
MODE_TEXT: dict[Mode, str] = {"in_person": "対面", "online": "オンライン", "both": "対面とオンラインの併用"}


class ModeReason(StrEnum):
    """Why one sitting is not held as its body is. Chosen from a list: nothing about a person can stand in it."""

    WEATHER = "weather"
    INFECTION = "infection"
    DISTANCE = "distance"
    BURDEN = "burden"
    ROOM = "room"
    NETWORK = "network"
    OVER = "over"


MODE_REASON_TEXT: dict[ModeReason, str] = {
    ModeReason.WEATHER: "台風・大雪などで移動が危ない",
    ModeReason.INFECTION: "感染症の広がりを防ぐ",
    ModeReason.DISTANCE: "遠くて集まりにくい",
    ModeReason.BURDEN: "参加する人の負担を軽くする",
    ModeReason.ROOM: "会場が使えない",
    ModeReason.NETWORK: "通信や端末の都合で、オンラインで参加できない人がいる",
    ModeReason.OVER: "変えた理由がなくなった",
}


class HeldHow(Message):
    """How something is held. ``online`` repeats for readers older than ``mode`` whether it is held online only."""

    online: bool = False
    mode: Mode = "in_person"

    @model_validator(mode="before")
    @classmethod
    def _said_once(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        if "mode" in said:
            return said | {"online": said["mode"] == "online"}
        return said | {"mode": "online"} if said.get("online") is True else said


class ModeChange(Message):
    """Who changed how one sitting is held, when, and why."""

    mode: Mode
    reason: ModeReason
    by: UUID
    agency: Code
    at: AwareDatetime


class HoldOtherwise(Question[Done], subject="ask.meetings.hold_otherwise.v1"):
    """Hold this one sitting in another mode. Time, place and people stay; whoever was invited gets an update.

    The same ``request`` changes once. ``before``: the mode that the person has seen, for two may change it at once.
    """

    sitting: UUID
    request: UUID
    before: Mode
    mode: Mode
    reason: ModeReason
    viewer: UUID | None = None
    viewer_agency: Code | None = None
