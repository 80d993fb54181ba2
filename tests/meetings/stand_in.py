"""What surrounds meetings in its tests: directory and notify as plain functions, and hands that can be cut off."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from contracts.commission import Commission
from contracts.consent import OPEN_STATES, ConsentState
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
from contracts.intake import AcknowledgeConsents, Acknowledged, ConsentChanged, ConsentHeads, Heads
from contracts.message import Account, Compartment, Event, Question
from contracts.notify import SendCancellation, SendInvitation, SendPoll, Sent
from contracts.permit import LIFE_SECONDS, Noted, Permit, Redeem, ReportSpent, Use, Verdict, Verdicts, sign
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.meetings.inviting import send_notices
from services.meetings.placing import place_items
from services.meetings.polls_mailing import send_polls
from services.meetings.regular_carrying import carry_regular
from services.meetings.replanning import carry_changes
from services.meetings.reseating import seat_anew
from services.meetings.scheduling import TOKYO
from services.service import AskFailed, Tx
from services.settings import Settings
from tests.stage import SOME_DAY, Stage

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
    """An item that coordination@juso puts forward."""
    facts = {"about": uuid4(), "case": uuid4(), "purpose": Purpose.PLAN, "received_on": "2026-11-20"}
    facts |= {"member": uuid4(), "consent": uuid4()} | changes
    return ItemPutForward(urgent=urgent, agencies=agencies or ("jiritsu", "kodomo"), **facts)


def consented(
    one: ItemPutForward,
    *agencies: str,
    version: int = 1,
    state: ConsentState = ConsentState.GIVEN,
    now: datetime = SOME_DAY,
    **scope: Any,
) -> ConsentChanged:
    """What intake tells of the consent that an item rests on. Without ``agencies`` it opens nothing."""
    reach = {"agencies": agencies, "purposes": tuple(Purpose), "members": (one.member,)}
    reach |= {"starts": SOME_DAY - timedelta(days=20), "ends": SOME_DAY + timedelta(days=1000)} | scope
    return ConsentChanged.model_validate(
        {
            "about": one.consent,
            "version": version,
            "case": one.case,
            "state": state,
            "scope": reach if state in OPEN_STATES else None,
            "recorded_at": now,
        }
    )


def withdrawn(one: ItemPutForward, version: int = 2) -> ConsentChanged:
    """The client took it back."""
    return consented(one, version=version, state=ConsentState.WITHDRAWN)


@dataclass
class Town:
    """The directory's and notify's side: what they promise in contracts/, kept in memory."""

    staff: list[StaffView]
    busy: list[BusyBlock] = field(default_factory=list)
    holds: dict[UUID, tuple[frozenset[UUID], datetime, datetime]] = field(default_factory=dict)
    mails: dict[UUID, SendInvitation] = field(default_factory=dict)
    polls: dict[UUID, SendPoll] = field(default_factory=dict)
    asked: list[Question[Any]] = field(default_factory=list)
    refusals: dict[UUID, str] = field(default_factory=dict)
    """Why notify does not send to a person; ``silent`` means that nobody answers."""
    taken_behind_our_back: list[BusyBlock] = field(default_factory=list)
    """Busy when a time is to be held, though not yet when asked for before."""
    ledger: dict[UUID, ConsentChanged] = field(default_factory=dict)
    """Intake's ledger: the newest version of each consent."""
    permit_key: bytes = b"p" * 32
    spent: list[UUID] = field(default_factory=list)
    cancelled: dict[UUID, SendCancellation] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: SOME_DAY

    def answer(self, question: Question[Any]) -> Any:
        if not isinstance(question, ConsentHeads):  # the heartbeat goes on whatever happens
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
            case SendCancellation():
                return self.cancel(question)
            case SendPoll():
                return self.send_poll(question)
            case Redeem():
                return Verdicts(verdicts=tuple(self.permit(use) for use in question.uses))
            case ReportSpent():
                self.spent += question.permits
                return Noted()
            case ConsentHeads():
                versions = sum(one.version for one in self.ledger.values())
                return Heads(consents=len(self.ledger), versions=versions, as_of=self.now())
            case AcknowledgeConsents():
                return Acknowledged()
        raise AskFailed("NoRespondersError")

    def permit(self, use: Use) -> Verdict:
        """As the ledger does: by the newest version, for 3 s."""
        newest = self.ledger[use.consent]
        scope = newest.scope
        if newest.version != use.version or scope is None or use.agency not in scope.agencies:
            return Verdict(use=use.use, row="N1", reason="同意が撤回されました。", next_step="")
        permit, until = uuid4(), self.now() + timedelta(seconds=LIFE_SECONDS)
        signature = sign(self.permit_key, permit, use, until)
        return Verdict(use=use.use, permit=Permit(permit=permit, use=use, until=until, signature=signature))

    def send_poll(self, asked: SendPoll) -> Sent:
        why = self.refusals.get(asked.person, "")
        if why == "silent":
            raise AskFailed("TimeoutError")
        if why:
            return Sent.model_validate({"outcome": "not_sent", "why": why})
        self.polls.setdefault(asked.notice, asked)
        return Sent(outcome="sent")

    def cancel(self, asked: SendCancellation) -> Sent:
        why = self.refusals.get(asked.person, "")
        if why == "silent":
            raise AskFailed("TimeoutError")
        if asked.uid not in {one.uid for one in self.mails.values()}:
            why = "never_invited"
        if why:
            return Sent.model_validate({"outcome": "not_sent", "why": why})
        self.cancelled.setdefault(asked.notice, asked)
        return Sent(outcome="sent")

    def blocks(self) -> list[BusyBlock]:
        held = [BusyBlock(person=p, starts=s, ends=e) for persons, s, e in self.holds.values() for p in persons]
        return self.busy + held

    def reserve(self, asked: Reserve) -> Reserved:
        wanted = frozenset(asked.persons), asked.starts, asked.ends
        if self.holds.get(asked.hold) == wanted:
            return Reserved()
        self.busy += self.taken_behind_our_back
        self.taken_behind_our_back = []
        held = self.holds.pop(asked.hold, None)  # a moved hold is not in its own way
        clashes = {b.person for b in self.blocks() if b.starts < asked.ends and asked.starts < b.ends} & wanted[0]
        if clashes and not asked.firm:
            self.holds |= {asked.hold: held} if held else {}
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
    beats: bool = True
    """Whether the ledger can be reached for comparing."""

    def __post_init__(self) -> None:
        self.profile, self.compartment = self.stage.store.profile, self.stage.store.compartment
        self.town.now = self.now

    def hear(self, told: ConsentChanged) -> None:
        """The ledger has a new version, and its news arrives."""
        self.town.ledger[told.about] = told
        self.stage.give(told)

    def give(self, *items: ItemPutForward) -> None:
        """Items arrive; in juso each after a consent to all agencies there are, unless another is known already."""
        for one in items:
            if self.compartment is Compartment.SHIEN:
                self.stage.give(one.model_copy(update={"consent": None}))
                continue
            if one.consent not in self.town.ledger:
                self.hear(consented(one, *(agency.code for agency in self.profile.agencies), now=self.now()))
            self.stage.give(one)

    def commission(self, *agencies: str, **changes: Any) -> list[UUID]:
        """Commission whole organisations from today on."""
        day = self.now().astimezone(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)
        facts = {"starts": day, "ends": day + timedelta(days=700), "explained_on": day.date(), "document": "小福第1号"}
        made = [self.stage.ask(Commission(agency=code, **(facts | changes))) for code in agencies]
        assert all(one.done for one in made), made
        return [one.commission for one in made]

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
        """What the bus does whenever something is to be done; the heartbeat never dies of ``left``."""
        left, self.left = self.left, None
        if self.beats:
            await self.run_errand("compare_with_ledger")
        self.left = left
        await place_items(self)
        await carry_changes(self)
        await carry_regular(self)
        await seat_anew(self)
        await send_polls(self)
        await send_notices(self)

    async def run_errand(self, name: str) -> None:
        """Another errand of meetings, once."""
        (errand,) = [one for one in self.stage.store.service.errands if one.name == name]
        await errand.act(self)
