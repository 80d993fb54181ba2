"""What surrounds coordination in its tests: a ledger that permits as intake promises to, and hands that ask it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from contracts.commission import CommissionMade
from contracts.consent import OPEN_STATES, ConsentState, Scope
from contracts.counts import Fact, FactList, MeetingFacts
from contracts.directory import Staff, StaffList, StaffView
from contracts.disclosure import Disclosure, DisclosuresAtCoordination
from contracts.intake import (
    AcknowledgeConsents,
    Acknowledged,
    ConsentChanged,
    ConsentHeads,
    Heads,
    Problem,
    ReferralWithConsent,
    ReferralWithoutConsent,
)
from contracts.message import Account, Event, Question
from contracts.notify import SendReminder, Sent
from contracts.permit import LIFE_SECONDS, Noted, Permit, Redeem, ReportSpent, Use, Verdict, Verdicts, sign
from contracts.profile import Agency, Profile
from contracts.purpose import Purpose
from services.service import AskFailed, Tx
from services.settings import Settings
from tests.stage import SOME_DAY, Stage

T = TypeVar("T")
KEY = b"p" * 32
AGENCIES = ("fukushi", "houkatsu-kobayashi", "kikan")
OFFICER, COORDINATOR, COUNSELLOR, NURSE = (UUID(int=0xC0 + number) for number in range(4))
"""髙橋 of 福祉課, 橋口 of the council (多機関協働), somebody of 包括, somebody of the hospital."""
CHIEF = UUID(int=0xD0)
"""吉留, who decides for 福祉課."""
VIEWERS = {OFFICER: "fukushi", COORDINATOR: "shakyo", COUNSELLOR: "houkatsu-kobayashi", NURSE: "byouin"}


def consented(**changes: object) -> ReferralWithConsent:
    """A referral as intake tells it: the client agreed to three agencies."""
    values = {
        "about": uuid4(),
        "received_on": date(2026, 11, 2),
        "urgent": False,
        "referrer": "houkatsu-kobayashi",
        "agencies": ("kikan", "houkatsu-kobayashi", "kikan"),
        "problems": (Problem.ELDER_CARE, Problem.INCOME_WORK),
        "household_size": 2,
        "consent": uuid4(),
        "consent_version": 1,
        "client": uuid4(),
    }
    return ReferralWithConsent.model_validate(values | changes)


def without_consent(**changes: object) -> ReferralWithoutConsent:
    """A referral of somebody who refused."""
    values = consented().model_dump(exclude={"consent", "consent_version"}) | {"ground": ConsentState.REFUSED}
    return ReferralWithoutConsent.model_validate(values | changes)


def commissioned(**changes: object) -> CommissionMade:
    """福祉課 as a whole is a member of the 支援会議 for this year."""
    starts = datetime(2026, 3, 31, 15, tzinfo=UTC)
    values = {"about": uuid4(), "person": None, "agency": "fukushi", "starts": starts}
    return CommissionMade.model_validate(values | {"ends": starts + timedelta(days=365)} | changes)


def chief(**changes: Any) -> StaffView:
    """Whoever decides for 福祉課, as the directory tells it."""
    values: dict[str, Any] = {"person": CHIEF, "name": "吉留 健一郎", "agency": "fukushi", "posts": ("representative",)}
    return StaffView.model_validate(values | {"network": "lgwan"} | changes)


@dataclass
class Ledger:
    """Intake's side of the consents, kept in memory. ``silent``: nobody answers."""

    newest: dict[UUID, ConsentChanged] = field(default_factory=dict)
    asked: list[Question[Any]] = field(default_factory=list)
    silent: bool = False
    acknowledged: list[AcknowledgeConsents] = field(default_factory=list)
    before_answering: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: SOME_DAY
    key: bytes = KEY

    def record(self, referral: ReferralWithConsent, state: ConsentState, scope: Scope | None) -> ConsentChanged:
        """The next version, as it is told."""
        last = self.newest.get(referral.consent)
        self.newest[referral.consent] = told = ConsentChanged(
            about=referral.consent,
            version=last.version + 1 if last else 1,
            case=referral.about,
            state=state,
            scope=scope,
            recorded_at=self.now(),
        )
        return told

    def answer(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        if self.silent:
            raise AskFailed("TimeoutError")
        match question:
            case Redeem():
                self.before_answering()
                return Verdicts(verdicts=tuple(self._verdict(one) for one in question.uses))
            case ReportSpent():
                return Noted()
            case ConsentHeads():
                versions = sum(one.version for one in self.newest.values())
                return Heads(consents=len(self.newest), versions=versions, as_of=self.now())
            case AcknowledgeConsents():
                self.acknowledged.append(question)
                return Acknowledged()
        raise AskFailed("NoRespondersError")

    def times_asked(self, question: type[Question[Any]]) -> int:
        return sum(isinstance(one, question) for one in self.asked)

    def _verdict(self, use: Use) -> Verdict:
        told = self.newest.get(use.consent)
        scope = told.scope if told and told.state in OPEN_STATES and told.version == use.version else None
        inside = (
            scope and use.agency in scope.agencies and use.purpose in scope.purposes and use.member in scope.members
        )
        if not inside:
            return Verdict(
                use=use.use, row="N1", reason="同意が撤回されました。", next_step="改めて同意を得てください。"
            )
        permit, until = uuid4(), self.now() + timedelta(seconds=LIFE_SECONDS)
        return Verdict(
            use=use.use,
            permit=Permit(permit=permit, use=use, until=until, signature=sign(self.key, permit, use, until)),
        )


def scope_of(referral: ReferralWithConsent, *agencies: str, **changes: Any) -> Scope:
    """What the client agreed to for a year: these agencies, the plan, him- or herself."""
    assert referral.client
    starts = datetime(2026, 11, 1, 15, tzinfo=UTC)
    values: dict[str, Any] = {
        "agencies": agencies or AGENCIES,
        "purposes": (Purpose.PLAN,),
        "members": (referral.client,),
        "starts": starts,
        "ends": starts + timedelta(days=365),
    }
    return Scope(**(values | changes))


@dataclass
class Hands:
    """services.service.Work of coordination on a stage, with the ledger beside it."""

    stage: Stage
    ledger: Ledger
    settings: Settings
    staff: list[StaffView] = field(default_factory=lambda: [chief(), chief(agency="shakyo", person=COORDINATOR)])
    met: tuple[Fact, ...] = ()
    """What the meetings of the compartment tell of their sittings."""

    reminded: list[SendReminder] = field(default_factory=list)
    """What notify was asked to send."""
    notify: Callable[[SendReminder], Sent] = lambda asked: Sent(outcome="sent")

    def __post_init__(self) -> None:
        self.profile, self.compartment = self.stage.store.profile, self.stage.store.compartment
        self.ledger.now = self.now

    def now(self) -> datetime:
        return self.stage.time

    async def run(self, act: Callable[[Tx], T]) -> T:
        return self.stage.do(act)

    async def tell(self, act: Callable[[Tx], Iterable[Event]]) -> None:
        self.stage.tell(act)

    async def compact(self) -> None:
        self.stage.store.compact()

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        if isinstance(question, Staff):
            return StaffList(staff=tuple(self.staff))
        if isinstance(question, MeetingFacts):
            return FactList(facts=self.met)
        if isinstance(question, SendReminder):
            self.reminded.append(question)
            return self.notify(question)
        assert to is Account.INTAKE
        return self.ledger.answer(question)

    async def perform(self, question: Question[Any]) -> Any:
        """What the bus does with a question that reaches outside."""
        return await self.stage.store.service.answers_to[type(question)].act(question, self)

    async def errands(self) -> None:
        """What the bus does every few seconds: compare with the ledger, acknowledge."""
        for errand in self.stage.store.service.errands:
            await errand.act(self)

    async def take_in(self, referral: ReferralWithConsent, *agencies: str, **scope: Any) -> ReferralWithConsent:
        """A case with its consent, and a replica that is fresh."""
        state = ConsentState.NARROWED if referral.narrowed else ConsentState.GIVEN
        self.stage.give(self.ledger.record(referral, state, scope_of(referral, *agencies, **scope)))
        self.stage.give(referral)
        await self.errands()
        return referral

    def register(self) -> tuple[Disclosure, ...]:
        """All that was ever shown."""
        asked = DisclosuresAtCoordination(since=datetime(2026, 1, 1, tzinfo=UTC))
        return self.stage.ask(asked).rows  # type: ignore[no-any-return]  # a stage answers with anything


def with_another_coordinator(profile: Profile) -> Profile:
    """The same city with a second 多機関協働事業者, as those of ⑤各機関に付加 have."""
    another = Agency(code="csw", name="地域福祉コーディネーター", kind="coordinator")
    return profile.model_copy(update={"agencies": (*profile.agencies, another)})
