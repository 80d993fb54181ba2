"""``kasane policy``: the table and the explanations as people read them."""

import pytest

from contracts.policy import POLICY_VERSION
from contracts.policy_rows import ROWS
from contracts.policy_terms import DOMAIN, Condition, Fact, Standing
from services.__main__ import main
from services.commands.policy import FLAGS, STANDING_TEXT, condition_text

JUSO = ["--act", "hear", "--compartment", "juso", "--basis", "swa-106-4-2-5", "--consent", "given", "--seat"]
SCOPE = ["--agency-inside", "--purpose-inside", "--member-inside"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(["policy", *arguments])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_the_table_has_a_line_for_every_row_and_names_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "table").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == [row.id for row in ROWS]
    assert {len(row) for row in rows} == {10}
    assert POLICY_VERSION in lines[0]
    assert all(row[5] in ("可", "不可") and (row[5] == "可" or row[9] != "—") for row in rows)


def test_every_condition_has_words() -> None:
    assert set(STANDING_TEXT) == set(Standing)
    assert all(condition_text(Condition(fact, (value,))) for fact in Fact for value in DOMAIN[fact])


def test_who_is_inside_the_consent_may_hear(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "explain", *JUSO, *SCOPE, "--category", "ordinary", "--municipality", "452050")
    assert "重層的支援会議の項目を聞く: 可" in text
    assert "P1(規則 C1・C2" in text
    assert "社会福祉法第106条の4第2項第5号" in text


def test_who_is_outside_is_told_all_that_stands_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "explain", *JUSO, "--purpose-inside", "--member-inside", "--category", "tax")
    assert "聞く: 不可" in text
    assert "地方税法第22条" in text
    assert (
        "P1 で可になるには  F2 に当たらない(いまは税の情報である、同意が税の情報に及ばない)、機関が同意の範囲内" in text
    )


@pytest.mark.parametrize(
    ("at", "row"),
    [
        ("2026-03-31T23:59:59+09:00", "N3"),
        ("2026-04-01T00:00:00+09:00", "P1"),
        ("2027-03-31T23:59:59+09:00", "P1"),
        ("2027-04-01T00:00:00+09:00", "N2"),
    ],
)
def test_days_are_days_in_japan_and_the_last_one_counts(capsys: pytest.CaptureFixture[str], at: str, row: str) -> None:
    days = ["--consent-from", "2026-04-01", "--consent-until", "2027-03-31", "--at", at]
    assert f"  行        {row}(" in said(capsys, "explain", *JUSO, *SCOPE, *days, "--category", "ordinary")


def test_a_commission_opens_the_shien_meeting(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", "--act", "hear", "--compartment", "shien", "--category", "ordinary", "--seat"]
    asked += ["--basis", "swa-106-6", "--municipal-host", "--at", "2026-11-20T10:00+09:00"]
    assert "N8" in said(capsys, *asked)
    assert "P2(" in said(capsys, *asked, "--commission-from", "2026-11-20", "--commission-until", "2026-11-20")


def test_the_kind_of_meeting_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    derive = ["explain", "--act", "derive", "--category", "ordinary"]
    assert "会議の種類: 重層的支援会議" in said(capsys, *derive, "--consent", "given")
    assert "会議の種類: 支援会議" in said(capsys, *derive, "--consent", "refused")
    assert "会議の種類: 不可" in said(capsys, *derive, "--consent", "withdrawn")
    assert "会議の種類: 支援会議" in said(capsys, *derive, "--consent", "withdrawn", "--necessity-recorded")


@pytest.mark.parametrize(("act", "where", "row"), [("ask", "shien", "P3"), ("carry", "shien", "P4")])
def test_with_everything_said_each_act_has_its_row(
    capsys: pytest.CaptureFixture[str], act: str, where: str, row: str
) -> None:
    asked = ["--act", act, "--compartment", where, "--category", "ordinary", "--basis", "swa-106-6", *FLAGS]
    assert f"  行        {row}(" in said(capsys, "explain", *asked, "--consent", "narrowed")


def test_an_emergency_needs_its_record(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", "--act", "emergency", "--compartment", "shien", "--category", "ordinary", "--earlier-reviewed"]
    assert "N16" in said(capsys, *asked)
    assert "P5(" in said(capsys, *asked, "--emergency-recorded")


@pytest.mark.parametrize(
    "wrong", [["--at", "2026-11-20T10:00"], ["--consent-from", "令和8年"], ["--category", "secret"]]
)
def test_what_cannot_be_read_is_wrong_usage(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["policy", "explain", "--act", "hear", "--category", "ordinary", *wrong])
    assert end.value.code == 2
