"""What a process tries before it starts, and hourly: what it must not reach, it must not be able to (consent.md 8.6).

Each finding is a sentence that names the thing; the word before its colon is its class. Nothing here changes
anything, however wide the rights are: files are opened to read, PostgreSQL's catalogue is asked, and each attempt on
the bus is one that the server, were it to permit it, would answer with an error or with what nobody keeps.
"""

import asyncio
import json
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url

from contracts.message import EVENTS, HOME, QUESTIONS, Account
from services.provision import STREAM, Key, inbox_of, read_key, rights, shared_keys
from services.service import Process
from services.settings import Settings
from services.store import plumbing

log = logging.getLogger("kasane")

_TOGETHER = ("operator", "admin")
"""Users whose keys are called after an account, which may be called like a process."""
_ALL_DATA = (
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
)
_NO_STREAM = "NOT_THERE"
_FILE_FUNCTIONS = ("pg_read_file", "pg_read_binary_file", "pg_ls_dir", "pg_stat_file", "lo_import", "lo_export")
_POSTGRES = {
    "このログインには {} があります": """
        SELECT word FROM pg_roles, LATERAL (VALUES (rolsuper, 'SUPERUSER'), (rolbypassrls, 'BYPASSRLS'),
            (rolcreatedb, 'CREATEDB'), (rolcreaterole, 'CREATEROLE'), (rolreplication, 'REPLICATION')) one (has, word)
        WHERE rolname = current_user AND has""",
    "ほかのロール {} になれます": """
        SELECT rolname FROM pg_roles
        WHERE rolname NOT IN (current_user, 'pg_database_owner') AND pg_has_role(current_user, oid, 'MEMBER')""",
    "{} でサーバーのファイルやすべてのデータに届きます": """
        SELECT rolname FROM pg_roles WHERE rolname = ANY(%(all_data)s) AND pg_has_role(current_user, oid, 'MEMBER')
        UNION SELECT proname FROM pg_proc
        WHERE proname = ANY(%(file_functions)s) AND has_function_privilege(current_user, oid, 'EXECUTE')""",
    "データベース {} の持ち主です": """
        SELECT datname FROM pg_database WHERE datdba = current_user::regrole""",
    "表 {} の持ち主です": """
        SELECT relname FROM pg_class WHERE relowner = current_user::regrole AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)""",
    "スキーマ {} に表などを作れます": """
        SELECT nspname FROM pg_namespace WHERE has_schema_privilege(current_user, oid, 'CREATE')
            AND nspname NOT LIKE 'pg\\_temp\\_%%' AND nspname NOT LIKE 'pg\\_toast\\_temp\\_%%'""",
    "データベース {} に一時表やスキーマを作れます": """
        SELECT datname FROM pg_database
        WHERE datname = current_database() AND has_database_privilege(current_user, oid, 'CREATE, TEMP')""",
    "ほかのデータベース {} に接続できます": """
        SELECT datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN (current_database(), 'postgres')
            AND has_database_privilege(current_user, oid, 'CONNECT')""",
    "追記だけの表 {} を書き換えたり消したりできます": """
        SELECT relname FROM pg_class WHERE relname = ANY(%(append_only)s) AND relnamespace = 'public'::regnamespace
            AND (has_table_privilege(current_user, oid, 'DELETE, TRUNCATE')
                OR has_any_column_privilege(current_user, oid, 'UPDATE'))""",
}
"""What the login must not be or do, with the question of the catalogue that names what it is or can."""


class Reaches(Exception):
    """The process can reach what it must not, so it does not run. The text lists everything, in Japanese."""

    def __init__(self, process: Process, found: Iterable[str]) -> None:
        self.found = list(found)
        lines = "\n".join(f"  - {sentence}" for sentence in self.found)
        super().__init__(
            f"{process.name} は、届いてはならないものに届くため動きません。\n{lines}\n"
            "ファイルの権限を直すか、kasane provision(--stores)で権限を作り直してください。"
        )

    @property
    def classes(self) -> str:
        """The classes of what was found, for the log."""
        return ", ".join(sorted({sentence.split(":")[0] for sentence in self.found}))


