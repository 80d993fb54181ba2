"""The one policy: may this be done with this item, now? Pure: values in, a decision out, no clock, no I/O.

The meeting kind is derived, never chosen (domain.md C1, C4). The table stands in policy_rows.py; rows are tried in
order, the first match wins, the last refuses, and every refusal names the lawful next step.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from contracts.consent import ConsentState
from contracts.legal_basis import CATALOGUE, LegalBasis
from contracts.message import Compartment
from contracts.policy_rows import ROWS
from contracts.policy_terms import Act, Condition, Fact, Fit, Row, Standing

EMERGENCY_LASTS = timedelta(minutes=60)
"""The longest an emergency disclosure may be open (consent.md 6)."""


class Category(StrEnum):
    """What kind of information an item is. There is no default: whoever asks has to say (S9)."""

    ORDINARY = "ordinary"
    TAX = "tax"
    """税務情報: chosen by the person who enters it, and by its source."""


@dataclass(frozen=True)
class Period:
    """From ``starts``, until just before ``ends``. Raises ValueError for an instant without a zone."""

    starts: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.starts.utcoffset() is None or self.ends.utcoffset() is None:
            raise ValueError("a period needs instants with a zone")

    def contains(self, moment: datetime) -> bool:
        """Whether an aware moment lies in it."""
        return self.starts <= moment < self.ends


NEVER = Period(datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
ALWAYS = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """What is recorded of an emergency disclosure before it happens (consent.md 6). ``ends``: when it closes."""

    ends: datetime
    recipient_named: bool = False
    items_named: bool = False
    reason_written: bool = False
    review_planned: bool = False
    """Within three office days."""
    earlier_reviewed: bool = False
    """No earlier emergency disclosure waits for its review."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """All that a decision looks at. What is left out speaks against the act. Raises ValueError without a zone.

    ``moment`` is the instant of the act. Before something is arranged, decide twice: for now and for the start of
    the block. ``compartment`` is where the item lies; None where kasane has no compartment for it. ``consent`` is the
    newest version of the consent the item falls under; in a carry-over the new one.
    """

    act: Act
    moment: datetime
    category: Category
    compartment: Compartment | None = None
    basis: str = ""
    hosted_by_municipality: bool = False
    seat: bool = False
    """The person has a seat in this very block."""
    office: bool = False
    """The person works in the office of the 市町村 that calls the 支援会議 (事務局): it sees a case before it sits."""
    consent: ConsentState = ConsentState.NOT_ASKED
    consent_period: Period = NEVER
    covers_tax: bool = False
    agency_inside: bool = False
    purpose_inside: bool = False
    member_inside: bool = False
    """Every household member the item is about."""
    commission: Period = NEVER
    two_way: bool = True
    carries_content: bool = True
    carry_decided: bool = False
    provider_agreed: bool = False
    necessity_recorded: bool = False
    emergency: Emergency | None = None

    def __post_init__(self) -> None:
        if self.moment.utcoffset() is None or (self.emergency and self.emergency.ends.utcoffset() is None):
            raise ValueError("a request needs instants with a zone")


@dataclass(frozen=True)
class Decision:
    """What the policy says, with all that a person needs to understand it and a register to keep it.

    ``compartment`` is the one in which the act is allowed; None when it is refused. ``basis`` is the 根拠条文.
    """

    allowed: bool
    compartment: Compartment | None
    rule: str
    basis: str
    reason: str
    next_step: str = ""
    row: str = ""
    rules: tuple[str, ...] = ()
    version: str = ""


_STANDING = {state: Standing(state.value) for state in ConsentState}
_OPEN = (ConsentState.GIVEN, ConsentState.NARROWED)


def _standing(request: Request) -> Standing:
    state = request.consent
    if state in _OPEN and not request.consent_period.contains(request.moment):
        return Standing.NOT_BEGUN if request.moment < request.consent_period.starts else Standing.EXPIRED
    return _STANDING[state]


def _fit(request: Request) -> Fit:
    basis = CATALOGUE.get(request.basis)
    if basis is None or basis.compartment is not request.compartment:
        return Fit.OTHER
    return Fit.FITS if basis.in_force(request.moment) else Fit.NOT_IN_FORCE


def _recorded(request: Request) -> bool:
    one = request.emergency
    return one is not None and (one.recipient_named and one.items_named and one.reason_written and one.review_planned)


def _within_limit(request: Request) -> bool:
    one = request.emergency
    return one is not None and request.moment < one.ends <= request.moment + EMERGENCY_LASTS


READ: dict[Fact, Callable[[Request], object]] = {
    Fact.TAX: lambda request: request.category is not Category.ORDINARY,
    Fact.TAX_COVERED: lambda request: request.covers_tax,
    Fact.BASIS: _fit,
    Fact.HOST: lambda request: request.hosted_by_municipality,
    Fact.SEAT: lambda request: request.seat,
    Fact.OFFICE: lambda request: request.office,
    Fact.STANDING: _standing,
    Fact.AGENCY: lambda request: request.agency_inside,
    Fact.PURPOSE: lambda request: request.purpose_inside,
    Fact.MEMBER: lambda request: request.member_inside,
    Fact.COMMISSION: lambda request: request.commission.contains(request.moment),
    Fact.TWO_WAY: lambda request: request.two_way,
    Fact.CONTENT: lambda request: request.carries_content,
    Fact.DECIDED: lambda request: request.carry_decided,
    Fact.PROVIDER: lambda request: request.provider_agreed,
    Fact.NECESSITY: lambda request: request.necessity_recorded,
    Fact.RECORD: _recorded,
    Fact.LIMIT: _within_limit,
    Fact.REVIEWED: lambda request: request.emergency is not None and request.emergency.earlier_reviewed,
}
"""How each fact is read from a request."""


def version_of(rows: Iterable[Row], bases: Iterable[LegalBasis] = CATALOGUE.values()) -> str:
    """A short name of exactly this table and this catalogue; it stands in every decision."""
    return hashlib.sha256(repr((tuple(rows), tuple(bases))).encode()).hexdigest()[:12]


class Policy:
    """A table made ready to decide. There is one, ``POLICY``; the tests make others by spoiling it."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.version = version_of(rows)
        *_, last = rows
        self._last = self._decision(last, None)
        self._tried = {
            (act, where): [
                (row.basis, [(READ[one.fact], one.among) for one in row.conditions], self._decision(row, where))
                for row in rows
                if act in row.acts and (act is Act.DERIVE or row.compartment in (None, where))
            ]
            for act in Act
            for where in (*Compartment, *((None,) if act is Act.DERIVE else ()))
        }

    def decide(self, request: Request) -> Decision:
        """Whether the act is allowed, by which row. What lies in neither compartment is refused by the last row."""
        for basis, conditions, decision in self._tried.get((request.act, request.compartment), ()):
            if basis is not None and request.basis != basis:
                continue
            for read, among in conditions:
                if read(request) not in among:
                    break
            else:
                return decision
        return self._last

    def _decision(self, row: Row, where: Compartment | None) -> Decision:
        compartment = (row.compartment or where) if row.allowed else None
        return Decision(
            row.allowed,
            compartment,
            row.rules[0],
            row.article,
            row.reason,
            row.next_step,
            row.id,
            row.rules,
            self.version,
        )


