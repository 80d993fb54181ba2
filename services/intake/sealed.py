"""What intake keeps sealed under a referral's id: writing it, reading it, erasing it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, delete, insert, select, update

from contracts.erasure import EraseReason, EraseReferral
from contracts.intake import Particulars, Sheet
from services.intake import domain, secrecy
from services.intake.pile import Pile
from services.intake.tables import client, erased, handover, household_member, juso_case, member, opening, referral
from services.service import Shut, Tx
from services.vault import open_row, seal_row

ERASED = Particulars(found=False, erased=True)
GONE = "消去済み"
_PARTICULARS = (
    client.c.name,
    client.c.kana,
    client.c.born_on,
    referral.c.number,
    referral.c.referrer_staff,
    referral.c.reason,
    referral.c.wishes,
    referral.c.explained_by,
    referral.c.explained_on,
)
_MAY_TELL_WHERE = ("reason", "wishes")
_CLIENT = {"resident_number", "name", "kana", "sex", "born_on", "address", "phone"}


def keep(sheet: Sheet, key: UUID, pile: Pile, tx: Tx) -> None:
    """Seal and pile up what a new referral says in words, who it is about, and the household."""
    words = sheet.model_dump(include={"referrer_staff", "wishes", "reason"}) | {"digest": domain.digest(sheet)}
    words |= {"explained_by": sheet.explained_by.strip() or None, "explained_on": sheet.explained_on}
    pile.reword(key, seal_row(tx, key, referral, words))
    pile.add(client, {"referral": key, **seal_row(tx, key, client, sheet.model_dump(include=_CLIENT))})
    for place, one in enumerate(sheet.members):
        pile.add(member, {"referral": key, "place": place, **seal_row(tx, key, member, one.model_dump(), str(place))})


def digest(row: Mapping[Any, Any], tx: Tx) -> str | None:
    """What the stored sheet said, as a digest; None when it is erased."""
    try:
        found: str | None = open_row(tx, row["id"], (referral.c.digest,), row)["digest"]
    except Shut:
        return None
    return found


def rows() -> Select[Any]:
    """Referrals with all that ``particulars`` reads."""
    return select(referral.c.id, *_PARTICULARS).join_from(referral, client, isouter=True)


def particulars(row: Mapping[Any, Any], tx: Tx) -> Particulars:
    """Who a row of ``rows`` is about, or that it is erased. Raises Foreign.

    Where a 世帯員 is 秘匿, the free text goes without what is known of his or her whereabouts (S18).
    """
    try:
        who = open_row(tx, row["id"], _PARTICULARS, row)
    except Shut:
        return ERASED
    if who["name"] is None:
        return ERASED
    for words in _MAY_TELL_WHERE:
        who[words] = secrecy.without_details(row["id"], who[words], tx)
    who["explained_by"] = who["explained_by"] or ""
    return Particulars(found=True, **who)


def explanation(row: Mapping[Any, Any], tx: Tx) -> tuple[str, date | None]:
    """Who explained a referral to the client, and when; empty and None where nobody has said (C6)."""
    try:
        by = open_row(tx, row["id"], (referral.c.explained_by,), row)["explained_by"]
    except Shut:
        by = None
    return by or "", row["explained_on"]


def note_explanation(key: UUID, by: str, on: date | None, tx: Tx) -> None:
    """Write down what the 紹介元 said of it later; what is empty here stays as it was (C6)."""
    words = {name: value for name, value in (("explained_by", by), ("explained_on", on)) if value}
    if words:
        tx.execute(update(referral).where(referral.c.id == key).values(seal_row(tx, key, referral, words)))


def places(key: UUID | None, tx: Tx) -> Sequence[Row[Any]]:
    """Every 世帯員 of a referral by reference and place, the client first; no name is opened."""
    wanted = select(household_member.c.member, household_member.c.place).where(household_member.c.referral == key)
    return tx.execute(wanted.order_by(household_member.c.place)).all()


def household(key: UUID | None, tx: Tx) -> list[tuple[UUID, str]]:
    """Every 世帯員 of a referral by reference and name, the client first."""
    refs = places(key, tx)
    if key is None or not refs:
        return []
    names: dict[int, Any] = {0: tx.execute(select(client).where(client.c.referral == key)).first()}
    names |= {row.place + 1: row for row in tx.execute(select(member).where(member.c.referral == key))}
    return [(one.member, _name(key, one.place, names.get(one.place), tx)) for one in refs]


def relations(key: UUID, tx: Tx) -> dict[int, tuple[str, int | None]]:
    """続柄 and age of every 世帯員 of a referral but the client, by place in its household."""
    found = {}
    for row in tx.execute(select(member).where(member.c.referral == key)).mappings().all():
        try:
            relation = open_row(tx, key, (member.c.relation,), row, str(row["place"]))["relation"]
        except Shut:
            relation = GONE
        found[row["place"] + 1] = (relation, row["age"])
    return found


def add_member(key: UUID, place: int, name: str, age: int | None, relation: str, tx: Tx) -> None:
    """Seal somebody who joined the household of a referral later, as the sheet's own 世帯員 are."""
    row = seal_row(tx, key, member, {"name": name, "age": age, "relation": relation}, str(place - 1))
    tx.execute(insert(member).values(referral=key, place=place - 1, **row))


def _name(key: UUID, place: int, row: Any, tx: Tx) -> str:
    table, part = (client, "") if place == 0 else (member, str(place - 1))
    try:
        name: str = open_row(tx, key, (table.c.name,), row._mapping, part)["name"] if row is not None else GONE
    except Shut:
        name = GONE
    return name


def not_erased() -> ColumnElement[bool]:
    """Referrals that people may still decide on."""
    return referral.c.id.not_in(select(erased.c.subject))


def is_erased(key: UUID, tx: Tx) -> bool:
    """Whether this referral was erased."""
    return tx.execute(select(erased.c.subject).where(erased.c.subject == key)).first() is not None


def is_case_erased(case: UUID, tx: Tx) -> bool:
    """Whether the referral of this juso case was erased."""
    wanted = select(erased.c.subject).join(juso_case, juso_case.c.referral == erased.c.subject)
    return tx.execute(wanted.where(juso_case.c.case_ref == case)).first() is not None


def find(asked: EraseReferral, tx: Tx) -> UUID | None:
    """The referral that is to be erased."""
    wanted = select(referral.c.id)
    if asked.referral is not None:
        wanted = wanted.where(referral.c.id == asked.referral)
    elif asked.juso_case is not None:
        wanted = wanted.join(juso_case, juso_case.c.referral == referral.c.id).where(
            juso_case.c.case_ref == asked.juso_case
        )
    else:
        wanted = wanted.where(referral.c.referrer == asked.referrer, referral.c.number == asked.number)
    return tx.connection.scalar(wanted)


def erase(key: UUID, reason: EraseReason, tx: Tx) -> None:
    """First the key, then the rows: should the transaction fail, nothing opens all the same, and it can be repeated."""
    tx.destroy_key(key)
    for table in (client, member):
        tx.execute(delete(table).where(table.c.referral == key))
    tx.execute(delete(handover).where(handover.c.referral == key, handover.c.state == "pending"))
    tx.execute(update(opening).where(opening.c.referral == key).values(reason=None))
    words = dict.fromkeys(("digest", "referrer_staff", "wishes", "reason", "explained_by", "explained_on"))
    tx.execute(update(referral).where(referral.c.id == key).values(words))
    if not is_erased(key, tx):
        tx.execute(insert(erased).values(subject=key, at=tx.now, reason=reason.value))
