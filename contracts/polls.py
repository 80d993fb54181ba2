"""日程のうかがい: asking those to be invited when they can, without login, before a 随時 sitting has a date (M12, S12).

Nothing of a case, and nothing that tells the kind of meeting, is in what the one asked sees (S17).
"""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from contracts.meetings import LinkToken
from contracts.message import Account, Code, Message, Question
from contracts.office import Done

Choice = Literal["yes", "avoid", "no"]
CHOICE_TEXT: dict[Choice, str] = {"yes": "参加可", "avoid": "できれば避けたい", "no": "不可"}
MOST_SLOTS = 12
"""More lines than that nobody answers with care; the engine's best come first."""


class SlotAnswer(Message):
    """What somebody says of one line of the poll; ``position`` counts from 1."""

    position: Annotated[int, Field(ge=1, le=MOST_SLOTS)]
    choice: Choice


class Answers(Message):
    """One answer to a whole poll: each line at most once, for which of two was meant cannot be guessed."""

    answers: Annotated[tuple[SlotAnswer, ...], Field(min_length=1, max_length=MOST_SLOTS)]

    @model_validator(mode="after")
    def _each_line_once(self) -> Self:
        if len({one.position for one in self.answers}) != len(self.answers):
            raise ValueError("a line of the poll is answered twice")
        return self


# -- the desk ----------------------------------------------------------------------------------------------------------


class OpenPoll(Question[Done], subject="ask.meetings.open_poll.v1"):
    """The coordinator asks whoever would be invited for the item: which of these starts? The same request asks once.

    ``closes_at``: until when answers count, before the first of the starts.
    """

    item: UUID
    request: UUID
    starts: Annotated[tuple[AwareDatetime, ...], Field(min_length=1, max_length=MOST_SLOTS)]
    closes_at: AwareDatetime
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class NotePollAnswer(Question[Done], Answers, subject="ask.meetings.note_poll_answer.v1"):
    """``person`` answered by telephone: the coordinator types it in, and the row says so. The same request, once."""

    poll: UUID
    person: UUID
    request: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class ClosePoll(Question[Done], subject="ask.meetings.close_poll.v1"):
    """The coordinator waits for no more answers: the links die. Closed twice, it is closed."""

    poll: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


# -- the answer window -------------------------------------------------------------------------------------------------


class PollLine(Message):
    """One line: a time, and what the holder of the link said of it last."""

    position: int
    starts: AwareDatetime
    ends: AwareDatetime
    choice: Choice | None = None


class PollState(Message):
    """What a poll's link shows: times, the deadline and the holder's own answers; nothing of what it is about (S17)."""

    found: bool
    lines: tuple[PollLine, ...] = ()
    closes_at: AwareDatetime | None = None
    recorded: bool = False


class LookAtPoll(
    Question[PollState], subject="ask.meetings.look_at_poll.v1", asked_from=(Account.NOTIFY,), inside=False
):
    """What does this link show? Changes nothing, so mail scanners may follow it."""

    link: LinkToken


class AnswerPoll(
    Question[PollState], Answers, subject="ask.meetings.answer_poll.v1", asked_from=(Account.NOTIFY,), inside=False
):
    """The holder of the link answers. May be changed until the deadline; each answer is kept, the last one counts."""

    link: LinkToken
