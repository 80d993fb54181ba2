"""``kasane audit``: whether the logs are what was recorded, and what is in them, for a person at the command line."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from services.audit import Fault, Finding, Point, audit, examine
from services.commands import Adder
from services.processes import PROCESSES
from services.provision import audit_key_path, read_audit_public_key
from services.service import Process
from services.settings import Settings
from services.store import open_to_read

Say = Callable[[str], None]

FAULT_TEXT = {
    Fault.CHANGED: "の記録が、書かれたときと違います。",
    Fault.MISSING: "の記録がありません。抜き取られています。",
    Fault.REWRITTEN: "のどれかが、検査点のあとで書き換えられています。",
    Fault.FORGED: "の検査点が、このプロセスの鍵で署名したものではありません。",
    Fault.CUT_OFF: "の記録がありません。終わりが切り取られています。",
}
SHOWN = ("case", "item", "person", "basis", "consent", "consent_version", "commission", "permit", "policy", "detail")


def add_options(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """The two commands below ``kasane audit``."""
    commands = parser.add_subparsers(required=True, metavar="命令")
    for name, act, text in (("verify", verify, "記録が書き換えられていないか確かめる"), ("show", show, "記録を見る")):
        one = commands.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(words=act)
        one.add_argument("--process", help="一つのプロセスだけ(例 meetings@juso)")
        one.add_argument("--store", help="ストアのアドレス(KASANE_STORE_URL と同じ形。既定は設定のとおり)")
        if act is verify:
            one.add_argument("--kept", type=_kept, metavar="件数:根", help="前に控えた検査点。これとも比べる")
    one.add_argument("--limit", type=int, default=100, help="新しいほうから何件まで(既定 100)")


def verify(options: argparse.Namespace, settings: Settings, processes: Sequence[Process], say: Say) -> int:
    """A line per process. Exit status 1 when anything is wrong or cannot be checked."""

    def act(connection: Connection, name: str) -> tuple[str, bool]:
        return _verify(connection, settings, name, options.kept)

    return _for_each(options, settings, processes, say, act)


def show(options: argparse.Namespace, settings: Settings, processes: Sequence[Process], say: Say) -> int:
    """The newest rows of each process, oldest first: codes, references and instants, for that is all there is."""
    return _for_each(options, settings, processes, say, lambda connection, name: _show(connection, name, options.limit))


def _for_each(
    options: argparse.Namespace,
    settings: Settings,
    processes: Sequence[Process],
    say: Say,
    act: Callable[[Connection, str], tuple[str, bool]],
) -> int:
    chosen = [process.name for process in processes if options.process in (None, process.name)]
    if not chosen:
        say(f"{options.process} はありません。あるもの: {', '.join(process.name for process in processes)}")
        return 2
    if getattr(options, "kept", None) and len(chosen) > 1:
        say("--kept には --process も指定してください。")
        return 2
    if options.store and len(chosen) > 1 and "{process}" not in options.store:
        say("--store のアドレスに {process} を入れるか、--process で一つを指定してください。")
        return 2
    if options.store:
        settings = settings.model_copy(update={"store_url": options.store})
    well = True
    for name in chosen:
        engine = open_to_read(settings.store_address(name))
        try:
            with engine.connect() as connection:
                line, good = act(connection, name)
        except DBAPIError as error:
            line, good = f"{name}: 異常。ストアか監査の記録を読めません({type(error.orig).__name__})。", False
        finally:
            engine.dispose()
        say(line)
        well = well and good
    return 0 if well else 1


def _verify(connection: Connection, settings: Settings, name: str, kept: Point | None) -> tuple[str, bool]:
    try:
        key = read_audit_public_key(settings, name)
    except (OSError, ValueError):
        return f"{name}: 確かめられません。公開鍵 {audit_key_path(settings, name)}.pub がありません。", False
    found = examine(connection, f"{settings.municipality}/{name}", key, kept)
    return f"{name}: {_finding_text(found)}", found.fault is None


def _kept(text: str) -> Point:
    """SIZE:ROOT as ``verify`` prints them. Raises ValueError."""
    size, root = text.split(":")
    return Point(int(size), bytes.fromhex(root).hex())


def _finding_text(found: Finding) -> str:
    point = f"最後の検査点 {found.good.at} {found.good.size}:{found.good.root}" if found.good else "検査点なし"
    if found.fault is None:
        open_rows = found.rows - (found.good.size if found.good else 0)
        return f"正常。{found.rows}件({point})" + (f"、検査点のあと{open_rows}件" if open_rows else "")
    place = f"位置{found.first}" + (f"から{found.last}" if found.last > found.first else "")
    return f"異常。{place}{FAULT_TEXT[found.fault]}{found.rows}件(そこまでは正常な{point})"


def _show(connection: Connection, name: str, limit: int) -> tuple[str, bool]:
    newest = select(audit).order_by(audit.c.position.desc()).limit(limit)
    return "\n".join(_row_text(name, row) for row in reversed(connection.execute(newest).all())), True


def _row_text(name: str, row: Any) -> str:
    rest = [f"{key}={row._mapping[key]}" for key in SHOWN if row._mapping[key] not in (None, "")]
    return "  ".join([name, str(row.position), row.at, row.actor or "-", row.act, row.outcome, row.rule or "-", *rest])


def add(command: Adder) -> None:
    """Put the command on the line."""
    add_options(command("audit", _act, "監査の記録を確かめる、見る"), command.shared)


def _act(options: argparse.Namespace, settings: Settings) -> int:
    status: int = options.words(options, settings, PROCESSES, print)
    return status
