"""The agencies of a case at a regular sitting: a seat for their item only, while it is there and they may hear it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from contracts.message import Compartment
from contracts.profile import Agency, Profile, Quorum
from services.meetings.tables import disclosure, seat
from tests.meetings.stand_in import Hands, consented, person, put_forward, withdrawn
from tests.meetings.test_domain import with_body
from tests.meetings.test_following_roster import accepted
from tests.meetings.test_meetings import only_sitting, placed, rows

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]


def sits(hands: Hands) -> set[str]:
    return {row.agency for row in rows(hands, seat) if row.cancelled_at is None}


async def settled(hands: Hands) -> None:
    await hands.run_errand("seat_anew")
    await hands.work()


def with_until(profile: Profile, code: str, until: date) -> Profile:
    """The city as it was, but for the last day of one agency."""
    agencies = tuple(one.model_copy(update={"until": until}) if one.code == code else one for one in profile.agencies)
    return profile.model_copy(update={"agencies": agencies})


def until(hands: Hands, who: Any, day: date) -> None:
    """The directory says when somebody's post ends."""
    staff = hands.town.staff
    hands.town.staff = [one.model_copy(update={"until": day}) if one.person == who else one for one in staff]


@pytest.mark.rule("P3", "P4")
async def test_the_referrer_and_the_providers_of_a_case_sit_at_the_regular_meeting_for_their_item(
    hands: Building,
) -> None:
    juso, one, two = hands(JUSO), put_forward("gakko", "jutaku"), put_forward("byouin")
    await placed(juso, one, two)
    assert {"gakko", "jutaku", "byouin"} <= sits(juso)
    shown = {(row.agency, row.item) for row in rows(juso, disclosure) if row.agency in {"gakko", "jutaku", "byouin"}}
    assert shown == {("gakko", one.about), ("jutaku", one.about), ("byouin", two.about)}, "no other case is shared"


@pytest.mark.rule("P5")
async def test_a_city_whose_plan_closes_the_roster_seats_nobody_else(hands: Building, kobayashi: Profile) -> None:
    juso = hands(JUSO, with_body(kobayashi, "teirei", case_seats=False))
    await placed(juso, put_forward("gakko"))
    assert "gakko" not in sits(juso)


@pytest.mark.rule("C11", "P5")
async def test_the_seat_goes_with_its_item_at_once_and_whoever_was_invited_is_told(hands: Building) -> None:
    juso, one, two = hands(JUSO), put_forward("gakko"), put_forward("byouin")
    await placed(juso, one, two)
    juso.hear(withdrawn(one))
    await settled(juso)
    assert "gakko" not in sits(juso)
    assert "byouin" in sits(juso)
    assert {one.person for one in juso.town.cancelled.values()} == {person("gakko")}


@pytest.mark.rule("P5")
async def test_an_accepted_roster_strikes_and_seats_at_a_regular_sitting_while_its_agenda_is_open(
    hands: Building,
) -> None:
    juso, event = hands(JUSO), put_forward("gakko", "jiritsu")
    await placed(juso, event)
    before = only_sitting(juso)
    juso.stage.give(accepted(event, "byouin", "jiritsu"))
    assert "gakko" not in sits(juso), "struck in the transaction that learns of it"
    await settled(juso)
    after = only_sitting(juso)
    assert (after.sitting, after.starts) == (before.sitting, before.starts)
    assert "byouin" in sits(juso)
    assert person("byouin") in {one.person for one in juso.town.mails.values()}
    assert {one.person for one in juso.town.cancelled.values()} == {person("gakko")}


@pytest.mark.rule("P5")
async def test_one_who_is_called_again_gets_the_seat_back_and_a_new_invitation(hands: Building) -> None:
    juso, event = hands(JUSO), put_forward("gakko")
    await placed(juso, event)
    juso.stage.give(accepted(event, "jiritsu"))
    await settled(juso)
    juso.stage.give(accepted(event, "gakko", version=2))
    await settled(juso)
    assert "gakko" in sits(juso)
    sequences = [one.sequence for one in juso.town.mails.values() if one.person == person("gakko")]
    assert sorted(sequences) == [0, 2], "the invitation, the cancellation, the invitation anew"


@pytest.mark.rule("C3", "P5")
async def test_a_consent_that_comes_to_name_an_agency_of_the_case_opens_its_seat(
    hands: Building, kobayashi: Profile
) -> None:
    juso, event = hands(JUSO), put_forward("gakko")
    others = [one.code for one in kobayashi.agencies if one.code != "gakko"]
    juso.hear(consented(event, *others))
    await placed(juso, event)
    assert "gakko" not in sits(juso)
    juso.hear(consented(event, *others, "gakko", version=2))
    await settled(juso)
    assert "gakko" in sits(juso)


