"""Putting a case of which something stays overdue to the next regular meeting (M1)."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.message import Code, Message, Question


class Escalated(Message):
    """Whether the case was put to a meeting; if not, by which rule, why, and the lawful next step."""

    done: bool
    rule: str = ""
    reason: str = ""
    next_step: str = ""


class Escalate(Question[Escalated], subject="ask.coordination.escalate.v1"):
    """Put a case to the next regular meeting of its body, because something has been overdue too long (M1).

    ``request``: the same one twice is one. ``after``: how often that was done before, as ``Overdue`` says it; of two
    people at once the second is refused. Done as steps are: by 市町村 and 多機関協働事業者 who may see the case.
    """

    case: UUID
    request: UUID
    after: Annotated[int, Field(ge=0)]
    viewer: UUID | None = None
    viewer_agency: Code | None = None
