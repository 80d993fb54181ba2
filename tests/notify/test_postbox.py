"""The local mailbox: the exact bytes of every mail, once, on the disk before the sender hears 250."""

import asyncio
import os
import shutil
import stat
from pathlib import Path

import aiosmtplib
import pytest

from services.postbox import SIZE_LIMIT, file_name, repeated
from tests.notify.outside import free_port, postbox

MAIL = b"From: a@b.example\r\nTo: c@d.example\r\nMessage-ID: <1@b.example>\r\n\r\n.dots\r\n..more\r\n\xe9\xab\x99\r\n"


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "repeated.txt")


async def deliver(port: int, mail: bytes, *recipients: str) -> None:
    await aiosmtplib.send(mail, sender="a@b.example", recipients=list(recipients), hostname="127.0.0.1", port=port)


async def test_a_mail_is_kept_byte_for_byte_and_only_for_its_owner(folder: Path):
    port = free_port()
    async with postbox(folder, port):
        await deliver(port, MAIL, "c@d.example")
    [mail] = kept(folder)
    assert mail.read_bytes() == MAIL
    assert mail.suffix == ".eml"
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (folder, mail)] == [0o700, 0o600]


async def test_the_same_mail_delivered_again_is_one_file_and_another_recipient_another(folder: Path):
    port = free_port()
    async with postbox(folder, port):
        await asyncio.gather(*(deliver(port, MAIL, "c@d.example") for _ in range(5)))
        assert len(kept(folder)) == 1
        await deliver(port, MAIL, "c@d.example", "e@f.example")
        assert len(kept(folder)) == 2
        await deliver(port, MAIL.replace(b"<1@", b"<2@"), "c@d.example")
        assert len(kept(folder)) == 3


async def test_whatever_is_delivered_again_is_counted_also_when_it_comes_at_the_same_time(folder: Path):
    port = free_port()
    async with postbox(folder, port):
        await deliver(port, MAIL, "c@d.example", "e@f.example")
        assert repeated(folder) == 0
        await asyncio.gather(*(deliver(port, MAIL.replace(b"<1@", b"<2@"), "c@d.example") for _ in range(5)))
        assert repeated(folder) == 4
    async with postbox(folder, port):
        await deliver(port, MAIL, "c@d.example")
    assert repeated(folder) == 5
    [*_, last] = (folder / "repeated.txt").read_text().splitlines()
    assert last == file_name("c@d.example", MAIL)
    assert stat.S_IMODE(os.stat(folder / "repeated.txt").st_mode) == 0o600


@pytest.mark.rule("S17")
def test_file_names_say_nothing_and_a_message_id_in_the_text_is_none():
    name = file_name("takahashi@houkatsu.example", MAIL)
    assert "takahashi" not in name
    assert len(name) == 36
    without = MAIL.replace(b"Message-ID: <1@b.example>\r\n", b"")
    assert file_name("c@d.example", without + b"Message-ID: <1@b.example>\r\n") != file_name("c@d.example", MAIL)
    assert file_name("c@d.example", without) != file_name("c@d.example", without + b"x")


async def test_a_mail_that_is_too_large_is_refused_and_the_next_one_taken(folder: Path):
    port = free_port()
    async with postbox(folder, port):
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await deliver(port, MAIL + b"x\r\n" * (SIZE_LIMIT // 3 + 1), "c@d.example")
        assert refused.value.code == 552
        assert kept(folder) == []
        await deliver(port, MAIL, "c@d.example")
    assert len(kept(folder)) == 1


async def test_a_disk_that_takes_nothing_makes_the_sender_try_later(folder: Path):
    port = free_port()
    async with postbox(folder, port):
        shutil.rmtree(folder)
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await deliver(port, MAIL, "c@d.example")
    assert refused.value.code == 452


async def test_what_a_crash_left_unfinished_is_gone_after_the_next_start_and_mails_stay(folder: Path):
    os.mkdir(folder)
    (folder / "half.part").write_bytes(b"From: ")
    (folder / "whole.eml").write_bytes(MAIL)
    async with postbox(folder, free_port()):
        assert [path.name for path in kept(folder)] == ["whole.eml"]


async def test_when_it_ends_its_port_is_free_again_even_with_a_sender_connected(folder: Path):
    port = free_port()
    async with postbox(folder, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    async with postbox(folder, port):
        await deliver(port, MAIL, "c@d.example")
