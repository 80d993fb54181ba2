"""The ground of the battery: four stores with real tables and a few rows, in SQL text that both engines read.

References are names (``ref("item plan")``), instants lie around the real now, for PostgreSQL's clock is the server's.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from sqlalchemy import MetaData

from contracts.message import Compartment
from services.coordination import tables as coordination
from services.meetings import tables as meetings

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
TABLES: dict[str, MetaData] = {"meetings": meetings.tables, "coordination": coordination.tables}
JUSO_BASIS, SHIEN_BASIS = "swa-106-4-2-5", "swa-106-6"


def ref(name: str) -> str:
    """A reference as both engines read it."""
    return uuid5(NAMESPACE_OID, name).hex


def fresh() -> str:
    """A reference nobody has."""
    return uuid4().hex


def when(days: float = 0, seconds: float = 0) -> str:
    """An instant so long from now."""
    return (datetime.now(UTC) + timedelta(days=days, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def literal(value: object) -> str:
    """A value as SQL text."""
    if value is None:
        return "null"
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def row(table: str, **values: Any) -> str:
    """An INSERT of one row."""
    names = ", ".join(f'"{name}"' for name in values)
    return f'insert into "{table}" ({names}) values ({", ".join(map(literal, values.values()))})'


def compared() -> str:
    """The replica has just compared itself with the ledger: on a slow machine the ground is older than a minute."""
    return f"update replica set fresh_at = '{when()}'"


# -- consents and commissions ------------------------------------------------------------------------------------------


def version(
    consent: str,
    number: int,
    case: str,
    agencies: tuple[str, ...] = ("houkatsu",),
    purposes: tuple[str, ...] = ("plan",),
    members: tuple[str, ...] = ("taka",),
    **other: Any,
) -> list[str]:
    """A version with its scope, the scope first."""
    key = {"consent": ref(f"consent {consent}"), "version": number}
    parts = {"agency": agencies, "purpose": purposes, "member": tuple(ref(f"member {one}") for one in members)}
    scope = [row(f"consent_{part}", **key, **{part: one}) for part, values in parts.items() for one in values]
    return [*scope, head(consent, number, case, **other)]


def head(consent: str, number: int, case: str, **other: Any) -> str:
    """The version alone."""
    facts: dict[str, Any] = {
        "compartment": "juso",
        "case": ref(f"case {case}"),
        "state": "given",
        "starts": when(-30),
        "ends": when(300),
        "covers_tax": False,
        "recorded_at": when(),
    }
    return row("consent_version", consent=ref(f"consent {consent}"), version=number, **facts | other)


def withdrawal(consent: str, number: int, case: str) -> str:
    """A version that opens nothing."""
    return head(consent, number, case, state="withdrawn", starts=None, ends=None)


def commission(service: str, name: str, **other: Any) -> str:
    """A commission as meetings records it, or as coordination learns it."""
    facts: dict[str, Any] = {
        "id": ref(f"commission {name}"),
        "compartment": "shien",
        "person": ref("person hanako"),
        "agency": "houkatsu",
        "starts": when(seconds=-60),
        "ends": when(300),
        "recorded_at": when(),
    }
    if service == "meetings":
        facts |= {"explained_on": when()[:10], "document": "小福第118号"}
    return row("commission", **facts | other)


# -- what is shared ----------------------------------------------------------------------------------------------------


def item(service: str, name: str, compartment: Compartment, case: str, **other: Any) -> str:
    """An item; in juso of 髙橋 (``taka``) under the consent ``main`` unless said otherwise."""
    juso = compartment is JUSO
    facts: dict[str, Any] = {
        "id": ref(f"item {name}"),
        "compartment": compartment.value,
        "case": ref(f"case {case}"),
        "purpose": "plan",
        "member": ref("member taka") if juso else None,
        "category": "ordinary",
    }
    if service == "meetings":
        facts |= {
            "consent": ref("consent main") if juso else None,
            "urgent": False,
            "received_on": when()[:10],
            "agencies": "[]",
            "only_agencies": False,
            "required": "[]",
            "optional": "[]",
            "since": when(),
            "state": "placed",
            "next_try": when(),
            "why": "",
            "version": 0,
        }
    else:
        facts |= {"put_at": when(), "placement": 0}
    return row("item", **facts | other)


def case(name: str, compartment: Compartment, **other: Any) -> str:
    """A case of coordination."""
    juso = compartment is JUSO
    facts: dict[str, Any] = {
        "id": ref(f"case {name}"),
        "compartment": compartment.value,
        "opened_at": when(),
        "received_on": when()[:10],
        "urgent": False,
        "referrer": "houkatsu",
        "household_size": 2,
        "ground": "given" if juso else "refused",
        "consent": ref("consent main") if juso else None,
        "consent_version": 1 if juso else None,
        "member": ref("member taka") if juso else None,
    }
    return row("case_", **facts | other)


def sitting(name: str, compartment: Compartment, days: float = 10, **other: Any) -> str:
    """A date of a regular body."""
    facts: dict[str, Any] = {
        "id": ref(f"sitting {name}"),
        "compartment": compartment.value,
        "body": f"body {name}"[:40],
        "basis": JUSO_BASIS if compartment is JUSO else SHIEN_BASIS,
        "starts": when(days),
        "ends": when(days, 3600),
        "place": "市役所",
        "mode": "in_person",
        "mode_reason": None,
        "moved_to": None,
        "regular_on": when(days)[:10],
        "own_item": None,
        "fixed": True,
        "why": "",
    }
    return row("sitting", **facts | other)


def seat(name: str, person: str, compartment: Compartment, **other: Any) -> str:
    """A seat, in shien on the commission ``own``."""
    facts: dict[str, Any] = {
        "sitting": ref(f"sitting {name}"),
        "person": ref(f"person {person}"),
        "agency": "houkatsu",
        "need": "required",
        "compartment": compartment.value,
        "commission": ref("commission own") if compartment is SHIEN else None,
        "uid": fresh(),
        "cancelled_at": None,
        "first_sequence": 0,
        "answer": "none",
        "answered_at": None,
    }
    return row("seat", **facts | other)


def agenda(item_name: str, sitting_name: str, compartment: Compartment, position: int, **other: Any) -> str:
    """An item's place on an agenda."""
    facts: dict[str, Any] = {
        "item": ref(f"item {item_name}"),
        "sitting": ref(f"sitting {sitting_name}"),
        "compartment": compartment.value,
        "position": position,
    }
    return row("agenda", **facts | other)


