"""What a reply by mail does to a seat. Values in, values out: no mail changes more than the answer link may.

Replies come late, twice, out of order and from old copies (RFC 5546 2.1.4-2.1.5); none of that may set a seat wrongly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.mail_answers import MailAnswer, Said
from contracts.meetings import Answer

MOST_MAILS = 50
"""Kept of one seat, and so many answers besides: a machine that answers itself fills neither store nor others' room."""
SENT_AGAIN_AFTER = timedelta(hours=1)
"""An invitation is not sent again sooner: two machines could ask each other for ever."""
SETS: dict[Said, Answer] = {Said.ACCEPTED: "attend", Said.DECLINED: "absent"}
"""The replies that are an answer. 「仮の予定」 is none: the seat stays as it is, and the coordinator sees it."""
WAITS_FOR = (Said.TENTATIVE, Said.DELEGATED, Said.COUNTER, Said.UNREADABLE, Said.OTHER_SENDER)
"""What the coordinator is shown until the person gives an answer."""

SENT_AGAIN = (Said.REFRESH, Said.COUNTER, Said.DELEGATED)
"""Answered by the invitation as it stands: asked for, or the neutral no to another time or another person. Whoever
entered the wish in a calendar has the real date there again (RFC 5546 3.2.2)."""

Outcome = Literal["recorded", "noted", "stale", "over", "wrong_sitting"]


@dataclass(frozen=True)
class Told:
    """One notice that this seat's holder has, or may have."""

    sequence: int
    takes_back: bool


@dataclass(frozen=True)
class Seated:
    """The seat as it stands."""

    starts: datetime
    cancelled: bool
    answered: datetime | None
    """When the answer that stands was given, by link or by mail."""


def outcome_of(said: MailAnswer, seat: Seated, notices: Iterable[Told], now: datetime) -> Outcome:
    """What becomes of a reply whose token and sender are right.

    Two devices, or 承諾 and 辞退 within a second: the one answered later counts, however the mails arrive; of two in
    the same second the one that arrives later. A clock that runs ahead does not lock later answers out.
    """
    if seat.cancelled or now >= seat.starts:
        return "over"
    told = tuple(notices)
    newest = max((one.sequence for one in told if not one.takes_back), default=0)
    if said.sequence > newest or (said.instance is not None and said.instance != seat.starts):
        return "wrong_sitting"
    if said.said not in SETS:
        return "noted"
    if said.sequence <= max((one.sequence for one in told if one.takes_back), default=-1):
        return "stale"
    if said.about != seat.starts if said.about is not None else said.sequence < newest:
        return "stale"
    return "recorded" if seat.answered is None or answered_at(said, now) >= second(seat.answered) else "stale"


def is_full(said: Said, kept: int) -> bool:
    """Whether a seat has had too many mails for one more of this kind."""
    return kept >= (2 * MOST_MAILS if said in SETS else MOST_MAILS)


def answered_at(said: MailAnswer, now: datetime) -> datetime:
    """When it was answered, by the person's clock; never later than now."""
    return min(said.stamp, now) if said.stamp else now


def second(at: datetime) -> datetime:
    """The second it lies in: calendars count in seconds (RFC 5545 3.3.5)."""
    return at.replace(microsecond=0)
