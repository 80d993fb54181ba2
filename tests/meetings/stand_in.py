"""What surrounds meetings in its tests: directory and notify as plain functions, and hands that can be cut off."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from contracts.coordination import ItemPutForward
from contracts.directory import (
    Busy,
    BusyBlock,
    BusyBlocks,
    Release,
    Released,
    Reserve,
    Reserved,
    Staff,
    StaffList,
    StaffView,
)
from contracts.message import Account, Event, Question
from contracts.notify import SendInvitation, Sent
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.meetings.inviting import send_invitations
from services.meetings.placing import place_items
from services.service import AskFailed, Tx
from services.settings import Settings
from tests.stage import Stage

T = TypeVar("T")
NAMES = (
    "髙橋 美穂",
    "𠮷田 さくら",
    "黒木 大輔",
    "山﨑 由紀子",
    "グエン ティ トゥイ",
    "假屋 智恵",
    "德永 浩二",
    "邊見 早苗",
)


def person(agency: str, number: int = 0) -> UUID:
    """The reference of an agency's nth member of staff, the same in every test."""
    return uuid5(NAMESPACE_OID, f"{agency} {number}")


def staff_of(profile: Profile) -> list[StaffView]:
    """Two 担当者 and one 代表者 for each agency."""
    posts = (profile.secretariat_post,), (profile.secretariat_post,), ("representative",)
    return [
        StaffView(person=person(agency.code, n), name=NAMES[n], agency=agency.code, posts=held, network="internet")
        for agency in profile.agencies
        for n, held in enumerate(posts)
    ]


def put_forward(*agencies: str, urgent: bool = False, **changes: Any) -> ItemPutForward:
    """An item that coordination puts forward."""
    facts = {"about": uuid4(), "case": uuid4(), "purpose": Purpose.PLAN, "received_on": "2026-11-20"} | changes
    return ItemPutForward(urgent=urgent, agencies=agencies or ("jiritsu", "kodomo"), **facts)


@dataclass
class Town:
    """The directory's and notify's side: what they promise in contracts/, kept in memory."""

    staff: list[StaffView]
    busy: list[BusyBlock] = field(default_factory=list)
    holds: dict[UUID, tuple[frozenset[UUID], datetime, datetime]] = field(default_factory=dict)
    mails: dict[UUID, SendInvitation] = field(default_factory=dict)
    asked: list[Question[Any]] = field(default_factory=list)
    refusals: dict[UUID, str] = field(default_factory=dict)
    """Why notify does not send to a person; ``silent`` means that nobody answers."""
    taken_behind_our_back: list[BusyBlock] = field(default_factory=list)
    """Busy when a time is to be held, though not yet when asked for before."""

    def answer(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        match question:
            case Staff():
                return StaffList(staff=tuple(self.staff))
            case Busy():
                return BusyBlocks(blocks=tuple(self.blocks()))
            case Release():
                self.holds.pop(question.hold, None)
                return Released()
            case Reserve():
                return self.reserve(question)
            case SendInvitation():
                return self.send(question)
        raise AskFailed("NoRespondersError")

    def blocks(self) -> list[BusyBlock]:
        held = [BusyBlock(person=p, starts=s, ends=e) for persons, s, e in self.holds.values() for p in persons]
        return self.busy + held

    def reserve(self, asked: Reserve) -> Reserved:
        wanted = frozenset(asked.persons), asked.starts, asked.ends
        if self.holds.get(asked.hold) == wanted:
            return Reserved()
        self.busy += self.taken_behind_our_back
        self.taken_behind_our_back = []
        clashes = {b.person for b in self.blocks() if b.starts < asked.ends and asked.starts < b.ends} & wanted[0]
        if clashes and not asked.firm:
            return Reserved(clashes=tuple(clashes))
        self.holds[asked.hold] = wanted
        return Reserved()

    def send(self, asked: SendInvitation) -> Sent:
        why = self.refusals.get(asked.person, "")
        if why == "silent":
            raise AskFailed("TimeoutError")
        if why:
            return Sent.model_validate({"outcome": "not_sent", "why": why})
        self.mails.setdefault(asked.notice, asked)
        return Sent(outcome="sent")

    def is_away(self, who: UUID, starts: datetime, hours: float) -> None:
        self.busy.append(BusyBlock(person=who, starts=starts, ends=starts + timedelta(hours=hours)))


class Cut(BaseException):
    """The process was killed here."""


@dataclass
class Hands:
    """services.service.Work on a stage. ``left``: how many awaited calls go through before the process is killed."""

    stage: Stage
    town: Town
    settings: Settings
    left: int | None = None

    def __post_init__(self) -> None:
        self.profile, self.compartment = self.stage.store.profile, self.stage.store.compartment

    def now(self) -> datetime:
        return self.stage.time

    async def run(self, act: Callable[[Tx], T]) -> T:
        return await self._step(lambda: self.stage.do(act))

    async def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        await self._step(lambda: self.stage.tell(act))

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        return await self._step(lambda: self.town.answer(question))

    async def _step(self, act: Callable[[], T]) -> T:
        """Done in full, but whoever waits for it may never learn so."""
        await asyncio.sleep(0)
        if self.left is not None and self.left < 0:
            raise Cut
        result = act()
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Cut
        return result

    async def work(self) -> None:
        """What the bus does whenever something is to be done."""
        await place_items(self)
        await send_invitations(self)
