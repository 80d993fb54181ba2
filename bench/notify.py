"""Invitations built, signed and handed to a mail server, beside the bare loop of icalendar, the standard library's
mail builder and smtplib over one connection, which keeps nothing and signs nothing. In turns, to the same server. The
bare loop makes its VTIMEZONE once: to have icalendar look for it, as its documentation does, costs 16 ms a mail.

``whole`` is notify as it runs: the directory asked, what is about to be mailed committed before and what was taken
after, in order per person, at most eight at a time as meetings asks. ``mailed`` is the same without the store.
Then memory over many invitations, in steps: a process that kept something of each would grow.
"""

import asyncio
import os
import resource
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import dkim
from icalendar import Calendar, Event, Timezone, vCalAddress

from contracts.directory import Mailbox
from contracts.notify import SendInvitation
from services.notify import service
from services.notify.dkim import Signer, read_signer
from services.notify.domain import Invitation, Office, html_text, plain_text
from services.notify.handlers import _mailers, send_invitation
from services.notify.ics import calendar_object
from services.notify.mail import Deadline, Mailer, compose
from services.provision import make_keys
from services.service import Work
from services.settings import Settings, read_profile
from services.store import Store

ROUNDS, MAILS, AT_ONCE = 5, 200, 8
MANY = int(os.environ.get("KASANE_BENCH_MAILS", "100000"))
"""Invitations over which memory is watched."""
TOKYO = ZoneInfo("Asia/Tokyo")
ZONE = Timezone.from_tzinfo(TOKYO)
STARTS = datetime(2026, 12, 17, 5, 0, tzinfo=UTC)
OFFICE = Office("小林市 福祉課", "kaigi@fukushi.kobayashi.example", "0984-00-1100")
PEOPLE = [
    Mailbox(address=f"s{number:03}@houkatsu.example", name=f"髙橋 花子{number}", agency="shakyo")
    for number in range(200)
]
PERSONS = [UUID(int=number) for number in range(len(PEOPLE))]

