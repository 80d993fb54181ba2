"""The walls of the bus as the server keeps them: who may say and hear what, tried with every key there is.

Each attack is tried twice: with the key of a process or operator, where the server must refuse it in so many words,
and with the key of the same account's admin, where it must succeed. Silence proves nothing.
"""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.body_secrecy import NotePledges
from contracts.challenges import Challenges, HandleChallenge, NoteChallenge
from contracts.commission import (
    AskCooperation,
    Commission,
    CommissionEnded,
    CommissionMade,
    Commissions,
    Cooperations,
    EndCommission,
    NoteCooperation,
)
from contracts.coordination import (
    Cases,
    ClientsOfCases,
    ExplainItem,
    ItemPutForward,
    ItemWithdrawn,
    TakeInClient,
    Trail,
)
from contracts.counts import CountPeriod, FreezeCounts, FrozenCounts, MeetingFacts, PublishCounts
from contracts.directory import Busy, MailboxOf, Release, Reserve, SignInJuso, SignInShien, Staff
from contracts.disclosure import DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.erasure import EraseAnswers, EraseCase, EraseReferral
from contracts.escalation import Escalate
from contracts.feeds import EndFeed, LookAtFeed, MakeFeed
from contracts.gate import (
    CarryOver,
    ConsentForGate,
    EntriesForGate,
    LookAtGate,
    RecordCarryIn,
    RecordCarryOut,
    WriteEntry,
)
from contracts.holding import HoldOtherwise
from contracts.household import (
    ChangeHousehold,
    LookAtHousehold,
    LookAtShown,
    NoteDetail,
    RecordMemberConsent,
    SetSecrecy,
)
from contracts.intake import (
    AcknowledgeConsents,
    ClientForGate,
    ClientOf,
    ConsentChanged,
    ConsentHeads,
    DetailsOfClient,
    Held,
    LookAtConsent,
    LookAtStop,
    MembersUnasked,
    OpenWithoutConsent,
    RecordConsent,
    ReferralWithConsent,
    ReferralWithoutConsent,
    SecrecyChanged,
    ShowConsent,
    TakeInSheets,
    WithdrawConsent,
)
from contracts.life import LookAtDue, LookAtLife, TakeStep
from contracts.mail_answers import AnswerByMail, PassDelivery, PassReply, ReportDelivery, TakeDelivery, TakeReply
from contracts.meetings import AnswerByLink, ItemPlaced, ItemSittings, ItemUnplaced, LookAtLink, Sittings
from contracts.message import EVENTS, QUESTIONS, Account
from contracts.notify import LookAtReminders, SendCancellation, SendInvitation, SendPoll, SendReminder, WantReminders
from contracts.papers import LookAtPapers, ReadPaper, SavePaper, SetConcealment
from contracts.permit import Redeem, ReportSpent
from contracts.polls import AnswerPoll, ClosePoll, LookAtPoll, NotePollAnswer, OpenPoll
from contracts.preparing import (
    AcceptRoster,
    AnswerInquiry,
    AskAgency,
    LookAtInquiries,
    LookAtRoster,
    LookAtSheet,
    RosterAccepted,
)
from contracts.printing import PrintPaper, PrintSitting
from contracts.profile import Profile
from contracts.proposing import DatesInHand, DecideProposal, KeepApart, LookAtDates, MoveDay, ProposeDate, TakeRegular
from contracts.reception import (
    DeskChangeHousehold,
    DeskDecideSame,
    DeskDecideTriage,
    DeskDetail,
    DeskDropSignal,
    DeskDuplicates,
    DeskHousehold,
    DeskMemberConsent,
    DeskOthers,
    DeskReferralOf,
    DeskReportSignal,
    DeskSecrecy,
    DeskShown,
    DeskSignals,
    DeskTriage,
    DeskTriageList,
)
from contracts.reception_shien import (
    ShienChangeHousehold,
    ShienDecideSame,
    ShienDecideTriage,
    ShienDetail,
    ShienDropSignal,
    ShienDuplicates,
    ShienHousehold,
    ShienMemberConsent,
    ShienReportSignal,
    ShienSecrecy,
    ShienShown,
    ShienSignals,
    ShienTriage,
    ShienTriageList,
)
from contracts.referring import DeskRefer, ShienRefer
from contracts.regular import ChangeRegular, DecideRegular, LookAtRegular
from contracts.resources import NoteMatch, NotePlace, Resources
from contracts.running import Conduct, HearingOpened, ItemHeard, LookAtRoom
from contracts.same_person import DecideSame, KnownBefore, LookAtDuplicates
from contracts.signals import DropSignal, EraseSignal, LookAtSignals, ReferSignal, ReportSignal
from contracts.triage import DecideTriage, LookAtTriage, LookAtTriageList, ReferralAnswered
from services.processes import PROCESSES
from services.provision import MAX_PAYLOAD, inbox_of, read_key, rights
from tests.world import PATIENCE, World

