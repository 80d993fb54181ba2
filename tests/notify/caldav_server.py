"""Radicale, a CalDAV server of other people's making, on loopback."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.notify.outside import free_port

LOGIN, PASSWORD = "takahashi", "sazanka-2026"


@dataclass(frozen=True)
class CalDav:
    """The server, and one person's calendar on it."""

    calendar: str
    """Its address, with a slash at the end."""

    def get(self, name: str) -> httpx.Response:
        return httpx.get(f"{self.calendar}{name}", auth=(LOGIN, PASSWORD))

    def put(self, name: str, content: bytes) -> httpx.Response:
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        return httpx.put(f"{self.calendar}{name}", content=content, headers=headers, auth=(LOGIN, PASSWORD))

    def names(self) -> set[str]:
        """What lies in the calendar."""
        found = httpx.request("PROPFIND", self.calendar, headers={"Depth": "1"}, auth=(LOGIN, PASSWORD)).text
        hrefs = [part.partition("</href>")[0] for part in found.split("<href>")[1:]]
        return {href.rpartition("/")[2] for href in hrefs} - {""}


@contextmanager
def caldav_server(folder: Path) -> Iterator[CalDav]:
    """Radicale with one user and one empty calendar, until the block ends."""
    port = free_port()
    (folder / "users").write_text(f"{LOGIN}:{PASSWORD}\n")
    options = [f"--server-hosts=127.0.0.1:{port}", f"--storage-filesystem-folder={folder / 'kept'}"]
    options += ["--auth-type=htpasswd", f"--auth-htpasswd-filename={folder / 'users'}"]
    options += ["--auth-htpasswd-encryption=plain", "--auth-delay=0", "--logging-level=error"]
    running = subprocess.Popen([sys.executable, "-m", "radicale", "--config=", *options])
    calendar = f"http://127.0.0.1:{port}/{LOGIN}/kaigi/"
    try:
        _wait_for(f"http://127.0.0.1:{port}/.web", running)
        made = httpx.request("MKCALENDAR", calendar, auth=(LOGIN, PASSWORD))
        assert made.status_code == 201, made.status_code
        yield CalDav(calendar)
    finally:
        running.terminate()
        running.wait(10)


def _wait_for(address: str, running: subprocess.Popen[bytes], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            httpx.get(address)
            return
        except httpx.TransportError:
            assert running.poll() is None, "it ended"
            assert time.monotonic() < until, "it does not listen"