SINK = """
import asyncio, sys
async def one(reader, writer):
    writer.write(b"220 sink\\r\\n")
    async for line in reader:
        if line[:4].upper() == b"DATA":
            writer.write(b"354 go on\\r\\n")
            await writer.drain()
            await reader.readuntil(b"\\r\\n.\\r\\n")
        writer.write(b"221 bye\\r\\n" if line[:4].upper() == b"QUIT" else b"250 OK\\r\\n")
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(one, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class Bench:
    """notify's process without the bus: its store, and a directory that knows everybody."""

    compartment = None

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self._thread = ThreadPoolExecutor(1)  # as on the bus: one thread does all the store's work
        self.profile = read_profile(settings.profile)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def run(self, act: Callable[[Any], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, act)

    def _write(self, act: Callable[[Any], Any]) -> Any:
        return self.store.write(lambda tx: (act(tx), ()))

    async def ask(self, question: Any, to: Any = None) -> Any:
        await asyncio.sleep(0)
        return PEOPLE[question.person.int]


async def main() -> None:
    """Mails per second, medians of ROUNDS, the ratios to the bare loop, and memory."""
    with tempfile.TemporaryDirectory() as folder, Sink() as port:
        settings = Settings(smtp_port=port, var=Path(folder))
        make_keys(settings, [])
        signer = read_signer(settings.dkim_key, "kasane", OFFICE.domain)
        assert signer is not None
        store = Store(f"sqlite:///{folder}/notify.db", service, read_profile(settings.profile), None)
        work = Bench(settings, store)
        rates: dict[str, list[float]] = {"bare": [], "bare, dkimpy": [], "mailed": [], "whole": []}
        for number in range(ROUNDS + 1):
            took = {
                "bare": await asyncio.to_thread(_bare, port, MAILS, None),
                "bare, dkimpy": await asyncio.to_thread(_bare, port, MAILS // 8, settings.dkim_key.read_bytes()),
                "mailed": await _mailed(port, signer, MAILS),
                "whole": await _whole(work, MAILS),
            }
            for name, rate in took.items():
                rates[name] += [rate] if number else []
        middle = {name: statistics.median(found) for name, found in rates.items()}
        print(f"notify, {MAILS} invitations, medians of {ROUNDS}")
        for name, rate in middle.items():
            print(f"  {name:>14} {rate:8.0f} mails/s   {rate / middle['bare']:5.2f} of bare")
        await _memory(work)
        store.close()


async def _memory(work: Work) -> None:
    steps = 5
    for step in range(steps):
        rate = await _whole(work, MANY // steps)
        peak, done = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, MANY // steps * (step + 1)
        print(f"  after {done:>7} {_resident():6.1f} MB resident, peak {peak:.1f} MB, {rate:.0f} mails/s", flush=True)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def _whole(work: Work, mails: int) -> float:
    """notify's own handler, AT_ONCE at a time."""
    began = time.perf_counter()
    left = iter(range(mails))

    async def some() -> None:
        for number in left:
            sent = await send_invitation(_asked(number), work)
            assert sent.outcome == "sent", sent

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return mails / (time.perf_counter() - began)


def _asked(number: int) -> SendInvitation:
    return SendInvitation(
        notice=uuid4(),
        person=PERSONS[number % len(PERSONS)],
        uid=uuid4(),
        sequence=0,
        starts=STARTS,
        ends=STARTS + timedelta(minutes=90),
        place="shiyakusho",
        link="AbCdEfGhIjKlMnOpQrStUvWxYz012345",
        answer_by=STARTS - timedelta(days=7),
        send_before=datetime.now(UTC) + timedelta(seconds=30),
    )


async def _mailed(port: int, signer: Signer, mails: int) -> float:
    """Built, signed, handed over; nothing kept."""
    began = time.perf_counter()
    server, left = Mailer("127.0.0.1", port, OFFICE.domain), iter(range(mails))

    async def some() -> None:
        for number in left:
            told = _letter(number)
            mail = signer.sign(compose(told, calendar_object(told)), told.made_at)
            assert not await server.send(OFFICE.mail, told.address, mail, Deadline(lambda: 30.0))

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    server.close()
    return mails / (time.perf_counter() - began)


def _letter(number: int) -> Invitation:
    to = PEOPLE[number % len(PEOPLE)]
    return Invitation(
        notice=uuid4(),
        uid=uuid4(),
        sequence=0,
        starts=STARTS,
        ends=STARTS + timedelta(minutes=90),
        made_at=datetime.now(UTC),
        place="小林市役所 第2会議室",
        address=to.address,
        name=to.name,
        office=OFFICE,
        answer_by=STARTS - timedelta(days=7),
        link="http://127.0.0.1:8080/a/AbCdEfGhIjKlMnOpQrStUvWxYz012345",
    )


def _bare(port: int, mails: int, key: bytes | None) -> float:
    """What everybody writes first."""
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(mails):
            raw = _bare_mail(_letter(number)).as_bytes()
            if key:
                raw = dkim.sign(raw, b"kasane", OFFICE.domain.encode(), key) + raw
            server.sendmail(OFFICE.mail, [PEOPLE[number % len(PEOPLE)].address], raw)
    return mails / (time.perf_counter() - began)


def _bare_mail(told: Invitation) -> EmailMessage:
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"], mail["To"] = formataddr((OFFICE.name, OFFICE.mail)), formataddr((told.name, told.address))
    mail["Subject"], mail["Date"] = told.subject, format_datetime(told.made_at)
    mail["Message-ID"] = f"<{told.notice}@{OFFICE.domain}>"
    mail.set_content(plain_text(told), cte="base64")
    mail.add_alternative(html_text(told), subtype="html", cte="base64")
    made = _bare_calendar(told)
    mail.add_alternative(made, maintype="text", subtype="calendar", params={"method": "REQUEST"}, cte="base64")
    mail.add_attachment(made, maintype="application", subtype="ics", filename="invite.ics")
    return mail


def _bare_calendar(told: Invitation) -> bytes:
    event = Event()
    event.add("UID", f"{told.uid}@{OFFICE.domain}")
    event.add("DTSTAMP", told.made_at)
    event.add("SEQUENCE", told.sequence)
    event.add("DTSTART", told.starts.astimezone(TOKYO))
    event.add("DTEND", told.ends.astimezone(TOKYO))
    event.add("SUMMARY", told.subject)
    event.add("LOCATION", told.place)
    for name, address, shown in (("ORGANIZER", OFFICE.mail, OFFICE.name), ("ATTENDEE", told.address, told.name)):
        who = vCalAddress(f"mailto:{address}")
        who.params["CN"] = shown
        event.add(name, who, encode=0)
    calendar = Calendar()
    calendar.add("PRODID", "-//bare//")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "REQUEST")
    calendar.add_component(event)
    calendar.add_component(ZONE)
    made: bytes = calendar.to_ical()
    return made


class Sink:
    """A mail server in a process of its own that takes everything and keeps nothing."""

    def __enter__(self) -> int:
        self._running = subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True)
        assert self._running.stdout is not None
        return int(self._running.stdout.readline())

    def __exit__(self, *_: object) -> None:
        for mailer in _mailers.values():
            mailer.close()
        self._running.terminate()
        self._running.wait()
