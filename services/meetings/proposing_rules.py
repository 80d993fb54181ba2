"""The rules of proposing a date: what it becomes when it is to be carried out, who approves. Values in, values out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.coordinating import Power
from contracts.directory import StaffView
from contracts.holding import Mode, ModeReason
from contracts.profile import Block, Body, Profile
from services.meetings.domain import Gathering
from services.meetings.gathering import Table
from services.meetings.ranking import counted
from services.meetings.running_rules import Refusal
from services.meetings.scheduling import Interval, NoSlot, Wanted
from services.meetings.seating import one_seat_each
from services.meetings.standing_in import Chain, Stead
from services.meetings.tenure import in_post

CHOOSE_AGAIN = "日時と出席者を選び直してください。"
GONE = "日時の案のあとに必須の出席者が名簿からいなくなったか、出席できなくなりました: {names}。"
NO_QUORUM = "日時の案では、成立の要件「{name}」を満たしません。"
MEET = "会わせてはいけない二人が、日時の案の出席者にいます。"
NOT_THEN = "日時の案の日時は、もう選べません。"
STOOD_IN = "。日時の案のあとに代わった席: {names}"
DROPPED = "。日時の案のあとに外れた席: {names}"


@dataclass(frozen=True)
class Chosen:
    """What was proposed: when, where, and whom, each for an agency."""

    starts: datetime
    ends: datetime
    room: str | None
    mode: Mode
    mode_reason: ModeReason | None
    seats: tuple[tuple[str, UUID], ...]
    why: str


def seated(table: Table, chosen: Chosen, staff: Iterable[StaffView]) -> list[tuple[Wanted, UUID | None, UUID | None]]:
    """Each seat with who was proposed for it and who sits there now: the same person while she may, else a substitute.

    A substitute is taken only on a seat that was proposed: what was left empty stays empty.
    """
    here = {one.person: one.agency for one in staff}
    left = {person: agency for agency, person in chosen.seats}
    rows: list[tuple[Wanted, UUID | None, UUID | None]] = []
    for seat in sorted(table.seats, key=lambda one: not set(one.persons) & left.keys()):
        mine = [person for person, agency in left.items() if agency == seat.agency]
        proposed = next((one for one in mine if one in seat.persons), next(iter(mine), None))
        now = None
        if proposed is not None:
            del left[proposed]
            taken = {who for _, _, who in rows if who} | left.keys()
            able = [one for one in seat.persons if one not in taken and _is_free(table.busy.get(one, ()), chosen)]
            now = proposed if here.get(proposed) == seat.agency else next(iter(able), None)
        rows.append((seat, proposed, now))
    return rows


def _is_free(busy: Sequence[Interval], chosen: Chosen) -> bool:
    return not any(starts < chosen.ends and chosen.starts < ends for starts, ends in busy)


def carried(
    adhoc: tuple[Body, Block],
    table: Table,
    chosen: Chosen,
    staff: Sequence[StaffView],
    kinds: Mapping[str, str],
    apart: Iterable[tuple[UUID, UUID]] = (),
) -> Gathering | NoSlot:
    """The sitting that a proposal becomes, seats judged anew; NoSlot where it cannot be held any more, and why."""
    if not _within(table, chosen):
        return NoSlot((), NOT_THEN + CHOOSE_AGAIN)
    rows = seated(table, chosen, staff)
    lacking = tuple(dict.fromkeys(seat.name for seat, _, now in rows if seat.need == "required" and now is None))
    if lacking:
        return NoSlot(lacking, GONE.format(names="、".join(lacking)) + CHOOSE_AGAIN)
    filled = [(seat, now) for seat, _, now in rows if now is not None]
    for quorum in adhoc[0].quorum:
        if len(counted(quorum, [seat for seat, _ in filled], kinds)) < quorum.at_least:
            return NoSlot((quorum.name,), NO_QUORUM.format(name=quorum.name) + CHOOSE_AGAIN)
    if any({one, other} <= {who for _, who in filled} for one, other in apart):
        return NoSlot((), MEET + CHOOSE_AGAIN)
    why = chosen.why
    stood_in = [seat.name for seat, proposed, now in rows if proposed is not None and now not in (None, proposed)]
    dropped = [seat.name for seat, proposed, now in rows if proposed is not None and now is None]
    for text, names in ((STOOD_IN, stood_in), (DROPPED, dropped)):
        why += text.format(names="、".join(dict.fromkeys(names))) if names else ""
    seats = one_seat_each(filled)
    how: dict[str, Any] = {"room": chosen.room, "mode": chosen.mode, "mode_reason": chosen.mode_reason}
    return Gathering(adhoc[0], adhoc[1].basis, chosen.starts, chosen.ends, None, seats, why, **how)


def _within(table: Table, chosen: Chosen) -> bool:
    """Whether the whole time still lies in the search's window: tomorrow at the earliest, before the ground ends."""
    wanted = table.window.covered([(chosen.starts, chosen.ends)])
    return bool(wanted) and wanted & table.window.open == wanted


