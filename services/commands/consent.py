"""``kasane consent``: look at a client's consent, record the next version, withdraw it and see that sharing stopped."""

import argparse
import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from contracts.consent import (
    CONSENT_TEXT,
    OBTAINED_TEXT,
    OPEN_STATES,
    SIGNER_TEXT,
    ConsentState,
    Obtained,
    Scope,
    Signer,
)
from contracts.intake import (
    ConsentHistory,
    ConsentStop,
    ConsentVersion,
    LookAtConsent,
    LookAtStop,
    RecordConsent,
    ShowConsent,
    WithdrawConsent,
)
from contracts.message import Account
from contracts.profile import Profile
from contracts.purpose import PURPOSE_TEXT, Purpose
from contracts.text import Refused
from services.commands import Adder, unfit_fields
from services.commands.line import day, reference
from services.intake.cells import agency_of
from services.intake.consenting import LISTENERS
from services.intake.stops import LATE
from services.operator import Operator, operator
from services.settings import Settings, read_profile

TOKYO = ZoneInfo("Asia/Tokyo")
STOP_SECONDS = 10.0
Say = Callable[[str], None]


class WrongUse(Exception):
    """What was typed does not make sense; what to type instead, in Japanese."""


# -- words -------------------------------------------------------------------------------------------------------------


def history_lines(found: ConsentHistory, profile: Profile, now: datetime) -> Iterator[str]:
    """All versions as a person reads them at an aware instant, oldest first."""
    yield f"つなぎ {found.referral}  事案(重層) {found.case or 'なし'}  同意 {found.consent}"
    yield "世帯員(番号は --member に使えます)"
    for number, (who, name) in enumerate(found.members, 1):
        yield f"  {number} {name}{'(本人)' if number == 1 else ''}  {who}"
    for one in found.versions:
        yield from version_lines(one, found, profile, now)


def version_lines(one: ConsentVersion, found: ConsentHistory, profile: Profile, now: datetime) -> Iterator[str]:
    """One version: scope, how obtained, evidence, and how far it has come."""
    yield f"第{one.version}版 {CONSENT_TEXT[one.state]}  記録 {_instant(one.recorded_at)}"
    if one.scope is not None:
        yield from scope_lines(one.scope, found, profile)
    how = OBTAINED_TEXT[one.obtained] if one.obtained else "記録なし"
    yield f"  確かめ方 {how}  確かめた人 {one.obtained_by or '記録なし'}  日 {one.obtained_on or '記録なし'}"
    paper = "  ".join(
        text for text in (one.evidence, one.evidence_digest and f"写し {one.evidence_digest[:12]}…") if text
    )
    yield f"  意思表示 {SIGNER_TEXT[one.signer]}  規程 {one.text_version or '記録なし'}  根拠 {paper or 'なし'}"
    yield f"  停止の確認 {_instant(one.confirmed_at) if one.confirmed_at else '確認中'}"
    if found.case is not None:
        stop = ConsentStop(found=True, recorded_at=one.recorded_at, acknowledged=one.acknowledged)
        yield f"  届いた先 {acknowledged_text(stop, now)}"


def scope_lines(scope: Scope, found: ConsentHistory, profile: Profile) -> Iterator[str]:
    """Agencies one by one, purposes, members, tax, period."""
    names = {agency.code: agency.name for agency in profile.agencies}
    people = {who: name or str(number) for number, (who, name) in enumerate(found.members, 1)}
    yield f"  機関 {'、'.join(names.get(code, code) for code in scope.agencies)}"
    yield f"  目的 {'、'.join(PURPOSE_TEXT[one] for one in scope.purposes)}"
    yield f"  世帯員 {'、'.join(people.get(who, str(who)) for who in scope.members)}"
    last = (scope.ends - timedelta(seconds=1)).astimezone(TOKYO).date()
    tax = "及ぶ" if scope.covers_tax else "及ばない"
    yield f"  期間 {scope.starts.astimezone(TOKYO).date()} から {last} まで  税の情報 {tax}"


def acknowledged_text(stop: ConsentStop, now: datetime) -> str:
    """Who has acknowledged when, who has not yet, and who is late: a minute after the version was recorded."""
    known = {one.process: one.at for one in stop.acknowledged}
    late = stop.recorded_at is not None and now - stop.recorded_at >= LATE
    silent = "遅れています(そこでは60秒で自動的に止まります)" if late else "まだ"
    return "、".join(f"{name} {_instant(known[name]) if name in known else silent}" for name in LISTENERS)


