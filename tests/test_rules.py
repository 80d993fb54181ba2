"""The table of rules says no more than code and tests show, and ``kasane rules`` shows it."""

import ast
import re
from argparse import Namespace
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from contracts.rules import CLAIMS, RULES, Rule, Status
from services.__main__ import main
from services.commands import rules
from services.commands.rules import ROOT, Found, cited, marked, proofs, survey

ALL_IDS = [
    f"{letter}{n}" for letter, count in zip("CSPTDM", (12, 18, 10, 9, 11, 15), strict=True) for n in range(1, count + 1)
]
JAPANESE = re.compile(r"[ぁ-ん一-龥]")


@cache
def surveyed() -> dict[str, Found]:
    return {found.rule.id: found for found in survey()}


def of_status(*wanted: Status) -> list[str]:
    return [rule.id for rule in RULES if rule.status in wanted]


def row(rule: str) -> Rule:
    return surveyed()[rule].rule


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_table_has_every_rule_once_and_in_order() -> None:
    assert [rule.id for rule in RULES] == ALL_IDS


@pytest.mark.parametrize("rule", ALL_IDS)
def test_a_rule_is_told_in_one_short_line_with_its_source(rule: str) -> None:
    assert 5 <= len(row(rule).title) <= 40
    assert JAPANESE.search(row(rule).title)
    assert re.match("種00[0-3] |種00[0-3] ?|公 |推", row(rule).source)


def test_no_two_rules_have_the_same_title() -> None:
    assert len({rule.title for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", of_status(*CLAIMS))
def test_what_the_table_claims_is_cited_in_code_and_proven_by_a_test(rule: str) -> None:
    found = surveyed()[rule]
    assert found.places, f"no file of contracts/ or services/ cites {rule}"
    assert found.tests, f'no test carries @pytest.mark.rule("{rule}")'
    assert not found.unproven


@pytest.mark.parametrize("rule", of_status(Status.PARTLY, Status.NOT_YET, Status.NOT_SOFTWARE))
def test_what_is_not_wholly_enforced_says_why(rule: str) -> None:
    assert re.fullmatch(r"\S.{8,}。", row(rule).reason)
    assert JAPANESE.search(row(rule).reason)


@pytest.mark.parametrize("rule", of_status(Status.ENFORCED))
def test_what_is_enforced_makes_no_excuse(rule: str) -> None:
    assert row(rule).reason == ""


@pytest.mark.parametrize("rule", of_status(Status.NOT_YET, Status.NOT_SOFTWARE))
def test_a_rule_that_a_test_proves_is_not_said_to_be_missing(rule: str) -> None:
    assert surveyed()[rule].tests == (), f"the row of {rule} in contracts/rules.py is behind"


# -- the marks ---------------------------------------------------------------------------------------------------------


def test_no_test_is_marked_with_a_rule_that_there_is_not() -> None:
    assert {rule: where for rule, where in (proofs() or {}).items() if rule not in ALL_IDS} == {}


def test_every_mark_stands_on_a_test_where_it_is_read() -> None:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        source = path.read_text("utf-8")
        names = [ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
        read = list(marked(source)) if path.name.startswith("test_") else []
        assert names.count("pytest.mark.rule") == len(read), path
        assert all(rules for _, rules in read), path


def test_marks_are_read_from_tests_only() -> None:
    source = """
@pytest.mark.parametrize("x", [1])
@pytest.mark.rule("C1", "S9")
async def test_one(x): ...
@pytest.mark.kill
def test_two(): ...
@pytest.mark.rule("C2")
def helper(): ...
class Some:
    @pytest.mark.rule("C3")
    def test_three(self): ...
"""
    assert list(marked(source)) == [("test_one", ("C1", "S9"))]


def test_a_mark_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="malformed"):
        list(marked("@pytest.mark.rule(*MANY)\ndef test_one(): ..."))


# -- what counts as a citation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        ('"""Only then (C1, S9)."""', {"C1", "S9"}),
        ("x = 1  # P1, P2 and T1: why", {"P1", "P2", "T1"}),
        ('Flaw("evidence", "C3", message)', {"C3"}),
        ('f"{name}(C3、P1)。"', {"C3", "P1"}),
        ('"""委嘱 (S3-S5)."""', {"S3", "S4", "S5"}),
        ('"""委嘱 (S3-5)."""', {"S3", "S4", "S5"}),
        ("S1 = D4 + C11", set()),  # names in code are no words
        ('"""AC1, C1a, C10x, C111, XS9, M_M1."""', set()),
        ('"""C99 and D0 are no rules."""', set()),
        ('Row("P1", acts, "P3")', set()),  # rows of the policy's table
        ('"""C1"""', {"C1"}),
        ("# since 2025 (S3, 公 P8)", {"S3"}),  # a public source by its number
        ("TOPIC = 'sha-S1'", set()),
    ],
)
def test_a_rule_is_cited_by_its_very_id_in_words(source: str, rules: set[str]) -> None:
    assert cited(source) == rules


