"""Showing is sharing: what one viewer may see is decided, permitted and registered, and only then read (8.10).

Whoever signed in sees a case once a row of today says so. A first look of the day asks the ledger for permits; later
ones follow the store's own state, so that a withdrawal that is learnt hides the case at once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import or_, select

from contracts.message import Account, Compartment
from contracts.permit import ReportSpent
from contracts.policy import NEVER, Category, Decision, Period
from contracts.policy_terms import Act
from contracts.purpose import Purpose
from services import sharing
from services.coordination import domain
from services.coordination.tables import case, commissions, consents, disclosure, item
from services.service import AskFailed, Tx, Work
from services.sharing import Head, Share, Shared, Verdicts

T = TypeVar("T")


@dataclass(frozen=True)
class Viewer:
    """Who signed in, and the agency he or she sees it for."""

    person: UUID
    agency: str


@dataclass(frozen=True)
class Sight:
    """What a viewer may see at one instant.

    ``shown``: cases with a row in today's register. ``unshared``: what the policy allows and no row says yet.
    ``stopped``: cases to be followed up, as stubs. ``door``: why this viewer may see nothing of the compartment (F13).
    """

    shown: frozenset[UUID] = frozenset()
    unshared: tuple[Share, ...] = ()
    stopped: Mapping[UUID, domain.Stop] = field(default_factory=dict)
    heads: Mapping[UUID, Head] = field(default_factory=dict)
    fenced: bool = False
    door: Decision | None = None
    refused: tuple[Shared, ...] = ()
    """What the policy refuses of the cases that were asked for by reference; lists ask for none."""


NOTHING = Sight()


class Every:
    """Asks for all cases, also those that rest. A list as such leaves them out (tables.case)."""


EVERY = Every()
Wanted = Sequence[UUID] | Every | None
"""Which cases: these, all, or None for those that lists show."""


def viewer_of(person: UUID | None, agency: str | None) -> Viewer | None:
    """The viewer a question names; None for one that names nobody, who is shown nothing."""
    return Viewer(person, agency) if person is not None and agency is not None else None


async def show(
    work: Work,
    viewer: Viewer | None,
    only: Wanted,
    read: Callable[[Sight, Tx], T],
    category: Category = Category.ORDINARY,
) -> T:
    """What ``read`` makes of the cases this viewer may see: those that lists show, or ``only`` these. Raises AskFailed.

    The last look and ``read`` are one transaction: what is withdrawn meanwhile is not in it. ``category``: which
    information of the cases; that of the tax office is decided and registered by itself (S9).
    """

    def act(tx: Tx) -> tuple[Sight, T]:
        sight = _look(viewer, only, tx, category) if viewer else NOTHING
        return sight, read(sight, tx)

    sight, answer = await work.run(partial(_noting, act) if isinstance(only, Sequence) else act)
    if viewer is None or not sight.unshared:
        return answer
    for first in range(0, len(sight.unshared), sharing.USES_AT_ONCE):
        await _share(work, viewer, sight.unshared[first : first + sharing.USES_AT_ONCE], category)
    _, answer = await work.run(act)
    return answer


def _noting(act: Callable[[Tx], tuple[Sight, T]], tx: Tx) -> tuple[Sight, T]:
    """Whoever asks for a case by its reference and may not see it stands in the audit log."""
    sight, answer = act(tx)
    for one in sight.refused:
        sharing.note(one, f"coordination@{tx.here}", tx)
    return sight, answer


async def _share(work: Work, viewer: Viewer, shares: Sequence[Share], category: Category) -> None:
    hosted = domain.hosted_by_municipality(work.profile)
    verdicts = await sharing.permitted(work, shares, hosted_by_municipality=hosted)
    await work.run(lambda tx: _register(viewer, verdicts, category, tx))
    permits = tuple(one.permit.permit for one in verdicts.allowed if one.permit)
    if permits:
        with suppress(AskFailed):  # they are over in three seconds anyway
            await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)


def _register(viewer: Viewer, verdicts: Verdicts, category: Category, tx: Tx) -> None:
    """Write the rows of what is still allowed and not yet written: news may have come, or the viewer's other page.

    What the ledger refused, or a permit that is not the ledger's, stands in the audit log.
    """
    for refused in verdicts.refused:
        sharing.note(refused, f"coordination@{tx.here}", tx)
    cases = [one.share.case for one in verdicts.allowed]
    still = {(one.item, one.head, one.commission) for one in _look(viewer, cases, tx, category).unshared}
    rows = [one for one in verdicts.allowed if (one.share.item, one.share.head, one.share.commission) in still]
    sharing.record(disclosure, rows, f"coordination@{tx.here}", tx)


def openings(viewer: Viewer, only: Sequence[UUID], tx: Tx) -> dict[UUID, Share]:
    """Of these cases those that this viewer may see by what this store knows, each as it would be shown.

    Nobody is asked and nothing written: for whoever is to be told that there is something to look at.
    """
    if tx.here is Compartment.JUSO:
        heads = sharing.heads(consents, tx, only) if sharing.is_fresh(consents, tx) else {}
        shares = [
            _share_of(viewer, row, heads[row.case], None, NEVER, False, tx)
            for row in _items(only, tx, Category.ORDINARY)
            if row.case in heads
        ]
    else:
        office = domain.is_office(tx.profile, viewer.agency)
        commission, period = sharing.commission_of(commissions, viewer.person, viewer.agency, tx.now, tx) or (
            None,
            NEVER,
        )
        rows = _items(only, tx, Category.ORDINARY)
        shares = [_share_of(viewer, row, None, commission, period, office, tx) for row in rows]
    return {share.case: share for share in shares if _decide(share, tx).allowed}


def _look(viewer: Viewer, only: Wanted, tx: Tx, category: Category) -> Sight:
    """What this store knows: no asking, nothing written."""
    only = listed(tx) if only is None else only
    if tx.here is Compartment.JUSO:
        return _look_in_juso(viewer, only, tx, category)
    office = domain.is_office(tx.profile, viewer.agency)
    found = sharing.commission_of(commissions, viewer.person, viewer.agency, tx.now, tx)
    commission, period = found or (None, NEVER)
    door = _decide(_share_of(viewer, None, None, commission, period, office, tx), tx)
    if not door.allowed:  # the same for every case, so that nothing depends on there being any
        return Sight(door=door)
    shares = [_share_of(viewer, row, None, commission, period, office, tx) for row in _items(only, tx, category)]
    return _sorted_out(viewer, shares, {}, {}, tx)


def listed(tx: Tx) -> Sequence[UUID]:
    """The cases of a list: that go on, were over only lately, or have something due."""
    shown = or_(case.c.rests_on.is_(None), case.c.rests_on > domain.today(tx.now))
    return tx.execute(select(case.c.id).where(shown)).scalars().all()


def _look_in_juso(viewer: Viewer, only: Sequence[UUID] | Every, tx: Tx, category: Category) -> Sight:
    if not sharing.is_fresh(consents, tx):
        return Sight(fenced=True)
    heads = sharing.heads(consents, tx, None if isinstance(only, Every) else only)
    stopped: dict[UUID, domain.Stop] = {}
    if domain.follows_up(tx.profile, viewer.agency):
        reasons = {about: domain.stop_reason(head.state, head.scope, tx.now) for about, head in heads.items()}
        stopped = {about: why for about, why in reasons.items() if why}
    rows = _items(only, tx, category)
    shares = [_share_of(viewer, row, heads.get(row.case), None, NEVER, False, tx) for row in rows]
    return _sorted_out(viewer, shares, stopped, heads, tx)


def _sorted_out(
    viewer: Viewer,
    shares: Sequence[Share],
    stopped: Mapping[UUID, domain.Stop],
    heads: Mapping[UUID, Head],
    tx: Tx,
) -> Sight:
    """Of what the policy allows: what today's register says, and what it does not say yet."""
    before = sharing.shared_before(disclosure, viewer.person, Act.SHOW, domain.day_begins(tx.now), tx)
    shown, unshared, refused = set(), [], []
    for share in shares:
        decision = _decide(share, tx)
        if not decision.allowed:
            refused.append(Shared(share, decision))
        else:
            if (share.item, share.head.version if share.head else None) in before:
                shown.add(share.case)
            else:
                unshared.append(share)
    return Sight(frozenset(shown), tuple(unshared), stopped, heads, refused=tuple(refused))


def _decide(share: Share, tx: Tx) -> Decision:
    hosted = domain.hosted_by_municipality(tx.profile)
    return sharing.judge(share, tx.here, tx.now, hosted_by_municipality=hosted)


def _items(only: Sequence[UUID] | Every, tx: Tx, category: Category) -> Sequence[Any]:
    columns = item.c.id, item.c.case, item.c.purpose, item.c.member, item.c.category
    wanted = select(*columns).where(item.c.category == category)
    return tx.execute(wanted if isinstance(only, Every) else wanted.where(item.c.case.in_(list(only)))).all()


def _share_of(
    viewer: Viewer, row: Any, head: Head | None, commission: UUID | None, period: Period, office: bool, tx: Tx
) -> Share:
    """Showing an item to a viewer; without a row that of any ordinary item."""
    return Share(
        id=tx.ref(),
        act=Act.SHOW,
        item=row.id if row else viewer.person,
        case=row.case if row else viewer.person,
        member=row.member if row else None,
        category=Category(row.category) if row else Category.ORDINARY,
        purpose=Purpose(row.purpose) if row else Purpose.SHARING,
        agency=viewer.agency,
        person=viewer.person,
        head=head,
        commission=commission,
        commission_period=period,
        office=office,
    )