POLICY = Policy(ROWS)
POLICY_VERSION = POLICY.version
decide = POLICY.decide


def applies(row: Row, request: Request) -> bool:
    """Whether a row would decide this request if it were reached."""
    here = request.act is Act.DERIVE or row.compartment in (None, request.compartment)
    on_basis = row.basis is None or row.basis == request.basis
    return request.act in row.acts and here and on_basis and not unmet(row, request)


def unmet(row: Row, request: Request) -> list[Condition]:
    """The conditions of a row that do not hold for a request: what would have to change."""
    return [one for one in row.conditions if READ[one.fact](request) not in one.among]


def derive_kind(consent: ConsentState) -> Decision:
    """Which kind of meeting may hear a case whose client's consent is in this state (C1, C4, C5, C9, C11)."""
    return decide(
        Request(
            act=Act.DERIVE,
            moment=ALWAYS.starts,
            category=Category.ORDINARY,
            consent=consent,
            consent_period=ALWAYS,
        )
    )


def may_hear(basis_code: str, compartment: Compartment) -> Decision:
    """Whether a block on ``basis_code`` may hear an item of ``compartment``, all else being well (C1, C4, M13)."""
    basis = CATALOGUE.get(basis_code)
    return decide(
        Request(
            act=Act.HEAR,
            moment=basis.begins if basis else ALWAYS.starts,
            category=Category.ORDINARY,
            compartment=compartment,
            basis=basis_code,
            hosted_by_municipality=True,
            seat=True,
            consent=ConsentState.GIVEN,
            consent_period=ALWAYS,
            agency_inside=True,
            purpose_inside=True,
            member_inside=True,
            commission=ALWAYS,
        )
    )
