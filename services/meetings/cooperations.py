"""協力依頼 of a 支援会議: a fixed question to a body outside, one way; what comes back stays in shien (S5, S6)."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert, select, update

from contracts.commission import (
    AskCooperation,
    Cooperation,
    CooperationList,
    Cooperations,
    CooperationView,
    NoteCooperation,
)
from contracts.erasure import EraseAnswers, Erased
from contracts.message import Event
from services.meetings import grounds, secrecy
from services.meetings.handlers import service
from services.meetings.seating import agency_name
from services.meetings.tables import cooperation, item
from services.service import Shut, Tx

SEALED_IN = "cooperation.answer"
NO_CASE = "この事案は支援会議にありません。事案の画面から依頼してください。"
NO_REQUEST = "この協力依頼は見つかりません。事案の画面から選び直してください。"
ANSWERED = "この協力依頼には、すでに回答が記録されています。"


@service.does(AskCooperation)
def ask_cooperation(asked: AskCooperation, tx: Tx) -> tuple[Cooperation, Iterable[Event]]:
    """Record the request and give the letter. A body that is commissioned is not asked but invited (S8)."""
    if tx.execute(select(item.c.id).where(item.c.case == asked.case).limit(1)).first() is None:
        return Cooperation(done=False, rule="S5", message=NO_CASE), ()
    bound = any(bond.agency == asked.agency for bond in grounds.bonds(tx))
    refusal = secrecy.why_not_ask(asked, tx.profile, bound, tx.now)
    outcome, rule = ("refuse", refusal.rule) if refusal else ("allow", "P3")
    tx.audit(act="ask", outcome=outcome, rule=rule, case=asked.case, detail=asked.agency)
    if refusal:
        return Cooperation(done=False, rule=refusal.rule, message=refusal.message), ()
    request, facts = tx.ref(), asked.model_dump()
    tx.execute(insert(cooperation).values(id=request, compartment=tx.here, asked_at=tx.now, **facts))
    return Cooperation(done=True, request=request, letter=secrecy.letter(asked, tx.profile)), ()


@service.does(NoteCooperation)
def note_cooperation(asked: NoteCooperation, tx: Tx) -> tuple[Cooperation, Iterable[Event]]:
    """Keep the answer, sealed; or that the body asks back, which it may only do once it is commissioned (S6)."""
    found = tx.execute(select(cooperation).where(cooperation.c.id == asked.request)).first()
    if found is None or found.answered_at is not None:
        return Cooperation(done=False, rule="S5", message=ANSWERED if found else NO_REQUEST), ()
    mine = update(cooperation).where(cooperation.c.id == asked.request)
    if not asked.asks_back:
        sealed = tx.seal(found.case, SEALED_IN, asked.answer)
        tx.execute(mine.values(answered_at=tx.now, answer=sealed))
        return Cooperation(done=True, request=asked.request), ()
    tx.execute(mine.values(asked_back_at=tx.now))
    refused, name = secrecy.ask_outside(tx.now, two_way=True), agency_name(tx.profile, found.agency)
    message = f"{refused.reason}{name}を委嘱しますか。{refused.next_step}"
    return Cooperation(done=True, request=asked.request, rule=refused.rule, message=message), ()


@service.answers(Cooperations)
def list_cooperations(asked: Cooperations, tx: Tx) -> CooperationList:
    """The requests about a case, oldest first; whoever is commissioned is invited, not asked (S8)."""
    bound = {bond.agency for bond in grounds.bonds(tx)}
    wanted = select(cooperation).where(cooperation.c.case == asked.case)
    rows = tx.execute(wanted.order_by(cooperation.c.asked_at, cooperation.c.id)).mappings()
    return CooperationList(
        requests=tuple(
            CooperationView(
                request=row["id"],
                answer=_opened(row, tx),
                **{name: row[name] for name in row if name in _SHOWN},
            )
            for row in rows
        ),
        askable=tuple(agency.code for agency in tx.profile.agencies if agency.code not in bound),
    )


_SHOWN = frozenset(CooperationView.model_fields) - {"request", "answer"}


def _opened(row: Mapping[Any, Any], tx: Tx) -> str:
    if row["answer"] is None:
        return ""
    try:
        return tx.open(row["case"], SEALED_IN, row["answer"])
    except Shut:
        return "消去済み"


@service.does(EraseAnswers)
def erase_answers(asked: EraseAnswers, tx: Tx) -> tuple[Erased, Iterable[Event]]:
    """Destroy the case's key: neither minutes nor what bodies outside answered is read any more. Twice is as once."""
    tx.destroy_key(asked.case)
    return Erased(done=True), ()
