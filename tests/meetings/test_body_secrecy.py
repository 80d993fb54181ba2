"""Secrecy by a city's own 要綱 and 誓約書: what they hold back in a sitting (S15, S16)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from contracts.body_secrecy import NotePledges, Secrecy
from contracts.message import Compartment
from contracts.office import Done
from contracts.profile import Profile
from contracts.running import Proceeding
from services.meetings.pledge_tables import pledge
from tests.meetings.sitting_hands import Chair, perform
from tests.meetings.stand_in import Hands, person, put_forward
from tests.meetings.test_running import BOTH, begun

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Building = Callable[..., Hands]
BYLAW = Secrecy(ground="関川村の要綱第6条", text="構成員は、知り得た秘密を漏らしてはならない。", first=date(2026, 4, 1))


def with_bodies(profile: Profile, **values: Any) -> Profile:
    """The city, with this said of every body."""
    bodies = tuple(one.model_copy(update=values) for one in profile.bodies)
    return profile.model_copy(update={"bodies": bodies})


@pytest.mark.rule("S15")
async def test_a_bylaw_holds_a_consented_meeting_back_until_secrecy_was_explained(
    hands: Building, kobayashi: Profile
) -> None:
    juso = hands(JUSO, with_bodies(kobayashi, secrecy=(BYLAW,)))
    chair = await begun(juso, put_forward())
    await chair.open_with(*BOTH)
    refused = await chair.does(Proceeding.JUDGE)
    assert (refused.done, refused.rule) == (False, "S14")
    await chair.did(Proceeding.EXPLAIN)
    await chair.did(Proceeding.JUDGE)


@pytest.mark.rule("S15")
@pytest.mark.parametrize("secrecy", [(), (BYLAW.model_copy(update={"first": date(2030, 1, 1)}),)])
async def test_without_a_bylaw_in_force_on_its_day_there_is_nothing_to_explain(
    hands: Building, kobayashi: Profile, secrecy: tuple[Secrecy, ...]
) -> None:
    juso = hands(JUSO, with_bodies(kobayashi, secrecy=secrecy))
    chair = await begun(juso, put_forward())
    await chair.open_with(*BOTH)
    refused = await chair.does(Proceeding.EXPLAIN)
    assert (refused.done, refused.rule) == (False, "S14")
    await chair.did(Proceeding.JUDGE)


# -- 誓約書 ------------------------------------------------------------------------------------------------------------


async def note(chair: Chair, *persons: UUID, **how: Any) -> Done:
    asked = {"sitting": chair.sitting, "request": uuid4(), "persons": persons, "signed_on": "2026-11-20"}
    asked |= {"viewer": chair.viewer, "viewer_agency": chair.agency}
    done = await perform(chair.hands, NotePledges.model_validate(asked | how))
    assert isinstance(done, Done)
    return done


def noted(hands: Hands) -> list[UUID]:
    return hands.stage.do(lambda tx: list(tx.execute(select(pledge.c.person)).scalars()))


@pytest.mark.rule("S16")
@pytest.mark.parametrize(
    ("here", "other", "name", "third"),
    [
        (JUSO, "shakyo", "小林市社会福祉協議会", "jiritsu"),
        (SHIEN, "jiritsu", "小林市生活自立相談支援センター", "kodomo"),
    ],
)
async def test_no_item_is_called_before_each_person_in_the_room_has_handed_in_a_pledge(
    hands: Building, kobayashi: Profile, here: Compartment, other: str, name: str, third: str
) -> None:
    town, one = hands(here, with_bodies(kobayashi, pledge=True)), put_forward()
    chair = await begun(town, one)
    await chair.open_with("fukushi", other)
    if here is SHIEN:
        await chair.did(Proceeding.EXPLAIN)
    await chair.did(Proceeding.JUDGE)
    assert (await note(chair, person("fukushi"))).done
    refused = await chair.does(Proceeding.CALL, item=one.about)
    assert (refused.done, refused.rule) == (False, "S16")
    assert f"{name} 1人" in refused.reason
    assert "髙橋" not in refused.reason, "a refusal names no person"
    assert (await note(chair, person(other))).done
    await chair.did(Proceeding.CALL, item=one.about)
    late = await chair.does(Proceeding.ENTER, person=person(third))
    assert (late.done, late.rule) == (False, "S16"), "nobody comes into an item without one"
    assert (await note(chair, person(third))).done
    await chair.did(Proceeding.ENTER, person=person(third))
    view = await chair.look()
    assert view.pledge
    assert set(view.pledged) == {person(code) for code in ("fukushi", other, third)}


@pytest.mark.rule("S16")
async def test_a_pledge_is_noted_once_and_what_is_nonsense_is_refused(hands: Building, kobayashi: Profile) -> None:
    juso = hands(JUSO, with_bodies(kobayashi, pledge=True))
    chair = await begun(juso, put_forward())
    request = uuid4()
    for _ in range(2):
        assert (await note(chair, person("fukushi"), request=request)).done
    assert noted(juso) == [person("fukushi")]
    other = await note(chair, person("shakyo"), request=request)
    unknown = await note(chair, UUID(int=5))
    later = await note(chair, person("shakyo"), signed_on=juso.now().date() + timedelta(days=2))
    stranger = await note(chair, person("shakyo"), viewer=person("jiritsu"), viewer_agency="jiritsu")
    for refused in (other, unknown, later, stranger):
        assert (refused.done, bool(refused.rule), bool(refused.next_step)) == (False, True, True)
    assert noted(juso) == [person("fukushi")]
    unasked = hands(JUSO, kobayashi)
    assert (await note(await begun(unasked, put_forward()), person("fukushi"))).rule == "S16"