def share(compartment: Compartment, **other: Any) -> str:
    """A row of the register: ``shared`` as a statement."""
    return row("disclosure", **shared(compartment, **other))


def shared(compartment: Compartment, **other: Any) -> dict[str, Any]:
    """The values of a row, all right: ``hanako`` is shown a case's plan, in juso 髙橋's under the consent ``main``."""
    juso = compartment is JUSO
    facts: dict[str, Any] = {
        "id": fresh(),
        "compartment": compartment.value,
        "at": when(),
        "act": "show",
        "item": ref("item plan"),
        "case": ref("case A"),
        "member": ref("member taka") if juso else None,
        "category": "ordinary",
        "purpose": "plan",
        "agency": "houkatsu",
        "person": ref("person hanako"),
        "sitting": None,
        "consent": ref("consent main") if juso else None,
        "consent_version": 2 if juso else None,
        "covers_tax": False if juso else None,
        "commission": None if juso else ref("commission own"),
        "decided_row": "P1" if juso else "P2",
        "rules": "C1・C2" if juso else "C4・S8",
        "basis": JUSO_BASIS if juso else SHIEN_BASIS,
        "reason": "本人の同意が有効です。" if juso else "委嘱された構成員です。",
        "policy": "0123456789ab",
        "decided_by": f"meetings@{compartment.value}",
        "permit": fresh() if juso else None,
        "permit_until": when(seconds=20) if juso else None,
    }
    return facts | other


def hear(compartment: Compartment, **other: Any) -> str:
    """The same, heard at the sitting ``table``."""
    return share(compartment, **{"act": "hear", "sitting": ref("sitting table")} | other)


# -- the rows that lie there -------------------------------------------------------------------------------------------

CASES = {"main": "A", "tax": "T", "over": "O", "future": "F", "short": "S", "gone": "G", "other": "B"}
"""Which case each consent is about."""


def rows(service: str, compartment: Compartment) -> Iterator[tuple[float, str]]:
    """(seconds to set the store's clock back, statement)."""
    made = {
        ("meetings", JUSO): [*_consents(), *_juso_items("meetings"), *_juso_table()],
        ("coordination", JUSO): [*_juso_cases(), *_consents(), *_juso_items("coordination")],
        ("meetings", SHIEN): _shien_table(),
        ("coordination", SHIEN): _shien_known(),
    }
    for one in made[service, compartment]:
        yield one if isinstance(one, tuple) else (0, one)


