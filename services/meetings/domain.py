"""The rules: which sitting may hear an item, when it is, when answers are due. Values in, values out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from contracts.directory import BusyBlock, StaffView
from contracts.holding import Mode, ModeReason
from contracts.message import Compartment
from contracts.policy import may_hear
from contracts.profile import Block, Body, Profile
from services.meetings.cadence import body_dates, cadence_text, why_moved
from services.meetings.scheduling import TOKYO, Interval, NoSlot, Wanted, Window, find_date, office_hours
from services.meetings.seating import agency_name, filled, one_seat_each
from services.office_days import is_closed

DAYS_AHEAD = 730
"""How far ahead regular sittings are thought of; also a body that meets once a year has one in it."""
LOOK_AGAIN = timedelta(minutes=15)
"""After this an item without a date is tried again: people's days change, and the window moves on."""
FINAL_REFUSALS = frozenset(
    {"no_address", "stale", "mail_refused", "never_invited", "no_ground", "by_phone", "by_letter"}
)
"""Asking notify again would not help: the desk says that this person is to be telephoned."""


@dataclass(frozen=True)
class Occasion:
    """One coming date of a regular body's block. It becomes a sitting when the first item is put on its agenda."""

    body: Body
    basis: str
    day: date
    starts: datetime
    ends: datetime
    capacity: int
    closes: datetime
    """Until when items are taken on the agenda."""
    why: str

    block: Block | None = None

    @property
    def length(self) -> int:
        """Minutes there are for items."""
        return int((self.ends - self.starts) / timedelta(minutes=1))

    def minutes_for(self, purpose: str) -> int:
        """Minutes an item for this purpose takes."""
        return self.block.minutes_for(purpose) if self.block else 0

    @property
    def key(self) -> tuple[str, date, str]:
        """What there is only one sitting for."""
        return self.body.code, self.day, self.basis


@dataclass(frozen=True)
class Route:
    """How an item comes to a sitting: the next of ``occasions`` with room, or a date of its own with ``adhoc``.

    With neither, ``why`` says what the municipality can lawfully do.
    """

    occasions: tuple[Occasion, ...] = ()
    adhoc: tuple[Body, Block] | None = None
    why: str = ""


@dataclass(frozen=True)
class Claim:
    """Which of a city's bodies an item belongs to: its area's, its coordinator's, or the one it was raised to."""

    area: str | None = None
    coordinator: str | None = None
    body: str | None = None


ANY_BODY = Claim()


def route(profile: Profile, compartment: Compartment, urgent: bool, now: datetime, claim: Claim = ANY_BODY) -> Route:
    """Regular if a regular body may hear it, 随時 if it is urgent or none may (M1, D6), by legal basis only (M13).

    A body of the item's own area goes before those of the whole city; what was raised goes where it was raised (M10).
    """
    if claim.body is not None and profile.body(claim.body) is None:
        return Route(why="上げる先の会議体が設定にありません。会議体の設定を直すか、付議し直してください(M10)。")
    bodies = [body for body in profile.bodies if _is_claimed(body, claim)]
    may = [(body, block) for body in bodies for block in _may_be_heard_in(body, compartment)]
    hosted = [one for one in may if _may_host(profile, one[0], compartment)]
    hosted.sort(key=lambda one: not one[0].areas)
    adhoc = next((one for one in hosted if one[0].cadence is None and one[0].by_case), None)
    regular = [one for one in hosted if one[0].cadence is not None and _seats(one, claim, compartment)]
    regular = [one for one in regular if one[0].areas] or regular
    if adhoc and (urgent or not regular):
        return Route(adhoc=adhoc)
    if regular:
        return Route(occasions=_occasions(profile, regular, now))
    if hosted and claim.coordinator is not None:
        name = agency_name(profile, claim.coordinator)
        return Route(why=f"{name}が構成員の会議体も、随時の会議体もありません。会議体の設定を直してください(P1)。")
    if may:
        return Route(why="支援会議は市町村が開きます。会議体の主催を市町村の機関にしてください。")
    refusals = [may_hear(block.basis, compartment) for body in profile.bodies for block in body.blocks]
    doors = dict.fromkeys(refused.next_step for refused in refusals if not refused.allowed)
    return Route(why=next(iter(doors), "この事案を扱える会議体がありません。随時の会議体を設けてください。"))


def _is_claimed(body: Body, claim: Claim) -> bool:
    if claim.body is not None:
        return body.code == claim.body
    return not body.raised_only and (not body.areas or claim.area in body.areas)


