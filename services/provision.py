"""Makes what processes may use and grants exactly that: keys, the bus's accounts and rights, streams, consumers.

Everything is derived from what the services declare. Running it twice changes nothing. Services own none of it:
a service that declared its own stream would silently reset the limits of the one there is (bus-detail.md 2.3).
"""

import json
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from contracts.coordination import ExplainItem
from contracts.counts import CountPeriod, FreezeCounts, PublishCounts
from contracts.directory import Staff
from contracts.disclosure import DisclosuresAtCoordination, DisclosuresAtMeetings
from contracts.erasure import EraseAnswers, EraseCase, EraseReferral
from contracts.gate import CarryOver, LookAtGate, WriteEntry
from contracts.household import (
    ChangeHousehold,
    LookAtHousehold,
    LookAtShown,
    NoteDetail,
    RecordMemberConsent,
    SetSecrecy,
)
from contracts.intake import (
    Held,
    LookAtConsent,
    LookAtStop,
    OpenWithoutConsent,
    RecordConsent,
    ShowConsent,
    TakeInSheets,
    WithdrawConsent,
)
from contracts.message import Account, Compartment, Question
from contracts.same_person import DecideSame, KnownBefore, LookAtDuplicates
from contracts.signals import DropSignal, EraseSignal, LookAtSignals, ReferSignal, ReportSignal
from contracts.triage import DecideTriage, LookAtTriage, LookAtTriageList
from services.service import Process
from services.settings import Settings

STREAM = "EVENTS"
"""Each account has one stream of this name; no account sees another's."""
MAX_PAYLOAD = 8 * 1_048_576
"""Bytes. Events have a few hundred; the largest are answers that list a large city's cases or busy times."""

ACK_SECONDS = 8
"""How long the server waits before it gives an unacknowledged event to another try: many times the slowest batch, and
no more, because it is what a process killed in the middle of a batch costs."""

OPERATOR_ASKS: tuple[type[Question[Any]], ...] = (
    TakeInSheets,
    Held,
    OpenWithoutConsent,
    EraseReferral,
    EraseCase,
    EraseAnswers,
    LookAtGate,
    CarryOver,
    WriteEntry,
    *(LookAtConsent, ShowConsent),
    LookAtStop,
    RecordConsent,
    WithdrawConsent,
    *(ReportSignal, LookAtSignals, DropSignal, ReferSignal, EraseSignal),
    *(LookAtTriage, LookAtTriageList, DecideTriage, LookAtDuplicates, DecideSame, KnownBefore),
    *(LookAtHousehold, ChangeHousehold, RecordMemberConsent, NoteDetail, SetSecrecy, LookAtShown),
    Staff,
    ExplainItem,
    DisclosuresAtCoordination,
    DisclosuresAtMeetings,
    *(CountPeriod, FreezeCounts, PublishCounts),
)
"""What the command line asks, each in the accounts that answer it; who a case is about is not among it.

The office of intake is shown names, for somebody named by 職員番号 and registered (intake's ``showing``)."""

_DAY = 86_400
_SECOND = 1_000_000_000  # JetStream counts nanoseconds
_KEEP_DAYS = {Account.SHIEN: 7}  # state lives in stores, not in streams (consent.md 4.2)


@dataclass(frozen=True)
class Key:
    """A bus user's credentials."""

    user: str
    password: str
    account: Account

    @property
    def inbox(self) -> str:
        """Where answers for this user arrive, and nobody else's."""
        return inbox_of(self.user)


def inbox_of(user: str) -> str:
    """The private inbox prefix of a user, without a dot at the end."""
    return "_INBOX_" + user.replace("@", "_")


def key_path(settings: Settings, user: str) -> Path:
    """Where the key of one user lies. One file per user, so that a container gets only its own."""
    return settings.home / "keys" / f"{user}.json"


def read_key(settings: Settings, user: str) -> Key:
    """The key of one user. Raises FileNotFoundError when nothing was provisioned."""
    found = json.loads(key_path(settings, user).read_text("utf-8"))
    return Key(found["user"], found["password"], Account(found["account"]))


