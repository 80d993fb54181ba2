"""「受付」 on the juso desk, with the real office of intake behind it: triage, the same person, households, notes."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from contracts.consent import ConsentState, Obtained
from contracts.household import Ground, LookAtHousehold
from contracts.intake import ReferralWithConsent, WithdrawConsent
from contracts.message import Compartment
from contracts.office import DeskOfficer, Officer
from contracts.reception import (
    DeskDecideTriage,
    DeskHousehold,
    DeskOthers,
    DeskReferralOf,
    DeskSecrecy,
    DeskShown,
    DeskTriage,
    DeskTriageList,
)
from services import intake
from services.desk.handlers import service as desk_service
from services.intake.reception_tables import showing, triage_decision
from tests.desk.standin import CASE, JUSO, PEOPLE, StandIn, browser, post, sign_in
from tests.intake.agreeing import take
from tests.intake.paper import sheet, without_consent
from tests.stage import Stage

Desk = Callable[[Compartment | None], StandIn]
REFERRER = {"referrer": "houkatsu-kobayashi", "agencies": ("jiritsu", "fukushi", "shakyo")}
OFFICER = DeskOfficer(person=PEOPLE[0], agency="fukushi")
REASON = "包括だけで支援を続けられる。主治医とも話がついている。"


class Office:
    """A juso desk before the real intake: what the desk asks of 「受付」 is answered by intake's own store."""

    def __init__(self, work: StandIn, stage: Stage) -> None:
        self.work, self.stage = work, stage
        wanted = [one for one in desk_service.asks if one.subject.startswith("ask.intake.desk_")]
        work.answers |= dict.fromkeys(wanted, stage.ask)

    def take(self, **changes: Any) -> UUID:
        return take(self.stage, sheet(**REFERRER | changes))

    def without(self, **changes: Any) -> UUID:
        return take(self.stage, without_consent(ConsentState.REFUSED, **REFERRER | changes))


@pytest.fixture
def office(stand_in: Desk, stage: Callable[..., Stage]) -> Office:
    work = stand_in(JUSO)
    return Office(work, stage(intake.service, profile=work.profile))


