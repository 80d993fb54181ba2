"""What a desk asks in the name of the person who signed in: who looks is part of every question about a case."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from contracts.coordination import CaseList, Cases, ClientsOfCases, Trail, TrailSteps
from contracts.directory import Staff, StaffView
from contracts.disclosure import Disclosure, DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.intake import ClientDetails, ClientOf, DetailsOfClient, Particulars
from contracts.message import Compartment, Question
from contracts.office import Officer
from services.desk.sessions import Session
from services.service import AskFailed, Work

R = TypeVar("R", bound=BaseModel)

QUESTIONS_AT_ONCE = 20


class Asking:
    """The questions of one request. What is not said to raise answers None when nobody could say."""

    def __init__(self, work: Work, session: Session) -> None:
        self.work, self.session = work, session
        self._agency = session.code or None

    async def or_none(self, question: Question[R]) -> R | None:
        """The answer; None when nobody answered, so that the rest of the page can still be shown."""
        try:
            return await self.work.ask(question)
        except AskFailed:
            return None

    async def cases(self, *, rested: bool = False) -> CaseList:
        """The cases this person may see, or why none; ``rested``: also those long over. Raises AskFailed: nothing is
        shown on a guess.
        """
        asked = Cases(viewer=self.session.person, viewer_agency=self._agency, rested=rested)
        return await self.work.ask(asked)

    async def details(self, case: UUID) -> ClientDetails:
        """What intake knows besides of whom a juso case is about; nothing where nobody could say. Shien asks nobody."""
        if self.work.compartment is not Compartment.JUSO or self._agency is None:
            return ClientDetails(found=False)
        by = Officer(person=self.session.person, agency=self._agency)
        return await self.or_none(DetailsOfClient(case=case, by=by)) or ClientDetails(found=False)

    async def trail(self, ref: str) -> TrailSteps:
        """A case as this person may see it; no case for an unknown, a malformed or a foreign one. Raises AskFailed."""
        try:
            case = UUID(ref)
        except ValueError:
            return TrailSteps(case=None)
        return await self.work.ask(Trail(case=case, viewer=self.session.person, viewer_agency=self._agency))

    async def staff(self) -> dict[UUID, StaffView] | None:
        """Everybody, by reference."""
        found = await self.or_none(Staff())
        return {one.person: one for one in found.staff} if found else None

    async def register(self, case: UUID) -> Sequence[Disclosure] | None:
        """Who was shown or sent what of a case, oldest first, from both registers; the caller may see the case."""
        found = await asyncio.gather(
            self.or_none(DisclosuresAtCoordination(cases=(case,))), self.or_none(DisclosuresAtMeetings(cases=(case,)))
        )
        if None in found:
            return None
        return sorted((row for one in found if one for row in one.rows), key=lambda row: (row.at, row.disclosure))

    async def clients(self, cases: Iterable[UUID], told: Particulars | None = None) -> dict[UUID, Particulars] | None:
        """Who the cases are about. Shien asks inside itself only: a look-up elsewhere would tell (consent.md 8.1)."""
        cases = tuple(cases)[:500]
        if self.work.compartment is not Compartment.SHIEN:
            return await self._clients_from_intake(cases)
        if told is not None:
            return dict.fromkeys(cases, told)
        asked = ClientsOfCases(cases=cases, viewer=self.session.person, viewer_agency=self._agency)
        found = await self.or_none(asked) if cases else None
        return found.clients if found else None if cases else {}

    async def _clients_from_intake(self, cases: tuple[UUID, ...]) -> dict[UUID, Particulars] | None:
        """A few questions at a time; after the first that fails no further one, so that the page does not hang."""
        known: dict[UUID, Particulars] = {}
        for begin in range(0, len(cases), QUESTIONS_AT_ONCE):
            some = cases[begin : begin + QUESTIONS_AT_ONCE]
            asked = (self.or_none(ClientOf(case=case, agency=self._agency)) for case in some)
            answers = await asyncio.gather(*asked)
            known |= {case: one for case, one in zip(some, answers, strict=True) if one is not None}
            if None in answers:
                break
        return known if known or not cases else None