def audit_key_path(settings: Settings, process: str) -> Path:
    """Where the key lies with which one process signs its audit log; beside it, with .pub, what checks it."""
    return settings.home / "keys" / f"audit@{process}"


def read_audit_key(settings: Settings, process: str) -> Ed25519PrivateKey:
    """For the process itself. Raises FileNotFoundError when nothing was provisioned."""
    return Ed25519PrivateKey.from_private_bytes(audit_key_path(settings, process).read_bytes())


def read_audit_public_key(settings: Settings, process: str) -> Ed25519PublicKey:
    """For whoever checks. Raises FileNotFoundError when there is none, ValueError when it is no such key."""
    path = audit_key_path(settings, process)
    return Ed25519PublicKey.from_public_bytes(path.with_name(f"{path.name}.pub").read_bytes())


def _make_audit_key(path: Path) -> None:
    """The public half first: a private key without it would sign what nobody can check."""
    key = Ed25519PrivateKey.generate()
    _write_secret(path.with_name(f"{path.name}.pub"), key.public_key().public_bytes_raw())
    _write_secret(path, key.private_bytes_raw())


def _make_dkim_key(path: Path) -> None:
    """RSA of 2048 bits: what receivers verify and what fits a DNS record (RFC 8301). Public half first, as above."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _write_secret(path.with_name(f"{path.name}.pub"), b"v=DKIM1; k=rsa; p=" + b64encode(public))
    _write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def shared_keys(process: Process) -> set[str]:
    """The keys below ``keys/`` that this process uses besides its own: what signs links, permits, mail, carry-overs."""
    name, juso = process.service.name, process.compartment is Compartment.JUSO
    users = {
        "link": name in ("meetings", "desk"),
        "permit": name == "intake" or (juso and name in ("coordination", "meetings")),
        "gate": name == "gate",
        "online": name == "desk" and process.compartment is None,
        **dict.fromkeys(("dkim", "webhook", "caldav.toml"), name == "notify"),
    }
    return {key for key, used in users.items() if used}


def make_keys(settings: Settings, processes: Sequence[Process]) -> list[Key]:
    """Keys for all processes, and per account one operator and one admin. Those that exist are kept.

    Returned are the bus's; beside them lie what signs links, and for each process that seals what wraps its data keys.
    """
    folder = settings.home / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = [(process.name, process.account) for process in processes]
    users += [(f"{role}@{account}", account) for account in Account for role in ("operator", "admin")]
    for user, account in users:
        if not key_path(settings, user).exists():
            _write_secret(
                key_path(settings, user),
                json.dumps({"user": user, "password": secrets.token_urlsafe(24), "account": account}).encode(),
            )
    raw = [
        *(folder / shared for shared in ("link", "permit", "gate", "webhook")),
        *(settings.kek_path(one.name) for one in processes if one.service.seals),
    ]
    for path in raw:
        if not path.exists():
            _write_secret(path, secrets.token_bytes(32))
    if not (folder / "online").exists():
        _write_secret(folder / "online", secrets.token_hex(32).encode())  # typed into another server: no raw bytes
    if not settings.dkim_key.exists():
        _make_dkim_key(settings.dkim_key)
    for process in processes:
        if not audit_key_path(settings, process.name).exists():
            _make_audit_key(audit_key_path(settings, process.name))
    return [read_key(settings, user) for user, _ in users]


def make_bus(settings: Settings, processes: Sequence[Process]) -> list[str]:
    """Make the keys and nats.conf that are missing or no longer right, and say what was granted, a line each."""
    keys, config, before = settings.home / "keys", settings.home / "nats.conf", _users(settings)
    known = {path.name for path in keys.iterdir()} if keys.exists() else set()
    old = config.read_bytes() if config.exists() else b""
    write_server_config(settings, processes)
    done = [f"鍵 {path}" for path in sorted(keys.iterdir()) if path.name not in known]
    done += [f"NATSの設定 {config}"] if config.read_bytes() != old else []
    for user, granted in _users(settings).items():
        if user not in before or before[user] != granted:
            done.append(f"バスの利用者 {user}: " + (_words(granted) if granted else "このアカウントのすべて"))
    return done


def write_server_config(settings: Settings, processes: Sequence[Process]) -> Path:
    """nats.conf with every account, user and right. Returns its path."""
    keys = {key.user: key for key in make_keys(settings, processes)}
    accounts = {}
    for account in Account:
        users: list[dict[str, Any]] = []
        for process in processes:
            if process.account is account:
                users.append(_user(keys[process.name], rights(process)))
        users.append(_user(keys[f"operator@{account}"], _operator_rights(account)))
        users.append(_user(keys[f"admin@{account}"], None))
        accounts[account.value] = {
            "jetstream": "enabled",
            "users": users,
            "exports": _exports(account, processes),
            "imports": _imports(account, processes),
        }
    config = {
        "listen": f"127.0.0.1:{settings.nats_port}",
        "server_name": f"kasane-{settings.municipality}",
        "max_payload": MAX_PAYLOAD,
        # The default syncs every two minutes and loses acknowledged messages on power failure (bus-detail.md 4.2).
        "jetstream": {"store_dir": str((settings.home / "nats").absolute()), "sync_interval": "always"},
        "accounts": accounts | {"SYS": {"users": []}},
        "system_account": "SYS",
    }
    path = settings.home / "nats.conf"
    content = json.dumps(config, indent=1).encode()  # the server's format is a superset of JSON
    if not path.exists() or path.read_bytes() != content:
        _write_secret(path, content)
    return path


def rights(process: Process) -> dict[str, list[str]]:
    """What one process may publish and subscribe to: exactly what its service declares."""
    publish = [address for event in process.service.publishes for address in event_addresses(process, event).values()]
    publish += [address for question in process.service.asks for address in process.addresses(question).values()]
    subscribe = [f"{inbox_of(process.name)}.>", f"ask.pulse.{process.name}", f"ask.parked.{process.name}"]
    subscribe += [q.subject for q in process.service.answers_to if process.account in q.answered_in]
    if subjects_of(process):
        durable = process.service.name
        publish += [
            f"$JS.API.CONSUMER.INFO.{STREAM}.{durable}",
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{durable}",
            f"$JS.ACK.{STREAM}.{durable}.>",
            f"$JS.ACK.*.*.{STREAM}.{durable}.>",  # the second form of acknowledgement subjects, servers from 2.14
        ]
    return {"publish": sorted(publish), "subscribe": sorted(subscribe)}


def event_addresses(process: Process, event: type[Any]) -> dict[Account, str]:
    """Where this process publishes an event, by the account that keeps it."""
    accounts = sorted(event.to) or [process.account]
    return {a: event.subject if a is process.account else f"to.{a}.{event.subject}" for a in accounts}


def accounts_of(process: Process) -> list[Account]:
    """The accounts that this process tells events to."""
    return sorted({account for event in process.service.publishes for account in event_addresses(process, event)})


def subjects_of(process: Process) -> list[str]:
    """The events a process consumes: those its service reacts to and its account keeps."""
    return sorted(e.subject for e in process.service.reactions if not e.to or process.account in e.to)


async def make_streams(settings: Settings, processes: Sequence[Process], url: str) -> list[str]:
    """Make the streams and consumers that are missing, and say what was done, a line each."""
    done: list[str] = []
    for account in Account:
        key = read_key(settings, f"admin@{account}")
        client = await nats.connect(
            url, user=key.user, password=key.password, connect_timeout=5, allow_reconnect=False, error_cb=_silent
        )
        try:
            done += await _make_stream(client, account)
            for process in processes:
                if process.account is account and subjects_of(process):
                    done += await _make_consumer(client, process)
        finally:
            await client.close()
    return done


async def _silent(_: Exception) -> None:
    """What matters is raised by the call itself."""


async def _make_stream(client: Client, account: Account) -> list[str]:
    config = {
        "name": STREAM,
        "subjects": ["kasane.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_age": _KEEP_DAYS.get(account, 30) * _DAY * _SECOND,
        "max_bytes": 1 << 30,
        "duplicate_window": 600 * _SECOND,
        "num_replicas": 1,
        "max_consumers": 50,
        "allow_atomic": True,  # nats-py's StreamConfig does not know this field yet, so the API is called as it is
    }
    return await _ensure(client, f"STREAM.INFO.{STREAM}", f"STREAM.CREATE.{STREAM}", config, f"{account}: {STREAM}")


async def _make_consumer(client: Client, process: Process) -> list[str]:
    durable = process.service.name
    config = {
        "durable_name": durable,
        "ack_policy": "explicit",
        "ack_wait": ACK_SECONDS * _SECOND,
        "max_ack_pending": 1000,
        "max_deliver": -1,  # the process decides when to park; the server would only skip silently
        "filter_subjects": subjects_of(process),
    }
    body = {"stream_name": STREAM, "config": config}
    create = f"CONSUMER.DURABLE.CREATE.{STREAM}.{durable}"
    return await _ensure(
        client, f"CONSUMER.INFO.{STREAM}.{durable}", create, body, f"{process.account}: consumer {durable}"
    )


async def _ensure(client: Client, info: str, create: str, body: dict[str, Any], name: str) -> list[str]:
    found = json.loads((await client.request(f"$JS.API.{info}", timeout=5)).data)
    wanted = body.get("config", body)
    if "error" not in found and all(found["config"].get(field) == value for field, value in wanted.items()):
        return []
    verb = "made"
    if "error" not in found:
        create, verb = create.replace("STREAM.CREATE", "STREAM.UPDATE"), "changed"
    answer = json.loads((await client.request(f"$JS.API.{create}", json.dumps(body).encode(), timeout=5)).data)
    if "error" in answer:
        raise NotFoundError(description=f"{name}: {answer['error'].get('description')}")
    return [f"{name} {verb}"]


def _users(settings: Settings) -> dict[str, dict[str, Any] | None]:
    """What nats.conf grants now, by user; None is everything in the user's account."""
    path = settings.home / "nats.conf"
    accounts = json.loads(path.read_text("utf-8"))["accounts"].values() if path.exists() else ()
    return {user["user"]: user.get("permissions") for account in accounts for user in account["users"]}


