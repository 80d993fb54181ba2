"""The command ``kasane``: which processes there are, and what can be done with them."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from contracts.coordination import ExplainItem
from contracts.erasure import ERASE_REASON_TEXT, EraseAnswers, EraseCase, EraseReason, EraseReferral
from contracts.intake import Held, LookAtConsent, OpenWithoutConsent
from contracts.message import Account, Compartment
from contracts.municipality import is_municipality_code
from services import (
    asyncapi,
    audit_words,
    city_words,
    consent_words,
    coordination,
    counts_words,
    demo,
    desk,
    directory,
    forms_words,
    gate,
    gate_words,
    household_words,
    intake,
    life_words,
    logs,
    meetings,
    notify,
    policy_words,
    rule_words,
    same_words,
    signal_words,
    timetable_words,
    triage_words,
)
from services.count_definitions import CountsInvalid
from services.disclosure_words import Wanted, disclosures
from services.forms import FormsInvalid
from services.importer import import_file
from services.launcher import CannotStart, Launcher, run_process
from services.operator import NoSuchPerson, NotRunning, operator
from services.probes import Reaches
from services.provision import make_bus, make_streams
from services.provision_stores import make_stores
from services.service import AskFailed, Process
from services.settings import ProfileInvalid, Settings, read_profile
from services.store import StoreRefused
from services.vault import VaultRefused

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
PROCESSES = (
    Process(directory.service),
    Process(intake.service),
    Process(coordination.service, JUSO),
    Process(coordination.service, SHIEN),
    Process(meetings.service, JUSO),
    Process(meetings.service, SHIEN),
    Process(notify.service),
    Process(gate.service),
    Process(desk.service, JUSO),
    Process(desk.service, SHIEN),
    Process(desk.service),
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


def _up(options: argparse.Namespace, settings: Settings) -> int:
    launcher = Launcher(settings.as_trial(), PROCESSES)
    try:
        launcher.start()
        example = settings.profile / "referrals.csv"
        if options.example and example.exists():
            print(f"例の申込みを取り込みます: {example}")
            launcher.beside(lambda: _run_import(example, launcher.settings))
        print(_screen(launcher.settings), flush=True)
        launcher.supervise()
    finally:
        launcher.stop()
    return 0


def _run_import(path: Path, settings: Settings) -> None:
    asyncio.run(import_file(path, settings, print))


def _screen(settings: Settings) -> str:
    profile = read_profile(settings.profile)
    names = ", ".join(process.name for process in PROCESSES)
    return f"""
kasane — {profile.name}({settings.municipality})
  重層的支援会議の画面  http://{settings.host}:{settings.desk_juso_port}/
  支援会議の画面        http://{_other_name(settings.host)}:{settings.desk_shien_port}/
  回答窓口              {settings.window_url}/
  送った案内(.eml)    {settings.home / "mail"}
  記録                  {settings.home / "log"}
  動いているもの        {names}
  ログイン              {settings.profile / "README.md"} に例があります
  止めるには Ctrl-C
  すべてを一人の利用者で動かしています。架空の人だけで試してください。
