"""``kasane counts``: what is counted of a period, freezing it at submission, as text, CSV and Excel."""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from contracts.counts import CountPeriod, FreezeCounts, Period, PublishCounts, WrongPeriod
from contracts.message import Account, Compartment
from contracts.profile import Profile
from services.commands import Adder
from services.counts_sheet import Sheet, as_csv, as_text, as_xlsx, own_sheet, shown_sheet, write
from services.operator import Operator, operator
from services.settings import Settings, read_profile

Say = Callable[[str], None]
FREEZE_BY = "--freeze には、確定する市町村の職員の職員番号を --by で付けてください(kasane staff で見られます)。"
FREEZE_BOTH = "--freeze は両方の会議を一度に確定します。--compartment は付けないでください。"
NAMES = {Compartment.JUSO: "重層的支援会議", Compartment.SHIEN: "支援会議"}


async def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Exit status: 0 done, 1 refused, 2 wrong usage. Raises AskFailed, NotRunning, NoSuchPerson."""
    try:
        period = Period.read(options.period)
    except WrongPeriod as wrong:
        say(str(wrong))
        return 2
    if options.freeze and (options.by is None or options.compartment is not None):
        say(FREEZE_BY if options.by is None else FREEZE_BOTH)
        return 2
    async with operator(settings) as asking:
        if options.freeze and not await _freeze(asking, period, options.by, say):
            return 1
        sheet = await _sheet(asking, period, options.compartment, read_profile(settings.profile), say)
    if sheet is None:
        return 1
    for path, content in ((options.csv, as_csv(sheet)), (options.xlsx, as_xlsx(sheet))):
        if path is not None and (fault := write(path, content)):
            say(fault)
            return 1
    for line in as_text(sheet):
        say(line)
    return 0


async def _freeze(asking: Operator, period: Period, number: str, say: Say) -> bool:
    """Both compartments. Should one refuse after the other, asking again finishes it: frozen twice is frozen once."""
    who = await asking.person(number)
    for kind in Compartment:
        done = await asking.ask(
            Account(kind), FreezeCounts(period=period.text, by=who.person, agency=who.agency), seconds=30
        )
        if not done.done:
            say(f"{NAMES[kind]}: {done.reason}{done.next_step}")
            return False
        say(f"{NAMES[kind]}: {'すでに確定しています。' if done.again else '確定しました。'}")
    return True


async def _sheet(
    asking: Operator, period: Period, kind: Compartment | None, profile: Profile, say: Say
) -> Sheet | None:
    if kind is not None:
        own = await asking.ask(Account(kind), CountPeriod(period=period.text), seconds=30)
        return own_sheet(own, period, kind, profile)
    found = await asking.ask(Account.GATE, PublishCounts(period=period.text), seconds=30)
    if found.message:
        say(found.message)
        return None
    return shown_sheet(found, period, profile)


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--period`` and what to do with it."""
    parser.add_argument("--period", required=True, help="月 2026-04、四半期(年度) 2026-Q2、年度 2026")
    parser.add_argument(
        "--compartment", type=Compartment, choices=list(Compartment), help="この会議だけの、ありのままの数"
    )
    parser.add_argument("--freeze", action="store_true", help="提出する数として、両方の会議を確定する(--by と一緒に)")
    parser.add_argument("--by", metavar="職員番号", help="確定する市町村の職員")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="書き出す新しいCSVファイル")
    parser.add_argument("--xlsx", type=Path, metavar="FILE", help="書き出す新しいExcelファイル")


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("counts", _act, "実績を数える、提出する数を確定する、CSVやExcelに書き出す"))


def _act(options: argparse.Namespace, settings: Settings) -> int:
    return asyncio.run(run(options, settings, print))