def _words(granted: dict[str, Any]) -> str:
    publish, subscribe = granted["publish"].get("allow", []), granted["subscribe"]["allow"]
    return f"送信 {' '.join(publish) or 'なし'} / 受信 {' '.join(subscribe)}"


def _user(key: Key, granted: dict[str, list[str]] | None) -> dict[str, Any]:
    user: dict[str, Any] = {"user": key.user, "password": key.password}
    if granted is not None:
        user["permissions"] = {
            "publish": {"allow": granted["publish"]} if granted["publish"] else {"deny": [">"]},
            "subscribe": {"allow": granted["subscribe"]},
            "allow_responses": {"max": 1, "expires": "2m"},
        }
    return user


def _operator_rights(account: Account) -> dict[str, list[str]]:
    asks = ["ask.pulse.*", "ask.parked.*"]
    asks += [question.subject for question in OPERATOR_ASKS if account in question.answered_in]
    return {"publish": sorted(asks), "subscribe": [f"{inbox_of(f'operator@{account}')}.>"]}


def _crossings(processes: Sequence[Process]) -> list[tuple[Account, Account, str]]:
    """(from, to, subject) of everything that may pass from one account into another."""
    found = set()
    for process in processes:
        for event in process.service.publishes:
            found |= {(process.account, to, event.subject) for to in event_addresses(process, event)}
        for question in process.service.asks:
            found |= {(process.account, to, question.subject) for to in process.addresses(question)}
    return sorted((source, to, subject) for source, to, subject in found if source is not to)


def _exports(account: Account, processes: Sequence[Process]) -> list[dict[str, Any]]:
    takers: dict[str, list[str]] = {}
    for source, to, subject in _crossings(processes):
        if to is account:
            takers.setdefault(subject, []).append(source.value)
    return [{"service": subject, "accounts": sources} for subject, sources in sorted(takers.items())]


def _imports(account: Account, processes: Sequence[Process]) -> list[dict[str, Any]]:
    """A service import carries the answer back: for an event that is the stream's acknowledgement."""
    return [
        {"service": {"account": to.value, "subject": subject}, "to": f"to.{to}.{subject}"}
        for source, to, subject in _crossings(processes)
        if source is account
    ]


def _write_secret(path: Path, content: bytes) -> None:
    """Atomically, readable by the owner only."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
