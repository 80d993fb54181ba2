"""Every request there is, up to what its act can look at: the product of the axes of each act and compartment.

That a decision reads nothing but these axes is itself a test (``test_a_decision_looks_at_nothing_else``); so the
product is exhaustive. Instants stand right at, and one microsecond beside, every boundary.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any

from contracts.consent import ConsentState
from contracts.legal_basis import CATALOGUE
from contracts.message import Compartment
from contracts.policy import Category, Emergency, Period, Request
from contracts.policy_terms import Act

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
SHARES = (Act.HEAR, Act.INVITE, Act.NOTIFY, Act.EXPORT)
"""Acts at the table, and papers; what the desk shows (Act.SHOW) looks at something else."""
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LAW_BEGINS = datetime(2021, 3, 31, 15, 0, tzinfo=UTC)
"""Midnight in Japan on 2021-04-01: articles 106-4 and 106-6 come into force."""
TICK, HOUR, YEAR = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=365)

Part = dict[str, Any]


def _bool(name: str) -> list[Part]:
    return [{name: True}, {name: False}]


def _periods(name: str) -> list[Part]:
    """Begins a tick later; begins now and ends a tick later; is just over. Offsets from the moment of the act."""
    return [{name: (TICK, YEAR)}, {name: (timedelta(), TICK)}, {name: (-YEAR, timedelta())}]


BLOCKS: list[Part] = [{"basis": code, "moment": NOW} for code in (*CATALOGUE, "swa-106")] + [
    {"basis": code, "moment": moment}
    for code in ("swa-106-4-2-5", "swa-106-6")
    for moment in (LAW_BEGINS - TICK, LAW_BEGINS)
]
CATEGORIES: list[Part] = [{"category": one} for one in Category]
CONSENTS: list[Part] = [{"consent": state} | period for state in ConsentState for period in _periods("consent_period")]
RECORDS = ("recipient_named", "items_named", "reason_written", "review_planned", "earlier_reviewed")
EMERGENCIES: list[Part] = [{"emergency": None}] + [
    {"emergency": {"ends": ends, **dict(zip(RECORDS, record, strict=True))}}
    for ends in (timedelta(), TICK, HOUR, HOUR + TICK)
    for record in product((True, False), repeat=len(RECORDS))
]
SCOPE = [_bool("agency_inside"), _bool("purpose_inside"), _bool("member_inside")]
JUSO_SHARE = [BLOCKS, CATEGORIES, _bool("covers_tax"), CONSENTS, *SCOPE]

AXES: dict[tuple[Act, Compartment | None], list[list[Part]]] = {
    **{(act, JUSO): [*JUSO_SHARE, _bool("seat")] for act in SHARES},
    (Act.EXPORT, JUSO): JUSO_SHARE,
    (Act.SHOW, JUSO): JUSO_SHARE,
    **{
        (act, SHIEN): [
            BLOCKS,
            CATEGORIES,
            _bool("hosted_by_municipality"),
            _bool("seat"),
            _periods("commission"),
        ]
        for act in SHARES
    },
    (Act.SHOW, SHIEN): [
        BLOCKS,
        CATEGORIES,
        _bool("hosted_by_municipality"),
        _bool("seat"),
        _bool("office"),
        _periods("commission"),
    ],
    (Act.ASK, JUSO): [],
    (Act.ASK, SHIEN): [
        BLOCKS,
        CATEGORIES,
        _bool("hosted_by_municipality"),
        _bool("two_way"),
        _bool("carries_content"),
    ],
    (Act.CARRY, JUSO): [],
    (Act.CARRY, SHIEN): [
        CATEGORIES,
        _bool("covers_tax"),
        CONSENTS,
        *SCOPE[1:],
        _bool("carry_decided"),
        _bool("provider_agreed"),
    ],
    (Act.EMERGENCY, JUSO): [CATEGORIES, _bool("covers_tax"), EMERGENCIES],
    (Act.EMERGENCY, SHIEN): [CATEGORIES, EMERGENCIES],
    **{(Act.DERIVE, where): [CONSENTS, _bool("necessity_recorded")] for where in (JUSO, SHIEN, None)},
    **{(act, None): [] for act in Act if act is not Act.DERIVE},
}
"""What each act, for an item of each compartment, can look at. None: an item kasane has no compartment for."""

SHUT: Part = {"moment": NOW, "category": Category.TAX}
OPEN: Part = {
    "basis": None,
    "moment": NOW,
    "category": Category.ORDINARY,
    "hosted_by_municipality": True,
    "seat": True,
    "office": True,
    "consent": ConsentState.GIVEN,
    "consent_period": (timedelta(), TICK),
    "covers_tax": True,
    "agency_inside": True,
    "purpose_inside": True,
    "member_inside": True,
    "commission": (timedelta(), TICK),
    "two_way": False,
    "carries_content": False,
    "carry_decided": True,
    "provider_agreed": True,
    "necessity_recorded": True,
    "emergency": {"ends": HOUR, **dict.fromkeys(RECORDS, True)},
}
"""What the other fields hold: everything speaks against the act, or everything for it. None: the compartment's own."""


def looked_at(act: Act, where: Compartment | None) -> set[str]:
    """The fields in which the requests of an act differ."""
    return {name for axis in AXES[act, where] for part in axis for name in part}


def every_part() -> Iterator[Part]:
    """The arguments of every request there is, without the fields its act does not look at."""
    for (act, where), axes in AXES.items():
        for parts in product(*axes):
            whole: Part = {"act": act, "compartment": where}
            for part in parts:
                whole |= part
            yield whole


def arguments(part: Part, fill: Part) -> Part:
    """The full arguments of a request, offsets turned into instants."""
    whole = fill | part
    moment = whole["moment"]
    if "basis" in whole and whole["basis"] is None:
        whole["basis"] = "swa-106-4-2-5" if whole["compartment"] is JUSO else "swa-106-6"
    for name in ("consent_period", "commission"):
        if name in whole:
            starts, ends = whole[name]
            whole[name] = Period(moment + starts, moment + ends)
    if whole.get("emergency"):
        whole["emergency"] = Emergency(**(whole["emergency"] | {"ends": moment + whole["emergency"]["ends"]}))
    return whole


@cache
def every_request() -> tuple[Request, ...]:
    """Every request there is, twice: once with what its act must not look at against it, once for it."""
    return tuple(Request(**arguments(part, fill)) for part in every_part() for fill in (SHUT, OPEN))
