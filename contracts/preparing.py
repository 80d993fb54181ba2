"""Before a meeting: who is to sit at the table of a case, what agencies are asked, and the 準備シート that comes of it.

The roster's rules are P1-P7 and C3, S6; a request for information stays inside consent or commission (C8, S5, S6).
Which of them refuses what stands in ``services/coordination/roster.py`` and ``inquiries.py``.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.intake import Line, Problem
from contracts.life import Words
from contracts.message import Code, Event, Message, Question

Need = Literal["required", "expected", "optional"]
"""必須, 原則, 任意."""

NEED_TEXT: dict[Need, str] = {"required": "必須", "expected": "原則", "optional": "任意"}

MOST_SEATS = 60
MOST_ASKS = 12
Asking = Annotated[str, StringConstraints(max_length=1000)]
"""One question to an agency. Free text of a person: kept sealed, travels in questions only."""


class Reason(StrEnum):
    """Why an agency is proposed."""

    MUNICIPALITY = "municipality"
    COORDINATOR = "coordinator"
    REFERRER = "referrer"
    CONSULTATION = "consultation"
    PARTICIPATION = "participation"
    OUTREACH = "outreach"
    NAMED = "named"
    ROLE = "role"
    FIELD = "field"


REASON_TEXT = {
    Reason.MUNICIPALITY: "市町村は必ず出席する",
    Reason.COORDINATOR: "多機関協働事業者は必ず出席する",
    Reason.REFERRER: "紹介元",
    Reason.CONSULTATION: "包括的相談支援事業者",
    Reason.PARTICIPATION: "参加支援事業者",
    Reason.OUTREACH: "アウトリーチ等の事業者",
    Reason.NAMED: "つなぐシートの関係機関",
    Reason.ROLE: "プランに役割がある",
    Reason.FIELD: "課題の分野を担う",
}


class Door(StrEnum):
    """The lawful way in for an agency that may not hear the case yet."""

    CONSENT = "consent"
    COMMISSION = "commission"


class Attendance(StrEnum):
    """本人参加: whether the person takes part. Only where it does the person good (P7)."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


ATTENDANCE_TEXT = {Attendance.YES: "要", Attendance.NO: "否", Attendance.OPEN: "保留"}


class Why(Message):
    """One reason for a seat, with the rule it rests on. ``problem`` for Reason.FIELD."""

    reason: Reason
    rule: str
    problem: Problem | None = None


class Proposed(Message):
    """An agency that should sit at the table and lawfully may."""

    agency: Code
    need: Need
    why: tuple[Why, ...]


class Outside(Message):
    """An agency that should sit there and may not hear the case: not proposed, but shown with its door (C3, S6)."""

    agency: Code
    need: Need
    why: tuple[Why, ...]
    door: Door
    rule: str
    next_step: str


class Hint(Message):
    """What the person who decides should know: it stops nothing."""

    rule: str
    text: str


class Proposal(Message):
    """Who should sit at the table of a case, who lies outside, and what to think of."""

    seats: tuple[Proposed, ...]
    outside: tuple[Outside, ...] = ()
    hints: tuple[Hint, ...] = ()
    warns_above: int = 0
    """More agencies than this want a reason (P5)."""


class RosterSeat(Message):
    """An agency on the roster. ``words``: why it was added, where nothing proposes it."""

    agency: Code
    need: Need
    words: Words = ""


class Struck(Message):
    """An agency that was proposed and is not asked to the table, and why."""

    agency: Code
    words: Words = ""


class Choice(Message):
    """What somebody decided of the proposal: seats, strikes and 本人参加, each departure with its reason."""

    seats: Annotated[tuple[RosterSeat, ...], Field(max_length=MOST_SEATS)]
    struck: Annotated[tuple[Struck, ...], Field(max_length=MOST_SEATS)] = ()
    attendance: Attendance
    attendance_words: Words = ""
    size_words: Words = ""
    """Why so many are needed; asked for above the municipality's threshold (P5)."""


