"""What notify does: one neutral invitation or cancellation to one person, at once or not at all."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.holding import HeldHow
from contracts.mail_addresses import MailToken
from contracts.meetings import LinkToken
from contracts.message import Account, Code, Message, Question


class Sent(Message):
    """``sent``: the mail server took it. ``not_sent``: it did not; the asker decides anew and asks again.

    ``never_invited`` (cancellations only) is final: this person has no invitation that could be taken back. So are
    ``by_phone`` and ``by_letter``: this person is told that way, by whoever keeps the seats. ``declined`` (reminders
    only): this person wants none. ``bounced`` (reminders only): it was taken, and came back since.
    """

    outcome: Literal["sent", "not_sent"]
    why: Literal[
        "",
        "no_address",
        "mail_server_down",
        "mail_refused",
        "too_late",
        "stale",
        "never_invited",
        "by_phone",
        "by_letter",
        "declined",
        "bounced",
    ] = ""


class SendInvitation(
    HeldHow, Question[Sent], subject="ask.notify.send_invitation.v1", asked_from=(Account.JUSO, Account.SHIEN)
):
    """Mail one invitation (iTIP REQUEST) to one person. Nothing in it tells what the meeting is about or of which kind.

    The same ``notice`` asked twice is sent once. ``sequence`` only rises per ``uid``; an older one is refused as stale,
    and so is one that is not above the newest cancellation asked for. The text is handed to the mail server before
    ``send_before`` or not at all; its verdict may come later.
    Held online, whoever is invited is told so in the place's stead (M3).
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
    room: Code | None = None
    """Which of the place's rooms, where it has some."""
    answer_token: MailToken | None = None
    """Where a calendar's reply goes, the same for all of one seat's mails; without one, to the office."""
    bounce_token: MailToken | None = None
    """Where reports of this notice's delivery go, likewise."""


class SendCancellation(
    Question[Sent], subject="ask.notify.send_cancellation.v1", asked_from=(Account.JUSO, Account.SHIEN)
):
    """Take one invitation back (iTIP CANCEL). Nothing in it tells why, nor of which kind the meeting was (S17).

    ``notice`` is the cancellation's own; ``sequence`` is above every invitation's with this ``uid``, else it is stale.
    From when it is asked for, whatever the answer, no invitation with this or a lower sequence goes out any more.
    Whoever got no invitation with this ``uid`` gets no mail either: ``never_invited``. ``send_before`` as above.
    """

    notice: UUID
    person: UUID
    uid: UUID
    sequence: Annotated[int, Field(ge=0)]
    starts: AwareDatetime
    ends: AwareDatetime
    place: Code
    send_before: AwareDatetime
    answer_token: MailToken | None = None
    bounce_token: MailToken | None = None


class SendReminder(Question[Sent], subject="ask.notify.send_reminder.v1", asked_from=(Account.JUSO, Account.SHIEN)):
    """Tell one person by his or her own channel that something is due, an answer is missing or a sitting is near: not
    what, of how many cases, nor of which kind (S17). Whoever does not want such notes gets none: they are no duty.

    One mail per ``person`` and ``day`` (a working day in Japan), whoever asks how often: two kinds of meeting must not
    show as two mails. ``sent`` is also the answer to whoever asks after that mail went out, or may have gone out: one
    that was perhaps lost is not sent again, for the next working day brings the next one. ``send_before`` as above.
    Asked again later, also with a ``send_before`` that is over, the answer says what has become of it since.
    """

    person: UUID
    day: date
    send_before: AwareDatetime


class SendPoll(Question[Sent], subject="ask.notify.send_poll.v1", asked_from=(Account.JUSO, Account.SHIEN)):
    """Ask one person by mail for the times at which he or she can come, by a link without login. Nothing in it tells
    what the meeting would be about, with whom, or of which kind (S17); the times stand behind the link only.

    The same ``notice`` asked twice is sent once. ``send_before`` as above.
    """

    notice: UUID
    person: UUID
    link: LinkToken
    answer_by: AwareDatetime
    send_before: AwareDatetime
    bounce_token: MailToken | None = None


class RemindersWanted(Message):
    """Whether whoever holds the link wants reminders. ``found``: the link is one of ours."""

    found: bool
    wanted: bool = False


class LookAtReminders(Question[RemindersWanted], subject="ask.notify.look_at_reminders.v1"):
    """Whether reminders go to the holder of this link. Changes nothing: mail scanners follow links."""

    link: LinkToken


class WantReminders(Question[RemindersWanted], subject="ask.notify.want_reminders.v1"):
    """No more reminders, or again (RFC 8058). Invitations, cancellations and polls go on: they are no subscription."""

    link: LinkToken
    wanted: bool
