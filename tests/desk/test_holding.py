"""「今回だけ開き方を変える」 on the page of a sitting, with the real meetings service behind it (M3)."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.message import Compartment
from tests.desk.standin import JUSO, SHIEN, browser, sign_in
from tests.desk.test_dates import City, begun
from tests.desk.test_dates import town as town
from tests.meetings.stand_in import Hands

Town = Callable[..., Hands]


@pytest.mark.rule("M3")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_the_page_shows_how_the_sitting_is_held_and_who_changed_it_why(
    town: Town, tmp_path: Path, here: Compartment
) -> None:
    hands = town(here, approval=False)
    await begun(hands)
    async with browser(City(hands, tmp_path / "desk", here)) as client:
        await sign_in(client)
        week = (await client.get("/week")).text
        path = re.findall(r'href="(/sittings/[^"]+)"', week)[0]
        text = html.unescape((await client.get(path)).text)
        assert "<dt>開き方</dt><dd>対面</dd>" in text
        assert "小林市役所" in text
        form = next(one for one in re.findall(r"<form.*?</form>", text, re.DOTALL) if f'action="{path}/mode"' in one)
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        unsaid = await client.post(f"{path}/mode", data=fields | {"mode": "online", "reason": ""})
        assert unsaid.status_code == 400
        assert "理由を、一覧から選んでください" in unsaid.text
        done = await client.post(f"{path}/mode", data=fields | {"mode": "online", "reason": "weather"})
        assert (done.status_code, done.headers["location"]) == (303, path)
        text = html.unescape((await client.get(path)).text)
        assert "<dt>場所</dt><dd>オンライン</dd>" in text
        assert "オンラインに変更(台風・大雪などで移動が危ない、" in text
        late = await client.post(
            f"{path}/mode", data=fields | {"mode": "both", "reason": "burden", "request": done_id()}
        )
        assert late.status_code == 409
        assert "ほかの人が先に開き方を変えました" in late.text


def done_id() -> str:
    """Another form's request."""
    return "0b1f6c1e-2a57-4d3b-9f2c-7c1a5f0e8d41"