def stop_lines(stop: ConsentStop, now: datetime) -> Iterator[str]:
    """How far a withdrawal has come at an aware instant."""
    if stop.confirmed_at is None:
        yield "停止をまだ確認できていません。kasane consent show で、しばらく後に確かめてください。"
    else:
        at = stop.confirmed_at.astimezone(TOKYO)
        yield f"{at.hour}時{at.minute}分{at.second}秒に停止を確認しました。"
    yield f"届いた先: {acknowledged_text(stop, now)}"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"


# -- asking ------------------------------------------------------------------------------------------------------------


async def run(options: argparse.Namespace, settings: Settings, say: Say) -> int:
    """Do what was asked. Exit status: 0 done, 1 refused or not stopped in time, 2 wrong usage. Raises NotRunning."""
    profile = read_profile(settings.profile)
    try:
        async with operator(settings) as asking:
            done: int = await options.words(options, asking, profile, say)
            return done
    except WrongUse as wrong:
        say(str(wrong))
        return 2


async def show(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """The whole history of one consent."""
    if (options.referrer is None) is not (options.number is None):
        raise WrongUse("--referrer と --number は一緒に指定してください。")
    question = ShowConsent(
        by=await asking.officer(options.by),
        referral=options.referral,
        case=options.case,
        referrer=named_agency(options.referrer, profile) if options.referrer else None,
        number=options.number,
    )
    found = await asking.ask(Account.INTAKE, question)
    if found.consent is None:
        say("見られる同意の記録がありません。参照か、紹介元と受付番号、市町村の人の職員番号を確かめてください。")
        return 1
    for line in history_lines(found, profile, datetime.now(UTC)):
        say(line)
    return 0


async def record(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """The next version. What of the scope is not given stays as in the newest version."""
    found = await asking.ask(Account.INTAKE, LookAtConsent(referral=options.referral))
    question = RecordConsent(
        referral=options.referral,
        after=options.after,
        state=options.state,
        scope=scope_from(options, found, profile),
        text_version=options.text_version or (found.versions[-1].text_version if found.versions else ""),
        obtained=options.how,
        obtained_by=options.by,
        obtained_on=options.on,
        signer=options.signer,
        signer_name=options.signer_name,
        evidence_digest=digest_of(options.evidence) if options.evidence else "",
        evidence=options.evidence_ref,
        note=options.note,
    )
    answer = await asking.ask(Account.INTAKE, question)
    if not answer.done:
        say(f"{answer.message}[{answer.rule}]")
        return 1
    say(f"第{answer.version}版として記録しました。")
    for line in scope_lines(question.scope, found, profile) if question.scope else ():
        say(line)
    return 0


def named_agency(text: str, profile: Profile) -> str:
    """An agency's code by code, name or alias. Raises WrongUse."""
    try:
        return agency_of(text, profile)
    except Refused as refused:
        raise WrongUse(f"{refused.message}profile.toml の agencies にある code か name で指定してください。") from None


def scope_from(options: argparse.Namespace, found: ConsentHistory, profile: Profile) -> Scope | None:
    """The scope that was typed, completed from the newest version. None for a state that opens nothing."""
    if options.state not in OPEN_STATES:
        return None
    last = found.versions[-1].scope if found.versions else None
    named = (named_agency(one, profile) for one in options.agency)
    agencies = tuple(named) or (last.agencies if last else ())
    purposes = tuple(options.purpose or (last.purposes if last else ()))
    members = tuple(_member(one, found) for one in options.member) or (last.members if last else ())
    if not (agencies and purposes and members):
        raise WrongUse("--agency、--purpose、--member を一つ以上ずつ指定してください。")
    starts = _midnight(options.starts) if options.starts else last.starts if last else _midnight(options.on)
    if options.until:
        ends = _midnight(options.until + timedelta(days=1))
    elif last:
        ends = last.ends
    else:
        raise WrongUse("--until に期間の最後の日を指定してください。")
    if starts >= ends:
        raise WrongUse("期間の終わりが始まりより前です。--from と --until を確かめてください。")
    return Scope(
        agencies=tuple(dict.fromkeys(agencies)),
        purposes=tuple(dict.fromkeys(purposes)),
        members=tuple(dict.fromkeys(members)),
        covers_tax=options.covers_tax if options.covers_tax is not None else last is not None and last.covers_tax,
        starts=starts,
        ends=ends,
    )


def _member(text: str, found: ConsentHistory) -> UUID:
    """A household member by the number that ``show`` gives, or by reference."""
    if text.isdecimal() and 1 <= int(text) <= len(found.members):
        return found.members[int(text) - 1][0]
    try:
        return UUID(text)
    except ValueError:
        raise WrongUse("--member は kasane consent show の番号か参照で指定してください。") from None


def digest_of(path: Path) -> str:
    """SHA-256 of a scan. The file itself stays where it is."""
    try:
        with path.open("rb") as scan:
            return hashlib.file_digest(scan, "sha256").hexdigest()
    except OSError:
        raise WrongUse("--evidence のファイルを読めません。場所と権限を確かめてください。") from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TOKYO)


async def withdraw(options: argparse.Namespace, asking: Operator, profile: Profile, say: Say) -> int:
    """Record the withdrawal, then wait until nothing more can be shared."""
    question = WithdrawConsent(case=options.case, obtained=options.how, obtained_by=options.by, obtained_on=options.on)
    answer = await asking.ask(Account.INTAKE, question)
    if not answer.done:
        say(f"{answer.message}[{answer.rule}]")
        return 1
    say("撤回を受け付けました。停止を確認中です。")
    stop = await _until_stopped(options.case, asking)
    for line in stop_lines(stop, datetime.now(UTC)):
        say(line)
    return 0 if stop.confirmed_at else 1


async def _until_stopped(case: UUID, asking: Operator) -> ConsentStop:
    """Confirmed and acknowledged by all, or how far it came in ten seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STOP_SECONDS
    while True:
        stop = await asking.ask(Account.INTAKE, LookAtStop(case=case))
        known = {one.process for one in stop.acknowledged}
        if (stop.confirmed_at and known >= set(LISTENERS)) or loop.time() > deadline:
            return stop
        await asyncio.sleep(0.1)


# -- the command line --------------------------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """``consent show``, ``consent record`` and ``consent withdraw``."""
    below = parser.add_subparsers(required=True, metavar="内容")

    def command(name: str, act: object, text: str) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(words=act)
        return one

    one = command("show", show, "同意の版、範囲、根拠、停止の確認を見る")
    sought = one.add_mutually_exclusive_group(required=True)
    sought.add_argument("--referral", type=reference, help="つなぎの参照")
    sought.add_argument("--case", type=reference, help="重層的支援会議の事案の参照")
    sought.add_argument("--referrer", help="紹介元の機関の code か名前(--number と一緒に)")
    one.add_argument("--number", help="紹介元の受付番号")
    one.add_argument("--by", required=True, help="見る人の職員番号。だれが見たかが記録に残ります")
    one = command("record", record, "同意の次の版を記録する")
    one.add_argument("--referral", type=reference, required=True, help="つなぎの参照")
    one.add_argument("--after", type=int, required=True, help="いまの版の番号(その次として記録する)")
    states: Sequence[str] = [state.value for state in ConsentState]
    one.add_argument("--state", type=ConsentState, required=True, metavar="|".join(states), help="同意の状態")
    one.add_argument(
        "--agency", action="append", default=[], help="共有してよい機関の code か名前(繰り返す。省くと前の版のまま)"
    )
    one.add_argument("--purpose", action="append", default=[], type=Purpose, choices=list(Purpose), help="目的")
    one.add_argument("--member", action="append", default=[], help="同意した世帯員(show の番号か参照)")
    one.add_argument("--from", dest="starts", type=day, metavar="年-月-日", help="期間の最初の日")
    one.add_argument("--until", type=day, metavar="年-月-日", help="期間の最後の日")
    one.add_argument("--covers-tax", action=argparse.BooleanOptionalAction, help="税の情報に及ぶか(省くと前の版のまま)")
    one.add_argument("--text-version", default="", help="説明した管理・取扱規程の版(省くと前の版のまま)")
    one.add_argument("--evidence", type=Path, metavar="FILE", help="同意書の写し(中身の指紋だけを記録する)")
    one.add_argument("--evidence-ref", default="", help="同意書の文書番号")
    one.add_argument("--signer", type=Signer, choices=list(Signer), default=Signer.PERSON, help="意思表示をした人")
    one.add_argument("--signer-name", default="", help="本人でないときの氏名")
    one.add_argument("--note", default="", help="覚え書き")
    _add_how(one)
    one = command("withdraw", withdraw, "同意の撤回を記録し、停止を確かめる")
    one.add_argument("--case", type=reference, required=True, help="重層的支援会議の事案の参照")
    _add_how(one)


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--how", type=Obtained, choices=list(Obtained), required=True, help="意思の確かめ方")
    parser.add_argument("--by", required=True, help="確かめた人")
    parser.add_argument("--on", type=day, required=True, metavar="年-月-日", help="確かめた日")


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("consent", _act, "同意を見る、次の版を記録する、撤回する"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    try:
        return asyncio.run(run(options, settings, print))
    except ValidationError as error:
        return unfit_fields(error)
