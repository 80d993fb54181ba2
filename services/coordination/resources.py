"""受入先 of 参加支援 and who takes part where: matches of cases the viewer may see, with their フォローアップ (D4)."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.challenges import Done, PlaceKind
from contracts.life import LegalService
from contracts.resources import (
    FollowedUp,
    Match,
    MatchEnd,
    NoteMatch,
    NotePlace,
    Place,
    ResourceList,
    Resources,
)
from services.coordination import domain, living, showing
from services.coordination.handlers import service
from services.coordination.life_views import acts_of, life_of
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import follow_up, matching, place
from services.service import Shut, Tx, Work

SEALED_IN, WORDS_IN = "place.words", "follow_up.words"
LONGEST = timedelta(days=366)
NOT_OFFICE = "受入先は、市町村と多機関協働事業者と参加支援事業者が扱います。"
ASK_OFFICE = "担当課か推進員に伝えてください。"
KINDS = ("municipality", "coordinator", "participation")
ANOTHER = Done(
    done=False, rule="D4", reason="同じ画面から、すでに別の内容を記録しました。", next_step="画面を読み直してください。"
)


def _no(reason: str, next_step: str, rule: str = "D4") -> Done:
    return Done(done=False, rule=rule, reason=reason, next_step=next_step)


def _works_with(viewer: Viewer | None, tx: Tx) -> bool:
    kinds = {agency.code: agency.kind for agency in tx.profile.agencies}
    return viewer is not None and kinds.get(viewer.agency) in KINDS


@service.performs(Resources)
async def list_resources(asked: Resources, work: Work) -> ResourceList:
    """All places, and the matches of the cases this viewer may see."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    only = None if asked.case is None else [asked.case]
    return await showing.show(work, viewer, only, partial(_listed, viewer))


@service.performs(NotePlace)
async def note_place(asked: NotePlace, work: Work) -> Done:
    """Enter or close a 受入先."""
    return await work.run(partial(_place, asked, showing.viewer_of(asked.viewer, asked.viewer_agency)))


