"""What stands behind the desk in its tests: plain functions in place of the other services, its true edge."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from contracts.commission import (
    AskCooperation,
    Commission,
    Commissioned,
    CommissionList,
    Commissions,
    CommissionView,
    Cooperation,
    CooperationList,
    Cooperations,
    CooperationView,
    EndCommission,
    NoteCooperation,
    QuestionTemplate,
)
from contracts.consent import ConsentState
from contracts.coordination import (
    WITHHELD,
    AgencyDecision,
    CaseList,
    Cases,
    CaseView,
    Clients,
    ClientsOfCases,
    ConsentInForce,
    ExplainItem,
    ItemExplanation,
    Step,
    Trail,
    TrailSteps,
)
from contracts.directory import SignedIn, SignIn, SignInJuso, SignInShien, Staff, StaffList, StaffView
from contracts.disclosure import Disclosure, DisclosureList, DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.escalation import Escalate, Escalated
from contracts.intake import (
    Acknowledgement,
    ClientDetails,
    ClientOf,
    ConsentRecorded,
    ConsentStop,
    DetailsOfClient,
    LookAtStop,
    Particulars,
    Problem,
    WithdrawConsent,
)
from contracts.life import Act as LifeAct
from contracts.life import (
    CaseDue,
    CommissionDue,
    DueList,
    Heard,
    LifeView,
    LookAtDue,
    LookAtLife,
    Overdue,
    StepTaken,
    Taken,
    TakeStep,
)
from contracts.links import new_link
from contracts.meetings import (
    AnswerByLink,
    ItemSittings,
    ItemView,
    LinkState,
    LookAtLink,
    SeatView,
    SittingList,
    Sittings,
    SittingView,
    WaitingView,
)
from contracts.message import Account, Compartment, Question
from contracts.policy_terms import Act
from contracts.profile import Profile
from contracts.proposing import DatesInHand, InHandList
from contracts.purpose import Purpose
from contracts.reception import CaseReferral, DeskOthers, DeskReferralOf, OtherReferrals
from contracts.running import Conduct, Conducted, LookAtRoom, RoomView
from services.coordination import life as rules
from services.coordination.deadlines import due
from services.coordination.end_needs import WITHOUT_CONSENT
from services.desk.app import build_app
from services.desk.words import day_in_japan
from services.service import AskFailed
from services.settings import Settings

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
TUESDAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""10:00 in Japan."""
CASE, OTHER, LATE = (UUID(int=number) for number in (0xA1, 0xA2, 0xA3))
SITTING, PLANNED = UUID(int=0xB1), UUID(int=0xB2)
PEOPLE = [UUID(int=0xC0 + number) for number in range(6)]
RIGHT = "hiiragi-2026"
LINK_KEY = b"k" * 32
STAFF = (
    ("髙橋 美穂", "fukushi", "lgwan"),
    ("𠮷田 さくら", "choju", "lgwan"),
    ("グエン・ティ・ラン", "houkatsu-kobayashi", "internet"),
    ("濵田 政志", "minsei", "none"),
    ("岩﨑 悠", "jiritsu", "internet"),
    ("黒木 大輔", "byouin", "internet"),
)
CLIENTS = {
    CASE: Particulars(
        found=True,
        name="齋藤 久美子",
        kana="サイトウ クミコ",
        born_on=date(1958, 3, 9),
        number="0042",
        referrer_staff="グエン・ティ・ラン",
        reason="介護と長男のひきこもりが重なり、包括だけでは支えきれません。",
        wishes="家に人が来るのは午後にしてほしい。",
    ),
    OTHER: Particulars(found=True, name="マリア・サントス", number="0043"),
    LATE: Particulars(found=True, name="𠮷野 巌", number="0051"),
}


