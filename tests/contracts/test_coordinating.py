"""Where a city's coordinating function sits: whose case a referral is, and what in a profile does not fit together."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.coordinating import PATTERN_TEXT
from contracts.profile import Profile
from services.settings import ProfileInvalid, read_profile

EXAMPLES = Path(__file__).parents[2] / "examples"
CITIES = sorted(path.parent.name for path in EXAMPLES.glob("*/profile.toml"))


def city(name: str) -> Profile:
    return read_profile(EXAMPLES / name)


@pytest.fixture
def spoil(tmp_path: Path) -> Callable[..., str]:
    """What the profile of a city is refused with once this is replaced in it."""

    def spoil(name: str, right: str, wrong: str) -> str:
        text = (EXAMPLES / name / "profile.toml").read_text("utf-8")
        assert right in text
        (tmp_path / "profile.toml").write_text(text.replace(right, wrong, 1), "utf-8")
        with pytest.raises(ProfileInvalid) as refused:
            read_profile(tmp_path)
        return str(refused.value)

    return spoil


# -- the five places and the five programmes ---------------------------------------------------------------------------


def test_the_five_cities_of_the_training_papers_stand_for_the_five_places() -> None:
    """種003 整備パターン例①-⑤, by the order of its own table."""
    examples = ("okayama", "toyota", "himi", "iga", "nabari")
    assert [city(name).coordinating.pattern for name in examples] == list(PATTERN_TEXT)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", CITIES)
def test_every_city_says_who_carries_each_of_the_five_programmes(name: str) -> None:
    profile = city(name)
    assert profile.programmes
    carried = dict(profile.programmes)
    assert list(carried) == ["consultation", "participation", "community", "outreach", "coordination"]
    assert all(carried.values())
    assert set(carried["coordination"]) == set(profile.coordinators)


def test_a_single_coordinator_has_every_case() -> None:
    kobayashi = city("kobayashi")
    assert {kobayashi.coordinator_for(one.code) for one in kobayashi.agencies} == {"shakyo"}


@pytest.mark.parametrize(
    ("referrer", "director"),
    [
        ("machi-1", "dir-korei"),
        ("jiritsu", "dir-konkyu"),
        ("gakko", "dir-kyoiku"),
        ("dir-shogai", "dir-shogai"),
        ("somu", "dir-korei"),
        ("gone", "dir-korei"),
    ],
)
def test_a_referral_is_the_case_of_the_director_of_its_field(referrer: str, director: str) -> None:
    assert city("nabari").coordinator_for(referrer) == director


@pytest.mark.parametrize(
    ("referrer", "coordinator"),
    [
        ("houkatsu-takahashi", "csw-takahashi"),
        ("madoguchi-asuke", "niso-asuke"),
        ("kikan", "isso"),
        ("csw-takahashi", "csw-takahashi"),
    ],
)
def test_a_referral_is_the_case_of_its_area_s_coordinator(referrer: str, coordinator: str) -> None:
    assert city("toyota").coordinator_for(referrer) == coordinator


def test_a_city_without_a_coordinator_of_its_own_has_none_to_name() -> None:
    toba = city("toba")
    alone = tuple(one for one in toba.agencies if one.kind != "coordinator")
    assert toba.model_copy(update={"agencies": alone, "coordinating": None}).coordinator_for("houkatsu") is None


# -- what does not fit together ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "right", "wrong", "named"),
    [
        ("iga", 'outreach = ["shakyo"]', 'outreach = ["shakkyo"]', "outreach names an unknown agency shakkyo"),
        ("iga", 'coordination = ["chosei"]', 'coordination = ["shakyo"]', "not exactly the agencies of kind"),
        ("iga", 'participation = ["jiritsu"]', "", "programmes.participation"),
        ("iga", 'pattern = "added_to_one"', 'pattern = "somewhere"', "coordinating.pattern"),
        ("iga", '{ agency = "chosei" }', '{ agency = "shakyo" }', "does not list each agency of kind coordinator once"),
        ("nabari", 'takes_from = ["jiritsu"]', 'takes_from = ["houkatsu"]', "takes_from names houkatsu twice"),
        ("nabari", 'takes_from = ["jiritsu"]', 'takes_from = ["jirits"]', "takes_from names jirits twice, or it is un"),
        ("toyota", 'level = 2, areas = ["asuke"]', 'level = 2, areas = ["inabu"]', "areas names inabu"),
        ("toyota", 'level = 2, areas = ["asuke"]', "level = 2", "every level 2 has some"),
        ("toyota", 'level = 1 }', 'level = 2, areas = ["asuke"] }', "areas names asuke twice"),
        ("toyota", 'area = "takahashi"', 'area = "inabu"', "names an unknown area inabu"),
        ("toyota", 'areas = ["takahashi"] # 2層', 'areas = ["inabu"]', "juso-takahashi names an unknown area"),
        ("toyota", 'escalates_to = "juso"', 'escalates_to = "jusso"', "escalates to jusso, which is unknown"),
        ("toyota", 'escalates_to = "juso"', 'escalates_to = "shien"', "does not rest on the same legal bases"),
        ("toyota", 'escalates_to = "juso"', 'escalates_to = "juso-takahashi"', "escalates in a circle"),
        ("kobayashi", 'escalates_to = "teirei"', "", "body kobetsu does not decide and escalates to nobody"),
        ("kobayashi", 'escalates_to = "teirei"', 'escalates_to = "daihyosha"', "which is unknown or hears no cases"),
        ("yasu", 'action = "call"\nagency = "shimin"', 'action = "call"\nagency = "somu"', "call names an unknown"),
        ("yasu", 'action = "call"', 'action = "close"', "powers.0.action"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(
    spoil: Callable[..., str], name: str, right: str, wrong: str, named: str
) -> None:
    assert named in spoil(name, right, wrong)


def test_a_body_that_only_hears_what_is_raised_needs_one_that_raises(tmp_path: Path) -> None:
    text = (EXAMPLES / "okayama" / "profile.toml").read_text("utf-8").replace('escalates_to = "adviser"', "")
    (tmp_path / "profile.toml").write_text(text, "utf-8")
    with pytest.raises(ProfileInvalid, match="body adviser hears only what is raised to it"):
        read_profile(tmp_path)
