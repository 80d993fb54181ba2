"""The product as its users meet it: the command line, the processes, the pages and the mail, all real."""

import asyncio
import json
import re
import smtplib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from icalendar import Calendar, Event

from contracts.consent import ConsentState
from contracts.intake import Held
from contracts.message import Account
from services.demo import Running, answer_invitations, answer_link, elsewhere, invitations_in
from services.operator import operator
from services.processes import PROCESSES
from services.settings import Settings
from tests.chaos import sheets

ROOT = Path(__file__).parent.parent
KOBAYASHI = ROOT / "examples" / "kobayashi"


def kasane(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a person would, in the place that ``settings`` name."""
    names = (
        "var",
        "profile",
        "municipality",
        "nats_port",
        "desk_juso_port",
        "desk_shien_port",
        "window_port",
        "smtp_port",
        "mail_in_port",
    )
    variables = {f"KASANE_{name.upper()}": str(getattr(settings, name)) for name in names}
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A fresh folder and free ports."""
    return elsewhere(Settings(profile=KOBAYASHI), tmp_path_factory.mktemp("kasane"))


@pytest.fixture(scope="module")
def running(place: Settings) -> Iterator[Running]:
    """小林市, running, with the example's referrals taken in and all calm."""
    with Running(place) as one:
        assert kasane(place, "import", str(KOBAYASHI / "referrals.csv")).returncode == 0
        assert asyncio.run(_calm(place))
        yield one


async def _calm(settings: Settings) -> bool:
    async with operator(settings) as asking:
        return await asking.calm(PROCESSES, 60)


async def _tally(settings: Settings) -> dict[str, dict[str, int]]:
    """What each process holds; not the reminders, which go out by the clock, whatever is done meanwhile."""
    async with operator(settings) as asking:
        pulses = [pulse for pulse in await asking.pulses(PROCESSES) if pulse]
    return {one.process: {key: many for key, many in one.tally.items() if key != "reminded"} for one in pulses}


def test_the_demonstration_walks_the_whole_path(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "demo", "--json", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, summary["ok"]) == (0, True)
    assert (summary["referrals"], summary["held"], summary["refused_lines"]) == (32, 2, 7)
    assert summary["cases_juso"] + summary["cases_shien"] == 30
    assert summary["sittings_regular_juso"] > 0
    assert summary["sittings_adhoc_shien"] == summary["cases_shien"], "in 小林市 a 支援会議 is held 随時"
    assert summary["invitations"] == len(invitations_in(tmp_path))
    assert 0 < summary["answers"] < summary["invitations"]


def test_importing_the_same_file_twice_changes_nothing(running: Running) -> None:
    before = asyncio.run(_tally(running.settings))
    again = kasane(running.settings, "import", str(KOBAYASHI / "referrals.csv"))
    assert "受付 0、変更なし 28、保留 0、受け付けない行 0" in again.stdout
    assert asyncio.run(_calm(running.settings))
    assert asyncio.run(_tally(running.settings)) == before


def test_a_dry_run_tells_and_stores_nothing(running: Running, tmp_path: Path) -> None:
    before = asyncio.run(_tally(running.settings))
    rejected = tmp_path / "rejected.csv"
    faulty = str(KOBAYASHI / "referrals-with-faults.csv")
    tried = kasane(running.settings, "import", faulty, "--dry-run", "--rejected", str(rejected))
    assert tried.returncode == 1
    assert "確認のみ: 受付 4、変更なし 0、保留 0、受け付けない行 7" in tried.stdout
    assert len(rejected.read_bytes().decode("cp932").splitlines()) >= 8
    assert asyncio.run(_tally(running.settings)) == before


@pytest.mark.rule("S17")
def test_no_mail_tells_whom_or_what_it_is_about_or_of_which_kind_it_is(running: Running) -> None:
    mails = invitations_in(running.settings.home / "mail")
    assert len(mails) > 50
    subjects = {re.search(rb"^Subject: (.*(?:\r\n .*)*)", mail, re.MULTILINE)[1] for mail in mails}  # type: ignore[index]
    assert len(subjects) == 1
    hosts = {answer_link(mail).rsplit("/", 1)[0] for mail in mails}
    assert len(hosts) == 1, "the link's host must not tell the kind of meeting"


def organiser_of(raw: bytes) -> str:
    return str(invitation_of(raw).events[0]["ORGANIZER"]).removeprefix("mailto:")


def invitation_of(raw: bytes) -> Calendar:
    return Calendar.from_ical(list(message_from_bytes(raw).walk())[-1].get_payload(decode=True))


def reply_to(raw: bytes, partstat: str, sender: str = "") -> bytes:
    """What a calendar program answers for the person it was sent to."""
    invited = invitation_of(raw).events[0]
    sender = sender or str(invited["ATTENDEE"]).removeprefix("mailto:")
    answer = Event()
    for name in ("UID", "SEQUENCE", "DTSTART"):
        answer.add(name, invited[name])
    answer.add("DTSTAMP", datetime.now(UTC))
    answer.add("ATTENDEE", f"mailto:{sender}", parameters={"PARTSTAT": partstat})
    calendar = Calendar()
    for name, value in (("PRODID", "-//x//x//EN"), ("VERSION", "2.0"), ("METHOD", "REPLY")):
        calendar.add(name, value)
    calendar.add_component(answer)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = sender, organiser_of(raw), f"<{invited['UID']}-{sender}>"
    mail.set_content("髙橋美津子様の件、参加します。")
    mail.add_attachment(calendar.to_ical(), "text", "calendar", filename="reply.ics")
    return mail.as_bytes(policy=SMTP)


def hand_in(settings: Settings, raw: bytes, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", settings.mail_in_port, timeout=20) as client:
        assert client.sendmail("whoever@mx.example", [to], raw) == {}


def test_an_answer_by_link_or_by_mail_reaches_its_seat_and_looking_changes_nothing(running: Running) -> None:
    mail = invitations_in(running.settings.home / "mail")[0]
    link = answer_link(mail)
    with urllib.request.urlopen(link, timeout=10) as page:
        assert "未回答" in page.read().decode()
    before = asyncio.run(_tally(running.settings))
    answered = answer_invitations(running.settings)
    after = asyncio.run(_tally(running.settings))
    count = {name: sum(t[p].get("answers", 0) for p in t) for name, t in (("before", before), ("after", after))}
    assert count == {"before": 0, "after": answered}
    with urllib.request.urlopen(link, timeout=10) as page:
        assert "出席" in page.read().decode()
    hand_in(running.settings, reply_to(mail, "DECLINED", sender="somebody@elsewhere.example"), organiser_of(mail))
    with urllib.request.urlopen(link, timeout=10) as page:
        assert '<strong class="attend">出席</strong>' in page.read().decode(), "nobody else answers for the invited"
    for _ in range(2):
        hand_in(running.settings, reply_to(mail, "DECLINED"), organiser_of(mail))
    with urllib.request.urlopen(link, timeout=10) as page:
        assert '<strong class="absent">欠席</strong>' in page.read().decode()


def test_what_is_withdrawn_waits_until_a_person_decides(running: Running) -> None:
    listed = kasane(running.settings, "held").stdout
    assert "C11" in listed

    async def held() -> list[str]:
        async with operator(running.settings) as asking:
            return [str(one.referral) for one in (await asking.ask(Account.INTAKE, Held())).held]

    first, *others = asyncio.run(held())
    assert len(others) == 1
    refused = kasane(running.settings, "open-shien", first, "--reason", "短い")
    assert (refused.returncode, "理由" in refused.stderr) == (2, True)
    opened = kasane(running.settings, "open-shien", first, "--reason", "安否の確認が急がれ、機関の連携が要るため")
    assert opened.returncode == 0, opened.stderr
    assert asyncio.run(held()) == others
    assert asyncio.run(_calm(running.settings))


def test_no_client_is_named_in_any_log_or_on_any_stream_or_in_the_stores_that_must_not(running: Running) -> None:
    names = ["髙橋 キヨ子", "上野 重信", "岩元 沙也加"]
    home = running.settings.home
    silent = [*(home / "log").glob("*"), *(home / "nats").rglob("*"), *(home / "mail").glob("*")]
    silent += [*(home / "stores").glob("*"), *(home / "vaults").glob("*")]
    for path in silent:
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in names for code in ("utf-8", "cp932") if name.encode(code) in content], path
    assert any(b"0000123" in path.read_bytes() for path in (home / "stores").glob("intake*")), "the hunt can find"


def test_an_erased_case_is_gone_from_its_page_from_the_import_and_from_its_meeting(running: Running) -> None:
    """One that no other test counts: taken in here, erased by its number on the desk."""
    settings = running.settings
    (one,) = [one for one in sheets(7) if one.number == "00700001"]

    async def take_in() -> str:
        async with operator(settings) as asking:
            return (await asking.take_in([one], dry_run=False))[0].outcome

    assert asyncio.run(take_in()) == "accepted"
    assert asyncio.run(_calm(settings))
    case = _asked(settings, "select case_ref from juso_case join referral on referral = id where number = '00700001'")
    assert one.name in _case_page(settings, case)
    assert _on_agendas(settings, case) == 1
    for _ in range(2):
        done = kasane(settings, "erase", "--referral", f"{one.referrer}/{one.number}", "--reason", "request")
        assert (done.returncode, "消去しました" in done.stdout) == (0, True), done.stderr
    page = _case_page(settings, case)
    assert one.name not in page
    assert "撤回" in page
    assert asyncio.run(take_in()) == "refused"
    assert asyncio.run(_calm(settings))
    assert _on_agendas(settings, case) == 0
    by_case = kasane(settings, "erase", "--case", case, "--compartment", "juso", "--reason", "request")
    assert (by_case.returncode, by_case.stderr) == (0, "")
    wrong = kasane(settings, "erase", "--case", case, "--compartment", "shien", "--reason", "request")
    assert (wrong.returncode, "その事案はありません" in wrong.stdout) == (1, True)
    for usage in (["--case", case], ["--referral", "kikan/"], ["--referral", "x", "--compartment", "juso"]):
        assert kasane(settings, "erase", *usage, "--reason", "request").returncode == 2, usage
    deadline = time.monotonic() + 20
    while not _asked(settings, "select count(cleared_at) from erased"):
        assert time.monotonic() < deadline


def _on_agendas(settings: Settings, case: str) -> int:
    """On how many agendas the case stands."""
    query = 'select count(*) from agenda join item on item.id = agenda.item where "case" = ?'
    return int(_asked(settings, query, "meetings@juso", UUID(case).hex) or 0)


def _asked(settings: Settings, query: str, of: str = "intake", *given: str) -> str:
    """One value out of intake's store, or of another's."""
    connection = sqlite3.connect(f"file:{settings.home / 'stores' / of}.db?mode=ro", uri=True)
    try:
        value = connection.execute(query, given).fetchone()[0]
    finally:
        connection.close()
    return str(value) if value else ""


def _case_page(settings: Settings, case: str) -> str:
    """What a person of the juso desk reads of a case."""
    base = f"http://127.0.0.1:{settings.desk_juso_port}"
    with httpx.Client(base_url=base, follow_redirects=True, timeout=10) as browser:
        browser.post("/sign-in", data={"login": "takahashi", "password": "hiiragi-2026"})
        return browser.get(f"/cases/{UUID(case)}").text


def test_a_second_start_in_the_same_place_says_what_to_do(running: Running) -> None:
    second = kasane(running.settings, "up")
    assert second.returncode == 1
    assert "先に止めてください" in second.stderr


def test_a_taken_port_says_which_variable_to_set(tmp_path: Path) -> None:
    settings = elsewhere(Settings(profile=KOBAYASHI), tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.window_port))
        taken.listen()
        refused = kasane(settings, "up")
    assert refused.returncode == 1
    assert f"ポート {settings.window_port} は使われています" in refused.stderr
    assert "KASANE_WINDOW_PORT" in refused.stderr


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = kasane(elsewhere(Settings(profile=KOBAYASHI), tmp_path / "file"), "up")
    assert refused.returncode == 1
    assert "書き込めません" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_store_of_a_newer_kasane_is_left_alone(tmp_path: Path) -> None:
    settings = elsewhere(Settings(profile=KOBAYASHI), tmp_path)
    with Running(settings):
        pass
    store = settings.home / "stores" / "intake.db"
    connection = sqlite3.connect(store)
    with connection:
        connection.execute("update label set value = '99' where key = 'schema'")
    connection.close()
    refused = kasane(settings, "up")
    assert refused.returncode == 1
    assert "新しい版" in refused.stderr
    assert "更新してください" in refused.stderr


