"""``kasane same``: which referrals of one kind of meeting are about one person, and a person's word on it."""

import argparse
import asyncio
from collections.abc import Callable
from uuid import uuid4

from pydantic import ValidationError

from contracts.message import Account, Compartment
from contracts.profile import Profile
from contracts.same_person import (
    CHECKED_TEXT,
    LIKENESS_TEXT,
    Checked,
    DecideSame,
    LookAtDuplicates,
    OneOfTwo,
    Pair,
)
from services.commands import Adder, unfit_fields
from services.commands.line import reference
from services.operator import Operator, operator
from services.settings import Settings, read_profile

Say = Callable[[str], None]


async def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Do what was asked. Exit status: 0 done, 1 refused. Raises NotRunning, NoSuchPerson."""
    async with operator(settings) as asking:
        status: int = await options.at_same(options, asking, read_profile(settings.profile), say)
        return status


async def show(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """Who is the same person, and who has to be asked of."""
    asked = LookAtDuplicates(
        by=await asking.officer(options.by),
        compartment=options.compartment,
        referral=options.referral,
        denied=options.denied,
    )
    found = await asking.ask(Account.INTAKE, asked)
    if not found.done:
        say(found.sentence(""))
        return 1
    parts = (("同じ人", found.same), ("確かめてください", found.candidates), ("別の人", found.different))
    for title, pairs in parts:
        if pairs:
            say(f"[{title}]")
        for pair in pairs:
            for line in pair_lines(pair, profile):
                say(line)
    say(f"同じ人 {len(found.same)}組、確かめる組 {len(found.candidates)}組")
    return 0


def pair_lines(pair: Pair, profile: Profile) -> tuple[str, ...]:
    """A pair as the officer compares it."""
    names = {agency.code: agency.name for agency in profile.agencies}

    def side(one: OneOfTwo) -> str:
        who = f"{one.name}({one.kana or 'フリガナなし'}) {one.born_on or '生年月日不明'}"
        return f"  {one.referral}  {who}  {names.get(one.referrer, one.referrer)} {one.number} 受付 {one.received_on}"

    why = LIKENESS_TEXT[pair.likeness] + ("、宛名番号は違う" if pair.numbers_differ else "")
    checked = f"  {CHECKED_TEXT[pair.checked]}" if pair.checked else ""
    return side(pair.one), side(pair.other), f"    {why}{checked}  記録 {pair.version}回"


async def decide(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """Confirm or deny; it is not asked again."""
    asked = DecideSame(
        request=options.request,
        by=await asking.officer(options.by),
        one=options.one,
        other=options.other,
        after=options.after,
        same=options.same,
        checked=options.checked,
    )
    answer = await asking.ask(Account.INTAKE, asked)
    say(answer.sentence("記録しました。"))
    return 0 if answer.done else 1


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``same list`` and ``same decide``; ``options.at_same`` is the act."""
    below = parser.add_subparsers(required=True, metavar="内容")

    def act(name: str, do: object, text: str) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(at_same=do)
        one.add_argument("--by", required=True, help="見る人、確かめた人の職員番号")
        return one

    one = act("list", show, "同じ人かもしれないつなぎを見る(氏名が出ます。見たことが記録されます)")
    one.add_argument("--compartment", type=Compartment, choices=list(Compartment), required=True, help="会議の種類")
    one.add_argument("--referral", type=reference, help="このつなぎとの組だけ")
    one.add_argument("--denied", action="store_true", help="別の人と確かめた組も")
    one = act("decide", decide, "同じ人か、別の人かを記録する")
    one.add_argument("--request", type=reference, default=uuid4(), help="やり直すときに、前と同じ依頼の番号")
    one.add_argument("one", type=reference)
    one.add_argument("other", type=reference)
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--same", dest="same", action="store_true", help="同じ人")
    which.add_argument("--different", dest="same", action="store_false", help="別の人")
    one.add_argument("--after", type=int, default=0, help="これまでの記録の回数(既定 0)")
    ways = "、".join(f"{code.value} {text}" for code, text in CHECKED_TEXT.items())
    one.add_argument("--checked", type=Checked, choices=list(Checked), required=True, help=ways)


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("same", _act, "同じ人かもしれないつなぎを見る、確かめて記録する"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    try:
        return asyncio.run(run(options, settings, print))
    except ValidationError as error:
        return unfit_fields(error)