"""


def _other_name(host: str) -> str:
    """Another name of the same machine: a browser sends cookies by host name, whatever the port."""
    return "localhost" if host == "127.0.0.1" else host


def _run(options: argparse.Namespace, settings: Settings) -> int:
    wanted = options.service + (f"@{options.compartment}" if options.compartment else "")
    process = next((one for one in PROCESSES if one.name == wanted), None)
    if process is None:
        print(f"{wanted} はありません。あるもの: {', '.join(one.name for one in PROCESSES)}", file=sys.stderr)
        return 2
    if not settings.nats_url:
        raise CannotStart("NATS_URL に NATS サーバーの場所を指定してください(全部を一度に動かすなら kasane up)。")
    try:
        logs.set_up()
        asyncio.run(run_process(process, settings, lambda: None, (signal.SIGTERM, signal.SIGINT)))
    except FileNotFoundError:
        raise CannotStart("鍵がありません。先に kasane provision を実行してください。") from None
    return 0


def _provision(options: argparse.Namespace, settings: Settings) -> int:
    done = make_bus(settings, PROCESSES)
    if options.stores:
        done += make_stores(settings, PROCESSES, options.stores)
    if options.streams:
        done += asyncio.run(make_streams(settings, PROCESSES, settings.nats_url))
    for line in done or ["変更はありません"]:
        print(line)
    return 0


def _import(options: argparse.Namespace, settings: Settings) -> int:
    done = asyncio.run(import_file(options.file, settings, print, options.dry_run, options.rejected))
    return 1 if done.refused else 0


def _held(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        async with operator(settings) as asking:
            for one in (await asking.ask(Account.INTAKE, Held())).held:
                print(f"{one.referral}  受付番号 {one.number}  受付 {one.received_on}")
                print(f"    {one.reason}[{one.rule}]")
                print(f"    次の手順: {one.next_step}")
                print(f"    支援会議で扱うと判断したとき: kasane open-shien {one.referral} --reason 理由")
        return 0

    return asyncio.run(ask())


def _open(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        async with operator(settings) as asking:
            answer = await asking.ask(
                Account.INTAKE, OpenWithoutConsent(referral=options.referral, reason=options.reason)
            )
        print(answer.message or "支援会議で扱う判断を記録しました。")
        return 0 if answer.done else 1

    try:
        return asyncio.run(ask())
    except ValidationError:
        print("理由は5文字以上で書いてください。", file=sys.stderr)
        return 2


def _erase(options: argparse.Namespace, settings: Settings) -> int:
    if (options.case is None) != (options.compartment is None):
        print("--case には --compartment juso か shien を付けてください(--referral には付けません)。", file=sys.stderr)
        return 2
    reason = EraseReason(options.reason)
    questions: list[tuple[Account, EraseAnswers | EraseCase | EraseReferral]] = []
    if options.case is not None:
        questions.append((Account(options.compartment), EraseCase(case=options.case, reason=reason)))
    if options.case is not None and options.compartment == SHIEN:
        questions.append((Account.SHIEN, EraseAnswers(case=options.case)))
    if options.compartment != SHIEN:  # who a juso case is about, intake keeps
        known = {"juso_case": options.case} if options.case else options.referral
        questions.append((Account.INTAKE, EraseReferral(**known, reason=reason)))

    async def ask() -> int:
        async with operator(settings) as asking:
            for account, question in questions:
                answer = await asking.ask(account, question)
                if not answer.done:
                    break
        print(answer.message or "消去しました。古い控えからも、もう開けません。")
        if options.compartment == SHIEN and answer.done:
            print("受付の記録は別です。kasane erase --referral 紹介元機関コード/受付番号 で消去してください。")
        return 0 if answer.done else 1

    return asyncio.run(ask())


def _referral(text: str) -> dict[str, object]:
    """A referral's reference, or its referrer's code and its number. Raises ArgumentTypeError."""
    referrer, separator, number = text.partition("/")
    try:
        named: dict[str, object] = {"referrer": referrer, "number": number} if separator else {"referral": UUID(text)}
        EraseReferral.model_validate({**named, "reason": EraseReason.REQUEST})
    except ValueError:
        raise argparse.ArgumentTypeError("つなぎの番号か、紹介元機関の code/受付番号 で指定してください") from None
    return named


def _staff(options: argparse.Namespace, settings: Settings) -> int:
    names = {agency.code: agency.name for agency in read_profile(settings.profile).agencies}

    async def ask() -> int:
        async with operator(settings) as asking:
            for one in await asking.staff():
                print(f"{one.number:<8}  {one.name}  {names.get(one.agency, one.agency)}  {'・'.join(one.posts)}")
        return 0

    return asyncio.run(ask())


def _parked(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        count = 0
        async with operator(settings) as asking:
            for process in await asking.parked(PROCESSES):
                for one in process.events:
                    count += 1
                    when = f"{one.parked_at:%Y-%m-%dT%H:%M:%SZ}"
                    print(process.process, one.event, one.subject, one.error, f"{one.tries}回", when, sep="  ")
        print(f"止めてある出来事: {count}")
        return 0

    return asyncio.run(ask())


def _gate(options: argparse.Namespace, settings: Settings) -> int:
    async def ask() -> int:
        async with operator(settings) as asking:
            if options.at_gate == "show":
                return await gate_words.show(asking, options, read_profile(settings.profile), print)
            act = gate_words.write if options.at_gate == "note" else gate_words.carry
            return await act(asking, options, print)

    try:
        return asyncio.run(ask())
    except ValidationError:
        print("機関の符号が正しくありません。プロファイルの code で指定してください。", file=sys.stderr)
        return 2


def _asyncapi(options: argparse.Namespace, settings: Settings) -> int:
    services = {process.service.name: process.service for process in PROCESSES}
    print(json.dumps(asyncapi.document(list(services.values())), ensure_ascii=False, indent=2))
    return 0


def _life(options: argparse.Namespace, settings: Settings) -> int:
    print(life_words.table(), end="")
    return 0


def _city(options: argparse.Namespace, settings: Settings) -> int:
    return city_words.run(read_profile(settings.profile), print)


def _policy(options: argparse.Namespace, settings: Settings) -> int:
    if getattr(options, "item", None) is None:
        print(options.words(options))
        return 0
    if options.compartment is None:
        print("--item には --compartment juso か shien を付けてください。", file=sys.stderr)
        return 2

    async def ask() -> int:
        async with operator(settings) as asking:
            found = await asking.ask(Account(options.compartment), ExplainItem(item=options.item))
        print(policy_words.explain_item(found, read_profile(settings.profile)))
        return 0 if found.found else 1

    return asyncio.run(ask())


def _disclosures(options: argparse.Namespace, settings: Settings) -> int:
    lacks = {
        "--case には --compartment juso か shien を付けてください。": options.case and not options.compartment,
        "--number には --referrer で紹介元の機関を付けてください。": options.number and not options.referrer,
        "--since は --until より前にしてください。": options.since and options.until and options.since >= options.until,
        "--number で探せるのは同意のある事案だけです。": options.number and options.compartment is Compartment.SHIEN,
    }
    for text in (text for text, lacking in lacks.items() if lacking):
        print(text, file=sys.stderr)
        return 2
    try:
        sheet = None
        if options.number:
            referrer = consent_words.named_agency(options.referrer, read_profile(settings.profile))
            sheet = LookAtConsent(referrer=referrer, number=options.number)
    except consent_words.WrongUse as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except ValidationError:
        print("--number は受付番号で指定してください。", file=sys.stderr)
        return 2
    names = ("compartment", "case", "person", "since", "until")
    wanted = Wanted(sheet=sheet, **{name: getattr(options, name) for name in names})
    return asyncio.run(disclosures(wanted, settings, print, options.csv))


def _person(text: str) -> UUID | str:
    """A person's reference, or a 職員番号."""
    try:
        return UUID(text)
    except ValueError:
        return text


