"""「定例の会議を組み直す」 on the desk, from the week on, with the real meetings service behind it."""

import html
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.desk.standin import CASE, JUSO, browser, sign_in
from tests.desk.test_dates import City
from tests.desk.test_dates import town as town
from tests.meetings.stand_in import Hands, put_forward

Town = Callable[..., Hands]


@pytest.mark.rule("M1", "M9", "S12")
async def test_a_regular_sitting_is_changed_from_the_week_and_the_lost_room_page_is_found_there(
    town: Town, tmp_path: Path
) -> None:
    hands = town(JUSO, approval=False)
    hands.give(put_forward(case=CASE))
    await hands.work()
    starts = next(iter(hands.town.mails.values())).starts
    async with browser(City(hands, tmp_path / "desk", JUSO)) as client:
        await sign_in(client)
        week = (await client.get(f"/week?start={starts.date().isoformat()}")).text
        path = re.findall(r'href="(/sittings/[^"]+/move)"', week)[0]
        assert f'href="{path}?room=lost"' in week
        text = html.unescape((await client.get(f"{path}?room=lost")).text)
        assert "会場が使えるときの案" in text
        text = (await client.get(path)).text
        forms = [one for one in re.findall(r"<form.*?</form>", text, re.DOTALL) if 'name="start"' in one]
        form = next(one for one in forms if starts.isoformat()[:16] not in one)
        fields: dict[str, str | list[str]] = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        fields["person"] = re.findall(r'name="person" value="([^"]+)" checked', form)
        unsaid = await client.post(path, data=fields)
        assert unsaid.status_code == 400
        assert "画面の候補から選んでください" in unsaid.text
        done = await client.post(path, data=fields | {"reason": "office"})
        assert (done.status_code, "記録しました" in done.text) == (200, True)
        await hands.work()
        gone = await client.get(path)
        assert gone.status_code == 404
        assert "組み直せる定例の会議はありません" in gone.text
    assert datetime.fromisoformat(str(fields["start"])) in {mail.starts for mail in hands.town.mails.values()}
