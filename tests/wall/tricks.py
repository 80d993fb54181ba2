"""Ways around a guard that each engine has of its own: what it can be told to stop checking, or to look at instead."""

from contracts.message import Compartment
from tests.wall.battery import FOREIGN_KEY, KEPT, WRONG, Try, under
from tests.wall.ground import JUSO, SHIEN, fresh, ref, row, share, when

DENIED = "DENIED"


def _denied(*statements: str) -> list[Try]:
    return [Try(one, lambda one=one: one, DENIED) for one in statements]  # type: ignore[misc]


def sqlite_tricks(here: Compartment) -> list[Try]:
    """Through the store's own connection: nothing loosens it, and REPLACE removes nothing that is kept."""
    purpose = {} if here is JUSO else {"purpose": "sharing"}
    kept = share(here, **purpose, id=ref("share twice"))
    there = SHIEN if here is JUSO else JUSO
    label = row("label", key="compartment", value=there.value)
    return [
        *_denied(
            "pragma foreign_keys = off",
            "pragma foreign_keys(0)",
            "pragma ignore_check_constraints = on",
            "pragma writable_schema = on",
            "pragma recursive_triggers = off",
            "pragma defer_foreign_keys = on",
            "pragma trusted_schema = on",
            "pragma journal_mode = delete",
            "attach ':memory:' as other",
            "attach 'other.db' as other",
            "detach main",
            "create table other (x)",
            "create temp table replica (id, fresh_at)",
            "create temp trigger other before insert on disclosure begin select raise(ignore); end",
            "create trigger other before insert on disclosure begin select raise(ignore); end",
            "create view other as select 1",
            "create temp view consent_version as select 1",
            "create virtual table other using fts5(x)",
            "create index other on disclosure (reason)",
            "drop trigger disclosure_insert_guard",
            "drop table disclosure",
            "drop index ix_disclosure_case",
            "alter table disclosure rename to other",
            "alter table disclosure add column other",
            "alter table disclosure drop column reason",
        ),
        Try("a row replaced", lambda: [kept, kept.replace("insert", "insert or replace", 1)], KEPT),
        Try("the label replaced", lambda: label.replace("insert", "insert or replace", 1), KEPT),
        Try(
            "a share replaced by an update",
            lambda: f"update or replace disclosure set id = '{fresh()}'",
            KEPT,
        ),
        Try(
            "a row of the other kind, ignoring what refuses it",
            lambda: share(there).replace("insert", "insert or ignore", 1),
            WRONG,
        ),
        *([_reused()] if here is JUSO else []),
    ]


def _reused() -> Try:
    """REPLACE would remove the row that used the permit."""
    make = lambda: share(JUSO, permit=ref("permit kept")).replace("insert", "insert or replace", 1)  # noqa: E731
    return Try("a permit used before, by replacing its use", make, KEPT)


def postgres_tricks(here: Compartment) -> list[Try]:
    """As a login with a service's rights: it owns nothing, makes nothing and switches nothing off."""
    return _denied(
        "alter table disclosure disable trigger all",
        "alter table disclosure disable trigger disclosure_insert_guard",
        "set session_replication_role = replica",
        "set local session_replication_role = replica",
        "drop trigger disclosure_insert_guard on disclosure",
        "drop table disclosure",
        "alter table disclosure drop constraint disclosure_pkey",
        "alter table disclosure alter column reason drop not null",
        "truncate disclosure",
        "truncate item cascade",
        "truncate consent_version cascade",
        "create table other (x int)",
        "create schema other",
        "create temp table replica (id int, fresh_at timestamptz)",
        "create function other() returns int language sql as 'select 1'",
        "create or replace function kasane_now(seconds double precision) returns timestamptz language sql as "
        "$$ select '2026-01-01'::timestamptz $$",
        "create or replace function disclosure_insert_guard() returns trigger language plpgsql as "
        "$$ begin return new; end $$",
        "create rule other as on delete to disclosure do instead nothing",
        "copy disclosure to program 'cat'",
        "set role postgres",
        "update pg_constraint set convalidated = false",
        "delete from pg_trigger",
        *(("update disclosure set reason = 'x'", "delete from disclosure")),
        *(("update consent_version set ends = now()",) if here is JUSO else ("delete from commission_end",)),
    )


def owner_tricks(here: Compartment) -> list[Try]:
    """Even as the owner: emptying what is kept, and temporary tables that hide what a guard looks at."""
    hidden = "create temp table replica (id int, fresh_at timestamptz)"
    copied = "create temp table {0} as select * from public.{0}"
    made = [
        Try("the register emptied", lambda: "truncate disclosure", KEPT),
        Try("what the register rests on emptied", lambda: "truncate item cascade", KEPT),
        Try(
            "what a table of constraints put off", lambda: ["set constraints all deferred", "truncate disclosure"], KEPT
        ),
    ]
    if here is JUSO:
        stale = f"update public.replica set fresh_at = '{when(-1)}'"
        now = row("replica", id=1, fresh_at=when())
        opened = "update consent_version set state = 'given', starts = '{}', ends = '{}'"
        return [
            *made,
            Try(
                "a temporary table that hides a stale replica",
                lambda: [stale, hidden, now, share(JUSO)],
                "REPLICA_IS_STALE",
            ),
            Try(
                "a temporary table that hides a withdrawal",
                lambda: [
                    copied.format("consent_version"),
                    "delete from consent_version where state = 'withdrawn'",
                    under("gone"),
                ],
                "CONSENT_NOT_IN_FORCE",
            ),
            Try(
                "a temporary table that hides a consent's end",
                lambda: [
                    copied.format("consent_version"),
                    opened.format(when(-1), when(1)) + f" where consent = '{ref('consent over')}'",
                    under("over"),
                ],
                "CONSENT_NOT_IN_FORCE",
            ),
            Try(
                "a temporary table that hides a scope",
                lambda: [
                    copied.format("consent_agency"),
                    row("consent_agency", consent=ref("consent main"), version=2, agency="kikan"),
                    share(JUSO, agency="kikan"),
                ],
                FOREIGN_KEY,
            ),
        ]
    return [
        *made,
        Try(
            "a temporary table that hides a commission's end",
            lambda: [
                copied.format("commission_end"),
                "delete from commission_end",
                share(SHIEN, purpose="sharing", commission=ref("commission ended"), person=ref("person sayo")),
            ],
            "NOT_COMMISSIONED",
        ),
    ]
