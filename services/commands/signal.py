"""``kasane signal``: early signals from 地域づくり: type one in, see what waits, drop it, or make a つなぎ of it."""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from contracts.erasure import ERASE_REASON_TEXT, EraseReason
from contracts.filling import validate
from contracts.form_editions import NoSuchForm, edition, in_force
from contracts.message import Account
from contracts.office import Officer
from contracts.signals import (
    NOTICED_AT_TEXT,
    SIGN_TEXT,
    SIGNAL_STATE_TEXT,
    DropSignal,
    EraseSignal,
    LookAtSignals,
    Note,
    Own,
    ReferSignal,
    ReportSignal,
    Signal,
)
from services.commands import Adder, unfit_fields
from services.commands.forms import CannotRead, read_filled
from services.commands.line import reference
from services.forms import own_forms
from services.intake.csv_import import read_sheets
from services.operator import Operator, operator
from services.settings import Settings, read_profile

TOKYO = ZoneInfo("Asia/Tokyo")
FORM = "early_signal"
Say = Callable[[str], None]


async def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Do what was asked. Exit status: 0 done, 1 refused or a file with faults. Raises NotRunning, NoSuchPerson."""
    try:
        async with operator(settings) as asking:
            status: int = await options.at_signal(options, asking, settings, say)
            return status
    except (CannotRead, NoSuchForm) as refusal:
        say(str(refusal))
        return 1


async def report(options: argparse.Namespace, asking: Operator, settings: Settings, say: Say) -> int:
    """Keep a filled form; its faults are told as ``kasane forms check`` tells them."""
    note = read_note(options.file, settings, say)
    if note is None:
        return 1
    asked = ReportSignal(request=options.request, by=await asking.officer(options.by), note=note)
    answer = await asking.ask(Account.INTAKE, asked)
    say(answer.sentence(f"受け付けました。参照 {answer.signal}\n"))
    return 0 if answer.done else 1


def read_note(path: Path, settings: Settings, say: Say) -> Note | None:
    """The note in a filled form; None when it has faults, which are said. Raises CannotRead, NoSuchForm."""
    filled = read_filled(path)
    if filled.form != FORM:
        raise CannotRead(f"このファイルは {FORM} の記入ではありません。ファイルの form を確かめてください。")
    forms = own_forms(settings)
    day = datetime.now(UTC).astimezone(TOKYO).date()
    form = edition(forms, FORM, filled.version) if filled.version else in_force(forms, FORM, day)
    agencies = {agency.code for agency in read_profile(settings.profile).agencies}
    found = validate(form, filled.values, agencies)
    for fault in found.faults:
        say(str(fault))
    if found.faults:
        return None
    own = [Own(field=name, value=str(value)) for name, value in found.values.items() if name.startswith("x_")]
    values = {name: value for name, value in found.values.items() if not name.startswith("x_")}
    return Note.model_validate(values | {"signs": _codes(values["signs"]), "own": own})


def _codes(value: object) -> object:
    return value["codes"] if isinstance(value, dict) else value


async def show(options: argparse.Namespace, asking: Operator, settings: Settings, say: Say) -> int:
    """What waits, the urgent first."""
    answer = await asking.ask(
        Account.INTAKE, LookAtSignals(by=await asking.officer(options.by), settled=options.settled)
    )
    if not answer.done:
        say(answer.sentence(""))
        return 1
    for one in answer.signals:
        for line in signal_lines(one):
            say(line)
    say(f"メモ {len(answer.signals)}件")
    return 0


def signal_lines(one: Signal) -> Iterator[str]:
    """A note as the office reads it."""
    urgent = "★命や安全の心配 " if one.note.urgent else ""
    yield f"{one.signal}  {urgent}{SIGNAL_STATE_TEXT[one.state]}  気づいた日 {one.note.noticed_on}"
    signs = "、".join(SIGN_TEXT[sign] for sign in one.note.signs)
    yield f"    {NOTICED_AT_TEXT[one.note.place]} {one.note.area}  {signs}"
    yield f"    {one.note.description}"
    for own in one.note.own:
        yield f"    {own.field}: {own.value}"
    if one.reason:
        yield f"    見送った理由: {one.reason}"


async def drop(options: argparse.Namespace, asking: Operator, settings: Settings, say: Say) -> int:
    """Nothing follows; the reason is kept."""
    by = await asking.officer(options.by)
    asked = DropSignal(request=options.request, by=by, signal=options.signal, reason=options.reason)
    answer = await asking.ask(Account.INTAKE, asked)
    say(answer.sentence("見送りを記録しました。"))
    return 0 if answer.done else 1


async def refer(options: argparse.Namespace, asking: Operator, settings: Settings, say: Say) -> int:
    """The one line of a つなぐシート file that the note becomes."""
    reading = read_sheets(options.sheet, read_profile(settings.profile))
    for line in reading.report():
        say(line)
    if reading.faults or len(reading.sheets) != 1:
        say("つなぐシートは、正しい1件だけのファイルにしてください。")
        return 1
    by: Officer = await asking.officer(options.by)
    asked = ReferSignal(request=options.request, by=by, signal=options.signal, sheet=reading.sheets[0][1])
    answer = await asking.ask(Account.INTAKE, asked)
    say(answer.sentence("つなぎとして受け付けました。"))
    return 0 if answer.done else 1


async def erase(options: argparse.Namespace, asking: Operator, settings: Settings, say: Say) -> int:
    """Destroy the note's key."""
    answer = await asking.ask(Account.INTAKE, EraseSignal(signal=options.signal, reason=EraseReason(options.reason)))
    say(answer.message or "消去しました。古い控えからも、もう開けません。")
    return 0 if answer.done else 1


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``signal report``, ``list``, ``drop``, ``refer`` and ``erase``; ``options.at_signal`` is the act."""
    below = parser.add_subparsers(required=True, metavar="内容")

    def act(name: str, do: object, text: str) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(at_signal=do)
        if name != "erase":
            one.add_argument("--by", required=True, help="行う人の職員番号")
        if name not in ("erase", "list"):
            one.add_argument("--request", type=reference, default=uuid4(), help="やり直すときに、前と同じ依頼の番号")
        if name not in ("report", "list"):
            one.add_argument("--signal", type=reference, required=True, help="メモの参照(signal list に出ます)")
        return one

    act("report", report, "匿名の気づきメモを受け付ける(様式 early_signal の記入)").add_argument("file", type=Path)
    act("list", show, "気づきメモを見る(見たことが記録されます)").add_argument(
        "--settled", action="store_true", help="決めた後のものも(市町村の人だけ)"
    )
    act("drop", drop, "見送る").add_argument("--reason", required=True, help="理由(記録されます)")
    text = "本人に同意を尋ねた後で、つなぎにする"
    act("refer", refer, text).add_argument("--sheet", type=Path, required=True, help="1件だけのつなぐシートのCSV")
    reasons = "、".join(f"{code.value} {text}" for code, text in ERASE_REASON_TEXT.items())
    act("erase", erase, "メモを消去する(鍵を壊す)").add_argument(
        "--reason", required=True, choices=[one.value for one in EraseReason], help=reasons
    )


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("signal", _act, "地域づくりからの気づきメモを受け付ける、見る、決める"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    try:
        return asyncio.run(run(options, settings, print))
    except ValidationError as error:
        return unfit_fields(error)
