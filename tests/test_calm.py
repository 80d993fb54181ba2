"""Waiting until all is calm: who works is asked, and at the end everybody."""

from collections.abc import Iterable, Sequence

from contracts.intake import TakeInSheets
from contracts.profile import Profile
from contracts.pulse import Pulse
from services import gate, intake, notify
from services.operator import Operator
from services.service import Process
from services.settings import Settings
from services.store import Store
from tests.chaos import sheets
from tests.stage import vault_of

PROCESSES = [Process(gate.service), Process(notify.service)]


class Asked(Operator):
    """An operator among processes whose pulses are given; notes whom it asked."""

    def __init__(self, *busy: Sequence[str]) -> None:
        super().__init__(Settings(), {})
        self.busy, self.asked = [*busy], list[list[str]]()

    async def pulses(self, processes: Iterable[Process]) -> list[Pulse | None]:
        names = [one.name for one in processes]
        self.asked.append(names)
        busy = self.busy.pop(0) if self.busy else ()
        facts = {"unread": 0, "outbox": 0, "parked": 0, "undone": 0, "tally": {}}
        return [Pulse(process=name, calm=name not in busy, **facts) for name in names]


async def test_only_who_works_is_asked_until_he_is_done_and_then_everybody_twice() -> None:
    operator = Asked(["notify"], ["notify"], [])
    assert await operator.calm(PROCESSES, 5)
    both = ["gate", "notify"]
    assert operator.asked == [both, ["notify"], ["notify"], both, both]


async def test_whoever_takes_up_work_again_meanwhile_is_waited_for() -> None:
    operator = Asked(["notify"], [], ["gate"], [])
    assert await operator.calm(PROCESSES, 5)
    assert operator.asked[2:4] == [["gate", "notify"], ["gate"]]


def test_the_relay_is_woken_for_events_and_not_for_other_changes(store_address: str, kobayashi: Profile) -> None:
    vault = vault_of(intake.service, store_address, kobayashi)
    store = Store(store_address, intake.service, kobayashi, vault=vault)
    told: list[bool] = []
    store.told = told.append
    take = intake.service.answers_to[TakeInSheets].act
    question = TakeInSheets(sheets=tuple(sheets(0, 2)))
    store.write(lambda tx: take(question, tx))
    store.write(lambda tx: take(question, tx))
    store.close()
    vault.close()
    assert (told[0], any(told[1:])) == (True, False)
