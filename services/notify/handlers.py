"""How notify sends a letter: once per notice, in order per person, and never handed over after ``send_before``."""

import asyncio
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

from sqlalchemy import func, insert, select, update

from contracts.directory import Mailbox, MailboxOf
from contracts.mail_answers import PassDelivery, PassReply
from contracts.message import Question
from contracts.notify import SendCancellation, SendInvitation, Sent
from services.notify.addresses import answer_address
from services.notify.channels import (
    BY_HAND,
    Both,
    CalDav,
    Carrier,
    Mail,
    Webhook,
    caldav_login,
    is_reachable,
    webhook_key,
)
from services.notify.dkim import read_signer
from services.notify.domain import (
    Cancellation,
    Delivery,
    Invitation,
    Letter,
    Method,
    Office,
    answer_without_mailing,
    is_stale,
    last_invitation,
    one_line,
)
from services.notify.mail import COMMAND_SECONDS, Deadline, Mailer
from services.notify.tables import delivery, reminder, tables
from services.service import Service, Tx, Work

Asked = SendInvitation | SendCancellation
BUSY = Sent(outcome="not_sent", why="mail_server_down")
ONLINE = "オンライン"
ALSO_ONLINE = "(オンラインでも参加できます)"
"""Where a meeting is held that needs no room; how to get in is told by whoever holds it."""
TOO_LATE = Sent(outcome="not_sent", why="too_late")


class Begun(NamedTuple):
    """A mail that may go out now."""

    follows: UUID | None
    """The invitation that this person has: a cancellation takes it back, a newer one replaces it."""
    in_doubt: bool
    """Whether an earlier try may have reached the person."""


service = Service("notify", tables, asks=frozenset[type[Question[Any]]]((MailboxOf, PassReply, PassDelivery)))

_turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
"""One lock per person being written to. It lasts as long as somebody holds or awaits it, so their number is bounded."""
_under_way: set[UUID] = set()
"""The notices being worked on. A mail server may think for minutes, and their asker asks again meanwhile."""
_mailers: WeakKeyDictionary[asyncio.AbstractEventLoop, Mailer] = WeakKeyDictionary()
"""A process has one event loop and one mail server."""


@service.performs(SendInvitation)
async def send_invitation(asked: SendInvitation, work: Work) -> Sent:
    """Mail it, or say why not. Asked twice, also at the same time, it is mailed once.

    A notice under way is answered ``mail_server_down`` at once: nobody knows better yet, and the asker asks again.
    What is about to be mailed is committed before, what the server took after. A crash between the server's 250 and
    that second commit can only repeat the mail when it is asked for again, with the same Message-ID, UID and SEQUENCE:
    mailboxes and calendars take it for the same one. One process per municipality sends: the turns are its own.
    Raises AskFailed when the directory does not answer; then nothing is stored.
    """
    return await _once(asked, work)


@service.performs(SendCancellation)
async def send_cancellation(asked: SendCancellation, work: Work) -> Sent:
    """Mail it as an invitation is mailed, to whoever may have one; ``never_invited`` says that there is none.

    From when it is asked for, an invitation with the same or a lower sequence is stale. One that is being mailed is
    waited for: the cancellation comes behind it.
    """
    return await _once(asked, work)


async def _once(asked: Asked, work: Work) -> Sent:
    if asked.notice in _under_way:
        return BUSY
    _under_way.add(asked.notice)
    try:
        return await _in_turn(asked, Deadline(lambda: (asked.send_before - work.now()).total_seconds()), work)
    finally:
        _under_way.remove(asked.notice)


async def _in_turn(asked: Asked, deadline: Deadline, work: Work) -> Sent:
    """After what is being mailed to the same person; but whoever waits long for that is told to come again."""
    turn = _turns.setdefault(asked.person, asyncio.Lock())
    try:
        async with asyncio.timeout_at(min(deadline.at, deadline.within(COMMAND_SECONDS))):
            await turn.acquire()
    except TimeoutError:
        return TOO_LATE if deadline.over() else BUSY
    try:
        return await _send(asked, deadline, work)
    finally:
        turn.release()


async def _send(asked: Asked, deadline: Deadline, work: Work) -> Sent:
    mailbox = await work.ask(MailboxOf(person=asked.person))
    begun = await work.run(lambda tx: _begin(asked, mailbox, tx))
    if isinstance(begun, Sent):
        return begun
    told = _letter(asked, begun.follows, mailbox, work)
    outcome = await _carrier(mailbox, told.office, work)(told, deadline)
    if outcome == "no_verdict":
        return BUSY
    if outcome:
        await work.run(lambda tx: _failed(asked.notice, begun, tx))
        return Sent(outcome="not_sent", why=outcome)
    await work.run(lambda tx: _took(asked.notice, tx))
    return Sent(outcome="sent")


