"""Makes the databases of a deployment on PostgreSQL: per process one database, an owner nobody can log in as, and a
login that may do to each table what the process does, and nothing else (consent.md 8.4).

Everything is compared with the server's catalogue first: running it twice changes nothing, and a right that was added
by hand is taken back and told. The administrator has to be a superuser; nothing of that login is kept.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from services import audit
from services.provision import _write_secret
from services.service import Process
from services.settings import Settings
from services.store import StoreRefused, plumbing

_BARE = "NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT"
_ATTRIBUTES = "rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication OR rolinherit"
_ADMINISTRATORS_OWN = ("user", "password", "passfile", "service", "sslcert", "sslkey", "sslpassword")
"""What an address may say of the administrator besides the name: no process is given it."""
_HELD = """
    WITH granted (kind, name, part, acl) AS (
        SELECT 'DATABASE', datname, '', coalesce(datacl, acldefault('d', datdba))
            FROM pg_database WHERE datname = current_database()
        UNION ALL SELECT 'SCHEMA', nspname, '', coalesce(nspacl, acldefault('n', nspowner))
            FROM pg_namespace WHERE nspname = 'public'
        UNION ALL SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname, '', relacl
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL SELECT 'TABLE', relname, ' of a column', attacl
            FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND attacl IS NOT NULL
    )
    SELECT kind, name::text, holder, right_ || part FROM granted LEFT JOIN LATERAL (
        SELECT coalesce(rolname, 'PUBLIC') AS holder,
            privilege_type || CASE WHEN is_grantable THEN ' to pass on' ELSE '' END AS right_
        FROM aclexplode(acl) LEFT JOIN pg_roles r ON r.oid = grantee
        WHERE grantee = 0 OR rolname LIKE 'kasane\\_%%\\_svc'
    ) held ON true
"""
"""Every object of the database, and what everybody, or any process's login, may do with it."""


@dataclass(frozen=True)
class _Place:
    """Where one process keeps its rows. ``address`` is the process's own, with its password."""

    process: Process
    address: URL

    @property
    def database(self) -> str:
        return str(self.address.database)

    @property
    def login(self) -> str:
        return str(self.address.username)

    @property
    def owner(self) -> str:
        return f"{self.database}_owner"


def make_stores(settings: Settings, processes: Iterable[Process], administrator: str) -> list[str]:
    """Make what is missing of every process's database, and say what was granted, a line each.

    ``administrator`` is the address of a superuser; its password may come from PGPASSWORD or a password file.
    Raises StoreRefused when it is no address of a PostgreSQL server, does not answer, or is no superuser's.
    """
    url, done = _address(administrator), list[str]()
    server = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool, hide_parameters=True)
    try:
        with server.connect() as connection:
            if not connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar():
                raise StoreRefused("--stores には PostgreSQL の管理者(スーパーユーザー)の接続先を指定してください。")
            for process in processes:
                place = _make_key(settings, process, url, done)
                done += _make_roles(connection, place)
                done += _make_database(connection, place)
                done += _make_tables(server.url.set(database=place.database), place)
    except OperationalError:
        raise StoreRefused(
            f"PostgreSQL({url.host or 'ローカル'})に管理者として接続できません。接続先とパスワードを確かめてください。"
        ) from None
    return done


def _address(administrator: str) -> URL:
    try:
        url = make_url(administrator)
    except ArgumentError:
        url = make_url("none://")
    if not url.drivername.startswith("postgres"):
        raise StoreRefused("--stores は postgresql://管理者@ホスト/postgres の形で指定してください。")
    return url.set(drivername="postgresql+psycopg")


def _make_key(settings: Settings, process: Process, server: URL, done: list[str]) -> _Place:
    """The process's own address, kept before the server learns the password: the next run mends one cut off here."""
    path = settings.store_key(process.name)
    known = make_url(json.loads(path.read_text("utf-8"))["address"]) if path.exists() else None
    password = (known.password if known else None) or secrets.token_urlsafe(24)
    database = f"kasane_{settings.municipality}_{process.name.replace('@', '_')}"
    address = server.difference_update_query(_ADMINISTRATORS_OWN).set(
        username=f"{database}_svc", password=password, database=database
    )
    if address != known:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_secret(path, json.dumps({"address": address.render_as_string(hide_password=False)}).encode())
        done.append(f"鍵 {path}")
    return _Place(process, address)


def _make_roles(connection: Connection, place: _Place) -> list[str]:
    done = []
    for role, may in ((place.owner, "NOLOGIN"), (place.login, "LOGIN")):
        found = connection.exec_driver_sql(
            f"SELECT rolcanlogin, {_ATTRIBUTES} AS more FROM pg_roles WHERE rolname = %s",  # noqa: S608 - our own words
            (role,),
        ).first()
        if found is None or found.more or found.rolcanlogin is not (may == "LOGIN"):
            _run(connection, f"{'ALTER' if found else 'CREATE'} ROLE {{}} {may} {_BARE}", role)
            done.append(f"ロール {role}: {may} {_BARE}")
        for group in connection.exec_driver_sql(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", (role,)
        ).scalars():
            connection.exec_driver_sql(f"REVOKE {group} FROM {_quoted(connection, role)}")
            done.append(f"ロール {role}: {group} から外しました")
    verifier = connection.exec_driver_sql(
        "SELECT rolpassword FROM pg_authid WHERE rolname = %s", (place.login,)
    ).scalar()
    if not _fits(str(place.address.password), verifier or ""):
        _set_password(connection, place.login, str(place.address.password))
        done.append(f"ロール {place.login}: パスワード")
    return done


