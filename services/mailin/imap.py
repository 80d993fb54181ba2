"""Looks through a mailbox, for a city whose mail server hands nothing on. What was passed on is marked as read.

The mailbox stays the city's: nothing is deleted, moved or kept. A mail read twice is passed on under the same request.
"""

import asyncio
import imaplib
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from contracts.mail_addresses import MailAddress, read_address
from services.mailin.reading import MOST_OCTETS, Came, read_mail
from services.settings import LOOPBACK, Settings

MOST_AT_ONCE = 100
"""Mails per look; the rest is for the next."""
MOST_ADDRESSES = 5
SECONDS = 30.0
_SIZE = re.compile(rb"RFC822\.SIZE ([0-9]+)")

Pass = Callable[[Came, MailAddress], Awaitable[bool]]


async def look_through(settings: Settings, domain: str, pass_on: Pass) -> None:
    """Look every so often until cancelled. A mailbox that is away is tried again."""
    while True:
        try:
            await look(settings, domain, pass_on)
        except (imaplib.IMAP4.error, OSError) as error:
            logging.getLogger("kasane").warning("the mailbox was not looked through: %s", type(error).__name__)
        await asyncio.sleep(settings.imap_seconds)


async def look(settings: Settings, domain: str, pass_on: Pass) -> int:
    """Pass on what is new; returns how many mails were. Raises IMAP4.error and OSError."""
    box = await asyncio.to_thread(_open, settings)
    done = 0
    try:
        for uid in await asyncio.to_thread(_unseen, box):
            raw = await asyncio.to_thread(_fetch, box, uid)
            came = await asyncio.to_thread(read_mail, raw)
            found = dict.fromkeys(one for to in came.addressed if (one := read_address(to, domain)))
            if all([await pass_on(came, to) for to in list(found)[:MOST_ADDRESSES]]):
                await asyncio.to_thread(box.uid, "STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
                done += 1
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            await asyncio.to_thread(box.logout)
    return done


def _open(settings: Settings) -> imaplib.IMAP4:
    """With TLS, but for this machine's own."""
    if settings.imap_host in LOOPBACK:
        box = imaplib.IMAP4(settings.imap_host, settings.imap_port, timeout=SECONDS)
    else:
        context = ssl.create_default_context()
        box = imaplib.IMAP4_SSL(settings.imap_host, settings.imap_port, ssl_context=context, timeout=SECONDS)
    box.login(settings.imap_user, settings.imap_password.get_secret_value())
    if box.select(_quoted(settings.imap_folder))[0] != "OK":
        raise imaplib.IMAP4.error("no such folder")
    return box


def _unseen(box: imaplib.IMAP4) -> list[str]:
    _, found = box.uid("SEARCH", "UNSEEN", "UNDELETED")  # type: ignore[no-untyped-call,unused-ignore]
    return [uid.decode("ascii") for uid in (found[0] or b"").split()[:MOST_AT_ONCE]]


def _fetch(box: imaplib.IMAP4, uid: str) -> bytes:
    """The mail; of one that is too large nothing, so that it is passed over and marked as read."""
    _, sizes = box.uid("FETCH", uid, "(RFC822.SIZE)")
    size = _SIZE.search(b" ".join(one if isinstance(one, bytes) else one[0] for one in sizes if one))
    if size is None or int(size[1]) > MOST_OCTETS:
        return b""
    _, parts = box.uid("FETCH", uid, "(BODY.PEEK[])")
    found: list[Any] = [one[1] for one in parts if isinstance(one, tuple)]
    return bytes(found[0]) if found else b""


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
