"""「日程」 on the desk and the answer window, with the real meetings service behind both."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.holding import HoldOtherwise
from contracts.meetings import ItemSittings, Sittings
from contracts.message import Account, Compartment, Question
from contracts.polls import AnswerPoll, ClosePoll, LookAtPoll, NotePollAnswer, OpenPoll
from contracts.profile import Profile
from contracts.proposing import DatesInHand, DecideProposal, LookAtDates, MoveDay, ProposeDate, TakeRegular
from contracts.regular import ChangeRegular, DecideRegular, LookAtRegular
from contracts.running import LookAtRoom
from services.meetings import service
from services.settings import Settings
from tests.desk.standin import CASE, JUSO, SHIEN, StandIn, browser, sign_in
from tests.meetings.arranging_hands import Desk
from tests.meetings.stand_in import NAMES, Hands, Town, person, put_forward, staff_of
from tests.stage import Stage

MEETINGS = {
    *(LookAtDates, DatesInHand, OpenPoll, NotePollAnswer, ClosePoll, ProposeDate, DecideProposal, MoveDay),
    *(LookAtPoll, AnswerPoll, Sittings, ItemSittings, LookAtRoom, HoldOtherwise),
    *(LookAtRegular, ChangeRegular, DecideRegular, TakeRegular),
}


class City(StandIn):
    """A desk, or the window, that asks the real meetings of one compartment."""

    def __init__(self, hands: Hands, var: Path, compartment: Compartment | None) -> None:
        super().__init__(hands.profile, var, compartment)
        self.hands, self.person, self.agency = hands, person("fukushi"), "fukushi"
        self.time = hands.now()

    async def ask(self, question: Question[Any], to: Account | None = None) -> Any:
        if type(question) not in MEETINGS:
            return await super().ask(question, to)
        self.asked.append((question, to))
        await self.hands.run_errand("compare_with_ledger")
        if self.hands.stage.store.service.answers_to[type(question)].kind == "perform":
            return await self.hands.stage.store.service.answers_to[type(question)].act(question, self.hands)
        return self.hands.stage.ask(question)


@pytest.fixture
def town(stage: Callable[..., Stage], kobayashi: Profile, tmp_path: Path) -> Callable[..., Hands]:
    """town(compartment): meetings with one urgent item of CASE, in a city that wants dates approved."""

    def build(compartment: Compartment, **how: Any) -> Hands:
        profile = kobayashi.model_copy(update={"approval": True} | how)
        settings = Settings(var=tmp_path / "var")
        (settings.home / "keys").mkdir(parents=True, exist_ok=True)
        (settings.home / "keys" / "link").write_bytes(b"k" * 32)
        (settings.home / "keys" / "permit").write_bytes(b"p" * 32)
        made = Hands(stage(service, compartment, profile=profile), Town(staff_of(profile)), settings)
        if compartment is SHIEN:
            made.commission(*(agency.code for agency in profile.agencies))
        return made

    return build


async def begun(hands: Hands) -> Desk:
    one = Desk(hands, put_forward(urgent=True, case=CASE))
    hands.give(one.event)
    await hands.work()
    return one


def forms(text: str, what: str) -> list[dict[str, Any]]:
    """The forms of one kind on a page, as a browser would send them unchanged."""
    found = []
    for form in re.findall(r"<form.*?</form>", text, re.DOTALL):
        if f'name="do" value="{what}"' not in form:
            continue
        fields: dict[str, Any] = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        fields["person"] = re.findall(r'name="person" value="([^"]+)" checked', form)
        found.append(fields)
    return found


@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_from_the_poll_to_the_approved_date_with_nothing_but_the_pages(
    town: Callable[..., Hands], tmp_path: Path, here: Compartment
) -> None:
    hands = town(here)
    one = await begun(hands)
    desk, window = City(hands, tmp_path / "desk", here), City(hands, tmp_path / "window", None)
    address = f"/cases/{CASE}/dates"
    async with browser(desk) as client, browser(window) as outside:
        await sign_in(client)
        page = (await client.get(address)).text
        assert "候補の日時" in page
        assert "市町村の、提案した人とは別の担当者が承認してから" in page
        (ask,) = forms(page, "open_poll")
        starts = re.findall(r'type="checkbox" name="start" value="([^"]+)"', page)[:2]
        del ask["person"]
        ask |= {"start": starts, "until_day": "2026-11-24", "until_time": "17:00"}
        assert (await client.post(address, data=ask)).status_code == 303
        await hands.work()

        link = one.link(person("jiritsu"))
        asked = await outside.get(f"/p/{link}")
        assert asked.status_code == 200
        assert "参加可" in asked.text
        said = await outside.post(f"/p/{link}", data={"line_1": "no", "line_2": "yes"})
        assert "受け付けました" in said.text
        assert "checked" in said.text

        page = (await client.get(address)).text
        (note,) = list(forms(page, "note"))
        note |= {"person": str(person("kodomo")), "line_1": "avoid", "line_2": "yes"}
        assert (await client.post(address, data=note)).status_code == 303
        page = (await client.get(address)).text
        assert "電話" in page
        assert "できれば避けたい" in page

        await client.post(address, data=forms(page, "close_poll")[0])
        page = (await client.get(address)).text
        choose = forms(page, "propose")[0]
        assert (await client.post(address, data=choose)).status_code == 303
        page = (await client.get(address)).text
        assert "承認待ち" in page
        assert forms(page, "approve") == []  # not by whoever proposed

        week = (await client.get("/week")).text
        assert "日時の案が承認を待っています" in week

    head = City(hands, tmp_path / "head", here)
    head.person = person("fukushi", 1)
    async with browser(head) as client:
        await sign_in(client)
        (approve,) = forms((await client.get(address)).text, "approve")
        del approve["person"]
        assert (await client.post(address, data=approve)).status_code == 303
        await hands.work()
        page = (await client.get(address)).text
        assert "決まりました" in page
    assert {mail.person for mail in hands.town.mails.values()} == {UUID(who) for who in choose["person"]}


async def test_a_refusal_says_why_and_what_to_do_and_keeps_nothing(town: Callable[..., Hands], tmp_path: Path) -> None:
    hands = town(JUSO)
    await begun(hands)
    desk, address = City(hands, tmp_path / "desk", JUSO), f"/cases/{CASE}/dates"
    async with browser(desk) as client:
        await sign_in(client)
        page = (await client.get(address)).text
        choose = forms(page, "propose")[0]
        refused = await client.post(address, data=choose | {"person": choose["person"][1:2]})
        assert refused.status_code == 409
        assert "必須の" in refused.text
        assert "[P1]" in refused.text
        for broken in (
            choose | {"start": "きのう"},
            choose | {"person": "髙橋"},
            choose | {"do": "open_poll"},
            choose | {"do": "nothing"},
        ):
            malformed = await client.post(address, data=broken)
            assert malformed.status_code == 400
            assert "髙橋</" not in malformed.text
        (ask,) = forms(page, "open_poll")
        del ask["person"]
        late = await client.post(
            address,
            data=ask
            | {"more_1_day": "2026-11-28", "more_1_time": "10:00", "until_day": "2026-11-24", "until_time": "17:00"},
        )
        assert late.status_code == 409
        assert "開庁" in late.text
        assert "承認待ち" not in (await client.get(address)).text


async def test_whoever_does_not_hold_the_meeting_finds_no_dates(town: Callable[..., Hands], tmp_path: Path) -> None:
    hands = town(JUSO)
    await begun(hands)
    desk = City(hands, tmp_path / "desk", JUSO)
    desk.person, desk.agency = person("jiritsu"), "jiritsu"
    async with browser(desk) as client:
        await sign_in(client)
        page = (await client.get(f"/cases/{CASE}/dates")).text
        assert "ここで日時を選ぶ議題はありません" in page
        assert forms(page, "propose") == []


async def test_the_pages_of_both_kinds_of_meeting_look_the_same_from_outside(
    town: Callable[..., Hands], tmp_path: Path
) -> None:
    texts = []
    for here in (JUSO, SHIEN):
        hands = town(here)
        one = await begun(hands)
        start = (await one.options())[0].starts
        await one.polled(start, until=hands.now().replace(hour=6))
        window = City(hands, tmp_path / here, None)
        async with browser(window) as outside:
            texts.append((await outside.get(f"/p/{one.link(person('fukushi'))}")).text)
            forged = await outside.get("/p/q3Vt8XyLwZ0aBn5-RkE_7uJcD2hGmS9f")
            assert forged.status_code == 404
    assert texts[0] == texts[1]
    for telling in ("支援会議", "重層", "事案", "juso", "shien", *NAMES):
        assert telling not in texts[0]


async def test_an_answer_must_say_something_of_every_line(town: Callable[..., Hands], tmp_path: Path) -> None:
    hands = town(JUSO)
    one = await begun(hands)
    starts = [option.starts for option in await one.options()]
    await one.polled(starts[0], starts[8], until=hands.now().replace(hour=6))
    async with browser(City(hands, tmp_path / "window", None)) as outside:
        for said in ({"line_1": "yes"}, {"line_1": "yes", "line_2": "maybe"}, {}):
            reply = await outside.post(f"/p/{one.link(person('fukushi'))}", data=said)
            assert reply.status_code == 400
            assert "すべての候補" in reply.text
    assert (await one.standing()).said == ()


async def test_a_day_goes_online_from_the_week_and_what_is_nonsense_is_said(
    town: Callable[..., Hands], tmp_path: Path
) -> None:
    hands = town(JUSO, approval=False)
    one = await begun(hands)
    day = hands.town.mails[next(iter(hands.town.mails))].starts.date().isoformat()
    desk = City(hands, tmp_path / "desk", JUSO)
    async with browser(desk) as client:
        await sign_in(client)
        assert 'href="/days"' in (await client.get("/week")).text
        week = (await client.get("/days")).text
        form = next(each for each in re.findall(r"<form.*?</form>", week, re.DOTALL) if 'action="/days"' in each)
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        assert (await client.post("/days", data=fields | {"day": "きょう"})).status_code == 400
        past = await client.post("/days", data=fields | {"day": "2026-11-01", "online": "1", "reason": "weather"})
        assert past.status_code == 409
        assert "これからの日" in past.text
        unreasoned = await client.post("/days", data=fields | {"day": day, "online": "1"})
        assert unreasoned.status_code == 409
        assert "理由を一覧から選んでください" in unreasoned.text
        fields |= {"reason": "weather"}
        done = await client.post("/days", data=fields | {"day": day, "online": "1"})
        assert done.status_code == 303
        shown = (await client.get(done.headers["location"])).text
        assert "<dt>場所</dt><dd>オンライン</dd>" in shown
        again = re.sub("x", "x", fields["request"])[:-4] + "0000"
        nothing = await client.post("/days", data=fields | {"day": day, "online": "1", "request": again})
        assert "切り替える会議はありません" in nothing.text
    assert one.event.case == CASE