def _set_password(connection: Connection, role: str, password: str) -> None:
    """The server is told the verifier only, so that the password stands in no log of its statements."""
    driver = connection.connection.dbapi_connection
    verifier = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()  # type: ignore[union-attr]
    _run(connection, f"ALTER ROLE {{}} PASSWORD '{verifier}'", role)


def _fits(password: str, verifier: str) -> bool:
    """Whether the server's SCRAM verifier (RFC 5803) is this password's."""
    try:
        _, salting, keys = verifier.split("$")
        rounds, salt = salting.split(":")
        stored = base64.b64decode(keys.split(":")[0])
    except ValueError:
        return False
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    return hmac.compare_digest(hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest(), stored)


def _make_database(connection: Connection, place: _Place) -> list[str]:
    owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = %s"
    found = connection.exec_driver_sql(owner, (place.database,)).scalar()
    if found == place.owner:
        return []
    if found:
        _run(connection, "ALTER DATABASE {} OWNER TO {}", place.database, place.owner)
    else:
        # The C locale sorts as SQLite does; template0 brings nothing that somebody left in template1.
        locale = "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        _run(connection, f"CREATE DATABASE {{}} OWNER {{}} {locale}", place.database, place.owner)
    return [f"データベース {place.database}: 持ち主 {place.owner}"]


def _make_tables(administrator: URL, place: _Place) -> list[str]:
    """Tables and rights of one database in one transaction: all or nothing."""
    engine: Engine = create_engine(administrator, poolclass=NullPool, hide_parameters=True)
    with engine.begin() as connection:
        done = _own(connection, place)
        _run(connection, "SET LOCAL ROLE {}", place.owner)
        connection.execution_options(compartment=(place.process.compartment or "-"))
        for tables in (plumbing, audit.tables, place.process.service.tables):
            tables.create_all(connection)
        connection.exec_driver_sql("RESET ROLE")
        return done + _grant(connection, place)


def _own(connection: Connection, place: _Place) -> list[str]:
    """Give the owner what somebody else owns; the schema is the superuser's before PostgreSQL 15."""
    found = connection.exec_driver_sql(
        "SELECT 'SCHEMA', nspname, nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'"
        " UNION ALL SELECT 'TABLE', relname, relowner::regrole::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    ).all()
    strange = [(kind, name) for kind, name, owner in found if owner not in (place.owner, "pg_database_owner")]
    for kind, name in strange:
        _run(connection, f"ALTER {kind} {{}} OWNER TO {{}}", name, place.owner)
    return [f"{kind} {place.database}.{name}: 持ち主 {place.owner}" for kind, name in strange]


def _grant(connection: Connection, place: _Place) -> list[str]:
    held: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for kind, name, holder, right in connection.exec_driver_sql(_HELD, {}):
        held.setdefault((kind, name), set()).update({(holder, right)} if right else ())
    done = []
    for (kind, name), rights in sorted(held.items()):
        wanted = wanted_rights(place.process, kind, name)
        if rights == {(place.login, right) for right in wanted}:
            continue
        holders = sorted({holder for holder, _ in rights} - {"PUBLIC", place.login})
        takers = ", ".join(_quoted(connection, one) for one in (*holders, place.login))
        _run(connection, f"REVOKE ALL ON {kind} {{}} FROM PUBLIC, {takers}", name)
        if wanted:
            _run(connection, f"GRANT {', '.join(wanted)} ON {kind} {{}} TO {{}}", name, place.login)
        done.append(f"{place.login}: {kind} {name} {', '.join(wanted) or 'なし'}")
    return done


def wanted_rights(process: Process, kind: str, name: str) -> Sequence[str]:
    """What a process's login may do with an object of its database (DATABASE, SCHEMA, TABLE or SEQUENCE)."""
    if kind != "TABLE":
        return {"DATABASE": ["CONNECT"], "SCHEMA": ["USAGE"], "SEQUENCE": ["USAGE"]}[kind]
    tables = {**plumbing.tables, **audit.tables.tables, **process.service.tables.tables}
    if name not in tables:
        return []
    return ["SELECT", "INSERT"] if tables[name].info.get("append_only") else ["SELECT", "INSERT", "UPDATE", "DELETE"]


def _run(connection: Connection, statement: str, *names: str) -> None:
    """A statement about objects: the server takes no parameters for names, so they are quoted here."""
    connection.exec_driver_sql(statement.format(*(_quoted(connection, name) for name in names)))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
