"""代理: who decides about a date in the stead of the 会長 who calls the meeting, and for whom it is written down (S12).

The 要綱 say 「会長に事故があるとき、又は会長が欠けたとき」. Away is whoever's calendar leaves no minute of today's
office hours free (our reading: a meeting of an hour is no absence); nobody in the post today is a vacancy.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.coordinating import Convener, Deputy
from contracts.directory import Busy, BusyBlock, StaffView
from contracts.profile import Profile
from contracts.proposing import SteadReason
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO
from services.meetings.tenure import in_post
from services.service import Work

NOT_YOU = (
    "日時の案を承認できるのは、今日は{who}です(S12)。"
    "代理が決められるのは、決めた期間に、前の順の人が不在か提案した人のときだけです。"
)
PERIOD = "あなたの職({title})の代理の期間は、{since}から{until}までです。"
NOBODY = "今日、日時の案を承認できる人がいません({who}とその代理は、不在か欠けています)。"


@dataclass(frozen=True)
class Stead:
    """In whose stead somebody decided, and why. ``of`` None: nobody holds the post."""

    reason: SteadReason
    of: UUID | None

    def columns(self) -> dict[str, Any]:
        """As the row of a proposal keeps it."""
        return {"stead": self.reason.value, "stead_of": self.of}


def holders(link: Convener | Deputy, staff: Iterable[StaffView], day: date) -> list[UUID]:
    """Who is in this post on this day."""
    mine = (one for one in staff if one.agency == link.agency and link.post in one.posts)
    return [one.person for one in mine if in_post(one, day)]


@dataclass(frozen=True)
class Chain:
    """The 会長 and the deputies in force today, with who holds each post, who is away and who proposed."""

    convener: Convener
    staff: Sequence[StaffView]
    today: date
    proposed_by: UUID
    away: Collection[UUID] = ()

    def links(self) -> Iterator[tuple[Convener | Deputy, list[UUID]]]:
        """In the order in which they are to decide."""
        in_force = [one for one in self.convener.deputies if one.in_force(self.today)]
        chain: list[Convener | Deputy] = [self.convener, *in_force]
        for link in chain:
            yield link, holders(link, self.staff, self.today)

    def first(self) -> str | None:
        """The title of the first who is there and did not propose it; None: nobody is."""
        return next((link.title for link, held_by in self.links() if self._there(held_by)), None)

    def _there(self, held_by: Iterable[UUID]) -> bool:
        return any(one not in self.away and one != self.proposed_by for one in held_by)

    def decides(self, person: UUID, agency: str) -> "Stead | Refusal | None":
        """None: the 会長 herself; else in whose stead this person decides, or why not.

        Her own proposal the 会長 decides only where nobody in force is there to do it for her.
        """
        head = holders(self.convener, self.staff, self.today)
        if agency == self.convener.agency and person in head:
            return self.refusal(agency, person) if person == self.proposed_by and self.first() else None
        for link, held_by in self.links():
            if link is not self.convener and agency == link.agency and person in held_by and person != self.proposed_by:
                return self._stead(head)
            if self._there(held_by):
                break
        return self.refusal(agency, person)

    def _stead(self, head: list[UUID]) -> Stead:
        if not head:
            return Stead(SteadReason.VACANT, None)
        own = self.proposed_by in head
        return Stead(SteadReason.OWN if own else SteadReason.AWAY, self.proposed_by if own else head[0])

    def refusal(self, agency: str, person: UUID) -> Refusal:
        """Who may today, and the lawful way; a deputy outside the days is told the days."""
        who = self.first()
        reason = NOT_YOU.format(who=who) if who else NOBODY.format(who=self.convener.title)
        for one in self.convener.deputies:
            if one.agency == agency and person in holders(one, self.staff, self.today) and not one.in_force(self.today):
                reason += PERIOD.format(title=one.title, since=_day(one.since), until=_day(one.until))
        way = f"{who}に、この画面で承認するように依頼してください。"
        return Refusal(
            "S12", reason, way if who else "profile.toml の convener の代理と、職員名簿の職を確かめてください。"
        )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


async def away_today(work: Work, staff: Sequence[StaffView]) -> frozenset[UUID]:
    """Who of the 会長 and the deputies is away today; asked only where the city has a 会長. Raises AskFailed."""
    convener = work.profile.convener
    if convener is None:
        return frozenset()
    today = work.now().astimezone(TOKYO).date()
    starts, ends = office_hours(work.profile, today)
    blocks = (await work.ask(Busy(starts=starts, ends=ends))).blocks
    chain: list[Convener | Deputy] = [convener, *convener.deputies]
    of_them = {one for link in chain for one in holders(link, staff, today)}
    return frozenset(one for one in of_them if covered(starts, ends, [b for b in blocks if b.person == one]))


def office_hours(profile: Profile, day: date) -> tuple[datetime, datetime]:
    """From the opening to the closing of the office on this day."""
    return (
        datetime.combine(day, profile.office_opens, TOKYO),
        datetime.combine(day, profile.office_closes, TOKYO),
    )


def covered(starts: datetime, ends: datetime, blocks: Iterable[BusyBlock]) -> bool:
    """Whether no minute between is free."""
    for one in sorted(blocks, key=lambda block: block.starts):
        if one.starts > starts:
            return False
        starts = max(starts, one.ends)
    return starts >= ends