SHARING = {f"to.intake.{question.subject}" for question in (Redeem, ReportSpent, AcknowledgeConsents, ConsentHeads)}
"""What only the juso processes of coordination and meetings may ask: before each share, and as a heartbeat."""
DECIDERS = f"to.directory.{Staff.subject}"
"""Who may decide for the 市町村 (D2)."""
MEETINGS = {
    ItemPlaced.subject,
    ItemUnplaced.subject,
    HearingOpened.subject,
    ItemHeard.subject,
    CommissionMade.subject,
    CommissionEnded.subject,
    f"to.directory.{Staff.subject}",
    f"to.directory.{Busy.subject}",
    f"to.directory.{Reserve.subject}",
    f"to.directory.{Release.subject}",
    f"to.notify.{SendInvitation.subject}",
    f"to.notify.{SendCancellation.subject}",
    f"to.notify.{SendPoll.subject}",
}
DESK = {
    Cases.subject,
    LookAtLife.subject,
    LookAtDue.subject,
    TakeStep.subject,
    Escalate.subject,
    LookAtPapers.subject,
    ReadPaper.subject,
    SavePaper.subject,
    SetConcealment.subject,
    *(one.subject for one in (LookAtRoster, AcceptRoster, LookAtSheet, AskAgency, AnswerInquiry, LookAtInquiries)),
    *(one.subject for one in (CountPeriod, Challenges, NoteChallenge, HandleChallenge)),
    *(one.subject for one in (LookAtDates, DatesInHand, OpenPoll, NotePollAnswer, ClosePoll)),
    *(one.subject for one in (ProposeDate, DecideProposal, KeepApart, MoveDay, HoldOtherwise)),
    *(one.subject for one in (LookAtRegular, ChangeRegular, DecideRegular, NotePledges, TakeRegular)),
    Trail.subject,
    Sittings.subject,
    ItemSittings.subject,
    LookAtRoom.subject,
    Conduct.subject,
    *(one.subject for one in (PrintPaper, PrintSitting)),
    ExplainItem.subject,
    DisclosuresAtCoordination.subject,
    DisclosuresAtMeetings.subject,
    f"to.directory.{Staff.subject}",
    *(f"to.directory.{question.subject}" for question in (MakeFeed, EndFeed)),
}
RECEPTION = (
    *(DeskTriageList, DeskTriage, DeskDecideTriage, DeskDuplicates, DeskDecideSame, DeskOthers, DeskReferralOf),
    *(DeskHousehold, DeskChangeHousehold, DeskMemberConsent, DeskDetail, DeskSecrecy, DeskShown),
    *(DeskRefer, DeskReportSignal, DeskSignals, DeskDropSignal),
)
RECEPTION_OF_SHIEN = (
    *(ShienTriageList, ShienTriage, ShienDecideTriage, ShienDuplicates, ShienDecideSame),
    *(ShienHousehold, ShienChangeHousehold, ShienMemberConsent, ShienDetail, ShienSecrecy, ShienShown),
    *(ShienRefer, ShienReportSignal, ShienSignals, ShienDropSignal),
)
COMMISSIONING = {
    question.subject
    for question in (Commissions, Commission, EndCommission, Cooperations, AskCooperation, NoteCooperation)
}
COORDINATION = {
    *(ItemPutForward.subject, ItemWithdrawn.subject, RosterAccepted.subject, MeetingFacts.subject, DECIDERS),
    f"to.notify.{SendReminder.subject}",
}
SAYS: dict[str, set[str]] = {
    "directory": set(),
    "intake": {
        f"to.juso.{ConsentChanged.subject}",
        f"to.juso.{MembersUnasked.subject}",
        f"to.juso.{SecrecyChanged.subject}",
        f"to.juso.{ReferralAnswered.subject}",
        f"to.juso.{ReferralWithConsent.subject}",
        f"to.shien.{ReferralWithoutConsent.subject}",
        f"to.shien.{TakeInClient.subject}",
    },
    "coordination@juso": COORDINATION | SHARING,
    "coordination@shien": COORDINATION,
    "meetings@juso": MEETINGS | SHARING,
    "meetings@shien": MEETINGS,
    "mailin": {TakeReply.subject, TakeDelivery.subject},
    "notify": {f"to.directory.{MailboxOf.subject}", PassReply.subject, PassDelivery.subject},
    "desk@juso": DESK
    | {f"to.directory.{SignInJuso.subject}"}
    | {f"to.intake.{question.subject}" for question in (ClientOf, DetailsOfClient, WithdrawConsent, LookAtStop)}
    | {question.subject for question in (Resources, NotePlace, NoteMatch)}
    | {f"to.intake.{question.subject}" for question in RECEPTION},
    "desk@shien": DESK
    | {f"to.directory.{SignInShien.subject}", ClientsOfCases.subject}
    | COMMISSIONING
    | {f"to.intake.{question.subject}" for question in RECEPTION_OF_SHIEN},
    "gate": {f"to.shien.{question.subject}" for question in (EntriesForGate, RecordCarryOut)}
    | {f"to.juso.{question.subject}" for question in (ConsentForGate, RecordCarryIn)}
    | {f"to.{one}.{FrozenCounts.subject}" for one in ("juso", "shien")}
    | {f"to.intake.{ClientForGate.subject}"},
    "desk": {
        f"to.{one}.{question.subject}"
        for one in ("juso", "shien")
        for question in (LookAtLink, AnswerByLink, LookAtPoll, AnswerPoll, AnswerByMail, ReportDelivery)
    }
    | {f"to.directory.{LookAtFeed.subject}"}
    | {LookAtReminders.subject, WantReminders.subject},
}
"""What each process may tell and ask, written down a second time (docs/messages.md): not read from services."""
DURABLES = {"coordination@juso", "coordination@shien", "meetings@juso", "meetings@shien"}
"""The processes that read events."""
LOOKS = {WriteEntry.subject, ExplainItem.subject, DisclosuresAtCoordination.subject, DisclosuresAtMeetings.subject}
COUNTING = {CountPeriod.subject, FreezeCounts.subject}
SEALING = {"intake", "coordination@juso", "coordination@shien", "meetings@juso", "meetings@shien"}
"""The processes that keep sealed fields, and so have a key that wraps their data keys."""
OPERATOR_ASKS = {
    "operator@intake": {
        question.subject
        for question in (
            *(TakeInSheets, Held, OpenWithoutConsent, EraseReferral),
            *(LookAtConsent, ShowConsent, LookAtStop, RecordConsent, WithdrawConsent),
            *(ReportSignal, LookAtSignals, DropSignal, ReferSignal, EraseSignal),
            *(LookAtTriage, LookAtTriageList, DecideTriage, LookAtDuplicates, DecideSame, KnownBefore),
            *(LookAtHousehold, ChangeHousehold, RecordMemberConsent, NoteDetail, SetSecrecy, LookAtShown),
        )
    },
    "operator@juso": {EraseCase.subject, EraseAnswers.subject, *LOOKS, *COUNTING},
    "operator@shien": {EraseCase.subject, EraseAnswers.subject, *LOOKS, *COUNTING},
    "operator@directory": {Staff.subject},
    "operator@gate": {LookAtGate.subject, CarryOver.subject, PublishCounts.subject},
}

