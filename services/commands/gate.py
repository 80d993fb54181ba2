"""``kasane gate``: what could cross from a 支援会議 to a 重層的支援会議, and carrying one entry over."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from contracts.gate import Carried, CarryOver, LookAtGate, WriteEntry
from contracts.message import Account, Compartment
from contracts.policy import Category
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT, Purpose
from services.commands import Adder
from services.commands.line import day, reference
from services.operator import Operator, operator
from services.settings import Settings, read_profile

CATEGORY_TEXT = {Category.ORDINARY: "一般", Category.TAX: "税の情報"}
NOTHING = "支援会議の記録に、引き継げる項目はありません。"
DEFAULT = "何も決めなければ、何も引き継ぎません。項目ごとに kasane gate carry で決めてください。"
READ_ONLY_TEXT = "内容を書いたファイル(UTF-8、4000字まで)を --text で指定してください。"


async def show(asking: Operator, options: argparse.Namespace, profile: Profile, say: Callable[[str], None]) -> int:
    """List every entry with what the policy says of it. The text is shown to ``--by``, and that is registered."""
    who = await asking.person(options.by)
    look = LookAtGate(
        shien_case=options.shien_case,
        juso_case=options.juso_case,
        purpose=options.purpose,
        viewer=who.person,
        viewer_agency=who.agency,
    )
    found = await asking.ask(Account.GATE, look)
    if found.message:
        say(found.message)
        return 1
    names = {agency.code: agency.name for agency in profile.agencies}
    for one in found.candidates:
        entry = one.entry
        verdict = "引継可(情報を出した機関の了解が必要)" if one.allowed else "引継不可"
        say(f"{entry.entry}  {names.get(entry.provider, entry.provider)}  {CATEGORY_TEXT[entry.category]}  {verdict}")
        say(f"    {entry.text}")
        if not one.allowed:
            say(f"    {one.reason}{one.next_step}")
    say(DEFAULT if found.candidates else NOTHING)
    return 0


async def carry(asking: Operator, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Carry one entry over; 1 when it is refused, with the reason and what to do instead."""
    text = _text(options.text)
    if text is None:
        say(READ_ONLY_TEXT)
        return 2
    who = await asking.person(options.decided_by)
    asked = CarryOver(
        shien_case=options.shien_case,
        juso_case=options.juso_case,
        entry=options.entry,
        purpose=options.purpose,
        agreed_by=options.agreed_by,
        agreed_on=options.agreed_on,
        decided_by=who.person,
        decided_for=who.agency,
        text=text,
    )
    answer = await asking.ask(Account.GATE, asked)
    say(_outcome(answer))
    return 0 if answer.done else 1


async def write(asking: Operator, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Note what an agency said of a case; 1 when it has no place there, with what to do instead."""
    text = _text(options.text)
    if text is None:
        say(READ_ONLY_TEXT)
        return 2
    asked = WriteEntry(
        case=options.case,
        provider=options.provider,
        category=options.category,
        text=text,
        written_by=(await asking.person(options.written_by)).person,
    )
    answer = await asking.ask(Account(options.compartment), asked)
    say("記録しました。" if answer.entry else answer.message)
    return 0 if answer.entry else 1


def _text(path: Path) -> str | None:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if 0 < len(text) <= 4000 else None


def _outcome(answer: Carried) -> str:
    if answer.done:
        return f"引き継ぎました。両方の会議に、別々の番号で記録しました({answer.rule}、判断表の行 {answer.row})。"
    return f"{answer.reason}{answer.next_step}" + (f"(判断表の行 {answer.row})" if answer.row else "")


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``gate show``, ``gate carry`` and ``gate note``; ``options.at_gate`` says which."""
    below = parser.add_subparsers(required=True, metavar="内容")
    text = "引き継げる項目と、引き継げない理由を見る(支援会議の内容が出ます)"
    looking = below.add_parser("show", help=text, description=text, parents=[shared])
    looking.set_defaults(at_gate="show")
    looking.add_argument("--by", required=True, help="見る人の職員番号(見たことが記録されます)")
    text = "一つの項目を、改めて書いた文で重層的支援会議に引き継ぐ"
    carrying = below.add_parser("carry", help=text, description=text, parents=[shared])
    carrying.set_defaults(at_gate="carry")
    text = "機関から聞いたことを、事案の記録に書く"
    writing = below.add_parser("note", help=text, description=text, parents=[shared])
    writing.set_defaults(at_gate="note")
    writing.add_argument("--case", type=reference, required=True, help="事案の番号")
    writing.add_argument("--compartment", type=Compartment, choices=list(Compartment), required=True)
    writing.add_argument("--provider", required=True, help="情報を出した機関の符号", metavar="機関")
    writing.add_argument("--category", type=Category, choices=list(Category), required=True, help="税の情報か")
    writing.add_argument("--written-by", required=True, help="書いた人の職員番号")
    writing.add_argument("--text", type=Path, required=True, help="内容のファイル(UTF-8)")
    for one in (looking, carrying):
        one.add_argument("--shien-case", type=reference, required=True, help="支援会議の事案の番号")
        one.add_argument("--juso-case", type=reference, required=True, help="重層的支援会議の事案の番号")
        purposes = "、".join(f"{code}={text}" for code, text in PURPOSE_TEXT.items())
        one.add_argument("--purpose", type=Purpose, choices=list(Purpose), default=Purpose.PLAN, help=purposes)
    carrying.add_argument("--entry", type=reference, required=True, help="項目の番号(gate show に出ます)")
    carrying.add_argument("--agreed-by", help="了解した機関の符号(情報を出した機関)", metavar="機関")
    carrying.add_argument("--agreed-on", type=day, help="了解した日", metavar="年-月-日")
    carrying.add_argument("--decided-by", required=True, help="判断した人の職員番号")
    carrying.add_argument("--text", type=Path, required=True, help="改めて書いた内容のファイル(UTF-8)")


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("gate", _act, "支援会議の項目を重層的支援会議に引き継ぐ"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        async with operator(settings) as asking:
            if options.at_gate == "show":
                return await show(asking, options, read_profile(settings.profile), print)
            act = write if options.at_gate == "note" else carry
            return await act(asking, options, print)

    try:
        return asyncio.run(ask())
    except ValidationError:
        print("機関の符号が正しくありません。プロファイルの code で指定してください。", file=sys.stderr)
        return 2