def _seats(one: tuple[Body, Block], claim: Claim, compartment: Compartment) -> bool:
    """Whether a standing roster has the coordinator whose case it is, without whom it is no 重層的支援会議 (P1)."""
    if claim.coordinator is None or compartment is not Compartment.JUSO:
        return True
    return any(seat.agency == claim.coordinator for seat in one[0].roster_of(one[1]))


def _may_be_heard_in(body: Body, compartment: Compartment) -> list[Block]:
    """The body's first block that rests on a fitting basis: one sitting per body, date and basis."""
    fitting = [block for block in body.blocks if may_hear(block.basis, compartment).allowed]
    return fitting[:1] if body.hears_cases else []


def is_hosted(profile: Profile, body: str, compartment: Compartment) -> bool:
    """Whether whoever holds this body may hold a meeting of this kind, as the profile now stands (S1)."""
    return any(one.code == body and _may_host(profile, one, compartment) for one in profile.bodies)


def _may_host(profile: Profile, body: Body, compartment: Compartment) -> bool:
    """Only the 市町村 holds a 支援会議 (S1)."""
    return compartment is not Compartment.SHIEN or profile.agency(body.host).kind == "municipality"


def _occasions(profile: Profile, regular: Iterable[tuple[Body, Block]], now: datetime) -> tuple[Occasion, ...]:
    today = now.astimezone(TOKYO).date()
    found = [
        _occasion(profile, body, block, day, named)
        for body, block in regular
        for day, named in body_dates(profile, body, today, today + timedelta(days=DAYS_AHEAD)).items()
    ]
    return tuple(sorted((one for one in found if now < one.closes), key=lambda one: (one.starts, one.body.code)))


def _occasion(profile: Profile, body: Body, block: Block, day: date, named: date) -> Occasion:
    starts, ends = block_times(block, day)
    closes = agenda_closes(body, day, starts)
    why = f"定例の開催日です({cadence_text(body.cadence)})" if body.cadence else ""
    if day != named:
        why += f"。{why_moved(profile, body, named, day)}"
    return Occasion(body, block.basis, day, starts, ends, block.capacity, closes, why, block)


def agenda_closes(body: Body, day: date, starts: datetime) -> datetime:
    """Until when items are taken on the agenda of the sitting on that day: the end of its deadline's day in Japan."""
    last_day = day - timedelta(days=body.agenda_deadline_days)
    return min(starts, datetime.combine(last_day + timedelta(days=1), time(0), TOKYO).astimezone(UTC))


def block_times(block: Block, day: date) -> Interval:
    """When a regular body's block is held on that day; UTC from wall clock in Japan."""
    starts = datetime.combine(day, block.starts, TOKYO).astimezone(UTC)
    return starts, starts + timedelta(minutes=block.minutes)


def with_room(occasions: Iterable[Occasion], agenda: Mapping[tuple[str, date, str], int]) -> Iterator[Occasion]:
    """The occasions whose agenda is not full, the next first. ``agenda`` counts items by Occasion.key."""
    return (one for one in occasions if agenda.get(one.key, 0) < one.capacity)


def plan_expired(starts: datetime, regular: bool, now: datetime) -> bool:
    """Whether a plan that was not carried out in time must be made anew.

    A regular date stands until it begins. A date that was searched for is never on the day itself: whoever is
    invited has at least the evening before.
    """
    return starts <= now if regular else starts.astimezone(TOKYO).date() <= now.astimezone(TOKYO).date()


@dataclass(frozen=True)
class Gathering:
    """A sitting as planned, before the directory holds anybody's time. ``day`` is set for a regular one only."""

    body: Body
    basis: str
    starts: datetime
    ends: datetime
    day: date | None
    seats: Mapping[UUID, Wanted]
    why: str
    outside: frozenset[str] = frozenset()
    """Agencies on the standing roster whose seats stay closed until an item comes that is open to them (M6)."""
    room: str | None = None
    """Which of the place's rooms, where it has some."""
    mode: Mode | None = None
    """How it is held; None: as its body is (M3)."""
    mode_reason: ModeReason | None = None