def _instant(text: str) -> datetime:
    """An instant with its zone, or the first of a day in Japan. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=policy_words.TOKYO)).astimezone(UTC)


def _audit(options: argparse.Namespace, settings: Settings) -> int:
    status: int = options.words(options, settings, PROCESSES, print)
    return status


def _forms(options: argparse.Namespace, settings: Settings) -> int:
    return forms_words.run(options, settings, print)


def _reception(options: argparse.Namespace, settings: Settings) -> int:
    """``signal``, ``triage``, ``same`` and ``household``: ``options.reception`` is the module of their words."""
    if options.reception is triage_words and options.at_triage is None:
        return triage_words.criteria(options, settings, print)
    try:
        status: int = asyncio.run(options.reception.run(options, settings, print))
    except ValidationError as error:
        fields = {str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]}
        print(f"値の形が正しくありません: {'、'.join(sorted(fields))}", file=sys.stderr)
        return 2
    return status


def _timetable(options: argparse.Namespace, settings: Settings) -> int:
    return timetable_words.run(options, print)


def _rules(options: argparse.Namespace, settings: Settings) -> int:
    return rule_words.run(options, print)


def _counts(options: argparse.Namespace, settings: Settings) -> int:
    return asyncio.run(counts_words.run(options, settings, print))


def _consent(options: argparse.Namespace, settings: Settings) -> int:
    try:
        return asyncio.run(consent_words.run(options, settings, print))
    except ValidationError as error:
        fields = "、".join(
            sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]})
        )
        print(f"値の形が正しくありません: {fields}", file=sys.stderr)
        return 2


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    return demo.run(settings, PROCESSES, options.out, options.json)


def _settings(options: argparse.Namespace) -> Settings:
    given = {
        name: value for name in ("municipality", "profile", "var") if (value := getattr(options, name)) is not None
    }
    settings = Settings(**given)
    if not is_municipality_code(settings.municipality):
        raise CannotStart("--municipality は検査数字まで含む6桁の全国地方公共団体コードで指定してください(例 452050)。")
    alone = (
        options.act in (_asyncapi, _city, _life, _policy, _rules, _timetable) and getattr(options, "item", None) is None
    )
    if not alone and (profile := read_profile(settings.profile)).municipality != settings.municipality:
        raise CannotStart(
            f"{settings.profile} は {profile.name}({profile.municipality})のプロファイルです。"
            "--profile か --municipality を直してください。"
        )
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kasane", description="重層的支援体制整備事業の会議を調整します。")
    commands = parser.add_subparsers(required=True, metavar="命令")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--municipality", help="全国地方公共団体コード、6桁(既定 452050)")
    shared.add_argument("--profile", type=Path, help="プロファイルのフォルダー(既定 examples/kobayashi)")
    shared.add_argument("--var", type=Path, help="データを置くフォルダー(既定 var)")

    def command(name: str, act: object, text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(act=act)
        return one

    command("up", _up, "すべてを動かす").add_argument("--example", action="store_true", help="例の申込みも取り込む")
    run = command("run", _run, "一つのサービスだけを動かす")
    run.add_argument("service", choices=sorted({process.service.name for process in PROCESSES}))
    run.add_argument("--compartment", choices=[one.value for one in Compartment])
    making = command("provision", _provision, "鍵、NATSの設定、ストア、ストリームを作り、与えた権限を示す")
    making.add_argument("--streams", action="store_true", help="動いているNATSにストリームも作る")
    making.add_argument(
        "--stores",
        metavar="接続先",
        help="PostgreSQL にデータベースも作る(postgresql://管理者@ホスト/postgres、パスワードは PGPASSWORD に)",
    )
    take = command("import", _import, "つなぐシートのCSVを取り込む")
    take.add_argument("file", type=Path)
    take.add_argument("--dry-run", action="store_true", help="確かめるだけで、何も保存しない")
    take.add_argument("--rejected", type=Path, help="受け付けなかった行を書くファイル")
    command("held", _held, "保留になっている申込みを見る")
    opening = command("open-shien", _open, "保留の申込みを支援会議で扱うと決める(法106条の6)")
    opening.add_argument("referral", type=UUID)
    opening.add_argument("--reason", required=True, help="支援会議で扱う必要性(記録されます)")
    erasing = command("erase", _erase, "本人の情報と自由記載を消去する(鍵を壊すので、古い控えからも開けなくなる)")
    what = erasing.add_mutually_exclusive_group(required=True)
    what.add_argument("--referral", type=_referral, help="つなぎの番号、または 紹介元機関コード/受付番号")
    what.add_argument("--case", type=UUID, help="事案の番号(--compartment も付ける)")
    erasing.add_argument("--compartment", choices=[one.value for one in Compartment])
    reasons = "、".join(f"{code.value} {text}" for code, text in ERASE_REASON_TEXT.items())
    erasing.add_argument("--reason", required=True, choices=[one.value for one in EraseReason], help=reasons)
    command("staff", _staff, "関係機関の職員と職員番号を見る")
    command("parked", _parked, "処理できずに止めてある出来事を見る")
    gate_words.add_options(command("gate", _gate, "支援会議の項目を重層的支援会議に引き継ぐ"), shared)
    policy_words.add_options(command("policy", _policy, "共有の判断表を見る、説明する"), shared)
    audit_words.add_options(command("audit", _audit, "監査の記録を確かめる、見る"), shared)
    register = command("disclosures", _disclosures, "だれに何を、何に基づいて共有したかの記録を見る")
    which = register.add_mutually_exclusive_group(required=True)
    which.add_argument("--case", type=UUID, help="事案の番号(--compartment と一緒に)")
    which.add_argument("--person", type=_person, help="受け取った人の職員番号")
    which.add_argument("--number", help="紹介元の受付番号(--referrer と一緒に。同意のある事案だけ)")
    register.add_argument("--referrer", help="紹介元の機関の code か名前")
    register.add_argument("--compartment", type=Compartment, choices=list(Compartment))
    register.add_argument("--since", type=_instant, help="この日時から", metavar="2026-11-20")
    register.add_argument("--until", type=_instant, help="この日時の前まで", metavar="2026-11-21")
    register.add_argument("--csv", type=Path, help="書き出す新しいCSVファイル", metavar="FILE")
    consent_words.add_options(command("consent", _consent, "同意を見る、次の版を記録する、撤回する"), shared)
    forms_words.add_options(command("forms", _forms, "様式を見る、白紙を作る、記入を確かめる"), shared)
    receiving = (
        (signal_words, "signal", "地域づくりからの気づきメモを受け付ける、見る、決める"),
        (triage_words, "triage", "受けるか戻すかの基準と、つなぎごとの判断"),
        (same_words, "same", "同じ人かもしれないつなぎを見る、確かめて記録する"),
        (household_words, "household", "世帯員、それぞれの同意、秘匿"),
    )
    for words, name, text in receiving:
        one = command(name, _reception, text)
        one.set_defaults(reception=words)
        words.add_options(one, shared)
    counts_words.add_options(command("counts", _counts, "実績を数える、提出する数を確定する、CSVやExcelに書き出す"))
    command("life", _life, "事案の一生(状態と手順)の表を出力する")
    command("city", _city, "設定を言葉で見る(多機関協働の担当、五つの事業、会議体と上げる先、委任できない権限)")
    rule_words.add_options(command("rules", _rules, "規則ごとに、実装の状態・記載・試験を見る"))
    timetable_words.add_options(command("timetable", _timetable, "会議の日程を組む、組み直す"))
    command("asyncapi", _asyncapi, "AsyncAPI の文書を出力する")
    trial = command("demo", _demo, "全体を一度、仮の場所で通して動かす")
    trial.add_argument("--out", type=Path, help="送った案内(.eml)を残すフォルダー")
    trial.add_argument("--json", action="store_true", help="まとめを最後の行にJSONで出力する")
    return parser


if __name__ == "__main__":
    main()
