"""What is due of many cases at once: for the week's list, for reminders, and for what has been overdue too long."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.life import Due
from services.coordination import domain
from services.coordination.answers import answers_of, with_answers
from services.coordination.deadlines import due
from services.coordination.gone import named_in, no_more, tables_of
from services.coordination.life_terms import Life
from services.coordination.life_views import anxious, coming, day_of, folded, unrecorded
from services.coordination.portions import portions
from services.coordination.showing import Viewer
from services.coordination.tables import act, case, commissions, erased, inquiry, inquiry_answer
from services.coordination.unasked import unasked_of, with_unasked
from services.service import Tx


@dataclass(frozen=True)
class Dues:
    """A case with what is due of it, the earliest first, and who acted on it last."""

    case: UUID
    life: Life
    due: tuple[Due, ...]
    last: Viewer | None


def dues(cases: Iterable[UUID], tx: Tx) -> list[Dues]:
    """What is due of these cases; those of which nothing is, and erased ones, are left out."""
    return [one for one in standings(cases, tx).values() if one.due]


def standings(cases: Iterable[UUID], tx: Tx) -> dict[UUID, Dues]:
    """Where each of these cases stands, and what is due of it; erased ones are left out."""
    found, today = dict[UUID, Dues](), domain.today(tx.now)
    for part in portions(cases):
        acts = defaultdict(list)
        for one in tx.execute(select(act).where(act.c.case.in_(part)).order_by(act.c.case, act.c.number)):
            acts[one.case].append(one)
        gone = set(tx.execute(select(erased.c.subject).where(erased.c.subject.in_(part))).scalars())
        tables = tables_of(part, tx)
        firsts, meets, worried = unrecorded(part, tx), coming(part, tx), anxious(part, tx)
        answers, silent = answers_of(part, tx), unasked_of(part, tx)
        for row in tx.execute(select(case).where(case.c.id.in_(part), case.c.id.not_in(gone))):
            first, rows = firsts.get(row.id), acts[row.id]
            first_on = domain.today(first.starts) if first else None
            now = replace(folded(rows, tx), first_on=first_on, referrer=row.referrer, received_on=row.received_on)
            now = with_unasked(with_answers(now, rows, answers.get(row.id, ()), tx), silent.get(row.id))
            now = replace(now, meets_on=day_of(meets.get(row.id)), anxious_since=worried.get(row.id))
            now = replace(now, gone=no_more(tx.profile, named_in(now, tables.get(row.id, ())), today))
            wanted = due(now, domain.today(row.opened_at), today, tx.profile.deadlines)
            last = Viewer(rows[-1].by, rows[-1].agency) if rows else None
            found[row.id] = Dues(row.id, now, tuple(wanted), last)
    return found


def lapsing(tx: Tx) -> Sequence[Row[Any]]:
    """The commissions that lapse soon and have no later one of the same agency and person (S6), the first first."""
    one, later = commissions.commission, commissions.commission.alias()
    ended = select(commissions.ended.c.commission)
    until = tx.now + timedelta(days=tx.profile.deadlines.commission_days)
    same = later.c.agency == one.c.agency, later.c.person.is_not_distinct_from(one.c.person)
    renewed = select(later).where(*same, later.c.ends > one.c.ends, later.c.id.not_in(ended))
    running = one.c.starts <= tx.now, tx.now < one.c.ends, one.c.ends <= until, one.c.id.not_in(ended)
    wanted = select(one.c.id, one.c.agency, one.c.ends).where(*running, ~renewed.exists())
    return tx.execute(wanted.order_by(one.c.ends, one.c.agency)).all()


def unanswered(cases: Iterable[UUID], until: date, tx: Tx) -> Sequence[Row[Any]]:
    """What agencies were asked of these cases, is due until then and has no answer; nothing of an erased case (C8)."""
    answered = select(inquiry_answer.c.inquiry).where(inquiry_answer.c.inquiry == inquiry.c.id).exists()
    gone = select(erased.c.subject).where(erased.c.subject == inquiry.c.case).exists()
    found: list[Row[Any]] = []
    for part in portions(cases):
        due_soon = inquiry.c.case.in_(part), inquiry.c.due_on <= until, ~answered, ~gone
        found += tx.execute(select(inquiry).where(*due_soon).order_by(inquiry.c.due_on, inquiry.c.id)).all()
    return found
