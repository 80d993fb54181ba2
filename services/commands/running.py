"""``kasane up``, ``run``, ``provision``, ``demo``, ``parked``, ``asyncapi``: what runs, and what it is made of."""

import argparse
import asyncio
import json
import signal
import sys
from datetime import datetime
from pathlib import Path

from contracts.message import Compartment
from services import asyncapi, demo, logs
from services.commands import Adder
from services.example_days import JAPAN, example_for
from services.importer import import_file
from services.launcher import CannotStart, Launcher, run_process
from services.operator import operator
from services.processes import PROCESSES
from services.provision import make_bus, make_streams
from services.provision_stores import make_stores
from services.settings import Settings, read_profile


def add(command: Adder) -> None:
    """Put the commands on the line."""
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
    command("parked", _parked, "処理できずに止めてある出来事を見る")
    command("asyncapi", _asyncapi, "AsyncAPI の文書を出力する", alone=True)
    trial = command("demo", _demo, "全体を一度、仮の場所で通して動かす")
    trial.add_argument("--out", type=Path, help="送った案内(.eml)を残すフォルダー")
    trial.add_argument("--json", action="store_true", help="まとめを最後の行にJSONで出力する")


def _up(options: argparse.Namespace, settings: Settings) -> int:
    launcher = Launcher(settings.as_trial(), PROCESSES)
    try:
        launcher.start()
        example = settings.profile / "referrals.csv"
        if options.example and example.exists():
            print(f"例の申込みを取り込みます: {example}")
            launcher.beside(lambda: asyncio.run(_take_in_example(example, launcher.settings)))
        print(_screen(launcher.settings), flush=True)
        launcher.supervise()
    finally:
        launcher.stop()
    return 0


async def _take_in_example(path: Path, settings: Settings) -> None:
    """Take the example in as of this week, and let some of the invited answer, as they would have by now."""
    today = datetime.now(JAPAN).date()
    dated = example_for(path, settings.home / "example" / path.name, today)
    done = await import_file(dated, settings, print)
    if not done.accepted:  # it was there already, and whoever looks at it may have answered
        return
    async with operator(settings) as asking:
        calm = await asking.calm(PROCESSES, demo.CALM_SECONDS)
    if calm:
        await asyncio.to_thread(demo.answer_invitations, settings)


def _screen(settings: Settings) -> str:
    profile = read_profile(settings.profile)
    names = ", ".join(process.name for process in PROCESSES)
    return f"""
kasane — {profile.name}({settings.municipality})
  重層的支援会議の画面  {settings.desk_url(Compartment.JUSO)}/
  支援会議の画面        {settings.desk_url(Compartment.SHIEN)}/
  回答窓口              {settings.window_url}/
  送った案内(.eml)    {settings.home / "mail"}
  記録                  {settings.home / "log"}
  動いているもの        {names}
  ログイン              {settings.profile / "README.md"} に例があります
  止めるには Ctrl-C
  すべてを一人の利用者で動かしています。架空の人だけで試してください。
"""


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


def _asyncapi(options: argparse.Namespace, settings: Settings) -> int:
    services = {process.service.name: process.service for process in PROCESSES}
    print(json.dumps(asyncapi.document(list(services.values())), ensure_ascii=False, indent=2))
    return 0


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    return demo.run(settings, PROCESSES, options.out, options.json)