def test_the_words_of_a_page_count() -> None:
    assert cited("<p>{# S4 #}委嘱がありません(S6)</p>", python=False) == {"S4", "S6"}


# -- the command -------------------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["rules", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


def test_one_rule_is_shown_with_the_file_that_keeps_it_and_the_test_that_proves_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, text = said(capsys, "--id", "s9")
    assert status == 0
    assert text.startswith("S9  実装済み  税の情報は、支援会議でも本人の同意なしに共有しない\n")
    assert "出典  種003 §3\n" in text
    assert " services/coordination/entries.py\n" in text
    test = "tests/coordination/test_entries.py::test_tax_data_has_no_place_in_shien_and_the_refusal_says_what_to_do"
    assert f" {test}\n" in text
    assert "contracts/rules.py" not in text, "the table itself keeps nothing"
    assert "D1 " not in text


def test_the_whole_table_is_shown_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = said(capsys)
    assert status == 0
    assert re.findall(r"^([A-Z]\d+) ", text, re.MULTILINE) == ALL_IDS
    counts = [len(of_status(status)) for status in Status]
    names = ("実装済み", "一部実装", "未実装", "人が守る")
    assert text.splitlines()[-1] == "規則 75: " + "、".join(
        f"{name} {n}" for name, n in zip(names, counts, strict=True)
    )


def test_missing_shows_what_there_is_to_do_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = said(capsys, "--missing")
    shown = re.findall(r"^([A-Z]\d+) ", text, re.MULTILINE)
    assert shown == of_status(Status.PARTLY, Status.NOT_YET)
    assert text.count("理由  ") == len(shown)


def test_a_rule_that_there_is_not_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = said(capsys, "--id", "C13")
    assert status == 2
    assert text.startswith("規則 C13 はありません。あるもの: C1、C2、")


def run(root: Path, **options: object) -> tuple[int, str]:
    lines: list[str] = []
    say: Callable[[str], None] = lines.append
    status = rules.run(Namespace(**({"id": None, "missing": False} | options)), say, root)
    return status, "\n".join(lines)


def product(root: Path, code: str, test: str | None) -> Path:
    """A product with one file and perhaps one test beside."""
    for folder in ("contracts", "services"):
        (root / folder).mkdir()
    (root / "services" / "wall.py").write_text(code, "utf-8")
    if test is not None:
        (root / "tests").mkdir()
        (root / "tests" / "test_rules.py").write_text(test, "utf-8")
    return root


def test_an_installed_product_says_that_its_tests_are_elsewhere(tmp_path: Path) -> None:
    status, text = run(product(tmp_path, '"""Tax (S9)."""', None), id="S9")
    assert (status, "services/wall.py" in text) == (0, True)
    assert "試験  " not in text
    assert "試験はこの製品に入っていません。" in text


@pytest.mark.parametrize(
    ("code", "test", "proven"),
    [
        ('"""Tax (S9)."""', '@pytest.mark.rule("S9")\ndef test_tax(): ...', True),
        ('"""Tax (S9)."""', '@pytest.mark.rule("S8")\ndef test_tax(): ...', False),
        ('"""Tax."""', '@pytest.mark.rule("S9")\ndef test_tax(): ...', False),
    ],
)
def test_a_claim_that_nothing_shows_is_pointed_out_and_fails(
    tmp_path: Path, code: str, test: str, proven: bool
) -> None:
    status, text = run(product(tmp_path, code, test), id="S9")
    assert status == (0 if proven else 1)
    assert ("実装したとしていますが" in text) is not proven
    assert ("試験  tests/test_rules.py::test_tax" in text) is ('"S9"' in test)
    missing, text = run(tmp_path, id="S9", missing=True)
    assert (missing, "S9" in text) == (status, not proven)
