"""Why this slot, what it costs whom; and where there is none, the smallest set of duties that clash (in Japanese).

A duty is what has to hold: a required seat, a quorum, a room, the deadline. Each is a set of starts, so a set of duties
clashes when no start is in all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from itertools import combinations
from math import comb
from operator import and_, or_

from services.meetings.timetable.board import Board
from services.meetings.timetable.grid import ONLINE, Chair, Grid, Sitting, length_of, office
from services.meetings.timetable.many import Search
from services.meetings.timetable.one import Option, best, cost_at
from services.meetings.timetable.problem import TOKYO
from services.meetings.timetable.slots import at_least, first_bit, ones, runs

TRIED = 20_000
"""Sets of duties that are tried for the smallest; beyond, a set from which none can be left out is named."""
NAMED = 5
DAYS = "月火水木金土日"


@dataclass(frozen=True)
class Duty:
    """What has to hold, the starts at which it does (all variants side by side), and what would relax it."""

    text: str
    bits: int
    relax: str


@dataclass(frozen=True)
class Clash:
    """Why a meeting has no slot: duties that clash, none of which can be left out, and what could be relaxed."""

    clashing: tuple[str, ...]
    relax: tuple[str, ...]
    smallest: bool
    """No smaller set of duties clashes."""

    @property
    def why(self) -> str:
        """As a sentence."""
        if len(self.clashing) == 1:
            return f"{self.clashing[0]}の条件を満たす日時が、期間内にありません。"
        return f"次の{len(self.clashing)}つが同時にそろう日時が、期間内にありません: {'、'.join(self.clashing)}。"


def day_text(when: datetime) -> str:
    """12月1日(火)9:00."""
    when = when.astimezone(TOKYO)
    return f"{when.month}月{when.day}日({DAYS[when.weekday()]}){when.hour}:{when.minute:02}"


# -- no slot -----------------------------------------------------------------------------------------------------------


def clash(grid: Grid, number: int) -> Clash | None:
    """The duties of one meeting that clash even if no other meeting were held; None if they do not."""
    held = _Ground(grid, grid.sittings[number])
    whole, ground = tuple(held.duties()), held.all
    if not ground:
        text = f"会議の長さ({held.sitting.meeting.minutes}分)がとれる開庁時間"
        return Clash((text,), ("期間を延ばすか、時間を短くする",), True)
    if reduce(and_, (duty.bits for duty in whole), ground):
        return None
    core, is_smallest = smallest(whole, ground)
    relax = [duty.relax + _gain(held, whole, [duty]) for duty in core if _gain(held, whole, [duty])]
    if not relax:
        pairs = (pair for pair in combinations(core, 2) if _gain(held, whole, pair))
        pair = next(pairs, None) or tuple(core)
        relax = ["、かつ".join(duty.relax for duty in pair) + _gain(held, whole, pair)]
    return Clash(tuple(duty.text for duty in core), tuple(relax), is_smallest)


def smallest(duties: Sequence[Duty], ground: int) -> tuple[list[Duty], bool]:
    """The smallest set that clashes; if that would take too long, one from which nothing can be left out."""
    tried = 0
    for size in range(1, len(duties) + 1):
        tried += comb(len(duties), size)
        if tried > TRIED:
            break
        for some in combinations(duties, size):
            if not reduce(and_, (duty.bits for duty in some), ground):
                return list(some), True
    core = list(duties)
    for duty in duties:
        less = [one for one in core if one is not duty]
        if not reduce(and_, (one.bits for one in less), ground):
            core = less
    return core, False


def _gain(held: "_Ground", duties: Sequence[Duty], without: Sequence[Duty]) -> str:
    """What leaving these duties out would open; empty if nothing."""
    left = (duty.bits for duty in duties if duty not in without)
    starts = held.folded(reduce(and_, left, held.all))
    if not starts:
        return ""
    first = held.grid.axis.start_of(first_bit(starts))
    return f"(最も早い日時は{day_text(first)}、候補{starts.bit_count()}件)"


class _Ground:
    """All starts within office hours, once for each place and each choice of who is left out, side by side."""

    def __init__(self, grid: Grid, sitting: Sitting) -> None:
        self.grid, self.sitting, self.size = grid, sitting, grid.axis.size
        places = list(dict.fromkeys(variant.place for variant in sitting.variants)) or [ONLINE]
        # First of all nobody is left out: that two must not meet is a duty, too.
        outs = list(dict.fromkeys([frozenset[int](), *(variant.out for variant in sitting.variants)]))
        self.ways = [(place, out) for place in places for out in outs]
        self.open = office(grid.problem, grid.axis)
        self.all = self.everywhere(runs(self.open, sitting.length))

    def everywhere(self, bits: int) -> int:
        """The same starts for each way."""
        return self.spread(lambda place, out: bits)

    def spread(self, bits_of: Callable[[int, frozenset[int]], int]) -> int:
        """Each way's starts."""
        return reduce(or_, (bits_of(*way) << n * self.size for n, way in enumerate(self.ways)), 0)

    def folded(self, bits: int) -> int:
        """The starts that are there in one way or another."""
        starts = 0
        while bits:
            starts |= bits & ones(self.size)
            bits >>= self.size
        return starts

    def duties(self) -> Iterator[Duty]:
        """Everything that has to hold."""
        meeting, chairs = self.sitting.meeting, self.sitting.chairs
        yield from self._timing()
        seats = [self.spread(partial(self._filled, chair)) for chair in chairs]
        for chair, seat, bits in zip(chairs, meeting.seats, seats, strict=True):
            if chair.absent is None:
                relax = f"「{seat.name}」に代理を立てるか、予定の調整を頼む"
                yield Duty(f"必須の席「{seat.name}」", bits, relax)
        numbers = {seat.name: n for n, seat in enumerate(meeting.seats)}
        for quorum in meeting.quorum:
            counted = [seats[numbers[name]] for name in set(quorum.seats)]
            text = f"成立の要件「{quorum.name}」({len(counted)}席のうち{quorum.at_least})"
            bits = at_least(counted, quorum.at_least)(self.all)
            yield Duty(text, bits, f"「{quorum.name}」の席に代理を立てる")
        if not meeting.online:
            needs = "・".join([f"{meeting.seated}人", *meeting.equipment])
            yield Duty(f"部屋({needs})", self.spread(self._housed), "ほかの部屋を加えるか、オンラインにする")
        if any(out for _, out in self.ways):
            apart = self.spread(lambda place, out: ones(self.size) if out else 0)
            yield Duty("会わせてはいけない二人を同席させないこと", apart, "どちらかの席を別の人にする")

    def _filled(self, chair: Chair, place: int, out: frozenset[int]) -> int:
        can = self.sitting.can_ever
        return reduce(or_, (can[person, place] for person in chair.persons if person not in out), 0)

    def _housed(self, place: int, out: frozenset[int]) -> int:
        rooms = {room for one in self.sitting.variants if one.place == place for room in one.rooms}
        return reduce(or_, (self.sitting.room_ever[room] for room in rooms), 0)

    def _timing(self) -> Iterator[Duty]:
        meeting, line, length = self.sitting.meeting, self.grid.axis, self.sitting.length

        def duty(text: str, bits: int, relax: str) -> Duty:
            return Duty(text, self.everywhere(bits), relax)

        if meeting.earliest:
            late = ones(line.size) & ~ones(line.next_slot(meeting.earliest))
            yield duty(f"{day_text(meeting.earliest)}以後であること", late, "開始の時期を早める")
        if meeting.deadline:
            early = ones(line.next_slot(meeting.deadline - length_of(meeting.minutes), after=True))
            yield duty(f"期限({day_text(meeting.deadline)})", early, "期限を延ばす")
        if meeting.between:
            hours = runs(self.open & line.daily(range(7), *meeting.between), length)
            yield duty(f"時間帯({meeting.between[0]:%H:%M}から{meeting.between[1]:%H:%M})", hours, "時間帯を広げる")
        if meeting.fixed:
            at = line.slot_at(meeting.fixed.starts)
            bits = 1 << at if at is not None else 0
            yield duty(f"決定済みの日時({day_text(meeting.fixed.starts)})", bits, "決定済みの日時を見直す")


