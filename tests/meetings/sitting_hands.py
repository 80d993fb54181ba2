"""Hands that run a sitting in the tests: each act as the desk asks for it, one after another."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.life import Outcome
from contracts.running import Conduct, Conducted, LookAtRoom, Move, Proceeding, Result, RoomView
from tests.meetings.stand_in import Hands, person


@dataclass
class Chair:
    """髙橋 of 福祉課, who runs one sitting."""

    hands: Hands
    sitting: UUID
    agency: str = "fukushi"
    viewer: UUID = field(default_factory=lambda: person("fukushi"))
    acts: int = 0

    async def ask(self, move: Move, **how: Any) -> Conducted:
        asked = {"sitting": self.sitting, "request": uuid4(), "after": self.acts, "move": move}
        asked |= {"viewer": self.viewer, "viewer_agency": self.agency}
        answer = await perform(self.hands, Conduct.model_validate(asked | how))
        assert isinstance(answer, Conducted)
        if answer.done:
            self.acts = answer.acts
        return answer

    async def does(self, what: Proceeding, **fields: Any) -> Conducted:
        return await self.ask(Move(what=what, **fields))

    async def did(self, what: Proceeding, **fields: Any) -> None:
        answer = await self.does(what, **fields)
        assert answer.done, answer

    async def open_with(self, *agencies: str) -> None:
        """開会, and somebody of each agency in the room."""
        await self.did(Proceeding.OPEN)
        for agency in agencies:
            await self.did(Proceeding.ENTER, person=person(agency))

    async def hear(self, item: UUID, outcome: Outcome = Outcome.FIT, words: str = "") -> None:
        await self.did(Proceeding.CALL, item=item)
        await self.did(Proceeding.RECORD, item=item, result=Result(outcome=outcome, words=words))

    async def look(self, viewer: UUID | None = None, agency: str = "") -> RoomView:
        asked = LookAtRoom(sitting=self.sitting, viewer=viewer or self.viewer, viewer_agency=agency or self.agency)
        found = await perform(self.hands, asked)
        assert isinstance(found, RoomView)
        return found


async def perform(hands: Hands, question: Any) -> Any:
    """What the bus does with a question that reaches outside."""
    return await hands.stage.store.service.answers_to[type(question)].act(question, hands)


def to_time(hands: Hands, moment: datetime) -> None:
    """The hour has come; the replica has been compared with the ledger meanwhile."""
    hands.stage.time = moment