def test_without_a_running_kasane_a_command_says_how_to_start_it(tmp_path: Path) -> None:
    settings = elsewhere(Settings(profile=KOBAYASHI), tmp_path)
    for command in (["held"], ["parked"], ["import", str(KOBAYASHI / "referrals.csv")]):
        refused = kasane(settings, *command)
        assert refused.returncode == 1
        assert "make up" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_city_with_one_body_on_two_legal_bases_hears_both_kinds_in_its_regular_meeting(tmp_path: Path) -> None:
    settings = elsewhere(Settings(profile=ROOT / "examples" / "yasu", municipality="252107"), tmp_path)
    agencies = ("houkatsu", "kenko")
    referrals = [
        one.model_copy(
            update={
                "municipality": "252107",
                "referrer": agencies[0],
                "agencies": agencies,
                "urgent": False,
                "received_on": date(2026, 11, 2),
                "consent": ConsentState.GIVEN if number % 2 else ConsentState.REFUSED,
                "consented_on": date(2026, 11, 2) if number % 2 else None,
            }
        )
        for number, one in enumerate(sheets(1)[:4])
    ]

    async def take_in() -> None:
        async with operator(settings) as asking:
            assert {one.outcome for one in await asking.take_in(referrals, dry_run=False)} == {"accepted"}

    with Running(settings):
        asyncio.run(take_in())
        assert asyncio.run(_calm(settings))
        tally = asyncio.run(_tally(settings))
    for compartment in ("juso", "shien"):
        found = tally[f"meetings@{compartment}"]
        assert (found["sittings_regular"], found["sittings_adhoc"], found["items"]) == (1, 0, 2)