async def check(process: Process, settings: Settings) -> list[str]:
    """Try everything and return a sentence for each thing that can be reached; empty when all is well.

    Waits until the bus answers. Raises FileNotFoundError without a key, OperationalError while PostgreSQL is away.
    """
    key, address = read_key(settings, process.name), settings.store_address(process.name)
    found = [] if settings.trial else list(_files(process, settings, address))
    found += await asyncio.to_thread(_ask_postgres, process, address)
    return found + await _try_bus(process, settings, key)


# -- files -----------------------------------------------------------------------------------------------------------


def _files(process: Process, settings: Settings, address: str) -> Iterator[str]:
    for folder in ("stores", "vaults"):
        for path in _listed(settings.home / folder):
            if path.name.split(".db")[0] != process.name and _opens(path):
                yield f"ファイル: ほかのプロセスのストア {path} を開けます。"
    for path in _listed(settings.home / "keys"):
        if not _is_own(process, path) and _opens(path):
            yield f"ファイル: ほかの鍵 {path} を読めます。"
    if _opens(settings.home / "nats.conf"):
        yield f"ファイル: すべての鍵が書かれた {settings.home / 'nats.conf'} を読めます。"
    if address.startswith("sqlite"):
        folder_of_store = Path(make_url(address).database or "").parent
        if folder_of_store.exists() and (mode := stat.S_IMODE(folder_of_store.stat().st_mode)) & 0o077:
            yield f"ファイル: ストアのフォルダー {folder_of_store} をほかの利用者が使えます({mode:o}、正しくは 700)。"


def _is_own(process: Process, path: Path) -> bool:
    """``meetings@juso.json``, or a further key such as ``store@meetings@juso.json``; some are shared."""
    kind, _, rest = path.name.removesuffix(".json").partition("@")
    own = path.name.removesuffix(".json") == process.name or (rest == process.name and kind not in _TOGETHER)
    return own or path.suffix == ".pub" or path.name in shared_keys(process)


def _listed(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.is_file())
    return []