def case_view(case: UUID, ground: ConsentState, state: Any = "waiting", **more: Any) -> CaseView:
    fields = {
        "opened_at": TUESDAY - timedelta(days=12),
        "received_on": date(2026, 11, 12),
        "urgent": False,
        "referrer": "houkatsu-kobayashi",
        "agencies": ("houkatsu-kobayashi", "choju", "jiritsu"),
        "problems": (Problem.ELDER_CARE, Problem.INCOME_WORK),
        "household_size": 3,
        "item": UUID(int=case.int + 0x1000),
    }
    return CaseView(case=case, ground=ground, state=state, **(fields | more))


def stub(case: UUID) -> CaseView:
    """What coordination lists of a case whose client has withdrawn."""
    more = {"referrer": WITHHELD, "agencies": (), "problems": (), "household_size": 1}
    return case_view(case, ConsentState.WITHDRAWN, stopped=True, stop_reason="withdrawn", **more)


def disclosure(compartment: Compartment, number: int, act: Act, at: datetime) -> Disclosure:
    """A row of the register about CASE, received by PEOPLE[number]."""
    juso = compartment is JUSO
    return Disclosure(
        disclosure=UUID(int=0xD0 + number),
        compartment=compartment,
        at=at,
        act=act,
        item=UUID(int=CASE.int + 0x1000),
        case=CASE,
        member=UUID(int=0xE1) if juso else None,
        category="ordinary",
        purpose=Purpose.PLAN if juso else Purpose.WATCH,
        agency=STAFF[number][1],
        person=PEOPLE[number],
        sitting=SITTING if act is not Act.SHOW else None,
        row="P1" if juso else "P2",
        rules="C1・C2" if juso else "C4・S8",
        basis="swa-106-4-2-5" if juso else "swa-106-6",
        reason="",
        consent=UUID(int=0xE2) if juso else None,
        consent_version=2 if juso else None,
        commission=None if juso else UUID(int=0xE3),
        policy="a59a7be7e22e",
        decided_by=f"coordination@{compartment}",
    )


def seat(number: int, need: Any, answer: Any = "none", notice: Any = "sent") -> SeatView:
    return SeatView(
        person=PEOPLE[number], agency=STAFF[number][1], need=need, answer=answer, answered_at=None, notice=notice
    )


def sitting(compartment: Compartment, sitting: UUID, case: UUID, starts: datetime) -> SittingView:
    juso = compartment is JUSO
    return SittingView(
        sitting=sitting,
        body="teirei" if juso else "shienkaigi",
        basis="swa-106-4-2-5" if juso else "swa-106-6",
        starts=starts,
        ends=starts + timedelta(minutes=60),
        place="shiyakusho" if juso else "hoken-center",
        regular=juso,
        why="必須の出席者が全員そろう、いちばん早い日です。",
        items=(
            ItemView(
                item=UUID(int=case.int + 0x1000),
                case=case,
                purpose=Purpose.PLAN if juso else Purpose.WATCH,
                urgent=False,
                order=1,
            ),
        ),
        seats=(
            seat(0, "required", "attend"),
            seat(1, "required", "absent"),
            seat(2, "expected", "attend"),
            seat(3, "optional", notice="not_sent"),
            seat(4, "expected"),
            seat(5, "optional", notice="not_sent"),
        ),
    )


