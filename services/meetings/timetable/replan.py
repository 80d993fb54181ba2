"""Planning anew after a decline, a quorum that died or a room that was lost: as little as possible changes.

What still holds of the announced plan is kept where it was; seats that fell empty get their substitutes. Only what fell
out is placed anew, first beside all others, and only if that cannot be, in place of others; of several attempts the one
that moves fewest announced sittings is kept.
"""

from collections.abc import Mapping

from services.meetings.timetable.board import Announced
from services.meetings.timetable.grid import Grid, Variant, quorate
from services.meetings.timetable.many import Clock, Found, Progress, Search

ATTEMPTS = 40
PUSHES = 200
"""Steps of one attempt in which sittings may take each other's place."""


def replan(
    grid: Grid,
    announced: Mapping[int, Announced],
    *,
    seconds: float,
    seed: int,
    clock: Clock,
    tell: Progress | None = None,
) -> Found:
    """The plan with the fewest changes that was found within ``seconds``."""
    search = Search(grid, seed, announced)
    began = clock()
    for number in sorted(announced, key=lambda n: (grid.sittings[n].meeting.fixed is None, n)):
        _as_it_was(search, number)
    homeless = [n for n, spot in enumerate(search.board.spot) if spot is None and n not in search.hopeless]
    homeless.sort(key=lambda n: -grid.sittings[n].weight)
    base = search.board.snapshot()
    search.keep()
    least = sum(1 for n in homeless if n in announced)
    for attempt in range(ATTEMPTS):
        if attempt:
            search.board.restore(base)
            search.random.shuffle(homeless)
        for number in homeless:
            search.step(number, 0.0, ejecting=False)
        pushed = search.push(PUSHES) if any(search.board.spot[n] is None for n in homeless) else False
        search.keep()
        search.calm()
        enough = not pushed and search.board.moved <= least
        share = min(1.0, (clock() - began) / seconds) if seconds > 0 else 1.0
        if tell:
            tell(share, search.steps, search.best_key)
        if enough or share >= 1:
            break
    search.back()
    return Found(search.board, search.steps)


def _as_it_was(search: Search, number: int) -> None:
    """Put an announced sitting where it was, if that is still lawful; who cannot come any more is stood in for."""
    board = search.board
    was, sitting = board.announced[number], search.grid.sittings[number]
    if was.slot < 0:
        return
    for variant in sitting.variants:
        if was.room not in (variant.rooms or (None,)):
            continue
        if not _room_holds(search, number, was):
            return
        who = _still(search, number, was, variant)
        filled = [int(one is not None) for one in who]
        lacking = any(chair.absent is None and one is None for chair, one in zip(sitting.chairs, who, strict=True))
        if not lacking and quorate(sitting, filled, 1):
            board.put(number, was.slot, variant.place, was.room, who)
            return


def _room_holds(search: Search, number: int, was: Announced) -> bool:
    sitting = search.grid.sittings[number]
    if was.room is None:
        return bool(sitting.inside >> was.slot & 1)
    taken = any(bits >> was.slot & 1 for _, bits in search.board.room_clashes(was.room, sitting.length))
    return bool(sitting.room_can[was.room] >> was.slot & 1) and not taken


def _still(search: Search, number: int, was: Announced, variant: Variant) -> list[int | None]:
    """By seat: who was announced if she still can, else the first who can."""
    board, sitting = search.board, search.grid.sittings[number]

    def can(person: int) -> bool:
        allowed = sitting.can.get((person, variant.place), 0) >> was.slot & 1 and person not in variant.out
        return bool(allowed) and not any(b >> was.slot & 1 for _, b in board.clashes(person, sitting, variant.place))

    who: list[int | None] = []
    for chair, before in zip(sitting.chairs, was.who, strict=True):
        order = [before] if before is not None and before in chair.persons else []
        who.append(next((one for one in [*order, *chair.persons] if can(one)), None))
    return who