# -- who approves (S12, S13) -------------------------------------------------------------------------------------------


def calling(profile: Profile) -> Power | None:
    """The power to call a meeting, where a city leaves it to one post and lets nobody delegate it (S13)."""
    return next((one for one in profile.powers if one.action == "call"), None)


def holds(power: Power, person: UUID, agency: str, staff: Iterable[StaffView], today: date) -> bool:
    """Whether this person is in that post on this day. There is no deputy: that is the rule (S13)."""
    if agency != power.agency:
        return False
    mine = (one for one in staff if one.person == person and one.agency == agency)
    return any(power.post in one.posts and in_post(one, today) for one in mine)


def decider_title(profile: Profile) -> str:
    """Who approves, as people call them."""
    power = calling(profile) or profile.convener
    return power.title if power else "市町村の、提案した人とは別の担当者"


def needs_approval(profile: Profile, person: UUID, agency: str, staff: Sequence[StaffView], today: date) -> bool:
    """Whether what this person proposes waits for somebody: by the city's choice (S12), or as a power says (S13)."""
    power = calling(profile)
    if power is not None:
        return not holds(power, person, agency, staff, today)
    if profile.convener is not None:  # her own waits for a deputy in force, and where there is none for nobody
        return Chain(profile.convener, staff, today, person).decides(person, agency) is not None
    return profile.approval


def stands_in(
    profile: Profile,
    person: UUID,
    agency: str,
    proposed_by: UUID,
    staff: Sequence[StaffView],
    today: date,
    away: Collection[UUID],
) -> Stead | None:
    """In whose stead this person decides, if in anybody's (S12): it is written down with the decision."""
    if calling(profile) is not None or profile.convener is None:
        return None
    found = Chain(profile.convener, staff, today, proposed_by, away).decides(person, agency)
    return found if isinstance(found, Stead) else None


def why_not_decide(
    profile: Profile,
    person: UUID,
    agency: str,
    proposed_by: UUID,
    staff: Sequence[StaffView],
    today: date,
    away: Collection[UUID] = (),
) -> Refusal | None:
    """Only the holder of the power; of a 会長 the deputies too, in their days and order; where no post has it, somebody
    of the 市町村 who did not propose it (S12, S13)."""
    if (power := calling(profile)) is not None:
        if holds(power, person, agency, staff, today):
            return None
        reason = f"会議の招集は{power.title}だけが承認できます。ほかの人には委任できません。"
        return Refusal("S13", reason, f"{power.title}に、この画面で承認するように依頼してください。")
    if profile.convener is not None:
        found = Chain(profile.convener, staff, today, proposed_by, away).decides(person, agency)
        return found if isinstance(found, Refusal) else None
    kind = next((one.kind for one in profile.agencies if one.code == agency), None)
    if kind != "municipality" or person == proposed_by:
        reason = "日時の案を承認するのは、市町村の、提案した人とは別の担当者です。"
        return Refusal("S12", reason, "市町村の別の担当者に、この画面で承認するように依頼してください。")
    return None
