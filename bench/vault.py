"""Sealing and opening one field, beside the bare AES-GCM call on the same text, in turns.

A transaction has the subject's key already, or fetches and unwraps it first (alone, or two hundred at once for a list),
or makes it and writes it down, which costs the key store's durable commit.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.vault import Vault

ROUNDS, FIELDS = 15, 2000
NOTE = "母の年金で二人で暮らしている。長男は五十代で仕事をしていない。家賃と介護の費用の支払いが遅れがち。" * 5
"""A long 紹介理由, some 750 bytes."""


async def main() -> None:
    """Microseconds per field, medians of ROUNDS, and ratios to the bare call."""
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(f"sqlite:///{Path(folder) / 'vault.db'}", os.urandom(32), "452050/intake")
        subject, plain, nonce, bound = uuid4(), AESGCM(os.urandom(32)), os.urandom(12), os.urandom(90)
        sealed = vault.seal(subject, "client.name", NOTE)
        vault.keep()
        many = {one: vault.seal(one, "client.name", NOTE) for one in (uuid4() for _ in range(200))}
        vault.keep()
        raw = plain.encrypt(nonce, NOTE.encode(), bound)
        acts: dict[str, Callable[[], object]] = {
            "bare encrypt": lambda: plain.encrypt(os.urandom(12), NOTE.encode(), bound),
            "seal": lambda: vault.seal(subject, "client.name", NOTE),
            "bare decrypt": lambda: plain.decrypt(nonce, raw, bound).decode(),
            "open": lambda: vault.open(subject, "client.name", sealed),
            "open, key fetched": lambda: _afresh(vault, subject, sealed),
            "open, of a list": lambda: _list(vault, many),
            "seal, key made": lambda: _anew(vault),
        }
        taken: dict[str, list[float]] = {name: [] for name in acts}
        for number in range(ROUNDS + 1):
            for name, act in acts.items():
                times = 1 if "list" in name else FIELDS // 40 if "key" in name else FIELDS
                took = _time(act, times) / (len(many) if "list" in name else 1)
                taken[name] += [took] if number else []
        vault.close()
    middle = {name: statistics.median(values) for name, values in taken.items()}
    print(f"vault, {len(NOTE.encode())} bytes, medians of {ROUNDS}")
    for name, value in middle.items():
        yardstick = middle["bare encrypt" if "seal" in name or "encrypt" in name else "bare decrypt"]
        print(f"  {name:>18} {value:8.1f} us   {value / yardstick:7.2f} of bare")


def _time(act: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - began) / times * 1e6


def _afresh(vault: Vault, subject: UUID, sealed: bytes) -> str:
    vault.forget()
    return vault.open(subject, "client.name", sealed)


def _list(vault: Vault, many: dict[UUID, bytes]) -> list[str]:
    vault.forget()
    vault.fetch(many)
    return [vault.open(subject, "client.name", sealed) for subject, sealed in many.items()]


def _anew(vault: Vault) -> bytes:
    vault.forget()
    sealed = vault.seal(uuid4(), "client.name", NOTE)
    vault.keep()
    return sealed
