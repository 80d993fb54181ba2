"""What notify does: one neutral invitation to one person, at once or not at all."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.meetings import LinkToken
from contracts.message import Account, Code, Message, Question


class Sent(Message):
    """``sent``: the mail server took it. ``not_sent``: it did not; the asker decides anew and asks again."""

    outcome: Literal["sent", "not_sent"]
    why: Literal["", "no_address", "mail_server_down", "mail_refused", "too_late", "stale", "never_invited"] = ""


class SendInvitation(Question[Sent], subject="ask.notify.send_invitation.v1", asked_from=(Account.JUSO, Account.SHIEN)):
    """Mail one invitation (iTIP REQUEST) to one person. Nothing in it tells what the meeting is about or of which kind.

    The same ``notice`` asked twice is sent once. ``sequence`` only rises per ``uid``; an older one is refused as stale.
    """

    notice: UUID
    person: UUID
    uid: UUID
    sequence: Annotated[int, Field(ge=0)]
    starts: AwareDatetime
    ends: AwareDatetime
    place: Code
    link: LinkToken
    answer_by: AwareDatetime
    send_before: AwareDatetime


class SendCancellation(
    Question[Sent], subject="ask.notify.send_cancellation.v1", asked_from=(Account.JUSO, Account.SHIEN)
):
    """Take one invitation back (iTIP CANCEL). It says that the date is off, never why.

    ``never_invited``: this ``uid`` was never mailed to anybody, so there is nothing to take back; that is final.
    """

    notice: UUID
    person: UUID
    uid: UUID
    sequence: Annotated[int, Field(ge=0)]
    starts: AwareDatetime
    ends: AwareDatetime
    place: Code
    send_before: AwareDatetime