def hidden(text: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', text)
    assert found
    return found[1]


async def page(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(path)).text


# -- triage ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D8", "T9")
async def test_a_referral_is_read_with_its_criteria_and_decided_by_who_signed_in(office: Office) -> None:
    key = office.take()
    async with browser(office.work) as client:
        await sign_in(client)
        listed = await page(client, "/reception")
        assert f'/reception/referrals/{key}">受付番号 0000123' in listed
        assert "次にすること" in listed
        text = await page(client, f"/reception/referrals/{key}")
        assert "お困りごと2分野(介護、収入・仕事)" in text or "関わる機関4か所" in text
        said = {"request": hidden(text, "request"), "after": "0", "edition": hidden(text, "edition")}
        reply = await post(client, f"/reception/referrals/{key}", **said, way="coordinate", reason=REASON)
        assert reply.headers["location"] == f"/reception/referrals/{key}"
        assert REASON in await page(client, f"/reception/referrals/{key}")
        assert "受付番号 0000123" not in await page(client, "/reception")
    (row,) = office.stage.do(lambda tx: tx.execute(select(triage_decision)).all())
    assert (row.by, row.agency, row.way) == (PEOPLE[0], "fukushi", "coordinate")


@pytest.mark.rule("C6")
async def test_a_referral_that_does_not_say_who_explained_it_is_marked_until_the_answer_is_written_down(
    office: Office,
) -> None:
    key = office.take(explained_by="", explained_on=None)
    path, due = f"/reception/referrals/{key}", "説明者・説明日がありません"
    async with browser(office.work) as client:
        await sign_in(client)
        assert "説明者・説明日がまだ(C6)" in await page(client, "/reception")
        text = await page(client, path)
        assert due in text
        said = {"after": "0", "edition": hidden(text, "edition"), "way": "coordinate", "reason": REASON}
        said |= {"request": hidden(text, "request"), "explained_by": "グエン・ティ・ラン"}
        reply = await post(client, path, **said, explained_on="2099-01-01")
        assert (reply.status_code, "説明日: 説明日が今日より後です" in reply.text) == (409, True)
        assert 'value="グエン・ティ・ラン"' in reply.text, "what was typed is not lost"
        reply = await post(client, path, **said, explained_on="2026-11-10")
        assert reply.status_code == 303
        text = await page(client, path)
        assert "説明者 グエン・ティ・ラン、説明日 令和8年11月10日(火)" in text
        assert due not in text
        assert "(C6)" not in await page(client, "/reception")


@pytest.mark.rule("C6")
async def test_a_referral_that_says_who_explained_it_is_not_marked(office: Office) -> None:
    key = office.take()
    async with browser(office.work) as client:
        await sign_in(client)
        assert "(C6)" not in await page(client, "/reception")
        assert "説明者 日髙 奈緒、説明日 令和8年10月30日(金)" in await page(client, f"/reception/referrals/{key}")


@pytest.mark.rule("D8")
async def test_a_return_that_was_not_talked_over_comes_back_as_it_was_typed(office: Office) -> None:
    key = office.take()
    said = {"request": str(uuid4()), "after": "0", "edition": "1", "way": "return", "reason": REASON}
    async with browser(office.work) as client:
        await sign_in(client)
        reply = await post(client, f"/reception/referrals/{key}", **said)
        assert reply.status_code == 409
        assert "戻す前に紹介元と協議し" in reply.text
        assert "(D8)" in reply.text
        assert REASON in reply.text
        wrong = await post(client, f"/reception/referrals/{key}", **said | {"request": "x", "way": "elsewhere"})
        assert (wrong.status_code, "判断" in wrong.text) == (400, True)
    assert office.stage.do(lambda tx: tx.execute(select(triage_decision)).all()) == []


@pytest.mark.rule("M1")
async def test_an_urgent_referral_is_marked_and_cannot_be_sent_back(office: Office) -> None:
    key = office.take(urgent=True)
    async with browser(office.work) as client:
        await sign_in(client)
        assert '<strong class="urgent">緊急</strong>' in await page(client, "/reception")
        text = await page(client, f"/reception/referrals/{key}")
    assert 'value="return"' not in text
    assert "判断を待たずに" in text


@pytest.mark.rule("C4")
async def test_a_referral_without_consent_is_nowhere_on_the_desk_of_juso(office: Office) -> None:
    key = office.without(number="T-777")
    asked: list[Any] = [
        DeskTriage(by=OFFICER, referral=key),
        DeskTriage(by=DeskOfficer(person=PEOPLE[2], agency="houkatsu-kobayashi"), referral=key),
        DeskHousehold(by=OFFICER, referral=key),
        DeskShown(by=OFFICER, referral=key),
    ]
    decide = {"request": uuid4(), "by": OFFICER, "referral": key, "after": 0, "edition": "1"}
    asked.append(DeskDecideTriage(**decide, way="coordinate", reason=REASON))
    member = office.stage.ask(intake_view(key)).members[0].member
    hide = {"request": uuid4(), "by": OFFICER, "referral": key, "member": member, "after": 0, "secret": True}
    asked.append(DeskSecrecy(**hide, ground=Ground.STALKING, viewers=(PEOPLE[0],)))
    assert [office.stage.ask(one).done for one in asked] == [False] * len(asked)
    unknown = office.stage.ask(DeskTriage(by=OFFICER, referral=UUID(int=9)))
    assert office.stage.ask(asked[0]) == unknown, "as if it were not there"
    assert office.stage.ask(DeskTriageList(by=OFFICER)).waiting == ()
    async with browser(office.work) as client:
        await sign_in(client)
        assert "T-777" not in await page(client, "/reception")
        assert (await client.get(f"/reception/referrals/{key}")).status_code == 403


def intake_view(key: UUID) -> Any:
    """What the officer of the 市町村 sees at the reception itself."""
    return LookAtHousehold(by=Officer(person=PEOPLE[0], agency="fukushi"), referral=key)


async def test_who_is_not_of_the_office_is_told_the_way(office: Office) -> None:
    office.work.agency = "byouin"
    async with browser(office.work) as client:
        await sign_in(client)
        reply = await client.get("/reception")
    assert reply.status_code == 403
    assert "市町村の受付担当に依頼してください" in reply.text


# -- the same person ---------------------------------------------------------------------------------------------------


async def test_two_referrals_that_look_alike_are_confirmed_or_denied_by_a_person(office: Office) -> None:
    office.take()
    office.take(number="124", resident_number=None)
    async with browser(office.work) as client:
        await sign_in(client)
        text = await page(client, "/reception/same")
        assert "フリガナと生年月日が同じ" in text
        said = {name: hidden(text, name) for name in ("request", "one", "other", "after")}
        missing = await post(client, "/reception/same", **said, same="false")
        assert (missing.status_code, "確かめ方" in missing.text) == (400, True)
        reply = await post(client, "/reception/same", **said, same="false", checked="papers")
        assert reply.status_code == 303
        assert "フリガナと生年月日が同じ" not in await page(client, "/reception/same")
        assert "別の人と記録(書類で確かめた)" in await page(client, "/reception/same?all=true")


# -- households --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("S18", "C1")
async def test_a_member_who_was_not_asked_is_named_with_what_to_do_and_then_answers(office: Office) -> None:
    key = office.take()
    path = f"/reception/referrals/{key}/household"
    async with browser(office.work) as client:
        await sign_in(client)
        text = await page(client, path)
        assert "髙橋 和彦さんに、自分の情報を共有してよいかを、会議の前に尋ねてください" in text
        member = office.stage.ask(DeskHousehold(by=OFFICER, referral=key)).members[1].member
        said = {"step": "consent", "request": str(uuid4()), "after": "0", "member": str(member)}
        said |= {"state": "given", "obtained": "oral", "obtained_by": "髙橋 美穂", "obtained_on": "2026-11-24"}
        reply = await post(client, path, **said)
        assert "この世帯員を範囲に入れた同意" in reply.text, "what is to be done next is told"
        assert "会議の前に尋ねてください" not in await page(client, path)
        again = await post(client, path, **said | {"request": str(uuid4())})
        assert again.status_code == 409


@pytest.mark.rule("S18")
async def test_what_is_hidden_is_shown_to_those_named_only_and_every_look_is_registered(office: Office) -> None:
    key = office.take()
    path = f"/reception/referrals/{key}/household"
    member = str(office.stage.ask(DeskHousehold(by=OFFICER, referral=key)).members[1].member)
    async with browser(office.work) as client:
        await sign_in(client)
        note = {"step": "detail", "request": str(uuid4()), "member": member, "detail": "school", "text": "細野製作所"}
        assert (await post(client, path, **note)).status_code == 303
        hide = {"step": "hide", "request": str(uuid4()), "after": "0", "member": member}
        hide |= {"ground": "partner_violence", "viewers": str(PEOPLE[1])}
        assert (await post(client, path, **hide)).status_code == 303
        text = await page(client, path)
        assert "〔秘匿〕" in text
        assert "細野製作所" not in text
        shown = await page(client, f"/reception/referrals/{key}/shown")
    assert "福祉課 髙橋 美穂" in shown
    assert "伏せて" in shown
    rows = office.stage.do(lambda tx: tx.execute(select(showing.c.person).where(showing.c.masked)).scalars().all())
    assert set(rows) == {PEOPLE[0]}


async def test_a_household_splits_and_what_was_stays_readable(office: Office) -> None:
    key = office.take()
    path = f"/reception/referrals/{key}/household"
    member = str(office.stage.ask(DeskHousehold(by=OFFICER, referral=key)).members[1].member)
    async with browser(office.work) as client:
        await sign_in(client)
        text = await page(client, path)
        form = text[text.index("世帯が変わったとき") :]
        said = {"step": "change", "request": str(uuid4()), "after": hidden(form, "after"), "on": "2026-11-20"}
        join = said | {"change": "join", "name": "髙橋 由紀", "age": "51", "relation": "長女"}
        assert (await post(client, path, **join)).status_code == 303
        stale = await post(client, path, **said | {"request": str(uuid4()), "change": "leave", "members": member})
        assert stale.status_code == 409, "somebody else changed it meanwhile"
        text = await page(client, path)
        assert "髙橋 由紀" in text
        after = hidden(text[text.index("世帯が変わったとき") :], "after")
        leave = {"step": "change", "request": str(uuid4()), "after": after, "on": "2026-11-21"}
        assert (await post(client, path, **leave, change="split", members=member)).status_code == 303
        text = await page(client, path)
    assert "令和8年11月21日(土)の前日まで(分かれて別の世帯になる)" in text


async def test_from_a_case_to_its_household_and_not_for_who_may_not_see_it(office: Office) -> None:
    key = office.take()
    (case,) = [one.about for one in office.stage.told() if isinstance(one, ReferralWithConsent)]
    async with browser(office.work) as client:
        await sign_in(client)
        reply = await client.get(f"/cases/{case}/household")
        assert reply.headers["location"] == f"/reception/referrals/{key}/household"
        assert (await client.get(f"/cases/{CASE}/household")).status_code == 403
    outsider = DeskOfficer(person=PEOPLE[5], agency="byouin")
    assert not office.stage.ask(DeskReferralOf(by=outsider, case=case)).done


# -- notes -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("C5")
async def test_a_note_is_typed_in_read_and_dropped_with_a_reason(office: Office) -> None:
    said = {"step": "report", "request": str(uuid4()), "noticed_on": "2026-11-20", "place": "salon"}
    said |= {"signs": "absent", "description": "いつも来る人が二週間来ていない。郵便もたまっている。"}
    async with browser(office.work) as client:
        await sign_in(client)
        wrong = await post(client, "/reception/signals", **said | {"noticed_on": "きのう"})
        assert (wrong.status_code, "気づいた日" in wrong.text) == (400, True)
        assert "いつも来る人が二週間来ていない" in wrong.text, "what was typed is not lost"
        assert "受け付けました" in (await post(client, "/reception/signals", **said)).text
        text = await page(client, "/reception/signals")
        assert "未対応 1件" in text
        (ref,) = re.findall(r"/reception/signals/([0-9a-f-]{36})", text)
        drop = {"request": str(uuid4()), "step": ref, "reason": "旅行から戻り、元気にしていると本人が話した。"}
        assert (await post(client, f"/reception/signals/{ref}", **drop)).status_code == 303
        assert "未対応 0件" in await page(client, "/reception/signals")


# -- after a withdrawal ------------------------------------------------------------------------------------------------


@pytest.mark.rule("C11")
async def test_after_a_withdrawal_the_other_referrals_of_the_person_are_told_by_number_to_who_may_see_them(
    office: Office,
) -> None:
    office.take()
    (case,) = [one.about for one in office.stage.told() if isinstance(one, ReferralWithConsent)]
    office.take(number="124", referrer="jiritsu")
    office.take(number="125", resident_number="4")
    office.without(number="126")
    taken = {"obtained": Obtained.PHONE, "obtained_by": "髙橋 美穂", "obtained_on": date(2026, 11, 24)}
    assert office.stage.ask(WithdrawConsent(case=case, **taken)).done
    found = office.stage.ask(DeskOthers(by=OFFICER, case=case))
    assert [(one.referrer, one.number) for one in found.others] == [("jiritsu", "124")]
    outsider = DeskOfficer(person=PEOPLE[5], agency="byouin")
    assert office.stage.ask(DeskOthers(by=outsider, case=case)).others == ()
    async with browser(office.work) as client:
        await sign_in(client)
        taken = {"obtained": "phone", "obtained_by": "髙橋 美穂", "obtained_on": "2026-11-24"}
        office.work.answers[DeskOthers] = lambda asked: found
        where = (await post(client, f"/cases/{CASE}/withdraw", **taken, confirmed="true")).headers["location"]
        assert "受付番号 124" not in await page(client, where), "a page that reloads itself is no look at them"
        office.work.confirm_stop()
        text = await page(client, where)
    assert re.search("受付番号 124</a>\\([^)]+\\)", text), "and whose it is"
    assert "その事案でも撤回を記録してください" in text
    assert "キヨ子" not in text, "numbers only"


@pytest.mark.rule("S18", "C1")
async def test_the_page_of_a_case_says_how_many_of_the_household_were_not_asked(office: Office) -> None:
    office.take()
    (case,) = [one.about for one in office.stage.told() if isinstance(one, ReferralWithConsent)]
    origin = office.stage.ask(DeskReferralOf(by=OFFICER, case=case))
    assert origin.unasked == 1
    office.work.answers[DeskReferralOf] = lambda _: origin
    async with browser(office.work) as client:
        await sign_in(client)
        text = await page(client, f"/cases/{CASE}")
    assert "世帯員1人の同意がまだ尋ねられていません" in text
    assert "会議の前までに" in text
    assert f"/reception/referrals/{origin.referral}/household" in text
