"""What commands to the office of intake (受付) carry and answer: who acts, whether it was done, what instead."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from contracts.message import Code, Compartment, Message

Words = Annotated[str, StringConstraints(max_length=10_000)]
"""Free text of a person. Kept sealed, never in an event. How long a field may be is said by the rules of intake."""
Line = Annotated[str, StringConstraints(max_length=200)]


class Officer(Message):
    """Who asks or acts, and the agency he or she does it for."""

    desk_of: ClassVar[Compartment | None] = None
    """At which desk he or she signed in: of referrals elsewhere a desk is told nothing. None: the command line."""
    person: UUID
    agency: Code


class DeskOfficer(Officer):
    """Who signed in at the desk of juso: is told of referrals that lie there now, whatever he or she sees elsewhere."""

    desk_of: ClassVar[Compartment | None] = Compartment.JUSO


class ShienOfficer(Officer):
    """Who signed in at the desk of shien: is told of referrals that lie there now; the 市町村 keeps them (S1)."""

    desk_of: ClassVar[Compartment | None] = Compartment.SHIEN


class Done(Message):
    """Whether it was done; if not, by which rule, why, and the lawful next step: Japanese sentences for a person."""

    done: bool
    rule: str = ""
    reason: str = ""
    next_step: str = ""

    def sentence(self, when_done: str) -> str:
        """What a person reads of it: ``when_done``, or why not; then what to do next, and the rule."""
        said = f"{when_done if self.done else self.reason}{self.next_step}"
        return f"{said}[{self.rule}]" if self.rule and not self.done else said
