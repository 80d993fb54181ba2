"""What one mail to one address of ours means: an answer for the seat, a report on the notice, or nothing."""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.mail_addresses import MailAddress, ref_of_mail
from contracts.mail_answers import MailAnswer, Said, TakeDelivery, TakeReply
from services.mailin.itip import ReplyCalendar, ReplyEvent
from services.mailin.reading import Came

_PARTSTAT = {
    "ACCEPTED": Said.ACCEPTED,
    "DECLINED": Said.DECLINED,
    "TENTATIVE": Said.TENTATIVE,
    "DELEGATED": Said.DELEGATED,
}
_METHODS = {"REPLY": None, "COUNTER": Said.COUNTER, "REFRESH": Said.REFRESH}
"""What a participant sends an organiser. Our own REQUEST comes back quoted, and is none of them."""
_WORST = ("bounced", "deferred", "delivered")


def question_of(came: Came, to: MailAddress) -> TakeReply | TakeDelivery | None:
    """What is to be asked; None for what nobody has said: out of office, junk, a forged or wrongly addressed report."""
    try:
        ref = ref_of_mail(to.token)
    except ValueError:
        return None
    if to.use == "bounce":
        found = sorted(came.reports, key=lambda one: _WORST.index(one.state))
        return TakeDelivery(token=to.token, state=found[0].state, code=found[0].code) if found else None
    if not came.sender or came.reports:
        return None
    said = _said(came, ref)
    if said is None and came.by_a_machine:
        return None
    facts = said or {"said": Said.UNREADABLE}
    request = uuid5(NAMESPACE_URL, f"{to.token} {came.digest}")
    return TakeReply(answer=MailAnswer(request=request, token=to.token, **facts), sender=came.sender)


def _said(came: Came, uid: UUID) -> dict[str, Any] | None:
    """The one answer in a mail. Two that differ are none: a guess would set a seat."""
    sender = came.sender.casefold()
    found = [said for one in came.calendars if (said := _said_in(one, uid, sender)) is not None]
    if not found and not came.calendars:
        found = [{"said": said} for said in came.outlook]
    return found[0] if found and all(one == found[0] for one in found) else None


def _said_in(calendar: ReplyCalendar, uid: UUID, sender: str) -> dict[str, Any] | None:
    if calendar.method not in _METHODS:
        return None
    mine = [one for one in calendar.events if one.uid.partition("@")[0].lower() == str(uid)]
    if not (events := [one for one in mine if not one.is_instance] or mine):
        return None
    said = _METHODS[calendar.method] or _of_all(_partstats(events, sender))
    if said is None:
        return None
    event = events[0]
    if event.is_instance and event.instance is None:
        return None
    facts = {"said": said, "sequence": event.sequence, "stamp": event.stamp, "instance": event.instance}
    if said is Said.COUNTER:
        return facts | _wish(event)
    return facts | {"about": event.starts}


def _partstats(events: Iterable[ReplyEvent], sender: str) -> list[Said | None]:
    """The sender's own lines only: clients send all that they were given (calendar.md 0.3)."""
    lines = [one for event in events for one in event.attendees if one.address == sender]
    return [_PARTSTAT.get(one.partstat) for one in lines]


def _of_all(said: list[Said | None]) -> Said | None:
    return said[0] if said and len(set(said)) == 1 else None


def _wish(event: ReplyEvent) -> dict[str, Any]:
    ends = event.ends if event.starts and event.ends and event.ends > event.starts else None
    return {"wish_starts": event.starts, "wish_ends": ends}
