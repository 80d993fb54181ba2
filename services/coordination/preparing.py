"""The 準備シート: what agencies said of a case, merged by subject, and what its next meeting still has to find out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import select

from contracts.preparing import (
    ONE_FOR_ALL,
    Accepted,
    Answer,
    AnswerView,
    DateOf,
    InquiryView,
    LookAtSheet,
    OpenPoint,
    SaidOf,
    Section,
    SheetView,
    Subject,
)
from services.coordination import inquiries, roster, rostering, showing
from services.coordination.handlers import service
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import item
from services.service import Tx, Work


@service.performs(LookAtSheet)
async def look_at_sheet(asked: LookAtSheet, work: Work) -> SheetView:
    """The sheet of a case, for somebody who may see the case; the look stands in the register."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, [asked.case], partial(_view, asked.case, viewer))


def sections(asked: Sequence[InquiryView]) -> tuple[Section, ...]:
    """What the newest answer of each inquiry says, by subject in the order of the sheet, the earliest said first."""
    found: defaultdict[Subject, list[SaidOf]] = defaultdict(list)
    for one in asked:
        for answer in _newest(one):
            found[answer[1].subject].append(_said_of(one.agency, *answer))
    return tuple(
        Section(subject=subject, said=tuple(sorted(found[subject], key=lambda one: (one.said_on, one.agency))))
        for subject in Subject
        if subject in found
    )


def points(asked: Sequence[InquiryView], accepted: Accepted | None, roles: Iterable[str]) -> tuple[OpenPoint, ...]:
    """What is open: nobody answered, a subject was left out, days contradict, somebody at the table has no role.

    ``roles``: the agencies with a role in the newest plan.
    """
    found = [OpenPoint(kind="no_roster", rule="P5")] if accepted is None else []
    found += [_unanswered(one) for one in asked if not one.answers]
    found += [point for one in asked if one.answers for point in _left_out(one)]
    found += _contradictions(asked)
    if accepted is not None and (idle := _without_role(asked, accepted, roles)):
        found.append(OpenPoint(kind="no_role", rule="T2", agencies=idle))
    return tuple(found)


def _unanswered(one: InquiryView) -> OpenPoint:
    return OpenPoint(kind="unanswered", rule="C8", agencies=(one.agency,), due_on=one.due_on, late=one.late)


def _left_out(one: InquiryView) -> Iterable[OpenPoint]:
    said = {answer.subject for answer in one.answers[-1].answers if answer.text.strip() or answer.on}
    for asked in one.asks:
        if asked.subject not in said:
            yield OpenPoint(kind="not_said", rule="C8", agencies=(one.agency,), subject=asked.subject)


def _contradictions(asked: Sequence[InquiryView]) -> Iterable[OpenPoint]:
    """Of a thing that happens once, agencies name different days. Of what an agency said twice the newest counts."""
    days: defaultdict[DateOf, dict[str, tuple[date, datetime, date]]] = defaultdict(dict)
    for one in asked:
        for view, answer in _newest(one):
            if answer.date_of in ONE_FOR_ALL and answer.on is not None:
                told = view.said_on, view.at, answer.on
                days[answer.date_of][one.agency] = max(told, days[answer.date_of].get(one.agency, told))
    for date_of in DateOf:
        named = {agency: on for agency, (_, _, on) in days[date_of].items()}
        if len(set(named.values())) > 1:
            ordered = sorted(named.items(), key=lambda one: (one[1], one[0]))
            yield OpenPoint(
                kind="dates",
                rule="T2",
                date_of=date_of,
                agencies=tuple(agency for agency, _ in ordered),
                days=tuple(on for _, on in ordered),
            )


def _without_role(asked: Sequence[InquiryView], accepted: Accepted, roles: Iterable[str]) -> tuple[str, ...]:
    """Agencies at the table of which neither the plan nor their own answer says what they do (T2 A, D7)."""
    offered = {one.agency for one in asked for _, answer in _newest(one) if answer.subject is Subject.ROLE}
    known = offered | set(roles)
    return tuple(one.agency for one in accepted.choice.seats if one.agency not in known)


def _newest(one: InquiryView) -> Iterable[tuple[AnswerView, Answer]]:
    if one.answers:
        for answer in one.answers[-1].answers:
            if answer.text.strip() or answer.on:
                yield one.answers[-1], answer


def _said_of(agency: str, view: AnswerView, answer: Answer) -> SaidOf:
    return SaidOf(
        agency=agency,
        text=answer.text,
        date_of=answer.date_of,
        on=answer.on,
        said_by=view.said_by,
        said_on=view.said_on,
        by=view.by,
    )


def _view(about: UUID, viewer: Viewer | None, sight: Sight, tx: Tx) -> SheetView:
    if about not in sight.shown or viewer is None:
        return SheetView(found=False)
    asked, accepted = inquiries.of_case(about, viewer, tx), rostering.newest(about, tx)
    asks = roster.may_decide(viewer.agency, tx.here, tx.profile) and rostering.shut(about, tx) is None
    reach = rostering.may_hear(about, tx)
    heard = item.c.case == about, item.c.withdrawn_at.is_(None), item.c.starts > tx.now
    return SheetView(
        found=True,
        may_ask=asks,
        askable=tuple(one.code for one in tx.profile.agencies if one.code in reach) if asks else (),
        roster=accepted,
        sections=sections(asked),
        points=points(asked, accepted, rostering.roles_of(about, tx)),
        inquiries=asked,
        sitting=tx.connection.scalar(select(item.c.starts).where(*heard).order_by(item.c.starts).limit(1)),
    )