def _consents() -> list[str]:
    wide: dict[str, Any] = {
        "agencies": ("houkatsu", "kikan"),
        "purposes": ("plan", "replan"),
        "members": ("taka", "yoshi"),
    }
    return [
        row("replica", id=1, fresh_at=when()),
        *version("main", 1, "A", **wide, covers_tax=True),
        *version("main", 2, "A", state="narrowed"),
        *version("tax", 1, "T", covers_tax=True),
        *version("over", 1, "O", ends=when(-1)),
        *version("future", 1, "F", starts=when(1)),
        *version("short", 1, "S", ends=when(5)),
        *version("gone", 1, "G"),
        withdrawal("gone", 2, "G"),
        *version("other", 1, "B"),
        *version("spare", 1, "V"),
    ]


def _juso_items(service: str) -> list[str]:
    def under(name: str, **other: Any) -> str:
        extra = {"consent": ref(f"consent {name}")} if service == "meetings" else {}
        return item(service, name, JUSO, CASES[name], **extra | other)

    return [
        item(service, "plan", JUSO, "A"),
        item(service, "second", JUSO, "A"),
        item(service, "replan", JUSO, "A", purpose="replan"),
        item(service, "yoshi", JUSO, "A", member=ref("member yoshi")),
        item(service, "arrears", JUSO, "A", category="tax"),
        under("tax", category="tax"),
        *(under(name) for name in ("over", "future", "short", "gone", "other")),
        share(JUSO, id=ref("share kept"), permit=ref("permit kept")),
    ]


def _juso_cases() -> list[str]:
    return [case(name, JUSO, consent=ref(f"consent {one}")) for one, name in CASES.items()]


def _juso_table() -> list[str]:
    return [
        sitting("table", JUSO),
        sitting("empty", JUSO, 11),
        seat("table", "hanako", JUSO),
        seat("table", "jiro", JUSO, agency="kikan"),
        seat("table", "off", JUSO, cancelled_at=when()),
        seat("empty", "hanako", JUSO),
        agenda("plan", "table", JUSO, 1),
        agenda("tax", "table", JUSO, 2),
        hear(JUSO, id=ref("share heard")),
    ]


def _commissions(service: str) -> list[str | tuple[float, str]]:
    return [
        commission(service, "own"),
        commission(service, "unit", person=None, agency="kikan"),
        commission(service, "theirs", person=ref("person saburo")),
        commission(service, "future", starts=when(5), person=ref("person yuki")),
        commission(service, "short", ends=when(5), person=ref("person yuki")),
        commission(service, "ended", person=ref("person sayo")),
        (2 * 86400, commission(service, "lapsed", person=ref("person kaito"), starts=when(-2), ends=when(-1))),
    ]


def _shien_table() -> list[str | tuple[float, str]]:
    return [
        *_commissions("meetings"),
        item("meetings", "plan", SHIEN, "A", purpose="sharing"),
        item("meetings", "second", SHIEN, "A", purpose="sharing"),
        item("meetings", "other", SHIEN, "B", purpose="sharing"),
        sitting("table", SHIEN),
        sitting("empty", SHIEN, 11),
        sitting("past", SHIEN, -1.5),
        seat("table", "hanako", SHIEN),
        seat("table", "jiro", SHIEN, agency="kikan", commission=ref("commission unit")),
        seat("table", "sayo", SHIEN, commission=ref("commission ended")),
        seat("table", "saburo", SHIEN, commission=ref("commission theirs"), cancelled_at=when()),
        seat("empty", "hanako", SHIEN),
        (2 * 86400, seat("past", "kaito", SHIEN, commission=ref("commission lapsed"))),
        row("commission_end", commission=ref("commission ended"), at=when()),
        agenda("plan", "table", SHIEN, 1),
        agenda("other", "past", SHIEN, 1),
        hear(SHIEN, id=ref("share heard"), purpose="sharing"),
        row("cooperation", **cooperation()),
    ]


def _shien_known() -> list[str | tuple[float, str]]:
    return [
        *_commissions("coordination"),
        row("commission_end", commission=ref("commission ended"), at=when()),
        case("A", SHIEN),
        case("B", SHIEN),
        item("coordination", "plan", SHIEN, "A", purpose="sharing"),
        item("coordination", "other", SHIEN, "B", purpose="sharing"),
        share(SHIEN, id=ref("share kept"), purpose="sharing"),
    ]


def cooperation(**other: Any) -> dict[str, Any]:
    """A 協力依頼 that is not answered yet."""
    facts: dict[str, Any] = {
        "id": fresh(),
        "compartment": "shien",
        "case": ref("case A"),
        "agency": "kikan",
        "template": "papers",
        "asked_at": when(),
        "due_on": when(14)[:10],
        "answered_at": None,
        "answer": None,
        "asked_back_at": None,
    }
    return facts | other
