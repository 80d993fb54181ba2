"""Who comes into the room of a sitting, and who hears what there: the seats, the directory and the policy say so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.directory import StaffView
from contracts.message import Compartment
from contracts.policy_terms import Act
from contracts.running import Conduct, Proceeding
from services import sharing
from services.meetings import grounds, seating
from services.meetings.grounds import Recipient
from services.meetings.having_part import has_part
from services.meetings.running import Room, Stay
from services.meetings.running_rules import Refusal
from services.meetings.tables import consents, item, seat
from services.service import Tx
from services.sharing import Share, Shared, Verdicts

CHANGED = "同意か委嘱が、いま変わりました。"
_AGAIN = "画面を読み直して、もう一度行ってください。"


@dataclass(frozen=True)
class Now:
    """What is known when an act is judged, within one transaction."""

    where: Row[Any]
    room: Room
    staff: Sequence[StaffView]


# -- who comes in ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entrant:
    """Whoever comes in, on a seat of his or her own, or as substitute on one that is made for it."""

    stay: Stay
    need: str = ""
    commission: UUID | None = None


def entrant(asked: Conduct, now: Now, tx: Tx) -> Entrant | Refusal:
    move = asked.move
    seats = tx.execute(select(seat).where(seat.c.sitting == now.where.id)).all()
    own = next((one for one in seats if one.person == move.person), None)
    if own is not None and own.cancelled_at is not None:
        rule, door = ("C3", "同意の範囲を") if tx.here is Compartment.JUSO else ("S6", "委嘱を")
        reason = "この人の席は、同意か委嘱がなくなったため取り消されています。"
        return Refusal(rule, reason, f"入室せずに待ってもらい、{door}確かめてください。")
    at = move.at or tx.now
    if own is not None:
        return Entrant(Stay(own.person, own.agency, move.post, move.ground, at), commission=own.commission)
    found = next((one for one in now.staff if one.person == move.person), None)
    places = [one for one in seats if found and one.agency == found.agency and one.cancelled_at is None]
    if found is None or not places:
        reason = "この会議に席のない機関の人か、名簿にない人です。"
        return Refusal(
            "P5", reason, "入室できません。出席者に加えるときは、同意か委嘱を確かめて日程を組み直してください。"
        )
    if move.ground is None or move.post not in found.posts or move.post is None:
        return Refusal("S12", "代理の人の職と、代理の根拠が要ります。", "名簿にある職と、根拠を選んでください。")
    commission = None
    if tx.here is Compartment.SHIEN:
        bond = grounds.bond_of(grounds.bonds(tx), found.person, found.agency, now.where.starts)
        if bond is None:
            return Refusal("S6", "代理の人に、いま有効な委嘱がありません。", "委嘱を記録してから入室してください。")
        commission = bond.commission
    need = min((one.need for one in places), key=seating.NEEDS.index)
    return Entrant(Stay(found.person, found.agency, move.post, move.ground, at), need, commission)


# -- who hears what ----------------------------------------------------------------------------------------------------


def hearers(asked: Conduct, now: Now, tx: Tx) -> Iterable[Share]:
    """Everybody in the room when an item is called; whoever comes in while one is heard."""
    move = asked.move
    if move.what is Proceeding.CALL and move.item is not None:
        yield from (_share(move.item, stay, now, tx) for stay in now.room.there if _comes_for(move.item, stay, now, tx))
    if move.what is Proceeding.ENTER and now.room.current is not None:
        found = entrant(asked, now, tx)
        if isinstance(found, Entrant) and _comes_for(now.room.current, found.stay, now, tx):
            yield _share(now.room.current, found.stay, now, tx)


def apart(about: UUID, now: Now, tx: Tx) -> tuple[str, ...]:
    """The agencies in the room that came for another item only: they leave for this one (P5, M6)."""
    return tuple(stay.agency for stay in now.room.there if not _comes_for(about, stay, now, tx))


def _comes_for(about: UUID, stay: Stay, now: Now, tx: Tx) -> bool:
    one = tx.execute(select(item).where(item.c.id == about)).one()
    return has_part(tx, now.where, stay.agency, one, now.room)


def _share(about: UUID, stay: Stay, now: Now, tx: Tx) -> Share:
    one = tx.execute(select(item).where(item.c.id == about)).one()
    shien = tx.here is Compartment.SHIEN
    bond = None
    if shien:
        mine = seat.c.sitting == now.where.id, seat.c.person == stay.person
        commission = tx.connection.scalar(select(seat.c.commission).where(*mine))
        bonds = grounds.bonds(tx)
        bond = next((each for each in bonds if each.commission == commission), None)
        if commission is None:  # a substitute who is just coming in: what the seat will rest on
            bond = grounds.bond_of(bonds, stay.person, stay.agency, now.where.starts)
    head = None if shien else sharing.heads(consents, tx, [one.case]).get(one.case)
    to = Recipient(share=tx.ref(), agency=stay.agency, person=stay.person, sitting=now.where.id, bond=bond)
    return replace(grounds.share_of(one, to, head), act=Act.HEAR)


def still(verdicts: Verdicts, now: Iterable[Share]) -> tuple[list[Shared], list[Shared]]:
    """Of what was allowed, what rests on the same ground still; the rest is refused with it."""
    same = {(one.person, one.item, one.head, one.commission) for one in now}
    allowed, refused = [], list(verdicts.refused)
    for one in verdicts.allowed:
        if (one.share.person, one.share.item, one.share.head, one.share.commission) in same:
            allowed.append(one)
        else:
            changed = replace(one.decision, allowed=False, reason=CHANGED, next_step=_AGAIN)
            refused.append(Shared(one.share, changed))
    return allowed, refused


def unheard(asked: Conduct, now: Now, allowed: Sequence[Shared], refused: Sequence[Shared], tx: Tx) -> Refusal | None:
    """Without those who have to be there nobody hears the item; why they may not is said with the way on (C11, P1)."""
    if asked.move.what is not Proceeding.CALL or not refused:
        return None
    kinds = {one.code: one.kind for one in tx.profile.agencies}
    hearing = {one.share.agency for one in allowed}
    must = {one.share.agency: one.decision for one in refused if kinds.get(one.share.agency) in _must(tx)}
    missing = [code for code in must if code not in hearing]
    if hearing and not missing:
        return None
    decision = must[missing[0]] if missing else refused[0].decision
    rule = decision.rules[0] if decision.rules else decision.rule
    reason = decision.reason or "同意の台帳の許可を確かめられません。"
    return Refusal(rule, f"この議題は、いま扱えません。{reason}", decision.next_step or _ASK_AGAIN)


def _must(tx: Tx) -> tuple[str, ...]:
    return seating.MUST_ATTEND[tx.here]


_ASK_AGAIN = "扱わずに次の議題に移り、改めて同意を得るか、支援会議で扱う必要性を判断して記録してください。"
