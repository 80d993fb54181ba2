"""What people do in a town once it has cases, each as the desk or the command line asks it.

A deed picks among what is there by number and drawn references by its place in the history, so that two runs of one
history do the same. One that finds nothing to do, or is refused, is a deed all the same: refusals are told, too.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from contracts.challenges import Challenges, HandleChallenge, Lack, NoteChallenge
from contracts.consent import ConsentState
from contracts.counts import CountPeriod
from contracts.directory import Staff, StaffView
from contracts.household import Change, ChangeHousehold, LookAtHousehold, Newcomer
from contracts.intake import Problem
from contracts.life import Act, LookAtLife, Outcome, Plan, Role, Step, TakeStep
from contracts.message import Account, Compartment, Question
from contracts.office import DeskOfficer, Officer, ShienOfficer
from contracts.papers import SavePaper
from contracts.preparing import (
    AcceptRoster,
    Answer,
    AnswerInquiry,
    AskAgency,
    Asked,
    Attendance,
    Choice,
    LookAtInquiries,
    LookAtRoster,
    RosterSeat,
    Subject,
)
from contracts.reception import DeskReportSignal, DeskSignals
from contracts.reception_shien import ShienReportSignal, ShienSignals
from contracts.referring import ConsentedText, DeskRefer, ShienRefer, UnconsentedText
from contracts.running import Conduct, LookAtRoom, Move, Proceeding, Result
from contracts.signals import Note, NoticedAt, Sign
from contracts.triage import DecideTriage, LookAtTriage, Way
from services.coordination.tables import case
from services.intake.tables import referral
from services.meetings.tables import sitting
from tests.proof.city import City

R = TypeVar("R", bound=BaseModel)
LADDER = (Step.ASSESS, Step.DRAFT, Step.BRING, Step.RECORD_RESULT, Step.REPORT, Step.CONFIRM, Step.MONITOR)
"""What a case is taken on by: the last of these that is open."""
WORDS = ("世帯の状況を確かめた。", "長男は夜にだけ外へ出る。", "家賃の滞納が三か月になる。")
LACKS = ("夜に通える居場所がない", "保証人なしで借りられる住まいがない")
SOON = timedelta(days=60)
"""A sitting later than this is not waited for."""


@dataclass
class Hands:
    """Somebody at work in one compartment. ``said``: what was answered, as this person sees it."""

    city: City
    where: Compartment
    pick: int
    place: int
    staff: dict[str, StaffView]
    said: list[Any] = field(default_factory=list)
    words: Callable[[str, str], str] = lambda _, text: text
    """What is written in a field, by the field's name: the canary puts its tokens there."""

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.place}/{self.where}")

    @property
    def account(self) -> Account:
        return Account(self.where)

    @property
    def officer(self) -> StaffView:
        """髙橋 of 福祉課, who works at both desks."""
        return self.staff["0001"]

    @property
    def coordinator(self) -> StaffView:
        """内村 of 社会福祉協議会, the 多機関協働事業者."""
        return self.staff["0002"]

    def by(self, who: StaffView) -> dict[str, Any]:
        """How a question says who asks."""
        return {"viewer": who.person, "viewer_agency": who.agency}

    def request(self) -> UUID:
        """The same in both runs."""
        return UUID(int=self._chance.getrandbits(128), version=4)

    def text(self, name: str) -> str:
        """A sentence for this field."""
        return self.words(name, WORDS[self.pick % len(WORDS)])

    async def ask(self, question: Question[R], account: Account | None = None) -> R:
        """Ask, and keep what was answered."""
        answer = await self.city.answer(account or self.account, question)
        self.said.append(answer.model_dump(mode="json"))
        return answer

    def case(self) -> UUID | None:
        """One of the cases of this compartment."""
        store = self.city.stores[f"coordination@{self.where}"]
        found = store.read(lambda tx: list(tx.execute(select(case.c.id).order_by(case.c.id)).scalars()))
        return found[self.pick % len(found)] if found else None

    def referral(self) -> Any | None:
        """One of the referrals of this compartment, as intake keeps it."""
        mine = "with_consent" if self.where is Compartment.JUSO else "without_consent"
        wanted = select(referral).where(referral.c.state == mine).order_by(referral.c.id)
        found = self.city.stores["intake"].read(lambda tx: tx.execute(wanted).all())
        return found[self.pick % len(found)] if found else None

    def coming(self) -> tuple[UUID, datetime] | None:
        """The next sitting of this compartment, if it is soon."""
        wanted = select(sitting.c.id, sitting.c.starts).where(
            sitting.c.fixed, sitting.c.cancelled_at.is_(None), sitting.c.starts > self.city.now
        )
        store = self.city.stores[f"meetings@{self.where}"]
        found = store.read(lambda tx: tx.execute(wanted.order_by(sitting.c.starts, sitting.c.id)).first())
        return (found.id, found.starts) if found and found.starts < self.city.now + SOON else None


Deed = Callable[[Hands], Awaitable[None]]


