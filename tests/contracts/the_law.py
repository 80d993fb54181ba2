"""The rules of sharing, written a second time: not as a table but as a person would go through them.

It knows nothing of the table's facts and conditions. ``law`` names the row that has to decide, ``opens`` the
compartment in which the act is then allowed.
"""

from datetime import UTC, datetime, timedelta

from contracts.consent import ConsentState
from contracts.message import Compartment
from contracts.policy import Category, Request
from contracts.policy_terms import Act

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
SINCE_REIWA_3 = datetime(2021, 3, 31, 15, 0, tzinfo=UTC)


def law(request: Request) -> str:
    """The id of the row that decides."""
    if request.act is Act.DERIVE:
        return _kind(request)
    if request.compartment is None:
        return "D0"
    if request.act is Act.CARRY:
        return _carry(request)
    if request.act is Act.EMERGENCY:
        return _emergency(request)
    if request.act is Act.ASK:
        return "N9" if request.compartment is JUSO else _ask(request)
    return _juso(request) if request.compartment is JUSO else _shien(request)


def opens(request: Request) -> Compartment | None:
    """Where the act is allowed; None when it is refused."""
    row = law(request)
    if request.act is Act.DERIVE:
        return {"K1": JUSO, "K2": JUSO, "K3": SHIEN, "K4": SHIEN, "K5": SHIEN, "K6": SHIEN}.get(row)
    return request.compartment if row in ("P1", "P2", "P3", "P4", "P5") else None


def _juso(request: Request) -> str:
    if request.category is Category.TAX and not request.covers_tax:
        return "F2"
    if request.basis != "swa-106-4-2-5":
        return "F5"
    if request.moment < SINCE_REIWA_3:
        return "F6"
    sits = request.act not in (Act.EXPORT, Act.SHOW)  # papers may go to agencies that do not sit there (C3)
    if sits and not request.seat:
        return "F10"
    worth = _worth(request)
    if worth != "open":
        return {"withdrawn": "N1", "expired": "N2", "not begun": "N3", "none": "N4"}[worth]
    if not request.agency_inside:
        return "N5"
    if not request.purpose_inside:
        return "N6"
    return "P1" if request.member_inside else "N7"


def _shien(request: Request) -> str:
    if (stopped := _shien_block(request)) is not None:
        return stopped
    if request.act is Act.SHOW and not request.seat and not request.office:
        return "F13"
    if request.act is not Act.SHOW and not request.seat:
        return "F9"
    begun, ended = request.commission.starts <= request.moment, request.commission.ends <= request.moment
    return "P2" if begun and not ended else "N8"


def _ask(request: Request) -> str:
    if (stopped := _shien_block(request)) is not None:
        return stopped
    if request.two_way:
        return "F11"
    return "F12" if request.carries_content else "P3"


def _shien_block(request: Request) -> str | None:
    if request.category is Category.TAX:
        return "F1"
    if request.basis != "swa-106-6":
        return "F4"
    if request.moment < SINCE_REIWA_3:
        return "F7"
    return None if request.hosted_by_municipality else "F8"


def _carry(request: Request) -> str:
    if request.compartment is JUSO:
        return "N10"
    if request.category is Category.TAX and not request.covers_tax:
        return "F3"
    if _worth(request) != "open":
        return "N11"
    if not request.purpose_inside:
        return "N12"
    if not request.member_inside:
        return "N13"
    if not request.carry_decided:
        return "N14"
    return "P4" if request.provider_agreed else "N15"


def _emergency(request: Request) -> str:
    if request.category is Category.TAX:
        if request.compartment is SHIEN:
            return "F1"
        if not request.covers_tax:
            return "F2"
    one = request.emergency
    if one is None or not all((one.recipient_named, one.items_named, one.reason_written, one.review_planned)):
        return "N16"
    left = one.ends - request.moment
    if left <= timedelta() or left > timedelta(hours=1):
        return "N17"
    return "P5" if one.earlier_reviewed else "N18"


def _kind(request: Request) -> str:
    worth = _worth(request)
    if worth in ("withdrawn", "expired"):
        if request.necessity_recorded:
            return "K6"
        return "N19" if worth == "withdrawn" else "N20"
    if worth == "not begun":
        return "N21"
    return {
        ConsentState.GIVEN: "K1",
        ConsentState.NARROWED: "K2",
        ConsentState.REFUSED: "K3",
        ConsentState.NOT_ASKED: "K4",
        ConsentState.COULD_NOT_ASK: "K5",
    }[request.consent]


def _worth(request: Request) -> str:
    if request.consent is ConsentState.WITHDRAWN:
        return "withdrawn"
    if request.consent is ConsentState.EXPIRED:
        return "expired"
    if request.consent not in (ConsentState.GIVEN, ConsentState.NARROWED):
        return "none"
    if request.moment < request.consent_period.starts:
        return "not begun"
    return "expired" if request.moment >= request.consent_period.ends else "open"