def _begin(asked: Asked, mailbox: Mailbox, tx: Tx) -> Sent | Begun:
    """Note that this notice is about to be handed over; or the answer, when it must not or need not be.

    Whoever is told by hand counts as told: nobody knows here when, so taking it back has to reach them, too.
    """
    method: Method = "CANCEL" if isinstance(asked, SendCancellation) else "REQUEST"
    past = _past(asked.uid, tx)
    known = next((one for one in past if (one.notice, one.method) == (asked.notice, method)), None)
    follows = last_invitation(asked.person, [one for one in past if one.notice != asked.notice])
    answer = answer_without_mailing(
        already_sent=known is not None and known.sent,
        too_late=tx.now >= asked.send_before,
        stale=is_stale(method, asked.sequence, past),
        nothing_to_take_back=method == "CANCEL" and follows is None,
        reachable=is_reachable(mailbox),
    )
    by_hand = answer is None and mailbox.channel in BY_HAND
    if by_hand:
        answer = Sent(outcome="not_sent", why=BY_HAND[mailbox.channel])
    told = answer is None or by_hand
    if known is None and (told or method == "CANCEL"):
        row = {"notice": asked.notice, "person": asked.person, "uid": asked.uid, "sequence": asked.sequence}
        tx.execute(insert(delivery).values(**row, method=method, begun_at=tx.now, handed=told))
    elif told:
        tx.execute(update(delivery).where(delivery.c.notice == asked.notice).values(handed=True))
    return answer or Begun(follows, in_doubt=known is not None and known.handed)


def _past(uid: UUID, tx: Tx) -> list[Delivery]:
    kept = delivery.c
    columns = (kept.notice, kept.person, kept.method, kept.sequence, kept.begun_at, kept.handed)
    rows = tx.execute(select(*columns, kept.sent_at.is_not(None).label("sent")).where(kept.uid == uid))
    return [Delivery(**row) for row in rows.mappings()]


def _took(notice: UUID, tx: Tx) -> None:
    tx.execute(update(delivery).where(delivery.c.notice == notice).values(sent_at=tx.now))


def _failed(notice: UUID, begun: Begun, tx: Tx) -> None:
    """Surely this person has not got it by this try; an earlier one may have had no verdict, or none that was kept."""
    tx.execute(update(delivery).where(delivery.c.notice == notice).values(handed=begun.in_doubt))


def _letter(asked: Asked, follows: UUID | None, mailbox: Mailbox, work: Work) -> Letter:
    profile = work.profile
    facts: dict[str, Any] = asked.model_dump(include={"notice", "uid", "sequence", "starts", "ends"}) | {
        "made_at": work.now(),
        "place": one_line({place.code: place.name for place in profile.places}[asked.place]),
        "address": mailbox.address,
        "name": one_line(mailbox.name),
        "office": (office := Office(one_line(profile.office), profile.office_mail, one_line(profile.office_phone))),
        "follows": follows,
        "returns": answer_address(
            asked.answer_token, asked.bounce_token, office.mail, work.settings.reply_domain(office.domain)
        ),
    }
    if isinstance(asked, SendInvitation):
        room = next((one_line(one.name) for one in profile.rooms if one.code == asked.room), "")
        where = f"{facts['place']} {room}".strip()
        facts["place"] = {"online": ONLINE, "both": f"{where}{ALSO_ONLINE}"}.get(asked.mode, where)
        link = f"{work.settings.window_url}/a/{asked.link}"
        door = f"{link}/room" if profile.meets_online(asked.mode) else ""
        return Invitation(**facts, answer_by=asked.answer_by, link=link, door=door)
    return Cancellation(**facts)


def _carrier(mailbox: Mailbox, office: Office, work: Work) -> Carrier:
    """By which way this person is told."""
    settings, endpoint = work.settings, mailbox.endpoint
    if mailbox.channel == "webhook":
        return Webhook(endpoint, webhook_key(settings.webhook_key, endpoint))
    mail = Mail(mailer(work, office), lambda raw: signed(raw, office, work))
    if mailbox.channel == "caldav":
        return Both(CalDav(endpoint, caldav_login(settings.caldav_logins, endpoint)), mail)
    return mail


def signed(mail: bytes, office: Office, work: Work) -> bytes:
    """The mail as it is handed over: signed for the office's domain, if that domain's key was provisioned."""
    signer = read_signer(work.settings.dkim_key, work.settings.dkim_selector, office.domain)
    return signer.sign(mail, work.now()) if signer else mail


def mailer(work: Work, office: Office) -> Mailer:
    """The way to this process's mail server."""
    loop = asyncio.get_running_loop()
    if loop not in _mailers:
        _mailers[loop] = Mailer(work.settings.smtp_host, work.settings.smtp_port, office.domain)
    return _mailers[loop]


def _tally(tx: Tx) -> dict[str, int]:
    cancels = delivery.c.method == "CANCEL"
    counted = select(
        func.count().filter(~cancels).label("sent"),
        func.count().filter(cancels).label("cancelled"),
        func.count(delivery.c.person.distinct()).label("recipients"),
    )
    found = dict(tx.execute(counted.where(delivery.c.sent_at.is_not(None))).mappings().one())
    return found | {"reminded": tx.connection.scalar(select(func.count(reminder.c.sent_at))) or 0}


service.tally = _tally
