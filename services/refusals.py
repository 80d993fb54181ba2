"""Refused starts, for the audit log: a process that may not open its store cannot write there that it was refused.

So the refusal is noted beside it, and the next start that succeeds enters what was noted: nobody who put the wrong
store, key store or right there, and took it away again, leaves no row behind.
"""

import re
from datetime import datetime
from pathlib import Path

from services.probes import Reaches
from services.service import Process, Tx
from services.settings import Settings
from services.store import Store, StoreRefused
from services.vault import VaultRefused

REFUSED = {Reaches: "reaches", StoreRefused: "store", VaultRefused: "vault"}
"""What refuses a start, with the rule that stands in the log."""
_LINE = re.compile(r"(reaches|store|vault) (\d{8}t\d{6}z)")
_MOST = 200
"""Lines that are kept: a process that is started again and again all night needs no more to be noticed."""


def note(process: Process, settings: Settings, refusal: Exception, now: datetime) -> None:
    """Note which rule refused and when, UTC. Nothing else of the refusal: its text names files and roles."""
    path = _path(process, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = _read(path)[: _MOST - 1]
    draft = path.with_suffix(".new")
    draft.write_text("".join(f"{one}\n" for one in [*lines, f"{REFUSED[type(refusal)]} {now:%Y%m%dt%H%M%Sz}"]))
    draft.replace(path)


def enter(process: Process, settings: Settings, store: Store) -> None:
    """Put what was noted into the log. Killed before the file is gone it enters it twice, not never."""
    path = _path(process, settings)
    found = [match for match in map(_LINE.fullmatch, _read(path)) if match]

    def write(tx: Tx) -> tuple[None, tuple[()]]:
        for match in found:
            tx.audit(act="start", outcome="refuse", rule=match[1], actor=process.name, detail=match[2])
        return None, ()

    if found:
        store.write(write)
    path.unlink(missing_ok=True)


def _path(process: Process, settings: Settings) -> Path:
    return settings.home / "refused" / process.name


def _read(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return []
