"""How the blocks of a sitting follow each other: who leaves, who stays, on which ground (M5, M6)."""

from typing import Literal
from uuid import UUID

from contracts.message import Code, Message

Stays = Literal["member", "temporary", "commission"]
STAYS_TEXT: dict[Stays, str] = {
    "member": "構成員",
    "temporary": "臨時構成員",
    "commission": "委嘱",
}
"""Why an agency stays for the next block: a seat in it, a 臨時構成員 recorded first, or a 委嘱 that runs (M6, S6)."""


class Staying(Message):
    """An agency that is in both blocks, and its ground for the second."""

    agency: Code
    ground: Stays


class ChangeView(Message):
    """閉じて開き直す: the order of the change from one block to the next.

    ``same``: 同一構成員型, nobody leaves; else 一部重複型. Rosters are the profile's; of a block of another compartment
    nothing else is known.
    """

    before: str
    after: str
    """The legal bases of both blocks."""
    leave: tuple[Code, ...] = ()
    stay: tuple[Staying, ...] = ()
    come: tuple[Code, ...] = ()
    unbound: tuple[Code, ...] = ()
    """On the roster of a 支援会議, but without a 委嘱 that runs: they leave, too, unless it is recorded first (S6)."""
    same: bool = False


class Admitted(Message):
    """臨時構成員 of this sitting, recorded before he or she comes in: who, by whose leave."""

    person: UUID
    agency: Code
    ground: Literal["rule", "chair"]
