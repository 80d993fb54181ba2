"""委嘱 and 協力依頼: who is bound to the secrecy of a 支援会議, and how a body outside is asked (S3-S8). Shien only."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints, model_validator

from contracts.intake import Reference, Text
from contracts.message import Account, Code, Event, Message, Question


class CommissionMade(Event, subject="kasane.meetings.commission_made.v1"):
    """A person or a whole organisation is a member of the 支援会議 for a period; ``about`` is the commission (S6, S7).

    ``person`` is None for an organisation: whoever it sends is named per sitting. Told in shien only.
    """

    person: UUID | None
    agency: Code
    starts: AwareDatetime
    ends: AwareDatetime


class CommissionEnded(Event, subject="kasane.meetings.commission_ended.v1"):
    """A commission ends before its time; ``about`` is the commission. Access ends, the duty of secrecy stays (S4)."""

    ended_at: AwareDatetime


class CommissionView(Message):
    """One commission. ``ended_at``: before its time, else None."""

    commission: UUID
    person: UUID | None
    agency: Code
    starts: AwareDatetime
    ends: AwareDatetime
    explained_on: date
    document: Reference
    ended_at: AwareDatetime | None


class CommissionList(Message):
    """All there ever were, the newest first: former members stay bound (S4)."""

    commissions: tuple[CommissionView, ...]


class Commissions(Question[CommissionList], subject="ask.meetings.commissions.v1", answered_in=(Account.SHIEN,)):
    """Who is or was a member of the 支援会議?"""


class Commissioned(Message):
    """Whether it is recorded; if not, by which rule, and what to do instead."""

    done: bool
    commission: UUID | None = None
    rule: str = ""
    message: str = ""


class Commission(Question[Commissioned], subject="ask.meetings.commission.v1", answered_in=(Account.SHIEN,)):
    """Commission a person or an organisation, never back-dated, once secrecy was explained (S6, S7).

    ``document``: the number of the 委嘱状 or of the arrangement with the organisation (事前調整).
    """

    person: UUID | None = None
    agency: Code
    starts: AwareDatetime
    ends: AwareDatetime
    explained_on: date
    document: Annotated[Reference, StringConstraints(min_length=1)]


class EndCommission(Question[Commissioned], subject="ask.meetings.end_commission.v1", answered_in=(Account.SHIEN,)):
    """End a commission now: its holders lose their coming seats; what they knew stays secret (S4)."""

    commission: UUID


class QuestionTemplate(StrEnum):
    """All that a body outside can be asked. There is no field for text: the case's content would leave with it (S5)."""

    PAPERS = "papers"
    INFORMATION = "information"
    OPINION = "opinion"
    COOPERATION = "cooperation"


TEMPLATE_TEXT = {
    QuestionTemplate.PAPERS: "資料の提供をお願いします。",
    QuestionTemplate.INFORMATION: "情報の提供をお願いします。",
    QuestionTemplate.OPINION: "意見の開陳をお願いします。",
    QuestionTemplate.COOPERATION: "その他の必要な協力をお願いします。",
}


class CooperationView(Message):
    """One 協力依頼 and what came back. ``answer`` is shown inside shien only (受領資料)."""

    request: UUID
    case: UUID
    agency: Code
    template: QuestionTemplate
    asked_at: AwareDatetime
    due_on: date
    answered_at: AwareDatetime | None
    answer: Text = ""
    asked_back_at: AwareDatetime | None
    """The body wants to talk: it has to be commissioned first (S6)."""


class CooperationList(Message):
    """The requests about one case, oldest first, and the agencies that can be asked now: those not commissioned."""

    requests: tuple[CooperationView, ...]
    askable: tuple[Code, ...] = ()


class Cooperations(Question[CooperationList], subject="ask.meetings.cooperations.v1", answered_in=(Account.SHIEN,)):
    """Who was asked to help with this case, and what came back?"""

    case: UUID


class Cooperation(Message):
    """What was recorded; or why not, and what to do instead. ``letter``: the text to be sent, nothing of the case."""

    done: bool
    request: UUID | None = None
    letter: str = ""
    rule: str = ""
    message: str = ""


class AskCooperation(Question[Cooperation], subject="ask.meetings.ask_cooperation.v1", answered_in=(Account.SHIEN,)):
    """Ask a body outside by a fixed question, one way (S5)."""

    case: UUID
    agency: Code
    template: QuestionTemplate
    due_on: date


class NoteCooperation(Question[Cooperation], subject="ask.meetings.note_cooperation.v1", answered_in=(Account.SHIEN,)):
    """What a body answered, kept in shien as 受領資料; or that it asks back, which needs a commission (S6)."""

    request: UUID
    answer: Text = ""
    asks_back: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.answer.strip()) is self.asks_back:
            raise ValueError("either an answer or a question back")
        return self