def crowded(search: Search, number: int) -> Clash:
    """A meeting that has slots of its own, but not beside others: a set of those from which none can be left out."""
    board = search.board
    kept = board.snapshot()
    others = [n for n, spot in enumerate(kept) if spot is not None]
    in_way = []
    for other in others:
        spot = board.lift(other)
        if search.possible(number):
            board.put(other, *spot)
            in_way.append(other)
    relax = []
    board.restore(kept)
    for other in in_way:
        spot = board.lift(other)
        if search.possible(number):
            relax.append(f"「{search.grid.sittings[other].meeting.name}」を別の日時に移す")
        board.put(other, *spot)
    names = tuple(f"会議「{search.grid.sittings[other].meeting.name}」" for other in in_way)
    return Clash((f"会議「{search.grid.sittings[number].meeting.name}」", *names), tuple(relax or _ASK), False)


_ASK = ("期限を延ばす、部屋を加える、必須の席に代理を立てる、のどれか",)


# -- a slot ------------------------------------------------------------------------------------------------------------


def costs_whom(option: Option) -> list[str]:
    """Who pays for this slot: empty seats, substitutes, people who would rather not."""
    rows = list(zip(option.sitting.meeting.seats, option.sitting.chairs, option.chosen, option.sour, strict=True))
    empty = [seat for seat, _, person, _ in rows if person is None]
    said = {
        "出られない原則の席": [seat.name for seat in empty if seat.need == "expected"],
        "出られない任意の席": [seat.name for seat in empty if seat.need == "optional"],
        "代理が出る席": [seat.name for seat, chair, who, _ in rows if who is not None and who != chair.persons[0]],
        "できれば避けたい時間の席": [seat.name for seat, _, _, sour in rows if sour],
    }
    return [f"{text}: {'、'.join(names)}" for text, names in said.items() if names]


