"""Takes down who has handed in a 誓約書, by whoever holds the meeting (S1, S16)."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from sqlalchemy import insert, select

from contracts.body_secrecy import NotePledges
from contracts.directory import Staff, StaffView
from contracts.message import Event
from contracts.office import Done
from services.meetings.arranging import Actor, actor_of, note_act, refused
from services.meetings.handlers import service
from services.meetings.pledge_tables import pledge, pledged, wanted
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import TOKYO
from services.meetings.seating import MUST_ATTEND
from services.meetings.tables import sitting
from services.service import Tx, Work

NOT_ASKED = Refusal(
    "S16", "この会議体は、誓約書を求めていません。", "求めるときは、会議体の設定の pledge を true にしてください。"
)
NOT_YOURS = Refusal(
    "S1", "誓約書を記録できるのは、開催する機関の担当者だけです。", "市町村か多機関協働事業者の担当者に頼んでください。"
)
NOBODY_SUCH = Refusal("S16", "職員の名簿にいない人が選ばれています。", "名簿に登録してから、選び直してください。")
LATER = Refusal("S16", "誓約書の日付が、今日より後です。", "署名した日(今日まで)を入れてください。")
REPEATED = Refusal("S16", "この画面からは、すでに別の内容を記録しました。", "画面を読み直してください。")


@service.performs(NotePledges)
async def note_pledges(asked: NotePledges, work: Work) -> Done:
    """Keep who handed one in. Who is noted already stays as noted; the same request notes once. Raises AskFailed."""
    staff = {one.person: one for one in (await work.ask(Staff())).staff}
    answers: list[Done] = []
    await work.tell(partial(_note, asked, staff, answers))
    return answers[-1]


def _note(asked: NotePledges, staff: dict[UUID, StaffView], answers: list[Done], tx: Tx) -> Iterable[Event]:
    actor = actor_of(asked.viewer, asked.viewer_agency)
    where = tx.execute(select(sitting).where(sitting.c.id == asked.sitting, sitting.c.fixed)).first()
    body = where.body if where else ""
    refusal = _unlawful(asked, staff, actor, body, tx)
    note_act(tx, "note-pledges", actor, None, refusal)
    if refusal or actor is None:
        answers.append(refused(refusal or NOT_YOURS))
        return ()
    have = pledged(tx, body)
    facts = {"body": body, "compartment": tx.here, "signed_on": asked.signed_on, "request": asked.request}
    facts |= {"noted_by": actor.person, "noted_for": actor.agency, "at": tx.now}
    new = [one for one in dict.fromkeys(asked.persons) if one not in have]
    if new:
        tx.execute(insert(pledge), [facts | {"person": one, "agency": staff[one].agency} for one in new])
    answers.append(Done(done=True))
    return ()


def _unlawful(
    asked: NotePledges, staff: dict[UUID, StaffView], actor: Actor | None, body: str, tx: Tx
) -> Refusal | None:
    kinds = {one.code: one.kind for one in tx.profile.agencies}
    if actor is None or kinds.get(actor.agency) not in MUST_ATTEND[tx.here]:
        return NOT_YOURS
    if not wanted(tx, body):
        return NOT_ASKED
    before = set(tx.execute(select(pledge.c.person).where(pledge.c.request == asked.request)).scalars())
    if before and not before <= set(asked.persons):
        return REPEATED
    if any(one not in staff for one in asked.persons):
        return NOBODY_SUCH
    return LATER if asked.signed_on > tx.now.astimezone(TOKYO).date() else None
