"""Hands that arrange the date of one item in the tests: each act as the desk asks for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.coordination import ItemPutForward
from contracts.office import Done
from contracts.polls import AnswerPoll, Choice, ClosePoll, LookAtPoll, NotePollAnswer, OpenPoll, PollState
from contracts.profile import Profile
from contracts.proposing import (
    DateOption,
    DatesView,
    DecideProposal,
    ItemDates,
    KeepApart,
    LookAtDates,
    PollView,
    ProposalView,
    ProposeDate,
)
from services.meetings.scheduling import TOKYO
from tests.meetings.sitting_hands import perform
from tests.meetings.stand_in import Hands, person


def at(day: int, clock: str, month: int = 11) -> datetime:
    """A time of day in Japan, in the year of the tests."""
    return datetime.combine(date(2026, month, day), time.fromisoformat(clock), TOKYO)


def held_as(profile: Profile, mode: str, **other: Any) -> Profile:
    """The city, with every body held in this mode."""
    reason = None if mode == "in_person" else "集まりにくいため"
    bodies = tuple(one.model_copy(update={"mode": mode, "mode_reason": reason}) for one in profile.bodies)
    return profile.model_copy(update={"bodies": bodies} | other)


@dataclass
class Desk:
    """𠮷田 of the municipality at her desk, with one item."""

    hands: Hands
    event: ItemPutForward
    agency: str = "fukushi"
    viewer: UUID = field(default_factory=lambda: person("fukushi"))

    def who(self, **other: Any) -> dict[str, Any]:
        return {"viewer": self.viewer, "viewer_agency": self.agency} | other

    async def poll(self, *starts: datetime, until: datetime, **how: Any) -> Done:
        await self.hands.run_errand("compare_with_ledger")
        asked = {"item": self.event.about, "request": uuid4(), "starts": starts, "closes_at": until}
        done = await perform(self.hands, OpenPoll.model_validate(asked | self.who() | how))
        assert isinstance(done, Done)
        return done

    async def polled(self, *starts: datetime, until: datetime) -> None:
        done = await self.poll(*starts, until=until)
        assert done.done, done
        await self.hands.work()

    async def dates(self, **who: Any) -> DatesView:
        await self.hands.run_errand("compare_with_ledger")
        found = await perform(self.hands, LookAtDates.model_validate({"case": self.event.case} | self.who() | who))
        assert isinstance(found, DatesView)
        return found

    async def item(self) -> ItemDates:
        (one,) = (await self.dates()).items
        return one

    async def options(self) -> tuple[DateOption, ...]:
        return (await self.item()).options

    async def standing(self) -> PollView:
        return (await self.item()).polls[0]

    async def newest(self) -> ProposalView:
        return (await self.item()).proposals[0]

    async def propose(self, option: DateOption, **how: Any) -> Done:
        persons = [one.person for one in option.seats if one.person]
        await self.hands.run_errand("compare_with_ledger")
        asked = {"item": self.event.about, "request": uuid4(), "starts": option.starts, "persons": persons}
        done = await perform(self.hands, ProposeDate.model_validate(asked | self.who() | how))
        assert isinstance(done, Done)
        return done

    async def decide(self, proposal: UUID, **how: Any) -> Done:
        await self.hands.run_errand("compare_with_ledger")
        asked = {"proposal": proposal, "request": uuid4()} | self.who()
        done = await perform(self.hands, DecideProposal.model_validate(asked | how))
        assert isinstance(done, Done)
        return done

    def note(self, poll: UUID, who: UUID, choices: Iterable[Choice], **how: Any) -> Done:
        answers = [{"position": n, "choice": one} for n, one in enumerate(choices, 1)]
        asked = {"poll": poll, "person": who, "request": uuid4(), "answers": answers} | self.who()
        done = self.hands.stage.ask(NotePollAnswer.model_validate(asked | how))
        assert isinstance(done, Done)
        return done

    def apart(self, one: UUID, other: UUID, **how: Any) -> Done:
        asked = {"item": self.event.about, "persons": (one, other)} | self.who() | how
        done = self.hands.stage.ask(KeepApart.model_validate(asked))
        assert isinstance(done, Done)
        return done

    def close(self, poll: UUID) -> Done:
        done = self.hands.stage.ask(ClosePoll.model_validate({"poll": poll} | self.who()))
        assert isinstance(done, Done)
        return done

    # -- the people who are asked --------------------------------------------------------------------------------

    def link(self, who: UUID) -> str:
        """The link in the newest poll mail to somebody."""
        return [one.link for one in self.hands.town.polls.values() if one.person == who][-1]

    def sees(self, who: UUID) -> PollState:
        found = self.hands.stage.ask(LookAtPoll(link=self.link(who)))
        assert isinstance(found, PollState)
        return found

    def answers(self, who: UUID, *choices: Choice) -> PollState:
        said = [{"position": n, "choice": one} for n, one in enumerate(choices, 1)]
        found = self.hands.stage.ask(AnswerPoll.model_validate({"link": self.link(who), "answers": said}))
        assert isinstance(found, PollState)
        return found


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)