def gather_regular(occasion: Occasion, wanted: Sequence[Wanted]) -> Gathering | NoSlot:
    """A regular sitting with the first holder of each post, or NoSlot if a required post has no holder."""
    empty = dict.fromkeys(seat.name for seat in wanted if not seat.persons)
    required = tuple(dict.fromkeys(seat.name for seat in wanted if not seat.persons and seat.need == "required"))
    if required:
        return NoSlot(
            required, f"必須の出席者が職員の名簿にいません: {'、'.join(required)}。名簿に担当者を登録してください。"
        )
    why = occasion.why + (f"。名簿に担当者がいない機関: {'、'.join(empty)}" if empty else "")
    seats = one_seat_each((seat, seat.persons[0]) for seat in wanted if seat.persons)
    return Gathering(occasion.body, occasion.basis, occasion.starts, occasion.ends, occasion.day, seats, why)


NO_SITTING_OF_ITS_OWN = NoSlot(
    (), "同意が一部の機関に限られるため、定例では扱えません。随時の会議体を設けるか、同意の範囲を確かめてください(C3)。"
)


def until(window: Window, ends: datetime) -> Window:
    """The part of a window that lies before the end of what a sitting rests on."""
    far = window.start_of(window.open.bit_length()) + timedelta(days=1)
    return Window(window.origin, window.open & ~window.covered([(ends, max(ends, far))]))


def search_window(profile: Profile, urgent: bool, now: datetime) -> Window:
    """When a sitting of one case may lie: office hours from the next working day on (M1)."""
    today = now.astimezone(TOKYO).date()
    last = today + timedelta(days=profile.urgent_within_days if urgent else profile.adhoc_within_days)

    def closed(day: date) -> bool:
        return is_closed(day, profile.closed_days)

    return office_hours(today + timedelta(days=1), last, profile.office_opens, profile.office_closes, closed)


def gather_adhoc(
    adhoc: tuple[Body, Block], wanted: Sequence[Wanted], busy: Mapping[UUID, Sequence[Interval]], window: Window
) -> Gathering | NoSlot:
    """A sitting for one case on the best date, or NoSlot saying who cannot come (M12)."""
    body, block = adhoc
    found = find_date(wanted, busy, window, block.minutes)
    if isinstance(found, NoSlot):
        return found
    return Gathering(body, block.basis, found.starts, found.ends, None, one_seat_each(found.chosen), found.why)


def when_busy(
    profile: Profile, staff: Sequence[StaffView], blocks: Iterable[BusyBlock], first: date, last: date
) -> dict[UUID, list[Interval]]:
    """When people cannot come: what the directory says, and the dates of regular bodies on whose roster they are.

    A regular sitting does not give way, so no date is put where one will come into being later.
    """
    busy: dict[UUID, list[Interval]] = {}
    for one in blocks:
        busy.setdefault(one.person, []).append((one.starts, one.ends))
    for body in profile.bodies:
        dates = body_dates(profile, body, first, last)
        for block in body.blocks if dates else ():
            times = [block_times(block, day) for day in dates]
            for seat in body.roster_of(block):
                for person in filled(profile, seat, staff).persons[:1]:
                    busy.setdefault(person, []).extend(times)
    return busy


def why_not_invite(basis: str, compartment: Compartment, has_items: bool, starts: datetime, now: datetime) -> str:
    """Decided anew before every sending (sentence 1 of the design): empty if it may go out, else why not."""
    if starts <= now:
        return "too_late"
    return "" if has_items and may_hear(basis, compartment).allowed else "stale"


def answer_by(profile: Profile, starts: datetime, now: datetime) -> datetime:
    """The close of an office day: the last one at least three days before the sitting, else the last one before it.

    Whoever is called together so late that no office day lies between may answer until an hour before, or the start.
    """
    held_on = starts.astimezone(TOKYO).date()
    days = [held_on - timedelta(days=before) for before in range(1, 15)]
    closings = {day: datetime.combine(day, profile.office_closes, TOKYO).astimezone(UTC) for day in days}
    left = {day: at for day, at in closings.items() if at > now and not is_closed(day, profile.closed_days)}
    early = [at for day, at in left.items() if held_on - day >= timedelta(days=3)]
    return max(early or left.values(), default=max(now, starts - timedelta(hours=1)))


def retry_delay(tries: int) -> timedelta:
    """2 s, 4 s, 8 s … at most 5 minutes."""
    return timedelta(seconds=min(300, 2 ** min(tries, 10)))


def link_digest(token: str) -> str:
    """What a link is found by. The token itself is forgotten once it is mailed."""
    return sha256(token.encode()).hexdigest()


NoticeState = Literal["wanted", "sent", "not_sent"]


def notice_after(outcome: str, why: str) -> NoticeState:
    """What a notice is after one try: ``wanted`` means that it is tried again."""
    if outcome == "sent":
        return "sent"
    return "not_sent" if why in FINAL_REFUSALS else "wanted"