ACCOUNTS = {process.name: process.account for process in PROCESSES} | {f"operator@{one}": one for one in Account}
THEFT = {"ack_policy": "none", "deliver_policy": "all"}
NINE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "1 subscribe to another's events": ("hear", "kasane.>", {}),
    "2 subscribe to everything": ("hear", ">", {}),
    "3 read a stored event by its number": ("ask", "$JS.API.STREAM.MSG.GET.EVENTS", {"seq": 1}),
    "4 read it directly": ("ask", "$JS.API.DIRECT.GET.EVENTS", {"seq": 1}),
    "5 make a pull consumer": ("ask", "$JS.API.CONSUMER.CREATE.EVENTS", {"stream_name": "EVENTS", "config": THEFT}),
    "6 make a push consumer that delivers elsewhere": (
        "ask",
        "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.push",
        {"stream_name": "EVENTS", "config": THEFT | {"durable_name": "push", "deliver_subject": "loot"}},
    ),
    "7 list the subjects of a stream": ("ask", "$JS.API.STREAM.INFO.EVENTS", {"subjects_filter": ">"}),
    "8 purge a stream": ("ask", "$JS.API.STREAM.PURGE.EVENTS", {}),
    "9 subscribe to all inboxes": ("hear", "_INBOX.>", {}),
}
"""The nine attacks that a usual set-up lets through (consent.md 4.1)."""
REACH = ("", *(f"to.{one}." for one in Account))
"""Where an attack is aimed: at the own account's stream, and over the border at every account's."""