class Accepted(Message):
    """A version of the roster. ``number`` counts from 1; nothing is overwritten."""

    number: int
    choice: Choice
    by: UUID
    agency: Code
    at: AwareDatetime


class RosterAccepted(Event, subject="kasane.coordination.roster_accepted.v1", supersedes=True):
    """Who is to be seated for the agenda item ``about``. Codes only; the wall decides of each seat all the same.

    ``version`` is the roster's number. Agencies in neither ``required`` nor ``optional`` are 原則.
    """

    case: UUID
    agencies: tuple[Code, ...]
    required: tuple[Code, ...] = ()
    optional: tuple[Code, ...] = ()


class RosterView(Message):
    """The proposal as of now, and what was decided, the newest first; the reasons for those alone who decide.

    Not ``found`` for who may not see the case.
    """

    found: bool
    may_decide: bool = False
    proposal: Proposal = Proposal(seats=())
    accepted: tuple[Accepted, ...] = ()


class LookAtRoster(Question[RosterView], subject="ask.coordination.look_at_roster.v1"):
    """Who should sit at this case's table, by which rule, and who was decided on? Shown as ``Cases`` are."""

    case: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class Prepared(Message):
    """Whether it was done; if not, by which rule, why, and the lawful next step."""

    done: bool
    number: int = 0
    inquiry: UUID | None = None
    letter: str = ""
    """In shien: what may be sent to the agency. Fixed words, nothing of the case (S5)."""
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class AcceptRoster(Question[Prepared], subject="ask.coordination.accept_roster.v1"):
    """Decide on the roster. ``request``: the same one twice is one. ``after``: the number of the last one seen."""

    case: UUID
    request: UUID
    after: Annotated[int, Field(ge=0)]
    choice: Choice
    viewer: UUID | None = None
    viewer_agency: Code | None = None


# -- information requests ----------------------------------------------------------------------------------------------


class Subject(StrEnum):
    """What an agency is asked about: the headings of the 準備シート."""

    LIVING = "living"
    HEALTH = "health"
    CARE = "care"
    WORK_MONEY = "work_money"
    HOUSING = "housing"
    FAMILY = "family"
    WISHES = "wishes"
    INVOLVEMENT = "involvement"
    RISK = "risk"
    ROLE = "role"
    OTHER = "other"


SUBJECT_TEXT = {
    Subject.LIVING: "暮らしの様子",
    Subject.HEALTH: "病気・障害・医療",
    Subject.CARE: "介護・福祉サービス",
    Subject.WORK_MONEY: "仕事・収入・支払い",
    Subject.HOUSING: "住まい",
    Subject.FAMILY: "家族・子ども・周りの人",
    Subject.WISHES: "本人の思い・希望",
    Subject.INVOLVEMENT: "これまでの関わり",
    Subject.RISK: "急ぐこと・心配なこと",
    Subject.ROLE: "担えること・担えないこと",
    Subject.OTHER: "その他",
}


class DateOf(StrEnum):
    """A date that an answer may name, so that answers can be compared."""

    DISCHARGE = "discharge"
    LEAVING_HOME = "leaving_home"
    SERVICE_ENDS = "service_ends"
    HEARING = "hearing"
    LAST_SEEN = "last_seen"


DATE_TEXT = {
    DateOf.DISCHARGE: "退院・退所の日",
    DateOf.LEAVING_HOME: "住まいを出る日",
    DateOf.SERVICE_ENDS: "サービスが終わる日",
    DateOf.HEARING: "裁判・審査の日",
    DateOf.LAST_SEEN: "最後に会った日",
}
ONE_FOR_ALL = frozenset({DateOf.DISCHARGE, DateOf.LEAVING_HOME, DateOf.SERVICE_ENDS, DateOf.HEARING})
"""Of these there is one, whoever says it; of the last meeting with the person every agency has its own."""


class Asked(Message):
    """One question under its subject."""

    subject: Subject
    text: Asking


