"""The pages 実績, 地域課題 and 受入先: what they show, what they ask, and who is let in."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from contracts.challenges import (
    Challenge,
    ChallengeList,
    Challenges,
    Done,
    Forwarding,
    HandleChallenge,
    Lack,
    NoteChallenge,
    PlaceKind,
)
from contracts.counts import Counted, CountPeriod, CountsOfPeriod, FactKind, Item
from contracts.intake import Problem
from contracts.message import Compartment
from contracts.resources import FollowedUp, Match, NoteMatch, NotePlace, Place, ResourceList, Resources
from tests.desk.standin import CASE, JUSO, PEOPLE, SHIEN, StandIn, browser, post, sign_in

Desk = Callable[[Compartment | None], StandIn]
ENTRY, GIVEN, PLACE, MATCH = (UUID(int=0xE0 + number) for number in range(4))
ITEM = Item(id="left", title="終結など", words="終わった件数", source="種000", fact=FactKind.CASE_LEFT)
REFUSED = Done(
    done=False, rule="D10", reason="書いた人とは別の人が確かめます。", next_step="ほかの職員に頼んでください。"
)


def said(work: StandIn, question: type) -> list[object]:
    return [one for one, _ in work.asked if isinstance(one, question)]


def a_desk(work: StandIn) -> StandIn:
    entry = Challenge(
        challenge=ENTRY,
        field=Problem.HOUSING,
        lack=Lack.HOUSING,
        area="野尻地区",
        sentence="保証人なしで借りられる<b>住まい</b>がない",
        found=3,
        last_found=date(2026, 11, 1),
        checked=False,
        checkable=True,
        forwardable=True,
        forwarded=(Forwarding(forwarding=GIVEN, body="daihyosha", on=date(2026, 11, 20)),),
    )
    farm = Place(
        place=PLACE,
        kind=PlaceKind.WORK_EXPERIENCE,
        name="霧島農園",
        where="小林市堤",
        conditions="",
        capacity=2,
        free=1,
        opened_on=date(2026, 5, 1),
    )
    match = Match(
        match=MATCH,
        case=CASE,
        place=PLACE,
        began_on=date(2026, 6, 1),
        follow_up_on=date(2026, 11, 1),
        late=True,
        history=(FollowedUp(on=date(2026, 9, 1), words="休まず通っている"),),
    )
    work.answers |= {
        CountPeriod: lambda _: CountsOfPeriod(counted=(Counted(item=ITEM, count=3),), definitions="1"),
        Challenges: lambda _: ChallengeList(challenges=(entry,), bodies=("daihyosha",)),
        NoteChallenge: lambda _: Done(done=True),
        HandleChallenge: lambda _: Done(done=True),
        Resources: lambda _: ResourceList(places=(farm,), matches=(match,)),
        NotePlace: lambda _: Done(done=True),
        NoteMatch: lambda _: Done(done=True),
    }
    return work


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_the_counts_are_asked_in_the_name_of_who_signed_in(stand_in: Desk, kind: Compartment) -> None:
    work = a_desk(stand_in(kind))
    async with browser(work) as client:
        await sign_in(client)
        text = (await client.get("/counts?period=2026-Q2")).text
        files = [await client.get(f"/counts?period=2026-Q2&as={form}") for form in ("csv", "xlsx")]
    assert "終結など" in text
    assert "取扱注意" in text
    assert said(work, CountPeriod)[0] == CountPeriod(period="2026-Q2", viewer=PEOPLE[0], viewer_agency="fukushi")
    assert files[0].content.startswith(b"\xef\xbb\xbf")
    assert files[1].content.startswith(b"PK")
    assert all("shien" not in one.headers["content-disposition"] for one in files)
    assert all(one.headers["cache-control"] == "no-store" for one in files)


@pytest.mark.parametrize("period", ["2026-Q9", "x", "%00"])
async def test_a_period_that_is_none_is_told_how_to_write_one(stand_in: Desk, period: str) -> None:
    work = a_desk(stand_in(JUSO))
    async with browser(work) as client:
        await sign_in(client)
        answer = await client.get(f"/counts?period={period}")
    assert answer.status_code == 400
    assert "2026-Q2" in answer.text
    assert not said(work, CountPeriod)


@pytest.mark.parametrize("path", ["/counts", "/challenges", "/resources"])
async def test_nobody_who_did_not_sign_in_sees_a_page(stand_in: Desk, path: str) -> None:
    work = a_desk(stand_in(JUSO))
    async with browser(work) as client:
        assert (await client.get(path)).headers["location"] == "/sign-in"
    assert work.asked == []


async def test_who_may_not_see_the_register_is_told_the_way_in(stand_in: Desk) -> None:
    work = a_desk(stand_in(JUSO))
    work.answers |= {
        CountPeriod: lambda _: CountsOfPeriod(reason="集計は見られません。", next_step="担当課に求めてください。"),
        Challenges: lambda _: ChallengeList(reason="登録簿は見られません。", next_step="担当課に伝えてください。"),
        Resources: lambda _: ResourceList(reason="受入先は見られません。", next_step="担当課に伝えてください。"),
    }
    async with browser(work) as client:
        await sign_in(client)
        for path in ("/counts", "/challenges", "/resources"):
            answer = await client.get(path)
            assert answer.status_code == 403
            assert "担当課" in answer.text


async def test_an_entry_is_noted_from_a_case_checked_handed_on_and_answered(stand_in: Desk) -> None:
    work = a_desk(stand_in(SHIEN))
    async with browser(work) as client:
        await sign_in(client)
        page = (await client.get(f"/challenges?case={CASE}")).text
        new = {"field": "housing", "lack": "housing", "area": "野尻地区", "sentence": "住まいが足りない"}
        for path, fields in (
            ("/challenges", {"case": str(CASE), **new}),
            (f"/challenges/{ENTRY}", {"act": "names_nobody"}),
            (f"/challenges/{ENTRY}", {"act": "forward", "body": "daihyosha"}),
            (
                f"/challenges/{ENTRY}",
                {"act": "answer", "forwarding": str(GIVEN), "answer": "協議する", "on": "2026-11-24"},
            ),
        ):
            assert (await post(client, path, request=str(UUID(int=7)), **fields)).status_code == 303
    assert "&lt;b&gt;住まい" in page
    assert "3件" in page
    assert "重層的支援代表者会議" in page
    (noted,) = said(work, NoteChallenge)
    assert isinstance(noted, NoteChallenge)
    assert (noted.case, noted.viewer, noted.viewer_agency) == (CASE, PEOPLE[0], "fukushi")
    assert [one.act for one in said(work, HandleChallenge) if isinstance(one, HandleChallenge)] == [
        "names_nobody",
        "forward",
        "answer",
    ]


async def test_a_refusal_names_its_rule_and_the_next_step(stand_in: Desk) -> None:
    work = a_desk(stand_in(JUSO))
    work.answers[HandleChallenge] = lambda _: REFUSED
    async with browser(work) as client:
        await sign_in(client)
        answer = await post(client, f"/challenges/{ENTRY}", request=str(UUID(int=7)), act="names_nobody")
        wrong = await post(client, f"/challenges/{ENTRY}", request="髙橋", act="names_nobody")
        forged = await client.post(f"/challenges/{ENTRY}", data={"request": str(UUID(int=7)), "act": "strike"})
    assert (answer.status_code, wrong.status_code) == (409, 400)
    assert "別の人" in answer.text
    assert "D10" in answer.text
    assert "髙橋" not in wrong.text.split("<main")[1]
    assert forged.status_code >= 400, "a form of another site has no token"


async def test_a_form_cannot_say_who_looks(stand_in: Desk) -> None:
    work = a_desk(stand_in(JUSO))
    async with browser(work) as client:
        await sign_in(client)
        await post(
            client,
            f"/challenges/{ENTRY}",
            request=str(UUID(int=7)),
            act="strike",
            viewer=str(PEOPLE[3]),
            viewer_agency="x",
        )
    (one,) = said(work, HandleChallenge)
    assert isinstance(one, HandleChallenge)
    assert (one.viewer, one.viewer_agency) == (PEOPLE[0], "fukushi")


async def test_places_are_shown_with_room_and_who_is_to_be_looked_after(stand_in: Desk) -> None:
    work = a_desk(stand_in(JUSO))
    async with browser(work) as client:
        await sign_in(client)
        page = (await client.get(f"/resources?case={CASE}")).text
        place = {"name": "霧島農園", "kind": "work_experience", "where": "小林市堤", "capacity": "2"}
        assert (await post(client, "/resources", request=str(UUID(int=8)), **place)).status_code == 303
        begun = {"act": "begin", "case": str(CASE), "place": str(PLACE), "on": "2026-11-24", "next_on": "2026-12-24"}
        done = await post(client, "/resources/matches", request=str(UUID(int=9)), **begun)
        wrong = await post(client, "/resources/matches", request=str(UUID(int=9)), **begun | {"on": "2月30日"})
    for part in ("霧島農園", "齋藤 久美子", "過ぎています", "休まず通っている", "1/2"):
        assert part in page
    assert done.headers["location"] == f"/resources?case={CASE}"
    assert wrong.status_code == 400


async def test_the_shien_desk_has_no_places(stand_in: Desk) -> None:
    work = a_desk(stand_in(SHIEN))
    async with browser(work) as client:
        await sign_in(client)
        assert (await client.get("/resources")).status_code == 404
        assert "/resources" not in (await client.get("/cases")).text
