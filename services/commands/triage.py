"""``kasane triage``: the city's criteria, which of them apply to a referral and why, and the decision of a person."""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from uuid import uuid4

from pydantic import ValidationError

from contracts.message import Account
from contracts.profile import Profile
from contracts.triage import WAY_TEXT, DecideTriage, LookAtTriage, LookAtTriageList, TriageView, Way
from services.commands import Adder, unfit_fields
from services.commands.line import day, reference
from services.operator import Operator, operator
from services.settings import Settings, read_profile

Say = Callable[[str], None]
NO_CRITERIA = "この市町村の基準のファイル(triage.toml)はありません。"


def criteria(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """The city's criteria, as they are handed to a referrer. Asks nobody."""
    found = read_profile(settings.profile).triage
    say(f"基準 第{found.edition}版  出典: {found.source}" if found.criteria else NO_CRITERIA)
    for one in found.criteria:
        asked = "(紹介元か担当者が答える)" if one.asked else ""
        say(f"{WAY_TEXT[one.leads_to]}  {one.text}{asked}  {one.id}")
    return 0


async def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Do what was asked. Exit status: 0 done, 1 refused. Raises NotRunning, NoSuchPerson."""
    async with operator(settings) as asking:
        status: int = await options.at_triage(options, asking, read_profile(settings.profile), say)
        return status


async def waiting(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """What nobody has decided on yet, of what this officer may see."""
    answer = await asking.ask(Account.INTAKE, LookAtTriageList(by=await asking.officer(options.by)))
    if not answer.done:
        say(answer.sentence(""))
        return 1
    for one in answer.waiting:
        urgent = "★緊急(判断を待たずに進行中) " if one.urgent else ""
        way = WAY_TEXT[one.advice] if one.advice else "基準だけでは決まらない"
        unexplained = "  説明者・説明日がまだ(C6)" if one.unexplained else ""
        say(f"{one.referral}  {urgent}{one.referrer}/{one.number}  受付 {one.received_on}  {way}{unexplained}")
    say(f"判断がまだのつなぎ {len(answer.waiting)}件")
    return 0


async def show(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """Which criteria apply to one referral and why, which do not, and what was decided."""
    referrer, _, number = options.referral.partition("/")
    named = {"referrer": referrer, "number": number} if number else {"referral": options.referral}
    asked = {"by": await asking.officer(options.by), "declared": tuple(options.declare), **named}
    found = await asking.ask(Account.INTAKE, LookAtTriage.model_validate(asked))
    if not found.done:
        say(found.sentence(""))
        return 1
    for line in triage_lines(found, profile):
        say(line)
    return 0


def triage_lines(found: TriageView, profile: Profile) -> Iterator[str]:
    """One referral before the criteria, as the coordinator and the referrer read it."""
    names = {agency.code: agency.name for agency in profile.agencies}
    yield f"つなぎ {found.referral}  受付番号 {found.number}  受付 {found.received_on}  基準 第{found.edition}版"
    if found.explained_by or found.explained_on:
        yield f"本人への説明: {found.explained_by or '説明者は不明'}  {found.explained_on or '説明日は不明'}"
    if found.explanation_due:
        yield f"注意: {found.explanation_due}"
    for one in found.matched:
        yield f"  ○ {one.text}({WAY_TEXT[one.leads_to]}) 理由: {one.why}  {one.criterion}"
    for other in found.unmet:
        ask = " 答えがまだ" if other.asked else ""
        yield f"  - {other.text}({WAY_TEXT[other.leads_to]}){ask}  {other.criterion}"
    yield f"目安: {WAY_TEXT[found.advice] if found.advice else '基準だけでは決まりません'}。決めるのは人です。"
    for done in found.decisions:
        talked = f"  協議 {done.talked_on} {names.get(done.counterpart or '', '')}" if done.talked_on else ""
        yield f"判断{done.number} {WAY_TEXT[done.way]}  {done.reason}{talked}"
    if found.note:
        yield found.note


async def decide(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """Record where a referral goes, and why."""
    asked = DecideTriage(
        request=options.request,
        by=await asking.officer(options.by),
        referral=options.referral,
        after=options.after,
        edition=options.edition or profile.triage.edition,
        way=options.way,
        declared=tuple(options.declare),
        reason=options.reason,
        talked_on=options.talked_on,
        counterpart=options.counterpart,
        explained_by=options.explained_by,
        explained_on=options.explained_on,
    )
    answer = await asking.ask(Account.INTAKE, asked)
    say(answer.sentence("判断を記録しました。"))
    return 0 if answer.done else 1


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``triage criteria``, ``list``, ``show`` and ``decide``; ``options.at_triage`` is the act, None for the first."""
    below = parser.add_subparsers(required=True, metavar="内容")

    def act(name: str, do: object, text: str) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(at_triage=do)
        if do is not None:
            one.add_argument("--by", required=True, help="見る人、判断する人の職員番号")
        if name in ("show", "decide"):
            one.add_argument("--declare", action="append", default=[], help="当てはまるとする基準の番号(繰り返す)")
        return one

    act("criteria", None, "この市町村の基準を見る(紹介元に渡せます)")
    act("list", waiting, "判断がまだのつなぎを見る")
    one = act("show", show, "当てはまる基準と理由、これまでの判断を見る")
    one.add_argument("referral", help="つなぎの参照、または 紹介元機関コード/受付番号")
    one = act("decide", decide, "受けるか戻すかの判断を記録する")
    one.add_argument("--request", type=reference, default=uuid4(), help="やり直すときに、前と同じ依頼の番号")
    one.add_argument("referral", type=reference, help="つなぎの参照")
    one.add_argument("--after", type=int, default=0, help="これまでの判断の数(既定 0)")
    one.add_argument("--edition", help="見た基準の版(省くと、いまの版)")
    one.add_argument("--way", type=Way, choices=list(Way), required=True, help="coordinate 受ける、return 戻す")
    one.add_argument("--reason", required=True, help="理由(記録され、紹介元にも示されます)")
    one.add_argument("--talked-on", type=day, metavar="年-月-日", help="紹介元と協議した日(戻すとき)")
    one.add_argument("--counterpart", help="協議した相手の機関の code(戻すとき)")
    one.add_argument("--explained-by", default="", help="本人に説明した紹介元の人(つなぐシートにないとき。C6)")
    one.add_argument("--explained-on", type=day, metavar="年-月-日", help="その人が説明した日")


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("triage", _act, "受けるか戻すかの基準と、つなぎごとの判断"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    if options.at_triage is None:
        return criteria(options, settings, print)
    try:
        return asyncio.run(run(options, settings, print))
    except ValidationError as error:
        return unfit_fields(error)
