"""The commands of ``kasane``, a file each (or a few that go together): options, what is asked of whom, what is said.

``add`` puts a file's commands on the line. Texts are Japanese. Exit status: 0 all went well, 1 refused, 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from services.settings import Settings

Act = Callable[[argparse.Namespace, Settings], int]


class Adder(Protocol):
    """How a command comes on the line, with the options all share."""

    shared: argparse.ArgumentParser

    def __call__(self, name: str, act: Act, text: str, *, alone: bool = False) -> argparse.ArgumentParser:
        """``alone``: it neither reads the profile's municipality nor asks a process."""


def unfit_fields(error: ValidationError) -> int:
    """Say which fields have no fit value, and never the value; the exit status."""
    fields = {str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]}
    print(f"値の形が正しくありません: {'、'.join(sorted(fields))}", file=sys.stderr)
    return 2
