"""Shows the dates of a case's items: the ranking with its reasons, polls with all answers, proposals. For whoever may.

The first look of the day is in the register with its permit, as every showing of an item is (room.py does the same).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.message import Account
from contracts.permit import ReportSpent
from contracts.policy_terms import Act
from contracts.polls import PollLine
from contracts.profile import Profile
from contracts.proposing import (
    AskedView,
    DateOption,
    DatesInHand,
    DatesView,
    InHand,
    InHandList,
    InHandWhat,
    ItemDates,
    LookAtDates,
    PollView,
    ProposalView,
    RegularOffer,
    Said,
    SeatOffer,
)
from services import sharing
from services.meetings import proposing_rules as rules
from services.meetings.arranging import IN_HAND, Actor, Stand, actor_of, share_to, stand_of, why_not_arrange
from services.meetings.conducting import may_run
from services.meetings.deciding import seats_of
from services.meetings.gathering import search_of
from services.meetings.handlers import service
from services.meetings.polls_rules import contradicting, counting
from services.meetings.polls_tables import poll, poll_seat, proposal
from services.meetings.proposing_store import given_in, how, under_way
from services.meetings.ranking import Date, Ranking, Reply, rank, spread
from services.meetings.regular_instead import next_regular, why_too_few
from services.meetings.replanning_rules import Held, broken, fewest_changes, room_lost, sitting_first
from services.meetings.replies import declined, lines_of, replies_of, standing_poll
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO, NoSlot
from services.meetings.seating import agency_name
from services.meetings.standing_in import away_today
from services.meetings.tables import disclosure, item, seat, sitting
from services.service import AskFailed, Tx, Work
from services.sharing import Share, Verdicts

SHOWN = 12
"""As many as a poll has lines."""


@service.performs(LookAtDates)
async def look_at_dates(asked: LookAtDates, work: Work) -> DatesView:
    """The items of a case that get a 随時 sitting, for whoever may arrange them. Raises AskFailed."""
    actor = actor_of(asked.viewer, asked.viewer_agency)
    if actor is None:
        return DatesView(found=False)
    items = await _permitted(asked.case, actor, work)
    found = []
    for about in items:
        stand = await stand_of(work, about, actor)
        if isinstance(stand, Stand):
            known = await work.run(partial(_known, stand))
            found.append((stand, replace(known, regular=await regular_instead(work, stand, known.replies))))
    if not found:
        return DatesView(found=False)
    staff, today = found[0][0].diary.staff, work.now().astimezone(TOKYO).date()
    away = await away_today(work, staff)
    proposed = [one.proposed_by for _, known in found for one in known.proposals if one.state == "proposed"]
    decides = (
        rules.why_not_decide(work.profile, actor.person, actor.agency, by, staff, today, away) is None
        for by in proposed
    )
    return DatesView(
        found=True,
        needs_approval=rules.needs_approval(work.profile, actor.person, actor.agency, staff, today),
        decides=rules.decider_title(work.profile),
        may_decide=any(decides),
        items=tuple(_item(stand, known, work, asked.lost_room) for stand, known in found),
    )


# -- showing is sharing ------------------------------------------------------------------------------------------------


async def _permitted(case: UUID, actor: Actor, work: Work) -> list[UUID]:
    """The items with a row in today's register, after a first look has asked for its permit and written one."""
    shown, unshared = await work.run(partial(_look, case, actor))
    if unshared:
        verdicts = await sharing.permitted(work, unshared, hosted_by_municipality=True)
        await work.run(partial(_register, case, actor, verdicts))
        if permits := tuple(one.permit.permit for one in verdicts.allowed if one.permit):
            with suppress(AskFailed):  # they run out by themselves
                await work.ask(ReportSpent(permits=permits), to=Account.INTAKE)
        shown, _ = await work.run(partial(_look, case, actor))
    return shown


def _look(case: UUID, actor: Actor, tx: Tx) -> tuple[list[UUID], list[Share]]:
    rows = tx.execute(select(item).where(item.c.case == case, item.c.state.in_(IN_HAND)).order_by(item.c.since)).all()
    shares = [share_to(one, actor, tx) for one in rows if why_not_arrange(one, actor, tx) is None]
    begins = datetime.combine(tx.now.astimezone(TOKYO).date(), time(), TOKYO)
    before = sharing.shared_before(disclosure, actor.person, Act.SHOW, begins, tx)
    known = [(one, (one.item, one.head.version if one.head else None) in before) for one in shares]
    return [one.item for one, seen in known if seen], [one for one, seen in known if not seen]


def _register(case: UUID, actor: Actor, verdicts: Verdicts, tx: Tx) -> None:
    """The rows of what is still allowed and not yet written."""
    for one in verdicts.refused:
        sharing.note(one, f"meetings@{tx.here}", tx)
    still = {(one.item, one.head, one.commission) for one in _look(case, actor, tx)[1]}
    rows = [one for one in verdicts.allowed if (one.share.item, one.share.head, one.share.commission) in still]
    sharing.record(disclosure, rows, f"meetings@{tx.here}", tx)


