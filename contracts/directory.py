"""What the directory answers: agencies' staff, how to reach them, when they are busy. Nothing about a client."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.message import Account, Code, Compartment, Message, Question

Channel = Literal["mail", "webhook", "caldav", "letter", "phone"]
"""How somebody is told of a sitting. ``caldav``: an entry in their calendar, besides the mail."""
COMPARTMENTS = (Account.JUSO, Account.SHIEN)


class StaffView(Message):
    """A member of staff of an agency. ``number``: the 職員番号, by which people name each other."""

    person: UUID
    number: str = ""
    name: str
    agency: Code
    posts: tuple[Code, ...]
    network: Literal["lgwan", "internet", "none"]
    since: date | None = None
    until: date | None = None
    """The first and the last day of the posts, where the municipality says them: who decides must hold one (D2)."""
    phone: str = ""
    """The number of whoever is told of sittings by telephone; empty for everybody else."""


class StaffList(Message):
    """Everybody, in the order in which an agency's posts are to be asked."""

    staff: tuple[StaffView, ...]


class Staff(Question[StaffList], subject="ask.directory.staff.v1", asked_from=COMPARTMENTS):
    """Everybody. There is no look-up of one person: which one was asked for would tell (consent.md 8.1)."""


class BusyBlock(Message):
    """[starts, ends) in which a person cannot come. Opaque: no title, no place."""

    person: UUID
    starts: AwareDatetime
    ends: AwareDatetime


class BusyBlocks(Message):
    """Busy blocks of everybody."""

    blocks: tuple[BusyBlock, ...]


class Busy(Question[BusyBlocks], subject="ask.directory.busy.v1", asked_from=COMPARTMENTS):
    """When is who busy between two instants?"""

    starts: AwareDatetime
    ends: AwareDatetime


class Reserved(Message):
    """``clashes`` names who is busy; empty means the time is held for all of them."""

    clashes: tuple[UUID, ...] = ()


class Reserve(Question[Reserved], subject="ask.directory.reserve.v1", asked_from=COMPARTMENTS):
    """Hold [starts, ends) for these persons: all or nobody. The same ``hold`` twice changes nothing.

    The directory is the one place where both kinds of meeting meet over a person's time, so that nobody is asked
    to two rooms at once. That a person is busy is the one thing allowed to be seen across (consent.md 2).
    ``firm`` holds even over clashes: a regular sitting does not give way.
    """

    hold: UUID
    persons: Annotated[tuple[UUID, ...], Field(max_length=200)]
    starts: AwareDatetime
    ends: AwareDatetime
    firm: bool = False


class Released(Message):
    """Nobody is held by it any more, or nobody ever was."""


class Release(Question[Released], subject="ask.directory.release.v1", asked_from=COMPARTMENTS):
    """Give back the time of ``hold``, of everybody it holds. Twice is as good as once."""

    hold: UUID


class Mailbox(Message):
    """Where a person's mail goes. ``address`` is empty when there is none. ``agency`` is a code of the profile.

    ``endpoint``: where ``channel`` leads, if not to the mailbox.
    """

    address: str = ""
    name: str = ""
    agency: str = ""
    channel: Channel = "mail"
    endpoint: str = ""


class MailboxOf(Question[Mailbox], subject="ask.directory.mailbox_of.v1", asked_from=(Account.NOTIFY,)):
    """How is this person reached?"""

    person: UUID


class SignedIn(Message):
    """Who signed in; ``person`` is None when name, password or desk do not fit. ``agency`` is a code."""

    person: UUID | None = None
    name: str = ""
    agency: str = ""


class SignIn(Question[SignedIn]):
    """May this person use the desk? Asked as one of the two below, by the desk of that compartment only.

    Which desk is meant is not a field: the asker could claim the other one and try its passwords.
    """

    desk: ClassVar[Compartment]

    login: Annotated[str, StringConstraints(max_length=64)]
    password: Annotated[str, StringConstraints(max_length=256)]


class SignInJuso(SignIn, subject="ask.directory.sign_in_juso.v1", asked_from=(Account.JUSO,)):
    """May this person use the desk of the 重層的支援会議?"""

    desk = Compartment.JUSO


class SignInShien(SignIn, subject="ask.directory.sign_in_shien.v1", asked_from=(Account.SHIEN,)):
    """May this person use the desk of the 支援会議?"""

    desk = Compartment.SHIEN
