"""What comes back by mail: a person's reply to an invitation, and a mail server's report of a mail's delivery.

Times, codes and tokens only. The words of a mail, its subject and the names in it never leave the process that read it.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.mail_addresses import MailToken
from contracts.message import Account, Message, Question

MailBox = Annotated[str, StringConstraints(max_length=254)]
"""A sender's address, as the mail has it."""
StatusCode = Annotated[str, StringConstraints(pattern=r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}$")]
"""RFC 3463."""


class Said(StrEnum):
    """What a mail says about a seat."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"
    DELEGATED = "delegated"
    """Somebody else is to come. That is for the coordinator to decide; never where a commission is personal (S6)."""
    COUNTER = "counter"
    """Another time is wished for (RFC 5546 3.2.7). A wish moves nothing."""
    REFRESH = "refresh"
    """The invitation is to be sent again (RFC 5546 3.2.6)."""
    UNREADABLE = "unreadable"
    """A mail without an answer that can be read. Its words are not kept; somebody has to telephone."""
    OTHER_SENDER = "other_sender"
    """An answer from an address that is not the invited person's: it counts for nothing; somebody has to telephone."""


class MailAnswer(Message):
    """One mail's answer to one invitation."""

    request: UUID
    """Follows from Message-ID and token: the same mail comes again under the same one."""
    token: MailToken
    said: Said
    sequence: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of the invitation that is answered (RFC 5546 2.1.4)."""
    stamp: AwareDatetime | None = None
    """DTSTAMP: when it was answered, by the clock of whoever answered."""
    about: AwareDatetime | None = None
    """DTSTART as it comes back: which date was answered. Of a COUNTER it is the wish, and stands there."""
    instance: AwareDatetime | None = None
    """RECURRENCE-ID: which one of a series."""
    wish_starts: AwareDatetime | None = None
    wish_ends: AwareDatetime | None = None


class ReplyTaken(Message):
    """What became of it. Nothing in it tells the kind of meeting, and no mail server is told any of it.

    ``recorded``: the seat's answer. ``noted``: kept for the coordinator, the seat is as it was. ``stale``: an older
    copy, another date or an earlier answer. ``over``: the sitting has begun, or the seat was taken back.
    ``wrong_sitting``: not the one that was invited to. ``unknown``: no token of ours. ``full``: that seat had too many
    mails.
    """

    outcome: Literal["recorded", "noted", "stale", "over", "wrong_sitting", "unknown", "full"]


class TakeReply(Question[ReplyTaken], subject="ask.notify.take_reply.v1"):
    """A reply has come. notify knows who was invited under the token and where that person's mail goes."""

    answer: MailAnswer
    sender: MailBox


class PassReply(Question[ReplyTaken], subject="ask.desk.pass_reply.v1"):
    """Put before whoever invited what the person said. The answer window alone can tell whom to ask."""

    answer: MailAnswer


class AnswerByMail(
    Question[ReplyTaken], subject="ask.meetings.answer_by_mail.v1", asked_from=(Account.NOTIFY,), inside=False
):
    """The holder of a seat answers by mail. May be changed until the sitting starts, as by the link."""

    answer: MailAnswer


class DeliveryTaken(Message):
    """Whether the report was about a notice of ours."""

    known: bool


class TakeDelivery(Question[DeliveryTaken], subject="ask.notify.take_delivery.v1"):
    """A report has come. notify knows the tokens of its own reminders; whose else a token is, the window can tell."""

    token: MailToken
    state: Literal["delivered", "deferred", "bounced"]
    code: StatusCode


class PassDelivery(Question[DeliveryTaken], subject="ask.desk.pass_delivery.v1"):
    """Put before whoever invited what a mail server reports (RFC 3464)."""

    token: MailToken
    state: Literal["delivered", "deferred", "bounced"]
    code: StatusCode


class ReportDelivery(
    Question[DeliveryTaken], subject="ask.meetings.report_delivery.v1", asked_from=(Account.NOTIFY,), inside=False
):
    """A mail server reports what became of a notice it took. What bounced does not come back to life."""

    token: MailToken
    state: Literal["delivered", "deferred", "bounced"]
    code: StatusCode