class StandIn:
    """A Work whose ``ask`` is answered by functions a test may replace; ``asked`` keeps what was asked, and whom."""

    def __init__(self, profile: Profile, var: Path, compartment: Compartment | None) -> None:
        self.settings = Settings(var=var)
        key = self.settings.home / "keys" / "link"
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_bytes(LINK_KEY)
        self.profile, self.compartment, self.time = profile, compartment, TUESDAY
        self.person, self.agency = PEOPLE[0], "fukushi"
        self.asked: list[tuple[Question[Any], Account | None]] = []
        self.answer: Any = "none"
        self.details = ClientDetails(found=False)
        self.answers: dict[type[Question[Any]], Callable[[Any], Any]] = {
            DetailsOfClient: lambda _: self.details,
            SignInJuso: self._sign_in,
            SignInShien: self._sign_in,
            Staff: lambda _: StaffList(
                staff=tuple(
                    StaffView(person=PEOPLE[number], name=name, agency=agency, posts=("officer",), network=network)  # type: ignore[arg-type]
                    for number, (name, agency, network) in enumerate(STAFF)
                )
            ),
            Cases: lambda _: CaseList(cases=self.cases),
            Trail: self._trail,
            Sittings: lambda question: SittingList(
                sittings=tuple(one for one in self.sittings if question.starts <= one.starts < question.ends),
                waiting=self.waiting,
            ),
            ItemSittings: lambda question: SittingList(
                sittings=tuple(one for one in self.sittings if question.case in {i.case for i in one.items}), waiting=()
            ),
            ClientOf: lambda question: CLIENTS.get(question.case, Particulars(found=False)),
            ClientsOfCases: lambda question: Clients(clients={case: CLIENTS[case] for case in question.cases}),
            LookAtLink: lambda _: self._link(),
            AnswerByLink: self._answer,
            ExplainItem: lambda _: self._explanation(),
            DisclosuresAtCoordination: lambda _: DisclosureList(rows=(self._shown(0, Act.SHOW, 5),)),
            DisclosuresAtMeetings: lambda _: DisclosureList(rows=(self._shown(4, Act.INVITE, 9),)),
            LookAtStop: lambda _: self.stop,
            LookAtLife: self._look_at_life,
            LookAtDue: lambda _: DueList(cases=tuple(self.due), commissions=self.lapsing, overdue=self.overdue),
            DatesInHand: lambda _: InHandList(cases=()),
            Escalate: lambda _: self.escalated,
            TakeStep: self._take_step,
            LookAtRoom: lambda _: self.room,
            Conduct: self._conduct,
            WithdrawConsent: self._withdraw,
            DeskOthers: lambda _: self.others,
            DeskReferralOf: lambda _: self.origin,
            Commissions: lambda _: CommissionList(commissions=tuple(self.commissions)),
            Commission: self._commission,
            EndCommission: self._end_commission,
            Cooperations: lambda _: CooperationList(requests=tuple(self.requests)),
            AskCooperation: self._ask_cooperation,
            NoteCooperation: self._note_cooperation,
        }
        self.stop = ConsentStop(
            found=True,
            version=2,
            state=ConsentState.GIVEN,
            recorded_at=TUESDAY - timedelta(days=12),
            confirmed_at=TUESDAY - timedelta(days=12, seconds=-3),
        )
        self.others = OtherReferrals(done=True)
        self.origin = CaseReferral(done=False)
        self.room = RoomView(found=False)
        self.not_conducted: Conducted | None = None
        """Why the next act of a sitting is not taken."""
        self.heard: Heard | None = None
        self.acts: list[LifeAct] = []
        self.refusal: StepTaken | None = None
        """Why the next step is not taken."""
        self.due: list[CaseDue] = []
        self.lapsing: tuple[CommissionDue, ...] = ()
        self.overdue: tuple[Overdue, ...] = ()
        self.escalated = Escalated(done=True)
        self.outside: tuple[str, ...] = ()
        self.commissions: list[CommissionView] = []
        self.requests: list[CooperationView] = []
        ground = ConsentState.GIVEN if compartment is JUSO else ConsentState.NOT_ASKED
        self.sittings: tuple[SittingView, ...] = ()
        self.cases: tuple[CaseView, ...] = ()
        self.waiting: tuple[WaitingView, ...] = ()
        if compartment:
            starts = TUESDAY + timedelta(days=2, hours=4)
            self.sittings = (
                sitting(compartment, SITTING, CASE, starts),
                sitting(compartment, PLANNED, CASE, starts + timedelta(days=14)),
            )
            self.cases = (
                case_view(CASE, ground, "placed", sitting=SITTING, sitting_starts=starts),
                case_view(OTHER, ground, "put_forward", urgent=True),
                case_view(LATE, ConsentState.NARROWED if compartment is JUSO else ConsentState.REFUSED),
            )
            self.waiting = (
                WaitingView(
                    item=UUID(int=OTHER.int + 0x1000),
                    case=OTHER,
                    urgent=True,
                    since=TUESDAY - timedelta(days=1),
                    why="必須の長寿介護課が11月27日まで空いていません。",
                ),
            )

    def now(self) -> datetime:
        return self.time

    async def run(self, act: Any) -> Any:
        raise AssertionError("the desk keeps nothing")

    tell = run

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        self.asked.append((question, to))
        return self.answers[type(question)](question)

    def silence(self, *questions: type[Question[Any]]) -> None:
        """Nobody answers these any more."""

        def fail(question: Any) -> Any:
            raise AskFailed("TimeoutError")

        self.answers |= dict.fromkeys(questions, fail)

    def times_asked(self, question: type[Question[Any]]) -> int:
        return sum(isinstance(one, question) for one, _ in self.asked)

    def _sign_in(self, question: SignIn) -> SignedIn:
        if (question.login, question.password, question.desk) != ("takahashi", RIGHT, self.compartment):
            return SignedIn()
        return SignedIn(person=self.person, name="髙橋 美穂", agency=self.agency)

    def _trail(self, question: Trail) -> TrailSteps:
        case = next((one for one in self.cases if one.case == question.case), None)
        if case is None:
            return TrailSteps(case=None)
        whats = ["received", "case_opened", "item_put_forward", "item_placed"]
        steps = tuple(
            Step(at=TUESDAY - timedelta(days=12) + timedelta(minutes=minute), what=what)  # type: ignore[arg-type]
            for minute, what in enumerate(whats)
        )
        if self.compartment is SHIEN:
            return TrailSteps(case=case, steps=steps, client=CLIENTS[question.case])
        if case.stopped:
            return TrailSteps(case=case, consent=ConsentInForce(version=3, state=case.ground))
        consent = ConsentInForce(
            version=2,
            state=case.ground,
            starts=TUESDAY - timedelta(days=12, hours=10),
            ends=TUESDAY + timedelta(days=353, hours=14),
            agencies=("fukushi", "houkatsu-kobayashi"),
            purposes=(Purpose.PLAN, Purpose.REPLAN),
            members=3,
        )
        return TrailSteps(case=case, steps=steps, consent=consent)

    def _shown(self, number: int, act: Act, hours: int) -> Disclosure:
        assert self.compartment
        return disclosure(self.compartment, number, act, TUESDAY - timedelta(hours=hours))

    def _explanation(self) -> ItemExplanation:
        juso = self.compartment is JUSO
        may = ("P1", "C1・C2") if juso else ("P2", "C4・S8")
        may_not = ("N5", "C3・C1") if juso else ("N8", "S6・S7")
        door = "この機関を含む同意を得てください。" if juso else "その人か所属する団体を委嘱してください。"
        decisions = [
            ("byouin", False, *may_not, "範囲に入っていません。", door),
            ("fukushi", True, *may, "範囲内です。", ""),
        ]
        return ItemExplanation(
            found=True,
            case=CASE,
            decisions=tuple(
                AgencyDecision(agency=a, allowed=ok, row=row, rules=rules, basis="", reason=why, next_step=step)
                for a, ok, row, rules, why, step in decisions
            ),
        )

    def _look_at_life(self, question: LookAtLife) -> LifeView:
        """By the real rules, for the agency that looks."""
        assert self.compartment
        now = rules.fold(self.compartment, self.acts)
        agency = next(one for one in self.profile.agencies if one.code == question.viewer_agency)
        today = day_in_japan(self.time)
        states = [rules.fold(self.compartment, self.acts[:n]).state for n in range(1, len(self.acts) + 1)]
        if any(one.case == question.case and one.stopped for one in self.cases):
            open_now = rules.ways(replace(now, stopped=True), agency.kind, self.profile)
            may_end = tuple(one for one in open_now if one.step in WITHOUT_CONSENT)
            return LifeView(found=False, stopped=True, state=now.state, acts=len(self.acts), ways=may_end)
        return LifeView(
            found=True,
            state=now.state,
            acts=len(self.acts),
            history=tuple(
                Taken(number=n, act=act, state=state, by=PEOPLE[0], agency="fukushi", at=self.time)
                for n, (act, state) in enumerate(zip(self.acts, states, strict=True), 1)
            ),
            ways=tuple(rules.ways(replace(now, sitting_on=today), agency.kind, self.profile)),
            heard=self.heard,
            outside=self.outside,
            decided_services=now.plan.services if now.plan else (),
            due=tuple(due(now, today, today, self.profile.deadlines)),
            plan=now.plan,
        )

    def _take_step(self, question: TakeStep) -> StepTaken:
        if self.refusal:
            return self.refusal
        self.acts.append(question.act)
        return StepTaken(done=True, number=len(self.acts))

    def _conduct(self, question: Conduct) -> Conducted:
        return self.not_conducted or Conducted(done=True, acts=question.after + 1)

    def _withdraw(self, question: WithdrawConsent) -> ConsentRecorded:
        self.stop = ConsentStop(found=True, version=3, state=ConsentState.WITHDRAWN, recorded_at=self.time)
        self.cases = tuple(stub(one.case) if one.case == question.case else one for one in self.cases)
        return ConsentRecorded(done=True, consent=UUID(int=0xE2), version=3)

    def confirm_stop(self) -> None:
        """The ledger has confirmed the withdrawal three seconds later, and one process has acknowledged it."""
        assert self.stop.recorded_at
        at = self.stop.recorded_at + timedelta(seconds=3)
        noted = (Acknowledgement(process="coordination@juso", at=at),)
        self.stop = self.stop.model_copy(update={"confirmed_at": at, "acknowledged": noted})

    def _commission(self, question: Commission) -> Commissioned:
        made = CommissionView(commission=UUID(int=0xF1), ended_at=None, **question.model_dump())
        self.commissions.insert(0, made)
        return Commissioned(done=True, commission=made.commission)

    def _end_commission(self, question: EndCommission) -> Commissioned:
        self.commissions = [one.model_copy(update={"ended_at": self.time}) for one in self.commissions]
        return Commissioned(done=True, commission=question.commission)

    def _ask_cooperation(self, question: AskCooperation) -> Cooperation:
        self.requests.append(
            CooperationView(
                request=UUID(int=0xF2),
                case=question.case,
                agency=question.agency,
                template=QuestionTemplate(question.template),
                asked_at=self.time,
                due_on=question.due_on,
                answered_at=None,
                asked_back_at=None,
            )
        )
        return Cooperation(
            done=True, request=UUID(int=0xF2), letter="社会福祉法第106条の6に基づき、資料の提供をお願いします。"
        )

    def _note_cooperation(self, question: NoteCooperation) -> Cooperation:
        said = (
            {"asked_back_at": self.time}
            if question.asks_back
            else {"answered_at": self.time, "answer": question.answer}
        )
        self.requests = [one.model_copy(update=said) for one in self.requests]
        return Cooperation(done=True, request=question.request)

    def _link(self) -> LinkState:
        starts = TUESDAY + timedelta(days=2, hours=4)
        ends = starts + timedelta(minutes=60)
        return LinkState(found=True, starts=starts, ends=ends, place="shiyakusho", answer=self.answer)

    def _answer(self, question: AnswerByLink) -> LinkState:
        self.answer = question.answer
        return self._link()


def link(compartment: Compartment) -> str:
    return new_link(LINK_KEY, compartment, b"0123456789abcdef")


@asynccontextmanager
async def browser(work: StandIn, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser in front of the pages."""
    transport = httpx.ASGITransport(build_app(work))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=headers) as client:
        yield client


async def post(client: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    """Post a form of this session, with the token that every page carries."""
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', (await client.get("/cases")).text)
    assert token
    return await client.post(path, data={"form_token": token[1]} | fields)


async def sign_in(client: httpx.AsyncClient, login: str = "takahashi", password: str = RIGHT) -> httpx.Response:
    return await client.post("/sign-in", data={"login": login, "password": password})