def _opens(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


def _ask_postgres(process: Process, address: str) -> list[str]:
    """With the process's own login. The catalogue knows all that trying could show, and asking leaves no trace."""
    if not address.startswith("postgresql"):
        return []
    tables = [*plumbing.tables.values(), *process.service.tables.tables.values()]
    values = {
        "all_data": list(_ALL_DATA),
        "file_functions": list(_FILE_FUNCTIONS),
        "append_only": [table.name for table in tables if table.info.get("append_only")],
    }
    engine = create_engine(address, poolclass=NullPool, hide_parameters=True, connect_args={"connect_timeout": 5})
    found = []
    with engine.connect() as connection:
        for sentence, question in _POSTGRES.items():
            if names := sorted(connection.exec_driver_sql(question, values).scalars()):
                found.append(f"ストア: {sentence.format('、'.join(names))}。")
    return found


# -- the bus ---------------------------------------------------------------------------------------------------------


async def _try_bus(process: Process, settings: Settings, key: Key) -> list[str]:
    while True:
        try:
            refused = await _attempt(process, settings, key)
            break
        except (OSError, TimeoutError, nats.errors.Error) as error:  # what was cut off proves nothing
            log.warning("bus: %s", type(error).__name__)
            await asyncio.sleep(1)
    heard = [subject for subject in to_hear(process) if ("subscription", subject.lower()) not in refused]
    said = [subject for subject in to_say(process) if ("publish", subject.lower()) not in refused]
    found = [f"バス: ほかへの知らせ {'、'.join(heard)} を聞けます。"] if heard else []
    return found + ([f"バス: {'、'.join(said)} に送れます。"] if said else [])


async def _attempt(process: Process, settings: Settings, key: Key) -> set[tuple[str, str]]:
    """What the server refused in so many words, as (publish or subscription, subject in lower case).

    It answers in order: what it has not refused before the second PONG (nats-py's first PING overtakes what was
    published just before), it has permitted.
    """
    refused: set[tuple[str, str]] = set()

    async def note(error: Exception) -> None:
        words = str(error).lower().split()
        if "permissions violation" in str(error).lower() and "to" in words:
            refused.add((words[words.index("to") - 1], words[words.index("to") + 1].strip("\"'")))

    client = Client()
    await client.connect(
        settings.nats_url,
        user=key.user,
        password=key.password,
        name=f"{process.name} probes",  # so that the server's log of refusals tells them from an intruder's
        inbox_prefix=key.inbox,
        connect_timeout=2,
        allow_reconnect=False,
        error_cb=note,
    )
    try:
        for subject in to_hear(process):
            await client.subscribe(subject, cb=_ignore)
        for subject, (body, headers) in to_say(process).items():
            await client.publish(subject, body, headers=headers)
        await client.flush(5)
        await client.flush(5)
    finally:
        await client.close()
    return refused


async def _ignore(_: Any) -> None:
    """What a probe hears is nobody's business."""


def to_hear(process: Process) -> list[str]:
    """Subscriptions the process must not have: everything, the inboxes of others, events, what others are asked."""
    own = rights(process)["subscribe"]
    wide = [">", "*.>", "kasane.>", "_INBOX.>", "ask.>", "to.>", "$JS.>", "$SYS.>"]
    inboxes = [f"{inbox_of(user)}.>" for user in _neighbours(process)]
    return [subject for subject in (*wide, *inboxes, *EVENTS, *QUESTIONS) if subject not in own]


def to_say(process: Process) -> dict[str, tuple[bytes, dict[str, str] | None]]:
    """What the process must not send, each with a body and headers that make it harmless where it may.

    An event names a stream that is not there, so that none keeps it; a question names nobody to answer to, so that
    nobody does; a request to JetStream reads, or cannot be carried out. Message 0, acknowledged here, there never is.
    Nothing that destroys is sent to a stream that may be there: a right to purge shows on one that is not.
    """
    subjects: dict[str, tuple[bytes, dict[str, str] | None]] = {}
    for event in EVENTS.values():
        for subject in (event.subject, *(f"to.{account}.{event.subject}" for account in event.to)):
            subjects[subject] = (b"", {"Nats-Expected-Stream": _NO_STREAM})
    for question in QUESTIONS.values():
        for subject in (question.subject, *(f"to.{account}.{question.subject}" for account in question.answered_in)):
            subjects[subject] = (b"", None)
    for request, body in _requests(process):
        subjects[request] = (body, None)
    own = rights(process)["publish"]
    return {subject: how for subject, how in subjects.items() if not any(_covers(right, subject) for right in own)}


def _requests(process: Process) -> Iterator[tuple[str, bytes]]:
    api = "$JS.API."
    config = {"name": "probe", "durable_name": "probe"}
    elsewhere = json.dumps({"stream_name": _NO_STREAM, "config": config}).encode()  # not the subject's: made nowhere
    for request in ("INFO", "STREAM.NAMES", "STREAM.LIST", f"STREAM.INFO.{STREAM}", f"CONSUMER.NAMES.{STREAM}"):
        yield api + request, b""
    yield f"{api}STREAM.MSG.GET.{STREAM}", b'{"seq":1}'
    yield f"{api}DIRECT.GET.{STREAM}", b'{"seq":1}'
    yield f"{api}STREAM.PURGE.{_NO_STREAM}", b""
    yield f"{api}STREAM.DELETE.{_NO_STREAM}", b""
    for request in (f"CREATE.{STREAM}", f"CREATE.{STREAM}.probe", f"DURABLE.CREATE.{STREAM}.probe"):
        yield f"{api}CONSUMER.{request}", elsewhere
    for name in HOME:
        yield f"{api}CONSUMER.INFO.{STREAM}.{name}", b""
        yield f"{api}CONSUMER.MSG.NEXT.{STREAM}.{name}", b"{"  # no request that anybody could read
        yield f"$JS.ACK.{STREAM}.{name}.1.0.0.0.0", b"+WPI"
        yield f"$JS.ACK._.probe.{STREAM}.{name}.1.0.0.0.0", b"+WPI"


def _neighbours(process: Process) -> list[str]:
    """The other users of the process's account; those of other accounts cannot be met."""
    here = process.account
    names = [name for name, home in HOME.items() if home is here]
    if here in (Account.JUSO, Account.SHIEN):
        names += [f"{name}@{here}" for name in (*(name for name, home in HOME.items() if home is None), "desk")]
    elif here is Account.NOTIFY:
        names.append("mailin")
    return [name for name in (*names, *(f"{role}@{here}" for role in _TOGETHER)) if name != process.name]


def _covers(right: str, subject: str) -> bool:
    """Whether a granted subject with its wildcards includes a plain one."""
    granted, asked = right.split("."), subject.split(".")
    if granted[-1] == ">":
        granted, asked = granted[:-1], asked[: len(granted) - 1]
    return len(granted) == len(asked) and all(g in ("*", a) for g, a in zip(granted, asked, strict=True))
