"""The change from one block of a sitting to the next, and 臨時構成員, as they are recorded on the day (M5, M6)."""

from typing import Any

from sqlalchemy import Row, insert, select

from contracts.blocks import ChangeView
from contracts.message import Compartment
from contracts.running import Conduct, ProxyGround
from services import sharing
from services.meetings import blocks, grounds
from services.meetings.hearers import Now
from services.meetings.running import Room
from services.meetings.running_rules import Refusal
from services.meetings.tables import agenda, consents, item, seat
from services.service import Tx

_PICK = "名簿から選び直してください。"


def changes(where: Row[Any], room: Room, tx: Tx) -> tuple[ChangeView | None, ChangeView | None]:
    """The changes into this block and out of it; None where nothing comes before or after."""
    body = tx.profile.body(where.body)
    mine = next((one for one in body.blocks if one.basis == where.basis), None) if body else None
    if body is None or mine is None:
        return None, None
    first, last = blocks.before(body, where.basis), blocks.after(body, where.basis)
    admitted = dict.fromkeys(one.agency for one in room.admitted)
    bound = None
    if tx.here is Compartment.SHIEN:
        running = ((bond.agency, bond.period.ends) for bond in grounds.bonds(tx))
        bound = blocks.bound_agencies(running, where.starts)
    return (
        blocks.change(body, first, mine, admitted, bound) if first else None,
        blocks.change(body, mine, last) if last else None,
    )


def turn(asked: Conduct, now: Now, *rest: Any) -> tuple[dict[str, Any], list[Any], bool]:
    """Keep when the block before was closed and by which order people left and stayed. Codes of agencies, no names."""
    tx: Tx = rest[-1]
    order, _ = changes(now.where, now.room, tx)
    kept = order.model_dump(mode="json") if order else {}
    return {"at": (asked.move.at or tx.now).isoformat(), "order": kept}, [], True


# -- 臨時構成員 --------------------------------------------------------------------------------------------------------


def why_not_admit(asked: Conduct, now: Now, tx: Tx) -> Refusal | None:
    """A 臨時構成員 is somebody of the directory without a seat, to whom some item is open, or who is commissioned."""
    move = asked.move
    found = next((one for one in now.staff if one.person == move.person), None)
    if found is None:
        return Refusal("M6", "臨時構成員にする人が、名簿にいません。", _PICK)
    if move.ground not in (ProxyGround.RULE, ProxyGround.CHAIR):
        reason = "臨時構成員にする根拠がありません。"
        return Refusal("M6", reason, "「要綱・規程の定め」か「会長の承認」を選んでください。")
    mine = seat.c.sitting == now.where.id, seat.c.person == found.person
    if tx.execute(select(seat.c.person).where(*mine)).first() is not None:
        return Refusal("M6", "この人には、この会議の席がもうあります。", "そのまま入室を記録してください。")
    if tx.here is Compartment.SHIEN:
        if grounds.bond_of(grounds.bonds(tx), found.person, found.agency, now.where.starts) is None:
            return Refusal("S6", "いま有効な委嘱がありません。", "守秘義務を説明し、委嘱を先に記録してください。")
        return None
    if not sharing.is_fresh(consents, tx):
        return Refusal("C11", "同意の状態を確かめられません。", "少し待って、もう一度行ってください。")
    if not any(_open_to(row, found.agency, now, tx) for row in _placed(now, tx)):
        reason = "この人の機関に同意が及ぶ議題が、この会議にありません。"
        return Refusal("C3", reason, "この機関を含む同意を得てから記録するか、退室してもらってください。")
    return None


def _placed(now: Now, tx: Tx) -> list[Row[Any]]:
    on_it = select(item).join(agenda, agenda.c.item == item.c.id)
    return list(tx.execute(on_it.where(agenda.c.sitting == now.where.id, item.c.state == "placed")))


def _open_to(row: Row[Any], agency: str, now: Now, tx: Tx) -> bool:
    head = sharing.heads(consents, tx, [row.case]).get(row.case)
    return grounds.opened(row, head, agency, (tx.now, max(tx.now, now.where.starts))).allowed


def admit(asked: Conduct, now: Now, *rest: Any) -> tuple[dict[str, Any], list[Any], bool]:
    """A seat of one's own for this sitting, 任意; each item is still decided for that person when it is called."""
    tx: Tx = rest[-1]
    found = next(one for one in now.staff if one.person == asked.move.person)
    commission = None
    if tx.here is Compartment.SHIEN:
        bond = grounds.bond_of(grounds.bonds(tx), found.person, found.agency, now.where.starts)
        commission = bond.commission if bond else None
    row = {"sitting": now.where.id, "person": found.person, "agency": found.agency, "need": "optional"}
    tx.execute(insert(seat).values(**row, uid=tx.ref(), compartment=tx.here, commission=commission))
    return {"agency": found.agency}, [], True
