"""The example of a first start: its days lie in the weeks before today, whenever that is."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.intake import Sheet
from contracts.profile import Profile
from services.example_days import OLDEST, WITHIN, example_for, moved, moved_day
from services.intake.csv_import import read_sheets
from services.settings import read_profile

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "kobayashi" / "referrals.csv"
DAYS = [date(2026, 11, 25), date(2025, 4, 1), date(2027, 1, 4), date(2028, 2, 29), date(2026, 5, 1)]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read_profile(EXAMPLE.parent)


def sheets(path: Path, profile: Profile) -> list[Sheet]:
    return [sheet for _, sheet in read_sheets(path, profile).sheets]


@pytest.mark.parametrize("today", DAYS)
def test_one_referral_waits_too_long_for_its_answer_and_the_others_do_not(
    today: date, profile: Profile, tmp_path: Path
) -> None:
    made = sheets(example_for(EXAMPLE, tmp_path / "example" / "referrals.csv", today), profile)
    ages = sorted(((today - one.received_on).days for one in made), reverse=True)
    assert ages[0] == OLDEST > profile.deadlines.answer_days
    assert all(1 <= one <= WITHIN < profile.deadlines.answer_days for one in ages[1:])
    assert len(set(ages)) > 8, "they came one by one"


@pytest.mark.parametrize("today", DAYS)
def test_nothing_but_the_days_is_moved(today: date, profile: Profile, tmp_path: Path) -> None:
    made = sheets(example_for(EXAMPLE, tmp_path / "referrals.csv", today), profile)
    written = sheets(EXAMPLE, profile)
    days = {"received_on", "consented_on", "explained_on"}
    assert [one.model_dump(exclude=days) for one in made] == [one.model_dump(exclude=days) for one in written]
    assert [one.consented_on is None for one in made] == [one.consented_on is None for one in written]
    assert [one.explained_on is None for one in made] == [one.explained_on is None for one in written]
    assert all(one.explained_on is None or one.explained_on <= today for one in made)
    assert all(one.consented_on is None or one.consented_on <= today for one in made)


def test_the_file_is_made_once_so_that_a_later_start_takes_nothing_in_anew(tmp_path: Path) -> None:
    """The same number with another day would be refused."""
    into = tmp_path / "referrals.csv"
    first = example_for(EXAMPLE, into, DAYS[0]).read_bytes()
    assert example_for(EXAMPLE, into, DAYS[0] + timedelta(days=1)).read_bytes() == first
    assert first == moved(EXAMPLE.read_bytes(), DAYS[0]), "and always alike for one day"


@given(st.dates(date(2025, 10, 1), date(2025, 11, 20)), st.dates(date(2025, 10, 1), date(2025, 11, 20)))
def test_what_came_first_still_came_first(one: date, other: date) -> None:
    ends = date(2025, 10, 27), date(2025, 11, 20)
    places = [moved_day(day, *ends, DAYS[0]) for day in sorted((one, other))]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "content", [b"", "団体コード,受付日\r\n".encode("cp932"), "受付日\r\nきのう\r\n".encode("cp932")]
)
def test_a_file_without_a_day_stays_as_it_is(content: bytes) -> None:
    assert moved(content, DAYS[0]) == content
