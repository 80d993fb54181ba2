"""What stands behind the desk in its tests: plain functions in place of the other services, its true edge."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from contracts.consent import ConsentState
from contracts.coordination import CaseList, Cases, CaseView, Clients, ClientsOfCases, Step, Trail, TrailSteps
from contracts.directory import SignedIn, SignIn, SignInJuso, SignInShien, Staff, StaffList, StaffView
from contracts.intake import ClientOf, Particulars, Problem
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
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.desk.app import build_app
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
        self.asked: list[tuple[Question[Any], Account | None]] = []
        self.answer: Any = "none"
        self.answers: dict[type[Question[Any]], Callable[[Any], Any]] = {
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
        }
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
        return SignedIn(person=PEOPLE[0], name="髙橋 美穂", agency="fukushi")

    def _trail(self, question: Trail) -> TrailSteps:
        case = next((one for one in self.cases if one.case == question.case), None)
        if case is None:
            return TrailSteps(case=None)
        whats = ["received", "case_opened", "item_put_forward", "item_placed"]
        steps = tuple(
            Step(at=TUESDAY - timedelta(days=12) + timedelta(minutes=minute), what=what)  # type: ignore[arg-type]
            for minute, what in enumerate(whats)
        )
        client = CLIENTS[question.case] if self.compartment is SHIEN else Particulars(found=False)
        return TrailSteps(case=case, steps=steps, client=client)

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


async def sign_in(client: httpx.AsyncClient, login: str = "takahashi", password: str = RIGHT) -> httpx.Response:
    return await client.post("/sign-in", data={"login": login, "password": password})
