"""The local mailbox of ``kasane up`` and the tests: an SMTP server that puts each mail into a folder."""

import asyncio
import logging
import os
import re
import tempfile
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

SIZE_LIMIT = 1_000_000
"""Octets a mail may have."""

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_UNFINISHED = ".part"
_REPEATED = "repeated.txt"


async def serve(folder: Path, host: str, port: int, ready: Callable[[], None]) -> None:
    """Take mails until cancelled; ``ready`` is called when it listens. One ``.eml`` per mail and recipient: its bytes.

    A mail that comes again replaces its file and is counted (``repeated``), so that nobody has to believe it did not.
    The folder is made if need be and open to its owner only. Raises OSError when it cannot listen or write there.
    """
    _prepare(folder)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # below that aiosmtpd writes addresses into the log
    connections: WeakSet[SMTP] = WeakSet()
    keeper = _Keeper(folder)

    def accept() -> SMTP:
        connection = SMTP(keeper, data_size_limit=SIZE_LIMIT, hostname="localhost", ident="kasane postbox")
        connections.add(connection)
        return connection

    server = await asyncio.get_running_loop().create_server(accept, host, port)
    try:
        ready()
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for connection in connections:
            if connection.transport is not None:
                connection.transport.close()


def repeated(folder: Path) -> int:
    """How many mails came again although they had been kept."""
    try:
        return len((folder / _REPEATED).read_text("ascii").splitlines())
    except FileNotFoundError:
        return 0


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for left_over in folder.glob(f"*{_UNFINISHED}"):
        left_over.unlink()


class _Keeper:
    """What aiosmtpd calls."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one_at_a_time = threading.Lock()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answer 250 only when the mail is on the disk."""
        mail = bytes(envelope.original_content or b"")
        try:
            for recipient in envelope.rcpt_tos:
                await asyncio.to_thread(_keep, self._folder, recipient, mail, self._one_at_a_time)
        except OSError:
            return "452 Insufficient system storage"
        return "250 OK"


def file_name(recipient: str, mail: bytes) -> str:
    """The same for the same mail to the same person, and no word of either: names of files are seen by many (S17)."""
    found = _MESSAGE_ID.search(mail.partition(b"\r\n\r\n")[0])
    return sha256(recipient.encode() + b"\0" + (found[1] if found else mail)).hexdigest()[:32] + ".eml"


def _keep(folder: Path, recipient: str, mail: bytes, lock: threading.Lock) -> None:
    handle, unfinished = tempfile.mkstemp(suffix=_UNFINISHED, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(mail)
            file.flush()
            os.fsync(file.fileno())
        kept = folder / file_name(recipient, mail)
        with lock:  # of two at the same time one is the first
            if kept.exists():
                _note_repeated(folder, kept.name)
            Path(unfinished).replace(kept)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _note_repeated(folder: Path, name: str) -> None:
    noted = os.open(folder / _REPEATED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(noted, "a", encoding="ascii") as file:
        file.write(f"{name}\n")
