"""Permits per second from the ledger itself, one at a time and in batches, beside a bare one-row insert with commit.

In turns on SQLite, all three with synchronous=FULL in one thread: what a permit costs beyond the commit it needs.
"""

import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from contracts.intake import Sheet, TakeInSheets
from contracts.permit import Use
from services import intake
from services.intake.permits import redeem_all
from services.intake.versions import versions_where
from services.settings import read_profile
from services.store import Store
from tests.chaos import sheets
from tests.stage import vault_of

KEY = b"b" * 32
ROUNDS, SINGLE, BATCH, BATCHES = 5, 300, 80, 10
"""A sitting of eight items with ten seats asks for eighty permits at once."""


async def main() -> None:
    """Medians of ROUNDS interleaved rounds; the first warms up and is not counted."""
    figures: dict[str, list[float]] = {"bare": [], "single": [], "batch": []}
    with tempfile.TemporaryDirectory() as folder:
        profile, address = read_profile(Path("examples/kobayashi")), f"sqlite:///{folder}/intake.db"
        vault = vault_of(intake.service, address, profile)
        store = Store(address, intake.service, profile, vault=vault)
        uses = _uses(store, list(sheets(0)))
        for number in range(ROUNDS + 1):
            for name, measured in (
                ("bare", _bare(Path(folder) / f"bare{number}.db")),
                ("single", _redeem(store, uses, SINGLE, 1)),
                ("batch", _redeem(store, uses, BATCHES, BATCH)),
            ):
                if number:
                    figures[name].append(measured)
        store.close()
        vault.close()
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"permit, medians of {ROUNDS}; bare = sqlite3 synchronous=FULL, one row and one commit")
    print(f"  {'bare':>12} {middle['bare']:8.0f} rows/s")
    for name, words in (("single", "one by one"), ("batch", f"by {BATCH}")):
        print(f"  {words:>12} {middle[name]:8.0f} permits/s   {middle[name] / middle['bare']:5.2f} of bare")


def _uses(store: Store, papers: list[Sheet]) -> list[Use]:
    """Something that each consented client allows."""
    take = intake.service.answers_to[TakeInSheets].act
    store.write(lambda tx: take(TakeInSheets(sheets=tuple(papers[:100])), tx))
    values = {"act": "invite", "category": "ordinary", "version": 1}
    return [
        Use.model_validate(
            values
            | {"use": uuid4(), "consent": one.consent, "member": one.scope.members[0]}
            | {"agency": one.scope.agencies[0], "purpose": "plan"}
        )
        for one in store.read(versions_where)
        if one.scope is not None
    ]


def _redeem(store: Store, uses: list[Use], times: int, at_once: int) -> float:
    """Permits per second. Each use is new, as a register's row is."""
    asked = [
        [uses[(n * at_once + m) % len(uses)].model_copy(update={"use": uuid4()}) for m in range(at_once)]
        for n in range(times)
    ]
    began = time.perf_counter()
    granted = 0
    for part in asked:
        verdicts = store.write(lambda tx, part=part: (redeem_all(part, KEY, tx), ())).verdicts  # type: ignore[misc]
        granted += sum(verdict.permit is not None for verdict in verdicts)
    took = time.perf_counter() - began
    if granted != times * at_once:
        raise SystemExit("a permit was refused")
    return granted / took


def _bare(path: Path) -> float:
    """Rows per second, one commit each."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE permit(id TEXT PRIMARY KEY, use TEXT UNIQUE)"
    )
    rows = [(str(uuid4()), str(uuid4())) for _ in range(SINGLE)]
    began = time.perf_counter()
    for row in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO permit VALUES (?, ?)", row)
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return SINGLE / took
