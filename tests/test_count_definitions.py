"""The definitions that come with kasane can be read, and a wrong file is told which and why."""

from pathlib import Path

import pytest

from contracts.counts import FactKind
from services.count_definitions import CountsInvalid, definitions, read_definitions
from services.settings import SHIPPED_COUNTS


def test_every_item_says_where_it_comes_from_and_every_kind_of_fact_is_counted() -> None:
    shipped = definitions()
    assert all(one.source and one.words for one in shipped.items)
    assert {one.fact for one in shipped.items if one.fact} == set(FactKind)


def test_what_the_records_cannot_give_is_listed_with_the_reason() -> None:
    missing = {one.id: one.not_recorded for one in definitions().items if one.fact is None}
    assert missing.keys() == {"outreach-visits", "attendance", "online"}
    assert all("ません" in why for why in missing.values())


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("threshold = 5", "threshold = 2", "threshold"),
        ('fact = "case_left"', 'fact = "case_lost"', "items.7.fact"),
        ('id = "left"', 'id = "plans"', "全体"),
        ('version = "1"', 'version = "', "TOML"),
    ],
)
def test_a_wrong_file_is_named_with_the_field(tmp_path: Path, old: str, new: str, fault: str) -> None:
    path = tmp_path / "items.2.toml"
    text = (SHIPPED_COUNTS / "items.1.toml").read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(CountsInvalid, match=r"items\.2\.toml") as told:
        read_definitions(path)
    assert fault in str(told.value)


def test_the_highest_edition_is_in_use_and_none_at_all_is_told(tmp_path: Path) -> None:
    text = (SHIPPED_COUNTS / "items.1.toml").read_text("utf-8")
    for version in ("1", "2", "10"):
        (tmp_path / f"items.{version}.toml").write_text(
            text.replace('version = "1"', f'version = "{version}"'), "utf-8"
        )
    assert definitions(tmp_path).version == "10"
    with pytest.raises(CountsInvalid, match="入れ直して"):
        definitions(tmp_path / "nowhere")