def why(option: Option) -> str:
    """Why a slot of a single sitting is where it is in the ranking."""
    meeting = option.sitting.meeting
    needs = [seat.need for seat in meeting.seats]
    text = f"必須{needs.count('required')}席がそろいます"
    if expected := needs.count("expected"):
        here = sum(n == "expected" and one is not None for n, one in zip(needs, option.chosen, strict=True))
        text += f"(原則{expected}席中{here}席)"
    return "。".join([text, *costs_whom(option)])


def explained(options: Sequence[Option]) -> list[tuple[Option, str]]:
    """``why`` for each; where the same people sit, it is worked out once."""
    known: dict[tuple[object, object], str] = {}
    found = []
    for option in options:
        key = (option.chosen, option.sour)
        if key not in known:
            known[key] = why(option)
        found.append((option, known[key]))
    return found


def why_here(board: Board, number: int) -> str:
    """Why a sitting lies where it lies among others: beside the best it could have had alone, and who is in the way."""
    grid, spot = board.grid, board.spot[number]
    if spot is None:
        return ""
    slot, place, room, _ = spot
    sitting = grid.sittings[number]
    starts = grid.axis.start_of(slot)
    who = tuple(board.who[number])
    sour = tuple(one is not None and bool(sitting.avoid.get(one, 0) >> slot & 1) for one in who)
    here = Option(sitting, slot, starts, 0, place, room, who, sour)
    text = why(here)
    if sitting.meeting.fixed:
        return f"{text}。決定済みの日時です。"
    alone = best(grid, number)
    if alone is None or alone.slot == slot:
        return f"{text}。この会議だけで見ても最もよい日時です。"
    if cost_at(grid, number, slot) == alone.cost:
        return f"{text}。この会議だけで見ても最もよい日時のひとつです。"
    found = dict.fromkeys(_in_the_way(board, number, alone))
    names = [grid.sittings[other].meeting.name for other in found]
    because = f"「{'」「'.join(names[:NAMED])}」と人か部屋が重なるためです" if names else "全体の費用が下がるためです"
    return f"{text}。この会議だけなら{day_text(alone.starts)}がよりよいところ、{because}。"


def _in_the_way(board: Board, number: int, option: Option) -> Iterator[int]:
    sitting, slot = board.grid.sittings[number], option.slot
    for person in option.chosen:
        if person is not None:
            for other, bits in board.clashes(person, sitting, option.place):
                if other != number and bits >> slot & 1:
                    yield other
    rooms = next((one.rooms for one in sitting.variants if one.place == option.place), ())
    for room in rooms:
        for other, bits in board.room_clashes(room, sitting.length):
            if other != number and bits >> slot & 1:
                yield other