# -- one item ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What the store says of an item's polls and proposals."""

    polls: tuple[PollView, ...]
    proposals: tuple[ProposalView, ...]
    replies: tuple[Reply, ...]
    asked_for: frozenset[datetime]
    """The starts that a poll not yet used asks for; empty: none does."""
    regular: RegularOffer | None = None


def _known(stand: Stand, tx: Tx) -> Known:
    about = stand.one.id
    asked = standing_poll(tx, about)
    lines = frozenset(row.starts for row in lines_of(tx, asked.id)) if asked else frozenset()
    replies = (*replies_of(tx, about), *declined(stand.seats, stand.announced))
    return Known(_polls(tx, about), _proposals(tx, about), replies, lines)


def _item(stand: Stand, known: Known, work: Work, lost_room: bool) -> ItemDates:
    found = ranking_of(stand, known.replies, work, lost_room)
    dates = found.dates
    if known.asked_for:
        dates = tuple(one for one in dates if one.starts in known.asked_for)
    if stand.announced is not None:
        dates = fewest_changes(dates, stand.announced.starts, [one.person for one in stand.seats])
    none_because = found.none_because
    if known.asked_for and found.dates and not dates:
        none_because = "うかがった候補には、必須の席と成立の要件がそろう日時がありません。"
    return ItemDates(
        item=stand.one.id,
        state=stand.one.state,
        why=stand.one.why,
        minutes=stand.adhoc[1].minutes,
        options=tuple(offered(one) for one in spread(dates, SHOWN)),
        lawful=len(found.dates),
        none_because=none_because,
        clashing=found.clashing,
        relax=found.relax,
        polls=known.polls,
        proposals=known.proposals,
        sitting=stand.announced.id if stand.announced is not None else None,
        broken=broken_of(stand.seats, stand.announced, work.profile),
        room=stand.announced.room if stand.announced is not None else None,
        apart=stand.diary.apart.get(stand.one.id, ()),
        regular=known.regular,
    )


async def regular_instead(work: Work, stand: Stand, replies: Sequence[Reply]) -> RegularOffer | None:
    """The regular sitting to wait for, where too few agencies can come to any 随時 date (M2)."""
    occasion = await work.run(partial(next_regular, one=stand.one, diary=stand.diary))
    if occasion is None:
        return None
    ranking = ranking_of(stand, replies, work)
    seats = () if isinstance(stand.table, NoSlot) else stand.table.seats
    why = why_too_few(seats, ranking.dates, work.profile.adhoc_wants_percent)
    if not why:
        return None
    members = [agency_name(work.profile, each.agency) for each in occasion.body.roster]
    said = f"{why}。定例の構成員: {'、'.join(dict.fromkeys(members))}"
    return RegularOffer(body=occasion.body.code, starts=occasion.starts, ends=occasion.ends, why=said)


def ranking_of(stand: Stand, replies: Sequence[Reply], work: Work, lost_room: bool = False) -> Ranking:
    """Every lawful date of an item; who sits in an announced one comes first on the seat."""
    if isinstance(stand.table, NoSlot):
        return Ranking((), stand.table.why, stand.table.blocking)
    seats = sitting_first(stand.table.seats, [one.person for one in stand.seats])
    table = replace(stand.table, seats=seats)
    mode = stand.announced.mode if stand.announced is not None else None
    search = search_of(work.profile, stand.adhoc, table, stand.diary, stand.one, mode)
    if lost_room:
        search = replace(search, room_busy=room_lost(search.room_busy, stand.announced))
    return rank(replace(search, replies=tuple(replies)))


def broken_of(seats: Sequence[Row[Any]], announced: Row[Any] | None, profile: Profile) -> tuple[str, ...]:
    """What an announced sitting no longer keeps, with the answers there are."""
    body = profile.body(announced.body) if announced is not None else None
    held = [Held(one.agency, agency_name(profile, one.agency), one.need, one.answer == "absent") for one in seats]
    if body is None or not any(one.absent for one in held):
        return ()
    return broken(held, body.quorum, {one.code: one.kind for one in profile.agencies})


def offered(date: Date) -> DateOption:
    """A date as the desk shows it."""
    seats = tuple(SeatOffer(agency=seat.agency, need=seat.need, person=person) for seat, person in date.chosen)
    return DateOption(starts=date.starts, ends=date.ends, room=date.room, cost=date.cost, why=date.why, seats=seats)


def _polls(tx: Tx, about: UUID) -> tuple[PollView, ...]:
    rows = tx.execute(select(poll).where(poll.c.item == about).order_by(poll.c.opened_at.desc(), poll.c.id)).all()
    given = given_in(tx, [row.id for row in rows])
    return tuple(_poll(tx, row, given.get(row.id, [])) for row in rows)