def may_say(user: str) -> set[str]:
    """Every subject a user may publish to, apart from answers to what it was asked."""
    if user.startswith("operator@"):
        pulses = {f"ask.{what}.{process.name}" for process in PROCESSES for what in ("pulse", "parked")}
        return pulses | OPERATOR_ASKS.get(user, set())
    allowed = set(SAYS[user])
    if user in DURABLES:
        own = f"EVENTS.{user.split('@')[0]}"
        allowed |= {f"$JS.API.CONSUMER.{what}.{own}" for what in ("INFO", "MSG.NEXT")}
        allowed |= {f"$JS.ACK.{own}.1.9.9.1.0", f"$JS.ACK._.h.{own}.1.9.9.1.0"}
    return allowed


def to_overhear(account: Account) -> dict[str, str]:
    """Subscriptions that would overhear others, each with a subject on which it would."""
    victims = [process.name for process in PROCESSES if process.account is account] + [f"admin@{account}"]
    private = {f"{inbox_of(victim)}.>": f"{inbox_of(victim)}.1" for victim in victims}
    return private | {
        ">": "kasane.x",
        "*.>": "kasane.x",
        "kasane.>": "kasane.x",
        "kasane.*.*.v1": ItemPutForward.subject,
        "_INBOX.>": "_INBOX.x",
        "ask.>": "ask.x",
        "to.>": "to.x",
        "$JS.>": "$JS.x",
    }


def to_say() -> set[str]:
    """Every event and question there is, at home and over every border."""
    subjects = {*EVENTS, *QUESTIONS}
    return subjects | {f"to.{account}.{subject}" for subject in subjects for account in Account}


def to_steal(account: Account) -> dict[str, dict[str, Any]]:
    """Requests to the streams and consumers of an account, what destroys most last."""
    service = "$JS.API."
    durables = [*sorted({name.split("@")[0] for name in DURABLES if name.endswith(account)}), "probe"]
    requests: dict[str, dict[str, Any]] = {
        "INFO": {},
        "STREAM.NAMES": {},
        "STREAM.LIST": {},
        "STREAM.INFO.EVENTS": {},
        "STREAM.MSG.GET.EVENTS": {"seq": 1},
        "DIRECT.GET.EVENTS": {"seq": 1},
        f"DIRECT.GET.EVENTS.{ItemPutForward.subject}": {},
        "STREAM.CREATE.THEFT": {"name": "THEFT", "subjects": ["loot.>"], "storage": "memory"},
        "STREAM.UPDATE.THEFT": {"name": "THEFT", "subjects": ["loot.>", "more.>"], "storage": "memory"},
        "CONSUMER.NAMES.EVENTS": {},
        "CONSUMER.LIST.EVENTS": {},
        "CONSUMER.CREATE.EVENTS": {"stream_name": "EVENTS", "config": THEFT},
        "CONSUMER.CREATE.EVENTS.thief": {"stream_name": "EVENTS", "config": THEFT | {"name": "thief"}},
        "CONSUMER.DURABLE.CREATE.EVENTS.thief2": {
            "stream_name": "EVENTS",
            "config": THEFT | {"durable_name": "thief2"},
        },
    }
    for what in ("INFO", "MSG.NEXT", "DELETE"):
        requests |= {f"CONSUMER.{what}.EVENTS.{one}": {"batch": 1} if "NEXT" in what else {} for one in durables}
    requests |= {
        "STREAM.MSG.DELETE.EVENTS": {"seq": 2},
        "STREAM.PURGE.EVENTS": {},
        "STREAM.SNAPSHOT.EVENTS": {"deliver_subject": "kasane_stolen"},  # holds up the stream while it runs
        "STREAM.DELETE.EVENTS": {},
    }
    return {service + request: body for request, body in requests.items()}


