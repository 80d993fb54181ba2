"""The answer window behind the links in invitations."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import httpx
import pytest

from contracts.links import compartment_of, new_link
from contracts.meetings import AnswerByLink, LinkState, LookAtLink
from contracts.message import Account, Compartment
from services.desk.app import LARGEST_FORM
from services.desk.handlers import CannotListen, serve, service
from tests.desk.standin import JUSO, LINK_KEY, SHIEN, StandIn, browser, link

Desk = Callable[[Compartment | None], StandIn]


async def test_looking_at_a_link_changes_nothing_however_often_scanners_do_it(stand_in: Desk) -> None:
    work = stand_in(None)
    async with browser(work) as client:
        for method in ("GET", "HEAD", "GET"):
            assert (await client.request(method, f"/a/{link(JUSO)}?answer=attend")).status_code == 200
    assert {type(one) for one, _ in work.asked} == {LookAtLink}
    assert work.answer == "none"


async def test_an_answer_is_recorded_shown_and_may_be_changed(stand_in: Desk) -> None:
    work = stand_in(None)
    async with browser(work) as client:
        said = await client.post(f"/a/{link(SHIEN)}", data={"answer": "attend"})
        assert "「出席」で受け付けました" in said.text
        changed = await client.post(f"/a/{link(SHIEN)}", data={"answer": "absent"})
        assert "「欠席」で受け付けました" in changed.text
    assert work.answer == "absent"


async def test_what_was_not_recorded_is_not_thanked_for(stand_in: Desk) -> None:
    work = stand_in(None)
    work.answers[AnswerByLink] = lambda _: work._link()
    async with browser(work) as client:
        reply = await client.post(f"/a/{link(SHIEN)}", data={"answer": "attend"})
    assert "受け付けました" not in reply.text


@pytest.mark.rule("S17")
async def test_a_reminder_leads_everybody_to_the_same_page_with_both_desks_and_nobody_is_asked(
    stand_in: Desk,
) -> None:
    work = stand_in(None)
    async with browser(work) as client:
        pages = [(await client.get(f"/desk{more}")).text for more in ("", "?person=1", "")]
    assert len(set(pages)) == 1
    assert 'href="http://127.0.0.1:8081/week">重層的支援会議' in pages[0]
    assert 'href="http://localhost:8082/week">支援会議' in pages[0]
    assert work.asked == []


async def test_an_answer_that_is_neither_is_refused(stand_in: Desk) -> None:
    work = stand_in(None)
    async with browser(work) as client:
        for data in ({"answer": "maybe"}, {}):
            assert (await client.post(f"/a/{link(JUSO)}", data=data)).status_code == 400
    assert not work.asked


async def test_each_link_is_asked_about_only_where_it_is_kept(stand_in: Desk) -> None:
    work = stand_in(None)
    async with browser(work) as client:
        for compartment in (JUSO, SHIEN):
            await client.get(f"/a/{link(compartment)}")
            await client.post(f"/a/{link(compartment)}", data={"answer": "attend"})
    assert [to for _, to in work.asked] == [Account.JUSO, Account.JUSO, Account.SHIEN, Account.SHIEN]


async def test_the_page_does_not_tell_the_kind_of_meeting(stand_in: Desk) -> None:
    async with browser(stand_in(None)) as client:
        replies = [await client.get(f"/a/{link(compartment)}") for compartment in (JUSO, SHIEN)]
    assert replies[0].content == replies[1].content
    assert not [word for word in ("重層", "支援会議", "守秘", "juso", "shien") if word in replies[0].text]


async def test_a_forged_link_is_refused_without_asking_anybody(stand_in: Desk) -> None:
    work = stand_in(None)
    good = link(JUSO)
    forged = [
        new_link(b"x" * 32, JUSO, b"0" * 16),
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:-1],
        "x",
        good + "A",
    ]
    async with browser(work) as client:
        replies = [await client.get(f"/a/{token}") for token in forged]
        replies += [await client.post(f"/a/{token}", data={"answer": "attend"}) for token in forged]
    assert not work.asked
    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.content for reply in replies}) == 1
    assert "0984-00-1100" in replies[0].text, "there is always a way: the telephone"


async def test_unknown_begun_and_forged_links_read_the_same(stand_in: Desk) -> None:
    work = stand_in(None)
    async with browser(work) as client:
        work.answers[LookAtLink] = lambda _: LinkState(found=False)
        unknown = await client.get(f"/a/{link(SHIEN)}")
        work.answers[LookAtLink] = lambda _: work._link()
        work.time += timedelta(days=3)
        begun = await client.get(f"/a/{link(SHIEN)}")
        forged = await client.get("/a/forged")
    assert unknown.content == begun.content == forged.content


async def test_when_nobody_answers_the_window_says_so(stand_in: Desk) -> None:
    work = stand_in(None)
    work.silence(LookAtLink)
    async with browser(work) as client:
        reply = await client.get(f"/a/{link(SHIEN)}")
    assert reply.status_code == 503
    assert "ただいま確認できません" in reply.text


async def test_the_window_has_no_other_rooms(stand_in: Desk) -> None:
    async with browser(stand_in(None)) as client:
        for path in ("/", "/week", "/sign-in", "/docs", "/openapi.json", "/cases"):
            assert (await client.get(path)).status_code == 404


def test_links_of_both_compartments_look_alike_and_tell_only_the_key_holder() -> None:
    tokens = {compartment: new_link(LINK_KEY, compartment, bytes(range(16))) for compartment in Compartment}
    assert {len(token) for token in tokens.values()} == {32}
    for compartment, token in tokens.items():
        LookAtLink(link=token)
        assert compartment_of(LINK_KEY, token) is compartment
        assert compartment_of(b"another key", token) is None
        assert compartment_of(LINK_KEY, token + "\n") is None
    assert compartment_of(LINK_KEY, "髙" * 32) is None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@asynccontextmanager
async def listening(work: StandIn) -> AsyncIterator[int]:
    """The port on which the window really listens, until left."""
    port = _free_port()
    work.settings = work.settings.model_copy(update={"window_port": port})
    running = asyncio.create_task(serve(work))  # type: ignore[arg-type]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client, asyncio.timeout(10):
        while True:
            with suppress(httpx.TransportError):
                if (await client.get("/health")).status_code == 200:
                    break
    yield port
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("length", ["", "Content-Length: 13\r\n"])
async def test_a_body_that_comes_in_pieces_is_refused_whatever_length_it_claims(
    stand_in: Desk, method: str, length: str
) -> None:
    work = stand_in(None)
    head = (
        f"{method} /a/{link(SHIEN)} HTTP/1.1\r\nHost: desk.example\r\n{length}Transfer-Encoding: chunked\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    async with listening(work) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + b"d\r\nanswer=attend\r\n0\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"411"
        writer.close()
    assert not work.asked


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_what_arrives_is_counted_and_cut_off_when_it_is_longer_than_it_claims(stand_in: Desk, kind: str) -> None:
    work, sent = stand_in(None), 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="answer"; filename="x"\r\n\r\n'
        for _ in range(1000):
            sent += 1024
            yield b"a" * 1024

    async with browser(work) as client:
        headers = {"content-length": "13", "content-type": kind}
        reply = await client.post(f"/a/{link(SHIEN)}", content=body(), headers=headers)
    assert (reply.status_code, "受け付けられませんでした" in reply.text) == (413, True)
    assert reply.headers["cache-control"] == "no-store"
    assert sent <= LARGEST_FORM + 1024
    assert not work.asked


async def test_it_listens_until_it_is_told_to_stop(stand_in: Desk) -> None:
    async with listening(stand_in(None)) as port:
        pass
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_a_port_that_is_taken_is_named(stand_in: Desk) -> None:
    work = stand_in(None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        work.settings = work.settings.model_copy(update={"window_port": port})
        with pytest.raises(CannotListen, match=str(port)):
            await serve(work)  # type: ignore[arg-type]


def test_the_desk_keeps_nothing() -> None:
    assert not service.tables.tables
    assert not service.publishes
    assert not service.reactions
