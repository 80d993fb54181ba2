"""会議録: what was said of each item, version by version, sealed with its case's key; and who approves it (S13)."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from contracts.directory import StaffView
from contracts.message import Compartment
from contracts.profile import Profile
from contracts.running import Conduct, MinutesVersion, Move, Proceeding
from services.meetings import blocks, seating
from services.meetings.running import Done, Room
from services.meetings.running_rules import Called, Refusal
from services.meetings.running_tables import proceeding
from services.meetings.scheduling import TOKYO
from services.meetings.tables import agenda, item
from services.service import Shut, Tx

SEALED_IN = "proceeding.words"


def acts_of(sitting_id: UUID, tx: Tx) -> Sequence[Row[Any]]:
    """The rows of a sitting's acts, in order."""
    return tx.execute(select(proceeding).where(proceeding.c.sitting == sitting_id).order_by(proceeding.c.number)).all()


def called_of(where: Row[Any], tx: Tx) -> Called:
    """The sitting as it was called, with what is on its agenda now."""
    on_it = select(item.c.id, item.c.coordinator).join(agenda, agenda.c.item == item.c.id)
    rows = tx.execute(on_it.where(agenda.c.sitting == where.id, item.c.state == "placed"))
    body = tx.profile.body(where.body)
    follows = blocks.before(body, where.basis) is not None
    bylaw = body is not None and body.secrecy_on(where.starts.astimezone(TOKYO).date()) is not None
    return Called(where.starts, tx.here, where.body, {row.id: row.coordinator for row in rows}, follows, bylaw)


# -- words -------------------------------------------------------------------------------------------------------------


def split(move: Move) -> tuple[dict[str, Any], str]:
    """The codes of an act; and its words, to be sealed, empty where it has none."""
    codes = move.model_dump(mode="json")
    if not codes["result"]:
        return codes, ""
    words = {"words": codes["result"].pop("words"), "does": [one.pop("does") for one in codes["result"]["roles"]]}
    return codes, json.dumps(words, ensure_ascii=False)


def done_of(row: Row[Any]) -> Done:
    """An act without its words."""
    return Done(row.number, row.at, row.by, row.agency, Move.model_validate(row.codes["move"]), row.codes)


def whole(row: Row[Any], tx: Tx) -> Move:
    """The act with its words; without them once its case is erased."""
    codes = row.codes["move"]
    if row.words is None:
        return Move.model_validate(codes)
    try:
        words = json.loads(tx.open(row.case, SEALED_IN, row.words))
    except Shut:
        return Move.model_validate(codes)
    roles = [one | {"does": does} for one, does in zip(codes["result"]["roles"], words["does"], strict=True)]
    return Move.model_validate(codes | {"result": codes["result"] | {"roles": roles, "words": words["words"]}})


def versions(rows: Sequence[Row[Any]], about: UUID, tx: Tx) -> tuple[MinutesVersion, ...]:
    """What the minutes say, and said, of an item."""
    written = [row for row in rows if row.item == about and row.what in (Proceeding.RECORD, Proceeding.CORRECT)]
    told = []
    for number, row in enumerate(written, 1):
        if (result := whole(row, tx).result) is not None:
            told.append(MinutesVersion(number=number, at=row.at, by=row.by, agency=row.agency, result=result))
    return tuple(told)


# -- approval ----------------------------------------------------------------------------------------------------------


def wanted(room: Room, profile: Profile, here: Compartment) -> tuple[str, ...]:
    """The agencies that have to approve this state of the minutes and have not yet (S13).

    Where a city leaves it to one post, that one's; else each that has to be there for it to be the meeting it was.
    """
    given = {one.agency for one in room.approvals}
    power = next((one for one in profile.powers if one.action == "approve_minutes"), None)
    if power is not None:
        return () if power.agency in given else (power.agency,)
    kinds = {one.code: one.kind for one in profile.agencies}
    present = {agency for one in room.hearings.values() for agency in one.present}
    return tuple(sorted(one for one in present - given if kinds.get(one) in seating.MUST_ATTEND[here]))


def wanted_in_words(room: Room, profile: Profile, here: Compartment) -> tuple[str, ...]:
    """Whose approval is still missing, as people call them."""
    power = next((one for one in profile.powers if one.action == "approve_minutes"), None)
    missing = wanted(room, profile, here)
    return tuple(power.title if power else seating.agency_name(profile, code) for code in missing)


def why_not_approve(asked: Conduct, room: Room, staff: Sequence[StaffView], tx: Tx) -> Refusal | None:
    """Only the holder of the power, in post today, or somebody of an agency that had to be there (S13)."""
    power = next((one for one in tx.profile.powers if one.action == "approve_minutes"), None)
    today = tx.now.astimezone(TOKYO).date()
    mine = [one for one in staff if one.person == asked.viewer and _in_post(one, today)]
    if power is not None and (asked.viewer_agency != power.agency or not any(power.post in one.posts for one in mine)):
        reason = f"会議録の承認は{power.title}だけが行えます。ほかの人には委任できません。"
        return Refusal("S13", reason, f"{power.title}に、この画面で行うように依頼してください。")
    if asked.viewer_agency not in wanted(room, tx.profile, tx.here):
        names = "、".join(wanted_in_words(room, tx.profile, tx.here)) or "なし"
        return Refusal("S13", "あなたの機関の承認は要らないか、もう済んでいます。", f"残っている承認: {names}。")
    return None


def _in_post(one: StaffView, today: date) -> bool:
    return (one.since is None or one.since <= today) and (one.until is None or today <= one.until)
