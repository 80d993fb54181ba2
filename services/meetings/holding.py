"""Changes how one sitting is held, for this once: by whoever holds the meeting, with a reason that is kept (M3, S1)."""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import select

from contracts.holding import HoldOtherwise
from contracts.message import Event
from contracts.office import Done
from services.meetings.arranging import actor_of, note_act, refused
from services.meetings.conducting import NO_SITTING, may_run
from services.meetings.gathering import rooms_of
from services.meetings.handlers import service
from services.meetings.holding_rules import why_not_hold
from services.meetings.holding_tables import Deciding, change_mode, mode_change
from services.meetings.replanning import NOBODY, REPEATED, announce_anew
from services.meetings.running_rules import Refusal
from services.meetings.running_tables import proceeding
from services.meetings.tables import sitting
from services.service import Tx, Work


@service.performs(HoldOtherwise)
async def hold_otherwise(asked: HoldOtherwise, work: Work) -> Done:
    """Keep the change and have everybody invited told of the new place. The same request changes once."""
    answers: list[Done] = []
    await work.tell(partial(_hold, asked, work.settings.link_key, answers))
    return answers[-1]


def _hold(asked: HoldOtherwise, link_key: bytes, answers: list[Done], tx: Tx) -> Iterable[Event]:
    actor = actor_of(asked.viewer, asked.viewer_agency)
    refusal = NOBODY if actor is None else may_run(actor.person, actor.agency, None, tx)
    before = tx.execute(select(mode_change).where(mode_change.c.request == asked.request)).first()
    if refusal is None and before is not None:
        same = (before.sitting, before.mode, before.reason) == (asked.sitting, asked.mode, asked.reason)
        answers.append(Done(done=True) if same else refused(REPEATED))
        return ()
    refusal = refusal or _unlawful(asked, tx)
    note_act(tx, "hold-otherwise", actor, None, refusal)
    if refusal or actor is None:
        answers.append(refused(refusal or NOBODY))
        return ()
    where = tx.execute(select(sitting).where(sitting.c.id == asked.sitting)).one()
    change_mode(tx, where, asked.mode, asked.reason, Deciding(asked.request, actor.person, actor.agency))
    announce_anew(tx, where.id, link_key)
    answers.append(Done(done=True))
    return ()


def _unlawful(asked: HoldOtherwise, tx: Tx) -> Refusal | None:
    mine = sitting.c.id == asked.sitting, sitting.c.fixed, sitting.c.cancelled_at.is_(None)
    where = tx.execute(select(sitting).where(*mine)).first()
    body = tx.profile.body(where.body) if where else None
    if where is None or body is None:
        return NO_SITTING
    acted = tx.execute(select(proceeding.c.number).where(proceeding.c.sitting == where.id).limit(1)).first()
    return why_not_hold(
        where.mode,
        asked.before,
        asked.mode,
        begun=acted is not None or where.starts <= tx.now,
        able=tx.profile.online is not None,
        lacks_room=where.room is None and bool(rooms_of(tx.profile, body, asked.mode)),
    )
