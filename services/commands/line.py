"""The line that is typed in: its parser, which says in Japanese what is wrong with it, and the values of its options.

A value that cannot be read is not repeated: it may name a person, and a screen is seen by others.
"""

import argparse
import re
from datetime import date
from typing import NoReturn
from uuid import UUID

_SAID = (
    ("the following arguments are required: (.+)", "{} を指定してください。"),
    ("one of the arguments (.+) is required", "{} のどれか1つを指定してください。"),
    (r"argument (\S+): not allowed with argument (\S+)", "{} と {} は一緒に使えません。"),
    (r"argument (\S+): expected .*", "{} のあとに値を書いてください。"),
    (r"argument (\S+): invalid choice: .* \(choose from (.+)\)", "{} は次から選んでください: {}"),
    (r"argument (\S+): invalid int value: .*", "{} は数で書いてください。"),
    (r"argument (\S+): invalid .* value: .*", "{} の値が読めません。--help で書き方を確かめてください。"),
    (r"argument (\S+): (.*)", "{}: {}"),
    ("unrecognized arguments: .*", "知らない指定があります。--help で確かめてください。"),
)
"""What argparse says, and what is said instead. The first that fits; what none fits is left as it is."""


class Parser(argparse.ArgumentParser):
    """argparse's, with its complaints in Japanese. Its subparsers are of this class, too."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the line and end with 2."""
        found = ((re.fullmatch(shape, message, re.DOTALL), told) for shape, told in _SAID)
        said = next((told.format(*map(_listed, one.groups())) for one, told in found if one), message)
        self.exit(2, f"{self.prog}: {said}\n使い方: {self.prog} --help\n")


def day(text: str) -> date:
    """A day as 2026-11-24. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("ある日付を 2026-11-24 の形で書いてください。") from None


def reference(text: str) -> UUID:
    """A reference as the product prints it. Raises ArgumentTypeError."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError("参照(8-4-4-4-12 桁の英数字)を、画面に出たとおりに書いてください。") from None


def _listed(text: str) -> str:
    """argparse parts names by a comma or by a blank, and puts choices in quotation marks."""
    return "、".join(one.strip("'") for one in re.split(", | (?=--)", text))
