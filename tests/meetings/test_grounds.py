"""Who may hear what: an item follows its consent, a seat in a 支援会議 its commission. Without it all stops."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from contracts.commission import Commission, CommissionEnded, CommissionMade, Commissions, EndCommission
from contracts.consent import ConsentState
from contracts.coordination import ItemWithdrawn
from contracts.disclosure import DisclosureList, DisclosuresAtMeetings
from contracts.intake import ConsentChanged
from contracts.meetings import ItemPlaced, ItemSittings, ItemUnplaced, LinkState, LookAtLink
from contracts.message import Compartment
from contracts.policy import POLICY_VERSION
from contracts.profile import Profile
from contracts.purpose import Purpose
from services.meetings.commissioning import start
from services.meetings.seats import let_go
from services.meetings.tables import commissions, disclosure, item, link, notice, release, seat, sitting
from services.service import AskFailed
from services.settings import ProfileInvalid, Settings, read_profile
from services.store import Outcome
from tests.meetings.conftest import EXAMPLES
from tests.meetings.stand_in import Hands, consented, person, put_forward, withdrawn
from tests.meetings.test_meetings import everything, only_sitting, placed, rows, tally, undone
from tests.stage import SOME_DAY

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
OWN = ("fukushi", "shakyo", "jiritsu", "kodomo")
"""Those who sit in a sitting of an item's own."""


def narrowed(one: Any, *agencies: str, version: int = 2, **scope: Any) -> ConsentChanged:
    return consented(one, *agencies, version=version, state=ConsentState.NARROWED, **scope)


def register(hands: Hands, case: Any) -> DisclosureList:
    found = hands.stage.ask(DisclosuresAtMeetings(cases=(case,)))
    assert isinstance(found, DisclosureList)
    return found


def agencies_mailed(hands: Hands) -> set[str]:
    by_person = {one.person: one.agency for one in hands.town.staff}
    return {by_person[mail.person] for mail in hands.town.mails.values()}


# -- juso: placing within the consent ----------------------------------------------------------------------------------


