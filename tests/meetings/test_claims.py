"""Which of a city's bodies an item belongs to: its area's, its coordinator's, the one it was raised to (M10, P1)."""

from pathlib import Path

import pytest

from contracts.message import Compartment
from contracts.profile import Body, Profile
from services.meetings import domain, seating
from services.meetings.domain import Claim, Route
from services.meetings.scheduling import Need
from services.settings import read_profile
from tests.meetings.stand_in import staff_of
from tests.stage import SOME_DAY

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
EXAMPLES = Path(__file__).parents[2] / "examples"


def expected(*agencies: str) -> dict[str, Need]:
    return dict.fromkeys(agencies, "expected")


def city(name: str) -> Profile:
    return read_profile(EXAMPLES / name)


def route(name: str, claim: Claim, kind: Compartment = JUSO, urgent: bool = False) -> Route:
    return domain.route(city(name), kind, urgent, SOME_DAY, claim)


def bodies(way: Route) -> set[str]:
    """The bodies a way leads to."""
    return {one.body.code for one in way.occasions} | ({way.adhoc[0].code} if way.adhoc else set())


def changed(profile: Profile, code: str, **changes: object) -> Profile:
    kept = tuple(one.model_copy(update=changes) if one.code == code else one for one in profile.bodies)
    return profile.model_copy(update={"bodies": kept})


def test_a_case_of_an_area_is_heard_there_and_every_other_by_the_city() -> None:
    assert bodies(route("toyota", Claim(area="asuke", coordinator="niso-asuke"))) == {"juso-asuke"}
    assert bodies(route("toyota", Claim(coordinator="isso"))) == {"juso"}
    assert bodies(route("toyota", Claim(area="asuke"), SHIEN)) == {"shien"}, "the areas have no 支援会議 of their own"


def test_an_area_s_regular_meeting_goes_before_the_city_s() -> None:
    regular = {"cadence": {"months": [1, 12], "nth": [2], "weekday": 1}}
    of_area = Body.model_validate(city("toyota").bodies[1].model_dump() | regular)
    whole = Body.model_validate(city("toyota").bodies[2].model_dump() | regular)
    profile = city("toyota").model_copy(update={"bodies": (whole, of_area)})
    way = domain.route(profile, JUSO, False, SOME_DAY, Claim(area="asuke"))
    assert bodies(way) == {"juso-asuke"}


@pytest.mark.rule("M10")
@pytest.mark.parametrize("kind", Compartment)
@pytest.mark.parametrize("urgent", [False, True])
def test_what_was_raised_goes_to_the_advisers_and_nothing_else_does(kind: Compartment, urgent: bool) -> None:
    assert bodies(route("okayama", Claim(body="adviser"), kind, urgent)) == {"adviser"}
    assert "adviser" not in bodies(route("okayama", domain.ANY_BODY, kind, urgent))


@pytest.mark.rule("M10")
def test_an_item_raised_to_a_body_that_is_gone_says_so_and_waits() -> None:
    way = route("okayama", Claim(body="advisers"))
    assert bodies(way) == set()
    assert way.why.endswith("(M10)。")


@pytest.mark.rule("M7")
def test_a_care_meeting_without_a_part_that_rests_on_the_right_law_hears_no_case() -> None:
    iga = city("iga")
    only_care = changed(iga, "care", blocks=iga.bodies[0].blocks[:1])
    alone = only_care.model_copy(update={"bodies": only_care.bodies[:1]})
    for kind in Compartment:
        way = domain.route(alone, kind, False, SOME_DAY)
        assert bodies(way) == set()
        assert way.why


@pytest.mark.rule("P1")
def test_a_standing_roster_without_the_case_s_own_coordinator_does_not_hear_it() -> None:
    """A 重層的支援会議 needs the 多機関協働事業者, and no other one stands in."""
    toyota = changed(city("toyota"), "juso", cadence=city("iga").bodies[0].cadence, by_case=False)
    way = domain.route(toyota, JUSO, False, SOME_DAY, Claim(coordinator="csw-takahashi"))
    assert bodies(way) == set()
    assert "高橋CSW" in way.why
    assert "P1" in way.why
    assert bodies(domain.route(toyota, JUSO, False, SOME_DAY, Claim(coordinator="isso"))) == {"juso"}


@pytest.mark.rule("P1")
def test_the_case_s_own_coordinator_has_to_be_there_and_another_one_need_not() -> None:
    toyota = city("toyota")
    body = toyota.bodies[2]
    seats = seating.adhoc_seats(
        toyota, body, JUSO, expected("kikan", "csw-takahashi"), staff_of(toyota), "csw-takahashi"
    )
    assert {seat.agency for seat in seats if seat.need == "required"} == {"soudan", "isso", "csw-takahashi"}
    nabari = city("nabari")
    seats = seating.adhoc_seats(
        nabari, nabari.bodies[0], JUSO, expected("dir-korei", "kikan"), staff_of(nabari), "dir-shogai"
    )
    needs = {seat.agency: seat.need for seat in seats}
    assert needs == {"somu": "required", "dir-shogai": "required", "dir-korei": "expected", "kikan": "expected"}
