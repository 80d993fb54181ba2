"""The order of items within a sitting: who comes for an item comes once, and waits least (calendar.md 5.4).

While an item runs, only those it is for are in the room, besides those who stay throughout. Given the *set* of items
done, both the clock and the waiting that the next item causes are known, so a Held-Karp table over sets is exact,
people's own times included. Above ``EXACT`` items only the most promising sets are followed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EXACT = 14
"""Items up to which every order is considered: a third of a second; each further one doubles it."""
FOLLOWED = 400
"""Sets that are followed per layer above that."""
TICK = 5
"""Minutes."""


@dataclass(frozen=True)
class Task:
    """An item: its length in ticks, who comes only for it, and whether it comes before all that do not say so."""

    ticks: int
    persons: frozenset[str] = frozenset()
    first: bool = False


@dataclass(frozen=True)
class Order:
    """The items in order; entries of people, and person-ticks they wait. ``exact``: no order is better."""

    items: tuple[int, ...]
    entries: int
    waiting: int
    exact: bool


def best_order(
    tasks: Sequence[Task], free: Mapping[str, int] | None = None, apart: Sequence[frozenset[str]] = ()
) -> Order | None:
    """The order with the fewest entries and waits; of equal ones the first as written. None: there is none.

    ``free``: bit t says that this person can be there in tick t; who is not named always can. ``apart``: pairs who may
    not meet, so their items do not follow each other.
    """
    if not tasks:
        return Order((), 0, 0, True)
    table = _Table(tasks, free or {}, apart)
    exact = len(tasks) <= EXACT
    layer: dict[int, dict[int, tuple[int, tuple[int, ...]]]] = {0: {-1: (0, ())}}
    for _ in tasks:
        layer = table.longer(layer)
        if not exact and len(layer) > FOLLOWED:
            kept = sorted(layer, key=lambda done: (min(layer[done].values()), done))[:FOLLOWED]
            layer = {done: layer[done] for done in kept}
    ends = [one for by_last in layer.values() for one in by_last.values()]
    if not ends:
        return None
    cost, items = min(ends)
    entries, waiting = divmod(cost, table.entry)
    return Order(items, entries, waiting, exact)


class _Table:
    def __init__(self, tasks: Sequence[Task], free: Mapping[str, int], apart: Sequence[frozenset[str]]) -> None:
        people = sorted({person for task in tasks for person in task.persons})
        bit = {person: 1 << n for n, person in enumerate(people)}
        self.tasks = tasks
        self.all = (1 << len(tasks)) - 1
        self.who = [sum(bit[person] for person in task.persons) for task in tasks]
        self.first = sum(1 << n for n, task in enumerate(tasks) if task.first)
        self.free = [[free[person] for person in task.persons if person in free] for task in tasks]
        self.entry = 1 + len(people) * sum(task.ticks for task in tasks)
        """More than all waits together: coming twice is worse than any wait in one sitting."""
        self.enters = [
            [(mine & ~(self.who[last] if last >= 0 else 0)).bit_count() * self.entry for mine in self.who]
            for last in [*range(len(tasks)), -1]
        ]
        hostile = [[any(_meet(pair, one.persons, other.persons) for pair in apart) for other in tasks] for one in tasks]
        self.hostile = [*hostile, [False] * len(tasks)]
        self.seen: dict[int, int] = {}

    def needed(self, items: int) -> int:
        """Everybody whom one of these items is for."""
        if items not in self.seen:
            low = items & -items
            self.seen[items] = (self.needed(items ^ low) | self.who[low.bit_length() - 1]) if items else 0
        return self.seen[items]

    def waits(self, done: int, item: int) -> int:
        """Person-ticks waited during ``item`` by those who were in before and are wanted again."""
        rest = self.all & ~done & ~(1 << item)
        between = self.needed(done) & self.needed(rest) & ~self.who[item]
        return between.bit_count() * self.tasks[item].ticks

    def longer(
        self, layer: Mapping[int, Mapping[int, tuple[int, tuple[int, ...]]]]
    ) -> dict[int, dict[int, tuple[int, tuple[int, ...]]]]:
        """All sets with one item more, and for each last item the cheapest way there."""
        found: dict[int, dict[int, tuple[int, tuple[int, ...]]]] = {}
        for done, by_last in layer.items():
            clock = sum(task.ticks for n, task in enumerate(self.tasks) if done >> n & 1)
            for item, task in enumerate(self.tasks):
                if done >> item & 1 or (not task.first and self.first & ~done):
                    continue
                box = ((1 << task.ticks) - 1) << clock
                if any(box & ~bits for bits in self.free[item]):
                    continue
                ways = [
                    (cost + self.enters[last][item], path)
                    for last, (cost, path) in by_last.items()
                    if not self.hostile[last][item]
                ]
                if ways:
                    cost, path = min(ways)
                    found.setdefault(done | 1 << item, {})[item] = (cost + self.waits(done, item), (*path, item))
        return found


def _meet(pair: frozenset[str], one: frozenset[str], other: frozenset[str]) -> bool:
    first, second = sorted(pair)
    return (first in one and second in other) or (second in one and first in other)