def to_acknowledge(account: Account) -> set[str]:
    """Acknowledgements of what others have been given: they would never see it."""
    durables = [*{name.split("@")[0] for name in DURABLES if name.endswith(account)}, "probe"]
    return {f"{start}.EVENTS.{one}.1.9.9.1.0" for one in durables for start in ("$JS.ACK", "$JS.ACK._.h")}


def to_publish(user: str) -> dict[str, dict[str, Any]]:
    """All that a user could try to publish, own rights included."""
    account = ACCOUNTS[user]
    pulses = {f"ask.{what}.{process.name}" for process in PROCESSES for what in ("pulse", "parked")}
    return {subject: {} for subject in to_say() | pulses | to_acknowledge(account)} | to_steal(account)


class Tried:
    """A connection with one user's key, and what the server objected to."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.client = Client()

    async def note(self, error: Exception) -> None:
        text = str(error)
        if "permissions violation" in text:
            self.refused.add(" ".join(text.split()[-2:]).replace('"', "").replace("to ", "", 1))

    async def settle(self) -> None:
        """The server has everything. Twice: the client's PING overtakes what was published just before."""
        await self.client.flush()
        await self.client.flush()

    async def expect(self, world: World, subjects: set[str]) -> None:
        """The server refuses these and nothing else."""
        wanted = {subject.lower() for subject in subjects}  # nats-py tells errors in lower case

        async def all_told() -> bool:
            await self.settle()
            return wanted <= self.refused

        try:
            await world.until(all_told, 5)
        finally:
            assert self.refused == wanted

    async def subscribe(self, subject: str) -> list[str]:
        """What is heard on the subject from now on: the list grows."""
        heard: list[str] = []

        async def hear(message: Msg) -> None:
            heard.append(message.subject)

        await self.client.subscribe(subject, cb=hear)
        return heard


@asynccontextmanager
async def key_of(world: World, user: str) -> AsyncIterator[Tried]:
    key, tried = read_key(world.settings, user), Tried()
    await tried.client.connect(
        world.settings.nats_url,
        user=key.user,
        password=key.password,
        inbox_prefix=key.inbox,
        error_cb=tried.note,
        allow_reconnect=False,
    )
    try:
        yield tried
    finally:
        await tried.client.close()


async def build(world: World) -> None:
    """Provision as in production; then there are events in every account, a further consumer, and direct reads."""
    await world.provision(PROCESSES)
    for account in Account:
        async with key_of(world, f"admin@{account}") as admin:
            stream = json.loads((await admin.client.request("$JS.API.STREAM.INFO.EVENTS", timeout=PATIENCE)).data)[
                "config"
            ]
            update = json.dumps(stream | {"allow_direct": True}).encode()
            probe = {"stream_name": "EVENTS", "config": {"durable_name": "probe", "ack_policy": "explicit"}}
            create = "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.probe"
            for subject, body in (
                ("$JS.API.STREAM.UPDATE.EVENTS", update),
                (create, json.dumps(probe).encode()),
                *((subject, b'{"about": 1}') for subject in sorted(EVENTS) * 2),
            ):
                assert succeeded(await admin.client.request(subject, body, PATIENCE))


