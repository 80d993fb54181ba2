"""``kasane demo``: the whole path once, in a temporary place on free ports, as a user would walk it."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from contracts.message import Compartment
from contracts.pulse import Pulse
from services.importer import Imported, import_file
from services.launcher import PORTS, free_ports
from services.operator import NotRunning, operator
from services.postbox import repeated
from services.service import Process
from services.settings import Settings

CALM_SECONDS = 120.0


def elsewhere(settings: Settings, folder: Path) -> Settings:
    """The same settings in another folder, on free ports."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    return settings.model_copy(update={"var": folder, "profile": settings.profile.absolute(), **ports})


class Running:
    """``kasane up`` in a process of its own, as a context."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> "Running":
        variables = {"KASANE_" + name.upper(): str(getattr(self.settings, name)) for name in PORTS}
        variables |= {"KASANE_VAR": str(self.settings.var), "KASANE_PROFILE": str(self.settings.profile)}
        variables |= {"KASANE_MUNICIPALITY": self.settings.municipality, "KASANE_STORE_URL": self.settings.store_url}
        variables |= {"NATS_URL": self.settings.nats_url}
        self._up = subprocess.Popen(
            [sys.executable, "-m", "services", "up"],
            env=os.environ | {k: v for k, v in variables.items() if v},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.screen = ""
        while self._up.stdout and (line := self._up.stdout.readline()):
            self.screen += line
            if "Ctrl-C" in line:
                return self
        raise NotRunning(self.screen or "kasane up が終わりました。")

    def __exit__(self, *exc: object) -> None:
        self._up.send_signal(signal.SIGTERM)
        try:
            self._up.wait(30)
        except subprocess.TimeoutExpired:
            self._up.kill()
            self._up.wait()
        if self._up.stdout:
            self._up.stdout.close()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name, as they are now."""
        found: dict[str, int] = json.loads((self.settings.home / "pids.json").read_text())
        return found


def run(settings: Settings, processes: Sequence[Process], out: Path | None, as_json: bool) -> int:
    """Run the demonstration and print what happened. Returns the exit status."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kasane-") as folder:
        own = elsewhere(settings, Path(folder))
        with Running(own):
            summary = asyncio.run(_walk(own, processes))
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for mail in (own.home / "mail").glob("*.eml"):
                shutil.copy(mail, out)
    summary["seconds"] = round(time.monotonic() - began, 1)
    for key, value in summary.items():
        print(f"{key:>24}  {value}")
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    return 0 if summary["ok"] else 1


async def _walk(settings: Settings, processes: Sequence[Process]) -> dict[str, object]:
    quiet: list[str] = []
    async with operator(settings) as asking:
        aside = settings.home / "example-rejected.csv"
        imported = await import_file(settings.profile / "referrals.csv", settings, quiet.append, rejected=aside)
        faulty = settings.profile / "referrals-with-faults.csv"
        refused = 0
        if faulty.exists():
            rejected = settings.home / "rejected.csv"
            refused = (await import_file(faulty, settings, quiet.append, rejected=rejected)).refused
        calm = await asking.calm(processes, CALM_SECONDS)
        answered = await asyncio.to_thread(answer_invitations, settings)
        calm = calm and await asking.calm(processes, CALM_SECONDS)
        pulses = {pulse.process: pulse for pulse in await asking.pulses(processes) if pulse}
    return _summary(settings, processes, pulses, imported, refused, answered, calm)


def _summary(
    settings: Settings,
    processes: Sequence[Process],
    pulses: dict[str, Pulse],
    imported: Imported,
    refused: int,
    answered: int,
    calm: bool,
) -> dict[str, object]:
    def tally(process: str, key: str) -> int:
        return pulses[process].tally.get(key, 0) if process in pulses else 0

    invitations = sum(tally(f"meetings@{one}", "invitations") for one in Compartment)
    mails = len(invitations_in(settings.home / "mail"))
    twice = repeated(settings.home / "mail")
    parked = sum(pulse.parked for pulse in pulses.values())
    answers = sum(tally(f"meetings@{one}", "answers") for one in Compartment)
    all_well = (
        calm and len(pulses) == len(processes) and not parked and mails == invitations > 0 and answers == answered
    )
    cases = sum(tally(f"coordination@{one}", "cases") for one in Compartment)
    return {
        "ok": all_well and not twice and cases == tally("intake", "referrals") - tally("intake", "held"),
        "referrals": tally("intake", "referrals"),
        "held": tally("intake", "held"),
        "cases_juso": tally("coordination@juso", "cases"),
        "cases_shien": tally("coordination@shien", "cases"),
        "sittings_regular_juso": tally("meetings@juso", "sittings_regular"),
        "sittings_adhoc_juso": tally("meetings@juso", "sittings_adhoc"),
        "sittings_regular_shien": tally("meetings@shien", "sittings_regular"),
        "sittings_adhoc_shien": tally("meetings@shien", "sittings_adhoc"),
        "seats": sum(tally(f"meetings@{one}", "seats") for one in Compartment),
        "invitations": invitations,
        "mails": mails,
        "repeated": twice,
        "answers": answers,
        "refused_lines": refused + imported.refused,
        "parked": parked,
    }


def answer_invitations(settings: Settings) -> int:
    """Answer two of three invitations in the mailbox by their links, as people do; every fourth answer is 欠席."""
    answered = 0
    for number, mail in enumerate(invitations_in(settings.home / "mail")):
        if number % 3 == 2:
            continue
        link = answer_link(mail)
        answer = b"answer=absent" if number % 4 == 3 else b"answer=attend"
        request = urllib.request.Request(link, data=answer, method="POST")  # noqa: S310 - our own window on loopback
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            answered += response.status == 200
    return answered


def invitations_in(folder: Path) -> list[bytes]:
    """The mails with a calendar entry; a reminder of what is due has none, and nothing to answer (S17)."""
    mails = (path.read_bytes() for path in sorted(folder.glob("*.eml")))
    return [one for one in mails if b"text/calendar" in one]


def answer_link(mail: bytes) -> str:
    """The answer link in an invitation's text part. Raises ValueError when there is none."""
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(mail)
    body = message.get_body(("plain",))
    found = re.search(r"https?://\S+/a/[A-Za-z0-9_-]{32}", body.get_content() if body else "")
    if not found:
        raise ValueError("this mail has no answer link")
    return found.group()