@pytest.mark.rule("C1")
async def test_an_item_waits_for_the_consent_it_rests_on(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    assert juso.stage.give(event) is Outcome.LATER
    assert rows(juso, item) == []
    juso.give(event)
    (kept,) = rows(juso, item)
    assert (kept.member, kept.category, kept.consent) == (event.member, "ordinary", event.consent)


@pytest.mark.rule("M6")
async def test_standing_members_outside_the_consent_leave_the_room_for_that_item(hands: Building) -> None:
    juso, all_agree, without_kenko = hands(JUSO), put_forward(), put_forward()
    everyone = [agency.code for agency in juso.profile.agencies]
    juso.hear(consented(without_kenko, *(code for code in everyone if code != "kenko")))
    await placed(juso, all_agree, without_kenko)
    found = only_sitting(juso)
    assert {one.item: one.without for one in found.items} == {all_agree.about: (), without_kenko.about: ("kenko",)}
    assert "kenko" in {one.agency for one in found.seats}
    told = {row.agency for row in register(juso, without_kenko.case).rows}
    assert len(told) == 9
    assert "kenko" not in told


async def test_a_standing_member_to_whom_no_item_is_open_is_not_invited_until_one_is(hands: Building) -> None:
    juso, first = hands(JUSO), put_forward()
    juso.hear(consented(first, *(agency.code for agency in juso.profile.agencies if agency.code != "kenko")))
    await placed(juso, first)
    assert "kenko" not in {one.agency for one in only_sitting(juso).seats} | agencies_mailed(juso)
    await placed(juso, put_forward())
    assert "kenko" in {one.agency for one in only_sitting(juso).seats} & agencies_mailed(juso)
    assert len(juso.town.mails) == 10


async def test_a_regular_meeting_hears_only_what_is_open_to_those_who_must_be_there(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    juso.hear(consented(event, *(agency.code for agency in juso.profile.agencies if agency.code != "shakyo")))
    await placed(juso, event)
    (waiting,) = everything(juso).waiting
    assert waiting.why.startswith("同意が小林市社会福祉協議会に及んでいません。")
    assert juso.town.mails == {}
    juso.hear(consented(event, *(agency.code for agency in juso.profile.agencies), version=2))
    await juso.work()
    assert len(only_sitting(juso).seats) == 10, "the new version opens the door at once"


@pytest.mark.rule("C3")
async def test_a_sitting_of_its_own_leaves_out_whom_the_consent_does_not_name_and_says_so(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    juso.hear(consented(event, "fukushi", "shakyo", "jiritsu"))
    await placed(juso, event)
    found = only_sitting(juso)
    assert {one.agency for one in found.seats} == {"fukushi", "shakyo", "jiritsu"}
    assert found.why.endswith("同意の範囲にないため呼ばない機関: こども課(同意に加われば呼べます)")


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        ({"purposes": (Purpose.CLOSING,)}, "この目的は、本人の同意の範囲に入っていません。"),
        ({"members": (uuid4(),)}, "この世帯員の同意がありません。"),
        ({"starts": SOME_DAY + timedelta(days=60)}, "同意の期間がまだ始まっていません。"),
    ],
)
@pytest.mark.parametrize("urgent", [True, False])
async def test_what_the_consent_does_not_cover_waits_with_the_reason(
    hands: Building, scope: dict[str, Any], why: str, urgent: bool
) -> None:
    juso, event = hands(JUSO), put_forward(urgent=urgent)
    juso.hear(consented(event, *(agency.code for agency in juso.profile.agencies), **scope))
    await placed(juso, event)
    assert everything(juso).waiting[0].why.startswith(why)
    assert undone(juso) == 0


async def test_no_date_lies_after_the_end_of_the_consent(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    juso.hear(consented(event, *(agency.code for agency in juso.profile.agencies), ends=SOME_DAY + timedelta(days=9)))
    await placed(juso, event)
    assert everything(juso).waiting[0].why.startswith("同意の期限が切れています。"), (
        "the next regular date is in December"
    )


# -- juso: narrowing and withdrawal ------------------------------------------------------------------------------------


async def test_a_withdrawal_before_the_invitation_leaves_nothing_to_send(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    juso.town.refusals = {one.person: "mail_server_down" for one in juso.town.staff}
    await placed(juso, event)
    juso.town.refusals.clear()
    juso.town.ledger[event.consent] = withdrawn(event)
    juso.stage.pass_time(minutes=5)
    await juso.work()
    assert juso.town.mails == {}, "the ledger gives no permit, though its news has not arrived"
    juso.hear(withdrawn(event))
    await juso.work()
    assert juso.town.mails == juso.town.cancelled == {}
    assert undone(juso) == 0


@pytest.mark.rule("C11")
async def test_a_withdrawal_after_the_invitation_is_told_to_everybody_invited(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event)
    held = only_sitting(juso)
    juso.hear(withdrawn(event))
    assert only_sitting(juso).items == ()
    assert {one.cancelled for one in only_sitting(juso).seats} == {True}
    for mail in juso.town.mails.values():
        assert juso.stage.ask(LookAtLink(link=mail.link)) == LinkState(found=False)
    assert rows(juso, link) == []
    await juso.work()
    assert {(one.person, one.uid, one.sequence) for one in juso.town.cancelled.values()} == {
        (one.person, one.uid, 1) for one in juso.town.mails.values()
    }
    assert {(one.starts, one.place) for one in juso.town.cancelled.values()} == {(held.starts, held.place)}
    assert {(one.notice, one.cancelled) for one in only_sitting(juso).seats} == {("sent", True)}
    assert juso.town.holds == {}, "their time is their own again"
    (waiting,) = juso.stage.ask(ItemSittings(case=event.case)).waiting
    assert waiting.why.startswith("同意が撤回されました。")
    assert (undone(juso), tally(juso)["sittings"], tally(juso)["seats"]) == (0, 0, 0)
    assert len(register(juso, event.case).rows) == 4, "what was shared stays on record"


async def test_a_withdrawal_takes_only_its_own_item_off_a_shared_agenda(hands: Building) -> None:
    juso, lost, kept = hands(JUSO), put_forward(), put_forward()
    await placed(juso, lost, kept)
    juso.hear(withdrawn(lost))
    await juso.work()
    found = only_sitting(juso)
    assert [one.item for one in found.items] == [kept.about]
    assert {one.cancelled for one in found.seats} == {False}
    assert juso.town.cancelled == {}
    assert len(juso.town.holds) == 1


@pytest.mark.parametrize("kind", [JUSO, SHIEN])
async def test_what_is_withdrawn_for_good_leaves_its_sitting_and_does_not_come_back(
    hands: Building, kind: Compartment
) -> None:
    town, event = hands(kind), put_forward(urgent=True)
    await placed(town, event)
    assert town.town.mails
    town.stage.give(ItemWithdrawn(about=event.about, case=event.case))
    await town.work()
    assert len(town.town.cancelled) == len(town.town.mails)
    assert {one.cancelled for one in only_sitting(town).seats} == {True}
    assert town.town.holds == {}
    if kind is JUSO:
        town.hear(consented(event, *(agency.code for agency in town.profile.agencies), version=2))
        await town.work()
    assert only_sitting(town).items == ()
    assert undone(town) == 0


@pytest.mark.rule("C11")
async def test_narrowing_one_agency_cancels_exactly_its_seats(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event)
    juso.hear(narrowed(event, "fukushi", "shakyo", "jiritsu"))
    await juso.work()
    found = only_sitting(juso)
    assert {one.agency for one in found.seats if one.cancelled} == {"kodomo"}
    assert {one.person for one in juso.town.cancelled.values()} == {person("kodomo")}
    assert [one.item for one in found.items] == [event.about]
    assert found.why.endswith("同意の範囲から外れたため取り消した機関: こども課")


async def test_an_agency_that_another_item_brings_stays_when_one_consent_drops_it(hands: Building) -> None:
    juso, dropping, keeping = hands(JUSO), put_forward(), put_forward()
    await placed(juso, dropping, keeping)
    juso.hear(narrowed(dropping, *(agency.code for agency in juso.profile.agencies if agency.code != "kenko")))
    await juso.work()
    found = only_sitting(juso)
    assert {one.cancelled for one in found.seats} == {False}
    assert {one.item: one.without for one in found.items}[dropping.about] == ("kenko",)


async def test_a_consent_that_loses_who_must_be_there_stops_the_item(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event)
    juso.hear(narrowed(event, "jiritsu", "kodomo", "shakyo"))
    (stopped,) = rows(juso, item)
    assert stopped.state == "stopped"
    assert everything(juso).waiting[0].why.startswith("同意が福祉課に及んでいません。")


@pytest.mark.rule("T1")
async def test_coordination_is_told_that_an_item_has_lost_its_date_and_that_it_has_another(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event)
    (first,) = juso.stage.told()
    juso.hear(narrowed(event, "jiritsu", "kodomo", "shakyo"))
    (gone,) = juso.stage.told()
    assert isinstance(first, ItemPlaced)
    assert gone == ItemUnplaced(
        about=event.about, version=first.version + 1, case=event.case, sitting=first.sitting, again=False
    )
    juso.hear(consented(event, *(agency.code for agency in juso.profile.agencies), version=3))
    await juso.work()
    (again,) = juso.stage.told()
    assert isinstance(again, ItemPlaced)
    assert again.version > gone.version


async def test_what_coordination_itself_took_back_is_not_told_to_it(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event)
    juso.stage.told()
    juso.stage.give(ItemWithdrawn(about=event.about, case=event.case))
    juso.hear(withdrawn(event))
    assert juso.stage.told() == []


@pytest.mark.rule("S1")
async def test_a_sitting_that_is_called_anew_tells_that_its_items_have_lost_their_date(hands: Building) -> None:
    shien, event = hands(SHIEN), put_forward(urgent=True)
    await placed(shien, event)
    (first,) = [one for one in shien.stage.told() if isinstance(one, ItemPlaced)]
    office = [one for one in shien.stage.ask(Commissions()).commissions if one.agency == "fukushi"]
    for one in office:
        shien.stage.ask(EndCommission(commission=one.commission))
    (gone,) = [one for one in shien.stage.told() if isinstance(one, ItemUnplaced)]
    assert (gone.about, gone.sitting, gone.again) == (event.about, first.sitting, True)


@pytest.mark.parametrize("urgent", [True, False])
async def test_a_new_consent_puts_the_item_back_on_its_way(hands: Building, urgent: bool) -> None:
    juso, event = hands(JUSO), put_forward(urgent=urgent)
    await placed(juso, event)
    juso.hear(withdrawn(event))
    await juso.work()
    mails = len(juso.town.mails)
    juso.hear(consented(event, *(agency.code for agency in juso.profile.agencies), version=3))
    await juso.work()
    open_again = [one for one in everything(juso).sittings if one.items]
    assert len(open_again) == 1
    assert {one.cancelled for one in open_again[0].seats} == {False}
    assert len(juso.town.mails) == 2 * mails
    assert list(juso.town.holds) == [open_again[0].sitting]
    assert undone(juso) == 0
    last = list(juso.town.mails.values())[mails:]
    assert {one.sequence for one in last} == ({0} if urgent else {2}), "calendars follow the highest sequence"


@pytest.mark.parametrize("given_back_early", [True, False])
async def test_a_withdrawal_while_the_time_is_being_held_holds_nothing(hands: Building, given_back_early: bool) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    reserve = juso.town.reserve

    def withdrawn_meanwhile(asked: Any) -> Any:
        juso.hear(withdrawn(event))
        if given_back_early:  # another process told the directory to forget the hold before it came into being
            juso.stage.do(lambda tx: let_go(tx, asked.hold))
        return reserve(asked)

    juso.town.reserve = withdrawn_meanwhile  # type: ignore[method-assign]
    await placed(juso, event)
    await juso.work()
    assert juso.town.holds == juso.town.mails == {}
    assert rows(juso, sitting) == rows(juso, seat) == rows(juso, release) == []


async def test_while_the_ledger_cannot_be_reached_nobody_is_invited_but_cancellations_go_out(hands: Building) -> None:
    juso, invited, later = hands(JUSO), put_forward(urgent=True), put_forward(urgent=True)
    await placed(juso, invited)
    mails = len(juso.town.mails)
    juso.beats = False
    juso.stage.pass_time(seconds=61)
    juso.hear(withdrawn(invited))
    await placed(juso, later)
    assert len(juso.town.mails) == mails
    assert len(juso.town.cancelled) == 4
    assert undone(juso) == 4, "the notices wait"
    juso.beats = True
    await juso.work()
    assert len(juso.town.mails) == mails + 4


async def test_a_cancellation_goes_out_also_while_the_ledger_is_silent(hands: Building) -> None:
    juso, lost, other = hands(JUSO), put_forward(urgent=True), put_forward(urgent=True)
    await placed(juso, lost)

    def silent(_: Any) -> Any:
        raise AskFailed("TimeoutError")

    juso.town.permit = silent  # type: ignore[method-assign]
    juso.hear(withdrawn(lost))
    with pytest.raises(AskFailed):
        await placed(juso, other)
    assert (len(juso.town.mails), len(juso.town.cancelled)) == (4, 4)


async def test_a_version_learnt_is_acknowledged(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward()
    await placed(juso, event)
    await juso.run_errand("acknowledge_consents")
    said = [one for one in juso.town.asked if hasattr(one, "process")]
    assert [(known.consent, known.version, one.process) for one in said for known in one.known] == [
        (event.consent, 1, "meetings@juso")
    ]


# -- the register ------------------------------------------------------------------------------------------------------


async def test_every_invitation_stands_in_the_register_with_its_ground(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    await placed(juso, event)
    found = register(juso, event.case).rows
    assert {(row.agency, row.person) for row in found} == {(code, person(code)) for code in OWN}
    for row in found:
        assert (row.act, row.item, row.member, row.row, row.rules) == (
            "invite",
            event.about,
            event.member,
            "P1",
            "C1・C2",
        )
        assert (row.consent, row.consent_version, row.commission) == (event.consent, 1, None)
        assert (row.basis, row.policy, row.decided_by) == ("swa-106-4-2-5", POLICY_VERSION, "meetings@juso")
        assert row.reason == "本人の同意が有効で、機関・目的・世帯員がその範囲内です。"
    permits = {one.permit for one in rows(juso, disclosure)}
    assert permits == set(juso.town.spent)
    assert juso.stage.ask(DisclosuresAtMeetings(person=person("kodomo"))).rows == tuple(
        row for row in found if row.agency == "kodomo"
    )


async def test_a_try_that_is_repeated_stands_in_the_register_once(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    juso.town.refusals[person("kodomo")] = "mail_server_down"
    await placed(juso, event)
    for _ in range(3):
        juso.stage.pass_time(minutes=1)
        await juso.work()
    assert len(register(juso, event.case).rows) == 4
    assert len(juso.town.spent) == 7, "but each try redeems a permit of its own"


@pytest.mark.parametrize("compartment", [JUSO, SHIEN])
async def test_an_invitation_may_go_out_as_long_as_a_permit_lives_in_either_kind(
    hands: Building, compartment: Compartment
) -> None:
    one = hands(compartment)
    await placed(one, put_forward(urgent=True))
    assert {mail.send_before for mail in one.town.mails.values()} == {one.now() + timedelta(seconds=3)}


async def test_the_store_refuses_an_invitation_that_the_register_could_not_carry(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward(urgent=True)
    juso.hear(consented(event, *OWN))
    await placed(juso, event)
    row = rows(juso, disclosure)[0]._asdict() | {"id": uuid4(), "permit": uuid4(), "agency": "kenko"}
    with pytest.raises(IntegrityError):
        juso.stage.do(lambda tx: tx.execute(insert(disclosure).values(row)))


# -- shien -------------------------------------------------------------------------------------------------------------


def asked(hands: Hands, agency: str, **changes: Any) -> Commission:
    day = hands.now().replace(hour=15) - timedelta(days=1)  # midnight of that day in Japan
    facts = {"starts": day, "ends": day + timedelta(days=365), "explained_on": "2026-11-24", "document": "小福第2号"}
    return Commission.model_validate({"agency": agency, **facts, **changes})


async def test_who_must_be_there_has_to_be_commissioned_first(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    await placed(shien, put_forward("houkatsu-nojiri"))
    assert everything(shien).waiting[0].why.startswith("委嘱がないため、必須の機関が出席できません: 福祉課。")
    shien.commission("fukushi", "houkatsu-nojiri")
    await shien.work()
    assert {one.agency for one in only_sitting(shien).seats} == {"fukushi", "houkatsu-nojiri"}


@pytest.mark.rule("S6", "S8")
async def test_whoever_is_not_commissioned_has_no_seat_and_the_door_is_named(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    shien.commission("fukushi")
    await placed(shien, put_forward("houkatsu-nojiri"))
    found = only_sitting(shien)
    assert {one.agency for one in found.seats} == {"fukushi"}
    assert found.why.endswith("。委嘱がないため呼ばない機関: のじり地域包括支援センター(委嘱すれば呼べます)")


@pytest.mark.rule("S7")
async def test_the_holder_is_chosen_among_the_commissioned(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    shien.commission("fukushi", person=person("fukushi", 1))
    shien.commission("jiritsu", person=person("jiritsu", 1))
    await placed(shien, put_forward("jiritsu"))
    assert {one.person for one in only_sitting(shien).seats} == {person("fukushi", 1), person("jiritsu", 1)}


@pytest.mark.rule("S8")
async def test_no_seat_outlasts_the_commission_that_carries_it(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    shien.commission("fukushi", ends=SOME_DAY + timedelta(hours=20))
    shien.town.is_away(person("fukushi", 0), SOME_DAY, 24)
    shien.town.is_away(person("fukushi", 1), SOME_DAY, 24)
    await placed(shien, put_forward("fukushi"))
    assert everything(shien).sittings == ()


async def test_an_invitation_to_a_commissioned_member_stands_in_the_register(hands: Building) -> None:
    shien, event = hands(SHIEN, commissioned=False), put_forward("jiritsu")
    made = dict(zip(("fukushi", "jiritsu"), shien.commission("fukushi", "jiritsu"), strict=True))
    await placed(shien, event)
    found = register(shien, event.case).rows
    assert {row.agency: row.commission for row in found} == made
    assert {(row.row, row.rules, row.basis, row.consent) for row in found} == {("P2", "C4・S8", "swa-106-6", None)}


@pytest.mark.rule("S4")
async def test_a_commission_that_ends_takes_the_coming_seats_and_the_organiser_sees_why(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    _, theirs = shien.commission("fukushi", "jiritsu")
    await placed(shien, put_forward("jiritsu"))
    shien.stage.told()
    assert shien.stage.ask(EndCommission(commission=theirs)).done
    assert [type(one) for one in shien.stage.told()] == [CommissionEnded]
    await shien.work()
    found = only_sitting(shien)
    assert {one.agency for one in found.seats if one.cancelled} == {"jiritsu"}
    assert {one.person for one in shien.town.cancelled.values()} == {person("jiritsu")}
    assert found.why.endswith("委嘱がなくなったため取り消した機関: 小林市生活自立相談支援センター")
    again = shien.stage.ask(EndCommission(commission=theirs))
    assert (again.done, again.message) == (False, "この委嘱はすでに終わっています。")
    assert len(shien.stage.ask(Commissions()).commissions) == 2, "former members stay bound (S4)"


async def test_who_is_no_longer_bound_when_the_mail_would_go_gets_none_and_loses_the_seat(hands: Building) -> None:
    shien, event = hands(SHIEN, commissioned=False), put_forward("jiritsu")
    _, theirs = shien.commission("fukushi", "jiritsu")
    shien.town.refusals[person("jiritsu")] = "mail_server_down"
    await placed(shien, event)
    shien.town.refusals.clear()
    ended = {"commission": theirs, "at": shien.now()}
    shien.stage.do(lambda tx: tx.execute(insert(commissions.ended).values(ended)))
    shien.stage.pass_time(minutes=1)
    await shien.work()
    assert {one.person for one in shien.town.mails.values()} == {person("fukushi")}
    assert {(one.state, one.why) for one in rows(shien, notice) if one.kind == "invitation"} == {
        ("sent", ""),
        ("not_sent", "no_ground"),
    }
    assert {one.agency for one in rows(shien, seat) if one.cancelled_at} == {"jiritsu"}
    await shien.work()
    assert undone(shien) == 0, "a mail may have gone out unnoticed, so it is taken back; notify knows that none did"
    assert {one.agency for one in only_sitting(shien).seats} == {"fukushi"}


async def test_a_commission_that_is_gone_is_noticed_also_without_an_event(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    _, theirs = shien.commission("fukushi", "jiritsu")
    await placed(shien, put_forward("jiritsu"))
    ended = {"commission": theirs, "at": shien.now()}
    shien.stage.do(lambda tx: tx.execute(insert(commissions.ended).values(ended)))
    await shien.run_errand("look_ahead")
    assert {one.agency for one in only_sitting(shien).seats if one.cancelled} == {"jiritsu"}


@pytest.mark.parametrize("regular", [True, False])
async def test_without_whoever_must_be_there_another_date_is_sought(
    hands: Building, yasu: Profile, kobayashi: Profile, regular: bool
) -> None:
    shien = hands(SHIEN, yasu if regular else kobayashi, commissioned=False)
    city = "shimin" if regular else "fukushi"
    others = [agency.code for agency in shien.profile.agencies if agency.code != city]
    shien.commission(*others)
    (first, *_) = shien.commission(city, person=person(city, 0))
    shien.commission(city, person=person(city, 1))
    shien.commission(city, person=person(city, 2))
    event = put_forward("houkatsu")
    await placed(shien, event)
    assert person(city, 0) in {one.person for one in only_sitting(shien).seats}
    shien.stage.ask(EndCommission(commission=first))
    await shien.work()
    (found,) = [one for one in everything(shien).sittings if one.items]
    assert person(city, 0) not in {one.person for one in found.seats if not one.cancelled}
    assert person(city, 1) in {one.person for one in found.seats if not one.cancelled}
    assert undone(shien) == 0


@pytest.mark.rule("S3", "S6")
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"starts": SOME_DAY - timedelta(days=2)}, "S6"),
        ({"explained_on": "2026-11-25"}, "S3"),
        ({"ends": SOME_DAY + timedelta(days=365 * 5 + 9)}, "S6"),
        ({"ends": SOME_DAY - timedelta(days=2)}, "S6"),
        ({"agency": "unknown"}, "S7"),
    ],
)
def test_a_commission_is_not_back_dated_and_needs_its_explanation(
    hands: Building, changes: dict[str, Any], rule: str
) -> None:
    shien = hands(SHIEN, commissioned=False)
    refused = shien.stage.ask(asked(shien, **({"agency": "jiritsu"} | changes)))
    assert (refused.done, refused.rule) == (False, rule)
    assert refused.message.endswith("ください。")
    assert shien.stage.ask(Commissions()).commissions == ()
    assert shien.stage.told() == []


def test_the_same_holder_is_not_commissioned_twice_for_one_time(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    assert shien.stage.ask(asked(shien, "jiritsu")).done
    twice = shien.stage.ask(asked(shien, "jiritsu"))
    assert (twice.done, twice.rule) == (False, "S6")
    assert "終わる日から" in twice.message
    assert shien.stage.ask(asked(shien, "jiritsu", person=person("jiritsu"))).done


def test_a_commission_recorded_is_told_and_listed(hands: Building) -> None:
    shien = hands(SHIEN, commissioned=False)
    done = shien.stage.ask(asked(shien, "jiritsu", person=person("jiritsu")))
    (told,) = shien.stage.told()
    assert isinstance(told, CommissionMade)
    assert (told.about, told.person, told.agency) == (done.commission, person("jiritsu"), "jiritsu")
    (listed,) = shien.stage.ask(Commissions()).commissions
    assert (listed.commission, listed.document, listed.ended_at) == (done.commission, "小福第2号", None)


# -- the municipality's file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("city", sorted(path.parent.name for path in EXAMPLES.glob("*/profile.toml")))
@pytest.mark.parametrize("days", [0, 3000])
def test_the_examples_commission_their_agencies_whenever_they_are_first_started(
    hands: Building, city: str, days: int
) -> None:
    profile = read_profile(EXAMPLES / city)
    shien = hands(SHIEN, profile, commissioned=False)
    shien.stage.pass_time(days=days)
    for _ in range(2):
        shien.stage.tell(lambda tx: start(tx, Settings(profile=EXAMPLES / city)))
    found = shien.stage.ask(Commissions()).commissions
    outside = {"hellowork"} if city == "kobayashi" else set()  # somebody who can be asked (S5)
    assert sorted(one.agency for one in found) == sorted({agency.code for agency in profile.agencies} - outside)
    assert all(one.starts <= shien.now() < one.ends for one in found)
    assert len(shien.stage.told()) == len(found)


def test_juso_takes_no_commissions_over(hands: Building) -> None:
    juso = hands(JUSO)
    juso.stage.tell(lambda tx: start(tx, Settings(profile=EXAMPLES / "kobayashi")))
    assert juso.stage.told() == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jiritsu,,11/24,,,第1号", "2行目: 日付は"),
        ("jiritsu,,,2026-11-01,,第1号", "2行目: 委嘱の終わりは"),
        ("nobody,,,,,第1号", "2行目: この機関は"),
        ("jiritsu,0101,,,,第1号", "2行目: 個人の委嘱は"),
        ("jiritsu,,,,,", "2行目: "),
    ],
)
def test_a_faulty_line_is_named_and_nothing_is_taken_over(
    hands: Building, tmp_path: Any, line: str, words: str
) -> None:
    shien = hands(SHIEN, commissioned=False)
    head = "機関,職員番号,始期,終期,説明日,文書番号"
    (tmp_path / "commissions.csv").write_text(f"{head}\n{line}\nfukushi,,,,,第2号\n", "utf-8")
    with pytest.raises(ProfileInvalid, match=words):
        shien.stage.tell(lambda tx: start(tx, Settings(profile=tmp_path)))
    assert shien.stage.ask(Commissions()).commissions == ()
