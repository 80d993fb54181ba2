"""「会議に上げるもの」 on the week: shown to who may see the case, put to the meeting with one click."""

import re
from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest

from contracts.escalation import Escalate, Escalated
from contracts.life import Due, Overdue, State
from contracts.message import Compartment
from tests.desk.standin import CASE, JUSO, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
MONITORING = Due(rule="T4", text="モニタリングをする", on=date(2026, 10, 30), late=True)
PATH = f"/cases/{CASE}/escalate"


def asked(work: StandIn) -> list[Escalate]:
    return [one for one, _ in work.asked if isinstance(one, Escalate)]


def overdue(case: UUID = CASE, **more: object) -> Overdue:
    values = {"case": case, "state": State.UNDERWAY, "due": MONITORING, "after": 2, "open": True}
    return Overdue.model_validate(values | more)


@pytest.mark.rule("M1")
@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_what_is_overdue_too_long_is_put_to_the_meeting_with_one_click(stand_in: Desk, kind: Compartment) -> None:
    work = stand_in(kind)
    work.overdue = (overdue(work.cases[0].case),)
    path = f"/cases/{work.cases[0].case}/escalate"
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
        assert "会議に上げるもの" in text
        assert "モニタリングをする(T4)" in text
        assert "10月30日(金)から" in text
        form = rf'action="{path}".*?name="request" value="([0-9a-f-]+)".*?name="after" value="2"'
        request = re.search(form, text, re.DOTALL)
        assert request
        done = await post(client, path, request=request[1], after="2")
    assert done.headers["location"] == "/week"
    (said,) = asked(work)
    assert (said.case, str(said.request), said.after) == (work.cases[0].case, request[1], 2)
    assert (said.viewer, said.viewer_agency) == (PEOPLE[0], "fukushi")


async def test_who_may_not_put_it_there_reads_who_does_and_has_no_button(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.overdue = (overdue(open=False),)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    assert "市町村か多機関協働事業者が付議します。" in text
    assert PATH not in text


async def test_a_case_this_person_may_not_see_is_not_listed(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.overdue = (overdue(UUID(int=0xFF)),)
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/week")).text
    assert str(UUID(int=0xFF)) not in text


async def test_a_refusal_says_why_and_what_to_do(stand_in: Desk) -> None:
    work = stand_in(JUSO)
    work.escalated = Escalated(done=False, rule="M1", reason="ほかの人が先に付議しました。", next_step="読み直します。")
    async with browser(work) as client:
        await sign_in(client)
        refused = await post(client, PATH, request=str(uuid4()), after="0")
    assert refused.status_code == 409
    assert "ほかの人が先に付議しました。読み直します。(M1)" in refused.text


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/cases/not-a-case/escalate", {"request": str(uuid4()), "after": "0"}, 404),
        (PATH, {"request": "一回目", "after": "0"}, 400),
        (PATH, {"request": str(uuid4()), "after": "-1"}, 400),
        (PATH, {"request": str(uuid4()), "after": "9" * 30}, 400),
        (PATH, {}, 400),
    ],
)
async def test_what_no_page_of_ours_sends_is_refused_and_nobody_asked(
    stand_in: Desk, path: str, fields: dict[str, str], status: int
) -> None:
    work = stand_in(JUSO)
    async with browser(work) as client:
        await sign_in(client)
        assert (await post(client, path, **fields)).status_code == status
        without_token = await client.post(PATH, data={"request": str(uuid4()), "after": "0"})
    assert without_token.status_code in (400, 403)
    assert asked(work) == []