def _poll(tx: Tx, row: Row[Any], given: Sequence[Any]) -> PollView:
    asked = tx.execute(select(poll_seat).where(poll_seat.c.poll == row.id).order_by(poll_seat.c.agency)).all()
    wavering, last = contradicting(given), {one.person: one for one in counting(given).values()}
    people = tuple(
        AskedView(
            person=one.person,
            agency=one.agency,
            need=one.need,
            mail="waiting" if one.state == "wanted" else one.state,
            why=one.why if one.state == "not_sent" else "",
            answered_at=last[one.person].at if one.person in last else None,
            typed=one.person in last and last[one.person].typed_by is not None,
            contradicts=one.person in wavering,
        )
        for one in asked
    )
    lines = (PollLine(position=one.position, starts=one.starts, ends=one.ends) for one in lines_of(tx, row.id))
    said = (
        Said(person=one.person, position=one.position, choice=one.choice, at=one.at, typed_by=one.typed_by)
        for one in given
    )
    return PollView.model_validate(
        {
            "poll": row.id,
            "standing": how(tx, row),
            "opened_at": row.opened_at,
            "closes_at": row.closes_at,
            "lines": tuple(lines),
            "asked": people,
            "said": tuple(said),
        }
    )


def _proposals(tx: Tx, about: UUID) -> tuple[ProposalView, ...]:
    rows = tx.execute(select(proposal).where(proposal.c.item == about).order_by(proposal.c.proposed_at.desc())).all()
    columns = set(ProposalView.model_fields) - {"proposal", "seats", "online"}
    return tuple(
        ProposalView.model_validate(
            {
                "proposal": row.id,
                "seats": seats_of(row),
            }
            | {name: getattr(row, name) for name in columns}
        )
        for row in rows
    )


# -- what waits for the desk -------------------------------------------------------------------------------------------


@service.answers(DatesInHand)
def dates_in_hand(asked: DatesInHand, tx: Tx) -> InHandList:
    """What somebody has to do, of the cases that this viewer may see now: that there is something, and nothing else."""
    actor = actor_of(asked.viewer, asked.viewer_agency)
    if actor is None or isinstance(may_run(actor.person, actor.agency, None, tx), Refusal):
        return InHandList(cases=())
    told = [*_polls_in_hand(tx), *_proposals_in_hand(tx), *_broken_in_hand(tx)]
    rows = {row.id: row for row in tx.execute(select(item).where(item.c.id.in_([about for about, _, _ in told])))}
    seen = {about for about, one in rows.items() if why_not_arrange(one, actor, tx) is None}
    cases = [InHand(case=rows[about].case, what=what, since=at) for about, what, at in told if about in seen]
    return InHandList(cases=tuple(sorted(cases, key=lambda one: one.since)))


def _polls_in_hand(tx: Tx) -> list[tuple[UUID, InHandWhat, datetime]]:
    found: list[tuple[UUID, InHandWhat, datetime]] = []
    standing: dict[str, InHandWhat] = {"complete": "poll_complete", "partial": "poll_partial", "nobody": "poll_nobody"}
    for row in tx.execute(select(poll).where(poll.c.closed_at.is_(None))).all():
        stands = how(tx, row)
        if stands in standing and under_way(tx, row.item) is None:
            found.append((row.item, standing[stands], min(row.closes_at, tx.now)))
    return found


def _proposals_in_hand(tx: Tx) -> list[tuple[UUID, InHandWhat, datetime]]:
    """Of each item its newest proposal, where it waits for somebody."""
    later = proposal.alias()
    newer = select(later.c.id).where(later.c.item == proposal.c.item, later.c.proposed_at > proposal.c.proposed_at)
    rows = select(proposal, item.c.state.label("stands")).join(item, item.c.id == proposal.c.item)
    mine = proposal.c.state.in_(("proposed", "returned", "void")), ~newer.exists()
    found: list[tuple[UUID, InHandWhat, datetime]] = []
    for row in tx.execute(rows.where(*mine)).all():
        what: InHandWhat = "to_approve" if row.state == "proposed" else row.state
        if row.state == "proposed" or row.stands == "waiting":
            found.append((row.item, what, row.decided_at or row.proposed_at))
    return found


def _broken_in_hand(tx: Tx) -> list[tuple[UUID, InHandWhat, datetime]]:
    """Announced 随時 sittings that a decline has broken, unless a change is under way."""
    declined_since = select(seat.c.sitting).where(
        seat.c.sitting == sitting.c.id, seat.c.cancelled_at.is_(None), seat.c.answer == "absent"
    )
    coming = sitting.c.fixed, sitting.c.cancelled_at.is_(None), sitting.c.starts > tx.now
    rows = tx.execute(select(sitting).where(*coming, sitting.c.own_item.is_not(None), declined_since.exists())).all()
    found: list[tuple[UUID, InHandWhat, datetime]] = []
    for row in rows:
        seats = tx.execute(select(seat).where(seat.c.sitting == row.id, seat.c.cancelled_at.is_(None))).all()
        if broken_of(seats, row, tx.profile) and under_way(tx, row.own_item) is None:
            since = max(one.answered_at for one in seats if one.answer == "absent")
            found.append((row.own_item, "broken", since))
    return found
