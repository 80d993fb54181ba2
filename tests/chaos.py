"""The kill test: everything runs as `kasane up` runs it, referrals pour in, and every process is killed on the way.

Used by tests/test_kill.py with a few seeds and by bench/kill.py with many.
"""

import asyncio
import contextlib
import os
import random
import re
import signal
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from contracts.consent import ConsentState
from contracts.intake import Problem, Sheet
from services.demo import Running, elsewhere, invitations_in
from services.operator import Operator, operator
from services.postbox import repeated
from services.processes import PROCESSES
from services.service import AskFailed
from services.settings import Settings

ROOT = Path(__file__).parent.parent
REFERRALS = 200
REPEATS = 24
"""Mails that may come twice in one run: the eight under way when notify, the postbox or nats-server is killed."""
PLACED = """
    select "case" from item join agenda on agenda.item = item.id
    join sitting on sitting.id = agenda.sitting where fixed
"""
NAMES = ("髙橋 キヨ子", "𠮷田 進", "グエン ティ ホア", "﨑山 ミツ", "SANTOS MARIA CLARA")


@dataclass(frozen=True)
class Aftermath:
    """What was found when all was calm again."""

    kills: int
    mails: int
    repeated: int
    faults: tuple[str, ...]


def roomy_profile(folder: Path) -> Path:
    """小林市 with monthly sittings of many items, so that 200 referrals find a place within the year."""
    source = ROOT / "examples" / "kobayashi"
    folder.mkdir(parents=True)
    text = (source / "profile.toml").read_text("utf-8")
    text = re.sub(r"capacity = \d+", "capacity = 60", text)
    text = re.sub(r", lengths = \{[^}]*\}", "", text)  # sixty items have a minute each
    (folder / "profile.toml").write_text(text, "utf-8")
    for name in ("staff.csv", "commissions.csv"):
        (folder / name).write_bytes((source / name).read_bytes())
    return folder


def sheets(seed: int, count: int = REFERRALS) -> list[Sheet]:
    """Referrals of one run: most consented, some without consent, a few urgent."""
    return [
        Sheet(
            municipality="452050",
            number=f"{seed:03}{number:05}",
            resident_number=f"{seed:04}{number:06}",
            received_on=date(2026, 11, 2),
            referrer="houkatsu-kobayashi" if number % 2 else "kikan",
            referrer_staff="日髙 奈緒",
            name=NAMES[number % len(NAMES)],
            kana="",
            sex="unknown",
            born_on=None,
            address="",
            phone="",
            problems=(Problem.DEBT, Problem.ELDER_CARE),
            wishes="",
            members=(),
            household_size=2,
            agencies=("kikan", "houkatsu-kobayashi"),
            reason="家計と介護をいっしょに相談したい。",
            urgent=number % 50 == 0,
            consent=ConsentState.REFUSED if number % 20 == 7 else ConsentState.GIVEN,
            consented_on=None if number % 20 == 7 else date(2026, 11, 2),
        )
        for number in range(count)
    ]


def survive(seed: int) -> Aftermath:
    """One run: start, pour, kill each process once at a random moment, wait until calm, look."""
    with tempfile.TemporaryDirectory(prefix="kasane-kill-") as folder:
        settings = elsewhere(Settings(profile=roomy_profile(Path(folder) / "profile")), Path(folder) / "var")
        with Running(settings) as running:
            kills, calm = asyncio.run(_storm(running, settings, seed))
        faults = () if calm else ("not calm in time",)
        mails = len(list((settings.home / "mail").glob("*.eml")))
        return Aftermath(kills, mails, repeated(settings.home / "mail"), (*faults, *_look(settings)))


async def _storm(running: Running, settings: Settings, seed: int) -> tuple[int, bool]:
    chance = random.Random(seed)
    async with operator(settings) as asking:
        pouring = asyncio.create_task(_pour(asking, sheets(seed), chance))
        kills = 0
        victims = sorted(running.pids)
        chance.shuffle(victims)
        for name in victims:
            await asyncio.sleep(chance.uniform(0.05, 0.45))  # the moment of death, not a wait for anything
            with contextlib.suppress(ProcessLookupError, KeyError):
                os.kill(running.pids[name], signal.SIGKILL)
                kills += 1
        await asyncio.wait_for(pouring, 90)
        return kills, await asking.calm(PROCESSES, 120)


async def _pour(asking: Operator, all_sheets: list[Sheet], chance: random.Random) -> None:
    """Hand the sheets over a few at a time; whoever gets no answer asks again, as a person would."""
    for first in range(0, len(all_sheets), 10):
        while True:
            try:
                results = await asyncio.wait_for(asking.take_in(all_sheets[first : first + 10], dry_run=False), 5)
                assert {one.outcome for one in results} <= {"accepted", "unchanged"}
                break
            except (AskFailed, TimeoutError):
                await asyncio.sleep(0.1)
        await asyncio.sleep(chance.uniform(0.0, 0.2))


def _look(settings: Settings) -> list[str]:
    """Every referral led to exactly one case and one agenda item, every seat to one invitation; else what is wrong."""
    faults = []
    cases = _column(settings, "coordination@juso", "select id from case_") + _column(
        settings, "coordination@shien", "select id from case_"
    )
    referrals = _column(settings, "intake", "select id from referral")
    placed, seats = [], 0
    for one in ("juso", "shien"):
        placed += _column(settings, f"meetings@{one}", PLACED)
        seats += len(_column(settings, f"meetings@{one}", "select person from seat where cancelled_at is null"))
        again = _column(
            settings, f"meetings@{one}", "select count(*) from seat group by sitting, person having count(*) > 1"
        )
        faults += [f"{one}: {len(again)} people sit twice"] if again else []
    if len(referrals) != REFERRALS:
        faults.append(f"{len(referrals)} referrals")
    if len(cases) != REFERRALS or len(set(cases)) != REFERRALS:
        faults.append(f"{len(cases)} cases, {len(set(cases))} different")
    if sorted(placed) != sorted(cases):
        faults.append(f"{len(placed)} placed items, {len(set(placed))} different, for {len(cases)} cases")
    for process in PROCESSES:
        aside = _column(settings, process.name, "select error from parked")
        faults += [f"{process.name} parked {len(aside)}: {aside[0]}"] if aside else []
    return faults + _look_at_mail(settings, seats)


def _look_at_mail(settings: Settings, seats: int) -> list[str]:
    invited = Counter(map(_uid_and_attendee, invitations_in(settings.home / "mail")))
    faults = [f"{count} mails for one seat" for count in invited.values() if count > 1]
    again = repeated(settings.home / "mail")
    faults += [f"{again} mails came again"] if again > REPEATS else []
    unreachable = 0
    for one in ("juso", "shien"):
        unreachable += len(_column(settings, f"meetings@{one}", "select id from notice where state = 'not_sent'"))
    if len(invited) + unreachable != seats:
        faults.append(f"{len(invited)} invitations and {unreachable} without an address for {seats} seats")
    return faults


def _uid_and_attendee(mail: bytes) -> tuple[str, str]:
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(mail)
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            payload = part.get_payload(decode=True)
            text = payload.decode() if isinstance(payload, bytes) else ""
            uid = re.search(r"^UID:(.+?)\r?$", text, re.MULTILINE)
            return (uid.group(1) if uid else "", str(message["To"]))
    return ("", str(message["To"]))


def _column(settings: Settings, process: str, query: str) -> list[object]:
    connection = sqlite3.connect(f"file:{settings.home / 'stores' / process}.db?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute(query)]
    finally:
        connection.close()