class Answer(Message):
    """What an agency says under one subject; ``date_of`` and ``on`` together, or neither."""

    subject: Subject
    text: Words = ""
    date_of: DateOf | None = None
    on: date | None = None


class AskAgency(Question[Prepared], subject="ask.coordination.ask_agency.v1"):
    """Ask an agency that may know the case for information, until a day (C8, S6). Free text: kept sealed."""

    case: UUID
    request: UUID
    agency: Code
    asks: Annotated[tuple[Asked, ...], Field(max_length=MOST_ASKS)]
    due_on: date
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class AnswerInquiry(Question[Prepared], subject="ask.coordination.answer_inquiry.v1"):
    """Answer, or note what the agency answered by letter or telephone. A later answer stands beside the earlier.

    ``after``: how many answers the writer has seen. ``said_by``: who said it, where another person writes it down.
    """

    case: UUID
    inquiry: UUID
    request: UUID
    after: Annotated[int, Field(ge=0)]
    answers: Annotated[tuple[Answer, ...], Field(max_length=MOST_ASKS)]
    said_by: Line = ""
    said_on: date
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class AnswerView(Message):
    """An answer as it was given. ``by`` wrote it down, for ``by_agency``; ``said_by`` if somebody else said it."""

    number: int
    answers: tuple[Answer, ...]
    said_by: Line
    said_on: date
    by: UUID
    by_agency: Code
    at: AwareDatetime


class InquiryView(Message):
    """A request for information and what came back, the newest answer last."""

    inquiry: UUID
    agency: Code
    asks: tuple[Asked, ...]
    asked_at: AwareDatetime
    asked_by: UUID
    asked_for: Code
    due_on: date
    late: bool
    may_answer: bool
    answers: tuple[AnswerView, ...] = ()


class OpenInquiry(Message):
    """A request that waits for its answer: references, codes and days."""

    case: UUID
    inquiry: UUID
    agency: Code
    due_on: date
    late: bool
    mine: bool
    """Whether the viewer's agency is to answer."""


class OpenInquiries(Message):
    """The most pressing first."""

    inquiries: tuple[OpenInquiry, ...] = ()


class LookAtInquiries(Question[OpenInquiries], subject="ask.coordination.look_at_inquiries.v1"):
    """Which requests about the cases this person may see wait for an answer? Shown as ``Cases`` are."""

    viewer: UUID | None = None
    viewer_agency: Code | None = None


# -- 準備シート --------------------------------------------------------------------------------------------------------


class SaidOf(Message):
    """What one agency says under a subject: who said it and when."""

    agency: Code
    text: Words
    date_of: DateOf | None
    on: date | None
    said_by: Line
    said_on: date
    by: UUID


class Section(Message):
    """All that was said under one subject, in the order of the days on which it was said."""

    subject: Subject
    said: tuple[SaidOf, ...]


class OpenPoint(Message):
    """What the meeting still has to find out."""

    kind: Literal["unanswered", "not_said", "dates", "no_role", "no_roster"]
    rule: str
    agencies: tuple[Code, ...] = ()
    subject: Subject | None = None
    date_of: DateOf | None = None
    days: tuple[date, ...] = ()
    due_on: date | None = None
    late: bool = False


class SheetView(Message):
    """The 準備シート of a case for its next meeting. Not ``found`` for who may not see the case."""

    found: bool
    may_ask: bool = False
    askable: tuple[Code, ...] = ()
    """The agencies that may know the case now."""
    roster: Accepted | None = None
    """Without the reasons, which are for those who decide on the roster."""
    sections: tuple[Section, ...] = ()
    points: tuple[OpenPoint, ...] = ()
    inquiries: tuple[InquiryView, ...] = ()
    sitting: AwareDatetime | None = None
    """When the case is heard next, if a date was found."""


class LookAtSheet(Question[SheetView], subject="ask.coordination.look_at_sheet.v1"):
    """What do the agencies say, merged by subject, and what is still open? Shown as ``Cases`` are."""

    case: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None
