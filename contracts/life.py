"""The life of a case, from つなぎ to 終結 and back: its states, the steps between them, and what is recorded of each.

Which step is lawful when, and what it needs, is the table of ``services/coordination/life_table.py``.
"""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from contracts.message import Code, Message, Question
from contracts.purpose import Purpose

Words = Annotated[str, StringConstraints(max_length=10_000)]
"""Free text of a person. Kept sealed."""
PlanWords = Annotated[str, StringConstraints(max_length=3_000)]
"""As ``Words``: two of them and forty roles are still a page that a meeting can read."""

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(given: object) -> object:
    """A day and nothing else: a number is no day of 1970, an instant none without a zone. Raises ValueError."""
    if isinstance(given, str) and not _ISO_DAY.fullmatch(given):
        raise ValueError("a day is written as 2026-11-24")
    if isinstance(given, datetime) or not isinstance(given, str | date):
        raise ValueError("not a day")
    return given


Day = Annotated[date, BeforeValidator(_day)]
"""A day in Japan, as 2026-11-24."""


class State(StrEnum):
    """Where a case stands. The first is where every case begins, in either compartment."""

    OPENED = "opened"
    ASSESSED = "assessed"
    PLANNED = "planned"
    AT_MEETING = "at_meeting"
    AGREED = "agreed"
    UNDERWAY = "underway"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    RETURNED = "returned"
    WITH_REFERRER = "with_referrer"
    TO_JUSO = "to_juso"


STATE_TEXT = {
    State.OPENED: "受付",
    State.ASSESSED: "アセスメント済み",
    State.PLANNED: "プラン案",
    State.AT_MEETING: "会議付議",
    State.AGREED: "会議で確認済み",
    State.UNDERWAY: "実施・モニタリング",
    State.CLOSED: "終結",
    State.SUSPENDED: "中断",
    State.RETURNED: "紹介元へ戻し",
    State.WITH_REFERRER: "紹介元主担当",
    State.TO_JUSO: "重層的支援会議へ移行",
}


class Step(StrEnum):
    """What somebody does with a case."""

    ASSESS = "assess"
    START_EARLY = "start_early"
    RECORD_FIRST = "record_first"
    DRAFT = "draft"
    BRING = "bring"
    EVALUATE = "evaluate"
    BRING_CLOSING = "bring_closing"
    BRING_SUSPENSION = "bring_suspension"
    RECORD_RESULT = "record_result"
    HAND_OVER = "hand_over"
    TAKE_BACK = "take_back"
    AMEND = "amend"
    DECLINE = "decline"
    DROP_REPLAN = "drop_replan"
    DECIDE = "decide"
    REPORT = "report"
    CONFIRM = "confirm"
    NOTIFY = "notify"
    MONITOR = "monitor"
    CONTACT = "contact"
    TALK = "talk"
    ANSWER = "answer"
    CLOSE = "close"
    SUSPEND = "suspend"
    GIVE_BACK = "give_back"
    END = "end"
    STOP = "stop"
    CORRECT = "correct"
    MOVE_ON = "move_on"
    RECEIVE = "receive"
    FOLLOW_UP = "follow_up"
    REOPEN = "reopen"


STEP_TEXT = {
    Step.ASSESS: "アセスメントを記録する",
    Step.START_EARLY: "早期支援を始める",
    Step.RECORD_FIRST: "プランの前の会議の結果を記録する",
    Step.DRAFT: "プラン案を作る",
    Step.BRING: "プランを会議に付議する",
    Step.EVALUATE: "評価シートを記録する",
    Step.BRING_CLOSING: "終結を会議に付議する",
    Step.BRING_SUSPENSION: "中断を会議に付議する",
    Step.RECORD_RESULT: "会議の結果を記録する",
    Step.HAND_OVER: "多機関協働の担当を引き継ぐ",
    Step.TAKE_BACK: "付議を取り下げる",
    Step.AMEND: "会議での修正をプランに入れる",
    Step.DECLINE: "確定しない(理由を返す)",
    Step.DROP_REPLAN: "再プランをやめる",
    Step.DECIDE: "支援決定を記録する",
    Step.REPORT: "了承と市町村への報告を記録する",
    Step.CONFIRM: "支援方針を確認する",
    Step.NOTIFY: "支援決定の通知を記録する",
    Step.MONITOR: "モニタリングを記録する",
    Step.CONTACT: "連絡の試みを記録する",
    Step.TALK: "本人との面談・同行支援を記録する",
    Step.ANSWER: "紹介元に、受けると答える",
    Step.CLOSE: "終結する",
    Step.SUSPEND: "中断する",
    Step.GIVE_BACK: "紹介元へ戻す",
    Step.END: "死亡・転出で終わる",
    Step.STOP: "同意がないので支援を終える",
    Step.CORRECT: "誤記を取り消す",
    Step.MOVE_ON: "同意を得て重層的支援会議へ移る",
    Step.RECEIVE: "同意のつなぎの受付を記録する",
    Step.FOLLOW_UP: "終わった後のフォローアップを記録する",
    Step.REOPEN: "再開する",
}