async def go_on(hands: Hands) -> None:
    """Take a case one step further."""
    if (about := hands.case()) is None:
        return
    view = await hands.ask(LookAtLife(case=about, **hands.by(hands.officer)))
    open_now = {way.step for way in view.ways if way.allowed}
    step = next((one for one in reversed(LADDER) if one in open_now), Step.ASSESS)
    today = (hands.city.now + timedelta(hours=9)).date()
    said: dict[str, Any] = {"step": step, "on": today, "words": hands.text("step")}
    if step is Step.ASSESS:
        said["no_paper"] = hands.text("step")
    if step is Step.DRAFT:
        role = Role(agency="fukushi", until=today + timedelta(days=90), does=hands.text("role"))
        plan = {"goals": hands.text("goals"), "policy": hands.text("policy"), "roles": (role,)}
        said["plan"] = Plan(**plan, monitor_on=today + timedelta(days=60))
    if step is Step.RECORD_RESULT:
        heard = view.heard.present if view.heard else ("fukushi", "shakyo")
        said |= {"outcome": Outcome.FIT, "present": heard}
    if step is Step.REPORT:
        said["counterpart"] = "fukushi"
    if step is Step.MONITOR:
        said["next_on"] = today + timedelta(days=30)
    asked = {"case": about, "request": hands.request(), "after": len(view.history), "act": Act(**said)}
    await hands.ask(TakeStep(**asked, **hands.by(hands.officer)))


async def fill_in(hands: Hands) -> None:
    """A filled form of a case."""
    if (about := hands.case()) is None:
        return
    values = {
        "name": hands.words("paper name", "髙橋 キヨ子"),
        "address": hands.words("paper address", "三股町樺山 1234番地"),
        "first_consulted_on": "2026-11-20",
        "complaint": hands.text("complaint"),
        "direction": hands.text("direction"),
    }
    asked = {"case": about, "request": hands.request(), "form": "assessment", "edition": "1", "values": values}
    await hands.ask(SavePaper(**asked, **hands.by(hands.officer)))


async def invite(hands: Hands) -> None:
    """Decide on who is to sit at the table of a case: those proposed, and one more or one less."""
    if (about := hands.case()) is None:
        return
    view = await hands.ask(LookAtRoster(case=about, **hands.by(hands.officer)))
    seats = [RosterSeat(agency=one.agency, need=one.need) for one in view.proposal.seats]
    choice = Choice(seats=tuple(seats), attendance=Attendance.NO, attendance_words=hands.text("attendance"))
    asked = {"case": about, "request": hands.request(), "after": len(view.accepted), "choice": choice}
    await hands.ask(AcceptRoster(**asked, **hands.by(hands.officer)))


async def inquire(hands: Hands) -> None:
    """Ask an agency about a case; or write down its answer, where one was asked already."""
    if (about := hands.case()) is None:
        return
    found = await hands.ask(LookAtInquiries(**hands.by(hands.officer)))
    today = (hands.city.now + timedelta(hours=9)).date()
    if waiting := [one.inquiry for one in found.inquiries if one.case == about]:
        answer = Answer(subject=Subject.LIVING, text=hands.text("inquiry answer"))
        asked = {"case": about, "inquiry": waiting[0], "request": hands.request(), "after": 0, "said_on": today}
        asked |= {"answers": (answer,), "said_by": hands.words("said by", "松元")}
        await hands.ask(AnswerInquiry(**asked, **hands.by(hands.officer)))
        return
    asks = (Asked(subject=Subject.LIVING, text=hands.text("inquiry")),)
    agency = ("kikan", "houkatsu", "shakyo")[hands.pick % 3]
    asked = {"case": about, "request": hands.request(), "agency": agency, "asks": asks}
    await hands.ask(AskAgency(**asked, due_on=today + timedelta(days=7), **hands.by(hands.officer)))


async def note_lack(hands: Hands) -> None:
    """地域課題: write down what was missing in a case, and have a second person read it."""
    if (about := hands.case()) is None:
        return
    said = {"field": Problem.HOUSING, "lack": Lack.HOUSING, "sentence": hands.words("lack", LACKS[hands.pick % 2])}
    asked = {"request": hands.request(), "case": about} | said
    done = await hands.ask(NoteChallenge(**asked, **hands.by(hands.officer)))
    if done.ref:
        asked = {"request": hands.request(), "challenge": done.ref, "act": "names_nobody"}
        await hands.ask(HandleChallenge(**asked, **hands.by(hands.coordinator)))
    await hands.ask(Challenges(**hands.by(hands.officer)))


async def count(hands: Hands) -> None:
    """The counts of this compartment for this month."""
    await hands.ask(CountPeriod(period=f"{hands.city.now:%Y-%m}", **hands.by(hands.officer)))


