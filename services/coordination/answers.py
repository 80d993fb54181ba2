"""What is known of the answer to the 紹介元 (T9): in juso as intake told it, beside what the acts of the case say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.life import Answered, Step
from services.coordination import charge
from services.coordination.life_terms import Life
from services.coordination.tables import answer
from services.service import Tx

Rows = Sequence[Row[Any]]
ENDS_IT = (Step.GIVE_BACK, Step.REOPEN)
"""Acts after which an earlier 「戻す」 of 受付 has been followed, or is over."""


def answers_of(cases: Sequence[UUID], tx: Tx) -> Mapping[UUID, Rows]:
    """By case, the answers that 受付 recorded, oldest first."""
    found = defaultdict(list)
    for row in tx.execute(select(answer).where(answer.c.case.in_(cases)).order_by(answer.c.case, answer.c.number)):
        found[row.case].append(row)
    return found


def with_answers(life: Life, acts: Rows, answers: Rows, tx: Tx) -> Life:
    """The life with what 受付 answered. Where nobody referred the case there is nobody to be answered (氷見市)."""
    if charge.has_no_referral(tx.profile, life.referrer):
        return replace(life, answered=True)
    if not answers:
        return life
    last = answers[-1]
    since = max((row.at for row in acts if row.step in ENDS_IT), default=None)
    open_still = last.way == "return" and (since is None or since < last.at)
    return replace(life, answered=True, told_back=last.answered_on if open_still else None)


def shown(answers: Rows) -> tuple[Answered, ...]:
    """As the page of the case tells them."""
    return tuple(
        Answered(number=one.number, way=one.way, answered_on=one.answered_on, by=one.by, agency=one.agency)
        for one in answers
    )