class Outcome(StrEnum):
    """What a meeting found of an item (D5, D9)."""

    FIT = "fit"
    FIT_AMENDED = "fit_amended"
    AGAIN = "again"
    REFERRER_LEADS = "referrer_leads"
    NOT_HEARD = "not_heard"
    """The sitting was held and did not come to the item, or was none for it (P1): it has to be put to one again."""
    RAISE = "raise"
    """Nothing could be decided there: the body above has to (M10, D6)."""


OUTCOME_TEXT = {
    Outcome.FIT: "適切",
    Outcome.FIT_AMENDED: "修正の上適切",
    Outcome.AGAIN: "再協議",
    Outcome.REFERRER_LEADS: "紹介元が主担当",
    Outcome.NOT_HEARD: "扱わなかった(持ち越し)",
    Outcome.RAISE: "次の会議体へ上げる",
}


class LegalService(StrEnum):
    """法に基づく事業: a plan with one of them is fixed by the 支援決定 of the 市町村 (D1, D3)."""

    PARTICIPATION = "participation"
    OUTREACH = "outreach"


SERVICE_TEXT = {
    LegalService.PARTICIPATION: "参加支援事業",
    LegalService.OUTREACH: "アウトリーチ等を通じた継続的支援事業",
}


class Contact(StrEnum):
    """How somebody tried to reach the person (T3)."""

    CALL = "call"
    LETTER = "letter"
    VISIT = "visit"
    INQUIRY = "inquiry"


CONTACT_TEXT = {
    Contact.CALL: "電話",
    Contact.LETTER: "手紙・メール",
    Contact.VISIT: "自宅訪問",
    Contact.INQUIRY: "関係機関への照会",
}


class Role(Message):
    """役割分担: what an agency does until when (T2)."""

    agency: Code
    until: Day
    does: Words = ""


class Plan(Message):
    """A version of the plan: 目標, 支援方針, 役割分担, 法に基づく事業, モニタリングの時期 (T2 A)."""

    goals: PlanWords = ""
    policy: PlanWords = ""
    roles: Annotated[tuple[Role, ...], Field(max_length=40)] = ()
    services: tuple[LegalService, ...] = ()
    other_support: bool = False
    """Support besides the 法に基づく事業: with them it is 確認 in the same meeting (D1, pattern 3)."""
    monitor_on: Day | None = None


class PaperRef(Message):
    """A version of a paper of the case (contracts/papers.py)."""

    paper: UUID
    version: Annotated[int, Field(ge=1)]


class Act(Message):
    """One step as somebody took it. Which of the fields a step needs, its row in the table says."""

    step: Step
    on: Day
    """The day in Japan on which it happened, not on which it was typed in."""
    form: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9_.+@-]*$")] = ""
    """Form and edition that were filled in, e.g. ``plan@1``."""
    paper: PaperRef | None = None
    """The filled form that the step rests on: of this case, and of a form for this step."""
    plan: Plan | None = None
    outcome: Outcome | None = None
    present: tuple[Code, ...] = ()
    """The agencies that took part in the item (D5, P1)."""
    contact: Contact | None = None
    reached: bool = False
    """The attempt reached the person: what was tried before counts no more towards a 中断 (T3)."""
    lead: Code | None = None
    """主担当機関 after the end (D7)."""
    follow_up: Literal["none", "phone", "visit", "meeting"] | None = None
    next_on: Day | None = None
    urgent: bool = False
    """Not the next regular meeting: a sitting of its own (M1)."""
    purpose: Purpose | None = None
    """What a 支援会議 is asked for, as a person chose it (S10); elsewhere it follows from the step (T1)."""
    ended: Literal["died", "moved"] | None = None
    counterpart: Code | None = None
    """With whom a return was talked over (D8), to whom a plan was reported (D1), or who takes the case over."""
    services: tuple[LegalService, ...] = ()
    """Which were begun early (T5), or decided on (D3)."""
    drafted_on: Day | None = None
    """起案: when the decision was proposed; ``on`` is the day of 決裁 (D11)."""
    notified_on: Day | None = None
    """通知: when the person and the providers were told, if that is done already (D11)."""
    decider: UUID | None = None
    """Who decided, by the directory's reference, in which post (D2)."""
    decider_post: Code | None = None
    rest_confirmed: bool = False
    """The same meeting confirmed the support besides the 法に基づく事業 (D1, pattern 3)."""
    minutes: Annotated[str, StringConstraints(max_length=40)] = ""
    """Reference number of the minutes. Kept sealed: nothing says that it names nobody."""
    consent_on: Day | None = None
    """The day on which the person consented, so that the case moves on to a 重層的支援会議 (C9)."""
    evidence: Annotated[str, StringConstraints(max_length=1_000)] = ""
    """What shows that consent: a signed sheet, words said before a witness (C10). Kept sealed."""
    no_paper: Annotated[str, StringConstraints(max_length=1_000)] = ""
    """Why a step that rests on a paper has none (C5, T2). Kept sealed."""
    words: Words = ""
    """Reasons, findings, what changed."""


