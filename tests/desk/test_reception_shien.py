"""「受付」 on the desk of shien, with the real office of intake behind it: what lies there, and nothing else."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.consent import ConsentState
from contracts.household import Ground
from contracts.intake import ReferralWithoutConsent
from contracts.message import Account, Compartment
from contracts.office import DeskOfficer, ShienOfficer
from contracts.reception import DeskTriageList
from contracts.reception_shien import (
    ShienChangeHousehold,
    ShienDecideSame,
    ShienDecideTriage,
    ShienDetail,
    ShienDuplicates,
    ShienHousehold,
    ShienMemberConsent,
    ShienSecrecy,
    ShienShown,
    ShienSignals,
    ShienTriage,
    ShienTriageList,
)
from contracts.same_person import Checked
from services import intake
from services.desk.handlers import service as desk_service
from services.intake.reception_tables import showing, signal, triage_decision
from services.processes import PROCESSES
from tests.desk.standin import PEOPLE, SHIEN, StandIn, browser, post, sign_in
from tests.desk.test_reception import REASON, REFERRER, hidden, page
from tests.intake.agreeing import take
from tests.intake.paper import sheet, without_consent
from tests.stage import Stage

OFFICER = ShienOfficer(person=PEOPLE[0], agency="fukushi")
COORDINATOR = ShienOfficer(person=PEOPLE[4], agency="shakyo")


class Office:
    """A desk of shien before the real intake."""

    def __init__(self, work: StandIn, stage: Stage) -> None:
        self.work, self.stage = work, stage
        wanted = [one for one in desk_service.asks if one.subject.startswith("ask.intake.shien_")]
        work.answers |= dict.fromkeys(wanted, stage.ask)

    def take(self, **changes: Any) -> UUID:
        return take(self.stage, without_consent(ConsentState.REFUSED, **REFERRER | changes))

    def agreed(self, **changes: Any) -> UUID:
        return take(self.stage, sheet(**REFERRER | changes))


@pytest.fixture
def office(stand_in: Callable[[Compartment | None], StandIn], stage: Callable[..., Stage]) -> Office:
    work = stand_in(SHIEN)
    return Office(work, stage(intake.service, profile=work.profile))


@pytest.mark.rule("D8", "T9")
async def test_a_referral_without_consent_is_read_and_decided_where_it_is_heard(office: Office) -> None:
    key = office.take()
    office.agreed(number="T-555")
    office.stage.told()
    async with browser(office.work) as client:
        await sign_in(client)
        assert "/reception" in await page(client, "/cases")
        listed = await page(client, "/reception")
        assert f'/reception/referrals/{key}">受付番号 0000123' in listed
        assert "T-555" not in listed, "what was agreed to lies on the other desk"
        assert "同意がなく、支援会議で扱うつなぎだけ" in listed
        text = await page(client, f"/reception/referrals/{key}")
        assert "事案の画面には自動では出ない" in text
        said = {"request": hidden(text, "request"), "after": "0", "edition": hidden(text, "edition")}
        reply = await post(client, f"/reception/referrals/{key}", **said, way="coordinate", reason=REASON)
        assert reply.headers["location"] == f"/reception/referrals/{key}"
        assert REASON in await page(client, f"/reception/referrals/{key}")
        assert "受付番号 0000123" not in await page(client, "/reception")
    (row,) = office.stage.do(lambda tx: tx.execute(select(triage_decision)).all())
    assert (row.by, row.agency, row.way) == (PEOPLE[0], "fukushi", "coordinate")
    looks = office.stage.do(lambda tx: tx.execute(select(showing.c.what, showing.c.person, showing.c.rule)).all())
    assert [tuple(one) for one in looks] == [("triage", PEOPLE[0], "reception")]


def every_question_about(key: UUID, member: UUID, by: ShienOfficer) -> list[Any]:
    act = {"by": by, "referral": key, "request": uuid4()}
    of_member = act | {"member": member}
    return [
        ShienTriage(by=by, referral=key),
        ShienHousehold(by=by, referral=key),
        ShienShown(by=by, referral=key),
        ShienDecideTriage(**act | {"request": uuid4()}, after=0, edition="1", way="coordinate", reason=REASON),
        ShienChangeHousehold(**act | {"request": uuid4()}, after=1, change="leave", on="2026-11-20", members=(member,)),
        ShienMemberConsent(
            **of_member | {"request": uuid4()},
            after=0,
            state="given",
            obtained="oral",
            obtained_by="髙橋 美穂",
            obtained_on="2026-11-24",
        ),
        ShienDetail(**of_member | {"request": uuid4()}, detail="school", text="細野小学校"),
        ShienSecrecy(
            **of_member | {"request": uuid4()}, after=0, secret=True, ground=Ground.STALKING, viewers=(by.person,)
        ),
        ShienDecideSame(by=by, request=uuid4(), one=key, other=UUID(int=9), after=0, same=True, checked=Checked.PAPERS),
    ]


@pytest.mark.rule("C4")
async def test_what_was_agreed_to_is_as_if_it_were_not_there_on_the_desk_of_shien(office: Office) -> None:
    key = office.agreed()
    office.agreed(number="124")
    member = UUID(int=0xEE)
    assert [office.stage.ask(one).done for one in every_question_about(key, member, OFFICER)] == [False] * 9
    assert office.stage.ask(ShienTriage(by=OFFICER, referral=key)) == office.stage.ask(
        ShienTriage(by=OFFICER, referral=UUID(int=9))
    )
    assert office.stage.ask(ShienTriageList(by=OFFICER)).waiting == ()
    found = office.stage.ask(ShienDuplicates(by=OFFICER))
    assert (found.same, found.candidates) == ((), ())
    assert office.stage.do(lambda tx: tx.execute(select(showing)).all()) == []


@pytest.mark.rule("S1")
async def test_only_the_municipality_keeps_the_reception_of_shien(office: Office) -> None:
    """The outside coordinator keeps that of juso, where consent names it; at this door it is shown nothing."""
    key, agreed = office.take(referrer="jiritsu"), office.agreed(number="124")
    member = office.stage.ask(ShienHousehold(by=OFFICER, referral=key)).members[1].member
    for about in (key, agreed):
        assert [office.stage.ask(one).done for one in every_question_about(about, member, COORDINATOR)] == [False] * 9
    asked = (ShienTriageList(by=COORDINATOR), ShienDuplicates(by=COORDINATOR), ShienSignals(by=COORDINATOR))
    assert [office.stage.ask(one).done for one in asked] == [False] * 3
    assert office.stage.ask(DeskTriageList(by=DeskOfficer(person=PEOPLE[4], agency="shakyo"))).done
    office.work.agency = "shakyo"
    async with browser(office.work) as client:
        await sign_in(client)
        reply = await client.get("/reception")
        assert reply.status_code == 403
        assert "市町村の受付担当に依頼してください" in reply.text
        assert (await client.get(f"/reception/referrals/{key}/household")).status_code == 403


async def test_two_referrals_without_consent_are_confirmed_by_a_person(office: Office) -> None:
    office.take()
    office.take(number="124", resident_number=None)
    office.agreed(number="125", resident_number=None)
    async with browser(office.work) as client:
        await sign_in(client)
        text = await page(client, "/reception/same")
        assert text.count("フリガナと生年月日が同じ") == 1, "and none with the referral of the other kind"
        assert "同意のないつなぎの間だけ" in text
        said = {name: hidden(text, name) for name in ("request", "one", "other", "after")}
        assert (await post(client, "/reception/same", **said, same="true", checked="papers")).status_code == 303
        assert "同じ人と記録(書類で確かめた)" in await page(client, "/reception/same")


@pytest.mark.rule("S18")
async def test_a_household_without_consent_hides_a_member_and_keeps_who_looked(office: Office) -> None:
    key = office.take()
    path = f"/reception/referrals/{key}/household"
    member = str(office.stage.ask(ShienHousehold(by=OFFICER, referral=key)).members[1].member)
    async with browser(office.work) as client:
        await sign_in(client)
        assert "尋ねられるときは一人ずつ尋ね" in await page(client, path)
        note = {"step": "detail", "request": str(uuid4()), "member": member, "detail": "school", "text": "細野製作所"}
        assert (await post(client, path, **note)).status_code == 303
        hide = {"step": "hide", "request": str(uuid4()), "after": "0", "member": member}
        hide |= {"ground": "partner_violence", "viewers": str(PEOPLE[1])}
        reply = await post(client, path, **hide)
        assert "支援会議の画面の「書類」でも" in reply.text, "intake cannot tell the case: the person is told to"
        text = await page(client, path)
        assert "〔秘匿〕" in text
        assert "細野製作所" not in text
        shown = await page(client, f"/reception/referrals/{key}/shown")
    assert "福祉課 髙橋 美穂" in shown
    assert "伏せて" in shown
    assert "市町村の受付(個人情報保護法61条)" in shown
    assert "reception<" not in shown, "no word of the programme's own"
    told = office.stage.told()
    assert [type(one) for one in told] == [ReferralWithoutConsent], "juso hears nothing of it"


@pytest.mark.rule("C5")
async def test_a_note_is_typed_in_and_dropped_at_the_desk_of_shien(office: Office) -> None:
    said = {"step": "report", "request": str(uuid4()), "noticed_on": "2026-11-20", "place": "salon"}
    said |= {"signs": "absent", "description": "いつも来る人が二週間来ていない。郵便もたまっている。"}
    async with browser(office.work) as client:
        await sign_in(client)
        assert "受け付けました" in (await post(client, "/reception/signals", **said)).text
        (ref,) = re.findall(r"/reception/signals/([0-9a-f-]{36})", await page(client, "/reception/signals"))
        drop = {"request": str(uuid4()), "step": ref, "reason": "旅行から戻り、元気にしていると本人が話した。"}
        assert (await post(client, f"/reception/signals/{ref}", **drop)).status_code == 303
    assert office.stage.do(lambda tx: tx.execute(select(signal.c.state)).scalars().all()) == ["dropped"]


async def test_no_way_leads_from_a_case_of_shien_to_its_referral(office: Office) -> None:
    """Intake has forgotten the reference; a page that asked would tell of whom shien has a case (consent.md 8.1)."""
    key = office.take()
    (case,) = [one.about for one in office.stage.told() if isinstance(one, ReferralWithoutConsent)]
    async with browser(office.work) as client:
        await sign_in(client)
        assert (await client.get(f"/cases/{case}/household")).status_code == 404
        assert str(case) not in await page(client, f"/reception/referrals/{key}")


def test_the_desk_of_juso_cannot_say_what_the_desk_of_shien_asks() -> None:
    desks = {one.compartment: one for one in PROCESSES if one.service.name == "desk" and one.compartment}
    said = {where: {one.subject for one in desk_service.asks if desks[where].addresses(one)} for where in desks}
    mine = {one.subject for one in desk_service.asks if one.subject.startswith("ask.intake.shien_")}
    assert len(mine) == 15
    assert mine <= said[Compartment.SHIEN]
    assert not mine & said[Compartment.JUSO]
    assert all(one.asked_from == {Account.SHIEN} for one in desk_service.asks if one.subject in mine)
    of_intake = {one for one in said[Compartment.SHIEN] if one.startswith("ask.intake.")}
    assert of_intake == mine, "shien asks nothing of intake but what its own reception lists"