@service.performs(NoteMatch)
async def note_match(asked: NoteMatch, work: Work) -> Done:
    """For somebody who may see the case."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return _no("この事案は見られません。", "事案の番号と同意を確かめてください。", "C1")
    return await work.run(partial(_match, asked, viewer))


# -- places ------------------------------------------------------------------------------------------------------------


def _place(asked: NotePlace, viewer: Viewer | None, tx: Tx) -> Done:
    if viewer is None or not _works_with(viewer, tx):
        return _no(NOT_OFFICE, ASK_OFFICE)
    if asked.place is not None:
        mine = place.c.id == asked.place
        if tx.execute(select(place.c.id).where(mine)).first() is None:
            return _no("この受入先はありません。", "一覧から選び直してください。")
        tx.execute(update(place).where(mine, place.c.closed_on.is_(None)).values(closed_on=domain.today(tx.now)))
        return Done(done=True, ref=asked.place)
    known = tx.execute(select(place).where(place.c.request == asked.request)).first()
    words = {"name": asked.name.strip(), "where": asked.where.strip(), "conditions": asked.conditions.strip()}
    if known is not None:
        same = json.loads(tx.open(known.id, SEALED_IN, known.words)) == words
        return Done(done=True, ref=known.id) if same and known.kind == asked.kind else ANOTHER
    if not words["name"] or not words["where"]:
        return _no("受入先の名前か場所がありません。", "名前と場所を入れてください。")
    ref = tx.ref()
    row = {"id": ref, "request": asked.request, "compartment": tx.here, "kind": asked.kind, "capacity": asked.capacity}
    row |= {"opened_on": domain.today(tx.now)}
    sealed = tx.seal(ref, SEALED_IN, json.dumps(words, ensure_ascii=False))
    tx.execute(insert(place).values(row | {"words": sealed}))
    return Done(done=True, ref=ref)


# -- matches -----------------------------------------------------------------------------------------------------------


def _match(asked: NoteMatch, viewer: Viewer, tx: Tx) -> Done:
    if not _works_with(viewer, tx):
        return _no(NOT_OFFICE, ASK_OFFICE)
    if asked.on > domain.today(tx.now):
        return _no("日付が今日より後です。", "実際に行った日を入れてください。")
    if refusal := _closed(asked, tx):
        return refusal
    if asked.act == "begin":
        return _begin(asked, tx)
    found = tx.execute(select(matching).where(matching.c.id == asked.match, matching.c.case == asked.case)).first()
    if found is None:
        return _no("この受入先での参加はありません。", "事案の画面から選び直してください。")
    return _end(asked, found, tx) if asked.act == "end" else _look_after(asked, found, viewer, tx)


def _closed(asked: NoteMatch, tx: Tx) -> Done | None:
    """Nothing is added to an erased case, or to one whose consent does not open it (C11)."""
    if refusal := living.why_closed(asked.case, tx):
        return _no(refusal.reason, refusal.next_step, refusal.rule)
    return None


def _begin(asked: NoteMatch, tx: Tx) -> Done:
    known = tx.execute(select(matching).where(matching.c.request == asked.request)).first()
    if known is not None:
        return Done(done=True, ref=known.id) if (known.case, known.place) == (asked.case, asked.place) else ANOTHER
    life = life_of(asked.case, acts_of(asked.case, tx), tx)
    planned = life.fixed_plan is not None and LegalService.PARTICIPATION in life.fixed_plan.services
    if not (life.fixed_before and planned) and LegalService.PARTICIPATION not in life.early:
        return _no(
            "参加支援は、重層的支援会議が必要と認め、支援決定のあったプランにある人だけが使えます。",
            "参加支援を入れたプランを会議に付議して、支援決定を記録してください。早く要るときは早期支援を始めてください。",
        )
    where = tx.execute(select(place).where(place.c.id == asked.place)).first()
    if where is None or where.closed_on is not None:
        return _no("この受入先はありません(または閉じています)。", "開いている受入先を選んでください。")
    if asked.on < where.opened_on:
        return _no("受入先を登録した日より前です。", "日付を確かめてください。")
    if where.capacity <= _taken(tx)[where.id]:
        return _no("この受入先は、いま空きがありません。", "ほかの受入先を選ぶか、空くのを待ってください。")
    if not _soon(asked.next_on, asked.on):
        return _no("フォローアップの日がありません(始めた日の後1年以内)。", "次に様子を確かめる日を入れてください。")
    ref = tx.ref()
    row = {"id": ref, "request": asked.request, "compartment": tx.here, "case": asked.case, "place": asked.place}
    tx.execute(insert(matching).values(row | {"began_on": asked.on, "follow_up_on": asked.next_on}))
    return Done(done=True, ref=ref)


def _look_after(asked: NoteMatch, found: Row[Any], viewer: Viewer, tx: Tx) -> Done:
    known = tx.execute(select(follow_up).where(follow_up.c.request == asked.request)).first()
    if known is not None:
        return Done(done=True, ref=found.id) if known.matching == found.id else ANOTHER
    if found.ended_on is not None:
        return _no("この参加は、もう終わっています。", "改めて始めるときは、受入先を選んでください。")
    if not asked.words.strip() or asked.on < found.began_on:
        return _no("様子が書かれていないか、日付が始めた日より前です。", "確かめた日と様子を書いてください。")
    if not _soon(asked.next_on, asked.on):
        return _no("次のフォローアップの日がありません(1年以内)。", "次の日を入れるか、終わりを記録してください。")
    row = {"request": asked.request, "matching": found.id, "compartment": tx.here, "on": asked.on, "by": viewer.person}
    tx.execute(insert(follow_up).values(row | {"words": tx.seal(asked.case, WORDS_IN, asked.words)}))
    tx.execute(update(matching).where(matching.c.id == found.id).values(follow_up_on=asked.next_on))
    return Done(done=True, ref=found.id)


def _end(asked: NoteMatch, found: Row[Any], tx: Tx) -> Done:
    if found.ended_on is not None:
        same = (found.ended_on, found.way) == (asked.on, asked.way)
        return (
            Done(done=True, ref=found.id) if same else _no("終わりは、もう記録されています。", "読み直してください。")
        )
    if asked.way is None or asked.on < found.began_on:
        return _no("終わり方がないか、日付が始めた日より前です。", "終わり方と日付を入れてください。")
    ended = {"ended_on": asked.on, "way": asked.way, "follow_up_on": None}
    tx.execute(update(matching).where(matching.c.id == found.id).values(ended))
    return Done(done=True, ref=found.id)


def _soon(day: date | None, after: date) -> bool:
    return day is not None and after < day <= after + LONGEST


def _taken(tx: Tx) -> Counter[UUID]:
    return Counter(tx.execute(select(matching.c.place).where(matching.c.ended_on.is_(None))).scalars())


# -- reading -----------------------------------------------------------------------------------------------------------


def _listed(viewer: Viewer | None, sight: Sight, tx: Tx) -> ResourceList:
    if sight.fenced:
        return ResourceList(fenced=True)
    if not _works_with(viewer, tx):
        return ResourceList(reason=NOT_OFFICE, next_step=ASK_OFFICE)
    rows = [row for row in tx.execute(select(matching)) if row.case in sight.shown]
    matches = sorted(_matches(rows, tx), key=lambda one: (one.follow_up_on or date.max, one.match))
    return ResourceList(places=tuple(_places(tx)), matches=tuple(matches))


def _places(tx: Tx) -> Iterable[Place]:
    taken, rows = _taken(tx), tx.execute(select(place).order_by(place.c.kind, place.c.opened_on, place.c.id)).all()
    tx.fetch_keys([row.id for row in rows])
    for row in rows:
        yield Place(
            place=row.id,
            kind=PlaceKind(row.kind),
            capacity=row.capacity,
            free=0 if row.closed_on else max(0, row.capacity - taken[row.id]),
            opened_on=row.opened_on,
            closed_on=row.closed_on,
            **json.loads(tx.open(row.id, SEALED_IN, row.words)),
        )


def _matches(rows: Sequence[Row[Any]], tx: Tx) -> Iterable[Match]:
    history, today = defaultdict(list), domain.today(tx.now)
    cases = {row.id: row.case for row in rows}
    tx.fetch_keys(list(set(cases.values())))
    for one in tx.execute(select(follow_up).order_by(follow_up.c.on)):
        if one.matching in cases:
            history[one.matching].append(FollowedUp(on=one.on, words=_opened(cases[one.matching], one.words, tx)))
    for row in rows:
        yield Match(
            match=row.id,
            case=row.case,
            place=row.place,
            began_on=row.began_on,
            follow_up_on=row.follow_up_on,
            late=row.follow_up_on is not None and row.follow_up_on < today,
            ended_on=row.ended_on,
            way=MatchEnd(row.way) if row.way else None,
            history=tuple(history[row.id]),
        )


def _opened(case: UUID, sealed: bytes, tx: Tx) -> str:
    try:
        return tx.open(case, WORDS_IN, sealed)
    except Shut:
        return ""
