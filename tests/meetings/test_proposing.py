"""日時の案と承認: nobody is invited before somebody approved; what changed since is judged anew (S12, S13)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.disclosure import DisclosuresAtMeetings
from contracts.meetings import ItemPlaced, ItemUnplaced
from contracts.message import Compartment
from contracts.profile import Profile, Quorum, Room
from contracts.proposing import DatesInHand, ReturnReason
from services.meetings.polls_tables import proposal
from services.meetings.tables import sitting
from tests.meetings.arranging_hands import Desk, at, held_as
from tests.meetings.stand_in import Hands, person, put_forward, withdrawn

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
FUKUSHI, COLLEAGUE, SHAKYO, JIRITSU, KODOMO = (
    *(person("fukushi"), person("fukushi", 1)),
    *(person(one) for one in ("shakyo", "jiritsu", "kodomo")),
)


@pytest.fixture(scope="session")
def two_step(kobayashi: Profile) -> Profile:
    """小林市, if it wanted every date approved."""
    return kobayashi.model_copy(update={"approval": True})


async def begun(hands: Hands, *agencies: str) -> Desk:
    """An urgent item, taken up."""
    event = put_forward(*agencies, urgent=True)
    hands.give(event)
    await hands.work()
    return Desk(hands, event)


def rows(hands: Hands, table: Any) -> list[Any]:
    return hands.stage.do(lambda tx: list(tx.execute(select(table))))


def colleague(one: Desk) -> dict[str, UUID]:
    return one.who(viewer=COLLEAGUE)


# -- the ranking -------------------------------------------------------------------------------------------------------


async def test_the_coordinator_sees_the_best_dates_with_reasons_that_name_agencies_only(
    hands: Building, two_step: Profile
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    town.town.is_away(KODOMO, at(25, "00:00"), 24)
    found = await one.item()
    assert found.options[0].starts > town.now()
    assert len(found.options) == 12 < found.lawful
    costs = [option.cost for option in found.options]
    assert costs == sorted(costs)
    assert all(option.starts.date() > at(25, "23:00").date() for option in found.options)  # こども課 can come to these
    assert "必須" in found.options[0].why
    assert "髙橋" not in found.options[0].why


async def test_looking_at_dates_is_a_showing_and_stands_in_the_register_once_a_day(
    hands: Building, two_step: Profile
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    await one.dates()
    await one.dates()
    listed = town.stage.ask(DisclosuresAtMeetings(cases=(one.event.case,))).rows
    assert [(row.act, row.person) for row in listed] == [("show", FUKUSHI)]


async def test_where_no_date_is_lawful_the_smallest_set_of_duties_and_what_could_be_relaxed_are_said(
    hands: Building, two_step: Profile
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    for n in range(3):
        town.town.is_away(person("shakyo", n), at(25, "00:00"), 24 * 30)
    found = await one.item()
    assert found.options == ()
    assert found.lawful == 0
    assert found.clashing == ("必須の席「小林市社会福祉協議会」",)
    assert "小林市社会福祉協議会" in found.none_because
    assert any("代理" in way and "候補" in way for way in found.relax)


async def test_a_quorum_counts_one_of_three_agencies_and_their_substitutes(hands: Building, two_step: Profile) -> None:
    """「市町村1、多機関協働1、包括3者のうち1」."""
    three = ("houkatsu-kobayashi", "houkatsu-seibu", "houkatsu-nojiri")
    counted = Quorum(name="包括3者のうち1", at_least=1, agencies=three)
    bodies = tuple(body.model_copy(update={"quorum": (counted,)}) for body in two_step.bodies)
    town = hands(JUSO, two_step.model_copy(update={"bodies": bodies}))
    one = await begun(town, *three)
    for agency in three:  # nobody comes on the 25th; from the 26th on only 西部's second 担当者
        for n in range(3):
            away = 24 if (agency, n) == ("houkatsu-seibu", 1) else 24 * 30
            town.town.is_away(person(agency, n), at(25, "00:00"), away)
    best = (await one.options())[0]
    assert best.starts == at(26, "09:00")
    assert [seat.person for seat in best.seats if seat.agency in three and seat.person] == [person("houkatsu-seibu", 1)]
    town.town.is_away(person("houkatsu-seibu", 1), at(25, "00:00"), 24 * 30)
    none = await one.item()
    assert none.options == ()
    assert "包括3者のうち1" in none.none_because


async def test_a_room_has_to_be_free_and_large_enough_and_nobody_can_tell_for_which_meeting_it_is_held(
    hands: Building, two_step: Profile
) -> None:
    rooms = (
        Room(code="small", name="相談室", place="shiyakusho", capacity=2),
        Room(code="large", name="会議室", place="shiyakusho", capacity=20),
    )
    profile = two_step.model_copy(update={"rooms": rooms})
    town = hands(JUSO, profile)
    one = await begun(town)
    best = (await one.options())[0]
    assert best.room == "large"
    assert (await one.propose(best)).done
    assert (await one.decide((await one.newest()).proposal, **colleague(one))).done
    await town.work()
    (held,) = town.town.holds.values()
    other = Desk(town, put_forward(urgent=True))
    town.give(other.event)
    await town.work()
    assert all(option.starts >= held[2] or option.ends <= held[1] for option in await other.options())


async def test_two_who_must_not_meet_are_not_proposed_together_nor_invited_together(
    hands: Building, two_step: Profile
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    before = (await one.options())[0]
    assert {JIRITSU, KODOMO} <= {seat.person for seat in before.seats}
    for _ in range(2):
        assert one.apart(KODOMO, JIRITSU).done
    found = await one.item()
    assert found.apart == (tuple(sorted((JIRITSU, KODOMO), key=lambda who: who.hex)),)
    for option in found.options:
        assert not {JIRITSU, KODOMO} <= {seat.person for seat in option.seats}
    refusal = await one.propose(before)
    assert not refusal.done
    assert one.apart(JIRITSU, KODOMO, apart=False).done
    assert (await one.propose(before)).done
    assert one.apart(JIRITSU, KODOMO).done  # before it is approved
    assert (await one.decide((await one.newest()).proposal, **colleague(one))).done
    await town.work()
    assert town.town.mails == {}
    assert "会わせてはいけない" in (await one.newest()).void
    same = one.apart(JIRITSU, JIRITSU)
    assert (same.done, same.rule) == (False, "P5")
    assert not one.apart(JIRITSU, KODOMO, viewer=JIRITSU, viewer_agency="jiritsu").done


async def test_a_date_found_by_itself_keeps_them_apart_too(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi)
    one = Desk(town, put_forward(urgent=True))
    town.give(one.event)
    await town.run_errand("compare_with_ledger")
    assert one.apart(JIRITSU, KODOMO).done
    await town.work()
    invited = {mail.person for mail in town.town.mails.values()}
    assert len(invited & {JIRITSU, KODOMO}) == 1


# -- proposal and approval ---------------------------------------------------------------------------------------------


@pytest.mark.rule("S12")
@pytest.mark.parametrize("here", [JUSO, SHIEN])
async def test_nobody_is_invited_before_the_proposal_is_approved(
    hands: Building, two_step: Profile, here: Compartment
) -> None:
    town = hands(here, two_step)
    one = await begun(town)
    assert rows(town, sitting) == []
    chosen = (await one.options())[3]
    assert (await one.propose(chosen)).done
    town.stage.pass_time(minutes=20)
    await town.work()
    assert rows(town, sitting) == []
    assert town.town.mails == {}
    (waits,) = town.stage.ask(DatesInHand.model_validate(one.who())).cases
    assert waits.what == "to_approve"
    assert (await one.decide((await one.newest()).proposal, **colleague(one))).done
    await town.work()
    (held,) = rows(town, sitting)
    assert held.starts == chosen.starts
    assert {mail.person for mail in town.town.mails.values()} == {seat.person for seat in chosen.seats if seat.person}
    assert (await one.newest()).state == "done"


async def test_whoever_proposed_does_not_approve_nor_does_an_agency_that_is_not_the_city(
    hands: Building, two_step: Profile
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    assert (await one.propose((await one.options())[0])).done
    newest = (await one.newest()).proposal
    for who in (one.who(), one.who(viewer=SHAKYO, viewer_agency="shakyo")):
        refusal = await one.decide(newest, **who)
        assert not refusal.done
        assert refusal.rule == "S12"
        assert refusal.next_step
    assert (await one.newest()).state == "proposed"


@pytest.mark.rule("S13")
async def test_in_yasu_only_the_head_calls_the_meeting_and_nobody_stands_in(hands: Building, yasu: Profile) -> None:
    town = hands(SHIEN, yasu)
    one = await begun(town, "kosodate")
    officer = Desk(town, one.event, agency="shimin", viewer=person("shimin"))
    head = {"viewer": person("shimin", 2), "viewer_agency": "shimin"}
    chosen = await officer.item()
    if not chosen.options:  # the date was found by itself already: propose another
        pytest.fail("an urgent item has dates")
    assert (await officer.propose(chosen.options[1], instead_of=chosen.sitting)).done
    newest = (await officer.newest()).proposal
    refusal = await officer.decide(newest, viewer=person("shimin", 1), viewer_agency="shimin")
    assert not refusal.done
    assert refusal.rule == "S13"
    assert "総括者" in refusal.reason
    assert "委任できません" in refusal.reason
    assert (await officer.decide(newest, **head)).done
    await town.work()
    assert (await officer.newest()).state == "done"


async def test_without_the_city_wanting_approval_a_proposal_is_carried_out_at_once(
    hands: Building, kobayashi: Profile
) -> None:
    town = hands(JUSO, kobayashi)
    one = await begun(town)
    found = await one.item()
    assert found.sitting is not None  # the date was found by itself, as ever
    later = found.options[5]
    assert (await one.propose(later, instead_of=found.sitting)).done
    await town.work()
    assert (await one.newest()).state == "done"
    assert [row.starts for row in rows(town, sitting) if row.cancelled_at is None] == [later.starts]


@pytest.mark.parametrize("reason", list(ReturnReason))
async def test_a_proposal_given_back_says_why_and_waits_for_another_choice(
    hands: Building, two_step: Profile, reason: ReturnReason
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    assert (await one.propose((await one.options())[0])).done
    assert (await one.decide((await one.newest()).proposal, returned=reason, **colleague(one))).done
    await town.work()
    newest = await one.newest()
    assert (newest.state, newest.returned) == ("returned", reason)
    (told,) = town.stage.ask(DatesInHand.model_validate(one.who())).cases
    assert told.what == "returned"
    assert rows(town, sitting) == []
    assert (await one.propose((await one.options())[1])).done


async def test_each_request_is_one_act_and_two_people_do_not_decide_at_once(hands: Building, two_step: Profile) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    best, other, request = *(await one.options())[:2], uuid4()
    assert (await one.propose(best, request=request)).done
    assert (await one.propose(best, request=request)).done
    assert not (await one.propose(other, request=request)).done
    assert not (await one.propose(other)).done
    newest, decision = (await one.newest()).proposal, uuid4()
    assert (await one.decide(newest, request=decision, **colleague(one))).done
    assert (await one.decide(newest, request=decision, **colleague(one))).done
    late = await one.decide(newest, returned=ReturnReason.DATE, **one.who(viewer=person("fukushi", 2)))
    assert not late.done
    assert late.next_step
    assert len(rows(town, proposal)) == 1


@pytest.mark.rule("M3")
@pytest.mark.parametrize("mode", ["in_person", "online"])
async def test_a_proposal_sent_twice_is_one_however_its_body_is_held_and_another_way_is_another(
    hands: Building, two_step: Profile, mode: str
) -> None:
    one = await begun(hands(JUSO, held_as(two_step, mode)))
    best, request = (await one.options())[0], uuid4()
    assert (await one.propose(best, request=request)).done
    assert (await one.propose(best, request=request)).done
    otherwise = await one.propose(best, request=request, online=True, mode_reason="weather")
    assert otherwise.done == (mode == "online"), "of a body that is held online it says the same"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"starts": at(25, "07:00")}, "P1"),
        ({"starts": at(28, "10:00")}, "P1"),
        ({"starts": at(24, "14:00")}, "P1"),
        ({"persons": [person("jiritsu")]}, "P1"),  # without 市町村
        ({"persons": [person("fukushi"), person("shakyo"), person("byouin")]}, "P5"),  # who has no seat
        ({"persons": [person("fukushi"), person("shakyo"), uuid4()]}, "P5"),  # whom nobody knows
    ],
)
async def test_an_unlawful_date_or_roster_is_refused_with_the_rule_and_nothing_is_kept(
    hands: Building, two_step: Profile, change: dict[str, Any], rule: str
) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    refusal = await one.propose((await one.options())[0], **change)
    assert not refusal.done
    assert refusal.rule == rule
    assert refusal.reason
    assert refusal.next_step
    assert rows(town, proposal) == []


async def test_somebody_who_cannot_come_then_is_not_proposed_for_it(hands: Building, two_step: Profile) -> None:
    town = hands(JUSO, two_step)
    one = await begun(town)
    best = (await one.options())[0]
    town.town.is_away(KODOMO, best.starts, 1)
    refusal = await one.propose(best)
    assert not refusal.done
    assert refusal.rule == "P4"
    assert "こども課" in refusal.reason


# -- between proposal and notice ---------------------------------------------------------------------------------------


async def approved_while(
    hands: Building, profile: Profile, change: Callable[[Hands, Desk], None]
) -> tuple[Hands, Desk]:
    """Proposed and approved; then something changes before it is carried out."""
    town = hands(JUSO, profile)
    one = await begun(town)
    assert (await one.propose((await one.options())[0])).done
    assert (await one.decide((await one.newest()).proposal, **colleague(one))).done
    change(town, one)
    await town.work()
    return town, one


def leaves(*gone: UUID) -> Callable[[Hands, Desk], None]:
    def change(town: Hands, one: Desk) -> None:
        town.town.staff[:] = [who for who in town.town.staff if who.person not in gone]

    return change


async def test_a_member_deleted_between_proposal_and_notice_is_stood_in_for_by_a_colleague_and_it_is_said(
    hands: Building, two_step: Profile
) -> None:
    town, _one = await approved_while(hands, two_step, leaves(SHAKYO))
    (held,) = rows(town, sitting)
    assert "代わった席: 小林市社会福祉協議会" in held.why
    invited = {mail.person for mail in town.town.mails.values()}
    assert SHAKYO not in invited
    assert invited & {person("shakyo", 1), person("shakyo", 2)}


async def test_if_nobody_can_stand_in_for_a_required_member_nobody_is_invited_and_the_desk_is_told(
    hands: Building, two_step: Profile
) -> None:
    everybody = [person("shakyo", n) for n in range(3)]
    town, one = await approved_while(hands, two_step, leaves(*everybody))
    assert rows(town, sitting) == []
    assert town.town.mails == {}
    assert (row := rows(town, proposal)[0]).state == "void"
    assert "小林市社会福祉協議会" in row.void
    (told,) = town.stage.ask(DatesInHand.model_validate(one.who())).cases
    assert told.what == "void"


async def test_if_the_time_was_taken_meanwhile_it_is_not_forced_and_no_other_date_is_set_by_itself(
    hands: Building, two_step: Profile
) -> None:
    def taken(town: Hands, one: Desk) -> None:
        town.town.is_away(FUKUSHI, at(25, "00:00"), 24 * 7)

    town, one = await approved_while(hands, two_step, taken)
    assert [row for row in rows(town, sitting) if row.fixed] == []
    newest = await one.newest()
    assert newest.state == "void"
    assert "埋まりました" in newest.void
    town.stage.pass_time(minutes=30)
    await town.work()
    assert town.town.mails == {}


@pytest.mark.rule("C11")
async def test_a_consent_withdrawn_after_the_approval_leaves_no_date(hands: Building, two_step: Profile) -> None:
    town, _one = await approved_while(hands, two_step, lambda town, one: town.hear(withdrawn(one.event)))
    assert rows(town, sitting) == []
    assert town.town.mails == {}
    assert rows(town, proposal)[0].state == "void"


# -- another date for what was announced (RFC 5546 2.1.4) --------------------------------------------------------------


async def moved(hands: Building, profile: Profile) -> tuple[Hands, Desk, Any]:
    """Announced, declined by 社協, and moved to a date that 社協 can come to."""
    town = hands(JUSO, profile)
    one = await begun(town)
    found = await one.item()
    town.stage.told()
    assert (await one.propose(found.options[8], instead_of=found.sitting)).done
    return town, one, found


async def test_a_moved_date_reaches_everybody_as_an_update_with_the_same_uid_and_a_higher_sequence(
    hands: Building, kobayashi: Profile
) -> None:
    town, _, found = await moved(hands, kobayashi)
    await town.work()
    by_uid: dict[UUID, list[Any]] = {}
    for mail in town.town.mails.values():
        by_uid.setdefault(mail.uid, []).append((mail.sequence, mail.starts, mail.person))
    assert by_uid
    assert all([sequence for sequence, _, _ in sent] == [0, 1] for sent in by_uid.values())
    assert {starts for sent in by_uid.values() for _, starts, _ in sent[1:]} == {found.options[8].starts}
    assert town.town.cancelled == {}
    told = town.stage.told()
    assert [type(one) for one in told if isinstance(one, ItemPlaced | ItemUnplaced)] == [ItemUnplaced, ItemPlaced]
    assert len(town.town.holds) == 1


async def test_whoever_is_not_in_the_new_sitting_gets_a_cancellation(hands: Building, kobayashi: Profile) -> None:
    town = hands(JUSO, kobayashi)
    one = await begun(town)
    found = await one.item()
    chosen = found.options[8]
    without = [seat.person for seat in chosen.seats if seat.person and seat.agency != "kodomo"]
    assert (await one.propose(chosen, persons=without, instead_of=found.sitting)).done
    await town.work()
    assert [one.person for one in town.town.cancelled.values()] == [KODOMO]


async def test_if_the_new_date_falls_through_whoever_had_the_old_one_is_told_that_it_is_off(
    hands: Building, kobayashi: Profile
) -> None:
    town, one, _found = await moved(hands, kobayashi)
    for n in range(3):
        town.town.is_away(person("fukushi", n), at(25, "00:00"), 24 * 7)
    await town.work()
    assert (await one.newest()).state == "void"
    assert {mail.person for mail in town.town.mails.values()} == {one.person for one in town.town.cancelled.values()}


async def test_after_a_decline_the_plan_with_the_fewest_changes_comes_first(
    hands: Building, kobayashi: Profile
) -> None:
    from contracts.meetings import AnswerByLink

    town = hands(JUSO, kobayashi)
    one = await begun(town)
    before = await one.item()
    (mail,) = [mail for mail in town.town.mails.values() if mail.person == SHAKYO]
    town.stage.ask(AnswerByLink(link=mail.link, answer="absent"))
    best = (await one.options())[0]
    (held,) = rows(town, sitting)
    assert best.starts == held.starts  # the same time, for 社協 has a colleague
    people = {seat.person for seat in best.seats if seat.person}
    assert SHAKYO not in people
    assert person("shakyo", 1) in people
    assert before.options[0].starts == held.starts
