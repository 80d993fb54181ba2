"""``kasane rules``: each rule of the field, what is done about it, where code cites it, and which tests prove it.

Nothing of this is written down twice: places are found by reading the source, tests by reading their markers.
"""

import argparse
import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.policy_rows import ROWS
from contracts.rules import CLAIMS, RULES, Rule, Status
from services.commands import Adder
from services.settings import Settings

ROOT = Path(__file__).parents[2]
"""Where ``contracts`` and ``services`` lie; in a checkout ``tests`` is beside them."""
STATUS_TEXT = {
    Status.ENFORCED: "実装済み",
    Status.PARTLY: "一部実装",
    Status.NOT_YET: "未実装",
    Status.NOT_SOFTWARE: "人が守る",
}
MISSING = frozenset({Status.PARTLY, Status.NOT_YET})
Say = Callable[[str], None]

_IDS = frozenset(rule.id for rule in RULES)
_THE_TABLE = Path("contracts", "rules.py")  # names every rule, and so says nothing about where one is kept
_ROW_IDS = frozenset(row.id for row in ROWS)
_CITED = re.compile(r"(?<![A-Za-z0-9_-])(?<!公 )([CSPTDM])([0-9]{1,2})(?:-\1?([0-9]{1,2}))?(?![A-Za-z0-9_-])")
"""An id, or two with what lies between; ``公 P3`` is the number of a public source."""
_TEXT_TOKENS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


@dataclass(frozen=True)
class Found:
    """What was found for one rule: files that cite it, and tests marked with it; None where there are no tests."""

    rule: Rule
    places: tuple[str, ...]
    tests: tuple[str, ...] | None

    @property
    def unproven(self) -> bool:
        """Whether the table claims more than code and tests show."""
        return self.rule.status in CLAIMS and (not self.places or self.tests == ())


# -- what code says ----------------------------------------------------------------------------------------------------


def places(root: Path = ROOT) -> dict[str, tuple[str, ...]]:
    """The files below contracts/ and services/ that cite each rule in a comment, a docstring or a text, in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(path for name in ("contracts", "services") for path in (root / name).rglob("*.*")):
        name = path.relative_to(root)
        if path.suffix in (".py", ".html") and name != _THE_TABLE:
            for rule in cited(path.read_text("utf-8"), python=path.suffix == ".py"):
                found.setdefault(rule, []).append(name.as_posix())
    return {rule: tuple(names) for rule, names in found.items()}


def cited(source: str, python: bool = True) -> set[str]:
    """The rules that a file's words cite. A string that is only ``P1`` … names a row of the policy's table instead."""
    texts = _words(source) if python else [source]
    return {rule for text in texts for match in _CITED.finditer(text) for rule in _between(match)} & _IDS


def _words(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _TEXT_TOKENS and token.string.strip("\"'") not in _ROW_IDS:
            yield token.string


def _between(match: re.Match[str]) -> Iterator[str]:
    letter, first, last = match.groups()
    return (f"{letter}{number}" for number in range(int(first), int(last or first) + 1))


# -- what tests say ----------------------------------------------------------------------------------------------------


def proofs(root: Path = ROOT) -> dict[str, tuple[str, ...]] | None:
    """The tests marked with each rule as ``file::name``, in order; None in an installed product, which has none."""
    if not (root / "tests" / "test_rules.py").is_file():
        return None
    found: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for test, rules in marked(path.read_text("utf-8")):
            for rule in rules:
                found.setdefault(rule, []).append(f"{path.relative_to(root).as_posix()}::{test}")
    return {rule: tuple(names) for rule, names in found.items()}


def marked(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The tests of a file that carry ``@pytest.mark.rule(…)``. Raises ValueError if an id is not written out."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            marks = [one for one in node.decorator_list if isinstance(one, ast.Call) and _is_mark(one.func)]
            if marks:
                yield node.name, tuple(str(ast.literal_eval(arg)) for mark in marks for arg in mark.args)


def _is_mark(called: ast.expr) -> bool:
    return ast.unparse(called) == "pytest.mark.rule"


def survey(root: Path = ROOT) -> tuple[Found, ...]:
    """Every rule with its places and tests, in the order of the table."""
    where, proven = places(root), proofs(root)
    return tuple(
        Found(rule, where.get(rule.id, ()), None if proven is None else proven.get(rule.id, ())) for rule in RULES
    )


# -- the command -------------------------------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be asked of ``kasane rules``."""
    parser.add_argument("--id", metavar="番号", help="一つの規則だけ")
    parser.add_argument("--missing", action="store_true", help="一部実装と未実装の規則だけ")


def run(options: argparse.Namespace, say: Say, root: Path = ROOT) -> int:
    """Print the table. Exit status: 0 done, 1 the table claims what nothing shows, 2 no such rule."""
    if options.id is not None and options.id.upper() not in _IDS:
        say(f"規則 {options.id} はありません。あるもの: {'、'.join(rule.id for rule in RULES)}")
        return 2
    found = survey(root)
    shown = [one for one in found if options.id is None or one.rule.id == options.id.upper()]
    shown = [one for one in shown if not options.missing or one.rule.status in MISSING or one.unproven]
    for line in (line for one in shown for line in rule_lines(one)):
        say(line)
    if options.id is None:
        say(_count(found))
    if found[0].tests is None:
        say("試験はこの製品に入っていません。ソースコードのある場所で kasane rules を実行すると示します。")
    return 1 if any(one.unproven for one in shown) else 0


def rule_lines(found: Found) -> Iterator[str]:
    """One rule as a person reads it."""
    rule = found.rule
    yield f"{rule.id:<4}{STATUS_TEXT[rule.status]}  {rule.title}"
    yield f"      出典  {rule.source}"
    if rule.reason:
        yield f"      理由  {rule.reason}"
    yield from _listed("記載", found.places)
    if found.tests is not None:
        yield from _listed("試験", found.tests)
    if found.unproven:
        yield "      注意  実装したとしていますが、コードの記載か試験がありません。"


def _listed(name: str, found: Sequence[str]) -> Iterator[str]:
    for number, one in enumerate(found or ("なし",)):
        yield f"      {name if number == 0 else '    '}  {one}"


def _count(found: Sequence[Found]) -> str:
    held = [one.rule.status for one in found]
    return f"規則 {len(held)}: " + "、".join(f"{text} {held.count(one)}" for one, text in STATUS_TEXT.items())


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("rules", _act, "規則ごとに、実装の状態・記載・試験を見る", alone=True))


def _act(options: argparse.Namespace, settings: Settings) -> int:
    return run(options, print)
