"""What a profile may say of a body: breaks, chairs, blocks in their time, how long an item takes."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.profile import Block, Body
from contracts.series import Break, Chair, Lengths
from services.settings import ProfileInvalid, read_profile

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (
            "14:30:00, minutes = 75",
            "14:10:00, minutes = 75",
            "block swa-106-4-2-5 begins before ltcia-115-48 ends (M5)",
        ),
        ("starts = 13:30:00, minutes = 45", "starts = 17:30:00, minutes = 45", "out of their order in time (M5)"),
        (
            '"chosei", post = "officer" }, {',
            '"koken", post = "officer" }, {',
            "chair koken/officer is not on its roster",
        ),
        (
            'post = "officer" }, { agency = "seisaku", post = "officer", deputy = true }',
            'post = "officer" }, { agency = "seisaku", post = "officer" }',
            "has two chairs at once: chosei/officer, seisaku/officer",
        ),
        (
            'chairs = [{ agency = "chosei", post = "officer" }',
            'chairs = [{ agency = "chosei", post = "officer", first = 2027-04-01, last = 2027-03-31 }',
            "ends before it begins",
        ),
        ('name = "地域ケア会議"\n', 'name = "地域ケア会議"\nmode = "online"\n', "mode_reason says why it meets online"),
        ('name = "地域ケア会議"\n', 'name = "地域ケア会議"\nco_hosts = ["nobody"]\n', "unknown agency nobody"),
        (
            'name = "地域ケア会議"\n',
            'name = "地域ケア会議"\nsecrecy = [{ ground = "要綱6条", text = "秘密を守る", first = 2026-04-01 }, '
            '{ ground = "条例25条", text = "秘密を守る", first = 2027-04-01 }]\n',
            "hold on the same day (S15)",
        ),
        (
            'name = "地域ケア会議"\n',
            'name = "地域ケア会議"\nsecrecy = [{ ground = "要綱", text = "秘密", first = 2026-04-01, '
            "last = 2026-03-01 }]\n",
            "ends before it begins (S15)",
        ),
        ('name = "地域ケア会議"\n', 'name = "地域ケア会議"\nsealed_by_bylaw = true\n', "secrecy に変わりました"),
        ('name = "地域ケア会議"\n', 'name = "地域ケア会議"\nkeep_years = 0\n', "keep_years"),
        ("minutes = 45, capacity = 3", 'minutes = 45, capacity = 3, cost = "\\n"', "cost"),
        ('{ agency = "iryo"', '{ agency = "nobody"', "unknown agency nobody"),
    ],
)
def test_a_body_that_does_not_fit_together_is_refused_by_name(
    tmp_path: Path, before: str, after: str, named: str
) -> None:
    text = (EXAMPLES / "iga" / "profile.toml").read_text("utf-8")
    assert before in text
    (tmp_path / "profile.toml").write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(tmp_path)
    assert named in str(refused.value)


@pytest.mark.rule("S1")
def test_a_consented_meeting_is_held_by_the_coordinator_or_the_city_and_by_nobody_else(tmp_path: Path) -> None:
    text = (EXAMPLES / "himi" / "profile.toml").read_text("utf-8")
    assert 'host = "sapo" # S1' in text
    agency = next(one.code for one in read_profile(EXAMPLES / "himi").agencies if one.kind == "consultation")
    (tmp_path / "profile.toml").write_text(text.replace('host = "sapo" # S1', f'host = "{agency}"'), "utf-8")
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(tmp_path)
    assert "重層的支援会議を開けるのは、多機関協働事業者か、それを自ら行う市町村だけです" in str(refused.value)


@pytest.mark.parametrize(
    "said",
    [
        {"first": "02-30", "last": "03-01"},
        {"first": "2026-12-01", "last": "12-18"},
        {"first": "2026-12-18", "last": "2026-12-01"},
        {"first": "13-01", "last": "12-18"},
        {"first": "12-01", "last": "12-18", "name": ""},
    ],
)
def test_a_break_that_names_no_days_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Break.model_validate({"name": "市議会"} | said)


def test_a_break_of_an_unknown_body_is_refused(tmp_path: Path) -> None:
    text = (EXAMPLES / "iga" / "profile.toml").read_text("utf-8")
    unknown = '\n[[breaks]]\nname = "市議会"\nfirst = "12-01"\nlast = "12-20"\nbodies = ["nobody"]\n'
    (tmp_path / "profile.toml").write_text(text + unknown, "utf-8")
    with pytest.raises(ProfileInvalid, match="break 市議会 names an unknown body nobody"):
        read_profile(tmp_path)


def test_a_yearly_break_may_run_over_new_year_and_one_of_one_year_ends_with_it() -> None:
    winter = Break(name="窓口の繁忙期", first="12-20", last="01-10")
    assert winter.covers(date(2026, 12, 31), "any")
    assert winter.covers(date(2030, 1, 10), "any")
    assert not winter.covers(date(2027, 1, 11), "any")
    once = Break(name="庁舎の移転", first="2026-12-20", last="2027-01-10", bodies=("teirei",))
    assert once.covers(date(2027, 1, 1), "teirei")
    assert not once.covers(date(2028, 1, 1), "teirei")
    assert not once.covers(date(2027, 1, 1), "daihyosha")


def test_a_chair_presides_in_his_time_and_the_next_one_after_it() -> None:
    first = Chair(agency="fukushi", post="representative", last=date(2027, 3, 31))
    second = Chair(agency="choju", post="representative", first=date(2027, 4, 1))
    assert (first.presides(date(2027, 3, 31)), second.presides(date(2027, 3, 31))) == (True, False)
    assert not first.overlaps(second)
    assert first.overlaps(Chair(agency="choju", post="representative", first=date(2027, 3, 31)))


def test_an_item_takes_what_its_purpose_takes_and_never_more_than_the_block() -> None:
    block = Block.model_validate({"basis": "swa-106-4-2-5", "starts": "14:00:00", "minutes": 90, "capacity": 8})
    assert block.minutes_for("plan") == 11
    timed = block.model_copy(update={"lengths": Lengths(other=10, plan=20, watch=120)})
    assert [timed.minutes_for(one) for one in ("plan", "closing", "watch")] == [20, 10, 90]


@pytest.mark.rule("M5", "M6")
def test_each_block_has_its_own_roster_or_the_body_s() -> None:
    body = read_profile(EXAMPLES / "iga").body("care")
    assert isinstance(body, Body)
    care, juso = body.blocks
    assert "iryo" in {seat.agency for seat in body.roster_of(care)}
    assert body.roster_of(juso) == body.roster
    assert {seat.agency for seat in body.everybody} >= {"iryo", "seisaku"}
