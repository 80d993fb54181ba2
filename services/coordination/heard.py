"""What meetings tells of a sitting that is run: the result somebody records has to be what that sitting found.

A sitting that nobody runs here (on paper) leaves nothing; its result is typed in, and judged by its date alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update

from contracts.life import OUTCOME_TEXT, Outcome, Step, TakeStep
from contracts.message import Event
from contracts.running import HearingOpened, ItemHeard
from services.coordination.handlers import service
from services.coordination.life_terms import Life, Refusal
from services.coordination.life_views import brought_by, hearing_of, unrecorded
from services.coordination.tables import hearing, item
from services.service import NotYet, Tx

STILL_OPEN = Refusal(
    "P1", "この議題の会議は、まだ閉会していません。", "会議の画面で閉会してから、結果を確かめて記録してください。"
)


@service.on(HearingOpened)
def note_opening(told: HearingOpened, tx: Tx) -> Iterable[Event]:
    """The sitting is held: until it is closed nobody records a result (P1)."""
    _keep(told, {"outcome": None, "present": [], "heard_on": None, "approved": False}, tx)
    return ()


@service.on(ItemHeard)
def note_hearing(told: ItemHeard, tx: Tx) -> Iterable[Event]:
    """The sitting heard the item: what a person may now confirm as the result (D5)."""
    facts = {"outcome": told.outcome.value, "present": list(told.present), "heard_on": told.heard_on}
    _keep(told, facts | {"approved": told.approved}, tx)
    return ()


def _keep(told: HearingOpened | ItemHeard, facts: dict[str, Any], tx: Tx) -> None:
    """Keep it if it is news. Raises NotYet for a sitting that this case is not known to be at (T1)."""
    known = tx.execute(select(item.c.sitting, item.c.placement).where(item.c.id == told.about)).first()
    if known is None:
        raise NotYet
    if known.placement > told.version:  # the sitting has let it go since
        return
    if known.sitting != told.sitting:
        raise NotYet
    new = facts | {"sitting": told.sitting, "version": told.version}
    before = hearing_of(told.about, tx)
    if before is None:
        tx.execute(insert(hearing).values(item=told.about, **new))
    elif before.version < told.version:
        tx.execute(update(hearing).where(hearing.c.item == told.about).values(new))


def otherwise_heard(asked: TakeStep, rows: Sequence[Row[Any]], now: Life, tx: Tx) -> Refusal | None:
    """None unless the sitting of this item was run here and found something else, or is not closed (T1, D5, P1)."""
    act = asked.act
    if act.step is Step.RECORD_RESULT:
        about = brought_by(rows, tx)
    elif act.step is Step.RECORD_FIRST:
        about = unrecorded([asked.case], tx).get(asked.case)
    else:
        return None
    found = hearing_of(about.id, tx) if about is not None else None
    if found is None:
        return None
    if found.outcome is None:
        return STILL_OPEN
    said = Outcome(found.outcome)
    if act.step is Step.RECORD_RESULT and act.outcome is not said:
        reason = f"会議録では、結果は「{OUTCOME_TEXT[said]}」です。"
        return Refusal("D5", reason, "会議録のとおりに記録してください。違うときは、改めて会議に付議してください。")
    if set(act.present) != set(found.present) - now.outside.keys():
        reason = "出席した機関が、会議の記録と違います。"
        return Refusal("P1", reason, "会議の画面で、この議題を聞いた機関を確かめてください。")
    if act.on != found.heard_on:
        return Refusal("T1", "会議の日が、会議の記録と違います。", "会議の画面で、開かれた日を確かめてください。")
    return None
