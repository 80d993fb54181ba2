"""Intake tells what the 紹介元 was answered (T9). A case that goes back leaves the meetings it was put to by itself."""

from collections.abc import Iterable

from sqlalchemy import insert, select

from contracts.message import Event
from contracts.triage import ReferralAnswered, Way
from services.coordination.deadlines import goes_back
from services.coordination.handlers import service
from services.coordination.life_views import acts_of, is_erased, life_of
from services.coordination.living import not_heard, take_back_items
from services.coordination.tables import act, answer, case
from services.service import NotYet, Tx


@service.on(ReferralAnswered)
def learn_answer(told: ReferralAnswered, tx: Tx) -> Iterable[Event]:
    """Keep the answer: codes only. Raises NotYet before the case is there; told again it changes nothing.

    「戻す」 withdraws what the referral itself put to a meeting and none has heard. What somebody brought since is for
    that person to take back; a case heard already is told, with its due, what is lawful instead (D8).
    """
    if tx.execute(select(case.c.id).where(case.c.id == told.about)).first() is None:
        raise NotYet
    mine = answer.c.case == told.about
    known = set(tx.execute(select(answer.c.number).where(mine)).scalars())
    if told.number in known:
        return ()
    row = told.model_dump(include={"number", "answered_on", "by", "agency"}) | {"way": told.way.value}
    tx.execute(insert(answer).values(row | {"case": told.about, "compartment": tx.here, "at": tx.now}))
    newest = told.number > max(known, default=0)
    if told.way is not Way.RETURN or not newest or is_erased(told.about, tx):
        return ()
    if not goes_back(life_of(told.about, acts_of(told.about, tx), tx)):
        return ()
    brought = set(tx.execute(select(act.c.item).where(act.c.case == told.about, act.c.item.is_not(None))).scalars())
    return take_back_items([one for one in not_heard(told.about, tx) if one.id not in brought], tx)
