"""The command ``kasane``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from contracts.municipality import is_municipality_code
from services.commands import (
    Act,
    audit,
    city,
    consent,
    counts,
    disclosures,
    forms,
    gate,
    household,
    life,
    mail,
    policy,
    referrals,
    rules,
    running,
    same,
    series,
    signal,
    timetable,
    triage,
)
from services.commands.line import Parser
from services.count_definitions import CountsInvalid
from services.forms import FormsInvalid
from services.launcher import CannotStart
from services.operator import NoSuchPerson, NotRunning
from services.probes import Reaches
from services.service import AskFailed
from services.settings import ProfileInvalid, Settings, read_profile
from services.store import StoreRefused
from services.vault import VaultRefused

COMMANDS = (
    running,
    referrals,
    signal,
    triage,
    same,
    household,
    consent,
    gate,
    disclosures,
    audit,
    policy,
    rules,
    life,
    mail,
    city,
    series,
    forms,
    counts,
    timetable,
)

_REFUSALS = (
    CannotStart,
    CountsInvalid,
    FormsInvalid,
    NoSuchPerson,
    NotRunning,
    ProfileInvalid,
    Reaches,
    StoreRefused,
    VaultRefused,
)
"""Their text says what was found and what to do, in Japanese."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exit status: 0 all went well, 1 something was refused, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        sys.exit(options.act(options, settings))
    except _REFUSALS as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
    except ValidationError as error:
        fields = "、".join(f"KASANE_{fault['loc'][0]}".upper() for fault in error.errors(include_input=False))
        print(f"設定の値が正しくありません: {fields}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader, e.g. head, has seen enough
        sys.stdout = None  # nothing is to be flushed at exit
    except AskFailed as failure:
        print(f"応答がありません({failure})。kasane up の画面と記録を確かめてください。", file=sys.stderr)
        sys.exit(1)


def _settings(options: argparse.Namespace) -> Settings:
    given = {
        name: value for name in ("municipality", "profile", "var") if (value := getattr(options, name)) is not None
    }
    settings = Settings(**given)
    if not is_municipality_code(settings.municipality):
        raise CannotStart("--municipality は検査数字まで含む6桁の全国地方公共団体コードで指定してください(例 452050)。")
    alone = options.alone and getattr(options, "item", None) is None
    if not alone and (profile := read_profile(settings.profile)).municipality != settings.municipality:
        raise CannotStart(
            f"{settings.profile} は {profile.name}({profile.municipality})のプロファイルです。"
            "--profile か --municipality を直してください。"
        )
    return settings


class _Line:
    """Puts commands on the line, each with the options all share."""

    def __init__(self) -> None:
        self.parser = Parser(prog="kasane", description="重層的支援体制整備事業の会議を調整します。")
        self._commands = self.parser.add_subparsers(required=True, metavar="命令")
        self.shared = Parser(add_help=False)
        self.shared.add_argument("--municipality", help="全国地方公共団体コード、6桁(既定 452050)")
        self.shared.add_argument("--profile", type=Path, help="プロファイルのフォルダー(既定 examples/kobayashi)")
        self.shared.add_argument("--var", type=Path, help="データを置くフォルダー(既定 var)")

    def __call__(self, name: str, act: Act, text: str, *, alone: bool = False) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = self._commands.add_parser(
            name, help=text, description=text, parents=[self.shared]
        )
        one.set_defaults(act=act, alone=alone)
        return one


def _parser() -> argparse.ArgumentParser:
    line = _Line()
    for module in COMMANDS:
        module.add(line)
    return line.parser


if __name__ == "__main__":
    main()
