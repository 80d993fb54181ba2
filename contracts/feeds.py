"""Calendar feeds: when somebody sits in a meeting, for their own calendar programme. Times only (S17, M4)."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints

from contracts.directory import COMPARTMENTS
from contracts.message import Account, Message, Question

FeedToken = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""Random; whoever has it may look."""


class Feed(Message):
    """The token of a feed that was just made; it is kept nowhere, so nobody can be told it again."""

    token: FeedToken


class MakeFeed(Question[Feed], subject="ask.directory.make_feed.v1", asked_from=COMPARTMENTS):
    """Give this person a feed. One they had before is over."""

    person: UUID


class FeedEnded(Message):
    """``had``: whether there was one."""

    had: bool


class EndFeed(Question[FeedEnded], subject="ask.directory.end_feed.v1", asked_from=COMPARTMENTS):
    """End this person's feed: its address shows nothing from now on. Twice is as good as once."""

    person: UUID


class Sat(Message):
    """[starts, ends) of a sitting. Not which, where, or of which kind."""

    starts: AwareDatetime
    ends: AwareDatetime


class FeedView(Message):
    """What a feed shows; ``found`` is false for one that never was, has ended, or whose holder has left."""

    found: bool
    times: tuple[Sat, ...] = ()


class LookAtFeed(Question[FeedView], subject="ask.directory.look_at_feed.v1", asked_from=(Account.NOTIFY,)):
    """The times that are held for whoever has this feed, from a month ago to a year ahead."""

    token: FeedToken