@pytest.mark.rule("P5")
async def test_a_new_item_does_not_bring_back_who_came_for_another(hands: Building) -> None:
    juso, one = hands(JUSO), put_forward("gakko")
    await placed(juso, one)
    juso.stage.give(accepted(one, "jiritsu"))
    await settled(juso)
    await placed(juso, put_forward("byouin"))
    assert "gakko" not in sits(juso)
    mails = [one for one in juso.town.mails.values() if one.person == person("gakko")]
    assert len(mails) == 1


@pytest.mark.rule("S6", "S8")
async def test_in_a_shien_only_the_commissioned_agencies_of_the_case_sit_there(hands: Building, yasu: Profile) -> None:
    shien = hands(SHIEN, yasu, commissioned=False)
    outside = [one.code for one in yasu.agencies if one.kind in ("school", "medical", "other")]
    called = next(code for code in outside if code not in {one.agency for one in yasu.body("chosei").everybody})  # type: ignore[union-attr]
    shien.commission(*(one.code for one in yasu.agencies if one.code != called))
    shien.stage.told()
    await placed(shien, put_forward(called, consent=None, member=None))
    assert called not in sits(shien)
    shien.commission(called)
    await placed(shien, put_forward(called, consent=None, member=None))
    assert called in sits(shien)


# -- posts and agencies that end ---------------------------------------------------------------------------------------


@pytest.mark.rule("S4", "T2")
async def test_an_agency_whose_last_day_lies_before_the_sitting_is_not_seated(
    hands: Building, kobayashi: Profile
) -> None:
    juso = hands(JUSO, with_until(kobayashi, "gakko", date(2026, 12, 16)))
    await placed(juso, put_forward("gakko", "byouin"))
    assert only_sitting(juso).starts.date() == date(2026, 12, 17)
    assert "gakko" not in sits(juso)
    assert "byouin" in sits(juso)


@pytest.mark.rule("S4")
async def test_on_its_last_day_an_agency_still_sits_there(hands: Building, kobayashi: Profile) -> None:
    juso = hands(JUSO, with_until(kobayashi, "gakko", date(2026, 12, 17)))
    await placed(juso, put_forward("gakko"))
    assert "gakko" in sits(juso)


@pytest.mark.rule("S4")
@pytest.mark.parametrize("urgent", [True, False])
async def test_nobody_is_seated_after_the_end_of_the_post_but_who_holds_it_then(hands: Building, urgent: bool) -> None:
    juso = hands(JUSO)
    until(juso, person("jiritsu"), date(2026, 11, 23))
    await placed(juso, put_forward("jiritsu", urgent=urgent))
    seated = {row.person for row in rows(juso, seat) if row.agency == "jiritsu"}
    assert seated == {person("jiritsu", 1)}


@pytest.mark.rule("S4")
async def test_who_leaves_the_post_before_the_day_loses_the_seat_to_who_holds_it_then(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward("gakko"))
    until(juso, person("kodomo"), date(2026, 12, 1))
    until(juso, person("gakko"), date(2026, 12, 1))
    await juso.run_errand("follow_posts")
    await settled(juso)
    live = {row.person for row in rows(juso, seat) if row.cancelled_at is None}
    assert not {person("kodomo"), person("gakko")} & live
    assert {person("kodomo", 1), person("gakko", 1)} <= live
    assert {one.person for one in juso.town.cancelled.values()} == {person("kodomo"), person("gakko")}
    await juso.run_errand("follow_posts")
    await settled(juso)
    assert {row.person for row in rows(juso, seat) if row.cancelled_at is None} == live, "once"


@pytest.mark.rule("P1", "S4")
async def test_a_sitting_of_one_case_that_loses_who_must_be_there_looks_for_another_date(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward("jiritsu", urgent=True))
    before = only_sitting(juso)
    until(juso, person("fukushi"), before.starts.date() - timedelta(days=1))
    await juso.run_errand("follow_posts")
    await settled(juso)
    live = {(row.sitting, row.person) for row in rows(juso, seat) if row.cancelled_at is None}
    assert before.sitting not in {sitting for sitting, _ in live}
    assert person("fukushi", 1) in {who for _, who in live}


async def test_while_the_directory_knows_nobody_no_seat_is_taken_away(hands: Building) -> None:
    juso = hands(JUSO)
    await placed(juso, put_forward("gakko"))
    before, juso.town.staff = sits(juso), []
    await juso.run_errand("follow_posts")
    assert sits(juso) == before


@pytest.mark.rule("P5")
async def test_a_sitting_of_more_than_sixty_seats_finds_its_date(hands: Building, kobayashi: Profile) -> None:
    more = tuple(Agency(code=f"iin-{n}", name=f"第{n}医院", kind="medical") for n in range(70))
    quorum = (Quorum(name="医療", at_least=2, kinds=("medical",)),)
    city = with_body(kobayashi.model_copy(update={"agencies": kobayashi.agencies + more}), "kobetsu", quorum=quorum)
    juso = hands(JUSO, city)
    await placed(juso, put_forward(*(one.code for one in more), urgent=True))
    assert len(only_sitting(juso).seats) >= 70