async def sit(hands: Hands) -> None:
    """Hold the sitting whose hour has come, from 開会 to 閉会, hearing whatever may be heard."""
    store = hands.city.stores[f"meetings@{hands.where}"]
    begun = select(sitting.c.id).where(sitting.c.fixed, sitting.c.starts <= hands.city.now)
    ref = store.read(lambda tx: tx.connection.scalar(begun.order_by(sitting.c.starts.desc(), sitting.c.id)))
    if ref is None:
        return
    view = await hands.ask(LookAtRoom(sitting=ref, **hands.by(hands.officer)))
    moves = [Move(what=Proceeding.OPEN)]
    moves += [Move(what=Proceeding.ENTER, person=seat.person) for seat in view.seats]
    moves += [Move(what=Proceeding.EXPLAIN), Move(what=Proceeding.JUDGE)]
    for one in view.items:
        found = Result(outcome=Outcome.FIT, words=hands.text("minutes"))
        moves += [Move(what=Proceeding.CALL, item=one.item), Move(what=Proceeding.RECORD, item=one.item, result=found)]
    acts = view.acts
    for move in (*moves, Move(what=Proceeding.CLOSE)):
        asked = {"sitting": ref, "request": hands.request(), "after": acts, "move": move}
        done = await hands.ask(Conduct(**asked, **hands.by(hands.officer)))
        acts = done.acts if done.done else acts


async def triage(hands: Hands) -> None:
    """Look at a referral by the city's criteria and decide."""
    if (row := hands.referral()) is None:
        return
    by = Officer(person=hands.officer.person, agency=hands.officer.agency)
    view = await hands.ask(LookAtTriage(by=by, referral=row.id), Account.INTAKE)
    asked = {"request": hands.request(), "by": by, "referral": row.id, "after": len(view.decisions)}
    asked |= {"edition": view.edition or "0", "way": Way.COORDINATE, "reason": hands.text("triage")}
    await hands.ask(DecideTriage(**asked), Account.INTAKE)


async def join(hands: Hands) -> None:
    """Somebody joins the household of a referral."""
    if (row := hands.referral()) is None:
        return
    by = Officer(person=hands.officer.person, agency=hands.officer.agency)
    view = await hands.ask(LookAtHousehold(by=by, referral=row.id), Account.INTAKE)
    newcomer = Newcomer(name=hands.words("newcomer", "髙橋 進"), relation="長男")
    asked = {"request": hands.request(), "by": by, "referral": row.id, "after": view.version, "change": Change.JOIN}
    today = (hands.city.now + timedelta(hours=9)).date()
    await hands.ask(ChangeHousehold(**asked, on=today, newcomer=newcomer), Account.INTAKE)


async def write_note(hands: Hands) -> None:
    """気づきメモ: typed in at the desk of this side, and read there."""
    who = {"person": hands.officer.person, "agency": hands.officer.agency}
    today = (hands.city.now + timedelta(hours=9)).date()
    seen = Note(
        noticed_on=today, place=NoticedAt.SALON, signs=(Sign.ABSENT,), description=hands.text("note"), urgent=False
    )
    if hands.where is Compartment.JUSO:
        here = DeskOfficer(**who)
        await hands.ask(DeskReportSignal(request=hands.request(), by=here, note=seen), Account.INTAKE)
        await hands.ask(DeskSignals(by=here), Account.INTAKE)
        return
    there = ShienOfficer(**who)
    await hands.ask(ShienReportSignal(request=hands.request(), by=there, note=seen), Account.INTAKE)
    await hands.ask(ShienSignals(by=there), Account.INTAKE)


async def type_in(hands: Hands) -> None:
    """A つなぐシート typed in at the desk of this side."""
    who = {"person": hands.officer.person, "agency": hands.officer.agency}
    today = (hands.city.now + timedelta(hours=9)).date()
    said: dict[str, Any] = {"resident_number": None, "received_on": today, "referrer": "kikan", "urgent": False}
    said |= {"referrer_staff": "日髙 奈緒"}
    said |= {
        "name": hands.words("name", "東條 武夫"),
        "kana": "",
        "sex": "unknown",
        "born_on": None,
        "address": "",
        "phone": "",
    }
    said |= {"problems": (Problem.DEBT,), "wishes": hands.text("wishes"), "reason": hands.text("reason")}
    said |= {"members": (), "household_size": 2, "agencies": ("fukushi", "shakyo")}
    if hands.where is Compartment.JUSO:
        agreed = ConsentedText(**said, consent=ConsentState.GIVEN, consented_on=today)
        await hands.ask(DeskRefer(request=hands.request(), by=DeskOfficer(**who), sheet=agreed), Account.INTAKE)
        return
    not_agreed = UnconsentedText(**said, consent=ConsentState.REFUSED)
    await hands.ask(ShienRefer(request=hands.request(), by=ShienOfficer(**who), sheet=not_agreed), Account.INTAKE)


DEEDS: dict[str, Deed] = {
    "go on": go_on,
    "fill in": fill_in,
    "invite": invite,
    "inquire": inquire,
    "note lack": note_lack,
    "count": count,
    "sit": sit,
    "triage": triage,
    "join": join,
    "write note": write_note,
    "type in": type_in,
}


async def staff_of(city: City) -> dict[str, StaffView]:
    """Everybody of the town, by 職員番号."""
    return {one.number: one for one in (await city.answer(Account.DIRECTORY, Staff())).staff}