def succeeded(answer: Msg) -> bool:
    """Whether JetStream did what it was asked for."""
    if (answer.headers or {}).get("Status", "200") >= "400":
        return False
    return "error" not in (json.loads(answer.data) if answer.data else {})


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory, kobayashi: Profile) -> Iterator[World]:
    """The walls of the real processes, with nobody but the server inside."""
    one = World(tmp_path_factory.mktemp("wall"), kobayashi)
    asyncio.run(build(one))
    yield one
    asyncio.run(one.close())


@pytest.fixture
async def control(world: World) -> World:
    """Another one, to be destroyed."""
    await build(world)
    return world


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", sorted(ACCOUNTS))
async def test_nobody_overhears_what_is_said_to_others(wall: World, user: str) -> None:
    own = f"{inbox_of(user)}.>"
    patterns = set(to_overhear(ACCOUNTS[user])) - {own}
    async with key_of(wall, user) as tried:
        heard = [await tried.subscribe(pattern) for pattern in (*patterns, own)]
        await tried.expect(wall, patterns)
        async with key_of(wall, f"admin@{ACCOUNTS[user]}") as admin:
            for subject in to_overhear(ACCOUNTS[user]).values():
                await admin.client.publish(subject, b"{}")
            await admin.settle()
        await tried.settle()
        assert {subject for one in heard for subject in one} <= {own.replace(">", "1")}


@pytest.mark.parametrize("user", sorted(ACCOUNTS))
async def test_nobody_says_or_takes_what_is_not_theirs_and_everybody_may_what_is(wall: World, user: str) -> None:
    attempts = to_publish(user)
    assert may_say(user) <= set(attempts)
    async with key_of(wall, user) as tried:
        for subject, body in attempts.items():
            await tried.client.publish(subject, json.dumps(body).encode())
        await tried.expect(wall, set(attempts) - may_say(user))


@pytest.mark.parametrize("user", sorted(ACCOUNTS))
async def test_the_nine_attacks_fail_with_every_key_on_every_stream(wall: World, user: str) -> None:
    async with key_of(wall, user) as tried:
        answered = await tried.subscribe(f"{inbox_of(user)}.>")
        for how, subject, body in NINE.values():
            for there in REACH:
                if how == "hear":
                    await tried.subscribe(there + subject)
                else:
                    reply = f"{inbox_of(user)}.1"
                    await tried.client.publish(there + subject, json.dumps(body).encode(), reply=reply)
        await tried.expect(wall, {there + subject for _, subject, _ in NINE.values() for there in REACH})
        assert answered == []


async def test_nobody_without_a_key_gets_in(wall: World) -> None:
    async def silent(_: Exception) -> None: ...

    for key in ({}, {"user": "intake", "password": "intake"}, {"user": "admin@juso", "password": ""}):
        with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
            await nats.connect(wall.settings.nats_url, allow_reconnect=False, error_cb=silent, **key)


# -- the control: the same attacks with an admin's rights --------------------------------------------------------------


@pytest.mark.parametrize("account", list(Account))
async def test_with_an_admins_key_every_one_of_these_attacks_succeeds(control: World, account: Account) -> None:
    admin = f"admin@{account}"
    async with key_of(control, admin) as thief, key_of(control, admin) as other:
        overheard = {pattern: await thief.subscribe(pattern) for pattern in to_overhear(account)}
        everything = overheard[">"]
        await thief.settle()
        users = [user for user, where in ACCOUNTS.items() if where is account]
        said = {subject for user in users for subject in to_publish(user)} - set(to_steal(account))
        for request, body in to_steal(account).items():
            # old style: an event comes under its own subject, which nats-py's shared inbox would not recognise
            answer = await other.client.request(request, json.dumps(body).encode(), timeout=5, old_style=True)
            assert succeeded(answer), (request, answer.data)
        for subject in (*to_overhear(account).values(), *said):
            await other.client.publish(subject, b"{}")
        await other.settle()
        await thief.settle()

        async def all_heard() -> bool:
            return all(overheard.values()) and said <= set(everything)

        await control.until(all_heard)
        assert thief.refused == other.refused == set()


