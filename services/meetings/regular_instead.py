"""随時だけでは、外部の専門職が出られないことが多い: the regular sitting to wait for, and the button that does (M2)."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row, select, update

from contracts.message import Event
from contracts.office import Done
from contracts.proposing import TakeRegular
from services.meetings.arranging import NOT_THERE, actor_of, announced_of, note_act, refused, why_not_arrange
from services.meetings.domain import Claim, Occasion
from services.meetings.gathering import Diary
from services.meetings.handlers import SEARCHING, service
from services.meetings.placing import look_around_for
from services.meetings.planning import agendas, choose
from services.meetings.proposing_store import forget_dates
from services.meetings.ranking import Date
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import NoSlot, Wanted
from services.meetings.stopping import call_anew
from services.meetings.tables import item
from services.service import Tx, Work

TO_REGULAR = "定例の会議を待つことにしました。"
NO_REGULAR = Refusal(
    "M2",
    "この議題を扱える定例の会議が、いまはありません。",
    "随時の日時を選ぶか、定例の会議体の設定を確かめてください。",
)


def next_regular(tx: Tx, one: Row[Any], diary: Diary) -> Occasion | None:
    """The next regular sitting with room that may hear this item; None where only some may hear it (C3)."""
    if one.only_agencies:
        return None
    way = diary.route(False, Claim(one.area, one.coordinator, one.body))
    found = choose(tx, one, way, diary.heads.get(one.case), agendas(tx)) if way.occasions else NoSlot((), "")
    return None if isinstance(found, NoSlot) else found


def why_too_few(seats: Sequence[Wanted], dates: Iterable[Date], wants_percent: int) -> str:
    """Who cannot come to the 随時 date with the most agencies, where those are too few; empty where enough can (M2)."""
    called = dict.fromkeys(each.agency for each in seats)
    names = {each.agency: each.name for each in seats}
    best: set[str] | None = None
    for date in dates:
        here = {each.agency for each, person in date.chosen if person is not None}
        if best is None or len(here) > len(best):
            best = here
    if best is None:
        return "随時に、必須の席と成立の要件がそろう日時がありません"
    if len(best) * 100 >= wants_percent * len(called):
        return ""
    away = "、".join(names[code] for code in called if code not in best)
    return f"いちばん多くそろう随時の日でも、{len(called)}機関のうち{len(best)}機関です(出られない機関: {away})"


@service.performs(TakeRegular)
async def take_regular(asked: TakeRegular, work: Work) -> Done:
    """The item waits for the next regular sitting from now on. Raises AskFailed; then nothing is changed."""
    around = await look_around_for(work, asked.item)
    answers: list[Done] = []
    await work.tell(partial(_take, asked, around[1] if around else None, answers))
    return answers[-1]


def _take(asked: TakeRegular, diary: Diary | None, answers: list[Done], tx: Tx) -> Iterable[Event]:
    actor = actor_of(asked.viewer, asked.viewer_agency)
    one = tx.execute(select(item).where(item.c.id == asked.item)).first()
    refusal = why_not_arrange(one, actor, tx)
    if refusal is None and one is not None and not one.urgent:
        answers.append(Done(done=True))
        return ()
    if refusal is None and (one is None or diary is None or one.state == "reserving"):
        refusal = NOT_THERE
    if refusal is None and one is not None and diary is not None and next_regular(tx, one, diary) is None:
        refusal = NO_REGULAR
    note_act(tx, "take-regular", actor, one, refusal)
    if refusal or one is None:
        answers.append(refused(refusal or NOT_THERE))
        return ()
    forget_dates(tx, one.id, TO_REGULAR)
    announced = announced_of(tx, one.id)
    told = call_anew(tx, announced, [one], TO_REGULAR) if announced is not None else []
    waiting = {"urgent": False, "state": "waiting", "next_try": tx.now, "why": SEARCHING}
    tx.execute(update(item).where(item.c.id == one.id).values(waiting))
    answers.append(Done(done=True))
    return told
