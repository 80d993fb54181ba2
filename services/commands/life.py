"""``kasane life``: the table of a case's life as a page in Markdown, which is docs/life.md."""

import argparse
from collections.abc import Iterator

from contracts.life import OUTCOME_TEXT, STATE_TEXT, STEP_TEXT, Step
from contracts.message import Compartment
from services.commands import Adder
from services.coordination.life_table import TABLE
from services.coordination.life_terms import CITY, Turn
from services.settings import Settings

HEAD = """# 事案の一生

受付から終結まで、そして再開まで。表は `services/coordination/life_table.py` から `kasane life` で作られます。
状態を選ぶことはできません。手順を記録すると、状態が決まります。条件がそろわない手順は、理由と次の手順を示して断ります。
"""


ELSEWHERE = {Step.RECORD_RESULT: "会議の結果による", Step.TAKE_BACK: "付議の前に戻る", Step.DECLINE: "付議の前に戻る"}


def table() -> str:
    """The page."""
    return "\n".join([HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    yield "| 手順 | いつ | その後 | だれが | 会議 | 規則 | 続き |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for turn in TABLE:
        yield "| " + " | ".join(_cells(turn)) + " |"
    yield ""
    yield f"会議の結果は {'、'.join(OUTCOME_TEXT.values())} のどれかです。"


def _cells(turn: Turn) -> Iterator[str]:
    yield STEP_TEXT[turn.step]
    every = turn.source == tuple(STATE_TEXT)
    yield "いつでも" if every else "、".join(STATE_TEXT[state] for state in turn.source)
    yield STATE_TEXT[turn.to] if turn.to else ELSEWHERE.get(turn.step, "変わらない")
    yield "市町村" if turn.by == CITY else "市町村、多機関協働事業者"
    yield {1: "重層" if turn.where == (Compartment.JUSO,) else "支援会議"}.get(len(turn.where), "両方")
    yield "・".join(turn.rules)
    yield turn.follows


def add(command: Adder) -> None:
    """Put the command on the line."""
    command("life", _act, "事案の一生(状態と手順)の表を出力する", alone=True)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    print(table(), end="")
    return 0
