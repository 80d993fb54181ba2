"""A profile is refused as a whole, and each fault is named by where it stands."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.profile import Profile
from services.settings import ProfileInvalid, read_profile

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/profile.toml"))

SMALL = """
municipality = "242110"
name = "鳥羽市"
office = "鳥羽市 健康福祉課"
office_mail = "kaigi@city.toba.example"
office_phone = "0599-00-1184"
secretariat_post = "officer"

[[agencies]]
code = "fukushi"
name = "健康福祉課"
kind = "municipality"

[[agencies]]
code = "shakyo"
name = "社会福祉協議会"
kind = "coordinator"

[[places]]
code = "hoken"
name = "保健福祉センターひだまり"

[[bodies]]
code = "kobetsu"
name = "地域共生ケース会議"
host = "fukushi"
place = "hoken"
roster = [{agency = "fukushi", post = "officer", need = "required"}]
cadence = {months = [1, 3, 5], nth = [3], weekday = 3}
blocks = [
  {basis = "swa-106-4-2-5", starts = 13:30:00, minutes = 60},
  {basis = "swa-106-6", starts = 14:40:00, minutes = 45},
]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """A folder with this profile."""

    def write(text: str) -> Path:
        (tmp_path / "profile.toml").write_text(text, "utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_profiles_that_come_with_kasane_are_valid(path: Path) -> None:
    assert read_profile(path.parent).bodies


def test_a_small_profile_is_valid(write: Callable[[str], Path]) -> None:
    profile = read_profile(write(SMALL))
    assert profile.agency("shakyo").name == "社会福祉協議会"
    assert profile.urgent_within_days > 0
    with pytest.raises(KeyError):
        profile.agency("nobody")


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ('municipality = "242110"', 'municipality = "242111"', "municipality"),
        ('municipality = "242110"', "municipality = 242110", "municipality"),
        ('office_mail = "kaigi@city.toba.example"', 'office_mail = "0599-00-1184"', "office_mail"),
        ('secretariat_post = "officer"', 'secretariat_post = "担当者"', "secretariat_post"),
        ('kind = "coordinator"', 'kind = "kyogikai"', "agencies.1.kind"),
        ('code = "shakyo"', 'code = "Shakyo"', "agencies.1.code"),
        ('name = "社会福祉協議会"\n', "", "agencies.1.name"),
        ("starts = 14:40:00", 'starts = "午後"', "bodies.0.blocks.1.starts"),
        ("minutes = 45", "minutes = 0", "bodies.0.blocks.1.minutes"),
        ('basis = "swa-106-6"', 'basis = "swa-106-9"', "bodies.0.blocks.1"),
        ("weekday = 3", "weekday = 5", "bodies.0.cadence.weekday"),
        ("months = [1, 3, 5]", "months = [1, 13, 5]", "bodies.0.cadence.months.1"),
        ('need = "required"', 'need = "maybe"', "bodies.0.roster.0.need"),
    ],
)
def test_a_fault_is_named_by_where_it_stands(write: Callable[[str], Path], right: str, wrong: str, where: str) -> None:
    assert SMALL.count(right) == 1
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(write(SMALL.replace(right, wrong)))
    assert f" {where}: " in str(refused.value)
    assert str(refused.value).startswith("プロファイル")


def test_all_faults_are_named_at_once(write: Callable[[str], Path]) -> None:
    text = SMALL.replace('kind = "coordinator"', 'kind = "?"').replace("minutes = 60", "minutes = -60")
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(write(text))
    assert "agencies.1.kind: " in str(refused.value)
    assert "bodies.0.blocks.0.minutes: " in str(refused.value)


@pytest.mark.parametrize(
    ("where", "line"),
    [("urgent_within_day", "urgent_within_day = 7\n"), ("bodies.0.kind", None)],
)
def test_a_misspelt_setting_is_not_ignored(write: Callable[[str], Path], where: str, line: str | None) -> None:
    text = line + SMALL if line else SMALL.replace('place = "hoken"', 'place = "hoken"\nkind = "juso"')
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(write(text))
    assert f" {where}: " in str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ('place = "hoken"', 'place = "hotel"', "hotel"),
        ('host = "fukushi"', 'host = "kenko"', "kenko"),
        ('{agency = "fukushi"', '{agency = "kodomo"', "kodomo"),
    ],
)
def test_a_body_names_only_agencies_and_places_that_exist(
    write: Callable[[str], Path], right: str, wrong: str, named: str
) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(write(SMALL.replace(right, wrong)))
    assert "body kobetsu" in str(refused.value)
    assert named in str(refused.value)


def test_a_file_that_is_not_toml_is_refused_with_its_line(write: Callable[[str], Path]) -> None:
    with pytest.raises(ProfileInvalid, match="line 2"):
        read_profile(write('name = "鳥羽市"\noffice = 健康福祉課\n'))


def test_a_missing_file_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match=r"profile\.toml"):
        read_profile(tmp_path)


@pytest.mark.rule("C4", "M13")
def test_the_kind_of_a_meeting_cannot_be_configured() -> None:
    """It follows from consent and the block's legal basis; no profile may say otherwise (C4, M13)."""
    words = {name for model in models_below(Profile.model_json_schema()) for name in model}
    assert not words & {"compartment", "juso", "shien", "consent"}
    assert tomllib.loads(SMALL)["bodies"][0].keys() <= words


def models_below(schema: dict[str, Any]) -> list[set[str]]:
    """The field names of a model and of all that it holds."""
    return [set(one.get("properties", {})) for one in (schema, *schema["$defs"].values())]


@pytest.mark.rule("S17")
@pytest.mark.parametrize("name", ["支援会議室", "市役所(重層的支援会議)", "本庁 事案検討室"])
def test_a_place_whose_name_tells_the_kind_of_meeting_is_refused(write: Callable[[str], Path], name: str) -> None:
    """It would stand in every invitation, and in calendars that a whole office reads."""
    with pytest.raises(ProfileInvalid, match="place hoken"):
        read_profile(write(SMALL.replace("保健福祉センターひだまり", name)))


@pytest.mark.rule("M3")
def test_a_sitting_meets_online_only_where_there_is_something_to_do_it_with(write: Callable[[str], Path]) -> None:
    assert not read_profile(write(SMALL)).meets_online("online")
    able = read_profile(write(SMALL + '\n[online]\nkind = "link"\nurl = "https://meet.toba.example/kaigi"\n'))
    assert able.meets_online("online")
    assert able.meets_online("both")
    assert not able.meets_online("in_person")


@pytest.mark.rule("M3")
def test_a_place_says_nothing_of_online_and_the_refusal_says_where_to_write_it(write: Callable[[str], Path]) -> None:
    old = SMALL.replace('name = "保健福祉センターひだまり"', 'name = "保健福祉センターひだまり"\nonline = "also"')
    with pytest.raises(ProfileInvalid, match="開き方は会議体の mode"):
        read_profile(write(old))
