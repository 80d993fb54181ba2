"""代理の順: who decides about a date in the stead of the 会長, in which days, and for whom it is written (S12)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.coordinating import Convener, Deputy
from contracts.directory import StaffView
from contracts.message import Compartment
from contracts.office import Done
from contracts.profile import Profile
from contracts.proposing import ReturnReason, SteadReason
from services.meetings.scheduling import TOKYO
from services.meetings.standing_in import Chain
from tests.meetings.arranging_hands import Desk
from tests.meetings.stand_in import SOME_DAY, Hands, person, put_forward

JUSO = Compartment.JUSO
Building = Callable[..., Hands]
TODAY = SOME_DAY.astimezone(TOKYO).date()
PROPOSER, FIRST, HEAD, SECOND = (*(person("fukushi", n) for n in range(3)), person("fukushi", 9))


def deputy(post: str, since: date = TODAY, until: date = TODAY) -> Deputy:
    title = {"vice": "副会長(福祉課長補佐)", "second": "第二順位(係長)"}[post]
    return Deputy(agency="fukushi", post=post, title=title, since=since, until=until)


def headed(profile: Profile, *deputies: Deputy) -> Profile:
    head = Convener(agency="fukushi", post="representative", title="会長(福祉課長)", deputies=deputies)
    return profile.model_copy(update={"approval": True, "convener": head})


def with_posts(town: Hands) -> Hands:
    """髙橋 is deputy head, and there is a second deputy."""
    named = {FIRST: ("officer", "vice")}
    staff = [one.model_copy(update={"posts": named.get(one.person, one.posts)}) for one in town.town.staff]
    second = StaffView(person=SECOND, name="𠮷田 涼", agency="fukushi", posts=("second",), network="lgwan")
    town.town.staff[:] = [*staff, second]
    return town


def off(town: Hands, who: UUID, hours: float = 24) -> None:
    midnight = town.now().astimezone(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)
    town.town.is_away(who, midnight, hours)


async def proposed(town: Hands, by: UUID = PROPOSER) -> Desk:
    event = put_forward(urgent=True)
    town.give(event)
    await town.work()
    one = Desk(town, event, viewer=by)
    assert (await one.propose((await one.options())[3])).done
    return one


async def decides(one: Desk, who: UUID, **how: Any) -> Done:
    return await one.decide((await one.newest()).proposal, viewer=who, viewer_agency="fukushi", **how)


@pytest.mark.rule("S12")
@pytest.mark.parametrize("returned", [None, ReturnReason.DATE])
async def test_the_deputy_decides_while_the_head_is_away_and_it_is_written_for_whom(
    hands: Building, kobayashi: Profile, returned: ReturnReason | None
) -> None:
    town = with_posts(hands(JUSO, headed(kobayashi, deputy("vice"))))
    one = await proposed(town)
    off(town, HEAD, 13)  # she is back at one o'clock
    refused = await decides(one, FIRST, returned=returned)
    assert (refused.done, refused.rule) == (False, "S12")
    assert "会長(福祉課長)" in refused.reason
    assert "会長(福祉課長)" in refused.next_step
    assert not (await one.dates(viewer=FIRST)).may_decide
    off(town, HEAD)
    assert (await one.dates(viewer=FIRST)).may_decide, "the page offers it to the deputy"
    assert (await decides(one, FIRST, returned=returned)).done
    await town.work()
    newest = await one.newest()
    assert newest.state == ("returned" if returned else "done")
    assert (newest.decided_by, newest.stead, newest.stead_of) == (FIRST, SteadReason.AWAY, HEAD)
    assert bool(town.town.mails) == (returned is None)


@pytest.mark.rule("S12")
async def test_the_head_herself_decides_in_nobody_s_stead(hands: Building, kobayashi: Profile) -> None:
    town = with_posts(hands(JUSO, headed(kobayashi, deputy("vice"))))
    one = await proposed(town)
    off(town, HEAD)
    assert (await decides(one, HEAD)).done, "whoever is there after all is not away"
    newest = await one.newest()
    assert (newest.decided_by, newest.stead, newest.stead_of) == (HEAD, None, None)


@pytest.mark.rule("S12")
@pytest.mark.parametrize(("since", "until"), [(-9, -1), (1, 9)])
async def test_outside_the_days_the_deputy_is_refused_with_the_days_and_who_may(
    hands: Building, kobayashi: Profile, since: int, until: int
) -> None:
    first, last = TODAY + timedelta(days=since), TODAY + timedelta(days=until)
    town = with_posts(hands(JUSO, headed(kobayashi, deputy("vice", first, last), deputy("second"))))
    one = await proposed(town)
    off(town, HEAD)
    refused = await decides(one, FIRST)
    assert (refused.done, refused.rule) == (False, "S12")
    assert "第二順位(係長)" in refused.reason
    assert f"{last.year}年{last.month}月{last.day}日まで" in refused.reason
    assert (await one.newest()).state == "proposed"
    assert (await decides(one, SECOND)).done


@pytest.mark.rule("S12")
async def test_her_own_proposal_the_deputy_decides_and_without_a_deputy_she_calls_it_herself(
    hands: Building, kobayashi: Profile
) -> None:
    town = with_posts(hands(JUSO, headed(kobayashi, deputy("vice"))))
    one = await proposed(town, by=HEAD)
    assert town.town.mails == {}
    refused = await decides(one, HEAD)
    assert (refused.done, refused.rule) == (False, "S12")
    assert "副会長(福祉課長補佐)" in refused.next_step
    assert (await decides(one, FIRST)).done
    newest = await one.newest()
    assert (newest.stead, newest.stead_of) == (SteadReason.OWN, HEAD)

    alone = with_posts(hands(JUSO, headed(kobayashi, deputy("vice", until=TODAY, since=TODAY - timedelta(days=3)))))
    alone.town.staff[:] = [each for each in alone.town.staff if each.person != FIRST]
    other = await proposed(alone, by=HEAD)
    await alone.work()
    assert (await other.newest()).state == "done"


@pytest.mark.rule("S12")
async def test_where_nobody_holds_the_post_the_deputy_decides_and_it_says_so(
    hands: Building, kobayashi: Profile
) -> None:
    town = with_posts(hands(JUSO, headed(kobayashi, deputy("vice"))))
    one = await proposed(town)
    yesterday = {"until": TODAY - timedelta(days=1)}
    town.town.staff[:] = [each.model_copy(update=yesterday if each.person == HEAD else {}) for each in town.town.staff]
    assert not (await decides(one, HEAD)).done, "her post is over"
    assert (await decides(one, FIRST)).done
    newest = await one.newest()
    assert (newest.stead, newest.stead_of) == (SteadReason.VACANT, None)


# -- the order, in plain values ----------------------------------------------------------------------------------------


def chain(proposed_by: UUID = PROPOSER, away: frozenset[UUID] = frozenset(), day: date = TODAY) -> Chain:
    posts = {HEAD: "representative", FIRST: "vice", SECOND: "second", PROPOSER: "officer"}
    staff = [
        StaffView(person=who, name="髙橋", agency="fukushi", posts=(post,), network="lgwan")
        for who, post in posts.items()
    ]
    head = Convener(agency="fukushi", post="representative", title="会長", deputies=(deputy("vice"), deputy("second")))
    return Chain(head, staff, day, proposed_by, away)


@pytest.mark.rule("S12")
@pytest.mark.parametrize(
    ("proposed_by", "away", "who"),
    [
        (PROPOSER, set(), {HEAD}),
        (PROPOSER, {FIRST}, {HEAD}),
        (PROPOSER, {HEAD}, {HEAD, FIRST}),
        (PROPOSER, {HEAD, FIRST}, {HEAD, FIRST, SECOND}),
        (FIRST, {HEAD}, {HEAD, SECOND}),
        (HEAD, set(), {FIRST}),
        (HEAD, {FIRST}, {FIRST, SECOND}),
        (FIRST, {HEAD, SECOND}, {HEAD, SECOND}),
    ],
)
def test_each_decides_only_when_those_before_are_away_or_proposed_it(
    proposed_by: UUID, away: set[UUID], who: set[UUID]
) -> None:
    links = chain(proposed_by, frozenset(away))
    able = {one for one in (HEAD, FIRST, SECOND, PROPOSER) if not hasattr(links.decides(one, "fukushi"), "rule")}
    assert able == who
    assert not any(links.decides(one, "shakyo") is None for one in (HEAD, FIRST, SECOND))


@pytest.mark.rule("S12")
@pytest.mark.parametrize(("days", "able"), [(-1, False), (0, True), (1, False)])
def test_the_first_and_the_last_day_count(days: int, able: bool) -> None:
    links = chain(away=frozenset({HEAD}), day=TODAY + timedelta(days=days))
    assert hasattr(links.decides(FIRST, "fukushi"), "of") == able
