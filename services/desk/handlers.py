"""What the desk asks the others, and how it listens."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from sqlalchemy import MetaData

from contracts.body_secrecy import NotePledges
from contracts.challenges import Challenges, HandleChallenge, NoteChallenge
from contracts.commission import (
    AskCooperation,
    Commission,
    Commissions,
    Cooperations,
    EndCommission,
    NoteCooperation,
)
from contracts.coordination import Cases, ClientsOfCases, ExplainItem, Trail
from contracts.counts import CountPeriod
from contracts.directory import SignInJuso, SignInShien, Staff
from contracts.disclosure import DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.escalation import Escalate
from contracts.feeds import EndFeed, LookAtFeed, MakeFeed
from contracts.holding import HoldOtherwise
from contracts.intake import ClientOf, DetailsOfClient, LookAtStop, WithdrawConsent
from contracts.life import LookAtDue, LookAtLife, TakeStep
from contracts.mail_answers import AnswerByMail, ReportDelivery
from contracts.meetings import AnswerByLink, ItemSittings, LookAtLink, Sittings
from contracts.notify import LookAtReminders, WantReminders
from contracts.papers import LookAtPapers, ReadPaper, SavePaper, SetConcealment
from contracts.polls import AnswerPoll, ClosePoll, LookAtPoll, NotePollAnswer, OpenPoll
from contracts.preparing import AcceptRoster, AnswerInquiry, AskAgency, LookAtInquiries, LookAtRoster, LookAtSheet
from contracts.printing import PrintPaper, PrintSitting
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
from contracts.running import Conduct, LookAtRoom
from services.desk.app import build_app
from services.service import Service, Work

service = Service(
    "desk",
    tables=MetaData(),
    compartments=True,
    asks=frozenset(
        {
            SignInJuso,
            SignInShien,
            Staff,
            MakeFeed,
            EndFeed,
            LookAtFeed,
            Cases,
            Trail,
            Sittings,
            ItemSittings,
            ClientOf,
            DetailsOfClient,
            ClientsOfCases,
            ExplainItem,
            DisclosuresAtCoordination,
            DisclosuresAtMeetings,
            LookAtStop,
            LookAtLife,
            LookAtDue,
            TakeStep,
            LookAtRoom,
            Conduct,
            PrintSitting,
            PrintPaper,
            AnswerByMail,
            ReportDelivery,
            Escalate,
            LookAtPapers,
            ReadPaper,
            SavePaper,
            SetConcealment,
            LookAtRoster,
            AcceptRoster,
            LookAtSheet,
            LookAtInquiries,
            AskAgency,
            AnswerInquiry,
            WithdrawConsent,
            Commissions,
            Commission,
            EndCommission,
            Cooperations,
            AskCooperation,
            NoteCooperation,
            LookAtLink,
            AnswerByLink,
            CountPeriod,
            Challenges,
            NoteChallenge,
            HandleChallenge,
            Resources,
            NotePlace,
            NoteMatch,
            LookAtDates,
            DatesInHand,
            OpenPoll,
            NotePollAnswer,
            ClosePoll,
            ProposeDate,
            DecideProposal,
            KeepApart,
            MoveDay,
            HoldOtherwise,
            *(LookAtRegular, ChangeRegular, DecideRegular, NotePledges, TakeRegular),
            LookAtPoll,
            AnswerPoll,
            LookAtReminders,
            WantReminders,
            *(DeskTriageList, DeskTriage, DeskDecideTriage, DeskDuplicates, DeskDecideSame, DeskOthers, DeskReferralOf),
            *(DeskHousehold, DeskChangeHousehold, DeskMemberConsent, DeskDetail, DeskSecrecy, DeskShown),
            *(DeskRefer, DeskReportSignal, DeskSignals, DeskDropSignal),
            *(ShienTriageList, ShienTriage, ShienDecideTriage, ShienDuplicates, ShienDecideSame),
            *(ShienHousehold, ShienChangeHousehold, ShienMemberConsent, ShienDetail, ShienSecrecy, ShienShown),
            *(ShienRefer, ShienReportSignal, ShienSignals, ShienDropSignal),
        }
    ),
)

GRACE_SECONDS = 3
"""How long requests under way may take when the process is told to stop."""


class CannotListen(Exception):
    """The port cannot be had. The text says which one and what to do, in Japanese."""


async def serve(work: Work) -> None:
    """Serve pages until cancelled, then finish what is under way. Raises CannotListen."""
    host, port = work.settings.host, work.settings.desk_port(work.compartment)
    config = uvicorn.Config(
        build_app(work),
        access_log=False,  # addresses of pages are secrets of their holders
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        limit_concurrency=200,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    with _listen(host, port) as listening:
        running = asyncio.create_task(server.serve([listening]))
        try:
            await asyncio.shield(running)
        finally:
            server.should_exit = True
            await running


service.serve = serve


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to whoever runs the process."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    """Bound here, because uvicorn would end the process with ``sys.exit`` when the port is taken."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotListen(
            f"{host} のポート {port} で待ち受けできません({error.strerror})。"
            "使っているプログラムを止めるか、KASANE_HOST と KASANE_*_PORT を変えてください。"
        ) from None
