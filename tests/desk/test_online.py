"""Online: from one's own link into the room, at its time only; other people's libraries read what we sign."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from pydantic import ValidationError

from contracts.holding import Mode
from contracts.links import new_link
from contracts.meetings import AnswerByLink, LinkState
from contracts.message import Compartment
from contracts.profile import Online, Profile
from services.desk.rooms import AFTER, BigBlueButton, Jitsi, RoomUnavailable, Visit
from tests.desk.standin import JUSO, LINK_KEY, SHIEN, StandIn, browser, seat, sign_in
from tests.notify.outside import free_port

Desk = Callable[[Compartment | None], StandIn]
SECRET = "ab" * 32
ROOM, GUEST = UUID(int=0xA0), UUID(int=0xB0)
STARTS = datetime(2026, 12, 17, 5, tzinfo=UTC)
ENDS = STARTS + timedelta(hours=1)
TOKEN = new_link(LINK_KEY, JUSO, b"r" * 16)
VISIT = Visit(ROOM, GUEST, "髙橋 花子", STARTS, ENDS)


def way_in(answer: httpx.Response) -> str:
    """Where the page leads; empty: nowhere outside."""
    found = re.findall(r'href="([^"]+)" rel="noreferrer"', answer.text)
    return unescape(found[0]) if found else ""


def window(stand_in: Desk, at: datetime, online: Online | None = None, mode: Mode = "online") -> StandIn:
    """The answer window at some time, with a link to a sitting that meets online."""
    work = stand_in(None)
    work.time = at
    (work.settings.home / "keys" / "online").write_text(SECRET)
    if online:
        work.profile = work.profile.model_copy(update={"online": online})
    state = LinkState(found=True, starts=STARTS, ends=ENDS, place="shiyakusho", mode=mode, meeting=ROOM, guest=GUEST)
    work._link = lambda: state  # type: ignore[method-assign]
    return work


@pytest.mark.rule("M3")
async def test_the_button_leads_into_the_room_by_a_token_of_ones_own_that_ends_with_the_sitting(stand_in: Desk) -> None:
    async with browser(window(stand_in, STARTS)) as client:
        assert "オンラインで参加する" in (await client.get(f"/a/{TOKEN}/room")).text
        answer = await client.post(f"/a/{TOKEN}/room", data={"name": " 髙橋\r\n花子 "})
    assert answer.status_code == 200, "a form that led elsewhere by a redirect would be stopped by our own CSP"
    where = urlsplit(way_in(answer))
    assert (where.hostname, where.path) == ("meet.fukushi.kobayashi.example", f"/{ROOM.hex}")
    [token] = parse_qs(where.query)["jwt"]
    options = {"verify_exp": False, "verify_nbf": False}
    read = jwt.decode(token, SECRET, algorithms=["HS256"], audience="jitsi", options=options)
    assert read["room"] == ROOM.hex
    assert read["sub"] == "meet.fukushi.kobayashi.example"
    assert read["context"]["user"] == {"id": GUEST.hex, "name": "髙橋 花子", "moderator": False}
    assert datetime.fromtimestamp(read["exp"], UTC) == ENDS + AFTER
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, "other" * 8, algorithms=["HS256"], audience="jitsi", options=options)


@pytest.mark.parametrize(
    ("at", "status", "says"),
    [
        (STARTS - timedelta(minutes=16), 200, "15分前から入れます"),
        (STARTS - timedelta(minutes=14), 200, "会議に入る"),
        (ENDS + timedelta(minutes=29), 200, "会議に入る"),
        (ENDS + timedelta(minutes=31), 410, "会議は終わりました"),
    ],
)
async def test_the_door_opens_late_and_closes_after(stand_in: Desk, at: datetime, status: int, says: str) -> None:
    async with browser(window(stand_in, at)) as client:
        answer = await client.post(f"/a/{TOKEN}/room", data={})
    assert answer.status_code == status
    assert says in answer.text
    assert bool(way_in(answer)) is (says == "会議に入る")


async def test_a_scanner_that_follows_the_link_enters_nothing_and_answers_nothing(stand_in: Desk) -> None:
    work = window(stand_in, STARTS)
    async with browser(work) as client:
        for method in ("GET", "HEAD"):
            answer = await client.request(method, f"/a/{TOKEN}/room")
            assert (answer.status_code, way_in(answer)) == (200, "")
    assert not [one for one, _ in work.asked if isinstance(one, AnswerByLink)]


@pytest.mark.rule("S17")
async def test_a_forged_link_and_a_sitting_in_a_room_lead_nowhere_and_the_calendars_page_names_no_meeting(
    stand_in: Desk,
) -> None:
    async with browser(window(stand_in, STARTS)) as client:
        assert (await client.post(f"/a/{'A' * 32}/room")).status_code == 404
        page = (await client.get("/online")).text
    assert "あなた専用" in page
    assert "支援会議" not in page
    async with browser(window(stand_in, STARTS, mode="in_person")) as client:
        answer = await client.post(f"/a/{TOKEN}/room")
    assert answer.status_code == 404
    assert "オンラインの会議ではありません" in answer.text


@dataclass
class BigBlue:
    """A server that reads calls as its documentation has it: checksum = sha256(call + query without it + secret)."""

    port: int
    rooms: dict[str, dict[str, str]] = field(default_factory=dict)
    refuses: bool = False

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
        call, query = urlsplit(target).path.rpartition("/")[2], urlsplit(target).query
        fits = self.fits(call, query)
        if fits and not self.refuses:
            found = dict(parse_qsl(query))
            self.rooms.setdefault(found["meetingID"], found)
        code = "SUCCESS" if fits and not self.refuses else "FAILED"
        body = f"<response><returncode>{code}</returncode></response>".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    def fits(self, call: str, query: str) -> bool:
        signed, _, checksum = query.rpartition("&checksum=")
        return sha256(f"{call}{signed}{SECRET}".encode()).hexdigest() == checksum


@asynccontextmanager
async def big_blue() -> AsyncIterator[BigBlue]:
    one = BigBlue(free_port())
    server = await asyncio.start_server(one.serve_one, "127.0.0.1", one.port)
    try:
        yield one
    finally:
        server.close()


@pytest.mark.rule("M3", "S17")
async def test_a_bigbluebutton_room_is_made_once_unrecorded_and_named_after_nothing(stand_in: Desk) -> None:
    async with big_blue() as server:
        online = Online(kind="bigbluebutton", url=f"http://127.0.0.1:{server.port}/bigbluebutton")
        async with browser(window(stand_in, STARTS, online)) as client:
            answers = [await client.post(f"/a/{TOKEN}/room", data={"name": "花子"}) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {200}
        entry = urlsplit(way_in(answers[0]))
        assert server.fits("join", entry.query)
        assert dict(parse_qsl(entry.query))["userID"] == GUEST.hex
        [made] = server.rooms.values()
        assert (made["meetingID"], made["name"], made["record"]) == (ROOM.hex, "会議", "false")
        with pytest.raises(RoomUnavailable):
            await BigBlueButton(online.url, "wrong").enter(VISIT, STARTS)


async def test_a_server_that_refuses_or_is_away_is_told_with_a_way_on(stand_in: Desk) -> None:
    async with big_blue() as server:
        server.refuses = True
        online = Online(kind="bigbluebutton", url=f"http://127.0.0.1:{server.port}/bigbluebutton")
        async with browser(window(stand_in, STARTS, online)) as client:
            answers = [await client.post(f"/a/{TOKEN}/room")]
    async with browser(window(stand_in, STARTS, online)) as client:
        answers.append(await client.post(f"/a/{TOKEN}/room"))
    for answer in answers:
        assert answer.status_code == 503
        assert "電話番号にご連絡ください" in answer.text


async def test_a_plain_link_is_used_as_it_is(stand_in: Desk) -> None:
    online = Online(kind="link", url="https://meet.example/kaigi")
    async with browser(window(stand_in, STARTS, online)) as client:
        assert way_in(await client.post(f"/a/{TOKEN}/room")) == "https://meet.example/kaigi"


async def test_two_people_get_two_tokens_of_one_room() -> None:
    jitsi = Jitsi("https://meet.example/", SECRET)
    other = Visit(ROOM, uuid4(), "日髙", STARTS, ENDS)
    first, second = await jitsi.enter(VISIT, STARTS), await jitsi.enter(other, STARTS)
    assert first.partition("?")[0] == second.partition("?")[0] == f"https://meet.example/{ROOM.hex}"
    assert first != second


@pytest.mark.parametrize("url", ["http://meet.example/", "javascript:alert(1)", "https://", "meet.example"])
def test_a_room_is_reached_by_https_only(url: str) -> None:
    with pytest.raises(ValidationError):
        Online(kind="link", url=url)


@pytest.mark.rule("M4")
@pytest.mark.parametrize("compartment", [JUSO, SHIEN])
async def test_the_desk_warns_of_whoever_has_only_an_lgwan_terminal_for_a_meeting_held_online_only(
    stand_in: Desk, compartment: Compartment, kobayashi: Profile
) -> None:
    work = stand_in(compartment)
    seats = (seat(0, "required"), seat(2, "expected"), seat(3, "optional"))
    held = work.sittings[0].model_copy(update={"mode": "online", "seats": seats})
    work.sittings = (held, *work.sittings[1:])
    async with browser(work) as client:
        await sign_in(client)
        warned = (await client.get("/week")).text
        assert "髙橋 美穂さんの職場はLGWANの端末だけです" in warned
        assert "濵田 政志さんの職場はインターネットを使えません" in warned
        assert "グエン・ティ・ランさんの職場" not in warned
        work.sittings = (held.model_copy(update={"mode": "both"}), *work.sittings[1:])
        assert "さんの職場は" not in (await client.get("/week")).text