async def test_with_an_admins_key_the_nine_attacks_succeed_at_home_and_reach_no_foreign_stream(control: World) -> None:
    for account in Account:
        async with key_of(control, f"admin@{account}") as thief, key_of(control, f"admin@{account}") as other:
            asked = {subject: json.dumps(body).encode() for how, subject, body in NINE.values() if how == "ask"}
            for there in REACH[1:]:
                for subject, body in asked.items():
                    with pytest.raises(nats.errors.NoRespondersError):
                        await thief.client.request(there + subject, body, timeout=5)
            for subject, body in asked.items():
                answer = await thief.client.request(subject, body, timeout=5, old_style=True)
                assert succeeded(answer), (subject, answer.data)
            heard = {subject: await thief.subscribe(subject) for how, subject, _ in NINE.values() if how == "hear"}
            await thief.settle()
            for foreign in set(Account) - {account}:
                async with key_of(control, f"admin@{foreign}") as neighbour:
                    await neighbour.client.publish("kasane.foreign", b"{}")
                    await neighbour.settle()
            for subject in ("kasane.x", "_INBOX.x"):
                await other.client.publish(subject, b"{}")
            await other.settle()
            await control.until(lambda heard=heard: _all_filled(heard))  # type: ignore[misc]
            assert "kasane.foreign" not in heard[">"]


async def _all_filled(heard: dict[str, list[str]]) -> bool:
    return all(heard.values())


@pytest.mark.parametrize("account", list(Account))
async def test_with_an_admins_key_a_false_event_would_be_kept(control: World, account: Account) -> None:
    async with key_of(control, f"admin@{account}") as admin:
        for subject in EVENTS:
            assert json.loads((await admin.client.request(subject, b"{}", PATIENCE)).data)["stream"] == "EVENTS"


# -- what is written down ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_has_exactly_the_rights_that_the_contracts_give_it(process: Any) -> None:
    granted = set(rights(process)["publish"])
    own = f"EVENTS.{process.service.name}"
    reads = {f"$JS.API.CONSUMER.INFO.{own}", f"$JS.API.CONSUMER.MSG.NEXT.{own}"}
    reads |= {f"$JS.ACK.{own}.>", f"$JS.ACK.*.*.{own}.>"}
    assert granted == SAYS[process.name] | (reads if process.name in DURABLES else set())


def test_the_server_has_these_users_and_no_others(wall: World) -> None:
    config = json.loads((wall.settings.home / "nats.conf").read_text("utf-8"))
    users = {user["user"]: user for account in config["accounts"].values() for user in account["users"]}
    assert set(users) == set(ACCOUNTS) | {f"admin@{account}" for account in Account}
    assert {name for name, user in users.items() if "permissions" not in user} == {
        f"admin@{account}" for account in Account
    }
    for process in PROCESSES:
        assert users[process.name]["permissions"]["publish"] == (
            {"allow": rights(process)["publish"]} if SAYS[process.name] else {"deny": [">"]}
        )


def test_the_server_syncs_always_limits_messages_and_knows_no_anonymous_user(wall: World) -> None:
    text = (wall.settings.home / "nats.conf").read_text("utf-8")
    config = json.loads(text)
    assert config["jetstream"]["sync_interval"] == "always"
    assert config["max_payload"] == MAX_PAYLOAD
    assert config["listen"].startswith("127.0.0.1:")
    assert "no_auth_user" not in text


def test_keys_and_the_servers_rights_are_readable_by_their_owner_only(wall: World) -> None:
    home: Path = wall.settings.home
    secrets = [home / "nats.conf", *(home / "keys").iterdir()]
    shared = {"link", "permit", "gate", "webhook", "online", "dkim", "dkim.pub"}
    assert shared < {one.name for one in secrets}
    assert len(secrets) == 3 * len(PROCESSES) + 2 * len(Account) + len(SEALING) + 1 + len(shared)
    assert {one.name for one in secrets if one.name.startswith("kek")} == {f"kek@{name}" for name in SEALING}
    assert {stat.S_IMODE(secret.stat().st_mode) for secret in secrets} == {0o600}
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