class Taken(Message):
    """An act in a case's history. ``number`` counts from 1; ``state`` is where the case stood after it."""

    number: int
    act: Act
    state: State
    by: UUID
    agency: Code
    at: AwareDatetime


class Way(Message):
    """A step as it is open now, or why it is not and what to do instead."""

    step: Step
    allowed: bool
    rule: str
    reason: str = ""
    next_step: str = ""


class Due(Message):
    """What the law, or the plan, wants next, and by when."""

    rule: str
    text: str
    on: date
    late: bool
    next_step: str = ""
    """What is to be done now that it is late: which meeting it goes to (M1)."""
    sitting: date | None = None
    """The day in Japan of the sitting that is to hear it, where that lies after ``on``: ``next_step`` is then given."""
    guessed: bool = False
    """The day comes from the municipality's setting, not from the law or the plan."""


class Heard(Message):
    """What the sitting of an item left, as meetings tells it: a person confirms it as the result (D5, P1)."""

    outcome: Outcome
    present: tuple[Code, ...]
    heard_on: date
    minutes: UUID
    """The sitting, whose minutes are asked for by whoever may see them."""
    approved: bool


class Answered(Message):
    """What the 紹介元 was answered, as 受付 recorded it (T9). The reason is read there."""

    number: int
    way: Literal["coordinate", "return"]
    answered_on: date
    by: UUID
    agency: Code


class LifeView(Message):
    """A case's life as one viewer may see it; not ``found`` for who may not.

    ``stopped``: nobody may see it, because no consent is in force. Whoever follows that up is told where it stands,
    since when, and what can still be ended (C11): ``state``, ``since``, ``acts``, ``ways`` and ``due``, nothing else.
    """

    found: bool
    stopped: bool = False
    since: date | None = None
    acts: Annotated[int, Field(ge=0)] = 0
    """How many steps were taken: what ``TakeStep.after`` wants."""
    state: State = State.OPENED
    history: tuple[Taken, ...] = ()
    ways: tuple[Way, ...] = ()
    due: tuple[Due, ...] = ()
    plan: Plan | None = None
    early_since: date | None = None
    sitting: AwareDatetime | None = None
    """When what was put to a meeting last is, or was, heard."""
    heard: Heard | None = None
    """What the sitting found, where it was run here and no result of it is recorded yet."""
    outside: tuple[Code, ...] = ()
    """Agencies that may not hear the case now: they can neither have a role nor have been present (C3, S6)."""
    urgent: bool = False
    """It came as urgent: what is put forward of it gets a 随時 sitting, if there is a date (M1)."""
    waits_for: AwareDatetime | None = None
    """The sitting still to come that has an item of the case on its agenda."""
    answers: tuple[Answered, ...] = ()
    """The answers to the 紹介元 that 受付 recorded, oldest first; in shien they are steps of the history."""
    decided_services: tuple[LegalService, ...] = ()
    """The 法に基づく事業 that the plan before the meeting, or the one in force, is written for."""


class LookAtLife(Question[LifeView], subject="ask.coordination.look_at_life.v1"):
    """How does the case stand, what can be done next, and what does the law want next? Shown as ``Cases`` are."""

    case: UUID
    viewer: UUID | None = None
    viewer_agency: Code | None = None


class CaseDue(Message):
    """A case with what is due of it. ``case`` is a reference."""

    case: UUID
    state: State
    due: tuple[Due, ...]
    begun: bool = False
    """Somebody has taken a step of it."""


class CommissionDue(Message):
    """委嘱 of an agency, or of somebody of it, that lapses soon and was not renewed (S6). ``ends_on``: its last day."""

    agency: Code
    ends_on: date


class Overdue(Message):
    """A case of which something has been overdue too long, and that no coming meeting hears (M1).

    ``after``: how often it was put to one for that before. ``open``: whoever looks may put it there.
    """

    case: UUID
    state: State
    due: Due
    after: int = 0
    open: bool = False


class DueList(Message):
    """The most pressing first. ``commissions`` only in shien, and only for the 市町村, which commissions."""

    cases: tuple[CaseDue, ...] = ()
    commissions: tuple[CommissionDue, ...] = ()
    overdue: tuple[Overdue, ...] = ()


class LookAtDue(Question[DueList], subject="ask.coordination.look_at_due.v1"):
    """What does the law want next of the cases this person may see? Shown as ``Cases`` are."""

    viewer: UUID | None = None
    viewer_agency: Code | None = None


class StepTaken(Message):
    """Whether it was done; if not, by which rule, why, and the lawful next step.

    ``since``: what others did since ``after``, when that is why it was not done.
    """

    done: bool
    number: int = 0
    state: State = State.OPENED
    rule: str = ""
    reason: str = ""
    next_step: str = ""
    since: tuple[Taken, ...] = ()


class TakeStep(Question[StepTaken], subject="ask.coordination.take_step.v1"):
    """Take a step of a case. ``request``: the same one twice is one. ``after``: the number of the last act seen."""

    case: UUID
    request: UUID
    after: Annotated[int, Field(ge=0)]
    act: Act
    viewer: UUID | None = None
    viewer_agency: Code | None = None
