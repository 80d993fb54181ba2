"""``kasane household``: who lives together, what each 世帯員 agreed to, and what of one is kept secret (秘匿)."""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from uuid import uuid4

from pydantic import ValidationError

from contracts.consent import CONSENT_TEXT, ConsentState, Obtained
from contracts.household import (
    CHANGE_TEXT,
    DETAIL_TEXT,
    GROUND_TEXT,
    Change,
    ChangeHousehold,
    Detail,
    Ground,
    HouseholdView,
    LookAtHousehold,
    LookAtShown,
    MemberView,
    Newcomer,
    NoteDetail,
    RecordMemberConsent,
    SetSecrecy,
)
from contracts.message import Account
from contracts.office import Done
from services.commands import Adder, unfit_fields
from services.commands.line import day, reference
from services.operator import Operator, operator
from services.settings import Settings

Say = Callable[[str], None]


async def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Do what was asked. Exit status: 0 done, 1 refused. Raises NotRunning, NoSuchPerson."""
    async with operator(settings) as asking:
        status: int = await options.at_household(options, asking, say)
        return status


async def show(options: argparse.Namespace, asking: Operator, say: Say) -> int:
    """Who lives together on a day."""
    asked = {"by": await asking.officer(options.by), "referral": options.referral}
    found = await asking.ask(
        Account.INTAKE, LookAtHousehold.model_validate(asked | {"member": options.member, "on": options.on})
    )
    if not found.done:
        say(found.sentence(""))
        return 1
    for line in household_lines(found):
        say(line)
    return 0


def household_lines(found: HouseholdView) -> Iterator[str]:
    """A household as one viewer may see it."""
    yield f"世帯 {found.on} 現在  change --after {found.version}"
    for one in found.members:
        yield from member_lines(one)
    for stay in found.history:
        if stay.until:
            why = CHANGE_TEXT[stay.ended_by] if stay.ended_by else ""
            yield f"  過去 {stay.member}  {stay.since} から {stay.until} の前日まで  {why}"


def member_lines(one: MemberView) -> Iterator[str]:
    """One 世帯員; what is hidden is named, never shown."""
    age = f" {one.age}歳" if one.age is not None else ""
    consent = f"同意 {CONSENT_TEXT[one.consent]}(consent --after {one.consents})"
    twin = f"  〔{one.same_as} と同じ人〕" if one.same_as else ""
    yield f"  {one.name}({one.relation}){age}  {one.since} から  {consent}  {one.member}{twin}"
    for kind, text in one.details.items():
        yield f"    {DETAIL_TEXT[kind]} {text}"
    if one.hidden:
        yield f"    〔秘匿〕{'・'.join(DETAIL_TEXT[kind] for kind in one.hidden)}"
    elif one.secret:
        review = f"、見直し {one.review_on}" if one.review_on else ""
        yield f"    秘匿の対象です(見てよい人の画面だけに出ています。hide --after {one.secrecy}{review})"
    else:
        yield f"    秘匿ではありません(hide --after {one.secrecy})"


async def change(options: argparse.Namespace, asking: Operator, say: Say) -> int:
    """Somebody joins, leaves, splits off; or two households become one."""
    newcomer = Newcomer(name=options.name, age=options.age, relation=options.relation) if options.name else None
    asked = ChangeHousehold(
        request=options.request,
        by=await asking.officer(options.by),
        referral=options.referral,
        after=options.after,
        change=options.what,
        on=options.on,
        members=tuple(options.member),
        newcomer=newcomer,
        other=options.other,
    )
    return _said(await asking.ask(Account.INTAKE, asked), say)


async def says(options: argparse.Namespace, asking: Operator, say: Say) -> int:
    """What a 世帯員 said of sharing."""
    asked = RecordMemberConsent(
        request=options.request,
        by=await asking.officer(options.by),
        referral=options.referral,
        member=options.member,
        after=options.after,
        state=options.state,
        obtained=options.how,
        obtained_by=options.taken_by,
        obtained_on=options.on,
        note=options.note,
    )
    return _said(await asking.ask(Account.INTAKE, asked), say)


async def note(options: argparse.Namespace, asking: Operator, say: Say) -> int:
    """Where a 世帯員 lives, learns, can be reached."""
    asked = NoteDetail(
        request=options.request,
        by=await asking.officer(options.by),
        referral=options.referral,
        member=options.member,
        detail=options.detail,
        text=options.text,
    )
    return _said(await asking.ask(Account.INTAKE, asked), say)


async def hide(options: argparse.Namespace, asking: Operator, say: Say) -> int:
    """Set 秘匿 for everybody but those named, or lift it."""
    viewers = [(await asking.person(one)).person for one in options.viewer]
    asked = SetSecrecy(
        request=options.request,
        by=await asking.officer(options.by),
        referral=options.referral,
        member=options.member,
        after=options.after,
        secret=not options.lift,
        ground=options.ground,
        viewers=tuple(viewers),
        review_on=options.review_on,
        note=options.note,
    )
    return _said(await asking.ask(Account.INTAKE, asked), say)


async def seen(options: argparse.Namespace, asking: Operator, say: Say) -> int:
    """To whom a referral was shown at intake."""
    answer = await asking.ask(
        Account.INTAKE, LookAtShown(by=await asking.officer(options.by), referral=options.referral)
    )
    if not answer.done:
        say(answer.sentence(""))
        return 1
    people = {one.person: one.name for one in await asking.staff()}
    for row in answer.rows:
        masked = "伏せて" if row.masked else "そのまま"
        who = people.get(row.person, str(row.person))
        say(f"{row.at:%Y-%m-%dT%H:%M:%SZ}  {row.what}  {row.member or ''}  {who}({row.agency})  {masked}  {row.rule}")
    say(f"記録 {len(answer.rows)}件")
    return 0


def _said(answer: Done, say: Say) -> int:
    say(answer.sentence("記録しました。"))
    return 0 if answer.done else 1


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``household show``, ``change``, ``consent``, ``detail``, ``hide`` and ``seen``; ``options.at_household``."""
    below = parser.add_subparsers(required=True, metavar="内容")

    def act(name: str, do: object, text: str, *, of_member: bool = False) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(at_household=do)
        one.add_argument("--by", required=True, help="行う人の職員番号")
        one.add_argument("--referral", type=reference, required=True, help="つなぎの参照")
        if name not in ("show", "seen"):
            one.add_argument("--request", type=reference, default=uuid4(), help="やり直すときに、前と同じ依頼の番号")
        if name not in ("show", "seen", "detail"):
            one.add_argument(
                "--after", type=int, required=True, help=f"見た記録の番号(show に「{name} --after」と出ます)"
            )
        if of_member:
            one.add_argument("--member", type=reference, required=True, help="世帯員の参照(show に出ます)")
        return one

    one = act("show", show, "世帯員と、それぞれの同意・連絡先を見る(見たことが記録されます)")
    one.add_argument("--member", type=reference, help="この世帯員が暮らす世帯")
    one.add_argument("--on", type=day, metavar="年-月-日", help="この日の世帯(既定 今日)")
    one = act("change", change, "加わる、離れる、分かれる、一緒になる")
    kinds = "、".join(f"{code.value} {text}" for code, text in CHANGE_TEXT.items())
    one.add_argument("what", type=Change, choices=list(Change), help=kinds)
    one.add_argument("--on", type=day, required=True, metavar="年-月-日", help="その日から")
    one.add_argument("--member", type=reference, action="append", default=[], help="離れる、分かれる世帯員(繰り返す)")
    one.add_argument("--name", default="", help="加わる人の氏名(分からないときは 不詳)")
    one.add_argument("--age", type=int, help="加わる人の年齢")
    one.add_argument("--relation", default="", help="加わる人の続柄")
    one.add_argument("--other", type=reference, help="一緒になる世帯のつなぎの参照")
    one = act("consent", says, "世帯員が、自分の情報の共有について言ったことを記録する", of_member=True)
    one.add_argument("--state", type=ConsentState, choices=list(ConsentState), required=True, help="言ったこと")
    one.add_argument("--how", type=Obtained, choices=list(Obtained), required=True, help="確かめ方")
    one.add_argument("--taken-by", required=True, help="確かめた人")
    one.add_argument("--on", type=day, required=True, metavar="年-月-日", help="確かめた日")
    one.add_argument("--note", default="", help="覚え書き")
    one = act("detail", note, "住所・電話・学校・居どころを書く", of_member=True)
    kinds = "、".join(f"{code.value} {text}" for code, text in DETAIL_TEXT.items())
    one.add_argument("detail", type=Detail, choices=list(Detail), help=kinds)
    one.add_argument("text", help="内容(空にすると取り消す)")
    one = act("hide", hide, "世帯員を秘匿にする、または解く(DV等支援措置)", of_member=True)
    one.add_argument("--lift", action="store_true", help="秘匿を解く(--note に理由)")
    grounds = "、".join(f"{code.value} {text}" for code, text in GROUND_TEXT.items())
    one.add_argument("--ground", type=Ground, choices=list(Ground), help=grounds)
    one.add_argument("--viewer", action="append", default=[], help="見てよい人の職員番号(繰り返す)")
    one.add_argument("--review-on", type=day, metavar="年-月-日", help="支援措置の見直しの日")
    one.add_argument("--note", default="", help="覚え書き、解くときは理由")
    act("seen", seen, "受付でだれに見せたかの記録を見る(市町村の人だけ)")


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("household", _act, "世帯員、それぞれの同意、秘匿"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    try:
        return asyncio.run(run(options, settings, print))
    except ValidationError as error:
        return unfit_fields(error)
